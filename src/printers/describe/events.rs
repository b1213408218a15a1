//! The Events section at the end of a description.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::Event;

use super::{Output, line, set};
use crate::printers::duration::age;

pub(super) fn describe(out: &mut Output<'_>, events: &[Event]) {
    if events.is_empty() {
        line!(out, 0, "Events:\t<none>");
        return;
    }
    let mut events: Vec<&Event> = events.iter().collect();
    events.sort_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    line!(out, 0, "Events:");
    line!(out, 1, "Type\tReason\tAge\tFrom\tMessage");
    line!(out, 1, "----\t------\t----\t----\t-------");
    for event in events {
        let source = event.source.as_ref().and_then(|source| set(source.component.as_ref()));
        line!(
            out,
            1,
            "{}\t{}\t{}\t{}\t{}",
            event.type_.as_deref().unwrap_or_default(),
            event.reason.as_deref().unwrap_or_default(),
            interval(event, out.now),
            source.or(event.reporting_component.as_deref()).unwrap_or_default(),
            event.message.as_deref().unwrap_or_default().trim()
        );
    }
}

/// When an event was first seen; if it came again, when last, how often and over how long.
fn interval(event: &Event, now: DateTime<Utc>) -> String {
    let first = event.event_time.as_ref().map(|t| t.0).or(event.first_timestamp.as_ref().map(|t| t.0));
    let first = age(first, now);
    match (&event.series, event.count) {
        (Some(series), _) => {
            let last = series.last_observed_time.as_ref().map(|t| t.0);
            format!("{} (x{} over {first})", age(last, now), series.count.unwrap_or(0))
        }
        (None, Some(count)) if count > 1 => {
            format!("{} (x{count} over {first})", age(event.last_timestamp.as_ref().map(|t| t.0), now))
        }
        _ => first,
    }
}
