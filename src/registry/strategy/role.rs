//! Roles.

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{Role, validation};

impl Strategy for Role {
    const KIND: Kind = Kind::Role;

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_role(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_role_update(self, old)
    }
}
