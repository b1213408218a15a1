//! `patch`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::change::{self, ChangeArgs, Changed};
use super::context::Global;
use super::local;
use super::outcome::DryRun;
use super::selection::Selectors;
use crate::api::decode;
use crate::api::errno::errno_text;
use crate::api::quoted::quoted;
use crate::apiserver::PatchType;

/// Change fields of objects
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME or TYPE/NAME
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// The patch, in YAML or JSON
    #[arg(short, long)]
    patch: Option<String>,
    /// A file with the patch
    #[arg(long, value_name = "FILE")]
    patch_file: Option<String>,
    /// Must be one of json, merge, strategic
    #[arg(long = "type", default_value = "strategic")]
    kind: String,
    /// Must be "status": what is to be changed in place of the rest
    #[arg(long)]
    subresource: Option<String>,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// What is said of an object that a patch has changed.
const PATCHED: &str = "patched";
/// What is said of one that is as it was.
const NOT_CHANGED: &str = "patched (no change)";

/// The type that `--type` names.
fn patch_type(name: &str) -> Result<PatchType> {
    match name.to_ascii_lowercase().as_str() {
        "json" => Ok(PatchType::Json),
        "merge" => Ok(PatchType::Merge),
        "strategic" => Ok(PatchType::Strategic),
        _ => bail!("--type must be one of [json merge strategic], not {}", quoted(name)),
    }
}

/// Patches objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let text = match (&args.patch, &args.patch_file) {
        (Some(patch), Some(_)) if !patch.is_empty() => {
            bail!("cannot specify --patch and --patch-file together")
        }
        (_, Some(file)) => std::fs::read_to_string(file).map_err(|error| {
            anyhow::anyhow!("unable to read patch file: open {file}: {}", errno_text(&error))
        })?,
        (Some(patch), None) if !patch.is_empty() => patch.clone(),
        _ => bail!("must specify --patch or --patch-file containing the contents of the patch"),
    };
    let type_ = patch_type(&args.kind)?;
    let subresource = change::subresource(args.subresource.as_deref())?;
    let change = ChangeArgs { silent_dry_run: true, ..args.change.clone() };
    // kubectl reads nothing that begins as JSON does: whether it is some is the server's to say.
    let is_sent = global.cluster.is_some() && !args.local && change.dry_run != DryRun::Client;
    if is_sent && text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(&text).is_err() {
        return change::run(global, &args.resources, &change, "patch", subresource, |_| {
            Ok(Changed::unread(type_, &text, PATCHED, NOT_CHANGED))
        });
    }
    let patch = type_.of(parse(&text)?);
    if args.local {
        local::check(&args.change)?;
        if args.change.files.is_empty() {
            super::delete::require_targets(&[], false, &Selectors::none())?;
        }
        return local::run(&args.change, |object| {
            let value = patch.apply(object).map_err(|error| anyhow::anyhow!("{error}"))?;
            let said = if *object == value { NOT_CHANGED } else { PATCHED };
            Ok((value, said.to_owned()))
        });
    }
    change::run(global, &args.resources, &change, "patch", subresource, |_| {
        Ok(Changed::patch(patch.clone(), PATCHED, NOT_CHANGED))
    })
}

fn parse(text: &str) -> Result<Value> {
    let unreadable = |problem: &str| {
        let problem = problem.trim_start_matches("error converting YAML to JSON: ");
        anyhow::anyhow!("unable to parse {text:?}: {problem}")
    };
    let mut documents = decode::documents(text.as_bytes());
    match documents.next().map(|parsed| parsed.map(|parsed| parsed.value)) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(unreadable(&error.to_string())),
        None => Ok(Value::Null),
    }
}
