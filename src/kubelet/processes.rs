//! Finding and killing every process of a pod.

use std::fs;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::sys::wait::WaitPidFlag;
use nix::unistd::Pid;

use super::actions::POD_UID_VARIABLE;
use super::clock::since_boot;
use super::spawn::{exit_code, pidfd_of, reap_one, send_signal, wait_for_any};

/// How long killed processes may take to go. One that hangs in the kernel longer is left behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often nothing must be seen of a pod before nothing is taken to be left of it.
const LOOKS: u32 = 4;

/// Kills every descendant of this process except the trees of `spare`, until none is left. This process must be a
/// subreaper: a process that escapes by a double fork or a session of its own comes back as our child.
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
/// could not be killed. Signals go through descriptors: a pid that is free by now may be somebody else's.
pub(super) fn kill_tree(root: Pid) -> u32 {
    let mut refused = 0;
    let mut left = vec![root];
    while let Some(pid) = left.pop() {
        let Ok(process) = pidfd_of(pid.as_raw()) else { continue };
        // Stopped first: a process that forks all the time must not outrun us.
        let _ = send_signal(&process, libc::SIGSTOP);
        left.extend(children_of(pid));
        if send_signal(&process, libc::SIGKILL).is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
        {
            refused += 1;
        }
    }
    refused
}

/// Takes the wait statuses of killed children. Of the supervisor's containers none is among them.
fn reap(children: &[Pid]) {
    children.iter().for_each(|child| reap_one(*child));
}

/// The bytes of memory that processes and all below them have for themselves. What they share with others, as their
/// programs, counts for none of them.
pub(super) fn memory_of(roots: &[Pid]) -> u64 {
    let mut left = roots.to_vec();
    let mut bytes = 0;
    while let Some(pid) = left.pop() {
        bytes += memory_of_one(pid);
        left.extend(children_of(pid));
    }
    bytes
}

/// As [`memory_of`], of one process alone.
pub(super) fn memory_of_one(pid: Pid) -> u64 {
    let page = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096) as u64;
    let pages = || {
        let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
        let mut fields = text.split(' ').skip(1).map_while(|field| field.parse::<u64>().ok());
        let (resident, shared) = (fields.next()?, fields.next()?);
        Some(resident.saturating_sub(shared))
    };
    pages().unwrap_or(0) * page
}

/// Children of this process that are none of `others` and carry `NAME=VALUE` in their environment: orphans of a container.
pub(super) fn orphans(marker: &str, others: &[Pid]) -> Vec<Pid> {
    let children = children_of(nix::unistd::getpid()).into_iter();
    children.filter(|child| !others.contains(child) && carries(*child, marker.as_bytes())).collect()
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
        let (pid, status) = wait_for_any()?;
        if let Some(code) = exit_code(status) {
            return Some((pid, code));
        }
    }
}

