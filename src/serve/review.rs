//! What a client may do, and who it is: everything, and the user of this machine.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Server;
use super::answer::Answer;
use super::dispatch::{Asked, Outcome, is_token};
use super::manifest::document;
use super::path::Served;
use super::status::Problem;
use crate::api::status_error::FieldError;

/// `POST` of a review.
pub(super) fn review(server: &Server, asked: &Asked, served: Served) -> Outcome {
    let answer = match served {
        Served::AccessReview => access(asked)?,
        Served::RulesReview => rules(asked)?,
        Served::TokenReview => token(server, asked)?,
        _ => subject(server, asked)?,
    };
    Ok(Answer::json(StatusCode::CREATED, &answer))
}

const AUTHORIZATION: &str = "authorization.k8s.io/v1";

fn access(asked: &Asked) -> Result<Value, Problem> {
    let given = document(asked, (AUTHORIZATION, "SelfSubjectAccessReview"))?;
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
            let word = |field: &str| other[field].as_str().unwrap_or_default().to_owned();
            let value = format!("{{\"Path\":{:?},\"Verb\":{:?}}}", word("path"), word("verb"));
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

fn rules(asked: &Asked) -> Result<Value, Problem> {
    let given = document(asked, (AUTHORIZATION, "SelfSubjectRulesReview"))?;
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

fn subject(server: &Server, asked: &Asked) -> Result<Value, Problem> {
    document(asked, (AUTHENTICATION, "SelfSubjectReview"))?;
    Ok(json!({
        "kind": "SelfSubjectReview",
        "apiVersion": AUTHENTICATION,
        "metadata": { "creationTimestamp": server.started },
        "status": { "userInfo": user(server) },
    }))
}

fn token(server: &Server, asked: &Asked) -> Result<Value, Problem> {
    let given = document(asked, (AUTHENTICATION, "TokenReview"))?;
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
