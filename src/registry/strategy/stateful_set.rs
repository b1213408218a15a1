//! StatefulSets.

use chrono::{DateTime, Utc};
use k8s_openapi::api::apps::v1::{
    RollingUpdateStatefulSetStrategy, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec,
    StatefulSetStatus,
};

use serde_json::Value;

use super::persistent_volume_claim::{pending, set_claim_defaults};
use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update, raise_generation};
use crate::api::compatibility::{self, Findings};
use crate::api::disabled_fields::drop_disabled_fields;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{StatefulSet, defaults, validation};

impl Strategy for StatefulSet {
    const KIND: Kind = Kind::StatefulSet;

    fn set_defaults(&mut self) {
        set_stateful_set_defaults(self.spec.get_or_insert_default());
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.metadata.generation = Some(1);
        drop_disabled(self);
        self.status = Some(StatefulSetStatus { available_replicas: Some(0), ..StatefulSetStatus::default() });
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_stateful_set(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = old.status.clone();
        drop_disabled(self);
        raise_generation(&mut self.metadata, &old.metadata, self.spec != old.spec);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_stateful_set_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_stateful_set(self)
    }

    /// Beside what is valid by its type: whether there is a selector.
    fn findings(manifest: &Value) -> Findings {
        let mut findings = compatibility::check_stateful_set(manifest);
        findings.refused.splice(0..0, validation::validate_missing_selector(manifest));
        findings
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}

fn drop_disabled(set: &mut StatefulSet) {
    if let Some(spec) = set.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()) {
        drop_disabled_fields(spec);
    }
}

/// Fills in what a server would (SetDefaults_StatefulSet).
fn set_stateful_set_defaults(spec: &mut StatefulSetSpec) {
    spec.replicas.get_or_insert(1);
    spec.revision_history_limit.get_or_insert(10);
    spec.pod_management_policy.get_or_insert_with(|| "OrderedReady".into());
    let strategy = spec.update_strategy.get_or_insert_default();
    strategy.type_.get_or_insert_with(|| "RollingUpdate".into());
    if strategy.type_.as_deref() == Some("RollingUpdate") {
        let rolling: &mut RollingUpdateStatefulSetStrategy = strategy.rolling_update.get_or_insert_default();
        rolling.partition.get_or_insert(0);
    }
    let retention: &mut StatefulSetPersistentVolumeClaimRetentionPolicy =
        spec.persistent_volume_claim_retention_policy.get_or_insert_default();
    retention.when_deleted.get_or_insert_with(|| "Retain".into());
    retention.when_scaled.get_or_insert_with(|| "Retain".into());
    defaults::set_template_defaults(&mut spec.template);
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        set_claim_defaults(claim.spec.get_or_insert_default());
        claim.status.get_or_insert_with(pending);
    }
}
