//! What keeps a Job or a pod from going on, as far as their status tells: said once to whoever waits for them.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::context::Context;
use crate::api::conditions::{is_job_finished, is_pod_finished, job_condition, pod_condition};
use crate::api::events::EventRecord;
use crate::api::meta::{CONDITION_WAITING, controller_of, key, name};
use crate::api::{Job, Pod};
use crate::controller::room::{can_ever_fit, is_about_room};
use crate::controller::{JobFacts, backoff};
use crate::printers::duration::human_duration;

/// Something that keeps an object from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obstacle {
    /// Whose it is, and of which kind: each is said once. Pods of one Job that wait for the same thing share one.
    id: String,
    /// One word for a table: `ErrImagePull`.
    pub(super) reason: String,
    /// The sentence.
    pub(super) text: String,
}

/// What would help whoever waits, where the objects are.
#[derive(Clone, Debug)]
pub(super) struct Help {
    /// The name of this machine; nothing where it is a cluster's to find room.
    node: Option<String>,
    /// What commands need to say that are about the same place.
    place: String,
}

impl Help {
    /// Of the place in which a verb works.
    pub(super) fn at(context: &Context) -> Self {
        let is_here = context.client.cluster().is_none();
        let node = is_here.then(|| context.client.config().settings.node_name.clone());
        Self { node, place: context.place.clone() }
    }
}

/// Events that tell why a pod does not start, or why there is none, and of which its status does not tell.
const TELLING: [&str; 8] = [
    "FailedAttachVolume",
    "FailedCreate",
    "FailedCreatePodContainer",
    "FailedCreatePodSandBox",
    "FailedMapVolume",
    "FailedMount",
    "NetworkNotReady",
    "NodeNotReady",
];

/// What an Event tells of an object that waits.
pub(super) fn of_event(event: &EventRecord) -> Option<Obstacle> {
    let EventRecord { about, reason, message, .. } = event;
    (event.type_ == "Warning" && TELLING.contains(&reason.as_str())).then(|| Obstacle {
        id: format!("{} {} {reason}", about.namespace, about.name),
        text: format!("{}/{}: {reason}: {message}", about.kind.to_lowercase(), about.name),
        reason: reason.clone(),
    })
}

/// What keeps a Job from making pods.
pub(super) fn of_job(job: &Job, help: &Help) -> Option<Obstacle> {
    let Help { node, place } = help;
    if is_job_finished(job) {
        return None;
    }
    let job_key = key(&job.metadata);
    let manager = job.spec.as_ref().and_then(|spec| spec.managed_by.as_deref());
    let other = manager.filter(|manager| *manager != "kubernetes.io/job-controller");
    if let (Some(manager), Some(_)) = (other, node) {
        return Some(Obstacle {
            id: format!("{job_key} managed"),
            reason: "ManagedBy".into(),
            text: format!(
                "job.batch/{}: spec.managedBy leaves it to {manager}; nothing here runs it",
                job_key.name
            ),
        });
    }
    if job.spec.as_ref().is_some_and(|spec| spec.parallelism == Some(0)) {
        return Some(Obstacle {
            id: format!("{job_key} parallelism"),
            reason: "NoParallelism".into(),
            text: format!(
                "job.batch/{name}: spec.parallelism is 0, so it makes no pods; to let it: jobctl scale{place} --replicas=1 job/{name}",
                name = job_key.name
            ),
        });
    }
    if let Some(waiting) = job_condition(job, CONDITION_WAITING).filter(|one| one.status == "True") {
        let why = waiting.message.as_deref().unwrap_or_default();
        return Some(Obstacle {
            id: format!("{job_key} {why}"),
            reason: "Waiting".into(),
            text: format!("job.batch/{} waits: {why}", job_key.name),
        });
    }
    // The condition stays for a moment after somebody has resumed the Job.
    let is_suspended = job.spec.as_ref().is_some_and(|spec| spec.suspend == Some(true));
    is_suspended.then(|| Obstacle {
        id: format!("{job_key} suspended"),
        reason: "Suspended".into(),
        text: format!(
            "job.batch/{name} is suspended; to start it: jobctl resume{place} job/{name}",
            name = job_key.name
        ),
    })
}

/// The wait before a Job's next pod, where it is worth a word.
pub(super) fn of_retry(
    job: &Job,
    facts: &JobFacts,
    default_base: Duration,
    now: DateTime<Utc>,
) -> Option<Obstacle> {
    let next = backoff::next_retry(job, facts, default_base)?;
    let wait = next - now;
    let job_key = key(&job.metadata);
    (wait >= Duration::seconds(1)).then(|| Obstacle {
        id: format!("{job_key} retry"),
        reason: "BackOff".into(),
        text: format!(
            "job.batch/{}: a pod has failed; the next one starts in {}, and after each failure the wait doubles",
            job_key.name,
            human_duration(wait)
        ),
    })
}

