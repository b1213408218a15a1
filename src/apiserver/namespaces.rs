//! Namespaces that objects are in: each is there once something is in it.

use anyhow::Result;
use k8s_openapi::api::core::v1::Namespace;

use super::transaction::Transaction;
use crate::api::ObjectMeta;
use crate::api::kinds::Key;
use crate::api::meta::time;
use crate::api::status_error::StatusError;
use crate::controller::pods::new_uid;
use crate::registry::object::Object;
use crate::registry::strategy::Strategy as _;
use crate::store::Table;

/// The namespace that is there though nobody has created it.
pub const DEFAULT_NAMESPACE: &str = "default";

/// The uid of the namespace that is there though nobody has created it: the same whenever it is shown, and once it is stored. Each
/// data directory has one such namespace, and nothing compares those of two.
pub fn default_namespace_uid() -> String {
    new_uid(&mut fastrand::Rng::with_seed(0))
}

/// A namespace as a server makes it.
pub fn namespace_named(name: &str, uid: &str, now: chrono::DateTime<chrono::Utc>) -> Namespace {
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    let mut namespace = Namespace { metadata, ..Namespace::default() };
    namespace.set_defaults();
    namespace.prepare_for_create(uid, now);
    namespace
}

/// Says that a namespace goes with the last of its pods.
pub(super) fn mark_terminating(namespace: &mut Namespace, now: chrono::DateTime<chrono::Utc>) {
    namespace.metadata.deletion_timestamp.get_or_insert(time(now));
    namespace.status.get_or_insert_default().phase = Some("Terminating".into());
}

impl Transaction {
    /// Creates the namespace of a new object where it is not there, in the same commit. Returns what there is to say of it: a
    /// cluster would have refused the object, and a name may be misspelt.
    ///
    /// # Errors
    /// [`StatusError::Forbidden`] where the namespace is being deleted.
    pub(super) fn ensure_namespace(&mut self, object: &Object) -> Result<Option<String>> {
        let (kind, key) = (object.kind(), object.key());
        if !kind.resource().namespaced {
            return Ok(None);
        }
        let name = key.namespace.to_string();
        let existing: Option<Namespace> = self.current(Table::NAMESPACES, &Key::new("", &name))?;
        if existing.is_some_and(|found| found.metadata.deletion_timestamp.is_some()) {
            let detail =
                format!("unable to create new content in namespace {name} because it is being terminated");
            return Err(StatusError::Forbidden { kind, name: key.name.to_string(), detail }.into());
        }
        if !self.add_namespace(&name)? || name == DEFAULT_NAMESPACE {
            return Ok(None);
        }
        Ok(Some(format!("namespace {name:?} did not exist and is created")))
    }

    /// Stores a namespace unless it is stored; whether it was not.
    pub(super) fn add_namespace(&mut self, name: &str) -> Result<bool> {
        let key = Key::new("", name);
        if self.is_stored(Table::NAMESPACES, &key)? {
            return Ok(false);
        }
        if name == DEFAULT_NAMESPACE {
            self.put(self.default_namespace());
        } else {
            let uid = new_uid(&mut self.random);
            self.put(namespace_named(name, &uid, self.now));
        }
        Ok(true)
    }
}
