//! Errors -> text on stderr and an exit code, in kubectl's words where it has some.

use std::ffi::OsString;
use std::fmt;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::output::complain;
use crate::api::status_error::StatusError;

/// What the exit codes mean.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "an error, said on stderr; also a wrong flag, as in kubectl"),
    (124, "`run`: the Job's deadline, or --timeout, was exceeded"),
    (128, "`run`: the program could not be started"),
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

/// Prints the error; exit code 1.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    complain(&text(error));
    ExitCode::FAILURE
}

/// A wrong command line: kubectl's sentences and exit code 1; help and completions of clap as they are.
pub(super) fn usage(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand) {
        let _ = error.print();
        return if error.kind() == ErrorKind::DisplayHelp { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let verb = arguments
        .iter()
        .skip(1)
        .filter_map(|argument| argument.to_str())
        .find(|argument| !argument.starts_with('-') && super::command().find_subcommand(argument).is_some())
        .map_or_else(|| "jobctl".to_owned(), |verb| format!("jobctl {verb}"));
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    let message = match (
        error.kind(),
        context(ContextKind::InvalidArg),
        context(ContextKind::InvalidSubcommand),
    ) {
        (ErrorKind::UnknownArgument, Some(flag), _) => {
            let flag = flag.split(['=', ' ']).next().unwrap_or_default();
            let flag = match flag.strip_prefix("--") {
                Some(_) => format!("unknown flag: {flag}"),
                None => format!("unknown shorthand flag: {:?} in {flag}", flag.chars().nth(1).unwrap_or(' ')),
            };
            format!("error: {flag}\nSee '{verb} --help' for usage.")
        }
        (ErrorKind::InvalidSubcommand, _, Some(word)) => {
            let near = context(ContextKind::SuggestedSubcommand)
                .map_or_else(String::new, |near| format!("\n\nDid you mean this?\n\t{near}\n"));
            format!("error: unknown command {word:?} for \"jobctl\"{near}")
        }
        (ErrorKind::ValueValidation, Some(flag), _) => {
            let flag = flag.split([' ', '=']).next().unwrap_or_default().to_owned();
            let value = context(ContextKind::InvalidValue).unwrap_or_default();
            let cause = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
            format!(
                "error: invalid argument {value:?} for {flag:?} flag: {cause}\nSee '{verb} --help' for usage."
            )
        }
        _ => {
            let text = error.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            let sentence = text.split("\n\nUsage:").next().unwrap_or(text).trim_end();
            format!("error: {sentence}\nSee '{verb} --help' for usage.")
        }
    };
    complain(&message);
    ExitCode::FAILURE
}
