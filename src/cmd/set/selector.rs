//! `set selector`: which pods a Service leads to.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::Work;
use crate::cmd::change::ChangeArgs;
use crate::cmd::context::Global;

/// Set the selector of a Service, in place of the one that it has
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME or TYPE/NAME, then the selector as KEY=VALUE,…
    #[arg(value_name = "TYPE[/NAME] | SELECTOR")]
    arguments: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// Only if the object has this version
    #[arg(long)]
    resource_version: Option<String>,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// Sets selectors.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let Some((text, resources)) = args.arguments.split_last() else { bail!("one selector is required") };
    if resources.is_empty() && args.change.files.is_empty() && text.contains('/') && !text.contains('=') {
        crate::cmd::delete::require_nothing_named()?;
    }
    let work = Work {
        resources,
        change: &args.change,
        local: args.local,
        said: "selector updated",
        says_same: true,
        refused: "failed to patch selector to service: ",
    };
    work.check()?;
    let selector = labels(text)?;
    work.run(global, |object| {
        if object["kind"] != "Service" {
            return vec!["error: setting a selector is only supported for Services".to_owned()];
        }
        let version = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !args.local
            && let Some(expected) = args.resource_version.as_deref().filter(|expected| *expected != version)
        {
            return vec![format!("error: Expected resource version to be {expected}, was {version}")];
        }
        object["spec"]["selector"] = Value::Object(selector.clone());
        Vec::new()
    })
}

/// Labels and their values: of selectors no Service takes more.
fn labels(text: &str) -> Result<Map<String, Value>> {
    let mut labels = Map::new();
    for part in text.split(',') {
        match part.split_once('=') {
            Some((key, _)) if key.ends_with('!') => bail!("\"!=\" is not a valid label selector operator"),
            Some((key, value)) => {
                labels.insert(key.trim().to_owned(), json!(value.trim_start_matches('=').trim()));
            }
            None => bail!("match expression [{{{part} Exists []}}] not supported on this object"),
        }
    }
    Ok(labels)
}
