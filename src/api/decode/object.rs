//! What kind of object a document is, and what is in it when it is a list.

use serde_json::Value;

use super::{DecodeError, DuplicateField, MAX_OBJECTS, Parsed};

/// How much of an object without a kind is quoted back.
const EXCERPT: usize = 1_000;

/// What an object says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeMeta {
    /// Group and version, such as `batch/v1`; empty when the object does not say.
    pub api_version: String,
    /// The kind, such as `Job`.
    pub kind: String,
}

/// Reads an object's kind and version. Only a missing kind is an error here: whether the two together name
/// anything is the caller's to say.
pub fn type_meta(object: &Value) -> Result<TypeMeta, DecodeError> {
    let found = match object {
        Value::Object(map) => {
            let text = |field| map.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            let kind = text("kind");
            if !kind.is_empty() {
                return Ok(TypeMeta { api_version: text("apiVersion"), kind });
            }
            return Err(DecodeError::new(None, format!("Object 'Kind' is missing in '{}'", excerpt(object))));
        }
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
    };
    Err(DecodeError::new(
        None,
        format!("json: cannot unmarshal {found} into Go value of type unstructured.detector"),
    ))
}

fn excerpt(object: &Value) -> String {
    let mut text = object.to_string();
    if let Some((end, _)) = text.char_indices().nth(EXCERPT) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The objects of a list, those of lists inside it too; anything else is itself. A typed list (`JobList`)
/// lends its kind and version to items that have none. Of more than [`MAX_OBJECTS`] only one more is given.
pub fn flatten(document: Parsed) -> Vec<Parsed> {
    let mut objects = Vec::new();
    flatten_into(document, &mut objects);
    objects
}

fn flatten_into(document: Parsed, objects: &mut Vec<Parsed>) {
    if objects.len() > MAX_OBJECTS {
        return;
    }
    let Parsed { value: mut object, duplicate_fields } = document;
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(item_kind) = kind.strip_suffix("List").map(str::to_owned) else {
        return objects.push(Parsed { value: object, duplicate_fields });
    };
    let api_version = object.get("apiVersion").cloned();
    let items = match object.get_mut("items").map(Value::take) {
        Some(Value::Array(mut items)) => {
            items.truncate(MAX_OBJECTS + 1);
            items
        }
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return objects.push(Parsed { value: object, duplicate_fields }),
    };
    let mut duplicate_fields = by_item(duplicate_fields, items.len());
    for (index, mut item) in items.into_iter().enumerate() {
        if let Value::Object(map) = &mut item
            && !item_kind.is_empty()
        {
            if let Some(api_version) = &api_version {
                map.entry("apiVersion").or_insert_with(|| api_version.clone());
            }
            map.entry("kind").or_insert_with(|| item_kind.as_str().into());
        }
        let duplicate_fields = std::mem::take(&mut duplicate_fields[index]);
        flatten_into(Parsed { value: item, duplicate_fields }, objects);
    }
}

/// Which items have which fields twice. Those of the list itself go to the first.
fn by_item(duplicate_fields: Vec<DuplicateField>, count: usize) -> Vec<Vec<DuplicateField>> {
    let mut of_items = vec![Vec::new(); count];
    for mut duplicate in duplicate_fields {
        let inside = duplicate.path.strip_prefix("items[").and_then(|rest| {
            let (index, path) = rest.split_once("].")?;
            Some((index.parse::<usize>().ok()?, path.to_owned()))
        });
        let index = inside.as_ref().map_or(0, |(index, _)| *index);
        if let Some((_, path)) = inside {
            duplicate.path = path;
        }
        if let Some(of_item) = of_items.get_mut(index) {
            of_item.push(duplicate);
        }
    }
    of_items
}
