//! How values look inside `Invalid value: V`: strings as Go quotes them, everything else as JSON.
//!
//! A server prints its own types: fields in the order of their declaration and, where these types are internal to it,
//! under the names and with the nulls of Go.

use k8s_openapi::api::batch::v1::{PodFailurePolicy, SuccessPolicy};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use serde::Serialize;

/// A string in Go's `%q`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            ' '..='~' => quoted.push(character),
            '\0'..='\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(character))),
            // Rust's Debug leaves what is printable as it is, as Go does.
            _ if !character.escape_debug().to_string().starts_with('\\') => quoted.push(character),
            '\u{80}'..='\u{ffff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => quoted.push_str(&format!("\\U{:08x}", u32::from(character))),
        }
    }
    quoted.push('"');
    quoted
}

/// Anything else, as compact JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// JSON with fields in the order given; those without a value are left out.
fn fields(fields: &[(&str, Option<String>)]) -> String {
    let given = fields.iter().filter_map(|(name, value)| Some(format!("\"{name}\":{}", value.as_ref()?)));
    format!("{{{}}}", given.collect::<Vec<_>>().join(","))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// An owner, in the order of the API.
pub(super) fn owner(owner: &OwnerReference) -> String {
    fields(&[
        ("apiVersion", Some(json(&owner.api_version))),
        ("kind", Some(json(&owner.kind))),
        ("name", Some(json(&owner.name))),
        ("uid", Some(json(&owner.uid))),
        ("controller", owner.controller.as_ref().map(json)),
        ("blockOwnerDeletion", owner.block_owner_deletion.as_ref().map(json)),
    ])
}

/// A selector, in the order of the API.
pub(super) fn selector(selector: &LabelSelector) -> String {
    fields(&[
        ("matchLabels", selector.match_labels.as_ref().map(json)),
        ("matchExpressions", selector.match_expressions.as_ref().map(json)),
    ])
}

/// Several owners.
pub(super) fn owners(owners: &[OwnerReference]) -> String {
    list(owners.iter().map(owner))
}

/// A successPolicy, as the server's own type.
pub(super) fn success_policy(policy: &SuccessPolicy) -> String {
    let rules = policy.rules.iter().map(|rule| {
        fields(&[
            ("SucceededIndexes", Some(json(&rule.succeeded_indexes))),
            ("SucceededCount", Some(json(&rule.succeeded_count))),
        ])
    });
    fields(&[("Rules", Some(list(rules)))])
}

/// A podFailurePolicy, as the server's own type.
pub(super) fn pod_failure_policy(policy: &PodFailurePolicy) -> String {
    let rules = policy.rules.iter().map(|rule| {
        let codes = rule.on_exit_codes.as_ref().map(|codes| {
            fields(&[
                ("ContainerName", Some(json(&codes.container_name))),
                ("Operator", Some(json(&codes.operator))),
                ("Values", Some(json(&codes.values))),
            ])
        });
        let conditions = rule.on_pod_conditions.as_ref().map(|conditions| {
            list(conditions.iter().map(|condition| {
                fields(&[("Type", Some(json(&condition.type_))), ("Status", Some(json(&condition.status)))])
            }))
        });
        let or_null = |value: Option<String>| Some(value.unwrap_or_else(|| "null".to_owned()));
        fields(&[
            ("Action", Some(json(&rule.action))),
            ("OnExitCodes", or_null(codes)),
            ("OnPodConditions", or_null(conditions)),
        ])
    });
    fields(&[("Rules", Some(list(rules)))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_written_as_the_server_writes_its_own() {
        let selector_of = serde_json::json!({
            "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}], "matchLabels": {"c": "d"}});
        assert_eq!(
            selector(&serde_json::from_value(selector_of).expect("a selector")),
            r#"{"matchLabels":{"c":"d"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}"#
        );
        let policy = serde_json::json!({"rules": [
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [1, 2]}}]});
        assert_eq!(
            pod_failure_policy(&serde_json::from_value(policy).expect("a policy")),
            r#"{"Rules":[{"Action":"Ignore","OnExitCodes":null,"OnPodConditions":[{"Type":"DisruptionTarget","Status":"True"}]},{"Action":"FailJob","OnExitCodes":{"ContainerName":null,"Operator":"In","Values":[1,2]},"OnPodConditions":null}]}"#
        );
    }

    #[test]
    fn strings_are_quoted_as_go_quotes_them() {
        for (text, expected) in [
            ("a", r#""a""#),
            ("a\"b\\", r#""a\"b\\""#),
            ("\u{7}\n\u{1}\u{7f}", r#""\a\n\x01\x7f""#),
            ("é\u{200b}", r#""é\u200b""#),
            ("it's", r#""it's""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}
