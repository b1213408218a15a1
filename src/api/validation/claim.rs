//! Rules about PersistentVolumeClaims (ValidatePersistentVolumeClaim).

use k8s_openapi::api::core::v1::PersistentVolumeClaimSpec;

use super::update::{differ, immutable};
use super::{claim_spec, metadata, update, without_repeats};
use crate::api::PersistentVolumeClaim;
use crate::api::quantity::{canonical, nanos};
use crate::api::status_error::FieldError;

const STORAGE: &str = "storage";
const OLD_CLASS: &str = "volume.beta.kubernetes.io/storage-class";

/// Every rule a PersistentVolumeClaim breaks.
pub fn validate_persistent_volume_claim(claim: &PersistentVolumeClaim) -> Vec<FieldError> {
    let mut errors = metadata::validate(&claim.metadata, "metadata");
    errors.extend(claim_spec::validate(&claim.spec.clone().unwrap_or_default(), "spec"));
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
