//! `wait`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::context::{Context, Global};
use super::failure::{text, verbatim};
use super::figures::Figures;
use super::flags;
use super::format::OutputArgs;
use super::github;
use super::log_source;
use super::manifests::{self, FileArgs};
use super::obstacles::{self, Help, Obstacle, Reported};
use super::outcome::{DryRun, Outcomes};
use super::output::complain;
use super::progress::Progress;
use super::resources::Target;
use super::selection::{self, Selectors};
use super::wait_condition::{Answer, Condition};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, uid};
use crate::api::status_error::StatusError;
use crate::api::{Job, Pod};
use crate::apiserver::{Entries, Read as _, Source as _, uid_of};
use crate::client::Follower;
use crate::controller::{JobFacts, Settings};
use crate::manager::{clock, steady_clock};
use crate::printers::duration::human_duration;
use crate::registry::tombstones::Tombstone;
use crate::store::{Change, Table};

/// Wait for a condition on one or many objects
///
/// Waiting for a Job to complete ends at once when it has failed, with exit code 1, and says why.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME…, TYPE/NAME…, or TYPE with -l or --all
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// delete, create, condition=NAME[=VALUE], condition=NAME,NAME (any of them), or jsonpath='{PATH}'[=VALUE];
    /// given several times: all of them
    #[arg(long = "for", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// How long to wait for all together; 0 checks once, negative waits for a week
    #[arg(long, default_value = "30s", value_parser = flags::duration)]
    timeout: Duration,
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
    #[command(flatten)]
    output: OutputArgs,
}

/// How long a negative time-out is.
const WEEK: Duration = Duration::weeks(1);
/// How many lines of a failed pod's log are shown.
const LAST_LINES: usize = 10;

/// The budget of a wait.
#[derive(Clone, Copy)]
pub(super) enum Until {
    /// Look once.
    Now,
    /// Wait until then.
    Time(DateTime<Utc>),
}

/// What `--timeout` means.
pub(super) fn until(timeout: Duration) -> Until {
    match timeout {
        zero if zero.is_zero() => Until::Now,
        negative if negative < Duration::zero() => Until::Time(steady_clock() + WEEK),
        length => Until::Time(steady_clock() + length),
    }
}

/// Waits.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.conditions.is_empty() {
        bail!("unrecognized condition: \"\"");
    }
    let mut conditions: Vec<Condition> =
        args.conditions.iter().map(|text| Condition::parse(text)).collect::<Result<_>>()?;
    // To exist comes first, as in kubectl.
    conditions.sort_by_key(|condition| !matches!(condition, Condition::Create));
    let until = until(args.timeout);
    let mut outcomes = Outcomes::new(&args.output, DryRun::None)?;
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    let selectors = selection::selectors(
        &args.resources,
        &targets,
        args.selector.as_deref(),
        args.field_selector.as_deref(),
    )?;
    super::delete::require_targets(&targets, args.all, &selectors)?;
    let context = Context::open(global)?.across_namespaces(args.all_namespaces);
    let mut objects = named_objects(&context, args, &targets, &selectors)?;
    if objects.is_empty() {
        if conditions.iter().all(|condition| matches!(condition, Condition::Delete)) {
            return Ok(ExitCode::SUCCESS);
        }
        if !conditions.iter().any(|condition| matches!(condition, Condition::Create)) {
            bail!("no matching resources found");
        }
    }
    let _companion = context.client.keep_controller()?;
    let kinds = objects.iter().map(|(kind, _)| *kind).chain(targets.iter().map(Target::kind));
    let mut watched = Watched::start(&context, kinds, &objects)?;
    if objects.is_empty() {
        objects = watched.first_created(&context, &targets, &selectors, args.all_namespaces, until)?;
    }
    let mut errors = Vec::new();
    let mut is_synced = true;
    for (kind, key) in &objects {
        for condition in &conditions {
            match watched.wait_for(&context, *kind, key, condition, until) {
                Ok(Met::Silently) => is_synced = false,
                Ok(Met::Now(object)) => {
                    // What is said to have happened must not be taken back by a power cut.
                    context.client.sync()?;
                    outcomes.done(*kind, &key.name, "condition met", || Ok(object))?;
                }
                Err(error) => {
                    is_synced = false;
                    let object = std::mem::take(&mut watched.last);
                    // How it stands tells a program why.
                    if outcomes.shows_objects() && !object.is_null() {
                        outcomes.done(*kind, &key.name, "", || Ok(object))?;
                    }
                    let title = format!("{}/{}", kind.qualified_singular(), key.name);
                    github::annotate(&title, text(&error).trim_start_matches("error: "), None);
                    errors.push(error);
                    break;
                }
            }
        }
    }
    if !is_synced {
        context.client.sync()?;
    }
    report(&errors);
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One error as usual; of several each without `error: `, as kubectl does.
fn report(errors: &[anyhow::Error]) {
    for error in errors {
        let text = text(error);
        if errors.len() > 1 {
            complain(text.strip_prefix("error: ").unwrap_or(&text));
        } else {
            complain(&text);
        }
    }
}

