//! What a server answers that refuses a request, as our own API server room would say it.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::api::kinds::{Key, Kind};
use crate::api::status_error::{FieldError, StatusError};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    kind: String,
    reason: String,
    message: String,
    details: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    name: String,
    kind: String,
    group: String,
    causes: Vec<Cause>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
    field: String,
}

/// The words that servers have for what is wrong (meta/v1 `StatusReason`).
const REASONS: [&str; 19] = [
    "Unauthorized",
    "Forbidden",
    "NotFound",
    "AlreadyExists",
    "Conflict",
    "Gone",
    "Invalid",
    "ServerTimeout",
    "StoreReadError",
    "Timeout",
    "TooManyRequests",
    "BadRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "RequestEntityTooLarge",
    "UnsupportedMediaType",
    "InternalError",
    "Expired",
    "ServiceUnavailable",
];

/// What stands between the name of an object that cannot be changed and the reason.
const CONFLICT: &str = "Operation cannot be fulfilled on ";

/// Reads a refusal of a request about an object, or about a kind.
pub(super) fn refusal(code: u16, body: &[u8], kind: Option<Kind>, key: Option<&Key>) -> StatusError {
    let status: Status = serde_json::from_slice(body).unwrap_or_default();
    if status.kind != "Status" || status.message.is_empty() {
        return StatusError::Other { reason: reason_of(code), message: without_status(code, body) };
    }
    let Status { reason, message, details, .. } = status;
    let reason = REASONS.into_iter().find(|known| *known == reason).unwrap_or_default();
    let other = |message: String| StatusError::Other { reason, message };
    if reason == "Invalid" && details.kind.is_empty() && details.name.is_empty() {
        // The message says it once more, with an empty name.
        let causes: BTreeSet<String> =
            details.causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
        let message = match causes.len() {
            0 => message,
            1 => causes.into_iter().collect(),
            _ => causes.into_iter().map(|cause| format!("\n* {cause}")).collect(),
        };
        return StatusError::Unprocessable { message };
    }
    // Only what is about the object that was asked for has its own word here: it is told as of ours.
    let (Some(kind), Some(key)) = (kind, key) else { return other(message) };
    let name = || key.name.to_string();
    let is_about_it = details.name == *key.name
        && [kind.resource().plural, kind.as_str()].contains(&details.kind.as_str())
        && (details.group.is_empty() || details.group == kind.resource().group);
    // A server may list a cause twice that it tells once.
    let causes = |details: Details| {
        let mut causes: Vec<FieldError> = Vec::new();
        for Cause { field, message, .. } in details.causes {
            let cause = FieldError { field, body: message };
            if !causes.contains(&cause) {
                causes.push(cause);
            }
        }
        causes
    };
    match reason {
        "NotFound" if is_about_it => StatusError::NotFound { kind, name: name() },
        "AlreadyExists" if is_about_it && message.starts_with("object is being deleted") => {
            StatusError::BeingDeleted { kind, name: name() }
        }
        "AlreadyExists" if is_about_it => StatusError::AlreadyExists { kind, name: name() },
        "Conflict" if details.causes.iter().any(|cause| cause.reason == "FieldManagerConflict") => {
            StatusError::ApplyConflict { causes: causes(details), message }
        }
        "Conflict" if is_about_it && message.starts_with(CONFLICT) => {
            let detail = message.split_once("\": ").map(|(_, detail)| detail.to_owned()).unwrap_or_default();
            let conflict = StatusError::Conflict { kind, name: name(), detail };
            // Of preconditions a server says the kind where else it says the resource.
            if conflict.message() == message { conflict } else { other(message) }
        }
        "Invalid" if is_about_it && !details.causes.is_empty() => {
            StatusError::Invalid { kind, name: name(), causes: causes(details) }
        }
        _ => other(message),
    }
}

/// The word for a code, where the answer does not say.
fn reason_of(code: u16) -> &'static str {
    match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    }
}

