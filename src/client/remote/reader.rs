//! Reading from a cluster: what is asked for is fetched when it is wanted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::api::{Api, Listing, Lists, Query};
use super::watches::goes_by_jobs;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::LABEL_CONTROLLER_UID_LEGACY;
use crate::api::status_error::StatusError;
use crate::apiserver::{Elsewhere, Entries, Entry, Selectors, Source};
use crate::manager::clock;
use crate::store::Table;

/// The objects of a cluster, each list as of when it was asked for first.
#[derive(Debug)]
pub(in crate::client) struct Asked {
    api: Arc<Api>,
    /// Where what names no namespace is looked for; nothing for all of them.
    namespace: Option<String>,
    lists: Mutex<BTreeMap<(Kind, Query), Arc<Listing>>>,
    /// The objects that the lists are about, if any are named.
    named: Vec<(Kind, Key)>,
}

impl Asked {
    /// Nothing is fetched yet.
    pub(in crate::client) fn new(api: Arc<Api>, namespace: Option<String>) -> Self {
        Self { api, namespace, lists: Mutex::default(), named: Vec::new() }
    }

    /// With lists that are known already; where objects are named, they are about these alone.
    pub(super) fn knowing(self, lists: Lists, named: &[(Kind, Key)]) -> Self {
        let lists = lists.into_iter().map(|(kind, query, listing)| ((kind, query), Arc::new(listing)));
        Self { lists: Mutex::new(lists.collect()), named: named.to_vec(), ..self }
    }

    /// What is known already of a kind of which only what has to do with named objects is wanted.
    fn of_named(&self, kind: Kind) -> Option<Listing> {
        let is_wanted = |(of, _): &(Kind, Key)| *of == kind;
        if self.named.is_empty() || !(goes_by_jobs(kind) || self.named.iter().any(is_wanted)) {
            return None;
        }
        let lists = self.lists();
        let of_kind = lists.iter().filter(|((of, _), _)| *of == kind);
        let objects = of_kind.flat_map(|(_, listing)| listing.objects.clone());
        Some(Listing { objects: objects.collect(), ..Listing::default() })
    }

    fn list(&self, kind: Kind, query: Query) -> Result<Arc<Listing>> {
        let key = (kind, query);
        if let Some(known) = self.lists().get(&key) {
            return Ok(known.clone());
        }
        let listing = Arc::new(self.api.wait(self.api.list(kind, &key.1))?);
        self.lists().insert(key, listing.clone());
        Ok(listing)
    }

    fn lists(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Kind, Query), Arc<Listing>>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object of one of the known lists.
    pub(super) fn listed(&self, kind: Kind, key: &Key) -> Option<String> {
        let lists = self.lists();
        let mut of_kind = lists.iter().filter(|((of, _), _)| *of == kind);
        of_kind.find_map(|(_, listing)| Some(listing.objects.get(key)?.text.clone()))
    }

    /// What one of the known lists says of an object, where one of them covers it.
    fn known(&self, kind: Kind, key: &Key) -> Option<Option<Entry<'static>>> {
        let lists = self.lists();
        let covers = |query: &Query| {
            query.labels.is_empty()
                && query.fields.is_empty()
                && query.namespace.as_ref().is_none_or(|namespace| **namespace == *key.namespace)
        };
        let (_, listing) = lists.iter().find(|((of, query), _)| *of == kind && covers(query))?;
        Some(listing.objects.get(key).map(|one| Entry::Received(one.text.clone())))
    }
}

/// The kind of a table; none of what only a store has.
pub(super) fn kind_of(table: Table) -> Option<Kind> {
    match table {
        Table::Kind(kind) => Some(kind),
        _ => None,
    }
}

fn entries<'a>(listing: &Listing) -> Entries<'a> {
    let texts: Vec<_> = listing.objects.values().map(|one| (one.key.clone(), one.text.clone())).collect();
    Box::new(texts.into_iter().map(|(key, text)| (Cow::Owned(key), Entry::Received(text))))
}

impl Source for Asked {
    fn now(&self) -> DateTime<Utc> {
        clock()
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        let Some(kind) = kind_of(table) else { return Ok(None) };
        if self.named.iter().any(|(of, named)| *of == kind && named == key) {
            return Ok(self.listed(kind, key).map(Entry::Received));
        }
        if let Some(known) = self.known(kind, key) {
            return Ok(known);
        }
        let received = self.api.wait(self.api.get(kind, key))?;
        Ok(received.map(|one| Entry::Received(one.text)))
    }

    fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        self.api.wait(self.api.missing(kind, key))
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        let Some(kind) = kind_of(table) else { return Ok(Box::new(std::iter::empty())) };
        if let Some(known) = self.of_named(kind) {
            return Ok(entries(&known));
        }
        let namespace = self.namespace.clone().filter(|_| kind.resource().namespaced);
        let listing = self.list(kind, Query { namespace, ..Query::default() })?;
        Ok(entries(&listing))
    }

    fn entries_of_owner(&self, table: Table, owner: &str) -> Result<Entries<'_>> {
        if table != Table::PODS || self.of_named(Kind::Pod).is_some() {
            return self.entries(table);
        }
        let labels = format!("{LABEL_CONTROLLER_UID_LEGACY}={owner}");
        let query = Query { namespace: self.namespace.clone(), labels, ..Query::default() };
        let listing = self.list(Kind::Pod, query)?;
        // Where a Job selects its pods by labels of its own they may not have this one; what is no Job's has not.
        if listing.objects.is_empty() { self.entries(table) } else { Ok(entries(&listing)) }
    }

    fn entries_among(
        &self,
        table: Table,
        namespace: Option<&str>,
        selectors: &Selectors,
    ) -> Result<Entries<'_>> {
        let Some(kind) = kind_of(table) else { return Ok(Box::new(std::iter::empty())) };
        let (labels, fields) = selectors.texts();
        let query = Query {
            namespace: namespace.map(str::to_owned).filter(|_| kind.resource().namespaced),
            labels: labels.to_owned(),
            fields: fields.to_owned(),
        };
        let listing = self.list(kind, query)?;
        Ok(entries(&listing))
    }
}

impl Elsewhere for Asked {}
