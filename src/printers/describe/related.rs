//! What can be described, and the kinds that manifests bring beside their Jobs.

mod access;
mod config_data;
mod network;
mod quotas;
mod storage;

use std::collections::BTreeMap;

use chrono::Duration;

use super::Output;
use crate::api::{EndpointSlice, LimitRange, Pod, ResourceQuota, Secret};

/// What else of the namespace a description speaks of.
#[derive(Clone, Debug, Default)]
pub struct Related {
    /// For a claim, a StatefulSet and a node.
    pub pods: Vec<Pod>,
    /// For a Service: those of its own.
    pub endpoint_slices: Vec<EndpointSlice>,
    /// For a ServiceAccount.
    pub secrets: Vec<Secret>,
    /// For a namespace.
    pub quotas: Vec<ResourceQuota>,
    /// For a namespace.
    pub limit_ranges: Vec<LimitRange>,
    /// The processes of a pod's running containers, by the containers' names.
    pub pids: BTreeMap<String, i32>,
    /// How long a Job took, where that was less than a second.
    pub short_run: Option<Duration>,
    /// What a pod, or the pods of a Job, wait for on the node.
    pub waits: Vec<String>,
}

/// An object that can be described.
pub trait Describe {
    /// Whether its Events come at the end.
    const HAS_EVENTS: bool;

    /// Writes the description but for the Events.
    fn describe(&self, out: &mut Output<'_>, related: &Related);
}

/// As Go prints a list of texts.
fn go_list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".to_owned() } else { text }
}

/// Labels in one line.
fn in_line(labels: Option<&std::collections::BTreeMap<String, String>>) -> String {
    let labels = labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}"));
    or_none(labels.collect::<Vec<_>>().join(","))
}
