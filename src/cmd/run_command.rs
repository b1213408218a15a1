//! A Job of `run` from the command line: one program, or one for each item of a list.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::thread::available_parallelism;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::create::sources::{unreadable, variables};
use super::failure::verbatim;
use super::items_file::{self, ListFormat};
use super::manifests::Document;
use super::run::TAKES;
use crate::api::items::{self, Item, ItemsMap};
use crate::api::kinds::Kind;
use crate::api::meta::ANNOTATION_ITEMS;
use crate::controller::pods::generated_name;

/// The longest beginning of a name that is made of the program's: what pods and ConfigMaps add must fit.
const LONGEST_BASE: usize = 30;

/// What a Job from the command line is made of
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct CommandArgs {
    /// The Job's name; without one it is made of the program's
    #[arg(value_name = "NAME")]
    pub(super) words: Vec<String>,
    /// A variable of the containers, as NAME=VALUE
    #[arg(long, short = 'e', value_name = "NAME=VALUE")]
    pub(super) env: Vec<String>,
    /// A file with a line NAME=VALUE for each variable
    #[arg(long, value_name = "FILE")]
    env_file: Vec<String>,
    /// How often a pod that fails is started once more; of a list, each index
    #[arg(long, value_name = "N")]
    pub(super) restart: Option<String>,
    /// Labels of the Job and its pods, as NAME=VALUE,NAME=VALUE
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub(super) labels: Vec<String>,
    /// An Indexed Job with a pod for each line of this file; `{}` in the command, and $ITEM, stand for the line, of CSV and
    /// JSON lines {COLUMN} and $COLUMN for a column. `-` is standard input
    #[arg(long, value_name = "FILE")]
    array_from: Option<String>,
    /// How the list is written; without it the file's name tells: .csv, .jsonl, and lines otherwise
    #[arg(long, value_enum, value_name = "FORMAT", requires = "array_from")]
    array_format: Option<ListFormat>,
    /// With --array-from: how many pods run at a time; as many as there are CPUs
    #[arg(short = 'P', long, value_name = "N", requires = "array_from")]
    parallelism: Option<u32>,
    /// The command and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// A Job, and the ConfigMaps that are to belong to it.
pub(super) struct CommandJob {
    pub(super) job: Document,
    pub(super) config_maps: Vec<Document>,
}

impl CommandArgs {
    /// Whether there is anything of a Job in it.
    pub(super) fn is_given(&self) -> bool {
        !self.words.is_empty() || !self.command.is_empty()
    }

    /// Refuses what a Pod of `--image` cannot have.
    ///
    /// # Errors
    /// The first such flag.
    pub(super) fn refuse_for_pods(&self) -> Result<()> {
        let given = [("--env-file", !self.env_file.is_empty()), ("--array-from", self.array_from.is_some())];
        match given.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => bail!("{flag} is for Jobs, and --image makes a Pod"),
            None => Ok(()),
        }
    }

    /// The Job as a manifest would have it.
    ///
    /// # Errors
    /// Flags that say nothing sensible; a list that cannot be read.
    pub(super) fn job(&self, random: &mut fastrand::Rng) -> Result<CommandJob> {
        if let [_, more @ ..] = self.words.as_slice()
            && !more.is_empty()
        {
            let help = "See 'jobctl run -h' for help and examples";
            return Err(verbatim(format!("error: Unexpected args: [{}]\n{help}\n{TAKES}", more.join(" "))));
        }
        let name = self.words.first();
        let Some(program) = self.command.first() else {
            bail!("a command is required: jobctl run {} -- COMMAND", name.map_or("NAME", String::as_str));
        };
        let name = name.cloned().unwrap_or_else(|| generated_name(&base_of(program), random));
        let mut container = json!({"name": "main", "command": self.command});
        let env = self.variables()?;
        if !env.is_empty() {
            container["env"] = Value::Array(env);
        }
        let mut template = json!({"spec": {"containers": [container], "restartPolicy": "Never"}});
        let mut job = json!({
            "apiVersion": Kind::Job.api_version(),
            "kind": Kind::Job.as_str(),
            "metadata": {"name": name},
            "spec": {},
        });
        let labels = labels(&self.labels)?;
        if !labels.is_empty() {
            job["metadata"]["labels"] = json!(labels);
            template["metadata"]["labels"] = json!(labels);
        }
        let restarts = self.restarts()?;
        let mut config_maps = Vec::new();
        match &self.array_from {
            None => job["spec"]["backoffLimit"] = json!(restarts),
            Some(list) => {
                let items = read_items(list, self.array_format)?;
                // Of its own, so that the list of an earlier Job of the name may still be there.
                let prefix = generated_name(&format!("{name}-items-"), random);
                let (place, maps) = items::divide(&prefix, &items);
                job["spec"]["completionMode"] = json!("Indexed");
                job["spec"]["completions"] = json!(items.len());
                job["spec"]["parallelism"] = json!(self.at_a_time(items.len())?);
                job["spec"]["backoffLimitPerIndex"] = json!(restarts);
                template["metadata"]["annotations"] = json!({ANNOTATION_ITEMS: place.text()});
                config_maps = maps.iter().map(config_map).collect();
            }
        }
        job["spec"]["template"] = template;
        Ok(CommandJob { job: document(Kind::Job, job), config_maps })
    }

    fn variables(&self) -> Result<Vec<Value>> {
        let mut env = Vec::new();
        for path in &self.env_file {
            let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
            env.extend(variables(&bytes, path)?);
        }
        for given in &self.env {
            match given.split_once('=').filter(|(name, _)| !name.is_empty()) {
                Some((name, value)) => env.push((name.to_owned(), value.to_owned())),
                None => bail!("invalid env: {given}"),
            }
        }
        Ok(env.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect())
    }

    fn restarts(&self) -> Result<u32> {
        let Some(text) = &self.restart else { return Ok(0) };
        text.parse().map_err(|_| {
            anyhow::anyhow!(
                "--restart: {text:?} is no number of restarts; Always, OnFailure and Never are for pods (run --image)"
            )
        })
    }

    fn at_a_time(&self, items: usize) -> Result<usize> {
        let wanted = match self.parallelism {
            Some(0) => bail!("--parallelism must be at least 1"),
            Some(number) => usize::try_from(number)?,
            None => available_parallelism().map_or(1, usize::from),
        };
        Ok(wanted.min(items))
    }
}

