//! CronJobs.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update, raise_generation};
use crate::api::compatibility::{self, Findings};
use crate::api::disabled_fields::drop_disabled_fields;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{CronJob, CronJobStatus, defaults, validation};

impl Strategy for CronJob {
    const KIND: Kind = Kind::CronJob;

    fn set_defaults(&mut self) {
        defaults::set_cron_job_defaults(self);
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.metadata.generation = Some(1);
        self.status = Some(CronJobStatus::default());
        drop_disabled(self);
        complete(self);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_cron_job(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = Some(old.status.clone().unwrap_or_default());
        drop_disabled(self);
        complete(self);
        raise_generation(&mut self.metadata, &old.metadata, self.spec != old.spec);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_cron_job_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_cron_job(self)
    }

    fn findings(manifest: &Value) -> Findings {
        compatibility::check_cron_job(manifest)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}

/// What a cluster always shows, empty or not: clients compare what they read with what a request has answered.
fn complete(cron_job: &mut CronJob) {
    if let Some(spec) = &mut cron_job.spec {
        spec.job_template.metadata.get_or_insert_default();
    }
}

fn drop_disabled(cron_job: &mut CronJob) {
    let job = cron_job.spec.as_mut().and_then(|spec| spec.job_template.spec.as_mut());
    if let Some(spec) = job.and_then(|spec| spec.template.spec.as_mut()) {
        drop_disabled_fields(spec);
    }
}
