//! The StatefulSet controller: pods with names that stay, made and ended one after the other.

mod claims;
mod pods;
mod revisions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use k8s_openapi::api::apps::v1::{StatefulSetSpec, StatefulSetStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::pods::{disown, mark_deleted, owner_of};
use super::stateful_sets::split_name;
use super::ttl::remove_dependents;
use super::{Action, Plan, SetAction, World};
use crate::api::conditions::{is_pod_finished, is_pod_ready, pod_condition, pod_phase};
use crate::api::durations::after;
use crate::api::events::{EventRecord, Reference};
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, label, name, namespace, uid};
use crate::api::selectors::LabelSelector;
use crate::api::{Pod, StatefulSet};
use revisions::Revisions;

/// The component that Events of this controller name.
const SOURCE: &str = "statefulset-controller";
/// Label on every pod of a set: the revision that it was made of.
const LABEL_REVISION: &str = "controller-revision-hash";

/// Syncs the named StatefulSets. One that is not named costs nothing. `seed` makes the uids of what is new.
pub fn reconcile_stateful_sets(world: &World, sets: &BTreeSet<Key>, now: DateTime<Utc>, seed: u64) -> Plan {
    let mut plan = Plan::default();
    let mut random = fastrand::Rng::with_seed(seed);
    for key in sets {
        let wake = world.stateful_sets.get(key).and_then(|set| {
            let spec = set.spec.as_ref()?;
            let actions = &mut plan.actions;
            let mut sync = Sync { world, set, spec, now, random: &mut random, actions, wake: None };
            if set.metadata.deletion_timestamp.is_some() {
                sync.delete_in_foreground();
            } else {
                sync.run();
            }
            sync.wake
        });
        plan.wakes.insert(key.clone(), wake);
    }
    plan
}

/// The name of the pod with an ordinal.
fn pod_name(set: &StatefulSet, ordinal: i32) -> String {
    format!("{}-{ordinal}", name(&set.metadata))
}

fn owner_reference(set: &StatefulSet) -> OwnerReference {
    owner_of("apps/v1", "StatefulSet", &set.metadata)
}

/// Who has the place of an ordinal.
enum Member {
    /// A pod of the set.
    Pod(Arc<Pod>),
    /// A pod of the set that has ended, and is to make way for another.
    Ended(Key),
    /// A pod of the same name that is not the set's.
    Stranger,
}

impl Member {
    fn pod(&self) -> Option<&Arc<Pod>> {
        match self {
            Self::Pod(pod) => Some(pod),
            Self::Ended(_) | Self::Stranger => None,
        }
    }
}

fn is_terminating(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

fn is_running_and_ready(pod: &Pod) -> bool {
    pod_phase(pod) == "Running" && is_pod_ready(pod)
}

fn revision_of(pod: &Pod) -> &str {
    label(&pod.metadata, LABEL_REVISION).unwrap_or_default()
}

/// One sync: what it started from, and what it has decided so far.
struct Sync<'a> {
    world: &'a World,
    set: &'a Arc<StatefulSet>,
    spec: &'a StatefulSetSpec,
    now: DateTime<Utc>,
    random: &'a mut fastrand::Rng,
    actions: &'a mut Vec<Action>,
    wake: Option<DateTime<Utc>>,
}

