//! object -> every rule it breaks, all at once, with upstream's paths and wording (pkg/apis/batch/validation and
//! pkg/apis/core/validation).
//!
//! Objects are judged as they would be stored: after defaults and after `registry::strategy`. One rule of upstream's is
//! left out on purpose: a container's `image` is not required, since containers run on the host.
//! Must not: change objects, or judge what this machine can do (`compatibility` does).

mod addresses;
mod affinity;
mod annotations;
mod claim;
mod claim_spec;
mod claim_template;
mod claims;
mod cluster;
mod config_data;
mod container;
mod containers;
mod cronjob;
mod env;
mod ephemeral;
mod hosts;
mod job;
mod job_status;
mod metadata;
mod mounts;
mod network_policy;
mod paths;
mod placement;
mod pod;
mod policies;
mod ports;
mod probe;
mod projections;
mod quotas;
mod rbac;
mod resources;
mod restart_rules;
mod security;
mod service;
mod stateful_set;
mod storage;
mod update;
mod update_pod;
mod value;
mod volumes;
mod warnings;
mod windows;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{AppArmorProfile, Node, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::meta::name;
use super::names;
use super::quoted::quoted;
use super::status_error::FieldError;

pub use job_status::validate_job_status;

pub use claim::{
    validate_persistent_volume_claim, validate_persistent_volume_claim_update,
    warnings_of_persistent_volume_claim,
};
pub use cluster::{
    validate_namespace, validate_namespace_update, validate_priority_class, validate_priority_class_update,
    validate_service_account, validate_service_account_update,
};
pub use config_data::{
    validate_config_map, validate_config_map_update, validate_secret, validate_secret_update,
};
pub use network_policy::{
    validate_network_policy, validate_network_policy_update, warnings_of_network_policy,
};
pub use quotas::{
    validate_limit_range, validate_limit_range_update, validate_resource_quota,
    validate_resource_quota_update,
};
pub use rbac::{
    validate_cluster_role, validate_cluster_role_binding, validate_cluster_role_binding_update,
    validate_cluster_role_update, validate_role, validate_role_binding, validate_role_binding_update,
    validate_role_update,
};
pub use service::{validate_service, validate_service_update, warnings_of_service};
pub use stateful_set::{
    validate_controller_revision, validate_controller_revision_update, validate_missing_selector,
    validate_stateful_set, validate_stateful_set_update, warnings_of_stateful_set,
};
pub use update::first_template_difference;
pub use warnings::{warnings_of_cron_job, warnings_of_job, warnings_of_pod};

/// Every rule a Job breaks (ValidateJob).
pub fn validate_job(job: &Job) -> Vec<FieldError> {
    let mut errors = metadata::validate(&job.metadata, "metadata");
    errors.extend(job::validate_generated_selector(job));
    let spec = job.spec.clone().unwrap_or_default();
    errors.extend(job::validate_spec(&spec, "spec"));
    errors.extend(job::validate_selector(&spec, "spec"));
    errors.extend(job::validate_indexed_name(name(&job.metadata), &spec));
    errors
}

/// Every rule broken by replacing `old` with `new`: those of [`validate_job`], then those about fields that may not
/// change (ValidateJobUpdate). `new` has been through `prepare_job_for_update`. That `spec.template` changed is said
/// without the two templates: [`first_template_difference`] names the place.
pub fn validate_job_update(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_job(new));
    errors.extend(update::job(new, old));
    without_repeats(errors)
}

/// Every rule a new CronJob breaks (ValidateCronJobCreate).
pub fn validate_cron_job(cron_job: &CronJob) -> Vec<FieldError> {
    cronjob::validate(cron_job)
}

/// Every rule broken by replacing `old` with `new`: of a CronJob everything may change.
pub fn validate_cron_job_update(new: &CronJob, old: &CronJob) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(cronjob::validate_update(new));
    without_repeats(errors)
}

/// Every rule that the labels and annotations of a CronJob's template break: nobody judges them before a Job has them.
pub fn validate_template_metadata(meta: &ObjectMeta) -> Vec<FieldError> {
    let mut errors = metadata::validate_labels(meta.labels.as_ref(), "metadata.labels");
    errors.extend(metadata::validate_annotations(meta.annotations.as_ref(), "metadata.annotations"));
    errors
}

/// Every rule a new Pod breaks (ValidatePodCreate).
pub fn validate_pod(pod: &Pod) -> Vec<FieldError> {
    let mut errors = pod::validate(pod);
    errors.extend(pod::validate_new(pod));
    errors
}

/// Every rule broken by replacing `old` with `new` (ValidatePodUpdate). As on a server images may change; what runs goes on
/// as it was started.
pub fn validate_pod_update(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(pod::validate(new));
    errors.extend(update_pod::validate(new, old));
    without_repeats(errors)
}

/// The AppArmor profile that the old annotation of a container stands for; nothing where it is none that a server takes.
pub fn app_armor_of_annotation(annotation: &str) -> Option<AppArmorProfile> {
    annotations::app_armor(annotation).filter(security::is_good_app_armor)
}

/// The beginning of the key of such an annotation; the container's name comes after it.
pub const APP_ARMOR_ANNOTATION: &str = annotations::APP_ARMOR;

/// What is wrong with a label's value as a user gives it, all problems in one sentence; `None` for a good one.
pub fn label_value_problems(value: &str) -> Option<String> {
    let problems = names::label_value(value);
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Every rule broken by replacing `old` with `new`. Of a node's spec only what keeps pods away may change.
pub fn validate_node_update(new: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(metadata::validate(&new.metadata, "metadata"));
    errors.extend(update::node(new, old));
    without_repeats(errors)
}

/// An error for each problem with a text.
fn each(problems: &[String], field: &str, text: &str) -> Vec<FieldError> {
    problems.iter().map(|problem| FieldError::invalid(field, quoted(text), problem)).collect()
}

/// The error of a number below zero.
fn non_negative(field: &str, number: Option<i64>) -> Option<FieldError> {
    let number = number.filter(|number| *number < 0)?;
    Some(FieldError::invalid(field, number, "must be greater than or equal to 0"))
}

fn without_repeats(errors: Vec<FieldError>) -> Vec<FieldError> {
    let mut seen: Vec<FieldError> = Vec::new();
    for error in errors {
        if !seen.contains(&error) {
            seen.push(error);
        }
    }
    seen
}

#[cfg(test)]
mod tests;
