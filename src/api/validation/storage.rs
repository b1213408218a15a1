//! Rules about volumes of storage systems of their own: disks of clouds, network storage, plug-ins. Nothing here can mount
//! them; a manifest that no cluster would take is told so all the same.

use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, FCVolumeSource, FlexVolumeSource, FlockerVolumeSource, GitRepoVolumeSource,
    ISCSIVolumeSource, LocalObjectReference, QuobyteVolumeSource, ScaleIOVolumeSource, StorageOSVolumeSource,
    Volume,
};

use super::paths::{descending, required};
use super::value::json;
use super::volumes::{Given, downward_api};
use super::{each, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const BYTE: &str = "must be between 0 and 255, inclusive";
const PARTITION: &str = "must be between 1 and 255, inclusive";
const CACHING_MODES: [&str; 3] = ["None", "ReadOnly", "ReadWrite"];
const DISK_KINDS: [&str; 3] = ["Dedicated", "Managed", "Shared"];
const MANAGED_DISK: &str =
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const BLOB_DISK: &str = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
const PAIRS: &str = "must be a host:port pair or multiple pairs separated by commas";
/// The longest tenant of a Quobyte volume.
const LONGEST_TENANT: usize = 64;

/// The sources of a volume that are given, in the four groups between which upstream looks at others. The names are those
/// under which one too many is told, its slips included.
pub(super) fn given(volume: &Volume, path: &str) -> [Vec<Given>; 4] {
    let at = |field: &str| format!("{path}.{field}");
    let all = |fields: &[(&str, &str)]| -> Vec<FieldError> {
        fields.iter().filter_map(|(field, text)| required(text, &at(field))).collect()
    };
    let disks = vec![
        volume.git_repo.as_ref().map(|source| ("gitRepo", git_repo(source, &at("gitRepo")))),
        volume.gce_persistent_disk.as_ref().map(|source| {
            let mut errors = all(&[("persistentDisk.pdName", &source.pd_name)]);
            errors.extend(partition(source.partition, &at("persistentDisk.partition")));
            ("gcePersistentDisk", errors)
        }),
        volume.aws_elastic_block_store.as_ref().map(|source| {
            let mut errors = all(&[("awsElasticBlockStore.volumeID", &source.volume_id)]);
            errors.extend(partition(source.partition, &at("awsElasticBlockStore.partition")));
            ("awsElasticBlockStore", errors)
        }),
    ];
    let shares = vec![
        volume.glusterfs.as_ref().map(|source| {
            (
                "glusterfs",
                all(&[("glusterfs.endpoints", &source.endpoints), ("glusterfs.path", &source.path)]),
            )
        }),
        volume.flocker.as_ref().map(|source| ("flocker", flocker(source, &at("flocker")))),
    ];
    let attached = vec![
        volume.rbd.as_ref().map(|source| {
            let mut errors = missing_list(source.monitors.is_empty(), &at("rbd.monitors"));
            errors.extend(all(&[("rbd.image", &source.image)]));
            ("rbd", errors)
        }),
        volume.cinder.as_ref().map(|source| {
            let mut errors = all(&[("cinder.volumeID", &source.volume_id)]);
            errors.extend(secret(source.secret_ref.as_ref(), &at("cinder")));
            ("cinder", errors)
        }),
        volume
            .cephfs
            .as_ref()
            .map(|source| ("cephFS", missing_list(source.monitors.is_empty(), &at("cephfs.monitors")))),
        volume.quobyte.as_ref().map(|source| ("quobyte", quobyte(source, &at("quobyte")))),
        volume.downward_api.as_ref().map(|source| ("downwarAPI", downward_api(source, &at("downwardAPI")))),
        volume.fc.as_ref().map(|source| ("fc", fibre_channel(source, &at("fc")))),
        volume.flex_volume.as_ref().map(|source| ("flexVolume", flex(source, &at("flexVolume")))),
    ];
    let last = vec![
        volume.azure_file.as_ref().map(|source| {
            let fields =
                [("azureFile.secretName", &*source.secret_name), ("azureFile.shareName", &source.share_name)];
            ("azureFile", all(&fields))
        }),
        volume
            .vsphere_volume
            .as_ref()
            .map(|source| ("vsphereVolume", all(&[("vsphereVolume.volumePath", &source.volume_path)]))),
        volume
            .photon_persistent_disk
            .as_ref()
            .map(|source| ("photonPersistentDisk", all(&[("photonPersistentDisk.pdID", &source.pd_id)]))),
        volume
            .portworx_volume
            .as_ref()
            .map(|source| ("portworxVolume", all(&[("portworxVolume.volumeID", &source.volume_id)]))),
        volume.azure_disk.as_ref().map(|source| ("azureDisk", azure_disk(source, &at("azureDisk")))),
        volume.storageos.as_ref().map(|source| ("storageos", storage_os(source, &at("storageos")))),
    ];
    [disks, shares, attached, last]
}

fn missing_list(is_empty: bool, field: &str) -> Vec<FieldError> {
    is_empty.then(|| FieldError::required(field, "")).into_iter().collect()
}

fn partition(partition: Option<i32>, field: &str) -> Option<FieldError> {
    let partition = partition.filter(|number| !(0..=255).contains(number))?;
    Some(FieldError::invalid(field, partition, PARTITION))
}

fn secret(secret: Option<&LocalObjectReference>, path: &str) -> Option<FieldError> {
    required(&secret?.name, &format!("{path}.secretRef.name"))
}

fn git_repo(source: &GitRepoVolumeSource, path: &str) -> Vec<FieldError> {
    let missing = required(&source.repository, &format!("{path}.repository"));
    let directory = source.directory.as_deref().unwrap_or_default();
    missing.into_iter().chain(descending(directory, &format!("{path}.directory"))).collect()
}

/// Everything wrong with an iSCSI disk.
pub(super) fn validate_iscsi(source: &ISCSIVolumeSource, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors: Vec<FieldError> =
        required(&source.target_portal, &at("targetPortal")).into_iter().collect();
    if source.iqn.is_empty() {
        errors.push(FieldError::required(at("iqn"), ""));
    } else {
        errors.extend(qualified_node(&source.iqn, &at("iqn")));
    }
    if !(0..=255).contains(&source.lun) {
        errors.push(FieldError::invalid(at("lun"), source.lun, BYTE));
    }
    let asks = [source.chap_auth_discovery, source.chap_auth_session].contains(&Some(true));
    if asks && source.secret_ref.is_none() {
        errors.push(FieldError::required(at("secretRef"), ""));
    }
    if let Some(initiator) = &source.initiator_name {
        errors.extend(qualified_node(initiator, &at("initiatorname")));
    }
    errors
}

/// The name of an iSCSI node: `iqn.2001-04.com.example:disk`, or 16 or 32 letters and digits after `eui.` or `naa.`.
fn qualified_node(name: &str, field: &str) -> Option<FieldError> {
    let letters = |text: &str, count| {
        // Any character may stand where the dot is.
        let mut characters = text.chars();
        characters.next().is_some()
            && characters.as_str().len() == count
            && characters.all(|c| c.is_ascii_alphanumeric())
    };
    let is_good = match name.get(..3) {
        Some("iqn") => is_iqn(name),
        Some("eui") => letters(&name[3..], 16),
        Some("naa") => letters(&name[3..], 32),
        _ => {
            let detail = "must be valid format starting with iqn, eui, or naa";
            return Some(FieldError::invalid(field, quoted(name), detail));
        }
    };
    (!is_good).then(|| FieldError::invalid(field, quoted(name), "must be valid format"))
}

/// Whether a text ends in `iqn.YYYY-MM.` with a domain, a colon and whatever that domain calls it.
fn is_iqn(text: &str) -> bool {
    text.match_indices("iqn.").any(|(at, prefix)| {
        let rest = &text[at + prefix.len()..];
        let bytes = rest.as_bytes();
        let has_date = bytes.len() > 8
            && bytes[..8].iter().enumerate().all(|(index, byte)| match index {
                4 => *byte == b'-',
                7 => *byte == b'.',
                _ => byte.is_ascii_digit(),
            });
        let Some((domain, own)) = rest.get(8..).and_then(|rest| rest.split_once(':')) else { return false };
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let has_other = own.contains(|c: char| ",;*&$|".contains(c) || c.is_ascii_whitespace());
        has_date && !domain.is_empty() && domain.bytes().all(is_domain) && !own.is_empty() && !has_other
    })
}

fn flocker(source: &FlockerVolumeSource, path: &str) -> Vec<FieldError> {
    let name = source.dataset_name.as_deref().unwrap_or_default();
    let uuid = source.dataset_uuid.as_deref().unwrap_or_default();
    let mut errors = Vec::new();
    match (name.is_empty(), uuid.is_empty()) {
        (true, true) => {
            errors.push(FieldError::required(path, "one of datasetName and datasetUUID is required"));
        }
        (false, false) => {
            let detail = "datasetName and datasetUUID can not be specified simultaneously";
            errors.push(FieldError::invalid(path, "\"resource\"", detail));
        }
        _ => {}
    }
    if name.contains('/') {
        errors.push(FieldError::invalid(format!("{path}.datasetName"), quoted(name), "must not contain '/'"));
    }
    errors
}

fn quobyte(source: &QuobyteVolumeSource, path: &str) -> Vec<FieldError> {
    let registry = format!("{path}.registry");
    let mut errors = Vec::new();
    if source.registry.is_empty() {
        errors.push(FieldError::required(&registry, PAIRS));
    } else if source.tenant.as_ref().is_some_and(|tenant| tenant.len() > LONGEST_TENANT) {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        errors.push(FieldError::required(format!("{path}.tenant"), detail));
    } else {
        let bad = source.registry.split(',').filter(|pair| !is_host_and_port(pair));
        errors.extend(bad.map(|_| FieldError::invalid(&registry, quoted(&source.registry), PAIRS)));
    }
    errors.extend(required(&source.volume, &format!("{path}.volume")));
    errors
}

/// Whether a text is `HOST:PORT`, or `[HOST]:PORT` where the host has colons.
fn is_host_and_port(text: &str) -> bool {
    match text.strip_prefix('[') {
        Some(rest) => rest
            .split_once("]:")
            .is_some_and(|(host, port)| !host.contains(['[', ']']) && !port.contains([':', '[', ']'])),
        None => text.matches(':').count() == 1 && !text.contains(['[', ']']),
    }
}

fn fibre_channel(source: &FCVolumeSource, path: &str) -> Vec<FieldError> {
    let field = format!("{path}.targetWWNs");
    let targets = source.target_wwns.as_deref().unwrap_or_default();
    let has_ids = source.wwids.as_ref().is_some_and(|ids| !ids.is_empty());
    let mut errors = Vec::new();
    match (targets.is_empty(), has_ids) {
        (true, false) => {
            let detail = "must specify either targetWWNs or wwids, but not both";
            errors.push(FieldError::required(field, detail));
        }
        (false, true) => {
            let detail = "targetWWNs and wwids can not be specified simultaneously";
            errors.push(FieldError::invalid(field, json(&targets), detail));
        }
        _ => {}
    }
    if !targets.is_empty() {
        match source.lun {
            None => {
                let detail = "lun is required if targetWWNs is specified";
                errors.push(FieldError::required(format!("{path}.lun"), detail));
            }
            Some(lun) if !(0..=255).contains(&lun) => {
                errors.push(FieldError::invalid(format!("{path}.lun"), lun, BYTE));
            }
            Some(_) => {}
        }
    }
    errors
}

fn flex(source: &FlexVolumeSource, path: &str) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> =
        required(&source.driver, &format!("{path}.driver")).into_iter().collect();
    for key in source.options.iter().flatten().map(|(key, _)| key) {
        let domain = key.split_once('/').map_or(key.as_str(), |(domain, _)| domain);
        let domain = format!(".{}", domain.to_lowercase());
        if domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io") {
            let detail = "kubernetes.io and k8s.io namespaces are reserved";
            errors.push(FieldError::invalid(format!("{path}.options[{key}]"), quoted(key), detail));
        }
    }
    errors
}

