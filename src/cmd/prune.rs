//! `prune`: what was kept of removed pods goes before their Job does; with `--jobs` Jobs go that have ended.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::context::{Context, Global};
use super::flags;
use super::outcome::DryRun;
use super::output::{complain, say};
use crate::api::Job;
use crate::api::conditions::job_finished_at;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::apiserver::{DeleteOptions, Read, Selectors};
use crate::client::{Local, Requests};
use crate::printers::size::size;
use crate::store::Table;

/// Remove the logs of pods that are gone, of Jobs that have ended
///
/// Of a pod that is deleted, drained or replaced while its Job lives on, the logs are kept until the Job is deleted. This
/// removes them earlier. Pods that are still listed keep theirs. With --jobs the Jobs are deleted too, with all their pods.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of Jobs that ended longer ago than this duration, such as 5s, 2m, 3h, 7d or 2w
    #[arg(long, default_value = "0s", value_parser = flags::age)]
    older_than: Duration,
    /// Delete these Jobs themselves, with their pods and logs
    #[arg(long)]
    jobs: bool,
    /// How many Jobs of each namespace are left alone: those that ended last
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    keep: usize,
    /// Jobs of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
}

/// Prunes.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if args.older_than < Duration::zero() {
        anyhow::bail!("--older-than must not be negative");
    }
    let context = Context::open(global)?;
    let here = context.client.local()?;
    let tables = [Table::JOBS, Table::RemovedPods, Table::PODS, Table::EVENTS, Table::CRON_JOBS];
    let (_held, mut requests) =
        context.begin(if args.jobs { &tables } else { &tables[..2] }, args.dry_run)?;
    let ended = ended_jobs(&requests, here, &context.namespace, args)?;
    if args.jobs {
        return delete(here, requests, &ended, args.dry_run);
    }
    let doomed = requests.prune_removed_pods(&ended)?;
    if doomed.is_empty() {
        complain("Nothing to prune");
        return Ok(ExitCode::SUCCESS);
    }
    if args.dry_run == DryRun::None {
        // No controller has to act on it: if we die before the directories are gone, the next one removes them.
        requests.commit_quietly()?;
    }
    for (job, pods) in &doomed {
        let directories = pods.iter().map(|pod| here.pod_directory(uid(&pod.metadata)));
        let mut bytes = 0;
        for directory in directories {
            bytes += directory.size();
            if args.dry_run == DryRun::None {
                directory.remove();
            }
        }
        say(&format!(
            "{}/{} pruned: {} removed {}, {} of logs{}",
            Kind::Job.qualified_singular(),
            job.name,
            pods.len(),
            if pods.len() == 1 { "pod" } else { "pods" },
            size(bytes),
            args.dry_run.suffix()
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes the Jobs; what is left of their pods goes as after `delete`.
fn delete(
    here: &Local,
    mut requests: Requests<'_>,
    ended: &BTreeMap<String, Key>,
    dry_run: DryRun,
) -> Result<ExitCode> {
    if ended.is_empty() {
        complain("Nothing to prune");
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = Vec::new();
    for (job_uid, job) in ended {
        let pods = requests.pods_of_job(job_uid)?;
        let bytes: u64 = pods.iter().map(|pod| here.pod_directory(uid(&pod.metadata)).size()).sum();
        lines.push(format!(
            "{}/{} deleted: {} {}, {} of logs{}",
            Kind::Job.qualified_singular(),
            job.name,
            pods.len(),
            if pods.len() == 1 { "pod" } else { "pods" },
            size(bytes),
            dry_run.suffix()
        ));
        requests.delete(Kind::Job, job, &DeleteOptions::default())?;
    }
    if dry_run == DryRun::None {
        requests.commit()?;
    }
    lines.iter().try_for_each(|line| say(line))?;
    Ok(ExitCode::SUCCESS)
}

/// The Jobs whose evidence may go, by uid. One that somebody is still reading is none of them.
fn ended_jobs(
    reader: &impl Read,
    here: &Local,
    namespace: &str,
    args: &Args,
) -> Result<BTreeMap<String, Key>> {
    let mut ended: BTreeMap<String, Vec<(DateTime<Utc>, Key, String)>> = BTreeMap::new();
    let namespace = (!args.all_namespaces).then_some(namespace);
    for found in reader.list(Kind::Job, namespace, &Selectors::none())? {
        let job: Job = found.parse()?;
        if let Some(end) = job_finished_at(&job) {
            let of_namespace = ended.entry(found.key.namespace.to_string()).or_default();
            of_namespace.push((end, found.key.into_owned(), uid(&job.metadata).to_owned()));
        }
    }
    let before = reader.now().checked_sub_signed(args.older_than).unwrap_or(DateTime::<Utc>::MIN_UTC);
    let mut doomed = BTreeMap::new();
    for mut jobs in ended.into_values() {
        // Times are of whole seconds: of those that ended in the same one the name decides.
        jobs.sort_by(|one, other| other.cmp(one));
        let rest = jobs.into_iter().skip(args.keep);
        let old = rest.filter(|(end, _, job)| *end <= before && !here.is_read_for_record(job));
        doomed.extend(old.map(|(_, key, job)| (job, key)));
    }
    Ok(doomed)
}
