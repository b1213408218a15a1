//! `serve`: request bodies in protobuf, as kubectl sends them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use crate::api_client::{Answer, Server};
use crate::common::World;

const BODIES: &str = include_str!("../data/protobuf-bodies.json");
const PROTOBUF: (&str, &str) = ("Content-Type", "application/vnd.kubernetes.protobuf");

/// The body that kubectl has sent for a command.
fn body(command: &str) -> Vec<u8> {
    let recorded: Vec<Value> = serde_json::from_str(BODIES).expect("recorded bodies");
    let one = recorded.iter().find(|one| one["command"].as_str().is_some_and(|of| of.starts_with(command)));
    let text = one.unwrap_or_else(|| panic!("nothing recorded of {command:?}"))["body"].as_str();
    BASE64_STANDARD.decode(text.expect("a body")).expect("base64")
}

fn send(server: &Server, method: &str, path: &str, body: &[u8]) -> Answer {
    server.ask(method, path, &[PROTOBUF], body)
}

#[test]
fn bodies_in_protobuf_make_objects() {
    let world = World::new();
    let server = Server::start(&world);
    let core = "/api/v1/namespaces/default";
    for (command, path, at) in [
        ("kubectl create configmap", format!("{core}/configmaps"), "/binaryData/bin"),
        ("kubectl create secret generic", format!("{core}/secrets"), "/data/a"),
        ("kubectl create serviceaccount", format!("{core}/serviceaccounts"), "/metadata/uid"),
        ("kubectl create namespace", "/api/v1/namespaces".into(), "/status/phase"),
        ("kubectl create quota", format!("{core}/resourcequotas"), "/spec/hard/pods"),
        ("kubectl create priorityclass", "/apis/scheduling.k8s.io/v1/priorityclasses".into(), "/value"),
        (
            "kubectl create role ",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles".into(),
            "/rules/0/resourceNames/0",
        ),
        ("kubectl create service nodeport", format!("{core}/services"), "/spec/ports/0/nodePort"),
        (
            "kubectl create cronjob",
            "/apis/batch/v1/namespaces/default/cronjobs".into(),
            "/spec/jobTemplate/spec/template/spec/containers/0/command/0",
        ),
    ] {
        let answer = send(&server, "POST", &path, &body(command));
        assert_eq!(answer.status, 201, "{command}: {}", answer.text());
        let recorded: Vec<Value> = serde_json::from_str(BODIES).expect("recorded bodies");
        let of =
            recorded.iter().find(|one| one["command"].as_str().is_some_and(|of| of.starts_with(command)));
        let object = answer.json();
        let value = object.pointer(at);
        assert!(value.is_some(), "{command}: {}", answer.text());
        if let Some(wanted) = of.and_then(|of| of["object"].pointer(at)) {
            assert_eq!(value, Some(wanted), "{command}");
        }
    }
    // Nothing is to run on for its schedule.
    let deleted = send(&server, "DELETE", "/apis/batch/v1/namespaces/default/cronjobs/c", &[]);
    assert_eq!(deleted.status, 200, "{}", deleted.text());
}

#[test]
fn a_job_in_protobuf_is_deleted_with_options_in_protobuf() {
    let world = World::new();
    let server = Server::start(&world);
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let created =
        send(&server, "POST", &format!("{jobs}?fieldValidation=Strict"), &body("kubectl create job j "));
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(created.headers("warning"), Vec::<&str>::new());
    // DeleteOptions with a policy that there is none of, then with one that there is.
    let options = |policy: &str| {
        let raw =
            [&[4 << 3 | 2, u8::try_from(policy.len()).expect("a short word")], policy.as_bytes()].concat();
        let mut body = b"k8s\0\x0a\x13\x0a\x02v1\x12\x0dDeleteOptions".to_vec();
        body.extend([2 << 3 | 2, u8::try_from(raw.len()).expect("a short message")]);
        body.extend(raw);
        body
    };
    let job = format!("{jobs}/j");
    assert_eq!(send(&server, "DELETE", &job, &options("Some")).status, 422);
    let deleted = send(&server, "DELETE", &job, &options("Background"));
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    assert_eq!(deleted.headers("warning"), Vec::<&str>::new());
}

#[test]
fn bodies_that_are_no_protobuf_are_refused() {
    let world = World::new();
    let server = Server::start(&world);
    let maps = "/api/v1/namespaces/default/configmaps";
    let map = body("kubectl create configmap");
    for (body, wanted) in [
        (&b"{}"[..], "does not appear to be a protobuf message"),
        (&map[..map.len() - 6], "unexpected EOF"),
        (b"k8s\0\x0a\x02\x12\x00\xff", "unexpected EOF"),
    ] {
        let answer = send(&server, "POST", maps, body);
        assert_eq!(
            (answer.status, answer.json()["reason"].as_str()),
            (400, Some("BadRequest")),
            "{}",
            answer.text()
        );
        let message = answer.json()["message"].to_string();
        assert!(message.contains(wanted), "{message}");
    }
    let elsewhere = send(&server, "POST", "/api/v1/namespaces/default/secrets", &map);
    assert_eq!(elsewhere.status, 400, "{}", elsewhere.text());
}
