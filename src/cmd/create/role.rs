//! `create role` and `create rolebinding`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::cmd::context::Global;
use crate::cmd::resources;

const GROUP: &str = "rbac.authorization.k8s.io";

/// Create a Role
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The Role's name
    name: Vec<String>,
    /// What may be done
    #[arg(long, value_delimiter = ',', value_name = "VERB")]
    verb: Vec<String>,
    /// With which resources
    #[arg(long, value_delimiter = ',', value_name = "RESOURCE[.GROUP][/SUBRESOURCE]")]
    resource: Vec<String>,
    /// With which objects of them
    #[arg(long, value_name = "NAME")]
    resource_name: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Create a RoleBinding
#[derive(Debug, clap::Args)]
pub(super) struct BindingArgs {
    /// The RoleBinding's name
    name: Vec<String>,
    /// The Role
    #[arg(long)]
    role: Option<String>,
    /// The ClusterRole
    #[arg(long)]
    clusterrole: Option<String>,
    /// A user who has it
    #[arg(long, value_delimiter = ',')]
    user: Vec<String>,
    /// A group that has it
    #[arg(long, value_delimiter = ',')]
    group: Vec<String>,
    /// A ServiceAccount that has it
    #[arg(long, value_delimiter = ',', value_name = "NAMESPACE:NAME")]
    serviceaccount: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a Role.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "role")?;
    if args.verb.is_empty() {
        bail!("at least one verb must be specified");
    }
    if args.resource.is_empty() {
        bail!("at least one resource must be specified");
    }
    // One rule for each group, in the order in which they are named.
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for word in &args.resource {
        let (word, part) =
            word.split_once('/').map_or((word.as_str(), None), |(word, part)| (word, Some(part)));
        let known = resources::kind(word)?.resource();
        let resource =
            part.map_or_else(|| known.plural.to_owned(), |part| format!("{}/{part}", known.plural));
        match groups.iter_mut().find(|(group, _)| *group == known.group) {
            Some((_, of_group)) => of_group.push(resource),
            None => groups.push((known.group, vec![resource])),
        }
    }
    let rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": args.verb});
            if !args.resource_name.is_empty() {
                rule["resourceNames"] = json!(args.resource_name);
            }
            rule
        })
        .collect();
    let value = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "Role",
        "metadata": {"creationTimestamp": null, "name": name},
        "rules": rules,
    });
    create_or_show(global, Kind::Role, name, value, &args.options)
}

/// Creates a RoleBinding.
pub(super) fn bind(global: &Global, args: &BindingArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "rolebinding")?;
    let (kind, role) = match (&args.clusterrole, &args.role) {
        (Some(role), None) => ("ClusterRole", role),
        (None, Some(role)) => ("Role", role),
        _ => bail!("exactly one of clusterrole or role must be specified"),
    };
    let mut subjects: Vec<Value> = Vec::new();
    for (kind, names) in [("User", &args.user), ("Group", &args.group)] {
        subjects.extend(names.iter().map(|name| json!({"apiGroup": GROUP, "kind": kind, "name": name})));
    }
    for account in &args.serviceaccount {
        let parts: Vec<&str> = account.split(':').collect();
        let [namespace, name] = parts[..] else { bail!("serviceaccount must be <namespace>:<name>") };
        if namespace.is_empty() || name.is_empty() {
            bail!("serviceaccount must be <namespace>:<name>");
        }
        subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    let mut value = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": "RoleBinding",
        "metadata": {"creationTimestamp": null, "name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role},
    });
    if !subjects.is_empty() {
        value["subjects"] = json!(subjects);
    }
    create_or_show(global, Kind::RoleBinding, name, value, &args.options)
}
