//! Requests that are committed together.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::namespaces::{DEFAULT_NAMESPACE, default_namespace_uid, namespace_named};
use super::owners::Owners;
use super::read::{Entries, Entry, Source};
use super::recorder::Recorder;
use super::writes::Writes;
use crate::api::dependencies::dependencies;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, namespace};
use crate::api::status_error::StatusError;
use crate::api::{Job, Namespace, Node, PersistentVolumeClaim, Pod, PodSpec};
use crate::controller::{Action, ClockReading, Settings, World, reconcile, scheduler};
use crate::registry::object::Object;
use crate::registry::strategy::persistent_volume_claim;
use crate::store::{LockedStore, State, Store, Table, Tail};

/// The time of a request, by both clocks, and a seed for its names and uids.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The wall clock.
    pub now: DateTime<Utc>,
    /// How it stands to the time since boot.
    pub clock: ClockReading,
    /// From the system's randomness.
    pub seed: u64,
}

/// Requests under way: the store is locked, and nothing is stored before [`Transaction::commit`].
#[derive(Debug)]
pub struct Transaction {
    store: Store,
    settings: Settings,
    locked: LockedStore,
    /// The tables asked for at the start, read in one go.
    state: State,
    /// Tables that turned out to be wanted later.
    more: BTreeMap<Table, OnceCell<State>>,
    pub(super) writes: Writes,
    pub(super) owners: Owners,
    pub(super) now: DateTime<Utc>,
    clock: ClockReading,
    pub(super) random: fastrand::Rng,
    created: BTreeSet<(Kind, Key)>,
    /// Whether something is deleted, which is going to free room on the disk.
    pub(super) frees_room: bool,
    /// Who makes the requests, where account is kept of who manages which field.
    pub(super) manager: Option<String>,
}

