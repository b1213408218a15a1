//! Rules about what may change once an object exists (ValidateJobUpdate; Pods are in `update_pod`).

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{Node, NodeSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::{Map, Value};

use super::quoted;
use super::value::{self, json};
use crate::api::nodes::TAINT_UNSCHEDULABLE;
use crate::api::status_error::FieldError;

const IMMUTABLE: &str = "field is immutable";

pub(super) fn job(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let was_started = old.status.as_ref().is_some_and(|status| status.start_time.is_some());
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return errors };
    errors.extend(completions(new, old));
    errors.extend(immutable_as("spec.selector", &new.selector, &old.selector, value::selector));
    let may_move = old.suspend == Some(true) && !was_started;
    errors.extend(template(&new.template, &old.template, may_move));
    errors.extend(immutable("spec.completionMode", &new.completion_mode, &old.completion_mode));
    errors.extend(immutable_as(
        "spec.podFailurePolicy",
        &new.pod_failure_policy,
        &old.pod_failure_policy,
        value::pod_failure_policy,
    ));
    errors.extend(immutable(
        "spec.backoffLimitPerIndex",
        &new.backoff_limit_per_index,
        &old.backoff_limit_per_index,
    ));
    errors.extend(immutable("spec.managedBy", &new.managed_by, &old.managed_by));
    errors.extend(immutable_as(
        "spec.successPolicy",
        &new.success_policy,
        &old.success_policy,
        value::success_policy,
    ));
    errors
}

pub(super) fn node(new: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let without_cordon = |node: &Node| {
        let spec = node.spec.clone().unwrap_or_default();
        NodeSpec { unschedulable: None, taints: None, ..spec }
    };
    if without_cordon(new) != without_cordon(old) {
        errors
            .push(FieldError::forbidden("spec", "node updates may only change labels, taints, or capacity"));
    }
    let mut taints = new.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    if taints.any(|taint| taint.key != TAINT_UNSCHEDULABLE) {
        errors.push(FieldError::forbidden(
            "spec.taints",
            "taints are not honoured here; cordon keeps new pods away",
        ));
    }
    errors
}

/// The path of the first field in which the templates of two Jobs differ (`spec.template.spec.containers[0].command`),
/// in the order of their names; nothing if they mean the same. Both are whole objects with defaults.
pub fn first_template_difference(new: &Value, old: &Value) -> Option<String> {
    let template = |job: &Value| job.pointer("/spec/template").cloned().unwrap_or_default();
    first_difference(&template(new), &template(old), "spec.template")
}

/// What of the metadata may not change (ValidateObjectMetaUpdate).
pub(super) fn metadata(new: &ObjectMeta, old: &ObjectMeta) -> Vec<FieldError> {
    let mut errors = Vec::new();
    errors.extend(immutable("metadata.name", &new.name, &old.name));
    errors.extend(immutable("metadata.namespace", &new.namespace, &old.namespace));
    errors.extend(immutable("metadata.uid", &new.uid, &old.uid));
    errors.extend(immutable("metadata.creationTimestamp", &new.creation_timestamp, &old.creation_timestamp));
    errors.extend(late_finalizers(new, old));
    errors
}

/// Nobody can begin to hold back an object that is being deleted.
fn late_finalizers(new: &ObjectMeta, old: &ObjectMeta) -> Option<FieldError> {
    old.deletion_timestamp.as_ref()?;
    let known = old.finalizers.as_deref().unwrap_or_default();
    let added: Vec<String> = new
        .finalizers
        .iter()
        .flatten()
        .filter(|finalizer| !known.contains(finalizer))
        .map(|finalizer| quoted(finalizer))
        .collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        added.join(", ")
    );
    (!added.is_empty()).then(|| FieldError::forbidden("metadata.finalizers", &detail))
}

fn completions(new: &JobSpec, old: &JobSpec) -> Option<FieldError> {
    if new.completions == old.completions {
        return None;
    }
    let problem = match new.completion_mode.as_deref() {
        Some("Indexed") if new.completions == new.parallelism => return None,
        Some("Indexed") => "can only be modified in tandem with spec.parallelism",
        _ => IMMUTABLE,
    };
    Some(FieldError::invalid("spec.completions", json(&new.completions), problem))
}

