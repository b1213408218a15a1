//! Patches over JSON objects: strategic merge (lists by key) and plain merge (RFC 7386), as `kubectl patch` and
//! `kubectl apply` know them. Which lists merge, and by which key, is told by the field's name alone: within Jobs,
//! CronJobs and Pods no two lists of one name differ in that.

use std::fmt;

use serde_json::{Map, Value};

/// Why a patch cannot be applied, in kubectl's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatchError(pub(super) String);

impl PatchError {
    /// An error of that text.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for PatchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for PatchError {}

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListKey {
    /// Objects, by this field.
    Field(&'static str),
    /// Ports, by number and protocol: kubectl goes by the number alone and mixes up a port of two protocols.
    Port,
    /// Plain values, by themselves.
    Value,
}

/// Lists that merge (the `patchMergeKey`s of core/v1 and meta/v1); all others are replaced.
const LISTS: &[(&str, ListKey)] = &[
    ("containers", ListKey::Field("name")),
    ("initContainers", ListKey::Field("name")),
    ("ephemeralContainers", ListKey::Field("name")),
    ("volumes", ListKey::Field("name")),
    ("env", ListKey::Field("name")),
    ("ports", ListKey::Port),
    ("volumeMounts", ListKey::Field("mountPath")),
    ("volumeDevices", ListKey::Field("devicePath")),
    ("imagePullSecrets", ListKey::Field("name")),
    ("resourceClaims", ListKey::Field("name")),
    ("schedulingGates", ListKey::Field("name")),
    ("hostAliases", ListKey::Field("ip")),
    ("topologySpreadConstraints", ListKey::Field("topologyKey")),
    ("conditions", ListKey::Field("type")),
    ("ownerReferences", ListKey::Field("uid")),
    ("finalizers", ListKey::Value),
];

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const SET_ELEMENT_ORDER: &str = "$setElementOrder/";
const DELETE_FROM_PRIMITIVE_LIST: &str = "$deleteFromPrimitiveList/";

/// The key of the list in a field, if that list merges.
pub(super) fn list_key(field: &str) -> Option<ListKey> {
    LISTS.iter().find(|(name, _)| *name == field).map(|(_, key)| *key)
}

impl ListKey {
    /// What an item is known by; nothing for an item that lacks it.
    pub(super) fn of(self, item: &Value) -> Option<String> {
        match self {
            Self::Field(field) => item.get(field).filter(|key| !key.is_null()).map(Value::to_string),
            Self::Port => {
                let protocol = item.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
                let field = |name: &str| item.get(name).filter(|number| !number.is_null());
                match field("containerPort") {
                    Some(number) => Some(format!("{number}/{protocol}")),
                    // Those of a Service are told apart by their number alone.
                    None => field("port").map(Value::to_string),
                }
            }
            Self::Value => Some(item.to_string()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Field(field) => field,
            Self::Port => "containerPort",
            Self::Value => "",
        }
    }
}

/// Applies a strategic merge patch: objects merge, null deletes, lists of the table merge by key with what is new in
/// front, other lists are replaced. Of the directives `$patch` (delete, replace), `$retainKeys`, `$setElementOrder/…`
/// and `$deleteFromPrimitiveList/…` are followed.
///
/// # Errors
/// A patch that is no object, an unknown `$patch`, a list item without its key, fields outside `$retainKeys`.
pub fn strategic_merge_patch(current: &Value, patch: &Value) -> Result<Value, PatchError> {
    let (Value::Object(_), Value::Object(patch)) = (current, patch) else {
        return Err(PatchError("invalid JSON document".into()));
    };
    merge_object(current, patch)
}

/// The merge patch (RFC 7386) that makes one object of another.
pub fn json_merge_difference(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return after.clone() };
    let mut patch = serde_json::Map::new();
    for (field, value) in new {
        match old.get(field) {
            Some(same) if same == value => {}
            Some(other) if other.is_object() && value.is_object() => {
                patch.insert(field.clone(), json_merge_difference(other, value));
            }
            _ => drop(patch.insert(field.clone(), value.clone())),
        }
    }
    for field in old.keys().filter(|field| !new.contains_key(*field)) {
        patch.insert(field.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// Applies a merge patch (RFC 7386): objects merge, null deletes, everything else is replaced.
pub fn json_merge_patch(current: &Value, patch: &Value) -> Value {
    let Value::Object(changes) = patch else { return without_nulls(patch) };
    let mut merged = current.as_object().cloned().unwrap_or_default();
    for (field, change) in changes {
        match (merged.get(field), change) {
            (_, Value::Null) => {
                merged.remove(field);
            }
            (Some(old @ Value::Object(_)), Value::Object(_)) => {
                let value = json_merge_patch(old, change);
                merged.insert(field.clone(), value);
            }
            _ => {
                merged.insert(field.clone(), without_nulls(change));
            }
        }
    }
    Value::Object(merged)
}

/// A value without the fields that are null, at any depth; in a list null stays.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(field, value)| (field.clone(), without_nulls(value))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(without_nulls).collect()),
        plain => plain.clone(),
    }
}

/// Brings a merged list into order. Items named in `order` follow it; the others keep the place they have in `before`.
/// Where both claim a place, the position in `before` decides, and what is new comes first.
pub(super) fn in_order(items: Vec<(String, Value)>, order: &[String], before: &[String]) -> Vec<Value> {
    let place = |list: &[String], key: &String| list.iter().position(|other| other == key);
    let (mut named, mut others): (Vec<_>, Vec<_>) =
        items.into_iter().partition(|(key, _)| order.contains(key));
    named.sort_by_key(|(key, _)| place(order, key));
    others.sort_by_key(|(key, _)| place(before, key));
    let mut list = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (key, item) in named {
        if let Some(limit) = place(before, &key) {
            while let Some((_, other)) =
                others.next_if(|(other, _)| place(before, other).is_some_and(|place| place < limit))
            {
                list.push(other);
            }
        }
        list.push(item);
    }
    list.extend(others.map(|(_, item)| item));
    list
}

/// What [`in_order`] is to take for the list as it was, when items were deleted from it and others added under a given
/// order: kubectl lets as many of the new ones as were deleted take their places at the end.
pub(super) fn places_after_deletion(
    before: &[String],
    is_deleted: impl Fn(&String) -> bool,
    added: &[String],
) -> Vec<String> {
    let mut places: Vec<String> = before.iter().filter(|key| !is_deleted(key)).cloned().collect();
    let freed = before.len() - places.len();
    places.extend(added.iter().take(freed).cloned());
    places
}

fn merge_object(current: &Value, patch: &Map<String, Value>) -> Result<Value, PatchError> {
    let is_directive = |field: &str| field.starts_with('$');
    match patch.get(PATCH).map(|directive| directive.as_str().unwrap_or_default()) {
        None | Some("merge") => {}
        Some("replace") => {
            let mut replaced = patch.clone();
            replaced.remove(PATCH);
            return Ok(Value::Object(replaced));
        }
        Some("delete") => return Ok(Value::Object(Map::new())),
        Some(_) => return Err(unknown_directive(patch)),
    }
    let mut merged = current.as_object().cloned().unwrap_or_default();
    if let Some(retained) = patch.get(RETAIN_KEYS) {
        let retained: Vec<&str> =
            retained.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if patch.keys().any(|field| !is_directive(field) && !retained.contains(&field.as_str())) {
            return Err(PatchError("invalid patch format of retainKeys".into()));
        }
        merged.retain(|field, _| retained.contains(&field.as_str()));
    }
    for (directive, values) in patch {
        if let Some(field) = directive.strip_prefix(DELETE_FROM_PRIMITIVE_LIST)
            && let (Some(Value::Array(list)), Some(values)) = (merged.get_mut(field), values.as_array())
        {
            list.retain(|item| !values.contains(item));
        }
    }
    for (field, change) in patch.iter().filter(|(field, _)| !is_directive(field)) {
        let value = match (merged.get(field), change) {
            (_, Value::Null) => {
                merged.remove(field);
                continue;
            }
            (Some(old @ Value::Object(_)), Value::Object(change)) => merge_object(old, change)?,
            (Some(Value::Array(old)), Value::Array(change)) => match list_key(field) {
                Some(key) => {
                    let order = patch.get(&format!("{SET_ELEMENT_ORDER}{field}"));
                    Value::Array(merge_list(old, change, key, order)?)
                }
                None => without_nulls(&Value::Array(change.clone())),
            },
            _ => added(change, list_key(field))?,
        };
        merged.insert(field.clone(), value);
    }
    for (directive, order) in patch {
        // An order without changes to the list itself.
        if let Some(field) = directive.strip_prefix(SET_ELEMENT_ORDER)
            && !patch.contains_key(field)
            && let (Some(key), Some(Value::Array(old))) = (list_key(field), merged.get(field))
        {
            let list = merge_list(old, &[], key, Some(order))?;
            merged.insert(field.to_owned(), Value::Array(list));
        }
    }
    Ok(Value::Object(merged))
}

/// A value for a field that was absent: directives in it have nothing to act on.
fn added(value: &Value, key: Option<ListKey>) -> Result<Value, PatchError> {
    match (value, key) {
        (Value::Object(map), _) => merge_object(&Value::Null, map),
        (Value::Array(list), Some(key)) => Ok(Value::Array(merge_list(&[], list, key, None)?)),
        _ => Ok(without_nulls(value)),
    }
}

fn merge_list(
    old: &[Value],
    patch: &[Value],
    key: ListKey,
    order: Option<&Value>,
) -> Result<Vec<Value>, PatchError> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).map(str::to_owned);
    if patch.iter().any(|item| directive(item).as_deref() == Some("replace")) {
        return Ok(patch.iter().filter(|item| directive(item).is_none()).map(without_nulls).collect());
    }
    let mut items = keyed(old, key)?;
    let mut before: Vec<String> = items.iter().map(|(key, _)| key.clone()).collect();
    let mut named = Vec::new();
    for (known_by, item) in keyed(patch, key)? {
        let place = items.iter().position(|(other, _)| *other == known_by);
        match (item.as_object(), directive(&item).as_deref()) {
            (Some(_), Some("delete")) => {
                items.retain(|(other, _)| *other != known_by);
                continue;
            }
            (Some(map), _) => {
                let old = place.map_or(&Value::Null, |place| &items[place].1);
                let merged = merge_object(old, map)?;
                match place {
                    Some(place) => items[place].1 = merged,
                    None => items.push((known_by.clone(), merged)),
                }
            }
            (None, _) if place.is_none() => items.push((known_by.clone(), item)),
            (None, _) => {}
        }
        named.push(known_by);
    }
    if let Some(order) = order.and_then(Value::as_array) {
        let added: Vec<String> = named.iter().filter(|key| !before.contains(key)).cloned().collect();
        let is_deleted = |key: &String| !items.iter().any(|(other, _)| other == key);
        before = places_after_deletion(&before, is_deleted, &added);
        named = keyed(order, key)?.into_iter().map(|(key, _)| key).collect();
    }
    Ok(in_order(items, &named, &before))
}

fn keyed(list: &[Value], key: ListKey) -> Result<Vec<(String, Value)>, PatchError> {
    list.iter()
        .map(|item| match key.of(item) {
            Some(known_by) => Ok((known_by, item.clone())),
            None => Err(PatchError(format!(
                "map: {} does not contain declared merge key: {}",
                go_map(item),
                key.name()
            ))),
        })
        .collect()
}

fn unknown_directive(patch: &Map<String, Value>) -> PatchError {
    let directive = patch.get(PATCH).map(go_map).unwrap_or_default();
    PatchError(format!("unknown patch type: {directive} in map: {}", go_map(&Value::Object(patch.clone()))))
}

/// A value as Go's `%v` prints it: `map[image:a name:b]`.
fn go_map(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(field, value)| format!("{field}:{}", go_map(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(go_map).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        plain => plain.to_string(),
    }
}

#[cfg(test)]
mod tests;
