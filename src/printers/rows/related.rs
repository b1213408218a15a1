//! Rows of the kinds that manifests bring beside their Jobs. There are few objects of these, so whole values are read.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::{Metadata, NONE, Row, TableKind};
use crate::api::selectors::LabelSelector;

/// The longest list of a load balancer's addresses in a table that is not wide.
const MAX_INGRESS: usize = 16;

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
}

pub(super) fn row<'a>(
    kind: TableKind,
    json: &'a str,
    now: DateTime<Utc>,
    wide: bool,
) -> serde_json::Result<Row<'a>> {
    let Named { mut metadata } = serde_json::from_str(json)?;
    let object: Value = serde_json::from_str(json)?;
    let age = metadata.age(now).into_owned();
    let created = || metadata.creation_timestamp.as_deref().unwrap_or_default().to_owned();
    let cells = match kind {
        TableKind::Service => service(&object, age, wide),
        TableKind::PersistentVolumeClaim => claim(&object, age, wide),
        TableKind::StatefulSet => stateful_set(&object, age, wide),
        TableKind::Endpoints => vec![endpoints(&object), age],
        TableKind::EndpointSlice => endpoint_slice(&object, age),
        TableKind::ControllerRevision => revision(&object, age),
        TableKind::ServiceAccount => vec![count(&object["secrets"]).to_string(), age],
        TableKind::Role | TableKind::ClusterRole | TableKind::LimitRange => vec![created()],
        TableKind::RoleBinding | TableKind::ClusterRoleBinding => binding(&object, age, wide),
        TableKind::ResourceQuota => quota(&object, age),
        TableKind::NetworkPolicy => {
            let selector = serde_json::from_value(object["spec"]["podSelector"].clone());
            let selector = selector.ok().and_then(|selector| LabelSelector::from_object(&selector).ok());
            let shown = selector.map(|selector| selector.to_string()).unwrap_or_default();
            vec![or_none(shown), age]
        }
        TableKind::PriorityClass => vec![
            object["value"].as_i64().unwrap_or(0).to_string(),
            (object["globalDefault"] == true).to_string(),
            age,
            text(&object["preemptionPolicy"]),
        ],
        _ => vec![age],
    };
    let name = std::mem::take(&mut metadata.name);
    let cells = std::iter::once(name).chain(cells.into_iter().map(Cow::Owned)).collect();
    Ok(metadata.row(cells))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn or_none(text: String) -> String {
    if text.is_empty() { NONE.to_owned() } else { text }
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

fn service(object: &Value, age: String, wide: bool) -> Vec<String> {
    let spec = &object["spec"];
    let ports = spec["ports"].as_array().into_iter().flatten().map(|port| {
        let node_port = port["nodePort"].as_i64().filter(|number| *number != 0);
        let node_port = node_port.map(|number| format!(":{number}")).unwrap_or_default();
        format!("{}{node_port}/{}", port["port"], text(&port["protocol"]))
    });
    let ports = or_none(ports.collect::<Vec<_>>().join(","));
    let address = texts(&spec["clusterIPs"]).into_iter().next();
    let address = or_none(address.unwrap_or_else(|| text(&spec["clusterIP"])));
    let mut cells = vec![text(&spec["type"]), address, external_address(object, wide), ports, age];
    if wide {
        let selector = spec["selector"].as_object().into_iter().flatten();
        let selector = selector.map(|(key, value)| format!("{key}={}", text(value)));
        cells.push(or_none(selector.collect::<Vec<_>>().join(",")));
    }
    cells
}

/// The most ports or endpoints in one cell.
const MOST_SHOWN: usize = 3;

/// The first of a list, and how many more there are.
fn shortened(all: Vec<String>, none: &str) -> String {
    let more = all.len().saturating_sub(MOST_SHOWN);
    let shown = all.into_iter().take(MOST_SHOWN).collect::<Vec<_>>().join(",");
    match (shown.as_str(), more) {
        ("", _) => none.to_owned(),
        (_, 0) => shown,
        _ => format!("{shown} + {more} more..."),
    }
}

fn endpoint_slice(object: &Value, age: String) -> Vec<String> {
    let ports = object["ports"].as_array().into_iter().flatten().map(|port| port["port"].to_string());
    let endpoints = object["endpoints"].as_array().into_iter().flatten();
    let addresses = endpoints.map(|endpoint| texts(&endpoint["addresses"]).join(","));
    vec![
        text(&object["addressType"]),
        shortened(ports.collect(), "<unset>"),
        shortened(addresses.collect(), "<unset>"),
        age,
    ]
}

fn endpoints(object: &Value) -> String {
    let mut all = Vec::new();
    for subset in object["subsets"].as_array().into_iter().flatten() {
        let addresses = subset["addresses"].as_array().into_iter().flatten();
        let addresses: Vec<String> = addresses.map(|address| text(&address["ip"])).collect();
        let ports = subset["ports"].as_array().cloned().unwrap_or_default();
        if ports.is_empty() {
            all.extend(addresses.iter().cloned());
        }
        for port in &ports {
            all.extend(addresses.iter().map(|address| format!("{address}:{}", port["port"])));
        }
    }
    shortened(all, NONE)
}

fn external_address(object: &Value, wide: bool) -> String {
    let spec = &object["spec"];
    let external = texts(&spec["externalIPs"]);
    match spec["type"].as_str().unwrap_or_default() {
        "ExternalName" => text(&spec["externalName"]),
        "LoadBalancer" => {
            let ingress = object["status"]["loadBalancer"]["ingress"].as_array().into_iter().flatten();
            let mut addresses: Vec<String> = ingress
                .map(|one| if one["ip"].is_string() { text(&one["ip"]) } else { text(&one["hostname"]) })
                .filter(|address| !address.is_empty())
                .collect();
            addresses.sort();
            addresses.dedup();
            let mut balancer = addresses.join(",");
            if !wide && balancer.len() > MAX_INGRESS {
                balancer.truncate(MAX_INGRESS - 3);
                balancer.push_str("...");
            }
            let all: Vec<String> =
                std::iter::once(balancer).filter(|balancer| !balancer.is_empty()).chain(external).collect();
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ => or_none(external.join(",")),
    }
}

/// Access modes by their initials.
pub(crate) fn access_modes(modes: &[String]) -> String {
    let known = [
        ("ReadWriteOnce", "RWO"),
        ("ReadOnlyMany", "ROX"),
        ("ReadWriteMany", "RWX"),
        ("ReadWriteOncePod", "RWOP"),
    ];
    let given = known.iter().filter(|(mode, _)| modes.iter().any(|given| given == mode));
    given.map(|(_, short)| *short).collect::<Vec<_>>().join(",")
}

fn claim(object: &Value, age: String, wide: bool) -> Vec<String> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let is_bound = !text(&spec["volumeName"]).is_empty();
    let is_leaving = object["metadata"]["deletionTimestamp"].is_string();
    let modes = texts(&status["accessModes"]);
    let (capacity, modes) = if is_bound {
        (text(&status["capacity"]["storage"]), access_modes(&modes))
    } else {
        (String::new(), String::new())
    };
    let class = spec["volumeAttributesClassName"].as_str();
    let unset = |text: Option<&str>| text.unwrap_or("<unset>").to_owned();
    let mut cells = vec![
        if is_leaving { "Terminating".to_owned() } else { text(&status["phase"]) },
        text(&spec["volumeName"]),
        capacity,
        modes,
        text(&spec["storageClassName"]),
        unset(class),
        age,
    ];
    if wide {
        cells.push(unset(spec["volumeMode"].as_str()));
    }
    cells
}

fn stateful_set(object: &Value, age: String, wide: bool) -> Vec<String> {
    let spec = &object["spec"];
    let ready = object["status"]["readyReplicas"].as_i64().unwrap_or(0);
    let mut cells = vec![format!("{ready}/{}", spec["replicas"].as_i64().unwrap_or(1)), age];
    if wide {
        let containers = spec["template"]["spec"]["containers"].as_array().cloned().unwrap_or_default();
        for field in ["name", "image"] {
            let of_each: Vec<String> = containers.iter().map(|container| text(&container[field])).collect();
            cells.push(of_each.join(","));
        }
    }
    cells
}

fn revision(object: &Value, age: String) -> Vec<String> {
    let mut owners = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let controller = owners.find(|owner| owner["controller"] == true).map_or_else(
        || NONE.to_owned(),
        |owner| {
            let (version, kind) = (text(&owner["apiVersion"]), text(&owner["kind"]).to_lowercase());
            let group = version.split_once('/').map_or("", |(group, _)| group);
            format!("{kind}.{group}/{}", text(&owner["name"]))
        },
    );
    vec![controller, object["revision"].as_i64().unwrap_or(0).to_string(), age]
}

fn binding(object: &Value, age: String, wide: bool) -> Vec<String> {
    let role = &object["roleRef"];
    let mut cells = vec![format!("{}/{}", text(&role["kind"]), text(&role["name"])), age];
    if wide {
        for kind in ["User", "Group", "ServiceAccount"] {
            let subjects = object["subjects"].as_array().into_iter().flatten();
            let names = subjects.filter(|subject| subject["kind"] == kind).map(|subject| {
                let name = text(&subject["name"]);
                match kind {
                    "ServiceAccount" => format!("{}/{name}", text(&subject["namespace"])),
                    _ => name,
                }
            });
            cells.push(names.collect::<Vec<_>>().join(", "));
        }
    }
    cells
}

/// What is used of what there may be: limits in a column of their own.
fn quota(object: &Value, age: String) -> Vec<String> {
    let status = &object["status"];
    let (mut requests, mut limits) = (Vec::new(), Vec::new());
    for (resource, hard) in status["hard"].as_object().into_iter().flatten() {
        let used = status["used"][resource].as_str().unwrap_or("0");
        let shown = format!("{resource}: {used}/{}", text(hard));
        if resource.starts_with("limits") { limits.push(shown) } else { requests.push(shown) }
    }
    vec![requests.join(", "), limits.join(", "), age]
}
