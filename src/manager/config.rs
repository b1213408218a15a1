//! Where things are and how this place is set up.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use chrono_tz::Tz;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::devices;
use crate::api::images::Images;
use crate::api::resource_field::Amounts;
use crate::api::security::Identity;
use crate::api::{durations, names, quantity};
use crate::controller::Settings;
use crate::controller::room::NodeLimits;
use crate::kubelet::actions::{NODE_NAME_VARIABLE, POD_UID_VARIABLE};
use crate::store::write_atomic;

/// What the environment and the configuration file say.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub data_directory: PathBuf,
    /// Whether processes of ours may go on in the background (`JOBCTL_BACKGROUND=never` forbids it).
    pub background: bool,
    /// How long a controller in the background stays after its last work, so that the next command need not start one.
    pub idle_timeout: std::time::Duration,
    /// What holds for all objects.
    pub settings: Settings,
    /// The configuration files as they were read, for noticing others.
    config_file: KnownFile,
    images_file: KnownFile,
}

/// By what another version of a file is known: its inode, length and time of change.
type FileState = Option<(u64, u64, i64, i64)>;

/// A configuration file, and which version of it was read.
#[derive(Clone, Debug)]
struct KnownFile {
    path: PathBuf,
    state: FileState,
}

impl KnownFile {
    fn at(path: PathBuf) -> Self {
        Self { state: state_of(&path), path }
    }

    fn is_another(&self) -> bool {
        state_of(&self.path) != self.state
    }
}

fn state_of(path: &Path) -> FileState {
    let found = std::fs::metadata(path).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// The configuration file: `$XDG_CONFIG_HOME/jobctl/config.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ConfigFile {
    /// The first delay between retries, a Go duration.
    backoff_base: Option<String>,
    /// Terminated pods beyond this number are removed.
    terminated_pod_threshold: Option<usize>,
    /// The node's name in place of this machine's.
    node_name: Option<String>,
    /// How long a controller in the background stays after its last work, a Go duration.
    idle_timeout: Option<String>,
    /// How many pods may run at a time.
    max_pods: Option<u32>,
    /// What a container counts as that says nothing of a resource.
    default_requests: BTreeMap<String, Scalar>,
    /// Resources that this machine has beside CPUs and memory, and how many of each, or their ids.
    extended_resources: BTreeMap<String, Extended>,
}

/// How many there are of a resource, or which.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "must be a number, or a list of ids")]
enum Extended {
    Count(u32),
    Ids(Vec<Scalar>),
}

/// A quantity may be written as a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Integer(i64),
    Fraction(f64),
    Text(String),
}

