//! Changing stored objects: find them, make the new ones, judge those as any update, commit once, say what was done.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::Value;

use super::context::{Context, Global};
use super::failure::text;
use super::manifests::{self, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::{complain, warn};
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use super::submit;
use crate::api::kinds::Kind;
use crate::api::status_error::StatusError;
use crate::manager::register_node;

/// Flags of every verb that changes stored objects
#[derive(Debug, Default, clap::Args)]
pub(super) struct ChangeArgs {
    #[command(flatten)]
    pub(super) files: FileArgs,
    /// All objects of the type
    #[arg(long)]
    pub(super) all: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    pub(super) selector: Option<String>,
    /// Field selector
    #[arg(long)]
    pub(super) field_selector: Option<String>,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    pub(super) dry_run: DryRun,
    /// Output format: json, name, yaml or jsonpath=…
    #[arg(short, long)]
    pub(super) output: Option<String>,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    pub(super) field_manager: Option<String>,
}

/// What becomes of one object.
pub(super) struct Changed {
    pub(super) value: Value,
    /// What is said of it, for instance `patched`.
    pub(super) said: String,
    /// What is said instead when what comes to be stored is what is there.
    pub(super) said_of_same: Option<&'static str>,
}

impl Changed {
    /// A value, and what is said of it whether it is another or not.
    pub(super) fn new(value: Value, said: impl Into<String>) -> Self {
        Self { value, said: said.into(), said_of_same: None }
    }
}

/// Which part of an object is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything but the status.
    Main,
    /// `--subresource=status`.
    Status,
}

/// Changes every object that the command line names, each as `change` says; one that fails leaves the others alone.
pub(super) fn run(
    global: &Global,
    resources: &[String],
    args: &ChangeArgs,
    verb: &str,
    part: Part,
    change: impl FnMut(&Found<'_>) -> Result<Changed>,
) -> Result<ExitCode> {
    let targets = manifests::targets(resources, &args.files, verb, global)?;
    let selectors = Selectors::parse(args.selector.as_deref(), args.field_selector.as_deref())?;
    super::delete::require_targets(&targets, args.all, &selectors)?;
    change_targets(&Context::open(global)?, &targets, &selectors, args, part, change)
}

/// As [`run`], for objects that are known already.
pub(super) fn change_targets(
    context: &Context,
    targets: &[Target],
    selectors: &Selectors,
    args: &ChangeArgs,
    part: Part,
    mut change: impl FnMut(&Found<'_>) -> Result<Changed>,
) -> Result<ExitCode> {
    if targets.iter().any(|target| target.kind() == Kind::Node) {
        register_node(&context.config, &context.store)?;
    }
    let (_held, mut request) = context.begin(&selection::tables(targets))?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?;
    let (found, missing) = selection::resolve(&request.state, targets, &context.namespace, false, selectors)?;
    if found.is_empty() && missing.is_empty() && targets.iter().any(|target| matches!(target, Target::All(_)))
    {
        complain("No resources found");
    }
    let mut failed = !missing.is_empty();
    missing.iter().for_each(|error| complain(&text(error)));
    let mut changed = Vec::new();
    for one in &found {
        let done = change(one).and_then(|made| {
            let accepted = accept(one, &made.value, part)?;
            let said_of_same = made.said_of_same.filter(|_| matches!(accepted, Accepted::Same(_)));
            Ok((accepted, said_of_same.map_or(made.said, str::to_owned)))
        });
        match done {
            Ok((accepted, said)) => changed.push((one.kind, one.key.name.to_string(), accepted, said)),
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    drop(found);
    let revisions = request.revisions();
    for (_, _, accepted, _) in &changed {
        if let Accepted::New(object) = accepted {
            object.put(&mut request.pending);
        }
    }
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for (kind, name, accepted, said) in changed {
        outcomes.done(kind, &name, &said, || match accepted {
            Accepted::New(object) => object.to_value(&revisions),
            Accepted::Same(value) => Ok(value),
        })?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is to be stored of an object.
enum Accepted {
    New(Object),
    /// Nothing: it is as it was.
    Same(Value),
}

/// Judges a changed object as the API server does.
fn accept(found: &Found<'_>, value: &Value, part: Part) -> Result<Accepted> {
    let current = found.value()?;
    check_version(found.kind, value, &current)?;
    if *value == current {
        return Ok(Accepted::Same(current));
    }
    let old = Object::from_value(found.kind, current.clone())?;
    let (mut new, unknown) = Object::changed(found.kind, value)?;
    unknown.iter().for_each(|field| warn(&format!("unknown field \"{field}\"")));
    let given = new.key();
    for (what, given, known) in
        [("name", given.name, &found.key.name), ("namespace", given.namespace, &found.key.namespace)]
    {
        if given != *known {
            let message =
                format!("the {what} of the object ({given}) does not match the {what} on the URL ({known})");
            return Err(StatusError::BadRequest { message }.into());
        }
    }
    match part {
        Part::Status => new.keep_all_but_status(&old),
        Part::Main => {
            let causes = new.prepare_update(&old);
            submit::judge_update(&new, &old, causes, value, &current, false)?;
        }
    }
    // Fields that are not the request's to change, or that nobody knows, have been dropped by now.
    if new.to_unversioned()? == old.to_unversioned()? {
        return Ok(Accepted::Same(current));
    }
    Ok(Accepted::New(new))
}

/// Refuses to overwrite an object by one that was made from an older version of it: what somebody else has changed since
/// would be lost. Who names no version means whatever is there.
///
/// # Errors
/// [`StatusError::Conflict`].
pub(super) fn check_version(kind: Kind, new: &Value, current: &Value) -> Result<(), StatusError> {
    let version =
        |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let (wanted, stored) = (version(new), version(current));
    if wanted.is_empty() || wanted == stored {
        return Ok(());
    }
    Err(StatusError::conflict(kind, current["metadata"]["name"].as_str().unwrap_or_default()))
}
