//! Deleting with propagation: what becomes of a Job's pods (kubernetes-behaviour 2.13, 5.8).

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::api::conditions::{is_pod_finished, set_pod_condition};
use crate::api::kinds::Key;
use crate::api::meta::{
    FINALIZER_FOREGROUND, FINALIZER_JOB_TRACKING, controller_of, has_finalizer, key, remove_finalizer, time,
    uid,
};
use crate::api::{Job, Pod};
use crate::controller::pods::mark_deleted;

/// `--cascade`: what becomes of dependents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The object goes at once, its dependents after it.
    #[default]
    Background,
    /// The dependents go first.
    Foreground,
    /// The dependents stay, without an owner.
    Orphan,
}

/// What a deletion writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion {
    /// Remove the Job.
    RemoveJob(Key),
    /// Store the Job, marked for deletion.
    MarkJob(Box<Job>),
    /// Remove a pod that has ended.
    RemovePod(Key),
    /// Remove a pod that has ended while its Job lives on: what is left of it is kept beside.
    RetirePod(Box<Pod>),
    /// Store a changed pod: marked for deletion, or without its owner.
    UpdatePod(Box<Pod>),
}

/// Deletes a Job. `pods` are the pods that it owns.
pub fn delete_job(
    job: &Job,
    pods: Vec<Pod>,
    propagation: Propagation,
    grace_seconds: Option<i64>,
    now: DateTime<Utc>,
) -> Vec<Deletion> {
    match propagation {
        Propagation::Background => {
            let mut writes = vec![Deletion::RemoveJob(key(&job.metadata))];
            writes.extend(pods.into_iter().map(|mut pod| {
                // Nobody is left to count it.
                remove_finalizer(&mut pod.metadata, FINALIZER_JOB_TRACKING);
                if is_pod_finished(&pod) {
                    return Deletion::RemovePod(key(&pod.metadata));
                }
                mark_deleted(&mut pod, grace_seconds, now);
                Deletion::UpdatePod(Box::new(pod))
            }));
            writes
        }
        Propagation::Foreground => {
            let mut job = job.clone();
            job.metadata.deletion_timestamp.get_or_insert_with(|| time(now));
            job.metadata.deletion_grace_period_seconds.get_or_insert(0);
            if !has_finalizer(&job.metadata, FINALIZER_FOREGROUND) {
                job.metadata.finalizers.get_or_insert_default().push(FINALIZER_FOREGROUND.into());
            }
            let mut writes = vec![Deletion::MarkJob(Box::new(job))];
            // The controller stops the pods with their own grace period; a given one must be told now.
            if grace_seconds.is_some() {
                writes.extend(pods.into_iter().filter(|pod| !is_pod_finished(pod)).map(|mut pod| {
                    mark_deleted(&mut pod, grace_seconds, now);
                    Deletion::UpdatePod(Box::new(pod))
                }));
            }
            writes
        }
        Propagation::Orphan => {
            let mut writes = vec![Deletion::RemoveJob(key(&job.metadata))];
            writes.extend(pods.into_iter().map(|mut pod| {
                if let Some(owners) = &mut pod.metadata.owner_references {
                    owners.retain(|owner| owner.uid != uid(&job.metadata));
                }
                pod.metadata.owner_references =
                    pod.metadata.owner_references.filter(|owners| !owners.is_empty());
                remove_finalizer(&mut pod.metadata, FINALIZER_JOB_TRACKING);
                Deletion::UpdatePod(Box::new(pod))
            }));
            writes
        }
    }
}

/// Evicts a pod: it is told apart from one that fails of itself by its condition.
pub fn evict_pod(mut pod: Pod, grace_seconds: Option<i64>, now: DateTime<Utc>) -> Deletion {
    if !is_pod_finished(&pod) {
        let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        let (reason, message) = ("EvictionByEvictionAPI", "Eviction API: evicting");
        set_pod_condition(conditions, "DisruptionTarget", true, reason, message, now);
    }
    delete_pod(pod, grace_seconds, now)
}

/// Deletes a pod. One that runs is stopped first, one that waits to be counted is counted first.
pub fn delete_pod(mut pod: Pod, grace_seconds: Option<i64>, now: DateTime<Utc>) -> Deletion {
    let counted = !has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING);
    if is_pod_finished(&pod) && counted {
        return if controller_of(&pod.metadata).is_some() {
            Deletion::RetirePod(Box::new(pod))
        } else {
            Deletion::RemovePod(key(&pod.metadata))
        };
    }
    mark_deleted(&mut pod, grace_seconds, now);
    Deletion::UpdatePod(Box::new(pod))
}
