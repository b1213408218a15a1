//! `CustomResourceDefinition`: there is none, and there will be none.

use std::sync::Arc;

use hyper::{Method, StatusCode};
use serde_json::json;

use super::Server;
use super::dispatch::{Asked, Outcome};
use super::media::Form;
use super::path::ObjectPath;
use super::read::{answer_with, media_of};
use super::status::Problem;
use super::stream;
use super::table;
use crate::api::quoted::quoted;

/// Answers a request for one, for all, or for a watch, which waits in vain.
pub(super) fn none(server: &Arc<Server>, asked: &Asked, at: &ObjectPath) -> Outcome {
    if asked.method != Method::GET {
        return Err(Problem::method_not_allowed());
    }
    if let Some(name) = &at.name {
        let message = format!("customresourcedefinitions.apiextensions.k8s.io {} not found", quoted(name));
        let details =
            json!({ "name": name, "group": "apiextensions.k8s.io", "kind": "customresourcedefinitions" });
        return Err(Problem::new(StatusCode::NOT_FOUND, "NotFound", message).with(details));
    }
    let (_, revision) = server.snapshot()?;
    let metadata = json!({ "resourceVersion": revision.to_string() });
    if asked.query.is_set("watch") || at.is_watch {
        let bookmark = json!({
            "kind": "CustomResourceDefinition",
            "apiVersion": "apiextensions.k8s.io/v1",
            "metadata": {
                "resourceVersion": revision.to_string(),
                "annotations": { "k8s.io/initial-events-end": "true" },
            },
        });
        return stream::watch_nothing(asked, &bookmark);
    }
    let (media, _) = media_of(asked, false)?;
    let list = |kind: &str, version: &str| {
        json!({ "kind": kind, "apiVersion": version, "metadata": metadata, "items": [] }).to_string()
    };
    let text = match media.form {
        Form::Objects => list("CustomResourceDefinitionList", "apiextensions.k8s.io/v1"),
        Form::Metadata(version) | Form::MetadataList(version) => {
            list("PartialObjectMetadataList", &format!("meta.k8s.io/{version}"))
        }
        Form::Table(version) => {
            let column = |name: &str, of: &str| {
                let description = format!("{name} of the definition.");
                json!({ "name": name, "type": of, "format": "", "description": description, "priority": 0 })
            };
            let columns = [column("Name", "string"), column("Created At", "date")];
            table::table(version, &metadata, Some(&columns), &[])
        }
    };
    answer_with(StatusCode::OK, text, media)
}
