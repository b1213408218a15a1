//! The data directory: where it is, whether it may be trusted, and how it is laid out at first.

use std::fs::{self, DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};

use super::boot::Boot;
use super::notifier::CommitNotifier;
use super::sizes::{SIZES, Sizes};
use super::{StoreError, sync_journal, write_atomic};

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

/// The snapshot that a store begins with.
pub(super) const FIRST_SNAPSHOT: &str = "snapshot/0";
/// How often to look for commits where nothing announces them.
const WITHOUT_BELL: Duration = Duration::from_millis(200);

/// Makes a directory with those above it that are missing; their names survive a power cut.
fn create_synced(path: &Path) -> Result<()> {
    let there = path.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("create data directory {}", path.display()))?;
    for made in path.ancestors().skip(1).take_while(|above| above.starts_with(there)) {
        fs::File::open(made)
            .and_then(|opened| opened.sync_all())
            .with_context(|| format!("sync {}", made.display()))?;
    }
    Ok(())
}

/// An opened data directory. Opening checks it; it reads no objects.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    notifier: Arc<OnceLock<Option<CommitNotifier>>>,
    /// Whether there was no store when this was opened for reading.
    was_absent: bool,
    /// Whether this process has compared the boot that is written down with the one it runs in.
    is_boot_noted: Arc<AtomicBool>,
}

