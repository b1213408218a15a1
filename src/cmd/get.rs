//! `get`.

mod scale;

use std::borrow::Cow;
use std::num::NonZero;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::colour;
use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::format::{Format, TemplateArgs, forget_managers};
use super::manifests::{self, FileArgs};
use super::output::{complain, print, print_bytes};
use super::queue::Queue;
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use super::short_runs;
use crate::api::Pod;
use crate::api::devices::leased;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::ANNOTATION_DEVICES;
use crate::api::status_error::StatusError;
use crate::apiserver::{EventType, Watch, WatchEvent, uid_of};
use crate::client::Client;
use crate::manager::{clock, steady_clock};
use crate::printers;
use crate::printers::parts::side_by_side;
use crate::printers::rows::{Row, TableKind};
use crate::printers::table::{TableOptions, TablePrinter};
use crate::store::Table;

/// Display one or many objects
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE, TYPE NAME…, TYPE/NAME…, TYPE,TYPE or all
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Output format: json, yaml, kyaml, name, wide, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…,
    /// go-template-file=…, custom-columns=…, custom-columns-file=…
    #[arg(short, long)]
    output: Option<String>,
    #[command(flatten)]
    template: TemplateArgs,
    /// Not here: there is no API server that could answer
    #[arg(long, hide = true, value_name = "URI")]
    raw: Option<String>,
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: Option<bool>,
    /// Label selector: key=value, key!=value, key in (a,b), key notin (a,b), key, !key
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Field selector: key=value, key!=value
    #[arg(long)]
    field_selector: Option<String>,
    /// Only pods that have failed: those whose phase is Failed
    #[arg(long)]
    failed: bool,
    /// After listing, watch for changes
    #[arg(short, long)]
    watch: bool,
    /// Watch for changes without listing first
    #[arg(long)]
    watch_only: bool,
    /// Must be "status" or "scale": with "scale", of what can be scaled, how many there are and should be
    #[arg(long)]
    subresource: Option<String>,
    /// With a watch: say whether an object was ADDED, MODIFIED or DELETED
    #[arg(long)]
    output_watch_events: bool,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// A last column with all labels
    #[arg(long)]
    show_labels: bool,
    /// Put the kind before each name
    #[arg(long)]
    show_kind: bool,
    /// Labels that get a column of their own
    #[arg(short = 'L', long, value_delimiter = ',')]
    label_columns: Vec<String>,
    /// Sort by this field, a JSONPath such as .metadata.creationTimestamp
    #[arg(long)]
    sort_by: Option<String>,
    /// Say nothing about objects that do not exist
    #[arg(long)]
    ignore_not_found: bool,
    /// Finished pods are always shown; old tutorials ask for them
    #[arg(short = 'a', long, hide = true)]
    show_all: Option<bool>,
    /// Accepted for kubectl's sake: lists come in one piece
    #[arg(long, hide = true)]
    chunk_size: Option<i64>,
    /// Accepted for kubectl's sake: there is no server that could print
    #[arg(long, hide = true)]
    server_print: Option<bool>,
}

