//! `get` and `list`.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, JSON};
use super::aside::are_many;
use super::dispatch::{Asked, Outcome};
use super::media::{self, Form, Media};
use super::new_events;
use super::path::{ObjectPath, Served};
use super::status::Problem;
use super::table::{self, Include};
use super::{Server, shown};
use crate::api::kinds::{Key, Kind};
use crate::api::quoted::quoted;
use crate::api::status_error::{FieldError, StatusError};
use crate::apiserver::{DEFAULT_NAMESPACE, Found, Read as _, Selectors};
use crate::manager::clock;
use crate::printers::yaml;
use crate::store::State;

/// The type of YAML.
const YAML: &str = "application/yaml";

/// The form that a request wants its objects in.
///
/// # Errors
/// None that there is.
pub(super) fn media_of(asked: &Asked, is_watch: bool) -> Result<(Media, Include), Problem> {
    let media = media::objects(asked.accept()).map_err(|why| Problem::not_acceptable(why, is_watch))?;
    let include = asked.query.get("includeObject").unwrap_or_default();
    let include = match media.form {
        Form::Table(_) => Include::parse(include).map_err(Problem::bad_request)?,
        _ => Include::None,
    };
    Ok((media, include))
}

/// An answer that is JSON text already.
pub(super) fn answer_with(code: StatusCode, text: String, media: Media) -> Outcome {
    if !media.is_yaml {
        return Ok(Answer::new(code, JSON, text));
    }
    let value: Value = serde_json::from_str(&text).context("read an answer")?;
    Ok(Answer::new(code, YAML, yaml::to_string(&value)))
}

/// One object, in the form that is wanted.
pub(super) fn answer_object(
    code: StatusCode,
    served: Served,
    text: &str,
    media: Media,
    include: Include,
) -> Outcome {
    let kind = served.kind();
    let text = match media.form {
        Form::Objects => served.text(text).context("read an object")?.into_owned(),
        Form::Metadata(version) => table::partial(text, version).context("read an object")?,
        Form::MetadataList(_) => {
            let message = format!(
                "you requested PartialObjectMetadataList, but the requested object is not a list (*{})",
                go_type(kind)
            );
            return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message));
        }
        Form::Table(version) => {
            let row = table::row(kind, text, version, include, clock())?;
            let object: Value = serde_json::from_str(text).context("read an object")?;
            let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
            table::table(version, &metadata, Some(&table::columns(kind)), &[row])
        }
    };
    answer_with(code, text, media)
}

/// A kind as Go's programs call it: `batch.Job`.
fn go_type(kind: Kind) -> String {
    let group = kind.resource().group.split('.').next().unwrap_or_default();
    format!("{}.{kind}", if group.is_empty() { "core" } else { group })
}

/// Refuses a revision that is none, or is still to come.
fn revision_of(asked: &Asked, current: u64) -> Result<Option<u64>, Problem> {
    let wanted = asked.query.version("resourceVersion").map_err(Problem::internal)?;
    match wanted {
        Some(wanted) if wanted > current => Err(StatusError::Timeout { wanted, current }.into()),
        wanted => Ok(wanted),
    }
}

/// One object.
pub(super) fn get(server: &Server, asked: &Asked, at: &ObjectPath) -> Outcome {
    let kind = at.served.kind();
    let (media, include) = media_of(asked, false)?;
    let (state, revision) = server.snapshot()?;
    revision_of(asked, revision)?;
    let key = key_of(kind, at);
    let reader = shown::reader(server, state, kind)?;
    let found = reader.get(kind, &key)?;
    answer_object(StatusCode::OK, at.served, &found.text, media, include)
}

/// What the path names.
pub(super) fn key_of(kind: Kind, at: &ObjectPath) -> Key {
    let namespace = at.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
    kind.key(namespace, at.name.as_deref().unwrap_or_default())
}

/// The selectors of a request; a path may name one object beside them.
///
/// # Errors
/// What is no selector, in a server's words.
pub(super) fn selectors_of(asked: &Asked, kind: Kind, at: &ObjectPath) -> Result<Selectors, Problem> {
    let label = asked.query.given("labelSelector");
    let field = asked.query.given("fieldSelector");
    let mut field = match at.served {
        Served::NewEvents => field.map(new_events::core_fields),
        _ => field.map(Cow::Borrowed),
    };
    if let Some(name) = &at.name {
        let rest = field.map(|field| format!(",{field}")).unwrap_or_default();
        field = Some(format!("metadata.name={name}{rest}").into());
    }
    let selectors = Selectors::parse(label, field.as_deref())
        .map_err(|error| Problem::bad_request(format!("{error:#}")))?;
    selectors.check_plainly(kind).map_err(Problem::bad_request)?;
    Ok(selectors)
}

