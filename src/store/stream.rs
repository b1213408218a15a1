//! Reading a store object after object: what memory that takes does not depend on the size of the store.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::record::{Change, Fault, Table, checked_records, record_length};
use super::sizes::Sizes;
use super::state::{damaged, read_snapshot_record, snapshot_file};
use super::{Store, Tail};

/// How much of a file is read at a time; more for a record that is longer.
const CHUNK: usize = 256 << 10;

impl Store {
    /// Hands over every object of some tables, and after these the changes that the journal tells: an object may come several
    /// times, the last time counts. The [`Tail`] is where the reading ended.
    ///
    /// # Errors
    /// Unreadable or damaged files; an error of `each`.
    pub fn stream(&self, tables: &[Table], mut each: impl FnMut(Change<'_>) -> Result<()>) -> Result<Tail> {
        let (mut tail, files) = self.open_snapshot(tables)?;
        for mut file in files {
            while let Some((change, _)) = file.next()? {
                each(change)?;
            }
        }
        while let Some(batch) = tail.next_batch(tables)? {
            checked_records(&batch.text)
                .filter(|change| tables.contains(&change.table))
                .try_for_each(&mut each)?;
        }
        Ok(tail)
    }

    /// The files of a snapshot, opened together: a compaction may remove it once that is done.
    fn open_snapshot(&self, tables: &[Table]) -> Result<(Tail, Vec<Records>)> {
        self.with_snapshot(|directory| {
            let tail = Tail::open(self, directory)?;
            if self.is_absent() {
                return Ok((tail, Vec::new()));
            }
            let sizes = Sizes::read(directory)?;
            let open =
                |table: &Table| Records::open(snapshot_file(directory, *table), *table, &sizes).transpose();
            let files = tables.iter().filter_map(open).collect::<Result<Vec<_>>>()?;
            Ok((tail, files))
        })
    }
}

/// The records of a snapshot's file, one after the other.
#[derive(Debug)]
pub(super) struct Records {
    path: PathBuf,
    table: Table,
    file: File,
    bytes: Vec<u8>,
    /// Where in `bytes` the next record starts.
    at: usize,
    /// The byte of the file at which `bytes` starts.
    offset: u64,
    is_at_end: bool,
}

impl Records {
    /// Opens a file; `None` where the table was empty and has none.
    ///
    /// # Errors
    /// A file that cannot be opened, or has another length than it was written with.
    pub(super) fn open(path: PathBuf, table: Table, sizes: &Sizes) -> Result<Option<Self>> {
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // All of a removed snapshot's files are gone.
                if !path.with_file_name("journal.jsonl").exists() {
                    return Err(error).with_context(|| format!("read {}", path.display()));
                }
                sizes.check(&path, 0)?;
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        let length = file.metadata().with_context(|| format!("read {}", path.display()))?.len();
        sizes.check(&path, length)?;
        let (bytes, at, offset) = (Vec::new(), 0, 0);
        Ok(Some(Self { path, table, file, bytes, at, offset, is_at_end: false }))
    }

    /// The next record, and its line.
    ///
    /// # Errors
    /// An unreadable or damaged file.
    pub(super) fn next(&mut self) -> Result<Option<(Change<'_>, &[u8])>> {
        let length = loop {
            if self.at == self.bytes.len() && self.is_at_end {
                return Ok(None);
            }
            let rest = self.bytes.len() - self.at;
            match record_length(&self.bytes[self.at..]) {
                Ok(length) if length <= rest => break length,
                Ok(_) | Err(Fault::Short) if !self.is_at_end => self.read_on()?,
                Ok(_) => return Err(self.damaged(&Fault::Short)),
                Err(fault) => return Err(self.damaged(&fault)),
            }
        };
        let line = self.at..self.at + length;
        let offset = self.offset + self.at as u64;
        self.at += length;
        let (change, _) = read_snapshot_record(self.table, &self.bytes[line.clone()])
            .map_err(|fault| damaged(&self.path, offset, &fault))?;
        Ok(Some((change, &self.bytes[line])))
    }

    fn damaged(&self, fault: &Fault) -> anyhow::Error {
        damaged(&self.path, self.offset + self.at as u64, fault)
    }

    fn read_on(&mut self) -> Result<()> {
        self.bytes.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        let filled = self.bytes.len();
        self.bytes.resize(filled + CHUNK, 0);
        let count = loop {
            match self.file.read(&mut self.bytes[filled..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.with_context(|| format!("read {}", self.path.display()))?,
            }
        };
        self.bytes.truncate(filled + count);
        self.is_at_end = count == 0;
        Ok(())
    }
}
