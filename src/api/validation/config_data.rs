//! Rules about what ConfigMaps and Secrets hold (ValidateConfigMap, ValidateSecret).

use std::collections::BTreeMap;

use k8s_openapi::ByteString;

use super::update::immutable;
use super::{each, metadata, quoted, update};
use crate::api::decode::json_problem;
use crate::api::names;
use crate::api::status_error::FieldError;
use crate::api::{ConfigMap, ObjectMeta, Secret};

/// The most bytes that all values have together.
const MAX_BYTES: usize = 1 << 20;
const FIXED: &str = "field is immutable when `immutable` is set";
/// Whose token a Secret holds.
const ACCOUNT_NAME: &str = "kubernetes.io/service-account.name";

/// Every rule a ConfigMap breaks.
pub fn validate_config_map(config_map: &ConfigMap) -> Vec<FieldError> {
    let mut errors = metadata::validate(&config_map.metadata, "metadata");
    let mut bytes = 0;
    let binary = config_map.binary_data.as_ref();
    for (key, value) in config_map.data.iter().flatten() {
        let path = format!("data[{key}]");
        errors.extend(each(&names::config_key(key), &path, key));
        if binary.is_some_and(|binary| binary.contains_key(key)) {
            errors.push(FieldError::invalid(path, quoted(key), "duplicate of key present in binaryData"));
        }
        bytes += value.len();
    }
    for (key, value) in binary.into_iter().flatten() {
        errors.extend(each(&names::config_key(key), &format!("binaryData[{key}]"), key));
        bytes += value.0.len();
    }
    // Upstream's path of the whole object.
    errors.extend(too_long("[]", bytes));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_config_map_update(new: &ConfigMap, old: &ConfigMap) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    if old.immutable == Some(true) {
        let is_same = [
            ("immutable", new.immutable == Some(true)),
            ("data", same(new.data.as_ref(), old.data.as_ref())),
            ("binaryData", same(new.binary_data.as_ref(), old.binary_data.as_ref())),
        ];
        errors.extend(fixed(&is_same));
    }
    errors.extend(validate_config_map(new));
    super::without_repeats(errors)
}

/// Every rule a Secret breaks.
pub fn validate_secret(secret: &Secret) -> Vec<FieldError> {
    let mut errors = metadata::validate(&secret.metadata, "metadata");
    let none = BTreeMap::new();
    let data = secret.data.as_ref().unwrap_or(&none);
    for key in data.keys() {
        errors.extend(each(&names::config_key(key), &format!("data[{key}]"), key));
    }
    errors.extend(too_long("data", data.values().map(|value| value.0.len()).sum()));
    errors.extend(of_type(secret.type_.as_deref().unwrap_or_default(), &secret.metadata, data));
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_secret_update(new: &Secret, old: &Secret) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(immutable("type", &new.type_, &old.type_));
    if old.immutable == Some(true) {
        let is_same = [
            ("immutable", new.immutable == Some(true)),
            ("data", same(new.data.as_ref(), old.data.as_ref())),
        ];
        errors.extend(fixed(&is_same));
    }
    errors.extend(validate_secret(new));
    super::without_repeats(errors)
}

/// What a Secret of a type must hold.
fn of_type(type_: &str, meta: &ObjectMeta, data: &BTreeMap<String, ByteString>) -> Vec<FieldError> {
    let missing = |key: &str| FieldError::required(format!("data[{key}]"), "");
    let absent = |keys: &[&str]| -> Vec<FieldError> {
        keys.iter().filter(|key| !data.contains_key(**key)).map(|key| missing(key)).collect()
    };
    let json = |key: &str| match data.get(key) {
        None => Some(missing(key)),
        Some(value) => json_problem(&value.0).map(|problem| {
            FieldError::invalid(format!("data[{key}]"), quoted("<secret contents redacted>"), &problem)
        }),
    };
    match type_ {
        "kubernetes.io/service-account-token" => {
            let annotations = meta.annotations.as_ref();
            let account = annotations.and_then(|annotations| annotations.get(ACCOUNT_NAME));
            let is_named = account.is_some_and(|account| !account.is_empty());
            let path = format!("metadata.annotations[{ACCOUNT_NAME}]");
            if is_named { Vec::new() } else { vec![FieldError::required(path, "")] }
        }
        "kubernetes.io/dockercfg" => json(".dockercfg").into_iter().collect(),
        "kubernetes.io/dockerconfigjson" => json(".dockerconfigjson").into_iter().collect(),
        "kubernetes.io/basic-auth" => {
            // One of both is enough.
            let absent = absent(&["username", "password"]);
            if absent.len() == 2 { absent } else { Vec::new() }
        }
        "kubernetes.io/ssh-auth" => {
            let has_key = data.get("ssh-privatekey").is_some_and(|key| !key.0.is_empty());
            if has_key { Vec::new() } else { vec![missing("ssh-privatekey")] }
        }
        "kubernetes.io/tls" => absent(&["tls.crt", "tls.key"]),
        _ => Vec::new(),
    }
}

fn too_long(path: &str, bytes: usize) -> Option<FieldError> {
    let body = format!("Too long: may not be more than {MAX_BYTES} bytes");
    (bytes > MAX_BYTES).then(|| FieldError { field: path.to_owned(), body })
}

/// Empty is the same as absent.
fn same<V: PartialEq>(new: Option<&BTreeMap<String, V>>, old: Option<&BTreeMap<String, V>>) -> bool {
    new.filter(|map| !map.is_empty()) == old.filter(|map| !map.is_empty())
}

/// An error for each field that is not as it was.
fn fixed(is_same: &[(&str, bool)]) -> Vec<FieldError> {
    let changed = is_same.iter().filter(|(_, is_same)| !is_same);
    changed.map(|(field, _)| FieldError::forbidden(*field, FIXED)).collect()
}
