//! Plugins as processes. None of them outlives this one: whoever takes the signals that end it ends them first.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Output};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

/// How long a plugin that is told to end has for that.
const PATIENCE: Duration = Duration::from_millis(500);
/// What Ctrl-C ends comes to its end before the signal has come to us. So long nothing is said of it.
const MOMENT: Duration = Duration::from_millis(500);

/// The plugins that run.
struct Running {
    /// By what they get signals: a process, or a group of such where it is negative; and whether we have told them to end.
    targets: BTreeMap<Pid, bool>,
    /// Whether no other may be started.
    is_over: bool,
}

static RUNNING: Mutex<Running> = Mutex::new(Running { targets: BTreeMap::new(), is_over: false });
/// One has ended.
static ENDED: Condvar = Condvar::new();

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a program to its end; what it prints is returned.
///
/// # Errors
/// It cannot be started; this process is about to end.
pub(super) fn run(mut command: Command, is_interactive: bool) -> io::Result<Output> {
    // One that nobody talks with has a group for itself and what it starts. Whoever is at the terminal has the terminal's.
    if !is_interactive {
        command.process_group(0);
    }
    let (mut child, target) = {
        let mut running = running();
        if running.is_over {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let child = command.spawn()?;
        let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
        let target = Pid::from_raw(if is_interactive { pid } else { -pid });
        running.targets.insert(target, false);
        (child, target)
    };
    let mut printed = Vec::new();
    let read = child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut printed));
    // Until it is waited for, nobody else has its number.
    let process = Pid::from_raw(target.as_raw().abs());
    while waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
    let (is_told, is_over) = {
        let mut running = running();
        (running.targets.remove(&target) == Some(true), running.is_over)
    };
    ENDED.notify_all();
    let status = child.wait()?;
    if is_over {
        // How it has ended is nobody's business any more.
        loop {
            std::thread::park();
        }
    }
    if status.signal().is_some() && !is_told {
        std::thread::sleep(MOMENT);
    }
    read?;
    Ok(Output { status, stdout: printed, stderr: Vec::new() })
}

fn end(mut running: MutexGuard<'static, Running>) {
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        for (target, is_told) in &mut running.targets {
            let _ = kill(*target, signal);
            *is_told = true;
        }
        let waited = ENDED.wait_timeout_while(running, PATIENCE, |running| !running.targets.is_empty());
        running = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Ends the plugins that run. Others may be started.
pub fn end_plugins() {
    end(running());
}

/// Ends the plugins that run, and lets no other be started: this process is about to end.
pub fn end_plugins_for_good() {
    let mut running = running();
    running.is_over = true;
    end(running);
}
