//! Upstream's end-to-end cases of Jobs and CronJobs that are about the API (kubernetes-behaviour 7), over HTTP, with the numbers
//! given there. Those about what becomes of the pods are in `upstream`, `indexed`, `policies` and `cronjobs`; with JOBCTL_TEST_OVER_HTTP=1
//! these go over HTTP, too.

use serde_json::{Value, json};

use crate::api_client::{Answer, Events, Server};
use crate::common::{SOON, World, eventually};

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const CRON_JOBS: &str = "/apis/batch/v1/namespaces/default/cronjobs";
const PODS: &str = "/api/v1/namespaces/default/pods";

const SLEEPS: &str = "exec sleep 1000";

/// The template of a pod that runs a script.
fn template(script: &str) -> Value {
    let container = json!({ "name": "c", "image": "busybox", "command": ["sh", "-c", script] });
    let spec = json!({
        "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container],
    });
    json!({ "metadata": { "labels": { "of": "us" } }, "spec": spec })
}

/// A Job of some pods at a time, twice as many in all.
fn job(name: &str, parallelism: u32, suspend: bool, script: &str) -> Value {
    let spec = json!({
        "parallelism": parallelism, "completions": 2 * parallelism, "suspend": suspend, "template": template(script),
    });
    json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": name }, "spec": spec })
}

/// The API of a server.
struct Api(Server);

impl Api {
    #[track_caller]
    fn expect(&self, status: u16, method: &str, path: &str, body: &Value) -> Value {
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer: Answer = self.0.ask(method, path, &[("Content-Type", kind)], body.as_bytes());
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        answer.json()
    }

    #[track_caller]
    fn create(&self, path: &str, object: &Value) -> Value {
        self.expect(201, "POST", path, object)
    }

    #[track_caller]
    fn get(&self, path: &str) -> Value {
        self.expect(200, "GET", path, &Value::Null)
    }

    #[track_caller]
    fn patch(&self, path: &str, patch: &Value) -> Value {
        self.expect(200, "PATCH", path, patch)
    }

    /// Reads, changes and writes until nobody else has changed it meanwhile.
    fn update(&self, path: &str, change: impl Fn(&mut Value)) -> Value {
        let mut updated = Value::Null;
        eventually(SOON, || {
            let mut object = self.get(path.trim_end_matches("/status"));
            change(&mut object);
            let answer = self.0.send("PUT", path, &object);
            assert!([200, 409].contains(&answer.status), "PUT {path}: {}", answer.text());
            updated = answer.json();
            answer.status == 200
        });
        updated
    }

    #[track_caller]
    fn is_soon(&self, path: &str, condition: impl Fn(&Value) -> bool) {
        eventually(SOON, || condition(&self.get(path)));
    }

    /// The pods of a Job that are there.
    fn pods(&self, job: &str) -> Vec<Value> {
        let list = self.get(&format!("{PODS}?labelSelector=batch.kubernetes.io%2Fjob-name%3D{job}"));
        list["items"].as_array().expect("items").clone()
    }

    fn is_gone(&self, path: &str) -> bool {
        let answer = self.0.get(path);
        assert!(answer.status == 200 || answer.json()["reason"] == "NotFound", "{}", answer.text());
        answer.status == 404
    }
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name")).collect()
}

/// The status and the reason of a condition.
fn condition<'a>(object: &'a Value, kind: &str) -> Option<(&'a str, &'a str)> {
    let found = object["status"]["conditions"].as_array()?.iter().find(|one| one["type"] == kind)?;
    Some((found["status"].as_str()?, found["reason"].as_str().unwrap_or_default()))
}

fn is_complete(job: &Value) -> bool {
    condition(job, "Complete").is_some_and(|(status, _)| status == "True")
}

/// The next event of a type, of an object that is like that.
#[track_caller]
fn next(events: &mut Events, kind: &str, is_meant: impl Fn(&Value) -> bool) -> Value {
    let found = events.find(|event| event["type"] == kind && is_meant(&event["object"]));
    found.unwrap_or_else(|| panic!("the watch ended without {kind}"))["object"].take()
}

fn version_of(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().expect("a version")
}

