//! `config`: there is one context, and what can be chosen in it is the namespace; beside it the keys of `config.yaml`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::cluster_info;
use super::context::{Context, Global};
use super::failure::text;
use super::output::{complain, print, say};
use crate::manager::{choose_namespace, chosen_namespace, configure, configured};
use crate::printers;
use crate::printers::rows::Row;
use crate::printers::table::{TableOptions, TablePrinter};

/// What the context is called, and the cluster and the user in it.
pub(super) const NAME: &str = "jobctl";

/// Show and change how jobctl is set up, and the namespace that commands refer to
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
    /// Display the clusters: this machine
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
    /// Refused: there is one context, "jobctl", and it keeps its name
    #[command(hide = true)]
    RenameContext {
        /// The name, and the new one
        names: Vec<String>,
    },
    /// Refused: there is one context, "jobctl", and it stays
    #[command(hide = true)]
    DeleteContext {
        /// Its name
        name: Vec<String>,
    },
    /// Make a context the current one; there is one, "jobctl"
    #[command(alias = "use")]
    UseContext {
        /// Its name
        name: Option<String>,
    },
}

/// Display the settings in the form of a kubeconfig file
#[derive(Debug, clap::Args)]
struct ViewArgs {
    /// One of yaml or json
    #[arg(short, long, default_value = "yaml")]
    output: String,
    /// Only what the current context uses, which is all
    #[arg(long)]
    minify: bool,
    /// Accepted for kubectl's sake: there are no certificates
    #[arg(long, hide = true)]
    flatten: bool,
    /// Accepted for kubectl's sake: there are no secrets
    #[arg(long, hide = true)]
    raw: bool,
}

/// Display the contexts
#[derive(Debug, clap::Args)]
struct GetContextsArgs {
    /// Only these
    names: Vec<String>,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// Must be "name"
    #[arg(short, long)]
    output: Option<String>,
}

/// Set a key of config.yaml, for instance: config set maxPods 4
#[derive(Debug, clap::Args)]
struct SetArgs {
    /// Such as maxPods, or defaultRequests.cpu; contexts.jobctl.namespace chooses the namespace
    key: String,
    /// In YAML, such as 4, 500m or [0, 1]
    value: String,
}

/// Choose the namespace of the commands to come: set-context --current --namespace=NAME
#[derive(Debug, clap::Args)]
struct SetContextArgs {
    /// The context; there is one, "jobctl"
    name: Option<String>,
    /// The current context
    #[arg(long)]
    current: bool,
}

/// Shows or sets.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::View(args) => view(global, args),
        What::CurrentContext => done(say(NAME)),
        What::GetContexts(args) => get_contexts(args),
        What::GetClusters | What::GetUsers => done(say("NAME").and_then(|()| say(NAME))),
        What::SetContext(args) => set_context(global, args),
        What::Get { key } => get(key.as_deref()),
        What::Set(args) => set(args),
        What::Unset { key } => unset(key),
        What::RenameContext { names } => rename_context(names),
        What::DeleteContext { name } => delete_context(name),
        What::UseContext { name } => use_context(name.as_deref()),
    }
}

fn done(result: Result<()>) -> Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}

fn view(global: &Global, args: &ViewArgs) -> Result<ExitCode> {
    let print_it = match args.output.as_str() {
        "yaml" => printers::yaml::to_string,
        "json" => printers::json::to_string,
        other => bail!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats are: json,yaml"
        ),
    };
    let server = cluster_info::url(&Context::open(global)?);
    done(print(&print_it(&kubeconfig(&server, chosen_namespace()?.as_deref()))))
}

/// The settings as a kubeconfig file has them.
fn kubeconfig(server: &str, namespace: Option<&str>) -> Value {
    let mut context = json!({"cluster": NAME, "user": NAME});
    if let Some(namespace) = namespace {
        context["namespace"] = json!(namespace);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NAME, "cluster": {"server": server}}],
        "contexts": [{"name": NAME, "context": context}],
        "current-context": NAME,
        "preferences": {},
        "users": [{"name": NAME, "user": {}}]
    })
}

