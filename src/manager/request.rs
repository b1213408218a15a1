//! What verbs do: decide under the lock, commit, make it durable, and see to it that somebody goes on.

use std::collections::BTreeSet;
use std::process::Child;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use nix::sys::signal::SigSet;
use serde::de::DeserializeOwned;

use super::engine::PassReport;
use super::notice::leave_notice;
use super::outline::{cron_job_has_work, job_has_work, pod_has_work};
use super::pending::Revisions;
use super::run::controller_pid;
use super::{Config, Engine, Pending, clock, clock_reading, seed};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::key;
use crate::api::{Job, Pod};
use crate::controller::{Action, ClockReading, World, reconcile, scheduler};
use crate::kubelet::{COMPANION, CONTROLLER, Launcher, controller_by_supervisor, start_detached};
use crate::store::{
    ControllerFailures, LockedStore, ProcessLock, State, Store, StoreError, Table, Tail, is_out_of_room,
};

/// A request under way: the lock is held, the state is read.
#[derive(Debug)]
pub struct Request {
    /// The objects of the tables asked for.
    pub state: State,
    /// What is to be committed.
    pub pending: Pending,
    /// The time of the request.
    pub now: DateTime<Utc>,
    clock: ClockReading,
    /// For names and uids.
    pub random: fastrand::Rng,
    /// What this request has created.
    pub created: BTreeSet<(Kind, Key)>,
    /// Whether what is committed is going to free room on the disk.
    pub frees_room: bool,
    locked: LockedStore,
}

impl Request {
    /// Locks the store and reads tables.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn begin(store: &Store, tables: &[Table]) -> Result<Self> {
        let mut tables = tables.to_vec();
        // Where a new pod goes depends on the node.
        tables.push(Table::Nodes);
        tables.sort_unstable();
        tables.dedup();
        let (locked, state) = store.lock_and_read(&tables)?;
        let random = fastrand::Rng::with_seed(seed());
        let (pending, created) = (Pending::default(), BTreeSet::new());
        let now = clock();
        let clock = clock_reading(now);
        Ok(Self { state, pending, now, clock, random, created, frees_room: false, locked })
    }

    /// The resourceVersions that the objects written by this request will have.
    pub fn revisions(&self) -> Revisions {
        self.pending.revisions(self.locked.next_revision())
    }

    /// An object as this request leaves it: what it has made of it so far, else as stored.
    ///
    /// # Errors
    /// A damaged object.
    pub fn current<T: DeserializeOwned>(&self, table: Table, key: &Key) -> Result<Option<T>> {
        match self.pending.text_of(table, key)? {
            Some(text) => Ok(text.map(|text| serde_json::from_str(&text)).transpose()?),
            None => self.state.get(table, key).map(|object| object.parse()).transpose(),
        }
    }

    /// Stores a new Job with the pods of its first sync, so that whoever looks next sees them. One with a selector of
    /// the user's own may find pods to adopt: the controller, who knows all pods, syncs it.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn create_job(&mut self, config: &Config, job: Job) -> Result<()> {
        let job_key = key(&job.metadata);
        self.pending.put_job(job.clone());
        if job.spec.as_ref().is_some_and(|spec| spec.manual_selector == Some(true)) {
            return Ok(());
        }
        let mut world = self.world_of_node(config)?;
        world.put_job(job);
        let mut recorder = super::recorder::Recorder::default();
        for _ in 0..2 {
            let dirty = world.take_dirty();
            let plan = reconcile(&world, &dirty, self.now, self.random.u64(..));
            for action in plan.actions {
                match action {
                    Action::CreatePod(pod) => {
                        world.put_pod(Clone::clone(&pod));
                        self.pending.put_pod(*pod);
                    }
                    Action::UpdateJobStatus(job) => {
                        world.put_job(Clone::clone(&job));
                        self.pending.put_job(*job);
                    }
                    Action::UpdateFacts(_, facts) => {
                        self.pending.put_facts(job_key.clone(), &facts)?;
                        world.put_facts(job_key.clone(), facts);
                    }
                    Action::RecordEvent(event) => self.pending.put_event(&recorder.record(event))?,
                    // A Job without pods has none to change or remove, and one of ttl 0 goes in the next pass. CronJobs
                    // are not synced here.
                    Action::UpdatePod(_)
                    | Action::RemovePod(_)
                    | Action::RemoveJob(_)
                    | Action::CreateJob(_)
                    | Action::UpdateCronJobStatus(_)
                    | Action::RemoveCronJob(_)
                    | Action::Told(_) => {}
                }
            }
        }
        Ok(())
    }

    /// A world in which there is only the node.
    fn world_of_node(&self, config: &Config) -> Result<World> {
        let mut world = World::new(config.settings.clone());
        world.clock = self.clock;
        for (_, node) in self.state.objects(Table::Nodes) {
            world.put_node(&node.parse()?);
        }
        Ok(world)
    }

    /// Stores a new pod, scheduled.
    ///
    /// # Errors
    /// A damaged node.
    pub fn create_pod(&mut self, config: &Config, mut pod: Pod) -> Result<()> {
        let world = self.world_of_node(config)?;
        let event = scheduler::schedule(&world, &mut pod, self.now);
        self.pending.put_event(&event)?;
        self.pending.put_pod(pod);
        Ok(())
    }

    /// Commits what no controller has to act on.
    ///
    /// # Errors
    /// As [`Request::commit`].
    pub fn commit_quietly(self) -> Result<()> {
        self.commit_writes()?.sync()
    }

    fn commit_writes(mut self) -> Result<Tail> {
        let writes = self.pending.into_writes(self.locked.next_revision())?;
        if self.frees_room {
            self.locked.commit_what_frees_room(writes)?;
        } else {
            self.locked.commit(writes)?;
        }
        Ok(self.locked.unlock())
    }

    /// Commits, makes it survive a power cut, and has the controller go on. Nothing to commit costs nothing.
    ///
    /// # Errors
    /// A full disk or another failing write; nothing is changed then.
    pub fn commit(self, config: &Config, store: &Store) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let tail = self.commit_writes()?;
        // The controller starts while the disk syncs; success is reported after both.
        let started = ensure_controller(config, store);
        tail.sync()?;
        // A failure says that nothing was stored, and it was: whoever goes on later finds it.
        if let Err(error) = started {
            leave_notice(format!(
                "warning: everything was stored, but nobody goes on with it: {error:#}; the next command tries again"
            ));
        }
        Ok(())
    }
}

