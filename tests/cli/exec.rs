//! `exec`: a process beside those of a container.

use std::io::Read as _;
use std::process::Stdio;

use nix::sys::signal::Signal;

use crate::at_terminal::AtTerminal;
use crate::common::{SOON, World, eventually, is_root, job, kill};

/// A pod of two containers, with a volume, a directory and a variable of its own.
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: x}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - name: a
    command: [sh, -c, 'echo kept > /its/own/place/file; exec sleep 1000']
    env: [{name: GREETING, value: hello}]
    workingDir: /its/own/place
    volumeMounts: [{name: data, mountPath: /its/own/place}]
  - {name: b, command: [sleep, '1001']}
";

fn with_pod() -> World {
    let world = World::new();
    let _ = world.apply(POD);
    runs(&world, "two");
    world
}

#[track_caller]
fn runs(world: &World, pod: &str) {
    world.wait_for_value(&format!("pod/{pod}"), "{.status.phase}", "Running");
}

#[test]
fn a_command_sees_what_the_container_sees_and_ends_with_its_own_code() {
    let world = with_pod();
    eventually(SOON, || world.run("exec two -c a -- cat file").stdout == "kept\n");
    let script = "pwd; echo $GREETING $JOBCTL_CONTAINER; cat file; echo problem >&2; exit 7";
    world.run(&format!("exec two -c a -- sh -c '{script}'")).is(
        7,
        "/its/own/place\nhello a\nkept\n",
        "problem\ncommand terminated with exit code 7\n",
    );
    // In the other container there is no such place.
    let _ = world.run("exec two -c b -- test -e /its/own/place").exits(1);
    world.run("exec two -- true").is(0, "", "Defaulted container \"a\" out of: a, b\n");
    world.run("exec two -q -- echo quiet").prints("quiet\n");
    world.run("exec pod/two -c b -- sh -c 'kill -9 $$'").is(
        137,
        "",
        "command terminated with exit code 137\n",
    );
    world.command("exec two -i -c a -- sh -c 'cat > file; wc -c < file'").stdin("12345").run().prints("5\n");
    // Without -i there is nothing to read.
    world.command("exec two -c a -- cat").stdin("12345").run().prints("");
    let _ = world.run("delete pod two").success();
}

#[test]
fn what_cannot_be_entered_is_refused_in_kubectls_words() {
    let world = with_pod();
    let _ = world.apply(&job("done", "", "true"));
    world.wait_for_end("done");
    let ended = world.value("pods -l job-name=done", "{.items[0].metadata.name}");
    let _ = world.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: far}\nspec:\n  nodeName: elsewhere\n  containers: [{name: m, command: [x]}]\n");
    let _ = world.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm}\n");
    let completed = "error: cannot exec into a container in a completed pod; current phase is Succeeded\n";
    let help = "See 'jobctl exec -h' for help and examples\n";
    for (line, error) in [
        ("exec", "error: pod, type/name or --filename must be specified\n".to_owned()),
        ("exec -- date", "error: pod, type/name or --filename must be specified\n".to_owned()),
        ("exec two", "error: you must specify at least one command for the container\n".to_owned()),
        ("exec two --", "error: you must specify at least one command for the container\n".to_owned()),
        (
            "exec two date",
            format!("error: exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead\n{help}"),
        ),
        ("exec nosuch -- date", "Error from server (NotFound): pods \"nosuch\" not found\n".to_owned()),
        ("exec job/nosuch -- date", "Error from server (NotFound): jobs.batch \"nosuch\" not found\n".to_owned()),
        ("exec foo/x -- date", "error: the server doesn't have a resource type \"foo\"\n".to_owned()),
        (
            "exec a/b/c -- date",
            "error: arguments in resource/name form may not have more than one slash\n".to_owned(),
        ),
        (
            "exec cm/cm -- date",
            "error: cannot attach to *v1.ConfigMap: selector for *v1.ConfigMap not implemented\n".to_owned(),
        ),
        (
            "exec two -c nosuch -- date",
            "Error from server (BadRequest): container nosuch is not valid for pod two\n".to_owned(),
        ),
        (
            "exec two -c a -- no-such-program",
            "error: Internal error occurred: error executing command in container: failed to exec in container: unable to start \
             container process: exec: \"no-such-program\": executable file not found in $PATH\n"
                .to_owned(),
        ),
        (
            "exec job/done --pod-running-timeout=0s -- date",
            format!("error: --pod-running-timeout must be higher than zero\n{help}"),
        ),
        ("exec two -f x.yaml -- date", "error: resource/name arguments cannot be provided when a path is specified\n".to_owned()),
        ("exec -f nosuch.yaml -- date", "error: the path \"nosuch.yaml\" does not exist\n".to_owned()),
        ("exec -n other two -- date", "Error from server (NotFound): pods \"two\" not found\n".to_owned()),
        ("exec job/done -- date", completed.to_owned()),
        (&format!("exec {ended} -- date"), completed.to_owned()),
        ("exec far -c m -- date", "error: unable to upgrade connection: container not found (\"m\")\n".to_owned()),
    ] {
        world.run(line).fails_with(&error);
    }
    let _ = world.run("delete pod two far").success();
}

