//! `metrics`.

use std::process::ExitCode;

use anyhow::Result;

use super::context::{Context, Global};
use super::output::print;

/// Print what there is in numbers, as a text file for Prometheus
///
/// The names are those of kube-state-metrics and of the kubelet. Jobs and pods are counted by namespace; each CronJob has lines of its
/// own. For the textfile collector of the node exporter: jobctl metrics > jobs.prom.new && mv jobs.prom.new jobs.prom.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the page.
pub(super) fn run(global: &Global, _: &Args) -> Result<ExitCode> {
    let context = Context::open(global)?;
    print(&context.client.local()?.metrics()?)?;
    Ok(ExitCode::SUCCESS)
}
