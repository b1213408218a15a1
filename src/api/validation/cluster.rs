//! Rules about Namespaces, ServiceAccounts and PriorityClasses.

use super::update::immutable;
use super::{metadata, quoted, update, without_repeats};
use crate::api::meta::name;
use crate::api::names;
use crate::api::priorities::SYSTEM_CLASSES;
use crate::api::status_error::FieldError;
use crate::api::{Namespace, PriorityClass, ServiceAccount};

/// The highest priority that is not the system's own.
const HIGHEST_PRIORITY: i32 = 1_000_000_000;
const SYSTEM_PREFIX: &str = "system-";

/// Every rule a Namespace breaks (ValidateNamespace).
pub fn validate_namespace(namespace: &Namespace) -> Vec<FieldError> {
    metadata::validate_as(&namespace.metadata, "metadata", names::dns_label)
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_namespace_update(new: &Namespace, old: &Namespace) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_namespace(new));
    without_repeats(errors)
}

/// Every rule a ServiceAccount breaks (ValidateServiceAccount).
pub fn validate_service_account(account: &ServiceAccount) -> Vec<FieldError> {
    metadata::validate(&account.metadata, "metadata")
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_service_account_update(new: &ServiceAccount, old: &ServiceAccount) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_service_account(new));
    without_repeats(errors)
}

/// Every rule a PriorityClass breaks (ValidatePriorityClass).
pub fn validate_priority_class(class: &PriorityClass) -> Vec<FieldError> {
    let mut errors = metadata::validate(&class.metadata, "metadata");
    let class_name = name(&class.metadata);
    if class_name.starts_with(SYSTEM_PREFIX) {
        let known = SYSTEM_CLASSES.iter().find(|(known, _)| *known == class_name);
        let problem = match known {
            None => Some(format!("{class_name} is not a known system priority class")),
            Some((_, value)) if *value != class.value => {
                Some(format!("value of {class_name} PriorityClass must be {value}"))
            }
            Some(_) => None,
        };
        errors.extend(problem.map(|problem| {
            let detail = format!(
                "priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only. error: {problem}"
            );
            FieldError::forbidden("metadata.name", &detail)
        }));
    } else if class.value > HIGHEST_PRIORITY {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}");
        errors.push(FieldError::forbidden("value", &detail));
    }
    let policy = class.preemption_policy.as_deref().unwrap_or_default();
    let policies = ["PreemptLowerPriority", "Never"];
    if !policy.is_empty() && !policies.contains(&policy) {
        errors.push(FieldError::unsupported("preemptionPolicy", quoted(policy), &policies));
    }
    errors
}

/// Every rule broken by replacing `old` with `new`: pods have the value already.
pub fn validate_priority_class_update(new: &PriorityClass, old: &PriorityClass) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    if new.value != old.value {
        errors.push(FieldError::forbidden("value", "may not be changed in an update."));
    }
    errors.extend(immutable("preemptionPolicy", &new.preemption_policy, &old.preemption_policy));
    errors
}
