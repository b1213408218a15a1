//! Reading: the snapshot in force and the journal after it, for the tables a caller asks for.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::record::{Table, changes, key_and_object};
use super::sizes::Sizes;
use super::{Store, StoreError, Tail};
use crate::api::kinds::Key;

/// Where in which buffer an object's text stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    buffer: u32,
    start: usize,
    end: usize,
}

/// One file's bytes, held once however many objects are in it.
#[derive(Debug)]
struct Buffer {
    path: PathBuf,
    text: String,
}

/// Objects of some tables as of one revision. Their texts are slices of the files read; nothing is parsed yet.
#[derive(Debug, Default)]
pub struct State {
    buffers: Vec<Buffer>,
    tables: BTreeMap<Table, BTreeMap<Key, Place>>,
    revision: u64,
}

/// An object of a [`State`].
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    /// Its JSON text.
    pub text: &'a str,
    buffer: &'a Buffer,
    start: usize,
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

    /// The file that the object was read from.
    pub(super) fn file(&self) -> &'a Path {
        &self.buffer.path
    }

    /// The error for this object's place, with what is wrong about it.
    pub fn damaged(&self, detail: &dyn std::fmt::Display) -> anyhow::Error {
        damaged(&self.buffer.path, &self.buffer.text, self.start, detail.to_string())
    }
}

/// The error for the line of `text` that holds byte `at`. The text may leave out what its file has in the lines.
pub(super) fn damaged(path: &Path, text: &str, at: usize, detail: String) -> anyhow::Error {
    let before = &text.as_bytes()[..at];
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let offset = line_start(path, line)
        .unwrap_or_else(|| memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1));
    StoreError::Damaged { file: path.to_owned(), line, offset, detail }.into()
}

/// The byte at which a line of a file starts.
pub(super) fn line_start(path: &Path, line: usize) -> Option<usize> {
    let bytes = fs::read(path).ok()?;
    match line {
        1 => Some(0),
        _ => memchr::memchr_iter(b'\n', &bytes).nth(line - 2).map(|newline| newline + 1),
    }
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
        self.read_files(tables, |directory, table| {
            let listing = directory.join(PODS_LISTING);
            // A snapshot made before there were listings has none.
            if table == Table::Pods && listing.exists() { listing } else { snapshot_file(directory, table) }
        })
    }

    fn read_files(&self, tables: &[Table], file: impl Fn(&Path, Table) -> PathBuf) -> Result<(State, Tail)> {
        // A compaction may replace the snapshot between our two opens; the new one is there already then.
        for _ in 0..16 {
            let directory = self.current_snapshot()?;
            match self.read_snapshot(&directory, tables, &file) {
                Err(error) if is_gone(&error) => {}
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
        let mut tail = Tail::open(self, directory)?;
        let mut state = State::at(tail.snapshot_revision());
        let sizes = Sizes::read(directory);
        for table in tables {
            let path = file(directory, *table);
            match fs::read(&path) {
                Ok(bytes) => {
                    let size = sizes.check(&path, &bytes);
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
                    sizes.check(&path, b"")?;
                }
                Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
            }
        }
        let text = tail.read_on(tables)?;
        state.take_journal(tail.journal_path(), text, tables)?;
        Ok((state, tail))
    }
}

fn is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

impl State {
    /// Nothing yet, as of a snapshot's revision.
    pub(super) fn at(revision: u64) -> Self {
        Self { revision, ..Self::default() }
    }

    pub(super) fn take_snapshot(&mut self, table: Table, path: PathBuf, bytes: Vec<u8>) -> Result<()> {
        let text = into_text(&path, bytes)?;
        let buffer = self.buffers.len() as u32;
        let mut objects = Vec::new();
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            let line = &text[start..end];
            let record = line.strip_prefix('{').and_then(key_and_object);
            let Some((namespace, name, Some(object))) = record else {
                return Err(damaged(&path, &text, start, "not a record".into()));
            };
            let from = object.as_ptr() as usize - text.as_ptr() as usize;
            let place = Place { buffer, start: from, end: from + object.len() };
            objects.push((Key::new(namespace, name), place));
            start = end + 1;
        }
        if start != text.len() {
            return Err(damaged(&path, &text, start, "the line has no end".into()));
        }
        // Snapshots are sorted, and a map is built from sorted pairs in one go.
        self.tables.insert(table, BTreeMap::from_iter(objects));
        self.buffers.push(Buffer { path, text });
        Ok(())
    }

    /// Takes in commits: whole lines as [`Tail::read_on`] gives them.
    ///
    /// # Errors
    /// Damaged lines.
    pub(super) fn take_journal(&mut self, path: &Path, text: String, tables: &[Table]) -> Result<()> {
        let buffer = self.buffers.len() as u32;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            let line = &text[start..end];
            let read = changes(line, tables, |change| {
                let objects = self.tables.entry(change.table).or_default();
                let key = Key::new(change.namespace, change.name);
                match change.object {
                    Some(object) => {
                        let from = object.as_ptr() as usize - text.as_ptr() as usize;
                        objects.insert(key, Place { buffer, start: from, end: from + object.len() });
                    }
                    None => {
                        objects.remove(&key);
                    }
                }
            });
            match read {
                Ok(revision) if revision > self.revision => self.revision = revision,
                Ok(revision) => {
                    let detail = format!("revision {revision} follows {}", self.revision);
                    return Err(damaged(path, &text, start, detail));
                }
                Err(detail) => return Err(damaged(path, &text, start, detail)),
            }
            start = end + 1;
        }
        self.buffers.push(Buffer { path: path.to_owned(), text });
        Ok(())
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

    /// All objects of a table, by namespace and name.
    pub fn objects(&self, table: Table) -> impl Iterator<Item = (&Key, Object<'_>)> {
        self.tables.get(&table).into_iter().flatten().map(|(key, place)| (key, self.object(place)))
    }

    fn object(&self, place: &Place) -> Object<'_> {
        let buffer = &self.buffers[place.buffer as usize];
        Object { text: &buffer.text[place.start..place.end], buffer, start: place.start }
    }
}

/// Bytes of a file as text.
pub(super) fn into_text(path: &Path, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        StoreError::Damaged {
            file: path.to_owned(),
            line: memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1,
            offset: memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1),
            detail: "not UTF-8".into(),
        }
        .into()
    })
}
