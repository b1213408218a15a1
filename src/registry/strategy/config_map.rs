//! ConfigMaps.

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ConfigMap, validation};

impl Strategy for ConfigMap {
    const KIND: Kind = Kind::ConfigMap;

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_config_map(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_config_map_update(self, old)
    }
}
