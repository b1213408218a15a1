//! `--for`: what `wait` waits for, as a pure question to an object.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::printers::jsonpath::Template;

/// One `--for`.
#[derive(Debug)]
pub(super) enum Condition {
    /// The object is gone.
    Delete,
    /// The object exists.
    Create,
    /// Any of these conditions has the value.
    AnyOf(Vec<(String, String)>),
    /// A field has a value, or any value.
    JsonPath { template: Template, value: Option<String> },
}

/// The answer of an object that exists.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Met,
    NotYet,
    /// It never will be.
    Never,
}

impl Condition {
    /// Whether it comes by the object's going on, so that what keeps that from going on is worth a word.
    pub(super) fn is_about_progress(&self) -> bool {
        match self {
            Self::Delete | Self::Create => false,
            Self::AnyOf(conditions) => {
                !conditions.iter().any(|(name, _)| name.eq_ignore_ascii_case("Suspended"))
            }
            Self::JsonPath { .. } => true,
        }
    }

    /// What an object is waited for to do: `to be Complete`.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Delete => "to be gone".into(),
            Self::Create => "to be created".into(),
            Self::AnyOf(conditions) => {
                let each = conditions.iter().map(|(name, value)| match value.as_str() {
                    "true" => name.clone(),
                    _ => format!("{name}={value}"),
                });
                format!("to be {}", each.collect::<Vec<_>>().join(" or "))
            }
            Self::JsonPath { value: Some(value), .. } => format!("to have {value} in a field"),
            Self::JsonPath { value: None, .. } => "to have a field".into(),
        }
    }

    /// Reads `--for`: `delete`, `create`, `condition=NAME[=VALUE][,NAME[=VALUE]]`, `jsonpath={PATH}[=VALUE]`.
    ///
    /// # Errors
    /// Another text, in kubectl's words.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let lower = text.to_ascii_lowercase();
        if lower == "delete" {
            return Ok(Self::Delete);
        }
        if lower == "create" {
            return Ok(Self::Create);
        }
        if lower.starts_with("condition=") {
            let conditions = text["condition=".len()..]
                .split(',')
                .map(|one| {
                    let (name, value) = one.split_once('=').unwrap_or((one, "true"));
                    (name.trim().to_owned(), value.trim().to_owned())
                })
                .collect::<Vec<_>>();
            if conditions.iter().any(|(name, _)| name.is_empty()) {
                bail!("unrecognized condition: {text:?}");
            }
            return Ok(Self::AnyOf(conditions));
        }
        match lower.starts_with("jsonpath=") {
            true => Self::parse_jsonpath(&text["jsonpath=".len()..]),
            false => bail!("unrecognized condition: {text:?}"),
        }
    }

    fn parse_jsonpath(expression: &str) -> Result<Self> {
        if expression.is_empty() {
            bail!("jsonpath expression cannot be empty");
        }
        let (path, value) = match single_equals(expression) {
            None => (expression, None),
            Some(at) => {
                let value = expression[at + 1..].trim().trim_matches(['\'', '"']);
                if single_equals(value).is_some() {
                    bail!(
                        "jsonpath wait format must be --for=jsonpath='{{.status.readyReplicas}}'=3 or \
                         --for=jsonpath='{{.status.readyReplicas}}'"
                    );
                }
                if value.is_empty() {
                    bail!(
                        "jsonpath wait has to have a value after equal sign, like \
                         --for=jsonpath='{{.status.readyReplicas}}'=3"
                    );
                }
                (&expression[..at], Some(value.to_owned()))
            }
        };
        let template = Template::parse_relaxed(path.trim_matches(['\'', '"']))
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(Self::JsonPath { template, value })
    }

    /// Whether an object that exists meets the condition.
    ///
    /// # Errors
    /// A JSONPath that leads to something that cannot be compared.
    pub(super) fn answer(&self, object: &Value) -> Result<Answer> {
        Ok(match self {
            Self::Delete => Answer::NotYet,
            Self::Create => Answer::Met,
            Self::AnyOf(wanted) => {
                if wanted.iter().any(|(name, value)| has_condition(object, name, value)) {
                    Answer::Met
                } else if wanted.iter().all(|(name, value)| can_never_have(object, name, value)) {
                    Answer::Never
                } else {
                    Answer::NotYet
                }
            }
            Self::JsonPath { template, value } => {
                let found = template.find(object).map_err(|error| anyhow::anyhow!("{error}"))?;
                match (found.as_slice(), value) {
                    ([], _) => Answer::NotYet,
                    ([_], None) => Answer::Met,
                    ([_, _, ..], _) => bail!("given jsonpath expression matches more than one value"),
                    ([one], Some(wanted)) => match one.as_ref() {
                        Value::Object(_) | Value::Array(_) => {
                            bail!("jsonpath leads to a nested object or list which is not supported")
                        }
                        Value::String(text) if text.trim() == wanted => Answer::Met,
                        Value::String(_) => Answer::NotYet,
                        other if wanted.as_str() == other.to_string().as_str() => Answer::Met,
                        _ => Answer::NotYet,
                    },
                }
            }
        })
    }
}

