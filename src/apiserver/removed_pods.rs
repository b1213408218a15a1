//! What is kept of pods that were removed while their Jobs live on: ours, so that the logs of every attempt can be shown.

use std::collections::BTreeMap;

use anyhow::Result;

use super::transaction::Transaction;
use crate::api::Pod;
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key};
use crate::store::Table;

impl Transaction {
    /// Forgets the removed pods of some Jobs, given by uid; returns them by their Jobs' keys.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn prune_removed_pods(&mut self, jobs: &BTreeMap<String, Key>) -> Result<BTreeMap<Key, Vec<Pod>>> {
        self.frees_room = true;
        let mut pruned: BTreeMap<Key, Vec<Pod>> = BTreeMap::new();
        for pod in self.all::<Pod>(Table::RemovedPods, |_| true)? {
            if let Some(job) = controller_of(&pod.metadata).and_then(|owner| jobs.get(&owner.uid)) {
                self.writes.delete(Table::RemovedPods, key(&pod.metadata));
                pruned.entry(job.clone()).or_default().push(pod);
            }
        }
        Ok(pruned)
    }
}
