//! Finished Jobs: removal after `ttlSecondsAfterFinished`, and foreground deletion (kubernetes-behaviour 2.13).

use chrono::{DateTime, Utc};

use super::{Action, World};
use crate::api::kinds::Key;

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

/// Removes the finished pods of an owner.
pub(super) fn remove_dependents(world: &World, uid: &str, actions: &mut Vec<Action>) {
    actions.extend(world.done_pods_of(uid).map(|key| Action::RemovePod(key.clone())));
}
