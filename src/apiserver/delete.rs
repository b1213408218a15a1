//! `delete` with propagation, and eviction.

use anyhow::Result;
use k8s_openapi::Metadata;
use serde::de::DeserializeOwned;

use super::read::Read as _;
use super::transaction::Transaction;
use super::update::unmet_precondition;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, uid};
use crate::api::status_error::StatusError;
use crate::api::{CronJob, Job, Node, ObjectMeta, Pod};
use crate::registry::deletion::{Deletion, Propagation, delete_cron_job, delete_job, delete_pod, evict_pod};
use crate::registry::tombstones::Tombstone;
use crate::store::Table;

/// How an object is deleted.
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// What becomes of its dependents.
    pub propagation: Propagation,
    /// Seconds given to processes; `None` is what each pod says.
    pub grace_seconds: Option<i64>,
    /// Only the object of this uid.
    pub uid: Option<String>,
    /// Only at this resourceVersion.
    pub resource_version: Option<String>,
}

/// An object that has been deleted, or is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub key: Key,
    /// Which one of that name; empty for Events.
    pub uid: String,
}

impl Transaction {
    /// Deletes an object.
    ///
    /// # Errors
    /// [`StatusError::NotFound`]; [`StatusError::Conflict`] where it is not the one that is meant;
    /// [`StatusError::MethodNotAllowed`] for the node.
    pub fn delete(&mut self, kind: Kind, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        let DeleteOptions { propagation, grace_seconds, .. } = *options;
        let deleted = |uid: &str| Deleted { kind, key: key.clone(), uid: uid.to_owned() };
        match kind {
            Kind::Job => {
                let job: Job = self.wanted(kind, key, options)?;
                let pods = self.owned(Table::PODS, uid(&job.metadata))?;
                if propagation != Propagation::Foreground {
                    self.write_tombstone(&job)?;
                }
                self.perform(delete_job(&job, pods, propagation, grace_seconds, self.now))?;
                Ok(deleted(uid(&job.metadata)))
            }
            Kind::Pod => {
                let pod: Pod = self.wanted(kind, key, options)?;
                let pod_uid = uid(&pod.metadata).to_owned();
                self.perform([delete_pod(pod, grace_seconds, self.now)])?;
                Ok(deleted(&pod_uid))
            }
            Kind::CronJob => {
                let cron_job: CronJob = self.wanted(kind, key, options)?;
                let owner = uid(&cron_job.metadata);
                let mut jobs = Vec::new();
                for job in self.owned::<Job>(Table::JOBS, owner)? {
                    let pods = self.owned(Table::PODS, uid(&job.metadata))?;
                    jobs.push((job, pods));
                }
                if propagation == Propagation::Background {
                    for (job, _) in &jobs {
                        self.write_tombstone(job)?;
                    }
                }
                self.perform(delete_cron_job(&cron_job, jobs, propagation, grace_seconds, self.now))?;
                Ok(deleted(owner))
            }
            Kind::Node => {
                self.wanted::<Node>(kind, key, options)?;
                let message = format!("the node {:?} is this machine: it cannot be deleted", key.name);
                Err(StatusError::MethodNotAllowed { message }.into())
            }
            Kind::Event => {
                self.get(kind, key)?;
                self.frees_room = true;
                self.remove(Table::from(kind), key.clone());
                Ok(deleted(""))
            }
        }
    }

    /// Evicts a pod: it is told apart from one that fails of itself by its condition (the eviction subresource).
    ///
    /// # Errors
    /// [`StatusError::NotFound`].
    pub fn evict(&mut self, key: &Key, grace_seconds: Option<i64>) -> Result<Deleted> {
        let pod: Pod = self.wanted(Kind::Pod, key, &DeleteOptions::default())?;
        let pod_uid = uid(&pod.metadata).to_owned();
        self.perform([evict_pod(pod, grace_seconds, self.now)])?;
        Ok(Deleted { kind: Kind::Pod, key: key.clone(), uid: pod_uid })
    }

    /// The object that is to be deleted, if it is the one that is meant.
    fn wanted<T>(&self, kind: Kind, key: &Key, options: &DeleteOptions) -> Result<T>
    where
        T: DeserializeOwned + Metadata<Ty = ObjectMeta>,
    {
        let object: Option<T> = self.current(Table::from(kind), key)?;
        let object = object.ok_or_else(|| StatusError::not_found(kind, &key.name))?;
        let stored = object.metadata();
        let unmet = |what, wanted, found| unmet_precondition(kind, &key.name, what, wanted, found);
        if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid(stored)) {
            return Err(unmet("UID", wanted, uid(stored)).into());
        }
        let version = stored.resource_version.as_deref().unwrap_or_default();
        if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != version) {
            return Err(unmet("ResourceVersion", wanted, version).into());
        }
        Ok(object)
    }

    /// Writes what a deletion comes to.
    fn perform(&mut self, deletions: impl IntoIterator<Item = Deletion>) -> Result<()> {
        self.frees_room = true;
        for deletion in deletions {
            match deletion {
                Deletion::RemoveJob(key) => {
                    self.remove(Table::JobFacts, key.clone());
                    self.remove(Table::JOBS, key);
                }
                Deletion::RemoveCronJob(key) => self.remove(Table::CRON_JOBS, key),
                Deletion::MarkCronJob(cron_job) => self.put(cron_job),
                Deletion::UpdateJob(job) | Deletion::MarkJob(job) => self.put(job),
                Deletion::RemovePod(key) => self.remove(Table::PODS, key),
                Deletion::RetirePod(pod) => {
                    self.put_removed_pod(&pod)?;
                    self.remove(Table::PODS, key(&pod.metadata));
                }
                Deletion::UpdatePod(pod) => self.put(pod),
            }
        }
        Ok(())
    }

    /// Keeps how a Job that goes has ended.
    fn write_tombstone(&mut self, job: &Job) -> Result<()> {
        self.put_text(Table::Tombstones, key(&job.metadata), &Tombstone::of(job))
    }
}
