//! What is due when.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

/// One due time for each key at most.
#[derive(Debug)]
pub(super) struct Timers<K> {
    by_key: BTreeMap<K, DateTime<Utc>>,
    by_time: BTreeSet<(DateTime<Utc>, K)>,
}

impl<K: Ord + Clone> Timers<K> {
    pub(super) fn new() -> Self {
        Self { by_key: BTreeMap::new(), by_time: BTreeSet::new() }
    }

    /// Sets, moves or clears a key's time.
    pub(super) fn set(&mut self, key: &K, at: Option<DateTime<Utc>>) {
        if let Some(old) = self.by_key.remove(key) {
            self.by_time.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.by_key.insert(key.clone(), at);
            self.by_time.insert((at, key.clone()));
        }
    }

    /// Takes the keys whose time has come.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<K> {
        let mut due = Vec::new();
        while let Some((at, key)) = self.by_time.first().cloned() {
            if at > now {
                break;
            }
            self.set(&key, None);
            due.push(key);
        }
        due
    }

    /// Moves every time: somebody has set the clock.
    pub(super) fn shift(&mut self, by: Duration) {
        let by_key = std::mem::take(&mut self.by_key);
        self.by_key = by_key.into_iter().map(|(key, at)| (key, at + by)).collect();
        self.by_time = self.by_key.iter().map(|(key, at)| (*at, key.clone())).collect();
    }

    /// The next time that comes.
    pub(super) fn next(&self) -> Option<DateTime<Utc>> {
        self.by_time.first().map(|(at, _)| *at)
    }
}
