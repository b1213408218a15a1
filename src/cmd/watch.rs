//! `watch`: the controller in the foreground, and the entry of the one that nobody sees.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::context::{Context, Global};
use super::outcome::DryRun;
use super::output::say;
use crate::manager::{COMPANION, Config, Controller, ControllerMode, come_back};
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
    let mut listener = Ok(());
    controller.run(&context.config, lock, |line| {
        if listener.is_ok() {
            listener = say(line);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The controller that nobody sees: `kind` is one of the manager's two words for it.
pub(super) fn run_unseen(kind: &str, data_directory: &Path) -> Result<()> {
    // Started as /proc/self/exe, it would show as `exe`.
    let _ = nix::sys::prctl::set_name(c"jobctl-control");
    let companion = kind == COMPANION;
    if companion {
        // However the verb ends, by a signal too, its companion is not to outlive it.
        nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
        if nix::unistd::getppid().as_raw() == 1 {
            return Ok(());
        }
    }
    let mode = if companion { ControllerMode::Foreground } else { ControllerMode::Background };
    let mut config = Config::load(Some(data_directory))?;
    if companion {
        config.background = false;
    }
    let ran = Controller::start(&config, mode).and_then(|started| match started {
        Some((controller, lock)) => controller.run(&config, lock, |_| {}),
        None => Ok(()),
    });
    if let Err(error) = &ran {
        come_back(&config, error);
    }
    ran
}

/// Asks a controller in the background to leave, and takes its place.
fn take_over(context: &Context, mode: ControllerMode) -> Result<(Controller, crate::store::ProcessLock)> {
    let started = Instant::now();
    loop {
        if let Some(started) = Controller::start(&context.config, mode)? {
            return Ok(started);
        }
        ask_to_leave(&context.store)?;
        if started.elapsed() > PATIENCE {
            bail!("another controller holds {}", context.store.controller_lock_path().display());
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
