//! What becomes of every field of a manifest on this machine: honoured, refused, or accepted with a warning.
//!
//! The rule: a field without which the command would do something else than asked is refused; one whose absence a
//! user could be deceived about is warned of; one that changes nothing here passes in silence.
//! Must not: judge whether a manifest is valid (`validation` does), or change it.

mod table;

use std::fmt::Write;

use serde_json::Value;

use super::status_error::FieldError;
use table::{
    CONTAINER, CRON_JOB, INIT_CONTAINER, JOB, MAIN_CONTAINER, METADATA, POD_SPEC, STATEFUL_SET,
    TEMPLATE_METADATA,
};

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It does what it does on a cluster, or is kept for information as there; with a note where that needs one.
    Honoured(&'static str),
    /// The object is refused, for this reason.
    Refused(&'static str),
    /// The object is accepted, and this is said about the field.
    Warned(&'static str),
}

/// Which values of a field its treatment is about; others are honoured. Null and empty ones always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Any value but `false`.
    Set,
    /// Any number above this one.
    Above(i64),
    /// Any text but these.
    TextBesides(&'static [&'static str]),
    /// Only an explicit `false`.
    False,
    /// Any object that holds this key.
    Holds(&'static str),
}

/// A row of the table: fields of one place that are treated alike. A field stands for everything below it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    fields: &'static [&'static str],
    when: When,
    treatment: Treatment,
}

/// What there is to say about a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Fields that keep the object out, each as `Forbidden: …`.
    pub refused: Vec<FieldError>,
    /// Sentences about fields that have no effect, each starting with the field's path.
    pub warnings: Vec<String>,
}

/// Goes through a Job's manifest.
pub fn check_job(job: &Value) -> Findings {
    check(job, &job_places(""))
}

/// Goes through a CronJob's manifest.
pub fn check_cron_job(cron_job: &Value) -> Findings {
    let mut places = vec![(String::new(), CRON_JOB), ("metadata".to_owned(), METADATA)];
    places.extend(job_places("spec.jobTemplate"));
    check(cron_job, &places)
}

/// Goes through a StatefulSet's manifest.
pub fn check_stateful_set(set: &Value) -> Findings {
    let mut places = vec![
        (String::new(), STATEFUL_SET),
        ("metadata".to_owned(), METADATA),
        ("spec.template.metadata".to_owned(), TEMPLATE_METADATA),
    ];
    places.extend(spec_places("spec.template.spec"));
    check(set, &places)
}

/// Goes through a Pod's manifest.
pub fn check_pod(pod: &Value) -> Findings {
    check(pod, &pod_places("spec"))
}

/// The table as a page of the documentation.
pub fn markdown() -> String {
    let mut page = "# Fields of Jobs and Pods\n\n\
         What becomes of each field of a manifest. A field stands for everything below it; values of no effect (empty,\n\
         `false`, the default) are always accepted. Generated from `src/api/compatibility/table.rs`: do not edit.\n\n\
         - **honoured**: it does here what it does on a cluster\n\
         - **refused**: the object is not accepted, because running it without the field would do something else than asked\n\
         - **warning**: accepted, and said to have no effect\n"
        .to_owned();
    for (title, table) in [
        ("CronJob", CRON_JOB),
        ("Job (and `spec.jobTemplate` of a CronJob)", JOB),
        ("StatefulSet", STATEFUL_SET),
        ("metadata", METADATA),
        ("spec.template.metadata", TEMPLATE_METADATA),
        ("Pod spec (`spec` of a Pod, `spec.template.spec` of a Job or a StatefulSet)", POD_SPEC),
        ("Container (`containers[]` and `initContainers[]` of a pod spec)", CONTAINER),
        ("Only `containers[]`", MAIN_CONTAINER),
        ("Only `initContainers[]`", INIT_CONTAINER),
    ] {
        let _ = write!(page, "\n## {title}\n\n| field | treatment | |\n|---|---|---|\n");
        for entry in table {
            let fields = entry.fields.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
            let (word, note) = match entry.treatment {
                Treatment::Honoured(note) => ("honoured", note),
                Treatment::Refused(why) => ("refused", why),
                Treatment::Warned(why) => ("warning", why),
            };
            let values = match entry.when {
                When::Set => String::new(),
                When::Above(most) => format!(" if above {most}"),
                When::TextBesides(texts) => {
                    let texts = texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(" or ");
                    format!(" if other than {texts}")
                }
                When::False => " if `false`".to_owned(),
                When::Holds(key) => format!(" if it holds `{key}`"),
            };
            let _ = writeln!(page, "| {fields} | {word}{values} | {note} |");
        }
    }
    page.push_str(include_str!("compatibility/limits.md"));
    page.push_str(include_str!("compatibility/differences.md"));
    page.push_str(include_str!("compatibility/kubectl.md"));
    page.push_str(include_str!("compatibility/cases.md"));
    page
}

