//! Creating, updating, applying and deleting objects: pure functions over them.

pub mod deletion;
pub mod tombstones;
