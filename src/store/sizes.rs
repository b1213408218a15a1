//! How long the files of a snapshot were when it was written: a file that lost its end at the end of a line, or all it had,
//! reads like any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::StoreError;
use super::record::{sealed_line, unsealed_line};

/// The name of the list in a snapshot's directory.
pub(super) const SIZES: &str = "sizes.json";
const FIELD: &str = "sizes";

/// The sizes of a snapshot's files, in bytes, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes(BTreeMap<String, u64>);

impl Sizes {
    /// The list of a snapshot.
    ///
    /// # Errors
    /// A list that is not there or does not read back.
    pub(super) fn read(snapshot: &Path) -> Result<Self> {
        let path = snapshot.join(SIZES);
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        let sizes = unsealed_line(FIELD, &bytes).and_then(|text| serde_json::from_str(text).ok());
        sizes.map(Self).ok_or_else(|| {
            let detail = "the checksum does not match".into();
            StoreError::Damaged { file: path, line: 1, offset: 0, detail }.into()
        })
    }

    pub(super) fn add(&mut self, path: &Path, size: u64) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.0.insert(name.into_owned(), size);
    }

    /// The list as it is written.
    ///
    /// # Errors
    /// Never in practice: numbers always encode.
    pub(super) fn text(&self) -> Result<String> {
        Ok(sealed_line(FIELD, &serde_json::to_string(&self.0).context("encode the sizes")?))
    }

    /// The size of all files.
    pub(super) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// What is wrong with a file of that length (0 where it is not there).
    pub(super) fn problem(&self, path: &Path, length: u64) -> Option<String> {
        let name = path.file_name()?.to_str()?;
        let written = self.0.get(name).copied().unwrap_or(0);
        (written != length).then(|| format!("{written} bytes were written, {length} are there"))
    }

    /// The same as an error with its place.
    ///
    /// # Errors
    /// The file has another length.
    pub(super) fn check(&self, path: &Path, length: u64) -> Result<()> {
        let Some(detail) = self.problem(path, length) else { return Ok(()) };
        let bytes = fs::read(path).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', &bytes).count() + 1;
        Err(StoreError::Damaged { file: path.to_owned(), line, offset: length as usize, detail }.into())
    }
}
