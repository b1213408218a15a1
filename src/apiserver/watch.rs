//! `watch`: what becomes of the objects of a kind, from a list or from a resourceVersion on.
//!
//! The history is the journal: it goes back to the last compaction. A watch from before that is told so
//! ([`StatusError::Expired`]), lists anew and goes on from there, as with any Kubernetes API.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::read::{Found, Read as _, Reader, shown};
use super::selectors::Selectors;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::store::{Change, Store, Table, Tail};

/// What has become of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// It is new, or selected now.
    Added,
    /// It is another.
    Modified,
    /// It is gone, or not selected any more.
    Deleted,
}

impl EventType {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change to the selected objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchEvent {
    /// What has become of it.
    pub event: EventType,
    /// Its namespace and name.
    pub key: Key,
    /// Its JSON text: as it is now, or as it was when it was seen last.
    pub text: String,
    /// The revision of the change.
    pub revision: u64,
}

/// The objects that a watch has told of, and what it makes of changes to the store.
#[derive(Clone, Debug)]
pub struct Watch {
    kind: Kind,
    namespace: Option<String>,
    selectors: Selectors,
    shown: BTreeMap<Key, String>,
}

impl Watch {
    /// A watch that has told of nothing yet. The objects are those of a namespace, or of all (`None`).
    ///
    /// # Errors
    /// [`StatusError::BadRequest`] for fields that the kind cannot be selected by.
    pub fn new(kind: Kind, namespace: Option<&str>, selectors: &Selectors) -> Result<Self> {
        selectors.check(kind)?;
        let namespace = namespace.filter(|_| kind.resource().namespaced).map(str::to_owned);
        Ok(Self { kind, namespace, selectors: selectors.clone(), shown: BTreeMap::new() })
    }

    /// Goes on from a list: these objects are known already.
    pub fn after<'a>(mut self, listed: impl IntoIterator<Item = &'a Found<'a>>) -> Self {
        let listed = listed.into_iter().map(|one| (Key::clone(&one.key), one.text.to_string()));
        self.shown.extend(listed);
        self
    }

    /// Goes on from a revision: returns what has happened since, and where the reading ended.
    ///
    /// # Errors
    /// [`StatusError::Expired`] where that is not known any more; [`StatusError::Timeout`] for a revision still to come; a
    /// store that cannot be read.
    pub fn since(mut self, store: &Store, revision: u64) -> Result<(Self, Vec<WatchEvent>, Tail)> {
        let table = Table::from(self.kind);
        let (state, mut tail) = store.read_snapshot_in_force(&[table])?;
        if revision < state.revision() {
            return Err(StatusError::Expired { wanted: revision, oldest: state.revision() }.into());
        }
        let reader = Reader::new(state, chrono::DateTime::UNIX_EPOCH);
        let listed = reader.list(self.kind, self.namespace.as_deref(), &self.selectors)?;
        self = self.after(&listed);
        let mut events = Vec::new();
        let mut failed = Ok(());
        tail.changes(&[table], |change| match self.take(&change) {
            Ok(event) => events.extend(event.filter(|event| event.revision > revision)),
            Err(error) => failed = Err(error),
        })?;
        failed?;
        if revision > tail.revision() {
            return Err(StatusError::Timeout { wanted: revision, current: tail.revision() }.into());
        }
        Ok((self, events, tail))
    }

    /// What has become of the objects, by all that there is of them now: what is made of others when it is asked for is never
    /// committed.
    ///
    /// # Errors
    /// An object that does not read.
    pub fn take_list(&mut self, listed: &[Found<'_>], revision: u64) -> Result<Vec<WatchEvent>> {
        let mut before = std::mem::take(&mut self.shown);
        let mut events = Vec::new();
        for one in listed {
            let (key, text) = (Key::clone(&one.key), one.text.to_string());
            let event = match before.remove(&key) {
                Some(last) if unversioned(&last)? == unversioned(&text)? => None,
                Some(_) => Some(EventType::Modified),
                None => Some(EventType::Added),
            };
            self.shown.insert(key.clone(), text.clone());
            events.extend(event.map(|event| WatchEvent { event, key, text, revision }));
        }
        for (key, last) in before {
            let mut last: Value = serde_json::from_str(&last)?;
            last["metadata"]["resourceVersion"] = json!(revision.to_string());
            let text = last.to_string();
            events.push(WatchEvent { event: EventType::Deleted, key, text, revision });
        }
        Ok(events)
    }

    /// What a change to the store is to this watch.
    ///
    /// # Errors
    /// An object that does not read.
    pub fn take(&mut self, change: &Change<'_>) -> Result<Option<WatchEvent>> {
        let is_elsewhere = self.namespace.as_deref().is_some_and(|namespace| namespace != change.namespace);
        if change.table != Table::from(self.kind) || is_elsewhere {
            return Ok(None);
        }
        let mut text = None;
        if let Some(stored) = change.object {
            let shown = shown(self.kind, stored, Some(change.revision))?.unwrap_or_else(|| stored.to_owned());
            let is_selected = self.selectors.is_empty() || self.selectors.matches(self.kind, &shown)?;
            text = is_selected.then_some(shown);
        }
        let key = Key::new(change.namespace, change.name);
        let (event, text) = match (text, self.shown.remove(&key)) {
            (Some(text), before) => {
                // Told again, as after a gap.
                let is_same = before.as_ref() == Some(&text);
                self.shown.insert(key.clone(), text.clone());
                if is_same {
                    return Ok(None);
                }
                (if before.is_some() { EventType::Modified } else { EventType::Added }, text)
            }
            (None, Some(last)) => (EventType::Deleted, last),
            (None, None) => return Ok(None),
        };
        Ok(Some(WatchEvent { event, key, text, revision: change.revision }))
    }
}

/// An object without its version: of what is made when it is asked for that is always the newest.
///
/// # Errors
/// What is no object.
pub fn unversioned(text: &str) -> serde_json::Result<Value> {
    let mut object: Value = serde_json::from_str(text)?;
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("resourceVersion");
    }
    Ok(object)
}
