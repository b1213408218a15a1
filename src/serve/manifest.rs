//! The object that a request brings.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::dispatch::Asked;
use super::protobuf::{self, PROTOBUF};
use super::status::Problem;
use crate::api::decode::{self, TypeMeta, strict};
use crate::api::kinds::{Kind, RESOURCES};
use crate::api::quoted::quoted;
use crate::apiserver::FieldValidation;

/// What the path of the request says of it.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) namespace: Option<String>,
    /// Of an object that is there.
    pub(super) name: Option<String>,
}

/// Reads the body as an object of the kind, with what goes without saying filled in. What is to be said of fields that it has
/// twice comes with it.
///
/// # Errors
/// A type that we do not read; what is no object, or another one than the path says; fields that it has twice, where these are
/// refused.
pub(super) fn read(
    asked: &Asked,
    wanted: &Wanted,
    validation: FieldValidation,
) -> Result<(Value, Vec<String>), Problem> {
    let of = (&*wanted.kind.api_version(), wanted.kind.as_str());
    let mut value = document(asked, of)?;
    name_type(&mut value, of)?;
    let duplicates = fields_given_twice(asked, validation);
    refuse_under(validation, of, &duplicates)?;
    check_place(&mut value, wanted)?;
    Ok((value, duplicates))
}

/// Reads the body as an object that is not kept, such as a review: an API version, a kind, and the type that says what its
/// fields are. What is to be said of fields comes with it.
///
/// # Errors
/// As [`read`], and a field of another type.
pub(super) fn read_as<T: DeserializeOwned>(
    asked: &Asked,
    of: (&str, &str),
    validation: FieldValidation,
) -> Result<(Value, Vec<String>), Problem> {
    let mut value = document(asked, of)?;
    let warnings = hold_to::<T>(asked, &mut value, of, validation)?;
    Ok((value, warnings))
}

/// As [`read_as`], of the body as it was read.
pub(super) fn hold_to<T: DeserializeOwned>(
    asked: &Asked,
    value: &mut Value,
    of: (&str, &str),
    validation: FieldValidation,
) -> Result<Vec<String>, Problem> {
    let mut problems = fields_given_twice(asked, validation);
    problems.extend(fit::<T>(value, of)?);
    refuse_under(validation, of, &problems)?;
    Ok(if validation == FieldValidation::Ignore { Vec::new() } else { problems })
}

/// Holds an object to its type, and names that in it. The answer is what is to be said of fields that the type lacks.
///
/// # Errors
/// Another kind, and a field of another type.
pub(super) fn fit<T: DeserializeOwned>(value: &mut Value, of: (&str, &str)) -> Result<Vec<String>, Problem> {
    name_type(value, of)?;
    let decoded = strict::from_value::<T>(value).map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(decoded.unknown_fields.iter().map(|field| format!("unknown field \"{field}\"")).collect())
}

/// Refuses an object of another type. One that says nothing is of this one, and says so from then on.
fn name_type(value: &mut Value, (version, kind): (&str, &str)) -> Result<(), Problem> {
    check_type(value, (version, kind))?;
    value["kind"] = json!(kind);
    value["apiVersion"] = json!(version);
    Ok(())
}

fn refuse_under(
    validation: FieldValidation,
    (version, kind): (&str, &str),
    problems: &[String],
) -> Result<(), Problem> {
    if validation != FieldValidation::Strict || problems.is_empty() {
        return Ok(());
    }
    let meta = TypeMeta { api_version: version.into(), kind: kind.into() };
    Err(Problem::bad_request(strict::strict_decoding_error(&meta, problems)))
}

fn fields_given_twice(asked: &Asked, validation: FieldValidation) -> Vec<String> {
    if validation == FieldValidation::Ignore || asked.content_type() == Some(PROTOBUF) {
        return Vec::new();
    }
    let document = decode::documents(&asked.body).next().and_then(Result::ok);
    let fields = document.into_iter().flat_map(|document| document.duplicate_fields);
    fields.map(|field| format!("duplicate field {}", quoted(&field.path))).collect()
}

/// Reads the body as an object. What it should be are an API version and a kind.
///
/// # Errors
/// A type that we do not read; what is no object.
pub(super) fn document(asked: &Asked, (version, kind): (&str, &str)) -> Result<Value, Problem> {
    match asked.content_type() {
        None | Some("application/json") => json(&asked.body, kind),
        Some("application/yaml") => yaml(&asked.body),
        Some(PROTOBUF) => protobuf(&asked.body, (version, kind)),
        _ => Err(Problem::unsupported_media_type(true)),
    }
}

