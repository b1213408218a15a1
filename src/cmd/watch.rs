//! `watch`: the controller in the foreground, and the entry of the one that nobody sees.

use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{SigSet, Signal};

use super::context::{Context, Global};
use super::outcome::DryRun;
use super::output::say;
use crate::api::kinds::{Key, Kind};
use crate::kubelet::{COMPANION, set_title};
use crate::manager::{
    Config, Controller, ControllerMode, clock, restart_after_error, run_hook_of_cron_job, take_and_run_hook,
    tell_trace,
};
use crate::store::{Store, holder_of};

/// Make passes until interrupted, one line per change
///
/// Takes over from the controller in the background and hands back to one at the end.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Leave when nothing is left to wait for
    #[arg(long)]
    until_idle: bool,
}

/// How long a controller in the background may take to leave.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the controller.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let mode = if args.until_idle { ControllerMode::UntilIdle } else { ControllerMode::Foreground };
    let context = Context::open_to_create(global, DryRun::None)?;
    let (controller, lock) = take_over(&context, mode)?;
    // Who watches no more is as one who interrupts: a controller in the background goes on.
    let print = |line: &str| {
        say(line).inspect_err(|_| {
            let _ = nix::sys::signal::kill(nix::unistd::getpid(), Signal::SIGTERM);
        })
    };
    let mut teller = Teller::start(LONGEST_QUEUE, print)?;
    let ran = controller.run(context.client.config(), lock, |line| {
        teller.tell(line);
        tell_trace();
    });
    ran.and(teller.finish()).map(|()| ExitCode::SUCCESS)
}

/// How many lines wait for a reader at most.
const LONGEST_QUEUE: usize = 4096;
/// How long the last lines may take to be read.
const LAST_LINES: Duration = Duration::from_secs(1);

/// Prints in a thread of its own: a pipe that nobody reads holds up no Job. Lines that find the queue full are dropped, and
/// that is said when there is room again.
struct Teller {
    lines: mpsc::SyncSender<String>,
    finished: mpsc::Receiver<Result<()>>,
    dropped: usize,
}

impl Teller {
    fn start(most: usize, print: impl Fn(&str) -> Result<()> + Send + 'static) -> Result<Self> {
        let (lines, queue) = mpsc::sync_channel::<String>(most);
        let (done, finished) = mpsc::channel();
        let print = move || {
            // Once nobody reads any more, nothing needs to be said.
            let said = queue.iter().try_for_each(|line| print(&line));
            let _ = done.send(said);
        };
        // The controller takes these by a descriptor; in no thread may they do what they do by default.
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGTERM);
        signals.add(Signal::SIGINT);
        signals.thread_block().context("block signals")?;
        std::thread::Builder::new().name("output".into()).spawn(print).context("start a thread")?;
        Ok(Self { lines, finished, dropped: 0 })
    }

    fn tell(&mut self, line: &str) {
        if self.dropped > 0 && self.lines.try_send(dropped(self.dropped)).is_ok() {
            self.dropped = 0;
        }
        // The notice comes before what follows it.
        let is_full = self.dropped > 0
            || matches!(self.lines.try_send(line.to_owned()), Err(mpsc::TrySendError::Full(_)));
        self.dropped += usize::from(is_full);
    }

    /// Lets the last lines be printed, if somebody reads.
    ///
    /// # Errors
    /// Lines that could not be printed.
    fn finish(self) -> Result<()> {
        if self.dropped > 0 {
            let _ = self.lines.try_send(dropped(self.dropped));
        }
        drop(self.lines);
        self.finished.recv_timeout(LAST_LINES).unwrap_or(Ok(()))
    }
}

fn dropped(count: usize) -> String {
    format!("({count} lines are missing here: they were not read in time)")
}

/// How often a companion looks whether the controller that runs has gone.
const COMPANION_INTERVAL: Duration = Duration::from_millis(200);

