//! How far Jobs have come, as a pure function of their status and the time.

use chrono::{DateTime, Duration, Utc};

use crate::api::Job;
use crate::api::conditions::{is_job_finished, job_condition};
use crate::api::indexes::Indexes;
use crate::api::meta::name;
use crate::printers::duration::human_duration;

/// What is known of one Job, or of several together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    /// `job.batch/NAME`, or how many there are.
    of: String,
    succeeded: i32,
    /// How many are to succeed; `None` where a Job has no such number.
    wanted: Option<i32>,
    running: i32,
    /// Pods that are there and do not run yet.
    waiting: i32,
    failed: i32,
    /// Pods, or indexes, that have ended for good, each second.
    rate: Option<f64>,
    /// How long it takes at that rate.
    left: Option<Duration>,
    /// Since the first of them has started.
    elapsed: Option<Duration>,
}

impl Figures {
    /// The figures of Jobs that run side by side. `None` where there is none.
    pub(super) fn of<'a>(jobs: impl IntoIterator<Item = &'a Job>, now: DateTime<Utc>) -> Option<Self> {
        let each = jobs.into_iter().map(|job| Self::of_one(job, now));
        let mut count = 0;
        let all = each.inspect(|_| count += 1).reduce(|one, other| one.and(&other))?;
        Some(if count == 1 { all } else { Self { of: format!("{count} Jobs"), ..all } })
    }

    fn of_one(job: &Job, now: DateTime<Utc>) -> Self {
        let of = format!("job.batch/{}", name(&job.metadata));
        let status = job.status.clone().unwrap_or_default();
        let spec = job.spec.as_ref();
        // Without completions the first that succeeds ends the Job, whatever else still runs.
        let wanted = spec.and_then(|spec| spec.completions);
        let succeeded = status.succeeded.unwrap_or(0);
        let failed_indexes = Indexes::of_status(status.failed_indexes.as_deref(), wanted.unwrap_or(0)).len();
        let active = status.active.unwrap_or(0);
        let running = status.ready.unwrap_or(0).clamp(0, active.max(0));
        let elapsed = status.start_time.as_ref().map(|time| now - time.0);
        // A Job that was suspended counts its start from when it went on, but not what has succeeded.
        let went_on = job_condition(job, "Suspended").is_some();
        let ended = succeeded + failed_indexes;
        let seconds = elapsed.map_or(0., |elapsed| elapsed.num_milliseconds() as f64 / 1000.);
        let rate = (ended > 0 && seconds > 0. && !went_on).then(|| f64::from(ended) / seconds);
        let rate = rate.filter(|_| !is_job_finished(job));
        let left = rate.zip(wanted).and_then(|(rate, wanted)| {
            let milliseconds = f64::from((wanted - ended).max(0)) / rate * 1000.;
            // Years are no forecast.
            (milliseconds < Duration::days(365).num_milliseconds() as f64)
                .then(|| Duration::milliseconds(milliseconds.round() as i64))
        });
        let (waiting, failed) = ((active - running).max(0), status.failed.unwrap_or(0));
        Self { of, succeeded, wanted, running, waiting, failed, rate, left, elapsed }
    }

    /// Of two that run side by side: what is left takes as long as the longer.
    fn and(&self, other: &Self) -> Self {
        let sum = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        Self {
            of: String::new(),
            succeeded: self.succeeded + other.succeeded,
            wanted: self.wanted.zip(other.wanted).map(|(one, other)| one + other),
            running: self.running + other.running,
            waiting: self.waiting + other.waiting,
            failed: self.failed + other.failed,
            rate: sum(self.rate, other.rate),
            left: self.left.max(other.left),
            elapsed: self.elapsed.max(other.elapsed),
        }
    }

    /// One line of them, the most important first: a narrow terminal shows its beginning.
    pub(super) fn line(&self) -> String {
        let mut line = match self.wanted {
            Some(wanted) => format!("{}: {}/{wanted} done", self.of, self.succeeded),
            None => format!("{}: {} done", self.of, self.succeeded),
        };
        line.push_str(&format!(", {} running", self.running));
        for (count, what) in [(self.waiting, "waiting"), (self.failed, "failed")] {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        if let Some(rate) = self.rate {
            line.push_str(&format!(", {}", rate_text(rate)));
        }
        match (self.left.filter(|left| !left.is_zero()), self.elapsed) {
            (Some(left), _) => line.push_str(&format!(", {} left", human_duration(left))),
            (None, Some(elapsed)) => line.push_str(&format!(", {}", human_duration(elapsed))),
            (None, None) => {}
        }
        line
    }
}

