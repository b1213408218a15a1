use chrono::Duration;
use serde_json::json;

use super::stateful_set::{Dependents, delete_stateful_set};
use super::*;
use crate::api::meta::time;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}

fn job() -> Job {
    serde_json::from_value(json!({"metadata": {"name": "j", "namespace": "default", "uid": "job-uid"}}))
        .expect("a Job")
}

/// A pod of the Job in some phase; `counted` says whether its end is in the Job's status.
fn pod(phase: &str, counted: bool) -> Pod {
    let finalizers = if counted { json!(null) } else { json!([FINALIZER_JOB_TRACKING]) };
    serde_json::from_value(json!({
        "metadata": {
            "name": phase.to_lowercase(), "namespace": "default", "uid": "pod-uid", "finalizers": finalizers,
            "labels": {"job-name": "j"},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "job-uid", "controller": true}],
        },
        "spec": {"terminationGracePeriodSeconds": 9, "containers": []},
        "status": {"phase": phase},
    }))
    .expect("a pod")
}

/// What a write does, in one line.
fn told(write: &Deletion) -> String {
    match write {
        Deletion::RemoveCronJob(_) | Deletion::MarkCronJob(_) | Deletion::UpdateJob(_) => {
            panic!("{write:?} is no business of a Job's deletion")
        }
        Deletion::RemoveStatefulSet(key) => format!("remove set {}", key.name),
        Deletion::MarkStatefulSet(set) => {
            format!("mark set, finalizers {}", set.metadata.finalizers.clone().unwrap_or_default().join(","))
        }
        Deletion::RemoveClaim(key) => format!("remove claim {}", key.name),
        Deletion::UpdateClaim(claim) => {
            assert_eq!(claim.metadata.owner_references, None);
            format!("keep claim {}", key(&claim.metadata).name)
        }
        Deletion::RemoveRevision(key) => format!("remove revision {}", key.name),
        Deletion::UpdateRevision(revision) => {
            assert_eq!(revision.metadata.owner_references, None);
            format!("keep revision {}", key(&revision.metadata).name)
        }
        Deletion::RemoveJob(key) => format!("remove job {}", key.name),
        Deletion::MarkJob(job) => format!(
            "mark job, finalizers {}, within {:?} s",
            job.metadata.finalizers.clone().unwrap_or_default().join(","),
            job.metadata.deletion_grace_period_seconds.unwrap_or(-1),
        ),
        Deletion::RemovePod(key) => format!("remove pod {}", key.name),
        Deletion::RetirePod(pod) => format!("retire pod {}", key(&pod.metadata).name),
        Deletion::UpdatePod(pod) => {
            let meta = &pod.metadata;
            let end = meta.deletion_timestamp.as_ref().map(|time| (time.0 - now()).num_seconds());
            let tracked = if has_finalizer(meta, FINALIZER_JOB_TRACKING) { ", to be counted" } else { "" };
            let owned = if meta.owner_references.is_some() { "" } else { ", without owner" };
            match end {
                Some(seconds) => {
                    assert_eq!(meta.deletion_grace_period_seconds, Some(seconds));
                    format!("stop pod {} within {seconds} s{tracked}{owned}", key(meta).name)
                }
                None => format!("keep pod {}{tracked}{owned}", key(meta).name),
            }
        }
    }
}

#[test]
fn what_becomes_of_a_job_and_its_pods() {
    use Propagation::{Background, Foreground, Orphan};
    let pods = || vec![pod("Running", false), pod("Succeeded", true), pod("Failed", false)];
    for (rule, propagation, grace, expected) in [
        (
            "background: the Job goes at once, its ended pods too, the running ones stop",
            Background,
            None,
            &["remove job j", "stop pod running within 9 s", "remove pod succeeded", "remove pod failed"][..],
        ),
        (
            "the given grace period is the pods'",
            Background,
            Some(1),
            &["remove job j", "stop pod running within 1 s", "remove pod succeeded", "remove pod failed"],
        ),
        (
            "foreground: the Job waits for its pods, which the controller stops",
            Foreground,
            None,
            &["mark job, finalizers foregroundDeletion, within 0 s"],
        ),
        (
            "foreground with a grace period: the running pods are told now",
            Foreground,
            Some(2),
            &[
                "mark job, finalizers foregroundDeletion, within 0 s",
                "stop pod running within 2 s, to be counted",
            ],
        ),
        (
            "orphan: the pods stay as they are, without an owner and with nobody to count them",
            Orphan,
            None,
            &[
                "remove job j",
                "keep pod running, without owner",
                "keep pod succeeded, without owner",
                "keep pod failed, without owner",
            ],
        ),
    ] {
        let writes = delete_job(&job(), pods(), propagation, grace, now());
        assert_eq!(writes.iter().map(told).collect::<Vec<_>>(), expected, "{rule}");
    }
}

#[test]
fn orphans_keep_their_labels_and_other_owners() {
    let mut orphan = pod("Running", false);
    let mut other = orphan.metadata.owner_references.clone().unwrap_or_default().remove(0);
    other.uid = "another".into();
    orphan.metadata.owner_references.get_or_insert_default().push(other);
    let writes = delete_job(&job(), vec![orphan], Propagation::Orphan, None, now());
    let [_, Deletion::UpdatePod(pod)] = writes.as_slice() else { panic!("{writes:?}") };
    let owners: Vec<&str> =
        pod.metadata.owner_references.iter().flatten().map(|owner| owner.uid.as_str()).collect();
    assert_eq!(owners, ["another"]);
    assert_eq!(crate::api::meta::label(&pod.metadata, "job-name"), Some("j"));
}

