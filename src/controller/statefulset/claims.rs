//! The claims of a StatefulSet's pods: made before their pods, kept after them unless the retention policy says otherwise.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

use super::super::pods::new_uid;
use super::super::stateful_sets::split_name;
use super::super::{Action, SetAction, World};
use super::{owner_reference, pod_name};
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, name, namespace, uid};
use crate::api::{ObjectMeta, PersistentVolumeClaim, Pod, StatefulSet};

/// With whom a claim goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Nobody,
    Set,
    /// One that is too many, and its claims.
    Pod,
}

/// With whom the claims of a pod go by `persistentVolumeClaimRetentionPolicy`.
fn owner_of_claims(set: &StatefulSet, is_condemned: bool) -> Owner {
    let retention = set.spec.as_ref().and_then(|spec| spec.persistent_volume_claim_retention_policy.as_ref());
    let deletes = |word: Option<&String>| word.is_some_and(|word| word == "Delete");
    let when_deleted = deletes(retention.and_then(|retention| retention.when_deleted.as_ref()));
    let when_scaled = deletes(retention.and_then(|retention| retention.when_scaled.as_ref()));
    match (when_deleted, when_scaled && is_condemned) {
        (_, true) => Owner::Pod,
        (true, false) => Owner::Set,
        (false, false) => Owner::Nobody,
    }
}

/// The claims of the pod with an ordinal, each by the name of its volume.
pub(super) fn claims_of(set: &StatefulSet, ordinal: i32) -> Vec<(String, PersistentVolumeClaim)> {
    let Some(spec) = &set.spec else { return Vec::new() };
    let templates = spec.volume_claim_templates.iter().flatten();
    templates
        .map(|template| {
            let volume = name(&template.metadata).to_owned();
            let mut labels = template.metadata.labels.clone().unwrap_or_default();
            labels.extend(spec.selector.match_labels.clone().unwrap_or_default());
            let metadata = ObjectMeta {
                name: Some(format!("{volume}-{}", pod_name(set, ordinal))),
                namespace: Some(namespace(&set.metadata).to_owned()),
                labels: Some(labels).filter(|labels| !labels.is_empty()),
                annotations: template.metadata.annotations.clone(),
                ..ObjectMeta::default()
            };
            (volume, PersistentVolumeClaim { metadata, spec: template.spec.clone(), status: None })
        })
        .collect()
}

/// The claims of a pod that are not there yet, as they are to be made.
pub(super) fn missing(
    world: &World,
    set: &StatefulSet,
    ordinal: i32,
    random: &mut fastrand::Rng,
) -> Vec<PersistentVolumeClaim> {
    let mut missing = Vec::new();
    for (_, mut claim) in claims_of(set, ordinal) {
        if world.claim(&key(&claim.metadata)).is_some() {
            continue;
        }
        claim.metadata.uid = Some(new_uid(random));
        if owner_of_claims(set, false) == Owner::Set {
            claim.metadata.owner_references = Some(vec![owner_reference(set)]);
        }
        missing.push(claim);
    }
    missing
}

/// Gives the claims of a pod the owner that the retention policy wants.
pub(super) fn keep_owners(
    world: &World,
    set: &StatefulSet,
    pod: &Pod,
    ordinal: i32,
    is_condemned: bool,
    actions: &mut Vec<Action>,
) {
    let wanted = match owner_of_claims(set, is_condemned) {
        Owner::Nobody => None,
        Owner::Set => Some(owner_reference(set)),
        Owner::Pod => Some(OwnerReference {
            api_version: "v1".into(),
            kind: "Pod".into(),
            name: name(&pod.metadata).into(),
            uid: uid(&pod.metadata).into(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }),
    };
    let ours = [uid(&set.metadata), uid(&pod.metadata)];
    for (_, claim) in claims_of(set, ordinal) {
        let Some(claim) = world.claim(&key(&claim.metadata)) else { continue };
        let old = claim.metadata.owner_references.clone().unwrap_or_default();
        // What somebody else controls is left to him.
        let is_other =
            |owner: &OwnerReference| owner.controller == Some(true) && !ours.contains(&owner.uid.as_str());
        if old.iter().any(is_other) {
            continue;
        }
        let mut owners: Vec<OwnerReference> =
            old.iter().filter(|owner| !ours.contains(&owner.uid.as_str())).cloned().collect();
        owners.extend(wanted.clone());
        if owners != old {
            let mut changed = PersistentVolumeClaim::clone(claim);
            changed.metadata.owner_references = Some(owners).filter(|owners| !owners.is_empty());
            actions.push(Action::OfStatefulSet(SetAction::UpdateClaim(Box::new(changed))));
        }
    }
}

/// The claims of a set whose pod is gone that they were to go with. On a cluster the garbage collector finds them.
pub(super) fn abandoned<'a>(world: &'a World, set: &'a StatefulSet) -> impl Iterator<Item = Key> + 'a {
    let within = namespace(&set.metadata);
    let templates = set.spec.iter().flat_map(|spec| spec.volume_claim_templates.iter().flatten());
    let stems = templates.map(|template| format!("{}-{}", name(&template.metadata), name(&set.metadata)));
    stems
        .flat_map(move |stem| {
            let prefix = format!("{stem}-");
            world.claims_named(within, &prefix).filter(move |claim| {
                let is_of_set = split_name(name(&claim.metadata)).is_some_and(|(of, _)| of == stem);
                let is_gone = |owner: &OwnerReference| {
                    owner.kind == "Pod" && world.pod_uid(&Key::new(within, &owner.name)) != Some(&owner.uid)
                };
                is_of_set && controller_of(&claim.metadata).is_some_and(is_gone)
            })
        })
        .map(|claim| key(&claim.metadata))
}
