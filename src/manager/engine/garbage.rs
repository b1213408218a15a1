//! Namespaces that are being deleted go with the last pod in them.
//!
//! ConfigMaps and Secrets that belong to other objects go when those are gone, as upstream's garbage collector has it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{Engine, Round};
use crate::api::Namespace;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::store::Table;
use anyhow::Result;

impl Engine {
    /// Removes the namespaces that have waited for the pods that went in this pass.
    pub(super) fn collect_namespaces(&mut self, round: &mut Round) -> Result<()> {
        let mut emptied = std::mem::take(&mut self.emptied_namespaces);
        emptied.retain(|name| self.world.live_pods_in(name).next().is_none());
        if emptied.is_empty() {
            return Ok(());
        }
        let (state, _) = self.store.read(&[Table::NAMESPACES])?;
        for name in emptied {
            let key = Key::new("", &name);
            let Some(stored) = state.get(Table::NAMESPACES, &key) else { continue };
            let namespace: Namespace = stored.parse()?;
            if namespace.metadata.deletion_timestamp.is_some() {
                round.say(|| format!("namespace/{name} removed"));
                round.writes.delete(Table::NAMESPACES, key);
            }
        }
        Ok(())
    }

    /// Removes what has had owners and has none any more. Looks only where something that may be an owner has gone.
    pub(super) fn collect_garbage(&mut self, round: &mut Round) {
        if !std::mem::take(&mut self.has_lost_owners) {
            return;
        }
        let is_garbage = |key: &Key, owners: &[OwnerReference]| {
            !owners.is_empty() && owners.iter().all(|owner| self.is_gone(&key.namespace, owner))
        };
        let garbage = self.config.all().filter(|(_, key, owners)| is_garbage(key, owners));
        let garbage: Vec<(Kind, Key)> = garbage.map(|(kind, key, _)| (kind, key.clone())).collect();
        for (kind, key) in garbage {
            round.say(|| format!("{}/{} removed: its owner is gone", kind.qualified_singular(), key.name));
            self.config.remove(kind, &key);
            round.writes.delete(Table::from(kind), key);
        }
    }

    /// Whether an owner is gone. Of kinds that this place does not know nobody can say so.
    fn is_gone(&self, namespace: &str, owner: &OwnerReference) -> bool {
        let key = Key::new(namespace, &owner.name);
        let found = match owner.kind.as_str() {
            "Job" => self.world.job_uid(&key),
            "Pod" => self.world.pod_uid(&key),
            "CronJob" => self.world.cron_jobs.get(&key).map(|found| uid(&found.metadata)),
            "StatefulSet" => self.world.stateful_sets.get(&key).map(|found| uid(&found.metadata)),
            _ => return false,
        };
        found != Some(owner.uid.as_str())
    }
}
