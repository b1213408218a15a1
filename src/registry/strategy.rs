//! What a server does to an object between receiving and storing it: fields that are its own to write, generated
//! labels and selectors (the PrepareForCreate and PrepareForUpdate of each kind's strategy).
//! Must not: judge. A conflicting value is left in place for validation to name.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::api::defaults::set_labels_from_template;
use crate::api::meta::{
    LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY, name, time, uid,
};
use crate::api::nodes::{TAINT_UNSCHEDULABLE, unschedulable_taint};
use crate::api::{CronJob, Job, Node, ObjectMeta, Pod};

/// The labels generated on a Job's template.
const GENERATED_LABELS: [&str; 4] =
    [LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY];

/// Makes a defaulted Job ready to be stored for the first time: no status, generation 1, uid and creation time, the
/// generated labels and selector (none with `manualSelector: true`), and labels from the template where it has none.
/// The name must be set already: the generated labels hold it.
pub fn prepare_job_for_create(job: &mut Job, uid: &str, now: DateTime<Utc>) {
    prepare_job_to_validate(job, uid, now);
    complete_created_job(job);
}

/// As [`prepare_job_for_create`], as far as validation is to see it: labels that a Job takes from its template are not
/// judged twice.
pub fn prepare_job_to_validate(job: &mut Job, uid: &str, now: DateTime<Utc>) {
    prepare_meta_for_create(&mut job.metadata, uid, now);
    job.metadata.generation = Some(1);
    job.status = None;
    generate_selector(job);
}

/// What a Job gets between validation and the store.
pub fn complete_created_job(job: &mut Job) {
    set_labels_from_template(job);
}

/// Makes a defaulted Pod ready to be stored for the first time.
pub fn prepare_pod_for_create(pod: &mut Pod, uid: &str, now: DateTime<Utc>) {
    prepare_meta_for_create(&mut pod.metadata, uid, now);
    pod.metadata.generation = Some(1);
    pod.status = None;
}

/// Makes a defaulted CronJob ready to be stored for the first time.
pub fn prepare_cron_job_for_create(cron_job: &mut CronJob, uid: &str, now: DateTime<Utc>) {
    prepare_meta_for_create(&mut cron_job.metadata, uid, now);
    cron_job.metadata.generation = Some(1);
    cron_job.status = None;
}

/// Makes a defaulted CronJob ready to replace `old`.
pub fn prepare_cron_job_for_update(new: &mut CronJob, old: &CronJob) {
    prepare_meta_for_update(&mut new.metadata, &old.metadata);
    new.status = old.status.clone();
    raise_generation(&mut new.metadata, &old.metadata, new.spec != old.spec);
}

/// Makes a defaulted Job ready to replace `old`: what only the server writes is taken from `old`, and a changed spec
/// raises the generation by one. A selector that is missing stays missing, as on a server.
pub fn prepare_job_for_update(new: &mut Job, old: &Job) {
    prepare_meta_for_update(&mut new.metadata, &old.metadata);
    new.status = old.status.clone();
    set_labels_from_template(new);
    raise_generation(&mut new.metadata, &old.metadata, new.spec != old.spec);
}

/// Makes a defaulted Pod ready to replace `old`.
pub fn prepare_pod_for_update(new: &mut Pod, old: &Pod) {
    prepare_meta_for_update(&mut new.metadata, &old.metadata);
    new.status = old.status.clone();
    if let (Some(spec), Some(old)) = (&mut new.spec, &old.spec)
        && spec.node_name.is_none()
    {
        spec.node_name = old.node_name.clone();
    }
    raise_generation(&mut new.metadata, &old.metadata, new.spec != old.spec);
}

/// Makes a node ready to replace `old`: its status is the machine's own, and a cordon shows as a taint.
pub fn prepare_node_for_update(new: &mut Node, old: &Node) {
    prepare_meta_for_update(&mut new.metadata, &old.metadata);
    new.status = old.status.clone();
    let Some(spec) = &mut new.spec else { return };
    let mut taints = spec.taints.take().unwrap_or_default();
    taints.retain(|taint| taint.key != TAINT_UNSCHEDULABLE);
    if spec.unschedulable == Some(true) {
        taints.push(unschedulable_taint());
    }
    spec.taints = (!taints.is_empty()).then_some(taints);
}

fn prepare_meta_for_create(meta: &mut ObjectMeta, uid: &str, now: DateTime<Utc>) {
    meta.uid = Some(uid.to_owned());
    meta.creation_timestamp = Some(time(now));
    meta.deletion_timestamp = None;
    meta.deletion_grace_period_seconds = None;
    meta.managed_fields = None;
    meta.self_link = None;
}

fn prepare_meta_for_update(new: &mut ObjectMeta, old: &ObjectMeta) {
    if new.uid.as_ref().is_none_or(String::is_empty) {
        new.uid = old.uid.clone();
    }
    new.creation_timestamp = old.creation_timestamp.clone();
    new.deletion_timestamp = old.deletion_timestamp.clone();
    new.deletion_grace_period_seconds = old.deletion_grace_period_seconds;
    new.managed_fields = None;
    new.self_link = None;
    if new.generate_name.is_none() {
        new.generate_name = old.generate_name.clone();
    }
}

fn raise_generation(new: &mut ObjectMeta, old: &ObjectMeta, changed: bool) {
    let generation = old.generation.unwrap_or(1);
    new.generation = Some(if changed { generation + 1 } else { generation });
}

