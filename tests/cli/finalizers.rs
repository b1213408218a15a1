//! Finalizers: what somebody holds back stays when it is deleted, until he takes his finalizer off.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use serde_json::{Value, json};

use crate::api_client::Server;
use crate::common::{World, eventually};

const BOUND: Duration = Duration::from_secs(20);
const RELEASE: &str = r#"{"metadata":{"finalizers":null}}"#;

fn held(kind: &str, version: &str, name: &str, rest: &str) -> String {
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}, finalizers: [example.com/f]}}\n{rest}\n"
    )
}

fn release(world: &World, target: &str) {
    let words = ["patch", target, "--type=merge", "-p", RELEASE].map(str::to_owned);
    let _ = world.command_of(words.to_vec()).run().success();
}

fn is_there(world: &World, target: &str) -> bool {
    !world.run(&format!("get {target} --ignore-not-found -o name")).success().stdout.is_empty()
}

fn is_going(world: &World, target: &str) -> bool {
    !world.value(target, "{.metadata.deletionTimestamp}").is_empty()
}

#[test]
fn a_server_answers_as_upstream() {
    let world = World::without_background();
    let server = Server::start(&world);
    let (maps, map) = ("/api/v1/namespaces/default/configmaps", "/api/v1/namespaces/default/configmaps/c2");
    let body =
        json!({ "metadata": { "name": "c2", "finalizers": ["example.com/f"], "labels": { "dc": "1" } } });
    assert_eq!(server.send("POST", maps, &body).status, 201);
    let first = server.ask("DELETE", map, &[], &[]);
    let object = first.json();
    assert_eq!((first.status, &object["kind"]), (200, &json!("ConfigMap")), "{object:#}");
    assert_eq!(object["metadata"]["deletionGracePeriodSeconds"], 0);
    assert!(object["metadata"]["deletionTimestamp"].is_string(), "{object:#}");
    assert_eq!(server.ask("DELETE", map, &[], &[]).json(), object, "again");
    let patch = |body: &Value| {
        let merge = [("Content-Type", "application/merge-patch+json")];
        server.ask("PATCH", map, &merge, body.to_string().as_bytes())
    };
    let refused = patch(&json!({ "metadata": { "finalizers": ["example.com/f", "example.com/g"] } }));
    assert_eq!(
        (refused.status, refused.json()["message"].as_str()),
        (
            422,
            Some(
                "ConfigMap \"c2\" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is \
                 being deleted, found new finalizers []string{\"example.com/g\"}"
            )
        )
    );
    let changed = patch(&json!({ "data": { "a": "1" } })).json();
    assert_eq!(changed["data"], json!({ "a": "1" }));
    let again = server.send("POST", maps, &body);
    assert_eq!(
        (again.status, again.json()["message"].as_str()),
        (409, Some("object is being deleted: configmaps \"c2\" already exists"))
    );
    let last = patch(&json!({ "metadata": { "finalizers": null } }));
    assert_eq!((last.status, &last.json()["metadata"]["finalizers"]), (200, &Value::Null));
    assert_eq!(last.json()["metadata"]["resourceVersion"], changed["metadata"]["resourceVersion"]);
    assert_eq!(server.get(map).status, 404);
}

#[test]
fn delete_waits_for_finalizers_unless_told_otherwise() {
    let world = World::new();
    let path = world.manifest("c.yaml", held("ConfigMap", "v1", "c", ""));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.run("delete configmap c --wait=false").prints("configmap \"c\" deleted\n");
    assert!(is_going(&world, "configmap c"));
    world.run("delete configmap c --timeout=1s").is(
        1,
        "configmap \"c\" deleted\n",
        "error: timed out waiting for the condition on configmaps/c\n",
    );
    world.run(&format!("create -f {path}")).fails_with(
        "Error from server (AlreadyExists): error when creating \"c.yaml\": object is being deleted: configmaps \"c\" already exists\n",
    );
    let _ = world.run(&format!("replace --force -f {path} --wait=false")).failure();
    assert!(is_going(&world, "configmap c"));
    let mut waits = world.command("delete configmap c").spawn();
    // It has said what it does, and goes on to wait.
    let mut said = String::new();
    let _ = BufReader::new(waits.stdout.as_mut().expect("a pipe")).read_line(&mut said).expect("a line");
    assert_eq!(said, "configmap \"c\" deleted\n");
    release(&world, "configmap/c");
    let done = waits.wait_with_output().expect("an end");
    assert!(done.status.success(), "{done:?}");
    assert!(!is_there(&world, "configmap c"));
}

