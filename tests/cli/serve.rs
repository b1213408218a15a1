//! `serve`: the Kubernetes API over HTTP.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::api_client::{Events, Server};
use crate::common::World;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "labels": { "n": name } } })
}

/// Types and names of events, with `!` where their resourceVersions do not go up.
fn told(events: &[Value]) -> Vec<String> {
    let mut last = 0;
    let mut say = |event: &Value| {
        let metadata = &event["object"]["metadata"];
        let version: u64 =
            metadata["resourceVersion"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
        let mark = if version > last { "" } else { "!" };
        last = version;
        format!(
            "{} {}{mark}",
            event["type"].as_str().unwrap_or_default(),
            metadata["name"].as_str().unwrap_or_default()
        )
    };
    events.iter().map(&mut say).collect()
}

#[test]
fn nobody_is_let_in_without_the_token() {
    let world = World::new();
    let server = Server::start(&world);
    let mode = world.path("kubeconfig").metadata().expect("a kubeconfig").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(server.token.len(), 64);
    let host = format!("127.0.0.1:{}", server.port);
    let right = format!("Bearer {}", server.token);
    let wrong = format!("Bearer {}0", &server.token[1..]);
    let ask = |host: &str, method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut connection = server.connect();
        connection.send(host, method, path, headers, &[]);
        connection.receive(method)
    };
    for path in
        ["/", "/api", "/version", "/readyz", "/apis/batch/v1/jobs", "/openapi/v3", "/metrics", "/nosuch"]
    {
        for headers in [
            vec![],
            vec![("Authorization", wrong.as_str())],
            vec![("Authorization", server.token.as_str())],
            vec![("Authorization", "Basic Og==")],
            vec![("Cookie", right.as_str())],
        ] {
            let answer = ask(&host, "GET", path, &headers);
            assert_eq!(
                (answer.status, &answer.json()["reason"]),
                (401, &json!("Unauthorized")),
                "{path} {headers:?}"
            );
        }
    }
    // A token that is wrong is refused, also where none is wanted.
    assert_eq!(ask(&host, "GET", "/livez", &[]).text(), "ok");
    assert_eq!(ask(&host, "GET", "/livez", &[("Authorization", &wrong)]).status, 401);
    // A browser that was led here, by a name of somebody else or from his page.
    for name in ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:443", ""] {
        let answer = ask(name, "GET", "/livez", &[("Authorization", &right)]);
        assert_eq!((answer.status, &answer.json()["reason"]), (403, &json!("Forbidden")), "{name}");
    }
    let preflight = ask(
        &host,
        "OPTIONS",
        "/apis/batch/v1/namespaces/default/jobs",
        &[("Origin", "https://evil.example"), ("Access-Control-Request-Method", "POST")],
    );
    assert_eq!(preflight.status, 401);
    let page =
        ask(&host, "GET", "/version", &[("Origin", "https://evil.example"), ("Authorization", &right)]);
    assert!(page.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{page:?}");
    assert_eq!(
        ask(&format!("localhost:{}", server.port), "GET", "/version", &[("Authorization", &right)]).status,
        200
    );
}

