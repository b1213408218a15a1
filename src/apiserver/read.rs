//! `get` and `list`.

use std::borrow::Cow;
use std::fmt;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use k8s_openapi::Metadata;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::owners::is_controlled_by;
use super::selectors::Selectors;
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::name;
use crate::api::status_error::StatusError;
use crate::api::{ObjectMeta, Pod};
use crate::store::{self, State, Table};

/// An object in a table, as its text.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// As it is stored.
    Stored(store::Object<'a>),
    /// As requests that are not committed yet leave it.
    Written(String),
    /// As a server elsewhere has sent it.
    Received(String),
}

impl<'a> Entry<'a> {
    /// The JSON text.
    pub fn text(&self) -> &str {
        match self {
            Self::Stored(object) => object.text,
            Self::Written(text) | Self::Received(text) => text,
        }
    }

    /// The revision of the write that has left it so, where it is stored.
    fn revision(&self) -> Option<u64> {
        match self {
            Self::Stored(object) => Some(object.revision),
            Self::Written(_) | Self::Received(_) => None,
        }
    }

    fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Stored(object) => Cow::Borrowed(object.text),
            Self::Written(text) | Self::Received(text) => Cow::Owned(text),
        }
    }

    /// Parses the object.
    ///
    /// # Errors
    /// Damage, with file and line.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.text()).map_err(|error| self.damaged(&error))
    }

    fn damaged(&self, error: &serde_json::Error) -> anyhow::Error {
        match self {
            Self::Stored(object) => object.damaged(error),
            Self::Written(_) => anyhow::anyhow!("read what was written: {error}"),
            Self::Received(_) => anyhow::anyhow!("read what the server has sent: {error}"),
        }
    }
}

/// Where objects are read from.
pub trait Source {
    /// The time by which is told what is too old to be listed.
    fn now(&self) -> DateTime<Utc>;

    /// What stands in a table under a key.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>>;

    /// Why an object is not there. Elsewhere its namespace may be what is missing.
    fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        StatusError::not_found(kind, &key.name)
    }

    /// All of a table, by namespace and name.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn entries(&self, table: Table) -> Result<Entries<'_>>;

    /// Whether it is somebody else's to select objects, and to know by what.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// At least those of a table that an owner controls, for a source that need not hand over the others.
    ///
    /// # Errors
    /// As [`Source::entries`].
    fn entries_of_owner(&self, table: Table, _owner: &str) -> Result<Entries<'_>> {
        self.entries(table)
    }

    /// At least those of a table that are in a namespace and are selected, for a source that need not hand over the others.
    ///
    /// # Errors
    /// As [`Source::entries`].
    fn entries_among(
        &self,
        table: Table,
        _namespace: Option<&str>,
        _selectors: &Selectors,
    ) -> Result<Entries<'_>> {
        self.entries(table)
    }
}

/// What stands in a table.
pub type Entries<'a> = Box<dyn Iterator<Item = (Cow<'a, Key>, Entry<'a>)> + 'a>;

/// An object that was found.
#[derive(Clone, Debug)]
pub struct Found<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub key: Cow<'a, Key>,
    /// Its JSON text as the API shows it.
    pub text: Cow<'a, str>,
}

impl Found<'_> {
    /// The same, whatever becomes of what it was found in.
    pub fn into_owned(self) -> Found<'static> {
        let Self { kind, key, text } = self;
        Found { kind, key: Cow::Owned(key.into_owned()), text: Cow::Owned(text.into_owned()) }
    }

    /// The object as a value.
    ///
    /// # Errors
    /// A damaged object.
    pub fn value(&self) -> Result<Value> {
        self.parse()
    }

    /// The object as a type of its kind.
    ///
    /// # Errors
    /// A damaged object.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.text).with_context(|| format!("read {} {}", self.kind, self.key))
    }
}

