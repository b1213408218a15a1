//! `eviction`: a pod that is asked to go.

use std::sync::Arc;

use hyper::StatusCode;
use k8s_openapi::api::policy::v1::Eviction;
use serde_json::json;

use super::Server;
use super::answer::Answer;
use super::change::{Options, carry_out};
use super::dispatch::{Asked, Outcome};
use super::manifest;
use super::path::ObjectPath;
use super::read::key_of;
use super::status::Problem;
use crate::api::Pod;
use crate::api::kinds::Kind;
use crate::api::meta::uid;
use crate::api::status_error::StatusError;
use crate::apiserver::Read as _;

/// `POST …/pods/NAME/eviction`.
pub(super) async fn evict(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let key = key_of(Kind::Pod, &at);
    let options = Options::of(&asked, "CreateOptions")?;
    let eviction = ("policy/v1", "Eviction");
    let mut body = manifest::document(&asked, eviction)?;
    // Its fields are the same, and clients from before 1.22 still say so.
    if body["apiVersion"] == "policy/v1beta1" {
        body["apiVersion"] = json!(eviction.0);
    }
    let warnings = manifest::hold_to::<Eviction>(&asked, &mut body, eviction, options.validation)?;
    let name = body["metadata"]["name"].as_str().unwrap_or_default();
    if !name.is_empty() && *name != *key.name {
        return Err(Problem::bad_request("name in URL does not match name in Eviction object"));
    }
    let how = &body["deleteOptions"];
    let is_dry_run = options.is_dry_run || how["dryRun"].as_array().is_some_and(|values| !values.is_empty());
    let grace = how["gracePeriodSeconds"].as_i64();
    let wanted = how["preconditions"]["uid"].as_str().map(str::to_owned);
    carry_out(server, is_dry_run, move |_, requests| {
        let pod: Pod = requests.get(Kind::Pod, &key)?.parse()?;
        let stored = uid(&pod.metadata);
        if let Some(wanted) = wanted.filter(|wanted| wanted != stored) {
            let detail = format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({stored}). The object might have been deleted and then recreated"
            );
            return Err(StatusError::Conflict { kind: Kind::Pod, name: key.name.to_string(), detail }.into());
        }
        requests.evict(&key, grace)
    })
    .await?;
    let done =
        json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    Ok(Answer::json(StatusCode::CREATED, &done).with_warnings(&warnings))
}
