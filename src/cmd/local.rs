//! `--local`: changes to what is in files, of whatever kind; nothing is stored.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::change::ChangeArgs;
use super::manifests;
use super::outcome::{DryRun, Outcomes};

/// Refuses what does not go with `--local`.
///
/// # Errors
/// `--dry-run=server`: there is nothing to ask.
pub(super) fn check(args: &ChangeArgs) -> Result<()> {
    if args.dry_run == DryRun::Server {
        bail!("cannot specify --local and --dry-run=server - did you mean --dry-run=client?");
    }
    Ok(())
}

/// The objects of the files, of whatever kind.
///
/// # Errors
/// Files and documents that do not read.
pub(super) fn read(args: &ChangeArgs) -> Result<Vec<Value>> {
    manifests::read_any(&args.files)?.into_iter().collect()
}

/// Changes every object of the files and prints it.
///
/// # Errors
/// Documents that do not read.
pub(super) fn run(
    args: &ChangeArgs,
    mut change: impl FnMut(&Value) -> Result<(Value, String)>,
) -> Result<ExitCode> {
    let mut outcomes = Outcomes::new(&args.output, args.dry_run)?;
    for value in manifests::read_any(&args.files)? {
        let value = value?;
        let (changed, said) = change(&value)?;
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        outcomes.done_to(&resource_of(&value), &name, &said, || Ok(changed))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `kind.group` of any object, as kubectl names what it does not know.
pub(super) fn resource_of(value: &Value) -> String {
    let kind = value["kind"].as_str().unwrap_or_default().to_ascii_lowercase();
    match value["apiVersion"].as_str().and_then(|version| version.split_once('/')) {
        Some((group, _)) => format!("{kind}.{group}"),
        None => kind,
    }
}
