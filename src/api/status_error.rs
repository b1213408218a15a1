//! Errors that a Kubernetes API server would answer with, by upstream's reason.

use std::fmt;

use super::kinds::Kind;

/// Why a request was refused, in the terms of the API's `Status` object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusError {
    /// No object of that kind and name.
    NotFound {
        /// Kind asked for.
        kind: Kind,
        /// Name asked for.
        name: String,
    },
    /// An object of that kind and name exists.
    AlreadyExists {
        /// Kind.
        kind: Kind,
        /// Name.
        name: String,
    },
    /// An object of that kind and name exists yet: it is being deleted, and somebody holds it back.
    BeingDeleted {
        /// Kind.
        kind: Kind,
        /// Name.
        name: String,
    },
    /// The object was changed by somebody else, or by number: `--current-replicas`, `resourceVersion`.
    Conflict {
        /// Kind.
        kind: Kind,
        /// Name.
        name: String,
        /// What did not match; the usual sentence where empty.
        detail: String,
    },
    /// The object breaks rules; all of them are listed.
    Invalid {
        /// Kind.
        kind: Kind,
        /// Name.
        name: String,
        /// Every cause.
        causes: Vec<FieldError>,
    },
    /// The request itself cannot be understood.
    BadRequest {
        /// The whole sentence.
        message: String,
    },
    /// A watch from a resourceVersion of which is not known any more what came after it.
    Expired {
        /// The version asked for.
        wanted: u64,
        /// The oldest that a watch can begin with.
        oldest: u64,
    },
    /// A resourceVersion that does not exist yet.
    Timeout {
        /// The version asked for.
        wanted: u64,
        /// The newest there is.
        current: u64,
    },
    /// What is asked for is not done to objects of this kind.
    MethodNotAllowed {
        /// The whole sentence.
        message: String,
    },
    /// The request makes no sense for the object that it is about.
    Unprocessable {
        /// What is wrong with it.
        message: String,
    },
    /// The object is larger than objects may be.
    TooLarge {
        /// The most bytes that an object may have.
        limit: usize,
    },
    /// What is applied would change fields that others manage.
    ApplyConflict {
        /// Who manages which field: `conflict with MANAGER`, and its path.
        causes: Vec<FieldError>,
        /// The whole sentence.
        message: String,
    },
    /// A request that cannot be carried out, for a reason that has no word.
    Internal {
        /// The whole sentence.
        message: String,
    },
    /// The rules of this place forbid it.
    Forbidden {
        /// Kind.
        kind: Kind,
        /// Name.
        name: String,
        /// Why.
        detail: String,
    },
    /// What a server elsewhere has said, in its own words.
    Other {
        /// Upstream's word for it; empty where it has none that we know.
        reason: &'static str,
        /// The whole sentence.
        message: String,
    },
}

/// One broken rule: the field's path and upstream's body, for instance
/// `Invalid value: -1: must be greater than or equal to 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path, for instance `spec.template.spec.containers[0].name`.
    pub field: String,
    /// The body.
    pub body: String,
}

impl FieldError {
    /// `FIELD: Required value[: detail]`.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        Self { field: field.into(), body: with_detail("Required value", detail) }
    }

    /// `FIELD: Invalid value: VALUE: detail`; `value` is already in its printed form (strings quoted).
    pub fn invalid(field: impl Into<String>, value: impl fmt::Display, detail: &str) -> Self {
        Self { field: field.into(), body: with_detail(&format!("Invalid value: {value}"), detail) }
    }

    /// `FIELD: Unsupported value: "V": supported values: "A", "B"`.
    pub fn unsupported(field: impl Into<String>, value: impl fmt::Display, supported: &[&str]) -> Self {
        let list = supported.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(", ");
        Self { field: field.into(), body: format!("Unsupported value: {value}: supported values: {list}") }
    }

    /// `FIELD: Duplicate value: V`.
    pub fn duplicate(field: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { field: field.into(), body: format!("Duplicate value: {value}") }
    }

    /// `FIELD: Forbidden: detail`.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self { field: field.into(), body: with_detail("Forbidden", detail) }
    }

    /// `FIELD: Not found: V`.
    pub fn not_found(field: impl Into<String>, value: impl fmt::Display) -> Self {
        Self { field: field.into(), body: format!("Not found: {value}") }
    }

    /// `FIELD: Too long: may not be more than N bytes`.
    pub fn too_long(field: impl Into<String>, most: usize) -> Self {
        Self { field: field.into(), body: format!("Too long: may not be more than {most} bytes") }
    }

    /// `FIELD: Too many: N: must have at most M items`.
    pub fn too_many(field: impl Into<String>, actual: usize, most: usize) -> Self {
        Self { field: field.into(), body: format!("Too many: {actual}: must have at most {most} items") }
    }
}

