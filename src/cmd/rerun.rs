//! `rerun`: a fresh run of a Job that has ended.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::format::OutputArgs;
use super::manifests::{self, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::complain;
use super::selection::{self, Selectors};
use crate::api::kinds::Kind;
use crate::api::meta::name;
use crate::apiserver::RerunError;
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
    #[command(flatten)]
    output: OutputArgs,
}

/// Replaces Jobs by new ones of the same spec.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    super::delete::require_targets(&targets, false, &Selectors::none())?;
    let context = Context::open(global)?;
    let tables =
        [Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS, Table::RemovedPods];
    let (_held, mut requests) = context.begin(&tables, args.dry_run)?;
    let mut outcomes = Outcomes::new(&args.output, args.dry_run)?;
    let (found, missing) =
        selection::resolve(&requests, &targets, &context.namespace, false, &Selectors::none())?;
    let mut failed = !missing.is_empty();
    missing.iter().for_each(|error| complain(&text(error)));
    let mut jobs = Vec::new();
    let mut named = BTreeSet::new();
    for one in &found {
        if !named.insert((one.kind, &one.key)) {
            continue;
        }
        if one.kind == Kind::Job {
            jobs.push(one.key.clone().into_owned());
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
    for key in &jobs {
        match requests.rerun(key, args.failed_indexes, args.force) {
            Ok(answer) => rerun.push(answer),
            Err(error) => {
                failed = true;
                complain(&text(&explained(error, &key.name)));
            }
        }
    }
    if args.dry_run == DryRun::None {
        requests.commit()?;
    }
    for job in rerun {
        outcomes.done(Kind::Job, name(job.object.meta()), "rerun", || Ok(job.shown()?))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Why a Job is not run once more, with what would help.
fn explained(error: anyhow::Error, job: &str) -> anyhow::Error {
    match error.downcast_ref() {
        Some(RerunError::StillRuns) => verbatim(format!(
            "error: job {job:?} has not ended yet; to stop it and start again: jobctl rerun --force job/{job}"
        )),
        Some(RerunError::NotIndexed) => anyhow!("--failed-indexes: job {job:?} is not Indexed"),
        Some(RerunError::NothingLeft) => {
            anyhow!("--failed-indexes: every index of job {job:?} has completed")
        }
        None => error,
    }
}
