//! Merging repeated Events and combining similar ones, as upstream's recorder does (its EventAggregator and eventLogger). It
//! also drops those of one object beyond 25; here nobody is overrun by them, so none is lost.

use std::collections::HashMap;

use chrono::{DateTime, Duration, Utc};

use crate::api::events::EventRecord;

/// Beyond this number of different Events the oldest knowledge is dropped: a repeat then starts a new record.
const MOST_REMEMBERED: usize = 50_000;
/// Similar Events that are told by themselves; from the next on they are one.
const MOST_TOLD: usize = 9;
/// How long after a similar Event another one starts the count anew.
const SIMILAR_FOR: Duration = Duration::minutes(10);
/// The most objects and reasons whose similar Events are counted. Most have one or two and are soon forgotten.
const MOST_KIN: usize = 10_000;

/// What is known of Events already recorded.
#[derive(Debug, Default)]
pub struct Recorder {
    seen: HashMap<u64, (DateTime<Utc>, i32)>,
    kin: HashMap<u64, Kin>,
    last_first: Option<DateTime<Utc>>,
}

/// Similar Events that are told by themselves.
#[derive(Debug)]
struct Kin {
    first: u64,
    others: Vec<u64>,
    last: DateTime<Utc>,
}

impl Kin {
    fn of(event: &EventRecord) -> Self {
        Self { first: event.fingerprint(), others: Vec::new(), last: event.last }
    }

    /// Takes in one more; says whether it is told by itself.
    fn take(&mut self, event: &EventRecord) -> bool {
        if event.last - self.last > SIMILAR_FOR {
            *self = Self::of(event);
            return true;
        }
        self.last = self.last.max(event.last);
        let fingerprint = event.fingerprint();
        if self.first == fingerprint || self.others.contains(&fingerprint) {
            return true;
        }
        let is_told = 1 + self.others.len() < MOST_TOLD;
        if is_told {
            self.others.push(fingerprint);
        }
        is_told
    }
}

impl Recorder {
    /// Takes in an Event that is stored.
    pub fn remember(&mut self, event: &EventRecord) {
        let id = if event.is_combined() {
            event.kinship()
        } else {
            self.is_told(event);
            event.fingerprint()
        };
        self.seen.insert(id, (event.first, event.count));
    }

    /// The Event as it is to be stored: merged with an equal one, combined with similar ones where there are many, or with
    /// a first time of its own, since names are made of it.
    pub fn record(&mut self, mut event: EventRecord) -> EventRecord {
        if self.seen.len() >= MOST_REMEMBERED {
            self.seen.clear();
        }
        let id = if self.is_told(&event) {
            event.fingerprint()
        } else {
            event.combine();
            event.kinship()
        };
        match self.seen.get(&id) {
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
        self.seen.insert(id, (event.first, event.count));
        event
    }

    /// Whether an Event is one of the few of its kind that are told by themselves.
    fn is_told(&mut self, event: &EventRecord) -> bool {
        if self.kin.len() >= MOST_KIN {
            self.kin.retain(|_, kin| !kin.others.is_empty() && event.last - kin.last <= SIMILAR_FOR);
            if self.kin.len() >= MOST_KIN {
                self.kin.clear();
            }
        }
        match self.kin.get_mut(&event.kinship()) {
            Some(kin) => kin.take(event),
            None => {
                self.kin.insert(event.kinship(), Kin::of(event));
                true
            }
        }
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

    fn created(number: usize, second: i64) -> EventRecord {
        let about = Reference {
            kind: "Job".into(),
            api_version: "batch/v1".into(),
            namespace: "default".into(),
            name: "j".into(),
            uid: "u".into(),
            field_path: None,
        };
        let now = DateTime::from_timestamp(second, 0).expect("a time");
        let message = format!("Created pod: j-{number}");
        EventRecord::new(about, "Normal", "job-controller", "SuccessfulCreate", message, now)
    }

    #[test]
    fn many_similar_events_become_one() {
        let mut recorder = Recorder::default();
        let mut stored = std::collections::BTreeMap::new();
        for number in 0..300 {
            let event = recorder.record(created(number, 1));
            stored.insert(event.name(), event);
        }
        let told: Vec<(&str, i32)> =
            stored.values().map(|event| (event.message.as_str(), event.count)).collect();
        assert_eq!(told.len(), 10);
        assert_eq!(told[8], ("Created pod: j-8", 1));
        assert_eq!(told[9], ("(combined from similar events): Created pod: j-299", 291));
        let repeated = recorder.record(created(3, 2));
        assert_eq!(
            (repeated.message.as_str(), repeated.count),
            ("Created pod: j-3", 2),
            "a repeat is itself"
        );
        let other = recorder.record(EventRecord { reason: "Completed".into(), ..created(400, 2) });
        assert_eq!(other.message, "Created pod: j-400", "another reason has a count of its own");

        // Another process goes on where this one was.
        let mut next = Recorder::default();
        stored.values().rev().for_each(|event| next.remember(event));
        let more = next.record(created(500, 3));
        assert_eq!((more.count, more.name()), (292, stored.values().last().expect("combined").name()));

        // Ten minutes later such an Event is news.
        assert_eq!(recorder.record(created(600, 700)).message, "Created pod: j-600");
    }

    #[test]
    fn what_is_remembered_of_similar_events_is_bounded() {
        let mut recorder = Recorder::default();
        for number in 0..30_000 {
            let mut event = created(0, 1);
            event.about.uid = number.to_string();
            let _ = recorder.record(event);
            assert!(recorder.kin.len() <= MOST_KIN);
        }
    }
}
