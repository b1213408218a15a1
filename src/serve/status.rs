//! Refusals, as the `Status` objects of the API.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::media::{NotAcceptable, OBJECT_TYPES, WATCH_TYPES};
use crate::api::kinds::Kind;
use crate::api::status_error::{FieldError, StatusError};
use crate::registry::merge::PatchError;

/// Why a request is not answered as it wishes.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    pub(super) code: StatusCode,
    /// Upstream's word; some errors have none.
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) details: Option<Value>,
    pub(super) warnings: Vec<String>,
    /// What the list's metadata would have held.
    pub(super) metadata: Option<Box<Value>>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// A refusal of that code and reason.
    pub(super) fn new(code: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, warnings: Vec::new(), metadata: None }
    }

    /// The same with details.
    #[must_use]
    pub(super) fn with(self, details: Value) -> Self {
        Self { details: Some(details), ..self }
    }

    /// 400.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 500 without a reason, as upstream answers what it did not expect.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
    }

    /// 404: no such resource.
    pub(super) fn no_resource() -> Self {
        let message = "the server could not find the requested resource";
        Self::new(StatusCode::NOT_FOUND, "NotFound", message).with(json!({}))
    }

    /// 405.
    pub(super) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).with(json!({}))
    }

    /// 401.
    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    /// 403, for a request as such.
    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message).with(json!({}))
    }

    /// 415, with the types that are understood; upstream names them for new objects only.
    pub(super) fn unsupported_media_type(names_types: bool) -> Self {
        let (message, details) = if names_types {
            let words = "the body of the request was in an unknown format - accepted media types include: ";
            (format!("{words}{OBJECT_TYPES}"), None)
        } else {
            ("415: Unsupported Media Type".to_owned(), Some(json!({})))
        };
        let problem = Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message);
        Self { details, ..problem }
    }

    /// 406.
    pub(super) fn not_acceptable(why: NotAcceptable, is_watch: bool) -> Self {
        let watch = if is_watch { format!(", {WATCH_TYPES}") } else { String::new() };
        let (message, details) = match why {
            NotAcceptable::Type => {
                let message =
                    format!("406: Not Acceptable\n\nAvailable representations: {OBJECT_TYPES}{watch}");
                (message, Some(json!({})))
            }
            NotAcceptable::Form => {
                (format!("only the following media types are accepted: {OBJECT_TYPES}"), None)
            }
        };
        let problem = Self::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message);
        Self { details, ..problem }
    }

    /// 422 for the options of a request.
    pub(super) fn invalid_options(options: &str, causes: &[FieldError]) -> Self {
        let all: Vec<String> = causes.iter().map(ToString::to_string).collect();
        let all =
            if let [single] = all.as_slice() { single.clone() } else { format!("[{}]", all.join(", ")) };
        let message = format!("{options}.meta.k8s.io \"\" is invalid: {all}");
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(json!({
            "group": "meta.k8s.io",
            "kind": options,
            "causes": causes_of(causes),
        }))
    }

    /// The object of the API.
    pub(super) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": self.metadata.as_deref().unwrap_or(&json!({})),
            "status": "Failure",
            "message": self.message,
            "code": self.code.as_u16(),
        });
        if !self.reason.is_empty() {
            status["reason"] = json!(self.reason);
        }
        if let Some(details) = &self.details {
            status["details"] = details.clone();
        }
        status
    }

    /// The answer.
    pub(super) fn into_answer(self) -> Answer {
        let answer = Answer::json(self.code, &self.status()).with_warnings(&self.warnings);
        match self.details.as_ref().and_then(|details| details["retryAfterSeconds"].as_i64()) {
            Some(seconds) => answer.with("retry-after", seconds.to_string()),
            None => answer,
        }
    }
}

/// What has been done, where there is no object to show.
pub(super) fn success(kind: Kind, name: &str, uid: &str) -> Value {
    let mut details = details_of(kind, name, kind.resource().plural);
    details.insert("uid".into(), json!(uid));
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}

fn details_of(kind: Kind, name: &str, as_kind: &str) -> Map<String, Value> {
    let mut details = Map::new();
    if !name.is_empty() {
        details.insert("name".into(), json!(name));
    }
    if !kind.resource().group.is_empty() {
        details.insert("group".into(), json!(kind.resource().group));
    }
    details.insert("kind".into(), json!(as_kind));
    details
}

