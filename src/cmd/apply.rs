//! `apply`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;
use serde_json::{Value, json};

use super::context::{Context, Global};
use super::delete::{Cascade, wait_until_gone};
use super::failure::{complain_of_all, verbatim, while_doing};
use super::flags;
use super::format::OutputArgs;
use super::manifests::{self, Document, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::{warn, warn_all};
use super::submit;
use super::{apply_prune, apply_server_side};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{ANNOTATION_LAST_APPLIED, name};
use crate::api::status_error::StatusError;
use crate::api::validation::first_template_difference;
use crate::apiserver::{
    Answer, Creator, DeleteOptions, Deleted, FieldValidation as Validate, Read as _, Selectors, Update,
};
use crate::client::Requests;
use crate::registry::apply as three_way;
use crate::registry::object::Object;
use crate::store::Table;

/// Create or change objects to match manifests
///
/// An object that does not exist is created. Of one that does, the fields given are set, the fields given last time
/// and not now are removed, and all others are left alone.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    validate: Validate,
    #[command(flatten)]
    output: OutputArgs,
    /// Apply only the documents whose labels match
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Where an object cannot be changed into what is wanted, delete it and create it again
    #[arg(long)]
    force: bool,
    /// If false, no field is changed that somebody else has changed since it was applied last
    #[arg(long, default_value = "true", action = clap::ArgAction::Set)]
    overwrite: bool,
    /// Delete what was applied earlier and is in no manifest now: of what -l selects, or of everything with --all
    #[arg(long)]
    prune: bool,
    /// With --prune: everything in the namespaces of the manifests
    #[arg(long)]
    all: bool,
    /// Must be "background", "foreground", or "orphan": what becomes of the pods of a Job that is deleted
    #[arg(long, num_args = 0..=1, default_value = "background", default_missing_value = "background", require_equals = true)]
    cascade: Cascade,
    /// Seconds given to the processes of what is deleted; negative: what the pod says
    #[arg(long, default_value_t = -1)]
    grace_period: i64,
    /// Wait until what is deleted is gone
    #[arg(long)]
    wait: bool,
    /// How long to wait; 0 is as long as it takes
    #[arg(long, default_value = "0s", value_parser = flags::duration)]
    timeout: Duration,
    /// With --server-side: who applies
    #[arg(long, default_value = "jobctl", value_name = "NAME")]
    field_manager: String,
    /// Set only the fields given, and record who manages them: fields that others manage are conflicts
    #[arg(long)]
    server_side: bool,
    /// With --server-side: take fields from their managers
    #[arg(long)]
    force_conflicts: bool,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

/// What has become of one document.
struct Decision {
    answer: Answer,
    what: &'static str,
}

const CREATED: &str = "created";
const CONFIGURED: &str = "configured";
const UNCHANGED: &str = "unchanged";

/// Refuses flags that contradict each other, and those that need a server.
fn check(args: &Args) -> Result<()> {
    if args.server_side {
        if args.dry_run == DryRun::Client {
            bail!(
                "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)"
            );
        }
        if args.force {
            bail!("--force cannot be used with --server-side");
        }
    } else if args.force_conflicts {
        bail!("--force-conflicts only works with --server-side");
    }
    if args.force && args.dry_run == DryRun::Server {
        bail!("--dry-run=server cannot be used with --force");
    }
    let selects = args.selector.as_deref().is_some_and(|selector| !selector.is_empty());
    if args.all && selects {
        bail!("cannot set --all and --selector at the same time");
    }
    if args.prune && !args.all && !selects {
        bail!(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the \
             --all flag. If you did not mean to prune all resources, specify a label selector"
        );
    }
    Ok(())
}

/// Applies every document in one commit; bad ones are reported and the good ones still go in.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    check(args)?;
    args.files.require()?;
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let mut documents = manifests::read_validated(&args.files, args.validate)?;
    documents.retain(|document| is_selected(&selectors, document));
    if documents.is_empty() {
        bail!("no objects passed to apply");
    }
    let context = Context::open_to_create(global, args.dry_run)?;
    let creator = context.client.creator(&args.pass_env)?;
    let mut tables = vec![Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS];
    tables.extend(documents.iter().flatten().map(|document| Table::from(document.kind)));
    let (held, mut requests) = context.begin(&tables, args.dry_run)?;
    if args.server_side {
        requests.act_as(&args.field_manager);
    }
    requests.validate_as(args.validate);
    let mut outcomes = Outcomes::new(&args.output, args.dry_run)?.listed();
    let mut decisions = Vec::new();
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for document in documents {
        let decided = document.and_then(|mut document| {
            let named = document.named_namespace();
            submit::set_namespace(&mut document, &context)?;
            Apply {
                args,
                context: &context,
                creator: &creator,
                requests: &mut requests,
                deleted: &mut deleted,
            }
            .document(&document, &named)
        });
        match decided {
            Ok(decision) => decisions.push(decision),
            Err(error) => errors.push(error),
        }
    }
    complain_of_all(&errors);
    let mut pruned = Vec::new();
    // What failed may be what keeps an object from being pruned.
    if args.prune && errors.is_empty() {
        let applied: Vec<_> = decisions
            .iter()
            .map(|Decision { answer, .. }| (answer.object.kind(), answer.object.key()))
            .collect();
        for (kind, key, value) in apply_prune::left_over(&requests, &applied, &selectors)? {
            deleted.push(requests.delete(kind, &key, &delete_options(args))?);
            pruned.push((kind, value));
        }
    }
    warn_all(&requests.missing()?);
    if args.dry_run == DryRun::None {
        requests.commit()?;
    }
    for Decision { answer, what } in &decisions {
        let object = &answer.object;
        // kubectl cannot know on the client.
        let what = if *what == UNCHANGED && args.dry_run == DryRun::Client { CONFIGURED } else { what };
        outcomes.done(object.kind(), name(object.meta()), what, || Ok(answer.shown()?))?;
    }
    for (kind, value) in pruned {
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        outcomes.done(kind, &name, "pruned", || Ok(value))?;
    }
    outcomes.finish()?;
    if args.dry_run == DryRun::None {
        let created = decisions.iter().filter(|decision| decision.what == CREATED);
        submit::say_elsewhere(&context, created.map(|decision| decision.answer.object.meta()));
    }
    if args.wait && args.dry_run == DryRun::None && !deleted.is_empty() {
        drop(held);
        wait_until_gone(&context, &deleted, args.timeout)?;
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A document that does not read is not skipped: decoding says what is wrong with it.
pub(super) fn is_selected(selectors: &Selectors, document: &Result<Document>) -> bool {
    let Ok(document) = document else { return true };
    selectors.is_empty() || selectors.matches(document.kind, &document.value.to_string()).unwrap_or(true)
}

fn delete_options(args: &Args) -> DeleteOptions {
    DeleteOptions {
        propagation: args.cascade.propagation,
        grace_seconds: (args.grace_period >= 0).then_some(args.grace_period),
        ..DeleteOptions::default()
    }
}

/// Applying one document, with what it takes.
struct Apply<'a, 'c> {
    args: &'a Args,
    context: &'a Context,
    creator: &'a Creator,
    requests: &'a mut Requests<'c>,
    deleted: &'a mut Vec<Deleted>,
}

impl Apply<'_, '_> {
    /// `named` is the namespace that the document names itself.
    fn document(mut self, document: &Document, named: &str) -> Result<Decision> {
        let mut object = submit::decode(document, self.args.validate, "creating", self.requests)?;
        let key = object.key();
        if self.args.server_side {
            let answer = apply_server_side::document(
                self.requests,
                document,
                &key,
                named,
                self.args.force_conflicts,
                self.creator,
            )?;
            return Ok(Decision { answer, what: apply_server_side::APPLIED });
        }
        let mut replaces = false;
        if key.name.is_empty() {
            // Only a generateName: every apply is a new object, which kubectl refuses and people ask for.
            if object.meta().generate_name.as_deref().is_some_and(|base| !base.is_empty()) {
                warn(&format!(
                    "{}: only generateName is given, so every apply creates another {}",
                    document.source, document.kind
                ));
            }
        } else {
            let current =
                self.requests.find(document.kind, &key).map_err(|error| not_seen(document, &key, error))?;
            let current = current.map(|found| found.value()).transpose()?;
            if let Some(current) = current {
                let is_new = self.requests.require_new(document.kind, &key).is_ok();
                match self.change(document, &key, &current) {
                    Err(Refusal::Update(_)) if self.args.force && is_new => replaces = true,
                    decided => {
                        let doing = format!("error when patching {:?}", document.source);
                        return decided.map_err(|refusal| while_doing(refusal.into(), &doing));
                    }
                }
            }
        }
        let annotation = three_way::last_applied(&document.value);
        object
            .meta_mut()
            .annotations
            .get_or_insert_default()
            .insert(ANNOTATION_LAST_APPLIED.into(), annotation);
        let what = if replaces { CONFIGURED } else { CREATED };
        if self.args.dry_run == DryRun::Client {
            let answer = Answer { object, received: None, warnings: Vec::new() };
            return Ok(Decision { answer, what });
        }
        let made = if replaces {
            let options = delete_options(self.args);
            self.requests.recreate(object, &document.value, self.creator, &options).map(
                |(answer, deleted)| {
                    self.deleted.extend(deleted);
                    answer
                },
            )
        } else {
            self.requests.create(object, &document.value, self.creator)
        };
        let answer = made.map_err(|error| document.not_created(named, error))?;
        warn_all(&answer.warnings);
        Ok(Decision { answer, what })
    }

    /// An object that exists: the three-way merge, and whether it may be.
    fn change(&mut self, document: &Document, key: &Key, current: &Value) -> Result<Decision, Refusal> {
        let args = self.args;
        submit::warn_of_late_pass_env(&args.pass_env, document.kind, &key.name);
        let original = applied_before(current);
        if original.is_none() {
            warn(&format!(
                "resource {}/{} is missing the {ANNOTATION_LAST_APPLIED} annotation which is required by jobctl \
                 apply. jobctl apply should only be used on resources created declaratively by either jobctl create \
                 --save-config or jobctl apply. The missing annotation will be patched automatically.",
                document.kind.resource().plural,
                document.name()
            ));
        }
        if !args.overwrite {
            let fields = three_way::conflicts(original.as_ref(), &document.value, current);
            refuse_conflicts(document, &fields).map_err(Refusal::Other)?;
        }
        let mut modified = three_way::with_last_applied(&document.value);
        modified["apiVersion"] = json!(document.kind.api_version());
        let merged = merged(&modified, current);
        let updated = self.requests.update(Update {
            manifest: Some((&document.value, self.creator)),
            all_warnings: self.context.warnings_as_errors,
            ..Update::new(document.kind, key, merged.clone())
        });
        let updated = match updated {
            Ok(updated) => updated,
            Err(error) => return Err(refused(document, &merged, current, error)),
        };
        warn_all(&updated.warnings);
        let what = if updated.is_changed { CONFIGURED } else { UNCHANGED };
        Ok(Decision { answer: updated.into_answer(), what })
    }
}

/// Why it is not known how an object is.
fn not_seen(document: &Document, key: &Key, error: anyhow::Error) -> anyhow::Error {
    let (kind, version) = (document.kind, document.kind.api_version());
    let version = if version.contains('/') { version } else { format!("/{version}") };
    let doing = format!(
        "error when retrieving current configuration of:\nResource: {:?}, GroupVersionKind: {:?}\nName: {:?}, Namespace: \
         {:?}\nfrom server for: {:?}",
        format!("{version}, Resource={}", kind.resource().plural),
        format!("{version}, Kind={kind}"),
        key.name,
        key.namespace,
        document.source
    );
    while_doing(error, &doing)
}

/// The manifest that was applied last.
fn applied_before(current: &Value) -> Option<Value> {
    let annotation = current["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].as_str();
    annotation.and_then(|text| serde_json::from_str(text).ok())
}

/// What applying a manifest makes of an object.
pub(super) fn merged(modified: &Value, current: &Value) -> Value {
    let mut merged = three_way::three_way(applied_before(current).as_ref(), modified, current);
    // What the status says is the controllers' to change, not a manifest's.
    merged["status"] = current["status"].clone();
    if merged["status"].is_null()
        && let Value::Object(fields) = &mut merged
    {
        fields.remove("status");
    }
    merged
}

/// Why an object is not changed: a template cannot be, and kubectl says so by printing all of it.
fn refused(document: &Document, merged: &Value, current: &Value, error: anyhow::Error) -> Refusal {
    let causes = match error.downcast_ref() {
        Some(StatusError::Conflict { .. }) => return Refusal::Other(error),
        Some(StatusError::Invalid { causes, .. }) => causes.as_slice(),
        _ => &[],
    };
    if causes.iter().any(|cause| cause.field == "spec.template")
        && let Some(path) = template_difference(document.kind, merged, current)
    {
        return Refusal::Update(verbatim(format!(
            "The {} {:?} is invalid: spec.template: field is immutable: {path} differs; to replace the {} and run it \
             again: jobctl replace --force -f {}",
            document.kind,
            document.name(),
            document.kind,
            document.source
        )));
    }
    Refusal::Update(error)
}

/// The first field in which the template would differ, as it would be stored.
fn template_difference(kind: Kind, merged: &Value, current: &Value) -> Option<String> {
    let mut new = Object::decode(kind, merged)?.ok()?.object;
    let old = Object::decode(kind, current)?.ok()?.object;
    new.prepare_for_update(&old);
    first_template_difference(&new.to_unversioned().ok()?, current)
}

/// Why an object is not changed.
enum Refusal {
    /// The object cannot become what is wanted.
    Update(anyhow::Error),
    /// It should not be.
    Other(anyhow::Error),
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        let (Refusal::Update(error) | Refusal::Other(error)) = refusal;
        error
    }
}

/// With `--overwrite=false`, fields that somebody else has changed are an error.
fn refuse_conflicts(document: &Document, fields: &[String]) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    bail!(
        "error when applying {:?}: of the {} {:?} somebody else has changed {} since it was applied last, and \
         --overwrite is false",
        document.source,
        document.kind,
        document.name(),
        fields.join(", ")
    )
}
