//! `prune`: what was kept of removed pods goes before their Job does.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::Result;
use chrono::Duration;

use super::context::{Context, Global};
use super::flags;
use super::outcome::DryRun;
use super::output::{complain, say};
use crate::api::Job;
use crate::api::conditions::job_finished_at;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::apiserver::{Read, Selectors};
use crate::printers::size::size;
use crate::store::Table;

/// Remove the logs of pods that are gone, of Jobs that have ended
///
/// Of a pod that is deleted, drained or replaced while its Job lives on, the logs are kept until the Job is deleted. This
/// removes them earlier. Pods that are still listed keep theirs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only of Jobs that ended longer ago than this duration, such as 5s, 2m, or 3h
    #[arg(long, default_value = "0s", value_parser = flags::duration)]
    older_than: Duration,
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
    let (_held, mut requests) = context.begin(&[Table::JOBS, Table::RemovedPods])?;
    let ended = ended_jobs(&requests, &context, args)?;
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
        let directories = pods.iter().map(|pod| context.client.pod_directory(uid(&pod.metadata)));
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

/// The Jobs whose evidence may go, by uid. One that somebody is still reading is none of them.
fn ended_jobs(reader: &impl Read, context: &Context, args: &Args) -> Result<BTreeMap<String, Key>> {
    let mut ended = BTreeMap::new();
    let namespace = (!args.all_namespaces).then_some(context.namespace.as_str());
    for found in reader.list(Kind::Job, namespace, &Selectors::none())? {
        let job: Job = found.parse()?;
        let is_old = job_finished_at(&job).is_some_and(|end| end + args.older_than <= reader.now());
        if is_old && !context.client.is_read_for_record(uid(&job.metadata)) {
            ended.insert(uid(&job.metadata).to_owned(), found.key.into_owned());
        }
    }
    Ok(ended)
}
