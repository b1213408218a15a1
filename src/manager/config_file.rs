//! The configuration file, `config.yaml`: what it may say, and changing one key of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::Duration;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

use super::config::replace_file;
use super::devices;
use crate::api::hooks::Hooks;
use crate::api::resource_field::Amounts;
use crate::api::{durations, names, quantity};
use crate::controller::Settings;
use crate::controller::room::NodeLimits;

/// The configuration file: `$XDG_CONFIG_HOME/jobctl/config.yaml`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ConfigFile {
    /// The first delay between retries, a Go duration.
    backoff_base: Option<String>,
    /// Terminated pods beyond this number are removed.
    terminated_pod_threshold: Option<usize>,
    /// The node's name in place of this machine's.
    node_name: Option<String>,
    /// How long a controller in the background stays after its last work, a Go duration.
    idle_timeout: Option<String>,
    /// What is run when a Job has failed: a command and its arguments.
    on_failure: Vec<String>,
    /// What is run when a Job is complete.
    on_success: Vec<String>,
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

/// Every key of the file.
pub const KEYS: &[&str] = &[
    "backoffBase",
    "defaultRequests",
    "extendedResources",
    "idleTimeout",
    "maxPods",
    "nodeName",
    "onFailure",
    "onSuccess",
    "terminatedPodThreshold",
];

/// What the file says, found good, with the defaults where it says nothing.
pub(super) struct Checked {
    /// The first delay between retries.
    pub(super) backoff_base: Duration,
    /// Terminated pods beyond this number are removed.
    pub(super) terminated_pod_threshold: usize,
    /// The node's name in place of this machine's.
    pub(super) node_name: Option<String>,
    /// How long a controller in the background stays after its last work.
    pub(super) idle_timeout: Duration,
    /// The room on this node.
    pub(super) limits: NodeLimits,
    /// What is run when Jobs have ended.
    pub(super) hooks: Hooks,
}

/// How long a controller stays where nothing else is said: long enough for the next command of a script.
const IDLE_TIMEOUT: &str = "1s";

impl ConfigFile {
    /// Checks every value; the devices of this machine count where the file says nothing of them.
    ///
    /// # Errors
    /// The first value that is no good, with its key.
    pub(super) fn checked(self) -> Result<Checked> {
        let at = |key: &str, problem: String| anyhow::anyhow!("{key}: {problem}");
        let defaults = Settings::default();
        let backoff_base = match &self.backoff_base {
            None => defaults.backoff_base,
            Some(text) => duration(text).map_err(|problem| at("backoffBase", problem))?,
        };
        let idle_timeout = duration(self.idle_timeout.as_deref().unwrap_or(IDLE_TIMEOUT))
            .map_err(|problem| at("idleTimeout", problem))?;
        if let Some(name) = &self.node_name
            && let Some(problem) = names::dns_subdomain(name).into_iter().next()
        {
            return Err(at("nodeName", format!("{name:?}: {problem}")));
        }
        let limits = limits(self.max_pods, self.default_requests, self.extended_resources)
            .map_err(|(key, problem)| at(key, problem))?;
        Ok(Checked {
            backoff_base,
            terminated_pod_threshold: self
                .terminated_pod_threshold
                .unwrap_or(defaults.terminated_pod_threshold),
            node_name: self.node_name,
            idle_timeout,
            limits,
            hooks: Hooks { on_failure: self.on_failure, on_success: self.on_success },
        })
    }
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

/// A Go duration that is not negative.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match durations::parse(text) {
        Ok(negative) if negative < Duration::zero() => Err(format!("{text:?} is negative")),
        parsed => parsed,
    }
}

/// A key of the file, `maxPods`, or one within it, `defaultRequests.cpu`.
struct KeyPath<'a> {
    key: &'a str,
    within: Option<&'a str>,
}

impl<'a> From<&'a str> for KeyPath<'a> {
    fn from(text: &'a str) -> Self {
        // What is within may hold dots itself: nvidia.com/gpu.
        let (key, within) = text.split_once('.').map_or((text, None), |(key, within)| (key, Some(within)));
        Self { key, within }
    }
}

/// What the file at a path says under a key, or all that it says; `None` where it says nothing.
///
/// # Errors
/// A file that does not read.
pub(super) fn value(path: &Path, key: Option<&str>) -> Result<Option<Value>> {
    let said = parsed(&text_of(path)?).with_context(|| format!("read {}", path.display()))?;
    Ok(match key.map(KeyPath::from) {
        None if said.is_empty() => None,
        None => Some(Value::Mapping(said)),
        Some(KeyPath { key, within: None }) => said.get(key).cloned(),
        Some(KeyPath { key, within: Some(within) }) => said.get(key).and_then(|map| map.get(within)).cloned(),
    })
}

/// Changes one key of the file at a path, or removes it; the rest of the text stays as somebody wrote it.
///
/// # Errors
/// A key or value that is no good, and then the file stays as it is; a file that cannot be read or written.
pub(super) fn change(path: &Path, key: &str, value: Option<Value>) -> Result<()> {
    let text = text_of(path)?;
    let said = parsed(&text).with_context(|| format!("read {}", path.display()))?;
    let key_path = KeyPath::from(key);
    // One that is unknown and there is what somebody wants to be rid of.
    if value.is_none() && !KEYS.contains(&key_path.key) && !said.contains_key(key_path.key) {
        bail!("unknown field `{key}`, expected one of `{}`", KEYS.join("`, `"));
    }
    let changed = changed(&text, said, &key_path, value)?;
    let file: ConfigFile =
        serde_yaml::from_str(&changed).map_err(|error| anyhow::anyhow!("{}", without_place(&error)))?;
    let _ = file.checked()?;
    replace_file(path, &changed)
}

