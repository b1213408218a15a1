//! Running what is to be run when a Job has ended: once, in a process of its own that no controller waits for.

use anyhow::Result;
use serde_json::Value;

use super::config::{Config, default_environment};
use super::{begin, clock, commit_quietly};
use crate::api::Job;
use crate::api::conditions::is_job_condition_true;
use crate::api::hooks::hook_name;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_PATH, ANNOTATION_SESSION, ANNOTATION_WORKING_DIRECTORY, annotation, name, namespace,
};
use crate::controller::job_reference;
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
    let Some(program) = command.first() else { return commit_quietly(taking) };
    let what = format!("{} hook {program:?}", hook_name(is_complete));
    let about = job_reference(&job);
    taking.record(about.clone(), "Normal", "HookStarted", &format!("Started {what}"), clock())?;
    commit_quietly(taking)?;
    let ended = run_hook(&hook_run(config, &job, command, is_complete));
    let mut telling = begin(config, &store, &[])?;
    let (type_, reason, message) = match ended {
        Ok(()) => ("Normal", "HookSucceeded", format!("The {what} succeeded")),
        Err(why) => ("Warning", "HookFailed", format!("The {what} failed: {why}")),
    };
    telling.record(about, type_, reason, &message, clock())?;
    commit_quietly(telling)
}

/// The process of the hook: in the session and the directory of whoever has created the Job.
fn hook_run(config: &Config, job: &Job, command: Vec<String>, is_complete: bool) -> HookRun {
    let of_job = |key: &str| annotation(&job.metadata, key);
    let session = of_job(ANNOTATION_SESSION).and_then(|text| serde_json::from_str(text).ok());
    let mut env = session.unwrap_or_else(default_environment);
    if let Some(path) = of_job(ANNOTATION_PATH) {
        env.insert("PATH".into(), path.into());
    }
    for (key, value) in [
        ("JOBCTL_HOOK", hook_name(is_complete)),
        ("JOBCTL_DATA_DIR", &config.data_directory.to_string_lossy()),
        ("JOB_NAME", name(&job.metadata)),
        ("JOB_NAMESPACE", namespace(&job.metadata)),
    ] {
        env.insert(key.into(), value.into());
    }
    let mut object = serde_json::to_value(job).unwrap_or(Value::Null);
    object["apiVersion"] = Kind::Job.api_version().into();
    object["kind"] = Kind::Job.as_str().into();
    HookRun {
        command,
        env,
        directory: of_job(ANNOTATION_WORKING_DIRECTORY).unwrap_or("/").to_owned(),
        stdin: object.to_string(),
    }
}
