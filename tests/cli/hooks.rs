//! What is run when a Job has ended: once, with the Job to read, and told by Events.

use crate::common::{SOON, World, eventually, job};

/// A program that notes its words, its directory, its variables and the Job's name and state.
const NOTER: &str = "#!/bin/sh\njson=$(cat)\nprintf '%s|%s %s/%s|' \"$*\" \"$JOBCTL_HOOK\" \"$JOB_NAMESPACE\" \"$JOB_NAME\" >>noted\n\
    case $json in *'\"kind\":\"Job\"'*) printf job >>noted;; esac\n\
    case $json in *'\"type\":\"Failed\"'*) printf ' failed' >>noted;; esac\necho >>noted\n";

fn world_with_noter() -> World {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.manifest("noter", NOTER);
    std::fs::set_permissions(world.path("work/noter"), std::fs::Permissions::from_mode(0o755))
        .expect("a program");
    world
}

fn with(manifest: &str, key: &str, command: &str) -> String {
    manifest.replace("annotations:", &format!("annotations:\n    jobctl.local/{key}: '{command}'"))
}

fn noted(world: &World) -> String {
    std::fs::read_to_string(world.path("work/noted")).unwrap_or_default()
}

fn events(world: &World, job: &str) -> String {
    let path = "'{range .items[*]}{.reason}: {.message}{\"\\n\"}{end}'";
    let all = world
        .run(&format!("get events --field-selector involvedObject.name={job} -o jsonpath={path}"))
        .stdout;
    all.lines().filter(|line| line.starts_with("Hook")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn what_a_job_names_runs_once_when_it_has_ended() {
    let world = world_with_noter();
    let bad =
        with(&job("bad", "backoffLimit: 0", "exit 1"), "on-failure", r#"["./noter", "a b", "$HOME *"]"#);
    let good = with(&job("good", "", "true"), "on-failure", r#"["./noter", "never"]"#);
    let good = with(&good, "on-success", r#"["./noter"]"#);
    let _ = world.apply(&bad);
    eventually(SOON, || events(&world, "bad").contains("HookSucceeded"));
    let _ = world.apply(&good);
    eventually(SOON, || events(&world, "good").contains("HookSucceeded"));
    world.assert_no_processes_left();
    assert_eq!(
        noted(&world),
        "a b $HOME *|on-failure default/bad|job failed\n|on-success default/good|job\n"
    );
    assert_eq!(
        events(&world, "bad"),
        "HookStarted: Started on-failure hook \"./noter\"\nHookSucceeded: The on-failure hook \"./noter\" succeeded\n"
    );
    // Whoever comes later finds nothing to do.
    let _ = world.run("reconcile").success();
    assert_eq!(noted(&world).lines().count(), 2);
}

#[test]
fn the_configuration_says_it_for_all_that_do_not_say_otherwise() {
    let world = world_with_noter();
    let _ = world.run("config set onFailure '[./noter, all]'").success();
    let _ = world.apply(&job("bad", "backoffLimit: 0", "exit 1"));
    let _ = world.apply(&with(&job("quiet", "backoffLimit: 0", "exit 1"), "on-failure", "[]"));
    let _ = world.apply(&job("good", "", "true"));
    eventually(SOON, || events(&world, "bad").contains("HookSucceeded"));
    world.wait_for_end("quiet");
    world.wait_for_end("good");
    world.assert_no_processes_left();
    assert_eq!(noted(&world), "all|on-failure default/bad|job failed\n");
    let refused = world
        .command("apply -f -")
        .stdin(with(&job("x", "", "true"), "on-failure", "mail me"))
        .run()
        .exits(1);
    assert_eq!(
        refused.stderr,
        "The Job \"x\" is invalid: metadata.annotations[jobctl.local/on-failure]: Invalid value: \"mail me\": must be a list \
         of words, such as [\"notify\", \"failed\"]\n"
    );
}

#[test]
fn a_hook_that_fails_is_told_of() {
    let world = World::new();
    let failing = r#"["sh", "-c", "cat >/dev/null; echo no route to host >&2; exit 3"]"#;
    let _ = world.apply(&with(&job("a", "", "true"), "on-success", failing));
    let _ = world.apply(&with(&job("b", "", "true"), "on-success", r#"["no-such-program"]"#));
    // One that does not read holds nobody up, and one that is killed is told of as well.
    let _ = world.apply(&with(&job("c", "", "true"), "on-success", r#"["sh", "-c", "kill -9 $$"]"#));
    for name in ["a", "b", "c"] {
        eventually(SOON, || events(&world, name).contains("HookFailed"));
    }
    let failed = |name: &str| events(&world, name).lines().last().expect("an Event").to_owned();
    assert_eq!(failed("a"), "HookFailed: The on-success hook \"sh\" failed: exit code 3: no route to host");
    let missing = "HookFailed: The on-success hook \"no-such-program\" failed: exec: \"no-such-program\": no such file or directory";
    assert_eq!(failed("b"), missing);
    assert_eq!(failed("c"), "HookFailed: The on-success hook \"sh\" failed: signal 9");
}

#[test]
fn where_nothing_may_stay_in_the_background_the_command_waits_for_it() {
    let world = world_with_noter();
    world.manifest(
        "job.yaml",
        with(&job("one", "", "true"), "on-success", r#"["sh", "-c", "sleep 0.3; ./noter late"]"#),
    );
    let ran = world.command("run -f job.yaml").env("JOBCTL_BACKGROUND", "never").run();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    eventually(SOON, || !noted(&world).is_empty());
    world.assert_no_processes_left();
    assert_eq!(noted(&world), "late|on-success default/one|job\n");
}

#[test]
fn commands_side_by_side_run_it_once() {
    let world = world_with_noter();
    let manifest =
        with(&job("one", "", "until test -f go; do sleep 0.01; done"), "on-success", r#"["./noter"]"#);
    let _ = world.apply(&manifest);
    let waits: Vec<_> = (0..4)
        .map(|_| {
            world.command("wait --for=condition=complete job/one").env("JOBCTL_BACKGROUND", "never").spawn()
        })
        .collect();
    for process in world.processes() {
        if process.name == "jobctl-control" {
            crate::common::kill(process.pid, nix::sys::signal::Signal::SIGKILL);
        }
    }
    world.manifest("go", "");
    for wait in waits {
        let ended = wait.wait_with_output().expect("an end");
        assert!(ended.status.success(), "{ended:?}");
    }
    eventually(SOON, || events(&world, "one").contains("HookSucceeded"));
    world.assert_no_processes_left();
    assert_eq!(noted(&world).lines().count(), 1);
}

#[test]
fn a_cronjob_that_does_not_succeed_for_too_long_counts_as_failing() {
    let world = world_with_noter();
    let manifest = "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: backup\n  annotations:\n    \
        jobctl.local/expect-every: 1s\n    jobctl.local/on-failure: '[\"./noter\", \"overdue\"]'\nspec:\n  schedule: '0 0 1 1 *'\n  \
        jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: Never\n          containers:\n          \
        - name: main\n            command: [\"true\"]\n";
    let _ = world.apply(manifest);
    eventually(SOON, || events(&world, "backup").contains("HookSucceeded"));
    assert_eq!(noted(&world), "overdue|on-failure default/backup|\n");
    let mark = r"{.metadata.annotations.jobctl\.local/overdue-since}";
    assert_eq!(
        world.value("cronjob backup", mark),
        world.value("cronjob backup", "{.metadata.creationTimestamp}")
    );
    let said = world.run("events --for cronjob/backup").success().stdout;
    assert!(said.contains("Warning   Overdue"), "{said}");
    // It is taken back as soon as it is not true any more.
    let longer = manifest.replace("every: 1s", "every: 1h");
    let _ = world.apply(&longer);
    eventually(SOON, || world.value("cronjob backup", mark).is_empty());
    let _ = world.run("delete cronjob backup").success();
    world.assert_no_processes_left();
    assert_eq!(noted(&world).lines().count(), 1);
    let refused = world.command("apply -f -").stdin(manifest.replace("1s", "soon")).run().exits(1);
    assert!(
        refused.stderr.contains("metadata.annotations[jobctl.local/expect-every]: Invalid value: \"soon\""),
        "{}",
        refused.stderr
    );
}
