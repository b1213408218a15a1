//! What the manager needs to know of a stored object before it parses the whole of it.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::api::meta::{FINALIZER_JOB_TRACKING, is_foreign_finalizer};
use crate::controller::DonePod;

/// A stored pod: whether anything can still happen to it.
#[derive(Deserialize)]
pub(super) struct PodOutline<'a> {
    #[serde(borrow)]
    metadata: MetaOutline<'a>,
    #[serde(borrow, default)]
    status: PodStatusOutline<'a>,
}

#[derive(Default, Deserialize)]
struct PodStatusOutline<'a> {
    #[serde(borrow)]
    phase: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaOutline<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(default, borrow)]
    finalizers: Vec<Cow<'a, str>>,
    deletion_timestamp: Option<IgnoredAny>,
    creation_timestamp: Option<DateTime<Utc>>,
    #[serde(default, borrow)]
    owner_references: Vec<OwnerOutline<'a>>,
}

#[derive(Deserialize)]
struct OwnerOutline<'a> {
    #[serde(borrow)]
    uid: Cow<'a, str>,
    #[serde(default)]
    controller: bool,
}

impl PodOutline<'_> {
    /// The pod's uid.
    pub(super) fn uid(&self) -> &str {
        &self.metadata.uid
    }

    /// The uid of the owner that controls it.
    pub(super) fn owner(&self) -> Option<&str> {
        self.metadata.owner_references.iter().find(|owner| owner.controller).map(|owner| &*owner.uid)
    }

    /// Whether its containers have ended.
    pub(super) fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_deref(), Some("Succeeded" | "Failed"))
    }

    /// The pod as it is held when nothing can happen to it any more; `None` where something can.
    pub(super) fn done(&self) -> Option<DonePod> {
        let is_counted = !self
            .metadata
            .finalizers
            .iter()
            .any(|finalizer| finalizer == FINALIZER_JOB_TRACKING || is_foreign_finalizer(finalizer));
        let is_done = self.is_finished() && is_counted && self.metadata.deletion_timestamp.is_none();
        is_done.then(|| DonePod {
            uid: self.uid().into(),
            owner: self.owner().map(Into::into),
            created: self.metadata.creation_timestamp,
        })
    }
}

