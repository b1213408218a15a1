//! `set env --list --resolve`: the values of variables that come from elsewhere.

use anyhow::Result;
use serde_json::{Map, Value};

use crate::api::kinds::Kind;
use crate::api::quantity::nanos;
use crate::apiserver::{Read as _, Reader};
use crate::cmd::context::{Context, Global};
use crate::cmd::failure::text;
use crate::cmd::output::complain;
use crate::store::Table;

/// What variables may refer to; nothing where that is not to be shown.
pub(super) struct Sources {
    known: Option<(Reader, String)>,
}

impl Sources {
    pub(super) fn new(global: &Global, is_wanted: bool) -> Result<Self> {
        if !is_wanted {
            return Ok(Self { known: None });
        }
        let context = Context::open(global)?;
        let reader = context.client.read(&[Table::CONFIG_MAPS, Table::SECRETS])?;
        Ok(Self { known: Some((reader, context.namespace)) })
    }

    /// The value of a variable of a container in an object's pods. What cannot be told is said on stderr.
    pub(super) fn value(
        &self,
        owner: &Value,
        container: &Map<String, Value>,
        variable: &Value,
    ) -> Option<String> {
        let (reader, namespace) = self.known.as_ref()?;
        let from = &variable["valueFrom"];
        let found = if let Some(field) = from["fieldRef"]["fieldPath"].as_str() {
            of_field(owner, field)
        } else if let Some(resource) = from["resourceFieldRef"]["resource"].as_str() {
            of_resource(container, resource, from["resourceFieldRef"]["divisor"].as_str())
        } else {
            let (kind, reference) = match from["secretKeyRef"].is_null() {
                true => (Kind::ConfigMap, &from["configMapKeyRef"]),
                false => (Kind::Secret, &from["secretKeyRef"]),
            };
            of_object(reader, owner["metadata"]["namespace"].as_str().unwrap_or(namespace), kind, reference)
        };
        let name = variable["name"].as_str().unwrap_or_default();
        found.map_err(|problem| complain(&format!("error retrieving reference for {name}: {problem}"))).ok()
    }
}

fn of_field(owner: &Value, path: &str) -> Result<String, String> {
    let keyed = path.strip_suffix("']").and_then(|path| path.split_once("['"));
    let found = match keyed {
        Some((map @ ("metadata.labels" | "metadata.annotations"), key)) => {
            &owner["metadata"][&map["metadata.".len()..]][key]
        }
        Some(_) => return Err(format!("invalid fieldPath: {path}")),
        None => match path {
            "metadata.name" | "metadata.namespace" | "metadata.uid" => {
                &owner["metadata"][&path["metadata.".len()..]]
            }
            // Of a pod that runs; a template has none of them.
            _ => return Err(format!("unsupported fieldPath: {path}")),
        },
    };
    Ok(found.as_str().unwrap_or_default().to_owned())
}

/// In units of the divisor, rounded up; what a container does not say counts as nothing.
fn of_resource(
    container: &Map<String, Value>,
    resource: &str,
    divisor: Option<&str>,
) -> Result<String, String> {
    let (list, name) = resource.split_once('.').unwrap_or((resource, ""));
    let amount = container.get("resources").map(|resources| &resources[list][name]);
    let amount = amount.and_then(Value::as_str).and_then(nanos).unwrap_or(0);
    let divisor = divisor.and_then(nanos).filter(|divisor| *divisor > 0).unwrap_or(1_000_000_000);
    Ok((amount / divisor + i128::from(amount % divisor != 0)).to_string())
}

fn of_object(reader: &Reader, namespace: &str, kind: Kind, reference: &Value) -> Result<String, String> {
    let word = |field: &str| reference[field].as_str().unwrap_or_default();
    let (name, key) = (word("name"), word("key"));
    let found = reader.get(kind, &kind.key(namespace, name)).and_then(|found| found.value());
    let object = found
        .map_err(|error| text(&error).trim_start_matches("Error from server (NotFound): ").to_owned())?;
    let missing = || format!("key {key} not found in {} {name}", kind.resource().singular);
    let value = object["data"].get(key).ok_or_else(missing)?;
    if kind == Kind::ConfigMap {
        return Ok(value.as_str().unwrap_or_default().to_owned());
    }
    let bytes: k8s_openapi::ByteString =
        serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&bytes.0).into_owned())
}
