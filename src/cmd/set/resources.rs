//! `set resources`: requests and limits.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::template;
use crate::api::quantity;

/// What `--limits` or `--requests` says, as `cpu=1,memory=2Gi`.
pub(super) fn parse(text: Option<&str>) -> Result<Map<String, Value>> {
    let mut amounts = Map::new();
    for word in text.unwrap_or_default().split(',').filter(|_| text.is_some_and(|text| !text.is_empty())) {
        let parts: Vec<&str> = word.split('=').collect();
        let [resource, amount] = parts.as_slice() else {
            bail!("Invalid argument syntax {word}, expected <resource>=<value>");
        };
        quantity::parse(amount).map_err(anyhow::Error::msg)?;
        amounts.insert((*resource).to_owned(), json!(quantity::canonical(amount)));
    }
    Ok(amounts)
}

/// Puts amounts beside those that containers have; returns what could not be found.
pub(super) fn apply(
    spec: &mut Value,
    pattern: &str,
    limits: &Map<String, Value>,
    requests: &Map<String, Value>,
) -> Vec<String> {
    let mut found = false;
    for container in template::containers(spec) {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        if !template::is_meant(pattern, name) {
            continue;
        }
        found = true;
        for (field, amounts) in [("limits", limits), ("requests", requests)] {
            if amounts.is_empty() {
                continue;
            }
            let resources = container.entry("resources").or_insert_with(|| json!({}));
            for (resource, amount) in amounts {
                resources[field][resource] = amount.clone();
            }
        }
    }
    if found { Vec::new() } else { vec![format!("unable to find container named {pattern}")] }
}
