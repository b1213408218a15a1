//! `describe`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use chrono::{Duration, Local};
use serde::de::DeserializeOwned;

use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::get::nothing_found;
use super::manifests::{self, FileArgs};
use super::obstacles::shortage;
use super::output::{complain, print};
use super::queue::Queue;
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use super::short_runs::ShortRuns;
use crate::api::kinds::Kind;
use crate::api::meta::{controller_of, key, uid};
use crate::api::status_error::StatusError;
use crate::api::{EndpointSlice, Event, Pod};
use crate::apiserver::{Read as _, Reader};
use crate::manager::clock;
use crate::printers;
use crate::printers::describe::Related;
use crate::registry::object::{Object, with_kinds};
use crate::store::Table;

/// Show details of objects, with their Events
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE, TYPE NAME_PREFIX or TYPE/NAME
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Show the Events of each object
    #[arg(long, default_value = "true", action = clap::ArgAction::Set)]
    show_events: bool,
}

/// Prints descriptions.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let context = Context::open(global)?.across_namespaces(args.all_namespaces);
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    if targets.is_empty() {
        return Err(verbatim(
            "error: You must specify the type of resource to describe. Use \"jobctl api-resources\" for a complete \
             list of supported resources.",
        ));
    }
    let selectors = selection::selectors(&args.resources, &targets, args.selector.as_deref(), None)?;
    context.client.revive_controller(&[Table::JOBS])?;
    let mut tables = selection::tables(&targets);
    tables.extend(targets.iter().flat_map(|target| tables_beside(target.kind())));
    tables.sort_unstable();
    tables.dedup();
    let reader = context.client.read(&tables)?;
    let mut failed = false;
    let mut blocks = Vec::new();
    let mut by_prefix = false;
    for target in &targets {
        let one = std::slice::from_ref(target);
        let (mut found, missing) =
            selection::resolve(&reader, one, &context.namespace, args.all_namespaces, &selectors)?;
        for error in missing {
            let prefixed = match error.downcast_ref() {
                Some(StatusError::NotFound { .. }) => with_prefix(&reader, target, &context)?,
                _ => Vec::new(),
            };
            if prefixed.is_empty() {
                failed = true;
                complain(&text(&error));
            } else {
                by_prefix = true;
                found.extend(prefixed);
            }
        }
        for one in &found {
            blocks.push(describe(one, &reader, &context, args.show_events)?);
        }
    }
    if blocks.is_empty() && !failed {
        complain(&nothing_found(args.all_namespaces, &targets, &context));
    }
    // kubectl puts what it has found by the beginnings of names closer together.
    print(&if by_prefix { format!("{}\n", blocks.join("\n")) } else { blocks.join("\n\n") })?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The objects whose names start with the name that was not found.
fn with_prefix<'a>(reader: &'a Reader, target: &Target, context: &Context) -> Result<Vec<Found<'a>>> {
    let Target::Named(kind, prefix) = target else { return Ok(Vec::new()) };
    let mut found = reader.list(*kind, Some(&context.namespace), &Selectors::none())?;
    found.retain(|one| one.key.name.starts_with(prefix.as_str()));
    Ok(found)
}

fn describe(found: &Found<'_>, reader: &Reader, context: &Context, show_events: bool) -> Result<String> {
    let Some(object) = Object::read(found.kind, &found.text) else {
        let plural = found.kind.resource().plural;
        let message = format!("{plural} cannot be described; see jobctl get {plural}");
        return Err(StatusError::BadRequest { message }.into());
    };
    let object = object?;
    let events = if show_events { events_about(&object, context)? } else { None };
    let waits = waits(&object, reader, context)?;
    let short_run = short_run(&object, context)?;
    let pids = match &object {
        Object::Pod(pod) => context.client.container_pids(pod),
        _ => BTreeMap::new(),
    };
    let related = Related { waits, short_run, pids, ..related(&object, reader)? };
    Ok(described(&object, &related, events.as_deref()))
}

