//! `delete`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Result, bail};
use chrono::Duration;

use super::context::{Context, Global};
use super::failure::{text, verbatim, while_doing};
use super::flags;
use super::manifests::{self, FileArgs};
use super::outcome::DryRun;
use super::output::{complain, say, warn};
use super::progress::Progress;
use super::resources::{self, Target};
use super::selection::{self, Found, Selectors};
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::apiserver::{DeleteOptions, Deleted, Source as _, uid_of};
use crate::manager::steady_clock;
use crate::printers::duration::human_duration;
use crate::registry::deletion::Propagation;
use crate::store::Table;

/// Delete objects by file, name or selector
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    pub(super) options: Options,
    /// All objects of the type
    #[arg(long)]
    all: bool,
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Field selector
    #[arg(long)]
    field_selector: Option<String>,
    /// Say nothing about objects that do not exist
    #[arg(long)]
    ignore_not_found: Option<bool>,
    /// Ask before deleting
    #[arg(short, long)]
    interactive: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Options {
    /// Must be "background", "foreground", or "orphan": what becomes of a Job's pods
    #[arg(long, num_args = 0..=1, default_value = "background", default_missing_value = "background", require_equals = true)]
    cascade: Cascade,
    /// Seconds given to processes to end; negative: what the pod says
    #[arg(long, default_value_t = -1)]
    grace_period: i64,
    /// Stop processes after one second
    #[arg(long)]
    now: bool,
    /// Do not give processes any time
    #[arg(long)]
    force: bool,
    /// Wait until the objects are gone
    #[arg(long, default_value = "true", action = clap::ArgAction::Set)]
    wait: bool,
    /// How long to wait; 0 is as long as it takes
    #[arg(long, default_value = "0s", value_parser = flags::duration)]
    timeout: Duration,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Output format: name
    #[arg(short, long)]
    output: Option<String>,
}

/// `--cascade`, with the old boolean spellings.
#[derive(Clone, Debug)]
pub(super) struct Cascade {
    pub(super) propagation: Propagation,
    deprecated: Option<String>,
}

impl FromStr for Cascade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (propagation, now_called) = match text {
            "background" => (Propagation::Background, None),
            "foreground" => (Propagation::Foreground, None),
            "orphan" => (Propagation::Orphan, None),
            "true" => (Propagation::Background, Some("background")),
            "false" => (Propagation::Orphan, Some("orphan")),
            _ => {
                return Err(format!(
                    "invalid cascade value ({text}). Must be \"background\", \"foreground\", or \"orphan\""
                ));
            }
        };
        let deprecated = now_called.map(|now_called| {
            format!(
                "warning: --cascade={text} is deprecated (boolean value) and can be replaced with \
                 --cascade={now_called}."
            )
        });
        Ok(Self { propagation, deprecated })
    }
}

impl Options {
    fn grace_seconds(&self) -> Result<Option<i64>> {
        if self.now && self.grace_period >= 0 {
            bail!("--now and --grace-period cannot be specified together");
        }
        if self.force && self.grace_period > 0 {
            bail!("--force and --grace-period greater than 0 cannot be specified together");
        }
        Ok(match (self.now, self.force, self.grace_period) {
            (true, _, _) => Some(1),
            (_, true, _) => Some(0),
            // Zero seconds only with --force: at least one is given otherwise, as by kubectl.
            (_, _, 0) => Some(1),
            (_, _, grace) => (grace > 0).then_some(grace),
        })
    }
}

/// Refuses a command line that names nothing at all.
///
/// # Errors
/// Always.
pub(super) fn require_nothing_named() -> Result<()> {
    require_targets(&[], false, &Selectors::none())
}

/// Refuses a command line that names no object.
pub(super) fn require_targets(targets: &[Target], all: bool, selectors: &Selectors) -> Result<()> {
    if all && !selectors.is_empty() {
        bail!("setting 'all' parameter but found a non empty selector. ");
    }
    if targets.is_empty() {
        return Err(verbatim(
            "error: You must provide one or more resources by argument or filename.\nExample resource specifications \
             include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'",
        ));
    }
    if !all && selectors.is_empty() && targets.iter().any(|target| matches!(target, Target::All(_))) {
        bail!("resource(s) were provided, but no name was specified");
    }
    Ok(())
}

