//! `metrics.k8s.io`: what pods and this machine use, measured while the client waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Server;
use super::answer::Answer;
use super::dispatch::{Asked, Outcome};
use super::path::ObjectPath;
use super::read::{key_of, selectors_of};
use super::status::Problem;
use crate::api::kinds::Kind;
use crate::api::meta::{name, namespace};
use crate::api::{Node, Pod};
use crate::apiserver::{Found, Read as _};
use crate::client::USAGE_WINDOW;
use crate::kubelet::{Usage, usage_of_machine};
use crate::manager::clock;
use crate::store::Table;

const VERSION: &str = "metrics.k8s.io/v1beta1";

fn amounts(usage: Usage) -> Value {
    json!({ "cpu": format!("{}m", usage.milli_cpus), "memory": format!("{}Ki", usage.memory / 1024) })
}

/// One object or all of a kind.
pub(super) async fn measure(server: &Arc<Server>, asked: Asked, at: ObjectPath, kind: Kind) -> Outcome {
    let selectors = selectors_of(&asked, kind, &at)?;
    let readers = server.readers.clone();
    let server = Arc::clone(server);
    let one = at.name.clone();
    let key = key_of(kind, &at);
    let measured = readers.aside(move || {
        let (state, _) = server.snapshot()?;
        let reader = server.client.show(state, Table::from(kind))?;
        let found = reader.list(kind, at.namespace.as_deref(), &selectors)?;
        if kind == Kind::Node { nodes(&found) } else { pods(&server, &found) }
    });
    let items = measured.await?;
    let list = if kind == Kind::Node { "NodeMetricsList" } else { "PodMetricsList" };
    let Some(name) = one else {
        let list = json!({ "kind": list, "apiVersion": VERSION, "metadata": {}, "items": items });
        return Ok(Answer::json(StatusCode::OK, &list));
    };
    match items.first() {
        Some(item) => Ok(Answer::json(StatusCode::OK, item)),
        None => {
            let (plural, name) = match kind {
                Kind::Node => ("nodes", name),
                _ => ("podmetrics", format!("{}/{name}", key.namespace)),
            };
            let message = format!("{plural}.metrics.k8s.io \"{name}\" not found");
            let details = json!({ "name": name, "group": "metrics.k8s.io", "kind": plural });
            Err(Problem::new(StatusCode::NOT_FOUND, "NotFound", message).with(details))
        }
    }
}

fn nodes(found: &[Found<'_>]) -> Result<Vec<Value>, Problem> {
    let used = if found.is_empty() { Usage::default() } else { usage_of_machine(USAGE_WINDOW) };
    let node = |one: &Found<'_>| -> Result<Value, Problem> {
        let node: Node = one.parse()?;
        let metadata = json!({ "name": name(&node.metadata), "labels": node.metadata.labels });
        Ok(metrics("NodeMetrics", metadata, json!({ "usage": amounts(used) })))
    };
    found.iter().map(node).collect()
}

fn pods(server: &Server, found: &[Found<'_>]) -> Result<Vec<Value>, Problem> {
    let pods: Vec<Pod> = found.iter().map(Found::parse).collect::<anyhow::Result<_>>()?;
    let used = server.client.usage_of_pods(&pods);
    let of_pod = |(pod, used): (&Pod, Option<BTreeMap<String, Usage>>)| {
        let metadata = json!({
            "name": name(&pod.metadata),
            "namespace": namespace(&pod.metadata),
            "labels": pod.metadata.labels,
        });
        let containers: Vec<Value> =
            used?.into_iter().map(|(name, usage)| json!({ "name": name, "usage": amounts(usage) })).collect();
        Some(metrics("PodMetrics", metadata, json!({ "containers": containers })))
    };
    Ok(pods.iter().zip(used).filter_map(of_pod).collect())
}

fn metrics(kind: &str, mut metadata: Value, rest: Value) -> Value {
    metadata["creationTimestamp"] = json!(clock());
    let mut object = json!({
        "kind": kind,
        "apiVersion": VERSION,
        "metadata": metadata,
        "timestamp": clock(),
        "window": format!("{}ms", USAGE_WINDOW.as_millis()),
    });
    if let (Value::Object(object), Value::Object(rest)) = (&mut object, rest) {
        object.extend(rest);
    }
    object
}
