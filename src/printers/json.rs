//! JSON as kubectl writes it: four spaces, sorted keys, Go's escapes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::declared::Declared;
use super::parts::side_by_side;
use super::sorted::Sorted;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};

use crate::api::number;

/// An object as `-o json` prints it, with the newline at its end.
pub fn to_string(value: &Value) -> String {
    written(value)
}

/// As [`to_string`], with the fields in the order in which the API declares them.
pub fn to_string_as_declared(value: &Value) -> String {
    written(&Declared::new(value))
}

/// Objects as a List of them as `apply` prints it: the fields of the List itself in the order in which the API declares them.
pub fn list_as_declared(items: &[Value]) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct List<'a> {
        kind: &'static str,
        api_version: &'static str,
        metadata: BTreeMap<String, Value>,
        items: &'a [Value],
    }
    written(&List { kind: "List", api_version: "v1", metadata: BTreeMap::new(), items })
}

fn written(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer =
        Serializer::with_formatter(&mut bytes, GoFormatter(PrettyFormatter::with_indent(b"    ")));
    // A Value has string keys only and a Vec takes every byte.
    let written = value.serialize(&mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Objects as `-o json` prints a List of them, made straight from their texts: no value is kept, so that ten thousand take
/// the memory of what is printed. The texts are given in parts, which are worked on side by side.
///
/// # Errors
/// A text that is no JSON.
pub fn list_of_texts(parts: &[&[&str]]) -> serde_json::Result<Vec<Vec<u8>>> {
    let print = |texts: &[&str], is_first: bool| -> serde_json::Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len()).sum::<usize>() * 2);
        for (nth, text) in texts.iter().enumerate() {
            let first = is_first && nth == 0;
            bytes.extend_from_slice(if first { b"\n        " } else { b",\n        " });
            let mut formatter = GoFormatter(PrettyFormatter::with_indent(b"    "));
            // Two brackets are open.
            let opened =
                formatter.begin_object(&mut io::sink()).and_then(|()| formatter.begin_array(&mut io::sink()));
            debug_assert!(opened.is_ok(), "a sink takes everything");
            let sorted: Sorted<'_> = serde_json::from_str(text)?;
            sorted.serialize(&mut Serializer::with_formatter(&mut bytes, formatter))?;
        }
        Ok(bytes)
    };
    let mut printed = vec![b"{\n    \"apiVersion\": \"v1\",\n    \"items\": [".to_vec()];
    let items = side_by_side(parts, |nth, part| print(part, nth == 0));
    let items = items.into_iter().collect::<serde_json::Result<Vec<_>>>()?;
    let is_empty = parts.iter().all(|part| part.is_empty());
    printed.extend(items);
    let end =
        "],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n";
    printed.push(format!("{}{end}", if is_empty { "" } else { "\n    " }).into_bytes());
    Ok(printed)
}

/// serde_json's layout with Go's numbers and with what Go escapes besides: `<`, `>`, `&` and the two line
/// separators that JavaScript cannot take.
struct GoFormatter(PrettyFormatter<'static>);

impl Formatter for GoFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(number::json(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut start = 0;
        for (at, found) in fragment.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&fragment.as_bytes()[start..at])?;
            for c in found.chars() {
                write!(writer, "\\u{:04x}", u32::from(c))?;
            }
            start = at + found.len();
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Checked against kubectl 1.32.
    #[test]
    fn objects_are_printed_as_kubectl_does() {
        let value =
            json!({"b": [], "a": {"<k>": "&\u{2028}\u{8}\u{c}\u{1}\u{7f}\"\\é😀"}, "c": [1, {}, [2.5]]});
        let text = "{\n    \"a\": {\n        \"\\u003ck\\u003e\": \"\\u0026\\u2028\\b\\f\\u0001\u{7f}\\\"\\\\é😀\"\n    },\n    \"b\": [],\n    \"c\": [\n        1,\n        {},\n        [\n            2.5\n        ]\n    ]\n}\n";
        assert_eq!(to_string(&value), text);
        let list = list_as_declared(&[json!({"kind": "A", "a": 1}), json!({})]);
        let text = "{\n    \"kind\": \"List\",\n    \"apiVersion\": \"v1\",\n    \"metadata\": {},\n    \"items\": [\n        {\n            \"a\": 1,\n            \"kind\": \"A\"\n        },\n        {}\n    ]\n}\n";
        assert_eq!(list, text);
    }

    #[test]
    fn a_list_of_texts_is_that_of_their_values() {
        let texts =
            ["{\"b\":[],\"a\":{\"<k>\":\"é\\n\",\"a\":1.0}}", "{}", "{\"x\":[{\"z\":null,\"y\":-7}]}"];
        for parts in [vec![&texts[..]], vec![&texts[..1], &texts[1..]], vec![&[][..]]] {
            let values: Vec<Value> =
                parts.concat().iter().map(|text| serde_json::from_str(text).expect("JSON")).collect();
            let list = json!({"apiVersion": "v1", "items": values, "kind": "List", "metadata": {"resourceVersion": ""}});
            let printed = list_of_texts(&parts).expect("JSON").concat();
            assert_eq!(String::from_utf8(printed).expect("text"), to_string(&list));
        }
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let value = json!([1e20, 1e21, 1e-6, 1e-7, 1.5, 100.0, 9_223_372_036_854_775_807_i64]);
        let text = to_string(&value).replace([' ', '\n'], "");
        assert_eq!(text, "[100000000000000000000,1e+21,0.000001,1e-7,1.5,100,9223372036854775807]");
    }
}
