use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::api::Job;
use crate::api::defaults::{set_job_defaults, set_pod_defaults};

/// Every field of upstream's Job but its status, as `spec.template.spec.containers[].env[].name`; taken once from the
/// sources of k8s-openapi 0.26 (Kubernetes 1.34).
const FIELDS: &str = include_str!("../../../tests/data/job-fields.txt");

/// The table's paths from a Job's root.
fn covered() -> Vec<String> {
    job_places("")
        .iter()
        .flat_map(|(place, table)| {
            table.iter().flat_map(|entry| entry.fields).map(|field| join(place, field))
        })
        .collect()
}

fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.starts_with(['.', '[']))
}

#[test]
fn every_field_of_upstreams_job_has_a_treatment() {
    let covered = covered();
    let missing: Vec<&str> = FIELDS
        .lines()
        .filter(|field| {
            !covered.iter().any(|entry| field == entry || is_below(field, entry) || is_below(entry, field))
        })
        .collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn every_row_is_a_field_of_upstreams_and_no_field_has_two() {
    let covered = covered();
    for (index, entry) in covered.iter().enumerate() {
        // The texts of a list are no field of their own.
        let known = entry.strip_suffix("[]").unwrap_or(entry);
        assert!(FIELDS.lines().any(|field| field == known), "{entry} is no field");
        for other in &covered[index + 1..] {
            assert!(
                entry != other && !is_below(other, entry) && !is_below(entry, other),
                "{entry} and {other}"
            );
        }
    }
}

#[test]
fn every_field_of_a_stateful_set_has_a_treatment() {
    let spec = k8s_openapi::api::apps::v1::StatefulSetSpec {
        min_ready_seconds: Some(0),
        ordinals: Some(Default::default()),
        persistent_volume_claim_retention_policy: Some(Default::default()),
        pod_management_policy: Some(String::new()),
        replicas: Some(0),
        revision_history_limit: Some(0),
        selector: Default::default(),
        service_name: Some(String::new()),
        template: Default::default(),
        update_strategy: Some(Default::default()),
        volume_claim_templates: Some(Vec::new()),
    };
    let spec = serde_json::to_value(spec).expect("JSON");
    let fields = spec.as_object().expect("fields").keys().filter(|field| *field != "template");
    let fields: BTreeSet<String> = fields.map(|field| format!("spec.{field}")).collect();
    let rows = STATEFUL_SET.iter().flat_map(|entry| entry.fields).map(|field| (*field).to_owned());
    assert_eq!(rows.collect::<BTreeSet<_>>(), fields);
}

#[test]
fn what_a_set_of_pods_cannot_have_is_said_as_of_a_job() {
    let volumes = json!([{"name": "n", "csi": {"driver": "d"}}]);
    let set = json!({"spec": {"replicas": 100_001, "template": {"spec": {"volumes": volumes}}}});
    let refused: Vec<String> = check_stateful_set(&set).refused.iter().map(ToString::to_string).collect();
    assert!(refused.iter().any(|one| one.starts_with("spec.replicas: Forbidden")), "{refused:?}");
    assert!(refused.iter().any(|one| one.contains("spec.template.spec.volumes[0].csi")), "{refused:?}");
}

#[test]
fn the_page_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        #[expect(clippy::disallowed_methods, reason = "a test that regenerates a page of the repository")]
        std::fs::write(&path, markdown()).expect("the page is written");
    }
    let page = std::fs::read_to_string(&path).expect("docs/compatibility.md");
    assert!(page == markdown(), "docs/compatibility.md is out of date: run the tests with UPDATE_DOCS=1");
}

