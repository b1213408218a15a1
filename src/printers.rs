//! Objects -> text: tables, describe, YAML, JSON, JSONPath, human durations. Returns strings; prints nothing.

pub mod json;
pub mod yaml;
