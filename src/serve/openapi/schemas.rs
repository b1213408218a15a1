//! The schemas of a document: the types that its paths lead to, by upstream's names. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::path::{OTHERS, group_versions};
use crate::api::kinds::RESOURCES;
use crate::api::schema::{Field, Schema, Type};
use crate::registry::managed_fields::is_atomic;

/// A group, a version and a kind.
pub(super) type Gvk<'a> = (&'a str, &'a str, &'a str);

/// The name of a type in a document: `io.k8s.api.batch.v1.Job`, for the name in the [`Schema`].
pub(super) fn full_name<'a>(schema: &'a Schema, name: &str) -> Option<&'a str> {
    schema.types.get(name).map(|of| of.name.as_str())
}

/// The type of a kind in the [`Schema`]; there are kinds that it does not have.
pub(super) fn type_of(schema: &Schema, (group, _, kind): Gvk<'_>) -> Option<String> {
    // Two kinds are called so.
    let name = if (group, kind) == ("events.k8s.io", "Event") { "events::v1::Event" } else { kind };
    schema.types.contains_key(name).then(|| name.to_owned())
}

/// The names of the list of a kind.
pub(super) fn list_name(full_name: &str) -> String {
    format!("{full_name}List")
}

/// A reference to a schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn gvk((group, version, kind): Gvk<'_>) -> Value {
    json!({ "group": group, "version": version, "kind": kind })
}

/// The kinds that a type is.
fn kinds_of(name: &str) -> Vec<Value> {
    let ours =
        RESOURCES.iter().find(|one| one.name == name).map(|one| (one.group, one.versions[0], one.name));
    let other = || {
        let is_it = |kind: &str, group: &str| {
            if name == "events::v1::Event" { group == "events.k8s.io" } else { kind == name }
        };
        OTHERS.iter().find(|one| is_it(one.kind, one.group)).map(|one| (one.group, one.version, one.kind))
    };
    let known = match name {
        "DeleteOptions" => {
            return group_versions()
                .into_iter()
                .map(|(group, version)| gvk((group, version, "DeleteOptions")))
                .collect();
        }
        "Status" => Some(("", "v1", "Status")),
        "Scale" => Some(("autoscaling", "v1", "Scale")),
        "Eviction" => Some(("policy", "v1", "Eviction")),
        _ => ours.or_else(other),
    };
    known.map(gvk).into_iter().collect()
}

