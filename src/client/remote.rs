//! A Kubernetes API elsewhere: the same requests as of this machine, over HTTP. Nothing of it enters the store.

mod api;
mod backoff;
mod dialogue;
mod follower;
mod left_out;
mod log;
mod log_lines;
mod objects;
mod paths;
mod reader;
mod refusals;
mod requests;
mod unknown_fields;
mod versions;
mod wake;
mod watches;

pub(super) use api::Api;
pub(super) use follower::Follower;
pub(super) use log::{Log, current_run};
pub(super) use reader::Asked;
pub(super) use requests::Requests;
pub(super) use watches::{events_about, watch};
