//! A new snapshot in place of an old one and its journal.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use super::locks::CommitLock;
use super::record::{TABLES, snapshot_line};
use super::sizes::{SIZES, Sizes};
use super::state::{PODS_LISTING, snapshot_file};
use super::{LockedStore, State, Store, Table, Tail, crash_point};
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::printers::rows::listed_pod;

/// A journal below this size is not compacted while there is work.
const SMALLEST_JOURNAL: u64 = 4 << 20;
/// A journal above this size is compacted when there is nothing else to do.
const LONG_JOURNAL: u64 = 1 << 20;
/// How many deleted Jobs are remembered.
const MOST_TOMBSTONES: usize = 1000;

impl LockedStore {
    /// Compacts when the journal is larger than 4 MiB and than half the snapshot, so that the cost per commit stays
    /// constant. Events past their TTL and the oldest tombstones are left behind.
    ///
    /// # Errors
    /// Failing reads or writes; the old snapshot stays in force.
    pub fn compact_if_due(&mut self, now: DateTime<Utc>) -> Result<bool> {
        if self.tail.length() < SMALLEST_JOURNAL
            || self.tail.length() < snapshot_size(self.tail.directory()) / 2
        {
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
        let (state, tail) = self.store.read(&TABLES)?;
        let revision = tail.revision();
        if tail.directory() == snapshot_path(&self.store, revision) {
            return Ok(());
        }
        let known = Some(tail.directory());
        let directory = put_in_force(&self.store, &self.lock, &state, known, revision, now)?;
        self.tail = Tail::open(&self.store, &directory)?;
        remove_old_snapshots(&directory);
        Ok(())
    }
}

fn snapshot_path(store: &Store, revision: u64) -> PathBuf {
    store.root().join("snapshot").join(revision.to_string())
}

/// Makes a state the snapshot in force, with an empty journal; the old one is left where it is. If we die, the old one
/// is in force up to the last step. `known` is a snapshot whose listing may be trusted.
///
/// # Errors
/// Failing writes; the old snapshot stays in force.
pub(super) fn put_in_force(
    store: &Store,
    _lock: &CommitLock,
    state: &State,
    known: Option<&Path>,
    revision: u64,
    now: DateTime<Utc>,
) -> Result<PathBuf> {
    let snapshots = store.root().join("snapshot");
    let directory = snapshot_path(store, revision);
    let unfinished = snapshots.join(format!(".{revision}.tmp"));
    let _ = fs::remove_dir_all(&unfinished);
    let written = write_snapshot(state, known, &unfinished, now);
    if let Err(error) = written {
        let _ = fs::remove_dir_all(&unfinished);
        return Err(error).context("write a new snapshot");
    }
    crash_point("snapshot-written");
    // Left by a compaction that died before the switch: never in force, so it may go.
    let _ = fs::remove_dir_all(&directory);
    rename(&unfinished, &directory)?;
    File::open(&snapshots)?.sync_all()?;
    crash_point("snapshot-in-place");
    let link = store.root().join(".current.tmp");
    let _ = fs::remove_file(&link);
    symlink(Path::new("snapshot").join(revision.to_string()), &link).context("link the new snapshot")?;
    rename(&link, &store.current_link())?;
    File::open(store.root())?.sync_all()?;
    crash_point("snapshot-switched");
    Ok(directory)
}

impl Tail {
    /// Whether the journal is long enough for compaction to be worth while when there is nothing else to do.
    pub fn is_long(&self) -> bool {
        self.length() > LONG_JOURNAL
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "directories and links are switched here, files in write_atomic"
)]
fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("rename {} to {}", from.display(), to.display()))
}

fn snapshot_size(directory: &Path) -> u64 {
    TABLES
        .iter()
        .filter_map(|table| fs::metadata(snapshot_file(directory, *table)).ok())
        .map(|metadata| metadata.len())
        .sum()
}

fn write_snapshot(state: &State, known: Option<&Path>, directory: &Path, now: DateTime<Utc>) -> Result<()> {
    fs::DirBuilder::new()
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("create {}", directory.display()))?;
    let oldest = EventRecord::stamp(now - EVENT_TTL);
    let mut sizes = Sizes::default();
    let mut write = |path: &Path, text: &str| {
        sizes.add(path, text.len());
        write_synced(path, text.as_bytes())
    };
    for table in TABLES {
        let mut text = String::new();
        let skip = match table {
            Table::Tombstones => state.objects(table).count().saturating_sub(MOST_TOMBSTONES),
            _ => 0,
        };
        for (key, object) in state.objects(table).skip(skip) {
            if table == Table::Events && last_seen(object.text).is_none_or(|last| last < oldest.as_str()) {
                continue;
            }
            snapshot_line(&key.namespace, &key.name, object.text, &mut text);
        }
        if !text.is_empty() {
            write(&snapshot_file(directory, table), &text)?;
        }
    }
    let listing = pods_listing(state, known);
    if !listing.is_empty() {
        write(&directory.join(PODS_LISTING), &listing)?;
    }
    write_synced(&directory.join(SIZES), sizes.text().as_bytes())?;
    write_synced(&directory.join("journal.jsonl"), b"")?;
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// What lists show of the pods. Pods that have not changed since a known snapshot have their lines there already.
fn pods_listing(state: &State, known: Option<&Path>) -> String {
    let listed_before = known.and_then(read_listing).unwrap_or_default();
    let unchanged = known.map(|known| snapshot_file(known, Table::Pods));
    let mut text = String::new();
    for (key, object) in state.objects(Table::Pods) {
        let before =
            listed_before.get(Table::Pods, key).filter(|_| Some(object.file()) == unchanged.as_deref());
        let listed = match before {
            Some(listed) => Cow::Borrowed(listed.text),
            // Whoever reads what is no pod shall meet it as it stands, and say where.
            None => listed_pod(object.text).map_or(Cow::Borrowed(object.text), Cow::Owned),
        };
        snapshot_line(&key.namespace, &key.name, &listed, &mut text);
    }
    text
}

fn read_listing(snapshot: &Path) -> Option<State> {
    let mut listing = State::default();
    let path = snapshot.join(PODS_LISTING);
    let bytes = fs::read(&path).ok()?;
    listing.take_snapshot(Table::Pods, path, bytes).ok()?;
    Some(listing)
}

/// When an Event was last seen, without parsing 50,000 of them: RFC 3339 in UTC sorts as text. The field is one of the
/// last, and no string can hold its quotes.
fn last_seen(event: &str) -> Option<&str> {
    let at = event.rfind("\"last\":\"")? + "\"last\":\"".len();
    event[at..].split('"').next()
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("create {}", path.display()))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(|| format!("write {}", path.display()))
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