/// What keeps a pod, or one of its containers, from starting.
pub(super) fn of_pod(pod: &Pod, help: &Help) -> Option<Obstacle> {
    if is_pod_finished(pod) || pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let pod_key = key(&pod.metadata);
    let whose = match controller_of(&pod.metadata) {
        Some(owner) => format!("{}/{}", pod_key.namespace, owner.name),
        None => pod_key.to_string(),
    };
    if let Some(scheduled) =
        pod_condition(pod, "PodScheduled").filter(|condition| condition.status == "False")
    {
        let reason = scheduled.reason.clone().unwrap_or_default();
        let message = scheduled.message.clone().unwrap_or_default();
        let Help { node, place } = help;
        let node = node.as_deref();
        let cure = if let Some(cure) = node.and_then(|node| room_cure(pod, node)) {
            format!("; {cure}")
        } else if reason == "SchedulingGated" {
            let name = &pod_key.name;
            format!(
                "; to let it start: jobctl patch{place} pod {name} -p '{{\"spec\":{{\"schedulingGates\":null}}}}'"
            )
        } else if let (Some(node), true) = (node, message.contains("unschedulable")) {
            format!("; to let it start: jobctl uncordon {node}")
        } else if let (Some(node), true) = (node, message.contains("didn't match")) {
            format!("; a label that it asks for may be missing: jobctl label node {node} KEY=VALUE")
        } else {
            String::new()
        };
        return Some(Obstacle {
            id: format!("{whose} scheduling"),
            text: format!("pod/{} cannot start: {reason}: {message}{cure}", pod_key.name),
            reason,
        });
    }
    let status = pod.status.as_ref()?;
    let all =
        status.init_container_statuses.iter().flatten().chain(status.container_statuses.iter().flatten());
    let waiting = all.filter_map(|one| Some((&one.name, one.state.as_ref()?.waiting.as_ref()?)));
    let (container, reason, message) = waiting
        .filter_map(|(container, waiting)| {
            Some((container, waiting.reason.clone()?, waiting.message.clone()))
        })
        .find(|(_, reason, _)| !matches!(reason.as_str(), "ContainerCreating" | "PodInitializing"))?;
    // Back-off after a failed pull is the same thing again.
    let kind = if reason.contains("Image") { "image" } else { reason.as_str() };
    let message = message.map_or_else(String::new, |message| format!(": {message}"));
    Some(Obstacle {
        id: format!("{whose} {container} {kind}"),
        text: format!("pod/{}: container {container} is waiting: {reason}{message}", name(&pod.metadata)),
        reason,
    })
}

/// Of which room a pod that waits for it does not find enough: `Insufficient cpu, Too many pods`.
pub(super) fn shortage(pod: &Pod) -> Option<String> {
    let message =
        pod_condition(pod, "PodScheduled")?.message.as_deref().filter(|message| is_about_room(message))?;
    let reasons = message.strip_prefix("0/1 nodes are available: ")?.split(". preemption:").next()?;
    let reasons = reasons.split(", ").map(|reason| reason.strip_prefix("1 ").unwrap_or(reason));
    Some(reasons.collect::<Vec<_>>().join(", "))
}

/// What would let a pod start that waits for room.
pub(super) fn room_cure(pod: &Pod, node: &str) -> Option<String> {
    let shortage = shortage(pod)?;
    Some(if !can_ever_fit(pod) {
        let declare = if shortage.contains('/') { ", or extendedResources in config.yaml" } else { "" };
        format!("it asks for more than {node} has: a smaller request would let it start{declare}")
    } else if shortage == "Too many pods" {
        "it starts when other pods have ended; a larger maxPods in config.yaml lets in more".to_owned()
    } else {
        format!("it starts when pods that have this room have ended; who has it: jobctl describe node {node}")
    })
}

/// Whether it is worth parsing a stored Job to look for an obstacle: a Job of many pods changes often.
pub(super) fn job_may_have_one(job: &str) -> bool {
    ["\"suspend\":true", "\"parallelism\":0", "\"managedBy\"", CONDITION_WAITING]
        .iter()
        .any(|words| job.contains(words))
}

/// Whether it is worth parsing a stored pod to look for an obstacle.
pub(super) fn may_have_one(pod: &str) -> bool {
    ["\"waiting\"", "Unschedulable", "SchedulingGated"].iter().any(|word| pod.contains(word))
}

/// What has been said already.
#[derive(Debug, Default)]
pub(super) struct Reported(BTreeSet<String>);

