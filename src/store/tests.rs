//! The store under readers, writers, compaction, torn ends and damage.

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

#[test]
fn what_was_committed_is_read_back() {
    let (_place, store) = new_store();
    assert_eq!(commit(&store, &[put("a", "1"), put("b", "1")]), 2, "each write has a revision of its own");
    assert_eq!(commit(&store, &[put("a", "2"), Write::delete(Table::JOBS, named("b"))]), 4);
    assert_eq!(commit(&store, &[]), 4, "nothing to commit is no revision");
    assert_eq!(jobs(&store), [r#"a {"is":"2"}"#]);
    assert!(all(&store, Table::PODS).is_empty(), "one table does not show in another");
    let again = Store::open(store.root()).expect("the same store");
    assert_eq!(jobs(&again), jobs(&store));
    assert_eq!(again.read(&[Table::JOBS]).expect("a state").0.revision(), 4);
    assert_eq!(
        again.read(&[Table::JOBS]).expect("a state").0.get(Table::JOBS, &named("a")).expect("a").revision,
        3
    );
}

#[test]
fn a_follower_sees_every_commit_once_in_order_across_compactions() {
    let (_place, store) = new_store();
    commit(&store, &[put("before", "1")]);
    let (_, mut early) = store.read(&[Table::JOBS]).expect("a state");
    commit(&store, &[put("a", "1")]);
    compact(&store);
    let (state, mut late) = store.read(&[Table::JOBS]).expect("a state");
    assert_eq!(state.objects(Table::JOBS).count(), 2, "the snapshot holds what came before it");
    commit(&store, &[put("a", "2"), Write::delete(Table::JOBS, named("before"))]);
    let after = [r#"3 a {"is":"2"}"#, "4 before gone"];
    let mut both = vec![r#"2 a {"is":"1"}"#];
    both.extend(after);
    assert_eq!(seen(&mut early), both, "a follower from before the compaction");
    assert_eq!(seen(&mut late), after, "a follower from after it");
    assert_eq!((seen(&mut early), seen(&mut late)), (vec![], vec![]), "nothing twice");
    compact(&store);
    commit(&store, &[put("a", "3")]);
    assert_eq!(seen(&mut early), [r#"5 a {"is":"3"}"#]);
    assert_eq!(jobs(&store), [r#"a {"is":"3"}"#]);
}

#[test]
fn a_writer_whose_position_is_older_than_a_compaction_writes_to_the_new_journal() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let (_, tail) = store.read(&[]).expect("a state");
    commit(&store, &[put("b", "1")]);
    compact(&store);
    let mut locked = store.lock(tail).expect("the lock");
    let refused = locked.commit(vec![put("c", "1")]);
    assert!(refused.is_err(), "a commit without having read what came before");
    let mut names = Vec::new();
    locked.catch_up(&[Table::JOBS], |change| names.push(change.name.to_owned())).expect("changes");
    assert_eq!(names, ["b"]);
    assert_eq!(locked.next_revision(), 3);
    locked.commit(vec![put("c", "1")]).expect("a commit");
    drop(locked);
    assert_eq!(jobs(&store).len(), 3);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "what somebody else does to the directory")]
fn one_that_has_gone_is_told_and_another_in_its_place_is_left_alone() {
    let removed = |directory: &Path| fs::remove_dir_all(directory).expect("remove it");
    let moved = |directory: &Path| fs::rename(directory, directory.with_extension("old")).expect("move it");
    for go in [&removed as &dyn Fn(&Path), &moved] {
        another_is_left_alone(go);
    }
}

fn another_is_left_alone(go: &dyn Fn(&Path)) {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let ((_, mut follower), (_, writer)) =
        (store.read(&[]).expect("a state"), store.read(&[]).expect("a state"));
    let is_removed = |error: &anyhow::Error| matches!(error.downcast_ref(), Some(StoreError::Removed { .. }));
    go(store.root());
    assert!(is_removed(&follower.changes(&[Table::JOBS], |_| ()).expect_err("nothing to follow")));
    let again = Store::open(store.root()).expect("another store");
    commit(&again, &[put("b", "1")]);
    let before = contents(again.root());
    assert!(is_removed(&follower.changes(&[Table::JOBS], |_| ()).expect_err("another one")));
    let mut locked = store.lock(writer).expect("the lock");
    assert!(is_removed(&locked.commit(vec![put("c", "1")]).expect_err("not its journal")));
    drop(locked);
    assert_eq!(contents(again.root()), before);
    assert_eq!(jobs(&again), [r#"b {"is":"1"}"#]);
}

#[test]
fn compaction_leaves_one_snapshot_and_changes_nothing_that_can_be_read() {
    let (_place, store) = new_store();
    for number in 0..20 {
        commit(&store, &[put(&format!("job-{}", number % 7), &number.to_string())]);
    }
    let before = (jobs(&store), store.read(&[]).expect("a state").0.revision());
    compact(&store);
    compact(&store);
    assert_eq!((jobs(&store), store.read(&[]).expect("a state").0.revision()), before);
    let snapshots = fs::read_dir(store.root().join("snapshot")).expect("a directory").count();
    assert_eq!(snapshots, 1, "the old ones are gone");
    assert_eq!(fs::read(journal(&store)).expect("a journal"), b"");
}

#[test]
fn leftovers_of_a_compaction_that_died_do_not_matter() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let snapshots = store.root().join("snapshot");
    for leftover in [".1.tmp", "1", ".trash.9"] {
        fs::create_dir(snapshots.join(leftover)).expect("a directory");
        append_new(&snapshots.join(leftover).join("jobs.jsonl"), b"half a rec");
    }
    append_new(&store.root().join(".current.tmp"), b"");
    assert_eq!(jobs(&store).len(), 1);
    compact(&store);
    assert_eq!(jobs(&store), [r#"a {"is":"1"}"#]);
    assert_eq!(fs::read_dir(snapshots).expect("a directory").count(), 1);
}

fn append_new(path: &Path, bytes: &[u8]) {
    fs::File::create_new(path).and_then(|mut file| file.write_all(bytes)).expect("a new file");
}

#[test]
fn a_small_journal_is_not_compacted() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    assert!(!locked.compact_if_due(noon()).expect("no compaction"));
    let large = "x".repeat(5 << 20);
    locked.commit(vec![put("a", &large)]).expect("a commit");
    assert!(locked.compact_if_due(noon()).expect("a compaction"));
    assert!(!locked.compact_if_due(noon()).expect("no compaction"), "the new journal is empty");
}

#[test]
fn whoever_has_not_read_everything_does_not_compact() {
    let (_place, store) = new_store();
    let (_, behind) = store.read(&[]).expect("a state");
    commit(&store, &[put("a", "1")]);
    let before = contents(store.root());
    let mut locked = store.lock(behind).expect("the lock");
    locked.compact_unless_behind(noon()).expect("nothing to do");
    assert_eq!(contents(store.root()), before);
    let mut seen = 0;
    locked.catch_up(&record::TABLES, |_| seen += 1).expect("the commit");
    locked.compact_unless_behind(noon()).expect("a compaction");
    assert_eq!((seen, fs::read(journal(&store)).expect("a journal").len()), (1, 0));
}

#[test]
fn a_torn_end_is_ignored_by_readers_and_cut_by_the_next_writer() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let whole = fs::read(journal(&store)).expect("a journal");
    let (_, mut follower) = store.read(&[]).expect("a state");
    let next = commit_text(2, &[put("torn", "1")]);
    for length in [1, next.len() / 2, next.len() - 1] {
        append(&journal(&store), &next.as_bytes()[..length]);
        assert_eq!(jobs(&store).len(), 1, "torn after {length} bytes");
        assert_eq!(seen(&mut follower), Vec::<String>::new());
        assert_eq!(commit(&store, &[]), 1);
        assert_eq!(fs::read(journal(&store)).expect("a journal"), whole, "cut off");
    }
    append(&journal(&store), &next.as_bytes()[..100]);
    assert_eq!(commit(&store, &[put("b", "1")]), 2, "the next commit takes its place");
    assert_eq!(jobs(&store).len(), 2);
    assert_eq!(seen(&mut follower), [r#"2 b {"is":"1"}"#]);
    // After a power cut the last blocks may be there without what was in them.
    let next = commit_text(3, &[put("torn", "1")]);
    for length in [0, 10, record::HEAD, next.len() - 5] {
        append(&journal(&store), &next.as_bytes()[..length]);
        append(&journal(&store), &vec![0; next.len() - length]);
        assert_eq!(jobs(&store).len(), 2, "unwritten after {length} bytes");
        assert_eq!(commit(&store, &[]), 2);
    }
    assert_eq!(commit(&store, &[put("c", "1")]), 3);
    assert_eq!(jobs(&store).len(), 3);
}

#[test]
fn damage_is_reported_with_its_place_and_nothing_is_changed() {
    let commit_of = |first| commit_text(first, &[put("c", "1")]);
    let head = record::HEAD;
    let object = commit_of(3).len() - 60;
    let flipped = |at: usize| {
        let mut bytes = commit_of(3).into_bytes();
        bytes[at] ^= 4;
        bytes
    };
    let three = commit_of(3).len();
    for (what, bad, line, at) in [
        ("zeros before a commit", b"\0\0\0\0\0\n".to_vec(), 7, 0),
        ("no commit", b"{\"a\":1}\n".to_vec(), 7, 0),
        ("a commit twice", commit_of(2).into_bytes(), 7, 0),
        ("one that is missing", commit_of(4).into_bytes(), 7, 0),
        ("half a commit", commit_of(3).into_bytes()[..object].to_vec(), 8, head),
        ("a flipped bit in the head", flipped(40), 7, 0),
        ("in an object", flipped(object), 8, head),
        ("in the end", flipped(three - 10), 9, three - record::END),
        ("in the last newline", flipped(three - 1), 9, three - record::END),
    ] {
        for is_last in [false, true] {
            if is_last && bad.len() < three {
                // The journal's end is torn then.
                continue;
            }
            let (_place, store) = new_store();
            let (_, mut early) = store.read(&[]).expect("a state");
            commit(&store, &[put("a", "1")]);
            let (_, mut follower) = store.read(&[]).expect("a state");
            commit(&store, &[put("b", "1")]);
            let offset = fs::read(journal(&store)).expect("a journal").len() + at;
            append(&journal(&store), &bad);
            if !is_last {
                append(&journal(&store), commit_text(4, &[put("d", "1")]).as_bytes());
            }
            let before = contents(store.root());
            let expected = ("journal.jsonl".to_owned(), line, offset);
            assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err(what)), expected, "{what}: a reader");
            assert_eq!(
                damage(&store.lock_and_read(&[Table::JOBS]).expect_err(what)),
                expected,
                "{what}: a writer"
            );
            for tail in [&mut early, &mut follower] {
                let error = tail.changes(&[Table::JOBS], |_| ()).expect_err(what);
                assert_eq!(damage(&error), expected, "{what}: a follower");
            }
            let text = format!("{:#}", store.read(&[Table::JOBS]).expect_err(what));
            let place = format!("line {line} (byte {offset})");
            assert!(text.contains(&place) && text.contains("nothing was changed"), "{text}");
            assert_eq!(contents(store.root()), before, "{what}: nothing is changed");
        }
    }
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

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (_place, store) = new_store();
    let pod = json!({"metadata": {"name": "p", "uid": "p"}, "spec": {"containers": []}}).to_string();
    commit(&store, &[job("a", "1"), Write::put(Table::PODS, named("p"), pod), event("e", Duration::zero())]);
    compact(&store);
    commit(&store, &[job("b", "1"), Write::delete(Table::EVENTS, named("e"))]);
    commit(&store, &[job("b", "2")]);
    everything(&store).expect("readable");
    let snapshot = store.current_snapshot().expect("a snapshot");
    let files =
        ["jobs.jsonl", "pods.jsonl", "events.jsonl", "pods.listing.jsonl", "sizes.json", "journal.jsonl"];
    for path in files.map(|name| snapshot.join(name)).into_iter().chain([store.root().join("format")]) {
        let whole = fs::read(&path).expect("a file");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                overwrite_in_place(&path, &flipped);
                let what = format!("{} byte {at} bit {bit}", path.display());
                assert!(everything(&store).is_err(), "{what}");
                if path.starts_with(&snapshot) {
                    assert!(!store.examine().expect("an examination").is_sound(), "{what}: doctor");
                }
            }
        }
        overwrite_in_place(&path, &whole);
    }
    everything(&store).expect("readable again");
}

/// Without the syncs that make a file whole at any time.
fn overwrite_in_place(path: &Path, bytes: &[u8]) {
    let mut file = fs::OpenOptions::new().write(true).truncate(true).open(path).expect("the file");
    file.write_all(bytes).expect("a write");
}

#[test]
fn damage_in_a_snapshot_is_reported_with_its_place() {
    for (what, bad) in
        [("zeros", "\0\0\n"), ("not a record", "{}\n"), ("no end", r#"{"crc":"01234567","bytes":"#)]
    {
        let (_place, store) = new_store();
        commit(&store, &[put("a", "1")]);
        compact(&store);
        let file = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
        let at = fs::read(&file).expect("a snapshot").len();
        append(&file, bad.as_bytes());
        let before = contents(store.root());
        let expected = ("jobs.jsonl".to_owned(), 2, at);
        assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err(what)), expected, "{what}");
        let length = ("jobs.jsonl".to_owned(), if bad.ends_with('\n') { 3 } else { 2 }, at + bad.len());
        let streamed = store.stream(&[Table::JOBS], |_| Ok(())).expect_err(what);
        assert_eq!(damage(&streamed), length, "{what}: the length is looked at first");
        let (mut locked, _) = store.lock_and_read(&[]).expect("other tables read");
        locked.commit(vec![]).expect("nothing");
        drop(locked);
        assert!(store.read(&[Table::PODS]).is_ok(), "{what}: other tables can be read");
        assert_eq!(contents(store.root()), before, "{what}: nothing is changed");
    }
}

#[test]
fn a_snapshot_that_lost_whole_lines_is_damaged() {
    for keep in [0, 1] {
        let (_place, store) = new_store();
        commit(&store, &[put("a", "1"), put("b", "1")]);
        compact(&store);
        let path = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
        let whole = fs::read_to_string(&path).expect("jobs");
        let kept: String = whole.lines().take(keep).map(|line| format!("{line}\n")).collect();
        let file = fs::OpenOptions::new().write(true).open(&path).expect("the file");
        file.set_len(kept.len() as u64).expect("cut");
        let error = store.read(&[Table::JOBS]).expect_err("noticed");
        assert_eq!(damage(&error), ("jobs.jsonl".into(), keep + 1, kept.len()));
        let detail = format!("{} bytes were written, {} are there", whole.len(), kept.len());
        assert!(error.to_string().contains(&detail), "{error:#}");
        fs::remove_file(&path).expect("removed");
        assert_eq!(damage(&store.read(&[Table::JOBS]).expect_err("noticed")).1, 1, "gone altogether");
        let found = store.examine().expect("an examination");
        assert_eq!(found.files().map(|file| file.damage.len()).sum::<usize>(), 1, "doctor sees it too");
        append_new(&path, whole.as_bytes());
        assert!(store.read(&[Table::JOBS]).is_ok() && store.examine().expect("an examination").is_sound());
    }
}

#[test]
fn a_damaged_store_is_not_compacted() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    compact(&store);
    commit(&store, &[put("b", "1")]);
    append(&store.current_snapshot().expect("a snapshot").join("jobs.jsonl"), b"{}\n");
    let before = contents(store.root());
    let (mut locked, _) = store.lock_and_read(&[]).expect("the lock");
    assert!(locked.compact(noon()).is_err());
    assert_eq!(contents(store.root()), before);
}

#[test]
fn whoever_reads_the_small_tables_alone_sees_what_all_see() {
    let (_place, store) = new_store();
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..60 {
        let writes: Vec<Write> = (0..random.usize(1..6))
            .map(|_| {
                let table = [Table::JOBS, Table::CRON_JOBS, Table::PODS, Table::EVENTS][random.usize(..4)];
                let key = named(&format!("x{}", random.u8(..8)));
                let text = format!(r#"{{"text":"{}"}}"#, "é".repeat(random.usize(..9_000)));
                if random.bool() { Write::put(table, key, text) } else { Write::delete(table, key) }
            })
            .collect();
        commit(&store, &writes);
        let (all, end) = store.read(&record::TABLES).expect("a state");
        let (few, few_end) = store.read(&[Table::JOBS, Table::CRON_JOBS]).expect("a state");
        for table in [Table::JOBS, Table::CRON_JOBS] {
            let told = |state: &State| -> Vec<(Key, String)> {
                state.objects(table).map(|(key, object)| (key.clone(), object.text.to_owned())).collect()
            };
            assert_eq!(told(&few), told(&all));
        }
        assert_eq!((few.revision(), few_end.offset()), (all.revision(), end.offset()));
    }
}

#[test]
fn an_object_that_does_not_parse_is_reported_with_its_place() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1")]);
    let at = fs::read(journal(&store)).expect("a journal").len();
    commit(&store, &[Write::put(Table::JOBS, named("b"), r#"{"metadata":7}"#.into())]);
    let (state, _) = store.read(&[Table::JOBS]).expect("a state");
    let object = state.get(Table::JOBS, &named("b")).expect("the object");
    let error = object.parse::<crate::api::Job>().expect_err("not a Job");
    assert_eq!(damage(&error), ("journal.jsonl".to_owned(), 5, at + record::HEAD));
}

#[test]
fn a_store_that_is_not_ours_alone_or_newer_is_refused() {
    let (_place, store) = new_store();
    let mode = |mode| fs::set_permissions(store.root(), fs::Permissions::from_mode(mode)).expect("chmod");
    for (bits, refused) in [(0o700, false), (0o755, false), (0o770, true), (0o702, true), (0o777, true)] {
        mode(bits);
        let opened = Store::open(store.root());
        assert_eq!(opened.is_err(), refused, "{bits:o}");
        if let Err(error) = opened {
            assert!(matches!(error.downcast_ref(), Some(StoreError::NotPrivate { .. })), "{error:#}");
            assert!(error.to_string().contains("chmod go-w"), "says what to do: {error:#}");
        }
    }
    mode(0o700);
    for version in ["0\n", "3\n", "99\n", "", "abc", "2", "02\n", "2\n\n"] {
        write_atomic(&store.root().join("format"), version.as_bytes()).expect("a format");
        let error = Store::open(store.root()).expect_err(version);
        assert!(matches!(error.downcast_ref(), Some(StoreError::OtherFormat { .. })), "{error:#}");
    }
    let file = store.root().join("format");
    let error = Store::open(&file).expect_err("a file");
    assert!(error.to_string().contains("is not a directory"), "{error:#}");
    let fresh = store.root().join("deep/er");
    Store::open(&fresh).expect("a new store");
    assert_eq!(fs::metadata(&fresh).expect("a directory").permissions().mode() & 0o777, 0o700);
}

#[test]
fn writers_side_by_side_lose_nothing_and_revisions_are_consecutive() {
    const WRITERS: usize = 6;
    const COMMITS: usize = 25;
    let (_place, store) = new_store();
    let (_, mut follower) = store.read(&[]).expect("a state");
    std::thread::scope(|scope| {
        let mut writers = Vec::new();
        for writer in 0..WRITERS {
            let root = store.root().to_owned();
            writers.push(scope.spawn(move || {
                let store = Store::open(&root).expect("a store");
                for number in 0..COMMITS {
                    // Half go by their own old position, as the controller does, half read anew, as verbs do.
                    let (_, tail) = store.read(&[]).expect("a state");
                    let mut locked = match number % 2 {
                        0 => store.lock(tail).expect("the lock"),
                        _ => store.lock_and_read(&[]).expect("the lock").0,
                    };
                    locked.catch_up(&[], |_| ()).expect("changes");
                    let revision = locked.next_revision();
                    let write = put(&format!("w{writer}-{number}"), &revision.to_string());
                    locked.commit(vec![write]).expect("a commit");
                    // Once: a position two compactions old cannot be followed.
                    if writer == 0 && number == COMMITS / 2 {
                        locked.compact(noon()).expect("a compaction");
                    }
                    drop(locked);
                    store.read(&TABLES).expect("a reader between");
                }
            }));
        }
        // A follower that looks all the time sees every revision once, in order.
        let mut revisions = Vec::new();
        let mut more = true;
        while more {
            // Asked before the last look, so that nothing is missed and a writer that fails ends this too.
            more = writers.iter().any(|writer| !writer.is_finished());
            follower.changes(&[Table::JOBS], |change| revisions.push(change.revision)).expect("changes");
        }
        let expected: Vec<u64> = (1..=(WRITERS * COMMITS) as u64).collect();
        assert_eq!(revisions, expected);
    });
    let stored = all(&store, Table::JOBS);
    assert_eq!(stored.len(), WRITERS * COMMITS);
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

#[test]
fn compaction_forgets_old_events_and_the_oldest_tombstones() {
    let (_place, store) = new_store();
    commit(
        &store,
        &[
            event("old", Duration::minutes(61)),
            event("an-hour", Duration::minutes(60)),
            event("new", Duration::zero()),
        ],
    );
    // Not the age counts by which they are sorted, but that of the write.
    commit(&store, &[Write::put(Table::Tombstones, named("a-young-one"), "{}".into())]);
    let tombstones: Vec<Write> = (0..1010)
        .map(|number| Write::put(Table::Tombstones, named(&format!("t{:04}", 2000 - number)), "{}".into()))
        .collect();
    commit(&store, &tombstones);
    commit(&store, &[Write::put(Table::Tombstones, named("a-young-one"), "{}".into())]);
    compact(&store);
    assert_eq!(all(&store, Table::EVENTS).into_keys().collect::<Vec<_>>(), ["an-hour", "new"]);
    let tombstones: Vec<String> = all(&store, Table::Tombstones).into_keys().collect();
    assert_eq!(
        (tombstones.len(), tombstones[0].as_str(), tombstones[999].as_str()),
        (1000, "a-young-one", "t1989")
    );
}

#[test]
fn events_of_objects_that_are_gone_make_way_first() {
    let (_place, store) = new_store();
    commit(&store, &[put("there", "1")]);
    let about = |name: &str, number: usize| {
        let Write { content, .. } = event(name, Duration::zero());
        Write { content, ..Write::delete(Table::EVENTS, named(&format!("{name}.{number:05}"))) }
    };
    let events: Vec<Write> =
        (0..1500).flat_map(|number| [about("there", number), about("gone", number)]).collect();
    commit(&store, &events);
    compact(&store);
    let count =
        |prefix: &str| all(&store, Table::EVENTS).keys().filter(|name| name.starts_with(prefix)).count();
    assert_eq!((count("there"), count("gone")), (1500, 1000));
    assert!(all(&store, Table::EVENTS).contains_key("gone.01499"), "the newest stay");
}

#[test]
fn a_commit_of_many_deletions_is_bounded() {
    let (_place, store) = new_store();
    let large = "x".repeat(1 << 20);
    let names: Vec<String> = (0..6).map(|number| format!("j{number}")).collect();
    for name in &names {
        commit(&store, &[put(name, &large)]);
    }
    let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
    let deletions: Vec<Write> = names.iter().map(|name| Write::delete(Table::JOBS, named(name))).collect();
    commit(&store, &deletions);
    let mut kept = 0;
    tail.changes(&TABLES, |change| kept += usize::from(change.last.is_some())).expect("changes");
    assert_eq!(kept, 3, "as many as fit");
    assert!(jobs(&store).is_empty());
}

#[test]
fn a_deletion_keeps_the_last_object_for_those_who_watch() {
    let (_place, store) = new_store();
    commit(&store, &[put("a", "1"), put("b", "1"), put("c", "1")]);
    compact(&store);
    commit(&store, &[put("b", "2")]);
    let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
    let delete = |name: &str| Write::delete(Table::JOBS, named(name));
    let given = Write { content: WriteContent::Delete(Some("{\"is\":\"given\"}".into())), ..delete("c") };
    let facts = Write::delete(Table::JobFacts, named("a"));
    commit(&store, &[delete("a"), delete("b"), given, delete("never"), facts]);
    let mut last = Vec::new();
    tail.changes(&TABLES, |change| {
        assert_eq!(change.object, None);
        last.push(format!("{} {} {:?}", change.revision, change.name, change.last));
    })
    .expect("changes");
    let text = |is: &str| format!("{:?}", Some(json!({"is": is}).to_string()));
    let expected = [
        format!("5 a {}", text("1")),
        format!("6 b {}", text("2")),
        format!("7 c {}", text("given")),
        "8 never None".to_owned(),
        "9 a None".to_owned(),
    ];
    assert_eq!(last, expected);
}

#[test]
fn lists_read_the_pods_as_they_stand_and_the_parts_they_show() {
    let (_place, store) = new_store();
    let pod = |phase: &str| {
        json!({"metadata": {"name": "x"}, "spec": {"containers": []}, "status": {"phase": phase}}).to_string()
    };
    let listed = |phase: &str| listed_pod(&pod(phase)).expect("a pod");
    let put = |name: &str, text: String| Write::put(Table::PODS, named(name), text);
    let listing = || -> Vec<(String, String)> {
        let (state, _) = store.read_listing(&[Table::PODS]).expect("a listing");
        state
            .objects(Table::PODS)
            .map(|(key, object)| (key.name.to_string(), object.text.to_owned()))
            .collect()
    };
    let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());

    commit(&store, &["a", "b", "c", "d"].map(|name| put(name, pod("Running"))));
    assert_eq!(listing()[0], pair("a", &pod("Running")), "no snapshot yet");
    compact(&store);
    commit(
        &store,
        &[put("b", pod("Failed")), put("d", "{no pod}".into()), Write::delete(Table::PODS, named("c"))],
    );
    assert_eq!(
        listing(),
        [pair("a", &listed("Running")), pair("b", &pod("Failed")), pair("d", "{no pod}")],
        "the journal has whole pods"
    );
    compact(&store);
    let expected = [pair("a", &listed("Running")), pair("b", &listed("Failed")), pair("d", "{no pod}")];
    assert_eq!(listing(), expected);
    assert_eq!(all(&store, Table::PODS)["b"], pod("Failed"), "whole for everybody else");
}

fn report(uid: &str, sequence: u64) -> PodReport {
    PodReport {
        namespace: "default".into(),
        name: uid.into(),
        uid: uid.into(),
        sequence,
        last: false,
        status: PodStatus::default(),
        events: Vec::new(),
    }
}

/// A pod's directory, as its supervisor has it.
fn claimed(store: &Store, uid: &str) -> (PodDirectory, ProcessLock) {
    let directory = PodDirectory::new(store.pod_path(uid));
    let lock = directory.claim(None).expect("a claim").expect("the first");
    (directory, lock)
}

#[test]
fn a_last_report_stays_with_its_pod_and_needs_no_inode() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    let (directory, lock) = claimed(&store, "a");
    lock.add_line("17 3 4\n");
    inbox.leave(&report("a", 1), &directory, &lock).expect("a report");
    assert_eq!(inbox.last_report_put_away(&directory), None, "not the last");
    let last = PodReport { last: true, ..report("a", 2) };
    inbox.leave(&last, &directory, &lock).expect("a report");
    let inode = |path: &std::path::Path| fs::symlink_metadata(path).expect("a file").ino();
    for (path, _) in inbox.reports().expect("reports") {
        assert_eq!(inode(&path), inode(&directory.lock_path()));
        inbox.put_away(&path, &store.pods_path());
    }
    assert!(inbox.is_empty().expect("an inbox"));
    assert_eq!(inbox.last_report_put_away(&directory), Some(last));
    assert!(directory.lock_text().starts_with("17 3 4\n"), "what was there stays");
    // What has restarted very often has files for its reports.
    lock.add_line(&"x".repeat(70_000));
    lock.add_line("\n");
    let later = PodReport { last: true, ..report("a", 3) };
    inbox.leave(&later, &directory, &lock).expect("a report");
    inbox.reports().expect("reports").iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert_eq!(inbox.last_report_put_away(&directory), Some(later));
    // A pod whose directory is gone has a last word all the same.
    directory.remove();
    inbox.leave(&report("a", 4), &directory, &lock).expect("a report");
    assert_eq!(inbox.reports().expect("reports").len(), 1);
}

#[test]
fn reports_are_read_in_order_until_they_are_removed() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    assert!(inbox.is_empty().expect("an inbox"));
    let pods = ["a", "b"].map(|uid| (uid, claimed(&store, uid)));
    for (uid, sequence) in [("a", 2), ("b", 1), ("a", 10), ("a", 1)] {
        let (_, (directory, lock)) = pods.iter().find(|(known, _)| *known == uid).expect("claimed");
        inbox.leave(&report(uid, sequence), directory, lock).expect("a report");
    }
    let reports = inbox.reports().expect("reports");
    let of_a: Vec<u64> =
        reports.iter().filter(|(_, report)| report.uid == "a").map(|(_, report)| report.sequence).collect();
    assert_eq!(of_a, [1, 2, 10]);
    assert_eq!(inbox.reports().expect("reports").len(), 4, "they stay");
    reports.iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert!(inbox.is_empty().expect("an inbox"));
}

#[test]
fn a_report_that_cannot_be_read_is_set_aside() {
    let (_place, store) = new_store();
    let inbox = Inbox::new(store.inbox_path());
    let (directory, lock) = claimed(&store, "good");
    inbox.leave(&report("good", 1), &directory, &lock).expect("a report");
    append_new(&store.inbox_path().join("torn.1"), b"{\"namespace\":\"def");
    append_new(&store.inbox_path().join("empty.1"), b"");
    fs::create_dir(store.inbox_path().join("directory")).expect("a directory");
    // Being written: not a report yet.
    append_new(&store.inbox_path().join(".later.1.tmp"), b"{");
    let reports = inbox.reports().expect("reports");
    assert_eq!(reports.iter().map(|(_, report)| report.uid.as_str()).collect::<Vec<_>>(), ["good"]);
    reports.iter().for_each(|(path, _)| inbox.put_away(path, &store.pods_path()));
    assert!(inbox.is_empty().expect("an inbox"), "nothing is left that would wake a controller for ever");
    let aside = fs::read(store.inbox_path().join(".torn.1.corrupt")).expect("set aside, not lost");
    assert_eq!(aside, b"{\"namespace\":\"def");
}

#[test]
fn write_atomic_replaces_a_file_whole_or_not_at_all() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("file");
    for text in ["one", "", "three"] {
        write_atomic(&file, text.as_bytes()).expect("a write");
        assert_eq!(fs::read_to_string(&file).expect("the file"), text);
    }
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    let error = write_atomic(&place.path().join("no/file"), b"x").expect_err("no directory");
    assert!(format!("{error:#}").contains("no/file"), "{error:#}");
    // A directory cannot be replaced by a file: the rename fails, what is there stays, nothing is left beside.
    fs::create_dir(place.path().join("directory")).expect("a directory");
    write_atomic(&place.path().join("directory"), b"x").expect_err("a directory");
    let mut names: Vec<_> =
        fs::read_dir(place.path()).expect("a directory").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["directory", "file"]);
}

#[test]
fn a_pods_directory_is_claimed_once_for_ever() {
    let (_place, store) = new_store();
    let directory = PodDirectory::new(store.pod_path("uid"));
    assert!(!directory.is_claimed());
    let lock = directory.claim(None).expect("a claim").expect("the first claim");
    assert!(directory.is_claimed());
    drop(lock);
    assert!(directory.claim(None).expect("a claim").is_none(), "also after the holder has gone");
    let left = fs::read_dir(store.pod_path("uid")).expect("a directory").count();
    assert_eq!(left, 1, "the lock, nothing else");
    directory.remove();
    assert!(!directory.is_claimed());
}

/// Something done to a store.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u8, Option<u16>)>),
    Compact,
    Reopen,
    Tear(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let write = (0..8_u8, prop::option::weighted(0.7, any::<u16>()));
    let step = prop_oneof![
        6 => prop::collection::vec(write, 0..4).prop_map(Step::Commit),
        1 => Just(Step::Compact),
        1 => Just(Step::Reopen),
        1 => (1..60_usize).prop_map(Step::Tear),
    ];
    prop::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_map(steps in steps()) {
        let (_place, mut store) = new_store();
        let (_, mut tail) = store.read(&[Table::JOBS]).expect("a state");
        let (mut model, mut followed) = (BTreeMap::new(), BTreeMap::new());
        let mut revision = 0;
        for step in steps {
            match step {
                Step::Commit(writes) => {
                    let spelled: Vec<Write> = writes
                        .iter()
                        .map(|(key, value)| match value {
                            Some(value) => put(&format!("k{key}"), &value.to_string()),
                            None => Write::delete(Table::JOBS, named(&format!("k{key}"))),
                        })
                        .collect();
                    revision += writes.len() as u64;
                    prop_assert_eq!(commit(&store, &spelled), revision);
                    for (key, value) in writes {
                        match value {
                            Some(value) => {
                                model.insert(format!("k{key}"), json!({"is": value.to_string()}).to_string())
                            }
                            None => model.remove(&format!("k{key}")),
                        };
                    }
                }
                Step::Compact => compact(&store),
                Step::Reopen => store = Store::open(store.root()).expect("the same store"),
                Step::Tear(length) => {
                    // Every writer cuts off what one before it left.
                    commit(&store, &[]);
                    let line = commit_text(revision + 1, &[put("torn", "x")]);
                    append(&journal(&store), &line.as_bytes()[..length]);
                }
            }
            prop_assert_eq!(&all(&store, Table::JOBS), &model);
            tail.changes(&[Table::JOBS], |change| {
                match change.object {
                    Some(object) => followed.insert(change.name.to_owned(), object.to_owned()),
                    None => followed.remove(change.name),
                };
            })
            .expect("changes");
            prop_assert_eq!(&followed, &model, "a follower");
        }
    }
}

fn job(name: &str, text: &str) -> Write {
    let object = json!({"metadata": {"name": name, "namespace": "default", "annotations": {"is": text}}});
    Write::put(Table::JOBS, named(name), object.to_string())
}

/// What the Jobs say, by name.
fn annotations(store: &Store) -> Vec<String> {
    let of = |(name, text): (String, String)| {
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        format!("{name} {}", value["metadata"]["annotations"]["is"].as_str().unwrap_or_default())
    };
    all(store, Table::JOBS).into_iter().map(of).collect()
}

/// What lies in the data directory under names like that, with its content.
fn aside(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let names = fs::read_dir(store.root()).expect("a directory").flatten().map(|entry| entry.path());
    let is_aside = |path: &std::path::PathBuf| path.display().to_string().contains(".corrupt-");
    names
        .filter(|path| path.is_file() && is_aside(path))
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (name, fs::read(&path).expect("a file"))
        })
        .collect()
}

/// Flips a bit in the middle of the line that holds a text; the last such line.
fn damage_line(path: &Path, text: &str) {
    let mut bytes = fs::read(path).expect("the file");
    let at = memchr::memmem::rfind(&bytes, text.as_bytes()).expect("the text");
    bytes[at] ^= 1;
    overwrite_in_place(path, &bytes);
}

#[test]
fn without_damage_nothing_is_set_aside() {
    let (_place, store) = new_store();
    assert!(store.set_aside(noon()).expect("nothing").is_none());
    commit(&store, &[job("a", "1")]);
    append(&journal(&store), &commit_text(2, &[job("b", "1")]).as_bytes()[..120]);
    let before = contents(store.root());
    assert!(store.set_aside(noon()).expect("nothing").is_none(), "a torn end is no damage");
    assert_eq!(contents(store.root()), before);
}

#[test]
fn damaged_lines_are_set_aside_and_everything_else_stands() {
    let (_place, store) = new_store();
    for name in ["a", "b", "c", "d", "e"] {
        commit(&store, &[job(name, "1")]);
    }
    compact(&store);
    let jobs_file = store.current_snapshot().expect("a snapshot").join("jobs.jsonl");
    // In the snapshot: a, which nobody writes again, and b, which a later commit does. Of b the newline is gone.
    damage_line(&jobs_file, "annotations\":{\"is\":\"1\"},\"name\":\"a");
    let second =
        fs::read_to_string(&jobs_file).expect("the Jobs").match_indices('\n').nth(1).expect("lines").0;
    let mut bytes = fs::read(&jobs_file).expect("the Jobs");
    bytes[second] = b' ';
    overwrite_in_place(&jobs_file, &bytes);
    let damaged_jobs = bytes[..=second].to_vec();
    commit(&store, &[job("b", "2"), job("c", "2")]);
    let journal_file = journal(&store);
    let third = fs::read(&journal_file).expect("the journal").len();
    // Revisions 8 to 11 change c and e, make x and remove d; 12 changes c again.
    let removed = WriteContent::Delete(Some("{}".into()));
    let removal = Write { content: removed, ..Write::delete(Table::JOBS, named("d")) };
    commit(&store, &[job("c", "3"), job("e", "3"), job("x", "3"), removal]);
    damage_line(&journal_file, "\"name\":\"e\",\"namespace");
    let damaged_commit = fs::read(&journal_file).expect("the journal")[third..].to_vec();
    append(&journal_file, commit_text(12, &[job("c", "4")]).as_bytes());
    append(&journal_file, &commit_text(13, &[job("c", "5")]).as_bytes()[..100]);

    let done = store.set_aside(noon()).expect("set aside").expect("something");
    assert_eq!(annotations(&store), ["b 2", "c 4", "d 1", "e 1"]);
    let fates: Vec<String> = done
        .lines
        .iter()
        .flat_map(|line| &line.objects)
        .map(|object| format!("{} {:?}", object.key.name, object.fate))
        .collect();
    let expected = ["a Lost", "b Unharmed", "c Unharmed", "e SetBack", "x Lost", "d Back"];
    assert_eq!(fates, expected);
    assert_eq!((done.objects, done.revision), (4, 13));
    assert_eq!(done.gaps, [Gap { first: 8, last: 11, lines: 1 }]);
    // Byte for byte.
    let expected = BTreeMap::from([
        ("jobs.jsonl.corrupt-20231114T221320Z".to_owned(), damaged_jobs),
        ("journal.jsonl.corrupt-20231114T221320Z".to_owned(), damaged_commit),
    ]);
    assert_eq!(aside(&store), expected);
    for name in expected.keys() {
        let mode = fs::metadata(store.root().join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(commit(&store, &[job("f", "1")]), 14, "the store can be used again");
    assert!(store.examine().expect("an examination").is_sound());
    assert!(store.set_aside(noon()).expect("nothing").is_none());
    compact(&store);
    assert_eq!(aside(&store), expected, "no compaction removes what was set aside");
}

#[test]
fn whoever_has_followed_a_damaged_store_has_to_start_again() {
    let (_place, store) = new_store();
    commit(&store, &[job("a", "1")]);
    commit(&store, &[job("b", "1")]);
    let (_, mut follower) = store.read(&[Table::JOBS]).expect("a state");
    let (_, writer) = store.read(&[Table::JOBS]).expect("a state");
    damage_line(&journal(&store), "annotations");
    store.set_aside(noon()).expect("set aside").expect("something");
    let error = follower.changes(&[Table::JOBS], |_| ()).expect_err("another history");
    assert!(error.to_string().contains("run the command again"), "{error:#}");
    let mut locked = store.lock(writer).expect("the lock");
    assert!(locked.catch_up(&[Table::JOBS], |_| ()).is_err(), "nor does a writer go on");
    drop(locked);
    assert_eq!(annotations(&store), ["a 1"]);
}

#[test]
fn a_missing_commit_is_damage_without_a_line() {
    let (_place, store) = new_store();
    commit(&store, &[job("a", "1")]);
    append(&journal(&store), commit_text(4, &[job("b", "1")]).as_bytes());
    assert!(!store.examine().expect("an examination").is_sound());
    let done = store.set_aside(noon()).expect("set aside").expect("something");
    assert_eq!(
        (done.lines.len(), done.gaps.as_slice()),
        (0, [Gap { first: 2, last: 3, lines: 0 }].as_slice())
    );
    assert_eq!((annotations(&store).len(), aside(&store).len()), (2, 0));
    assert!(store.examine().expect("an examination").is_sound());
}

#[test]
fn logs_and_reports_of_pods_outlive_the_commits_that_are_lost() {
    let pod = |name: &str, phase: &str| {
        let object = json!({"metadata": {"name": name, "uid": name}, "status": {"phase": phase}});
        Write::put(Table::PODS, named(name), object.to_string())
    };
    let (_place, store) = new_store();
    commit(&store, &[pod("kept", "Pending"), pod("over", "Succeeded")]);
    commit(&store, &[pod("kept", "Succeeded"), pod("lost", "Running")]);
    for name in ["kept", "over", "lost"] {
        let directory = store.pod_path(name);
        fs::create_dir(&directory).expect("a directory");
        append_new(&directory.join("main.0.log"), name.as_bytes());
        append_new(&directory.join("supervisor.lock"), b"");
        for sequence in [9, 10] {
            append_new(&directory.join(format!("report.{sequence}")), b"{}");
        }
    }
    damage_line(&journal(&store), "Succeeded");
    let done = store.set_aside(noon()).expect("set aside").expect("something");
    let logs = store.root().join("pods.corrupt-20231114T221320Z");
    assert_eq!((done.reports, done.logs), (1, Some((logs.clone(), vec!["lost".to_owned()]))));
    let kept = BTreeMap::from([(logs.join("lost/main.0.log").display().to_string(), b"lost".to_vec())]);
    assert_eq!(contents(&logs), kept);
    assert!(store.pod_path("lost").join("main.0.log").exists(), "and where they were");
    let waiting: Vec<_> = fs::read_dir(store.inbox_path())
        .expect("an inbox")
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(waiting, ["kept.10"], "the newest report of the pod that looks unfinished");
    assert!(!store.pod_path("kept").join("report.10").exists(), "moved");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever bytes are damaged: what is set aside and what stands are together all that there was.
    #[test]
    fn no_damage_is_too_much(
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        compacted in any::<bool>(),
    ) {
        let (_place, store) = new_store();
        for number in 0..6 {
            commit(&store, &[job(&format!("j{number}"), "1"), job("always", &number.to_string())]);
        }
        if compacted {
            compact(&store);
            commit(&store, &[job("always", "last")]);
        }
        let directory = store.current_snapshot().expect("a snapshot");
        let files = ["jobs.jsonl", "journal.jsonl"].map(|name| directory.join(name));
        for (place, byte) in bytes {
            let path = &files[usize::from(compacted && byte % 2 == 0)];
            let path = if compacted { path } else { &files[1] };
            let mut content = fs::read(path).expect("a file");
            let at = place.index(content.len());
            content[at] = byte;
            write_atomic(path, &content).expect("a write");
        }
        let before: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap_or_default()).collect();
        let size: usize = before.iter().map(Vec::len).sum();
        let examined = store.examine().expect("an examination");
        let of_records = || examined.files().filter(|file| !file.path.ends_with("sizes.json"));
        let damaged: usize = of_records().flat_map(|file| &file.damage).map(|damage| damage.length).sum();
        let sound: usize = of_records().flat_map(|file| file.sound_parts()).map(|(_, part)| part.len()).sum();
        prop_assert_eq!(size, sound + damaged + examined.torn);
        prop_assert_eq!(examined.is_sound(), everything(&store).is_ok(), "readers and doctor agree");
        let done = store.set_aside(noon()).expect("set aside");
        prop_assert_eq!(done.is_some(), !examined.is_sound());
        let aside: Vec<Vec<u8>> = aside(&store).into_values().collect();
        prop_assert_eq!(aside.iter().map(Vec::len).sum::<usize>(), damaged);
        prop_assert!(store.examine().expect("an examination").is_sound());
        everything(&store).expect("readable");
        commit(&store, &[job("after", "1")]);
    }

    /// Keys and values of objects may be all that the store itself writes.
    #[test]
    fn any_object_survives(object in any_object(), other in any_object()) {
        let (_place, store) = new_store();
        let key = |name: &str| Write::put(Table::JOBS, named(name), object.to_string());
        let wrapped = json!({"metadata": {"name": "c", "annotations": {}}, "spec": null, "status": null}).to_string();
        commit(&store, &[key("a"), Write::put(Table::PODS, named("b"), other.to_string()), Write::put(Table::JOBS, named("c"), wrapped)]);
        let whole = everything(&store).expect("readable");
        prop_assert_eq!(&all(&store, Table::JOBS)["a"], &object.to_string());
        prop_assert_eq!(&all(&store, Table::PODS)["b"], &other.to_string());
        compact(&store);
        prop_assert_eq!(&all(&store, Table::JOBS)["a"], &object.to_string());
        prop_assert!(whole.contains(&object.to_string()));
        let mut streamed = Vec::new();
        store.stream(&[Table::JOBS], |change| {
            streamed.push(change.object.map(str::to_owned));
            Ok(())
        }).expect("readable");
        prop_assert_eq!(streamed[0].clone(), Some(object.to_string()));
        let examined = store.examine().expect("an examination");
        let unreadable = |damage: &Damage| damage.detail.contains("checksum") || damage.detail.contains("record");
        prop_assert!(!examined.files().flat_map(|file| &file.damage).any(unreadable));
        commit(&store, &[Write::delete(Table::JOBS, named("a"))]);
        prop_assert!(!all(&store, Table::JOBS).contains_key("a"));
        prop_assert_eq!(&all(&store, Table::PODS)["b"], &other.to_string());
    }
}

/// Words of the store's own among the keys and values.
fn any_word() -> impl Strategy<Value = String> {
    let ours = prop::sample::select(vec![
        "op",
        "crc",
        "bytes",
        "put",
        "delete",
        "commit",
        "end",
        "revision",
        "namespace",
        "name",
        "object",
        "writes",
        "type",
        "Failed",
        "{\"op\":\"put\"",
        "{\"crc\":\"00000000\",\"end\":",
        "\n",
        "\"}\n",
        "spec",
        "status",
        ",\"spec\":{",
    ]);
    prop_oneof![3 => ours.prop_map(str::to_owned), 1 => any::<String>()]
}

fn any_object() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        any_word().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from)
    ];
    let value = leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::vec((any_word(), inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    });
    prop::collection::vec((any_word(), value), 0..6)
        .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into())
}
