//! One pod's directory: its supervisor's lock and its logs.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ProcessLock;
use super::spares::move_in;
use super::volumes::remove_tree;

/// `pods/<uid>/`, written by that pod's supervisor alone.
#[derive(Clone, Debug)]
pub struct PodDirectory {
    path: PathBuf,
}

impl PodDirectory {
    /// The directory at that path; nothing is made.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Makes the directory and takes the supervisor's lock. `None`: a supervisor has been here before, and no pod
    /// is ever started twice. `spare` is a directory that may be taken in place of a new one.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn claim(&self, spare: Option<&Path>) -> Result<Option<ProcessLock>> {
        if let Some((named, file)) = spare.and_then(|spare| move_in(spare, &self.path))
            && let Some(lock) = ProcessLock::try_acquire_as(file, &named, &self.lock_path())?
        {
            return Ok(Some(lock));
        }
        let create = |path: &Path| DirBuilder::new().mode(0o700).create(path);
        let made = create(&self.path).or_else(|error| match self.path.parent() {
            // The directory of all pods was being made anew; one that was removed with everything else is not.
            Some(pods) if error.kind() == ErrorKind::NotFound => {
                create(pods).and_then(|()| create(&self.path))
            }
            _ => Err(error),
        });
        match made {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("create {}", self.path.display()));
            }
            _ => {}
        }
        ProcessLock::try_acquire_new(&self.lock_path())
    }

    /// The supervisor's lock.
    pub fn lock_path(&self) -> PathBuf {
        self.path.join("supervisor.lock")
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the supervisor has written down beside its lock.
    pub fn lock_text(&self) -> String {
        fs::read_to_string(self.lock_path()).unwrap_or_default()
    }

    /// Whether a supervisor has ever claimed the directory.
    pub fn is_claimed(&self) -> bool {
        self.lock_path().exists()
    }

    /// Where a part of a container's log lies. Container names have no dots, and one directory for all is a third of the
    /// inodes of one for each: making them was a good part of what a short pod costs.
    ///
    /// A part keeps its name for life: whoever has read it to its end knows the name of the next.
    pub fn log_path(&self, container: &str, part: LogPart) -> PathBuf {
        let LogPart { restart, start } = part;
        self.path.join(match start {
            0 => format!("{container}.{restart}.log"),
            _ => format!("{container}.{restart}.{start}.log"),
        })
    }

    /// The file in which a container leaves a last message.
    pub fn message_path(&self, container: &str) -> PathBuf {
        self.path.join(format!("{container}.message"))
    }

    /// The file that its containers see as `/etc/hosts`.
    pub fn hosts_path(&self) -> PathBuf {
        self.path.join("hosts")
    }

    /// Where a volume of the pod's own lies.
    pub fn volume_path(&self, volume: &str) -> PathBuf {
        self.volumes_path().join(volume)
    }

    /// Where the pod's own volumes lie.
    pub fn volumes_path(&self) -> PathBuf {
        self.path.join("volumes")
    }

    /// The parts of a container's log that are there, in the order in which they were written.
    pub fn log_parts(&self, container: &str) -> Vec<LogPart> {
        let Ok(entries) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut parts: Vec<LogPart> = entries
            .flatten()
            .filter_map(|entry| LogPart::of_file(container, entry.file_name().to_str()?))
            .collect();
        parts.sort_unstable();
        parts
    }

    /// The number of a container's newest run that has a log.
    pub fn newest_restart(&self, container: &str) -> Option<i32> {
        self.log_parts(container).last().map(|part| part.restart)
    }

    /// How many bytes its files have.
    pub fn size(&self) -> u64 {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
    }

    /// Removes the directory with all logs.
    pub fn remove(&self) {
        let _ = remove_tree(&self.path);
    }
}

/// A file of a container's log. They sort in the order in which they were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogPart {
    /// The run of the container: how often it had been restarted.
    pub restart: i32,
    /// How many bytes of that run's log were written before this file was begun.
    pub start: u64,
}

impl LogPart {
    /// Where the log of a run begins.
    pub fn first(restart: i32) -> Self {
        Self { restart, start: 0 }
    }

    fn of_file(container: &str, name: &str) -> Option<Self> {
        let numbers = name.strip_prefix(container)?.strip_prefix('.')?.strip_suffix(".log")?;
        match numbers.split_once('.') {
            None => Some(Self::first(numbers.parse().ok()?)),
            Some((restart, start)) => {
                Some(Self { restart: restart.parse().ok()?, start: start.parse().ok()? })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_log_are_found_by_their_names_in_the_order_of_writing() {
        let place = tempfile::tempdir().expect("a directory");
        let directory = PodDirectory::new(place.path().to_owned());
        let part = |restart, start| LogPart { restart, start };
        let parts = [part(0, 0), part(0, 10_485_790), part(0, 104_857_900), part(2, 0), part(10, 0)];
        for part in parts.iter().rev() {
            fs::File::create(directory.log_path("main", *part)).expect("a file");
        }
        for other in ["main-2.0.log", "main.log", "main.x.log", "supervisor.lock", "report.3", "mai.0.log"] {
            fs::File::create(place.path().join(other)).expect("a file");
        }
        assert_eq!(directory.log_parts("main"), parts);
        assert_eq!(directory.newest_restart("main"), Some(10));
        assert_eq!(directory.newest_restart("other"), None);
    }
}
