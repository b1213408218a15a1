//! A stand-in for a Kubernetes API server that only reads: real kubectl prints the very objects that jobctl prints.
//!
//! What a server prints itself, the cells of tables, comes from our own printers; what kubectl makes of them is under test.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use chrono::Utc;
use jobctl::api::kinds::{RESOURCES, Resource};
use jobctl::apiserver::Selectors;
use jobctl::printers::rows::TableKind;
use serde_json::{Value, json};

/// The objects of the server, and documents by their paths.
#[derive(Default)]
pub(super) struct Served {
    pub(super) objects: Vec<Value>,
    pub(super) documents: BTreeMap<String, Value>,
}

/// Serves for as long as the process lives; its address.
pub(super) fn serve(served: Served) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let served = Arc::new(served);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let served = Arc::clone(&served);
            std::thread::spawn(move || answer_all(&stream, &served));
        }
    });
    format!("http://{address}")
}

/// Answers the requests of one connection until its client has had enough.
fn answer_all(stream: &TcpStream, served: &Served) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|bytes| *bytes > 0)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (mut length, mut wants_table) = (0, false);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).ok()?;
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            wants_table |= header.starts_with("accept:") && header.contains("as=table");
        }
        std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).ok()?;
        let mut writer = stream;
        if target.contains("watch=true") {
            // Nothing ever happens here: the client leaves when it has waited long enough.
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
            writer.write_all(head.as_bytes()).ok()?;
            std::io::copy(&mut reader, &mut std::io::sink()).ok()?;
            return None;
        }
        let (code, body) = match method.as_str() {
            "GET" => served.answer(&target, wants_table),
            _ => status(405, "MethodNotAllowed", "this server only reads", &json!({})),
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all((head + &body).as_bytes()).ok()?;
    }
}

fn status(code: u16, reason: &str, message: &str, details: &Value) -> (u16, Value) {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code
    });
    (code, body)
}

fn missing() -> (u16, Value) {
    status(404, "NotFound", "the server could not find the requested resource", &json!({}))
}

fn group_version(resource: &Resource) -> String {
    resource.kind.api_version()
}

impl Served {
    fn answer(&self, target: &str, wants_table: bool) -> (u16, Value) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if let Some(document) = self.documents.get(path) {
            return (200, document.clone());
        }
        let query: BTreeMap<&str, String> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name, decoded(value)))
            .collect();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts.as_slice() {
            ["version"] => (200, json!({"major": "1", "minor": "34", "gitVersion": "v1.34.0"})),
            ["api"] => {
                (200, json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}))
            }
            ["apis"] => (200, groups()),
            ["api", "v1", rest @ ..] => self.of_group("v1", rest, &query, wants_table),
            ["apis", group, version, rest @ ..] => {
                self.of_group(&format!("{group}/{version}"), rest, &query, wants_table)
            }
            _ => missing(),
        }
    }

    fn of_group(
        &self,
        version: &str,
        path: &[&str],
        query: &BTreeMap<&str, String>,
        wants_table: bool,
    ) -> (u16, Value) {
        let known: Vec<&Resource> =
            RESOURCES.iter().filter(|resource| group_version(resource) == version).collect();
        let (namespace, path) = match path {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
            path => (None, path),
        };
        let [plural, rest @ ..] = path else {
            return if known.is_empty() { missing() } else { (200, resources(version, &known)) };
        };
        let Some(resource) = known.into_iter().find(|resource| resource.plural == *plural) else {
            return missing();
        };
        let of_kind = self.objects.iter().filter(|object| {
            object["kind"] == resource.name
                && namespace.is_none_or(|namespace| object["metadata"]["namespace"] == namespace)
        });
        let mut found: Vec<&Value> = of_kind.collect();
        if let [name, ..] = rest {
            found.retain(|object| object["metadata"]["name"] == **name);
            let Some(object) = found.first() else {
                let dot = if resource.group.is_empty() { "" } else { "." };
                return status(
                    404,
                    "NotFound",
                    &format!("{plural}{dot}{} {name:?} not found", resource.group),
                    &json!({"name": name, "group": resource.group, "kind": plural}),
                );
            };
            return (200, if wants_table { table(resource, &found) } else { (*object).clone() });
        }
        let (label, field) = (query.get("labelSelector"), query.get("fieldSelector"));
        if let Err(error) = Selectors::parse(label.map(String::as_str), field.map(String::as_str)) {
            return status(400, "BadRequest", &error.to_string(), &json!({}));
        }
        for part in query.get("labelSelector").into_iter().flat_map(|selector| selector.split(',')) {
            found.retain(|object| label_matches(object, part));
        }
        for part in query.get("fieldSelector").into_iter().flat_map(|selector| selector.split(',')) {
            found.retain(|object| field_matches(object, part));
        }
        if wants_table {
            return (200, table(resource, &found));
        }
        let kind = format!("{}List", resource.name);
        let list = json!({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": found});
        (200, list)
    }
}

fn groups() -> Value {
    let mut names: Vec<&str> = Vec::new();
    for resource in RESOURCES.iter().filter(|resource| !resource.group.is_empty()) {
        if !names.contains(&resource.group) {
            names.push(resource.group);
        }
    }
    let groups: Vec<Value> = names
        .iter()
        .map(|name| {
            let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
            json!({"name": name, "versions": [version], "preferredVersion": version})
        })
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn resources(version: &str, known: &[&Resource]) -> Value {
    let resources: Vec<Value> = known
        .iter()
        .map(|resource| {
            json!({
                "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
                "kind": resource.name, "shortNames": resource.short,
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
                "categories": if resource.in_all { vec!["all"] } else { Vec::new() }
            })
        })
        .collect();
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources})
}

/// Objects as a server prints them: the columns beyond the first ones are those of `-o wide`.
fn table(resource: &Resource, objects: &[&Value]) -> Value {
    let kind = TableKind::of(resource.name);
    let narrow = kind.columns(false);
    let columns: Vec<Value> = kind
        .columns(true)
        .iter()
        .map(|name| {
            let format = if *name == "NAME" { "name" } else { "" };
            let priority = i32::from(!narrow.contains(name));
            json!({"name": name, "type": "string", "format": format, "description": "", "priority": priority})
        })
        .collect();
    let now = Utc::now();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let text = object.to_string();
            let row = kind.row(&text, now, true).expect("a row");
            let mut cells = row.cells.clone();
            // What is not the server's to say: the coming run.
            cells.resize(columns.len(), "".into());
            json!({"cells": cells, "object": object})
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {}, "columnDefinitions": columns, "rows": rows})
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: String = bytes.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two digits")
            }
            other => other,
        });
    }
    String::from_utf8(decoded).expect("text")
}

fn label_matches(object: &Value, part: &str) -> bool {
    let of = |key: &str| object["metadata"]["labels"][key].as_str();
    if let Some((key, value)) = part.split_once("!=") {
        return of(key) != Some(value);
    }
    match part.split_once('=') {
        Some((key, value)) => of(key) == Some(value.trim_start_matches('=')),
        None => part.strip_prefix('!').map_or_else(|| of(part).is_some(), |key| of(key).is_none()),
    }
}

fn field_matches(object: &Value, part: &str) -> bool {
    let (path, value, wanted) = match part.split_once("!=") {
        Some((path, value)) => (path, value, false),
        None => part.split_once('=').map_or((part, "", true), |(path, value)| (path, value, true)),
    };
    let found = path.split('.').fold(object, |value, field| &value[field]);
    (found.as_str().unwrap_or_default() == value.trim_start_matches('=')) == wanted
}
