//! Room kept on the disk for the moment when it is full: what frees room must itself be written down first.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Store;

/// A deletion with the passes that follow it takes a few kilobytes.
const SIZE: usize = 64 << 10;

/// Whether an error says that the disk, or the user's share of it, is full.
pub fn is_out_of_room(error: &anyhow::Error) -> bool {
    let mut numbers =
        error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>()?.raw_os_error());
    numbers.any(|number| [libc::ENOSPC, libc::EDQUOT].contains(&number))
}

impl Store {
    fn reserve_path(&self) -> PathBuf {
        self.root().join("reserve")
    }

    /// Takes the reserve where it is not there and the disk has room for it. False where there is none then.
    pub fn keep_reserve(&self) -> bool {
        let path = self.reserve_path();
        path.exists() || take_room(&path)
    }

    /// Whether there is room beside the reserve. Tried, for a quota does not show in the file system's numbers.
    pub fn has_room(&self) -> bool {
        let trial = self.root().join(format!(".room.{}.tmp", std::process::id()));
        let has_room = take_room(&trial);
        let _ = fs::remove_file(&trial);
        has_room
    }

    /// Gives the reserve up, where there is one.
    pub(super) fn give_up_reserve(&self) {
        let _ = fs::remove_file(self.reserve_path());
    }
}

/// Fills a new file; all of it or none.
fn take_room(path: &Path) -> bool {
    let written = (|| -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&[0; SIZE])
    })();
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.is_ok()
}
