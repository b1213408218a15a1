//! Crashes at every durable step, and `kill -9` of whatever runs in the background: the end is the same.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, job, kill};
use crate::doctor::{aside, commits, damage_commit, with_three_jobs};

/// What all crashes must end in: every completion once, no more and no less, and nothing left behind.
#[track_caller]
fn reaches_its_end(world: &World, point: &str) {
    // Bring the controller back, then wait as anybody would.
    let wait = world.run("wait --for=condition=complete job/crash --timeout=60s");
    assert_eq!(wait.code, 0, "{point}: {} {}", wait.stdout, wait.stderr);
    assert_eq!(world.value("job crash", "{.status.succeeded}"), "4", "{point}");
    let failed = world.value("job crash", "{.status.failed}").parse::<u32>().unwrap_or(0);
    let pods = world.run("get pods -l job-name=crash --no-headers").success();
    let completed = pods.lines().iter().filter(|line| line.contains("Completed")).count();
    assert_eq!(completed, 4, "{point}: {}", pods.stdout);
    assert_eq!(pods.lines().len() as u32, 4 + failed, "{point}: every pod is counted: {}", pods.stdout);
    let events = world.run("get events --field-selector reason=SuccessfulCreate -o name").success();
    assert_eq!(events.lines().len() as u32, 4 + failed, "{point}: {}", events.stdout);
    world.assert_no_processes_left();
}

/// The Job of the crash tests. It sleeps a moment so that supervisors outlive the pass that started them.
fn crashing_job() -> String {
    job("crash", "completions: 4\nparallelism: 2\nbackoffLimit: 100", "echo line; sleep 0.02")
}

fn crash_at(point: &str) {
    let world = World::new();
    let path = world.manifest("job.yaml", crashing_job());
    // The variable reaches the verb, and the controller, kubelet and supervisors that come from it.
    let output = world.command(&format!("apply -f {path}")).env("JOBCTL_CRASH_AT", point).run();
    if output.code == -9 {
        // Died before or after its commit: in either case, to try again is right.
        let again = world.run(&format!("apply -f {path}")).success();
        let said = again.stdout.as_str();
        assert!(said.ends_with(" created\n") || said.ends_with(" unchanged\n"), "{point}: {said}");
    } else {
        let _ = output.success();
        // Wait until somebody has died of it (or all has been done without passing that point).
        eventually(SOON, || world.controller().is_none() || world.tally("crash").contains("Complete"));
    }
    reaches_its_end(&world, point);
}

#[test]
fn a_crash_before_a_commit_changes_nothing() {
    crash_at("before-commit");
}

#[test]
fn a_crash_after_a_commit_loses_nothing() {
    crash_at("after-commit");
}

/// Runs the controller alone with a crash point, so that it is the controller that dies and not the verb.
fn controller_crash_at(point: &str) {
    let world = World::new();
    let path = world.manifest("job.yaml", crashing_job());
    let apply = world.command(&format!("apply -f {path}")).env("JOBCTL_BACKGROUND", "never");
    let _ = apply.run().success();
    let died = world.command("watch --until-idle").env("JOBCTL_CRASH_AT", point).run();
    assert_eq!(died.code, -9, "{point} was passed: {}{}", died.stdout, died.stderr);
    reaches_its_end(&world, point);
}

#[test]
fn a_controller_that_dies_before_a_commit_is_replaced() {
    controller_crash_at("before-commit");
}

#[test]
fn a_controller_that_dies_after_a_commit_is_replaced() {
    controller_crash_at("after-commit");
}

#[test]
fn a_controller_that_dies_before_it_acts_is_replaced() {
    controller_crash_at("before-act");
}

#[test]
fn a_controller_that_dies_after_removing_reports_is_replaced() {
    controller_crash_at("reports-removed");
}

