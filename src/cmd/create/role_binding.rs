//! `create rolebinding` and `create clusterrolebinding`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{Options, create_or_show, one_name};
use crate::api::kinds::Kind;
use crate::cmd::context::Global;

/// The group of roles and of what binds them.
pub(super) const GROUP: &str = "rbac.authorization.k8s.io";

/// Who has a role.
#[derive(Debug, clap::Args)]
struct SubjectArgs {
    /// A user who has it
    #[arg(long)]
    user: Vec<String>,
    /// A group that has it
    #[arg(long)]
    group: Vec<String>,
    /// A ServiceAccount that has it
    #[arg(long, value_name = "NAMESPACE:NAME")]
    serviceaccount: Vec<String>,
}

/// Create a RoleBinding
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The RoleBinding's name
    name: Vec<String>,
    /// The Role
    #[arg(long)]
    role: Option<String>,
    /// The ClusterRole
    #[arg(long)]
    clusterrole: Option<String>,
    #[command(flatten)]
    subjects: SubjectArgs,
    #[command(flatten)]
    options: Options,
}

/// Create a ClusterRoleBinding
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// The ClusterRoleBinding's name
    name: Vec<String>,
    /// The ClusterRole
    #[arg(long)]
    clusterrole: Option<String>,
    #[command(flatten)]
    subjects: SubjectArgs,
    #[command(flatten)]
    options: Options,
}

/// Creates a RoleBinding.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "rolebinding")?;
    let role = match (&args.clusterrole, &args.role) {
        (Some(role), None) => ("ClusterRole", role.as_str()),
        (None, Some(role)) => ("Role", role.as_str()),
        _ => bail!("exactly one of clusterrole or role must be specified"),
    };
    let value = binding("RoleBinding", name, role, &args.subjects.list()?);
    create_or_show(global, Kind::RoleBinding, name, value, &args.options)
}

/// Creates a ClusterRoleBinding.
pub(super) fn run_cluster(global: &Global, args: &ClusterArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "clusterrolebinding")?;
    let Some(role) = &args.clusterrole else { bail!("required flag(s) \"clusterrole\" not set") };
    let value = binding("ClusterRoleBinding", name, ("ClusterRole", role), &args.subjects.list()?);
    create_or_show(global, Kind::ClusterRoleBinding, name, value, &args.options)
}

fn binding(kind: &str, name: &str, (role_kind, role): (&str, &str), subjects: &[Value]) -> Value {
    let mut value = json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {"creationTimestamp": null, "name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role},
    });
    if !subjects.is_empty() {
        value["subjects"] = json!(subjects);
    }
    value
}

impl SubjectArgs {
    fn list(&self) -> Result<Vec<Value>> {
        let mut subjects: Vec<Value> = Vec::new();
        for (kind, names) in [("User", &self.user), ("Group", &self.group)] {
            subjects.extend(names.iter().map(|name| json!({"apiGroup": GROUP, "kind": kind, "name": name})));
        }
        for account in &self.serviceaccount {
            let parts: Vec<&str> = account.split(':').collect();
            let [namespace, name] = parts[..] else { bail!("serviceaccount must be <namespace>:<name>") };
            if namespace.is_empty() || name.is_empty() {
                bail!("serviceaccount must be <namespace>:<name>");
            }
            subjects.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
        }
        Ok(subjects)
    }
}
