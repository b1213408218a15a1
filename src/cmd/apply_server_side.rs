//! `apply --server-side`: only what the manifest says, in the name of a manager.

use anyhow::Result;
use serde_json::json;

use super::failure::{verbatim, while_doing};
use super::manifests::Document;
use super::output::warn_all;
use crate::api::kinds::Key;
use crate::api::status_error::StatusError;
use crate::apiserver::{Answer, Apply, Creator, Source as _, Subresource};
use crate::client::Requests;

/// What has become of an object, in kubectl's word.
pub(super) const APPLIED: &str = "serverside-applied";

/// What to do about fields that others manage.
const ADVICE: &str = "Others manage these fields. To take them from their managers: --force-conflicts. To leave them as they are: \
                      remove them from the manifest. To manage them together: give them the values they have.";

/// Applies a document. `named` is the namespace that it names itself.
pub(super) fn document(
    requests: &mut Requests<'_>,
    document: &Document,
    key: &Key,
    named: &str,
    force: bool,
    creator: &Creator,
) -> Result<Answer> {
    let mut value = document.value.clone();
    let kind = document.kind;
    // A cluster may have the version that the manifest names and not ours.
    if !requests.is_elsewhere() {
        value["apiVersion"] = json!(kind.api_version());
    }
    if key.name.is_empty() {
        let message = "a name is needed: what is applied is found by it".to_owned();
        return Err(while_doing(StatusError::BadRequest { message }.into(), &doing(document)));
    }
    let apply = Apply { kind, key, value: &value, subresource: Subresource::Main, force, creator };
    match requests.apply(apply) {
        Ok(applied) => {
            let answer = applied.into_answer();
            warn_all(&answer.warnings);
            Ok(answer)
        }
        Err(error) => match error.downcast_ref() {
            Some(StatusError::ApplyConflict { message, .. }) => {
                Err(verbatim(format!("error: {message}\n{ADVICE}")))
            }
            // Of other refusals kubectl does not say what they are about.
            _ => Err(document.without_source(named, error)),
        },
    }
}

fn doing(document: &Document) -> String {
    format!("error when applying {:?}", document.source)
}