/// The requests that change nothing.
pub trait Read: Source {
    /// One object by name.
    ///
    /// # Errors
    /// [`StatusError::NotFound`].
    fn get(&self, kind: Kind, key: &Key) -> Result<Found<'_>> {
        Ok(self.find(kind, key)?.ok_or_else(|| self.missing(kind, key))?)
    }

    /// One object by name, if there is one.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn find(&self, kind: Kind, key: &Key) -> Result<Option<Found<'_>>> {
        let Some(entry) = self.entry(Table::from(kind), key)? else { return Ok(None) };
        let text = shown(kind, entry.text(), entry.revision()).map_err(|error| entry.damaged(&error))?;
        let text = text.map_or_else(|| entry.into_text(), Cow::Owned);
        Ok(Some(Found { kind, key: Cow::Owned(key.clone()), text }))
    }

    /// All objects of a kind in a namespace, or in all (`None`), that the selectors select.
    ///
    /// # Errors
    /// [`StatusError::BadRequest`] for fields that the kind cannot be selected by.
    fn list(&self, kind: Kind, namespace: Option<&str>, selectors: &Selectors) -> Result<Vec<Found<'_>>> {
        // A server knows best by what its objects can be selected, and how old its Events may grow.
        if !self.is_elsewhere() {
            selectors.check(kind)?;
        }
        let namespace = namespace.filter(|_| kind.resource().namespaced);
        let mut found = Vec::new();
        for (key, entry) in self.entries_among(Table::from(kind), namespace, selectors)? {
            if namespace.is_none_or(|namespace| namespace == &*key.namespace)
                && let Some(text) = self.selected(kind, entry, selectors)?
            {
                found.push(Found { kind, key, text });
            }
        }
        Ok(found)
    }

    /// What is shown of an object, if it is selected.
    ///
    /// # Errors
    /// A damaged object.
    fn selected<'a>(
        &self,
        kind: Kind,
        entry: Entry<'a>,
        selectors: &Selectors,
    ) -> Result<Option<Cow<'a, str>>> {
        let is_elsewhere = self.is_elsewhere();
        let entry = match kind {
            Kind::Event => {
                let record: EventRecord = entry.parse()?;
                if !is_elsewhere && self.now() - record.last > EVENT_TTL {
                    return Ok(None);
                }
                Entry::Written(record.to_event_at(entry.revision()).to_string())
            }
            _ => entry,
        };
        let is_selected = selectors.is_empty()
            || is_elsewhere
            || selectors.matches(kind, entry.text()).map_err(|error| entry.damaged(&error))?;
        Ok(is_selected.then(|| entry.into_text()))
    }

    /// The objects of a table that an owner controls, by namespace and name.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn owned<T>(&self, table: Table, owner: &str) -> Result<Vec<T>>
    where
        T: DeserializeOwned + Metadata<Ty = ObjectMeta>,
    {
        let mut owned: Vec<T> = Vec::new();
        for (_, entry) in self.entries_of_owner(table, owner)? {
            // Cheaper than parsing 10,000 of them.
            if entry.text().contains(owner) {
                owned.push(entry.parse()?);
            }
        }
        owned.retain(|object| is_controlled_by(object, owner));
        Ok(owned)
    }

    /// The pods that a Job controls, oldest first, with those that were removed while the Job lived.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn pods_of_job(&self, job_uid: &str) -> Result<Vec<Pod>> {
        let mut pods: Vec<Pod> = self.owned(Table::RemovedPods, job_uid)?;
        pods.extend(self.owned::<Pod>(Table::PODS, job_uid)?);
        pods.sort_by_key(|pod| {
            (pod.metadata.creation_timestamp.as_ref().map(|time| time.0), name(&pod.metadata).to_owned())
        });
        Ok(pods)
    }
}

/// An object as the API shows it, where it is stored in another form, as Events are.
pub(super) fn shown(kind: Kind, stored: &str, revision: Option<u64>) -> serde_json::Result<Option<String>> {
    if kind != Kind::Event {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str::<EventRecord>(stored)?.to_event_at(revision).to_string()))
}

/// What was stored at one revision, or what a server elsewhere answers.
#[derive(Debug)]
pub struct Reader(Origin);

