//! A pod's status from the states of its containers (kubernetes-behaviour 4.1, 4.2, 4.5).

#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, Utc};
use k8s_openapi::api::core::v1::{
    ContainerState as ApiState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, PodStatus,
};

use super::restart::{is_restarted, restart_delay};
use super::run::FAILED_MOUNT;
use super::{Blocked, ContainerPhase, ContainerRun, ContainerState, PodRun, Role, Terminated};
use crate::api::Pod;
use crate::api::conditions::set_pod_condition;
use crate::api::durations;
use crate::api::meta::{name, namespace, time, uid};

/// The address of the host.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// What happened to the pod as a whole, beyond its containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    None,
    /// It ran longer than its own `activeDeadlineSeconds`.
    DeadlineExceeded,
    /// One of its volumes, by its number, holds more than it may.
    Evicted {
        /// The volume.
        volume: usize,
    },
}

/// The status that a supervisor reports: phase, start time, conditions and containers. `previous` keeps the times
/// of conditions that did not change.
pub fn pod_status(
    run: &PodRun,
    states: &[ContainerState],
    finished: bool,
    verdict: Verdict,
    started_at: DateTime<Utc>,
    previous: Option<&PodStatus>,
    now: DateTime<Utc>,
) -> PodStatus {
    let initialized = run.containers.iter().zip(states).all(|(container, state)| match container.role {
        Role::Main => true,
        Role::Init => state.terminated().is_some_and(|how| how.exit_code == 0),
        Role::Sidecar => {
            (state.is_running() && state.is_started) || state.last.is_some() || state.terminated().is_some()
        }
    });
    let statuses = |of_main: bool| {
        let all: Vec<ContainerStatus> = run
            .containers
            .iter()
            .zip(states)
            .filter(|(container, _)| (container.role == Role::Main) == of_main)
            .map(|(container, state)| container_status(run, container, state, initialized, finished, now))
            .collect();
        (!all.is_empty()).then_some(all)
    };
    let phase = phase(run, states, initialized, finished, verdict);
    let mut status = PodStatus {
        phase: Some(phase.into()),
        start_time: Some(time(started_at)),
        pod_ip: Some(run.address.clone()).filter(|address| !address.is_empty()),
        container_statuses: statuses(true),
        init_container_statuses: statuses(false),
        conditions: previous.and_then(|status| status.conditions.clone()),
        ..PodStatus::default()
    };
    if let Some((reason, message)) = told(run, verdict) {
        status.reason = Some(reason.into());
        status.message = Some(message);
    }
    set_conditions(&mut status, initialized, phase, now);
    status
}

/// The reason and the message of a pod that was ended as a whole.
fn told(run: &PodRun, verdict: Verdict) -> Option<(&'static str, String)> {
    match verdict {
        Verdict::None => None,
        Verdict::DeadlineExceeded => {
            let message = "Pod was active on the node longer than the specified deadline";
            Some(("DeadlineExceeded", message.into()))
        }
        Verdict::Evicted { volume } => {
            let volume = run.volumes.get(volume)?;
            let limit = volume.limit.as_ref().map_or("", |limit| &limit.text);
            // Its space at the end is upstream's.
            let message = format!("Usage of EmptyDir volume {:?} exceeds the limit {limit:?}. ", volume.name);
            Some(("Evicted", message))
        }
    }
}

fn phase(
    run: &PodRun,
    states: &[ContainerState],
    initialized: bool,
    finished: bool,
    verdict: Verdict,
) -> &'static str {
    if finished {
        let succeeded = verdict == Verdict::None
            && initialized
            && run
                .containers
                .iter()
                .zip(states)
                .filter(|(container, _)| container.role == Role::Main)
                .all(|(_, state)| state.terminated().is_some_and(|how| how.exit_code == 0));
        return if succeeded { "Succeeded" } else { "Failed" };
    }
    let any_main_started = run
        .containers
        .iter()
        .zip(states)
        .any(|(container, state)| container.role == Role::Main && state.phase != ContainerPhase::Waiting);
    if initialized && any_main_started { "Running" } else { "Pending" }
}