/// Every supervisor of the first controller dies at that point.
fn supervisor_crash_at(point: &str) {
    let world = World::new();
    let path = world.manifest("job.yaml", crashing_job());
    let _ = world.command(&format!("apply -f {path}")).env("JOBCTL_BACKGROUND", "never").run().success();
    let mut child = world.command("watch --until-idle").env("JOBCTL_CRASH_AT", point).spawn();
    let dead = || world.run("get events --field-selector reason=SuccessfulCreate -o name").lines().len() > 2;
    eventually(SOON, || dead() || child.try_wait().expect("wait").is_some());
    kill(child.id() as i32, Signal::SIGKILL);
    child.wait().expect("wait");
    reaches_its_end(&world, point);
}

#[test]
fn a_supervisor_that_dies_before_it_starts_anything_is_lost_and_its_job_goes_on() {
    supervisor_crash_at("supervisor-claimed");
}

#[test]
fn a_supervisor_that_dies_with_its_container_running_is_lost_and_its_job_goes_on() {
    supervisor_crash_at("container-started");
}

#[test]
fn a_supervisor_that_dies_before_its_last_report_is_lost_and_its_job_goes_on() {
    supervisor_crash_at("before-last-report");
}

#[test]
fn a_supervisor_that_dies_with_its_last_report_half_left_is_lost_and_its_job_goes_on() {
    supervisor_crash_at("report-written");
}

#[test]
fn a_supervisor_that_dies_after_its_last_report_has_done_its_work() {
    let world = World::new();
    let path = world.manifest("job.yaml", crashing_job());
    let _ = world
        .command(&format!("apply -f {path}"))
        .env("JOBCTL_CRASH_AT", "after-last-report")
        .run()
        .success();
    reaches_its_end(&world, "after-last-report");
    assert_eq!(world.tally("crash"), "4/ SuccessCriteriaMet Complete", "nothing was lost");
}

