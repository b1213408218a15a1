//! What `config set-context` has chosen, for the commands to come.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::config::{read_file, replace_file};

/// The file of it, beside `config.yaml`: that one is a person's to write.
const FILE: &str = "context.yaml";

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct CurrentContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
}

/// The namespace of commands that name none, where one has been chosen.
///
/// # Errors
/// A file that does not read.
pub fn chosen_namespace() -> Result<Option<String>> {
    let Some(path) = path() else { return Ok(None) };
    let context: CurrentContext = read_file(&path)?;
    Ok(context.namespace.filter(|namespace| !namespace.is_empty()))
}

/// Chooses the namespace of the commands to come; none for that which objects are in without any.
///
/// # Errors
/// A directory that cannot be written to.
pub fn choose_namespace(namespace: Option<&str>) -> Result<()> {
    let path = path().context("no configuration directory: set HOME")?;
    let context = CurrentContext { namespace: namespace.map(str::to_owned) };
    let text = serde_yaml::to_string(&context).context("write the context down")?;
    replace_file(&path, &text)
}

fn path() -> Option<PathBuf> {
    let directories = directories::ProjectDirs::from("", "", "jobctl")?;
    Some(Path::new(directories.config_dir()).join(FILE))
}
