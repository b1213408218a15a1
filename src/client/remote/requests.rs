//! Requests that change a cluster: each is sent at once, and stands whatever becomes of the next.

mod deletion;
mod differences;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::Value;

use self::differences::{difference, has_field, has_list, only_status_differs};
use super::api::{Api, text};
use super::backoff::Waits;
use super::dialogue::{Answer as HttpAnswer, Broken, Request};
use super::left_out::{is_all_left_out, left_out, sentence};
use super::objects::Received;
use super::paths;
use super::reader::Asked;
use super::unknown_fields::add_unknown;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::ANNOTATION_LAST_APPLIED;
use crate::api::status_error::StatusError;
use crate::apiserver::{
    Answer, Applied, Apply, Entries, Entry, FieldValidation, Patch, PatchType, Selectors, Source,
    Subresource, Update, Updated,
};
use crate::registry::object::Object;
use crate::store::Table;

/// Who says that it manages the fields that we set.
const MANAGER: &str = "jobctl";
/// How often a change is made again of an object that others change meanwhile, as kubectl does.
const TRIES: usize = 5;

/// Requests to a cluster.
#[derive(Debug)]
pub(in crate::client) struct Requests {
    api: Arc<Api>,
    asked: Asked,
    /// Whether they are only tried.
    is_dry_run: bool,
    manager: String,
    /// What the server is to do about fields that a kind does not have, where that is for somebody to say.
    validation: Option<FieldValidation>,
    /// What these requests have made.
    taken: BTreeSet<(Kind, Key)>,
    /// What was not there when it was looked for.
    absent: RefCell<BTreeSet<(Kind, Key)>>,
    /// What was, as it was then: changes are made to that.
    seen: RefCell<BTreeMap<(Kind, Key), String>>,
}

/// The first release that judges fields unless it is told otherwise (`ServerSideFieldValidation`).
const FIELD_VALIDATION: (u32, u32) = (1, 25);

/// What a server says of its release: `1` and `25+`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    major: String,
    minor: String,
}

impl Version {
    fn is_at_least(&self, wanted: (u32, u32)) -> bool {
        let number = |text: &str| {
            let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..end].parse().unwrap_or_default()
        };
        (number(&self.major), number(&self.minor)) >= wanted
    }
}

impl Requests {
    /// Requests of which the next is the first. `namespace` is where what names none is looked for.
    pub(in crate::client) fn new(api: Arc<Api>, namespace: Option<String>, is_dry_run: bool) -> Self {
        let asked = Asked::new(api.clone(), namespace);
        let manager = MANAGER.to_owned();
        let (absent, seen) = Default::default();
        Self { api, asked, is_dry_run, manager, validation: None, taken: BTreeSet::new(), absent, seen }
    }