fn azure_disk(source: &AzureDiskVolumeSource, path: &str) -> Vec<FieldError> {
    let at = |field: &str| format!("{path}.{field}");
    let mut errors: Vec<FieldError> = required(&source.disk_name, &at("diskName")).into_iter().collect();
    errors.extend(required(&source.disk_uri, &at("diskURI")));
    for (field, word, known) in
        [("cachingMode", &source.caching_mode, &CACHING_MODES), ("kind", &source.kind, &DISK_KINDS)]
    {
        if let Some(word) = word.as_deref().filter(|word| !known.contains(word)) {
            errors.push(FieldError::unsupported(at(field), quoted(word), known));
        }
    }
    let wanted = match source.kind.as_deref() {
        Some("Managed") => ("/subscriptions/", MANAGED_DISK),
        Some(_) => ("https://", BLOB_DISK),
        None => return errors,
    };
    if !source.disk_uri.starts_with(wanted.0) {
        errors.push(FieldError::unsupported(at("diskURI"), quoted(&source.disk_uri), &[wanted.1]));
    }
    errors
}

fn storage_os(source: &StorageOSVolumeSource, path: &str) -> Vec<FieldError> {
    let name = source.volume_name.as_deref().unwrap_or_default();
    let namespace = source.volume_namespace.as_deref().unwrap_or_default();
    let field = format!("{path}.volumeName");
    let mut errors = match name {
        "" => vec![FieldError::required(field, "")],
        name => each(&names::dns_label(name), &field, name),
    };
    if !namespace.is_empty() {
        errors.extend(each(&names::dns_label(namespace), &format!("{path}.volumeNamespace"), namespace));
    }
    errors.extend(secret(source.secret_ref.as_ref(), path));
    errors
}

/// Everything wrong with a ScaleIO volume.
pub(super) fn scale_io(source: &ScaleIOVolumeSource, path: &str) -> Vec<FieldError> {
    let name = source.volume_name.as_deref().unwrap_or_default();
    [("gateway", &*source.gateway), ("system", &source.system), ("volumeName", name)]
        .into_iter()
        .filter_map(|(field, text)| required(text, &format!("{path}.{field}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_nodes_are_told_from_others() {
        for (name, is_good) in [
            ("iqn.2001-04.com.example:storage.disk1", true),
            ("iqn.2001-04.com.example:", false),
            ("iqn.2001-4.com.example:x", false),
            ("iqn.2001-04.com_example:x", false),
            ("iqn.2001-04.com.example:a b", false),
            ("eui.0123456789abcdef", true),
            ("eui.0123", false),
            ("naa.0123456789abcdef0123456789abcdef", true),
            ("é", false),
        ] {
            assert_eq!(qualified_node(name, "f").is_none(), is_good, "{name}");
        }
        for (pair, is_good) in
            [("a:1", true), ("[::1]:1", true), ("::1", false), ("a", false), ("[a:1", false)]
        {
            assert_eq!(is_host_and_port(pair), is_good, "{pair}");
        }
    }
}
