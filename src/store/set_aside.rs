//! Setting damaged lines aside, on request, so that everything else can be used again.
//!
//! Nothing is edited in place: the damaged lines are copied into files of their own, durably, and then all that reads back
//! becomes a new snapshot. Until that is switched to, in one step, the damaged store stands as it was; whoever dies on the
//! way leaves copies too many, never one too few. The files lie in the data directory itself, for a snapshot's directory
//! goes with the next compaction.
//!
//! The new snapshot has a revision that no commit had, so whoever has followed the old journal, a running controller above
//! all, cannot take it for the continuation of what it has read: it ends, and comes back with what is there now.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use super::PodDirectory;
use super::check_records::{FileCheck, RecordsCheck};
use super::record::{Named, TABLES, checked_records, named_in};
use super::snapshot::{SnapshotWriter, remove_old_snapshots};
use super::{Damage, Gap, Inbox, State, Store, Table, crash_point};
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, uid};
use crate::api::{Job, Pod};

/// What was set aside and what is left.
#[derive(Debug)]
pub struct SetAside {
    /// The lines, in the order of the files.
    pub lines: Vec<AsideLine>,
    /// The commits that are missing.
    pub gaps: Vec<Gap>,
    /// How many objects stand.
    pub objects: usize,
    /// The revision of the new snapshot.
    pub revision: u64,
    /// How many pods have their last known state from the reports of their supervisors, which are kept beside the logs.
    pub reports: usize,
    /// Where the logs of pods lie whose objects are gone, with the pods' uids.
    pub logs: Option<(PathBuf, Vec<String>)>,
}

/// A line that was set aside.
#[derive(Debug)]
pub struct AsideLine {
    /// The file in which it stood.
    pub file: PathBuf,
    /// Where it stood, and what is wrong with it.
    pub damage: Damage,
    /// The file in which it stands now.
    pub into: PathBuf,
    /// The objects that it names.
    pub objects: Vec<Affected>,
}

/// An object that a damaged line names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Where it is stored.
    pub table: Table,
    /// Its namespace and name.
    pub key: Key,
    /// What became of it.
    pub fate: Fate,
}

/// What the loss of a line means to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: a later commit says what it is, or that it is gone.
    Unharmed,
    /// It is as it was before the lost commit.
    SetBack,
    /// It is not there any more.
    Lost,
    /// The lost commit had deleted it, and it is there again.
    Back,
}

impl Store {
    /// Sets every damaged line of the store aside and puts what reads back in force; `None` without damage.
    /// Waits for the lock; whoever follows the journal has to start again.
    ///
    /// # Errors
    /// Files that cannot be read or written; the store stands as it was.
    pub fn set_aside(&self, now: DateTime<Utc>) -> Result<Option<SetAside>> {
        let lock = self.lock_commits()?;
        let examination = self.examine()?;
        if examination.is_sound() {
            return Ok(None);
        }
        let state = examination.state()?;
        let stamp = now.format("%Y%m%dT%H%M%SZ").to_string();
        let later = later_writes(&examination);
        let mut lines = Vec::new();
        for (table, file) in examination.tables.iter().map(|(table, file)| (Some(*table), file)) {
            self.copy_aside(
                file,
                &stamp,
                |damage| affected(table, file, damage, &later, &state),
                &mut lines,
            )?;
        }
        for made_again in examination.listing.iter().chain([&examination.sizes]) {
            self.copy_aside(made_again, &stamp, |_| Vec::new(), &mut lines)?;
        }
        let journal = &examination.journal;
        self.copy_aside(
            journal,
            &stamp,
            |damage| affected(None, journal, damage, &later, &state),
            &mut lines,
        )?;
        let logs = self.keep_logs(&state, &stamp)?;
        let reports = self.bring_reports_back(&state)?;
        File::open(self.root()).and_then(|root| root.sync_all()).context("sync the data directory")?;
        crash_point("set-aside");
        let revision = examination.last_revision + 1;
        let mut writer = SnapshotWriter::begin(self, revision)?;
        if let Err(error) = copy(&state, &mut writer) {
            writer.give_up();
            return Err(error).context("write a new snapshot");
        }
        let directory = writer.put_in_force(self, &lock, revision).context("write a new snapshot")?;
        remove_old_snapshots(&directory);
        self.notify();
        let objects = TABLES.iter().map(|table| state.objects(*table).count()).sum();
        Ok(Some(SetAside { lines, gaps: examination.gaps, objects, revision, reports, logs }))
    }

    /// Copies the damaged lines of a file, byte for byte, into one of its own.
    fn copy_aside(
        &self,
        file: &FileCheck,
        stamp: &str,
        affected: impl Fn(&Damage) -> Vec<Affected>,
        lines: &mut Vec<AsideLine>,
    ) -> Result<()> {
        if file.damage.is_empty() {
            return Ok(());
        }
        let name = file.path.file_name().unwrap_or_default().to_string_lossy();
        let into = self.root().join(format!("{name}.corrupt-{stamp}"));
        let written = (|| -> std::io::Result<()> {
            let mut copy = OpenOptions::new().create(true).append(true).mode(0o600).open(&into)?;
            for damage in &file.damage {
                copy.write_all(file.text_of(damage))?;
            }
            copy.sync_all()
        })();
        written.with_context(|| format!("write {}", into.display()))?;
        lines.extend(file.damage.iter().map(|damage| AsideLine {
            file: file.path.clone(),
            damage: damage.clone(),
            into: into.clone(),
            objects: affected(damage),
        }));
        Ok(())
    }

