//! Discovery: which groups, versions and resources there are.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::answer::Answer;
use super::media::Discovery;
use super::openapi::{hash_of, tag};
use super::path::{OTHERS, group_versions};
use crate::api::kinds::{Kind, RESOURCES};
use crate::printers::yaml;

/// A resource or a subresource, as discovery tells of it.
pub(super) struct Listed {
    /// `jobs`, `jobs/status`.
    pub(super) name: String,
    singular: &'static str,
    pub(super) namespaced: bool,
    /// The group and version of the kind, where these are not those of the resource.
    pub(super) of: Option<(&'static str, &'static str)>,
    pub(super) kind: &'static str,
    pub(super) verbs: &'static [&'static str],
    short: &'static [&'static str],
    in_all: bool,
}

const CHANGE: &[&str] = &["get", "patch", "update"];

/// What can be done to the objects of a kind.
pub(super) fn verbs(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Node => &["get", "list", "patch", "update", "watch"],
        Kind::Namespace => &["create", "delete", "get", "list", "patch", "update", "watch"],
        kind if kind.is_derived() => &["get", "list", "watch"],
        _ => &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
    }
}

/// A part of an object with a path of its own.
pub(super) struct Subresource {
    pub(super) name: &'static str,
    /// The group and version of what it holds, where these are not those of the kind.
    of: Option<(&'static str, &'static str)>,
    kind: &'static str,
    verbs: &'static [&'static str],
}

/// The subresources of a kind, by name.
pub(super) fn subresources(kind: Kind) -> Vec<Subresource> {
    let row = |name, of, kind, verbs| Subresource { name, of, kind, verbs };
    let status = row("status", None, kind.as_str(), CHANGE);
    match kind {
        Kind::Job
        | Kind::CronJob
        | Kind::Service
        | Kind::PersistentVolumeClaim
        | Kind::ResourceQuota
        | Kind::Node => vec![status],
        Kind::Namespace => vec![row("finalize", None, "Namespace", &["update"]), status],
        Kind::StatefulSet => vec![row("scale", Some(("autoscaling", "v1")), "Scale", CHANGE), status],
        Kind::Pod => vec![
            row("attach", None, "PodAttachOptions", &["create", "get"]),
            row("ephemeralcontainers", None, "Pod", &["get"]),
            row("eviction", Some(("policy", "v1")), "Eviction", &["create"]),
            row("exec", None, "PodExecOptions", &["create", "get"]),
            row("log", None, "Pod", &["get"]),
            row("portforward", None, "PodPortForwardOptions", &["create", "get"]),
            status,
        ],
        _ => Vec::new(),
    }
}

/// The resources of a version, in the order of their names.
pub(super) fn listed(group: &str, version: &str) -> Vec<Listed> {
    let mut found = Vec::new();
    for resource in RESOURCES.iter().filter(|one| (one.group, one.versions[0]) == (group, version)) {
        found.push(Listed {
            name: resource.plural.into(),
            singular: resource.singular,
            namespaced: resource.namespaced,
            of: None,
            kind: resource.name,
            verbs: verbs(resource.kind),
            short: resource.short,
            in_all: resource.in_all,
        });
        for Subresource { name, of, kind, verbs } in subresources(resource.kind) {
            found.push(Listed {
                name: format!("{}/{name}", resource.plural),
                singular: "",
                namespaced: resource.namespaced,
                of,
                kind,
                verbs,
                short: &[],
                in_all: false,
            });
        }
    }
    for other in OTHERS.iter().filter(|one| (one.group, one.version) == (group, version)) {
        found.push(Listed {
            name: other.plural.into(),
            singular: other.singular,
            namespaced: other.namespaced,
            of: None,
            kind: other.kind,
            verbs: other.verbs,
            short: other.short,
            in_all: false,
        });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// `/api/v1`, `/apis/GROUP/VERSION`.
pub(super) fn resources(group: &str, version: &str) -> Value {
    let one = |listed: Listed| {
        let mut one = json!({
            "name": listed.name,
            "singularName": listed.singular,
            "namespaced": listed.namespaced,
            "kind": listed.kind,
            "verbs": listed.verbs,
        });
        if let Some((group, version)) = listed.of {
            one["group"] = json!(group);
            one["version"] = json!(version);
        }
        if !listed.short.is_empty() {
            one["shortNames"] = json!(listed.short);
        }
        if listed.in_all {
            one["categories"] = json!(["all"]);
        }
        if listed.verbs.contains(&"watch") && !listed.name.contains('/') {
            one["storageVersionHash"] = json!(storage_version_hash(group, version, listed.kind));
        }
        one
    };
    let resources: Vec<Value> = listed(group, version).into_iter().map(one).collect();
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version(group, version),
        "resources": resources,
    })
}

/// What clients see change when objects are stored in another version.
fn storage_version_hash(group: &str, version: &str, kind: &str) -> String {
    let hash = digest(&SHA256, format!("{group}/{version}/{kind}").as_bytes());
    BASE64_STANDARD.encode(&hash.as_ref()[..8])
}

