//! What others have done since the last pass: reports of pods, commits of verbs, deaths of supervisors.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::super::outline::PodOutline;
use super::super::world::place;
use super::{Engine, Round};
use crate::api::Pod;
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, uid};
use crate::apiserver::DEFAULT_NAMESPACE;
use crate::controller::{JobFacts, PodEntry};
use crate::kubelet::actions::{container_event, lost_status, take_report};
use crate::kubelet::{Session, Supervisor, kill_strays, remove_groups, supervisor_of};
use crate::store::{Change, PodDirectory, PodReport, Table};

/// How long after a pod could not be started, for want of processes mostly, it is tried again.
const START_AGAIN: Duration = Duration::seconds(1);

impl Engine {
    /// Takes in what a supervisor says of its pod.
    pub(super) fn take_in(
        &mut self,
        report: &PodReport,
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<()> {
        let key = Key::new(&report.namespace, &report.name);
        let pod = self.world.live_pod(&key).filter(|pod| uid(&pod.metadata) == report.uid);
        if let Some((pod, events)) = pod.and_then(|pod| take_report(pod, &report.status, now)) {
            round.say(|| format!("pod/{} {}", report.name, report.status.phase.clone().unwrap_or_default()));
            events.into_iter().try_for_each(|event| self.record(event, round))?;
            self.put_pod(pod, round);
        }
        let pod = self.world.live_pod(&key).filter(|pod| uid(&pod.metadata) == report.uid).cloned();
        for told in &report.events {
            let Some(pod) = &pod else { break };
            let (kind, message) = ((told.type_.as_str(), told.reason.as_str()), told.message.clone());
            self.record(container_event(pod, &told.container, kind, message, now), round)?;
        }
        if report.last {
            if let Some(pod) = &pod {
                self.names.remember(pod, now);
            }
            if pod.is_some_and(|pod| self.may_have_files(&pod)) {
                round.ended.push(report.uid.clone());
            }
            self.suspects.remove(&report.uid);
            self.forget_supervisor(&report.uid);
        }
        Ok(())
    }

    /// Takes in what somebody else has committed.
    pub(super) fn apply(&mut self, change: &Change<'_>, round: &mut Round) -> Result<()> {
        let key = Key::new(change.namespace, change.name);
        let damaged = |error: serde_json::Error| {
            anyhow::Error::new(error).context(format!("{} (revision {})", place(change), change.revision))
        };
        match (change.table, change.object) {
            (Table::JOBS, Some(text)) => {
                let job: crate::api::Job = serde_json::from_str(text).map_err(damaged)?;
                // Replaced by another of the same name: the old one is gone, with all that was kept for it.
                if self.world.job_uid(&key).is_some_and(|old| old != uid(&job.metadata)) {
                    self.job_removed(&key, round);
                }
                self.world.put_job(job);
            }
            (Table::JOBS, None) => self.job_removed(&key, round),
            (Table::NODES, Some(text)) => {
                self.world.put_node(&serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CRON_JOBS, Some(text)) => {
                self.world.cron_jobs.put(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CRON_JOBS, None) => {
                self.world.cron_jobs.remove(&key);
                self.has_lost_owners = true;
            }
            (Table::PODS, Some(text)) => {
                let pod: Pod = serde_json::from_str(text).map_err(damaged)?;
                if self.world.pod_uid(&key).is_some_and(|old| old != uid(&pod.metadata)) {
                    self.pod_removed(&key, round);
                }
                self.world.put_pod(pod);
            }
            (Table::PODS, None) => self.pod_removed(&key, round),
            (Table::JobFacts, Some(text)) => {
                let facts: JobFacts = serde_json::from_str(text).map_err(damaged)?;
                if facts.hook_due {
                    round.hooks.insert((Kind::Job, key.clone()));
                }
                self.world.put_facts(key, facts);
            }
            (Table::JobFacts, None) => self.world.remove_facts(&key),
            (Table::Environments, Some(text)) => {
                self.environments.insert(change.name.into(), serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CONFIG_MAPS, Some(text)) => {
                self.config.put_config_map(serde_json::from_str(text).map_err(damaged)?);
                self.config_changed(&key, round);
            }
            (Table::SECRETS, Some(text)) => {
                self.config.put_secret(serde_json::from_str(text).map_err(damaged)?);
                self.config_changed(&key, round);
            }
            (Table::CONFIG_MAPS, None) => self.config.remove(Kind::ConfigMap, &key),
            (Table::SECRETS, None) => self.config.remove(Kind::Secret, &key),
            (Table::SERVICES, Some(text)) => {
                self.world.put_service(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::SERVICES, None) => self.world.remove_service(&key),
            (Table::CLAIMS, Some(text)) => {
                self.world.put_claim(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CLAIMS, None) => self.claim_removed(&key, round),
            (Table::PRIORITY_CLASSES, Some(text)) => {
                self.world.put_priority_class(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::PRIORITY_CLASSES, None) => self.world.remove_priority_class(&key),
            (Table::STATEFUL_SETS, Some(text)) => {
                self.world.stateful_sets.put(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::STATEFUL_SETS, None) => {
                self.world.stateful_sets.remove(&key);
                self.has_lost_owners = true;
            }
            (Table::CONTROLLER_REVISIONS, Some(text)) => {
                self.world.stateful_sets.put_revision(serde_json::from_str(text).map_err(damaged)?);
            }
            (Table::CONTROLLER_REVISIONS, None) => self.world.stateful_sets.remove_revision(&key),
            (Table::RemovedPods, Some(text)) => {
                let outline: PodOutline<'_> = serde_json::from_str(text).map_err(damaged)?;
                if let Some(owner) = outline.owner() {
                    round.directories.remove(outline.uid());
                    round.kept.insert(outline.uid().to_owned());
                    // Another Job may have taken it over from one that is gone.
                    round.writes.forget(Table::RemovedPods, &key);
                    self.world.put_removed_pod(key, outline.uid(), owner);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A Job is gone: so are the logs of pods kept for its sake.
    pub(super) fn job_removed(&mut self, key: &Key, round: &mut Round) {
        let Some(owner) = self.world.remove_job(key) else { return };
        self.has_lost_owners = true;
        for (pod, uid) in self.world.take_removed_pods(&owner) {
            round.writes.delete(Table::RemovedPods, pod);
            round.directories.insert(uid.into());
        }
    }

    pub(super) fn forget_supervisor(&mut self, pod_uid: &str) {
        self.supervised.remove(pod_uid);
        self.adopted.remove(pod_uid);
        self.unprepared.remove(pod_uid);
        self.names.forget(pod_uid);
    }

    /// A pod is gone; its directory goes with it, unless its Job keeps it (which a later change may say).
    pub(super) fn pod_removed(&mut self, key: &Key, round: &mut Round) {
        if let Some(entry) = self.world.pod(key) {
            let uid = match entry {
                PodEntry::Live(pod) => {
                    if pod.metadata.deletion_timestamp.is_some() && *key.namespace != *DEFAULT_NAMESPACE {
                        self.emptied_namespaces.insert(key.namespace.to_string());
                    }
                    uid(&pod.metadata).to_owned()
                }
                PodEntry::Done(pod) => pod.uid.to_string(),
            };
            self.forget_supervisor(&uid);
            // What says that it is kept may stand before or after this in the same commit.
            if !round.kept.contains(&uid) {
                round.directories.insert(uid);
            }
            self.world.remove_pod(key);
            self.has_lost_owners = true;
        }
        self.pod_timers.set(key, None);
    }

    /// Pods whose supervisor is gone without a last report: their processes are killed for certain, then they are
    /// Failed. A pod that was never claimed is simply started again.
    pub(super) fn settle_suspects(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        if self.suspects.is_empty() {
            return Ok(());
        }
        let keys: BTreeMap<String, Key> = self
            .world
            .live_pods()
            .map(|pod| (uid(&pod.metadata).to_owned(), key(&pod.metadata)))
            .filter(|(uid, _)| self.suspects.contains(uid))
            .collect();
        for pod_uid in std::mem::take(&mut self.suspects) {
            let Some(key) = keys.get(&pod_uid) else { continue };
            let Some(pod) = self.world.live_pod(key).cloned() else { continue };
            let directory = PodDirectory::new(self.store.pod_path(&pod_uid));
            self.forget_supervisor(&pod_uid);
            if !directory.is_claimed() {
                if pod.metadata.deletion_timestamp.is_some() {
                    self.world.enqueue_pod(key.clone());
                } else {
                    self.pod_timers.set(key, Some(now + START_AGAIN));
                }
                continue;
            }
            if is_pod_finished(&pod) {
                continue;
            }
            // Of what we have heard only the lock is proof: somebody else's supervisor may have this pod.
            if let Supervisor::Alive(process) = supervisor_of(&directory)? {
                self.adopt(&pod_uid, key, process);
                self.world.enqueue_pod(key.clone());
                continue;
            }
            // The commit that held its end may have been lost in a power cut.
            if let Some(report) = self.inbox.last_report_put_away(&directory) {
                self.take_in(&report, now, round)?;
                continue;
            }
            kill_left(&pod_uid, &directory);
            round.say(|| format!("pod/{} lost: its supervisor is gone", key.name));
            let mut lost = Pod::clone(&pod);
            lost.status = Some(lost_status(&pod, now));
            self.put_pod(lost, round);
        }
        Ok(())
    }
}

/// Kills what is left of a pod without a supervisor, for certain.
pub(super) fn kill_left(pod_uid: &str, directory: &PodDirectory) {
    let text = directory.lock_text();
    kill_strays(pod_uid, &Session::all_in(&text));
    remove_groups(pod_uid, &text);
}
