//! JSON Patch (RFC 6902) with the behaviour and the words of the library behind kubectl (evanphx/json-patch), where
//! it is laxer than the RFC too: `replace` adds a missing field, a negative index counts from the end.

use serde_json::Value;

use super::merge::PatchError;
use crate::api::quoted::quoted;

/// The most operations of one patch, as upstream.
const MAX_OPERATIONS: usize = 10_000;
/// What all copies of one patch may add up to, as upstream: each can double the document.
const MAX_COPIED_BYTES: usize = 3 << 20;

/// Applies a list of operations, all or none.
///
/// # Errors
/// A patch that is no list of operations or too long a one, a place that is not there, a failed test, copies without end;
/// kubectl prints `error: ` before it.
pub fn json_patch(document: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Value::Array(operations) = patch else { return Err(wrong_type(patch, "Patch")) };
    if let Some(other) = operations.iter().find(|operation| !operation.is_object()) {
        return Err(wrong_type(other, "Operation"));
    }
    if operations.len() > MAX_OPERATIONS {
        return error(format!(
            "Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
            operations.len()
        ));
    }
    let mut document = document.clone();
    let mut copied = 0;
    for operation in operations {
        apply(&mut document, operation, &mut copied)?;
    }
    Ok(document)
}

/// Applies one operation; `copied` is how much has been copied before.
fn apply(document: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), PatchError> {
    let kind = operation.get("op").and_then(Value::as_str).unwrap_or("unknown");
    if !["add", "remove", "replace", "test", "copy", "move"].contains(&kind) {
        return error(format!("Unexpected kind: {kind}"));
    }
    let from = match operation.get("from").and_then(Value::as_str) {
        None if kind == "copy" || kind == "move" => {
            return error(format!(
                "{kind} operation failed to decode from: operation, missing from field: missing value"
            ));
        }
        from => from.unwrap_or_default(),
    };
    let Some(path) = operation.get("path").and_then(Value::as_str) else {
        return error(format!("{kind} operation failed to decode path: missing value"));
    };
    let value = operation.get("value").cloned().unwrap_or_default();
    match kind {
        "add" => add(document, path, value, kind),
        "remove" => {
            let missing =
                format!("remove operation does not apply: doc is missing path: \"{path}\": missing value");
            remove(document, path, path, missing).map(drop)
        }
        "replace" => replace(document, path, value),
        "test" => test(document, path, &value),
        "copy" => {
            let value = match resolve(document, from) {
                Some((parent, last)) => get(parent, &last).unwrap_or(&Value::Null),
                None => return error(missing_from(kind, from)),
            };
            *copied += value.to_string().len();
            if *copied > MAX_COPIED_BYTES {
                return error(format!(
                    "Unable to complete the copy, the accumulated size increase of copy is {copied}, exceeding the limit \
                     {MAX_COPIED_BYTES}"
                ));
            }
            let value = value.clone();
            add(document, path, value, kind)
        }
        _ => {
            let (_, last) = split(from);
            let value = remove(document, from, &last, missing_from(kind, from))?;
            add(document, path, value, kind)
        }
    }
}

fn missing_from(kind: &str, from: &str) -> String {
    format!("{kind} operation does not apply: doc is missing from path: {from}: missing value")
}

fn add(document: &mut Value, path: &str, value: Value, kind: &str) -> Result<(), PatchError> {
    let Some((parent, last)) = resolve_mut(document, path) else {
        return error(format!(
            "{kind} operation does not apply: doc is missing path: \"{path}\": missing value"
        ));
    };
    let Value::Array(list) = parent else {
        parent[last.as_str()] = value;
        return Ok(());
    };
    if last == "-" {
        list.push(value);
        return Ok(());
    }
    let place = index(&last, list.len() + 1).map_err(|problem| in_path("add", path, &problem))?;
    list.insert(place, value);
    Ok(())
}

