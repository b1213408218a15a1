//! The scheduler: which pods go to the one node there is.

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::pods::{bind, leave_pending, pod_reference, scheduled_event, wait_for_gates, wait_for_node};
use super::room::{Demand, is_about_room};
use super::{Action, World};
use crate::api::conditions::{is_gated, is_pod_finished, pod_condition};
use crate::api::devices::{Devices, lease};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{key, namespace};
use crate::api::nodes::{asks_for_node, fits_node, tolerates_cordon};
use crate::api::{Pod, PodSpec};

/// Whether a pod has its place on this node. One that names a node which is not this one has none.
pub fn is_bound(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some())
        && pod_condition(pod, "PodScheduled").is_none_or(|condition| condition.status == "True")
}

/// Whether a pod waits for a node, and may have one.
pub(super) fn is_unscheduled(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && !is_pod_finished(pod) && !is_bound(pod) && !is_gated(pod)
}

/// Assigns a new pod to the node, or leaves it Pending where the node is not for it; the Event says so. Where it needs room,
/// which other pods may have, it waits for the scheduler of the controller, and nothing is said yet.
pub fn schedule(world: &World, pod: &mut Pod, now: DateTime<Utc>) -> Option<EventRecord> {
    if is_gated(pod) {
        wait_for_gates(pod, now);
        return None;
    }
    let refused = obstacle(world, pod);
    let needs_room =
        || pod.spec.as_ref().is_some_and(|spec| !Demand::of(spec, &world.settings.limits).is_empty());
    if refused.is_none() && needs_room() {
        leave_pending(pod, now);
        return None;
    }
    Some(settle(world, pod, refused.map(|why| unavailable(&why)), now))
}

/// Binds a pod, or says why it waits.
fn settle(world: &World, pod: &mut Pod, message: Option<String>, now: DateTime<Utc>) -> EventRecord {
    let Some(message) = message else {
        let node = &world.settings.node_name;
        bind(pod, node, now);
        return scheduled_event(pod, node, now);
    };
    wait_for_node(pod, &message, now);
    EventRecord::new(pod_reference(pod), "Warning", "default-scheduler", "FailedScheduling", message, now)
}

/// What a pod without a place has been told.
fn told(pod: &Pod) -> Option<&str> {
    pod_condition(pod, "PodScheduled").and_then(|condition| condition.message.as_deref())
}

/// Whether the last word on a pod is that it waits for room.
pub(super) fn is_told_of_room(pod: &Pod) -> bool {
    told(pod).is_some_and(is_about_room)
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

/// Pods that wait for the node: admitted where there is room now, by priority and then the oldest first, or told why not
/// where that has changed. Of those that wait for room only the first of each kind are told again: a queue costs nothing.
pub(super) fn schedule_waiting(world: &World, now: DateTime<Utc>, actions: &mut Vec<Action>) {
    if world.unscheduled().next().is_none() {
        return;
    }
    // What this plan does to a pod already is not undone.
    let changed: BTreeSet<Key> = actions
        .iter()
        .filter_map(|action| match action {
            Action::UpdatePod(pod) => Some(key(&pod.metadata)),
            Action::RemovePod(key) => Some(key.clone()),
            _ => None,
        })
        .collect();
    let refused = RefCell::new(BTreeSet::new());
    let admissions = world.room().admissions(|key| {
        let may_start =
            !changed.contains(key) && world.live_pod(key).is_some_and(|pod| obstacle(world, pod).is_none());
        if !may_start {
            refused.borrow_mut().insert(key.clone());
        }
        may_start
    });
    let mut verdicts: Vec<(&Key, Option<String>)> = Vec::new();
    let (mut leased, mut given) = (BTreeMap::new(), Devices::new());
    for key in &admissions.admitted {
        let spec = world.live_pod(key).and_then(|pod| pod.spec.as_ref());
        // Where a device is about to be given back, its next pod comes a moment later.
        let Some(devices) = spec.and_then(|spec| world.choose_devices(spec, &mut given)) else { continue };
        leased.insert(*key, devices);
        verdicts.push((key, None));
    }
    let admitted: BTreeSet<&Key> = admissions.admitted.iter().copied().collect();
    let refused = refused.into_inner();
    let mut looked_at: BTreeSet<&Key> = world.unsettled().chain(&refused).collect();
    looked_at.extend(admissions.first_of_each());
    for key in looked_at {
        let Some(pod) = world.live_pod(key).filter(|_| !admitted.contains(key) && !changed.contains(key))
        else {
            continue;
        };
        let message = match obstacle(world, pod) {
            Some(why) => Some(unavailable(&why)),
            None if !world.room().awaits(key) => None,
            None => match admissions.why(key) {
                Some(why) => Some(why),
                None => continue,
            },
        };
        if message.is_none() || message.as_deref() != told(pod) {
            verdicts.push((key, message));
        }
    }
    for (key, message) in verdicts {
        let Some(pod) = world.live_pod(key) else { continue };
        let mut pod = Pod::clone(pod);
        let event = settle(world, &mut pod, message, now);
        if let Some(devices) = leased.get(key) {
            lease(&mut pod, devices);
        }
        actions.push(Action::RecordEvent(event));
        actions.push(Action::UpdatePod(Box::new(pod)));
    }
}
