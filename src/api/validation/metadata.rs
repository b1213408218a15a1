//! Rules about metadata: names, labels, annotations, owners, finalizers (ValidateObjectMeta).

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::value::{self, json};
use super::{each, non_negative, quoted};
use crate::api::meta::{
    ANNOTATION_AFTER, ANNOTATION_BACKOFF_BASE, ANNOTATION_EXPECT_EVERY, ANNOTATION_ON_FAILURE,
    ANNOTATION_ON_SUCCESS,
};
use crate::api::status_error::FieldError;
use crate::api::{dependencies, durations, hooks, names};

/// The most bytes that the annotations of an object may have together.
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

/// Everything wrong with the metadata of an object that is named by a DNS subdomain.
pub(super) fn validate(meta: &ObjectMeta, path: &str) -> Vec<FieldError> {
    validate_as(meta, path, names::dns_subdomain)
}

/// Everything wrong with the metadata of an object whose name follows a rule.
pub(super) fn validate_as(
    meta: &ObjectMeta,
    path: &str,
    name_rule: fn(&str) -> Vec<String>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(base) = meta.generate_name.as_deref().filter(|base| !base.is_empty()) {
        // A trailing dash is followed by generated contents.
        let stem = base.strip_suffix('-').map_or_else(|| base.to_owned(), |stem| format!("{stem}a"));
        errors.extend(each(&name_rule(&stem), &format!("{path}.generateName"), base));
    }
    match meta.name.as_deref() {
        None | Some("") => {
            errors.push(FieldError::required(format!("{path}.name"), "name or generateName is required"));
        }
        Some(name) => errors.extend(each(&name_rule(name), &format!("{path}.name"), name)),
    }
    if let Some(namespace) = meta.namespace.as_deref() {
        errors.extend(each(&names::dns_label(namespace), &format!("{path}.namespace"), namespace));
    }
    errors.extend(non_negative(&format!("{path}.generation"), meta.generation));
    errors.extend(validate_labels(meta.labels.as_ref(), &format!("{path}.labels")));
    errors.extend(validate_annotations(meta.annotations.as_ref(), &format!("{path}.annotations")));
    errors.extend(validate_owners(meta, &format!("{path}.ownerReferences")));
    errors.extend(validate_finalizers(meta, &format!("{path}.finalizers")));
    errors
}

pub(super) fn validate_labels(labels: Option<&BTreeMap<String, String>>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (key, value) in labels.into_iter().flatten() {
        errors.extend(each(&names::qualified_name(key), path, key));
        errors.extend(each(&names::label_value(value), path, value));
    }
    errors
}

pub(super) fn validate_annotations(
    annotations: Option<&BTreeMap<String, String>>,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut bytes = 0;
    for (key, value) in annotations.into_iter().flatten() {
        // Annotation keys may have capitals in their prefix.
        errors.extend(each(&names::qualified_name(&key.to_lowercase()), path, key));
        bytes += key.len() + value.len();
        let checked: Result<(), String> = match key.as_str() {
            ANNOTATION_BACKOFF_BASE | ANNOTATION_EXPECT_EVERY => durations::parse(value).map(drop),
            ANNOTATION_AFTER => dependencies::parse(value).map(drop),
            ANNOTATION_ON_FAILURE | ANNOTATION_ON_SUCCESS => hooks::parse(value).map(drop),
            _ => Ok(()),
        };
        if let Err(detail) = checked {
            errors.push(FieldError::invalid(format!("{path}[{key}]"), quoted(value), &detail));
        }
    }
    if bytes > MAX_ANNOTATION_BYTES {
        errors.push(FieldError::too_long(path, MAX_ANNOTATION_BYTES));
    }
    errors
}

fn validate_owners(meta: &ObjectMeta, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let owners = meta.owner_references.as_deref().unwrap_or_default();
    // Which of them it is upstream's paths do not say.
    for owner in owners {
        if owner.api_version.is_empty() {
            errors.push(FieldError::invalid(
                format!("{path}.apiVersion"),
                "\"\"",
                "version must not be empty",
            ));
        }
        for (field, text) in [("kind", &owner.kind), ("name", &owner.name), ("uid", &owner.uid)] {
            if text.is_empty() {
                errors.push(FieldError::invalid(format!("{path}.{field}"), "\"\"", "must not be empty"));
            }
        }
        if owner.api_version == "v1" && owner.kind == "Event" {
            let detail = "/v1, Kind=Event is disallowed from being an owner";
            errors.push(FieldError::invalid(path, value::owner(owner), detail));
        }
    }
    let mut controllers = owners.iter().filter(|owner| owner.controller == Some(true));
    if let (Some(first), Some(second)) = (controllers.next(), controllers.next()) {
        let detail = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {}/{} and {}/{}",
            first.kind, first.name, second.kind, second.name
        );
        errors.push(FieldError::invalid(path, value::owners(owners), &detail));
    }
    errors
}

fn validate_finalizers(meta: &ObjectMeta, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let finalizers = meta.finalizers.as_deref().unwrap_or_default();
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    for (index, finalizer) in finalizers.iter().enumerate() {
        let path = format!("{path}[{index}]");
        errors.extend(each(&names::qualified_name(finalizer), &path, finalizer));
        let is_standard = ["kubernetes", "orphan", "foregroundDeletion"].contains(&finalizer.as_str());
        if !finalizer.contains('/') && !is_standard {
            errors.push(FieldError::invalid(
                path,
                quoted(finalizer),
                "name is neither a standard finalizer name nor is it fully qualified",
            ));
        }
    }
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(FieldError::invalid(path, json(&finalizers), detail));
    }
    errors
}

/// Everything wrong with a selector (ValidateLabelSelector).
pub(super) fn validate_selector(selector: &LabelSelector, path: &str) -> Vec<FieldError> {
    let mut errors = validate_labels(selector.match_labels.as_ref(), &format!("{path}.matchLabels"));
    for (index, expression) in selector.match_expressions.iter().flatten().enumerate() {
        let path = format!("{path}.matchExpressions[{index}]");
        let values = expression.values.as_deref().unwrap_or_default();
        errors.extend(match expression.operator.as_str() {
            "Gt" | "Lt" => Some(unknown_operator(&expression.operator, &path)),
            operator => operator_and_values(operator, values, &path),
        });
        errors.extend(key_and_values(&expression.key, values, &path));
    }
    errors
}

/// Whether as many values are given as an operator of selectors needs.
pub(super) fn operator_and_values(operator: &str, values: &[String], path: &str) -> Option<FieldError> {
    let at_values = format!("{path}.values");
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            Some(FieldError::required(at_values, "must be specified when `operator` is 'In' or 'NotIn'"))
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => Some(FieldError::forbidden(
            at_values,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        )),
        "Gt" | "Lt" if values.len() != 1 => Some(FieldError::required(
            at_values,
            "must be specified single value when `operator` is 'Lt' or 'Gt'",
        )),
        "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt" => None,
        other => Some(unknown_operator(other, path)),
    }
}

pub(super) fn unknown_operator(operator: &str, path: &str) -> FieldError {
    FieldError::invalid(format!("{path}.operator"), quoted(operator), "not a valid selector operator")
}

/// Everything wrong with the label key and the label values of a requirement.
pub(super) fn key_and_values(key: &str, values: &[String], path: &str) -> Vec<FieldError> {
    let mut errors = each(&names::qualified_name(key), &format!("{path}.key"), key);
    for (index, value) in values.iter().enumerate() {
        errors.extend(each(&names::label_value(value), &format!("{path}.values[{index}]"), value));
    }
    errors
}
