//! `edit`: objects in an editor, and what has been changed of them into the store.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::context::{Context, Global};
use super::delete::require_targets;
use super::editor::Edited;
use super::failure::{text, verbatim};
use super::manifests::{self, FileArgs};
use super::outcome::DryRun;
use super::output::{complain, say, warn_all};
use super::resources::Target;
use super::selection::{self, Selectors};
use super::submit;
use crate::api::decode;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::apiserver::{FieldValidation as Validate, Read as _, Subresource, Update};
use crate::printers;
use crate::registry::apply::{three_way, with_last_applied};
use crate::registry::merge::json_merge_difference;

/// Edit objects in an editor: that of KUBE_EDITOR or EDITOR, otherwise vi
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    files: FileArgs,
    /// Output format: json or yaml, of what is edited
    #[arg(short, long, default_value = "yaml")]
    output: String,
    /// Print what the changes are
    #[arg(long)]
    output_patch: bool,
    /// Keep what has been edited in the object's annotation, so that apply can be used later
    #[arg(long)]
    save_config: bool,
    /// Must be one of: strict (or true), warn, ignore (or false): what to do about unknown fields
    #[arg(long, num_args = 0..=1, default_value = "strict", default_missing_value = "strict", require_equals = true)]
    validate: Validate,
    /// End lines as Windows does
    #[arg(long)]
    windows_line_endings: bool,
    /// Must be "status": what is to be changed in place of the rest
    #[arg(long)]
    subresource: Option<String>,
    /// Accepted for kubectl's sake: who manages a field is not recorded
    #[arg(long, hide = true)]
    field_manager: Option<String>,
}

/// What stands above what is edited.
const HEADER: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,\n\
                      # and an empty file will abort the edit. If an error occurs while saving this file will be\n\
                      # reopened with the relevant failures.\n#\n";

/// An object that is edited, as it was when the editor was started.
struct Original {
    kind: Kind,
    key: Key,
    value: Value,
}

/// Edits objects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    if !["yaml", "json"].contains(&args.output.as_str()) {
        bail!(
            "unable to match a printer suitable for the output format {:?}, allowed formats are: json,yaml",
            args.output
        );
    }
    let subresource = super::change::subresource(args.subresource.as_deref())?;
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    if targets.is_empty() {
        require_targets(&targets, false, &Selectors::none())?;
    }
    let context = Context::open(global)?;
    let originals = read(&context, &targets)?;
    if originals.is_empty() {
        bail!("edit cancelled, no objects found");
    }
    let session = Session { args, context: &context, subresource };
    session.run(originals)
}

fn read(context: &Context, targets: &[Target]) -> Result<Vec<Original>> {
    let reader = context.client.read(&selection::tables(targets))?;
    let (found, missing) =
        selection::resolve(&reader, targets, &context.namespace, false, &Selectors::none())?;
    if let Some(error) = missing.into_iter().next() {
        return Err(error);
    }
    let original = |one: &selection::Found<'_>| {
        let mut value = one.value()?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        Ok(Original { kind: one.kind, key: Key::clone(&one.key), value })
    };
    found.iter().map(original).collect()
}

/// What has come of one go at an object.
enum Saved {
    /// Stored, with what is said of it.
    Done(String),
    /// Refused: what the editor is to show.
    Refused(String),
}

struct Session<'a> {
    args: &'a Args,
    context: &'a Context,
    subresource: Subresource,
}

