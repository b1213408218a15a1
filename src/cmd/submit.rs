//! From a document to an object that may be stored: decoding, defaults, validation, and what we add.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::verbatim;
use super::manifests::{self, Document};
use super::object::Object;
use super::output::warn;
use super::startable;
use crate::api::decode::{TypeMeta, strict};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PASSED_ENVIRONMENT_ID, ANNOTATION_PATH, ANNOTATION_SESSION,
    ANNOTATION_UMASK, ANNOTATION_WORKING_DIRECTORY, name,
};
use crate::api::status_error::{FieldError, StatusError};
use crate::api::{CronJob, Job, ObjectMeta, Pod, defaults, validation};
use crate::controller::pods::{generated_name, new_uid};
use crate::manager::{DEFAULT_PATH, Request, creator_umask, session_environment};
use crate::registry::strategy;
use crate::store::Table;

/// `--validate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Validate {
    #[default]
    Strict,
    Warn,
    Ignore,
}

impl FromStr for Validate {
    type Err = String;

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
    let namespace = document.namespace(given)?;
    if !document.value["metadata"].is_object() {
        document.value["metadata"] = json!({});
    }
    document.value["metadata"]["namespace"] = json!(namespace);
    Ok(())
}

/// Decodes a document. `doing` is `creating` or the like, for kubectl's sentence.
///
/// # Errors
/// Unknown fields (as `validate` says), fields of a wrong type, kinds that are not run yet.
pub(super) fn decode(document: &Document, validate: Validate, doing: &str) -> Result<Object> {
    let bad_request = |message: String| {
        verbatim(format!(
            "Error from server (BadRequest): error when {doing} {:?}: {message}",
            document.source
        ))
    };
    // kubectl itself reads the metadata, the rest is the server's to judge.
    let unfit = |error: &strict::TypeError| {
        if error.path == "metadata" || error.path.starts_with("metadata.") {
            return verbatim(format!("error: unable to decode {:?}: {}", document.source, error.problem));
        }
        bad_request(error.to_string())
    };
    let mut value = document.value.clone();
    value["apiVersion"] = json!(document.kind.api_version());
    let (object, unknown) = match document.kind {
        Kind::Job => {
            let decoded = strict::from_value::<Job>(&value).map_err(|error| unfit(&error))?;
            (Object::Job(Box::new(decoded.object)), decoded.unknown_fields)
        }
        Kind::Pod => {
            let decoded = strict::from_value::<Pod>(&value).map_err(|error| unfit(&error))?;
            (Object::Pod(Box::new(decoded.object)), decoded.unknown_fields)
        }
        Kind::Node => bail!("{:?}: the node is this machine: it registers itself", document.source),
        Kind::CronJob => {
            if document.api_version == "batch/v1beta1" {
                warn(
                    "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob",
                );
            }
            let decoded = strict::from_value::<CronJob>(&value).map_err(|error| unfit(&error))?;
            (Object::CronJob(Box::new(decoded.object)), decoded.unknown_fields)
        }
        Kind::Event => bail!("{:?}: Events are made by what happens", document.source),
    };
    let duplicates = &document.duplicate_fields;
    let problems: Vec<String> = duplicates
        .iter()
        .map(|duplicate| format!("duplicate field \"{}\"", duplicate.path))
        .chain(unknown.iter().map(|field| format!("unknown field \"{field}\"")))
        .collect();
    match validate {
        Validate::Strict => {
            if let Some(place) = duplicates.iter().find_map(|duplicate| duplicate.place.as_ref()) {
                return Err(manifests::unreadable(&document.source, place));
            }
            if !problems.is_empty() {
                let (api_version, kind) = (document.kind.api_version(), document.kind.as_str().into());
                let meta = TypeMeta { api_version, kind };
                return Err(bad_request(strict::strict_decoding_error(&meta, &problems)));
            }
        }
        Validate::Warn => problems.iter().for_each(|problem| warn(problem)),
        Validate::Ignore => {}
    }
    Ok(object)
}

