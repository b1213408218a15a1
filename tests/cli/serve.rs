//! `serve`: the Kubernetes API over HTTP.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::api_client::{Events, Server};
use crate::common::{Output, SOON, World, eventually};

pub(crate) const MAPS: &str = "/api/v1/namespaces/default/configmaps";

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
    let localhost = format!("localhost:{}", server.port);
    assert_eq!(ask(&localhost, "GET", "/version", &[("Authorization", &right)]).status, 200);
    let any_case = right.replace("Bearer", "bearer ");
    assert_eq!(ask(&host, "GET", "/version", &[("Authorization", &any_case)]).status, 200);
    let two = ask(&host, "GET", "/version", &[("Host", "evil.example"), ("Authorization", &right)]);
    assert_eq!((two.status, &two.json()["message"]), (400, &json!("too many Host headers")));
}

#[test]
fn who_has_a_token_is_told_when_it_is_reviewed() {
    let world = World::new();
    let server = Server::start(&world);
    let ask = |kind: &str, path: &str, spec: Value| {
        let review =
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": kind, "metadata": {}, "spec": spec });
        server.send("POST", &format!("/apis/authentication.k8s.io/v1/{path}"), &review)
    };
    let own = ask("SelfSubjectReview", "selfsubjectreviews", json!({})).json();
    let review = |token: &str| ask("TokenReview", "tokenreviews", json!({ "token": token }));
    let right = review(&server.token);
    assert_eq!((right.status, &right.json()["spec"]["token"]), (201, &json!(server.token)));
    let user = &own["status"]["userInfo"];
    assert!(user["username"].is_string(), "{own}");
    assert_eq!(right.json()["status"], json!({ "authenticated": true, "user": user }));
    let wrong = review("x");
    let status = json!({ "user": {}, "error": "invalid bearer token" });
    assert_eq!((wrong.status, &wrong.json()["status"]), (201, &status));
    assert_eq!(review("").status, 400);
    assert_eq!(server.get("/apis/authentication.k8s.io/v1/tokenreviews").status, 405);
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
fn some_kinds_answer_a_deletion_with_their_object() {
    let world = World::new();
    let server = Server::start(&world);
    let core = "/api/v1/namespaces/default";
    let container = json!({ "name": "c", "image": "busybox", "command": ["sleep", "100"] });
    for (plural, kind, spec) in [
        ("configmaps", "Status", Value::Null),
        ("serviceaccounts", "ServiceAccount", Value::Null),
        ("services", "Service", json!({ "ports": [{ "port": 80 }] })),
        ("resourcequotas", "ResourceQuota", json!({ "hard": { "pods": "9" } })),
        ("pods", "Pod", json!({ "containers": [container] })),
    ] {
        let object = json!({ "metadata": { "name": "x" }, "spec": spec });
        let created = server.send("POST", &format!("{core}/{plural}"), &object);
        assert_eq!(created.status, 201, "{plural}: {}", created.text());
        let path = format!("{core}/{plural}/x");
        let deleted = server.ask("DELETE", &format!("{path}?gracePeriodSeconds=0"), &[], &[]);
        assert_eq!((deleted.status, &deleted.json()["kind"]), (200, &json!(kind)), "{plural}");
        if kind == "Pod" {
            let (before, after) = (&created.json()["metadata"], &deleted.json()["metadata"]);
            assert_eq!((&before["generation"], &after["generation"]), (&json!(1), &json!(2)), "{after}");
            assert_eq!(after["deletionGracePeriodSeconds"], 0, "{after}");
            assert!(after["deletionTimestamp"].is_string(), "{after}");
        }
        eventually(SOON, || server.get(&path).status == 404);
    }
}

#[test]
fn discovery_is_not_sent_twice() {
    let world = World::new();
    let server = Server::start(&world);
    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for path in ["/api", "/apis"] {
        let first = server.ask("GET", path, &[("Accept", aggregated)], &[]);
        assert_eq!((first.status, first.header("vary")), (200, Some("Accept")));
        let tag = first.header("etag").expect("a tag").to_owned();
        let ask = |tag: &str| server.ask("GET", path, &[("Accept", aggregated), ("If-None-Match", tag)], &[]);
        let again = ask(&tag);
        assert_eq!(
            (again.status, again.text().as_str(), again.header("etag")),
            (304, "", Some(tag.as_str()))
        );
        assert_eq!(ask("\"x\"").status, 200);
        assert_eq!(server.get(path).header("etag"), None, "of the plain form a server says no tag");
    }
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(server.ask("GET", definitions, &[("Accept", table)], &[]).json()["kind"], "Table");
    assert_eq!(server.get(definitions).json()["kind"], "CustomResourceDefinitionList");
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
fn many_watches_of_many_objects_are_told_everything_once() {
    const WATCHES: usize = 40;
    const OBJECTS: usize = 250;
    let world = World::new();
    let server = Server::start(&world);
    let begin =
        server.get(MAPS).json()["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    let path = format!("{MAPS}?watch=1&resourceVersion={begin}");
    let watches: Vec<Events> = (0..WATCHES).map(|_| Events::watch(&server, &path, &[])).collect();
    let mut connection = server.connect();
    let name = |index: usize| format!("m{index:03}");
    for index in 0..OBJECTS {
        let body = config_map(&name(index)).to_string();
        let headers = [("Content-Type", "application/json")];
        let answer = server.ask_over(&mut connection, "POST", MAPS, &headers, body.as_bytes());
        assert_eq!(answer.status, 201);
    }
    let wanted: Vec<String> = (0..OBJECTS).map(|index| format!("ADDED {}", name(index))).collect();
    for watch in watches {
        assert_eq!(told(&watch.take(OBJECTS).collect::<Vec<_>>()), wanted);
    }
    // A list that is long is made aside; it is the same as its pages.
    let items = |path: &str| server.get(path).json()["items"].as_array().cloned().unwrap_or_default();
    let all = items(MAPS);
    assert_eq!(all.len(), OBJECTS + 1);
    let first = server.get(&format!("{MAPS}?limit=200")).json();
    let next = first["metadata"]["continue"].as_str().expect("a token");
    let pages = [
        first["items"].as_array().cloned().unwrap_or_default(),
        items(&format!("{MAPS}?limit=200&continue={next}")),
    ];
    assert_eq!(pages.concat(), all);
    assert_eq!(items(&format!("{MAPS}?labelSelector=n%3Dm123")).as_slice(), &all[124..125]);
    let one = Events::watch(&server, &format!("{MAPS}?watch=1&labelSelector=n%3Dm123&timeoutSeconds=1"), &[]);
    assert_eq!(told(&one.collect::<Vec<_>>()), ["ADDED m123"]);
}

#[test]
fn pages_over_all_namespaces_leave_none_out() {
    let world = World::new();
    // Paths are ordered in another way than namespaces: `-` comes before `/`.
    for namespace in ["team", "team-a", "team0"] {
        let _ = world.run(&format!("create namespace {namespace}")).success();
        let _ = world.run(&format!("create configmap c -n {namespace} --from-literal=a=b")).success();
    }
    let server = Server::start(&world);
    let listed = |path: &str| server.get(path).json();
    let identity = |object: &Value| {
        let metadata = &object["metadata"];
        [&metadata["namespace"], &metadata["name"], &metadata["uid"]].map(Value::clone)
    };
    for (path, count) in [("/api/v1/configmaps", 7), ("/api/v1/namespaces", 4)] {
        let all: Vec<_> = listed(path)["items"].as_array().expect("items").iter().map(identity).collect();
        assert_eq!(all.len(), count, "{path}");
        let (mut pages, mut next) = (Vec::new(), String::new());
        while pages.len() < count {
            let page = listed(&format!("{path}?limit=1{next}"));
            pages.push(identity(&page["items"][0]));
            next = format!("&continue={}", page["metadata"]["continue"].as_str().unwrap_or_default());
        }
        assert_eq!(pages, all, "{path}");
    }
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

pub(crate) const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";

pub(crate) fn job(name: &str, script: &str) -> Value {
    let container = json!({ "name": "main", "image": "busybox", "command": ["sh", "-c", script] });
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name },
        "spec": { "backoffLimit": 0, "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
    })
}

/// The name of the first pod of a Job, once it runs.
fn running_pod(world: &World, server: &Server, job: &str) -> String {
    world.wait_for_value(&format!("job/{job}"), "{.status.ready}", "1");
    let pods = server.get(&format!("/api/v1/namespaces/default/pods?labelSelector=job-name%3D{job}")).json();
    pods["items"][0]["metadata"]["name"].as_str().expect("a pod").to_owned()
}

/// A server, and the pod of its Job `a`, which runs until it is ended.
pub(crate) fn with_pod() -> (World, Server, String) {
    let world = World::new();
    let server = Server::start(&world);
    assert_eq!(server.send("POST", JOBS, &job("a", "sleep 100")).status, 201);
    let pod = running_pod(&world, &server, "a");
    (world, server, pod)
}

#[test]
fn a_job_runs_to_its_end_before_the_eyes_of_a_client() {
    let world = World::new();
    let server = Server::start(&world);
    let begin =
        server.get(JOBS).json()["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    let watch = Events::watch(&server, &format!("{JOBS}?watch=1&resourceVersion={begin}"), &[]);
    assert_eq!(
        server.send("POST", JOBS, &job("a", "echo one; echo two >&2; sleep 0.2; echo three")).status,
        201
    );
    let pods =
        format!("/api/v1/namespaces/default/pods?labelSelector=job-name%3Da&watch=1&resourceVersion={begin}");
    let pod =
        Events::watch(&server, &pods, &[]).find(|event| event["object"]["status"]["phase"] == "Running");
    let pod = pod.expect("a pod")["object"]["metadata"]["name"].as_str().expect("a name").to_owned();
    // Follows to the end of the container.
    let log = format!("/api/v1/namespaces/default/pods/{pod}/log");
    assert_eq!(server.get(&format!("{log}?follow=true")).text(), "one\ntwo\nthree\n");
    assert_eq!(server.get(&format!("{log}?tailLines=1")).text(), "three\n");
    assert_eq!(server.get(&format!("{log}?limitBytes=5")).text(), "one\nt");
    assert_eq!(server.get(&format!("{log}?container=zz")).status, 400);
    assert_eq!(server.get(&format!("{log}?previous=true")).status, 400);
    let complete = |event: &Value| {
        let conditions = event["object"]["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Complete" && one["status"] == "True")
    };
    assert!(watch.into_iter().any(|event| complete(&event)));
    let deleted = server.ask("DELETE", &format!("{JOBS}/a?propagationPolicy=Background"), &[], &[]);
    assert_eq!(deleted.status, 200, "{}", deleted.text());
}

#[test]
fn a_server_ends_with_its_store_and_leaves_another_in_its_place_alone() {
    let world = World::new();
    let line = "serve -- sh -c 'touch ready; exec sleep 100'";
    let command = world.command(line).spawn();
    eventually(SOON, || world.path("work/ready").exists());
    // The controller may be writing into it.
    eventually(SOON, || fs::remove_dir_all(world.store()).is_ok());
    let _ = world.run("create configmap new --from-literal=a=b").success();
    let done = command.wait_with_output().expect("the end of it");
    Output::new(&world, line.to_owned(), done.status, &done.stdout, &done.stderr)
        .fails_with("error: the data directory DATA has been removed\n");
    world.run("get configmaps -o name").prints("configmap/new\n");
    world.assert_no_processes_left();
}

#[test]
fn a_job_that_is_deleted_without_a_word_leaves_its_pods() {
    let (_world, server, pod) = with_pod();
    let deleted = server.ask("DELETE", &format!("{JOBS}/a"), &[], &[]);
    assert!(
        deleted.header("warning").expect("a warning").contains("child pods are preserved"),
        "{deleted:?}"
    );
    let left = server.get(&format!("/api/v1/namespaces/default/pods/{pod}")).json();
    assert_eq!(
        (&left["metadata"]["ownerReferences"], &left["status"]["phase"]),
        (&Value::Null, &json!("Running"))
    );
    let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": pod } });
    let evicted = server.send("POST", &format!("/api/v1/namespaces/default/pods/{pod}/eviction"), &eviction);
    assert_eq!((evicted.status, &evicted.json()["status"]), (201, &json!("Success")));
    eventually(SOON, || server.get(&format!("/api/v1/namespaces/default/pods/{pod}")).status == 404);
}

#[test]
fn what_is_read_is_what_a_change_has_answered() {
    let world = World::new();
    let server = Server::start(&world);
    let template = json!({ "spec": job("a", "true")["spec"]["template"]["spec"] });
    let suspended = json!({ "suspend": true, "template": template });
    for (path, spec) in [
        (
            "/apis/batch/v1/namespaces/default/cronjobs",
            json!({ "schedule": "0 0 1 1 *", "jobTemplate": { "spec": suspended } }),
        ),
        (JOBS, json!({ "managedBy": "example.com/other", "template": template })),
    ] {
        let created = server.send("POST", path, &json!({ "metadata": { "name": "a" }, "spec": spec }));
        assert_eq!((created.status, &created.json()["status"]), (201, &json!({})), "{}", created.text());
        let read = server.get(&format!("{path}/a")).json();
        assert_eq!(read, created.json());
        // A patch that changes nothing answers the same, too: clients tell by it whether anything has changed.
        let merge = [("Content-Type", "application/merge-patch+json")];
        let patch = json!({ "spec": spec }).to_string();
        let patched = server.ask("PATCH", &format!("{path}/a"), &merge, patch.as_bytes());
        assert_eq!((patched.status, patched.json()), (200, read));
    }
    let nodes = server.get("/api/v1/nodes").json();
    assert_eq!(nodes["items"][0]["spec"], json!({}), "it is there, empty or not");
    let _ = world.run("delete cronjob a").success();
}

#[test]
fn clients_that_are_slow_or_hostile_stop_neither_jobs_nor_others() {
    let world = World::new();
    let server = Server::start(&world);
    let mut good = server.connect();
    assert_eq!(server.ask_over(&mut good, "GET", "/version", &[], &[]).status, 200);
    // Connections that say nothing, with and without TLS.
    let silent: Vec<_> = (0..1000).map(|_| server.connect_plainly()).collect();
    let mut half = server.connect();
    half.0.get_mut().write_all(b"GET /version HTTP/1.1\r\nHost: ").expect("send");
    half.0.get_mut().flush().expect("send");
    // Not HTTP over TLS, and more than anybody needs.
    let mut plain = server.connect_plainly();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("send");
    let header = "x".repeat(200_000);
    let mut long = server.connect();
    let host = format!("127.0.0.1:{}", server.port);
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        long.send(&host, "GET", "/version", &[("X-Long", &header)], &[]);
        long.receive("GET").status
    }));
    assert!(refused.is_err() || refused.is_ok_and(|status| status == 431));
    let body = vec![b' '; 4 << 20];
    let large = server.ask("POST", JOBS, &[("Content-Type", "application/json")], &body);
    assert_eq!((large.status, &large.json()["reason"]), (413, &json!("RequestEntityTooLarge")));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        server.ask("POST", JOBS, &[("Content-Type", "application/json")], deep.as_bytes()).status,
        400
    );
    // A watch that nobody reads.
    let mut deaf = server.connect();
    let bearer = format!("Bearer {}", server.token);
    deaf.send(&host, "GET", "/api/v1/events?watch=1", &[("Authorization", &bearer)], &[]);
    for name in ["a", "b", "c"] {
        let answer = server.send("POST", JOBS, &job(name, "true"));
        assert_eq!(answer.status, 201, "{}", answer.text());
        world.wait_for_end(name);
    }
    assert_eq!(server.ask_over(&mut good, "GET", "/version", &[], &[]).status, 200);
    // Whoever has not shown a token is not waited for.
    let mut rest = Vec::new();
    assert!(half.0.read_to_end(&mut rest).is_ok() || rest.is_empty());
    drop(silent);
}

