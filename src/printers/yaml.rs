//! YAML as kubectl writes it, byte for byte; written from its output (tests/data/yaml-write.json).
//!
//! Owns: layout, the order of keys and the style of each scalar. Whether a string would be read back as
//! something else is `api::decode`'s to say.

mod order;
mod style;

use serde_json::{Map, Number, Value};

use crate::api::decode::{Scalar, resolve};
use crate::api::number;
use style::{Style, is_break, is_printable};

/// Lines are broken at the first space past this column.
const WIDTH: usize = 80;

const INDENT: usize = 2;

/// The longest key, in bytes, that stands on a line with its value.
const MAX_SIMPLE_KEY: usize = 128;

/// An object as `-o yaml` prints it, with the newline at its end.
pub fn to_string(value: &Value) -> String {
    let mut emitter = Emitter { output: String::with_capacity(256), column: 0 };
    emitter.node(value, Place { indent: None, after: After::LineStart });
    if !emitter.output.ends_with('\n') {
        emitter.output.push('\n');
    }
    emitter.output
}

struct Emitter {
    output: String,
    /// In characters, as the width is.
    column: usize,
}

/// Where a value is to be written.
#[derive(Clone, Copy)]
struct Place {
    /// The column of the collection around it; none at the root.
    indent: Option<usize>,
    after: After,
}

/// What stands before a value.
#[derive(Clone, Copy, PartialEq)]
enum After {
    /// Nothing.
    LineStart,
    /// `- `, or the `: ` of a key that has a line to itself: a collection begins on the same line.
    Indicator,
    /// `key:`
    Key,
}

impl Emitter {
    fn node(&mut self, value: &Value, place: Place) {
        match value {
            Value::Null => self.word("null", place),
            Value::Bool(value) => self.word(if *value { "true" } else { "false" }, place),
            Value::Number(number) => self.word(&number_text(number), place),
            Value::String(text) => {
                self.space(place);
                self.scalar(text, place.indent.map_or(INDENT, |indent| indent + INDENT), false);
            }
            Value::Array(items) if items.is_empty() => self.word("[]", place),
            Value::Object(map) if map.is_empty() => self.word("{}", place),
            Value::Array(items) => self.sequence(items, place),
            Value::Object(map) => self.mapping(map, place),
        }
    }

    fn word(&mut self, word: &str, place: Place) {
        self.space(place);
        self.put_str(word);
    }

    fn space(&mut self, place: Place) {
        if place.after == After::Key {
            self.put(' ');
        }
    }

