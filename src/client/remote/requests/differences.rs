//! What differs between two forms of an object. Pure.

use serde_json::Value;

use crate::registry::merge::json_merge_difference;

/// Whether an object has a field, by a path as conflicts name it: `.metadata.labels.app`. Of a list any item will do.
pub(super) fn has_field(value: &Value, path: &str) -> bool {
    match value {
        _ if path.is_empty() => !value.is_null(),
        Value::Array(items) => {
            let rest = path.split_once(']').map_or("", |(_, rest)| rest);
            path.starts_with('[') && items.iter().any(|item| has_field(item, rest))
        }
        // A name may have dots in it.
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let rest = path.strip_prefix('.').and_then(|path| path.strip_prefix(name.as_str()));
            rest.is_some_and(|rest| {
                (rest.is_empty() || rest.starts_with(['.', '['])) && has_field(value, rest)
            })
        }),
        _ => false,
    }
}

/// What makes one form of an object the other. What is not a request's to change is left alone.
pub(super) fn difference(current: &Value, wanted: &Value) -> Value {
    let without_version = |value: &Value| {
        let mut value = value.clone();
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
            metadata.remove("managedFields");
        }
        value
    };
    json_merge_difference(&without_version(current), &without_version(wanted))
}

pub(super) fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(fields) => fields.values().any(has_list),
        _ => false,
    }
}

/// Whether two versions of an object differ in what controllers report alone.
pub(super) fn only_status_differs(before: &Value, now: &Value) -> bool {
    let bare = |value: &Value| {
        let mut value = value.clone();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("status");
        }
        value
    };
    difference(&bare(before), &bare(now)).as_object().is_some_and(serde_json::Map::is_empty)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_by_the_paths_of_conflicts() {
        let applied = json!({"metadata": {"labels": {"a.b/c": "1"}}, "spec": {"containers": [{"name": "x", "image": "i"}]}});
        for (path, has) in [
            (".metadata.labels.a.b/c", true),
            (".metadata.labels.a", false),
            (".spec.containers[name=\"x\"].image", true),
            (".spec.containers[name=\"x\"].command", false),
            (".spec.containers[name=\"x\"]", true),
            (".data.a", false),
        ] {
            assert_eq!(has_field(&applied, path), has, "{path}");
        }
    }

    #[test]
    fn a_change_is_what_differs() {
        let current = json!({"metadata": {"resourceVersion": "7", "labels": {"a": "1"}, "managedFields": [1]},
            "spec": {"suspend": false}, "status": {"active": 1}});
        let mut wanted = current.clone();
        wanted["spec"]["suspend"] = json!(true);
        wanted["metadata"]["labels"] = json!({"b": "2"});
        assert_eq!(
            difference(&current, &wanted),
            json!({"metadata": {"labels": {"a": null, "b": "2"}}, "spec": {"suspend": true}})
        );
        let mut newer = current.clone();
        newer["metadata"]["resourceVersion"] = json!("8");
        assert_eq!(difference(&current, &newer), json!({}));
    }

    #[test]
    fn what_controllers_report_is_no_conflict() {
        let before = json!({"metadata": {"resourceVersion": "7"}, "spec": {"a": 1}, "status": {"active": 1}});
        let now = json!({"metadata": {"resourceVersion": "8"}, "spec": {"a": 1}, "status": {"active": 2}});
        assert!(only_status_differs(&before, &now));
        let changed = json!({"metadata": {"resourceVersion": "8"}, "spec": {"a": 2}});
        assert!(!only_status_differs(&before, &changed));
        assert!(has_list(&json!({"a": {"b": [1]}})));
        assert!(!has_list(&json!({"a": {"b": 1}})));
    }
}
