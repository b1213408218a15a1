//! `run --image`: a Pod, as kubectl's `run` makes it.

mod attended;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::context::{Context, Global};
use super::failure::verbatim;
use super::format::OutputArgs;
use super::interrupt::LastWill;
use super::manifests::Document;
use super::outcome::{DryRun, Outcomes};
use super::output::{print, warn_all};
use super::pod_target::Patience;
use super::submit;
use crate::api::Pod;
use crate::api::images::ImageName;
use crate::api::kinds::Kind;
use crate::api::meta::name;
use crate::api::quoted::quoted;
use crate::apiserver::{FieldValidation, Patch};
use crate::registry::apply::with_last_applied;
use crate::registry::object::Object;
use crate::store::Table;

/// What a Pod of an image is made of
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PodArgs {
    /// Make a Pod as kubectl does, of this image: a label here, the command runs from this machine. Without --attach or -i it is not
    /// waited for
    #[arg(long, help_heading = OF_PODS)]
    image: Option<String>,
    /// The words after the Pod's name are its command, not the arguments of its image's
    #[arg(id = "as-command", long = "command", help_heading = OF_PODS)]
    as_command: bool,
    /// Keep standard input open, and attach to it
    #[arg(short = 'i', long, help_heading = OF_PODS)]
    stdin: bool,
    /// A terminal for the Pod
    #[arg(short, long, help_heading = OF_PODS)]
    tty: bool,
    /// Attach to the Pod once it runs, and with --restart=Never end as its container did; the default with -i
    #[arg(long, help_heading = OF_PODS)]
    attach: Option<bool>,
    /// The Pod's standard input stays open after the first who has attached to it
    #[arg(long, help_heading = OF_PODS)]
    leave_stdin_open: bool,
    /// An annotation of the Pod, as NAME=VALUE
    #[arg(long, value_name = "NAME=VALUE", help_heading = OF_PODS)]
    annotations: Vec<String>,
    /// A port of the Pod
    #[arg(long, help_heading = OF_PODS)]
    port: Option<String>,
    /// With --port: a Service of the Pod's name too
    #[arg(long, help_heading = OF_PODS)]
    expose: bool,
    /// Always, IfNotPresent or Never
    #[arg(long, help_heading = OF_PODS)]
    image_pull_policy: Option<String>,
    /// With all rights
    #[arg(long, help_heading = OF_PODS)]
    privileged: bool,
    /// A change to the Pod, in JSON
    #[arg(long, value_name = "JSON", help_heading = OF_PODS)]
    overrides: Option<String>,
    /// What kind of change that is: json, merge, or strategic
    #[arg(long, default_value = "merge", help_heading = OF_PODS)]
    override_type: String,
    /// Keep the manifest in the Pod's annotation, so that apply can be used later
    #[arg(long, help_heading = OF_PODS)]
    save_config: bool,
    #[command(flatten)]
    patience: Patience,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
    /// Accepted for kubectl's sake, which takes no notice of it either
    #[arg(long, hide = true)]
    grace_period: Option<i64>,
    /// Accepted for kubectl's sake, which takes no notice of it either
    #[arg(long, hide = true)]
    force: bool,
    /// Accepted for kubectl's sake, which takes no notice of it either
    #[arg(long, hide = true)]
    cascade: Option<String>,
    /// Accepted for kubectl's sake, which takes no notice of it either
    #[arg(long, hide = true)]
    wait: bool,
}

const OF_PODS: &str = "Options of --image";

/// The flags that `run` has for Jobs too.
pub(super) struct Shared<'a> {
    /// The Pod's name, and what follows it before `--`.
    pub(super) words: &'a [String],
    /// What follows `--`.
    pub(super) command: &'a [String],
    pub(super) env: &'a [String],
    pub(super) labels: &'a [String],
    pub(super) restart: Option<&'a str>,
    pub(super) dry_run: DryRun,
    pub(super) output: &'a OutputArgs,
    pub(super) quiet: bool,
    pub(super) rm: bool,
    pub(super) pass_env: &'a [String],
}

