//! What a compaction leaves behind: Events past their time or beyond a number, the oldest tombstones, and passed environments
//! that no object names any more.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Table;
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::api::kinds::Key;
use crate::api::meta::ANNOTATION_PASSED_ENVIRONMENT_ID;

/// How many deleted Jobs are remembered.
const MOST_TOMBSTONES: usize = 1000;
/// How many Events of objects that are there are kept; an API server keeps all for an hour, for which it has etcd.
const MOST_EVENTS: usize = 25_000;
/// How many Events of objects that are gone.
const MOST_EVENTS_OF_THE_GONE: usize = 1000;

/// Decides table after table, in the order of [`super::record::TABLES`]: Events come last.
#[derive(Debug)]
pub(super) struct Retention {
    oldest: String,
    /// Hashes of the objects that were kept, by kind, namespace and name.
    kept: HashSet<u64>,
    /// The names of passed environments that objects call them by.
    named: HashSet<String>,
    /// Of the objects of the table that was looked at, in order, their revision and what decides on them.
    looked_at: Vec<(u64, Class)>,
    keep: std::vec::IntoIter<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Tombstone,
    Event,
    EventOfTheGone,
    Expired,
}

impl Class {
    fn most(self) -> usize {
        match self {
            Self::Tombstone => MOST_TOMBSTONES,
            Self::Event => MOST_EVENTS,
            Self::EventOfTheGone => MOST_EVENTS_OF_THE_GONE,
            Self::Expired => 0,
        }
    }
}

/// What an Event tells of itself.
#[derive(Deserialize)]
struct EventOutline<'a> {
    #[serde(borrow)]
    last: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    about: AboutOutline<'a>,
}

#[derive(Deserialize)]
struct AboutOutline<'a> {
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    namespace: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    name: std::borrow::Cow<'a, str>,
}

/// The name by which an object, or what it is a template of, calls the environment that was passed to it.
fn environment_named_in(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Outline {
        metadata: Annotated,
    }
    #[derive(Deserialize)]
    struct Annotated {
        #[serde(default)]
        annotations: std::collections::HashMap<String, String>,
    }
    let mut outline: Outline = serde_json::from_str(text).ok()?;
    outline.metadata.annotations.remove(ANNOTATION_PASSED_ENVIRONMENT_ID)
}

fn hash_of(kind: &str, namespace: &str, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    // Events about a node lie in some namespace; the node itself has none.
    let namespace = if kind == "Node" { "" } else { namespace };
    (kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}

/// The kind of a table's objects, where Events can be about them.
fn kind_of(table: Table) -> Option<&'static str> {
    match table {
        Table::EVENTS => None,
        Table::Kind(kind) => Some(kind.as_str()),
        Table::JobFacts | Table::Tombstones | Table::RemovedPods | Table::Environments => None,
    }
}

impl Retention {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let oldest = EventRecord::stamp(now - EVENT_TTL);
        Self {
            oldest,
            kept: HashSet::new(),
            named: HashSet::new(),
            looked_at: Vec::new(),
            keep: Vec::new().into_iter(),
        }
    }

    /// Whether the objects of a table are first looked at, all of them, before it is asked which to keep.
    pub(super) fn looks_first_at(table: Table) -> bool {
        matches!(table, Table::Tombstones | Table::EVENTS)
    }

    /// Looks at the next object of such a table.
    pub(super) fn look_at(&mut self, table: Table, revision: u64, text: &str) {
        let class = match table {
            Table::EVENTS => self.class_of_event(text),
            _ => Class::Tombstone,
        };
        self.looked_at.push((revision, class));
    }

    fn class_of_event(&self, text: &str) -> Class {
        let Ok(event) = serde_json::from_str::<EventOutline<'_>>(text) else { return Class::Expired };
        let AboutOutline { kind, namespace, name } = event.about;
        // Times are stored in a form that compares as text.
        if *event.last < *self.oldest {
            Class::Expired
        } else if self.kept.contains(&hash_of(&kind, &namespace, &name)) {
            Class::Event
        } else {
            Class::EventOfTheGone
        }
    }

    /// All have been looked at: of each class the newest stay.
    pub(super) fn decide(&mut self) {
        let looked_at = std::mem::take(&mut self.looked_at);
        let newest = |class: Class| {
            let mut revisions: Vec<u64> =
                looked_at.iter().filter(|(_, of)| *of == class).map(|(revision, _)| *revision).collect();
            revisions.sort_unstable();
            // No two writes have the same revision.
            let from = revisions.len().saturating_sub(class.most());
            revisions.get(from).copied()
        };
        let [tombstone, event, gone, expired] =
            [Class::Tombstone, Class::Event, Class::EventOfTheGone, Class::Expired].map(newest);
        let from = |class| match class {
            Class::Tombstone => tombstone,
            Class::Event => event,
            Class::EventOfTheGone => gone,
            Class::Expired => expired,
        };
        let keep =
            looked_at.iter().map(|(revision, class)| from(*class).is_some_and(|from| *revision >= from));
        self.keep = keep.collect::<Vec<bool>>().into_iter();
    }

    /// Whether the next object of a table is kept.
    pub(super) fn keeps(&mut self, table: Table, key: &Key, text: &str) -> bool {
        match table {
            Table::JOBS | Table::CRON_JOBS => self.named.extend(environment_named_in(text)),
            Table::Environments => return self.named.contains(&*key.name),
            _ if Self::looks_first_at(table) => return self.keep.next().unwrap_or(true),
            _ => {}
        }
        if let Some(kind) = kind_of(table) {
            self.kept.insert(hash_of(kind, &key.namespace, &key.name));
        }
        true
    }
}
