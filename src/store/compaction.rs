//! A new snapshot in place of an old one and its journal, made in a stream: what memory it takes depends on how many objects
//! the journal has changed, not on how many there are.

use std::collections::{BTreeMap, btree_map};
use std::iter::Peekable;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use super::record::{TABLES, checked_records};
use super::retention::Retention;
use super::sizes::Sizes;
use super::snapshot::{SnapshotWriter, remove_old_snapshots};
use super::state::{PODS_LISTING, snapshot_file};
use super::stream::Records;
use super::{LockedStore, Store, Table, Tail};
use crate::api::kinds::Key;

/// A journal below this size is not compacted while there is work.
const SMALLEST_JOURNAL: u64 = 4 << 20;
/// A journal above this size is compacted when there is nothing else to do.
const LONG_JOURNAL: u64 = 1 << 20;

impl LockedStore {
    /// Compacts when the journal is larger than 4 MiB and than half the snapshot, so that the cost per commit stays
    /// constant. What `store/retention.rs` says is left behind.
    ///
    /// # Errors
    /// Failing reads or writes; the old snapshot stays in force.
    pub fn compact_if_due(&mut self, now: DateTime<Utc>) -> Result<bool> {
        let length = self.tail.offset();
        if length < SMALLEST_JOURNAL || length < Sizes::read(self.tail.directory())?.total() / 2 {
            return Ok(false);
        }
        self.compact(now)?;
        Ok(true)
    }

    /// Compacts now, unless somebody has committed what this tail has not read.
    ///
    /// # Errors
    /// As [`LockedStore::compact_if_due`].
    pub fn compact_unless_behind(&mut self, now: DateTime<Utc>) -> Result<()> {
        if self.tail.is_behind()? { Ok(()) } else { self.compact(now) }
    }

    /// Compacts now.
    ///
    /// # Errors
    /// As [`LockedStore::compact_if_due`].
    pub fn compact(&mut self, now: DateTime<Utc>) -> Result<()> {
        let Some(written) = Written::read(&self.store)? else { return Ok(()) };
        let revision = written.tail.revision();
        let mut writer = SnapshotWriter::begin(&self.store, revision)?;
        if let Err(error) = written.copy(&mut writer, now) {
            writer.give_up();
            return Err(error).context("write a new snapshot");
        }
        let directory =
            writer.put_in_force(&self.store, &self.lock, revision).context("write a new snapshot")?;
        self.tail = Tail::open(&self.store, &directory)?;
        remove_old_snapshots(&directory);
        Ok(())
    }
}

impl Tail {
    /// Whether the journal is long enough for compaction to be worth while when there is nothing else to do.
    pub fn is_long(&self) -> bool {
        self.offset() > LONG_JOURNAL
    }
}

/// Where in the journal the last word on an object stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    revision: u64,
    offset: u64,
    length: usize,
}

/// What the journal has written since the snapshot: the last word on each object, `None` where that is its deletion.
#[derive(Debug)]
struct Written {
    tail: Tail,
    /// The sizes of the snapshot's files.
    sizes: Sizes,
    last: BTreeMap<Table, BTreeMap<Key, Option<Place>>>,
}

impl Written {
    /// Reads the journal in force, under the lock; `None` where it is empty.
    fn read(store: &Store) -> Result<Option<Self>> {
        let mut tail = Tail::open(store, &store.current_snapshot()?)?;
        let first = tail.revision();
        let mut last: BTreeMap<Table, BTreeMap<Key, Option<Place>>> = BTreeMap::new();
        while let Some(batch) = tail.next_batch(&TABLES)? {
            let offset = batch.offset.context("the place of a commit")?;
            for change in checked_records(&batch.text) {
                let place = change.object.map(|object| Place {
                    revision: change.revision,
                    offset: offset + (object.as_ptr() as usize - batch.text.as_ptr() as usize) as u64,
                    length: object.len(),
                });
                last.entry(change.table).or_default().insert(Key::new(change.namespace, change.name), place);
            }
        }
        let sizes = Sizes::read(tail.directory())?;
        Ok((tail.revision() > first).then_some(Self { tail, sizes, last }))
    }

