//! From a document to a request that creates or changes an object, as kubectl makes it.

use std::collections::BTreeSet;
use std::str::FromStr;

use anyhow::Result;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::{verbatim, while_doing};
use super::manifests::Document;
use super::output::{complain, warn, warn_all};
use crate::api::ObjectMeta;
use crate::api::kinds::Kind;
use crate::api::meta::namespace;
use crate::api::status_error::StatusError;
use crate::apiserver::{self, Answer, FieldValidation as Validate};
use crate::client::Requests;
use crate::registry::object::Object;

impl FromStr for Validate {
    type Err = String;

    /// Reads `--validate`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "strict" | "true" => Ok(Self::Strict),
            "warn" => Ok(Self::Warn),
            "ignore" | "false" => Ok(Self::Ignore),
            _ => Err(format!(
                "invalid - validate option {text:?}; must be one of: strict (or true), warn, ignore (or false)"
            )),
        }
    }
}

/// Puts the namespace of the request into a document that has none; refuses one that names another.
pub(super) fn set_namespace(document: &mut Document, context: &Context) -> Result<()> {
    if !document.kind.resource().namespaced {
        return Ok(());
    }
    let given = context.namespace_given.then_some(context.namespace.as_str());
    let namespace = document.namespace(given, &context.namespace)?;
    // Whatever else is there is not what metadata is, and is told when the object is decoded.
    if !document.value["metadata"].is_object() && !document.value["metadata"].is_null() {
        return Ok(());
    }
    if document.value["metadata"].is_null() {
        document.value["metadata"] = json!({});
    }
    document.value["metadata"]["namespace"] = json!(namespace);
    Ok(())
}

/// Decodes a document. `doing` is `creating` or the like, for kubectl's sentence. Fields that we do not know may be a server's.
///
/// # Errors
/// Unknown fields (as `validate` says), fields of a wrong type, kinds that requests do not make.
pub(super) fn decode(
    document: &Document,
    validate: Validate,
    doing: &str,
    requests: &Requests<'_>,
) -> Result<Object> {
    read_metadata(document)?;
    if validate != Validate::Ignore {
        // kubectl takes the last without a word, and no server sees the others.
        let duplicates = document.duplicate_fields.iter();
        duplicates.for_each(|duplicate| warn(&format!("{}: {duplicate}; the last counts", document.source)));
    }
    let answer = known_fields(document.kind, &document.value, validate, requests)?
        .map_err(|error| while_doing(error.into(), &format!("error when {doing} {:?}", document.source)))?;
    warn_all(&answer.warnings);
    Ok(answer.object)
}

/// Decodes an object for requests. What becomes of fields that we do not know is for a server to say that judges them itself.
///
/// # Errors
/// The server does not answer. What is wrong with the object is returned.
pub(super) fn known_fields(
    kind: Kind,
    value: &Value,
    validate: Validate,
    requests: &Requests<'_>,
) -> Result<Result<Answer, StatusError>> {
    let decoded = apiserver::decode(kind, value, validate);
    let is_clean = matches!(&decoded, Ok(answer) if answer.warnings.is_empty());
    if is_clean || !requests.judges_fields()? {
        return Ok(decoded);
    }
    Ok(apiserver::decode(kind, value, Validate::Ignore))
}

/// Reads the metadata of a document, as kubectl itself does; the rest is the server's to judge.
///
/// # Errors
/// Fields of a wrong type.
pub(super) fn read_metadata(document: &Document) -> Result<()> {
    let kind = document.kind.as_str();
    let version = document.kind.api_version();
    let metadata = json!({"kind": kind, "apiVersion": version, "metadata": document.value["metadata"]});
    let Some(Err(error)) = Object::decode(document.kind, &metadata) else { return Ok(()) };
    let holder = format!("field {kind}.metadata ");
    let problem = error.problem.replace(&holder, "field metadataOnlyObject.metadata ");
    Err(verbatim(format!("error: unable to decode {:?}: {problem}", document.source)))
}

/// Says where else than in the current namespace objects have been created, because their manifests name it: whoever looks
/// for them would not find them.
pub(super) fn say_elsewhere<'a>(context: &Context, created: impl Iterator<Item = &'a ObjectMeta>) {
    if context.namespace_given {
        return;
    }
    let is_elsewhere = |one: &&str| !one.is_empty() && *one != context.namespace;
    let elsewhere: BTreeSet<&str> = created.map(namespace).filter(is_elsewhere).collect();
    for namespace in elsewhere {
        complain(&format!(
            "created in namespace {namespace}, which is not the current one ({}); to see it there: -n {namespace}",
            context.namespace
        ));
    }
}

/// Says so where variables are to be passed to an object that is there already: it keeps those of its creation.
pub(super) fn warn_of_late_pass_env(pass_env: &[String], kind: Kind, name: &str) {
    if !pass_env.is_empty() {
        let object = format!("{}/{name}", kind.qualified_singular());
        warn(&format!(
            "--pass-env has no effect on {object}, which is there already: variables are passed at creation"
        ));
    }
}
