//! From a stored object back to a manifest, such as a person would write.

use serde_json::Value;

use super::object::Object;
use crate::api::kinds::Kind;

/// What a manifest has to say so that the object comes of it: what the defaults say is left out.
pub fn without_defaults(kind: Kind, value: &Value) -> Value {
    let Some(wanted) = defaulted(kind, value) else { return value.clone() };
    let mut bare = value.clone();
    for path in paths(value) {
        let mut tried = bare.clone();
        if remove(&mut tried, &path) && defaulted(kind, &tried).as_ref() == Some(&wanted) {
            bare = tried;
        }
    }
    bare
}

fn defaulted(kind: Kind, value: &Value) -> Option<Value> {
    let mut object = Object::decode(kind, value)?.ok()?.object;
    object.set_defaults();
    object.to_value().ok()
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Item(usize),
}

/// The fields of the spec, the outer ones before those in them: what goes as a whole goes first. Metadata is a person's.
fn paths(value: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    let mut next = vec![(vec![Step::Field("spec".into())], &value["spec"])];
    while let Some((path, value)) = next.pop() {
        let step_into = |step: Step| {
            let mut path = path.clone();
            path.push(step);
            path
        };
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let path = step_into(Step::Field(name.clone()));
                    found.push(path.clone());
                    next.push((path, field));
                }
            }
            Value::Array(items) => {
                next.extend(
                    items.iter().enumerate().map(|(number, item)| (step_into(Step::Item(number)), item)),
                );
            }
            _ => {}
        }
    }
    found.sort_by_key(Vec::len);
    found
}

/// Removes a field; false where it has gone with another.
fn remove(value: &mut Value, path: &[Step]) -> bool {
    match path {
        [Step::Field(last)] => value.as_object_mut().is_some_and(|fields| fields.remove(last).is_some()),
        [Step::Field(field), rest @ ..] => value.get_mut(field).is_some_and(|inner| remove(inner, rest)),
        [Step::Item(number), rest @ ..] => value.get_mut(*number).is_some_and(|inner| remove(inner, rest)),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_defaults_say_is_left_out() {
        let manifest = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": {
            "backoffLimit": 6, "completions": 3, "parallelism": 2, "suspend": false,
            "template": {"spec": {"restartPolicy": "Never", "dnsPolicy": "ClusterFirst", "containers": [
                {"name": "main", "image": "a:1", "command": ["true"], "terminationMessagePath": "/dev/termination-log",
                 "imagePullPolicy": "IfNotPresent", "resources": {}},
                {"name": "other", "image": "b", "imagePullPolicy": "Never"}]}}}});
        assert_eq!(
            without_defaults(Kind::Job, &manifest),
            json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": {
                "completions": 3, "parallelism": 2,
                "template": {"spec": {"restartPolicy": "Never", "containers": [
                    {"name": "main", "image": "a:1", "command": ["true"]},
                    {"name": "other", "image": "b", "imagePullPolicy": "Never"}]}}}})
        );
    }
}
