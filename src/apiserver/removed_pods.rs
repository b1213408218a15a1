//! What is kept of pods that were removed while their Jobs live on: ours, so that the logs of every attempt can be shown.

use std::collections::BTreeMap;

use anyhow::Result;

use super::read::Read as _;
use super::transaction::Transaction;
use crate::api::Pod;
use crate::api::kinds::Key;
use crate::api::meta::key;
use crate::store::Table;

impl Transaction {
    /// Forgets the removed pods of some Jobs, given by uid; returns them by their Jobs' keys.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn prune_removed_pods(&mut self, jobs: &BTreeMap<String, Key>) -> Result<BTreeMap<Key, Vec<Pod>>> {
        let mut pruned: BTreeMap<Key, Vec<Pod>> = BTreeMap::new();
        for (job_uid, job) in jobs {
            for pod in self.owned::<Pod>(Table::RemovedPods, job_uid)? {
                self.remove(Table::RemovedPods, key(&pod.metadata))?;
                self.frees_room = true;
                pruned.entry(job.clone()).or_default().push(pod);
            }
        }
        Ok(pruned)
    }
}
