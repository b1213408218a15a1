//! Secrets.

use k8s_openapi::ByteString;

use super::{Strategy, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{Secret, validation};

impl Strategy for Secret {
    const KIND: Kind = Kind::Secret;

    fn set_defaults(&mut self) {
        // What is given as text wins over what is given encoded.
        for (key, text) in self.string_data.take().into_iter().flatten() {
            self.data.get_or_insert_default().insert(key, ByteString(text.into_bytes()));
        }
        self.type_.get_or_insert_with(|| "Opaque".into());
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_secret(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        // An update that says no type means the one that is there.
        if self.type_.as_deref().is_none_or(str::is_empty) {
            self.type_ = old.type_.clone();
        }
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_secret_update(self, old)
    }
}
