//! Errors -> text on stderr and an exit code, in kubectl's words where it has some.

use std::fmt;
use std::process::ExitCode;

use super::output::complain;
use crate::api::status_error::StatusError;

/// What the exit codes mean.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "an error, said on stderr; also a wrong flag, as in kubectl"),
    (124, "`run`: the Job's deadline, or --timeout, was exceeded"),
    (128, "`run`: the program could not be started"),
    (130, "`run`: ended by SIGINT (Ctrl-C)"),
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

/// An error whose text stands alone on stderr.
pub(super) fn verbatim(text: impl Into<String>) -> anyhow::Error {
    Verbatim(text.into()).into()
}

/// An error's text as kubectl would print it.
pub(super) fn text(error: &anyhow::Error) -> String {
    if let Some(Verbatim(text)) = error.downcast_ref::<Verbatim>() {
        return text.clone();
    }
    match error.downcast_ref::<StatusError>() {
        Some(invalid @ StatusError::Invalid { .. }) => invalid.to_string(),
        Some(status) => format!("Error from server ({}): {status}", status.reason()),
        None => format!("error: {error:#}"),
    }
}

/// A status error met while doing something with a file: `error when creating "job.yaml": `.
pub(super) fn while_doing(error: anyhow::Error, doing: &str) -> anyhow::Error {
    match error.downcast_ref::<StatusError>() {
        None | Some(StatusError::Invalid { .. }) => error,
        Some(status) => verbatim(format!("Error from server ({}): {doing}: {status}", status.reason())),
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

/// Prints the error; exit code 1.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    complain(&text(error));
    ExitCode::FAILURE
}
