//! Objects -> text: tables, describe, YAML, JSON, JSONPath, human durations. Returns strings; prints nothing.

pub mod describe;
pub mod duration;
pub mod name;
mod quantity;
pub mod rows;
pub mod table;
pub mod yaml;
