//! Rules about PersistentVolumeClaims (ValidatePersistentVolumeClaim).

use k8s_openapi::api::core::v1::{
    PersistentVolumeClaimSpec, TypedLocalObjectReference, TypedObjectReference,
};

use super::quotas::validate_amount;
use super::update::{differ, immutable};
use super::{each, metadata, quoted, update, without_repeats};
use crate::api::PersistentVolumeClaim;
use crate::api::names;
use crate::api::quantity::{canonical, nanos};
use crate::api::status_error::FieldError;

const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const ALONE: &str = "ReadWriteOncePod";
const VOLUME_MODES: [&str; 2] = ["Block", "Filesystem"];
const STORAGE: &str = "storage";
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Every rule a PersistentVolumeClaim breaks.
pub fn validate_persistent_volume_claim(claim: &PersistentVolumeClaim) -> Vec<FieldError> {
    let mut errors = metadata::validate(&claim.metadata, "metadata");
    errors.extend(validate_spec(&claim.spec.clone().unwrap_or_default(), "spec"));
    errors
}

/// Every rule broken by replacing `old` with `new`. Of a claim that is bound only the size may change, and only to more; a
/// volume may be named once.
pub fn validate_persistent_volume_claim_update(
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_persistent_volume_claim(new));
    let (spec, old_spec) = (new.spec.clone().unwrap_or_default(), old.spec.clone().unwrap_or_default());
    let mut same = old_spec.clone();
    if same.volume_name.is_none() {
        same.volume_name = spec.volume_name.clone();
    }
    let is_bound = old.status.as_ref().is_some_and(|status| status.phase.as_deref() == Some("Bound"));
    if is_bound {
        let requests = spec.resources.as_ref().and_then(|resources| resources.requests.clone());
        if let (Some(resources), Some(requests)) = (&mut same.resources, requests) {
            let storage = requests.get(STORAGE).cloned();
            if let (Some(known), Some(storage)) = (&mut resources.requests, storage) {
                known.insert(STORAGE.into(), storage);
            }
        }
        same.volume_attributes_class_name = spec.volume_attributes_class_name.clone();
    }
    if differ(&spec, &same) {
        errors.push(FieldError::forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ));
    }
    let size = |spec: &PersistentVolumeClaimSpec| {
        let requests = spec.resources.as_ref()?.requests.as_ref()?;
        nanos(&requests.get(STORAGE)?.0)
    };
    if is_bound && size(&spec) < size(&old_spec) {
        let detail = "field can not be less than status.capacity";
        errors.push(FieldError::forbidden("spec.resources.requests.storage", detail));
    }
    errors.extend(immutable("volumeMode", &spec.volume_mode, &old_spec.volume_mode));
    without_repeats(errors)
}

/// What is said of a claim that is accepted.
pub fn warnings_of_persistent_volume_claim(claim: &PersistentVolumeClaim) -> Vec<String> {
    let annotations = claim.metadata.annotations.as_ref();
    let mut warnings = Vec::new();
    if annotations.is_some_and(|annotations| annotations.contains_key(OLD_CLASS)) {
        warnings.push(format!(
            "metadata.annotations[{OLD_CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    warnings.extend(claim.spec.iter().flat_map(|spec| warnings_of_spec(spec, "spec")));
    warnings
}

/// A size that is no whole number of bytes.
pub(super) fn warnings_of_spec(spec: &PersistentVolumeClaimSpec, path: &str) -> Vec<String> {
    let Some(resources) = &spec.resources else { return Vec::new() };
    let mut warnings = Vec::new();
    for (field, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        let storage = amounts.as_ref().and_then(|amounts| amounts.get(STORAGE));
        let fraction =
            storage.filter(|amount| nanos(&amount.0).is_some_and(|nanos| nanos % 1_000_000_000 != 0));
        warnings.extend(fraction.map(|amount| {
            format!(
                "{path}.resources.{field}[{STORAGE}]: fractional byte value {:?} is invalid, must be an integer",
                canonical(&amount.0)
            )
        }));
    }
    warnings
}

/// Everything wrong with the spec of a claim.
pub(super) fn validate_spec(spec: &PersistentVolumeClaimSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let at_modes = format!("{path}.accessModes");
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    if modes.is_empty() {
        errors.push(FieldError::required(at_modes.as_str(), "at least 1 access mode is required"));
    }
    if let Some(selector) = &spec.selector {
        errors.extend(metadata::validate_selector(selector, &format!("{path}.selector")));
    }
    for mode in modes.iter().filter(|mode| !ACCESS_MODES.contains(&mode.as_str())) {
        errors.push(FieldError::unsupported(at_modes.as_str(), quoted(mode), &ACCESS_MODES));
    }
    if modes.iter().any(|mode| mode == ALONE) && modes.iter().any(|mode| mode != ALONE) {
        let detail = format!("may not use {ALONE} with other access modes");
        errors.push(FieldError::forbidden(at_modes, &detail));
    }
    let at_storage = format!("{path}.resources[{STORAGE}]");
    let requests = spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    match requests.and_then(|requests| requests.get(STORAGE)) {
        None => errors.push(FieldError::required(at_storage, "")),
        Some(storage) if nanos(&storage.0).is_some_and(|nanos| nanos <= 0) => {
            let shown = quoted(&canonical(&storage.0));
            errors.push(FieldError::invalid(at_storage, shown, "must be greater than zero"));
        }
        Some(storage) => errors.extend(validate_amount(STORAGE, storage, &at_storage)),
    }
    for (field, class) in [
        ("storageClassName", &spec.storage_class_name),
        ("volumeAttributesClassName", &spec.volume_attributes_class_name),
    ] {
        if let Some(class) = class.as_deref().filter(|class| !class.is_empty()) {
            errors.extend(each(&names::dns_subdomain(class), &format!("{path}.{field}"), class));
        }
    }
    if let Some(mode) = spec.volume_mode.as_deref().filter(|mode| !VOLUME_MODES.contains(mode)) {
        errors.push(FieldError::unsupported(format!("{path}.volumeMode"), quoted(mode), &VOLUME_MODES));
    }
    if let Some(TypedLocalObjectReference { api_group, kind, name }) = &spec.data_source {
        errors.extend(validate_source(api_group.as_deref(), kind, name, &format!("{path}.dataSource")));
    }
    if let Some(TypedObjectReference { api_group, kind, name, .. }) = &spec.data_source_ref {
        errors.extend(validate_source(api_group.as_deref(), kind, name, &format!("{path}.dataSourceRef")));
    }
    errors
}

fn validate_source(group: Option<&str>, kind: &str, name: &str, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, text) in [("name", name), ("kind", kind)] {
        if text.is_empty() {
            errors.push(FieldError::required(format!("{path}.{field}"), ""));
        }
    }
    let group = group.unwrap_or_default();
    if group.is_empty() && kind != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.push(FieldError::invalid(path, quoted(kind), detail));
    }
    if !group.is_empty() {
        errors.extend(each(&names::dns_subdomain(group), &format!("{path}.apiGroup"), group));
    }
    errors
}
