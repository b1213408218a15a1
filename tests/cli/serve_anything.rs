//! `serve` under clients that send anything: each request is answered, and none is the last one.

use fastrand::Rng;
use serde_json::{Value, json};

use crate::api_client::Server;
use crate::common::World;
use crate::serve::{JOBS, job};

/// How many requests a test sends. Each takes a few milliseconds in a debug build.
const REQUESTS: usize = 1500;

/// Objects of several kinds, none of which runs anything.
fn objects() -> Vec<(&'static str, Value)> {
    let meta = |name: &str| json!({ "name": name, "labels": { "a": "b" }, "annotations": { "c": "d" } });
    let pod = json!({
        "restartPolicy": "Never",
        "securityContext": { "fsGroup": 3 },
        "volumes": [{ "name": "v", "projected": { "sources": [{ "configMap": { "name": "c" } }] } }],
        "containers": [{
            "name": "c",
            "image": "x",
            "command": ["true"],
            "env": [{ "name": "E", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
            "resources": { "limits": { "cpu": "100m", "memory": "64Mi" } },
            "volumeMounts": [{ "name": "v", "mountPath": "/v" }],
            "livenessProbe": { "httpGet": { "port": 80 }, "periodSeconds": 5 },
        }],
    });
    let spec = json!({
        "suspend": true,
        "completionMode": "Indexed",
        "completions": 3,
        "backoffLimitPerIndex": 1,
        "podFailurePolicy": { "rules": [
            { "action": "FailJob", "onExitCodes": { "operator": "In", "values": [3] } },
        ] },
        "successPolicy": { "rules": [{ "succeededIndexes": "0-1", "succeededCount": 1 }] },
        "template": { "spec": pod },
    });
    let of = |version: &str, kind: &str, rest: Value| {
        let mut object = json!({ "apiVersion": version, "kind": kind, "metadata": meta("s") });
        object.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        object
    };
    let cron_job = json!({ "spec": {
        "suspend": true,
        "schedule": "0 0 1 1 *",
        "timeZone": "Europe/Berlin",
        "startingDeadlineSeconds": 10,
        "jobTemplate": { "spec": spec },
    } });
    let event = json!({
        "involvedObject": { "kind": "Job", "name": "s", "namespace": "default" },
        "reason": "R",
        "count": 3,
        "firstTimestamp": "2026-11-22T18:00:00Z",
        "series": { "count": 3, "lastObservedTime": "2026-11-22T18:00:00.000000Z" },
    });
    let new_event = json!({
        "regarding": { "kind": "Job", "name": "s", "namespace": "default" },
        "reason": "R",
        "action": "a",
        "reportingController": "c",
        "reportingInstance": "i",
        "eventTime": "2026-11-22T18:00:00.000000Z",
    });
    let set = json!({ "spec": {
        "replicas": 0,
        "serviceName": "s",
        "selector": { "matchLabels": { "a": "b" } },
        "template": { "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [{ "name": "c", "image": "x" }] } },
    } });
    vec![
        (JOBS, of("batch/v1", "Job", json!({ "spec": spec }))),
        ("/apis/batch/v1/namespaces/default/cronjobs", of("batch/v1", "CronJob", cron_job)),
        ("/api/v1/namespaces/default/events", of("v1", "Event", event)),
        ("/apis/events.k8s.io/v1/namespaces/default/events", of("events.k8s.io/v1", "Event", new_event)),
        ("/apis/apps/v1/namespaces/default/statefulsets", of("apps/v1", "StatefulSet", set)),
        ("/api/v1/namespaces/default/configmaps", of("v1", "ConfigMap", json!({ "data": { "a": "b" } }))),
        ("/api/v1/namespaces/default/secrets", of("v1", "Secret", json!({ "data": { "a": "YQ==" } }))),
        (
            "/api/v1/namespaces/default/services",
            of("v1", "Service", json!({ "spec": { "clusterIP": "None", "ports": [{ "port": 80 }] } })),
        ),
    ]
}

/// What no field expects.
fn nonsense(random: &mut Rng) -> Value {
    let all = [
        json!(null),
        json!(true),
        json!(-1),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(1e308),
        json!(1.5),
        json!(""),
        json!("\u{0}"),
        json!("ä💥"),
        json!("x".repeat(300)),
        json!("9223372036854775807"),
        json!("1e400"),
        json!("9999-12-31T23:59:59-23:59"),
        json!("@every 2562047h47m16.854775807s"),
        json!("1-2147483647"),
        json!("../.."),
        json!("$(E)"),
        json!([]),
        json!({}),
        json!([null]),
        json!([[[[]]]]),
        json!({ "": "" }),
    ];
    all[random.usize(..all.len())].clone()
}

/// All places in a value, as JSON pointers.
fn places(value: &Value) -> Vec<String> {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = inner.into_iter().flat_map(|(name, value)| {
        let name = name.replace('~', "~0").replace('/', "~1");
        places(value).into_iter().map(move |rest| format!("/{name}{rest}"))
    });
    std::iter::once(String::new()).chain(below).collect()
}

/// The same with nonsense in a few places.
fn mangled(mut value: Value, random: &mut Rng) -> Value {
    for _ in 0..random.usize(1..4) {
        let places = places(&value);
        let place = &places[random.usize(..places.len())];
        let Some(there) = value.pointer_mut(place) else { continue };
        match random.u8(..5) {
            0 if there.is_object() => {
                let given = nonsense(random);
                there[["x", "spec", "metadata", "ä", "~1"][random.usize(..5)]] = given;
            }
            _ if place.is_empty() => {}
            _ => *there = nonsense(random),
        }
    }
    value
}

/// A JSON patch that puts nonsense into a few places, or moves what is there.
fn patch(value: &Value, random: &mut Rng) -> Value {
    let places = places(value);
    let one = |random: &mut Rng| places[random.usize(..places.len())].clone();
    let step = |random: &mut Rng| {
        let op = ["add", "replace", "remove", "test", "copy", "move", "x"][random.usize(..7)];
        let end = ["", "", "", "", "/-", "/99", "/-1", "/~2"][random.usize(..8)];
        let path = one(random) + end;
        json!({ "op": op, "path": path, "from": one(random), "value": nonsense(random) })
    };
    (0..random.usize(1..4)).map(|_| step(random)).collect()
}

/// What a query may have, with values that it may not.
fn query(random: &mut Rng) -> String {
    const NAMES: [&str; 20] = [
        "timeoutSeconds",
        "resourceVersion",
        "resourceVersionMatch",
        "limit",
        "continue",
        "labelSelector",
        "fieldSelector",
        "sendInitialEvents",
        "dryRun",
        "fieldManager",
        "fieldValidation",
        "propagationPolicy",
        "gracePeriodSeconds",
        "sinceSeconds",
        "sinceTime",
        "tailLines",
        "limitBytes",
        "container",
        "previous",
        "includeObject",
    ];
    const VALUES: [&str; 16] = [
        "",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "%C3%A4",
        "%00",
        "%ff%fe",
        "%",
        "true",
        "All",
        "a%20in%20(b",
        "!=",
        "9999-12-31T23:59:59-23:59",
        "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiXHUwMDAwIn0",
    ];
    let one = |random: &mut Rng| format!("{}={}", NAMES[random.usize(..20)], VALUES[random.usize(..16)]);
    let all: Vec<String> = (0..random.usize(..3)).map(|_| one(random)).collect();
    if all.is_empty() { String::new() } else { format!("?{}", all.join("&")) }
}

/// In which forms lists come.
const FORMS: [&str; 5] = [
    "application/json",
    "application/yaml",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;q=nan,;;;",
];

/// One request about one of the objects: method, path, header, body.
fn anything(random: &mut Rng) -> (&'static str, String, (&'static str, &'static str), Vec<u8>) {
    let all = objects();
    let (place, mut object) = all[random.usize(..all.len())].clone();
    let of_object = format!("{place}/s");
    let of_part = ["", "", "", "/status", "/scale"][random.usize(..5)];
    let (method, path, content, body) = match random.u8(..10) {
        0..3 => {
            object["metadata"]["name"] = json!(format!("n{}", random.u8(..20)));
            ("POST", place.to_owned(), "application/json", mangled(object, random))
        }
        3 | 4 => ("PUT", of_object + of_part, "application/json", mangled(object, random)),
        5 => ("PATCH", of_object + of_part, "application/json-patch+json", patch(&object, random)),
        6 => ("PATCH", of_object + of_part, "application/merge-patch+json", mangled(object, random)),
        7 => ("PATCH", of_object, "application/strategic-merge-patch+json", mangled(object, random)),
        8 => ("PATCH", of_object + of_part, "application/apply-patch+yaml", mangled(object, random)),
        _ => {
            let accept = FORMS[random.usize(..FORMS.len())];
            return ("GET", place.to_owned() + &query(random), ("Accept", accept), Vec::new());
        }
    };
    (method, path + &query(random), ("Content-Type", content), body.to_string().into_bytes())
}

#[test]
fn whatever_a_client_sends_is_answered() {
    let world = World::new();
    let server = Server::start(&world);
    for (place, object) in objects() {
        let made = server.send("POST", place, &object);
        // Both forms of an Event are one kind, which takes a name once.
        assert!(made.status == 201 || place.contains("events.k8s.io"), "{place}: {}", made.text());
    }
    let seed = std::env::var("JOBCTL_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("JOBCTL_TEST_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let mut connection = server.connect();
    for _ in 0..REQUESTS {
        let (method, path, header, body) = anything(&mut random);
        let answer = server.ask_over(&mut connection, method, &path, &[header], &body).text();
        let sent = String::from_utf8_lossy(&body);
        assert!(!answer.contains("panic"), "{method} {path} {header:?} {sent}: {answer}");
    }
    assert_eq!(server.get("/livez").text(), "ok");
    let _ = world.run("delete cronjobs,jobs,statefulsets,pods --all --now").success();
    let _ = world.run("doctor").success();
}

#[test]
fn numbers_may_be_of_any_size() {
    let world = World::new();
    let server = Server::start(&world);
    assert_eq!(server.send("POST", JOBS, &job("a", "echo hello")).status, 201);
    world.wait_for_end("a");
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let log = format!("/api/v1/namespaces/default/pods/{pod}/log");
    for query in ["sinceSeconds", "tailLines", "limitBytes"] {
        assert_eq!(server.get(&format!("{log}?{query}={}", i64::MAX)).text(), "hello\n", "{query}");
    }
    assert_eq!(server.get(&format!("{log}?sinceTime=9999-12-31T23:59:59-23:59")).text(), "");
    let mut watch = server.connect();
    let path = format!("{JOBS}?watch=1&timeoutSeconds={}", i64::MAX);
    server.try_send_over(&mut watch, "GET", &path, &[], &[]).expect("send");
    assert_eq!(watch.receive_head().status, 200);
    assert!(watch.chunk().is_some(), "the watch ended");
}

#[test]
fn metadata_that_are_none_are_refused() {
    let world = World::new();
    let server = Server::start(&world);
    for (place, mut object) in objects() {
        object["metadata"] = json!("none");
        let refused = server.send("POST", place, &object);
        assert_eq!(refused.status, 400, "{place}: {}", refused.text());
        let message = refused.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("json: cannot unmarshal string into Go struct field"), "{message}");
    }
}
