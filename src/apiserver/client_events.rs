//! Events that clients of the API make: they are kept as they came.

use anyhow::Result;
use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::read::{Read as _, Source as _};
use super::transaction::Transaction;
use crate::api::decode::strict;
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::api::quoted::quoted;
use crate::api::status_error::{FieldError, StatusError};
use crate::controller::pods::{generated_name, new_uid};
use crate::store::Table;

impl Transaction {
    /// Creates an Event (core/v1) of a client in a namespace; returns it as it is stored.
    ///
    /// # Errors
    /// [`StatusError::NotFound`] for a namespace that does not exist; [`StatusError::AlreadyExists`];
    /// [`StatusError::Invalid`].
    pub fn create_event(&mut self, event: Value, namespace: &str) -> Result<Value> {
        let mut event = typed(event)?;
        self.get(Kind::Namespace, &Kind::Namespace.key("", namespace))?;
        let base = event["metadata"]["generateName"].as_str().unwrap_or_default().to_owned();
        if event["metadata"]["name"].as_str().unwrap_or_default().is_empty() && !base.is_empty() {
            event["metadata"]["name"] = json!(generated_name(&base, &mut self.random));
        }
        event["metadata"]["namespace"] = json!(namespace);
        let name = event["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        let key = Key::new(namespace, &name);
        if !name.is_empty() && self.entry(Table::EVENTS, &key)?.is_some() {
            return Err(StatusError::AlreadyExists { kind: Kind::Event, name }.into());
        }
        event["metadata"]["uid"] = json!(new_uid(&mut self.random));
        event["metadata"]["creationTimestamp"] = json!(crate::api::Time(self.now()));
        self.write_event(event, &key)
    }

    /// Changes an Event; returns it as it is stored.
    ///
    /// # Errors
    /// As [`Transaction::create_event`]; [`StatusError::Conflict`] where it was made from another version.
    pub fn change_event(&mut self, event: Value, key: &Key) -> Result<Value> {
        let mut event = typed(event)?;
        let current = self.get(Kind::Event, key)?.value()?;
        let versions =
            [&event, &current].map(|event| event["metadata"]["resourceVersion"].as_str().unwrap_or_default());
        if !versions[0].is_empty() && versions[0] != versions[1] {
            return Err(StatusError::conflict(Kind::Event, &key.name).into());
        }
        for field in ["uid", "creationTimestamp", "namespace", "name"] {
            event["metadata"][field] = current["metadata"][field].clone();
        }
        self.write_event(event, key)
    }

    fn write_event(&mut self, mut event: Value, key: &Key) -> Result<Value> {
        if let Some(metadata) = event["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        for (field, empty) in [
            ("eventTime", Value::Null),
            ("source", json!({})),
            ("firstTimestamp", Value::Null),
            ("lastTimestamp", Value::Null),
            ("reportingComponent", json!("")),
            ("reportingInstance", json!("")),
        ] {
            if event[field].is_null() {
                event[field] = empty;
            }
        }
        let causes = broken_rules(&event);
        if !causes.is_empty() {
            return Err(StatusError::Invalid { kind: Kind::Event, name: key.name.to_string(), causes }.into());
        }
        let record = EventRecord::of_client(event.clone(), self.now());
        self.put_text(Table::EVENTS, key.clone(), &record)?;
        if let Some(revision) = self.revision_of(Table::EVENTS, key) {
            event["metadata"]["resourceVersion"] = json!(revision.to_string());
        }
        Ok(event)
    }
}

/// An Event of the core group, each field of the type that Events have for it.
fn typed(mut event: Value) -> Result<Value, StatusError> {
    let refused = |message: String| StatusError::BadRequest { message };
    let Some(fields) = event.as_object_mut() else {
        return Err(refused("an Event is an object".to_owned()));
    };
    fields.insert("kind".to_owned(), json!("Event"));
    fields.insert("apiVersion".to_owned(), json!("v1"));
    strict::from_value::<Event>(&event).map_err(|error| refused(error.to_string()))?;
    Ok(event)
}

/// The rules of upstream's validation of Events.
fn broken_rules(event: &Value) -> Vec<FieldError> {
    let mut causes = Vec::new();
    let text = |field: &str| event[field].as_str().unwrap_or_default();
    if event["metadata"]["name"].as_str().unwrap_or_default().is_empty() {
        causes.push(FieldError::required("metadata.name", "name or generateName is required"));
    }
    let about = event["involvedObject"]["namespace"].as_str().unwrap_or_default();
    if !about.is_empty() && event["metadata"]["namespace"] != about {
        let why = "does not match event.namespace";
        causes.push(FieldError::invalid("involvedObject.namespace", quoted(about), why));
    }
    // Those that say when they were by the microsecond say everything else, too.
    if !event["eventTime"].is_null() {
        for field in ["reportingInstance", "action", "reason"] {
            if text(field).is_empty() {
                causes.push(FieldError::required(field, ""));
            }
        }
    }
    causes
}
