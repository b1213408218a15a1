//! `top`: what pods and this machine use, measured over a moment.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::context::{Context, Global};
use super::failure::verbatim;
use super::get::nothing_found;
use super::output::{complain, print};
use super::resources::Target;
use super::selection::Selectors;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{name, namespace};
use crate::api::quantity;
use crate::api::status_error::StatusError;
use crate::api::{Node, Pod};
use crate::apiserver::{Found, Read as _};
use crate::client::USAGE_WINDOW;
use crate::kubelet::{Usage, usage_of_machine};
use crate::printers::table::align;
use crate::store::Table;

/// Show what pods, or this machine, use of CPU and memory
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    #[command(name = "pod", aliases = ["pods", "po"])]
    Pods(PodArgs),
    #[command(name = "node", aliases = ["nodes", "no"])]
    Nodes(NodeArgs),
}

/// Show what pods use of CPU and memory
///
/// Both are measured now, over half a second. Memory is what a container's processes have for themselves.
#[derive(Debug, clap::Args)]
struct PodArgs {
    /// The pod; all of the namespace where none is named
    names: Vec<String>,
    /// Pods of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// A line for each container
    #[arg(long)]
    containers: bool,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Field selector
    #[arg(long)]
    field_selector: Option<String>,
    /// Beside CPU and memory what is read from disks and written to them
    #[arg(long)]
    io: bool,
    /// A last line with the sums
    #[arg(long)]
    sum: bool,
    #[command(flatten)]
    table: TableArgs,
}

/// Show what this machine uses of CPU and memory
///
/// Both are measured now, over half a second, and count for everything that runs here.
#[derive(Debug, clap::Args)]
struct NodeArgs {
    /// The node; there is one, this machine
    names: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Percentages of all that the machine has, not of what pods can have
    #[arg(long)]
    show_capacity: bool,
    #[command(flatten)]
    table: TableArgs,
}

/// How lines are shown
#[derive(Debug, clap::Args)]
struct TableArgs {
    /// The largest first: cpu or memory
    #[arg(long)]
    sort_by: Option<String>,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// Accepted for kubectl's sake: nothing is transferred
    #[arg(long, hide = true, default_value_t = true, action = clap::ArgAction::Set)]
    use_protocol_buffers: bool,
}

/// By which use lines are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortBy {
    Name,
    Cpu,
    Memory,
}

impl TableArgs {
    fn sort_by(&self) -> Result<SortBy> {
        Ok(match self.sort_by.as_deref() {
            None | Some("") => SortBy::Name,
            Some("cpu") => SortBy::Cpu,
            Some("memory") => SortBy::Memory,
            Some(_) => bail!("--sort-by accepts only cpu or memory"),
        })
    }
}

impl SortBy {
    /// The use that lines are sorted by, the largest first; names decide where it is the same.
    fn key(self, usage: &Usage) -> Reverse<u64> {
        Reverse(match self {
            Self::Name => 0,
            Self::Cpu => usage.milli_cpus,
            Self::Memory => usage.memory,
        })
    }
}

/// A pod and what each of its containers uses.
struct PodUsage {
    namespace: String,
    name: String,
    containers: Vec<(String, Usage)>,
}

impl PodUsage {
    fn sum(&self) -> Usage {
        self.containers.iter().map(|(_, usage)| *usage).sum()
    }
}

/// Measures and prints.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    match &args.what {
        What::Pods(args) => pods(global, args),
        What::Nodes(args) => nodes(global, args),
    }
}

fn at_most_one<'a>(names: &'a [String], kind: &str) -> Result<Option<&'a str>> {
    match names {
        [] => Ok(None),
        [one] => Ok(Some(one.as_str()).filter(|name| !name.is_empty())),
        _ => Err(verbatim(format!(
            "error: {kind} [NAME | -l label]\nSee 'jobctl top {kind} -h' for help and examples"
        ))),
    }
}

fn pods(global: &Global, args: &PodArgs) -> Result<ExitCode> {
    let wanted = at_most_one(&args.names, "pod")?;
    let sort_by = args.table.sort_by()?;
    let is_given = |selector: &Option<String>| selector.as_ref().is_some_and(|text| !text.is_empty());
    if wanted.is_some() && (is_given(&args.selector) || is_given(&args.field_selector)) {
        bail!("only one of NAME or selector can be provided");
    }
    if wanted.is_some() && args.all_namespaces {
        bail!("a resource cannot be retrieved by name across all namespaces");
    }
    let selectors = Selectors::parse(args.selector.as_deref(), args.field_selector.as_deref())?;
    let context = Context::open(global)?;
    let reader = context.client.read(&[Table::PODS])?;
    let found: Vec<Found<'_>> = match wanted {
        Some(name) => vec![reader.get(Kind::Pod, &Key::new(&context.namespace, name))?],
        None => {
            let namespace = (!args.all_namespaces).then_some(context.namespace.as_str());
            reader.list(Kind::Pod, namespace, &selectors)?
        }
    };
    let pods = found.iter().map(Found::parse).collect::<Result<Vec<Pod>>>()?;
    let mut used = measured(&context, &pods)?;
    if used.is_empty() {
        return match (wanted, pods.is_empty()) {
            // As a metrics server knows pods that run only.
            (Some(name), _) => Err(verbatim(format!(
                "Error from server (NotFound): podmetrics.metrics.k8s.io \"{}/{name}\" not found",
                context.namespace
            ))),
            (None, false) => bail!("metrics not available yet"),
            (None, true) => {
                complain(&nothing_found(args.all_namespaces, &[Target::All(Kind::Pod)], &context));
                Ok(ExitCode::SUCCESS)
            }
        };
    }
    used.sort_by(|one, other| {
        let key = |pod: &PodUsage| sort_by.key(&pod.sum());
        key(one)
            .cmp(&key(other))
            .then_with(|| (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name)))
    });
    for pod in &mut used {
        pod.containers.sort_by(|(one, used), (other, used_by_other)| {
            sort_by.key(used).cmp(&sort_by.key(used_by_other)).then_with(|| one.cmp(other))
        });
    }
    print(&align(&pod_lines(&used, args), &mut Vec::new()))?;
    Ok(ExitCode::SUCCESS)
}