/// Sees to it that somebody acts on what has been committed: the running controller, a new one in the background,
/// or, where nothing may stay in the background, one pass here.
///
/// # Errors
/// No controller can be started.
pub fn ensure_controller(config: &Config, store: &Store) -> Result<()> {
    if controller_pid(store)?.is_some() {
        return Ok(());
    }
    if !config.background {
        run_pass_here(config, store)?;
        return Ok(());
    }
    if let Some(failures) = store.controller_failures().filter(|failures| failures.count > 1) {
        let left = failures.at + failures.wait() - clock();
        let ControllerFailures { count, error, .. } = &failures;
        let next = if left > chrono::Duration::zero() {
            format!("the next tries in {} s", left.num_seconds() + 1)
        } else {
            "another tries now".into()
        };
        leave_notice(format!(
            "warning: {count} controllers in a row have failed, the last: {error}; {next}; more: jobctl doctor"
        ));
        // The one that failed last waits to start it.
        if left > chrono::Duration::zero() && left < failures.wait() {
            return Ok(());
        }
    }
    if !controller_by_supervisor(store) {
        start_detached(CONTROLLER, store.root()).context("start the controller")?;
    }
    Ok(())
}

/// Brings the controller back where there is work and none runs: after a `kill -9` the next command does it. `tables`
/// says where to look for work: a verb that only lists does not read every pod for it. True when it was started.
///
/// # Errors
/// A store that cannot be read.
pub fn revive_controller(config: &Config, store: &Store, tables: &[Table]) -> Result<bool> {
    if !config.background || controller_pid(store)?.is_some() {
        return Ok(false);
    }
    let mut tables = tables.to_vec();
    tables.push(Table::CronJobs);
    tables.sort_unstable();
    tables.dedup();
    let (state, _) = store.read(&tables)?;
    let has = |table: Table, has_work: fn(&str) -> bool| {
        state.objects(table).any(|(_, object)| has_work(object.text))
    };
    let work = has(Table::CronJobs, cron_job_has_work)
        || has(Table::Pods, pod_has_work)
        || has(Table::Jobs, job_has_work);
    if work {
        ensure_controller(config, store)?;
    }
    Ok(work)
}