    /// A pod whose end was in a lost commit looks as if its supervisor had died without a word, and its work would be done
    /// again. Its reports tell better; a pass that has heard them before learns nothing new.
    fn bring_reports_back(&self, state: &State) -> Result<usize> {
        let inbox = Inbox::new(self.inbox_path());
        let mut brought = 0;
        for (_, object) in state.objects(Table::PODS) {
            let pod: Pod = object.parse()?;
            let uid = uid(&pod.metadata);
            if !is_pod_finished(&pod) && inbox.bring_back(uid, &PodDirectory::new(self.pod_path(uid)))? {
                brought += 1;
            }
        }
        Ok(brought)
    }

    /// A controller that starts removes the directories of pods that are not stored. The logs of those whose object
    /// was in a damaged line get a second name first.
    fn keep_logs(&self, state: &State, stamp: &str) -> Result<Option<(PathBuf, Vec<String>)>> {
        let known = pods_with_logs(state)?;
        let into = self.root().join(format!("pods.corrupt-{stamp}"));
        let mut kept = Vec::new();
        for (uid, directory) in self.pod_directories()? {
            if known.contains(&uid) {
                continue;
            }
            let logs = logs_in(&directory);
            if logs.is_empty() {
                continue;
            }
            let place = into.join(&uid);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&place)
                .with_context(|| format!("create {}", place.display()))?;
            for log in logs {
                give_second_name(&log, &place)?;
            }
            File::open(&place)?.sync_all()?;
            kept.push(uid);
        }
        if kept.is_empty() {
            return Ok(None);
        }
        kept.sort_unstable();
        File::open(&into)?.sync_all()?;
        Ok(Some((into, kept)))
    }

    /// The directories of pods, by uid.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn pod_directories(&self) -> Result<Vec<(String, PathBuf)>> {
        let pods = self.pods_path();
        let entries = match fs::read_dir(&pods) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).with_context(|| format!("read {}", pods.display())),
        };
        let named =
            entries.flatten().filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())));
        Ok(named.collect())
    }
}

/// The uids of pods whose logs no controller will remove.
fn pods_with_logs(state: &State) -> Result<HashSet<String>> {
    let mut jobs = HashSet::new();
    for (_, job) in state.objects(Table::JOBS) {
        jobs.insert(uid(&job.parse::<Job>()?.metadata).to_owned());
    }
    let mut known = HashSet::new();
    for (_, pod) in state.objects(Table::PODS) {
        known.insert(uid(&pod.parse::<Pod>()?.metadata).to_owned());
    }
    for (_, pod) in state.objects(Table::RemovedPods) {
        let pod: Pod = pod.parse()?;
        if controller_of(&pod.metadata).is_some_and(|owner| jobs.contains(&owner.uid)) {
            known.insert(uid(&pod.metadata).to_owned());
        }
    }
    Ok(known)
}

fn logs_in(directory: &Path) -> Vec<PathBuf> {
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".log") || name.contains(".log.")
    };
    // Removed by a controller meanwhile, or a file that is none of ours.
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).filter(is_log).collect()
}

fn give_second_name(log: &Path, place: &Path) -> Result<()> {
    let name = place.join(log.file_name().unwrap_or_default());
    match fs::hard_link(log, &name) {
        // Rotated or removed by its owner just now.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // By an attempt in the same second that died.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        result => result.with_context(|| format!("link {} to {}", name.display(), log.display())),
    }
}

fn copy(state: &State, writer: &mut SnapshotWriter) -> Result<()> {
    for table in TABLES {
        for (key, object) in state.objects(table) {
            writer.push(table, object.revision, key, object.text, None)?;
        }
    }
    Ok(())
}

/// The byte of the journal at which each object was written last, by a commit that reads back.
fn later_writes(examination: &RecordsCheck) -> HashMap<(Table, Key), usize> {
    let mut last = HashMap::new();
    for (offset, part) in examination.journal.sound_parts() {
        for change in checked_records(part) {
            let at = change.name.as_ptr() as usize - part.as_ptr() as usize;
            last.insert((change.table, Key::new(change.namespace, change.name)), offset + at);
        }
    }
    last
}

/// What the loss of a damaged part means to the objects that it names. `table` is `None` for a part of the journal.
fn affected(
    table: Option<Table>,
    file: &FileCheck,
    damage: &Damage,
    later: &HashMap<(Table, Key), usize>,
    state: &State,
) -> Vec<Affected> {
    let lines = file.text_of(damage).split_inclusive(|byte| *byte == b'\n');
    let named: Vec<Named> = lines.filter_map(named_in).collect();
    let fate_of = |named: Named| {
        let written = later.get(&(named.table, named.key.clone())).copied();
        // Whatever stands in the journal came after the snapshot.
        let is_later = written.is_some_and(|offset| table.is_some() || offset > damage.offset);
        let fate = fate(named.is_put, is_later, state.get(named.table, &named.key).is_some());
        Affected { table: named.table, key: named.key, fate }
    };
    named.into_iter().map(fate_of).collect()
}

fn fate(is_put: bool, is_written_later: bool, is_there: bool) -> Fate {
    match (is_put, is_written_later, is_there) {
        (_, true, _) | (false, false, false) => Fate::Unharmed,
        (true, false, true) => Fate::SetBack,
        (true, false, false) => Fate::Lost,
        (false, false, true) => Fate::Back,
    }
}