impl Scalar {
    fn text(self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Fraction(number) => number.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// How long a controller stays where nothing else is said: long enough for the next command of a script.
const IDLE_TIMEOUT: &str = "1s";

impl Config {
    /// Reads environment and configuration file. `data_directory` is what `--data-dir` said.
    ///
    /// # Errors
    /// No home directory; a configuration file that does not read.
    pub fn load(data_directory: Option<&Path>) -> Result<Self> {
        let directories = directories::ProjectDirs::from("", "", "jobctl");
        let data_directory = match (data_directory, std::env::var_os("JOBCTL_DATA_DIR"), &directories) {
            (Some(given), _, _) => given.to_owned(),
            (None, Some(given), _) if !given.is_empty() => PathBuf::from(given),
            (None, _, Some(directories)) => directories.data_dir().to_owned(),
            (None, _, None) => bail!("no home directory: set HOME, or name a directory with --data-dir"),
        };
        let data_directory = std::path::absolute(&data_directory)
            .with_context(|| format!("find data directory {}", data_directory.display()))?;
        let background = std::env::var_os("JOBCTL_BACKGROUND").is_none_or(|value| value != "never");
        let defaults = Settings::default();
        let place = directories.map(|directories| directories.config_dir().to_owned()).unwrap_or_default();
        let config_file = KnownFile::at(place.join("config.yaml"));
        let images_file = KnownFile::at(place.join("images.yaml"));
        let path = &config_file.path;
        let file: ConfigFile = read_file(path)?;
        let images: Images = read_file(&images_file.path)?;
        let in_file =
            |key: &str, problem: String| anyhow::anyhow!("read {}: {key}: {problem}", path.display());
        let backoff_base = match &file.backoff_base {
            None => defaults.backoff_base,
            Some(text) => duration(text).map_err(|problem| in_file("backoffBase", problem))?,
        };
        let mut idle_timeout = duration(file.idle_timeout.as_deref().unwrap_or(IDLE_TIMEOUT))
            .map_err(|problem| in_file("idleTimeout", problem))?;
        if let Ok(text) = std::env::var("JOBCTL_IDLE_TIMEOUT") {
            idle_timeout =
                duration(&text).map_err(|problem| anyhow::anyhow!("JOBCTL_IDLE_TIMEOUT: {problem}"))?;
        }
        if let Some(name) = &file.node_name
            && let Some(problem) = names::dns_subdomain(name).into_iter().next()
        {
            return Err(in_file("nodeName", format!("{name:?}: {problem}")));
        }
        let limits = limits(file.max_pods, file.default_requests, file.extended_resources)
            .map_err(|(key, problem)| in_file(key, problem))?;
        Ok(Self {
            data_directory,
            background,
            idle_timeout: idle_timeout.to_std().unwrap_or_default(),
            config_file,
            images_file,
            settings: Settings {
                node_name: file.node_name.unwrap_or_else(node_name),
                backoff_base,
                time_zone: local_zone(),
                images: images.into(),
                limits: limits.into(),
                terminated_pod_threshold: file
                    .terminated_pod_threshold
                    .unwrap_or(defaults.terminated_pod_threshold),
            },
        })
    }
}

impl Config {
    /// Whether a configuration file is another by now.
    pub(super) fn is_outdated(&self) -> bool {
        self.config_file.is_another() || self.images_file.is_another()
    }

    /// Whether other images are said to run something by now.
    pub(super) fn has_other_images(&self) -> bool {
        self.images_file.is_another()
    }

    /// Where the configuration files are.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.config_file.path.parent()
    }

    /// Stores what images run.
    ///
    /// # Errors
    /// A directory that cannot be written to.
    pub fn save_images(&self, images: &Images) -> Result<()> {
        let path = &self.images_file.path;
        let text = serde_yaml::to_string(images).context("write the images down")?;
        replace_file(path, &text)
    }
}

/// Writes a file of the configuration directory, and makes that where it is missing.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    }
    write_atomic(path, text.as_bytes()).with_context(|| format!("write {}", path.display()))
}

/// Who runs this process, and so starts containers.
pub fn identity() -> Identity {
    Identity { user: nix::unistd::geteuid().as_raw(), group: nix::unistd::getegid().as_raw() }
}

/// What the file says of the room on this node; what is wrong with it by the key that says it.
fn limits(
    max_pods: Option<u32>,
    requests: BTreeMap<String, Scalar>,
    named: BTreeMap<String, Extended>,
) -> Result<NodeLimits, (&'static str, String)> {
    let (mut default_requests, defaults, extended) = (Amounts::new(), "defaultRequests", "extendedResources");
    for name in named.keys() {
        if !name.contains('/') {
            return Err((
                extended,
                format!("{name:?}: must be a name with a domain, such as example.com/gpu"),
            ));
        }
        if let Some(problem) = names::qualified_name(name).into_iter().next() {
            return Err((extended, format!("{name:?}: {problem}")));
        }
    }
    // What somebody has said of a kind of devices counts, not what is there.
    let mut devices = devices::found_here();
    devices.retain(|name, _| !named.contains_key(name));
    let mut extended_resources = BTreeMap::new();
    for (name, there) in named {
        match there {
            Extended::Count(count) => drop(extended_resources.insert(name, count)),
            Extended::Ids(ids) => {
                let ids: Vec<String> = ids.into_iter().map(Scalar::text).collect();
                if let Some(problem) = problem_with_ids(&ids) {
                    return Err((extended, format!("{name}: {problem}")));
                }
                devices.insert(name, ids);
            }
        }
    }
    extended_resources.extend(devices.iter().map(|(name, ids)| (name.clone(), ids.len() as u32)));
    for (name, amount) in requests {
        let text = amount.text();
        if !["cpu", "memory"].contains(&name.as_str()) && !extended_resources.contains_key(&name) {
            let problem = "must be cpu, memory, or one of extendedResources";
            return Err((defaults, format!("{name:?}: {problem}")));
        }
        match quantity::parse(&text) {
            Ok(nanos) if nanos < 0 => return Err((defaults, format!("{name}: {text:?} is negative"))),
            Ok(_) => default_requests.insert(name, Quantity(text)),
            Err(problem) => return Err((defaults, format!("{name}: {text:?}: {problem}"))),
        };
    }
    Ok(NodeLimits { max_pods, default_requests, extended_resources, devices })
}

