//! The contexts: this machine and those of the kubeconfig, or those of a file that `--kubeconfig` names.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, anyhow, bail};

use super::{NAME, choose_namespace_at};
use crate::cluster::Kubeconfig;
use crate::cmd::cluster_info;
use crate::cmd::context::{Context, Global};
use crate::cmd::failure::text;
use crate::cmd::output::{complain, print, say};
use crate::manager::{ChosenContext, choose_context};
use crate::printers::rows::Row;
use crate::printers::table::{TableOptions, TablePrinter};

/// Display the contexts
#[derive(Debug, clap::Args)]
pub(super) struct GetContextsArgs {
    /// Only these
    names: Vec<String>,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// Must be "name"
    #[arg(short, long)]
    output: Option<String>,
}

/// Choose the namespace of the commands to come: set-context --current --namespace=NAME
#[derive(Debug, clap::Args)]
pub(super) struct SetContextArgs {
    /// The context: "jobctl", which is this machine, or one of the kubeconfig
    name: Option<String>,
    /// The current context
    #[arg(long)]
    current: bool,
}

/// What there is to choose from.
pub(super) struct Contexts {
    /// What the kubeconfig has.
    kubeconfig: Kubeconfig,
    /// Whether this machine is one of them: a file that is named is shown as it is.
    has_this_machine: bool,
    /// The current one; empty where a file says none.
    pub(super) current: String,
}

fn named_file(global: &Global) -> Option<&Path> {
    global.kubeconfig.as_deref().filter(|file| !file.as_os_str().is_empty())
}

impl Contexts {
    /// Reads what a command line means.
    ///
    /// # Errors
    /// A kubeconfig that does not read.
    pub(super) fn read(global: &Global) -> Result<Self> {
        if let Some(file) = named_file(global) {
            let kubeconfig = Kubeconfig::read(Some(file))?;
            let current = kubeconfig.current_context.clone();
            return Ok(Self { kubeconfig, has_this_machine: false, current });
        }
        let mut kubeconfig = Kubeconfig::read(None)?;
        let chosen = global.chosen()?.context();
        if let Some(file) = chosen.as_ref().and_then(|chosen| chosen.kubeconfig.as_deref()) {
            kubeconfig.merge(Kubeconfig::read(Some(file))?);
        }
        let current = chosen.map_or_else(|| NAME.to_owned(), |chosen| chosen.name);
        Ok(Self { kubeconfig, has_this_machine: true, current })
    }

    /// All of them as one kubeconfig.
    ///
    /// # Errors
    /// No data directory.
    pub(super) fn with_this_machine(&self, global: &Global) -> Result<Kubeconfig> {
        let mut all = if self.has_this_machine {
            let server = cluster_info::url(&Context::open(global)?);
            Kubeconfig::of_one(NAME, &server, global.chosen()?.namespace().unwrap_or_default())
        } else {
            Kubeconfig::default()
        };
        let mut others = self.kubeconfig.clone();
        if self.has_this_machine {
            for (name, context) in &mut others.contexts {
                if let Some(namespace) = global.chosen()?.namespace_of(name) {
                    context.namespace = namespace.to_owned();
                }
            }
        }
        all.merge(others);
        Ok(all)
    }

    /// Their names, this machine's first.
    fn names(&self) -> Vec<&str> {
        let here = self.has_this_machine.then_some(NAME);
        let others = self.kubeconfig.contexts.keys().map(String::as_str);
        here.into_iter().chain(others.filter(|name| !self.is_here(name))).collect()
    }

    /// Whether a name means this machine.
    fn is_here(&self, name: &str) -> bool {
        self.has_this_machine && name == NAME
    }

    /// The cells of a context after its mark and its name.
    fn described(&self, global: &Global, name: &str) -> Result<[String; 3]> {
        let chosen = global.chosen()?;
        if self.is_here(name) {
            return Ok([NAME, NAME, chosen.namespace().unwrap_or_default()].map(str::to_owned));
        }
        let context = &self.kubeconfig.contexts[name];
        let chosen = if self.has_this_machine { chosen.namespace_of(name) } else { None };
        let namespace = chosen.unwrap_or(&context.namespace);
        Ok([&context.cluster, &context.user, namespace].map(str::to_owned))
    }
}

