//! Rows of the small kinds: nodes, namespaces, config maps, secrets, and any other by name and age.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Metadata, NONE, Row, Text, labels_of};

#[derive(Deserialize)]
struct NodeSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(default)]
    spec: NodeSpec,
    #[serde(borrow, default)]
    status: NodeStatus<'a>,
}

#[derive(Deserialize, Default)]
struct NodeSpec {
    unschedulable: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct NodeStatus<'a> {
    #[serde(borrow)]
    conditions: Option<Vec<Typed<'a>>>,
    #[serde(borrow)]
    addresses: Option<Vec<Typed<'a>>>,
    #[serde(borrow, default)]
    node_info: NodeInfo<'a>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, rename = "type")]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    address: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct NodeInfo<'a> {
    #[serde(borrow)]
    kubelet_version: Cow<'a, str>,
    #[serde(borrow)]
    os_image: Cow<'a, str>,
    #[serde(borrow)]
    kernel_version: Cow<'a, str>,
    #[serde(borrow)]
    container_runtime_version: Cow<'a, str>,
}

pub(super) fn node<'a>(json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
    let NodeSummary { mut metadata, spec, status } = serde_json::from_str(json)?;
    let mut state = match status.conditions.iter().flatten().find(|c| c.type_ == "Ready") {
        Some(ready) if ready.status.as_deref() == Some("True") => "Ready".to_owned(),
        Some(_) => "NotReady".to_owned(),
        None => "Unknown".to_owned(),
    };
    if spec.unschedulable == Some(true) {
        state.push_str(",SchedulingDisabled");
    }
    let mut cells = vec![
        std::mem::take(&mut metadata.name),
        state.into(),
        roles(&metadata).into(),
        metadata.age(now),
        status.node_info.kubelet_version,
    ];
    if wide {
        let mut addresses = status.addresses.unwrap_or_default();
        for wanted in ["InternalIP", "ExternalIP"] {
            let found = addresses.iter_mut().find(|a| a.type_ == wanted);
            cells.push(found.and_then(|a| a.address.take()).map_or(Cow::Borrowed(NONE), |text| text.0));
        }
        for text in [
            status.node_info.os_image,
            status.node_info.kernel_version,
            status.node_info.container_runtime_version,
        ] {
            cells.push(if text.is_empty() { "<unknown>".into() } else { text });
        }
    }
    Ok(metadata.row(cells))
}

fn roles(metadata: &Metadata<'_>) -> String {
    let labels = labels_of(metadata.labels);
    node_roles(labels.iter().map(|(key, value)| (&**key, &**value)))
}

/// The roles that a node's labels give it, as they are printed.
pub(crate) fn node_roles<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let roles: BTreeSet<&str> = labels
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some("") => None,
            None if key == "kubernetes.io/role" && !value.is_empty() => Some(value),
            role => role,
        })
        .collect();
    if roles.is_empty() { NONE.to_owned() } else { roles.into_iter().collect::<Vec<_>>().join(",") }
}

#[derive(Deserialize)]
struct Other<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    status: Phase<'a>,
    #[serde(borrow, rename = "type")]
    type_: Option<Text<'a>>,
    data: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(rename = "binaryData")]
    binary_data: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize, Default)]
struct Phase<'a> {
    #[serde(borrow)]
    phase: Option<Text<'a>>,
}

impl Other<'_> {
    fn data(&self) -> Cow<'static, str> {
        let keys = |map: &Option<BTreeMap<_, _>>| map.as_ref().map_or(0, BTreeMap::len);
        (keys(&self.data) + keys(&self.binary_data)).to_string().into()
    }
}

pub(super) fn namespace<'a>(json: &'a str, now: DateTime<Utc>) -> serde_json::Result<Row<'a>> {
    let Other { mut metadata, status, .. } = serde_json::from_str(json)?;
    let phase = status.phase.map(|text| text.0).unwrap_or_default();
    let cells = vec![std::mem::take(&mut metadata.name), phase, metadata.age(now)];
    Ok(metadata.row(cells))
}

pub(super) fn config_map<'a>(json: &'a str, now: DateTime<Utc>) -> serde_json::Result<Row<'a>> {
    let mut object: Other<'_> = serde_json::from_str(json)?;
    let cells = vec![std::mem::take(&mut object.metadata.name), object.data(), object.metadata.age(now)];
    Ok(object.metadata.row(cells))
}

pub(super) fn secret<'a>(json: &'a str, now: DateTime<Utc>) -> serde_json::Result<Row<'a>> {
    let mut object: Other<'_> = serde_json::from_str(json)?;
    let type_ = object.type_.take().map(|text| text.0).unwrap_or_default();
    let cells =
        vec![std::mem::take(&mut object.metadata.name), type_, object.data(), object.metadata.age(now)];
    Ok(object.metadata.row(cells))
}

pub(super) fn other<'a>(json: &'a str, now: DateTime<Utc>) -> serde_json::Result<Row<'a>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        metadata: Metadata<'a>,
    }
    let Named { mut metadata } = serde_json::from_str(json)?;
    let cells = vec![std::mem::take(&mut metadata.name), metadata.age(now)];
    Ok(metadata.row(cells))
}

#[cfg(test)]
mod tests {
    use crate::printers::rows::TableKind;
    use chrono::DateTime;
    use serde_json::json;

    #[test]
    fn small_kinds_have_their_columns() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:02:00Z").unwrap().to_utc();
        let named =
            |labels| json!({"name": "x", "labels": labels, "creationTimestamp": "2026-11-20T10:00:00Z"});
        for (kind, object, expected) in [
            (
                TableKind::Node,
                json!({"metadata": named(json!({"node-role.kubernetes.io/b": "", "node-role.kubernetes.io/a": ""})),
                    "spec": {"unschedulable": true},
                    "status": {"conditions": [{"type": "Ready", "status": "True"}],
                        "nodeInfo": {"kubeletVersion": "v1"},
                        "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}]}}),
                vec![
                    "x",
                    "Ready,SchedulingDisabled",
                    "a,b",
                    "2m",
                    "v1",
                    "10.0.0.1",
                    "<none>",
                    "<unknown>",
                    "<unknown>",
                    "<unknown>",
                ],
            ),
            (
                TableKind::Namespace,
                json!({"metadata": named(json!({})), "status": {"phase": "Active"}}),
                vec!["x", "Active", "2m"],
            ),
            (
                TableKind::ConfigMap,
                json!({"metadata": named(json!({})), "data": {"a": "1"}, "binaryData": {"b": "eA=="}}),
                vec!["x", "2", "2m"],
            ),
            (
                TableKind::Secret,
                json!({"metadata": named(json!({})), "type": "Opaque", "data": {"a": "1"}}),
                vec!["x", "Opaque", "1", "2m"],
            ),
            (TableKind::Other, json!({"metadata": named(json!({}))}), vec!["x", "2m"]),
        ] {
            let json = object.to_string();
            let row = kind.row(&json, now, true).unwrap();
            assert_eq!(row.cells, expected, "{kind:?}");
            assert_eq!(row.cells.len(), kind.columns(true).len());
        }
    }
}
