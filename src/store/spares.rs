//! Directories of pods that are gone, kept for pods to come: making inodes is what a short pod costs most on a file system
//! in use, and freeing them makes it slower still.
//!
//! A spare is empty but for the file that was its lock's. Who takes one moves it to the new pod's place and then claims it
//! as any other (`PodDirectory::claim`): a spare is an inode, nothing more.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::locks::{holder_of, name_new};
use super::{PodDirectory, Store};

/// The name of the lock's file in a spare.
const LOCK: &str = "spare.lock";
/// The most that are kept while a controller runs: 4 KiB each.
const MOST: usize = 1_000;

/// The spare directories of a store. One process at a time has them: the holder of the controller's lock.
#[derive(Debug)]
pub struct Spares {
    directory: PathBuf,
    names: Vec<String>,
}

impl Spares {
    /// Those that an earlier controller has left.
    pub fn load(store: &Store) -> Self {
        let directory = store.root().join("spare");
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        Self { directory, names }
    }

    /// Takes over what a pod leaves behind, without its logs. False where that cannot be, and it is to be removed.
    pub fn keep(&mut self, pod: &PodDirectory) -> bool {
        if self.names.len() >= MOST {
            return false;
        }
        let Some(name) = pod.path().file_name().and_then(|name| name.to_str()) else { return false };
        let kept = empty(pod).and_then(|()| {
            let spare = self.directory.join(name);
            name_new(pod.path(), &spare).or_else(|_| {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
                name_new(pod.path(), &spare)
            })
        });
        if kept.is_ok() {
            self.names.push(name.to_owned());
        }
        kept.is_ok()
    }

    /// One of them, for a new pod.
    pub fn take(&mut self) -> Option<PathBuf> {
        self.names.pop().map(|name| self.directory.join(name))
    }

    /// Gives one back that was not used.
    pub fn give_back(&mut self, spare: &Path) {
        self.names.extend(spare.file_name().and_then(|name| name.to_str()).map(str::to_owned));
    }

    /// Removes all but a few.
    pub fn shrink(&mut self, most: usize) {
        for name in self.names.drain(most.min(self.names.len())..) {
            let _ = fs::remove_dir_all(self.directory.join(name));
        }
    }
}

/// Removes everything from a pod's directory but the file of its lock, and what that says.
fn empty(pod: &PodDirectory) -> std::io::Result<()> {
    let lock = pod.lock_path();
    // Somebody may still be writing here, or have a report in the inbox that is a name of this file.
    let is_free = holder_of(&lock).is_ok_and(|holder| holder.is_none());
    let found = fs::symlink_metadata(&lock)?;
    if !is_free || !found.is_file() || found.nlink() != 1 {
        return Err(std::io::ErrorKind::ResourceBusy.into());
    }
    for entry in fs::read_dir(pod.path())? {
        let path = entry?.path();
        if path != lock {
            fs::remove_file(path)?;
        }
    }
    File::options().write(true).open(&lock)?.set_len(0)?;
    name_new(&lock, &pod.path().join(LOCK))
}

/// Moves a spare to a new pod's place and returns the file of its lock, opened. `None` where it is not to be had, or the pod
/// has a directory already.
pub(super) fn move_in(spare: &Path, pod: &Path) -> Option<(PathBuf, File)> {
    name_new(spare, pod).ok()?;
    let path = pod.join(LOCK);
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path).ok()?;
    let is_fit = file.metadata().is_ok_and(|found| found.is_file() && found.len() == 0 && found.nlink() == 1);
    is_fit.then_some((path, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inodes(directory: &PodDirectory) -> (u64, u64) {
        let inode = |path: &Path| fs::symlink_metadata(path).expect("there").ino();
        (inode(directory.path()), inode(&directory.lock_path()))
    }

    #[test]
    fn a_pod_takes_over_the_inodes_of_one_that_is_gone() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let directory = |uid: &str| PodDirectory::new(store.pod_path(uid));
        let mut spares = Spares::load(&store);
        let (one, two, three) = (directory("one"), directory("two"), directory("three"));
        let lock = one.claim(None).expect("a claim").expect("the first");
        lock.add_line("1 2 3\n");
        drop(File::create(one.path().join("c.0.log")).expect("a log"));
        let before = inodes(&one);
        drop(lock);
        assert!(spares.keep(&one));
        assert!(!one.path().exists() && !one.is_claimed());
        // Another process finds it.
        let mut spares = Spares::load(&store);
        let spare = spares.take().expect("one");
        assert_eq!(spares.take(), None);
        let lock = two.claim(Some(&spare)).expect("a claim").expect("the first");
        assert_eq!(inodes(&two), before);
        assert_eq!((two.lock_text().as_str(), two.log_parts("c").len()), ("", 0), "nothing of the other pod");
        assert!(two.claim(None).expect("a claim").is_none(), "once for ever");
        // What is gone by now does not keep a pod from its claim, and what is held is no spare.
        drop(three.claim(Some(&spare)).expect("a claim").expect("the first"));
        assert!(three.is_claimed());
        drop(lock);
        assert!(spares.keep(&two) && spares.keep(&three));
        spares.shrink(1);
        assert_eq!(Spares::load(&store).names.len(), 1);
    }

    #[test]
    fn what_holds_more_than_a_pod_leaves_is_no_spare() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let mut spares = Spares::load(&store);
        for (uid, spoil) in [("linked", true), ("nested", false)] {
            let pod = PodDirectory::new(store.pod_path(uid));
            drop(pod.claim(None).expect("a claim"));
            if spoil {
                fs::hard_link(pod.lock_path(), store.root().join("inbox").join("linked.1")).expect("a link");
            } else {
                fs::create_dir(pod.path().join("volumes")).expect("a directory");
            }
            assert!(!spares.keep(&pod), "{uid}");
        }
        let never = PodDirectory::new(store.pod_path("never"));
        assert!(!spares.keep(&never), "it was never there");
    }
}
