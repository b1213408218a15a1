//! Bytes -> objects: manifests in YAML, KYAML and JSON, whole streams and lists of them.
//!
//! kubectl reads YAML 1.1 through JSON, so that is what a manifest means here too: `yes` is a boolean,
//! `014` is 12, dates stay strings. Stricter than kubectl in two things that lose work without a word
//! there: content after `...`, and bytes that are not UTF-8. Fields given twice, which kubectl does not
//! see in YAML, are told beside the value.
//! Owns: what a stream of bytes holds, and where in it the mistake is. Must not: read files, print.

pub(crate) mod base64;
mod budget;
mod json;
mod json_object;
mod object;
mod scalar;
mod split;
pub mod strict;
mod yaml;

use std::fmt;

use serde_json::Value;

use crate::api::quoted::quoted;

pub(crate) use json_object::json_problem;
pub use object::{TypeMeta, flatten, type_meta};
pub(crate) use scalar::{Scalar, resolve};
pub use split::Documents;

/// The largest manifest that is read. A List of 5,000 Jobs takes 2 MiB and an API server takes requests of
/// 3 MiB at most; whoever reads a file or a pipe stops one byte past this and hands over what it has.
pub const MAX_MANIFEST_BYTES: usize = 64 << 20;

/// How deep collections may nest. kubectl stops at 10,000; no Kubernetes object goes past 30, and values are
/// dropped, printed and decoded by recursion on stacks that may be 2 MiB.
pub const MAX_DEPTH: usize = 1_000;

/// The most objects that one command takes: some hundred bytes each, they would be the largest manifest there may be.
pub const MAX_OBJECTS: usize = 100_000;

/// Reads every document of a manifest: YAML documents between `---` lines, or JSON values one after another.
///
/// Documents that hold nothing are skipped. A document that cannot be read is an error of its own, and the
/// ones around it are still given, as far as the end of it can be told: whoever makes objects of them stops there.
pub fn documents(bytes: &[u8]) -> Documents<'_> {
    Documents::new(bytes)
}

/// A document as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// What it means. Of fields given twice the last counts.
    pub value: Value,
    /// The fields given twice, in the order of the text.
    pub duplicate_fields: Vec<DuplicateField>,
}

/// A field that an object has twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateField {
    /// The field, as `spec.template.spec.containers[0].name`.
    pub path: String,
    /// Where both stand, where that can be told: in YAML.
    pub place: Option<DecodeError>,
}

impl fmt::Display for DuplicateField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => f.write_str(place.message.strip_prefix(CONVERTING).unwrap_or(&place.message)),
            None => write!(f, "duplicate field {}", quoted(&self.path)),
        }
    }
}

/// What stands before a problem in YAML.
const CONVERTING: &str = "error converting YAML to JSON: yaml: ";

/// No more fields given twice are remembered of a document.
const MAX_DUPLICATE_FIELDS: usize = 1_000;

/// Why a document cannot be read, in kubectl's words where it has some. Callers put
/// `error parsing FILE: ` before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    line: Option<usize>,
    message: String,
}

impl DecodeError {
    /// The line of the manifest at fault, counted from 1, where there is one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    fn new(line: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        DecodeError { line: line.into(), message: message.into() }
    }

    /// A mistake in the YAML itself, with go-yaml's wording.
    fn yaml(line: usize, problem: impl fmt::Display) -> Self {
        Self::new(line, format!("{CONVERTING}line {line}: {problem}"))
    }

    /// YAML that is well formed but has no meaning in JSON.
    fn conversion(line: usize, problem: impl fmt::Display) -> Self {
        Self::new(line, format!("error converting YAML to JSON: line {line}: {problem}"))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for DecodeError {}

#[cfg(test)]
mod tests;
