//! What is left of a deleted Job, so that `wait` can still answer truthfully.

use k8s_openapi::api::batch::v1::JobCondition;
use serde::{Deserialize, Serialize};

use crate::api::Job;
use crate::api::meta::{name, namespace, uid};

/// How a deleted Job had ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The Job's namespace.
    pub namespace: String,
    /// The Job's name.
    pub name: String,
    /// The Job's uid.
    pub uid: String,
    /// Its conditions when it was deleted.
    pub conditions: Vec<JobCondition>,
    /// Pods that had succeeded.
    pub succeeded: i32,
    /// Pods that had failed.
    pub failed: i32,
}

impl Tombstone {
    /// What is to be remembered of a Job.
    pub fn of(job: &Job) -> Self {
        let status = job.status.clone().unwrap_or_default();
        Self {
            namespace: namespace(&job.metadata).into(),
            name: name(&job.metadata).into(),
            uid: uid(&job.metadata).into(),
            conditions: status.conditions.unwrap_or_default(),
            succeeded: status.succeeded.unwrap_or(0),
            failed: status.failed.unwrap_or(0),
        }
    }
}
