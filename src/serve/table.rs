//! Objects as a `Table`: what `kubectl get` prints is made here.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::api::kinds::Kind;
use crate::api::quoted::quoted;
use crate::printers::rows::TableKind;

/// What of an object stands in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

impl Include {
    /// Reads the parameter `includeObject`.
    ///
    /// # Errors
    /// The sentence of a server.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "None" => Ok(Self::None),
            "" | "Metadata" => Ok(Self::Metadata),
            "Object" => Ok(Self::Object),
            other => Err(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {}: must be 'Metadata', 'Object', 'None', or empty",
                quoted(other)
            )),
        }
    }
}

/// The metadata of an object, unread.
#[derive(Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// An object with its metadata only.
///
/// # Errors
/// A damaged object.
pub(super) fn partial(text: &str, version: &str) -> serde_json::Result<String> {
    let outline: Outline<'_> = serde_json::from_str(text)?;
    Ok(format!(
        "{{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/{version}\",\"metadata\":{}}}",
        outline.metadata.get()
    ))
}

/// The columns of a kind, those of `-o wide` with a lower priority.
pub(super) fn columns(kind: Kind) -> Vec<Value> {
    let table = TableKind::of(kind.as_str());
    let narrow = table.columns(false);
    let define = |header: &&str| {
        let title = title(header);
        json!({
            "name": title,
            "type": type_of(kind, header),
            "format": if *header == "NAME" { "name" } else { "" },
            "description": description(kind, &title),
            "priority": i32::from(!narrow.contains(header)),
        })
    };
    wide(kind).iter().map(define).collect()
}

/// The wide columns, but for those that whoever prints adds.
fn wide(kind: Kind) -> &'static [&'static str] {
    let columns = TableKind::of(kind.as_str()).columns(true);
    if kind == Kind::CronJob { &columns[..columns.len() - 1] } else { columns }
}

/// `LAST SCHEDULE` -> `Last Schedule`; what is short for something stays as it is.
fn title(header: &str) -> String {
    const SHORT: [&str; 2] = ["IP", "OS"];
    let word = |word: &str| match word {
        short if SHORT.contains(&short) => short.to_owned(),
        word => word
            .char_indices()
            .map(|(at, letter)| if at == 0 { letter } else { letter.to_ascii_lowercase() })
            .collect(),
    };
    let dashed = |part: &str| part.split('-').map(word).collect::<Vec<_>>().join("-");
    header.split(' ').map(dashed).collect::<Vec<_>>().join(" ")
}

/// The type of a column's cells.
fn type_of(kind: Kind, header: &str) -> &'static str {
    match (kind, header) {
        (Kind::CronJob, "SUSPEND") | (Kind::PriorityClass, "GLOBAL-DEFAULT") => "boolean",
        (Kind::CronJob, "ACTIVE") | (Kind::PriorityClass, "VALUE") => "integer",
        _ => "string",
    }
}

fn description(kind: Kind, title: &str) -> String {
    format!("{title} of the {}.", kind.resource().singular)
}

/// The cells that are numbers.
fn is_number(kind: Kind, header: &str) -> bool {
    matches!(
        (kind, header),
        (Kind::CronJob, "ACTIVE")
            | (Kind::ConfigMap | Kind::Secret, "DATA")
            | (Kind::ServiceAccount, "SECRETS")
            | (Kind::PriorityClass, "VALUE")
            | (Kind::ControllerRevision, "REVISION")
            | (Kind::Event, "COUNT")
    )
}

/// The row of an object.
///
/// # Errors
/// A damaged object.
pub(super) fn row(
    kind: Kind,
    text: &str,
    version: &str,
    include: Include,
    now: DateTime<Utc>,
) -> Result<String> {
    let damaged = || format!("read a {kind}");
    let row = TableKind::of(kind.as_str()).row(text, now, true).with_context(damaged)?;
    let cell = |(header, cell): (&&str, &std::borrow::Cow<'_, str>)| match cell.parse::<i64>() {
        Ok(number) if is_number(kind, header) => json!(number),
        _ => json!(cell),
    };
    let cells: Vec<Value> = wide(kind).iter().zip(&row.cells).map(cell).collect();
    let object = match include {
        Include::None => "null".into(),
        Include::Metadata => partial(text, version).with_context(damaged)?,
        Include::Object => text.to_owned(),
    };
    let conditions = if kind == Kind::Pod { conditions(text) } else { String::new() };
    Ok(format!("{{\"cells\":{},{conditions}\"object\":{object}}}", Value::Array(cells)))
}

/// What a row says of a pod that has ended.
fn conditions(pod: &str) -> String {
    #[derive(Deserialize)]
    struct Outline<'a> {
        #[serde(borrow)]
        status: Option<Status<'a>>,
    }
    #[derive(Deserialize)]
    struct Status<'a> {
        phase: Option<&'a str>,
    }
    let phase = serde_json::from_str(pod).ok().and_then(|pod: Outline<'_>| pod.status?.phase);
    let message = match phase {
        Some("Succeeded") => "The pod has completed successfully.",
        Some("Failed") => "The pod failed.",
        _ => return String::new(),
    };
    let condition = json!({ "type": "Completed", "status": "True", "reason": phase, "message": message });
    format!("\"conditions\":[{condition}],")
}

/// A table of rows. Without columns it goes on from one that had them, as in a watch.
pub(super) fn table(version: &str, metadata: &Value, columns: Option<&[Value]>, rows: &[String]) -> String {
    format!(
        "{{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/{version}\",\"metadata\":{metadata},\"columnDefinitions\":{},\"rows\":[{}]}}",
        columns.map_or(Value::Null, |columns| json!(columns)),
        rows.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_those_of_upstream() {
        for (header, wanted) in [
            ("NAME", "Name"),
            ("LAST SCHEDULE", "Last Schedule"),
            ("IP", "IP"),
            ("CLUSTER-IP", "Cluster-IP"),
            ("OS-IMAGE", "OS-Image"),
            ("PORT(S)", "Port(s)"),
        ] {
            assert_eq!(title(header), wanted);
        }
    }

    #[test]
    fn columns_beyond_the_usual_are_for_wide_tables() {
        let columns = columns(Kind::Job);
        let names: Vec<_> =
            columns.iter().map(|one| (one["name"].as_str().unwrap_or_default(), &one["priority"])).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(names[4], ("Age", &json!(0)));
        assert_eq!(names[5], ("Containers", &json!(1)));
        assert_eq!(super::columns(Kind::CronJob).len(), 10);
    }
}
