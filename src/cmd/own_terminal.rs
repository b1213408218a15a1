//! This process's own terminal: raw while somebody talks through it with a program in a pod, and as it was after that.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr};

/// Signals that end a process by default.
const DEADLY: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

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
        let mut mask = SigSet::empty();
        DEADLY.into_iter().chain([Signal::SIGWINCH]).for_each(|signal| mask.add(signal));
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
        Ok(Self { before })
    }

    /// Makes it as it was.
    pub(super) fn restore(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
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
