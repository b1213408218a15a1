//! Rules about the claim that a pod makes for an ephemeral volume (ValidatePersistentVolumeClaimTemplate).

use k8s_openapi::api::core::v1::PersistentVolumeClaimTemplate;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{claim_spec, metadata};
use crate::api::status_error::FieldError;

/// Everything wrong with a template of a claim.
pub(super) fn validate(template: &PersistentVolumeClaimTemplate, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(meta) = &template.metadata {
        errors.extend(validate_metadata(meta, &format!("{path}.metadata")));
    }
    errors.extend(claim_spec::validate(&template.spec, &format!("{path}.spec")));
    errors
}

/// Of the metadata only labels and annotations are the user's.
fn validate_metadata(meta: &ObjectMeta, path: &str) -> Vec<FieldError> {
    let mut errors =
        metadata::validate_annotations(meta.annotations.as_ref(), &format!("{path}.annotations"));
    errors.extend(metadata::validate_labels(meta.labels.as_ref(), &format!("{path}.labels")));
    let text = |field: &Option<String>| field.as_ref().is_some_and(|text| !text.is_empty());
    for (field, is_set) in [
        ("name", text(&meta.name)),
        ("generateName", text(&meta.generate_name)),
        ("namespace", text(&meta.namespace)),
        ("selfLink", text(&meta.self_link)),
        ("uID", text(&meta.uid)),
        ("resourceVersion", text(&meta.resource_version)),
        ("generation", meta.generation.is_some_and(|generation| generation != 0)),
        ("creationTimestamp", meta.creation_timestamp.is_some()),
        ("deletionTimestamp", meta.deletion_timestamp.is_some()),
        ("deletionGracePeriodSeconds", meta.deletion_grace_period_seconds.is_some()),
        ("ownerReferences", meta.owner_references.is_some()),
        ("finalizers", meta.finalizers.is_some()),
        ("managedFields", meta.managed_fields.is_some()),
    ] {
        if is_set {
            errors.push(FieldError::forbidden(format!("{path}.{field}"), "cannot be set"));
        }
    }
    errors
}
