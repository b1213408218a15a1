//! The scheduler: which pods go to the one node there is.

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};

use super::pods::{bind, pod_reference, scheduled_event, wait_for_node};
use super::{Action, World};
use crate::api::conditions::{is_pod_finished, pod_condition};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::namespace;
use crate::api::nodes::{asks_for_node, fits_node, tolerates_cordon};
use crate::api::{Pod, PodSpec};

/// Whether a pod has its place on this node. One that names a node which is not this one has none.
pub fn is_bound(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some())
        && pod_condition(pod, "PodScheduled").is_none_or(|condition| condition.status == "True")
}

/// Whether a pod still waits for a node.
pub(super) fn is_unscheduled(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_pod_finished(pod) && !is_bound(pod)
}

/// Assigns a new pod to the node, or leaves it Pending where the node is not for it. Returns the Event that says so.
pub fn schedule(world: &World, pod: &mut Pod, now: DateTime<Utc>) -> EventRecord {
    let Some(why) = obstacle(world, pod) else {
        let node = &world.settings.node_name;
        bind(pod, node, now);
        return scheduled_event(pod, node, now);
    };
    let message = unavailable(&why);
    wait_for_node(pod, &message, now);
    EventRecord::new(pod_reference(pod), "Warning", "default-scheduler", "FailedScheduling", message, now)
}

/// Why the node does not take a pod, in the order and the words of upstream's filters.
fn obstacle(world: &World, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let node = &world.settings.node_name;
    match &spec.node_name {
        // Who names the node has no need of a scheduler.
        Some(wanted) if wanted == node => return None,
        Some(_) => return Some("1 node(s) didn't match the requested node name".into()),
        None => {}
    }
    let namespace = namespace(&pod.metadata);
    let is_missing = |claim: &&str| world.claim_uid(&Key::new(namespace, claim)).is_none();
    if let Some(claim) = claims_of(spec).find(is_missing) {
        return Some(format!("persistentvolumeclaim {claim:?} not found"));
    }
    if world.is_cordoned() && !tolerates_cordon(spec) {
        return Some("1 node(s) were unschedulable".into());
    }
    if asks_for_node(spec) && !fits_node(spec, node, &world.node_labels()) {
        return Some("1 node(s) didn't match Pod's node affinity/selector".into());
    }
    None
}

/// The claims that a pod names in its volumes.
pub fn claims_of(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let volumes = spec.volumes.iter().flatten();
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.as_str()))
}

/// Upstream's sentence for one node; waiting for others to end would not help.
fn unavailable(why: &str) -> String {
    format!(
        "0/1 nodes are available: {why}. preemption: 0/1 nodes are available: 1 Preemption is not helpful for \
         scheduling."
    )
}

/// Pods that wait for the node, where it takes them now or refuses them for another reason than before.
pub(super) fn schedule_waiting(world: &World, now: DateTime<Utc>, actions: &mut Vec<Action>) {
    for pod in world.unscheduled() {
        let told = pod_condition(pod, "PodScheduled").and_then(|condition| condition.message.as_deref());
        let why = obstacle(world, pod);
        if why.is_some_and(|why| told == Some(unavailable(&why).as_str())) {
            continue;
        }
        let mut pod = Pod::clone(pod);
        let event = schedule(world, &mut pod, now);
        actions.push(Action::RecordEvent(event));
        actions.push(Action::UpdatePod(Box::new(pod)));
    }
}