#[test]
fn a_killed_server_leaves_nothing_that_hinders_the_next() {
    let world = World::new();
    let first = Server::start(&world);
    assert_eq!(first.send("POST", MAPS, &config_map("a")).status, 201);
    let token = first.token.clone();
    kill(first.pid(), Signal::SIGKILL).expect("kill");
    drop(first);
    let second = Server::start(&world);
    assert_eq!(second.get(&format!("{MAPS}/a")).status, 200);
    assert_ne!(second.token, token);
    let old = format!("Bearer {token}");
    let mut connection = second.connect();
    connection.send(
        &format!("127.0.0.1:{}", second.port),
        "GET",
        "/version",
        &[("Authorization", &old)],
        &[],
    );
    assert_eq!(connection.receive("GET").status, 401);
}

#[test]
fn numbers_are_the_same_from_the_server_and_from_the_command_line() {
    let world = World::new();
    let server = Server::start(&world);
    assert_eq!(server.send("POST", JOBS, &job("a", "true")).status, 201);
    world.wait_for_end("a");
    eventually(SOON, || world.run("get pods").stdout.contains("Completed"));
    let page = server.get("/metrics");
    assert_eq!(
        page.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8; escaping=underscores")
    );
    assert!(page.text().contains("kube_job_complete{namespace=\"default\"} 1\n"), "{}", page.text());
    assert_eq!(world.run("metrics").success().stdout, page.text());
}