#[test]
fn objects_are_created_read_changed_and_deleted() {
    let world = World::new();
    let server = Server::start(&world);
    let created = server.send("POST", MAPS, &config_map("a"));
    assert_eq!(created.status, 201, "{}", created.text());
    let version = created.json()["metadata"]["resourceVersion"].clone();
    assert!(version.is_string(), "{}", created.text());
    let again = server.send("POST", MAPS, &config_map("a"));
    let details = json!({ "name": "a", "kind": "configmaps" });
    assert_eq!((again.status, &again.json()["details"]), (409, &details));
    let got = server.get(&format!("{MAPS}/a"));
    assert_eq!((got.status, &got.json()["metadata"]["resourceVersion"]), (200, &version));
    // The same objects, from the command line and from here.
    assert_eq!(world.run("get configmap a -o name").success().stdout, "configmap/a\n");
    let _ = world.run("create configmap b --from-literal=x=1").success();
    assert_eq!(server.get(&format!("{MAPS}/b")).json()["data"], json!({ "x": "1" }));
    let list = server.get(MAPS).json();
    let names: Vec<_> =
        list["items"].as_array().expect("items").iter().map(|one| &one["metadata"]["name"]).collect();
    assert_eq!(names, ["a", "b", "kube-root-ca.crt"]);
    let patch = [("Content-Type", "application/merge-patch+json")];
    let patched = server.ask("PATCH", &format!("{MAPS}/b"), &patch, br#"{"data":{"y":"2"},"bogus":1}"#);
    assert_eq!((patched.status, &patched.json()["data"]), (200, &json!({ "x": "1", "y": "2" })));
    assert_eq!(patched.headers("warning"), [r#"299 - "unknown field \"bogus\"""#]);
    let deleted = server.ask("DELETE", &format!("{MAPS}/a"), &[], &[]);
    assert_eq!((deleted.status, &deleted.json()["status"]), (200, &json!("Success")));
    assert_eq!(server.get(&format!("{MAPS}/a")).status, 404);
}

#[test]
fn what_is_only_shown_is_another_object_once_it_was_deleted() {
    let world = World::new();
    let server = Server::start(&world);
    let path = format!("{MAPS}/kube-root-ca.crt");
    let uid = || server.get(&path).json()["metadata"]["uid"].clone();
    let before = uid();
    assert_eq!(uid(), before);
    let deleted = server.ask("DELETE", &path, &[], &[]);
    assert_eq!((deleted.status, &deleted.json()["details"]["uid"]), (200, &before));
    assert_ne!(uid(), before);
    assert_eq!(server.ask("DELETE", &format!("{path}?dryRun=All"), &[], &[]).status, 404);
    let elsewhere = "/api/v1/namespaces/nosuch/configmaps/kube-root-ca.crt";
    assert_eq!(server.ask("DELETE", elsewhere, &[], &[]).status, 404);
}

#[test]
fn a_watch_tells_everything_once_from_wherever_it_begins() {
    let world = World::new();
    let server = Server::start(&world);
    let begin =
        server.get(MAPS).json()["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    let mut live = Events::watch(&server, &format!("{MAPS}?watch=1&resourceVersion={begin}"), &[]);
    for name in ["a", "b"] {
        assert_eq!(server.send("POST", MAPS, &config_map(name)).status, 201);
    }
    let _ = world.run("label configmap a n=changed --overwrite").success();
    let _ = world.run("delete configmap b").success();
    let wanted = ["ADDED a", "ADDED b", "MODIFIED a", "DELETED b"];
    let events: Vec<Value> = live.by_ref().take(4).collect();
    assert_eq!(told(&events), wanted);
    let again = Events::watch(&server, &format!("{MAPS}?watch=1&resourceVersion={begin}"), &[]);
    assert_eq!(told(&again.take(4).collect::<Vec<_>>()), wanted);
    // What is selected no more is gone, as it was, at the revision of the change.
    let of_a = format!("{MAPS}?watch=1&resourceVersion={begin}&labelSelector=n%3Da&timeoutSeconds=1");
    let of_a: Vec<Value> = Events::watch(&server, &of_a, &[]).collect();
    assert_eq!(told(&of_a), ["ADDED a", "DELETED a"]);
    assert_eq!(of_a[1]["object"]["metadata"]["labels"], json!({ "n": "a" }));
    assert_eq!(
        of_a[1]["object"]["metadata"]["resourceVersion"],
        events[2]["object"]["metadata"]["resourceVersion"]
    );
    // A list in events, and the mark at its end.
    let all = format!(
        "{MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    );
    let all: Vec<Value> = Events::watch(&server, &all, &[]).take(3).collect();
    assert_eq!(told(&all)[2], "BOOKMARK ");
    assert_eq!(all[2]["object"]["metadata"]["annotations"], json!({ "k8s.io/initial-events-end": "true" }));
}

#[test]
fn a_watch_goes_on_after_the_server_was_started_again() {
    let world = World::new();
    let (begin, first) = {
        let server = Server::start(&world);
        let begin = server.get(MAPS).json()["metadata"]["resourceVersion"].clone();
        assert_eq!(server.send("POST", MAPS, &config_map("a")).status, 201);
        (begin, server.port)
    };
    let _ = world.run("create configmap b").success();
    let server = Server::start(&world);
    assert_ne!(first, 0);
    let path =
        format!("{MAPS}?watch=1&timeoutSeconds=1&resourceVersion={}", begin.as_str().expect("a version"));
    assert_eq!(told(&Events::watch(&server, &path, &[]).collect::<Vec<_>>()), ["ADDED a", "ADDED b"]);
}

#[test]
fn a_command_is_served_for_as_long_as_it_runs() {
    let world = World::new();
    let script = "grep -q 'server: https://127.0.0.1:' \"$KUBECONFIG\" && stat -c %a \"$KUBECONFIG\" && echo $KUBECONFIG; exit 7";
    let command = world.command("serve -- sh -c");
    let done = command.build().arg(script).output().expect("start jobctl");
    let output = String::from_utf8_lossy(&done.stdout).into_owned();
    let (mode, path) = output.split_once('\n').expect("two lines");
    assert_eq!((done.status.code(), mode), (Some(7), "600"), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!std::path::Path::new(path.trim()).exists());
    assert_eq!(world.run("serve -- no-such-program").code, 1);
}
