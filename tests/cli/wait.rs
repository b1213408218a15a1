//! `wait`.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use crate::common::{World, job};

#[test]
fn waiting_for_a_job_that_fails_ends_at_once_and_says_why() {
    let world = World::new();
    let _ = world.apply(&job("bad", "backoffLimit: 0", "echo one; echo two >&2; exit 7"));
    let started = Instant::now();
    world.run("wait --for=condition=complete job/bad --timeout=60s").fails_with(
        "error: job.batch/bad failed: BackoffLimitExceeded: Job has reached the specified backoff limit\n\
         pod/bad-xxxxx: container main ended with exit code 7 (Error); its log ends with:\n    one\n    two\n",
    );
    assert!(started.elapsed() < Duration::from_secs(20), "not after the whole time-out");
    world.run("wait --for=condition=failed job/bad").prints("job.batch/bad condition met\n");
    world.run("wait --for=condition=complete,failed job/bad").prints("job.batch/bad condition met\n");
    world.run("wait --for=condition=Failed=True job/bad -o name").prints("job.batch/bad\n");
}

#[test]
fn several_conditions_are_all_waited_for_and_several_objects_too() {
    let world = World::new();
    let _ = world.apply(&job("a", "", "true"));
    let _ = world.apply(&job("b", "", "true"));
    world
        .run("wait --for=condition=complete job/a job/b")
        .prints("job.batch/a condition met\njob.batch/b condition met\n");
    world
        .run("wait --for=condition=SuccessCriteriaMet --for=condition=complete job a")
        .prints("job.batch/a condition met\njob.batch/a condition met\n");
    world
        .run("wait --for=condition=complete jobs --all")
        .prints("job.batch/a condition met\njob.batch/b condition met\n");
    world.run("wait --for=jsonpath='{.status.succeeded}'=1 job/a").prints("job.batch/a condition met\n");
    world.run("wait --for=jsonpath='{.status.completionTime}' job/a").prints("job.batch/a condition met\n");
}

#[test]
fn time_runs_out_when_asked() {
    let world = World::new();
    let _ = world.apply(&job("slow", "suspend: true", "true"));
    let started = Instant::now();
    world.run("wait --for=condition=complete job/slow --timeout=300ms").fails_with(
        "job.batch/slow is suspended; to start it: jobctl resume job/slow\n\
             error: timed out waiting for the condition on jobs/slow\n",
    );
    let elapsed = started.elapsed();
    assert!(elapsed >= Duration::from_millis(300) && elapsed < Duration::from_secs(10), "{elapsed:?}");
    world
        .run("wait --for=condition=complete job/slow --timeout=0")
        .fails_with("error: condition not met for jobs/slow\n");
    world.run("wait --for=condition=Suspended job/slow --timeout=0").prints("job.batch/slow condition met\n");
}

#[test]
fn creation_and_deletion_are_waited_for() {
    let world = World::new();
    let waiting = world.command("wait --for=create job/later --timeout=20s").spawn();
    let _ = world.apply(&job("later", "suspend: true", "true"));
    let output = waiting.wait_with_output().expect("wait");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "job.batch/later condition met\n");
    let waiting = world.command("wait --for=delete job/later --timeout=20s").spawn();
    // Started, but perhaps not looking yet: what it then finds missing is said with nothing.
    let _ = world.run("delete job later").success();
    let output = waiting.wait_with_output().expect("wait");
    assert!(output.status.success());
    world.run("wait --for=delete job/later").prints("");
    world
        .run("wait --for=create job/never --timeout=200ms")
        .fails_with("error: timed out waiting for the condition\n");
}

#[test]
fn mistakes_are_told() {
    let world = World::new();
    world
        .run("wait --for=condition=complete job/nope")
        .fails_with("Error from server (NotFound): jobs.batch \"nope\" not found\n");
    world.run("wait job/nope").fails_with("error: unrecognized condition: \"\"\n");
    world.run("wait --for=foo job/nope").fails_with("error: unrecognized condition: \"foo\"\n");
    world.run("wait --for=condition=complete jobs --all").fails_with("error: no matching resources found\n");
    world
        .run("wait --for=condition=complete jobs")
        .fails_with("error: resource(s) were provided, but no name was specified\n");
    world.run("wait --for=delete jobs --all").prints("");
    world.run("wait --for=condition=complete job/x --timeout=soon").fails_with(
        "error: invalid argument \"soon\" for \"--timeout\" flag: time: invalid duration \"soon\"\n\
         See 'jobctl wait --help' for usage.\n",
    );
    let output = world.run("wait --for=delete job/x -o table").failure();
    assert!(output.stderr.starts_with("error: unable to match a printer"), "{}", output.stderr);
}

#[test]
fn a_job_that_was_deleted_is_remembered_by_how_it_ended() {
    let world = World::new();
    let _ = world.apply(&job("good", "", "true"));
    let _ = world.apply(&job("bad", "backoffLimit: 0", "exit 1"));
    world.wait_for_end("good");
    world.wait_for_end("bad");
    let _ = world.run("delete jobs --all").success();
    world.run("wait --for=condition=complete job/good").prints("job.batch/good condition met\n");
    let bad = world.run("wait --for=condition=complete job/bad").failure();
    assert!(bad.stderr.contains("BackoffLimitExceeded"), "{}", bad.stderr);
}

#[test]
fn the_object_is_printed_where_asked() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "true"));
    let jsonpath = "-o jsonpath='{.metadata.name} {.status.succeeded}'";
    world.run(&format!("wait --for=condition=complete job/one {jsonpath}")).prints("one 1");
    let yaml = world.run("wait --for=condition=complete job/one -o yaml").success().stdout;
    assert_eq!(yaml, world.run("get job one -o yaml").success().stdout);
    let json = world.run("wait --for=condition=complete job/one -o json").success().stdout;
    assert_eq!(json, world.run("get job one -o json").success().stdout);
    let _ = world.run("delete job one").success();
    world
        .run("wait --for=condition=complete job/one -o jsonpath='{.kind} {.metadata.name}'")
        .prints("Job one");
}

#[test]
fn an_object_that_was_replaced_by_another_of_its_name_has_been_deleted() {
    let world = World::new();
    let path = world.manifest("one.yaml", job("one", "suspend: true", "true"));
    let _ = world.run(&format!("apply -f {path}")).success();
    // It says first that the condition on the old one is met, so it was looking when that was replaced.
    let mut child =
        world.command("wait --for=jsonpath={.spec.suspend}=true --for=delete job/one --timeout=20s").spawn();
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("text");
    assert_eq!(next(), "job.batch/one condition met");
    let _ = world.run(&format!("replace --force -f {path}")).success();
    assert_eq!(next(), "job.batch/one condition met");
    assert!(child.wait().expect("wait").success());
    world.run("get jobs -o name").prints("job.batch/one\n");
}

#[test]
fn a_wait_for_a_retry_is_told() {
    let world = World::new();
    let manifest =
        job("again", "backoffLimit: 3", "exit 1").replace("backoff-base: 10ms", "backoff-base: 1h");
    let _ = world.apply(&manifest);
    let mut child = world.command("wait --for=condition=complete job/again --timeout=20s").spawn();
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    let line = lines.next().expect("a line").expect("text");
    assert!(line.starts_with("job.batch/again: a pod has failed; the next one starts in "), "{line}");
    let _ = world.run("delete job again").success();
    assert!(!child.wait().expect("wait").success(), "it is gone");
}
