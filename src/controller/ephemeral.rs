//! Claims that pods bring with them (`volumes[].ephemeral`): each is made for its pod, belongs to it, and goes with it.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::World;
use crate::api::Pod;
use crate::api::kinds::Key;
use crate::api::meta::{name, namespace, uid};

/// The volumes of a pod that have a claim of their own, each with the key of that.
pub fn ephemeral_claims(pod: &Pod) -> impl Iterator<Item = (&Volume, Key)> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let own = volumes.filter(|volume| volume.ephemeral.is_some());
    own.map(|volume| {
        let claim = format!("{}-{}", name(&pod.metadata), volume.name);
        (volume, Key::new(namespace(&pod.metadata), &claim))
    })
}

/// The claims of a pod that are not there yet.
pub fn missing_claims(world: &World, pod: &Pod) -> Vec<PersistentVolumeClaim> {
    let missing = ephemeral_claims(pod).filter(|(_, key)| world.claim_uid(key).is_none());
    missing.filter_map(|(volume, key)| claim_for(pod, volume, &key)).collect()
}

fn claim_for(pod: &Pod, volume: &Volume, key: &Key) -> Option<PersistentVolumeClaim> {
    let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
    let given = template.metadata.clone().unwrap_or_default();
    let owner = OwnerReference {
        api_version: "v1".into(),
        kind: "Pod".into(),
        name: name(&pod.metadata).into(),
        uid: uid(&pod.metadata).into(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    Some(PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(key.name.to_string()),
            namespace: Some(key.namespace.to_string()),
            labels: given.labels,
            annotations: given.annotations,
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(template.spec.clone()),
        status: None,
    })
}

/// The uid of the claim that a volume has, which must have been made for this pod.
///
/// # Errors
/// It is somebody else's: upstream's sentence.
pub fn own_claim<'a>(world: &'a World, pod: &Pod, claim: &Key) -> Result<&'a str, String> {
    let found = world.claim_uid(claim);
    let found = found.ok_or_else(|| format!("persistentvolumeclaim {:?} not found", claim.name))?;
    if world.claim_owner(claim).is_none_or(|owner| *owner.uid != *uid(&pod.metadata)) {
        let (namespace, name) = (namespace(&pod.metadata), name(&pod.metadata));
        return Err(format!(
            "PVC {}/{} was not created for pod {namespace}/{name} (pod is not owner)",
            claim.namespace, claim.name
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::Settings;

    #[test]
    fn a_claim_is_made_for_its_pod_and_no_other_is_taken() {
        let pod = json!({
            "metadata": {"namespace": "n", "name": "p", "uid": "u"},
            "spec": {"containers": [], "volumes": [
                {"name": "plain", "emptyDir": {}},
                {"name": "v", "ephemeral": {"volumeClaimTemplate": {
                    "metadata": {"labels": {"a": "b"}},
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
            ]},
        });
        let pod: Pod = serde_json::from_value(pod).expect("a pod");
        let mut world = World::new(Settings::default());
        let made = missing_claims(&world, &pod);
        assert_eq!(
            serde_json::to_value(&made).expect("JSON"),
            json!([{
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": {
                    "name": "p-v", "namespace": "n", "labels": {"a": "b"},
                    "ownerReferences": [{
                        "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": true,
                        "blockOwnerDeletion": true}]},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }])
        );
        let key = Key::new("n", "p-v");
        let mut claim = made[0].clone();
        claim.metadata.uid = Some("c".into());
        world.put_claim(&claim);
        assert_eq!(own_claim(&world, &pod, &key), Ok("c"));
        assert_eq!(missing_claims(&world, &pod), []);
        assert_eq!(world.claims_without_pod(), vec![key.clone()], "the world knows no such pod");
        claim.metadata.owner_references = None;
        world.put_claim(&claim);
        let refused = "PVC n/p-v was not created for pod n/p (pod is not owner)";
        assert_eq!(own_claim(&world, &pod, &key), Err(refused.into()));
        assert_eq!(world.claims_without_pod(), Vec::<Key>::new());
    }
}
