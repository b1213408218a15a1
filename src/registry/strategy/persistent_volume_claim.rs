//! PersistentVolumeClaims: each is bound at once to a volume of its own, a directory of the data directory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaimSpec, PersistentVolumeClaimStatus, TypedLocalObjectReference, TypedObjectReference,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::meta::uid;
use crate::api::status_error::FieldError;
use crate::api::{PersistentVolumeClaim, validation};

/// What keeps a claim on a cluster as long as a pod uses it.
const FINALIZER: &str = "kubernetes.io/pvc-protection";
/// The phase of a claim that has a volume.
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

/// Binds a new claim to a volume of its own that is as large as was asked for, as the controller of volumes does on a cluster
/// a moment after the claim is created. A volume that a manifest names is taken by its name. The volume's directory is made
/// when a pod first mounts it, and goes with the claim.
pub fn bind(claim: &mut PersistentVolumeClaim) {
    let uid = uid(&claim.metadata).to_owned();
    let Some(spec) = &mut claim.spec else { return };
    spec.volume_name.get_or_insert_with(|| format!("pvc-{uid}"));
    claim.status = Some(PersistentVolumeClaimStatus {
        phase: Some(BOUND.into()),
        access_modes: spec.access_modes.clone(),
        capacity: requested(spec),
        ..PersistentVolumeClaimStatus::default()
    });
}

/// The status of a claim that nobody has looked at.
pub(super) fn pending() -> PersistentVolumeClaimStatus {
    PersistentVolumeClaimStatus { phase: Some("Pending".into()), ..PersistentVolumeClaimStatus::default() }
}

/// How large the volume is to be, and nothing else of the requests.
fn requested(spec: &PersistentVolumeClaimSpec) -> Option<BTreeMap<String, Quantity>> {
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim(spec: &Value) -> PersistentVolumeClaim {
        let mut claim: PersistentVolumeClaim =
            serde_json::from_value(json!({"metadata": {"name": "c"}, "spec": spec})).expect("a claim");
        claim.set_defaults();
        claim.prepare_for_create("u-1", DateTime::UNIX_EPOCH);
        claim
    }

    #[test]
    fn a_claim_is_bound_to_a_volume_of_the_size_that_it_asks_for() {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi", "x": "1"}}});
        let mut bound = claim(&spec);
        let phase =
            |claim: &PersistentVolumeClaim| claim.status.as_ref().and_then(|status| status.phase.clone());
        assert_eq!(phase(&bound).as_deref(), Some("Pending"), "as it is answered");
        bind(&mut bound);
        let shown = serde_json::to_value(&bound).expect("JSON");
        assert_eq!(shown["spec"]["volumeName"], "pvc-u-1");
        assert_eq!(
            shown["status"],
            json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}})
        );
        let mut grown = shown;
        grown["spec"]["resources"]["requests"]["storage"] = json!("2Gi");
        grown["status"] = json!({"phase": "Lost"});
        let mut grown: PersistentVolumeClaim = serde_json::from_value(grown).expect("a claim");
        grown.prepare_for_update(&bound);
        assert_eq!(phase(&grown).as_deref(), Some("Bound"));
        let capacity = grown.status.and_then(|status| status.capacity).expect("a capacity");
        assert_eq!(capacity["storage"], Quantity("2Gi".into()));
    }

    #[test]
    fn a_named_volume_and_a_data_source_are_kept() {
        let mut bound = claim(
            &json!({"volumeName": "mine", "dataSource": {"kind": "PersistentVolumeClaim", "name": "o"}}),
        );
        bind(&mut bound);
        let spec = bound.spec.expect("a spec");
        assert_eq!(spec.volume_name.as_deref(), Some("mine"));
        assert_eq!(spec.data_source_ref.map(|source| source.name).as_deref(), Some("o"));
    }
}
