//! `-o`: in which form objects are printed.

use anyhow::{Result, bail};
use serde_json::Value;

use super::output::print;
use crate::api::errno::errno_text;
use crate::printers;
use crate::printers::custom_columns::CustomColumns;
use crate::printers::go_template::GoTemplate;
use crate::printers::jsonpath::{self, Template};

/// What goes with `-o` in every verb that has it
#[derive(Clone, Debug, clap::Args)]
pub(super) struct TemplateArgs {
    /// The template, or the file with it, of an output format that is given without one
    #[arg(long)]
    template: Option<String>,
    /// Whether what a template asks for and an object does not have is no error; of go-template and jsonpath
    #[arg(long, default_value = "true", action = clap::ArgAction::Set)]
    allow_missing_template_keys: bool,
    /// Show also who manages which field, in JSON and YAML
    #[arg(long)]
    show_managed_fields: bool,
}

impl TemplateArgs {
    /// What `-o` says, with the template that `--template` adds.
    pub(super) fn completes(&self, output: Option<&str>) -> Option<String> {
        match (output.filter(|output| !output.is_empty()), &self.template) {
            (None, Some(template)) => Some(format!("go-template={template}")),
            (Some(format), Some(template)) if !format.contains('=') => Some(format!("{format}={template}")),
            (output, _) => output.map(str::to_owned),
        }
    }

    /// Whether objects are printed without who manages which field: that is a page by itself. Templates may ask for it.
    pub(super) fn hides_managers(&self, format: &Format) -> bool {
        !self.show_managed_fields && matches!(format, Format::Json | Format::Yaml | Format::Kyaml)
    }

    /// A format as its template is to be taken.
    pub(super) fn judges(&self, format: Format) -> Format {
        match format {
            format if self.allow_missing_template_keys => format,
            Format::GoTemplate(template) => Format::GoTemplate(template.that_needs_keys()),
            Format::JsonPath(template) => Format::JsonPath(template.that_needs_keys()),
            Format::JsonPathAsJson(template) => Format::JsonPathAsJson(template.that_needs_keys()),
            format => format,
        }
    }
}

impl Default for TemplateArgs {
    fn default() -> Self {
        Self { template: None, allow_missing_template_keys: true, show_managed_fields: false }
    }
}

/// How a verb that changes objects prints them
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct OutputArgs {
    /// Output format: json, yaml, kyaml, name, jsonpath=…, jsonpath-as-json=…, jsonpath-file=…, go-template=…,
    /// go-template-file=…
    #[arg(short, long)]
    output: Option<String>,
    #[command(flatten)]
    template: TemplateArgs,
}

impl OutputArgs {
    /// What `-o` says.
    pub(super) fn given(&self) -> Option<&str> {
        self.output.as_deref()
    }

    /// The format that is asked for; nothing for a line that says what has become of the object.
    ///
    /// # Errors
    /// A format that these verbs do not have, a template that does not read.
    pub(super) fn format(&self) -> Result<Option<Format>> {
        let output = self.template.completes(self.given());
        let format =
            output.as_deref().map(|output| Format::parse_in(output, OF_OBJECTS, false)).transpose()?;
        Ok(format.map(|format| self.template.judges(format)))
    }

    /// [`TemplateArgs::hides_managers`].
    pub(super) fn hides_managers(&self, format: &Format) -> bool {
        self.template.hides_managers(format)
    }
}

/// Takes from an object who manages which field.
pub(super) fn forget_managers(object: &mut Value) {
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
    }
}

/// The formats of `get`.
const OF_LISTS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,\
                        jsonpath-file,kyaml,name,template,templatefile,wide,yaml";
/// The formats of verbs that change objects.
const OF_OBJECTS: &str = "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,\
                          templatefile,yaml";

/// How objects are printed.
pub(super) enum Format {
    Table { wide: bool },
    Name,
    Json,
    Yaml,
    Kyaml,
    GoTemplate(GoTemplate),
    JsonPath(Template),
    JsonPathAsJson(Template),
    CustomColumns(CustomColumns),
}

