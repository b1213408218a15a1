//! One pass: lock, catch up, take in the pods' reports, decide, commit, act, unlock.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;

use anyhow::{Context, Result};
use chrono::{DateTime, Duration, Utc};

use super::adopted::Adopted;
use super::config::default_environment;
use super::load::{Environments, TABLES, load, place};
use super::node::allocatable;
use super::outline::PodOutline;
use super::timers::Timers;
use super::{Config, clock, clock_reading, seed};
use crate::api::conditions::is_pod_finished;
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{ANNOTATION_PASSED_ENVIRONMENT_ID, annotation, controller_of, key, uid};
use crate::api::resource_field::Amounts;
use crate::api::{ContainerStatus, ObjectMeta, Pod};
use crate::apiserver::{Recorder, Writes};
use crate::controller::scheduler::is_bound;
use crate::controller::{Action, ClockReading, JobFacts, PodEntry, World, reconcile, reconcile_cron_jobs};
use crate::kubelet::actions::{
    Environment, PodRun, blocked_status, killing_event, lost_status, pod_run, take_report,
};
use crate::kubelet::{
    Launcher, Session, Supervisor, continue_if_stopped, kill_strays, kill_supervisor, request_stop,
    supervisor_of,
};
use crate::registry::strategy::Strategy as _;
use crate::registry::tombstones::Tombstone;
use crate::store::{
    Change, Inbox, LockedStore, PodDirectory, PodReport, State, Store, StoreError, Table, Tail, crash_point,
    is_anything_read_for_record,
};

/// How long to wait before asking again for something that a process was about to do.
const SOON: Duration = Duration::milliseconds(5);
/// How long after a pod could not be started, for want of processes mostly, it is tried again.
const START_AGAIN: Duration = Duration::seconds(1);
/// How often a supervisor is looked at whose end nobody tells us.
const LOOK_AGAIN: Duration = Duration::seconds(1);
/// How long after its pod's deadline a supervisor that does not follow is killed.
const LATE: Duration = Duration::seconds(15);
/// How long after a request to stop it is repeated.
const AGAIN: Duration = Duration::seconds(3);
/// Done pods beyond the threshold are collected in batches, so that one pass in many pays for the search.
const COLLECTION_BATCH: usize = 250;
/// A decision settles in two or three rounds; more would be a defect, and the next pass goes on anyway.
const MOST_ROUNDS: usize = 16;

/// What a pass did.
#[derive(Clone, Debug, Default)]
pub struct PassReport {
    /// One line for each thing done, in order.
    pub lines: Vec<String>,
    /// Whether anything was committed.
    pub committed: bool,
}

/// What is known of a live pod's supervisor.
#[derive(Debug, Default)]
struct Supervision {
    /// The deletion deadline that it has been told.
    told: Option<DateTime<Utc>>,
    /// When it is to be told again: of two signals of a kind that come close together the kernel keeps one, and the
    /// other may have been for the pod before.
    tell_again: Option<DateTime<Utc>>,
}

/// The state in memory and the means to act on it. One process at a time has one: the holder of the controller's lock.
#[derive(Debug)]
pub struct Engine {
    store: Store,
    inbox: Inbox,
    tail: Option<Tail>,
    world: World,
    recorder: Recorder,
    job_timers: Timers<Key>,
    cron_timers: Timers<Key>,
    pod_timers: Timers<Key>,
    supervised: HashMap<Box<str>, Supervision>,
    adopted: Adopted,
    launcher: Launcher,
    environment: BTreeMap<String, String>,
    /// How much pods can have of this machine.
    allocatable: Amounts,
    environments: Environments,
    /// Uids of pods whose supervisor may have died: settled in the next pass, after the inbox has been read.
    suspects: BTreeSet<String>,
    /// Removed pods of Jobs that went while no controller ran: nobody will ask for them again.
    leftovers: Vec<Key>,
    /// After a compaction that failed: when to try again.
    compact_after: Option<DateTime<Utc>>,
}

