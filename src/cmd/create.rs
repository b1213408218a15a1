//! `create`: from files, and `create job`.

mod config_map;
mod hash;
mod key_pair;
mod namespace;
mod priority_class;
mod quota;
mod role;
mod role_binding;
mod secret;
mod service;
mod service_account;
pub(super) mod sources;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::context::{Context, Global};
use super::edit_first;
use super::failure::{complain_of_all, failed_to_create, while_doing};
use super::format::OutputArgs;
use super::manifests::{self, Document, FileArgs};
use super::outcome::{DryRun, Outcomes};
use super::output::warn_all;
use super::run::set_after;
use super::submit;
use crate::api::kinds::Kind;
use crate::api::meta::{ANNOTATION_LAST_APPLIED, name};
use crate::apiserver::{Answer, Creator, FieldValidation as Validate};
use crate::client::Requests;
use crate::registry::apply::with_last_applied;
use crate::registry::object::Object;
use crate::store::Table;

/// Create objects from manifests, or one from the command line
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    files: FileArgs,
    /// Show the manifests in an editor first, that of KUBE_EDITOR or EDITOR, otherwise vi; with -o json as JSON
    #[arg(long)]
    edit: bool,
    #[command(flatten)]
    options: Options,
}

#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Options {
    /// Must be "none", "server", or "client": only say what would be done
    #[arg(long, num_args = 0..=1, default_value = "none", default_missing_value = "client", require_equals = true, hide_default_value = true)]
    pub(super) dry_run: DryRun,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown or duplicate fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    pub(super) validate: Validate,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Keep the manifest in the object's annotation, so that apply can be used later
    #[arg(long)]
    pub(super) save_config: bool,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    pub(super) field_manager: Option<String>,
    /// Variables of this environment that the pods are to have, as NAME,NAME
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(super) pass_env: Vec<String>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    #[command(name = "clusterrole")]
    ClusterRole(role::ClusterArgs),
    #[command(name = "clusterrolebinding")]
    ClusterRoleBinding(role_binding::ClusterArgs),
    #[command(name = "configmap", alias = "cm")]
    ConfigMap(config_map::Args),
    #[command(name = "cronjob", alias = "cj")]
    CronJob(CronJobArgs),
    Job(JobArgs),
    #[command(alias = "ns")]
    Namespace(namespace::Args),
    #[command(name = "priorityclass", alias = "pc")]
    PriorityClass(priority_class::Args),
    #[command(alias = "resourcequota")]
    Quota(quota::Args),
    Role(role::Args),
    #[command(name = "rolebinding")]
    RoleBinding(role_binding::Args),
    Secret(secret::Args),
    #[command(alias = "svc")]
    Service(service::Args),
    #[command(name = "serviceaccount", alias = "sa")]
    ServiceAccount(service_account::Args),
}

