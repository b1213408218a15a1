//! Bodies in Kubernetes' protobuf, read as the JSON that they stand for. Pure.
//!
//! One decoder reads all types: `fields.deflate` tells it what the numbers of their fields mean. It is made by
//! `protobuf/generate.py` from facts of Kubernetes' generated.proto files (NOTICE).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use crate::api::quoted::quoted;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Datelike as _, SecondsFormat};
use serde_json::{Map, Value, json};

/// The type of such a body.
pub(super) const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// What such a body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The table of all fields, packed.
const PACKED: &[u8] = include_bytes!("protobuf/fields.deflate");

/// Why a body cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Broken {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    fn too_short() -> Self {
        Self::new("unexpected EOF")
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Bytes,
    Truth,
    Int32,
    Int64,
    Quantity,
    Time,
    MicroTime,
    IntOrString,
    /// JSON, in bytes.
    Raw,
    /// A list of texts, as a message of its own.
    Texts,
    Message(usize),
}

/// How often a field holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Once. What is nothing is left out.
    Filled,
    /// Once, and nothing means something.
    Plain,
    List,
    Map,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    number: u64,
    /// As JSON calls it; a dash for a message whose fields stand where it stands.
    name: &'static str,
    shape: Shape,
    form: Form,
}

/// All messages.
#[derive(Debug, Default)]
struct Messages {
    fields: Vec<Vec<Field>>,
    /// By apiVersion and kind.
    kinds: BTreeMap<(&'static str, &'static str), usize>,
}

static MESSAGES: LazyLock<Messages> = LazyLock::new(|| {
    let text = miniz_oxide::inflate::decompress_to_vec(PACKED).expect("a packed table");
    Messages::parse(String::from_utf8(text).expect("a table of words").leak())
});

impl Messages {
    /// Reads the table: a line for each message, `= NAME [APIVERSION KIND]`, and below it one for each field.
    fn parse(text: &'static str) -> Self {
        let heads = text.lines().filter_map(|line| line.strip_prefix("= "));
        let numbers: BTreeMap<&str, usize> =
            heads.enumerate().map(|(at, head)| (head.split(' ').next().unwrap_or_default(), at)).collect();
        let mut found = Self::default();
        for line in text.lines() {
            let words: Vec<&'static str> = line.split(' ').collect();
            match *words.as_slice() {
                ["=", _, ref kind @ ..] => {
                    if let [version, kind] = *kind {
                        found.kinds.insert((version, kind), found.fields.len());
                    }
                    found.fields.push(Vec::new());
                }
                [number, name, form, ref leads_to @ ..] => {
                    let leads_to = leads_to.first().and_then(|name| numbers.get(name)).copied();
                    let field = Field::parse(number, name, form, leads_to);
                    found.fields.last_mut().expect("a field of a message").push(field);
                }
                _ => unreachable!("the table has no such line"),
            }
        }
        found
    }
}

impl Field {
    fn parse(number: &str, name: &'static str, form: &str, leads_to: Option<usize>) -> Self {
        let shapes = [("?", Shape::Filled), ("[]", Shape::List), ("{}", Shape::Map), ("", Shape::Plain)];
        let (form, shape) = shapes
            .into_iter()
            .find_map(|(sign, shape)| form.strip_prefix(sign).map(|form| (form, shape)))
            .expect("a shape");
        let form = match form {
            "string" => Form::Text,
            "bytes" => Form::Bytes,
            "bool" => Form::Truth,
            "int32" => Form::Int32,
            "int64" => Form::Int64,
            "quantity" => Form::Quantity,
            "time" => Form::Time,
            "microtime" => Form::MicroTime,
            "intorstring" => Form::IntOrString,
            "raw" => Form::Raw,
            "strings" => Form::Texts,
            _ => Form::Message(leads_to.expect("a message that is in the table")),
        };
        Self { number: number.parse().expect("a number"), name, shape, form }
    }
}

/// What a field is written as.
#[derive(Clone, Copy, Debug)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a length that none of our fields has.
    Other,
}

impl<'a> Wire<'a> {
    fn bytes(self) -> Result<&'a [u8], Broken> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(Broken::new("proto: wrong wireType for a field")),
        }
    }

    fn number(self) -> Result<u64, Broken> {
        match self {
            Self::Number(number) => Ok(number),
            _ => Err(Broken::new("proto: wrong wireType for a field")),
        }
    }

    fn text(self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Broken::new("a text is not UTF-8"))
    }
}

/// Takes a number off the front.
fn varint(bytes: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(Broken::too_short)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(Broken::new("proto: integer overflow"))
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], Broken> {
    let length = usize::try_from(length).map_err(|_| Broken::too_short())?;
    let (taken, rest) = bytes.split_at_checked(length).ok_or_else(Broken::too_short)?;
    *bytes = rest;
    Ok(taken)
}

