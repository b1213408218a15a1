//! Which pods are a Job's: those it controls, those it adopts and those it lets go (kubernetes-behaviour 2.2).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sync;
use crate::api::meta::{namespace, uid};
use crate::api::selectors::LabelSelector;
use crate::api::{JobSpec, Pod};
use crate::controller::{Action, pods};

impl Sync<'_> {
    /// The Job's pods that are not done. A pod that has its labels and no owner is adopted, one that has lost them is
    /// released.
    pub(super) fn claim_pods(&mut self) -> Vec<Arc<Pod>> {
        let owned = self.world.live_pods_of(uid(&self.job.metadata));
        let (mut claimed, released): (Vec<_>, Vec<_>) =
            owned.cloned().partition(|pod| is_selected(self.spec, pod).unwrap_or(true));
        for pod in released {
            let mut free = Pod::clone(&pod);
            pods::release(&mut free, self.job);
            self.actions.push(Action::UpdatePod(Box::new(free)));
        }
        for pod in self.world.orphans_in(namespace(&self.job.metadata)) {
            if pod.metadata.deletion_timestamp.is_none() && is_selected(self.spec, pod) == Some(true) {
                let mut own = Pod::clone(pod);
                pods::adopt(&mut own, self.job);
                self.actions.push(Action::UpdatePod(Box::new(own.clone())));
                claimed.push(Arc::new(own));
            }
        }
        claimed
    }
}

/// Whether the Job's selector matches the pod's labels; none where the Job has no selector.
fn is_selected(spec: &JobSpec, pod: &Pod) -> Option<bool> {
    let selector = spec.selector.as_ref()?;
    let empty = BTreeMap::new();
    let labels = pod.metadata.labels.as_ref().unwrap_or(&empty);
    if selector.match_expressions.is_none() {
        let wanted = selector.match_labels.as_ref()?;
        return Some(wanted.iter().all(|(key, value)| labels.get(key) == Some(value)));
    }
    Some(LabelSelector::from_object(selector).is_ok_and(|selector| selector.matches(labels)))
}
