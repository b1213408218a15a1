//! Label and field selectors: parsing with upstream's messages, matching, and printing back.
//! Knows nothing of where objects are kept.

use crate::api::quoted::quoted;

pub mod field;
pub mod label;

pub use field::FieldSelector;
pub use label::LabelSelector;

/// The text of the BadRequest an API server sends for a selector it cannot use.
///
/// `resource` is `batch/v1, Resource=jobs` (core: `/v1, Resource=pods`); the two selectors are the
/// texts the user gave.
pub fn unusable_selector(resource: &str, label: &str, field: &str, reason: &str) -> String {
    format!(
        "Unable to find {resource} that match label selector {label}, field selector {field}: {reason}",
        resource = quoted(resource),
        label = quoted(label),
        field = quoted(field)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bad_request_names_resource_and_both_selectors() {
        assert_eq!(
            unusable_selector(
                "batch/v1, Resource=jobs",
                "",
                "foo=bar",
                "field label \"foo\" not supported for Job"
            ),
            "Unable to find \"batch/v1, Resource=jobs\" that match label selector \"\", field selector \
             \"foo=bar\": field label \"foo\" not supported for Job"
        );
    }
}
