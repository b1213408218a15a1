//! `completion`: scripts that ask the program itself (`__complete`), for the shells that can.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap_complete::Shell;

use super::output::{print, print_bytes};

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
    match shell {
        Shell::Bash => print(include_str!("completion/jobctl.bash"))?,
        Shell::Zsh => print(include_str!("completion/_jobctl"))?,
        Shell::Fish => print(include_str!("completion/jobctl.fish"))?,
        // These know the verbs and the flags, and nothing of what there is.
        other => {
            let mut script = Vec::new();
            clap_complete::generate(other, &mut super::command(), "jobctl", &mut script);
            print_bytes(&script)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
