//! A pod's volumes: what is prepared of them before its containers start, and where each container sees them
//! (kubernetes-behaviour 4.9; design, "Pods without containers").

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIVolumeFile, KeyToPath, SecretProjection, Volume, VolumeMount,
    VolumeProjection,
};
use serde::{Deserialize, Serialize};

use super::config::Holder;
use super::environment::{self, Problem, Referenced};
use super::nfs::{self, NfsMount};
use crate::api::Container;
use crate::api::kinds::Key;
use crate::api::meta::namespace;
use crate::api::pod_resources::{bytes, limit_of_all};
use crate::api::quantity::{canonical, whole};
use crate::controller::World;
use crate::controller::ephemeral::{ephemeral_claims, own_claim};

/// The mode of files of ConfigMaps, Secrets and the like where the manifest names none.
const DEFAULT_MODE: i32 = 0o644;

/// A volume of a pod, as containers are given it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRun {
    /// Its name in the pod.
    pub name: String,
    /// Where it lies on this machine.
    pub place: Place,
    /// Whether nobody writes to it but the kubelet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// How much it may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<SizeLimit>,
}

/// How much a volume on the disk may hold, until its pod is evicted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeLimit {
    /// The bytes.
    pub bytes: u64,
    /// The same as the manifest has it.
    pub text: String,
}

/// Where a volume lies on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In the pod's own directory.
    Pod,
    /// The same, but in memory: of that many bytes at most.
    Memory(Option<u64>),
    /// Wherever the manifest says (`hostPath`).
    Host(String),
    /// The directory of a claim, by its name.
    Claim(String),
}

/// The name of the directory in which a claim's volume lies: by its uid, so that a claim that is made anew begins empty.
pub fn claim_directory(claim: &Key, uid: &str) -> String {
    format!("pvc-{uid}_{}_{}", claim.namespace, claim.name)
}

/// The claim and the uid that a directory's name tells of.
pub fn claim_of_directory(name: &str) -> Option<(Key, &str)> {
    let (uid, claim) = name.strip_prefix("pvc-")?.split_once('_')?;
    let (namespace, name) = claim.split_once('_')?;
    Some((Key::new(namespace, name), uid))
}

impl VolumeRun {
    /// The volume's directory or file: `root` is the data directory, `pod` the pod's own.
    pub fn path(&self, root: &Path, pod: &Path) -> PathBuf {
        match &self.place {
            Place::Pod | Place::Memory(_) => pod.join("volumes").join(&self.name),
            Place::Host(path) => PathBuf::from(path),
            Place::Claim(directory) => root.join("volumes").join(directory),
        }
    }
}

/// Where a container sees a volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountRun {
    /// Which of the pod's volumes.
    pub volume: usize,
    /// A part of the volume, empty for all of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sub_path: String,
    /// Where.
    pub path: String,
    /// Whether the container cannot write there.
    pub read_only: bool,
}

/// What is done before a pod's containers start, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the directory of an emptyDir, open to all.
    MakeDirectory,
    /// Write files, so that a reader sees all of the old ones or all of the new ones.
    WriteFiles(Payload),
    /// See whether what lies there is of the wanted type, and make it where the type says so.
    CheckHostPath(String),
    /// Make the directory of a claim, unless it is there.
    MakeClaim,
}

/// Files by their path within the volume.
pub type Payload = BTreeMap<String, FileContent>;

/// A file of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileContent {
    /// What it holds.
    pub content: Vec<u8>,
    /// Its mode.
    pub mode: u32,
}

/// What the volumes of a pod are made from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The claims there are.
    pub world: &'a World,
    /// The pod, and what its files refer to.
    pub referenced: Referenced<'a>,
    /// What this machine has mounted from afar.
    pub nfs: &'a [NfsMount],
}

/// Files of a pod's volumes that are to be as they are now; those that cannot be made stay as they were.
pub fn current_files(sources: &Sources<'_>) -> Vec<(VolumeRun, Payload)> {
    let Some(spec) = &sources.referenced.pod.spec else { return Vec::new() };
    let made =
        spec.volumes.iter().flatten().filter_map(|volume| match prepare_one(sources, volume).ok()? {
            (place, Step::WriteFiles(payload)) => {
                let name = volume.name.clone();
                Some((VolumeRun { name, place, read_only: true, limit: None }, payload))
            }
            _ => None,
        });
    made.collect()
}