fn get_contexts(args: &GetContextsArgs) -> Result<ExitCode> {
    let is_shown = args.names.is_empty() || args.names.iter().any(|name| name == NAME);
    match args.output.as_deref() {
        None | Some("") => {
            let namespace = chosen_namespace()?.unwrap_or_default();
            let cells = ["*".into(), NAME.into(), NAME.into(), NAME.into(), namespace.into()];
            let row = Row::new("".into(), cells.into(), None);
            let rows = if is_shown { vec![row] } else { Vec::new() };
            let options = TableOptions { no_headers: args.no_headers, ..TableOptions::default() };
            let columns = &["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"];
            print(&TablePrinter::new(columns, options).print(&rows))?;
        }
        Some("name") if is_shown => say(NAME)?,
        Some("name") => {}
        Some(other) => bail!("output must be one of '' or 'name': {other}"),
    }
    let missing = args.names.iter().filter(|name| *name != NAME);
    let errors: Vec<_> = missing.map(|name| anyhow::anyhow!("context {name} not found")).collect();
    errors.iter().for_each(|error| complain(&text(error)));
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn set_context(global: &Global, args: &SetContextArgs) -> Result<ExitCode> {
    match args.name.as_deref() {
        Some(_) if args.current => bail!("you cannot specify both a context name and --current"),
        None | Some("") if !args.current => bail!("you must specify a non-empty context name or --current"),
        Some(other) if other != NAME => bail!(
            "there is one context, {NAME:?}; a namespace is chosen by: jobctl config set-context --current \
             --namespace={other}"
        ),
        _ => {}
    }
    // An empty one takes the choice back.
    if let Some(namespace) = &global.namespace {
        choose_namespace(Some(namespace.as_str()).filter(|namespace| !namespace.is_empty()))?;
    }
    done(say(&format!("Context {NAME:?} modified.")))
}

/// The key by which kubectl knows the chosen namespace.
const NAMESPACE_KEY: &str = "contexts.jobctl.namespace";

fn get(key: Option<&str>) -> Result<ExitCode> {
    match (key, configured(key)?) {
        (_, Some(value)) => done(print(&serde_yaml::to_string(&value)?)),
        (Some(key), None) => bail!("{key} is not set"),
        (None, None) => Ok(ExitCode::SUCCESS),
    }
}

fn set(args: &SetArgs) -> Result<ExitCode> {
    if args.key == NAMESPACE_KEY {
        choose_namespace(Some(args.value.as_str()).filter(|namespace| !namespace.is_empty()))?;
    } else {
        let value = serde_yaml::from_str(&args.value)
            .map_err(|error| anyhow::anyhow!("{:?} is no value in YAML: {error}", args.value))?;
        configure(&args.key, Some(value))?;
    }
    done(say(&format!("Property {:?} set.", args.key)))
}

fn unset(key: &str) -> Result<ExitCode> {
    if key == NAMESPACE_KEY {
        choose_namespace(None)?;
    } else {
        configure(key, None)?;
    }
    done(say(&format!("Property {key:?} unset.")))
}

fn use_context(name: Option<&str>) -> Result<ExitCode> {
    match name {
        Some(NAME) => done(say(&format!("Switched to context {NAME:?}."))),
        Some(other) => bail!("no context exists with the name: {other:?}"),
        None => bail!("Unexpected args: []"),
    }
}

fn rename_context(names: &[String]) -> Result<ExitCode> {
    match names {
        [old, _] if old == NAME => bail!("cannot rename the context {NAME:?}: it is this machine"),
        [old, _] => bail!("cannot rename the context {old:?}, it's not in the configuration"),
        _ => bail!("Unexpected args: {names:?}"),
    }
}

fn delete_context(name: &[String]) -> Result<ExitCode> {
    match name {
        [name] if name == NAME => bail!("cannot delete context {NAME}: it is this machine"),
        [name] => bail!("cannot delete context {name}, it is not there"),
        _ => bail!("Unexpected args: {name:?}"),
    }
}
