//! Rows of pods: READY, STATUS and RESTARTS are worked out from the containers' statuses.

use std::borrow::Cow;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use memchr::memmem::Finder;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Metadata, Row, Text, or_none, time};
use crate::api::kinds::Key;
use crate::printers::duration::{self, human_duration};

#[derive(Deserialize)]
struct PodSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: PodSpec<'a>,
    #[serde(borrow, default)]
    status: PodStatus<'a>,
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
#[derive(Default, Clone, Copy)]
struct Restarts {
    count: i64,
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
    let PodSummary { mut metadata, spec, mut status } = serde_json::from_str(json)?;
    let sidecars = spec.init_containers.iter().flatten().filter(|c| is_sidecar(c)).count();
    let total = spec.containers.len() + sidecars;
    let gates = if wide { readiness_gates(&spec, &status) } else { "".into() };
    let summary = summarize(&metadata, &spec, &mut status);
    let mut cells = vec![
        std::mem::take(&mut metadata.name),
        ratio(summary.ready, total),
        summary.status,
        summary.restarts.text(now),
        metadata.age(now),
    ];
    if wide {
        cells.extend([
            or_none(status.pod_ip),
            or_none(spec.node_name),
            or_none(status.nominated_node_name),
            gates,
        ]);
    }
    Ok(metadata.row(cells))
}

// In the store's spelling a status stands once, after the spec, and no string can hold the quotes.
static STATUS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b",\"status\":{"));
static STATUSES: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"containerStatuses\":"));
static HOST: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"],\"hostIP\":\""));

/// The row of a pod of one container that has ended, read from the places where the store's spelling puts things:
/// of ten thousand pods in a list nearly all are such. `None`: parse the pod as any other. The row knows no labels.
pub(super) fn ended_pod<'a>(key: &'a Key, json: &'a str, now: DateTime<Utc>) -> Option<Row<'a>> {
    const START: &str = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"creationTimestamp\":\"";
    const TIME: usize = "2026-11-20T10:00:00Z".len();
    let (created, rest) = json.strip_prefix(START)?.split_at_checked(TIME)?;
    // Fields are in the order of their names, so neither deletionTimestamp nor finalizers are there.
    if !rest.starts_with("\",\"generateName\"") {
        return None;
    }
    let status = &json[STATUS.find(json.as_bytes())?..];
    let statuses = &status[STATUSES.find(status.as_bytes())? + STATUSES.needle().len()..];
    let after = &statuses[HOST.find(statuses.as_bytes())?..];
    if after.contains("\"initContainerStatuses\"")
        || after.contains("\"message\"")
        || after.contains("\"reason\"")
    {
        return None;
    }
    if !after.contains("\"phase\":\"Succeeded\"") && !after.contains("\"phase\":\"Failed\"") {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(statuses);
    let mut containers = Vec::<ContainerStatus<'a>>::deserialize(&mut deserializer).ok()?;
    let (Some(mut container), true) = (containers.pop(), containers.is_empty()) else { return None };
    let mut restarts = Restarts::default();
    restarts.add(&container);
    let reason = container.state.terminated.as_mut()?.reason.take().filter(|reason| !reason.is_empty())?;
    let created = DateTime::parse_from_rfc3339(created).ok()?.to_utc();
    let cells = vec![
        Cow::Borrowed(&*key.name),
        Cow::Borrowed("0/1"),
        reason.0,
        restarts.text(now),
        duration::age(Some(created), now).into(),
    ];
    Some(Row::new(Cow::Borrowed(&*key.namespace), cells, None))
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

fn readiness_gates(spec: &PodSpec<'_>, status: &PodStatus<'_>) -> Cow<'static, str> {
    match spec.readiness_gates.as_deref() {
        None | Some([]) => super::NONE.into(),
        Some(gates) => {
            let open = gates.iter().filter(|gate| has_condition(status, &gate.condition_type)).count();
            format!("{open}/{}", gates.len()).into()
        }
    }
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
    use super::*;

    #[test]
    fn the_short_way_to_a_row_gives_what_the_long_way_gives() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:02:00Z").unwrap().to_utc();
        let pod = |meta: &str, spec: &str, statuses: &str, rest: &str| {
            format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{{meta}\"generateName\":\"a-\",\"labels\":\
                 {{\"name\":\"no\",\"status\":\"x\"}},\"name\":\"a-b\",\"namespace\":\"n\",\"uid\":\"u\"}},\
                 \"spec\":{{\"containers\":[{{\"name\":\"c\"}}]{spec}}},\"status\":{{\"conditions\":[],\
                 \"containerStatuses\":[{statuses}],\"hostIP\":\"127.0.0.1\",{rest}}}}}"
            )
        };
        let created = "\"creationTimestamp\":\"2026-11-20T10:00:00Z\",";
        let deleted =
            "\"creationTimestamp\":\"2026-11-20T10:00:00Z\",\"deletionTimestamp\":\"2026-11-20T10:00:00Z\",";
        let done = "{\"name\":\"c\",\"state\":{\"terminated\":{\"exitCode\":0,\"reason\":\"Completed\"}}}";
        let restarted = "{\"lastState\":{\"terminated\":{\"exitCode\":1,\"finishedAt\":\"2026-11-20T10:01:00Z\"}},\
                         \"name\":\"c\",\"restartCount\":2,\"state\":{\"terminated\":{\"exitCode\":3,\
                         \"reason\":\"Error\"}}}";
        let (succeeded, failed) = ("\"phase\":\"Succeeded\"", "\"phase\":\"Failed\"");
        let key = Key::new("n", "a-b");
        for (sentence, text, short) in [
            ("completed", pod(created, "", done, succeeded), true),
            ("failed after restarts", pod(created, "", restarted, failed), true),
            ("running is not for the short way", pod(created, "", done, "\"phase\":\"Running\""), false),
            ("nor is a pod being deleted", pod(deleted, "", done, succeeded), false),
            (
                "nor one with a reason",
                pod(created, "", done, "\"phase\":\"Failed\",\"reason\":\"Evicted\""),
                false,
            ),
            ("nor two containers", pod(created, "", &format!("{done},{done}"), succeeded), false),
        ] {
            let long = pod_row(&text, now);
            match ended_pod(&key, &text, now) {
                Some(row) => {
                    assert!(short, "{sentence}");
                    assert_eq!(row.cells, long.cells, "{sentence}");
                    assert_eq!(row.namespace, long.namespace, "{sentence}");
                }
                None => assert!(!short, "{sentence}"),
            }
        }
    }

    fn pod_row(text: &str, now: DateTime<Utc>) -> Row<'_> {
        super::pod(text, now, false).expect("a pod")
    }
    use crate::printers::listing::listed_pod;
    use crate::printers::rows::TableKind;
    use serde_json::{Value, json};

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
