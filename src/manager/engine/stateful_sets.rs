//! What is decided for StatefulSets, taken into the state and into the commit.

use chrono::{DateTime, Utc};

use super::{Engine, Round};
use crate::api::meta::uid;
use crate::controller::SetAction;
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
            SetAction::CreateClaim(claim) => {
                let claim_uid = uid(&claim.metadata).to_owned();
                self.create_claim(*claim, &claim_uid, now, round);
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
