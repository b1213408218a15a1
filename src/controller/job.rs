//! The Job controller: how many pods, and when a Job has ended (kubernetes-behaviour 2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

mod claim;
mod dependencies;
mod indexed;

use dependencies::Standing;
use indexed::IndexedState;

use super::pods::IndexOfPod;
use super::policies::{self, FailureAction};
use super::ttl::{expiry, remove_dependents};
use super::{Action, World, backoff, pods, scheduler};
use crate::api::conditions::{
    is_job_condition_true, is_pod_finished, is_pod_ready, new_job_condition, pod_phase,
};
use crate::api::durations::after;
use crate::api::events::{EventRecord, Reference};
use crate::api::meta::{
    FINALIZER_JOB_TRACKING, has_finalizer, key, name, namespace, remove_finalizer, time, uid,
};
use crate::api::{Job, JobSpec, JobStatus, Pod};

/// The component that Events of this controller name.
const SOURCE: &str = "job-controller";

/// What the Job controller remembers of a Job beyond its status. Upstream keeps it in memory and loses it on a
/// restart; here every pass may be another process, so it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFacts {
    /// The Job these facts belong to: a new Job of the same name starts afresh.
    pub uid: String,
    /// `status.startTime` with its fraction, so that a deadline of one second lasts one second.
    pub started: Option<DateTime<Utc>>,
    /// Failures since the last success, in the order in which pods finished.
    pub failures: u32,
    /// When the last of them finished.
    pub last_failure: Option<DateTime<Utc>>,
    /// Under `backoffLimitPerIndex`: the indexes that have failed and are to be tried again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: BTreeMap<i32, IndexFailures>,
    /// Whether the Jobs that it waits for have ended: they may be gone by now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dependencies_met: bool,
    /// Whether something is to be run because the Job has ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hook_due: bool,
    /// By which clock these times are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockReading>,
}

/// By which clock times were noted: the wall clock, told by how far it is from the time since the machine was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockReading {
    /// Stands for the boot of the machine; what was noted in another cannot be compared.
    pub boot: u64,
    /// The wall clock's milliseconds less those since the machine was started: they change when somebody sets the clock.
    pub offset: i64,
}

/// A clock that differs by this many milliseconds from what has passed has been set; one that is only adjusted goes a little faster
/// or slower.
const CLOCK_STEP: i64 = 1000;

impl ClockReading {
    /// By how much the clock has been set since an earlier reading; `None` where it has not, or nobody knows.
    pub fn set_since(self, earlier: Self) -> Option<Duration> {
        let by = self.offset - earlier.offset;
        (self.boot == earlier.boot && by.abs() >= CLOCK_STEP).then(|| Duration::milliseconds(by))
    }
}

impl JobFacts {
    /// Moves every time along with a clock that has been set since they were noted, so that deadlines and delays last as long as
    /// they would have. Nothing was in the future.
    fn follow(&mut self, clock: ClockReading, now: DateTime<Utc>) {
        // Whoever only looks has no clock.
        if clock == ClockReading::default() {
            return;
        }
        let by = self.clock.and_then(|known| clock.set_since(known));
        if by.is_some() || self.clock.is_none_or(|known| known.boot != clock.boot) {
            self.clock = Some(clock);
        }
        let by = by.unwrap_or_default();
        let times = [&mut self.started, &mut self.last_failure].into_iter().flatten();
        times
            .chain(self.indexes.values_mut().map(|index| &mut index.last))
            .for_each(|time| *time = (*time + by).min(now));
    }
}

/// How a completion index has fared so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFailures {
    /// Failures that count towards `backoffLimitPerIndex`.
    pub failures: u32,
    /// Failures that podFailurePolicy has ignored.
    pub ignored: u32,
    /// When the last of both finished.
    pub last: DateTime<Utc>,
}

/// Why a Job ends.
struct Finish {
    /// `Complete` or `Failed`.
    terminal: &'static str,
    reason: String,
    message: String,
}

impl Finish {
    fn failed(reason: &str, message: &str) -> Self {
        Self { terminal: "Failed", reason: reason.into(), message: message.into() }
    }

    fn interim(&self) -> &'static str {
        if self.terminal == "Complete" { "SuccessCriteriaMet" } else { "FailureTarget" }
    }
}

/// The pods of one Job as a sync finds them.
#[derive(Default)]
struct PodSets {
    active: Vec<Arc<Pod>>,
    ready: i32,
    terminating: Vec<Arc<Pod>>,
    /// Ended, or given up, and not in the status yet.
    uncounted: Vec<Arc<Pod>>,
}

