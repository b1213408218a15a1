//! `create job NAME --from=cronjob/X`: a run of a CronJob by hand, whether or not it is suspended.

use std::process::ExitCode;

use anyhow::{Result, bail};
use k8s_openapi::api::core::v1::EnvVar;

use super::context::{Context, Global};
use super::create::{Options, saved, store_one};
use super::resources::{self, Target};
use crate::api::kinds::Kind;
use crate::api::meta::ANNOTATION_INSTANTIATE;
use crate::api::{CronJob, Job};
use crate::apiserver::Read as _;
use crate::controller::cronjob::job_of_template;
use crate::registry::object::Object;
use crate::store::Table;

/// Creates a Job as a CronJob would, now.
pub(super) fn run(
    global: &Global,
    job_name: &str,
    from: &str,
    env: &[String],
    command: &[String],
    options: &Options,
) -> Result<ExitCode> {
    let target = resources::parse(&[from.to_owned()])?;
    let [Target::Named(kind, from_name)] = target.as_slice() else {
        bail!("from must be an existing cronjob");
    };
    let context = Context::open(global)?;
    let creator = context.client.creator(&options.pass_env)?;
    let (_held, requests) = context.begin(
        &[Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS],
        options.dry_run,
    )?;
    let found = requests.get(*kind, &kind.key(&context.namespace, from_name))?;
    if *kind != Kind::CronJob {
        let version = kind.api_version();
        bail!("unknown object type *{}.{kind}", version.rsplit('/').next().unwrap_or_default());
    }
    let cron_job: CronJob = found.parse()?;
    drop(found);
    let mut job = job_of_template(&cron_job, job_name);
    job.metadata.annotations.get_or_insert_default().insert(ANNOTATION_INSTANTIATE.into(), "manual".into());
    change_containers(&mut job, env, command)?;
    let manifest = saved(Object::from(job).to_unversioned()?, options);
    let job: Job = serde_json::from_value(manifest.clone())?;
    store_one(requests, job.into(), &manifest, &creator, options)
}

/// Sets variables in all containers, and the arguments of the first.
fn change_containers(job: &mut Job, env: &[String], arguments: &[String]) -> Result<()> {
    let spec = job.spec.get_or_insert_default().template.spec.get_or_insert_default();
    for word in env {
        let Some((name, value)) = word.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            bail!("invalid --env: {word:?}, expected NAME=VALUE");
        };
        for container in &mut spec.containers {
            let variables = container.env.get_or_insert_default();
            variables.retain(|variable| variable.name != name);
            let value = Some(value.to_owned());
            variables.push(EnvVar { name: name.to_owned(), value, value_from: None });
        }
    }
    if let Some(first) = spec.containers.first_mut().filter(|_| !arguments.is_empty()) {
        first.args = Some(arguments.to_vec());
    }
    Ok(())
}