/// Prints objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if let Some(path) = &args.raw {
        if !args.resources.is_empty() {
            bail!("arguments may not be passed when --raw is specified");
        }
        bail!(
            "--raw {path}: there is no API server that could answer; objects are shown by: jobctl get TYPE -o json"
        );
    }
    let output = args.template.completes(args.output.as_deref());
    let mut format = args.template.judges(Format::parse(output.as_deref(), args.no_headers)?);
    if args.show_labels && matches!(format, Format::Name) {
        bail!("--show-labels option cannot be used with name printer");
    }
    match args.subresource.as_deref() {
        None | Some("" | "status") => {}
        Some("scale") => return scale::run(global, args, &mut format),
        Some(other) => bail!("invalid subresource value: {other:?}. Must be one of [status scale]"),
    }
    if args.output_watch_events && !(args.watch || args.watch_only) {
        bail!("--output-watch-events option can only be used with --watch or --watch-only");
    }
    let all_namespaces = args.all_namespaces == Some(true);
    let context = Context::open(global)?.across_namespaces(all_namespaces);
    let targets = manifests::targets(&args.resources, &args.files, global).map_err(as_read)?;
    if targets.is_empty() && !args.files.is_empty() {
        complain(&nothing_found(all_namespaces, &targets, &context));
        return Ok(ExitCode::SUCCESS);
    }
    if targets.is_empty() {
        return Err(verbatim(
            "You must specify the type of resource to get. Use \"jobctl api-resources\" for a complete list of \
             supported resources.\n\nerror: Required resource not specified.\nUse \"jobctl explain <resource>\" for a \
             detailed description of that resource (e.g. jobctl explain pods).\nSee 'jobctl get -h' for help and \
             examples",
        ));
    }
    if args.failed && targets.iter().any(|target| target.kind() != Kind::Pod) {
        bail!("--failed is for pods: jobctl get pods --failed");
    }
    let field_selector = field_selector(args);
    let selectors =
        selection::selectors(&args.resources, &targets, args.selector.as_deref(), field_selector.as_deref())?;
    context.client.revive_controller(&[Table::JOBS])?;
    if args.watch || args.watch_only {
        return watch(&context, args, &targets, &selectors, all_namespaces, &mut format);
    }
    let tables = selection::tables(&targets);
    let is_listing = matches!(format, Format::Table { .. } | Format::Name)
        && args.sort_by.is_none()
        && field_selector.is_none();
    let client = &context.client;
    let reader = if is_listing { client.read_listing(&tables) } else { client.read(&tables) }?;
    let (found, missing) =
        selection::resolve(&reader, &targets, &context.namespace, all_namespaces, &selectors)?;
    // What could not be looked at may be there.
    if !(found.is_empty() && missing.iter().any(is_refusal)) {
        print_found(&found, args, &targets, all_namespaces, &mut format, &context)?;
    }
    // The process ends here: freeing ten thousand objects one by one would be a tenth of its time.
    std::mem::forget(found);
    std::mem::forget(reader);
    let mut failed = false;
    for error in missing.iter().filter(|error| !args.ignore_not_found || is_refusal(error)) {
        failed = true;
        complain(&text(error));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What `--field-selector` and `--failed` select by.
fn field_selector(args: &Args) -> Option<Cow<'_, str>> {
    const FAILED: &str = "status.phase=Failed";
    match (args.field_selector.as_deref(), args.failed) {
        (given, false) => given.map(Cow::Borrowed),
        (None | Some(""), true) => Some(Cow::Borrowed(FAILED)),
        (Some(given), true) => Some(Cow::Owned(format!("{given},{FAILED}"))),
    }
}

/// What is wrong with a document, as `get` tells it: without a word before it.
fn as_read(error: anyhow::Error) -> anyhow::Error {
    let told = text(&error);
    match told.strip_prefix("error: ") {
        Some(bare)
            if ["error parsing ", "unable to decode ", "resource mapping not found "]
                .iter()
                .any(|start| bare.starts_with(start)) =>
        {
            verbatim(bare)
        }
        _ => error,
    }
}

/// Whether something is not shown although it may be there.
fn is_refusal(error: &anyhow::Error) -> bool {
    !matches!(error.downcast_ref(), Some(StatusError::NotFound { .. }))
}

fn is_one_object(targets: &[Target]) -> bool {
    matches!(targets, [Target::Named(..) | Target::Object(..)])
}

