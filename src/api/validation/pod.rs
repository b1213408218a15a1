//! Rules about pod templates and pod specs (ValidatePodTemplateSpec, ValidatePodSpec).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec, Toleration, Volume};

use super::{affinity, container, each, metadata, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const RESTART_POLICIES: [&str; 3] = ["Always", "Never", "OnFailure"];
const DNS_POLICIES: [&str; 4] = ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"];
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
    errors.extend(validate_spec(&spec, &format!("{path}.spec")));
    errors
}

pub(super) fn validate_spec(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    let volumes = validate_volumes(spec.volumes.as_deref().unwrap_or_default(), &at("volumes"), &mut errors);
    errors.extend(container::validate_all(spec, &volumes, path));
    match spec.restart_policy.as_deref().unwrap_or_default() {
        "" => errors.push(FieldError::required(at("restartPolicy"), "")),
        policy if RESTART_POLICIES.contains(&policy) => {}
        other => {
            errors.push(FieldError::unsupported(at("restartPolicy"), quoted(other), &RESTART_POLICIES));
        }
    }
    errors.extend(validate_dns(spec, path));
    errors.extend(metadata::validate_labels(spec.node_selector.as_ref(), &at("nodeSelector")));
    if let Some(affinity) = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref()) {
        errors.extend(affinity::validate(affinity, &at("affinity.nodeAffinity")));
    }
    for (field, name) in [
        ("serviceAccountName", &spec.service_account_name),
        ("nodeName", &spec.node_name),
        ("priorityClassName", &spec.priority_class_name),
        ("runtimeClassName", &spec.runtime_class_name),
    ] {
        let name = name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            errors.extend(each(&names::dns_subdomain(name), &at(field), name));
        }
    }
    for (field, name) in [("hostname", &spec.hostname), ("subdomain", &spec.subdomain)] {
        let name = name.as_deref().unwrap_or_default();
        if !name.is_empty() {
            errors.extend(each(&names::dns_label(name), &at(field), name));
        }
    }
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        let detail = "must be between 1 and 2147483647, inclusive";
        errors.push(FieldError::invalid(at("activeDeadlineSeconds"), seconds, detail));
    }
    for (index, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if secret.name.is_empty() {
            errors.push(FieldError::required(format!("{}[{index}].name", at("imagePullSecrets")), ""));
        }
    }
    for (index, toleration) in spec.tolerations.iter().flatten().enumerate() {
        errors.extend(validate_toleration(toleration, &format!("{}[{index}]", at("tolerations"))));
    }
    errors
}

fn validate_dns(spec: &PodSpec, path: &str) -> Option<FieldError> {
    let field = format!("{path}.dnsPolicy");
    let policy = spec.dns_policy.as_deref().unwrap_or_default();
    let servers = spec.dns_config.as_ref().and_then(|config| config.nameservers.as_deref());
    if policy.is_empty() {
        return Some(FieldError::required(field, ""));
    }
    if !DNS_POLICIES.contains(&policy) {
        return Some(FieldError::unsupported(field, quoted(policy), &DNS_POLICIES));
    }
    (policy == "None" && servers.unwrap_or_default().is_empty()).then(|| {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        FieldError::required(format!("{path}.dnsConfig.nameservers"), detail)
    })
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