#[test]
fn a_job_marked_already_is_not_marked_again() {
    let mut marked = job();
    marked.metadata.generation = Some(1);
    let first = delete_job(&marked, Vec::new(), Propagation::Foreground, None, now());
    let [Deletion::MarkJob(first)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(first.metadata.generation, Some(2), "that it goes is a change of what is wanted");
    marked.metadata.deletion_timestamp = Some(time(now() - Duration::seconds(5)));
    marked.metadata.finalizers = Some(vec![FINALIZER_FOREGROUND.into()]);
    let writes = delete_job(&marked, Vec::new(), Propagation::Foreground, None, now());
    let [Deletion::MarkJob(job)] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!(job.metadata.deletion_timestamp, marked.metadata.deletion_timestamp);
    assert_eq!(job.metadata.finalizers, marked.metadata.finalizers);
    assert_eq!(job.metadata.generation, Some(1));
}

#[test]
fn what_becomes_of_a_pod() {
    let bare = |phase: &str| {
        let mut pod = pod(phase, true);
        pod.metadata.owner_references = None;
        pod
    };
    let stopping = |seconds: i64| {
        let mut pod = pod("Running", false);
        mark_deleted(&mut pod, Some(seconds), now());
        pod
    };
    for (rule, pod, grace, expected) in [
        (
            "a running pod is stopped and then counted",
            pod("Running", false),
            None,
            "stop pod running within 9 s, to be counted",
        ),
        (
            "within the grace period given",
            pod("Pending", false),
            Some(0),
            "stop pod pending within 0 s, to be counted",
        ),
        (
            "an ended pod is counted first",
            pod("Failed", false),
            None,
            "stop pod failed within 9 s, to be counted",
        ),
        (
            "a counted pod goes at once; its logs are kept for its Job",
            pod("Succeeded", true),
            None,
            "retire pod succeeded",
        ),
        ("an ended pod of nobody just goes", bare("Succeeded"), None, "remove pod succeeded"),
        (
            "a second request can shorten the time",
            stopping(9),
            Some(3),
            "stop pod running within 3 s, to be counted",
        ),
        ("but not lengthen it", stopping(3), Some(9), "stop pod running within 3 s, to be counted"),
        (
            "a negative grace period is none",
            pod("Running", false),
            Some(-5),
            "stop pod running within 0 s, to be counted",
        ),
    ] {
        assert_eq!(told(&delete_pod(pod, grace, now())), expected, "{rule}");
    }
    let mut silent = pod("Running", false);
    silent.spec.get_or_insert_default().termination_grace_period_seconds = None;
    assert_eq!(
        told(&delete_pod(silent, None, now())),
        "stop pod running within 30 s, to be counted",
        "30 s by default"
    );
}

#[test]
fn what_becomes_of_a_stateful_set_and_what_is_its_own() {
    use Propagation::{Background, Foreground, Orphan};
    let set: StatefulSet = serde_json::from_value(json!({
        "metadata": {"name": "s", "namespace": "default", "uid": "set-uid"},
        "spec": {"selector": {}, "template": {}},
    }))
    .expect("a StatefulSet");
    let owned = |name: &str| {
        let owner = json!([{"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "s", "uid": "set-uid", "controller": true}]);
        json!({"name": name, "namespace": "default", "ownerReferences": owner})
    };
    let object = |name: &str| json!({"metadata": owned(name), "revision": 1});
    let dependents = || Dependents {
        pods: [("s-0", "Running"), ("s-1", "Failed")]
            .map(|(name, phase)| {
                let spec = json!({"terminationGracePeriodSeconds": 9, "containers": []});
                let pod = json!({"metadata": owned(name), "spec": spec, "status": {"phase": phase}});
                serde_json::from_value(pod).expect("a pod")
            })
            .to_vec(),
        claims: vec![serde_json::from_value(object("of-set")).expect("a claim")],
        claims_of_pods: vec![serde_json::from_value(object("of-pod")).expect("a claim")],
        revisions: vec![serde_json::from_value(object("first")).expect("a revision")],
    };
    for (propagation, grace, expected) in [
        (
            Background,
            None,
            &[
                "remove set s",
                "stop pod s-0 within 9 s",
                "remove pod s-1",
                "remove claim of-set",
                "remove claim of-pod",
                "remove revision first",
            ][..],
        ),
        (Foreground, None, &["mark set, finalizers foregroundDeletion"]),
        (
            Foreground,
            Some(0),
            &["mark set, finalizers foregroundDeletion", "stop pod s-0 within 0 s", "remove pod s-1"],
        ),
        (
            Orphan,
            None,
            &[
                "remove set s",
                "keep pod s-0, without owner",
                "keep pod s-1, without owner",
                "keep claim of-set",
                "keep revision first",
            ],
        ),
    ] {
        let writes = delete_stateful_set(&set, dependents(), propagation, grace, now());
        assert_eq!(writes.iter().map(told).collect::<Vec<_>>(), expected, "{propagation:?}");
    }
}
