//! Objects -> text: tables, describe, YAML, JSON, JSONPath, human durations. Returns strings; prints nothing.

pub mod duration;
pub mod name;
pub mod rows;
pub mod table;
pub mod yaml;
