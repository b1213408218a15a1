//! Who manages which fields of an object, and server-side apply.
//!
//! Every request that comes over HTTP says who makes it. What it sets is that manager's from then on
//! (`metadata.managedFields`); what it applies it also takes back when it is not applied any more. Two who apply different values
//! of one field are in conflict. The rules are those of Kubernetes' structured merge.

mod entries;
mod field_set;
mod structure;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Value, json};

pub use self::entries::are_same_but_for_times;
use self::entries::{Managed, Manager, Managers, Operation};
pub use self::field_set::FieldSet;
use self::structure::Type;
pub use self::structure::is_atomic;
use self::walk::Comparison;
use super::apply::last_applied_as_it_came;
use crate::api::kinds::Kind;
use crate::api::meta::ANNOTATION_LAST_APPLIED;

/// Who changes an object.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The kind.
    pub kind: Kind,
    /// The manager's name.
    pub manager: &'a str,
    /// Whether only the status is changed.
    pub of_status: bool,
    /// When.
    pub now: DateTime<Utc>,
}

/// A field that somebody else manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldConflict {
    /// Who, as messages say it.
    pub manager: String,
    /// Which field.
    pub path: String,
}

/// Why an object cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplyError {
    /// It is no object of the kind: what is wrong with it.
    Problems(String),
    /// Others manage fields of it.
    Conflicts(Vec<FieldConflict>),
}

/// What applying makes of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The object.
    pub value: Value,
    /// Who manages what of it.
    pub entries: Vec<ManagedFieldsEntry>,
}

/// Who manages what of objects that were made before anybody applied them.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// Who takes over from the oldest managers of many.
const ANCIENT: &str = "ancient-changes";
/// How many may have updated an object by themselves.
const MOST_UPDATERS: usize = 10;
/// Whose own client-side apply is no conflict.
const CLIENTS: [&str; 2] = ["kubectl", "jobctl"];

/// Who manages what of a new object. `given` is what the request says of that itself.
pub fn created(
    request: &Request<'_>,
    object: &Value,
    given: &[ManagedFieldsEntry],
) -> Vec<ManagedFieldsEntry> {
    let before = if entries::is_reset(given) { None } else { entries::read(given) }.unwrap_or_default();
    entries::write(&request.updated(&unset(request.kind), object, before))
}

/// Who manages what of an object that is changed from `live` to `new`. `stored` is what it says so far, `given` what the request
/// says.
///
/// Of an object of which nobody manages anything, nobody does afterwards.
pub fn updated(
    request: &Request<'_>,
    live: &Value,
    new: &Value,
    stored: &[ManagedFieldsEntry],
    given: &[ManagedFieldsEntry],
) -> Vec<ManagedFieldsEntry> {
    if !request.of_status && entries::is_reset(given) {
        return Vec::new();
    }
    let given = entries::read(given).filter(|given| !request.of_status && !given.is_empty());
    let before = given.or_else(|| entries::read(stored)).unwrap_or_default();
    if before.is_empty() {
        return Vec::new();
    }
    entries::write(&request.updated(live, new, before))
}

/// Applies an object over what is there; `live` is nothing for one that is not.
///
/// # Errors
/// [`ApplyError`].
pub fn apply(
    request: &Request<'_>,
    live: Option<&Value>,
    applied: &Value,
    stored: &[ManagedFieldsEntry],
    force: bool,
) -> Result<Applied, ApplyError> {
    let of = Type::Object(request.kind.as_str());
    let problems = walk::problems(applied, &of);
    if !problems.is_empty() {
        return Err(ApplyError::Problems(told(&problems)));
    }
    let nothing = json!({});
    let mut live = live.unwrap_or(&nothing).clone();
    forget_entries(&mut live);
    let mut before = entries::read(stored).unwrap_or_default();
    if before.is_empty() {
        let first = Request { manager: BEFORE_FIRST_APPLY, ..request.clone() };
        before = first.updated(&unset(request.kind), &live, before);
    }
    let done = request.applied(&live, applied, before.clone(), force);
    let is_client = CLIENTS.contains(&request.manager);
    let (mut value, managers) = match done {
        Ok(done) => done,
        Err(conflicts) if is_client => {
            let own = last_applied(&live).map(|object| walk::field_set(&object, &of)).unwrap_or_default();
            let others: Conflicts = conflicts
                .into_iter()
                .map(|(manager, set)| (manager, set.difference(&own)))
                .filter(|(_, set)| !set.is_empty())
                .collect();
            if !others.is_empty() {
                return Err(ApplyError::Conflicts(listed(&others)));
            }
            request
                .applied(&live, applied, before, true)
                .map_err(|others| ApplyError::Conflicts(listed(&others)))?
        }
        Err(conflicts) => return Err(ApplyError::Conflicts(listed(&conflicts))),
    };
    if is_client && last_applied(&live).is_some() {
        value["metadata"]["annotations"][ANNOTATION_LAST_APPLIED] =
            json!(last_applied_as_it_came(applied.clone()));
    }
    Ok(Applied { value, entries: entries::write(&managers) })
}

