//! `suspend` and `resume`: what a user would otherwise patch.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::change::{self, ChangeArgs, Changed};
use super::context::Global;
use super::failure::verbatim;
use crate::api::kinds::Kind;
use crate::apiserver::Subresource;

/// Stop Jobs and keep them for later, or keep CronJobs from starting Jobs
///
/// The pods of a suspended Job are stopped and do not count as failed.
#[derive(Debug, clap::Args)]
pub(super) struct SuspendArgs {
    /// job/NAME or cronjob/NAME
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Let suspended Jobs and CronJobs go on
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// job/NAME or cronjob/NAME
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Sets spec.suspend.
pub(super) fn suspend(global: &Global, args: &SuspendArgs) -> Result<ExitCode> {
    set(global, &args.resources, &args.change, true)
}

/// Clears spec.suspend.
pub(super) fn resume(global: &Global, args: &ResumeArgs) -> Result<ExitCode> {
    set(global, &args.resources, &args.change, false)
}

fn set(global: &Global, resources: &[String], args: &ChangeArgs, suspend: bool) -> Result<ExitCode> {
    let (verb, done) = if suspend { ("suspend", "suspended") } else { ("resume", "resumed") };
    change::run(global, resources, args, verb, Subresource::Main, |found| {
        if !matches!(found.kind, Kind::Job | Kind::CronJob) {
            return Err(verbatim(format!(
                "error: cannot {verb} {}: only Jobs and CronJobs can be suspended",
                found.kind.qualified_plural()
            )));
        }
        let mut value = found.value()?;
        let already = value["spec"]["suspend"].as_bool().unwrap_or(false) == suspend;
        if !already {
            value["spec"]["suspend"] = json!(suspend);
        }
        Ok(Changed::new(value, if already { format!("already {done}") } else { done.into() }))
    })
}
