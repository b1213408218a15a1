//! Where things are and how this place is set up.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use chrono_tz::Tz;
use serde::de::DeserializeOwned;

use super::config_file::{self, ConfigFile, duration};
use crate::api::images::Images;
use crate::api::security::Identity;
use crate::controller::Settings;
use crate::kubelet::actions::{NODE_NAME_VARIABLE, POD_UID_VARIABLE};
use crate::store::write_atomic;

/// The configuration file in its directory, `$XDG_CONFIG_HOME/jobctl`.
const FILE: &str = "config.yaml";

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
        let place = directories.map(|directories| directories.config_dir().to_owned()).unwrap_or_default();
        let config_file = KnownFile::at(place.join(FILE));
        let images_file = KnownFile::at(place.join("images.yaml"));
        let path = &config_file.path;
        let file: ConfigFile = read_file(path)?;
        let images: Images = read_file(&images_file.path)?;
        let file = file.checked().with_context(|| format!("read {}", path.display()))?;
        let mut idle_timeout = file.idle_timeout;
        if let Ok(text) = std::env::var("JOBCTL_IDLE_TIMEOUT") {
            idle_timeout =
                duration(&text).map_err(|problem| anyhow::anyhow!("JOBCTL_IDLE_TIMEOUT: {problem}"))?;
        }
        Ok(Self {
            data_directory,
            background,
            idle_timeout: idle_timeout.to_std().unwrap_or_default(),
            config_file,
            images_file,
            settings: Settings {
                node_name: file.node_name.unwrap_or_else(node_name),
                backoff_base: file.backoff_base,
                time_zone: local_zone(),
                images: images.into(),
                limits: file.limits.into(),
                hooks: file.hooks.into(),
                terminated_pod_threshold: file.terminated_pod_threshold,
            },
        })
    }
}

/// What the configuration file says under a key, or all that it says.
///
/// # Errors
/// A file that does not read.
pub fn configured(key: Option<&str>) -> Result<Option<serde_yaml::Value>> {
    config_file::value(&file_of_this_user()?, key)
}

/// Says something else in the configuration file under a key, or nothing any more.
///
/// # Errors
/// A key or a value that is no good, and then the file stays as it is; a file that cannot be read or written.
pub fn configure(key: &str, value: Option<serde_yaml::Value>) -> Result<()> {
    config_file::change(&file_of_this_user()?, key, value)
}

fn file_of_this_user() -> Result<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "jobctl");
    Ok(directories.context("no configuration directory: set HOME")?.config_dir().join(FILE))
}

impl Config {
    /// Whether a configuration file is another by now.
    pub(super) fn is_outdated(&self) -> bool {
        self.config_file.is_another() || self.images_file.is_another()
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
