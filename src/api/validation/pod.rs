//! Rules about pod templates and pod specs (ValidatePodTemplateSpec, ValidatePodSpec).

use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec, ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::container::{self, Surroundings};
use super::resources::{self, Holder};
use super::{
    affinity, annotations, claims, each, hosts, metadata, placement, ports, quoted, security, volumes,
    windows,
};
use crate::api::names;
use crate::api::status_error::FieldError;

const RESTART_POLICIES: [&str; 3] = ["Always", "OnFailure", "Never"];
const PREEMPTION_POLICIES: [&str; 2] = ["PreemptLowerPriority", "Never"];
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn validate_template(template: &PodTemplateSpec, path: &str) -> Vec<FieldError> {
    let none = PodSpec::default();
    let spec = template.spec.as_ref().unwrap_or(&none);
    let spec_path = format!("{path}.spec");
    let mut errors = Vec::new();
    let noted = template.metadata.as_ref().and_then(|meta| meta.annotations.as_ref());
    // Upstream's paths leave `metadata` out here.
    if let Some(meta) = &template.metadata {
        let place = format!("{path}.annotations");
        errors.extend(metadata::validate_labels(meta.labels.as_ref(), &format!("{path}.labels")));
        errors.extend(metadata::validate_annotations(noted, &place));
        errors.extend(annotations::validate(noted, spec, &place));
    }
    errors.extend(validate_spec(spec, None, &spec_path));
    errors.extend(annotations::validate_seccomp_fields(noted, spec, &spec_path));
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.push(FieldError::forbidden(
            format!("{spec_path}.ephemeralContainers"),
            "ephemeral containers not allowed in pod template",
        ));
    }
    errors
}

/// Everything wrong with a pod, new or changed (validatePodMetadataAndSpec).
pub(super) fn validate(pod: &Pod) -> Vec<FieldError> {
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    let mut errors = metadata::validate(&pod.metadata, "metadata");
    let noted = pod.metadata.annotations.as_ref();
    errors.extend(annotations::validate(noted, spec, "metadata.annotations"));
    errors.extend(validate_spec(spec, Some(&pod.metadata), "spec"));
    errors.extend(validate_tokens(spec));
    errors.extend(container::validate_images(spec, "spec"));
    errors
}

/// What else is wrong with a new pod (ValidatePodCreate).
pub(super) fn validate_new(pod: &Pod) -> Vec<FieldError> {
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    let noted = pod.metadata.annotations.as_ref();
    let mut errors = Vec::new();
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.push(FieldError::forbidden("spec.ephemeralContainers", "cannot be set on create"));
    }
    let is_gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
    if is_gated && spec.node_name.as_ref().is_some_and(|node| !node.is_empty()) {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden("spec.nodeName", detail));
    }
    errors.extend(annotations::validate_seccomp_fields(noted, spec, "spec"));
    errors.extend(annotations::validate_app_armor_fields(noted, spec, "spec"));
    errors
}

/// Tokens are those of a service account.
fn validate_tokens(spec: &PodSpec) -> Vec<FieldError> {
    if spec.service_account_name.as_ref().is_some_and(|account| !account.is_empty()) {
        return Vec::new();
    }
    let mut errors = Vec::new();
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let sources = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        for (at, _) in sources.enumerate().filter(|(_, source)| source.service_account_token.is_some()) {
            errors.push(FieldError::forbidden(
                format!("spec.volumes[{index}].projected.sources[{at}].serviceAccountToken"),
                "must not be specified when serviceAccountName is not set",
            ));
        }
    }
    errors
}

/// Everything wrong with a pod's spec. `pod` is the metadata of the pod; a template has none, and some rules are not for
/// templates.
pub(super) fn validate_spec(spec: &PodSpec, pod: Option<&ObjectMeta>, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let asked = spec.resource_claims.as_deref().unwrap_or_default();
    let restart_policy = spec.restart_policy.as_deref().unwrap_or_default();
    let (good, mut errors) =
        volumes::validate(spec.volumes.as_deref().unwrap_or_default(), pod, &at("volumes"));
    errors.extend(claims::validate_of_pod(asked, &at("resourceClaims")));
    let around = Surroundings {
        volumes: good,
        claims: asked.iter().map(|claim| claim.name.as_str()).filter(|name| !name.is_empty()).collect(),
        restart_policy,
        has_host_users: spec.host_users != Some(false),
    };
    errors.extend(container::validate_all(spec, &around, path));
    errors.extend(resources::validate_pod(spec, &around.claims, &at("resources")));
    errors.extend(ports::validate_host_network(spec, path, pod.is_some()));
    match restart_policy {
        "" => errors.push(FieldError::required(at("restartPolicy"), "")),
        policy if RESTART_POLICIES.contains(&policy) => {}
        other => {
            errors.push(FieldError::unsupported(at("restartPolicy"), quoted(other), &RESTART_POLICIES));
        }
    }
    errors.extend(hosts::validate_policy(spec, path));
    errors.extend(metadata::validate_labels(spec.node_selector.as_ref(), &at("nodeSelector")));
    errors.extend(security::validate_pod(spec, path));
    errors.extend(validate_affinity(spec, &at("affinity")));
    errors.extend(hosts::validate_config(spec, path));
    errors.extend(validate_gates(spec, path));
    errors.extend(windows::validate_host_processes(spec, path));
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
    let tolerations = spec.tolerations.as_deref().unwrap_or_default();
    errors.extend(validate_tolerations(tolerations, &at("tolerations")));
    errors.extend(hosts::validate_aliases(
        spec.host_aliases.as_deref().unwrap_or_default(),
        &at("hostAliases"),
    ));
    errors.extend(validate_names(
        &[("priorityClassName", &spec.priority_class_name)],
        names::dns_subdomain,
        path,
    ));
    errors.extend(validate_last(spec, path));
    errors
}

/// What a pod waits for, and how it is spread.
fn validate_gates(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let readiness = spec.readiness_gates.as_deref().unwrap_or_default();
    let scheduling = spec.scheduling_gates.as_deref().unwrap_or_default();
    let constraints = spec.topology_spread_constraints.as_deref().unwrap_or_default();
    let mut errors = placement::validate_readiness(readiness, &at("readinessGates"));
    errors.extend(placement::validate_gates(scheduling, &at("schedulingGates")));
    errors.extend(placement::validate_spread(constraints, &at("topologySpreadConstraints")));
    errors
}

/// What upstream looks at last: the runtime, preemption, overhead, the operating system.
fn validate_last(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    if let Some(class) = &spec.runtime_class_name {
        errors.extend(each(&names::dns_subdomain(class), &at("runtimeClassName"), class));
    }
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
        let none = std::collections::BTreeSet::new();
        errors.extend(resources::validate(&limits, Holder::Container, &none, &at("overhead")));
    }
    errors.extend(windows::validate_system(spec, path));
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

/// Everything wrong with what the pod tolerates.
pub(super) fn validate_tolerations(tolerations: &[Toleration], path: &str) -> Vec<FieldError> {
    let each_one = tolerations.iter().enumerate();
    each_one.flat_map(|(index, one)| validate_toleration(one, &format!("{path}[{index}]"))).collect()
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
        "" | "Equal" => {
            let problems = names::label_value(&value);
            if !problems.is_empty() {
                let field = format!("{path}.operator");
                errors.push(FieldError::invalid(field, quoted(&value), &problems.join(";")));
            }
        }
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