/// A place in a text that nobody has seen yet says nothing.
fn without_place(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    match text.split_once(" at line ") {
        Some((problem, _)) => problem.to_owned(),
        None => text,
    }
}

fn text_of(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.with_context(|| format!("read {}", path.display())),
    }
}

fn parsed(text: &str) -> Result<Mapping> {
    if text.trim().is_empty() {
        return Ok(Mapping::new());
    }
    Ok(serde_yaml::from_str::<Option<Mapping>>(text)?.unwrap_or_default())
}

/// The text, which says `wanted` so far, with one key changed. Only the lines of that key are written anew, where that gives what is wanted: comments
/// are somebody's.
fn changed(text: &str, mut wanted: Mapping, path: &KeyPath, value: Option<Value>) -> Result<String> {
    match (path.within, value) {
        (None, Some(value)) => drop(wanted.insert(path.key.into(), value)),
        (None, None) => drop(wanted.shift_remove(path.key)),
        (Some(within), value) => {
            let map = wanted.entry(path.key.into()).or_insert_with(|| Value::Mapping(Mapping::new()));
            let Value::Mapping(map) = map else { bail!("{} holds no keys of its own", path.key) };
            match value {
                Some(value) => drop(map.insert(within.into(), value)),
                None => drop(map.shift_remove(within)),
            }
            if map.is_empty() {
                wanted.shift_remove(path.key);
            }
        }
    }
    let lines = match wanted.get(path.key) {
        Some(value) => serde_yaml::to_string(&Mapping::from_iter([(path.key.into(), value.clone())]))?,
        None => String::new(),
    };
    let renewed = with_lines_of(text, path.key, &lines);
    match parsed(&renewed) {
        Ok(found) if found == wanted => Ok(renewed),
        _ if wanted.is_empty() => Ok(String::new()),
        _ => Ok(serde_yaml::to_string(&wanted)?),
    }
}

/// The text with other lines in place of those of a top-level key, or after all others where it is not there.
fn with_lines_of(text: &str, key: &str, lines: &str) -> String {
    let begins = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'));
    let all: Vec<&str> = text.split_inclusive('\n').collect();
    let Some(first) = all.iter().position(|line| begins(line)) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return format!("{text}{gap}{lines}");
    };
    let belongs = |line: &&&str| line.starts_with([' ', '\t', '-']);
    let rest = first + 1 + all[first + 1..].iter().take_while(belongs).count();
    format!("{}{lines}{}", all[..first].concat(), all[rest..].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, key: &str, value: &str) -> String {
        changed(
            text,
            parsed(text).expect("a mapping"),
            &KeyPath::from(key),
            Some(serde_yaml::from_str(value).expect("a value")),
        )
        .expect("a text")
    }

    fn unset(text: &str, key: &str) -> String {
        changed(text, parsed(text).expect("a mapping"), &KeyPath::from(key), None).expect("a text")
    }

    #[test]
    fn a_key_is_changed_and_the_rest_stays_as_it_was_written() {
        let text = "# mine\nmaxPods: 3 # few\n\ndefaultRequests:\n  cpu: 500m # half\n# the end\n";
        assert_eq!(set(text, "maxPods", "4"), text.replace("3 # few", "4"));
        assert_eq!(unset(text, "maxPods"), text.replace("maxPods: 3 # few\n", ""));
        assert_eq!(set(text, "nodeName", "a"), format!("{text}nodeName: a\n"));
        assert_eq!(set(text, "defaultRequests.memory", "1Gi"), text.replace(" # half", "\n  memory: 1Gi"));
        assert_eq!(unset(text, "defaultRequests.cpu"), "# mine\nmaxPods: 3 # few\n\n# the end\n");
        assert_eq!(set("maxPods: 3", "nodeName", "a"), "maxPods: 3\nnodeName: a\n");
        assert_eq!(unset("maxPods: 3\n", "nodeName.x"), "maxPods: 3\n");
    }

    #[test]
    fn a_text_whose_lines_are_not_those_of_its_keys_is_written_anew() {
        assert_eq!(set("{maxPods: 3, nodeName: a}", "maxPods", "4"), "maxPods: 4\nnodeName: a\n");
        assert_eq!(unset("{maxPods: 3}", "maxPods"), "");
        let quoted = "\"maxPods\": 3\n";
        assert_eq!(set(quoted, "maxPods", "4"), "maxPods: 4\n");
    }

    #[test]
    fn every_key_is_known() {
        let error = serde_yaml::from_str::<ConfigFile>("none: 1").unwrap_err().to_string();
        let listed = error.split_once("expected one of ").expect("a list").1;
        let mut known: Vec<&str> = listed.split('`').skip(1).step_by(2).collect();
        known.sort_unstable();
        assert_eq!(known, KEYS);
    }

    #[test]
    fn what_holds_no_keys_is_not_gone_into() {
        let error = changed(
            "maxPods: 3\n",
            parsed("maxPods: 3").expect("a mapping"),
            &KeyPath::from("maxPods.x"),
            Some(Value::from(1)),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "maxPods holds no keys of its own");
    }
}
