//! Looking at supervisors from outside.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use anyhow::Result;
use nix::unistd::Pid;

use super::actions::{CONTAINER_VARIABLE, POD_UID_VARIABLE};
use super::processes::{children_of, is_stopped, variable_of};
use super::spawn::{pidfd_of, send_signal};
use crate::api::Pod;
use crate::api::meta::uid;
use crate::store::{PodDirectory, holder_of};

/// What is known of a pod's supervisor.
#[derive(Debug)]
pub enum Supervisor {
    /// Nobody holds its lock: the only proof of death we accept.
    Gone,
    /// It lives. The descriptor is missing where its process cannot be seen from here (in another PID namespace), or where this
    /// process may not open any more files.
    Alive(Option<OwnedFd>),
}

/// Looks at a pod's supervisor.
///
/// # Errors
/// The lock cannot be looked at.
pub fn supervisor_of(directory: &PodDirectory) -> Result<Supervisor> {
    let path = directory.lock_path();
    let Some(pid) = holder_of(&path)? else { return Ok(Supervisor::Gone) };
    let process = pidfd_of(pid).ok();
    // Between the two calls the pid may have been given to another process; the lock's second word settles it.
    Ok(match holder_of(&path)? {
        None => Supervisor::Gone,
        Some(holder) => Supervisor::Alive(process.filter(|_| holder == pid)),
    })
}

/// The processes that a pod's containers were started as, by their names: those that run now and that this process can see.
pub fn container_pids(directory: &PodDirectory, pod: &Pod) -> BTreeMap<String, i32> {
    let mut pids = BTreeMap::new();
    let Ok(Some(supervisor)) = holder_of(&directory.lock_path()) else { return pids };
    for child in children_of(Pid::from_raw(supervisor)) {
        let is_of_pod = variable_of(child, POD_UID_VARIABLE).is_some_and(|of| of == uid(&pod.metadata));
        let container = variable_of(child, CONTAINER_VARIABLE).filter(|_| is_of_pod);
        // What the supervisor has taken over, or started for a visitor, came later.
        if let Some(container) = container {
            pids.entry(container).or_insert(child.as_raw());
        }
    }
    pids
}

/// Lets a supervisor go on that somebody has stopped, so that it can hear a request. True where it was stopped.
///
/// # Errors
/// The lock cannot be looked at.
pub fn continue_if_stopped(directory: &PodDirectory, process: &OwnedFd) -> Result<bool> {
    let is_stopped = holder_of(&directory.lock_path())?.is_some_and(is_stopped);
    if is_stopped {
        let _ = send_signal(process, libc::SIGCONT);
    }
    Ok(is_stopped)
}

/// Kills a supervisor that does not follow: its pod is lost then, and what is left of it is killed.
pub fn kill_supervisor(process: &OwnedFd) {
    let _ = send_signal(process, libc::SIGKILL);
}
