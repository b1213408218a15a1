//! NetworkPolicies.

use chrono::{DateTime, Utc};

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update, raise_generation};
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{NetworkPolicy, validation};

impl Strategy for NetworkPolicy {
    const KIND: Kind = Kind::NetworkPolicy;

    fn set_defaults(&mut self) {
        let Some(spec) = &mut self.spec else { return };
        let ingress = spec.ingress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        let egress = spec.egress.iter_mut().flatten().flat_map(|rule| rule.ports.iter_mut().flatten());
        for port in ingress.chain(egress) {
            port.protocol.get_or_insert_with(|| "TCP".into());
        }
        if spec.policy_types.as_ref().is_none_or(Vec::is_empty) {
            let mut types = vec!["Ingress".to_owned()];
            if spec.egress.as_ref().is_some_and(|rules| !rules.is_empty()) {
                types.push("Egress".into());
            }
            spec.policy_types = Some(types);
        }
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.metadata.generation = Some(1);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_network_policy(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        raise_generation(&mut self.metadata, &old.metadata, self.spec != old.spec);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_network_policy_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_network_policy(self)
    }
}
