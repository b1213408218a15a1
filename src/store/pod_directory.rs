//! One pod's directory: its supervisor's lock and its logs.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::ProcessLock;

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
    /// is ever started twice.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn claim(&self) -> Result<Option<ProcessLock>> {
        match DirBuilder::new().mode(0o700).create(&self.path) {
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

    /// Whether a supervisor has ever claimed the directory.
    pub fn is_claimed(&self) -> bool {
        self.lock_path().exists()
    }

    /// The log of one run of a container. Container names have no dots, and one directory for all is a third of the
    /// inodes of one for each: making them was a good part of what a short pod costs.
    pub fn log_path(&self, container: &str, restart: i32) -> PathBuf {
        self.path.join(format!("{container}.{restart}.log"))
    }

    /// The number of a container's newest log, if it has any.
    pub fn newest_restart(&self, container: &str) -> Option<i32> {
        let prefix = format!("{container}.");
        let entries = fs::read_dir(&self.path).ok()?;
        entries
            .flatten()
            .filter_map(|entry| {
                entry.file_name().to_str()?.strip_prefix(&prefix)?.strip_suffix(".log")?.parse().ok()
            })
            .max()
    }

    /// Removes the directory with all logs.
    pub fn remove(&self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The files of one run's log, oldest first: rotated ones carry `.1`, `.2` … after the name, higher is older.
pub fn log_files(path: &Path) -> Vec<PathBuf> {
    let rotated = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    };
    let mut files: Vec<PathBuf> = (1..).map(rotated).take_while(|file| file.exists()).collect();
    files.reverse();
    if path.exists() {
        files.push(path.to_owned());
    }
    files
}
