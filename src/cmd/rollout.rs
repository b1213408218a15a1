//! `rollout`: how far a StatefulSet is with a new template, and going back to an old one.

mod history;
mod status;

use std::process::ExitCode;

use anyhow::{Result, bail};
use chrono::{DateTime, Duration, Local, SecondsFormat, Utc};
use serde_json::json;

use super::change::{self, ChangeArgs, Changed};
use super::context::{Context, Global};
use super::failure::text;
use super::flags;
use super::manifests::{self, FileArgs};
use super::outcome::DryRun;
use super::output::{complain, print, say, warn};
use super::resources::Target;
use super::selection::{self, Found, Selectors};
use crate::api::kinds::Kind;
use crate::api::{ControllerRevision, StatefulSet};
use crate::apiserver::{Patch, Read as _, Subresource};
use crate::manager::{clock, steady_clock};
use crate::store::Table;

/// Where restarting leaves its mark: another template has other pods.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Follow, restart or take back a change of a StatefulSet
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Status(StatusArgs),
    History(HistoryArgs),
    Restart(ChangingArgs),
    Undo(UndoArgs),
    /// No kind here can be paused: a Job can be suspended
    Pause(ChangingArgs),
    /// No kind here can be paused: a Job can be suspended
    Resume(ChangingArgs),
}

/// Which objects are meant
#[derive(Debug, clap::Args)]
struct TargetArgs {
    /// statefulset NAME… or statefulset/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
}

/// Say how far a StatefulSet is, until it is done
#[derive(Debug, clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Until it is done
    #[arg(short, long, default_value_t = true, action = clap::ArgAction::Set)]
    watch: bool,
    /// How long to wait; 0 is for ever
    #[arg(long, default_value = "0s", value_parser = flags::duration)]
    timeout: Duration,
    /// Of no use for a StatefulSet
    #[arg(long, hide = true)]
    revision: Option<i64>,
}

/// List the revisions of a StatefulSet
#[derive(Debug, clap::Args)]
struct HistoryArgs {
    #[command(flatten)]
    targets: TargetArgs,
    /// Show the pod template of this revision
    #[arg(long, default_value_t = 0)]
    revision: i64,
}

/// Replace the pods of a StatefulSet, one after the other
#[derive(Debug, clap::Args)]
struct ChangingArgs {
    /// statefulset NAME… or statefulset/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
}

/// Go back to an earlier revision of a StatefulSet
#[derive(Debug, clap::Args)]
struct UndoArgs {
    #[command(flatten)]
    changing: ChangingArgs,
    /// The revision; 0 is the one before the newest
    #[arg(long, default_value_t = 0)]
    to_revision: i64,
}

/// Follows or changes rollouts.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Status(args) => status(global, args),
        What::History(args) => history(global, args),
        What::Restart(args) => restart(global, args),
        What::Undo(args) => undo(global, args),
        What::Pause(args) => change_all(global, args, |found| Err(unsupported(found, "pausing"))),
        What::Resume(args) => change_all(global, args, |found| Err(unsupported(found, "resuming"))),
    }
}

fn unsupported(found: &Found<'_>, doing: &str) -> anyhow::Error {
    anyhow::anyhow!("{} {:?} {doing} is not supported", found.kind.qualified_plural(), found.key.name)
}

fn parse(global: &Global, args: &TargetArgs) -> Result<(Vec<Target>, Selectors)> {
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    if targets.is_empty() {
        bail!("required resource not specified");
    }
    Ok((targets, Selectors::parse(args.selector.as_deref(), None)?))
}

fn nothing_found(context: &Context) -> ExitCode {
    complain(&format!("No resources found in {} namespace.", context.namespace));
    ExitCode::SUCCESS
}

