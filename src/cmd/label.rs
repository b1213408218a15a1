//! `label` and `annotate`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::change::{self, ChangeArgs, Changed, Part};
use super::context::{Context, Global};
use super::output::say;
use super::selection::{self, Selectors};
use super::{local, manifests};
use crate::api::status_error::StatusError;
use crate::api::validation::label_problems;

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
    #[arg(long, num_args = 0..=1, default_value = "false", default_missing_value = "true", require_equals = true, action = clap::ArgAction::Set)]
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
    let first = args.arguments.iter().position(|word| word.contains('=') || word.ends_with('-'));
    let (resources, words) = args.arguments.split_at(first.unwrap_or(args.arguments.len()));
    let edits = Edits::parse(words, what)?;
    if args.list && edits.is_empty() {
        return list(global, resources, args, what);
    }
    if edits.is_empty() {
        bail!("at least one {} update is required", what.singular());
    }
    if args.local {
        return local::run(&args.change, |object| edits.apply(object, args.overwrite, what));
    }
    change::run(global, resources, &args.change, what.verb(), Part::Main, |found| {
        let current = found.value()?;
        if let Some(version) = &args.resource_version
            && current["metadata"]["resourceVersion"] != json!(version)
        {
            return Err(StatusError::conflict(found.kind, &found.key.name).into());
        }
        let (value, said) = edits.apply(&current, args.overwrite, what)?;
        Ok(Changed { value, said })
    })
}

/// Prints what objects have, as KEY=VALUE lines.
fn list(global: &Global, resources: &[String], args: &PairArgs, what: What) -> Result<ExitCode> {
    let targets = manifests::targets(resources, &args.change.files, what.verb())?;
    let selectors = Selectors::parse(args.change.selector.as_deref(), args.change.field_selector.as_deref())?;
    let context = Context::open(global)?;
    let (state, _) = context.store.read(&selection::tables(&targets))?;
    let (found, missing) = selection::resolve(&state, &targets, &context.namespace, false, &selectors)?;
    if let Some(error) = missing.into_iter().next() {
        return Err(error);
    }
    for one in &found {
        let indent = if found.len() > 1 {
            say(&format!(
                "Listing {} for {}/{}:",
                what.field(),
                one.kind.qualified_singular(),
                one.key.name
            ))?;
            " "
        } else {
            ""
        };
        let value = one.value()?;
        for (key, value) in value["metadata"][what.field()].as_object().into_iter().flatten() {
            say(&format!("{indent}{key}={}", value.as_str().unwrap_or_default()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
                    if let Some(problem) = label_problems(key, value) {
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
            bail!(
                "can not both modify and remove a{} {} in the same command: {both}",
                article(what),
                what.singular()
            );
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
            if after.remove(key).is_none() && what == What::Labels {
                say(&format!("label {key:?} not found."))?;
            }
        }
        let said = match what {
            What::Annotations => "annotated",
            What::Labels if after == *before => "not labeled",
            What::Labels if !overwrite && after.len() < before.len() => "unlabeled",
            What::Labels => "labeled",
        };
        let mut changed = object.clone();
        if let Value::Object(metadata) = &mut changed["metadata"] {
            if after.is_empty() {
                metadata.remove(what.field());
            } else {
                metadata.insert(what.field().into(), Value::Object(after));
            }
        }
        Ok((changed, said.into()))
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
        match (clashes.first(), what) {
            (None, _) => Ok(()),
            (Some(first), What::Labels) => bail!("{first}, and --overwrite is false"),
            (Some(_), What::Annotations) => bail!(
                "--overwrite is false but found the following declared annotation(s): {}",
                clashes.join("; ")
            ),
        }
    }
}

fn article(what: What) -> &'static str {
    if what == What::Annotations { "n" } else { "" }
}
