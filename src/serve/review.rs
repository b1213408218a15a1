//! What a client may do, and who it is: everything, and the user of this machine.

use hyper::StatusCode;
use k8s_openapi::api::authentication::v1::{SelfSubjectReview, TokenReview};
use k8s_openapi::api::authorization::v1::{SelfSubjectAccessReview, SelfSubjectRulesReview};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Server;
use super::answer::Answer;
use super::change::Options;
use super::dispatch::{Asked, Outcome, is_token};
use super::manifest;
use super::path::Served;
use super::status::Problem;
use crate::api::quoted::quoted;
use crate::api::status_error::FieldError;

/// `POST` of a review.
pub(super) fn review(server: &Server, asked: &Asked, served: Served) -> Outcome {
    let (answer, warnings) = match served {
        Served::AccessReview => {
            let (given, warnings) =
                read::<SelfSubjectAccessReview>(asked, (AUTHORIZATION, "SelfSubjectAccessReview"))?;
            (access(&given)?, warnings)
        }
        Served::RulesReview => {
            let (given, warnings) =
                read::<SelfSubjectRulesReview>(asked, (AUTHORIZATION, "SelfSubjectRulesReview"))?;
            (rules(&given)?, warnings)
        }
        Served::TokenReview => {
            let (given, warnings) = read::<TokenReview>(asked, (AUTHENTICATION, "TokenReview"))?;
            (token(server, &given)?, warnings)
        }
        _ => {
            let (_, warnings) = read::<SelfSubjectReview>(asked, (AUTHENTICATION, "SelfSubjectReview"))?;
            (subject(server), warnings)
        }
    };
    Ok(Answer::json(StatusCode::CREATED, &answer).with_warnings(&warnings))
}

fn read<T: DeserializeOwned>(asked: &Asked, of: (&str, &str)) -> Result<(Value, Vec<String>), Problem> {
    let options = Options::of(asked, "CreateOptions")?;
    manifest::read_as::<T>(asked, of, options.validation)
}

const AUTHORIZATION: &str = "authorization.k8s.io/v1";

fn access(given: &Value) -> Result<Value, Problem> {
    let spec = &given["spec"];
    let (resource, other) = (&spec["resourceAttributes"], &spec["nonResourceAttributes"]);
    let cause = match (resource.is_object(), other.is_object()) {
        (true, false) | (false, true) => None,
        (false, false) => Some(FieldError::invalid(
            "spec.resourceAttributes",
            "null",
            "exactly one of nonResourceAttributes or resourceAttributes must be specified",
        )),
        (true, true) => {
            let word = |field: &str| quoted(other[field].as_str().unwrap_or_default());
            let value = format!("{{\"Path\":{},\"Verb\":{}}}", word("path"), word("verb"));
            let why = "cannot be specified in combination with resourceAttributes";
            Some(FieldError::invalid("spec.nonResourceAttributes", value, why))
        }
    };
    if let Some(cause) = cause {
        let problem = Problem::invalid_options("", &[cause]);
        let message = problem.message.replacen(".meta.k8s.io", ".authorization.k8s.io", 1);
        let causes = problem.details.as_ref().map(|details| details["causes"].clone()).unwrap_or_default();
        let details = Some(json!({ "group": "authorization.k8s.io", "causes": causes }));
        return Err(Problem { message, details, ..problem });
    }
    Ok(json!({
        "kind": "SelfSubjectAccessReview",
        "apiVersion": AUTHORIZATION,
        "metadata": {},
        "spec": spec,
        "status": { "allowed": true, "reason": "who has the token may do everything" },
    }))
}

fn rules(given: &Value) -> Result<Value, Problem> {
    if given["spec"]["namespace"].as_str().unwrap_or_default().is_empty() {
        return Err(Problem::bad_request("no namespace on request"));
    }
    Ok(json!({
        "kind": "SelfSubjectRulesReview",
        "apiVersion": AUTHORIZATION,
        "metadata": {},
        "spec": {},
        "status": {
            "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        },
    }))
}

const AUTHENTICATION: &str = "authentication.k8s.io/v1";

/// Who has the token.
fn user(server: &Server) -> Value {
    let user = &server.user;
    json!({
        "username": user.name,
        "uid": user.id.to_string(),
        "groups": ["system:masters", "system:authenticated"],
    })
}

fn subject(server: &Server) -> Value {
    json!({
        "kind": "SelfSubjectReview",
        "apiVersion": AUTHENTICATION,
        "metadata": { "creationTimestamp": server.started },
        "status": { "userInfo": user(server) },
    })
}

fn token(server: &Server, given: &Value) -> Result<Value, Problem> {
    let token = given["spec"]["token"].as_str().unwrap_or_default();
    let status = match token {
        "" => return Err(Problem::bad_request("token is required for TokenReview in authentication")),
        token if is_token(server, token) => json!({ "authenticated": true, "user": user(server) }),
        _ => json!({ "user": {}, "error": "invalid bearer token" }),
    };
    Ok(json!({
        "kind": "TokenReview",
        "apiVersion": AUTHENTICATION,
        "metadata": {},
        "spec": given["spec"],
        "status": status,
    }))
}
