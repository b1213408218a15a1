//! The controllers: what to do next, from the objects and the time. Pure: nothing here reads a clock, a file or a
//! process; the manager commits the actions and performs them.

pub mod backoff;
mod cron_jobs;
pub mod cronjob;
pub mod endpoints;
pub mod ephemeral;
pub mod job;
mod leases;
pub mod pods;
pub mod policies;
pub mod room;
pub mod scheduler;
mod stateful_sets;
pub mod statefulset;
#[cfg(test)]
mod tests;
pub mod ttl;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::{ControllerRevision, CronJob, Job, PersistentVolumeClaim, Pod, StatefulSet};

pub use cron_jobs::OnceEvent;
pub use cronjob::{cron_job_reference, reconcile_cron_jobs};
pub use job::{ClockReading, JobFacts, job_reference};
pub use statefulset::reconcile_stateful_sets;
pub use world::{DonePod, JobEntry, PodEntry, PodOwner, Settings, World};

/// One thing to do. All actions of a plan go into one commit, so none can be done without the others.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Store a pod that is not there yet; the kubelet starts it.
    CreatePod(Box<Pod>),
    /// Store a changed pod: counted, released, or marked for deletion (the kubelet stops it).
    UpdatePod(Box<Pod>),
    /// Remove a pod that has stopped.
    RemovePod(Key),
    /// Store a Job with a new status.
    UpdateJobStatus(Box<Job>),
    /// Remove a Job.
    RemoveJob(Key),
    /// Store what the controller remembers of a Job beyond its status.
    UpdateFacts(Key, JobFacts),
    /// Store a Job that a CronJob starts, with what the API server adds to a new one.
    CreateJob(Box<Job>),
    /// Store a CronJob with a new status.
    UpdateCronJobStatus(Box<CronJob>),
    /// Remove a CronJob.
    RemoveCronJob(Key),
    /// What is a StatefulSet's alone.
    OfStatefulSet(SetAction),
    /// Remember that something has been said, so that it is not said at every sync.
    RecordOnce(OnceEvent),
    /// Record an Event.
    RecordEvent(EventRecord),
}

/// One thing to do for a StatefulSet beside its pods.
#[derive(Clone, Debug, PartialEq)]
pub enum SetAction {
    /// Store it with a new status.
    UpdateStatus(Box<StatefulSet>),
    /// Remove it.
    Remove(Key),
    /// Store a claim of one of its pods, with what the API server adds to a new one, bound.
    CreateClaim(Box<PersistentVolumeClaim>),
    /// Store a claim that goes with another owner.
    UpdateClaim(Box<PersistentVolumeClaim>),
    /// Remove a claim.
    RemoveClaim(Key),
    /// Store what it is, or is once more.
    PutRevision(Box<ControllerRevision>),
    /// Remove what it has been.
    RemoveRevision(Key),
}

/// What a reconciliation decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What to do, deletions before creations.
    pub actions: Vec<Action>,
    /// When a synced Job wants to be looked at again though nothing changes: retries, deadlines, TTL.
    pub wakes: BTreeMap<Key, Option<DateTime<Utc>>>,
}

/// Syncs the named Jobs. A Job that is not named costs nothing.
///
/// `seed` makes the names and uids of new pods; the same world, names, time and seed give the same plan.
pub fn reconcile(world: &World, jobs: &BTreeSet<Key>, now: DateTime<Utc>, seed: u64) -> Plan {
    let mut plan = Plan::default();
    let mut random = fastrand::Rng::with_seed(seed);
    for key in jobs {
        match world.job(key) {
            None => {
                plan.wakes.insert(key.clone(), None);
            }
            Some(JobEntry::Finished { uid, expires_at, deleting, .. }) => {
                let wake =
                    ttl::sync_finished(world, key, uid, *expires_at, *deleting, now, &mut plan.actions);
                plan.wakes.insert(key.clone(), wake);
            }
            Some(JobEntry::Unfinished(job)) => {
                let wake = job::sync_job(world, job, now, &mut random, &mut plan.actions);
                plan.wakes.insert(key.clone(), wake);
            }
        }
    }
    pods::release_abandoned(world, &mut plan.actions);
    scheduler::schedule_waiting(world, now, &mut plan.actions);
    for key in world.pods_to_remove() {
        plan.actions.push(Action::RemovePod(key.clone()));
    }
    plan
}
