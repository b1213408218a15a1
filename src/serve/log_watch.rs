//! Hears of what containers write, for all who follow a log: one thread that sleeps until there is something.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use anyhow::{Context as _, Result};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use tokio::sync::Notify;

type Followers = HashMap<WatchDescriptor, Vec<Weak<Notify>>>;

/// What is watched, and who wants to know.
#[derive(Clone, Debug)]
pub(super) struct LogWatch {
    inotify: Arc<Inotify>,
    followers: Arc<Mutex<Followers>>,
}

impl LogWatch {
    /// Begins to listen.
    ///
    /// # Errors
    /// No more inotify instances for this user; no thread.
    pub(super) fn start() -> Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).context("watch the logs")?;
        let watch = Self { inotify: Arc::new(inotify), followers: Arc::default() };
        let hears = watch.clone();
        std::thread::Builder::new()
            .name("logs".into())
            .spawn(move || hears.listen())
            .context("start a thread")?;
        Ok(watch)
    }

    fn listen(&self) {
        while let Ok(events) = self.inotify.read_events() {
            let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                    followers.values().flatten().filter_map(Weak::upgrade).for_each(|one| one.notify_one());
                } else if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                    followers.remove(&event.wd);
                } else {
                    let told = followers.get(&event.wd).into_iter().flatten();
                    told.filter_map(Weak::upgrade).for_each(|one| one.notify_one());
                }
            }
        }
    }

    /// Tells of what is written in a directory from here on, until the follower is dropped.
    ///
    /// # Errors
    /// There is no such directory; no more watches for this user.
    pub(super) fn follow(&self, directory: &Path) -> Result<LogFollower> {
        let notify = Arc::new(Notify::new());
        let mut followers = self.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let flags = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
        let descriptor = self
            .inotify
            .add_watch(directory, flags)
            .with_context(|| format!("watch {}", directory.display()))?;
        followers.entry(descriptor).or_default().push(Arc::downgrade(&notify));
        Ok(LogFollower { watch: self.clone(), descriptor, notify })
    }
}

/// One who follows a log.
#[derive(Debug)]
pub(super) struct LogFollower {
    watch: LogWatch,
    descriptor: WatchDescriptor,
    notify: Arc<Notify>,
}

impl LogFollower {
    /// Waits until something has been written since the last time.
    pub(super) async fn written(&self) {
        self.notify.notified().await;
    }
}

impl Drop for LogFollower {
    fn drop(&mut self) {
        let mut followers = self.watch.followers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(others) = followers.get_mut(&self.descriptor) else { return };
        others.retain(|other| other.strong_count() > 0 && other.as_ptr() != Arc::as_ptr(&self.notify));
        if others.is_empty() {
            followers.remove(&self.descriptor);
            // It may have gone with the directory.
            let _ = self.watch.inotify.rm_watch(self.descriptor);
        }
    }
}
