//! The data directory: where it is, whether it may be trusted, and how it is laid out at first.

use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};

use super::bell::Bell;
use super::sizes::{SIZES, Sizes};
use super::{StoreError, write_atomic};

/// The version of the layout that this program writes.
pub const FORMAT: u32 = 2;

/// A file of ours alone (0600) for reading and writing, made where it does not exist.
pub(super) fn open_or_create(path: &Path) -> Result<fs::File> {
    OpenOptions::new()
        .create(true)
        .read(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("open {}", path.display()))
}

/// An opened data directory. Opening checks it and creates what is missing; it reads no objects.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    bell: Arc<OnceLock<Bell>>,
}

impl Store {
    /// Opens the data directory, and makes it (0700) where it does not exist.
    ///
    /// # Errors
    /// A directory that is not ours alone, a newer format, or any failing system call with its path.
    pub fn open(root: &Path) -> Result<Self> {
        let store = Self { root: root.to_owned(), bell: Arc::default() };
        let metadata = match fs::metadata(root) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(root)
                    .with_context(|| format!("create data directory {}", root.display()))?;
                fs::metadata(root).with_context(|| format!("open data directory {}", root.display()))?
            }
            Err(error) => {
                return Err(error).with_context(|| format!("open data directory {}", root.display()));
            }
        };
        store.check_private(&metadata)?;
        if !store.is_format_known()? {
            store.lay_out()?;
        }
        Ok(store)
    }

    /// The store at a path that this process, or the one it was forked from, has opened before: nothing is checked.
    pub fn trusted(root: &Path) -> Self {
        Self { root: root.to_owned(), bell: Arc::default() }
    }

    fn check_private(&self, metadata: &fs::Metadata) -> Result<()> {
        let refuse = |detail: String| -> Result<()> {
            Err(StoreError::NotPrivate { directory: self.root.clone(), detail }.into())
        };
        if !metadata.is_dir() {
            return refuse("is not a directory".into());
        }
        let me = nix::unistd::geteuid().as_raw();
        if metadata.uid() != me {
            return refuse(format!(
                "belongs to user {}, not to you (user {me}); choose another with --data-dir",
                metadata.uid()
            ));
        }
        if metadata.mode() & 0o022 != 0 {
            return refuse(format!(
                "is writable by others (mode {:04o}); run: chmod go-w {}",
                metadata.mode() & 0o7777,
                self.root.display()
            ));
        }
        Ok(())
    }

    /// True for a store of a format we know, false where there is none yet.
    fn is_format_known(&self) -> Result<bool> {
        let path = self.root.join("format");
        match fs::read_to_string(&path) {
            Ok(text) if text == format!("{FORMAT}\n") => Ok(true),
            Ok(text) => Err(StoreError::OtherFormat {
                directory: self.root.clone(),
                found: text.trim().chars().take(40).collect(),
            }
            .into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// First use. Under the lock, so that two first commands do not lay out twice; `format` comes last, so that
    /// a directory with it is complete.
    fn lay_out(&self) -> Result<()> {
        let _lock = self.lock_commits()?;
        if self.is_format_known()? {
            return Ok(());
        }
        for directory in ["inbox", "pods", "snapshot/0"] {
            let path = self.root.join(directory);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .with_context(|| format!("create {}", path.display()))?;
        }
        let snapshot = self.root.join("snapshot/0");
        write_atomic(&snapshot.join(SIZES), Sizes::default().text()?.as_bytes())?;
        write_atomic(&snapshot.join("journal.jsonl"), b"")?;
        // Its own name, and that of the directory above it.
        for directory in [&self.root.join("snapshot"), &self.root] {
            fs::File::open(directory)
                .and_then(|opened| opened.sync_all())
                .with_context(|| format!("sync {}", directory.display()))?;
        }
        match symlink("snapshot/0", self.current_link()) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).context("create the link to the current snapshot");
            }
            _ => {}
        }
        // From the first moment on there is room for a deletion.
        self.keep_reserve();
        write_atomic(&self.root.join("format"), format!("{FORMAT}\n").as_bytes())
    }

    pub(super) fn open_lock_file(&self) -> Result<fs::File> {
        open_or_create(&self.root.join("store.lock"))
    }

    /// Whether there is a store at all: its directory may have been removed under our hands.
    pub fn is_laid_out(&self) -> bool {
        self.root.join("format").exists()
    }

    fn bell(&self) -> Result<&Bell> {
        if self.bell.get().is_none() {
            // Two threads may both map it; one mapping stays.
            let _ = self.bell.set(Bell::open(&self.root.join("bell"))?);
        }
        self.bell.get().context("the bell")
    }

    /// What the bell says now: to be read before the journal is, and passed to [`Store::sleep_until_commit`].
    ///
    /// # Errors
    /// The bell cannot be opened.
    pub fn bell_value(&self) -> Result<u32> {
        Ok(self.bell()?.value())
    }

    /// Sleeps until somebody commits after `value` was read, or the time is over; may wake early.
    ///
    /// # Errors
    /// The bell cannot be opened.
    pub fn sleep_until_commit(&self, value: u32, at_most: Duration) -> Result<()> {
        self.bell()?.sleep(value, at_most);
        Ok(())
    }

    /// Announces a commit. One that cannot be announced has still been made.
    pub(super) fn ring(&self) {
        if let Ok(bell) = self.bell() {
            bell.ring();
        }
    }

    /// The data directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn current_link(&self) -> PathBuf {
        self.root.join("current")
    }

    /// The directory of the snapshot in force.
    ///
    /// # Errors
    /// The link cannot be read.
    pub fn current_snapshot(&self) -> Result<PathBuf> {
        let link = self.current_link();
        let target = fs::read_link(&link).with_context(|| format!("read {}", link.display()))?;
        Ok(self.root.join(target))
    }

    /// Where supervisors leave their reports.
    pub fn inbox_path(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// The lock of the running controller.
    pub fn controller_lock_path(&self) -> PathBuf {
        self.root.join("controller.lock")
    }

    /// Where the pods' directories are.
    pub fn pods_path(&self) -> PathBuf {
        self.root.join("pods")
    }

    /// The directory of one pod.
    pub fn pod_path(&self, uid: &str) -> PathBuf {
        self.pods_path().join(uid)
    }
}
