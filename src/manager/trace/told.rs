//! From an object as it was and as it is: what has been decided. Pure.

use std::collections::HashMap;

use chrono::{Duration, SecondsFormat};
use serde::de::DeserializeOwned;

use crate::api::conditions::pod_phase;
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::controller_of;
use crate::api::{CronJob, Job, Pod, StatefulSet};
use crate::controller::{JobFacts, backoff};
use crate::store::{Change, Table};

/// The objects as they are known.
#[derive(Debug, Default)]
pub(super) struct Known {
    texts: HashMap<(Table, Key), String>,
}

impl Known {
    /// Notes an object without a word.
    pub(super) fn know(&mut self, table: Table, key: Key, text: &str) {
        if table != Table::EVENTS {
            self.texts.insert((table, key), text.to_owned());
        }
    }

    /// What a change says that has been decided.
    pub(super) fn take(&mut self, change: &Change<'_>, backoff_base: Duration) -> Vec<String> {
        let key = Key::new(change.namespace, change.name);
        let before = self.texts.remove(&(change.table, key.clone()));
        if let Some(text) = change.object {
            self.know(change.table, key.clone(), text);
        }
        let (before, after) = (before.as_deref(), change.object);
        let lines = match change.table {
            Table::EVENTS => after.and_then(parse).map(|event| vec![event_line(&event)]).unwrap_or_default(),
            Table::PODS => told_of(before, after, pod_facts),
            Table::JOBS => told_of(before, after, job_facts),
            Table::CRON_JOBS => told_of(before, after, cron_job_facts),
            Table::STATEFUL_SETS => told_of(before, after, stateful_set_facts),
            Table::JobFacts => return self.retry(&key, before, after, backoff_base),
            _ => Vec::new(),
        };
        let Table::Kind(kind) = change.table else { return lines };
        if kind == Kind::Event {
            return lines;
        }
        let title = title(kind.qualified_singular().as_str(), &key);
        lines.into_iter().map(|line| format!("{title} {line}")).collect()
    }

