//! `logs`.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use chrono::Duration;

use super::context::{Context, Global};
use super::failed_logs;
use super::failure::verbatim;
use super::flags;
use super::follow_logs::{Followed, FollowedJob, Following, Silence, follow};
use super::get::nothing_found;
use super::log_source::Chosen;
use super::output::{complain, print_log};
use super::resources;
use super::selection::Selectors;
use crate::api::conditions::{is_job_finished, is_pod_finished, is_pod_ready, pod_phase};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, key, name, uid};
use crate::api::status_error::StatusError;
use crate::api::times;
use crate::api::{CronJob, Job, Pod, StatefulSet};
use crate::apiserver::{Found, Read as _, Reader, Source as _};
use crate::kubelet::{LogOptions, Runs};
use crate::manager::{clock, steady_clock};
use crate::store::Table;

/// Print the logs of a pod's container, of all pods of a Job, or of a CronJob's last run
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// POD, POD CONTAINER, or TYPE/NAME
    #[arg(value_name = "POD|TYPE/NAME")]
    target: Vec<String>,
    /// Go on printing until the container has ended, or of a Job all pods, also those to come; waits for the start
    #[arg(short, long)]
    follow: bool,
    /// Print the log of this container
    #[arg(short, long)]
    container: Option<String>,
    /// All containers of the pod, init containers included
    #[arg(long)]
    all_containers: Option<bool>,
    /// All pods of the Job, also those removed since, each line with its pod and container
    #[arg(long)]
    all_pods: Option<bool>,
    /// Of a Job or a CronJob's last run: how the log of each failed pod ends, under a line that says how the pod did; of
    /// an Indexed Job the last one of each index that has not completed. --tail says how many lines: 20
    #[arg(long)]
    failed: bool,
    /// Print the log of the run before the last restart
    #[arg(short, long)]
    previous: bool,
    /// Put the pod and the container before each line
    #[arg(long)]
    prefix: Option<bool>,
    /// Lines to show from the end; -1 is all, and with a selector the default is 10
    #[arg(long)]
    tail: Option<i64>,
    /// Only lines newer than this duration, such as 5s, 2m, or 3h
    #[arg(long, value_parser = flags::duration)]
    since: Option<Duration>,
    /// Only lines after this time (RFC 3339)
    #[arg(long)]
    since_time: Option<String>,
    /// Put the time before each line
    #[arg(long)]
    timestamps: Option<bool>,
    /// Most bytes of each log to print
    #[arg(long)]
    limit_bytes: Option<i64>,
    /// Label selector: the pods to print
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Accepted for kubectl's sake: there is no limit
    #[arg(long, hide = true)]
    max_log_requests: Option<i64>,
    /// Accepted for kubectl's sake
    #[arg(long, hide = true)]
    ignore_errors: Option<bool>,
    /// How long to wait for a Job's first pod
    #[arg(long, default_value = "20s", value_parser = flags::duration)]
    pod_running_timeout: Duration,
}

/// The pods whose logs are wanted.
enum Pods {
    /// One, or one of several.
    One(Box<Pod>),
    /// Each of them.
    All(Vec<Pod>),
    /// Those of a Job, also the ones to come.
    OfJob {
        key: Key,
        uid: String,
        /// Whether lines of several pods may stand side by side.
        is_mixed: bool,
    },
}

