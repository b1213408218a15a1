//! Committing under the lock: all of it or nothing.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};

use super::ledger::{Transacted, note};
use super::record::{Change, Write, WriteContent, commit_text};
use super::{LockedStore, Table, Tail, crash_point, is_out_of_room};
use crate::api::kinds::Key;

/// How much the last objects of one commit may take: whoever reads a commit holds the whole of it.
const MOST_LAST_OBJECTS: usize = 4 << 20;

/// Whether a commit says of what it deletes how that was at last, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastObjects {
    Written,
    WhereThereIsRoom,
    LeftOut,
}

impl LockedStore {
    /// Hands over what others have committed since the tail's last reading, and cuts off what one of them left that died in
    /// the middle of a commit. Must come before a decision.
    ///
    /// # Errors
    /// Unreadable or damaged journal.
    pub fn catch_up(&mut self, tables: &[Table], each: impl FnMut(Change<'_>)) -> Result<()> {
        self.tail.changes(tables, each)?;
        self.tail.cut_torn_end()
    }

    /// The revision that the write with number 0 of the next commit will have: objects carry theirs as their
    /// resourceVersion.
    pub fn next_revision(&self) -> u64 {
        self.tail.revision() + 1
    }

    /// Appends one commit: all of it or nothing. It survives this process at once, and a power cut once synced.
    ///
    /// # Errors
    /// A full disk or another failing write; the state before it stands.
    pub fn commit(&mut self, writes: Vec<Write>) -> Result<()> {
        self.append(writes, LastObjects::Written).map(|_| ())
    }

    /// As [`LockedStore::commit`], for what is going to free room: where the disk is full, the reserve makes way for it, and
    /// the last states of deleted objects are left out. Then what is deleted goes from the disk, too, if a snapshot without it
    /// has room there.
    ///
    /// # Errors
    /// As [`LockedStore::commit`].
    pub fn commit_what_frees_room(&mut self, writes: Vec<Write>, now: DateTime<Utc>) -> Result<()> {
        // What is left of a reserve that an earlier deletion has had is for what must be written.
        let was_full = !self.store.keep_reserve();
        let last_objects = if was_full { LastObjects::LeftOut } else { LastObjects::WhereThereIsRoom };
        if self.append(writes, last_objects)? || was_full {
            // Without room for that the journal is as good, only longer.
            let _ = self.compact(now);
            self.store.keep_reserve();
        }
        Ok(())
    }

    /// Whether the disk was too full for the last states of deleted objects.
    fn append(&mut self, mut writes: Vec<Write>, last_objects: LastObjects) -> Result<bool> {
        if writes.is_empty() {
            return Ok(false);
        }
        let (began, first) = (Instant::now(), self.next_revision());
        check_numbers(&writes)?;
        self.store.note_boot(first - 1)?;
        match last_objects {
            LastObjects::LeftOut => leave_out_last_objects(&mut writes),
            LastObjects::Written | LastObjects::WhereThereIsRoom => self.find_last_objects(&mut writes)?,
        }
        crash_point("before-commit");
        let last = first + writes.len() as u64 - 1;
        let is_full = match self.tail.append(&commit_text(first, &writes), last) {
            Err(error) if last_objects == LastObjects::WhereThereIsRoom && is_out_of_room(&error) => {
                self.store.give_up_reserve();
                leave_out_last_objects(&mut writes);
                self.tail.append(&commit_text(first, &writes), last)?;
                true
            }
            result => {
                result?;
                false
            }
        };
        self.store.notify();
        note(|| {
            let mut objects = BTreeMap::new();
            writes.iter().for_each(|write| *objects.entry(write.table).or_default() += 1);
            Transacted { revisions: (first, last), is_commit: true, objects, took: began.elapsed() }
        });
        crash_point("after-commit");
        Ok(is_full)
    }

    /// Fills in what watchers are told of deleted objects, where whoever deletes did not have it.
    fn find_last_objects(&self, writes: &mut [Write]) -> Result<()> {
        let is_wanted =
            |write: &&mut Write| write.table.is_kind() && write.content == WriteContent::Delete(None);
        let mut wanted: BTreeMap<(Table, Key), Option<String>> = writes
            .iter_mut()
            .filter(is_wanted)
            .map(|write| ((write.table, write.key.clone()), None))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let mut tables: Vec<Table> = wanted.keys().map(|(table, _)| *table).collect();
        tables.dedup();
        let mut held = 0;
        self.store.stream(&tables, |change| {
            if let Some(last) = wanted.get_mut(&(change.table, Key::new(change.namespace, change.name))) {
                held -= last.as_ref().map_or(0, String::len);
                // Beyond that a deletion says only what was deleted.
                *last = change
                    .object
                    .filter(|object| held + object.len() <= MOST_LAST_OBJECTS)
                    .map(str::to_owned);
                held += last.as_ref().map_or(0, String::len);
            }
            Ok(())
        })?;
        for write in writes.iter_mut().filter(|write| write.content == WriteContent::Delete(None)) {
            if let Some(last) = wanted.remove(&(write.table, write.key.clone())) {
                write.content = WriteContent::Delete(last);
            }
        }
        Ok(())
    }

    /// Unlocks; the tail stands after everything committed so far.
    pub fn unlock(self) -> Tail {
        self.tail
    }
}

fn leave_out_last_objects(writes: &mut [Write]) {
    for write in writes {
        if let WriteContent::Delete(object) = &mut write.content {
            *object = None;
        }
    }
}

/// The numbers of a commit's writes are those from 0 to their count, each once: every write has a revision of its own.
fn check_numbers(writes: &[Write]) -> Result<()> {
    let mut seen = vec![false; writes.len()];
    for write in writes {
        match usize::try_from(write.number).ok().and_then(|number| seen.get_mut(number)) {
            Some(seen) if !*seen => *seen = true,
            _ => bail!("the writes of a commit are not numbered from 0 on"),
        }
    }
    Ok(())
}
