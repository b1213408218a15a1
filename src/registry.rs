//! Creating, updating, applying and deleting objects: pure functions over them.

pub mod strategy;
pub mod tombstones;
