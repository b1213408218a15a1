//! Locks: the one around commits, and those that prove a process alive.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, fcntl};
use rustix::fs::RenameFlags;
use rustix::io::Errno;

use super::directory::open_or_create;
use super::{State, Store, Table, Tail};

/// The store, locked for a commit: [`LockedStore::commit`] cannot be called without holding it.
#[derive(Debug)]
pub struct LockedStore {
    // Declared first, so that the tail's files are closed before the lock goes.
    pub(super) tail: Tail,
    pub(super) store: Store,
    pub(super) lock: CommitLock,
}

/// The lock around commits and around what replaces the snapshot.
#[derive(Debug)]
pub(super) struct CommitLock {
    /// `None` where there is no store, and so nobody who could commit to it.
    _file: Option<File>,
}

impl Store {
    /// Waits for the lock.
    pub(super) fn lock_commits(&self) -> Result<CommitLock> {
        if self.is_absent() {
            return Ok(CommitLock { _file: None });
        }
        self.lock_directory()
    }

    /// As [`Store::lock_commits`], also where the store is just being made.
    pub(super) fn lock_directory(&self) -> Result<CommitLock> {
        loop {
            let file = self.open_lock_file()?;
            file.lock().context("lock the store")?;
            // Somebody may have removed the file: whoever comes now locks another one of that name.
            if is_named(&file, &self.lock_path())? {
                return Ok(CommitLock { _file: Some(file) });
            }
        }
    }
}

/// Whether a file is the one of that name.
fn is_named(file: &File, path: &Path) -> Result<bool> {
    let ours = file.metadata().with_context(|| format!("look at {}", path.display()))?;
    Ok(std::fs::symlink_metadata(path)
        .is_ok_and(|found| (found.dev(), found.ino()) == (ours.dev(), ours.ino())))
}

impl Store {
    /// Waits for the lock. `tail` says what the caller has already read; the caller catches up with
    /// [`LockedStore::catch_up`] before it decides anything.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn lock(&self, tail: Tail) -> Result<LockedStore> {
        let lock = self.lock_commits()?;
        Ok(LockedStore { tail, store: self.clone(), lock })
    }

    /// Waits for the lock, and then has `read` take in what has been committed; where its reading ended the commit goes.
    ///
    /// # Errors
    /// Failing system calls; what `read` says.
    pub fn lock_after<T>(&self, read: impl FnOnce() -> Result<(T, Tail)>) -> Result<(LockedStore, T)> {
        let lock = self.lock_commits()?;
        let (read, mut tail) = read()?;
        tail.cut_torn_end()?;
        Ok((LockedStore { tail, store: self.clone(), lock }, read))
    }

    /// Waits for the lock and reads tables under it: what a verb needs to decide and commit.
    ///
    /// # Errors
    /// Failing system calls; a damaged store.
    pub fn lock_and_read(&self, tables: &[Table]) -> Result<(LockedStore, State)> {
        self.lock_after(|| self.read(tables))
    }
}

/// A POSIX record lock held for the life of this process. Unlike flock it is not inherited by forked children,
/// the kernel frees it when the holder dies in whatever way, and it names the holder: the only proof of life we
/// accept. The file must not be opened and closed again in the holding process, or the lock is gone.
#[derive(Debug)]
pub struct ProcessLock {
    file: File,
}

impl ProcessLock {
    /// Takes the lock on an existing or new file; `None` when another process holds it.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>> {
        Self::lock(open_or_create(path)?, path)
    }

    /// Takes the lock on a file that must not exist yet; `None` when it does: somebody came first, ever.
    ///
    /// The file gets its name with the lock held: one that is there and not locked belongs to a dead process, at no
    /// moment to one that is about to lock it.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn try_acquire_new(path: &Path) -> Result<Option<Self>> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = Path::new(&temporary);
        let lock = Self::lock(open_or_create(temporary)?, temporary)?;
        match name_new(temporary, path) {
            Ok(()) => Ok(lock),
            Err(error) => {
                let _ = std::fs::remove_file(temporary);
                if error.kind() == std::io::ErrorKind::AlreadyExists {
                    return Ok(None);
                }
                Err(error).with_context(|| format!("create {}", path.display()))
            }
        }
    }

    /// As [`ProcessLock::try_acquire_new`], with a file that exists under another name.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn try_acquire_as(file: File, named: &Path, path: &Path) -> Result<Option<Self>> {
        let Some(lock) = Self::lock(file, named)? else { return Ok(None) };
        Ok(name_new(named, path).is_ok().then_some(lock))
    }

    fn lock(file: File, path: &Path) -> Result<Option<Self>> {
        match fcntl(&file, FcntlArg::F_SETLK(&whole_file(libc::F_WRLCK))) {
            Ok(_) => Ok(Some(Self { file })),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EACCES) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("lock {}", path.display())),
        }
    }

    /// Adds a line to the lock's file, for those who come after its holder. One that cannot be written is left out.
    pub fn add_line(&self, line: &str) {
        let _ = self.append(line.as_bytes());
    }

    /// How many bytes have been added.
    pub(super) fn length(&self) -> std::io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Adds whole lines to the lock's file: all of them, or nothing.
    pub(super) fn append(&self, lines: &[u8]) -> std::io::Result<()> {
        let length = self.length()?;
        self.file.write_all_at(lines, length).inspect_err(|_| drop(self.file.set_len(length)))
    }

    /// Whether the lock's file still has its name: where it was removed, somebody else may hold another of that name.
    ///
    /// # Errors
    /// The file cannot be looked at.
    pub fn is_named(&self, path: &Path) -> Result<bool> {
        is_named(&self.file, path)
    }
}

/// Moves a file to a name that nobody has.
pub(super) fn name_new(from: &Path, to: &Path) -> std::io::Result<()> {
    let here = rustix::fs::CWD;
    match rustix::fs::renameat_with(here, from, here, to, RenameFlags::NOREPLACE) {
        // Some file systems know no such flag; a link does it there, in two steps of which the first decides.
        Err(Errno::INVAL | Errno::NOSYS) => {
            std::fs::hard_link(from, to)?;
            std::fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

fn whole_file(kind: i32) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

/// The pid of the process that holds the [`ProcessLock`] on this file; `None` when nobody does or no file is there.
/// Must not be called by the holder itself: closing the file would free its own lock.
///
/// # Errors
/// Failing system calls.
pub fn holder_of(path: &Path) -> Result<Option<i32>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("open {}", path.display())),
    };
    let mut lock = whole_file(libc::F_WRLCK);
    fcntl(&file, FcntlArg::F_GETLK(&mut lock)).with_context(|| format!("query lock {}", path.display()))?;
    Ok((lock.l_type != libc::F_UNLCK as libc::c_short).then_some(lock.l_pid))
}
