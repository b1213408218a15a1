//! The objects as the controllers see them, indexed so that a pass costs what changed and not what exists.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::backoff::DEFAULT_BASE;
use super::cron_jobs::CronJobs;
use super::job::{ClockReading, JobFacts};
use super::leases::Leases;
use super::room::{Demand, NodeLimits, Room};
use super::scheduler;
use super::stateful_sets::StatefulSets;
use super::ttl::expiry;
use crate::api::conditions::{is_job_condition_true, is_job_finished, is_pod_finished, job_finished_at};
use crate::api::dependencies::dependencies;
use crate::api::devices::{Devices, leased};
use crate::api::hooks::Hooks;
use crate::api::images::Images;
use crate::api::kinds::Key;
use crate::api::meta::{
    FINALIZER_JOB_TRACKING, LABEL_CONTROLLER_UID, controller_of, has_finalizer, is_held, key, label, uid,
};
use crate::api::nodes::{Labels, well_known_labels};
use crate::api::priorities::PriorityClasses;
use crate::api::resource_field::Amounts;
use crate::api::{Job, Node, ObjectMeta, PersistentVolumeClaim, Pod, PodSpec, PriorityClass, Service};

/// A pod that something was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodOwner {
    /// Where it is stored.
    pub pod: Key,
    /// Its uid.
    pub uid: Box<str>,
}

/// What holds for all objects of this place.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The one node's name.
    pub node_name: String,
    /// The first back-off delay where an object does not say its own.
    pub backoff_base: Duration,
    /// Terminated pods beyond this number are removed, oldest first.
    pub terminated_pod_threshold: usize,
    /// This machine's time zone: that of schedules which name none.
    pub time_zone: Tz,
    /// What images run.
    pub images: Arc<Images>,
    /// What the node takes beyond what the machine is.
    pub limits: Arc<NodeLimits>,
    /// What is run when Jobs have ended.
    pub hooks: Arc<Hooks>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            node_name: "localhost".into(),
            backoff_base: DEFAULT_BASE,
            terminated_pod_threshold: 12_500,
            time_zone: Tz::UTC,
            images: Arc::default(),
            hooks: Arc::default(),
            limits: Arc::default(),
        }
    }
}

/// A Job: whole while it needs work, a few fields once it has finished.
#[derive(Clone, Debug)]
pub enum JobEntry {
    /// Synced whenever something about it changes.
    Unfinished(Arc<Job>),
    /// Complete or Failed: never synced again, only removed.
    Finished {
        /// The Job's uid.
        uid: Box<str>,
        /// When it ended.
        finished_at: Option<DateTime<Utc>>,
        /// When `ttlSecondsAfterFinished` removes it.
        expires_at: Option<DateTime<Utc>>,
        /// Being deleted, waiting for its pods.
        deleting: bool,
        /// Whether it is Complete, and not Failed.
        complete: bool,
    },
}

/// A pod: whole while anything can still happen to it, a few fields once its end has been counted.
#[derive(Clone, Debug)]
pub enum PodEntry {
    /// Running, waiting, stopping, or ended and not counted yet.
    Live(Arc<Pod>),
    /// Ended and counted: never looked at again, only removed.
    Done(DonePod),
}

/// What is left to know of a pod that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DonePod {
    /// The pod's uid.
    pub uid: Box<str>,
    /// The uid of the owner that controls it.
    pub owner: Option<Box<str>>,
    /// When it was created: the oldest are collected first.
    pub created: Option<DateTime<Utc>>,
}

