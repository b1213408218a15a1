//! `diff`: what `apply` would change.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::context::{Context, Global};
use super::failure::{text, while_doing};
use super::manifests::{self, Document, FileArgs};
use super::outcome::DryRun;
use super::output::{complain, warn_all};
use super::selection::Selectors;
use super::{apply, submit};
use crate::api::errno::errno_text;
use crate::api::kinds::{Key, Kind};
use crate::apiserver::{Creator, FieldValidation as Validate, Read as _, Update};
use crate::client::Requests;
use crate::manager::seed;
use crate::printers;
use crate::store::Table;

/// The exit code of an error: 1 says that there is a difference.
pub(super) const ERROR: u8 = 2;

/// Show what applying manifests would change
///
/// Exit codes: 0 where nothing would, 1 where something would, more than 1 for errors. The program of $KUBECTL_EXTERNAL_DIFF
/// compares in place of `diff -u -N`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    files: FileArgs,
    /// Label selector: only these documents
    #[arg(short = 'l', long)]
    selector: Option<String>,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
    /// Accepted for kubectl's sake: there are no managed fields
    #[arg(long, hide = true)]
    show_managed_fields: bool,
    /// Accepted for kubectl's sake: all objects are compared at once
    #[arg(long, hide = true)]
    concurrency: Option<i32>,
}

/// Compares what is stored with what would be.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let compared = compare(global, args);
    Ok(compared.unwrap_or_else(|error| {
        complain(&text(&error));
        ExitCode::from(ERROR)
    }))
}

/// An object before and after; what is not there has no text.
struct Pair {
    file: String,
    live: Option<String>,
    merged: String,
}

fn compare(global: &Global, args: &Args) -> Result<ExitCode> {
    args.files.require()?;
    let selectors = Selectors::parse(args.selector.as_deref(), None)?;
    let mut documents = manifests::read_validated(&args.files, Validate::Strict)?;
    documents.retain(|document| apply::is_selected(&selectors, document));
    // As a dry run of the server, none of which is committed: the lock is gone before anything is compared.
    let context = Context::open_to_create(global, DryRun::Server)?;
    let pairs = {
        let creator = context.client.creator(&[])?;
        let mut tables = vec![Table::CRON_JOBS, Table::JOBS, Table::NODES, Table::NAMESPACES, Table::PODS];
        tables.extend(documents.iter().flatten().map(|document| Table::from(document.kind)));
        let (_held, mut requests) = context.begin(&tables, DryRun::Server)?;
        let pair = |document: Result<Document>| {
            let mut document = document?;
            submit::set_namespace(&mut document, &context)?;
            pair(&document, &creator, &mut requests)
        };
        documents.into_iter().map(pair).collect::<Result<Vec<Pair>>>()?
    };
    let (live, merged) = (Directory::new("LIVE")?, Directory::new("MERGED")?);
    for pair in &pairs {
        if let Some(text) = &pair.live {
            live.put(&pair.file, text)?;
        }
        merged.put(&pair.file, &pair.merged)?;
    }
    run_program(&live.0, &merged.0)
}

