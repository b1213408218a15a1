//! `run` of a command: a Job without a manifest, and one for each item of a list.

use crate::common::{SOON, World, eventually};

#[test]
fn a_command_is_run_and_its_exit_code_is_that_of_run() {
    let world = World::new();
    let said = world.run("run hello -- echo 'a b' $HOME").exits(0);
    assert_eq!(said.stdout, "a b $HOME\n");
    assert_eq!(
        world.value("job hello", "'{.spec.template.spec.containers[0].command} {.spec.backoffLimit}'"),
        "[\"echo\",\"a b\",\"$HOME\"] 0"
    );
    let _ = world.run("run -- sh -c 'exit 7'").exits(7);
    assert!(world.value("jobs", "{.items[*].metadata.name}").contains("sh-"));
    let _ = world.run("config set backoffBase 10ms").success();
    let _ = world.run("run again --restart 1 -- sh -c 'test -f tried || { touch tried; exit 1; }'").exits(0);
    assert_eq!(world.tally("again"), "1/1 SuccessCriteriaMet Complete");
    let _ = world.run("run none -- no-such-program").exits(128);
}

#[test]
fn variables_and_labels_come_from_the_command_line() {
    let world = World::new();
    world.manifest("vars.env", "# mine\nA=1\nB=from file\n");
    let said =
        world.run("run v --env-file vars.env --env B=2 -e C=x=y -l team=a,tier=b -- sh -c 'echo $A $B $C'");
    assert_eq!(said.exits(0).stdout, "1 2 x=y\n");
    assert_eq!(world.value("job v", "{.metadata.labels.team}"), "a");
    assert_eq!(world.value("pods -l tier=b", "{.items[*].metadata.labels.team}"), "a");
    for (line, error) in [
        ("run x -e =1 -- true", "error: invalid env: =1\n"),
        ("run x --env-file none -- true", "error: error reading none: no such file or directory\n"),
        ("run x -l a -- true", "error: unexpected label spec: a\n"),
        (
            "run x --restart Never -- true",
            "error: --restart: \"Never\" is no number of restarts; Always, OnFailure and Never are for pods (run --image)\n",
        ),
        ("run x", "error: a command is required: jobctl run x -- COMMAND\n"),
        ("run", "error: must specify -f, or a command: jobctl run [NAME] -- COMMAND\n"),
        ("run -f a.yaml -- true", "error: -f, --filename and a command cannot be specified together\n"),
        (
            "run x -o yaml -- true",
            "error: --output is for --dry-run: otherwise the output is what the pods print\n",
        ),
    ] {
        world.run(line).fails_with(error);
    }
}

#[test]
fn a_list_makes_an_indexed_job_with_an_item_for_each_index() {
    let world = World::new();
    world.manifest("list", "a b\n\n$(HOME) {} \"q\"\n'é'\n");
    let said =
        world.run("run sweep --array-from list --prefix=false -- sh -c 'echo \"$0|$ITEM\"' {}").exits(0);
    let mut lines: Vec<&str> = said.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["$(HOME) {} \"q\"|$(HOME) {} \"q\"", "'é'|'é'", "a b|a b"]);
    let spec = "'{.spec.completionMode} {.spec.completions} {.status.completedIndexes}'";
    assert_eq!(world.value("job sweep", spec), "Indexed 3 0-2");
    let stdin =
        world.command("run --array-from - -P 1 --prefix=false -- echo x{}").stdin("1\n2\n").run().exits(0);
    assert_eq!(stdin.stdout, "x1\nx2\n");
    // The list goes with the Job.
    assert_eq!(world.value("configmaps", "{.items[*].data.0}"), "1 a b");
    let _ = world.run("delete jobs --all").success();
    eventually(SOON, || world.value("configmaps", "{.items[*].data}").is_empty());
}

