//! Selecting objects by labels and fields.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Deserialize;
use serde_json::Value;

use crate::api::kinds::Kind;
use crate::api::selectors::{FieldSelector, LabelSelector, unusable_selector};
use crate::api::status_error::StatusError;

/// A label selector and a field selector.
#[derive(Clone, Debug)]
pub struct Selectors {
    label: Option<LabelSelector>,
    label_text: String,
    field: Option<FieldSelector>,
    field_text: String,
}

impl Selectors {
    /// Parses both, as the flags `-l` and `--field-selector` have them.
    ///
    /// # Errors
    /// What is no selector.
    pub fn parse(label: Option<&str>, field: Option<&str>) -> Result<Self> {
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

    /// As [`Selectors::parse`], of selectors that a server is to read: it refuses what is none for the kind asked for.
    ///
    /// # Errors
    /// [`StatusError::BadRequest`].
    pub fn parse_for(kind: Kind, label: Option<&str>, field: Option<&str>) -> Result<Self> {
        Self::parse(label, field).map_err(|reason| {
            let (label, field) = (label.unwrap_or_default(), field.unwrap_or_default());
            unusable(kind, label, field, &reason.to_string()).into()
        })
    }

    /// Everything.
    pub fn none() -> Self {
        Self { label: None, label_text: String::new(), field: None, field_text: String::new() }
    }

    /// What is selected by labels and by fields, as texts; empty where everything is.
    pub fn texts(&self) -> (&str, &str) {
        (&self.label_text, &self.field_text)
    }

    /// Whether everything is selected.
    pub fn is_empty(&self) -> bool {
        self.label.is_none() && self.field.is_none()
    }

    /// Refuses fields that the kind cannot be selected by.
    ///
    /// # Errors
    /// [`StatusError::BadRequest`].
    pub fn check(&self, kind: Kind) -> Result<()> {
        let Some(field) = &self.field else { return Ok(()) };
        field
            .check(kind.as_str())
            .map_err(|reason| unusable(kind, &self.label_text, &self.field_text, &reason).into())
    }

    /// Why a server elsewhere has not listed a kind, with what was asked for.
    pub fn refused(&self, kind: Kind, refusal: &StatusError) -> StatusError {
        let StatusError::Other { reason: reason @ ("BadRequest" | "NotFound"), message } = refusal else {
            return refusal.clone();
        };
        let resource = resource_of(kind);
        let message = match self.is_empty() {
            true => format!("Unable to list {resource:?}: {message}"),
            false => unusable_selector(&resource, &self.label_text, &self.field_text, message),
        };
        StatusError::Other { reason, message }
    }

    /// As [`Selectors::check`], with the reason alone.
    ///
    /// # Errors
    /// Why a field is none to select by.
    pub fn check_plainly(&self, kind: Kind) -> Result<(), String> {
        self.field.as_ref().map_or(Ok(()), |field| field.check(kind.as_str()))
    }

    /// Whether an object's JSON text is selected.
    ///
    /// # Errors
    /// No object of that kind.
    pub fn matches(&self, kind: Kind, text: &str) -> serde_json::Result<bool> {
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

fn unusable(kind: Kind, label: &str, field: &str, reason: &str) -> StatusError {
    StatusError::BadRequest { message: unusable_selector(&resource_of(kind), label, field, reason) }
}

fn resource_of(kind: Kind) -> String {
    format!("{}, Resource={}", group_version(kind), kind.resource().plural)
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