/// A beginning for names, of the program's.
fn base_of(program: &str) -> String {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let letters = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let base: String = letters.skip_while(|c| *c == '-').take(LONGEST_BASE).collect();
    let base = base.trim_end_matches('-');
    // A name of a pod begins with a letter, for the sake of Services.
    match base.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => format!("{base}-"),
        Some(_) => format!("run-{base}-"),
        None => "run-".into(),
    }
}

fn labels(given: &[String]) -> Result<BTreeMap<&str, &str>> {
    given
        .iter()
        .flat_map(|several| several.split(','))
        .map(|one| one.split_once('=').with_context(|| format!("unexpected label spec: {one}")))
        .collect()
}

fn read_items(path: &str, format: Option<ListFormat>) -> Result<Vec<Item>> {
    let mut bytes = Vec::new();
    if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).context("read standard input")?;
    } else {
        bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    }
    let text = String::from_utf8(bytes).with_context(|| format!("--array-from {path}: it is no text"))?;
    items_file::parse(&text, format.unwrap_or_else(|| ListFormat::of(path)))
        .with_context(|| format!("--array-from {path}"))
}

fn config_map(map: &ItemsMap) -> Document {
    let value = json!({
        "apiVersion": Kind::ConfigMap.api_version(),
        "kind": Kind::ConfigMap.as_str(),
        "metadata": {"name": map.name},
        "immutable": true,
        "data": map.data,
    });
    document(Kind::ConfigMap, value)
}

fn document(kind: Kind, value: Value) -> Document {
    Document { source: "command line".into(), value, kind, duplicate_fields: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_programs() {
        assert_eq!(base_of("/usr/bin/Python3.11"), "python3-11-");
        assert_eq!(base_of("./_x_"), "x-");
        assert_eq!(base_of("7z"), "run-7z-");
        assert_eq!(base_of("…"), "run-");
        assert_eq!(base_of(&"a".repeat(90)).len(), LONGEST_BASE + 1);
    }
}
