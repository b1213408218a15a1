//! Rules about pod templates and pod specs (ValidatePodTemplateSpec, ValidatePodSpec).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, ResourceRequirements, Toleration, Volume};

use super::{affinity, container, each, hosts, metadata, placement, ports, quoted, resources};
use crate::api::names;
use crate::api::status_error::FieldError;

const RESTART_POLICIES: [&str; 3] = ["Always", "OnFailure", "Never"];
const PREEMPTION_POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];
const SYSTEMS: [&str; 2] = ["linux", "windows"];
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn validate_template(template: &PodTemplateSpec, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    // Upstream's paths leave `metadata` out here.
    if let Some(meta) = &template.metadata {
        errors.extend(metadata::validate_labels(meta.labels.as_ref(), &format!("{path}.labels")));
        errors.extend(metadata::validate_annotations(
            meta.annotations.as_ref(),
            &format!("{path}.annotations"),
        ));
    }
    let spec = template.spec.clone().unwrap_or_default();
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.push(FieldError::forbidden(
            format!("{path}.spec.ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        ));
    }
    errors.extend(validate_spec(&spec, &format!("{path}.spec"), false));
    errors
}

/// Everything wrong with a pod's spec; some rules are only for pods, not for templates of them.
pub(super) fn validate_spec(spec: &PodSpec, path: &str, of_pod: bool) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    let volumes = validate_volumes(spec.volumes.as_deref().unwrap_or_default(), &at("volumes"), &mut errors);
    errors.extend(container::validate_all(spec, &volumes, path));
    errors.extend(ports::validate_host_network(spec, path, of_pod));
    match spec.restart_policy.as_deref().unwrap_or_default() {
        "" => errors.push(FieldError::required(at("restartPolicy"), "")),
        policy if RESTART_POLICIES.contains(&policy) => {}
        other => {
            errors.push(FieldError::unsupported(at("restartPolicy"), quoted(other), &RESTART_POLICIES));
        }
    }
    errors.extend(hosts::validate_policy(spec, path));
    errors.extend(metadata::validate_labels(spec.node_selector.as_ref(), &at("nodeSelector")));
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        // In the server's own types these two are part of the security context.
        errors.push(FieldError::invalid(
            at("securityContext.shareProcessNamespace"),
            true,
            "ShareProcessNamespace and HostPID cannot both be enabled",
        ));
    }
    errors.extend(validate_affinity(spec, &at("affinity")));
    errors.extend(hosts::validate_config(spec, path));
    let gates = spec.readiness_gates.as_deref().unwrap_or_default();
    errors.extend(placement::validate_readiness(gates, &at("readinessGates")));
    let gates = spec.scheduling_gates.as_deref().unwrap_or_default();
    errors.extend(placement::validate_gates(gates, &at("schedulingGates")));
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    errors.extend(placement::validate_spread(constraints, &at("topologySpreadConstraints")));
    errors.extend(validate_host_users(spec, path));
    errors.extend(validate_names(
        &[("serviceAccountName", &spec.service_account_name), ("nodeName", &spec.node_name)],
        names::dns_subdomain,
        path,
    ));
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = "must be between 1 and 2147483647, inclusive";
        errors.push(FieldError::invalid(at("activeDeadlineSeconds"), seconds, detail));
    }
    errors.extend(validate_names(
        &[("hostname", &spec.hostname), ("subdomain", &spec.subdomain)],
        names::dns_label,
        path,
    ));
    for (index, toleration) in spec.tolerations.iter().flatten().enumerate() {
        errors.extend(validate_toleration(toleration, &format!("{}[{index}]", at("tolerations"))));
    }
    errors.extend(hosts::validate_aliases(
        spec.host_aliases.as_deref().unwrap_or_default(),
        &at("hostAliases"),
    ));
    errors.extend(validate_names(
        &[("priorityClassName", &spec.priority_class_name), ("runtimeClassName", &spec.runtime_class_name)],
        names::dns_subdomain,
        path,
    ));
    errors.extend(validate_last(spec, path));
    errors
}

/// What upstream looks at last: preemption, overhead, the operating system.
fn validate_last(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    match spec.preemption_policy.as_deref() {
        Some("") => errors.push(FieldError::required(at("preemptionPolicy"), "")),
        Some(other) if !PREEMPTION_POLICIES.contains(&other) => {
            errors.push(FieldError::unsupported(at("preemptionPolicy"), quoted(other), &PREEMPTION_POLICIES));
        }
        _ => {}
    }
    if let Some(overhead) = &spec.overhead {
        let limits =
            ResourceRequirements { limits: Some(overhead.clone()), ..ResourceRequirements::default() };
        errors.extend(resources::validate(&limits, &at("overhead")));
    }
    match spec.os.as_ref().map(|os| os.name.as_str()) {
        Some("") => errors.push(FieldError::required(at("os.name"), "cannot be empty")),
        Some(other) if !SYSTEMS.contains(&other) => {
            errors.push(FieldError::unsupported(at("os"), quoted(other), &SYSTEMS));
        }
        _ => {}
    }
    errors
}

