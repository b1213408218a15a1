//! `set`: image, env and resources of the containers in pods and pod templates.

mod env;
mod image;
mod resolve;
mod resources;
mod selector;
mod service_account;
mod subject;
mod template;

use std::cell::Cell;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::Value;

use super::change::{self, ChangeArgs, Changed};
use super::context::{Context, Global};
use super::failure::text;
use super::outcome::{DryRun, Outcomes};
use super::output::{complain, print, warn};
use super::resources::Target;
use super::selection::{self, Selectors};
use super::{delete, local, manifests};
use crate::api::kinds::Kind;
use crate::apiserver::{Read as _, Subresource};
use crate::store::Table;

/// Change images, variables and resources of containers
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Image(ImageArgs),
    Env(EnvArgs),
    Resources(ResourcesArgs),
    Selector(selector::Args),
    #[command(name = "serviceaccount", alias = "sa")]
    ServiceAccount(service_account::Args),
    Subject(subject::Args),
}

/// Set the images of containers
#[derive(Debug, clap::Args)]
struct ImageArgs {
    /// TYPE NAME… or TYPE/NAME…, then CONTAINER=IMAGE; `*` is every container
    #[arg(value_name = "TYPE[/NAME] | CONTAINER=IMAGE")]
    arguments: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// Set, remove or list the variables of containers
#[derive(Debug, clap::Args)]
struct EnvArgs {
    /// TYPE NAME… or TYPE/NAME…, then NAME=VALUE to set, NAME- to remove, and - for the lines of standard input
    #[arg(value_name = "TYPE[/NAME] | NAME=VALUE | NAME-")]
    arguments: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// The containers, in whose names `*` stands for anything
    #[arg(short, long, default_value = "*")]
    containers: String,
    /// A variable, as NAME=VALUE
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// A ConfigMap or Secret whose keys become variables
    #[arg(long, value_name = "TYPE/NAME")]
    from: Option<String>,
    /// With --from: only these keys
    #[arg(long, value_delimiter = ',')]
    keys: Vec<String>,
    /// With --from: what stands before each variable's name
    #[arg(long, default_value = "")]
    prefix: String,
    /// Show the variables; nothing is changed
    #[arg(long)]
    list: bool,
    /// With --list: show the values of what comes from elsewhere
    #[arg(long)]
    resolve: bool,
    /// Replace variables that are there
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set)]
    overwrite: bool,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// Set what containers request, and their limits
#[derive(Debug, clap::Args)]
struct ResourcesArgs {
    /// TYPE NAME… or TYPE/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// The containers, in whose names `*` stands for anything
    #[arg(short, long, default_value = "*")]
    containers: String,
    /// Limits, as cpu=1,memory=2Gi
    #[arg(long)]
    limits: Option<String>,
    /// Requests, as cpu=1,memory=2Gi
    #[arg(long)]
    requests: Option<String>,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// Changes containers.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Image(args) => set_image(global, args),
        What::Env(args) => set_env(global, args),
        What::Resources(args) => set_resources(global, args),
        What::Selector(args) => selector::run(global, args),
        What::ServiceAccount(args) => service_account::run(global, args),
        What::Subject(args) => subject::run(global, args),
    }
}

/// Which objects are to be changed, and what is said of it.
struct Work<'a> {
    resources: &'a [String],
    change: &'a ChangeArgs,
    local: bool,
    /// `image updated`.
    said: &'static str,
    /// Whether it is said of what is as it was, too.
    says_same: bool,
    /// What stands before the reason where the server refuses the change.
    refused: &'static str,
}

/// What a change has met: errors of one object leave the others, and what else is to be done to it, alone.
type Problems = Vec<String>;

fn set_image(global: &Global, args: &ImageArgs) -> Result<ExitCode> {
    let is_pair = |word: &String| {
        (word.contains('=') && !word.starts_with('=')) || (word.ends_with('-') && word != "-")
    };
    let (resources, pairs) = split(&args.arguments, is_pair, "image")?;
    let work = Work {
        resources,
        change: &args.change,
        local: args.local,
        said: "image updated",
        says_same: false,
        refused: "failed to patch image update to pod template: ",
    };
    let images = work.check().and_then(|()| image::parse(pairs))?;
    work.run(global, |object| {
        on_pod_spec(object, work.local, |spec| image::apply(spec, &images).iter().map(as_error).collect())
    })
}

fn set_resources(global: &Global, args: &ResourcesArgs) -> Result<ExitCode> {
    let work = Work {
        resources: &args.resources,
        change: &args.change,
        local: args.local,
        said: "resource requirements updated",
        says_same: false,
        // kubectl has no colon here.
        refused: "failed to patch resources update to pod template ",
    };
    work.check()?;
    let (limits, requests) =
        (resources::parse(args.limits.as_deref())?, resources::parse(args.requests.as_deref())?);
    if limits.is_empty() && requests.is_empty() {
        bail!("you must specify an update to requests or limits (in the form of --requests/--limits)");
    }
    work.run(global, |object| {
        on_pod_spec(object, work.local, |spec| {
            let missing = resources::apply(spec, &args.containers, &limits, &requests);
            missing.iter().map(as_error).collect()
        })
    })
}