#[test]
fn job_5_created_suspended_it_has_no_pods_until_it_is_resumed() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, true, "true"));
    api.is_soon(&path, |job| condition(job, "Suspended") == Some(("True", "JobSuspended")));
    assert!(api.pods("x").is_empty());
    let updated = api.update(&path, |job| job["spec"]["suspend"] = json!(false));
    assert_eq!(updated["spec"]["suspend"], false);
    api.is_soon(&path, is_complete);
    let job = api.get(&path);
    assert_eq!(condition(&job, "Complete"), Some(("True", "CompletionsReached")));
    assert_eq!(condition(&job, "Suspended"), Some(("False", "JobResumed")));
    assert_eq!(job["status"]["succeeded"], 4);
}

#[test]
fn job_6_suspension_while_it_runs_removes_its_pods() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, false, SLEEPS));
    api.is_soon(&path, |job| job["status"]["active"] == 2);
    let _ = api.patch(&path, &json!({ "spec": { "suspend": true } }));
    eventually(SOON, || api.pods("x").is_empty());
    api.is_soon(&path, |job| condition(job, "Suspended") == Some(("True", "JobSuspended")));
    let status = &api.get(&path)["status"];
    assert_eq!((&status["active"], &status["failed"]), (&Value::Null, &Value::Null), "{status}");
}

#[test]
fn job_17_its_pods_are_deleted_with_it() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, false, SLEEPS));
    eventually(SOON, || api.pods("x").len() == 2);
    let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background" });
    let _ = api.expect(200, "DELETE", &path, &options);
    eventually(SOON, || api.pods("x").is_empty());
    assert!(api.is_gone(&path));
}

#[test]
fn job_21_deleted_while_it_runs_it_is_not_found_afterwards() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, false, SLEEPS));
    api.is_soon(&path, |job| job["status"]["ready"] == 2);
    let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground" });
    let deleted = api.expect(200, "DELETE", &path, &options);
    assert_eq!(deleted["metadata"]["finalizers"], json!(["foregroundDeletion"]), "{deleted}");
    eventually(SOON, || api.is_gone(&path));
    assert!(api.pods("x").is_empty(), "it stays for as long as one of its pods does");
    assert_eq!(api.0.get(&path).json()["message"], "jobs.batch \"x\" not found");
}

#[test]
fn job_22_a_pod_without_an_owner_is_adopted_and_one_without_its_labels_released() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let _ = api.create(JOBS, &job("x", 2, false, SLEEPS));
    api.is_soon(&format!("{JOBS}/x"), |job| job["status"]["ready"] == 2);
    let pod = api.pods("x")[0]["metadata"]["name"].as_str().expect("a name").to_owned();
    let path = format!("{PODS}/{pod}");
    let owner = api.get(&path)["metadata"]["ownerReferences"].clone();
    assert_eq!((&owner[0]["kind"], &owner[0]["controller"]), (&json!("Job"), &json!(true)));
    let orphan = api.update(&path, |pod| pod["metadata"]["ownerReferences"] = json!([]));
    assert_eq!(orphan["metadata"]["ownerReferences"], Value::Null);
    api.is_soon(&path, |pod| pod["metadata"]["ownerReferences"] == owner);
    let _ = api.update(&path, |pod| pod["metadata"]["labels"] = json!({ "released": "yes" }));
    api.is_soon(&path, |pod| pod["metadata"]["ownerReferences"].is_null());
    // Another one takes its place, and the Job leaves without the one that was released.
    eventually(SOON, || api.pods("x").len() == 2);
    let _ = api.expect(200, "DELETE", &format!("{JOBS}/x?propagationPolicy=Background"), &Value::Null);
    eventually(SOON, || api.pods("x").is_empty());
    assert_eq!(api.get(&path)["status"]["phase"], "Running");
    let _ = api.expect(200, "DELETE", &format!("{path}?gracePeriodSeconds=0"), &Value::Null);
}

#[test]
fn job_25_conditions_are_patched_and_updated_in_the_status_and_read_back() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, true, SLEEPS));
    api.is_soon(&path, |job| condition(job, "Suspended").is_some());
    let status = format!("{path}/status");
    let one =
        |kind: &str| json!({ "type": kind, "status": "True", "reason": "E2E", "message": "Set from a test" });
    let patched = api.patch(
        &status,
        &json!({
            "metadata": { "annotations": { "patched": "true" } },
            "status": { "conditions": [api.get(&path)["status"]["conditions"][0], one("CustomPatched")] },
        }),
    );
    assert_eq!(condition(&patched, "CustomPatched"), Some(("True", "E2E")), "{patched}");
    assert_eq!(patched["metadata"]["annotations"]["patched"], "true");
    let updated = api.update(&status, |job| {
        job["spec"]["parallelism"] = json!(7);
        let conditions = job["status"]["conditions"].as_array_mut().expect("conditions");
        conditions.push(one("CustomUpdated"));
    });
    assert_eq!(updated["spec"]["parallelism"], 2, "only the status is changed there");
    let read = api.get(&status);
    for kind in ["CustomPatched", "CustomUpdated"] {
        assert_eq!(condition(&read, kind), Some(("True", "E2E")), "{read}");
    }
    assert_eq!(read["status"], api.get(&path)["status"]);
}