    fn sequence(&mut self, items: &[Value], place: Place) {
        let indent = match place {
            Place { indent: None, .. } => 0,
            // A list stands at the column of the key it belongs to.
            Place { indent: Some(indent), after: After::Key } => indent,
            Place { indent: Some(indent), .. } => indent + INDENT,
        };
        for (index, item) in items.iter().enumerate() {
            if index > 0 || place.after == After::Key {
                self.start_line(indent);
            }
            self.put_str("- ");
            self.node(item, Place { indent: Some(indent), after: After::Indicator });
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, place: Place) {
        let indent = place.indent.map_or(0, |indent| indent + INDENT);
        for (index, (key, value)) in order::natural(map).into_iter().enumerate() {
            if index > 0 || place.after == After::Key {
                self.start_line(indent);
            }
            if key.len() <= MAX_SIMPLE_KEY && !key.contains(is_break) {
                self.scalar(key, indent + INDENT, true);
                self.put(':');
                self.node(value, Place { indent: Some(indent), after: After::Key });
            } else {
                self.put_str("? ");
                self.scalar(key, indent + INDENT, false);
                self.start_line(indent);
                self.put_str(": ");
                self.node(value, Place { indent: Some(indent), after: After::Indicator });
            }
        }
    }

    /// Writes a string; lines after its first begin at `indent`.
    fn scalar(&mut self, text: &str, indent: usize, is_key: bool) {
        let width = if is_key { usize::MAX } else { WIDTH };
        match style::of(text, is_key, resolves_to_string(text)) {
            Style::Plain => self.folded(text, indent, width, 0),
            Style::Single => {
                self.put('\'');
                self.folded(text, indent, width, 1);
                self.put('\'');
            }
            Style::Double => self.double_quoted(text, indent, width),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// A plain or, with `margin` 1, a single-quoted scalar: only a space between two other characters can
    /// become a line break, and never the first or last of a quoted one.
    fn folded(&mut self, text: &str, indent: usize, width: usize, margin: usize) {
        let mut previous_is_space = false;
        let mut previous_is_break = false;
        for (at, c) in text.char_indices() {
            let next = text[at + c.len_utf8()..].chars().next();
            if c == ' ' {
                let inside = margin == 0 || at > 0 && next.is_some();
                if !previous_is_space && self.column > width && inside && next != Some(' ') {
                    self.start_line(indent);
                } else {
                    self.put(' ');
                }
                previous_is_space = true;
                continue;
            }
            previous_is_space = false;
            if is_break(c) {
                self.put_break(c);
                previous_is_break = true;
                continue;
            }
            if previous_is_break {
                self.indent(indent);
                previous_is_break = false;
            }
            if margin == 1 && c == '\'' {
                self.put('\'');
            }
            self.put(c);
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, width: usize) {
        self.put('"');
        // go-yaml looks for the mark at the front of the string whichever character it is at.
        let escapes_all = text.starts_with('\u{feff}');
        let mut previous_is_space = false;
        for (at, c) in text.char_indices() {
            let next = text[at + c.len_utf8()..].chars().next();
            let folds = !previous_is_space && self.column > width && at > 0 && next.is_some();
            if c == ' ' && folds && !escapes_all {
                self.start_line(indent);
                // Folding would take a second space with it.
                if next == Some(' ') {
                    self.put('\\');
                }
                previous_is_space = true;
                continue;
            }
            previous_is_space = c == ' ';
            if is_printable(c) && !is_break(c) && !matches!(c, '"' | '\\') && !escapes_all {
                self.put(c);
            } else {
                self.put_str(&style::escape(c));
            }
        }
        self.put('"');
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with(|c| c == ' ' || is_break(c)) {
            self.put_str("2");
        }
        let mut ends = text.chars().rev();
        match (ends.next(), ends.next()) {
            (Some(last), _) if !is_break(last) => self.put('-'),
            (_, None) => self.put('+'),
            (_, Some(before)) if is_break(before) => self.put('+'),
            _ => {}
        }
        self.put_break('\n');
        let mut at_line_start = true;
        for c in text.chars() {
            if is_break(c) {
                self.put_break(c);
                at_line_start = true;
                continue;
            }
            if at_line_start {
                self.indent(indent);
                at_line_start = false;
            }
            self.put(c);
        }
    }

    /// Begins a line unless one has just begun: the text of a block ends its own last line.
    fn start_line(&mut self, indent: usize) {
        if self.column > 0 || self.output.is_empty() {
            self.put_break('\n');
        }
        self.indent(indent);
    }

    fn indent(&mut self, indent: usize) {
        for _ in self.column..indent {
            self.put(' ');
        }
    }

    fn put(&mut self, c: char) {
        self.output.push(c);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        self.output.push_str(text);
        self.column += text.chars().count();
    }

    fn put_break(&mut self, c: char) {
        self.output.push(c);
        self.column = 0;
    }
}

/// Whether a plain scalar would be read back as this string, by kubectl and by readers of YAML 1.1 that
/// still count in base 60.
fn resolves_to_string(text: &str) -> bool {
    matches!(resolve(text), Scalar::String | Scalar::Merge) && !is_sexagesimal(text)
}

/// `12:30:45.6`, with a sign or underscores.
fn is_sexagesimal(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = text.split(':');
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    starts_with_digit(first)
        && is_digits(first)
        && is_digits(fraction)
        && rest.peek().is_some()
        && rest.all(|part| match part.as_bytes() {
            [digit] => digit.is_ascii_digit(),
            [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
            _ => false,
        })
}

/// kubectl prints what it reads in JSON, where a double without a fraction is a whole number.
fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => {
            let json = number::json(float);
            match resolve(&json) {
                Scalar::Int(whole) => whole.to_string(),
                Scalar::Uint(whole) => whole.to_string(),
                _ => number::general(float),
            }
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests;
