//! ServiceAccounts.

use super::Strategy;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{ServiceAccount, validation};

impl Strategy for ServiceAccount {
    const KIND: Kind = Kind::ServiceAccount;

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_service_account(self)
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_service_account_update(self, old)
    }
}
