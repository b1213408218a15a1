//! Taking the hook of a Job that has ended, so that nobody else does.

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::recorder::Recorder;
use super::transaction::Transaction;
use crate::api::Job;
use crate::api::conditions::is_job_finished;
use crate::api::events::{EventRecord, Reference};
use crate::api::kinds::Key;
use crate::api::meta::uid;
use crate::controller::JobFacts;
use crate::store::Table;

/// The component that Events about hooks name.
const SOURCE: &str = "jobctl";

impl Transaction {
    /// The Job whose hook is due; from now on it is not. Nothing where somebody has taken it, or the Job is gone.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn take_hook(&mut self, key: &Key) -> Result<Option<Job>> {
        let job: Option<Job> = self.current(Table::JOBS, key)?;
        let facts: Option<JobFacts> = self.current(Table::JobFacts, key)?;
        let (Some(job), Some(mut facts)) = (job, facts) else { return Ok(None) };
        if !facts.hook_due || facts.uid != uid(&job.metadata) || !is_job_finished(&job) {
            return Ok(None);
        }
        facts.hook_due = false;
        self.put_text(Table::JobFacts, key.clone(), &facts)?;
        Ok(Some(job))
    }

    /// Records an Event.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn record(
        &mut self,
        about: Reference,
        type_: &str,
        reason: &str,
        message: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let event = EventRecord::new(about, type_, SOURCE, reason, message, now);
        self.writes.put_event(&Recorder::default().record(event))
    }
}
