//! ConfigMaps and Secrets that belong to a Job or to another object: what becomes of them when it is not the controller's
//! garbage collection that decides.

use anyhow::Result;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};

use super::read::Read as _;
use super::transaction::Transaction;
use crate::api::ObjectMeta;
use crate::controller::pods::disown;
use crate::store::Table;

impl Transaction {
    /// Leaves them behind without an owner.
    pub(super) fn orphan_config(&mut self, owner: &str) -> Result<()> {
        self.change_config_of(owner, |meta| disown(meta, owner))
    }

    /// Hands them to the object that takes the owner's place.
    pub(super) fn hand_over_config(&mut self, old: &str, new: &str) -> Result<()> {
        self.change_config_of(old, |meta| {
            for owner in meta.owner_references.iter_mut().flatten() {
                if owner.uid == old {
                    new.clone_into(&mut owner.uid);
                }
            }
        })
    }

    fn change_config_of(&mut self, owner: &str, change: impl Fn(&mut ObjectMeta)) -> Result<()> {
        for mut config_map in self.owned::<ConfigMap>(Table::CONFIG_MAPS, owner)? {
            change(&mut config_map.metadata);
            self.put(config_map);
        }
        for mut secret in self.owned::<Secret>(Table::SECRETS, owner)? {
            change(&mut secret.metadata);
            self.put(secret);
        }
        Ok(())
    }
}
