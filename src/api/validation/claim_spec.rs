//! Rules about what a claim asks for, be it an object, a StatefulSet's or made for a pod (ValidatePersistentVolumeClaimSpec).

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaimSpec, TypedLocalObjectReference, TypedObjectReference,
};

use super::paths::required;
use super::quotas::validate_amount;
use super::{each, metadata, quoted};
use crate::api::names;
use crate::api::quantity::{canonical, nanos};
use crate::api::status_error::FieldError;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const SINGLE_POD: &str = "ReadWriteOncePod";
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const CLAIM: &str = "PersistentVolumeClaim";
const STORAGE: &str = "storage";

/// Everything wrong with the spec of a claim.
pub(super) fn validate(spec: &PersistentVolumeClaimSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    let mut errors = Vec::new();
    if modes.is_empty() {
        errors.push(FieldError::required(at("accessModes"), "at least 1 access mode is required"));
    }
    if let Some(selector) = &spec.selector {
        errors.extend(metadata::validate_selector(selector, &at("selector")));
    }
    errors.extend(validate_modes(modes, &at("accessModes")));
    errors.extend(validate_size(spec, &at("resources[storage]")));
    errors.extend(validate_class(spec.storage_class_name.as_deref(), &at("storageClassName")));
    if let Some(mode) = spec.volume_mode.as_deref().filter(|mode| !VOLUME_MODES.contains(mode)) {
        errors.push(FieldError::unsupported(at("volumeMode"), quoted(mode), &VOLUME_MODES));
    }
    errors.extend(validate_sources(spec, path));
    let class = spec.volume_attributes_class_name.as_deref();
    errors.extend(validate_class(class, &at("volumeAttributesClassName")));
    errors
}

fn validate_modes(modes: &[String], path: &str) -> Vec<FieldError> {
    let is_known = |mode: &&String| ACCESS_MODES.contains(&mode.as_str());
    let mut errors: Vec<FieldError> = modes
        .iter()
        .filter(|mode| !is_known(mode))
        .map(|mode| FieldError::unsupported(path, quoted(mode), &ACCESS_MODES))
        .collect();
    let mut known = modes.iter().filter(is_known);
    let is_single = modes.iter().any(|mode| mode == SINGLE_POD);
    if is_single && known.any(|mode| mode != SINGLE_POD) {
        let detail = "may not use ReadWriteOncePod with other access modes";
        errors.push(FieldError::forbidden(path, detail));
    }
    errors
}

fn validate_size(spec: &PersistentVolumeClaimSpec, path: &str) -> Vec<FieldError> {
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let Some(size) = requests.and_then(|requests| requests.get(STORAGE)) else {
        return vec![FieldError::required(path, "")];
    };
    if nanos(&size.0).is_some_and(|nanos| nanos <= 0) {
        let shown = quoted(&canonical(&size.0));
        return vec![FieldError::invalid(path, shown, "must be greater than zero")];
    }
    validate_amount(STORAGE, size, path)
}

fn validate_class(class: Option<&str>, path: &str) -> Vec<FieldError> {
    let class = class.filter(|class| !class.is_empty());
    class.map(|class| each(&names::dns_subdomain(class), path, class)).unwrap_or_default()
}

fn validate_sources(spec: &PersistentVolumeClaimSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(source) = &spec.data_source {
        errors.extend(validate_source(&Source::from(source), &format!("{path}.dataSource")));
    }
    let Some(reference) = &spec.data_source_ref else { return errors };
    let field = format!("{path}.dataSourceRef");
    errors.extend(validate_source(&Source::from(reference), &field));
    let namespace = reference.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    if let Some(namespace) = namespace {
        errors.extend(each(&names::dns_label(namespace), &format!("{field}.namespace"), namespace));
    }
    if let Some(source) = &spec.data_source {
        // The server puts a path of its own where the value should be, and prints nothing of it.
        let shown = "{}";
        if namespace.is_some() {
            let detail = "may not be specified when dataSourceRef.namespace is specified";
            errors.push(FieldError::invalid(path, shown, detail));
        } else if Source::from(source) != Source::from(reference) {
            errors.push(FieldError::invalid(path, shown, "must match dataSourceRef"));
        }
    }
    errors
}

/// What a volume is to be filled from.
#[derive(PartialEq, Eq)]
struct Source<'a> {
    group: Option<&'a str>,
    kind: &'a str,
    name: &'a str,
}

impl<'a> From<&'a TypedLocalObjectReference> for Source<'a> {
    fn from(source: &'a TypedLocalObjectReference) -> Self {
        Self { group: source.api_group.as_deref(), kind: &source.kind, name: &source.name }
    }
}

impl<'a> From<&'a TypedObjectReference> for Source<'a> {
    fn from(source: &'a TypedObjectReference) -> Self {
        Self { group: source.api_group.as_deref(), kind: &source.kind, name: &source.name }
    }
}

fn validate_source(source: &Source<'_>, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = required(source.name, &format!("{path}.name")).into_iter().collect();
    errors.extend(required(source.kind, &format!("{path}.kind")));
    match source.group.unwrap_or_default() {
        "" if source.kind != CLAIM => {
            let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
            errors.push(FieldError::invalid(path, quoted(source.kind), detail));
        }
        "" => {}
        group => errors.extend(each(&names::dns_subdomain(group), &format!("{path}.apiGroup"), group)),
    }
    errors
}