#[test]
fn a_job_and_a_file_lead_to_a_pod() {
    let world = World::new();
    let manifest = job("long", "", "sleep 1000");
    let path = world.manifest("long.yaml", &manifest);
    let _ = world.run(&format!("apply -f {path}")).success();
    let pod = world.value("pods", "{.items[0].metadata.name}");
    runs(&world, &pod);
    let say = "sh -c 'echo $HOSTNAME'";
    for line in [format!("exec job/long -- {say}"), format!("exec -f {path} -- {say}")] {
        assert_eq!(world.run(&line).success().stdout, format!("{pod}\n"), "{line}");
    }
    let _ = world.apply(&job("later", "suspend: true", "true"));
    world
        .run("exec job/later --pod-running-timeout=50ms -- date")
        .fails_with("error: timed out waiting for the condition\n");
    let _ = world.run("delete job long").success();
}

#[test]
fn an_annotation_names_the_container() {
    let world = World::new();
    let annotated =
        POD.replace("labels:", "annotations: {kubectl.kubernetes.io/default-container: b}, labels:");
    let _ = world.apply(&annotated);
    runs(&world, "two");
    world.run("exec two -- sh -c 'echo $JOBCTL_CONTAINER'").prints("b\n");
    let _ = world.run("delete pod two").success();
}

#[test]
fn much_goes_through_and_nobody_waits_for_whoever_does_not_read() {
    let world = with_pod();
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|number| (number % 251) as u8).collect();
    let mut child = world.command("exec two -i -c b -- cat").build().spawn().expect("start jobctl");
    let (mut stdin, mut stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &sent));
    let mut received = Vec::new();
    stdout.read_to_end(&mut received).expect("read");
    writer.join().expect("a thread").expect("written");
    assert!(child.wait().expect("wait").success() && received == bytes, "{} bytes came back", received.len());
    // What a command leaves in the background keeps nobody waiting.
    world.run("exec two -c b -- sh -c 'sleep 1000 & echo left'").prints("left\n");
    // A reader who goes away ends the command.
    let mut child = world.command("exec two -c b -- yes 5711").build().spawn().expect("start jobctl");
    let mut some = [0; 100];
    child.stdout.take().expect("a pipe").read_exact(&mut some).expect("read");
    let end = child.wait_with_output().expect("wait");
    assert_eq!((end.status.code(), end.stderr.as_slice()), (Some(141), &b""[..]));
    eventually(SOON, || !world.processes().iter().any(|process| process.arguments == "yes 5711"));
    // Many at once.
    let children: Vec<_> =
        (0..12).map(|n| world.command(&format!("exec two -c b -- echo {n}")).spawn()).collect();
    for (n, child) in children.into_iter().enumerate() {
        let end = child.wait_with_output().expect("wait");
        assert_eq!(String::from_utf8_lossy(&end.stdout), format!("{n}\n"), "{end:?}");
    }
    let _ = world.run("delete pod two").success();
}

#[test]
fn a_command_ends_with_its_container_its_caller_and_its_pod() {
    let world = with_pod();
    // The containers sleep for 1000 and 1001 seconds.
    let sleeps = |seconds: u32| {
        let line = format!("sleep {seconds}");
        world.processes().into_iter().find(|process| process.arguments == line).map(|process| process.pid)
    };
    let run = |seconds: u32, container: &str| {
        let child = world.command(&format!("exec two -c {container} -- sleep {seconds}")).spawn();
        eventually(SOON, || sleeps(seconds).is_some());
        child
    };
    // Its caller is killed: as a terminal that is closed.
    let mut child = run(5001, "a");
    child.kill().expect("kill jobctl");
    child.wait().expect("wait");
    eventually(SOON, || sleeps(5001).is_none());
    // Its container ends; what was started beside the other goes on.
    let (in_a, in_b) = (run(5002, "a"), run(5003, "b"));
    kill(sleeps(1000).expect("the container"), Signal::SIGKILL);
    let killed = |child: std::process::Child| {
        let end = child.wait_with_output().expect("wait");
        assert_eq!(end.status.code(), Some(137), "{end:?}");
        assert_eq!(end.stderr, b"command terminated with exit code 137\n");
    };
    killed(in_a);
    eventually(SOON, || sleeps(5002).is_none());
    assert!(sleeps(5003).is_some());
    let _ = world.run("delete pod two").success();
    killed(in_b);
    world.assert_no_processes_left();
    // The supervisor is lost, and the command has forgotten whose it was.
    let _ = world.apply(POD);
    runs(&world, "two");
    let child = world.command("exec two -c b -- env -i sleep 5004").spawn();
    eventually(SOON, || sleeps(5004).is_some());
    kill(world.supervisors()[0], Signal::SIGKILL);
    killed(child);
    eventually(SOON, || sleeps(5004).is_none());
    let _ = world.run("delete pod two").success();
}

