//! `apply`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use super::change::check_version;
use super::context::{Context, Global};
use super::failure::{text, verbatim, while_doing};
use super::manifests::{self, Document, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::{complain, warn};
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

/// Applies every document in one commit; bad ones are reported and the good ones still go in.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.files.filenames.is_empty() {
        anyhow::bail!("must specify -f");
    }
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let documents = manifests::read(&args.files)?;
    if documents.is_empty() {
        anyhow::bail!("no objects passed to apply");
    }
    let context = Context::open(global)?;
    let mut request = Request::begin(&context.store, &[Table::CronJobs, Table::Jobs, Table::Pods])?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?;
    let mut within: BTreeMap<(Kind, Key), Object> = BTreeMap::new();
    let mut decisions = Vec::new();
    let mut failed = false;
    for document in documents {
        let decided = document.and_then(|mut document| {
            // A document that does not read as its kind is not skipped: decoding says what is wrong with it.
            let matches = selectors.matches(document.kind, &document.value.to_string()).unwrap_or(true);
            if !selectors.is_empty() && !matches {
                return Ok(None);
            }
            submit::set_namespace(&mut document, &context)?;
            decide(&document, args, &context, &mut request, &within).map(Some)
        });
        match decided {
            Ok(None) => {}
            Ok(Some(decision)) => {
                if let Decision::Created(object) | Decision::Configured(object) = &decision {
                    within.insert((object.kind(), object.key()), object.clone());
                }
                decisions.push(decision);
            }
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    let revision = request.revision();
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for decision in decisions {
        let dry_run = args.dry_run == DryRun::Client;
        match decision {
            Decision::Created(object) => {
                outcomes.done(object.kind(), name(object.meta()), "created", || object.to_value(revision))?;
            }
            Decision::Configured(object) => {
                outcomes
                    .done(object.kind(), name(object.meta()), "configured", || object.to_value(revision))?;
            }
            Decision::Unchanged(kind, value) => {
                // kubectl cannot know on the client.
                let what = if dry_run { "configured" } else { "unchanged" };
                let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                outcomes.done(kind, &name, what, || Ok(value))?;
            }
        }
    }
    outcomes.finish()?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn decide(
    document: &Document,
    args: &Args,
    context: &Context,
    request: &mut Request,
    within: &BTreeMap<(Kind, Key), Object>,
) -> Result<Decision> {
    let mut object = submit::decode(document, args.validate, "creating").with_context_of(document)?;
    let key = object.key();
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
            Some(earlier) => Some(earlier.to_value(request.revision())?),
            None => request
                .state
                .get(Table::from(document.kind), &key)
                .map(|object| object.parse::<Value>())
                .transpose()?,
        };
        if let Some(current) = current {
            return change(document, &current, request)
                .map_err(|error| while_doing(error, &format!("error when patching {:?}", document.source)));
        }
    }
    let annotation = three_way::last_applied(&document.value);
    object.meta_mut().annotations.get_or_insert_default().insert(ANNOTATION_LAST_APPLIED.into(), annotation);
    if args.dry_run != DryRun::Client {
        submit::add_creator(object.meta_mut(), &args.pass_env)?;
        submit::admit(&mut object, &document.value, request)
            .map_err(|error| while_doing(error, &format!("error when creating {:?}", document.source)))?;
        submit::create(&object, context, request)?;
    }
    Ok(Decision::Created(object))
}

/// An object that exists: the three-way merge, and whether it may be.
fn change(document: &Document, current: &Value, request: &mut Request) -> Result<Decision> {
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
    let mut modified = three_way::with_last_applied(&document.value);
    modified["apiVersion"] = json!(document.kind.api_version());
    let mut merged = three_way::three_way(original.as_ref(), &modified, current);
    check_version(document.kind, &merged, current)?;
    // What the status says is the controllers' to change, not a manifest's.
    merged["status"] = current["status"].clone();
    if merged["status"].is_null()
        && let Value::Object(fields) = &mut merged
    {
        fields.remove("status");
    }
    if merged == *current {
        return Ok(Decision::Unchanged(document.kind, merged));
    }
    let object = update(document, current, merged)?;
    object.put(&mut request.pending);
    Ok(Decision::Configured(object))
}

/// The object as it will be stored.
fn update(document: &Document, current: &Value, merged: Value) -> Result<Object> {
    let mut object = Object::from_value(document.kind, merged)?;
    let old = Object::from_value(document.kind, current.clone())?;
    let mut causes = object.prepare_update(&old);
    if causes.iter().any(|cause| cause.field == "spec.template")
        && let Some(path) = first_template_difference(&object.to_value(0)?, current)
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
    causes.extend(submit::findings_of_update(&object, &document.value, current));
    submit::refuse(&object, causes)?;
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
