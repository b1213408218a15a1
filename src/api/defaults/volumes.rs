//! The defaults of volumes: what a source leaves out.

use k8s_openapi::api::core::v1::{
    AzureDiskVolumeSource, DownwardAPIVolumeFile, EmptyDirVolumeSource, ISCSIVolumeSource,
    ProjectedVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, Volume,
};

use super::{set_divisor, set_field_ref_defaults};

/// The default of a volume's `defaultMode`: 0644.
const DEFAULT_MODE: i32 = 0o644;

pub(super) fn set_volume_defaults(volume: &mut Volume) {
    let without_source = Volume { name: volume.name.clone(), ..Volume::default() };
    if *volume == without_source {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(DEFAULT_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(DEFAULT_MODE);
        source.items.iter_mut().flatten().for_each(set_item_defaults);
    }
    volume.projected.iter_mut().for_each(set_projected_defaults);
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    if let Some(template) = volume.ephemeral.as_mut().and_then(|source| source.volume_claim_template.as_mut())
    {
        // The server's type always has metadata, and shows it.
        template.metadata.get_or_insert_default();
        template.spec.volume_mode.get_or_insert_with(|| "Filesystem".into());
    }
    volume.iscsi.iter_mut().for_each(set_iscsi_defaults);
    volume.rbd.iter_mut().for_each(set_rbd_defaults);
    volume.azure_disk.iter_mut().for_each(set_azure_disk_defaults);
    volume.scale_io.iter_mut().for_each(set_scale_io_defaults);
}

fn set_projected_defaults(source: &mut ProjectedVolumeSource) {
    source.default_mode.get_or_insert(DEFAULT_MODE);
    for projection in source.sources.iter_mut().flatten() {
        let items = projection.downward_api.iter_mut().flat_map(|api| api.items.iter_mut().flatten());
        items.for_each(set_item_defaults);
        if let Some(token) = &mut projection.service_account_token {
            token.expiration_seconds.get_or_insert(3600);
        }
    }
}

fn set_item_defaults(item: &mut DownwardAPIVolumeFile) {
    item.field_ref.iter_mut().for_each(set_field_ref_defaults);
    item.resource_field_ref.iter_mut().for_each(set_divisor);
}

fn set_iscsi_defaults(source: &mut ISCSIVolumeSource) {
    set_text(&mut source.iscsi_interface, "default");
}

fn set_rbd_defaults(source: &mut RBDVolumeSource) {
    set_text(&mut source.pool, "rbd");
    set_text(&mut source.user, "admin");
    set_text(&mut source.keyring, "/etc/ceph/keyring");
}

fn set_azure_disk_defaults(source: &mut AzureDiskVolumeSource) {
    set_text(&mut source.caching_mode, "ReadWrite");
    set_text(&mut source.kind, "Shared");
    set_text(&mut source.fs_type, "ext4");
    source.read_only.get_or_insert(false);
}

fn set_scale_io_defaults(source: &mut ScaleIOVolumeSource) {
    set_text(&mut source.storage_mode, "ThinProvisioned");
    set_text(&mut source.fs_type, "xfs");
}

fn set_text(field: &mut Option<String>, default: &str) {
    field.get_or_insert_with(|| default.to_owned());
}
