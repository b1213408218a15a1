//! `rerun`: a fresh run of a Job that has ended.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::context::{Context, Global};
use super::delete::delete_one;
use super::failure::{text, verbatim};
use super::manifests::{self, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::complain;
use super::selection::{self, Selectors};
use super::submit;
use crate::api::conditions::{is_job_finished, pod_phase};
use crate::api::kinds::Kind;
use crate::api::meta::{
    FINALIZER_JOB_TRACKING, LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, controller_of, key, name,
    remove_finalizer, uid,
};
use crate::api::{Job, JobStatus, Pod, defaults, validation};
use crate::controller::pods::new_uid;
use crate::manager::Request;
use crate::registry::deletion::Propagation;
use crate::registry::strategy;
use crate::store::Table;

/// Run Jobs that have ended once more
///
/// The Job is replaced by a new one of the same spec; its old pods go, and their logs with them. With --failed-indexes the
/// logs of the indexes that have completed stay: logs job/NAME --all-pods shows them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// job/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Of an Indexed Job, only the indexes that have not completed
    #[arg(long)]
    failed_indexes: bool,
    /// Also Jobs that still run: their pods are stopped
    #[arg(long)]
    force: bool,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Output format: json, name, yaml or jsonpath=…
    #[arg(short, long)]
    output: Option<String>,
}

/// Replaces Jobs by new ones of the same spec.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let targets = manifests::targets(&args.resources, &args.files, "rerun", global)?;
    super::delete::require_targets(&targets, false, &Selectors::none())?;
    let context = Context::open(global)?;
    let (_held, mut request) =
        context.begin(&[Table::Jobs, Table::Pods, Table::RemovedPods, Table::CronJobs])?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?;
    let (found, missing) =
        selection::resolve(&request.state, &targets, &context.namespace, false, &Selectors::none())?;
    let mut failed = !missing.is_empty();
    missing.iter().for_each(|error| complain(&text(error)));
    let mut old_jobs: Vec<Job> = Vec::new();
    let mut named = BTreeSet::new();
    for one in &found {
        if !named.insert((one.kind, &one.key)) {
            continue;
        }
        if one.kind == Kind::Job {
            old_jobs.push(serde_json::from_str(&one.text)?);
        } else {
            failed = true;
            complain(&format!(
                "error: cannot rerun {}: only Jobs can be run again",
                one.kind.qualified_plural()
            ));
        }
    }
    drop(named);
    drop(found);
    let mut rerun = Vec::new();
    for old in &old_jobs {
        match run_again(old, args, &context, &mut request) {
            Ok(job) => rerun.push(job),
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    let revisions = request.revisions();
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for job in rerun {
        let job_name = name(&job.metadata).to_owned();
        outcomes.done(Kind::Job, &job_name, "rerun", || Object::Job(Box::new(job)).to_value(&revisions))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run_again(old: &Job, args: &Args, context: &Context, request: &mut Request) -> Result<Job> {
    let job_name = name(&old.metadata);
    if !is_job_finished(old) && !args.force {
        return Err(verbatim(format!(
            "error: job {job_name:?} has not ended yet; to stop it and start again: jobctl rerun --force job/{job_name}"
        )));
    }
    let mut job = fresh(old);
    let uid = new_uid(&mut request.random);
    defaults::set_job_defaults(&mut job);
    strategy::prepare_job_for_create(&mut job, &uid, request.now);
    if args.failed_indexes {
        job.status = Some(completed_so_far(old)?);
    }
    let object = Object::Job(Box::new(job));
    if let Object::Job(job) = &object {
        submit::refuse(&object, validation::validate_job(job))?;
        let completed = if args.failed_indexes { completed_pods(old, request)? } else { Vec::new() };
        delete_one(request, Kind::Job, &key(&old.metadata), Propagation::Background, None)?;
        for pod in completed {
            hand_over(pod, old, job, request)?;
        }
        request.create_job(&context.config, Job::clone(job))?;
        return Ok(Job::clone(job));
    }
    bail!("a Job is a Job")
}

/// The pods that have done their part of a Job, also those removed since.
fn completed_pods(job: &Job, request: &Request) -> Result<Vec<Pod>> {
    let job_uid = uid(&job.metadata);
    let mut completed = Vec::new();
    for table in [Table::RemovedPods, Table::Pods] {
        for (_, object) in request.state.objects(table) {
            // Cheaper than parsing 10,000 of them.
            if !object.text.contains(job_uid) {
                continue;
            }
            let pod: Pod = object.parse()?;
            let is_its = controller_of(&pod.metadata).is_some_and(|owner| owner.uid == job_uid);
            if is_its && pod_phase(&pod) == "Succeeded" {
                completed.push(pod);
            }
        }
    }
    Ok(completed)
}

/// Keeps a pod as one of the new Job's that have been removed: what it has written is still what its index has done.
fn hand_over(mut pod: Pod, old: &Job, new: &Job, request: &mut Request) -> Result<()> {
    let (old_uid, new_uid) = (uid(&old.metadata), uid(&new.metadata));
    for owner in pod.metadata.owner_references.iter_mut().flatten() {
        if owner.uid == old_uid {
            owner.uid = new_uid.to_owned();
        }
    }
    for label in [LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY] {
        if let Some(value) = pod.metadata.labels.as_mut().and_then(|labels| labels.get_mut(label)) {
            new_uid.clone_into(value);
        }
    }
    remove_finalizer(&mut pod.metadata, FINALIZER_JOB_TRACKING);
    let pod_key = key(&pod.metadata);
    request.pending.put_text(Table::RemovedPods, pod_key, serde_json::to_string(&pod)?);
    Ok(())
}

/// The Job as it was before it was ever stored: without what the API server has written into it.
fn fresh(old: &Job) -> Job {
    let mut job = old.clone();
    job.status = None;
    strategy::remove_generated(&mut job);
    if let Some(spec) = &mut job.spec {
        spec.suspend = None;
    }
    job
}

/// The status of a Job of which some indexes are done.
fn completed_so_far(old: &Job) -> Result<JobStatus> {
    let job_name = name(&old.metadata);
    let is_indexed = old.spec.as_ref().is_some_and(|spec| spec.completion_mode.as_deref() == Some("Indexed"));
    if !is_indexed {
        bail!("--failed-indexes: job {job_name:?} is not Indexed");
    }
    let status = old.status.clone().unwrap_or_default();
    let completions = old.spec.as_ref().and_then(|spec| spec.completions);
    if status.succeeded.unwrap_or(0) >= completions.unwrap_or(0) {
        bail!("--failed-indexes: every index of job {job_name:?} has completed");
    }
    Ok(JobStatus {
        completed_indexes: status.completed_indexes,
        succeeded: status.succeeded,
        ..JobStatus::default()
    })
}
