//! From a document to an object that may be stored: decoding, defaults, validation, and what we add.

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::context::Context;
use super::failure::verbatim;
use super::manifests::Document;
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
            let holder = format!("field {}.metadata ", document.kind);
            let problem = error.problem.replace(&holder, "field metadataOnlyObject.metadata ");
            return verbatim(format!("error: unable to decode {:?}: {problem}", document.source));
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
            let decoded = strict::from_value::<CronJob>(&value).map_err(|error| unfit(&error))?;
            (Object::CronJob(Box::new(decoded.object)), decoded.unknown_fields)
        }
        Kind::Event => bail!("{:?}: Events are made by what happens", document.source),
    };
    let problems: Vec<String> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    if validate != Validate::Ignore {
        // kubectl takes the last without a word, and no server sees the others.
        let duplicates = document.duplicate_fields.iter();
        duplicates.for_each(|duplicate| warn(&format!("{}: {duplicate}; the last counts", document.source)));
    }
    match validate {
        Validate::Strict => {
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

/// Reads the metadata of a document as kubectl itself does.
///
/// # Errors
/// Fields of a wrong type.
pub(super) fn decode_metadata(document: &Document) -> Result<()> {
    let kind = document.kind.as_str();
    let metadata =
        json!({"kind": kind, "apiVersion": document.api_version, "metadata": document.value["metadata"]});
    decode(
        &Document { value: metadata, duplicate_fields: Vec::new(), ..document.clone() },
        Validate::Ignore,
        "",
    )?;
    Ok(())
}

/// The environment of whoever creates an object: what a pod started later, by somebody else, cannot know. The values of
/// `pass_env` are stored apart from the object, which anybody may show.
///
/// # Errors
/// No current directory; a variable named by `--pass-env` that does not exist.
pub(super) fn add_creator(meta: &mut ObjectMeta, pass_env: &[String], request: &mut Request) -> Result<()> {
    let annotations = meta.annotations.get_or_insert_default();
    for (name, value) in creator()? {
        annotations.entry(name.into()).or_insert(value);
    }
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

/// Says so where variables are to be passed to an object that is there already: it keeps those of its creation.
pub(super) fn warn_of_late_pass_env(pass_env: &[String], kind: Kind, name: &str) {
    if !pass_env.is_empty() {
        let object = format!("{}/{name}", kind.qualified_singular());
        warn(&format!(
            "--pass-env has no effect on {object}, which is there already: variables are passed at creation"
        ));
    }
}

/// What annotations say of whoever creates an object.
fn creator() -> Result<[(&'static str, String); 4]> {
    let directory = std::env::current_dir().context("find the current directory")?;
    Ok([
        (ANNOTATION_WORKING_DIRECTORY, directory.to_string_lossy().into_owned()),
        (ANNOTATION_PATH, std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.into())),
        (ANNOTATION_UMASK, format!("{:04o}", creator_umask())),
        (ANNOTATION_SESSION, serde_json::to_string(&session_environment())?),
    ])
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
    let causes = match object {
        Object::Job(job) => {
            defaults::set_job_defaults(job);
            strategy::prepare_job_to_validate(job, &uid, request.now);
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
    require_storable(object)?;
    // What no cluster would take comes before what this machine cannot do.
    refuse(object, causes)?;
    refuse(object, object.findings(manifest).refused)?;
    if let Object::Job(job) = object {
        strategy::complete_created_job(job);
    }
    warn_of(object, manifest);
    Ok(())
}

/// Says everything that is to be said of a manifest at its creation.
pub(super) fn warn_of(object: &Object, manifest: &Value) {
    let warnings = object.warnings().into_iter().chain(object.findings(manifest).warnings);
    warnings.chain(startable::warnings(object)).for_each(|warning| warn(&warning));
}

/// Of an object that stays what it was: who created it, unless somebody says otherwise. A CronJob is recreated by whoever
/// changes it, as far as the Jobs to come go; a Job or a pod goes on where it began.
///
/// # Errors
/// As [`add_creator`].
pub(super) fn keep_creator(kind: Kind, new: &mut Value, old: &Value, given: &Value) -> Result<()> {
    let of = |object: &Value, name: &str| object["metadata"]["annotations"].get(name).cloned();
    let caller: BTreeMap<&str, String> = creator()?.into();
    let passed = [ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PASSED_ENVIRONMENT_ID];
    for name in caller.keys().copied().chain(passed) {
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

/// Judges a new version of an object: the rules that it breaks first, then what cannot be done here. Of fields without
/// effect is said what is said at creation, unless the version before had them.
///
/// # Errors
/// [`StatusError::Invalid`] with every cause.
pub(super) fn judge_update(
    object: &Object,
    old: &Object,
    causes: Vec<FieldError>,
    new: &Value,
    current: &Value,
    says_all: bool,
) -> Result<()> {
    require_storable(object)?;
    refuse(object, causes)?;
    let findings = object.findings(new);
    refuse(object, findings.refused)?;
    if says_all {
        warn_of(object, new);
        return Ok(());
    }
    // Whether the spec has changed is what the generation says.
    let is_new = object.meta().generation != old.meta().generation;
    object.warnings().iter().filter(|_| is_new).for_each(|warning| warn(warning));
    let known = object.findings(current).warnings;
    findings.warnings.iter().filter(|warning| !known.contains(warning)).for_each(|warning| warn(warning));
    // Of what has been started there is nothing left to warn.
    if object.kind() == Kind::CronJob {
        let known = startable::warnings(old);
        let new = startable::warnings(object).into_iter().filter(|warning| !known.contains(warning));
        new.for_each(|warning| warn(&warning));
    }
    Ok(())
}

/// The most bytes of an object: what a cluster's store takes in one request.
const MAX_OBJECT_BYTES: usize = 3 << 19;

/// Refuses an object that is too large to be kept: whoever reads the store would have to hold it.
///
/// # Errors
/// [`StatusError::TooLarge`].
fn require_storable(object: &Object) -> Result<()> {
    if object.size() > MAX_OBJECT_BYTES {
        return Err(StatusError::TooLarge { limit: MAX_OBJECT_BYTES }.into());
    }
    Ok(())
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
