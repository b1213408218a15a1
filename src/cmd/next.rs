//! `next`: when a schedule fires.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::json;

use super::context::{Context, Global};
use super::output::{print, say};
use super::resources::{self, Target};
use crate::api::CronJob;
use crate::api::kinds::{Key, Kind};
use crate::api::schedule::{self, Schedule};
use crate::apiserver::Read as _;
use crate::manager::clock;
use crate::printers;
use crate::printers::duration::human_duration;
use crate::store::Table;

/// Show the coming times of a CronJob or a schedule
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// cronjob/NAME
    #[arg(value_name = "cronjob/NAME")]
    resources: Vec<String>,
    /// A schedule in place of a CronJob's
    #[arg(long)]
    schedule: Option<String>,
    /// The zone of --schedule, for instance Europe/Berlin; this machine's where it is not given
    #[arg(long)]
    time_zone: Option<String>,
    /// How many times; -n with a number means the same here
    #[arg(long)]
    count: Option<i32>,
    /// After this time (RFC 3339) in place of now
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Output format: json, an array of RFC 3339 times
    #[arg(short, long)]
    output: Option<String>,
}

/// Prints the next times, one a line.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let count = match args.count.map(usize::try_from) {
        Some(Err(_)) => bail!("--count must not be negative, got {}", args.count.unwrap_or_default()),
        Some(Ok(count)) => Some(count),
        None => None,
    };
    let (global, count) = namespace_or_count(global, count);
    let context = Context::open(&global)?;
    let from = match &args.from {
        None => clock(),
        Some(text) => DateTime::parse_from_rfc3339(text)
            .with_context(|| format!("--from: {text:?} is no time like 2026-01-01T00:00:00Z"))?
            .with_timezone(&Utc),
    };
    let (text, zone_name, phase) = match (&args.schedule, args.resources.as_slice()) {
        (Some(text), []) => (text.clone(), args.time_zone.clone(), None),
        (Some(_), _) => bail!("give either a CronJob or --schedule"),
        (None, _) => of_cron_job(&context, args)?,
    };
    let schedule: Schedule = text.parse().map_err(|error| anyhow::anyhow!("schedule {text:?}: {error}"))?;
    let zone = match &zone_name {
        None => context.client.config().settings.time_zone,
        Some(name) => schedule::zone(name).map_err(anyhow::Error::msg)?,
    };
    let mut at = match (&schedule, phase) {
        (Schedule::Every(_), Some(phase)) => schedule.last(phase, from, zone).unwrap_or(phase),
        _ => from,
    };
    let mut times: Vec<String> = Vec::new();
    while times.len() < count
        && let Some(next) = schedule.next(at, zone)
    {
        times.push(shown(next, zone));
        at = next;
    }
    match args.output.as_deref() {
        None if times.is_empty() => say("never")?,
        None => times.iter().try_for_each(|time| say(time))?,
        Some("json") => print(&printers::json::to_string(&json!(times)))?,
        Some(other) => bail!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats are: json"
        ),
    }
    Ok(ExitCode::SUCCESS)
}

/// Where -n is a number it is the count: a namespace is given by --namespace or by a name that is none.
fn namespace_or_count(global: &Global, count: Option<usize>) -> (Global, usize) {
    const USUAL: usize = 5;
    let number = global.namespace.as_ref().and_then(|text| text.parse().ok());
    match (count, number) {
        (None, Some(number)) => (Global { namespace: None, ..global.clone() }, number),
        _ => (global.clone(), count.unwrap_or(USUAL)),
    }
}

fn shown(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// When a CronJob fires next, for a table: how long from now, `<none>` where it does not.
///
/// # Errors
/// An object that does not read.
pub(super) fn cell(text: &str, now: DateTime<Utc>, local: Tz) -> Result<String> {
    let cron_job: CronJob = serde_json::from_str(text).context("read a CronJob")?;
    let spec = cron_job.spec.clone().unwrap_or_default();
    let zone = spec.time_zone.as_deref().map_or(Ok(local), schedule::zone);
    let (Ok(schedule), Ok(zone)) = (spec.schedule.parse::<Schedule>(), zone) else {
        return Ok("<none>".into());
    };
    let after = match (&schedule, phase_of(&cron_job)) {
        (Schedule::Every(_), Some(phase)) => schedule.last(phase, now, zone).unwrap_or(phase),
        _ => now,
    };
    let next = schedule.next(after, zone).filter(|_| spec.suspend != Some(true));
    Ok(next.map_or_else(|| "<none>".into(), |next| human_duration(next - now)))
}

/// The time from which `@every` counts.
fn phase_of(cron_job: &CronJob) -> Option<DateTime<Utc>> {
    let last = cron_job.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
    last.or(cron_job.metadata.creation_timestamp.as_ref()).map(|time| time.0)
}

/// A CronJob's schedule, its zone, and the time from which `@every` counts.
fn of_cron_job(context: &Context, args: &Args) -> Result<(String, Option<String>, Option<DateTime<Utc>>)> {
    let targets = resources::parse(&args.resources)?;
    let [Target::Named(Kind::CronJob, name)] = targets.as_slice() else {
        bail!("name one CronJob (cronjob/NAME), or give --schedule");
    };
    if args.time_zone.is_some() {
        bail!("--time-zone goes with --schedule; a CronJob has its own");
    }
    let reader = context.client.read(&[Table::CRON_JOBS])?;
    let cron_job: CronJob = reader.get(Kind::CronJob, &Key::new(&context.namespace, name))?.parse()?;
    let phase = phase_of(&cron_job);
    let spec = cron_job.spec.unwrap_or_default();
    Ok((spec.schedule, spec.time_zone, phase))
}
