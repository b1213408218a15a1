//! What a supervisor needs to know of its pod, and nothing more.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::Duration;
use serde::{Deserialize, Serialize};

use super::environment::{self, Problem, Referenced, Room};
use super::items::item_of;
use super::limits::LimitsRun;
use super::nfs::NfsMount;
use super::probes::ProbesRun;
use super::restart::OwnRestarts;
use super::volumes::{self, MountRun, Sources, Step, VolumeRun};
use crate::api::devices::{Devices, leased, of_container, variables};
use crate::api::images::{ImageName, Images, command};
use crate::api::items::Item;
use crate::api::meta::{
    ANNOTATION_PASSED_ENVIRONMENT, ANNOTATION_PATH, ANNOTATION_SESSION, ANNOTATION_STRICT, ANNOTATION_UMASK,
    ANNOTATION_WORKING_DIRECTORY, annotation, controller_of, name, namespace, uid,
};
use crate::api::pod_resources::is_sidecar;
use crate::api::security::{Identity, Security, fs_group};
use crate::api::{Container, ObjectMeta, PodSpec};
use crate::controller::endpoints::{has_names, hostname, service_variables};
use crate::controller::{World, backoff};

/// Carried by every process of a pod: the pod's uid, by which what is left of a lost pod is found.
pub const POD_UID_VARIABLE: &str = "JOBCTL_POD_UID";
/// Carried by every process of a pod: its container's name.
pub const CONTAINER_VARIABLE: &str = "JOBCTL_CONTAINER";
/// Tells a jobctl within a pod the name of this machine as a node: the host's name may be the pod's there.
pub const NODE_NAME_VARIABLE: &str = "JOBCTL_NODE_NAME";

/// A pod, resolved: every variable expanded, every directory chosen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodRun {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// The pod's uid.
    pub uid: String,
    /// The uid of the Job that controls the pod, empty where none does.
    pub job_uid: String,
    /// The name that processes see as their host's, as far as the platform allows.
    pub hostname: String,
    /// Its address.
    pub address: String,
    /// Whether its containers see a hosts file of their own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_names: bool,
    /// `Never`, `OnFailure` or `Always`.
    pub restart_policy: String,
    /// Seconds between SIGTERM and SIGKILL where a request to stop does not say.
    pub grace_seconds: i64,
    /// `spec.activeDeadlineSeconds` of the pod.
    pub active_deadline_seconds: Option<i64>,
    /// The mask for the modes of new files: that of whoever created the object.
    pub umask: u32,
    /// The first delay between restarts, in milliseconds.
    pub backoff_base_milliseconds: i64,
    /// A directory of a pod that is gone, to be taken in place of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spare: Option<PathBuf>,
    /// What its containers may use at most together, where the pod says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsRun>,
    /// What containers mount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<VolumeRun>,
    /// Init containers in order, then containers.
    pub containers: Vec<ContainerRun>,
}

/// What a container is to its pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Runs to its end before the next starts.
    Init,
    /// An init container with `restartPolicy: Always`: runs beside the rest.
    Sidecar,
    /// One of `spec.containers`.
    #[default]
    Main,
}

/// A container, resolved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerRun {
    /// The container's name.
    pub name: String,
    /// The image it names; only a label here.
    pub image: String,
    /// Init, sidecar or main.
    pub role: Role,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment.
    pub env: Vec<(String, String)>,
    /// Where it starts.
    pub working_directory: String,
    /// Who has said so.
    #[serde(default, skip_serializing_if = "DirectoryOf::is_creators")]
    pub directory_of: DirectoryOf,
    /// What it needs beyond a plain process: a file system of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxRun>,
    /// As whom it runs, and with what rights, where that is not as who starts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<CredentialsRun>,
    /// What it may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsRun>,
    /// Its probes and hooks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<Box<ProbesRun>>,
    /// Where it leaves a last message, if it can: a file that is made for it in its own view of the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_path: Option<String>,
    /// What it reads, if anything, and whether it is at a terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<InputRun>,
    /// What it says itself of being started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarts: Option<OwnRestarts>,
    /// Whether the end of its output is the message of a failure that has left none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub message_from_log: bool,
}

