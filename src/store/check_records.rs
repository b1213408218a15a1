//! Looking at every record of the store, to the last one: what reads back, what does not, and where. Nothing is changed.
//!
//! Readers stop at the first damaged record they need. Here all are found, also those that a reader would notice only later
//! (an object that is not what its table holds).

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use super::record::{Fault, Head, TABLES, Table, checked_records, record_length};
use super::sizes::{SIZES, Sizes};
use super::state::{PODS_LISTING, read_snapshot_record, snapshot_file};
use super::tail::{check_commit, is_unwritten, revision_of_snapshot};
use super::{Change, State, Store, StoreError};
use crate::api::Pod;
use crate::api::events::EventRecord;
use crate::controller::JobFacts;
use crate::printers::rows::listed_pod;
use crate::registry::object::Object;
use crate::registry::tombstones::Tombstone;

/// A record of a snapshot, or a commit of the journal, that does not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line at which it starts, from 1.
    pub line: usize,
    /// The byte at which it starts.
    pub offset: usize,
    /// How many bytes it has.
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
pub struct FileCheck {
    /// The file.
    pub path: PathBuf,
    /// Lines that read back: objects of a table, commits of the journal.
    pub records: usize,
    /// Lines that do not, in order.
    pub damage: Vec<Damage>,
    pub(super) bytes: Vec<u8>,
    /// Where what is torn begins; the file's end where nothing is.
    end: usize,
}

/// Everything that is at rest under one snapshot.
#[derive(Debug)]
pub struct RecordsCheck {
    /// The directory of the snapshot in force.
    pub snapshot: PathBuf,
    /// Its tables, those without a file left out.
    pub tables: Vec<(Table, FileCheck)>,
    /// What lists show of its pods: made from them, and to be made again where it is damaged.
    pub listing: Option<FileCheck>,
    /// The list of the files' lengths.
    pub sizes: FileCheck,
    /// The commits since.
    pub journal: FileCheck,
    /// Bytes after the journal's last whole commit: harmless, the next writer cuts them off.
    pub torn: usize,
    /// Commits that are missing.
    pub gaps: Vec<Gap>,
    /// The revision of the snapshot.
    pub(super) first_revision: u64,
    /// The revision of the last commit, a damaged one included.
    pub(super) last_revision: u64,
}

impl FileCheck {
    /// The file's length in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of a damaged part.
    pub(super) fn text_of(&self, damage: &Damage) -> &[u8] {
        &self.bytes[damage.offset..damage.offset + damage.length]
    }

    /// The parts that read back, each with the byte at which it starts.
    pub(super) fn sound_parts(&self) -> impl Iterator<Item = (usize, &str)> {
        let starts = [0].into_iter().chain(self.damage.iter().map(|damage| damage.offset + damage.length));
        let ends = self.damage.iter().map(|damage| damage.offset).chain([self.end]);
        let part = |(start, end)| {
            let bytes = self.bytes.get(start..end).filter(|bytes| !bytes.is_empty())?;
            Some((start, std::str::from_utf8(bytes).ok()?))
        };
        starts.zip(ends).filter_map(part)
    }

    /// All that reads back.
    fn sound(&self) -> String {
        self.sound_parts().map(|(_, part)| part).collect()
    }
}

impl RecordsCheck {
    /// All files with records, the journal last.
    pub fn files(&self) -> impl Iterator<Item = &FileCheck> {
        self.snapshot_files().chain([&self.journal])
    }

    /// The files of the snapshot itself.
    pub fn snapshot_files(&self) -> impl Iterator<Item = &FileCheck> {
        self.tables.iter().map(|(_, table)| table).chain(&self.listing).chain([&self.sizes])
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
            state.take_snapshot(*table, file.path.clone(), file.sound().into_bytes())?;
        }
        state.take_commits(self.journal.path.clone(), self.journal.sound(), &TABLES);
        Ok(state)
    }
}

