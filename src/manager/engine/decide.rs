//! What the controllers and the kubelet decide, taken into the state and into the commit.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::super::seed;
use super::{Engine, Round, Supervision};
use crate::api::conditions::is_pod_finished;
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_OVERDUE, ANNOTATION_PASSED_ENVIRONMENT_ID, annotation, controller_of, is_held, key, uid,
};
use crate::api::{CronJob, ObjectMeta, Pod};
use crate::controller::scheduler::is_bound;
use crate::controller::{Action, JobEntry, reconcile, reconcile_cron_jobs, reconcile_stateful_sets};
use crate::kubelet::actions::{
    Blocked, Environment, FAILED_MOUNT, Referenced, blocked_status, failed_mount_event, killing_event,
    pod_run, take_report,
};
use crate::registry::deletion::mark_held;
use crate::registry::strategy::Strategy as _;
use crate::registry::tombstones::Tombstone;
use crate::store::{PodDirectory, Table};

/// A decision settles in two or three rounds; more would be a defect, and the next pass goes on anyway.
const MOST_ROUNDS: usize = 16;
/// Done pods beyond the threshold are collected in batches, so that one pass in many pays for the search.
const COLLECTION_BATCH: usize = 250;

impl Engine {
    /// Rounds of the kubelet's and the controllers' decisions, until nothing changes any more.
    pub(super) fn decide(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        for _ in 0..MOST_ROUNDS {
            for key in self.world.take_enqueued_pods() {
                self.look_at_pod(&key, now, round)?;
            }
            let dirty = self.world.take_dirty();
            let plan = reconcile(&self.world, &dirty, now, seed());
            for (key, wake) in &plan.wakes {
                self.job_timers.set(key, *wake);
            }
            let mut settled = plan.actions.is_empty();
            for action in plan.actions {
                self.take_action(action, now, round)?;
            }
            let cron_jobs = self.world.cron_jobs.take_dirty();
            let plan = reconcile_cron_jobs(&self.world, &cron_jobs, now, seed());
            for (key, wake) in &plan.wakes {
                self.cron_timers.set(key, *wake);
            }
            settled &= plan.actions.is_empty();
            for action in plan.actions {
                self.take_action(action, now, round)?;
            }
            let sets = self.world.stateful_sets.take_dirty();
            let plan = reconcile_stateful_sets(&self.world, &sets, now, seed());
            for (key, wake) in &plan.wakes {
                self.set_timers.set(key, *wake);
            }
            settled &= plan.actions.is_empty();
            for action in plan.actions {
                self.take_action(action, now, round)?;
            }
            self.collect_done_pods(round);
            if settled {
                break;
            }
        }
        self.collect_claims(now, round)?;
        self.collect_garbage(now, round)?;
        self.collect_namespaces(now, round)?;
        Ok(())
    }

    /// Pods that have ended beyond the node's threshold go, oldest first; their Jobs have counted them.
    pub(super) fn collect_done_pods(&mut self, round: &mut Round) {
        let threshold = self.world.settings.terminated_pod_threshold;
        if self.world.done_count() <= threshold + COLLECTION_BATCH.min(threshold) {
            return;
        }
        for key in self.world.excess_done_pods() {
            round.writes.delete(Table::PODS, key.clone());
            self.pod_removed(&key, round);
        }
    }

