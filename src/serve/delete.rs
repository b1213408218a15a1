//! DELETE: of one object, and of all that are selected.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use hyper::StatusCode;
use serde_json::{Value, json};

use super::answer::Answer;
use super::change::carry_out;
use super::dispatch::{Asked, Outcome};
use super::manifest;
use super::path::ObjectPath;
use super::protobuf::{self, PROTOBUF};
use super::query::dry_run;
use super::read::{answer_list, answer_object, key_of, media_of, selectors_of};
use super::status::{Problem, success};
use super::{Server, shown};
use crate::api::Pod;
use crate::api::decode::strict;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::set_deletion;
use crate::api::quoted::quoted;
use crate::api::status_error::FieldError;
use crate::apiserver::{DeleteOptions, Found, Read as _};
use crate::manager::clock;
use crate::registry::deletion::Propagation;
use crate::registry::object::Object;

/// How something is deleted, from the body and the query.
struct Deletion {
    options: DeleteOptions,
    is_dry_run: bool,
    warnings: Vec<String>,
}

impl Deletion {
    fn of(asked: &Asked, kind: Kind) -> Result<Self, Problem> {
        let body = options_of(asked)?;
        let query = &asked.query;
        let mut causes = Vec::new();
        let mut dry = query.all("dryRun");
        dry.extend(body["dryRun"].as_array().into_iter().flatten().filter_map(Value::as_str));
        let is_dry_run = dry_run(&dry).unwrap_or_else(|cause| {
            causes.push(cause);
            false
        });
        let policy = body["propagationPolicy"].as_str().or(query.given("propagationPolicy"));
        let orphan = body["orphanDependents"].as_bool().or(query.boolean("orphanDependents"));
        if let (Some(policy), Some(_)) = (policy, orphan) {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            causes.push(FieldError::invalid("propagationPolicy", quoted(policy), why));
        }
        let mut warnings = Vec::new();
        let propagation = match (policy, orphan) {
            (Some("Foreground"), _) => Propagation::Foreground,
            (Some("Background"), _) | (None, Some(false)) => Propagation::Background,
            (Some("Orphan"), _) | (None, Some(true)) => Propagation::Orphan,
            (Some(other), _) => {
                let supported = ["Foreground", "Background", "Orphan", "nil"];
                let cause = FieldError::unsupported("propagationPolicy", quoted(other), &supported);
                causes.push(cause);
                Propagation::Background
            }
            (None, None) if kind == Kind::Job => {
                warnings.push(ORPHANED.to_owned());
                Propagation::Orphan
            }
            (None, None) => Propagation::Background,
        };
        if !causes.is_empty() {
            return Err(Problem::invalid_options("DeleteOptions", &causes));
        }
        let grace = body["gracePeriodSeconds"].as_i64();
        let grace = grace.map_or_else(|| query.number("gracePeriodSeconds"), |grace| Ok(Some(grace)))?;
        let of_preconditions = |field: &str| body["preconditions"][field].as_str().map(str::to_owned);
        let options = DeleteOptions {
            propagation,
            // What is no time is the shortest there is.
            grace_seconds: grace.map(|grace| if grace < 0 { 1 } else { grace }),
            uid: of_preconditions("uid"),
            resource_version: of_preconditions("resourceVersion"),
        };
        Ok(Self { options, is_dry_run, warnings })
    }
}

/// The options in the body, of the types that they have: a precondition or a dry run that is written wrongly deletes nothing.
///
/// # Errors
/// As a server of 1.34 words them, with its code 500.
fn options_of(asked: &Asked) -> Result<Value, Problem> {
    let unread =
        |why: String| Problem::internal(format!("couldn't get version/kind; json parse error: {why}"));
    let mut options: Value = match (asked.body.as_slice(), asked.content_type()) {
        ([], _) => return Ok(json!({})),
        (bytes, Some(PROTOBUF)) => protobuf::decode(bytes, ("v1", "DeleteOptions"))
            .map_err(|why| Problem::internal(why.to_string()))?,
        (text, Some("application/yaml")) => manifest::yaml(text)?,
        (text, None | Some("application/json")) => {
            serde_json::from_slice(text).map_err(|error| unread(manifest::json_problem(&error)))?
        }
        _ => return Err(Problem::unsupported_media_type(true)),
    };
    if options.is_null() {
        return Ok(json!({}));
    }
    if let Some(why) = manifest::no_type(&options) {
        return Err(unread(why));
    }
    let (kind, version) = (options["kind"].as_str(), options["apiVersion"].as_str().unwrap_or_default());
    if let Some(other) = kind.filter(|kind| !["", "DeleteOptions"].contains(kind)) {
        return Err(Problem::internal(format!(
            "no kind {other} is registered for version {version} in scheme \"pkg/apis/meta/internalversion/scheme/register.go:27\"",
            other = quoted(other),
            version = quoted(version)
        )));
    }
    options["kind"] = json!("DeleteOptions");
    strict::from_value::<k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions>(&options)
        .map_err(|error| Problem::internal(error.problem))?;
    Ok(options)
}

