//! Looking at a data directory before it is trusted: whose it is, who may write to it, of which format, how much room there
//! is. Nothing is made and nothing is changed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Store;
use super::directory::FORMAT;

/// A data directory from outside.
#[derive(Clone, Debug)]
pub struct DirectoryCheck {
    /// The directory itself.
    pub root: Entry,
    /// What lies directly in it, and the snapshot in force with its files.
    pub entries: Vec<Entry>,
    /// What its format is.
    pub format: Format,
    /// Files with damaged lines, and directories with logs, that were set aside some time.
    pub set_aside: Vec<PathBuf>,
}

/// A file or directory, with what decides who may do what with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path.
    pub path: PathBuf,
    /// Whose it is.
    pub uid: u32,
    /// Its permission bits.
    pub mode: u32,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Whether it is a link: its bits mean nothing.
    pub is_link: bool,
}

/// The format of a data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// None is written down.
    Missing,
    /// The one that this program reads and writes.
    Known(u32),
    /// One of another version of this program.
    Other(u32),
    /// No number; so much of it as can be shown.
    Unreadable(String),
}

/// The room on a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes that this user may still write.
    pub available: u64,
    /// Bytes in all.
    pub total: u64,
    /// Files that can still be made; `None` where the file system does not count them.
    pub files: Option<u64>,
}

impl DirectoryCheck {
    /// Looks at a data directory; `None` where nothing is.
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn of(root: &Path) -> Result<Option<Self>> {
        let metadata = match fs::metadata(root) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("open data directory {}", root.display()));
            }
        };
        let store = Store::trusted(root);
        let itself = Entry::new(root.to_owned(), &metadata);
        if !itself.is_directory || itself.uid != nix::unistd::geteuid().as_raw() {
            return Ok(Some(Self {
                root: itself,
                entries: vec![],
                format: Format::Missing,
                set_aside: vec![],
            }));
        }
        let mut entries = list(root)?;
        if let Ok(snapshot) = store.current_snapshot() {
            entries.extend(
                fs::symlink_metadata(&snapshot).ok().map(|found| Entry::new(snapshot.clone(), &found)),
            );
            // Replaced by a compaction meanwhile: that one was made by us.
            entries.extend(list(&snapshot).unwrap_or_default());
        }
        let is_set_aside =
            |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(".corrupt-"));
        let paths = entries.iter().map(|entry| entry.path.clone());
        let set_aside = paths.filter(|path| is_set_aside(path)).collect();
        Ok(Some(Self { root: itself, entries, format: format_of(root)?, set_aside }))
    }
}

impl Entry {
    fn new(path: PathBuf, metadata: &fs::Metadata) -> Self {
        Self {
            path,
            uid: metadata.uid(),
            mode: metadata.mode() & 0o7777,
            is_directory: metadata.is_dir(),
            is_link: metadata.is_symlink(),
        }
    }
}

/// What lies directly in a directory, by name.
fn list(directory: &Path) -> Result<Vec<Entry>> {
    let read = fs::read_dir(directory).with_context(|| format!("read {}", directory.display()))?;
    // Whatever goes away meanwhile needs no looking at.
    let found = read.flatten().filter_map(|entry| Some(Entry::new(entry.path(), &entry.metadata().ok()?)));
    let mut entries: Vec<Entry> = found.collect();
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(entries)
}

fn format_of(root: &Path) -> Result<Format> {
    let path = root.join("format");
    match fs::read(&path) {
        Ok(bytes) => Ok(read_format(&String::from_utf8_lossy(&bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Format::Missing),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

fn read_format(text: &str) -> Format {
    match text.trim().parse::<u32>() {
        Ok(found) if found == FORMAT => Format::Known(found),
        Ok(found) => Format::Other(found),
        Err(_) => Format::Unreadable(text.trim().chars().take(40).collect()),
    }
}

impl Store {
    /// The room on the file system of the data directory.
    ///
    /// # Errors
    /// The file system does not say.
    pub fn space(&self) -> Result<Space> {
        let found = nix::sys::statvfs::statvfs(self.root())
            .with_context(|| format!("look at the file system of {}", self.root().display()))?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.fragment_size());
        Ok(Space {
            available: bytes(found.blocks_available()),
            total: bytes(found.blocks()),
            files: (found.files() > 0).then(|| found.files_available()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_a_number_or_it_is_not() {
        assert_eq!(read_format("2\n"), Format::Known(2));
        assert_eq!(read_format("1\n"), Format::Other(1));
        assert_eq!(read_format("3"), Format::Other(3));
        assert_eq!(read_format(""), Format::Unreadable(String::new()));
        assert_eq!(read_format("-1"), Format::Unreadable("-1".into()));
    }
}
