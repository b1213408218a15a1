//! `replace`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::Duration;

use super::context::{Context, Global};
use super::failure::{complain_of_all, while_doing};
use super::flags;
use super::format::OutputArgs;
use super::manifests::{self, Document, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::{say, warn_all};
use super::submit;
use crate::api::meta::{ANNOTATION_LAST_APPLIED, name};
use crate::apiserver::{
    Answer, Creator, DeleteOptions, FieldValidation as Validate, Read as _, Subresource, Update,
};
use crate::client::Requests;
use crate::registry::apply::last_applied;
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
    /// Must be "status": what is to be replaced in place of the rest
    #[arg(long)]
    subresource: Option<String>,
    /// Accepted for kubectl's sake: the objects are replaced in one step
    #[arg(long, hide = true, value_parser = flags::duration)]
    timeout: Option<Duration>,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    validate: Validate,
    /// Keep the manifest in the object's annotation, so that apply can be used later
    #[arg(long)]
    save_config: bool,
    #[command(flatten)]
    output: OutputArgs,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pass_env: Vec<String>,
}

/// Replaces objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    args.files.require()?;
    if args.grace_period >= 0 && !args.force {
        bail!("--grace-period must have --force specified");
    }
    if args.timeout.is_some_and(|timeout| timeout > Duration::zero()) && !args.force {
        bail!("--timeout must have --force specified");
    }
    let subresource = super::change::subresource(args.subresource.as_deref())?;
    if subresource != Subresource::Main && args.force {
        bail!("--force is not allowed with --subresource");
    }
    let documents = manifests::read_validated(&args.files, args.validate)?;
    if documents.is_empty() {
        bail!("no objects passed to replace");
    }
    let context =
        if args.force { Context::open_to_create(global, args.dry_run) } else { Context::open(global) }?;
    let creator = context.client.creator(&args.pass_env)?;
    let mut tables = vec![Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS];
    tables.extend(documents.iter().flatten().map(|document| Table::from(document.kind)));
    let (_held, mut requests) = context.begin(&tables, args.dry_run)?;
    requests.validate_as(args.validate);
    let mut outcomes = Outcomes::new(&args.output, args.dry_run)?;
    let mut replaced = Vec::new();
    let mut errors = Vec::new();
    for document in documents {
        let done = document.and_then(|mut document| {
            submit::set_namespace(&mut document, &context)?;
            replace(&document, args, subresource, &context, &creator, &mut requests)
                .map_err(|error| while_doing(error, &format!("error when replacing {:?}", document.source)))
        });
        match done {
            Ok(one) => replaced.push(one),
            Err(error) => errors.push(error),
        }
    }
    complain_of_all(&errors);
    warn_all(&requests.missing()?);
    if args.dry_run == DryRun::None {
        requests.commit()?;
    }
    for (answer, existed) in replaced {
        let object = &answer.object;
        let object_name = name(object.meta()).to_owned();
        if args.force && existed && args.output.given().is_none() {
            say(&format!("{} {object_name:?} deleted", object.kind().qualified_singular()))?;
        }
        outcomes.done(object.kind(), &object_name, "replaced", || Ok(answer.shown()?))?;
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Replaces one object; says whether it existed.
fn replace(
    document: &Document,
    args: &Args,
    subresource: Subresource,
    context: &Context,
    creator: &Creator,
    requests: &mut Requests<'_>,
) -> Result<(Answer, bool)> {
    let mut object = submit::decode(document, args.validate, "replacing", requests)?;
    let is_applied = !document.value["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].is_null();
    // As apply leaves it: whoever was told to replace an applied object goes on applying it.
    if args.save_config || (args.force && !is_applied) {
        let annotations = object.meta_mut().annotations.get_or_insert_default();
        annotations.insert(ANNOTATION_LAST_APPLIED.into(), last_applied(&document.value));
    }
    if args.force {
        let grace_seconds = (args.grace_period >= 0).then_some(args.grace_period);
        let options = DeleteOptions { grace_seconds, ..DeleteOptions::default() };
        let (answer, deleted) = requests.recreate(object, &document.value, creator, &options)?;
        warn_all(&answer.warnings);
        return Ok((answer, deleted.is_some()));
    }
    let key = object.key();
    if !args.pass_env.is_empty() && requests.find(document.kind, &key)?.is_some() {
        submit::warn_of_late_pass_env(&args.pass_env, document.kind, &key.name);
    }
    let value = object.to_value()?;
    let updated = requests.update(Update {
        manifest: Some((&document.value, creator)),
        is_whole: true,
        subresource,
        all_warnings: context.warnings_as_errors,
        ..Update::new(document.kind, &key, value)
    })?;
    warn_all(&updated.warnings);
    Ok((updated.into_answer(), true))
}
