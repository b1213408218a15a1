//! Finished Jobs: removal after `ttlSecondsAfterFinished`, and foreground deletion (kubernetes-behaviour 2.13).

use chrono::{DateTime, SubsecRound, Utc};

use super::pods::mark_deleted;
use super::{Action, World};
use crate::api::Pod;
use crate::api::durations::after;
use crate::api::kinds::Key;
use crate::api::meta::{FINALIZER_JOB_TRACKING, remove_finalizer};

/// When `ttlSecondsAfterFinished` removes a Job. The time of its end is kept in whole seconds, cut off: what was given is
/// never shortened because of that. Even a Job that is to go at once stays for a second, as it does in a cluster whose
/// TTL controller has to hear of its end first: `wait`, `run` and `logs -f` see how it ended and all it wrote.
pub(super) fn expiry(finished_at: DateTime<Utc>, ttl_seconds: i32) -> DateTime<Utc> {
    after(finished_at.trunc_subsecs(0), 1 + i64::from(ttl_seconds.max(1)))
}

/// Removes a finished Job whose time has come, with its pods; says when to look again.
pub(super) fn sync_finished(
    world: &World,
    key: &Key,
    uid: &str,
    expires_at: Option<DateTime<Utc>>,
    deleting: bool,
    now: DateTime<Utc>,
    actions: &mut Vec<Action>,
) -> Option<DateTime<Utc>> {
    let due = deleting || expires_at.is_some_and(|at| at <= now);
    if !due {
        return expires_at;
    }
    remove_dependents(world, uid, actions);
    if world.live_pods_of(uid).next().is_none() {
        actions.push(Action::RemoveJob(key.clone()));
    }
    None
}

/// Removes a Job at once; its pods are stopped after it, and nobody counts them.
pub(super) fn delete_with_pods(
    world: &World,
    job: &Key,
    job_uid: &str,
    now: DateTime<Utc>,
    actions: &mut Vec<Action>,
) {
    for pod in world.live_pods_of(job_uid) {
        let mut deleted = Pod::clone(pod);
        remove_finalizer(&mut deleted.metadata, FINALIZER_JOB_TRACKING);
        mark_deleted(&mut deleted, None, now);
        actions.push(Action::UpdatePod(Box::new(deleted)));
    }
    remove_dependents(world, job_uid, actions);
    actions.push(Action::RemoveJob(job.clone()));
}

/// Removes the finished pods of an owner.
pub(super) fn remove_dependents(world: &World, uid: &str, actions: &mut Vec<Action>) {
    actions.extend(world.done_pods_of(uid).map(|key| Action::RemovePod(key.clone())));
}
