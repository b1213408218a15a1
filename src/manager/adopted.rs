//! Supervisors that are no children of our kubelet process: of a controller that is gone, or of a verb. Their deaths are heard
//! of through descriptors, all of them by one system call; those for which there is none are looked at from time to time.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit};

/// Descriptors left for everything else.
const SPARE_FILES: u64 = 128;
/// How many deaths are taken in by one call.
const BATCH: usize = 64;

/// The adopted supervisors, by the uids of their pods.
#[derive(Debug)]
pub(super) struct Adopted {
    epoll: Epoll,
    most: usize,
    next: u64,
    ids: HashMap<Box<str>, u64>,
    processes: HashMap<u64, (Box<str>, OwnedFd)>,
    unseen: HashSet<Box<str>>,
}

impl Adopted {
    /// # Errors
    /// Failing system calls.
    pub(super) fn new() -> Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).context("watch supervisors")?;
        let (files, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
        let most = usize::try_from(files.saturating_sub(SPARE_FILES)).unwrap_or(usize::MAX);
        let (ids, processes, unseen) = (HashMap::new(), HashMap::new(), HashSet::new());
        Ok(Self { epoll, most, next: 0, ids, processes, unseen })
    }

    /// Readable when one has ended.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }

    /// Adds a supervisor. True where its death will be heard of; another has to be looked at.
    pub(super) fn add(&mut self, uid: &str, process: Option<OwnedFd>) -> bool {
        self.remove(uid);
        let Some(process) = process.filter(|_| self.processes.len() < self.most) else {
            self.unseen.insert(uid.into());
            return false;
        };
        self.next += 1;
        if self.epoll.add(&process, EpollEvent::new(EpollFlags::EPOLLIN, self.next)).is_err() {
            self.unseen.insert(uid.into());
            return false;
        }
        self.ids.insert(uid.into(), self.next);
        self.processes.insert(self.next, (uid.into(), process));
        true
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, uid: &str) {
        self.unseen.remove(uid);
        // Closing the descriptor takes it out of the set.
        if let Some(id) = self.ids.remove(uid) {
            self.processes.remove(&id);
        }
    }

    /// Whether one has to be looked at.
    pub(super) fn is_unseen(&self, uid: &str) -> bool {
        self.unseen.contains(uid)
    }

    /// The pods whose supervisors have ended since the last call; they are forgotten here.
    pub(super) fn ended(&mut self) -> Vec<Box<str>> {
        let mut ended = Vec::new();
        loop {
            let mut events = [EpollEvent::empty(); BATCH];
            let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
            for event in &events[..count] {
                if let Some((uid, _)) = self.processes.remove(&event.data()) {
                    self.ids.remove(&uid);
                    ended.push(uid);
                }
            }
            if count < BATCH {
                return ended;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn each_end_is_heard_of_once_and_beyond_the_limit_they_are_looked_at() {
        let mut adopted = Adopted { most: 100, ..Adopted::new().expect("a set") };
        // A socket whose other end is closed is readable, as a process that has ended is.
        let (ours, theirs): (Vec<UnixStream>, Vec<UnixStream>) =
            (0..101).map(|_| UnixStream::pair().expect("a pair")).unzip();
        for (number, stream) in ours.into_iter().enumerate() {
            let heard = adopted.add(&number.to_string(), Some(OwnedFd::from(stream)));
            assert_eq!(heard, number < 100, "{number}");
        }
        assert!(adopted.is_unseen("100") && !adopted.is_unseen("99"));
        assert!(!adopted.add("hidden", None) && adopted.is_unseen("hidden"));
        assert!(adopted.ended().is_empty());
        adopted.remove("7");
        drop(theirs);
        assert_eq!((adopted.ended().len(), adopted.ended().len()), (99, 0));
    }
}
