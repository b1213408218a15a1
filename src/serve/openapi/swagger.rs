//! The older form of the documents, OpenAPI 2: all groups in one. Clients ask for it where a manifest is a `List`, and for
//! `explain --output=plaintext-openapiv2`; before 1.27 for all. Pure.

use serde_json::{Map, Value, json};

use crate::api::version;

/// The one document, from the paths and the schemas of all others.
pub(super) fn document(paths: Map<String, Value>, schemas: Map<String, Value>) -> Value {
    let paths: Map<String, Value> = paths.into_iter().map(|(path, of)| (path, path_item(of))).collect();
    let definitions: Map<String, Value> = schemas.into_iter().map(|(name, of)| (name, schema(of))).collect();
    json!({
        "swagger": "2.0",
        "info": { "title": "Kubernetes", "version": version::server_version()["gitVersion"] },
        "paths": paths,
        "definitions": definitions,
    })
}

/// A schema: references stand elsewhere, and beside them anything may stand.
fn schema(of: Value) -> Value {
    let Value::Object(mut of) = of else { return of };
    if let Some(Value::Array(mut all)) = of.remove("allOf")
        && let Some(Value::Object(inner)) = all.pop()
    {
        of.extend(inner);
    }
    if of.remove("oneOf").is_some() {
        of.insert("type".into(), json!("string"));
    }
    if let Some(Value::String(reference)) = of.get_mut("$ref") {
        *reference = reference.replace("#/components/schemas/", "#/definitions/");
    }
    if let Some(Value::Object(properties)) = of.get_mut("properties") {
        properties.values_mut().for_each(|property| *property = schema(property.take()));
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = of.get_mut(inner) {
            *inner = schema(inner.take());
        }
    }
    Value::Object(of)
}

fn path_item(mut of: Value) -> Value {
    for (name, inner) in of.as_object_mut().into_iter().flatten() {
        match name.as_str() {
            "parameters" => inner.as_array_mut().into_iter().flatten().for_each(parameter),
            _ => operation(inner),
        }
    }
    of
}

/// A parameter has a type of its own.
fn parameter(of: &mut Value) {
    if let Some(Value::Object(schema)) = of.as_object_mut().and_then(|of| of.remove("schema")) {
        of.as_object_mut().into_iter().for_each(|of| of.extend(schema.clone()));
    }
}

/// The body is a parameter, and a response has just one schema.
fn operation(of: &mut Value) {
    let mut parameters = match of["parameters"].take() {
        Value::Array(list) => list,
        _ => Vec::new(),
    };
    parameters.iter_mut().for_each(parameter);
    let Some(of) = of.as_object_mut() else { return };
    of.remove("parameters");
    if let Some(Value::Object(content)) = of.remove("requestBody").map(|mut body| body["content"].take()) {
        of.insert("consumes".into(), content.keys().cloned().collect());
        if let Some(first) = content.into_iter().map(|(_, mut of)| of["schema"].take()).next() {
            parameters.push(json!({ "name": "body", "in": "body", "schema": schema(first) }));
        }
    }
    if !parameters.is_empty() {
        of.insert("parameters".into(), json!(parameters));
    }
    for (_, response) in of.get_mut("responses").and_then(Value::as_object_mut).into_iter().flatten() {
        let content = response.as_object_mut().and_then(|response| response.remove("content"));
        if let Some(mut content) = content {
            response["schema"] = schema(content["application/json"]["schema"].take());
        }
    }
}
