//! Events, in the compact form in which they are stored and as the API shows them.

use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

/// What an Event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Kind of the object.
    pub kind: String,
    /// Version of the object.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Uid of the object.
    pub uid: String,
    /// The part of the object, for instance `spec.containers{main}`.
    #[serde(rename = "fieldPath", default, skip_serializing_if = "Option::is_none")]
    pub field_path: Option<String>,
}

/// An Event as stored: a Job of 10,000 pods has 50,000 of them, so only what differs is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub type_: String,
    /// One CamelCase word.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// Who says so: `job-controller`, `kubelet`, `default-scheduler`.
    pub source: String,
    /// The object.
    pub about: Reference,
    /// When it was first seen.
    #[serde(serialize_with = "stored_time")]
    pub first: DateTime<Utc>,
    /// When it was last seen.
    #[serde(serialize_with = "stored_time")]
    pub last: DateTime<Utc>,
    /// How often.
    pub count: i32,
    /// The whole Event (core/v1), where a client of the API has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Value>,
}

fn stored_time<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&EventRecord::stamp(*at))
}

impl EventRecord {
    /// An Event seen once.
    pub fn new(
        about: Reference,
        type_: &str,
        source: &str,
        reason: &str,
        message: impl Into<String>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            type_: type_.to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
            source: source.to_owned(),
            about,
            first: now,
            last: now,
            count: 1,
            given: None,
        }
    }

    /// An Event that a client has made, as the API has it (core/v1). It is kept for as long as others, counted from `now`.
    pub fn of_client(event: Value, now: DateTime<Utc>) -> Self {
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let time = |field: &str| {
            event[field].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok()).map(|at| at.to_utc())
        };
        let involved = &event["involvedObject"];
        let about = Reference {
            kind: text(&involved["kind"]),
            api_version: text(&involved["apiVersion"]),
            // An Event is where it was made.
            namespace: text(&event["metadata"]["namespace"]),
            name: text(&involved["name"]),
            uid: text(&involved["uid"]),
            field_path: involved["fieldPath"].as_str().map(str::to_owned),
        };
        let first = time("firstTimestamp").or(time("eventTime")).unwrap_or(now);
        Self {
            type_: text(&event["type"]),
            reason: text(&event["reason"]),
            message: text(&event["message"]),
            source: text(&event["source"]["component"]),
            about,
            first,
            // By this is told when it may go.
            last: now,
            count: event["count"].as_i64().and_then(|count| i32::try_from(count).ok()).unwrap_or(1),
            given: Some(event),
        }
    }

    /// A time as it is stored: texts compare as the times do.
    pub fn stamp(at: DateTime<Utc>) -> String {
        at.to_rfc3339_opts(SecondsFormat::Nanos, true)
    }

    /// A number that equal Events share: repeats are merged into one with a count, as upstream's recorder does.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let about = (&self.about.uid, &self.about.field_path);
        (about, &self.type_, &self.source, &self.reason, &self.message).hash(&mut hasher);
        hasher.finish()
    }

    /// A number that similar Events share: of one object, from one source, of one type and reason. Beyond a few of these
    /// all others become one, as upstream's aggregator makes them.
    pub fn kinship(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.about.uid, &self.type_, &self.source, &self.reason, COMBINED).hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the Event stands for several similar ones.
    pub fn is_combined(&self) -> bool {
        self.message.starts_with(COMBINED)
    }

    /// Makes the Event stand for all similar ones that are not told by themselves; its message is the last one's.
    pub fn combine(&mut self) {
        self.message.insert_str(0, COMBINED);
        self.about.field_path = None;
    }

    /// The Event's name, `OBJECT.HEX`: by name is also by time, as on a server. Events of one object must differ in
    /// `first`, if only by a nanosecond.
    pub fn name(&self) -> String {
        if let Some(name) = self.given.as_ref().and_then(|given| given["metadata"]["name"].as_str()) {
            return name.to_owned();
        }
        format!("{}.{:x}", self.about.name, self.first.timestamp_nanos_opt().unwrap_or_default())
    }

    /// The Event as the API shows it (core/v1), with the revision of its last write where that is known.
    pub fn to_event_at(&self, revision: Option<u64>) -> Value {
        let mut event = self.to_event();
        if let Some(revision) = revision {
            event["metadata"]["resourceVersion"] = json!(revision.to_string());
        }
        event
    }

    /// A uid that the Event always has: none is stored.
    fn uid(&self) -> String {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, self.name(), &self.about.namespace, &self.about.uid).hash(&mut hasher);
            hasher.finish()
        };
        uuid::Builder::from_custom_bytes(((u128::from(half(1)) << 64) | u128::from(half(2))).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// The Event as the API shows it (core/v1).
    pub fn to_event(&self) -> Value {
        if let Some(given) = &self.given {
            return given.clone();
        }
        let stamp = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut involved = json!({
            "apiVersion": self.about.api_version,
            "kind": self.about.kind,
            "name": self.about.name,
            "namespace": self.about.namespace,
            "uid": self.about.uid,
        });
        if let Some(path) = &self.about.field_path {
            involved["fieldPath"] = json!(path);
        }
        json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "creationTimestamp": stamp(self.first),
                "name": self.name(),
                "namespace": self.about.namespace,
                "uid": self.uid(),
            },
            "involvedObject": involved,
            "type": self.type_,
            "reason": self.reason,
            "message": self.message,
            "source": {"component": self.source},
            "firstTimestamp": stamp(self.first),
            "lastTimestamp": stamp(self.last),
            "count": self.count,
            "eventTime": null,
            "reportingComponent": self.source,
            "reportingInstance": "",
        })
    }
}

/// What stands before the message of an Event that stands for several.
const COMBINED: &str = "(combined from similar events): ";

/// How long an Event is kept: upstream's event TTL.
pub const EVENT_TTL: chrono::Duration = chrono::Duration::hours(1);
