//! Server-side apply over HTTP, and who makes a request.

use std::sync::Arc;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Server;
use super::change::{APPLY, Options, carry_out, require_namespace, subresource_of, text_of};
use super::dispatch::{Asked, Outcome};
use super::manifest::{self, Wanted};
use super::path::ObjectPath;
use super::read::{answer_object, key_of, media_of};
use super::status::Problem;
use crate::api::quoted::quoted;
use crate::api::status_error::FieldError;
use crate::apiserver::{Applied, Apply};

/// The most bytes of a manager's name.
const LONGEST_MANAGER: usize = 128;

/// Who makes a request: the query says it, else the first word of what the client calls itself.
///
/// # Errors
/// A name that cannot be one; none, of an apply.
pub(super) fn manager_of(asked: &Asked) -> Result<String, FieldError> {
    let given = asked.query.get("fieldManager").unwrap_or_default();
    if given.is_empty() && asked.content_type() == Some(APPLY) {
        return Err(FieldError::required("fieldManager", "is required for apply patch"));
    }
    if given.len() > LONGEST_MANAGER {
        return Err(FieldError::too_long("fieldManager", LONGEST_MANAGER));
    }
    if given.chars().any(char::is_control) {
        let why = "should only contain printable characters";
        return Err(FieldError::invalid("fieldManager", quoted(given), why));
    }
    if !given.is_empty() {
        return Ok(given.to_owned());
    }
    let word = asked.user_agent().split('/').next().unwrap_or_default();
    let mut manager: String = word.chars().filter(|letter| !letter.is_control()).collect();
    while manager.len() > LONGEST_MANAGER {
        manager.pop();
    }
    Ok(if manager.is_empty() { "unknown".to_owned() } else { manager })
}

/// PATCH with what its author wants of an object, and nothing else.
pub(super) async fn apply(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    let (media, include) = media_of(&asked, false)?;
    let options = Options::of(&asked, "PatchOptions")?;
    let force = asked.query.is_set("force");
    let key = key_of(kind, &at);
    let subresource = subresource_of(&at);
    let wanted = Wanted { kind, namespace: at.namespace, name: at.name };
    let value = read(&asked, &wanted)?;
    let is_dry_run = options.is_dry_run;
    let applied = carry_out(server, is_dry_run, move |server, requests| {
        require_namespace(requests, wanted.namespace.as_deref())?;
        requests.act_as(&options.manager);
        let creator = &server.creator;
        requests.apply(Apply { kind, key: &key, value: &value, subresource, force, creator })
    })
    .await?;
    let is_new = matches!(applied, Applied::Created(_));
    let answer = applied.into_answer();
    let text = text_of(answer.object, is_new && is_dry_run)?;
    let code = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer_object(code, served, &text, media, include)?.with_warnings(&answer.warnings))
}

fn read(asked: &Asked, wanted: &Wanted) -> Result<Value, Problem> {
    let mut value = manifest::yaml(&asked.body)
        .map_err(|problem| Problem::bad_request(format!("error decoding YAML: {}", problem.message)))?;
    let text = |field: &str| value[field].as_str().unwrap_or_default();
    let (version, given) = (text("apiVersion"), text("kind"));
    if given != wanted.kind.as_str() || version != wanted.kind.api_version() {
        let slash = if version.contains('/') { "" } else { "/" };
        return Err(Problem::bad_request(format!("invalid object type: {slash}{version}, Kind={given}")));
    }
    if value["metadata"].is_null() {
        value["metadata"] = json!({});
    }
    if value["metadata"].is_object() && matches!(&value["metadata"]["name"], Value::Null | Value::String(_)) {
        let name = value["metadata"]["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            value["metadata"]["name"] = json!(wanted.name);
        }
    }
    let given_namespace = value["metadata"].get("namespace").cloned();
    manifest::check_place(&mut value, wanted)?;
    // Problems name the object as it came.
    if given_namespace.is_none()
        && let Some(metadata) = value["metadata"].as_object_mut()
    {
        metadata.remove("namespace");
    }
    Ok(value)
}