/// Prints logs.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let options = log_options(args)?;
    let context = Context::open(global)?;
    let (target, container) = target_and_container(args)?;
    let all_containers = args.all_containers == Some(true);
    if let (true, Some(container)) = (all_containers, &container) {
        bail!("--all-containers=true should not be specified with container name {container}");
    }
    let _companion = if args.follow { Some(context.client.keep_controller()?) } else { None };
    let reader = context.client.read(&[
        Table::CRON_JOBS,
        Table::JOBS,
        Table::STATEFUL_SETS,
        Table::PODS,
        Table::RemovedPods,
    ])?;
    let chosen = match (&container, all_containers) {
        (_, true) => Chosen::All,
        (Some(name), _) => Chosen::Named(name.clone()),
        (None, _) => Chosen::Default,
    };
    if args.failed {
        let job = job_that_failed(&context, &reader, args, target.as_deref())?;
        let pods = reader.pods_of_job(uid(&job.metadata))?;
        failed_logs::print_failed(&context.client, &job, pods, &chosen, &options)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(pods) = find_pods(&context, &reader, args, target.as_deref())? else {
        complain(&nothing_found(false, &[], &context));
        return Ok(ExitCode::SUCCESS);
    };
    let is_mixed = matches!(pods, Pods::OfJob { is_mixed: true, .. });
    let prefix = args.prefix.unwrap_or(is_mixed || args.all_pods == Some(true));
    if args.follow && !matches!(&pods, Pods::One(pod) if is_pod_finished(pod)) {
        let uids = |pods: &[Pod]| pods.iter().map(|pod| uid(&pod.metadata).to_owned()).collect();
        let followed = match pods {
            Pods::OfJob { key, uid, .. } => Followed::Jobs(vec![FollowedJob { key, uid }]),
            Pods::One(pod) => Followed::Pods(uids(&[*pod])),
            Pods::All(pods) => Followed::Pods(uids(&pods)),
        };
        let runs = Runs::NewestAndLater;
        let (followed, chosen, options) = (&followed, &chosen, &options);
        let following = Following { followed, chosen, options, prefix, runs, until: None };
        follow(&context, &following, &mut Silence)?;
        return Ok(ExitCode::SUCCESS);
    }
    let pods = match pods {
        Pods::One(pod) => vec![*pod],
        Pods::All(pods) => pods,
        Pods::OfJob { uid, .. } => reader.pods_of_job(&uid)?,
    };
    // A container that one of them does not have is an error before anything is printed.
    let names = pods.iter().map(|pod| chosen.of(pod)).collect::<Result<Vec<_>>>()?;
    for (pod, names) in pods.iter().zip(&names) {
        print_pod(&context, pod, names, &options, prefix, args.previous, pods.len() == 1)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn log_options(args: &Args) -> Result<LogOptions> {
    if args.since.is_some() && args.since_time.is_some() {
        bail!("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    let tail = args.tail.unwrap_or(match &args.selector {
        Some(_) => 10,
        None if args.failed => failed_logs::LINES,
        None => -1,
    });
    if tail < -1 {
        bail!("--tail must be greater than or equal to -1");
    }
    if args.limit_bytes.is_some_and(|limit| limit < 1) {
        bail!("--limit-bytes must be greater than 0");
    }
    let since = match (&args.since, &args.since_time) {
        (Some(length), _) if *length < Duration::zero() => bail!("--since must be greater than 0"),
        (Some(length), _) => (!length.is_zero()).then(|| clock() - *length),
        (None, Some(text)) => Some(times::parse(text).map_err(anyhow::Error::msg)?),
        (None, None) => None,
    };
    Ok(LogOptions {
        stream: None,
        tail: usize::try_from(tail).ok(),
        since,
        timestamps: args.timestamps == Some(true),
        limit_bytes: args.limit_bytes.and_then(|limit| usize::try_from(limit).ok()),
    })
}

fn target_and_container(args: &Args) -> Result<(Option<String>, Option<String>)> {
    match (args.target.as_slice(), &args.selector) {
        ([], None) | ([_, _, _, ..], None) => Err(verbatim(
            "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required \
             argument for the logs command\nSee 'jobctl logs -h' for help and examples",
        )),
        ([], Some(_)) => Ok((None, args.container.clone())),
        ([_, ..], Some(_)) => Err(verbatim(
            "error: only a selector (-l) or a POD name is allowed\nSee 'jobctl logs -h' for help and examples",
        )),
        ([target], None) => Ok((Some(target.clone()), args.container.clone())),
        ([target, container], None) => {
            if args.container.is_some() {
                bail!("only one of -c or an inline [CONTAINER] arg is allowed");
            }
            Ok((Some(target.clone()), Some(container.clone())))
        }
    }
}

/// `None`: a selector that selects nothing.
fn find_pods(context: &Context, reader: &Reader, args: &Args, target: Option<&str>) -> Result<Option<Pods>> {
    let Some(target) = target else {
        let selectors = Selectors::parse(args.selector.as_deref(), None)?;
        let found = reader.list(Kind::Pod, Some(&context.namespace), &selectors)?;
        let mut pods = found.iter().map(Found::parse).collect::<Result<Vec<Pod>>>()?;
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
        return Ok((!pods.is_empty()).then_some(Pods::All(pods)));
    };
    let (kind, object_name) = kind_and_name(target)?;
    match kind {
        Kind::Pod => pod_by_name(context, reader, object_name).map(Some),
        Kind::Job | Kind::CronJob => {
            let job = job_of(context, reader, kind, object_name)?;
            let (key, object_name) = (key(&job.metadata), name(&job.metadata));
            let job_uid = uid(&job.metadata).to_owned();
            // A Job is followed to its end: through its retries, and all pods that run side by side.
            if args.follow || args.all_pods == Some(true) {
                let is_mixed = args.all_pods == Some(true) || may_run_side_by_side(&job);
                return Ok(Some(Pods::OfJob { key, uid: job_uid, is_mixed }));
            }
            let pods = reader.pods_of_job(&job_uid)?;
            if pods.is_empty() && is_job_finished(&job) {
                bail!("job {object_name} has ended, and none of its pods is left");
            }
            if pods.is_empty() {
                return first_pod(context, &job_uid, args.pod_running_timeout).map(Some);
            }
            pick_pod(pods).map(Some)
        }
        Kind::StatefulSet => {
            let key = Key::new(&context.namespace, object_name);
            let Some(entry) = reader.entry(Table::STATEFUL_SETS, &key)? else {
                return Err(not_found(reader, kind, object_name, context));
            };
            let set: StatefulSet = entry.parse()?;
            let mut pods: Vec<Pod> = reader.owned(Table::PODS, uid(&set.metadata))?;
            if args.all_pods == Some(true) {
                pods.sort_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0));
                return Ok(Some(Pods::All(pods)));
            }
            if pods.is_empty() {
                return first_pod(context, uid(&set.metadata), args.pod_running_timeout).map(Some);
            }
            pick_pod(pods).map(Some)
        }
        other => bail!("cannot get the logs from *v1.{other}: selector for *v1.{other} not implemented"),
    }
}