/// All objects, with indexes.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What holds everywhere.
    pub settings: Settings,
    /// The clock of this pass.
    pub clock: ClockReading,
    jobs: BTreeMap<Key, JobEntry>,
    job_keys: HashMap<Box<str>, Key>,
    facts: BTreeMap<Key, JobFacts>,
    pods: BTreeMap<Key, PodEntry>,
    live: HashMap<Box<str>, BTreeSet<Key>>,
    done: HashMap<Box<str>, BTreeSet<Key>>,
    done_count: usize,
    live_keys: BTreeSet<Key>,
    orphans: BTreeSet<Key>,
    /// By the Jobs that others wait for: those others.
    dependents: BTreeMap<Key, BTreeSet<Key>>,
    manual_selectors: BTreeSet<Key>,
    removable: BTreeSet<Key>,
    abandoned: BTreeSet<Key>,
    dirty: BTreeSet<Key>,
    touched: BTreeSet<Key>,
    removed: HashMap<Box<str>, BTreeMap<Key, Box<str>>>,
    /// CronJobs and their Jobs.
    pub cron_jobs: CronJobs,
    /// StatefulSets and their revisions.
    pub stateful_sets: StatefulSets,
    cordoned: bool,
    node_labels: Option<Labels>,
    unscheduled: BTreeSet<Key>,
    /// Of those without a place, who has not been told that it waits for room.
    unsettled: BTreeSet<Key>,
    room: Room,
    leases: Leases,
    claims: BTreeMap<Key, Arc<PersistentVolumeClaim>>,
    /// The pods for which claims have been made.
    claim_owners: BTreeMap<Key, PodOwner>,
    services: BTreeMap<Key, Service>,
    priority_classes: PriorityClasses,
    /// Whether a Service or a pod that one may lead to is another than when this was last asked.
    names_changed: bool,
}

impl World {
    /// An empty world.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// A Job by key.
    pub fn job(&self, key: &Key) -> Option<&JobEntry> {
        self.jobs.get(key)
    }

    /// Whether the node takes only pods that tolerate it.
    pub fn is_cordoned(&self) -> bool {
        self.cordoned
    }

