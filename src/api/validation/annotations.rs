//! Rules about annotations that mean something to pods (ValidatePodSpecificAnnotations, and how the old annotations for
//! seccomp and AppArmor go with the fields that have replaced them).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{AppArmorProfile, PodSpec, SeccompProfile, Toleration};

use super::paths::descending;
use super::{containers, pod, quoted};
use crate::api::status_error::FieldError;

const MIRROR: &str = "kubernetes.io/config.mirror";
const TOLERATIONS: &str = "scheduler.alpha.kubernetes.io/tolerations";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
pub(super) const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
/// What comes before the name of a container.
pub(super) const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
pub(super) const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST: &str = "localhost/";

type Annotations = BTreeMap<String, String>;

/// Everything wrong with the annotations of a pod or of a template.
pub(super) fn validate(annotations: Option<&Annotations>, spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let Some(annotations) = annotations else { return Vec::new() };
    let at = |key: &str| format!("{path}[{key}]");
    let mut errors = Vec::new();
    if let Some(value) = annotations.get(MIRROR)
        && spec.node_name.as_ref().is_none_or(String::is_empty)
    {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(FieldError::invalid(at(MIRROR), quoted(value), detail));
    }
    if let Some(value) = annotations.get(TOLERATIONS).filter(|value| !value.is_empty()) {
        match serde_json::from_str::<Vec<Toleration>>(value) {
            Ok(tolerations) => {
                errors.extend(pod::validate_tolerations(&tolerations, &format!("{path}.{TOLERATIONS}")));
            }
            Err(error) => errors.push(FieldError::invalid(path, quoted(TOLERATIONS), &error.to_string())),
        }
    }
    if let Some(value) = annotations.get(DELETION_COST).filter(|value| !is_cost(value)) {
        errors.push(FieldError::invalid(at(DELETION_COST), quoted(value), "must be a 32bit integer"));
    }
    for (key, value) in annotations {
        if key == SECCOMP_POD || key.starts_with(SECCOMP_CONTAINER) {
            errors.extend(validate_seccomp(value, &format!("{path}.{key}")));
        }
    }
    for (key, value) in annotations {
        let Some(container) = key.strip_prefix(APP_ARMOR) else { continue };
        if !containers::all(spec, "").iter().any(|(one, _)| one.name == container) {
            errors.push(FieldError::invalid(at(key), quoted(container), "container not found"));
        }
        if app_armor(value).is_none() && !value.is_empty() {
            let detail = format!("invalid AppArmor profile name: {}", quoted(value));
            errors.push(FieldError::invalid(at(key), quoted(value), &detail));
        }
    }
    errors
}

/// Whether a text is a 32-bit number without a plus sign and without zeros before it.
fn is_cost(text: &str) -> bool {
    let begins_well =
        text.starts_with('-') || text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
    begins_well && text.parse::<i32>().is_ok()
}

fn validate_seccomp(value: &str, field: &str) -> Vec<FieldError> {
    match value {
        "runtime/default" | "docker/default" | "unconfined" => Vec::new(),
        _ => match value.strip_prefix(LOCALHOST) {
            Some(file) => descending(file, field),
            None => vec![FieldError::invalid(field, quoted(value), "must be a valid seccomp profile")],
        },
    }
}

/// The profile that an annotation stands for.
pub(super) fn app_armor(value: &str) -> Option<AppArmorProfile> {
    let profile = |kind: &str, file: Option<&str>| AppArmorProfile {
        type_: kind.to_owned(),
        localhost_profile: file.map(str::to_owned),
    };
    match value {
        "runtime/default" => Some(profile("RuntimeDefault", None)),
        "unconfined" => Some(profile("Unconfined", None)),
        _ => value.strip_prefix(LOCALHOST).map(|file| profile("Localhost", Some(file))),
    }
}

