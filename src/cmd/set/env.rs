//! `set env`: NAME=VALUE, NAME-, and the variables that a ConfigMap or Secret gives.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::template;
use crate::api::names;

/// What is to become of variables.
#[derive(Debug, Default)]
pub(super) struct Edits {
    /// Entries of a container's `env`.
    set: Vec<Value>,
    removed: BTreeSet<String>,
}

/// Whether a word of the command line is about a variable, not an object.
pub(super) fn is_edit(word: &str) -> bool {
    word.contains('=') || word.ends_with('-')
}

impl Edits {
    /// Reads NAME=VALUE and NAME-; `-` stands for the lines of `stdin`.
    pub(super) fn parse(words: &[String], mut stdin: impl FnMut() -> Result<String>) -> Result<Self> {
        let mut edits = Self::default();
        for word in words {
            if let Some((name, value)) = word.split_once('=') {
                let problems = names::old_env_name(name);
                if !problems.is_empty() {
                    bail!("{name:?} is not a valid key name: {}", problems.join(";"));
                }
                edits.set.push(variable(name, value));
            } else if word == "-" {
                edits.set.extend(lines(&stdin()?));
            } else if let Some(name) = word.strip_suffix('-') {
                edits.removed.insert(name.to_owned());
            } else {
                bail!("unknown environment variable: {word}");
            }
        }
        if edits.set.iter().any(|one| edits.removed.contains(name_of(one))) {
            bail!("can not both modify and remove the same environment variable in the same command");
        }
        Ok(edits)
    }

    /// Adds the variables that the keys of a ConfigMap or Secret give; warns of keys that are no names.
    pub(super) fn add_from(&mut self, from: &From<'_>) -> Vec<String> {
        let mut warnings = Vec::new();
        let wanted = |key: &&String| from.keys.is_empty() || from.keys.contains(key);
        for key in from.data.as_object().into_iter().flat_map(|data| data.keys()).filter(wanted) {
            let name: String = key
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_uppercase() } else { '_' })
                .collect();
            if name != *key {
                warnings.push(format!("key {key} transferred to {name}"));
            }
            let source = json!({from.reference: {"key": key, "name": from.name}});
            self.set.push(json!({"name": format!("{}{name}", from.prefix), "valueFrom": source}));
        }
        warnings
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    /// Changes the variables of the containers that `pattern` means; says whether it means any.
    ///
    /// # Errors
    /// Variables that are there and may not be overwritten.
    pub(super) fn apply(&self, spec: &mut Value, pattern: &str, overwrite: bool) -> Result<bool, String> {
        let mut any = false;
        for container in template::containers(spec) {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            if !template::is_meant(pattern, name) {
                continue;
            }
            any = true;
            let env = container.get("env").and_then(Value::as_array).cloned().unwrap_or_default();
            if !overwrite {
                self.refuse_clash(&env)?;
            }
            let env = self.merged(env);
            if env.is_empty() {
                container.remove("env");
            } else {
                container.insert("env".into(), Value::Array(env));
            }
        }
        Ok(any)
    }

    fn refuse_clash(&self, env: &[Value]) -> Result<(), String> {
        for old in env {
            let new = self.set.iter().any(|new| name_of(new) == name_of(old));
            if new && !old["value"].is_null() {
                let value = old["value"].as_str().unwrap_or_default();
                let name = name_of(old);
                return Err(format!("'{name}' already has a value ({value}), and --overwrite is false"));
            }
        }
        Ok(())
    }

    /// Variables keep their places; of a name that is given twice the first counts, as in kubectl.
    fn merged(&self, env: Vec<Value>) -> Vec<Value> {
        let mut covered = self.removed.clone();
        let mut merged = Vec::new();
        for old in env {
            if covered.contains(name_of(&old)) {
                continue;
            }
            match self.set.iter().find(|new| name_of(new) == name_of(&old)) {
                Some(new) => {
                    covered.insert(name_of(new).to_owned());
                    merged.push(new.clone());
                }
                None => merged.push(old),
            }
        }
        for new in &self.set {
            if covered.insert(name_of(new).to_owned()) {
                merged.push(new.clone());
            }
        }
        merged
    }
}

/// A ConfigMap or a Secret whose keys are to become variables.
pub(super) struct From<'a> {
    /// `configMapKeyRef` or `secretKeyRef`.
    pub(super) reference: &'static str,
    pub(super) name: &'a str,
    pub(super) data: &'a Value,
    pub(super) prefix: &'a str,
    /// Only these; none: all.
    pub(super) keys: &'a [String],
}

