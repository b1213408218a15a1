//! CronJobs and the Jobs they control, as the CronJob controller sees them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::api::conditions::{is_job_condition_true, is_job_finished};
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, uid};
use crate::api::{CronJob, Job};

/// What a CronJob needs to know of a Job of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The Job's uid.
    pub uid: Box<str>,
    /// Whether it is complete (`true`) or has failed; `None` while it runs.
    pub succeeded: Option<bool>,
    /// `status.startTime`.
    pub started: Option<DateTime<Utc>>,
    /// `status.completionTime`.
    pub completed: Option<DateTime<Utc>>,
}

/// All CronJobs, with their Jobs.
#[derive(Clone, Debug, Default)]
pub struct CronJobs {
    objects: BTreeMap<Key, Arc<CronJob>>,
    keys: HashMap<Box<str>, Key>,
    children: HashMap<Box<str>, BTreeMap<Key, Child>>,
    owners: HashMap<Key, Box<str>>,
    dirty: BTreeSet<Key>,
    told: HashSet<String>,
}

impl CronJobs {
    /// A CronJob by key.
    pub fn get(&self, key: &Key) -> Option<&Arc<CronJob>> {
        self.objects.get(key)
    }

    /// The Jobs that a CronJob controls.
    pub fn children(&self, owner: &str) -> impl Iterator<Item = (&Key, &Child)> {
        self.children.get(owner).into_iter().flatten()
    }

    /// Whether this has been said before.
    pub fn was_told(&self, what: &str) -> bool {
        self.told.contains(what)
    }

    /// Remembers that something has been said.
    pub fn tell(&mut self, what: String) {
        self.told.insert(what);
    }

    /// Takes in a CronJob as stored.
    pub fn put(&mut self, cron_job: CronJob) {
        let key = key(&cron_job.metadata);
        self.keys.insert(uid(&cron_job.metadata).into(), key.clone());
        self.dirty.insert(key.clone());
        self.objects.insert(key, Arc::new(cron_job));
    }

    /// Takes in the removal of a CronJob.
    pub fn remove(&mut self, key: &Key) {
        if let Some(old) = self.objects.remove(key) {
            self.keys.remove(uid(&old.metadata));
        }
        // Named once more, so that its timer goes.
        self.dirty.insert(key.clone());
    }

    /// Takes in a Job as stored.
    pub(super) fn put_child(&mut self, job: &Job) {
        let key = key(&job.metadata);
        let owner = controller_of(&job.metadata).filter(|owner| owner.kind == "CronJob");
        let Some(owner) = owner else { return self.remove_child(&key) };
        let status = job.status.as_ref();
        let child = Child {
            uid: uid(&job.metadata).into(),
            succeeded: is_job_finished(job).then(|| is_job_condition_true(job, "Complete")),
            started: status.and_then(|status| Some(status.start_time.as_ref()?.0)),
            completed: status.and_then(|status| Some(status.completion_time.as_ref()?.0)),
        };
        let owner: Box<str> = owner.uid.as_str().into();
        let known = self.children.entry(owner.clone()).or_default().insert(key.clone(), child.clone());
        self.owners.insert(key, owner.clone());
        if known.as_ref() != Some(&child) {
            self.mark_dirty(&owner);
        }
    }

    /// Takes in the removal of a Job.
    pub(super) fn remove_child(&mut self, key: &Key) {
        let Some(owner) = self.owners.remove(key) else { return };
        if let Some(children) = self.children.get_mut(&owner) {
            children.remove(key);
            if children.is_empty() {
                self.children.remove(&owner);
            }
        }
        self.mark_dirty(&owner);
    }

    fn mark_dirty(&mut self, owner: &str) {
        self.dirty.extend(self.keys.get(owner).cloned());
    }

    /// Names a CronJob whose time has come.
    pub fn name(&mut self, key: Key) {
        self.dirty.insert(key);
    }

    /// Names all of them.
    pub(super) fn mark_all_dirty(&mut self) {
        self.dirty.extend(self.objects.keys().cloned());
    }

    /// The CronJobs about which something has changed.
    pub fn take_dirty(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.dirty)
    }
}
