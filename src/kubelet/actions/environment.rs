//! A container's environment: values, references to the pod's own fields, `$(VAR)` expansion (4.9).

use std::collections::BTreeMap;

use crate::api::meta::{name, namespace, uid};
use crate::api::{Container, Pod};

/// The container's `env` in order: a value sees the variables before it.
///
/// # Errors
/// A reference that cannot be resolved here; the sentence is the waiting container's message.
pub(super) fn container_env(pod: &Pod, container: &Container) -> Result<BTreeMap<String, String>, String> {
    let mut env = BTreeMap::new();
    for variable in container.env.iter().flatten() {
        let value = match &variable.value_from {
            None => expand(variable.value.as_deref().unwrap_or_default(), &env),
            Some(source) => match &source.field_ref {
                Some(field) => field_value(pod, &field.field_path)
                    .ok_or_else(|| format!("unsupported fieldPath: {}", field.field_path))?,
                None => return Err(format!("the source of variable {} is not supported", variable.name)),
            },
        };
        env.insert(variable.name.clone(), value);
    }
    Ok(env)
}

/// Replaces `$(VAR)` by the variable's value. An unknown variable stays as it is, and `$$` stands for `$`.
pub(super) fn expand(text: &str, env: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        expanded.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            expanded.push('$');
            rest = after;
            continue;
        }
        let reference = rest.strip_prefix('(').and_then(|inner| Some((inner, inner.find(')')?)));
        match reference {
            Some((inner, close)) => {
                match env.get(&inner[..close]) {
                    Some(value) => expanded.push_str(value),
                    None => {
                        expanded.push_str("$(");
                        expanded.push_str(&inner[..=close]);
                    }
                }
                rest = &inner[close + 1..];
            }
            None => expanded.push('$'),
        }
    }
    expanded.push_str(rest);
    expanded
}

/// The value of a downward API field that an environment variable may take.
fn field_value(pod: &Pod, path: &str) -> Option<String> {
    let meta = &pod.metadata;
    let subscript = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = subscript("metadata.labels") {
        return Some(meta.labels.as_ref().and_then(|labels| labels.get(key)).cloned().unwrap_or_default());
    }
    if let Some(key) = subscript("metadata.annotations") {
        return Some(meta.annotations.as_ref().and_then(|all| all.get(key)).cloned().unwrap_or_default());
    }
    let spec = pod.spec.as_ref();
    Some(match path {
        "metadata.name" => name(meta).to_owned(),
        "metadata.namespace" => namespace(meta).to_owned(),
        "metadata.uid" => uid(meta).to_owned(),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".into())
        }
        "status.hostIP" | "status.hostIPs" | "status.podIP" | "status.podIPs" => {
            super::status::ADDRESS.to_owned()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parenthesised_references_to_known_variables_are_replaced() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "$(A)".to_owned())]);
        for (text, expected) in [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$(B)", "$(A)"),
            ("$(NOPE)", "$(NOPE)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$A ${A} $", "$A ${A} $"),
            ("$(A", "$(A"),
            ("100$", "100$"),
        ] {
            assert_eq!(expand(text, &env), expected, "{text}");
        }
    }
}