fn causes_of(causes: &[FieldError]) -> Vec<Value> {
    let cause = |cause: &FieldError| {
        let reason = match cause.body.split(':').next().unwrap_or_default() {
            "Required value" => "FieldValueRequired",
            "Unsupported value" => "FieldValueNotSupported",
            "Duplicate value" => "FieldValueDuplicate",
            "Forbidden" => "FieldValueForbidden",
            "Not found" => "FieldValueNotFound",
            "Too long" => "FieldValueTooLong",
            "Too many" => "FieldValueTooMany",
            _ => "FieldValueInvalid",
        };
        json!({ "reason": reason, "message": cause.body, "field": cause.field })
    };
    causes.iter().map(cause).collect()
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Self {
        let code = match &error {
            StatusError::NotFound { .. } => StatusCode::NOT_FOUND,
            StatusError::AlreadyExists { .. }
            | StatusError::BeingDeleted { .. }
            | StatusError::Conflict { .. }
            | StatusError::ApplyConflict { .. } => StatusCode::CONFLICT,
            StatusError::Internal { .. } | StatusError::Other { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            StatusError::Invalid { .. } | StatusError::Unprocessable { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            StatusError::BadRequest { .. } => StatusCode::BAD_REQUEST,
            StatusError::Expired { .. } => StatusCode::GONE,
            StatusError::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            StatusError::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            StatusError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            StatusError::Forbidden { .. } => StatusCode::FORBIDDEN,
        };
        let problem = Self::new(code, error.reason(), error.message());
        match &error {
            StatusError::NotFound { kind, name }
            | StatusError::AlreadyExists { kind, name }
            | StatusError::BeingDeleted { kind, name }
            | StatusError::Conflict { kind, name, .. } => {
                problem.with(Value::Object(details_of(*kind, name, kind.resource().plural)))
            }
            StatusError::Forbidden { kind, name, detail } => {
                let mut details = details_of(*kind, name, kind.resource().plural);
                let namespace = detail
                    .strip_prefix("unable to create new content in namespace ")
                    .and_then(|rest| rest.strip_suffix(" because it is being terminated"));
                if let Some(namespace) = namespace {
                    let cause = json!({
                        "reason": "NamespaceTerminating",
                        "message": format!("namespace {namespace} is being terminated"),
                        "field": "metadata.namespace",
                    });
                    details.insert("causes".into(), json!([cause]));
                }
                problem.with(Value::Object(details))
            }
            StatusError::Invalid { kind, name, causes } => {
                let mut details = details_of(*kind, name, kind.as_str());
                details.insert("causes".into(), json!(causes_of(causes)));
                problem.with(Value::Object(details))
            }
            StatusError::Timeout { .. } => {
                let cause = json!({
                    "reason": "ResourceVersionTooLarge",
                    "message": "Too large resource version",
                });
                let message = format!("Timeout: {}", problem.message);
                Self { message, ..problem }.with(json!({ "causes": [cause], "retryAfterSeconds": 1 }))
            }
            StatusError::ApplyConflict { causes, .. } => {
                let cause = |cause: &FieldError| json!({ "reason": "FieldManagerConflict", "message": cause.body, "field": cause.field });
                problem.with(json!({ "causes": causes.iter().map(cause).collect::<Vec<_>>() }))
            }
            StatusError::TooLarge { .. } => problem.with(json!({})),
            StatusError::Unprocessable { message } => {
                let body = message.strip_prefix("patch: ").unwrap_or(message).to_owned();
                let cause = FieldError { field: "patch".into(), body };
                let message = format!(" \"\" is invalid: {cause}");
                Self { message, ..problem }.with(json!({ "causes": causes_of(&[cause]) }))
            }
            StatusError::BadRequest { .. }
            | StatusError::Expired { .. }
            | StatusError::Internal { .. }
            | StatusError::Other { .. }
            | StatusError::MethodNotAllowed { .. } => problem,
        }
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        let error = match error.downcast::<StatusError>() {
            Ok(status) => return status.into(),
            Err(error) => error,
        };
        let error = match error.downcast::<Self>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if let Some(error) = error.downcast_ref::<PatchError>() {
            let text = error.to_string();
            if text.contains("does not contain declared merge key") {
                return Self::internal(text);
            }
            let message = "the server rejected our request due to an error in our request";
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with(json!({}));
        }
        Self::internal(format!("{error:#}"))
    }
}
