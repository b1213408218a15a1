//! Requests that are made together.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Local, startable};
use crate::api::Pod;
use crate::api::dependencies::dependencies;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::ANNOTATION_AFTER;
use crate::api::references::{Reference, references};
use crate::api::status_error::StatusError;
use crate::apiserver::{
    Answer, Applied, Apply, Creator, DeleteOptions, Deleted, Entries, Entry, Patch, Read, Source,
    Subresource, Transaction, Update, Updated,
};
use crate::manager;
use crate::registry::object::Object;
use crate::store::Table;

/// Requests under way: nothing is stored before [`LocalRequests::commit`], and each sees what those before it have done.
#[derive(Debug)]
pub struct LocalRequests<'a> {
    client: &'a Local,
    transaction: Transaction,
    /// What the created objects refer to: what they are called, where, and what that is.
    references: Vec<(String, Box<str>, Reference)>,
}

impl<'a> LocalRequests<'a> {
    pub(super) fn new(client: &'a Local, transaction: Transaction) -> Self {
        Self { client, transaction, references: Vec::new() }
    }

    /// Creates an object; warns also of what cannot start on this machine.
    ///
    /// # Errors
    /// As [`Transaction::create`].
    pub fn create(&mut self, object: Object, manifest: &Value, creator: &Creator) -> Result<Answer> {
        let answer = self.transaction.create(object, manifest, creator)?;
        Ok(self.with_obstacles(answer))
    }

    /// Creates an object in the place of one that may be there.
    ///
    /// # Errors
    /// As [`Transaction::recreate`].
    pub fn recreate(
        &mut self,
        object: Object,
        manifest: &Value,
        creator: &Creator,
        options: &DeleteOptions,
    ) -> Result<(Answer, Option<Deleted>)> {
        let (answer, deleted) = self.transaction.recreate(object, manifest, creator, options)?;
        Ok((self.with_obstacles(answer), deleted))
    }

    /// Changes an object.
    ///
    /// # Errors
    /// As [`Transaction::update`].
    pub fn update(&mut self, update: Update<'_>) -> Result<Updated> {
        let all = update.all_warnings;
        let updated = self.transaction.update(update)?;
        Ok(self.with_new_obstacles(updated, all))
    }

    /// Says who makes these requests: from now on account is kept of who manages which field.
    pub fn act_as(&mut self, manager: &str) {
        self.transaction.act_as(manager);
    }

