//! Checks of the text itself: what YAML 1.1 sees in it and the parser, which knows 1.2, does not.

use crate::api::decode::DecodeError;

/// Line breaks in YAML 1.1 that are ordinary characters in 1.2.
const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Refuses characters that no YAML stream may hold.
pub(super) fn check(text: &str, first_line: usize) -> Result<(), DecodeError> {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        None => Ok(()),
        Some((at, _)) => {
            Err(DecodeError::yaml(line_at(text, at, first_line), "control characters are not allowed"))
        }
    }
}

fn line_at(text: &str, at: usize, first_line: usize) -> usize {
    first_line + text[..at].matches('\n').count()
}

/// How many of the breaks that only YAML 1.1 knows are in a text.
pub(super) fn count_breaks(text: &str) -> usize {
    if text.is_ascii() { 0 } else { text.matches(BREAKS).count() }
}

/// Such a break is folded inside quotes; anywhere else it ends a comment, a plain scalar or a line of a
/// block, and what follows it at the left margin is a mistake.
pub(super) fn check_breaks(text: &str, first_line: usize, folded: usize) -> Result<(), DecodeError> {
    if count_breaks(text) == folded {
        return Ok(());
    }
    let at = text.find(BREAKS).unwrap_or_default();
    Err(DecodeError::yaml(line_at(text, at, first_line), "could not find expected ':'"))
}

/// Folds these breaks in a quoted scalar: the next-line character becomes a space, the separators stay.
pub(super) fn fold_breaks(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for part in text.split_inclusive(BREAKS) {
        let (line, end) = match part.char_indices().next_back().filter(|(_, c)| BREAKS.contains(c)) {
            Some((at, c)) => (&part[..at], Some(c)),
            None => (part, None),
        };
        let line = if folded.is_empty() { line } else { line.trim_start_matches([' ', '\t']) };
        folded.push_str(if end.is_some() { line.trim_end_matches([' ', '\t']) } else { line });
        folded.extend(end.map(|c| if c == '\u{85}' { ' ' } else { c }));
    }
    folded
}

/// Escapes that YAML 1.2 took over from JSON and kubectl refuses in YAML: `\/` and surrogate pairs.
pub(super) fn check_escapes(source: &str, line: usize) -> Result<(), DecodeError> {
    let mut characters = source.char_indices();
    while let Some((at, c)) = characters.next() {
        if c != '\\' {
            continue;
        }
        match characters.next() {
            Some((_, '/')) => {
                return Err(DecodeError::yaml(line_at(source, at, line), "found unknown escape character"));
            }
            Some((_, 'u')) if source[at + 2..].starts_with(['d', 'D']) => {
                let unit = source.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
                if unit.is_some_and(|unit| char::from_u32(unit).is_none()) {
                    let problem = "found invalid Unicode character escape code";
                    return Err(DecodeError::yaml(line_at(source, at, line), problem));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a line, counted from 1, comes after `...`.
pub(super) fn is_past_document_end(text: &str, line: usize) -> bool {
    text.lines().take(line).any(|line| line.starts_with("..."))
}

/// The lines, counted from 1, that have a tab before their content, list dashes aside. YAML 1.2 lets some of
/// them pass (empty ones, comments), kubectl none.
pub(super) fn tab_lines(text: &str) -> Vec<usize> {
    if memchr::memchr(b'\t', text.as_bytes()).is_none() {
        return Vec::new();
    }
    let is_tab_indented = |mut line: &str| {
        while let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix(' ')) {
            line = rest;
        }
        line.starts_with('\t') || line.starts_with("-\t")
    };
    text.lines().enumerate().filter(|(_, line)| is_tab_indented(line)).map(|(index, _)| index + 1).collect()
}
