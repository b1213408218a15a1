//! Rows of pods: READY, STATUS and RESTARTS are worked out from the containers' statuses.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::de::{Error as _, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Metadata, Row, Text, or_none, time};
use crate::printers::duration::human_duration;

/// A pod, whole or as [`listed_pod`] leaves it.
#[derive(Deserialize)]
struct PodSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    row: Option<PodRow<'a>>,
    #[serde(borrow)]
    spec: Option<PodSpec<'a>>,
    #[serde(borrow, default)]
    status: PodStatus<'a>,
}

/// What the row of a pod says beside its name and age.
#[derive(Deserialize, Serialize)]
struct PodRow<'a> {
    #[serde(borrow)]
    ready: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    restarts: Restarts,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    ip: Option<Text<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    node: Option<Text<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    nominated_node: Option<Text<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    readiness_gates: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec<'a> {
    containers: Vec<IgnoredAny>,
    #[serde(borrow)]
    init_containers: Option<Vec<InitContainer<'a>>>,
    #[serde(borrow)]
    node_name: Option<Text<'a>>,
    #[serde(borrow)]
    readiness_gates: Option<Vec<ReadinessGate<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InitContainer<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    restart_policy: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadinessGate<'a> {
    #[serde(borrow)]
    condition_type: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct PodStatus<'a> {
    #[serde(borrow)]
    phase: Option<Text<'a>>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow, rename = "podIP")]
    pod_ip: Option<Text<'a>>,
    #[serde(borrow)]
    nominated_node_name: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    ready: bool,
    started: Option<bool>,
    #[serde(default)]
    restart_count: i64,
    #[serde(borrow, default)]
    state: State<'a>,
    #[serde(borrow, default)]
    last_state: State<'a>,
}

#[derive(Deserialize, Default)]
struct State<'a> {
    #[serde(borrow)]
    waiting: Option<Waiting<'a>>,
    running: Option<IgnoredAny>,
    #[serde(borrow)]
    terminated: Option<Terminated<'a>>,
}

#[derive(Deserialize)]
struct Waiting<'a> {
    #[serde(borrow)]
    reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Terminated<'a> {
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    signal: i32,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    finished_at: Option<Text<'a>>,
}

impl Terminated<'_> {
    fn word(&self) -> String {
        match self.reason.as_deref() {
            Some(reason) if !reason.is_empty() => reason.to_owned(),
            _ if self.signal != 0 => format!("Signal:{}", self.signal),
            _ => format!("ExitCode:{}", self.exit_code),
        }
    }
}

/// Restart counts added up, and the latest end of a container that was started again.
#[derive(Default, Clone, Copy, Deserialize, Serialize)]
struct Restarts {
    count: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<DateTime<Utc>>,
}

impl Restarts {
    fn add(&mut self, container: &ContainerStatus<'_>) {
        self.count += container.restart_count;
        if let Some(terminated) = &container.last_state.terminated {
            self.last = self.last.max(time(terminated.finished_at.as_ref()));
        }
    }

    fn text(self, now: DateTime<Utc>) -> Cow<'static, str> {
        match self.last {
            _ if self.count == 0 => Cow::Borrowed("0"),
            Some(last) => format!("{} ({} ago)", self.count, human_duration(now - last)).into(),
            None => self.count.to_string().into(),
        }
    }
}

struct Summary<'a> {
    status: Cow<'a, str>,
    ready: usize,
    restarts: Restarts,
}

pub(super) fn pod<'a>(json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
    let (mut metadata, row) = read(json)?;
    let mut cells = vec![
        std::mem::take(&mut metadata.name),
        row.ready,
        row.status,
        row.restarts.text(now),
        metadata.age(now),
    ];
    if wide {
        cells.extend([
            or_none(row.ip),
            or_none(row.node),
            or_none(row.nominated_node),
            or_none(row.readiness_gates),
        ]);
    }
    Ok(metadata.row(cells))
}