/// What a container reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputRun {
    /// Whether somebody may attach to its standard input.
    #[serde(default)]
    pub stdin: bool,
    /// Whether that ends with the first who does.
    #[serde(default)]
    pub once: bool,
    /// Whether its standard streams are a terminal.
    #[serde(default)]
    pub tty: bool,
}

impl InputRun {
    fn of(container: &Container) -> Option<Self> {
        let is_set = |field: Option<bool>| field == Some(true);
        let input = Self {
            stdin: is_set(container.stdin),
            once: is_set(container.stdin_once),
            tty: is_set(container.tty),
        };
        (input.stdin || input.tty).then_some(input)
    }
}

/// As whom a container runs, and with what rights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialsRun {
    /// The user.
    pub user: Option<u32>,
    /// The group.
    pub group: Option<u32>,
    /// All further groups.
    pub groups: Option<Vec<u32>>,
    /// Whether no program may give it more rights.
    pub no_new_privileges: bool,
    /// The capabilities that it may have at most, a bit each.
    pub capabilities: Option<u64>,
}

/// A container's own view of the file system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxRun {
    /// Where it sees volumes: what lies within another comes after it.
    pub mounts: Vec<MountRun>,
    /// Whether it can write to its volumes only.
    #[serde(default)]
    pub read_only_root: bool,
}

/// Who says where a container starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DirectoryOf {
    /// Nobody: it is where the object was created.
    #[default]
    Creator,
    /// The manifest, below the directory where the object was created: there it has to be.
    ManifestBelow,
    /// The manifest: what is missing is made for the container alone.
    Manifest,
}

impl DirectoryOf {
    fn is_creators(&self) -> bool {
        *self == Self::Creator
    }
}

impl ContainerRun {
    /// Whether all that it would miss without a view of the file system of its own are names.
    pub fn can_do_without_sandbox(&self) -> bool {
        let is_bare = |sandbox: &SandboxRun| sandbox.mounts.is_empty() && !sandbox.read_only_root;
        let has_ids = self.credentials.as_ref().is_some_and(|ids| ids.user.is_some() || ids.group.is_some());
        self.sandbox.as_ref().is_none_or(is_bare) && self.message_path.is_none() && !has_ids
    }
}

/// A pod, ready to be started once its volumes have been prepared.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// The pod.
    pub run: PodRun,
    /// What is to be done first, a step for each of the pod's volumes.
    pub steps: Vec<Step>,
    /// The group that the pod's own volumes are to belong to.
    pub fs_group: Option<u32>,
}

impl Prepared {
    /// Whether something lies in the pod's directory before its supervisor takes it.
    pub fn needs_directory(&self) -> bool {
        !self.steps.is_empty() || self.run.has_names
    }
}

impl PodRun {
    /// The first delay between restarts.
    pub fn backoff_base(&self) -> Duration {
        Duration::milliseconds(self.backoff_base_milliseconds)
    }
}

/// The reason of a pod whose volumes cannot be made: its containers wait, and Events say why.
pub const FAILED_MOUNT: &str = "FailedMount";

/// Why a pod cannot be started as it stands: the reason and message of the waiting container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The container.
    pub container: String,
    /// `ErrImagePull`, `CreateContainerConfigError` …
    pub reason: &'static str,
    /// The sentence.
    pub message: String,
}

impl Blocked {
    /// By a volume that cannot be made; `message` is the sentence of the Event.
    pub fn by_volume(message: String) -> Self {
        Self { container: String::new(), reason: FAILED_MOUNT, message }
    }
}

/// The mask for the modes of new files where nobody said another.
const DEFAULT_UMASK: u32 = 0o022;

/// Where a pod's variables come from beside the manifest.
#[derive(Clone, Copy, Debug)]
pub struct Environment<'a> {
    /// The session of this user, as the system knows it: for objects that do not say whose session they were created in.
    pub base: &'a BTreeMap<String, String>,
    /// The values of the variables that `--pass-env` named.
    pub passed: &'a BTreeMap<String, String>,
    /// Who starts containers.
    pub me: Identity,
    /// What this machine has mounted from afar.
    pub nfs: &'a [NfsMount],
}

