//! Rules about what may change once a Pod exists (ValidatePodUpdate).

use k8s_openapi::api::core::v1::{
    Affinity, Container, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSchedulingGate,
    PodSpec, Toleration,
};

use super::annotations;
use super::update::{first_difference, plain};
use super::value::{self, json};
use crate::api::status_error::FieldError;

/// What of a Pod's spec may change, as a server lists it.
const CHANGEABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
     `spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set \
     to 1 if it was previously negative)";

/// Everything wrong with the difference between two Pods. A server prints the difference of the two specs in its own form;
/// here the place of the first difference is named.
pub(super) fn validate(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = annotations::validate_update(
        new.metadata.annotations.as_ref(),
        old.metadata.annotations.as_ref(),
        "metadata.annotations",
    );
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return errors };
    let init = |spec: &PodSpec| spec.init_containers.as_ref().map_or(0, Vec::len);
    for (field, new, old) in
        [("containers", new.containers.len(), old.containers.len()), ("initContainers", init(new), init(old))]
    {
        if new != old {
            let detail = "pod updates may not add or remove containers";
            errors.push(FieldError::forbidden(format!("spec.{field}"), detail));
            return errors;
        }
    }
    if let Some(problem) = validate_deadline(new, old) {
        errors.push(problem);
        // As upstream: of one that is longer than before nothing else is said.
        if new.active_deadline_seconds.is_some() {
            return errors;
        }
    }
    errors.extend(validate_tolerations(
        new.tolerations.as_deref().unwrap_or_default(),
        old.tolerations.as_deref().unwrap_or_default(),
    ));
    let gates = old.scheduling_gates.as_deref().unwrap_or_default();
    errors.extend(validate_gates(new.scheduling_gates.as_deref().unwrap_or_default(), gates));
    let mut comparable = without_changeable(new, old);
    if !gates.is_empty() {
        errors.extend(validate_place(&mut comparable, old));
    }
    if let Some(place) = first_difference(&plain(&comparable), &plain(old), "spec") {
        let detail = format!("pod updates may not change fields other than {CHANGEABLE}; changed: {place}");
        errors.push(FieldError::forbidden("spec", &detail));
    }
    errors
}

/// A deadline may only come sooner.
fn validate_deadline(new: &PodSpec, old: &PodSpec) -> Option<FieldError> {
    let field = "spec.activeDeadlineSeconds";
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            Some(FieldError::invalid(field, new, "must be between 0 and 2147483647, inclusive"))
        }
        (Some(new), Some(old)) if new > old => {
            Some(FieldError::invalid(field, new, "must be less than or equal to previous value"))
        }
        (None, Some(_)) => {
            Some(FieldError::invalid(field, "null", "must not update from a positive integer to nil value"))
        }
        _ => None,
    }
}

fn validate_tolerations(new: &[Toleration], old: &[Toleration]) -> Option<FieldError> {
    let is_kept = |old: &Toleration| {
        new.iter().any(|new| {
            let same = Toleration { toleration_seconds: old.toleration_seconds, ..new.clone() };
            same == *old
        })
    };
    let detail = "existing toleration can not be modified except its tolerationSeconds";
    (!old.iter().all(is_kept)).then(|| FieldError::forbidden("spec.tolerations", detail))
}

fn validate_gates(new: &[PodSchedulingGate], old: &[PodSchedulingGate]) -> Vec<FieldError> {
    let added = new.iter().enumerate().filter(|(_, gate)| !old.contains(gate));
    added
        .map(|(index, gate)| {
            let detail = format!("only deletion is allowed, but found new scheduling gate '{}'", gate.name);
            FieldError::forbidden(format!("spec.schedulingGates[{index}].name"), &detail)
        })
        .collect()
}

/// The new spec with what may change as it was.
fn without_changeable(new: &PodSpec, old: &PodSpec) -> PodSpec {
    let with_image = |(new, old): (&Container, &Container)| Container {
        image: old.image.clone(),
        // It follows from the image where nobody says it.
        image_pull_policy: new.image_pull_policy.clone().or_else(|| old.image_pull_policy.clone()),
        ..new.clone()
    };
    let containers = new.containers.iter().zip(&old.containers).map(with_image).collect();
    let init = new.init_containers.iter().flatten().zip(old.init_containers.iter().flatten());
    let init: Vec<Container> = init.map(with_image).collect();
    let mut spec = PodSpec {
        active_deadline_seconds: old.active_deadline_seconds,
        containers,
        init_containers: new.init_containers.is_some().then_some(init),
        scheduling_gates: old.scheduling_gates.clone(),
        tolerations: old.tolerations.clone(),
        ..new.clone()
    };
    let was_negative = old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0);
    if was_negative && new.termination_grace_period_seconds == Some(1) {
        spec.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    spec
}

/// What may be said of the node as long as a pod waits to be scheduled at all: more than before, never less. Takes it back,
/// for the rest to be compared.
fn validate_place(new: &mut PodSpec, old: &PodSpec) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let selector = new.node_selector.clone().unwrap_or_default();
    if !old.node_selector.iter().flatten().all(|(key, value)| selector.get(key) == Some(value)) {
        let detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        errors.push(FieldError::invalid("spec.nodeSelector", json(&selector), detail));
    }
    new.node_selector.clone_from(&old.node_selector);
    let affinity =
        |spec: &PodSpec| spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    let (ours, theirs) = (affinity(new), affinity(old));
    if ours != theirs {
        errors.extend(validate_affinity(ours.as_ref(), theirs.as_ref()));
        new.affinity.get_or_insert_default().node_affinity = theirs;
        new.affinity.take_if(|affinity| *affinity == Affinity::default());
    }
    errors
}

fn validate_affinity(new: Option<&NodeAffinity>, old: Option<&NodeAffinity>) -> Vec<FieldError> {
    let terms = |affinity: Option<&NodeAffinity>| -> Vec<NodeSelectorTerm> {
        let required = affinity
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        required.map(|required| required.node_selector_terms.clone()).unwrap_or_default()
    };
    let path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
    let (new, old) = (terms(new), terms(old));
    if old.is_empty() {
        return Vec::new();
    }
    if new.len() != old.len() {
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        return vec![FieldError::invalid(path, value::node_selector_terms(&new), detail)];
    }
    let begins_as = |new: &Option<Vec<NodeSelectorRequirement>>,
                     old: &Option<Vec<NodeSelectorRequirement>>| {
        let (new, old) = (new.as_deref().unwrap_or_default(), old.as_deref().unwrap_or_default());
        new.starts_with(old)
    };
    let pairs = new.iter().zip(&old).enumerate().filter(|(_, (new, old))| {
        let is_empty = |term: &NodeSelectorTerm| *term == NodeSelectorTerm::default();
        // A term that says nothing fits no node, so whatever is added to it would fit more.
        is_empty(old) && !is_empty(new)
            || !begins_as(&new.match_expressions, &old.match_expressions)
            || !begins_as(&new.match_fields, &old.match_fields)
    });
    pairs
        .map(|(index, (new, _))| {
            let detail = "only additions are allowed (no mutations or deletions)";
            FieldError::invalid(format!("{path}[{index}]"), value::node_selector_term(new), detail)
        })
        .collect()
}