/// Create a CronJob that runs a command of this machine
#[derive(Debug, clap::Args)]
struct CronJobArgs {
    /// The CronJob's name
    name: Vec<String>,
    /// When it runs, for instance "*/5 * * * *" or @hourly
    #[arg(long)]
    schedule: Option<String>,
    /// Image name to run: a label here, the command runs from this machine
    #[arg(long)]
    image: Option<String>,
    /// The pods' restartPolicy: OnFailure or Never
    #[arg(long, default_value = "OnFailure")]
    restart: String,
    #[command(flatten)]
    options: Options,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Create a Job that runs a command of this machine
#[derive(Debug, clap::Args)]
struct JobArgs {
    /// The Job's name
    name: Vec<String>,
    /// Image name to run: a label here, the command runs from this machine
    #[arg(long)]
    image: Option<String>,
    /// The CronJob to create the Job from
    #[arg(long)]
    from: Option<String>,
    /// Jobs that must have ended before this one starts, as job/NAME (complete), job/NAME:failed or job/NAME:finished
    #[arg(long, value_delimiter = ',', value_name = "JOB")]
    after: Vec<String>,
    /// With --from: a variable of all containers, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    #[command(flatten)]
    options: Options,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Creates objects.
pub(super) fn run(global: &Global, args: Args) -> Result<ExitCode> {
    match args.what {
        Some(What::CronJob(cron_job)) => create_cron_job(global, &cron_job),
        Some(What::Job(job)) => create_job(global, &job),
        Some(What::ClusterRole(args)) => role::run_cluster(global, &args),
        Some(What::ClusterRoleBinding(args)) => role_binding::run_cluster(global, &args),
        Some(What::ConfigMap(args)) => config_map::run(global, &args),
        Some(What::Namespace(args)) => namespace::run(global, &args),
        Some(What::PriorityClass(args)) => priority_class::run(global, &args),
        Some(What::Quota(args)) => quota::run(global, &args),
        Some(What::Role(args)) => role::run(global, &args),
        Some(What::RoleBinding(args)) => role_binding::run(global, &args),
        Some(What::Secret(args)) => secret::run(global, &args),
        Some(What::Service(args)) => service::run(global, &args),
        Some(What::ServiceAccount(args)) => service_account::run(global, &args),
        None => create_from_files(global, &args),
    }
}

fn create_from_files(global: &Global, args: &Args) -> Result<ExitCode> {
    let Args { files, options, .. } = args;
    files.require()?;
    let documents = manifests::read_validated(files, options.validate)?;
    if documents.is_empty() {
        bail!("no objects passed to create");
    }
    let create =
        |documents| submit_all(&Context::open_to_create(global, options.dry_run)?, documents, options);
    if !args.edit {
        return create(documents);
    }
    let is_json = options.output.given() == Some("json");
    edit_first::create_edited(documents, is_json, options.validate, create)
}

/// What creating objects looks at.
const TABLES: [Table; 5] = [Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS];

/// The manifest that is to be created, with itself in its annotation where that is wanted.
pub(super) fn saved(manifest: Value, options: &Options) -> Value {
    // One that is there already is brought up to date.
    let is_applied = !manifest["metadata"]["annotations"][ANNOTATION_LAST_APPLIED].is_null();
    if options.save_config || is_applied { with_last_applied(&manifest) } else { manifest }
}

pub(super) fn submit_all(
    context: &Context,
    documents: Vec<Result<Document>>,
    options: &Options,
) -> Result<ExitCode> {
    let creator = context.client.creator(&options.pass_env)?;
    let mut tables = TABLES.to_vec();
    tables.extend(documents.iter().flatten().map(|document| Table::from(document.kind)));
    let (_held, mut requests) = context.begin(&tables, options.dry_run)?;
    requests.validate_as(options.validate);
    let mut outcomes = Outcomes::new(&options.output, options.dry_run)?;
    let mut created: Vec<Created> = Vec::new();
    let mut errors = Vec::new();
    for document in documents {
        let done = document.and_then(|mut document| {
            let source = document.source.clone();
            let named = document.named_namespace();
            let done = (|| -> Result<_> {
                submit::set_namespace(&mut document, context)?;
                document.value = saved(document.value, options);
                if options.dry_run == DryRun::Client {
                    return shown(document, options.validate, &requests);
                }
                let object = submit::decode(&document, options.validate, "creating", &requests)?;
                let answer = requests
                    .create(object, &document.value, &creator)
                    .map_err(|error| document.not_created(&named, error))?;
                warn_all(&answer.warnings);
                Ok(Created::Stored(Box::new(answer)))
            })();
            done.map_err(|error| while_doing(error, &format!("error when creating {source:?}")))
        });
        match done {
            Ok(object) => created.push(object),
            Err(error) => errors.push(error),
        }
    }
    complain_of_all(&errors);
    warn_all(&requests.missing()?);
    if options.dry_run == DryRun::None {
        requests.commit()?;
    }
    let mut stored = Vec::new();
    for one in created {
        match one {
            Created::Stored(answer) => {
                let object = &answer.object;
                outcomes.done(object.kind(), name(object.meta()), "created", || Ok(answer.shown()?))?;
                stored.push(answer.object);
            }
            Created::Shown(kind, manifest) => {
                let name = manifest["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                outcomes.done(kind, &name, "created", || Ok(manifest))?;
            }
        }
    }
    if options.dry_run == DryRun::None {
        submit::say_elsewhere(context, stored.iter().map(Object::meta));
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What has become of a document.
enum Created {
    Stored(Box<Answer>),
    /// `--dry-run=client`: the manifest as it stands.
    Shown(Kind, Value),
}

/// Without validation nobody but the server judges a manifest; of its metadata kubectl itself must make sense.
fn shown(document: Document, validate: Validate, requests: &Requests<'_>) -> Result<Created> {
    if validate == Validate::Ignore {
        submit::read_metadata(&document)?;
    } else {
        submit::decode(&document, validate, "creating", requests)?;
    }
    Ok(Created::Shown(document.kind, document.value))
}

fn create_job(global: &Global, args: &JobArgs) -> Result<ExitCode> {
    let job_name = one_name(&args.name, "job")?;
    if let Some(from) = &args.from {
        if args.image.is_some() {
            bail!("either --image or --from must be specified");
        }
        if !args.after.is_empty() {
            bail!("--after cannot be used with --from");
        }
        return super::create_from::run(global, job_name, from, &args.env, &args.command, &args.options);
    }
    if !args.env.is_empty() {
        bail!("--env can be used only with --from");
    }
    if args.image.is_none() && args.command.is_empty() {
        bail!("either --image or a command must be specified");
    }
    let container = container(job_name, args.image.as_ref(), &args.command);
    let mut value = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"creationTimestamp": null, "name": job_name},
        "spec": {"template": {
            "metadata": {"creationTimestamp": null},
            "spec": {"containers": [container], "restartPolicy": "Never"}
        }},
        "status": {}
    });
    set_after(&mut value, &args.after);
    create_or_show(global, Kind::Job, job_name, value, &args.options)
}

/// The one name that is wanted.
fn one_name<'a>(names: &'a [String], what: &str) -> Result<&'a str> {
    match names {
        [name] => Ok(name),
        _ => bail!(
            "exactly one NAME is required, got {}\nSee 'jobctl create {what} -h' for help and examples",
            names.len()
        ),
    }
}

