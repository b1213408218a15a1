//! Reading: the snapshot in force and the journal after it, for the tables a caller asks for.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::ledger::{Transacted, note};
use super::record::{Change, Fault, Table, checked_records, read_record};
use super::sizes::Sizes;
use super::{Store, StoreError, Tail};
use crate::api::kinds::Key;

/// Where in which buffer an object's text stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    buffer: u32,
    start: usize,
    end: usize,
    revision: u64,
}

/// One file's bytes, held once however many objects are in it.
#[derive(Debug)]
struct Buffer {
    path: PathBuf,
    text: String,
}

/// Objects of some tables as of one revision. Their texts are slices of the files read; nothing is parsed yet. A copy shares all
/// of it until one of the two is changed.
#[derive(Clone, Debug, Default)]
pub struct State {
    buffers: Vec<Arc<Buffer>>,
    tables: BTreeMap<Table, Arc<BTreeMap<Key, Place>>>,
    revision: u64,
    /// How much may be held until it is worth a look how much of it is in force.
    enough: usize,
}

/// An object of a [`State`].
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Its JSON text.
    pub text: &'a str,
    /// The revision of the write that left it so.
    pub revision: u64,
    path: &'a Path,
}

impl<'a> Object<'a> {
    /// Parses the object.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with file and line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.text).map_err(|error| self.damaged(&error))
    }

    /// Parses the object into a type that borrows from its text.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with file and line.
    pub fn parse_borrowed<T: Deserialize<'a>>(&self) -> Result<T> {
        serde_json::from_str(self.text).map_err(|error| self.damaged(&error))
    }

    /// The error for this object's place, with what is wrong about it.
    pub fn damaged(&self, detail: &dyn std::fmt::Display) -> anyhow::Error {
        damaged(self.path, offset_of_object(self.path, self.text).unwrap_or(0), detail)
    }
}

/// The error for the line at byte `offset` of a file.
pub(super) fn damaged(path: &Path, offset: u64, detail: &dyn std::fmt::Display) -> anyhow::Error {
    let line = lines_before(path, offset).unwrap_or(0) + 1;
    StoreError::Damaged { file: path.to_owned(), line, offset: offset as usize, detail: detail.to_string() }
        .into()
}

/// How many lines end before byte `offset` of a file.
fn lines_before(path: &Path, offset: u64) -> Option<usize> {
    let bytes = fs::read(path).ok()?;
    Some(memchr::memchr_iter(b'\n', bytes.get(..offset as usize)?).count())
}

/// Where the line of an object starts whose text is given. For errors only: the checksum of that line was right.
fn offset_of_object(path: &Path, text: &str) -> Option<u64> {
    let bytes = fs::read(path).ok()?;
    let at = memchr::memmem::rfind(&bytes, text.as_bytes())?;
    Some(memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline as u64 + 1))
}

/// What lists show of the pods, beside them in each snapshot.
pub(super) const PODS_LISTING: &str = "pods.listing.jsonl";

/// The file of a table in a snapshot.
pub(super) fn snapshot_file(directory: &Path, table: Table) -> PathBuf {
    directory.join(format!("{}.jsonl", table.as_str()))
}

impl Store {
    /// Reads tables without a lock. The [`Tail`] is where the reading ended: to follow, or to lock for a commit.
    ///
    /// # Errors
    /// Unreadable files; damaged records, with file and line.
    pub fn read(&self, tables: &[Table]) -> Result<(State, Tail)> {
        self.read_files(tables, snapshot_file)
    }