/// Where an annotation for seccomp says something else than the field. `path` is that of the pod's spec.
pub(super) fn validate_seccomp_fields(
    annotations: Option<&Annotations>,
    spec: &PodSpec,
    path: &str,
) -> Vec<FieldError> {
    let Some(annotations) = annotations else { return Vec::new() };
    let of_pod = spec.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref());
    let mut given: Vec<_> =
        of_pod.map(|profile| (SECCOMP_POD.to_owned(), profile, path.to_owned())).into_iter().collect();
    for (container, path) in containers::all(spec, path) {
        if let Some(profile) = container.security_context.and_then(|context| context.seccomp_profile.as_ref())
        {
            given.push((format!("{SECCOMP_CONTAINER}{}", container.name), profile, path));
        }
    }
    given
        .into_iter()
        .filter_map(|(key, profile, path)| {
            let field = differing_seccomp(annotations.get(&key)?, profile)?;
            let what = if field == "type" { "type" } else { "profile" };
            let detail = format!("seccomp {what} in annotation and field must match");
            Some(FieldError::forbidden(format!("{path}.securityContext.seccompProfile.{field}"), &detail))
        })
        .collect()
}

/// The field of a profile in which it differs from an annotation.
fn differing_seccomp(annotation: &str, profile: &SeccompProfile) -> Option<&'static str> {
    let is_same = match profile.type_.as_str() {
        "Unconfined" => annotation == "unconfined",
        "RuntimeDefault" => ["runtime/default", "docker/default"].contains(&annotation),
        "Localhost" => match annotation.strip_prefix(LOCALHOST) {
            None => false,
            file if file == profile.localhost_profile.as_deref() => true,
            Some(_) => return Some("localhostProfile"),
        },
        _ => true,
    };
    (!is_same).then_some("type")
}

/// Where an annotation for AppArmor says something else than the field, of the container or of the pod.
pub(super) fn validate_app_armor_fields(
    annotations: Option<&Annotations>,
    spec: &PodSpec,
    path: &str,
) -> Vec<FieldError> {
    let is_windows = spec.os.as_ref().is_some_and(|os| os.name == "windows");
    let Some(annotations) = annotations.filter(|_| !is_windows) else { return Vec::new() };
    let of_pod = spec.security_context.as_ref().and_then(|context| context.app_armor_profile.as_ref());
    let mut errors = Vec::new();
    for (container, path) in containers::all(spec, path) {
        let own = container.security_context.and_then(|context| context.app_armor_profile.as_ref());
        let Some(profile) = own.or(of_pod) else { continue };
        let Some(annotation) = annotations.get(&format!("{APP_ARMOR}{}", container.name)) else { continue };
        let said = app_armor(annotation);
        let is_known = ["Localhost", "RuntimeDefault", "Unconfined"].contains(&profile.type_.as_str());
        let (field, what) = match said {
            _ if !is_known => continue,
            Some(said) if said == *profile => continue,
            Some(said) if said.type_ == profile.type_ => ("localhostProfile", "profile"),
            _ => ("type", "type"),
        };
        let detail = format!("apparmor {what} in annotation and field must match");
        let field = format!("{path}.securityContext.appArmorProfile.{field}");
        errors.push(FieldError::forbidden(field, &detail));
    }
    errors
}

/// What of such annotations may not change (ValidatePodSpecificAnnotationUpdates).
pub(super) fn validate_update(
    new: Option<&Annotations>,
    old: Option<&Annotations>,
    path: &str,
) -> Vec<FieldError> {
    let none = Annotations::new();
    let (new, old) = (new.unwrap_or(&none), old.unwrap_or(&none));
    let lost = old
        .iter()
        .filter(|(key, value)| new.get(*key) != Some(value))
        .map(|(key, _)| (key, "remove or update"));
    let added = new.keys().filter(|key| !old.contains_key(*key)).map(|key| (key, "add"));
    lost.chain(added)
        .filter_map(|(key, verb)| {
            let what = match key.as_str() {
                MIRROR => "mirror pod annotation",
                key if key.starts_with(APP_ARMOR) => "AppArmor annotations",
                _ => return None,
            };
            Some(FieldError::forbidden(format!("{path}[{key}]"), &format!("may not {verb} {what}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_numbers_as_a_server_reads_them() {
        for (text, is_good) in [
            ("0", true),
            ("-5", true),
            ("10", true),
            ("+1", false),
            ("01", false),
            ("2147483648", false),
            ("", false),
        ] {
            assert_eq!(is_cost(text), is_good, "{text}");
        }
    }
}