/// A list.
pub(super) async fn list(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let kind = at.served.kind();
    if !are_many(server.caught_up()?.state(), kind) {
        return list_here(server, &asked, &at);
    }
    let reads = Arc::clone(server);
    server.readers.aside(move || list_here(&reads, &asked, &at)).await
}

fn list_here(server: &Server, asked: &Asked, at: &ObjectPath) -> Outcome {
    let kind = at.served.kind();
    let (media, include) = media_of(asked, false)?;
    if let Form::Metadata(_) = media.form {
        let message = format!(
            "you requested PartialObjectMetadata, but the requested object is a list (*{}List)",
            go_type(kind)
        );
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message));
    }
    let selectors = selectors_of(asked, kind, at)?;
    let page = Page::of(asked)?;
    let (state, revision) = state_for(server, kind, &page)?;
    let reader = shown::reader(server, state, kind)?;
    let begin = page.start.as_deref().map(|start| begin_of(start, kind, at));
    let limit = page.limit.unwrap_or(usize::MAX);
    let (found, rest) = reader.page(kind, at.namespace.as_deref(), &selectors, begin.as_ref(), limit)?;
    let mut metadata = json!({ "resourceVersion": revision.to_string() });
    if rest > 0 {
        let last = found.last().map(|one| place(&one.key, at)).unwrap_or_default();
        metadata["continue"] = json!(encode_token(revision, &format!("{last}\0")));
        if selectors.is_empty() {
            metadata["remainingItemCount"] = json!(rest);
        }
    }
    answer_list(at.served, &found, &metadata, media, include)
}

/// Where an object stands in a list: its path below what is listed.
fn place(key: &Key, at: &ObjectPath) -> String {
    match (&at.namespace, &*key.namespace) {
        (Some(_), _) | (None, "") => key.name.to_string(),
        (None, namespace) => format!("{namespace}/{}", key.name),
    }
}

/// The namespace and the name that a page begins with. Lists are ordered by the one, then by the other, which the paths are not: `-`
/// comes before `/`.
fn begin_of(start: &str, kind: Kind, at: &ObjectPath) -> Key {
    let start = start.strip_prefix('/').unwrap_or(start);
    let (namespace, name) = match &at.namespace {
        Some(namespace) => (namespace.as_str(), start),
        None if kind.resource().namespaced => start.split_once('/').unwrap_or((start, "")),
        None => ("", start),
    };
    Key::new(namespace, name)
}

