//! What an object says of who manages its fields (`metadata.managedFields`), read and written.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry};

use super::field_set::FieldSet;
use crate::api::meta::time;
use crate::api::quoted::quoted;

/// How a manager came by its fields. The order is that in which entries stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who manages fields. Whoever applies is one manager in all versions of a kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Manager {
    pub(super) name: String,
    pub(super) operation: Operation,
    /// Empty for what is applied.
    pub(super) api_version: String,
    pub(super) subresource: String,
}

impl Manager {
    /// The manager as conflicts name it.
    pub(super) fn shown(&self) -> String {
        let subresource = match self.subresource.as_str() {
            "" => String::new(),
            subresource => format!(" with subresource {}", quoted(subresource)),
        };
        let version = match self.operation {
            Operation::Apply => String::new(),
            Operation::Update => format!(" using {}", self.api_version),
        };
        format!("{}{subresource}{version}", quoted(&self.name))
    }
}

/// The fields of one manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Managed {
    pub(super) set: FieldSet,
    pub(super) api_version: String,
    pub(super) time: Option<DateTime<Utc>>,
}

/// The managers of an object.
pub(super) type Managers = BTreeMap<Manager, Managed>;

/// Reads entries. What is no entry makes all of them worthless, as upstream.
pub(super) fn read(entries: &[ManagedFieldsEntry]) -> Option<Managers> {
    let mut managers = Managers::new();
    for entry in entries {
        let operation = match entry.operation.as_deref() {
            Some("Apply") => Operation::Apply,
            Some("Update") => Operation::Update,
            _ => return None,
        };
        let api_version = entry.api_version.clone().unwrap_or_default();
        let set = match &entry.fields_v1 {
            Some(FieldsV1(value)) => FieldSet::from_value(value)?,
            None => FieldSet::default(),
        };
        let manager = Manager {
            name: entry.manager.clone().unwrap_or_default(),
            operation,
            api_version: if operation == Operation::Apply { String::new() } else { api_version.clone() },
            subresource: entry.subresource.clone().unwrap_or_default(),
        };
        let time = entry.time.as_ref().map(|time| time.0);
        managers.insert(manager, Managed { set, api_version, time });
    }
    Some(managers)
}

/// Writes entries, in upstream's order. Managers without fields have none.
pub(super) fn write(managers: &Managers) -> Vec<ManagedFieldsEntry> {
    let mut kept: Vec<(&Manager, &Managed)> =
        managers.iter().filter(|(_, managed)| !managed.set.is_empty()).collect();
    kept.sort_by_key(|(manager, managed)| {
        let seconds = managed.time.map_or(0, |time| time.timestamp());
        (manager.operation, seconds, &manager.name, &managed.api_version, &manager.subresource)
    });
    let entry = |(manager, managed): (&Manager, &Managed)| ManagedFieldsEntry {
        api_version: Some(managed.api_version.clone()),
        fields_type: Some("FieldsV1".into()),
        fields_v1: Some(FieldsV1(managed.set.to_value())),
        manager: Some(manager.name.clone()),
        operation: Some(manager.operation.word().into()),
        subresource: Some(manager.subresource.clone()).filter(|subresource| !subresource.is_empty()),
        time: managed.time.map(time),
    };
    kept.into_iter().map(entry).collect()
}

/// Whether the entries say the same, whenever they were made.
pub fn are_same_but_for_times(one: &[ManagedFieldsEntry], other: &[ManagedFieldsEntry]) -> bool {
    let timeless = |entries: &[ManagedFieldsEntry]| {
        let mut entries = entries.to_vec();
        entries.iter_mut().for_each(|entry| entry.time = None);
        entries.sort_by_cached_key(|entry| format!("{entry:?}"));
        entries
    };
    one.len() == other.len() && timeless(one) == timeless(other)
}

/// Whether the entries say that nobody is to manage anything: one, and that is empty.
pub(super) fn is_reset(entries: &[ManagedFieldsEntry]) -> bool {
    matches!(entries, [single] if *single == ManagedFieldsEntry::default())
}
