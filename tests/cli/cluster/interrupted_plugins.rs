//! A signal while a credential plugin runs: the verb ends as at any other moment, and the plugin with it.

use std::process::{Child, Stdio};

use nix::sys::signal::Signal;

use super::{credential, exec, kubeconfig, script};
use crate::api_client::Server;
use crate::common::{Output, SOON, World, eventually, job, kill};

/// A cluster, and a client whose plugin waits for as long as there is a file `hang`.
struct Scene {
    /// Goes before its world.
    _server: Server,
    there: World,
    here: World,
}

impl Scene {
    fn new() -> Self {
        let there = World::new();
        let server = Server::start(&there);
        let here = World::new();
        kubeconfig(&there, |_, user| {
            *user = exec("./plugin");
            // It is asked anew for each request.
            let status = format!(
                "{{\"token\":\"{}\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}}",
                server.token
            );
            let hang = here.path("work/hang");
            let text = format!("test -e {} && sleep 1000\n{}", hang.display(), credential(&status));
            script(&here, "plugin", &text);
        });
        std::fs::copy(there.path("work/k"), here.path("work/k")).expect("a copy");
        Self { _server: server, there, here }
    }

    /// Starts a command and waits until its plugin hangs.
    fn start(&self, line: &str) -> Child {
        let mut command = self.here.command(&format!("--kubeconfig=k {line}")).build();
        let child = command.stdin(Stdio::null()).spawn().expect("start jobctl");
        eventually(SOON, || self.here.processes_named("sleep").len() == 1);
        child
    }

    /// Waits for the command's end, and holds that nothing of the plugin is left.
    fn end(&self, line: &str, mut child: Child) -> Output {
        eventually(SOON, || child.try_wait().expect("wait").is_some());
        let end = child.wait_with_output().expect("wait");
        // Killed processes may need a moment to go.
        eventually(SOON, || self.here.processes().is_empty());
        Output::new(&self.here, line.to_owned(), end.status, &end.stdout, &end.stderr)
    }
}

#[test]
fn a_signal_ends_a_plugin_with_its_verb() {
    let scene = Scene::new();
    scene.here.manifest("hang", "");
    for (line, interrupted, terminated) in [
        ("get jobs -w", -2, -15),
        ("logs -f job/x", -2, -15),
        ("wait --for=create job/x --timeout=1h", -2, -15),
        ("apply -f plugin", -2, -15),
        ("run x -q -- true", 130, 143),
        ("run x -q --rm -- true", 130, 143),
    ] {
        for (signal, code) in [(Signal::SIGINT, interrupted), (Signal::SIGTERM, terminated)] {
            if line.starts_with("apply") {
                scene.here.manifest("plugin.yaml", job("x", "", "true"));
            }
            let line = line.replace("-f plugin", "-f plugin.yaml");
            let child = scene.start(&line);
            kill(child.id() as i32, signal);
            let end = scene.end(&line, child).exits(code);
            let said = end.stderr.lines().find(|line| !line.starts_with("Using context "));
            assert_eq!((&*end.stdout, said), ("", None), "{line}");
            // As at a terminal, where the plugin may be the first to go.
            let child = scene.start(&line);
            let plugin = ["plugin", "sleep"].map(|name| scene.here.processes_named(name));
            plugin.into_iter().flatten().for_each(|pid| kill(pid, signal));
            kill(child.id() as i32, signal);
            let end = scene.end(&line, child).exits(code);
            let said = end.stderr.lines().find(|line| !line.starts_with("Using context "));
            assert_eq!((&*end.stdout, said), ("", None), "{line}");
        }
    }
    // And one that nobody waits for any more.
    let child = scene.start("get jobs --request-timeout=100ms");
    let said = "Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting \
                headers)\n";
    scene.end("get", child).is(1, "", said);
    scene.there.run("get jobs -o name").prints("");
}

/// Two pods, one after the other: the log of the second has to be asked for, and by then the plugin hangs.
#[test]
fn what_a_signal_does_to_a_job_is_done_although_a_plugin_hangs() {
    let scene = Scene::new();
    let hang = scene.here.path("work/hang");
    let ran = scene.here.path("work/ran");
    let text = format!("test -e {0} && exec sleep 999; touch {0} {1}", ran.display(), hang.display());
    let forget = || [&hang, &ran].into_iter().for_each(|file| std::fs::remove_file(file).expect("remove"));
    scene.here.manifest("job.yaml", job("two", "completions: 2\nparallelism: 1", &text));
    let child = scene.start("run -f job.yaml -q --detach-on-interrupt");
    kill(child.id() as i32, Signal::SIGINT);
    let end = scene.end("run", child).exits(130);
    assert!(end.stderr.contains("SIGINT: job.batch/two goes on\n"), "{}", end.stderr);
    let _ = scene.there.run("get job two").success();

    // Its second pod may not have looked for the file yet.
    let _ = scene.there.run("delete job two --now --cascade=foreground").success();
    forget();
    let child = scene.start("run -f job.yaml -q");
    // The second pod finds the other file all the same.
    std::fs::remove_file(&hang).expect("remove");
    kill(child.id() as i32, Signal::SIGTERM);
    let end = scene.end("run", child).exits(143);
    assert!(end.stderr.contains("SIGTERM: deleting job.batch/two and waiting"), "{}", end.stderr);
    scene.there.run("get jobs -o name").prints("");

    std::fs::remove_file(&ran).expect("remove");
    // One that hangs while the Job is being deleted is ended by a second signal.
    let mut child = scene.start("run -f job.yaml -q");
    let first = scene.here.processes_named("sleep");
    kill(child.id() as i32, Signal::SIGTERM);
    eventually(SOON, || {
        let now = scene.here.processes_named("sleep");
        assert!(child.try_wait().expect("wait").is_none(), "it has ended before it deleted the Job");
        !now.is_empty() && now != first
    });
    kill(child.id() as i32, Signal::SIGTERM);
    let _ = scene.end("run", child).exits(143);
    std::fs::remove_file(&hang).expect("remove");
    let _ = scene.there.run("delete jobs --all --now").success();
}
