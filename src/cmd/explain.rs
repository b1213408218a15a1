//! `explain`: what the fields of our kinds are for.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::failure::verbatim;
use super::output::print;
use crate::api::kinds::{Kind, Resource};
use crate::api::schema::Schema;
use crate::printers::explain;

/// Say what a kind is, or one of its fields
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE or TYPE.FIELD.FIELD…
    #[arg(value_name = "TYPE[.FIELD]")]
    arguments: Vec<String>,
    /// The names of all fields below, without what they are for
    #[arg(long)]
    recursive: bool,
    /// The version of the API, such as batch/v1
    #[arg(long)]
    api_version: Option<String>,
    /// Must be "plaintext"
    #[arg(short, long, default_value = "plaintext")]
    output: String,
}

/// Explains.
pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let [word] = args.arguments.as_slice() else {
        if args.arguments.is_empty() {
            bail!(
                "You must specify the type of resource to explain. Use \"jobctl api-resources\" for a complete list of \
                 supported resources."
            );
        }
        bail!("We accept only this format: explain RESOURCE");
    };
    match args.output.as_str() {
        "plaintext" => {}
        "plaintext-openapiv2" => bail!("the layout plaintext-openapiv2 is of older versions: use plaintext"),
        other => bail!("unrecognized format: {other}"),
    }
    let (resource, path) = target(word)?;
    if let Some(wanted) = args.api_version.as_deref().filter(|wanted| !wanted.is_empty())
        && wanted != resource.kind.api_version()
    {
        bail!("couldn't find resource for \"{wanted}, Resource={}\"", resource.plural);
    }
    match explain::explain(&Schema::load(), resource, &path, args.recursive) {
        Ok(text) => print(&text)?,
        Err(missing) => {
            print(&explain::header(resource))?;
            bail!("field {missing:?} does not exist");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The kind that a word begins with, and the fields after it. A group may follow the kind: `jobs.batch.spec`.
fn target(word: &str) -> Result<(&'static Resource, Vec<&str>)> {
    let parts: Vec<&str> = word.split('.').map(str::trim).filter(|part| !part.is_empty()).collect();
    let first = parts.first().copied().unwrap_or_default();
    let Some(kind) = Kind::from_argument(first) else {
        return Err(verbatim(format!("the server doesn't have a resource type {first:?}")));
    };
    let resource = kind.resource();
    let mut path = parts[1..].to_vec();
    let group: Vec<&str> = resource.group.split('.').filter(|part| !part.is_empty()).collect();
    if !group.is_empty() && path.starts_with(&group) {
        path.drain(..group.len());
    }
    Ok((resource, path))
}
