//! Which commits were made before this machine started.
//!
//! After a power cut a pod may have been started though nothing on the disk says so: its claim was not written yet. A pod that
//! was stored before the machine started, and that nobody has claimed, is therefore taken as lost and not started (a
//! second time, perhaps). That costs nothing while the machine runs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::record::{sealed_line, unsealed_line};
use super::write_atomic;

const FILE: &str = "boot";
const FIELD: &str = "boot";

/// The boot in which the newest commits were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Boot {
    /// The kernel's name for it.
    id: String,
    /// The last revision from before.
    after: u64,
}

impl Boot {
    fn read(root: &Path) -> Option<Self> {
        let bytes = fs::read(root.join(FILE)).ok()?;
        serde_json::from_str(unsealed_line(FIELD, &bytes)?).ok()
    }

    /// Writes this boot down where another stands; `revision` is that of the last commit.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn note(root: &Path, revision: u64) -> Result<()> {
        let id = boot_id();
        if Self::read(root).is_some_and(|known| known.id == id) {
            return Ok(());
        }
        let text = serde_json::to_string(&Self { id, after: revision }).context("encode the boot")?;
        write_atomic(&root.join(FILE), sealed_line(FIELD, &text).as_bytes())
    }

    /// The last revision from before this machine started, when `revision` is that of the last commit of all.
    pub(super) fn revision_before(root: &Path, revision: u64) -> u64 {
        match Self::read(root) {
            Some(known) if known.id == boot_id() => known.after,
            Some(_) => revision,
            None => 0,
        }
    }
}

/// The kernel's name for this boot. Debug builds can be told another, so that tests can restart the machine.
pub fn boot_id() -> String {
    #[cfg(debug_assertions)]
    if let Ok(id) = std::env::var("JOBCTL_BOOT_ID") {
        return id;
    }
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_before_the_machine_started_is_known() {
        let place = tempfile::tempdir().expect("a directory");
        let root = place.path();
        assert_eq!(Boot::revision_before(root, 7), 0, "a new store");
        Boot::note(root, 7).expect("noted");
        assert_eq!(Boot::revision_before(root, 9), 7);
        Boot::note(root, 9).expect("noted");
        assert_eq!(Boot::revision_before(root, 9), 7, "the same boot");
        let other = sealed_line(FIELD, r#"{"id":"another","after":3}"#);
        write_atomic(&root.join(FILE), other.as_bytes()).expect("written");
        assert_eq!(Boot::revision_before(root, 9), 9, "nothing has been committed since");
        Boot::note(root, 9).expect("noted");
        assert_eq!(Boot::revision_before(root, 20), 9);
    }
}
