//! What changes something: create, update, patch. It waits for the store's lock and for the disk on another thread, one
//! request after the other.

use std::sync::Arc;

use anyhow::Result;
use hyper::StatusCode;
use serde_json::Value;

use super::Server;
use super::apply::{self, manager_of};
use super::dispatch::{Asked, Outcome};
use super::manifest::{self, Wanted};
use super::path::ObjectPath;
use super::query::dry_run;
use super::read::{answer_object, key_of, media_of};
use super::status::Problem;
use crate::api::kinds::Kind;
use crate::api::quoted::quoted;
use crate::api::status_error::{FieldError, StatusError};
use crate::apiserver::{FieldValidation, Patch, Read as _, Subresource, Update, decode};
use crate::client::LocalRequests;
use crate::registry::object::Object;

/// Carries out a change, and waits until it survives a power cut. A dry run stores nothing.
pub(super) async fn carry_out<T: Send + 'static>(
    server: &Arc<Server>,
    is_dry_run: bool,
    act: impl FnOnce(&Server, &mut LocalRequests<'_>) -> Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let writer = server.writer.clone();
    let server = Arc::clone(server);
    let work = move || {
        let mut requests = server.client.begin_with(&server.cache)?;
        let done = act(&server, &mut requests)?;
        if !is_dry_run {
            requests.commit()?;
            // Whoever asks next sees it.
            drop(server.caught_up()?);
        }
        Ok(done)
    };
    writer.carry_out(work).await
}

/// The options that changes share.
pub(super) struct Options {
    pub(super) is_dry_run: bool,
    pub(super) validation: FieldValidation,
    /// Who makes the request.
    pub(super) manager: String,
}

impl Options {
    /// Reads them. `kind` is what upstream calls them.
    pub(super) fn of(asked: &Asked, kind: &str) -> Result<Self, Problem> {
        let mut causes = Vec::new();
        let is_dry_run = dry_run(&asked.query.all("dryRun")).unwrap_or_else(|cause| {
            causes.push(cause);
            false
        });
        let validation = match asked.query.get("fieldValidation").unwrap_or_default() {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            other => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                causes.push(FieldError::unsupported("fieldValidation", quoted(other), &supported));
                FieldValidation::Strict
            }
        };
        if kind == "PatchOptions" && asked.query.is_set("force") && asked.content_type() != Some(APPLY) {
            causes.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
        }
        let manager = manager_of(asked).unwrap_or_else(|cause| {
            causes.push(cause);
            String::new()
        });
        if causes.is_empty() {
            Ok(Self { is_dry_run, validation, manager })
        } else {
            Err(Problem::invalid_options(kind, &causes))
        }
    }
}

/// The text of an object as it is answered. What a dry run has made has no revision.
pub(super) fn text_of(mut object: Object, is_new_dry_run: bool) -> Result<String, Problem> {
    if is_new_dry_run {
        object.meta_mut().resource_version = None;
    }
    object.to_text().map_err(|error| Problem::internal(error.to_string()))
}

/// POST.
pub(super) async fn create(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    let (media, include) = media_of(&asked, false)?;
    let options = Options::of(&asked, "CreateOptions")?;
    let is_dry_run = options.is_dry_run;
    let wanted = Wanted { kind, namespace: at.namespace, name: None };
    let (value, duplicates) = manifest::read(&asked, &wanted, options.validation)?;
    let version = value["metadata"]["resourceVersion"].as_str().unwrap_or_default();
    if !version.is_empty() {
        return Err(Problem::internal("resourceVersion should not be set on objects to be created"));
    }
    let (object, warnings) = carry_out(server, is_dry_run, move |server, requests| {
        require_namespace(requests, wanted.namespace.as_deref())?;
        requests.act_as(&options.manager);
        let decoded = decode(kind, &value, options.validation)?;
        let mut answer = requests.create(decoded.object, &value, &server.creator)?;
        answer.warnings.splice(0..0, duplicates.into_iter().chain(decoded.warnings));
        Ok((answer.object, answer.warnings))
    })
    .await?;
    let text = text_of(object, is_dry_run)?;
    Ok(answer_object(StatusCode::CREATED, served, &text, media, include)?.with_warnings(&warnings))
}

