//! `run --image`: a Pod as kubectl makes it.

use std::io::Read as _;

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::at_terminal::AtTerminal;
use crate::common::{SOON, World, eventually, kill, words};

#[test]
fn every_recorded_answer_of_kubectl_is_given() {
    let world = World::new();
    let recorded: Value =
        serde_json::from_str(include_str!("../data/kubectl-run.json")).expect("recorded answers");
    let rows = |name: &str| recorded[name].as_array().expect("rows").clone();
    assert!(rows("rows").len() > 90 && rows("created").len() > 30);
    for row in rows("rows").iter().chain(&rows("created")) {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        let found = world.command(text("line")).run();
        let error =
            text("stderr").replace("'kubectl ", "'jobctl ").replace("Error: unknown", "error: unknown");
        // What this machine warns of beyond it, as images that nobody knows, is ours to say, and what else `run` can do.
        let is_ours = |line: &str| {
            line.starts_with("Warning: ")
                || ["A Job of a ", "A Pod of an "].iter().any(|own| line.starts_with(own))
        };
        let said: String = found.stderr.split_inclusive('\n').filter(|line| !is_ours(line)).collect();
        if text("line").contains("-o json ") || text("line").ends_with("-o json") {
            // In which order the fields stand there, nobody is promised.
            let values = |text: &str| {
                let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
                values.collect::<Result<Vec<_>, _>>().expect("JSON")
            };
            assert_eq!(values(&found.stdout), values(text("stdout")), "{row}");
        } else {
            assert_eq!(found.stdout, text("stdout"), "{row}");
        }
        assert_eq!(said, error, "{row}");
        assert_eq!(i64::from(found.code), row["code"], "{row}");
    }
    let _ = world.run("delete pods --all --grace-period=0 --force").exits(0);
}

#[test]
fn a_pod_is_made_with_its_service_and_may_be_changed() {
    let world = World::new();
    let overrides = r#"{"spec":{"terminationGracePeriodSeconds":0}}"#;
    let line = words(
        "run web --image=busybox --port=80 --expose --restart=Never --pass-env=PATH --save-config --overrides",
    );
    let all = [line, vec![overrides.into(), "--".into()], words("sh -c 'echo $A; exec sleep 1000'")].concat();
    world.command_of(all).run().prints("service/web created\npod/web created\n");
    world.wait_for_value("pod/web", "{.status.phase}", "Running");
    assert_eq!(world.value("pod/web", "{.spec.terminationGracePeriodSeconds}"), "0");
    assert!(world.value("pod/web", "{.metadata.annotations}").contains("last-applied-configuration"));
    assert_eq!(world.value("service/web", "{.spec.selector.run}"), "web");
    world
        .run("run web --image=busybox")
        .fails_with("Error from server (AlreadyExists): pods \"web\" already exists\n");
    let _ = world.run("delete pod,service web").success();
    for (line, error) in [
        ("run x -i -- true", "error: -i, --stdin is for Pods: jobctl run NAME --image=IMAGE\n"),
        ("run x --port=80 -- true", "error: --port is for Pods: jobctl run NAME --image=IMAGE\n"),
        (
            "run x true",
            "error: Unexpected args: [true]\nSee 'jobctl run -h' for help and examples\nA Job of a manifest: jobctl run -f FILE\nA \
             Job of a command: jobctl run [NAME] -- COMMAND\nA Pod of an image, as kubectl makes it: jobctl run NAME --image=IMAGE\n",
        ),
        ("run x --image=a --after=job/y", "error: --after is for Jobs, and --image makes a Pod\n"),
        ("run x --image=a -f y.yaml", "error: -f, --filename is for Jobs, and --image makes a Pod\n"),
        ("run x --image=a --array-from=y", "error: --array-from is for Jobs, and --image makes a Pod\n"),
    ] {
        world.run(line).fails_with(error);
    }
}

#[test]
fn an_attached_pod_tells_its_exit_code_and_is_removed() {
    let world = World::new();
    world
        .run(
            "run one --image=busybox --attach --rm --restart=Never -- sh -c 'echo out; echo err >&2; exit 7'",
        )
        .exits_with(7, &["out\n"], &["pod default/one terminated (Error)\n"]);
    assert_eq!(world.run("get pods").stderr, "No resources found in default namespace.\n");
    let read = "run two --image=busybox -i --rm -q --restart=Never -- sh -c 'wc -c'";
    world.command(read).stdin("12345").run().prints("5\n");
    let all: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    let echo = world
        .command("run all --image=busybox -i --rm -q --restart=Never -- cat")
        .stdin(&all)
        .run()
        .success();
    assert!(echo.stdout == all, "{} of {} bytes", echo.stdout.len(), all.len());
    // It stays, where nobody wants it gone; one that runs again tells nothing.
    let kept = world.run("run three --image=busybox --attach -q --restart=OnFailure -- true");
    kept.is(0, "", "");
    assert_eq!(world.value("pod/three", "{.status.phase}"), "Succeeded");
    let _ = world.run("delete pod three").success();
    world
        .run("run four --image=nobody.knows/it --attach --rm --restart=Never --pod-running-timeout=300ms")
        .exits_with(1, &["pod \"four\" deleted\n"], &["error: timed out waiting for the condition\n"]);
}