/// The volumes that containers mount, with what is to be done for each.
///
/// # Errors
/// What keeps a volume from being made: upstream's sentence after `MountVolume.SetUp failed for volume "NAME" : `.
pub(super) fn prepare(sources: &Sources<'_>) -> Result<Vec<(VolumeRun, Step)>, Problem> {
    let Some(spec) = &sources.referenced.pod.spec else { return Ok(Vec::new()) };
    let containers = || spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let is_mounted = |volume: &&Volume| {
        containers().any(|one| one.volume_mounts.iter().flatten().any(|mount| mount.name == volume.name))
    };
    let mounted = spec.volumes.iter().flatten().filter(is_mounted);
    mounted
        .map(|volume| {
            let (place, step) = prepare_one(sources, volume)
                .map_err(|why| Problem::Mount { volume: volume.name.clone(), why })?;
            let of_nfs = volume.nfs.as_ref().is_some_and(|source| source.read_only == Some(true));
            let read_only = of_nfs || matches!(step, Step::WriteFiles(_));
            let limit = size_limit(volume).filter(|_| place == Place::Pod);
            Ok((VolumeRun { name: volume.name.clone(), place, read_only, limit }, step))
        })
        .collect()
}

fn prepare_one(sources: &Sources<'_>, volume: &Volume) -> Result<(Place, Step), String> {
    let files = |payload| (Place::Pod, Step::WriteFiles(payload));
    if let Some(source) = &volume.host_path {
        let kind = source.type_.clone().unwrap_or_default();
        return Ok((Place::Host(source.path.clone()), Step::CheckHostPath(kind)));
    }
    if let Some(source) = &volume.config_map {
        let selection = Selection {
            holder: Holder::ConfigMap,
            name: &source.name,
            items: source.items.as_deref(),
            optional: source.optional == Some(true),
            mode: source.default_mode,
        };
        return Ok(files(selection.files(sources)?));
    }
    if let Some(source) = &volume.secret {
        let selection = Selection {
            holder: Holder::Secret,
            name: source.secret_name.as_deref().unwrap_or_default(),
            items: source.items.as_deref(),
            optional: source.optional == Some(true),
            mode: source.default_mode,
        };
        return Ok(files(selection.files(sources)?));
    }
    if let Some(source) = &volume.downward_api {
        return Ok(files(downward_files(sources, source.items.as_deref(), source.default_mode)?));
    }
    if let Some(source) = &volume.projected {
        let mut payload = Payload::new();
        for projection in source.sources.iter().flatten() {
            payload.extend(projected_files(sources, projection, source.default_mode)?);
        }
        return Ok(files(payload));
    }
    if let Some(source) = &volume.persistent_volume_claim {
        let claim = Key::new(namespace(&sources.referenced.pod.metadata), &source.claim_name);
        let uid = sources.world.claim_uid(&claim);
        let uid = uid.ok_or_else(|| format!("persistentvolumeclaim {:?} not found", source.claim_name))?;
        return Ok((Place::Claim(claim_directory(&claim, uid)), Step::MakeClaim));
    }
    if volume.ephemeral.is_some() {
        let pod = sources.referenced.pod;
        let own = ephemeral_claims(pod).find(|(one, _)| one.name == volume.name);
        let (_, claim) = own.ok_or("the volume has no claim")?;
        let uid = own_claim(sources.world, pod, &claim)?;
        return Ok((Place::Claim(claim_directory(&claim, uid)), Step::MakeClaim));
    }
    if let Some(source) = &volume.nfs {
        let directory = nfs::directory_of(source, sources.nfs)?;
        return Ok((Place::Host(directory), Step::CheckHostPath("Directory".into())));
    }
    // A volume without a source is an emptyDir; what is neither has been refused.
    let in_memory =
        volume.empty_dir.as_ref().is_some_and(|source| source.medium.as_deref() == Some("Memory"));
    let place = if in_memory { Place::Memory(memory_size(sources, volume)) } else { Place::Pod };
    Ok((place, Step::MakeDirectory))
}

fn size_limit(volume: &Volume) -> Option<SizeLimit> {
    let limit = volume.empty_dir.as_ref()?.size_limit.as_ref()?;
    let bytes = whole(&limit.0).and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0)?;
    Some(SizeLimit { bytes, text: canonical(&limit.0) })
}

/// How much a volume in memory holds: what the manifest says, but no more than the pod may use or there is for pods.
fn memory_size(sources: &Sources<'_>, volume: &Volume) -> Option<u64> {
    let Referenced { pod, allocatable, .. } = sources.referenced;
    let of_pod = pod.spec.as_ref().and_then(|spec| whole(&limit_of_all(spec, "memory")?.0));
    let most = [of_pod, bytes(allocatable, "memory")].into_iter().flatten();
    let most = most.filter_map(|most| u64::try_from(most).ok().filter(|most| *most > 0));
    size_limit(volume).map(|limit| limit.bytes).into_iter().chain(most).min()
}

/// What a volume takes of a ConfigMap or a Secret.
struct Selection<'a> {
    holder: Holder,
    name: &'a str,
    items: Option<&'a [KeyToPath]>,
    optional: bool,
    mode: Option<i32>,
}