/// Ids stand in lists with commas, in variables of containers.
fn problem_with_ids(ids: &[String]) -> Option<String> {
    let is_bad = |id: &&String| {
        id.is_empty() || id.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control())
    };
    if let Some(bad) = ids.iter().find(is_bad) {
        return Some(format!("{bad:?} is no id: it must not be empty, nor hold commas or spaces"));
    }
    let mut seen = BTreeSet::new();
    ids.iter().find(|id| !seen.insert(*id)).map(|twice| format!("{twice:?} is there twice"))
}

fn duration(text: &str) -> Result<chrono::Duration, String> {
    match durations::parse(text) {
        Ok(negative) if negative < chrono::Duration::zero() => Err(format!("{text:?} is negative")),
        parsed => parsed,
    }
}

/// What a file of the configuration directory says; one that is not there says nothing.
pub(super) fn read_file<T: DeserializeOwned + Default>(path: &Path) -> Result<T> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(T::default()),
        Ok(text) => serde_yaml::from_str(&text).with_context(|| format!("read {}", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(T::default()),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// This machine's time zone by its IANA name, UTC where the system says none. `TZ` does not count: the controller may have
/// been started from any shell, and a schedule must not depend on which.
fn local_zone() -> Tz {
    iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

/// This machine's name, in the form of a node's.
fn node_name() -> String {
    // Within a pod the host's name may be the pod's.
    let outer =
        std::env::var(NODE_NAME_VARIABLE).ok().filter(|_| std::env::var_os(POD_UID_VARIABLE).is_some());
    if let Some(name) = outer {
        return name;
    }
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let name: String = name
        .to_ascii_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c))
        .collect();
    if name.is_empty() { "localhost".into() } else { name }
}

/// The variables of a session that pods get from whoever creates their object. PATH is recorded on its own.
pub fn session_environment() -> BTreeMap<String, String> {
    const NAMES: [&str; 7] = ["HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR"];
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| NAMES.contains(&name.as_str()) || name.starts_with("LC_"))
        .collect()
}

static CREATOR_UMASK: OnceLock<u32> = OnceLock::new();

/// Takes the umask of whoever has started us, for the pods of what is created; our own files are for us alone, whatever it says.
pub fn take_umask() {
    let umask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let _ = CREATOR_UMASK.set(umask.bits());
}

/// The umask of whoever has started us.
pub fn creator_umask() -> u32 {
    CREATOR_UMASK.get().copied().unwrap_or(0o022)
}

/// A session of this user as the system knows it.
pub(super) fn default_environment() -> BTreeMap<String, String> {
    let mut environment = BTreeMap::from([("PATH".to_owned(), DEFAULT_PATH.to_owned())]);
    if let Ok(Some(user)) = nix::unistd::User::from_uid(nix::unistd::geteuid()) {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        for (name, value) in [
            ("HOME", text(&user.dir)),
            ("USER", user.name.clone()),
            ("LOGNAME", user.name),
            ("SHELL", text(&user.shell)),
        ] {
            environment.insert(name.into(), value);
        }
    }
    environment
}

/// PATH of pods whose creator has none: that of container runtimes.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
