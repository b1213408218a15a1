//! What `config use-context` and `config set-context` have chosen, for the commands to come.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::config::{read_file, replace_file};

/// The file of it, beside `config.yaml`: that one is a person's to write.
const FILE: &str = "context.yaml";

/// What has been chosen.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CurrentContext {
    /// The context of a kubeconfig; none for this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    /// The file that has it, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubeconfig: Option<PathBuf>,
    /// The namespace on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// What was chosen for contexts of a kubeconfig, which is not ours to change.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    contexts: BTreeMap<String, OfContext>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct OfContext {
    namespace: String,
}

/// A context of a kubeconfig.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenContext {
    /// Its name.
    pub name: String,
    /// The file that has it; none for that of the environment.
    pub kubeconfig: Option<PathBuf>,
}

impl CurrentContext {
    /// Reads it.
    ///
    /// # Errors
    /// A file that does not read.
    pub fn read() -> Result<Self> {
        path().map_or_else(|| Ok(Self::default()), |path| read_file(&path))
    }

    /// The context of commands that name none; none for this machine.
    pub fn context(&self) -> Option<ChosenContext> {
        let name = self.context.clone().filter(|name| !name.is_empty())?;
        Some(ChosenContext { name, kubeconfig: self.kubeconfig.clone() })
    }

    /// The namespace of commands on this machine that name none, where one has been chosen.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref().filter(|namespace| !namespace.is_empty())
    }

    /// The namespace of commands for a context of a kubeconfig, where one has been chosen in place of the context's own.
    pub fn namespace_of(&self, context: &str) -> Option<&str> {
        let namespace = self.contexts.get(context).map(|chosen| chosen.namespace.as_str());
        namespace.filter(|namespace| !namespace.is_empty())
    }
}

/// Chooses the context of the commands to come; none for this machine.
///
/// # Errors
/// A directory that cannot be written to.
pub fn choose_context(chosen: Option<ChosenContext>) -> Result<()> {
    change(|current| {
        let ChosenContext { name, kubeconfig } =
            chosen.unwrap_or(ChosenContext { name: String::new(), kubeconfig: None });
        current.context = Some(name).filter(|name| !name.is_empty());
        current.kubeconfig = kubeconfig;
    })
}

/// Chooses the namespace of the commands to come on this machine; none for that which objects are in without any.
///
/// # Errors
/// A directory that cannot be written to.
pub fn choose_namespace(namespace: Option<&str>) -> Result<()> {
    change(|current| current.namespace = namespace.map(str::to_owned))
}

/// Chooses the namespace of the commands to come for a context of a kubeconfig; none for the context's own.
///
/// # Errors
/// A directory that cannot be written to.
pub fn choose_namespace_of(context: &str, namespace: Option<&str>) -> Result<()> {
    change(|current| {
        match namespace {
            None => current.contexts.remove(context),
            Some(namespace) => {
                current.contexts.insert(context.to_owned(), OfContext { namespace: namespace.to_owned() })
            }
        };
    })
}

fn change(change: impl FnOnce(&mut CurrentContext)) -> Result<()> {
    let path = path().context("no configuration directory: set HOME")?;
    let mut current: CurrentContext = read_file(&path)?;
    change(&mut current);
    let text = serde_yaml::to_string(&current).context("write the context down")?;
    replace_file(&path, &text)
}

fn path() -> Option<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "jobctl")?;
    Some(Path::new(directories.config_dir()).join(FILE))
}