/// Takes a field off the front: its number, and what it holds.
fn next<'a>(bytes: &mut &'a [u8]) -> Result<Option<(u64, Wire<'a>)>, Broken> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let tag = varint(bytes)?;
    let number = tag >> 3;
    let wire = match tag & 7 {
        0 => Wire::Number(varint(bytes)?),
        1 => take(bytes, 8).map(|_| Wire::Other)?,
        2 => {
            let length = varint(bytes)?;
            Wire::Bytes(take(bytes, length)?)
        }
        5 => take(bytes, 4).map(|_| Wire::Other)?,
        other => return Err(Broken::new(format!("proto: illegal wireType {other}"))),
    };
    if number == 0 {
        return Err(Broken::new(format!("proto: illegal tag {number} (wire type {})", tag & 7)));
    }
    Ok(Some((number, wire)))
}

/// The last of each of the first fields of a message; others are of no interest.
fn first_fields<const MANY: usize>(mut bytes: &[u8]) -> Result<[Option<Wire<'_>>; MANY], Broken> {
    let mut found = [None; MANY];
    while let Some((number, wire)) = next(&mut bytes)? {
        let place = usize::try_from(number - 1).ok().and_then(|at| found.get_mut(at));
        if let Some(place) = place {
            *place = Some(wire);
        }
    }
    Ok(found)
}

/// Reads a body as the object that it is, with its kind and apiVersion. One that does not say what it is, is what is `wanted`: an
/// apiVersion and a kind.
///
/// # Errors
/// What is no such body, or of a kind that is not ours.
pub(super) fn decode(body: &[u8], wanted: (&str, &str)) -> Result<Value, Broken> {
    let Some(envelope) = body.strip_prefix(MAGIC) else {
        let why = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
        return Err(Broken::new(why));
    };
    let [type_meta, raw] = first_fields(envelope)?;
    let [version, kind] = match type_meta {
        Some(type_meta) => first_fields(type_meta.bytes()?)?,
        None => [None; 2],
    };
    let said = |word: Option<Wire<'_>>| {
        let word = word.map(|word| word.text().map(str::to_owned)).transpose()?;
        Ok::<_, Broken>(word.filter(|word| !word.is_empty()))
    };
    let version = said(version)?.unwrap_or_else(|| wanted.0.to_owned());
    let kind = said(kind)?.unwrap_or_else(|| wanted.1.to_owned());
    // Every group has these options, and they are the same.
    let known = if kind == "DeleteOptions" { ("v1", "DeleteOptions") } else { (&*version, &*kind) };
    let Some(message) = MESSAGES.kinds.get(&known) else {
        let why = format!(
            "no kind {kind} is registered for version {version} in scheme",
            kind = quoted(&kind),
            version = quoted(&version)
        );
        return Err(Broken::new(format!("{why} \"pkg/api/legacyscheme/scheme.go:30\"")));
    };
    let mut object = Map::new();
    if let Some(raw) = raw {
        read_message(*message, raw.bytes()?, &mut object)?;
    }
    object.insert("apiVersion".into(), json!(version));
    object.insert("kind".into(), json!(kind));
    Ok(Value::Object(object))
}

/// Reads a message into an object. No message holds one of its own type: how deep they stand in each other has a bound.
fn read_message(message: usize, mut bytes: &[u8], object: &mut Map<String, Value>) -> Result<(), Broken> {
    let fields = &MESSAGES.fields[message];
    while let Some((number, wire)) = next(&mut bytes)? {
        if let Some(field) = fields.iter().find(|field| field.number == number) {
            read_field(field, wire, object)?;
        }
    }
    Ok(())
}

