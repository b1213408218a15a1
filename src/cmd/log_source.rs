//! Whose logs are shown: pods of a Job, their containers, and the one that failed.

use std::fmt;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ContainerStatus;

use super::output::complain;
use crate::api::meta::{ANNOTATION_DEFAULT_CONTAINER, annotation, name};
use crate::api::{Job, Pod};
use crate::apiserver::Read as _;
use crate::client::Client;
use crate::kubelet::{LogOptions, LogPiece, Runs};
use crate::store::Table;

/// Which containers of each pod.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Default,
    Named(String),
    All,
}

impl Chosen {
    /// The names of the chosen containers of a pod. Which one is taken by default is said on stderr.
    ///
    /// # Errors
    /// A name that the pod does not have.
    pub(super) fn of(&self, pod: &Pod) -> Result<Vec<String>> {
        match self {
            Self::Named(wanted) => {
                if !has_container(pod, wanted) {
                    bail!("container {wanted} is not valid for pod {}", name(&pod.metadata));
                }
                Ok(vec![wanted.clone()])
            }
            Self::Default => Ok(default_container(pod, false).into_iter().collect()),
            Self::All => {
                // Init containers run first.
                let (init, main): (Vec<_>, Vec<_>) = containers(pod).into_iter().partition(|one| one.init);
                Ok(init.into_iter().chain(main).map(|one| one.name).collect())
            }
        }
    }
}

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ContainerName {
    name: String,
    init: bool,
}

/// The containers of a pod: those of the spec first, then the init containers, as kubectl lists them.
fn containers(pod: &Pod) -> Vec<ContainerName> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let main = spec.containers.iter().map(|one| ContainerName { name: one.name.clone(), init: false });
    let init =
        spec.init_containers.iter().flatten().map(|one| ContainerName { name: one.name.clone(), init: true });
    main.chain(init).collect()
}

/// Whether a pod has a container of that name.
pub(super) fn has_container(pod: &Pod, wanted: &str) -> bool {
    containers(pod).iter().any(|one| one.name == wanted)
}

/// The container that is meant when none is named; of several the first, which is said unless `quiet`.
pub(super) fn default_container(pod: &Pod, quiet: bool) -> Option<String> {
    let all = containers(pod);
    if let Some(wanted) = annotation(&pod.metadata, ANNOTATION_DEFAULT_CONTAINER)
        && all.iter().any(|one| one.name == wanted)
    {
        return Some(wanted.to_owned());
    }
    let first = all.first()?.name.clone();
    if all.len() > 1 && !quiet {
        let list: Vec<String> = all
            .iter()
            .map(|one| if one.init { format!("{} (init)", one.name) } else { one.name.clone() })
            .collect();
        complain(&format!("Defaulted container {first:?} out of: {}", list.join(", ")));
    }
    Some(first)
}

/// Whether lines of several containers of a Job may come at the same time.
pub(super) fn may_have_several_logs(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| {
        spec.parallelism.unwrap_or(1) > 1
            || spec.template.spec.as_ref().is_some_and(|pod| pod.containers.len() > 1)
    })
}

/// A container that ended badly.
pub(super) struct Failure {
    pod: Pod,
    container: String,
    pub(super) exit_code: i32,
    reason: String,
    message: Option<String>,
    pub(super) finished: Option<DateTime<Utc>>,
    restart_count: i32,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "pod/{}: {}", name(&self.pod.metadata), self.end())
    }
}

impl Failure {
    /// How it ended, without the pod: `container main ended with exit code 7 (Error)`.
    pub(super) fn end(&self) -> String {
        let Self { container, exit_code, reason, .. } = self;
        let message = self.message.as_ref().map_or_else(String::new, |message| format!(": {message}"));
        format!("container {container} ended with exit code {exit_code} ({reason}){message}")
    }

    /// The container.
    pub(super) fn container(&self) -> &str {
        &self.container
    }

    /// The reason of its end: `Error`, `OOMKilled`.
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }

    /// The container of this pod that ended badly last.
    pub(super) fn of(pod: &Pod) -> Option<Self> {
        Self::all_of(pod).into_iter().max_by_key(|failure| failure.finished)
    }

    /// The containers of this pod that ended badly, those of the spec first.
    pub(super) fn all_of(pod: &Pod) -> Vec<Self> {
        let Some(status) = &pod.status else { return Vec::new() };
        let all =
            status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
        let ended_badly = |container: &ContainerStatus| {
            let end = [&container.state, &container.last_state]
                .into_iter()
                .find_map(|state| state.as_ref()?.terminated.as_ref())
                .filter(|end| end.exit_code != 0)?;
            Some(Self {
                pod: pod.clone(),
                container: container.name.clone(),
                exit_code: end.exit_code,
                reason: end.reason.clone().unwrap_or_default(),
                message: end.message.clone(),
                finished: end.finished_at.as_ref().map(|time| time.0),
                restart_count: container.restart_count,
            })
        };
        all.filter_map(ended_badly).collect()
    }
}

/// A few lines that tell why a Job has failed: pod, container, exit code, the end of its log.
pub(super) fn failure_evidence(client: &Client, job_uid: &str, last_lines: usize) -> Result<Option<String>> {
    let pods = client.read(&[Table::PODS, Table::RemovedPods])?.pods_of_job(job_uid)?;
    let failures = pods.iter().filter_map(Failure::of);
    let Some(failure) = failures.max_by_key(|failure| failure.finished) else { return Ok(None) };
    evidence_of(client, &failure, last_lines).map(Some)
}

/// The same of one container that ended badly.
pub(super) fn evidence_of(client: &Client, failure: &Failure, last_lines: usize) -> Result<String> {
    let mut text = failure.to_string();
    let options = LogOptions { tail: Some(last_lines), ..LogOptions::default() };
    let (runs, prefix) = (Runs::Only(failure.restart_count), "    ".to_owned());
    let mut log = Vec::new();
    client.log(&failure.pod, &failure.container, runs, options, prefix).read(&mut |piece| {
        if let LogPiece::Text(bytes) = piece {
            log.extend_from_slice(bytes);
        }
        Ok(())
    })?;
    if !log.is_empty() {
        text.push_str("; its log ends with:\n");
        text.push_str(String::from_utf8_lossy(&log).trim_end());
    }
    Ok(text)
}
