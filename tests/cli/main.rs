//! The binary, run in a sealed world: every verb, every promise, every fault.

mod common;

mod apply;
mod create;
mod delete;
mod describe;
mod engine;
mod faults;
mod get;
mod logs;
mod replace;
mod run;
mod scale;
mod wait;