impl PodSets {
    fn of(pods: Vec<Arc<Pod>>, job: &Job) -> Self {
        let mut sets = Self::default();
        let waits_for_failed = waits_for_failed_phase(job);
        for pod in pods {
            let finished = is_pod_finished(&pod);
            let deleting = pod.metadata.deletion_timestamp.is_some();
            let given_up = deleting && !waits_for_failed;
            if has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING) && (finished || given_up) {
                sets.uncounted.push(Arc::clone(&pod));
            }
            if !finished && !deleting {
                sets.ready += i32::from(is_pod_ready(&pod));
                sets.active.push(pod);
            } else if !finished {
                sets.terminating.push(pod);
            }
        }
        sets
    }
}

/// Whether a pod counts, and is replaced, only once it has really ended (`podReplacementPolicy: Failed`).
fn waits_for_failed_phase(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| {
        spec.pod_replacement_policy.as_deref() == Some("Failed") || spec.pod_failure_policy.is_some()
    })
}

/// Syncs one unfinished Job. Returns when it wants to be looked at again though nothing changes.
pub(super) fn sync_job(
    world: &World,
    job: &Arc<Job>,
    now: DateTime<Utc>,
    random: &mut fastrand::Rng,
    actions: &mut Vec<Action>,
) -> Option<DateTime<Utc>> {
    let Some(spec) = &job.spec else { return None };
    let being_deleted = job.metadata.deletion_timestamp.is_some();
    // Deletion is the garbage collector's business, whoever manages the Job.
    if !being_deleted
        && spec.managed_by.as_deref().is_some_and(|manager| manager != "kubernetes.io/job-controller")
    {
        return None;
    }
    let job_key = key(&job.metadata);
    let mut sync = Sync {
        world,
        job,
        spec,
        now,
        status: job.status.clone().unwrap_or_default(),
        facts: world.facts(&job_key).filter(|facts| facts.uid == uid(&job.metadata)).cloned().unwrap_or_else(
            || JobFacts {
                uid: uid(&job.metadata).to_owned(),
                started: started_of(job, now),
                ..JobFacts::default()
            },
        ),
        actions,
        wake: None,
        names: BTreeSet::new(),
        indexed: IndexedState::of(job),
        failed_by_policy: None,
    };
    if being_deleted {
        sync.delete_in_foreground();
        return None;
    }
    let before = sync.facts.clone();
    sync.facts.follow(world.clock, now);
    sync.run(random);
    let Sync { status, facts, wake, .. } = sync;
    if facts != before || world.facts(&job_key).is_none() {
        actions.push(Action::UpdateFacts(job_key, facts));
    }
    if job.status.as_ref() != Some(&status) {
        actions.push(Action::UpdateJobStatus(Box::new(Job { status: Some(status), ..Job::clone(job) })));
    }
    wake
}

/// The start with a fraction, where only the whole second is known: its end, so that nothing comes early.
fn started_of(job: &Job, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let second = job.status.as_ref()?.start_time.as_ref()?.0;
    Some((second + Duration::seconds(1)).min(now))
}

/// One sync: the facts it started from and what it has decided so far.
struct Sync<'a> {
    world: &'a World,
    job: &'a Arc<Job>,
    spec: &'a JobSpec,
    now: DateTime<Utc>,
    status: JobStatus,
    facts: JobFacts,
    actions: &'a mut Vec<Action>,
    wake: Option<DateTime<Utc>>,
    /// Names given to pods in this sync.
    names: BTreeSet<String>,
    /// What an Indexed Job knows of its indexes.
    indexed: Option<IndexedState>,
    /// What a FailJob rule of the podFailurePolicy says of a pod.
    failed_by_policy: Option<String>,
}

