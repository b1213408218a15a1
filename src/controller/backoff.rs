//! Delays between retries (kubernetes-behaviour 2.3 and 4.4).

use chrono::{DateTime, Duration, Utc};

use super::JobFacts;
use crate::api::conditions::{is_job_condition_true, is_job_finished};
use crate::api::durations::after;
use crate::api::meta::{ANNOTATION_BACKOFF_BASE, annotation};
use crate::api::{Job, ObjectMeta, Pod};

/// Kubernetes' first delay between a failed pod and its replacement.
pub const DEFAULT_BASE: Duration = Duration::seconds(10);
/// The longest delay between pods of a Job (the constant in upstream's source; its documentation says six minutes).
const LONGEST: Duration = Duration::minutes(10);

/// The first delay for an object: its annotation `jobctl.local/backoff-base`, else the default.
pub fn base(meta: &ObjectMeta, default: Duration) -> Duration {
    annotation(meta, ANNOTATION_BACKOFF_BASE)
        .and_then(|text| crate::api::durations::parse(text).ok())
        .unwrap_or(default)
}

/// The delay after `failures` failures in a row: base, doubled for every further one, at most ten minutes.
pub fn delay(failures: u32, base: Duration, longest: Duration) -> Duration {
    if failures == 0 {
        return Duration::zero();
    }
    let doublings = (failures - 1).min(30);
    base.checked_mul(1_i32 << doublings).map_or(longest, |delay| delay.min(longest))
}

/// When the next pod of a Job may be made, after `failures` failures since the last success, the last at `last`.
pub fn next_creation(failures: u32, last: Option<DateTime<Utc>>, base: Duration) -> Option<DateTime<Utc>> {
    Some(last? + delay(failures, base, LONGEST))
}

/// When the next pod of a Job is made in place of one that has failed; `None` where none is waited for.
pub fn next_retry(job: &Job, facts: &JobFacts, default_base: Duration) -> Option<DateTime<Utc>> {
    let base = base(&job.metadata, default_base);
    let spec = job.spec.as_ref();
    let failed = job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
    let is_used_up = spec.is_some_and(|spec| failed > spec.backoff_limit.unwrap_or(i32::MAX));
    let is_ending = ["FailureTarget", "SuccessCriteriaMet"].iter().any(|end| is_job_condition_true(job, end));
    if is_used_up || is_ending || is_job_finished(job) {
        return None;
    }
    let per_index = spec.and_then(|spec| spec.backoff_limit_per_index);
    let limit = per_index.unwrap_or(i32::MAX);
    // Where each index has a limit of its own, none waits for another's failure.
    let of_job = next_creation(facts.failures, facts.last_failure, base)
        .filter(|_| facts.failures > 0 && per_index.is_none());
    let failing = facts.indexes.values().filter(|index| i64::from(index.failures) <= i64::from(limit));
    let of_indexes =
        failing.filter_map(|index| next_creation(index.failures + index.ignored, Some(index.last), base));
    of_indexes.chain(of_job).min()
}

/// When a pod finished, never earlier than it did: the API keeps whole seconds, so the end of that second is taken
/// unless `now` comes first. Latest container end; else when it stopped being Ready; else deletion or creation.
pub fn finish_time(pod: &Pod, now: DateTime<Utc>) -> DateTime<Utc> {
    let status = pod.status.as_ref();
    let containers = status
        .into_iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .filter_map(|container| container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref())
        .map(|time| time.0)
        .max();
    let not_ready = || {
        crate::api::conditions::pod_condition(pod, "Ready")
            .filter(|condition| condition.status == "False")
            .and_then(|condition| condition.last_transition_time.as_ref())
            .map(|time| time.0)
    };
    let deleted = || {
        let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
        pod.metadata.deletion_timestamp.as_ref().map(|time| after(time.0, grace.saturating_neg()))
    };
    let created = || pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let second = containers.or_else(not_ready).or_else(deleted).or_else(created).unwrap_or(now);
    (second + Duration::seconds(1)).min(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_from_ten_seconds_to_ten_minutes() {
        let seconds: Vec<i64> =
            (0..=9).map(|failures| delay(failures, DEFAULT_BASE, LONGEST).num_seconds()).collect();
        assert_eq!(seconds, [0, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(delay(u32::MAX, DEFAULT_BASE, LONGEST), LONGEST);
        assert_eq!(delay(3, Duration::zero(), LONGEST), Duration::zero());
    }
}