fn read_field(field: &Field, wire: Wire<'_>, object: &mut Map<String, Value>) -> Result<(), Broken> {
    let name = field.name;
    match (field.shape, field.form) {
        (Shape::Plain, Form::Message(message)) if name == "-" => read_message(message, wire.bytes()?, object),
        // What comes in parts is put together.
        (Shape::Plain, Form::Message(message)) => match object.entry(name).or_insert_with(|| json!({})) {
            Value::Object(inner) => read_message(message, wire.bytes()?, inner),
            _ => unreachable!("a field holds what its form says"),
        },
        (Shape::Plain | Shape::Filled, form) => {
            let value = read_value(form, wire)?;
            let is_nothing = value == json!("") || value == json!(0) || value == json!(false);
            if field.shape == Shape::Filled && is_nothing {
                object.remove(name);
            } else {
                object.insert(name.into(), value);
            }
            Ok(())
        }
        (Shape::List, form) => {
            let Value::Array(list) = object.entry(name).or_insert_with(|| json!([])) else {
                unreachable!("a field holds what its shape says")
            };
            match (form, wire) {
                // Numbers may come one by one, or many at once.
                (Form::Int32 | Form::Int64 | Form::Truth, Wire::Bytes(mut packed)) => {
                    while !packed.is_empty() {
                        list.push(read_value(form, Wire::Number(varint(&mut packed)?))?);
                    }
                }
                _ => list.push(read_value(form, wire)?),
            }
            Ok(())
        }
        (Shape::Map, form) => {
            let [key, value] = first_fields(wire.bytes()?)?;
            let key = key.map(Wire::text).transpose()?.unwrap_or_default();
            let value = value.map_or_else(|| Ok(nothing(form)), |value| read_value(form, value))?;
            let Value::Object(map) = object.entry(name).or_insert_with(|| json!({})) else {
                unreachable!("a field holds what its shape says")
            };
            map.insert(key.into(), value);
            Ok(())
        }
    }
}

/// What stands in a map under a key that has no value.
fn nothing(form: Form) -> Value {
    match form {
        Form::Truth => json!(false),
        Form::Int32 | Form::Int64 | Form::IntOrString => json!(0),
        Form::Quantity => json!("0"),
        Form::Text | Form::Bytes => json!(""),
        Form::Time | Form::MicroTime | Form::Raw => Value::Null,
        Form::Texts => json!([]),
        Form::Message(_) => json!({}),
    }
}

fn read_value(form: Form, wire: Wire<'_>) -> Result<Value, Broken> {
    Ok(match form {
        Form::Text => json!(wire.text()?),
        Form::Bytes => json!(BASE64_STANDARD.encode(wire.bytes()?)),
        Form::Truth => json!(wire.number()? != 0),
        Form::Int32 => json!(as_int32(wire.number()?)),
        Form::Int64 => json!(wire.number()?.cast_signed()),
        Form::Quantity => {
            let [text] = first_fields(wire.bytes()?)?;
            let text = text.map(Wire::text).transpose()?.unwrap_or_default();
            if text.is_empty() { nothing(form) } else { json!(text) }
        }
        Form::Time | Form::MicroTime => read_time(form, wire.bytes()?)?,
        Form::IntOrString => {
            let [is_text, number, text] = first_fields(wire.bytes()?)?;
            match is_text.map(Wire::number).transpose()?.unwrap_or_default() {
                0 => json!(as_int32(number.map(Wire::number).transpose()?.unwrap_or_default())),
                _ => json!(text.map(Wire::text).transpose()?.unwrap_or_default()),
            }
        }
        Form::Raw => {
            let [text] = first_fields(wire.bytes()?)?;
            match text.map(Wire::bytes).transpose()?.unwrap_or_default() {
                [] => Value::Null,
                text => serde_json::from_slice(text)
                    .map_err(|error| Broken::new(format!("json parse error: {error}")))?,
            }
        }
        Form::Texts => {
            let (mut list, mut bytes) = (Vec::new(), wire.bytes()?);
            while let Some((number, text)) = next(&mut bytes)? {
                if number == 1 {
                    list.push(json!(text.text()?));
                }
            }
            Value::Array(list)
        }
        Form::Message(message) => {
            let mut object = Map::new();
            read_message(message, wire.bytes()?, &mut object)?;
            Value::Object(object)
        }
    })
}

/// The lower half: what upstream makes of a number that is too large.
#[allow(clippy::cast_possible_truncation, reason = "upstream cuts it off, too")]
fn as_int32(number: u64) -> i32 {
    number as i32
}

/// A time as JSON writes it: null for none, and seconds only where the type has no more.
fn read_time(form: Form, bytes: &[u8]) -> Result<Value, Broken> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let [seconds, nanos] = first_fields(bytes)?;
    let seconds = seconds.map(Wire::number).transpose()?.unwrap_or_default().cast_signed();
    let nanos = nanos.map(Wire::number).transpose()?.unwrap_or_default();
    let (nanos, digits) = match form {
        Form::MicroTime => (nanos, SecondsFormat::Micros),
        _ => (0, SecondsFormat::Secs),
    };
    u32::try_from(nanos)
        .ok()
        .and_then(|nanos| DateTime::from_timestamp(seconds, nanos))
        .filter(|time| (0..=9999).contains(&time.year()))
        .map(|time| json!(time.to_rfc3339_opts(digits, true)))
        .ok_or_else(|| Broken::new("a time is in no year from 0 to 9999"))
}

#[cfg(test)]
mod tests;
