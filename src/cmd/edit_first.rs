//! `create --edit`: manifests in an editor before anything is created.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::editor::Edited;
use super::manifests::{self, Document, FileArgs};
use super::output::complain;
use crate::apiserver::FieldValidation as Validate;
use crate::printers;

const HEADER: &str = "# Please edit what is to be created. Lines beginning with a '#' will be ignored, and an empty file\n\
                      # creates nothing.\n#\n";

/// Shows documents to the editor, as JSON or YAML, and hands what it leaves to `create`. What cannot be created is kept in the
/// file.
///
/// # Errors
/// Documents that do not read, before and after; those of `create`.
pub(super) fn create_edited(
    documents: Vec<Result<Document>>,
    is_json: bool,
    validate: Validate,
    create: impl FnOnce(Vec<Result<Document>>) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let values = documents.into_iter().map(|one| Ok(one?.value)).collect::<Result<Vec<Value>>>()?;
    let value = match values.as_slice() {
        [one] => one.clone(),
        several => json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": several}),
    };
    let (text, extension) = if is_json {
        (printers::json::to_string(&value), "json")
    } else {
        (HEADER.to_owned() + &printers::yaml::to_string(&value), "yaml")
    };
    let file = Edited::new(&text, extension)?;
    let bare =
        |text: &str| -> String { text.split_inclusive('\n').filter(|line| !line.starts_with('#')).collect() };
    let edited = bare(&file.edit()?);
    if edited == bare(&text) {
        complain("Edit cancelled, no changes made.");
        return Ok(ExitCode::SUCCESS);
    }
    if edited.trim().is_empty() {
        complain("Edit cancelled, saved file was empty.");
        return Ok(ExitCode::SUCCESS);
    }
    let done = created(&file, validate, create);
    if !matches!(&done, Ok(code) if *code == ExitCode::SUCCESS) {
        complain(&format!("A copy of your changes has been stored to {:?}", file.keep()));
    }
    done
}

fn created(
    file: &Edited,
    validate: Validate,
    create: impl FnOnce(Vec<Result<Document>>) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let files = FileArgs::of(&[file.path().display().to_string()]);
    let documents = manifests::read_validated(&files, validate)?;
    if documents.is_empty() {
        bail!("no objects passed to create");
    }
    create(documents)
}
