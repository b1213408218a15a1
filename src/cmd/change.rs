//! Changing stored objects: find them, make the new ones, judge those as any update, commit once, say what was done.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::context::{Context, Global};
use super::failure::{refused_as, text};
use super::format::OutputArgs;
use super::manifests::{self, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::{complain, warn_all};
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use crate::api::kinds::Kind;
use crate::api::status_error::StatusError;
use crate::apiserver::{Patch, PatchType, Subresource, Update};

/// Flags of every verb that changes stored objects
#[derive(Clone, Debug, Default, clap::Args)]
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
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    pub(super) field_manager: Option<String>,
    /// The verb, where what it says differs from the others'.
    #[arg(skip)]
    pub(super) verb: String,
    /// A dry run is not told of as such: so it is with `patch`.
    #[arg(skip)]
    pub(super) silent_dry_run: bool,
}

/// The part of an object that `--subresource` names.
///
/// # Errors
/// A part that objects do not have.
pub(super) fn subresource(name: Option<&str>) -> Result<Subresource> {
    match name {
        None | Some("") => Ok(Subresource::Main),
        Some("status") => Ok(Subresource::Status),
        Some("scale") => {
            bail!("--subresource=scale is read by get; to change it: jobctl scale --replicas=COUNT TYPE/NAME")
        }
        Some(other) => bail!("invalid subresource value: {other:?}. Must be one of [status]"),
    }
}

/// What becomes of one object.
pub(super) struct Changed {
    request: ChangeRequest,
    /// What is said of it, for instance `patched`.
    said: String,
    /// What is said instead when what comes to be stored is what is there.
    said_of_same: Option<&'static str>,
    /// What stands before the server's reason, where it refuses the change, in place of its name for that.
    refused: Option<&'static str>,
}

enum ChangeRequest {
    Nothing,
    Update(Value),
    Patch(Patch),
    /// A patch that does not read, for a cluster to say so in its words, or to read all the same.
    Unread(PatchType, String),
}

impl Changed {
    /// Another form of the object, and what is said of it whether it is another or not.
    pub(super) fn new(value: Value, said: impl Into<String>) -> Self {
        Self { request: ChangeRequest::Update(value), said: said.into(), said_of_same: None, refused: None }
    }

    /// The object as it is, of which nothing is said.
    pub(super) fn nothing() -> Self {
        Self { request: ChangeRequest::Nothing, said: String::new(), said_of_same: None, refused: None }
    }

    /// The same change, a refusal of which begins with these words.
    pub(super) fn refused_as(self, words: &'static str) -> Self {
        Self { refused: Some(words), ..self }
    }

    /// What becomes of the object where no server is asked, and what is said of it.
    fn here(self, before: &Value) -> Result<Option<(Value, String)>> {
        let after = match self.request {
            ChangeRequest::Nothing => return Ok(None),
            ChangeRequest::Update(value) => value,
            ChangeRequest::Patch(patch) => patch.apply(before).map_err(|error| anyhow::anyhow!("{error}"))?,
            ChangeRequest::Unread(..) => bail!("the patch does not read"),
        };
        let said_of_same = self.said_of_same.filter(|_| *before == after);
        let said = said_of_same.map_or(self.said, str::to_owned);
        Ok(Some((after, said)))
    }

    /// A patch that we cannot read, though a server may, and what is said when it changes something, and when not.
    pub(super) fn unread(type_: PatchType, text: &str, said: &str, said_of_same: &'static str) -> Self {
        Self {
            request: ChangeRequest::Unread(type_, text.to_owned()),
            said: said.to_owned(),
            said_of_same: Some(said_of_same),
            refused: None,
        }
    }

    /// A patch, and what is said when it changes something, and when not.
    pub(super) fn patch(patch: Patch, said: &str, said_of_same: &'static str) -> Self {
        Self {
            request: ChangeRequest::Patch(patch),
            said: said.to_owned(),
            said_of_same: Some(said_of_same),
            refused: None,
        }
    }
}

