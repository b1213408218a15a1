//! `drain`: nothing new comes to this machine, and what runs is evicted.

use std::process::ExitCode;

use anyhow::Result;
use chrono::Duration;

use super::context::{Context, Global};
use super::cordon::{self, NodeArgs};
use super::delete;
use super::failure::verbatim;
use super::flags;
use super::outcome::DryRun;
use super::output::{complain, say, warn};
use super::selection::Selectors;
use crate::api::Pod;
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, key};
use crate::apiserver::{DeleteOptions, Read};
use crate::controller::scheduler::is_bound;
use crate::store::Table;

/// Cordon this machine and evict its pods, for instance before a reboot
///
/// An evicted pod has the condition DisruptionTarget, which a podFailurePolicy can ignore. A Job's pod is made again,
/// and waits until the node is uncordoned.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    nodes: NodeArgs,
    /// Also pods that no controller would make again
    #[arg(long)]
    force: bool,
    /// Accepted for kubectl's sake: there are no DaemonSets here
    #[arg(long)]
    ignore_daemonsets: bool,
    /// Also pods with an emptyDir, whose contents go with them
    #[arg(long, alias = "delete-local-data")]
    delete_emptydir_data: bool,
    /// Delete pods in place of evicting them: they carry no DisruptionTarget
    #[arg(long)]
    disable_eviction: bool,
    /// Seconds given to processes to end; negative: what the pod says
    #[arg(long, default_value_t = -1)]
    grace_period: i64,
    /// How long to wait for pods to end; 0 is as long as it takes
    #[arg(long, default_value = "0s", value_parser = flags::duration)]
    timeout: Duration,
    /// Only pods whose labels match
    #[arg(long)]
    pod_selector: Option<String>,
}

/// Drains the node.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let pod_selector = Selectors::parse(args.pod_selector.as_deref(), None)?;
    let context = Context::open(global)?;
    context.client.register_node()?;
    if cordon::set_unschedulable(&context, &args.nodes, "drain", true)? == ExitCode::FAILURE {
        return Ok(ExitCode::FAILURE);
    }
    let node = context.client.config().settings.node_name.clone();
    let (held, mut requests) = context.begin(&[Table::PODS], args.nodes.dry_run)?;
    let pods = pods_of_node(&requests, &pod_selector)?;
    let refused = judge(&pods, args);
    if !refused.is_empty() {
        let why = match refused.as_slice() {
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        return Err(verbatim(format!(
            "error: unable to drain node \"{node}\" due to error: {why}, continuing command...\n\
             There are pending nodes to be drained:\n {node}\n{}",
            refused.join("\n")
        )));
    }
    let dry = if args.nodes.dry_run == DryRun::None { "" } else { " (dry run)" };
    let verb = if args.disable_eviction { "deleting" } else { "evicting" };
    let mut evicted = Vec::new();
    for pod in pods {
        let pod_key = key(&pod.metadata);
        say(&format!("{verb} pod {pod_key}{dry}"))?;
        let grace_seconds = (args.grace_period >= 0).then_some(args.grace_period);
        evicted.push(if args.disable_eviction {
            requests.delete(Kind::Pod, &pod_key, &DeleteOptions { grace_seconds, ..Default::default() })?
        } else {
            requests.evict(&pod_key, grace_seconds)?
        });
    }
    if !dry.is_empty() {
        return say(&format!("node/{node} drained{dry}")).map(|()| ExitCode::SUCCESS);
    }
    requests.commit()?;
    drop(held);
    for pod in evicted {
        let name = pod.key.name.clone();
        if let Err(error) = delete::wait_until_gone(&context, &[pod], args.timeout) {
            complain(&format!("error when waiting for pod \"{name}\" terminating: {error}"));
            return Ok(ExitCode::FAILURE);
        }
        say(&format!("pod/{name} {}", if args.disable_eviction { "deleted" } else { "evicted" }))?;
    }
    say(&format!("node/{node} drained"))?;
    Ok(ExitCode::SUCCESS)
}

/// What keeps pods from being drained, by kubectl's rules: a pod is told of once. What is lost because somebody wants it so is
/// warned of.
fn judge(pods: &[Pod], args: &Args) -> Vec<String> {
    let rules: [(fn(&Pod) -> bool, bool, &str, &str); 2] = [
        (has_empty_dir, args.delete_emptydir_data, "with local storage", "--delete-emptydir-data"),
        (|pod| controller_of(&pod.metadata).is_none(), args.force, "that declare no controller", "--force"),
    ];
    let mut refused = Vec::new();
    let mut left: Vec<&Pod> = pods.iter().filter(|pod| !is_pod_finished(pod)).collect();
    for (applies, is_wanted, what, flag) in rules {
        let (which, others): (Vec<&Pod>, Vec<&Pod>) = left.iter().partition(|pod| applies(pod));
        let list = which.iter().map(|pod| key(&pod.metadata).to_string()).collect::<Vec<_>>().join(", ");
        if list.is_empty() {
            continue;
        }
        if is_wanted {
            warn(&format!("deleting Pods {what}: {list}"));
        } else {
            left = others;
            refused.push(format!("cannot delete Pods {what} (use {flag} to override): {list}"));
        }
    }
    refused.sort();
    refused
}

fn has_empty_dir(pod: &Pod) -> bool {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_ref());
    volumes.into_iter().flatten().any(|volume| volume.empty_dir.is_some())
}

/// The pods that are on the node and not about to go.
fn pods_of_node(reader: &impl Read, selectors: &Selectors) -> Result<Vec<Pod>> {
    let mut pods = Vec::new();
    for found in reader.list(Kind::Pod, None, selectors)? {
        let pod: Pod = found.parse()?;
        if is_bound(&pod) && pod.metadata.deletion_timestamp.is_none() {
            pods.push(pod);
        }
    }
    pods.sort_by_key(|pod| -> Key { key(&pod.metadata) });
    Ok(pods)
}
