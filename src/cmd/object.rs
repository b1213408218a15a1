//! An object of a kind that verbs create and change, and what its kind asks for on the way into the store.

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::failure::verbatim;
use crate::api::decode::strict;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{name, namespace};
use crate::api::status_error::FieldError;
use crate::api::{CronJob, Job, Node, ObjectMeta, Pod, compatibility, defaults, validation};
use crate::manager::{Pending, Revisions};
use crate::registry::strategy;

/// A decoded object of a kind that can be submitted.
#[derive(Clone, Debug)]
pub(super) enum Object {
    CronJob(Box<CronJob>),
    Job(Box<Job>),
    Pod(Box<Pod>),
    Node(Box<Node>),
}

impl Object {
    /// Decodes an object that a request has made of a stored one, as the server would keep it. Returns the fields that
    /// its type does not have too.
    ///
    /// # Errors
    /// Fields of a wrong type; Events, which nobody changes.
    pub(super) fn changed(kind: Kind, value: &Value) -> Result<(Self, Vec<String>)> {
        fn read<T: DeserializeOwned>(value: &Value) -> Result<(Box<T>, Vec<String>)> {
            let decoded = strict::from_value::<T>(value)
                .map_err(|error| verbatim(format!("The request is invalid: patch: {}", error.problem)))?;
            Ok((Box::new(decoded.object), decoded.unknown_fields))
        }
        Ok(match kind {
            Kind::Job => read(value).map(|(object, unknown)| (Self::Job(object), unknown))?,
            Kind::Pod => read(value).map(|(object, unknown)| (Self::Pod(object), unknown))?,
            Kind::Node => read(value).map(|(object, unknown)| (Self::Node(object), unknown))?,
            Kind::CronJob => read(value).map(|(object, unknown)| (Self::CronJob(object), unknown))?,
            Kind::Event => anyhow::bail!("a {kind} cannot be changed"),
        })
    }

    /// Decodes a stored object.
    ///
    /// # Errors
    /// Fields of a wrong type; Events, which nobody changes.
    pub(super) fn from_value(kind: Kind, value: Value) -> Result<Self> {
        let read = |error: serde_json::Error| anyhow::anyhow!("read the stored {kind}: {error}");
        Ok(match kind {
            Kind::Job => Self::Job(serde_json::from_value(value).map_err(read)?),
            Kind::Pod => Self::Pod(serde_json::from_value(value).map_err(read)?),
            Kind::Node => Self::Node(serde_json::from_value(value).map_err(read)?),
            Kind::CronJob => Self::CronJob(serde_json::from_value(value).map_err(read)?),
            Kind::Event => anyhow::bail!("a {kind} cannot be changed"),
        })
    }

    pub(super) fn meta(&self) -> &ObjectMeta {
        match self {
            Self::CronJob(cron_job) => &cron_job.metadata,
            Self::Job(job) => &job.metadata,
            Self::Pod(pod) => &pod.metadata,
            Self::Node(node) => &node.metadata,
        }
    }