impl Sync<'_> {
    fn run(&mut self, random: &mut fastrand::Rng) {
        let sets = PodSets::of(self.claim_pods(), self.job);
        self.count_finished_pods(&sets);
        let suspended = self.spec.suspend == Some(true);
        let standing = self.standing();
        if let Standing::Met = standing {
            self.mark_dependencies_met();
            if self.status.start_time.is_none() && !suspended {
                self.start();
            }
        }
        let mut active = sets.active.len() as i32;
        let mut terminating = sets.terminating.len() as i32;
        let mut finish = self.finish_condition(&sets);
        if let Standing::Failed(message) = &standing {
            finish = finish.or_else(|| Some(self.dependency_failed(message)));
        }
        if let Some(finish) = &finish {
            self.give_up_pods(&sets, finish);
            terminating += active;
            active = 0;
        } else if suspended {
            for pod in &sets.active {
                self.delete_pod(pod);
            }
            terminating += active;
            active = 0;
        } else if let Standing::Waiting(message) = &standing {
            self.mark_waiting(message);
        } else {
            let deleted = self.manage_pods(&sets, &mut active, random);
            terminating += deleted;
        }
        if finish.is_none() && self.is_complete(active) {
            if self.spec.completions.is_some_and(|wanted| self.succeeded() > wanted) {
                self.event(
                    "Warning",
                    "TooManySucceededPods",
                    "Too many succeeded pods running after completion count reached",
                );
            }
            finish = Some(Finish {
                terminal: "Complete",
                reason: "CompletionsReached".into(),
                message: "Reached expected number of succeeded pods".into(),
            });
        }
        if finish.is_none() {
            self.mark_suspended(suspended);
        }
        self.status.active = positive(active);
        self.status.ready = Some(if active == 0 { 0 } else { sets.ready.min(active) });
        self.status.terminating = Some(terminating);
        self.status.uncounted_terminated_pods.get_or_insert_default();
        if let Some(finish) = finish {
            // Pods deleted in this sync are counted by the next, before the Job may end.
            self.finish(&finish, terminating == 0);
        }
    }

    fn start(&mut self) {
        self.status.start_time = Some(time(self.now));
        self.facts.started = Some(self.now);
    }

    fn succeeded(&self) -> i32 {
        self.status.succeeded.unwrap_or(0)
    }

    fn event(&mut self, type_: &str, reason: &str, message: &str) {
        let about = job_reference(self.job);
        self.actions
            .push(Action::RecordEvent(EventRecord::new(about, type_, SOURCE, reason, message, self.now)));
    }

    /// Counts each ended pod once: status, back-off record and finalizer go into one commit.
    fn count_finished_pods(&mut self, sets: &PodSets) {
        let mut finished: Vec<(DateTime<Utc>, &Arc<Pod>)> =
            sets.uncounted.iter().map(|pod| (backoff::finish_time(pod, self.now), pod)).collect();
        finished.sort_by_key(|(at, _)| *at);
        for (at, pod) in finished {
            match &self.indexed {
                None if pod_phase(pod) == "Succeeded" => {
                    self.status.succeeded = positive(self.succeeded() + 1);
                    self.forget_failures();
                }
                None => {
                    self.count_failure(pod, at);
                }
                Some(_) => self.count_indexed(pod, at),
            }
            let mut counted = Pod::clone(pod);
            remove_finalizer(&mut counted.metadata, FINALIZER_JOB_TRACKING);
            self.actions.push(Action::UpdatePod(Box::new(counted)));
        }
        self.store_indexes();
    }

    fn forget_failures(&mut self) {
        self.facts.failures = 0;
        self.facts.last_failure = None;
    }

    /// Counts a failure as the podFailurePolicy says; returns what it says.
    fn count_failure(&mut self, pod: &Pod, at: DateTime<Utc>) -> FailureAction {
        let action = match pod_phase(pod) {
            "Failed" => policies::failure_action(self.spec.pod_failure_policy.as_ref(), pod),
            _ => FailureAction::Count,
        };
        if action == FailureAction::Ignore {
            return action;
        }
        self.status.failed = positive(self.status.failed.unwrap_or(0) + 1);
        self.facts.failures = self.facts.failures.saturating_add(1);
        self.facts.last_failure = Some(at);
        if let FailureAction::FailJob(message) = &action {
            self.failed_by_policy.get_or_insert_with(|| message.clone());
        }
        action
    }

    /// The Job ends: no pod is waited for to be counted. Of a Job that has failed, those that have not ended count as
    /// failed here and now, which does not fail their indexes; of one that has succeeded they are not counted (2.12).
    fn give_up_pods(&mut self, sets: &PodSets, finish: &Finish) {
        let waits = waits_for_failed_phase(self.job);
        // Where deletion is failure enough, those told to stop before have been counted already.
        let stopping: Vec<&Arc<Pod>> = sets
            .terminating
            .iter()
            .filter(|pod| waits && has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING))
            .collect();
        if finish.terminal == "Failed" {
            for pod in sets.active.iter().chain(stopping.iter().copied()) {
                let ignored = policies::failure_action(self.spec.pod_failure_policy.as_ref(), pod)
                    == FailureAction::Ignore;
                let has_place = self.indexed.as_ref().is_none_or(|indexed| indexed.index_of(pod).is_some());
                if has_place && !ignored {
                    self.status.failed = positive(self.status.failed.unwrap_or(0) + 1);
                }
            }
        }
        for pod in stopping {
            let mut counted = Pod::clone(pod);
            remove_finalizer(&mut counted.metadata, FINALIZER_JOB_TRACKING);
            self.actions.push(Action::UpdatePod(Box::new(counted)));
        }
        for pod in &sets.active {
            self.delete_pod(pod);
        }
    }

    /// Whether the Job must end, in upstream's order of precedence.
    fn finish_condition(&mut self, sets: &PodSets) -> Option<Finish> {
        if let Some(condition) = crate::api::conditions::job_condition(self.job, "SuccessCriteriaMet")
            .filter(|condition| condition.status == "True")
        {
            return Some(Finish {
                terminal: "Complete",
                reason: condition.reason.clone().unwrap_or_default(),
                message: condition.message.clone().unwrap_or_default(),
            });
        }
        if let Some(condition) = crate::api::conditions::job_condition(self.job, "FailureTarget")
            .filter(|condition| condition.status == "True")
        {
            return Some(Finish::failed(
                condition.reason.as_deref().unwrap_or_default(),
                condition.message.as_deref().unwrap_or_default(),
            ));
        }
        if let Some(message) = &self.failed_by_policy {
            return Some(Finish::failed("PodFailurePolicy", message));
        }
        if self.exceeds_backoff_limit(sets) {
            return Some(Finish::failed(
                "BackoffLimitExceeded",
                "Job has reached the specified backoff limit",
            ));
        }
        if self.past_active_deadline() {
            return Some(Finish::failed("DeadlineExceeded", "Job was active longer than specified deadline"));
        }
        self.finish_of_indexes()
    }

    /// Never: failed pods beyond the limit. OnFailure: restarts of pods that have not ended up to the limit (2.4).
    fn exceeds_backoff_limit(&self, sets: &PodSets) -> bool {
        let limit = self.spec.backoff_limit.unwrap_or(6);
        if self.status.failed.unwrap_or(0) > limit {
            return true;
        }
        let restarts_locally = self
            .spec
            .template
            .spec
            .as_ref()
            .is_some_and(|spec| spec.restart_policy.as_deref() == Some("OnFailure"));
        if !restarts_locally {
            return false;
        }
        // Those of pods that are being stopped count until these have ended.
        let restarts: i32 = sets.active.iter().chain(&sets.terminating).map(|pod| restart_count(pod)).sum();
        if limit == 0 { restarts > 0 } else { restarts >= limit }
    }

    fn past_active_deadline(&mut self) -> bool {
        let (Some(seconds), Some(started)) = (self.spec.active_deadline_seconds, self.facts.started) else {
            return false;
        };
        // A Job that this sync resumes starts its time afresh at the end of it.
        let resuming = is_job_condition_true(self.job, "Suspended");
        if self.spec.suspend == Some(true) || resuming || self.status.start_time.is_none() {
            return false;
        }
        let deadline = after(started, seconds);
        if self.now < deadline {
            self.wake_at(deadline);
        }
        self.now >= deadline
    }

    fn wake_at(&mut self, at: DateTime<Utc>) {
        self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
    }

    /// How many pods the Job wants now (2.2).
    fn wanted(&self, active: i32) -> i32 {
        let parallelism = self.spec.parallelism.unwrap_or(1);
        match self.spec.completions {
            Some(completions) => (completions - self.succeeded()).min(parallelism).max(0),
            None if self.succeeded() > 0 => active,
            None => parallelism,
        }
    }

    /// Deletes surplus pods or creates missing ones, never both in one sync. Returns how many it deleted.
    fn manage_pods(&mut self, sets: &PodSets, active: &mut i32, random: &mut fastrand::Rng) -> i32 {
        let wanted = self.wanted(*active);
        let surplus = self.surplus_pods(sets, (*active - wanted).max(0) as usize);
        if !surplus.is_empty() {
            surplus.iter().for_each(|pod| self.delete_pod(pod));
            *active -= surplus.len() as i32;
            return surplus.len() as i32;
        }
        let mut missing = wanted - *active;
        if waits_for_failed_phase(self.job) {
            missing -= sets.terminating.len() as i32;
        }
        if missing <= 0 {
            return 0;
        }
        let base = backoff::base(&self.job.metadata, self.world.settings.backoff_base);
        if self.spec.backoff_limit_per_index.is_none()
            && let Some(at) = backoff::next_creation(self.facts.failures, self.facts.last_failure, base)
            && at > self.now
        {
            self.wake_at(at);
            return 0;
        }
        let made = match &self.indexed {
            None => (0..missing).take_while(|_| self.create_pod(None, random)).count() as i32,
            Some(_) => self.create_missing_indexes(sets, missing as usize, base, random),
        };
        *active += made;
        0
    }

    /// Which active pods to delete: so many of the least valuable, of an Indexed Job in any case those that stand for
    /// no index of their own.
    fn surplus_pods(&self, sets: &PodSets, count: usize) -> Vec<Arc<Pod>> {
        let all_have_a_place =
            self.indexed.as_ref().is_none_or(|indexed| !indexed.has_superfluous(&sets.active));
        if count == 0 && all_have_a_place {
            return Vec::new();
        }
        let mut ranked = sets.active.clone();
        ranked.sort_by_cached_key(|pod| deletion_rank(pod));
        let (mut surplus, others) = match &self.indexed {
            None => (Vec::new(), ranked),
            Some(indexed) => indexed.split_superfluous(ranked),
        };
        let more = count.saturating_sub(surplus.len());
        surplus.extend(others.into_iter().take(more));
        surplus
    }

    /// False where the pod is not to be: then neither are others like it.
    fn create_pod(&mut self, index: Option<IndexOfPod>, random: &mut fastrand::Rng) -> bool {
        let mut pod = match pods::new_pod(self.world, self.job, index, self.now, random, &mut self.names) {
            Ok(pod) => pod,
            Err(why) => {
                self.event("Warning", "FailedCreate", &format!("Error creating: {why}"));
                return false;
            }
        };
        self.event("Normal", "SuccessfulCreate", &format!("Created pod: {}", name(&pod.metadata)));
        let scheduled = scheduler::schedule(self.world, &mut pod, self.now);
        self.actions.extend(scheduled.map(Action::RecordEvent));
        self.actions.push(Action::CreatePod(Box::new(pod)));
        true
    }

    /// Tells a pod to stop. How it ends is not counted any more.
    fn delete_pod(&mut self, pod: &Arc<Pod>) {
        let mut deleted = Pod::clone(pod);
        remove_finalizer(&mut deleted.metadata, FINALIZER_JOB_TRACKING);
        pods::mark_deleted(&mut deleted, None, self.now);
        self.event("Normal", "SuccessfulDelete", &format!("Deleted pod: {}", name(&deleted.metadata)));
        self.actions.push(Action::UpdatePod(Box::new(deleted)));
    }

    /// Whether enough pods have succeeded and none is running any more (2.7).
    fn is_complete(&self, active: i32) -> bool {
        if active > 0 {
            return false;
        }
        match self.spec.completions {
            Some(completions) => self.succeeded() >= completions,
            None => self.succeeded() > 0,
        }
    }

    fn mark_suspended(&mut self, suspended: bool) {
        let current = self
            .status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == "Suspended")
            .map(|condition| condition.status == "True");
        match (current, suspended) {
            (None | Some(false), true) => {
                self.set_condition("Suspended", "True", "JobSuspended", "Job suspended");
                self.event("Normal", "Suspended", "Job suspended");
            }
            (Some(true), false) => {
                self.set_condition("Suspended", "False", "JobResumed", "Job resumed");
                self.event("Normal", "Resumed", "Job resumed");
                self.start();
            }
            _ => {}
        }
    }

    fn set_condition(&mut self, kind: &str, status: &str, reason: &str, message: &str) {
        let fresh = new_job_condition(kind, status, reason, message, self.now);
        let conditions = self.status.conditions.get_or_insert_default();
        match conditions.iter_mut().find(|condition| condition.type_ == kind) {
            Some(old) => *old = fresh,
            None => conditions.push(fresh),
        }
    }

    /// The interim condition at once, the terminal one when no pod is left (2.5).
    fn finish(&mut self, finish: &Finish, all_pods_gone: bool) {
        if !is_job_condition_true(self.job, finish.interim()) {
            self.set_condition(finish.interim(), "True", &finish.reason, &finish.message);
        }
        if !all_pods_gone {
            return;
        }
        self.set_condition(finish.terminal, "True", &finish.reason, &finish.message);
        let is_complete = finish.terminal == "Complete";
        let hooks = &self.world.settings.hooks;
        self.facts.hook_due = !hooks.command_for(&self.job.metadata, is_complete).is_empty();
        if is_complete {
            self.status.completion_time = Some(time(self.now));
            self.event("Normal", "Completed", "Job completed");
        } else {
            self.event("Warning", &finish.reason, &finish.message);
        }
        self.wake = self.spec.ttl_seconds_after_finished.map(|seconds| expiry(self.now, seconds));
    }

    /// Foreground deletion: pods first, then the Job.
    fn delete_in_foreground(&mut self) {
        let mut left = 0;
        for pod in self.world.live_pods_of(uid(&self.job.metadata)) {
            left += 1;
            let tracked = has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING);
            if pod.metadata.deletion_timestamp.is_none() || tracked {
                let mut deleted = Pod::clone(pod);
                remove_finalizer(&mut deleted.metadata, FINALIZER_JOB_TRACKING);
                pods::mark_deleted(&mut deleted, None, self.now);
                self.actions.push(Action::UpdatePod(Box::new(deleted)));
            }
        }
        remove_dependents(self.world, uid(&self.job.metadata), self.actions);
        if left == 0 {
            self.actions.push(Action::RemoveJob(key(&self.job.metadata)));
        }
    }
}

