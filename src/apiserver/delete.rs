//! `delete` with propagation, and eviction.

use anyhow::Result;
use k8s_openapi::Metadata;
use serde::de::DeserializeOwned;

use super::namespaces::mark_terminating;
use super::read::{Read as _, Source as _};
use super::transaction::Transaction;
use super::update::{not_changeable, unmet_precondition};
use crate::api::kinds::{Key, Kind, RESOURCES};
use crate::api::meta::{is_held, key, name, uid};
use crate::api::status_error::StatusError;
use crate::api::{CronJob, Job, Namespace, Node, ObjectMeta, PersistentVolumeClaim, Pod, StatefulSet};
use crate::registry::deletion::stateful_set::{Dependents, delete_stateful_set};
use crate::registry::deletion::{Deletion, Propagation, delete_cron_job, delete_job, delete_pod, evict_pod};
use crate::registry::object::Object;
use crate::registry::tombstones::Tombstone;
use crate::store::Table;

/// Namespaces that are always there.
const PROTECTED_NAMESPACES: [&str; 3] = ["default", "kube-public", "kube-system"];

pub(super) fn namespaced_kinds() -> impl Iterator<Item = Kind> {
    RESOURCES.iter().filter(|resource| resource.namespaced).map(|resource| resource.kind)
}