fn name_of(variable: &Value) -> &str {
    variable["name"].as_str().unwrap_or_default()
}

fn variable(name: &str, value: &str) -> Value {
    // Go leaves an empty text out.
    if value.is_empty() { json!({"name": name}) } else { json!({"name": name, "value": value}) }
}

/// The variables of standard input: lines with `=`, up to a `#`.
fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or(line);
        line.split_once('=').map(|(name, value)| variable(name, value))
    })
}

/// The variables of the containers that `pattern` means, as `--list` shows them.
pub(super) fn listing(
    spec: &mut Value,
    pattern: &str,
    kind: &str,
    name: &str,
    mut resolve: impl FnMut(&Map<String, Value>, &Value) -> Option<String>,
) -> String {
    let mut text = String::new();
    for container in template::containers(spec) {
        let container_name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        if !template::is_meant(pattern, container_name) {
            continue;
        }
        text.push_str(&format!("# {kind} {name}, container {container_name}\n"));
        for variable in container.get("env").and_then(Value::as_array).into_iter().flatten() {
            let name = name_of(variable);
            text.push_str(&match source(&variable["valueFrom"]) {
                Some(source) => match resolve(container, variable) {
                    Some(value) => format!("{name}={value}\n"),
                    None => format!("# {name} from {source}\n"),
                },
                None => format!("{name}={}\n", variable["value"].as_str().unwrap_or_default()),
            });
        }
    }
    text
}

fn source(from: &Value) -> Option<String> {
    let at = |pointer: &str| from.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (reference, _) = from.as_object()?.iter().next()?;
    Some(match reference.as_str() {
        "configMapKeyRef" => {
            format!("configmap {}, key {}", at("/configMapKeyRef/name"), at("/configMapKeyRef/key"))
        }
        "secretKeyRef" => format!("secret {}, key {}", at("/secretKeyRef/name"), at("/secretKeyRef/key")),
        "fieldRef" => format!("field path {}", at("/fieldRef/fieldPath")),
        "resourceFieldRef" => format!("resource field {}", at("/resourceFieldRef/resource")),
        other => format!("invalid valueFrom {other}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(line: &str) -> Result<Edits> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Edits::parse(&words, || Ok("#x\nZ=1\n\nY= a b # c\nBAD\n".to_owned()))
    }

    #[test]
    fn variables_keep_their_places() {
        let env = vec![json!({"name": "A", "value": "1"}), json!({"name": "B", "value": "2"})];
        for (line, expected) in [
            ("A=3", json!([{"name": "A", "value": "3"}, {"name": "B", "value": "2"}])),
            ("C= A-", json!([{"name": "B", "value": "2"}, {"name": "C"}])),
            ("X=1 X=2 A- B-", json!([{"name": "X", "value": "1"}])),
            ("- A- B-", json!([{"name": "Z", "value": "1"}, {"name": "Y", "value": " a b "}])),
        ] {
            assert_eq!(Value::Array(edits(line).expect(line).merged(env.clone())), expected, "{line}");
        }
        for (line, error) in [
            ("A=1 A-", "can not both modify and remove the same environment variable in the same command"),
            ("A", "unknown environment variable: A"),
        ] {
            assert_eq!(edits(line).expect_err(line).to_string(), error);
        }
        let error = edits("1A=1").expect_err("a digit").to_string();
        assert!(
            error.starts_with("\"1A\" is not a valid key name: a valid environment variable name"),
            "{error}"
        );
    }

    #[test]
    fn keys_become_names() {
        let data = json!({"a.b": "1", "C_D": "2"});
        let from = From { reference: "configMapKeyRef", name: "cm", data: &data, prefix: "P_", keys: &[] };
        let mut edits = Edits::default();
        assert_eq!(edits.add_from(&from), ["key a.b transferred to A_B"]);
        let names: BTreeSet<&str> = edits.set.iter().map(name_of).collect();
        assert_eq!(names, BTreeSet::from(["P_A_B", "P_C_D"]));
        let only = From { keys: &["C_D".to_owned()], ..from };
        let mut edits = Edits::default();
        assert_eq!(edits.add_from(&only), Vec::<String>::new());
        let reference = json!({"configMapKeyRef": {"key": "C_D", "name": "cm"}});
        assert_eq!(edits.set, [json!({"name": "P_C_D", "valueFrom": reference})]);
    }
}
