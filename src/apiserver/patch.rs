//! `patch`: JSON patch, JSON merge patch and strategic merge patch.

use serde_json::Value;

use crate::registry::json_patch::json_patch;
use crate::registry::merge::{PatchError, json_merge_patch, strategic_merge_patch};

/// A change to an object, as a request brings it.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902: a list of operations.
    Json(Value),
    /// RFC 7386: the fields that are to be set, or with null removed.
    Merge(Value),
    /// As that, with lists of some fields merged by their keys.
    Strategic(Value),
}

/// How a patch is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchType {
    /// [`Patch::Json`].
    Json,
    /// [`Patch::Merge`].
    Merge,
    /// [`Patch::Strategic`].
    Strategic,
}

impl PatchType {
    /// A patch of this type.
    pub fn of(self, patch: Value) -> Patch {
        match self {
            Self::Json => Patch::Json(patch),
            Self::Merge => Patch::Merge(patch),
            Self::Strategic => Patch::Strategic(patch),
        }
    }
}

impl Patch {
    /// What the patch makes of an object.
    ///
    /// # Errors
    /// A patch that does not fit the object.
    pub fn apply(&self, current: &Value) -> Result<Value, PatchError> {
        match self {
            Self::Json(patch) => json_patch(current, patch),
            Self::Merge(patch) if patch.is_object() => Ok(json_merge_patch(current, patch)),
            Self::Merge(_) => Err(PatchError::new("Invalid JSON Patch")),
            Self::Strategic(patch) => strategic_merge_patch(current, patch),
        }
    }
}
