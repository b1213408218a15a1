//! `label` and `annotate`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::change::{self, ChangeArgs, Changed};
use super::context::{Context, Global};
use super::failure::verbatim;
use super::outcome::DryRun;
use super::output::say;
use super::selection::{self, Selectors};
use super::{local, manifests};
use crate::api::status_error::StatusError;
use crate::api::validation::label_value_problems;
use crate::apiserver::Subresource;

/// Set or remove labels
#[derive(Debug, clap::Args)]
pub(super) struct LabelArgs {
    #[command(flatten)]
    pairs: PairArgs,
}

/// Set or remove annotations
#[derive(Debug, clap::Args)]
pub(super) struct AnnotateArgs {
    #[command(flatten)]
    pairs: PairArgs,
}

/// What both verbs are told
#[derive(Debug, clap::Args)]
struct PairArgs {
    /// TYPE NAME… or TYPE/NAME…, then KEY=VALUE to set and KEY- to remove
    #[arg(value_name = "TYPE[/NAME] | KEY=VALUE | KEY-")]
    arguments: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// Replace values that are there
    #[arg(long)]
    overwrite: bool,
    /// Show what the object has
    #[arg(long)]
    list: bool,
    /// Only if the object has this version
    #[arg(long)]
    resource_version: Option<String>,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// The words in which the two verbs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Labels,
    Annotations,
}

impl What {
    fn field(self) -> &'static str {
        if self == Self::Labels { "labels" } else { "annotations" }
    }

    fn singular(self) -> &'static str {
        if self == Self::Labels { "label" } else { "annotation" }
    }

    /// What kubectl calls a file in its examples.
    fn example(self) -> &'static str {
        if self == Self::Labels { "pod" } else { "rsrc" }
    }

    fn verb(self) -> &'static str {
        if self == Self::Labels { "label" } else { "annotate" }
    }
}

/// Sets and removes labels.
pub(super) fn label(global: &Global, args: &LabelArgs) -> Result<ExitCode> {
    run(global, &args.pairs, What::Labels)
}

/// Sets and removes annotations.
pub(super) fn annotate(global: &Global, args: &AnnotateArgs) -> Result<ExitCode> {
    run(global, &args.pairs, What::Annotations)
}

