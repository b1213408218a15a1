#![allow(clippy::needless_pass_by_value, reason = "json! literals are handed over as they stand")]

use serde_json::{Value, json};

use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without borrows")]
fn pod(status: Value) -> Pod {
    let meta = json!({"name": "p", "namespace": "default", "uid": "u"});
    serde_json::from_value(json!({"metadata": meta, "status": status})).expect("a pod")
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without borrows")]
fn container(restarts: i32, started: bool, state: Value, last: Value) -> Value {
    let mut status = json!({
        "name": "c", "image": "img", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last,
    });
    if started {
        status["containerID"] = json!("jobctl://u/c/0");
    }
    status
}

#[expect(clippy::needless_pass_by_value, reason = "rows read better without borrows")]
fn status(container: Value) -> PodStatus {
    serde_json::from_value(json!({"phase": "Running", "containerStatuses": [container]})).expect("a status")
}

/// The Events of a report after another, as `Type Reason xCOUNT: Message`.
fn events(before: Option<Value>, after: Value) -> Vec<String> {
    let before = before.map_or(json!({"phase": "Pending"}), |before| {
        serde_json::to_value(status(before)).expect("a status")
    });
    let (_, events) = take_report(&pod(before), &status(after), now()).expect("news");
    let one = |event: &EventRecord| {
        assert_eq!(event.source, "kubelet");
        assert_eq!(event.about.field_path.as_deref(), Some("spec.containers{c}"));
        format!("{} {} x{}: {}", event.type_, event.reason, event.count, event.message)
    };
    events.iter().map(one).collect()
}

fn running() -> Value {
    json!({"running": {"startedAt": "2023-11-14T22:13:20Z"}})
}

fn exited(reason: &str) -> Value {
    json!({"terminated": {"exitCode": 1, "reason": reason, "message": "because"}})
}

fn waiting(reason: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": "because"}})
}

#[test]
fn what_is_told_of_a_container() {
    let none = || json!({});
    for (what, before, after, expected) in [
        (
            "started",
            None,
            container(0, true, running(), none()),
            &["Normal Created x1: Created container: c", "Normal Started x1: Started container c"][..],
        ),
        (
            "still running",
            Some(container(0, true, running(), none())),
            container(0, true, running(), none()),
            &[],
        ),
        (
            "ended",
            Some(container(0, true, running(), none())),
            container(0, true, exited("Error"), none()),
            &[],
        ),
        (
            "restarted several times since the last report",
            Some(container(0, true, running(), none())),
            container(3, true, running(), exited("Error")),
            &["Normal Created x3: Created container: c", "Normal Started x3: Started container c"],
        ),
        (
            "could not be started",
            None,
            container(0, true, exited("StartError"), none()),
            &["Normal Created x1: Created container: c", "Warning Failed x1: Error: because"],
        ),
        (
            "waits for its restart",
            Some(container(1, true, running(), none())),
            container(1, true, waiting("CrashLoopBackOff"), exited("Error")),
            &["Warning BackOff x1: Back-off restarting failed container c in pod p_default(u)"],
        ),
        (
            "still waits",
            Some(container(1, true, waiting("CrashLoopBackOff"), none())),
            container(1, true, waiting("CrashLoopBackOff"), none()),
            &[],
        ),
        (
            "its image is unknown",
            None,
            container(0, false, waiting("ErrImagePull"), none()),
            &[
                "Normal Pulling x1: Pulling image \"img\"",
                "Warning Failed x1: Failed to pull image \"img\": because",
                "Warning Failed x1: Error: ErrImagePull",
            ],
        ),
        (
            "and stays so",
            Some(container(0, false, waiting("ErrImagePull"), none())),
            container(0, false, waiting("ImagePullBackOff"), none()),
            &[
                "Normal BackOff x1: Back-off pulling image \"img\"",
                "Warning Failed x1: Error: ImagePullBackOff",
            ],
        ),
        (
            "its image is never to be pulled",
            None,
            container(0, false, waiting("ErrImageNeverPull"), none()),
            &["Warning ErrImageNeverPull x1: because", "Warning Failed x1: Error: ErrImageNeverPull"],
        ),
        (
            "its environment cannot be made",
            None,
            container(0, false, waiting("CreateContainerConfigError"), none()),
            &["Warning Failed x1: Error: because"],
        ),
        ("waits to be created", None, container(0, false, waiting("ContainerCreating"), none()), &[]),
    ] {
        assert_eq!(events(before, after), expected, "{what}");
    }
}

#[test]
fn a_report_adds_addresses_and_keeps_what_a_supervisor_does_not_know() {
    let stored = pod(json!({
        "phase": "Pending", "qosClass": "Burstable",
        "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}],
    }));
    let mut reported = status(container(0, true, running(), json!({})));
    set_pod_condition(reported.conditions.get_or_insert_default(), "Ready", true, "", "", now());
    let (taken, _) = take_report(&stored, &reported, now()).expect("news");
    let status = taken.status.expect("a status");
    assert_eq!(status.phase.as_deref(), Some("Running"));
    assert_eq!(status.qos_class.as_deref(), Some("Burstable"));
    assert_eq!((status.host_ip.as_deref(), status.pod_ip.as_deref()), (Some("127.0.0.1"), Some("127.0.0.1")));
    let conditions: Vec<(&str, String)> = status
        .conditions
        .iter()
        .flatten()
        .map(|one| {
            (
                one.type_.as_str(),
                one.last_transition_time.as_ref().map(|time| time.0.to_rfc3339()).unwrap_or_default(),
            )
        })
        .collect();
    assert_eq!(
        conditions,
        [("Ready", now().to_rfc3339()), ("PodScheduled", "2020-01-01T00:00:00+00:00".to_owned())]
    );
}

#[test]
fn a_pod_that_has_ended_stays_as_it_is() {
    for phase in ["Succeeded", "Failed"] {
        let stored = pod(json!({"phase": phase}));
        assert!(take_report(&stored, &status(container(0, true, running(), json!({}))), now()).is_none());
    }
}

#[test]
fn a_deadline_of_the_pod_is_told_once() {
    let mut reported = status(container(0, true, exited("Error"), json!({})));
    reported.reason = Some("DeadlineExceeded".into());
    reported.message = Some("too long".into());
    let stored =
        pod(serde_json::to_value(status(container(0, true, running(), json!({})))).expect("a status"));
    let (_, events) = take_report(&stored, &reported, now()).expect("news");
    let told: Vec<(&str, &str, &str)> = events
        .iter()
        .map(|event| (event.type_.as_str(), event.reason.as_str(), event.message.as_str()))
        .collect();
    assert_eq!(told, [("Normal", "DeadlineExceeded", "too long")]);
    let again = pod(serde_json::to_value(&reported).expect("a status"));
    assert_eq!(take_report(&again, &reported, now()).expect("news").1, []);
}

#[test]
fn a_container_that_is_stopped_is_told() {
    let event = killing_event(&pod(json!({})), "spec.containers", "c", now());
    assert_eq!((event.type_.as_str(), event.reason.as_str()), ("Normal", "Killing"));
    assert_eq!(event.message, "Stopping container c");
}
