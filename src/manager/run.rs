//! The controller: passes in a loop, sleeping on inotify and one timer between them.

use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration as StdDuration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use super::engine::Engine;
use super::follow::Watches;
use super::{Config, clock};
use crate::kubelet::{Launcher, raise_open_files};
use crate::store::{ProcessLock, Store, clock_offset, holder_of, sync_journal};

/// How the controller ends and what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControllerMode {
    /// In the background: leaves when nothing is left to wait for, says nothing.
    Background,
    /// In the foreground until interrupted.
    Foreground,
    /// In the foreground until nothing is left to wait for.
    UntilIdle,
}

/// How often, at most, what passes have learned is synced to the disk.
const SYNC_INTERVAL: StdDuration = StdDuration::from_millis(200);

/// The running controller; one per data directory.
#[derive(Debug)]
pub struct Controller {
    engine: Engine,
    store: Store,
    mode: ControllerMode,
}

/// Why the loop ended.
enum End {
    Idle,
    Interrupted,
    /// The lock's file has been removed: somebody else may hold another of that name.
    Unlocked,
    /// The configuration has been changed: another controller goes by it.
    Outdated,
}

impl Controller {
    /// Takes the controller's lock and loads the state; `None` when another controller runs.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn start(config: &Config, mode: ControllerMode) -> Result<Option<(Self, ProcessLock)>> {
        raise_open_files();
        let store = Store::open(&config.data_directory)?;
        let Some(lock) = ProcessLock::try_acquire(&store.controller_lock_path())? else { return Ok(None) };
        let launcher = Launcher::start(store.root(), config.background)?;
        let engine = Engine::load(config, &store, launcher)?;
        Ok(Some((Self { engine, store, mode }, lock)))
    }

    /// Runs until the mode says to end. `say` gets one line for each thing done.
    ///
    /// # Errors
    /// A store that cannot be read or written; a kubelet process that is gone.
    pub fn run(mut self, config: &Config, lock: ProcessLock, mut say: impl FnMut(&str)) -> Result<()> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGTERM);
        mask.add(Signal::SIGINT);
        mask.thread_block().context("block signals")?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let timer =
            TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let mut watches = Watches::new(&self.store, true)?;
        config.directory().iter().for_each(|directory| watches.follow_configuration(directory));
        let syncer = Syncer::start()?;
        let mut lock = Some(lock);
        let mut is_replaced;
        loop {
            let end = self.work(config, lock.as_ref(), &signals, &timer, &mut watches, &syncer, &mut say)?;
            // Let go first, look again after: whoever found the lock held and left word before this moment is heard.
            drop(lock.take());
            is_replaced = matches!(end, End::Unlocked | End::Outdated);
            if is_replaced || matches!(end, End::Interrupted) || !self.engine.has_news()? {
                break;
            }
            match ProcessLock::try_acquire(&self.store.controller_lock_path())? {
                Some(again) => lock = Some(again),
                None => break,
            }
        }
        // Whoever leaves has nothing that a power cut could take back.
        self.engine.sync()?;
        // A data directory that was removed is not to be made again.
        let hand_over = self.store.is_laid_out() && (!self.engine.is_idle() || self.engine.has_news()?);
        self.engine.finish();
        if hand_over && config.background && (is_replaced || self.mode != ControllerMode::Background) {
            super::ensure_controller(config, &self.store)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "what the loop listens to")]
    fn work(
        &mut self,
        config: &Config,
        lock: Option<&ProcessLock>,
        signals: &SignalFd,
        timer: &TimerFd,
        watches: &mut Watches,
        syncer: &Syncer,
        say: &mut impl FnMut(&str),
    ) -> Result<End> {
        let path = self.store.controller_lock_path();
        // Where nothing is left to do: until when to stay for the next command, and whether it has come.
        let mut leave_at: Option<Instant> = None;
        loop {
            watches.drain()?;
            if let Some(lock) = lock
                && !lock.is_named(&path)?
            {
                return Ok(End::Unlocked);
            }
            // What is configured holds at once: pods may wait for more room, or for what an image runs.
            if config.is_outdated() {
                return Ok(End::Outdated);
            }
            let report = self.engine.pass()?;
            report.lines.iter().for_each(|line| say(line));
            if report.committed {
                syncer.ask(&self.engine)?;
            }
            // A new watch does not tell of what came between the pass and itself.
            if let Some(journal) = self.engine.journal_path()
                && watches.follow_journal(&journal)?
                && self.engine.has_news()?
            {
                continue;
            }
            if self.mode != ControllerMode::Foreground && self.engine.is_idle() {
                if self.engine.has_news()? {
                    continue;
                }
                if report.committed || leave_at.is_none() {
                    self.engine.tidy()?;
                    leave_at = Some(Instant::now() + self.idle_timeout(config));
                }
                let left =
                    leave_at.map_or(StdDuration::ZERO, |at| at.saturating_duration_since(Instant::now()));
                if left.is_zero() {
                    return Ok(End::Idle);
                }
                if self.sleep(signals, timer, watches, Some(left))? {
                    return Ok(End::Interrupted);
                }
                continue;
            }
            leave_at = None;
            if self.sleep(signals, timer, watches, None)? {
                return Ok(End::Interrupted);
            }
            self.engine.hear_of_adopted_deaths();
        }
    }

    /// Only a controller that nobody sees stays when it has nothing to do.
    fn idle_timeout(&self, config: &Config) -> StdDuration {
        if self.mode == ControllerMode::Background { config.idle_timeout } else { StdDuration::ZERO }
    }

    /// Sleeps until there is something to do, or for so long. True when asked to end.
    fn sleep(
        &self,
        signals: &SignalFd,
        timer: &TimerFd,
        watches: &Watches,
        at_most: Option<StdDuration>,
    ) -> Result<bool> {
        set_timer(timer, self.engine.next_wake())?;
        let mut fds = [
            PollFd::new(signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(watches.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.engine.launcher().as_fd(), self.engine.launcher().wants()),
            PollFd::new(timer.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.engine.adopted(), PollFlags::POLLIN),
        ];
        let timeout = at_most.map(|left| left + StdDuration::from_millis(1));
        let timeout =
            timeout.map_or(PollTimeout::NONE, |left| PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error).context("wait for work"),
        }
        Ok(fds[0].any() == Some(true))
    }
}

