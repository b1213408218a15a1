//! Jobs that wait for others to end before they start.

use super::{Finish, Sync};
use crate::api::conditions::job_condition;
use crate::api::dependencies::{Dependency, dependencies};
use crate::api::kinds::Key;
use crate::api::meta::{CONDITION_WAITING, namespace};

/// How it stands with the Jobs that a Job waits for.
pub(super) enum Standing {
    /// They have ended as they were to; or there are none, or the Job has started.
    Met,
    /// This is said of the first that has not ended.
    Waiting(String),
    /// One has ended otherwise: the Job fails.
    Failed(String),
}

impl Sync<'_> {
    /// How it stands with what the Job waits for.
    pub(super) fn standing(&self) -> Standing {
        if self.status.start_time.is_some() || self.facts.dependencies_met {
            return Standing::Met;
        }
        let mut waiting = None;
        for dependency in dependencies(&self.job.metadata) {
            let Dependency { job, outcome } = &dependency;
            let key = Key::new(namespace(&self.job.metadata), job);
            match self.world.job_outcome(&key) {
                Some(Some(is_complete)) if outcome.is_met_by(is_complete) => {}
                Some(Some(is_complete)) => {
                    let how = if is_complete { "is complete" } else { "has failed" };
                    return Standing::Failed(format!(
                        "Job was to start after {dependency}, and job.batch/{job} {how}"
                    ));
                }
                Some(None) => {
                    waiting
                        .get_or_insert_with(|| format!("Job starts after {dependency}, which has not ended"));
                }
                None => {
                    waiting.get_or_insert_with(|| {
                        format!("Job starts after {dependency}, which does not exist")
                    });
                }
            }
        }
        waiting.map_or(Standing::Met, Standing::Waiting)
    }

    /// Says that the Job waits.
    pub(super) fn mark_waiting(&mut self, message: &str) {
        let current = self.status.conditions.iter().flatten().find(|one| one.type_ == CONDITION_WAITING);
        if current.is_some_and(|one| one.status == "True" && one.message.as_deref() == Some(message)) {
            return;
        }
        self.set_condition(CONDITION_WAITING, "True", "DependenciesNotMet", message);
        self.event("Normal", "Waiting", message);
    }

    /// Lets the Job start. What it has waited for may go now.
    pub(super) fn mark_dependencies_met(&mut self) {
        if self.facts.dependencies_met || dependencies(&self.job.metadata).is_empty() {
            return;
        }
        self.facts.dependencies_met = true;
        if job_condition(self.job, CONDITION_WAITING).is_some() {
            self.set_condition(
                CONDITION_WAITING,
                "False",
                "DependenciesMet",
                "Every Job that this one waited for has ended",
            );
        }
    }

    /// The end of a Job that cannot start any more.
    pub(super) fn dependency_failed(&mut self, message: &str) -> Finish {
        if job_condition(self.job, CONDITION_WAITING).is_some() {
            self.set_condition(CONDITION_WAITING, "False", "DependencyFailed", message);
        }
        Finish::failed("DependencyFailed", message)
    }
}
