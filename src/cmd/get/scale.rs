//! `get --subresource=scale`.

use std::process::ExitCode;

use anyhow::Result;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Args, is_one_object, render};
use crate::api::kinds::Kind;
use crate::api::status_error::StatusError;
use crate::cmd::context::{Context, Global};
use crate::cmd::failure::text;
use crate::cmd::format::Format;
use crate::cmd::manifests;
use crate::cmd::output::{complain, print};
use crate::cmd::resources::Target;
use crate::cmd::selection;
use crate::manager::clock;
use crate::printers::duration::age;
use crate::printers::rows::Row;
use crate::printers::table::{TableOptions, TablePrinter};

/// How many pods StatefulSets have, and should have, as a server tells it to what scales them.
pub(super) fn run(global: &Global, args: &Args, format: &mut Format) -> Result<ExitCode> {
    let context = Context::open(global)?;
    let targets = manifests::targets(&args.resources, &args.files, global)?;
    let selectors = selection::selectors(
        &args.resources,
        &targets,
        args.selector.as_deref(),
        args.field_selector.as_deref(),
    )?;
    if let Some(other) = targets.iter().map(Target::kind).find(|kind| *kind != Kind::StatefulSet) {
        return Err(StatusError::MethodNotAllowed {
            message: format!("{} cannot be scaled by a server: StatefulSets can", other.qualified_plural()),
        }
        .into());
    }
    let reader = context.client.read(&selection::tables(&targets))?;
    let all_namespaces = args.all_namespaces == Some(true);
    let (found, missing) =
        selection::resolve(&reader, &targets, &context.namespace, all_namespaces, &selectors)?;
    let mut values = Vec::new();
    for one in &found {
        let set = one.value()?;
        let metadata = &set["metadata"];
        let labels = set["spec"]["selector"]["matchLabels"].as_object();
        let selector: Vec<String> = labels
            .into_iter()
            .flatten()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect();
        values.push(json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": {
                "creationTimestamp": metadata["creationTimestamp"],
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "resourceVersion": metadata["resourceVersion"],
                "uid": metadata["uid"]
            },
            "spec": {"replicas": set["spec"]["replicas"].as_i64().unwrap_or(1)},
            "status": {
                "replicas": set["status"]["replicas"].as_i64().unwrap_or(0),
                "selector": selector.join(",")
            }
        }));
    }
    match format {
        Format::Table { .. } => {
            let rows: Vec<[String; 4]> = values
                .iter()
                .map(|value| {
                    let text =
                        |pointer: &str| value.pointer(pointer).map(Value::to_string).unwrap_or_default();
                    let name = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                    let created = value["metadata"]["creationTimestamp"].as_str();
                    let created = created.and_then(|time| DateTime::parse_from_rfc3339(time).ok());
                    let age = age(created.map(|time| time.with_timezone(&Utc)), clock());
                    [name, text("/spec/replicas"), text("/status/replicas"), age]
                })
                .collect();
            let rows: Vec<Row<'_>> = rows
                .into_iter()
                .map(|cells| Row::new("".into(), cells.map(Into::into).into(), None))
                .collect();
            let options = TableOptions { no_headers: args.no_headers, ..TableOptions::default() };
            print(&TablePrinter::new(["NAME", "DESIRED", "AVAILABLE", "AGE"], options).print(&rows))?;
        }
        Format::Name => {
            for one in &found {
                print(&format!("{}/{}\n", one.kind.qualified_singular(), one.key.name))?;
            }
        }
        _ => print(&render(values, is_one_object(&targets), format)?)?,
    }
    missing.iter().for_each(|error| complain(&text(error)));
    Ok(if missing.is_empty() || args.ignore_not_found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
