//! How long the files of a snapshot were when it was written: a file that lost its end at the end of a line, or all it had,
//! reads like any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::StoreError;

/// The name of the list in a snapshot's directory.
pub(super) const SIZES: &str = "sizes";

/// The sizes of a snapshot's files, in bytes, by name. Empty for snapshots of versions that kept none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes(BTreeMap<String, u64>);

impl Sizes {
    /// The list of a snapshot; one that is damaged itself says nothing.
    pub(super) fn read(snapshot: &Path) -> Self {
        let text = fs::read_to_string(snapshot.join(SIZES)).unwrap_or_default();
        let pair = |line: &str| {
            let (size, name) = line.split_once(' ')?;
            Some((name.to_owned(), size.parse().ok()?))
        };
        Self(text.lines().filter_map(pair).collect())
    }

    pub(super) fn add(&mut self, path: &Path, size: usize) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.0.insert(name.into_owned(), size as u64);
    }

    /// The list as it is written.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|(name, size)| format!("{size} {name}\n")).collect()
    }

    /// What is wrong with the length of a file, of which these bytes were read (none where it is not there).
    pub(super) fn problem(&self, path: &Path, bytes: &[u8]) -> Option<String> {
        let name = path.file_name()?.to_str()?;
        let written = *self.0.get(name)?;
        let read = bytes.len() as u64;
        (written != read).then(|| format!("{written} bytes were written, {read} are there"))
    }

    /// The same as an error with its place.
    pub(super) fn check(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let Some(detail) = self.problem(path, bytes) else { return Ok(()) };
        let line = memchr::memchr_iter(b'\n', bytes).count() + 1;
        Err(StoreError::Damaged { file: path.to_owned(), line, offset: bytes.len(), detail })
    }
}
