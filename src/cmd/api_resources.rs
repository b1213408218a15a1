//! `api-resources` and `api-versions`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use super::output::{print, say};
use crate::api::kinds::{Kind, RESOURCES, Resource};
use crate::printers::rows::Row;
use crate::printers::table::{TableOptions, TablePrinter};

/// Print the supported kinds of objects
#[derive(Debug, clap::Args)]
pub(super) struct ResourcesArgs {
    /// Limit to kinds of this API group
    #[arg(long, value_name = "GROUP")]
    api_group: Option<String>,
    /// Limit to kinds that are in these categories
    #[arg(long, value_delimiter = ',', value_name = "CATEGORY,…")]
    categories: Vec<String>,
    /// Accepted for kubectl's sake: the kinds are known without asking anybody
    #[arg(long, hide = true)]
    cached: bool,
    /// If false, kinds that are not in a namespace
    #[arg(long)]
    namespaced: Option<bool>,
    /// Leave the header line out
    #[arg(long)]
    no_headers: bool,
    /// One of wide or name
    #[arg(short, long)]
    output: Option<String>,
    /// Sort by name or kind
    #[arg(long, value_name = "name|kind")]
    sort_by: Option<String>,
    /// Limit to kinds that take all of these verbs
    #[arg(long, value_delimiter = ',', value_name = "VERB,…")]
    verbs: Vec<String>,
}

/// What can be done to objects of a kind.
fn verbs(resource: &Resource) -> &'static [&'static str] {
    match resource.kind {
        kind if kind.is_derived() => &["get", "list", "watch"],
        Kind::Event => &["delete", "get", "list", "watch"],
        _ => &["create", "delete", "get", "list", "patch", "update", "watch"],
    }
}

fn categories(resource: &Resource) -> &'static [&'static str] {
    if resource.in_all { &["all"] } else { &[] }
}

/// Print the supported API versions
#[derive(Debug, clap::Args)]
pub(super) struct VersionsArgs {}

/// Lists the kinds.
pub(super) fn resources(args: &ResourcesArgs) -> Result<ExitCode> {
    let mut rows: Vec<&Resource> = RESOURCES
        .iter()
        .filter(|resource| args.api_group.as_ref().is_none_or(|group| group == resource.group))
        .filter(|resource| args.verbs.iter().all(|verb| verbs(resource).contains(&verb.as_str())))
        .filter(|resource| args.categories.iter().all(|one| categories(resource).contains(&one.as_str())))
        .filter(|resource| args.namespaced.is_none_or(|namespaced| namespaced == resource.namespaced))
        .collect();
    match args.sort_by.as_deref() {
        None => {}
        Some("name") => rows.sort_by_key(|resource| resource.plural),
        Some("kind") => rows.sort_by_key(|resource| resource.name),
        Some(_) => bail!("--sort-by accepts only name or kind"),
    }
    let wide = match args.output.as_deref() {
        None => false,
        Some("wide") => true,
        Some("name") => {
            rows.iter().try_for_each(|resource| say(&resource.kind.qualified_plural()))?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => bail!("--output {other} is not available"),
    };
    let columns: &[&str] = if wide {
        &["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", "VERBS", "CATEGORIES"]
    } else {
        &["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]
    };
    let rows: Vec<Row<'_>> = rows
        .into_iter()
        .map(|resource| {
            let mut cells = vec![
                resource.plural.into(),
                resource.short.join(",").into(),
                resource.kind.api_version().into(),
                resource.namespaced.to_string().into(),
                resource.name.into(),
            ];
            if wide {
                cells.push(verbs(resource).join(",").into());
                cells.push(categories(resource).join(",").into());
            }
            Row::new("".into(), cells, None)
        })
        .collect();
    let options = TableOptions { no_headers: args.no_headers, ..TableOptions::default() };
    print(&TablePrinter::new(columns, options).print(&rows))?;
    Ok(ExitCode::SUCCESS)
}

/// Lists the versions.
pub(super) fn versions(_: &VersionsArgs) -> Result<ExitCode> {
    let mut versions: Vec<String> = RESOURCES.iter().map(|resource| resource.kind.api_version()).collect();
    versions.sort();
    versions.dedup();
    versions.iter().try_for_each(|version| say(version))?;
    Ok(ExitCode::SUCCESS)
}
