//! The paths of a document: what can be asked of the resources of a version, as discovery lists them. Pure.

use serde_json::{Map, Value, json};

use super::super::discovery::{Listed, group_version, listed};
use super::schemas::{Gvk, PATCH, full_name, gvk, list_name, reference, type_of};
use crate::api::schema::Schema;

/// What is done to an object, or to many.
#[derive(Clone, Copy, Debug)]
struct Action {
    verb: &'static str,
    method: &'static str,
    /// `x-kubernetes-action`.
    name: &'static str,
    /// What its identifier begins with.
    word: &'static str,
    of_one: bool,
}

const ACTIONS: [Action; 7] = {
    const fn action(
        verb: &'static str,
        method: &'static str,
        name: &'static str,
        word: &'static str,
        of_one: bool,
    ) -> Action {
        Action { verb, method, name, word, of_one }
    }
    [
        action("list", "get", "list", "list", false),
        action("create", "post", "post", "create", false),
        action("deletecollection", "delete", "deletecollection", "delete", false),
        action("get", "get", "get", "read", true),
        action("update", "put", "put", "replace", true),
        action("patch", "patch", "patch", "patch", true),
        action("delete", "delete", "delete", "delete", true),
    ]
};

/// The content types of patches.
const PATCHES: [&str; 4] = [
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
];

/// The parameters of a request, with the types of their values.
fn parameters(action: Action) -> &'static [(&'static str, &'static str)] {
    match action.name {
        "post" | "put" => &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")],
        "patch" => &[
            ("dryRun", "string"),
            ("fieldManager", "string"),
            ("fieldValidation", "string"),
            ("force", "boolean"),
        ],
        "delete" => &[
            ("dryRun", "string"),
            ("gracePeriodSeconds", "integer"),
            ("orphanDependents", "boolean"),
            ("propagationPolicy", "string"),
        ],
        "deletecollection" => &[
            ("dryRun", "string"),
            ("fieldSelector", "string"),
            ("gracePeriodSeconds", "integer"),
            ("labelSelector", "string"),
            ("orphanDependents", "boolean"),
            ("propagationPolicy", "string"),
        ],
        "list" => &[
            ("allowWatchBookmarks", "boolean"),
            ("continue", "string"),
            ("fieldSelector", "string"),
            ("labelSelector", "string"),
            ("limit", "integer"),
            ("resourceVersion", "string"),
            ("resourceVersionMatch", "string"),
            ("sendInitialEvents", "boolean"),
            ("timeoutSeconds", "integer"),
            ("watch", "boolean"),
        ],
        _ => &[],
    }
}

fn parameter(place: &str, name: &str, kind: &str) -> Value {
    let mut parameter = json!({ "name": name, "in": place, "schema": { "type": kind, "uniqueItems": true } });
    if place == "path" {
        parameter["required"] = json!(true);
    }
    parameter
}

/// A resource, and where its paths begin.
struct Resource<'a> {
    schema: &'a Schema,
    group: &'a str,
    version: &'a str,
    listed: &'a Listed,
}

