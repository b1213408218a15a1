//! Who manages which field, and server-side apply: against what a server of Kubernetes 1.34 has answered
//! (`tests/data/apply-answers.json`, in the order in which it was asked).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api_client::{Answer, Server};
use crate::common::World;

const ANSWERS: &str = include_str!("../data/apply-answers.json");
const APPLY: &str = "application/apply-patch+yaml";

/// The entries of an object, which stand in their order.
#[track_caller]
fn entries(object: &Value) -> Vec<Value> {
    let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    let order = ["operation", "time", "manager", "apiVersion", "subresource"];
    assert!(entries.is_sorted_by_key(|entry| order.map(|field| text(entry, field))), "{entries:#?}");
    timeless(entries)
}

fn text(entry: &Value, field: &str) -> String {
    entry[field].as_str().unwrap_or_default().to_owned()
}

/// Entries with a word for their times, and in the order in which they are written within one second: another may begin between any
/// two requests.
fn timeless(entries: &[Value]) -> Vec<Value> {
    let mut entries = entries.to_vec();
    for entry in entries.iter_mut().filter(|entry| entry["time"].is_string()) {
        entry["time"] = json!("TIME");
    }
    let order = ["operation", "manager", "apiVersion", "subresource"];
    entries.sort_by_cached_key(|entry| order.map(|field| text(entry, field)));
    entries
}

fn ask(server: &Server, method: &str, path: &str, content: &str, body: &Value) -> Answer {
    let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    let headers = [("Content-Type", content), ("User-Agent", "wire-client/1.0 (linux/amd64)")];
    server.ask(method, path, &headers, text.as_bytes())
}

#[test]
fn answers_are_those_of_a_server() {
    let world = World::without_background();
    let server = Server::start(&world);
    let json = "application/json";
    let namespace = json!({ "metadata": { "name": "wire-e" } });
    assert_eq!(ask(&server, "POST", "/api/v1/namespaces", json, &namespace).status, 201);
    let l4 = json!({ "metadata": { "name": "l4", "labels": { "set": "l" } }, "data": { "k": "v" } });
    assert_eq!(ask(&server, "POST", "/api/v1/namespaces/wire-e/configmaps", json, &l4).status, 201);
    let recorded: Vec<Value> = serde_json::from_str(ANSWERS).expect("recorded answers");
    let mut versions: BTreeMap<String, Value> = BTreeMap::new();
    for one in &recorded {
        let text = |field: &str| one[field].as_str().unwrap_or_default();
        let answer = ask(&server, text("method"), text("path"), text("type"), &one["body"]);
        let told = format!("{} {} {}\n{}", one["n"], text("method"), text("path"), answer.text());
        let status = one["status"].as_u64().expect("a status");
        assert_eq!(u64::from(answer.status), status, "{told}");
        let (mut wanted, found) = (one["answer"].clone(), answer.json());
        if let Some(causes) = wanted.pointer_mut("/details/causes").and_then(Value::as_array_mut) {
            // A server says some things twice.
            causes.dedup();
        }
        if status >= 400 {
            for field in ["message", "reason", "details"] {
                // Some texts are long, or name what only that server has.
                if wanted[field] != Value::Null {
                    assert_eq!(found[field], wanted[field], "{told}");
                }
            }
            continue;
        }
        let expected = timeless(wanted["managedFields"].as_array().expect("entries"));
        assert_eq!(entries(&found), expected, "{told}");
        if wanted["data"] != Value::Null {
            assert_eq!(found["data"], wanted["data"], "{told}");
        }
        // What changes nothing is the same version, everything else another.
        if let Some(version) = wanted["resourceVersion"].as_str() {
            let found = &found["metadata"]["resourceVersion"];
            let known = versions.entry(version.to_owned()).or_insert_with(|| found.clone());
            assert_eq!(found, known, "{told}");
        }
    }
    let distinct: std::collections::BTreeSet<String> = versions.values().map(Value::to_string).collect();
    assert_eq!(distinct.len(), versions.len(), "{versions:?}");
}

const MAP: &str = "/api/v1/namespaces/default/configmaps/c";

/// `MANAGER OPERATION FIELDS` of each entry.
fn told(object: &Value) -> Vec<String> {
    let of = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().unwrap_or_default();
        format!("{} {} {}", text("manager"), text("operation"), entry["fieldsV1"])
    };
    entries(object).iter().map(of).collect()
}