/// All schemas that these types lead to, and the lists of the kinds among them.
pub(super) fn components(schema: &Schema, roots: &[String], listed: &[Gvk<'_>]) -> Map<String, Value> {
    let mut found = Map::new();
    let (mut seen, mut plain) = (BTreeSet::new(), BTreeSet::new());
    let mut open: Vec<&str> = roots.iter().map(String::as_str).collect();
    open.extend(["DeleteOptions", "Status", "ListMeta"]);
    while let Some(name) = open.pop() {
        let Some(of) = schema.types.get(name).filter(|_| seen.insert(name)) else { continue };
        found.insert(of.name.clone(), object(schema, name, of));
        for field in of.fields.values() {
            if field.leads_to.is_empty() {
                plain.extend(plain_type(innermost(&field.kind)));
            } else {
                open.push(&field.leads_to);
            }
        }
    }
    for plain in plain {
        found.insert(plain.name.into(), plain_schema(schema, plain));
    }
    for kind in listed {
        if let Some(name) = type_of(schema, *kind).and_then(|name| full_name(schema, &name)) {
            found.insert(list_name(name), list(schema, name, *kind));
        }
    }
    found.insert(PATCH.into(), json!({ "description": PATCH_IS, "type": "object" }));
    found
}

/// The name of the schema of patches.
pub(super) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
const PATCH_IS: &str = "A change, in the form that its content type says.";

fn object(schema: &Schema, name: &str, of: &Type) -> Value {
    let property = |(field, of): (&String, &Field)| {
        let mut property = property(schema, of);
        if is_atomic(name, Some(field)) {
            property["x-kubernetes-map-type"] = json!("atomic");
        }
        (field.clone(), property)
    };
    let properties: Map<String, Value> = of.fields.iter().map(property).collect();
    let mut object = json!({ "type": "object", "properties": properties });
    if is_atomic(name, None) {
        object["x-kubernetes-map-type"] = json!("atomic");
    }
    if !of.description.is_empty() {
        object["description"] = json!(of.description);
    }
    if !of.required.is_empty() {
        object["required"] = json!(of.required);
    }
    let kinds = kinds_of(name);
    if !kinds.is_empty() {
        object["x-kubernetes-group-version-kind"] = json!(kinds);
    }
    object
}

fn property(schema: &Schema, field: &Field) -> Value {
    let mut property = value(schema, &field.kind, field);
    // Nothing may stand beside a reference.
    if property.get("$ref").is_some() {
        property = json!({ "allOf": [property] });
    }
    if !field.description.is_empty() {
        property["description"] = json!(field.description);
    }
    if !field.words.is_empty() {
        let words = json!(field.words);
        if property["items"].is_object() {
            property["items"]["enum"] = words;
        } else {
            property["enum"] = words;
        }
    }
    if let Some((list, keys)) = field.list.split_once(' ') {
        property["x-kubernetes-list-type"] = json!(list);
        property["x-kubernetes-list-map-keys"] = keys.split(',').collect();
    } else if !field.list.is_empty() {
        property["x-kubernetes-list-type"] = json!(field.list);
    }
    if let Some((strategy, key)) = field.patch.split_once(' ') {
        property["x-kubernetes-patch-strategy"] = json!(strategy);
        property["x-kubernetes-patch-merge-key"] = json!(key);
    } else if !field.patch.is_empty() {
        property["x-kubernetes-patch-strategy"] = json!(field.patch);
    }
    property
}

/// The schema of a type as `explain` writes it: `[]Container`, `map[string]string`.
fn value(schema: &Schema, kind: &str, field: &Field) -> Value {
    if let Some(inner) = kind.strip_prefix("[]") {
        return json!({ "type": "array", "items": value(schema, inner, field) });
    }
    if let Some(inner) = kind.strip_prefix("map[string]") {
        return json!({ "type": "object", "additionalProperties": value(schema, inner, field) });
    }
    if let Some(name) = full_name(schema, &field.leads_to) {
        return reference(name);
    }
    if let Some(plain) = plain_type(kind) {
        return reference(plain.name);
    }
    let mut value = json!({ "type": kind });
    if !field.format.is_empty() {
        value["format"] = json!(field.format);
    }
    value
}

fn innermost(kind: &str) -> &str {
    let kind = kind.trim_start_matches("[]");
    kind.strip_prefix("map[string]").map_or(kind, innermost)
}

/// A type that is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    kind: &'static str,
    /// What describes it in the [`Schema`].
    described: &'static str,
    name: &'static str,
}

const PLAIN: [Plain; 6] = {
    const fn plain(kind: &'static str, described: &'static str, name: &'static str) -> Plain {
        Plain { kind, described, name }
    }
    [
        plain("FieldsV1", "FieldsV1", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"),
        plain("IntOrString", "IntOrString", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"),
        plain("MicroTime", "MicroTime", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"),
        plain("Object", "RawExtension", "io.k8s.apimachinery.pkg.runtime.RawExtension"),
        plain("Quantity", "Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"),
        plain("Time", "Time", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"),
    ]
};

fn plain_type(kind: &str) -> Option<Plain> {
    PLAIN.into_iter().find(|plain| plain.kind == kind)
}

fn plain_schema(schema: &Schema, plain: Plain) -> Value {
    let mut of = match plain.kind {
        "IntOrString" => {
            json!({ "format": "int-or-string", "oneOf": [{ "type": "integer" }, { "type": "string" }] })
        }
        "Quantity" => json!({ "oneOf": [{ "type": "string" }, { "type": "number" }] }),
        "Time" | "MicroTime" => json!({ "type": "string", "format": "date-time" }),
        _ => json!({ "type": "object" }),
    };
    if let Some(described) = schema.plain.get(plain.described).filter(|text| !text.is_empty()) {
        of["description"] = json!(described);
    }
    of
}

fn list(schema: &Schema, name: &str, kind: Gvk<'_>) -> Value {
    let metadata = full_name(schema, "ListMeta").map(reference);
    let text = |what: &str| json!({ "type": "string", "description": what });
    json!({
        "description": format!("{0}List is a list of objects of kind {0}.", kind.2),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text("The group and the version of the list."),
            "kind": text("The kind of the list."),
            "metadata": { "allOf": [metadata], "description": "What is said of the list as a whole." },
            "items": { "type": "array", "items": reference(name), "description": "The objects." },
        },
        "x-kubernetes-group-version-kind": [gvk((kind.0, kind.1, &format!("{}List", kind.2)))],
    })
}