fn generate_selector(job: &mut Job) {
    let (job_name, uid) = (name(&job.metadata).to_owned(), uid(&job.metadata).to_owned());
    let Some(spec) = &mut job.spec else { return };
    if spec.manual_selector == Some(true) {
        return;
    }
    let labels = spec.template.metadata.get_or_insert_default().labels.get_or_insert_default();
    for key in GENERATED_LABELS {
        let holds_name = key == LABEL_JOB_NAME || key == LABEL_JOB_NAME_LEGACY;
        let value = if holds_name { &job_name } else { &uid };
        labels.entry(key.to_owned()).or_insert_with(|| value.clone());
    }
    let selector = spec.selector.get_or_insert_default();
    // The uid alone makes the selector unique.
    selector.match_labels.get_or_insert_default().entry(LABEL_CONTROLLER_UID.to_owned()).or_insert(uid);
}

/// Takes the generated selector and labels off a stored Job, and what only a server writes into its metadata, so that
/// it can be created again.
pub fn remove_generated(job: &mut Job) {
    let old = uid(&job.metadata).to_owned();
    let meta = &mut job.metadata;
    (meta.uid, meta.resource_version, meta.creation_timestamp, meta.generation) = (None, None, None, None);
    meta.owner_references = None;
    remove_labels_of(meta.labels.as_mut(), &old);
    let Some(spec) = job.spec.as_mut().filter(|spec| spec.manual_selector != Some(true)) else { return };
    spec.selector = None;
    remove_labels_of(spec.template.metadata.as_mut().and_then(|meta| meta.labels.as_mut()), &old);
}

/// Removes the generated labels: those with the Job's uid, and the name's beside them.
fn remove_labels_of(labels: Option<&mut BTreeMap<String, String>>, uid: &str) {
    let Some(labels) = labels else { return };
    if labels.get(LABEL_CONTROLLER_UID).is_some_and(|value| value == uid) {
        labels.retain(|key, _| !GENERATED_LABELS.contains(&key.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::defaults::set_job_defaults;

    fn job(value: Value) -> Job {
        let mut job = serde_json::from_value(value).expect("a Job");
        set_job_defaults(&mut job);
        job
    }

    fn created(value: Value) -> Job {
        let mut job = job(value);
        prepare_job_for_create(&mut job, "u-1", DateTime::UNIX_EPOCH);
        job
    }

    fn shown(job: &Job) -> Value {
        serde_json::to_value(job).expect("JSON")
    }

    #[test]
    fn a_new_job_gets_four_labels_and_a_selector_of_one() {
        let four = json!({
            "batch.kubernetes.io/controller-uid": "u-1", "batch.kubernetes.io/job-name": "j",
            "controller-uid": "u-1", "job-name": "j",
        });
        let job = shown(&created(json!({"metadata": {"name": "j", "uid": "mine"}, "status": {"active": 3}})));
        assert_eq!(job["spec"]["template"]["metadata"]["labels"], four);
        assert_eq!(
            job["spec"]["selector"],
            json!({"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}})
        );
        assert_eq!(job["metadata"]["labels"], four);
        assert_eq!(job["metadata"]["uid"], "u-1");
        assert_eq!(job["metadata"]["generation"], 1);
        assert_eq!(job["metadata"]["creationTimestamp"], "1970-01-01T00:00:00Z");
        assert_eq!(job["metadata"]["namespace"], Value::Null);
        assert_eq!(job["status"], Value::Null);
    }

    #[test]
    fn labels_a_user_gave_stay_as_they_are() {
        let job = shown(&created(json!({
            "metadata": {"name": "j"},
            "spec": {"template": {"metadata": {"labels": {"app": "x", "job-name": "other"}}}},
        })));
        let labels = &job["spec"]["template"]["metadata"]["labels"];
        assert_eq!(labels["job-name"], "other");
        assert_eq!(labels["batch.kubernetes.io/job-name"], "j");
        assert_eq!(job["metadata"]["labels"], json!({"app": "x", "job-name": "other"}));
    }

    #[test]
    fn with_a_manual_selector_nothing_is_generated() {
        let job = shown(&created(json!({
            "metadata": {"name": "j"},
            "spec": {"manualSelector": true, "selector": {"matchLabels": {"a": "b"}},
                "template": {"metadata": {"labels": {"a": "b"}}}},
        })));
        assert_eq!(job["spec"]["selector"], json!({"matchLabels": {"a": "b"}}));
        assert_eq!(job["spec"]["template"]["metadata"]["labels"], json!({"a": "b"}));
    }

    #[test]
    fn an_update_keeps_what_the_server_writes_and_counts_changed_specs() {
        let mut old = created(json!({"metadata": {"name": "j"}}));
        old.status = Some(serde_json::from_value(json!({"succeeded": 1})).expect("a status"));
        for (sentence, parallelism, generation) in
            [("the same manifest", 1, 1), ("another parallelism", 2, 2)]
        {
            let mut new = shown(&old);
            new["metadata"]["uid"] = Value::Null;
            new["metadata"]["creationTimestamp"] = json!("2001-01-01T00:00:00Z");
            new["spec"]["parallelism"] = json!(parallelism);
            new["status"] = json!({"succeeded": 7});
            let mut new = job(new);
            prepare_job_for_update(&mut new, &old);
            assert_eq!(new.metadata.generation, Some(generation), "{sentence}");
            assert_eq!(new.metadata.uid, old.metadata.uid, "{sentence}");
            assert_eq!(new.metadata.creation_timestamp, old.metadata.creation_timestamp, "{sentence}");
            assert_eq!(new.status, old.status, "{sentence}");
        }
        let mut new = job(json!({"metadata": {"name": "j", "uid": "x"}}));
        prepare_job_for_update(&mut new, &old);
        assert_eq!(new.metadata.uid.as_deref(), Some("x"), "another uid is for validation to name");
        assert_eq!(new.spec.and_then(|spec| spec.selector), None, "and so is a missing selector");
    }
}
