//! Rules about files made of the API's objects: items of ConfigMaps and Secrets, fields of the pod, tokens
//! (validateKeyToPath, validateDownwardAPIVolumeFile, validateProjectionSources).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, ServiceAccountTokenProjection, VolumeProjection,
};

use super::paths::{local, mode, required};
use super::{env, quoted};
use crate::api::status_error::FieldError;

/// What a file may hold of the pod, besides single labels and annotations.
const FIELD_PATHS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
/// What names a field of a pod, but none that a file may hold.
const OTHER_FIELD_PATHS: [&str; 9] = [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.phase",
    "status.podIP",
    "status.podIPs",
];

/// The bounds of a token's life, in seconds.
const SHORTEST_TOKEN: i64 = 600;
const LONGEST_TOKEN: i64 = 1 << 32;

const CONFLICT: &str = "conflicting duplicate paths";

/// Everything wrong with the items of a ConfigMap or a Secret.
pub(super) fn validate_items(items: Option<&Vec<KeyToPath>>, path: &str) -> Vec<FieldError> {
    let items = items.into_iter().flatten().enumerate();
    items.flat_map(|(index, item)| validate_item(item, &format!("{path}[{index}]"))).collect()
}

fn validate_item(item: &KeyToPath, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors: Vec<FieldError> = required(&item.key, &at("key")).into_iter().collect();
    errors.extend(required(&item.path, &at("path")));
    errors.extend(local(&item.path, &at("path")));
    errors.extend(mode(item.mode, &at("mode")));
    errors
}

/// Everything wrong with one file about the pod. Upstream's paths name the source, not the item.
pub(super) fn validate_file(file: &DownwardAPIVolumeFile, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors: Vec<FieldError> = required(&file.path, &at("path")).into_iter().collect();
    errors.extend(local(&file.path, &at("path")));
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(reference), of_resource) => {
            errors.extend(env::validate_field_ref(
                reference,
                &FIELD_PATHS,
                &OTHER_FIELD_PATHS,
                &at("fieldRef"),
            ));
            if of_resource.is_some() {
                let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
                errors.push(FieldError::invalid(path, "\"resource\"", detail));
            }
        }
        (None, Some(reference)) => {
            errors.extend(env::validate_resource_ref(reference, true, &at("resourceFieldRef")));
        }
        (None, None) => {
            errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
        }
    }
    errors.extend(mode(file.mode, &at("mode")));
    errors
}

/// Everything wrong with a volume of several sources.
pub(super) fn validate_projected(source: &ProjectedVolumeSource, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> =
        mode(source.default_mode, &format!("{path}.defaultMode")).into_iter().collect();
    let mut taken = BTreeSet::new();
    for (index, source) in source.sources.iter().flatten().enumerate() {
        let place = format!("{path}.sources[{index}]");
        errors.extend(validate_source(source, path, &place, &mut taken));
        let count = [
            source.secret.is_some(),
            source.config_map.is_some(),
            source.downward_api.is_some(),
            source.service_account_token.is_some(),
        ];
        if count.iter().filter(|is_set| **is_set).count() > 1 {
            errors.push(FieldError::forbidden(place, "may not specify more than 1 volume type per source"));
        }
    }
    errors
}

fn validate_source<'a>(
    source: &'a VolumeProjection,
    path: &str,
    place: &str,
    taken: &mut BTreeSet<&'a str>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let secret = source.secret.as_ref().map(|source| (&source.name, &source.items));
    let config_map = source.config_map.as_ref().map(|source| (&source.name, &source.items));
    for (field, source) in [("secret", secret), ("configMap", config_map)] {
        let Some((name, items)) = source else { continue };
        errors.extend(required(name, &format!("{place}.{field}.name")));
        for (index, item) in items.iter().flatten().enumerate() {
            errors.extend(validate_item(item, &format!("{place}.{field}.items[{index}]")));
            if !item.path.is_empty() && !taken.insert(&item.path) {
                errors.push(FieldError::invalid(path, quoted(name), CONFLICT));
            }
        }
    }
    for file in source.downward_api.iter().flat_map(|source| source.items.iter().flatten()) {
        errors.extend(validate_file(file, &format!("{place}.downwardAPI")));
        if !file.path.is_empty() && !taken.insert(&file.path) {
            errors.push(FieldError::invalid(path, quoted(&file.path), CONFLICT));
        }
    }
    if let Some(token) = &source.service_account_token {
        errors.extend(validate_token(token, path, &format!("{place}.serviceAccountToken")));
    }
    errors
}

/// Upstream's path of the file is that of the whole volume.
fn validate_token(token: &ServiceAccountTokenProjection, path: &str, place: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let seconds = token.expiration_seconds.unwrap_or(0);
    let expiration = |detail| FieldError::invalid(format!("{place}.expirationSeconds"), seconds, detail);
    if seconds < SHORTEST_TOKEN {
        errors.push(expiration("may not specify a duration less than 10 minutes"));
    }
    if seconds > LONGEST_TOKEN {
        errors.push(expiration("may not specify a duration larger than 2^32 seconds"));
    }
    let path = format!("{path}.path");
    if token.path.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        errors.extend(local(&token.path, &path));
    }
    errors
}