fn run(global: &Global, args: &PairArgs, what: What) -> Result<ExitCode> {
    let (resources, words) = resources_and_edits(&args.arguments, what)?;
    let edits = Edits::parse(words, what)?;
    check(args, resources, what)?;
    if args.list && args.local {
        for object in local::read(&args.change)? {
            let (changed, _) = edits.apply(&object, args.overwrite, what)?;
            say_pairs(&changed, "", what)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.list {
        return list(global, resources, args, &edits, what);
    }
    if edits.is_empty() {
        bail!("at least one {} update is required", what.singular());
    }
    if args.local {
        return local::run(&args.change, |object| edits.apply(object, args.overwrite, what));
    }
    change::run(global, resources, &args.change, what.verb(), Subresource::Main, |found| {
        let current = found.value()?;
        if let Some(version) = &args.resource_version
            && current["metadata"]["resourceVersion"] != json!(version)
        {
            return Err(StatusError::conflict(found.kind, &found.key.name).into());
        }
        let (value, said) = edits.apply(&current, args.overwrite, what)?;
        if what == What::Labels && args.change.dry_run != DryRun::Client {
            edits.say_missing(&current)?;
        }
        Ok(Changed::new(value, said))
    })
}

/// Objects come first, then what is to be changed of them.
fn resources_and_edits(words: &[String], what: What) -> Result<(&[String], &[String])> {
    let is_edit = |word: &String| {
        (word.contains('=') && !word.starts_with('=')) || (word.ends_with('-') && word != "-")
    };
    let first = words.iter().position(is_edit).unwrap_or(words.len());
    let (resources, edits) = words.split_at(first);
    match edits.iter().find(|word| !is_edit(word)) {
        Some(late) => bail!("all resources must be specified before {} changes: {late}", what.singular()),
        None => Ok((resources, edits)),
    }
}

/// Arguments that do not go together, in kubectl's words.
fn check(args: &PairArgs, resources: &[String], what: What) -> Result<()> {
    let change = &args.change;
    let example = what.example();
    if args.list && change.output.given().is_some() {
        bail!("--list and --output may not be specified together");
    }
    if change.all && change.selector.is_some() {
        bail!("cannot set --all and --selector at the same time");
    }
    if !args.local {
        if resources.is_empty() && change.files.is_empty() {
            bail!("one or more resources must be specified as <resource> <name> or <resource>/<name>");
        }
        return Ok(());
    }
    local::check(change)?;
    if !resources.is_empty() {
        bail!(
            "can only use local files by -f {example}.yaml or --filename={example}.json when --local=true is set"
        );
    }
    if change.files.is_empty() {
        bail!("one or more files must be specified as -f {example}.yaml or --filename={example}.json");
    }
    Ok(())
}

/// Prints what objects have, or would have after the edits, as KEY=VALUE lines; nothing is stored.
fn list(
    global: &Global,
    resources: &[String],
    args: &PairArgs,
    edits: &Edits,
    what: What,
) -> Result<ExitCode> {
    let targets = manifests::targets(resources, &args.change.files, global)?;
    let selectors = Selectors::parse(args.change.selector.as_deref(), args.change.field_selector.as_deref())?;
    let context = Context::open(global)?;
    let reader = context.client.read(&selection::tables(&targets))?;
    let (found, missing) = selection::resolve(&reader, &targets, &context.namespace, false, &selectors)?;
    if let Some(error) = missing.into_iter().next() {
        return Err(error);
    }
    for one in &found {
        let indent = if found.len() > 1 {
            let gvk = (one.kind.as_str(), one.kind.resource().group);
            say(&format!("Listing {} for {}.{}/{}:", what.field(), gvk.0, gvk.1, one.key.name))?;
            " "
        } else {
            ""
        };
        let (changed, _) = edits.apply(&one.value()?, args.overwrite, what)?;
        say_pairs(&changed, indent, what)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn say_pairs(object: &Value, indent: &str, what: What) -> Result<()> {
    for (key, value) in object["metadata"][what.field()].as_object().into_iter().flatten() {
        say(&format!("{indent}{key}={}", value.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

/// `KEY=VALUE` and `KEY-`.
#[derive(Debug, Default)]
struct Edits {
    set: BTreeMap<String, String>,
    removed: Vec<String>,
}

impl Edits {
    fn parse(words: &[String], what: What) -> Result<Self> {
        let mut edits = Self::default();
        for word in words {
            if let Some((key, value)) = word.split_once('=').filter(|(key, _)| !key.is_empty()) {
                if what == What::Labels {
                    if value.contains('=') {
                        bail!("invalid label spec: {word}");
                    }
                    // The key is the API server's to judge.
                    if let Some(problem) = label_value_problems(value) {
                        bail!("invalid label value: {word:?}: {problem}");
                    }
                }
                edits.set.insert(key.to_owned(), value.to_owned());
            } else if let Some(key) = word.strip_suffix('-').filter(|key| !key.is_empty()) {
                edits.removed.push(key.to_owned());
            } else {
                bail!("unknown {} spec: {word}", what.singular());
            }
        }
        if let Some(both) = edits.removed.iter().find(|key| edits.set.contains_key(*key)) {
            match what {
                What::Labels => bail!("can not both modify and remove a label in the same command"),
                What::Annotations => bail!(
                    "can not both modify and remove the following annotation(s) in the same command: {both}"
                ),
            }
        }
        Ok(edits)
    }

    fn is_empty(&self) -> bool {
        self.set.is_empty() && self.removed.is_empty()
    }

    /// The changed object, and what is said of it.
    fn apply(&self, object: &Value, overwrite: bool, what: What) -> Result<(Value, String)> {
        let empty = Map::new();
        let before = object["metadata"][what.field()].as_object().unwrap_or(&empty);
        if !overwrite {
            self.refuse_clash(before, what)?;
        }
        let mut after = before.clone();
        for (key, value) in &self.set {
            after.insert(key.clone(), json!(value));
        }
        for key in &self.removed {
            after.remove(key);
        }
        let is_same = after == *before;
        let mut changed = object.clone();
        if let Value::Object(metadata) = &mut changed["metadata"] {
            if after.is_empty() {
                metadata.remove(what.field());
            } else {
                metadata.insert(what.field().into(), Value::Object(after));
            }
        }
        let said = match what {
            What::Annotations => "annotated",
            What::Labels if is_same => "not labeled",
            // kubectl, too, calls by this name whatever makes the object's text shorter.
            What::Labels if !overwrite && changed.to_string().len() < object.to_string().len() => "unlabeled",
            What::Labels => "labeled",
        };
        Ok((changed, said.into()))
    }

    /// Says which labels cannot be removed because they are not there.
    fn say_missing(&self, object: &Value) -> Result<()> {
        let labels = &object["metadata"]["labels"];
        self.removed
            .iter()
            .filter(|key| labels.get(key.as_str()).is_none())
            .try_for_each(|key| say(&format!("label {key:?} not found.")))
    }

    fn refuse_clash(&self, before: &Map<String, Value>, what: What) -> Result<()> {
        let clashes: Vec<String> = self
            .set
            .iter()
            .filter_map(|(key, value)| {
                let old = before.get(key)?.as_str().unwrap_or_default();
                (old != value).then(|| format!("'{key}' already has a value ({old})"))
            })
            .collect();
        match (clashes.as_slice(), what) {
            ([], _) => Ok(()),
            ([single], What::Labels) => bail!("{single}, and --overwrite is false"),
            (several, What::Labels) => Err(verbatim(
                several
                    .iter()
                    .map(|clash| format!("{clash}, and --overwrite is false"))
                    .collect::<Vec<_>>()
                    .join("\n"),
            )),
            (_, What::Annotations) => bail!(
                "--overwrite is false but found the following declared annotation(s): {}",
                clashes.join("; ")
            ),
        }
    }
}