#[test]
fn columns_of_tables_have_names() {
    let world = World::new();
    world.manifest("grid.csv", "lr,seed\n0.1,\"1,5\"\n0.2,2\n");
    let line = "run grid --array-from grid.csv -P1 --prefix=false -- sh -c 'echo lr={lr} $seed \"{unknown}\" \"$ITEM\"'";
    assert_eq!(
        world.run(line).exits(0).stdout,
        "lr=0.1 1,5 {unknown} 0.1,\"1,5\"\nlr=0.2 2 {unknown} 0.2,2\n"
    );
    let objects = "{\"n\": 1, \"s\": \"a b\"}\n";
    let line = "run --array-from - --array-format jsonl --prefix=false -- echo {n} {s} {}";
    let said = world.command(line).stdin(objects).run().exits(0);
    assert_eq!(said.stdout, format!("1 a b {objects}"));
    for (text, error) in [
        ("", "error: --array-from l.csv: there is no item in it\n"),
        ("a,a\n1,2\n", "error: --array-from l.csv: the first row: two columns are called \"a\"\n"),
    ] {
        world.manifest("l.csv", text);
        world.run("run --array-from l.csv -- echo").fails_with(error);
    }
    world
        .run("run --array-from none -- echo")
        .fails_with("error: error reading none: no such file or directory\n");
    assert_eq!(world.value("jobs", "{.items[*].metadata.name}").split(' ').count(), 2);
}

#[test]
fn failed_items_are_run_again() {
    let world = World::new();
    world.manifest("list", "one\ntwo\nthree\n");
    let line = "run sweep --array-from list -P3 -- sh -c 'echo {} >>did; test -f ready || [ {} = one ]'";
    let failed = world.run(line).exits(1);
    let hint = "its failed indexes: 1,2; to run them once more: jobctl rerun job/sweep --failed-indexes\n";
    assert!(failed.stderr.contains(hint), "{}", failed.stderr);
    world.manifest("ready", "");
    world.run("rerun job/sweep --failed-indexes").prints("job.batch/sweep rerun\n");
    world.wait_for_end("sweep");
    assert_eq!(world.tally("sweep"), "3/ SuccessCriteriaMet Complete");
    let did = std::fs::read_to_string(world.path("work/did")).expect("a file");
    let mut did: Vec<&str> = did.lines().collect();
    did.sort_unstable();
    assert_eq!(did, ["one", "three", "three", "two", "two"]);
    // Run anew under its name, it has a list of its own.
    let _ = world.run(line).exits(0);
    world.assert_no_processes_left();
    assert_eq!(world.value("configmaps", "{.items[*].data.1}"), "two");
}

#[test]
fn a_list_that_is_gone_holds_its_pods_up_until_it_is_there_again() {
    let world = World::new();
    world.manifest("list", "1\n");
    let manifest =
        world.run("run late --array-from list --dry-run=client -o yaml -- echo {}").success().stdout;
    let (list, job) = manifest.split_once("---\n").expect("two documents");
    let _ = world.apply(job);
    let reason = "{.items[0].status.containerStatuses[0].state.waiting.reason}";
    eventually(SOON, || world.value("pods", reason) == "CreateContainerConfigError");
    let _ = world.apply(list);
    world.wait_for_end("late");
    assert_eq!(world.run("logs job/late").success().stdout, "1\n");
    // Nobody's but its own, it stays when the Job goes.
    let _ = world.run("delete job late").success();
    world.assert_no_processes_left();
    assert_eq!(world.value("configmaps", "{.items[*].data.0}"), "1");
}

#[test]
fn orphaned_lists_stay() {
    let world = World::new();
    world.manifest("list", "1\n");
    let _ = world.run("run sweep --array-from list -- true").exits(0);
    let _ = world.run("delete job sweep --cascade=orphan").success();
    let _ = world.run("run other -- true").exits(0);
    world.assert_no_processes_left();
    assert_eq!(world.value("configmaps", "'{.items[*].data.0} {.items[*].metadata.ownerReferences}'"), "1 ");
}
