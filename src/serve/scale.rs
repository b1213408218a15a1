//! `scale`: how many pods a StatefulSet has, as an object of its own.

use std::sync::Arc;

use anyhow::Result;
use hyper::{Method, StatusCode};
use k8s_openapi::api::autoscaling::v1::Scale;
use serde_json::{Value, json};

use super::Server;
use super::answer::Answer;
use super::change::{Options, carry_out, read_patch};
use super::dispatch::{Asked, Outcome};
use super::manifest::{self, Wanted};
use super::path::ObjectPath;
use super::read::key_of;
use super::status::Problem;
use crate::api::StatefulSet;
use crate::api::kinds::Kind;
use crate::api::selectors::LabelSelector;
use crate::api::status_error::FieldError;
use crate::apiserver::{Patch, Read as _, Update};

const SCALE: (&str, &str) = ("autoscaling/v1", "Scale");

/// What is wanted of a scale.
enum Change {
    Whole(Value),
    Patch(Patch),
}

impl Change {
    /// The scale that is wanted, for one that is there.
    fn of(&self, current: &Value) -> Result<Value> {
        match self {
            Self::Whole(whole) => Ok(whole.clone()),
            Self::Patch(patch) => {
                let mut patched = patch.apply(current)?;
                manifest::fit::<Scale>(&mut patched, SCALE)?;
                Ok(patched)
            }
        }
    }
}

/// The scale of a StatefulSet.
fn scale_of(value: &Value) -> Result<Value> {
    let set: StatefulSet = serde_json::from_value(value.clone())?;
    let spec = set.spec.clone().unwrap_or_default();
    let selector = LabelSelector::from_object(&spec.selector).map_err(anyhow::Error::msg)?;
    let metadata = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];
    let metadata: serde_json::Map<String, Value> =
        metadata.into_iter().map(|field| (field.to_owned(), value["metadata"][field].clone())).collect();
    Ok(json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": { "replicas": spec.replicas.unwrap_or(1) },
        "status": {
            "replicas": set.status.as_ref().map_or(0, |status| status.replicas),
            "selector": selector.to_string(),
        },
    }))
}

/// GET, PUT and PATCH of `…/statefulsets/NAME/scale`.
pub(super) async fn scale(server: &Arc<Server>, asked: Asked, at: ObjectPath) -> Outcome {
    let kind = Kind::StatefulSet;
    let key = key_of(kind, &at);
    if asked.method == Method::GET {
        let (state, _) = server.snapshot()?;
        let set = super::shown::reader(server, state, kind)?.get(kind, &key)?.value()?;
        return Ok(Answer::json(StatusCode::OK, &scale_of(&set)?));
    }
    let options =
        Options::of(&asked, if asked.method == Method::PUT { "UpdateOptions" } else { "PatchOptions" })?;
    let (wanted, warnings) = match asked.method {
        Method::PUT => {
            let (mut whole, warnings) = manifest::read_as::<Scale>(&asked, SCALE, options.validation)?;
            let wanted = Wanted { kind, namespace: at.namespace, name: at.name };
            manifest::check_place(&mut whole, &wanted)?;
            (Change::Whole(whole), warnings)
        }
        Method::PATCH => (Change::Patch(read_patch(&asked)?), Vec::new()),
        _ => return Err(Problem::method_not_allowed()),
    };
    let changed = carry_out(server, options.is_dry_run, move |_, requests| {
        requests.act_as(&options.manager);
        let mut set = requests.get(kind, &key)?.value()?;
        let scale = wanted.of(&scale_of(&set)?)?;
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or_default();
        if replicas < 0 {
            let why = "must be greater than or equal to 0";
            let causes = [FieldError::invalid("spec.replicas", replicas, why)];
            return Err(invalid_scale(&key.name, &causes).into());
        }
        let version = &scale["metadata"]["resourceVersion"];
        if version.is_string() {
            set["metadata"]["resourceVersion"] = version.clone();
        }
        set["spec"]["replicas"] = json!(replicas);
        Ok(requests.update(Update::new(kind, &key, set))?.object.to_value()?)
    })
    .await?;
    Ok(Answer::json(StatusCode::OK, &scale_of(&changed)?).with_warnings(&warnings))
}

fn invalid_scale(name: &str, causes: &[FieldError]) -> Problem {
    let problem = Problem::invalid("Scale", name, causes);
    let message = problem.message.replacen("Scale ", "Scale.autoscaling ", 1);
    let mut details = problem.details.clone().unwrap_or_default();
    details["group"] = json!("autoscaling");
    Problem { message, details: Some(details), ..problem }
}
