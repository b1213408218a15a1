//! `create serviceaccount`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::cmd::context::Global;

/// Create a ServiceAccount
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ServiceAccount's name
    name: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a ServiceAccount.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "serviceaccount")?;
    let metadata = json!({"creationTimestamp": null, "name": name});
    let value = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    create_or_show(global, Kind::ServiceAccount, name, value, &args.options)
}
