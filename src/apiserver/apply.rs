//! Server-side apply: an object as its manager wants it, whoever else has a say in it.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::create::{Answer, FieldValidation, decode};
use super::creator::Creator;
use super::read::Read as _;
use super::transaction::Transaction;
use super::update::{Subresource, Update, Updated, not_changeable};
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::{FieldError, StatusError};
use crate::registry::managed_fields::{self, ApplyError, FieldConflict};
use crate::registry::object::Object;

/// A request to apply an object.
#[derive(Clone, Copy, Debug)]
pub struct Apply<'a> {
    /// The kind.
    pub kind: Kind,
    /// Which one.
    pub key: &'a Key,
    /// What its manager wants of it, and nothing else.
    pub value: &'a Value,
    /// Which part of it.
    pub subresource: Subresource,
    /// Whether to take fields from their managers.
    pub force: bool,
    /// Whose pods they are, where it is created.
    pub creator: &'a Creator,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Applied {
    /// A new object.
    Created(Answer),
    /// Another form of one that was there, or the same.
    Updated(Updated),
}

impl Applied {
    /// The object, and what there is to say of it.
    pub fn into_answer(self) -> Answer {
        match self {
            Self::Created(answer) => answer,
            Self::Updated(updated) => updated.into_answer(),
        }
    }
}

impl Transaction {
    /// Applies an object.
    ///
    /// # Errors
    /// [`StatusError::ApplyConflict`] where others manage what would change; [`StatusError::Internal`] for what is no object of
    /// the kind, as a server answers; as [`Transaction::create`] and [`Transaction::update`].
    pub fn apply(&mut self, apply: Apply<'_>) -> Result<Applied> {
        let Apply { kind, key, value, subresource, .. } = apply;
        let metadata = &value["metadata"];
        if !metadata["managedFields"].is_null() {
            let message = "metadata.managedFields must be nil".to_owned();
            return Err(StatusError::BadRequest { message }.into());
        }
        let found = self.find(kind, key)?;
        if found.is_none() && subresource == Subresource::Status {
            return Err(StatusError::not_found(kind, &key.name).into());
        }
        let current = found.as_ref().map(|found| found.value()).transpose()?;
        let text = found.map(|found| found.text.into_owned());
        let old =
            text.map(|text| Object::read(kind, &text).ok_or_else(|| not_changeable(kind))).transpose()?;
        let entries = old.transpose()?.and_then(|old| old.meta().managed_fields.clone()).unwrap_or_default();
        let request = self.request(kind, subresource);
        let merged = managed_fields::apply(&request, current.as_ref(), value, &entries, apply.force)
            .map_err(|error| refused(kind, metadata, error))?;
        let mut wanted = merged.value;
        drop_nulls(&mut wanted);
        if current.is_some() {
            let manifest = (subresource == Subresource::Main).then_some((value, apply.creator));
            let entries = Some(merged.entries);
            let update = Update { subresource, manifest, entries, ..Update::new(kind, key, wanted) };
            return Ok(Applied::Updated(self.update(update)?));
        }
        if let Some(uid) = metadata["uid"].as_str().filter(|uid| !uid.is_empty()) {
            let detail = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(StatusError::Conflict { kind, name: key.name.to_string(), detail }.into());
        }
        let decoded = decode(kind, &wanted, FieldValidation::Ignore)?;
        let mut object = decoded.object;
        let meta = object.meta_mut();
        (meta.name, meta.resource_version) = (Some(key.name.to_string()), None);
        meta.namespace = Some(key.namespace.to_string()).filter(|namespace| !namespace.is_empty());
        let created = self.create_managed(object, value, apply.creator, Some(merged.entries))?;
        Ok(Applied::Created(created))
    }
}

/// Fields of which nothing is left are not there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, inner| !inner.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn refused(kind: Kind, metadata: &Value, error: ApplyError) -> StatusError {
    match error {
        ApplyError::Problems(problems) => {
            let text = |field: &str| metadata[field].as_str().unwrap_or_default();
            let (namespace, name) = (text("namespace"), text("name"));
            let version = kind.api_version();
            let slash = if version.contains('/') { "" } else { "/" };
            let message = format!(
                "failed to create typed patch object ({namespace}/{name}; {slash}{version}, Kind={kind}): {problems}"
            );
            StatusError::Internal { message }
        }
        ApplyError::Conflicts(conflicts) => {
            let cause = |FieldConflict { manager, path }: &FieldConflict| FieldError {
                field: path.clone(),
                body: format!("conflict with {manager}"),
            };
            let causes = conflicts.iter().map(cause).collect();
            StatusError::ApplyConflict { causes, message: conflict_message(&conflicts) }
        }
    }
}

fn conflict_message(conflicts: &[FieldConflict]) -> String {
    if let [FieldConflict { manager, path }] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {manager}: {path}");
    }
    let mut paths: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for FieldConflict { manager, path } in conflicts {
        paths.entry(manager).or_default().push(path);
    }
    let of = |(manager, paths): (&str, Vec<&str>)| {
        let paths: String = paths.iter().map(|path| format!("\n- {path}")).collect();
        format!("conflicts with {manager}:{paths}")
    };
    let all: Vec<String> = paths.into_iter().map(of).collect();
    format!("Apply failed with {} conflicts: {}", conflicts.len(), all.join("\n"))
}
