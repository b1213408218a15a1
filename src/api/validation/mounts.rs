//! Rules about where a container has its volumes (ValidateVolumeMounts, ValidateVolumeDevices). Many of upstream's paths
//! name the list, not the entry.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, VolumeDevice, VolumeMount};

use super::paths::{descending, without_backsteps};
use super::quoted;
use super::volumes::Good;
use crate::api::status_error::FieldError;

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];

/// Everything wrong with the mounts and devices of a container. `path` is that of the container.
pub(super) fn validate(container: &Container, volumes: &Good<'_>, path: &str) -> Vec<FieldError> {
    let mounts = container.volume_mounts.as_deref().unwrap_or_default();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    // Of a volume that is there several times the last place counts.
    let mounted: BTreeMap<_, _> = mounts.iter().map(|one| (&*one.name, &*one.mount_path)).collect();
    let attached: BTreeMap<_, _> = devices.iter().map(|one| (&*one.name, &*one.device_path)).collect();
    let security = container.security_context.as_ref();
    let is_privileged = security.is_some_and(|security| security.privileged == Some(true));
    let mut errors =
        validate_mounts(mounts, volumes, &attached, is_privileged, &format!("{path}.volumeMounts"));
    errors.extend(validate_devices(devices, volumes, &mounted, &format!("{path}.volumeDevices")));
    errors
}

type Places<'a> = BTreeMap<&'a str, &'a str>;

fn has_place(places: &Places<'_>, path: &str) -> bool {
    places.values().any(|place| *place == path)
}

fn validate_mounts(
    mounts: &[VolumeMount],
    volumes: &Good<'_>,
    attached: &Places<'_>,
    is_privileged: bool,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let (name, place) = (mount.name.as_str(), mount.mount_path.as_str());
        let invalid_name = |detail| FieldError::invalid(at("name"), quoted(name), detail);
        let invalid_place = |detail| FieldError::invalid(at("mountPath"), quoted(place), detail);
        if name.is_empty() {
            errors.push(FieldError::required(at("name"), ""));
        }
        if !volumes.contains_key(name) {
            errors.push(FieldError::not_found(at("name"), quoted(name)));
        }
        if place.is_empty() {
            errors.push(FieldError::required(at("mountPath"), ""));
        }
        if !taken.insert(place) {
            errors.push(invalid_place("must be unique"));
        }
        if attached.contains_key(name) {
            errors.push(invalid_name("must not already exist in volumeDevices"));
        }
        if has_place(attached, place) {
            errors.push(invalid_place("must not already exist as a path in volumeDevices"));
        }
        errors.extend(validate_inside(mount, path, &at("subPathExpr")));
        errors.extend(validate_propagation(mount, is_privileged, &format!("{path}.mountPropagation")));
        errors.extend(validate_recursive(mount, &format!("{path}.recursiveReadOnly")));
    }
    errors
}

/// The directory inside the volume.
fn validate_inside(mount: &VolumeMount, path: &str, expanded: &str) -> Vec<FieldError> {
    let plain = mount.sub_path.as_deref().filter(|text| !text.is_empty());
    let expression = mount.sub_path_expr.as_deref().filter(|text| !text.is_empty());
    let mut errors = plain.map(|text| descending(text, &format!("{path}.subPath"))).unwrap_or_default();
    let Some(expression) = expression else { return errors };
    if plain.is_some() {
        let detail = "subPathExpr and subPath are mutually exclusive";
        errors.push(FieldError::invalid(expanded, quoted(expression), detail));
    }
    errors.extend(descending(expression, &format!("{path}.subPathExpr")));
    errors
}

fn validate_propagation(mount: &VolumeMount, is_privileged: bool, field: &str) -> Option<FieldError> {
    match mount.mount_propagation.as_deref()? {
        "Bidirectional" if !is_privileged => Some(FieldError::forbidden(
            field,
            "Bidirectional mount propagation is available only to privileged containers",
        )),
        known if PROPAGATIONS.contains(&known) => None,
        other => Some(FieldError::unsupported(field, quoted(other), &PROPAGATIONS)),
    }
}

fn validate_recursive(mount: &VolumeMount, field: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.push(FieldError::forbidden(field, "may only be specified when readOnly is true"));
            }
            if mount.mount_propagation.as_deref().is_some_and(|propagation| propagation != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                errors.push(FieldError::forbidden(field, detail));
            }
        }
        Some(other) => errors.push(FieldError::unsupported(field, quoted(other), &RECURSIVE)),
    }
    errors
}

fn validate_devices(
    devices: &[VolumeDevice],
    volumes: &Good<'_>,
    mounted: &Places<'_>,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
    for (index, device) in devices.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let (name, place) = (device.name.as_str(), device.device_path.as_str());
        let invalid_name = |detail| FieldError::invalid(at("name"), quoted(name), detail);
        let invalid_place = |detail| FieldError::invalid(at("devicePath"), quoted(place), detail);
        if name.is_empty() {
            errors.push(FieldError::required(at("name"), ""));
        }
        if names.contains(name) {
            errors.push(invalid_name("must be unique"));
        }
        match volumes.get(name) {
            None => errors.push(FieldError::not_found(at("name"), quoted(name))),
            Some(volume) if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() => {
                let detail =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(invalid_name(detail));
            }
            Some(_) => {}
        }
        if place.is_empty() {
            errors.push(FieldError::required(at("devicePath"), ""));
        }
        if places.contains(place) {
            errors.push(invalid_place("must be unique"));
        }
        if without_backsteps(place, "").is_some() {
            errors.push(invalid_place("can not contain backsteps ('..')"));
        } else {
            places.insert(place);
        }
        if mounted.contains_key(name) {
            errors.push(invalid_name("must not already exist in volumeMounts"));
        }
        if has_place(mounted, place) {
            errors.push(invalid_place("must not already exist as a path in volumeMounts"));
        }
        if !name.is_empty() {
            names.insert(name);
        }
    }
    errors
}
