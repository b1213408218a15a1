//! Looking at every record of the store, to the last one: what reads back, what does not, and where. Nothing is changed.
//!
//! Readers stop at the first damaged record they need. Here all are found, also those that a reader would notice only later
//! (an object that is no JSON) or not at all (a commit that is longer than its head says, a commit that is missing).

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::record::{Change, TABLES, Table, changes, head_of, key_and_object};
use super::sizes::Sizes;
use super::state::{PODS_LISTING, snapshot_file};
use super::tail::revision_of_snapshot;
use super::{State, Store};
use crate::api::events::EventRecord;
use crate::api::{CronJob, Job, Node, Pod};
use crate::controller::JobFacts;
use crate::printers::rows::listed_pod;
use crate::registry::tombstones::Tombstone;

/// A line that does not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line, from 1.
    pub line: usize,
    /// The byte at which it starts.
    pub offset: usize,
    /// Its bytes, the newline included where there is one.
    pub length: usize,
    /// What is wrong with it.
    pub detail: String,
}

/// Commits that should be in the journal and are not, or not in a form that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first revision that is missing.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// How many damaged lines stand in that place.
    pub lines: usize,
}

/// A file of records, taken apart.
#[derive(Debug)]
pub struct Examined {
    /// The file.
    pub path: PathBuf,
    /// Lines that read back: objects of a table, commits of the journal.
    pub records: usize,
    /// Lines that do not, in order.
    pub damage: Vec<Damage>,
    pub(super) bytes: Vec<u8>,
}

/// Everything that is at rest under one snapshot.
#[derive(Debug)]
pub struct Examination {
    /// The directory of the snapshot in force.
    pub snapshot: PathBuf,
    /// Its tables, those without a file left out.
    pub tables: Vec<(Table, Examined)>,
    /// What lists show of its pods: made from them, and to be made again where it is damaged.
    pub listing: Option<Examined>,
    /// The commits since.
    pub journal: Examined,
    /// Bytes after the journal's last newline: harmless, the next writer cuts them off.
    pub torn: usize,
    /// Commits that are missing.
    pub gaps: Vec<Gap>,
    /// The revision of the snapshot.
    pub(super) first_revision: u64,
    /// The revision of the last commit, a damaged one included.
    pub(super) last_revision: u64,
}

impl Examined {
    /// The file's length in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of a damaged line.
    pub(super) fn text_of(&self, damage: &Damage) -> &[u8] {
        &self.bytes[damage.offset..damage.offset + damage.length]
    }

    /// The lines that read back, without their newlines, each with the byte at which it starts.
    pub(super) fn sound_lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let is_damaged =
            |offset: usize| self.damage.binary_search_by_key(&offset, |damage| damage.offset).is_ok();
        lines(&self.bytes)
            .filter(move |line| line.is_whole && !is_damaged(line.offset))
            .map(|line| (line.offset, line.bytes))
    }

    /// The file without its damaged lines, and without what follows the last newline.
    fn sound(&self) -> Vec<u8> {
        let mut sound = Vec::with_capacity(self.bytes.len());
        for (_, line) in self.sound_lines() {
            sound.extend_from_slice(line);
            sound.push(b'\n');
        }
        sound
    }
}

impl Examination {
    /// All files with records, the journal last.
    pub fn files(&self) -> impl Iterator<Item = &Examined> {
        self.snapshot_files().chain([&self.journal])
    }

    /// The files of the snapshot itself.
    pub fn snapshot_files(&self) -> impl Iterator<Item = &Examined> {
        self.tables.iter().map(|(_, table)| table).chain(&self.listing)
    }

    /// Whether everything reads back and nothing is missing.
    pub fn is_sound(&self) -> bool {
        self.gaps.is_empty() && self.files().all(|file| file.damage.is_empty())
    }

    /// The objects as of the last commit, from everything that reads back.
    ///
    /// # Errors
    /// Never in practice: what does not read back is left out.
    pub fn state(&self) -> Result<State> {
        let mut state = State::at(self.first_revision);
        for (table, file) in &self.tables {
            state.take_snapshot(*table, file.path.clone(), file.sound())?;
        }
        let text = String::from_utf8(self.journal.sound()).context("read the journal")?;
        state.take_journal(&self.journal.path, text, &TABLES)?;
        Ok(state)
    }
}

