//! The journal's end: reading what was appended, across compactions, and appending to it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::crash::note_synced;
use super::directory::FIRST_SNAPSHOT;
use super::record::{Change, END, Fault, HEAD, Head, Table, check_end, checked_records, read_record};
use super::state::damaged;
use super::{Store, StoreError, skim};

/// How much of the journal is read at a time; more for a commit that is longer.
const CHUNK: u64 = 1 << 20;
/// How often damage is looked at again: the next writer may be cutting a torn end off while we read it.
const LOOKS: usize = 3;

/// A reading position in the journal. Everything before it has been taken in by its owner.
#[derive(Debug)]
pub struct Tail {
    store: Store,
    directory: PathBuf,
    path: PathBuf,
    journal: File,
    /// Whether there is a store.
    is_there: bool,
    /// Whether the file system counts the names of files. Not every one does.
    counts_names: bool,
    /// Opened for the first commit.
    writer: Option<File>,
    offset: u64,
    revision: u64,
}

/// Whole commits, or records of them, that have been checked.
#[derive(Debug)]
pub(super) struct Batch {
    /// The journal they come from.
    pub(super) path: PathBuf,
    /// The byte at which the text starts there; of single records nothing is known.
    pub(super) offset: Option<u64>,
    pub(super) text: String,
}

impl Tail {
    /// The start of a snapshot's journal.
    pub(super) fn open(store: &Store, directory: &Path) -> Result<Self> {
        let path = directory.join("journal.jsonl");
        let is_there = !store.is_absent();
        // What is not there yet reads as empty.
        let file = if is_there { &path } else { Path::new("/dev/null") };
        let journal = File::open(file).with_context(|| format!("open {}", file.display()))?;
        let counts_names =
            journal.metadata().with_context(|| format!("read {}", file.display()))?.nlink() > 0;
        let revision = revision_of_snapshot(directory)?;
        let (store, directory) = (store.clone(), directory.to_owned());
        Ok(Self {
            store,
            directory,
            path,
            journal,
            is_there,
            counts_names,
            writer: None,
            offset: 0,
            revision,
        })
    }

