//! Rules about paths in manifests and modes of files (validateLocalDescendingPath, ValidateLocalNonReservedPath).

use super::quoted;
use crate::api::status_error::FieldError;

/// What is said of the mode of a file that is none.
const MODE: &str = "must be a number between 0 and 0777 (octal), both inclusive";

/// A path that leads upwards somewhere.
pub(super) fn without_backsteps(text: &str, field: &str) -> Option<FieldError> {
    let leads_up = text.split('/').any(|part| part == "..");
    leads_up.then(|| FieldError::invalid(field, quoted(text), "must not contain '..'"))
}

/// A path that has to stay below where it begins.
pub(super) fn descending(text: &str, field: &str) -> Vec<FieldError> {
    let absolute = text.starts_with('/');
    let absolute = absolute.then(|| FieldError::invalid(field, quoted(text), "must be a relative path"));
    absolute.into_iter().chain(without_backsteps(text, field)).collect()
}

/// A path of a file that is to be made: names that begin with two dots are the volume's own.
pub(super) fn local(text: &str, field: &str) -> Vec<FieldError> {
    let mut errors = descending(text, field);
    // What leads upwards has been told.
    if text.starts_with("..") && !text.starts_with("../") {
        errors.push(FieldError::invalid(field, quoted(text), "must not start with '..'"));
    }
    errors
}

/// The mode of a file.
pub(super) fn mode(mode: Option<i32>, field: &str) -> Option<FieldError> {
    let mode = mode.filter(|mode| !(0..=0o777).contains(mode))?;
    Some(FieldError::invalid(field, mode, MODE))
}

/// A text that has to be there.
pub(super) fn required(text: &str, field: &str) -> Option<FieldError> {
    text.is_empty().then(|| FieldError::required(field, ""))
}