impl Engine {
    /// Reads the store. The launcher must have been started before: forks are cheap only from a small process.
    ///
    /// # Errors
    /// A store that cannot be read, or is damaged.
    pub fn load(config: &Config, store: &Store, launcher: Launcher) -> Result<Self> {
        let mut world = World::new(config.settings.clone());
        let (tail, loaded) = load(store, &mut world)?;
        let before_boot = store.revision_before_boot(tail.revision());
        let mut engine = Self {
            store: store.clone(),
            inbox: Inbox::new(store.inbox_path()),
            tail: Some(tail),
            world,
            recorder: Recorder::default(),
            job_timers: Timers::new(),
            pod_timers: Timers::new(),
            cron_timers: Timers::new(),
            supervised: HashMap::new(),
            adopted: Adopted::new()?,
            launcher,
            environment: default_environment(),
            allocatable: allocatable(),
            environments: loaded.environments,
            suspects: BTreeSet::new(),
            leftovers: loaded.leftovers,
            compact_after: None,
        };
        let is_older = |key: &Key| loaded.revisions.get(key).is_some_and(|revision| *revision <= before_boot);
        engine.claim_for_the_dead(is_older)?;
        engine.adopt_supervisors()?;
        if !engine.supervised.is_empty() {
            engine.remember_events()?;
        }
        engine.sweep_pod_directories();
        engine.world.mark_all_dirty();
        Ok(engine)
    }

    /// Repeats are merged with Events that an earlier controller has recorded; only those of pods that were running
    /// already can have repeats.
    fn remember_events(&mut self) -> Result<()> {
        let live: HashSet<&str> =
            self.world.live_pods().map(|pod| crate::api::meta::name(&pod.metadata)).collect();
        let recorder = &mut self.recorder;
        self.store.stream(&[Table::Events], |change| {
            let about = change.name.rsplit_once('.').map_or("", |(name, _)| name);
            if let Some(text) = change.object.filter(|_| live.contains(about)) {
                recorder.remember(&serde_json::from_str(text).with_context(|| place(&change))?);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Pods that were stored before this machine started may have been started before it stopped, though their claims did
    /// not reach the disk. Claimed now, they are found to be without a supervisor, and are not run a second time unnoticed.
    fn claim_for_the_dead(&self, is_older: impl Fn(&Key) -> bool) -> Result<()> {
        for pod in self.world.live_pods() {
            if is_older(&key(&pod.metadata))
                && is_bound(pod)
                && !is_pod_finished(pod)
                && !is_known_to_wait(pod)
            {
                drop(PodDirectory::new(self.store.pod_path(uid(&pod.metadata))).claim()?);
            }
        }
        Ok(())
    }

    /// Pods that were started before us: by a controller that is gone, or by a verb.
    fn adopt_supervisors(&mut self) -> Result<()> {
        let pods: Vec<(String, Key)> =
            self.world.live_pods().map(|pod| (uid(&pod.metadata).to_owned(), key(&pod.metadata))).collect();
        for (uid, key) in pods {
            let directory = PodDirectory::new(self.store.pod_path(&uid));
            if !directory.is_claimed() {
                continue;
            }
            match supervisor_of(&directory)? {
                Supervisor::Alive(process) => self.adopt(&uid, &key, process),
                Supervisor::Gone => {
                    self.supervised.insert(uid.as_str().into(), Supervision::default());
                    self.suspects.insert(uid);
                }
            }
        }
        Ok(())
    }

    /// Takes over a living supervisor that is no child of our kubelet process.
    fn adopt(&mut self, uid: &str, key: &Key, process: Option<OwnedFd>) {
        self.supervised.insert(uid.into(), Supervision::default());
        if !self.adopted.add(uid, process) {
            self.pod_timers.set(key, Some(clock() + LOOK_AGAIN));
        }
    }

    /// Directories that a crash between a commit and the removal left behind.
    fn sweep_pod_directories(&self) {
        let known = self.world.known_uids();
        let Ok(entries) = std::fs::read_dir(self.store.root().join("pods")) else { return };
        let keep = is_anything_read_for_record(self.store.root());
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some(uid) = name.to_str().filter(|uid| !known.contains(*uid)) {
                self.clear_away(uid, keep);
            }
        }
    }

    /// The kubelet process, to listen to.
    pub fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// The journal being followed.
    pub fn journal_path(&self) -> Option<PathBuf> {
        self.tail.as_ref().map(|tail| tail.journal_path().to_owned())
    }

    /// Readable when an adopted supervisor has ended.
    pub fn adopted(&self) -> BorrowedFd<'_> {
        self.adopted.as_fd()
    }

    /// When the next pass is due though nothing happens.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        let timers = [&self.job_timers, &self.pod_timers, &self.cron_timers];
        timers.into_iter().filter_map(Timers::next).min()
    }

    /// Whether nothing is left to wait for.
    pub fn is_idle(&self) -> bool {
        self.world.live_pods().next().is_none() && self.next_wake().is_none()
    }

    /// Whether somebody has reported or committed since the last pass.
    ///
    /// # Errors
    /// The inbox or the journal cannot be read.
    pub fn has_news(&self) -> Result<bool> {
        Ok(self.has_commits()? || !self.inbox.is_empty()?)
    }

    /// Whether somebody has committed since the last pass.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn has_commits(&self) -> Result<bool> {
        let journal = self.journal_path();
        let moved = self.store.current_snapshot()?.join("journal.jsonl");
        let length = std::fs::metadata(&moved).map_or(0, |found| found.len());
        let read = self.tail.as_ref().map_or(0, Tail::offset);
        Ok(journal.as_ref() != Some(&moved) || length != read)
    }