/// Fields that others manage, by who does.
type Conflicts = BTreeMap<Manager, FieldSet>;

fn listed(conflicts: &Conflicts) -> Vec<FieldConflict> {
    let of = |(manager, set): (&Manager, &FieldSet)| {
        let name = manager.shown();
        set.paths()
            .into_iter()
            .map(move |path| FieldConflict { manager: name.clone(), path })
            .collect::<Vec<_>>()
    };
    conflicts.iter().flat_map(of).collect()
}

fn told(problems: &[String]) -> String {
    match problems {
        [single] => single.clone(),
        several => format!("errors:\n  {}", several.join("\n  ")),
    }
}

fn last_applied(object: &Value) -> Option<Value> {
    let text = object["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].as_str()?;
    serde_json::from_str(text).ok()
}

fn forget_entries(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

/// What a Go client's object of the kind has before anybody sets anything: fields that are there even when they are empty are
/// nobody's for being there.
fn unset(kind: Kind) -> Value {
    let template = json!({ "metadata": {}, "spec": { "containers": null } });
    let spec = match kind {
        Kind::Job => json!({ "template": template }),
        Kind::CronJob => {
            json!({ "schedule": "", "jobTemplate": { "metadata": {}, "spec": { "template": template } } })
        }
        Kind::StatefulSet => {
            json!({ "selector": null, "serviceName": "", "template": template, "updateStrategy": {} })
        }
        Kind::Pod => json!({ "containers": null }),
        Kind::PersistentVolumeClaim => json!({ "resources": {} }),
        Kind::LimitRange => json!({ "limits": null }),
        Kind::NetworkPolicy => json!({ "podSelector": {} }),
        _ => json!({}),
    };
    let mut object = json!({ "metadata": {}, "spec": spec, "status": {} });
    match kind {
        Kind::Role | Kind::ClusterRole => object["rules"] = Value::Null,
        Kind::RoleBinding | Kind::ClusterRoleBinding => object["roleRef"] = json!({}),
        Kind::PriorityClass => object["value"] = json!(0),
        Kind::ControllerRevision => object["revision"] = json!(0),
        _ => {}
    }
    object
}

impl Request<'_> {
    fn manager(&self, operation: Operation) -> Manager {
        let api_version = if operation == Operation::Apply { String::new() } else { self.kind.api_version() };
        let subresource = if self.of_status { "status" } else { "" };
        Manager { name: self.manager.to_owned(), operation, api_version, subresource: subresource.to_owned() }
    }

    fn managed(&self, set: FieldSet) -> Managed {
        Managed { set, api_version: self.kind.api_version(), time: Some(self.now) }
    }

    /// The fields that the request can change.
    fn within(&self, set: &FieldSet) -> FieldSet {
        if self.of_status { set.only("f:status") } else { set.without(&FieldSet::of(&[&["f:status"]])) }
    }

    fn compared(&self, old: &Value, new: &Value) -> Comparison {
        let Comparison { added, removed, modified } =
            walk::compare(old, new, &Type::Object(self.kind.as_str()));
        Comparison {
            added: self.within(&added),
            removed: self.within(&removed),
            modified: self.within(&modified),
        }
    }

    /// Whoever updates takes what he sets, and nobody keeps what is gone.
    fn updated(&self, live: &Value, new: &Value, mut managers: Managers) -> Managers {
        let (mut live, mut new) = (live.clone(), new.clone());
        forget_entries(&mut live);
        forget_entries(&mut new);
        let Comparison { added, removed, modified } = self.compared(&live, &new);
        let taken = added.union(&modified);
        for managed in managers.values_mut() {
            managed.set = managed.set.difference(&taken).difference(&removed);
        }
        managers.retain(|_, managed| !managed.set.is_empty());
        let taken = taken.difference(&never_managed());
        if !taken.is_empty() {
            let manager = self.manager(Operation::Update);
            let before = managers.remove(&manager).map(|managed| managed.set).unwrap_or_default();
            managers.insert(manager, self.managed(taken.union(&before)));
        }
        cap(&mut managers);
        managers
    }

    /// Merges what is applied over what is there, and takes away what was applied before and is not now.
    fn applied(
        &self,
        live: &Value,
        applied: &Value,
        mut managers: Managers,
        force: bool,
    ) -> Result<(Value, Managers), Conflicts> {
        let of = Type::Object(self.kind.as_str());
        let merged = walk::merge(Some(live), Some(applied), &of).unwrap_or_default();
        let manager = self.manager(Operation::Apply);
        let before = managers.remove(&manager);
        let (before, time) = before.map(|managed| (managed.set, managed.time)).unwrap_or_default();
        let set = self.within(&walk::field_set(applied, &of));
        let all = managers.values().fold(set.clone(), |all, managed| all.union(&managed.set));
        let value = pruned(merged, &before, &all, &of);
        let Comparison { added, removed, modified } = self.compared(live, &value);
        let changed = added.union(&modified);
        let conflicts: Conflicts = managers
            .iter()
            .map(|(manager, managed)| (manager.clone(), managed.set.intersection(&changed)))
            .filter(|(_, set)| !set.is_empty())
            .collect();
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        for managed in managers.values_mut() {
            managed.set = managed.set.difference(&changed).difference(&removed);
        }
        // Whoever changes nothing has no time of his own.
        let is_same = changed.is_empty() && removed.is_empty();
        let time = if is_same { time } else { Some(self.now) };
        managers.insert(manager, Managed { time, ..self.managed(set.difference(&never_managed())) });
        managers.retain(|_, managed| !managed.set.is_empty());
        Ok((value, managers))
    }
}

/// What nobody manages: what names the object, and what the server writes.
fn never_managed() -> FieldSet {
    let of_metadata = [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "generation",
        "managedFields",
        "resourceVersion",
    ];
    let mut set = FieldSet::of(&[&["f:apiVersion"], &["f:kind"], &["f:metadata"]]);
    for field in of_metadata {
        set.insert(&["f:metadata".to_owned(), format!("f:{field}")]);
    }
    set
}

/// Takes from a merged object what its manager has applied before, unless somebody, he among them, manages it now.
fn pruned(merged: Value, before: &FieldSet, managed: &FieldSet, of: &Type) -> Value {
    if before.is_empty() {
        return merged;
    }
    let named = |set: &FieldSet| walk::with_named_fields(set, of);
    let fields_of = |value: &Value| named(&walk::field_set(value, of));
    let before = named(before);
    let merged_set = fields_of(&merged);
    let left = walk::remove(&merged, &before, of).unwrap_or_default();
    // What others manage comes back, with all that leads to it.
    let gone = merged_set.difference(&fields_of(&left).union(&named(managed)));
    let back = walk::remove(&merged, &gone, of).unwrap_or_default();
    // What was below something that is taken away, and was never his, comes back too.
    let gone = merged_set.difference(&fields_of(&back)).intersection(&before);
    walk::remove(&merged, &gone, of).unwrap_or_default()
}

/// Of many who have updated an object, the oldest become one.
fn cap(managers: &mut Managers) {
    let mut updaters: Vec<(Option<DateTime<Utc>>, Manager)> = managers
        .iter()
        .filter(|(manager, _)| manager.operation == Operation::Update)
        .map(|(manager, managed)| (managed.time, manager.clone()))
        .collect();
    if updaters.len() <= MOST_UPDATERS {
        return;
    }
    updaters.sort();
    let too_many = updaters.len() - MOST_UPDATERS + 1;
    for (_, oldest) in updaters.into_iter().take(too_many) {
        let Some(managed) = managers.remove(&oldest) else { continue };
        let bucket = Manager { name: ANCIENT.into(), subresource: String::new(), ..oldest };
        match managers.get_mut(&bucket) {
            Some(ancient) => {
                ancient.set = ancient.set.union(&managed.set);
                ancient.time = ancient.time.max(managed.time);
            }
            None => {
                managers.insert(bucket, managed);
            }
        }
    }
}
