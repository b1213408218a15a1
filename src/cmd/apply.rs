//! `apply`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;
use serde_json::{Value, json};

use super::apply_prune;
use super::change::check_version;
use super::context::{Context, Global};
use super::delete::{Cascade, Deleted, delete_one, wait_until_gone};
use super::failure::{complain_of_all, verbatim, while_doing};
use super::flags;
use super::manifests::{self, Document, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::warn;
use super::selection::Selectors;
use super::submit::{self, Validate};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{ANNOTATION_LAST_APPLIED, name};
use crate::api::status_error::StatusError;
use crate::api::validation::first_template_difference;
use crate::manager::Request;
use crate::registry::apply as three_way;
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
    /// Output format: json, name or yaml
    #[arg(short, long)]
    output: Option<String>,
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
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
    /// Refused: there is no server
    #[arg(long, hide = true)]
    server_side: bool,
    /// Refused: as --server-side
    #[arg(long, hide = true)]
    force_conflicts: bool,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

/// What becomes of one document.
enum Decision {
    Created(Object),
    Configured(Object),
    Unchanged(Kind, Value),
}

impl Decision {
    fn id(&self) -> (Kind, Key) {
        match self {
            Self::Created(object) | Self::Configured(object) => (object.kind(), object.key()),
            Self::Unchanged(kind, value) => {
                let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default();
                (*kind, kind.key(text("namespace"), text("name")))
            }
        }
    }
}

/// Refuses flags that contradict each other, and those that need a server.
fn check(args: &Args) -> Result<()> {
    if args.server_side {
        bail!("--server-side needs a server that records who manages a field: apply without it");
    }
    if args.force_conflicts {
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
    if args.files.filenames.is_empty() {
        bail!("must specify -f");
    }
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let mut documents = manifests::read_validated(&args.files, args.validate)?;
    documents.retain(|document| is_selected(&selectors, document));
    if documents.is_empty() {
        bail!("no objects passed to apply");
    }
    let context = Context::open_to_create(global, args.dry_run)?;
    let (held, mut request) = context.begin(&[Table::CronJobs, Table::Jobs, Table::Pods])?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?.listed();
    let mut within: BTreeMap<(Kind, Key), Object> = BTreeMap::new();
    let mut decisions = Vec::new();
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for document in documents {
        let decided = document.and_then(|mut document| {
            submit::set_namespace(&mut document, &context)?;
            decide(&document, args, &context, &mut request, &within, &mut deleted)
        });
        match decided {
            Ok(decision) => {
                if let Decision::Created(object) | Decision::Configured(object) = &decision {
                    within.insert((object.kind(), object.key()), object.clone());
                }
                decisions.push(decision);
            }
            Err(error) => errors.push(error),
        }
    }
    complain_of_all(&errors);
    let mut pruned = Vec::new();
    // What failed may be what keeps an object from being pruned.
    if args.prune && errors.is_empty() {
        let applied: Vec<_> = decisions.iter().map(Decision::id).collect();
        for (kind, key, value) in apply_prune::left_over(&request.state, &applied, &selectors)? {
            deleted.push(delete(&mut request, kind, key, args)?);
            pruned.push((kind, value));
        }
    }
    let revisions = request.revisions();
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for decision in decisions {
        let dry_run = args.dry_run == DryRun::Client;
        match decision {
            Decision::Created(object) => {
                outcomes
                    .done(object.kind(), name(object.meta()), "created", || object.to_value(&revisions))?;
            }
            Decision::Configured(object) => {
                outcomes
                    .done(object.kind(), name(object.meta()), "configured", || object.to_value(&revisions))?;
            }
            Decision::Unchanged(kind, value) => {
                // kubectl cannot know on the client.
                let what = if dry_run { "configured" } else { "unchanged" };
                let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                outcomes.done(kind, &name, what, || Ok(value))?;
            }
        }
    }
    for (kind, value) in pruned {
        let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        outcomes.done(kind, &name, "pruned", || Ok(value))?;
    }
    outcomes.finish()?;
    if args.wait && args.dry_run == DryRun::None && !deleted.is_empty() {
        drop(held);
        wait_until_gone(&context, &deleted, args.timeout)?;
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A document that does not read is not skipped: decoding says what is wrong with it.
fn is_selected(selectors: &Selectors, document: &Result<Document>) -> bool {
    let Ok(document) = document else { return true };
    selectors.is_empty() || selectors.matches(document.kind, &document.value.to_string()).unwrap_or(true)
}

fn decide(
    document: &Document,
    args: &Args,
    context: &Context,
    request: &mut Request,
    within: &BTreeMap<(Kind, Key), Object>,
    deleted: &mut Vec<Deleted>,
) -> Result<Decision> {
    let mut object = submit::decode(document, args.validate, "creating").with_context_of(document)?;
    let key = object.key();
    let is_stored = request.state.get(Table::from(document.kind), &key).is_some();
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
        let current = match within.get(&(document.kind, key.clone())) {
            Some(earlier) => Some(earlier.to_value(&request.revisions())?),
            None => request
                .state
                .get(Table::from(document.kind), &key)
                .map(|object| object.parse::<Value>())
                .transpose()?,
        };
        if let Some(current) = current {
            match change(document, &current, args, context, request) {
                Err(Refusal::Update(_)) if args.force && is_stored => replaces = true,
                decided => {
                    let doing = format!("error when patching {:?}", document.source);
                    return decided.map_err(|refusal| while_doing(refusal.into(), &doing));
                }
            }
        }
    }
    let annotation = three_way::last_applied(&document.value);
    object.meta_mut().annotations.get_or_insert_default().insert(ANNOTATION_LAST_APPLIED.into(), annotation);
    if args.dry_run != DryRun::Client {
        submit::add_creator(object.meta_mut(), &args.pass_env, request)?;
        submit::admit(&mut object, &document.value, request)
            .map_err(|error| while_doing(error, &format!("error when creating {:?}", document.source)))?;
        if replaces {
            deleted.push(delete(request, document.kind, key, args)?);
        }
        submit::create(&object, context, request)?;
    }
    Ok(if replaces { Decision::Configured(object) } else { Decision::Created(object) })
}

fn delete(request: &mut Request, kind: Kind, key: Key, args: &Args) -> Result<Deleted> {
    let grace = (args.grace_period >= 0).then_some(args.grace_period);
    let uid = delete_one(request, kind, &key, args.cascade.propagation, grace)?;
    Ok(Deleted::new(kind, key, &uid))
}

/// Why an object is not changed.
enum Refusal {
    /// The object cannot become what is wanted.
    Update(anyhow::Error),
    /// It should not.
    Conflict(anyhow::Error),
}

impl From<Refusal> for anyhow::Error {
    fn from(refusal: Refusal) -> Self {
        let (Refusal::Update(error) | Refusal::Conflict(error)) = refusal;
        error
    }
}

/// An object that exists: the three-way merge, and whether it may be.
fn change(
    document: &Document,
    current: &Value,
    args: &Args,
    context: &Context,
    request: &mut Request,
) -> Result<Decision, Refusal> {
    let name = current["metadata"]["name"].as_str().unwrap_or_default();
    submit::warn_of_late_pass_env(&args.pass_env, document.kind, name);
    let annotation = current["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].as_str();
    let original: Option<Value> = annotation.and_then(|text| serde_json::from_str(text).ok());
    if original.is_none() {
        warn(&format!(
            "resource {}/{} is missing the {ANNOTATION_LAST_APPLIED} annotation which is required by jobctl apply. \
             jobctl apply should only be used on resources created declaratively by either jobctl create \
             --save-config or jobctl apply. The missing annotation will be patched automatically.",
            document.kind.resource().plural,
            document.name()
        ));
    }
    if !args.overwrite {
        let fields = three_way::conflicts(original.as_ref(), &document.value, current);
        refuse_conflicts(document, &fields).map_err(Refusal::Conflict)?;
    }
    let mut modified = three_way::with_last_applied(&document.value);
    modified["apiVersion"] = json!(document.kind.api_version());
    let mut merged = three_way::three_way(original.as_ref(), &modified, current);
    check_version(document.kind, &merged, current).map_err(|stale| Refusal::Conflict(stale.into()))?;
    // What the status says is the controllers' to change, not a manifest's.
    merged["status"] = current["status"].clone();
    if merged["status"].is_null()
        && let Value::Object(fields) = &mut merged
    {
        fields.remove("status");
    }
    submit::keep_creator(document.kind, &mut merged, current, &document.value).map_err(Refusal::Update)?;
    if merged == *current {
        if context.warnings_as_errors {
            let object = Object::from_value(document.kind, merged.clone()).map_err(Refusal::Update)?;
            submit::warn_of(&object, &document.value);
        }
        return Ok(Decision::Unchanged(document.kind, merged));
    }
    let object = update(document, current, &merged, context).map_err(Refusal::Update)?;
    // What a manifest says may be stored in another form, or be what is left out when it is empty.
    let old = Object::from_value(document.kind, current.clone()).map_err(Refusal::Update)?;
    if object.to_unversioned().map_err(Refusal::Update)? == old.to_unversioned().map_err(Refusal::Update)? {
        return Ok(Decision::Unchanged(document.kind, current.clone()));
    }
    object.put(&mut request.pending);
    Ok(Decision::Configured(object))
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

/// The object as it will be stored.
fn update(document: &Document, current: &Value, merged: &Value, context: &Context) -> Result<Object> {
    let (mut object, _) = Object::changed(document.kind, merged)?;
    let old = Object::from_value(document.kind, current.clone())?;
    let causes = object.prepare_update(&old);
    if causes.iter().any(|cause| cause.field == "spec.template")
        && let Some(path) = first_template_difference(&object.to_unversioned()?, current)
    {
        return Err(verbatim(format!(
            "The {} {:?} is invalid: spec.template: field is immutable: {path} differs; to replace the {} and run it \
             again: jobctl replace --force -f {}",
            document.kind,
            document.name(),
            document.kind,
            document.source
        )));
    }
    submit::judge_update(&object, &old, causes, &document.value, current, context.warnings_as_errors)?;
    Ok(object)
}

/// Errors of a document name its file.
trait WithContextOf<T> {
    fn with_context_of(self, document: &Document) -> Result<T>;
}

impl<T> WithContextOf<T> for Result<T> {
    fn with_context_of(self, document: &Document) -> Result<T> {
        self.map_err(|error| match error.downcast_ref::<StatusError>() {
            Some(_) => while_doing(error, &format!("error when creating {:?}", document.source)),
            None => error,
        })
    }
}