fn named_objects(
    context: &Context,
    args: &Args,
    targets: &[Target],
    selectors: &Selectors,
) -> Result<Vec<(Kind, Key)>> {
    let mut objects = Vec::new();
    let mut reader = None;
    for target in targets {
        match target {
            Target::Named(_, _) if args.all_namespaces => {
                return Err(verbatim("error: a resource cannot be retrieved by name across all namespaces"));
            }
            Target::Named(..) if !selectors.is_empty() => return Err(selection::name_and_selector()),
            Target::Named(kind, name) => objects.push((*kind, kind.key(&context.namespace, name))),
            Target::Object(kind, key) if selectors.is_empty() => objects.push((*kind, key.clone())),
            Target::Object(..) | Target::All(_) => {
                if reader.is_none() {
                    reader = Some(context.client.read(&selection::tables(targets))?);
                }
                let namespace = (!args.all_namespaces).then_some(context.namespace.as_str());
                if let Some(reader) = &reader {
                    let all = reader.list(target.kind(), namespace, selectors)?;
                    let found = all.into_iter().filter(|one| target.includes(&one.key, namespace));
                    objects.extend(found.map(|one| (one.kind, one.key.into_owned())));
                }
            }
        }
    }
    Ok(objects)
}

/// How a condition was met.
enum Met {
    /// With the object as it was then.
    Now(Value),
    /// `--for=delete` of an object that is not there.
    Silently,
}

/// What is there under a name.
#[derive(Clone, Debug, Default)]
struct Present {
    text: Option<String>,
    /// The uid of the object that was there at first.
    first: Option<String>,
    /// Whether that one has gone; another may have come.
    first_is_gone: bool,
}

impl Present {
    fn new(text: Option<String>) -> Self {
        let first = text.as_deref().and_then(uid_of);
        Self { text, first, first_is_gone: false }
    }

    fn becomes(&mut self, text: Option<&str>) {
        self.first_is_gone |= self.first.is_some() && text.and_then(uid_of) != self.first;
        self.text = text.map(str::to_owned);
    }
}

fn obstacle_of_pod(text: &str, owner: Option<&str>, help: &Help) -> Option<Obstacle> {
    let pod: Pod = serde_json::from_str(text).ok()?;
    let is_its =
        owner.is_none_or(|owner| controller_of(&pod.metadata).is_some_and(|found| found.uid == owner));
    is_its.then(|| obstacles::of_pod(&pod, help)).flatten()
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    error.downcast_ref::<StatusError>().is_some_and(|status| status.reason() == "Forbidden")
}

/// The objects being waited for, kept current by the journal.
pub(super) struct Watched {
    objects: BTreeMap<(Kind, Key), Present>,
    tombstones: BTreeMap<Key, Tombstone>,
    follower: Follower,
    /// Pods that have changed since obstacles were named, as far as one of them may have any.
    pods: Vec<String>,
    /// The same of what is remembered of Jobs.
    facts: Vec<(Key, String)>,
    said: Reported,
    /// The object that is waited for, as it was when it was looked at last.
    last: Value,
    progress: Progress,
}