type Place = (String, &'static [Entry]);

fn job_places(prefix: &str) -> Vec<Place> {
    let mut places = vec![
        (prefix.to_owned(), JOB),
        (join(prefix, "metadata"), METADATA),
        (join(prefix, "spec.template.metadata"), TEMPLATE_METADATA),
    ];
    places.extend(spec_places(&join(prefix, "spec.template.spec")));
    places
}

fn pod_places(spec: &str) -> Vec<Place> {
    let mut places = vec![("metadata".to_owned(), METADATA)];
    places.extend(spec_places(spec));
    places
}

fn spec_places(spec: &str) -> Vec<Place> {
    vec![
        (spec.to_owned(), POD_SPEC),
        (format!("{spec}.initContainers[]"), INIT_CONTAINER),
        (format!("{spec}.initContainers[]"), CONTAINER),
        (format!("{spec}.containers[]"), MAIN_CONTAINER),
        (format!("{spec}.containers[]"), CONTAINER),
    ]
}

fn join(prefix: &str, field: &str) -> String {
    if prefix.is_empty() { field.to_owned() } else { format!("{prefix}.{field}") }
}

fn check(manifest: &Value, places: &[Place]) -> Findings {
    let mut findings = Findings::default();
    for (place, table) in places {
        for (path, object) in found(manifest, place) {
            check_object(object, &path, table, &mut findings);
        }
    }
    findings
}

fn check_object(object: &Value, path: &str, table: &[Entry], findings: &mut Findings) {
    for entry in table {
        let (refused, why) = match entry.treatment {
            Treatment::Honoured(_) => continue,
            Treatment::Refused(why) => (true, why),
            Treatment::Warned(why) => (false, why),
        };
        for field in entry.fields {
            for (place, _) in
                found(object, field).into_iter().filter(|(_, value)| entry.when.is_true_of(value))
            {
                let place = join(path, &place);
                if refused {
                    findings.refused.push(FieldError::forbidden(place, why));
                } else {
                    findings.warnings.push(format!("{place}: {why}"));
                }
            }
        }
    }
}

impl When {
    fn is_true_of(self, value: &Value) -> bool {
        match (self, value) {
            (_, Value::Null) => false,
            (When::False, value) => *value == Value::Bool(false),
            (When::TextBesides(texts), value) => {
                value.as_str().is_some_and(|value| !value.is_empty() && !texts.contains(&value))
            }
            (When::Set, Value::Bool(value)) => *value,
            (When::Above(most), value) => value.as_f64().is_some_and(|number| number > most as f64),
            (When::Set, value) => !is_empty(value),
            (When::Holds(key), value) => value.get(key).is_some(),
        }
    }
}

/// Whether a value says nothing: what a server would drop, or fill in by itself.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.values().all(is_empty),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The values at a path such as `env[].valueFrom.fieldRef`, each with its own path.
fn found<'a>(value: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    let mut values = vec![(String::new(), value)];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let (field, is_list) = step.strip_suffix("[]").map_or((step, false), |field| (field, true));
        let mut next = Vec::new();
        for (path, value) in values {
            let Some(value) = value.get(field) else { continue };
            let path = join(&path, field);
            if is_list {
                let items = value.as_array().into_iter().flatten().enumerate();
                next.extend(items.map(|(index, item)| (format!("{path}[{index}]"), item)));
            } else {
                next.push((path, value));
            }
        }
        values = next;
    }
    values
}

#[cfg(test)]
mod tests;