    /// As [`Store::read`], but most pods are as [`listed_pod`](crate::printers::rows::listed_pod) leaves them: their
    /// rows and labels.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_listing(&self, tables: &[Table]) -> Result<(State, Tail)> {
        self.read_files(tables, |directory, table| match table {
            Table::PODS => directory.join(PODS_LISTING),
            _ => snapshot_file(directory, table),
        })
    }

    /// Reads tables as they were at the last compaction; the [`Tail`] stands before everything since.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_snapshot_in_force(&self, tables: &[Table]) -> Result<(State, Tail)> {
        self.with_snapshot(|directory| self.read_snapshot(directory, tables, &snapshot_file))
    }

    fn read_files(&self, tables: &[Table], file: impl Fn(&Path, Table) -> PathBuf) -> Result<(State, Tail)> {
        let began = Instant::now();
        let (state, tail) = self.with_snapshot(|directory| {
            let (mut state, mut tail) = self.read_snapshot(directory, tables, &file)?;
            while let Some(batch) = tail.next_batch(tables)? {
                state.take_commits(batch.path, batch.text, tables);
            }
            state.revision = tail.revision();
            Ok((state, tail))
        })?;
        note(|| {
            let objects = tables.iter().map(|table| (*table, state.objects(*table).count())).collect();
            let revisions = (state.revision(), state.revision());
            Transacted { revisions, is_commit: false, objects, took: began.elapsed() }
        });
        Ok((state, tail))
    }

    /// Reads from the snapshot in force. A compaction may replace it between two opens; the new one is there already then.
    pub(super) fn with_snapshot<T>(&self, mut read: impl FnMut(&Path) -> Result<T>) -> Result<T> {
        for _ in 0..16 {
            let directory = self.current_snapshot()?;
            match read(&directory) {
                Err(error) if is_gone(&error) && self.current_snapshot()? != directory => {}
                result => return result,
            }
        }
        anyhow::bail!("the snapshots in {} change faster than they can be read", self.root().display())
    }

    fn read_snapshot(
        &self,
        directory: &Path,
        tables: &[Table],
        file: &impl Fn(&Path, Table) -> PathBuf,
    ) -> Result<(State, Tail)> {
        let tail = Tail::open(self, directory)?;
        let mut state = State::at(tail.snapshot_revision());
        if self.is_absent() {
            return Ok((state, tail));
        }
        let sizes = Sizes::read(directory)?;
        for table in tables {
            let path = file(directory, *table);
            match fs::read(&path) {
                Ok(bytes) => {
                    let size = sizes.check(&path, bytes.len() as u64);
                    // A damaged line says more of where.
                    state.take_snapshot(*table, path, bytes)?;
                    size?;
                }
                // A table that was empty at that revision has no file; revision 0 has none at all. A snapshot
                // removed under our hands shows in the journal, which is opened already and read below.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    if !directory.join("journal.jsonl").exists() {
                        return Err(error).with_context(|| format!("read {}", path.display()));
                    }
                    sizes.check(&path, 0)?;
                }
                Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
            }
        }
        Ok((state, tail))
    }
}

/// Whether an error says that a file is not there.
fn is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

impl State {
    /// Nothing yet, as of a snapshot's revision.
    pub(super) fn at(revision: u64) -> Self {
        Self { revision, ..Self::default() }
    }