fn print_found(
    found: &[Found<'_>],
    args: &Args,
    targets: &[Target],
    all_namespaces: bool,
    format: &mut Format,
    context: &Context,
) -> Result<()> {
    let any_named = targets.iter().any(|target| !matches!(target, Target::All(_)));
    if found.is_empty() && matches!(format, Format::Table { .. } | Format::CustomColumns(_)) {
        if !any_named && !args.ignore_not_found {
            complain(&nothing_found(all_namespaces, targets, context));
        }
        return Ok(());
    }
    let hides_managers = args.template.hides_managers(format);
    match format {
        Format::Table { wide } => {
            let kinds = kinds_in_order(targets);
            let queue = if *wide { queue_of(found, context)? } else { Queue::default() };
            print(&tables(found, args, &kinds, all_namespaces, *wide, &context.client, &queue)?)
        }
        Format::Name => {
            let lines: String = in_order(found.iter().collect(), args.sort_by.as_deref())?
                .into_iter()
                .map(|one| format!("{}/{}\n", one.kind.qualified_singular(), one.key.name))
                .collect();
            print(&lines)
        }
        Format::Json | Format::Yaml | Format::Kyaml if found.is_empty() && any_named => Ok(()),
        Format::Json
            if args.sort_by.is_none()
                && !(is_one_object(targets) && found.len() == 1)
                && !(hides_managers && found.iter().any(names_managers)) =>
        {
            let texts: Vec<&str> = found.iter().map(|one| &*one.text).collect();
            let parts: Vec<&[&str]> =
                texts.chunks(texts.len().div_ceil(cores_for(texts.len())).max(1)).collect();
            let printed = printers::json::list_of_texts(&parts).context("read an object")?;
            printed.iter().try_for_each(|part| print_bytes(part))
        }
        _ => {
            let mut values = found.iter().map(Found::value).collect::<Result<Vec<Value>>>()?;
            if hides_managers {
                values.iter_mut().for_each(forget_managers);
            }
            if let Some(path) = &args.sort_by {
                printers::sort::sort_by(&mut values, path).map_err(|error| anyhow::anyhow!("{error}"))?;
            }
            print(&render(values, is_one_object(targets), format)?)
        }
    }
}

pub(super) fn nothing_found(all_namespaces: bool, targets: &[Target], context: &Context) -> String {
    let are_namespaced = targets.iter().all(|target| target.kind().resource().namespaced);
    match are_namespaced && !all_namespaces {
        true => format!("No resources found in {} namespace.", context.namespace),
        false => "No resources found".to_owned(),
    }
}

/// Whether an object may say who manages its fields.
fn names_managers(found: &Found<'_>) -> bool {
    memchr::memmem::find(found.text.as_bytes(), b"\"managedFields\":").is_some()
}

/// Values in a machine's format: one object as it is, several as a List.
fn render(mut values: Vec<Value>, single: bool, format: &mut Format) -> Result<String> {
    if let Format::CustomColumns(columns) = format {
        return columns.print(&values).map_err(|error| anyhow::anyhow!("{error}"));
    }
    if single && values.len() == 1 {
        return format.render(&values.remove(0));
    }
    format.render(
        &json!({"apiVersion": "v1", "items": values, "kind": "List", "metadata": {"resourceVersion": ""}}),
    )
}

fn kinds_in_order(targets: &[Target]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for target in targets {
        if !kinds.contains(&target.kind()) {
            kinds.push(target.kind());
        }
    }
    kinds
}

/// Objects in the order that `--sort-by` asks for.
fn in_order<'a, 'b>(found: Vec<&'a Found<'b>>, sort_by: Option<&str>) -> Result<Vec<&'a Found<'b>>> {
    let Some(path) = sort_by else { return Ok(found) };
    let values = found.iter().map(|one| one.value()).collect::<Result<Vec<Value>>>()?;
    let order = printers::sort::sorted_order(&values, path).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(order.into_iter().map(|index| found[index]).collect())
}

fn table_options(args: &Args, kind: Kind, several: bool, all_namespaces: bool) -> TableOptions {
    TableOptions {
        no_headers: args.no_headers,
        with_namespace: all_namespaces,
        name_prefix: if several || args.show_kind {
            format!("{}/", kind.qualified_singular())
        } else {
            String::new()
        },
        show_labels: args.show_labels,
        label_columns: args.label_columns.clone(),
        with_event: args.output_watch_events,
        with_colours: matches!(kind, Kind::Job | Kind::Pod | Kind::CronJob) && colour::on_stdout(),
    }
}

/// The pods that wait for room on this machine, where a Job to be shown has any that could.
fn queue_of(found: &[Found<'_>], context: &Context) -> Result<Queue> {
    if context.client.cluster().is_some() {
        return Ok(Queue::default());
    }
    let has_active = |one: &Found<'_>| one.kind == Kind::Job && one.text.contains("\"active\":");
    if !found.iter().any(has_active) {
        return Ok(Queue::default());
    }
    Queue::read(&context.client.read(&[Table::PODS])?)
}

/// One table for each kind, with a blank line between.
fn tables(
    found: &[Found<'_>],
    args: &Args,
    kinds: &[Kind],
    all_namespaces: bool,
    wide: bool,
    client: &Client,
    queue: &Queue,
) -> Result<String> {
    let now = clock();
    let zone = client.config().settings.time_zone;
    let mut blocks = Vec::new();
    for kind in kinds {
        let of_kind: Vec<&Found<'_>> = found.iter().filter(|one| one.kind == *kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let of_kind = in_order(of_kind, args.sort_by.as_deref())?;
        let table = TableKind::of(kind.as_str());
        let mut rows = rows(&of_kind, table, now, wide)?;
        if table == TableKind::CronJob && wide {
            for (row, one) in rows.iter_mut().zip(&of_kind) {
                row.cells.push(super::next::cell(&one.text, now, zone)?.into());
            }
        }
        if table == TableKind::Job {
            let texts: Vec<&str> = of_kind.iter().map(|one| &*one.text).collect();
            short_runs::show(&mut rows, &texts, client)?;
        }
        let mut columns = table.columns(wide).to_vec();
        if table == TableKind::Job && !queue.is_empty() {
            let waits: Vec<_> = of_kind.iter().map(|one| queue.cell(&uid_of(&one.text)?)).collect();
            if waits.iter().any(Option::is_some) {
                columns.push("WAITS FOR");
                for (row, wait) in rows.iter_mut().zip(waits) {
                    row.cells.push(wait.unwrap_or_default().into());
                }
            }
        }
        // Ours; kubectl has no such columns, and neither has a table of pods to which they do not apply.
        if table == TableKind::Pod && wide {
            let pids = of_kind.iter().map(|one| pids_of(&one.text, client)).collect();
            add_column("PID", pids, &mut columns, &mut rows);
            let devices = of_kind.iter().map(|one| devices_of(&one.text)).collect();
            add_column("DEVICES", devices, &mut columns, &mut rows);
        }
        let options = table_options(args, *kind, kinds.len() > 1, all_namespaces);
        blocks.push(TablePrinter::new(columns, options).print(&rows));
    }
    Ok(blocks.join(if args.no_headers { "" } else { "\n" }))
}

/// The ids of the devices that a pod has leased: `nvidia.com/gpu:0,1`.
fn devices_of(pod: &str) -> String {
    if !pod.contains(ANNOTATION_DEVICES) {
        return String::new();
    }
    let leased = serde_json::from_str(pod).map(|pod: Pod| leased(&pod)).unwrap_or_default();
    leased.iter().map(|(resource, ids)| format!("{resource}:{}", ids.join(","))).collect::<Vec<_>>().join(" ")
}

/// The processes of a pod's running containers: `4711,4712`.
fn pids_of(pod: &str, client: &Client) -> String {
    if !pod.contains("\"running\":") {
        return String::new();
    }
    let pids = serde_json::from_str(pod).map(|pod: Pod| client.container_pids(&pod)).unwrap_or_default();
    pids.values().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A column at the end, where any cell has something to show.
fn add_column(
    header: &'static str,
    cells: Vec<String>,
    columns: &mut Vec<&'static str>,
    rows: &mut [Row<'_>],
) {
    if cells.iter().all(String::is_empty) {
        return;
    }
    columns.push(header);
    for (row, cell) in rows.iter_mut().zip(cells) {
        row.cells.push(or_none(cell).into());
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "<none>".into() } else { text }
}

/// Above this number of objects they are made ready to be printed on all cores.
const MANY: usize = 1_000;

/// On how many cores so many objects are made ready.
fn cores_for(count: usize) -> usize {
    if count < MANY { 1 } else { std::thread::available_parallelism().map_or(1, NonZero::get) }
}

fn rows<'a>(
    found: &[&'a Found<'_>],
    table: TableKind,
    now: DateTime<Utc>,
    wide: bool,
) -> Result<Vec<Row<'a>>> {
    let make = |part: &[&'a Found<'_>]| {
        part.iter()
            .map(|one| {
                let row = table.row(&one.text, now, wide);
                row.with_context(|| format!("read {} {}", one.kind, one.key))
            })
            .collect::<Result<Vec<Row<'a>>>>()
    };
    let cores = cores_for(found.len());
    if cores < 2 {
        return make(found);
    }
    let parts: Vec<_> = found.chunks(found.len().div_ceil(cores)).collect();
    let mut rows = Vec::with_capacity(found.len());
    for part in side_by_side(&parts, |_, part| make(part)) {
        rows.extend(part?);
    }
    Ok(rows)
}

/// Prints the list, then every change until interrupted.
fn watch(
    context: &Context,
    args: &Args,
    targets: &[Target],
    selectors: &Selectors,
    all_namespaces: bool,
    format: &mut Format,
) -> Result<ExitCode> {
    let kinds = kinds_in_order(targets);
    let [kind] = kinds.as_slice() else { bail!("you may only specify a single resource type") };
    let _companion = context.client.keep_controller()?;
    let namespace = (kind.resource().namespaced && !all_namespaces).then_some(context.namespace.as_str());
    let wide = matches!(format, Format::Table { wide: true });
    let client = &context.client;
    let table = TableKind::of(kind.as_str());
    let mut printer =
        TablePrinter::new(table.columns(wide), table_options(args, *kind, false, all_namespaces));
    let named: Option<Vec<(Kind, Key)>> =
        targets.iter().map(|target| target.object(&context.namespace)).collect();
    let until = client.request_timeout().and_then(|time| TimeDelta::from_std(time).ok());
    let until = until.map(|time| steady_clock() + time);
    let (reader, mut follower) =
        context.client.watch_named(&[Table::from(*kind)], &named.unwrap_or_default())?;
    let (found, missing) =
        selection::resolve(&reader, targets, &context.namespace, all_namespaces, selectors)?;
    if let Some(error) = missing.into_iter().next() {
        return Err(error);
    }
    let mut watch = Watch::new(*kind, namespace, selectors)?.after(&found);
    let mut events: Vec<WatchEvent> = Vec::new();
    if !args.watch_only {
        events.extend(found.into_iter().map(|one| WatchEvent {
            event: EventType::Added,
            key: one.key.into_owned(),
            text: one.text.into_owned(),
            revision: 0,
        }));
    }
    drop(reader);
    print_changes(&events, *kind, wide, &mut printer, format, args, client)?;
    loop {
        let mut events = Vec::new();
        let mut failed = Ok(());
        follower.changes(|change| {
            let key = Key::new(change.namespace, change.name);
            if targets.iter().any(|target| target.includes(&key, namespace)) {
                match watch.take(&change) {
                    Ok(event) => events.extend(event),
                    Err(error) => failed = Err(error),
                }
            }
        })?;
        failed.context("read a change")?;
        print_changes(&events, *kind, wide, &mut printer, format, args, client)?;
        // As kubectl has it: what is asked for is over, and nothing has gone wrong.
        if !follower.wait(&[], until)? && until.is_some_and(|until| steady_clock() >= until) {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

fn print_changes(
    events: &[WatchEvent],
    kind: Kind,
    wide: bool,
    printer: &mut TablePrinter,
    format: &mut Format,
    args: &Args,
    client: &Client,
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    if matches!(format, Format::Table { .. }) {
        let now = clock();
        let zone = client.config().settings.time_zone;
        let table = TableKind::of(kind.as_str());
        let mut rows = events
            .iter()
            .map(|WatchEvent { event, text, .. }| {
                let mut row = table.row(text, now, wide).context("read a change")?;
                if table == TableKind::CronJob && wide {
                    row.cells.push(super::next::cell(text, now, zone)?.into());
                }
                row.event = event.as_str();
                Ok(row)
            })
            .collect::<Result<Vec<Row<'_>>>>()?;
        if table == TableKind::Job {
            let texts: Vec<&str> = events.iter().map(|event| &*event.text).collect();
            short_runs::show(&mut rows, &texts, client)?;
        }
        return print(&printer.print(&rows));
    }
    for WatchEvent { event, text, .. } in events {
        let mut value: Value = serde_json::from_str(text).context("read a change")?;
        if matches!(format, Format::Name) {
            let name = value["metadata"]["name"].as_str().unwrap_or_default();
            print(&format!("{}/{name}\n", kind.qualified_singular()))?;
            continue;
        }
        if args.template.hides_managers(format) {
            forget_managers(&mut value);
        }
        if args.output_watch_events {
            value = json!({"type": event.as_str(), "object": value});
        }
        let separator = if matches!(format, Format::Yaml) { "---\n" } else { "" };
        print(&format!("{separator}{}", render(vec![value], true, format)?))?;
    }
    Ok(())
}