#[test]
fn job_26_it_is_patched_updated_listed_completed_and_deleted_with_others() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let mut wanted = job("x", 2, true, "true");
    wanted["metadata"]["labels"] = json!({ "e2e": "lifecycle" });
    let begin = api.get(JOBS);
    let watch = format!("{JOBS}?watch=true&labelSelector=e2e&resourceVersion={}", version_of(&begin));
    let mut events = Events::watch(&api.0, &watch, &[]);
    let _ = api.create(JOBS, &wanted);
    let _ = api.create(JOBS, &job("other", 1, true, "true"));
    let _ = next(&mut events, "ADDED", |job| job["metadata"]["name"] == "x");
    let patched = api.patch(&path, &json!({ "metadata": { "labels": { "e2e": "patched" } } }));
    assert_eq!(patched["metadata"]["labels"]["e2e"], "patched");
    let _ = next(&mut events, "MODIFIED", |job| job["metadata"]["labels"]["e2e"] == "patched");
    let _ = api.update(&path, |job| {
        job["spec"]["suspend"] = json!(false);
        job["metadata"]["annotations"] = json!({ "updated": "true" });
    });
    let _ = next(&mut events, "MODIFIED", |job| {
        job["spec"]["suspend"] == false && job["metadata"]["annotations"]["updated"] == "true"
    });
    let _ = next(&mut events, "MODIFIED", is_complete);
    let everywhere = api.get("/apis/batch/v1/jobs?labelSelector=e2e%3Dpatched");
    assert_eq!(names(&everywhere), ["x"]);
    let options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background" });
    let _ = api.expect(200, "DELETE", &format!("{JOBS}?labelSelector=e2e%3Dpatched"), &options);
    let _ = next(&mut events, "DELETED", |job| job["metadata"]["name"] == "x");
    assert_eq!(names(&api.get(JOBS)), ["other"]);
}

#[test]
fn job_27_its_ready_pods_are_counted() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{JOBS}/x");
    let _ = api.create(JOBS, &job("x", 2, true, SLEEPS));
    let suspend = |suspend: bool| api.patch(&path, &json!({ "spec": { "suspend": suspend } }));
    api.is_soon(&path, |job| job["status"]["ready"] == 0);
    let _ = suspend(false);
    api.is_soon(&path, |job| job["status"]["ready"] == 2);
    let _ = suspend(true);
    api.is_soon(&path, |job| job["status"]["ready"] == 0);
    eventually(SOON, || api.pods("x").is_empty());
}

fn cron_job(name: &str, schedule: &str, suspend: bool, script: &str) -> Value {
    let spec = json!({
        "schedule": schedule, "suspend": suspend, "concurrencyPolicy": "Forbid",
        "jobTemplate": { "spec": { "template": template(script) } },
    });
    json!({ "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": name }, "spec": spec })
}

#[test]
fn cron_job_7_a_deleted_job_is_active_no_more_and_missed() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{CRON_JOBS}/x");
    let _ = api.create(CRON_JOBS, &cron_job("x", "@every 1s", false, SLEEPS));
    api.is_soon(&path, |cron| cron["status"]["active"].as_array().is_some_and(|active| active.len() == 1));
    // So that nothing comes in its place.
    let _ = api.patch(&path, &json!({ "spec": { "suspend": true } }));
    let active = api.get(&path)["status"]["active"][0]["name"].as_str().expect("a name").to_owned();
    let delete = format!("{JOBS}/{active}?propagationPolicy=Background");
    let _ = api.expect(200, "DELETE", &delete, &Value::Null);
    eventually(SOON, || api.is_gone(&format!("{JOBS}/{active}")));
    api.is_soon(&path, |cron| cron["status"]["active"].is_null());
    let about = "/api/v1/namespaces/default/events?fieldSelector=reason%3DMissingJob,involvedObject.name%3Dx";
    api.is_soon(about, |events| {
        let message = events["items"][0]["message"].as_str().unwrap_or_default();
        message.contains(&active)
    });
    let _ = api.expect(200, "DELETE", &path, &Value::Null);
}

