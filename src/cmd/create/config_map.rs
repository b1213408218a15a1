//! `create configmap`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

use super::sources::SourceArgs;
use super::{Options, create_or_show, hash, one_name};
use crate::api::kinds::Kind;
use crate::api::names;
use crate::cmd::context::Global;

/// Create a ConfigMap from files, directories and literal values
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ConfigMap's name
    name: Vec<String>,
    #[command(flatten)]
    sources: SourceArgs,
    #[command(flatten)]
    options: Options,
}

/// Creates a ConfigMap.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "configmap")?;
    let mut data: BTreeMap<String, String> = BTreeMap::new();
    let mut binary: BTreeMap<String, ByteString> = BTreeMap::new();
    args.sources.read("config", &mut |key, bytes| {
        let problems = names::config_key(key);
        if !problems.is_empty() {
            bail!("{key:?} is not a valid key name for a ConfigMap: {}", problems.join(","));
        }
        for (field, is_there) in [("Data", data.contains_key(key)), ("BinaryData", binary.contains_key(key))] {
            if is_there {
                bail!(
                    "cannot add key {key:?}, another key by that name already exists in {field} for ConfigMap {name:?}"
                );
            }
        }
        match String::from_utf8(bytes) {
            Ok(text) => drop(data.insert(key.to_owned(), text)),
            Err(error) => drop(binary.insert(key.to_owned(), ByteString(error.into_bytes()))),
        }
        Ok(())
    })?;
    let mut full_name = name.to_owned();
    if args.sources.append_hash {
        let mut contents = json!({"kind": "ConfigMap", "name": name, "data": data});
        if !binary.is_empty() {
            contents["binaryData"] = json!(binary);
        }
        full_name = format!("{name}-{}", hash::of(&contents));
    }
    let mut value: Value = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"creationTimestamp": null, "name": full_name},
    });
    if !data.is_empty() {
        value["data"] = json!(data);
    }
    if !binary.is_empty() {
        value["binaryData"] = json!(binary);
    }
    create_or_show(global, Kind::ConfigMap, &full_name, value, &args.options)
}
