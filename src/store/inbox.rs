//! Reports of supervisors: one file each, renamed in when whole, removed when committed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::PodStatus;
use serde::{Deserialize, Serialize};

use super::crash_point;

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
pub struct Letters {
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
        let bytes = serde_json::to_vec(report).context("encode report")?;
        let written = (|| -> std::io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
            file.write_all(&bytes)?;
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
            let report = match fs::read(&path) {
                Ok(bytes) => serde_json::from_slice::<PodReport>(&bytes).ok(),
                // Another pass has taken it.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => None,
                Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
            };
            match report {
                Some(report) => reports.push((path, report)),
                // Only a power cut can leave an unreadable one (its name outlived its bytes), or somebody else's hand:
                // set aside, never lost, and nothing that would have a controller look again for ever.
                None => {
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
    pub fn look(&self) -> Result<Letters> {
        let mut letters = Letters::default();
        for path in self.paths()? {
            match fs::read(&path).map(|bytes| serde_json::from_slice::<PodReport>(&bytes)) {
                Ok(Ok(report)) => letters.reports.push(report),
                // Taken by a pass.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                _ => letters.unreadable.push(path),
            }
        }
        Ok(letters)
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

    /// Brings the newest report that was put away for a pod back, so that a pass takes it in once more: the commit that
    /// held it is lost. False where there is none, or where it waits already.
    ///
    /// # Errors
    /// The report cannot be moved.
    pub(super) fn bring_back(&self, uid: &str, pod: &Path) -> Result<bool> {
        let Ok(entries) = fs::read_dir(pod) else { return Ok(false) };
        let sequence = |entry: fs::DirEntry| -> Option<u64> {
            entry.file_name().to_str()?.strip_prefix("report.")?.parse().ok()
        };
        let Some(newest) = entries.flatten().filter_map(sequence).max() else { return Ok(false) };
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
