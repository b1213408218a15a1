//! Rules about podFailurePolicy and successPolicy (validatePodFailurePolicy, validateSuccessPolicy).

use k8s_openapi::api::batch::v1::{
    JobSpec, PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule, SuccessPolicy,
};

use super::{each, non_negative, quoted};
use crate::api::indexes::Indexes;
use crate::api::names;
use crate::api::status_error::FieldError;

const MAX_RULES: usize = 20;
const MAX_CONDITIONS: usize = 20;
const MAX_EXIT_CODES: usize = 255;

const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];
const OPERATORS: [&str; 2] = ["In", "NotIn"];
const STATUSES: [&str; 3] = ["False", "True", "Unknown"];

pub(super) fn validate_pod_failure_policy(
    policy: &PodFailurePolicy,
    spec: &JobSpec,
    path: &str,
) -> Vec<FieldError> {
    let path = format!("{path}.rules");
    let mut errors = Vec::new();
    if policy.rules.len() > MAX_RULES {
        errors.push(FieldError::too_many(path.as_str(), policy.rules.len(), MAX_RULES));
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        errors.extend(validate_rule(rule, spec, &format!("{path}[{index}]")));
    }
    errors
}

fn validate_rule(rule: &PodFailurePolicyRule, spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let action = rule.action.as_str();
    if action == "FailIndex" && spec.backoff_limit_per_index.is_none() {
        let detail = "requires the backoffLimitPerIndex to be set";
        errors.push(FieldError::invalid(format!("{path}.action"), quoted(action), detail));
    }
    errors.extend(validate_word(action, &ACTIONS, &format!("{path}.action")));
    if let Some(requirement) = &rule.on_exit_codes {
        errors.extend(validate_exit_codes(requirement, spec, &format!("{path}.onExitCodes")));
    }
    let conditions = rule.on_pod_conditions.as_deref().unwrap_or_default();
    let conditions_path = format!("{path}.onPodConditions");
    if conditions.len() > MAX_CONDITIONS {
        errors.push(FieldError::too_many(conditions_path.as_str(), conditions.len(), MAX_CONDITIONS));
    }
    for (index, condition) in conditions.iter().enumerate() {
        let path = format!("{conditions_path}[{index}]");
        errors.extend(each(
            &names::qualified_name(&condition.type_),
            &format!("{path}.type"),
            &condition.type_,
        ));
        errors.extend(validate_word(&condition.status, &STATUSES, &format!("{path}.status")));
    }
    let problem = match (rule.on_exit_codes.is_some(), !conditions.is_empty()) {
        (true, true) => "specifying both OnExitCodes and OnPodConditions is not supported",
        (false, false) => "specifying one of OnExitCodes and OnPodConditions is required",
        _ => return errors,
    };
    errors.push(FieldError { field: path.to_owned(), body: format!("Invalid value: {problem}") });
    errors
}

fn validate_exit_codes(
    requirement: &PodFailurePolicyOnExitCodesRequirement,
    spec: &JobSpec,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let operator = requirement.operator.as_str();
    errors.extend(validate_word(operator, &OPERATORS, &format!("{path}.operator")));
    if let Some(container) = &requirement.container_name {
        let pod = spec.template.spec.as_ref();
        let known = pod.is_some_and(|pod| {
            pod.containers
                .iter()
                .chain(pod.init_containers.iter().flatten())
                .any(|one| one.name == *container)
        });
        if !known {
            let detail = "must be one of the container or initContainer names in the pod template";
            errors.push(FieldError::invalid(format!("{path}.containerName"), quoted(container), detail));
        }
    }
    let path = format!("{path}.values");
    let values = &requirement.values;
    if values.is_empty() {
        errors.push(FieldError::invalid(path.as_str(), "[]", "at least one value is required"));
    } else if values.len() > MAX_EXIT_CODES {
        errors.push(FieldError::too_many(path.as_str(), values.len(), MAX_EXIT_CODES));
    }
    let mut is_ordered = true;
    for (index, value) in values.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if *value == 0 && operator == "In" {
            errors.push(FieldError::invalid(path.as_str(), value, "must not be 0 for the In operator"));
        }
        if values[..index].contains(value) {
            errors.push(FieldError::duplicate(path, value));
        }
        is_ordered &= index == 0 || values[index - 1] <= *value;
    }
    if !is_ordered {
        let list = super::value::json(values);
        errors.push(FieldError::invalid(path, list, "must be ordered"));
    }
    errors
}

fn validate_word(word: &str, supported: &[&str], field: &str) -> Option<FieldError> {
    if word.is_empty() {
        let list = supported.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        return Some(FieldError::required(field, &format!("valid values: [{list}]")));
    }
    (!supported.contains(&word)).then(|| FieldError::unsupported(field, quoted(word), supported))
}

pub(super) fn validate_success_policy(policy: &SuccessPolicy, spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let path = format!("{path}.rules");
    let mut errors = Vec::new();
    if policy.rules.is_empty() {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        errors.push(FieldError::required(path.as_str(), detail));
    } else if policy.rules.len() > MAX_RULES {
        errors.push(FieldError::too_many(path.as_str(), policy.rules.len(), MAX_RULES));
    }
    for (index, rule) in policy.rules.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if rule.succeeded_count.is_none() && rule.succeeded_indexes.is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            errors.push(FieldError::required(path.as_str(), detail));
        }
        let mut listed = None;
        if let Some(indexes) = &rule.succeeded_indexes {
            match Indexes::parse(indexes, spec.completions.unwrap_or(0)) {
                Ok(parsed) => listed = Some(parsed.len()),
                Err(problem) => errors.push(FieldError::invalid(
                    format!("{path}.succeededIndexes"),
                    quoted(indexes),
                    &format!("error parsing succeededIndexes: {problem}"),
                )),
            }
        }
        let Some(count) = rule.succeeded_count else { continue };
        let field = format!("{path}.succeededCount");
        errors.extend(non_negative(&field, Some(i64::from(count))));
        if let Some(completions) = spec.completions.filter(|completions| count > *completions) {
            let detail =
                format!("must be less than or equal to {completions} (the number of specified completions)");
            errors.push(FieldError::invalid(field.as_str(), count, &detail));
        }
        if let Some(listed) = listed.filter(|listed| count > *listed) {
            let detail = format!(
                "must be less than or equal to {listed} (the number of indexes in the specified succeededIndexes field)"
            );
            errors.push(FieldError::invalid(field, count, &detail));
        }
    }
    errors
}
