//! The OpenAPI documents of a server, made of what `explain` knows: real kubectl explains the same fields.

use std::collections::BTreeMap;

use jobctl::api::kinds::RESOURCES;
use jobctl::api::schema::{Field, Schema, plain_name};
use serde_json::{Map, Value, json};

/// Documents by their paths.
pub(super) fn documents() -> BTreeMap<String, Value> {
    let schema = Schema::load();
    let mut documents = BTreeMap::new();
    let mut paths = Map::new();
    for resource in RESOURCES {
        let version = resource.kind.api_version();
        let root =
            if resource.group.is_empty() { format!("api/{version}") } else { format!("apis/{version}") };
        let url = format!("/openapi/v3/{root}");
        paths.insert(root, json!({"serverRelativeURL": url}));
        documents.entry(url).or_insert_with(|| document(&schema, &version));
    }
    documents.insert("/openapi/v3".into(), json!({"paths": paths}));
    documents
}

fn document(schema: &Schema, version: &str) -> Value {
    let mut schemas = Map::new();
    for (name, of_type) in &schema.types {
        let properties: Map<String, Value> =
            of_type.fields.iter().map(|(name, field)| (name.clone(), property(field))).collect();
        let mut described =
            json!({"type": "object", "description": of_type.description, "properties": properties});
        if !of_type.required.is_empty() {
            described["required"] = json!(of_type.required);
        }
        let known = RESOURCES.iter().find(|known| known.name == name && known.kind.api_version() == version);
        if let Some(known) = known {
            let version = version.rsplit('/').next().unwrap_or_default();
            described["x-kubernetes-group-version-kind"] =
                json!([{"group": known.group, "kind": known.name, "version": version}]);
        }
        schemas.insert(full(name), described);
    }
    for (name, description) in &schema.plain {
        let mut described = json!({"description": description});
        match name.as_str() {
            "Time" | "MicroTime" => {
                described["type"] = json!("string");
                described["format"] = json!("date-time");
            }
            "Quantity" => described["oneOf"] = json!([{"type": "string"}, {"type": "number"}]),
            "IntOrString" => {
                described["oneOf"] = json!([{"type": "integer"}, {"type": "string"}]);
                described["format"] = json!("int-or-string");
            }
            _ => described["type"] = json!("object"),
        }
        schemas.insert(full(name), described);
    }
    let mut paths = Map::new();
    for known in RESOURCES.iter().filter(|known| known.kind.api_version() == version) {
        let root =
            if known.group.is_empty() { format!("/api/{version}") } else { format!("/apis/{version}") };
        let within = if known.namespaced { "/namespaces/{namespace}" } else { "" };
        let version = version.rsplit('/').next().unwrap_or_default();
        let kind = json!({"group": known.group, "kind": known.name, "version": version});
        let get = json!({"x-kubernetes-action": "list", "x-kubernetes-group-version-kind": kind});
        paths.insert(format!("{root}{within}/{}", known.plural), json!({"get": get}));
    }
    let info = json!({"title": "Kubernetes", "version": "v1.34.0"});
    json!({"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}})
}

/// Of two types of one name the whole name tells which.
fn full(name: &str) -> String {
    format!("io.k8s.api.{}", name.replace("::", "."))
}

fn property(field: &Field) -> Value {
    let mut described = of_type(&field.kind, &field.leads_to);
    if described.get("$ref").is_some() {
        described = json!({"allOf": [described]});
    }
    described["description"] = json!(field.description);
    if !field.words.is_empty() {
        described["enum"] = json!(field.words);
    }
    described
}

fn of_type(kind: &str, leads_to: &str) -> Value {
    if let Some(items) = kind.strip_prefix("[]") {
        let mut items = of_type(items, leads_to);
        if items.get("$ref").is_some() {
            items = json!({"allOf": [items], "default": {}});
        }
        return json!({"type": "array", "items": items});
    }
    if let Some(values) = kind.strip_prefix("map[string]") {
        return json!({"type": "object", "additionalProperties": of_type(values, leads_to)});
    }
    match kind {
        "string" | "integer" | "boolean" | "number" => json!({"type": kind}),
        "Object" => json!({"$ref": format!("#/components/schemas/{}", full("RawExtension"))}),
        _ if leads_to.is_empty() => {
            json!({"$ref": format!("#/components/schemas/{}", full(plain_name(kind)))})
        }
        _ => json!({"$ref": format!("#/components/schemas/{}", full(leads_to))}),
    }
}
