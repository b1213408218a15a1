//! What a verb that changes objects says of each: one line, or the object.

use std::str::FromStr;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::output::{print, say};
use crate::api::kinds::Kind;
use crate::printers;
use crate::printers::jsonpath::Template;

/// `--dry-run`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum DryRun {
    #[default]
    None,
    Client,
    Server,
}

impl FromStr for DryRun {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "none" | "false" => Ok(Self::None),
            "client" | "true" | "unchanged" => Ok(Self::Client),
            "server" => Ok(Self::Server),
            _ => Err(format!("Invalid dry-run value ({text}). Must be \"none\", \"server\", or \"client\".")),
        }
    }
}

impl DryRun {
    /// What follows a line that tells of something that was not done.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Client => " (dry run)",
            Self::Server => " (server dry run)",
        }
    }
}

/// Prints what became of objects.
#[derive(Debug)]
pub(super) struct Outcomes {
    format: Option<Format>,
    dry_run: DryRun,
    /// Objects that are to be printed together.
    gathered: Option<Vec<Value>>,
    any_printed: bool,
}

#[derive(Debug)]
enum Format {
    Name,
    Json,
    Yaml,
    JsonPath(Template),
}

impl Outcomes {
    /// `format` is what `-o` said.
    ///
    /// # Errors
    /// An output format that these verbs do not have.
    pub(super) fn new(format: Option<&str>, dry_run: DryRun) -> Result<Self> {
        let format = match format {
            None | Some("") => None,
            Some("name") => Some(Format::Name),
            Some("json") => Some(Format::Json),
            Some("yaml") => Some(Format::Yaml),
            Some(other) => match other.strip_prefix("jsonpath=") {
                Some(template) => Some(Format::JsonPath(
                    Template::parse(template).map_err(|error| anyhow::anyhow!("{error}"))?,
                )),
                None => bail!(
                    "unable to match a printer suitable for the output format {other:?}, allowed formats are: \
                     json,jsonpath,name,yaml"
                ),
            },
        };
        Ok(Self { format, dry_run, gathered: None, any_printed: false })
    }

    /// Whether objects are printed, and not only their names.
    pub(super) fn shows_objects(&self) -> bool {
        !matches!(self.format, None | Some(Format::Name))
    }

    /// Several objects are printed as one List, not one after another.
    pub(super) fn listed(self) -> Self {
        Self { gathered: Some(Vec::new()), ..self }
    }

    /// Says that something has been done to an object; `object` is asked for only where it is printed.
    ///
    /// # Errors
    /// Nobody reads.
    pub(super) fn done(
        &mut self,
        kind: Kind,
        name: &str,
        what: &str,
        object: impl FnOnce() -> Result<Value>,
    ) -> Result<()> {
        self.done_to(&kind.qualified_singular(), name, what, object)
    }

    /// As [`Outcomes::done`], for a resource of any name.
    ///
    /// # Errors
    /// Nobody reads.
    pub(super) fn done_to(
        &mut self,
        resource: &str,
        name: &str,
        what: &str,
        object: impl FnOnce() -> Result<Value>,
    ) -> Result<()> {
        // What has only a generateName gets its name when it is stored.
        let name = if name.is_empty() { "<unknown>" } else { name };
        match &self.format {
            None => say(&format!("{resource}/{name} {what}{}", self.dry_run.suffix())),
            Some(Format::Name) => say(&format!("{resource}/{name}")),
            Some(Format::JsonPath(template)) => {
                print(&template.execute(&object()?).map_err(|error| anyhow::anyhow!("{error}"))?)
            }
            Some(Format::Json | Format::Yaml) => {
                let mut object = object()?;
                // Who manages which field is a page by itself, and kubectl leaves it out.
                if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                    metadata.remove("managedFields");
                }
                match &mut self.gathered {
                    Some(gathered) => gathered.push(object),
                    None => self.print(&object)?,
                }
                Ok(())
            }
        }
    }

    fn print(&mut self, object: &Value) -> Result<()> {
        let text = match self.format {
            Some(Format::Yaml) if self.any_printed => format!("---\n{}", printers::yaml::to_string(object)),
            Some(Format::Yaml) => printers::yaml::to_string(object),
            _ => printers::json::to_string(object),
        };
        self.any_printed = true;
        print(&text)
    }

    /// Prints the objects gathered: one as it is, several as a List.
    ///
    /// # Errors
    /// Nobody reads.
    pub(super) fn finish(mut self) -> Result<()> {
        let mut gathered = self.gathered.take().unwrap_or_default();
        let object = match gathered.len() {
            0 => return Ok(()),
            1 => gathered.remove(0),
            _ => json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": gathered}),
        };
        self.print(&object)
    }
}
