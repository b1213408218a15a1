//! Pods.

mod app_armor;
mod label_keys;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update, raise_generation};
use crate::api::compatibility::{self, Findings};
use crate::api::devices::{Devices, lease, leased};
use crate::api::disabled_fields::drop_disabled_fields;
use crate::api::kinds::Kind;
use crate::api::pod_resources::qos_class;
use crate::api::status_error::FieldError;
use crate::api::{Pod, PodStatus, conditions, defaults, pod_admission, validation};

impl Strategy for Pod {
    const KIND: Kind = Kind::Pod;

    fn set_defaults(&mut self) {
        defaults::set_pod_defaults(self);
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        // Only the scheduler hands out devices.
        lease(self, &Devices::new());
        self.metadata.generation = Some(1);
        let spec = self.spec.get_or_insert_default();
        pod_admission::admit(spec);
        drop_disabled_fields(spec);
        label_keys::add_to_selectors(spec, self.metadata.labels.as_ref());
        app_armor::add_profiles(spec, self.metadata.annotations.as_ref());
        let mut status = PodStatus {
            phase: Some("Pending".into()),
            qos_class: Some(qos_class(spec).into()),
            ..PodStatus::default()
        };
        if conditions::is_gated(self) {
            conditions::set_gated_condition(status.conditions.get_or_insert_default(), now);
        }
        self.status = Some(status);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_pod(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        lease(self, &leased(old));
        self.status = old.status.clone();
        if let (Some(spec), Some(old)) = (&mut self.spec, &old.spec) {
            drop_disabled_fields(spec);
            pod_admission::readmit(spec, old);
            if spec.node_name.is_none() {
                spec.node_name = old.node_name.clone();
            }
        }
        raise_generation(&mut self.metadata, &old.metadata, self.spec != old.spec);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_pod_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_pod(self)
    }

    fn findings(manifest: &Value) -> Findings {
        compatibility::check_pod(manifest)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}
