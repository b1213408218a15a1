//! ClusterRoles.

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ClusterRole, validation};

impl Strategy for ClusterRole {
    const KIND: Kind = Kind::ClusterRole;

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_cluster_role(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_cluster_role_update(self, old)
    }
}
