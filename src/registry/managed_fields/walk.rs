//! Walks over objects by their types: which fields they have, how two differ, what merging and removing make of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::field_set::{FieldSet, shown};
use super::structure::{Plain, Relation, Type, step_of_item};

/// How two objects differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) added: FieldSet,
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
}

/// Whether two values are the same; numbers are compared as such.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|found| is_same(value, found)))
        }
        _ => one == other,
    }
}

/// The items of a list by the steps to them, in their order; several of one step stand together.
fn items<'a>(
    relation: &Relation,
    list: Option<&'a Value>,
) -> (Vec<String>, BTreeMap<String, Vec<&'a Value>>) {
    let (mut order, mut found) = (Vec::new(), BTreeMap::<String, Vec<&Value>>::new());
    for item in list.and_then(Value::as_array).into_iter().flatten() {
        let step = step_of_item(relation, item);
        let same = found.entry(step.clone()).or_default();
        if same.is_empty() {
            order.push(step);
        }
        same.push(item);
    }
    (order, found)
}

fn entry<'a>(value: Option<&'a Value>, field: &str) -> Option<&'a Value> {
    value.and_then(|value| value.get(field))
}

fn field_names<'a>(values: &[Option<&'a Value>]) -> BTreeSet<&'a String> {
    values.iter().flatten().filter_map(|value| value.as_object()).flat_map(Map::keys).collect()
}

fn is_void(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        _ => true,
    }
}

/// The fields of an object.
pub(super) fn field_set(value: &Value, of: &Type) -> FieldSet {
    let mut set = FieldSet::default();
    add_fields(value, of, &mut Vec::new(), &mut set);
    set
}

fn add_fields(value: &Value, of: &Type, path: &mut Vec<String>, set: &mut FieldSet) {
    if of.is_leaf() {
        set.insert(path);
        return;
    }
    if let Type::List(relation, inner) = of {
        for (step, found) in items(relation, Some(value)).1 {
            path.push(step);
            if let [single] = found.as_slice() {
                add_fields(single, inner, path, set);
            }
            set.insert(path);
            path.pop();
        }
        return;
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let Some((of, is_named)) = of.field(name) else { continue };
        path.push(format!("f:{name}"));
        add_fields(inner, of, path, set);
        if !is_named || inner.is_null() || inner.as_object().is_some_and(Map::is_empty) {
            set.insert(path);
        }
        path.pop();
    }
}

/// How a new object differs from an old one.
pub(super) fn compare(old: &Value, new: &Value, of: &Type) -> Comparison {
    let mut comparison = Comparison::default();
    add_differences(Some(old), Some(new), of, &mut Vec::new(), &mut comparison);
    comparison
}

fn add_differences(
    old: Option<&Value>,
    new: Option<&Value>,
    of: &Type,
    path: &mut Vec<String>,
    to: &mut Comparison,
) {
    // What is there and empty is another thing than what is not there.
    if of.is_leaf() || (is_void(old) && is_void(new)) {
        match (old, new) {
            (None, Some(_)) => to.added.insert(path),
            (Some(_), None) => to.removed.insert(path),
            (Some(old), Some(new)) if !is_same(old, new) => to.modified.insert(path),
            _ => {}
        }
        return;
    }
    if let Type::List(relation, inner) = of {
        let (before, after) = (items(relation, old).1, items(relation, new).1);
        let steps: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for step in steps {
            path.push(step.clone());
            let one = |found: &BTreeMap<String, Vec<&Value>>| found.get(step).map_or(0, Vec::len);
            match (one(&before), one(&after)) {
                (0 | 1, 0 | 1) => {
                    let of_step = |found: &BTreeMap<String, Vec<&'_ Value>>| {
                        found.get(step).map(|same| same[0].clone())
                    };
                    let (old, new) = (of_step(&before), of_step(&after));
                    add_differences(old.as_ref(), new.as_ref(), inner, path, to);
                }
                (0, _) => to.added.insert(path),
                (_, 0) => to.removed.insert(path),
                // Items that nothing tells apart are one thing.
                _ if before[step].iter().zip(&after[step]).all(|(old, new)| is_same(old, new))
                    && before[step].len() == after[step].len() => {}
                _ => to.modified.insert(path),
            }
            path.pop();
        }
    } else {
        for name in field_names(&[old, new]) {
            let Some((inner, _)) = of.field(name) else { continue };
            path.push(format!("f:{name}"));
            add_differences(entry(old, name), entry(new, name), inner, path, to);
            path.pop();
        }
    }
    if old.is_none() {
        to.added.insert(path);
    }
    if new.is_none() {
        to.removed.insert(path);
    }
}

