//! object -> every rule it breaks, all at once, with upstream's paths and wording (pkg/apis/batch/validation and
//! pkg/apis/core/validation).
//!
//! Objects are judged as they would be stored: after defaults and after `registry::strategy`. One rule of upstream's is
//! left out on purpose: a container's `image` is not required, since containers run on the host.
//! Must not: change objects, or judge what this machine can do (`compatibility` does).

mod affinity;
mod container;
mod cronjob;
mod job;
mod metadata;
mod pod;
mod policies;
mod resources;
mod update;
mod value;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{Node, Pod};

use super::meta::name;
use super::names;
use super::status_error::FieldError;

pub use update::first_template_difference;
pub(crate) use value::quoted;

/// Every rule a Job breaks (ValidateJob).
pub fn validate_job(job: &Job) -> Vec<FieldError> {
    let mut errors = metadata::validate(&job.metadata, "metadata");
    errors.extend(job::validate_generated_selector(job));
    let spec = job.spec.clone().unwrap_or_default();
    errors.extend(job::validate_spec(&spec, "spec"));
    errors.extend(job::validate_indexed_name(name(&job.metadata), &spec));
    errors
}

/// Every rule broken by replacing `old` with `new`: those of [`validate_job`], then those about fields that may not
/// change (ValidateJobUpdate). `new` has been through `prepare_job_for_update`. That `spec.template` changed is said
/// without the two templates: [`first_template_difference`] names the place.
pub fn validate_job_update(new: &Job, old: &Job) -> Vec<FieldError> {
    let mut errors = validate_job(new);
    errors.extend(update::job(new, old));
    without_repeats(errors)
}

/// Every rule a new CronJob breaks (ValidateCronJobCreate).
pub fn validate_cron_job(cron_job: &CronJob) -> Vec<FieldError> {
    cronjob::validate(cron_job)
}

/// Every rule broken by replacing `old` with `new`: of a CronJob everything may change.
pub fn validate_cron_job_update(new: &CronJob, old: &CronJob) -> Vec<FieldError> {
    let mut errors = cronjob::validate_update(new);
    errors.extend(update::cron_job(new, old));
    without_repeats(errors)
}

/// Every rule a Pod breaks (ValidatePodCreate).
pub fn validate_pod(pod: &Pod) -> Vec<FieldError> {
    let mut errors = metadata::validate(&pod.metadata, "metadata");
    let spec = pod.spec.clone().unwrap_or_default();
    errors.extend(pod::validate_spec(&spec, "spec"));
    errors
}

/// Every rule broken by replacing `old` with `new`. Of a Pod's spec only activeDeadlineSeconds (sooner) and
/// tolerations (more of them) may change. Upstream lets images change too, which would restart containers.
pub fn validate_pod_update(new: &Pod, old: &Pod) -> Vec<FieldError> {
    let mut errors = validate_pod(new);
    errors.extend(update::pod(new, old));
    without_repeats(errors)
}

/// What is wrong with a label's value as a user gives it, all problems in one sentence; `None` for a good one.
pub fn label_value_problems(value: &str) -> Option<String> {
    let problems = names::label_value(value);
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// Every rule broken by replacing `old` with `new`. Of a node's spec only what keeps pods away may change.
pub fn validate_node_update(new: &Node, old: &Node) -> Vec<FieldError> {
    let mut errors = metadata::validate(&new.metadata, "metadata");
    errors.extend(update::node(new, old));
    without_repeats(errors)
}

/// What is worth saying about a Job that is allowed: a name that is no DNS label, because its pods' hostnames are made
/// of it (WarningsOnCreate). Each is printed after `Warning: `.
pub fn warnings_on_create_job(job: &Job) -> Vec<String> {
    let problems = names::dns_label(name(&job.metadata));
    if problems.is_empty() || name(&job.metadata).is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is \
         recommended: [{}]",
        problems.join(" ")
    )]
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