    /// Creates an object. `manifest` is what it was decoded from: what is more in that is sent, too.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(in crate::client) fn create(&mut self, object: &Object, manifest: &Value) -> Result<Answer> {
        let (kind, key) = (object.kind(), object.key());
        let known = object.to_value()?;
        let path = self.path(&paths::collection(kind, Some(&key.namespace)), &[]);
        let request = creation(kind, path, &whole(&known, manifest), manifest)?;
        // One of a name cannot be there twice: where it was not there, it is known afterwards who has made it.
        let was_absent = !key.name.is_empty() && self.absent.borrow().contains(&(kind, key.clone()));
        let mut waits = Waits::few();
        loop {
            let answered = self.api.wait(self.api.exchange(&request));
            let is_unknown = match &answered {
                Ok(answer) => answer.status.is_server_error(),
                Err(error) => error.is::<Broken>(),
            };
            let wait = waits.next().filter(|_| is_unknown && was_absent);
            let Some(wait) = wait else { return self.made(kind, &key, &known, answered?) };
            std::thread::sleep(wait);
            if let Some(made) = self.made_all_the_same(kind, &key)? {
                return Ok(made);
            }
        }
    }

    /// An object that was not there before we asked for it to be made, and is now.
    fn made_all_the_same(&mut self, kind: Kind, key: &Key) -> Result<Option<Answer>> {
        let Some(received) = self.api.wait(self.api.get(kind, key))? else { return Ok(None) };
        self.taken.insert((kind, key.clone()));
        received_answer(kind, &received, Vec::new()).map(Some)
    }

    fn made(&mut self, kind: Kind, key: &Key, sent: &Value, answer: HttpAnswer) -> Result<Answer> {
        let answer = self.understood(kind, key, sent, answer)?;
        self.taken.insert((kind, answer.object.key()));
        self.absent.borrow_mut().remove(&(kind, answer.object.key()));
        Ok(answer)
    }

    /// Changes an object to what was made of it as it is there.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(in crate::client) fn update(&mut self, update: &Update<'_>) -> Result<Updated> {
        if update.is_whole {
            return self.replace(update);
        }
        let (kind, key) = (update.kind, update.key);
        let not_found = || StatusError::not_found(kind, &key.name);
        let seen = self.seen.borrow().get(&(kind, key.clone())).cloned();
        let seen = seen.or_else(|| self.asked.listed(kind, key));
        let seen = match seen {
            Some(seen) => seen,
            None => self.received(kind, key)?.ok_or_else(not_found)?.text,
        };
        let mut current: Value = serde_json::from_str(&seen)?;
        let mut wanted = update.value.clone();
        // Both as the versions of the objects have it, or neither.
        for field in ["apiVersion", "kind"] {
            wanted[field] = current[field].clone();
        }
        let mut difference = difference(&current, &wanted);
        let old = read(kind, &current.to_string())?;
        if difference.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Updated::unchanged(old, Some(current)));
        }
        // A list is changed as a whole: not over what somebody has put into it meanwhile.
        let is_bound = has_list(&difference);
        let mut tries = 0;
        loop {
            if is_bound {
                difference["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
            }
            let patched =
                self.send_patch(kind, key, PatchType::Merge, difference.to_string(), update.subresource);
            tries += 1;
            match patched {
                Err(error) if is_conflict(&error) && is_bound && tries < TRIES => {
                    let text = self.api.wait(self.api.get(kind, key))?.ok_or_else(not_found)?.text;
                    let now: Value = serde_json::from_str(&text)?;
                    if !only_status_differs(&current, &now) {
                        return Err(error);
                    }
                    current = now;
                }
                Err(error) => return Err(error),
                Ok(Answer { object, received, warnings }) => {
                    let now = object.to_value()?;
                    let paths = left_out(&difference, &now);
                    if !paths.is_empty() && is_all_left_out(&difference, &now) {
                        let sentence = sentence(&paths);
                        bail!("{}/{}: {sentence}", kind.qualified_singular(), key.name);
                    }
                    return Ok(Updated { old, object, received, is_changed: true, warnings });
                }
            }
        }
    }

    /// Puts a whole object into the place of one, as of the version that it names or as of the one that is there.
    fn replace(&mut self, update: &Update<'_>) -> Result<Updated> {
        let (kind, key) = (update.kind, update.key);
        let manifest = update.manifest.map_or(&Value::Null, |(manifest, _)| manifest);
        let mut body = whole(&update.value, manifest);
        let names_version =
            body["metadata"]["resourceVersion"].as_str().is_some_and(|given| !given.is_empty());
        let mut seen: Option<(Value, anyhow::Error)> = None;
        let mut tries = 0;
        loop {
            let mut current = Value::Null;
            if !names_version {
                let there =
                    self.received(kind, key)?.ok_or_else(|| StatusError::not_found(kind, &key.name))?;
                let now: Value = serde_json::from_str(&there.text)?;
                if let Some((_, conflict)) = seen.filter(|(before, _)| !only_status_differs(before, &now)) {
                    return Err(conflict);
                }
                body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
                current = now;
            }
            let path = self.path(&self.object_path(kind, key, update.subresource), &[]);
            let request = Request { method: Method::PUT, ..creation(kind, path, &body, manifest)? };
            let answer = self.api.wait(self.api.exchange(&request))?;
            tries += 1;
            match self.understood(kind, key, &update.value, answer) {
                Err(error) if is_conflict(&error) && !names_version && tries < TRIES => {
                    seen = Some((current, error));
                }
                Err(error) => return Err(error),
                Ok(Answer { object, received, warnings }) => {
                    let old = object.clone();
                    return Ok(Updated { old, object, received, is_changed: true, warnings });
                }
            }
        }
    }

    /// Changes an object by a patch.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(in crate::client) fn patch(
        &mut self,
        kind: Kind,
        key: &Key,
        patch: &Patch,
        subresource: Subresource,
    ) -> Result<Updated> {
        let (type_, body) = match patch {
            Patch::Json(body) => (PatchType::Json, body),
            Patch::Merge(body) => (PatchType::Merge, body),
            Patch::Strategic(body) => (PatchType::Strategic, body),
        };
        self.patch_text(kind, key, type_, body.to_string(), subresource)
    }

    /// As [`Requests::patch`], by a text that may not even be JSON.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(in crate::client) fn patch_text(
        &mut self,
        kind: Kind,
        key: &Key,
        type_: PatchType,
        text: String,
        subresource: Subresource,
    ) -> Result<Updated> {
        let old = self.received(kind, key)?.ok_or_else(|| StatusError::not_found(kind, &key.name))?;
        let old = read(kind, &old.text)?;
        let Answer { object, received, warnings } = self.send_patch(kind, key, type_, text, subresource)?;
        let is_changed = object.meta().resource_version != old.meta().resource_version
            || (self.is_dry_run && object.to_value()? != old.to_value()?);
        Ok(Updated { old, object, received, is_changed, warnings })
    }

    /// Says who makes these requests.
    pub(in crate::client) fn act_as(&mut self, manager: &str) {
        manager.clone_into(&mut self.manager);
    }

    /// Says what the server is to do about fields that a kind does not have.
    pub(in crate::client) fn validate_as(&mut self, validation: FieldValidation) {
        self.validation = Some(validation);
    }

    /// Whether the server does what [`Requests::validate_as`] says. Older ones drop such fields without a word.
    ///
    /// # Errors
    /// No answer.
    pub(in crate::client) fn judges_fields(&self) -> Result<bool> {
        let answer = self.api.wait(self.api.exchange(&Request::get("/version".into())))?;
        let version: Version = serde_json::from_slice(&answer.body).unwrap_or_default();
        Ok(version.is_at_least(FIELD_VALIDATION))
    }

    /// Applies an object: server-side apply.
    ///
    /// # Errors
    /// A refusal, such as for fields that others manage; no answer.
    pub(in crate::client) fn apply(&mut self, apply: &Apply<'_>) -> Result<Applied> {
        let force = if apply.force { "true" } else { "false" };
        let path =
            self.path(&self.object_path(apply.kind, apply.key, apply.subresource), &[("force", force)]);
        let mut body = apply.value.clone();
        body["apiVersion"] = apply.kind.api_version().into();
        let request = Request {
            method: Method::PATCH,
            content_type: "application/apply-patch+yaml",
            is_repeatable: true,
            ..creation(apply.kind, path, &body, apply.value)?
        };
        let answer = self.api.wait(self.api.exchange(&request))?;
        let is_new = answer.status == hyper::StatusCode::CREATED;
        let understood = self.understood(apply.kind, apply.key, apply.value, answer);
        let Answer { object, received, warnings } = match understood {
            Err(error) if !apply.force && self.is_with_ourselves(apply, &error)? => {
                return self.apply(&Apply { force: true, ..*apply });
            }
            understood => understood?,
        };
        self.taken.insert((apply.kind, apply.key.clone()));
        Ok(match is_new {
            true => Applied::Created(Answer { object, received, warnings }),
            false => Applied::Updated(Updated {
                old: object.clone(),
                object,
                received,
                is_changed: true,
                warnings,
            }),
        })
    }

    /// Refuses what these requests have made already.
    ///
    /// # Errors
    /// [`StatusError::AlreadyExists`].
    pub(in crate::client) fn require_new(&self, kind: Kind, key: &Key) -> Result<(), StatusError> {
        match !key.name.is_empty() && self.taken.contains(&(kind, key.clone())) {
            true => Err(StatusError::AlreadyExists { kind, name: key.name.to_string() }),
            false => Ok(()),
        }
    }

    /// Notes that an object is taken, so that it is not asked for twice.
    pub(in crate::client) fn take(&mut self, kind: Kind, key: Key) {
        self.taken.insert((kind, key));
    }

    fn send_patch(
        &self,
        kind: Kind,
        key: &Key,
        type_: PatchType,
        text: String,
        subresource: Subresource,
    ) -> Result<Answer> {
        let path = self.path(&self.object_path(kind, key, subresource), &[]);
        let content_type = match type_ {
            PatchType::Json => "application/json-patch+json",
            PatchType::Merge => "application/merge-patch+json",
            PatchType::Strategic => "application/strategic-merge-patch+json",
        };
        // Patches of lists of operations may append.
        let is_repeatable = type_ != PatchType::Json;
        let sent = serde_json::from_str(&text).unwrap_or_default();
        let request = Request {
            method: Method::PATCH,
            path,
            content_type,
            body: Bytes::from(text),
            is_repeatable,
            older_version: None,
        };
        let answer = self.api.wait(self.api.exchange(&request))?;
        self.understood(kind, key, &sent, answer)
    }

    fn understood(&self, kind: Kind, key: &Key, sent: &Value, answer: HttpAnswer) -> Result<Answer> {
        let HttpAnswer { mut warnings, body, .. } = answer.accepted(Some(kind), Some(key))?;
        let paths = left_out(sent, &serde_json::from_slice(&body).context("read an object of the server")?);
        // Newer servers warn of it themselves.
        if !paths.is_empty() && warnings.is_empty() {
            warnings.push(sentence(&paths));
        }
        received_answer(kind, &Received::read(kind, text(&body)?)?, warnings)
    }

    /// Whether what is applied is in the way of nothing but what we have applied before, in the other way: by a patch.
    fn is_with_ourselves(&self, apply: &Apply<'_>, error: &anyhow::Error) -> Result<bool> {
        let Some(StatusError::ApplyConflict { causes, .. }) = error.downcast_ref() else { return Ok(false) };
        let other = format!("conflict with {:?}", self.manager);
        if causes.is_empty() || !causes.iter().all(|cause| cause.body.starts_with(&other)) {
            return Ok(false);
        }
        // Who may not see it is told of the conflict.
        let Ok(Some(there)) = self.received(apply.kind, apply.key) else { return Ok(false) };
        let there: Value = serde_json::from_str(&there.text)?;
        let applied = there["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].as_str();
        let applied = applied.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        Ok(causes.iter().all(|cause| has_field(&applied, &cause.field)))
    }

    fn object_path(&self, kind: Kind, key: &Key, subresource: Subresource) -> String {
        let path = paths::object(kind, &key.namespace, &key.name);
        match subresource {
            Subresource::Main => path,
            Subresource::Status => format!("{path}/status"),
        }
    }

    fn validation(&self) -> (&'static str, &'static str) {
        let word = match self.validation {
            None => "",
            Some(FieldValidation::Strict) => "Strict",
            Some(FieldValidation::Warn) => "Warn",
            Some(FieldValidation::Ignore) => "Ignore",
        };
        ("fieldValidation", word)
    }

    fn path(&self, path: &str, query: &[(&str, &str)]) -> String {
        let dry_run = if self.is_dry_run { "All" } else { "" };
        let mut all = vec![("fieldManager", self.manager.as_str()), ("dryRun", dry_run), self.validation()];
        all.extend(query);
        paths::with_query(path, &all)
    }

    fn received(&self, kind: Kind, key: &Key) -> Result<Option<Received>> {
        let received = self.api.wait(self.api.get(kind, key))?;
        let which = (kind, key.clone());
        match &received {
            None => drop(self.absent.borrow_mut().insert(which)),
            Some(one) => drop(self.seen.borrow_mut().insert(which, one.text.clone())),
        }
        Ok(received)
    }
}

