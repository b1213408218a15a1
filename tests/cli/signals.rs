//! How commands end that somebody interrupts, or whose output nobody reads any more: at once, quietly, with the usual codes.

use std::os::fd::AsFd as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::common::{Output, SOON, World, eventually, job, kill};

/// A pod that writes, and two that do not and take their time to end.
fn world() -> World {
    let world = World::new();
    let _ = world.apply(&job("talks", "", "trap 'exit 0' TERM; while :; do echo hello; sleep 0.02; done"));
    let _ = world.apply(&job("stays", "", "trap '' TERM; echo up; while :; do sleep 0.1; done"));
    let _ = world.apply(&job("lasts", "", "trap '' TERM; echo up; while :; do sleep 0.1; done"));
    for name in ["talks", "stays", "lasts"] {
        eventually(SOON, || !world.run(&format!("logs job/{name}")).stdout.is_empty());
    }
    world
}

/// Verbs that go on until something happens that does not.
const LONG: [&str; 11] = [
    "get jobs -w",
    "get pods --watch-only -o json",
    "events -w",
    "logs -f job/stays",
    "wait --for=condition=Complete job/stays --timeout=1h",
    "wait --for=delete pods --all --timeout=1h",
    "wait --for=create job/never --timeout=1h",
    "apply -f -",
    "create configmap c --from-file=x=/dev/stdin",
    "attach -q job/stays",
    "exec job/stays -- sleep 1000",
];

/// Waits until a process has nothing to do.
fn settles(child: &Child, line: &str) {
    let read =
        |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).expect("a process");
    let state = || {
        let status = read("status");
        let has = |line: &str| status.lines().find(|found| found.starts_with(line)).map(str::to_owned);
        assert!(!has("State:").is_some_and(|state| state.contains('Z')), "{line}: it has ended");
        (has("State:"), has("voluntary_ctxt_switches:"))
    };
    eventually(SOON, || {
        let before = state();
        std::thread::sleep(Duration::from_millis(40));
        before.0.as_ref().is_some_and(|state| state.contains('S')) && before == state()
    });
}

/// Waits until a process has written to its standard output.
fn says_something(child: &Child, line: &str) {
    let output = child.stdout.as_ref().expect("a pipe").as_fd();
    let mut waits = [PollFd::new(output, PollFlags::POLLIN)];
    let ready = poll(&mut waits, PollTimeout::try_from(SOON).expect("a time")).expect("poll");
    assert_eq!(ready, 1, "{line}: nothing was said");
}

fn end(world: &World, line: &str, child: Child) -> Output {
    let end = child.wait_with_output().expect("wait");
    Output::new(world, line.to_owned(), end.status, &end.stdout, &end.stderr)
}

#[test]
fn whoever_is_interrupted_ends_at_once_without_a_word() {
    let world = world();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        for line in LONG {
            let child = world.command(line).build().spawn().expect("start jobctl");
            settles(&child, line);
            kill(child.id() as i32, signal);
            let end = end(&world, line, child);
            assert_eq!((end.code, end.stderr.as_str()), (-(signal as i32), ""), "{line}");
        }
    }
    // What has been asked for goes on.
    let node = world.run("get nodes -o jsonpath={.items[0].metadata.name}").success().stdout;
    for (line, said) in [
        (format!("drain {node} --grace-period=2 --pod-selector=job-name=stays"), "node/NODE cordoned\n"),
        ("delete pods -l job-name=lasts --grace-period=2".into(), "pod \"lasts-"),
    ] {
        let child = world.command(&line).spawn();
        says_something(&child, &line);
        settles(&child, &line);
        kill(child.id() as i32, Signal::SIGINT);
        let end = end(&world, &line, child);
        assert_eq!((end.code, end.stderr.as_str()), (-(Signal::SIGINT as i32), ""), "{line}");
        assert!(end.stdout.starts_with(&said.replace("NODE", &node)), "{line}: {}", end.stdout);
    }
    // The node takes no pod any more, so theirs wait.
    for name in ["stays", "lasts"] {
        let waits =
            || world.run(&format!("get pods -l job-name={name} --no-headers")).stdout.contains(" Pending ");
        eventually(SOON, waits);
    }
    world.run("get configmap c").fails_with("Error from server (NotFound): configmaps \"c\" not found\n");
    let _ = world.run("delete jobs --all --now").success();
}

#[test]
fn whoever_has_no_reader_any_more_ends_without_a_word() {
    let world = world();
    for line in [
        "get pods -w",
        "get jobs --watch-only -o name",
        "events -w",
        "logs -f job/talks",
        "logs -f -l job-name=talks --prefix",
        "attach job/talks",
        "exec job/talks -- sh -c 'while echo x; do sleep 0.01; done'",
        "watch",
    ] {
        let mut child = world.command(line).stdin("").build();
        let mut child = child.stdin(Stdio::null()).spawn().expect("start jobctl");
        drop(child.stdout.take());
        // Something to tell.
        eventually(SOON, || {
            let _ = world.apply(&job("new", "", "true"));
            let _ = world.run("delete job new").success();
            child.try_wait().expect("wait").is_some()
        });
        let end = end(&world, line, child);
        let stderr = end.stderr.replace("If you don't see a command prompt, try pressing enter.\n", "");
        assert_eq!((end.code, stderr.as_str()), (141, ""), "{line}");
    }
    let _ = world.run("delete jobs --all --now").success();
}
