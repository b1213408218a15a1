//! `cluster-info`: where the objects of this machine are.

use std::process::ExitCode;

use anyhow::Result;

use super::context::{Context, Global};
use super::output::say;

/// Say where the objects are: there is no cluster
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the place.
pub(super) fn run(global: &Global, _: &Args) -> Result<ExitCode> {
    let context = Context::open(global)?;
    // Scripts look for this sentence.
    say(&format!("Kubernetes control plane is running at {}", url(&context)))?;
    say("")?;
    say("There is no cluster: pods are processes of this machine. To examine it, use 'jobctl doctor'.")?;
    Ok(ExitCode::SUCCESS)
}

/// What stands here for the address of a server.
pub(super) fn url(context: &Context) -> String {
    format!("file://{}", context.client.config().data_directory.display())
}
