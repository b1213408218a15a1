//! `create`: from a manifest to a stored object.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Value, json};

use super::creator::{Creator, Passed};
use super::delete::{DeleteOptions, Deleted};
use super::read::Read as _;
use super::transaction::Transaction;
use super::update::not_changeable;
use crate::api::decode::{TypeMeta, strict};
use crate::api::kind_effects;
use crate::api::kinds::Kind;
use crate::api::meta::name;
use crate::api::status_error::{FieldError, StatusError};
use crate::controller::pods::{generated_name, new_uid};
use crate::registry::object::Object;

/// What becomes of a request with fields that its kind does not have (`fieldValidation`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// It is refused.
    #[default]
    Strict,
    /// They are dropped, with a warning for each.
    Warn,
    /// They are dropped.
    Ignore,
}

/// An object, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The object.
    pub object: Object,
    /// The object as a server elsewhere has sent it: with the fields that its type here does not have.
    pub received: Option<Value>,
    /// One sentence each.
    pub warnings: Vec<String>,
}

impl Answer {
    /// The object as it is shown.
    ///
    /// # Errors
    /// Never in practice: objects always encode.
    pub fn shown(&self) -> serde_json::Result<Value> {
        self.received.clone().map_or_else(|| self.object.to_value(), Ok)
    }
}

/// Decodes what a request holds: an object in any version of its kind.
///
/// # Errors
/// [`StatusError::BadRequest`] for fields of a wrong type and, as `validation` says, for fields that do not exist;
/// [`StatusError::MethodNotAllowed`] for kinds that requests do not make.
pub fn decode(kind: Kind, manifest: &Value, validation: FieldValidation) -> Result<Answer, StatusError> {
    Transaction::require_creatable(kind)?;
    let mut value = manifest.clone();
    value["apiVersion"] = json!(kind.api_version());
    let decoded = Object::decode(kind, &value)
        .ok_or_else(|| not_changeable(kind))?
        .map_err(|error| StatusError::BadRequest { message: error.to_string() })?;
    let problems: Vec<String> =
        decoded.unknown_fields.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    let warnings = match validation {
        FieldValidation::Strict if !problems.is_empty() => {
            let meta = TypeMeta { api_version: kind.api_version(), kind: kind.as_str().into() };
            return Err(StatusError::BadRequest { message: strict::strict_decoding_error(&meta, &problems) });
        }
        FieldValidation::Warn => problems,
        FieldValidation::Strict | FieldValidation::Ignore => Vec::new(),
    };
    Ok(Answer { object: decoded.object, received: None, warnings })
}

impl Transaction {
    /// Creates an object. `manifest` is what it was decoded from.
    ///
    /// # Errors
    /// [`StatusError::Invalid`] with every cause; [`StatusError::AlreadyExists`]; [`StatusError::TooLarge`];
    /// [`StatusError::MethodNotAllowed`].
    pub fn create(&mut self, object: Object, manifest: &Value, creator: &Creator) -> Result<Answer> {
        self.create_managed(object, manifest, creator, None)
    }

    /// As [`Transaction::create`]. `entries` says who manages its fields, where that is known already.
    pub(super) fn create_managed(
        &mut self,
        object: Object,
        manifest: &Value,
        creator: &Creator,
        entries: Option<Vec<ManagedFieldsEntry>>,
    ) -> Result<Answer> {
        let (mut answer, passed) = self.admit(object, manifest, creator, entries)?;
        let (kind, key) = (answer.object.kind(), answer.object.key());
        let found = self.find(kind, &key)?.map(|found| found.value()).transpose()?;
        if let Some(found) = found {
            let name = key.name.to_string();
            return Err(match found["metadata"]["deletionTimestamp"].is_null() {
                true => StatusError::AlreadyExists { kind, name }.into(),
                false => StatusError::BeingDeleted { kind, name }.into(),
            });
        }
        answer.warnings.splice(0..0, self.ensure_namespace(&answer.object)?);
        self.store_new(&mut answer.object)?;
        self.store_passed(passed)?;
        Ok(answer)
    }

