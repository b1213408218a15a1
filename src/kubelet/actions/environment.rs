//! A container's environment and arguments: values, references to the pod's own fields, `$(VAR)` expansion (4.9),
//! and how much of all that a program can be given.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvFromSource, EnvVarSource, ResourceFieldSelector};

use super::config::{ConfigObjects, Holder};
use crate::api::items::{ITEM_VARIABLE, Item, Part};
use crate::api::meta::{name, namespace, uid};
use crate::api::quoted::quoted;
use crate::api::resource_field::{self, Amounts};
use crate::api::{Container, Pod};

/// The most bytes of one argument, or of one variable with its name: the kernel takes 128 KiB with the zero at the end.
const LONGEST_STRING: usize = 128 * 1024 - 1;
/// The most bytes of all arguments and variables of a container. The kernel takes a quarter of the stack's limit, which is
/// two MiB as a rule; some of it stays free for a program that starts others.
const LONGEST_TOTAL: usize = 1536 * 1024;
/// The most of all containers of a pod together: a kernel's limit is one for each, and a manifest may have thousands.
const LONGEST_OF_POD: usize = 16 << 20;
/// What each string costs beside its bytes: the zero at its end and the pointer to it.
const STRING_OVERHEAD: usize = 9;

/// Why a container's environment cannot be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A reference that cannot be resolved here.
    Reference(String),
    /// More than a program can be given.
    Size(String),
    /// A volume that cannot be made.
    Mount {
        /// Its name in the pod.
        volume: String,
        /// Upstream's sentence.
        why: String,
    },
}

/// How much the containers of a pod have been given so far. Expansion doubles with every variable that names another
/// twice, so it is measured while it grows, and what is too much is never made.
#[derive(Debug)]
pub(super) struct Room {
    of_container: usize,
    of_pod: usize,
}

impl Room {
    /// Room for the containers of one pod.
    pub(super) fn of_pod() -> Self {
        Self { of_container: 0, of_pod: LONGEST_OF_POD }
    }

    /// Goes on to the next container.
    pub(super) fn begin_container(&mut self) {
        self.of_container = LONGEST_TOTAL;
    }

    /// Takes room for an argument.
    ///
    /// # Errors
    /// There is none.
    fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let bytes = bytes + STRING_OVERHEAD;
        self.of_container = self.of_container.checked_sub(bytes).ok_or_else(|| {
            Problem::Size(format!(
                "its arguments and variables are longer than the {LONGEST_TOTAL} bytes that a program can be given"
            ))
        })?;
        self.of_pod = self.of_pod.checked_sub(bytes).ok_or_else(|| {
            Problem::Size(format!(
                "with it the arguments and variables of the pod's containers are longer than {LONGEST_OF_POD} bytes"
            ))
        })?;
        Ok(())
    }

    /// Takes room for a variable.
    ///
    /// # Errors
    /// There is none, or it is too long by itself.
    pub(super) fn take_variable(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let bytes = name.len() + 1 + value.len();
        if bytes > LONGEST_STRING {
            return Err(too_long(&format!("variable {name}")));
        }
        self.take(bytes)
    }
}

/// The sentence about one string that is too long.
fn too_long(what: &str) -> Problem {
    Problem::Size(format!("{what} is longer than the {LONGEST_STRING} bytes that a program can be given"))
}

/// What variables and files may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Referenced<'a> {
    /// The pod.
    pub pod: &'a Pod,
    /// Its address.
    pub address: &'a str,
    /// The ConfigMaps and Secrets there are.
    pub config: &'a ConfigObjects,
    /// How much pods can have of this machine.
    pub allocatable: &'a Amounts,
}

/// What the item says, the container's `envFrom`, then its `env` in order: a value sees the variables before it.
///
/// # Errors
/// The first variable that cannot be made; the sentence is the waiting container's message.
pub(super) fn container_env(
    referenced: &Referenced<'_>,
    container: &Container,
    item: Option<&Item>,
    room: &mut Room,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut env = BTreeMap::new();
    if let Some(item) = item {
        let whole = (ITEM_VARIABLE, item.text.as_str());
        let columns = item.columns.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in columns.chain([whole]) {
            room.take_variable(name, value)?;
            env.insert(name.to_owned(), value.to_owned());
        }
    }
    for source in container.env_from.iter().flatten() {
        let from = env_from(referenced.pod, source, referenced.config).map_err(Problem::Reference)?;
        for (name, value) in from {
            room.take_variable(&name, &value)?;
            env.insert(name, value);
        }
    }
    for variable in container.env.iter().flatten() {
        let most = LONGEST_STRING.saturating_sub(variable.name.len() + 1);
        let what = || too_long(&format!("variable {}", variable.name));
        let value = match &variable.value_from {
            None => expand(variable.value.as_deref().unwrap_or_default(), &env, most).ok_or_else(what)?,
            Some(source) => {
                let value = value_from(referenced, container, source);
                let value = value.ok_or_else(|| {
                    Problem::Reference(format!("the source of variable {} is not supported", variable.name))
                })?;
                // An optional reference to what is not there leaves the variable out.
                let Some(value) = value.map_err(Problem::Reference)? else { continue };
                value
            }
        };
        room.take_variable(&variable.name, &value)?;
        env.insert(variable.name.clone(), value);
    }
    Ok(env)
}

