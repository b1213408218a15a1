//! What this process has asked of the store, for whoever wants to be told (`-v`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Table;

/// One reading or one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transacted {
    /// The revisions that a commit has, first and last; of a reading the one that it found.
    pub revisions: (u64, u64),
    /// Whether it was a commit.
    pub is_commit: bool,
    /// How many objects of each table.
    pub objects: BTreeMap<Table, usize>,
    /// How long it took.
    pub took: Duration,
}

/// Nothing is noted before somebody asks for it.
static LEDGER: Mutex<Option<Vec<Transacted>>> = Mutex::new(None);

fn ledger<T>(with: impl FnOnce(&mut Option<Vec<Transacted>>) -> T) -> T {
    with(&mut LEDGER.lock().unwrap_or_else(PoisonError::into_inner))
}

/// From now on what this process asks of the store is noted.
pub fn keep_ledger() {
    ledger(|kept| {
        kept.get_or_insert_default();
    });
}

/// What has been noted since the last call.
pub fn take_ledger() -> Vec<Transacted> {
    ledger(|kept| kept.as_mut().map(std::mem::take).unwrap_or_default())
}

/// Notes a transaction, if anybody wants to know.
pub(super) fn note(transacted: impl FnOnce() -> Transacted) {
    ledger(|kept| {
        if let Some(kept) = kept {
            kept.push(transacted());
        }
    });
}
