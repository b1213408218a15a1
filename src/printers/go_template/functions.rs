//! The functions of Go templates, and those that kubectl adds.

use std::cmp::Ordering;

use super::printf;
use super::value::Value;
use crate::api::decode::base64;

/// What can be called; `and` and `or` are evaluated where they stand, for they do not look at all their arguments.
pub(super) const NAMES: [&str; 19] = [
    "and",
    "or",
    "not",
    "len",
    "index",
    "slice",
    "print",
    "printf",
    "println",
    "html",
    "urlquery",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "exists",
    "base64decode",
];

/// How many arguments a function takes at least, and whether it takes more.
pub(super) fn arity(name: &str) -> (usize, bool) {
    match name {
        "not" | "len" | "base64decode" => (1, false),
        "ne" | "lt" | "le" | "gt" | "ge" => (2, false),
        "and" | "or" | "index" | "slice" | "eq" | "exists" => (1, true),
        "printf" => (1, true),
        _ => (0, true),
    }
}

/// Calls a function.
///
/// # Errors
/// Go's reason.
pub(super) fn call<'v>(name: &str, arguments: &[Value<'v>]) -> Result<Value<'v>, String> {
    let first = arguments.first().cloned().unwrap_or(Value::Missing);
    let rest = arguments.get(1..).unwrap_or_default();
    Ok(match name {
        "not" => Value::Bool(!first.is_true()),
        "len" => Value::Int(length(&first)?),
        "index" => rest.iter().try_fold(first, |value, key| index(&value, key))?,
        "slice" => slice(&first, rest)?,
        "print" => text(printf::print(arguments)),
        "println" => text(printf::println(arguments)),
        "printf" => match &first {
            Value::Text(format) => text(printf::printf(format, rest)),
            other => return Err(format!("wrong type for value; expected string; got {}", other.type_name())),
        },
        "html" => text(html(&printf::print(arguments))),
        "urlquery" => text(url_query(&printf::print(arguments))),
        "eq" => Value::Bool(equals_any(&first, rest)?),
        "ne" => Value::Bool(!equals_any(&first, rest)?),
        "lt" => Value::Bool(order(&first, &rest[0])? == Ordering::Less),
        "ge" => Value::Bool(order(&first, &rest[0])? != Ordering::Less),
        "le" => Value::Bool(order(&first, &rest[0])? != Ordering::Greater),
        "gt" => Value::Bool(order(&first, &rest[0])? == Ordering::Greater),
        "exists" => Value::Bool(exists(first, rest)),
        "base64decode" => text(decoded(&first)?),
        other => return Err(format!("function {other:?} is not supported")),
    })
}

fn text<'v>(text: String) -> Value<'v> {
    Value::Text(text.into())
}

fn length(value: &Value<'_>) -> Result<i64, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        Value::Missing => return Err("len of nil pointer".into()),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(length as i64)
}

fn position(length: usize, key: &Value<'_>) -> Result<usize, String> {
    let number = match key {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Missing => return Err("cannot index slice/array with nil".into()),
        other => return Err(format!("cannot index slice/array with type {}", other.type_name())),
    };
    let found = usize::try_from(number).ok().filter(|at| *at < length);
    found.ok_or_else(|| format!("index out of range: {number}"))
}

fn index<'v>(value: &Value<'v>, key: &Value<'v>) -> Result<Value<'v>, String> {
    Ok(match value {
        Value::List(items) => Value::of(&items[position(items.len(), key)?]),
        Value::Text(text) => Value::Int(i64::from(text.as_bytes()[position(text.len(), key)?])),
        Value::Map(map) => match key {
            Value::Text(key) => map.get(key.as_ref()).map_or(Value::Missing, Value::of),
            Value::Missing => return Err("value is nil; should be of type string".into()),
            other => return Err(format!("value has type {}; should be string", other.type_name())),
        },
        Value::Missing => return Err("index of untyped nil".into()),
        other => return Err(format!("can't index item of type {}", other.type_name())),
    })
}

fn slice<'v>(value: &Value<'v>, bounds: &[Value<'v>]) -> Result<Value<'v>, String> {
    let length = match value {
        Value::List(items) => items.len(),
        Value::Text(text) => text.len(),
        Value::Missing => return Err("slice of untyped nil".into()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if bounds.len() > 2 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    let bound = |at: usize, default: usize| match bounds.get(at) {
        None => Ok(default),
        // The end may be one past the last.
        Some(key) => position(length + 1, key),
    };
    let (start, end) = (bound(0, 0)?, bound(1, length)?);
    if start > end {
        return Err(format!("invalid slice index: {start} > {end}"));
    }
    Ok(match value {
        Value::List(items) => Value::List(&items[start..end]),
        Value::Text(text) => {
            Value::Text(String::from_utf8_lossy(&text.as_bytes()[start..end]).into_owned().into())
        }
        other => other.clone(),
    })
}

/// What can be compared with what.
#[derive(PartialEq)]
enum Basic {
    Bool,
    Int,
    Float,
    Text,
    None,
}

fn basic(value: &Value<'_>) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_) | Value::Int64(_) => Basic::Int,
        Value::Float(_) => Basic::Float,
        Value::Text(_) => Basic::Text,
        Value::Missing | Value::List(_) | Value::Map(_) => Basic::None,
    }
}

const INCOMPATIBLE: &str = "incompatible types for comparison";

fn equals_any(first: &Value<'_>, others: &[Value<'_>]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for other in others {
        let is_equal = match (first, other) {
            (Value::Missing, Value::Missing) => true,
            (Value::Missing, _) | (_, Value::Missing) => false,
            _ if basic(first) != basic(other) => return Err(INCOMPATIBLE.into()),
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::List(_) | Value::Map(_), _) => {
                return Err(format!("non-comparable type {}: {}", printf::plain(first), first.type_name()));
            }
            _ => order(first, other)? == Ordering::Equal,
        };
        if is_equal {
            return Ok(true);
        }
    }
    Ok(false)
}

fn order(a: &Value<'_>, b: &Value<'_>) -> Result<Ordering, String> {
    let is_ordered = |value: &Value<'_>| !matches!(basic(value), Basic::None | Basic::Bool);
    let invalid = || "invalid type for comparison".to_owned();
    if basic(a) == Basic::None || basic(b) == Basic::None {
        return Err(invalid());
    }
    if basic(a) != basic(b) {
        return Err(INCOMPATIBLE.into());
    }
    if !is_ordered(a) {
        return Err(invalid());
    }
    Ok(match (a, b) {
        (Value::Int(a) | Value::Int64(a), Value::Int(b) | Value::Int64(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.total_cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        _ => return Err(INCOMPATIBLE.into()),
    })
}

fn exists<'v>(value: Value<'v>, keys: &[Value<'v>]) -> bool {
    let found = keys.iter().try_fold(value, |value, key| match (&value, key) {
        (Value::Map(map), Value::Text(key)) => map.get(key.as_ref()).map(Value::of),
        (Value::List(_), Value::Int(_) | Value::Int64(_)) => index(&value, key).ok(),
        _ => None,
    });
    found.is_some()
}

fn decoded(value: &Value<'_>) -> Result<String, String> {
    let Value::Text(text) = value else {
        return Err(format!("wrong type for value; expected string; got {}", value.type_name()));
    };
    let bytes = base64::decode(text.as_bytes())
        .map_err(|at| format!("base64 decode failed: illegal base64 data at input byte {at}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            '\0' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

fn url_query(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
