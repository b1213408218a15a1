//! `completion`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap_complete::Shell;

use super::output::print_bytes;

/// Output shell completion code for bash, zsh, fish, elvish or powershell
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    shell: Option<String>,
}

/// Prints the completion script of a shell.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let Some(name) = &args.shell else {
        bail!("Shell not specified.\nSee 'jobctl completion --help' for usage.");
    };
    let Ok(shell) = name.parse::<Shell>() else { bail!("Unsupported shell type {name:?}.") };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "jobctl", &mut script);
    print_bytes(&script)?;
    Ok(ExitCode::SUCCESS)
}
