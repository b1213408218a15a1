//! Rules about containers as wholes (validateContainers, validateInitContainers).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerResizePolicy, PodSpec};

use super::resources::{self, Holder};
use super::volumes::Good;
use super::{each, env, ephemeral, mounts, ports, probe, quoted, restart_rules, security};
use crate::api::names;
use crate::api::pod_resources::is_sidecar;
use crate::api::status_error::FieldError;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const RESIZED: [&str; 2] = ["cpu", "memory"];
const RESIZE_POLICIES: [&str; 2] = ["NotRequired", "RestartContainer"];

/// What of a pod its containers may name, and what of it decides about them.
pub(super) struct Surroundings<'a> {
    /// The volumes that there is nothing wrong about.
    pub(super) volumes: Good<'a>,
    /// The claims of devices.
    pub(super) claims: BTreeSet<&'a str>,
    /// The pod's restartPolicy.
    pub(super) restart_policy: &'a str,
    /// Whether the users of containers are those of the machine.
    pub(super) has_host_users: bool,
}

/// Everything wrong with a pod's containers of all kinds.
pub(super) fn validate_all(spec: &PodSpec, around: &Surroundings<'_>, path: &str) -> Vec<FieldError> {
    let mut errors = validate_main(spec, around, &format!("{path}.containers"));
    errors.extend(validate_init(spec, around, &format!("{path}.initContainers")));
    errors.extend(ephemeral::validate_all(spec, around, path));
    errors
}

fn validate_main(spec: &PodSpec, around: &Surroundings<'_>, path: &str) -> Vec<FieldError> {
    if spec.containers.is_empty() {
        return vec![FieldError::required(path, "")];
    }
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let path = format!("{path}[{index}]");
        errors.extend(validate_common(container, around, &path));
        if !taken.insert(&container.name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), quoted(&container.name)));
        }
        errors.extend(validate_actions(container, spec, &path));
        errors.extend(restart_rules::validate(container, &path));
    }
    errors.extend(ports::host_conflicts(&spec.containers, path));
    errors
}

fn validate_init(spec: &PodSpec, around: &Surroundings<'_>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken: BTreeSet<&str> = spec.containers.iter().map(|container| container.name.as_str()).collect();
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        let list = path;
        let path = format!("{path}[{index}]");
        errors.extend(validate_common(container, around, &path));
        errors.extend(restart_rules::validate(container, &path));
        if taken.contains(container.name.as_str()) {
            errors.push(FieldError::duplicate(format!("{path}.name"), quoted(&container.name)));
        } else if !container.name.is_empty() {
            taken.insert(&container.name);
        }
        // They run one by one, so each is looked at alone; upstream calls each of them the first.
        errors.extend(ports::host_conflicts(std::slice::from_ref(container), list));
        if is_sidecar(container) {
            errors.extend(validate_actions(container, spec, &path));
        } else {
            errors.extend(forbidden_actions(container, &path));
        }
    }
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

fn forbidden_actions(container: &Container, path: &str) -> Vec<FieldError> {
    let actions = [
        ("lifecycle", container.lifecycle.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
    ];
    let detail = "may not be set for init containers without restartPolicy=Always";
    let set = actions.into_iter().filter(|(_, is_set)| *is_set);
    set.map(|(field, _)| FieldError::forbidden(format!("{path}.{field}"), detail)).collect()
}

/// What is the same for all kinds of containers.
pub(super) fn validate_common(
    container: &Container,
    around: &Surroundings<'_>,
    path: &str,
) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    if container.name.is_empty() {
        errors.push(FieldError::required(at("name"), ""));
    } else {
        errors.extend(each(&names::dns_label(&container.name), &at("name"), &container.name));
    }
    let policy = container.termination_message_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !MESSAGE_POLICIES.contains(policy)) {
        let field = at("terminationMessagePolicy");
        errors.push(FieldError::unsupported(field, quoted(policy), &MESSAGE_POLICIES));
    }
    errors.extend(ports::validate(container.ports.as_deref().unwrap_or_default(), &at("ports")));
    for (index, variable) in container.env.iter().flatten().enumerate() {
        errors.extend(env::validate(variable, &format!("{}[{index}]", at("env"))));
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        errors.extend(env::validate_from(source, &at("envFrom"), index));
    }
    errors.extend(mounts::validate(container, &around.volumes, path));
    let policy = container.image_pull_policy.as_deref();
    if let Some(policy) = policy.filter(|policy| !PULL_POLICIES.contains(policy)) {
        errors.push(FieldError::unsupported(at("imagePullPolicy"), quoted(policy), &PULL_POLICIES));
    }
    if let Some(requirements) = &container.resources {
        errors.extend(resources::validate(requirements, Holder::Container, &around.claims, &at("resources")));
    }
    let policies = container.resize_policy.as_deref().unwrap_or_default();
    errors.extend(validate_resize(policies, around.restart_policy, &at("resizePolicy")));
    if let Some(context) = &container.security_context {
        errors.extend(security::validate_container(context, around.has_host_users, &at("securityContext")));
    }
    errors
}

/// Upstream's paths name the list, not the entry.
fn validate_resize(policies: &[ContainerResizePolicy], of_pod: &str, path: &str) -> Vec<FieldError> {
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
        if of_pod == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, quoted(restart), detail));
        }
    }
    errors
}

/// The names of containers' images, of a pod itself: templates have always been let through with spaces around them.
pub(super) fn validate_images(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let lists = [("containers", spec.containers.as_slice()), ("initContainers", init)];
    let containers = lists.into_iter().flat_map(|(list, containers)| {
        containers.iter().enumerate().map(move |(index, one)| (one, format!("{path}.{list}[{index}]")))
    });
    containers.filter_map(|(container, path)| validate_image_of_pod(container, &path)).collect()
}

/// The name of one image.
pub(super) fn validate_image_of_pod(container: &Container, path: &str) -> Option<FieldError> {
    let image = container.image.as_deref().filter(|image| image.trim() != *image)?;
    let detail = "must not have leading or trailing whitespace";
    Some(FieldError::invalid(format!("{path}.image"), quoted(image), detail))
}
