//! What `apply` computes: the annotation that remembers a manifest, and the merge of three: what was applied last, what
//! is to be applied now, and what is stored.

use serde_json::{Map, Value, json};

use super::merge::{ListKey, in_order, list_key, places_after_deletion, without_nulls};
use crate::api::meta::ANNOTATION_LAST_APPLIED;

/// The value of `kubectl.kubernetes.io/last-applied-configuration` for a manifest: compact JSON with sorted keys and a
/// newline, with `metadata.annotations` always there and never holding the annotation itself. Name and namespace are
/// the caller's to have filled in.
pub fn last_applied(manifest: &Value) -> String {
    let mut manifest = manifest.clone();
    annotations_of(&mut manifest);
    last_applied_as_it_came(manifest)
}

/// The same as a server writes it: `metadata.annotations` is there where it came so.
pub fn last_applied_as_it_came(mut manifest: Value) -> String {
    if let Some(Value::Object(annotations)) = manifest.pointer_mut("/metadata/annotations") {
        annotations.remove(ANNOTATION_LAST_APPLIED);
    }
    // Go's encoder keeps JSON safe inside HTML.
    let mut text = String::new();
    for character in manifest.to_string().chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            plain => text.push(plain),
        }
    }
    text.push('\n');
    text
}

/// A manifest with the annotation that remembers it: what `apply` creates, and what it gives to [`three_way`] as
/// `modified`.
pub fn with_last_applied(manifest: &Value) -> Value {
    let text = last_applied(manifest);
    let mut manifest = manifest.clone();
    if let Some(annotations) = annotations_of(&mut manifest) {
        annotations.insert(ANNOTATION_LAST_APPLIED.to_owned(), json!(text));
    }
    manifest
}

/// The object that applying `modified` leaves: fields of `modified` are set, fields of `original` (what was applied
/// last, nothing if unknown) that `modified` no longer has are deleted, all others stay as they are in `current`, so
/// also what the server filled in. Lists merge by the same keys as in a strategic merge patch.
pub fn three_way(original: Option<&Value>, modified: &Value, current: &Value) -> Value {
    merge(original.unwrap_or(&Value::Null), modified, current, None)
}

/// The fields that applying `modified` would change although somebody else has changed them since `original` was
/// applied, as `spec.parallelism`.
pub fn conflicts(original: Option<&Value>, modified: &Value, current: &Value) -> Vec<String> {
    let mut found = Vec::new();
    find_conflicts(original.unwrap_or(&Value::Null), modified, current, "", &mut found);
    found
}

fn find_conflicts(original: &Value, modified: &Value, current: &Value, path: &str, found: &mut Vec<String>) {
    let of = |value: &Value, field: &str| value.get(field).cloned().unwrap_or_default();
    if let (Value::Object(wanted), Value::Object(_)) = (modified, current) {
        let was: Vec<&String> = original.as_object().into_iter().flat_map(Map::keys).collect();
        let gone = was.into_iter().filter(|field| !wanted.contains_key(*field));
        for field in wanted.keys().chain(gone) {
            let path = if path.is_empty() { field.clone() } else { format!("{path}.{field}") };
            find_conflicts(&of(original, field), &of(modified, field), &of(current, field), &path, found);
        }
        return;
    }
    if let Some((original, modified, current)) = as_maps(original, modified, current, path) {
        return find_conflicts(&original, &modified, &current, path, found);
    }
    if modified != current && original != current {
        found.push(path.to_owned());
    }
}

/// Lists that merge by a key of their items, as maps of it.
fn as_maps(original: &Value, modified: &Value, current: &Value, path: &str) -> Option<(Value, Value, Value)> {
    let key = list_key(path.rsplit('.').next()?)?;
    let as_map = |list: &Value| {
        let items = list.as_array().map_or(&[][..], Vec::as_slice);
        // A name is shown without the quotes that it has as JSON.
        let named = |(name, item): (String, Value)| (name.trim_matches('"').to_owned(), item);
        Some(Value::Object(keyed(items, key)?.into_iter().map(named).collect()))
    };
    (modified.is_array() && current.is_array())
        .then(|| Some((as_map(original)?, as_map(modified)?, as_map(current)?)))?
}

