//! Events as `events.k8s.io/v1` has them: the same ones, with other names for their fields.

use std::borrow::Cow;

use serde_json::{Value, json};

/// An Event of the core group in its newer form.
///
/// # Errors
/// A damaged Event.
pub(super) fn converted(text: &str) -> serde_json::Result<String> {
    let mut old: Value = serde_json::from_str(text)?;
    let mut take = |field: &str| old[field].take();
    let mut new = json!({
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": take("metadata"),
        "eventTime": take("eventTime"),
        "reportingController": take("reportingComponent"),
        "regarding": take("involvedObject"),
        "reason": take("reason"),
        "note": take("message"),
        "type": take("type"),
        "deprecatedSource": take("source"),
        "deprecatedFirstTimestamp": take("firstTimestamp"),
        "deprecatedLastTimestamp": take("lastTimestamp"),
        "deprecatedCount": take("count"),
    });
    for field in ["action", "related", "series", "reportingInstance"] {
        let value = take(field);
        if !value.is_null() && value != "" {
            new[field] = value;
        }
    }
    Ok(new.to_string())
}

/// An Event of the newer form in that of the core group.
pub(super) fn to_core(mut new: Value) -> Value {
    let mut take = |field: &str| new[field].take();
    let mut old = json!({
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": take("metadata"),
        "involvedObject": take("regarding"),
        "eventTime": take("eventTime"),
    });
    for (name, value) in [
        ("reportingComponent", take("reportingController")),
        ("reportingInstance", take("reportingInstance")),
        ("reason", take("reason")),
        ("message", take("note")),
        ("type", take("type")),
        ("source", take("deprecatedSource")),
        ("firstTimestamp", take("deprecatedFirstTimestamp")),
        ("lastTimestamp", take("deprecatedLastTimestamp")),
        ("count", take("deprecatedCount")),
        ("action", take("action")),
        ("related", take("related")),
        ("series", take("series")),
    ] {
        if !value.is_null() {
            old[name] = value;
        }
    }
    old
}

/// A field selector in the words of the core group.
pub(super) fn core_fields(selector: &str) -> Cow<'_, str> {
    let terms = selector.split(',').map(|term| match term.trim().strip_prefix("regarding.") {
        Some(rest) => Cow::Owned(format!("involvedObject.{rest}")),
        None => Cow::Borrowed(term),
    });
    terms.collect::<Vec<_>>().join(",").replace("reportingController", "reportingComponent").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_other_names() {
        let old = json!({
            "kind": "Event", "apiVersion": "v1", "metadata": {"name": "a.1"}, "eventTime": null, "count": 2,
            "involvedObject": {"kind": "Job", "name": "a"}, "reason": "R", "message": "m", "type": "Normal",
            "source": {"component": "c"}, "firstTimestamp": "1", "lastTimestamp": "2", "reportingComponent": "c",
            "reportingInstance": "",
        });
        let new: Value = serde_json::from_str(&converted(&old.to_string()).expect("an Event")).expect("JSON");
        let wanted = json!({
            "kind": "Event", "apiVersion": "events.k8s.io/v1", "metadata": {"name": "a.1"}, "eventTime": null,
            "regarding": {"kind": "Job", "name": "a"}, "reason": "R", "note": "m", "type": "Normal",
            "reportingController": "c", "deprecatedSource": {"component": "c"}, "deprecatedFirstTimestamp": "1",
            "deprecatedLastTimestamp": "2", "deprecatedCount": 2,
        });
        assert_eq!(new, wanted);
        assert_eq!(core_fields("regarding.name=a,type=Normal"), "involvedObject.name=a,type=Normal");
    }
}
