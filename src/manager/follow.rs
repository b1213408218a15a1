//! Following the journal: `get -w`, `wait`, `logs -f` and the controller sleep until somebody commits.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::clock;
use crate::store::{Change, State, Store, Table, Tail};

/// inotify watches on the journal in force, on its replacement and, for the controller, on the inbox.
#[derive(Debug)]
pub(super) struct Watches {
    inotify: Inotify,
    journal: Option<(PathBuf, WatchDescriptor)>,
}

impl Watches {
    pub(super) fn new(store: &Store, with_inbox: bool) -> Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)
            .context("watch the store (are all fs.inotify.max_user_instances in use?)")?;
        let watch = |path: &Path| {
            inotify
                .add_watch(path, AddWatchFlags::IN_MOVED_TO)
                .with_context(|| format!("watch {}", path.display()))
        };
        watch(store.root())?;
        if with_inbox {
            watch(&store.inbox_path())?;
        }
        Ok(Self { inotify, journal: None })
    }

    /// Watches this journal in place of the one before. True when the watch is new.
    pub(super) fn follow_journal(&mut self, path: &Path) -> Result<bool> {
        if self.journal.as_ref().is_some_and(|(followed, _)| followed == path) {
            return Ok(false);
        }
        if let Some((_, old)) = self.journal.take() {
            // The kernel may have dropped it already, with the file.
            let _ = self.inotify.rm_watch(old);
        }
        match self.inotify.add_watch(path, AddWatchFlags::IN_MODIFY) {
            Ok(watch) => self.journal = Some((path.to_owned(), watch)),
            // Replaced meanwhile: the switch itself is an event on the root.
            Err(Errno::ENOENT) => {}
            Err(error) => return Err(error).with_context(|| format!("watch {}", path.display())),
        }
        Ok(true)
    }

    /// Forgets what has happened so far; it is about to be read.
    pub(super) fn drain(&self) -> Result<()> {
        loop {
            match self.inotify.read_events() {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => return Ok(()),
                Err(error) => return Err(error).context("read the watch on the store"),
            }
        }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// A committer killed between its commit and the bell would otherwise be heard only at the next commit.
const LONGEST_SLEEP: std::time::Duration = std::time::Duration::from_secs(5);

/// Reads tables and follows what is committed to them.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    tables: Vec<Table>,
    tail: Tail,
    heard: u32,
    /// Only where other descriptors are to be listened to at the same time: closing inotify is slow.
    watches: Option<Watches>,
}

impl Follower {
    /// The state as of now, and a follower that goes on from there.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn start(store: &Store, tables: &[Table]) -> Result<(State, Self)> {
        let heard = store.bell_value()?;
        let (state, tail) = store.read(tables)?;
        Ok((state, Self { store: store.clone(), tables: tables.to_vec(), tail, heard, watches: None }))
    }

    /// Hands over what has been committed since the last call, without waiting.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn changes(&mut self, each: impl FnMut(Change<'_>)) -> Result<()> {
        self.heard = self.store.bell_value()?;
        if let Some(watches) = &mut self.watches {
            watches.drain()?;
            watches.follow_journal(self.tail.journal_path())?;
        }
        self.tail.changes(&self.tables, each)
    }

    /// Sleeps until somebody commits, a descriptor of `others` is readable, or the time has come (then false).
    ///
    /// # Errors
    /// Failing system calls.
    pub fn wait(&mut self, others: &[BorrowedFd<'_>], until: Option<DateTime<Utc>>) -> Result<bool> {
        if others.is_empty() {
            return self.listen(until);
        }
        let watches = match &mut self.watches {
            Some(watches) => {
                watches.follow_journal(self.tail.journal_path())?;
                watches
            }
            None => {
                let mut watches = Watches::new(&self.store, false)?;
                watches.follow_journal(self.tail.journal_path())?;
                self.watches.insert(watches)
            }
        };
        // Whatever came before the watch was set shows in the bell.
        if self.store.bell_value()? != self.heard {
            return Ok(true);
        }
        let timeout = match until {
            None => PollTimeout::NONE,
            Some(until) => {
                let left = (until - clock()).num_milliseconds();
                if left < 0 {
                    return Ok(false);
                }
                PollTimeout::try_from(left.min(3_600_000) as i32 + 1).unwrap_or(PollTimeout::MAX)
            }
        };
        let mut fds = vec![PollFd::new(watches.as_fd(), PollFlags::POLLIN)];
        fds.extend(others.iter().map(|fd| PollFd::new(*fd, PollFlags::POLLIN)));
        match poll(&mut fds, timeout) {
            Ok(_) | Err(Errno::EINTR) => Ok(until.is_none_or(|until| clock() <= until)),
            Err(error) => Err(error).context("wait for a change"),
        }
    }

    fn listen(&self, until: Option<DateTime<Utc>>) -> Result<bool> {
        let left = until.map(|until| until - clock());
        if left.is_some_and(|left| left < chrono::Duration::zero()) {
            return Ok(false);
        }
        let left = left.and_then(|left| left.to_std().ok()).unwrap_or(LONGEST_SLEEP);
        self.store.sleep_until_commit(self.heard, left.min(LONGEST_SLEEP))?;
        Ok(until.is_none_or(|until| clock() <= until))
    }
}