/// In the unit in which there is at least one.
fn rate_text(each_second: f64) -> String {
    let (rate, unit) = match each_second {
        many if many >= 1. => (many, "s"),
        some if some * 60. >= 1. => (some * 60., "min"),
        few => (few * 3600., "h"),
    };
    let digits = usize::from(rate < 9.95);
    format!("{rate:.digits$}/{unit}")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: &str = "2026-01-01T00:01:40Z";

    fn job(spec: &Value, status: &Value) -> Job {
        serde_json::from_value(json!({"metadata": {"name": "x"}, "spec": spec, "status": status}))
            .expect("a Job")
    }

    fn line(jobs: &[Job]) -> String {
        Figures::of(jobs, NOW.parse().expect("a time")).expect("figures").line()
    }

    fn started(status: &Value) -> Value {
        let mut status = status.clone();
        status["startTime"] = json!("2026-01-01T00:00:00Z");
        status
    }

    fn of_thousand(status: &Value) -> Job {
        job(&json!({"completions": 1000, "template": {}}), &started(status))
    }

    #[test]
    fn what_is_left_follows_from_the_rate() {
        let status = json!({"succeeded": 200, "active": 8, "ready": 6, "failed": 3});
        assert_eq!(
            line(&[of_thousand(&status)]),
            "job.batch/x: 200/1000 done, 6 running, 2 waiting, 3 failed, 2.0/s, 6m40s left"
        );
    }

    #[test]
    fn an_index_that_has_failed_is_not_left() {
        let mut job = of_thousand(&json!({"succeeded": 100, "active": 1, "ready": 1, "failed": 900}));
        job.status.as_mut().expect("a status").failed_indexes = Some("100-998".into());
        assert_eq!(line(&[job]), "job.batch/x: 100/1000 done, 1 running, 900 failed, 10/s, 0s left");
    }

    #[test]
    fn nothing_is_foretold_without_evidence() {
        let running = json!({"active": 1, "ready": 1});
        assert_eq!(line(&[of_thousand(&running)]), "job.batch/x: 0/1000 done, 1 running, 100s");
        let queue =
            job(&json!({"template": {}}), &started(&json!({"active": 2, "ready": 2, "succeeded": 10})));
        assert_eq!(line(&[queue]), "job.batch/x: 10 done, 2 running, 6.0/min, 100s");
        let new = job(&json!({"completions": 1, "template": {}}), &json!({}));
        assert_eq!(line(&[new]), "job.batch/x: 0/1 done, 0 running");
        let went_on = json!({"succeeded": 900, "active": 1, "ready": 1,
            "conditions": [{"type": "Suspended", "status": "False"}]});
        assert_eq!(line(&[of_thousand(&went_on)]), "job.batch/x: 900/1000 done, 1 running, 100s");
        assert_eq!(Figures::of([], NOW.parse().expect("a time")), None);
    }

    #[test]
    fn a_clock_that_went_back_does_no_harm() {
        let mut job = of_thousand(&json!({"succeeded": 5, "active": 1, "ready": 1}));
        let later = "2026-01-01T01:00:00Z".parse().expect("a time");
        job.status.as_mut().expect("a status").start_time =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(later));
        assert_eq!(line(&[job]), "job.batch/x: 5/1000 done, 1 running, <invalid>");
    }

    #[test]
    fn several_are_shown_together() {
        let few = json!({"succeeded": 100, "active": 1, "ready": 1});
        let many = json!({"succeeded": 500, "active": 1, "ready": 1, "failed": 1});
        assert_eq!(
            line(&[of_thousand(&few), of_thousand(&many)]),
            "2 Jobs: 600/2000 done, 2 running, 1 failed, 6.0/s, 15m left"
        );
    }

    #[test]
    fn rates_have_the_unit_that_reads_best() {
        assert_eq!(rate_text(123.4), "123/s");
        assert_eq!(rate_text(9.96), "10/s");
        assert_eq!(rate_text(0.5), "30/min");
        assert_eq!(rate_text(0.001), "3.6/h");
    }
}
