//! Values -> what a kubeconfig and a plugin's answer hold. As in Go, what is null counts as absent. Pure.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// # Errors
/// What does not fit, and where it is.
pub(super) fn from_value<T: DeserializeOwned>(mut value: Value) -> Result<T, String> {
    drop_nulls(&mut value);
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    })
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}
