//! `create namespace`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::cmd::context::Global;

/// Create a namespace
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The namespace's name
    name: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a namespace.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "namespace")?;
    let value = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"creationTimestamp": null, "name": name},
        "spec": {},
        "status": {},
    });
    create_or_show(global, Kind::Namespace, name, value, &args.options)
}