fn json(body: &[u8], kind: &str) -> Result<Value, Problem> {
    let unrecognized = |why: String, body: &str| {
        Problem::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {why} ({body})"
        ))
    };
    match serde_json::from_slice(body) {
        Ok(value) => match no_type(&value) {
            None => Ok(value),
            Some(why) => {
                let hex: String = body.iter().take(100).map(|byte| format!("{byte:02x}")).collect();
                Err(unrecognized(why, &hex))
            }
        },
        Err(error) => {
            let text = String::from_utf8_lossy(body);
            let text = if text.is_empty() { "<empty>" } else { &*text };
            Err(unrecognized(json_problem(&error), text))
        }
    }
}

fn protobuf(body: &[u8], (version, kind): (&str, &str)) -> Result<Value, Problem> {
    protobuf::decode(body, (version, kind)).map_err(|why| {
        Problem::bad_request(format!("the object provided is unrecognized (must be of type {kind}): {why}"))
    })
}

pub(super) fn yaml(body: &[u8]) -> Result<Value, Problem> {
    let mut documents = decode::documents(body);
    match documents.next() {
        Some(Ok(document)) if document.value.is_object() => match no_type(&document.value) {
            None => Ok(document.value),
            Some(why) => {
                Err(Problem::bad_request(format!("couldn't get version/kind; json parse error: {why}")))
            }
        },
        Some(Ok(_)) | None => Err(Problem::bad_request("error converting YAML to JSON: there is no object")),
        Some(Err(error)) => Err(Problem::bad_request(error.to_string())),
    }
}

/// A problem of JSON text, as Go words the usual one.
pub(super) fn json_problem(error: &serde_json::Error) -> String {
    if error.is_eof() { "unexpected end of JSON input".into() } else { error.to_string() }
}

/// Why the type of an object cannot be read from a document, in Go's words.
pub(super) fn no_type(value: &Value) -> Option<String> {
    let Value::Object(fields) = value else {
        let go = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
        return Some(format!("json: cannot unmarshal {} into Go value of type {go}", json_type(value)));
    };
    ["apiVersion", "kind"].into_iter().find_map(|name| match fields.get(name) {
        None | Some(Value::Null | Value::String(_)) => None,
        Some(other) => {
            let other = json_type(other);
            Some(format!("json: cannot unmarshal {other} into Go struct field .{name} of type string"))
        }
    })
}

/// What Go calls the type of a value.
pub(super) fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Refuses an object of another type than the path names. One that says nothing is of that type.
fn check_type(value: &Value, (wanted, kind): (&str, &str)) -> Result<(), Problem> {
    let given = value["kind"].as_str().unwrap_or_default();
    let group_version = value["apiVersion"].as_str().unwrap_or_default();
    let is_kind = given.is_empty() || given == kind;
    let is_version = group_version.is_empty() || group_version == wanted;
    if is_kind && is_version {
        return Ok(());
    }
    let version = group_version.rsplit('/').next().unwrap_or_default();
    let is_known = RESOURCES
        .iter()
        .any(|resource| resource.name == given && resource.kind.api_version() == group_version);
    let detail = if is_known {
        let group = wanted.split_once('/').map_or("core", |(group, _)| group);
        let package = group.split('.').next().unwrap_or_default();
        format!("converting ({version}.{given}) to ({package}.{kind}): unknown conversion")
    } else {
        format!(
            "no kind {given} is registered for version {group_version} in scheme \"pkg/api/legacyscheme/scheme.go:30\"",
            given = quoted(given),
            group_version = quoted(group_version)
        )
    };
    let message = format!("{given} in version {} cannot be handled as a {kind}: {detail}", quoted(version));
    Err(Problem::bad_request(message))
}

/// Refuses an object that says it is elsewhere than the path. Metadata that are none are told when the object is decoded.
pub(super) fn check_place(value: &mut Value, wanted: &Wanted) -> Result<(), Problem> {
    if value["metadata"].is_null() {
        value["metadata"] = json!({});
    }
    if !value["metadata"].is_object() {
        return Ok(());
    }
    let given = |value: &Value, field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
    if let Some(namespace) = &wanted.namespace {
        let of_object = given(value, "namespace");
        if !of_object.is_empty() && of_object != *namespace {
            let message =
                "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Problem::bad_request(message));
        }
        if of_object.is_empty() && matches!(value["metadata"]["namespace"], Value::Null | Value::String(_)) {
            value["metadata"]["namespace"] = json!(namespace);
        }
    }
    if let Some(name) = &wanted.name {
        let of_object = given(value, "name");
        if of_object.is_empty() {
            return Err(Problem::bad_request(format!(
                "the name of the object ({name} based on URL) was undeterminable: name must be provided"
            )));
        }
        if of_object != *name {
            return Err(Problem::bad_request(format!(
                "the name of the object ({of_object}) does not match the name on the URL ({name})"
            )));
        }
    }
    Ok(())
}
