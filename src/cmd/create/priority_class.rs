//! `create priorityclass`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::cmd::context::Global;

/// Create a PriorityClass
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The PriorityClass's name
    name: Vec<String>,
    /// The priority
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    value: i32,
    /// Whether pods without a class have this one
    #[arg(long, num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true)]
    global_default: bool,
    /// What the class is for
    #[arg(long)]
    description: Option<String>,
    /// PreemptLowerPriority or Never
    #[arg(long, default_value = "PreemptLowerPriority")]
    preemption_policy: String,
    #[command(flatten)]
    options: Options,
}

/// Creates a PriorityClass.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "priorityclass")?;
    let mut value = json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"creationTimestamp": null, "name": name},
        "preemptionPolicy": args.preemption_policy,
        "value": args.value,
    });
    if args.global_default {
        value["globalDefault"] = json!(true);
    }
    if let Some(description) = args.description.as_deref().filter(|text| !text.is_empty()) {
        value["description"] = json!(description);
    }
    create_or_show(global, Kind::PriorityClass, name, value, &args.options)
}
