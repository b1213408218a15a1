//! Running what is to be run when a Job has ended: once, in a process of its own that no controller waits for.

use anyhow::Result;
use serde_json::Value;

use super::config::{Config, default_environment};
use super::{begin, clock, commit_quietly};
use crate::api::conditions::is_job_condition_true;
use crate::api::events::Reference;
use crate::api::hooks::hook_name;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_PATH, ANNOTATION_SESSION, ANNOTATION_WORKING_DIRECTORY, annotation, name, namespace,
};
use crate::api::{CronJob, ObjectMeta};
use crate::apiserver::Transaction;
use crate::controller::{cron_job_reference, job_reference};
use crate::kubelet::{HookRun, run_hook};
use crate::store::{Store, Table};

/// Runs the hook of a Job that has ended, if nobody has taken it before. That it is taken is on the disk before it starts: a
/// crash may keep it from running, and nothing makes it run twice.
///
/// # Errors
/// A store that cannot be read or written.
pub fn take_and_run_hook(config: &Config, key: &Key) -> Result<()> {
    let store = Store::open_existing(&config.data_directory)?;
    let mut taking = begin(config, &store, &[Table::JOBS, Table::JobFacts])?;
    let Some(job) = taking.take_hook(key)? else { return Ok(()) };
    let is_complete = is_job_condition_true(&job, "Complete");
    let command = config.settings.hooks.command_for(&job.metadata, is_complete);
    let hook = Hook { kind: Kind::Job, meta: &job.metadata, about: job_reference(&job), is_complete };
    hook.run(config, &store, taking, command, serde_json::to_value(&job)?)
}

/// Runs the hook of a CronJob that has not succeeded for too long; whoever has marked it so has it started, once.
///
/// # Errors
/// As [`take_and_run_hook`].
pub fn run_hook_of_cron_job(config: &Config, key: &Key) -> Result<()> {
    let store = Store::open_existing(&config.data_directory)?;
    let requests = begin(config, &store, &[Table::CRON_JOBS])?;
    let Some(cron_job) = requests.current::<CronJob>(Table::CRON_JOBS, key)? else { return Ok(()) };
    let command = config.settings.hooks.command_for(&cron_job.metadata, false);
    let about = cron_job_reference(&cron_job);
    let hook = Hook { kind: Kind::CronJob, meta: &cron_job.metadata, about, is_complete: false };
    hook.run(config, &store, requests, command, serde_json::to_value(&cron_job)?)
}

/// What has ended, or has not succeeded.
struct Hook<'a> {
    kind: Kind,
    meta: &'a ObjectMeta,
    about: Reference,
    is_complete: bool,
}

impl Hook<'_> {
    /// Commits what has been requested so far, runs the command, and tells of both.
    fn run(
        self,
        config: &Config,
        store: &Store,
        mut requests: Transaction,
        command: Vec<String>,
        object: Value,
    ) -> Result<()> {
        let Some(program) = command.first() else { return commit_quietly(requests) };
        let what = format!("{} hook {program:?}", hook_name(self.is_complete));
        let started = format!("Started {what}");
        requests.record(self.about.clone(), "Normal", "HookStarted", &started, clock())?;
        commit_quietly(requests)?;
        let ended = run_hook(&self.process(config, command, object));
        let mut telling = begin(config, store, &[])?;
        let (type_, reason, message) = match ended {
            Ok(()) => ("Normal", "HookSucceeded", format!("The {what} succeeded")),
            Err(why) => ("Warning", "HookFailed", format!("The {what} failed: {why}")),
        };
        telling.record(self.about, type_, reason, &message, clock())?;
        commit_quietly(telling)
    }

    /// The process of the hook: in the session and the directory of whoever has created the object.
    fn process(&self, config: &Config, command: Vec<String>, mut object: Value) -> HookRun {
        let said = |key: &str| annotation(self.meta, key);
        let session = said(ANNOTATION_SESSION).and_then(|text| serde_json::from_str(text).ok());
        let mut env = session.unwrap_or_else(default_environment);
        if let Some(path) = said(ANNOTATION_PATH) {
            env.insert("PATH".into(), path.into());
        }
        for (key, value) in [
            ("JOBCTL_HOOK", hook_name(self.is_complete)),
            ("JOBCTL_DATA_DIR", &config.data_directory.to_string_lossy()),
            ("JOB_NAME", name(self.meta)),
            ("JOB_NAMESPACE", namespace(self.meta)),
        ] {
            env.insert(key.into(), value.into());
        }
        object["apiVersion"] = self.kind.api_version().into();
        object["kind"] = self.kind.as_str().into();
        HookRun {
            command,
            env,
            directory: said(ANNOTATION_WORKING_DIRECTORY).unwrap_or("/").to_owned(),
            stdin: object.to_string(),
        }
    }
}