/// Displays the contexts.
pub(super) fn get(global: &Global, args: &GetContextsArgs) -> Result<ExitCode> {
    let contexts = Contexts::read(global)?;
    let names = contexts.names();
    let is_wanted = |name: &&&str| args.names.is_empty() || args.names.iter().any(|wanted| wanted == **name);
    let shown: Vec<&str> = names.iter().filter(is_wanted).copied().collect();
    match args.output.as_deref() {
        None | Some("") => {
            let mut rows = Vec::new();
            for name in shown {
                let mark = if name == contexts.current { "*" } else { "" };
                let [cluster, user, namespace] = contexts.described(global, name)?;
                let cells = [mark.into(), name.into(), cluster.into(), user.into(), namespace.into()];
                rows.push(Row::new("".into(), cells.into(), None));
            }
            let options = TableOptions { no_headers: args.no_headers, ..TableOptions::default() };
            let columns = &["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"];
            print(&TablePrinter::new(columns, options).print(&rows))?;
            if contexts.has_this_machine && contexts.kubeconfig.contexts.contains_key(NAME) {
                complain(&format!(
                    "the kubeconfig has a context {NAME:?}, too; to mean that one and not this machine, name its file: \
                     --kubeconfig"
                ));
            }
        }
        Some("name") => shown.iter().try_for_each(|name| say(name))?,
        Some(other) => bail!("output must be one of '' or 'name': {other}"),
    }
    let missing = args.names.iter().filter(|name| !names.contains(&name.as_str()));
    let errors: Vec<_> = missing.map(|name| anyhow!("context {name} not found")).collect();
    errors.iter().for_each(|error| complain(&text(error)));
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Displays the current context.
pub(super) fn current(global: &Global) -> Result<()> {
    let current = match named_file(global) {
        Some(file) => Kubeconfig::read(Some(file))?.current_context,
        None => global.chosen()?.context().map_or_else(|| NAME.to_owned(), |chosen| chosen.name),
    };
    if current.is_empty() {
        bail!("current-context is not set");
    }
    say(&current)
}

/// Displays the clusters.
pub(super) fn clusters(global: &Global) -> Result<()> {
    let contexts = Contexts::read(global)?;
    list(&contexts, contexts.kubeconfig.clusters.keys())
}

/// Displays the users.
pub(super) fn users(global: &Global) -> Result<()> {
    let contexts = Contexts::read(global)?;
    list(&contexts, contexts.kubeconfig.users.keys())
}

fn list<'a>(contexts: &Contexts, names: impl Iterator<Item = &'a String>) -> Result<()> {
    say("NAME")?;
    if contexts.has_this_machine {
        say(NAME)?;
    }
    names.filter(|name| !contexts.is_here(name)).try_for_each(|name| say(name))
}

/// Makes a context that of the commands to come.
pub(super) fn choose(global: &Global, name: Option<&str>) -> Result<()> {
    let name = name.context("Unexpected args: []")?;
    let file = named_file(global);
    if name == NAME && file.is_none() {
        choose_context(None)?;
    } else {
        let kubeconfig = Kubeconfig::read(file)?;
        if name.is_empty() || !kubeconfig.contexts.contains_key(name) {
            bail!("no context exists with the name: {name:?}");
        }
        let file = file.map(std::path::absolute).transpose().context("find the kubeconfig")?;
        choose_context(Some(ChosenContext { name: name.to_owned(), kubeconfig: file }))?;
    }
    say(&format!("Switched to context {name:?}."))
}

/// Chooses the namespace of a context.
pub(super) fn set(global: &Global, args: &SetContextArgs) -> Result<()> {
    let name = match args.name.as_deref() {
        Some(_) if args.current => bail!("you cannot specify both a context name and --current"),
        None | Some("") if !args.current => bail!("you must specify a non-empty context name or --current"),
        Some(name) => name.to_owned(),
        None => global.chosen()?.context().map_or_else(|| NAME.to_owned(), |chosen| chosen.name),
    };
    if let Some(file) = named_file(global) {
        bail!(
            "a kubeconfig is kubectl's to change: kubectl config set-context {name} --kubeconfig={}",
            file.display()
        );
    }
    if !args.current && !Contexts::read(global)?.names().contains(&name.as_str()) {
        bail!(
            "context {name:?} does not exist, and a kubeconfig is kubectl's to change: kubectl config set-context {name}"
        );
    }
    // An empty one takes the choice back.
    if let Some(namespace) = &global.namespace {
        choose_namespace_at(&name, Some(namespace))?;
    }
    say(&format!("Context {name:?} modified."))
}
