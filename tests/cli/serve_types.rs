//! `serve` and bodies whose fields have other types than they should: refused, and nothing is done. A dry run that is written
//! wrongly must not delete, a number that is none must not scale to nothing.

use serde_json::{Value, json};

use crate::api_client::{Answer, Server};
use crate::common::World;
use crate::serve::MAPS;

const CORE: &str = "/api/v1/namespaces/default";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn deleted(server: &Server, path: &str, body: &str) -> Answer {
    server.ask("DELETE", path, &[("Content-Type", "application/json")], body.as_bytes())
}

fn refusal(answer: &Answer) -> (u16, String) {
    let status = answer.json();
    assert_eq!(status["status"], "Failure", "{}", answer.text());
    (answer.status, status["message"].as_str().expect("a message").to_owned())
}

#[test]
fn what_is_no_option_deletes_nothing() {
    let world = World::new();
    let server = Server::start(&world);
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } });
    assert_eq!(server.send("POST", MAPS, &map).status, 201);
    let go = "json: cannot unmarshal";
    let early = "couldn't get version/kind; json parse error: json: cannot unmarshal";
    let own_type = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;
    for (body, message) in [
        (
            r#"{"dryRun":"All"}"#,
            format!("{go} string into Go struct field DeleteOptions.dryRun of type []string"),
        ),
        (
            r#"{"dryRun":[1]}"#,
            format!("{go} number into Go struct field DeleteOptions.dryRun of type string"),
        ),
        (
            r#"{"gracePeriodSeconds":"0"}"#,
            format!("{go} string into Go struct field DeleteOptions.gracePeriodSeconds of type int64"),
        ),
        (
            r#"{"orphanDependents":"true"}"#,
            format!("{go} string into Go struct field DeleteOptions.orphanDependents of type bool"),
        ),
        (
            r#"{"propagationPolicy":1}"#,
            format!(
                "{go} number into Go struct field DeleteOptions.propagationPolicy of type v1.DeletionPropagation"
            ),
        ),
        (
            r#"{"preconditions":"x"}"#,
            format!("{go} string into Go struct field DeleteOptions.preconditions of type v1.Preconditions"),
        ),
        (
            r#"{"preconditions":{"uid":5}}"#,
            format!("{go} number into Go struct field Preconditions.preconditions.uid of type types.UID"),
        ),
        (
            r#"{"preconditions":{"resourceVersion":5}}"#,
            format!(
                "{go} number into Go struct field Preconditions.preconditions.resourceVersion of type string"
            ),
        ),
        ("[]", format!("{early} array into Go value of type {own_type}")),
        (r#"{"kind":5}"#, format!("{early} number into Go struct field .kind of type string")),
    ] {
        for path in [MAPS.to_owned(), format!("{MAPS}/a")] {
            assert_eq!(refusal(&deleted(&server, &path, body)), (500, message.clone()), "{path} {body}");
        }
    }
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let refused = server.ask("DELETE", &format!("{MAPS}/a"), &form, b"propagationPolicy=Background");
    assert_eq!(refused.status, 415, "{}", refused.text());
    assert_eq!(server.get(&format!("{MAPS}/a")).status, 200);
    let yaml = [("Content-Type", "application/yaml")];
    let dry = server.ask("DELETE", &format!("{MAPS}/a"), &yaml, b"dryRun: [All]");
    assert_eq!((dry.status, server.get(&format!("{MAPS}/a")).status), (200, 200), "{}", dry.text());
    assert_eq!(deleted(&server, &format!("{MAPS}/a"), "null").status, 200);
    assert_eq!(server.get(&format!("{MAPS}/a")).status, 404);
}

#[test]
fn a_scale_that_is_none_scales_nothing() {
    let world = World::new();
    let server = Server::start(&world);
    let spec = json!({
        "replicas": 1,
        "serviceName": "s",
        "selector": { "matchLabels": { "a": "b" } },
        "template": {
            "metadata": { "labels": { "a": "b" } },
            "spec": { "containers": [{ "name": "c", "image": "x", "command": ["sleep", "100"] }] },
        },
    });
    let sets = "/apis/apps/v1/namespaces/default/statefulsets";
    let set = json!({ "metadata": { "name": "s" }, "spec": spec });
    assert_eq!(server.send("POST", sets, &set).status, 201);
    let path = format!("{sets}/s/scale");
    let wrong = "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal string into Go struct \
                 field ScaleSpec.spec.replicas of type int32";
    let scale = |replicas: Value| json!({ "metadata": { "name": "s" }, "spec": { "replicas": replicas } });
    assert_eq!(refusal(&server.send("PUT", &path, &scale(json!("3")))), (400, wrong.to_owned()));
    let merge = [("Content-Type", "application/merge-patch+json")];
    let patch = br#"{"spec":{"replicas":"3"}}"#;
    assert_eq!(refusal(&server.ask("PATCH", &path, &merge, patch)), (400, wrong.to_owned()));
    let other = json!({ "metadata": { "name": "t" }, "spec": { "replicas": 0 } });
    let message = "the name of the object (t) does not match the name on the URL (s)";
    assert_eq!(refusal(&server.send("PUT", &path, &other)), (400, message.to_owned()));
    let (status, message) = refusal(&server.send("PUT", &path, &set_of(&set)));
    assert_eq!(
        (status, message.as_str()),
        (
            400,
            "StatefulSet in version \"v1\" cannot be handled as a Scale: converting (v1.StatefulSet) to \
             (autoscaling.Scale): unknown conversion"
        )
    );
    assert_eq!(server.get(&path).json()["spec"], json!({ "replicas": 1 }));
    let scaled = server.send("PUT", &path, &scale(json!(0)));
    assert_eq!((scaled.status, &scaled.json()["spec"]), (200, &json!({ "replicas": 0 })));
}

