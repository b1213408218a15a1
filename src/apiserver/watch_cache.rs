//! All objects in memory, with what has become of them lately: whoever asks often is answered from here, and no file is read.
//!
//! What a Kubernetes API server calls its watch cache. It follows the journal; what it remembers begins with the last compaction
//! and goes on for as long as there is room. A watch from before that is told so ([`StatusError::Expired`]).

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::read::{Found, Read as _, Reader, shown};
use super::selectors::Selectors;
use super::watch::EventType;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::store::{Change, Object, State, Store, StoreError, Table, Tail};

/// How much text of changes is remembered.
const MOST_HISTORY: usize = 4 << 20;

/// A change to an object.
#[derive(Debug)]
pub struct Past {
    /// The revision of the change.
    pub revision: u64,
    /// Which object.
    pub key: Key,
    /// Its text as it is stored since; nothing where it is gone.
    pub now: Option<Box<str>>,
    /// Its text as it was before; nothing where it is new.
    pub before: Option<Box<str>>,
}

impl Past {
    fn size(&self) -> usize {
        let length = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        size_of::<Self>() + length(&self.now) + length(&self.before)
    }
}

/// What has been committed lately.
#[derive(Debug, Default)]
struct History {
    /// Of each kind, by revision.
    kinds: BTreeMap<Kind, VecDeque<Arc<Past>>>,
    /// The kinds of all of them, oldest first.
    order: VecDeque<Kind>,
    bytes: usize,
    /// Everything after this revision was remembered, and of some kinds is no more.
    begin: u64,
    forgotten: BTreeMap<Kind, u64>,
}

impl History {
    fn note(&mut self, change: &Change<'_>, before: Option<Object<'_>>) {
        let Table::Kind(kind) = change.table else { return };
        let before = before.map(|object| object.text).or(change.last);
        let past = Past {
            revision: change.revision,
            key: Key::new(change.namespace, change.name),
            now: change.object.map(Box::from),
            before: before.map(Box::from),
        };
        self.bytes += past.size();
        self.kinds.entry(kind).or_default().push_back(Arc::new(past));
        self.order.push_back(kind);
        while self.bytes > MOST_HISTORY && self.forget_oldest() {}
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(kind) = self.order.pop_front() else { return false };
        if let Some(past) = self.kinds.get_mut(&kind).and_then(VecDeque::pop_front) {
            self.bytes -= past.size();
            self.forgotten.insert(kind, past.revision);
        }
        true
    }

    fn oldest(&self, kind: Kind) -> u64 {
        self.forgotten.get(&kind).copied().unwrap_or_default().max(self.begin)
    }
}

/// The objects of a store as of the last commit that was read, and what came before.
#[derive(Debug)]
pub struct WatchCache {
    store: Store,
    tables: Vec<Table>,
    state: State,
    tail: Tail,
    heard: u32,
    history: History,
    /// What the last compaction has left behind, which is still held, by its revision: it goes with the next commit, for a
    /// deletion is told with a revision of its own.
    left_behind: Vec<(Table, Key, u64)>,
}

/// What a compaction may leave behind.
const FORGETTABLE: [Table; 3] = [Table::EVENTS, Table::Tombstones, Table::Environments];