    /// Applies an object: server-side apply.
    ///
    /// # Errors
    /// As [`Transaction::apply`].
    pub fn apply(&mut self, apply: Apply<'_>) -> Result<Applied> {
        match self.transaction.apply(apply)? {
            Applied::Created(answer) => Ok(Applied::Created(self.with_obstacles(answer))),
            Applied::Updated(updated) => Ok(Applied::Updated(self.with_new_obstacles(updated, false))),
        }
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// As [`Transaction::patch`].
    pub fn patch(
        &mut self,
        kind: Kind,
        key: &Key,
        patch: &Patch,
        subresource: Subresource,
    ) -> Result<Updated> {
        let updated = self.transaction.patch(kind, key, patch, subresource)?;
        Ok(self.with_new_obstacles(updated, false))
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// As [`Transaction::delete`].
    pub fn delete(&mut self, kind: Kind, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        self.transaction.delete(kind, key, options)
    }

    /// What of an object is there once these requests are committed, such as of one that is on its way.
    ///
    /// # Errors
    /// As [`Transaction::left_of`].
    pub fn left_of(&self, kind: Kind, key: &Key) -> Result<Option<String>> {
        self.transaction.left_of(kind, key)
    }

    /// Creates an Event of a client.
    ///
    /// # Errors
    /// As [`Transaction::create_event`].
    pub fn create_event(&mut self, event: Value, namespace: &str) -> Result<Value> {
        self.transaction.create_event(event, namespace)
    }

    /// Changes an Event.
    ///
    /// # Errors
    /// As [`Transaction::change_event`].
    pub fn change_event(&mut self, event: Value, key: &Key) -> Result<Value> {
        self.transaction.change_event(event, key)
    }

    /// Evicts a pod.
    ///
    /// # Errors
    /// As [`Transaction::evict`].
    pub fn evict(&mut self, key: &Key, grace_seconds: Option<i64>) -> Result<Deleted> {
        self.transaction.evict(key, grace_seconds)
    }

    /// Runs a Job once more.
    ///
    /// # Errors
    /// As [`Transaction::rerun`].
    pub fn rerun(&mut self, key: &Key, failed_indexes: bool, force: bool) -> Result<Answer> {
        self.transaction.rerun(key, failed_indexes, force)
    }

    /// Refuses what these requests have created already.
    ///
    /// # Errors
    /// As [`Transaction::require_new`].
    pub fn require_new(&self, kind: Kind, key: &Key) -> Result<(), StatusError> {
        self.transaction.require_new(kind, key)
    }

    /// Notes that an object is taken, so that it is not asked for twice.
    pub fn take(&mut self, kind: Kind, key: Key) {
        self.transaction.take(kind, key);
    }

    /// Forgets the removed pods of some Jobs, given by uid; returns them by their Jobs' keys.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn prune_removed_pods(&mut self, jobs: &BTreeMap<String, Key>) -> Result<BTreeMap<Key, Vec<Pod>>> {
        self.transaction.prune_removed_pods(jobs)
    }

    /// A warning for everything that the created objects refer to and that is not there, nor made by these requests.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn missing(&self) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for (whose, namespace, Reference { kind, name, field }) in &self.references {
            if self.find(*kind, &kind.key(namespace, name))?.is_none() {
                let kind = kind.resource().singular;
                warnings.push(format!("{whose}.{field}: {kind} {name:?} is not there yet: pods wait for it"));
            }
        }
        Ok(warnings)
    }

    /// Commits, so that a power cut does not take it back, and has the controller go on.
    ///
    /// # Errors
    /// A full disk or another failing write; nothing is changed then.
    pub fn commit(self) -> Result<()> {
        manager::commit(self.transaction, self.client.config(), self.client.store())
    }

    /// As [`LocalRequests::commit`], for what no controller has to act on.
    ///
    /// # Errors
    /// As [`LocalRequests::commit`].
    pub fn commit_quietly(self) -> Result<()> {
        manager::commit_quietly(self.transaction)
    }
}

impl LocalRequests<'_> {
    fn obstacles(&self, object: &Object) -> Vec<String> {
        startable::warnings(object, &self.client.config().settings.images)
    }

    fn with_obstacles(&mut self, mut answer: Answer) -> Answer {
        if let Some((at, spec)) = startable::pod_spec(&answer.object) {
            let key = answer.object.key();
            let whose = format!("{}/{}: {at}", answer.object.kind().qualified_singular(), key.name);
            let found = references(spec).into_iter();
            self.references.extend(found.map(|one| (whose.clone(), key.namespace.clone(), one)));
        }
        if let Object::Job(job) = &answer.object {
            let (key, field) = (answer.object.key(), format!("annotations[{ANNOTATION_AFTER}]"));
            let whose = format!("{}/{}: metadata", Kind::Job.qualified_singular(), key.name);
            let found = dependencies(&job.metadata).into_iter();
            let found = found.map(|one| Reference { kind: Kind::Job, name: one.job, field: field.clone() });
            self.references.extend(found.map(|one| (whose.clone(), key.namespace.clone(), one)));
        }
        answer.warnings.extend(self.obstacles(&answer.object));
        answer
    }

    /// Of what has been started there is nothing left to warn, but of the Jobs to come of a CronJob and the pods to come of a StatefulSet.
    fn with_new_obstacles(&self, mut updated: Updated, all: bool) -> Updated {
        if all {
            updated.warnings.extend(self.obstacles(&updated.object));
        } else if matches!(updated.object.kind(), Kind::CronJob | Kind::StatefulSet) {
            let known = self.obstacles(&updated.old);
            let new = self.obstacles(&updated.object);
            updated.warnings.extend(new.into_iter().filter(|warning| !known.contains(warning)));
        }
        updated
    }
}

impl Source for LocalRequests<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.transaction.now()
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        self.transaction.entry(table, key)
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        self.transaction.entries(table)
    }
}

impl Read for LocalRequests<'_> {}
