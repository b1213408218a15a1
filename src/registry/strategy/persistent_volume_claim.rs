//! PersistentVolumeClaims: each is bound at once to a volume of its own, a directory of the data directory.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, TypedLocalObjectReference, TypedObjectReference,
};

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{PersistentVolumeClaim, validation};

/// What keeps a claim on a cluster as long as a pod uses it.
const FINALIZER: &str = "kubernetes.io/pvc-protection";
/// What is done for a claim without a class: upstream's name for the class that a fresh cluster has.
const BOUND: &str = "Bound";

impl Strategy for PersistentVolumeClaim {
    const KIND: Kind = Kind::PersistentVolumeClaim;

    fn set_defaults(&mut self) {
        set_claim_defaults(self.spec.get_or_insert_default());
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        let finalizers = self.metadata.finalizers.get_or_insert_default();
        if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            finalizers.push(FINALIZER.into());
        }
        self.status = Some(pending());
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_persistent_volume_claim(self)
    }

    /// The claim is bound to a volume that is as large as was asked for. A volume that a manifest names is taken by its name.
    fn canonicalize(&mut self) {
        let uid = self.metadata.uid.clone().unwrap_or_default();
        let Some(spec) = &mut self.spec else { return };
        spec.volume_name.get_or_insert_with(|| format!("pvc-{uid}"));
        self.status = Some(PersistentVolumeClaimStatus {
            phase: Some(BOUND.into()),
            access_modes: spec.access_modes.clone(),
            capacity: requested(spec),
            ..PersistentVolumeClaimStatus::default()
        });
    }

    /// A volume grows with what is asked for.
    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = old.status.clone();
        if let (Some(spec), Some(status)) = (&self.spec, &mut self.status)
            && self.spec != old.spec
        {
            status.capacity = requested(spec);
        }
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_persistent_volume_claim_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_persistent_volume_claim(self)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}

/// The status of a claim that nobody has looked at.
pub(super) fn pending() -> PersistentVolumeClaimStatus {
    PersistentVolumeClaimStatus { phase: Some("Pending".into()), ..PersistentVolumeClaimStatus::default() }
}

/// How large the volume is to be, and nothing else of the requests.
fn requested(
    spec: &PersistentVolumeClaimSpec,
) -> Option<std::collections::BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>> {
    let requests = spec.resources.as_ref()?.requests.as_ref()?;
    let storage = requests.get("storage")?;
    Some([("storage".to_owned(), storage.clone())].into())
}

/// Fills in what a server would for the spec of a claim (SetDefaults_PersistentVolumeClaimSpec). The two names of a data
/// source are kept in step.
pub(super) fn set_claim_defaults(spec: &mut PersistentVolumeClaimSpec) {
    spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(TypedLocalObjectReference { api_group, kind, name }), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: api_group.clone(),
                kind: kind.clone(),
                name: name.clone(),
                namespace: None,
            });
        }
        (None, Some(TypedObjectReference { api_group, kind, name, namespace: None })) => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: api_group.clone(),
                kind: kind.clone(),
                name: name.clone(),
            });
        }
        _ => {}
    }
}