fn kind_and_name(target: &str) -> Result<(Kind, &str)> {
    Ok(match target.split_once('/') {
        Some((kind, name)) => (resources::kind(kind)?, name),
        None => (Kind::Pod, target),
    })
}

/// A Job, or the last one of a CronJob.
fn job_of(context: &Context, reader: &Reader, kind: Kind, object_name: &str) -> Result<Job> {
    let key = Key::new(&context.namespace, object_name);
    let Some(entry) = reader.entry(Table::from(kind), &key)? else {
        return Err(not_found(reader, kind, object_name, context));
    };
    if kind == Kind::Job {
        return entry.parse();
    }
    let cron_job: CronJob = entry.parse()?;
    let runs: Vec<Job> = reader.owned(Table::JOBS, uid(&cron_job.metadata))?;
    let started = |job: &Job| {
        (job.metadata.creation_timestamp.as_ref().map(|time| time.0), name(&job.metadata).to_owned())
    };
    let last = runs.into_iter().max_by_key(started);
    last.ok_or_else(|| anyhow!("cronjob {object_name} has no run whose logs are kept"))
}

/// The Job whose failed pods are meant.
fn job_that_failed(context: &Context, reader: &Reader, args: &Args, target: Option<&str>) -> Result<Job> {
    for (is_given, flag) in [
        (args.follow, "--follow"),
        (args.previous, "--previous"),
        (args.all_pods == Some(true), "--all-pods"),
        (args.prefix == Some(true), "--prefix"),
    ] {
        if is_given {
            bail!("--failed shows what has ended, pod by pod: it cannot be used with {flag}");
        }
    }
    match target.map(kind_and_name).transpose()? {
        Some((kind @ (Kind::Job | Kind::CronJob), object_name)) => job_of(context, reader, kind, object_name),
        _ => bail!(
            "--failed is for job/NAME and cronjob/NAME; failed pods are listed by: jobctl get pods --failed"
        ),
    }
}

/// Whether a Job may have several pods at once. Of each one container is shown.
fn may_run_side_by_side(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| spec.parallelism.unwrap_or(1) > 1)
}

fn pod_by_name(context: &Context, reader: &Reader, pod_name: &str) -> Result<Pods> {
    let key = Key::new(&context.namespace, pod_name);
    for table in [Table::PODS, Table::RemovedPods] {
        if let Some(entry) = reader.entry(table, &key)? {
            return Ok(Pods::One(Box::new(entry.parse()?)));
        }
    }
    Err(not_found(reader, Kind::Pod, pod_name, context))
}

