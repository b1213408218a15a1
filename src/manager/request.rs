//! What verbs do: decide under the lock, commit, make it durable, and see to it that somebody goes on.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::SigSet;
use nix::unistd::Pid;

use super::engine::PassReport;
use super::notice::leave_notice;
use super::outline::{cron_job_has_work, job_has_work, pod_has_work, stateful_set_has_work};
use super::run::controller_pid;
use super::{Config, Engine, clock, clock_reading, seed};
use crate::apiserver::{Moment, Transaction};
use crate::kubelet::{COMPANION, CONTROLLER, Launcher, controller_by_supervisor, start_detached};
use crate::store::{ControllerFailures, ProcessLock, State, Store, StoreError, Table, Tail, is_out_of_room};

/// Locks the store for requests that are committed together.
///
/// # Errors
/// A store that cannot be read.
pub fn begin(config: &Config, store: &Store, tables: &[Table]) -> Result<Transaction> {
    let now = clock();
    let moment = Moment { now, clock: clock_reading(now), seed: seed() };
    Transaction::begin(store, &config.settings, moment, tables)
}

/// As [`begin`], for whoever holds the whole store in memory: `read` takes in what was committed last.
///
/// # Errors
/// A store that cannot be read.
pub fn begin_after(
    config: &Config,
    store: &Store,
    read: impl FnOnce() -> Result<(State, Tail)>,
) -> Result<Transaction> {
    let (locked, state) = store.lock_after(read)?;
    let now = clock();
    let moment = Moment { now, clock: clock_reading(now), seed: seed() };
    Ok(Transaction::after(store, &config.settings, moment, locked, state))
}

/// Commits what no controller has to act on.
///
/// # Errors
/// As [`commit`].
pub fn commit_quietly(transaction: Transaction) -> Result<()> {
    transaction.commit()?.map_or(Ok(()), |tail| tail.sync())
}

/// Commits, makes it survive a power cut, and has the controller go on. Nothing to commit costs nothing.
///
/// # Errors
/// A full disk or another failing write; nothing is changed then.
pub fn commit(transaction: Transaction, config: &Config, store: &Store) -> Result<()> {
    let Some(tail) = transaction.commit()? else { return Ok(()) };
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
    tables.extend([Table::CRON_JOBS, Table::STATEFUL_SETS]);
    tables.sort_unstable();
    tables.dedup();
    let (state, _) = store.read(&tables)?;
    let has = |table: Table, has_work: fn(&str) -> bool| {
        state.objects(table).any(|(_, object)| has_work(object.text))
    };
    let work = has(Table::CRON_JOBS, cron_job_has_work)
        || has(Table::STATEFUL_SETS, stateful_set_has_work)
        || has(Table::PODS, pod_has_work)
        || has(Table::JOBS, job_has_work);
    if work {
        ensure_controller(config, store)?;
    }
    Ok(work)
}

/// What brings a controller back that could not go on: a full disk, a kubelet process that was killed. Waits a moment,
/// for what has failed now mostly fails again at once, or until there is room on the disk, and starts another. A damaged
/// store, or one of a newer program, is no matter of time, and a data directory that was removed is not to be made again.
pub fn restart_after_error(config: &Config, error: &anyhow::Error) {
    if matches!(error.downcast_ref(), Some(StoreError::Removed { .. })) {
        return;
    }
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
    child: Option<Pid>,
}

impl Companion {
    /// Starts a controller for as long as this value lives, where none may run in the background.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn start(config: &Config, store: &Store) -> Result<Self> {
        if config.background {
            revive_controller(config, store, &[Table::JOBS, Table::PODS])?;
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
        if let Some(child) = self.child {
            let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGTERM);
            while nix::sys::wait::waitpid(child, None) == Err(nix::errno::Errno::EINTR) {}
        }
    }
}
