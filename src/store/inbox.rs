//! Reports of supervisors: one file each, renamed in when whole, removed when committed.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::PodStatus;
use serde::{Deserialize, Serialize};

use super::crash_point;
use super::record::{sealed_line, unsealed_line};

/// The name of the one field of a report's file beside its checksum.
const FIELD: &str = "report";
/// A report is some kilobytes; its pod's description, which is longer, has at most 1.5 MiB.
const LARGEST_REPORT: u64 = 4 << 20;

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

    /// Leaves a report. A new name is cheap; an existing one is never renamed over.
    ///
    /// # Errors
    /// A full disk above all: the caller tries again, for the report is the only record of the exit.
    pub fn leave(&self, report: &PodReport) -> Result<()> {
        let name = format!("{}.{}", report.uid, report.sequence);
        let temporary = self.directory.join(format!(".{name}.tmp"));
        let text = sealed_line(FIELD, &serde_json::to_string(report).context("encode report")?);
        let written = (|| -> std::io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            crash_point("report-written");
            #[expect(clippy::disallowed_methods, reason = "a report appears whole, under a new name")]
            fs::rename(&temporary, self.directory.join(&name))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written.with_context(|| format!("leave report {name} in {}", self.directory.display()))
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
    pub fn last_report_put_away(&self, pod: &Path) -> Option<PodReport> {
        let newest = newest_put_away(pod)?;
        match read_report(&pod.join(format!("report.{newest}"))) {
            Found::Report(report) if report.last => Some(*report),
            _ => None,
        }
    }

    /// Brings the newest report that was put away for a pod back, so that a pass takes it in once more: the commit that
    /// held it is lost. False where there is none, or where it waits already.
    ///
    /// # Errors
    /// The report cannot be moved.
    pub(super) fn bring_back(&self, uid: &str, pod: &Path) -> Result<bool> {
        let Some(newest) = newest_put_away(pod) else { return Ok(false) };
        let waiting = self.directory.join(format!("{uid}.{newest}"));
        if waiting.exists() {
            return Ok(false);
        }
        let kept = pod.join(format!("report.{newest}"));
        // Moved and not linked: renaming one name of a file over another does nothing, and it would never leave again.
        #[expect(clippy::disallowed_methods, reason = "a report moves back, to a name that nobody has")]
        fs::rename(&kept, &waiting).with_context(|| format!("move {} back", kept.display()))?;
        Ok(true)
    }

    /// Puts a report that has been committed away, into its pod's directory (`report.<sequence>`); it goes with that.
    /// Moving is cheaper than removing: ext4 searches past every recently freed inode when it makes a new file, which
    /// at a thousand pods a second was a tenth of all the time.
    pub fn put_away(&self, path: &Path, pods: &Path) {
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

/// Reads a report. Whatever else may have been put there is not followed, waited for or read to its end.
fn read_report(path: &Path) -> Found {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Found::Nothing,
        Err(_) => return Found::NoReport,
    };
    let is_one = file.metadata().is_ok_and(|found| found.is_file() && found.len() <= LARGEST_REPORT);
    let mut bytes = Vec::new();
    if !is_one || file.take(LARGEST_REPORT).read_to_end(&mut bytes).is_err() {
        return Found::NoReport;
    }
    let report = unsealed_line(FIELD, &bytes).and_then(|text| serde_json::from_str(text).ok());
    report.map_or(Found::NoReport, |report| Found::Report(Box::new(report)))
}

/// The number of the newest report that was put away for a pod.
fn newest_put_away(pod: &Path) -> Option<u64> {
    let sequence = |entry: fs::DirEntry| -> Option<u64> {
        entry.file_name().to_str()?.strip_prefix("report.")?.parse().ok()
    };
    fs::read_dir(pod).ok()?.flatten().filter_map(sequence).max()
}
