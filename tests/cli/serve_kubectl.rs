//! `serve`, as the real kubectl sees it. Where there is no kubectl, that is said, and nothing is tested.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::api_client::Server;
use crate::common::{World, job};
use crate::port_forward::{exchange, shouting};

/// kubectl, where it is installed.
fn kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file());
    if found.is_none() {
        eprintln!("skipped: there is no kubectl here");
    }
    found
}

/// Talks to a server through kubectl.
struct Client<'a> {
    world: &'a World,
    program: PathBuf,
    /// It runs for as long as the client talks to it.
    _server: Server,
}

impl<'a> Client<'a> {
    fn new(world: &'a World) -> Option<Self> {
        let program = kubectl()?;
        Some(Self { world, program, _server: Server::start(world) })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .env("KUBECONFIG", self.world.path("kubeconfig"))
            .env("HOME", self.world.path("home"))
            .env("EDITOR", "true")
            .current_dir(self.world.path("work"));
        command
    }

    /// What a command prints, and its exit code.
    fn run(&self, words: &[&str]) -> (String, Option<i32>) {
        let output = self.command(words).output().expect("start kubectl");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("UTF-8");
        // Newer ones say of which namespace something has been deleted.
        (text.replace(" deleted from default namespace", " deleted"), output.status.code())
    }

    #[track_caller]
    fn succeeds(&self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let (text, code) = self.run(&words);
        assert_eq!(code, Some(0), "kubectl {command}: {text}");
        text
    }

    #[track_caller]
    fn fails(&self, command: &str) -> String {
        let words: Vec<&str> = command.split(' ').collect();
        let (text, code) = self.run(&words);
        assert_eq!(code, Some(1), "kubectl {command}: {text}");
        text
    }
}

/// By a WebSocket, and as older ones do it.
#[test]
fn kubectl_forwards_ports_of_a_pod() {
    let world = World::new();
    let Some(client) = Client::new(&world) else { return };
    let _ = world.apply(&job("a", "", "sleep 100"));
    let pod = world.value("pods", "{.items[0].metadata.name}");
    world.wait_for_value(&format!("pod/{pod}"), "{.status.phase}", "Running");
    let there = shouting();
    for by_websocket in ["true", "false"] {
        let mut forwarding = client
            .command(&["port-forward", "job/a", &format!(":{there}")])
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", by_websocket)
            .stdout(Stdio::piped())
            .spawn()
            .expect("start kubectl");
        let mut line = String::new();
        let mut said = BufReader::new(forwarding.stdout.take().expect("a pipe"));
        said.read_line(&mut line).expect("read");
        let port = line.strip_prefix("Forwarding from 127.0.0.1:").and_then(|rest| rest.split(' ').next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{line}"));
        let large = "x".repeat(1_000_000);
        for _ in 0..3 {
            assert!(exchange(port, &large) == large.to_uppercase(), "all of it comes back: {by_websocket}");
        }
        forwarding.kill().expect("kill");
        forwarding.wait().expect("wait");
    }
    let _ = world.run("delete job a --now").success();
}

const JOB: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: a
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: busybox
        command: [echo, hello]
";

#[test]
fn manifests_are_checked_applied_compared_and_edited() {
    let world = World::new();
    let Some(client) = Client::new(&world) else { return };
    let _ = world.manifest("job.yaml", JOB);
    let _ = world.manifest(
        "later.yaml",
        JOB.replace("backoffLimit: 0", "backoffLimit: 0\n  ttlSecondsAfterFinished: 900"),
    );
    let _ = world.manifest("wrong.yaml", JOB.replace("backoffLimit", "backofLimit"));
    let list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l}, data: {a: b}}\n";
    let _ = world.manifest("list.yaml", list);
    let _ = world.manifest("wrong-list.yaml", list.replace("data:", "datum:"));
    assert_eq!(client.succeeds("apply -f job.yaml"), "job.batch/a created\n");
    assert_eq!(client.succeeds("apply -f job.yaml"), "job.batch/a unchanged\n");
    let difference = client.fails("diff -f later.yaml");
    assert!(difference.contains("\n+  ttlSecondsAfterFinished: 900\n"), "{difference}");
    assert_eq!(client.succeeds("apply -f later.yaml"), "job.batch/a configured\n");
    assert_eq!(client.succeeds("diff -f later.yaml"), "");
    assert_eq!(client.succeeds("edit job a"), "Edit cancelled, no changes made.\n");
    let refused = client.fails("create -f wrong.yaml");
    assert!(refused.contains("strict decoding error: unknown field \"spec.backofLimit\""), "{refused}");
    // kubectl checks a list itself, by OpenAPI 2.
    assert_eq!(client.succeeds("create -f list.yaml"), "configmap/l created\n");
    let refused = client.fails("apply -f wrong-list.yaml");
    assert!(refused.contains("unknown field \"datum\" in io.k8s.api.core.v1.ConfigMap"), "{refused}");
    assert_eq!(
        client.succeeds("wait --for=condition=complete job/a --timeout=30s"),
        "job.batch/a condition met\n"
    );
    assert_eq!(client.succeeds("logs job/a"), "hello\n");
    assert_eq!(client.succeeds("delete job a"), "job.batch \"a\" deleted\n");
}

#[test]
fn objects_are_made_from_the_command_line() {
    let world = World::new();
    let Some(client) = Client::new(&world) else { return };
    for (command, told) in [
        ("create job j --image=img -- true", "job.batch/j created\n"),
        ("create configmap cm --from-literal=a=1", "configmap/cm created\n"),
        ("create secret generic s --from-literal=a=1", "secret/s created\n"),
        ("create namespace n", "namespace/n created\n"),
        ("create service clusterip svc --tcp=80", "service/svc created\n"),
        ("label job j x=y", "job.batch/j labeled\n"),
        ("annotate configmap cm x=y", "configmap/cm annotated\n"),
        ("auth can-i create jobs", "yes\n"),
        ("delete configmap --all", "configmap \"cm\" deleted\nconfigmap \"kube-root-ca.crt\" deleted\n"),
        ("delete namespace n", "namespace \"n\" deleted\n"),
        ("delete job j --cascade=foreground", "job.batch \"j\" deleted\n"),
    ] {
        assert_eq!(client.succeeds(command), told, "{command}");
    }
}

#[test]
fn kubectl_and_jobctl_say_the_same_of_the_same_objects() {
    let world = World::new();
    let Some(client) = Client::new(&world) else { return };
    let _ = world.manifest("job.yaml", JOB.replace("spec:\n  backoff", "spec:\n  suspend: true\n  backoff"));
    let _ = client.succeeds("apply -f job.yaml");
    let _ = client.succeeds("create configmap cm --from-literal=a=1");
    let _ = client.succeeds("wait --for=condition=suspended job/a --timeout=30s");
    for command in [
        "get job a -o yaml",
        "get job a -o json",
        "get jobs,secrets -o name",
        "get job a -o jsonpath={.spec.template.spec.containers[*].command}",
        "get job a -o custom-columns=N:.metadata.name,B:.spec.backoffLimit",
        "get configmap cm -o yaml",
        "describe configmap cm",
        "explain job.spec.podFailurePolicy.rules",
        "get job nosuch",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let (theirs, code) = client.run(&words);
        let ours = world.run(command);
        assert_eq!((theirs, code), (ours.stdout + &ours.stderr, Some(ours.code)), "{command}");
    }
}
