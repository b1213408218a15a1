//! Containers with a standard input or a terminal, and `attach`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin};

use nix::sys::signal::Signal;

use crate::at_terminal::AtTerminal;
use crate::common::{SOON, World, eventually, job, kill};

/// Containers that read: as long as they run, what the first who comes writes, and at a terminal.
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: io}
spec:
  restartPolicy: POLICY
  terminationGracePeriodSeconds: 0
  containers:
  - {name: cat, stdin: true, command: [sh, -c, 'echo before; while read x; do echo \"<$x>\"; echo \"err $x\" >&2; done; echo over']}
  - {name: once, stdin: true, stdinOnce: true, command: [sh, -c, 'wc -c; echo counted; sleep 0.1']}
  - {name: sh, stdin: true, tty: true, command: [sh, -c, 'stty -echo; echo up; while read x; do echo \"<$x>\"; case $x in size) stty size;; bye) exit 3;; esac; done']}
  - {name: deaf, command: [sh, -c, 'trap \"echo heard\" USR1; echo early; while :; do sleep 0.05; done']}
";

fn with_pod(policy: &str) -> World {
    let world = World::new();
    let applied = world.apply(&POD.replace("POLICY", policy));
    assert_eq!(applied.stderr, "", "nothing is warned of");
    world.wait_for_value("pod/io", "{.status.phase}", "Running");
    world
}

/// `attach` with its ends in our hands.
struct Attached {
    child: Child,
    keyboard: Option<ChildStdin>,
    answers: BufReader<std::process::ChildStdout>,
}

impl Attached {
    fn start(world: &World, line: &str) -> Self {
        let mut child = world.command(line).build().spawn().expect("start jobctl");
        let keyboard = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, keyboard, answers }
    }

    fn says(&mut self, text: &str) {
        self.keyboard.as_mut().expect("a pipe").write_all(text.as_bytes()).expect("write");
    }

    /// How many bytes it has not read yet.
    fn unread(&self) -> u64 {
        rustix::io::ioctl_fionread(self.keyboard.as_ref().expect("a pipe")).expect("a number")
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("read");
        line
    }
}

#[test]
fn what_is_written_here_is_read_there_and_answered() {
    let world = with_pod("Never");
    eventually(SOON, || world.run("logs io -c cat").stdout == "before\n");
    let mut attached = Attached::start(&world, "attach io -i -c cat");
    attached.says("one\n");
    // What was written before is not shown.
    assert_eq!(attached.line(), "<one>\n");
    // Another writes too, and sees the same.
    let mut other = Attached::start(&world, "attach pod io -i -c cat -q");
    other.says("two\n");
    assert_eq!((attached.line(), other.line()), ("<two>\n".to_owned(), "<two>\n".to_owned()));
    // One who is killed, or whose input ends, leaves the container as it is.
    other.child.kill().expect("kill");
    other.child.wait().expect("wait");
    drop(attached.keyboard.take());
    let mut third = Attached::start(&world, "attach io -i -c cat -q");
    third.says("three\n");
    assert_eq!((attached.line(), third.line()), ("<three>\n".to_owned(), "<three>\n".to_owned()));
    assert_eq!(world.value("pod/io", "{.status.phase}"), "Running");
    third.child.kill().expect("kill");
    third.child.wait().expect("wait");
    let _ = world.run("delete pod io").success();
    let end = attached.child.wait_with_output().expect("wait");
    assert_eq!(end.status.code(), Some(0));
    assert_eq!(
        String::from_utf8_lossy(&end.stderr),
        "If you don't see a command prompt, try pressing enter.\nerr one\nerr two\nerr three\n"
    );
}

#[test]
fn the_input_of_stdin_once_ends_with_the_first_who_attaches() {
    let world = with_pod("Never");
    world.command("attach io -i -c once -q").stdin("12345").run().prints("5\ncounted\n");
    world
        .command("attach io -i -c once -q")
        .run()
        .fails_with("error: unable to upgrade connection: container not found (\"once\")\n");
    let _ = world.run("delete pod io").success();
    // Killed is as good as gone.
    let world = with_pod("Never");
    let mut attached = Attached::start(&world, "attach io -i -c once -q");
    attached.says("123");
    // It reads what it is to write once it is attached.
    eventually(SOON, || attached.unread() == 0);
    attached.child.kill().expect("kill");
    attached.child.wait().expect("wait");
    eventually(SOON, || world.run("logs io -c once").stdout.ends_with("counted\n"));
    let _ = world.run("delete pod io").success();
}

