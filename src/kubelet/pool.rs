//! The supervisors of one kubelet process. One that has seen a pod to its end waits a moment for the next: in a Job of
//! many short pods, starting and ending a process for each was a quarter of what a pod cost.
//!
//! Pods for waiting supervisors go into one queue, from which any of them takes. What a supervisor does it announces:
//! the kubelet process keeps at least as many of them waiting as there are pods in the queue, so a pod handed to one
//! that leaves just then is taken by another. None of this decides whether a pod runs twice: the claim of its
//! directory does.

use std::collections::{HashMap, HashSet};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, recv, send, setsockopt, socketpair, sockopt,
};
use nix::sys::time::TimeVal;
use nix::unistd::Pid;

use super::spawn::fork_child;
use super::supervisor;

/// How long a supervisor without a pod waits for one: between the end of a pod and the start of the next lies a
/// millisecond or two.
const LINGER: Duration = Duration::from_millis(100);
/// A pod that takes more than this to describe gets a supervisor of its own.
const LARGEST_RUN: usize = 16 << 10;
const LARGEST_ANNOUNCEMENT: usize = 256;

/// The kubelet process's side.
pub(super) struct Pool {
    config: supervisor::Config,
    queue: OwnedFd,
    announced: OwnedFd,
    /// What every supervisor gets.
    work: Work,
    /// Every supervisor whose end has not been heard of.
    supervisors: HashSet<Pid>,
    /// The pods of the supervisors that have one.
    at_work: HashMap<Pid, String>,
    waiting: HashSet<Pid>,
    /// Pods in the queue, or taken from it by somebody who has not said so yet.
    handed: HashSet<String>,
}

impl Pool {
    /// # Errors
    /// Failing system calls.
    pub(super) fn new(config: supervisor::Config) -> Result<Self> {
        let pair = || {
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)
                .context("create a socket of the supervisors")
        };
        let ((queue, runs), (announced, announcements)) = (pair()?, pair()?);
        setsockopt(&runs, sockopt::ReceiveTimeout, &TimeVal::new(0, LINGER.as_micros() as i64))
            .context("set up the supervisors' queue")?;
        let (at_work, waiting, handed) = (HashMap::new(), HashSet::new(), HashSet::new());
        let (supervisors, work) = (HashSet::new(), Work { runs, announcements });
        Ok(Self { config, queue, announced, work, supervisors, at_work, waiting, handed })
    }

    /// Readable when a supervisor has announced something.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.announced.as_fd()
    }

    /// Sees to it that a supervisor gets this pod, whose description is `run`.
    ///
    /// # Errors
    /// No process can be started.
    pub(super) fn launch(&mut self, uid: &str, run: &[u8]) -> nix::Result<()> {
        if self.waiting.len() > self.handed.len()
            && run.len() <= LARGEST_RUN
            && send(self.queue.as_raw_fd(), run, MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL).is_ok()
        {
            self.handed.insert(uid.to_owned());
            return Ok(());
        }
        let pid = fork_child(|| supervisor::main(&self.config, &self.work, Some(run)))?;
        self.supervisors.insert(pid);
        self.at_work.insert(pid, uid.to_owned());
        Ok(())
    }

    /// Takes in what supervisors have announced.
    pub(super) fn hear(&mut self) {
        let mut buffer = [0; LARGEST_ANNOUNCEMENT];
        loop {
            match recv(self.announced.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Err(Errno::EINTR) => {}
                Ok(0) | Err(_) => break,
                Ok(length) => self.take_in(&String::from_utf8_lossy(&buffer[..length])),
            }
        }
        while self.handed.len() > self.waiting.len() {
            let Ok(pid) = fork_child(|| supervisor::main(&self.config, &self.work, None)) else { break };
            self.supervisors.insert(pid);
            self.waiting.insert(pid);
        }
    }

    fn take_in(&mut self, announcement: &str) {
        let mut words = announcement.split(' ');
        let (Some(what), Some(Ok(pid))) = (words.next(), words.next().map(str::parse)) else { return };
        let pid = Pid::from_raw(pid);
        match (what, words.next()) {
            ("waits", _) => {
                self.at_work.remove(&pid);
                self.waiting.insert(pid);
            }
            ("takes", Some(uid)) => {
                self.waiting.remove(&pid);
                self.handed.remove(uid);
                self.at_work.insert(pid, uid.to_owned());
            }
            _ => {
                self.waiting.remove(&pid);
            }
        }
    }

    /// Whether a child is one of the supervisors.
    pub(super) fn is_supervisor(&self, pid: Pid) -> bool {
        self.supervisors.contains(&pid)
    }

    /// Every supervisor whose end has not been heard of, also those that are about to leave.
    pub(super) fn supervisors(&self) -> Vec<Pid> {
        self.supervisors.iter().copied().collect()
    }

    /// The uids of the pods that may be without a supervisor because this one has ended.
    pub(super) fn ended(&mut self, pid: Pid, code: i32) -> Vec<String> {
        self.supervisors.remove(&pid);
        let uid = self.at_work.remove(&pid);
        let was_waiting = self.waiting.remove(&pid);
        match uid {
            _ if code == 0 => Vec::new(),
            Some(uid) => vec![uid],
            // It may have died with a pod in its hand of which it had not said yet.
            None if was_waiting => self.handed.drain().collect(),
            None => Vec::new(),
        }
    }
}

