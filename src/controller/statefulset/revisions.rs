//! What a StatefulSet has been: each template that it has had is kept, for the pods that are to stay as they were.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use serde_json::{Value, json};

use super::super::pods::{new_uid, safe_letters};
use super::super::{Action, SetAction, World};
use super::owner_reference;
use crate::api::kinds::Key;
use crate::api::meta::{OWN_ANNOTATIONS, controller_of, key, name, namespace, time, uid};
use crate::api::selectors::LabelSelector;
use crate::api::{ControllerRevision, ObjectMeta, StatefulSet};

/// The label by which equal revisions find each other.
const LABEL_HASH: &str = "controller.kubernetes.io/hash";
/// The longest name of a set in the name of a revision.
const LONGEST_PREFIX: usize = 223;

/// The forms of a set: that of the pods that stay, and that of those to come.
pub(super) struct Revisions {
    pub(super) current: Arc<ControllerRevision>,
    pub(super) update: Arc<ControllerRevision>,
    pub(super) collision_count: i32,
    /// All, the oldest first.
    all: Vec<Arc<ControllerRevision>>,
}

impl Revisions {
    /// Finds both, and has the second stored where it is new.
    pub(super) fn of(
        world: &World,
        set: &StatefulSet,
        now: DateTime<Utc>,
        random: &mut fastrand::Rng,
        actions: &mut Vec<Action>,
    ) -> Self {
        let mut all = known(world, set, actions);
        let mut collision_count =
            set.status.as_ref().and_then(|status| status.collision_count).unwrap_or_default();
        let next = all.last().map_or(1, |last| last.revision + 1);
        let data = data_of(set);
        let is_equal = |revision: &Arc<ControllerRevision>| revision.data.as_ref() == Some(&data);
        let update = match all.iter().rposition(is_equal) {
            Some(at) if at + 1 == all.len() => Arc::clone(&all[at]),
            // A form that it had before is the newest again.
            Some(at) => {
                let again =
                    ControllerRevision { revision: next, ..ControllerRevision::clone(&all.remove(at)) };
                actions.push(Action::OfStatefulSet(SetAction::PutRevision(Box::new(again.clone()))));
                all.push(Arc::new(again));
                Arc::clone(&all[all.len() - 1])
            }
            None => {
                let new = new_revision(world, set, &data, next, &mut collision_count, now, random);
                actions.push(Action::OfStatefulSet(SetAction::PutRevision(Box::new(new.clone()))));
                all.push(Arc::new(new));
                Arc::clone(&all[all.len() - 1])
            }
        };
        let recorded = set.status.as_ref().and_then(|status| status.current_revision.as_deref());
        let current = all.iter().find(|revision| Some(name(&revision.metadata)) == recorded);
        let current = Arc::clone(current.unwrap_or(&update));
        Self { current, update, collision_count, all }
    }

    /// Removes the oldest of those that nobody has, beyond `revisionHistoryLimit`.
    pub(super) fn truncate<'a>(
        &'a self,
        set: &StatefulSet,
        in_use: impl Iterator<Item = &'a str>,
        actions: &mut Vec<Action>,
    ) {
        let limit = set.spec.as_ref().and_then(|spec| spec.revision_history_limit).unwrap_or(10);
        let Ok(limit) = usize::try_from(limit) else { return };
        let mut live: Vec<&str> = vec![name(&self.current.metadata), name(&self.update.metadata)];
        live.extend(in_use);
        let past: Vec<_> =
            self.all.iter().filter(|revision| !live.contains(&name(&revision.metadata))).collect();
        let excess = past.len().saturating_sub(limit);
        actions.extend(
            past.into_iter()
                .take(excess)
                .map(|revision| Action::OfStatefulSet(SetAction::RemoveRevision(key(&revision.metadata)))),
        );
    }
}

