//! Which pod, and which container of it, a verb goes into: POD, TYPE/NAME, or what a file names.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use chrono::Duration;

use super::context::{Context, Global};
use super::failure::verbatim;
use super::log_source::{default_container, has_container};
use super::logs::most_active;
use super::manifests::{self, FileArgs};
use super::resources::{self, Target};
use crate::api::conditions::{is_pod_finished, pod_phase};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{name, uid};
use crate::api::status_error::StatusError;
use crate::api::{Job, Pod, Service, StatefulSet};
use crate::apiserver::Read;
use crate::manager::steady_clock;
use crate::store::Table;

/// How long to wait for a pod, where a kind is named that makes some.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Patience {
    /// How long to wait until there is a pod, such as 5s, 2m, or 3h
    #[arg(id = "pod-running-timeout", long, default_value = "1m", value_parser = super::flags::duration)]
    timeout: Duration,
}

impl Patience {
    /// How long.
    ///
    /// # Errors
    /// No time at all, in kubectl's words.
    pub(super) fn of(self, verb: &str) -> Result<Duration> {
        if self.timeout <= Duration::zero() {
            return Err(verbatim(format!(
                "error: --pod-running-timeout must be higher than zero\nSee 'jobctl {verb} -h' for help and examples"
            )));
        }
        Ok(self.timeout)
    }
}

/// What a word of the command line names: a pod, or TYPE/NAME.
pub(super) fn target_of(word: &str) -> Result<Target> {
    match word.split_once('/') {
        None => Ok(Target::Named(Kind::Pod, word.to_owned())),
        Some((_, rest)) if rest.contains('/') => {
            bail!("arguments in resource/name form may not have more than one slash")
        }
        Some((kind, name)) if kind.is_empty() || name.is_empty() => {
            bail!("arguments in resource/name form must have a single resource and name")
        }
        Some((kind, name)) => Ok(Target::Named(resources::kind(kind)?, name.to_owned())),
    }
}

/// What a file names.
pub(super) fn target_in(filenames: &[String], global: &Global) -> Result<Target> {
    let files = FileArgs::of(filenames);
    let mut targets = manifests::targets(&[], &files, global)?;
    match targets.len() {
        1 => Ok(targets.remove(0)),
        0 => bail!("no objects passed to exec"),
        _ => bail!("cannot attach to *v1.List: selector for *v1.List not implemented"),
    }
}

/// By what the pods of an object are known.
enum Belongs {
    /// To an owner, by its uid.
    To(String),
    /// By their labels.
    ByLabels(BTreeMap<String, String>),
}

/// The pod that is meant: of several the one that is most likely to answer.
///
/// # Errors
/// No such object; no pod in time.
pub(super) fn pod_of(context: &Context, target: &Target, patience: Duration) -> Result<Pod> {
    let (kind, key) = match target {
        Target::Named(kind, name) => (*kind, kind.key(&context.namespace, name)),
        Target::Object(kind, key) => (*kind, key.clone()),
        Target::All(kind) => bail!("a name is required for {kind}"),
    };
    let until = steady_clock() + patience;
    let (reader, mut follower) = context.client.watch(&[Table::PODS, Table::from(kind)])?;
    let found = reader.get(kind, &key)?;
    let belongs = match kind {
        Kind::Pod => return found.parse(),
        Kind::Job => Belongs::To(uid(&found.parse::<Job>()?.metadata).to_owned()),
        Kind::StatefulSet => Belongs::To(uid(&found.parse::<StatefulSet>()?.metadata).to_owned()),
        Kind::Service => match found.parse::<Service>()?.spec.and_then(|spec| spec.selector) {
            Some(labels) if !labels.is_empty() => Belongs::ByLabels(labels),
            _ => bail!(
                "cannot attach to *v1.Service: invalid service '{}': Service is defined without a selector",
                key.name
            ),
        },
        other => bail!("cannot attach to *v1.{other}: selector for *v1.{other} not implemented"),
    };
    if let Some(pod) = best_of(&reader, &key, &belongs)? {
        return Ok(pod);
    }
    drop(reader);
    let _companion = context.client.keep_controller()?;
    loop {
        let mut has_changed = false;
        follower.changes(|change| has_changed |= change.table == Table::PODS)?;
        if has_changed && let Some(pod) = best_of(&context.client.read(&[Table::PODS])?, &key, &belongs)? {
            return Ok(pod);
        }
        if !follower.wait(&[], Some(until))? {
            bail!("timed out waiting for the condition");
        }
    }
}

fn best_of(reader: &impl Read, owner: &Key, belongs: &Belongs) -> Result<Option<Pod>> {
    let mut pods: Vec<Pod> = match belongs {
        Belongs::To(uid) => reader.owned(Table::PODS, uid)?,
        Belongs::ByLabels(wanted) => {
            let mut pods = Vec::new();
            for (_, entry) in reader.entries(Table::PODS)?.filter(|(key, _)| key.namespace == owner.namespace)
            {
                let pod: Pod = entry.parse()?;
                let labels = pod.metadata.labels.as_ref();
                if wanted
                    .iter()
                    .all(|(key, value)| labels.is_some_and(|labels| labels.get(key) == Some(value)))
                {
                    pods.push(pod);
                }
            }
            pods
        }
    };
    most_active(&mut pods);
    Ok(pods.into_iter().next())
}

/// The container of a pod that a process is to be started beside; which one is taken by default is said on stderr.
///
/// # Errors
/// A pod that has ended, or has no such container, in the words of kubectl and of the server.
pub(super) fn container_to_enter(pod: &Pod, wanted: Option<&str>, quiet: bool) -> Result<String> {
    let pod_name = name(&pod.metadata);
    if is_pod_finished(pod) {
        bail!("cannot exec into a container in a completed pod; current phase is {}", pod_phase(pod));
    }
    let container = match wanted.filter(|wanted| !wanted.is_empty()) {
        Some(wanted) => wanted.to_owned(),
        None => default_container(pod, quiet).unwrap_or_default(),
    };
    let refused = |message| Err(StatusError::BadRequest { message }.into());
    if !has_container(pod, &container) {
        return refused(format!("container {container} is not valid for pod {pod_name}"));
    }
    if pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref()).is_none() {
        return refused(format!("pod {pod_name} does not have a host assigned"));
    }
    Ok(container)
}

/// The error for a container that does not run.
pub(super) fn container_not_found(container: &str) -> anyhow::Error {
    anyhow::anyhow!("unable to upgrade connection: container not found ({container:?})")
}
