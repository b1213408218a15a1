//! Committing under the lock: all of it or nothing.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Result, bail};

use super::ledger::{Transacted, note};
use super::record::{Change, Write, WriteContent, commit_text};
use super::{LockedStore, Table, Tail, crash_point, is_out_of_room};
use crate::api::kinds::Key;

/// How much the last objects of one commit may take: whoever reads a commit holds the whole of it.
const MOST_LAST_OBJECTS: usize = 4 << 20;

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
        self.append(writes, false)
    }

    /// As [`LockedStore::commit`], for what is going to free room: where the disk is full, the reserve makes way for it, and
    /// the last states of deleted objects are left out.
    ///
    /// # Errors
    /// As [`LockedStore::commit`].
    pub fn commit_what_frees_room(&mut self, writes: Vec<Write>) -> Result<()> {
        self.append(writes, true)
    }

    fn append(&mut self, mut writes: Vec<Write>, frees_room: bool) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let (began, first) = (Instant::now(), self.next_revision());
        check_numbers(&writes)?;
        self.store.note_boot(first - 1)?;
        self.find_last_objects(&mut writes)?;
        crash_point("before-commit");
        let last = first + writes.len() as u64 - 1;
        match self.tail.append(&commit_text(first, &writes), last) {
            Err(error) if frees_room && is_out_of_room(&error) && self.store.give_up_reserve() => {
                for write in &mut writes {
                    if let WriteContent::Delete(object) = &mut write.content {
                        *object = None;
                    }
                }
                self.tail.append(&commit_text(first, &writes), last)?;
            }
            result => result?,
        }
        self.store.notify();
        note(|| {
            let mut objects = BTreeMap::new();
            writes.iter().for_each(|write| *objects.entry(write.table).or_default() += 1);
            Transacted { revisions: (first, last), is_commit: true, objects, took: began.elapsed() }
        });
        crash_point("after-commit");
        Ok(())
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