#[test]
fn what_is_interrupted_before_its_pod_runs_leaves_nothing() {
    for world in [World::new(), World::without_background()] {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let waits =
                "run one --image=nobody.knows/it --attach --rm --restart=Never --pod-running-timeout=60s";
            let child = world.command(waits).spawn();
            eventually(SOON, || world.run("get pods -o name").stdout == "pod/one\n");
            kill(child.id() as i32, signal);
            let end = child.wait_with_output().expect("wait");
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&end.status), Some(signal as i32));
            assert_eq!(String::from_utf8_lossy(&end.stdout), "");
            let left = || world.run("get pods").stderr == "No resources found in default namespace.\n";
            eventually(SOON, left);
        }
        // While it runs, with nobody at a terminal.
        let runs = "run two --image=busybox --attach --rm --restart=Never -- sleep 5011";
        let child = world.command(runs).spawn();
        eventually(SOON, || world.processes().iter().any(|process| process.arguments == "sleep 5011"));
        kill(child.id() as i32, Signal::SIGINT);
        let end = child.wait_with_output().expect("wait");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&end.status), Some(Signal::SIGINT as i32));
        let _ = world.run("delete pods --all --now").exits(0);
        eventually(SOON, || !world.processes().iter().any(|process| process.arguments == "sleep 5011"));
    }
}

#[test]
fn a_shell_is_one_command_away() {
    let world = World::new();
    let mut terminal = AtTerminal::start(&world.command(
        "run shell --image=busybox -it --rm --restart=Never -- sh -c 'stty -echo; stty size; read x; echo \"<$x>\"; exit 4'",
    ));
    terminal.shows("If you don't see a command prompt, try pressing enter.");
    eventually(SOON, || !terminal.is_cooked());
    terminal.types("hello\r");
    terminal.shows("<hello>");
    assert_eq!(terminal.ends(), 4);
    terminal.shows("pod \"shell\" deleted");
    terminal.shows("pod default/shell terminated (Error)");
    assert!(terminal.is_cooked());
    assert_eq!(world.run("get pods").stderr, "No resources found in default namespace.\n");
    // Whoever is killed takes with him what was to be removed.
    let mut terminal =
        AtTerminal::start(&world.command(
            "run shell --image=busybox -it --rm --restart=Never -- sh -c 'echo up; exec sleep 5006'",
        ));
    terminal.shows("up");
    eventually(SOON, || !terminal.is_cooked());
    kill(terminal.child.id() as i32, Signal::SIGTERM);
    assert_eq!(terminal.ends(), -(Signal::SIGTERM as i32));
    assert!(terminal.is_cooked());
    let _ = world.run("delete pod shell --grace-period=1 --ignore-not-found").success();
    world.assert_no_processes_left();
    // One that goes on is left, with a word of how to come back.
    let mut terminal =
        AtTerminal::start(&world.command("run stays --image=busybox -it -- sh -c 'read x; echo again'"));
    eventually(SOON, || !terminal.is_cooked());
    terminal.types("\r");
    assert_eq!(terminal.ends(), 0);
    terminal.shows(
        "Session ended, resume using 'jobctl attach stays -c stays -i -t' command when the pod is running",
    );
    let _ = world.run("delete pod stays --grace-period=1").success();
}

#[test]
fn whoever_reads_no_more_ends_the_session_alone() {
    let world = World::new();
    let mut child = world
        .command("run much --image=busybox --attach -q --restart=Never -- sh -c 'yes 5712 | head -c 2000000; exec sleep 1000'")
        .build()
        .spawn()
        .expect("start jobctl");
    let mut some = [0; 100];
    child.stdout.take().expect("a pipe").read_exact(&mut some).expect("read");
    assert_eq!(child.wait_with_output().expect("wait").status.code(), Some(141));
    assert_eq!(world.value("pod/much", "{.status.phase}"), "Running");
    let _ = world.run("delete pod much --grace-period=0 --force").exits(0);
}
