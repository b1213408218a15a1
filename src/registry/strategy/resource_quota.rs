//! ResourceQuotas.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::ResourceQuotaStatus;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ResourceQuota, validation};

impl Strategy for ResourceQuota {
    const KIND: Kind = Kind::ResourceQuota;

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.status = Some(ResourceQuotaStatus::default());
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_resource_quota(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = old.status.clone();
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_resource_quota_update(self, old)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}
