//! `run --junit`: a report as test runners write it, with a case for each completion index of a Job or for each pod.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestRerun, TestSuite};

use super::follow_logs::{FollowedJob, Listener};
use super::log_source::{Failure, evidence_of};
use super::run_report::{Clerk, Summary};
use crate::api::conditions::{is_pod_finished, pod_phase};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, name, uid};
use crate::api::{Job, Pod};
use crate::client::Client;
use crate::controller::JobFacts;
use crate::controller::pods::completion_index;
use crate::manager::creator_umask;

/// How many of the last lines of a failing pod's log are in the report.
const LAST_LINES: usize = 50;

/// Listens as the clerk does, and takes down what becomes of each pod.
pub(super) struct Cases {
    clerk: Clerk,
    /// By the Jobs' uids, the pods that have ended by uid.
    pods: BTreeMap<String, BTreeMap<String, EndedPod>>,
    is_wanted: bool,
}

/// A pod that has ended.
struct EndedPod {
    name: String,
    index: Option<i32>,
    started: Option<DateTime<Utc>>,
    finished: Option<DateTime<Utc>>,
    has_succeeded: bool,
    failure: Option<Failure>,
}

impl EndedPod {
    fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let ends = status.iter().flat_map(|status| status.container_statuses.iter().flatten());
        let ends = ends.filter_map(|container| container.state.as_ref()?.terminated.as_ref());
        Self {
            name: name(&pod.metadata).to_owned(),
            index: completion_index(pod),
            started: status.and_then(|status| status.start_time.as_ref()).map(|time| time.0),
            finished: ends.filter_map(|end| end.finished_at.as_ref()).map(|time| time.0).max(),
            has_succeeded: pod_phase(pod) == "Succeeded",
            failure: Failure::of(pod),
        }
    }

    fn seconds(&self) -> std::time::Duration {
        let took = self.started.zip(self.finished).map(|(from, to)| to - from);
        took.and_then(|took| took.to_std().ok()).unwrap_or_default()
    }
}

impl Cases {
    /// `is_wanted`: whether there is to be a report.
    pub(super) fn new(clerk: Clerk, is_wanted: bool) -> Self {
        Self { clerk, pods: BTreeMap::new(), is_wanted }
    }

    pub(super) fn clerk(&self) -> &Clerk {
        &self.clerk
    }
}

impl Listener for Cases {
    fn job_is(&mut self, job: &Job) {
        self.clerk.job_is(job);
    }

    fn facts_are(&mut self, job_key: &Key, facts: &JobFacts) {
        self.clerk.facts_are(job_key, facts);
    }

    fn event_is(&mut self, event: &EventRecord) {
        self.clerk.event_is(event);
    }

    fn job_is_gone(&mut self, job: &FollowedJob) {
        self.clerk.job_is_gone(job);
    }

    fn pod_is(&mut self, pod: &Pod, ended: bool) {
        self.clerk.pod_is(pod, ended);
        if let Some(owner) = controller_of(&pod.metadata).filter(|_| self.is_wanted && is_pod_finished(pod)) {
            let pods = self.pods.entry(owner.uid.clone()).or_default();
            pods.insert(uid(&pod.metadata).to_owned(), EndedPod::of(pod));
        }
    }

    fn line(&self) -> Option<String> {
        self.clerk.line()
    }
}

/// Writes the report on the Jobs, each with how it has ended.
///
/// # Errors
/// A file that cannot be written; a store that cannot be read.
pub(super) fn write(path: &Path, client: &Client, jobs: &[(&Job, &Summary)], cases: &Cases) -> Result<()> {
    let mut report = Report::new("jobctl");
    for (job, summary) in jobs {
        let mut suite = TestSuite::new(name(&job.metadata));
        let no_pods = BTreeMap::new();
        let pods = cases.pods.get(uid(&job.metadata)).unwrap_or(&no_pods);
        for (case, runs) in runs_by_case(pods) {
            suite.add_test_case(test_case(client, name(&job.metadata), &case, &runs)?);
        }
        // A Job may fail though no pod has: at its deadline, or waiting for another.
        if summary.row.exit_code != 0 && suite.failures == 0 {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(summary.failures.join("\n"));
            let mut case = TestCase::new(name(&job.metadata), status);
            case.set_classname(name(&job.metadata));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    let text = report.to_string().context("write the report down")?;
    store(path, &text).with_context(|| format!("write {}", path.display()))
}

/// The report is for others, too: its mode is that of whoever runs us.
fn store(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.set_permissions(Permissions::from_mode(0o666 & !creator_umask()))?;
    file.write_all(text.as_bytes())
}

/// The pods of each case in the order in which they ended: of an index all that tried it, otherwise each pod by itself.
fn runs_by_case(pods: &BTreeMap<String, EndedPod>) -> Vec<(String, Vec<&EndedPod>)> {
    let mut cases: BTreeMap<(Option<i32>, &str), Vec<&EndedPod>> = BTreeMap::new();
    for pod in pods.values() {
        let name = if pod.index.is_some() { "" } else { pod.name.as_str() };
        cases.entry((pod.index, name)).or_default().push(pod);
    }
    let named = cases.into_iter().map(|((index, name), mut runs)| {
        runs.sort_by_key(|run| (run.has_succeeded, run.finished));
        (index.map_or_else(|| name.to_owned(), |index| format!("index {index}")), runs)
    });
    named.collect()
}

/// A case by its runs, of which the last decides.
fn test_case(client: &Client, class: &str, case_name: &str, runs: &[&EndedPod]) -> Result<TestCase> {
    let Some((last, earlier)) = runs.split_last() else {
        return Ok(TestCase::new(case_name, TestCaseStatus::skipped()));
    };
    let mut status = if last.has_succeeded {
        TestCaseStatus::success()
    } else {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        if let Some(failure) = &last.failure {
            status.set_message(failure.to_string());
            status.set_type(failure.reason());
            status.set_description(evidence_of(client, failure, LAST_LINES)?);
        }
        status
    };
    for run in earlier {
        let mut rerun = TestRerun::new(NonSuccessKind::Failure);
        rerun.set_time(run.seconds());
        if let Some(failure) = &run.failure {
            rerun.set_message(failure.to_string());
        }
        status.add_rerun(rerun);
    }
    let mut case = TestCase::new(case_name, status);
    case.set_classname(class).set_time(last.seconds());
    if let Some(started) = last.started {
        case.set_timestamp(started);
    }
    Ok(case)
}
