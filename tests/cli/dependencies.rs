//! Jobs that start when others have ended: `--after`, and the annotation behind it.

use crate::common::{SOON, World, eventually, job};

const GATE: &str = "until test -f go; do sleep 0.01; done";

fn after(manifest: &str, jobs: &str) -> String {
    manifest.replace(
        "annotations:",
        &format!(
            "annotations:
    jobctl.local/after: '{jobs}'"
        ),
    )
}

#[test]
fn a_job_starts_when_those_before_it_are_complete() {
    let world = World::new();
    let first = job("first", "", &format!("{GATE}; echo first >>order"));
    let second = after(&job("second", "", "echo second >>order"), "job/first");
    let third = after(&job("third", "", "echo third >>order"), "job/first, job/second");
    let said = world.apply(&format!("{third}---\n{second}---\n{first}"));
    assert_eq!(said.stderr, "", "all are there at the end");
    for job in ["job third", "job second"] {
        eventually(SOON, || world.value(job, "{.status.conditions[0].type}") == "jobctl.local/Waiting");
    }
    let message = "'{.status.conditions[0].message}'";
    assert_eq!(world.value("job third", message), "Job starts after job/first, which has not ended");
    assert_eq!(world.value("job second", "{.status.startTime}"), "");
    let rows = world.run("get jobs --no-headers").success().stdout;
    assert!(rows.contains("second   Waiting   0/1 "), "{rows}");
    let events = world.run("events --for job/second").success().stdout;
    assert!(
        events.contains("Waiting   Job/second   Job starts after job/first, which has not ended"),
        "{events}"
    );
    assert_eq!(world.value("pods", "{.items[*].metadata.labels.job-name}"), "first");
    world.manifest("go", "");
    world.wait_for_end("third");
    assert_eq!(std::fs::read_to_string(world.path("work/order")).expect("a file"), "first\nsecond\nthird\n");
    assert_eq!(
        world.value("job second", "'{.status.conditions[?(@.type==\"jobctl.local/Waiting\")].status}'"),
        "False"
    );
}

#[test]
fn a_job_fails_when_one_before_it_has_ended_otherwise() {
    let world = World::new();
    let bad = job("bad", "backoffLimit: 0", "exit 1");
    let next = after(&job("next", "", "echo never"), "job/bad");
    let clean = after(&job("clean", "", "echo cleaning"), "job/bad:failed");
    let always = after(&job("always", "", "echo always"), "job/bad:finished,job/next:finished");
    let _ = world.apply(&format!("{bad}---\n{next}---\n{clean}---\n{always}"));
    for name in ["bad", "next", "clean", "always"] {
        world.wait_for_end(name);
    }
    assert_eq!(world.tally("next"), "/ jobctl.local/Waiting FailureTarget Failed");
    let failed = "'{.status.conditions[?(@.type==\"Failed\")].reason}: {.status.conditions[?(@.type==\"Failed\")].message}'";
    assert_eq!(
        world.value("job next", failed),
        "DependencyFailed: Job was to start after job/bad, and job.batch/bad has failed"
    );
    assert_eq!(world.run("logs job/clean").success().stdout, "cleaning\n");
    assert_eq!(world.run("logs job/always").success().stdout, "always\n");
    // What never was waits: nothing has been decided about it.
    let said = world.apply(&after(&job("late", "", "echo late"), "job/other"));
    assert_eq!(
        said.stderr,
        "Warning: job.batch/late: metadata.annotations[jobctl.local/after]: job \"other\" is not there yet: pods wait for it\n"
    );
    let message = "'{.status.conditions[0].message}'";
    eventually(SOON, || {
        world.value("job late", message) == "Job starts after job/other, which does not exist"
    });
    world.assert_no_processes_left();
    let _ = world.apply(&job("other", "", "true"));
    world.wait_for_end("late");
}

