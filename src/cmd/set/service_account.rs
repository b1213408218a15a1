//! `set serviceaccount`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::json;

use super::{Work, on_pod_spec};
use crate::cmd::change::ChangeArgs;
use crate::cmd::context::Global;

/// Set the service account of pod templates
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…, then the service account
    #[arg(value_name = "TYPE[/NAME] | SERVICE_ACCOUNT")]
    arguments: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// Sets service accounts.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let Some((name, resources)) = args.arguments.split_last() else { bail!("serviceaccount is required") };
    let work = Work {
        resources,
        change: &args.change,
        local: args.local,
        said: "serviceaccount updated",
        says_same: true,
        refused: "failed to patch ServiceAccountName ",
    };
    work.check()?;
    work.run(global, |object| {
        on_pod_spec(object, work.local, |spec| {
            spec["serviceAccountName"] = json!(name);
            // The field's old name, which says the same.
            if let Some(spec) = spec.as_object_mut()
                && spec.contains_key("serviceAccount")
            {
                spec.insert("serviceAccount".into(), json!(name));
            }
            Vec::new()
        })
    })
}
