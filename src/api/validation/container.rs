//! Rules about containers: names, environment, mounts, ports, probes, hooks (ValidateContainers and what it calls).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, EnvVarSource, LifecycleHandler, ObjectFieldSelector,
    PodSpec, Probe, VolumeMount,
};

use super::{each, non_negative, quoted, resources};
use crate::api::names;
use crate::api::status_error::FieldError;

const PULL_POLICIES: [&str; 3] = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES: [&str; 2] = ["File", "FallbackToLogsOnError"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];

/// What `fieldRef` in a variable may name, besides single labels and annotations.
const FIELD_PATHS: [&str; 9] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
/// What names a field of a pod, but none that a variable may hold.
const OTHER_FIELD_PATHS: [&str; 5] =
    ["metadata.annotations", "metadata.labels", "spec.restartPolicy", "spec.schedulerName", "status.phase"];

/// Everything wrong with a pod's containers, init containers included. `volumes` are the names that mounts may use.
pub(super) fn validate_all(spec: &PodSpec, volumes: &BTreeSet<String>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    if spec.containers.is_empty() {
        errors.push(FieldError::required(format!("{path}.containers"), ""));
    }
    for (index, container) in spec.containers.iter().enumerate() {
        let path = format!("{path}.containers[{index}]");
        errors.extend(validate(container, volumes, &mut taken, &path));
        if container.restart_policy.is_some() {
            let detail = "may not be set for non-init containers";
            errors.push(FieldError::forbidden(format!("{path}.restartPolicy"), detail));
        }
    }
    for (index, container) in spec.init_containers.iter().flatten().enumerate() {
        let path = format!("{path}.initContainers[{index}]");
        errors.extend(validate(container, volumes, &mut taken, &path));
        errors.extend(validate_init(container, &path));
    }
    errors
}

fn validate_init(container: &Container, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match container.restart_policy.as_deref() {
        Some("Always") => return errors,
        Some(other) => {
            errors.push(FieldError::unsupported(format!("{path}.restartPolicy"), quoted(other), &["Always"]));
        }
        None => {}
    }
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
    if let Some(image) = container.image.as_deref().filter(|image| image.trim() != *image) {
        errors.push(FieldError::invalid(
            at("image"),
            quoted(image),
            "must not have leading or trailing whitespace",
        ));
    }
    for (field, value, supported) in [
        ("imagePullPolicy", &container.image_pull_policy, &PULL_POLICIES[..]),
        ("terminationMessagePolicy", &container.termination_message_policy, &MESSAGE_POLICIES),
    ] {
        if let Some(value) = value.as_deref().filter(|value| !supported.contains(value)) {
            errors.push(FieldError::unsupported(at(field), quoted(value), supported));
        }
    }
    errors.extend(validate_ports(container.ports.as_deref().unwrap_or_default(), &at("ports")));
    for (index, variable) in container.env.iter().flatten().enumerate() {
        errors.extend(validate_env(variable, &format!("{}[{index}]", at("env"))));
    }
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        errors.extend(validate_env_from(source, &format!("{}[{index}]", at("envFrom"))));
    }
    errors.extend(validate_mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        volumes,
        &at("volumeMounts"),
    ));
    if let Some(requirements) = &container.resources {
        errors.extend(resources::validate(requirements, &at("resources")));
    }
    for (field, probe, is_readiness) in [
        ("livenessProbe", &container.liveness_probe, false),
        ("readinessProbe", &container.readiness_probe, true),
        ("startupProbe", &container.startup_probe, false),
    ] {
        if let Some(probe) = probe {
            errors.extend(validate_probe(probe, is_readiness, &at(field)));
        }
    }
    if let Some(lifecycle) = &container.lifecycle {
        for (field, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
            let field = at(&format!("lifecycle.{field}"));
            errors.extend(handler.as_ref().and_then(|handler| validate_handler(handler, &field)));
        }
    }
    errors
}

fn validate_ports(ports: &[ContainerPort], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let problems = names::port_name(name);
            if problems.is_empty() && !taken.insert(name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), quoted(name)));
            }
            errors.extend(each(&problems, &format!("{path}.name"), name));
        }
        let range = "must be between 1 and 65535, inclusive";
        if port.container_port == 0 {
            errors.push(FieldError::required(format!("{path}.containerPort"), ""));
        } else if !(1..=65535).contains(&port.container_port) {
            errors.push(FieldError::invalid(format!("{path}.containerPort"), port.container_port, range));
        }
        if let Some(number) = port.host_port.filter(|number| *number != 0 && !(1..=65535).contains(number)) {
            errors.push(FieldError::invalid(format!("{path}.hostPort"), number, range));
        }
        if let Some(protocol) = port.protocol.as_deref().filter(|protocol| !PROTOCOLS.contains(protocol)) {
            errors.push(FieldError::unsupported(format!("{path}.protocol"), quoted(protocol), &PROTOCOLS));
        }
    }
    errors
}

