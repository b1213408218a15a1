//! Bytes in objects: base64, which is kept in its one form.

use k8s_openapi::ByteString;
use serde_json::Value;

use crate::api::decode::base64::decode;

/// The fields of each kind that hold bytes.
const FIELDS: [(&str, &str); 2] = [("ConfigMap", "binaryData"), ("Secret", "data")];

/// Rewrites the bytes of an object into their one form; nothing where they are in it.
///
/// # Errors
/// The path of a text that is not base64, and what Go says of it.
pub(super) fn canonical(value: &Value) -> Result<Option<Value>, (String, String)> {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == kind) else { return Ok(None) };
    let Some(entries) = value.get(*field).and_then(Value::as_object) else { return Ok(None) };
    let mut rewritten: Option<Value> = None;
    for (key, text) in entries {
        let Some(text) = text.as_str() else { continue };
        let bytes = decode(text.as_bytes()).map_err(|place| {
            (format!("{field}.{key}"), format!("illegal base64 data at input byte {place}"))
        })?;
        let one_form = serde_json::to_value(ByteString(bytes)).unwrap_or_default();
        if one_form != *text {
            rewritten.get_or_insert_with(|| value.clone())[*field][key] = one_form;
        }
    }
    Ok(rewritten)
}
