//! `scale`: for a Job, its parallelism.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;

use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::flags;
use super::manifests::{self, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::complain;
use super::selection::{self, Selectors};
use super::submit;
use crate::api::kinds::Kind;
use crate::api::meta::name;
use crate::api::{Job, validation};
use crate::registry::strategy;
use crate::store::Table;

/// Set the parallelism of Jobs
///
/// kubectl dropped this for Jobs in 1.15; the documents that teach it still expect it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// The new parallelism
    #[arg(long)]
    replicas: Option<i32>,
    /// Only if the parallelism is this now
    #[arg(long)]
    current_replicas: Option<i32>,
    /// Only if the Job has this version
    #[arg(long)]
    resource_version: Option<String>,
    /// Accepted for kubectl's sake: the parallelism is set when the command ends
    #[arg(long, hide = true, value_parser = flags::duration)]
    timeout: Option<Duration>,
    /// All Jobs of the namespace
    #[arg(long)]
    all: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Output format: json, name or yaml
    #[arg(short, long)]
    output: Option<String>,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
}

/// Sets spec.parallelism.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let Some(replicas) = args.replicas else { bail!("required flag(s) \"replicas\" not set") };
    if replicas < 0 {
        bail!("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    }
    let targets = manifests::targets(&args.resources, &args.files, "scale", global)?;
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    super::delete::require_targets(&targets, args.all, &selectors)?;
    let context = Context::open(global)?;
    let (_held, mut request) = context.begin(&[Table::Jobs, Table::Pods])?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?;
    let (found, missing) =
        selection::resolve(&request.state, &targets, &context.namespace, false, &selectors)?;
    let mut failed = !missing.is_empty();
    missing.iter().for_each(|error| complain(&text(error)));
    let mut scaled = Vec::new();
    for one in &found {
        let done = (|| -> Result<Job> {
            if one.kind != Kind::Job {
                return Err(verbatim(format!(
                    "error: cannot scale {}: only Jobs have a parallelism",
                    one.kind.qualified_plural()
                )));
            }
            let old: Job = serde_json::from_str(&one.text)?;
            let mut new = old.clone();
            let spec = new.spec.get_or_insert_default();
            let current = spec.parallelism.unwrap_or(1);
            if let Some(expected) = args.current_replicas.filter(|expected| *expected != current) {
                bail!("Expected replicas to be {expected}, was {current}");
            }
            let version = old.metadata.resource_version.as_deref().unwrap_or_default();
            if let Some(expected) = args.resource_version.as_deref().filter(|expected| *expected != version) {
                bail!("Expected resource version to be {expected}, was {version}");
            }
            spec.parallelism = Some(replicas);
            strategy::prepare_job_for_update(&mut new, &old);
            let causes = validation::validate_job_update(&new, &old);
            let object = Object::Job(Box::new(new.clone()));
            submit::refuse(&object, causes)?;
            Ok(new)
        })();
        match done {
            Ok(job) => scaled.push(job),
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    drop(found);
    for job in &scaled {
        request.pending.put_job(job.clone());
    }
    let revisions = request.revisions();
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for job in scaled {
        let job_name = name(&job.metadata).to_owned();
        outcomes.done(Kind::Job, &job_name, "scaled", || Object::Job(Box::new(job)).to_value(&revisions))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
