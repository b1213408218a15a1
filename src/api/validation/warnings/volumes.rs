//! Volumes that nobody mounts any more, and files that lie over each other.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection,
};

use super::super::quoted;
use super::of_fraction;

/// What is worth saying about the volumes of a pod.
pub(super) fn of_volumes(volumes: &[Volume], path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, volume) in volumes.iter().enumerate() {
        let at = |field: &str| format!("{path}[{index}].{field}");
        let old = |field: &str, message: &str| format!("{}: {message}", at(field));
        for (field, is_set, message) in [
            (
                "photonPersistentDisk",
                volume.photon_persistent_disk.is_some(),
                "deprecated in v1.11, non-functional in v1.16+",
            ),
            ("gitRepo", volume.git_repo.is_some(), "deprecated in v1.11, and disabled by default in v1.33+"),
            ("scaleIO", volume.scale_io.is_some(), "deprecated in v1.16, non-functional in v1.22+"),
            ("flocker", volume.flocker.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
            ("storageOS", volume.storageos.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
            ("quobyte", volume.quobyte.is_some(), "deprecated in v1.22, non-functional in v1.25+"),
            ("glusterfs", volume.glusterfs.is_some(), "deprecated in v1.25, non-functional in v1.26+"),
        ] {
            if is_set {
                warnings.push(old(field, message));
            }
        }
        let template = volume.ephemeral.as_ref().and_then(|source| source.volume_claim_template.as_ref());
        if let Some(resources) = template.and_then(|template| template.spec.resources.as_ref()) {
            let place = at("ephemeral.volumeClaimTemplate.spec.resources");
            let requests = of_fraction(resources.requests.as_ref(), "storage", &format!("{place}.requests"));
            let limits = of_fraction(resources.limits.as_ref(), "storage", &format!("{place}.limits"));
            warnings.extend(requests.into_iter().chain(limits));
        }
        if volume.cephfs.is_some() {
            warnings.push(old("cephfs", "deprecated in v1.28, non-functional in v1.31+"));
        }
        if volume.rbd.is_some() {
            warnings.push(old("rbd", "deprecated in v1.28, non-functional in v1.31+"));
        }
    }
    warnings.extend(volumes.iter().flat_map(of_paths));
    warnings
}

/// A file of a volume: its path, and which of several sources it comes from.
struct File {
    path: String,
    source: Option<String>,
}

impl File {
    fn new(path: &str, source: Option<&str>) -> Self {
        Self { path: path.trim_end_matches('/').to_owned(), source: source.map(str::to_owned) }
    }

    fn shown(&self) -> String {
        let path = quoted(&self.path);
        self.source.as_ref().map_or_else(|| path.clone(), |source| format!("{path} ({source})"))
    }

    /// Whether one is the other, or a directory on the way to it.
    fn lies_over(&self, other: &Self) -> bool {
        let (one, two) = (format!("{}/", self.path), format!("{}/", other.path));
        !self.path.is_empty() && !other.path.is_empty() && (one.starts_with(&two) || two.starts_with(&one))
    }
}

/// Each pair of files that lie over each other.
fn pairs(files: &[File]) -> Vec<String> {
    let mut told = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let earlier = files[..index].iter().filter(|earlier| earlier.lies_over(file));
        told.extend(earlier.map(|earlier| format!("{} with {}", file.shown(), earlier.shown())));
    }
    told
}

fn items(items: Option<&Vec<KeyToPath>>, source: Option<&str>) -> Vec<File> {
    items.into_iter().flatten().map(|item| File::new(&item.path, source)).collect()
}

fn files(files: Option<&Vec<DownwardAPIVolumeFile>>, source: Option<&str>) -> Vec<File> {
    files.into_iter().flatten().map(|file| File::new(&file.path, source)).collect()
}

fn of_paths(volume: &Volume) -> Vec<String> {
    let name = quoted(&volume.name);
    let told = |what: &str, files: &[File]| -> Vec<String> {
        pairs(files).iter().map(|pair| format!("volume {name} ({what}): overlapping paths: {pair}")).collect()
    };
    let mut warnings = Vec::new();
    if let Some(source) = &volume.config_map {
        let what = format!("ConfigMap {}", quoted(&source.name));
        warnings.extend(told(&what, &items(source.items.as_ref(), None)));
    }
    if let Some(source) = &volume.secret {
        let what = format!("Secret {}", quoted(source.secret_name.as_deref().unwrap_or_default()));
        warnings.extend(told(&what, &items(source.items.as_ref(), None)));
    }
    if let Some(source) = &volume.downward_api {
        warnings.extend(told("DownwardAPI", &files(source.items.as_ref(), None)));
    }
    if let Some(source) = &volume.projected {
        let sources = || source.sources.iter().flatten();
        let empty = sources().filter(|source| **source == VolumeProjection::default());
        warnings.extend(empty.map(|_| format!("volume {name} (Projected) has no sources provided")));
        warnings.extend(told("Projected", &projected(source)));
    }
    warnings
}

/// The files of all sources; what a ConfigMap or a Secret has without saying so is not known here.
fn projected(source: &ProjectedVolumeSource) -> Vec<File> {
    let mut all = Vec::new();
    for source in source.sources.iter().flatten() {
        if let Some(map) = source.config_map.as_ref().filter(|map| map.items.is_some()) {
            all.extend(items(map.items.as_ref(), Some(&format!("ConfigMap {}", quoted(&map.name)))));
        } else if let Some(secret) = source.secret.as_ref().filter(|secret| secret.items.is_some()) {
            all.extend(items(secret.items.as_ref(), Some(&format!("Secret {}", quoted(&secret.name)))));
        } else if let Some(api) = source.downward_api.as_ref().filter(|api| api.items.is_some()) {
            all.extend(files(api.items.as_ref(), Some("DownwardAPI")));
        } else if let Some(token) = &source.service_account_token {
            all.push(File::new(&token.path, Some("ServiceAccountToken")));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn warnings(volume: Value) -> Vec<String> {
        let volume: Volume = serde_json::from_value(volume).expect("a volume");
        of_volumes(&[volume], "spec.volumes")
    }

    #[test]
    fn files_that_lie_over_each_other_are_told() {
        let item = |path: &str| json!({"key": "k", "path": path});
        for (volume, expected) in [
            (json!({"name": "v", "configMap": {"name": "m", "items": [item("a"), item("ab")]}}), vec![]),
            (
                json!({"name": "v", "configMap": {"name": "m", "items": [item("a/b"), item("a/")]}}),
                vec![r#"volume "v" (ConfigMap "m"): overlapping paths: "a" with "a/b""#],
            ),
            (
                json!({"name": "v", "projected": {"sources": [
                    {"serviceAccountToken": {"path": "t"}}, {"secret": {"name": "s", "items": [item("t/x")]}}, {}]}}),
                vec![
                    r#"volume "v" (Projected) has no sources provided"#,
                    r#"volume "v" (Projected): overlapping paths: "t/x" (Secret "s") with "t" (ServiceAccountToken)"#,
                ],
            ),
        ] {
            assert_eq!(warnings(volume), expected);
        }
    }

    #[test]
    fn storage_that_nobody_mounts_any_more_is_told() {
        let old = json!({"name": "v", "rbd": {"monitors": ["m"], "image": "i"}});
        assert_eq!(warnings(old), ["spec.volumes[0].rbd: deprecated in v1.28, non-functional in v1.31+"]);
        let half = json!({"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {
            "resources": {"requests": {"storage": "1500m"}}}}}});
        assert_eq!(
            warnings(half),
            [
                "spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value \
              \"1500m\" is invalid, must be an integer"
            ]
        );
    }
}