    /// The node's labels; the well-known ones where it is not stored yet.
    pub fn node_labels(&self) -> Cow<'_, Labels> {
        match &self.node_labels {
            Some(labels) => Cow::Borrowed(labels),
            None => Cow::Owned(well_known_labels(&self.settings.node_name)),
        }
    }

    /// Takes in a node as stored; only this machine's matters.
    pub fn put_node(&mut self, node: &Node) {
        if node.metadata.name.as_ref() == Some(&self.settings.node_name) {
            self.cordoned = node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true));
            self.node_labels = Some(node.metadata.labels.clone().unwrap_or_default());
        }
    }

    /// Takes in a claim as stored.
    pub fn put_claim(&mut self, claim: PersistentVolumeClaim) {
        let key = key(&claim.metadata);
        self.stateful_sets.mark_by_claim(&key);
        let owner = controller_of(&claim.metadata).filter(|owner| owner.kind == "Pod");
        match owner {
            Some(owner) => {
                let pod = Key::new(&key.namespace, &owner.name);
                self.claim_owners.insert(key.clone(), PodOwner { pod, uid: owner.uid.as_str().into() });
            }
            None => drop(self.claim_owners.remove(&key)),
        }
        self.claims.insert(key, Arc::new(claim));
    }

    /// The pod that a claim was made for.
    pub fn claim_owner(&self, key: &Key) -> Option<&PodOwner> {
        self.claim_owners.get(key)
    }

    /// Claims that were made for pods that are gone.
    pub fn claims_without_pod(&self) -> Vec<Key> {
        let gone =
            self.claim_owners.iter().filter(|(_, owner)| self.pod_uid(&owner.pod) != Some(&*owner.uid));
        gone.map(|(key, _)| key.clone()).collect()
    }

    /// Forgets a claim; returns its uid.
    pub fn remove_claim(&mut self, key: &Key) -> Option<Box<str>> {
        self.claim_owners.remove(key);
        self.stateful_sets.mark_by_claim(key);
        self.claims.remove(key).map(|claim| uid(&claim.metadata).into())
    }

    /// A claim by key.
    pub(super) fn claim(&self, key: &Key) -> Option<&Arc<PersistentVolumeClaim>> {
        self.claims.get(key)
    }

    /// The claims of a namespace whose names begin so.
    pub(super) fn claims_named<'a>(
        &'a self,
        namespace: &'a str,
        prefix: &str,
    ) -> impl Iterator<Item = &'a Arc<PersistentVolumeClaim>> + use<'a> {
        let prefix = prefix.to_owned();
        let from = self.claims.range(Key::new(namespace, &prefix)..);
        from.take_while(move |(key, _)| *key.namespace == *namespace && key.name.starts_with(&prefix))
            .map(|(_, claim)| claim)
    }

    /// Takes in a PriorityClass as stored. Pods may have waited to be made until it was there.
    pub fn put_priority_class(&mut self, class: PriorityClass) {
        self.priority_classes.put(class);
        self.mark_all_dirty();
    }

    /// Forgets a PriorityClass.
    pub fn remove_priority_class(&mut self, key: &Key) {
        self.priority_classes.remove(&key.name);
    }

    /// What new pods have their priorities from.
    pub(super) fn priority_classes(&self) -> &PriorityClasses {
        &self.priority_classes
    }

    /// Takes in a Service as stored.
    pub fn put_service(&mut self, service: Service) {
        self.names_changed = true;
        self.services.insert(key(&service.metadata), service);
    }

    /// Forgets a Service.
    pub fn remove_service(&mut self, key: &Key) {
        self.names_changed = true;
        self.services.remove(key);
    }

    /// All Services, by namespace and name.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values()
    }

    /// The uid of the claim that has this key.
    pub fn claim_uid(&self, key: &Key) -> Option<&str> {
        self.claims.get(key).map(|claim| uid(&claim.metadata))
    }

    /// Says how much pods can have of this node. A world that is not told admits only pods that ask for nothing: it does not
    /// know all pods.
    pub fn set_allocatable(&mut self, amounts: &Amounts) {
        self.room.set_allocatable(amounts);
    }

    /// Devices of this node for a pod that is admitted, of those that nobody has.
    pub(super) fn choose_devices(&self, spec: &PodSpec, given: &mut Devices) -> Option<Devices> {
        self.leases.choose(&self.settings.limits.devices, spec, given)
    }

    /// Uids of pods that are gone, and whose devices are leased until nothing of them runs any more.
    pub fn departing(&self) -> impl Iterator<Item = &str> {
        self.leases.departing()
    }

    /// A pod that is not stored may still run: where there are devices, it may have some.
    pub fn depart_unknown(&mut self, uid: &str) {
        if !self.settings.limits.devices.is_empty() {
            self.leases.depart_unknown(uid);
        }
    }

    /// Nothing of such a pod runs any more. Whether that ends a lease.
    pub fn departed(&mut self, uid: &str) -> bool {
        self.leases.departed(uid)
    }

    pub(super) fn room(&self) -> &Room {
        &self.room
    }

    /// Pods without a place that have not been told that they wait for room.
    pub(super) fn unsettled(&self) -> impl Iterator<Item = &Key> {
        self.unsettled.iter()
    }

    /// Pods that wait for a node.
    pub fn unscheduled(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.unscheduled.iter().filter_map(|key| self.live_pod(key))
    }

    /// The uid of the Job that has this key.
    pub fn job_uid(&self, key: &Key) -> Option<&str> {
        Some(match self.jobs.get(key)? {
            JobEntry::Unfinished(job) => uid(&job.metadata),
            JobEntry::Finished { uid, .. } => uid,
        })
    }

    /// The uid of the pod that has this key.
    pub fn pod_uid(&self, key: &Key) -> Option<&str> {
        Some(match self.pods.get(key)? {
            PodEntry::Live(pod) => uid(&pod.metadata),
            PodEntry::Done(pod) => &pod.uid,
        })
    }

    /// The key of a Job by uid.
    pub fn job_key(&self, uid: &str) -> Option<&Key> {
        self.job_keys.get(uid)
    }

    /// An unfinished Job by uid.
    pub fn unfinished_job(&self, uid: &str) -> Option<&Arc<Job>> {
        match self.jobs.get(self.job_keys.get(uid)?)? {
            JobEntry::Unfinished(job) => Some(job),
            JobEntry::Finished { .. } => None,
        }
    }

    /// What the Job controller remembers of a Job.
    pub fn facts(&self, key: &Key) -> Option<&JobFacts> {
        self.facts.get(key)
    }

    /// The Jobs whose hooks are due.
    pub fn due_hooks(&self) -> impl Iterator<Item = &Key> {
        self.facts.iter().filter(|(_, facts)| facts.hook_due).map(|(key, _)| key)
    }

    /// A pod by key.
    pub fn pod(&self, key: &Key) -> Option<&PodEntry> {
        self.pods.get(key)
    }

    /// A pod that is not done, by key.
    pub fn live_pod(&self, key: &Key) -> Option<&Arc<Pod>> {
        match self.pods.get(key)? {
            PodEntry::Live(pod) => Some(pod),
            PodEntry::Done(_) => None,
        }
    }

    /// The pods of an owner that are not done, by name.
    pub fn live_pods_of<'a>(&'a self, owner: &str) -> impl Iterator<Item = &'a Arc<Pod>> + 'a {
        self.live.get(owner).into_iter().flatten().filter_map(|key| self.live_pod(key))
    }

    /// The done pods of an owner.
    pub fn done_pods_of<'a>(&'a self, owner: &str) -> impl Iterator<Item = &'a Key> + 'a {
        self.done.get(owner).into_iter().flatten()
    }

    /// The pods in a namespace that are not done and that nobody controls: a Job may adopt them.
    pub fn orphans_in<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = &'a Arc<Pod>> + 'a {
        self.orphans
            .iter()
            .filter(move |key| *key.namespace == *namespace)
            .filter_map(|key| self.live_pod(key))
    }

    /// Such pods whose names begin so.
    pub(super) fn orphans_named<'a>(
        &'a self,
        namespace: &'a str,
        prefix: &str,
    ) -> impl Iterator<Item = &'a Arc<Pod>> + use<'a> {
        let prefix = prefix.to_owned();
        let from = self.orphans.range(Key::new(namespace, &prefix)..);
        from.take_while(move |key| *key.namespace == *namespace && key.name.starts_with(&prefix))
            .filter_map(|key| self.live_pod(key))
    }

    /// What an owner that pods are made of says of itself.
    pub fn maker(&self, owner: &str) -> Option<&ObjectMeta> {
        let job = self.unfinished_job(owner).map(|job| &job.metadata);
        job.or_else(|| self.stateful_sets.by_uid(owner).map(|set| &set.metadata))
    }

    /// Every pod that is not done.
    pub fn live_pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.live_keys.iter().filter_map(|key| self.live_pod(key))
    }

    /// The same of one namespace.
    pub fn live_pods_in(&self, namespace: &str) -> impl Iterator<Item = &Arc<Pod>> {
        let keys = self.live_keys.range(Key::new(namespace, "")..);
        keys.take_while(move |key| *key.namespace == *namespace).filter_map(|key| self.live_pod(key))
    }

    /// The Services of a namespace.
    pub fn services_in(&self, namespace: &str) -> impl Iterator<Item = &Service> {
        let services = self.services.range(Key::new(namespace, "")..);
        services.take_while(move |(key, _)| *key.namespace == *namespace).map(|(_, service)| service)
    }

    /// Whether what pods are told of names may be another than when this was last asked.
    pub fn take_names_changed(&mut self) -> bool {
        std::mem::take(&mut self.names_changed)
    }

    /// How many pods are done and still stored.
    pub fn done_count(&self) -> usize {
        self.done_count
    }

    /// Pods that have stopped and are marked for deletion, with nobody left to count them.
    pub(super) fn pods_to_remove(&self) -> impl Iterator<Item = &Key> {
        self.removable.iter()
    }

    /// Pods that wait to be counted by a Job that is gone.
    pub(super) fn abandoned_pods(&self) -> impl Iterator<Item = &Arc<Pod>> {
        self.abandoned.iter().filter_map(|key| self.live_pod(key))
    }

    /// The oldest done pods beyond the node's threshold (upstream's pod garbage collector).
    pub fn excess_done_pods(&self) -> Vec<Key> {
        let excess = self.done_count.saturating_sub(self.settings.terminated_pod_threshold);
        if excess == 0 {
            return Vec::new();
        }
        let mut done: Vec<(Option<DateTime<Utc>>, &Key)> = self
            .pods
            .iter()
            .filter_map(|(key, entry)| match entry {
                PodEntry::Done(pod) => Some((pod.created, key)),
                PodEntry::Live(_) => None,
            })
            .collect();
        done.sort();
        done.into_iter().take(excess).map(|(_, key)| key.clone()).collect()
    }

    /// Takes the Jobs that have changed, or whose pods have, since the last call.
    pub fn take_dirty(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.dirty)
    }

    /// Takes the pods that have changed and are not done, since the last call: the kubelet looks at them.
    pub fn take_enqueued_pods(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.touched)
    }

    /// Names a pod for the kubelet's next look.
    pub fn enqueue_pod(&mut self, key: Key) {
        self.touched.insert(key);
    }

    /// Takes in a pod that was removed while its Job lives on; its logs are kept until the Job goes.
    pub fn put_removed_pod(&mut self, key: Key, uid: &str, owner: &str) {
        self.removed.entry(owner.into()).or_default().insert(key, uid.into());
    }

    /// The removed pods of an owner that is gone: their keys and uids. They are forgotten here.
    pub fn take_removed_pods(&mut self, owner: &str) -> BTreeMap<Key, Box<str>> {
        self.removed.remove(owner).unwrap_or_default()
    }

    /// Every uid whose directory must stay.
    pub fn known_uids(&self) -> HashSet<Box<str>> {
        let stored = self.pods.values().map(|entry| match entry {
            PodEntry::Live(pod) => uid(&pod.metadata).into(),
            PodEntry::Done(pod) => pod.uid.clone(),
        });
        stored.chain(self.removed.values().flat_map(|pods| pods.values().cloned())).collect()
    }

    /// Names a Job for the next sync.
    pub fn mark_dirty(&mut self, key: Key) {
        self.dirty.insert(key);
    }

    /// Every Job, for the first sync after loading.
    pub fn mark_all_dirty(&mut self) {
        self.cron_jobs.mark_all_dirty();
        self.stateful_sets.mark_all_dirty();
        self.dirty.extend(self.jobs.keys().cloned());
    }

    /// Takes in a Job as stored.
    pub fn put_job(&mut self, job: Job) {
        let key = key(&job.metadata);
        self.cron_jobs.put_child(&job);
        self.job_keys.insert(uid(&job.metadata).into(), key.clone());
        self.update_abandoned(uid(&job.metadata));
        self.note_dependencies(&key, &job);
        let entry = if is_job_finished(&job) {
            let finished_at = job_finished_at(&job);
            let ttl = job.spec.as_ref().and_then(|spec| spec.ttl_seconds_after_finished);
            JobEntry::Finished {
                uid: uid(&job.metadata).into(),
                finished_at,
                expires_at: ttl.and_then(|ttl| Some(expiry(finished_at?, ttl))),
                deleting: job.metadata.deletion_timestamp.is_some(),
                complete: is_job_condition_true(&job, "Complete"),
            }
        } else {
            if job.spec.as_ref().is_some_and(|spec| spec.manual_selector == Some(true)) {
                self.manual_selectors.insert(key.clone());
            }
            JobEntry::Unfinished(Arc::new(job))
        };
        if matches!(entry, JobEntry::Finished { .. }) {
            self.manual_selectors.remove(&key);
        }
        self.jobs.insert(key.clone(), entry);
        self.tell_dependents(&key);
        self.dirty.insert(key);
    }

    /// Has the Jobs looked at that wait for one that has changed.
    fn tell_dependents(&mut self, key: &Key) {
        let waiting = self.dependents.get(key).into_iter().flatten();
        self.dirty.extend(waiting.cloned());
    }

    /// How a Job has ended: complete or not; the inner `None` is one that has not ended, the outer one that is not there.
    pub(super) fn job_outcome(&self, key: &Key) -> Option<Option<bool>> {
        Some(match self.jobs.get(key)? {
            JobEntry::Unfinished(_) => None,
            JobEntry::Finished { complete, .. } => Some(*complete),
        })
    }

    /// Notes which Jobs one waits for as long as it has not started.
    fn note_dependencies(&mut self, key: &Key, job: &Job) {
        let is_waiting = job.status.as_ref().is_none_or(|status| status.start_time.is_none());
        for dependency in dependencies(&job.metadata) {
            let awaited = Key::new(&key.namespace, &dependency.job);
            if is_waiting {
                self.dependents.entry(awaited).or_default().insert(key.clone());
            } else if let Some(waiting) = self.dependents.get_mut(&awaited) {
                waiting.remove(key);
            }
        }
    }

    /// Takes in the removal of a Job; returns its uid.
    pub fn remove_job(&mut self, key: &Key) -> Option<Box<str>> {
        self.facts.remove(key);
        self.cron_jobs.remove_child(key);
        self.manual_selectors.remove(key);
        self.tell_dependents(key);
        // Named once more, so that its timer goes.
        self.dirty.insert(key.clone());
        let owner: Box<str> = match self.jobs.remove(key)? {
            JobEntry::Unfinished(job) => uid(&job.metadata).into(),
            JobEntry::Finished { uid, .. } => uid,
        };
        self.job_keys.remove(&owner);
        self.update_abandoned(&owner);
        Some(owner)
    }

    /// Takes in what the Job controller remembers.
    pub fn put_facts(&mut self, key: Key, facts: JobFacts) {
        self.facts.insert(key, facts);
    }

    /// Takes in the removal of what the Job controller remembers.
    pub fn remove_facts(&mut self, key: &Key) {
        self.facts.remove(key);
    }

    /// Takes in a pod as stored.
    pub fn put_pod(&mut self, pod: Pod) {
        let key = key(&pod.metadata);
        // Another pod of this name: the one before was removed by force.
        if self.leases.holder(&key).is_some_and(|holder| holder != uid(&pod.metadata)) {
            self.leases.depart(&key);
        }
        if is_done(&pod) {
            let done = DonePod {
                uid: uid(&pod.metadata).into(),
                owner: controller_of(&pod.metadata).map(|owner| owner.uid.as_str().into()),
                created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            };
            self.put_done_pod(key, done);
            return;
        }
        self.forget_pod(&key);
        self.stateful_sets.mark_by_pod(&key);
        if let Some(owner) = controller_of(&pod.metadata) {
            self.live.entry(owner.uid.as_str().into()).or_default().insert(key.clone());
            self.mark_owner_dirty(&owner.uid);
        } else {
            self.mark_adopters_dirty(&pod);
            self.orphans.insert(key.clone());
        }
        if is_removable(&pod) {
            self.removable.insert(key.clone());
        }
        if self.is_abandoned(&pod) {
            self.abandoned.insert(key.clone());
        }
        self.find_place(&pod, &key);
        self.names_changed |= !self.services.is_empty();
        self.live_keys.insert(key.clone());
        self.touched.insert(key.clone());
        self.pods.insert(key, PodEntry::Live(Arc::new(pod)));
    }

    /// Takes in a pod that is known to be done, without its text having been parsed whole.
    pub fn put_done_pod(&mut self, key: Key, pod: DonePod) {
        self.forget_pod(&key);
        if let Some(owner) = &pod.owner {
            self.done.entry(owner.clone()).or_default().insert(key.clone());
        }
        self.done_count += 1;
        self.pods.insert(key, PodEntry::Done(pod));
    }

    /// Takes in the removal of a pod.
    pub fn remove_pod(&mut self, key: &Key) {
        self.leases.depart(key);
        self.forget_pod(key);
    }

    /// Notes what a pod takes of the node, or that it waits for it.
    fn find_place(&mut self, pod: &Pod, key: &Key) {
        if is_pod_finished(pod) {
            return;
        }
        let demand =
            pod.spec.as_ref().map(|spec| Demand::of(spec, &self.settings.limits)).unwrap_or_default();
        if scheduler::is_bound(pod) {
            self.room.hold(key, demand);
            self.leases.hold(key, uid(&pod.metadata), leased(pod));
        } else if scheduler::is_unscheduled(pod) {
            self.unscheduled.insert(key.clone());
            // Who was told so may ask for nothing by now: what counts as asked for is a matter of configuration.
            if demand.is_empty() || !scheduler::is_told_of_room(pod) {
                self.unsettled.insert(key.clone());
            }
            self.room.wait(pod, demand);
        }
    }

    fn forget_pod(&mut self, key: &Key) {
        self.unscheduled.remove(key);
        self.unsettled.remove(key);
        self.room.forget(key);
        self.leases.end(key);
        let owner = match self.pods.remove(key) {
            None => return,
            Some(PodEntry::Live(pod)) => {
                self.names_changed |= !self.services.is_empty();
                self.live_keys.remove(key);
                self.removable.remove(key);
                self.abandoned.remove(key);
                self.orphans.remove(key);
                controller_of(&pod.metadata).map(|owner| Box::from(owner.uid.as_str()))
            }
            Some(PodEntry::Done(pod)) => {
                self.done_count -= 1;
                pod.owner
            }
        };
        self.stateful_sets.mark_by_pod(key);
        let Some(owner) = owner else { return };
        for index in [&mut self.live, &mut self.done] {
            if let Some(keys) = index.get_mut(&owner) {
                keys.remove(key);
                if keys.is_empty() {
                    index.remove(&owner);
                }
            }
        }
        self.mark_owner_dirty(&owner);
    }

    /// Whether a pod waits to be counted by a Job that does not exist.
    fn is_abandoned(&self, pod: &Pod) -> bool {
        has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING)
            && controller_of(&pod.metadata).is_some_and(|owner| !self.job_keys.contains_key(&*owner.uid))
    }

    /// After a Job has come or gone.
    fn update_abandoned(&mut self, owner: &str) {
        for key in self.live.get(owner).into_iter().flatten() {
            let is_abandoned = self.live_pod(key).is_some_and(|pod| self.is_abandoned(pod));
            if is_abandoned {
                self.abandoned.insert(key.clone());
            } else {
                self.abandoned.remove(key);
            }
        }
    }

    /// Names the Jobs that may want a pod without an owner: by the label that the API server gives, or by a selector
    /// that somebody wrote.
    fn mark_adopters_dirty(&mut self, pod: &Pod) {
        if let Some(owner) = label(&pod.metadata, LABEL_CONTROLLER_UID) {
            self.mark_owner_dirty(owner);
        }
        self.dirty.extend(self.manual_selectors.iter().cloned());
    }

    fn mark_owner_dirty(&mut self, owner: &str) {
        if let Some(key) = self.job_keys.get(owner) {
            self.dirty.insert(key.clone());
        }
        self.stateful_sets.mark_dirty(owner);
    }
}

/// Whether nothing can happen to a pod any more: ended, counted, and not about to be removed.
fn is_done(pod: &Pod) -> bool {
    is_pod_finished(pod)
        && pod.metadata.deletion_timestamp.is_none()
        && !has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING)
        && !is_held(&pod.metadata)
}

/// Whether a pod marked for deletion has stopped, and nobody is left who would count it.
fn is_removable(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
        && is_pod_finished(pod)
        && !has_finalizer(&pod.metadata, FINALIZER_JOB_TRACKING)
        && !is_held(&pod.metadata)
}