/// The `=` that splits path from value: a single one; `==` belongs to a filter.
fn single_equals(expression: &str) -> Option<usize> {
    let bytes = expression.as_bytes();
    (0..bytes.len()).find(|&at| {
        bytes[at] == b'='
            && bytes.get(at + 1) != Some(&b'=')
            && (at == 0 || !matches!(bytes[at - 1], b'=' | b'!' | b'<' | b'>'))
    })
}

fn has_condition(object: &Value, name: &str, value: &str) -> bool {
    object["status"]["conditions"].as_array().into_iter().flatten().any(|condition| {
        let text = |field: &str| condition[field].as_str().unwrap_or_default().to_owned();
        text("type").eq_ignore_ascii_case(name) && text("status").eq_ignore_ascii_case(value)
    })
}

/// A Job that has failed will not complete, one that is complete will not fail, and a pod that has ended will not
/// become Ready. Waiting on would only burn the time-out.
fn can_never_have(object: &Value, name: &str, value: &str) -> bool {
    if !value.eq_ignore_ascii_case("true") {
        return false;
    }
    let is = |kind: &str| has_condition(object, kind, "true");
    match object["kind"].as_str() {
        Some("Job") => match name.to_ascii_lowercase().as_str() {
            "complete" => is("Failed"),
            "failed" => is("Complete"),
            "suspended" | "successcriteriamet" | "failuretarget" => is("Complete") || is("Failed"),
            _ => false,
        },
        Some("Pod") => {
            let ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
            ended && ["ready", "containersready"].contains(&name.to_ascii_lowercase().as_str())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(conditions: &[(&str, &str)]) -> Value {
        let conditions: Vec<Value> =
            conditions.iter().map(|(kind, status)| json!({"type": kind, "status": status})).collect();
        json!({"kind": "Job", "status": {"conditions": conditions, "succeeded": 2}})
    }

    #[test]
    fn what_an_object_answers() {
        let complete = job(&[("SuccessCriteriaMet", "True"), ("Complete", "True")]);
        let failed = job(&[("Failed", "True")]);
        for (text, object, expected) in [
            ("condition=complete", &complete, Answer::Met),
            ("condition=Complete=TRUE", &complete, Answer::Met),
            ("condition=complete", &job(&[]), Answer::NotYet),
            ("condition=complete", &failed, Answer::Never),
            ("condition=complete,failed", &failed, Answer::Met),
            ("condition=failed", &complete, Answer::Never),
            ("condition=complete=false", &failed, Answer::NotYet),
            ("create", &job(&[]), Answer::Met),
            ("delete", &complete, Answer::NotYet),
            ("jsonpath={.status.succeeded}=2", &complete, Answer::Met),
            ("jsonpath=.status.succeeded=3", &complete, Answer::NotYet),
            ("jsonpath='{.status.succeeded}'", &complete, Answer::Met),
            ("jsonpath={.status.nope}", &complete, Answer::NotYet),
            ("jsonpath={.status.conditions[?(@.type==\"Complete\")].status}=True", &complete, Answer::Met),
        ] {
            assert_eq!(Condition::parse(text).expect(text).answer(object).expect(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        for (text, message) in [
            ("foo", "unrecognized condition: \"foo\""),
            ("", "unrecognized condition: \"\""),
            (
                "jsonpath={.a}=",
                "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3",
            ),
        ] {
            assert_eq!(Condition::parse(text).expect_err(text).to_string(), message);
        }
    }
}
