//! How much of the disk the data directory takes, and what in it.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::Store;

/// The unit in which file systems say how much a file takes.
const BLOCK: u64 = 512;

/// How many bytes of the disk are taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// By all.
    pub total: u64,
    /// By each pod's directory, with its uid.
    pub pods: Vec<(String, u64)>,
    /// By each claim's directory, with its name.
    pub claims: Vec<(String, u64)>,
}

impl Store {
    /// Looks at everything that lies in the data directory. What cannot be looked at, or goes meanwhile, does not count.
    pub fn disk_use(&self) -> DiskUse {
        let mut seen = HashSet::new();
        let each = |path: PathBuf, seen: &mut HashSet<(u64, u64)>| -> Vec<(String, u64)> {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries
                .map(|entry| (entry.file_name().to_string_lossy().into_owned(), taken(entry.path(), seen)))
                .collect()
        };
        // A report is another name of a file of its pod: these come first.
        let pods = each(self.pods_path(), &mut seen);
        let claims = each(self.volumes_path(), &mut seen);
        let rest = taken(self.root().to_owned(), &mut seen);
        let total = pods.iter().chain(&claims).map(|(_, bytes)| bytes).sum::<u64>() + rest;
        DiskUse { total, pods, claims }
    }
}

/// How much a file takes, or a directory with all that is in it, but for what has been seen.
fn taken(path: PathBuf, seen: &mut HashSet<(u64, u64)>) -> u64 {
    let mut left = vec![path];
    let mut bytes = 0;
    while let Some(path) = left.pop() {
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        if (found.is_dir() || found.nlink() > 1) && !seen.insert((found.dev(), found.ino())) {
            continue;
        }
        bytes += found.blocks() * BLOCK;
        if found.is_dir() {
            left.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn each_file_counts_once_where_it_belongs() {
        let place = tempfile::tempdir().expect("a directory");
        let store = Store::open(&place.path().join("data")).expect("a store");
        let write = |path: &str, length: usize| {
            let path = store.root().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::File::create(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &vec![7; length]))
        };
        let before = store.disk_use().total;
        write("pods/one/main.0.log", 1 << 20).expect("written");
        write("pods/one/volumes/v/deep/file", 1 << 20).expect("written");
        write("pods/two/supervisor.lock", 1 << 18).expect("written");
        write("volumes/claim/file", 1 << 19).expect("written");
        fs::hard_link(store.pod_path("two").join("supervisor.lock"), store.inbox_path().join("two.1"))
            .expect("another name");
        symlink("/", store.pod_path("one").join("volumes/v/link")).expect("a link");
        let mut found = store.disk_use();
        found.pods.sort();
        let [one, two] = &found.pods[..] else { panic!("{found:?}") };
        let is_about = |bytes: u64, expected: u64| (expected..expected + (1 << 16)).contains(&bytes);
        assert!(one.0 == "one" && is_about(one.1, 2 << 20), "{one:?}");
        assert!(two.0 == "two" && is_about(two.1, 1 << 18), "{two:?}");
        assert!(found.claims[0].0 == "claim" && is_about(found.claims[0].1, 1 << 19), "{found:?}");
        assert!(is_about(found.total - before, (2 << 20) + (1 << 18) + (1 << 19)), "{found:?}");
    }
}
