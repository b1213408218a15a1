//! The cells of `kubectl get`, made straight from the JSON text of an object: only the fields a row shows
//! are read, and most are borrowed, so that ten thousand pods stay a matter of milliseconds.

mod batch;
mod core;
mod event;
mod pod;
mod related;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::duration;
use crate::api::selectors::LabelSelector;

pub(crate) use core::node_roles;
pub use event::{EVENTS_COLUMNS, event_time, events_row};
pub use pod::listed_pod;
pub(crate) use related::access_modes;

/// What is shown where a list or a reference is empty.
const NONE: &str = "<none>";

/// A kind that has a table of its own; other kinds show NAME and AGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are Kubernetes' kinds")]
pub enum TableKind {
    CronJob,
    Job,
    Pod,
    Event,
    Node,
    Namespace,
    ConfigMap,
    Secret,
    Service,
    PersistentVolumeClaim,
    StatefulSet,
    ControllerRevision,
    Endpoints,
    EndpointSlice,
    ServiceAccount,
    Role,
    ClusterRole,
    RoleBinding,
    ClusterRoleBinding,
    NetworkPolicy,
    LimitRange,
    ResourceQuota,
    PriorityClass,
    Other,
}

impl TableKind {
    /// The table of a kind, by its name as `kind:` has it.
    pub fn of(kind: &str) -> Self {
        match kind {
            "CronJob" => Self::CronJob,
            "Job" => Self::Job,
            "Pod" => Self::Pod,
            "Event" => Self::Event,
            "Node" => Self::Node,
            "Namespace" => Self::Namespace,
            "ConfigMap" => Self::ConfigMap,
            "Secret" => Self::Secret,
            "Service" => Self::Service,
            "PersistentVolumeClaim" => Self::PersistentVolumeClaim,
            "StatefulSet" => Self::StatefulSet,
            "ControllerRevision" => Self::ControllerRevision,
            "Endpoints" => Self::Endpoints,
            "EndpointSlice" => Self::EndpointSlice,
            "ServiceAccount" => Self::ServiceAccount,
            "Role" => Self::Role,
            "ClusterRole" => Self::ClusterRole,
            "RoleBinding" => Self::RoleBinding,
            "ClusterRoleBinding" => Self::ClusterRoleBinding,
            "NetworkPolicy" => Self::NetworkPolicy,
            "LimitRange" => Self::LimitRange,
            "ResourceQuota" => Self::ResourceQuota,
            "PriorityClass" => Self::PriorityClass,
            _ => Self::Other,
        }
    }

    /// The headers of the kind's table.
    pub fn columns(self, wide: bool) -> &'static [&'static str] {
        match (self, wide) {
            (Self::CronJob, false) => {
                &["NAME", "SCHEDULE", "TIMEZONE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE"]
            }
            (Self::CronJob, true) => &[
                "NAME",
                "SCHEDULE",
                "TIMEZONE",
                "SUSPEND",
                "ACTIVE",
                "LAST SCHEDULE",
                "AGE",
                "CONTAINERS",
                "IMAGES",
                "SELECTOR",
                // Ours: whoever prints the table adds the cell, for it depends on this machine's zone.
                "NEXT SCHEDULE",
            ],
            (Self::Job, false) => &["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE"],
            (Self::Job, true) => {
                &["NAME", "STATUS", "COMPLETIONS", "DURATION", "AGE", "CONTAINERS", "IMAGES", "SELECTOR"]
            }
            (Self::Pod, false) => &["NAME", "READY", "STATUS", "RESTARTS", "AGE"],
            (Self::Pod, true) => &[
                "NAME",
                "READY",
                "STATUS",
                "RESTARTS",
                "AGE",
                "IP",
                "NODE",
                "NOMINATED NODE",
                "READINESS GATES",
            ],
            (Self::Event, false) => &["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
            (Self::Event, true) => &[
                "LAST SEEN",
                "TYPE",
                "REASON",
                "OBJECT",
                "SUBOBJECT",
                "SOURCE",
                "MESSAGE",
                "FIRST SEEN",
                "COUNT",
                "NAME",
            ],
            (Self::Node, false) => &["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
            (Self::Node, true) => &[
                "NAME",
                "STATUS",
                "ROLES",
                "AGE",
                "VERSION",
                "INTERNAL-IP",
                "EXTERNAL-IP",
                "OS-IMAGE",
                "KERNEL-VERSION",
                "CONTAINER-RUNTIME",
            ],
            (Self::Namespace, _) => &["NAME", "STATUS", "AGE"],
            (Self::ConfigMap, _) => &["NAME", "DATA", "AGE"],
            (Self::Secret, _) => &["NAME", "TYPE", "DATA", "AGE"],
            (Self::Service, false) => &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
            (Self::Service, true) => {
                &["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
            }
            (Self::PersistentVolumeClaim, false) => &[
                "NAME",
                "STATUS",
                "VOLUME",
                "CAPACITY",
                "ACCESS MODES",
                "STORAGECLASS",
                "VOLUMEATTRIBUTESCLASS",
                "AGE",
            ],
            (Self::PersistentVolumeClaim, true) => &[
                "NAME",
                "STATUS",
                "VOLUME",
                "CAPACITY",
                "ACCESS MODES",
                "STORAGECLASS",
                "VOLUMEATTRIBUTESCLASS",
                "AGE",
                "VOLUMEMODE",
            ],
            (Self::StatefulSet, false) => &["NAME", "READY", "AGE"],
            (Self::StatefulSet, true) => &["NAME", "READY", "AGE", "CONTAINERS", "IMAGES"],
            (Self::ControllerRevision, _) => &["NAME", "CONTROLLER", "REVISION", "AGE"],
            (Self::Endpoints, _) => &["NAME", "ENDPOINTS", "AGE"],
            (Self::EndpointSlice, _) => &["NAME", "ADDRESSTYPE", "PORTS", "ENDPOINTS", "AGE"],
            (Self::ServiceAccount, _) => &["NAME", "SECRETS", "AGE"],
            (Self::Role | Self::ClusterRole | Self::LimitRange, _) => &["NAME", "CREATED AT"],
            (Self::RoleBinding | Self::ClusterRoleBinding, false) => &["NAME", "ROLE", "AGE"],
            (Self::RoleBinding | Self::ClusterRoleBinding, true) => {
                &["NAME", "ROLE", "AGE", "USERS", "GROUPS", "SERVICEACCOUNTS"]
            }
            (Self::NetworkPolicy, _) => &["NAME", "POD-SELECTOR", "AGE"],
            (Self::ResourceQuota, _) => &["NAME", "REQUEST", "LIMIT", "AGE"],
            (Self::PriorityClass, _) => &["NAME", "VALUE", "GLOBAL-DEFAULT", "AGE", "PREEMPTIONPOLICY"],
            (Self::Other, _) => &["NAME", "AGE"],
        }
    }

    /// The row of one object, whose JSON text the row borrows from.
    pub fn row<'a>(self, json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
        match self {
            Self::CronJob => batch::cron_job(json, now, wide),
            Self::Job => batch::job(json, now, wide),
            Self::Pod => pod::pod(json, now, wide),
            Self::Event => event::event(json, now, wide),
            Self::Node => core::node(json, now, wide),
            Self::Namespace => core::namespace(json, now),
            Self::ConfigMap => core::config_map(json, now),
            Self::Secret => core::secret(json, now),
            Self::Other => core::other(json, now),
            kind => related::row(kind, json, now, wide),
        }
    }
}

/// The cells of one object, in the order of its kind's columns.
#[derive(Debug)]
pub struct Row<'a> {
    /// What `-A` shows first.
    pub namespace: Cow<'a, str>,
    /// One cell per column.
    pub cells: Vec<Cow<'a, str>>,
    /// ADDED, MODIFIED or DELETED; shown only if the table has an EVENT column.
    pub event: &'static str,
    pub(crate) raw_labels: Option<&'a RawValue>,
}

