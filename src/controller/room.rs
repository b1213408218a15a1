//! How much of the node is taken, by which pods, and who waits for the rest. Kept while pods come and go, so that a pass
//! costs what has changed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use chrono::{DateTime, Utc};

use super::pods::completion_index;
use crate::api::conditions::pod_condition;
use crate::api::devices::Devices;
use crate::api::kinds::Key;
use crate::api::meta::key;
use crate::api::pod_resources::{requests_with_defaults, says_anything};
use crate::api::quantity::nanos;
use crate::api::resource_field::Amounts;
use crate::api::{Pod, PodSpec};

/// The resource by which a node counts its pods.
const PODS: &str = "pods";
/// Of what this is, the node does not know how much it has.
const UNCOUNTED: &str = "ephemeral-storage";
/// What upstream says of a pod that asks for more than the node has, or does not fit it at all.
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
/// More than any machine has: sums of these never overflow, and go down again as they went up.
const MOST: i128 = 1 << 96;

/// What the configuration says of the room on this node beyond what the machine is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeLimits {
    /// How many pods may run at a time.
    pub max_pods: Option<u32>,
    /// What a container counts as that says nothing of a resource.
    pub default_requests: Amounts,
    /// Extended resources, and how many there are of each.
    pub extended_resources: BTreeMap<String, u32>,
    /// Those of them that pods have by id.
    pub devices: Devices,
}

/// Amounts in billionths by resource; what is not there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Demand(BTreeMap<Box<str>, i128>);

impl Demand {
    fn of_amounts(amounts: &Amounts) -> Self {
        let counted = amounts.iter().filter_map(|(name, amount)| {
            let nanos = nanos(&amount.0)?.min(MOST);
            (nanos > 0 && name != UNCOUNTED).then(|| (name.as_str().into(), nanos))
        });
        Self(counted.collect())
    }

    /// What a pod takes of the node while it is there.
    pub(super) fn of(spec: &PodSpec, limits: &NodeLimits) -> Self {
        let mut demand = if limits.default_requests.is_empty() && !says_anything(spec) {
            Self::default()
        } else {
            Self::of_amounts(&requests_with_defaults(spec, &limits.default_requests))
        };
        if limits.max_pods.is_some() {
            demand.0.insert(PODS.into(), 1_000_000_000);
        }
        demand
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_default() += amount;
        }
    }

    fn subtract(&mut self, other: &Self) {
        for (name, amount) in &other.0 {
            *self.0.entry(name.clone()).or_default() -= amount;
        }
    }

    fn amount(&self, name: &str) -> i128 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Of which resources this is more than there is.
    fn beyond<'a>(&'a self, there: &'a Self) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().filter(|(name, amount)| **amount > there.amount(name)).map(|(name, _)| &**name)
    }

    fn fits(&self, there: &Self) -> bool {
        self.beyond(there).next().is_none()
    }

    fn is_used_up(&self, there: &Self) -> bool {
        self.0.keys().all(|name| there.amount(name) <= 0)
    }
}

/// The place of a pod among those that wait for room: by priority, then the oldest first.
pub fn place_in_queue(pod: &Pod) -> impl Ord + use<> {
    rank(pod)
}

/// Whether a pod that has been told that it waits for room would fit if all others had ended.
pub fn can_ever_fit(pod: &Pod) -> bool {
    let told = pod_condition(pod, "PodScheduled").and_then(|condition| condition.message.as_deref());
    !told.is_some_and(|message| message.contains(NOT_HELPFUL))
}

fn rank(pod: &Pod) -> Rank {
    let priority = pod.spec.as_ref().and_then(|spec| spec.priority).unwrap_or(0);
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (Reverse(priority), created, completion_index(pod), key(&pod.metadata))
}

/// The place in the queue: by priority, then the oldest first, then by completion index.
type Rank = (Reverse<i32>, Option<DateTime<Utc>>, Option<i32>, Key);

/// What is taken, and who waits.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// How much there is; `None` where nobody has said it, and so nobody can be admitted.
    allocatable: Option<Demand>,
    taken: Demand,
    /// What each pod takes that has its place.
    holdings: BTreeMap<Key, Demand>,
    /// Those without a place, by what they ask for: of equal ones only the first need be looked at.
    waiting: BTreeMap<Demand, BTreeSet<Rank>>,
    places: BTreeMap<Key, (Demand, Rank)>,
}

impl Room {
    pub(super) fn set_allocatable(&mut self, amounts: &Amounts) {
        self.allocatable = Some(Demand::of_amounts(amounts));
    }

    /// A pod has its place.
    pub(super) fn hold(&mut self, key: &Key, demand: Demand) {
        if !demand.is_empty() {
            self.taken.add(&demand);
            self.holdings.insert(key.clone(), demand);
        }
    }