impl Store {
    /// Reads every record of the snapshot in force and of its journal. Needs no lock and takes none.
    ///
    /// # Errors
    /// No snapshot in force; files that cannot be read at all.
    pub fn examine(&self) -> Result<RecordsCheck> {
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

fn examine_snapshot(directory: &Path) -> Result<RecordsCheck> {
    let first_revision = revision_of_snapshot(directory)?;
    // A list that is damaged itself says nothing of the files.
    let sizes = Sizes::read(directory);
    let mut tables = Vec::new();
    for table in TABLES {
        if let Some((path, bytes)) = read_if_written(snapshot_file(directory, table), sizes.as_ref().ok())? {
            let (records, mut damage) = examine_table(table, &bytes);
            if damage.is_empty() {
                damage.extend(sizes.as_ref().ok().and_then(|sizes| cut_off(sizes, &path, &bytes)));
            }
            let end = bytes.len();
            tables.push((table, FileCheck { path, records, damage, bytes, end }));
        }
    }
    let listing = read_if_written(directory.join(PODS_LISTING), sizes.as_ref().ok())?.map(|(path, bytes)| {
        let pods = tables.iter().find(|(table, _)| *table == Table::PODS).map(|(_, pods)| pods);
        let (records, damage) = examine_listing(&bytes, pods);
        let end = bytes.len();
        FileCheck { path, records, damage, bytes, end }
    });
    let path = directory.join(SIZES);
    let bytes = fs::read(&path).unwrap_or_default();
    let (records, damage) = match sizes {
        Ok(_) => (1, Vec::new()),
        Err(error) => {
            (0, vec![Damage { line: 1, offset: 0, length: bytes.len(), detail: detail_of(&error) }])
        }
    };
    let end = bytes.len();
    let sizes = FileCheck { path, records, damage, bytes, end };
    let path = directory.join("journal.jsonl");
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let commits = examine_journal(first_revision, &bytes);
    let end = bytes.len() - commits.torn;
    Ok(RecordsCheck {
        snapshot: directory.to_owned(),
        tables,
        listing,
        sizes,
        torn: commits.torn,
        gaps: commits.gaps,
        first_revision,
        last_revision: commits.last,
        journal: FileCheck { path, records: commits.records, damage: commits.damage, bytes, end },
    })
}

fn detail_of(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(StoreError::Damaged { detail, .. }) => detail.clone(),
        _ => format!("{error:#}"),
    }
}

/// A file of a snapshot; what was empty at that revision has none. One that has gone since is taken as empty.
fn read_if_written(path: PathBuf, sizes: Option<&Sizes>) -> Result<Option<(PathBuf, Vec<u8>)>> {
    match fs::read(&path) {
        Ok(bytes) => Ok(Some((path, bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(sizes.and_then(|sizes| sizes.problem(&path, 0)).map(|_| (path, Vec::new())))
        }
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// The damage from one byte of a file to another.
fn damage_between(bytes: &[u8], from: usize, to: usize, detail: String) -> Damage {
    let line = memchr::memchr_iter(b'\n', &bytes[..from]).count() + 1;
    Damage { line, offset: from, length: to - from, detail }
}

/// Where the line that starts at `from` ends, its newline included.
fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |newline| from + newline + 1)
}

/// Goes through the records of a snapshot's file. `check` says what is wrong with one.
fn examine_records(
    table: Table,
    bytes: &[u8],
    mut check: impl FnMut(&Change<'_>) -> Result<(), String>,
) -> (usize, Vec<Damage>) {
    let (mut records, mut damage, mut at) = (0, Vec::new(), 0);
    while at < bytes.len() {
        let found = read_snapshot_record(table, &bytes[at..]);
        let checked = match &found {
            Ok((change, length)) => check(change).map_err(|detail| (at + length, detail)),
            Err(fault) => Err((end_of_damaged_record(table, bytes, at), fault.to_string())),
        };
        at = match checked {
            Ok(()) => {
                records += 1;
                at + found.map_or(0, |(_, length)| length)
            }
            Err((end, detail)) => {
                damage.push(damage_between(bytes, at, end, detail));
                end
            }
        };
    }
    (records, damage)
}

/// A record that does not read back ends where it says, if a sound one follows there: its newline may be what is damaged.
fn end_of_damaged_record(table: Table, bytes: &[u8], at: usize) -> usize {
    let said = record_length(&bytes[at..]).ok().and_then(|length| at.checked_add(length));
    let is_followed =
        |end: &usize| bytes.get(*end..).is_some_and(|rest| read_snapshot_record(table, rest).is_ok());
    said.filter(is_followed).unwrap_or_else(|| line_end(bytes, at))
}

/// The records of a table's file: how many read back, and which do not.
fn examine_table(table: Table, bytes: &[u8]) -> (usize, Vec<Damage>) {
    examine_records(table, bytes, |change| check_object(table, change.object.unwrap_or_default()))
}

/// What a file lost at its end, of which no line tells.
fn cut_off(sizes: &Sizes, path: &Path, bytes: &[u8]) -> Option<Damage> {
    let detail = sizes.problem(path, bytes.len() as u64)?;
    Some(damage_between(bytes, bytes.len(), bytes.len(), detail))
}

/// The lines of a listing: how many say what the pods that read back say, and which do not.
fn examine_listing(bytes: &[u8], pods: Option<&FileCheck>) -> (usize, Vec<Damage>) {
    let mut expected: HashMap<(String, String), String> = HashMap::new();
    for (_, part) in pods.into_iter().flat_map(FileCheck::sound_parts) {
        for pod in checked_records(part) {
            if let Ok(listed) = listed_pod(pod.object.unwrap_or_default()) {
                expected.insert((pod.namespace.to_owned(), pod.name.to_owned()), listed);
            }
        }
    }
    let (records, mut damage) = examine_records(Table::PODS, bytes, |listed| {
        match expected.remove(&(listed.namespace.to_owned(), listed.name.to_owned())) {
            // The pod itself does not read back: that is said where it stands.
            None => Ok(()),
            Some(expected) if Some(expected.as_str()) == listed.object => Ok(()),
            Some(_) => Err("not what the pod says".into()),
        }
    });
    if !expected.is_empty() {
        let detail = format!("{} more pods should be listed", expected.len());
        damage.push(damage_between(bytes, bytes.len(), bytes.len(), detail));
    }
    (records, damage)
}

/// Whether an object's text reads as what its table holds.
fn check_object(table: Table, text: &str) -> Result<(), String> {
    fn reads_as<T: DeserializeOwned>(text: &str) -> Result<(), String> {
        serde_json::from_str::<T>(text).map(|_| ()).map_err(|error| error.to_string())
    }
    match table {
        Table::Kind(kind) => match Object::read(kind, text) {
            Some(read) => read.map(|_| ()).map_err(|error| error.to_string()),
            // What requests do not change is kept in a form of its own.
            None => reads_as::<EventRecord>(text),
        },
        Table::JobFacts => reads_as::<JobFacts>(text),
        Table::Tombstones => reads_as::<Tombstone>(text),
        Table::RemovedPods => reads_as::<Pod>(text),
        Table::Environments => reads_as::<BTreeMap<String, String>>(text),
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

/// A part of a journal: a commit, or what cannot be read as one.
struct Part {
    from: usize,
    to: usize,
    /// The first and the last revision, as far as its head can be read.
    revisions: Option<(u64, u64)>,
    fault: Option<String>,
}

fn examine_journal(first: u64, bytes: &[u8]) -> Commits {
    let (parts, torn) = parts_of(bytes);
    let revisions: Vec<Option<(u64, u64)>> =
        parts.iter().map(|part| part.revisions.filter(|_| part.fault.is_none())).collect();
    let kept = in_order(first, &revisions);
    let mut commits = Commits { records: 0, damage: Vec::new(), gaps: Vec::new(), torn, last: first };
    // Damaged parts since the last sound one that may have been commits, and the revisions that they had at the most.
    let (mut unread, mut highest) = (0, 0);
    for (part, kept) in parts.iter().zip(kept) {
        let last = commits.last;
        let detail = match (&part.fault, part.revisions) {
            (None, Some((from, to))) if kept => {
                if from > last + 1 {
                    commits.gaps.push(Gap { first: last + 1, last: from - 1, lines: unread });
                }
                commits.last = to;
                commits.records += 1;
                unread = 0;
                continue;
            }
            (None, revisions) => {
                let (from, to) = revisions.unwrap_or_default();
                unread += usize::from(from > last);
                highest = highest.max(to);
                format!("revision {from} follows {last}")
            }
            (Some(fault), revisions) => {
                unread += 1;
                let lines = memchr::memchr_iter(b'\n', &bytes[part.from..part.to]).count() as u64;
                highest = highest.max(revisions.map_or(last + lines.max(1), |(_, to)| to));
                fault.clone()
            }
        };
        commits.damage.push(damage_between(bytes, part.from, part.to, detail));
    }
    if unread > 0 {
        let last = highest.max(commits.last + 1);
        commits.gaps.push(Gap { first: commits.last + 1, last, lines: unread });
        commits.last = last;
    }
    commits
}

/// The commits of a journal, what stands between them, and how many bytes at the end are torn.
fn parts_of(bytes: &[u8]) -> (Vec<Part>, usize) {
    let mut parts = Vec::new();
    let mut from = 0;
    while from < bytes.len() {
        let rest = &bytes[from..];
        let head = Head::read(rest).ok();
        let revisions = head.map(|head| (head.first, head.last()));
        let (to, fault) = match check_commit(rest, None) {
            Ok(head) => {
                let to = from + head.length() as usize;
                (to, check_objects(&bytes[from..to]).err())
            }
            Err((at, fault)) => {
                let next = next_head(bytes, from);
                let is_torn = next.is_none() && (fault == Fault::Short || is_unwritten(&rest[at..]));
                if is_torn {
                    return (parts, rest.len());
                }
                let line = memchr::memchr_iter(b'\n', &bytes[..from + at]).count() + 1;
                let detail = if at == 0 { fault.to_string() } else { format!("line {line}: {fault}") };
                (next.unwrap_or(bytes.len()), Some(detail))
            }
        };
        parts.push(Part { from, to, revisions, fault });
        from = to;
    }
    (parts, 0)
}

/// Where after `from` the next head of a commit stands. It need not begin a line, for the newline before it may be what is
/// damaged; its checksum tells it from what looks like one.
fn next_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut starts = memchr::memmem::find_iter(&bytes[from + 1..], b"{\"crc\":\"").map(|at| from + 1 + at);
    starts.find(|at| Head::read(&bytes[*at..]).is_ok())
}

/// Whether the objects of a whole commit read as what their tables hold.
fn check_objects(commit: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(commit).map_err(|_| "not UTF-8")?;
    for change in checked_records(text) {
        if let Some(object) = change.object {
            check_object(change.table, object).map_err(|detail| {
                format!("{} {}/{}: {detail}", change.table.as_str(), change.namespace, change.name)
            })?;
        }
    }
    Ok(())
}

/// Which commits form the longest chain of rising revisions after `first`. One with a wrong revision must not make wrong ones
/// of all that follow.
fn in_order(first: u64, commits: &[Option<(u64, u64)>]) -> Vec<bool> {
    let start = |index: usize| commits[index].map(|(start, _)| start);
    // For each length of a chain the commit that ends it lowest; for each commit the one before it in its chain.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; commits.len()];
    for (index, commit) in commits.iter().enumerate() {
        let Some((from, _)) = commit.filter(|(from, _)| *from > first) else { continue };
        let length = ends.partition_point(|end| commits[*end].is_some_and(|(_, to)| to < from));
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        match ends.get_mut(length) {
            None => ends.push(index),
            // Of two with the same revision the first counts, as it does for readers.
            Some(end) if start(*end) == Some(from) => {}
            Some(end) if start(*end) > Some(from) => *end = index,
            Some(_) => {}
        }
    }
    let mut kept = vec![false; commits.len()];
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
    use super::super::record::{commit_text, push_snapshot_record};
    use super::*;
    use crate::api::kinds::Key;

    fn commit(revision: u64) -> String {
        let job = Write::put(Table::JOBS, Key::new("default", "a"), r#"{"metadata":{"name":"a"}}"#.into());
        commit_text(revision, &[job])
    }

    fn record(table: Table, name: &str, object: &str) -> String {
        let mut line = String::new();
        push_snapshot_record(&mut line, table, 7, &Key::new("default", name), object);
        line
    }

    fn places(damage: &[Damage]) -> Vec<(usize, usize, usize, &str)> {
        damage.iter().map(|one| (one.line, one.offset, one.length, one.detail.as_str())).collect()
    }

    #[test]
    fn every_damaged_record_of_a_table_is_found() {
        let sound = record(Table::JOBS, "a", r#"{"metadata":{"name":"a"}}"#);
        let wrong = record(Table::JOBS, "b", r#"{"metadata":7}"#);
        let without_newline = sound.replace('\n', " ");
        let mut bytes = Vec::new();
        for part in [
            sound.as_bytes(),
            b"\0\0\n",
            without_newline.as_bytes(),
            sound.as_bytes(),
            wrong.as_bytes(),
            b"{}",
        ] {
            bytes.extend_from_slice(part);
        }
        let (records, damage) = examine_table(Table::JOBS, &bytes);
        let (n, w) = (sound.len(), wrong.len());
        assert_eq!(records, 2, "also the one after the line whose newline is damaged");
        assert_eq!(
            places(&damage),
            [
                (2, n, 3, "not a record"),
                (3, n + 3, n, "the checksum does not match"),
                (4, 3 * n + 3, w, "invalid type: integer `7`, expected ObjectMeta at line 1 column 13"),
                (5, 3 * n + 3 + w, 2, "the line has no end"),
            ]
        );
        assert_eq!(examine_table(Table::JOBS, b""), (0, vec![]));
        assert_eq!(examine_table(Table::PODS, sound.as_bytes()).1[0].detail, "a record of another table");
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
            let (records, damage) = examine_table(Table::PODS, &bytes);
            let end = bytes.len();
            FileCheck { path: PathBuf::new(), records, damage, bytes, end }
        };
        let whole = pods(&record(Table::PODS, "a", &pod("Failed")));
        let listed = |phase: &str| record(Table::PODS, "a", &listed_pod(&pod(phase)).expect("a pod"));
        assert_eq!(examine_listing(listed("Failed").as_bytes(), Some(&whole)), (1, vec![]));
        let (records, damage) = examine_listing(listed("Running").as_bytes(), Some(&whole));
        assert_eq!(
            (records, places(&damage)),
            (0, vec![(1, 0, listed("Running").len(), "not what the pod says")])
        );
        assert_eq!(
            places(&examine_listing(b"", Some(&whole)).1),
            [(1, 0, 0, "1 more pods should be listed")],
            "one that was emptied"
        );
        // Of a pod that is damaged itself there is nothing to compare with.
        assert_eq!(examine_listing(listed("Failed").as_bytes(), Some(&pods("\0\n"))), (1, vec![]));
    }

    #[test]
    fn what_is_left_of_a_file_are_its_sound_parts() {
        let sound = record(Table::JOBS, "a", "{}");
        let bytes = [sound.as_bytes(), b"\0\n", sound.as_bytes(), b"torn"].concat();
        let (records, damage) = examine_table(Table::JOBS, &bytes);
        let end = bytes.len();
        let file = FileCheck { path: PathBuf::new(), records, damage, bytes, end };
        assert_eq!(file.sound(), sound.repeat(2));
        assert_eq!(file.text_of(&file.damage[0]), b"\0\n");
        assert_eq!(file.text_of(&file.damage[1]), b"torn");
    }

    #[test]
    fn a_journal_without_damage() {
        let text = commit(4) + &commit(5);
        let expected = Commits { records: 2, damage: vec![], gaps: vec![], torn: 0, last: 5 };
        assert_eq!(examine_journal(3, text.as_bytes()), expected);
        for torn in [9, 100, commit(6).len() - 1] {
            let text = text.clone() + &commit(6)[..torn];
            assert_eq!(examine_journal(3, text.as_bytes()), Commits { torn, ..commits(2, 5) });
        }
        let unwritten = [text.as_bytes(), &commit(6).as_bytes()[..70], &[0; 300]].concat();
        assert_eq!(examine_journal(3, &unwritten), Commits { torn: 370, ..commits(2, 5) });
        assert_eq!(examine_journal(3, b""), commits(0, 3));
    }

    fn commits(records: usize, last: u64) -> Commits {
        Commits { records, damage: vec![], gaps: vec![], torn: 0, last }
    }

    #[test]
    fn damaged_commits_and_the_revisions_they_leave_out() {
        let bad = "\0\0\n".to_owned();
        let flipped = |revision, at: usize| {
            let mut bytes = commit(revision).into_bytes();
            bytes[at] ^= 1;
            String::from_utf8(bytes).expect("text")
        };
        let end = commit(2).len() - 1;
        let gap = |first, last, lines| Gap { first, last, lines };
        for (what, text, damaged, gaps, last) in [
            ("in the middle", commit(1) + &bad + &commit(3), vec![4], vec![gap(2, 2, 1)], 3),
            ("at the start", bad.clone() + &commit(2), vec![1], vec![gap(1, 1, 1)], 2),
            ("at the end", commit(1) + &bad, vec![4], vec![gap(2, 2, 1)], 2),
            (
                "two apart",
                commit(1) + &bad + &commit(3) + &bad,
                vec![4, 8],
                vec![gap(2, 2, 1), gap(4, 4, 1)],
                4,
            ),
            ("one too much", commit(1) + &bad + &commit(2), vec![4], vec![], 2),
            ("a commit lost", commit(1) + &commit(4), vec![], vec![gap(2, 3, 0)], 4),
            (
                "a bit of an object",
                commit(1) + &flipped(2, end - 70) + &commit(3),
                vec![4],
                vec![gap(2, 2, 1)],
                3,
            ),
            ("a bit of a head", commit(1) + &flipped(2, 40) + &commit(3), vec![4], vec![gap(2, 2, 1)], 3),
            (
                "a bit of the last newline",
                commit(1) + &flipped(2, end) + &commit(3),
                vec![4],
                vec![gap(2, 2, 1)],
                3,
            ),
            ("the last newline of all", commit(1) + &flipped(2, end), vec![4], vec![gap(2, 2, 1)], 2),
            ("a part lost", commit(1) + &commit(2)[..150] + &commit(3), vec![4], vec![gap(2, 2, 1)], 3),
            ("a commit twice", commit(1) + &commit(1) + &commit(2), vec![4], vec![], 2),
            ("the last twice", commit(1) + &commit(1), vec![4], vec![], 1),
            (
                "one revision wrong",
                commit(1) + &commit(90) + &commit(3) + &commit(4),
                vec![4],
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
        let bad =
            commit_text(1, &[Write::put(Table::JOBS, Key::new("default", "a"), r#"{"metadata":7}"#.into())]);
        let found = examine_journal(0, bad.as_bytes());
        assert!(found.damage[0].detail.starts_with("jobs default/a: "), "{found:?}");
    }
}