/// Takes a value out; `named` is the path as the error quotes it, `missing` what is said of a place that is not there.
fn remove(document: &mut Value, path: &str, named: &str, missing: String) -> Result<Value, PatchError> {
    let kind = if named == path { "remove" } else { "move" };
    let Some((parent, last)) = resolve_mut(document, path) else { return error(missing) };
    match parent {
        Value::Array(list) => {
            let place = index(&last, list.len()).map_err(|problem| in_path(kind, named, &problem))?;
            Ok(list.remove(place))
        }
        Value::Object(map) => map.remove(&last).ok_or_else(|| {
            in_path(kind, named, &format!("Unable to remove nonexistent key: {last}: missing value"))
        }),
        _ => error(missing),
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    let Some((parent, last)) = resolve_mut(document, path) else {
        return error(format!(
            "replace operation does not apply: doc is missing path: {path}: missing value"
        ));
    };
    match parent {
        Value::Array(list) => match index(&last, list.len()) {
            Ok(place) => list[place] = value,
            Err(_) => {
                return error(format!("Object to be patched is missing field ({path}: missing value)"));
            }
        },
        map => map[last.as_str()] = value,
    }
    Ok(())
}

fn test(document: &Value, path: &str, expected: &Value) -> Result<(), PatchError> {
    let found = if path.is_empty() {
        document
    } else {
        match resolve(document, path) {
            Some((parent, last)) => get(parent, &last).unwrap_or(&Value::Null),
            None => {
                return error(format!(
                    "test operation does not apply: is missing path: {path}: missing value"
                ));
            }
        }
    };
    if found == expected { Ok(()) } else { error(format!("testing value {path} failed: test failed")) }
}

/// The place a path names within its parent. What stands before the first slash counts for nothing.
fn split(path: &str) -> (Vec<String>, String) {
    let decode = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let mut steps: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let last = steps.pop().unwrap_or_default();
    (steps, last)
}

/// The object or list that holds the place, and its name there. A path has a slash.
fn resolve<'a>(document: &'a Value, path: &str) -> Option<(&'a Value, String)> {
    if !path.contains('/') {
        return None;
    }
    let (steps, last) = split(path);
    let parent = steps.iter().try_fold(document, |value, step| get(value, step))?;
    (parent.is_object() || parent.is_array()).then_some((parent, last))
}

fn resolve_mut<'a>(document: &'a mut Value, path: &str) -> Option<(&'a mut Value, String)> {
    if !path.contains('/') {
        return None;
    }
    let (steps, last) = split(path);
    let parent = steps.iter().try_fold(document, |value, step| match value {
        Value::Array(list) => {
            let place = index(step, list.len()).ok()?;
            list.get_mut(place)
        }
        value => value.get_mut(step.as_str()),
    })?;
    (parent.is_object() || parent.is_array()).then_some((parent, last))
}

fn get<'a>(value: &'a Value, step: &str) -> Option<&'a Value> {
    match value {
        Value::Array(list) => list.get(index(step, list.len()).ok()?),
        value => value.get(step),
    }
}

/// A place in a list of that length; negative ones count from the end.
fn index(step: &str, length: usize) -> Result<usize, String> {
    let Ok(number) = step.parse::<i64>() else {
        return Err(format!(
            "value was not a proper array index: '{step}': strconv.Atoi: parsing {}: invalid syntax",
            quoted(step)
        ));
    };
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let place = if number < 0 { number + length } else { number };
    if (0..length).contains(&place) {
        usize::try_from(place).map_err(|problem| problem.to_string())
    } else {
        Err(format!("Unable to access invalid index: {number}: invalid index referenced"))
    }
}

fn in_path(kind: &str, path: &str, problem: &str) -> PatchError {
    PatchError(format!("error in {kind} for path: '{path}': {problem}"))
}

fn wrong_type(value: &Value, wanted: &str) -> PatchError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    PatchError(format!("json: cannot unmarshal {found} into Go value of type jsonpatch.{wanted}"))
}

fn error<T>(problem: String) -> Result<T, PatchError> {
    Err(PatchError(problem))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn copies_that_double_the_document_come_to_an_end() {
        let double = json!({"op": "copy", "from": "/a", "path": "/a/-"});
        let patch = vec![double.clone(); 200];
        let refused = json_patch(&json!({"a": ["x"]}), &patch.into()).expect_err("too much").to_string();
        assert!(
            refused.starts_with("Unable to complete the copy, the accumulated size increase of copy is ")
                && refused.ends_with(", exceeding the limit 3145728"),
            "{refused}"
        );
        let patched = json_patch(&json!({"a": ["x"]}), &json!([double])).expect("one copy");
        assert_eq!(patched, json!({"a": ["x", ["x"]]}));
        let many = vec![json!({"op": "test", "path": "/a", "value": 1}); 10_001];
        assert_eq!(
            json_patch(&json!({"a": 1}), &many.into()).expect_err("too many").to_string(),
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
        );
    }
}
