//! RoleBindings.

use k8s_openapi::api::rbac::v1::{RoleRef, Subject};

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{RoleBinding, validation};

impl Strategy for RoleBinding {
    const KIND: Kind = Kind::RoleBinding;

    fn set_defaults(&mut self) {
        set_role_ref_defaults(&mut self.role_ref);
        set_subject_defaults(self.subjects.as_mut());
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_role_binding(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_role_binding_update(self, old)
    }
}

/// The group of roles and of the subjects that are no objects of the API.
const RBAC: &str = "rbac.authorization.k8s.io";

/// A role's group has a default although the type says that it is required.
pub(super) fn set_role_ref_defaults(role: &mut RoleRef) {
    if role.api_group.is_empty() {
        role.api_group = RBAC.into();
    }
}

/// Users and groups are in the group of roles, ServiceAccounts in core.
pub(super) fn set_subject_defaults(subjects: Option<&mut Vec<Subject>>) {
    for subject in subjects.into_iter().flatten() {
        let is_nobodys = subject.api_group.as_deref().is_none_or(str::is_empty);
        if is_nobodys && ["User", "Group"].contains(&subject.kind.as_str()) {
            subject.api_group = Some(RBAC.into());
        }
    }
}
