//! `config view`.

use std::process::ExitCode;

use anyhow::Result;

use super::contexts::Contexts;
use crate::cmd::context::Global;
use crate::cmd::format::{Format, OutputArgs};
use crate::cmd::output::{print, say};
use crate::printers;

/// Display this machine and the kubeconfig in the form of a kubeconfig file
#[derive(Debug, clap::Args)]
pub(super) struct ViewArgs {
    #[command(flatten)]
    output: OutputArgs,
    /// Only what the current context uses, or that of --context
    #[arg(long)]
    minify: bool,
    /// With the contents of certificate files in the place of their names
    #[arg(long)]
    flatten: bool,
    /// With tokens, passwords and certificates, which are concealed otherwise
    #[arg(long)]
    raw: bool,
}

/// Shows it.
pub(super) fn run(global: &Global, args: &ViewArgs) -> Result<ExitCode> {
    let format = args.output.format()?;
    let contexts = Contexts::read(global)?;
    let named = global.context.as_deref().filter(|name| !name.is_empty());
    let mut shown = contexts.with_this_machine(global)?;
    shown.current_context = named.unwrap_or(&contexts.current).to_owned();
    if args.minify {
        shown = shown.minified(&shown.current_context)?;
    }
    if args.flatten {
        shown = shown.flattened()?;
    }
    // What is made to be carried elsewhere is of no use without its secrets.
    let value = shown.to_value(args.raw || args.flatten);
    match format {
        None => print(&printers::yaml::to_string(&value))?,
        // It has no name, and that is what kubectl says.
        Some(Format::Name) => say("config/<unknown>")?,
        Some(mut format) => print(&format.render(&value)?)?,
    }
    Ok(ExitCode::SUCCESS)
}