/// What a server warns of where a Job is deleted without a word about its pods.
const ORPHANED: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove \
                        them or set propagationPolicy=Orphan to suppress this warning";

/// Whether a server answers with the last of an object of the kind that is gone.
fn is_answered(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod | Kind::PersistentVolumeClaim | Kind::ResourceQuota | Kind::Service | Kind::ServiceAccount
    )
}

/// The last of an object: a pod that had no time to end has been marked before.
fn as_it_went(kind: Kind, text: String) -> Result<String> {
    if kind != Kind::Pod {
        return Ok(text);
    }
    let mut pod: Pod = serde_json::from_str(&text).context("read an object")?;
    set_deletion(&mut pod.metadata, clock(), 0);
    Ok(Object::from(pod).to_text()?)
}

/// DELETE of one object: the object, where it is still there or its kind wants it, else that it is done.
pub(super) async fn delete(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    let (media, include) = media_of(&asked, false)?;
    let Deletion { options, is_dry_run, warnings } = Deletion::of(&asked, kind)?;
    let key = key_of(kind, &at);
    if !is_dry_run && let Some(uid) = shown::delete(server, kind, &key)? {
        let done = success(kind, &key.name, &uid);
        return Ok(Answer::json(StatusCode::OK, &done));
    }
    let done = carry_out(server, is_dry_run, move |_, requests| {
        let before = match kind {
            kind if is_answered(kind) => Some(requests.get(kind, &key)?.text.into_owned()),
            _ => None,
        };
        let deleted = requests.delete(kind, &key, &options)?;
        let left = match (requests.left_of(kind, &key)?, before) {
            (None, Some(before)) => Some(as_it_went(kind, before)?),
            (left, _) => left,
        };
        Ok((deleted, left))
    })
    .await;
    let (deleted, left) = done.map_err(|problem| Problem { warnings: warnings.clone(), ..problem })?;
    let answer = match left {
        Some(text) => answer_object(StatusCode::OK, served, &text, media, include)?,
        None => {
            let done = success(kind, &deleted.key.name, &deleted.uid);
            Answer::json(StatusCode::OK, &done)
        }
    };
    Ok(answer.with_warnings(&warnings))
}

/// DELETE of all that are selected: a list of them.
pub(super) async fn delete_collection(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (served, kind) = (at.served, at.served.kind());
    let (media, include) = media_of(&asked, false)?;
    let Deletion { options, is_dry_run, warnings } = Deletion::of(&asked, kind)?;
    let selectors = selectors_of(&asked, kind, &at)?;
    let namespace = at.namespace;
    let (found, revision) = carry_out(server, is_dry_run, move |server, requests| {
        let found: Vec<(Key, String)> = requests
            .list(kind, namespace.as_deref(), &selectors)?
            .into_iter()
            .map(|one| (one.key.into_owned(), one.text.into_owned()))
            .collect();
        for (key, _) in &found {
            requests.delete(kind, key, &options)?;
        }
        Ok((found, server.cache().revision()))
    })
    .await?;
    let found: Vec<Found<'_>> = found
        .iter()
        .map(|(key, text)| Found { kind, key: Cow::Borrowed(key), text: text.as_str().into() })
        .collect();
    let metadata = json!({ "resourceVersion": revision.to_string() });
    Ok(answer_list(served, &found, &metadata, media, include)?.with_warnings(&warnings))
}
