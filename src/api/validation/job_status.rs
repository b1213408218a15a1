//! The rules of a Job's status, for whoever writes it by the `status` subresource.
//!
//! Those of upstream's validation that hold whatever the status was before.

use crate::api::JobStatus;
use crate::api::status_error::FieldError;

/// What breaks the rules, by field.
pub fn validate_job_status(status: &JobStatus) -> Vec<FieldError> {
    let mut causes = Vec::new();
    let counts = [
        ("active", status.active),
        ("failed", status.failed),
        ("ready", status.ready),
        ("succeeded", status.succeeded),
        ("terminating", status.terminating),
    ];
    for (field, count) in counts {
        if let Some(count) = count.filter(|count| *count < 0) {
            let why = "must be greater than or equal to 0";
            causes.push(FieldError::invalid(format!("status.{field}"), count, why));
        }
    }
    let has =
        |kind: &str| status.conditions.iter().flatten().any(|one| one.type_ == kind && one.status == "True");
    let (complete, failed) = (has("Complete"), has("Failed"));
    if complete && status.completion_time.is_none() {
        causes.push(FieldError::required(
            "status.completionTime",
            "completionTime is required for Complete jobs",
        ));
    }
    if !complete && status.completion_time.is_some() {
        let why = "completionTime cannot be set for non-complete job";
        causes.push(FieldError::invalid("status.completionTime", time(status.completion_time.as_ref()), why));
    }
    let mut both = |one: bool, other: bool, why: &str| {
        if one && other {
            causes.push(FieldError {
                field: "status.conditions".into(),
                body: format!("Invalid value: {why}"),
            });
        }
    };
    both(complete, failed, "cannot set Complete=True and Failed=true conditions");
    both(complete, has("FailureTarget"), "cannot set Complete=True and FailureTarget=true conditions");
    let unprepared = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
    both(complete, !has("SuccessCriteriaMet"), unprepared);
    let unprepared = "cannot set Failed=True condition without the FailureTarget=true condition";
    both(failed, !has("FailureTarget"), unprepared);
    match (&status.start_time, &status.completion_time) {
        (None, _) if complete || failed => {
            causes.push(FieldError::required("status.startTime", "startTime is required for finished job"));
        }
        (Some(start), Some(end)) if end.0 < start.0 => {
            let why = "completionTime cannot be set before startTime";
            causes.push(FieldError::invalid("status.completionTime", time(Some(end)), why));
        }
        _ => {}
    }
    causes.sort_by(|one, other| one.field.cmp(&other.field));
    causes
}

fn time(at: Option<&crate::api::Time>) -> String {
    at.map(|at| at.0.to_rfc3339()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(status: serde_json::Value) -> Vec<String> {
        let status: JobStatus = serde_json::from_value(status).expect("a status");
        validate_job_status(&status).into_iter().map(|cause| cause.field).collect()
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(fields(json!({})).is_empty());
        assert!(fields(json!({"ready": 0, "startTime": "2026-01-01T00:00:00Z"})).is_empty());
        let complete = |more: serde_json::Value| {
            let mut status = json!({
                "startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:00:01Z",
                "conditions": [
                    {"type": "SuccessCriteriaMet", "status": "True"}, {"type": "Complete", "status": "True"},
                ],
            });
            status.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            fields(status)
        };
        assert!(complete(json!({})).is_empty());
        assert_eq!(
            complete(json!({"completionTime": null, "startTime": null})),
            ["status.completionTime", "status.startTime"]
        );
        assert_eq!(complete(json!({"completionTime": "2025-01-01T00:00:00Z"})), ["status.completionTime"]);
        let wrong =
            json!({"active": -1, "succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
        let wanted = ["status.active", "status.completionTime", "status.conditions", "status.startTime"];
        assert_eq!(fields(wrong), wanted);
        assert_eq!(
            fields(json!({"conditions": [{"type": "Failed", "status": "True"}]})),
            ["status.conditions", "status.startTime"]
        );
    }
}