impl<'a> Row<'a> {
    /// A row from its parts.
    pub fn new(namespace: Cow<'a, str>, cells: Vec<Cow<'a, str>>, labels: Option<&'a RawValue>) -> Self {
        Self { namespace, cells, event: "", raw_labels: labels }
    }

    /// The object's labels, read only now: most tables never show them.
    pub fn labels(&self) -> BTreeMap<Cow<'a, str>, Cow<'a, str>> {
        labels_of(self.raw_labels)
    }
}

fn labels_of(raw: Option<&RawValue>) -> BTreeMap<Cow<'_, str>, Cow<'_, str>> {
    let labels: BTreeMap<Text<'_>, Text<'_>> =
        raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    labels.into_iter().map(|(k, v)| (k.0, v.0)).collect()
}

/// A string that is borrowed unless it has escapes; serde borrows a `Cow` only where it is named so.
#[derive(Debug, Default, Deserialize, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Option<Text<'a>>,
    #[serde(borrow)]
    creation_timestamp: Option<Text<'a>>,
    #[serde(skip_serializing)]
    deletion_timestamp: Option<IgnoredAny>,
    #[serde(borrow)]
    labels: Option<&'a RawValue>,
}

impl<'a> Metadata<'a> {
    fn age(&self, now: DateTime<Utc>) -> Cow<'a, str> {
        since(self.creation_timestamp.as_ref(), now).into()
    }

    fn row(self, cells: Vec<Cow<'a, str>>) -> Row<'a> {
        Row::new(self.namespace.map(|t| t.0).unwrap_or_default(), cells, self.labels)
    }
}

fn time(text: Option<&Text<'_>>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?).ok().map(|time| time.to_utc())
}

fn since(text: Option<&Text<'_>>, now: DateTime<Utc>) -> String {
    duration::age(time(text), now)
}

fn or_none<'a>(text: Option<Text<'a>>) -> Cow<'a, str> {
    text.map(|t| t.0).filter(|t| !t.is_empty()).unwrap_or(Cow::Borrowed(NONE))
}

/// A selector as tables show it: sorted requirements, `<none>` if there are none.
fn selector_text(raw: Option<&RawValue>) -> Cow<'static, str> {
    let Some(raw) = raw else { return NONE.into() };
    let selector = serde_json::from_str(raw.get())
        .map_err(|e| e.to_string())
        .and_then(|object| LabelSelector::from_object(&object));
    match selector {
        Ok(selector) if selector.is_empty() => NONE.into(),
        Ok(selector) => selector.to_string().into(),
        Err(_) => "<error>".into(),
    }
}
