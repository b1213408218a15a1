//! What the flags and the operands of verbs may be: names of objects as they are now, types, formats.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Arg;
use serde_json::Value;

use super::line::Line;
use super::{Answer, Candidate};
use crate::api::kinds::{Key, Kind, RESOURCES};
use crate::apiserver::{Read as _, Source as _};
use crate::cluster::Kubeconfig;
use crate::cmd::Global;
use crate::cmd::colour::Color;
use crate::cmd::context::Context;
use crate::cmd::{config, resources};
use crate::manager::{CONFIGURATION_KEYS, CurrentContext};
use crate::store::Table;

/// What a verb takes that is no flag.
enum Operand {
    /// TYPE and names, or TYPE/NAME.
    Objects,
    /// The same of some kinds only.
    Of(&'static [Kind]),
    /// The name of a pod, or TYPE/NAME of these kinds.
    Pods(&'static [Kind]),
    /// The name of the node.
    Node,
    /// A type.
    Types,
    /// A context.
    Context,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A file here, or a path in a pod.
    FileOrPod,
    /// Nothing that anybody could know.
    Unknown,
}

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

fn operand(verbs: &[&str]) -> Operand {
    match verbs {
        ["get" | "describe" | "delete" | "label" | "annotate" | "patch" | "edit" | "wait", ..] => {
            Operand::Objects
        }
        ["set", "image" | "env" | "resources" | "selector" | "serviceaccount" | "subject"] => {
            Operand::Objects
        }
        ["rerun"] => Operand::Of(&[Kind::Job]),
        ["suspend" | "resume"] => Operand::Of(&[Kind::Job, Kind::CronJob]),
        ["scale"] => Operand::Of(&[Kind::Job, Kind::StatefulSet]),
        ["next"] => Operand::Of(&[Kind::CronJob]),
        ["rollout", ..] => Operand::Of(&[Kind::StatefulSet]),
        ["logs"] => Operand::Pods(&[Kind::Job, Kind::CronJob, Kind::StatefulSet]),
        ["exec" | "attach"] => Operand::Pods(&[Kind::Job, Kind::StatefulSet]),
        ["port-forward"] => Operand::Pods(&[Kind::Job, Kind::Service, Kind::StatefulSet]),
        ["top", "pod" | "pods"] => Operand::Pods(&[]),
        ["cp"] => Operand::FileOrPod,
        ["cordon" | "uncordon" | "drain"] | ["top", "node" | "nodes"] => Operand::Node,
        ["explain"] => Operand::Types,
        ["completion"] => Operand::Words(&SHELLS),
        ["config", "use-context" | "set-context"] => Operand::Context,
        ["config", "get" | "set" | "unset"] => Operand::Words(CONFIGURATION_KEYS),
        _ => Operand::Unknown,
    }
}

/// What may stand where the cursor is, and is no flag.
pub(super) fn of_operand(line: &Line<'_>) -> Answer {
    let is_first = line.operands.is_empty();
    match operand(&line.verbs) {
        Operand::Objects => objects(line),
        Operand::Of(kinds) => match typed(line) {
            Some(kind) => Answer::of(names(line, kind)),
            None => Answer::of(kinds.iter().flat_map(|kind| full_names(line, *kind))),
        },
        Operand::Pods(kinds) => match line.word.split_once('/') {
            Some((kind, _)) => in_slash_form(line, kind),
            None if !is_first && typed(line).is_none() => Answer::default(),
            None => {
                let types = kinds.iter().map(|kind| format!("{}/", kind.resource().singular));
                Answer::of(names(line, Kind::Pod).into_iter().chain(types))
            }
        },
        Operand::Node if is_first => Answer::of(names(line, Kind::Node)),
        Operand::Types if is_first => types(),
        Operand::Context if is_first => Answer::of(contexts(line)),
        Operand::Words(words) if is_first => Answer::of(words.iter().copied()),
        Operand::FileOrPod => Answer {
            candidates: names(line, Kind::Pod)
                .into_iter()
                .map(|pod| Candidate::of(format!("{pod}:")))
                .collect(),
            files: true,
        },
        _ => Answer::default(),
    }
}

/// The type that stands by itself before the names.
fn typed(line: &Line<'_>) -> Option<Kind> {
    let first = line.operands.first().filter(|first| !first.contains('/'))?;
    resources::kind(first).ok()
}

fn objects(line: &Line<'_>) -> Answer {
    if let Some((kind, _)) = line.word.split_once('/') {
        return in_slash_form(line, kind);
    }
    match line.operands.first() {
        None => types(),
        Some(first) if first.contains('/') => Answer::default(),
        Some(first) => {
            let kinds = resources::kinds(first).unwrap_or_default();
            let named: BTreeSet<&str> = line.operands[1..].iter().copied().collect();
            let names = kinds.into_iter().flat_map(|kind| names(line, kind));
            Answer::of(names.filter(|name| !named.contains(name.as_str())))
        }
    }
}

/// `TYPE/NAME`, with the type as it was typed.
fn in_slash_form(line: &Line<'_>, kind: &str) -> Answer {
    let Ok(found) = resources::kind(kind) else { return Answer::default() };
    Answer::of(names(line, found).into_iter().map(|name| format!("{kind}/{name}")))
}

fn types() -> Answer {
    let types = RESOURCES.iter().map(|one| Candidate { word: one.plural.into(), about: one.name.into() });
    Answer { candidates: types.collect(), files: false }
}

fn full_names(line: &Line<'_>, kind: Kind) -> Vec<String> {
    let singular = kind.resource().singular;
    names(line, kind).into_iter().map(|name| format!("{singular}/{name}")).collect()
}

/// What a flag may be given.
pub(super) fn of_flag(line: &Line<'_>, flag: &Arg) -> Answer {
    let possible: Vec<Candidate> = flag
        .get_possible_values()
        .into_iter()
        .map(|value| Candidate {
            word: value.get_name().into(),
            about: value.get_help().map(ToString::to_string).unwrap_or_default(),
        })
        .collect();
    if !possible.is_empty() {
        return Answer { candidates: possible, files: false };
    }
    match flag.get_long().unwrap_or_default() {
        "context" => Answer::of(contexts(line)),
        "namespace" => Answer::of(names(line, Kind::Namespace)),
        "filename" | "data-dir" | "env-file" | "from-file" | "from-env-file" | "patch-file"
        | "array-from" | "junit" | "cert" | "key" | "kubeconfig" => Answer::files(),
        "output" => Answer::of(outputs(&line.verbs).iter().copied()),
        "container" => Answer::of(containers(line)),
        "for" if line.verbs == ["events"] => events_for(line),
        "for" => Answer::of([
            "condition=",
            "condition=complete",
            "condition=failed",
            "condition=ready",
            "create",
            "delete",
            "jsonpath=",
        ]),
        "after" => Answer::of(full_names(line, Kind::Job)),
        "from" => Answer::of(full_names(line, Kind::CronJob)),
        "dry-run" => Answer::of(["none", "server", "client"]),
        "cascade" => Answer::of(["background", "orphan", "foreground"]),
        "validate" => Answer::of(["strict", "warn", "ignore"]),
        "type" if line.verbs == ["patch"] => Answer::of(["json", "merge", "strategic"]),
        "types" if line.verbs == ["events"] => Answer::of(["Normal", "Warning"]),
        "sort-by" if line.verbs.first() == Some(&"top") => Answer::of(["cpu", "memory"]),
        "restart" if line.verbs == ["run"] => Answer::of(["Always", "OnFailure", "Never"]),
        "restart" => Answer::of(["OnFailure", "Never"]),
        "cluster" | "user" => Answer::of(["jobctl"]),
        _ => Answer::default(),
    }
}

fn events_for(line: &Line<'_>) -> Answer {
    match line.word.trim_start_matches("--for=").split_once('/') {
        Some((kind, _)) => in_slash_form(line, kind),
        None => Answer::of(RESOURCES.iter().map(|one| format!("{}/", one.singular))),
    }
}

fn outputs(verbs: &[&str]) -> &'static [&'static str] {
    const OBJECTS: &[&str] = &[
        "json",
        "yaml",
        "kyaml",
        "name",
        "go-template=",
        "go-template-file=",
        "jsonpath=",
        "jsonpath-as-json=",
        "jsonpath-file=",
    ];
    const TABLES: &[&str] = &[
        "json",
        "yaml",
        "kyaml",
        "name",
        "wide",
        "custom-columns=",
        "custom-columns-file=",
        "go-template=",
        "go-template-file=",
        "jsonpath=",
        "jsonpath-as-json=",
        "jsonpath-file=",
    ];
    match verbs {
        ["get"] => TABLES,
        ["version"] | ["config", "view"] => &["json", "yaml"],
        ["config", "get-contexts"] => &["name"],
        ["api-resources"] => &["wide", "name", "json", "yaml"],
        ["events"] => &["json", "yaml", "name", "wide"],
        _ => OBJECTS,
    }
}

/// The containers of the pod, or of what has pods, that the line names.
fn containers(line: &Line<'_>) -> Vec<String> {
    let object = match line.operands.as_slice() {
        [first, second, ..] => resources::kind(first).ok().map(|kind| (kind, *second)),
        [one] => match one.split_once('/') {
            Some((kind, name)) => resources::kind(kind).ok().map(|kind| (kind, name)),
            None => Some((Kind::Pod, *one)),
        },
        [] => None,
    };
    let read = || {
        let (kind, name) = object?;
        let context = open(line)?;
        let reader = context.client.read(&[Table::from(kind)]).ok()?;
        let found = reader.find(kind, &kind.key(&context.namespace, name)).ok()??;
        let value: Value = serde_json::from_str(&found.text).ok()?;
        let spec = ["", "/template/spec", "/jobTemplate/spec/template/spec"]
            .iter()
            .rev()
            .find_map(|path| value["spec"].pointer(path).filter(|spec| spec["containers"].is_array()))?;
        let all =
            [&spec["containers"], &spec["initContainers"]].into_iter().filter_map(Value::as_array).flatten();
        Some(all.filter_map(|container| container["name"].as_str().map(str::to_owned)).collect())
    };
    read().unwrap_or_default()
}

/// The names of the objects of a kind that are there, in the namespace of the line.
fn names(line: &Line<'_>, kind: Kind) -> Vec<String> {
    let read = || {
        let context = open(line)?;
        let reader = context.client.read(&[Table::from(kind)]).ok()?;
        let is_here = |key: &Key| !kind.resource().namespaced || *key.namespace == *context.namespace;
        let keys = reader.entries(Table::from(kind)).ok()?.map(|(key, _)| key);
        Some(keys.filter(|key| is_here(key)).map(|key| key.name.to_string()).collect())
    };
    read().unwrap_or_default()
}

/// This machine, and the contexts of the kubeconfig.
fn contexts(line: &Line<'_>) -> Vec<String> {
    let file = line.value_of("kubeconfig").map(Path::new);
    let here = file.is_none().then(|| config::NAME.to_owned());
    let found = Kubeconfig::read(file).map(|kubeconfig| kubeconfig.contexts).unwrap_or_default();
    here.into_iter().chain(found.into_keys().filter(|name| name != config::NAME || file.is_some())).collect()
}

/// Whether the command is for this machine. The names of a cluster would take as long as the way there.
fn is_here(line: &Line<'_>) -> bool {
    match (line.value_of("context"), line.value_of("kubeconfig")) {
        (_, Some(_)) => false,
        (Some(context), None) => context == config::NAME,
        (None, None) => CurrentContext::read().is_ok_and(|chosen| chosen.context().is_none()),
    }
}

fn open(line: &Line<'_>) -> Option<Context> {
    if !is_here(line) {
        return None;
    }
    let global = Global {
        namespace: line.value_of("namespace").map(str::to_owned),
        data_dir: line.value_of("data-dir").map(PathBuf::from),
        warnings_as_errors: false,
        v: 0,
        context: None,
        kubeconfig: None,
        cluster: None,
        cluster_flags: String::new(),
        request_timeout: None,
        found: Arc::default(),
        chosen: Arc::default(),
        color: Color::Never,
    };
    Context::open(&global).ok()
}