/// What lists show of a pod whatever the time is: names, labels, creation and the cells of its row, as JSON of which
/// [`TableKind::row`](super::TableKind::row) and label selectors make the same as of the whole pod.
///
/// # Errors
/// The text is not a pod.
pub fn listed_pod(json: &str) -> serde_json::Result<String> {
    #[derive(Serialize)]
    struct Listed<'a> {
        metadata: &'a Metadata<'a>,
        row: &'a PodRow<'a>,
    }
    let (metadata, row) = read(json)?;
    serde_json::to_string(&Listed { metadata: &metadata, row: &row })
}

fn read(json: &str) -> serde_json::Result<(Metadata<'_>, PodRow<'_>)> {
    let PodSummary { metadata, row, spec, status } = serde_json::from_str(json)?;
    let row = match (row, spec) {
        (Some(row), _) => row,
        (None, Some(spec)) => pod_row(&metadata, spec, status),
        (None, None) => return Err(serde_json::Error::missing_field("spec")),
    };
    Ok((metadata, row))
}

fn pod_row<'a>(metadata: &Metadata<'_>, spec: PodSpec<'a>, mut status: PodStatus<'a>) -> PodRow<'a> {
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_sidecar(c)).count();
    let total = spec.containers.len() + sidecars;
    let readiness_gates = readiness_gates(&spec, &status);
    let summary = summarize(metadata, &spec, &mut status);
    PodRow {
        ready: ratio(summary.ready, total),
        status: summary.status,
        restarts: summary.restarts,
        ip: status.pod_ip,
        node: spec.node_name,
        nominated_node: status.nominated_node_name,
        readiness_gates,
    }
}

/// Nearly every pod has one container; its READY cells need no allocation.
fn ratio(ready: usize, total: usize) -> Cow<'static, str> {
    match (ready, total) {
        (0, 1) => Cow::Borrowed("0/1"),
        (1, 1) => Cow::Borrowed("1/1"),
        _ => format!("{ready}/{total}").into(),
    }
}

fn is_sidecar(container: &InitContainer<'_>) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn has_condition(status: &PodStatus<'_>, wanted: &str) -> bool {
    status.conditions.iter().flatten().any(|c| c.type_ == wanted && c.status == "True")
}

fn readiness_gates<'a>(spec: &PodSpec<'_>, status: &PodStatus<'_>) -> Option<Text<'a>> {
    let gates = spec.readiness_gates.as_deref().filter(|gates| !gates.is_empty())?;
    let open = gates.iter().filter(|gate| has_condition(status, &gate.condition_type)).count();
    Some(Text(format!("{open}/{}", gates.len()).into()))
}