#[test]
fn who_reads_changes_and_writes_an_object_back_takes_what_he_has_changed() {
    let world = World::without_background();
    let server = Server::start(&world);
    let json = "application/json";
    let map = json!({ "metadata": { "name": "c" }, "data": { "a": "1", "b": "1" } });
    let maps = "/api/v1/namespaces/default/configmaps";
    let mut made = ask(&server, "POST", &format!("{maps}?fieldManager=maker"), json, &map).json();
    assert_eq!(told(&made), [r#"maker Update {"f:data":{".":{},"f:a":{},"f:b":{}}}"#]);
    made["data"]["a"] = json!("2");
    let put = ask(&server, "PUT", &format!("{MAP}?fieldManager=changer"), json, &made).json();
    let both = [r#"changer Update {"f:data":{"f:a":{}}}"#, r#"maker Update {"f:data":{".":{},"f:b":{}}}"#];
    assert_eq!(told(&put), both);
    // What says nothing of managers leaves them, and what changes nothing is the same version.
    let same = json!({ "metadata": { "name": "c" }, "data": { "a": "2", "b": "1" } });
    let again = ask(&server, "PUT", &format!("{MAP}?fieldManager=third"), json, &same).json();
    assert_eq!(again, put);
    let mut reset = put.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    let reset = ask(&server, "PUT", &format!("{MAP}?fieldManager=third"), json, &reset).json();
    assert_eq!(reset["metadata"]["managedFields"], Value::Null, "{reset:#}");
    assert_ne!(reset["metadata"]["resourceVersion"], put["metadata"]["resourceVersion"]);
    // From then on nobody keeps account, until somebody applies.
    let patch = "application/merge-patch+json";
    let patched = ask(&server, "PATCH", MAP, patch, &json!({ "data": { "c": "1" } })).json();
    assert_eq!(patched["metadata"]["managedFields"], Value::Null);
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "d": "1" } });
    let applied = ask(&server, "PATCH", &format!("{MAP}?fieldManager=one"), APPLY, &object).json();
    assert_eq!(
        told(&applied),
        [
            r#"one Apply {"f:data":{"f:d":{}}}"#,
            r#"before-first-apply Update {"f:data":{".":{},"f:a":{},"f:b":{},"f:c":{}}}"#,
        ]
    );
    // An object of nobody's, that another of its name has had.
    let object = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "uid": "x" } });
    let other = ask(&server, "PATCH", &format!("{MAP}2?fieldManager=one"), APPLY, &object);
    assert_eq!((other.status, &other.json()["reason"]), (409, &json!("Conflict")), "{}", other.text());
}

#[test]
fn the_command_line_applies_as_a_server_does() {
    let world = World::without_background();
    let map = |value: &str| {
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, labels: {{l: x}}}}, data: {{a: \"{value}\"}}}}\n"
        )
    };
    let path = world.manifest("c.yaml", map("1"));
    let apply = format!("apply --server-side -f {path}");
    for _ in 0..2 {
        world.run(&apply).prints("configmap/c serverside-applied\n");
    }
    let shown = world.run("get cm c -o json").success().stdout;
    assert!(!shown.contains("managedFields") && !shown.contains("last-applied"), "{shown}");
    for list in ["get cm -o json", "get cm -o yaml"] {
        let shown = world.run(list).success().stdout;
        assert!(!shown.contains("managedFields"), "{shown}");
    }
    let managers = || -> Vec<String> {
        let shown = world.run("get cm c -o json --show-managed-fields").success().stdout;
        told(&serde_json::from_str(&shown).expect("an object"))
    };
    let mine = r#"jobctl Apply {"f:data":{"f:a":{}},"f:metadata":{"f:labels":{"f:l":{}}}}"#;
    assert_eq!(managers(), [mine]);
    let _ = world.run("label configmap c k=v").success();
    assert_eq!(managers(), [mine, r#"jobctl Update {"f:metadata":{"f:labels":{"f:k":{}}}}"#]);
    world.manifest("c.yaml", map("2"));
    let refused = world.run(&format!("{apply} --field-manager=other")).failure();
    let conflict = "error: Apply failed with 1 conflict: conflict with \"jobctl\": .data.a\n";
    assert!(refused.stderr.starts_with(conflict), "{}", refused.stderr);
    assert_eq!(world.value("configmap c", "{.data.a}"), "1");
    world
        .run(&format!("{apply} --field-manager=other --force-conflicts --dry-run=server"))
        .prints("configmap/c serverside-applied (server dry run)\n");
    assert_eq!(world.value("configmap c", "{.data.a}"), "1");
    let _ = world.run(&format!("{apply} --field-manager=other --force-conflicts")).success();
    assert_eq!(world.value("configmap c", "{.data.a}"), "2");
    assert_eq!(managers().len(), 3);
    // An object that was applied on this side before is taken over without a conflict, and its annotation kept.
    let path = world.manifest("d.yaml", map("1").replace("name: c", "name: d"));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.manifest("d.yaml", map("2").replace("name: c", "name: d"));
    world.run(&format!("apply --server-side -f {path}")).prints("configmap/d serverside-applied\n");
    // As with kubectl: a server writes the annotation without the annotations that the manifest does not have.
    for outcome in ["configured", "unchanged"] {
        world.run(&format!("apply -f {path}")).prints(&format!("configmap/d {outcome}\n"));
    }
    let refused = world.run(&format!("apply --server-side -f {path} --field-manager=x --validate=false"));
    refused.prints("configmap/d serverside-applied\n");
    let path = world.manifest("e.yaml", map("1").replace(", data:", ", bogus: 1, data:"));
    world.run(&format!("apply --server-side -f {path} --validate=false")).fails_with(
        "Error from server: failed to create typed patch object (default/c; /v1, \
         Kind=ConfigMap): .bogus: field not declared in schema\n",
    );
}