impl PodArgs {
    /// Whether a Pod is wanted.
    pub(super) fn is_given(&self) -> bool {
        self.image.is_some()
    }

    /// Refuses what is for Pods alone: without an image `run` makes a Job.
    ///
    /// # Errors
    /// The first such flag.
    pub(super) fn refuse(&self) -> Result<()> {
        let given = [
            ("--command", self.as_command),
            ("-i, --stdin", self.stdin),
            ("-t, --tty", self.tty),
            ("--attach", self.attach.is_some()),
            ("--leave-stdin-open", self.leave_stdin_open),
            ("--annotations", !self.annotations.is_empty()),
            ("--port", self.port.is_some()),
            ("--expose", self.expose),
            ("--image-pull-policy", self.image_pull_policy.is_some()),
            ("--privileged", self.privileged),
            ("--overrides", self.overrides.is_some()),
            ("--save-config", self.save_config),
        ];
        if let Some((flag, _)) = given.into_iter().find(|(_, given)| *given) {
            bail!("{flag} is for Pods: jobctl run NAME --image=IMAGE");
        }
        Ok(())
    }
}

/// The error of a flag that makes no sense, with where to read on.
fn usage(text: &str) -> anyhow::Error {
    verbatim(format!("error: {text}\nSee 'jobctl run -h' for help and examples"))
}

/// What is wanted, checked.
struct Wanted<'a> {
    args: &'a PodArgs,
    shared: &'a Shared<'a>,
    name: &'a str,
    /// What follows the name.
    words: Vec<&'a str>,
    image: &'a str,
    restart: &'a str,
    attach: bool,
}

impl<'a> Wanted<'a> {
    /// Checks the flags as kubectl does.
    fn of(args: &'a PodArgs, shared: &'a Shared<'a>) -> Result<Self> {
        let mut words: Vec<&str> = shared.words.iter().chain(shared.command).map(String::as_str).collect();
        if words.is_empty() {
            return Err(usage("NAME is required for run"));
        }
        let name = words.remove(0);
        args.patience.of("run")?;
        let image = args.image.as_deref().unwrap_or_default();
        if image.is_empty() {
            bail!("--image is required");
        }
        if ImageName::parse(image).is_none() {
            bail!("Invalid image name {image:?}: invalid reference format");
        }
        if args.tty && !args.stdin {
            return Err(usage("-i/--stdin is required for containers with -t/--tty=true"));
        }
        let port = args.port.as_deref().filter(|port| !port.is_empty());
        if args.expose && port.is_none() {
            return Err(usage("--port must be set when exposing a service"));
        }
        if let Some(policy) = args.image_pull_policy.as_deref()
            && !["", "Always", "IfNotPresent", "Never"].contains(&policy)
        {
            return Err(usage(&format!("invalid image pull policy: {policy}")));
        }
        let restart = shared.restart.filter(|policy| !policy.is_empty()).unwrap_or("Always");
        if !["Always", "OnFailure", "Never"].contains(&restart) {
            return Err(usage(&format!("invalid restart policy: {restart}")));
        }
        let attach = args.attach.unwrap_or(args.stdin);
        if shared.rm && !attach {
            return Err(usage("--rm should only be used for attached containers"));
        }
        if attach && shared.dry_run != DryRun::None {
            return Err(usage(
                "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
            ));
        }
        Ok(Self { args, shared, name, words, image, restart, attach })
    }

