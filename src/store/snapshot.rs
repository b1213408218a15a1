//! Writing a snapshot, object after object, and putting it in force.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::locks::CommitLock;
use super::record::{Table, push_snapshot_record};
use super::sizes::{SIZES, Sizes};
use super::state::{PODS_LISTING, snapshot_file};
use super::{Store, crash_point};
use crate::api::kinds::Key;
use crate::printers::rows::listed_pod;

/// A snapshot on its way, under a name that no reader knows.
#[derive(Debug)]
pub(super) struct SnapshotWriter {
    directory: PathBuf,
    sizes: Sizes,
    open: Option<Written>,
    listing: Option<Written>,
}

/// A file on its way.
#[derive(Debug)]
struct Written {
    path: PathBuf,
    table: Table,
    file: BufWriter<File>,
    length: u64,
    line: String,
}

impl SnapshotWriter {
    /// Begins a snapshot of that revision.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub(super) fn begin(store: &Store, revision: u64) -> Result<Self> {
        let directory = snapshots(store).join(format!(".{revision}.tmp"));
        let _ = fs::remove_dir_all(&directory);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .with_context(|| format!("create {}", directory.display()))?;
        Ok(Self { directory, sizes: Sizes::default(), open: None, listing: None })
    }

    /// Adds an object: table after table, each by key. Of a pod `listed` is what lists show, where that is known.
    ///
    /// # Errors
    /// Failing writes.
    pub(super) fn push(
        &mut self,
        table: Table,
        revision: u64,
        key: &Key,
        object: &str,
        listed: Option<&str>,
    ) -> Result<()> {
        if self.open.as_ref().is_none_or(|open| open.table != table) {
            self.close()?;
            self.open = Some(Written::create(snapshot_file(&self.directory, table), table)?);
            if table == Table::PODS {
                self.listing = Some(Written::create(self.directory.join(PODS_LISTING), table)?);
            }
        }
        if let Some(open) = &mut self.open {
            open.push(revision, key, object)?;
        }
        if let Some(listing) = self.listing.as_mut().filter(|_| table == Table::PODS) {
            match listed {
                Some(listed) => listing.push(revision, key, listed)?,
                // What does not read as a pod is listed as it stands: whoever reads it says where it is.
                None => match listed_pod(object) {
                    Ok(listed) => listing.push(revision, key, &listed)?,
                    Err(_) => listing.push(revision, key, object)?,
                },
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        for written in [self.open.take(), self.listing.take()].into_iter().flatten() {
            let (path, length) = written.finish()?;
            self.sizes.add(&path, length);
        }
        Ok(())
    }

    /// Completes the snapshot and puts it in force, with an empty journal; the old one is left where it is. If we die, the
    /// old one is in force up to the last step.
    ///
    /// # Errors
    /// Failing writes; the old snapshot stays in force.
    pub(super) fn put_in_force(
        mut self,
        store: &Store,
        _lock: &CommitLock,
        revision: u64,
    ) -> Result<PathBuf> {
        let directory = snapshots(store).join(revision.to_string());
        let switched = self.complete().and_then(|()| self.switch_to(store, &directory));
        if let Err(error) = switched {
            self.give_up();
            return Err(error);
        }
        File::open(store.root()).and_then(|opened| opened.sync_all()).context("sync the data directory")?;
        crash_point("snapshot-switched");
        Ok(directory)
    }

    fn complete(&mut self) -> Result<()> {
        self.close()?;
        write_synced(&self.directory.join(SIZES), self.sizes.text()?.as_bytes())?;
        write_synced(&self.directory.join("journal.jsonl"), b"")?;
        File::open(&self.directory).and_then(|opened| opened.sync_all()).context("sync the new snapshot")?;
        crash_point("snapshot-written");
        Ok(())
    }

    /// The last step is the switch: with an error the old snapshot is in force.
    fn switch_to(&self, store: &Store, directory: &Path) -> Result<()> {
        // Left by a compaction that died before the switch: never in force, so it may go.
        let _ = fs::remove_dir_all(directory);
        rename(&self.directory, directory)?;
        let switched = link_to(store, directory);
        if switched.is_err() {
            let _ = fs::remove_dir_all(directory);
        }
        switched
    }

    /// Removes what was written: the snapshot is not wanted after all.
    pub(super) fn give_up(self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Written {
    fn create(path: PathBuf, table: Table) -> Result<Self> {
        let file = create_new(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self {
            path,
            table,
            file: BufWriter::with_capacity(64 << 10, file),
            length: 0,
            line: String::new(),
        })
    }

    fn push(&mut self, revision: u64, key: &Key, object: &str) -> Result<()> {
        self.line.clear();
        push_snapshot_record(&mut self.line, self.table, revision, key, object);
        self.length += self.line.len() as u64;
        self.file.write_all(self.line.as_bytes()).with_context(|| format!("write {}", self.path.display()))
    }

    fn finish(self) -> Result<(PathBuf, u64)> {
        let Self { path, file, length, .. } = self;
        let synced =
            file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
        synced.with_context(|| format!("write {}", path.display()))?;
        Ok((path, length))
    }
}

fn create_new(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// A new file that is on the disk when this returns.
///
/// # Errors
/// Failing writes.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("write {}", path.display()))
}

fn snapshots(store: &Store) -> PathBuf {
    store.root().join("snapshot")
}

fn link_to(store: &Store, directory: &Path) -> Result<()> {
    File::open(snapshots(store)).and_then(|opened| opened.sync_all()).context("sync the snapshots")?;
    crash_point("snapshot-in-place");
    let link = store.root().join(".current.tmp");
    let _ = fs::remove_file(&link);
    let target = Path::new("snapshot").join(directory.file_name().unwrap_or_default());
    symlink(target, &link).context("link the new snapshot")?;
    rename(&link, &store.current_link())
}

#[expect(
    clippy::disallowed_methods,
    reason = "directories and links are switched here, files in write_atomic"
)]
fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("rename {} to {}", from.display(), to.display()))
}

/// An old snapshot first leaves its name in one step, so that a reader sees it whole or not at all.
pub(super) fn remove_old_snapshots(in_force: &Path) {
    let Some(snapshots) = in_force.parent() else { return };
    let Ok(entries) = fs::read_dir(snapshots) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path == in_force {
            continue;
        }
        let trash = snapshots.join(format!(".trash.{}", entry.file_name().to_string_lossy()));
        if rename(&path, &trash).is_ok() {
            let _ = fs::remove_dir_all(&trash);
        }
    }
}
