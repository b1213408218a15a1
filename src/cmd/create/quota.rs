//! `create quota`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::api::quantity;
use crate::cmd::context::Global;

/// Create a ResourceQuota
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ResourceQuota's name
    name: Vec<String>,
    /// How much of each resource there may be
    #[arg(long, value_name = "RESOURCE=AMOUNT,…")]
    hard: Option<String>,
    /// Which pods are counted
    #[arg(long, value_name = "SCOPE,…")]
    scopes: Option<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a ResourceQuota.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "quota")?;
    let mut spec = json!({});
    let mut hard = Map::new();
    for term in args.hard.iter().filter(|hard| !hard.is_empty()).flat_map(|hard| hard.split(',')) {
        let Some((resource, amount)) = term.split_once('=').filter(|(_, amount)| !amount.contains('='))
        else {
            bail!("Invalid argument syntax {term}, expected <resource>=<value>");
        };
        quantity::parse(amount).map_err(anyhow::Error::msg)?;
        hard.insert(resource.to_owned(), quantity::canonical_amount(amount).into());
    }
    if !hard.is_empty() {
        spec["hard"] = Value::Object(hard);
    }
    if let Some(scopes) = args.scopes.as_deref().filter(|scopes| !scopes.is_empty()) {
        spec["scopes"] = scopes.split(',').collect();
    }
    let value = json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"creationTimestamp": null, "name": name},
        "spec": spec,
        "status": {},
    });
    create_or_show(global, Kind::ResourceQuota, name, value, &args.options)
}
