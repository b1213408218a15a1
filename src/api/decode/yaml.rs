//! One YAML document -> one JSON value, from the parser's events. Iterative: nesting costs heap, not stack.

use std::borrow::Cow;
use std::collections::HashMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle};
use serde_json::{Map, Value};

use super::budget::{self, Budget, Exceeded};
use super::{DecodeError, DuplicateField, MAX_DEPTH, MAX_DUPLICATE_FIELDS, Parsed, json};

mod problem;
mod repair;
mod tag;
mod text;

use tag::Resolved;

use crate::api::quoted::quoted;

/// A document, once read.
pub(super) struct Composed {
    pub(super) parsed: Parsed,
    /// Something follows the end of the document, where kubectl stops reading without a word.
    pub(super) ignored: Option<DecodeError>,
}

/// How much text is read again, all repairs of a document together.
const MAX_REPAIRED: usize = 32 << 20;

/// Reads the only document of a text whose first line is `first_line` of the manifest.
pub(super) fn compose(text: &str, first_line: usize) -> Result<Composed, DecodeError> {
    text::check(text, first_line)?;
    let mut text = Cow::Borrowed(text);
    let mut read = 0;
    loop {
        let failure = match Composer::new(&text, first_line).compose() {
            Ok(composed) => return Ok(composed),
            Err(failure) => failure,
        };
        read += text.len();
        let repaired = match &failure {
            Failure::Parser(error) if read < MAX_REPAIRED => repair::repair(error, &text),
            _ => None,
        };
        match (repaired, failure) {
            (Some(repaired), _) => text = Cow::Owned(repaired),
            (None, Failure::Parser(error)) => return Err(problem::describe(&error, &text, first_line)),
            (None, Failure::Decode(error)) => return Err(error),
        }
    }
}

/// Why a document was not composed: the parser stopped, or what it found means nothing.
enum Failure {
    Parser(ScanError),
    Decode(DecodeError),
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Failure::Decode(error)
    }
}

fn options() -> Options {
    granit_parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

fn content_after_end(line: usize) -> DecodeError {
    DecodeError::yaml(
        line,
        "found content after the end of the document (kubectl drops it; begin it with ---)",
    )
}

struct Composer<'a> {
    text: &'a str,
    first_line: usize,
    budget: Budget,
    anchors: HashMap<usize, Anchored>,
    stack: Vec<Open>,
    document: Option<Value>,
    duplicates: Vec<Duplicate>,
    /// Line breaks of YAML 1.1 that were found where they can be folded.
    folded_breaks: usize,
    /// Lines that a tab indents, unless a scalar turns out to hold them.
    tab_lines: Vec<usize>,
}

/// A key that a map has twice, both written.
struct Duplicate {
    path: String,
    name: String,
    first_line: usize,
    second_line: usize,
}

impl From<Duplicate> for DuplicateField {
    fn from(duplicate: Duplicate) -> Self {
        let Duplicate { path, name, first_line, second_line } = duplicate;
        let problem = format!("key {} already set in map (first at line {first_line})", quoted(&name));
        DuplicateField { path, place: Some(DecodeError::yaml(second_line, problem)) }
    }
}

/// A value that aliases may repeat.
struct Anchored {
    value: Value,
    weight: usize,
}

/// A collection that has not ended yet.
struct Open {
    is_flow: bool,
    anchor: usize,
    line: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Value>),
    Mapping { key: Option<Key>, entries: Vec<Entry> },
}

enum Key {
    Name { name: String, line: usize },
    Merge { line: usize },
}

struct Entry {
    name: String,
    value: Value,
    /// The line of the key; none when a merge brought it.
    line: Option<usize>,
}

impl<'a> Composer<'a> {
    fn new(text: &'a str, first_line: usize) -> Self {
        Composer {
            text,
            first_line,
            budget: Budget::default(),
            anchors: HashMap::new(),
            stack: Vec::new(),
            document: None,
            duplicates: Vec::new(),
            folded_breaks: 0,
            tab_lines: text::tab_lines(text),
        }
    }

    fn compose(mut self) -> Result<Composed, Failure> {
        let mut ignored = None;
        for event in Parser::new_from_str_with_options(self.text, options()) {
            let (event, span) = match event {
                Ok(found) => found,
                Err(error) => {
                    let line = error.marker().line();
                    if self.document.is_none() || !text::is_past_document_end(self.text, line) {
                        return Err(Failure::Parser(error));
                    }
                    ignored = Some(content_after_end(self.line(line)));
                    break;
                }
            };
            if self.document.is_some() && matches!(event, Event::DocumentStart(..)) {
                ignored = Some(content_after_end(self.line(span.start.line())));
                break;
            }
            self.take(event, &span)?;
        }
        if ignored.is_none() {
            text::check_breaks(self.text, self.first_line, self.folded_breaks)?;
            if let Some(line) = self.tab_lines.first() {
                return Err(DecodeError::yaml(self.line(*line), problem::of_tab(self.text, *line)).into());
            }
        }
        self.duplicates.sort_by_key(|duplicate| duplicate.second_line);
        let duplicate_fields = self.duplicates.into_iter().map(DuplicateField::from).collect();
        Ok(Composed {
            parsed: Parsed { value: self.document.unwrap_or_default(), duplicate_fields },
            ignored,
        })
    }

