//! How much the volumes of a pod hold that have a `sizeLimit`: a process measures them from time to time, so that a supervisor
//! never waits for a large tree.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use nix::unistd::Pid;

use super::actions::PodRun;
use super::spawn::fork_helper;

/// How long after one measurement the next begins, at least.
const PAUSE: Duration = Duration::seconds(1);
/// The pause is that many times as long as the measurement: it takes no more than a tenth of a CPU.
const PATIENCE: i32 = 9;
/// The exit code of a measurement that has found nothing wrong.
const WITHIN: i32 = 255;

/// The volumes with a limit, and when they are measured.
#[derive(Debug)]
pub(super) struct VolumeSizes {
    limited: Vec<Limited>,
    due: DateTime<Utc>,
    /// Who measures, and since when.
    asked: Option<(Pid, DateTime<Utc>)>,
}

#[derive(Debug)]
struct Limited {
    /// Its number in the pod.
    volume: usize,
    path: PathBuf,
    most: u64,
}

impl VolumeSizes {
    /// Those of a pod.
    pub(super) fn of(run: &PodRun, root: &Path, pod: &Path, now: DateTime<Utc>) -> Self {
        let limited = run.volumes.iter().enumerate().filter_map(|(volume, found)| {
            let most = found.limit.as_ref()?.bytes;
            Some(Limited { volume, path: found.path(root, pod), most })
        });
        Self { limited: limited.collect(), due: now + PAUSE, asked: None }
    }

    /// When they are measured next.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        (self.asked.is_none() && !self.limited.is_empty()).then_some(self.due)
    }

    /// Begins to measure where it is time.
    pub(super) fn measure(&mut self, now: DateTime<Utc>) {
        if self.next().is_none_or(|due| due > now) {
            return;
        }
        let limited = &self.limited;
        let found = fork_helper(|| {
            let exceeded = limited.iter().position(|one| used(&one.path, one.most) > one.most);
            exceeded
                .and_then(|place| i32::try_from(place).ok())
                .filter(|place| *place < WITHIN)
                .unwrap_or(WITHIN)
        });
        match found {
            Ok(pid) => self.asked = Some((pid, now)),
            Err(_) => self.due = now + PAUSE,
        }
    }

    /// Whether that process measures.
    pub(super) fn is_asked(&self, pid: Pid) -> bool {
        self.asked.is_some_and(|(asked, _)| asked == pid)
    }

    /// Takes an answer: the volume that holds more than it may.
    pub(super) fn take(&mut self, exit_code: i32, now: DateTime<Utc>) -> Option<usize> {
        let (_, since) = self.asked.take()?;
        self.due = now + PAUSE.max((now - since) * PATIENCE);
        Some(self.limited.get(usize::try_from(exit_code).ok()?)?.volume)
    }

    /// Whoever measured may have been ended with a container.
    pub(super) fn forget(&mut self, now: DateTime<Utc>) {
        self.asked = None;
        self.due = self.due.max(now + PAUSE);
    }
}

/// What a directory holds takes so many bytes on the disk; counted no further than beyond `most`.
fn used(directory: &Path, most: u64) -> u64 {
    const BLOCK: u64 = 512;
    let mut total = 0;
    let mut linked = HashSet::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        // What goes meanwhile, or may not be entered, does not count.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let Ok(found) = entry.metadata() else { continue };
            if found.nlink() > 1 && !found.is_dir() && !linked.insert((found.dev(), found.ino())) {
                continue;
            }
            total += found.blocks() * BLOCK;
            if total > most {
                return total;
            }
            if found.is_dir() {
                directories.push(entry.path());
            }
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_directory_holds_is_counted_once_and_no_further_than_needed() {
        let place = tempfile::tempdir().expect("a directory");
        let root = place.path();
        let write = |path: &str| {
            use std::io::Write as _;
            let mut file = fs::File::create(root.join(path)).expect("a file");
            file.write_all(&[1; 64 << 10]).and_then(|()| file.sync_all()).expect("written");
        };
        assert_eq!(used(root, 0), 0);
        fs::create_dir(root.join("in")).expect("a directory");
        write("in/a");
        let one = used(root, u64::MAX);
        assert!((64 << 10..128 << 10).contains(&one), "{one}");
        fs::hard_link(root.join("in/a"), root.join("again")).expect("a link");
        std::os::unix::fs::symlink("/", root.join("elsewhere")).expect("a link");
        let linked = used(root, u64::MAX);
        assert!((one..one + (8 << 10)).contains(&linked), "{linked}");
        write("b");
        assert!(used(root, u64::MAX) >= 128 << 10);
        assert!(used(root, 1) > 1);
        assert_eq!(used(&root.join("gone"), 1), 0);
    }
}
