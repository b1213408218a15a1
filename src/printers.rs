//! Objects -> text: tables, describe, YAML, JSON, JSONPath, human durations. Returns strings; prints nothing.

pub mod custom_columns;
mod declared;
pub mod describe;
pub mod duration;
pub mod explain;
pub mod go_template;
mod go_value;
pub mod json;
pub mod jsonpath;
pub mod kyaml;
pub mod metrics;
pub mod name;
pub mod parts;
pub mod rows;
pub mod size;
pub mod sort;
mod sorted;
pub mod table;
pub mod terminal;
mod tone;
pub mod yaml;