    /// Until when a Job waits before it makes another pod.
    fn retry(&self, key: &Key, before: Option<&str>, after: Option<&str>, base: Duration) -> Vec<String> {
        let job: Option<Job> = self.texts.get(&(Table::JOBS, key.clone())).and_then(|text| parse(text));
        let Some(job) = job else { return Vec::new() };
        let next = |text: Option<&str>| backoff::next_retry(&job, &text.and_then(parse::<JobFacts>)?, base);
        let (was, is) = (next(before), next(after));
        let Some(until) = is.filter(|_| is != was) else { return Vec::new() };
        let failures = after.and_then(parse::<JobFacts>).map_or(0, |facts| facts.failures);
        let failures =
            if failures == 0 { String::new() } else { format!(" after {failures} failures in a row") };
        let until = until.to_rfc3339_opts(SecondsFormat::Millis, true);
        vec![format!("{} backs off until {until}{failures}", title(&Kind::Job.qualified_singular(), key))]
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// `job.batch/x`, or `job.batch/x -n other`.
fn title(kind: &str, key: &Key) -> String {
    match &*key.namespace {
        "" | "default" => format!("{kind}/{}", key.name),
        namespace => format!("{kind}/{} -n {namespace}", key.name),
    }
}

fn event_line(event: &EventRecord) -> String {
    let EventRecord { type_, reason, message, source, about, count, .. } = event;
    let kind = Kind::from_name(&about.kind).map_or_else(|| about.kind.clone(), Kind::qualified_singular);
    let title = title(&kind, &Key::new(&about.namespace, &about.name));
    let times = if *count > 1 { format!(" (x{count})") } else { String::new() };
    format!("{title} Event {type_} {reason} from {source}: {message}{times}")
}

/// What holds of an object, each by a name; and what is said of it when it is new.
type Facts = Vec<(&'static str, String)>;

/// What is new: a fact that was another, or that was not there.
fn told_of<T: DeserializeOwned>(
    before: Option<&str>,
    after: Option<&str>,
    facts: fn(&T) -> Facts,
) -> Vec<String> {
    let Some(after) = after else { return vec!["deleted".to_owned()] };
    let Some(after) = parse::<T>(after) else { return Vec::new() };
    let was = before.and_then(parse::<T>).map(|before| facts(&before)).unwrap_or_default();
    let new: Vec<String> = facts(&after)
        .into_iter()
        .filter(|(name, value)| {
            !value.is_empty() && !was.iter().any(|(old, was)| old == name && was == value)
        })
        .map(|(_, value)| value)
        .collect();
    if before.is_some() {
        return new;
    }
    let new = new.join(", ");
    vec![if new.is_empty() { "created".to_owned() } else { format!("created: {new}") }]
}

fn pod_facts(pod: &Pod) -> Facts {
    let status = pod.status.clone().unwrap_or_default();
    let mut facts = Facts::new();
    if let Some(owner) = controller_of(&pod.metadata) {
        facts.push(("owner", format!("for {}/{}", owner.kind, owner.name)));
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.clone()).unwrap_or_default();
    if !node.is_empty() {
        facts.push(("node", format!("scheduled to {node}")));
    }
    let conditions = status.conditions.iter().flatten();
    if let Some(waits) = conditions.clone().find(|one| one.type_ == "PodScheduled" && one.status == "False") {
        let of = |text: &Option<String>| text.clone().unwrap_or_default();
        facts.push(("scheduled", format!("waits: {}: {}", of(&waits.reason), of(&waits.message))));
    }
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let mut states = Vec::new();
    for container in containers {
        let Some(state) = &container.state else { continue };
        if let Some(waiting) = &state.waiting {
            let reason = waiting.reason.clone().unwrap_or_default();
            let message = waiting.message.as_ref().map_or_else(String::new, |text| format!(": {text}"));
            states.push(format!("container {} waits: {reason}{message}", container.name));
        } else if let Some(end) = &state.terminated {
            let reason = end.reason.clone().unwrap_or_default();
            states.push(format!("container {} ended with {} ({reason})", container.name, end.exit_code));
        }
    }
    facts.push(("containers", states.join("; ")));
    facts.push(("phase", format!("is {}", pod_phase(pod))));
    if let Some(at) = &pod.metadata.deletion_timestamp {
        facts.push(("deletion", format!("is to end by {}", at.0.to_rfc3339_opts(SecondsFormat::Secs, true))));
    }
    facts
}

fn job_facts(job: &Job) -> Facts {
    let status = job.status.clone().unwrap_or_default();
    let number = |count: Option<i32>| count.unwrap_or(0);
    let mut facts = Facts::new();
    if status != Default::default() {
        let counts = format!(
            "has {} active, {} ready, {} succeeded, {} failed",
            number(status.active),
            number(status.ready),
            number(status.succeeded),
            number(status.failed)
        );
        facts.push(("counts", counts));
    }
    for condition in status.conditions.iter().flatten() {
        let of = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let why: Vec<String> = of(&condition.reason).into_iter().chain(of(&condition.message)).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join(": ")) };
        facts.push(("condition", format!("condition {}={}{why}", condition.type_, condition.status)));
    }
    if job.metadata.deletion_timestamp.is_some() {
        facts.push(("deletion", "is being deleted".into()));
    }
    facts
}

fn cron_job_facts(cron_job: &CronJob) -> Facts {
    let status = cron_job.status.clone().unwrap_or_default();
    let mut facts = Facts::new();
    if let Some(at) = status.last_schedule_time {
        let at = at.0.to_rfc3339_opts(SecondsFormat::Secs, true);
        facts.push(("schedule", format!("has fired for {at}")));
    }
    let active: Vec<String> = status.active.iter().flatten().filter_map(|job| job.name.clone()).collect();
    if !active.is_empty() {
        facts.push(("active", format!("runs {}", active.join(", "))));
    }
    facts
}

fn stateful_set_facts(set: &StatefulSet) -> Facts {
    let Some(status) = &set.status else { return Facts::new() };
    let number = |count: Option<i32>| count.unwrap_or(0);
    let replicas = format!(
        "has {} replicas, {} ready, {} up to date",
        status.replicas,
        number(status.ready_replicas),
        number(status.updated_replicas)
    );
    vec![("replicas", replicas)]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(known: &mut Known, table: Table, object: Option<&Value>) -> Vec<String> {
        let text = object.map(ToString::to_string);
        let change = Change {
            revision: 1,
            table,
            namespace: "default",
            name: "x",
            object: text.as_deref(),
            last: None,
        };
        known.take(&change, Duration::seconds(10))
    }

    #[test]
    fn a_pod_tells_of_what_has_changed() {
        let mut known = Known::default();
        let waits = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"});
        let mut pod = json!({
            "metadata": {"name": "x", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": "u", "controller": true}]},
            "spec": {"containers": []},
            "status": {"phase": "Pending", "conditions": [waits]}
        });
        let mut tell = |pod: Option<&Value>| told(&mut known, Table::PODS, pod);
        assert_eq!(tell(Some(&pod)), ["pod/x created: for Job/j, waits: Unschedulable: no room, is Pending"]);
        assert!(tell(Some(&pod)).is_empty(), "nothing is said twice");
        pod["spec"]["nodeName"] = json!("n");
        pod["status"] = json!({"phase": "Failed", "containerStatuses": [{"name": "main", "ready": false,
            "restartCount": 0, "image": "", "imageID": "",
            "state": {"terminated": {"exitCode": 3, "reason": "Error"}}}]});
        let said = ["pod/x scheduled to n", "pod/x container main ended with 3 (Error)", "pod/x is Failed"];
        assert_eq!(tell(Some(&pod)), said);
        assert_eq!(tell(None), ["pod/x deleted"]);
    }

    #[test]
    fn a_job_tells_its_conditions_and_how_long_it_backs_off() {
        let mut known = Known::default();
        let mut job =
            json!({"metadata": {"name": "x", "uid": "u"}, "spec": {"backoffLimit": 3, "template": {}}});
        assert_eq!(told(&mut known, Table::JOBS, Some(&job)), ["job.batch/x created"]);
        let facts =
            json!({"uid": "u", "started": null, "failures": 2, "last_failure": "2026-01-01T00:00:00Z"});
        assert_eq!(
            told(&mut known, Table::JobFacts, Some(&facts)),
            ["job.batch/x backs off until 2026-01-01T00:00:20.000Z after 2 failures in a row"]
        );
        assert!(told(&mut known, Table::JobFacts, Some(&facts)).is_empty());
        job["status"] = json!({"failed": 4, "conditions": [
            {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded", "message": "Too many."}]});
        assert_eq!(
            told(&mut known, Table::JOBS, Some(&job)),
            [
                "job.batch/x has 0 active, 0 ready, 0 succeeded, 4 failed",
                "job.batch/x condition Failed=True: BackoffLimitExceeded: Too many."
            ]
        );
    }
}