#[test]
fn a_killed_supervisor_fails_its_pod_as_disrupted_and_the_job_retries() {
    let world = World::new();
    let _ = world.apply(&job("lost", "", "test -f go || exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let first = world.value("pods", "{.items[0].metadata.name}");
    world.manifest("go", "");
    for supervisor in world.supervisors() {
        kill(supervisor, Signal::SIGKILL);
    }
    world.wait_for_end("lost");
    assert_eq!(world.tally("lost"), "1/1 SuccessCriteriaMet Complete");
    let path = "'{.status.phase} {.status.conditions[?(@.type==\"DisruptionTarget\")].status}'";
    assert_eq!(world.value(&format!("pod {first}"), path), "Failed True");
    assert!(world.processes_named("sleep").is_empty(), "what the lost supervisor had started is gone");
}

#[test]
fn a_job_of_two_hundred_pods_survives_the_death_of_controllers_and_supervisors() {
    let world = World::new();
    let _ = world.apply(&job(
        "big",
        "completions: 200\nparallelism: 8\nbackoffLimit: 200",
        "echo line; sleep 0.1",
    ));
    let mut killed = 0;
    let mut at = 20;
    eventually(Duration::from_secs(60), || {
        let done: u32 = world.value("job big", "{.status.succeeded}").parse().unwrap_or(0);
        if done >= at {
            at += 30;
            if let Some(controller) = world.controller() {
                kill(controller, Signal::SIGKILL);
                killed += 1;
            }
        }
        done > 150
    });
    if let Some(supervisor) = world.supervisors().first() {
        kill(*supervisor, Signal::SIGKILL);
    }
    world.run("wait --for=condition=complete job/big --timeout=60s").prints("job.batch/big condition met\n");
    assert!(killed >= 2, "controllers killed: {killed}");
    assert_eq!(world.value("job big", "{.status.succeeded}"), "200");
    let failed = world.value("job big", "{.status.failed}").parse::<usize>().unwrap_or(0);
    let pods = world.run("get pods --no-headers").success();
    assert_eq!(pods.lines().len(), 200 + failed, "every pod is counted");
    assert_eq!(pods.lines().iter().filter(|line| line.contains("Completed")).count(), 200);
}

#[test]
fn the_next_supervisor_to_finish_brings_a_killed_controller_back() {
    let world = World::new();
    let script = "until test -f go; do sleep 0.01; done";
    let _ = world.apply(&job("alone", "completions: 3\nparallelism: 1", script));
    eventually(SOON, || world.supervisors().len() == 1 && world.controller().is_some());
    kill(world.controller().expect("it runs"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    world.manifest("go", "");
    // No command of ours in between: only the process table and, at the end, one look.
    world.assert_no_processes_left();
    assert_eq!(world.tally("alone"), "3/ SuccessCriteriaMet Complete");
}

#[test]
fn whoever_waits_brings_a_controller_back_that_was_killed_with_everything_else() {
    let world = World::new();
    let _ = world.apply(&job("alone", "completions: 2\nparallelism: 1", "test -f go || exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let mut waiting = world.command("wait --for=condition=complete job/alone --timeout=60s").spawn();
    let waits = || world.processes().iter().any(|process| process.arguments.contains("wait --for"));
    eventually(SOON, waits);
    world.manifest("go", "");
    kill(world.controller().expect("it runs"), Signal::SIGKILL);
    world.supervisors().into_iter().for_each(|supervisor| kill(supervisor, Signal::SIGKILL));
    // No command of ours in between.
    assert!(waiting.wait().expect("ended").success());
    assert_eq!(world.tally("alone"), "2/1 SuccessCriteriaMet Complete");
}

#[test]
fn pods_that_are_told_to_stop_while_they_start_do_stop() {
    let world = World::new();
    let manifest = job("many", "completions: 40\nparallelism: 40", "exec sleep 1000");
    for round in 0..6 {
        let _ = world.apply(&manifest);
        // Each round a little later: some pods run, some are being started, some wait.
        eventually(SOON, || world.processes_named("sleep").len() >= round * 6);
        let _ = world.run("suspend job/many").success();
        eventually(SOON, || world.run("get pods -o name").stdout.is_empty());
        let _ = world.run("delete job many").success();
    }
    world.assert_no_processes_left();
}

#[test]
fn a_torn_end_of_the_journal_is_cut_off_by_the_next_writer() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "true"));
    world.wait_for_end("one");
    world.assert_no_processes_left();
    let journal = world.store().join("current/journal.jsonl");
    let whole = std::fs::read(&journal).expect("the journal");
    let mut torn = whole.clone();
    torn.extend_from_slice(&whole[..60]);
    std::fs::write(&journal, &torn).expect("tear it");
    assert_eq!(world.tally("one"), "1/ SuccessCriteriaMet Complete", "readers do not see it");
    let _ = world.apply(&job("two", "", "true"));
    world.wait_for_end("two");
    let text = std::fs::read(&journal).expect("the journal");
    assert!(text.starts_with(&whole), "what was whole is kept");
    assert!(!text[whole.len()..].starts_with(&torn[whole.len()..]), "what was torn is gone");
    assert!(commits(&world).len() > 1, "and what follows reads back");
}

#[test]
fn fifty_commands_at_once_lose_nothing() {
    let world = World::new();
    let _ = world.apply(&job("scaled", "parallelism: 0\ncompletions: 50", "true"));
    for number in 0..10 {
        let _ = world.apply(&job(&format!("old-{number}"), "suspend: true", "true"));
    }
    std::thread::scope(|scope| {
        for number in 0..50 {
            let world = &world;
            scope.spawn(move || match number % 5 {
                0..=2 => {
                    let name = format!("new-{number}");
                    world
                        .command("apply -f -")
                        .stdin(job(&name, "suspend: true", "true"))
                        .run()
                        .prints(&format!("job.batch/{name} created\n"));
                }
                3 => {
                    let name = format!("old-{}", number / 5);
                    world
                        .run(&format!("delete job {name}"))
                        .prints(&format!("job.batch \"{name}\" deleted\n"));
                }
                _ => world.run("scale --replicas=0 job/scaled").prints("job.batch/scaled scaled\n"),
            });
        }
    });
    let mut expected: Vec<String> =
        (0..50).filter(|number| number % 5 < 3).map(|number| format!("job.batch/new-{number}")).collect();
    expected.push("job.batch/scaled".into());
    expected.sort();
    assert_eq!(world.run("get jobs -o name").success().lines(), expected);
    let revision = world.value("job scaled", "{.metadata.generation}");
    assert_eq!(revision, "1", "scaling to what it is changes nothing");
}

#[test]
fn a_job_waiting_for_its_retry_goes_on_when_only_the_kubelet_process_is_killed() {
    let world = World::new();
    let slow = job("retry", "", "test -f tried || { touch tried; exit 1; }").replace("10ms", "600ms");
    let _ = world.apply(&slow);
    world.wait_for_value("job/retry", "{.status.failed}", "1");
    // No supervisor is left that would bring the controller back, and no further command is given.
    let old = world.controller().expect("the controller waits for the retry");
    for kubelet in world.processes_named("jobctl-kubelet") {
        kill(kubelet, Signal::SIGKILL);
    }
    eventually(SOON, || world.controller() != Some(old));
    let pods = world.store().join("pods");
    eventually(SOON, || std::fs::read_dir(&pods).is_ok_and(|found| found.count() == 2));
    world.assert_no_processes_left();
    assert_eq!(world.tally("retry"), "1/1 SuccessCriteriaMet Complete");
}

#[test]
fn a_controller_whose_data_directory_was_removed_does_not_make_it_again() {
    let world = World::new();
    let _ = world.apply(&job("gone", "", "false").replace("10ms", "600s"));
    world.wait_for_value("job/gone", "{.status.failed}", "1");
    // Whoever is just ending may still be writing.
    eventually(SOON, || std::fs::remove_dir_all(world.store()).is_ok());
    for kubelet in world.processes_named("jobctl-kubelet") {
        kill(kubelet, Signal::SIGKILL);
    }
    world.assert_no_processes_left();
    assert!(!world.store().exists());
}

#[test]
fn commands_side_by_side_start_every_pod_where_nothing_may_stay_in_the_background() {
    let world = World::new();
    let paths: Vec<String> = (0..16)
        .map(|number| {
            world.manifest(&format!("{number}.yaml"), job(&format!("j{number}"), "", "touch $JOBCTL_POD_UID"))
        })
        .collect();
    let commands: Vec<_> = paths
        .iter()
        .map(|path| world.command(&format!("apply -f {path}")).env("JOBCTL_BACKGROUND", "never").spawn())
        .collect();
    for command in commands {
        let ended = command.wait_with_output().expect("an end");
        assert!(ended.status.success(), "{ended:?}");
    }
    // Nobody runs any more who would start another.
    world.assert_no_processes_left();
    let started = std::fs::read_dir(world.store().join("pods")).expect("pods").count();
    assert_eq!(started, 16, "whoever found the lock held has been heard");
}

#[test]
fn what_was_kept_of_removed_pods_goes_with_their_job_though_no_controller_runs() {
    let world = World::new();
    let _ = world.apply(&job("kept", "", "echo line"));
    world.wait_for_end("kept");
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let _ = world.run(&format!("delete pod {pod}")).success();
    world.assert_no_processes_left();
    let _ = world.run("logs job/kept --all-pods").success();
    let _ = world.run("delete job kept").success();
    world.assert_no_processes_left();
    let left = std::fs::read_dir(world.store().join("pods")).expect("pods").count();
    assert_eq!(left, 0, "its logs are gone");
    let journal = std::fs::read_to_string(world.store().join("current/journal.jsonl")).expect("a journal");
    let is_its_record = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        value["delete"] == "removedpods" && value["name"] == pod.as_str()
    };
    assert!(journal.lines().any(is_its_record), "and so is its record");
}

/// Enough Jobs with large annotations that the next pass compacts, and that pass dies.
fn compaction_crash_at(point: &str) {
    let world = World::without_background();
    let ballast = "x".repeat(200 << 10);
    let store = world.store();
    let mut created = 0;
    // Every command makes a pass; the one whose pass compacts dies, its own Job committed.
    let died = (0..40).any(|number| {
        let name = format!("fat-{number}");
        let fat = format!("annotations:\n    ballast: {ballast}\n");
        let manifest = job(&name, "", "true").replace("annotations:\n", &fat);
        let output = world.command("create -f -").stdin(manifest).env("JOBCTL_CRASH_AT", point).run();
        created = number + 1;
        output.code == -9 || {
            let _ = output.success();
            false
        }
    });
    assert!(died, "{point} was never passed");
    let _ = world.run("watch --until-idle").success();
    let jobs = world.run("get jobs --no-headers").success();
    assert_eq!(jobs.lines().len(), created, "{point}");
    assert!(jobs.lines().iter().all(|line| line.contains("Complete   1/1")), "{point}: {}", jobs.stdout);
    let current = std::fs::read_link(store.join("current")).expect("a link");
    assert_ne!(current.as_os_str(), "snapshot/0", "{point}: compacted");
    world.assert_no_processes_left();
}

#[test]
fn a_compaction_that_dies_with_its_snapshot_written_is_made_again() {
    compaction_crash_at("snapshot-written");
}

#[test]
fn a_compaction_that_dies_with_its_snapshot_in_place_is_made_again() {
    compaction_crash_at("snapshot-in-place");
}

#[test]
fn a_compaction_that_dies_after_the_switch_has_done_its_work() {
    compaction_crash_at("snapshot-switched");
}

/// Setting damage aside dies there: the damaged line is safe before, and what stands can be used after.
fn set_aside_crash_at(point: &str) {
    let world = with_three_jobs();
    let last = commits(&world).pop().expect("a commit");
    damage_commit(&world, &last);
    let died = world.command("doctor --set-aside").env("JOBCTL_CRASH_AT", point).run();
    assert_eq!(died.code, -9, "{point}: {}{}", died.stdout, died.stderr);
    assert_eq!(std::fs::read(aside(&world, "journal.jsonl")).expect("the commit"), last.damaged(), "{point}");
    let again = world.run("doctor --set-aside").success();
    let is_done = point == "snapshot-switched";
    assert_eq!(again.stdout.contains("nothing is damaged"), is_done, "{point}: {}", again.stdout);
    let names = world.run("get jobs -o name").success();
    assert!(names.stdout.starts_with("job.batch/one\n"), "{point}: {}", names.stdout);
    assert!(names.stdout.ends_with("job.batch/two\n"), "{point}: {}", names.stdout);
    world.assert_no_processes_left();
    let _ = world.run("doctor").success();
}

#[test]
fn a_doctor_that_dies_with_the_damage_copied_has_changed_nothing_else() {
    set_aside_crash_at("set-aside");
}

#[test]
fn a_doctor_that_dies_within_the_new_snapshot_loses_nothing() {
    set_aside_crash_at("snapshot-written");
    set_aside_crash_at("snapshot-in-place");
    set_aside_crash_at("snapshot-switched");
}

/// Every point named in the sources has a test here: a new one cannot be forgotten.
#[test]
fn every_crash_point_is_crashed_at() {
    fn sources(directory: &std::path::Path, text: &mut String) {
        for entry in std::fs::read_dir(directory).expect("read a directory").flatten() {
            if entry.path().is_dir() {
                sources(&entry.path(), text);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(entry.path()).expect("read a source"));
            }
        }
    }
    let mut text = String::new();
    sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut text);
    let points: Vec<&str> =
        text.split("crash_point(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(points.len() >= 12, "{points:?}");
    let tested = include_str!("faults.rs");
    for point in points {
        assert!(
            tested.contains(&format!("crash_at(\"{point}\")"))
                || tested.contains(&format!("\"JOBCTL_CRASH_AT\", \"{point}\"")),
            "nobody crashes at {point}"
        );
    }
}
