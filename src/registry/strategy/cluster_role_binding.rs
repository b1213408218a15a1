//! ClusterRoleBindings.

use super::Strategy;
use super::role_binding::{set_role_ref_defaults, set_subject_defaults};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ClusterRoleBinding, validation};

impl Strategy for ClusterRoleBinding {
    const KIND: Kind = Kind::ClusterRoleBinding;

    fn set_defaults(&mut self) {
        set_role_ref_defaults(&mut self.role_ref);
        set_subject_defaults(self.subjects.as_mut());
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_cluster_role_binding(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_cluster_role_binding_update(self, old)
    }
}