fn set_of(set: &Value) -> Value {
    let mut set = set.clone();
    set["apiVersion"] = json!("apps/v1");
    set["kind"] = json!("StatefulSet");
    set
}

#[test]
fn what_is_no_eviction_evicts_nobody() {
    let world = World::new();
    let server = Server::start(&world);
    let container = json!({ "name": "c", "image": "x", "command": ["sleep", "100"] });
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" }, "spec": { "containers": [container] },
    });
    assert_eq!(server.send("POST", &format!("{CORE}/pods"), &pod).status, 201);
    let path = format!("{CORE}/pods/p/eviction");
    let eviction = |options: Value| json!({ "metadata": { "name": "p" }, "deleteOptions": options });
    let begin = "Eviction in version \"v1\" cannot be handled as a Eviction: json: cannot unmarshal string into Go struct \
                 field";
    for (options, field) in [
        (json!({ "dryRun": "All" }), "DeleteOptions.deleteOptions.dryRun of type []string"),
        (
            json!({ "gracePeriodSeconds": "0" }),
            "DeleteOptions.deleteOptions.gracePeriodSeconds of type int64",
        ),
        (json!("now"), "Eviction.deleteOptions of type v1.DeleteOptions"),
    ] {
        assert_eq!(
            refusal(&server.send("POST", &path, &eviction(options))),
            (400, format!("{begin} {field}"))
        );
    }
    let message = "Pod in version \"v1\" cannot be handled as a Eviction: converting (v1.Pod) to (policy.Eviction): \
                   unknown conversion";
    assert_eq!(refusal(&server.send("POST", &path, &pod)), (400, message.to_owned()));
    let strictly = format!("{path}?fieldValidation=Strict");
    let unknown = json!({ "metadata": { "name": "p" }, "deleteOption": {} });
    let message = "Eviction in version \"v1\" cannot be handled as a Eviction: strict decoding error: unknown field \
                   \"deleteOption\"";
    assert_eq!(refusal(&server.send("POST", &strictly, &unknown)), (400, message.to_owned()));
    let here = server.get(&format!("{CORE}/pods/p")).json();
    assert_eq!(here["metadata"]["deletionTimestamp"], Value::Null);
    let dry = server.send("POST", &format!("{path}?dryRun=All"), &unknown);
    assert_eq!(
        (dry.status, dry.headers("warning")),
        (201, vec![r#"299 - "unknown field \"deleteOption\"""#])
    );
    let evicted = server.send("POST", &path, &eviction(json!({ "gracePeriodSeconds": 0 })));
    assert_eq!(evicted.status, 201, "{}", evicted.text());
}

#[test]
fn a_review_is_held_to_its_type() {
    let world = World::new();
    let server = Server::start(&world);
    let review = json!({ "spec": { "resourceAttributes": { "verb": ["get"] } } });
    let message = "SelfSubjectAccessReview in version \"v1\" cannot be handled as a SelfSubjectAccessReview: json: cannot \
                   unmarshal array into Go struct field ResourceAttributes.spec.resourceAttributes.verb of type string";
    assert_eq!(refusal(&server.send("POST", REVIEWS, &review)), (400, message.to_owned()));
    let review = json!({ "spec": { "resourceAttributes": { "verb": "get", "resources": "pods" } } });
    let allowed = server.send("POST", REVIEWS, &review);
    assert_eq!((allowed.status, &allowed.json()["status"]["allowed"]), (201, &json!(true)));
    assert_eq!(
        allowed.headers("warning"),
        [r#"299 - "unknown field \"spec.resourceAttributes.resources\"""#]
    );
}

#[test]
fn the_type_of_an_object_is_a_text() {
    let world = World::new();
    let server = Server::start(&world);
    let (status, message) =
        refusal(&server.send("POST", MAPS, &json!({ "kind": 5, "metadata": { "name": "a" } })));
    let problem = "json: cannot unmarshal number into Go struct field .kind of type string";
    assert!(status == 400 && message.contains(problem), "{status} {message}");
    assert_eq!(server.get(&format!("{MAPS}/a")).status, 404);
}
