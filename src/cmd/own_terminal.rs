//! This process's own terminal: raw while somebody talks through it with a program in a pod, and as it was after that.

use std::io;

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::termios::{OptionalActions, Termios, Winsize, tcgetattr, tcgetwinsize, tcsetattr};

/// Signals that end a process by default.
const DEADLY: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// The terminal at standard input, raw until this is dropped.
#[derive(Debug)]
pub(super) struct RawTerminal {
    before: Termios,
    signals: SignalFd,
    mask: SigSet,
}

impl RawTerminal {
    /// Makes it raw. From now on signals are taken by [`RawTerminal::signal`]: one that ends this process must not leave the
    /// terminal raw. To be called before there are other threads.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub(super) fn enter() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("look at the terminal")?;
        let mut mask = SigSet::empty();
        DEADLY.into_iter().chain([Signal::SIGWINCH]).for_each(|signal| mask.add(signal));
        mask.thread_block().context("block signals")?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK);
        let terminal = Self { before, signals: signals.context("wait for signals")?, mask };
        let mut raw = terminal.before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw).context("set up the terminal")?;
        Ok(terminal)
    }

    /// Readable when a signal has come.
    pub(super) fn signals(&self) -> &SignalFd {
        &self.signals
    }

    /// Takes the signals that have come; true where the terminal has another size. One that is deadly ends this process, as it
    /// would have without us.
    pub(super) fn take_signals(&self) -> bool {
        let mut is_resized = false;
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let signal =
                i32::try_from(signal.ssi_signo).ok().and_then(|number| Signal::try_from(number).ok());
            match signal {
                Some(Signal::SIGWINCH) => is_resized = true,
                Some(deadly) => {
                    self.restore();
                    let _ = self.mask.thread_unblock();
                    let _ = raise(deadly);
                }
                None => {}
            }
        }
        is_resized
    }

    fn restore(&self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before);
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.restore();
        let _ = self.mask.thread_unblock();
    }
}

/// How large this process's terminal is, if it has one.
pub(super) fn size() -> Option<Winsize> {
    tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin())).ok()
}
