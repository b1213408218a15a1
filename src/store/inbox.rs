//! Reports of supervisors: a name each, linked in when the report is whole, removed when it is committed.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::PodStatus;
use serde::{Deserialize, Serialize};

use super::record::{sealed_line, unsealed_line};
use super::{PodDirectory, ProcessLock, crash_point};

/// The name of the one field of a report's file beside its checksum.
const FIELD: &str = "report";
/// A report is some kilobytes; its pod's description, which is longer, has at most 1.5 MiB.
const LARGEST_FILE: u64 = 4 << 20;
/// Beyond this a lock's file takes no more reports.
const MOST_IN_LOCK: u64 = 64 << 10;

/// What a supervisor has to say about its pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PodReport {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// The pod's uid.
    pub uid: String,
    /// Counts the reports of one pod, from 1.
    pub sequence: u64,
    /// Whether the pod has ended: there will be no further report.
    pub last: bool,
    /// The status as of this report: phase, start time, conditions and container statuses.
    pub status: PodStatus,
    /// What has happened to its containers that no status tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ReportedEvent>,
}

/// What a supervisor has to say of a container: an Event in the making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedEvent {
    /// The container.
    pub container: String,
    /// `Normal` or `Warning`.
    pub type_: String,
    /// `Unhealthy`, `Killing` …
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// What lies in the inbox.
#[derive(Clone, Debug, Default)]
pub struct InboxContents {
    /// Reports that wait for a pass.
    pub reports: Vec<PodReport>,
    /// Files that the next pass will set aside, for they are no reports.
    pub unreadable: Vec<PathBuf>,
}

/// The directory of reports.
#[derive(Clone, Debug)]
pub struct Inbox {
    directory: PathBuf,
}

impl Inbox {
    /// The inbox at that path.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Leaves a report: a line of the file whose lock its supervisor holds, and another name for that file. Of all that a
    /// pod takes of a file system new inodes cost most, and this needs none.
    ///
    /// # Errors
    /// A full disk above all: the caller tries again, for the report is the only record of the exit.
    pub fn leave(&self, report: &PodReport, pod: &PodDirectory, lock: &ProcessLock) -> Result<()> {
        let name = format!("{}.{}", report.uid, report.sequence);
        let text = sealed_line(FIELD, &serde_json::to_string(report).context("encode report")?);
        let left = (|| -> std::io::Result<()> {
            // A pod that restarts again and again: reading them all for the newest would take longer and longer.
            if lock.length()? > MOST_IN_LOCK {
                return self.leave_in_a_file(&name, &text);
            }
            lock.append(text.as_bytes())?;
            crash_point("report-written");
            match fs::hard_link(pod.lock_path(), self.directory.join(&name)) {
                Ok(()) => Ok(()),
                // The attempt before this one has got so far.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT)) => Err(error),
                // A file system without links; or the pod's directory has been removed, with its lock.
                Err(_) => self.leave_in_a_file(&name, &text),
            }
        })();
        left.with_context(|| format!("leave report {name} in {}", self.directory.display()))
    }

    /// Leaves a report in a file of its own. An existing name is never renamed over.
    fn leave_in_a_file(&self, name: &str, text: &str) -> std::io::Result<()> {
        let temporary = self.directory.join(format!(".{name}.tmp"));
        let written = (|| -> std::io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            #[expect(clippy::disallowed_methods, reason = "a report appears whole, under a new name")]
            fs::rename(&temporary, self.directory.join(name))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// All reports that lie there, each pod's in order. They stay until [`Inbox::put_away`].
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn reports(&self) -> Result<Vec<(PathBuf, PodReport)>> {
        let mut reports = Vec::new();
        for path in self.paths()? {
            match read_report(&path) {
                Found::Report(report) => reports.push((path, *report)),
                // Another pass has taken it.
                Found::Nothing => {}
                // Only a power cut can leave an unreadable one (its name outlived its bytes), or somebody else's hand:
                // set aside, never lost, and nothing that would have a controller look again for ever.
                Found::NoReport => {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    #[expect(clippy::disallowed_methods, reason = "setting a damaged report aside")]
                    let _ = fs::rename(&path, self.directory.join(format!(".{name}.corrupt")));
                }
            }
        }
        reports.sort_by_key(|(_, report)| report.sequence);
        Ok(reports)
    }

    /// What lies there; nothing is moved.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn look(&self) -> Result<InboxContents> {
        let mut contents = InboxContents::default();
        for path in self.paths()? {
            match read_report(&path) {
                Found::Report(report) => contents.reports.push(*report),
                // Taken by a pass.
                Found::Nothing => {}
                Found::NoReport => contents.unreadable.push(path),
            }
        }
        Ok(contents)
    }

    /// Whether there is an inbox at all: the data directory may have been removed under our hands.
    pub fn is_there(&self) -> bool {
        self.directory.is_dir()
    }

    /// Whether no report lies there.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.paths()?.is_empty())
    }

