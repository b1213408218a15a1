//! A small world for the controller: Jobs described in words, a kubelet that does what it is told, a clock that moves
//! when it is told, and a store from which everything can be read again.
//!
//! Every plan that passes through here is held against the laws: deterministic, never deleting and creating for one
//! Job, never creating beyond parallelism. Settling is proved by [`Scene::settle`], which must come to an end.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::conditions::{is_job_finished, is_pod_finished, pod_phase, set_pod_condition};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{FINALIZER_JOB_TRACKING, has_finalizer, key, name, time, uid};
use crate::api::{Job, JobSpec, Pod, PodStatus, defaults};
use crate::controller::{Action, JobFacts, Plan, Settings, World, pods, reconcile};

/// A settled world needs a few rounds; more means that decisions go round in circles.
const MOST_ROUNDS: usize = 12;

/// The exit code that the podFailurePolicy of these tests ignores.
pub(super) const IGNORED: i32 = 42;

/// Second 0 of every scene.
pub(super) fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).expect("a time")
}

/// A Job of one pod under Never, with defaults as the API server sets them; `change` says what is different.
pub(super) fn job(change: impl FnOnce(&mut JobSpec)) -> Job {
    let mut job: Job = serde_json::from_value(json!({
        "metadata": {
            "name": "work", "namespace": "default", "uid": "job-uid",
            "creationTimestamp": start().to_rfc3339(),
            "labels": {"of": "the-job"}, "annotations": {"of": "the-job"},
        },
        "spec": {"template": {
            "metadata": {
                "labels": {"job-name": "work", "controller-uid": "job-uid"},
                "annotations": {"of": "the-template"},
            },
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 7,
                "containers": [{"name": "main", "command": ["true"]}],
            },
        }},
    }))
    .expect("a Job");
    change(job.spec.as_mut().expect("a spec"));
    defaults::set_job_defaults(&mut job);
    job
}

/// `restartPolicy: OnFailure`.
pub(super) fn on_failure(spec: &mut JobSpec) {
    spec.template.spec.as_mut().expect("a pod spec").restart_policy = Some("OnFailure".into());
}

/// Exit 42 and evictions are ignored, 43 fails the index, 44 the Job.
pub(super) fn with_failure_policy(mut job: Job) -> Job {
    let code = |action: &str, code: i32| json!({"action": action, "onExitCodes": {"operator": "In", "values": [code]}});
    let disrupted = json!({"type": "DisruptionTarget", "status": "True"});
    let mut rules = vec![
        json!({"action": "Ignore", "onPodConditions": [disrupted]}),
        code("Ignore", IGNORED),
        code("FailJob", 44),
    ];
    let spec = job.spec.get_or_insert_default();
    if spec.backoff_limit_per_index.is_some() {
        rules.push(code("FailIndex", 43));
    }
    spec.pod_failure_policy = Some(serde_json::from_value(json!({"rules": rules})).expect("a policy"));
    spec.pod_replacement_policy = Some("Failed".into());
    job
}

/// Completions and parallelism are changed together.
pub(super) fn resize(scene: Scene, to: i32) -> Scene {
    scene.changed(|spec| {
        spec.completions = Some(to);
        spec.parallelism = Some(to);
    })
}

/// What an object is after it has been written and read again.
fn reread<T: Serialize + DeserializeOwned>(object: &mut T) {
    let text = serde_json::to_string(object).expect("an object encodes");
    *object = serde_json::from_str(&text).expect("an object decodes");
}

/// A Job and its pods under a clock. Methods are what happens, in order; each but [`Scene::sync`] ends settled.
#[derive(Clone)]
pub(super) struct Scene {
    pub(super) world: World,
    pub(super) now: DateTime<Utc>,
    pub(super) job: Key,
    stored_jobs: BTreeMap<Key, Job>,
    stored_pods: BTreeMap<Key, Pod>,
    stored_facts: BTreeMap<Key, JobFacts>,
    wakes: BTreeMap<Key, DateTime<Utc>>,
    events: Vec<EventRecord>,
    /// Every pod ever made, in order.
    pub(super) made: Vec<Key>,
    /// Pods that are not to be counted: deleted by the controller though their Job had not failed, or of an index
    /// that the Job does not have any more.
    pub(super) dropped: BTreeSet<Key>,
    /// Pods that somebody deleted while they could still run.
    pub(super) given_up: BTreeSet<Key>,
    /// Pods that had not ended when their Job failed: they have failed with it.
    failed_with_job: BTreeSet<Key>,
    /// The exit codes of the pods that have ended.
    pub(super) ended: BTreeMap<Key, i32>,
    /// Pods that were evicted.
    evicted: BTreeSet<Key>,
    /// Completion indexes that pods have completed, as long as the Job has so many.
    completed: BTreeSet<i32>,
}

