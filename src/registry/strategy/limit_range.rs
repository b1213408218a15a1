//! LimitRanges.

use k8s_openapi::api::core::v1::LimitRangeItem;

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{LimitRange, validation};

impl Strategy for LimitRange {
    const KIND: Kind = Kind::LimitRange;

    fn set_defaults(&mut self) {
        let limits = self.spec.iter_mut().flat_map(|spec| &mut spec.limits);
        for limit in limits.filter(|limit| limit.type_ == "Container") {
            set_container_limit_defaults(limit);
        }
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_limit_range(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_limit_range_update(self, old)
    }
}

/// Of a container: without a default it may have the most, and it asks for the default or, where there is none, the least.
fn set_container_limit_defaults(limit: &mut LimitRangeItem) {
    for (resource, most) in limit.max.iter().flatten() {
        limit.default.get_or_insert_default().entry(resource.clone()).or_insert_with(|| most.clone());
    }
    for (resource, default) in limit.default.iter().flatten() {
        limit
            .default_request
            .get_or_insert_default()
            .entry(resource.clone())
            .or_insert_with(|| default.clone());
    }
    for (resource, least) in limit.min.iter().flatten() {
        limit
            .default_request
            .get_or_insert_default()
            .entry(resource.clone())
            .or_insert_with(|| least.clone());
    }
}