/// What a variable's source says. The outer `None` is for sources that are not known here, the inner one for an optional
/// reference to what is not there.
fn value_from(
    referenced: &Referenced<'_>,
    container: &Container,
    source: &EnvVarSource,
) -> Option<Result<Option<String>, String>> {
    let Referenced { pod, config, allocatable, .. } = *referenced;
    if let Some(field) = &source.field_ref {
        let value = field_value(referenced, &field.field_path);
        return Some(value.map(Some).ok_or_else(|| format!("unsupported fieldPath: {}", field.field_path)));
    }
    if let Some(resource) = &source.resource_field_ref {
        return Some(resource_value(pod, container, resource, allocatable).map(Some));
    }
    let (holder, name, key, optional) = match (&source.config_map_key_ref, &source.secret_key_ref) {
        (Some(one), _) => (Holder::ConfigMap, &one.name, &one.key, one.optional),
        (None, Some(one)) => (Holder::Secret, &one.name, &one.key, one.optional),
        (None, None) => return None,
    };
    let namespace = namespace(&pod.metadata);
    let value = match config.texts(holder, namespace, name) {
        None => Err(format!("{} {name:?} not found", holder.word())),
        Some(contents) => contents
            .get(key.as_str())
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .ok_or_else(|| format!("couldn't find key {key} in {} {namespace}/{name}", holder.kind())),
    };
    Some(match value {
        Err(_) if optional == Some(true) => Ok(None),
        value => value.map(Some),
    })
}

/// The variables of an `envFrom` source.
///
/// # Errors
/// It does not exist.
fn env_from(
    pod: &Pod,
    source: &EnvFromSource,
    config: &ConfigObjects,
) -> Result<Vec<(String, String)>, String> {
    let (holder, name, optional) = match (&source.config_map_ref, &source.secret_ref) {
        (Some(one), _) => (Holder::ConfigMap, &one.name, one.optional),
        (None, Some(one)) => (Holder::Secret, &one.name, one.optional),
        (None, None) => return Ok(Vec::new()),
    };
    let Some(contents) = config.texts(holder, namespace(&pod.metadata), name) else {
        if optional == Some(true) {
            return Ok(Vec::new());
        }
        return Err(format!("{} {name:?} not found", holder.word()));
    };
    let prefix = source.prefix.as_deref().unwrap_or_default();
    let variable =
        |(key, value): (&str, &[u8])| (format!("{prefix}{key}"), String::from_utf8_lossy(value).into_owned());
    Ok(contents.into_iter().map(variable).collect())
}

/// Replaces `$(VAR)` in a `subPathExpr`, where every variable must exist.
///
/// # Errors
/// Upstream's sentence about one that does not.
pub(super) fn expand_all(text: &str, env: &BTreeMap<String, String>) -> Result<String, String> {
    let mut rest = text;
    while let Some(start) = rest.find("$(") {
        let inner = &rest[start + 2..];
        let is_escaped = start > 0 && rest.as_bytes()[start - 1] == b'$';
        let Some(end) = inner.find(')').filter(|_| !is_escaped) else {
            rest = inner;
            continue;
        };
        if !env.contains_key(&inner[..end]) {
            return Err(format!("missing value for {:?}", &inner[..end]));
        }
        rest = &inner[end..];
    }
    expand(text, env, LONGEST_STRING).ok_or_else(|| "the subPath is too long".into())
}

/// The container's command and arguments, expanded.
///
/// # Errors
/// The first that is longer than a program can be given.
pub(super) fn arguments<'a>(
    words: impl Iterator<Item = &'a String>,
    env: &BTreeMap<String, String>,
    item: Option<&Item>,
    room: &mut Room,
) -> Result<Vec<String>, Problem> {
    let expanded = words.enumerate().map(|(number, word)| {
        let expanded = match item {
            None => expand(word, env, LONGEST_STRING),
            Some(item) => expand_with_item(word, env, item),
        };
        let word = expanded.ok_or_else(|| too_long(&format!("argument {number}")))?;
        room.take(word.len())?;
        Ok(word)
    });
    expanded.collect()
}

/// A word with an item in it. What the item says is not expanded: it is data.
fn expand_with_item(word: &str, env: &BTreeMap<String, String>, item: &Item) -> Option<String> {
    let mut expanded = String::new();
    for part in item.put_into(word) {
        let most = LONGEST_STRING - expanded.len();
        match part {
            Part::Text(text) => expanded.push_str(&expand(text, env, most)?),
            Part::Value(value) if value.len() <= most => expanded.push_str(value),
            Part::Value(_) => return None,
        }
    }
    Some(expanded)
}