/// Changes every object that the command line names, each as `change` says; one that fails leaves the others alone.
pub(super) fn run(
    global: &Global,
    resources: &[String],
    args: &ChangeArgs,
    verb: &str,
    subresource: Subresource,
    change: impl FnMut(&Found<'_>) -> Result<Changed>,
) -> Result<ExitCode> {
    let targets = manifests::targets(resources, &args.files, global)?;
    let selectors =
        selection::selectors(resources, &targets, args.selector.as_deref(), args.field_selector.as_deref());
    let selectors = selectors.map_err(|error| match error.downcast_ref::<StatusError>() {
        Some(status) if verb == "scale" => {
            anyhow::anyhow!("no objects passed to scale {}", status.message())
        }
        _ => error,
    })?;
    super::delete::require_targets(&targets, args.all, &selectors)?;
    let args = ChangeArgs { verb: verb.to_owned(), ..args.clone() };
    change_targets(&Context::open(global)?, &targets, &selectors, &args, subresource, change)
}

/// As [`run`], for objects that are known already.
pub(super) fn change_targets(
    context: &Context,
    targets: &[Target],
    selectors: &Selectors,
    args: &ChangeArgs,
    subresource: Subresource,
    mut change: impl FnMut(&Found<'_>) -> Result<Changed>,
) -> Result<ExitCode> {
    if targets.iter().any(|target| target.kind() == Kind::Node) {
        context.client.register_node()?;
    }
    let (_held, mut requests) = context.begin(&selection::tables(targets), args.dry_run)?;
    let told = if args.silent_dry_run { DryRun::None } else { args.dry_run };
    let mut outcomes = Outcomes::new(&args.output, told)?;
    let (found, missing) = selection::resolve(&requests, targets, &context.namespace, false, selectors)?;
    if found.is_empty() && missing.is_empty() && targets.iter().any(|target| matches!(target, Target::All(_)))
    {
        match args.verb.as_str() {
            "label" | "annotate" | "set" => {}
            "scale" => bail!("no objects passed to scale"),
            _ => complain("No resources found"),
        }
    }
    let mut failed = !missing.is_empty();
    for error in &missing {
        // One sentence of two, as kubectl puts it.
        let scale = error.downcast_ref::<StatusError>().filter(|_| args.verb == "scale");
        complain(&match scale {
            Some(status) => format!("error: no objects passed to scale {}", status.message()),
            None => text(error),
        });
    }
    let mut made = Vec::new();
    for one in &found {
        let before = if args.dry_run == DryRun::Client { one.value()? } else { Value::Null };
        made.push((one.kind, one.key.clone().into_owned(), before, change(one)));
    }
    drop(found);
    let mut changed = Vec::new();
    for (kind, key, before, made) in made {
        let done = made.and_then(|made| {
            if args.dry_run == DryRun::Client {
                return made.here(&before);
            }
            let updated = match made.request {
                ChangeRequest::Nothing => return Ok(None),
                ChangeRequest::Update(value) => {
                    requests.update(Update { subresource, ..Update::new(kind, &key, value) })
                }
                ChangeRequest::Patch(patch) => requests.patch(kind, &key, &patch, subresource),
                ChangeRequest::Unread(type_, text) => {
                    requests.patch_unread(kind, &key, type_, &text, subresource)
                }
            };
            let updated = updated.map_err(|error| match made.refused {
                Some(words) => refused_as(words, error),
                None => error,
            })?;
            warn_all(&updated.warnings);
            let said_of_same = made.said_of_same.filter(|_| !updated.is_changed);
            Ok(Some((updated.shown()?, said_of_same.map_or(made.said, str::to_owned))))
        });
        match done {
            Ok(one) => changed.extend(one.map(|(object, said)| (kind, key, object, said))),
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    if args.dry_run == DryRun::None {
        requests.commit()?;
    }
    for (kind, key, object, said) in changed {
        outcomes.done(kind, &key.name, &said, || Ok(object))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