#[test]
fn jobs_that_would_wait_for_themselves_are_refused() {
    let world = World::new();
    let refused = |manifest: &str, error: &str| {
        let said = world.command("apply -f -").stdin(manifest).run().exits(1);
        assert_eq!(said.stderr, error);
    };
    refused(
        &after(&job("a", "", "true"), "job/a"),
        "The Job \"a\" is invalid: metadata.annotations[jobctl.local/after]: Invalid value: \"job/a\": the Job would wait \
         for itself: job/a after job/a\n",
    );
    refused(
        &after(&job("a", "", "true"), "a"),
        "The Job \"a\" is invalid: metadata.annotations[jobctl.local/after]: Invalid value: \"a\": \"a\" must be job/NAME, \
         job/NAME:failed or job/NAME:finished\n",
    );
    let _ = world.apply(&after(&job("a", "", "true"), "job/b,job/c"));
    let _ = world.apply(&after(&job("b", "", "true"), "job/c"));
    refused(
        &after(&job("c", "", "true"), "job/x:failed,job/a"),
        "The Job \"c\" is invalid: metadata.annotations[jobctl.local/after]: Invalid value: \"job/x:failed,job/a\": the Job \
         would wait for itself: job/c after job/a after job/c\n",
    );
    let late = world.run("annotate job b --overwrite jobctl.local/after=job/a").exits(1);
    assert!(
        late.stderr.contains("the Job would wait for itself: job/b after job/a after job/b"),
        "{}",
        late.stderr
    );
    world.assert_no_processes_left();
}

#[test]
fn the_command_line_says_what_comes_before() {
    let world = World::new();
    let _ = world.apply(&job("first", "", GATE));
    world
        .run("create job second --after job/first -- sh -c 'echo created'")
        .prints("job.batch/second created\n");
    let mut third = world.command("run third --after job/second,job/first:finished -- echo run").spawn();
    eventually(SOON, || world.run("get jobs --no-headers").stdout.contains("third    Waiting"));
    world.manifest("go", "");
    assert_eq!(third.wait().expect("an end").code(), Some(0));
    let broken = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x, annotations: [1]}\nspec: {}\n";
    let refused = world.command("run -f - --after job/first").stdin(broken).run().exits(1);
    assert!(refused.stderr.contains("annotations"), "{}", refused.stderr);
    // What was waited for may go: it is not asked for twice.
    let _ = world.run("delete job first second").success();
    let shown = world.run("run x --after job/a:ok --dry-run=server -o name -- true");
    assert!(shown.exits(1).stderr.contains("\"ok\" must be complete, failed or finished"));
    let failing = world.run("run bad -- false").exits(1);
    assert!(failing.stderr.contains("BackoffLimitExceeded"), "{}", failing.stderr);
    let never = world.run("run never --after job/bad -- true").exits(1);
    assert!(never.stderr.contains("DependencyFailed: Job was to start after job/bad"), "{}", never.stderr);
}

#[test]
fn a_job_that_waits_survives_the_death_of_everything() {
    let world = World::new();
    let _ = world.apply(&job("first", "", GATE));
    let _ = world.apply(&after(&job("second", "", "true"), "job/first"));
    eventually(SOON, || world.value("job second", "{.status.conditions[0].type}") == "jobctl.local/Waiting");
    for process in world.processes() {
        if process.name.starts_with("jobctl") {
            crate::common::kill(process.pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
    world.manifest("go", "");
    // Its supervisor was killed, so the first fails once and is tried again.
    world.wait_for_end("second");
    assert_eq!(world.tally("second"), "1/ jobctl.local/Waiting SuccessCriteriaMet Complete");
}

#[test]
fn a_wait_names_what_the_job_waits_for() {
    let world = World::new();
    let _ = world
        .command("apply -f -")
        .stdin(
            job("late", "", "true")
                .replace("annotations:\n", "annotations:\n    jobctl.local/after: job/never\n"),
        )
        .run()
        .success();
    world.run("wait --for=condition=Complete job/late --timeout=2s").exits_with(
        1,
        &[],
        &[
            "job.batch/late waits: Job starts after job/never, which does not exist\n",
            "error: timed out waiting for the condition on jobs/late\n",
        ],
    );
    let _ = world.run("delete job late").success();
}
