//! Creating, updating, applying and deleting objects: pure functions over them.

pub mod apply;
pub mod deletion;
pub mod json_patch;
pub mod managed_fields;
pub mod manifest;
pub mod merge;
pub mod object;
pub mod strategy;
pub mod tombstones;
