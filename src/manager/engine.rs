//! One pass: lock, catch up, take in the pods' reports, decide, commit, act, unlock.

mod act;
mod decide;
mod garbage;
mod intake;
mod load;
mod names;
mod stateful_sets;
mod volumes;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::adopted::Adopted;
use super::timers::Timers;
use super::world::{Environments, TABLES};
use super::{clock, clock_reading};
use crate::api::Pod;
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::api::resource_field::Amounts;
use crate::api::security::Identity;
use crate::apiserver::{Recorder, Writes};
use crate::controller::{ClockReading, World};
use crate::kubelet::actions::{ConfigObjects, Prepared};
use crate::kubelet::{HookProcesses, Launcher};
use crate::store::{Inbox, LockedStore, Spares, State, Store, StoreError, Table, Tail};
use names::Names;

/// How often a supervisor is looked at whose end nobody tells us.
const LOOK_AGAIN: Duration = Duration::seconds(1);
/// How long to wait before asking again for something that a process was about to do.
const SOON: Duration = Duration::milliseconds(5);

/// How many spare directories a controller leaves behind.
const SPARES_LEFT: usize = 32;

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
    set_timers: Timers<Key>,
    pod_timers: Timers<Key>,
    supervised: HashMap<Box<str>, Supervision>,
    adopted: Adopted,
    launcher: Launcher,
    environment: BTreeMap<String, String>,
    /// How much pods can have of this machine.
    allocatable: Amounts,
    environments: Environments,
    me: Identity,
    config: ConfigObjects,
    /// Whether hooks have been looked for that a controller before us has not started.
    has_looked_for_hooks: bool,
    /// The processes that run hooks, as far as they may have to be waited for.
    hooks: HookProcesses,
    /// Whether processes of ours may go on in the background.
    background: bool,
    /// Whether something has gone that others may belong to.
    has_lost_owners: bool,
    /// Where a pod that was being deleted has gone: maybe the last of a namespace that waits for it.
    emptied_namespaces: BTreeSet<String>,
    names: Names,
    /// Why the volumes of pods could not be prepared, by uid: said in the next pass.
    unprepared: HashMap<Box<str>, String>,
    /// Directories for pods to come.
    spares: Spares,
    /// Uids of pods whose supervisor may have died: settled in the next pass, after the inbox has been read.
    suspects: BTreeSet<String>,
    /// Removed pods of Jobs that went while no controller ran: nobody will ask for them again.
    leftovers: Vec<Key>,
    /// After a compaction that failed: when to try again.
    compact_after: Option<DateTime<Utc>>,
}

impl Engine {
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
        let timers = [&self.job_timers, &self.pod_timers, &self.cron_timers, &self.set_timers];
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
    pub fn finish(mut self) {
        self.spares.shrink(SPARES_LEFT);
        self.launcher.finish();
        if !self.background {
            // Nothing of ours may be left.
            self.hooks.wait();
        }
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
            self.world.enqueue_pod(key);
        }
        self.settle_suspects(now, &mut round)?;
        self.see_departed();
        for key in self.job_timers.take_due(now) {
            self.world.mark_dirty(key);
        }
        for key in self.cron_timers.take_due(now) {
            self.world.cron_jobs.enqueue(key);
        }
        for key in self.set_timers.take_due(now) {
            self.world.stateful_sets.enqueue(key);
        }
        self.decide(now, &mut round)?;
        let committed = !round.writes.is_empty();
        if committed {
            let writes = std::mem::take(&mut round.writes).into_writes(locked.next_revision())?;
            if round.directories.is_empty() {
                locked.commit(writes)?;
            } else {
                locked.commit_what_frees_room(writes, now)?;
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

    fn put_pod(&mut self, pod: Pod, round: &mut Round) {
        self.world.put_pod(pod.clone());
        round.writes.put(pod);
    }

    fn record(&mut self, event: EventRecord, round: &mut Round) -> Result<()> {
        round.writes.put_event(&self.recorder.record(event))
    }
}

/// What one pass has gathered so far.
#[derive(Debug, Default)]
struct Round {
    writes: Writes,
    /// Jobs and CronJobs whose hooks are due.
    hooks: BTreeSet<(Kind, Key)>,
    launches: Vec<Prepared>,
    stops: Vec<(Key, Box<str>, DateTime<Utc>, i64)>,
    /// Reports taken in.
    taken: Vec<PathBuf>,
    /// Running pods whose ConfigMaps or Secrets have changed.
    refresh: BTreeSet<Key>,
    /// Directories of claims that are gone.
    claims: Vec<String>,
    /// Uids of pods that have ended and had volumes of their own.
    ended: Vec<String>,
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