fn container(name: &str, image: Option<&String>, command: &[String]) -> Value {
    let mut container = json!({"name": name, "resources": {}});
    if let Some(image) = image {
        container["image"] = json!(image);
    }
    if !command.is_empty() {
        container["command"] = json!(command);
    }
    container
}

fn create_cron_job(global: &Global, args: &CronJobArgs) -> Result<ExitCode> {
    let cron_job_name = one_name(&args.name, "cronjob")?;
    let Some(schedule) = &args.schedule else { bail!("required flag(s) \"schedule\" not set") };
    if args.image.is_none() && args.command.is_empty() {
        bail!("either --image or a command must be specified");
    }
    let container = container(cron_job_name, args.image.as_ref(), &args.command);
    let value = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"creationTimestamp": null, "name": cron_job_name},
        "spec": {
            "jobTemplate": {
                "metadata": {"creationTimestamp": null, "name": cron_job_name},
                "spec": {"template": {
                    "metadata": {"creationTimestamp": null},
                    "spec": {"containers": [container], "restartPolicy": args.restart}
                }}
            },
            "schedule": schedule
        },
        "status": {}
    });
    create_or_show(global, Kind::CronJob, cron_job_name, value, &args.options)
}

/// Creates an object made of flags; with `--dry-run=client` only shows it.
fn create_or_show(
    global: &Global,
    kind: Kind,
    name: &str,
    value: Value,
    options: &Options,
) -> Result<ExitCode> {
    let context = &Context::open_to_create(global, options.dry_run)?;
    if options.dry_run == DryRun::Client {
        let mut outcomes = Outcomes::new(&options.output, DryRun::Client)?.made_here();
        outcomes.done(kind, name, "created", || {
            let mut value = value;
            if context.namespace_given && kind.resource().namespaced {
                value["metadata"]["namespace"] = json!(context.namespace);
            }
            Ok(saved(value, options))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let document = Document { source: String::new(), value, kind, duplicate_fields: Vec::new() };
    create_one(context, document, options)
}

/// As [`submit_all`] for an object without a file: kubectl's sentence for a name that exists differs.
fn create_one(context: &Context, mut document: Document, options: &Options) -> Result<ExitCode> {
    submit::set_namespace(&mut document, context)?;
    document.value = saved(document.value, options);
    let creator = context.client.creator(&options.pass_env)?;
    let mut tables = TABLES.to_vec();
    tables.push(Table::from(document.kind));
    let (_held, requests) = context.begin(&tables, options.dry_run)?;
    let object = submit::decode(&document, options.validate, "creating", &requests)?;
    store_one(requests, object, &document.value, &creator, options)
}

/// What kubectl puts before the server's words when an object made of flags is refused: each kind has its own. Nothing where
/// these stand as they are.
fn failure(object: &Object) -> Option<String> {
    Some(match object {
        Object::Namespace(_) | Object::Role(_) => return None,
        Object::ResourceQuota(_) => "quota: ".to_owned(),
        Object::Secret(_) => "secret ".to_owned(),
        Object::Service(service) => {
            let type_ = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()).unwrap_or("ClusterIP");
            format!("{type_} service: ")
        }
        other => format!("{}: ", other.kind().resource().singular),
    })
}

/// Creates an object without a file, commits and says so.
pub(super) fn store_one(
    mut requests: Requests<'_>,
    object: Object,
    manifest: &Value,
    creator: &Creator,
    options: &Options,
) -> Result<ExitCode> {
    let kind = object.kind();
    let failed = failure(&object);
    requests.validate_as(options.validate);
    let answer = requests.create(object, manifest, creator).map_err(|error| match &failed {
        Some(failed) => failed_to_create(failed, error),
        None => error,
    })?;
    warn_all(&answer.warnings);
    warn_all(&requests.missing()?);
    if options.dry_run == DryRun::None {
        requests.commit()?;
    }
    let mut outcomes = Outcomes::new(&options.output, options.dry_run)?;
    outcomes.done(kind, name(answer.object.meta()), "created", || Ok(answer.shown()?))?;
    Ok(ExitCode::SUCCESS)
}