#[test]
fn a_terminal_is_passed_on_and_left_as_it_was() {
    let world = with_pod();
    let shell = "exec -it two -c b -- sh -c 'stty size; echo $TERM; test -t 0 && test -t 1 && test -t 2 && echo all; \
                 trap \"stty size; echo resized\" WINCH; while read line; do echo \"<$line>\"; done; exit 5'";
    let mut terminal = AtTerminal::start(&world.command(shell));
    terminal.shows("40 120\r\nvt100\r\nall\r\n");
    assert!(!terminal.is_cooked());
    terminal.types("hello\r");
    terminal.shows("<hello>");
    terminal.resize(30, 99);
    terminal.types("\r");
    // What is typed may be echoed between the two.
    terminal.shows("30 99\r\n");
    terminal.shows("resized");
    // The end of input, as the terminal within has it.
    terminal.types("\x04");
    assert_eq!(terminal.ends(), 5);
    terminal.shows("command terminated with exit code 5");
    assert!(terminal.is_cooked());
    // Ctrl-C is for the command.
    let mut terminal = AtTerminal::start(&world.command("exec -ti two -c b -- sh -c 'echo up; sleep 1000'"));
    terminal.shows("up");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 130);
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let mut terminal =
            AtTerminal::start(&world.command("exec -it two -c b -- sh -c 'echo up; exec sleep 5005'"));
        terminal.shows("up");
        assert!(!terminal.is_cooked());
        kill(terminal.child.id() as i32, signal);
        assert_eq!(terminal.ends(), -(signal as i32));
        assert!(terminal.is_cooked(), "{signal}");
        eventually(SOON, || !world.processes().iter().any(|process| process.arguments == "sleep 5005"));
    }
    world.command("exec -it two -c b -- tty").stdin("").run().is(
        1,
        "not a tty\n",
        "Unable to use a TTY - input is not a terminal or the right kind of file\ncommand terminated with exit code 1\n",
    );
    let _ = world.run("delete pod two").success();
}

#[test]
fn a_command_is_who_the_container_is() {
    let world = if is_root() { World::of_user(65534) } else { World::new() };
    let pod = POD.replace("  volumes:", "  securityContext: {runAsUser: 1234, runAsGroup: 1235}\n  volumes:");
    let _ = world.apply(&pod);
    runs(&world, "two");
    world.run("exec two -c a -- sh -c 'id -u; id -g; echo out > /dev/stdout; echo err > /dev/stderr'").is(
        0,
        "1234\n1235\nout\n",
        "err\n",
    );
    let mut terminal =
        AtTerminal::start(&world.command("exec -it two -c a -- sh -c 'id -u; echo yes > $(tty)'"));
    assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
    terminal.shows("1234\r\nyes\r\n");
    let _ = world.run("delete pod two").success();
    if is_root() {
        let world = World::new();
        let _ = world.apply(&pod);
        runs(&world, "two");
        world.run("exec two -c b -- sh -c 'id -u; echo err > /dev/stderr'").is(0, "1234\n", "err\n");
        let mut terminal =
            AtTerminal::start(&world.command("exec -it two -c b -- sh -c 'id -u; echo yes > $(tty)'"));
        assert_eq!(terminal.ends(), 0, "{}", terminal.screen());
        let _ = world.run("delete pod two").success();
    }
}

#[test]
fn a_stalled_reader_holds_up_its_command_alone() {
    let world = with_pod();
    let mut stalled = world.command("exec two -c b -- yes").build();
    let mut stalled = stalled.stdin(Stdio::null()).spawn().expect("start jobctl");
    eventually(SOON, || world.processes().iter().any(|process| process.arguments == "yes"));
    world.run("exec two -c b -- echo meanwhile").prints("meanwhile\n");
    stalled.kill().expect("kill jobctl");
    stalled.wait().expect("wait");
    let _ = world.run("delete pod two").success();
}