    /// The Pod, as a manifest would have it.
    fn pod(&self) -> Result<Value> {
        let args = self.args;
        let mut container = json!({"name": self.name, "image": self.image, "resources": {}});
        let env = self.shared.env.iter().map(|word| variable(word)).collect::<Result<Vec<Value>>>()?;
        if !env.is_empty() {
            container["env"] = Value::Array(env);
        }
        if !self.words.is_empty() {
            container[if args.as_command { "command" } else { "args" }] = json!(self.words);
        }
        if let Some(port) = self.port()? {
            container["ports"] = json!([{"containerPort": port}]);
        }
        if let Some(policy) = args.image_pull_policy.as_deref().filter(|policy| !policy.is_empty()) {
            container["imagePullPolicy"] = json!(policy);
        }
        if args.privileged {
            container["securityContext"] = json!({"privileged": true});
        }
        let flags =
            [("stdin", args.stdin), ("stdinOnce", args.stdin && !args.leave_stdin_open), ("tty", args.tty)];
        for (field, _) in flags.into_iter().filter(|(_, is_set)| *is_set) {
            container[field] = json!(true);
        }
        let mut metadata = json!({"creationTimestamp": null, "labels": self.labels()?, "name": self.name});
        let annotations =
            args.annotations.iter().map(|word| annotation(word)).collect::<Result<Map<_, _>>>()?;
        if !annotations.is_empty() {
            metadata["annotations"] = Value::Object(annotations);
        }
        let pod = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [container], "dnsPolicy": "ClusterFirst", "restartPolicy": self.restart},
            "status": {},
        });
        match args.overrides.as_deref().filter(|text| !text.is_empty()) {
            Some(overrides) => overridden(&pod, overrides, &args.override_type),
            None => Ok(pod),
        }
    }

    /// The Service that leads to it, with `--expose`.
    fn service(&self) -> Result<Option<Value>> {
        let (true, Some(port)) = (self.args.expose, self.port()?) else { return Ok(None) };
        let mut metadata = json!({"creationTimestamp": null, "name": self.name});
        if !self.shared.labels.is_empty() {
            metadata["labels"] = Value::Object(self.labels()?);
        }
        Ok(Some(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "ports": [{"port": port, "protocol": "TCP", "targetPort": port}],
                "selector": self.labels()?,
            },
            "status": {"loadBalancer": {}},
        })))
    }

    /// As kubectl's own conversion leaves it: of what is too large the lower bits.
    fn port(&self) -> Result<Option<i32>> {
        let Some(port) = self.args.port.as_deref().filter(|port| !port.is_empty()) else { return Ok(None) };
        match port.parse::<i64>() {
            Ok(number) => Ok(Some(number as i32)),
            Err(_) => bail!("strconv.Atoi: parsing {}: invalid syntax", quoted(port)),
        }
    }

    /// Those of the last flag that names some.
    fn labels(&self) -> Result<Map<String, Value>> {
        let Some(last) = self.shared.labels.last().filter(|last| !last.is_empty()) else {
            return Ok(Map::from_iter([("run".to_owned(), json!(self.name))]));
        };
        let label = |word: &str| match word.split('=').collect::<Vec<_>>().as_slice() {
            ["", _] => bail!("unexpected empty label key"),
            [key, value] => Ok(((*key).to_owned(), json!(value))),
            _ => bail!("unexpected label spec: {word}"),
        };
        last.split(',').map(label).collect()
    }
}

fn variable(word: &str) -> Result<Value> {
    let is_name = |name: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(is_allowed)
            && ![".", ".."].contains(&name)
    };
    match word.split_once('=') {
        // As Go writes it: what is empty is left out.
        Some((name, "")) if !name.is_empty() && is_name(name) => Ok(json!({"name": name})),
        Some((name, value)) if !name.is_empty() && is_name(name) => Ok(json!({"name": name, "value": value})),
        _ => bail!("invalid env: {word}"),
    }
}

fn annotation(word: &str) -> Result<(String, Value)> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), json!(value))),
        _ => bail!("invalid annotations format: {word}"),
    }
}

