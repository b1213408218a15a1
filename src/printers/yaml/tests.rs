//! The recorded output of kubectl, and the way back.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::api::decode;

#[test]
fn every_recorded_object_is_printed_as_kubectl_does() {
    let recorded: Value =
        serde_json::from_str(include_str!("../../../tests/data/yaml-write.json")).expect("recorded output");
    let rows = recorded["rows"].as_array().expect("rows");
    assert!(rows.len() > 70);
    for row in rows {
        assert_eq!(to_string(&row["object"]), row["yaml"].as_str().expect("yaml"));
    }
}

/// Checked against kubectl 1.32 by hand: no row of the recording has them.
#[test]
fn rare_forms_are_those_of_kubectl() {
    let long = "k".repeat(129);
    let rows = [
        (json!({"v": "a\u{2028}b"}), "v: 'a\u{2028}  b'\n".to_owned()),
        (json!({"v": "\u{feff}a"}), "v: \"\\uFEFF\\x61\"\n".to_owned()),
        (json!({"v": "a\rb"}), "v: \"a\\rb\"\n".to_owned()),
        (json!({long.as_str(): {"a": 1, "b": [1]}}), format!("? {long}\n: a: 1\n  b:\n  - 1\n")),
        (json!({long.as_str(): [1, {"a": 2}]}), format!("? {long}\n: - 1\n  - a: 2\n")),
        (json!({"a\nb": [1]}), "? |-\n  a\n  b\n: - 1\n".to_owned()),
        (json!([[1, [2]], [[]], {"a": {}}]), "- - 1\n  - - 2\n- - []\n- a: {}\n".to_owned()),
        (json!([1e20, 1e21, -1e19, 1.5e19, 1234567.5, 1e-5]), "- 1e+20\n- 1e+21\n- -1e+19\n- 15000000000000000000\n- 1.2345675e+06\n- 1e-05\n".to_owned()),
        (json!({"v": "\t".to_owned() + &"word  ".repeat(15) + "z"}), "v: \"\\tword  word  word  word  word  word  word  word  word  word  word  word  word\n  \\ word  word  z\"\n".to_owned()),
        (json!("a\n"), "|\n  a\n".to_owned()),
    ];
    for (value, yaml) in rows {
        assert_eq!(to_string(&value), yaml);
    }
}

#[test]
fn many_keys_are_sorted_without_a_total_order() {
    let map: Map<String, Value> =
        ["a01", "a10", "a1b", "a1", "10a", "1a"].iter().map(|key| ((*key).to_owned(), Value::Null)).collect();
    assert_eq!(to_string(&Value::Object(map)).lines().count(), 6);
}

fn text() -> impl Strategy<Value = String> {
    let tricky = prop::sample::select(vec![
        "yes",
        "1",
        "0x1F",
        "1_000",
        "~",
        "null",
        ".inf",
        "<<",
        "- ",
        "a: b",
        "#",
        " #",
        "'",
        "\"",
        "\n",
        "\n\n",
        " ",
        "  ",
        "\t",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "😀",
        "é",
        "\\",
        "---",
        "...",
        "!",
        "&",
        "*",
        "|",
        ">",
        "%",
        "@",
        "`",
        "{",
        "}",
        "[",
        "]",
        ",",
        "?",
        ":",
        "=",
        "-",
        "12:30",
        "2024-01-01",
        "word word word",
        "\0",
        "\u{7f}",
    ]);
    let text = prop::collection::vec(tricky, 0..12).prop_map(|parts| parts.concat());
    // kubectl breaks the lines of a block at the separators too; our reader refuses them there.
    text.prop_map(|text| if text.contains('\n') { text.replace('\u{2028}', "") } else { text })
}

/// kubectl prints the key `<<` bare (the recording has it) and then cannot read it back.
fn key() -> impl Strategy<Value = String> {
    text().prop_map(|key| if key == "<<" { String::new() } else { key })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0 + 0.0625)),
        text().prop_map(Value::from),
        ".{0,150}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(value in value()) {
        let object = json!({"v": value});
        let yaml = to_string(&object);
        let back: Vec<_> =
            decode::documents(yaml.as_bytes()).map(|document| document.map(|parsed| parsed.value)).collect();
        prop_assert_eq!(back, vec![Ok(object)], "{}", yaml);
    }
}
