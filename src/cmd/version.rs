//! `version`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::output::{print, say};
use crate::api::version::{KUBERNETES as KUBERNETES_VERSION, OURS, major_and_minor, platform};
use crate::printers;

/// Print the version
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only the program's own version
    #[arg(long)]
    client: bool,
    /// One of yaml or json
    #[arg(short, long)]
    output: Option<String>,
}

/// Prints our version alone, for `--version`.
pub(super) fn shortly() -> Result<()> {
    say(&format!("Client Version: {OURS}"))
}

/// Prints our version and the version of Kubernetes that we speak.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut value = json!({"clientVersion": {"gitVersion": OURS, "platform": platform()}});
    if !args.client {
        let (major, minor) = major_and_minor();
        value["serverVersion"] = json!({"gitVersion": KUBERNETES_VERSION, "major": major, "minor": minor});
    }
    match args.output.as_deref() {
        None => {
            shortly()?;
            if !args.client {
                say(&format!("Server Version: {KUBERNETES_VERSION} (behaviour; there is no server)"))?;
            }
        }
        Some("json") => print(&printers::json::to_string(&value))?,
        Some("yaml") => print(&printers::yaml::to_string(&value))?,
        Some(_) => bail!("--output must be 'yaml' or 'json'"),
    }
    Ok(ExitCode::SUCCESS)
}