    /// A pod waits for its place.
    pub(super) fn wait(&mut self, pod: &Pod, demand: Demand) {
        if !demand.is_empty() {
            let rank = rank(pod);
            self.places.insert(key(&pod.metadata), (demand.clone(), rank.clone()));
            self.waiting.entry(demand).or_default().insert(rank);
        }
    }

    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(demand) = self.holdings.remove(key) {
            self.taken.subtract(&demand);
            self.taken.0.retain(|_, amount| *amount != 0);
        }
        if let Some((demand, rank)) = self.places.remove(key)
            && let Some(ranks) = self.waiting.get_mut(&demand)
        {
            ranks.remove(&rank);
            if ranks.is_empty() {
                self.waiting.remove(&demand);
            }
        }
    }

    /// Whether a pod asks for room, and waits.
    pub(super) fn awaits(&self, key: &Key) -> bool {
        self.places.contains_key(key)
    }

    /// Decides who is admitted. Each in its turn either takes what it asks for, or keeps it free of those after it: so
    /// nobody goes before another whom that would hold up, however small. One that asks for more than there is at all
    /// keeps nothing free. Those that `may_start` refuses are not waiting for room.
    ///
    /// Equal pods are looked at until what they ask for is used up, which is at most as many as the node could hold: the
    /// length of the queue does not matter.
    pub(super) fn admissions(&self, may_start: impl Fn(&Key) -> bool) -> Admissions<'_> {
        let mut admissions = Admissions {
            room: self,
            admitted: Vec::new(),
            held_back: BTreeMap::new(),
            free: Demand::default(),
        };
        let Some(allocatable) = &self.allocatable else { return admissions };
        let mut free = allocatable.clone();
        free.subtract(&self.taken);
        admissions.free.clone_from(&free);
        let mut groups: Vec<_> = self.waiting.iter().map(|(demand, ranks)| (demand, ranks.iter())).collect();
        let mut turns: BinaryHeap<Reverse<(&Rank, usize)>> = BinaryHeap::new();
        for (group, (demand, ranks)) in groups.iter_mut().enumerate() {
            if demand.fits(allocatable)
                && let Some(first) = ranks.next()
            {
                turns.push(Reverse((first, group)));
            }
        }
        while let Some(Reverse((rank, group))) = turns.pop() {
            let (demand, ranks) = &mut groups[group];
            if demand.is_used_up(&free) {
                continue;
            }
            let key = &rank.3;
            if may_start(key) {
                if demand.fits(&free) {
                    admissions.free.subtract(demand);
                    admissions.admitted.push(key);
                } else {
                    admissions.held_back.insert(key, demand.beyond(&free).map(str::to_owned).collect());
                }
                free.subtract(demand);
            }
            if let Some(next) = ranks.next() {
                turns.push(Reverse((next, group)));
            }
        }
        admissions
    }
}

/// Who is admitted, and what is said of the others.
#[derive(Debug)]
pub(super) struct Admissions<'a> {
    room: &'a Room,
    /// In the order of the queue.
    pub(super) admitted: Vec<&'a Key>,
    /// Those that were looked at and wait, with the resources that are not left for them.
    held_back: BTreeMap<&'a Key, Vec<String>>,
    /// What is left beside those that have their place and those that are admitted.
    free: Demand,
}

impl<'a> Admissions<'a> {
    /// The first of each kind that wait: what is said of these is kept true.
    pub(super) fn first_of_each(&self) -> impl Iterator<Item = &'a Key> {
        let admitted: BTreeSet<&Key> = self.admitted.iter().copied().collect();
        let firsts =
            self.room.waiting.values().filter_map(move |ranks| {
                ranks.iter().map(|rank| &rank.3).find(|key| !admitted.contains(key))
            });
        firsts.collect::<Vec<_>>().into_iter()
    }

    /// Why a pod waits for room, in upstream's words (NodeResourcesFit): what is missing beside those that run, or else what
    /// is kept for those before it. `None` while nobody knows how much there is.
    pub(super) fn why(&self, key: &Key) -> Option<String> {
        let (demand, _) = self.room.places.get(key)?;
        let allocatable = self.room.allocatable.as_ref()?;
        let mut missing: Vec<String> = demand.beyond(&self.free).map(str::to_owned).collect();
        if missing.is_empty() {
            missing = match self.held_back.get(key) {
                Some(missing) => missing.clone(),
                // The queue was not looked at any further: nothing was left of what it asks for.
                None => demand.0.keys().map(|name| name.to_string()).collect(),
            };
        }
        let mut reasons: Vec<String> = missing.iter().map(|name| reason(name)).collect();
        reasons.sort_unstable();
        let victims = if demand.fits(allocatable) {
            "No preemption victims found for incoming pod"
        } else {
            NOT_HELPFUL
        };
        Some(format!(
            "0/1 nodes are available: {}. preemption: 0/1 nodes are available: 1 {victims}.",
            reasons.join(", ")
        ))
    }
}

fn reason(resource: &str) -> String {
    if resource == PODS { "1 Too many pods".to_owned() } else { format!("1 Insufficient {resource}") }
}

/// Whether a message says that a pod waits for room.
pub fn is_about_room(message: &str) -> bool {
    let reasons = message.strip_prefix("0/1 nodes are available: ").unwrap_or_default();
    reasons.starts_with("1 Insufficient ") || reasons.starts_with("1 Too many pods")
}
