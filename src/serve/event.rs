//! Events that clients make, in both forms.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::Server;
use super::change::{Options, carry_out, read_patch};
use super::dispatch::{Asked, Outcome};
use super::manifest;
use super::new_events::{converted, to_core};
use super::path::{ObjectPath, Served};
use super::read::{answer_object, key_of, media_of};
use super::status::Problem;
use crate::api::kinds::Kind;
use crate::apiserver::{DEFAULT_NAMESPACE, Read as _};

/// An Event as the core group has it.
fn core(event: Value, served: Served) -> Value {
    if served == Served::NewEvents && event.is_object() { to_core(event) } else { event }
}

/// POST.
pub(super) async fn create(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (media, include) = media_of(&asked, false)?;
    let options = Options::of(&asked, "CreateOptions")?;
    let event = core(manifest::document(&asked, (&at.served.api_version(), "Event"))?, at.served);
    let namespace = at.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
    let given = event["metadata"]["namespace"].as_str().unwrap_or_default();
    if !given.is_empty() && given != namespace {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Problem::bad_request(message));
    }
    let stored =
        carry_out(server, options.is_dry_run, move |_, requests| requests.create_event(event, &namespace))
            .await?;
    answer_object(StatusCode::CREATED, at.served, &stored.to_string(), media, include)
}

/// PUT and PATCH.
pub(super) async fn change(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let (media, include) = media_of(&asked, false)?;
    let is_patch = asked.method == Method::PATCH;
    let options = Options::of(&asked, if is_patch { "PatchOptions" } else { "UpdateOptions" })?;
    let key = key_of(Kind::Event, &at);
    let served = at.served;
    let patch = is_patch.then(|| read_patch(&asked)).transpose()?;
    let whole =
        if is_patch { json!({}) } else { manifest::document(&asked, (&at.served.api_version(), "Event"))? };
    let stored = carry_out(server, options.is_dry_run, move |_, requests| {
        let event = match patch {
            None => core(whole, served),
            Some(patch) => {
                let found = requests.get(Kind::Event, &key)?;
                let shown: Value = match served {
                    Served::NewEvents => serde_json::from_str(&converted(&found.text)?)?,
                    _ => found.value()?,
                };
                core(patch.apply(&shown)?, served)
            }
        };
        requests.change_event(event, &key)
    })
    .await?;
    answer_object(StatusCode::OK, served, &stored.to_string(), media, include)
}