#[test]
fn jobs_and_their_kin_stay_while_what_they_own_goes() {
    let world = World::new();
    let template =
        "template: {spec: {restartPolicy: Never, containers: [{name: c, command: [sleep, '100']}]}}";
    let job = held("Job", "batch/v1", "j", &format!("spec: {{{template}}}"));
    let owned = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: owned\n  finalizers: [example.com/f]\n  \
                 ownerReferences: [{apiVersion: batch/v1, kind: Job, name: j, uid: UID}]\n";
    let cron_job = held(
        "CronJob",
        "batch/v1",
        "cj",
        &format!("spec: {{schedule: '0 0 1 1 *', jobTemplate: {{spec: {{{template}}}}}}}"),
    );
    let pod = held(
        "Pod",
        "v1",
        "p",
        "spec: {restartPolicy: Never, terminationGracePeriodSeconds: 1, containers: [{name: c, command: [sleep, '100']}]}",
    );
    let path = world.manifest("all.yaml", [job, cron_job, pod].join("---\n"));
    let _ = world.run(&format!("apply -f {path}")).success();
    let path = world.manifest("owned.yaml", owned.replace("UID", &world.value("job j", "{.metadata.uid}")));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.wait_for_value("pod p", "{.status.phase}", "Running");
    let _ = world.run("delete job/j cronjob/cj pod/p --wait=false --cascade=foreground").success();
    // The processes end, and so do the pods that nobody holds back.
    eventually(BOUND, || world.run("get pods -o name").success().stdout == "pod/p\n");
    world.wait_for_value("pod p", "{.status.phase}", "Failed");
    eventually(BOUND, || world.value("job j", "{.metadata.finalizers}") == r#"["example.com/f"]"#);
    for target in ["job j", "cronjob cj", "pod p"] {
        assert!(is_going(&world, target), "{target}");
    }
    assert!(!is_going(&world, "configmap owned"), "its owner is there");
    let refused = world.run("rerun --force job/j").failure();
    assert!(refused.stderr.contains("object is being deleted"), "{}", refused.stderr);
    for target in ["job/j", "cronjob/cj", "pod/p"] {
        release(&world, target);
        assert!(!is_there(&world, target), "{target}");
    }
    eventually(BOUND, || is_going(&world, "configmap owned"));
    release(&world, "configmap/owned");
    assert!(!is_there(&world, "configmap owned"));
    world.assert_no_processes_left();
}

#[test]
fn a_namespace_waits_for_what_is_held_in_it() {
    let world = World::new();
    let _ = world.run("create namespace n").success();
    for kind in ["ConfigMap", "Secret"] {
        let path = world.manifest("c.yaml", held(kind, "v1", "c", ""));
        let _ = world.run(&format!("apply -f {path} -n n")).success();
    }
    let _ = world.run("delete namespace n --wait=false").success();
    assert_eq!(world.value("namespace n", "{.status.phase}"), "Terminating");
    assert!(is_there(&world, "configmap c -n n") && is_there(&world, "secret c -n n"));
    let release_in = |target: &str| {
        let words = ["patch", target, "-n", "n", "--type=merge", "-p", RELEASE].map(str::to_owned);
        let _ = world.command_of(words.to_vec()).run().success();
    };
    release_in("configmap/c");
    assert!(is_going(&world, "namespace n"));
    release_in("secret/c");
    assert!(!is_there(&world, "namespace n"));
}
