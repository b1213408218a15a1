//! Finding and killing every process of a pod.

use std::fs;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How long killed processes may take to go. One that hangs in the kernel longer is left behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often nothing must be seen of a pod before nothing is taken to be left of it.
const LOOKS: u32 = 4;

/// Kills every descendant of this process except the trees of `spare`, until none is left. This process must be a
/// subreaper: whoever escapes by double fork or a session of his own comes back as our child.
pub(super) fn kill_descendants(spare: &[Pid]) {
    let me = nix::unistd::getpid();
    let started = Instant::now();
    loop {
        let children: Vec<Pid> = children_of(me).into_iter().filter(|child| !spare.contains(child)).collect();
        if children.is_empty() {
            return;
        }
        let mut refused = 0;
        for child in &children {
            refused += kill_tree(*child);
        }
        reap(&children);
        if started.elapsed() > PATIENCE || (refused > 0 && started.elapsed() > PATIENCE / 10) {
            return;
        }
        if children.iter().all(|child| kill(*child, None).is_ok()) {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

/// Kills a process and all below it, parents first so that they cannot replace their children. Returns how many
/// could not be killed.
fn kill_tree(root: Pid) -> u32 {
    let mut refused = 0;
    let mut left = vec![root];
    while let Some(pid) = left.pop() {
        // Stopped first: a process that forks all the time must not outrun us.
        let _ = kill(pid, Signal::SIGSTOP);
        left.extend(children_of(pid));
        if kill(pid, Signal::SIGKILL) == Err(Errno::EPERM) {
            refused += 1;
        }
    }
    refused
}

fn reap(children: &[Pid]) {
    for child in children {
        while waitpid(*child, Some(WaitPidFlag::WNOHANG)) == Err(Errno::EINTR) {}
    }
}

/// Whether this process has any child at all: one system call, the common end of a pod.
pub(super) fn has_children() -> bool {
    !matches!(
        nix::sys::wait::waitid(
            nix::sys::wait::Id::All,
            WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT
        ),
        Err(Errno::ECHILD)
    )
}

/// The next child that has ended, without waiting: its pid and its exit code (128 + the signal's number).
pub(super) fn next_ended_child() -> Option<(Pid, i32)> {
    loop {
        match waitpid(None::<Pid>, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, code)) => return Some((pid, code)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => return Some((pid, 128 + signal as i32)),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return None,
            Ok(_) | Err(_) => {}
        }
    }
}

fn children_of(pid: Pid) -> Vec<Pid> {
    let mut children = Vec::new();
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return children };
    for thread in threads.flatten() {
        if let Ok(text) = fs::read_to_string(thread.path().join("children")) {
            children
                .extend(text.split_ascii_whitespace().filter_map(|one| one.parse().ok()).map(Pid::from_raw));
        }
    }
    children
}

/// Kills what a lost supervisor has left of its pod: processes that carry the pod's uid in their environment.
pub fn kill_strays(pod_uid: &str) {
    let marker = format!("JOBCTL_POD_UID={pod_uid}");
    let started = Instant::now();
    // A process in the middle of an exec has no environment to be read: none is left when none is seen several times.
    let mut absent = 0;
    while absent < LOOKS && started.elapsed() < PATIENCE {
        let strays = processes_marked(marker.as_bytes());
        absent = if strays.is_empty() { absent + 1 } else { 0 };
        for stray in strays {
            kill_tree(stray);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Descendants of this process that carry `NAME=VALUE` in their environment.
pub(super) fn kill_marked_descendants(marker: &str, spare: &[Pid]) {
    let me = nix::unistd::getpid();
    let started = Instant::now();
    loop {
        let marked: Vec<Pid> = children_of(me)
            .into_iter()
            .filter(|child| !spare.contains(child) && carries(*child, marker.as_bytes()))
            .collect();
        if marked.is_empty() || started.elapsed() > PATIENCE {
            return;
        }
        for child in &marked {
            kill_tree(*child);
        }
        reap(&marked);
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A process that a pod has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodProcess {
    /// Its pid.
    pub pid: i32,
    /// The uid of its pod, by its environment.
    pub pod_uid: String,
}

/// Every living process of this user's that carries a pod's uid in its environment, of whatever data directory.
pub fn pod_processes() -> Vec<PodProcess> {
    const MARKER: &[u8] = b"JOBCTL_POD_UID=";
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let of_pid = |pid: i32| {
        let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let uid = environ.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(MARKER))?;
        let pod_uid = String::from_utf8(uid.to_vec()).ok()?;
        (!is_zombie(Pid::from_raw(pid))).then_some(PodProcess { pid, pod_uid })
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(of_pid).collect()
}

fn processes_marked(marker: &[u8]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .map(Pid::from_raw)
        .filter(|pid| carries(*pid, marker) && !is_zombie(*pid))
        .collect()
}

fn carries(pid: Pid, marker: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == marker))
}

fn is_zombie(pid: Pid) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| Some(stat.rsplit_once(") ")?.1.starts_with('Z')))
        .unwrap_or(true)
}
