//! StatefulSets and what they have been, as the StatefulSet controller sees them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, name, namespace, uid};
use crate::api::{ControllerRevision, StatefulSet};

/// All StatefulSets, with their revisions.
#[derive(Clone, Debug, Default)]
pub struct StatefulSets {
    objects: BTreeMap<Key, Arc<StatefulSet>>,
    keys: HashMap<Box<str>, Key>,
    revisions: BTreeMap<Key, Arc<ControllerRevision>>,
    dirty: BTreeSet<Key>,
}

impl StatefulSets {
    /// A StatefulSet by key.
    pub fn get(&self, key: &Key) -> Option<&Arc<StatefulSet>> {
        self.objects.get(key)
    }

    /// A StatefulSet by uid.
    pub fn by_uid(&self, uid: &str) -> Option<&Arc<StatefulSet>> {
        self.objects.get(self.keys.get(uid)?)
    }

    /// Takes in a StatefulSet as stored.
    pub fn put(&mut self, set: StatefulSet) {
        let key = key(&set.metadata);
        if let Some(old) = self.objects.get(&key) {
            self.keys.remove(uid(&old.metadata));
        }
        self.keys.insert(uid(&set.metadata).into(), key.clone());
        self.dirty.insert(key.clone());
        self.objects.insert(key, Arc::new(set));
    }

    /// Takes in the removal of a StatefulSet.
    pub fn remove(&mut self, key: &Key) {
        if let Some(old) = self.objects.remove(key) {
            self.keys.remove(uid(&old.metadata));
        }
        // Named once more, so that its timer goes.
        self.dirty.insert(key.clone());
    }

    /// A revision by key.
    pub(super) fn revision(&self, key: &Key) -> Option<&Arc<ControllerRevision>> {
        self.revisions.get(key)
    }

    /// The revisions of a namespace that an owner controls, or that nobody does.
    pub(super) fn revisions_for<'a>(
        &'a self,
        namespace: &'a str,
        owner: &'a str,
    ) -> impl Iterator<Item = &'a Arc<ControllerRevision>> + 'a {
        let within = self.revisions.range(Key::new(namespace, "")..);
        within.take_while(move |(key, _)| *key.namespace == *namespace).map(|(_, revision)| revision).filter(
            move |revision| {
                controller_of(&revision.metadata).is_none_or(|controller| controller.uid == owner)
            },
        )
    }

    /// Takes in a revision as stored.
    pub fn put_revision(&mut self, revision: ControllerRevision) {
        if let Some(owner) = controller_of(&revision.metadata) {
            self.mark_dirty(&owner.uid);
        }
        self.revisions.insert(key(&revision.metadata), Arc::new(revision));
    }

    /// Takes in the removal of a revision.
    pub fn remove_revision(&mut self, key: &Key) {
        if let Some(old) = self.revisions.remove(key)
            && let Some(owner) = controller_of(&old.metadata)
        {
            self.mark_dirty(&owner.uid);
        }
    }

    /// Something of an owner has changed.
    pub(super) fn mark_dirty(&mut self, owner: &str) {
        self.dirty.extend(self.keys.get(owner).cloned());
    }

    /// A pod has come or gone that has the name of a set's: whoever it is, its place is taken or free.
    pub(super) fn mark_by_pod(&mut self, pod: &Key) {
        if self.objects.is_empty() {
            return;
        }
        if let Some((parent, _)) = split_name(&pod.name) {
            let parent = Key::new(&pod.namespace, parent);
            if self.objects.contains_key(&parent) {
                self.dirty.insert(parent);
            }
        }
    }

    /// A claim has come or gone that has the name of a set's.
    pub(super) fn mark_by_claim(&mut self, claim: &Key) {
        let Some((stem, _)) = split_name(&claim.name) else { return };
        let wants = |set: &StatefulSet| {
            let templates = set.spec.iter().flat_map(|spec| spec.volume_claim_templates.iter().flatten());
            templates.into_iter().any(|template| {
                stem.strip_prefix(name(&template.metadata)).and_then(|rest| rest.strip_prefix('-'))
                    == Some(name(&set.metadata))
            })
        };
        let sets =
            self.objects.values().filter(|set| *namespace(&set.metadata) == *claim.namespace && wants(set));
        let keys: Vec<Key> = sets.map(|set| key(&set.metadata)).collect();
        self.dirty.extend(keys);
    }

    /// Names a StatefulSet whose time has come.
    pub fn enqueue(&mut self, key: Key) {
        self.dirty.insert(key);
    }

    /// Names all of them.
    pub(super) fn mark_all_dirty(&mut self) {
        self.dirty.extend(self.objects.keys().cloned());
    }

    /// The StatefulSets about which something has changed.
    pub fn take_dirty(&mut self) -> BTreeSet<Key> {
        std::mem::take(&mut self.dirty)
    }
}

/// The name of a set and the ordinal of its pod, by the pod's name.
pub(super) fn split_name(pod: &str) -> Option<(&str, i32)> {
    let (parent, digits) = pod.rsplit_once('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((parent, digits.parse().ok().filter(|_| is_number)?))
}