/// What is said of an answer that is no Status: of a proxy in between, mostly.
fn without_status(code: u16, body: &[u8]) -> String {
    const SHOWN: usize = 200;
    let text = String::from_utf8_lossy(body);
    let line = text.trim().lines().next().unwrap_or_default();
    let line: String = line.chars().take(SHOWN).collect();
    match (code, line.as_str()) {
        (401, "") => "Unauthorized".into(),
        (404, _) => "the server could not find the requested resource".into(),
        (_, "") => format!("the server has answered with code {code}"),
        (_, line) => format!("the server has answered with code {code}: {line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: u16, body: &str) -> (String, String) {
        let key = Key::new("default", "x");
        let error = refusal(code, body.as_bytes(), Some(Kind::Job), Some(&key));
        (error.reason().to_owned(), error.message())
    }

    #[test]
    fn refusals_keep_the_server_s_words() {
        for (code, body, reason, message) in [
            (
                404,
                r#"{"kind":"Status","reason":"NotFound","message":"jobs.batch \"x\" not found","details":{"name":"x","group":"batch","kind":"jobs"}}"#,
                "NotFound",
                "jobs.batch \"x\" not found",
            ),
            (
                404,
                r#"{"kind":"Status","reason":"NotFound","message":"namespaces \"n\" not found","details":{"name":"n","kind":"namespaces"}}"#,
                "NotFound",
                "namespaces \"n\" not found",
            ),
            (
                409,
                r#"{"kind":"Status","reason":"Conflict","message":"Operation cannot be fulfilled on jobs.batch \"x\": StorageError: invalid object","details":{"name":"x","group":"batch","kind":"jobs"}}"#,
                "Conflict",
                "Operation cannot be fulfilled on jobs.batch \"x\": StorageError: invalid object",
            ),
            (
                422,
                r#"{"kind":"Status","reason":"Invalid","message":"Job.batch \"x\" is invalid: a: Required value","details":{"name":"x","group":"batch","kind":"Job","causes":[{"reason":"FieldValueRequired","message":"Required value","field":"a"}]}}"#,
                "Invalid",
                "Job.batch \"x\" is invalid: a: Required value",
            ),
            (
                422,
                r#"{"kind":"Status","reason":"Invalid","message":"Job.batch \"x\" is invalid: a: Required value","details":{"name":"x","group":"batch","kind":"Job","causes":[{"message":"Required value","field":"a"},{"message":"Required value","field":"a"}]}}"#,
                "Invalid",
                "Job.batch \"x\" is invalid: a: Required value",
            ),
            (
                409,
                r#"{"kind":"Status","reason":"Conflict","message":"Operation cannot be fulfilled on Job.batch \"x\": the UID in the precondition (a) does not match","details":{"name":"x","group":"batch","kind":"Job"}}"#,
                "Conflict",
                "Operation cannot be fulfilled on Job.batch \"x\": the UID in the precondition (a) does not match",
            ),
            (
                403,
                r#"{"kind":"Status","reason":"Forbidden","message":"jobs.batch is forbidden: User \"u\" cannot list"}"#,
                "Forbidden",
                "jobs.batch is forbidden: User \"u\" cannot list",
            ),
            (
                422,
                r#"{"kind":"Status","reason":"Invalid","message":"the server rejected our request due to an error in our request","details":{}}"#,
                "Invalid",
                "The request is invalid: the server rejected our request due to an error in our request",
            ),
            (
                422,
                r#"{"kind":"Status","reason":"Invalid","message":" \"\" is invalid: patch: Invalid value: 1","details":{"causes":[{"message":"Invalid value: 1","field":"patch"}]}}"#,
                "Invalid",
                "The request is invalid: patch: Invalid value: 1",
            ),
            (502, "<html>\nBad gateway", "", "the server has answered with code 502: <html>"),
            (401, "", "Unauthorized", "Unauthorized"),
        ] {
            assert_eq!(told(code, body), (reason.to_owned(), message.to_owned()), "{body}");
        }
    }
}
