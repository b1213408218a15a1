//! PriorityClasses.

use chrono::{DateTime, Utc};

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{PriorityClass, validation};

impl Strategy for PriorityClass {
    const KIND: Kind = Kind::PriorityClass;

    fn set_defaults(&mut self) {
        self.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".into());
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.metadata.generation = Some(1);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_priority_class(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.metadata.generation = old.metadata.generation;
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_priority_class_update(self, old)
    }
}