fn pair(document: &Document, creator: &Creator, requests: &mut Requests<'_>) -> Result<Pair> {
    let object = submit::decode(document, Validate::Strict, "creating", requests)?;
    let (kind, key) = (document.kind, object.key());
    let current = requests.find(kind, &key)?.map(|found| found.value()).transpose()?;
    let Some(mut current) = current else {
        let doing = format!("error when creating {:?}", document.source);
        let answer =
            requests.create(object, &document.value, creator).map_err(|error| while_doing(error, &doing))?;
        warn_all(&answer.warnings);
        let key = answer.object.key();
        let mut merged = answer.shown()?;
        mask(kind, None, &mut merged);
        return Ok(Pair { file: file_name(kind, &key), live: None, merged: written(merged) });
    };
    let mut modified = document.value.clone();
    modified["apiVersion"] = json!(kind.api_version());
    let wanted = apply::merged(&modified, &current);
    let doing = format!("error when patching {:?}", document.source);
    let updated = requests
        .update(Update { manifest: Some((&document.value, creator)), ..Update::new(kind, &key, wanted) })
        .map_err(|error| while_doing(error, &doing))?;
    warn_all(&updated.warnings);
    let mut merged = updated.shown()?;
    // Each commit has another version, and there is none.
    merged["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
    mask(kind, Some(&mut current), &mut merged);
    Ok(Pair { file: file_name(kind, &key), live: Some(written(current)), merged: written(merged) })
}

/// `batch.v1.Job.default.pi`
fn file_name(kind: Kind, key: &Key) -> String {
    let version = kind.api_version().replace('/', ".");
    format!("{version}.{kind}.{}.{}", key.namespace, key.name)
}

fn written(mut object: Value) -> String {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    printers::yaml::to_string(&object)
}

/// Of a Secret one sees whether a value would change, not what it is.
fn mask(kind: Kind, live: Option<&mut Value>, merged: &mut Value) {
    if kind != Kind::Secret {
        return;
    }
    let mut none = Value::Null;
    let live = live.unwrap_or(&mut none);
    let before = live["data"].as_object().cloned().unwrap_or_default();
    let after = merged["data"].as_object().cloned().unwrap_or_default();
    for (key, value) in &before {
        let differs = after.get(key).is_some_and(|other| other != value);
        live["data"][key] = json!(if differs { "*** (before)" } else { "***" });
    }
    for (key, value) in &after {
        let differs = before.get(key).is_some_and(|other| other != value);
        merged["data"][key] = json!(if differs { "*** (after)" } else { "***" });
    }
}

/// A directory for the program that compares; gone when it has.
struct Directory(PathBuf);

impl Directory {
    fn new(prefix: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("{prefix}-{}", seed()));
        fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(Self(path))
    }

    fn put(&self, name: &str, text: &str) -> Result<()> {
        let path = self.0.join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("write {}", path.display()))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run_program(live: &Path, merged: &Path) -> Result<ExitCode> {
    let said = std::env::var("KUBECTL_EXTERNAL_DIFF").unwrap_or_default();
    let words = program(&said);
    let status = Command::new(&words[0]).args(&words[1..]).arg(live).arg(merged).status();
    match status {
        Ok(status) => Ok(ExitCode::from(status.code().map_or(ERROR, |code| code.clamp(0, 255) as u8))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("failed to run {:?}: executable file not found in $PATH", words[0])
        }
        Err(error) => bail!("failed to run {:?}: {}", words[0], errno_text(&error)),
    }
}

/// The program that compares, and its flags: of those that the variable says, kubectl takes plain ones alone.
fn program(said: &str) -> Vec<String> {
    let is_plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '=');
    let mut words = said.split(' ').filter(|word| !word.is_empty());
    match words.next() {
        None => ["diff", "-u", "-N"].map(str::to_owned).into(),
        Some(name) => std::iter::once(name).chain(words.filter(is_plain)).map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_that_of_the_variable() {
        for (said, expected) in [
            ("", vec!["diff", "-u", "-N"]),
            ("colordiff -N -u", vec!["colordiff", "-N", "-u"]),
            ("/bin/x  a=b $(evil) --c;d", vec!["/bin/x", "a=b"]),
        ] {
            assert_eq!(program(said), expected, "{said}");
        }
    }

    #[test]
    fn a_secret_tells_that_it_changes_and_not_what() {
        let mut live = json!({"data": {"same": "YQ==", "other": "YQ==", "gone": "YQ=="}});
        let mut merged = json!({"data": {"same": "YQ==", "other": "Yg==", "new": "Yg=="}});
        mask(Kind::Secret, Some(&mut live), &mut merged);
        assert_eq!(live, json!({"data": {"same": "***", "other": "*** (before)", "gone": "***"}}));
        assert_eq!(merged, json!({"data": {"same": "***", "other": "*** (after)", "new": "***"}}));
    }
}
