//! The description of a Node, with what its pods ask of it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, NodeStatus, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Describe, Output, Related, line, set};
use crate::api::conditions::is_pod_finished;
use crate::api::quantity::{canonical, nanos, written_like};
use crate::printers::duration::age;
use crate::printers::rows::node_roles;

type Resources = BTreeMap<String, Quantity>;

/// The resources in the summary.
const SUMMARY: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// There are no leases here, so the line with upstream's is not.
impl Describe for Node {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        let metadata = &self.metadata;
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        line!(out, 0, "Name:\t{}", metadata.name.as_deref().unwrap_or_default());
        let labels = metadata.labels.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str()));
        line!(out, 0, "Roles:\t{}", node_roles(labels));
        out.labels("", "Labels", metadata.labels.as_ref());
        out.annotations("", metadata.annotations.as_ref());
        line!(out, 0, "CreationTimestamp:\t{}", out.time(metadata.creation_timestamp.as_ref()));
        let mut head = "Taints:\t";
        for taint in spec.taints.iter().flatten() {
            let value = set(taint.value.as_ref()).map(|value| format!("={value}")).unwrap_or_default();
            line!(out, 0, "{head}{}{value}:{}", taint.key, taint.effect);
            head = "\t";
        }
        if head != "\t" {
            line!(out, 0, "{head}<none>");
        }
        line!(out, 0, "Unschedulable:\t{}", spec.unschedulable.unwrap_or(false));
        conditions_and_addresses(out, &status);
        resources(out, "Capacity", status.capacity.as_ref());
        resources(out, "Allocatable", status.allocatable.as_ref());
        system(out, &status);
        if let Some(range) = set(spec.pod_cidr.as_ref()) {
            line!(out, 0, "PodCIDR:\t{range}");
        }
        if let Some(ranges) = spec.pod_cidrs.filter(|ranges| !ranges.is_empty()) {
            line!(out, 0, "PodCIDRs:\t{}", ranges.join(","));
        }
        if let Some(id) = set(spec.provider_id.as_ref()) {
            line!(out, 0, "ProviderID:\t{id}");
        }
        let allocatable = status.allocatable.or(status.capacity).unwrap_or_default();
        let pods: Vec<&Pod> = related.pods.iter().filter(|pod| !is_pod_finished(pod)).collect();
        pods_and_sums(out, &pods, &allocatable);
    }
}

