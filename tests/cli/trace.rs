//! `-v`: what is decided while a command runs, and why.

use crate::common::{World, job, job_of_pod};

/// The lines without their times, in order.
fn told(stderr: &str) -> Vec<&str> {
    let is_time = |word: &str| word.len() == 13 && word.ends_with('Z') && word.as_bytes()[2] == b':';
    let lines = stderr.lines().filter_map(|line| line.split_once(' '));
    lines.filter(|(time, _)| is_time(time)).map(|(_, rest)| rest).collect()
}

#[test]
fn decisions_are_told_whoever_makes_them() {
    for world in [World::new(), World::without_background()] {
        // It still runs when `wait` comes.
        let manifest = job("x", "backoffLimit: 1", "sleep 0.5; exit 3");
        let quiet = world.command("apply -f - -v=3").stdin(job("quiet", "suspend: true", "true")).run();
        assert_eq!(quiet.stderr, "");
        let applied = world.command("apply -f - -v=4").stdin(&manifest).run().success();
        assert_eq!(applied.stdout, "job.batch/x created\n");
        let lines = told(&applied.stderr);
        let has = |lines: &[&str], part: &str| {
            assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
        };
        has(&lines, "here: job.batch/x created: has 1 active");
        has(&lines, "here: job.batch/x Event Normal SuccessfulCreate from job-controller: Created pod: x-");
        assert!(!applied.stderr.contains(" commit of "), "{}", applied.stderr);
        let waited = world.run("wait --for=condition=Complete job/x --timeout=60s -v=4").exits(1);
        let lines = told(&waited.stderr);
        has(&lines, "elsewhere: job.batch/x condition Failed=True: BackoffLimitExceeded: ");
        assert!(!lines.iter().any(|line| line.starts_with("here: ")), "{lines:#?}");
        let run = world.run("run -v=4 -- false").exits(1);
        has(&told(&run.stderr), " container main ended with 1 (Error)");
        let _ = world.run("delete jobs --all").success();
    }
}

#[test]
fn a_wait_before_the_next_pod_and_one_for_room_are_told() {
    let world = World::new();
    let manifest = job("slow", "backoffLimit: 1", "exit 3").replace("backoff-base: 10ms", "backoff-base: 1h");
    let run = world.command("run -f - --timeout=2s -v=4").stdin(&manifest).run();
    let lines = told(&run.stderr);
    assert!(
        lines.iter().any(|line| line.starts_with("elsewhere: job.batch/slow backs off until 2")),
        "{lines:#?}"
    );
    let large = job_of_pod(
        "large",
        "containers: [{name: main, image: busybox, resources: {requests: {cpu: 9k}}, command: [\"true\"]}]",
    );
    let waited = world.command("run -f - --timeout=2s -v=4").stdin(&large).run();
    let _ = world.run("delete jobs --all").success();
    let lines = told(&waited.stderr);
    let waits = lines
        .iter()
        .any(|line| line.contains("waits: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu"));
    assert!(waits, "{lines:#?}");
}

#[test]
fn each_transaction_is_told_to_whoever_asks_for_more() {
    let world = World::new();
    let applied = world.command("apply -f - --v=6").stdin(job("x", "suspend: true", "true")).run().success();
    let lines = told(&applied.stderr);
    let is_commit = |line: &&&str| {
        line.starts_with("here: commit of revisions 1 to ")
            && line.contains(": jobs 1, ")
            && line.ends_with(" ms")
    };
    assert_eq!(lines.iter().filter(is_commit).count(), 1, "{lines:#?}");
    let got = world.run("get jobs -v 6").success();
    let lines = told(&got.stderr);
    let is_read = |line: &str| line.starts_with("here: read as of revision ") && line.contains(": jobs 1");
    assert!(!lines.is_empty() && lines.iter().all(|line| is_read(line)), "{lines:#?}");
    world.run("get jobs -v=x").fails_with(
        "error: invalid argument \"x\" for \"-v, --v\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\n\
         See 'jobctl get --help' for usage.\n",
    );
}
