//! Finalizers: what somebody holds back stays when it is deleted, until he takes his finalizer off.

use anyhow::Result;

use super::delete::namespaced_kinds;
use super::read::{Read as _, Source as _};
use super::transaction::Transaction;
use super::update::not_changeable;
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{FINALIZER_FOREGROUND, has_finalizer, is_held};
use crate::api::status_error::StatusError;
use crate::api::{Namespace, ObjectMeta};
use crate::registry::deletion::{Deletion, delete_pod, mark_held};
use crate::registry::object::Object;
use crate::store::Table;

/// Whether a change takes the last finalizer of somebody else off an object that is being deleted.
pub(super) fn is_released(new: &ObjectMeta, old: &ObjectMeta) -> bool {
    old.deletion_timestamp.is_some() && is_held(old) && !is_held(new)
}

impl Transaction {
    /// Marks an object that is deleted and that somebody holds back. Whether somebody does.
    pub(super) fn hold(&mut self, kind: Kind, key: &Key) -> Result<bool> {
        let Some(found) = self.find(kind, key)? else { return Ok(false) };
        if memchr::memmem::find(found.text.as_bytes(), b"\"finalizers\":").is_none() {
            return Ok(false);
        }
        let Some(object) = Object::read(kind, &found.text) else { return Ok(false) };
        drop(found);
        let mut object = object?;
        if !is_held(object.meta()) {
            return Ok(false);
        }
        if mark_held(object.meta_mut(), self.now) {
            self.put(object);
        }
        Ok(true)
    }

    /// An object as it will be stored, where it is still there.
    ///
    /// # Errors
    /// A damaged object.
    pub fn left_of(&self, kind: Kind, key: &Key) -> Result<Option<String>> {
        let Some(found) = self.find(kind, key)? else { return Ok(None) };
        if self.writes.text_of(Table::from(kind), key)?.is_none() {
            return Ok(Some(found.text.into_owned()));
        }
        let mut object = Object::read(kind, &found.text).ok_or_else(|| not_changeable(kind))??;
        self.number(&mut object);
        Ok(Some(object.to_text()?))
    }

    /// Refuses to put another object in the place of one that somebody holds back.
    pub(super) fn require_not_held(&self, kind: Kind, key: &Key) -> Result<()> {
        let Some(found) = self.find(kind, key)? else { return Ok(()) };
        let object = Object::read(kind, &found.text).ok_or_else(|| not_changeable(kind))??;
        if is_held(object.meta()) {
            return Err(StatusError::BeingDeleted { kind, name: key.name.to_string() }.into());
        }
        Ok(())
    }

    /// Deletes an object that nobody holds back any more, as it is now: at once, or once its dependents or its processes are
    /// gone.
    pub(super) fn release(&mut self, object: &Object) -> Result<()> {
        let (kind, key) = (object.kind(), object.key());
        self.put(object.clone());
        self.frees_room = true;
        match object {
            _ if has_finalizer(object.meta(), FINALIZER_FOREGROUND) => return Ok(()),
            Object::Pod(pod) if !is_pod_finished(pod) => return Ok(()),
            Object::Pod(pod) => self.perform([delete_pod(Clone::clone(&**pod), None, self.now)])?,
            Object::Job(job) => {
                self.write_tombstone(job)?;
                self.perform([Deletion::RemoveJob(key.clone())])?;
            }
            Object::Namespace(_) if self.has_content(&key.name)? => return Ok(()),
            _ => self.remove(Table::from(kind), key.clone())?,
        }
        self.collect_namespace(&key.namespace)
    }

    /// Whether there is anything in a namespace that outlives its deletion.
    pub(super) fn has_content(&self, namespace: &str) -> Result<bool> {
        for kind in namespaced_kinds().filter(|kind| *kind != Kind::Event && !kind.is_derived()) {
            if self.entries(Table::from(kind))?.any(|(key, _)| *key.namespace == *namespace) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes a namespace that is being deleted, where the last object in it has gone.
    fn collect_namespace(&mut self, name: &str) -> Result<()> {
        let key = Key::new("", name);
        let namespace: Option<Namespace> = self.current(Table::NAMESPACES, &key)?;
        let is_going = namespace.is_some_and(|found| found.metadata.deletion_timestamp.is_some());
        if is_going && !self.has_content(name)? {
            self.remove(Table::NAMESPACES, key)?;
        }
        Ok(())
    }
}
