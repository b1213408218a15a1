//! Indexed Jobs: which index is done, which has failed, which comes next (kubernetes-behaviour 2.2, 2.10, 2.12).

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::{Finish, IndexFailures, PodSets, Sync, positive, waits_for_failed_phase};
use crate::api::conditions::pod_phase;
use crate::api::indexes::Indexes;
use crate::api::{Job, Pod};
use crate::controller::backoff;
use crate::controller::pods::{IndexOfPod, completion_index, index_failures};
use crate::controller::policies::{self, FailureAction};

/// What an Indexed Job knows of its indexes.
pub(super) struct IndexedState {
    completions: i32,
    completed: Indexes,
    failed: Indexes,
}

impl IndexedState {
    /// Of an Indexed Job: what its status says.
    pub(super) fn of(job: &Job) -> Option<Self> {
        let spec = job.spec.as_ref().filter(|spec| spec.completion_mode.as_deref() == Some("Indexed"))?;
        let completions = spec.completions.unwrap_or(0);
        let status = job.status.as_ref();
        let list = |list: Option<&String>| Indexes::of_status(list.map(String::as_str), completions);
        Some(Self {
            completions,
            completed: list(status.and_then(|status| status.completed_indexes.as_ref())),
            failed: list(status.and_then(|status| status.failed_indexes.as_ref())),
        })
    }

    /// The completion index that a pod works on, where the Job has it.
    pub(super) fn index_of(&self, pod: &Pod) -> Option<i32> {
        completion_index(pod).filter(|index| *index < self.completions)
    }

    /// Whether a pod has no index of its own.
    pub(super) fn has_superfluous(&self, pods: &[Arc<Pod>]) -> bool {
        let mut seen = HashSet::with_capacity(pods.len());
        pods.iter().any(|pod| !self.index_of(pod).is_some_and(|index| seen.insert(index)))
    }

    /// Parts the pods, in the order in which they may be deleted, into those that have no index of their own (none,
    /// one beyond the completions, or that of a more valuable pod) and the others.
    pub(super) fn split_superfluous(&self, ranked: Vec<Arc<Pod>>) -> (Vec<Arc<Pod>>, Vec<Arc<Pod>>) {
        let mut seen = HashSet::new();
        let (mut superfluous, mut others): (Vec<_>, Vec<_>) = ranked
            .into_iter()
            .rev()
            .partition(|pod| !self.index_of(pod).is_some_and(|index| seen.insert(index)));
        superfluous.reverse();
        others.reverse();
        (superfluous, others)
    }
}

impl Sync<'_> {
    /// Counts an ended pod of an Indexed Job: a success once per index; a pod without a valid index not at all.
    pub(super) fn count_indexed(&mut self, pod: &Pod, at: DateTime<Utc>) {
        let Some(index) = self.indexed.as_ref().and_then(|indexed| indexed.index_of(pod)) else { return };
        if pod_phase(pod) == "Succeeded" {
            self.indexed.as_mut().map(|indexed| indexed.completed.insert(index));
            self.facts.indexes.remove(&index);
            self.forget_failures();
            return;
        }
        let action = self.count_failure(pod, at);
        let (Some(limit), Some(indexed)) = (self.spec.backoff_limit_per_index, &mut self.indexed) else {
            return;
        };
        if indexed.completed.contains(index) {
            return;
        }
        let (failures, ignored) = index_failures(pod);
        let retry = match action {
            FailureAction::Ignore => IndexFailures { failures, ignored: ignored.saturating_add(1), last: at },
            FailureAction::FailIndex => {
                self.facts.indexes.remove(&index);
                indexed.failed.insert(index);
                return;
            }
            FailureAction::Count | FailureAction::FailJob(_) if failures >= limit.unsigned_abs() => {
                self.facts.indexes.remove(&index);
                indexed.failed.insert(index);
                return;
            }
            FailureAction::Count | FailureAction::FailJob(_) => {
                IndexFailures { failures: failures.saturating_add(1), ignored, last: at }
            }
        };
        self.facts.indexes.insert(index, retry);
    }

    /// Writes the indexes into the status.
    pub(super) fn store_indexes(&mut self) {
        let Some(indexed) = &self.indexed else { return };
        self.status.succeeded = positive(indexed.completed.len());
        self.status.completed_indexes =
            (!indexed.completed.is_empty()).then(|| indexed.completed.to_string());
        if self.spec.backoff_limit_per_index.is_some() {
            self.status.failed_indexes = Some(indexed.failed.to_string());
        }
    }

    /// Whether the state of the indexes ends the Job: too many failed, all done with some failed, or enough by the
    /// successPolicy.
    pub(super) fn finish_of_indexes(&self) -> Option<Finish> {
        let indexed = self.indexed.as_ref()?;
        let failed = indexed.failed.len();
        if self.spec.max_failed_indexes.is_some_and(|limit| failed > limit) {
            return Some(Finish::failed(
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            ));
        }
        if failed > 0 && failed + indexed.completed.len() >= indexed.completions {
            return Some(Finish::failed("FailedIndexes", "Job has failed indexes"));
        }
        let policy = self.spec.success_policy.as_ref().filter(|_| !indexed.completed.is_empty())?;
        let rule = policies::matching_success_rule(policy, &indexed.completed, indexed.completions)?;
        Some(Finish {
            terminal: "Complete",
            reason: "SuccessPolicy".into(),
            message: format!("Matched rules at index {rule}"),
        })
    }

    /// Creates pods for the lowest indexes that need one, at most so many. An index that has failed under
    /// `backoffLimitPerIndex` waits for its own delay, and holds up no other.
    pub(super) fn create_missing_indexes(
        &mut self,
        sets: &PodSets,
        most: usize,
        base: Duration,
        random: &mut fastrand::Rng,
    ) -> i32 {
        let Some(indexed) = &self.indexed else { return 0 };
        let waits = waits_for_failed_phase(self.job);
        let stopping = sets.terminating.iter().filter(|_| waits);
        let taken: HashSet<i32> =
            sets.active.iter().chain(stopping).filter_map(|pod| indexed.index_of(pod)).collect();
        let per_index = self.spec.backoff_limit_per_index.is_some();
        let mut next = Vec::with_capacity(most);
        let mut earliest: Option<DateTime<Utc>> = None;
        for index in indexed.completed.missing(indexed.completions) {
            if next.len() == most {
                break;
            }
            if taken.contains(&index) || indexed.failed.contains(index) {
                continue;
            }
            let before = self.facts.indexes.get(&index);
            if let Some(before) = before {
                let failures = before.failures.saturating_add(before.ignored);
                let at = backoff::next_creation(failures, Some(before.last), base).unwrap_or(before.last);
                if at > self.now {
                    earliest = Some(earliest.map_or(at, |earlier| earlier.min(at)));
                    continue;
                }
            }
            let failures =
                per_index.then(|| before.map_or((0, 0), |before| (before.failures, before.ignored)));
            next.push(IndexOfPod { index, failures });
        }
        if let Some(at) = earliest {
            self.wake_at(at);
        }
        let mut made = 0;
        for index in &next {
            if !self.create_pod(Some(*index), random) {
                break;
            }
            // The new pod's annotations carry the count from here on.
            self.facts.indexes.remove(&index.index);
            made += 1;
        }
        made
    }
}
