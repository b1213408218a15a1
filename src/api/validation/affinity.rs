//! Rules about node affinity (ValidateNodeSelector, validatePreferredSchedulingTerms).

use k8s_openapi::api::core::v1::{NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm};

use super::metadata::{key_and_values, operator_and_values, unknown_operator};
use super::{each, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

/// Everything wrong with what a pod asks of its node.
pub(super) fn validate(affinity: &NodeAffinity, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let path = format!("{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
        if required.node_selector_terms.is_empty() {
            errors.push(FieldError::required(path.clone(), "must have at least one node selector term"));
        }
        for (index, term) in required.node_selector_terms.iter().enumerate() {
            errors.extend(validate_term(term, true, &format!("{path}[{index}]")));
        }
    }
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
    for (index, choice) in preferred.enumerate() {
        let path = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]");
        if !(1..=100).contains(&choice.weight) {
            errors.push(FieldError::invalid(
                format!("{path}.weight"),
                choice.weight,
                "must be in the range 1-100",
            ));
        }
        errors.extend(validate_term(&choice.preference, false, &format!("{path}.preference")));
    }
    errors
}

/// Values that no label can have are let through in a preference: nothing depends on it.
fn validate_term(term: &NodeSelectorTerm, is_required: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, rule) in term.match_expressions.iter().flatten().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = rule.values.as_deref().unwrap_or_default();
        errors.extend(operator_and_values(&rule.operator, values, &path));
        errors.extend(key_and_values(&rule.key, if is_required { values } else { &[] }, &path));
    }
    for (index, rule) in term.match_fields.iter().flatten().enumerate() {
        errors.extend(validate_field(rule, &format!("{path}.matchFields[{index}]")));
    }
    errors
}

fn validate_field(rule: &NodeSelectorRequirement, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match rule.operator.as_str() {
        "In" | "NotIn" => {
            if rule.values.as_ref().is_none_or(|values| values.len() != 1) {
                errors.push(FieldError::required(
                    format!("{path}.values"),
                    "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
                ));
            }
        }
        other => errors.push(unknown_operator(other, path)),
    }
    if rule.key != "metadata.name" {
        let detail = "not a valid field selector key";
        errors.push(FieldError::invalid(format!("{path}.key"), quoted(&rule.key), detail));
        return errors;
    }
    for (index, name) in rule.values.iter().flatten().enumerate() {
        errors.extend(each(&names::dns_subdomain(name), &format!("{path}.values[{index}]"), name));
    }
    errors
}
