//! `top`: what pods and this machine use.

use crate::common::{SOON, World, eventually};

/// Two containers, of which one never rests and one has some memory.
const PODS: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: two, labels: {app: x}}\nspec:\n  restartPolicy: Never\n  \
     terminationGracePeriodSeconds: 0\n  containers:\n  - {name: busy, command: [sh, -c, 'while :; do /bin/true; done']}\n  \
     - {name: large, command: [sh, -c, 'x=$(head -c 60000000 /dev/zero | tr \"\\\\0\" a); echo up; sleep 600']}\n---\n\
     apiVersion: v1\nkind: Pod\nmetadata: {name: idle}\nspec:\n  restartPolicy: Never\n  terminationGracePeriodSeconds: 0\n  \
     containers: [{name: main, command: [sleep, '600']}]\n";

/// The lines as words.
fn table(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

fn number(cell: &str) -> u64 {
    cell.trim_end_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .unwrap_or_else(|_| panic!("a number: {cell}"))
}

#[test]
fn pods_are_shown_with_what_their_processes_use() {
    let world = World::new();
    world.run("top pod").is(0, "", "No resources found in default namespace.\n");
    world.run("top pods -A").is(0, "", "No resources found\n");
    let _ = world.apply(PODS);
    // The children of a shell that never rests end too soon to be seen: their time counts all the same.
    eventually(SOON, || {
        let shown = world.run("top pod two --containers --no-headers").stdout;
        let lines = table(&shown);
        matches!(lines.as_slice(), [busy, large]
            if busy[..2] == ["two", "busy"] && number(busy[2]) >= 200
            && large[..2] == ["two", "large"] && (50..400).contains(&number(large[3])))
    });
    let shown = world.run("top pods --sum").success().stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "NAME   CPU(cores)   MEMORY(bytes)   ");
    assert_eq!((lines.len(), &lines[1][..4], &lines[2][..4]), (5, "idle", "two "), "{shown}");
    assert_eq!(lines[3], "       ________     ________        ");
    let cells = table(&shown);
    assert_eq!(number(cells[4][0]), number(cells[1][1]) + number(cells[2][1]), "{shown}");
    let by_use = world.run("top po -A --sort-by=cpu --no-headers --io").success().stdout;
    let lines = table(&by_use);
    assert_eq!((&lines[0][..2], &lines[1][..2]), (&["default", "two"][..], &["default", "idle"][..]));
    assert_eq!(lines[0].len(), 6, "two more columns for I/O: {by_use}");
    let selected = world.run("top pod -l app=x --no-headers").success().stdout;
    assert_eq!(table(&selected).len(), 1, "{selected}");
    let selected = world.run("top pod --field-selector=metadata.name=idle --no-headers").success().stdout;
    assert!(selected.starts_with("idle "), "{selected}");
    let _ = world.run("delete pod two idle").success();
}

#[test]
fn a_pod_that_does_not_run_has_no_use() {
    let world = World::new();
    let _ = world.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: done}\nspec:\n  restartPolicy: Never\n  \
         containers: [{name: main, command: ['true']}]\n",
    );
    world.wait_for_value("pod/done", "{.status.phase}", "Succeeded");
    world.run("top pod").fails_with("error: metrics not available yet\n");
    world
        .run("top pod done")
        .fails_with("Error from server (NotFound): podmetrics.metrics.k8s.io \"default/done\" not found\n");
    world.run("top pod -n other").is(0, "", "No resources found in other namespace.\n");
    for (line, error) in [
        ("top pod x", "Error from server (NotFound): pods \"x\" not found\n"),
        ("top node x", "Error from server (NotFound): nodes \"x\" not found\n"),
        ("top pod --sort-by=disk", "error: --sort-by accepts only cpu or memory\n"),
        ("top node --sort-by=disk", "error: --sort-by accepts only cpu or memory\n"),
        ("top pod x -l a=b", "error: only one of NAME or selector can be provided\n"),
        ("top node x -l a=b", "error: only one of NAME or --selector can be provided\n"),
        ("top pod x -A", "error: a resource cannot be retrieved by name across all namespaces\n"),
        ("top pod a b", "error: pod [NAME | -l label]\nSee 'jobctl top pod -h' for help and examples\n"),
        ("top foo", "error: unknown command \"foo\"\nSee 'jobctl top -h' for help and examples\n"),
    ] {
        world.run(line).fails_with(error);
    }
}

#[test]
fn the_node_is_this_machine() {
    let world = World::new();
    let shown = world.run("top node --use-protocol-buffers=false").success().stdout;
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(table(&shown)[0], ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"]);
    let cells = &table(&shown)[1];
    assert_eq!((lines.len(), cells[0], cells.len()), (2, "node1", 5), "{shown}");
    assert!(number(cells[3]) > 10 && (0..=100).contains(&number(cells[4])), "{shown}");
    let capacity = world.run("top nodes node1 --show-capacity --no-headers").success().stdout;
    assert!(capacity.starts_with("node1 "), "{capacity}");
}