impl Selection<'_> {
    fn files(&self, sources: &Sources<'_>) -> Result<Payload, String> {
        let namespace = namespace(&sources.referenced.pod.metadata);
        let Some(contents) = sources.referenced.config.contents(self.holder, namespace, self.name) else {
            if self.optional {
                return Ok(Payload::new());
            }
            return Err(format!("{} {:?} not found", self.holder.word(), self.name));
        };
        let file = |content: &[u8], mode: Option<i32>| FileContent {
            content: content.to_vec(),
            mode: mode.or(self.mode).unwrap_or(DEFAULT_MODE) as u32,
        };
        let Some(items) = self.items else {
            return Ok(contents
                .into_iter()
                .map(|(key, content)| (key.to_owned(), file(content, None)))
                .collect());
        };
        let mut payload = Payload::new();
        for item in items {
            match contents.get(item.key.as_str()) {
                Some(content) => {
                    payload.insert(item.path.clone(), file(content, item.mode));
                }
                None if self.optional => {}
                None => {
                    let what = match self.holder {
                        Holder::ConfigMap => "configmap references non-existent config key",
                        Holder::Secret => "references non-existent secret key",
                    };
                    return Err(format!("{what}: {}", item.key));
                }
            }
        }
        Ok(payload)
    }
}

fn downward_files(
    sources: &Sources<'_>,
    items: Option<&[DownwardAPIVolumeFile]>,
    mode: Option<i32>,
) -> Result<Payload, String> {
    let mut payload = Payload::new();
    for item in items.unwrap_or_default() {
        let text = match (&item.field_ref, &item.resource_field_ref) {
            (Some(field), _) => environment::volume_field_value(&sources.referenced, &field.field_path)
                .ok_or_else(|| format!("unsupported fieldPath: {}", field.field_path))?,
            (None, Some(resource)) => {
                let first = sources.referenced.pod.spec.as_ref().and_then(|spec| spec.containers.first());
                let container = first.ok_or("the pod has no container")?;
                environment::resource_value(
                    sources.referenced.pod,
                    container,
                    resource,
                    sources.referenced.allocatable,
                )?
            }
            (None, None) => String::new(),
        };
        let mode = item.mode.or(mode).unwrap_or(DEFAULT_MODE) as u32;
        payload.insert(item.path.clone(), FileContent { content: text.into_bytes(), mode });
    }
    Ok(payload)
}

fn projected_files(
    sources: &Sources<'_>,
    projection: &VolumeProjection,
    mode: Option<i32>,
) -> Result<Payload, String> {
    if let Some(ConfigMapProjection { name, items, optional }) = &projection.config_map {
        let (items, optional) = (items.as_deref(), *optional == Some(true));
        return Selection { holder: Holder::ConfigMap, name, items, optional, mode }.files(sources);
    }
    if let Some(SecretProjection { name, items, optional }) = &projection.secret {
        let (items, optional) = (items.as_deref(), *optional == Some(true));
        return Selection { holder: Holder::Secret, name, items, optional, mode }.files(sources);
    }
    if let Some(downward) = &projection.downward_api {
        return downward_files(sources, downward.items.as_deref(), mode);
    }
    Ok(Payload::new())
}

/// Where a container sees the pod's volumes. A volume that lies where it is to be seen needs no mount.
///
/// # Errors
/// A subPathExpr with a variable that does not exist.
pub(super) fn mounts(
    container: &Container,
    volumes: &[VolumeRun],
    env: &BTreeMap<String, String>,
) -> Result<Vec<MountRun>, Problem> {
    let mut mounts = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let Some(volume) = volumes.iter().position(|volume| volume.name == mount.name) else { continue };
        let sub_path = sub_path(mount, env)?;
        let read_only = mount.read_only == Some(true) || volumes[volume].read_only;
        let is_there = sub_path.is_empty()
            && !read_only
            && matches!(&volumes[volume].place, Place::Host(path) if is_same_path(path, &mount.mount_path));
        if !is_there {
            mounts.push(MountRun { volume, sub_path, path: mount.mount_path.clone(), read_only });
        }
    }
    // What lies within another mount comes after it.
    mounts.sort_by_key(|mount| Path::new(&mount.path).components().count());
    Ok(mounts)
}

fn is_same_path(one: &str, other: &str) -> bool {
    Path::new(one).components().eq(Path::new(other).components())
}

fn sub_path(mount: &VolumeMount, env: &BTreeMap<String, String>) -> Result<String, Problem> {
    let Some(expression) = mount.sub_path_expr.as_deref().filter(|expression| !expression.is_empty()) else {
        return Ok(mount.sub_path.clone().unwrap_or_default());
    };
    environment::expand_all(expression, env).map_err(Problem::Reference)
}