impl Format {
    /// Reads `-o`.
    ///
    /// # Errors
    /// An unknown format, a template that does not read.
    pub(super) fn parse(output: Option<&str>, no_headers: bool) -> Result<Self> {
        match output.filter(|output| !output.is_empty()) {
            None => Ok(Self::Table { wide: false }),
            Some(output) => Self::parse_in(output, OF_LISTS, no_headers),
        }
    }

    /// Reads a format that must be one of those allowed.
    fn parse_in(output: &str, allowed: &str, no_headers: bool) -> Result<Self> {
        let (name, argument) =
            output.split_once('=').map_or((output, None), |(name, rest)| (name, Some(rest)));
        let template = |argument: Option<&str>| -> Result<Template> {
            match argument {
                None | Some("") => bail!("template format specified but no template given"),
                Some(text) => Template::parse(text).map_err(|error| anyhow::anyhow!("{error}")),
            }
        };
        let go_template = |argument: Option<&str>| {
            GoTemplate::parse(argument.unwrap_or_default()).map_err(|error| anyhow::anyhow!("{error}"))
        };
        let columns = |argument: Option<&str>| match argument {
            None | Some("") => bail!("custom-columns format specified but no custom columns given"),
            Some(spec) => Ok(spec.to_owned()),
        };
        let file = |argument: Option<&str>| {
            let path = argument.unwrap_or_default();
            std::fs::read_to_string(path).map_err(|error| {
                let option = if name == "custom-columns-file" { "" } else { "--" };
                anyhow::anyhow!("error reading {option}template {path}, open {path}: {}", errno_text(&error))
            })
        };
        let takes_none = ["json", "kyaml", "name", "wide", "yaml"].contains(&name) && argument.is_some();
        if takes_none || !allowed.split(',').any(|known| known == name) {
            bail!(
                "unable to match a printer suitable for the output format {output:?}, allowed formats are: {allowed}"
            );
        }
        Ok(match name {
            "wide" => Self::Table { wide: true },
            "name" => Self::Name,
            "json" => Self::Json,
            "yaml" => Self::Yaml,
            "kyaml" => Self::Kyaml,
            "go-template" | "template" => Self::GoTemplate(go_template(argument)?),
            "go-template-file" | "templatefile" => Self::GoTemplate(go_template(Some(&file(argument)?))?),
            "jsonpath" => Self::JsonPath(template(argument)?),
            "jsonpath-as-json" => Self::JsonPathAsJson(template(argument)?),
            "jsonpath-file" => Self::JsonPath(template(Some(&file(argument)?))?),
            "custom-columns" => Self::CustomColumns(
                CustomColumns::parse(&columns(argument)?, no_headers)
                    .map_err(|error| anyhow::anyhow!("{error}"))?,
            ),
            "custom-columns-file" => Self::CustomColumns(
                CustomColumns::parse_file(&file(argument)?, no_headers)
                    .map_err(|error| anyhow::anyhow!("{error}"))?,
            ),
            other => bail!("there is no output format {other:?}"),
        })
    }

    /// An object in a machine's format; nothing in those that are made of several.
    ///
    /// # Errors
    /// What a template wants and the object does not have.
    pub(super) fn render(&mut self, object: &Value) -> Result<String> {
        let failed = |error: jsonpath::Error| anyhow::anyhow!("{error}");
        Ok(match self {
            Self::Json => printers::json::to_string(object),
            Self::Yaml => printers::yaml::to_string(object),
            Self::Kyaml => printers::kyaml::to_string(object),
            Self::GoTemplate(template) => match template.execute(object) {
                Ok(text) => text,
                Err(failed) => {
                    print(&failed.printed)?;
                    bail!("{}", failed.error);
                }
            },
            Self::JsonPath(template) => template.execute(object).map_err(failed)?,
            Self::JsonPathAsJson(template) => template.execute_as_json(object).map_err(failed)?,
            Self::Table { .. } | Self::Name | Self::CustomColumns(_) => String::new(),
        })
    }
}