const TABLES: [Table; 5] = [Table::JOBS, Table::JobFacts, Table::PODS, Table::CRON_JOBS, Table::Tombstones];

impl Watched {
    fn start(
        context: &Context,
        kinds: impl Iterator<Item = Kind> + Clone,
        objects: &[(Kind, Key)],
    ) -> Result<Self> {
        let mut tables: Vec<Table> = TABLES.into_iter().chain(kinds.clone().map(Table::from)).collect();
        tables.sort_unstable();
        tables.dedup();
        let kinds_are_of_pods = kinds.clone().any(|kind| kind == Kind::Pod);
        // Of a cluster no more than what is waited for, and what keeps that from going on.
        if context.client.cluster().is_some() {
            let of_jobs = kinds.clone().any(|kind| kind == Kind::Job).then_some(Table::PODS);
            let wanted: Vec<Table> = kinds.map(Table::from).chain(of_jobs).collect();
            tables.retain(|table| wanted.contains(table));
        }
        let (reader, follower) = match context.client.watch_named(&tables, objects) {
            // Who may see Jobs can wait for them, though not hear what keeps them from going on.
            Err(error) if !kinds_are_of_pods && is_forbidden(&error) => {
                tables.retain(|table| *table != Table::PODS);
                context.client.watch_named(&tables, objects)
            }
            started => started,
        }?;
        let mut texts = BTreeMap::new();
        let mut tombstones = BTreeMap::new();
        let mut facts = Vec::new();
        for (kind, key) in objects {
            let entry = reader.entry(Table::from(*kind), key)?;
            let text = entry.map(|entry| entry.text().to_owned());
            texts.insert((*kind, key.clone()), Present::new(text));
            if *kind == Kind::Job {
                if let Some(entry) = reader.entry(Table::Tombstones, key)? {
                    tombstones.insert(key.clone(), entry.parse()?);
                }
                if let Some(entry) = reader.entry(Table::JobFacts, key)? {
                    facts.push((key.clone(), entry.text().to_owned()));
                }
            }
        }
        let mut pods = Vec::new();
        let of_pods = tables.contains(&Table::PODS).then_some(Table::PODS);
        for (_, entry) in of_pods
            .map_or_else(|| Ok(Box::new(std::iter::empty()) as Entries<'_>), |pods| reader.entries(pods))?
        {
            if obstacles::may_have_one(entry.text()) {
                pods.push(entry.text().to_owned());
            }
        }
        Ok(Self {
            objects: texts,
            tombstones,
            follower,
            pods,
            facts,
            said: Reported::default(),
            last: Value::Null,
            progress: Progress::begin(),
        })
    }

    /// Sleeps until something has changed; false when the time is over. A person at the terminal is shown what for.
    fn sleep(&mut self, until: DateTime<Utc>, awaited: &str, shows_jobs: bool) -> Result<bool> {
        let Self { objects, follower, progress, .. } = self;
        let line = |waited| {
            let figures = if shows_jobs { figures(objects) } else { None };
            Some(figures.map_or_else(
                || format!("waiting for {awaited}, {}", human_duration(waited)),
                |figures| figures.line(),
            ))
        };
        progress.wait(follower, &[], Some(until), line)
    }

    /// Says, once each, what keeps the objects from going on.
    fn name_obstacles(&mut self, settings: &Settings, help: &Help) {
        let pods = std::mem::take(&mut self.pods);
        let mut found = Vec::new();
        for ((kind, _), present) in &self.objects {
            let Some(text) = &present.text else { continue };
            match kind {
                Kind::Job => {
                    if obstacles::job_may_have_one(text) {
                        found.extend(
                            serde_json::from_str(text).ok().and_then(|job| obstacles::of_job(&job, help)),
                        );
                    }
                    let Some(uid) = uid_of(text).filter(|_| !pods.is_empty()) else { continue };
                    let its = pods.iter().filter(|pod| pod.contains(&uid));
                    found.extend(its.filter_map(|pod| obstacle_of_pod(pod, Some(&uid), help)));
                }
                Kind::Pod => found.extend(obstacle_of_pod(text, None, help)),
                _ => {}
            }
        }
        for (key, facts) in std::mem::take(&mut self.facts) {
            let job = self.objects.get(&(Kind::Job, key)).and_then(|present| present.text.as_deref());
            let job = job.and_then(|text| serde_json::from_str::<Job>(text).ok());
            let facts = serde_json::from_str::<JobFacts>(&facts).ok();
            if let (Some(job), Some(facts)) = (job, facts)
                && uid(&job.metadata) == facts.uid
            {
                found.extend(obstacles::of_retry(&job, &facts, settings.backoff_base, clock()));
            }
        }
        for obstacle in found {
            self.said.once(&obstacle).into_iter().for_each(complain);
        }
    }

    fn take(&mut self, each: impl FnMut(&Change<'_>)) -> Result<()> {
        let (objects, tombstones) = (&mut self.objects, &mut self.tombstones);
        let mut each = each;
        let (pods, facts) = (&mut self.pods, &mut self.facts);
        self.follower.changes(|change| {
            let key = Key::new(change.namespace, change.name);
            if change.table == Table::Tombstones {
                if let Some(tombstone) = change.object.and_then(|text| serde_json::from_str(text).ok()) {
                    tombstones.insert(key, tombstone);
                }
                return;
            }
            if let (Table::JobFacts, Some(text)) = (change.table, change.object) {
                if objects.contains_key(&(Kind::Job, key.clone())) {
                    facts.push((key, text.to_owned()));
                }
                return;
            }
            if let (Table::PODS, Some(pod)) = (change.table, change.object)
                && obstacles::may_have_one(pod)
            {
                pods.push(pod.to_owned());
            }
            if let Table::Kind(kind) = change.table
                && let Some(present) = objects.get_mut(&(kind, key))
            {
                present.becomes(change.object);
            }
            each(&change);
        })
    }

    /// With `--for=create` and a selector: the first objects that appear.
    fn first_created(
        &mut self,
        context: &Context,
        targets: &[Target],
        selectors: &Selectors,
        all_namespaces: bool,
        until: Until,
    ) -> Result<Vec<(Kind, Key)>> {
        loop {
            let mut created = Vec::new();
            self.take(|change| {
                for target in targets {
                    if Table::from(target.kind()) == change.table
                        && (all_namespaces || change.namespace == context.namespace)
                        && change
                            .object
                            .is_some_and(|text| selectors.matches(target.kind(), text).unwrap_or(false))
                    {
                        created.push((
                            (target.kind(), Key::new(change.namespace, change.name)),
                            Present::new(change.object.map(str::to_owned)),
                        ));
                    }
                }
            })?;
            if !created.is_empty() {
                self.objects.extend(created.iter().cloned());
                return Ok(created.into_iter().map(|(object, _)| object).collect());
            }
            match until {
                Until::Now => bail!("no matching resources found"),
                Until::Time(until) => {
                    let kinds: Vec<_> =
                        targets.iter().map(|target| target.kind().resource().plural).collect();
                    if !self.sleep(until, &format!("{} to be created", kinds.join(", ")), false)? {
                        bail!("timed out waiting for the condition");
                    }
                }
            }
        }
    }

    fn wait_for(
        &mut self,
        context: &Context,
        kind: Kind,
        key: &Key,
        condition: &Condition,
        until: Until,
    ) -> Result<Met> {
        let plural = kind.resource().plural;
        let entry = (kind, key.clone());
        self.last = Value::Null;
        let is_missing = self.objects.get(&entry).is_none_or(|present| present.first.is_none());
        if matches!(condition, Condition::Delete) && is_missing {
            return Ok(Met::Silently);
        }
        loop {
            let present = self.objects.get(&entry).cloned().unwrap_or_default();
            match (present.text, condition) {
                (_, Condition::Delete) if present.first_is_gone => {
                    return Ok(Met::Now(std::mem::take(&mut self.last)));
                }
                (None, Condition::Create) => {}
                (None, _) => return self.answer_of_the_deleted(context, kind, key, condition),
                (Some(text), _) => {
                    let object: Value = serde_json::from_str(&text).context("read the object")?;
                    match condition.answer(&object)? {
                        Answer::Met => return Ok(Met::Now(object)),
                        Answer::Never => {
                            let error = never(context, kind, key, &object);
                            self.last = object;
                            return Err(error);
                        }
                        Answer::NotYet => self.last = object,
                    }
                }
            }
            if condition.is_about_progress() && !matches!(until, Until::Now) {
                self.name_obstacles(&context.client.config().settings, &Help::at(context));
            }
            self.pods.clear();
            self.facts.clear();
            let timed_out = match until {
                Until::Now => bail!("condition not met for {plural}/{}", key.name),
                Until::Time(until) => {
                    let awaited = format!("{}/{} {}", kind.qualified_singular(), key.name, condition.words());
                    let shows_jobs = kind == Kind::Job && condition.is_about_progress();
                    !self.sleep(until, &awaited, shows_jobs)?
                }
            };
            if timed_out {
                if self.last.is_null() && matches!(condition, Condition::Create) {
                    bail!("timed out waiting for the condition");
                }
                bail!("timed out waiting for the condition on {plural}/{}", key.name);
            }
            self.take(|_| {})?;
        }
    }

    /// A Job that is gone can still answer how it ended.
    fn answer_of_the_deleted(
        &self,
        context: &Context,
        kind: Kind,
        key: &Key,
        condition: &Condition,
    ) -> Result<Met> {
        let not_found = || -> Result<StatusError> { Ok(context.client.read(&[])?.missing(kind, key)) };
        let Some(tombstone) = self.tombstones.get(key).filter(|_| kind == Kind::Job) else {
            return Err(not_found()?.into());
        };
        let object = serde_json::json!({
            "apiVersion": kind.api_version(),
            "kind": kind.as_str(),
            "metadata": {"name": key.name, "namespace": key.namespace},
            "status": {"conditions": tombstone.conditions}
        });
        match condition.answer(&object)? {
            Answer::Met => Ok(Met::Now(object)),
            Answer::Never => {
                Err(anyhow::anyhow!("job.batch/{} {} before it was deleted", key.name, ended_how(&object)))
            }
            Answer::NotYet => Err(not_found()?.into()),
        }
    }
}

/// Of the Jobs that are waited for.
fn figures(objects: &BTreeMap<(Kind, Key), Present>) -> Option<Figures> {
    let jobs: Vec<Job> = objects
        .iter()
        .filter(|((kind, _), _)| *kind == Kind::Job)
        .filter_map(|(_, present)| serde_json::from_str(present.text.as_deref()?).ok())
        .collect();
    Figures::of(&jobs, clock())
}

/// `failed: REASON: MESSAGE` or `is complete`.
fn ended_how(object: &Value) -> String {
    let condition = object["status"]["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|condition| matches!(condition["type"].as_str(), Some("Complete" | "Failed")));
    match condition {
        Some(condition) if condition["type"] == "Failed" => format!(
            "failed: {}: {}",
            condition["reason"].as_str().unwrap_or_default(),
            condition["message"].as_str().unwrap_or_default()
        ),
        Some(_) => "was complete".into(),
        None => "ended".into(),
    }
}

/// Why a condition cannot be met any more: reason, failing pod, exit code and last lines of its log.
fn never(context: &Context, kind: Kind, key: &Key, object: &Value) -> anyhow::Error {
    let mut text = format!("error: {}/{} ", kind.qualified_singular(), key.name);
    if kind == Kind::Pod {
        text.push_str(&format!("has ended: {}", object["status"]["phase"].as_str().unwrap_or_default()));
        return verbatim(text);
    }
    text.push_str(&ended_how(object));
    let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
    if let Ok(Some(evidence)) = log_source::failure_evidence(&context.client, uid, LAST_LINES) {
        text.push('\n');
        text.push_str(&evidence);
    }
    verbatim(text)
}