    fn paths(&self) -> Result<Vec<PathBuf>> {
        let entries =
            fs::read_dir(&self.directory).with_context(|| format!("read {}", self.directory.display()))?;
        let mut paths = Vec::new();
        for entry in entries {
            let entry = entry.with_context(|| format!("read {}", self.directory.display()))?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        Ok(paths)
    }

    /// The last word of a pod's supervisor, where it was taken in and put away: the commit that held it may be lost.
    pub fn last_report_put_away(&self, pod: &PodDirectory) -> Option<PodReport> {
        let in_lock = reports_in(&pod.lock_path()).and_then(|reports| reports.into_iter().last());
        let in_file = newest_put_away(pod.path()).and_then(|newest| {
            match read_report(&pod.path().join(format!("report.{newest}"))) {
                Found::Report(report) => Some(*report),
                _ => None,
            }
        });
        let newest = in_lock.into_iter().chain(in_file).max_by_key(|report| report.sequence);
        newest.filter(|report| report.last)
    }

    /// Brings the newest report that was put away for a pod back, so that a pass takes it in once more: the commit that
    /// held it is lost. False where there is none, or where it waits already.
    ///
    /// # Errors
    /// The report cannot be brought back.
    pub(super) fn bring_back(&self, uid: &str, pod: &PodDirectory) -> Result<bool> {
        let in_lock = reports_in(&pod.lock_path()).and_then(|reports| Some(reports.last()?.sequence));
        let in_file = newest_put_away(pod.path());
        let Some(newest) = in_lock.max(in_file) else { return Ok(false) };
        let waiting = self.directory.join(format!("{uid}.{newest}"));
        if waiting.exists() {
            return Ok(false);
        }
        if in_lock == Some(newest) {
            let linked = fs::hard_link(pod.lock_path(), &waiting);
            return linked.map(|()| true).with_context(|| format!("bring report {uid}.{newest} back"));
        }
        let kept = pod.path().join(format!("report.{newest}"));
        #[expect(clippy::disallowed_methods, reason = "a report moves back, to a name that nobody has")]
        fs::rename(&kept, &waiting).with_context(|| format!("move {} back", kept.display()))?;
        Ok(true)
    }

    /// Puts a report that has been committed away: it stays in the file of its pod's lock, and goes with that. One in a file
    /// of its own moves there (`report.<sequence>`).
    pub fn put_away(&self, path: &Path, pods: &Path) {
        if fs::symlink_metadata(path).is_ok_and(|found| found.nlink() > 1) {
            let _ = fs::remove_file(path);
            return;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let kept =
            name.rsplit_once('.').map(|(uid, sequence)| pods.join(uid).join(format!("report.{sequence}")));
        #[expect(
            clippy::disallowed_methods,
            reason = "a report moves out of the inbox, to a name of its own"
        )]
        let moved = kept.is_some_and(|kept| fs::rename(path, kept).is_ok());
        if !moved {
            let _ = fs::remove_file(path);
        }
    }
}

/// What lies under a name in the inbox.
enum Found {
    Report(Box<PodReport>),
    Nothing,
    NoReport,
}

/// Reads the report of a name: of the lines of its file the one with the number that the name ends with.
fn read_report(path: &Path) -> Found {
    let Some(reports) = reports_in(path) else {
        let is_there = path.symlink_metadata().is_ok();
        return if is_there { Found::NoReport } else { Found::Nothing };
    };
    let wanted = path.extension().and_then(|number| number.to_str()?.parse::<u64>().ok());
    let report = reports.into_iter().rev().find(|report| Some(report.sequence) == wanted);
    report.map_or(Found::NoReport, |report| Found::Report(Box::new(report)))
}

/// The whole reports in a file, in the order in which they were written. Whatever else may have been put there is not
/// followed, waited for or read to its end: `None` for what is no file of ours.
fn reports_in(path: &Path) -> Option<Vec<PodReport>> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let is_one = file.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST_FILE);
    let mut bytes = Vec::new();
    if !is_one || file.take(LARGEST_FILE).read_to_end(&mut bytes).is_err() {
        return None;
    }
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    let reports = lines.filter_map(|line| serde_json::from_str(unsealed_line(FIELD, line)?).ok());
    Some(reports.collect())
}

/// The number of the newest report that was put away for a pod.
fn newest_put_away(pod: &Path) -> Option<u64> {
    let sequence = |entry: fs::DirEntry| -> Option<u64> {
        entry.file_name().to_str()?.strip_prefix("report.")?.parse().ok()
    };
    fs::read_dir(pod).ok()?.flatten().filter_map(sequence).max()
}
