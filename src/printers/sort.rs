//! `--sort-by`: objects in the order of a field.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::go_value::type_name;
use super::jsonpath::{Error, Template};
use crate::api::quantity::nanos;

/// Sorts objects by the first value at a path; objects without one come first, equal ones keep their order.
///
/// The error is kubectl's: a path that cannot be read or that no object has, or values without an order.
pub fn sort_by(items: &mut Vec<Value>, path: &str) -> Result<(), Error> {
    let order = sorted_order(items, path)?;
    let mut old: Vec<Option<Value>> = std::mem::take(items).into_iter().map(Some).collect();
    items.extend(order.into_iter().filter_map(|i| old[i].take()));
    Ok(())
}

/// The indexes of the objects in the order that `sort_by` would give them.
pub fn sorted_order(items: &[Value], path: &str) -> Result<Vec<usize>, Error> {
    let mut order: Vec<usize> = (0..items.len()).collect();
    if path.is_empty() {
        return Ok(order);
    }
    let template = Template::parse_relaxed(path)?;
    let mut keys: Vec<Option<Cow<'_, Value>>> = Vec::with_capacity(items.len());
    for item in items {
        keys.push(template.find_groups(item)?.into_iter().next().and_then(|group| group.into_iter().next()));
    }
    if !items.is_empty() && keys.iter().all(Option::is_none) {
        return Err(Error(format!(
            "couldn't find any field with path {:?} in the list of objects",
            template.text()
        )));
    }
    let set = || keys.iter().flatten().filter(|key| !key.is_null());
    if let Some(unsortable) =
        set().find(|key| !key.is_string() && !key.is_number()).filter(|_| items.len() > 1)
    {
        return Err(Error(format!(
            "Field {} in *unstructured.Unstructured is an unsortable type: interface, err: unsortable type: {}",
            template.text(),
            type_name(unsortable)
        )));
    }
    // Upstream asks this pair by pair, which is no order where some values are quantities and some are not.
    let quantities = set().all(|key| key.as_str().is_some_and(|text| nanos(text).is_some()));
    order.sort_by(|&a, &b| match (&keys[a], &keys[b]) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => compare(a, b, quantities),
    });
    Ok(order)
}

/// An order of all values of one sort: objects of one kind have values of one type, but nothing enforces it.
fn compare(a: &Value, b: &Value, quantities: bool) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let float = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::NAN);
            // Integers beyond a float's precision are told apart by the second comparison.
            float(a).total_cmp(&float(b)).then_with(|| a.as_i64().cmp(&b.as_i64()))
        }
        (Value::String(a), Value::String(b)) if quantities => nanos(a).cmp(&nanos(b)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        (Value::Number(_), _) => Ordering::Less,
        _ => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(items: &[Value], path: &str) -> Result<Vec<String>, String> {
        let mut items = items.to_vec();
        sort_by(&mut items, path).map_err(|e| e.to_string())?;
        Ok(items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect())
    }

    #[test]
    fn objects_are_sorted_by_a_field() {
        let items = [
            json!({"name": "p10", "n": 2, "q": "1Gi", "t": "2026-01-02T00:00:00Z", "m": {}}),
            json!({"name": "p9", "n": 10, "q": "500Mi", "t": "2026-01-01T00:00:00Z", "m": {}}),
            json!({"name": "p1", "z": 1}),
        ];
        for (sentence, path, expected) in [
            ("names by their bytes", ".name", Ok(vec!["p1", "p10", "p9"])),
            ("numbers, the missing one first", "{.n}", Ok(vec!["p1", "p10", "p9"])),
            ("quantities", "q", Ok(vec!["p1", "p9", "p10"])),
            ("times", ".t", Ok(vec!["p1", "p9", "p10"])),
            ("only one has it", ".z", Ok(vec!["p10", "p9", "p1"])),
            ("no path, no change", "", Ok(vec!["p10", "p9", "p1"])),
            (
                "none has it",
                ".nope",
                Err("couldn't find any field with path \"{.nope}\" in the list of objects"),
            ),
            (
                "two paths",
                "{a}{b}",
                Err(
                    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
                     '{.name1.name2}'",
                ),
            ),
            (
                "objects have no order",
                ".m",
                Err(
                    "Field {.m} in *unstructured.Unstructured is an unsortable type: interface, err: unsortable \
                     type: map[string]interface {}",
                ),
            ),
        ] {
            let expected: Result<Vec<String>, String> =
                expected.map(|v| v.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(names(&items, path), expected, "{sentence}");
        }
    }
}
