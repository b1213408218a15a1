//! What a verb that changes objects says of each: one line, or the object.

use std::str::FromStr;

use anyhow::Result;
use serde_json::{Value, json};

use super::format::{Format, OutputArgs, forget_managers};
use super::output::{print, say};
use crate::api::kinds::Kind;
use crate::printers;

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
pub(super) struct Outcomes {
    format: Option<Format>,
    dry_run: DryRun,
    /// Objects that are to be printed together.
    gathered: Option<Vec<Value>>,
    any_printed: bool,
    is_made_here: bool,
    hides_managers: bool,
}

impl Outcomes {
    /// Outcomes as the command line wants them.
    ///
    /// # Errors
    /// An output format that these verbs do not have.
    pub(super) fn new(output: &OutputArgs, dry_run: DryRun) -> Result<Self> {
        let format = output.format()?;
        let hides_managers = format.as_ref().is_some_and(|format| output.hides_managers(format));
        let (gathered, any_printed, is_made_here) = (None, false, false);
        Ok(Self { format, dry_run, gathered, any_printed, is_made_here, hides_managers })
    }

    /// The objects are made here, not by a server: in JSON their fields stand in the order of the API.
    pub(super) fn made_here(self) -> Self {
        Self { is_made_here: true, ..self }
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
            Some(_) => {
                let mut object = object()?;
                if self.hides_managers {
                    forget_managers(&mut object);
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
        let Some(format) = &mut self.format else { return Ok(()) };
        let separator = if self.any_printed && matches!(format, Format::Yaml) { "---\n" } else { "" };
        self.any_printed = true;
        let text = match format {
            Format::Json if self.is_made_here => printers::json::to_string_as_declared(object),
            format => format.render(object)?,
        };
        print(&format!("{separator}{text}"))
    }

    /// Prints the objects gathered: one as it is, several as a List.
    ///
    /// # Errors
    /// Nobody reads.
    pub(super) fn finish(mut self) -> Result<()> {
        let mut gathered = self.gathered.take().unwrap_or_default();
        if matches!(self.format, Some(Format::Json)) && gathered.len() > 1 {
            return print(&printers::json::list_as_declared(&gathered));
        }
        let object = match gathered.len() {
            0 => return Ok(()),
            1 => gathered.remove(0),
            _ => json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": gathered}),
        };
        self.print(&object)
    }
}