impl<'a> Resource<'a> {
    /// What its objects are.
    fn kind(&self) -> Gvk<'a> {
        let (group, version) = self.listed.of.unwrap_or((self.group, self.version));
        (group, version, self.listed.kind)
    }

    fn full_name(&self) -> Option<&'a str> {
        full_name(self.schema, &type_of(self.schema, self.kind())?)
    }

    /// `BatchV1`.
    fn group_word(&self) -> String {
        let group = if self.group.is_empty() { "core" } else { self.group };
        let group = group.trim_end_matches(".k8s.io");
        let parts = group.split('.').chain([self.version]);
        parts.map(capitalized).collect()
    }

    fn operation(&self, action: Action, in_namespace: bool) -> Value {
        let (plural, subresource) = self.listed.name.split_once('/').unwrap_or((&self.listed.name, ""));
        let kind = self.kind();
        let object = if subresource.is_empty() { self.listed.kind } else { owner_of(self, plural) };
        let id = format!(
            "{}{}{}{}{object}{}{}",
            action.word,
            self.group_word(),
            if action.name == "deletecollection" { "Collection" } else { "" },
            if in_namespace { "Namespaced" } else { "" },
            capitalized(subresource),
            if action.name == "list" && self.listed.namespaced && !in_namespace {
                "ForAllNamespaces"
            } else {
                ""
            },
        );
        let mut operation = json!({
            "tags": [group_version(self.group, self.version).replace(['.', '/'], "_")],
            "operationId": id,
            "responses": self.responses(action),
            "x-kubernetes-action": action.name,
            "x-kubernetes-group-version-kind": gvk(kind),
        });
        let parameters: Vec<Value> =
            parameters(action).iter().map(|(name, kind)| parameter("query", name, kind)).collect();
        if !parameters.is_empty() {
            operation["parameters"] = json!(parameters);
        }
        if let Some(body) = self.body(action) {
            operation["requestBody"] = body;
        }
        operation
    }

    fn body(&self, action: Action) -> Option<Value> {
        let of = |name: &str| json!({ "schema": reference(name) });
        match action.name {
            "post" | "put" => {
                let content = json!({ "*/*": of(self.full_name()?) });
                Some(json!({ "content": content, "required": true }))
            }
            "patch" => {
                let content: Map<String, Value> =
                    PATCHES.iter().map(|kind| ((*kind).into(), of(PATCH))).collect();
                Some(json!({ "content": content, "required": true }))
            }
            "delete" | "deletecollection" => {
                let options = full_name(self.schema, "DeleteOptions")?;
                Some(json!({ "content": { "*/*": of(options) } }))
            }
            _ => None,
        }
    }

    fn responses(&self, action: Action) -> Value {
        let name = match action.name {
            "list" => self.full_name().map(list_name),
            "delete" | "deletecollection" => full_name(self.schema, "Status").map(str::to_owned),
            _ => self.full_name().map(str::to_owned),
        };
        let mut done = json!({ "description": "OK" });
        if let Some(name) = name {
            done["content"] = json!({ "application/json": { "schema": reference(&name) } });
        }
        let code = if action.name == "post" { "201" } else { "200" };
        json!({ code: done })
    }
}

/// The kind that a subresource is a part of.
fn owner_of(resource: &Resource<'_>, plural: &str) -> &'static str {
    crate::api::kinds::RESOURCES
        .iter()
        .find(|one| (one.group, one.plural) == (resource.group, plural))
        .map_or("", |one| one.name)
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The paths of a version.
pub(super) fn paths(schema: &Schema, group: &str, version: &str) -> Map<String, Value> {
    let base = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
    let mut paths = Map::new();
    for listed in listed(group, version) {
        let resource = Resource { schema, group, version, listed: &listed };
        let (plural, subresource) = listed.name.split_once('/').unwrap_or((&listed.name, ""));
        let within = if listed.namespaced { "/namespaces/{namespace}" } else { "" };
        let mut add = |path: String, actions: &[Action], in_namespace: bool| {
            let mut operations: Map<String, Value> = actions
                .iter()
                .filter(|action| listed.verbs.contains(&action.verb))
                .map(|action| (action.method.to_owned(), resource.operation(*action, in_namespace)))
                .collect();
            if operations.is_empty() {
                return;
            }
            let in_path: Vec<Value> = ["name", "namespace"]
                .into_iter()
                .filter(|name| path.contains(&format!("{{{name}}}")))
                .map(|name| parameter("path", name, "string"))
                .collect();
            if !in_path.is_empty() {
                operations.insert("parameters".into(), json!(in_path));
            }
            paths.insert(path, Value::Object(operations));
        };
        let namespaced = listed.namespaced;
        if subresource.is_empty() {
            let (one, many): (Vec<Action>, Vec<Action>) =
                ACTIONS.into_iter().partition(|action| action.of_one);
            add(format!("{base}{within}/{plural}"), &many, namespaced);
            add(format!("{base}{within}/{plural}/{{name}}"), &one, namespaced);
            if namespaced {
                // Objects are created and deleted in one namespace; they are listed in all.
                add(format!("{base}/{plural}"), &many[..1], false);
            }
        } else {
            let mut actions: Vec<Action> = ACTIONS.into_iter().filter(|action| action.of_one).collect();
            actions.push(Action { of_one: true, ..ACTIONS[1] });
            add(format!("{base}{within}/{plural}/{{name}}/{subresource}"), &actions, namespaced);
        }
    }
    paths
}
