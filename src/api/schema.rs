//! What the API says of its types and their fields: the texts that `explain` shows, and what OpenAPI documents are made of.
//!
//! `types.deflate` is made by `schema/generate.py` from Kubernetes' OpenAPI document (NOTICE).

use std::collections::BTreeMap;

use serde::Deserialize;

/// The document, packed.
const PACKED: &[u8] = include_bytes!("schema/types.deflate");

/// Every type that our kinds lead to.
#[derive(Debug, Deserialize)]
pub struct Schema {
    /// Objects, by their names.
    pub types: BTreeMap<String, Type>,
    /// What is said of types that are no objects, such as Quantity.
    pub plain: BTreeMap<String, String>,
}

/// An object.
#[derive(Debug, Deserialize)]
pub struct Type {
    /// Its whole name, such as `io.k8s.api.batch.v1.Job`.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The fields that must be there.
    pub required: Vec<String>,
    /// Its fields.
    pub fields: BTreeMap<String, Field>,
}

/// A field of an object.
#[derive(Debug, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Field {
    /// Its type, such as `[]Container` or `map[string]string`.
    pub kind: String,
    /// The object that it holds, or holds many of; empty for plain values.
    pub leads_to: String,
    /// What it is for.
    pub description: String,
    /// The words that it takes, where only some are allowed.
    pub words: Vec<String>,
    /// How plain values are written, such as `int32`.
    pub format: String,
    /// How lists of several authors are merged: `atomic`, `set`, or `map` and the fields that tell elements apart.
    pub list: String,
    /// How a strategic merge patch merges it: the strategies and the field that tells elements apart.
    pub patch: String,
}

impl From<Vec<String>> for Field {
    /// The type, what it leads to and the description; then, for some, words, format, and how it is merged.
    fn from(parts: Vec<String>) -> Self {
        let mut parts = parts.into_iter();
        let mut next = || parts.next().unwrap_or_default();
        let (kind, leads_to, description) = (next(), next(), next());
        let words = next().split_whitespace().map(str::to_owned).collect();
        let (format, list, patch) = (next(), next(), next());
        Self { kind, leads_to, description, words, format, list, patch }
    }
}

impl Schema {
    /// Unpacks the document.
    ///
    /// # Panics
    /// Never: the document is part of this program, and a test reads it.
    pub fn load() -> Self {
        let text = miniz_oxide::inflate::decompress_to_vec(PACKED).expect("a packed document");
        serde_json::from_slice(&text).expect("a document")
    }
}

/// The last part of a type's name: two types of one name carry their package before it.
pub fn plain_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kinds::RESOURCES;

    #[test]
    fn every_kind_is_there_and_every_field_leads_somewhere() {
        let schema = Schema::load();
        for resource in RESOURCES {
            assert!(schema.types.contains_key(resource.name), "{}", resource.name);
        }
        for (name, of_type) in &schema.types {
            for (field, found) in &of_type.fields {
                assert!(
                    found.leads_to.is_empty() || schema.types.contains_key(&found.leads_to),
                    "{name}.{field}"
                );
            }
            assert!(of_type.required.iter().all(|field| of_type.fields.contains_key(field)), "{name}");
        }
        let mode = &schema.types["JobSpec"].fields["completionMode"];
        assert_eq!(
            (mode.kind.as_str(), mode.words.as_slice()),
            ("string", &["Indexed".into(), "NonIndexed".into()][..])
        );
    }
}