/// What brings a controller back that could not go on: a full disk, a kubelet process that was killed. Waits a moment,
/// for what has failed now mostly fails again at once, or until there is room on the disk, and starts another. A damaged
/// store, or one of a newer program, is no matter of time, and a data directory that was removed is not to be made again.
pub fn come_back(config: &Config, error: &anyhow::Error) {
    let store = Store::trusted(&config.data_directory);
    let failures = store.note_controller_failure(clock(), &format!("{error:#}"));
    // What goes on without some commits can be read anew.
    let is_final = error.downcast_ref().is_some_and(|error| !matches!(error, StoreError::Gap { .. }));
    if !config.background || is_final {
        return;
    }
    // Whoever asks us to leave meanwhile is obeyed at once.
    let _ = SigSet::all().thread_unblock();
    let goes_on = if is_out_of_room(error) {
        wait_for_room(&store)
    } else {
        std::thread::sleep(failures.wait().to_std().unwrap_or(FIRST_WAIT));
        true
    };
    if goes_on && store.is_laid_out() {
        let _ = ensure_controller(config, &store);
    }
}

/// How long a controller waits for room on the disk before it looks again; doubled as long as there is none.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// Waits with the controller's lock held: others who would start a controller need not, for it would fail like this one.
/// False where somebody else holds the lock, or there is no store any more.
fn wait_for_room(store: &Store) -> bool {
    let Ok(Some(_lock)) = ProcessLock::try_acquire(&store.controller_lock_path()) else { return false };
    let mut wait = FIRST_WAIT;
    loop {
        std::thread::sleep(wait);
        if !store.is_laid_out() {
            return false;
        }
        if store.has_room() {
            return true;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Runs one pass in this process, unless a controller runs (`None`).
///
/// # Errors
/// As [`Engine::pass`].
pub fn run_pass_here(config: &Config, store: &Store) -> Result<Option<PassReport>> {
    if store.is_absent() {
        return Ok(Some(PassReport::default()));
    }
    let Some(lock) = ProcessLock::try_acquire(&store.controller_lock_path())? else { return Ok(None) };
    let launcher = Launcher::start(store.root(), config.background)?;
    let mut engine = Engine::load(config, store, launcher)?;
    let mut report = engine.pass()?;
    let mut lock = Some(lock);
    loop {
        // As the controller leaves: whoever committed while the lock was held has left the acting to us.
        drop(lock.take());
        if !engine.has_commits()? {
            break;
        }
        lock = ProcessLock::try_acquire(&store.controller_lock_path())?;
        if lock.is_none() {
            break;
        }
        let more = engine.pass()?;
        report.lines.extend(more.lines);
        report.committed |= more.committed;
    }
    engine.sync()?;
    engine.finish();
    Ok(Some(report))
}

/// Where nothing may stay in the background, a verb that waits brings its own controller and takes it away again.
#[derive(Debug)]
pub struct Companion {
    child: Option<Child>,
}

impl Companion {
    /// Starts a controller for as long as this value lives, where none may run in the background.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn start(config: &Config, store: &Store) -> Result<Self> {
        if config.background {
            revive_controller(config, store, &[Table::Jobs, Table::Pods])?;
            return Ok(Self { child: None });
        }
        if store.is_absent() {
            return Ok(Self { child: None });
        }
        Ok(Self { child: Some(start_detached(COMPANION, store.root()).context("start the controller")?) })
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let pid = nix::unistd::Pid::from_raw(child.id() as i32);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
            let _ = child.wait();
        }
    }
}
