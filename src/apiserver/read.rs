//! `get` and `list`.

use std::borrow::Cow;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::selectors::Selectors;
use crate::api::Pod;
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, name};
use crate::api::status_error::StatusError;
use crate::store::{self, State, Table};

/// An object in a table, as its text.
#[derive(Clone, Debug)]
pub enum Entry<'a> {
    /// As it is stored.
    Stored(store::Object<'a>),
    /// As requests that are not committed yet leave it.
    Written(String),
}

impl<'a> Entry<'a> {
    /// The JSON text.
    pub fn text(&self) -> &str {
        match self {
            Self::Stored(object) => object.text,
            Self::Written(text) => text,
        }
    }

    fn into_text(self) -> Cow<'a, str> {
        match self {
            Self::Stored(object) => Cow::Borrowed(object.text),
            Self::Written(text) => Cow::Owned(text),
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

    /// All of a table, by namespace and name.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn entries(&self, table: Table) -> Result<Entries<'_>>;
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
        let entry = self.entry(Table::from(kind), key)?;
        let entry = entry.ok_or_else(|| StatusError::not_found(kind, &key.name))?;
        Ok(Found { kind, key: Cow::Owned(key.clone()), text: as_shown(kind, entry)? })
    }

    /// All objects of a kind in a namespace, or in all (`None`), that the selectors select.
    ///
    /// # Errors
    /// [`StatusError::BadRequest`] for fields that the kind cannot be selected by.
    fn list(&self, kind: Kind, namespace: Option<&str>, selectors: &Selectors) -> Result<Vec<Found<'_>>> {
        selectors.check(kind)?;
        let namespace = namespace.filter(|_| kind.resource().namespaced);
        let mut found = Vec::new();
        for (key, entry) in self.entries(Table::from(kind))? {
            if namespace.is_some_and(|namespace| namespace != &*key.namespace) {
                continue;
            }
            let is_event = kind == Kind::Event;
            if is_event && self.now() - entry.parse::<EventRecord>()?.last > EVENT_TTL {
                continue;
            }
            let entry = if is_event { Entry::Written(as_shown(kind, entry)?.into_owned()) } else { entry };
            if selectors.is_empty()
                || selectors.matches(kind, entry.text()).map_err(|error| entry.damaged(&error))?
            {
                found.push(Found { kind, key, text: entry.into_text() });
            }
        }
        Ok(found)
    }

    /// The pods that a Job controls, oldest first, with those that were removed while the Job lived.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn pods_of_job(&self, job_uid: &str) -> Result<Vec<Pod>> {
        let mut pods: Vec<Pod> = Vec::new();
        for table in [Table::RemovedPods, Table::PODS] {
            for (_, entry) in self.entries(table)? {
                // Cheaper than parsing 10,000 of them.
                if entry.text().contains(job_uid) {
                    pods.push(entry.parse()?);
                }
            }
        }
        pods.retain(|pod| controller_of(&pod.metadata).is_some_and(|owner| owner.uid == job_uid));
        pods.sort_by_key(|pod| {
            (pod.metadata.creation_timestamp.as_ref().map(|time| time.0), name(&pod.metadata).to_owned())
        });
        Ok(pods)
    }
}

/// An object as the API shows it: Events are stored in a shorter form.
fn as_shown(kind: Kind, entry: Entry<'_>) -> Result<Cow<'_, str>> {
    if kind == Kind::Event {
        return Ok(Cow::Owned(entry.parse::<EventRecord>()?.to_event().to_string()));
    }
    Ok(entry.into_text())
}

/// What was stored at one revision.
#[derive(Debug)]
pub struct Reader {
    state: State,
    now: DateTime<Utc>,
}

impl Reader {
    /// What was read from the store.
    pub fn new(state: State, now: DateTime<Utc>) -> Self {
        Self { state, now }
    }

    /// The tables themselves: also what is no object of the API.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Source for Reader {
    fn now(&self) -> DateTime<Utc> {
        self.now
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        Ok(self.state.get(table, key).map(Entry::Stored))
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        let objects = self.state.objects(table);
        Ok(Box::new(objects.map(|(key, object)| (Cow::Borrowed(key), Entry::Stored(object)))))
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