impl WatchCache {
    /// Reads the whole store.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn load(store: &Store) -> Result<Self> {
        let tables: Vec<Table> = Table::all().collect();
        let heard = store.notifier_value();
        let (state, tail) = store.read_snapshot_in_force(&tables)?;
        let history = History { begin: state.revision(), ..History::default() };
        let mut cache =
            Self { store: store.clone(), tables, state, tail, heard, history, left_behind: Vec::new() };
        cache.read_on()?;
        Ok(cache)
    }

    /// Takes in what has been committed since, where there is anything; true then. Costs nothing where there is not.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn catch_up(&mut self) -> Result<bool> {
        if self.store.notifier_value() == self.heard { Ok(false) } else { self.read_on() }
    }

    /// As [`WatchCache::catch_up`], also where nobody has announced a commit.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn read_on(&mut self) -> Result<bool> {
        self.heard = self.store.notifier_value();
        let before = self.state.revision();
        let journal = self.tail.journal_path().to_owned();
        let history = &mut self.history;
        match self.state.follow(&mut self.tail, &self.tables, |change, object| history.note(change, object)) {
            // What was committed meanwhile is in no journal any more: whoever watches lists anew.
            Err(error) if matches!(error.downcast_ref(), Some(StoreError::Gap { .. })) => {
                let (state, tail) = self.store.read(&self.tables)?;
                self.history = History { begin: state.revision(), ..History::default() };
                (self.state, self.tail) = (state, tail);
                self.left_behind.clear();
                return Ok(self.state.revision() != before);
            }
            read => read?,
        }
        if self.tail.journal_path() != journal {
            self.look_for_left_behind()?;
        }
        let is_changed = self.state.revision() != before;
        if is_changed {
            self.let_go();
        }
        Ok(is_changed)
    }

    /// Finds what the compaction has left behind on whose journal this reads now.
    fn look_for_left_behind(&mut self) -> Result<()> {
        let (kept, _) = self.store.read_snapshot_in_force(&FORGETTABLE)?;
        let revision = kept.revision();
        // Of one that came later the next reading hears.
        if revision > self.state.revision() {
            return Ok(());
        }
        for table in FORGETTABLE {
            let gone = self
                .state
                .objects(table)
                .filter(|(key, object)| object.revision <= revision && kept.get(table, key).is_none());
            self.left_behind.extend(gone.map(|(key, object)| (table, key.clone(), object.revision)));
        }
        Ok(())
    }

    /// Lets go of what was left behind, unless it has come back since.
    fn let_go(&mut self) {
        let revision = self.state.revision();
        for (table, key, last) in std::mem::take(&mut self.left_behind) {
            let Some(object) = self.state.get(table, &key).filter(|object| object.revision == last) else {
                continue;
            };
            let change = Change {
                revision,
                table,
                namespace: &key.namespace,
                name: &key.name,
                object: None,
                last: None,
            };
            self.history.note(&change, Some(object));
            self.state.remove(table, &key);
        }
    }

    /// The revision of the last commit that was read.
    pub fn revision(&self) -> u64 {
        self.state.revision()
    }

    /// All objects. A copy shares them.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Where the reading ended: whoever has locked the store commits there.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// All objects, those of one kind, or what they are made of, as they were at a revision.
    ///
    /// # Errors
    /// As [`WatchCache::since`].
    pub fn state_at(&self, kind: Kind, revision: u64) -> Result<State, StatusError> {
        let mut state = self.state.clone();
        for kind in kind.made_of() {
            let later: Vec<&Arc<Past>> = self.since(kind, revision)?.collect();
            for past in later.into_iter().rev() {
                match &past.before {
                    Some(text) => state.add(Table::from(kind), past.key.clone(), text.to_string()),
                    None => state.remove(Table::from(kind), &past.key),
                }
            }
        }
        Ok(state)
    }

    /// What has become of the objects of a kind after a revision.
    ///
    /// # Errors
    /// [`StatusError::Expired`] where that is not known any more; [`StatusError::Timeout`] for a revision still to come.
    pub fn since(&self, kind: Kind, revision: u64) -> Result<impl Iterator<Item = &Arc<Past>>, StatusError> {
        let oldest = self.history.oldest(kind);
        if revision < oldest {
            return Err(StatusError::Expired { wanted: revision, oldest });
        }
        if revision > self.revision() {
            return Err(StatusError::Timeout { wanted: revision, current: self.revision() });
        }
        let (one, other) = self.history.kinds.get(&kind).map(VecDeque::as_slices).unwrap_or_default();
        let later = |changes: &'_ [Arc<Past>]| changes.partition_point(|past| past.revision <= revision);
        Ok(one[later(one)..].iter().chain(&other[later(other)..]))
    }
}

/// The objects that a watch is about.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Their kind.
    pub kind: Kind,
    /// Their namespace, or all.
    pub namespace: Option<String>,
    /// Which of them.
    pub selectors: Selectors,
}

impl Selection {
    /// The objects, as there are now.
    ///
    /// # Errors
    /// A store that cannot be read; damaged objects.
    pub fn list<'a>(&self, reader: &'a Reader) -> Result<Vec<Found<'a>>> {
        reader.list(self.kind, self.namespace.as_deref(), &self.selectors)
    }

    /// What a change is to whoever watches these objects: an object that is not selected any more is gone, as it was before,
    /// at the revision of the change.
    ///
    /// # Errors
    /// A damaged object.
    pub fn event<'a>(&self, past: &'a Past) -> Result<Option<(EventType, Cow<'a, str>)>> {
        if self.namespace.as_deref().is_some_and(|namespace| namespace != &*past.key.namespace) {
            return Ok(None);
        }
        let now = self.selected(past, past.now.as_deref())?;
        let before = self.selected(past, past.before.as_deref())?;
        Ok(match (before, now) {
            (None, Some(now)) => Some((EventType::Added, now)),
            (Some(_), Some(now)) => Some((EventType::Modified, now)),
            (Some(before), None) => {
                let mut last: Value = serde_json::from_str(&before)?;
                last["metadata"]["resourceVersion"] = json!(past.revision.to_string());
                Some((EventType::Deleted, Cow::Owned(last.to_string())))
            }
            (None, None) => None,
        })
    }

    /// The object as it is shown, if it is selected.
    fn selected<'a>(&self, past: &Past, text: Option<&'a str>) -> Result<Option<Cow<'a, str>>> {
        let Some(text) = text else { return Ok(None) };
        let damaged = || format!("read {} {}", self.kind, past.key);
        let text = shown(self.kind, text, Some(past.revision))
            .with_context(damaged)?
            .map_or(Cow::Borrowed(text), Cow::Owned);
        let is_selected =
            self.selectors.is_empty() || self.selectors.matches(self.kind, &text).with_context(damaged)?;
        Ok(is_selected.then_some(text))
    }
}