fn validate_names(
    fields: &[(&str, &Option<String>)],
    problems: fn(&str) -> Vec<String>,
    path: &str,
) -> Vec<FieldError> {
    let given = fields.iter().filter_map(|(field, name)| Some((field, name.as_deref()?)));
    given
        .filter(|(_, name)| !name.is_empty())
        .flat_map(|(field, name)| each(&problems(name), &format!("{path}.{field}"), name))
        .collect()
}

fn validate_affinity(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let Some(affinity) = &spec.affinity else { return Vec::new() };
    let mut errors = Vec::new();
    if let Some(node) = &affinity.node_affinity {
        errors.extend(affinity::validate(node, &format!("{path}.nodeAffinity")));
    }
    if let Some(pods) = &affinity.pod_affinity {
        errors.extend(placement::validate_affinity(
            pods.required_during_scheduling_ignored_during_execution.as_ref(),
            pods.preferred_during_scheduling_ignored_during_execution.as_ref(),
            &format!("{path}.podAffinity"),
        ));
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        errors.extend(placement::validate_affinity(
            pods.required_during_scheduling_ignored_during_execution.as_ref(),
            pods.preferred_during_scheduling_ignored_during_execution.as_ref(),
            &format!("{path}.podAntiAffinity"),
        ));
    }
    errors
}

/// Users of one's own go with no other namespace of the machine's.
fn validate_host_users(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    if spec.host_users != Some(false) {
        return Vec::new();
    }
    let shared = [("hostNetwork", spec.host_network), ("hostPID", spec.host_pid), ("hostIPC", spec.host_ipc)];
    let shared = shared.into_iter().filter(|(_, is_shared)| *is_shared == Some(true));
    shared
        .map(|(field, _)| FieldError::forbidden(format!("{path}.{field}"), "when `hostUsers` is false"))
        .collect()
}

fn validate_toleration(toleration: &Toleration, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (key, value, effect) = (text(&toleration.key), text(&toleration.value), text(&toleration.effect));
    let operator = text(&toleration.operator);
    if !key.is_empty() {
        errors.extend(each(&names::qualified_name(&key), &format!("{path}.key"), &key));
    } else if operator != "Exists" {
        errors.push(FieldError::invalid(
            format!("{path}.operator"),
            quoted(&operator),
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
        ));
    }
    if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
        let detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
        errors.push(FieldError::invalid(format!("{path}.effect"), quoted(&effect), detail));
    }
    match operator.as_str() {
        "" | "Equal" => errors.extend(each(&names::label_value(&value), &format!("{path}.operator"), &value)),
        "Exists" if !value.is_empty() => errors.push(FieldError::invalid(
            format!("{path}.operator"),
            quoted(&value),
            "value must be empty when `operator` is 'Exists'",
        )),
        "Exists" => {}
        other => {
            let supported = ["Equal", "Exists"];
            errors.push(FieldError::unsupported(format!("{path}.operator"), quoted(other), &supported));
        }
    }
    if !effect.is_empty() && !EFFECTS.contains(&effect.as_str()) {
        errors.push(FieldError::unsupported(format!("{path}.effect"), quoted(&effect), &EFFECTS));
    }
    errors
}

/// The names of the volumes that mounts may use.
fn validate_volumes(volumes: &[Volume], path: &str, errors: &mut Vec<FieldError>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let field = format!("{path}.name");
        if volume.name.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else if known.contains(&volume.name) {
            errors.push(FieldError::duplicate(field, quoted(&volume.name)));
        } else {
            let problems = names::dns_label(&volume.name);
            // A mount of a misnamed volume is not a second mistake.
            known.insert(volume.name.clone());
            errors.extend(each(&problems, &field, &volume.name));
        }
        errors.extend(validate_sources(volume, &path));
    }
    known
}

fn validate_sources(volume: &Volume, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let sources = serde_json::to_value(volume).unwrap_or_default();
    let sources = sources.as_object().into_iter().flat_map(|map| map.keys()).filter(|key| *key != "name");
    for second in sources.skip(1) {
        let detail = "may not specify more than 1 volume type";
        errors.push(FieldError::forbidden(format!("{path}.{second}"), detail));
    }
    let secret = volume.secret.as_ref().map(|source| source.secret_name.clone().unwrap_or_default());
    for (field, value) in [
        ("configMap.name", volume.config_map.as_ref().map(|source| source.name.clone())),
        ("secret.secretName", secret),
        ("hostPath.path", volume.host_path.as_ref().map(|source| source.path.clone())),
        (
            "persistentVolumeClaim.claimName",
            volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.clone()),
        ),
    ] {
        if value.is_some_and(|value| value.is_empty()) {
            errors.push(FieldError::required(format!("{path}.{field}"), ""));
        }
    }
    errors
}
