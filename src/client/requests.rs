//! Requests that change objects, wherever they are.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::local_requests::LocalRequests;
use super::remote;
use crate::api::Pod;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::apiserver::{
    Answer, Applied, Apply, Creator, DeleteOptions, Deleted, Entries, Entry, FieldValidation, Patch,
    PatchType, Read, Selectors, Source, Subresource, Update, Updated,
};
use crate::registry::object::Object;
use crate::store::Table;

/// Requests under way. Of this machine nothing is stored before [`Requests::commit`]; a cluster carries out each at once.
/// Each sees what those before it have done.
#[derive(Debug)]
pub struct Requests<'a>(Place<'a>);

#[derive(Debug)]
enum Place<'a> {
    Here(Box<LocalRequests<'a>>),
    There(Box<remote::Requests>),
}

impl<'a> Requests<'a> {
    pub(super) fn here(requests: LocalRequests<'a>) -> Self {
        Self(Place::Here(Box::new(requests)))
    }

    pub(super) fn there(requests: remote::Requests) -> Self {
        Self(Place::There(Box::new(requests)))
    }

    /// Creates an object. `manifest` is what it was decoded from.
    ///
    /// # Errors
    /// What is refused.
    pub fn create(&mut self, object: Object, manifest: &Value, creator: &Creator) -> Result<Answer> {
        match &mut self.0 {
            Place::Here(here) => here.create(object, manifest, creator),
            Place::There(there) => there.create(&object, manifest),
        }
    }

    /// Creates an object in the place of one that may be there.
    ///
    /// # Errors
    /// What is refused.
    pub fn recreate(
        &mut self,
        object: Object,
        manifest: &Value,
        creator: &Creator,
        options: &DeleteOptions,
    ) -> Result<(Answer, Option<Deleted>)> {
        match &mut self.0 {
            Place::Here(here) => here.recreate(object, manifest, creator, options),
            Place::There(there) => there.recreate(&object, manifest, options),
        }
    }

    /// Changes an object.
    ///
    /// # Errors
    /// What is refused.
    pub fn update(&mut self, update: Update<'_>) -> Result<Updated> {
        match &mut self.0 {
            Place::Here(here) => here.update(update),
            Place::There(there) => there.update(&update),
        }
    }

    /// Says who makes these requests: from now on account is kept of who manages which field.
    pub fn act_as(&mut self, manager: &str) {
        match &mut self.0 {
            Place::Here(here) => here.act_as(manager),
            Place::There(there) => there.act_as(manager),
        }
    }

    /// Says what is to become of fields that a kind does not have, where it is a server elsewhere that judges them.
    pub fn validate_as(&mut self, validation: FieldValidation) {
        if let Place::There(there) = &mut self.0 {
            there.validate_as(validation);
        }
    }

    /// Whether it is a server elsewhere that refuses fields which a kind does not have, or warns of them: it may have more than we.
    ///
    /// # Errors
    /// No answer.
    pub fn judges_fields(&self) -> Result<bool> {
        match &self.0 {
            Place::Here(_) => Ok(false),
            Place::There(there) => there.judges_fields(),
        }
    }

