//! Every rule of the kinds that are kept for others to use.

use super::{metadata, update, without_repeats};
use crate::api::names;
use crate::api::status_error::FieldError;
use crate::api::{
    ClusterRole, ClusterRoleBinding, ConfigMap, LimitRange, Namespace, NetworkPolicy, PersistentVolumeClaim,
    PriorityClass, ResourceQuota, Role, RoleBinding, Secret, Service, ServiceAccount, StatefulSet,
};

/// Every rule a ClusterRole breaks.
pub fn validate_cluster_role(object: &ClusterRole) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::path_segment)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_cluster_role_update(new: &ClusterRole, old: &ClusterRole) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_cluster_role(new));
    without_repeats(errors)
}

/// Every rule a ClusterRoleBinding breaks.
pub fn validate_cluster_role_binding(object: &ClusterRoleBinding) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::path_segment)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_cluster_role_binding_update(
    new: &ClusterRoleBinding,
    old: &ClusterRoleBinding,
) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_cluster_role_binding(new));
    without_repeats(errors)
}

/// Every rule a ConfigMap breaks.
pub fn validate_config_map(object: &ConfigMap) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_config_map_update(new: &ConfigMap, old: &ConfigMap) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_config_map(new));
    without_repeats(errors)
}

/// Every rule a LimitRange breaks.
pub fn validate_limit_range(object: &LimitRange) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_limit_range_update(new: &LimitRange, old: &LimitRange) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_limit_range(new));
    without_repeats(errors)
}

/// Every rule a Namespace breaks.
pub fn validate_namespace(object: &Namespace) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_label)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_namespace_update(new: &Namespace, old: &Namespace) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_namespace(new));
    without_repeats(errors)
}

/// Every rule a NetworkPolicy breaks.
pub fn validate_network_policy(object: &NetworkPolicy) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_network_policy_update(new: &NetworkPolicy, old: &NetworkPolicy) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_network_policy(new));
    without_repeats(errors)
}

/// Every rule a PersistentVolumeClaim breaks.
pub fn validate_persistent_volume_claim(object: &PersistentVolumeClaim) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_persistent_volume_claim_update(
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_persistent_volume_claim(new));
    without_repeats(errors)
}

/// Every rule a PriorityClass breaks.
pub fn validate_priority_class(object: &PriorityClass) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_priority_class_update(new: &PriorityClass, old: &PriorityClass) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_priority_class(new));
    without_repeats(errors)
}

/// Every rule a ResourceQuota breaks.
pub fn validate_resource_quota(object: &ResourceQuota) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_resource_quota_update(new: &ResourceQuota, old: &ResourceQuota) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_resource_quota(new));
    without_repeats(errors)
}

/// Every rule a Role breaks.
pub fn validate_role(object: &Role) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::path_segment)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_role_update(new: &Role, old: &Role) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_role(new));
    without_repeats(errors)
}

/// Every rule a RoleBinding breaks.
pub fn validate_role_binding(object: &RoleBinding) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::path_segment)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_role_binding_update(new: &RoleBinding, old: &RoleBinding) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_role_binding(new));
    without_repeats(errors)
}

/// Every rule a Secret breaks.
pub fn validate_secret(object: &Secret) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_secret_update(new: &Secret, old: &Secret) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_secret(new));
    without_repeats(errors)
}

/// Every rule a Service breaks.
pub fn validate_service(object: &Service) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_1035_label)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_service_update(new: &Service, old: &Service) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_service(new));
    without_repeats(errors)
}

/// Every rule a ServiceAccount breaks.
pub fn validate_service_account(object: &ServiceAccount) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_service_account_update(new: &ServiceAccount, old: &ServiceAccount) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_service_account(new));
    without_repeats(errors)
}

/// Every rule a StatefulSet breaks.
pub fn validate_stateful_set(object: &StatefulSet) -> Vec<FieldError> {
    metadata::validate_as(&object.metadata, "metadata", names::dns_subdomain)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_stateful_set_update(new: &StatefulSet, old: &StatefulSet) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_stateful_set(new));
    without_repeats(errors)
}
