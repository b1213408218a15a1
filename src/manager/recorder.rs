//! Merging repeated Events, as upstream's recorder does.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use crate::api::events::EventRecord;

/// Beyond this number of different Events the oldest knowledge is dropped: a repeat then starts a new record.
const MOST_REMEMBERED: usize = 50_000;

/// What is known of Events already recorded.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    seen: HashMap<u64, (DateTime<Utc>, i32)>,
    last_first: Option<DateTime<Utc>>,
}

impl Recorder {
    /// Takes in an Event that is stored.
    pub(super) fn remember(&mut self, event: &EventRecord) {
        self.seen.insert(event.fingerprint(), (event.first, event.count));
    }

    /// The Event as it is to be stored: merged with an equal one, or with a first time of its own, since names are
    /// made of it.
    pub(super) fn record(&mut self, mut event: EventRecord) -> EventRecord {
        if self.seen.len() >= MOST_REMEMBERED {
            self.seen.clear();
        }
        let fingerprint = event.fingerprint();
        match self.seen.get(&fingerprint) {
            Some((first, count)) => {
                event.first = *first;
                event.count += count;
            }
            None => {
                let first = self.last_first.map_or(event.first, |last| {
                    if event.first <= last { last + Duration::nanoseconds(1) } else { event.first }
                });
                self.last_first = Some(first);
                event.first = first;
            }
        }
        self.seen.insert(fingerprint, (event.first, event.count));
        event
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::events::Reference;

    #[test]
    fn repeats_are_counted_and_others_get_names_of_their_own() {
        let about = Reference {
            kind: "Pod".into(),
            api_version: "v1".into(),
            namespace: "default".into(),
            name: "p".into(),
            uid: "u".into(),
            field_path: None,
        };
        let event = |message: &str, second| {
            let now = DateTime::from_timestamp(second, 0).expect("a time");
            EventRecord::new(about.clone(), "Normal", "kubelet", "Pulled", message, now)
        };
        let mut recorder = Recorder::default();
        let first = recorder.record(event("a", 1));
        let other = recorder.record(event("b", 1));
        let again = recorder.record(event("a", 9));
        assert_ne!(first.name(), other.name());
        assert_eq!((again.count, again.first, again.name()), (2, first.first, first.name()));
        assert_eq!(again.last.timestamp(), 9);
    }
}