/// Whether the object is the one that is meant.
fn check_preconditions(kind: Kind, stored: &ObjectMeta, options: &DeleteOptions) -> Result<(), StatusError> {
    let unmet = |what, wanted, found| unmet_precondition(kind, name(stored), what, wanted, found);
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid(stored)) {
        return Err(unmet("UID", wanted, uid(stored)));
    }
    let version = stored.resource_version.as_deref().unwrap_or_default();
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != version) {
        return Err(unmet("ResourceVersion", wanted, version));
    }
    Ok(())
}

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
        let deleted = self.delete_with_dependents(kind, key, options)?;
        if options.propagation == Propagation::Orphan {
            self.orphan_config(&deleted.uid)?;
        }
        Ok(deleted)
    }

    fn delete_with_dependents(&mut self, kind: Kind, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        let DeleteOptions { propagation, grace_seconds, .. } = *options;
        let deleted = |uid: &str| Deleted { kind, key: key.clone(), uid: uid.to_owned() };
        match kind {
            Kind::Job => {
                let job: Job = self.wanted(kind, key, options)?;
                let pods = self.owned(Table::PODS, uid(&job.metadata))?;
                if propagation != Propagation::Foreground && !is_held(&job.metadata) {
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
                    for (job, _) in jobs.iter().filter(|(job, _)| !is_held(&job.metadata)) {
                        self.write_tombstone(job)?;
                    }
                }
                self.perform(delete_cron_job(&cron_job, jobs, propagation, grace_seconds, self.now))?;
                Ok(deleted(owner))
            }
            Kind::StatefulSet => {
                let set: StatefulSet = self.wanted(kind, key, options)?;
                let dependents = self.dependents_of(&set)?;
                self.perform(delete_stateful_set(&set, dependents, propagation, grace_seconds, self.now))?;
                Ok(deleted(uid(&set.metadata)))
            }
            Kind::Node => {
                self.wanted::<Node>(kind, key, options)?;
                let message = format!("the node {:?} is this machine: it cannot be deleted", key.name);
                Err(StatusError::MethodNotAllowed { message }.into())
            }
            Kind::Event => {
                self.get(kind, key)?;
                self.frees_room = true;
                self.remove(Table::from(kind), key.clone())?;
                Ok(deleted(""))
            }
            Kind::Namespace => self.delete_namespace(key, options),
            _ => {
                let found = self.get(kind, key)?;
                let object = Object::read(kind, &found.text).ok_or_else(|| not_changeable(kind))??;
                drop(found);
                check_preconditions(kind, object.meta(), options)?;
                self.frees_room = true;
                self.remove(Table::from(kind), key.clone())?;
                Ok(deleted(uid(object.meta())))
            }
        }
    }

    /// What goes with a StatefulSet.
    fn dependents_of(&self, set: &StatefulSet) -> Result<Dependents> {
        let owner = uid(&set.metadata);
        let pods: Vec<Pod> = self.owned(Table::PODS, owner)?;
        let mut claims_of_pods = Vec::new();
        for pod in &pods {
            claims_of_pods.extend(self.owned::<PersistentVolumeClaim>(Table::CLAIMS, uid(&pod.metadata))?);
        }
        Ok(Dependents {
            claims: self.owned(Table::CLAIMS, owner)?,
            revisions: self.owned(Table::CONTROLLER_REVISIONS, owner)?,
            claims_of_pods,
            pods,
        })
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
        check_preconditions(kind, object.metadata(), options)?;
        Ok(object)
    }

    /// Deletes a namespace with all that is in it. It goes at once, or with the last of its pods that are given time to end:
    /// until then it is Terminating.
    fn delete_namespace(&mut self, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        if PROTECTED_NAMESPACES.contains(&&*key.name) {
            let detail = "this namespace may not be deleted".to_owned();
            let name = key.name.to_string();
            return Err(StatusError::Forbidden { kind: Kind::Namespace, name, detail }.into());
        }
        let mut namespace: Namespace = self.wanted(Kind::Namespace, key, options)?;
        let within = DeleteOptions {
            propagation: Propagation::Background,
            grace_seconds: options.grace_seconds,
            ..DeleteOptions::default()
        };
        // Owners before what they own, which goes with them.
        for kind in [Kind::CronJob, Kind::Job, Kind::StatefulSet].into_iter().chain(namespaced_kinds()) {
            let found = self.entries(Table::from(kind))?;
            let keys: Vec<Key> = found
                .filter(|(other, _)| other.namespace == key.name)
                .map(|(other, _)| other.into_owned())
                .collect();
            for inner in keys {
                if self.entry(Table::from(kind), &inner)?.is_some() {
                    self.delete(kind, &inner, &within)?;
                }
            }
        }
        self.frees_room = true;
        let deleted =
            Deleted { kind: Kind::Namespace, key: key.clone(), uid: uid(&namespace.metadata).to_owned() };
        if self.has_content(&key.name)? {
            mark_terminating(&mut namespace, self.now);
            self.put(namespace);
        } else {
            self.remove(Table::NAMESPACES, key.clone())?;
        }
        Ok(deleted)
    }

    /// Claims that were made for a pod go with it.
    fn remove_claims_of(&mut self, pod: &Key) -> Result<()> {
        if self.stored(Table::CLAIMS)?.objects(Table::CLAIMS).next().is_none() {
            return Ok(());
        }
        let Some(pod) = self.current::<Pod>(Table::PODS, pod)? else { return Ok(()) };
        let claims: Vec<PersistentVolumeClaim> = self.owned(Table::CLAIMS, uid(&pod.metadata))?;
        for claim in claims {
            self.remove(Table::CLAIMS, key(&claim.metadata))?;
        }
        Ok(())
    }

    /// Writes what a deletion comes to.
    pub(super) fn perform(&mut self, deletions: impl IntoIterator<Item = Deletion>) -> Result<()> {
        self.frees_room = true;
        for deletion in deletions {
            match deletion {
                Deletion::RemoveJob(key) => {
                    if !self.hold(Kind::Job, &key)? {
                        self.writes.delete(Table::JobFacts, key.clone());
                        self.writes.delete(Table::JOBS, key);
                    }
                }
                Deletion::RemoveCronJob(key) => self.remove(Table::CRON_JOBS, key)?,
                Deletion::MarkCronJob(cron_job) => self.put(cron_job),
                Deletion::UpdateJob(job) | Deletion::MarkJob(job) => self.put(job),
                Deletion::RemoveStatefulSet(key) => self.remove(Table::STATEFUL_SETS, key)?,
                Deletion::MarkStatefulSet(set) => self.put(set),
                Deletion::RemoveClaim(key) => self.remove(Table::CLAIMS, key)?,
                Deletion::UpdateClaim(claim) => self.put(claim),
                Deletion::RemoveRevision(key) => self.remove(Table::CONTROLLER_REVISIONS, key)?,
                Deletion::UpdateRevision(revision) => self.put(revision),
                Deletion::RemovePod(key) => {
                    if !self.hold(Kind::Pod, &key)? {
                        self.remove_claims_of(&key)?;
                        self.writes.delete(Table::PODS, key);
                    }
                }
                Deletion::RetirePod(pod) if self.hold(Kind::Pod, &key(&pod.metadata))? => {}
                Deletion::RetirePod(pod) => {
                    self.put_removed_pod(&pod)?;
                    self.remove_claims_of(&key(&pod.metadata))?;
                    self.writes.delete(Table::PODS, key(&pod.metadata));
                }
                Deletion::UpdatePod(pod) => self.put(pod),
            }
        }
        Ok(())
    }

    /// Keeps how a Job that goes has ended.
    pub(super) fn write_tombstone(&mut self, job: &Job) -> Result<()> {
        self.put_text(Table::Tombstones, key(&job.metadata), &Tombstone::of(job))
    }
}