    /// Another tail that stands at the same place.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn duplicate(&self) -> Result<Self> {
        Ok(Self {
            store: self.store.clone(),
            directory: self.directory.clone(),
            path: self.path.clone(),
            journal: self.sync_handle()?,
            is_there: self.is_there,
            counts_names: self.counts_names,
            writer: None,
            offset: self.offset,
            revision: self.revision,
        })
    }

    /// The revision of the snapshot at whose journal's start this tail stands.
    pub(super) fn snapshot_revision(&self) -> u64 {
        self.revision
    }

    /// The file being followed; it changes when the store is compacted.
    pub fn journal_path(&self) -> &Path {
        &self.path
    }

    /// The revision of the last write read.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Some of the commits since the last reading, or where that spares much their records of the tables asked for; `None`
    /// when there are no more.
    ///
    /// # Errors
    /// Unreadable or damaged journal; [`StoreError::Gap`] where commits are in no journal any more.
    pub(super) fn next_batch(&mut self, tables: &[Table]) -> Result<Option<Batch>> {
        loop {
            if let Some(batch) = self.read_commits(tables)? {
                return Ok(Some(batch));
            }
            // Commits go to the journal of the snapshot in force. The link moves under the lock, after the last commit
            // to the old one, so once it has moved the old journal is complete.
            let directory = self.snapshot_in_force()?;
            if !self.is_there && !self.store.is_absent() {
                match Self::open(&self.store, &self.store.root().join(FIRST_SNAPSHOT)) {
                    Ok(first) => *self = first,
                    // Compacted already.
                    Err(_) => {
                        let next = revision_of_snapshot(&self.snapshot_in_force()?)?;
                        return Err(StoreError::Gap { read: self.revision, next }.into());
                    }
                }
                continue;
            }
            if directory == self.directory {
                if self.is_in_use()? {
                    return Ok(None);
                }
                if self.snapshot_in_force()? == directory {
                    return Err(self.removed());
                }
                continue;
            }
            if self.is_there && self.store.is_absent() {
                return Err(self.removed());
            }
            if let Some(batch) = self.read_commits(tables)? {
                return Ok(Some(batch));
            }
            match Self::open(&self.store, &directory) {
                Ok(next) if next.revision != self.revision => {
                    return Err(StoreError::Gap { read: self.revision, next: next.revision }.into());
                }
                Ok(next) => *self = next,
                // Already replaced again: the link tells.
                Err(error) if self.snapshot_in_force()? == directory => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn read_commits(&mut self, tables: &[Table]) -> Result<Option<Batch>> {
        if skim::is_worth_it(tables)
            && let Some(skimmed) = skim::skim(&self.journal, self.offset, self.revision, tables)
                .with_context(|| format!("read {}", self.path.display()))?
        {
            let is_new = skimmed.end > self.offset;
            (self.offset, self.revision) = (skimmed.end, skimmed.revision);
            return Ok(is_new.then(|| Batch { path: self.path.clone(), offset: None, text: skimmed.text }));
        }
        let mut look = 1;
        loop {
            match self.read_whole_commits() {
                Err(error) if look < LOOKS && error.downcast_ref::<StoreError>().is_some() => look += 1,
                result => return result,
            }
        }
    }

    /// Whether the journal that is read is the one of its name: not where its directory has been removed or moved away, nor after
    /// a compaction.
    fn is_in_use(&self) -> Result<bool> {
        if !self.is_there {
            return Ok(true);
        }
        let read = self.journal.metadata().with_context(|| format!("read {}", self.path.display()))?;
        // A name that is going is found for a moment longer.
        if read.nlink() == 0 && self.counts_names {
            return Ok(false);
        }
        Ok(match fs::metadata(&self.path) {
            Ok(found) => is_same(&read, &found),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        })
    }

    fn snapshot_in_force(&self) -> Result<PathBuf> {
        let found = self.store.current_snapshot();
        if found.is_err() && !self.is_in_use()? {
            return Err(self.removed());
        }
        found
    }

    fn removed(&self) -> anyhow::Error {
        StoreError::Removed { directory: self.store.root().to_owned() }.into()
    }

    fn read_whole_commits(&mut self) -> Result<Option<Batch>> {
        let length = self.journal.metadata().with_context(|| format!("read {}", self.path.display()))?.len();
        if length <= self.offset {
            return Ok(None);
        }
        let mut size = CHUNK;
        loop {
            let mut bytes = self.read_at(self.offset, size.min(length - self.offset))?;
            let scanned = scan(&bytes, self.revision);
            if let Some((at, fault)) = scanned.damage
                && !is_unwritten(&self.read_at(self.offset + at as u64, length)?)
            {
                return Err(damaged(&self.path, self.offset + at as u64, &fault));
            }
            if scanned.end == 0 {
                if self.offset + (bytes.len() as u64) < length {
                    // The first commit is longer than what was read.
                    size = size.saturating_mul(4);
                    continue;
                }
                // What is there is being written right now, or is torn.
                return Ok(None);
            }
            bytes.truncate(scanned.end);
            let text =
                String::from_utf8(bytes).map_err(|_| damaged(&self.path, self.offset, &"not UTF-8"))?;
            let offset = Some(self.offset);
            self.offset += scanned.end as u64;
            self.revision = scanned.revision;
            return Ok(Some(Batch { path: self.path.clone(), offset, text }));
        }
    }

    /// At most `size` bytes from a place in the journal.
    fn read_at(&self, from: u64, size: u64) -> Result<Vec<u8>> {
        let length = self.journal.metadata().with_context(|| format!("read {}", self.path.display()))?.len();
        let mut bytes = vec![0; size.min(length.saturating_sub(from)) as usize];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.journal.read_at(&mut bytes[filled..], from + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).with_context(|| format!("read {}", self.path.display())),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Hands over every change to the tables committed since the last reading.
    ///
    /// # Errors
    /// Unreadable or damaged journal.
    pub fn changes(&mut self, tables: &[Table], mut each: impl FnMut(Change<'_>)) -> Result<()> {
        while let Some(batch) = self.next_batch(tables)? {
            checked_records(&batch.text).filter(|change| tables.contains(&change.table)).for_each(&mut each);
        }
        Ok(())
    }

    /// Bytes of the journal at a place that was read before.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn text_at(&self, offset: u64, length: usize) -> Result<String> {
        let mut bytes = vec![0; length];
        self.journal
            .read_exact_at(&mut bytes, offset)
            .with_context(|| format!("read {}", self.path.display()))?;
        String::from_utf8(bytes).map_err(|_| damaged(&self.path, offset, &"not UTF-8"))
    }

    /// Under the lock nobody else writes: what stands after the last whole commit was left by a writer that died.
    pub(super) fn cut_torn_end(&mut self) -> Result<()> {
        if self.is_behind()? {
            let (path, offset) = (self.path.clone(), self.offset);
            self.writer()?
                .set_len(offset)
                .with_context(|| format!("cut the torn end of {}", path.display()))?;
        }
        Ok(())
    }

    /// Makes what has been committed so far survive a power cut.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        sync_journal(&self.journal).with_context(|| format!("sync {}", self.path.display()))
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

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the journal holds what was not read.
    pub(super) fn is_behind(&self) -> Result<bool> {
        let length = self.journal.metadata().context("read the journal")?.len();
        Ok(length != self.offset || self.store.current_snapshot()? != self.directory)
    }

    fn writer(&mut self) -> Result<&mut File> {
        if self.writer.is_none() {
            let opening = || format!("open {}", self.path.display());
            let writer = OpenOptions::new().append(true).open(&self.path).with_context(opening)?;
            let read = self.journal.metadata().with_context(opening)?;
            // The journal of another store, which has been made where this one was, has the same name.
            if !is_same(&read, &writer.metadata().with_context(opening)?) {
                return Err(self.removed());
            }
            self.writer = Some(writer);
        }
        self.writer.as_mut().context("a writer")
    }

    /// Appends a commit by one call, under the lock.
    pub(super) fn append(&mut self, commit: &str, last_revision: u64) -> Result<()> {
        let before = self.offset;
        if self.is_behind()? {
            bail!("{} holds commits that were not read before this one", self.path.display());
        }
        let path = self.path.clone();
        let writer = self.writer()?;
        let written = writer.write(commit.as_bytes());
        if !matches!(written, Ok(count) if count == commit.len()) {
            // The state before this commit stands.
            let _ = writer.set_len(before);
            let error = written.err().unwrap_or_else(|| std::io::Error::from_raw_os_error(libc::ENOSPC));
            return Err(error).with_context(|| format!("write {}", path.display()));
        }
        self.offset += commit.len() as u64;
        self.revision = last_revision;
        Ok(())
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Makes what stands in a journal survive a power cut.
///
/// # Errors
/// The disk says no.
pub fn sync_journal(journal: &File) -> std::io::Result<()> {
    let length = journal.metadata()?.len();
    journal.sync_data()?;
    note_synced(journal, length);
    Ok(())
}

/// What stands at the start of some bytes of a journal.
pub(super) struct Scanned {
    /// Where the last whole commit ends.
    pub(super) end: usize,
    /// Its last revision.
    pub(super) revision: u64,
    /// The first line that does not read back, and why.
    pub(super) damage: Option<(usize, String)>,
}

/// Checks commit after commit, as far as there are whole ones.
fn scan(bytes: &[u8], mut revision: u64) -> Scanned {
    let mut end = 0;
    let damage = loop {
        if end == bytes.len() {
            break None;
        }
        match check_commit(&bytes[end..], Some(revision)) {
            Ok(head) => {
                end += head.length() as usize;
                revision = head.last();
            }
            Err((_, Fault::Short)) => break None,
            Err((at, fault)) => {
                let detail = match Head::read(&bytes[end..]) {
                    Ok(head) if at == 0 && head.first != revision + 1 => {
                        format!("revision {} follows {revision}", head.first)
                    }
                    _ => fault.to_string(),
                };
                break Some((end + at, detail));
            }
        }
    };
    Scanned { end, revision, damage }
}

/// Checks the commit at the start of some bytes, and that it follows a revision. The error says at which byte it fails.
pub(super) fn check_commit(bytes: &[u8], revision: Option<u64>) -> Result<Head, (usize, Fault)> {
    let head = Head::read(bytes).map_err(|fault| (0, fault))?;
    if revision.is_some_and(|revision| head.first != revision + 1) {
        return Err((0, Fault::Damaged("its revision does not follow the one before")));
    }
    let commit = usize::try_from(head.length()).ok().and_then(|length| bytes.get(..length));
    let Some(commit) = commit else { return Err((0, Fault::Short)) };
    let last_line = commit.len() - END;
    let (mut at, mut count) = (HEAD, 0);
    while at < last_line {
        let (change, length) = match read_record(&commit[at..last_line]) {
            // All the bytes of the commit are there.
            Err(Fault::Short) => return Err((at, Fault::Damaged("the line is longer than its commit"))),
            read => read.map_err(|fault| (at, fault))?,
        };
        if !(head.first..=head.last()).contains(&change.revision) {
            return Err((at, Fault::Damaged("its revision is not of this commit")));
        }
        at += length;
        count += 1;
    }
    if count != head.writes {
        return Err((0, Fault::Damaged("the commit has not as many records as it says")));
    }
    check_end(&commit[last_line..], head.last()).map_err(|fault| (last_line, fault))?;
    Ok(head)
}

/// Whether from within the first line on nothing but zeros follows: the blocks of a commit that a power cut kept from the
/// disk. No line of ours ends with one.
pub(super) fn is_unwritten(bytes: &[u8]) -> bool {
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    written < bytes.len() && !bytes[..written].contains(&b'\n')
}

/// The revision of which a directory holds the snapshot: its name.
pub(super) fn revision_of_snapshot(directory: &Path) -> Result<u64> {
    let name = directory.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.parse().ok())
        .with_context(|| format!("{} is not a snapshot", directory.display()))
}