#[test]
fn a_container_at_a_terminal_is_talked_to_through_one() {
    let world = with_pod("Always");
    eventually(SOON, || world.run("logs io -c sh").stdout == "up\r\n");
    let mut terminal = AtTerminal::start(&world.command("attach io -c sh -it"));
    terminal.shows("try pressing enter.");
    eventually(SOON, || !terminal.is_cooked());
    terminal.types("hello\r");
    terminal.shows("<hello>\r\n");
    // Its terminal is as large as ours.
    terminal.types("size\r");
    terminal.shows("40 120\r\n");
    terminal.resize(33, 77);
    eventually(SOON, || {
        terminal.types("size\r");
        terminal.screen().contains("33 77\r\n")
    });
    terminal.types("bye\r");
    assert_eq!(terminal.ends(), 0, "attach tells nothing of how the container has ended");
    terminal
        .shows("Session ended, resume using 'jobctl attach io -c sh -i -t' command when the pod is running");
    assert!(terminal.is_cooked());
    // What was shown is in the log.
    world.wait_for_value("pod/io", "{.status.containerStatuses[2].lastState.terminated.exitCode}", "3");
    let log = world.run("logs io -c sh -p").success().stdout;
    assert!(
        log.starts_with("up\r\n<hello>\r\n<size>\r\n40 120\r\n") && log.ends_with("<bye>\r\n"),
        "{log:?}"
    );
    // One who is killed leaves the container, and his terminal as it was.
    eventually(SOON, || !world.value("pod/io", "{.status.containerStatuses[2].state.running}").is_empty());
    let mut terminal = AtTerminal::start(&world.command("attach io -c sh -it -q"));
    eventually(SOON, || !terminal.is_cooked());
    terminal.types("again\r");
    terminal.shows("<again>");
    kill(terminal.child.id() as i32, Signal::SIGTERM);
    assert_eq!(terminal.ends(), -(Signal::SIGTERM as i32));
    assert!(terminal.is_cooked());
    // Keys are for the container: Ctrl-C ends it, not us.
    let mut terminal = AtTerminal::start(&world.command("attach io -c sh -it -q"));
    eventually(SOON, || !terminal.is_cooked());
    terminal.types("still\r");
    terminal.shows("<still>");
    terminal.types("\x03");
    assert_eq!(terminal.ends(), 0);
    world.wait_for_value("pod/io", "{.status.containerStatuses[2].lastState.terminated.exitCode}", "130");
    let _ = world.run("delete pod io").success();
}

#[test]
fn whoever_does_not_read_holds_nobody_up() {
    let world = World::new();
    let _ = world.apply(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: much}\nspec:\n  restartPolicy: Never\n  containers: \
         [{name: main, stdin: true, command: [sh, -c, 'read x; yes $(seq -s, 1000 1200) | head -c 3000000; printf end']}]\n",
    );
    world.wait_for_value("pod/much", "{.status.phase}", "Running");
    let mut attached = Attached::start(&world, "attach much -i -q");
    attached.says("go\n");
    world.wait_for_value("pod/much", "{.status.phase}", "Succeeded");
    let mut all = Vec::new();
    attached.answers.read_to_end(&mut all).expect("read");
    assert_eq!((all.len(), &all[all.len() - 3..]), (3_000_003, &b"end"[..]));
    assert!(attached.child.wait().expect("wait").success());
    let _ = world.run("delete pod much").success();
}

#[test]
fn what_cannot_be_attached_to_is_refused_in_kubectls_words() {
    let world = with_pod("Never");
    let _ = world.apply(&job("done", "", "true"));
    world.wait_for_end("done");
    let help = "See 'jobctl attach -h' for help and examples\n";
    for (line, error) in [
        ("attach", "error: at least 1 argument is required for attach\n".to_owned()),
        (
            "attach a b c",
            "error: expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw 3: [a b c]\n".to_owned(),
        ),
        ("attach io cat", "error: the server doesn't have a resource type \"io\"\n".to_owned()),
        ("attach nosuch", "Error from server (NotFound): pods \"nosuch\" not found\n".to_owned()),
        (
            "attach io -c nosuch",
            "error: cannot attach to the container: container nosuch not found in pod io\n".to_owned(),
        ),
        (
            "attach job/done",
            "error: cannot attach a container in a completed pod; current phase is Succeeded\n".to_owned(),
        ),
        (
            "attach io --pod-running-timeout=-1s",
            format!("error: --pod-running-timeout must be higher than zero\n{help}"),
        ),
    ] {
        world.run(line).fails_with(&error);
    }
    eventually(SOON, || world.run("logs io -c sh").stdout == "up\r\n");
    eventually(SOON, || world.run("logs io -c deaf").stdout == "early\n");
    // Nothing to read with, and no terminal: it is said, and what the container writes is shown.
    let mut deaf = world.command("attach io -it -c deaf").build().spawn().expect("start jobctl");
    let mut said = BufReader::new(deaf.stderr.take().expect("a pipe")).lines();
    let mut next = || said.next().expect("a line").expect("text");
    assert_eq!(next(), "error: Unable to use a TTY - container deaf did not allocate one");
    assert_eq!(next(), "If you don't see a command prompt, try pressing enter.");
    assert_eq!(
        next(),
        "Warning: container deaf reads nothing (any more): its manifest has stdin: true for that"
    );
    let traps = world.processes().into_iter().find(|process| process.arguments.contains("heard"));
    kill(traps.expect("the container").pid, Signal::SIGUSR1);
    let mut line = String::new();
    BufReader::new(deaf.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("read");
    assert_eq!(line, "heard\n", "not what came before");
    deaf.kill().expect("kill");
    deaf.wait().expect("wait");
    world.command("attach io -c sh -i").stdin("bye\n").run().is(
        0,
        "<bye>\r\n",
        "Unable to use a TTY - input is not a terminal or the right kind of file\nIf you don't see a command prompt, try \
         pressing enter.\n",
    );
    let _ = world.run("delete pod io").success();
}
