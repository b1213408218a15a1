//! Namespaces.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{NamespaceSpec, NamespaceStatus};

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::meta::{LABEL_NAMESPACE_NAME, name};
use crate::api::status_error::FieldError;
use crate::api::{Namespace, validation};

/// The finalizer that every namespace has in its spec, and that goes with what is in it.
const FINALIZER: &str = "kubernetes";

impl Strategy for Namespace {
    const KIND: Kind = Kind::Namespace;

    /// Every namespace carries its name as a label, so that selectors can name it.
    fn set_defaults(&mut self) {
        let own_name = name(&self.metadata).to_owned();
        if !own_name.is_empty() {
            self.metadata.labels.get_or_insert_default().insert(LABEL_NAMESPACE_NAME.into(), own_name);
        }
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        let finalizers =
            self.spec.get_or_insert_with(NamespaceSpec::default).finalizers.get_or_insert_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.push(FINALIZER.into());
        }
        self.status = Some(NamespaceStatus { phase: Some("Active".into()), conditions: None });
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_namespace(self)
    }

    /// The spec has only finalizers, which are not for a manifest to change.
    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.spec = old.spec.clone();
        self.status = old.status.clone();
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_namespace_update(self, old)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}
