//! What is decided for StatefulSets, taken into the state and into the commit.

use chrono::{DateTime, Utc};

use super::{Engine, Round};
use crate::api::meta::{name, uid};
use crate::controller::SetAction;
use crate::registry::strategy::Strategy as _;
use crate::registry::strategy::persistent_volume_claim::bind;
use crate::store::Table;

impl Engine {
    pub(super) fn take_set_action(&mut self, action: SetAction, now: DateTime<Utc>, round: &mut Round) {
        let sets = &mut self.world.stateful_sets;
        match action {
            SetAction::UpdateStatus(set) => {
                sets.put(Clone::clone(&set));
                round.writes.put(set);
            }
            SetAction::Remove(key) => {
                round.say(|| format!("statefulset.apps/{} removed", key.name));
                sets.remove(&key);
                round.writes.delete(Table::STATEFUL_SETS, key);
            }
            SetAction::CreateClaim(mut claim) => {
                round.say(|| format!("persistentvolumeclaim/{} created", name(&claim.metadata)));
                let claim_uid = uid(&claim.metadata).to_owned();
                claim.set_defaults();
                claim.prepare_for_create(&claim_uid, now);
                bind(&mut claim);
                self.world.put_claim(Clone::clone(&claim));
                round.writes.put(claim);
            }
            SetAction::UpdateClaim(claim) => {
                self.world.put_claim(Clone::clone(&claim));
                round.writes.put(claim);
            }
            SetAction::RemoveClaim(key) => {
                round.say(|| format!("persistentvolumeclaim/{} removed", key.name));
                self.claim_removed(&key, round);
                round.writes.delete(Table::CLAIMS, key);
            }
            SetAction::PutRevision(revision) => {
                sets.put_revision(Clone::clone(&revision));
                round.writes.put(revision);
            }
            SetAction::RemoveRevision(key) => {
                sets.remove_revision(&key);
                round.writes.delete(Table::CONTROLLER_REVISIONS, key);
            }
        }
    }
}
