//! What is decided for StatefulSets, taken into the state and into the commit.

use chrono::{DateTime, Utc};

use super::{Engine, Round};
use crate::api::StatefulSet;
use crate::api::meta::{is_held, uid};
use crate::controller::SetAction;
use crate::registry::deletion::mark_held;
use crate::store::Table;

impl Engine {
    pub(super) fn take_set_action(&mut self, action: SetAction, now: DateTime<Utc>, round: &mut Round) {
        let sets = &mut self.world.stateful_sets;
        match action {
            SetAction::UpdateStatus(set) => {
                sets.put(Clone::clone(&set));
                round.writes.put(set);
            }
            SetAction::Remove(key) if sets.get(&key).is_some_and(|set| is_held(&set.metadata)) => {
                if let Some(mut set) = sets.get(&key).map(|set| StatefulSet::clone(set))
                    && mark_held(&mut set.metadata, now)
                {
                    sets.put(set.clone());
                    round.writes.put(set);
                }
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