pub(super) fn children_of(pid: Pid) -> Vec<Pid> {
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

/// Kills what a lost supervisor has left of its pod: processes that carry the pod's uid in their environment, and those of the
/// sessions that it has started.
pub fn kill_strays(pod_uid: &str, sessions: &[Session]) {
    let marker = format!("{POD_UID_VARIABLE}={pod_uid}");
    let started = Instant::now();
    // A process in the middle of an exec has no environment to be read: none is left when none is seen several times.
    let mut absent = 0;
    while absent < LOOKS && started.elapsed() < PATIENCE {
        let strays = strays(marker.as_bytes(), sessions);
        absent = if strays.is_empty() { absent + 1 } else { 0 };
        for stray in strays {
            kill_tree(stray);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A session that a supervisor has started for a container: its number, and between which two moments its first process was
/// started, in the kernel's ticks since the machine was. A number is given anew only when no process of its session is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    id: i32,
    after: u64,
    before: u64,
}

impl Session {
    /// The session of a process that was started between two readings of [`ticks`].
    pub(super) fn of(pid: Pid, after: u64, before: u64) -> Self {
        Self { id: pid.as_raw(), after, before }
    }

    /// The session as it is written down: [`Session::all_in`] reads it.
    pub(super) fn text(self) -> String {
        format!("{} {} {}\n", self.id, self.after, self.before)
    }

    /// The sessions that a supervisor has written down.
    pub fn all_in(text: &str) -> Vec<Self> {
        let one = |line: &str| {
            let mut words = line.split(' ');
            let mut number = || words.next()?.parse::<u64>().ok();
            Some(Self { id: i32::try_from(number()?).ok()?, after: number()?, before: number()? })
        };
        text.lines().filter_map(one).collect()
    }

    /// Whether a process is of this session and not of another that got its number.
    fn holds(self, process: Stat, leader: Option<Stat>) -> bool {
        // Two readings of a clock in ticks may differ by one.
        let started = self.after.saturating_sub(1)..=self.before + 1;
        process.session == self.id
            && process.started >= *started.start()
            && leader.is_none_or(|leader| started.contains(&leader.started))
    }
}

/// The time since the machine was started, in the ticks in which the kernel tells when processes were.
pub(super) fn ticks() -> u64 {
    let per_second =
        nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok().flatten().unwrap_or(100) as u128;
    (since_boot().as_nanos() * per_second / 1_000_000_000) as u64
}

/// What the kernel says of a process.
#[derive(Clone, Copy, Debug)]
struct Stat {
    state: char,
    session: i32,
    started: u64,
}

impl Stat {
    fn of(pid: Pid) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // After the name in brackets, fields are counted from the third on.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            session: fields.get(3)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    fn is_zombie(self) -> bool {
        self.state == 'Z'
    }
}

/// Whether a process is stopped, by a signal or a debugger.
pub(super) fn is_stopped(pid: i32) -> bool {
    Stat::of(Pid::from_raw(pid)).is_some_and(|stat| ['T', 't'].contains(&stat.state))
}

fn strays(marker: &[u8], sessions: &[Session]) -> Vec<Pid> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).map(Pid::from_raw);
    let is_stray = |pid: &Pid| {
        let Some(stat) = Stat::of(*pid).filter(|stat| !stat.is_zombie()) else { return false };
        let is_of = |session: &Session| {
            session.id == stat.session && session.holds(stat, Stat::of(Pid::from_raw(session.id)))
        };
        sessions.iter().any(is_of) || carries(*pid, marker)
    };
    pids.filter(is_stray).collect()
}

/// Descendants of this process that carry `NAME=VALUE` in their environment.
pub(super) fn kill_marked_descendants(marker: &str, spare: &[Pid]) {
    let started = Instant::now();
    loop {
        let marked = orphans(marker, spare);
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
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let of_pid = |pid: i32| {
        let pod_uid = variable_of(Pid::from_raw(pid), POD_UID_VARIABLE)?;
        (!is_zombie(Pid::from_raw(pid))).then_some(PodProcess { pid, pod_uid })
    };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(of_pid).collect()
}

/// A variable of a process's environment, as it was when its program was started.
pub(super) fn variable_of(pid: Pid, name: &str) -> Option<String> {
    let environ = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environ.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

fn carries(pid: Pid, marker: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == marker))
}

fn is_zombie(pid: Pid) -> bool {
    Stat::of(pid).is_none_or(Stat::is_zombie)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_got_the_number_of_another_is_not_taken_for_it() {
        let session = Session::all_in("7 100 102\nrubbish\n8 5\n");
        assert_eq!(session, [Session { id: 7, after: 100, before: 102 }]);
        assert_eq!(Session::all_in(&session[0].text()), session);
        let stat = |session, started| Stat { state: 'S', session, started };
        let holds = |process, leader| session[0].holds(process, leader);
        assert!(holds(stat(7, 101), Some(stat(7, 101))), "the first process itself");
        assert!(holds(stat(7, 900), Some(stat(7, 99))), "one that it started");
        assert!(holds(stat(7, 900), None), "the first one is gone");
        assert!(!holds(stat(8, 900), None), "another session");
        assert!(!holds(stat(7, 90), None), "older than the session");
        assert!(!holds(stat(7, 901), Some(stat(7, 900))), "the number was given anew");
    }
}
