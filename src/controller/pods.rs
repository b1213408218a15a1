//! Making and unmaking pods: names, uids, what the Job controller adds to its template, binding to the node.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, PodCondition, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{Action, World};
use crate::api::conditions::{set_gated_condition, set_pod_condition};
use crate::api::durations::after;
use crate::api::events::{EventRecord, Reference};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_INDEX_FAILURES, ANNOTATION_INDEX_IGNORED_FAILURES, COMPLETION_INDEX, FINALIZER_JOB_TRACKING,
    annotation, name, namespace, remove_finalizer, set_deletion, time, uid,
};
use crate::api::pod_resources::qos_class;
use crate::api::status_error::StatusError;
use crate::api::{Container, Job, ObjectMeta, Pod, PodStatus, defaults, pod_admission};

/// The contents of generated names: no vowels, and none of 0, 1, 3 (upstream's safe alphabet).
const SUFFIX_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
/// The longest base of a generated name: with its suffix it must stay a DNS label.
const LONGEST_BASE: usize = 58;
/// The variable that tells a container its completion index.
const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// `BASE` cut to length plus five random contents, as the API server completes a generateName.
pub fn generated_name(base: &str, random: &mut fastrand::Rng) -> String {
    let mut name: String = base.chars().take(LONGEST_BASE).collect();
    for _ in 0..5 {
        name.push(char::from(SUFFIX_LETTERS[random.usize(..SUFFIX_LETTERS.len())]));
    }
    name
}

/// A text in the letters of generated names, letter by letter.
pub(super) fn safe_letters(text: &str) -> String {
    text.bytes().map(|byte| char::from(SUFFIX_LETTERS[usize::from(byte) % SUFFIX_LETTERS.len()])).collect()
}

/// A random uid (RFC 9562 version 4).
pub fn new_uid(random: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid().to_string()
}

/// The completion index that a pod of an Indexed Job works on, and how often that has failed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexOfPod {
    pub(super) index: i32,
    /// Failures counted and ignored, under `backoffLimitPerIndex`.
    pub(super) failures: Option<(u32, u32)>,
}

/// The completion index of a pod of an Indexed Job.
pub fn completion_index(pod: &Pod) -> Option<i32> {
    annotation(&pod.metadata, COMPLETION_INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// The counted and the ignored failures of a pod's index before this pod.
pub(super) fn index_failures(pod: &Pod) -> (u32, u32) {
    let number = |key| annotation(&pod.metadata, key).and_then(|text| text.parse().ok()).unwrap_or(0);
    (number(ANNOTATION_INDEX_FAILURES), number(ANNOTATION_INDEX_IGNORED_FAILURES))
}

/// `JOB-` or `JOB-INDEX-`; where that is too long the Job's name is cut and the index kept (1.4).
fn base_of_names(job: &Job, index: Option<IndexOfPod>) -> String {
    let Some(IndexOfPod { index, .. }) = index else { return format!("{}-", name(&job.metadata)) };
    let tail = format!("-{index}-");
    let head: String = name(&job.metadata).chars().take(LONGEST_BASE - tail.len()).collect();
    head + &tail
}

/// What an Indexed Job adds to its template: the index as annotation, label, hostname and variable.
fn add_index(pod: &mut Pod, job_name: &str, index: IndexOfPod) {
    let number = index.index.to_string();
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(COMPLETION_INDEX.into(), number.clone());
    if let Some((failures, ignored)) = index.failures {
        annotations.insert(ANNOTATION_INDEX_FAILURES.into(), failures.to_string());
        if ignored > 0 {
            annotations.insert(ANNOTATION_INDEX_IGNORED_FAILURES.into(), ignored.to_string());
        }
    }
    pod.metadata.labels.get_or_insert_default().insert(COMPLETION_INDEX.into(), number);
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(format!("{job_name}-{}", index.index));
    spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()).for_each(add_index_variable);
}

fn add_index_variable(container: &mut Container) {
    let env = container.env.get_or_insert_default();
    if env.iter().any(|variable| variable.name == INDEX_VARIABLE) {
        return;
    }
    let field = ObjectFieldSelector {
        api_version: Some("v1".into()),
        field_path: format!("metadata.labels['{COMPLETION_INDEX}']"),
    };
    env.push(EnvVar {
        name: INDEX_VARIABLE.into(),
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
        ..EnvVar::default()
    });
}

/// Makes a Job the controller of a pod that has its labels and no owner (2.2).
pub(super) fn adopt(pod: &mut Pod, job: &Job) {
    pod.metadata.owner_references.get_or_insert_default().push(owner_reference(job));
    let finalizers = pod.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|one| one == FINALIZER_JOB_TRACKING) {
        finalizers.push(FINALIZER_JOB_TRACKING.into());
    }
}

