//! OpenAPI documents: one for each version of a group, made when somebody asks, and kept packed.
//!
//! kubectl reads them to see what a server can do, to merge what is applied, and to explain fields. What they say is made from the
//! schema that `explain` shows and from what discovery lists.

mod gnostic;
mod gzip;
mod operations;
mod schemas;
mod swagger;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::OnceLock;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use self::schemas::Gvk;
use super::Server;
use super::answer::{Answer, JSON, TEXT};
use super::body::Body;
use super::discovery::listed;
use super::dispatch::{Asked, Outcome};
use super::path::{OTHERS, Route, group_versions};
use crate::api::kinds::RESOURCES;
use crate::api::schema::Schema;
use crate::api::version;

/// A document that is not kept, but its hash is, and once somebody has asked for it, it is kept packed.
#[derive(Debug)]
struct Document {
    group: &'static str,
    version: &'static str,
    hash: String,
    packed: OnceLock<Bytes>,
}

impl Document {
    /// Its path below `/openapi/v3/`.
    fn path(&self) -> String {
        path_of(self.group, self.version)
    }

    fn url(&self) -> String {
        format!("/openapi/v3/{}?hash={}", self.path(), self.hash)
    }

    fn packed(&self) -> Bytes {
        let pack = || {
            let document = document(&Schema::load(), self.group, self.version);
            Bytes::from(gzip::pack(document.to_string().as_bytes()))
        };
        self.packed.get_or_init(pack).clone()
    }
}

/// The document of all groups, in both of its forms.
#[derive(Debug)]
struct Older {
    json: Bytes,
    protobuf: Bytes,
    hash: String,
}

/// What is known of the documents: they are the same for as long as the program runs.
static DOCUMENTS: OnceLock<Vec<Document>> = OnceLock::new();
static OLDER: OnceLock<Older> = OnceLock::new();

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// A hash, as URLs and tags hold it.
pub(super) fn hash_of(bytes: &[u8]) -> String {
    let one = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, bytes).hash(&mut hasher);
        hasher.finish()
    };
    format!("{:016X}{:016X}", one(1), one(2))
}

/// The kinds of a version, those of subresources among them, and which of them are listed.
fn kinds(group: &'static str, version: &'static str) -> (Vec<Gvk<'static>>, Vec<Gvk<'static>>) {
    let ours = RESOURCES.iter().filter(|one| (one.group, one.versions[0]) == (group, version));
    let others = OTHERS.iter().filter(|one| (one.group, one.version) == (group, version));
    let mut all: Vec<Gvk<'_>> = ours.map(|one| (group, version, one.name)).collect();
    all.extend(others.map(|one| (group, version, one.kind)));
    let is_listed = |kind: &str| {
        listed(group, version)
            .iter()
            .any(|one| one.kind == kind && !one.name.contains('/') && one.verbs.contains(&"list"))
    };
    let lists = all.iter().copied().filter(|(_, _, kind)| is_listed(kind)).collect();
    for one in listed(group, version) {
        if let Some((group, version)) = one.of {
            all.push((group, version, one.kind));
        }
    }
    (all, lists)
}

/// Whether the schema knows a kind of the version: what it does not know has no document.
fn is_documented(schema: &Schema, group: &'static str, version: &'static str) -> bool {
    kinds(group, version).0.iter().any(|kind| schemas::type_of(schema, *kind).is_some())
}

fn components(schema: &Schema, group: &'static str, version: &'static str) -> Map<String, Value> {
    let (all, lists) = kinds(group, version);
    let roots: Vec<String> = all.into_iter().filter_map(|kind| schemas::type_of(schema, kind)).collect();
    schemas::components(schema, &roots, &lists)
}

/// A document.
fn document(schema: &Schema, group: &'static str, version: &'static str) -> Value {
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": version::server_version()["gitVersion"] },
        "paths": operations::paths(schema, group, version),
        "components": { "schemas": components(schema, group, version) },
    })
}

fn documents() -> &'static [Document] {
    DOCUMENTS.get_or_init(|| {
        let schema = Schema::load();
        let documented =
            group_versions().into_iter().filter(|(group, version)| is_documented(&schema, group, version));
        documented
            .map(|(group, version)| {
                let text = document(&schema, group, version).to_string();
                Document { group, version, hash: hash_of(text.as_bytes()), packed: OnceLock::new() }
            })
            .collect()
    })
}

