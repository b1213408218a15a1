//! `update` and `patch`: from another form of an object to a stored object.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use super::create::{Answer, refuse};
use super::creator::Creator;
use super::finalizers::is_released;
use super::managed_fields::set_entries;
use super::namespaces::DEFAULT_NAMESPACE;
use super::patch::Patch;
use super::read::Read as _;
use super::transaction::Transaction;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::api::validation::validate_job_status;
use crate::registry::object::Object;

/// Which part of an object is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subresource {
    /// None: everything but the status.
    #[default]
    Main,
    /// `status`.
    Status,
}

/// A request to change an object.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The kind.
    pub kind: Kind,
    /// Which one.
    pub key: &'a Key,
    /// What it is to be.
    pub value: Value,
    /// Which part of it.
    pub subresource: Subresource,
    /// For an update by a manifest: the manifest, and who brings it.
    pub manifest: Option<(&'a Value, &'a Creator)>,
    /// Whether the value is a whole object (PUT) and no patch: a uid in it says which object is meant.
    pub is_whole: bool,
    /// Whether all warnings are wanted, also those that creating the object has brought.
    pub all_warnings: bool,
    /// Who manages its fields afterwards, where that is known already.
    pub entries: Option<Vec<ManagedFieldsEntry>>,
}

impl<'a> Update<'a> {
    /// A change to the main part of an object.
    pub fn new(kind: Kind, key: &'a Key, value: Value) -> Self {
        let subresource = Subresource::Main;
        let (manifest, entries) = (None, None);
        Self { kind, key, value, subresource, manifest, is_whole: false, all_warnings: false, entries }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The object as it was.
    pub old: Object,
    /// The object as it is now.
    pub object: Object,
    /// The same as a server elsewhere has sent it.
    pub received: Option<Value>,
    /// Whether it is another now.
    pub is_changed: bool,
    /// One sentence each.
    pub warnings: Vec<String>,
}

impl Updated {
    /// What comes of a request that changes nothing.
    pub(crate) fn unchanged(old: Object, received: Option<Value>) -> Self {
        Self { object: old.clone(), old, received, is_changed: false, warnings: Vec::new() }
    }

    /// The object, and what there is to say of it.
    pub fn into_answer(self) -> Answer {
        let Self { object, received, warnings, .. } = self;
        Answer { object, received, warnings }
    }

    /// The object as it is shown.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn shown(&self) -> serde_json::Result<Value> {
        self.received.clone().map_or_else(|| self.object.to_value(), Ok)
    }
}