/// The revisions of a set by their numbers. Those that a set of the same kind has left behind become its own.
fn known(world: &World, set: &StatefulSet, actions: &mut Vec<Action>) -> Vec<Arc<ControllerRevision>> {
    let selector = set.spec.as_ref().and_then(|spec| LabelSelector::from_object(&spec.selector).ok());
    let none = BTreeMap::new();
    let mut all = Vec::new();
    for revision in world.stateful_sets.revisions_for(namespace(&set.metadata), uid(&set.metadata)) {
        if controller_of(&revision.metadata).is_some() {
            all.push(Arc::clone(revision));
            continue;
        }
        let labels = revision.metadata.labels.as_ref().unwrap_or(&none);
        if selector.as_ref().is_some_and(|selector| selector.matches(labels)) {
            let mut adopted = ControllerRevision::clone(revision);
            adopted.metadata.owner_references.get_or_insert_default().push(owner_reference(set));
            actions.push(Action::OfStatefulSet(SetAction::PutRevision(Box::new(adopted.clone()))));
            all.push(Arc::new(adopted));
        }
    }
    all.sort_by_key(|revision| {
        let created = revision.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (revision.revision, created, name(&revision.metadata).to_owned())
    });
    all
}

/// A patch that brings a set back to its present form.
fn data_of(set: &StatefulSet) -> RawExtension {
    let template = set.spec.as_ref().map(|spec| &spec.template);
    // A template always encodes.
    let mut template = serde_json::to_value(template).unwrap_or_default();
    template["$patch"] = json!("replace");
    RawExtension(json!({"spec": {"template": template}}))
}

/// The template that a revision stands for.
pub(super) fn template_of(revision: &ControllerRevision) -> Option<PodTemplateSpec> {
    let mut template = revision.data.as_ref()?.0["spec"]["template"].clone();
    template.as_object_mut()?.remove("$patch");
    serde_json::from_value(template).ok()
}

fn new_revision(
    world: &World,
    set: &StatefulSet,
    data: &RawExtension,
    revision: i64,
    collision_count: &mut i32,
    now: DateTime<Utc>,
    random: &mut fastrand::Rng,
) -> ControllerRevision {
    let prefix: String = name(&set.metadata).chars().take(LONGEST_PREFIX).collect();
    let within = namespace(&set.metadata);
    let (hash, revision_name) = loop {
        let hash = hash(&data.0, *collision_count);
        let candidate = format!("{prefix}-{hash}");
        if world.stateful_sets.revision(&Key::new(within, &candidate)).is_none() {
            break (hash, candidate);
        }
        *collision_count += 1;
    };
    let template = set.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let mut labels = template.and_then(|meta| meta.labels.clone()).unwrap_or_default();
    labels.insert(LABEL_HASH.into(), hash);
    // Who has created the set is said by the set.
    let annotations = set.metadata.annotations.clone().unwrap_or_default();
    let annotations = annotations.into_iter().filter(|(key, _)| !key.starts_with(OWN_ANNOTATIONS));
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(revision_name),
            namespace: Some(within.to_owned()),
            uid: Some(new_uid(random)),
            creation_timestamp: Some(time(now)),
            labels: Some(labels),
            annotations: Some(annotations.collect()).filter(|all: &BTreeMap<_, _>| !all.is_empty()),
            owner_references: Some(vec![owner_reference(set)]),
            ..ObjectMeta::default()
        },
        data: Some(data.clone()),
        revision,
    }
}

/// As upstream names revisions: by their data and by how many names were taken.
fn hash(data: &Value, collision_count: i32) -> String {
    safe_letters(&fnv1(format!("{data}{collision_count}").as_bytes()).to_string())
}

/// The FNV-1 hash of 32 bits.
fn fnv1(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_named_by_what_is_in_it() {
        assert_eq!(fnv1(b"foobar"), 0x31f0_b262, "as published");
        // What a 1.34 cluster calls it.
        let data = json!({"spec": {"template": {
            "$patch": "replace",
            "metadata": {"annotations": {"test": "value"}, "labels": {"app": "foo"}},
            "spec": {
                "containers": [{
                    "image": "test", "imagePullPolicy": "Always", "name": "test", "resources": {},
                    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                }],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30,
            },
        }}});
        assert_eq!(hash(&data, 0), "776999688b");
        let one = hash(&json!({"a": 1}), 0);
        assert_ne!(one, hash(&json!({"a": 1}), 1), "a name that is taken");
        assert_ne!(one, hash(&json!({"a": 2}), 0));
    }
}
