//! `version`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::output::{print, say};
use crate::printers;

/// The version of Kubernetes whose behaviour this program follows.
const KUBERNETES_VERSION: &str = "v1.34.0";

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

/// The program's own version.
const OURS: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// Prints our version alone, for `--version`.
pub(super) fn shortly() -> Result<()> {
    say(&format!("Client Version: {OURS}"))
}

/// Prints our version and the version of Kubernetes that we speak.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let mut value = json!({"clientVersion": {"gitVersion": OURS, "platform": platform()}});
    if !args.client {
        let mut numbers = KUBERNETES_VERSION.trim_start_matches('v').split('.');
        let (major, minor) = (numbers.next(), numbers.next());
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

/// This machine in Go's words, as scripts look for them.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}