fn with_detail(head: &str, detail: &str) -> String {
    if detail.is_empty() { head.to_owned() } else { format!("{head}: {detail}") }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.body)
    }
}

impl StatusError {
    /// The error for a missing object.
    pub fn not_found(kind: Kind, name: &str) -> Self {
        Self::NotFound { kind, name: name.to_owned() }
    }

    /// The error for an object changed meanwhile.
    pub fn conflict(kind: Kind, name: &str) -> Self {
        Self::Conflict { kind, name: name.to_owned(), detail: String::new() }
    }

    /// The server's own message: as [`fmt::Display`], but what is invalid is told in one line.
    pub fn message(&self) -> String {
        let Self::Invalid { kind, name, causes } = self else { return self.to_string() };
        let causes: Vec<String> = causes.iter().map(ToString::to_string).collect();
        let causes = match causes.as_slice() {
            [single] => single.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        format!("{} \"{name}\" is invalid: {causes}", kind.qualified_name())
    }

    /// Upstream's reason word.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "NotFound",
            Self::AlreadyExists { .. } | Self::BeingDeleted { .. } => "AlreadyExists",
            Self::Conflict { .. } | Self::ApplyConflict { .. } => "Conflict",
            Self::Invalid { .. } | Self::Unprocessable { .. } => "Invalid",
            Self::MethodNotAllowed { .. } => "MethodNotAllowed",
            Self::Expired { .. } => "Expired",
            Self::Timeout { .. } => "Timeout",
            Self::BadRequest { .. } => "BadRequest",
            Self::TooLarge { .. } => "RequestEntityTooLarge",
            Self::Forbidden { .. } => "Forbidden",
            Self::Internal { .. } => "",
            Self::Other { reason, .. } => reason,
        }
    }
}

impl fmt::Display for StatusError {
    /// The server's sentence, without kubectl's `Error from server (Reason): ` before it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { kind, name } => {
                write!(formatter, "{} \"{name}\" not found", kind.qualified_plural())
            }
            Self::AlreadyExists { kind, name } => {
                write!(formatter, "{} \"{name}\" already exists", kind.qualified_plural())
            }
            Self::BeingDeleted { kind, name } => {
                let plural = kind.qualified_plural();
                write!(formatter, "object is being deleted: {plural} \"{name}\" already exists")
            }
            Self::Conflict { kind, name, detail } => {
                let detail = if detail.is_empty() {
                    "the object has been modified; please apply your changes to the latest version and try again"
                } else {
                    detail
                };
                write!(
                    formatter,
                    "Operation cannot be fulfilled on {} \"{name}\": {detail}",
                    kind.qualified_plural()
                )
            }
            Self::Invalid { kind, name, causes } => {
                write!(formatter, "The {kind} \"{name}\" is invalid: ")?;
                match causes.as_slice() {
                    [single] => write!(formatter, "{single}"),
                    several => {
                        for cause in several {
                            write!(formatter, "\n* {cause}")?;
                        }
                        Ok(())
                    }
                }
            }
            Self::BadRequest { message }
            | Self::MethodNotAllowed { message }
            | Self::ApplyConflict { message, .. }
            | Self::Other { message, .. }
            | Self::Internal { message } => formatter.write_str(message),
            Self::Expired { wanted, oldest } => {
                write!(formatter, "too old resource version: {wanted} ({oldest})")
            }
            Self::Timeout { wanted, current } => {
                write!(formatter, "Too large resource version: {wanted}, current: {current}")
            }
            Self::Unprocessable { message } => write!(formatter, "The request is invalid: {message}"),
            Self::TooLarge { limit } => write!(formatter, "Request entity too large: limit is {limit}"),
            Self::Forbidden { kind, name, detail } => {
                write!(formatter, "{} \"{name}\" is forbidden: {detail}", kind.qualified_plural())
            }
        }
    }
}

impl std::error::Error for StatusError {}