    /// Copies every object that is to be kept.
    fn copy(&self, writer: &mut SnapshotWriter, now: DateTime<Utc>) -> Result<()> {
        let mut retention = Retention::new(now);
        for table in TABLES {
            if Retention::looks_first_at(table) {
                let mut merge = self.merge(table)?;
                while let Some(object) = merge.next()? {
                    retention.look_at(table, object.revision, object.text);
                }
                retention.decide();
            }
            let mut merge = self.merge(table)?;
            while let Some(object) = merge.next()? {
                if retention.keeps(table, &object.key, object.text) {
                    writer.push(table, object.revision, &object.key, object.text, object.listed)?;
                }
            }
        }
        Ok(())
    }

    fn merge(&self, table: Table) -> Result<Merge<'_>> {
        let directory = self.tail.directory();
        let old = Records::open(snapshot_file(directory, table), table, &self.sizes)?;
        let listing = match table {
            Table::PODS => Records::open(directory.join(PODS_LISTING), table, &self.sizes)?,
            _ => None,
        };
        let new = self.last.get(&table).map(|last| last.iter().peekable());
        Ok(Merge {
            tail: &self.tail,
            old: Old { records: old, listing, next: None, is_read: false },
            new,
            text: String::new(),
            listed: None,
        })
    }
}

/// The objects of a table by key: those of the snapshot, and in their place those of the journal.
struct Merge<'a> {
    tail: &'a Tail,
    old: Old,
    new: Option<Peekable<btree_map::Iter<'a, Key, Option<Place>>>>,
    text: String,
    listed: Option<String>,
}

struct Old {
    records: Option<Records>,
    /// What lists show of the same objects, in the same order.
    listing: Option<Records>,
    next: Option<OldObject>,
    is_read: bool,
}

struct OldObject {
    key: Key,
    revision: u64,
    text: String,
    listed: Option<String>,
}

/// An object to be copied.
struct Copied<'a> {
    key: Key,
    revision: u64,
    text: &'a str,
    listed: Option<&'a str>,
}

impl Old {
    fn peek(&mut self) -> Result<Option<&OldObject>> {
        if !self.is_read {
            self.is_read = true;
            self.next = self.read()?;
        }
        Ok(self.next.as_ref())
    }

    fn take(&mut self) -> Option<OldObject> {
        self.is_read = false;
        self.next.take()
    }

    fn read(&mut self) -> Result<Option<OldObject>> {
        let Some(records) = &mut self.records else { return Ok(None) };
        let Some((change, _)) = records.next()? else { return Ok(None) };
        let mut object = OldObject {
            key: Key::new(change.namespace, change.name),
            revision: change.revision,
            text: change.object.unwrap_or_default().to_owned(),
            listed: None,
        };
        if let Some(listing) = &mut self.listing
            && let Some((listed, _)) = listing.next()?
            && (listed.namespace, listed.name, listed.revision)
                == (&*object.key.namespace, &*object.key.name, object.revision)
        {
            object.listed = listed.object.map(str::to_owned);
        }
        Ok(Some(object))
    }
}

impl Merge<'_> {
    fn next(&mut self) -> Result<Option<Copied<'_>>> {
        loop {
            let new = self.new.as_mut().and_then(|new| new.peek().copied());
            let old = self.old.peek()?.map(|old| &old.key);
            let (is_old, is_replaced) = match (old, new) {
                (None, None) => return Ok(None),
                (old, None) => (old.is_some(), false),
                (old, Some((key, _))) => (old.is_some_and(|old| old < key), old == Some(key)),
            };
            if is_old {
                let Some(OldObject { key, revision, text, listed }) = self.old.take() else {
                    return Ok(None);
                };
                (self.text, self.listed) = (text, listed);
                return Ok(Some(Copied { key, revision, text: &self.text, listed: self.listed.as_deref() }));
            }
            if is_replaced {
                self.old.take();
            }
            let Some((key, place)) = self.new.as_mut().and_then(Iterator::next) else { return Ok(None) };
            if let Some(place) = place {
                self.text = self.tail.text_at(place.offset, place.length)?;
                return Ok(Some(Copied {
                    key: key.clone(),
                    revision: place.revision,
                    text: &self.text,
                    listed: None,
                }));
            }
        }
    }
}