/// The environment of whoever creates an object: what a pod started later, by somebody else, cannot know. The values of
/// `pass_env` are stored apart from the object, which anybody may show.
///
/// # Errors
/// No current directory; a variable named by `--pass-env` that does not exist.
pub(super) fn add_creator(meta: &mut ObjectMeta, pass_env: &[String], request: &mut Request) -> Result<()> {
    let annotations = meta.annotations.get_or_insert_default();
    let directory = std::env::current_dir().context("find the current directory")?;
    annotations
        .entry(ANNOTATION_WORKING_DIRECTORY.into())
        .or_insert_with(|| directory.to_string_lossy().into_owned());
    annotations
        .entry(ANNOTATION_PATH.into())
        .or_insert_with(|| std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.into()));
    annotations.entry(ANNOTATION_UMASK.into()).or_insert_with(|| format!("{:04o}", creator_umask()));
    let session = serde_json::to_string(&session_environment())?;
    annotations.entry(ANNOTATION_SESSION.into()).or_insert(session);
    let mut passed = BTreeMap::new();
    for variable in pass_env {
        let Ok(value) = std::env::var(variable) else { bail!("--pass-env: there is no variable {variable}") };
        passed.insert(variable.as_str(), value);
    }
    if !passed.is_empty() {
        let names: Vec<&str> = passed.keys().copied().collect();
        let id = new_uid(&mut request.random);
        annotations.insert(ANNOTATION_PASSED_ENVIRONMENT.into(), names.join(","));
        annotations.insert(ANNOTATION_PASSED_ENVIRONMENT_ID.into(), id.clone());
        request.pending.put_text(Table::Environments, Key::new("", &id), serde_json::to_string(&passed)?);
    }
    Ok(())
}

/// Completes an object that is to be created and checks it. Warnings go to stderr.
///
/// # Errors
/// [`StatusError::Invalid`] with every cause.
pub(super) fn admit(object: &mut Object, manifest: &Value, request: &mut Request) -> Result<()> {
    let meta = object.meta_mut();
    if name(meta).is_empty()
        && let Some(base) = meta.generate_name.clone().filter(|base| !base.is_empty())
    {
        meta.name = Some(generated_name(&base, &mut request.random));
    }
    let uid = new_uid(&mut request.random);
    let mut causes = match object {
        Object::Job(job) => {
            defaults::set_job_defaults(job);
            strategy::prepare_job_for_create(job, &uid, request.now);
            validation::validate_job(job)
        }
        Object::Pod(pod) => {
            defaults::set_pod_defaults(pod);
            strategy::prepare_pod_for_create(pod, &uid, request.now);
            validation::validate_pod(pod)
        }
        Object::CronJob(cron_job) => {
            defaults::set_cron_job_defaults(cron_job);
            strategy::prepare_cron_job_for_create(cron_job, &uid, request.now);
            validation::validate_cron_job(cron_job)
        }
        Object::Node(_) => bail!("the node is this machine: it registers itself"),
    };
    causes.extend(object.findings(manifest).refused);
    refuse(object, causes)?;
    warn_of(object, manifest);
    Ok(())
}

/// Says everything that is to be said of a manifest at its creation.
pub(super) fn warn_of(object: &Object, manifest: &Value) {
    let of_kind = match object {
        Object::Job(job) => validation::warnings_on_create_job(job),
        _ => Vec::new(),
    };
    let warnings = of_kind.into_iter().chain(object.findings(manifest).warnings);
    warnings.chain(startable::warnings(object)).for_each(|warning| warn(&warning));
}

