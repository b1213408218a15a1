//! Whose pods take how much of the disk.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use anyhow::Result;

use crate::api::Pod;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, uid};
use crate::kubelet::actions::claim_of_directory;
use crate::store::{DiskUse, State, Table};

/// An object, and what its pods take, or the claim itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// As `job.batch/x`, or the kind of controller that somebody else has.
    pub title: String,
    /// Where it is.
    pub namespace: String,
    /// How many pods it has that have a directory; those that were removed while it lives, too.
    pub pods: usize,
    /// What their directories take, with logs and volumes.
    pub bytes: u64,
}

/// What each Job, StatefulSet, pod of nobody, and claim takes, the most first.
///
/// # Errors
/// A damaged object.
pub fn holders(state: &State, used: &DiskUse) -> Result<Vec<Holder>> {
    let pods: BTreeMap<&str, u64> = used.pods.iter().map(|(uid, bytes)| (uid.as_str(), *bytes)).collect();
    let mut holders: BTreeMap<(String, String), Holder> = BTreeMap::new();
    let mut add = |title: String, key: &Key, pods: usize, bytes: u64| {
        let namespace = key.namespace.to_string();
        let holder = holders.entry((title.clone(), namespace.clone())).or_insert(Holder {
            title,
            namespace,
            pods: 0,
            bytes: 0,
        });
        holder.pods += pods;
        holder.bytes += bytes;
    };
    for table in [Table::PODS, Table::RemovedPods] {
        for (key, object) in state.objects(table) {
            let pod: Pod = object.parse()?;
            let Some(bytes) = pods.get(uid(&pod.metadata)) else { continue };
            let (kind, name) = match controller_of(&pod.metadata) {
                Some(owner) => (owner.kind.as_str(), owner.name.as_str()),
                None => ("Pod", &*key.name),
            };
            let kind = Kind::from_name(kind).map_or_else(|| kind.to_owned(), Kind::qualified_singular);
            add(format!("{kind}/{name}"), key, 1, *bytes);
        }
    }
    for (directory, bytes) in &used.claims {
        if let Some((claim, _)) = claim_of_directory(directory) {
            let kind = Kind::PersistentVolumeClaim.qualified_singular();
            add(format!("{kind}/{}", claim.name), &claim, 0, *bytes);
        }
    }
    let mut holders: Vec<Holder> = holders.into_values().collect();
    holders.sort_by_key(|holder| Reverse(holder.bytes));
    Ok(holders)
}