/// A cluster makes no namespace on the way.
pub(super) fn require_namespace(requests: &LocalRequests<'_>, namespace: Option<&str>) -> Result<()> {
    let Some(namespace) = namespace else { return Ok(()) };
    requests.get(Kind::Namespace, &Kind::Namespace.key("", namespace))?;
    Ok(())
}

pub(super) fn subresource_of(at: &ObjectPath) -> Subresource {
    if at.subresource.is_some() { Subresource::Status } else { Subresource::Main }
}

/// PUT.
pub(super) async fn replace(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    let (media, include) = media_of(&asked, false)?;
    let options = Options::of(&asked, "UpdateOptions")?;
    let key = key_of(kind, &at);
    let subresource = subresource_of(&at);
    let wanted = Wanted { kind, namespace: at.namespace, name: at.name };
    let (value, duplicates) = manifest::read(&asked, &wanted, options.validation)?;
    let (object, warnings) = carry_out(server, options.is_dry_run, move |server, requests| {
        requests.act_as(&options.manager);
        let decoded = decode(kind, &value, options.validation)?;
        let manifest = (subresource == Subresource::Main).then_some((&value, &server.creator));
        let update =
            Update { subresource, manifest, is_whole: true, ..Update::new(kind, &key, value.clone()) };
        let mut updated = requests.update(update)?;
        updated.warnings.splice(0..0, duplicates.into_iter().chain(decoded.warnings));
        Ok((updated.object, updated.warnings))
    })
    .await?;
    let text = text_of(object, false)?;
    Ok(answer_object(StatusCode::OK, served, &text, media, include)?.with_warnings(&warnings))
}

/// The type of a patch that says what its author wants, and takes back what he wanted before.
pub(super) const APPLY: &str = "application/apply-patch+yaml";

/// PATCH.
pub(super) async fn patch(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    if asked.content_type() == Some(APPLY) {
        return apply::apply(server, asked, at).await;
    }
    let (media, include) = media_of(&asked, false)?;
    let options = Options::of(&asked, "PatchOptions")?;
    let key = key_of(kind, &at);
    let subresource = subresource_of(&at);
    let patch = read_patch(&asked)?;
    let (object, warnings) = carry_out(server, options.is_dry_run, move |_, requests| {
        requests.act_as(&options.manager);
        let updated = requests.patch(kind, &key, &patch, subresource)?;
        let strict = options.validation == FieldValidation::Strict;
        if let Some(unknown) = updated.warnings.iter().find(|one| strict && one.starts_with("unknown field"))
        {
            return Err(StatusError::Unprocessable {
                message: format!("patch: strict decoding error: {unknown}"),
            }
            .into());
        }
        Ok((updated.object, updated.warnings))
    })
    .await?;
    let text = text_of(object, false)?;
    Ok(answer_object(StatusCode::OK, served, &text, media, include)?.with_warnings(&warnings))
}

pub(super) fn read_patch(asked: &Asked) -> Result<Patch, Problem> {
    let of = match asked.content_type() {
        Some("application/json-patch+json") => Patch::Json,
        Some("application/merge-patch+json") => Patch::Merge,
        Some("application/strategic-merge-patch+json") => Patch::Strategic,
        _ => return Err(Problem::unsupported_media_type(false)),
    };
    let decoding = |why: String| Problem::bad_request(format!("error decoding patch: {why}"));
    let value: Value =
        serde_json::from_slice(&asked.body).map_err(|error| decoding(manifest::json_problem(&error)))?;
    let patch = of(value);
    let go = |what: &str, wanted: &str| {
        Err(decoding(format!("json: cannot unmarshal {what} into Go value of type {wanted}")))
    };
    match &patch {
        Patch::Json(value) if !value.is_array() => go(manifest::json_type(value), "[]handlers.jsonPatchOp"),
        Patch::Merge(value) | Patch::Strategic(value) if !value.is_object() => {
            go(manifest::json_type(value), "map[string]interface {}")
        }
        _ => Ok(patch),
    }
}
