//! The pods of a StatefulSet: who they are, and where their data is.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, Volume};

use super::super::World;
use super::super::pods::{forbidden, leave_pending, new_uid, pod_of_template, wait_for_gates};
use super::claims::claims_of;
use super::revisions::template_of;
use super::{LABEL_REVISION, owner_reference, pod_name};
use crate::api::conditions::is_gated;
use crate::api::meta::{name, time};
use crate::api::{ControllerRevision, ObjectMeta, Pod, PodSpec, StatefulSet, validation};

/// Label on every pod of a set: its name.
const LABEL_POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
/// Label on every pod of a set: its ordinal.
const LABEL_POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The pod with an ordinal, of the form of a revision, for the scheduler.
///
/// # Errors
/// What the API server would answer.
pub(super) fn new_pod(
    world: &World,
    set: &StatefulSet,
    revision: &ControllerRevision,
    ordinal: i32,
    now: DateTime<Utc>,
    random: &mut fastrand::Rng,
) -> Result<Pod, String> {
    let own_name = pod_name(set, ordinal);
    let metadata = ObjectMeta {
        generate_name: Some(format!("{}-", name(&set.metadata))),
        name: Some(own_name.clone()),
        namespace: set.metadata.namespace.clone(),
        uid: Some(new_uid(random)),
        creation_timestamp: Some(time(now)),
        owner_references: Some(vec![owner_reference(set)]),
        ..ObjectMeta::default()
    };
    let template = template_of(revision);
    let mut pod =
        pod_of_template(world, template.as_ref(), metadata).map_err(|why| forbidden(&own_name, why))?;
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(LABEL_POD_NAME.into(), own_name.clone());
    labels.insert(LABEL_POD_INDEX.into(), ordinal.to_string());
    labels.insert(LABEL_REVISION.into(), name(&revision.metadata).to_owned());
    let spec = pod.spec.get_or_insert_default();
    spec.hostname = Some(own_name.clone());
    spec.subdomain =
        set.spec.as_ref().and_then(|spec| spec.service_name.clone()).filter(|name| !name.is_empty());
    add_volumes(spec, set, ordinal);
    let causes: Vec<String> = validation::validate_pod(&pod).iter().map(ToString::to_string).collect();
    match causes.as_slice() {
        [] => {}
        [cause] => return Err(format!("Pod {own_name:?} is invalid: {cause}")),
        causes => return Err(format!("Pod {own_name:?} is invalid: [{}]", causes.join(", "))),
    }
    // Its claims may be made together with it: the scheduler finds both.
    if is_gated(&pod) {
        wait_for_gates(&mut pod, now);
    } else {
        leave_pending(&mut pod, now);
    }
    Ok(pod)
}

/// A volume for each claim, which takes the place of one of the same name.
fn add_volumes(spec: &mut PodSpec, set: &StatefulSet, ordinal: i32) {
    let claims = claims_of(set, ordinal);
    if claims.is_empty() {
        return;
    }
    let mut others = spec.volumes.take().unwrap_or_default();
    others.retain(|volume| claims.iter().all(|(of, _)| *of != volume.name));
    let volumes = claims.into_iter().map(|(volume, claim)| Volume {
        name: volume,
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: name(&claim.metadata).to_owned(),
            read_only: None,
        }),
        ..Volume::default()
    });
    spec.volumes = Some(volumes.chain(others).collect());
}
