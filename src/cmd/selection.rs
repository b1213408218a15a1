//! Finding stored objects: by name, by labels, by fields.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::failure::verbatim;
use super::resources::Target;
use crate::api::events::{EVENT_TTL, EventRecord};
use crate::api::kinds::{Key, Kind};
use crate::api::selectors::{FieldSelector, LabelSelector, unusable_selector};
use crate::api::status_error::StatusError;
use crate::manager::clock;
use crate::store::{State, Table};

/// `-l` and `--field-selector`.
#[derive(Clone, Debug)]
pub(super) struct Selectors {
    label: Option<LabelSelector>,
    label_text: String,
    field: Option<FieldSelector>,
    field_text: String,
}

impl Selectors {
    /// Parses both flags.
    pub(super) fn parse(label: Option<&str>, field: Option<&str>) -> Result<Self> {
        Ok(Self {
            label: label
                .filter(|text| !text.is_empty())
                .map(LabelSelector::parse)
                .transpose()
                .map_err(anyhow::Error::msg)?,
            label_text: label.unwrap_or_default().to_owned(),
            field: field
                .filter(|text| !text.is_empty())
                .map(FieldSelector::parse)
                .transpose()
                .map_err(anyhow::Error::msg)?,
            field_text: field.unwrap_or_default().to_owned(),
        })
    }

    /// Everything.
    pub(super) fn none() -> Self {
        Self { label: None, label_text: String::new(), field: None, field_text: String::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.label.is_none() && self.field.is_none()
    }

    /// Refuses fields that the kind cannot be selected by.
    fn check(&self, kind: Kind) -> Result<()> {
        let Some(field) = &self.field else { return Ok(()) };
        field.check(kind.as_str()).map_err(|reason| {
            let resource = format!("{}, Resource={}", group_version(kind), kind.resource().plural);
            let message = unusable_selector(&resource, &self.label_text, &self.field_text, &reason);
            StatusError::BadRequest { message }.into()
        })
    }

    /// Whether an object's JSON text is selected.
    pub(super) fn matches(&self, kind: Kind, text: &str) -> serde_json::Result<bool> {
        if let Some(selector) = &self.label {
            let labels: Labels<'_> = serde_json::from_str(text)?;
            let labels = labels.metadata.labels.unwrap_or_default();
            if !selector.matches_with(|key| labels.get(key).copied()) {
                return Ok(false);
            }
        }
        if let Some(selector) = &self.field {
            let value: Value = serde_json::from_str(text)?;
            return Ok(selector.matches(kind.as_str(), &value));
        }
        Ok(true)
    }
}

fn group_version(kind: Kind) -> String {
    let version = kind.api_version();
    if version.contains('/') { version } else { format!("/{version}") }
}

#[derive(Deserialize)]
struct Labels<'a> {
    #[serde(borrow)]
    metadata: LabelsOfMeta<'a>,
}

#[derive(Deserialize)]
struct LabelsOfMeta<'a> {
    /// Neither keys nor values can hold what JSON escapes, so they are slices of the text.
    #[serde(borrow)]
    labels: Option<BTreeMap<&'a str, &'a str>>,
}

/// An object that was found.
#[derive(Clone, Debug)]
pub(super) struct Found<'a> {
    pub(super) kind: Kind,
    pub(super) key: Cow<'a, Key>,
    /// Its JSON text as the API shows it.
    pub(super) text: Cow<'a, str>,
}

impl Found<'_> {
    /// The object as a value.
    pub(super) fn value(&self) -> Result<Value> {
        serde_json::from_str(&self.text).with_context(|| format!("read {} {}", self.kind, self.key))
    }
}

/// The stored tables of some kinds.
pub(super) fn tables(targets: &[Target]) -> Vec<Table> {
    let mut tables: Vec<Table> = targets.iter().map(|target| Table::from(target.kind())).collect();
    tables.sort_unstable();
    tables.dedup();
    tables
}

/// All objects of a kind in a namespace, or in all (`None`), that the selectors select.
pub(super) fn list<'a>(
    state: &'a State,
    kind: Kind,
    namespace: Option<&str>,
    selectors: &Selectors,
) -> Result<Vec<Found<'a>>> {
    selectors.check(kind)?;
    let now = clock();
    let mut found = Vec::new();
    for (key, object) in state.objects(Table::from(kind)) {
        let wanted = namespace.filter(|_| kind.resource().namespaced);
        if wanted.is_some_and(|namespace| namespace != &*key.namespace) {
            continue;
        }
        let text = if kind == Kind::Event {
            let event: EventRecord = object.parse()?;
            if now - event.last > EVENT_TTL {
                continue;
            }
            Cow::Owned(event.to_event().to_string())
        } else {
            Cow::Borrowed(object.text)
        };
        if selectors.is_empty() || selectors.matches(kind, &text).map_err(|error| object.damaged(&error))? {
            found.push(Found { kind, key: Cow::Borrowed(key), text });
        }
    }
    Ok(found)
}

/// One object by name.
///
/// # Errors
/// [`StatusError::NotFound`].
pub(super) fn get<'a>(state: &'a State, kind: Kind, namespace: &str, name: &str) -> Result<Found<'a>> {
    let key = kind.key(namespace, name);
    let object = state.get(Table::from(kind), &key).ok_or_else(|| StatusError::not_found(kind, name))?;
    let text = if kind == Kind::Event {
        Cow::Owned(object.parse::<EventRecord>()?.to_event().to_string())
    } else {
        Cow::Borrowed(object.text)
    };
    Ok(Found { kind, key: Cow::Owned(key), text })
}

/// The objects that targets name, in order, and what could not be found.
pub(super) fn resolve<'a>(
    state: &'a State,
    targets: &[Target],
    namespace: &str,
    all_namespaces: bool,
    selectors: &Selectors,
) -> Result<(Vec<Found<'a>>, Vec<anyhow::Error>)> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for target in targets {
        match target {
            Target::All(kind) => {
                found.extend(list(state, *kind, (!all_namespaces).then_some(namespace), selectors)?);
            }
            Target::Named(kind, name) => {
                if !selectors.is_empty() {
                    return Err(name_and_selector());
                }
                if all_namespaces {
                    return Err(verbatim(
                        "error: a resource cannot be retrieved by name across all namespaces",
                    ));
                }
                sort_out(get(state, *kind, namespace, name), &mut found, &mut missing)?;
            }
            Target::Object(kind, key) => {
                selectors.check(*kind)?;
                let got = get(state, *kind, &key.namespace, &key.name);
                let is_selected = match &got {
                    Ok(one) => selectors.is_empty() || selectors.matches(*kind, &one.text)?,
                    Err(_) => true,
                };
                if is_selected {
                    sort_out(got, &mut found, &mut missing)?;
                }
            }
        }
    }
    Ok((found, missing))
}

/// The error for objects that are both named and to be selected.
pub(super) fn name_and_selector() -> anyhow::Error {
    verbatim("error: name cannot be provided when a selector is specified")
}

/// Tells an object that is not there from a store that does not read.
fn sort_out<'a>(
    got: Result<Found<'a>>,
    found: &mut Vec<Found<'a>>,
    missing: &mut Vec<anyhow::Error>,
) -> Result<()> {
    match got {
        Ok(one) => found.push(one),
        Err(error) if error.is::<StatusError>() => missing.push(error),
        Err(error) => return Err(error),
    }
    Ok(())
}