impl Session<'_> {
    fn run(&self, mut originals: Vec<Original>) -> Result<ExitCode> {
        let mut reasons = String::new();
        let mut before = String::new();
        let mut shown = self.shown(&originals);
        let first = shown.clone();
        loop {
            let text = self.with_line_endings(&self.with_header(&reasons, &shown));
            let file = Edited::new(&text, &self.args.output)?;
            let bare = without_comments(&file.edit()?.replace("\r\n", "\n"));
            // Saved once more as it was refused: there is no getting on.
            if !reasons.is_empty() && bare == before {
                complain(&format!("A copy of your changes has been stored to {:?}", file.keep()));
                bail!("Edit cancelled, no valid changes were saved.");
            }
            if bare == first {
                complain("Edit cancelled, no changes made.");
                return Ok(ExitCode::SUCCESS);
            }
            if bare.trim().is_empty() {
                complain("Edit cancelled, saved file was empty.");
                return Ok(ExitCode::SUCCESS);
            }
            let refused = match self.matched(&bare, &originals) {
                Err(problem) => vec![problem],
                Ok(values) => self.save_all(&mut originals, &values, file)?,
            };
            if refused.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            reasons = refused.join("\n");
            shown = bare.clone();
            before = bare;
        }
    }

    /// Saves what has been changed; returns what the editor is to be shown again for.
    fn save_all(&self, originals: &mut Vec<Original>, values: &[Value], file: Edited) -> Result<Vec<String>> {
        let mut refused = Vec::new();
        let mut left = Vec::new();
        for (original, edited) in std::mem::take(originals).into_iter().zip(values) {
            match self.save(&original, edited) {
                Ok(Saved::Done(line)) => {
                    say(&line)?;
                    // It is not saved twice, however often the others are edited.
                    left.push(Original { value: edited.clone(), ..original });
                }
                Ok(Saved::Refused(reason)) => {
                    refused.push(reason);
                    left.push(original);
                }
                Err(error) => {
                    complain(&text(&error));
                    complain(&format!("A copy of your changes has been stored to {:?}", file.keep()));
                    return Err(verbatim(""));
                }
            }
        }
        *originals = left;
        Ok(refused)
    }

    /// The edited objects, each in the place of its original.
    fn matched(&self, text: &str, originals: &[Original]) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        for parsed in decode::documents(text.as_bytes()) {
            let parsed = parsed.map_err(|error| format!("The edited file had a syntax error: {error}"))?;
            found.extend(decode::flatten(parsed).into_iter().map(|parsed| parsed.value));
        }
        let changed = "At least one of apiVersion, kind and name was changed";
        let find = |original: &Original| {
            let of = |value: &Value| {
                let namespace = value["metadata"].get("namespace").cloned().unwrap_or_default();
                [&value["kind"], &value["apiVersion"], &value["metadata"]["name"], &namespace]
                    .map(Value::to_string)
            };
            let wanted = of(&original.value);
            found.iter().find(|value| of(value) == wanted).cloned().ok_or_else(|| changed.to_owned())
        };
        if found.len() != originals.len() {
            return Err(changed.to_owned());
        }
        originals.iter().map(find).collect()
    }

    fn save(&self, original: &Original, edited: &Value) -> Result<Saved> {
        let (kind, key) = (original.kind, &original.key);
        let object = format!("{}/{}", kind.qualified_singular(), key.name);
        if original.value == *edited {
            return Ok(Saved::Done(format!("{object} skipped")));
        }
        let (_held, mut requests) =
            self.context.begin(&selection::tables(&[Target::Object(kind, key.clone())]), DryRun::None)?;
        requests.validate_as(self.args.validate);
        match submit::known_fields(kind, edited, self.args.validate, &requests)? {
            Ok(answer) => warn_all(&answer.warnings),
            Err(error) => return Ok(refused(kind, key, &error)),
        }
        let wanted = match self.args.save_config {
            true => with_last_applied(edited),
            false => edited.clone(),
        };
        if self.args.output_patch {
            say(&format!("Patch: {}", json_merge_difference(&original.value, &wanted)))?;
        }
        let current = requests.get(kind, key)?.value()?;
        // Only what has been edited is changed: what others have changed meanwhile stays.
        let mut merged = three_way(Some(&original.value), &wanted, &current);
        if original.value["metadata"]["resourceVersion"] == edited["metadata"]["resourceVersion"] {
            merged["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
        }
        let update = Update { subresource: self.subresource, ..Update::new(kind, key, merged) };
        match requests.update(update) {
            Ok(updated) => {
                warn_all(&updated.warnings);
                requests.commit()?;
                Ok(Saved::Done(format!("{object} edited")))
            }
            Err(error) => match error.downcast_ref::<StatusError>() {
                Some(
                    status @ (StatusError::Invalid { .. }
                    | StatusError::Unprocessable { .. }
                    | StatusError::BadRequest { .. }
                    | StatusError::Forbidden { .. }),
                ) => Ok(refused(kind, key, status)),
                _ => Err(error),
            },
        }
    }

    fn shown(&self, originals: &[Original]) -> String {
        let value = match originals {
            [single] => single.value.clone(),
            several => {
                let items: Vec<&Value> = several.iter().map(|original| &original.value).collect();
                json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items})
            }
        };
        match self.args.output.as_str() {
            "json" => printers::json::to_string(&value),
            _ => printers::yaml::to_string(&value),
        }
    }

    /// JSON has no comments; what was wrong is said on stderr in any case.
    fn with_header(&self, reasons: &str, shown: &str) -> String {
        if self.args.output == "json" {
            return shown.to_owned();
        }
        let mut text = HEADER.to_owned();
        for line in reasons.lines() {
            text.push_str(&format!("# {line}\n"));
        }
        if !reasons.is_empty() {
            text.push_str("#\n");
        }
        text + shown
    }

    fn with_line_endings(&self, text: &str) -> String {
        if self.args.windows_line_endings { text.replace('\n', "\r\n") } else { text.to_owned() }
    }
}

/// Says that an object was refused, and why, for the editor.
fn refused(kind: Kind, key: &Key, status: &StatusError) -> Saved {
    let resource = kind.qualified_plural();
    match status {
        StatusError::Invalid { causes, .. } => {
            complain(&format!("error: {resource} {:?} is invalid", key.name));
            let causes: String = causes.iter().map(|cause| format!("\n* {cause}")).collect();
            Saved::Refused(format!("{resource} {:?} was not valid:{causes}", key.name))
        }
        status => {
            let reason = format!("{resource} {:?} could not be patched: {}", key.name, status.message());
            complain(&format!("error: {reason}"));
            Saved::Refused(reason)
        }
    }
}

fn without_comments(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect()
}