#[test]
fn cron_job_10_a_time_zone_that_does_not_exist_is_invalid() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let mut wrong = cron_job("x", "*/1 * * * ?", false, "true");
    wrong["spec"]["timeZone"] = json!("bad-time-zone");
    let status = api.expect(422, "POST", CRON_JOBS, &wrong);
    assert_eq!(
        (&status["reason"], &status["details"]["causes"][0]["field"]),
        (&json!("Invalid"), &json!("spec.timeZone"))
    );
    assert!(api.is_gone(&format!("{CRON_JOBS}/x")));
}

#[test]
fn cron_job_11_operations_of_the_api() {
    let world = World::new();
    let api = Api(Server::start(&world));
    let path = format!("{CRON_JOBS}/x");
    let mut wanted = cron_job("x", "* */1 * * ?", true, "true");
    wanted["metadata"]["labels"] = json!({ "e2e": "special" });
    // Discovery names what is asked for.
    let groups = api.get("/apis");
    let batch = groups["groups"].as_array().expect("groups").iter().find(|group| group["name"] == "batch");
    assert_eq!(batch.expect("the group")["preferredVersion"]["groupVersion"], "batch/v1");
    let resources = api.get("/apis/batch/v1");
    for name in ["cronjobs", "cronjobs/status"] {
        let mut known = resources["resources"].as_array().expect("resources").iter();
        assert!(known.any(|one| one["name"] == name && one["kind"] == "CronJob"), "{name}");
    }
    let begin = api.get(CRON_JOBS);
    let watch =
        format!("{CRON_JOBS}?watch=true&labelSelector=e2e%3Dspecial&resourceVersion={}", version_of(&begin));
    let mut events = Events::watch(&api.0, &watch, &[]);
    let created = api.create(CRON_JOBS, &wanted);
    for name in ["y", "z"] {
        let mut other = wanted.clone();
        other["metadata"]["name"] = json!(name);
        let _ = api.create(CRON_JOBS, &other);
    }
    assert_eq!(api.get(&path)["metadata"]["uid"], created["metadata"]["uid"]);
    let all = "/apis/batch/v1/cronjobs?labelSelector=e2e%3Dspecial";
    for list in [all, &format!("{CRON_JOBS}?labelSelector=e2e%3Dspecial")] {
        assert_eq!(names(&api.get(list)), ["x", "y", "z"], "{list}");
    }
    for name in ["x", "y", "z"] {
        let _ = next(&mut events, "ADDED", |cron| cron["metadata"]["name"] == name);
    }
    let patched = api.patch(&path, &json!({ "metadata": { "annotations": { "patched": "true" } } }));
    assert_eq!(patched["metadata"]["annotations"]["patched"], "true");
    let _ = api.update(&path, |cron| cron["metadata"]["annotations"]["updated"] = json!("true"));
    let _ = next(&mut events, "MODIFIED", |cron| cron["metadata"]["annotations"]["patched"] == "true");
    let updated = next(&mut events, "MODIFIED", |cron| cron["metadata"]["annotations"]["updated"] == "true");
    assert_eq!(updated["metadata"]["annotations"]["patched"], "true");
    let status = format!("{path}/status");
    let (first, second) = ("2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z");
    let patched = api.patch(
        &status,
        &json!({
            "metadata": { "annotations": { "patchedstatus": "true" } },
            "status": { "lastScheduleTime": first },
        }),
    );
    assert_eq!(
        (&patched["status"]["lastScheduleTime"], &patched["metadata"]["annotations"]["patchedstatus"]),
        (&json!(first), &json!("true"))
    );
    let updated = api.update(&status, |cron| cron["status"]["lastScheduleTime"] = json!(second));
    assert_eq!(updated["status"]["lastScheduleTime"], second);
    assert_eq!(api.get(&status)["status"]["lastScheduleTime"], second);
    let _ = api.expect(200, "DELETE", &path, &Value::Null);
    assert!(api.is_gone(&path));
    let _ = next(&mut events, "DELETED", |cron| cron["metadata"]["name"] == "x");
    let _ = api.expect(200, "DELETE", &format!("{CRON_JOBS}?labelSelector=e2e%3Dspecial"), &Value::Null);
    for _ in ["y", "z"] {
        let _ = next(&mut events, "DELETED", |_| true);
    }
    assert_eq!(names(&api.get(CRON_JOBS)), [""; 0]);
}
