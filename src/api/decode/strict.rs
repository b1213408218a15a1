//! A value -> a typed object, with every field that the type does not know and the first that does not fit.

mod bytes;
mod canonical;
mod go;

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment, Track};

use super::TypeMeta;
use crate::api::number;

/// How many values of one object are rewritten into what the types take.
const MAX_FITTED: usize = 1_000;

/// A typed object, and what its type did not take.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The object.
    pub object: T,
    /// The fields that the type does not have, as `spec.template.spec.containers[0].comand`, in the order
    /// in which an API server names them.
    pub unknown_fields: Vec<String>,
}

/// A field that holds something else than its type takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// The field, as `spec.template.spec.containers[0].name`; empty for the object itself.
    pub path: String,
    /// What is wrong, in Go's words: `json: cannot unmarshal string into Go struct field …`.
    pub problem: String,
    kind: String,
    api_version: String,
}

impl TypeError {
    fn new(value: &Value, path: String, problem: String) -> Self {
        let text = |field| value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { path, problem, kind: text("kind"), api_version: text("apiVersion") }
    }
}

impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TypeError { problem, kind, api_version, .. } = self;
        f.write_str(&cannot_be_handled(kind, api_version, problem))
    }
}

impl std::error::Error for TypeError {}

/// What an API server answers under strict validation to an object with problems, such as `unknown field "spec.x"`.
pub fn strict_decoding_error(type_meta: &TypeMeta, problems: &[String]) -> String {
    let problem = format!("strict decoding error: {}", problems.join(", "));
    cannot_be_handled(&type_meta.kind, &type_meta.api_version, &problem)
}

fn cannot_be_handled(kind: &str, api_version: &str, problem: &str) -> String {
    let version = api_version.rsplit('/').next().unwrap_or_default();
    format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {problem}")
}

/// Decodes an object whose kind and version the caller has checked, as a server would keep it: a field that is null, or
/// empty, counts as absent, and quantities are in their one form.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<Decoded<T>, TypeError> {
    let mut value = match bytes::canonical(value) {
        Ok(None) => Cow::Borrowed(value),
        Ok(Some(rewritten)) => Cow::Owned(rewritten),
        Err((path, problem)) => return Err(TypeError::new(value, path, problem)),
    };
    for _ in 0..MAX_FITTED {
        match decode(&value) {
            Ok(decoded) => return with_good_quantities(&value, decoded).map(|decoded| kept(&value, decoded)),
            Err((path, _)) if is_fitting(&value, &path) => fit(value.to_mut(), &path),
            Err((path, error)) => return Err(type_error(&value, &path, &error)),
        }
    }
    decode(&value).map_err(|(path, error)| type_error(&value, &path, &error))
}

/// The object as it is kept. What of the value was not taken is known already.
fn kept<T: DeserializeOwned>(value: &Value, decoded: Decoded<T>) -> Decoded<T> {
    let again = canonical::canonical(value).and_then(|value| decode(&value).ok());
    let Some(Decoded { object, .. }) = again else { return decoded };
    Decoded { object, ..decoded }
}

/// The types take any text for a quantity.
fn with_good_quantities<T>(value: &Value, decoded: Decoded<T>) -> Result<Decoded<T>, TypeError> {
    match go::bad_quantity(value) {
        None => Ok(decoded),
        Some((path, problem)) => Err(TypeError::new(value, path, problem.to_owned())),
    }
}

fn decode<T: DeserializeOwned>(value: &Value) -> Result<Decoded<T>, (Path, serde_json::Error)> {
    let mut unknown_fields = Vec::new();
    let mut track = Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(value, &mut track);
    let mut note = |path: serde_ignored::Path<'_>| unknown_fields.push(unknown_field(&path));
    // One type for all kinds: with a closure of each, all that a pod is made of would be compiled once for each.
    let note: &mut dyn FnMut(serde_ignored::Path<'_>) = &mut note;
    let decoded = serde_ignored::deserialize(deserializer, note);
    match decoded {
        Ok(object) => Ok(Decoded { object, unknown_fields }),
        Err(error) => Err((track.path(), error)),
    }
}

/// The path of an ignored field. Layers of the Rust types are no part of it.
fn unknown_field(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path as Ignored;
    match path {
        Ignored::Root => String::new(),
        Ignored::Seq { parent, index } => format!("{}[{index}]", unknown_field(parent)),
        Ignored::Map { parent, key } => join(&unknown_field(parent), key),
        Ignored::Some { parent } | Ignored::NewtypeStruct { parent } | Ignored::NewtypeVariant { parent } => {
            unknown_field(parent)
        }
    }
}

fn join(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

fn find<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, segment| match segment {
        Segment::Seq { index } => value.get(index),
        Segment::Map { key } => value.get(key),
        _ => None,
    })
}

/// Whether Go takes this value although the Rust types do not: null as an element of a list or a map
/// (`data: {KEY: }`), and a fraction as a quantity (`cpu: 0.5`).
fn is_fitting(value: &Value, path: &Path) -> bool {
    match find(value, path) {
        Some(Value::Null) => path.iter().len() > 0,
        Some(Value::Number(number)) => number.is_f64() && go::is_quantity(path),
        _ => false,
    }
}

fn fit(value: &mut Value, path: &Path) {
    let found = path.iter().try_fold(value, |value, segment| match segment {
        Segment::Seq { index } => value.get_mut(index),
        Segment::Map { key } => value.get_mut(key),
        _ => None,
    });
    let Some(found) = found else { return };
    *found = match found.as_f64() {
        Some(float) => number::json(float).into(),
        None if go::is_quantity(path) => "0".into(),
        None if go::holds_objects(path) => Value::Object(serde_json::Map::new()),
        None => "".into(),
    };
}

fn type_error(value: &Value, path: &Path, error: &serde_json::Error) -> TypeError {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let names = path.iter().fold(String::new(), |names, segment| match segment {
        Segment::Seq { index } => format!("{names}[{index}]"),
        Segment::Map { key } => join(&names, key),
        _ => names,
    });
    let problem = go::problem(kind, path, find(value, path), &error.to_string());
    TypeError::new(value, names, problem)
}
