//! Rules about ephemeral containers, which no manifest may have: what they say is judged all the same
//! (validateEphemeralContainers).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, EphemeralContainer, PodSpec, ResourceRequirements};

use super::container::{self, Surroundings};
use super::quoted;
use crate::api::status_error::FieldError;

const NOT_FOR_THEM: &str = "cannot be set for an Ephemeral Container";

/// Everything wrong with the ephemeral containers of a pod.
pub(super) fn validate_all(spec: &PodSpec, around: &Surroundings<'_>, path: &str) -> Vec<FieldError> {
    let others = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let others: BTreeSet<&str> = others.map(|container| container.name.as_str()).collect();
    let mut taken = others.clone();
    let mut errors = Vec::new();
    for (index, ephemeral) in spec.ephemeral_containers.iter().flatten().enumerate() {
        let path = format!("{path}.ephemeralContainers[{index}]");
        let container = as_container(ephemeral);
        errors.extend(container::validate_common(&container, around, &path));
        errors.extend(container::validate_image_of_pod(&container, &path));
        if !taken.insert(&ephemeral.name) {
            errors.push(FieldError::duplicate(format!("{path}.name"), quoted(&ephemeral.name)));
        }
        let target = ephemeral.target_container_name.as_deref().filter(|target| !target.is_empty());
        if let Some(target) = target.filter(|target| !others.contains(target)) {
            errors.push(FieldError::not_found(format!("{path}.targetContainerName"), quoted(target)));
        }
        errors.extend(validate_fields(&container, &path));
    }
    errors
}

/// What is for containers that do the work of a pod.
fn validate_fields(container: &Container, path: &str) -> Vec<FieldError> {
    let is_given = |resources: &ResourceRequirements| *resources != ResourceRequirements::default();
    let mut places: Vec<String> = [
        ("ports", container.ports.as_ref().is_some_and(|ports| !ports.is_empty())),
        ("resources", container.resources.as_ref().is_some_and(is_given)),
        ("resizePolicy", container.resize_policy.as_ref().is_some_and(|policies| !policies.is_empty())),
        ("restartPolicy", container.restart_policy.is_some()),
        ("livenessProbe", container.liveness_probe.is_some()),
        ("readinessProbe", container.readiness_probe.is_some()),
        ("startupProbe", container.startup_probe.is_some()),
        ("lifecycle", container.lifecycle.is_some()),
    ]
    .into_iter()
    .filter(|(_, is_set)| *is_set)
    .map(|(field, _)| field.to_owned())
    .collect();
    for (index, mount) in container.volume_mounts.iter().flatten().enumerate() {
        for (field, text) in [("subPath", &mount.sub_path), ("subPathExpr", &mount.sub_path_expr)] {
            if text.as_ref().is_some_and(|text| !text.is_empty()) {
                places.push(format!("volumeMounts[{index}].{field}"));
            }
        }
    }
    let places = places.into_iter().map(|place| format!("{path}.{place}"));
    places.map(|place| FieldError::forbidden(place, NOT_FOR_THEM)).collect()
}

fn as_container(ephemeral: &EphemeralContainer) -> Container {
    let ephemeral = ephemeral.clone();
    Container {
        args: ephemeral.args,
        command: ephemeral.command,
        env: ephemeral.env,
        env_from: ephemeral.env_from,
        image: ephemeral.image,
        image_pull_policy: ephemeral.image_pull_policy,
        lifecycle: ephemeral.lifecycle,
        liveness_probe: ephemeral.liveness_probe,
        name: ephemeral.name,
        ports: ephemeral.ports,
        readiness_probe: ephemeral.readiness_probe,
        resize_policy: ephemeral.resize_policy,
        resources: ephemeral.resources,
        restart_policy: ephemeral.restart_policy,
        restart_policy_rules: ephemeral.restart_policy_rules,
        security_context: ephemeral.security_context,
        startup_probe: ephemeral.startup_probe,
        stdin: ephemeral.stdin,
        stdin_once: ephemeral.stdin_once,
        termination_message_path: ephemeral.termination_message_path,
        termination_message_policy: ephemeral.termination_message_policy,
        tty: ephemeral.tty,
        volume_devices: ephemeral.volume_devices,
        volume_mounts: ephemeral.volume_mounts,
        working_dir: ephemeral.working_dir,
    }
}
