//! Sidecars: init containers that run beside the others, and how they end.

use std::fs;

use crate::common::{SOON, World, eventually, job_of_pod};

/// A sidecar that notes its end, after `first`; with what it does before SIGTERM.
fn sidecar(name: &str, first: &str, pre_stop: &str) -> String {
    format!(
        "- name: {name}\n  image: i\n  restartPolicy: Always\n  lifecycle: {{preStop: {{exec: {{command: [sh, -c, {pre_stop:?}]}}}}}}\n  \
         startupProbe: {{exec: {{command: [test, -e, up-{name}]}}, periodSeconds: 1}}\n  \
         command: [sh, -c, {:?}]\n",
        format!(
            "trap '{first}; echo {name} >> ends; exit 0' TERM; touch up-{name}; while :; do sleep 0.01; done"
        )
    )
}

fn job(name: &str, sidecars: &[String], main: &str, grace: i64) -> String {
    let spec = format!(
        "terminationGracePeriodSeconds: {grace}\ninitContainers:\n{}containers:\n- {{name: main, image: i, command: [sh, -c, {main:?}]}}\n",
        sidecars.concat()
    );
    job_of_pod(name, &spec)
}

#[test]
fn sidecars_end_after_the_others_the_last_first_and_their_hooks_run_at_once() {
    let world = World::new();
    // Had the first one's hook to wait for its turn, the second would never end by itself.
    let sidecars = [
        sidecar("first", "true", "touch hook"),
        sidecar("second", "until test -e hook; do sleep 0.01; done", "echo hook >> ends"),
    ];
    let _ = world.apply(&job("done", &sidecars, "echo main >> ends", 20));
    world.wait_for_end("done");
    assert_eq!(world.tally("done"), "1/ SuccessCriteriaMet Complete");
    let ends = || fs::read_to_string(world.path("work/ends")).unwrap_or_default();
    assert_eq!(ends(), "main\nhook\nsecond\nfirst\n");
    // A pod that is stopped ends in the same order.
    for file in ["ends", "hook", "up-first", "up-second"] {
        fs::remove_file(world.path("work").join(file)).expect("it was there");
    }
    let main =
        "trap 'sleep 0.2; echo main >> ends; exit 0' TERM; touch running; while :; do sleep 0.01; done";
    let _ = world.apply(&job("stopped", &sidecars, main, 20));
    eventually(SOON, || world.path("work/running").exists());
    let _ = world.run("delete job stopped --cascade=foreground").success();
    let ends = ends();
    assert!(ends.ends_with("main\nsecond\nfirst\n"), "{ends}");
}

#[test]
fn a_sidecar_that_does_not_end_takes_no_more_than_the_grace_period_and_lets_the_others_end() {
    let world = World::new();
    let sidecars =
        [sidecar("first", "true", "true"), sidecar("stubborn", "while :; do sleep 0.01; done", "true")];
    let _ = world.apply(&job("late", &sidecars, "true", 1));
    world.wait_for_end("late");
    assert_eq!(world.tally("late"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(fs::read_to_string(world.path("work/ends")).expect("a file"), "first\n");
    let codes = world.value(
        "pods",
        "'{range .items[0].status.initContainerStatuses[*]}{.name} {.state.terminated.exitCode}, {end}'",
    );
    assert_eq!(codes, "first 0, stubborn 137, ");
}
