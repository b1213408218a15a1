//! The binary, run in a sealed world: every verb, every promise, every fault.

#![allow(clippy::disallowed_methods, reason = "the rooms are those of src/")]

mod change;
mod claims;
mod common;

mod admission;
mod apply;
mod background;
mod bad_input;
mod brokers;
mod create;
mod cronjobs;
mod delete;
mod describe;
mod devices;
mod doctor;
mod endpoints;
mod engine;
mod examples;
mod failure_policy_walkthroughs;
mod faults;
mod get;
mod images;
mod indexed;
mod kinds;
mod last_messages;
mod limits;
mod logs;
mod manifests;
mod names;
mod node;
mod oracle;
mod pairs;
mod policies;
mod priorities;
mod probes;
mod recorded_answers;
mod recorded_ends;
mod recorded_kinds;
mod replace;
mod restarts;
mod roles;
mod run;
mod scale;
mod security;
mod sidecars;
mod source_documents;
mod stateful_sets;
mod terminal;
mod trust;
mod upstream;
mod usage;
mod users;
mod volumes;
mod wait;
