//! `replace`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::change::check_version;
use super::context::{Context, Global};
use super::delete::delete_one;
use super::failure::{complain_of_all, while_doing};
use super::manifests::{self, Document, FileArgs};
use super::object::Object;
use super::outcome::{DryRun, Outcomes};
use super::output::say;
use super::submit::{self, Validate};
use crate::api::meta::{ANNOTATION_LAST_APPLIED, name};
use crate::api::status_error::StatusError;
use crate::manager::Request;
use crate::registry::apply::last_applied;
use crate::registry::deletion::Propagation;
use crate::store::Table;

/// Replace objects by manifests; with --force, delete them and create them again
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// Delete the object with its pods and create it again, in one step: this runs a Job once more
    #[arg(long)]
    force: bool,
    /// Seconds given to the old pods' processes to end; negative: what the pod says
    #[arg(long, default_value_t = -1)]
    grace_period: i64,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    validate: Validate,
    /// Keep the manifest in the object's annotation, so that apply can be used later
    #[arg(long)]
    save_config: bool,
    /// Output format: json, name or yaml
    #[arg(short, long)]
    output: Option<String>,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

/// Replaces objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.files.filenames.is_empty() {
        bail!("must specify -f");
    }
    let documents = manifests::read_validated(&args.files, args.validate)?;
    if documents.is_empty() {
        bail!("no objects passed to replace");
    }
    let context =
        if args.force { Context::open_to_create(global, args.dry_run) } else { Context::open(global) }?;
    let (_held, mut request) = context.begin(&[Table::Jobs, Table::Pods, Table::Events, Table::CronJobs])?;
    let mut outcomes = Outcomes::new(args.output.as_deref(), args.dry_run)?;
    let mut replaced = Vec::new();
    let mut errors = Vec::new();
    for document in documents {
        let done = document.and_then(|mut document| {
            submit::set_namespace(&mut document, &context)?;
            replace(&document, args, &context, &mut request)
                .map_err(|error| while_doing(error, &format!("error when replacing {:?}", document.source)))
        });
        match done {
            Ok(one) => replaced.push(one),
            Err(error) => errors.push(error),
        }
    }
    complain_of_all(&errors);
    let revisions = request.revisions();
    if args.dry_run == DryRun::None {
        request.commit(&context.config, &context.store)?;
    }
    for (object, existed) in replaced {
        let object_name = name(object.meta()).to_owned();
        if args.force && existed && args.output.is_none() {
            say(&format!("{} {object_name:?} deleted", object.kind().qualified_singular()))?;
        }
        outcomes.done(object.kind(), &object_name, "replaced", || object.to_value(&revisions))?;
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Replaces one object; says whether it existed.
fn replace(
    document: &Document,
    args: &Args,
    context: &Context,
    request: &mut Request,
) -> Result<(Object, bool)> {
    let mut object = submit::decode(document, args.validate, "replacing")?;
    if args.save_config {
        let annotations = object.meta_mut().annotations.get_or_insert_default();
        annotations.insert(ANNOTATION_LAST_APPLIED.into(), last_applied(&document.value));
    }
    let key = object.key();
    let exists = request.state.get(Table::from(document.kind), &key).is_some();
    if args.force {
        submit::require_new(document.kind, &key, request)?;
        submit::add_creator(object.meta_mut(), &args.pass_env, request)?;
        if document.value["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].is_null() {
            // As apply leaves it: whoever was told to replace an applied object goes on applying it.
            let annotations = object.meta_mut().annotations.get_or_insert_default();
            annotations.insert(ANNOTATION_LAST_APPLIED.into(), last_applied(&document.value));
        }
        submit::admit(&mut object, &document.value, request)?;
        if exists {
            let grace = (args.grace_period >= 0).then_some(args.grace_period);
            delete_one(request, document.kind, &key, Propagation::Background, grace)?;
        }
        submit::create(&object, context, request)?;
        return Ok((object, exists));
    }
    let Some(current) = request.state.get(Table::from(document.kind), &key) else {
        return Err(StatusError::not_found(document.kind, &key.name).into());
    };
    let current: Value = current.parse()?;
    submit::warn_of_late_pass_env(&args.pass_env, document.kind, &key.name);
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let (wanted, stored) = (uid(&document.value), uid(&current));
    if !wanted.is_empty() && wanted != stored {
        let detail =
            format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {stored}");
        let name = key.name.to_string();
        return Err(StatusError::Conflict { kind: document.kind, name, detail }.into());
    }
    check_version(document.kind, &document.value, &current)?;
    let old = Object::from_value(document.kind, current.clone())?;
    let mut value = object.to_unversioned()?;
    submit::keep_creator(document.kind, &mut value, &current, &document.value)?;
    object = Object::from_value(document.kind, value)?;
    let causes = object.prepare_update(&old);
    submit::judge_update(&object, &old, causes, &document.value, &current, context.warnings_as_errors)?;
    object.put(&mut request.pending);
    Ok((object, true))
}