    pub(super) fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::CronJob(cron_job) => &mut cron_job.metadata,
            Self::Job(job) => &mut job.metadata,
            Self::Pod(pod) => &mut pod.metadata,
            Self::Node(node) => &mut node.metadata,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::CronJob(_) => Kind::CronJob,
            Self::Job(_) => Kind::Job,
            Self::Pod(_) => Kind::Pod,
            Self::Node(_) => Kind::Node,
        }
    }

    /// Where the object is stored.
    pub(super) fn key(&self) -> Key {
        self.kind().key(namespace(self.meta()), name(self.meta()))
    }

    /// The object as a value, with the resourceVersion that it gets.
    pub(super) fn to_value(&self, revisions: &Revisions) -> Result<Value> {
        let mut value = self.to_unversioned()?;
        let revision = revisions.of(self.kind().into(), &self.key());
        value["metadata"]["resourceVersion"] = json!(revision.to_string());
        Ok(value)
    }

    /// The object as a value without a resourceVersion: for comparing what it says.
    pub(super) fn to_unversioned(&self) -> Result<Value> {
        let mut value = match self {
            Self::CronJob(cron_job) => serde_json::to_value(cron_job),
            Self::Job(job) => serde_json::to_value(job),
            Self::Pod(pod) => serde_json::to_value(pod),
            Self::Node(node) => serde_json::to_value(node),
        }
        .context("encode the object")?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("resourceVersion");
        }
        Ok(value)
    }

    /// How many bytes the object takes when it is stored.
    pub(super) fn size(&self) -> usize {
        struct Counted(usize);
        impl std::io::Write for Counted {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut counted = Counted(0);
        // Writing to a counter does not fail, and objects always encode.
        let _ = match self {
            Self::CronJob(cron_job) => serde_json::to_writer(&mut counted, cron_job),
            Self::Job(job) => serde_json::to_writer(&mut counted, job),
            Self::Pod(pod) => serde_json::to_writer(&mut counted, pod),
            Self::Node(node) => serde_json::to_writer(&mut counted, node),
        };
        counted.0
    }

    /// Fills in what the API server would, and takes what only the server writes from the object that is replaced.
    /// Returns every rule that replacing it so would break.
    pub(super) fn prepare_update(&mut self, old: &Self) -> Vec<FieldError> {
        match (self, old) {
            (Self::CronJob(new), Self::CronJob(old)) => {
                defaults::set_cron_job_defaults(new);
                strategy::prepare_cron_job_for_update(new, old);
                validation::validate_cron_job_update(new, old)
            }
            (Self::Job(new), Self::Job(old)) => {
                defaults::set_job_defaults(new);
                strategy::prepare_job_for_update(new, old);
                validation::validate_job_update(new, old)
            }
            (Self::Pod(new), Self::Pod(old)) => {
                defaults::set_pod_defaults(new);
                strategy::prepare_pod_for_update(new, old);
                validation::validate_pod_update(new, old)
            }
            (Self::Node(new), Self::Node(old)) => {
                strategy::prepare_node_for_update(new, old);
                validation::validate_node_update(new, old)
            }
            (new, _) => vec![FieldError::invalid("kind", new.kind(), "the kind of an object cannot change")],
        }
    }

    /// What the API server says of the object though it accepts it.
    pub(super) fn warnings(&self) -> Vec<String> {
        match self {
            Self::CronJob(cron_job) => validation::warnings_of_cron_job(cron_job),
            Self::Job(job) => validation::warnings_of_job(job),
            Self::Pod(pod) => validation::warnings_of_pod(pod),
            Self::Node(_) => Vec::new(),
        }
    }

    /// Takes everything but the status from the object that is replaced (`--subresource=status`).
    pub(super) fn keep_all_but_status(&mut self, old: &Self) {
        match (self, old) {
            (Self::CronJob(new), Self::CronJob(old)) => {
                **new = CronJob { status: new.status.take(), ..CronJob::clone(old) };
            }
            (Self::Job(new), Self::Job(old)) => **new = Job { status: new.status.take(), ..Job::clone(old) },
            (Self::Pod(new), Self::Pod(old)) => **new = Pod { status: new.status.take(), ..Pod::clone(old) },
            (Self::Node(new), Self::Node(old)) => {
                **new = Node { status: new.status.take(), ..Node::clone(old) };
            }
            _ => {}
        }
    }

    /// What in a manifest of this kind cannot be done here.
    pub(super) fn findings(&self, manifest: &Value) -> compatibility::Findings {
        match self {
            Self::CronJob(_) => compatibility::check_cron_job(manifest),
            Self::Job(_) => compatibility::check_job(manifest),
            Self::Pod(_) => compatibility::check_pod(manifest),
            Self::Node(_) => compatibility::Findings::default(),
        }
    }

    /// Puts the object among what is to be committed.
    pub(super) fn put(&self, pending: &mut Pending) {
        match self {
            Self::CronJob(cron_job) => pending.put_cron_job(CronJob::clone(cron_job)),
            Self::Job(job) => pending.put_job(Job::clone(job)),
            Self::Pod(pod) => pending.put_pod(Pod::clone(pod)),
            Self::Node(node) => pending.put_node(Node::clone(node)),
        }
    }
}
