//! The node: this machine.

use super::{Strategy, prepare_meta_for_update};
use crate::api::kinds::Kind;
use crate::api::nodes::{TAINT_UNSCHEDULABLE, unschedulable_taint};
use crate::api::status_error::FieldError;
use crate::api::{Node, validation};

impl Strategy for Node {
    const KIND: Kind = Kind::Node;

    /// Nobody creates a node: this machine registers itself.
    fn validate(&self) -> Vec<FieldError> {
        Vec::new()
    }

    /// The status is the machine's own, and a cordon shows as a taint.
    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = old.status.clone();
        let spec = self.spec.get_or_insert_default();
        let mut taints = spec.taints.take().unwrap_or_default();
        taints.retain(|taint| taint.key != TAINT_UNSCHEDULABLE);
        if spec.unschedulable == Some(true) {
            taints.push(unschedulable_taint());
        }
        spec.taints = (!taints.is_empty()).then_some(taints);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_node_update(self, old)
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}