#[derive(Debug)]
enum Origin {
    Store { state: State, now: DateTime<Utc> },
    Elsewhere(Box<dyn Elsewhere>),
}

/// A source that is no store of ours.
pub trait Elsewhere: Source + fmt::Debug + Send + Sync {}

impl Reader {
    /// What was read from the store.
    pub fn new(state: State, now: DateTime<Utc>) -> Self {
        Self(Origin::Store { state, now })
    }

    /// What is asked for elsewhere, when it is wanted.
    pub fn elsewhere(source: Box<dyn Elsewhere>) -> Self {
        Self(Origin::Elsewhere(source))
    }

    /// A part of a list: at most so many objects, the first not before a key; and how many there are after these. Of objects
    /// that are selected, only whether there are more: one, or none.
    ///
    /// # Errors
    /// As [`Read::list`].
    pub fn page(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        selectors: &Selectors,
        from: Option<&Key>,
        limit: usize,
    ) -> Result<(Vec<Found<'_>>, usize)> {
        let Origin::Store { state, .. } = &self.0 else {
            let mut found = self.list(kind, namespace, selectors)?;
            found.retain(|one| from.is_none_or(|from| *one.key >= *from));
            let rest = found.len().saturating_sub(limit);
            found.truncate(limit);
            return Ok((found, rest));
        };
        selectors.check(kind)?;
        let table = Table::from(kind);
        let namespace = namespace.filter(|_| kind.resource().namespaced);
        let (mut found, mut rest) = (Vec::new(), 0);
        for (key, object) in state.objects_in(table, namespace, from) {
            // Those that are too old are no part of a list.
            if found.len() == limit && selectors.is_empty() && kind != Kind::Event {
                return Ok((found, state.count_in(table, namespace, Some(key))));
            }
            let Some(text) = self.selected(kind, Entry::Stored(object), selectors)? else { continue };
            if found.len() < limit {
                found.push(Found { kind, key: Cow::Borrowed(key), text });
                continue;
            }
            rest += 1;
            if !selectors.is_empty() {
                break;
            }
        }
        Ok((found, rest))
    }
}

impl Source for Reader {
    fn now(&self) -> DateTime<Utc> {
        match &self.0 {
            Origin::Store { now, .. } => *now,
            Origin::Elsewhere(source) => source.now(),
        }
    }

    fn is_elsewhere(&self) -> bool {
        matches!(self.0, Origin::Elsewhere(_))
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        match &self.0 {
            Origin::Store { state, .. } => Ok(state.get(table, key).map(Entry::Stored)),
            Origin::Elsewhere(source) => source.entry(table, key),
        }
    }

    fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        match &self.0 {
            Origin::Store { .. } => StatusError::not_found(kind, &key.name),
            Origin::Elsewhere(source) => source.missing(kind, key),
        }
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        match &self.0 {
            Origin::Store { state, .. } => {
                let objects = state.objects(table);
                Ok(Box::new(objects.map(|(key, object)| (Cow::Borrowed(key), Entry::Stored(object)))))
            }
            Origin::Elsewhere(source) => source.entries(table),
        }
    }

    fn entries_of_owner(&self, table: Table, owner: &str) -> Result<Entries<'_>> {
        match &self.0 {
            Origin::Store { .. } => self.entries(table),
            Origin::Elsewhere(source) => source.entries_of_owner(table, owner),
        }
    }

    fn entries_among(
        &self,
        table: Table,
        namespace: Option<&str>,
        selectors: &Selectors,
    ) -> Result<Entries<'_>> {
        match &self.0 {
            Origin::Store { state, .. } => {
                let objects = state.objects_in(table, namespace, None);
                Ok(Box::new(objects.map(|(key, object)| (Cow::Borrowed(key), Entry::Stored(object)))))
            }
            Origin::Elsewhere(source) => source.entries_among(table, namespace, selectors),
        }
    }
}

impl Read for Reader {}

/// The uid of an object, by its text.
pub fn uid_of(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Outline {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        uid: String,
    }
    serde_json::from_str(text).ok().map(|outline: Outline| outline.metadata.uid)
}