/// The API omits zeros of these counters.
fn positive(count: i32) -> Option<i32> {
    (count > 0).then_some(count)
}

/// Restarts of all containers of a pod, init containers included.
fn restart_count(pod: &Pod) -> i32 {
    let Some(status) = &pod.status else { return 0 };
    let all =
        status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
    all.map(|container| container.restart_count).sum()
}

/// Which surplus pods go first (2.2): those without a node, Pending before Running, not ready before ready, later ready first, more
/// restarts first, newer first; where all that is the same, later indexes first.
fn deletion_rank(pod: &Pod) -> impl Ord + use<> {
    let phase = match pod_phase(pod) {
        "Pending" => 0,
        "Unknown" => 1,
        _ => 2,
    };
    let ready_since = crate::api::conditions::pod_condition(pod, "Ready")
        .filter(|condition| condition.status == "True")
        .and_then(|condition| condition.last_transition_time.as_ref())
        .map(|time| time.0);
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (
        scheduler::is_bound(pod),
        phase,
        ready_since.is_some(),
        std::cmp::Reverse(ready_since),
        std::cmp::Reverse(restart_count(pod)),
        std::cmp::Reverse(created),
        std::cmp::Reverse(pods::completion_index(pod)),
        name(&pod.metadata).to_owned(),
    )
}