fn set_env(global: &Global, args: &EnvArgs) -> Result<ExitCode> {
    let (resources, words) = split(&args.arguments, |word: &String| env::is_edit(word), "environment")?;
    if args.list && args.change.output.given().is_some() {
        bail!("--list and --output may not be specified together");
    }
    if resources.is_empty() && args.change.files.is_empty() {
        bail!("one or more resources must be specified as <resource> <name> or <resource>/<name>");
    }
    if !args.keys.is_empty() && args.from.is_none() {
        bail!("when specifying --keys, a configmap or secret must be provided with --from");
    }
    let work = Work {
        resources,
        change: &args.change,
        local: args.local,
        said: "env updated",
        says_same: false,
        refused: "failed to patch env update to pod template: ",
    };
    work.check()?;
    let words: Vec<String> = words.iter().chain(&args.env).cloned().collect();
    let mut edits = env::Edits::parse(&words, || Ok(std::io::read_to_string(std::io::stdin().lock())?))?;
    if let Some(from) = &args.from {
        edits.add_from(&source(global, args, from)?.reference(args)).iter().for_each(|warning| warn(warning));
    }
    let apply = |object: &mut Value| {
        let called = called(object, work.local);
        on_pod_spec(object, work.local, |spec| match edits.apply(spec, &args.containers, args.overwrite) {
            Ok(true) => Vec::new(),
            Ok(false) => {
                let pattern = &args.containers;
                let (kind, name, _) = &called;
                warn(&format!("{kind}/{name} does not have any containers matching {pattern:?}"));
                Vec::new()
            }
            Err(clash) => vec![format!("error: {}{}{clash}", called.2, if work.local { "\n " } else { " " })],
        })
    };
    if args.list {
        let sources = resolve::Sources::new(global, args.resolve)?;
        return work.list(global, |object| {
            let owner = object.clone();
            let problems = apply(object);
            let (kind, name, _) = called(object, work.local);
            let listing = template::pod_spec(object)
                .map(|spec| {
                    env::listing(spec, &args.containers, &kind, &name, |container, variable| {
                        sources.value(&owner, container, variable)
                    })
                })
                .unwrap_or_default();
            (listing, problems)
        });
    }
    if edits.is_empty() {
        return work.look(global);
    }
    work.run(global, apply)
}

/// An object with data, as `--from` names it.
struct DataSource {
    kind: Kind,
    name: String,
    data: Value,
}

impl DataSource {
    fn reference<'a>(&'a self, args: &'a EnvArgs) -> env::From<'a> {
        env::From {
            reference: if self.kind == Kind::Secret { "secretKeyRef" } else { "configMapKeyRef" },
            name: &self.name,
            data: &self.data,
            prefix: &args.prefix,
            keys: &args.keys,
        }
    }
}

fn source(global: &Global, args: &EnvArgs, from: &str) -> Result<DataSource> {
    let parsed = super::resources::parse(&[from.to_owned()]);
    if args.local {
        bail!("unsupported resource specified in --from");
    }
    let targets = parsed?;
    let [Target::Named(kind @ (Kind::ConfigMap | Kind::Secret), name)] = targets.as_slice() else {
        bail!("unsupported resource specified in --from");
    };
    let context = Context::open(global)?;
    let reader = context.client.read(&[Table::from(*kind)])?;
    let data = reader.get(*kind, &kind.key(&context.namespace, name))?.value()?["data"].clone();
    Ok(DataSource { kind: *kind, name: name.clone(), data })
}

/// Objects come first, then what is to be changed of them.
fn split<'a>(
    words: &'a [String],
    is_edit: impl Fn(&String) -> bool,
    what: &str,
) -> Result<(&'a [String], &'a [String])> {
    let first = words.iter().position(&is_edit).unwrap_or(words.len());
    let (resources, edits) = words.split_at(first);
    match edits.iter().find(|word| !is_edit(word)) {
        Some(late) => bail!("all resources must be specified before {what} changes: {late}"),
        None => Ok((resources, edits)),
    }
}

fn as_error(problem: &String) -> String {
    format!("error: {problem}")
}

/// The kind, the name, and what kubectl calls it: `job.batch/x` of a file, `jobs/x` of a server.
fn called(object: &Value, local: bool) -> (String, String, String) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let resource = match Kind::from_name(&kind).filter(|_| !local) {
        Some(known) => format!("{}/{name}", known.resource().plural),
        None => format!("{}/{name}", local::resource_of(object)),
    };
    (kind, name, resource)
}