impl Transaction {
    /// Changes an object.
    ///
    /// # Errors
    /// [`StatusError::NotFound`]; [`StatusError::Conflict`] where it was made from another version or is another object;
    /// [`StatusError::BadRequest`] where it is named differently; [`StatusError::Unprocessable`] for fields of a wrong type;
    /// [`StatusError::Invalid`] with every cause.
    pub fn update(&mut self, mut update: Update<'_>) -> Result<Updated> {
        let (kind, key) = (update.kind, update.key);
        if kind == Kind::Namespace && *key.name == *DEFAULT_NAMESPACE {
            self.add_namespace(DEFAULT_NAMESPACE)?;
        }
        let found = self.get(kind, key)?;
        let old = Object::read(kind, &found.text).ok_or_else(|| not_changeable(kind))??;
        let current = found.value()?;
        drop(found);
        if update.is_whole {
            check_uid(kind, &update.value, &current)?;
        }
        check_version(kind, &update.value, &current)?;
        if let Some((manifest, creator)) = update.manifest {
            creator.keep(kind, &mut update.value, &current, manifest)?;
        }
        // Most of what is applied again has not changed.
        if update.value == current && !update.all_warnings && update.entries.is_none() {
            return Ok(Updated::unchanged(old, None));
        }
        let (mut object, mut warnings) = changed(kind, &update.value)?;
        if !kind.resource().namespaced {
            object.meta_mut().namespace = None;
        }
        let given = object.key();
        for (what, given, known) in
            [("name", given.name, &key.name), ("namespace", given.namespace, &key.namespace)]
        {
            if given != *known {
                let message = format!(
                    "the {what} of the object ({given}) does not match the {what} on the URL ({known})"
                );
                return Err(StatusError::BadRequest { message }.into());
            }
        }
        let manifest = match update.manifest {
            // What it does not know has been told when it was decoded.
            Some((manifest, _)) => {
                warnings.clear();
                manifest
            }
            None => &update.value,
        };
        if update.subresource == Subresource::Status {
            // Upstream keeps the spec from being changed so, and lets labels and the like through.
            let meta = object.meta();
            let given = (meta.labels.clone(), meta.annotations.clone(), meta.finalizers.clone());
            object.keep_all_but_status(&old);
            let meta = object.meta_mut();
            (meta.labels, meta.annotations, meta.finalizers) = given;
        }
        let entries = match update.entries {
            Some(entries) => entries,
            None => self.entries_after(update.subresource, &object, &old, &current)?,
        };
        match update.subresource {
            Subresource::Status => {
                if let Object::Job(job) = &object {
                    let causes = job.status.as_ref().map(validate_job_status).unwrap_or_default();
                    refuse(&object, causes)?;
                }
            }
            Subresource::Main => {
                let causes = object.prepare_for_update(&old);
                let said = self.judge_all(&mut object, causes, manifest)?;
                if update.all_warnings {
                    warnings.extend(object.warnings());
                    warnings.extend(said);
                } else {
                    // Whether the spec has changed is what the generation says. Of changed Pods a server says nothing.
                    let is_other = object.meta().generation != old.meta().generation;
                    if is_other && kind != Kind::Pod {
                        warnings.extend(object.warnings());
                    }
                    // Of fields without effect is said what is said at creation, unless the version before had them.
                    let known = object.findings(&current).warnings;
                    warnings.extend(said.into_iter().filter(|warning| !known.contains(warning)));
                }
            }
        }
        // Fields that are not the request's to change, or that nobody knows, have been dropped by now.
        let is_changed = set_entries(&mut object, &old, entries)?;
        if is_changed && is_released(object.meta(), old.meta()) {
            self.release(&object)?;
            object.meta_mut().resource_version = old.meta().resource_version.clone();
        } else if is_changed {
            self.put(object.clone());
            self.number(&mut object);
        } else {
            object = old.clone();
        }
        Ok(Updated { old, object, received: None, is_changed, warnings })
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// A patch that does not fit the object; as [`Transaction::update`].
    pub fn patch(
        &mut self,
        kind: Kind,
        key: &Key,
        patch: &Patch,
        subresource: Subresource,
    ) -> Result<Updated> {
        let value = patch.apply(&self.get(kind, key)?.value()?)?;
        self.update(Update { subresource, ..Update::new(kind, key, value) })
    }
}

/// Decodes an object that a request has made of a stored one, with a warning for each field that its kind does not have.
fn changed(kind: Kind, value: &Value) -> Result<(Object, Vec<String>), StatusError> {
    let decoded = match Object::decode(kind, value) {
        Some(Ok(decoded)) => decoded,
        Some(Err(error)) => {
            return Err(StatusError::Unprocessable { message: format!("patch: {}", error.problem) });
        }
        None => return Err(not_changeable(kind)),
    };
    let unknown = decoded.unknown_fields.iter().map(|field| format!("unknown field \"{field}\""));
    Ok((decoded.object, unknown.collect()))
}

/// For kinds of which requests change no object.
pub(super) fn not_changeable(kind: Kind) -> StatusError {
    StatusError::MethodNotAllowed { message: format!("a {kind} cannot be changed") }
}

/// Refuses to replace an object by another version of one that is gone.
fn check_uid(kind: Kind, new: &Value, current: &Value) -> Result<(), StatusError> {
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    let (wanted, stored) = (uid(new), uid(current));
    if wanted.is_empty() || wanted == stored {
        return Ok(());
    }
    let name = current["metadata"]["name"].as_str().unwrap_or_default();
    Err(unmet_precondition(kind, name, "UID", &wanted, &stored))
}

/// The error for a request that is about another object than the one that is there.
pub(super) fn unmet_precondition(
    kind: Kind,
    name: &str,
    what: &str,
    wanted: &str,
    stored: &str,
) -> StatusError {
    let detail =
        format!("Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {stored}");
    StatusError::Conflict { kind, name: name.to_owned(), detail }
}

/// Refuses to overwrite an object by one that was made from an older version of it: what somebody else has changed since
/// would be lost. A request that names no version means whatever is there.
fn check_version(kind: Kind, new: &Value, current: &Value) -> Result<(), StatusError> {
    let version =
        |object: &Value| object["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
    let (wanted, stored) = (version(new), version(current));
    if wanted.is_empty() || wanted == stored {
        return Ok(());
    }
    Err(StatusError::conflict(kind, current["metadata"]["name"].as_str().unwrap_or_default()))
}
