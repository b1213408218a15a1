//! What a server has left out of what was sent to it: a server that does not know a field says so, or drops it without a word.

use serde_json::Value;

/// What is not for whoever sends an object to say, or is not shown again.
const NOT_COMPARED: [&str; 5] = ["apiVersion", "kind", "metadata", "status", "stringData"];

/// Whether of a patch nothing at all is in the answer.
pub(super) fn is_all_left_out(sent: &Value, answer: &Value) -> bool {
    let fields = sent.as_object().into_iter().flatten().filter(|(_, value)| !is_empty(value));
    let mut sides = fields.map(|(name, value)| match (value, &answer[name]) {
        (_, Value::Null) => true,
        (Value::Object(_), there @ Value::Object(_)) => is_all_left_out(value, there),
        _ => false,
    });
    let first = sides.next();
    first == Some(true) && sides.all(|side| side)
}

/// The paths of the fields of an object, or of a patch of one, that the answer does not have.
pub(super) fn left_out(sent: &Value, answer: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    let Some(fields) = sent.as_object() else { return paths };
    for (name, value) in fields.iter().filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str())) {
        compare(name.clone(), value, &answer[name], &mut paths);
    }
    paths
}

fn compare(path: String, sent: &Value, answer: &Value, paths: &mut Vec<String>) {
    match (sent, answer) {
        // A server need not show what is empty, or as it would be anyway.
        (sent, Value::Null) if is_empty(sent) => {}
        (_, Value::Null) => paths.push(path),
        (Value::Object(sent), Value::Object(_)) => {
            // Directives of patches are no fields.
            for (name, value) in sent.iter().filter(|(name, _)| !name.starts_with('$')) {
                compare(format!("{path}.{name}"), value, &answer[name], paths);
            }
        }
        (Value::Array(sent), Value::Array(answer)) if sent.len() == answer.len() => {
            for (index, (sent, answer)) in sent.iter().zip(answer).enumerate() {
                compare(format!("{path}[{index}]"), sent, answer, paths);
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_empty),
        Value::Object(fields) => fields.values().all(is_empty),
    }
}

/// What is said of it.
pub(super) fn sentence(paths: &[String]) -> String {
    format!("the server does not know {}, and has left that out", paths.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_may_come_to_nothing() {
        let answer = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"parallelism": 1}});
        for (sent, is_all) in [
            (json!({"spec": {"suspend": true}}), true),
            (json!({"spec": {"suspend": true, "x": {"y": 1}}}), true),
            (json!({"spec": {"suspend": true, "parallelism": 2}}), false),
            (json!({"metadata": {"labels": {"a": "b"}}, "spec": {"suspend": true}}), false),
            (json!({"spec": {"suspend": false}}), false),
            (json!({}), false),
        ] {
            assert_eq!(is_all_left_out(&sent, &answer), is_all, "{sent}");
        }
    }

    #[test]
    fn what_a_server_drops_is_found() {
        let answer = json!({"kind": "Job", "metadata": {"name": "x"}, "spec": {"backoffLimit": 6, "template": {"spec":
            {"containers": [{"name": "a", "image": "b", "resources": {}}], "restartPolicy": "Never"}}}});
        for (sent, paths) in [
            (json!({"spec": {"backoffLimit": 0}}), vec![]),
            (json!({"spec": {"suspend": true}}), vec!["spec.suspend"]),
            (json!({"spec": {"suspend": false, "a": {}, "b": [], "c": "", "d": 0, "e": null}}), vec![]),
            (
                json!({"metadata": {"labels": {"a": "b"}}, "status": {"active": 1}, "stringData": {"a": "b"}}),
                vec![],
            ),
            (
                json!({"spec": {"completionMode": "Indexed", "template": {"spec": {"containers": [{"name": "a", "x": 1}],
                    "$setElementOrder/containers": [{"name": "a"}]}}}}),
                vec!["spec.completionMode", "spec.template.spec.containers[0].x"],
            ),
            (json!({"spec": {"template": {"spec": {"containers": [{"x": 1}, {"x": 2}]}}}}), vec![]),
            (json!([{"op": "add"}]), vec![]),
        ] {
            assert_eq!(left_out(&sent, &answer), paths, "{sent}");
        }
    }
}
