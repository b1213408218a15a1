//! What a scalar is, by its tag or by its looks.

use granit_parser::{ScalarStyle, Tag};
use serde_json::Value;

use super::number;
use crate::api::decode::base64::decode;
use crate::api::decode::{Scalar, resolve};

const CORE: &str = "tag:yaml.org,2002:";

/// A scalar that may still become a key or a value.
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(String),
    /// `<<` where it merges.
    Merge,
}

/// Resolves a scalar; the error is go-yaml's problem text.
pub(super) fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Resolved, String> {
    let tag = tag.map(|tag| {
        let (handle, suffix) = tag.parts();
        let full = format!("{handle}{suffix}");
        full.strip_prefix(CORE).map_or(full.clone(), |short| format!("!!{short}"))
    });
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => accept(resolve(text), text),
            _ => Resolved::Text(text.to_owned()),
        });
    };
    match tag.as_str() {
        "!!int" | "!!float" | "!!bool" | "!!null" | "!!timestamp" => {
            let found = resolve(text);
            match &found {
                Scalar::Int(number) if tag == "!!float" => {
                    // A float was asked for.
                    Ok(Resolved::Float(*number as f64))
                }
                _ if found.tag() == tag => Ok(accept(found, text)),
                _ => Err(format!("cannot decode {} `{text}` as a {tag}", found.tag())),
            }
        }
        "!!binary" => base64(text)
            .map(Resolved::Text)
            .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned()),
        "!!merge" => Ok(Resolved::Merge),
        _ => Ok(Resolved::Text(text.to_owned())),
    }
}

fn accept(scalar: Scalar, text: &str) -> Resolved {
    match scalar {
        Scalar::Null => Resolved::Null,
        Scalar::Bool(value) => Resolved::Bool(value),
        Scalar::Int(number) => Resolved::Int(number),
        Scalar::Uint(number) => Resolved::Uint(number),
        Scalar::Float(number) => Resolved::Float(number),
        Scalar::Merge => Resolved::Merge,
        Scalar::Timestamp | Scalar::String => Resolved::Text(text.to_owned()),
    }
}

impl Resolved {
    /// The value in JSON.
    pub(super) fn into_value(self) -> Result<Value, String> {
        Ok(match self {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(number) => Value::from(number),
            // kubectl makes a double of it too.
            Resolved::Uint(value) => number(value as f64)?,
            Resolved::Float(value) => number(value)?,
            Resolved::Text(text) => Value::String(text),
            Resolved::Merge => Value::from("<<"),
        })
    }

    /// The name of a field: JSON has no other keys.
    pub(super) fn into_key(self) -> Result<String, String> {
        Ok(match self {
            Resolved::Null => return Err("unsupported map key of type: null".to_owned()),
            Resolved::Uint(number) => {
                return Err(format!("unsupported map key of type: uint64, key: {number}"));
            }
            Resolved::Bool(value) => value.to_string(),
            Resolved::Int(number) => number.to_string(),
            Resolved::Float(number) if number.is_nan() => ".nan".to_owned(),
            Resolved::Float(f64::INFINITY) => ".inf".to_owned(),
            Resolved::Float(f64::NEG_INFINITY) => "-.inf".to_owned(),
            Resolved::Float(number) => single_precision(number),
            Resolved::Text(text) => text,
            Resolved::Merge => "<<".to_owned(),
        })
    }
}

/// Keys are shortened to single precision on their way to JSON: 3.1415927.
fn single_precision(number: f64) -> String {
    // As kubectl does.
    crate::api::number::general(number as f32)
}

fn base64(text: &str) -> Option<String> {
    String::from_utf8(decode(text.as_bytes()).ok()?).ok()
}
