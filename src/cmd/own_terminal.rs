//! This process's own terminal: raw while somebody talks through it with a program in a pod, and as it was after that.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr};

/// Signals that end a process by default.
pub(super) const DEADLY: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Those of the signals that are not ignored: whoever starts us may want that, as nohup does and shells with what they run in the
/// background. To wait for a signal would undo it.
pub(super) fn heeded(signals: impl IntoIterator<Item = Signal>) -> SigSet {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    signals.into_iter().filter(|signal| ignored & (1 << (*signal as i32 - 1)) == 0).collect()
}

/// The signals that end this process, and the one that tells of another size of its terminal: taken here, so that something
/// can be done before the end.
#[derive(Debug)]
pub(super) struct Signals {
    signals: SignalFd,
    mask: SigSet,
}

impl Signals {
    /// Holds them back until [`Signals::take`]. To be called before there are other threads.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn hold_back() -> Result<Self> {
        Self::hold_back_these(heeded(DEADLY.into_iter().chain([Signal::SIGWINCH])))
    }

    /// Holds back the one of another size alone, where somebody else takes the others.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn hold_back_size() -> Result<Self> {
        Self::hold_back_these([Signal::SIGWINCH].into_iter().collect())
    }

    fn hold_back_these(mask: SigSet) -> Result<Self> {
        mask.thread_block().context("block signals")?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        Ok(Self { signals: signals.context("wait for signals")?, mask })
    }

    /// Readable when one has come.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }

    /// Takes those that have come; true where the terminal has another size. One that is deadly ends this process, as it would
    /// have without us, after `last`.
    pub(super) fn take(&self, last: impl Fn()) -> bool {
        let mut is_resized = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let signal =
                i32::try_from(signal.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok());
            match signal {
                Some(Signal::SIGWINCH) => is_resized = true,
                Some(deadly) => {
                    last();
                    let _ = self.mask.thread_unblock();
                    let _ = raise(deadly);
                }
                None => {}
            }
        }
        is_resized
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let _ = self.mask.thread_unblock();
    }
}

/// The terminal at standard input, raw until this is dropped. [`Signals`] are to be held back meanwhile, and this restored before one
/// of them ends the process.
#[derive(Debug)]
pub(super) struct RawTerminal {
    before: Termios,
}

impl RawTerminal {
    /// Makes it raw.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(super) fn enter(_held_back: &Signals) -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("look at the terminal")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw).context("set up the terminal")?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before.clone());
        Ok(Self { before })
    }

    /// Makes it as it was.
    pub(super) fn restore(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

/// How the terminal was before it was made raw.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Makes it as it was, where it is raw: for whoever ends this process from another thread.
pub(super) fn restore() {
    if let Some(before) = &*BEFORE.lock().unwrap_or_else(PoisonError::into_inner) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, before);
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.restore();
    }
}

/// How large this process's terminal is, if it has one.
pub(super) fn size() -> Option<Winsize> {
    tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()
}
