//! Errors -> text on stderr and an exit code, in kubectl's words where it has some.

use std::fmt;
use std::process::ExitCode;

use super::output::complain;
use crate::api::status_error::StatusError;
use crate::cluster::{Misconfigured, Unreachable};

/// What the exit codes mean.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "an error, said on stderr; also a wrong flag, as in kubectl"),
    (124, "`run`: the Job's deadline, or --timeout, was exceeded"),
    (128, "`run`: the program could not be started"),
    (130, "`run`: ended by SIGINT (Ctrl-C)"),
    (141, "nobody reads the output any more (SIGPIPE)"),
    (143, "`run`: ended by SIGTERM"),
];

/// A complete message: printed as it is, without `error: ` before it.
#[derive(Debug)]
pub(super) struct Verbatim(pub(super) String);

impl fmt::Display for Verbatim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Verbatim {}

/// Nobody reads what we print any more: there is nothing to say, and nobody to say it to.
#[derive(Debug)]
pub(super) struct ReaderGone;

impl fmt::Display for ReaderGone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("nobody reads the output any more")
    }
}

impl std::error::Error for ReaderGone {}

/// The exit code that shells give a command that SIGPIPE has ended.
const SIGPIPE: u8 = 141;

/// An error whose text stands alone on stderr.
pub(super) fn verbatim(text: impl Into<String>) -> anyhow::Error {
    Verbatim(text.into()).into()
}

/// A status error, with what was being done when it was met.
#[derive(Debug)]
struct Refused {
    doing: String,
    status: StatusError,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&from_server(&self.status, &self.doing))
    }
}

impl std::error::Error for Refused {}

/// A status error met while doing something with a file: `error when creating "job.yaml"`.
pub(super) fn while_doing(error: anyhow::Error, doing: &str) -> anyhow::Error {
    match error.downcast_ref::<StatusError>() {
        None => error,
        Some(status) => Refused { doing: doing.to_owned(), status: status.clone() }.into(),
    }
}

/// What the server has said, and to what.
fn refusal(error: &anyhow::Error) -> Option<(&StatusError, &str)> {
    match error.downcast_ref::<Refused>() {
        Some(Refused { doing, status }) => Some((status, doing)),
        None => error.downcast_ref::<StatusError>().map(|status| (status, "")),
    }
}

fn from_server(status: &StatusError, doing: &str) -> String {
    if status.reason() == "Unauthorized" {
        return format!("error: You must be logged in to the server ({})", status.message());
    }
    let doing = if doing.is_empty() { String::new() } else { format!("{doing}: ") };
    let reason = match status.reason() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    format!("Error from server{reason}: {doing}{}", status.message())
}

/// An error's text as kubectl would print it.
pub(super) fn text(error: &anyhow::Error) -> String {
    if let Some(Verbatim(text)) = error.downcast_ref::<Verbatim>() {
        return text.clone();
    }
    if let Some(unreachable) = error.downcast_ref::<Unreachable>() {
        return unreachable.to_string();
    }
    if let Some(misconfigured) = error.downcast_ref::<Misconfigured>() {
        return misconfigured.to_string();
    }
    if error.is::<ReaderGone>() {
        return String::new();
    }
    match refusal(error) {
        Some((invalid @ (StatusError::Invalid { .. } | StatusError::Unprocessable { .. }), _)) => {
            invalid.to_string()
        }
        Some((status, _)) if status.reason() == "Unauthorized" => {
            format!("error: You must be logged in to the server ({})", status.message())
        }
        Some((status, doing)) => from_server(status, doing),
        None if error.is::<Unreachable>() => error.to_string(),
        None => format!("error: {error:#}"),
    }
}

/// Prints the errors of a command that has met any number of them. kubectl words several differently from one: each is a
/// line that says what was being done, and what is its own carries no `error: `.
pub(super) fn complain_of_all(errors: &[anyhow::Error]) {
    if let [single] = errors {
        return complain(&text(single));
    }
    for error in errors {
        let text = match refusal(error) {
            Some((status, doing)) => from_server(status, doing),
            None => text(error),
        };
        complain(text.strip_prefix("error: ").unwrap_or(&text));
    }
}

/// A refusal of an object that was made of flags, in the words of `kubectl create job`. `what` ends in `: `, mostly.
pub(super) fn failed_to_create(what: &str, error: anyhow::Error) -> anyhow::Error {
    match refusal(&error) {
        Some((status, _)) => verbatim(format!("error: failed to create {what}{}", status.message())),
        None => error,
    }
}

/// A refusal as verbs tell it that have words of their own for what they have tried.
pub(super) fn refused_as(words: &str, error: anyhow::Error) -> anyhow::Error {
    match refusal(&error) {
        Some((status, _)) => verbatim(format!("error: {words}{}", status.message())),
        None => error,
    }
}

/// The exit code of a command that has done its work, where warnings count as errors.
pub(super) fn judge_warnings(count: usize) -> ExitCode {
    match count {
        0 => return ExitCode::SUCCESS,
        1 => complain("error: 1 warning received"),
        several => complain(&format!("error: {several} warnings received")),
    }
    ExitCode::FAILURE
}

/// Prints the error; exit code 1. Where nobody reads any more, that of SIGPIPE, and not a word.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    if error.is::<ReaderGone>() {
        return ExitCode::from(SIGPIPE);
    }
    complain(&text(error));
    ExitCode::FAILURE
}
