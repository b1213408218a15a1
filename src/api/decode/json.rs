//! JSON values, with what serde_json lets pass told: a field given twice.

pub(super) mod syntax;

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::budget::Budget;
use super::{DecodeError, DuplicateField, MAX_DUPLICATE_FIELDS, Parsed};

/// The first JSON value of a text, and where it ends. None: only white space is left. `line` and `offset` are where the
/// text begins.
pub(super) fn first(text: &str, line: usize, offset: usize) -> Option<Result<(Parsed, usize), DecodeError>> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let raw = match values.next()? {
        Ok(raw) => raw,
        Err(error) => {
            let error = syntax_error(&error, line);
            return Some(Err(match syntax::problem(text) {
                Some(syntax::Problem::Character(bytes, problem)) => {
                    DecodeError::new(error.line, format!("json: offset {}: {problem}", offset + bytes))
                }
                Some(syntax::Problem::End) => DecodeError::new(error.line, "unexpected EOF"),
                // Sound as far as it goes, and yet too much: nested too deep, for instance.
                None => error,
            }));
        }
    };
    let end = values.byte_offset();
    let start = end - raw.get().len();
    let line = line + text[..start].matches('\n').count();
    Some(value(raw.get(), line).map(|parsed| (parsed, end)))
}

/// Whether a text begins with a value that is sound JSON, be it more than can be read here.
pub(super) fn is_sound(text: &str) -> bool {
    syntax::problem(text).is_none()
}

fn value(text: &str, line: usize) -> Result<Parsed, DecodeError> {
    let mut state = State::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Reading { state: &mut state }
        .deserialize(&mut deserializer)
        .map_err(|error| syntax_error(&error, line))?;
    Ok(Parsed { value, duplicate_fields: state.duplicate_fields })
}

fn syntax_error(error: &serde_json::Error, first_line: usize) -> DecodeError {
    let line = first_line + error.line().saturating_sub(1);
    let text = error.to_string();
    // serde_json counts lines within what it was given.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let problem = text.strip_suffix(&place).unwrap_or(&text);
    DecodeError::new(line, format!("json: line {line}, column {}: {problem}", error.column()))
}

/// A whole number stays one however it is written: kubectl sends `1e3` as 1000. One past what an i64 holds
/// comes out with the digits that a double keeps of it.
pub(super) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 2e19 {
        let digits = if number == 0.0 { "0".to_owned() } else { number.to_string() };
        let whole =
            digits.parse::<i64>().map(Value::from).or_else(|_| digits.parse::<u64>().map(Value::from));
        if let Ok(whole) = whole {
            return whole;
        }
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[derive(Default)]
struct State {
    budget: Budget,
    path: Vec<Step>,
    duplicate_fields: Vec<DuplicateField>,
}

impl State {
    fn tell_duplicate(&mut self) {
        if self.duplicate_fields.len() < MAX_DUPLICATE_FIELDS {
            self.duplicate_fields.push(DuplicateField { path: render(&self.path), place: None });
        }
    }
}

enum Step {
    Field(String),
    Index(usize),
}

struct Reading<'a> {
    state: &'a mut State,
}

impl Reading<'_> {
    fn leaf<E: Error>(self, value: Value) -> Result<Value, E> {
        self.state.budget.take(&value).map_err(|exceeded| E::custom(exceeded.message()))?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.leaf(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.leaf(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        // kubectl makes a double of it too.
        self.leaf(i64::try_from(value).map_or_else(|_| float(value as f64), Value::from))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.leaf(float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.leaf(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.state.path.push(Step::Index(items.len()));
            match access.next_element_seed(Reading { state: &mut *self.state })? {
                Some(item) => items.push(item),
                None => break,
            }
            self.state.path.pop();
        }
        self.state.path.pop();
        self.leaf(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let exceeded = |exceeded: super::budget::Exceeded| A::Error::custom(exceeded.message());
        self.state.budget.take_map().map_err(exceeded)?;
        while let Some(key) = access.next_key::<String>()? {
            self.state.budget.take_key(&key).map_err(exceeded)?;
            self.state.path.push(Step::Field(key.clone()));
            if map.contains_key(&key) {
                self.state.tell_duplicate();
            }
            let value = access.next_value_seed(Reading { state: &mut *self.state })?;
            self.state.path.pop();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

fn render(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Field(name) => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
        }
    }
    text
}