impl Scene {
    /// A world in which only this Job is stored, not synced yet.
    pub(super) fn before(job: Job) -> Self {
        let mut scene = Self {
            world: World::new(Settings::default()),
            now: start(),
            job: key(&job.metadata),
            stored_jobs: BTreeMap::new(),
            stored_pods: BTreeMap::new(),
            stored_facts: BTreeMap::new(),
            wakes: BTreeMap::new(),
            events: Vec::new(),
            made: Vec::new(),
            dropped: BTreeSet::new(),
            given_up: BTreeSet::new(),
            failed_with_job: BTreeSet::new(),
            ended: BTreeMap::new(),
            evicted: BTreeSet::new(),
            completed: BTreeSet::new(),
        };
        scene.put_job(job);
        scene
    }

    /// The Job has been synced.
    pub(super) fn of(job: Job) -> Self {
        Self::before(job).settle()
    }

    // What happens.

    /// One sync of whatever has changed, performed.
    pub(super) fn sync(&mut self) -> Plan {
        let dirty = self.world.take_dirty();
        self.sync_these(&dirty)
    }

    fn sync_these(&mut self, jobs: &BTreeSet<Key>) -> Plan {
        let plan = self.plan(jobs);
        self.perform(&plan);
        plan
    }

    fn plan(&self, jobs: &BTreeSet<Key>) -> Plan {
        // The seed follows from what has been made, so that a restart makes the same names.
        let seed = self.made.len() as u64;
        let plan = reconcile(&self.world, jobs, self.now, seed);
        assert_eq!(plan, reconcile(&self.world, jobs, self.now, seed), "deterministic");
        let created = plan.actions.iter().filter(|action| matches!(action, Action::CreatePod(_))).count();
        let deleted = plan
            .actions
            .iter()
            .filter(|action| matches!(action, Action::UpdatePod(pod) if self.is_newly_deleted(pod)))
            .count();
        assert!(created == 0 || deleted == 0, "one sync made {created} pods and deleted {deleted}");
        if created > 0 {
            let parallelism = self.stored_job().and_then(|job| job.spec?.parallelism).unwrap_or(1) as usize;
            assert!(self.active().len() + created <= parallelism, "more pods than parallelism allows");
        }
        self.assert_no_index_twice(&plan);
        plan
    }

    fn assert_no_index_twice(&self, plan: &Plan) {
        let made = plan.actions.iter().filter_map(|action| match action {
            Action::CreatePod(pod) => pods::completion_index(pod),
            _ => None,
        });
        let mut seen: BTreeSet<i32> = self.active_indexes().into_iter().collect();
        for index in made {
            assert!(seen.insert(index), "index {index} would be active twice");
            assert!(!self.completed.contains(&index), "index {index} is completed and would run again");
        }
    }

    fn is_newly_deleted(&self, pod: &Pod) -> bool {
        pod.metadata.deletion_timestamp.is_some()
            && self
                .stored_pods
                .get(&key(&pod.metadata))
                .is_some_and(|stored| stored.metadata.deletion_timestamp.is_none())
    }