/// Upstream's walk over the statuses: the first unfinished init container names the state; without one, the
/// first container that has something to say.
fn summarize<'a>(metadata: &Metadata<'_>, spec: &PodSpec<'_>, status: &mut PodStatus<'a>) -> Summary<'a> {
    let node_lost = status.reason.as_deref() == Some("NodeLost");
    let mut text = match status.reason.take() {
        Some(reason) if !reason.is_empty() => reason.0,
        _ => status.phase.take().map(|t| t.0).unwrap_or_default(),
    };
    let gated =
        |c: &Condition<'_>| c.type_ == "PodScheduled" && c.reason.as_deref() == Some("SchedulingGated");
    if status.conditions.iter().flatten().any(gated) {
        text = "SchedulingGated".into();
    }

    let init_containers = spec.init_containers.as_deref().unwrap_or_default();
    let (mut ready, mut init_restarts, mut sidecar_restarts) = (0, Restarts::default(), Restarts::default());
    let mut initializing = false;
    for (i, container) in status.init_container_statuses.iter().flatten().enumerate() {
        let sidecar = init_containers.iter().any(|c| c.name == container.name && is_sidecar(c));
        init_restarts.add(container);
        if sidecar {
            sidecar_restarts.add(container);
        }
        match (&container.state.terminated, &container.state.waiting) {
            (Some(terminated), _) if terminated.exit_code == 0 => continue,
            _ if sidecar && container.started == Some(true) => {
                ready += usize::from(container.ready);
                continue;
            }
            (Some(terminated), _) => text = format!("Init:{}", terminated.word()).into(),
            (None, Some(Waiting { reason: Some(reason) }))
                if !reason.is_empty() && &**reason != "PodInitializing" =>
            {
                text = format!("Init:{}", &**reason).into();
            }
            _ => text = format!("Init:{i}/{}", init_containers.len()).into(),
        }
        initializing = true;
        break;
    }

    let mut restarts = init_restarts;
    if !initializing || has_condition(status, "Initialized") {
        restarts = sidecar_restarts;
        let mut has_running = false;
        let pod_ready = has_condition(status, "Ready");
        for container in status.container_statuses.iter_mut().flatten().rev() {
            restarts.add(container);
            let waiting = container.state.waiting.as_mut().and_then(|w| w.reason.take());
            match (waiting, &mut container.state.terminated) {
                (Some(reason), _) if !reason.is_empty() => text = reason.0,
                (_, Some(terminated)) => {
                    text = match terminated.reason.take() {
                        Some(reason) if !reason.is_empty() => reason.0,
                        _ => terminated.word().into(),
                    }
                }
                _ if container.ready && container.state.running.is_some() => {
                    has_running = true;
                    ready += 1;
                }
                _ => {}
            }
        }
        if text == "Completed" && has_running {
            text = if pod_ready { "Running".into() } else { "NotReady".into() };
        }
    }

    if metadata.deletion_timestamp.is_some() {
        text = if node_lost { "Unknown".into() } else { "Terminating".into() };
    }
    Summary { status: text, ready, restarts }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::printers::rows::TableKind;

    fn cells(pod: &Value, wide: bool) -> Vec<String> {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:02:00Z").unwrap().to_utc();
        let json = pod.to_string();
        let row = |json: &str| -> Vec<String> {
            TableKind::Pod.row(json, now, wide).unwrap().cells.into_iter().map(Into::into).collect()
        };
        let cells = row(&json);
        assert_eq!(row(&listed_pod(&json).unwrap()), cells, "from the store's listing");
        cells
    }

    #[test]
    fn status_ready_and_restarts_follow_the_containers() {
        let waiting = |reason: &str| json!({"waiting": {"reason": reason}});
        let ended = |reason: &str, code: i32| json!({"terminated": {"reason": reason, "exitCode": code}});
        let running = json!({"running": {}});
        let one =
            |name: &str, state: &Value, ready: bool| json!([{"name": name, "ready": ready, "state": state}]);
        let init = json!([{"name": "i"}, {"name": "j"}]);
        for (sentence, init_containers, status, deleted, expected) in [
            ("no status yet", json!([]), json!({"phase": "Pending"}), false, "0/1 Pending 0"),
            (
                "being started",
                json!([]),
                json!({"phase": "Pending", "containerStatuses": one("c", &waiting("ContainerCreating"), false)}),
                false,
                "0/1 ContainerCreating 0",
            ),
            (
                "running",
                json!([]),
                json!({"phase": "Running", "containerStatuses": one("c", &running, true)}),
                false,
                "1/1 Running 0",
            ),
            (
                "completed is not ready",
                json!([]),
                json!({"phase": "Succeeded", "containerStatuses": one("c", &ended("Completed", 0), false)}),
                false,
                "0/1 Completed 0",
            ),
            (
                "no reason, a signal",
                json!([]),
                json!({"phase": "Failed", "containerStatuses": [
                    {"name": "c", "state": {"terminated": {"exitCode": 137, "signal": 9}}}]}),
                false,
                "0/1 Signal:9 0",
            ),
            (
                "no reason, an exit code",
                json!([]),
                json!({"phase": "Failed", "containerStatuses": one("c", &ended("", 3), false)}),
                false,
                "0/1 ExitCode:3 0",
            ),
            (
                "restarted a while ago",
                json!([]),
                json!({"phase": "Running", "containerStatuses": [{
                    "name": "c", "restartCount": 3, "state": waiting("CrashLoopBackOff"),
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-20T10:01:15Z"}}}]}),
                false,
                "0/1 CrashLoopBackOff 3 (45s ago)",
            ),
            (
                "the pod's reason stands where no container speaks",
                json!([]),
                json!({"phase": "Failed", "reason": "Evicted"}),
                false,
                "0/1 Evicted 0",
            ),
            (
                "one of two completed, the other runs",
                json!([]),
                json!({"phase": "Running", "containerStatuses": [
                    {"name": "c", "ready": false, "state": ended("Completed", 0)},
                    {"name": "d", "ready": true, "state": running}]}),
                false,
                "1/1 NotReady 0",
            ),
            (
                "first init container runs",
                init.clone(),
                json!({"phase": "Pending", "initContainerStatuses": [
                    {"name": "i", "state": running}, {"name": "j", "state": waiting("PodInitializing")}]}),
                false,
                "0/1 Init:0/2 0",
            ),
            (
                "second init container crashes",
                init.clone(),
                json!({"phase": "Pending", "initContainerStatuses": [
                    {"name": "i", "state": ended("Completed", 0)},
                    {"name": "j", "restartCount": 2, "state": waiting("CrashLoopBackOff")}],
                    "containerStatuses": one("c", &waiting("PodInitializing"), false)}),
                false,
                "0/1 Init:CrashLoopBackOff 2",
            ),
            (
                "init container failed",
                init,
                json!({"phase": "Failed", "initContainerStatuses": one("i", &ended("Error", 1), false)}),
                false,
                "0/1 Init:Error 0",
            ),
            (
                "a started sidecar counts",
                json!([{"name": "s", "restartPolicy": "Always"}]),
                json!({"phase": "Running",
                    "initContainerStatuses": [
                        {"name": "s", "ready": true, "started": true, "restartCount": 1, "state": running}],
                    "containerStatuses": one("c", &running, true)}),
                false,
                "2/2 Running 1",
            ),
            (
                "held by a scheduling gate",
                json!([]),
                json!({"phase": "Pending", "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}),
                false,
                "0/1 SchedulingGated 0",
            ),
            ("deleted", json!([]), json!({"phase": "Running"}), true, "0/1 Terminating 0"),
            (
                "deleted, its node lost",
                json!([]),
                json!({"phase": "Running", "reason": "NodeLost"}),
                true,
                "0/1 Unknown 0",
            ),
        ] {
            let pod = json!({
                "metadata": {"name": "p", "creationTimestamp": "2026-11-20T10:00:00Z",
                    "deletionTimestamp": if deleted { json!("2026-11-20T10:00:00Z") } else { Value::Null }},
                "spec": {"containers": [{"name": "c"}], "initContainers": init_containers},
                "status": status,
            });
            let cells = cells(&pod, false);
            assert_eq!(cells[1..4].join(" "), expected, "{sentence}");
            assert_eq!((cells[0].as_str(), cells[4].as_str()), ("p", "2m"));
        }
    }

    #[test]
    fn a_listed_pod_has_the_labels_of_the_whole_one_and_is_as_old() {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"annotations": {"long": "x"}, "creationTimestamp": "2026-11-20T10:00:00Z",
                "labels": {"a": "\u{e9}\"\\"}, "name": "p", "namespace": "n"},
            "spec": {"containers": [{"command": ["true"]}], "nodeName": "here"},
            "status": {"phase": "Failed", "containerStatuses": [
                {"name": "c", "restartCount": 2, "state": {"terminated": {"exitCode": 3}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-20T10:01:00Z"}}}]},
        });
        assert_eq!(
            listed_pod(&pod.to_string()).unwrap(),
            "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\",\
             \"creationTimestamp\":\"2026-11-20T10:00:00Z\",\"labels\":{\"a\":\"\u{e9}\\\"\\\\\"}},\
             \"row\":{\"ready\":\"0/1\",\"status\":\"ExitCode:3\",\
             \"restarts\":{\"count\":2,\"last\":\"2026-11-20T10:01:00Z\"},\"node\":\"here\"}}"
        );
        assert!(listed_pod("{\"metadata\":{\"name\":\"p\"}}").is_err(), "a pod without a spec is none");
    }

    #[test]
    fn wide_pods_say_where_they_are() {
        let mut pod = json!({
            "metadata": {"name": "p"},
            "spec": {"containers": [{}], "nodeName": "node1", "readinessGates": [{"conditionType": "a/b"}]},
            "status": {"phase": "Running", "podIP": "10.1.0.5"},
        });
        assert_eq!(cells(&pod, true)[5..], ["10.1.0.5", "node1", "<none>", "0/1"]);
        pod["spec"]["readinessGates"] = Value::Null;
        assert_eq!(cells(&pod, true)[8], "<none>");
    }
}
