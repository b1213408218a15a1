//! Rows of events: those of `get events` and the different ones of `kubectl events`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Metadata, Row, Text, since, time};

/// The headers of `kubectl events`.
pub const EVENTS_COLUMNS: &[&str] = &["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow, default)]
    involved_object: InvolvedObject<'a>,
    #[serde(borrow)]
    first_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    last_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    event_time: Option<Text<'a>>,
    #[serde(borrow)]
    series: Option<Series<'a>>,
    count: Option<i32>,
    #[serde(borrow, rename = "type")]
    type_: Option<Text<'a>>,
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow, default)]
    source: Source<'a>,
    #[serde(borrow)]
    reporting_component: Option<Text<'a>>,
    #[serde(borrow)]
    reporting_instance: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct InvolvedObject<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    field_path: Cow<'a, str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Series<'a> {
    count: i32,
    #[serde(borrow)]
    last_observed_time: Option<Text<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow)]
    component: Option<Text<'a>>,
    #[serde(borrow)]
    host: Option<Text<'a>>,
}

fn text(value: Option<Text<'_>>) -> Cow<'_, str> {
    value.map(|t| t.0).unwrap_or_default()
}

fn trimmed(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The old API names the reporter in `source`, the new one beside it.
fn first_set<'a>(old: Option<Text<'a>>, new: Option<Text<'a>>) -> Cow<'a, str> {
    old.filter(|t| !t.is_empty()).or(new).map(|t| t.0).unwrap_or_default()
}

pub(super) fn event<'a>(json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
    let mut event: EventSummary<'_> = serde_json::from_str(json)?;
    let first = since(event.first_timestamp.as_ref().or(event.event_time.as_ref()), now);
    let last = match (&event.series, &event.last_timestamp) {
        (Some(series), _) => since(series.last_observed_time.as_ref(), now),
        (None, Some(last)) => since(Some(last), now),
        (None, None) => first.clone(),
    };
    // An event without a count was made by the new API and happened once.
    let count =
        event.series.as_ref().map_or_else(|| event.count.filter(|c| *c != 0).unwrap_or(1), |s| s.count);
    let involved = event.involved_object;
    let mut object = involved.kind.to_lowercase();
    if !involved.name.is_empty() {
        object.push('/');
        object.push_str(&involved.name);
    }
    let mut cells: Vec<Cow<'a, str>> =
        vec![last.into(), text(event.type_), text(event.reason), object.into()];
    let message = trimmed(text(event.message));
    if wide {
        let component = first_set(event.source.component, event.reporting_component);
        let host = first_set(event.source.host, event.reporting_instance);
        let source = if host.is_empty() { component } else { format!("{component}, {host}").into() };
        cells.extend([involved.field_path, source, message, first.into(), count.to_string().into()]);
        cells.push(std::mem::take(&mut event.metadata.name));
    } else {
        cells.push(message);
    }
    Ok(event.metadata.row(cells))
}

/// The row of an event in `kubectl events`, with its count and `Kind/name`.
pub fn events_row<'a>(json: &'a str, now: DateTime<Utc>) -> serde_json::Result<Row<'a>> {
    let event: EventSummary<'_> = serde_json::from_str(json)?;
    let first = since(event.event_time.as_ref().or(event.first_timestamp.as_ref()), now);
    let seen = match (&event.series, event.count) {
        (Some(series), _) => {
            format!("{} (x{} over {first})", since(series.last_observed_time.as_ref(), now), series.count)
        }
        (None, Some(count)) if count > 1 => {
            format!("{} (x{count} over {first})", since(event.last_timestamp.as_ref(), now))
        }
        _ => first,
    };
    let object = format!("{}/{}", event.involved_object.kind, event.involved_object.name);
    let cells =
        vec![seen.into(), text(event.type_), text(event.reason), object.into(), trimmed(text(event.message))];
    Ok(event.metadata.row(cells))
}

/// When an event last happened: what `kubectl events` sorts by.
pub fn event_time(json: &str) -> serde_json::Result<Option<DateTime<Utc>>> {
    let event: EventSummary<'_> = serde_json::from_str(json)?;
    Ok(match &event.series {
        Some(series) => time(series.last_observed_time.as_ref()),
        None => time(event.last_timestamp.as_ref().or(event.event_time.as_ref())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printers::rows::TableKind;
    use serde_json::json;

    #[test]
    fn events_show_when_how_often_and_where_from() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:10:00Z").unwrap().to_utc();
        let json = json!({
            "metadata": {"name": "pi.1", "namespace": "default"},
            "involvedObject": {"kind": "Pod", "name": "pi-5rwd7", "fieldPath": "spec.containers{pi}"},
            "firstTimestamp": "2026-11-20T10:00:43Z", "lastTimestamp": "2026-11-20T10:02:22Z", "count": 4,
            "eventTime": null, "reportingComponent": "", "type": "Normal", "reason": "Pulled", "message": " hi\n",
            "source": {"component": "kubelet", "host": "node1"},
        })
        .to_string();
        let cells = |wide| TableKind::Event.row(&json, now, wide).unwrap().cells;
        assert_eq!(cells(false), ["7m38s", "Normal", "Pulled", "pod/pi-5rwd7", "hi"]);
        assert_eq!(
            cells(true),
            [
                "7m38s",
                "Normal",
                "Pulled",
                "pod/pi-5rwd7",
                "spec.containers{pi}",
                "kubelet, node1",
                "hi",
                "9m17s",
                "4",
                "pi.1"
            ]
        );
        assert_eq!(
            events_row(&json, now).unwrap().cells,
            ["7m38s (x4 over 9m17s)", "Normal", "Pulled", "Pod/pi-5rwd7", "hi"]
        );
        assert_eq!(event_time(&json).unwrap().unwrap().to_rfc3339(), "2026-11-20T10:02:22+00:00");
    }

    #[test]
    fn an_event_of_the_new_api_happened_once_at_its_event_time() {
        let now = DateTime::parse_from_rfc3339("2026-11-20T10:10:00Z").unwrap().to_utc();
        let json = json!({
            "metadata": {"name": "e"}, "involvedObject": {"kind": "Job", "name": "pi"},
            "eventTime": "2026-11-20T10:09:00.123456Z", "firstTimestamp": null, "lastTimestamp": null,
            "reportingComponent": "job-controller", "reportingInstance": "h",
        })
        .to_string();
        assert_eq!(
            TableKind::Event.row(&json, now, true).unwrap().cells,
            ["59s", "", "", "job/pi", "", "job-controller, h", "", "59s", "1", "e"]
        );
        assert_eq!(events_row(&json, now).unwrap().cells[0], "59s");
    }
}
