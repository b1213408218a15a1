//! What `run` says of its Jobs when they have ended. It is gathered while they run: a Job may be gone when `run` comes to
//! its end, and its pods with it.

use std::collections::{BTreeMap, BTreeSet};

use tabled::Tabled;

use super::context::Context;
use super::figures::Figures;
use super::follow_logs::{FollowedJob, Listener};
use super::log_source::Failure;
use super::obstacles::{self, Help, Obstacle, Reported};
use super::output::complain;
use crate::api::conditions::{is_job_finished, job_condition, job_finished_at, pod_phase};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, name, namespace, uid};
use crate::api::{Job, Pod};
use crate::controller::{JobFacts, Settings};
use crate::manager::clock;
use crate::printers::duration::human_duration;

/// The exit code for a deadline that was exceeded, as of timeout(1).
pub(super) const DEADLINE_EXCEEDED: u8 = 124;

/// Takes down what becomes of the Jobs, and says what keeps them from going on.
pub(super) struct Clerk {
    settings: Settings,
    help: Help,
    /// Whether how they stand is shown at a terminal.
    shows_line: bool,
    said: Reported,
    /// By the Jobs' keys, what keeps them waiting: by pod, by no name the Job itself.
    waits: BTreeMap<Key, BTreeMap<String, Obstacle>>,
    /// Each Job as it was last.
    jobs: BTreeMap<Key, Job>,
    /// By the Jobs' uids, the containers that ended badly last.
    failures: BTreeMap<String, Failure>,
    /// The uids of all pods.
    pods: BTreeSet<String>,
    /// By the uids of pods that have not started yet, their Jobs.
    owners: BTreeMap<String, Key>,
}

impl Listener for Clerk {
    fn job_is(&mut self, job: &Job) {
        self.note(key(&job.metadata), "", obstacles::of_job(job, &self.help));
        self.jobs.insert(key(&job.metadata), job.clone());
    }

    fn facts_are(&mut self, job_key: &Key, facts: &JobFacts) {
        let job = self.jobs.get(job_key).filter(|job| uid(&job.metadata) == facts.uid);
        let wait = job.and_then(|job| obstacles::of_retry(job, facts, self.settings.backoff_base, clock()));
        if let Some(text) = wait.as_ref().and_then(|wait| self.said.once(wait)) {
            complain(text);
        }
    }

    fn job_is_gone(&mut self, job: &FollowedJob) {
        // How one ended that had is what counts.
        if self.jobs.get(&job.key).is_some_and(|last| !is_job_finished(last)) {
            self.jobs.remove(&job.key);
        }
    }

    fn pod_is(&mut self, pod: &Pod, ended: bool) {
        self.pods.insert(uid(&pod.metadata).to_owned());
        let owner = controller_of(&pod.metadata);
        if let Some(owner) = owner {
            let obstacle = if ended { None } else { obstacles::of_pod(pod, &self.help) };
            let job = Key::new(namespace(&pod.metadata), &owner.name);
            match !ended && pod_phase(pod) == "Pending" {
                true => drop(self.owners.insert(uid(&pod.metadata).to_owned(), job.clone())),
                false => drop(self.owners.remove(uid(&pod.metadata))),
            }
            self.note(job, name(&pod.metadata), obstacle);
        }
        let owner = owner.map(|owner| owner.uid.clone());
        if let (Some(owner), Some(failure)) = (owner, Failure::of(pod)) {
            let last = self.failures.get(&owner).and_then(|last| last.finished);
            if failure.finished >= last {
                self.failures.insert(owner, failure);
            }
        }
    }

    fn event_is(&mut self, event: &EventRecord) {
        let Some(obstacle) = obstacles::of_event(event) else { return };
        let about = &event.about;
        let (job, pod) = match about.kind.as_str() {
            "Job" => (Some(Key::new(&about.namespace, &about.name)), ""),
            _ => (self.owners.get(&about.uid).cloned(), about.name.as_str()),
        };
        match job {
            Some(job) => self.note(job, pod, Some(obstacle)),
            None => self.said.once(&obstacle).into_iter().for_each(complain),
        }
    }

    fn line(&self) -> Option<String> {
        if !self.shows_line {
            return None;
        }
        Figures::of(self.jobs.values(), clock()).map(|figures| figures.line())
    }
}