/// `may_move` is for a Job that waits for its first start: where it is to run may still be settled.
fn template(new: &PodTemplateSpec, old: &PodTemplateSpec, may_move: bool) -> Option<FieldError> {
    let mut comparable = new.clone();
    if may_move {
        settle_place(&mut comparable, old);
    }
    // The two templates would fill a screen; who prints this names the place that differs.
    first_difference(&plain(&comparable), &plain(old), "spec.template")
        .map(|_| FieldError::invalid("spec.template", "{...}", IMMUTABLE))
}

/// Takes from `old` what decides where pods run, and labels and annotations.
fn settle_place(template: &mut PodTemplateSpec, old: &PodTemplateSpec) {
    let meta = template.metadata.get_or_insert_default();
    let old_meta = old.metadata.clone().unwrap_or_default();
    meta.labels = old_meta.labels;
    meta.annotations = old_meta.annotations;
    let (Some(spec), Some(old)) = (&mut template.spec, &old.spec) else { return };
    spec.node_selector = old.node_selector.clone();
    spec.tolerations = old.tolerations.clone();
    spec.scheduling_gates = old.scheduling_gates.clone();
    let node_affinity = old.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    if spec.affinity.is_some() || node_affinity.is_some() {
        spec.affinity.get_or_insert_default().node_affinity = node_affinity;
    }
}

pub(super) fn immutable<T: Serialize>(field: &str, new: &Option<T>, old: &Option<T>) -> Option<FieldError> {
    immutable_as(field, new, old, |new| {
        let new = plain(new);
        new.as_str().map_or_else(|| json(&new), quoted)
    })
}

/// As [`immutable`], with the value shown in a way of its own.
fn immutable_as<T: Serialize>(
    field: &str,
    new: &Option<T>,
    old: &Option<T>,
    shown: impl Fn(&T) -> String,
) -> Option<FieldError> {
    first_difference(&plain(new), &plain(old), field)?;
    let value = new.as_ref().map_or_else(|| "null".to_owned(), shown);
    Some(FieldError::invalid(field, value, IMMUTABLE))
}

/// Whether two values differ, as upstream compares them.
pub(super) fn differ<T: Serialize>(new: &T, old: &T) -> bool {
    first_difference(&plain(new), &plain(old), "").is_some()
}

pub(super) fn plain(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Where two values first differ. Absent, null and empty are the same, as in upstream's semantic comparison.
pub(super) fn first_difference(new: &Value, old: &Value, path: &str) -> Option<String> {
    let empty = Map::new();
    match (new, old) {
        (Value::Object(_) | Value::Null, Value::Object(_) | Value::Null) => {
            let (new, old) = (new.as_object().unwrap_or(&empty), old.as_object().unwrap_or(&empty));
            let mut fields: Vec<&String> = new.keys().chain(old.keys()).collect();
            fields.sort_unstable();
            fields.dedup();
            fields.into_iter().find_map(|field| {
                let side = |map: &Map<String, Value>| map.get(field).cloned().unwrap_or_default();
                first_difference(&side(new), &side(old), &child(path, field))
            })
        }
        (Value::Array(_) | Value::Null, Value::Array(_) | Value::Null) => {
            let (new, old) = (new.as_array(), old.as_array());
            let (new, old) = (new.map_or(&[][..], Vec::as_slice), old.map_or(&[][..], Vec::as_slice));
            let objects = new.iter().chain(old).all(Value::is_object);
            // A list of plain values is one value: which of its words changed says little.
            if new.len() != old.len() || !objects {
                return (new != old).then(|| path.to_owned());
            }
            new.iter()
                .zip(old)
                .enumerate()
                .find_map(|(index, (new, old))| first_difference(new, old, &format!("{path}[{index}]")))
        }
        _ => (new != old).then(|| path.to_owned()),
    }
}

/// The path of a field; keys that are no plain words stand in brackets.
fn child(path: &str, field: &str) -> String {
    if field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        format!("{path}.{field}")
    } else {
        format!("{path}[{field}]")
    }
}