/// Says what has come of `found`, which is neither empty nor without its errors told.
fn ended(missing: &[anyhow::Error]) -> ExitCode {
    missing.iter().for_each(|error| complain(&text(error)));
    if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn status(global: &Global, args: &StatusArgs) -> Result<ExitCode> {
    let (targets, selectors) = parse(global, &args.targets)?;
    if args.revision.is_some_and(|revision| revision != 0) {
        warn("--revision has no effect on a StatefulSet");
    }
    let context = Context::open(global)?;
    let until = (args.timeout > Duration::zero()).then(|| steady_clock() + args.timeout);
    let reader = context.client.read(&selection::tables(&targets))?;
    let (found, missing) = selection::resolve(&reader, &targets, &context.namespace, false, &selectors)?;
    if found.is_empty() && missing.is_empty() {
        return Ok(nothing_found(&context));
    }
    for one in &found {
        if one.kind != Kind::StatefulSet {
            bail!("no status viewer has been implemented for {}", one.kind.qualified_name());
        }
        follow(&context, one, args.watch, until)?;
    }
    Ok(ended(&missing))
}

/// Says how far a set is, each time that it is another sentence.
fn follow(context: &Context, set: &Found<'_>, watch: bool, until: Option<DateTime<Utc>>) -> Result<()> {
    let key = set.key.clone().into_owned();
    let _companion = if watch { Some(context.client.keep_controller()?) } else { None };
    let (reader, mut follower) = context.client.watch(&[Table::from(Kind::StatefulSet)])?;
    let mut text = reader.find(Kind::StatefulSet, &key)?.map(|one| one.text.into_owned());
    drop(reader);
    let mut last = String::new();
    loop {
        let Some(object) = &text else { bail!("object has been deleted") };
        let set: StatefulSet = serde_json::from_str(object)?;
        let (said, is_done) = status::of_stateful_set(&set).map_err(anyhow::Error::msg)?;
        if said != last {
            say(&said)?;
            last = said;
        }
        if is_done || !watch {
            return Ok(());
        }
        if !follower.wait(&[], until)? {
            bail!("timed out waiting for the condition");
        }
        follower.changes(|change| {
            if change.namespace == &*key.namespace && change.name == &*key.name {
                text = change.object.map(str::to_owned);
            }
        })?;
    }
}

fn all_revisions(context: &Context) -> Result<Vec<ControllerRevision>> {
    let reader = context.client.read(&[Table::from(Kind::ControllerRevision)])?;
    let all = reader.list(Kind::ControllerRevision, Some(&context.namespace), &Selectors::none())?;
    all.iter().map(Found::parse).collect()
}

fn positive(revision: i64) -> Result<()> {
    if revision < 0 {
        bail!("revision must be a positive integer: {revision}");
    }
    Ok(())
}

fn history(global: &Global, args: &HistoryArgs) -> Result<ExitCode> {
    positive(args.revision)?;
    let (targets, selectors) = parse(global, &args.targets)?;
    let context = Context::open(global)?;
    let reader = context.client.read(&selection::tables(&targets))?;
    let (found, missing) = selection::resolve(&reader, &targets, &context.namespace, false, &selectors)?;
    if found.is_empty() && missing.is_empty() {
        return Ok(nothing_found(&context));
    }
    let all = all_revisions(&context)?;
    for one in &found {
        if one.kind != Kind::StatefulSet {
            bail!("no history viewer has been implemented for {:?}", one.kind.qualified_name());
        }
        let own = history::of_set(&one.parse()?, &all);
        let name = format!("{}/{}", one.kind.qualified_singular(), one.key.name);
        let (head, text) = match args.revision {
            0 => (String::new(), history::listing(&own)),
            number => {
                let template = history::template(&own, number).map_err(anyhow::Error::msg)?;
                (format!("with revision #{number}"), template)
            }
        };
        print(&format!("{name} {head}\n{text}\n"))?;
    }
    Ok(ended(&missing))
}

/// Changes what the command line names; without names all of the type, as kubectl does.
fn change_all(
    global: &Global,
    args: &ChangingArgs,
    change: impl FnMut(&Found<'_>) -> Result<Changed>,
) -> Result<ExitCode> {
    let targets = manifests::targets(&args.resources, &args.change.files, global)?;
    if targets.is_empty() {
        bail!("required resource not specified");
    }
    let selectors = Selectors::parse(args.change.selector.as_deref(), args.change.field_selector.as_deref())?;
    let context = Context::open(global)?;
    change::change_targets(&context, &targets, &selectors, &args.change, Subresource::Main, change)
}

fn restart(global: &Global, args: &ChangingArgs) -> Result<ExitCode> {
    let now = clock().with_timezone(&Local).to_rfc3339_opts(SecondsFormat::Secs, true);
    change_all(global, args, |found| {
        if found.kind != Kind::StatefulSet {
            return Err(unsupported(found, "restarting"));
        }
        let mut value = found.value()?;
        let annotations = &mut value["spec"]["template"]["metadata"]["annotations"];
        if annotations[RESTARTED_AT] == json!(now) {
            bail!(
                "if restart has already been triggered within the past second, please wait before attempting to trigger \
                 another"
            );
        }
        annotations[RESTARTED_AT] = json!(now);
        Ok(Changed::new(value, "restarted"))
    })
}

fn undo(global: &Global, args: &UndoArgs) -> Result<ExitCode> {
    positive(args.to_revision)?;
    let all = all_revisions(&Context::open(global)?)?;
    let is_shown = args.changing.change.dry_run == DryRun::Client;
    change_all(global, &args.changing, |found| {
        if found.kind != Kind::StatefulSet {
            bail!("no rollbacker has been implemented for {:?}", found.kind.qualified_name());
        }
        let set: StatefulSet = found.parse()?;
        let own = history::of_set(&set, &all);
        let revision = history::target(&own, args.to_revision).map_err(anyhow::Error::msg)?;
        let template = history::template_of(revision);
        if template.as_ref() == set.spec.as_ref().map(|spec| &spec.template) {
            let number = revision.revision;
            let said = format!("skipped rollback (current template already matches revision {number})");
            return Ok(Changed::new(found.value()?, said));
        }
        if let Some(template) = template.filter(|_| is_shown) {
            let shown = crate::printers::describe::pod_template(&template);
            return Ok(Changed::new(found.value()?, format!("will roll back to {shown}")));
        }
        let data = revision.data.as_ref().map(|data| data.0.clone()).unwrap_or_default();
        Ok(Changed::patch(Patch::Strategic(data), "rolled back", "rolled back"))
    })
}
