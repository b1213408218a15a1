//! `reconcile`.

use std::process::ExitCode;

use anyhow::Result;

use super::context::{Context, Global};
use super::output::say;
use crate::manager::run_pass_here;

/// Make one pass and say what it did
///
/// Usually nobody needs this: a controller in the background makes passes as long as there is work. Where one is
/// running already, it has nothing to add and says so.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Makes one pass.
pub(super) fn run(global: &Global, _: &Args) -> Result<ExitCode> {
    let context = Context::open(global)?;
    match run_pass_here(context.client.config(), context.client.local()?.store())? {
        None => say("a controller is running and has already begun")?,
        Some(report) if report.lines.is_empty() => say("nothing to do")?,
        Some(report) => report.lines.iter().try_for_each(|line| say(line))?,
    }
    Ok(ExitCode::SUCCESS)
}
