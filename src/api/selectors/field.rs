//! Field selectors: `--field-selector` terms, and which fields each kind answers for.

use serde_json::Value;

use crate::api::quoted::quoted;

/// One term of a field selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The field's path, such as `status.phase`.
    pub field: String,
    /// False for `!=`.
    pub equal: bool,
    /// The value compared with.
    pub value: String,
}

/// A parsed field selector: all terms must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

impl FieldSelector {
    /// Parses the text given to `--field-selector`; the error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for term in split_terms(text) {
            if term.is_empty() {
                continue;
            }
            let Some((field, equal, value)) = split_term(term) else {
                return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
            };
            terms.push(Term { field: field.to_owned(), equal, value: unescape(value)? });
        }
        Ok(Self { terms })
    }

    /// Refuses fields that the kind does not answer for; the error is upstream's sentence.
    pub fn check(&self, kind: &str) -> Result<(), String> {
        let (fields, more) = supported_fields(kind);
        for Term { field, .. } in &self.terms {
            if field == "metadata.name" || field == "metadata.namespace" || fields.contains(&field.as_str()) {
                continue;
            }
            return Err(match more {
                Refusal::Batch => format!("field label {} not supported for {kind}", quoted(field)),
                Refusal::Core => format!("field label not supported: {field}"),
                Refusal::MetadataOnly => format!(
                    "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                    quoted(field)
                ),
            });
        }
        Ok(())
    }

    /// The terms, in the order they were written.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// True if nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object is selected, with its fields read through `field` (absent is the empty string).
    pub fn matches_with<S: AsRef<str>>(&self, field: impl Fn(&str) -> S) -> bool {
        self.terms.iter().all(|term| (field(&term.field).as_ref() == term.value) == term.equal)
    }

    /// Whether an object of this kind is selected.
    pub fn matches(&self, kind: &str, object: &Value) -> bool {
        self.matches_with(|field| field_value(kind, field, object))
    }
}

#[derive(Clone, Copy)]
enum Refusal {
    Batch,
    Core,
    MetadataOnly,
}

fn supported_fields(kind: &str) -> (&'static [&'static str], Refusal) {
    match kind {
        "Job" => (&["status.successful"], Refusal::Batch),
        "Pod" => (
            &[
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "spec.hostNetwork",
                "status.phase",
                "status.podIP",
                "status.podIPs",
                "status.nominatedNodeName",
            ],
            Refusal::Core,
        ),
        "Event" => (
            &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            Refusal::Core,
        ),
        "Secret" => (&["type"], Refusal::Core),
        "Node" => (&["spec.unschedulable"], Refusal::Core),
        "Namespace" => (&["status.phase"], Refusal::Core),
        "Service" => (&["spec.clusterIP", "spec.type"], Refusal::Core),
        _ => (&[], Refusal::MetadataOnly),
    }
}

/// The text an object has for a supported field; absent fields have the text of Go's zero value.
pub fn field_value(kind: &str, field: &str, object: &Value) -> String {
    let at = |path: &str| -> &Value {
        path.split('.').fold(object, |value, key| value.get(key).unwrap_or(&Value::Null))
    };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let or = |value: String, zero: &str| if value.is_empty() { zero.to_owned() } else { value };
    match (kind, field) {
        ("Job", "status.successful") => or(text(at("status.succeeded")), "0"),
        ("Pod", "spec.hostNetwork") | ("Node", "spec.unschedulable") => or(text(at(field)), "false"),
        ("Pod", "status.podIPs") => text(at("status.podIP")),
        ("Event", "source") => or(text(at("source.component")), &text(at("reportingComponent"))),
        _ => text(at(field)),
    }
}

fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    // A `!` alone belongs to the field's name.
    let equals = term.find('=')?;
    if let Some(field) = term[..equals].strip_suffix('!') {
        return Some((field, false, &term[equals + 1..]));
    }
    let value = &term[equals + 1..];
    Some((&term[..equals], true, value.strip_prefix('=').unwrap_or(value)))
}

fn unescape(value: &str) -> Result<String, String> {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next @ ('\\' | ',' | '=')) => text.push(next),
                Some(next) => {
                    return Err(format!("invalid field selector: invalid escape sequence: \\{next}"));
                }
                None => return Err("invalid field selector: invalid escape sequence: \\".into()),
            },
            // Upstream prints the character as Go prints a rune: its number.
            ',' | '=' => {
                return Err(format!(
                    "invalid field selector: unescaped character in value: {}",
                    u32::from(c)
                ));
            }
            other => text.push(other),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn terms_are_read_as_kubectl_reads_them() {
        for (sentence, text, expected) in [
            ("nothing", "", vec![]),
            ("equality", "status.phase=Running", vec![("status.phase", true, "Running")]),
            ("two signs", "status.phase==Running", vec![("status.phase", true, "Running")]),
            ("inequality", "status.phase!=Running", vec![("status.phase", false, "Running")]),
            ("a trailing comma is nothing", "a=b,", vec![("a", true, "b")]),
            ("two terms", "a=b,c!=d", vec![("a", true, "b"), ("c", false, "d")]),
            ("an escaped comma", r"a=b\,c", vec![("a", true, "b,c")]),
        ] {
            let selector = FieldSelector::parse(text).unwrap_or_else(|e| panic!("{sentence}: {e}"));
            let terms: Vec<_> =
                selector.terms().iter().map(|t| (t.field.as_str(), t.equal, t.value.as_str())).collect();
            assert_eq!(terms, expected, "{sentence}");
        }
        for (text, expected) in [
            ("a", "invalid selector: 'a'; can't understand 'a'"),
            ("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'"),
            (r"a=b\x", r"invalid field selector: invalid escape sequence: \x"),
        ] {
            assert_eq!(FieldSelector::parse(text), Err(expected.to_owned()));
        }
    }

    #[test]
    fn fields_a_kind_does_not_have_are_refused() {
        for (kind, text, expected) in [
            ("Job", "metadata.name=x", Ok(())),
            ("Job", "status.successful=1", Ok(())),
            ("Job", "foo=bar", Err("field label \"foo\" not supported for Job")),
            ("Pod", "status.phase=Running", Ok(())),
            ("Pod", "foo=bar", Err("field label not supported: foo")),
            (
                "CronJob",
                "foo=bar",
                Err("\"foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
            ),
        ] {
            let selector = FieldSelector::parse(text).unwrap();
            assert_eq!(selector.check(kind), expected.map_err(str::to_owned), "{kind} {text}");
        }
    }

    #[test]
    fn objects_are_chosen_by_their_fields() {
        let pod = json!({"metadata": {"name": "p"}, "status": {"phase": "Running"}});
        for (text, expected) in [
            ("metadata.name=p", true),
            ("metadata.name!=p", false),
            ("status.phase=Running,metadata.name=p", true),
            ("spec.nodeName=", true),
            ("spec.hostNetwork=false", true),
        ] {
            assert_eq!(FieldSelector::parse(text).unwrap().matches("Pod", &pod), expected, "{text}");
        }
        let job = json!({"status": {}});
        assert!(FieldSelector::parse("status.successful=0").unwrap().matches("Job", &job));
    }
}