/// What the pods use that run.
fn measured(context: &Context, pods: &[Pod]) -> Result<Vec<PodUsage>> {
    let used = context.client.local()?.usage_of_pods(pods).into_iter();
    let of_pod = |(pod, used): (&Pod, Option<BTreeMap<String, Usage>>)| {
        Some(PodUsage {
            namespace: namespace(&pod.metadata).to_owned(),
            name: name(&pod.metadata).to_owned(),
            containers: used?.into_iter().collect(),
        })
    };
    Ok(pods.iter().zip(used).filter_map(of_pod).collect())
}

/// The lines of the table as kubectl has them, each with an empty last cell.
fn pod_lines(pods: &[PodUsage], args: &PodArgs) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut columns = 1;
    if !args.table.no_headers {
        let mut header = Vec::new();
        header.extend(args.all_namespaces.then(|| "NAMESPACE".to_owned()));
        header.extend(args.containers.then(|| "POD".to_owned()));
        header.push("NAME".to_owned());
        columns = header.len();
        header.extend(["CPU(cores)", "MEMORY(bytes)"].map(str::to_owned));
        if args.io {
            header.extend(["READ(bytes/s)", "WRITE(bytes/s)"].map(str::to_owned));
        }
        lines.push(header);
    }
    for pod in pods {
        let mut add = |last: Option<&str>, usage: Usage| {
            let mut line = Vec::new();
            line.extend(args.all_namespaces.then(|| pod.namespace.clone()));
            line.push(pod.name.clone());
            line.extend(last.map(str::to_owned));
            line.extend(cells(usage, args.io));
            lines.push(line);
        };
        if args.containers {
            pod.containers.iter().for_each(|(name, usage)| add(Some(name), *usage));
        } else {
            add(None, pod.sum());
        }
    }
    if args.sum {
        // Without headers kubectl sums up below the second column, whatever columns there are.
        let blank = || std::iter::repeat_n(String::new(), columns);
        let sum = cells(pods.iter().map(PodUsage::sum).sum(), args.io);
        lines.push(blank().chain(sum.iter().map(|_| "________".to_owned())).collect());
        lines.push(blank().chain(sum).collect());
    }
    lines.iter_mut().for_each(|line| line.push(String::new()));
    lines
}

fn cells(usage: Usage, io: bool) -> Vec<String> {
    let mut cells = vec![format!("{}m", usage.milli_cpus), format!("{}Mi", usage.memory >> 20)];
    if io {
        cells.extend([usage.read, usage.written].map(|bytes| format!("{}Ki", bytes >> 10)));
    }
    cells
}

fn nodes(global: &Global, args: &NodeArgs) -> Result<ExitCode> {
    let wanted = at_most_one(&args.names, "node")?;
    args.table.sort_by()?;
    if wanted.is_some() && args.selector.as_ref().is_some_and(|text| !text.is_empty()) {
        bail!("only one of NAME or --selector can be provided");
    }
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let context = Context::open(global)?;
    let reader = context.client.read(&[Table::NODES])?;
    let found = match wanted {
        Some(name) => vec![reader.get(Kind::Node, &Key::new("", name))?],
        None => reader.list(Kind::Node, None, &selectors)?,
    };
    let own = &context.client.config().settings.node_name;
    let mut lines: Vec<Vec<String>> = Vec::new();
    for node in found.iter().filter(|node| *node.key.name == **own) {
        lines.push(node_line(&node.parse()?, args.show_capacity));
    }
    if lines.is_empty() {
        return match wanted {
            Some(name) => Err(StatusError::not_found(Kind::Node, name).into()),
            None => bail!("metrics not available yet"),
        };
    }
    if !args.table.no_headers {
        let header = ["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)", ""];
        lines.insert(0, header.map(str::to_owned).to_vec());
    }
    print(&align(&lines, &mut Vec::new()))?;
    Ok(ExitCode::SUCCESS)
}

fn node_line(node: &Node, of_capacity: bool) -> Vec<String> {
    let status = node.status.clone().unwrap_or_default();
    let amounts = if of_capacity { status.capacity } else { status.allocatable }.unwrap_or_default();
    let available =
        |resource: &str| amounts.get(resource).and_then(|amount| quantity::thousandths(&amount.0));
    let used = usage_of_machine(USAGE_WINDOW);
    let percent = |used_thousandths: u128, resource: &str| match available(resource) {
        Some(all) if all > 0 => format!("{}%", used_thousandths * 100 / u128::from(all.unsigned_abs())),
        _ => "0%".to_owned(),
    };
    vec![
        name(&node.metadata).to_owned(),
        format!("{}m", used.milli_cpus),
        percent(used.milli_cpus.into(), "cpu"),
        format!("{}Mi", used.memory >> 20),
        percent(u128::from(used.memory) * 1000, "memory"),
        String::new(),
    ]
}
