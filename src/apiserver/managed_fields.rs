//! Who manages which fields of what requests create and change.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::transaction::Transaction;
use super::update::Subresource;
use crate::api::kinds::Kind;
use crate::registry::managed_fields::{Request, are_same_but_for_times, created, updated};
use crate::registry::object::Object;

/// Who makes requests that do not say it: the command line.
const DEFAULT_MANAGER: &str = "jobctl";

impl Transaction {
    /// Says who makes these requests: from now on account is kept of who manages which field, of new objects too.
    pub fn act_as(&mut self, manager: &str) {
        self.manager = Some(manager.to_owned());
    }

    pub(super) fn request(&self, kind: Kind, subresource: Subresource) -> Request<'_> {
        let manager = self.manager.as_deref().unwrap_or(DEFAULT_MANAGER);
        Request { kind, manager, of_status: subresource == Subresource::Status, now: self.now }
    }

    /// Who manages the fields of an object that is to be created, as it came.
    pub(super) fn entries_of_new(&self, object: &Object) -> Result<Vec<ManagedFieldsEntry>> {
        if self.manager.is_none() {
            return Ok(Vec::new());
        }
        let mut object = object.clone();
        object.set_defaults();
        let given = object.meta_mut().managed_fields.take().unwrap_or_default();
        Ok(created(&self.request(object.kind(), Subresource::Main), &object.to_value()?, &given))
    }

    /// Who manages the fields of an object that is to be changed, as it came.
    pub(super) fn entries_after(
        &self,
        subresource: Subresource,
        object: &Object,
        old: &Object,
        current: &Value,
    ) -> Result<Vec<ManagedFieldsEntry>> {
        let given = object.meta().managed_fields.as_deref().unwrap_or_default();
        let stored = old.meta().managed_fields.as_deref().unwrap_or_default();
        if given.is_empty() && stored.is_empty() {
            return Ok(Vec::new());
        }
        let mut asked = object.clone();
        if subresource == Subresource::Main {
            asked.set_defaults();
        }
        let request = self.request(object.kind(), subresource);
        Ok(updated(&request, current, &asked.to_value()?, stored, given))
    }
}

/// Says in an object who manages its fields. Returns whether it is another object than before: when its managers have set what
/// they had set already is none of it.
pub(super) fn set_entries(
    object: &mut Object,
    old: &Object,
    entries: Vec<ManagedFieldsEntry>,
) -> serde_json::Result<bool> {
    let stored = old.meta().managed_fields.as_deref().unwrap_or_default();
    let is_same = are_same_but_for_times(&entries, stored);
    object.meta_mut().managed_fields = old.meta().managed_fields.clone();
    let is_changed = object.to_unversioned()? != old.to_unversioned()?;
    if is_changed || !is_same {
        object.meta_mut().managed_fields = Some(entries).filter(|entries| !entries.is_empty());
    }
    Ok(is_changed || !is_same)
}
