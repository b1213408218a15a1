//! `config`: which context commands mean, this machine or one of the kubeconfig, and which namespace; beside it the keys of
//! `config.yaml`. A kubeconfig is read and never written.

mod contexts;
mod view;

use std::process::ExitCode;

use anyhow::{Result, bail};

use self::contexts::{GetContextsArgs, SetContextArgs};
use self::view::ViewArgs;
use super::context::Global;
use super::output::{print, say};
use crate::manager::{choose_namespace, choose_namespace_of, configure, configured};

/// What the context of this machine is called, and the cluster and the user in it.
pub(super) const NAME: &str = "jobctl";

/// Show and change how jobctl is set up, and the context and the namespace that commands refer to
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    View(ViewArgs),
    /// Display the current context
    CurrentContext,
    GetContexts(GetContextsArgs),
    /// Display the clusters: this machine, and those of the kubeconfig
    GetClusters,
    /// Display the users
    GetUsers,
    SetContext(SetContextArgs),
    /// Display what config.yaml says, or one key of it
    Get {
        /// Such as maxPods, or defaultRequests.cpu; everything without one
        key: Option<String>,
    },
    Set(SetArgs),
    /// Remove a key from config.yaml, so that the default holds
    Unset {
        /// Such as maxPods, or defaultRequests.cpu
        key: String,
    },
    /// Refused: contexts of a kubeconfig are kubectl's to rename
    #[command(hide = true)]
    RenameContext {
        /// The name, and the new one
        names: Vec<String>,
    },
    /// Refused: contexts of a kubeconfig are kubectl's to delete
    #[command(hide = true)]
    DeleteContext {
        /// Its name
        name: Vec<String>,
    },
    /// Make a context of the kubeconfig that of the commands to come; "jobctl" is this machine
    #[command(alias = "use")]
    UseContext {
        /// Its name
        name: Option<String>,
    },
}

/// Set a key of config.yaml, for instance: config set maxPods 4
#[derive(Debug, clap::Args)]
struct SetArgs {
    /// Such as maxPods, or defaultRequests.cpu; contexts.jobctl.namespace chooses the namespace on this machine
    key: String,
    /// In YAML, such as 4, 500m or [0, 1]
    value: String,
}

/// Shows or sets.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::View(args) => view::run(global, args),
        What::CurrentContext => done(contexts::current(global)),
        What::GetContexts(args) => contexts::get(global, args),
        What::GetClusters => done(contexts::clusters(global)),
        What::GetUsers => done(contexts::users(global)),
        What::SetContext(args) => done(contexts::set(global, args)),
        What::Get { key } => get(key.as_deref()),
        What::Set(args) => set(args),
        What::Unset { key } => unset(key),
        What::RenameContext { names } => rename_context(names),
        What::DeleteContext { name } => delete_context(name),
        What::UseContext { name } => done(contexts::choose(global, name.as_deref())),
    }
}

fn done(result: Result<()>) -> Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}

/// The context of which a key is the namespace, as kubectl has it: `contexts.NAME.namespace`.
fn context_of(key: &str) -> Option<&str> {
    key.strip_prefix("contexts.")?.strip_suffix(".namespace")
}

/// Chooses the namespace of a context; none for its own.
fn choose_namespace_at(context: &str, namespace: Option<&str>) -> Result<()> {
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    if context == NAME { choose_namespace(namespace) } else { choose_namespace_of(context, namespace) }
}

fn get(key: Option<&str>) -> Result<ExitCode> {
    match (key, configured(key)?) {
        (_, Some(value)) => done(print(&serde_yaml::to_string(&value)?)),
        (Some(key), None) => bail!("{key} is not set"),
        (None, None) => Ok(ExitCode::SUCCESS),
    }
}

fn set(args: &SetArgs) -> Result<ExitCode> {
    if let Some(context) = context_of(&args.key) {
        choose_namespace_at(context, Some(&args.value))?;
    } else {
        let value = serde_yaml::from_str(&args.value)
            .map_err(|error| anyhow::anyhow!("{:?} is no value in YAML: {error}", args.value))?;
        configure(&args.key, Some(value))?;
    }
    done(say(&format!("Property {:?} set.", args.key)))
}

fn unset(key: &str) -> Result<ExitCode> {
    if let Some(context) = context_of(key) {
        choose_namespace_at(context, None)?;
    } else {
        configure(key, None)?;
    }
    done(say(&format!("Property {key:?} unset.")))
}

fn rename_context(names: &[String]) -> Result<ExitCode> {
    match names {
        [old, _] if old == NAME => bail!("cannot rename the context {NAME:?}: it is this machine"),
        [old, new] => bail!("a kubeconfig is kubectl's to change: kubectl config rename-context {old} {new}"),
        _ => bail!("Unexpected args: {names:?}"),
    }
}

fn delete_context(name: &[String]) -> Result<ExitCode> {
    match name {
        [name] if name == NAME => bail!("cannot delete context {NAME}: it is this machine"),
        [name] => bail!("a kubeconfig is kubectl's to change: kubectl config delete-context {name}"),
        _ => bail!("Unexpected args: {name:?}"),
    }
}