/// The controller that nobody sees: `kind` is one of the manager's two words for it.
pub(super) fn run_unseen(kind: &str, data_directory: &Path) -> Result<()> {
    // Started as /proc/self/exe, it would show as `exe`.
    let _ = nix::sys::prctl::set_name(c"jobctl-control");
    set_title(&format!("jobctl: controller of {}", data_directory.display()));
    let companion = kind == COMPANION;
    if companion {
        // However the verb ends, by a signal too, its companion is not to outlive it.
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
        if nix::unistd::getppid().as_raw() == 1 {
            return Ok(());
        }
    }
    let mode = if companion { ControllerMode::Foreground } else { ControllerMode::Background };
    let store = Store::trusted(data_directory);
    let log = store.clone();
    std::panic::set_hook(Box::new(move |panic| log.log_for_controller(clock(), &panic.to_string())));
    let mut config = Config::load(Some(data_directory))
        .inspect_err(|error| drop(store.note_controller_failure(clock(), &format!("{error:#}"))))?;
    if companion {
        config.background = false;
    }
    let start = || loop {
        match Controller::start(&config, mode)? {
            // Another may go before its verb does, and nobody else would come in its place.
            None if companion => std::thread::sleep(COMPANION_INTERVAL),
            started => return Ok(started),
        }
    };
    let ran = start().and_then(|started| match started {
        Some((controller, lock)) => {
            controller.run(&config, lock, |_| {})?;
            store.forget_controller_failures();
            Ok(())
        }
        None => Ok(()),
    });
    if let Err(error) = &ran {
        restart_after_error(&config, error);
    }
    ran
}

/// The process that runs the hook of a Job or a CronJob. What goes wrong is told by an Event, or by nobody.
pub(super) fn run_hook(data_directory: &Path, kind: &OsStr, namespace: &OsStr, name: &OsStr) -> ExitCode {
    let _ = nix::sys::prctl::set_name(c"jobctl-hook");
    // A signal to the terminal of whoever has started the controller is none of its business.
    let _ = nix::unistd::setsid();
    let key = Key::new(&namespace.to_string_lossy(), &name.to_string_lossy());
    let is_job = kind == Kind::Job.resource().singular;
    let done = Config::load(Some(data_directory)).and_then(|config| match is_job {
        true => take_and_run_hook(&config, &key),
        false => run_hook_of_cron_job(&config, &key),
    });
    if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks a controller in the background to leave, and takes its place.
fn take_over(context: &Context, mode: ControllerMode) -> Result<(Controller, crate::store::ProcessLock)> {
    let started = Instant::now();
    loop {
        if let Some(started) = Controller::start(context.client.config(), mode)? {
            return Ok(started);
        }
        ask_to_leave(context.client.local()?.store())?;
        if started.elapsed() > PATIENCE {
            bail!(
                "another controller holds {}",
                context.client.local()?.store().controller_lock_path().display()
            );
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn ask_to_leave(store: &Store) -> Result<()> {
    if let Some(pid) = holder_of(&store.controller_lock_path())? {
        let pid = nix::unistd::Pid::from_raw(pid);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_reads_in_time_are_counted() {
        let (read, lines) = mpsc::channel();
        let (go_on, wait) = mpsc::channel::<()>();
        let mut teller = Teller::start(3, move |line| {
            let _ = wait.recv();
            Ok(read.send(line.to_owned())?)
        })
        .expect("a thread");
        // One is with the reader or about to be, three wait.
        (0..10).for_each(|number| teller.tell(&number.to_string()));
        let kept = 10 - teller.dropped;
        assert!((3..=4).contains(&kept), "{kept}");
        for _ in 0..kept {
            go_on.send(()).expect("it waits");
        }
        let first: Vec<String> = (0..kept).map(|_| lines.recv().expect("a line")).collect();
        assert_eq!(first, (0..kept).map(|number| number.to_string()).collect::<Vec<_>>());
        teller.tell("last");
        drop(go_on);
        teller.finish().expect("all is said");
        let rest: Vec<String> = lines.iter().collect();
        assert_eq!(rest, [dropped(10 - kept), "last".to_owned()]);
    }
}
