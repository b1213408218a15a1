//! Looking at supervisors from outside.

use std::os::fd::OwnedFd;

use anyhow::Result;

use super::spawn::pidfd_of;
use crate::store::{PodDirectory, holder_of};

/// A descriptor for a pod's living supervisor; `None` when there is none (any more).
///
/// # Errors
/// The lock cannot be looked at.
pub fn supervisor_of(directory: &PodDirectory) -> Result<Option<OwnedFd>> {
    let path = directory.lock_path();
    let Some(pid) = holder_of(&path)? else { return Ok(None) };
    let Ok(process) = pidfd_of(pid) else { return Ok(None) };
    // Between the two calls the pid may have been given to another process; the lock's second word settles it.
    Ok((holder_of(&path)? == Some(pid)).then_some(process))
}
