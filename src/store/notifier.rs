//! A word of memory shared by all processes of a data directory, raised at every commit.
//!
//! `wait` and `get -w` sleep on it (a futex). inotify would do, but closing it takes the kernel 7 to 20 ms (measured,
//! Linux 6.18), which is more than all the rest of an `apply && wait`.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

use super::directory::open_or_create;

/// The mapped word. Missing a ring is impossible as long as the value is read before the journal is.
#[derive(Debug)]
pub(super) struct CommitNotifier {
    word: NonNull<AtomicU32>,
    /// On a disk that can only be read nobody commits: there is nothing to announce.
    is_writable: bool,
}

// SAFETY: the word is only ever touched through atomic operations.
unsafe impl Send for CommitNotifier {}
// SAFETY: as above.
unsafe impl Sync for CommitNotifier {}

const SIZE: usize = size_of::<AtomicU32>();

impl CommitNotifier {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, is_writable) = match open_or_create(path) {
            Ok(file) => (file, true),
            Err(error) => match File::open(path) {
                Ok(file) => (file, false),
                Err(_) => return Err(error),
            },
        };
        if file.metadata().is_ok_and(|found| found.len() < SIZE as u64) {
            // Written and not only made longer: touching a page for which the disk has no room would kill us.
            (&file).write_all(&[0; SIZE]).with_context(|| format!("extend {}", path.display()))?;
        }
        let protection = if is_writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        // SAFETY: a new shared mapping of a file that is at least as long; nobody shortens it, and the address is
        // page-aligned.
        let address = unsafe {
            libc::mmap(std::ptr::null_mut(), SIZE, protection, libc::MAP_SHARED, file.as_raw_fd(), 0)
        };
        let word = (address != libc::MAP_FAILED).then(|| NonNull::new(address.cast())).flatten();
        let word = word
            .ok_or_else(std::io::Error::last_os_error)
            .with_context(|| format!("map {}", path.display()))?;
        Ok(Self { word, is_writable })
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: mapped for as long as self lives.
        unsafe { self.word.as_ref() }
    }

    /// The value to pass to [`CommitNotifier::sleep`]; read it before reading what the commit notifier announces.
    pub(super) fn value(&self) -> u32 {
        self.word().load(Ordering::Acquire)
    }

    /// Wakes everybody who sleeps.
    pub(super) fn notify(&self) {
        if !self.is_writable {
            return;
        }
        self.word().fetch_add(1, Ordering::Release);
        // SAFETY: a futex operation on a valid word; shared between processes, so not the private kind.
        unsafe { libc::syscall(libc::SYS_futex, self.word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
    }

    /// Sleeps until the commit notifier is raised after `value` was read, or the time is over; may wake early.
    pub(super) fn sleep(&self, value: u32, at_most: Duration) {
        let timeout = libc::timespec {
            tv_sec: at_most.as_secs() as _,
            tv_nsec: at_most.subsec_nanos() as libc::c_long,
        };
        // SAFETY: as in `ring`; the timeout lives through the call.
        unsafe {
            libc::syscall(libc::SYS_futex, self.word.as_ptr(), libc::FUTEX_WAIT, value, &raw const timeout);
        }
    }
}

impl Drop for CommitNotifier {
    fn drop(&mut self) {
        // SAFETY: our own mapping, used by nobody after this.
        unsafe { libc::munmap(self.word.as_ptr().cast(), SIZE) };
    }
}
