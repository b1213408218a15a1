//! Rules about the volumes of a pod (ValidateVolumes). Volumes of storage systems are in `storage`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    CSIVolumeSource, ConfigMapVolumeSource, DownwardAPIVolumeSource, EmptyDirVolumeSource,
    EphemeralVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, NFSVolumeSource, SecretVolumeSource,
    Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::paths::{mode, required, without_backsteps};
use super::{claim_template, each, projections, quoted, storage};
use crate::api::meta::name;
use crate::api::names;
use crate::api::quantity;
use crate::api::status_error::FieldError;

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// The longest name of a CSI driver.
const LONGEST_DRIVER: usize = 63;
/// How long the name of a volume and its target may be together, where the initiator has a name.
const LONGEST_TARGET: usize = 64;

/// The volumes that mounts may use: those with nothing wrong about them.
pub(super) type Good<'a> = BTreeMap<&'a str, &'a Volume>;

/// Everything wrong with the volumes, and those that are good. `pod` is the metadata of the pod; a template has none.
pub(super) fn validate<'a>(
    volumes: &'a [Volume],
    pod: Option<&ObjectMeta>,
    path: &str,
) -> (Good<'a>, Vec<FieldError>) {
    let pod_name = pod.map(name).filter(|name| !name.is_empty());
    let claim_of = |volume: &Volume| Some(format!("{}-{}", pod_name?, volume.name));
    let made: BTreeSet<String> =
        volumes.iter().filter(|volume| volume.ephemeral.is_some()).filter_map(claim_of).collect();
    let mut good = Good::new();
    let mut errors = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let field = format!("{path}.name");
        let mut own = validate_source(volume, pod_name, &path);
        if volume.name.is_empty() {
            own.push(FieldError::required(&field, ""));
        } else {
            own.extend(each(&names::dns_label(&volume.name), &field, &volume.name));
        }
        if good.contains_key(volume.name.as_str()) {
            own.push(FieldError::duplicate(field, quoted(&volume.name)));
        }
        if own.is_empty() {
            good.insert(volume.name.as_str(), volume);
        }
        errors.extend(own);
        if let Some(claim) = volume.persistent_volume_claim.as_ref().filter(|c| made.contains(&c.claim_name))
        {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            let field = format!("{path}.persistentVolumeClaim.claimName");
            errors.push(FieldError::invalid(field, quoted(&claim.claim_name), detail));
        }
    }
    (good, errors)
}