/// The Events about an object. Who may not see them is told all the rest.
fn events_about(object: &Object, context: &Context) -> Result<Option<Vec<Event>>> {
    match context.client.events_about(uid(object.meta())) {
        Err(error)
            if error.downcast_ref().is_some_and(|status: &StatusError| status.reason() == "Forbidden") =>
        {
            Ok(Some(Vec::new()))
        }
        events => events.map(Some),
    }
}

/// What a pod, or the pods of a Job, wait for on the node. A cluster has no queue, and other nodes.
fn waits(object: &Object, reader: &Reader, context: &Context) -> Result<Vec<String>> {
    if context.client.cluster().is_some() {
        return Ok(Vec::new());
    }
    let node = &context.client.config().settings.node_name;
    let waits = match object {
        Object::Pod(pod) if shortage(pod).is_some() => Queue::read(reader)?.of_pod(pod, node),
        Object::Job(job) if job.status.as_ref().is_some_and(|status| status.active > Some(0)) => {
            let pods = context.client.read(&[Table::PODS])?;
            Queue::read(&pods)?.of_job(uid(&job.metadata), node)
        }
        _ => None,
    };
    Ok(waits.into_iter().flatten().collect())
}

/// How long a Job took, where that was less than a second.
fn short_run(object: &Object, context: &Context) -> Result<Option<Duration>> {
    let Object::Job(job) = object else { return Ok(None) };
    let runs = ShortRuns::read(&context.client)?;
    runs.of(&key(&job.metadata), uid(&job.metadata))
}

fn described(object: &Object, related: &Related, events: Option<&[Event]>) -> String {
    let now = clock();
    macro_rules! by_kind {
        ($($kind:ident),+ $(,)?) => {
            match object {
                $(Object::$kind(object) => {
                    printers::describe::object(&**object, related, events, now, &Local)
                })+
            }
        };
    }
    with_kinds!(by_kind)
}

/// The tables of what else a description of the kind speaks of.
fn tables_beside(kind: Kind) -> Vec<Table> {
    match kind {
        Kind::Node | Kind::PersistentVolumeClaim | Kind::StatefulSet => vec![Table::PODS],
        Kind::Service => vec![Table::ENDPOINT_SLICES],
        Kind::ServiceAccount => vec![Table::from(Kind::Secret)],
        Kind::Namespace => vec![Table::from(Kind::ResourceQuota), Table::from(Kind::LimitRange)],
        _ => Vec::new(),
    }
}

/// What else the description of an object speaks of.
fn related(object: &Object, reader: &Reader) -> Result<Related> {
    fn all<T: DeserializeOwned>(reader: &Reader, kind: Kind, namespace: Option<&str>) -> Result<Vec<T>> {
        reader.list(kind, namespace, &Selectors::none())?.iter().map(Found::parse).collect()
    }
    let key = object.key();
    let mut related = Related::default();
    match object.kind() {
        Kind::Node => {
            related.pods = all(reader, Kind::Pod, None)?;
            related.pods.retain(|pod: &Pod| {
                pod.spec.as_ref().is_some_and(|spec| spec.node_name.as_deref() == Some(&*key.name))
            });
        }
        Kind::PersistentVolumeClaim | Kind::StatefulSet => {
            related.pods = all(reader, Kind::Pod, Some(&key.namespace))?;
        }
        Kind::Service => {
            let is_own = |slice: &EndpointSlice| {
                controller_of(&slice.metadata).is_some_and(|owner| owner.uid == uid(object.meta()))
            };
            related.endpoint_slices = all(reader, Kind::EndpointSlice, Some(&key.namespace))?;
            related.endpoint_slices.retain(is_own);
        }
        Kind::ServiceAccount => related.secrets = all(reader, Kind::Secret, Some(&key.namespace))?,
        Kind::Namespace => {
            related.quotas = all(reader, Kind::ResourceQuota, Some(&key.name))?;
            related.limit_ranges = all(reader, Kind::LimitRange, Some(&key.name))?;
        }
        _ => {}
    }
    Ok(related)
}
