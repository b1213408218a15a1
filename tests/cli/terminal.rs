//! Whatever programs and manifests say: nothing of it drives the terminal of whoever looks at it.

use crate::common::{Output, SOON, World, eventually, job};

/// What the command prints has no control characters but line ends and tabs.
#[track_caller]
fn is_harmless(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let found: Vec<char> = text.chars().filter(|c| c.is_control() && !matches!(c, '\n' | '\t')).collect();
        assert!(found.is_empty(), "{found:?} in {text:?}");
    }
}

#[test]
fn no_control_character_of_an_object_reaches_the_terminal() {
    let world = World::new();
    let evil = "\\e]0;x\\a\\e[31m\\r\\u009b2J";
    let manifest = job("evil", "backoffLimit: 0", "true")
        .replace("  annotations:\n", &format!("  annotations:\n    note: \"{evil}\"\n"))
        .replace("        command:", &format!("        command: [\"/no{evil}\"]\n        args:"));
    let applied = world.apply(&manifest);
    is_harmless(&applied);
    // One with such an image waits for ever; it is shown all the same.
    let image = job("image", "suspend: true", "true")
        .replace("        command:", &format!("        image: \"{evil}\"\n        command:"));
    is_harmless(&world.apply(&image));
    let message = "{.items[0].status.containerStatuses[0].state.terminated.message}";
    eventually(SOON, || world.value("pods", message).contains('\u{1b}'));
    world.wait_for_end("evil");
    for line in [
        "get jobs -o wide",
        "get pods -o wide",
        "get events",
        "events",
        "describe job evil",
        "describe pods",
        "get pods -o custom-columns=A:.metadata.name,B:.status.containerStatuses[0].state.terminated.message",
        "annotate job evil --list",
        "reconcile",
        "wait --for=condition=Suspended job/evil --timeout=10ms",
    ] {
        let output = world.run(line);
        is_harmless(&output);
        let shows_it =
            ["jobs -o wide", "describe", "custom-columns", "annotate"].iter().any(|word| line.contains(word));
        assert!(!shows_it || output.stdout.contains("^["), "{line}: {}", output.stdout);
    }
    // What is for programs is exact.
    assert!(world.value("job evil", "{.metadata.annotations.note}").contains('\u{1b}'));
    // So is what is refused told.
    let refused = world
        .command("create -f -")
        .stdin(manifest.replace("name: evil", "name: \"\\e[31m\""))
        .run()
        .failure();
    is_harmless(&refused);
    let refused =
        world.command_of(vec!["get".into(), "jobs".into(), "\u{1b}[31m\u{9b}".into()]).run().failure();
    is_harmless(&refused);
}
