//! kubectl's JSONPath dialect: templates of text and `{expressions}`, evaluated over an object.
//!
//! It is not the JSONPath of RFC 9535: expressions are walked node by node with a list of current values, a
//! missing key gives nothing, an index out of range is an error, and `range`/`end` repeat what is between.

mod evaluate;
mod parse;

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::go_value::{compact_json, indented_json, number, syntax};
use crate::api::quoted::quoted;
use parse::Node;

/// What was wrong with a template or its use, in kubectl's words (without the leading `error: `).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(pub(super) String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// A parsed template.
#[derive(Debug, Clone)]
pub struct Template {
    text: String,
    nodes: Vec<Node>,
    needs_keys: bool,
}

impl Template {
    /// Parses the template given to `-o jsonpath=`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error("template format specified but no template given".into()));
        }
        let nodes =
            parse::parse(text).map_err(|reason| Error(format!("error parsing jsonpath {text}, {reason}")))?;
        Ok(Self { text: text.to_owned(), nodes, needs_keys: false })
    }

    /// Parses a path whose braces and leading dot may be missing, as `--sort-by`, custom columns and
    /// `wait --for=jsonpath` allow. The error is the bare reason, as those print it.
    pub fn parse_relaxed(text: &str) -> Result<Self, Error> {
        let text = relaxed(text)?;
        let nodes = parse::parse(&text).map_err(Error)?;
        Ok(Self { text, nodes, needs_keys: false })
    }

    /// The same template, for which a field that is not there is an error.
    pub fn that_needs_keys(self) -> Self {
        Self { needs_keys: true, ..self }
    }

    /// The template's text, with braces.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The output of `-o jsonpath=`.
    pub fn execute(&self, object: &Value) -> Result<String, Error> {
        let results = evaluate::evaluate(&self.nodes, object, self.needs_keys)
            .map_err(|reason| self.failed(&reason, object))?;
        let mut text = String::new();
        for values in results {
            for (i, value) in values.iter().enumerate() {
                if i > 0 {
                    text.push(' ');
                }
                text.push_str(&bare(value));
            }
        }
        Ok(text)
    }

    /// The output of `-o jsonpath-as-json=`: one JSON array for each part of the template.
    pub fn execute_as_json(&self, object: &Value) -> Result<String, Error> {
        let results = evaluate::evaluate(&self.nodes, object, self.needs_keys)
            .map_err(|reason| self.failed(&reason, object))?;
        let mut text = String::new();
        for values in results {
            let list = Value::Array(values.into_iter().map(Cow::into_owned).collect());
            text.push_str(&indented_json(&list));
            text.push('\n');
        }
        Ok(text)
    }

    /// The values found by each part of the template; the error is the bare reason.
    pub fn find_groups<'v>(&'v self, object: &'v Value) -> Result<Vec<Vec<Cow<'v, Value>>>, Error> {
        evaluate::evaluate(&self.nodes, object, self.needs_keys).map_err(Error)
    }

    /// All values found, in order; the error is the bare reason.
    pub fn find<'v>(&'v self, object: &'v Value) -> Result<Vec<Cow<'v, Value>>, Error> {
        Ok(self.find_groups(object)?.into_iter().flatten().collect())
    }

    fn failed(&self, reason: &str, object: &Value) -> Error {
        Error(format!(
            "error executing jsonpath {}: Error executing template: {reason}. Printing more information for \
             debugging the template:\n\ttemplate was:\n\t\t{}\n\tobject given to jsonpath engine was:\n\t\t{}\n\n",
            quoted(&self.text),
            self.text,
            syntax(object)
        ))
    }
}

/// The full form of a path whose braces and leading dot may be missing.
pub fn relaxed(text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let inner = match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(inner) => inner,
        None => text,
    };
    let path = inner.strip_prefix('.').filter(|rest| !rest.is_empty()).unwrap_or(inner);
    if path.is_empty() || path.contains(['{', '}']) {
        return Err(Error(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or \
             '{.name1.name2}'"
                .into(),
        ));
    }
    Ok(format!("{{.{path}}}"))
}

/// Strings without quotes, lists and objects as JSON.
fn bare(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(value) => number(value, 21).into(),
        other => compact_json(other).into(),
    }
}

#[cfg(test)]
mod tests;