/// A line of the table, and what is said before it of a Job that has failed.
pub(super) struct Summary {
    pub(super) row: SummaryRow,
    pub(super) failures: Vec<String>,
}

#[derive(Tabled)]
#[tabled(rename_all = "UPPERCASE")]
pub(super) struct SummaryRow {
    job: String,
    status: String,
    succeeded: i32,
    failed: i32,
    duration: String,
    #[tabled(rename = "EXIT CODE")]
    pub(super) exit_code: u8,
}

impl Clerk {
    pub(super) fn new(context: &Context, shows_line: bool) -> Self {
        Self {
            settings: context.client.config().settings.clone(),
            help: Help::at(context),
            shows_line,
            said: Reported::default(),
            waits: BTreeMap::new(),
            jobs: BTreeMap::new(),
            failures: BTreeMap::new(),
            pods: BTreeSet::new(),
            owners: BTreeMap::new(),
        }
    }

    fn note(&mut self, job: Key, pod: &str, obstacle: Option<Obstacle>) {
        if let Some(text) = obstacle.as_ref().and_then(|obstacle| self.said.once(obstacle)) {
            complain(text);
        }
        let waits = self.waits.entry(job).or_default();
        match obstacle {
            Some(obstacle) => waits.insert(pod.to_owned(), obstacle),
            None => waits.remove(pod),
        };
    }

    /// The pods that there were.
    pub(super) fn pods(&self) -> &BTreeSet<String> {
        &self.pods
    }

    /// How a Job stands.
    pub(super) fn summary(&self, job_key: &Key) -> Summary {
        let Some(job) = self.jobs.get(job_key) else { return Summary::of_deleted(job_key) };
        let mut failures = Vec::new();
        let status = job.status.clone().unwrap_or_default();
        let failed = job_condition(job, "Failed");
        let (text, exit_code) = match (is_job_finished(job), failed) {
            (false, _) => {
                let wait = self.waits.get(job_key).and_then(|waits| waits.values().next());
                failures.extend(
                    wait.map(|wait| format!("job.batch/{} has not ended: {}", job_key.name, wait.text)),
                );
                let status =
                    wait.map_or_else(|| "Running".into(), |wait| format!("Waiting ({})", wait.reason));
                (status, DEADLINE_EXCEEDED)
            }
            (true, None) => ("Complete".to_owned(), 0),
            (true, Some(condition)) => {
                let reason = condition.reason.clone().unwrap_or_default();
                let message = condition.message.clone().unwrap_or_default();
                failures.push(format!("job.batch/{} failed: {reason}: {message}", job_key.name));
                let failure = self.failures.get(uid(&job.metadata));
                failures.extend(failure.map(ToString::to_string));
                failures.extend(status.failed_indexes.as_ref().map(|indexes| {
                    format!(
                        "its failed indexes: {indexes}; to run them once more: jobctl rerun job/{} --failed-indexes",
                        job_key.name
                    )
                }));
                let code = if reason == "DeadlineExceeded" {
                    DEADLINE_EXCEEDED
                } else {
                    failure.and_then(|failure| u8::try_from(failure.exit_code).ok()).unwrap_or(1)
                };
                (format!("Failed ({reason})"), code)
            }
        };
        let started = status.start_time.map(|time| time.0);
        let finished = job_finished_at(job).unwrap_or_else(clock);
        let row = SummaryRow {
            job: name(&job.metadata).to_owned(),
            status: text,
            succeeded: status.succeeded.unwrap_or(0),
            failed: status.failed.unwrap_or(0),
            duration: started.map_or_else(String::new, |started| human_duration(finished - started)),
            exit_code,
        };
        Summary { row, failures }
    }
}

impl Summary {
    fn of_deleted(job_key: &Key) -> Self {
        let row = SummaryRow {
            job: job_key.name.to_string(),
            status: "Deleted".into(),
            succeeded: 0,
            failed: 0,
            duration: String::new(),
            exit_code: 1,
        };
        Self { row, failures: vec![format!("error: job.batch/{} was deleted before it ended", job_key.name)] }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_codes_are_those_of_the_documented_table() {
        let documented = super::super::EXIT_CODES;
        assert!(documented.iter().any(|(code, _)| *code == super::DEADLINE_EXCEEDED));
    }
}