fn validate_env(variable: &EnvVar, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let field = format!("{path}.name");
    if variable.name.is_empty() {
        errors.push(FieldError::required(field, ""));
    } else {
        errors.extend(each(&names::env_name(&variable.name), &field, &variable.name));
    }
    if let Some(source) = &variable.value_from {
        let has_value = variable.value.as_ref().is_some_and(|value| !value.is_empty());
        errors.extend(validate_env_source(source, has_value, &format!("{path}.valueFrom")));
    }
    errors
}

fn validate_env_source(source: &EnvVarSource, has_value: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(reference) = &source.field_ref {
        errors.extend(validate_field_ref(reference, &format!("{path}.fieldRef")));
    }
    if let Some(reference) = &source.resource_field_ref
        && reference.resource.is_empty()
    {
        errors.push(FieldError::required(format!("{path}.resourceFieldRef.resource"), ""));
    }
    for (field, reference) in [
        ("configMapKeyRef", source.config_map_key_ref.as_ref().map(|key| (&key.name, &key.key))),
        ("secretKeyRef", source.secret_key_ref.as_ref().map(|key| (&key.name, &key.key))),
    ] {
        let Some((name, key)) = reference else { continue };
        for (part, text) in [("name", name), ("key", key)] {
            if text.is_empty() {
                errors.push(FieldError::required(format!("{path}.{field}.{part}"), ""));
            }
        }
    }
    let sources = [
        source.field_ref.is_some(),
        source.resource_field_ref.is_some(),
        source.config_map_key_ref.is_some(),
        source.secret_key_ref.is_some(),
        source.file_key_ref.is_some(),
    ];
    let problem = match sources.iter().filter(|is_set| **is_set).count() {
        0 => "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`",
        _ if has_value => "may not be specified when `value` is not empty",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(path, "\"\"", problem));
    errors
}

fn validate_field_ref(reference: &ObjectFieldSelector, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if reference.api_version.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(format!("{path}.apiVersion"), ""));
    }
    let field = format!("{path}.fieldPath");
    let wanted = reference.field_path.as_str();
    if wanted.is_empty() {
        errors.push(FieldError::required(field, ""));
        return errors;
    }
    if let Some((base, key)) = subscript(wanted) {
        let problems = match base {
            "metadata.labels" => names::qualified_name(key),
            "metadata.annotations" => names::qualified_name(&key.to_lowercase()),
            _ => {
                let detail =
                    format!("error converting fieldPath: field label does not support subscript: {base}");
                errors.push(FieldError::invalid(field, quoted(wanted), &detail));
                return errors;
            }
        };
        errors.extend(each(&problems, &field, key));
    } else if OTHER_FIELD_PATHS.contains(&wanted) {
        errors.push(FieldError::unsupported(field, quoted(wanted), &FIELD_PATHS));
    } else if !FIELD_PATHS.contains(&wanted) {
        let detail = format!("error converting fieldPath: field label not supported: {wanted}");
        errors.push(FieldError::invalid(field, quoted(wanted), &detail));
    }
    errors
}

/// Splits `metadata.labels['k']` into its field and its key.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (base, key) = path.strip_suffix("']")?.split_once("['")?;
    (!base.is_empty()).then_some((base, key))
}

fn validate_env_from(source: &EnvFromSource, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(prefix) = source.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
        errors.extend(each(&names::env_name(prefix), &format!("{path}.prefix"), prefix));
    }
    let references = [
        ("configMapRef", source.config_map_ref.as_ref().map(|reference| &reference.name)),
        ("secretRef", source.secret_ref.as_ref().map(|reference| &reference.name)),
    ];
    for (field, name) in &references {
        if name.is_some_and(String::is_empty) {
            errors.push(FieldError::required(format!("{path}.{field}.name"), ""));
        }
    }
    let problem = match references.iter().filter(|(_, name)| name.is_some()).count() {
        0 => "must specify one of: `configMapRef` or `secretRef`",
        1 => return errors,
        _ => "may not have more than one field specified at a time",
    };
    errors.push(FieldError::invalid(path, "\"\"", problem));
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

fn validate_probe(probe: &Probe, is_readiness: bool, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let handlers =
        [probe.exec.is_some(), probe.grpc.is_some(), probe.http_get.is_some(), probe.tcp_socket.is_some()];
    errors.extend(validate_handler_count(&handlers, path));
    for (field, number) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        errors.extend(non_negative(&format!("{path}.{field}"), number.map(i64::from)));
    }
    if let Some(number) = probe.success_threshold.filter(|number| *number != 1 && !is_readiness) {
        errors.push(FieldError::invalid(format!("{path}.successThreshold"), number, "must be 1"));
    }
    errors
}

fn validate_handler(handler: &LifecycleHandler, path: &str) -> Option<FieldError> {
    let handlers = [
        handler.exec.is_some(),
        handler.http_get.is_some(),
        handler.sleep.is_some(),
        handler.tcp_socket.is_some(),
    ];
    validate_handler_count(&handlers, path)
}

fn validate_handler_count(handlers: &[bool], path: &str) -> Option<FieldError> {
    match handlers.iter().filter(|is_set| **is_set).count() {
        0 => Some(FieldError::required(path, "must specify a handler type")),
        1 => None,
        _ => Some(FieldError::forbidden(path, "may not specify more than 1 handler type")),
    }
}