impl Transaction {
    /// Locks the store. `tables` are those that will be wanted; others are read when they are.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn begin(store: &Store, settings: &Settings, moment: Moment, tables: &[Table]) -> Result<Self> {
        let mut loaded = tables.to_vec();
        // Whoever makes pods asks for them.
        loaded.push(Table::PRIORITY_CLASSES);
        loaded.sort_unstable();
        loaded.dedup();
        let (locked, state) = store.lock_and_read(&loaded)?;
        let mut transaction = Self::after(store, settings, moment, locked, state);
        let others = Table::all().filter(|table| !loaded.contains(table));
        transaction.more = others.map(|table| (table, OnceCell::new())).collect();
        Ok(transaction)
    }

    /// As [`Transaction::begin`], for whoever holds all tables and has locked the store.
    pub fn after(
        store: &Store,
        settings: &Settings,
        moment: Moment,
        locked: LockedStore,
        state: State,
    ) -> Self {
        Self {
            store: store.clone(),
            settings: settings.clone(),
            locked,
            state,
            more: BTreeMap::new(),
            writes: Writes::default(),
            owners: Owners::default(),
            now: moment.now,
            clock: moment.clock,
            random: fastrand::Rng::with_seed(moment.seed),
            created: BTreeSet::new(),
            frees_room: false,
            manager: None,
        }
    }

    /// A table as it is stored. Nobody else commits meanwhile, so it does not matter when it is read.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn stored(&self, table: Table) -> Result<&State> {
        let Some(cell) = self.more.get(&table) else { return Ok(&self.state) };
        if cell.get().is_none() {
            let (state, _) = self.store.read(&[table])?;
            return Ok(cell.get_or_init(|| state));
        }
        Ok(cell.get().unwrap_or(&self.state))
    }

    /// An object as these requests leave it: what they have made of it so far, else as stored.
    ///
    /// # Errors
    /// A damaged object.
    pub fn current<T: DeserializeOwned>(&self, table: Table, key: &Key) -> Result<Option<T>> {
        self.entry(table, key)?.map(|entry| entry.parse()).transpose()
    }

    /// Writes an object.
    pub(super) fn put(&mut self, object: impl Into<Object>) {
        let object = object.into();
        self.owners.note(Table::from(object.kind()), &object.key(), object.meta());
        self.writes.put(object);
    }

    /// Keeps a pod that is removed while its Job lives on.
    pub(super) fn put_removed_pod(&mut self, pod: &Pod) -> Result<()> {
        let pod_key = key(&pod.metadata);
        self.owners.note(Table::RemovedPods, &pod_key, &pod.metadata);
        self.put_text(Table::RemovedPods, pod_key, pod)
    }

    /// Writes a record that is no object of the API.
    pub(super) fn put_text(&mut self, table: Table, key: Key, record: &impl Serialize) -> Result<()> {
        self.writes.put_text(table, key, serde_json::to_string(record)?);
        Ok(())
    }

    /// What is there though nobody has stored it: a namespace.
    fn unstored(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        if table != Table::NAMESPACES || *key.name != *DEFAULT_NAMESPACE {
            return Ok(None);
        }
        Ok(Some(Entry::Written(serde_json::to_string(&self.default_namespace())?)))
    }

    pub(super) fn default_namespace(&self) -> Namespace {
        namespace_named(DEFAULT_NAMESPACE, &default_namespace_uid(), self.now)
    }

    /// Whether an object is there by these requests or those before.
    pub(super) fn is_stored(&self, table: Table, key: &Key) -> Result<bool> {
        match self.writes.text_of(table, key)? {
            Some(text) => Ok(text.is_some()),
            None => Ok(self.stored(table)?.get(table, key).is_some()),
        }
    }

    /// Deletes an object, or marks it where somebody holds it back.
    pub(super) fn remove(&mut self, table: Table, key: Key) -> Result<()> {
        if let Table::Kind(kind) = table
            && self.hold(kind, &key)?
        {
            return Ok(());
        }
        self.writes.delete(table, key);
        Ok(())
    }

    /// The node is this machine, and Events are recorded: requests make neither.
    pub(super) fn require_creatable(kind: Kind) -> Result<(), StatusError> {
        let message = match kind {
            Kind::Node => "the node is this machine: it registers itself",
            Kind::Event => "Events are recorded, they cannot be created",
            kind if kind.is_derived() => "they are made of Services and pods, they cannot be created",
            _ => return Ok(()),
        };
        Err(StatusError::MethodNotAllowed { message: message.into() })
    }

    /// Refuses what these requests have created already: the second would take the first one's place, and nobody would look
    /// after the pods of that.
    ///
    /// # Errors
    /// [`StatusError::AlreadyExists`].
    pub fn require_new(&self, kind: Kind, key: &Key) -> Result<(), StatusError> {
        if self.created.contains(&(kind, key.clone())) {
            return Err(StatusError::AlreadyExists { kind, name: key.name.to_string() });
        }
        Ok(())
    }

    /// Notes that an object is taken, so that it is not asked for twice.
    pub fn take(&mut self, kind: Kind, key: Key) {
        self.created.insert((kind, key));
    }

    /// Writes a new object with what comes of it at once.
    pub(super) fn store_new(&mut self, object: &mut Object) -> Result<()> {
        self.require_new(object.kind(), &object.key())?;
        self.take(object.kind(), object.key());
        match &*object {
            Object::Job(job) => self.create_job(Job::clone(job))?,
            Object::Pod(pod) => self.create_pod(Pod::clone(pod))?,
            // The answer is the claim as it came; whoever looks next sees it bound.
            Object::PersistentVolumeClaim(claim) => {
                let mut claim = claim.clone();
                persistent_volume_claim::bind(&mut claim);
                self.put(claim);
            }
            other => self.put(other.clone()),
        }
        self.number(object);
        Ok(())
    }

    /// Gives an object the resourceVersion that its write will have; nothing forgets a write of a transaction.
    pub(super) fn number(&self, object: &mut Object) {
        let number = self.writes.number_of(Table::from(object.kind()), &object.key());
        let revision = number.map(|number| (self.locked.next_revision() + number).to_string());
        object.meta_mut().resource_version = revision;
    }

    /// The revision that an object's write will have.
    pub(super) fn revision_of(&self, table: Table, key: &Key) -> Option<u64> {
        self.writes.number_of(table, key).map(|number| self.locked.next_revision() + number)
    }

    /// Writes a new Job with the pods of its first sync, so that whoever looks next sees them. One with a selector of the
    /// user's own may find pods to adopt, and one may wait for other Jobs: the controller, who knows all, syncs it.
    fn create_job(&mut self, job: Job) -> Result<()> {
        let job_key = key(&job.metadata);
        self.put(job.clone());
        let has_own_selector = job.spec.as_ref().is_some_and(|spec| spec.manual_selector == Some(true));
        if has_own_selector || !dependencies(&job.metadata).is_empty() {
            return Ok(());
        }
        let template = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
        let mut world = self.world_of_node(&job_key.namespace, template)?;
        world.put_job(job);
        let mut recorder = Recorder::default();
        for _ in 0..2 {
            let dirty = world.take_dirty();
            let plan = reconcile(&world, &dirty, self.now, self.random.u64(..));
            for action in plan.actions {
                match action {
                    Action::CreatePod(pod) => {
                        world.put_pod(Clone::clone(&pod));
                        self.put(pod);
                    }
                    Action::UpdateJobStatus(job) => {
                        world.put_job(Clone::clone(&job));
                        self.put(job);
                    }
                    Action::UpdateFacts(_, facts) => {
                        self.writes.put_facts(job_key.clone(), &facts)?;
                        world.put_facts(job_key.clone(), facts);
                    }
                    Action::RecordEvent(event) => self.writes.put_event(&recorder.record(event))?,
                    // A Job without pods has none to change or remove, and one of ttl 0 goes in the next pass. CronJobs
                    // and StatefulSets are not synced here.
                    Action::UpdatePod(_)
                    | Action::RemovePod(_)
                    | Action::RemoveJob(_)
                    | Action::CreateJob(_)
                    | Action::UpdateCronJobStatus(_)
                    | Action::RemoveCronJob(_)
                    | Action::OfStatefulSet(_)
                    | Action::RecordOnce(_) => {}
                }
            }
        }
        Ok(())
    }

    /// A world in which there is only the node, and the claims that a pod names. It is not told how much room there is, for
    /// it does not know who has it: pods that need any are left to the controller.
    fn world_of_node(&self, namespace: &str, spec: Option<&PodSpec>) -> Result<World> {
        let mut world = World::new(self.settings.clone());
        world.clock = self.clock;
        for (_, node) in self.entries(Table::NODES)? {
            world.put_node(&node.parse()?);
        }
        for (_, class) in self.entries(Table::PRIORITY_CLASSES)? {
            world.put_priority_class(class.parse()?);
        }
        for claim in spec.into_iter().flat_map(scheduler::claims_of) {
            let claim: Option<PersistentVolumeClaim> =
                self.current(Table::CLAIMS, &Key::new(namespace, claim))?;
            claim.into_iter().for_each(|claim| world.put_claim(claim));
        }
        Ok(world)
    }

    /// Writes a new pod, scheduled.
    fn create_pod(&mut self, mut pod: Pod) -> Result<()> {
        let world = self.world_of_node(namespace(&pod.metadata), pod.spec.as_ref())?;
        if let Some(event) = scheduler::schedule(&world, &mut pod, self.now) {
            self.writes.put_event(&event)?;
        }
        self.put(pod);
        Ok(())
    }

    /// Writes the node, which nobody but the machine itself does.
    pub fn register(&mut self, node: Node) {
        self.put(node);
    }

    /// Commits everything at once. The caller sees to it that it survives a power cut, before anybody is told. `None` where
    /// there was nothing to commit.
    ///
    /// # Errors
    /// A full disk or another failing write; nothing is changed then.
    pub fn commit(mut self) -> Result<Option<Tail>> {
        if self.writes.is_empty() {
            return Ok(None);
        }
        let writes = self.writes.into_writes(self.locked.next_revision())?;
        // Shared with a watch cache, which would copy its tables to take the commit in.
        drop(self.state);
        if self.frees_room && self.created.is_empty() {
            self.locked.commit_what_frees_room(writes, self.now)?;
        } else {
            self.locked.commit(writes)?;
        }
        Ok(Some(self.locked.unlock()))
    }
}