#[test]
fn findings_have_concrete_paths() {
    let job = |pod: Value| json!({"spec": {"template": {"spec": pod}}});
    for (sentence, manifest, expected) in [
        ("nothing set", job(json!({"containers": [{"name": "c", "image": "i", "command": ["x"]}]})), vec![]),
        (
            "volumes and mounts",
            job(json!({
                "volumes": [{"name": "v"}, {"name": "n", "iscsi": {"iqn": "i"}},
                    {"name": "e", "emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}],
                "containers": [{}, {"volumeMounts": [{"name": "v", "mountPropagation": "Bidirectional"}]}],
            })),
            vec![
                "refused spec.template.spec.volumes[1].iscsi",
                "warned spec.template.spec.containers[1].volumeMounts[0].mountPropagation",
            ],
        ),
        (
            "probes and limits",
            job(
                json!({"containers": [{"livenessProbe": {"exec": {"command": ["x"]}}, "startupProbe": {"grpc": {"port": 1}},
                    "readinessProbe": {"httpGet": {"port": 1, "scheme": "HTTPS"}}, "resources": {"limits": {"cpu": 1, "ephemeral-storage": 1}, "requests": {"cpu": 1}}}]}),
            ),
            vec![
                "refused spec.template.spec.containers[0].startupProbe.grpc",
                "refused spec.template.spec.containers[0].readinessProbe.httpGet.scheme",
                "warned spec.template.spec.containers[0].resources.limits",
            ],
        ),
        (
            "variables",
            job(json!({"initContainers": [{"env": [
                {"name": "A", "value": "x"},
                {"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                {"name": "D", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}]}]})),
            vec!["refused spec.template.spec.initContainers[0].env[3].valueFrom.fileKeyRef"],
        ),
        (
            "Job fields",
            json!({"spec": {"completionMode": "Indexed", "backoffLimitPerIndex": 0, "podFailurePolicy": {"rules": [{"action": "FailJob"}]}}}),
            vec![],
        ),
        (
            "finalizers",
            json!({"metadata": {"finalizers": ["foregroundDeletion", "example.com/mine"]}}),
            vec![],
        ),
        (
            "values of no effect",
            job(json!({
                "securityContext": {}, "volumes": [], "hostAliases": null, "hostUsers": true, "priority": 0,
                "dnsPolicy": "Default", "os": {"name": "linux"}, "nodeSelector": {}, "setHostnameAsFQDN": false,
                "containers": [{"stdin": false, "resources": {"limits": {}}, "securityContext": {"capabilities": {}}}],
            })),
            vec![],
        ),
        (
            "a restriction that is false is still one",
            job(
                json!({"hostUsers": false, "containers": [{"securityContext": {"readOnlyRootFilesystem": false}}]}),
            ),
            vec!["warned spec.template.spec.hostUsers"],
        ),
    ] {
        assert_eq!(paths(&check_job(&manifest)), expected, "{sentence}");
    }
    let pod = json!({"spec": {"schedulerName": "mine", "schedulingGates": [{"name": "g"}]}});
    assert_eq!(paths(&check_pod(&pod)), ["warned spec.schedulerName"]);
    assert_eq!(
        check_job(&job(json!({"containers": [{"stdin": true, "stdinOnce": true, "tty": true}]}))).warnings,
        [] as [&str; 0]
    );
}

fn paths(findings: &Findings) -> Vec<String> {
    let refused = findings.refused.iter().map(|error| format!("refused {}", error.field));
    let warned = findings.warnings.iter().map(|text| text.split(": ").next().unwrap_or_default());
    refused.chain(warned.map(|path| format!("warned {path}"))).collect()
}

#[test]
fn defaults_are_never_a_finding() {
    let container = json!({"name": "c", "image": "i", "ports": [{"containerPort": 1}]});
    let spec = json!({"initContainers": [{"name": "i"}], "containers": [container]});
    let mut job: Job = serde_json::from_value(json!({"spec": {"template": {"spec": spec}}})).expect("a Job");
    set_job_defaults(&mut job);
    assert_eq!(check_job(&serde_json::to_value(job).expect("JSON")), Findings::default());
    let mut pod = serde_json::from_value(json!({"spec": spec})).expect("a Pod");
    set_pod_defaults(&mut pod);
    assert_eq!(check_pod(&serde_json::to_value(pod).expect("JSON")), Findings::default());
}

#[test]
fn more_pods_at_once_than_can_be_are_refused() {
    for (parallelism, expected) in [
        (json!(100_000), vec![]),
        (
            json!(100_001),
            vec![
                "spec.parallelism: Forbidden: more than 100000 pods at once are more than one machine can hold",
            ],
        ),
        (
            json!(i32::MAX),
            vec![
                "spec.parallelism: Forbidden: more than 100000 pods at once are more than one machine can hold",
            ],
        ),
    ] {
        let findings = check_job(&json!({"spec": {"parallelism": parallelism}}));
        let refused: Vec<String> = findings.refused.iter().map(ToString::to_string).collect();
        assert_eq!(refused, expected, "{parallelism}");
    }
}
