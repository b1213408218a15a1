//! KYAML, as `-o kyaml` has it: YAML's flow style, in which no text can be taken for anything else.

use serde_json::Value;

use super::go_value::sorted;
use crate::api::decode::{Scalar, resolve};
use crate::api::number;

const INDENT: usize = 2;

/// An object as a document, with the newline at its end.
pub fn to_string(value: &Value) -> String {
    let mut text = String::from("---\n");
    write(&mut text, value, 0);
    text.push('\n');
    text
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', depth * INDENT));
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(value) => text.push_str(&match value.as_f64() {
            Some(float) if value.is_f64() => number::json(float),
            _ => value.to_string(),
        }),
        Value::String(value) => write_text(text, value, depth),
        Value::Array(items) if items.is_empty() => text.push_str("[]"),
        Value::Array(items) if items.iter().all(is_filled) => write_joined(text, items, depth),
        Value::Array(items) => {
            text.push('[');
            for item in items {
                line(text, depth + 1);
                write(text, item, depth + 1);
                text.push(',');
            }
            line(text, depth);
            text.push(']');
        }
        Value::Object(map) if map.is_empty() => text.push_str("{}"),
        Value::Object(map) => {
            text.push('{');
            for (key, value) in sorted(map) {
                line(text, depth + 1);
                text.push_str(&written_key(key));
                text.push_str(": ");
                write(text, value, depth + 1);
                text.push(',');
            }
            line(text, depth);
            text.push('}');
        }
    }
}

/// Brackets of lists stand on the lines of the brackets in them: `[{`, `}, {`, `}]`.
fn write_joined(text: &mut String, items: &[Value], depth: usize) {
    text.push('[');
    for (nth, item) in items.iter().enumerate() {
        if nth > 0 {
            text.push_str(", ");
        }
        write(text, item, depth);
    }
    text.push(']');
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// A key without quotes, where it is a word that YAML takes for text.
fn written_key(key: &str) -> String {
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    if is_word && matches!(resolve(key), Scalar::String) {
        return key.to_owned();
    }
    let mut text = String::from("\"");
    escape(&mut text, key);
    text.push('"');
    text
}

fn write_text(text: &mut String, value: &str, depth: usize) {
    text.push('"');
    let has_lines = value.trim_end_matches('\n').contains('\n');
    if !has_lines {
        escape(text, value);
        text.push('"');
        return;
    }
    // A backslash at the end of a line joins it to the next, of which the leading space does not count.
    for part in value.split_inclusive('\n') {
        text.push('\\');
        line(text, depth + 1);
        // A tab is escaped anyway; of a space one must say that it is part of the text.
        if part.starts_with(' ') {
            text.push('\\');
        }
        escape(text, part);
    }
    text.push('\\');
    line(text, depth);
    text.push('"');
}

fn escape(text: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                text.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            c if c.is_control() => text.push_str(&format!("\\x{:02X}", u32::from(c))),
            c => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::api::decode;

    #[test]
    fn an_object_looks_as_in_kubernetes_examples() {
        let service = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"labels": {"app": "hostnames"}, "name": "hostnames"},
            "spec": {
                "clusterIPs": ["10.0.162.160"],
                "ports": [{"port": 80, "protocol": "TCP"}, {"port": 81}],
                "selector": {"app": "hostnames", "no": "yes", "a b": "c"}
            },
            "status": {"loadBalancer": {}}
        });
        let expected = "---
{
  apiVersion: \"v1\",
  kind: \"Service\",
  metadata: {
    labels: {
      app: \"hostnames\",
    },
    name: \"hostnames\",
  },
  spec: {
    clusterIPs: [
      \"10.0.162.160\",
    ],
    ports: [{
      port: 80,
      protocol: \"TCP\",
    }, {
      port: 81,
    }],
    selector: {
      \"a b\": \"c\",
      app: \"hostnames\",
      \"no\": \"yes\",
    },
  },
  status: {
    loadBalancer: {},
  },
}
";
        assert_eq!(to_string(&service), expected);
        let script = json!({"a": "one\n  two \\ \"\n\tthree\n", "b": "one\n"});
        let expected = "---\n{\n  a: \"\\\n    one\\n\\\n    \\  two \\\\ \\\"\\n\\\n    \\tthree\\n\\\n  \",\n  b: \"one\\n\",\n}\n";
        assert_eq!(to_string(&script), expected);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z:#'\"\\\\ \t\n\u{85}\u{e9}{},\\[\\]-]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z0-9./ -]{1,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in values()) {
            let object = json!({"kind": "X", "spec": value});
            let text = to_string(&object);
            let read: Vec<Value> = decode::documents(text.as_bytes())
                .map(|parsed| parsed.map(|parsed| parsed.value))
                .collect::<Result<_, _>>()
                .map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(read, vec![object], "{}", text);
        }
    }
}