#[test]
fn events_of_clients_are_kept_in_both_forms() {
    let world = World::new();
    let server = Server::start(&world);
    let (old, new) =
        ("/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events");
    let event = json!({
        "metadata": { "name": "e" }, "eventTime": "2026-01-01T00:00:00.000000Z", "action": "Act", "reason": "Why",
        "reportingController": "example.com/c", "reportingInstance": "c-1", "type": "Normal", "note": "text",
        "regarding": { "kind": "Job", "name": "a", "namespace": "default" },
    });
    let created = server.send("POST", new, &event);
    assert_eq!((created.status, &created.json()["note"]), (201, &json!("text")), "{}", created.text());
    assert_eq!(server.send("POST", new, &event).status, 409);
    let core = server.get(&format!("{old}/e")).json();
    assert_eq!((&core["message"], &core["involvedObject"]["name"]), (&json!("text"), &json!("a")));
    let patch = [("Content-Type", "application/merge-patch+json")];
    let changed = server.ask("PATCH", &format!("{new}/e"), &patch, br#"{"note":"other"}"#);
    assert_eq!((changed.status, &changed.json()["note"]), (200, &json!("other")), "{}", changed.text());
    assert!(world.run("get events").success().stdout.contains("other"));
    let named = server.get(&format!("{new}?fieldSelector=regarding.name%3Da")).json();
    assert_eq!(named["items"][0]["note"], "other");
    let wrong = json!({ "metadata": { "name": "f" }, "involvedObject": { "namespace": "elsewhere" } });
    assert_eq!(server.send("POST", old, &wrong).status, 422);
    assert_eq!(server.ask("DELETE", &format!("{old}/e"), &[], &[]).status, 200);
}
