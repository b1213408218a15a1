//! Rules about the environment of containers (ValidateEnv, ValidateEnvFrom).

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector,
};

use super::{each, quoted};
use crate::api::names;
use crate::api::quantity;
use crate::api::status_error::FieldError;

/// What `fieldRef` in a variable may name, besides single labels and annotations.
const FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What names a field of a pod, but none that a variable may hold.
const OTHER_FIELD_PATHS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

/// What `resourceFieldRef` may name, besides huge pages.
const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];
const HUGE_PAGES: [&str; 2] = ["limits.hugepages-", "requests.hugepages-"];
/// What an amount of bytes may be divided by.
const BYTES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";

/// Everything wrong with one variable.
pub(super) fn validate(variable: &EnvVar, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let field = format!("{path}.name");
    if variable.name.is_empty() {
        errors.push(FieldError::required(field, ""));
    } else {
        errors.extend(each(&names::env_name(&variable.name), &field, &variable.name));
    }
    if let Some(source) = &variable.value_from {
        let has_value = variable.value.as_ref().is_some_and(|value| !value.is_empty());
        errors.extend(validate_source(source, has_value, &format!("{path}.valueFrom")));
    }
    errors
}

fn validate_source(source: &EnvVarSource, has_value: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(reference) = &source.field_ref {
        errors.extend(validate_field_ref(
            reference,
            &FIELD_PATHS,
            &OTHER_FIELD_PATHS,
            &format!("{path}.fieldRef"),
        ));
    }
    if let Some(reference) = &source.resource_field_ref {
        errors.extend(validate_resource_ref(reference, false, &format!("{path}.resourceFieldRef")));
    }
    for (field, reference) in [
        ("configMapKeyRef", source.config_map_key_ref.as_ref().map(|key| (&key.name, &key.key))),
        ("secretKeyRef", source.secret_key_ref.as_ref().map(|key| (&key.name, &key.key))),
    ] {
        let Some((name, key)) = reference else { continue };
        errors.extend(each(&names::dns_subdomain(name), &format!("{path}.{field}.name"), name));
        if key.is_empty() {
            errors.push(FieldError::required(format!("{path}.{field}.key"), ""));
        } else {
            errors.extend(each(&names::config_key(key), &format!("{path}.{field}.key"), key));
        }
    }
    let sources = [
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
    ];
    let problem = match sources.iter().filter(|is_set| **is_set).count() {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        _ if has_value => "may not be specified when `value` is not empty",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(path, "\"\"", problem));
    errors
}

/// Everything wrong with a reference to a field of the pod. Of single fields it may name some (`known`) and not others.
pub(super) fn validate_field_ref(
    reference: &ObjectFieldSelector,
    known: &[&str],
    other: &[&str],
    path: &str,
) -> Vec<FieldError> {
    let field = format!("{path}.fieldPath");
    let wanted = reference.field_path.as_str();
    let unconverted = |problem: String| {
        vec![FieldError::invalid(
            field.as_str(),
            quoted(wanted),
            &format!("error converting fieldPath: {problem}"),
        )]
    };
    match reference.api_version.as_deref().unwrap_or_default() {
        "" => return vec![FieldError::required(format!("{path}.apiVersion"), "")],
        _ if wanted.is_empty() => return vec![FieldError::required(field, "")],
        "v1" => {}
        other => return unconverted(format!("unsupported pod version: {other}")),
    }
    if let Some((base, key)) = subscript(wanted) {
        // The key of a label or of an annotation is judged as what the reference as a whole says.
        return match base {
            "metadata.labels" => each(&names::qualified_name(key), path, key),
            "metadata.annotations" => {
                let key = key.to_lowercase();
                each(&names::qualified_name(&key), path, &key)
            }
            _ => unconverted(format!("field label does not support subscript: {wanted}")),
        };
    }
    if other.contains(&wanted) {
        vec![FieldError::unsupported(field, quoted(wanted), known)]
    } else if known.contains(&wanted) {
        Vec::new()
    } else {
        unconverted(format!("field label not supported: {wanted}"))
    }
}

/// Splits `metadata.labels['k']` into its field and its key.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (base, key) = path.strip_suffix("']")?.split_once("['")?;
    (!base.is_empty()).then_some((base, key))
}

/// Everything wrong with a reference to a resource; in a volume it has to say of which container.
pub(super) fn validate_resource_ref(
    reference: &ResourceFieldSelector,
    names_container: bool,
    path: &str,
) -> Vec<FieldError> {
    let resource = reference.resource.as_str();
    let is_huge = HUGE_PAGES.iter().any(|prefix| resource.starts_with(prefix));
    let mut errors = Vec::new();
    if names_container && reference.container_name.as_ref().is_none_or(String::is_empty) {
        errors.push(FieldError::required(format!("{path}.containerName"), ""));
    } else if resource.is_empty() {
        errors.push(FieldError::required(format!("{path}.resource"), ""));
    } else if !RESOURCES.contains(&resource) && !is_huge {
        errors.push(FieldError::unsupported(format!("{path}.resource"), quoted(resource), &RESOURCES));
    }
    let divisor = reference.divisor.as_ref().map_or("0", |divisor| divisor.0.as_str());
    if quantity::nanos(divisor) == Some(0) {
        return errors;
    }
    let named = resource.split_once('.').map(|(_, name)| name);
    let (known, of) = match named.filter(|_| is_huge || RESOURCES.contains(&resource)) {
        Some("cpu") => ("1m and 1", "cpu resource"),
        Some("memory") => (BYTES, "memory resource"),
        Some("ephemeral-storage") => (BYTES, "local ephemeral storage resource"),
        Some(_) if is_huge => (BYTES, "hugepages resource"),
        _ => return errors,
    };
    let divisor = quantity::canonical(divisor);
    if !known.split(", ").flat_map(|part| part.split(" and ")).any(|known| known == divisor) {
        let detail = format!("only divisor's values {known} are supported with the {of}");
        errors.push(FieldError::invalid(format!("{path}.divisor"), quoted(resource), &detail));
    }
    errors
}

/// Everything wrong with one source of variables. `list` is the path of the list that it is in.
pub(super) fn validate_from(source: &EnvFromSource, list: &str, index: usize) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let path = format!("{list}[{index}]");
    if let Some(prefix) = source.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        errors.extend(each(&names::env_name(prefix), &format!("{path}.prefix"), prefix));
    }
    let references = [
        ("configMapRef", source.config_map_ref.as_ref().map(|reference| &reference.name)),
        ("secretRef", source.secret_ref.as_ref().map(|reference| &reference.name)),
    ];
    for (field, name) in &references {
        let field = format!("{path}.{field}.name");
        match name {
            Some(name) if name.is_empty() => errors.push(FieldError::required(field, "")),
            Some(name) => errors.extend(each(&names::dns_subdomain(name), &field, name)),
            None => {}
        }
    }
    let problem = match references.iter().filter(|(_, name)| name.is_some()).count() {
        0 => "must specify one of: `configMapRef` or `secretRef`",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(list, "\"\"", problem));
    errors
}
