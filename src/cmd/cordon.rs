//! `cordon` and `uncordon`: whether this machine takes new pods.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::change::{self, ChangeArgs, Changed};
use super::context::{Context, Global};
use super::failure::verbatim;
use super::outcome::DryRun;
use super::resources::Target;
use super::selection::Selectors;
use crate::api::kinds::Kind;
use crate::apiserver::Subresource;

/// Keep new pods off this machine; those that run go on
#[derive(Debug, clap::Args)]
pub(super) struct CordonArgs {
    #[command(flatten)]
    nodes: NodeArgs,
}

/// Let this machine take new pods again
#[derive(Debug, clap::Args)]
pub(super) struct UncordonArgs {
    #[command(flatten)]
    nodes: NodeArgs,
}

/// Which nodes are meant
#[derive(Debug, clap::Args)]
pub(super) struct NodeArgs {
    /// NAME or node/NAME; there is one node, this machine
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long)]
    pub(super) selector: Option<String>,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    pub(super) dry_run: DryRun,
}

impl NodeArgs {
    /// The nodes meant.
    pub(super) fn targets(&self, verb: &str) -> Result<Vec<Target>> {
        if self.nodes.is_empty() && self.selector.is_none() {
            return Err(verbatim(format!(
                "error: USAGE: {verb} NODE [flags]\nSee 'jobctl {verb} -h' for help and examples"
            )));
        }
        if self.nodes.is_empty() {
            return Ok(vec![Target::All(Kind::Node)]);
        }
        let name = |word: &String| {
            let name = ["node/", "nodes/", "no/"].iter().find_map(|prefix| word.strip_prefix(prefix));
            Target::Named(Kind::Node, name.unwrap_or(word).to_owned())
        };
        Ok(self.nodes.iter().map(name).collect())
    }
}

/// Sets spec.unschedulable.
pub(super) fn cordon(global: &Global, args: &CordonArgs) -> Result<ExitCode> {
    set_unschedulable(&Context::open(global)?, &args.nodes, "cordon", true)
}

/// Clears spec.unschedulable.
pub(super) fn uncordon(global: &Global, args: &UncordonArgs) -> Result<ExitCode> {
    set_unschedulable(&Context::open(global)?, &args.nodes, "uncordon", false)
}

/// Says for each node that it is cordoned or not, or that it was already.
pub(super) fn set_unschedulable(
    context: &Context,
    args: &NodeArgs,
    verb: &str,
    unschedulable: bool,
) -> Result<ExitCode> {
    let targets = args.targets(verb)?;
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let change = ChangeArgs { dry_run: args.dry_run, ..ChangeArgs::default() };
    let done = if unschedulable { "cordoned" } else { "uncordoned" };
    change::change_targets(context, &targets, &selectors, &change, Subresource::Main, |found| {
        let mut value = found.value()?;
        let already = value["spec"]["unschedulable"].as_bool().unwrap_or(false) == unschedulable;
        if already {
            return Ok(Changed::new(value, format!("already {done}")));
        }
        set(&mut value, unschedulable);
        Ok(Changed::new(value, done))
    })
}

fn set(node: &mut Value, unschedulable: bool) {
    if unschedulable {
        node["spec"]["unschedulable"] = json!(true);
    } else if let Value::Object(spec) = &mut node["spec"] {
        spec.remove("unschedulable");
    }
}