impl Store {
    /// Reads every record of the snapshot in force and of its journal. Needs no lock and takes none.
    ///
    /// # Errors
    /// No snapshot in force; files that cannot be read at all.
    pub fn examine(&self) -> Result<Examination> {
        // A compaction may replace the snapshot under our hands; the link moves before the old one goes.
        for _ in 0..16 {
            let directory = self.current_snapshot()?;
            let examined = examine_snapshot(&directory);
            if self.current_snapshot()? == directory {
                return examined;
            }
        }
        bail!("the snapshots in {} change faster than they can be read", self.root().display())
    }
}

fn examine_snapshot(directory: &Path) -> Result<Examination> {
    let first_revision = revision_of_snapshot(directory)?;
    let sizes = Sizes::read(directory);
    let mut tables = Vec::new();
    for table in TABLES {
        if let Some((path, bytes)) = read_if_written(snapshot_file(directory, table), &sizes)? {
            let (records, mut damage) = examine_table(table, &bytes);
            if damage.is_empty() {
                damage.extend(cut_off(&sizes, &path, &bytes));
            }
            tables.push((table, Examined { path, records, damage, bytes }));
        }
    }
    let listing = read_if_written(directory.join(PODS_LISTING), &sizes)?.map(|(path, bytes)| {
        let pods = tables.iter().find(|(table, _)| *table == Table::Pods).map(|(_, pods)| pods);
        let (records, damage) = examine_listing(&bytes, pods);
        Examined { path, records, damage, bytes }
    });
    let path = directory.join("journal.jsonl");
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let commits = examine_journal(first_revision, &bytes);
    Ok(Examination {
        snapshot: directory.to_owned(),
        tables,
        listing,
        torn: commits.torn,
        gaps: commits.gaps,
        first_revision,
        last_revision: commits.last,
        journal: Examined { path, records: commits.records, damage: commits.damage, bytes },
    })
}

