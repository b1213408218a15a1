//! Fields of a pod's spec that a Kubernetes 1.34 server knows, and drops: what they are for is behind a feature gate that
//! is closed by default (dropDisabledFields). They are dropped before anything is judged. That of restart rules of
//! containers is open here.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, EnvVar, Lifecycle, PodSpec, VolumeMount};

/// Drops them from the spec of a pod or of a template.
pub fn drop_disabled_fields(spec: &mut PodSpec) {
    // HostnameOverride.
    spec.hostname_override = None;
    drop_projections(spec);
    let images = drop_image_volumes(spec);
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        drop_of_container(container, &images);
    }
    for container in spec.ephemeral_containers.iter_mut().flatten() {
        drop_of_parts(&mut container.env, &mut container.volume_mounts, &mut container.lifecycle, &images);
        container.restart_policy_rules = None;
    }
}

fn drop_of_container(container: &mut Container, images: &BTreeSet<String>) {
    drop_of_parts(&mut container.env, &mut container.volume_mounts, &mut container.lifecycle, images);
}

/// What containers of all kinds have.
fn drop_of_parts(
    env: &mut Option<Vec<EnvVar>>,
    mounts: &mut Option<Vec<VolumeMount>>,
    lifecycle: &mut Option<Lifecycle>,
    images: &BTreeSet<String>,
) {
    // EnvFiles.
    for source in env.iter_mut().flatten().filter_map(|variable| variable.value_from.as_mut()) {
        source.file_key_ref = None;
    }
    // ContainerStopSignals.
    if let Some(hooks) = lifecycle
        && hooks.stop_signal.take().is_some()
    {
        lifecycle.take_if(|hooks| *hooks == Lifecycle::default());
    }
    if let Some(list) = mounts {
        list.retain(|mount| !images.contains(&mount.name));
    }
    mounts.take_if(|list| list.is_empty());
}

/// ClusterTrustBundleProjection and PodCertificateRequest.
fn drop_projections(spec: &mut PodSpec) {
    let projected = spec.volumes.iter_mut().flatten().filter_map(|volume| volume.projected.as_mut());
    for source in projected.flat_map(|projected| projected.sources.iter_mut().flatten()) {
        source.cluster_trust_bundle = None;
        source.pod_certificate = None;
    }
}

/// ImageVolume: the volumes go, and the mounts of them too. Returns their names.
fn drop_image_volumes(spec: &mut PodSpec) -> BTreeSet<String> {
    let Some(volumes) = &mut spec.volumes else { return BTreeSet::new() };
    let images = volumes.iter().filter(|volume| volume.image.is_some()).map(|volume| volume.name.clone());
    let images: BTreeSet<String> = images.collect();
    volumes.retain(|volume| volume.image.is_none());
    spec.volumes.take_if(|volumes| volumes.is_empty());
    images
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_a_server_drops_is_not_there_and_all_else_is() {
        let given = json!({
            "hostnameOverride": "x",
            "initContainers": [
                {"name": "i", "restartPolicy": "Always"},
                {"name": "j", "restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
            ],
            "containers": [
                {"name": "c", "restartPolicy": "Always", "lifecycle": {"stopSignal": "SIGUSR1"},
                 "env": [{"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}],
                 "volumeMounts": [{"name": "i", "mountPath": "/i"}, {"name": "v", "mountPath": "/v"}]},
                {"name": "d", "lifecycle": {"stopSignal": "SIGUSR1", "preStop": {"sleep": {"seconds": 1}}},
                 "volumeMounts": [{"name": "i", "mountPath": "/i"}]},
            ],
            "volumes": [
                {"name": "i", "image": {"reference": "r"}},
                {"name": "v", "projected": {"sources": [{"clusterTrustBundle": {"name": "n", "path": "p"}}]}},
            ],
        });
        let mut spec: PodSpec = serde_json::from_value(given).expect("a pod spec");
        drop_disabled_fields(&mut spec);
        let kept: Value = serde_json::to_value(&spec).expect("JSON");
        assert_eq!(
            kept,
            json!({
                "initContainers": [
                    {"name": "i", "restartPolicy": "Always"},
                    {"name": "j", "restartPolicy": "Never", "restartPolicyRules": [{"action": "Restart"}]},
                ],
                "containers": [
                    {"name": "c", "restartPolicy": "Always", "env": [{"name": "A", "valueFrom": {}}],
                     "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
                    {"name": "d", "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}},
                ],
                "volumes": [{"name": "v", "projected": {"sources": [{}]}}],
            })
        );
    }
}
