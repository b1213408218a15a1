//! ControllerRevisions: what a StatefulSet has been, for its pods that are still of that form.

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ControllerRevision, validation};

impl Strategy for ControllerRevision {
    const KIND: Kind = Kind::ControllerRevision;

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_controller_revision(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_controller_revision_update(self, old)
    }
}
