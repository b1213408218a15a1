//! `describe`.

use std::process::ExitCode;

use anyhow::Result;
use chrono::Local;

use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::get::nothing_found;
use super::manifests::{self, FileArgs};
use super::output::{complain, print};
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use crate::api::kinds::Kind;
use crate::api::status_error::StatusError;
use crate::api::{CronJob, Job, Node, Pod};
use crate::apiserver::{Read as _, Reader};
use crate::manager::clock;
use crate::printers;
use crate::registry::object::Object;
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
    let context = Context::open(global)?;
    let targets = manifests::targets(&args.resources, &args.files, "describe", global)?;
    if targets.is_empty() {
        return Err(verbatim(
            "error: You must specify the type of resource to describe. Use \"jobctl api-resources\" for a complete \
             list of supported resources.",
        ));
    }
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    context.client.revive_controller(&[Table::JOBS])?;
    let mut tables = selection::tables(&targets);
    if targets.iter().any(|target| target.kind() == Kind::Node) {
        tables.push(Table::PODS);
        tables.sort_unstable();
        tables.dedup();
    }
    let reader = context.client.read(&tables)?;
    let mut failed = false;
    let mut blocks = Vec::new();
    let mut by_prefix = false;
    for target in &targets {
        let one = std::slice::from_ref(target);
        let (mut found, missing) =
            selection::resolve(&reader, one, &context.namespace, args.all_namespaces, &selectors)?;
        for error in missing {
            let prefixed = with_prefix(&reader, target, &context)?;
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
        complain(&nothing_found(args.all_namespaces, &context));
    }
    let mut output = blocks.join("\n\n");
    if by_prefix {
        output.push('\n');
    }
    print(&output)?;
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
    let value = found.value()?;
    let uid = value["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let events = if show_events { Some(context.client.events_about(&uid)?) } else { None };
    let events = events.as_deref();
    let now = clock();
    Ok(match found.kind {
        Kind::Job => {
            let job: Job = found.parse()?;
            printers::describe::job(&job, events, now, &Local)
        }
        Kind::Pod => {
            let pod: Pod = found.parse()?;
            printers::describe::pod(&pod, events, now, &Local)
        }
        Kind::CronJob => {
            let cron_job: CronJob = found.parse()?;
            printers::describe::cronjob(&cron_job, events, now, &Local)
        }
        Kind::Node => {
            let node: Node = found.parse()?;
            let pods = pods_of_node(reader, &found.key.name)?;
            printers::describe::node(&node, &pods, events, now, &Local)
        }
        Kind::Event => {
            let message = "events cannot be described; see jobctl get events".to_owned();
            return Err(StatusError::BadRequest { message }.into());
        }
        kind => {
            let object =
                Object::read(kind, &found.text).ok_or_else(|| anyhow::anyhow!("describe a {kind}"))??;
            printers::describe::other(object.meta(), events, now, &Local)
        }
    })
}

/// The pods that are bound to a node.
fn pods_of_node(reader: &Reader, node: &str) -> Result<Vec<Pod>> {
    let mut pods = Vec::new();
    for found in reader.list(Kind::Pod, None, &Selectors::none())? {
        let pod: Pod = found.parse()?;
        if pod.spec.as_ref().is_some_and(|spec| spec.node_name.as_deref() == Some(node)) {
            pods.push(pod);
        }
    }
    Ok(pods)
}
