//! CronJobs and the Jobs they control, as the CronJob controller sees them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Something true for a while, to be said once. Only the last thing on a topic is remembered, so that a controller that
/// lives for months does not grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceEvent {
    /// The CronJob's uid.
    pub cron_job: Box<str>,
    /// An Event's reason, or the uid of the Job that it is about.
    pub topic: Box<str>,
    /// What distinguishes it from what else is said on the topic.
    pub what: String,
}

/// All CronJobs, with their Jobs.
#[derive(Clone, Debug, Default)]
pub struct CronJobs {
    objects: BTreeMap<Key, Arc<CronJob>>,
    keys: HashMap<Box<str>, Key>,
    children: HashMap<Box<str>, BTreeMap<Key, Child>>,
    owners: HashMap<Key, Box<str>>,
    dirty: BTreeSet<Key>,
    /// The last thing said on each topic: a CronJob's uid and what it is about.
    told: HashMap<(Box<str>, Box<str>), String>,
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

    /// Whether this was the last thing said on its topic.
    pub(super) fn was_recorded(&self, said: &OnceEvent) -> bool {
        self.told.get(&(said.cron_job.clone(), said.topic.clone())) == Some(&said.what)
    }

    /// Remembers that something has been said.
    pub fn mark_recorded(&mut self, said: OnceEvent) {
        self.told.insert((said.cron_job, said.topic), said.what);
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
            self.told.retain(|(cron_job, _), _| **cron_job != *uid(&old.metadata));
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
            if let Some(child) = children.remove(key) {
                self.told.remove(&(owner.clone(), child.uid));
            }
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
    pub fn enqueue(&mut self, key: Key) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_said_is_remembered_by_topic_and_goes_with_its_subject() {
        let mut cron_jobs = CronJobs::default();
        let cron_job = json!({"metadata": {"name": "c", "uid": "u"}});
        cron_jobs.put(serde_json::from_value(cron_job).expect("a CronJob"));
        let owner = json!([{"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u", "controller": true}]);
        let job = json!({"metadata": {"name": "j", "uid": "j-uid", "ownerReferences": owner}});
        cron_jobs.put_child(&serde_json::from_value(job).expect("a Job"));
        let said = |topic: &str, what: &str| OnceEvent {
            cron_job: "u".into(),
            topic: topic.into(),
            what: what.into(),
        };
        (0..1_000).for_each(|run| cron_jobs.mark_recorded(said("JobAlreadyActive", &run.to_string())));
        cron_jobs.mark_recorded(said("j-uid", ""));
        assert_eq!(cron_jobs.told.len(), 2);
        assert!(cron_jobs.was_recorded(&said("JobAlreadyActive", "999")));
        assert!(!cron_jobs.was_recorded(&said("JobAlreadyActive", "998")));
        cron_jobs.remove_child(&Key::new("default", "j"));
        assert!(!cron_jobs.was_recorded(&said("j-uid", "")));
        cron_jobs.remove(&Key::new("default", "c"));
        assert!(cron_jobs.told.is_empty());
    }
}