/// `v1`, `batch/v1`.
pub(super) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn named_groups() -> Vec<(&'static str, &'static str)> {
    group_versions().into_iter().filter(|(group, _)| !group.is_empty()).collect()
}

fn group_object(group: &str, version: &str) -> Value {
    let version = json!({ "groupVersion": group_version(group, version), "version": version });
    json!({ "name": group, "versions": [version], "preferredVersion": version })
}

/// `/apis/GROUP`.
pub(super) fn group(name: &str) -> Value {
    let version =
        named_groups().into_iter().find(|(group, _)| *group == name).map_or("", |(_, version)| version);
    let mut object = group_object(name, version);
    object["kind"] = json!("APIGroup");
    object["apiVersion"] = json!("v1");
    object
}

/// `/api`, in the form that is wanted.
pub(super) fn core_versions(form: (Discovery, bool), known: Option<&str>, server: &str) -> Answer {
    let (form, is_yaml) = form;
    match form {
        Discovery::Plain => Answer::json(
            StatusCode::OK,
            &json!({
                "kind": "APIVersions",
                "versions": ["v1"],
                "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": server }],
            }),
        ),
        Discovery::Aggregated(version) => aggregated(version, is_yaml, known, &[("", "v1")]),
    }
}

/// `/apis`, in the form that is wanted.
pub(super) fn groups(form: (Discovery, bool), known: Option<&str>) -> Answer {
    let (form, is_yaml) = form;
    let groups = named_groups();
    match form {
        Discovery::Plain => {
            let groups: Vec<Value> =
                groups.into_iter().map(|(group, version)| group_object(group, version)).collect();
            let list = json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups });
            Answer::json(StatusCode::OK, &list)
        }
        Discovery::Aggregated(version) => aggregated(version, is_yaml, known, &groups),
    }
}

/// All resources of some groups; nothing where that is the answer that the client has already, by its tag.
fn aggregated(
    of: &'static str,
    is_yaml: bool,
    known: Option<&str>,
    groups: &[(&'static str, &'static str)],
) -> Answer {
    let items: Vec<Value> = groups
        .iter()
        .map(|(group, version)| {
            let metadata = if group.is_empty() { json!({}) } else { json!({ "name": group }) };
            let resources = discovered(group, version);
            let versions = json!([{ "version": version, "resources": resources, "freshness": "Current" }]);
            json!({ "metadata": metadata, "versions": versions })
        })
        .collect();
    let list = json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{of}"),
        "metadata": {},
        "items": items,
    });
    let content_type = match (of, is_yaml) {
        ("v2", false) => "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        ("v2", true) => "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
        (_, false) => "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
        (_, true) => "application/yaml;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
    };
    let text = if is_yaml { yaml::to_string(&list) } else { list.to_string() };
    let tag = tag(&hash_of(text.as_bytes()));
    let answer = if known == Some(&tag) {
        Answer::new(StatusCode::NOT_MODIFIED, content_type, String::new())
    } else {
        Answer::new(StatusCode::OK, content_type, text)
    };
    answer.with("etag", tag).with("vary", "Accept")
}

/// The resources of a version in the aggregated form: subresources stand within theirs.
fn discovered(group: &str, version: &str) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for listed in listed(group, version) {
        let (of_group, of_version) = listed.of.unwrap_or((group, version));
        let response = json!({ "group": of_group, "version": of_version, "kind": listed.kind });
        if let Some((_, name)) = listed.name.split_once('/') {
            let one = json!({ "subresource": name, "responseKind": response, "verbs": listed.verbs });
            if let Some(Value::Array(within)) = found.last_mut().map(|last| &mut last["subresources"]) {
                within.push(one);
            } else if let Some(last) = found.last_mut() {
                last["subresources"] = json!([one]);
            }
            continue;
        }
        let mut one = json!({
            "resource": listed.name,
            "responseKind": response,
            "scope": if listed.namespaced { "Namespaced" } else { "Cluster" },
            "singularResource": listed.singular,
            "verbs": listed.verbs,
        });
        if !listed.short.is_empty() {
            one["shortNames"] = json!(listed.short);
        }
        if listed.in_all {
            one["categories"] = json!(["all"]);
        }
        found.push(one);
    }
    found
}

/// `/`: what there is.
pub(super) fn paths() -> Value {
    let mut paths: Vec<String> = ["/api", "/api/v1", "/apis", "/apis/"].map(str::to_owned).to_vec();
    for (group, version) in named_groups() {
        paths.push(format!("/apis/{group}"));
        paths.push(format!("/apis/{group}/{version}"));
    }
    let rest = ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
    paths.extend(rest.map(str::to_owned));
    json!({ "paths": paths })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_a_server() {
        assert_eq!(storage_version_hash("batch", "v1", "Job"), "mudhfqk/qZY=");
        assert_eq!(storage_version_hash("", "v1", "ConfigMap"), "qFsyl6wFWjQ=");
    }
}