/// Changes the Pod by `--overrides`, and leaves out what no Pod has.
fn overridden(pod: &Value, overrides: &str, kind: &str) -> Result<Value> {
    let value = || serde_json::from_str(overrides).map_err(|_| anyhow::anyhow!("Invalid JSON Patch"));
    let patch = match kind {
        "json" => Patch::Json(value()?),
        "merge" => Patch::Merge(value()?),
        "strategic" => Patch::Strategic(value()?),
        other => bail!("invalid override type: {other}"),
    };
    let changed = patch.apply(pod).map_err(|error| anyhow::anyhow!("{error}"))?;
    if let Some(other) = changed["kind"].as_str().filter(|kind| *kind != "Pod") {
        bail!(
            "no kind {other:?} is registered for version {:?}",
            changed["apiVersion"].as_str().unwrap_or_default()
        );
    }
    let Some(decoded) = Object::decode(Kind::Pod, &changed) else { bail!("no Pod can be made here") };
    let mut pod = decoded.map_err(|error| anyhow::anyhow!("{}", error.problem))?.object.to_value()?;
    // What is always written, also where it is empty.
    if let Some(metadata) = pod.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.entry("creationTimestamp").or_insert(Value::Null);
    }
    for list in ["/spec/containers", "/spec/initContainers"] {
        for container in pod.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                container.entry("resources").or_insert_with(|| json!({}));
            }
        }
    }
    if let Some(pod) = pod.as_object_mut() {
        pod.entry("status").or_insert_with(|| json!({}));
    }
    Ok(pod)
}

/// Makes the Pod, and stays with it where that is wanted.
pub(super) fn run(global: &Global, args: &PodArgs, shared: &Shared<'_>) -> Result<ExitCode> {
    let wanted = Wanted::of(args, shared)?;
    let (pod, service) = (wanted.pod()?, wanted.service()?);
    let mut outcomes = Outcomes::new(shared.output, shared.dry_run)?;
    let context = Context::open_to_create(global, shared.dry_run)?;
    if shared.dry_run == DryRun::Client {
        let shown = |mut value: Value| {
            if context.namespace_given {
                value["metadata"]["namespace"] = json!(context.namespace);
            }
            value
        };
        return tell(&mut outcomes, shown(pod), service.map(shown), shared.output);
    }
    if wanted.attach && shared.rm {
        LastWill::hold_back()?;
    }
    let (pod, service) = create(&context, &wanted, pod, service)?;
    if wanted.attach {
        let pod: Pod = serde_json::from_value(pod)?;
        return attended::attend(&context, &pod, service.is_some(), &wanted);
    }
    tell(&mut outcomes, pod, service, shared.output)
}

/// Prints what has been made, in kubectl's order.
fn tell(
    outcomes: &mut Outcomes,
    pod: Value,
    service: Option<Value>,
    output: &OutputArgs,
) -> Result<ExitCode> {
    let name_of = |value: &Value| value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if let Some(service) = service {
        outcomes.done(Kind::Service, &name_of(&service), "created", || Ok(service))?;
        if output.given() == Some("yaml") {
            print("---\n")?;
        }
    }
    outcomes.done(Kind::Pod, &name_of(&pod), "created", || Ok(pod))?;
    Ok(ExitCode::SUCCESS)
}

/// Stores both, or nothing.
fn create(
    context: &Context,
    wanted: &Wanted<'_>,
    pod: Value,
    service: Option<Value>,
) -> Result<(Value, Option<Value>)> {
    let creator = context.client.creator(wanted.shared.pass_env)?;
    let tables = [Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS, Table::Kind(Kind::Service)];
    let (_held, mut requests) = context.begin(&tables, wanted.shared.dry_run)?;
    let mut store = |kind: Kind, value: Value| -> Result<Value> {
        let mut document =
            Document { source: "command line".into(), value, kind, duplicate_fields: Vec::new() };
        submit::set_namespace(&mut document, context)?;
        if wanted.args.save_config {
            document.value = with_last_applied(&document.value);
        }
        let object = submit::decode(&document, FieldValidation::Strict, "creating", &requests)?;
        debug_assert!(!name(object.meta()).is_empty());
        let answer = requests.create(object, &document.value, &creator)?;
        warn_all(&answer.warnings);
        Ok(answer.shown()?)
    };
    let pod = store(Kind::Pod, pod)?;
    let service = service.map(|service| store(Kind::Service, service)).transpose()?;
    warn_all(&requests.missing()?);
    if wanted.shared.dry_run == DryRun::None {
        requests.commit()?;
    }
    Ok((pod, service))
}
