//! `set subject`: to whom a role is given.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Work, called};
use crate::cmd::change::ChangeArgs;
use crate::cmd::context::Global;

/// Add users, groups and service accounts to a RoleBinding or ClusterRoleBinding
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE NAME… or TYPE/NAME…
    #[arg(value_name = "TYPE[/NAME]")]
    resources: Vec<String>,
    #[command(flatten)]
    change: ChangeArgs,
    /// Users
    #[arg(long, value_delimiter = ',')]
    user: Vec<String>,
    /// Groups
    #[arg(long, value_delimiter = ',')]
    group: Vec<String>,
    /// Service accounts, as NAMESPACE:NAME
    #[arg(long, value_delimiter = ',', value_name = "NAMESPACE:NAME")]
    serviceaccount: Vec<String>,
    /// Change what is in the files and print it; nothing is stored
    #[arg(long)]
    local: bool,
}

/// The group in which users and groups are known.
const GROUP: &str = "rbac.authorization.k8s.io";

/// Adds subjects.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let work = Work {
        resources: &args.resources,
        change: &args.change,
        local: args.local,
        said: "subjects updated",
        says_same: false,
        refused: "failed to patch subjects to rolebinding: ",
    };
    work.check()?;
    work.require_names()?;
    let subjects = subjects(args)?;
    work.run(global, |object| {
        if !["RoleBinding", "ClusterRoleBinding"].contains(&object["kind"].as_str().unwrap_or_default()) {
            let resource = called(object, work.local).2;
            return vec![format!(
                "error: {resource} setting subjects is only supported for RoleBinding/ClusterRoleBinding"
            )];
        }
        let mut all = object["subjects"].as_array().cloned().unwrap_or_default();
        for subject in &subjects {
            if !all.contains(subject) {
                all.push(subject.clone());
            }
        }
        object["subjects"] = json!(all);
        Vec::new()
    })
}

fn subjects(args: &Args) -> Result<Vec<Value>> {
    if args.user.is_empty() && args.group.is_empty() && args.serviceaccount.is_empty() {
        bail!("you must specify at least one value of user, group or serviceaccount");
    }
    let mut subjects = Vec::new();
    subjects.extend(args.user.iter().map(|name| json!({"apiGroup": GROUP, "kind": "User", "name": name})));
    subjects.extend(args.group.iter().map(|name| json!({"apiGroup": GROUP, "kind": "Group", "name": name})));
    for word in &args.serviceaccount {
        let parts: Vec<&str> = word.split(':').collect();
        let [namespace, name] = parts.as_slice() else {
            bail!("serviceaccount must be <namespace>:<name>");
        };
        if namespace.is_empty() || name.is_empty() {
            bail!("serviceaccount must be <namespace>:<name>");
        }
        subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    Ok(subjects)
}