/// A stored Job: whether a controller has anything to do for it.
#[derive(Deserialize)]
struct JobOutline<'a> {
    metadata: DeletionOutline,
    #[serde(default)]
    spec: JobSpecOutline,
    #[serde(borrow, default)]
    status: JobStatusOutline<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeletionOutline {
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSpecOutline {
    ttl_seconds_after_finished: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
struct JobStatusOutline<'a> {
    #[serde(borrow, default)]
    conditions: Vec<ConditionOutline<'a>>,
}

#[derive(Deserialize)]
struct ConditionOutline<'a> {
    #[serde(borrow, rename = "type")]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

#[derive(Deserialize)]
struct StatefulSetOutline {
    metadata: GenerationOutline,
    #[serde(default)]
    spec: ReplicasOutline,
    #[serde(default)]
    status: ObservedOutline,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GenerationOutline {
    deletion_timestamp: Option<IgnoredAny>,
    generation: Option<i64>,
}

#[derive(Default, Deserialize)]
struct ReplicasOutline {
    replicas: Option<i32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObservedOutline {
    observed_generation: Option<i64>,
}

#[derive(Deserialize)]
struct CronJobOutline {
    metadata: DeletionOutline,
    #[serde(default)]
    spec: SuspendOutline,
}

#[derive(Default, Deserialize)]
struct SuspendOutline {
    #[serde(default)]
    suspend: Option<bool>,
}

/// Whether a stored Job goes on, or has still to go. A text that does not read is the controller's to complain about.
pub(super) fn job_has_work(text: &str) -> bool {
    let Ok(job) = serde_json::from_str::<JobOutline<'_>>(text) else { return true };
    let is_end = |condition: &ConditionOutline<'_>| {
        matches!(&*condition.type_, "Complete" | "Failed") && condition.status == "True"
    };
    !job.status.conditions.iter().any(is_end)
        || job.spec.ttl_seconds_after_finished.is_some()
        || job.metadata.deletion_timestamp.is_some()
}

/// Whether a stored CronJob starts Jobs, or waits for them to go.
pub(super) fn cron_job_has_work(text: &str) -> bool {
    let Ok(cron_job) = serde_json::from_str::<CronJobOutline>(text) else { return true };
    cron_job.metadata.deletion_timestamp.is_some() || cron_job.spec.suspend != Some(true)
}

/// Whether a stored StatefulSet is to have pods, or has not been looked at since it was changed.
pub(super) fn stateful_set_has_work(text: &str) -> bool {
    let Ok(set) = serde_json::from_str::<StatefulSetOutline>(text) else { return true };
    set.metadata.deletion_timestamp.is_some()
        || set.spec.replicas != Some(0)
        || set.status.observed_generation != set.metadata.generation
}

/// Whether something can still happen to a stored pod.
pub(super) fn pod_has_work(text: &str) -> bool {
    serde_json::from_str::<PodOutline<'_>>(text).map_or(true, |pod| !pod.is_finished())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_write_is_not_taken_for_what_controllers_say() {
        let looks_finished = r#"{"metadata":{"labels":{"type":"Failed","phase":"Succeeded"}},"spec":{}}"#;
        assert!(job_has_work(looks_finished));
        assert!(pod_has_work(&looks_finished.replace("{\"metadata\":{", "{\"metadata\":{\"uid\":\"u\",")));
        let job = |status: &str, spec: &str| {
            job_has_work(&format!(
                r#"{{"metadata":{{}},"spec":{spec},"status":{{"conditions":[{status}]}}}}"#
            ))
        };
        assert!(!job(r#"{"type":"Failed","status":"True"}"#, "{}"));
        assert!(job(r#"{"type":"Failed","status":"False"}"#, "{}"), "not yet");
        assert!(job(r#"{"type":"Suspended","status":"True"}"#, "{}"));
        assert!(
            job(r#"{"type":"Complete","status":"True"}"#, r#"{"ttlSecondsAfterFinished":0}"#),
            "it has to go"
        );
        let set = |replicas: i32, observed: i64| {
            stateful_set_has_work(&format!(
                r#"{{"metadata":{{"generation":2}},"spec":{{"replicas":{replicas}}},"status":{{"observedGeneration":{observed}}}}}"#
            ))
        };
        assert!(set(1, 2) && set(0, 1) && !set(0, 2));
        let cron_job =
            |suspend: &str| cron_job_has_work(&format!(r#"{{"metadata":{{}},"spec":{{{suspend}}}}}"#));
        assert!(cron_job("") && cron_job(r#""suspend":false"#) && !cron_job(r#""suspend":true"#));
    }

    #[test]
    fn a_pod_is_done_once_it_is_counted() {
        let done = |metadata: &str, phase: &str| {
            let text = format!(
                r#"{{"metadata":{{"uid":"u"{metadata}}},"spec":{{}},"status":{{"phase":"{phase}"}}}}"#
            );
            serde_json::from_str::<PodOutline<'_>>(&text).expect("a pod").done()
        };
        let expected = DonePod { uid: "u".into(), owner: Some("o".into()), created: None };
        let owner = r#","ownerReferences":[{"uid":"x"},{"uid":"o","controller":true}]"#;
        assert_eq!(done(owner, "Failed"), Some(expected));
        assert_eq!(done(r#","finalizers":["batch.kubernetes.io/job-tracking"]"#, "Failed"), None);
        assert_eq!(done(r#","deletionTimestamp":"2026-01-01T00:00:00Z""#, "Failed"), None);
        assert_eq!(done("", "Running"), None);
        assert_eq!(done(r#","labels":{"phase":"Failed"}"#, "Running"), None);
    }
}
