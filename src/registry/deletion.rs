//! Deleting with propagation: what becomes of a Job's pods (kubernetes-behaviour 2.13, 5.8).

pub mod stateful_set;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use crate::api::conditions::{is_pod_finished, set_pod_condition};
use crate::api::kinds::Key;
use crate::api::meta::{
    FINALIZER_FOREGROUND, FINALIZER_JOB_TRACKING, controller_of, has_finalizer, is_foreign_finalizer, key,
    remove_finalizer, set_deletion, uid,
};
use crate::api::{ControllerRevision, CronJob, Job, ObjectMeta, PersistentVolumeClaim, Pod, StatefulSet};
use crate::controller::pods::{disown, mark_deleted};

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
    /// Remove the CronJob.
    RemoveCronJob(Key),
    /// Store the CronJob, marked for deletion.
    MarkCronJob(Box<CronJob>),
    /// Store a Job that has lost its owner.
    UpdateJob(Box<Job>),
    /// Remove the Job.
    RemoveJob(Key),
    /// Store the Job, marked for deletion.
    MarkJob(Box<Job>),
    /// Remove the StatefulSet.
    RemoveStatefulSet(Key),
    /// Store the StatefulSet, marked for deletion.
    MarkStatefulSet(Box<StatefulSet>),
    /// Remove a claim.
    RemoveClaim(Key),
    /// Store a claim that has lost its owner.
    UpdateClaim(Box<PersistentVolumeClaim>),
    /// Remove what a StatefulSet has been.
    RemoveRevision(Key),
    /// Store what a StatefulSet has been that is gone.
    UpdateRevision(Box<ControllerRevision>),
    /// Remove a pod that has ended.
    RemovePod(Key),
    /// Remove a pod that has ended while its Job lives on: what is left of it is kept beside.
    RetirePod(Box<Pod>),
    /// Store a changed pod: marked for deletion, or without its owner.
    UpdatePod(Box<Pod>),
}

/// Deletes a CronJob. `jobs` are the Jobs that it owns, each with the pods that it owns.
pub fn delete_cron_job(
    cron_job: &CronJob,
    jobs: Vec<(Job, Vec<Pod>)>,
    propagation: Propagation,
    grace_seconds: Option<i64>,
    now: DateTime<Utc>,
) -> Vec<Deletion> {
    let cron_job_key = key(&cron_job.metadata);
    match propagation {
        Propagation::Background => {
            let mut writes = vec![Deletion::RemoveCronJob(cron_job_key)];
            for (job, pods) in jobs {
                writes.extend(delete_job(&job, pods, Propagation::Background, grace_seconds, now));
            }
            writes
        }
        Propagation::Foreground => {
            let mut cron_job = cron_job.clone();
            mark_for_foreground(&mut cron_job.metadata, now);
            let mut writes = vec![Deletion::MarkCronJob(Box::new(cron_job))];
            for (job, pods) in jobs {
                writes.extend(delete_job(&job, pods, Propagation::Foreground, grace_seconds, now));
            }
            writes
        }
        Propagation::Orphan => {
            let mut writes = vec![Deletion::RemoveCronJob(cron_job_key)];
            writes.extend(jobs.into_iter().map(|(mut job, _)| {
                disown(&mut job.metadata, uid(&cron_job.metadata));
                Deletion::UpdateJob(Box::new(job))
            }));
            writes
        }
    }
}

fn mark_for_foreground(meta: &mut ObjectMeta, now: DateTime<Utc>) {
    if meta.deletion_timestamp.is_none() {
        set_deletion(meta, now, 0);
    }
    meta.deletion_grace_period_seconds.get_or_insert(0);
    if !has_finalizer(meta, FINALIZER_FOREGROUND) {
        meta.finalizers.get_or_insert_default().push(FINALIZER_FOREGROUND.into());
    }
}

/// Marks an object that is deleted and that somebody holds back: nothing else keeps it. Whether that changes anything.
pub fn mark_held(meta: &mut ObjectMeta, now: DateTime<Utc>) -> bool {
    let finalizers = meta.finalizers.iter().flatten();
    let left: Vec<String> = finalizers.filter(|finalizer| is_foreign_finalizer(finalizer)).cloned().collect();
    let is_marked = meta.deletion_timestamp.is_some()
        && meta.deletion_grace_period_seconds == Some(0)
        && meta.finalizers.as_ref() == Some(&left);
    if meta.deletion_timestamp.is_none() {
        set_deletion(meta, now, 0);
    }
    meta.deletion_grace_period_seconds = Some(0);
    meta.finalizers = Some(left);
    !is_marked
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
            mark_for_foreground(&mut job.metadata, now);
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
                disown(&mut pod.metadata, uid(&job.metadata));
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
        return if controller_of(&pod.metadata).is_some_and(|owner| owner.kind == "Job") {
            Deletion::RetirePod(Box::new(pod))
        } else {
            Deletion::RemovePod(key(&pod.metadata))
        };
    }
    mark_deleted(&mut pod, grace_seconds, now);
    Deletion::UpdatePod(Box::new(pod))
}