/// Ends a Job's control of a pod that does not have its labels any more.
pub(super) fn release(pod: &mut Pod, job: &Job) {
    disown(&mut pod.metadata, uid(&job.metadata));
    remove_finalizer(&mut pod.metadata, FINALIZER_JOB_TRACKING);
}

/// Takes an owner off an object.
pub fn disown(meta: &mut ObjectMeta, owner: &str) {
    let mut owners = meta.owner_references.take().unwrap_or_default();
    owners.retain(|reference| reference.uid != owner);
    meta.owner_references = (!owners.is_empty()).then_some(owners);
}

fn owner_reference(job: &Job) -> OwnerReference {
    owner_of("batch/v1", "Job", &job.metadata)
}

/// A reference to the owner that controls an object.
pub fn owner_of(api_version: &str, kind: &str, owner: &ObjectMeta) -> OwnerReference {
    OwnerReference {
        api_version: api_version.into(),
        kind: kind.into(),
        name: name(owner).into(),
        uid: uid(owner).into(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// A pod from the template of its controller, completed as every new pod is.
///
/// # Errors
/// Why the API server would forbid it.
pub(super) fn pod_of_template(
    world: &World,
    template: Option<&PodTemplateSpec>,
    metadata: ObjectMeta,
) -> Result<Pod, String> {
    let of_template = template.and_then(|template| template.metadata.as_ref());
    let metadata = ObjectMeta {
        labels: of_template.and_then(|meta| meta.labels.clone()),
        annotations: of_template.and_then(|meta| meta.annotations.clone()),
        ..metadata
    };
    let mut spec = template.and_then(|template| template.spec.clone()).unwrap_or_default();
    defaults::set_pod_only_defaults(&mut spec);
    world.priority_classes().admit(&mut spec)?;
    pod_admission::admit(&mut spec);
    Ok(Pod { metadata, spec: Some(spec), status: None })
}

/// A pod from a Job's template, for the scheduler.
///
/// # Errors
/// What the API server would answer.
pub(super) fn new_pod(
    world: &World,
    job: &Job,
    index: Option<IndexOfPod>,
    now: DateTime<Utc>,
    random: &mut fastrand::Rng,
    names: &mut BTreeSet<String>,
) -> Result<Pod, String> {
    let base = base_of_names(job, index);
    let pod_name = loop {
        let candidate = generated_name(&base, random);
        let taken = world.pod(&Key::new(namespace(&job.metadata), &candidate)).is_some();
        if !taken && names.insert(candidate.clone()) {
            break candidate;
        }
    };
    let metadata = ObjectMeta {
        generate_name: Some(base.clone()),
        name: Some(pod_name),
        namespace: job.metadata.namespace.clone(),
        uid: Some(new_uid(random)),
        creation_timestamp: Some(time(now)),
        finalizers: Some(vec![FINALIZER_JOB_TRACKING.to_owned()]),
        owner_references: Some(vec![owner_reference(job)]),
        ..ObjectMeta::default()
    };
    let template = job.spec.as_ref().map(|spec| &spec.template);
    // Admission comes before the name.
    let mut pod = pod_of_template(world, template, metadata).map_err(|why| forbidden(&base, why))?;
    if let Some(index) = index {
        add_index(&mut pod, name(&job.metadata), index);
    }
    Ok(pod)
}

/// What the API server answers where it forbids a pod.
pub(super) fn forbidden(pod: &str, why: String) -> String {
    StatusError::Forbidden { kind: Kind::Pod, name: pod.to_owned(), detail: why }.to_string()
}

/// Assigns a pod to the node, as the scheduler does.
pub fn bind(pod: &mut Pod, node_name: &str, now: DateTime<Utc>) {
    pod.spec.get_or_insert_default().node_name = Some(node_name.to_owned());
    set_pod_condition(pending_conditions(pod), "PodScheduled", true, "", "", now);
}

/// Leaves a pod without a node, and says why.
pub(super) fn wait_for_node(pod: &mut Pod, why: &str, now: DateTime<Utc>) {
    set_pod_condition(pending_conditions(pod), "PodScheduled", false, "Unschedulable", why, now);
}

/// Leaves a pod to the scheduler, which has not looked at it. One that names its node is not taken for bound meanwhile.
pub(super) fn leave_pending(pod: &mut Pod, now: DateTime<Utc>) {
    let names_its_node = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    let conditions = pending_conditions(pod);
    if names_its_node {
        set_pod_condition(conditions, "PodScheduled", false, "Unschedulable", "", now);
    }
}

/// Leaves a pod alone until its scheduling gates are removed.
pub(super) fn wait_for_gates(pod: &mut Pod, now: DateTime<Utc>) {
    set_gated_condition(pending_conditions(pod), now);
}

/// The conditions of a pod that no kubelet has seen, its status as the API server begins it.
fn pending_conditions(pod: &mut Pod) -> &mut Vec<PodCondition> {
    pod.spec.get_or_insert_default().enable_service_links.get_or_insert(true);
    let qos = pod.spec.as_ref().map_or("BestEffort", qos_class);
    let status = pod.status.get_or_insert_with(PodStatus::default);
    status.phase = Some("Pending".into());
    status.qos_class = Some(qos.into());
    status.conditions.get_or_insert_default()
}

/// The Event of a binding.
pub fn scheduled_event(pod: &Pod, node_name: &str, now: DateTime<Utc>) -> EventRecord {
    let message =
        format!("Successfully assigned {}/{} to {node_name}", namespace(&pod.metadata), name(&pod.metadata));
    EventRecord::new(pod_reference(pod), "Normal", "default-scheduler", "Scheduled", message, now)
}

/// Marks a pod for deletion: the kubelet stops it, then it is removed. A repeated request can only shorten the grace.
pub fn mark_deleted(pod: &mut Pod, grace_seconds: Option<i64>, now: DateTime<Utc>) {
    // A negative one in a spec counts as 1 (upstream warns of it), in a request as none.
    let of_spec = || {
        let seconds = pod.spec.as_ref()?.termination_grace_period_seconds?;
        Some(if seconds < 0 { 1 } else { seconds })
    };
    let grace = grace_seconds.or_else(of_spec).unwrap_or(30).max(0);
    let deadline = after(now, grace);
    if pod.metadata.deletion_timestamp.as_ref().is_some_and(|earlier| earlier.0 <= deadline) {
        return;
    }
    set_deletion(&mut pod.metadata, deadline, grace);
}

/// Pods of a Job that is gone: nobody will count them, so they need not wait for it.
pub(super) fn release_abandoned(world: &World, actions: &mut Vec<Action>) {
    for pod in world.abandoned_pods() {
        let mut released = Pod::clone(pod);
        remove_finalizer(&mut released.metadata, FINALIZER_JOB_TRACKING);
        actions.push(Action::UpdatePod(Box::new(released)));
    }
}

/// A reference to a pod for its Events.
pub fn pod_reference(pod: &Pod) -> Reference {
    Reference {
        kind: "Pod".into(),
        api_version: "v1".into(),
        namespace: namespace(&pod.metadata).into(),
        name: name(&pod.metadata).into(),
        uid: uid(&pod.metadata).into(),
        field_path: None,
    }
}