/// `logs` words it differently from the other verbs.
fn not_found(reader: &Reader, kind: Kind, object_name: &str, context: &Context) -> anyhow::Error {
    let missing = reader.missing(kind, &kind.key(&context.namespace, object_name));
    verbatim(format!(
        "error: error from server (NotFound): {} in namespace {:?}",
        missing.message(),
        context.namespace
    ))
}

/// A Job that has no pod yet: waits for one.
fn first_pod(context: &Context, job_uid: &str, timeout: Duration) -> Result<Pods> {
    let until = steady_clock() + timeout;
    let (reader, mut follower) = context.client.watch(&[Table::PODS])?;
    if let Some(pod) = reader.pods_of_job(job_uid)?.into_iter().next() {
        return Ok(Pods::One(Box::new(pod)));
    }
    loop {
        let mut found = None;
        follower.changes(|change| {
            if let Some(text) = change.object.filter(|text| text.contains(job_uid)) {
                let pod = serde_json::from_str::<Pod>(text).ok();
                let is_its =
                    |pod: &Pod| controller_of(&pod.metadata).is_some_and(|owner| owner.uid == job_uid);
                found = found.take().or(pod.filter(is_its));
            }
        })?;
        if let Some(pod) = found {
            return Ok(Pods::One(Box::new(pod)));
        }
        if !follower.wait(&[], Some(until))? {
            bail!("timed out waiting for the condition");
        }
    }
}

/// Sorts pods as kubectl does that picks one: running before others, ready, longest, more restarts, oldest.
pub(super) fn most_active(pods: &mut [Pod]) {
    pods.sort_by_key(|pod| {
        let phase = match pod_phase(pod) {
            "Running" => 0,
            "Unknown" => 1,
            "Pending" => 2,
            _ => 3,
        };
        (phase, !is_pod_ready(pod), pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
    });
}

/// Of several pods the one that kubectl would pick.
fn pick_pod(mut pods: Vec<Pod>) -> Result<Pods> {
    let count = pods.len();
    most_active(&mut pods);
    let pod = pods.swap_remove(0);
    if count > 1 {
        complain(&format!("Found {count} pods, using pod/{}", name(&pod.metadata)));
    }
    Ok(Pods::One(Box::new(pod)))
}

fn print_pod(
    context: &Context,
    pod: &Pod,
    names: &[String],
    options: &LogOptions,
    prefix: bool,
    previous: bool,
    alone: bool,
) -> Result<()> {
    for container in names {
        let newest = context.client.newest_run(pod, container);
        let restart = match (newest, previous) {
            (Some(newest), true) if context.client.may_have_log(pod, container, newest - 1) => newest - 1,
            (_, true) => {
                let message = format!(
                    "previous terminated container {container:?} in pod {:?} not found",
                    name(&pod.metadata)
                );
                return Err(StatusError::BadRequest { message }.into());
            }
            (Some(newest), false) => newest,
            (None, false) => {
                if alone && let Some(error) = waiting_error(pod, container) {
                    return Err(error);
                }
                continue;
            }
        };
        let line_prefix =
            if prefix { format!("[pod/{}/{container}] ", name(&pod.metadata)) } else { String::new() };
        let runs = Runs::Only(restart);
        context.client.log(pod, container, runs, options.clone(), line_prefix).read(&mut print_log)?;
    }
    Ok(())
}

/// Why a container has no log: it has not been started. `None`: it has, or the pod has ended without a word of it.
fn waiting_error(pod: &Pod, container: &str) -> Option<anyhow::Error> {
    let status = pod.status.clone().unwrap_or_default();
    let all =
        status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
    let state = all.filter(|one| one.name == container).find_map(|one| one.state.as_ref());
    let reason = match state {
        Some(state) => state.waiting.as_ref()?.reason.clone(),
        None if is_pod_finished(pod) => return None,
        None => None,
    };
    let reason = match reason.as_deref() {
        None => "ContainerCreating",
        Some("ErrImagePull") => "image can't be pulled",
        Some("ImagePullBackOff") => "trying and failing to pull image",
        Some(reason) => reason,
    };
    let message =
        format!("container {container:?} in pod {:?} is waiting to start: {reason}", name(&pod.metadata));
    Some(StatusError::BadRequest { message }.into())
}