fn set_conditions(status: &mut PodStatus, initialized: bool, phase: &str, now: DateTime<Utc>) {
    let finished = matches!(phase, "Succeeded" | "Failed");
    let unready: Vec<&str> = status
        .container_statuses
        .iter()
        .flatten()
        .filter(|container| !container.ready)
        .map(|container| container.name.as_str())
        .collect();
    let ready = !finished && initialized && unready.is_empty();
    let (reason, message) = match phase {
        "Succeeded" => ("PodCompleted", String::new()),
        "Failed" => ("PodFailed", String::new()),
        _ if ready => ("", String::new()),
        _ => ("ContainersNotReady", format!("containers with unready status: [{}]", unready.join(" "))),
    };
    let incomplete: Vec<&str> = status
        .init_container_statuses
        .iter()
        .flatten()
        .filter(|container| !container.ready)
        .map(|container| container.name.as_str())
        .collect();
    let (initialized_reason, initialized_message) = match (phase, initialized) {
        ("Succeeded", _) => ("PodCompleted", String::new()),
        (_, true) => ("", String::new()),
        (_, false) => (
            "ContainersNotInitialized",
            format!("containers with incomplete status: [{}]", incomplete.join(" ")),
        ),
    };
    let conditions = status.conditions.get_or_insert_default();
    set_pod_condition(conditions, "PodReadyToStartContainers", !finished, "", "", now);
    set_pod_condition(conditions, "Initialized", initialized, initialized_reason, &initialized_message, now);
    set_pod_condition(conditions, "Ready", ready, reason, &message, now);
    set_pod_condition(conditions, "ContainersReady", ready, reason, &message, now);
}

fn container_status(
    run: &PodRun,
    container: &ContainerRun,
    state: &ContainerState,
    initialized: bool,
    pod_finished: bool,
    now: DateTime<Utc>,
) -> ContainerStatus {
    let running = state.is_running();
    let mut last = state.last.as_ref();
    let shown = match &state.phase {
        ContainerPhase::Waiting if container.role == Role::Main && !initialized => {
            waiting("PodInitializing", None)
        }
        ContainerPhase::Waiting if container.role == Role::Main => waiting("ContainerCreating", None),
        ContainerPhase::Waiting => waiting("PodInitializing", None),
        ContainerPhase::Running { started_at } => ApiState {
            running: Some(ContainerStateRunning { started_at: Some(time(*started_at)) }),
            ..ApiState::default()
        },
        ContainerPhase::Terminated { how } => match back_off(run, container, state, pod_finished, now) {
            Some(message) => {
                last = Some(how);
                waiting("CrashLoopBackOff", Some(message))
            }
            None => terminated_state(run, container, state.restart_count, how),
        },
    };
    let ever_started = running || state.terminated().is_some() || state.last.is_some();
    ContainerStatus {
        name: container.name.clone(),
        image: container.image.clone(),
        image_id: String::new(),
        container_id: ever_started.then(|| container_id(run, container, state.restart_count)),
        ready: match container.role {
            Role::Init => state.terminated().is_some_and(|how| how.exit_code == 0),
            Role::Sidecar | Role::Main => running && state.is_ready,
        },
        started: Some(running && state.is_started),
        restart_count: state.restart_count,
        state: Some(shown),
        last_state: last
            .map(|how| {
                // While it waits to be restarted the current run is the last one.
                let current = state.terminated().is_some_and(|ended| std::ptr::eq(ended, how));
                terminated_state(run, container, state.restart_count - i32::from(!current), how)
            })
            .or_else(|| Some(ApiState::default())),
        ..ContainerStatus::default()
    }
}

/// The text of CrashLoopBackOff, while a container waits to be started again.
fn back_off(
    run: &PodRun,
    container: &ContainerRun,
    state: &ContainerState,
    pod_finished: bool,
    now: DateTime<Utc>,
) -> Option<String> {
    let how = state.terminated()?;
    let again = is_restarted(run, container, how);
    let delay = restart_delay(state, run.backoff_base());
    (again && !pod_finished && delay > Duration::zero() && how.finished_at + delay > now).then(|| {
        format!(
            "back-off {} restarting failed container={} pod={}_{}({})",
            durations::to_string(delay),
            container.name,
            run.name,
            run.namespace,
            run.uid
        )
    })
}

fn waiting(reason: &str, message: Option<String>) -> ApiState {
    ApiState {
        waiting: Some(ContainerStateWaiting { reason: Some(reason.into()), message }),
        ..ApiState::default()
    }
}

fn terminated_state(run: &PodRun, container: &ContainerRun, restart: i32, how: &Terminated) -> ApiState {
    ApiState {
        terminated: Some(ContainerStateTerminated {
            container_id: Some(container_id(run, container, restart)),
            exit_code: how.exit_code,
            reason: Some(how.reason.clone()),
            message: how.message.clone(),
            started_at: Some(time(how.started_at.unwrap_or(DateTime::<Utc>::UNIX_EPOCH))),
            finished_at: Some(time(how.finished_at)),
            signal: None,
        }),
        ..ApiState::default()
    }
}

/// There is no container: the id names the run, as the log file does.
fn container_id(run: &PodRun, container: &ContainerRun, restart: i32) -> String {
    format!("jobctl://{}/{}/{restart}", run.uid, container.name)
}

/// How long a container shows ErrImagePull before it shows ImagePullBackOff: the first image back-off upstream.
const IMAGE_BACKOFF: Duration = Duration::seconds(10);
/// The longest image back-off.
const LONGEST_IMAGE_BACKOFF: Duration = Duration::seconds(300);