/// A reference to a Job for its Events.
pub fn job_reference(job: &Job) -> Reference {
    Reference {
        kind: "Job".into(),
        api_version: "batch/v1".into(),
        namespace: namespace(&job.metadata).into(),
        name: name(&job.metadata).into(),
        uid: uid(&job.metadata).into(),
        field_path: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_of_a_job_follows_a_clock_that_is_set() {
        let at = |second: i64| DateTime::from_timestamp(1_000_000 + second, 0).expect("a time");
        let last = IndexFailures { failures: 1, ignored: 0, last: at(5) };
        let noted = JobFacts {
            started: Some(at(0)),
            last_failure: Some(at(5)),
            indexes: BTreeMap::from([(3, last)]),
            clock: Some(ClockReading { boot: 1, offset: 0 }),
            ..JobFacts::default()
        };
        let followed = |boot, offset, now| {
            let mut facts = noted.clone();
            facts.follow(ClockReading { boot, offset }, now);
            (facts.started, facts.last_failure, facts.indexes[&3].last)
        };
        let times = |start| (Some(at(start)), Some(at(start + 5)), at(start + 5));
        assert_eq!(followed(1, 999, at(9)), times(0), "adjusted");
        assert_eq!(followed(1, 3_600_000, at(3609)), times(3600), "set forward");
        assert_eq!(followed(1, -3_600_000, at(-3591)), times(-3600), "set back");
        assert_eq!(followed(2, 3_600_000, at(9)), times(0), "another boot: nothing is known");
        assert_eq!(
            followed(2, 0, at(-100)),
            (Some(at(-100)), Some(at(-100)), at(-100)),
            "nothing was in the future"
        );
        let mut facts = noted.clone();
        facts.follow(ClockReading { boot: 1, offset: -3_600_000 }, at(-3591));
        let once = facts.clone();
        facts.follow(ClockReading { boot: 1, offset: -3_600_000 }, at(-3590));
        assert_eq!(facts, once, "once");
    }
}
