//! Taking a supervisor's report into the stored pod, with the Events that tell what happened (4.6).

#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{ContainerStatus, HostIP, PodIP, PodStatus};

use super::run::FAILED_MOUNT;
use super::status::ADDRESS;
use crate::api::Pod;
use crate::api::conditions::{is_pod_finished, set_pod_condition};
use crate::api::events::EventRecord;
use crate::api::meta::{name, namespace, uid};
use crate::controller::pods::pod_reference;

/// The component that Events of this room name.
const SOURCE: &str = "kubelet";

/// The pod with the reported status, and the Events of what has changed. A pod that has ended stays as it is.
pub fn take_report(pod: &Pod, reported: &PodStatus, now: DateTime<Utc>) -> Option<(Pod, Vec<EventRecord>)> {
    if is_pod_finished(pod) {
        return None;
    }
    let old = pod.status.clone().unwrap_or_default();
    let mut status = reported.clone();
    status.qos_class.clone_from(&old.qos_class);
    status.host_ip = Some(ADDRESS.into());
    status.host_ips = Some(vec![HostIP { ip: ADDRESS.into() }]);
    let address = status.pod_ip.get_or_insert_with(|| ADDRESS.into()).clone();
    status.pod_ips = Some(vec![PodIP { ip: address }]);
    let conditions = status.conditions.get_or_insert_default();
    for kept in old.conditions.iter().flatten() {
        if !conditions.iter().any(|condition| condition.type_ == kept.type_) {
            conditions.push(kept.clone());
        }
    }
    if !conditions.iter().any(|condition| condition.type_ == "PodScheduled") {
        set_pod_condition(conditions, "PodScheduled", true, "", "", now);
    }
    let mut events = Vec::new();
    let main = ("spec.containers", &old.container_statuses, &status.container_statuses);
    let init = ("spec.initContainers", &old.init_container_statuses, &status.init_container_statuses);
    for (path, before, after) in [init, main] {
        for container in after.iter().flatten() {
            let before = before.iter().flatten().find(|earlier| earlier.name == container.name);
            container_events(pod, path, before, container, now, &mut events);
        }
    }
    let of_pod = [("Normal", "DeadlineExceeded"), ("Warning", "Evicted")];
    let ended = of_pod.into_iter().find(|(_, reason)| status.reason.as_deref() == Some(*reason));
    if let Some((type_, reason)) = ended.filter(|_| old.reason.is_none()) {
        let message = status.message.clone().unwrap_or_default();
        events.push(EventRecord::new(pod_reference(pod), type_, SOURCE, reason, message, now));
    }
    let mut pod = pod.clone();
    pod.status = Some(status);
    Some((pod, events))
}

/// The Event of a container that is told to stop.
pub fn killing_event(pod: &Pod, path: &str, container: &str, now: DateTime<Utc>) -> EventRecord {
    event(pod, path, container, "Normal", "Killing", format!("Stopping container {container}"), now)
}

/// An Event of a container, as its supervisor tells it.
pub fn container_event(
    pod: &Pod,
    container: &str,
    (type_, reason): (&str, &str),
    message: String,
    now: DateTime<Utc>,
) -> EventRecord {
    let inits = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref());
    let is_init = inits.into_iter().flatten().any(|one| one.name == container);
    let path = if is_init { "spec.initContainers" } else { "spec.containers" };
    event(pod, path, container, type_, reason, message, now)
}

/// The Event of a pod whose volumes cannot be made.
pub fn failed_mount_event(pod: &Pod, message: String, now: DateTime<Utc>) -> EventRecord {
    EventRecord::new(pod_reference(pod), "Warning", SOURCE, FAILED_MOUNT, message, now)
}

fn event(
    pod: &Pod,
    path: &str,
    container: &str,
    type_: &str,
    reason: &str,
    message: String,
    now: DateTime<Utc>,
) -> EventRecord {
    let mut about = pod_reference(pod);
    about.field_path = Some(format!("{path}{{{container}}}"));
    EventRecord::new(about, type_, SOURCE, reason, message, now)
}

/// How often a container has been started, or tried to.
fn starts(container: &ContainerStatus) -> i32 {
    container.restart_count + i32::from(container.container_id.is_some())
}

fn container_events(
    pod: &Pod,
    path: &str,
    before: Option<&ContainerStatus>,
    after: &ContainerStatus,
    now: DateTime<Utc>,
    events: &mut Vec<EventRecord>,
) {
    let started = starts(after) - before.map_or(0, starts);
    let mut tell = |type_: &str, reason: &str, message: String, count: i32| {
        let mut told = event(pod, path, &after.name, type_, reason, message, now);
        told.count = count;
        events.push(told);
    };
    if started > 0 {
        tell("Normal", "Created", format!("Created container: {}", after.name), started);
        let end = after
            .state
            .as_ref()
            .and_then(|state| state.terminated.as_ref())
            .or_else(|| after.last_state.as_ref()?.terminated.as_ref());
        match end.filter(|end| matches!(end.reason.as_deref(), Some("StartError" | "CreateContainerError"))) {
            Some(end) => {
                let message = format!("Error: {}", end.message.as_deref().unwrap_or_default());
                tell("Warning", "Failed", message, started);
            }
            None => tell("Normal", "Started", format!("Started container {}", after.name), started),
        }
    }
    let waiting = |status: &ContainerStatus| {
        status.state.as_ref().and_then(|state| state.waiting.as_ref()?.reason.clone()).unwrap_or_default()
    };
    let reason = waiting(after);
    if reason == before.map(waiting).unwrap_or_default() {
        return;
    }
    let image = &after.image;
    let message =
        || after.state.as_ref().and_then(|state| state.waiting.as_ref()?.message.clone()).unwrap_or_default();
    match reason.as_str() {
        "CrashLoopBackOff" => {
            let pod_name =
                format!("{}_{}({})", name(&pod.metadata), namespace(&pod.metadata), uid(&pod.metadata));
            let message = format!("Back-off restarting failed container {} in pod {pod_name}", after.name);
            tell("Warning", "BackOff", message, 1);
        }
        "ErrImagePull" => {
            tell("Normal", "Pulling", format!("Pulling image {image:?}"), 1);
            tell("Warning", "Failed", format!("Failed to pull image {image:?}: {}", message()), 1);
            tell("Warning", "Failed", "Error: ErrImagePull".into(), 1);
        }
        "ImagePullBackOff" => {
            tell("Normal", "BackOff", format!("Back-off pulling image {image:?}"), 1);
            tell("Warning", "Failed", "Error: ImagePullBackOff".into(), 1);
        }
        "ErrImageNeverPull" => {
            tell("Warning", "ErrImageNeverPull", message(), 1);
            tell("Warning", "Failed", "Error: ErrImageNeverPull".into(), 1);
        }
        "InvalidImageName" => {
            tell("Warning", "InspectFailed", message(), 1);
            tell("Warning", "Failed", "Error: InvalidImageName".into(), 1);
        }
        "CreateContainerConfigError" => tell("Warning", "Failed", format!("Error: {}", message()), 1),
        _ => {}
    }
}