    /// Takes in a file of a snapshot.
    ///
    /// # Errors
    /// Damaged lines.
    pub(super) fn take_snapshot(&mut self, table: Table, path: PathBuf, bytes: Vec<u8>) -> Result<()> {
        let buffer = self.buffers.len() as u32;
        let mut objects = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let (change, length) = read_snapshot_record(table, &bytes[at..])
                .map_err(|fault| damaged(&path, at as u64, &fault))?;
            if let Some(object) = change.object {
                objects.push((
                    Key::new(change.namespace, change.name),
                    place(&bytes, object, buffer, change.revision),
                ));
            }
            at += length;
        }
        // Every line has been checked.
        let text = String::from_utf8(bytes).map_err(|_| damaged(&path, 0, &"not UTF-8"))?;
        // Snapshots are sorted, and a map is built from sorted pairs in one go.
        self.tables.insert(table, Arc::new(BTreeMap::from_iter(objects)));
        self.buffers.push(Arc::new(Buffer { path, text }));
        Ok(())
    }

    /// Takes in commits as [`Tail::next_batch`] gives them.
    pub(super) fn take_commits(&mut self, path: PathBuf, text: String, tables: &[Table]) {
        let buffer = self.buffers.len() as u32;
        for change in checked_records(&text).filter(|change| tables.contains(&change.table)) {
            self.take_change(&change, text.as_bytes(), buffer);
        }
        self.buffers.push(Arc::new(Buffer { path, text }));
    }

    fn take_change(&mut self, change: &Change<'_>, bytes: &[u8], buffer: u32) {
        let objects = Arc::make_mut(self.tables.entry(change.table).or_default());
        let key = Key::new(change.namespace, change.name);
        match change.object {
            Some(object) => {
                objects.insert(key, place(bytes, object, buffer, change.revision));
            }
            None => {
                objects.remove(&key);
            }
        }
        self.revision = self.revision.max(change.revision);
    }

    /// Takes in what has been committed to the tables since. `each` gets every change, and the object as it was before.
    ///
    /// # Errors
    /// As [`Tail::changes`].
    pub fn follow(
        &mut self,
        tail: &mut Tail,
        tables: &[Table],
        mut each: impl FnMut(&Change<'_>, Option<Object<'_>>),
    ) -> Result<()> {
        while let Some(batch) = tail.next_batch(tables)? {
            let number = self.buffers.len() as u32;
            let buffer = Arc::new(Buffer { path: batch.path, text: batch.text });
            // What it has changed before may be changed again further on.
            self.buffers.push(Arc::clone(&buffer));
            for change in checked_records(&buffer.text).filter(|change| tables.contains(&change.table)) {
                each(&change, self.get(change.table, &Key::new(change.namespace, change.name)));
                self.take_change(&change, buffer.text.as_bytes(), number);
            }
        }
        self.revision = self.revision.max(tail.revision());
        self.drop_garbage();
        Ok(())
    }

    /// Copies what is in force into one buffer, where the greater part of what is held is not, or it is in very many pieces.
    fn drop_garbage(&mut self) {
        const LITTLE: usize = 1 << 20;
        const MANY: usize = 512;
        let held: usize = self.buffers.iter().map(|buffer| buffer.text.len()).sum();
        if self.buffers.len() < MANY && held < self.enough.max(LITTLE) {
            return;
        }
        let places = self.tables.values().flat_map(|objects| objects.values());
        let in_force: usize = places.map(|place| place.end - place.start).sum();
        self.enough = LITTLE + 2 * in_force;
        if self.buffers.len() < MANY && held < self.enough {
            return;
        }
        let mut text = String::with_capacity(in_force);
        for place in self.tables.values_mut().flat_map(|objects| Arc::make_mut(objects).values_mut()) {
            let start = text.len();
            text.push_str(&self.buffers[place.buffer as usize].text[place.start..place.end]);
            *place = Place { buffer: 0, start, end: text.len(), revision: place.revision };
        }
        self.buffers = vec![Arc::new(Buffer { path: PathBuf::new(), text })];
    }

    /// Adds an object that is shown and not stored.
    pub fn add(&mut self, table: Table, key: Key, text: String) {
        let buffer = self.buffers.len() as u32;
        let place = Place { buffer, start: 0, end: text.len(), revision: self.revision };
        Arc::make_mut(self.tables.entry(table).or_default()).insert(key, place);
        self.buffers.push(Arc::new(Buffer { path: PathBuf::new(), text }));
    }

    /// Leaves an object out.
    pub fn remove(&mut self, table: Table, key: &Key) {
        if let Some(objects) = self.tables.get_mut(&table) {
            Arc::make_mut(objects).remove(key);
        }
    }

    /// The revision of the last commit taken in.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An object by its key.
    pub fn get(&self, table: Table, key: &Key) -> Option<Object<'_>> {
        let place = self.tables.get(&table)?.get(key)?;
        Some(self.object(place))
    }

    /// How many objects a table has.
    pub fn count(&self, table: Table) -> usize {
        self.tables.get(&table).map_or(0, |objects| objects.len())
    }

    /// All objects of a table, by namespace and name.
    pub fn objects(&self, table: Table) -> impl Iterator<Item = (&Key, Object<'_>)> {
        self.objects_in(table, None, None)
    }

    /// Those objects of a table that are in a namespace, or in any (`None`), and not before a key.
    pub fn objects_in<'a>(
        &'a self,
        table: Table,
        namespace: Option<&str>,
        from: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, Object<'a>)> + use<'a> {
        self.places_in(table, namespace, from).map(|(key, place)| (key, self.object(place)))
    }

    /// How many objects [`State::objects_in`] would give. Their texts are not touched.
    pub fn count_in(&self, table: Table, namespace: Option<&str>, from: Option<&Key>) -> usize {
        self.places_in(table, namespace, from).count()
    }

    fn places_in<'a>(
        &'a self,
        table: Table,
        namespace: Option<&str>,
        from: Option<&Key>,
    ) -> impl Iterator<Item = (&'a Key, &'a Place)> + use<'a> {
        let first = namespace.map(|namespace| Key::new(namespace, ""));
        let begin = first.as_ref().max(from).map_or(Bound::Unbounded, Bound::Included);
        // What comes next after a namespace is it and the smallest character.
        let next = namespace.map(|namespace| Key::new(&format!("{namespace}\0"), ""));
        let end = next.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let is_some = match (&begin, &end) {
            (Bound::Included(begin), Bound::Excluded(end)) => begin < end,
            _ => true,
        };
        let objects = self.tables.get(&table).filter(|_| is_some);
        objects.map(|objects| objects.range::<Key, _>((begin, end))).into_iter().flatten()
    }

    fn object(&self, place: &Place) -> Object<'_> {
        let buffer = &self.buffers[place.buffer as usize];
        Object { text: &buffer.text[place.start..place.end], revision: place.revision, path: &buffer.path }
    }
}

fn place(bytes: &[u8], object: &str, buffer: u32, revision: u64) -> Place {
    let start = object.as_ptr() as usize - bytes.as_ptr() as usize;
    Place { buffer, start, end: start + object.len(), revision }
}

/// Reads the record at the start of `bytes`, of a snapshot's file of that table.
pub(super) fn read_snapshot_record(table: Table, bytes: &[u8]) -> Result<(Change<'_>, usize), Fault> {
    let (change, length) = read_record(bytes)?;
    if change.table != table || change.object.is_none() {
        return Err(Fault::Damaged("a record of another table"));
    }
    Ok((change, length))
}