/// A file of a snapshot; what was empty at that revision has none. One that has gone since is taken as empty.
fn read_if_written(path: PathBuf, sizes: &Sizes) -> Result<Option<(PathBuf, Vec<u8>)>> {
    match fs::read(&path) {
        Ok(bytes) => Ok(Some((path, bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(sizes.problem(&path, b"").map(|_| (path, Vec::new())))
        }
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// One line of a file.
struct Line<'a> {
    number: usize,
    offset: usize,
    /// Without the newline.
    bytes: &'a [u8],
    /// Whether a newline ends it.
    is_whole: bool,
}

impl Line<'_> {
    fn damaged(&self, detail: String) -> Damage {
        let length = self.bytes.len() + usize::from(self.is_whole);
        Damage { line: self.number, offset: self.offset, length, detail }
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut offset = 0;
    (1..).map_while(move |number| {
        let rest = &bytes[offset..];
        if rest.is_empty() {
            return None;
        }
        let newline = memchr::memchr(b'\n', rest);
        let line = Line {
            number,
            offset,
            bytes: &rest[..newline.unwrap_or(rest.len())],
            is_whole: newline.is_some(),
        };
        offset += line.bytes.len() + 1;
        offset = offset.min(bytes.len());
        Some(line)
    })
}

/// The records of a table's file: how many read back, and which do not.
fn examine_table(table: Table, bytes: &[u8]) -> (usize, Vec<Damage>) {
    let mut records = 0;
    let mut damage = Vec::new();
    for line in lines(bytes) {
        match check_record(table, &line) {
            Ok(()) => records += 1,
            Err(detail) => damage.push(line.damaged(detail)),
        }
    }
    (records, damage)
}

/// What a file lost at its end, of which no line tells.
fn cut_off(sizes: &Sizes, path: &Path, bytes: &[u8]) -> Option<Damage> {
    let detail = sizes.problem(path, bytes)?;
    let number = memchr::memchr_iter(b'\n', bytes).count() + 1;
    let end = Line { number, offset: bytes.len(), bytes: b"", is_whole: false };
    Some(end.damaged(detail))
}

/// The lines of a listing: how many say what the pods that read back say, and which do not.
fn examine_listing(bytes: &[u8], pods: Option<&Examined>) -> (usize, Vec<Damage>) {
    let mut expected: HashMap<(String, String), String> = HashMap::new();
    for (_, line) in pods.into_iter().flat_map(Examined::sound_lines) {
        if let Some((namespace, name, Some(pod))) = record_of(line)
            && let Ok(listed) = listed_pod(pod)
        {
            expected.insert((namespace.to_owned(), name.to_owned()), listed);
        }
    }
    let mut records = 0;
    let mut damage = Vec::new();
    for line in lines(bytes) {
        let check = match record_of(line.bytes).filter(|_| line.is_whole) {
            Some((namespace, name, Some(listed))) => {
                match expected.remove(&(namespace.to_owned(), name.to_owned())) {
                    // The pod itself does not read back: that is said where it stands.
                    None => Ok(()),
                    Some(expected) if expected == listed => Ok(()),
                    Some(_) => Err("not what the pod says"),
                }
            }
            _ => Err("not a record"),
        };
        match check {
            Ok(()) => records += 1,
            Err(detail) => damage.push(line.damaged(detail.into())),
        }
    }
    if !expected.is_empty() {
        let end =
            Line { number: records + damage.len() + 1, offset: bytes.len(), bytes: b"", is_whole: false };
        damage.push(end.damaged(format!("{} more pods should be listed", expected.len())));
    }
    (records, damage)
}

fn record_of(line: &[u8]) -> Option<(&str, &str, Option<&str>)> {
    std::str::from_utf8(line).ok()?.strip_prefix('{').and_then(key_and_object)
}

fn check_record(table: Table, line: &Line<'_>) -> Result<(), String> {
    let text = std::str::from_utf8(line.bytes).map_err(|_| "not UTF-8")?;
    if !line.is_whole {
        return Err("the line has no end".into());
    }
    match text.strip_prefix('{').and_then(key_and_object) {
        Some((_, _, Some(object))) => check_object(table, object),
        _ => Err("not a record".into()),
    }
}

/// Whether an object's text reads as what its table holds.
fn check_object(table: Table, text: &str) -> Result<(), String> {
    fn reads_as<T: DeserializeOwned>(text: &str) -> Result<(), String> {
        serde_json::from_str::<T>(text).map(|_| ()).map_err(|error| error.to_string())
    }
    match table {
        Table::Jobs => reads_as::<Job>(text),
        Table::CronJobs => reads_as::<CronJob>(text),
        Table::Nodes => reads_as::<Node>(text),
        Table::JobFacts => reads_as::<JobFacts>(text),
        Table::Tombstones => reads_as::<Tombstone>(text),
        Table::RemovedPods | Table::Pods => reads_as::<Pod>(text),
        Table::Events => reads_as::<EventRecord>(text),
    }
}

/// What a journal's bytes are.
#[derive(Debug, PartialEq, Eq)]
struct Commits {
    records: usize,
    damage: Vec<Damage>,
    gaps: Vec<Gap>,
    torn: usize,
    last: u64,
}

fn examine_journal(first: u64, bytes: &[u8]) -> Commits {
    let torn = bytes.len() - memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    let read: Vec<(Line<'_>, Result<u64, String>)> = lines(bytes)
        .filter(|line| line.is_whole)
        .map(|line| {
            let revision = check_commit(line.bytes);
            (line, revision)
        })
        .collect();
    let revisions: Vec<Option<u64>> =
        read.iter().map(|(_, revision)| revision.as_ref().ok().copied()).collect();
    let kept = in_order(first, &revisions);
    let mut damage = Vec::new();
    let mut gaps = Vec::new();
    let mut last = first;
    // Damaged lines since the last sound one that may have been commits.
    let mut unread = 0;
    for (index, (line, revision)) in read.iter().enumerate() {
        match revision {
            Ok(revision) if kept[index] => {
                if *revision > last + 1 {
                    gaps.push(Gap { first: last + 1, last: revision - 1, lines: unread });
                }
                last = *revision;
                unread = 0;
            }
            Ok(revision) => {
                unread += usize::from(*revision > last);
                damage.push(line.damaged(format!("revision {revision} follows {last}")));
            }
            Err(detail) => {
                unread += 1;
                damage.push(line.damaged(detail.clone()));
            }
        }
    }
    if unread > 0 {
        gaps.push(Gap { first: last + 1, last: last + unread as u64, lines: unread });
        last += unread as u64;
    }
    Commits { records: read.len() - damage.len(), damage, gaps, torn, last }
}

/// The revision of a commit in which everything reads back, to the last object.
fn check_commit(line: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(line).map_err(|_| "not UTF-8")?;
    let mut objects = Ok(());
    let revision = changes(text, &TABLES, |change: Change<'_>| {
        if let (Some(object), true) = (change.object, objects.is_ok()) {
            objects = check_object(change.table, object).map_err(|detail| {
                format!("{} {}/{}: {detail}", change.table.as_str(), change.namespace, change.name)
            });
        }
    })?;
    objects?;
    // A reader of the small tables trusts the length, and would land in the middle of another commit.
    if let Some(head) = head_of(line)
        && head.start + head.rest != line.len() + 1
    {
        return Err(format!(
            "the commit says that {} bytes follow, {} do",
            head.rest,
            line.len() + 1 - head.start
        ));
    }
    Ok(revision)
}

/// Which lines form the longest chain of rising revisions after `first`. One line with a wrong revision must not make
/// wrong ones of all that follow.
fn in_order(first: u64, revisions: &[Option<u64>]) -> Vec<bool> {
    // For each length of a chain the line that ends it lowest; for each line the one before it in its chain.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; revisions.len()];
    for (index, revision) in revisions.iter().enumerate() {
        let Some(revision) = revision.filter(|revision| *revision > first) else { continue };
        let length = ends.partition_point(|end| revisions[*end].is_some_and(|lower| lower < revision));
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            None => ends.push(index),
            // Of two with the same revision the first counts, as it does for readers.
            Some(end) if revisions[*end] == Some(revision) => {}
            Some(end) => *end = index,
        }
    }
    let mut kept = vec![false; revisions.len()];
    let mut at = ends.last().copied();
    while let Some(index) = at {
        kept[index] = true;
        at = before[index];
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::Write;
    use super::super::record::{commit_line, snapshot_line};
    use super::*;
    use crate::api::kinds::Key;

    fn commit(revision: u64) -> String {
        let job = Write::put(Table::Jobs, Key::new("default", "a"), r#"{"metadata":{"name":"a"}}"#.into());
        commit_line(revision, &[job])
    }

    fn record(name: &str, object: &str) -> String {
        let mut line = String::new();
        snapshot_line("default", name, object, &mut line);
        line
    }

    fn places(damage: &[Damage]) -> Vec<(usize, usize, usize, &str)> {
        damage.iter().map(|one| (one.line, one.offset, one.length, one.detail.as_str())).collect()
    }

    #[test]
    fn every_damaged_record_of_a_table_is_found() {
        let sound = record("a", r#"{"metadata":{"name":"a"}}"#);
        let wrong = record("b", r#"{"metadata":7}"#);
        let mut bytes = Vec::new();
        for part in [sound.as_bytes(), b"\0\0\n", sound.as_bytes(), b"\xff{}\n", wrong.as_bytes(), b"{}"] {
            bytes.extend_from_slice(part);
        }
        let (records, damage) = examine_table(Table::Jobs, &bytes);
        let n = sound.len();
        assert_eq!(records, 2);
        assert_eq!(
            places(&damage),
            [
                (2, n, 3, "not a record"),
                (4, 2 * n + 3, 4, "not UTF-8"),
                (
                    5,
                    2 * n + 7,
                    wrong.len(),
                    "invalid type: integer `7`, expected ObjectMeta at line 1 column 13"
                ),
                (6, 2 * n + 7 + wrong.len(), 2, "the line has no end"),
            ]
        );
        assert_eq!(examine_table(Table::Jobs, b""), (0, vec![]));
    }

    #[test]
    fn a_listing_that_says_something_else_than_the_pods_is_damaged() {
        let pod = |phase: &str| {
            format!(
                r#"{{"metadata":{{"name":"a"}},"spec":{{"containers":[]}},"status":{{"phase":"{phase}"}}}}"#
            )
        };
        let pods = |text: &str| {
            let bytes = text.as_bytes().to_vec();
            let (records, damage) = examine_table(Table::Pods, &bytes);
            Examined { path: PathBuf::new(), records, damage, bytes }
        };
        let whole = pods(&record("a", &pod("Failed")));
        let listed = |phase: &str| record("a", &listed_pod(&pod(phase)).expect("a pod"));
        assert_eq!(examine_listing(listed("Failed").as_bytes(), Some(&whole)), (1, vec![]));
        let (records, damage) = examine_listing((listed("Running") + "\0\n").as_bytes(), Some(&whole));
        let n = listed("Running").len();
        assert_eq!(records, 0);
        assert_eq!(places(&damage), [(1, 0, n, "not what the pod says"), (2, n, 2, "not a record")]);
        assert_eq!(
            places(&examine_listing(b"", Some(&whole)).1),
            [(1, 0, 0, "1 more pods should be listed")],
            "one that was emptied"
        );
        // Of a pod that is damaged itself there is nothing to compare with.
        assert_eq!(examine_listing(listed("Failed").as_bytes(), Some(&pods("\0\n"))), (1, vec![]));
    }

    #[test]
    fn what_is_left_of_a_file_are_its_sound_lines() {
        let sound = record("a", "{}");
        let bytes = [sound.as_bytes(), b"\0\n", sound.as_bytes(), b"torn"].concat();
        let (records, damage) = examine_table(Table::Jobs, &bytes);
        let file = Examined { path: PathBuf::new(), records, damage, bytes };
        assert_eq!(file.sound(), [sound.as_bytes(), sound.as_bytes()].concat());
        assert_eq!(file.text_of(&file.damage[0]), b"\0\n");
        assert_eq!(file.text_of(&file.damage[1]), b"torn");
    }

    #[test]
    fn a_journal_without_damage() {
        let text = commit(4) + &commit(5);
        let expected = Commits { records: 2, damage: vec![], gaps: vec![], torn: 0, last: 5 };
        assert_eq!(examine_journal(3, text.as_bytes()), expected);
        let torn = text + &commit(6)[..9];
        assert_eq!(examine_journal(3, torn.as_bytes()), Commits { torn: 9, ..expected });
        let nothing = Commits { records: 0, damage: vec![], gaps: vec![], torn: 0, last: 3 };
        assert_eq!(examine_journal(3, b""), nothing);
    }

    #[test]
    fn damaged_commits_and_the_revisions_they_leave_out() {
        let bad = "\0\0\n".to_owned();
        let gap = |first, last, lines| Gap { first, last, lines };
        for (what, text, damaged, gaps, last) in [
            ("in the middle", commit(1) + &bad + &commit(3), vec![2], vec![gap(2, 2, 1)], 3),
            ("at the start", bad.clone() + &commit(2), vec![1], vec![gap(1, 1, 1)], 2),
            ("at the end", commit(1) + &bad, vec![2], vec![gap(2, 2, 1)], 2),
            (
                "two apart",
                commit(1) + &bad + &commit(3) + &bad,
                vec![2, 4],
                vec![gap(2, 2, 1), gap(4, 4, 1)],
                4,
            ),
            ("a line too much", commit(1) + &bad + &commit(2), vec![2], vec![], 2),
            ("a line lost", commit(1) + &commit(4), vec![], vec![gap(2, 3, 0)], 4),
            (
                "two in one",
                commit(1) + commit(2).trim_end() + &commit(3) + &commit(4),
                vec![2],
                vec![gap(2, 3, 1)],
                4,
            ),
            ("a line twice", commit(1) + &commit(1) + &commit(2), vec![2], vec![], 2),
            ("the last twice", commit(1) + &commit(1), vec![2], vec![], 1),
            (
                "one revision wrong",
                commit(1) + &commit(90) + &commit(3) + &commit(4),
                vec![2],
                vec![gap(2, 2, 1)],
                4,
            ),
            ("before the snapshot", commit(0) + &commit(1), vec![1], vec![], 1),
        ] {
            let found = examine_journal(0, text.as_bytes());
            assert_eq!(found.damage.iter().map(|one| one.line).collect::<Vec<_>>(), damaged, "{what}");
            assert_eq!((found.gaps, found.last), (gaps, last), "{what}");
        }
    }

    #[test]
    fn a_commit_is_read_to_its_last_object() {
        let whole = commit(7);
        let line = whole.trim_end();
        assert_eq!(check_commit(line.as_bytes()), Ok(7));
        for (what, bad, detail) in [
            ("bytes lost", line.replacen("\"name\":\"a\"}", "\"name\":\"\"}", 1), "the commit says that"),
            ("an object", line.replacen("{\"name\":\"a\"}", "[\"name\",\"a\"]", 1), "jobs default/a: "),
            (
                "not JSON",
                line.replacen("{\"name\":\"a\"}", "{\"name\";\"a\"}", 1),
                "jobs default/a: expected `:`",
            ),
        ] {
            let found = check_commit(bad.as_bytes()).expect_err(what);
            assert!(found.starts_with(detail), "{what}: {found}");
        }
        // Commits of other writers may come without a length.
        assert_eq!(check_commit(br#"{"revision":2,"writes":[]}"#), Ok(2));
    }
}
