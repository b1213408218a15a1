//! What becomes of a StatefulSet's pods, of the claims that go with it, and of what it has been.

use chrono::{DateTime, Utc};

use super::{Deletion, Propagation, mark_for_foreground};
use crate::api::conditions::is_pod_finished;
use crate::api::meta::{key, uid};
use crate::api::{ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet};
use crate::controller::pods::{disown, mark_deleted};

/// What a StatefulSet, or one of its pods, controls.
#[derive(Clone, Debug, Default)]
pub struct Dependents {
    /// Its pods.
    pub pods: Vec<Pod>,
    /// The claims that go with the set.
    pub claims: Vec<PersistentVolumeClaim>,
    /// The claims that go with one of its pods.
    pub claims_of_pods: Vec<PersistentVolumeClaim>,
    /// What it has been.
    pub revisions: Vec<ControllerRevision>,
}

/// Deletes a StatefulSet.
pub fn delete_stateful_set(
    set: &StatefulSet,
    dependents: Dependents,
    propagation: Propagation,
    grace_seconds: Option<i64>,
    now: DateTime<Utc>,
) -> Vec<Deletion> {
    let Dependents { pods, claims, claims_of_pods, revisions } = dependents;
    let owner = uid(&set.metadata);
    let gone = Deletion::RemoveStatefulSet(key(&set.metadata));
    let stop = |mut pod: Pod| {
        if is_pod_finished(&pod) {
            return Deletion::RemovePod(key(&pod.metadata));
        }
        mark_deleted(&mut pod, grace_seconds, now);
        Deletion::UpdatePod(Box::new(pod))
    };
    match propagation {
        Propagation::Background => {
            let mut writes = vec![gone];
            writes.extend(pods.into_iter().map(stop));
            let claims = claims.into_iter().chain(claims_of_pods);
            writes.extend(claims.map(|claim| Deletion::RemoveClaim(key(&claim.metadata))));
            writes.extend(revisions.into_iter().map(|one| Deletion::RemoveRevision(key(&one.metadata))));
            writes
        }
        Propagation::Foreground => {
            let mut set = set.clone();
            mark_for_foreground(&mut set.metadata, now);
            let mut writes = vec![Deletion::MarkStatefulSet(Box::new(set))];
            // The controller stops the pods with their own grace period; a given one must be told now.
            if grace_seconds.is_some() {
                writes.extend(pods.into_iter().map(stop));
            }
            writes
        }
        Propagation::Orphan => {
            let mut writes = vec![gone];
            writes.extend(pods.into_iter().map(|mut pod| {
                disown(&mut pod.metadata, owner);
                Deletion::UpdatePod(Box::new(pod))
            }));
            writes.extend(claims.into_iter().map(|mut claim| {
                disown(&mut claim.metadata, owner);
                Deletion::UpdateClaim(Box::new(claim))
            }));
            writes.extend(revisions.into_iter().map(|mut revision| {
                disown(&mut revision.metadata, owner);
                Deletion::UpdateRevision(Box::new(revision))
            }));
            writes
        }
    }
}
