//! Following the journal: `get -w`, `wait`, `logs -f` and the controller sleep until somebody commits.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::endpoints::{MADE_OF, Made};
use super::request::revive_controller;
use super::run::controller_pid;
use super::trace::tell_trace;
use super::{Config, steady_clock};
use crate::api::kinds::Key;
use crate::store::{Change, State, Store, StoreError, Table, Tail};

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
        let watch = |path: &Path, flags: AddWatchFlags| {
            inotify.add_watch(path, flags).with_context(|| format!("watch {}", path.display()))
        };
        watch(store.root(), AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_MOVE_SELF)?;
        if with_inbox {
            // A report is another name of a file, or a file that moves in.
            watch(&store.inbox_path(), AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)?;
        }
        Ok(Self { inotify, journal: None })
    }

    /// Watches the directory of the configuration, where there is one.
    pub(super) fn follow_configuration(&self, directory: &Path) {
        let flags = AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_DELETE;
        let _ = self.inotify.add_watch(directory, flags);
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
        // Its attributes change when it loses its name, with the directory that it is in.
        match self.inotify.add_watch(path, AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_ATTRIB) {
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

/// Hears of every commit, and sleeps until there is one, however long that takes.
#[derive(Debug)]
pub struct CommitListener(Watches);

impl CommitListener {
    /// A listener that has heard of nothing yet.
    ///
    /// # Errors
    /// No more inotify instances for this user.
    pub fn start(store: &Store) -> Result<Self> {
        Watches::new(store, false).map(Self)
    }

    /// Forgets what was heard, and listens to the journal that is in force from here on. To be called before that is read.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn listen_to(&mut self, journal: &Path) -> Result<()> {
        self.0.drain()?;
        self.0.follow_journal(journal).map(|_| ())
    }

    /// Sleeps until somebody commits.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn wait(&self) -> Result<()> {
        let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => Ok(()),
            Err(error) => Err(error).context("wait for a commit"),
        }
    }
}

/// A committer killed between its commit and the commit notifier would otherwise be heard only at the next commit, and a
/// controller killed with its last supervisor never be missed.
const LONGEST_SLEEP: Duration = Duration::from_secs(5);

/// How long to sleep, and `longest` at the most; `None` when the time is over. Rounded up: waking a fraction of a millisecond
/// early would only spin.
fn time_left(until: Option<DateTime<Utc>>, longest: Duration) -> Option<Duration> {
    let Some(until) = until else { return Some(longest) };
    let left = (until - steady_clock()).to_std().ok()?;
    Some((left + Duration::from_millis(1)).min(longest))
}

/// Sleeps until one of the descriptors is readable, or for `longest`, or until the time has come (then false), by the steady
/// clock.
///
/// # Errors
/// Failing system calls.
pub fn wait_until_readable<'a>(
    descriptors: impl IntoIterator<Item = BorrowedFd<'a>>,
    until: Option<DateTime<Utc>>,
    longest: Duration,
) -> Result<bool> {
    let Some(left) = time_left(until, longest) else { return Ok(false) };
    let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
    let mut fds: Vec<_> =
        descriptors.into_iter().map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN)).collect();
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(until.is_none_or(|until| steady_clock() <= until)),
        Err(error) => Err(error).context("wait for a change"),
    }
}

fn keys_of(state: &State, tables: &[Table]) -> BTreeSet<(Table, Key)> {
    let keys = |table: &Table| {
        let table = *table;
        state.objects(table).map(move |(key, _)| (table, key.clone()))
    };
    tables.iter().flat_map(keys).collect()
}

/// Whoever waits misses a controller that was killed, and brings it back: nobody else may be left to do it.
#[derive(Debug)]
struct Revival {
    config: Config,
    /// Whether a controller ran, or was started, when we looked last. One that has gone because there was nothing to do
    /// is not looked for again and again.
    ran: bool,
    looked: Instant,
}

impl Revival {
    fn look(&mut self, store: &Store) -> Result<()> {
        if self.looked.elapsed() < LONGEST_SLEEP {
            return Ok(());
        }
        self.looked = Instant::now();
        let runs = controller_pid(store)?.is_some();
        self.ran = runs || self.ran && revive_controller(&self.config, store, &[Table::JOBS, Table::PODS])?;
        Ok(())
    }
}

/// Reads tables and follows what is committed to them.
#[derive(Debug)]
pub struct Follower {
    store: Store,
    tables: Vec<Table>,
    tail: Tail,
    heard: u32,
    /// What has been handed over, by what is there: the state need not be kept for it.
    known: BTreeSet<(Table, Key)>,
    /// What is made of others, where it is wanted.
    made: Option<Made>,
    /// Set where a controller in the background does the work that is waited for.
    revival: Option<Revival>,
    /// Only where other descriptors are to be listened to at the same time: closing inotify is slow.
    watches: Option<Watches>,
}

