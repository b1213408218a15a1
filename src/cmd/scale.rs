//! `scale`: for a Job its parallelism, for a StatefulSet its replicas.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;
use serde_json::json;

use super::change::{self, ChangeArgs, Changed};
use super::context::Global;
use super::failure::verbatim;
use super::flags;
use super::format::OutputArgs;
use super::manifests::FileArgs;
use super::outcome::DryRun;
use crate::api::kinds::Kind;
use crate::apiserver::Subresource;

/// Set the parallelism of Jobs, or the replicas of StatefulSets
///
/// kubectl dropped this for Jobs in 1.15; the documents that teach it still expect it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// The new number of pods
    #[arg(long)]
    replicas: Option<i32>,
    /// Only if the number is this now
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
    #[command(flatten)]
    output: OutputArgs,
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
    let change = ChangeArgs {
        files: args.files.clone(),
        all: args.all,
        selector: args.selector.clone(),
        dry_run: args.dry_run,
        output: args.output.clone(),
        ..ChangeArgs::default()
    };
    change::run(global, &args.resources, &change, "scale", Subresource::Main, |found| {
        let field = match found.kind {
            Kind::Job => "parallelism",
            Kind::StatefulSet => "replicas",
            other => {
                return Err(verbatim(format!(
                    "error: cannot scale {}: only Jobs and StatefulSets can be scaled",
                    other.qualified_plural()
                )));
            }
        };
        let mut value = found.value()?;
        let current = value["spec"][field].as_i64().unwrap_or(1);
        if let Some(expected) = args
            .current_replicas
            .filter(|expected| i64::from(*expected) != current && args.dry_run != DryRun::Client)
        {
            bail!("Expected replicas to be {expected}, was {current}");
        }
        let version = value["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if let Some(expected) = args.resource_version.as_deref().filter(|expected| *expected != version) {
            bail!("Expected resource version to be {expected}, was {version}");
        }
        // What is not asked of a server is not changed: kubectl shows the object as it is.
        if args.dry_run != DryRun::Client {
            value["spec"][field] = json!(replicas);
        }
        Ok(Changed::new(value, "scaled"))
    })
}