impl Store {
    /// Opens the data directory, and makes the store where there is none: in a directory that is missing (made with mode
    /// 0700) or empty.
    ///
    /// # Errors
    /// A directory that is not ours alone or holds something else, another format, or any failing system call with its path.
    pub fn open(root: &Path) -> Result<Self> {
        let store = Self::trusted(root);
        let metadata = match fs::metadata(root) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                create_synced(root)?;
                fs::metadata(root).with_context(|| format!("open data directory {}", root.display()))?
            }
            Err(error) => {
                return Err(error).with_context(|| format!("open data directory {}", root.display()));
            }
        };
        store.check_private(&metadata)?;
        if !store.is_format_known()? {
            store.check_free()?;
            store.lay_out()?;
        }
        Ok(store)
    }

    /// Opens the data directory for reading: makes nothing. Where there is no store, there is one without objects to read.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_existing(root: &Path) -> Result<Self> {
        let mut store = Self::trusted(root);
        store.was_absent = match fs::metadata(root) {
            Ok(metadata) => {
                store.check_private(&metadata)?;
                !store.is_format_known()?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
            Err(error) => {
                return Err(error).with_context(|| format!("open data directory {}", root.display()));
            }
        };
        Ok(store)
    }

    /// The store at a path that this process, or the one it was forked from, has opened before: nothing is checked.
    pub fn trusted(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            notifier: Arc::default(),
            was_absent: false,
            is_boot_noted: Arc::default(),
        }
    }

    /// A store is made only where nothing else is, or where making one was interrupted.
    fn check_free(&self) -> Result<()> {
        const OURS: [&str; 7] = ["store.lock", "inbox", "pods", "snapshot", "current", "reserve", "notifier"];
        let entries = fs::read_dir(&self.root).with_context(|| format!("read {}", self.root.display()))?;
        for entry in entries {
            let name = entry.with_context(|| format!("read {}", self.root.display()))?.file_name();
            let name = name.to_string_lossy();
            if !OURS.contains(&&*name) && !name.starts_with(".format.") {
                // Another process has made the store since this one looked for it.
                if self.is_format_known()? {
                    return Ok(());
                }
                let detail = format!(
                    "holds other things and no store (for instance {name:?}); choose an empty directory with --data-dir"
                );
                return Err(StoreError::NotPrivate { directory: self.root.clone(), detail }.into());
            }
        }
        Ok(())
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
        let _lock = self.lock_directory()?;
        if self.is_format_known()? {
            return Ok(());
        }
        for directory in ["inbox", "pods", FIRST_SNAPSHOT] {
            let path = self.root.join(directory);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&path)
                .with_context(|| format!("create {}", path.display()))?;
        }
        let snapshot = self.root.join(FIRST_SNAPSHOT);
        write_atomic(&snapshot.join(SIZES), Sizes::default().text()?.as_bytes())?;
        write_atomic(&snapshot.join("journal.jsonl"), b"")?;
        // Its own name, and that of the directory above it.
        for directory in [&self.root.join("snapshot"), &self.root] {
            fs::File::open(directory)
                .and_then(|opened| opened.sync_all())
                .with_context(|| format!("sync {}", directory.display()))?;
        }
        match symlink(FIRST_SNAPSHOT, self.current_link()) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(error).context("create the link to the current snapshot");
            }
            _ => {}
        }
        // From the first moment on there is room for a deletion.
        self.keep_reserve();
        write_atomic(&self.root.join("format"), format!("{FORMAT}\n").as_bytes())
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.root.join("store.lock")
    }

    pub(super) fn open_lock_file(&self) -> Result<fs::File> {
        open_or_create(&self.lock_path())
    }

    /// Whether there is a store at all: its directory may have been removed under our hands.
    pub fn is_laid_out(&self) -> bool {
        self.root.join("format").exists()
    }

    /// Whether there is no store yet. One that was there and has been removed is not absent: it cannot be read.
    pub fn is_absent(&self) -> bool {
        self.was_absent && !self.is_laid_out()
    }

    /// `None` where none can be had: on a disk that is full, or that can only be read and has none.
    fn notifier(&self) -> Option<&CommitNotifier> {
        if self.notifier.get().is_none() && !self.is_absent() {
            // Two threads may both map it; one mapping stays.
            let _ = self.notifier.set(CommitNotifier::open(&self.root.join("notifier")).ok());
        }
        self.notifier.get().and_then(Option::as_ref)
    }

    /// What the commit notifier says now: to be read before the journal is, and passed to [`Store::sleep_until_commit`].
    pub fn notifier_value(&self) -> u32 {
        self.notifier().map_or(0, CommitNotifier::value)
    }

    /// Sleeps until somebody commits after `value` was read, or the time is over; may wake early.
    pub fn sleep_until_commit(&self, value: u32, at_most: Duration) {
        match self.notifier() {
            Some(notifier) => notifier.sleep(value, at_most),
            None => std::thread::sleep(at_most.min(WITHOUT_BELL)),
        }
    }

    /// Announces a commit. One that cannot be announced has still been made.
    pub(super) fn notify(&self) {
        if let Some(notifier) = self.notifier() {
            notifier.notify();
        }
    }

    /// Makes everything that has been committed survive a power cut: whatever is reported to a person or a script comes
    /// after this.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        while self.is_laid_out() {
            let snapshot = self.current_snapshot()?;
            let journal = snapshot.join("journal.jsonl");
            let synced = fs::File::open(&journal).and_then(|journal| sync_journal(&journal));
            // A snapshot is on the disk before it is in force.
            if self.current_snapshot()? == snapshot {
                return synced.with_context(|| format!("sync {}", journal.display()));
            }
        }
        Ok(())
    }

    /// The last revision that was committed before this machine started, when `revision` is that of the last commit of all.
    pub fn revision_before_boot(&self, revision: u64) -> u64 {
        Boot::revision_before(&self.root, revision)
    }

    /// Sees to it that the boot of this machine is written down before its first commit (see `store/boot.rs`).
    pub(super) fn note_boot(&self, revision: u64) -> Result<()> {
        if !self.is_boot_noted.load(Ordering::Relaxed) {
            Boot::note(&self.root, revision)?;
            self.is_boot_noted.store(true, Ordering::Relaxed);
        }
        Ok(())
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
        if self.is_absent() {
            return Ok(self.root.join(FIRST_SNAPSHOT));
        }
        let target = fs::read_link(&link).with_context(|| format!("read {}", link.display()))?;
        Ok(self.root.join(target))
    }

    /// The kubeconfig of a server of this store.
    pub fn kubeconfig_path(&self) -> PathBuf {
        self.root.join("kubeconfig")
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

    /// Where the volumes of claims are.
    pub fn volumes_path(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// A directory that once held many entries stays large, on some file systems, when they are gone: an empty one is made anew.
    /// Not while a pod may be started.
    pub fn shrink_pods_directory(&self) {
        const LARGE: u64 = 64 << 10;
        let path = self.pods_path();
        if fs::metadata(&path).is_ok_and(|found| found.len() > LARGE) && fs::remove_dir(&path).is_ok() {
            // Should we die between the two, whoever starts a pod makes it.
            let _ = DirBuilder::new().mode(0o700).create(&path);
        }
    }

    /// The directory of one pod.
    pub fn pod_path(&self, uid: &str) -> PathBuf {
        self.pods_path().join(uid)
    }
}