/// The wall clock's timer: it goes on through suspend, and a jump of the clock wakes us to look again.
fn set_timer(timer: &TimerFd, at: Option<DateTime<Utc>>) -> Result<()> {
    let Some(at) = at else { return timer.unset().context("clear the timer") };
    // A time of zero would disarm the timer. What tests have set is not the system's clock.
    let at = at.max(clock()) - clock_offset();
    let spec = TimeSpec::new(at.timestamp(), i64::from(at.timestamp_subsec_nanos()));
    let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET;
    match timer.set(Expiration::OneShot(spec), flags) {
        // The clock has been set since the last time; the timer is set all the same.
        Err(nix::errno::Errno::ECANCELED) => Ok(()),
        set => set.context("set the timer"),
    }
}

/// Syncs the journal beside the loop, in groups: a slow disk must not hold up pods.
#[derive(Debug)]
struct Syncer {
    asked: Arc<(Mutex<Asked>, Condvar)>,
}

/// The journal that holds the newest commits, once somebody has committed.
#[derive(Debug, Default)]
struct Asked {
    journal: Option<std::fs::File>,
    is_over: bool,
}

impl Syncer {
    fn start() -> Result<Self> {
        let asked = Arc::new((Mutex::new(Asked::default()), Condvar::new()));
        let hears = Arc::clone(&asked);
        std::thread::Builder::new()
            .name("sync".into())
            .stack_size(64 << 10)
            .spawn(move || {
                while wait_for_commits(&hears) {
                    std::thread::sleep(SYNC_INTERVAL);
                    // What was committed meanwhile is covered by the same sync; a journal before this one went into a
                    // snapshot, which is on the disk.
                    let newest = lock(&hears.0).journal.take();
                    if let Some(journal) = newest {
                        let _ = sync_journal(&journal);
                    }
                }
            })
            .context("start the sync thread")?;
        Ok(Self { asked })
    }

    fn ask(&self, engine: &Engine) -> Result<()> {
        lock(&self.asked.0).journal = engine.sync_handle()?;
        self.asked.1.notify_one();
        Ok(())
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        lock(&self.asked.0).is_over = true;
        self.asked.1.notify_one();
    }
}

fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// False once nobody will ask any more.
fn wait_for_commits((asked, more): &(Mutex<Asked>, Condvar)) -> bool {
    let is_waiting = |asked: &mut Asked| asked.journal.is_none() && !asked.is_over;
    let asked = more.wait_while(lock(asked), is_waiting).unwrap_or_else(PoisonError::into_inner);
    !asked.is_over
}

/// The pid of the running controller.
///
/// # Errors
/// The lock cannot be looked at.
pub(super) fn controller_pid(store: &Store) -> Result<Option<i32>> {
    holder_of(&store.controller_lock_path())
}