/// What applying makes of an object: what is applied counts, and what it does not say stays.
pub(super) fn merge(live: Option<&Value>, applied: Option<&Value>, of: &Type) -> Option<Value> {
    if of.is_leaf() || (is_void(live) && is_void(applied)) {
        return applied.or(live).cloned();
    }
    if let Type::List(relation, inner) = of {
        let merged = merge_lists(relation, live, applied, inner);
        return (!merged.is_empty()).then_some(Value::Array(merged));
    }
    let mut merged = Map::new();
    for name in field_names(&[live, applied]) {
        let Some((inner, _)) = of.field(name) else { continue };
        let value = merge(entry(live, name), entry(applied, name), inner);
        merged.extend(value.map(|value| (name.clone(), value)));
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

/// The items of both, in the order of what is applied; what is only there already stays where it stood between the others.
fn merge_lists(relation: &Relation, live: Option<&Value>, applied: Option<&Value>, of: &Type) -> Vec<Value> {
    let (live_order, live) = items(relation, live);
    let (applied_order, applied) = items(relation, applied);
    let mut shared = applied_order.iter().filter(|step| live.contains_key(*step)).peekable();
    let mut merged = Vec::new();
    let mut take = |step: &String| match (live.get(step), applied.get(step)) {
        (Some(stays), None) => merged.extend(stays.iter().copied().cloned()),
        (stays, new) => {
            let of_step = |found: Option<&Vec<&Value>>| found.and_then(|same| same.first().copied().cloned());
            merged.extend(merge(of_step(stays).as_ref(), of_step(new).as_ref(), of));
        }
    };
    let (mut before, mut after) = (live_order.iter().peekable(), applied_order.iter().peekable());
    while before.peek().is_some() || after.peek().is_some() {
        match (before.peek().copied(), after.peek().copied()) {
            (Some(step), Some(new)) if step == new => {
                before.next();
            }
            // Its turn comes with what is applied.
            (Some(step), Some(_)) if applied.contains_key(step) && shared.peek() != Some(&step) => {
                before.next();
                continue;
            }
            (Some(step), _) if !applied.contains_key(step) => {
                take(step);
                before.next();
                continue;
            }
            // What is applied has been taken.
            (Some(_), None) => {
                before.next();
                continue;
            }
            _ => {}
        }
        if let Some(step) = after.next() {
            take(step);
            if shared.peek() == Some(&step) {
                shared.next();
            }
        }
    }
    merged
}

/// An object without some fields. Where everything goes that an object had, nothing is left of it.
pub(super) fn remove(value: &Value, fields: &FieldSet, of: &Type) -> Option<Value> {
    if of.is_leaf() {
        return Some(value.clone());
    }
    if let Type::List(relation, inner) = of {
        let left = value.as_array().into_iter().flatten().filter_map(|item| {
            let step = step_of_item(relation, item);
            match fields.below(&step) {
                _ if fields.has(&step) => None,
                Some(below) => remove(item, below, inner),
                None => Some(item.clone()),
            }
        });
        let left: Vec<Value> = left.collect();
        return (!left.is_empty()).then_some(Value::Array(left));
    }
    let mut left = Map::new();
    for (name, inner) in value.as_object().into_iter().flatten() {
        let step = format!("f:{name}");
        if fields.has(&step) {
            continue;
        }
        let kept = match (fields.below(&step), of.field(name)) {
            (Some(below), Some((of, _))) => remove(inner, below, of).unwrap_or_default(),
            _ => inner.clone(),
        };
        left.insert(name.clone(), kept);
    }
    (!left.is_empty()).then_some(Value::Object(left))
}

/// The set with every field that the type names and that leads to a member.
pub(super) fn with_named_fields(set: &FieldSet, of: &Type) -> FieldSet {
    let is_named = |step: &str| {
        step.strip_prefix("f:").and_then(|name| of.field(name)).is_some_and(|(_, is_named)| is_named)
    };
    set.with_ways(is_named, |step, below| match of.at(step) {
        Some(inner) => with_named_fields(below, inner),
        None => below.clone(),
    })
}

/// What of an applied object is not as its type says.
pub(super) fn problems(value: &Value, of: &Type) -> Vec<String> {
    let mut problems = Vec::new();
    add_problems(value, of, "", &mut problems);
    problems
}

fn add_problems(value: &Value, of: &Type, path: &str, problems: &mut Vec<String>) {
    let mut expect = |wanted: &str| problems.push(format!("{path}: expected {wanted}, got {value}"));
    match (of, value) {
        (_, Value::Null) | (Type::Plain(Plain::Any), _) => {}
        (Type::Plain(Plain::Text), Value::String(_))
        | (Type::Plain(Plain::Number), Value::Number(_))
        | (Type::Plain(Plain::Boolean), Value::Bool(_)) => {}
        (Type::Plain(Plain::Text), _) => expect("string"),
        (Type::Plain(Plain::Number), _) => expect("numeric (int or float)"),
        (Type::Plain(Plain::Boolean), _) => expect("boolean"),
        (Type::List(relation, inner), Value::Array(list)) => {
            let mut seen = BTreeSet::new();
            for (index, item) in list.iter().enumerate() {
                let at = match relation {
                    Relation::Atomic => format!("{path}[{index}]"),
                    _ => {
                        let step = step_of_item(relation, item);
                        let name = shown(&step);
                        if !seen.insert(step) {
                            problems.push(format!("{path}: duplicate entries for key {name}"));
                        }
                        format!("{path}{name}")
                    }
                };
                add_problems(item, inner, &at, problems);
            }
        }
        (Type::List(..), _) => expect("list"),
        (Type::Object(_) | Type::Map { .. }, Value::Object(fields)) => {
            for (name, inner) in fields {
                let at = format!("{path}.{name}");
                match of.field(name) {
                    Some((of, _)) => add_problems(inner, of, &at, problems),
                    None => problems.push(format!("{at}: field not declared in schema")),
                }
            }
        }
        (Type::Object(_) | Type::Map { .. }, _) => expect("map"),
    }
}
