//! Namespaces that are being deleted go with the last pod in them.
//!
//! ConfigMaps and Secrets that belong to other objects go when those are gone, as upstream's garbage collector has it.

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, Utc};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::{Engine, Round};
use crate::api::Namespace;
use crate::api::kinds::{Key, Kind, RESOURCES};
use crate::api::meta::{is_held, uid};
use crate::registry::deletion::mark_held;
use crate::registry::object::Object;
use crate::store::Table;

impl Engine {
    /// Removes the namespaces that have waited for the pods that went in this pass.
    pub(super) fn collect_namespaces(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        let mut emptied = std::mem::take(&mut self.emptied_namespaces);
        emptied.retain(|name| self.world.live_pods_in(name).next().is_none());
        if emptied.is_empty() {
            return Ok(());
        }
        let (state, _) = self.store.read(&[Table::NAMESPACES])?;
        for name in emptied {
            let key = Key::new("", &name);
            let Some(stored) = state.get(Table::NAMESPACES, &key) else { continue };
            let mut namespace: Namespace = stored.parse()?;
            if namespace.metadata.deletion_timestamp.is_none() || self.has_content(&name, round)? {
                continue;
            }
            if is_held(&namespace.metadata) {
                if mark_held(&mut namespace.metadata, now) {
                    round.writes.put(namespace);
                }
            } else {
                round.say(|| format!("namespace/{name} removed"));
                round.writes.delete(Table::NAMESPACES, key);
            }
        }
        Ok(())
    }

    /// Removes what has had owners and has none any more. Looks only where something that may be an owner has gone.
    pub(super) fn collect_garbage(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        if !std::mem::take(&mut self.has_lost_owners) {
            return Ok(());
        }
        let is_garbage = |key: &Key, owners: &[OwnerReference]| {
            !owners.is_empty() && owners.iter().all(|owner| self.is_gone(&key.namespace, owner))
        };
        let garbage = self.config.all().filter(|(_, key, owners)| is_garbage(key, owners));
        let garbage: Vec<(Kind, Key)> = garbage.map(|(kind, key, _)| (kind, key.clone())).collect();
        let held = self.hold(&garbage, now, round)?;
        for (kind, key) in garbage.into_iter().filter(|one| !held.contains(one)) {
            round.say(|| format!("{}/{} removed: its owner is gone", kind.qualified_singular(), key.name));
            self.config.remove(kind, &key);
            round.writes.delete(Table::from(kind), key);
        }
        Ok(())
    }

    /// Marks those of the objects whose deletion somebody holds back, and names them.
    pub(super) fn hold(
        &self,
        objects: &[(Kind, Key)],
        now: DateTime<Utc>,
        round: &mut Round,
    ) -> Result<BTreeSet<(Kind, Key)>> {
        let mut held = BTreeSet::new();
        if objects.is_empty() {
            return Ok(held);
        }
        let tables: BTreeSet<Table> = objects.iter().map(|(kind, _)| Table::from(*kind)).collect();
        let (state, _) = self.store.read(&tables.into_iter().collect::<Vec<_>>())?;
        for (kind, key) in objects {
            let Some(stored) = state.get(Table::from(*kind), key) else { continue };
            let Some(object) = Object::read(*kind, stored.text) else { continue };
            let mut object = object?;
            if is_held(object.meta()) {
                held.insert((*kind, key.clone()));
                if mark_held(object.meta_mut(), now) {
                    round.writes.put(object);
                }
            }
        }
        Ok(held)
    }

    /// Whether anything but pods is left in a namespace: what somebody holds back.
    fn has_content(&self, namespace: &str, round: &Round) -> Result<bool> {
        let kinds = RESOURCES.iter().filter(|resource| resource.namespaced).map(|resource| resource.kind);
        let others = kinds.filter(|kind| !matches!(kind, Kind::Pod | Kind::Event) && !kind.is_derived());
        let tables: Vec<Table> = others.map(Table::from).collect();
        let (state, _) = self.store.read(&tables)?;
        let is_left = |table: Table, key: &Key| !round.writes.deletes(table, key);
        let within = |table: &Table| {
            let mut inside = state.objects(*table).filter(|(key, _)| *key.namespace == *namespace);
            inside.any(|(key, _)| is_left(*table, key))
        };
        Ok(tables.iter().any(within))
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
