//! The volumes of a pod or pod template.

use k8s_openapi::api::core::v1::{ProjectedVolumeSource, Volume};

use super::{Output, line, set};
use crate::api::quantity::canonical;

impl Output<'_> {
    pub(super) fn volumes(&mut self, volumes: Option<&Vec<Volume>>, space: &str) {
        let Some(volumes) = volumes.filter(|volumes| !volumes.is_empty()) else {
            line!(self, 0, "{space}Volumes:\t<none>");
            return;
        };
        line!(self, 0, "{space}Volumes:");
        let name_indent = if space.is_empty() { "" } else { " " };
        for volume in volumes {
            line!(self, 1, "{name_indent}{}:", volume.name);
            self.volume(volume);
        }
    }

    fn volume(&mut self, volume: &Volume) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let flag = |flag: Option<bool>| flag.unwrap_or(false).to_string();
        let (kind, fields): (&str, Vec<(&str, String)>) = if let Some(host) = &volume.host_path {
            let kind = host.type_.clone().unwrap_or_else(|| "<none>".to_owned());
            (
                "HostPath (bare host directory volume)",
                vec![("Path", host.path.clone()), ("HostPathType", kind)],
            )
        } else if let Some(empty) = &volume.empty_dir {
            let limit =
                empty.size_limit.as_ref().map(|limit| canonical(&limit.0)).filter(|limit| limit != "0");
            (
                "EmptyDir (a temporary directory that shares a pod's lifetime)",
                vec![
                    ("Medium", text(&empty.medium)),
                    ("SizeLimit", limit.unwrap_or_else(|| "<unset>".to_owned())),
                ],
            )
        } else if let Some(secret) = &volume.secret {
            (
                "Secret (a volume populated by a Secret)",
                vec![("SecretName", text(&secret.secret_name)), ("Optional", flag(secret.optional))],
            )
        } else if let Some(config_map) = &volume.config_map {
            (
                "ConfigMap (a volume populated by a ConfigMap)",
                vec![("Name", config_map.name.clone()), ("Optional", flag(config_map.optional))],
            )
        } else if let Some(claim) = &volume.persistent_volume_claim {
            (
                "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
                vec![("ClaimName", claim.claim_name.clone()), ("ReadOnly", flag(claim.read_only))],
            )
        } else if let Some(nfs) = &volume.nfs {
            (
                "NFS (an NFS mount that lasts the lifetime of a pod)",
                vec![
                    ("Server", nfs.server.clone()),
                    ("Path", nfs.path.clone()),
                    ("ReadOnly", flag(nfs.read_only)),
                ],
            )
        } else if let Some(image) = &volume.image {
            (
                "Image (a container image or OCI artifact)",
                vec![("Reference", text(&image.reference)), ("PullPolicy", text(&image.pull_policy))],
            )
        } else if let Some(git) = &volume.git_repo {
            (
                "GitRepo (a volume that is pulled from git when the pod is created)",
                vec![("Repository", git.repository.clone()), ("Revision", text(&git.revision))],
            )
        } else if let Some(projected) = &volume.projected {
            ("Projected (a volume that contains injected data from multiple sources)", sources(projected))
        } else if let Some(csi) = &volume.csi {
            (
                "CSI (a Container Storage Interface (CSI) volume source)",
                vec![
                    ("Driver", csi.driver.clone()),
                    ("FSType", text(&csi.fs_type)),
                    ("ReadOnly", flag(csi.read_only)),
                ],
            )
        } else if volume.downward_api.is_some() {
            ("DownwardAPI (a volume populated by information about the pod)", Vec::new())
        } else if volume.ephemeral.is_some() {
            (
                "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
                Vec::new(),
            )
        } else {
            line!(self, 1, "<unknown>");
            return;
        };
        line!(self, 2, "Type:\t{kind}");
        for (title, text) in fields {
            line!(self, 2, "{title}:\t{text}");
        }
        self.volume_lists(volume);
    }

    /// The parts of a volume that are more than titled values.
    fn volume_lists(&mut self, volume: &Volume) {
        if let Some(csi) = &volume.csi {
            self.labels_in("    ", "VolumeAttributes", "\t    ", csi.volume_attributes.as_ref());
        }
        if let Some(downward) = &volume.downward_api {
            line!(self, 2, "Items:");
            for item in downward.items.iter().flatten() {
                if let Some(field) = &item.field_ref {
                    line!(self, 3, "{} -> {}", field.field_path, item.path);
                }
                if let Some(resource) = &item.resource_field_ref {
                    line!(self, 3, "{} -> {}", resource.resource, item.path);
                }
            }
        }
        if let Some(template) = volume.ephemeral.as_ref().and_then(|e| e.volume_claim_template.as_ref()) {
            let spec = &template.spec;
            let class = spec.storage_class_name.as_deref().unwrap_or_default();
            line!(self, 2, "StorageClass:\t{class}");
            line!(self, 2, "Volume:\t{}", spec.volume_name.as_deref().unwrap_or_default());
            let metadata = template.metadata.clone().unwrap_or_default();
            self.labels_in("    ", "Labels", "\t    ", metadata.labels.as_ref());
            self.labels_in("    ", "Annotations", "\t    ", metadata.annotations.as_ref());
            line!(self, 2, "Capacity:\t");
            line!(self, 2, "Access Modes:\t");
            if let Some(mode) = set(spec.volume_mode.as_ref()) {
                line!(self, 2, "VolumeMode:\t{mode}");
            }
        }
    }
}

fn sources(projected: &ProjectedVolumeSource) -> Vec<(&'static str, String)> {
    // Upstream prints the pointer of a set value, which says nothing; the value does.
    let optional = |flag: Option<bool>| flag.map_or_else(|| "<nil>".to_owned(), |flag| flag.to_string());
    let mut fields = Vec::new();
    for source in projected.sources.iter().flatten() {
        if let Some(secret) = &source.secret {
            fields.push(("SecretName", secret.name.clone()));
            fields.push(("SecretOptionalName", optional(secret.optional)));
        } else if source.downward_api.is_some() {
            fields.push(("DownwardAPI", "true".to_owned()));
        } else if let Some(config_map) = &source.config_map {
            fields.push(("ConfigMapName", config_map.name.clone()));
            fields.push(("ConfigMapOptional", optional(config_map.optional)));
        } else if let Some(token) = &source.service_account_token {
            fields.push(("TokenExpirationSeconds", token.expiration_seconds.unwrap_or(0).to_string()));
        }
    }
    fields
}
