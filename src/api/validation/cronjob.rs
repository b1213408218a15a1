//! Rules about a CronJob (ValidateCronJobSpec).

use k8s_openapi::api::batch::v1::{CronJob, CronJobSpec};

use super::value;
use super::{job, metadata, non_negative, quoted};
use crate::api::meta::name;
use crate::api::schedule::{self, Schedule, ZONE_IN_SCHEDULE};
use crate::api::status_error::FieldError;

/// The longest name: those of its Jobs are made of it.
const LONGEST_NAME: usize = 52;
const POLICIES: [&str; 3] = ["Allow", "Forbid", "Replace"];

/// Everything wrong with a new CronJob.
pub(super) fn validate(cron_job: &CronJob) -> Vec<FieldError> {
    let mut errors = validate_update(cron_job);
    let own_name = name(&cron_job.metadata);
    if own_name.len() > LONGEST_NAME {
        let detail = format!("must be no more than {LONGEST_NAME} characters");
        errors.push(FieldError::invalid("metadata.name", quoted(own_name), &detail));
    }
    errors
}

/// Everything wrong with one that exists: a long name is not taken back.
pub(super) fn validate_update(cron_job: &CronJob) -> Vec<FieldError> {
    let mut errors = metadata::validate(&cron_job.metadata, "metadata");
    let spec = cron_job.spec.clone().unwrap_or_default();
    errors.extend(validate_schedule(&spec.schedule));
    errors.extend(non_negative("spec.startingDeadlineSeconds", spec.starting_deadline_seconds));
    errors.extend(validate_zone(spec.time_zone.as_deref()));
    match spec.concurrency_policy.as_deref() {
        None | Some("") => errors.push(FieldError::required("spec.concurrencyPolicy", "")),
        Some(policy) if POLICIES.contains(&policy) => {}
        Some(policy) => {
            errors.push(FieldError::unsupported("spec.concurrencyPolicy", quoted(policy), &POLICIES));
        }
    }
    errors.extend(validate_template(&spec));
    let limits = [
        ("spec.successfulJobsHistoryLimit", spec.successful_jobs_history_limit),
        ("spec.failedJobsHistoryLimit", spec.failed_jobs_history_limit),
    ];
    errors.extend(limits.into_iter().filter_map(|(field, limit)| non_negative(field, limit.map(i64::from))));
    errors
}

fn validate_schedule(text: &str) -> Vec<FieldError> {
    let field = "spec.schedule";
    if text.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let mut errors = Vec::new();
    if let Err(error) = text.parse::<Schedule>() {
        errors.push(FieldError::invalid(field, quoted(text), &error));
    }
    if text.contains("TZ") && !errors.iter().any(|error| error.to_string().ends_with(ZONE_IN_SCHEDULE)) {
        errors.push(FieldError::invalid(field, quoted(text), ZONE_IN_SCHEDULE));
    }
    errors
}

fn validate_zone(zone: Option<&str>) -> Vec<FieldError> {
    let Some(zone) = zone else { return Vec::new() };
    let invalid = |detail: &str| FieldError::invalid("spec.timeZone", quoted(zone), detail);
    if zone.is_empty() {
        return vec![invalid("timeZone must be nil or non-empty string")];
    }
    let mut errors = Vec::new();
    if zone.eq_ignore_ascii_case("local") {
        errors.push(invalid(
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        ));
    }
    // Go knows the zone `Local`, though not in other contents.
    if zone != "Local" {
        errors.extend(schedule::zone(zone).err().map(|detail| invalid(&detail)));
    }
    errors
}

/// Of the template's metadata nothing is said before a Job is made of it.
fn validate_template(spec: &CronJobSpec) -> Vec<FieldError> {
    let path = "spec.jobTemplate";
    let job_spec = spec.job_template.spec.clone().unwrap_or_default();
    let mut errors = job::validate_spec(&job_spec, &format!("{path}.spec"));
    if let Some(selector) = &job_spec.selector {
        let detail = "`selector` will be auto-generated";
        errors.push(FieldError::invalid(format!("{path}.spec.selector"), value::selector(selector), detail));
    }
    if job_spec.manual_selector == Some(true) {
        let field = format!("{path}.spec.manualSelector");
        errors.push(FieldError::unsupported(field, "true", &["nil", "false"]));
    }
    errors
}