fn annotations_of(manifest: &mut Value) -> Option<&mut Map<String, Value>> {
    let meta = manifest.as_object_mut()?.entry("metadata").or_insert_with(|| json!({})).as_object_mut()?;
    let annotations = meta.entry("annotations").or_insert_with(|| json!({}));
    if annotations.is_null() {
        *annotations = json!({});
    }
    annotations.as_object_mut()
}

fn merge(original: &Value, modified: &Value, current: &Value, field: Option<&str>) -> Value {
    match (modified, current) {
        (Value::Object(modified), Value::Object(current)) => {
            Value::Object(merge_objects(original, modified, current))
        }
        (Value::Array(modified), Value::Array(current)) => field
            .and_then(|field| Some((field, list_key(field)?)))
            .and_then(|(field, key)| merge_lists(original, modified, current, field, key))
            .map_or_else(|| without_nulls(&Value::Array(modified.clone())), Value::Array),
        _ => without_nulls(modified),
    }
}

fn merge_objects(
    original: &Value,
    modified: &Map<String, Value>,
    current: &Map<String, Value>,
) -> Map<String, Value> {
    let was_applied = |field: &str| original.get(field).is_some_and(|value| !value.is_null());
    let mut merged: Map<String, Value> = current
        .iter()
        .filter(|(field, _)| modified.contains_key(*field) || !was_applied(field))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    for (field, value) in modified {
        if value.is_null() {
            merged.remove(field);
            continue;
        }
        let original = original.get(field).unwrap_or(&Value::Null);
        let old = current.get(field).unwrap_or(&Value::Null);
        merged.insert(field.clone(), merge(original, value, old, Some(field)));
    }
    merged
}

/// Nothing if an item lacks its key, or two share one: such a list can only be replaced.
fn merge_lists(
    original: &Value,
    modified: &[Value],
    current: &[Value],
    field: &str,
    key: ListKey,
) -> Option<Vec<Value>> {
    let modified = keyed(modified, key)?;
    let current = keyed(current, key)?;
    let original = keyed(original.as_array().map_or(&[][..], Vec::as_slice), key)?;
    let find = |list: &[(String, Value)], key: &String| {
        list.iter().find(|(other, _)| other == key).map(|(_, item)| item.clone())
    };
    let names = |list: &[(String, Value)]| list.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
    let mut items: Vec<(String, Value)> = current
        .iter()
        .filter(|(key, _)| find(&modified, key).is_none() && find(&original, key).is_none())
        .cloned()
        .collect();
    for (known_by, item) in &modified {
        let old = find(&current, known_by).unwrap_or_default();
        // A volume has one source: the old one does not stay beside the new (patch strategy retainKeys).
        let old = if field == "volumes" { retaining(old, item) } else { old };
        let original = find(&original, known_by).unwrap_or_default();
        items.push((known_by.clone(), merge(&original, item, &old, None)));
    }
    let (order, before) = (names(&modified), names(&current));
    let added: Vec<String> = order.iter().filter(|key| !before.contains(key)).cloned().collect();
    let is_deleted = |key: &String| !items.iter().any(|(other, _)| other == key);
    let before = match key {
        ListKey::Value => before,
        ListKey::Field(_) | ListKey::Port => places_after_deletion(&before, is_deleted, &added),
    };
    Some(in_order(items, &order, &before))
}

fn retaining(mut old: Value, new: &Value) -> Value {
    if let (Value::Object(old), Value::Object(new)) = (&mut old, new)
        && new.len() > 1
    {
        old.retain(|field, _| new.contains_key(field));
    }
    old
}

fn keyed(list: &[Value], key: ListKey) -> Option<Vec<(String, Value)>> {
    let mut items: Vec<(String, Value)> = Vec::with_capacity(list.len());
    for item in list {
        let known_by = key.of(item)?;
        if items.iter().any(|(other, _)| *other == known_by) {
            return None;
        }
        items.push((known_by, item.clone()));
    }
    Some(items)
}

#[cfg(test)]
mod tests;
