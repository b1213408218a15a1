//! Reading and writing the conditions of Jobs and Pods.

use chrono::{DateTime, Utc};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{Pod, PodCondition};

use super::meta::time;

/// Whether a Job's condition of that type is True.
pub fn is_job_condition_true(job: &Job, kind: &str) -> bool {
    job_condition(job, kind).is_some_and(|condition| condition.status == "True")
}

/// A Job's condition of that type.
pub fn job_condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    job.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// Whether a Job has reached its end: Complete or Failed (upstream's IsJobFinished).
pub fn is_job_finished(job: &Job) -> bool {
    is_job_condition_true(job, "Complete") || is_job_condition_true(job, "Failed")
}

/// When the Job reached its end.
pub fn job_finished_at(job: &Job) -> Option<DateTime<Utc>> {
    ["Complete", "Failed"].iter().find_map(|kind| {
        let condition = job_condition(job, kind).filter(|condition| condition.status == "True")?;
        condition.last_transition_time.as_ref().map(|time| time.0)
    })
}

/// A new condition of a Job, with both times set to `now` as the Job controller does.
pub fn new_job_condition(
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: DateTime<Utc>,
) -> JobCondition {
    JobCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_probe_time: Some(time(now)),
        last_transition_time: Some(time(now)),
    }
}

/// Whether a pod has ended: phase Succeeded or Failed.
pub fn is_pod_finished(pod: &Pod) -> bool {
    matches!(pod_phase(pod), "Succeeded" | "Failed")
}

/// A pod's phase, `Pending` where none is recorded yet.
pub fn pod_phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// A pod's condition of that type.
pub fn pod_condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// Whether a pod's condition Ready is True.
pub fn is_pod_ready(pod: &Pod) -> bool {
    pod_condition(pod, "Ready").is_some_and(|condition| condition.status == "True")
}

/// Whether a pod is not to be scheduled yet.
pub fn is_gated(pod: &Pod) -> bool {
    let gates = pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref());
    gates.is_some_and(|gates| !gates.is_empty())
}

/// Says that a pod is not to be scheduled yet.
pub fn set_gated_condition(conditions: &mut Vec<PodCondition>, now: DateTime<Utc>) {
    let message = "Scheduling is blocked due to non-empty scheduling gates";
    set_pod_condition(conditions, "PodScheduled", false, "SchedulingGated", message, now);
}

/// Sets a pod condition; the transition time moves only when the status does.
pub fn set_pod_condition(
    conditions: &mut Vec<PodCondition>,
    kind: &str,
    status: bool,
    reason: &str,
    message: &str,
    now: DateTime<Utc>,
) {
    let status = if status { "True" } else { "False" };
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let fresh = PodCondition {
        type_: kind.to_owned(),
        status: status.to_owned(),
        reason: optional(reason),
        message: optional(message),
        last_probe_time: None,
        last_transition_time: Some(time(now)),
        observed_generation: None,
    };
    match conditions.iter_mut().find(|condition| condition.type_ == kind) {
        None => conditions.push(fresh),
        Some(old) if old.status == fresh.status => {
            *old = PodCondition { last_transition_time: old.last_transition_time.take(), ..fresh };
        }
        Some(old) => *old = fresh,
    }
}
