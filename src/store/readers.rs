//! Readers of record: who follows a Job and must see every byte that its containers write, however slowly they read.
//!
//! Such a reader holds two kinds of lock, both freed by the kernel when it ends in whatever way:
//!
//! - A byte of `readers.lock`, by which of them says of which Job it is. Taken before the Job is stored, so that no pod of
//!   it runs unseen. It costs no inode.
//! - flock, shared, on the part of each log that it is reading. The one after is locked before this one is let go, so
//!   there is always one.
//!
//! A supervisor asks only when a part of a log would have to go (see `kubelet/logs`).

use std::fs::{File, OpenOptions};
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, fcntl};

use super::directory::open_or_create;
use super::{LogPart, PodDirectory, Store};

const FILE: &str = "readers.lock";

/// Says, as long as it lives, that somebody reads the logs of some Jobs for the record.
#[derive(Debug)]
pub struct ReaderOfRecord {
    file: File,
}

impl ReaderOfRecord {
    /// Opens the file of locks; nothing is announced yet.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn new(store: &Store) -> Result<Self> {
        Ok(Self { file: open_or_create(&store.root().join(FILE))? })
    }

    /// Announces a Job.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn announce(&self, job_uid: &str) -> Result<()> {
        fcntl(&self.file, FcntlArg::F_OFD_SETLK(&byte_of(job_uid, libc::F_RDLCK)))
            .with_context(|| format!("lock {FILE}"))?;
        Ok(())
    }
}

/// Whether a reader of record follows this Job. One that cannot be asked for is none.
pub fn is_read_for_record(root: &Path, job_uid: &str) -> bool {
    is_locked(root, byte_of(job_uid, libc::F_WRLCK))
}

/// Whether anybody reads any Job for the record.
pub fn is_anything_read_for_record(root: &Path) -> bool {
    is_locked(root, libc::flock { l_start: 0, l_len: 0, ..byte_of("", libc::F_WRLCK) })
}

fn is_locked(root: &Path, mut lock: libc::flock) -> bool {
    let Ok(file) = OpenOptions::new().read(true).open(root.join(FILE)) else { return false };
    fcntl(&file, FcntlArg::F_OFD_GETLK(&mut lock)).is_ok() && lock.l_type != libc::F_UNLCK as libc::c_short
}

/// The byte that stands for a Job: 62 bits of a hash of its uid.
fn byte_of(job_uid: &str, kind: i32) -> libc::flock {
    let hash = job_uid.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: (hash >> 2) as libc::off_t,
        l_len: 1,
        l_pid: 0,
    }
}

/// The oldest part of a container's log that a reader of record holds.
pub fn oldest_part_being_read(
    directory: &PodDirectory,
    container: &str,
    parts: &[LogPart],
) -> Option<LogPart> {
    let is_held = |part: &&LogPart| {
        let file = File::open(directory.log_path(container, **part));
        file.is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
    };
    parts.iter().find(is_held).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_known_by_its_job_until_it_goes() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::trusted(place.path());
        assert!(!is_read_for_record(place.path(), "a"), "no reader ever");
        let (one, two) =
            (ReaderOfRecord::new(&store).expect("opened"), ReaderOfRecord::new(&store).expect("opened"));
        one.announce("a").expect("announced");
        one.announce("b").expect("announced");
        two.announce("a").expect("two may read the same");
        let known = || ["a", "b", "c"].map(|uid| is_read_for_record(place.path(), uid));
        assert_eq!(known(), [true, true, false]);
        assert!(is_anything_read_for_record(place.path()));
        drop(one);
        assert_eq!(known(), [true, false, false]);
        drop(two);
        assert_eq!(known(), [false, false, false]);
        assert!(!is_anything_read_for_record(place.path()));
    }

    #[test]
    fn the_oldest_part_that_is_held_is_found() {
        let place = tempfile::tempdir().expect("a directory");
        let directory = PodDirectory::new(place.path().to_owned());
        let parts = [LogPart::first(0), LogPart::first(1), LogPart::first(2)];
        let files = parts.map(|part| File::create(directory.log_path("main", part)).expect("a file"));
        let oldest = || oldest_part_being_read(&directory, "main", &parts);
        assert_eq!(oldest(), None);
        files[2].lock_shared().expect("locked");
        files[1].lock_shared().expect("locked");
        assert_eq!(oldest(), Some(parts[1]));
        files[1].unlock().expect("unlocked");
        assert_eq!(oldest(), Some(parts[2]));
    }
}
