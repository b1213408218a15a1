//! The binary, run in a sealed world: every verb, every promise, every fault.

mod common;

mod apply;
mod engine;
mod faults;
mod get;