    pub(super) fn take_action(
        &mut self,
        action: Action,
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<()> {
        match action {
            Action::CreatePod(pod) => {
                round.say(|| format!("pod/{} created", crate::api::meta::name(&pod.metadata)));
                self.put_pod(*pod, round);
            }
            Action::UpdatePod(pod) => self.put_pod(*pod, round),
            Action::RemovePod(key) => {
                self.remove_pod(&key, now, round)?;
            }
            Action::UpdateJobStatus(job) => {
                round.say(|| job_line(&job));
                self.world.put_job(Clone::clone(&job));
                round.writes.put(job);
            }
            Action::RemoveJob(key) => {
                self.remove_job(&key, now, round)?;
            }
            Action::UpdateFacts(key, facts) => {
                round.writes.put_facts(key.clone(), &facts)?;
                if facts.hook_due {
                    round.hooks.insert((Kind::Job, key.clone()));
                }
                self.world.put_facts(key, facts);
            }
            Action::CreateJob(mut job) => {
                round.say(|| format!("job.batch/{} created", crate::api::meta::name(&job.metadata)));
                let job_uid = uid(&job.metadata).to_owned();
                job.set_defaults();
                job.prepare_for_create(&job_uid, now);
                job.canonicalize();
                self.world.put_job(Clone::clone(&job));
                round.writes.put(job);
            }
            Action::UpdateCronJobStatus(cron_job) => {
                let cron_key = key(&cron_job.metadata);
                let overdue = |meta: &ObjectMeta| annotation(meta, ANNOTATION_OVERDUE).map(str::to_owned);
                let before = self.world.cron_jobs.get(&cron_key).and_then(|known| overdue(&known.metadata));
                if overdue(&cron_job.metadata).is_some() && before.is_none() {
                    round.hooks.insert((Kind::CronJob, cron_key));
                }
                self.world.cron_jobs.put(Clone::clone(&cron_job));
                round.writes.put(cron_job);
            }
            Action::RemoveCronJob(key) => {
                let held = self.world.cron_jobs.get(&key).filter(|found| is_held(&found.metadata));
                if let Some(cron_job) = held {
                    let mut cron_job = CronJob::clone(cron_job);
                    if mark_held(&mut cron_job.metadata, now) {
                        self.world.cron_jobs.put(cron_job.clone());
                        round.writes.put(cron_job);
                    }
                    return Ok(());
                }
                round.say(|| format!("cronjob.batch/{} removed", key.name));
                self.world.cron_jobs.remove(&key);
                self.has_lost_owners = true;
                round.writes.delete(Table::CRON_JOBS, key);
            }
            Action::OfStatefulSet(action) => self.take_set_action(action, now, round),
            Action::RecordOnce(mark) => self.world.cron_jobs.mark_recorded(mark),
            Action::RecordEvent(event) => self.record(event, round)?,
        }
        Ok(())
    }

    /// Removes a pod that has stopped. While its Job lives, what is left of it is kept beside: evidence stays.
    pub(super) fn remove_pod(&mut self, key: &Key, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        if let Some(pod) = self.world.live_pod(key).filter(|pod| is_held(&pod.metadata)) {
            let mut pod = Pod::clone(pod);
            if mark_held(&mut pod.metadata, now) {
                self.put_pod(pod, round);
            }
            return Ok(());
        }
        round.say(|| format!("pod/{} removed", key.name));
        let kept = self.world.live_pod(key).filter(|pod| {
            controller_of(&pod.metadata).is_some_and(|owner| {
                self.world
                    .job_key(&owner.uid)
                    .is_some_and(|job| self.world.job(job).is_some_and(|entry| !is_being_deleted(entry)))
            })
        });
        let kept = kept.cloned();
        round.writes.delete(Table::PODS, key.clone());
        self.pod_removed(key, round);
        if let (Some(pod), Some(owner)) = (&kept, kept.as_ref().and_then(|pod| controller_of(&pod.metadata)))
        {
            let pod_uid = uid(&pod.metadata);
            round.writes.put_text(Table::RemovedPods, key.clone(), serde_json::to_string(&**pod)?);
            self.world.put_removed_pod(key.clone(), pod_uid, &owner.uid);
            round.directories.remove(pod_uid);
        }
        Ok(())
    }

    pub(super) fn remove_job(&mut self, key: &Key, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        let current = match self.world.job(key) {
            Some(JobEntry::Unfinished(job)) => Some(crate::api::Job::clone(job)),
            _ => self.stored_job(key, round)?,
        };
        if let Some(mut job) = current {
            if is_held(&job.metadata) {
                if mark_held(&mut job.metadata, now) {
                    self.world.put_job(job.clone());
                    round.writes.put(job);
                }
                return Ok(());
            }
            let tombstone = Tombstone::of(&job);
            round.writes.put_text(Table::Tombstones, key.clone(), serde_json::to_string(&tombstone)?);
        }
        round.say(|| format!("job.batch/{} removed", key.name));
        round.writes.delete(Table::JOBS, key.clone());
        round.writes.delete(Table::JobFacts, key.clone());
        self.job_removed(key, round);
        Ok(())
    }

    /// A finished Job is not held whole in memory; its end is read from the store when it goes. All that go in one pass
    /// are read at once: nobody else commits meanwhile.
    pub(super) fn stored_job(&self, key: &Key, round: &mut Round) -> Result<Option<crate::api::Job>> {
        let jobs = match &mut round.stored_jobs {
            Some(jobs) => jobs,
            none => none.insert(self.store.read(&[Table::JOBS])?.0),
        };
        jobs.get(Table::JOBS, key).map(|object| object.parse()).transpose()
    }

    /// What the kubelet does about one pod: start it, tell it to stop, or say why it cannot be started.
    pub(super) fn look_at_pod(&mut self, key: &Key, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        let Some(pod) = self.world.live_pod(key).cloned() else { return Ok(()) };
        if is_pod_finished(&pod) {
            return Ok(());
        }
        let pod_uid: Box<str> = uid(&pod.metadata).into();
        let deletion = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
        match (deletion, self.supervised.get_mut(&pod_uid)) {
            (None, Some(_)) => {}
            (None, None) => self.start_pod(&pod, key, now, round)?,
            (Some(deadline), Some(supervision)) => {
                let is_due = supervision.tell_again.is_some_and(|again| again <= now);
                if is_due || supervision.told.is_none_or(|told| deadline < told) {
                    if supervision.told.is_none() {
                        for event in killing_events(&pod, now) {
                            self.record(event, round)?;
                        }
                    }
                    round.stops.push((
                        key.clone(),
                        pod_uid,
                        deadline,
                        grace_left(&pod.metadata, deadline, now),
                    ));
                }
            }
            (Some(_), None) => self.end_unstarted_pod(&pod, key, now, round)?,
        }
        Ok(())
    }

    /// A pod that is to go and was never started has nothing to stop. Its directory is claimed first: the kubelet process of
    /// a controller that was killed may outlive it and start the pod yet, or have started it.
    pub(super) fn end_unstarted_pod(
        &mut self,
        pod: &Pod,
        key: &Key,
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<()> {
        let pod_uid = uid(&pod.metadata);
        if is_bound(pod) && PodDirectory::new(self.store.pod_path(pod_uid)).claim(None)?.is_none() {
            self.supervised.insert(pod_uid.into(), Supervision::default());
            self.suspects.insert(pod_uid.to_owned());
            self.pod_timers.set(key, Some(now));
            return Ok(());
        }
        let mut ended = Pod::clone(pod);
        ended.status.get_or_insert_default().phase = Some("Failed".into());
        self.put_pod(ended, round);
        Ok(())
    }

    pub(super) fn start_pod(
        &mut self,
        pod: &Pod,
        key: &Key,
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<()> {
        if !is_bound(pod) {
            return Ok(());
        }
        self.make_claims(pod, now, round);
        let owner: Option<&ObjectMeta> =
            controller_of(&pod.metadata).and_then(|owner| self.world.maker(&owner.uid));
        let owner = owner.unwrap_or(&pod.metadata);
        let none = BTreeMap::new();
        let id = annotation(owner, ANNOTATION_PASSED_ENVIRONMENT_ID)
            .or_else(|| annotation(&pod.metadata, ANNOTATION_PASSED_ENVIRONMENT_ID));
        let passed = id.and_then(|id| self.environments.get(id)).unwrap_or(&none);
        let environment =
            Environment { base: &self.environment, passed, me: self.me, nfs: &Self::nfs_for(pod) };
        let address = self.names.address_of(uid(&pod.metadata)).to_string();
        let referenced =
            Referenced { pod, address: &address, config: &self.config, allocatable: &self.allocatable };
        let resolved = match self.unprepared.remove(uid(&pod.metadata)) {
            Some(why) => Err(Blocked::by_volume(why)),
            None => pod_run(referenced, owner, &self.world, &environment),
        };
        match resolved {
            Ok(prepared) => {
                self.supervised.insert(prepared.run.uid.as_str().into(), Supervision::default());
                round.launches.push(prepared);
            }
            Err(blocked) => {
                let (status, wake) = blocked_status(pod, &blocked, now);
                self.pod_timers.set(key, wake);
                if blocked.reason == FAILED_MOUNT {
                    self.record(failed_mount_event(pod, blocked.message, now), round)?;
                }
                if pod.status.as_ref() != Some(&status)
                    && let Some((pod, events)) = take_report(pod, &status, now)
                {
                    events.into_iter().try_for_each(|event| self.record(event, round))?;
                    self.world.put_pod(pod.clone());
                    round.writes.put(pod);
                }
            }
        }
        Ok(())
    }
}

fn is_being_deleted(entry: &crate::controller::JobEntry) -> bool {
    match entry {
        crate::controller::JobEntry::Unfinished(job) => job.metadata.deletion_timestamp.is_some(),
        crate::controller::JobEntry::Finished { deleting, .. } => *deleting,
    }
}

/// One line about a Job for people who watch.
fn job_line(job: &crate::api::Job) -> String {
    let status = job.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let end = conditions
        .iter()
        .rfind(|condition| condition.status == "True")
        .map_or_else(String::new, |condition| format!(" {}", condition.type_));
    format!(
        "job.batch/{} {} active, {} succeeded, {} failed{end}",
        crate::api::meta::name(&job.metadata),
        status.active.unwrap_or(0),
        status.succeeded.unwrap_or(0),
        status.failed.unwrap_or(0)
    )
}

/// How many seconds a pod marked for deletion still has. The deadline is stored in whole seconds, cut off: what was
/// given is never shortened because of that, and a pass that comes late gives no more than is left.
fn grace_left(metadata: &ObjectMeta, deadline: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    let given = metadata.deletion_grace_period_seconds.unwrap_or(0);
    let left = (deadline + Duration::seconds(2) - now).num_seconds();
    given.min(left).max(0)
}

fn killing_events(pod: &Pod, now: DateTime<Utc>) -> Vec<EventRecord> {
    let Some(status) = &pod.status else { return Vec::new() };
    let init =
        status.init_container_statuses.iter().flatten().map(|container| ("spec.initContainers", container));
    let main = status.container_statuses.iter().flatten().map(|container| ("spec.containers", container));
    init.chain(main)
        .filter(|(_, container)| container.state.as_ref().is_some_and(|state| state.running.is_some()))
        .map(|(path, container)| killing_event(pod, path, &container.name, now))
        .collect()
}