/// A list of objects, in the form that is wanted.
pub(super) fn answer_list(
    served: Served,
    found: &[Found<'_>],
    metadata: &Value,
    media: Media,
    include: Include,
) -> Outcome {
    let kind = served.kind();
    let list = |name: &str, version: &str, items: &[Cow<'_, str>]| {
        let size = items.iter().map(|item| item.len() + 1).sum::<usize>();
        let mut text = String::with_capacity(size + 256);
        text.push_str(&format!(
            "{{\"kind\":\"{name}\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":["
        ));
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(item);
        }
        text.push_str("]}");
        text
    };
    let text = match media.form {
        Form::Objects => {
            let items = found.iter().map(|one| served.text(&one.text));
            let items: Vec<Cow<'_, str>> =
                items.collect::<serde_json::Result<_>>().context("read an object")?;
            list(&format!("{kind}List"), &served.api_version(), &items)
        }
        Form::Metadata(version) | Form::MetadataList(version) => {
            let items = found.iter().map(|one| table::partial(&one.text, version).map(Cow::Owned));
            let items: Vec<Cow<'_, str>> =
                items.collect::<serde_json::Result<_>>().context("read an object")?;
            list("PartialObjectMetadataList", &format!("meta.k8s.io/{version}"), &items)
        }
        Form::Table(version) => {
            let now = clock();
            let rows = found.iter().map(|one| table::row(kind, &one.text, version, include, now));
            let rows = rows.collect::<anyhow::Result<Vec<String>>>()?;
            table::table(version, metadata, Some(&table::columns(kind)), &rows)
        }
    };
    answer_with(StatusCode::OK, text, media)
}

/// The objects as a list wants them: as they are, or as they were at a revision.
fn state_for(server: &Server, kind: Kind, page: &Page) -> Result<(State, u64), Problem> {
    let cache = server.caught_up()?;
    let current = cache.revision();
    if let Some(wanted) = page.revision.filter(|wanted| *wanted > current) {
        return Err(StatusError::Timeout { wanted, current }.into());
    }
    let Some(exact) = page.revision.filter(|_| page.is_exact) else {
        return Ok((cache.state().clone(), current));
    };
    match cache.state_at(kind, exact) {
        Ok(state) => Ok((state, exact)),
        Err(StatusError::Expired { .. }) => {
            let message = "The resourceVersion for the provided list is too old.".to_owned();
            let problem = Problem::new(StatusCode::GONE, "Expired", message);
            Err(match &page.start {
                Some(start) => Problem {
                    message: TOO_OLD_TO_CONTINUE.into(),
                    metadata: Some(Box::new(json!({ "continue": encode_token_of(-1, start) }))),
                    ..problem
                },
                None => problem,
            })
        }
        Err(other) => Err(other.into()),
    }
}

const TOO_OLD_TO_CONTINUE: &str = "The provided continue parameter is too old to display a consistent list result. You can \
                                   start a new list without the continue parameter, or use the continue token in this response \
                                   to retrieve the remainder of the results. Continuing with the provided token results in an \
                                   inconsistent list - objects that were created, modified, or deleted between the time the \
                                   first chunk was returned and now may show up in the list.";

/// Which part of a list is wanted, and as of when.
#[derive(Debug, Default)]
struct Page {
    limit: Option<usize>,
    revision: Option<u64>,
    /// Whether it is to be that revision, and no later one.
    is_exact: bool,
    /// What the first object of the page is not before.
    start: Option<String>,
}

/// What a continue token holds.
#[derive(Deserialize)]
struct Token {
    v: String,
    rv: i64,
    start: String,
}

fn encode_token(revision: u64, start: &str) -> String {
    encode_token_of(i64::try_from(revision).unwrap_or(i64::MAX), start)
}

fn encode_token_of(revision: i64, start: &str) -> String {
    let token = json!({ "v": "meta.k8s.io/v1", "rv": revision, "start": start });
    BASE64_URL_SAFE_NO_PAD.encode(token.to_string())
}

impl Page {
    fn of(asked: &Asked) -> Result<Self, Problem> {
        let query = &asked.query;
        let limit = query.number("limit")?.filter(|limit| *limit > 0);
        query.number("timeoutSeconds")?;
        check_options(asked, false)?;
        let wanted = query.version("resourceVersion");
        let wanted =
            wanted.map_err(|why| Problem::bad_request(format!("invalid resource version: {why}")))?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        if let Some(token) = query.given("continue") {
            if wanted.is_some_and(|wanted| wanted > 0) {
                let message = "specifying resource version is not allowed when using continue";
                return Err(Problem::bad_request(message));
            }
            let token = decode_token(token)?;
            let revision = u64::try_from(token.rv).ok();
            return Ok(Self { limit, revision, is_exact: true, start: Some(token.start) });
        }
        let matching = query.given("resourceVersionMatch");
        // What is read from a cache comes whole.
        let limit = limit.filter(|_| query.get("resourceVersion") != Some("0"));
        // A first page of a revision is that revision, for the pages after it are.
        let is_exact = matching == Some("Exact") || matching.is_none() && limit.is_some() && wanted.is_some();
        Ok(Self { limit, revision: wanted, is_exact, start: None })
    }
}

fn decode_token(token: &str) -> Result<Token, Problem> {
    let invalid =
        |why: &str| Problem::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
    let text = BASE64_URL_SAFE_NO_PAD
        .decode(token.trim_end_matches('='))
        .map_err(|error| invalid(&error.to_string()))?;
    let token: Token = serde_json::from_slice(&text).map_err(|error| invalid(&error.to_string()))?;
    if token.v != "meta.k8s.io/v1" {
        return Err(invalid(&format!("server does not recognize this encoded version {}", token.v)));
    }
    Ok(token)
}

/// Refuses options of a list, or of a watch, that exclude each other.
///
/// # Errors
/// 422 with every cause.
pub(super) fn check_options(asked: &Asked, is_watch: bool) -> Result<(), Problem> {
    const MATCH: &str = "resourceVersionMatch";
    let query = &asked.query;
    let matching = query.given(MATCH);
    let version = query.given("resourceVersion");
    let initial = query.boolean("sendInitialEvents");
    let mut causes = Vec::new();
    let mut forbidden = |field: &str, why: &str| causes.push(FieldError::forbidden(field, why));
    if is_watch {
        match (initial, matching) {
            (Some(_), Some("NotOlderThan")) | (None, None) => {}
            (Some(_), other) => {
                forbidden(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
                if let Some(other) = other {
                    causes.push(FieldError::unsupported(MATCH, quoted(other), &["NotOlderThan"]));
                }
            }
            (None, Some(_)) => {
                forbidden(
                    MATCH,
                    "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
                );
            }
        }
    } else {
        if initial.is_some() {
            forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
        }
        match (matching, version) {
            (None, _) => {}
            (Some(_), None) => {
                forbidden(MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided");
            }
            (Some("Exact"), Some("0")) => {
                forbidden(MATCH, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
            }
            (Some("Exact" | "NotOlderThan"), Some(_)) => {}
            (Some(other), Some(_)) => {
                causes.push(FieldError::unsupported(MATCH, quoted(other), &["Exact", "NotOlderThan", ""]));
            }
        }
    }
    if causes.is_empty() { Ok(()) } else { Err(Problem::invalid_options("ListOptions", &causes)) }
}
