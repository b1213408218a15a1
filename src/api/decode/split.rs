//! A stream of bytes -> its documents, at the places where kubectl cuts it.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde_json::Value;

use super::{DecodeError, MAX_MANIFEST_BYTES, MAX_OBJECTS, Parsed, json, yaml};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The documents of a manifest, read one at a time. See [`super::documents`].
pub struct Documents<'a> {
    text: Cow<'a, str>,
    /// Where the next document begins.
    offset: usize,
    /// The line at that offset.
    line: usize,
    syntax: Syntax,
    /// Values of JSON were read already.
    is_json: bool,
    /// How many documents in YAML were read, with those that hold nothing.
    composed: usize,
    /// What is known already and comes before anything else is read.
    pending: VecDeque<Result<Parsed, DecodeError>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Syntax {
    Json,
    Yaml,
    /// Nothing more can be told apart.
    End,
}

/// A stretch of text between two separators.
struct Chunk {
    start: usize,
    end: usize,
    line: usize,
    /// A `---` with something after it closed the chunk.
    bad_separator: Option<DecodeError>,
}

impl<'a> Documents<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let refused = |error| Documents {
            text: Cow::Borrowed(""),
            offset: 0,
            line: 1,
            syntax: Syntax::End,
            is_json: false,
            composed: 0,
            pending: VecDeque::from([Err(error)]),
        };
        if bytes.len() > MAX_MANIFEST_BYTES {
            let limit = MAX_MANIFEST_BYTES >> 20;
            return refused(DecodeError::new(None, format!("manifest is larger than {limit} MiB")));
        }
        let text = match decode(bytes) {
            Ok(text) => text,
            Err(error) => return refused(error),
        };
        let offset = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        let syntax = if text[offset..].trim_start().starts_with('{') { Syntax::Json } else { Syntax::Yaml };
        Documents { text, offset, line: 1, syntax, is_json: false, composed: 0, pending: VecDeque::new() }
    }

    /// JSON values follow each other with or without white space. What turns out not to be JSON may still be
    /// YAML that begins with a brace and a plain key, or YAML documents after a `---`: newer kubectls read both.
    fn next_json(&mut self) -> Option<Result<Parsed, DecodeError>> {
        let rest = &self.text[self.offset..];
        match json::first(rest, self.line, self.offset)? {
            Ok((parsed, end)) => {
                self.line += rest[..end].matches('\n').count();
                self.offset += end;
                self.is_json = true;
                Some(Ok(parsed))
            }
            Err(error) => self.leave_json(error),
        }
    }

    /// Goes on in YAML where that can be meant: from a separator on, or from a brace that begins the stream.
    fn leave_json(&mut self, error: DecodeError) -> Option<Result<Parsed, DecodeError>> {
        let rest = self.text[self.offset..].trim_start();
        // The first key tells what it was meant to be: YAML would make a word of a `true` that is misspelt. What is only
        // nested deeper than the one parser goes is read by the other.
        let has_quoted_key =
            rest.strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']));
        let is_bad_json = has_quoted_key && !json::is_sound(rest);
        let begins_mapping = rest.starts_with('{') && !self.is_json && !is_bad_json;
        if !begins_mapping && !rest.starts_with("---") {
            self.syntax = Syntax::End;
            return Some(Err(error));
        }
        self.syntax = Syntax::Yaml;
        self.next_yaml()
    }

    fn next_yaml(&mut self) -> Option<Result<Parsed, DecodeError>> {
        while self.offset < self.text.len() {
            // Nothing stands between two separators: a file of these alone is soon read.
            while self.text.as_bytes()[self.offset..].starts_with(b"---\n") {
                self.offset += 4;
                self.line += 1;
            }
            let chunk = self.next_chunk();
            let text = &self.text[chunk.start..chunk.end];
            let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
            if says_nothing(text) && chunk.bad_separator.is_none() {
                // A parser for each would take half a minute for a file of nothing but separators.
                continue;
            }
            self.composed += 1;
            if self.composed > MAX_OBJECTS {
                self.syntax = Syntax::End;
                let problem = format!("more than {MAX_OBJECTS} documents");
                return Some(Err(DecodeError::new(chunk.line, problem)));
            }
            match yaml::compose(text, chunk.line) {
                Ok(composed) => {
                    if composed.parsed.value != Value::Null {
                        self.pending.push_back(Ok(composed.parsed));
                    }
                    self.pending.extend(composed.ignored.map(Err));
                }
                Err(error) => self.pending.push_back(Err(error)),
            }
            self.pending.extend(chunk.bad_separator.map(Err));
            if let Some(first) = self.pending.pop_front() {
                return Some(first);
            }
        }
        None
    }

    /// Cuts at the next line that begins with `---`, wherever it stands: a quoted scalar is cut as well.
    fn next_chunk(&mut self) -> Chunk {
        let mut chunk = Chunk { start: self.offset, end: self.offset, line: self.line, bad_separator: None };
        while self.offset < self.text.len() {
            let rest = &self.text[self.offset..];
            let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            let line = &rest[..length];
            let number = self.line;
            self.offset += length;
            self.line += 1;
            if let Some(after) = line.strip_prefix("---") {
                let after = after.trim();
                if !after.is_empty() && !after.starts_with('#') {
                    chunk.bad_separator = Some(DecodeError::new(
                        number,
                        format!("invalid Yaml document separator: {after} (line {number})"),
                    ));
                    self.skip_document();
                }
                return chunk;
            }
            chunk.end = self.offset;
        }
        chunk
    }

    /// What follows a bad separator cannot be told from a part of it.
    fn skip_document(&mut self) {
        while self.offset < self.text.len() && !self.text[self.offset..].starts_with("---") {
            let rest = &self.text[self.offset..];
            self.offset += memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
            self.line += 1;
        }
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Parsed, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(known) = self.pending.pop_front() {
            return Some(known);
        }
        match self.syntax {
            Syntax::Json => self.next_json(),
            Syntax::Yaml => self.next_yaml(),
            Syntax::End => None,
        }
    }
}

/// Whether a text is nothing but empty lines and comments.
fn says_nothing(text: &str) -> bool {
    text.split('\n')
        .map(|line| line.trim_matches([' ', '\r']))
        .all(|line| line.is_empty() || line.starts_with('#'))
}

/// UTF-8, or UTF-16 that says so, as editors of other systems write it.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, DecodeError> {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units =
            bytes[2..].chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or_default()]));
        char::decode_utf16(units).collect::<Result<String, _>>().map(Cow::Owned)
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes).map_err(|_| not_text("UTF-16", 1)),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes).map_err(|_| not_text("UTF-16", 1)),
        _ => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| {
            let line = 1 + memchr::memchr_iter(b'\n', &bytes[..error.valid_up_to()]).count();
            not_text("UTF-8", line)
        }),
    }
}

fn not_text(encoding: &str, line: usize) -> DecodeError {
    DecodeError::new(line, format!("error converting YAML to JSON: yaml: line {line}: not valid {encoding}"))
}