/// A source that is given, under the names of its field: as said of one too many, and what is wrong with it.
pub(super) type Given = Option<(&'static str, Vec<FieldError>)>;

fn validate_source(volume: &Volume, pod_name: Option<&str>, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let claim = volume.persistent_volume_claim.as_ref();
    let projected = volume.projected.as_ref();
    let [disks, shares, attached, last] = storage::given(volume, path);
    let mut given = vec![
        volume.empty_dir.as_ref().map(|source| ("emptyDir", empty_dir(source, &at("emptyDir")))),
        volume.host_path.as_ref().map(|source| ("hostPath", host_path(source, &at("hostPath")))),
    ];
    given.extend(disks);
    given.extend([
        volume.secret.as_ref().map(|source| ("secret", secret(source, &at("secret")))),
        volume.nfs.as_ref().map(|source| ("nfs", nfs(source, &at("nfs")))),
        volume.iscsi.as_ref().map(|source| ("iscsi", storage::validate_iscsi(source, &at("iscsi")))),
    ]);
    given.extend(shares);
    given.push(claim.map(|source| {
        let missing = required(&source.claim_name, &at("persistentVolumeClaim.claimName"));
        ("persistentVolumeClaim", missing.into_iter().collect())
    }));
    given.extend(attached);
    given.push(volume.config_map.as_ref().map(|source| ("configMap", config_map(source, &at("configMap")))));
    given.extend(last);
    given.extend([
        projected.map(|source| ("projected", projections::validate_projected(source, &at("projected")))),
        volume.scale_io.as_ref().map(|source| ("scaleIO", storage::scale_io(source, &at("scaleIO")))),
        volume.csi.as_ref().map(|source| ("csi", csi(source, &at("csi")))),
        volume
            .ephemeral
            .as_ref()
            .map(|source| ("ephemeral", ephemeral(source, &volume.name, pod_name, path))),
    ]);
    let mut given = given.into_iter().flatten();
    let Some((_, mut errors)) = given.next() else {
        return vec![FieldError::required(path, "must specify a volume type")];
    };
    for (second, _) in given {
        errors.push(FieldError::forbidden(at(second), "may not specify more than 1 volume type"));
    }
    errors.extend(volume.iscsi.as_ref().and_then(|source| named_target(source, &volume.name, path)));
    errors
}

fn empty_dir(source: &EmptyDirVolumeSource, path: &str) -> Vec<FieldError> {
    let is_negative =
        source.size_limit.as_ref().and_then(|limit| quantity::nanos(&limit.0)).is_some_and(|limit| limit < 0);
    let detail = "SizeLimit field must be a valid resource quantity";
    is_negative.then(|| FieldError::forbidden(format!("{path}.sizeLimit"), detail)).into_iter().collect()
}

fn host_path(source: &HostPathVolumeSource, path: &str) -> Vec<FieldError> {
    let field = format!("{path}.path");
    if source.path.is_empty() {
        return vec![FieldError::required(field, "")];
    }
    let mut errors: Vec<FieldError> = without_backsteps(&source.path, &field).into_iter().collect();
    if let Some(kind) = source.type_.as_deref().filter(|kind| !HOST_PATH_TYPES.contains(kind)) {
        errors.push(FieldError::unsupported(format!("{path}.type"), quoted(kind), &HOST_PATH_TYPES));
    }
    errors
}

fn secret(source: &SecretVolumeSource, path: &str) -> Vec<FieldError> {
    let name = source.secret_name.as_deref().unwrap_or_default();
    let mut errors: Vec<FieldError> = required(name, &format!("{path}.secretName")).into_iter().collect();
    errors.extend(mode(source.default_mode, &format!("{path}.defaultMode")));
    errors.extend(projections::validate_items(source.items.as_ref(), &format!("{path}.items")));
    errors
}

fn config_map(source: &ConfigMapVolumeSource, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = required(&source.name, &format!("{path}.name")).into_iter().collect();
    errors.extend(mode(source.default_mode, &format!("{path}.defaultMode")));
    errors.extend(projections::validate_items(source.items.as_ref(), &format!("{path}.items")));
    errors
}

pub(super) fn downward_api(source: &DownwardAPIVolumeSource, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> =
        mode(source.default_mode, &format!("{path}.defaultMode")).into_iter().collect();
    let files = source.items.iter().flatten();
    errors.extend(files.flat_map(|file| projections::validate_file(file, path)));
    errors
}

fn nfs(source: &NFSVolumeSource, path: &str) -> Vec<FieldError> {
    let field = format!("{path}.path");
    let mut errors: Vec<FieldError> =
        required(&source.server, &format!("{path}.server")).into_iter().collect();
    errors.extend(required(&source.path, &field));
    if !source.path.starts_with('/') {
        errors.push(FieldError::invalid(field, quoted(&source.path), "must be an absolute path"));
    }
    errors
}

fn csi(source: &CSIVolumeSource, path: &str) -> Vec<FieldError> {
    let field = format!("{path}.driver");
    let driver = source.driver.as_str();
    let mut errors: Vec<FieldError> = required(driver, &field).into_iter().collect();
    if driver.len() > LONGEST_DRIVER {
        errors.push(FieldError::too_long(&field, LONGEST_DRIVER));
    }
    errors.extend(each(&names::dns_subdomain(&driver.to_lowercase()), &field, driver));
    if let Some(secret) = &source.node_publish_secret_ref {
        if secret.name.is_empty() {
            errors.push(FieldError::required(format!("{path}.nodePublishSecretRef.name"), ""));
        } else {
            errors.extend(each(&names::dns_subdomain(&secret.name), &format!("{path}.name"), &secret.name));
        }
    }
    errors
}

fn ephemeral(
    source: &EphemeralVolumeSource,
    volume: &str,
    pod_name: Option<&str>,
    path: &str,
) -> Vec<FieldError> {
    let field = format!("{path}.ephemeral.volumeClaimTemplate");
    let mut errors = match &source.volume_claim_template {
        None => vec![FieldError::required(field, "")],
        Some(template) => claim_template::validate(template, &field),
    };
    if let Some(pod_name) = pod_name.filter(|_| !volume.is_empty()) {
        let claim = format!("{pod_name}-{volume}");
        for problem in names::dns_subdomain(&claim) {
            let detail = format!("PVC name {}: {problem}", quoted(&claim));
            errors.push(FieldError::invalid(format!("{path}.name"), quoted(volume), &detail));
        }
    }
    errors
}

fn named_target(source: &ISCSIVolumeSource, volume: &str, path: &str) -> Option<FieldError> {
    source.initiator_name.as_ref()?;
    let length = volume.len() + 1 + source.target_portal.len();
    let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if \
                  iscsi.initiatorName is specified.";
    (length > LONGEST_TARGET).then(|| FieldError::invalid(format!("{path}.name"), quoted(volume), detail))
}
