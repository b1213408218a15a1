//! Rules about roles and who has them (ValidateRole, ValidateRoleBinding and their cluster-wide kin).

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::value::json;
use super::{each, metadata, quoted, update, without_repeats};
use crate::api::names;
use crate::api::status_error::FieldError;
use crate::api::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};

const GROUP: &str = "rbac.authorization.k8s.io";

/// Every rule a Role breaks.
pub fn validate_role(role: &Role) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&role.metadata, "metadata", names::path_segment);
    errors.extend(validate_rules(role.rules.as_deref(), true));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_role_update(new: &Role, old: &Role) -> Vec<FieldError> {
    let mut errors = validate_role(new);
    errors.extend(update::metadata(&new.metadata, &old.metadata));
    without_repeats(errors)
}

/// Every rule a ClusterRole breaks.
pub fn validate_cluster_role(role: &ClusterRole) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&role.metadata, "metadata", names::path_segment);
    errors.extend(validate_rules(role.rules.as_deref(), false));
    if let Some(aggregation) = &role.aggregation_rule {
        let path = "aggregationRule.clusterRoleSelectors";
        let selectors = aggregation.cluster_role_selectors.as_deref().unwrap_or_default();
        if selectors.is_empty() {
            let detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
            errors.push(FieldError::required(path, detail));
        }
        for (index, selector) in selectors.iter().enumerate() {
            errors.extend(metadata::validate_selector(selector, &format!("{path}[{index}]")));
        }
    }
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_cluster_role_update(new: &ClusterRole, old: &ClusterRole) -> Vec<FieldError> {
    let mut errors = validate_cluster_role(new);
    errors.extend(update::metadata(&new.metadata, &old.metadata));
    without_repeats(errors)
}

/// Every rule a RoleBinding breaks.
pub fn validate_role_binding(binding: &RoleBinding) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&binding.metadata, "metadata", names::path_segment);
    errors.extend(validate_role_ref(&binding.role_ref, &["Role", "ClusterRole"]));
    errors.extend(validate_subjects(binding.subjects.as_deref(), true));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_role_binding_update(new: &RoleBinding, old: &RoleBinding) -> Vec<FieldError> {
    let mut errors = validate_role_binding(new);
    errors.extend(update::metadata(&new.metadata, &old.metadata));
    errors.extend(changed_role_ref(&new.role_ref, &old.role_ref));
    without_repeats(errors)
}

/// Every rule a ClusterRoleBinding breaks.
pub fn validate_cluster_role_binding(binding: &ClusterRoleBinding) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&binding.metadata, "metadata", names::path_segment);
    errors.extend(validate_role_ref(&binding.role_ref, &["ClusterRole"]));
    errors.extend(validate_subjects(binding.subjects.as_deref(), false));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_cluster_role_binding_update(
    new: &ClusterRoleBinding,
    old: &ClusterRoleBinding,
) -> Vec<FieldError> {
    let mut errors = validate_cluster_role_binding(new);
    errors.extend(update::metadata(&new.metadata, &old.metadata));
    errors.extend(changed_role_ref(&new.role_ref, &old.role_ref));
    without_repeats(errors)
}

fn validate_rules(rules: Option<&[PolicyRule]>, is_namespaced: bool) -> Vec<FieldError> {
    let rules = rules.unwrap_or_default().iter().enumerate();
    rules.flat_map(|(index, rule)| validate_rule(rule, is_namespaced, &format!("rules[{index}]"))).collect()
}

fn validate_rule(rule: &PolicyRule, is_namespaced: bool, path: &str) -> Vec<FieldError> {
    fn is_empty(list: Option<&Vec<String>>) -> bool {
        list.is_none_or(Vec::is_empty)
    }
    let mut errors = Vec::new();
    if rule.verbs.is_empty() {
        errors.push(FieldError::required(format!("{path}.verbs"), "verbs must contain at least one value"));
    }
    let groups = rule.api_groups.as_ref();
    let resources = rule.resources.as_ref();
    if !is_empty(rule.non_resource_urls.as_ref()) {
        let mut invalid = |detail: &str| {
            let shown = json(&rule.non_resource_urls);
            errors.push(FieldError::invalid(format!("{path}.nonResourceURLs"), shown, detail));
        };
        if is_namespaced {
            invalid("namespaced rules cannot apply to non-resource URLs");
        }
        if !is_empty(groups) || !is_empty(resources) || !is_empty(rule.resource_names.as_ref()) {
            invalid("rules cannot apply to both regular resources and non-resource URLs");
        }
        return errors;
    }
    if is_empty(groups) {
        let detail = "resource rules must supply at least one api group";
        errors.push(FieldError::required(format!("{path}.apiGroups"), detail));
    }
    if is_empty(resources) {
        let detail = "resource rules must supply at least one resource";
        errors.push(FieldError::required(format!("{path}.resources"), detail));
    }
    errors
}

fn validate_role_ref(role: &RoleRef, kinds: &[&str]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if role.api_group != GROUP {
        errors.push(FieldError::unsupported("roleRef.apiGroup", quoted(&role.api_group), &[GROUP]));
    }
    if !kinds.contains(&role.kind.as_str()) {
        errors.push(FieldError::unsupported("roleRef.kind", quoted(&role.kind), kinds));
    }
    if role.name.is_empty() {
        errors.push(FieldError::required("roleRef.name", ""));
    }
    errors.extend(each(&names::path_segment(&role.name), "roleRef.name", &role.name));
    errors
}

/// A binding is for one role as long as it lives.
fn changed_role_ref(new: &RoleRef, old: &RoleRef) -> Option<FieldError> {
    let shown = || {
        let RoleRef { api_group, kind, name } = new;
        format!("{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}", json(api_group), json(kind), json(name))
    };
    (new != old).then(|| FieldError::invalid("roleRef", shown(), "cannot change roleRef"))
}

fn validate_subjects(subjects: Option<&[Subject]>, is_namespaced: bool) -> Vec<FieldError> {
    let subjects = subjects.unwrap_or_default().iter().enumerate();
    subjects
        .flat_map(|(index, subject)| validate_subject(subject, is_namespaced, &format!("subjects[{index}]")))
        .collect()
}

fn validate_subject(subject: &Subject, is_namespaced: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let group = subject.api_group.as_deref().unwrap_or_default();
    let of_group = |wanted: &str| {
        let path = format!("{path}.apiGroup");
        (group != wanted).then(|| FieldError::unsupported(path, quoted(group), &[wanted]))
    };
    if subject.name.is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    match subject.kind.as_str() {
        "ServiceAccount" => {
            if !subject.name.is_empty() {
                let problems = names::dns_subdomain(&subject.name);
                errors.extend(each(&problems, &format!("{path}.name"), &subject.name));
            }
            errors.extend(of_group(""));
            if !is_namespaced && subject.namespace.as_deref().is_none_or(str::is_empty) {
                errors.push(FieldError::required(format!("{path}.namespace"), ""));
            }
        }
        "User" | "Group" => errors.extend(of_group(GROUP)),
        other => errors.push(FieldError::unsupported(
            format!("{path}.kind"),
            quoted(other),
            &["ServiceAccount", "User", "Group"],
        )),
    }
    errors
}