impl Sync<'_> {
    fn run(&mut self) {
        let gone: Vec<Key> = claims::abandoned(self.world, self.set).collect();
        let is_waiting_for_claims = !gone.is_empty();
        self.actions.extend(gone.into_iter().map(SetAction::RemoveClaim).map(Action::OfStatefulSet));
        let revisions = Revisions::of(self.world, self.set, self.now, self.random, self.actions);
        let members = self.members();
        // What is to be removed has the names of what is to come.
        if !is_waiting_for_claims {
            self.manage_pods(&members, &revisions);
        }
        let pods = || members.values().filter_map(Member::pod);
        let status = self.status(pods().map(|pod| &**pod), &revisions);
        revisions.truncate(self.set, pods().map(|pod| revision_of(pod)), self.actions);
        if self.set.status.as_ref() != Some(&status) {
            let changed = StatefulSet { status: Some(status), ..StatefulSet::clone(self.set) };
            self.actions.push(Action::OfStatefulSet(SetAction::UpdateStatus(Box::new(changed))));
        }
    }

    fn start(&self) -> i32 {
        self.spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0)
    }

    /// The ordinals that the set is to have.
    fn wanted(&self) -> std::ops::Range<i32> {
        let start = self.start();
        start..start.saturating_add(self.spec.replicas.unwrap_or(1))
    }

    /// Each pod by its ordinal. Pods that nobody controls become the set's where they have its labels and such a name; those
    /// that do not have its labels any more are let go.
    fn members(&mut self) -> BTreeMap<i32, Member> {
        let (world, set) = (self.world, self.set);
        let owner = uid(&set.metadata);
        let none = BTreeMap::new();
        let selector = LabelSelector::from_object(&self.spec.selector).ok();
        let is_selected = |pod: &Pod| {
            let labels = pod.metadata.labels.as_ref().unwrap_or(&none);
            selector.as_ref().is_some_and(|selector| selector.matches(labels))
        };
        let ordinal_of = |pod: &str| {
            let (parent, ordinal) = split_name(pod)?;
            (parent == name(&set.metadata)).then_some(ordinal)
        };
        let mut members = BTreeMap::new();
        for pod in world.live_pods_of(owner) {
            if !is_selected(pod) {
                let mut released = Pod::clone(pod);
                disown(&mut released.metadata, owner);
                self.actions.push(Action::UpdatePod(Box::new(released)));
            } else if let Some(ordinal) = ordinal_of(name(&pod.metadata)) {
                members.insert(ordinal, Member::Pod(Arc::clone(pod)));
            }
        }
        for key in world.done_pods_of(owner) {
            if let Some(ordinal) = ordinal_of(&key.name) {
                members.insert(ordinal, Member::Ended(key.clone()));
            }
        }
        for pod in world.orphans_named(namespace(&set.metadata), &format!("{}-", name(&set.metadata))) {
            let Some(ordinal) = ordinal_of(name(&pod.metadata)) else { continue };
            if is_selected(pod) && !is_terminating(pod) {
                let mut adopted = Pod::clone(pod);
                adopted.metadata.owner_references.get_or_insert_default().push(owner_reference(set));
                self.actions.push(Action::UpdatePod(Box::new(adopted.clone())));
                members.insert(ordinal, Member::Pod(Arc::new(adopted)));
            }
        }
        for ordinal in self.wanted() {
            let place = Key::new(namespace(&set.metadata), &pod_name(set, ordinal));
            if !members.contains_key(&ordinal) && world.pod(&place).is_some() {
                members.insert(ordinal, Member::Stranger);
            }
        }
        members
    }

    /// Whether a pod has been ready for `minReadySeconds`. Where that is a matter of time, the set is looked at again.
    fn is_available(&mut self, pod: &Pod) -> bool {
        if !is_running_and_ready(pod) {
            return false;
        }
        let seconds = self.spec.min_ready_seconds.unwrap_or(0);
        let since = pod_condition(pod, "Ready").and_then(|ready| ready.last_transition_time.as_ref());
        let Some(since) = since.filter(|_| seconds > 0) else { return seconds == 0 };
        let at = after(since.0, i64::from(seconds));
        if at > self.now {
            self.wake = Some(self.wake.map_or(at, |earlier| earlier.min(at)));
        }
        at <= self.now
    }

    fn is_unavailable(&mut self, member: Option<&Member>) -> bool {
        match member.and_then(Member::pod) {
            Some(pod) => !self.is_available(pod) || is_terminating(pod),
            None => true,
        }
    }

    /// Makes what is missing, ends what is too many, renews what is of another form; in that order, and with `OrderedReady`
    /// one after the other.
    fn manage_pods(&mut self, members: &BTreeMap<i32, Member>, revisions: &Revisions) {
        let one_by_one = self.spec.pod_management_policy.as_deref() != Some("Parallel");
        let wanted = self.wanted();
        for ordinal in wanted.clone() {
            let goes_on = self.manage_replica(ordinal, members.get(&ordinal), revisions);
            if one_by_one && !goes_on {
                return;
            }
        }
        let condemned: Vec<(i32, &Arc<Pod>)> = members
            .iter()
            .rev()
            .filter(|(ordinal, _)| !wanted.contains(ordinal))
            .filter_map(|(ordinal, member)| Some((*ordinal, member.pod()?)))
            .collect();
        for (ordinal, pod) in &condemned {
            claims::keep_owners(self.world, self.set, pod, *ordinal, true, self.actions);
        }
        for (ordinal, member) in members.iter().rev() {
            if let Member::Ended(key) = member
                && !wanted.contains(ordinal)
            {
                self.actions.push(Action::RemovePod(key.clone()));
            }
        }
        // Of those that are too many, one that is not well goes in its turn only where all others are.
        let first_unavailable =
            condemned.iter().rev().find(|(_, pod)| !self.is_available(pod) || is_terminating(pod));
        let first_unavailable = first_unavailable.map(|(ordinal, _)| *ordinal);
        for (ordinal, pod) in &condemned {
            if is_terminating(pod) {
                if one_by_one {
                    return;
                }
                continue;
            }
            if one_by_one && !self.is_available(pod) && first_unavailable != Some(*ordinal) {
                return;
            }
            self.delete_pod(pod);
            if one_by_one {
                return;
            }
        }
        self.renew(members, revisions);
    }

    /// Whether those after it may have their turn.
    fn manage_replica(&mut self, ordinal: i32, member: Option<&Member>, revisions: &Revisions) -> bool {
        match member {
            Some(Member::Stranger) => false,
            Some(Member::Ended(key)) => {
                self.event("Normal", "SuccessfulDelete", &self.told("delete", &key.name));
                self.actions.push(Action::RemovePod(key.clone()));
                false
            }
            None => {
                self.create_pod(ordinal, revisions);
                false
            }
            Some(Member::Pod(pod)) => {
                if is_terminating(pod) {
                    return false;
                }
                if pod_phase(pod) == "Pending" {
                    self.create_claims(ordinal);
                }
                claims::keep_owners(self.world, self.set, pod, ordinal, false, self.actions);
                self.is_available(pod)
            }
        }
    }

    /// Ends pods of an older form, the highest ordinal first, as many at a time as may be missing.
    fn renew(&mut self, members: &BTreeMap<i32, Member>, revisions: &Revisions) {
        let strategy = self.spec.update_strategy.as_ref();
        if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
            return;
        }
        let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
        let partition = rolling.and_then(|rolling| rolling.partition).unwrap_or(0);
        let replicas = self.spec.replicas.unwrap_or(1);
        let most = most_unavailable(rolling.and_then(|rolling| rolling.max_unavailable.as_ref()), replicas);
        let update = name(&revisions.update.metadata);
        let wanted = self.wanted();
        let turns = (self.start().saturating_add(partition)..wanted.end).rev();
        let is_old = |pod: &Pod| revision_of(pod) != update && !is_terminating(pod);
        if most == 1 {
            for ordinal in turns {
                let member = members.get(&ordinal);
                if let Some(pod) = member.and_then(Member::pod).filter(|pod| is_old(pod)) {
                    return self.delete_pod(pod);
                }
                // What has been renewed must be well before the next.
                if self.is_unavailable(member) {
                    return;
                }
            }
            return;
        }
        let missing = wanted.filter(|ordinal| self.is_unavailable(members.get(ordinal))).count();
        let old = turns.filter_map(|ordinal| members.get(&ordinal)?.pod()).filter(|pod| is_old(pod));
        old.take(most.saturating_sub(missing)).for_each(|pod| self.delete_pod(pod));
    }

    fn create_claims(&mut self, ordinal: i32) {
        let pod = pod_name(self.set, ordinal);
        for claim in claims::missing(self.world, self.set, ordinal, self.random) {
            let (claim_name, set) = (name(&claim.metadata), name(&self.set.metadata));
            let message = format!("create Claim {claim_name} Pod {pod} in StatefulSet {set} success");
            self.event("Normal", "SuccessfulCreate", &message);
            self.actions.push(Action::OfStatefulSet(SetAction::CreateClaim(Box::new(claim))));
        }
    }

    fn create_pod(&mut self, ordinal: i32, revisions: &Revisions) {
        let partition = self.spec.update_strategy.as_ref().and_then(|strategy| {
            let rolling = strategy.rolling_update.as_ref()?;
            (strategy.type_.as_deref() == Some("RollingUpdate")).then_some(rolling.partition.unwrap_or(0))
        });
        let stays = partition.is_some_and(|partition| ordinal < self.start().saturating_add(partition));
        let revision = if stays { &revisions.current } else { &revisions.update };
        let pod = match pods::new_pod(self.world, self.set, revision, ordinal, self.now, self.random) {
            Ok(pod) => pod,
            Err(why) => {
                let (pod, set) = (pod_name(self.set, ordinal), name(&self.set.metadata));
                let message = format!("create Pod {pod} in StatefulSet {set} failed error: {why}");
                return self.event("Warning", "FailedCreate", &message);
            }
        };
        self.create_claims(ordinal);
        self.event("Normal", "SuccessfulCreate", &self.told("create", name(&pod.metadata)));
        self.actions.push(Action::CreatePod(Box::new(pod)));
    }

    fn delete_pod(&mut self, pod: &Arc<Pod>) {
        let mut deleted = Pod::clone(pod);
        mark_deleted(&mut deleted, None, self.now);
        self.event("Normal", "SuccessfulDelete", &self.told("delete", name(&pod.metadata)));
        self.actions.push(Action::UpdatePod(Box::new(deleted)));
    }

    fn told(&self, verb: &str, pod: &str) -> String {
        format!("{verb} Pod {pod} in StatefulSet {} successful", name(&self.set.metadata))
    }

    fn event(&mut self, type_: &str, reason: &str, message: &str) {
        let meta = &self.set.metadata;
        let about = Reference {
            kind: "StatefulSet".into(),
            api_version: "apps/v1".into(),
            namespace: namespace(meta).into(),
            name: name(meta).into(),
            uid: uid(meta).into(),
            field_path: None,
        };
        self.actions
            .push(Action::RecordEvent(EventRecord::new(about, type_, SOURCE, reason, message, self.now)));
    }

    fn status<'p>(
        &mut self,
        pods: impl Iterator<Item = &'p Pod>,
        revisions: &Revisions,
    ) -> StatefulSetStatus {
        let (current, update) = (name(&revisions.current.metadata), name(&revisions.update.metadata));
        let mut status = StatefulSetStatus {
            observed_generation: self.set.metadata.generation,
            current_revision: Some(current.to_owned()),
            update_revision: Some(update.to_owned()),
            collision_count: Some(revisions.collision_count),
            conditions: self.set.status.as_ref().and_then(|status| status.conditions.clone()),
            ..StatefulSetStatus::default()
        };
        let [mut ready, mut available, mut of_current, mut of_update] = [0; 4];
        for pod in pods {
            status.replicas += 1;
            ready += i32::from(is_running_and_ready(pod));
            available += i32::from(self.is_available(pod));
            if !is_terminating(pod) {
                of_current += i32::from(revision_of(pod) == current);
                of_update += i32::from(revision_of(pod) == update);
            }
        }
        let is_rolling =
            self.spec.update_strategy.as_ref().is_none_or(|one| one.type_.as_deref() != Some("OnDelete"));
        if is_rolling && [of_update, ready, status.replicas] == [self.spec.replicas.unwrap_or(1); 3] {
            of_current = of_update;
            status.current_revision = Some(update.to_owned());
        }
        let counted = |count: i32| (count > 0).then_some(count);
        status.ready_replicas = counted(ready);
        status.available_replicas = Some(available);
        status.current_replicas = counted(of_current);
        status.updated_replicas = counted(of_update);
        status
    }

    /// Foreground deletion: pods first, then what goes with the set, then the set.
    fn delete_in_foreground(&mut self) {
        let owner = uid(&self.set.metadata);
        let mut left = 0;
        for pod in self.world.live_pods_of(owner) {
            left += 1;
            if !is_terminating(pod) && !is_pod_finished(pod) {
                let mut deleted = Pod::clone(pod);
                mark_deleted(&mut deleted, None, self.now);
                self.actions.push(Action::UpdatePod(Box::new(deleted)));
            }
        }
        remove_dependents(self.world, owner, self.actions);
        if left > 0 {
            return;
        }
        let within = namespace(&self.set.metadata);
        for revision in self.world.stateful_sets.revisions_for(within, owner) {
            if controller_of(&revision.metadata).is_some() {
                self.actions.push(Action::OfStatefulSet(SetAction::RemoveRevision(key(&revision.metadata))));
            }
        }
        let gone: Vec<Key> = claims::abandoned(self.world, self.set).collect();
        let owned = self
            .world
            .claims_named(within, "")
            .filter(|claim| controller_of(&claim.metadata).is_some_and(|controller| controller.uid == owner));
        self.actions.extend(
            owned
                .map(|claim| key(&claim.metadata))
                .chain(gone)
                .map(SetAction::RemoveClaim)
                .map(Action::OfStatefulSet),
        );
        self.actions.push(Action::OfStatefulSet(SetAction::Remove(key(&self.set.metadata))));
    }
}

/// How many pods may be missing while pods are renewed: a number, or a share of the replicas, rounded up.
fn most_unavailable(given: Option<&IntOrString>, replicas: i32) -> usize {
    let number = match given {
        None => 1,
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(share)) => {
            let percent: i64 = share.strip_suffix('%').and_then(|share| share.parse().ok()).unwrap_or(0);
            i32::try_from((percent * i64::from(replicas) + 99) / 100).unwrap_or(i32::MAX)
        }
    };
    usize::try_from(number).unwrap_or(0).max(1)
}
