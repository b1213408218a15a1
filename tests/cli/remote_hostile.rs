//! Servers that do what none should, and kubeconfigs that are none: told, and ended in time.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::bad_way::{Fault, kubeconfig};
use crate::common::{SOON, World, job, kill};
use crate::remote_answers::Trial;

fn page(name: &str, next: &str) -> String {
    json!({"kind": "JobList", "apiVersion": "batch/v1", "metadata": {"resourceVersion": "9", "continue": next},
        "items": [{"metadata": {"name": name, "namespace": "default", "uid": name}}]})
    .to_string()
}

/// Pages that grow too old while they are read would do so again: then all is asked for at once, as kubectl does.
#[test]
fn a_list_that_grows_too_old_is_asked_for_as_a_whole() {
    let trial = Trial::new(|heard| match (heard.path.contains("/jobs"), heard.path.contains("continue=")) {
        (true, true) => Fault::status(410, "Expired", ""),
        (true, false) => {
            let next = if heard.path.contains("limit=") { "more" } else { "" };
            Fault::Answer(200, "", page("a", next))
        }
        _ => Fault::None,
    });
    let (stdout, stderr, code) = trial.run("get jobs -o name");
    assert_eq!((stdout.as_str(), stderr.as_str(), code), ("job.batch/a\n", "", 0));
    let asked: Vec<String> = trial.way.heard().into_iter().map(|heard| heard.path).collect();
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    assert_eq!(
        asked,
        [format!("{jobs}?limit=500"), format!("{jobs}?limit=500&continue=more"), jobs.to_owned()]
    );
}

#[test]
fn what_is_no_answer_of_an_api_is_told() {
    const HTML: &str = "<html><body>Log in</body></html>";
    for (line, body, expected) in [
        ("get jobs", HTML, "read a list of the server: expected value"),
        ("get jobs", "{}", "read a list of the server: it has no items"),
        ("get jobs", r#"{"kind":"Status","status":"Failure"}"#, "it has no items"),
        ("get jobs", r#"{"items":[1]}"#, "read an object of the server"),
        ("get job a", HTML, "read an object of the server"),
        ("get job a", "", "read an object of the server"),
        ("get job a", r#"{"metadata":{"name":5}}"#, "read an object of the server"),
        ("label job a b=c", HTML, "read an object of the server"),
        ("create job a --image=b", HTML, "read an object of the server"),
        // A page of somebody between is no sign that something is gone.
        ("delete job a", HTML, "read what the server answers to a deletion"),
        ("wait --for=delete job/a", HTML, "read a list of the server"),
    ] {
        let trial = Trial::new(move |_| Fault::Answer(200, "", body.to_owned()));
        let (stdout, stderr, code) = trial.run(line);
        assert_eq!((stdout.as_str(), code), ("", 1), "{line}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(expected), "{line}: {stderr}");
    }
    let trial = Trial::new(|_| Fault::Answer(200, "", page("a", "same")));
    let (_, stderr, code) = trial.run("get jobs");
    assert_eq!((stderr.as_str(), code), ("error: the server has sent the same page of a list twice\n", 1));
}

/// What somebody gives a request is for all that is tried of it.
#[test]
fn the_time_of_a_request_ends_what_the_server_puts_off() {
    let trial = Trial::new(|_| Fault::status(429, "TooManyRequests", "Retry-After: 60\r\n"));
    let _ = trial.here.manifest("a.yaml", job("a", "", "true"));
    for line in ["get jobs", "apply -f a.yaml", "delete job a", "get jobs -w", "wait --for=delete job/a"] {
        let began = Instant::now();
        let (_, stderr, code) = trial.run(&format!("{line} --request-timeout=300ms"));
        assert_eq!(code, 1, "{line}: {stderr}");
        assert!(stderr.contains("Client.Timeout exceeded"), "{line}: {stderr}");
        assert!(began.elapsed() < Duration::from_secs(20), "{line}: {:?}", began.elapsed());
    }
}

/// A server that hears and says nothing keeps nobody.
#[test]
fn a_run_that_gets_no_answer_can_be_interrupted() {
    let world = World::new();
    let deaf = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let file = world.path("prod.yaml");
    let port = deaf.local_addr().expect("an address").port();
    std::fs::write(&file, kubeconfig(&format!("http://127.0.0.1:{port}"))).expect("write");
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let line = format!("--kubeconfig={} run x -q -- true", file.display());
        let mut command = world.command(&line).build();
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("start");
        // It has asked for something.
        let (mut asked, _) = deaf.accept().expect("a connection");
        let _ = asked.read(&mut [0; 1]).expect("a request");
        kill(i32::try_from(child.id()).expect("a pid"), signal);
        let began = Instant::now();
        let mut said = String::new();
        let _ = child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(code), "{said}");
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert!(
            said.contains("the cluster does not answer; whether a Job has been created: jobctl get "),
            "{said}"
        );
    }
}

#[test]
fn a_kubeconfig_without_an_end_is_refused() {
    let world = World::new();
    let said = world.run("--kubeconfig=/dev/zero get jobs").exits(1).stderr;
    assert_eq!(said, "error: error loading config file \"/dev/zero\": manifest is larger than 64 MiB\n");
}

/// A watch is one answer.
#[test]
fn the_time_of_a_request_ends_a_watch() {
    let trial = Trial::new(|_| Fault::None);
    let _ = trial.there.apply(&job("a", "suspend: true", "true")).success();
    let line = "get jobs -w --no-headers -o name --request-timeout=2s";
    assert_eq!(trial.run(line), ("job.batch/a\n".to_owned(), String::new(), 0));
    if let Some((stdout, _, code)) = trial.kubectl(line) {
        assert_eq!((stdout.as_str(), code), ("job.batch/a\n", 0));
    }
}
