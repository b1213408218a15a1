//! What a server does to an object between receiving and storing it, kind by kind: fields that are its own to write,
//! generated labels and selectors, the rules of the kind. One file for each kind, named in one row of `object`.

pub mod cluster_role;
pub mod cluster_role_binding;
pub mod config_map;
pub mod controller_revision;
pub mod cron_job;
pub mod job;
pub mod limit_range;
pub mod namespace;
pub mod network_policy;
pub mod node;
pub mod persistent_volume_claim;
pub mod pod;
pub mod priority_class;
pub mod resource_quota;
pub mod role;
pub mod role_binding;
pub mod secret;
pub mod service;
pub mod service_account;
pub mod stateful_set;

use chrono::{DateTime, Utc};
use k8s_openapi::Metadata;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::api::ObjectMeta;
use crate::api::compatibility::Findings;
use crate::api::kinds::Kind;
use crate::api::meta::time;
use crate::api::status_error::FieldError;

/// What is particular to the objects of one kind. The names are those of the API server's own strategies.
pub trait Strategy: Clone + Metadata<Ty = ObjectMeta> + Serialize + DeserializeOwned {
    /// The kind.
    const KIND: Kind;

    /// Fills in what a manifest may leave out.
    fn set_defaults(&mut self) {}

    /// Makes a defaulted object ready to be judged and stored for the first time: what only the server writes is its own.
    /// The name is set already. A conflicting value is left in place for validation to name.
    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(self.metadata_mut(), uid, now);
    }

    /// Every rule that the object breaks.
    fn validate(&self) -> Vec<FieldError>;

    /// What a valid object gets before it is stored.
    fn canonicalize(&mut self) {}

    /// Makes a defaulted object ready to replace `old`: what only the server writes is taken from there.
    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(self.metadata_mut(), old.metadata());
    }

    /// Every rule that replacing `old` so would break.
    fn validate_update(&self, old: &Self) -> Vec<FieldError>;

    /// What the API server says of the object though it accepts it.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// What in a manifest of this kind cannot be done here.
    fn findings(_manifest: &Value) -> Findings {
        Findings::default()
    }

    /// Takes everything but the status from `old` (the status subresource). Of a kind without a status nothing is left.
    fn keep_all_but_status(&mut self, old: &Self) {
        *self = old.clone();
    }
}

fn prepare_meta_for_create(meta: &mut ObjectMeta, uid: &str, now: DateTime<Utc>) {
    meta.uid = Some(uid.to_owned());
    meta.creation_timestamp = Some(time(now));
    meta.deletion_timestamp = None;
    meta.deletion_grace_period_seconds = None;
    meta.managed_fields = None;
    meta.self_link = None;
}

fn prepare_meta_for_update(new: &mut ObjectMeta, old: &ObjectMeta) {
    if new.uid.as_ref().is_none_or(String::is_empty) {
        new.uid = old.uid.clone();
    }
    new.creation_timestamp = old.creation_timestamp.clone();
    new.deletion_timestamp = old.deletion_timestamp.clone();
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.managed_fields = old.managed_fields.clone();
    new.self_link = None;
    if new.generate_name.is_none() {
        new.generate_name = old.generate_name.clone();
    }
}

fn raise_generation(new: &mut ObjectMeta, old: &ObjectMeta, changed: bool) {
    let generation = old.generation.unwrap_or(1);
    new.generation = Some(if changed { generation + 1 } else { generation });
}

#[cfg(test)]
mod tests;