    /// Applies an object: server-side apply.
    ///
    /// # Errors
    /// What is refused.
    pub fn apply(&mut self, apply: Apply<'_>) -> Result<Applied> {
        match &mut self.0 {
            Place::Here(here) => here.apply(apply),
            Place::There(there) => there.apply(&apply),
        }
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// What is refused.
    pub fn patch(
        &mut self,
        kind: Kind,
        key: &Key,
        patch: &Patch,
        subresource: Subresource,
    ) -> Result<Updated> {
        match &mut self.0 {
            Place::Here(here) => here.patch(kind, key, patch, subresource),
            Place::There(there) => there.patch(kind, key, patch, subresource),
        }
    }

    /// Sends a patch that does not read to a cluster, which says why.
    ///
    /// # Errors
    /// What is refused; this machine.
    pub fn patch_unread(
        &mut self,
        kind: Kind,
        key: &Key,
        type_: PatchType,
        text: &str,
        subresource: Subresource,
    ) -> Result<Updated> {
        match &mut self.0 {
            Place::Here(_) => bail!("the patch does not read"),
            Place::There(there) => there.patch_text(kind, key, type_, text.to_owned(), subresource),
        }
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// What is refused.
    pub fn delete(&mut self, kind: Kind, key: &Key, options: &DeleteOptions) -> Result<Deleted> {
        match &mut self.0 {
            Place::Here(here) => here.delete(kind, key, options),
            Place::There(there) => there.delete(kind, key, options),
        }
    }

    /// Evicts a pod of this machine.
    ///
    /// # Errors
    /// What is refused; a cluster.
    pub fn evict(&mut self, key: &Key, grace_seconds: Option<i64>) -> Result<Deleted> {
        match &mut self.0 {
            Place::Here(here) => here.evict(key, grace_seconds),
            Place::There(_) => bail!("pods are evicted on this machine only"),
        }
    }

    /// Runs a Job once more.
    ///
    /// # Errors
    /// [`crate::apiserver::RerunError`]; what is refused.
    pub fn rerun(&mut self, key: &Key, failed_indexes: bool, force: bool) -> Result<Answer> {
        match &mut self.0 {
            Place::Here(here) => here.rerun(key, failed_indexes, force),
            Place::There(there) => there.rerun(key, failed_indexes, force),
        }
    }

    /// Refuses what these requests have created already.
    ///
    /// # Errors
    /// [`StatusError::AlreadyExists`].
    pub fn require_new(&self, kind: Kind, key: &Key) -> Result<(), StatusError> {
        match &self.0 {
            Place::Here(here) => here.require_new(kind, key),
            Place::There(there) => there.require_new(kind, key),
        }
    }

    /// Notes that an object is taken, so that it is not asked for twice.
    pub fn take(&mut self, kind: Kind, key: Key) {
        match &mut self.0 {
            Place::Here(here) => here.take(kind, key),
            Place::There(there) => there.take(kind, key),
        }
    }

    /// Forgets the removed pods of some Jobs of this machine, given by uid; returns them by their Jobs' keys.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn prune_removed_pods(&mut self, jobs: &BTreeMap<String, Key>) -> Result<BTreeMap<Key, Vec<Pod>>> {
        match &mut self.0 {
            Place::Here(here) => here.prune_removed_pods(jobs),
            Place::There(_) => Ok(BTreeMap::new()),
        }
    }

    /// A warning for everything that the created objects refer to and that is not there. A cluster says so itself.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn missing(&self) -> Result<Vec<String>> {
        match &self.0 {
            Place::Here(here) => here.missing(),
            Place::There(_) => Ok(Vec::new()),
        }
    }

    /// Commits, so that a power cut does not take it back, and has the controller go on.
    ///
    /// # Errors
    /// A full disk or another failing write; nothing is changed then.
    pub fn commit(self) -> Result<()> {
        match self.0 {
            Place::Here(here) => here.commit(),
            Place::There(_) => Ok(()),
        }
    }

    /// As [`Requests::commit`], for what no controller has to act on.
    ///
    /// # Errors
    /// As [`Requests::commit`].
    pub fn commit_quietly(self) -> Result<()> {
        match self.0 {
            Place::Here(here) => here.commit_quietly(),
            Place::There(_) => Ok(()),
        }
    }
}

impl Requests<'_> {
    fn source(&self) -> &dyn Source {
        match &self.0 {
            Place::Here(here) => here.as_ref(),
            Place::There(there) => there.as_ref(),
        }
    }
}

impl Source for Requests<'_> {
    fn now(&self) -> DateTime<Utc> {
        self.source().now()
    }

    fn is_elsewhere(&self) -> bool {
        self.source().is_elsewhere()
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        self.source().entry(table, key)
    }

    fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        self.source().missing(kind, key)
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        self.source().entries(table)
    }

    fn entries_of_owner(&self, table: Table, owner: &str) -> Result<Entries<'_>> {
        self.source().entries_of_owner(table, owner)
    }

    fn entries_among(
        &self,
        table: Table,
        namespace: Option<&str>,
        selectors: &Selectors,
    ) -> Result<Entries<'_>> {
        self.source().entries_among(table, namespace, selectors)
    }
}

impl Read for Requests<'_> {}
