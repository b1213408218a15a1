//! The journal's end: reading what was appended, across compactions.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::record::{Change, Table, Write, changes, commit_line, revision_of};
use super::state::{damaged, into_text, line_start};
use super::{LockedStore, Store, StoreError, crash_point, skim};

/// A reading position in the journal. Everything before it has been taken in by its owner.
#[derive(Debug)]
pub struct Tail {
    store: Store,
    directory: PathBuf,
    path: PathBuf,
    journal: File,
    offset: u64,
    revision: u64,
}

impl Tail {
    /// The start of a snapshot's journal.
    pub(super) fn open(store: &Store, directory: &Path) -> Result<Self> {
        let path = directory.join("journal.jsonl");
        let journal = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("open {}", path.display()))?;
        let revision = revision_of_snapshot(directory)?;
        Ok(Self { store: store.clone(), directory: directory.to_owned(), path, journal, offset: 0, revision })
    }

    pub(super) fn snapshot_revision(&self) -> u64 {
        self.revision
    }

    /// The file being followed; it changes when the store is compacted.
    pub fn journal_path(&self) -> &Path {
        &self.path
    }

    /// The revision of the last commit read.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The whole lines appended since the last reading; where that spares much, cut to the tables asked for.
    pub(super) fn read_on(&mut self, tables: &[Table]) -> Result<String> {
        let mut text = self.read_lines(tables)?;
        // Commits go to the journal of the snapshot in force. The link moves under the lock, after the last commit
        // to the old one, so once it has moved the old journal is complete.
        loop {
            let directory = self.store.current_snapshot()?;
            if directory == self.directory {
                break;
            }
            text.push_str(&self.read_lines(tables)?);
            match Self::open(&self.store, &directory) {
                Ok(next) => {
                    if next.revision != self.revision {
                        return Err(StoreError::Gap { read: self.revision, next: next.revision }.into());
                    }
                    *self = next;
                }
                // Already replaced again: the link tells.
                Err(error) if self.store.current_snapshot()? == directory => return Err(error),
                Err(_) => {}
            }
            text.push_str(&self.read_lines(tables)?);
        }
        Ok(text)
    }

    fn read_lines(&mut self, tables: &[Table]) -> Result<String> {
        if skim::is_worth_it(tables)
            && let Some(skimmed) = skim::skim(&self.journal, self.offset, tables)
                .with_context(|| format!("read {}", self.path.display()))?
        {
            if let Some(last) = skimmed.text.lines().next_back() {
                self.revision = revision_of(last).unwrap_or(self.revision);
            }
            self.offset = skimmed.end;
            return Ok(skimmed.text);
        }
        self.read_all_lines()
    }

    fn read_all_lines(&mut self) -> Result<String> {
        let length = self.journal.metadata().with_context(|| format!("read {}", self.path.display()))?.len();
        if length <= self.offset {
            return Ok(String::new());
        }
        let mut bytes = vec![0; (length - self.offset) as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.journal.read_at(&mut bytes[filled..], self.offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).with_context(|| format!("read {}", self.path.display())),
            }
        }
        bytes.truncate(filled);
        // What follows the last newline is being written right now, or is torn.
        bytes.truncate(memchr::memrchr(b'\n', &bytes).map_or(0, |newline| newline + 1));
        if bytes.is_empty() {
            return Ok(String::new());
        }
        let text = into_text(&self.path, bytes).map_err(|error| self.placed(error, self.offset))?;
        let last = text[..text.len() - 1].rfind('\n').map_or(0, |newline| newline + 1);
        self.revision = revision_of(&text[last..]).ok_or_else(|| {
            self.placed(damaged(&self.path, &text, last, "not a commit".into()), self.offset)
        })?;
        self.offset += text.len() as u64;
        Ok(text)
    }

    /// Damage found in what was read from byte `from` on, with its place in the whole file.
    fn placed(&self, mut error: anyhow::Error, from: u64) -> anyhow::Error {
        if let Some(StoreError::Damaged { file, line, offset, .. }) = error.downcast_mut()
            && *file == self.path
        {
            let mut before = vec![0; from as usize];
            // Where even that cannot be read, the place within what was read is better than none.
            if self.journal.read_exact_at(&mut before, 0).is_ok() {
                *line += memchr::memchr_iter(b'\n', &before).count();
                *offset = line_start(&self.path, *line).unwrap_or(*offset);
            }
        }
        error
    }

    /// Hands over every change to the tables committed since the last reading.
    ///
    /// # Errors
    /// Unreadable or damaged journal.
    pub fn changes(&mut self, tables: &[Table], mut each: impl FnMut(Change<'_>)) -> Result<()> {
        let mut read = self.revision;
        let (path, from) = (self.path.clone(), self.offset);
        let text = self.read_on(tables)?;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            let line = &text[start..end];
            let detail = match changes(line, tables, &mut each) {
                Ok(revision) if revision > read => {
                    read = revision;
                    start = end + 1;
                    continue;
                }
                Ok(revision) => format!("revision {revision} follows {read}"),
                Err(detail) => detail,
            };
            let error = damaged(&self.path, &text, start, detail);
            // A text that began in a journal that has been compacted since has no place in this one.
            return Err(if path == self.path { self.placed(error, from) } else { error });
        }
        Ok(())
    }

    /// Under the lock nobody else writes: an end without a newline is what a writer left that died.
    pub(super) fn cut_torn_end(&mut self) -> Result<()> {
        let directory = self.store.current_snapshot()?;
        let journal = if directory == self.directory {
            None
        } else {
            Some(OpenOptions::new().read(true).append(true).open(directory.join("journal.jsonl"))?)
        };
        let journal = journal.as_ref().unwrap_or(&self.journal);
        let length = journal.metadata().context("read the journal")?.len();
        let mut at = length;
        let mut block = [0_u8; 4096];
        while at > 0 {
            let size = at.min(block.len() as u64) as usize;
            journal.read_exact_at(&mut block[..size], at - size as u64).context("read the journal")?;
            match memchr::memrchr(b'\n', &block[..size]) {
                Some(newline) => {
                    at = at - size as u64 + newline as u64 + 1;
                    break;
                }
                None => at -= size as u64,
            }
        }
        if at != length {
            journal.set_len(at).context("cut the torn end of the journal")?;
        }
        Ok(())
    }

    /// Makes what has been committed so far survive a power cut.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        self.journal.sync_data().with_context(|| format!("sync {}", self.path.display()))
    }

    /// A handle for syncing from another thread.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn sync_handle(&self) -> Result<File> {
        self.journal.try_clone().context("duplicate the journal's descriptor")
    }

    /// The position in the journal file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn length(&self) -> u64 {
        self.offset
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the store holds commits that were not read.
    pub(super) fn is_behind(&self) -> Result<bool> {
        let length = self.journal.metadata().context("read the journal")?.len();
        Ok(length != self.offset || self.store.current_snapshot()? != self.directory)
    }

    fn append(&mut self, line: &str, revision: u64) -> Result<()> {
        let before = self.offset;
        if self.is_behind()? {
            bail!("{} holds commits that were not read before this one", self.path.display());
        }
        let written = self.journal.write(line.as_bytes());
        if !matches!(written, Ok(count) if count == line.len()) {
            // The state before this commit stands.
            let _ = self.journal.set_len(before);
            let error = written.err().unwrap_or_else(|| std::io::Error::from_raw_os_error(libc::ENOSPC));
            return Err(error).with_context(|| format!("write {}", self.path.display()));
        }
        self.offset += line.len() as u64;
        self.revision = revision;
        Ok(())
    }
}

