//! The one node: this machine, which registers itself as a kubelet would.

use std::fs;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{NodeAddress, NodeCondition, NodeSystemInfo};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::Config;
use super::request::{begin, commit_quietly};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::time;
use crate::api::nodes::{architecture, well_known_labels};
use crate::api::resource_field::Amounts;
use crate::api::{Node, NodeStatus, ObjectMeta, Time};
use crate::apiserver::{DEFAULT_NAMESPACE, default_namespace_uid, namespace_named};
use crate::controller::pods::new_uid;
use crate::store::{State, Store, Table};

/// Stores the node, unless it is stored already as it is. What users have said of it is kept. Makes a store where there is
/// none.
///
/// # Errors
/// A store that cannot be read or written.
pub fn register_node(config: &Config, store: &Store) -> Result<()> {
    if store.is_absent() {
        Store::open(store.root())?;
    }
    let (state, _) = store.read(&[Table::NODES])?;
    if node_as_of_now(config, &state)?.is_none() {
        return Ok(());
    }
    let mut transaction = begin(config, store, &[Table::NODES])?;
    if let Some(node) = node_as_of_now(config, transaction.stored(Table::NODES)?)? {
        transaction.register(node);
    }
    commit_quietly(transaction)
}

/// Shows the node as it is now in what was read, without storing it.
///
/// # Errors
/// A damaged node.
pub fn show_node(config: &Config, state: &mut State) -> Result<()> {
    if let Some(mut node) = node_as_of_now(config, state)? {
        let version = || state.revision().to_string();
        node.metadata.resource_version.get_or_insert_with(version);
        let text = serde_json::to_string(&node).context("encode the node")?;
        state.add(Table::NODES, key_of(config), text);
    }
    Ok(())
}

/// Shows the namespace that is there though nobody has created it, where it is not stored yet.
///
/// # Errors
/// Never in practice: objects always encode.
pub fn show_default_namespace(state: &mut State) -> Result<()> {
    let (table, key) = (Table::Kind(Kind::Namespace), Key::new("", DEFAULT_NAMESPACE));
    if state.get(table, &key).is_none() {
        let mut namespace = namespace_named(DEFAULT_NAMESPACE, &default_namespace_uid(), super::clock());
        namespace.metadata.resource_version = Some(state.revision().to_string());
        let text = serde_json::to_string(&namespace).context("encode the namespace")?;
        state.add(table, key, text);
    }
    Ok(())
}

fn key_of(config: &Config) -> Key {
    Key::new("", &config.settings.node_name)
}

/// The node as it should be stored; `None` where it is.
fn node_as_of_now(config: &Config, state: &State) -> Result<Option<Node>> {
    let name = &config.settings.node_name;
    let stored = state.get(Table::NODES, &key_of(config)).map(|object| object.parse::<Node>()).transpose()?;
    let is_current = |status: &NodeStatus| is_same_machine(status, &machine(config, known_since(status)));
    if stored.as_ref().and_then(|node| node.status.as_ref()).is_some_and(is_current) {
        return Ok(None);
    }
    let now = time(super::clock());
    let mut node = stored.unwrap_or_else(|| Node {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            uid: Some(new_uid(&mut fastrand::Rng::with_seed(super::seed()))),
            creation_timestamp: Some(now.clone()),
            labels: Some(well_known_labels(name)),
            ..ObjectMeta::default()
        },
        ..Node::default()
    });
    // Clients look into it without asking whether it is there: on a cluster it always is.
    node.spec.get_or_insert_default();
    node.status = Some(machine(config, now));
    Ok(Some(node))
}

fn is_same_machine(known: &NodeStatus, found: &NodeStatus) -> bool {
    known.node_info == found.node_info && known.capacity == found.capacity
}

fn known_since(status: &NodeStatus) -> Time {
    let ready = status.conditions.iter().flatten().next();
    ready.and_then(|condition| condition.last_transition_time.clone()).unwrap_or_else(|| time(super::clock()))
}

/// What the machine is, as a kubelet reports it.
fn machine(config: &Config, since: Time) -> NodeStatus {
    let name = &config.settings.node_name;
    let capacity = allocatable(config);
    let address = |type_: &str, address: &str| NodeAddress { type_: type_.into(), address: address.into() };
    NodeStatus {
        allocatable: Some(capacity.clone()),
        capacity: Some(capacity),
        addresses: Some(vec![address("InternalIP", "127.0.0.1"), address("Hostname", name)]),
        conditions: Some(vec![NodeCondition {
            type_: "Ready".into(),
            status: "True".into(),
            reason: Some("KubeletReady".into()),
            message: Some("jobctl runs pods here".into()),
            last_heartbeat_time: Some(since.clone()),
            last_transition_time: Some(since),
        }]),
        node_info: Some(NodeSystemInfo {
            architecture: architecture().into(),
            boot_id: line("/proc/sys/kernel/random/boot_id"),
            container_runtime_version: concat!("jobctl://", env!("CARGO_PKG_VERSION")).into(),
            kernel_version: line("/proc/sys/kernel/osrelease"),
            kubelet_version: concat!("v", env!("CARGO_PKG_VERSION")).into(),
            machine_id: line("/etc/machine-id"),
            operating_system: std::env::consts::OS.into(),
            os_image: os_image(),
            ..NodeSystemInfo::default()
        }),
        ..NodeStatus::default()
    }
}

/// How much pods can have of this machine: all of it, and what the configuration says of the rest.
pub(super) fn allocatable(config: &Config) -> Amounts {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let limits = &config.settings.limits;
    let extended = limits.extended_resources.iter().map(|(name, count)| (name.as_str(), count.to_string()));
    let pods = limits.max_pods.map(|most| ("pods", most.to_string()));
    [("cpu", cpus.to_string()), ("memory", memory())]
        .into_iter()
        .chain(extended)
        .chain(pods)
        .map(|(resource, amount)| (resource.to_owned(), Quantity(amount)))
        .collect()
}

/// The first line of a file of the system's, empty where there is none.
fn line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn memory() -> String {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.split_whitespace().next()).unwrap_or("0");
    format!("{kib}Ki")
}

fn os_image() -> String {
    let text = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pretty = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    pretty.map_or_else(|| "Linux".into(), |name| name.trim_matches('"').to_owned())
}