/// Deletes objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let options = &args.options;
    if let Some(other) = options.output.as_deref().filter(|output| !["", "name"].contains(output)) {
        bail!("unexpected -o output mode: {other}. We only support '-o name'");
    }
    options.grace_seconds()?;
    let context = Context::open(global)?.across_namespaces(args.all_namespaces);
    let mut failed = false;
    let mut sources = BTreeMap::new();
    manifests::either(&args.resources, &args.files)?;
    let targets = if args.files.is_empty() {
        resources::parse(&args.resources)?
    } else {
        let mut targets = Vec::new();
        for document in manifests::read(&args.files)? {
            let source = document.as_ref().map(|document| document.source.clone()).unwrap_or_default();
            match document.and_then(|document| manifests::target(&document, global)) {
                Ok(target) => {
                    if let Target::Object(kind, key) = &target {
                        sources.insert((*kind, key.name.to_string()), source);
                    }
                    targets.push(target);
                }
                Err(error) => {
                    failed = true;
                    complain(&text(&error));
                }
            }
        }
        targets
    };
    let selectors = selection::selectors(
        &args.resources,
        &targets,
        args.selector.as_deref(),
        args.field_selector.as_deref(),
    )?;
    if targets.is_empty() && !failed && (args.all || !selectors.is_empty()) {
        bail!("at least one resource must be specified to use a selector");
    }
    if args.all && targets.iter().any(|target| matches!(target, Target::Named(..))) {
        return Err(match args.resources.iter().any(|argument| argument.contains('/')) {
            true => selection::slashed_and_selected(),
            false => selection::name_and_selector(),
        });
    }
    if !failed || !targets.is_empty() {
        require_targets(&targets, args.all, &selectors)?;
    }
    if let Some(warning) = &options.cascade.deprecated {
        complain(warning);
    }
    if options.force {
        warn(
            "Immediate deletion does not wait for confirmation that the running resource has been terminated. The \
             resource may continue to run on the cluster indefinitely.",
        );
    }
    // A selector without a match, or --all of nothing, is not an error.
    let quiet = args.ignore_not_found.unwrap_or(args.all);
    let Some((deleted, missing)) =
        delete(&context, &targets, args.all_namespaces, &selectors, options, args.interactive)?
    else {
        return Ok(ExitCode::SUCCESS);
    };
    if deleted.is_empty() && missing.is_empty() && !failed {
        say("No resources found")?;
    }
    // What was refused is there still.
    for error in missing.into_iter().filter(|error| !quiet || !is_not_found(error)) {
        failed = true;
        complain(&text(&in_file(error, &sources)));
    }
    if options.wait && options.dry_run == DryRun::None && !deleted.is_empty() && !options.force {
        match wait_until_gone(&context, &deleted, options.timeout) {
            // It is deleted, whoever may not see how.
            Err(error) if is_not_allowed(&error) => {}
            waited => waited?,
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What became of an object, with the file that names it.
fn in_file(error: anyhow::Error, sources: &BTreeMap<(Kind, String), String>) -> anyhow::Error {
    let Some(StatusError::NotFound { kind, name }) = error.downcast_ref() else { return error };
    match sources.get(&(*kind, name.clone())) {
        Some(source) => while_doing(error, &format!("error when deleting {source:?}")),
        None => error,
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StatusError::NotFound { .. }))
}

fn is_not_allowed(error: &anyhow::Error) -> bool {
    let status = error.downcast_ref::<StatusError>();
    status.is_some_and(|status| ["Forbidden", "MethodNotAllowed"].contains(&status.reason()))
}

/// Deletes in one commit; prints a line for each. `None` when it was called off.
fn delete(
    context: &Context,
    targets: &[Target],
    all_namespaces: bool,
    selectors: &Selectors,
    options: &Options,
    interactive: bool,
) -> Result<Option<(Vec<Deleted>, Vec<anyhow::Error>)>> {
    let grace = options.grace_seconds()?;
    let mut tables = vec![Table::JOBS, Table::PODS, Table::EVENTS, Table::CRON_JOBS];
    tables.extend(selection::tables(targets));
    tables.sort_unstable();
    tables.dedup();
    // Nobody else waits while a person thinks.
    let confirmed = if interactive {
        let reader = context.client.read(&tables)?;
        let (found, missing) =
            selection::resolve(&reader, targets, &context.namespace, all_namespaces, selectors)?;
        let found = found.iter().map(identity).collect::<Result<Vec<_>>>()?;
        if !confirm(&found)? {
            return Ok(None);
        }
        Some((found, missing))
    } else {
        None
    };
    let (_held, mut requests) = context.begin(&tables, options.dry_run)?;
    // A cluster is told to delete what is named, and says itself what is not there: who may delete need not be able to see.
    let is_blind =
        context.client.cluster().is_some() && confirmed.is_none() && selectors.is_empty() && !all_namespaces;
    let unseen: Vec<(Kind, Key)> = match is_blind {
        true => targets.iter().filter_map(|target| target.object(&context.namespace)).collect(),
        false => Vec::new(),
    };
    let seen = |target: &&Target| !is_blind || matches!(target, Target::All(_));
    let seen: Vec<Target> = targets.iter().filter(seen).cloned().collect();
    let (found, mut missing) =
        selection::resolve(&requests, &seen, &context.namespace, all_namespaces, selectors)?;
    let mut chosen = unseen.clone();
    chosen.extend(found.iter().map(|one| (one.kind, Key::clone(&one.key))));
    if let Some((confirmed, missing_then)) = confirmed {
        // What has come since was not asked for; what has gone since is gone, whatever has its name now.
        let now: BTreeSet<Identity> = found.iter().map(identity).collect::<Result<_>>()?;
        missing = missing_then;
        let (left, gone): (Vec<Identity>, Vec<Identity>) =
            confirmed.into_iter().partition(|one| now.contains(one));
        missing.extend(gone.into_iter().map(|(kind, key, _)| StatusError::not_found(kind, &key.name).into()));
        chosen = left.into_iter().map(|(kind, key, _)| (kind, key)).collect();
    }
    drop(found);
    let options_of_each = DeleteOptions {
        propagation: options.cascade.propagation,
        grace_seconds: grace,
        ..Default::default()
    };
    let mut deleted = Vec::new();
    let mut handled = BTreeSet::new();
    for (kind, key) in chosen {
        if !handled.insert((kind, key.clone())) {
            continue;
        }
        match requests.delete(kind, &key, &options_of_each) {
            Ok(one) => deleted.push(one),
            // It went with its owner, a moment ago.
            Err(error) if is_not_found(&error) && !unseen.contains(&(kind, key.clone())) => {
                deleted.push(Deleted { kind, key, uid: String::new() });
            }
            // What a cluster has deleted already stays deleted, and is told.
            Err(error) if context.client.cluster().is_some() => missing.push(error),
            Err(error) => return Err(error),
        }
    }
    if options.dry_run == DryRun::None {
        requests.commit()?;
    }
    for one in &deleted {
        let resource = one.kind.qualified_singular();
        if options.output.as_deref() == Some("name") {
            say(&format!("{resource}/{}", one.key.name))?;
            continue;
        }
        let forced = if options.force { "force deleted" } else { "deleted" };
        let suffix = match options.dry_run {
            DryRun::None => "",
            DryRun::Client => " (dry run)",
            DryRun::Server => " (server dry run)",
        };
        say(&format!("{resource} {:?} {forced}{suffix}", one.key.name))?;
    }
    Ok(Some((deleted, missing)))
}

/// Which object it is, not only what it is called.
type Identity = (Kind, Key, String);

fn identity(found: &Found<'_>) -> Result<Identity> {
    let uid = found.value()?["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    Ok((found.kind, Key::clone(&found.key), uid))
}

fn confirm(chosen: &[Identity]) -> Result<bool> {
    if chosen.is_empty() {
        return Ok(true);
    }
    say(&format!("You are about to delete the following {} resource(s):", chosen.len()))?;
    for (kind, key, _) in chosen {
        say(&format!("{}/{}", kind.qualified_singular(), key.name))?;
    }
    super::output::print("Do you want to continue? (y/N): ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if !std::io::stdin().is_terminal() {
        say("")?;
    }
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(true);
    }
    say("deletion is cancelled")?;
    Ok(false)
}

/// Follows the journal until none of the objects is left.
pub(super) fn wait_until_gone(context: &Context, deleted: &[Deleted], timeout: Duration) -> Result<()> {
    let until = (timeout > Duration::zero()).then(|| steady_clock() + timeout);
    let mut tables: Vec<Table> = deleted.iter().map(|one| Table::from(one.kind)).collect();
    tables.sort_unstable();
    tables.dedup();
    let named: Vec<(Kind, Key)> = deleted.iter().map(|one| (one.kind, one.key.clone())).collect();
    let (reader, mut follower) = context.client.watch_named(&tables, &named)?;
    let is_same = |text: &str, uid: &str| uid.is_empty() || uid_of(text).is_some_and(|found| found == uid);
    let mut left: Vec<&Deleted> = Vec::new();
    for one in deleted.iter().filter(|one| one.kind != Kind::Event) {
        let entry = reader.entry(Table::from(one.kind), &one.key)?;
        left.extend(entry.is_some_and(|entry| is_same(entry.text(), &one.uid)).then_some(one));
    }
    drop(reader);
    if left.is_empty() {
        return Ok(());
    }
    let _companion = context.client.keep_controller()?;
    let mut progress = Progress::begin();
    while !left.is_empty() {
        follower.changes(|change| {
            left.retain(|one| {
                let this = Table::from(one.kind) == change.table
                    && *one.key.name == *change.name
                    && *one.key.namespace == *change.namespace;
                !this || change.object.is_some_and(|text| is_same(text, &one.uid))
            });
        })?;
        if let Some(first) = left.first()
            && !progress.wait(&mut follower, &[], until, |waited| Some(still_there(&left, waited)))?
        {
            bail!(
                "timed out waiting for the condition on {}/{}",
                first.kind.resource().plural,
                first.key.name
            );
        }
    }
    Ok(())
}

/// What of the objects is there yet.
fn still_there(left: &[&Deleted], waited: Duration) -> String {
    let first = left
        .first()
        .map_or_else(String::new, |first| format!("{}/{}", first.kind.qualified_singular(), first.key.name));
    let more = if left.len() > 1 { format!(" and {} more", left.len() - 1) } else { String::new() };
    format!("waiting for {first}{more} to be gone, {}", human_duration(waited))
}
