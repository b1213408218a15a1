//! `promote`: a Job of this machine goes to a cluster.

mod manifest;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use self::manifest::{Image, Promoted, promote};
use super::context::{Context, Global};
use super::failure::{text, while_doing};
use super::format::OutputArgs;
use super::manifests::{self, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::{complain, warn, warn_all};
use super::selection::{self, Selectors};
use crate::api::Job;
use crate::api::kinds::Kind;
use crate::api::references::references;
use crate::apiserver::{Apply, Creator, Found, Read as _, Subresource, fresh_job};
use crate::registry::object::Object;
use crate::store::Table;

/// Take Jobs and CronJobs of this machine to a cluster: promote job/NAME --context=CONTEXT
///
/// What is sent is a manifest as a person would write it: no status, no defaults, nothing of jobctl.local/. What the pods
/// used here that a container will not have is listed. The cluster is asked whether it would take the object before it gets it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// job/NAME… or cronjob/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// The image of the containers that have none, or of the only one; CONTAINER=IMAGE for one of several
    #[arg(long, value_name = "IMAGE", value_parser = Image::parse)]
    image: Vec<Image>,
    /// Only ask the cluster whether it would take it ("server"), or only show what would be sent ("client")
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "server", require_equals = true, hide_default_value = true)]
    dry_run: DryRun,
    /// Take fields from others who manage them there
    #[arg(long)]
    force_conflicts: bool,
    #[command(flatten)]
    output: OutputArgs,
}

/// Who manages the fields there.
const MANAGER: &str = "jobctl-promote";

/// Sends what is stored here to a cluster.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if global.cluster.is_none() {
        bail!(
            "promote needs the cluster to take it to: --context=NAME; those there are: jobctl config get-contexts"
        );
    }
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    super::delete::require_targets(&targets, false, &Selectors::none())?;
    let here = Context::open(&Global { cluster: None, ..global.clone() })?;
    let there = Context::open(global)?;
    let reader = here.client.read(&selection::tables(&targets))?;
    let (found, missing) = selection::resolve(&reader, &targets, &here.namespace, false, &Selectors::none())?;
    let mut failed = !missing.is_empty();
    missing.iter().for_each(|error| complain(&text(error)));
    let mut promoted = Vec::new();
    for one in &found {
        match promoted_of(one, &there.namespace, &args.image) {
            Ok(Promoted { manifest, left_behind }) => {
                let whose = format!("{}/{}", one.kind.resource().singular, one.key.name);
                left_behind.iter().for_each(|line| complain(&format!("{whose}: {line}")));
                promoted.push((one.kind, manifest));
            }
            Err(error) => {
                failed = true;
                complain(&format!("error: {}/{}: {error:#}", one.kind.qualified_singular(), one.key.name));
            }
        }
    }
    let mut outcomes = Outcomes::new(&args.output, args.dry_run)?;
    for (kind, manifest) in promoted {
        match send(&there, kind, &manifest, args) {
            Ok(what) => {
                let name = manifest["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                outcomes.done(kind, &name, what, || Ok(manifest))?;
            }
            Err(error) => {
                failed = true;
                complain(&text(&error));
            }
        }
    }
    outcomes.finish()?;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn promoted_of(found: &Found<'_>, namespace: &str, images: &[Image]) -> Result<Promoted> {
    let fresh = match found.kind {
        Kind::Job => Object::from(fresh_job(&found.parse::<Job>()?)).to_value()?,
        Kind::CronJob => found.value()?,
        other => bail!("only Jobs and CronJobs go to a cluster, not a {other}"),
    };
    promote(found.kind, &fresh, namespace, images)
}

/// Asks the cluster whether it would take the object, then has it do so.
fn send(there: &Context, kind: Kind, manifest: &Value, args: &Args) -> Result<&'static str> {
    if args.dry_run == DryRun::Client {
        return Ok("promoted");
    }
    let object = Object::decode(kind, manifest).context("no such kind")??.object;
    warn_all(&missing_there(there, &object)?);
    let key = object.key();
    let creator = Creator::default();
    let apply = Apply {
        kind,
        key: &key,
        value: manifest,
        subresource: Subresource::Main,
        force: args.force_conflicts,
        creator: &creator,
    };
    let doing = format!("error when promoting {}/{}", kind.qualified_singular(), key.name);
    let send = |dry_run: DryRun| -> Result<()> {
        let (_held, mut requests) = there.begin(&[Table::from(kind)], dry_run)?;
        requests.act_as(MANAGER);
        let answer = requests.apply(apply).map_err(|error| while_doing(error, &doing))?.into_answer();
        if dry_run != DryRun::None || args.dry_run == DryRun::None {
            warn_all(&answer.warnings);
        }
        requests.commit()
    };
    send(DryRun::Server)?;
    if args.dry_run == DryRun::None {
        send(DryRun::None)?;
    }
    Ok("promoted")
}

/// What the pods will wait for there.
fn missing_there(there: &Context, object: &Object) -> Result<Vec<String>> {
    let spec = match object {
        Object::Job(job) => job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()),
        Object::CronJob(cron_job) => {
            let job = cron_job.spec.as_ref().and_then(|spec| spec.job_template.spec.as_ref());
            job.and_then(|spec| spec.template.spec.as_ref())
        }
        _ => None,
    };
    let Some(spec) = spec else { return Ok(Vec::new()) };
    let reader = there.client.read(&[])?;
    let mut missing = Vec::new();
    for one in references(spec) {
        let namespace = object.key().namespace;
        match reader.find(one.kind, &one.kind.key(&namespace, &one.name)) {
            Ok(Some(_)) => {}
            Ok(None) => missing.push(format!(
                "{}: {} {:?} is not in the cluster: the pods will wait for it",
                one.field,
                one.kind.resource().singular,
                one.name
            )),
            // Whether it is there may be nothing that we may know.
            Err(error) => warn(&format!("{}: {}", one.field, text(&error))),
        }
    }
    Ok(missing)
}
