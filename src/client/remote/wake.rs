//! What wakes a verb that waits for a cluster.

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Context as _, Result};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// Readable when something has come since it was read last.
#[derive(Debug)]
pub(super) struct Wake(EventFd);

impl Wake {
    /// One that nothing has come to.
    ///
    /// # Errors
    /// No more descriptors.
    pub(super) fn new() -> Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        EventFd::from_value_and_flags(0, flags).map(Self).context("make an eventfd")
    }

    /// Wakes whoever waits.
    pub(super) fn ring(&self) {
        // It can fail only where it is full, and then it is readable.
        let _ = self.0.write(1);
    }

    /// Forgets what has come so far; it is about to be read.
    pub(super) fn clear(&self) {
        let _ = self.0.read();
    }

    /// To be waited for.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
