//! The scheduler: which pods go to the one node there is.

use chrono::{DateTime, Utc};

use super::pods::{bind, pod_reference, scheduled_event, wait_for_node};
use super::{Action, World};
use crate::api::Pod;
use crate::api::conditions::is_pod_finished;
use crate::api::events::EventRecord;

/// Why no node takes a pod when the only one is cordoned (upstream's sentence for one node).
const CORDONED: &str = "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: \
                        1 Preemption is not helpful for scheduling.";

/// Whether a pod still waits for a node.
pub(super) fn is_unscheduled(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none()
        && !is_pod_finished(pod)
        && pod.spec.as_ref().is_none_or(|spec| spec.node_name.is_none())
}

/// Assigns a new pod to the node, or leaves it Pending where the node takes none. Returns the Event that says so.
pub fn schedule(world: &World, pod: &mut Pod, now: DateTime<Utc>) -> EventRecord {
    let node = &world.settings.node_name;
    if world.is_schedulable() {
        bind(pod, node, now);
        return scheduled_event(pod, node, now);
    }
    wait_for_node(pod, CORDONED, now);
    EventRecord::new(
        pod_reference(pod),
        "Warning",
        "default-scheduler",
        "FailedScheduling",
        CORDONED.to_owned(),
        now,
    )
}

/// Pods that waited for the node, now that it takes them.
pub(super) fn schedule_waiting(world: &World, now: DateTime<Utc>, actions: &mut Vec<Action>) {
    if !world.is_schedulable() {
        return;
    }
    for pod in world.unscheduled() {
        let mut pod = Pod::clone(pod);
        let event = schedule(world, &mut pod, now);
        actions.push(Action::RecordEvent(event));
        actions.push(Action::UpdatePod(Box::new(pod)));
    }
}