/// Of an object that stays what it was: who created it, unless somebody says otherwise. A CronJob is recreated by whoever
/// changes it, as far as the Jobs to come go; a Job or a pod goes on where it began.
///
/// # Errors
/// As [`add_creator`].
pub(super) fn keep_creator(kind: Kind, new: &mut Value, old: &Value, given: &Value) -> Result<()> {
    let of = |object: &Value, name: &str| object["metadata"]["annotations"].get(name).cloned();
    let mut caller = ObjectMeta::default();
    add_creator(&mut caller, &[])?;
    let caller = caller.annotations.unwrap_or_default();
    for name in [ANNOTATION_WORKING_DIRECTORY, ANNOTATION_PATH, ANNOTATION_PASSED_ENVIRONMENT] {
        let from_caller = caller.get(name).filter(|_| kind == Kind::CronJob).map(|value| json!(value));
        let value = of(given, name).or(from_caller).or_else(|| of(old, name));
        let Some(value) = value else { continue };
        if !new["metadata"]["annotations"].is_object() {
            new["metadata"]["annotations"] = json!({});
        }
        new["metadata"]["annotations"][name] = value;
    }
    Ok(())
}

/// What in a new version of an object cannot be done here. Of fields without effect is said what is said at creation,
/// unless the version before had them.
pub(super) fn findings_of_update(object: &Object, new: &Value, current: &Value) -> Vec<FieldError> {
    let findings = object.findings(new);
    let known = object.findings(current).warnings;
    findings.warnings.iter().filter(|warning| !known.contains(warning)).for_each(|warning| warn(warning));
    findings.refused
}

/// As [`findings_of_update`] where a whole manifest is given. Where somebody goes by warnings, all of them are said again.
pub(super) fn findings_of_manifest(
    object: &Object,
    manifest: &Value,
    current: &Value,
    context: &Context,
) -> Vec<FieldError> {
    if !context.warnings_as_errors {
        return findings_of_update(object, manifest, current);
    }
    warn_of(object, manifest);
    object.findings(manifest).refused
}

/// [`StatusError::Invalid`] when there is any cause.
///
/// # Errors
/// All causes at once.
pub(super) fn refuse(object: &Object, mut causes: Vec<FieldError>) -> Result<()> {
    // A bad name is a bad value of several generated labels; saying so once is enough.
    let mut said = Vec::new();
    causes.retain(|cause| {
        let new = !said.contains(cause);
        if new {
            said.push(cause.clone());
        }
        new
    });
    if causes.is_empty() {
        return Ok(());
    }
    let kind = object.kind();
    Err(StatusError::Invalid { kind, name: name(object.meta()).to_owned(), causes }.into())
}

/// Refuses what one command line, or one stream, names twice: the second would take the first one's place, and nobody
/// would look after the pods of that.
///
/// # Errors
/// [`StatusError::AlreadyExists`].
pub(super) fn require_new(kind: Kind, key: &Key, request: &Request) -> Result<()> {
    if request.created.contains(&(kind, key.clone())) {
        return Err(already_exists(kind, key));
    }
    Ok(())
}

/// Refuses to create what is stored, or what this request has created before.
///
/// # Errors
/// [`StatusError::AlreadyExists`].
pub(super) fn require_absent(kind: Kind, key: &Key, request: &Request) -> Result<()> {
    if request.state.get(Table::from(kind), key).is_some() {
        return Err(already_exists(kind, key));
    }
    require_new(kind, key, request)
}

fn already_exists(kind: Kind, key: &Key) -> anyhow::Error {
    StatusError::AlreadyExists { kind, name: key.name.to_string() }.into()
}

/// Puts a new object into the request.
///
/// # Errors
/// [`StatusError::AlreadyExists`] where this request has created one of that name before.
pub(super) fn create(object: &Object, context: &Context, request: &mut Request) -> Result<()> {
    require_new(object.kind(), &object.key(), request)?;
    request.created.insert((object.kind(), object.key()));
    match object {
        Object::Job(job) => request.create_job(&context.config, Job::clone(job)),
        Object::CronJob(cron_job) => {
            request.pending.put_cron_job(CronJob::clone(cron_job));
            Ok(())
        }
        Object::Pod(pod) => request.create_pod(&context.config, Pod::clone(pod)),
        Object::Node(_) => bail!("the node is this machine: it registers itself"),
    }
}