/// The revision of which a directory holds the snapshot: its name.
pub(super) fn revision_of_snapshot(directory: &Path) -> Result<u64> {
    let name = directory.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok())
        .with_context(|| format!("{} is not a snapshot", directory.display()))
}

impl LockedStore {
    /// Hands over what others have committed since the tail's last reading. Must come before a decision.
    ///
    /// # Errors
    /// Unreadable or damaged journal.
    pub fn catch_up(&mut self, tables: &[Table], each: impl FnMut(Change<'_>)) -> Result<()> {
        self.tail.changes(tables, each)
    }

    /// The revision that the next commit will have: objects carry it as their resourceVersion.
    pub fn next_revision(&self) -> u64 {
        self.tail.revision() + 1
    }

    /// Appends one commit: all of it or nothing. It survives this process at once, and a power cut once synced.
    ///
    /// # Errors
    /// A full disk or another failing write; the state before it stands.
    pub fn commit(&mut self, writes: &[Write]) -> Result<u64> {
        let revision = self.next_revision();
        if writes.is_empty() {
            return Ok(revision - 1);
        }
        crash_point("before-commit");
        self.tail.append(&commit_line(revision, writes), revision)?;
        self.store.ring();
        crash_point("after-commit");
        Ok(revision)
    }

    /// Unlocks; the tail stands after everything committed so far.
    pub fn unlock(self) -> Tail {
        self.tail
    }

    /// The tail, for reading positions and syncing.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }
}