/// A supervisor's side.
pub(super) struct Work {
    runs: OwnedFd,
    announcements: OwnedFd,
}

impl Work {
    /// The descriptors that a supervisor keeps.
    pub(super) fn descriptors(&self) -> [RawFd; 2] {
        [self.runs.as_raw_fd(), self.announcements.as_raw_fd()]
    }

    /// Says that this supervisor has no pod.
    pub(super) fn announce_waiting(&self) {
        self.announce("waits", "");
    }

    /// Waits for a pod and returns its description. `None`: nobody needs this supervisor any more.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; LARGEST_RUN];
        let received = match self.receive(&mut buffer, MsgFlags::empty()) {
            Ok(length) => Ok(length),
            Err(_) => {
                self.announce("leaves", "");
                // Handed over before the kubelet could hear of it.
                self.receive(&mut buffer, MsgFlags::MSG_DONTWAIT)
            }
        };
        // Nothing is received once the kubelet process is gone and the queue is empty.
        let length = received.ok().filter(|length| *length > 0)?;
        buffer.truncate(length);
        Some(buffer)
    }

    fn receive(&self, buffer: &mut [u8], flags: MsgFlags) -> nix::Result<usize> {
        loop {
            match recv(self.runs.as_raw_fd(), buffer, flags) {
                Err(Errno::EINTR) => {}
                result => return result,
            }
        }
    }

    /// Says that this supervisor has taken a pod from the queue.
    pub(super) fn announce_taken(&self, uid: &str) {
        self.announce("takes", uid);
    }

    /// A kubelet process that is gone need not know.
    fn announce(&self, what: &str, uid: &str) {
        let text = format!("{what} {} {uid}", nix::unistd::getpid());
        let _ = send(self.announcements.as_raw_fd(), text.as_bytes(), MsgFlags::MSG_NOSIGNAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> Pool {
        let root = std::path::PathBuf::from("/nonexistent");
        Pool::new(supervisor::Config { root, background: false }).expect("sockets")
    }

    #[test]
    fn a_death_names_the_pods_that_may_be_without_a_supervisor() {
        let mut pool = pool();
        let pid = Pid::from_raw;
        for announcement in ["waits 1 ", "waits 2 ", "waits 3 ", "takes 3 c"] {
            pool.take_in(announcement);
        }
        assert_eq!(pool.ended(pid(3), 137), ["c"], "at work");
        assert!(pool.ended(pid(3), 137).is_empty(), "once");
        pool.take_in("takes 2 d");
        pool.take_in("waits 2 ");
        assert!(pool.ended(pid(2), 0).is_empty(), "one that ends well has nothing left");
        pool.handed.insert("e".into());
        assert_eq!(pool.ended(pid(1), 137), ["e"], "one that waited may have taken a pod just then");
        assert!(pool.handed.is_empty() && pool.waiting.is_empty() && pool.at_work.is_empty());
    }

    #[test]
    fn a_pod_goes_to_one_that_waits_and_is_taken_once() {
        let mut pool = pool();
        pool.take_in("waits 1 ");
        pool.launch("a", b"{}").expect("handed over");
        assert!(pool.handed.contains("a"), "no process was started for it");
        assert_eq!(pool.work.next().as_deref(), Some(b"{}".as_slice()));
        pool.work.announce_taken("a");
        pool.hear();
        assert!(pool.handed.is_empty());
        let me = nix::unistd::getpid();
        assert_eq!(pool.at_work.get(&me).map(String::as_str), Some("a"));
        pool.work.announce_waiting();
        pool.hear();
        assert!(pool.waiting.contains(&me) && pool.at_work.is_empty());
        assert_eq!(pool.work.next(), None, "nothing comes: it leaves");
        pool.hear();
        assert!(!pool.waiting.contains(&me));
    }
}