/// An object with what its manifest has beyond our types.
fn whole(known: &Value, manifest: &Value) -> Value {
    let mut whole = known.clone();
    add_unknown(&mut whole, known, manifest);
    whole
}

/// A request to make an object, of the version that its manifest names where the server has no other.
fn creation(kind: Kind, path: String, body: &Value, manifest: &Value) -> Result<Request> {
    let version = kind.api_version();
    let named = manifest["apiVersion"].as_str().filter(|named| *named != version);
    Ok(Request { older_version: named.map(str::to_owned), ..Request::with_body(Method::POST, path, &body)? })
}

fn received_answer(kind: Kind, received: &Received, warnings: Vec<String>) -> Result<Answer> {
    let object = read(kind, &received.text)?;
    Ok(Answer { object, received: Some(serde_json::from_str(&received.text)?), warnings })
}

fn read(kind: Kind, text: &str) -> Result<Object> {
    match Object::read(kind, text) {
        Some(object) => Ok(object?),
        None => bail!("the server has answered with a {kind}, which cannot be changed from here"),
    }
}

fn is_conflict(error: &anyhow::Error) -> bool {
    error.downcast_ref::<StatusError>().is_some_and(|status| status.reason() == "Conflict")
}

impl Source for Requests {
    fn now(&self) -> DateTime<Utc> {
        self.asked.now()
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    fn entry(&self, table: Table, key: &Key) -> Result<Option<Entry<'_>>> {
        let Some(kind) = super::reader::kind_of(table) else { return Ok(None) };
        Ok(self.received(kind, key)?.map(|one| Entry::Received(one.text)))
    }

    fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        self.asked.missing(kind, key)
    }

    fn entries(&self, table: Table) -> Result<Entries<'_>> {
        self.asked.entries(table)
    }

    fn entries_of_owner(&self, table: Table, owner: &str) -> Result<Entries<'_>> {
        self.asked.entries_of_owner(table, owner)
    }

    fn entries_among(
        &self,
        table: Table,
        namespace: Option<&str>,
        selectors: &Selectors,
    ) -> Result<Entries<'_>> {
        self.asked.entries_among(table, namespace, selectors)
    }
}
