//! Rules about where pods may be together, and what they wait for (validatePodAffinity, validateTopologySpreadConstraints,
//! validateSchedulingGates, validateReadinessGates).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    PodAffinityTerm, PodReadinessGate, PodSchedulingGate, TopologySpreadConstraint, WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::{each, metadata, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const UNSATISFIABLE: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
const INCLUSION: [&str; 2] = ["Honor", "Ignore"];

/// Everything wrong with the terms of `podAffinity` or `podAntiAffinity`.
pub(super) fn validate_affinity(
    required: Option<&Vec<PodAffinityTerm>>,
    preferred: Option<&Vec<WeightedPodAffinityTerm>>,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, term) in required.into_iter().flatten().enumerate() {
        let path = format!("{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}]");
        errors.extend(validate_term(term, &path));
    }
    for (index, choice) in preferred.into_iter().flatten().enumerate() {
        let path = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}]");
        if !(1..=100).contains(&choice.weight) {
            let detail = "must be in the range 1-100";
            errors.push(FieldError::invalid(format!("{path}.weight"), choice.weight, detail));
        }
        errors.extend(validate_term(&choice.pod_affinity_term, &format!("{path}.podAffinityTerm")));
    }
    errors
}

fn validate_term(term: &PodAffinityTerm, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, selector) in
        [("labelSelector", &term.label_selector), ("namespaceSelector", &term.namespace_selector)]
    {
        if let Some(selector) = selector {
            errors.extend(metadata::validate_selector(selector, &format!("{path}.{field}")));
        }
    }
    for name in term.namespaces.iter().flatten() {
        errors.extend(each(&names::dns_label(name), &format!("{path}.namespace"), name));
    }
    let keys = LabelKeys {
        same: term.match_label_keys.as_deref().unwrap_or_default(),
        other: term.mismatch_label_keys.as_deref().unwrap_or_default(),
        selector: term.label_selector.as_ref(),
    };
    errors.extend(keys.validate(path));
    let field = format!("{path}.topologyKey");
    if term.topology_key.is_empty() {
        errors.push(FieldError::required(field.as_str(), "can not be empty"));
    }
    errors.extend(each(&names::qualified_name(&term.topology_key), &field, &term.topology_key));
    errors
}

/// Everything wrong with `topologySpreadConstraints`.
pub(super) fn validate_spread(constraints: &[TopologySpreadConstraint], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, constraint) in constraints.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        if constraint.max_skew <= 0 {
            let detail = "must be greater than zero";
            errors.push(FieldError::invalid(at("maxSkew"), constraint.max_skew, detail));
        }
        if constraint.topology_key.is_empty() {
            errors.push(FieldError::required(at("topologyKey"), "can not be empty"));
        }
        let otherwise = constraint.when_unsatisfiable.as_str();
        if !UNSATISFIABLE.contains(&otherwise) {
            errors.push(FieldError::unsupported(at("whenUnsatisfiable"), quoted(otherwise), &UNSATISFIABLE));
        }
        let kind = |constraint: &TopologySpreadConstraint| {
            (constraint.topology_key.clone(), constraint.when_unsatisfiable.clone())
        };
        if constraints[index + 1..].iter().any(|later| kind(later) == kind(constraint)) {
            let both = format!("{{{}, {otherwise}}}", constraint.topology_key);
            errors.push(FieldError::duplicate(at("{topologyKey, whenUnsatisfiable}"), quoted(&both)));
        }
        if let Some(domains) = constraint.min_domains {
            if domains <= 0 {
                errors.push(FieldError::invalid(at("minDomains"), domains, "must be greater than zero"));
            }
            if otherwise != "DoNotSchedule" {
                let detail =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {otherwise}");
                errors.push(FieldError::invalid(at("minDomains"), domains, &detail));
            }
        }
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy.as_deref().filter(|policy| !INCLUSION.contains(policy)) {
                errors.push(FieldError::unsupported(at(field), quoted(policy), &INCLUSION));
            }
        }
        let keys = LabelKeys {
            same: constraint.match_label_keys.as_deref().unwrap_or_default(),
            other: &[],
            selector: constraint.label_selector.as_ref(),
        };
        errors.extend(keys.validate(&format!("{path}[{index}]")));
        if let Some(selector) = &constraint.label_selector {
            errors.extend(metadata::validate_selector(selector, &at("labelSelector")));
        }
    }
    errors
}

/// Keys of the pod's own labels beside a selector, which has been completed by them.
struct LabelKeys<'a> {
    same: &'a [String],
    other: &'a [String],
    selector: Option<&'a LabelSelector>,
}

impl LabelKeys<'_> {
    /// Everything wrong with them (ValidateMatchLabelKeysAndMismatchLabelKeys).
    fn validate(&self, path: &str) -> Vec<FieldError> {
        let mut errors = Vec::new();
        for (field, keys) in [("matchLabelKeys", self.same), ("mismatchLabelKeys", self.other)] {
            let field = format!("{path}.{field}");
            if !keys.is_empty() && self.selector.is_none() {
                let detail = "must not be specified when labelSelector is not set";
                errors.push(FieldError::forbidden(field, detail));
                continue;
            }
            for (index, key) in keys.iter().enumerate() {
                errors.extend(each(&names::qualified_name(key), &format!("{field}[{index}]"), key));
            }
        }
        let mut seen: BTreeSet<&String> = self
            .selector
            .iter()
            .flat_map(|selector| selector.match_labels.iter().flatten())
            .map(|(key, _)| key)
            .collect();
        for rule in self.selector.iter().flat_map(|selector| selector.match_expressions.iter().flatten()) {
            let place = self.same.iter().rposition(|key| *key == rule.key);
            // The expression made of the key is one; a second is the user's. Upstream's path leaves the field out.
            if let Some(index) = place.filter(|_| seen.contains(&rule.key)) {
                let detail = "exists in both matchLabelKeys and labelSelector";
                errors.push(FieldError::invalid(format!("{path}[{index}]"), quoted(&rule.key), detail));
            }
            seen.insert(&rule.key);
        }
        for (index, key) in self.same.iter().enumerate().filter(|(_, key)| self.other.contains(key)) {
            let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
            errors.push(FieldError::invalid(format!("{path}.matchLabelKeys[{index}]"), quoted(key), detail));
        }
        errors
    }
}

/// Everything wrong with `schedulingGates`.
pub(super) fn validate_gates(gates: &[PodSchedulingGate], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, gate) in gates.iter().enumerate() {
        let path = format!("{path}[{index}]");
        errors.extend(each(&names::qualified_name(&gate.name), &path, &gate.name));
        if !seen.insert(&gate.name) {
            errors.push(FieldError::duplicate(path, quoted(&gate.name)));
        }
    }
    errors
}

/// Everything wrong with `readinessGates`.
pub(super) fn validate_readiness(gates: &[PodReadinessGate], path: &str) -> Vec<FieldError> {
    let each_gate = gates.iter().enumerate().map(|(index, gate)| {
        let field = format!("{path}[{index}].conditionType");
        each(&names::qualified_name(&gate.condition_type), &field, &gate.condition_type)
    });
    each_gate.flatten().collect()
}
