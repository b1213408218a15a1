//! JSON values as Go prints them: kubectl shows such text in custom columns, in jsonpath's bare numbers and
//! in the dump of a failed template.

use std::fmt::Write;

use serde_json::{Number, Value};

use crate::api::quoted::quoted;

/// Objects in the order of their keys, whatever order the map keeps.
pub(crate) fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

/// Go's name of the type a value is decoded into.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if is_integer(number) => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

pub(crate) fn is_integer(number: &Number) -> bool {
    number.is_i64()
}

/// `%v`: `map[a:1 b:[x y]]`, `<nil>`.
pub(crate) fn plain(value: &Value) -> String {
    let mut text = String::new();
    write_plain(&mut text, value);
    text
}

fn write_plain(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => text.push_str(&number(value, 21)),
        Value::String(value) => text.push_str(value),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                write_plain(text, item);
            }
            text.push(']');
        }
        Value::Object(map) => {
            text.push_str("map[");
            for (i, (key, value)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                text.push_str(key);
                text.push(':');
                write_plain(text, value);
            }
            text.push(']');
        }
    }
}

/// `%#v`: `map[string]interface {}{"a":1}`.
pub(crate) fn syntax(value: &Value) -> String {
    let mut text = String::new();
    write_syntax(&mut text, value);
    text
}

fn write_syntax(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("interface {}(nil)"),
        Value::Bool(_) | Value::Number(_) => write_plain(text, value),
        Value::String(value) => text.push_str(&quoted(value)),
        Value::Array(items) => {
            text.push_str("[]interface {}{");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push_str(", ");
                }
                write_syntax(text, item);
            }
            text.push('}');
        }
        Value::Object(map) => {
            text.push_str("map[string]interface {}{");
            for (i, (key, value)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    text.push_str(", ");
                }
                text.push_str(&quoted(key));
                text.push(':');
                write_syntax(text, value);
            }
            text.push('}');
        }
    }
}

/// A number as `%v` has it: floats in their shortest form, with an exponent from 1e21 on (and below 1e-4).
pub(crate) fn number(value: &Number, exponent_from: i32) -> String {
    match value.as_f64() {
        Some(float) if !is_integer(value) => shortest(float, -4, exponent_from),
        _ => value.to_string(),
    }
}

/// A number in JSON as Go encodes it, where the exponent of small numbers starts later.
fn json_number(value: &Number) -> String {
    match value.as_f64() {
        Some(float) if !is_integer(value) => {
            let text = shortest(float, -6, 21);
            // encoding/json writes e-9 where fmt writes e-09.
            text.replace("e-0", "e-")
        }
        _ => value.to_string(),
    }
}

fn shortest(value: f64, smallest: i32, largest: i32) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && (exponent < smallest || exponent >= largest) {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
    } else {
        format!("{value}")
    }
}

/// Compact JSON as Go encodes it: sorted keys, and `<`, `>`, `&` escaped.
pub(crate) fn compact_json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, None);
    text
}

/// JSON indented by four blanks as Go encodes it.
pub(crate) fn indented_json(value: &Value) -> String {
    let mut text = String::new();
    write_json(&mut text, value, Some(0));
    text
}

fn write_json(text: &mut String, value: &Value, depth: Option<usize>) {
    let line = |text: &mut String, depth: Option<usize>| {
        if let Some(depth) = depth {
            text.push('\n');
            text.extend(std::iter::repeat_n("    ", depth));
        }
    };
    let inner = depth.map(|depth| depth + 1);
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => text.push_str(&json_number(value)),
        Value::String(value) => write_json_string(text, value),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                line(text, inner);
                write_json(text, item, inner);
            }
            line(text, depth);
            text.push(']');
        }
        Value::Object(map) if map.is_empty() => text.push_str("{}"),
        Value::Object(map) => {
            text.push('{');
            for (i, (key, value)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                line(text, inner);
                write_json_string(text, key);
                text.push_str(if depth.is_some() { ": " } else { ":" });
                write_json(text, value, inner);
            }
            line(text, depth);
            text.push('}');
        }
    }
}

fn write_json_string(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_look_as_in_go() {
        let value = json!({"b": [1, 1.5, true, null], "a": "x<\"", "c": {}});
        assert_eq!(plain(&value), "map[a:x<\" b:[1 1.5 true <nil>] c:map[]]");
        assert_eq!(
            syntax(&value),
            "map[string]interface {}{\"a\":\"x<\\\"\", \"b\":[]interface {}{1, 1.5, true, interface {}(nil)}, \
             \"c\":map[string]interface {}{}}"
        );
        assert_eq!(compact_json(&value), r#"{"a":"x\u003c\"","b":[1,1.5,true,null],"c":{}}"#);
        assert_eq!(indented_json(&json!([{"a": 1}, []])), "[\n    {\n        \"a\": 1\n    },\n    []\n]");
        for (number, expected) in [
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (0.00001, "1e-05"),
            (1000.0, "1000"),
            (0.0, "0"),
        ] {
            assert_eq!(plain(&json!(number)), expected);
        }
    }
}
