//! Who does the work: the controller in the background, one in the foreground, or none at all.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, is_alive, job, kill, until_asleep};

#[test]
fn with_background_never_only_the_pods_stay() {
    let world = World::without_background();
    let never = |line: &str| world.command(line);
    let script = "until test -f go; do sleep 0.01; done";
    let _ = never("apply -f -").stdin(job("one", "completions: 2\nparallelism: 1", script)).run().success();
    eventually(SOON, || world.supervisors().len() == 1);
    assert_eq!(world.controller(), None);
    assert!(world.processes_named("jobctl-kubelet").is_empty(), "{:?}", world.processes());
    world.manifest("go", "");
    world.assert_no_processes_left();
    assert_eq!(world.value("job one", "{.status.succeeded}"), "", "nobody has looked yet");
    // Each pass moves things on.
    let pass = never("reconcile").run().success();
    let lines = pass.normal_stdout();
    assert!(lines.contains("pod/one-xxxxx Succeeded\n"), "{lines}");
    assert!(lines.contains("pod/one-xxxxx created\n"), "{lines}");
    world.assert_no_processes_left();
    let _ = never("reconcile").run().success();
    assert_eq!(world.tally("one"), "2/ SuccessCriteriaMet Complete");
    never("reconcile").run().prints("nothing to do\n");
}

#[test]
fn with_background_never_a_verb_that_waits_brings_its_own_controller() {
    let world = World::without_background();
    let never = |line: &str| world.command(line);
    let _ = never("apply -f -").stdin(job("one", "completions: 5\nparallelism: 2", "true")).run().success();
    never("wait --for=condition=complete job/one").run().prints("job.batch/one condition met\n");
    world.assert_no_processes_left();
    let run = never("run -f -").stdin(job("two", "", "echo hello")).run().exits(0);
    assert_eq!(run.stdout, "hello\n");
}

#[test]
fn watch_until_idle_says_each_change_and_leaves() {
    let world = World::new();
    let apply = world.command("apply -f -").env("JOBCTL_BACKGROUND", "never");
    let _ = apply.stdin(job("one", "", "true")).run().success();
    let output = world.run("watch --until-idle").success();
    let lines = output.normal_stdout();
    assert!(lines.contains("pod/one-xxxxx Succeeded\n"), "{lines}");
    assert!(
        lines.lines().any(|line| line.starts_with("job.batch/one ") && line.contains("Complete")),
        "{lines}"
    );
    world.run("watch --until-idle").prints("");
}

#[test]
fn a_controller_in_the_foreground_takes_over_and_hands_back() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.controller().is_some());
    let background = world.controller().expect("it runs");
    let mut watch = world.command("watch").spawn();
    eventually(SOON, || !is_alive(background));
    let mut lines = BufReader::new(watch.stdout.take().expect("a pipe")).lines();
    let _ = world.apply(&job("two", "", "true"));
    let first = lines.next().expect("a line").expect("text");
    assert!(!first.is_empty());
    assert_eq!(world.controller(), None, "one at a time");
    kill(watch.id() as i32, Signal::SIGINT);
    assert!(watch.wait().expect("wait").success());
    world.manifest("go", "");
    // Nobody is asked: the controller handed back to does it.
    eventually(SOON, || world.tally("one") == "1/ SuccessCriteriaMet Complete");
}

#[test]
fn of_two_controllers_one_yields() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.controller().is_some());
    let first = world.controller().expect("it runs");
    world.run("reconcile").prints("a controller is running and has already begun\n");
    for number in 0..5 {
        let _ = world.apply(&job(&format!("more-{number}"), "", "true"));
    }
    let controllers = world.processes_named("jobctl-control");
    assert_eq!(controllers, [first]);
    world.manifest("go", "");
}

#[test]
fn nothing_runs_when_there_is_nothing_left_to_do() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "true"));
    let _ = world.apply(&job("paused", "suspend: true", "true"));
    let _ = world.apply(&job("zero", "parallelism: 0", "true"));
    world.wait_for_end("one");
    world.assert_no_processes_left();
    world.run("reconcile").prints("nothing to do\n");
}

#[test]
fn a_waiting_controller_uses_no_processor_time() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "until test -f go; do sleep 0.05; done"));
    eventually(SOON, || world.controller().is_some() && world.supervisors().len() == 1);
    let controller = world.controller().expect("it runs");
    let supervisor = world.supervisors()[0];
    until_asleep(&[controller, supervisor], Duration::from_millis(250));
    world.manifest("go", "");
}

