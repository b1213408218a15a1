//! `port-forward`: ports of this machine that lead to a pod's. What listens there is the test itself: a pod's ports are the machine's.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::{Child, ChildStdout};
use std::thread;

use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};

use crate::common::{Output, SOON, World, eventually, kill};

/// A pod and a Service that say by which names ports are known.
fn with_pod(port: u16) -> World {
    let world = World::new();
    let manifest = format!(
        "
apiVersion: v1
kind: Pod
metadata: {{name: p, labels: {{app: p}}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers: [{{name: c, command: [sleep, '1000'], ports: [{{name: web, containerPort: {port}}}, {{name: dns, containerPort: 53, protocol: UDP}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: s}}
spec: {{selector: {{app: p}}, ports: [{{name: front, port: 80, targetPort: web}}]}}
"
    );
    let _ = world.apply(&manifest);
    world
}

/// Answers each connection with what it has heard, in capital letters, once it has heard all.
pub(crate) fn shouting() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut heard = String::new();
            stream.read_to_string(&mut heard).expect("read");
            stream.write_all(heard.to_uppercase().as_bytes()).expect("write");
        }
    });
    port
}

/// A port on which nobody listens, and nobody else does as long as this is held.
pub(crate) fn unused() -> (OwnedFd, u16) {
    let held = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).expect("a socket");
    bind(held.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).expect("bind");
    let port = getsockname::<SockaddrIn>(held.as_raw_fd()).expect("an address").port();
    (held, port)
}

/// `port-forward` at work.
struct Forwarding<'a> {
    world: &'a World,
    line: String,
    child: Child,
    said: BufReader<ChildStdout>,
}

impl<'a> Forwarding<'a> {
    fn start(world: &'a World, words: &str) -> Self {
        let line = format!("port-forward {words}");
        let mut child = world.command(&line).build().spawn().expect("start jobctl");
        let said = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { world, line, child, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("read");
        line
    }

    /// The port that it has chosen.
    fn port(&mut self, to: u16) -> u16 {
        let line = self.line();
        let port = line.strip_prefix("Forwarding from 127.0.0.1:").and_then(|rest| rest.split(' ').next());
        let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(line, format!("Forwarding from 127.0.0.1:{port} -> {to}\n"));
        // Machines without the newer addresses have the older one only.
        if TcpListener::bind("[::1]:0").is_ok() {
            assert_eq!(self.line(), format!("Forwarding from [::1]:{port} -> {to}\n"));
        }
        port
    }

    fn end(self) -> Output {
        let Self { world, line, child, mut said } = self;
        let mut stdout = Vec::new();
        said.read_to_end(&mut stdout).expect("read");
        let end = child.wait_with_output().expect("wait");
        Output::new(world, line, end.status, &stdout, &end.stderr)
    }
}

pub(crate) fn exchange(port: u16, text: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connect");
    // Where nobody is behind it, it ends at once; what has been heard tells.
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn what_comes_is_passed_on_both_ways_until_the_pod_ends() {
    let there = shouting();
    let world = with_pod(there);
    let mut forwarding = Forwarding::start(&world, &format!("p :{there}"));
    let port = forwarding.port(there);
    let large = "x".repeat(3_000_000);
    let handled = format!("Handling connection for {port}\n");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(exchange(port, &large) == large.to_uppercase(), "all of it comes back"));
        }
    });
    assert_eq!(exchange(port, "more"), "MORE");
    let _ = world.run("delete pod p --now").success();
    forwarding.end().is(1, &handled.repeat(9), "error: lost connection to pod\n");
}

#[test]
fn ports_are_known_by_name_and_through_a_service() {
    let there = shouting();
    let world = with_pod(there);
    for words in ["p :web", "svc/s :front", "service/s :80"] {
        let mut forwarding = Forwarding::start(&world, words);
        let port = forwarding.port(there);
        assert_eq!(exchange(port, words), words.to_uppercase());
        kill(forwarding.child.id() as i32, Signal::SIGINT);
        forwarding.end().is(0, &format!("Handling connection for {port}\n"), "");
    }
    let _ = world.run("delete pod p --now").success();
}

