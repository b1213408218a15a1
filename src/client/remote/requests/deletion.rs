//! What deletes, and puts something else into its place.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hyper::Method;
use hyper::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::api::text;
use super::super::dialogue::Request;
use super::super::paths;
use super::super::unknown_fields::add_unknown;
use super::{Requests, creation, whole};
use crate::api::conditions::is_job_finished;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::api::status_error::StatusError;
use crate::api::{Job, ObjectMeta};
use crate::apiserver::{Answer, DeleteOptions, Deleted, RerunError, Subresource, fresh_job, uid_of};
use crate::registry::deletion::Propagation;
use crate::registry::object::Object;

/// How often it is looked whether an object that is to be replaced is gone.
const LOOK: Duration = Duration::from_millis(50);
/// How long an object that is to be replaced may take to go.
const LONGEST_DELETION: Duration = Duration::from_secs(60);
/// Why two cannot be where one could, and why it cannot be tried.
const IN_THE_WAY: [&str; 2] = ["exceeded quota", "does not support dry run"];
/// What an answer to a deletion is about: the object, or a Status about it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct DeletionAnswer {
    metadata: WithUid,
    details: WithUid,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WithUid {
    uid: String,
}

impl Requests {
    /// Creates an object in the place of one that may be there.
    ///
    /// # Errors
    /// A refusal; no answer; the old one does not go.
    pub(in crate::client) fn recreate(
        &mut self,
        object: &Object,
        manifest: &Value,
        options: &DeleteOptions,
    ) -> Result<(Answer, Option<Deleted>)> {
        let (kind, key) = (object.kind(), object.key());
        self.require_new(kind, &key)?;
        let mut deleted = None;
        let old = if key.name.is_empty() { None } else { self.received(kind, &key)? };
        if let Some(old) = old {
            if !self.is_dry_run {
                self.require_welcome(object, manifest)?;
            }
            let uid = uid_of(&old.text).unwrap_or_default();
            let gone = Deleted { uid, ..self.delete(kind, &key, options)? };
            if self.is_dry_run {
                // The new one would be in its way; that the old one could go is all that can be tried.
                let answer = Answer { object: object.clone(), received: None, warnings: Vec::new() };
                return Ok((answer, Some(gone)));
            }
            self.wait_until_gone(&gone)?;
            deleted = Some(gone);
        }
        Ok((self.create(object, manifest)?, deleted))
    }

    /// Asks whether an object would be taken, under another name, before the one in its place is deleted for it.
    fn require_welcome(&self, object: &Object, manifest: &Value) -> Result<()> {
        let (kind, key) = (object.kind(), object.key());
        // Of other kinds two may not be there at once: two Services of one address, say.
        if !matches!(kind, Kind::CronJob | Kind::Job | Kind::Pod) {
            return Ok(());
        }
        let mut body = whole(&object.to_value()?, manifest);
        body["metadata"]["generateName"] = format!("{}-", key.name).into();
        if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("name");
        }
        let path = paths::with_query(
            &paths::collection(kind, Some(&key.namespace)),
            &[("fieldManager", &self.manager), ("dryRun", "All"), self.validation()],
        );
        let request = creation(kind, path, &body, manifest)?;
        let mut answer = self.api.wait(self.api.exchange(&request))?;
        if answer.status.is_success() {
            return Ok(());
        }
        let status: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if let Some(other) = status["details"]["name"].as_str().filter(|other| other.starts_with(&*key.name))
        {
            answer.body = Bytes::from(text(&answer.body)?.replace(other, &key.name));
        }
        match answer.accepted(Some(kind), Some(&key)) {
            Err(refusal) if !IN_THE_WAY.iter().any(|words| refusal.message().contains(words)) => {
                Err(refusal.into())
            }
            _ => Ok(()),
        }
    }

    fn wait_until_gone(&self, gone: &Deleted) -> Result<()> {
        let mut waited = Duration::ZERO;
        loop {
            match self.api.wait(self.api.get(gone.kind, &gone.key))? {
                None => break,
                Some(there) if uid_of(&there.text).as_ref() != Some(&gone.uid) => break,
                Some(_) if waited >= LONGEST_DELETION => {
                    let Deleted { kind, key, .. } = gone;
                    bail!(
                        "timed out waiting for {}/{} to be gone, in whose place it is to be",
                        kind.resource().plural,
                        key.name
                    )
                }
                Some(_) => {
                    std::thread::sleep(LOOK);
                    waited += LOOK;
                }
            }
        }
        self.absent.borrow_mut().insert((gone.kind, gone.key.clone()));
        Ok(())
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(in crate::client) fn delete(
        &mut self,
        kind: Kind,
        key: &Key,
        options: &DeleteOptions,
    ) -> Result<Deleted> {
        let propagation = match options.propagation {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        };
        let mut body = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation});
        if let Some(seconds) = options.grace_seconds {
            body["gracePeriodSeconds"] = json!(seconds);
        }
        if let Some(uid) = &options.uid {
            body["preconditions"]["uid"] = json!(uid);
        }
        if let Some(version) = &options.resource_version {
            body["preconditions"]["resourceVersion"] = json!(version);
        }
        // A server that gets a body does not look at the query.
        if self.is_dry_run {
            body["dryRun"] = json!(["All"]);
        }
        let path = self.object_path(kind, key, Subresource::Main);
        let request = Request {
            is_repeatable: options.uid.is_some(),
            ..Request::with_body(Method::DELETE, path, &body)?
        };
        let answer = self.api.wait(self.api.exchange(&request))?.accepted(Some(kind), Some(key))?;
        // Whoever answers with something else may have deleted nothing.
        let answer: DeletionAnswer =
            serde_json::from_slice(&answer.body).context("read what the server answers to a deletion")?;
        let uid = [answer.metadata.uid, answer.details.uid].into_iter().find(|uid| !uid.is_empty());
        Ok(Deleted { kind, key: key.clone(), uid: uid.unwrap_or_default() })
    }

    /// Runs a Job once more: it is replaced by one of the same spec.
    ///
    /// # Errors
    /// [`RerunError`], of a Job that still runs unless `force`; a refusal; no answer.
    pub(in crate::client) fn rerun(
        &mut self,
        key: &Key,
        failed_indexes: bool,
        force: bool,
    ) -> Result<Answer> {
        if failed_indexes {
            bail!(
                "--failed-indexes is for this machine: a cluster's Job controller cannot be told which indexes have \
                 completed"
            );
        }
        let kind = Kind::Job;
        let received = self.received(kind, key)?.ok_or_else(|| StatusError::not_found(kind, &key.name))?;
        let old: Job = serde_json::from_str(&received.text)?;
        if !is_job_finished(&old) && !force {
            return Err(RerunError::StillRuns.into());
        }
        let mut new = fresh_job(&old);
        let ObjectMeta { name, namespace, labels, annotations, .. } = new.metadata;
        new.metadata = ObjectMeta { name, namespace, labels, annotations, ..ObjectMeta::default() };
        let options = DeleteOptions { uid: Some(uid(&old.metadata).to_owned()), ..DeleteOptions::default() };
        // A cluster may know more of its Jobs than we.
        let mut manifest = serde_json::to_value(&new)?;
        add_unknown(&mut manifest, &serde_json::to_value(&old)?, &serde_json::from_str(&received.text)?);
        self.recreate(&Object::from(new), &manifest, &options).map(|(answer, _)| answer)
    }
}
