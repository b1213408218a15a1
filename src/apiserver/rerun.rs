//! Running a Job once more: ours, as no Kubernetes has it.

use std::fmt;

use anyhow::Result;

use super::create::{Answer, refuse};
use super::delete::DeleteOptions;
use super::read::Read as _;
use super::transaction::Transaction;
use crate::api::conditions::{is_job_finished, pod_phase};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{
    FINALIZER_JOB_TRACKING, LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY, remove_finalizer, uid,
};
use crate::api::status_error::StatusError;
use crate::api::{Job, JobStatus, Pod};
use crate::controller::pods::new_uid;
use crate::registry::object::Object;
use crate::registry::strategy::Strategy as _;
use crate::registry::strategy::job::remove_generated;
use crate::store::Table;

/// Why a Job is not run once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RerunError {
    /// It still runs.
    StillRuns,
    /// Only its failed indexes are wanted, and it has none.
    NotIndexed,
    /// Only its failed indexes are wanted, and all have completed.
    NothingLeft,
}

impl fmt::Display for RerunError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::StillRuns => "the Job has not ended yet",
            Self::NotIndexed => "the Job is not Indexed",
            Self::NothingLeft => "every index of the Job has completed",
        })
    }
}

impl std::error::Error for RerunError {}

impl Transaction {
    /// Deletes a Job and creates it again. With `failed_indexes` what its completed indexes have done stays done.
    ///
    /// # Errors
    /// [`StatusError::NotFound`]; [`StatusError::Invalid`] where a Job that was accepted once would not be today;
    /// [`RerunError`], of a Job that still runs unless `force`.
    pub fn rerun(&mut self, job_key: &Key, failed_indexes: bool, force: bool) -> Result<Answer> {
        let old: Option<Job> = self.current(Table::JOBS, job_key)?;
        let old = old.ok_or_else(|| StatusError::not_found(Kind::Job, &job_key.name))?;
        if !is_job_finished(&old) && !force {
            return Err(RerunError::StillRuns.into());
        }
        let mut job = fresh_job(&old);
        let new = new_uid(&mut self.random);
        job.set_defaults();
        job.prepare_for_create(&new, self.now);
        job.canonicalize();
        if failed_indexes {
            job.status = Some(completed_so_far(&old)?);
        }
        let completed = if failed_indexes { self.completed_pods(&old)? } else { Vec::new() };
        let causes = job.validate();
        let mut object = Object::from(job.clone());
        refuse(&object, causes)?;
        self.delete(Kind::Job, job_key, &DeleteOptions::default())?;
        self.require_not_held(Kind::Job, job_key)?;
        for pod in completed {
            self.hand_over(pod, &old, &job)?;
        }
        self.hand_over_config(uid(&old.metadata), uid(&job.metadata))?;
        self.store_new(&mut object)?;
        Ok(Answer { object, received: None, warnings: Vec::new() })
    }

    /// The pods that have done their part of a Job, also those removed since.
    fn completed_pods(&self, job: &Job) -> Result<Vec<Pod>> {
        let mut completed = self.pods_of_job(uid(&job.metadata))?;
        completed.retain(|pod| pod_phase(pod) == "Succeeded");
        Ok(completed)
    }

    /// Keeps a pod as one of the new Job's that have been removed: what it has written is still what its index has done.
    fn hand_over(&mut self, mut pod: Pod, old: &Job, new: &Job) -> Result<()> {
        let (old_uid, new_uid) = (uid(&old.metadata), uid(&new.metadata));
        for owner in pod.metadata.owner_references.iter_mut().flatten() {
            if owner.uid == old_uid {
                owner.uid = new_uid.to_owned();
            }
        }
        for label in [LABEL_CONTROLLER_UID, LABEL_CONTROLLER_UID_LEGACY] {
            if let Some(value) = pod.metadata.labels.as_mut().and_then(|labels| labels.get_mut(label)) {
                new_uid.clone_into(value);
            }
        }
        remove_finalizer(&mut pod.metadata, FINALIZER_JOB_TRACKING);
        self.put_removed_pod(&pod)
    }
}

/// The Job as it was before it was ever stored: without what the API server has written into it.
pub fn fresh_job(old: &Job) -> Job {
    let mut job = old.clone();
    job.status = None;
    remove_generated(&mut job);
    if let Some(spec) = &mut job.spec {
        spec.suspend = None;
    }
    job
}

/// The status of a Job of which some indexes are done.
fn completed_so_far(old: &Job) -> Result<JobStatus, RerunError> {
    let spec = old.spec.as_ref();
    if spec.is_none_or(|spec| spec.completion_mode.as_deref() != Some("Indexed")) {
        return Err(RerunError::NotIndexed);
    }
    let status = old.status.clone().unwrap_or_default();
    let completions = spec.and_then(|spec| spec.completions);
    if status.succeeded.unwrap_or(0) >= completions.unwrap_or(0) {
        return Err(RerunError::NothingLeft);
    }
    Ok(JobStatus {
        completed_indexes: status.completed_indexes,
        succeeded: status.succeeded,
        ..JobStatus::default()
    })
}