/// Resolves a pod, with what its fields refer to. `owner` is the metadata of the object that a person created (the Job, or the pod itself): its
/// annotations say where, with which PATH and in whose session.
///
/// # Errors
/// The first container that cannot be started, and why.
pub fn pod_run(
    referenced: Referenced<'_>,
    owner: &ObjectMeta,
    world: &World,
    environment: &Environment<'_>,
) -> Result<Prepared, Blocked> {
    let Referenced { pod, address, .. } = referenced;
    let spec = pod.spec.clone().unwrap_or_default();
    let hostname = hostname(pod);
    let from_owner = |key: &str| annotation(owner, key).or_else(|| annotation(&pod.metadata, key));
    let Environment { base, passed, me, nfs } = *environment;
    // Of an object that does not say whose it is, that is this user, as the system knows it.
    let session = from_owner(ANNOTATION_SESSION).and_then(|text| serde_json::from_str(text).ok());
    let mut environment: BTreeMap<String, String> = session.unwrap_or_else(|| base.clone());
    if let (Some(path), false) = (base.get("PATH"), environment.contains_key("PATH")) {
        environment.insert("PATH".into(), path.clone());
    }
    if let Some(path) = from_owner(ANNOTATION_PATH) {
        environment.insert("PATH".into(), path.into());
    }
    for name in from_owner(ANNOTATION_PASSED_ENVIRONMENT).into_iter().flat_map(|names| names.split(',')) {
        if let Some(value) = passed.get(name) {
            environment.insert(name.into(), value.clone());
        }
    }
    if spec.enable_service_links != Some(false) {
        environment.extend(service_variables(world, namespace(&pod.metadata)));
    }
    let has_names = has_names(world, namespace(&pod.metadata), &spec);
    environment.insert("HOSTNAME".into(), hostname.clone());
    // As root a pod has a host's name of its own; this tells a jobctl within it where it is.
    environment.insert(NODE_NAME_VARIABLE.into(), world.settings.node_name.clone());
    let directory = from_owner(ANNOTATION_WORKING_DIRECTORY).unwrap_or("/");
    let inits = spec
        .init_containers
        .iter()
        .flatten()
        .map(|container| (if is_sidecar(container) { Role::Sidecar } else { Role::Init }, container));
    let mains = spec.containers.iter().map(|container| (Role::Main, container));
    let mut room = Room::of_pod();
    let first = spec.containers.first().map_or("", |first| first.name.as_str());
    let prepared =
        volumes::prepare(&Sources { world, referenced, nfs }).map_err(|problem| blocked(first, problem))?;
    let (volumes, steps): (Vec<_>, Vec<_>) = prepared.into_iter().unzip();
    let images = &world.settings.images;
    let is_strict = from_owner(ANNOTATION_STRICT) == Some("true");
    let devices = leased(pod);
    let item = item_of(pod, referenced.config).map_err(|why| blocked(first, Problem::Reference(why)))?;
    let given = Given {
        referenced,
        item: item.as_ref(),
        environment: &environment,
        images,
        directory,
        volumes: &volumes,
        inventory: &world.settings.limits.devices,
        devices: &devices,
        spec: &spec,
        me,
        is_strict,
        has_names,
    };
    let containers = inits
        .chain(mains)
        .map(|(role, container)| container_run(&given, container, role, &mut room))
        .collect::<Result<Vec<_>, _>>()?;
    let fs_group = fs_group(&spec).filter(|_| me.user == 0);
    let run = PodRun {
        namespace: namespace(&pod.metadata).into(),
        name: name(&pod.metadata).into(),
        uid: uid(&pod.metadata).into(),
        job_uid: controller_of(&pod.metadata).map_or_else(String::new, |owner| owner.uid.clone()),
        hostname,
        address: address.to_owned(),
        // Whoever has a view of his own is called by his own name there, and many a program asks at once for the address of that.
        has_names: has_names || containers.iter().any(|container| container.sandbox.is_some()),
        restart_policy: spec.restart_policy.unwrap_or_else(|| "Always".into()),
        grace_seconds: match spec.termination_grace_period_seconds.unwrap_or(30) {
            // Upstream warns that it takes this for 1.
            negative if negative < 0 => 1,
            seconds => seconds,
        },
        active_deadline_seconds: spec.active_deadline_seconds,
        umask: from_owner(ANNOTATION_UMASK)
            .and_then(|text| u32::from_str_radix(text, 8).ok())
            .unwrap_or(DEFAULT_UMASK),
        backoff_base_milliseconds: backoff::base(owner, world.settings.backoff_base).num_milliseconds(),
        spare: None,
        limits: LimitsRun::of(spec.resources.as_ref().and_then(|resources| resources.limits.as_ref())),
        containers,
        volumes,
    };
    Ok(Prepared { run, steps, fs_group })
}