/// How long after a volume could not be made it is tried again, at least and at most.
const SHORTEST_MOUNT_DELAY: Duration = Duration::milliseconds(500);
const LONGEST_MOUNT_DELAY: Duration = Duration::seconds(122);

/// The status of a pod that cannot be started, and when it changes next.
pub fn blocked_status(
    pod: &Pod,
    blocked: &Blocked,
    now: DateTime<Utc>,
) -> (PodStatus, Option<DateTime<Utc>>) {
    let mut status = pod.status.clone().unwrap_or_default();
    let since = status.start_time.get_or_insert_with(|| time(now)).0;
    let (reason, message, wake) = match blocked.reason {
        "ErrImagePull" if now - since >= IMAGE_BACKOFF => {
            // As upstream pulls again: what the image runs may have been said since.
            let again = now + (now - since).clamp(IMAGE_BACKOFF, LONGEST_IMAGE_BACKOFF);
            let image = image_of(pod, &blocked.container);
            let message = format!("Back-off pulling image {image:?}: ErrImagePull: {}", blocked.message);
            ("ImagePullBackOff", message, Some(again))
        }
        FAILED_MOUNT => {
            // The longer it has waited, the longer it waits, as upstream: from half a second to two minutes.
            let waited = (now - since).clamp(SHORTEST_MOUNT_DELAY, LONGEST_MOUNT_DELAY);
            ("", String::new(), Some(now + waited))
        }
        reason => {
            let wake = (reason == "ErrImagePull").then(|| since + IMAGE_BACKOFF);
            (reason, blocked.message.clone(), wake)
        }
    };
    let spec = pod.spec.clone().unwrap_or_default();
    // The others wait for this one, or for the init containers before them.
    let others = if spec.init_containers.is_some() { "PodInitializing" } else { "ContainerCreating" };
    let names = |containers: &[crate::api::Container]| {
        containers
            .iter()
            .map(|container| ContainerStatus {
                name: container.name.clone(),
                image: container.image.clone().unwrap_or_default(),
                started: Some(false),
                last_state: Some(ApiState::default()),
                state: Some(if container.name == blocked.container {
                    waiting(reason, Some(message.clone()))
                } else {
                    waiting(others, None)
                }),
                ..ContainerStatus::default()
            })
            .collect::<Vec<_>>()
    };
    status.container_statuses = Some(names(&spec.containers));
    status.init_container_statuses = spec.init_containers.as_deref().map(names);
    let list = spec.containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(" ");
    let message = format!("containers with unready status: [{list}]");
    let conditions = status.conditions.get_or_insert_default();
    set_pod_condition(conditions, "Ready", false, "ContainersNotReady", &message, now);
    set_pod_condition(conditions, "ContainersReady", false, "ContainersNotReady", &message, now);
    (status, wake)
}

fn image_of(pod: &Pod, container: &str) -> String {
    let spec = pod.spec.as_ref();
    let all =
        spec.into_iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    all.filter(|one| one.name == container).find_map(|one| one.image.clone()).unwrap_or_default()
}

/// The status of a pod whose supervisor died without a final report: its processes have been killed, how they would
/// have ended nobody knows, so no exit code is invented (137 is what upstream gives a container it cannot locate).
pub fn lost_status(pod: &Pod, now: DateTime<Utc>) -> PodStatus {
    let mut status = pod.status.clone().unwrap_or_default();
    status.phase = Some("Failed".into());
    status.reason = Some("NodeLost".into());
    status.message = Some(format!(
        "the supervisor of pod {}/{} ({}) ended without a report; its processes were killed",
        namespace(&pod.metadata),
        name(&pod.metadata),
        uid(&pod.metadata)
    ));
    let init = status.init_container_statuses.iter_mut().flatten();
    for container in init.chain(status.container_statuses.iter_mut().flatten()) {
        // An init container that has done its work stays ready.
        if container.state.as_ref().is_some_and(|state| state.terminated.is_some()) {
            continue;
        }
        container.ready = false;
        container.started = Some(false);
        let running = container.state.as_ref().and_then(|state| state.running.as_ref());
        let started_at = running.and_then(|running| running.started_at.clone());
        container.state = Some(ApiState {
            terminated: Some(ContainerStateTerminated {
                exit_code: 137,
                reason: Some("ContainerStatusUnknown".into()),
                message: Some("The container could not be located when the pod was terminated".into()),
                started_at,
                finished_at: Some(time(now)),
                container_id: container.container_id.clone(),
                signal: None,
            }),
            ..ApiState::default()
        });
    }
    let conditions = status.conditions.get_or_insert_default();
    set_pod_condition(
        conditions,
        "DisruptionTarget",
        true,
        "DeletionByPodGC",
        "jobctl: the pod's supervisor is gone",
        now,
    );
    set_pod_condition(conditions, "Ready", false, "PodFailed", "", now);
    set_pod_condition(conditions, "ContainersReady", false, "PodFailed", "", now);
    status
}