    /// Whether a pod that has not ended, and has not been counted either, is not waited for any more.
    fn is_let_go(&self, pod: &Pod) -> bool {
        let tracked = |pod: &Pod| has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING);
        let pod_key = key(&pod.metadata);
        let waits_to_be_counted =
            self.stored_pods.get(&pod_key).is_some_and(|stored| !is_pod_finished(stored) && tracked(stored));
        waits_to_be_counted && !tracked(pod) && !self.given_up_for_good(&pod_key)
    }

    fn perform(&mut self, plan: &Plan) {
        let fails = plan.actions.iter().any(|action| match action {
            Action::UpdateJobStatus(job) => {
                crate::api::conditions::is_job_condition_true(job, "FailureTarget")
            }
            _ => false,
        });
        let failing = fails || self.conditions().contains("FailureTarget=True");
        for (key, wake) in &plan.wakes {
            self.wakes.remove(key);
            self.wakes.extend(wake.map(|at| (key.clone(), at)));
        }
        for action in &plan.actions {
            match action {
                Action::CreatePod(pod) => {
                    self.made.push(key(&pod.metadata));
                    self.put_pod(Pod::clone(pod));
                }
                Action::UpdatePod(pod) => {
                    if self.is_let_go(pod) {
                        let counts = failing && self.has_place(pod) && !self.is_ignored(&key(&pod.metadata));
                        let set = if counts { &mut self.failed_with_job } else { &mut self.dropped };
                        set.insert(key(&pod.metadata));
                    }
                    self.put_pod(Pod::clone(pod));
                }
                Action::RemovePod(key) => {
                    assert!(self.stored_pods.remove(key).is_some(), "{key} was removed twice");
                    self.world.remove_pod(key);
                }
                Action::UpdateJobStatus(job) => self.put_job(Job::clone(job)),
                Action::RemoveJob(key) => {
                    assert!(self.stored_jobs.remove(key).is_some(), "{key} was removed twice");
                    self.stored_facts.remove(key);
                    self.world.remove_job(key);
                }
                Action::UpdateFacts(key, facts) => {
                    self.stored_facts.insert(key.clone(), facts.clone());
                    self.world.put_facts(key.clone(), facts.clone());
                }
                Action::RecordEvent(event) => self.events.push(event.clone()),
                Action::CreateJob(_)
                | Action::UpdateCronJobStatus(_)
                | Action::RemoveCronJob(_)
                | Action::OfStatefulSet(_)
                | Action::RecordOnce(_) => {
                    panic!("a Job's sync did what is another kind's")
                }
            }
        }
    }

    /// Syncs until nothing changes any more, as a pass does.
    pub(super) fn settle(mut self) -> Self {
        for _ in 0..MOST_ROUNDS {
            let plan = self.sync();
            if plan.actions.is_empty() {
                return self;
            }
        }
        panic!("not settled after {MOST_ROUNDS} syncs: {}", self.counts());
    }

    /// Time passes; only what has asked to be woken is looked at.
    pub(super) fn after(mut self, milliseconds: i64) -> Self {
        let until = self.now + Duration::milliseconds(milliseconds);
        while let Some((at, key)) = self.wakes.iter().map(|(key, at)| (*at, key.clone())).min()
            && at <= until
        {
            self.now = self.now.max(at);
            self.wakes.remove(&key);
            self.world.mark_dirty(key);
            self = self.settle();
        }
        self.now = until;
        self
    }

    /// All waiting pods run and are ready.
    pub(super) fn pods_start(mut self) -> Self {
        for pod in self.active() {
            if pod_phase(&pod) == "Pending" {
                self.set_running(pod, None);
            }
        }
        self.settle()
    }

    /// So many active pods exit 0, the oldest first.
    pub(super) fn succeed(self, count: usize) -> Self {
        self.exit(count, 0)
    }

    /// So many active pods fail at the same moment, the oldest first.
    pub(super) fn fail(self, count: usize) -> Self {
        self.exit(count, 1)
    }

    /// So many active pods exit with a code at the same moment, the oldest first.
    pub(super) fn exit(mut self, count: usize, code: i32) -> Self {
        let pods = self.active();
        assert!(pods.len() >= count, "there are only {} active pods", pods.len());
        for pod in pods.into_iter().take(count) {
            self.set_ended(pod, code);
        }
        self.settle()
    }

    /// The active pods of these completion indexes exit with a code at the same moment.
    pub(super) fn indexes_exit(self, indexes: &[i32], code: i32) -> Self {
        self.exit_with(&indexes.iter().map(|index| (*index, code)).collect::<Vec<_>>())
    }

    /// The active pods of these completion indexes exit at the same moment, each with its own code.
    pub(super) fn exit_with(mut self, codes: &[(i32, i32)]) -> Self {
        for (index, code) in codes {
            let mut pods = self.active().into_iter();
            let pod = pods.find(|pod| pods::completion_index(pod) == Some(*index));
            self.set_ended(pod.unwrap_or_else(|| panic!("index {index} is not active")), *code);
        }
        self.settle()
    }

    /// The oldest active pod is evicted.
    pub(super) fn a_pod_is_evicted(mut self) -> Self {
        let mut pod = self.active().into_iter().next().expect("an active pod");
        let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        set_pod_condition(
            conditions,
            "DisruptionTarget",
            true,
            "EvictionByEvictionAPI",
            "Eviction API: evicting",
            self.now,
        );
        self.evicted.insert(key(&pod.metadata));
        self.put_pod(pod);
        self.somebody_deletes_a_pod()
    }

    /// The oldest active pod has restarted its container so often by now.
    pub(super) fn restarts(mut self, count: i32) -> Self {
        let pod = self.active().into_iter().next().expect("an active pod");
        self.set_running(pod, Some(count));
        self.settle()
    }

    /// Every pod that was told to stop has stopped.
    pub(super) fn pods_stop(mut self) -> Self {
        while let Some(pod) = self.terminating().into_iter().next() {
            self.set_ended(pod, 143);
        }
        self.settle()
    }

    /// The oldest pod that was told to stop ends its work well before it is killed.
    pub(super) fn stopping_pod_succeeds(mut self) -> Self {
        let pod = self.terminating().into_iter().next().expect("a terminating pod");
        self.set_ended(pod, 0);
        self.settle()
    }

    /// Somebody deletes the oldest active pod.
    pub(super) fn somebody_deletes_a_pod(mut self) -> Self {
        let mut pod = self.active().into_iter().next().expect("an active pod");
        self.given_up.insert(key(&pod.metadata));
        pods::mark_deleted(&mut pod, None, self.now);
        self.put_pod(pod);
        self.settle()
    }

    /// The Job's object is lost.
    pub(super) fn job_vanishes(mut self) -> Self {
        for key in std::mem::take(&mut self.stored_jobs).into_keys() {
            self.world.remove_job(&key);
        }
        self.settle()
    }

    /// Somebody changes the Job's spec.
    pub(super) fn changed(mut self, change: impl FnOnce(&mut JobSpec)) -> Self {
        let mut job = self.stored_job().expect("the Job");
        let spec = job.spec.as_mut().expect("a spec");
        change(spec);
        let completions = spec.completions.unwrap_or(0);
        // A finished Job's status stays as it is.
        if !self.is_finished() {
            self.completed.retain(|index| *index < completions);
        }
        self.put_job(job);
        self.settle()
    }

    /// Somebody deletes the Job with `--cascade=foreground`.
    pub(super) fn deleted_in_foreground(mut self) -> Self {
        let mut job = self.stored_job().expect("the Job");
        job.metadata.deletion_timestamp = Some(time(self.now));
        self.put_job(job);
        self.settle()
    }

    /// The process dies in the middle of a decision, and another reads the store: nothing in memory is left.
    pub(super) fn restarted(mut self) -> Self {
        let everything = BTreeSet::from([self.job.clone()]);
        // A plan that is not committed is as if it had never been made.
        let _ = self.plan(&everything);
        self.world = World::new(Settings::default());
        self.wakes.clear();
        self.stored_jobs.values_mut().for_each(reread);
        self.stored_pods.values_mut().for_each(reread);
        self.stored_facts.values_mut().for_each(reread);
        self.stored_jobs.values().for_each(|job| self.world.put_job(job.clone()));
        self.stored_facts.iter().for_each(|(key, facts)| self.world.put_facts(key.clone(), facts.clone()));
        self.stored_pods.values().for_each(|pod| self.world.put_pod(pod.clone()));
        self.world.mark_all_dirty();
        self.settle()
    }

    // What the kubelet and the store do.

    fn set_running(&mut self, pod: Pod, restarts: Option<i32>) {
        let state = json!({"running": {"startedAt": self.now.to_rfc3339()}});
        self.set_status(pod, "Running", restarts, &state);
    }

    fn set_ended(&mut self, pod: Pod, code: i32) {
        let pod_key = key(&pod.metadata);
        self.ended.insert(pod_key.clone(), code);
        let index = pods::completion_index(&pod);
        let counted_before = self.given_up_for_good(&pod_key);
        if !counted_before && !self.has_place(&pod) {
            self.dropped.insert(pod_key.clone());
        }
        let counts = !self.dropped.contains(&pod_key) && !counted_before;
        self.completed.extend(index.filter(|_| code == 0 && counts));
        let state = json!({"terminated": {"exitCode": code, "finishedAt": self.now.to_rfc3339()}});
        self.set_status(pod, if code == 0 { "Succeeded" } else { "Failed" }, None, &state);
    }

    fn set_status(&mut self, mut pod: Pod, phase: &str, restarts: Option<i32>, state: &Value) {
        let running = phase == "Running";
        let old = pod.status.take().unwrap_or_default();
        let old_restarts =
            old.container_statuses.iter().flatten().next().map_or(0, |container| container.restart_count);
        let mut reported: PodStatus = serde_json::from_value(json!({
            "phase": phase,
            "containerStatuses": [{
                "name": "main", "image": "", "imageID": "", "ready": running,
                "restartCount": restarts.unwrap_or(old_restarts), "state": state,
            }],
        }))
        .expect("a status");
        let mut conditions = old.conditions.unwrap_or_default();
        set_pod_condition(&mut conditions, "Ready", running, "", "", self.now);
        reported.conditions = Some(conditions);
        pod.status = Some(reported);
        self.put_pod(pod);
    }

    fn put_job(&mut self, job: Job) {
        self.stored_jobs.insert(key(&job.metadata), job.clone());
        self.world.put_job(job);
    }

    pub(super) fn put_pod(&mut self, pod: Pod) {
        self.stored_pods.insert(key(&pod.metadata), pod.clone());
        self.world.put_pod(pod);
    }

    /// A pod that somebody else has made.
    pub(super) fn take_in(&mut self, pod: Pod) {
        self.made.push(key(&pod.metadata));
        self.put_pod(pod);
    }

    // What can be seen.

    pub(super) fn stored_job(&self) -> Option<Job> {
        self.stored_jobs.get(&self.job).cloned()
    }

    /// The pods there are, the oldest first.
    pub(super) fn pods(&self) -> Vec<Pod> {
        self.made.iter().filter_map(|key| self.stored_pods.get(key)).cloned().collect()
    }

    pub(super) fn active(&self) -> Vec<Pod> {
        self.unfinished(false)
    }

    pub(super) fn terminating(&self) -> Vec<Pod> {
        self.unfinished(true)
    }

    fn unfinished(&self, deleted: bool) -> Vec<Pod> {
        let stored = self.made.iter().filter_map(|key| self.stored_pods.get(key));
        stored
            .filter(|pod| !is_pod_finished(pod) && pod.metadata.deletion_timestamp.is_some() == deleted)
            .cloned()
            .collect()
    }

    /// Pods that have ended and whose end is not in the status yet.
    pub(super) fn uncounted(&self) -> usize {
        self.pods()
            .iter()
            .filter(|pod| is_pod_finished(pod) && has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING))
            .count()
    }

    pub(super) fn is_finished(&self) -> bool {
        self.stored_job().is_none_or(|job| is_job_finished(&job))
    }

    /// The status as stored, without times and conditions: what is absent and what is zero differ.
    pub(super) fn counts(&self) -> String {
        let Some(job) = self.stored_job() else { return "gone".into() };
        let status = serde_json::to_value(job.status.unwrap_or_default()).expect("a status encodes");
        let fields = ["active", "ready", "terminating", "succeeded", "failed"];
        let told: Vec<String> = fields
            .iter()
            .filter(|field| !status[**field].is_null())
            .map(|field| format!("{field} {}", status[*field]))
            .collect();
        told.join(", ")
    }

    /// The conditions in order, as `Type=Status Reason: Message`.
    pub(super) fn conditions(&self) -> String {
        let conditions = self.stored_job().and_then(|job| job.status?.conditions).unwrap_or_default();
        let told: Vec<String> = conditions
            .iter()
            .map(|condition| {
                let reason = condition.reason.as_deref().unwrap_or_default();
                let message = condition.message.as_deref().unwrap_or_default();
                format!("{}={} {reason}: {message}", condition.type_, condition.status)
            })
            .collect();
        told.join("; ")
    }

    /// The Job's Events in order, as `Type Reason: Message`; pods are called by their number, the first is 0.
    pub(super) fn events(&self) -> Vec<String> {
        let about_job = self.events.iter().filter(|event| event.about.kind == "Job");
        about_job
            .map(|event| {
                let mut message = event.message.clone();
                for (number, key) in self.made.iter().enumerate() {
                    message = message.replace(&*key.name, &number.to_string());
                }
                assert_eq!(event.source, "job-controller");
                format!("{} {}: {message}", event.type_, event.reason)
            })
            .collect()
    }

    /// When the Job wants to be looked at again, in milliseconds from now.
    pub(super) fn wake(&self) -> Option<i64> {
        Some((*self.wakes.get(&self.job)? - self.now).num_milliseconds())
    }

    /// The numbers of the pods told to stop.
    pub(super) fn numbers_terminating(&self) -> Vec<usize> {
        let named = |pod: &Pod| self.made.iter().position(|key| *key.name == *name(&pod.metadata));
        self.terminating().iter().filter_map(named).collect()
    }

    /// `status.startTime` in seconds of the scene.
    pub(super) fn started(&self) -> Option<i64> {
        Some((self.stored_job()?.status?.start_time?.0 - start()).num_seconds())
    }

    /// `status.completionTime` in seconds of the scene.
    pub(super) fn completed(&self) -> Option<i64> {
        Some((self.stored_job()?.status?.completion_time?.0 - start()).num_seconds())
    }

    /// Whether a pod has counted as failed when it was told to stop, so that its end does not count any more.
    fn given_up_for_good(&self, pod: &Key) -> bool {
        let waits = self.stored_job().and_then(|job| job.spec).is_some_and(|spec| {
            spec.pod_replacement_policy.as_deref() == Some("Failed") || spec.pod_failure_policy.is_some()
        });
        self.failed_with_job.contains(pod) || self.given_up.contains(pod) && !waits
    }

    /// What the counters must say, from what has happened to each pod.
    pub(super) fn truth(&self) -> (i32, i32) {
        let (mut succeeded, mut failed) = (0, 0);
        for key in self.made.iter().filter(|key| !self.dropped.contains(*key)) {
            match self.ended.get(key) {
                _ if self.given_up_for_good(key) => failed += 1,
                Some(0) => succeeded += 1,
                Some(_) if self.is_ignored(key) => {}
                Some(_) => failed += 1,
                None => {}
            }
        }
        let succeeded = if self.is_indexed() { self.completed.len() as i32 } else { succeeded };
        (succeeded, failed)
    }

    /// Whether the podFailurePolicy of these tests ignores the pod: exit code 42, or an eviction.
    fn is_ignored(&self, pod: &Key) -> bool {
        let has_policy =
            self.stored_job().and_then(|job| job.spec).is_some_and(|spec| spec.pod_failure_policy.is_some());
        has_policy && (self.ended.get(pod) == Some(&IGNORED) || self.evicted.contains(pod))
    }

    /// Whether the pod stands for an index that the Job has; one that does not is not counted.
    fn has_place(&self, pod: &Pod) -> bool {
        let completions = self.stored_job().and_then(|job| job.spec?.completions).unwrap_or(0);
        !self.is_indexed() || pods::completion_index(pod).is_some_and(|index| index < completions)
    }

    /// Whether the Job's completions are counted by index.
    pub(super) fn is_indexed(&self) -> bool {
        self.stored_job().and_then(|job| job.spec?.completion_mode).as_deref() == Some("Indexed")
    }

    /// The completed and the failed indexes, as `completed/failed`; a list that is absent is `-`.
    pub(super) fn indexes(&self) -> String {
        let status = self.stored_job().and_then(|job| job.status).unwrap_or_default();
        let list = |list: Option<String>| list.unwrap_or_else(|| "-".into());
        format!("{}/{}", list(status.completed_indexes), list(status.failed_indexes))
    }

    /// The completion indexes of the active pods, in the order in which the pods were made.
    pub(super) fn active_indexes(&self) -> Vec<i32> {
        self.active().iter().filter_map(pods::completion_index).collect()
    }

    /// What the counters say.
    pub(super) fn told(&self) -> (i32, i32) {
        let status = self.stored_job().and_then(|job| job.status).unwrap_or_default();
        (status.succeeded.unwrap_or(0), status.failed.unwrap_or(0))
    }

    /// The uid of the Job.
    pub(super) fn job_uid(&self) -> String {
        self.stored_job().map(|job| uid(&job.metadata).to_owned()).unwrap_or_default()
    }
}