/// Changes the pod's spec of an object.
fn on_pod_spec(object: &mut Value, local: bool, change: impl FnOnce(&mut Value) -> Problems) -> Problems {
    let (kind, _, resource) = called(object, local);
    match template::pod_spec(object) {
        Some(spec) => change(spec),
        None => {
            let version = object["apiVersion"].as_str().unwrap_or_default();
            let version = version.rsplit('/').next().unwrap_or_default();
            vec![format!(
                "error: {resource} the object is not a pod or does not have a pod template: *{version}.{kind}"
            )]
        }
    }
}

impl Work<'_> {
    /// Arguments that do not go together, in kubectl's words.
    fn check(&self) -> Result<()> {
        if !self.local && self.change.files.is_empty() {
            super::resources::parse(self.resources)?;
        }
        if self.change.all && self.change.selector.is_some() {
            if self.resources.iter().any(|word| word.contains('/')) {
                bail!("selectors and the all flag cannot be used when passing resource/name arguments");
            }
            bail!("cannot set --all and --selector at the same time");
        }
        let is_nothing_named = self.resources.is_empty() && self.change.files.is_empty();
        if is_nothing_named {
            delete::require_targets(&[], false, &Selectors::none())?;
        }
        if !self.local {
            return Ok(());
        }
        local::check(self.change)?;
        if !self.resources.is_empty() {
            bail!(
                "you must specify resources by --filename when --local is set.\nExample resource specifications \
                 include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'"
            );
        }
        Ok(())
    }

    /// Refuses a type without names.
    fn require_names(&self) -> Result<()> {
        let change = self.change;
        if self.local || !change.files.is_empty() || change.selector.is_some() || change.all {
            return Ok(());
        }
        delete::require_targets(&super::resources::parse(self.resources)?, false, &Selectors::none())
    }

    /// Changes each object, on the server's side or here.
    fn run(&self, global: &Global, mut change: impl FnMut(&mut Value) -> Problems) -> Result<ExitCode> {
        if self.local || self.change.dry_run == DryRun::Client {
            return self.run_here(global, change);
        }
        let failed = Cell::new(false);
        let done = change::run(global, self.resources, self.change, "set", Subresource::Main, |found| {
            let before = found.value()?;
            let mut value = before.clone();
            let problems = change(&mut value);
            failed.set(failed.get() || !problems.is_empty());
            problems.iter().for_each(|problem| complain(problem));
            if !problems.is_empty() || (value == before && !self.says_same) {
                return Ok(Changed::nothing());
            }
            Ok(Changed::new(value, self.said).refused_as(self.refused))
        })?;
        Ok(if failed.get() { ExitCode::FAILURE } else { done })
    }

    /// Changes each object and prints it: nothing is stored.
    fn run_here(&self, global: &Global, mut change: impl FnMut(&mut Value) -> Problems) -> Result<ExitCode> {
        let mut outcomes = Outcomes::new(&self.change.output, self.change.dry_run)?;
        self.each(global, |before| {
            let mut object = before.clone();
            let problems = change(&mut object);
            if object != *before || (self.says_same && problems.is_empty()) {
                let (_, name, _) = called(&object, self.local);
                let resource = local::resource_of(&object);
                outcomes.done_to(&resource, &name, self.said, || Ok(template::as_go_writes(object)))?;
            }
            Ok(problems)
        })
    }

    /// Shows each object as it would be.
    fn list(
        &self,
        global: &Global,
        mut list: impl FnMut(&mut Value) -> (String, Problems),
    ) -> Result<ExitCode> {
        self.each(global, |object| {
            let (listing, problems) = list(&mut object.clone());
            print(&listing)?;
            Ok(problems)
        })
    }

    /// Nothing is to be changed; that the objects are there is still looked at.
    fn look(&self, global: &Global) -> Result<ExitCode> {
        self.each(global, |_| Ok(Vec::new()))
    }

    /// Takes each object of the files or of the store; what is wrong with them is told at the end.
    fn each(&self, global: &Global, mut take: impl FnMut(&Value) -> Result<Problems>) -> Result<ExitCode> {
        let mut problems = Vec::new();
        if self.local {
            for object in local::read(self.change)? {
                problems.extend(take(&object)?);
            }
        } else {
            let change = self.change;
            let targets = manifests::targets(self.resources, &change.files, global)?;
            let selectors = selection::selectors(
                self.resources,
                &targets,
                change.selector.as_deref(),
                change.field_selector.as_deref(),
            )?;
            delete::require_targets(&targets, change.all, &selectors)?;
            let context = Context::open(global)?;
            let reader = context.client.read(&selection::tables(&targets))?;
            let (found, missing) =
                selection::resolve(&reader, &targets, &context.namespace, false, &selectors)?;
            problems.extend(missing.iter().map(text));
            for one in &found {
                problems.extend(take(&one.value()?)?);
            }
        }
        problems.iter().for_each(|problem| complain(problem));
        Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
