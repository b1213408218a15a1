//! Rules about a Job's spec, and how it hangs together with its template (ValidateJobSpec).

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::{Job, JobSpec};

use super::value::{self, json};
use super::{each, metadata, non_negative, pod, policies, quoted};
use crate::api::meta::{
    LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, LABEL_JOB_NAME, LABEL_JOB_NAME_LEGACY, name, uid,
};
use crate::api::names;
use crate::api::selectors::LabelSelector;
use crate::api::status_error::FieldError;

/// The most pods at once, and the most failed indexes, of an Indexed Job.
const MAX_INDEXED: i32 = 100_000;
/// The same for a Job of more completions than that with a limit per index.
const MAX_INDEXED_LARGE: i32 = 10_000;
/// The longest `managedBy`.
const MAX_MANAGED_BY: usize = 63;

const RESTART_POLICIES: [&str; 2] = ["OnFailure", "Never"];

/// Whether the labels that should have been generated are there and are this Job's (validateGeneratedSelector).
pub(super) fn validate_generated_selector(job: &Job) -> Vec<FieldError> {
    let Some(spec) = job.spec.as_ref().filter(|spec| spec.manual_selector != Some(true)) else {
        return Vec::new();
    };
    let Some(selector) = &spec.selector else { return Vec::new() };
    let mut errors = Vec::new();
    if uid(&job.metadata).is_empty() {
        errors.push(FieldError::required("metadata.uid", ""));
    }
    let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.clone()).unwrap_or_default();
    let mut expected = BTreeMap::new();
    for (key, value) in [
        (LABEL_CONTROLLER_UID_LEGACY, uid(&job.metadata)),
        (LABEL_JOB_NAME_LEGACY, name(&job.metadata)),
        (LABEL_CONTROLLER_UID, uid(&job.metadata)),
        (LABEL_JOB_NAME, name(&job.metadata)),
    ] {
        expected.insert(key.to_owned(), value.to_owned());
        let field = format!("spec.template.metadata.labels[{key}]");
        let detail = format!("must be '{value}'");
        match labels.get(key) {
            None => errors.push(FieldError::required(field, &detail)),
            Some(found) if found != value => errors.push(FieldError::invalid(field, json(&labels), &detail)),
            Some(_) => {}
        }
    }
    if LabelSelector::from_object(selector).is_ok_and(|selector| !selector.matches(&expected)) {
        errors.push(FieldError::invalid(
            "spec.selector",
            value::selector(selector),
            "`selector` not auto-generated",
        ));
    }
    errors
}

/// Whether the pods of an Indexed Job can have hostnames made of its name.
pub(super) fn validate_indexed_name(job_name: &str, spec: &JobSpec) -> Option<FieldError> {
    let completions = spec.completions.filter(|completions| *completions > 0)?;
    if !is_indexed(spec) || job_name.is_empty() {
        return None;
    }
    let hostname = format!("{job_name}-{}", completions - 1);
    let detail = format!("will not able to create pod with invalid DNS label: {hostname}");
    (!names::dns_label(&hostname).is_empty())
        .then(|| FieldError::invalid("metadata.name", quoted(job_name), &detail))
}

/// Everything wrong with a Job's spec.
pub(super) fn validate_spec(spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let mut errors = validate_numbers(spec, path);
    errors.extend(validate_managed_by(spec, path));
    errors.extend(validate_completion_mode(spec, path));
    if let Some(policy) = &spec.pod_failure_policy {
        errors.extend(policies::validate_pod_failure_policy(
            policy,
            spec,
            &format!("{path}.podFailurePolicy"),
        ));
    }
    if let Some(policy) = &spec.success_policy {
        let path = format!("{path}.successPolicy");
        if is_indexed(spec) {
            errors.extend(policies::validate_success_policy(policy, spec, &path));
        } else {
            let shown = value::success_policy(policy);
            errors.push(FieldError::invalid(path, shown, "requires indexed completion mode"));
        }
    }
    errors.extend(validate_replacement_policy(spec, path));
    errors.extend(pod::validate_template(&spec.template, &format!("{path}.template")));
    errors.extend(validate_restart_policy(spec, path));
    errors
}

fn is_indexed(spec: &JobSpec) -> bool {
    spec.completion_mode.as_deref() == Some("Indexed")
}