    fn line(&self, line_in_text: usize) -> usize {
        self.first_line + line_in_text.saturating_sub(1)
    }

    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), DecodeError> {
        let line = self.line(span.start.line());
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                if style != ScalarStyle::Plain {
                    let lines = span.start.line() + 1..=span.end.line();
                    self.tab_lines.retain(|line| !lines.contains(line));
                }
                if style == ScalarStyle::Plain {
                    self.check_plain(&value, span, line)?;
                }
                let value = self.written(&value, style, span, line)?;
                let resolved = tag::scalar(&value, style, tag.as_deref())
                    .map_err(|problem| DecodeError::yaml(line, problem))?;
                self.scalar(resolved, anchor, line)
            }
            Event::SequenceStart(style, anchor, _) => {
                let is_flow = style == StructureStyle::Flow;
                self.open(Open { is_flow, anchor, line, content: Content::Sequence(Vec::new()) })
            }
            Event::MappingStart(style, anchor, _) => {
                let is_flow = style == StructureStyle::Flow;
                self.budget.take_map().map_err(|exceeded| too_much(line, &exceeded))?;
                self.open(Open {
                    is_flow,
                    anchor,
                    line,
                    content: Content::Mapping { key: None, entries: Vec::new() },
                })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let Some(Anchored { value, weight }) = self.anchors.get(&anchor) else {
                    let name = span.slice(self.text).unwrap_or_default().trim_start_matches('*');
                    return Err(DecodeError::yaml(line, format!("anchor '{name}' value contains itself")));
                };
                let (value, weight) = (value, *weight);
                self.budget.take_copy(weight).map_err(|exceeded| too_much(line, &exceeded))?;
                let value = value.clone();
                self.alias(value, line)
            }
            Event::UnresolvedAlias(name) => {
                Err(DecodeError::yaml(line, format!("unknown anchor '{name}' referenced")))
            }
            Event::Anchor(_, name) if !name.chars().all(is_anchor_character) => {
                Err(DecodeError::yaml(line, "did not find expected alphabetic or numeric character"))
            }
            _ => Ok(()),
        }
    }

    /// Inside brackets YAML 1.1 ends a plain scalar at `?`, so that `{url: http://x/?y}` cannot be read, and
    /// does not end one at `:`, so that the key of `{a:}` is `a:`, which nobody means.
    fn check_plain(&self, value: &str, span: &Span, line: usize) -> Result<(), DecodeError> {
        if !self.stack.last().is_some_and(|open| open.is_flow) {
            return Ok(());
        }
        if value.contains('?') {
            return Err(DecodeError::yaml(line, "did not find expected ',' (quote a value that has a ?)"));
        }
        let rest = span.end.byte_offset().and_then(|end| self.text.get(end..)).unwrap_or_default();
        // A comma is missing, or a key has two lines: neither is read by kubectl.
        let is_key = self.awaits_key() && rest.trim_start_matches(' ').starts_with(':');
        if is_key && span.start.line() != span.end.line() {
            return Err(DecodeError::yaml(line, "did not find expected ',' or '}'"));
        }
        match rest.strip_prefix(':') {
            Some(rest) if self.awaits_key() && rest.starts_with([',', ']', '}']) => {
                Err(DecodeError::yaml(line, "found a ':' that is not followed by a space"))
            }
            _ => Ok(()),
        }
    }

    /// The scalar as go-yaml would read it from the same text.
    fn written(
        &mut self,
        value: &str,
        style: ScalarStyle,
        span: &Span,
        line: usize,
    ) -> Result<String, DecodeError> {
        if !matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
            return Ok(value.to_owned());
        }
        let source = span.slice(self.text).unwrap_or_default();
        if style == ScalarStyle::DoubleQuoted {
            text::check_escapes(source, line)?;
        }
        let breaks = text::count_breaks(source);
        self.folded_breaks += breaks;
        Ok(if breaks > 0 { text::fold_breaks(value) } else { value.to_owned() })
    }

    fn scalar(&mut self, resolved: Resolved, anchor: usize, line: usize) -> Result<(), DecodeError> {
        if self.awaits_key() {
            let key = match resolved {
                Resolved::Merge => Key::Merge { line },
                other => Key::Name {
                    name: other.into_key().map_err(|problem| DecodeError::conversion(line, problem))?,
                    line,
                },
            };
            if let Key::Name { name, .. } = &key {
                self.budget.take_key(name).map_err(|exceeded| too_much(line, &exceeded))?;
                self.remember(anchor, &Value::from(name.as_str()), line)?;
            }
            self.set_key(key);
            return Ok(());
        }
        let value = resolved.into_value().map_err(|problem| DecodeError::conversion(line, problem))?;
        self.budget.take(&value).map_err(|exceeded| too_much(line, &exceeded))?;
        self.remember(anchor, &value, line)?;
        self.put(value)
    }

    fn alias(&mut self, value: Value, line: usize) -> Result<(), DecodeError> {
        if !self.awaits_key() {
            return self.put(value);
        }
        let name = match value {
            Value::String(name) => name,
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => return Err(DecodeError::yaml(line, "invalid map key")),
        };
        self.set_key(Key::Name { name, line });
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }))
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Open { content: Content::Mapping { key, .. }, .. }) = self.stack.last_mut() {
            *key = Some(new);
        }
    }

    fn open(&mut self, open: Open) -> Result<(), DecodeError> {
        if self.awaits_key() {
            let problem = match open.content {
                Content::Sequence(_) => "invalid map key: a list",
                Content::Mapping { .. } => "invalid map key: a map (quote a value that begins with {)",
            };
            return Err(DecodeError::yaml(open.line, problem));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(DecodeError::yaml(open.line, format!("exceeded max depth of {MAX_DEPTH}")));
        }
        self.stack.push(open);
        Ok(())
    }

    fn close(&mut self) -> Result<(), DecodeError> {
        // The parser never ends what it has not begun.
        let Some(Open { anchor, line, content, .. }) = self.stack.pop() else { return Ok(()) };
        let value = match content {
            Content::Sequence(items) => {
                let value = Value::Array(items);
                self.budget.take(&value).map_err(|exceeded| too_much(line, &exceeded))?;
                value
            }
            Content::Mapping { entries, .. } => Value::Object(self.map_of(entries)),
        };
        self.remember(anchor, &value, line)?;
        self.put(value)
    }

    /// The last of equal names counts, so that a merge wins over a key written before it, as with kubectl.
    /// Two keys that were both written are a mistake: kubectl keeps the second and says nothing.
    fn map_of(&mut self, mut entries: Vec<Entry>) -> Map<String, Value> {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for same in entries.chunk_by(|a, b| a.name == b.name) {
            let mut lines = same.iter().filter_map(|entry| entry.line);
            if let (Some(first_line), Some(second_line)) = (lines.next(), lines.next())
                && self.duplicates.len() < MAX_DUPLICATE_FIELDS
            {
                let name = same[0].name.clone();
                let path = self.path_of(&name);
                self.duplicates.push(Duplicate { path, name, first_line, second_line });
            }
        }
        entries.into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    /// Where a key of the map stands that has just ended.
    fn path_of(&self, name: &str) -> String {
        let mut path = String::new();
        for open in &self.stack {
            match &open.content {
                Content::Sequence(items) => path.push_str(&format!("[{}]", items.len())),
                Content::Mapping { key: Some(Key::Name { name, .. }), .. } => {
                    path.push_str(&format!(".{name}"));
                }
                Content::Mapping { .. } => {}
            }
        }
        path.push_str(&format!(".{name}"));
        path.trim_start_matches('.').to_owned()
    }

    /// Keeps a copy of what has an anchor, which is number 0 where there is none.
    fn remember(&mut self, anchor: usize, value: &Value, line: usize) -> Result<(), DecodeError> {
        if anchor != 0 {
            let weight = budget::weight(value);
            self.budget.take_copy(weight).map_err(|exceeded| too_much(line, &exceeded))?;
            self.anchors.insert(anchor, Anchored { value: value.clone(), weight });
        }
        Ok(())
    }

    fn put(&mut self, value: Value) -> Result<(), DecodeError> {
        match self.stack.last_mut().map(|open| &mut open.content) {
            None => self.document = Some(value),
            Some(Content::Sequence(items)) => items.push(value),
            Some(Content::Mapping { key, entries }) => match key.take() {
                Some(Key::Name { name, line }) => entries.push(Entry { name, value, line: Some(line) }),
                Some(Key::Merge { line }) => merge(value, line, entries)?,
                // Keys go to `set_key`.
                None => {}
            },
        }
        Ok(())
    }
}

/// YAML 1.2 allows more, and then `&a:b c` means something else.
fn is_anchor_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

fn too_much(line: usize, exceeded: &Exceeded) -> DecodeError {
    DecodeError::yaml(line, exceeded.message())
}

/// The earlier map of a list has the last word, so it is added last.
fn merge(value: Value, line: usize, entries: &mut Vec<Entry>) -> Result<(), DecodeError> {
    let maps = match value {
        Value::Object(map) => vec![Value::Object(map)],
        Value::Array(items) => items,
        _ => vec![value],
    };
    for map in maps.into_iter().rev() {
        let Value::Object(map) = map else {
            return Err(DecodeError::yaml(line, "map merge requires map or sequence of maps as the value"));
        };
        entries.extend(map.into_iter().map(|(name, value)| Entry { name, value, line: None }));
    }
    Ok(())
}

/// A double as kubectl hands it on.
fn number(float: f64) -> Result<Value, String> {
    if float.is_finite() {
        return Ok(json::float(float));
    }
    let name = if float.is_nan() {
        "NaN"
    } else if float > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    };
    Err(format!("json: unsupported value: {name}"))
}
