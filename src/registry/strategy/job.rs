//! Jobs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update, raise_generation};
use crate::api::compatibility::{self, Findings};
use crate::api::defaults::set_labels_from_template;
use crate::api::disabled_fields::drop_disabled_fields;
use crate::api::kinds::Kind;
use crate::api::meta::{
    LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY, name, uid,
};
use crate::api::status_error::FieldError;
use crate::api::{Job, JobStatus, defaults, validation};

/// The labels generated on a Job's template.
const GENERATED_LABELS: [&str; 4] =
    [LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY];

impl Strategy for Job {
    const KIND: Kind = Kind::Job;

    fn set_defaults(&mut self) {
        defaults::set_job_defaults(self);
    }

    /// The name must be set already: the generated labels hold it (none with `manualSelector: true`).
    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.metadata.generation = Some(1);
        self.status = Some(JobStatus::default());
        drop_disabled(self);
        generate_selector(self);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_job(self)
    }

    /// Labels that a Job takes from its template are not judged twice.
    fn canonicalize(&mut self) {
        set_labels_from_template(self);
    }

    /// A selector that is missing stays missing, as on a server.
    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = Some(old.status.clone().unwrap_or_default());
        drop_disabled(self);
        set_labels_from_template(self);
        raise_generation(&mut self.metadata, &old.metadata, self.spec != old.spec);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_job_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_job(self)
    }

    fn findings(manifest: &Value) -> Findings {
        compatibility::check_job(manifest)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}

fn drop_disabled(job: &mut Job) {
    if let Some(spec) = job.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()) {
        drop_disabled_fields(spec);
    }
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
    // Servers before 1.27 know the older spelling alone.
    let spellings = [LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY];
    if spellings.iter().any(|key| labels.get(*key).is_some_and(|value| value == uid)) {
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
        job.prepare_for_create("u-1", DateTime::UNIX_EPOCH);
        job.canonicalize();
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
        assert_eq!(job["status"], json!({}));
    }

    #[test]
    fn what_a_server_has_generated_can_be_taken_off_in_either_spelling() {
        let mut of_old_server = job(json!({
            "metadata": {"name": "j", "uid": "u-1", "labels": {"app": "x", "controller-uid": "u-1", "job-name": "j"}},
            "spec": {"selector": {"matchLabels": {"controller-uid": "u-1"}},
                "template": {"metadata": {"labels": {"controller-uid": "u-1", "job-name": "j"}}}},
        }));
        let mut of_new_server = created(json!({"metadata": {"name": "j", "labels": {"app": "x"}}}));
        for job in [&mut of_old_server, &mut of_new_server] {
            remove_generated(job);
            let job = shown(job);
            assert_eq!(job["spec"]["selector"], Value::Null);
            assert_eq!(job["spec"]["template"]["metadata"]["labels"], json!({}));
        }
        assert_eq!(shown(&of_old_server)["metadata"]["labels"], json!({"app": "x"}));
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
            new.prepare_for_update(&old);
            assert_eq!(new.metadata.generation, Some(generation), "{sentence}");
            assert_eq!(new.metadata.uid, old.metadata.uid, "{sentence}");
            assert_eq!(new.metadata.creation_timestamp, old.metadata.creation_timestamp, "{sentence}");
            assert_eq!(new.status, old.status, "{sentence}");
        }
        let mut new = job(json!({"metadata": {"name": "j", "uid": "x"}}));
        new.prepare_for_update(&old);
        assert_eq!(new.metadata.uid.as_deref(), Some("x"), "another uid is for validation to name");
        assert_eq!(new.spec.and_then(|spec| spec.selector), None, "and so is a missing selector");
    }
}
