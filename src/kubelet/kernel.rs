//! What the kernel gives to supervisors and the controller, tried out rather than read off its version: a filter of system
//! calls or a missing mount takes away what the version promises.

use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};

use super::spawn::{can_close_ranges, can_signal, pidfd_of};

/// Something of the kernel's that we rely on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facility {
    /// Its name.
    pub name: &'static str,
    /// What does not work without it.
    pub purpose: &'static str,
    /// What the kernel says when it is tried.
    pub works: Result<(), String>,
}

/// How many processes and open files this user may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Threads that this user runs now.
    pub threads: u64,
    /// How many there may be (`ulimit -u`); `None` without a limit.
    pub most_threads: Option<u64>,
    /// How many files one process may have open (`ulimit -n`); `None` without a limit.
    pub most_files: Option<u64>,
    /// Whether the user is root, whom the limit on processes does not bind.
    pub is_root: bool,
}

/// Tries everything that pods need.
pub fn facilities() -> Vec<Facility> {
    let facility = |name, purpose, works: Result<(), String>| Facility { name, purpose, works };
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let pidfd = pidfd_of(nix::unistd::getpid().as_raw()).and_then(|process| can_signal(&process));
    let thread = nix::unistd::gettid();
    let children = fs::read(format!("/proc/self/task/{thread}/children"));
    vec![
        facility("subreaper", "finding processes that leave their parent", subreaper()),
        facility(
            "/proc/PID/task/TID/children",
            "finding the processes of a pod",
            children.map(drop).map_err(|e| text(&e)),
        ),
        facility("pidfd", "stopping pods", pidfd.map_err(|e| text(&e))),
        facility(
            "close_range",
            "keeping descriptors from containers",
            can_close_ranges().map_err(|e| text(&e)),
        ),
        facility(
            "inotify",
            "hearing of changes (are all fs.inotify.max_user_instances in use?)",
            Inotify::init(InitFlags::IN_CLOEXEC).map(drop).map_err(|e| text(&e)),
        ),
    ]
}

/// This process becomes one for a moment; it has no children to adopt.
fn subreaper() -> Result<(), String> {
    let tried = set_child_subreaper(true).and_then(|()| set_child_subreaper(false));
    tried.map_err(|error| error.to_string())
}

/// How many processes and files there may be.
pub fn limits() -> Limits {
    let limit = |resource| {
        let (soft, _) = getrlimit(resource).unwrap_or((RLIM_INFINITY, RLIM_INFINITY));
        (soft != RLIM_INFINITY).then_some(soft)
    };
    Limits {
        threads: threads_of(nix::unistd::getuid().as_raw()),
        most_threads: limit(Resource::RLIMIT_NPROC),
        most_files: limit(Resource::RLIMIT_NOFILE),
        is_root: nix::unistd::getuid().is_root(),
    }
}

/// Lets this process have as many open files as its user may; how many that is.
pub fn raise_open_files() -> u64 {
    let Ok((few, most)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u64::MAX };
    match setrlimit(Resource::RLIMIT_NOFILE, most, most) {
        Ok(()) => most,
        Err(_) => few,
    }
}

fn threads_of(user: u32) -> u64 {
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let is_theirs =
        |entry: &fs::DirEntry| entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == user);
    let threads = |entry: fs::DirEntry| -> Option<u64> {
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
    };
    entries.flatten().filter(is_theirs).filter_map(threads).sum()
}
