//! What the tests of the store share.

mod damage;
mod log;
mod pods;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
use std::path::Path;

use chrono::{DateTime, Duration, Utc};
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::record::TABLES;
use super::*;
use crate::api::PodStatus;
use crate::api::events::{EventRecord, Reference};
use crate::api::kinds::Key;
use crate::printers::rows::listed_pod;

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}

fn new_store() -> (TempDir, Store) {
    let place = tempfile::tempdir().expect("a directory");
    let store = Store::open(&place.path().join("data")).expect("a store");
    (place, store)
}

fn named(name: &str) -> Key {
    Key::new("default", name)
}

fn put(name: &str, text: &str) -> Write {
    Write::put(Table::JOBS, named(name), json!({"is": text}).to_string())
}

/// Commits and returns the last revision.
fn commit(store: &Store, writes: &[Write]) -> u64 {
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    locked.commit(numbered(writes)).expect("a commit");
    locked.next_revision() - 1
}

fn numbered(writes: &[Write]) -> Vec<Write> {
    writes.iter().zip(0..).map(|(write, number)| write.clone().numbered(number)).collect()
}

/// A commit as it stands in the journal.
fn commit_text(first: u64, writes: &[Write]) -> String {
    record::commit_text(first, &numbered(writes))
}

fn compact(store: &Store) {
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    locked.compact(noon()).expect("a compaction");
}

/// Everything in a table, by name.
fn all(store: &Store, table: Table) -> BTreeMap<String, String> {
    let (state, _) = store.read(&[table]).expect("a readable store");
    state.objects(table).map(|(key, object)| (key.name.to_string(), object.text.to_owned())).collect()
}

fn jobs(store: &Store) -> Vec<String> {
    all(store, Table::JOBS).into_iter().map(|(name, text)| format!("{name} {text}")).collect()
}

/// What a follower has seen since it was asked last.
fn seen(tail: &mut Tail) -> Vec<String> {
    let mut seen = Vec::new();
    tail.changes(&[Table::JOBS], |change| {
        seen.push(format!("{} {} {}", change.revision, change.name, change.object.unwrap_or("gone")));
    })
    .expect("changes");
    seen
}

fn journal(store: &Store) -> std::path::PathBuf {
    store.current_snapshot().expect("a snapshot").join("journal.jsonl")
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().append(true).open(path).expect("the file");
    file.write_all(bytes).expect("an append");
}

/// Where the damage is, by the error.
fn damage(error: &anyhow::Error) -> (String, usize, usize) {
    match error.downcast_ref::<StoreError>() {
        Some(StoreError::Damaged { file, line, offset, .. }) => {
            (file.file_name().unwrap_or_default().to_string_lossy().into_owned(), *line, *offset)
        }
        _ => panic!("not a report of damage: {error:#}"),
    }
}

/// Every file below, with its content.
fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() && !path.is_symlink() {
            left.extend(fs::read_dir(&path).expect("a directory").flatten().map(|entry| entry.path()));
        } else if path.is_symlink() {
            let target = fs::read_link(&path).expect("a link").to_string_lossy().into_owned();
            found.insert(path.display().to_string(), target.into());
        } else {
            found.insert(path.display().to_string(), fs::read(&path).expect("a file"));
        }
    }
    found
}

fn append_new(path: &Path, bytes: &[u8]) {
    fs::File::create_new(path).and_then(|mut file| file.write_all(bytes)).expect("a new file");
}

/// Everything that any reader can be told of a store.
fn everything(store: &Store) -> anyhow::Result<String> {
    let again = Store::open(store.root())?;
    let (state, _) = again.read(&TABLES)?;
    let (listing, _) = again.read_listing(&TABLES)?;
    let mut told = String::new();
    for (state, table) in [&state, &listing].into_iter().flat_map(|state| TABLES.map(|table| (state, table)))
    {
        for (key, object) in state.objects(table) {
            told.push_str(&format!("{} {key} {} {}\n", table.as_str(), object.revision, object.text));
        }
    }
    Ok(told)
}

/// Without the syncs that make a file whole at any time.
fn overwrite_in_place(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path).expect("the file");
    file.write_all(bytes).expect("a write");
}

fn event(name: &str, age: Duration) -> Write {
    let about = Reference {
        kind: "Job".into(),
        api_version: "batch/v1".into(),
        namespace: "default".into(),
        name: name.into(),
        uid: "u".into(),
        field_path: None,
    };
    let event = EventRecord::new(about, "Normal", "test", "Tested", "m", noon() - age);
    Write::put(Table::EVENTS, named(name), serde_json::to_string(&event).expect("an Event"))
}

fn job(name: &str, text: &str) -> Write {
    let object = json!({"metadata": {"name": name, "namespace": "default", "annotations": {"is": text}}});
    Write::put(Table::JOBS, named(name), object.to_string())
}