#[test]
fn a_port_that_leads_to_itself_is_left_to_the_pod() {
    let there = shouting();
    let world = with_pod(there);
    let mut forwarding = Forwarding::start(&world, &format!("p {there} {there}:web"));
    let said = format!("Forwarding from 127.0.0.1:{there} -> {there}\n");
    assert_eq!([forwarding.line(), forwarding.line()], [said.clone(), said]);
    assert_eq!(exchange(there, "a"), "A");
    kill(forwarding.child.id() as i32, Signal::SIGINT);
    forwarding.end().is(0, "", "");
    let _ = world.run("delete pod p --now").success();
}

#[test]
fn where_nobody_listens_that_is_told_and_it_goes_on() {
    let (_held, none) = unused();
    let there = shouting();
    let world = with_pod(there);
    let mut forwarding = Forwarding::start(&world, &format!("p :{none} :{there}"));
    let (to_none, to_there) = (forwarding.port(none), forwarding.port(there));
    assert_eq!(exchange(to_none, "a"), "");
    assert_eq!(exchange(to_there, "b"), "B");
    kill(forwarding.child.id() as i32, Signal::SIGINT);
    let handled = format!("Handling connection for {to_none}\nHandling connection for {to_there}\n");
    let refused = format!(
        "error: an error occurred forwarding {to_none} -> {none}: connect to port {none}: connection refused\n"
    );
    forwarding.end().is(0, &handled, &refused);
    let _ = world.run("delete pod p --now").success();
}

#[test]
fn what_cannot_be_forwarded_is_an_error() {
    let there = shouting();
    let world = with_pod(there);
    let _ = world.apply("{apiVersion: v1, kind: Pod, metadata: {name: ended}, spec: {restartPolicy: Never, containers: [{name: c, command: ['true']}]}}");
    world.wait_for_value("pod/ended", "{.status.phase}", "Succeeded");
    let taken = format!(
        "Unable to listen on port {there}: Listeners failed to create with the following errors: [unable to create \
         listener: Error listen tcp4 127.0.0.1:{there}: bind: address already in use]\nerror: unable to listen on any \
         of the requested ports: [{{{there} 81}}]\n"
    );
    let nothing = "error: TYPE/NAME and list of ports are required for port-forward\nSee 'jobctl port-forward -h' for \
                   help and examples\n";
    for (words, said) in [
        ("", nothing),
        ("p", nothing),
        ("nosuch 80", "Error from server (NotFound): pods \"nosuch\" not found\n"),
        ("p nosuch", "error: Pod 'p' does not have a named port 'nosuch'\n"),
        ("p dns", "error: UDP protocol is not supported for dns\n"),
        ("svc/s 81", "error: Service s does not have a service port 81\n"),
        ("p 80 --address=here", "error: here is not a valid IP\n"),
        (
            "p 80 --pod-running-timeout=0s",
            "error: --pod-running-timeout must be higher than zero\nSee 'jobctl port-forward -h' for help and examples\n",
        ),
        ("ended 80", "error: unable to forward port because pod is not running. Current status=Succeeded\n"),
        (&format!("p {there}:81 --address=127.0.0.1"), &taken),
    ] {
        world.run(&format!("port-forward {words}")).is(1, "", said);
    }
    let _ = world.run("delete pods --all --now").success();
}

#[test]
fn a_pod_that_is_to_come_is_waited_for() {
    let there = shouting();
    let world = World::new();
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let _ = world.run(&format!("cordon {node}")).success();
    let job = crate::common::job("late", "", "sleep 1000");
    let _ = world.apply(&job);
    let mut forwarding = Forwarding::start(&world, &format!("job/late :{there}"));
    eventually(SOON, || world.value("pods", "{.items[*].status.phase}") == "Pending");
    let _ = world.run(&format!("uncordon {node}")).success();
    let port = forwarding.port(there);
    assert_eq!(exchange(port, "a"), "A");
    let _ = world.run("delete job late --now").success();
    let said = format!("Handling connection for {port}\n");
    forwarding.end().is(1, &said, "error: lost connection to pod\n");
}