/// What a container at a terminal has where nobody says what terminal that is, as container runtimes have it.
const TERM: (&str, &str) = ("TERM", "xterm");

/// What all containers of a pod are given.
struct Given<'a> {
    referenced: Referenced<'a>,
    /// What the pod works on, of a sweep.
    item: Option<&'a Item>,
    environment: &'a BTreeMap<String, String>,
    images: &'a Images,
    spec: &'a PodSpec,
    me: Identity,
    is_strict: bool,
    has_names: bool,
    /// The working directory of whoever created the object.
    directory: &'a str,
    volumes: &'a [VolumeRun],
    /// What devices this machine has, and which of them the pod has.
    inventory: &'a Devices,
    devices: &'a Devices,
}

fn blocked(container: &str, problem: Problem) -> Blocked {
    let (reason, message) = match problem {
        Problem::Reference(message) => ("CreateContainerConfigError", message),
        Problem::Size(message) => {
            ("CreateContainerError", format!("container {container:?} cannot be started: {message}"))
        }
        Problem::Mount { volume, why } => {
            return Blocked::by_volume(format!("MountVolume.SetUp failed for volume {volume:?} : {why}"));
        }
    };
    Blocked { container: container.to_owned(), reason, message }
}

fn container_run(
    given: &Given<'_>,
    container: &Container,
    role: Role,
    room: &mut Room,
) -> Result<ContainerRun, Blocked> {
    let Given { referenced, environment, images, spec, me, is_strict, has_names, directory, volumes, .. } =
        *given;
    let of_devices = device_variables(given, &container.name);
    let pod = referenced.pod;
    let image = container.image.clone().unwrap_or_default();
    let known = match image.as_str() {
        "" => None,
        image => {
            if ImageName::parse(image).is_none() {
                return Err(invalid_image(container, image));
            }
            images.find(image)
        }
    };
    let words = command(container, known.as_ref());
    if words.is_empty() {
        return Err(unknown_image(container, &image));
    }
    let blocked = |problem| blocked(&container.name, problem);
    let security = Security::of(spec, container, me).map_err(|why| {
        let pod_name =
            format!("{}_{}({})", name(&pod.metadata), namespace(&pod.metadata), uid(&pod.metadata));
        blocked(Problem::Reference(format!("{why} (pod: {pod_name:?}, container: {})", container.name)))
    })?;
    if let [field, ..] = security.not_in_force.as_slice()
        && is_strict
    {
        let why = format!("securityContext.{field} cannot be in force here, and {ANNOTATION_STRICT} is set");
        return Err(blocked(Problem::Reference(why)));
    }
    room.begin_container();
    let own = environment::container_env(&referenced, container, given.item, room).map_err(blocked)?;
    // Only the container's own variables are replaced: what a manifest means must not depend on who applies it.
    let argv = environment::arguments(words.into_iter(), &own, given.item, room).map_err(blocked)?;
    // By these the processes of a lost pod are found; nobody may hide from that.
    let ours = [(POD_UID_VARIABLE, uid(&pod.metadata)), (CONTAINER_VARIABLE, container.name.as_str())];
    let of_image = known.iter().flat_map(|known| &known.env);
    let given = environment.iter().chain(of_image).filter(|(name, _)| !own.contains_key(*name));
    let given = given.chain(of_devices.iter().map(|(name, value)| (name, value)));
    let mut given = given.map(|(name, value)| (name.as_str(), value.as_str())).chain(ours);
    given.try_for_each(|(name, value)| room.take_variable(name, value)).map_err(blocked)?;
    let mut env = environment.clone();
    env.extend(known.iter().flat_map(|known| known.env.clone()));
    if security.user.is_some() {
        // It is somebody else's.
        env.insert("HOME".into(), "/".into());
    }
    env.extend(own);
    if let (Some(true), false) = (container.tty, env.contains_key(TERM.0)) {
        room.take_variable(TERM.0, TERM.1).map_err(blocked)?;
        env.insert(TERM.0.into(), TERM.1.into());
    }
    env.extend(of_devices.iter().cloned());
    env.extend(ours.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let of_image = known.as_ref().and_then(|known| known.working_dir.as_deref());
    let wanted = container.working_dir.as_deref().filter(|directory| !directory.is_empty()).or(of_image);
    let (working_directory, directory_of) = match wanted {
        None | Some("") => (directory.to_owned(), DirectoryOf::Creator),
        Some(absolute) if absolute.starts_with('/') => (absolute.to_owned(), DirectoryOf::Manifest),
        Some(relative) => {
            (format!("{}/{relative}", directory.trim_end_matches('/')), DirectoryOf::ManifestBelow)
        }
    };
    let mounts = volumes::mounts(container, volumes, &env).map_err(blocked)?;
    let message_path = message_path(container, &argv, &env);
    let needs_sandbox = message_path.is_some()
        || !mounts.is_empty()
        || has_names
        || security.read_only_root
        || security.needs_user_namespace(me);
    let sandbox = needs_sandbox.then_some(SandboxRun { mounts, read_only_root: security.read_only_root });
    Ok(ContainerRun {
        name: container.name.clone(),
        image,
        role,
        argv,
        env: env.into_iter().collect(),
        working_directory,
        directory_of,
        sandbox,
        credentials: credentials(security),
        limits: LimitsRun::of(container.resources.as_ref().and_then(|resources| resources.limits.as_ref())),
        probes: ProbesRun::of(container, referenced.address).map(Box::new),
        message_path,
        input: InputRun::of(container),
        restarts: OwnRestarts::of(container),
        message_from_log: container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError"),
    })
}

/// What a container is told of the devices of this machine: which are its own, of each kind. A container that asks for none
/// sees none.
fn device_variables(given: &Given<'_>, container: &str) -> Vec<(String, String)> {
    let of_resource = |resource: &String| {
        let ids = given.devices.get(resource).map(Vec::as_slice).unwrap_or_default();
        variables(resource, of_container(given.spec, container, resource, ids))
    };
    given.inventory.keys().flat_map(of_resource).collect()
}

/// The usual place of a last message, which every manifest names once it has been defaulted.
const DEFAULT_MESSAGE_PATH: &str = "/dev/termination-log";

/// Where the container leaves a last message. There is a file for it where somebody has chosen a place, or where what it runs
/// names the usual one: making room in `/dev` would be half of what a view of the file system costs.
fn message_path(container: &Container, argv: &[String], env: &BTreeMap<String, String>) -> Option<String> {
    let path = container.termination_message_path.as_deref().filter(|path| path.starts_with('/'))?;
    let is_named = || argv.iter().chain(env.values()).any(|text| text.contains(path));
    (path != DEFAULT_MESSAGE_PATH || is_named()).then(|| path.to_owned())
}

/// What is left to do of a security context when the process starts; `None` for nothing.
fn credentials(security: Security) -> Option<CredentialsRun> {
    let Security { user, group, groups, no_new_privileges, capabilities, .. } = security;
    let credentials = CredentialsRun { user, group, groups, no_new_privileges, capabilities };
    (credentials != CredentialsRun::default()).then_some(credentials)
}

fn invalid_image(container: &Container, image: &str) -> Blocked {
    let message = format!(
        "Failed to apply default image tag {image:?}: couldn't parse image name {image:?}: invalid reference format"
    );
    Blocked { container: container.name.clone(), reason: "InvalidImageName", message }
}

/// Without a command only the image could say what to run, and images are labels here (design, "Pods without
/// containers"): the container waits as one whose image cannot be pulled.
fn unknown_image(container: &Container, image: &str) -> Blocked {
    if container.image_pull_policy.as_deref() == Some("Never") {
        return Blocked {
            container: container.name.clone(),
            reason: "ErrImageNeverPull",
            message: format!("Container image {image:?} is not present with pull policy of Never"),
        };
    }
    Blocked {
        container: container.name.clone(),
        reason: "ErrImagePull",
        message: format!(
            "failed to pull image {image:?}: jobctl runs commands of this machine and knows no entrypoint for \
             this image; give the container a command, or say what the image runs: jobctl image set {image} -- COMMAND"
        ),
    }
}
