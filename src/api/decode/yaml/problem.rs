//! The parser's errors in go-yaml's words.

use granit_parser::{ErrorKind, ScanError};

use super::text;
use crate::api::decode::{DecodeError, MAX_DEPTH};

/// What is wrong with a tab where indentation is told: after a plain text, which it might go on with, and elsewhere.
const TAB: &str = "found a tab character that violates indentation";
const TAB_FIRST: &str = "found character that cannot start any token";

/// Says what is wrong and in which line of the manifest.
pub(super) fn describe(error: &ScanError, text: &str, first_line: usize) -> DecodeError {
    let mut line_in_text = error.marker().line();
    let tab = tab_indented_line(text, line_in_text, error.kind());
    line_in_text = tab.unwrap_or(line_in_text);
    let problem = match tab {
        Some(line) => of_tab(text, line).to_owned(),
        None => problem(error),
    };
    DecodeError::yaml(first_line + line_in_text.saturating_sub(1), problem)
}

/// A line that is indented with a tab, at the mistake or next to it: the parser notices some at the token
/// before, some at the one after.
fn tab_indented_line(text: &str, line: usize, kind: &ErrorKind) -> Option<usize> {
    let next = match kind {
        ErrorKind::RecursionLimitExceeded => return None,
        ErrorKind::TabInPlainScalar => line + 1,
        _ => line,
    };
    text::tab_lines(text).into_iter().find(|found| (line.saturating_sub(1)..=next).contains(found))
}

/// What is wrong with a line that a tab indents.
pub(super) fn of_tab(text: &str, line: usize) -> &'static str {
    if follows_plain_text(text, line) { TAB } else { TAB_FIRST }
}

/// Whether what comes before a line ends in a text without quotes.
fn follows_plain_text(text: &str, line: usize) -> bool {
    let before = text.lines().take(line.saturating_sub(1));
    let before = before.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).last();
    before.is_some_and(|line| {
        let line = line.split(" #").next().unwrap_or_default().trim_end();
        !line.ends_with([':', '-', '"', '\'', ']', '}', '|', '>'])
    })
}

fn problem(error: &ScanError) -> String {
    let text = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return format!("exceeded max depth of {MAX_DEPTH}"),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidMappingValueWhitespace
        | ErrorKind::FlowMappingValueAdjacentCollection => "mapping values are not allowed in this context",
        ErrorKind::MappingKeyNotAllowed => "mapping keys are not allowed in this context",
        ErrorKind::BlockSequenceEntryNotAllowed => "block sequence entries are not allowed in this context",
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "could not find expected ':'",
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidIndentation
        | ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::UnexpectedEofBlockMapping => "did not find expected key",
        ErrorKind::ExpectedBlockSequenceEntry | ErrorKind::UnexpectedEofBlockSequence => {
            "did not find expected '-' indicator"
        }
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::UnexpectedEofFlowSequence => {
            "did not find expected ',' or ']'"
        }
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::UnexpectedEofFlowMapping => {
            "did not find expected ',' or '}'"
        }
        ErrorKind::MismatchedFlowCollectionEnd { open: '[', .. } => "did not find expected ',' or ']'",
        ErrorKind::MismatchedFlowCollectionEnd { .. } => "did not find expected ',' or '}'",
        ErrorKind::ExpectedNodeContent
        | ErrorKind::UnexpectedEofImplicitFlowMapping
        | ErrorKind::MisplacedFlowCollectionEnd
        | ErrorKind::BlockEntryInFlowCollection => "did not find expected node content",
        ErrorKind::UnclosedFlowCollection { open } => {
            return format!("did not find expected ',' or '{}'", if *open == '[' { ']' } else { '}' });
        }
        ErrorKind::ExpectedDocumentStart | ErrorKind::MissingDocumentEndBeforeDirective => {
            "did not find expected <document start>"
        }
        ErrorKind::UndeclaredTagHandle => "found undefined tag handle",
        ErrorKind::MissingAnchorOrAliasName => "did not find expected alphabetic or numeric character",
        ErrorKind::UnexpectedCharacter { .. } => "found character that cannot start any token",
        ErrorKind::UnclosedQuotedScalar => "found unexpected end of stream",
        ErrorKind::DocumentIndicatorInQuotedScalar => "found unexpected document indicator",
        ErrorKind::UnknownQuotedScalarEscape => "found unknown escape character",
        ErrorKind::InvalidUnicodeEscape => "found invalid Unicode character escape code",
        ErrorKind::InvalidQuotedScalarHexEscape => "did not find expected hexdecimal number",
        ErrorKind::ZeroBlockScalarIndent => "found an indentation indicator equal to 0",
        ErrorKind::InvalidBlockScalarHeader => "did not find expected comment or line break",
        // The parser's own words, without what it was doing at the time.
        _ => {
            let text = error.info();
            return text
                .strip_prefix("while ")
                .and_then(|text| text.split_once(", "))
                .map_or(text.clone(), |(_, problem)| problem.to_owned());
        }
    };
    text.to_owned()
}