fn validate_numbers(spec: &JobSpec, path: &str) -> Vec<FieldError> {
    [
        ("parallelism", spec.parallelism.map(i64::from)),
        ("completions", spec.completions.map(i64::from)),
        ("activeDeadlineSeconds", spec.active_deadline_seconds),
        ("backoffLimit", spec.backoff_limit.map(i64::from)),
        ("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.map(i64::from)),
        ("backoffLimitPerIndex", spec.backoff_limit_per_index.map(i64::from)),
        ("maxFailedIndexes", spec.max_failed_indexes.map(i64::from)),
    ]
    .into_iter()
    .filter_map(|(field, number)| non_negative(&format!("{path}.{field}"), number))
    .chain((spec.max_failed_indexes.is_some() && spec.backoff_limit_per_index.is_none()).then(|| {
        let detail = "when maxFailedIndexes is specified";
        FieldError::required(format!("{path}.backoffLimitPerIndex"), detail)
    }))
    .collect()
}

fn validate_managed_by(spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let Some(managed_by) = spec.managed_by.as_deref() else { return Vec::new() };
    let path = format!("{path}.managedBy");
    let mut errors = match managed_by.split_once('/') {
        _ if managed_by.is_empty() => vec![FieldError::required(path.as_str(), "")],
        Some((host, rest)) if !host.is_empty() && !rest.is_empty() => {
            let mut errors = each(&names::dns_subdomain(host), &path, host);
            errors.extend(each(&names::http_path(rest), &path, rest));
            errors
        }
        _ => {
            let detail = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            vec![FieldError::invalid(path.as_str(), quoted(managed_by), detail)]
        }
    };
    if managed_by.len() > MAX_MANAGED_BY {
        errors.push(FieldError::too_long(path, MAX_MANAGED_BY));
    }
    errors
}

fn validate_completion_mode(spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors = Vec::new();
    let mode = spec.completion_mode.as_deref();
    if let Some(mode) = mode.filter(|mode| !["NonIndexed", "Indexed"].contains(mode)) {
        errors.push(FieldError::unsupported(at("completionMode"), quoted(mode), &["NonIndexed", "Indexed"]));
    }
    if mode != Some("Indexed") {
        for (field, number) in [
            ("backoffLimitPerIndex", spec.backoff_limit_per_index),
            ("maxFailedIndexes", spec.max_failed_indexes),
        ] {
            errors
                .extend(number.map(|number| {
                    FieldError::invalid(at(field), number, "requires indexed completion mode")
                }));
        }
        return errors;
    }
    let most = |field: &str, number: Option<i32>, most: i32, detail: &str| {
        number.filter(|number| *number > most).map(|number| FieldError::invalid(at(field), number, detail))
    };
    let Some(completions) = spec.completions else {
        errors.push(FieldError::required(at("completions"), "when completion mode is Indexed"));
        return errors;
    };
    let detail = "must be less than or equal to 100000 when completion mode is Indexed";
    errors.extend(most("parallelism", spec.parallelism, MAX_INDEXED, detail));
    let failed = spec.max_failed_indexes;
    errors.extend(most("maxFailedIndexes", failed, completions, "must be less than or equal to completions"));
    errors.extend(most("maxFailedIndexes", failed, MAX_INDEXED, "must be less than or equal to 100000"));
    if completions > MAX_INDEXED && spec.backoff_limit_per_index.is_some() {
        if failed.is_none() {
            let detail = "must be specified when completions is above 100000";
            errors.push(FieldError::required(at("maxFailedIndexes"), detail));
        }
        let detail = "must be less than or equal to 10000 when completions are above 100000 and used with backoff \
                      limit per index";
        errors.extend(most("parallelism", spec.parallelism, MAX_INDEXED_LARGE, detail));
        errors.extend(most("maxFailedIndexes", failed, MAX_INDEXED_LARGE, detail));
    }
    errors
}

fn validate_replacement_policy(spec: &JobSpec, path: &str) -> Option<FieldError> {
    let policy = spec.pod_replacement_policy.as_deref()?;
    // A failure policy can only judge pods that have ended.
    let supported: &[&str] =
        if spec.pod_failure_policy.is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    (!supported.contains(&policy))
        .then(|| FieldError::unsupported(format!("{path}.podReplacementPolicy"), quoted(policy), supported))
}

fn validate_restart_policy(spec: &JobSpec, path: &str) -> Option<FieldError> {
    let field = format!("{path}.template.spec.restartPolicy");
    let policy = spec.template.spec.as_ref().and_then(|spec| spec.restart_policy.as_deref());
    match policy.unwrap_or_default() {
        "" | "Always" => Some(FieldError::required(field, "valid values: \"OnFailure\", \"Never\"")),
        "OnFailure" if spec.pod_failure_policy.is_some() => Some(FieldError::invalid(
            field,
            "\"OnFailure\"",
            "only \"Never\" is supported when podFailurePolicy is specified",
        )),
        policy if RESTART_POLICIES.contains(&policy) => None,
        other => Some(FieldError::unsupported(field, quoted(other), &RESTART_POLICIES)),
    }
}

/// Everything wrong with a Job's selector. One that is missing selects nothing.
pub(super) fn validate_selector(spec: &JobSpec, path: &str) -> Vec<FieldError> {
    let mut errors = match &spec.selector {
        None => vec![FieldError::required(format!("{path}.selector"), "")],
        Some(selector) => metadata::validate_selector(selector, &format!("{path}.selector")),
    };
    let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.as_ref());
    let empty = BTreeMap::new();
    let matches = spec.selector.as_ref().is_some_and(|selector| {
        LabelSelector::from_object(selector)
            .map_or(true, |selector| selector.matches(labels.unwrap_or(&empty)))
    });
    if !matches {
        errors.push(FieldError::invalid(
            format!("{path}.template.metadata.labels"),
            json(&labels),
            "`selector` does not match template `labels`",
        ));
    }
    errors
}