#[test]
fn where_nothing_may_stay_in_the_background_a_killed_verb_leaves_nothing() {
    let world = World::without_background();
    let manifest = world.manifest("job.yaml", job("one", "", "exec sleep 1000"));
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGKILL] {
        let mut run = world.command(&format!("run -f {manifest} --detach-on-interrupt")).spawn();
        eventually(SOON, || world.processes_named("sleep").len() == 1);
        kill(run.id() as i32, signal);
        let _ = run.wait().expect("ended");
        eventually(SOON, || world.controller().is_none());
        // Interrupted without a terminal, it has deleted the Job itself.
        let _ = world.run("delete job one --now --ignore-not-found").success();
        world.assert_no_processes_left();
    }
}

#[test]
fn jobs_go_on_though_nobody_reads_what_watch_says() {
    let world = World::new();
    let mut watch = world.command("watch").spawn();
    // More lines than a pipe holds.
    let name = "many-pods-with-a-name-of-so-many-contents-that-lines-are-long";
    let _ = world.apply(&job(name, "completions: 700\nparallelism: 30", "true"));
    world.wait_for_end(name);
    assert_eq!(world.value(&format!("job {name}"), "{.status.succeeded}"), "700");
    assert!(watch.try_wait().expect("wait").is_none(), "it is still there");
    kill(watch.id() as i32, Signal::SIGINT);
    eventually(SOON, || watch.try_wait().expect("wait").is_some());
    let mut said = String::new();
    watch.stdout.take().expect("a pipe").read_to_string(&mut said).expect("text");
    assert!(said.len() > 60_000, "as much as a pipe holds: {}", said.len());
}

/// The controller that stays after the Job `one` has ended.
fn idle_controller(world: &World) -> i32 {
    let _ = with_idle_timeout(world, "60s", "create job one --image=x -- true");
    world.wait_for_end("one");
    world.controller().expect("it stays")
}

/// Runs a line, by whose controller the next one can be done for so long.
fn with_idle_timeout(world: &World, time: &str, line: &str) -> crate::common::Output {
    world.command(line).env("JOBCTL_IDLE_TIMEOUT", time).run().success()
}

#[test]
fn a_controller_stays_a_moment_for_the_next_command_and_goes_when_none_comes() {
    let world = World::new();
    let manifest = |name: &str| world.manifest(&format!("{name}.yaml"), job(name, "", "true"));
    let run = |name: &str, file: &str| {
        let _ = with_idle_timeout(&world, "2s", &format!("apply -f {file}"));
        world.wait_for_end(name);
        world.controller()
    };
    let first = run("one", &manifest("one")).expect("it stays");
    assert_eq!(run("two", &manifest("two")), Some(first), "the same");
    world.assert_no_processes_left();
    // A stay that was cut short by kill -9 is made up for like any other.
    let first = run("three", &manifest("three")).expect("it stays");
    kill(first, Signal::SIGKILL);
    eventually(SOON, || !is_alive(first));
    assert_ne!(run("four", &manifest("four")), Some(first));
    world.assert_no_processes_left();
}

#[test]
fn a_controller_that_stays_makes_way_for_one_by_the_new_configuration() {
    let world = World::new();
    let old = idle_controller(&world);
    std::fs::write(world.path("config/jobctl/config.yaml"), "nodeName: node1\nbackoffBase: 10ms\n")
        .expect("write");
    let failing = job("two", "backoffLimit: 1", "exit 1");
    let failing: String = failing
        .lines()
        .filter(|line| !line.contains("backoff-base"))
        .fold(String::new(), |text, line| text + line + "\n");
    let _ = world.apply(&failing);
    world.wait_for_end("two");
    assert_eq!(world.tally("two"), "/2 FailureTarget Failed", "without ten seconds between");
    eventually(SOON, || !is_alive(old));
    // Whoever was first has started the new one: the old one with its own minute, or the command with none.
    if let Some(new) = world.controller() {
        kill(new, Signal::SIGTERM);
    }
    world.assert_no_processes_left();
}

#[test]
fn a_data_directory_that_is_removed_takes_the_controller_that_stays_with_it() {
    let world = World::new();
    let stays = idle_controller(&world);
    // Whoever is just tidying up may still be writing.
    eventually(SOON, || std::fs::remove_dir_all(world.store()).is_ok());
    eventually(SOON, || !is_alive(stays));
    assert!(!world.store().exists(), "nothing is made anew");
}
