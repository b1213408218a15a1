//! What kubectl reads and the parser refuses, rewritten into what both read alike.
//!
//! The parser stops at such a place and says where; the text is changed there and read again. Lines keep
//! their numbers.

use granit_parser::{ErrorKind, ScanError};

/// Spaces that bring a line of a quoted scalar past any indentation; folding takes them out again.
const INDENTATION: &str = "                                                                ";

/// The text without the cause of this error, where it is one that kubectl does not see.
pub(super) fn repair(error: &ScanError, text: &str) -> Option<String> {
    let at = error.marker().byte_offset()?;
    match error.kind() {
        // "it\'s"
        ErrorKind::UnknownQuotedScalarEscape => {
            let at = at + escaped_quote(&text[at..])?;
            Some(splice(text, at, 2, "'"))
        }
        // [cat, -]
        ErrorKind::PlainScalarStartsWithDashFlowIndicator => {
            let at = (at.saturating_sub(1)..=at).find(|at| text[*at..].starts_with('-'))?;
            Some(splice(text, at, 1, "\"-\""))
        }
        // A quoted scalar that goes on at the left margin.
        ErrorKind::InvalidQuotedScalarIndent | ErrorKind::TabInIndentation => {
            let start = text[..at].rfind('\n')? + 1;
            (!text[start..].starts_with(INDENTATION)).then(|| splice(text, start, 0, INDENTATION))
        }
        _ => None,
    }
}

/// Where a double-quoted scalar has `\'`; YAML 1.1 as kubectl reads it allows that.
fn escaped_quote(scalar: &str) -> Option<usize> {
    let mut characters = scalar.char_indices();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && characters.next()?.1 == '\'' {
            return Some(at);
        }
    }
    None
}

fn splice(text: &str, at: usize, length: usize, replacement: &str) -> String {
    [&text[..at], replacement, &text[at + length..]].concat()
}
