//! What kubectl 1.32 printed for the objects under `tests/data/describe`: each file holds the object, its
//! events and the moment of the recording; the `.txt` beside it is kubectl's output, byte for byte.

use super::*;
use crate::api::{CronJob, Job, Node, Pod};

#[derive(serde::Deserialize)]
struct Recorded {
    now: DateTime<Utc>,
    /// Seconds that kubectl's zone was east of UTC.
    #[serde(default)]
    offset: i32,
    object: serde_json::Value,
    events: Vec<Event>,
    /// Of a Node: what runs there.
    #[serde(default)]
    pods: Vec<Pod>,
}

fn described<T: Describe + serde::de::DeserializeOwned>(
    value: serde_json::Value,
    related: &Related,
    events: &[Event],
    now: DateTime<Utc>,
    zone: chrono::FixedOffset,
) -> String {
    let value: T = serde_json::from_value(value).unwrap();
    object(&value, related, Some(events), now, &zone)
}

#[test]
fn descriptions_are_those_of_kubectl() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/describe");
    let mut seen = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let recorded: Recorded = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap();
        let Recorded { now, offset, object, events, pods } = recorded;
        let zone = chrono::FixedOffset::east_opt(offset).unwrap();
        let related = Related { pods, ..Related::default() };
        let text = match object["kind"].as_str() {
            Some("CronJob") => described::<CronJob>(object, &related, &events, now, zone),
            Some("Job") => described::<Job>(object, &related, &events, now, zone),
            Some("Pod") => described::<Pod>(object, &related, &events, now, zone),
            Some("Node") => described::<Node>(object, &related, &events, now, zone),
            other => panic!("{}: unexpected kind {other:?}", path.display()),
        };
        if let Some((line, (ours, theirs))) =
            text.lines().zip(expected.lines()).enumerate().find(|(_, (ours, theirs))| ours != theirs)
        {
            panic!("{} line {}:\n ours: {ours:?}\ntheirs: {theirs:?}", path.display(), line + 1);
        }
        assert_eq!(text, expected, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 8, "the recordings are there");
}

#[test]
fn without_events_there_is_no_section() {
    let text = object(&Job::default(), &Related::default(), None, DateTime::UNIX_EPOCH, &Utc);
    assert!(!text.contains("Events"), "{text}");
}
