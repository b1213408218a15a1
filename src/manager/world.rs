//! Loading: stored objects into a [`World`], in a stream, so that the store is never in memory as a whole.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::outline::PodOutline;
use crate::api::Job;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::controller::World;
use crate::kubelet::actions::ConfigObjects;
use crate::store::{Change, State, Store, Table, Tail};

/// The tables that decisions are made from.
pub(super) const TABLES: [Table; 14] = [
    Table::NODES,
    Table::PRIORITY_CLASSES,
    Table::CONFIG_MAPS,
    Table::SECRETS,
    Table::CLAIMS,
    Table::SERVICES,
    Table::CRON_JOBS,
    Table::STATEFUL_SETS,
    Table::CONTROLLER_REVISIONS,
    Table::JOBS,
    Table::PODS,
    Table::JobFacts,
    Table::RemovedPods,
    Table::Environments,
];

/// Takes in stored objects one after the other; of an object that comes several times the last counts.
pub(super) struct Loader<'a> {
    world: &'a mut World,
    /// Removed pods with their uids and owners: whether these are there is known at the end.
    removed: BTreeMap<Key, (String, Option<String>)>,
    /// The revisions at which live pods were written last.
    revisions: BTreeMap<Key, u64>,
    environments: Environments,
    config: ConfigObjects,
}

impl<'a> Loader<'a> {
    pub(super) fn new(world: &'a mut World) -> Self {
        Self {
            world,
            removed: BTreeMap::new(),
            revisions: BTreeMap::new(),
            environments: Environments::new(),
            config: ConfigObjects::default(),
        }
    }

    /// Takes in one object, or its deletion.
    ///
    /// # Errors
    /// A damaged object.
    pub(super) fn take(&mut self, change: &Change<'_>) -> Result<()> {
        let key = Key::new(change.namespace, change.name);
        match change.object {
            Some(text) => self.put(change, key, text),
            None => {
                self.remove(change.table, &key);
                Ok(())
            }
        }
    }

    fn put(&mut self, change: &Change<'_>, key: Key, text: &str) -> Result<()> {
        match change.table {
            Table::NODES => self.world.put_node(&parse(change, text)?),
            Table::CRON_JOBS => self.world.cron_jobs.put(parse(change, text)?),
            Table::JOBS => {
                let job: Job = parse(change, text)?;
                if self.world.job_uid(&key).is_some_and(|old| old != uid(&job.metadata)) {
                    self.world.remove_job(&key);
                }
                self.world.put_job(job);
            }
            Table::PODS => {
                let outline: PodOutline<'_> = parse(change, text)?;
                if self.world.pod_uid(&key).is_some_and(|old| old != outline.uid()) {
                    self.world.remove_pod(&key);
                }
                match outline.done() {
                    Some(done) => {
                        self.revisions.remove(&key);
                        self.world.put_done_pod(key, done);
                    }
                    None => {
                        self.revisions.insert(key, change.revision);
                        self.world.put_pod(parse(change, text)?);
                    }
                }
            }
            Table::JobFacts => self.world.put_facts(key, parse(change, text)?),
            Table::RemovedPods => {
                let outline: PodOutline<'_> = parse(change, text)?;
                self.removed.insert(key, (outline.uid().to_owned(), outline.owner().map(str::to_owned)));
            }
            Table::Environments => {
                self.environments.insert(change.name.into(), parse(change, text)?);
            }
            Table::CONFIG_MAPS => self.config.put_config_map(parse(change, text)?),
            Table::SECRETS => self.config.put_secret(parse(change, text)?),
            Table::CLAIMS => self.world.put_claim(parse(change, text)?),
            Table::SERVICES => self.world.put_service(parse(change, text)?),
            Table::PRIORITY_CLASSES => self.world.put_priority_class(parse(change, text)?),
            Table::STATEFUL_SETS => self.world.stateful_sets.put(parse(change, text)?),
            Table::CONTROLLER_REVISIONS => self.world.stateful_sets.put_revision(parse(change, text)?),
            // Not in `TABLES`.
            Table::Tombstones | Table::Kind(_) => {}
        }
        Ok(())
    }

    fn remove(&mut self, table: Table, key: &Key) {
        match table {
            Table::CRON_JOBS => self.world.cron_jobs.remove(key),
            Table::JOBS => {
                self.world.remove_job(key);
            }
            Table::PODS => {
                self.revisions.remove(key);
                self.world.remove_pod(key);
            }
            Table::JobFacts => self.world.remove_facts(key),
            Table::RemovedPods => {
                self.removed.remove(key);
            }
            Table::Environments => {
                self.environments.remove(&*key.name);
            }
            Table::CONFIG_MAPS => self.config.remove(Kind::ConfigMap, key),
            Table::SECRETS => self.config.remove(Kind::Secret, key),
            Table::CLAIMS => drop(self.world.remove_claim(key)),
            Table::SERVICES => self.world.remove_service(key),
            Table::PRIORITY_CLASSES => self.world.remove_priority_class(key),
            Table::STATEFUL_SETS => self.world.stateful_sets.remove(key),
            Table::CONTROLLER_REVISIONS => self.world.stateful_sets.remove_revision(key),
            Table::Tombstones | Table::Kind(_) => {}
        }
    }

    /// Everything has come.
    pub(super) fn finish(self) -> Loaded {
        let mut leftovers = Vec::new();
        for (key, (uid, owner)) in self.removed {
            match owner.filter(|owner| self.world.job_key(owner).is_some()) {
                Some(owner) => self.world.put_removed_pod(key, &uid, &owner),
                None => leftovers.push(key),
            }
        }
        Loaded { leftovers, revisions: self.revisions, environments: self.environments, config: self.config }
    }
}

/// What is known after loading beside the world.
pub(super) struct Loaded {
    /// Removed pods of Jobs that are gone: nobody will ask for them again.
    pub(super) leftovers: Vec<Key>,
    /// The revisions at which live pods were written last.
    pub(super) revisions: BTreeMap<Key, u64>,
    /// What `--pass-env` named.
    pub(super) environments: Environments,
    /// ConfigMaps and Secrets.
    pub(super) config: ConfigObjects,
}

/// Values of variables that `--pass-env` named, by the name that objects call them by.
pub(super) type Environments = HashMap<Box<str>, BTreeMap<String, String>>;

fn parse<'a, T: Deserialize<'a>>(change: &Change<'_>, text: &'a str) -> Result<T> {
    serde_json::from_str(text).with_context(|| format!("{} (revision {})", place(change), change.revision))
}

/// What a change is about, for errors.
pub(super) fn place(change: &Change<'_>) -> String {
    format!("read {} {}/{}", change.table.as_str(), change.namespace, change.name)
}

/// Loads the store; the [`Tail`] is where the reading ended.
///
/// # Errors
/// A store that cannot be read, or is damaged.
pub(super) fn load(store: &Store, world: &mut World) -> Result<(Tail, Loaded)> {
    let mut loader = Loader::new(world);
    let tail = store.stream(&TABLES, |change| loader.take(&change))?;
    Ok((tail, loader.finish()))
}

/// Takes the objects of a state into an empty world.
///
/// # Errors
/// Damaged objects.
pub(super) fn fill(world: &mut World, state: &State) -> Result<()> {
    let mut loader = Loader::new(world);
    for table in TABLES {
        for (key, object) in state.objects(table) {
            let (namespace, name, revision) = (&*key.namespace, &*key.name, object.revision);
            loader.take(&Change {
                revision,
                table,
                namespace,
                name,
                object: Some(object.text),
                last: None,
            })?;
        }
    }
    loader.finish();
    Ok(())
}