/// Replaces `$(VAR)` by the variable's value. An unknown variable stays as it is, and `$$` stands for `$`. None where the
/// result would be longer than `most` bytes.
fn expand(text: &str, env: &BTreeMap<String, String>, most: usize) -> Option<String> {
    let mut expanded = String::with_capacity(text.len().min(most));
    let mut add = |part: &str| {
        let fits = part.len() <= most - expanded.len();
        if fits {
            expanded.push_str(part);
        }
        fits.then_some(())
    };
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        add(&rest[..dollar])?;
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            add("$")?;
            rest = after;
            continue;
        }
        let reference = rest.strip_prefix('(').and_then(|inner| Some((inner, inner.find(')')?)));
        match reference {
            Some((inner, close)) => {
                match env.get(&inner[..close]) {
                    Some(value) => add(value)?,
                    None => {
                        add("$(")?;
                        add(&inner[..=close])?;
                    }
                }
                rest = &inner[close + 1..];
            }
            None => add("$")?,
        }
    }
    add(rest)?;
    Some(expanded)
}

/// The value of a downward API field that an environment variable may take.
fn field_value(referenced: &Referenced<'_>, path: &str) -> Option<String> {
    let pod = referenced.pod;
    let meta = &pod.metadata;
    let subscript = |prefix: &str| path.strip_prefix(prefix)?.strip_prefix("['")?.strip_suffix("']");
    if let Some(key) = subscript("metadata.labels") {
        return Some(meta.labels.as_ref().and_then(|labels| labels.get(key)).cloned().unwrap_or_default());
    }
    if let Some(key) = subscript("metadata.annotations") {
        return Some(meta.annotations.as_ref().and_then(|all| all.get(key)).cloned().unwrap_or_default());
    }
    let spec = pod.spec.as_ref();
    Some(match path {
        "metadata.name" => name(meta).to_owned(),
        "metadata.namespace" => namespace(meta).to_owned(),
        "metadata.uid" => uid(meta).to_owned(),
        "spec.nodeName" => spec.and_then(|spec| spec.node_name.clone()).unwrap_or_default(),
        "spec.serviceAccountName" => {
            spec.and_then(|spec| spec.service_account_name.clone()).unwrap_or_else(|| "default".into())
        }
        "status.hostIP" | "status.hostIPs" => super::status::ADDRESS.to_owned(),
        "status.podIP" | "status.podIPs" => referenced.address.to_owned(),
        _ => return None,
    })
}

/// The value of a downward API field in a file: also all labels and all annotations, a line each.
pub(super) fn volume_field_value(referenced: &Referenced<'_>, path: &str) -> Option<String> {
    let all = match path {
        "metadata.labels" => &referenced.pod.metadata.labels,
        "metadata.annotations" => &referenced.pod.metadata.annotations,
        _ => return field_value(referenced, path),
    };
    let lines: Vec<String> =
        all.iter().flatten().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
    Some(lines.join("\n"))
}

/// How much a container of the pod asks for or may have: this one, where the reference names none.
///
/// # Errors
/// Upstream's sentence about what there is not.
pub(super) fn resource_value(
    pod: &Pod,
    container: &Container,
    reference: &ResourceFieldSelector,
    allocatable: &Amounts,
) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let meant = match reference.container_name.as_deref().unwrap_or_default() {
        "" => container,
        name => spec
            .into_iter()
            .flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()))
            .find(|container| container.name == name)
            .ok_or_else(|| format!("container {name} not found"))?,
    };
    let of_pod =
        spec.and_then(|spec| spec.resources.as_ref()).and_then(|resources| resources.limits.as_ref());
    // A container without a limit may have what its pod may, or what there is.
    let unlimited = |name: &str| {
        resource_field::amount_of(of_pod, name).or_else(|| resource_field::amount_of(Some(allocatable), name))
    };
    resource_field::value(reference, meant, unlimited)
        .map(|amount| amount.to_string())
        .ok_or_else(|| format!("unsupported container resource : {}", reference.resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_parenthesised_references_to_known_variables_are_replaced() {
        let env = BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "$(A)".to_owned())]);
        for (text, expected) in [
            ("$(A)", "1"),
            ("x$(A)y$(A)", "x1y1"),
            ("$(B)", "$(A)"),
            ("$(NOPE)", "$(NOPE)"),
            ("$$(A)", "$(A)"),
            ("$$$(A)", "$1"),
            ("$A ${A} $", "$A ${A} $"),
            ("$(A", "$(A"),
            ("100$", "100$"),
        ] {
            assert_eq!(expand(text, &env, 100).as_deref(), Some(expected), "{text}");
            assert_eq!(expand(text, &env, expected.len()).as_deref(), Some(expected), "{text}");
            assert_eq!(expand(text, &env, expected.len() - 1), None, "{text}");
        }
    }
}