fn older() -> &'static Older {
    OLDER.get_or_init(|| {
        let schema = Schema::load();
        let (mut paths, mut all) = (Map::new(), Map::new());
        for (group, version) in group_versions() {
            if is_documented(&schema, group, version) {
                paths.extend(operations::paths(&schema, group, version));
                all.extend(components(&schema, group, version));
            }
        }
        let document = swagger::document(paths, all);
        let (text, encoded) = (document.to_string(), gnostic::encode(&document));
        Older {
            hash: hash_of(&encoded),
            json: gzip::pack(text.as_bytes()).into(),
            protobuf: gzip::pack(&encoded).into(),
        }
    })
}

/// Answers for a path of OpenAPI. Making a document takes a while; the work is done on another thread.
pub(super) async fn answer(server: &Server, asked: Asked, route: Route) -> Outcome {
    let work = move || match route {
        Route::OpenApi2 => Ok(answer_older(&asked)),
        Route::OpenApi3 => Ok(answer_index(&asked)),
        Route::OpenApiDocument(path) => Ok(answer_document(&asked, &path)),
        _ => Ok(Answer::new(StatusCode::NOT_FOUND, TEXT, String::new())),
    };
    server.readers.aside(work).await
}

const OLDER_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

fn answer_older(asked: &Asked) -> Answer {
    let older = older();
    let (kind, packed) = if asked.accepts(JSON) {
        (JSON, &older.json)
    } else if asked.accepts(OLDER_PROTOBUF) {
        ("application/com.github.proto-openapi.spec.v2.v1.0+protobuf", &older.protobuf)
    } else {
        return not_acceptable();
    };
    whole(asked, kind, packed, &older.hash)
}

fn answer_index(asked: &Asked) -> Answer {
    let paths: Map<String, Value> =
        documents().iter().map(|one| (one.path(), json!({ "serverRelativeURL": one.url() }))).collect();
    let text = json!({ "paths": paths }).to_string();
    let hash = hash_of(text.as_bytes());
    if asked.if_none_match() == Some(&tag(&hash)) {
        return unchanged(&hash);
    }
    // The type is upstream's.
    Answer::new(StatusCode::OK, TEXT, text).with("etag", tag(&hash))
}

fn answer_document(asked: &Asked, path: &str) -> Answer {
    let Some(document) = documents().iter().find(|one| one.path() == path) else {
        return Answer::new(StatusCode::NOT_FOUND, TEXT, String::new());
    };
    if !asked.accepts(JSON) {
        return not_acceptable();
    }
    match asked.query.given("hash") {
        Some(hash) if hash != document.hash => {
            Answer::new(StatusCode::MOVED_PERMANENTLY, JSON, String::new())
                .with("location", document.url())
                .with("etag", tag(&document.hash))
                .with("vary", VARY)
        }
        Some(_) => {
            whole(asked, JSON, &document.packed(), &document.hash).with("cache-control", "public, immutable")
        }
        None => whole(asked, JSON, &document.packed(), &document.hash),
    }
}

const VARY: &str = "Accept-Encoding, Accept";

/// A hash as the tag of an answer.
pub(super) fn tag(hash: &str) -> String {
    format!("\"{hash}\"")
}

fn unchanged(hash: &str) -> Answer {
    Answer::new(StatusCode::NOT_MODIFIED, JSON, String::new()).with("etag", tag(hash)).with("vary", VARY)
}

fn not_acceptable() -> Answer {
    Answer::new(StatusCode::NOT_ACCEPTABLE, TEXT, String::new()).with("vary", VARY)
}

/// A document, packed for whoever can unpack it.
fn whole(asked: &Asked, kind: &'static str, packed: &Bytes, hash: &str) -> Answer {
    if asked.if_none_match() == Some(&tag(hash)) {
        return unchanged(hash);
    }
    let answer = if asked.takes_gzip() {
        let answer = Answer::new(StatusCode::OK, kind, Body::Whole(Some(packed.clone())));
        answer.with("content-encoding", "gzip")
    } else {
        Answer::new(StatusCode::OK, kind, gzip::unpack(packed))
    };
    answer.with("etag", tag(hash)).with("vary", VARY)
}
