//! Rules about containers as wholes, and about their mounts (ValidateContainers).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerResizePolicy, PodSpec, VolumeMount};

use super::{each, env, ports, probe, quoted, resources};
use crate::api::names;
use crate::api::status_error::FieldError;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const RESIZED: [&str; 2] = ["cpu", "memory"];
const RESIZE_POLICIES: [&str; 2] = ["NotRequired", "RestartContainer"];

/// Everything wrong with a pod's containers, init containers included. `volumes` are the names that mounts may use.
pub(super) fn validate_all(spec: &PodSpec, volumes: &BTreeSet<String>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    if spec.containers.is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    for (index, container) in spec.containers.iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        errors.extend(validate(container, spec, volumes, &mut taken, &path));
        errors.extend(validate_actions(container, spec, &path));
    }
    errors.extend(ports::host_conflicts(&spec.containers, &format!("{path}.containers")));
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        let path = format!("{path}.initContainers[{index}]");
        errors.extend(validate(container, spec, volumes, &mut taken, &path));
        errors.extend(validate_init(container, spec, &path));
    }
    let init = spec.init_containers.as_deref().unwrap_or_default();
    errors.extend(ports::host_conflicts(init, &format!("{path}.initContainers")));
    errors
}

/// Hooks and probes: of init containers only those that run beside the others have any.
fn validate_actions(container: &Container, spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    if let Some(lifecycle) = &container.lifecycle {
        let grace = spec.termination_grace_period_seconds.unwrap_or(0);
        errors.extend(probe::validate_hooks(lifecycle, grace, &at("lifecycle")));
    }
    for (field, probe, is_readiness) in [
        ("livenessProbe", &container.liveness_probe, false),
        ("readinessProbe", &container.readiness_probe, true),
        ("startupProbe", &container.startup_probe, false),
    ] {
        if let Some(probe) = probe {
            errors.extend(probe::validate(probe, is_readiness, &at(field)));
        }
    }
    errors
}

fn validate_init(container: &Container, spec: &PodSpec, path: &str) -> Vec<FieldError> {
    if container.restart_policy.as_deref() == Some("Always") {
        return validate_actions(container, spec, path);
    }
    let mut errors = Vec::new();
    for (field, is_set) in [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ] {
        if is_set {
            let detail = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(format!("{path}.{field}"), detail));
        }
    }
    errors
}

fn validate(
    container: &Container,
    spec: &PodSpec,
    volumes: &BTreeSet<String>,
    taken: &mut BTreeSet<String>,
    path: &str,
) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    if container.name.is_empty() {
        errors.push(FieldError::required(at("name"), ""));
    } else {
        errors.extend(each(&names::dns_label(&container.name), &at("name"), &container.name));
    }
    if !container.name.is_empty() && !taken.insert(container.name.clone()) {
        errors.push(FieldError::duplicate(at("name"), quoted(&container.name)));
    }
    let policy = container.termination_message_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !MESSAGE_POLICIES.contains(policy)) {
        errors.push(FieldError::unsupported(
            at("terminationMessagePolicy"),
            quoted(policy),
            &MESSAGE_POLICIES,
        ));
    }
    errors.extend(ports::validate(container.ports.as_deref().unwrap_or_default(), &at("ports")));
    for (index, variable) in container.env.iter().flatten().enumerate() {
        errors.extend(env::validate(variable, &format!("{}[{index}]", at("env"))));
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        errors.extend(env::validate_from(source, &at("envFrom"), index));
    }
    errors.extend(validate_mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        volumes,
        &at("volumeMounts"),
    ));
    let policy = container.image_pull_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !PULL_POLICIES.contains(policy)) {
        errors.push(FieldError::unsupported(at("imagePullPolicy"), quoted(policy), &PULL_POLICIES));
    }
    if let Some(requirements) = &container.resources {
        errors.extend(resources::validate(requirements, &at("resources")));
    }
    let policies = container.resize_policy.as_deref().unwrap_or_default();
    errors.extend(validate_resize(policies, spec, &at("resizePolicy")));
    errors
}

/// Upstream's paths name the list, not the entry.
fn validate_resize(policies: &[ContainerResizePolicy], spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, policy) in policies.iter().enumerate() {
        let (resource, restart) = (policy.resource_name.as_str(), policy.restart_policy.as_str());
        if !seen.insert(resource) {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), quoted(resource)));
        }
        for (word, known) in [(resource, &RESIZED), (restart, &RESIZE_POLICIES)] {
            if word.is_empty() {
                errors.push(FieldError::required(path, ""));
            } else if !known.contains(&word) {
                errors.push(FieldError::unsupported(path, quoted(word), known));
            }
        }
        if spec.restart_policy.as_deref() == Some("Never") && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, quoted(restart), detail));
        }
    }
    errors
}

/// The names of containers' images, of a pod itself: templates have always been let through with spaces around them.
pub(super) fn validate_images(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let init = spec.init_containers.as_deref().unwrap_or_default();
    for (list, containers) in [("containers", spec.containers.as_slice()), ("initContainers", init)] {
        for (index, container) in containers.iter().enumerate() {
            let Some(image) = container.image.as_deref().filter(|image| image.trim() != *image) else {
                continue;
            };
            errors.push(FieldError::invalid(
                format!("{path}.{list}[{index}].image"),
                quoted(image),
                "must not have leading or trailing whitespace",
            ));
        }
    }
    errors
}

fn validate_mounts(mounts: &[VolumeMount], volumes: &BTreeSet<String>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, mount) in mounts.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        if mount.name.is_empty() {
            errors.push(FieldError::required(at("name"), ""));
        } else if !volumes.contains(&mount.name) {
            errors.push(FieldError::not_found(at("name"), quoted(&mount.name)));
        }
        if mount.mount_path.is_empty() {
            errors.push(FieldError::required(at("mountPath"), ""));
        }
        if !taken.insert(&mount.mount_path) {
            errors.push(FieldError::invalid(at("mountPath"), quoted(&mount.mount_path), "must be unique"));
        }
        for (field, inside) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            let inside = inside.as_deref().unwrap_or_default();
            if inside.starts_with('/') {
                errors.push(FieldError::invalid(at(field), quoted(inside), "must be a relative path"));
            }
            if inside.split('/').any(|part| part == "..") {
                errors.push(FieldError::invalid(at(field), quoted(inside), "must not contain '..'"));
            }
        }
    }
    errors
}