    /// A handle on the journal, for syncing from another thread.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn sync_handle(&self) -> Result<Option<std::fs::File>> {
        self.tail.as_ref().map(Tail::sync_handle).transpose()
    }

    /// Makes what has been committed survive a power cut.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        self.tail.as_ref().map_or(Ok(()), Tail::sync)
    }

    /// Ends the kubelet process, once every supervisor asked for has been forked.
    pub fn finish(self) {
        self.launcher.finish();
    }

    /// Names the adopted supervisors that have ended.
    pub fn hear_of_adopted_deaths(&mut self) {
        self.suspects.extend(self.adopted.ended().into_iter().map(String::from));
    }

    /// Makes one pass.
    ///
    /// # Errors
    /// A store that cannot be read or written (then nothing is changed), or a kubelet process that is gone.
    pub fn pass(&mut self) -> Result<PassReport> {
        let now = clock();
        let reading = clock_reading(now);
        let deaths = self.launcher.deaths()?;
        self.suspects.extend(deaths);
        // Reports are read after the deaths have been heard of: a supervisor reports before it dies.
        let reports = self.inbox.reports()?;
        let tail = match self.tail.take() {
            Some(tail) => tail,
            None => self.store.read(&[])?.1,
        };
        let mut locked = self.store.lock(tail)?;
        let mut round = Round::default();
        self.follow_clock(reading);
        let mut failed = Ok(());
        locked.catch_up(&TABLES, |change| {
            if failed.is_ok() {
                failed = self.apply(&change, &mut round);
            }
        })?;
        failed?;
        for (path, report) in &reports {
            self.take_in(report, now, &mut round)?;
            round.taken.push(path.clone());
        }
        for key in std::mem::take(&mut self.leftovers) {
            round.writes.delete(Table::RemovedPods, key);
        }
        for key in self.pod_timers.take_due(now) {
            if let Some(uid) = self.world.pod_uid(&key).filter(|uid| self.adopted.is_unseen(uid)) {
                self.suspects.insert(uid.to_owned());
            }
            self.world.touch(key);
        }
        self.settle_suspects(now, &mut round)?;
        for key in self.job_timers.take_due(now) {
            self.world.mark_dirty(key);
        }
        for key in self.cron_timers.take_due(now) {
            self.world.cron_jobs.name(key);
        }
        self.decide(now, &mut round)?;
        let committed = !round.writes.is_empty();
        if committed {
            let writes = std::mem::take(&mut round.writes).into_writes(locked.next_revision())?;
            if round.directories.is_empty() {
                locked.commit(writes)?;
            } else {
                locked.commit_what_frees_room(writes)?;
            }
            self.compact(&mut locked, now)?;
        }
        self.tail = Some(locked.unlock());
        self.act(&mut round, now)?;
        Ok(PassReport { lines: round.lines, committed })
    }

    /// Somebody may have set the clock: timers move along, and what has been noted of Jobs when they are synced.
    fn follow_clock(&mut self, clock: ClockReading) {
        let before = std::mem::replace(&mut self.world.clock, clock);
        let Some(by) = clock.set_since(before) else { return };
        self.job_timers.shift(by);
        self.pod_timers.shift(by);
        for supervision in self.supervised.values_mut() {
            supervision.tell_again = supervision.tell_again.map(|again| again + by);
        }
        self.world.mark_all_dirty();
    }

    /// Takes in what a supervisor says of its pod.
    fn take_in(&mut self, report: &PodReport, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        let key = Key::new(&report.namespace, &report.name);
        let pod = self.world.live_pod(&key).filter(|pod| uid(&pod.metadata) == report.uid);
        if let Some((pod, events)) = pod.and_then(|pod| take_report(pod, &report.status, now)) {
            round.say(|| format!("pod/{} {}", report.name, report.status.phase.clone().unwrap_or_default()));
            events.into_iter().try_for_each(|event| self.record(event, round))?;
            self.put_pod(pod, round);
        }
        if report.last {
            self.suspects.remove(&report.uid);
            self.forget_supervisor(&report.uid);
        }
        Ok(())
    }

    /// What has been committed stands and must be acted on, whether or not there is room for a new snapshot. Without,
    /// the journal grows on for a minute before the next attempt.
    fn compact(&mut self, locked: &mut LockedStore, now: DateTime<Utc>) -> Result<()> {
        if self.compact_after.is_some_and(|after| now < after) {
            return Ok(());
        }
        self.compact_after = None;
        match locked.compact_if_due(now) {
            Err(error) if error.downcast_ref::<StoreError>().is_none() => {
                self.compact_after = Some(now + Duration::minutes(1));
                Ok(())
            }
            result => result.map(|_| ()),
        }
    }

    /// Leaves the store as readers like it best, with a short journal, and with its reserve. For when nothing is left to do.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn tidy(&mut self) -> Result<()> {
        self.store.keep_reserve();
        if self.world.live_pods().next().is_none() && self.supervised.is_empty() {
            self.store.shrink_pods_directory();
        }
        let Some(tail) = self.tail.take_if(|tail| tail.is_long()) else { return Ok(()) };
        let mut locked = self.store.lock(tail)?;
        let tidied = locked.compact_unless_behind(clock());
        self.tail = Some(locked.unlock());
        match tidied {
            Err(error) if error.downcast_ref::<StoreError>().is_some() => Err(error),
            // A full disk: the journal is as good, only longer.
            _ => Ok(()),
        }
    }

    /// Takes in what somebody else has committed.
    fn apply(&mut self, change: &Change<'_>, round: &mut Round) -> Result<()> {
        let key = Key::new(change.namespace, change.name);
        let damaged = |error: serde_json::Error| {
            anyhow::Error::new(error).context(format!("{} (revision {})", place(change), change.revision))
        };
        match (change.table, change.object) {
            (Table::Jobs, Some(text)) => {
                let job: crate::api::Job = serde_json::from_str(text).map_err(damaged)?;
                // Replaced by another of the same name: the old one is gone, with all that was kept for it.
                if self.world.job_uid(&key).is_some_and(|old| old != uid(&job.metadata)) {
                    self.job_removed(&key, round);
                }
                self.world.put_job(job);
            }
            (Table::Jobs, None) => self.job_removed(&key, round),
            (Table::Nodes, Some(text)) => {
                self.world.put_node(&serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CronJobs, Some(text)) => {
                self.world.cron_jobs.put(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CronJobs, None) => self.world.cron_jobs.remove(&key),
            (Table::Pods, Some(text)) => {
                let pod: Pod = serde_json::from_str(text).map_err(damaged)?;
                if self.world.pod_uid(&key).is_some_and(|old| old != uid(&pod.metadata)) {
                    self.pod_removed(&key, round);
                }
                self.world.put_pod(pod);
            }
            (Table::Pods, None) => self.pod_removed(&key, round),
            (Table::JobFacts, Some(text)) => {
                let facts: JobFacts = serde_json::from_str(text).map_err(damaged)?;
                self.world.put_facts(key, facts);
            }
            (Table::JobFacts, None) => self.world.remove_facts(&key),
            (Table::Environments, Some(text)) => {
                self.environments.insert(change.name.into(), serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::RemovedPods, Some(text)) => {
                let outline: PodOutline<'_> = serde_json::from_str(text).map_err(damaged)?;
                if let Some(owner) = outline.owner() {
                    round.directories.remove(outline.uid());
                    round.kept.insert(outline.uid().to_owned());
                    // Another Job may have taken it over from one that is gone.
                    round.writes.forget(Table::RemovedPods, &key);
                    self.world.put_removed_pod(key, outline.uid(), owner);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A Job is gone: so are the logs of pods kept for its sake.
    fn job_removed(&mut self, key: &Key, round: &mut Round) {
        let Some(owner) = self.world.remove_job(key) else { return };
        for (pod, uid) in self.world.take_removed_pods(&owner) {
            round.writes.delete(Table::RemovedPods, pod);
            round.directories.insert(uid.into());
        }
    }

    fn forget_supervisor(&mut self, pod_uid: &str) {
        self.supervised.remove(pod_uid);
        self.adopted.remove(pod_uid);
    }

    /// A pod is gone; its directory goes with it, unless its Job keeps it (which a later change may say).
    fn pod_removed(&mut self, key: &Key, round: &mut Round) {
        if let Some(entry) = self.world.pod(key) {
            let uid = match entry {
                PodEntry::Live(pod) => uid(&pod.metadata).to_owned(),
                PodEntry::Done(pod) => pod.uid.to_string(),
            };
            self.forget_supervisor(&uid);
            // What says that it is kept may stand before or after this in the same commit.
            if !round.kept.contains(&uid) {
                round.directories.insert(uid);
            }
            self.world.remove_pod(key);
        }
        self.pod_timers.set(key, None);
    }

    fn put_pod(&mut self, pod: Pod, round: &mut Round) {
        self.world.put_pod(pod.clone());
        round.writes.put(pod);
    }

    fn record(&mut self, event: EventRecord, round: &mut Round) -> Result<()> {
        round.writes.put_event(&self.recorder.record(event))
    }

    /// Pods whose supervisor is gone without a last report: their processes are killed for certain, then they are
    /// Failed. A pod that was never claimed is simply started again.
    fn settle_suspects(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        let keys: BTreeMap<String, Key> = self
            .world
            .live_pods()
            .map(|pod| (uid(&pod.metadata).to_owned(), key(&pod.metadata)))
            .filter(|(uid, _)| self.suspects.contains(uid))
            .collect();
        for pod_uid in std::mem::take(&mut self.suspects) {
            let Some(key) = keys.get(&pod_uid) else { continue };
            let Some(pod) = self.world.live_pod(key).cloned() else { continue };
            let directory = PodDirectory::new(self.store.pod_path(&pod_uid));
            self.forget_supervisor(&pod_uid);
            if !directory.is_claimed() {
                if pod.metadata.deletion_timestamp.is_some() {
                    self.world.touch(key.clone());
                } else {
                    self.pod_timers.set(key, Some(now + START_AGAIN));
                }
                continue;
            }
            if is_pod_finished(&pod) {
                continue;
            }
            // Of what we have heard only the lock is proof: somebody else's supervisor may have this pod.
            if let Supervisor::Alive(process) = supervisor_of(&directory)? {
                self.adopt(&pod_uid, key, process);
                self.world.touch(key.clone());
                continue;
            }
            // The commit that held its end may have been lost in a power cut.
            if let Some(report) = self.inbox.last_report_put_away(directory.path()) {
                self.take_in(&report, now, round)?;
                continue;
            }
            kill_strays(&pod_uid, &Session::all_in(&directory.lock_text()));
            round.say(|| format!("pod/{} lost: its supervisor is gone", key.name));
            let mut lost = Pod::clone(&pod);
            lost.status = Some(lost_status(&pod, now));
            self.put_pod(lost, round);
        }
        Ok(())
    }

    /// Rounds of the kubelet's and the controllers' decisions, until nothing changes any more.
    fn decide(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        for _ in 0..MOST_ROUNDS {
            for key in self.world.take_touched() {
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
            self.collect_done_pods(round);
            if settled {
                break;
            }
        }
        Ok(())
    }

    /// Pods that have ended beyond the node's threshold go, oldest first; their Jobs have counted them.
    fn collect_done_pods(&mut self, round: &mut Round) {
        let threshold = self.world.settings.terminated_pod_threshold;
        if self.world.done_count() <= threshold + COLLECTION_BATCH.min(threshold) {
            return;
        }
        for key in self.world.excess_done_pods() {
            round.writes.delete(Table::Pods, key.clone());
            self.pod_removed(&key, round);
        }
    }

    fn take_action(&mut self, action: Action, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        match action {
            Action::CreatePod(pod) => {
                round.say(|| format!("pod/{} created", crate::api::meta::name(&pod.metadata)));
                self.put_pod(*pod, round);
            }
            Action::UpdatePod(pod) => self.put_pod(*pod, round),
            Action::RemovePod(key) => {
                round.say(|| format!("pod/{} removed", key.name));
                self.remove_pod(&key, round)?;
            }
            Action::UpdateJobStatus(job) => {
                round.say(|| job_line(&job));
                self.world.put_job(Clone::clone(&job));
                round.writes.put(job);
            }
            Action::RemoveJob(key) => {
                round.say(|| format!("job.batch/{} removed", key.name));
                self.remove_job(&key, round)?;
            }
            Action::UpdateFacts(key, facts) => {
                round.writes.put_facts(key.clone(), &facts)?;
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
                self.world.cron_jobs.put(Clone::clone(&cron_job));
                round.writes.put(cron_job);
            }
            Action::RemoveCronJob(key) => {
                round.say(|| format!("cronjob.batch/{} removed", key.name));
                self.world.cron_jobs.remove(&key);
                round.writes.delete(Table::CronJobs, key);
            }
            Action::Told(mark) => self.world.cron_jobs.tell(mark),
            Action::RecordEvent(event) => self.record(event, round)?,
        }
        Ok(())
    }

    /// Removes a pod that has stopped. While its Job lives, what is left of it is kept beside: evidence stays.
    fn remove_pod(&mut self, key: &Key, round: &mut Round) -> Result<()> {
        let kept = self.world.live_pod(key).filter(|pod| {
            controller_of(&pod.metadata).is_some_and(|owner| {
                self.world
                    .job_key(&owner.uid)
                    .is_some_and(|job| self.world.job(job).is_some_and(|entry| !is_being_deleted(entry)))
            })
        });
        let kept = kept.cloned();
        round.writes.delete(Table::Pods, key.clone());
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

    fn remove_job(&mut self, key: &Key, round: &mut Round) -> Result<()> {
        if let Some(job) = self.stored_job(key, round)? {
            let tombstone = Tombstone::of(&job);
            round.writes.put_text(Table::Tombstones, key.clone(), serde_json::to_string(&tombstone)?);
        }
        round.writes.delete(Table::Jobs, key.clone());
        round.writes.delete(Table::JobFacts, key.clone());
        self.job_removed(key, round);
        Ok(())
    }

    /// A finished Job is not held whole in memory; its end is read from the store when it goes. All that go in one pass
    /// are read at once: nobody else commits meanwhile.
    fn stored_job(&self, key: &Key, round: &mut Round) -> Result<Option<crate::api::Job>> {
        let jobs = match &mut round.stored_jobs {
            Some(jobs) => jobs,
            none => none.insert(self.store.read(&[Table::Jobs])?.0),
        };
        jobs.get(Table::Jobs, key).map(|object| object.parse()).transpose()
    }

    /// What the kubelet does about one pod: start it, tell it to stop, or say why it cannot be started.
    fn look_at_pod(&mut self, key: &Key, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
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
    fn end_unstarted_pod(
        &mut self,
        pod: &Pod,
        key: &Key,
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<()> {
        let pod_uid = uid(&pod.metadata);
        if is_bound(pod) && PodDirectory::new(self.store.pod_path(pod_uid)).claim()?.is_none() {
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

    fn start_pod(&mut self, pod: &Pod, key: &Key, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        if !is_bound(pod) {
            return Ok(());
        }
        let owner: Option<&ObjectMeta> = controller_of(&pod.metadata)
            .and_then(|owner| self.world.unfinished_job(&owner.uid))
            .map(|job| &job.metadata);
        let owner = owner.unwrap_or(&pod.metadata);
        let none = BTreeMap::new();
        let id = annotation(owner, ANNOTATION_PASSED_ENVIRONMENT_ID)
            .or_else(|| annotation(&pod.metadata, ANNOTATION_PASSED_ENVIRONMENT_ID));
        let passed = id.and_then(|id| self.environments.get(id)).unwrap_or(&none);
        let environment = Environment { base: &self.environment, passed, allocatable: &self.allocatable };
        let resolved = pod_run(pod, owner, &self.world.settings, &environment);
        match resolved {
            Ok(run) => {
                self.supervised.insert(run.uid.as_str().into(), Supervision::default());
                round.launches.push(run);
            }
            Err(blocked) => {
                let (status, wake) = blocked_status(pod, &blocked, now);
                self.pod_timers.set(key, wake);
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

    /// After the commit: start, stop, and clear away. If we die here, the next pass finds the same things to do.
    fn act(&mut self, round: &mut Round, now: DateTime<Utc>) -> Result<()> {
        crash_point("before-act");
        for run in &round.launches {
            if !self.launcher.launch(run)? {
                self.supervised.remove(run.uid.as_str());
                self.pod_timers.set(&Key::new(&run.namespace, &run.name), Some(now + SOON));
            }
        }
        for (key, pod_uid, deadline, grace) in std::mem::take(&mut round.stops) {
            let directory = PodDirectory::new(self.store.pod_path(&pod_uid));
            let late = now - deadline;
            match supervisor_of(&directory)? {
                // It does not follow, for it is stopped again and again, or hangs.
                Supervisor::Alive(Some(process)) if late > LATE => {
                    kill_supervisor(&process);
                    self.suspects.insert(pod_uid.to_string());
                    self.pod_timers.set(&key, Some(now + SOON));
                }
                Supervisor::Alive(Some(process)) => {
                    if continue_if_stopped(&directory, &process)? && late > AGAIN {
                        kill_supervisor(&process);
                    }
                    let again = Some(
                        now + if request_stop(&process, &pod_uid, grace).is_ok() { AGAIN } else { SOON },
                    );
                    if let Some(supervision) = self.supervised.get_mut(&pod_uid) {
                        supervision.told = Some(deadline);
                        supervision.tell_again = again;
                    }
                    self.pod_timers.set(&key, again);
                }
                // Out of our reach, but alive.
                Supervisor::Alive(None) => self.pod_timers.set(&key, Some(now + LOOK_AGAIN)),
                // Just asked for, or just about to report its end.
                Supervisor::Gone => {
                    // Claimed, and the lock is free: the next pass reads its last report, or finds it lost.
                    if directory.is_claimed() {
                        self.suspects.insert(pod_uid.to_string());
                    }
                    self.pod_timers.set(&key, Some(now + SOON));
                }
            }
        }
        for path in &round.taken {
            self.inbox.put_away(path, &self.store.pods_path());
        }
        crash_point("reports-removed");
        if !round.directories.is_empty() {
            let keep = is_anything_read_for_record(self.store.root());
            round.directories.iter().for_each(|uid| self.clear_away(uid, keep));
        }
        Ok(())
    }

    /// Removes what a pod leaves behind that is not stored any more. One replaced by another of the same name may
    /// still run. `keep`: somebody may not have read its logs, and removes the directory then.
    fn clear_away(&self, pod_uid: &str, keep: bool) {
        let directory = PodDirectory::new(self.store.pod_path(pod_uid));
        if let Ok(Supervisor::Alive(Some(process))) = supervisor_of(&directory) {
            let _ = request_stop(&process, pod_uid, 0);
        }
        if !keep {
            directory.remove();
        }
    }
}

/// Whether the last word on a pod is that it could not be started yet.
fn is_known_to_wait(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let waits = |container: &ContainerStatus| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.waiting.is_some()) && container.restart_count == 0
    };
    let inits = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
    !containers.is_empty() && containers.iter().chain(inits).all(waits)
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

/// What one pass has gathered so far.
#[derive(Debug, Default)]
struct Round {
    writes: Writes,
    launches: Vec<PodRun>,
    stops: Vec<(Key, Box<str>, DateTime<Utc>, i64)>,
    /// Reports taken in.
    taken: Vec<PathBuf>,
    /// Uids of pods whose directories go after the commit.
    directories: BTreeSet<String>,
    /// Uids of pods that somebody else's commit has removed while their Job lives on.
    kept: HashSet<String>,
    /// The Jobs as stored, once one of them is removed.
    stored_jobs: Option<State>,
    lines: Vec<String>,
}

impl Round {
    fn say(&mut self, line: impl FnOnce() -> String) {
        self.lines.push(line());
    }
}
