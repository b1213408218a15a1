//! `events`: what has happened, in the order in which it did.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::context::{Context, Global};
use super::failure::verbatim;
use super::output::{complain, print};
use super::resources::{self, Target};
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::api::kinds::Kind;
use crate::apiserver::{Reader, Source as _};
use crate::manager::clock;
use crate::printers;
use crate::printers::rows::{EVENTS_COLUMNS, Row, events_row};
use crate::printers::table::{TableOptions, TablePrinter};
use crate::store::Table;

/// Show what has happened, the oldest first
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only about this object: TYPE/NAME
    #[arg(long = "for", value_name = "TYPE/NAME")]
    about: Option<String>,
    /// Only of these types: Normal, Warning
    #[arg(long, value_delimiter = ',')]
    types: Vec<String>,
    /// Events of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Go on with what happens from now
    #[arg(short, long)]
    watch: bool,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// Output format: json, yaml or name
    #[arg(short, long)]
    output: Option<String>,
}

/// Lists Events.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.types.iter().any(|word| !["normal", "warning"].contains(&word.to_ascii_lowercase().as_str())) {
        bail!("valid --types are Normal or Warning");
    }
    let about = args.about.as_ref().map(|word| object_of(word)).transpose()?;
    let context = Context::open(global)?.across_namespaces(args.all_namespaces);
    let (reader, mut follower) = context.client.watch(&[Table::EVENTS])?;
    let mut printer = TablePrinter::new(
        EVENTS_COLUMNS,
        TableOptions {
            no_headers: args.no_headers,
            with_namespace: args.all_namespaces,
            ..TableOptions::default()
        },
    );
    let shown = select(&reader, args, about.as_ref(), &context.namespace)?;
    if shown.is_empty() && !args.watch {
        complain(&match args.all_namespaces {
            true => "No events found.".to_owned(),
            false => format!("No events found in {} namespace.", context.namespace),
        });
        return Ok(ExitCode::SUCCESS);
    }
    show(&shown, args, &mut printer)?;
    if !args.watch {
        return Ok(ExitCode::SUCCESS);
    }
    drop(reader);
    let _companion = context.client.keep_controller()?;
    loop {
        let mut fresh = Vec::new();
        let mut unreadable = None;
        follower.changes(|change| {
            let elsewhere = !args.all_namespaces && change.namespace != context.namespace;
            let Some(text) = change.object.filter(|_| !elsewhere) else { return };
            match serde_json::from_str::<EventRecord>(text) {
                Ok(event) if is_wanted(&event, args, about.as_ref()) => {
                    fresh.push(event.to_event().to_string());
                }
                Ok(_) => {}
                Err(error) => unreadable = Some(error),
            }
        })?;
        if let Some(error) = unreadable {
            return Err(error).context("read an Event");
        }
        show(&fresh, args, &mut printer)?;
        follower.wait(&[], None)?;
    }
}

/// The object that `--for` names.
fn object_of(word: &str) -> Result<(Kind, String)> {
    if !word.contains('/') {
        bail!("--for must be in resource/name form");
    }
    let parsed = resources::parse(&[word.to_owned()]);
    // kubectl puts no word before this.
    match parsed.map_err(|error| verbatim(error.to_string()))?.as_slice() {
        [Target::Named(kind, name)] => Ok((*kind, name.clone())),
        _ => bail!("--for must be in resource/name form"),
    }
}

fn is_wanted(event: &EventRecord, args: &Args, about: Option<&(Kind, String)>) -> bool {
    let is_about =
        about.is_none_or(|(kind, name)| event.about.kind == kind.as_str() && event.about.name == *name);
    let is_of_type =
        args.types.is_empty() || args.types.iter().any(|word| word.eq_ignore_ascii_case(&event.type_));
    is_about && is_of_type
}

/// The Events asked for, the oldest first.
fn select(
    reader: &Reader,
    args: &Args,
    about: Option<&(Kind, String)>,
    namespace: &str,
) -> Result<Vec<String>> {
    let now = reader.now();
    let mut found = Vec::new();
    for (key, entry) in reader.entries(Table::EVENTS)? {
        if !args.all_namespaces && *key.namespace != *namespace {
            continue;
        }
        let event: EventRecord = entry.parse()?;
        if now - event.last <= EVENT_TTL && is_wanted(&event, args, about) {
            found.push((event.last, event.to_event().to_string()));
        }
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, text)| text).collect())
}

fn show(events: &[String], args: &Args, printer: &mut TablePrinter) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let values = || -> Result<Vec<Value>> {
        events.iter().map(|text| serde_json::from_str(text).context("read an Event")).collect()
    };
    let list = || -> Result<Value> {
        Ok(json!({"apiVersion": "v1", "kind": "EventList", "metadata": {}, "items": values()?}))
    };
    match args.output.as_deref() {
        None => {
            let now = clock();
            let rows = events
                .iter()
                .map(|text| events_row(text, now).context("read an Event"))
                .collect::<Result<Vec<Row<'_>>>>()?;
            print(&printer.print(&rows))
        }
        Some("json") => print(&printers::json::to_string(&list()?)),
        Some("yaml") => print(&printers::yaml::to_string(&list()?)),
        Some("name") => values()?.iter().try_for_each(|event| {
            print(&format!(
                "event/{}
",
                event["metadata"]["name"].as_str().unwrap_or_default()
            ))
        }),
        Some(other) => bail!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats are: json,name,yaml"
        ),
    }
}