impl Source for Transaction {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        match self.writes.text_of(table, key)? {
            Some(text) => Ok(text.map(Entry::Written)),
            None => match self.stored(table)?.get(table, key) {
                Some(object) => Ok(Some(Entry::Stored(object))),
                None => self.unstored(table, key),
            },
        }
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        let stored = self.stored(table)?.objects(table);
        let mut written: BTreeMap<&Key, Option<String>> = BTreeMap::new();
        for key in self.writes.keys(table) {
            written.insert(key, self.writes.text_of(table, key)?.flatten());
        }
        let default = Key::new("", DEFAULT_NAMESPACE);
        let unstored =
            match written.contains_key(&default) || self.stored(table)?.get(table, &default).is_some() {
                true => None,
                false => self.unstored(table, &default)?,
            };
        if written.is_empty() && unstored.is_none() {
            return Ok(Box::new(stored.map(|(key, object)| (Cow::Borrowed(key), Entry::Stored(object)))));
        }
        let mut entries: Vec<_> = stored
            .filter(|(key, _)| !written.contains_key(key))
            .map(|(key, object)| (Cow::Borrowed(key), Entry::Stored(object)))
            .collect();
        let new =
            written.into_iter().filter_map(|(key, text)| Some((Cow::Borrowed(key), Entry::Written(text?))));
        entries.extend(new);
        entries.extend(unstored.map(|entry| (Cow::Owned(default), entry)));
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Box::new(entries.into_iter()))
    }
}