    /// Creates an object in the place of one that may be there, which is deleted once the new one is found to be good.
    ///
    /// # Errors
    /// As [`Transaction::create`], and [`StatusError::AlreadyExists`] where these requests have created it.
    pub fn recreate(
        &mut self,
        object: Object,
        manifest: &Value,
        creator: &Creator,
        options: &DeleteOptions,
    ) -> Result<(Answer, Option<Deleted>)> {
        self.require_new(object.kind(), &object.key())?;
        let (mut answer, passed) = self.admit(object, manifest, creator, None)?;
        let (kind, key) = (answer.object.kind(), answer.object.key());
        let is_there = !key.name.is_empty() && self.find(kind, &key)?.is_some();
        let deleted = if is_there { Some(self.delete(kind, &key, options)?) } else { None };
        self.require_not_held(kind, &key)?;
        answer.warnings.splice(0..0, self.ensure_namespace(&answer.object)?);
        self.store_new(&mut answer.object)?;
        self.store_passed(passed)?;
        Ok((answer, deleted))
    }

    /// Completes an object that is to be created and checks it.
    fn admit(
        &mut self,
        mut object: Object,
        manifest: &Value,
        creator: &Creator,
        entries: Option<Vec<ManagedFieldsEntry>>,
    ) -> Result<(Answer, Option<Passed>)> {
        Self::require_creatable(object.kind())?;
        let kind = object.kind();
        let entries = entries.map_or_else(|| self.entries_of_new(&object), Ok)?;
        self.admit_priority(&mut object)?;
        let passed = if kind.has_pods() { self.add_creator(object.meta_mut(), creator)? } else { None };
        let meta = object.meta_mut();
        if name(meta).is_empty()
            && let Some(base) = meta.generate_name.clone().filter(|base| !base.is_empty())
        {
            meta.name = Some(generated_name(&base, &mut self.random));
        }
        let uid = new_uid(&mut self.random);
        if !kind.resource().namespaced {
            object.meta_mut().namespace = None;
        }
        object.set_defaults();
        object.prepare_for_create(&uid, self.now);
        object.meta_mut().managed_fields = Some(entries).filter(|entries| !entries.is_empty());
        let causes = object.validate();
        let said = self.judge_all(&mut object, causes, manifest)?;
        object.canonicalize();
        let effect = kind_effects::warning(kind);
        let warnings = effect.into_iter().chain(object.warnings()).chain(said).collect();
        Ok((Answer { object, received: None, warnings }, passed))
    }
}

/// The most bytes of an object: what a cluster's store takes in one request.
const MAX_OBJECT_BYTES: usize = 3 << 19;

/// The most bytes of a request to a cluster.
const MAX_REQUEST_BYTES: usize = 3 << 20;

/// Refuses an object that breaks rules or is too large. The rules of what holds data bound it themselves, and say more.
pub(super) fn judge(object: &Object, causes: Vec<FieldError>) -> Result<(), StatusError> {
    let is_data = matches!(object.kind(), Kind::ConfigMap | Kind::Secret);
    if !is_data || object.size() > MAX_REQUEST_BYTES {
        require_storable(object)?;
    }
    refuse(object, causes)?;
    require_storable(object)
}

/// Refuses an object that is too large to be kept: whoever reads the store would have to hold it.
fn require_storable(object: &Object) -> Result<(), StatusError> {
    if object.size() > MAX_OBJECT_BYTES {
        return Err(StatusError::TooLarge { limit: MAX_OBJECT_BYTES });
    }
    Ok(())
}

/// [`StatusError::Invalid`] with all causes when there is any.
pub(super) fn refuse(object: &Object, mut causes: Vec<FieldError>) -> Result<(), StatusError> {
    // A bad name is a bad value of several generated labels; saying so once is enough.
    let mut said = Vec::new();
    causes.retain(|cause| {
        let new = !said.contains(cause);
        if new {
            said.push(cause.clone());
        }
        new
    });
    if causes.is_empty() {
        return Ok(());
    }
    Err(StatusError::Invalid { kind: object.kind(), name: name(object.meta()).to_owned(), causes })
}