impl Reported {
    /// The sentence, the first time.
    pub(super) fn once<'a>(&mut self, obstacle: &'a Obstacle) -> Option<&'a str> {
        self.0.insert(obstacle.id.clone()).then_some(obstacle.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, status: &str) -> Pod {
        let text = format!(
            "{{\"metadata\": {{\"name\": \"{name}\", \"ownerReferences\": [{{\"apiVersion\": \"batch/v1\", \"kind\": \
             \"Job\", \"name\": \"j\", \"uid\": \"u\", \"controller\": true}}]}}, \"status\": {status}}}"
        );
        serde_json::from_str(&text).expect("a pod")
    }

    fn here() -> Help {
        Help { node: Some("node1".into()), place: String::new() }
    }

    #[test]
    fn of_a_cluster_no_machine_is_named() {
        let there = Help { node: None, place: " --context=prod".into() };
        let unschedulable = "{\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": \
                             \"Unschedulable\", \"message\": \"0/3 nodes are available: 3 Insufficient cpu.\"}]}";
        let told = of_pod(&pod("j-1", unschedulable), &there).expect("an obstacle").text;
        assert_eq!(told, "pod/j-1 cannot start: Unschedulable: 0/3 nodes are available: 3 Insufficient cpu.");
        let job = serde_json::from_str(
            "{\"metadata\":{\"name\":\"j\"},\"spec\":{\"suspend\":true,\"template\":{}}}",
        );
        let told = of_job(&job.expect("a Job"), &there).expect("an obstacle").text;
        assert_eq!(told, "job.batch/j is suspended; to start it: jobctl resume --context=prod job/j");
    }

    #[test]
    fn events_tell_what_no_status_does() {
        let event = |type_: &str, reason: &str| {
            let about = serde_json::json!({"kind": "Pod", "metadata": {"name": "e"}, "involvedObject": {"kind": "Pod",
                "name": "p", "namespace": "n"}, "type": type_, "reason": reason, "message": "no secret"});
            of_event(&EventRecord::of_client(about, DateTime::UNIX_EPOCH)).map(|obstacle| obstacle.text)
        };
        assert_eq!(event("Warning", "FailedMount").as_deref(), Some("pod/p: FailedMount: no secret"));
        assert_eq!(event("Warning", "BackOff"), None);
        assert_eq!(event("Normal", "FailedMount"), None);
    }

    fn waiting(reason: &str) -> String {
        format!(
            "{{\"containerStatuses\": [{{\"name\": \"a\", \"image\": \"\", \"imageID\": \"\", \"ready\": false, \
             \"restartCount\": 0, \"state\": {{\"waiting\": {{\"reason\": \"{reason}\", \"message\": \"why\"}}}}}}]}}"
        )
    }

    #[test]
    fn pods_of_one_job_that_wait_for_the_same_are_told_once() {
        let mut said = Reported::default();
        let mut hear =
            |pod: &Pod| of_pod(pod, &here()).and_then(|obstacle| said.once(&obstacle).map(str::to_owned));
        let first = hear(&pod("j-1", &waiting("ErrImagePull")));
        assert_eq!(first.as_deref(), Some("pod/j-1: container a is waiting: ErrImagePull: why"));
        assert_eq!(hear(&pod("j-2", &waiting("ErrImagePull"))), None);
        assert_eq!(hear(&pod("j-1", &waiting("ImagePullBackOff"))), None);
        assert_eq!(
            hear(&pod("j-1", &waiting("CrashLoopBackOff"))).as_deref(),
            Some("pod/j-1: container a is waiting: CrashLoopBackOff: why")
        );
        assert_eq!(hear(&pod("j-1", &waiting("ContainerCreating"))), None);
        let unschedulable = "{\"conditions\": [{\"type\": \"PodScheduled\", \"status\": \"False\", \"reason\": \
                             \"Unschedulable\", \"message\": \"1 node(s) were unschedulable\"}]}";
        assert_eq!(
            hear(&pod("j-1", unschedulable)).as_deref(),
            Some(
                "pod/j-1 cannot start: Unschedulable: 1 node(s) were unschedulable; to let it start: jobctl uncordon node1"
            )
        );
        assert_eq!(hear(&pod("j-1", "{\"phase\": \"Failed\"}")), None);
    }

    #[test]
    fn a_job_that_makes_no_pods_says_why() {
        let reason = |spec: &str| {
            let text = format!("{{\"metadata\":{{\"name\":\"j\"}},\"spec\":{{{spec}\"template\":{{}}}}}}");
            let obstacle = of_job(&serde_json::from_str(&text).expect("a Job"), &here());
            assert!(obstacle.is_none() || job_may_have_one(&text), "{text}");
            obstacle.map(|obstacle| obstacle.reason)
        };
        assert_eq!(reason(""), None);
        assert_eq!(reason("\"suspend\":true,").as_deref(), Some("Suspended"));
        assert_eq!(reason("\"parallelism\":0,").as_deref(), Some("NoParallelism"));
        assert_eq!(reason("\"managedBy\":\"example.com/x\",").as_deref(), Some("ManagedBy"));
        assert_eq!(reason("\"managedBy\":\"kubernetes.io/job-controller\","), None);
    }

    #[test]
    fn a_retry_is_told_when_there_is_a_wait() {
        let job: Job =
            serde_json::from_str("{\"metadata\": {\"name\": \"j\"}, \"spec\": null}").expect("a Job");
        let now = DateTime::UNIX_EPOCH;
        let facts = |failures| JobFacts { failures, last_failure: Some(now), ..JobFacts::default() };
        let wait = |failures, base| of_retry(&job, &facts(failures), Duration::milliseconds(base), now);
        assert_eq!(wait(0, 10_000), None);
        assert_eq!(wait(1, 10), None, "not worth a word");
        let text = wait(2, 10_000).expect("an obstacle").text;
        assert!(text.contains("the next one starts in 20s"), "{text}");
    }
}