impl Follower {
    /// The state as of now, and a follower that goes on from there.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn start(config: &Config, store: &Store, tables: &[Table]) -> Result<(State, Self)> {
        let heard = store.notifier_value();
        let mut tables = tables.to_vec();
        let made = Made::of(config, &mut tables);
        let (state, tail) = store.read(&tables)?;
        let revival =
            config.background.then(|| Revival { config: config.clone(), ran: true, looked: Instant::now() });
        let known = keys_of(&state, &tables);
        let mut follower =
            Self { store: store.clone(), tables, tail, heard, known, made, revival, watches: None };
        if let Some(made) = &mut follower.made {
            made.tell(state.clone(), |_| {})?;
        }
        Ok((state, follower))
    }

    /// Hands over what has been committed since the last call, without waiting. Where the commits are gone it hands over
    /// what there is now, and the deletion of what is there no longer.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn changes(&mut self, mut each: impl FnMut(Change<'_>)) -> Result<()> {
        tell_trace();
        let mut is_part = false;
        self.read_changes(|change| {
            is_part |= MADE_OF.contains(&change.table);
            each(change);
        })?;
        if let Some(made) = self.made.as_mut().filter(|_| is_part) {
            made.tell(self.store.read(&MADE_OF)?.0, each)?;
        }
        Ok(())
    }

    /// As [`Follower::changes`], for the trace itself.
    pub(super) fn read_changes(&mut self, mut each: impl FnMut(Change<'_>)) -> Result<()> {
        self.heard = self.store.notifier_value();
        if let Some(watches) = &mut self.watches {
            watches.drain()?;
            watches.follow_journal(self.tail.journal_path())?;
        }
        let known = &mut self.known;
        let read = self.tail.changes(&self.tables, |change| {
            let key = (change.table, Key::new(change.namespace, change.name));
            if change.object.is_some() {
                known.insert(key);
            } else {
                known.remove(&key);
            }
            each(change);
        });
        match read {
            Err(error) if matches!(error.downcast_ref(), Some(StoreError::Gap { .. })) => {
                self.start_again(each)
            }
            read => read,
        }
    }

    fn start_again(&mut self, mut each: impl FnMut(Change<'_>)) -> Result<()> {
        let (state, tail) = self.store.read(&self.tables)?;
        self.tail = tail;
        let revision = state.revision();
        let known = std::mem::replace(&mut self.known, keys_of(&state, &self.tables));
        for (table, key) in known.difference(&self.known) {
            each(Change {
                revision,
                table: *table,
                namespace: &key.namespace,
                name: &key.name,
                object: None,
                last: None,
            });
        }
        for table in &self.tables {
            for (key, object) in state.objects(*table) {
                let (namespace, name) = (&*key.namespace, &*key.name);
                each(Change {
                    revision,
                    table: *table,
                    namespace,
                    name,
                    object: Some(object.text),
                    last: None,
                });
            }
        }
        Ok(())
    }

    /// Sleeps until somebody commits, a descriptor of `others` is readable, or the time has come (then false), by the steady
    /// clock.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn wait(&mut self, others: &[BorrowedFd<'_>], until: Option<DateTime<Utc>>) -> Result<bool> {
        if let Some(revival) = &mut self.revival {
            revival.look(&self.store)?;
        }
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
        // Whatever came before the watch was set shows in the commit notifier.
        if self.store.notifier_value() != self.heard {
            return Ok(true);
        }
        wait_until_readable([watches.as_fd()].into_iter().chain(others.iter().copied()), until, LONGEST_SLEEP)
    }

    fn listen(&self, until: Option<DateTime<Utc>>) -> Result<bool> {
        let Some(left) = time_left(until, LONGEST_SLEEP) else { return Ok(false) };
        self.store.sleep_until_commit(self.heard, left);
        Ok(until.is_none_or(|until| steady_clock() <= until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Write;

    #[test]
    fn whoever_slept_through_two_compactions_hears_what_there_is_and_what_is_gone() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let commit = |writes: &[Write]| {
            let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
            let numbered = writes.iter().cloned().zip(0..).map(|(write, number)| write.numbered(number));
            locked.commit(numbered.collect()).expect("a commit");
            locked.compact(super::super::clock()).expect("a compaction");
        };
        let put = |name: &str, text: &str| Write::put(Table::JOBS, Key::new("n", name), text.into());
        commit(&[put("a", "{}"), put("b", "{}")]);
        let config = Config::load(Some(store.root())).expect("a configuration");
        let (_, mut follower) = Follower::start(&config, &store, &[Table::JOBS]).expect("a follower");
        commit(&[Write::delete(Table::JOBS, Key::new("n", "a"))]);
        commit(&[put("c", "{}")]);
        commit(&[put("b", "{\"x\":1}")]);
        let mut heard = Vec::new();
        let mut hear = |follower: &mut Follower| {
            let each = |change: Change<'_>| heard.push(format!("{} {:?}", change.name, change.object));
            follower.changes(each).expect("changes");
            std::mem::take(&mut heard)
        };
        assert_eq!(hear(&mut follower), ["a None", "b Some(\"{\\\"x\\\":1}\")", "c Some(\"{}\")"]);
        assert!(hear(&mut follower).is_empty(), "once");
        commit(&[put("d", "{}")]);
        assert_eq!(hear(&mut follower), ["d Some(\"{}\")"], "it goes on from there");
    }
}