fn conditions_and_addresses(out: &mut Output<'_>, status: &NodeStatus) {
    if let Some(conditions) = status.conditions.as_ref().filter(|all| !all.is_empty()) {
        line!(out, 0, "Conditions:");
        line!(out, 1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
        line!(out, 1, "----\t------\t-----------------\t------------------\t------\t-------");
        for condition in conditions {
            line!(
                out,
                1,
                "{} \t{} \t{} \t{} \t{} \t{}",
                condition.type_,
                condition.status,
                out.time(condition.last_heartbeat_time.as_ref()),
                out.time(condition.last_transition_time.as_ref()),
                condition.reason.as_deref().unwrap_or_default(),
                condition.message.as_deref().unwrap_or_default()
            );
        }
    }
    line!(out, 0, "Addresses:");
    for address in status.addresses.iter().flatten() {
        line!(out, 1, "{}:\t{}", address.type_, address.address);
    }
}

fn resources(out: &mut Output<'_>, title: &str, amounts: Option<&Resources>) {
    let Some(amounts) = amounts.filter(|amounts| !amounts.is_empty()) else { return };
    line!(out, 0, "{title}:");
    for (resource, amount) in amounts {
        line!(out, 1, "{resource}:\t{}", canonical(&amount.0));
    }
}

fn system(out: &mut Output<'_>, status: &NodeStatus) {
    let info = status.node_info.clone().unwrap_or_default();
    line!(out, 0, "System Info:");
    for (title, text) in [
        ("Machine ID", &info.machine_id),
        ("System UUID", &info.system_uuid),
        ("Boot ID", &info.boot_id),
        ("Kernel Version", &info.kernel_version),
        ("OS Image", &info.os_image),
        ("Operating System", &info.operating_system),
        ("Architecture", &info.architecture),
        ("Container Runtime Version", &info.container_runtime_version),
        ("Kubelet Version", &info.kubelet_version),
        ("Kube-Proxy Version", &info.kube_proxy_version),
    ] {
        line!(out, 1, "{title}:\t{text}");
    }
}

fn pods_and_sums(out: &mut Output<'_>, pods: &[&Pod], allocatable: &Resources) {
    line!(out, 0, "Non-terminated Pods:\t({} in total)", pods.len());
    line!(out, 1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    line!(out, 1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let mut sums: BTreeMap<(&str, Side), Amount> = BTreeMap::new();
    for pod in pods {
        let mut cells = Vec::new();
        for resource in SUMMARY {
            for side in [Side::Requests, Side::Limits] {
                let amount = asked_by(pod, resource, side);
                cells.push(amount.share_of(allocatable.get(resource)));
                sums.entry((resource, side)).or_default().add(&amount);
            }
        }
        line!(
            out,
            1,
            "{}\t{}\t\t{}\t{}",
            pod.metadata.namespace.as_deref().unwrap_or_default(),
            pod.metadata.name.as_deref().unwrap_or_default(),
            cells[..4].join("\t"),
            age(pod.metadata.creation_timestamp.as_ref().map(|time| time.0), out.now)
        );
    }
    line!(out, 0, "Allocated resources:");
    line!(out, 1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    line!(out, 1, "Resource\tRequests\tLimits");
    line!(out, 1, "--------\t--------\t------");
    for resource in SUMMARY {
        let mut share =
            |side| sums.remove(&(resource, side)).unwrap_or_default().share_of(allocatable.get(resource));
        line!(out, 1, "{resource}\t{}\t{}", share(Side::Requests), share(Side::Limits));
    }
    // Extended resources come without shares.
    for resource in allocatable.keys().filter(|name| name.contains('/')) {
        let sum = |side| {
            let mut sum = Amount::default();
            pods.iter().for_each(|pod| sum.add(&asked_by(pod, resource, side)));
            written_like(sum.nanos, &sum.like)
        };
        line!(out, 1, "{resource}\t{}\t{}", sum(Side::Requests), sum(Side::Limits));
    }
}

/// The two halves of a container's resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Requests,
    Limits,
}

/// A sum of quantities, written in the manner of the first that was not zero.
#[derive(Clone, Debug, Default)]
struct Amount {
    nanos: i128,
    like: String,
}

impl Amount {
    fn add(&mut self, other: &Self) {
        if self.nanos == 0 {
            self.like.clone_from(&other.like);
        }
        self.nanos = self.nanos.saturating_add(other.nanos);
    }

    fn raise_to(&mut self, other: &Self) {
        if other.nanos > self.nanos {
            *self = other.clone();
        }
    }

    /// `100m (5%)`: the amount, and its part of all there is, cut to a whole number.
    fn share_of(&self, all: Option<&Quantity>) -> String {
        let all = all.and_then(|quantity| nanos(&quantity.0)).unwrap_or(0);
        let percent = if all == 0 { 0 } else { self.nanos.saturating_mul(100) / all };
        format!("{} ({percent}%)", written_like(self.nanos, &self.like))
    }
}

/// What a pod asks for: the sum over containers that run side by side, or more where an init container needs more.
fn asked_by(pod: &Pod, resource: &str, side: Side) -> Amount {
    let spec = pod.spec.clone().unwrap_or_default();
    let mut together = Amount::default();
    for container in &spec.containers {
        together.add(&asked(container, resource, side));
    }
    let mut sidecars = Amount::default();
    let mut alone = Amount::default();
    for container in spec.init_containers.iter().flatten() {
        let mut amount = asked(container, resource, side);
        if container.restart_policy.as_deref() == Some("Always") {
            together.add(&amount);
            sidecars.add(&amount);
            amount = sidecars.clone();
        } else {
            amount.add(&sidecars);
        }
        alone.raise_to(&amount);
    }
    together.raise_to(&alone);
    together
}

fn asked(container: &Container, resource: &str, side: Side) -> Amount {
    let half = |resources: &ResourceRequirements| match side {
        Side::Requests => resources.requests.clone(),
        Side::Limits => resources.limits.clone(),
    };
    let text = container
        .resources
        .as_ref()
        .and_then(half)
        .and_then(|mut amounts| amounts.remove(resource))
        .map(|quantity| quantity.0)
        .unwrap_or_default();
    Amount { nanos: nanos(&text).unwrap_or(0), like: text }
}
