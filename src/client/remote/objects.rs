//! From what a server sends to the texts that our tables hold.

use std::borrow::Cow;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};

/// An object, and when it was changed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    pub(super) key: Key,
    pub(super) revision: u64,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outline<'a> {
    #[serde(borrow, default)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    metadata: Metadata<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Cow<'a, str>,
    #[serde(borrow)]
    resource_version: Cow<'a, str>,
}

impl Received {
    /// Reads an object of a kind as a server has sent it. Those of a list do not say what they are.
    ///
    /// # Errors
    /// No object.
    pub(super) fn read(kind: Kind, text: &str) -> Result<Self> {
        let outline: Outline<'_> = serde_json::from_str(text).context("read an object of the server")?;
        let Metadata { name, namespace, resource_version } = outline.metadata;
        let key = kind.key(&namespace, &name);
        let revision = resource_version.parse().unwrap_or_default();
        let version = kind.api_version();
        let text = match (kind, outline.kind) {
            (Kind::Event, _) => event_record(text)?,
            (_, Some(named)) if named == kind.as_str() && outline.api_version != version => {
                of_version(&version, text)?
            }
            (_, Some(_)) => text.to_owned(),
            (_, None) => format!(
                "{{\"apiVersion\":\"{version}\",\"kind\":\"{kind}\",{}",
                text.trim_start().trim_start_matches('{')
            ),
        };
        Ok(Self { key, revision, text })
    }
}

/// What an older server has in another version is the same by our name for it.
fn of_version(version: &str, text: &str) -> Result<String> {
    let mut object: Value = serde_json::from_str(text).context("read an object of the server")?;
    object["apiVersion"] = version.into();
    Ok(object.to_string())
}

/// Events are kept in another form.
fn event_record(text: &str) -> Result<String> {
    let mut event: Value = serde_json::from_str(text).context("read an Event of the server")?;
    event["apiVersion"] = "v1".into();
    event["kind"] = Kind::Event.as_str().into();
    let time = |value: &Value| {
        value.as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map(|at| at.to_utc())
    };
    let last = [
        &event["series"]["lastObservedTime"],
        &event["lastTimestamp"],
        &event["eventTime"],
        &event["metadata"]["creationTimestamp"],
    ]
    .into_iter()
    .find_map(time)
    .unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
    serde_json::to_string(&EventRecord::of_client(event, last)).context("keep an Event of the server")
}

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Received>,
    pub(super) resource_version: String,
    /// Where the next page begins; empty at the end.
    pub(super) next: String,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(borrow, default, deserialize_with = "some")]
    items: Option<Option<Vec<&'a RawValue>>>,
}

/// What is there, be it `null`.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    resource_version: String,
    r#continue: String,
}

impl Page {
    /// Reads a list as a server has sent it.
    ///
    /// # Errors
    /// No list.
    pub(super) fn read(kind: Kind, text: &[u8]) -> Result<Self> {
        let list: List<'_> = serde_json::from_slice(text).context("read a list of the server")?;
        // `null` is an empty one; whoever answers with something else is no API server, or refuses.
        let items = list.items.context("read a list of the server: it has no items")?;
        let objects = items.into_iter().flatten().map(|one| Received::read(kind, one.get()));
        Ok(Self {
            objects: objects.collect::<Result<_>>()?,
            resource_version: list.metadata.resource_version,
            next: list.metadata.r#continue,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_lists_are_told_what_they_are() {
        let list = br#"{"kind":"JobList","metadata":{"resourceVersion":"9","continue":"c"},
            "items":[{"metadata":{"name":"a","namespace":"n","resourceVersion":"7"}},
            {"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"b","namespace":"n"}}]}"#;
        let page = Page::read(Kind::Job, list).expect("a list");
        assert_eq!((page.resource_version.as_str(), page.next.as_str()), ("9", "c"));
        let [a, b] = page.objects.as_slice() else { panic!("two objects") };
        assert_eq!((&a.key, a.revision), (&Key::new("n", "a"), 7));
        assert_eq!(
            a.text,
            r#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","namespace":"n","resourceVersion":"7"}}"#
        );
        assert_eq!(
            b.text,
            r#"{"kind":"Job","apiVersion":"batch/v1","metadata":{"name":"b","namespace":"n"}}"#
        );
        for other in [r#"{}"#, r#"{"kind":"Status"}"#, "", "<html>", r#"{"items":{}}"#] {
            assert!(Page::read(Kind::Job, other.as_bytes()).is_err(), "{other}");
        }
        assert!(Page::read(Kind::Job, br#"{"items":null}"#).expect("an empty list").objects.is_empty());
    }

    #[test]
    fn objects_of_another_version_are_read_as_of_ours() {
        let old =
            r#"{"kind":"CronJob","apiVersion":"batch/v1beta1","metadata":{"name":"c","namespace":"n"}}"#;
        let read = Received::read(Kind::CronJob, old).expect("a CronJob");
        assert_eq!(
            read.text,
            r#"{"apiVersion":"batch/v1","kind":"CronJob","metadata":{"name":"c","namespace":"n"}}"#
        );
    }

    #[test]
    fn events_keep_their_times() {
        let event = r#"{"metadata":{"name":"e","namespace":"n"},"involvedObject":{"kind":"Pod","uid":"u","name":"p"},
            "reason":"FailedMount","type":"Warning","message":"no","firstTimestamp":"2026-01-01T00:00:00Z",
            "lastTimestamp":"2026-01-01T00:01:00Z","count":3}"#;
        let received = Received::read(Kind::Event, event).expect("an Event");
        let record: EventRecord = serde_json::from_str(&received.text).expect("a record");
        assert_eq!(record.to_event()["count"], 3);
        assert_eq!(record.last.to_rfc3339(), "2026-01-01T00:01:00+00:00");
    }
}
