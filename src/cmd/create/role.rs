//! `create role` and `create clusterrole`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::role_binding::GROUP;
use super::{Options, create_or_show, one_name};
use crate::api::foreign_kinds;
use crate::api::kinds::Kind;
use crate::cmd::context::Global;
use crate::cmd::failure::verbatim;
use crate::cmd::output::complain;

/// What may be done with resources.
const VERBS: [&str; 14] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
];
/// What may be done with paths.
const PATH_VERBS: [&str; 8] = ["*", "get", "post", "put", "delete", "patch", "head", "options"];
/// What may be done with these alone: verb, group and resource.
const SPECIAL: [(&str, &str, &str); 10] = [
    ("use", "policy", "podsecuritypolicies"),
    ("use", "extensions", "podsecuritypolicies"),
    ("bind", GROUP, "roles"),
    ("bind", GROUP, "clusterroles"),
    ("escalate", GROUP, "roles"),
    ("escalate", GROUP, "clusterroles"),
    ("impersonate", "", "users"),
    ("impersonate", "", "serviceaccounts"),
    ("impersonate", "", "groups"),
    ("impersonate", "authentication.k8s.io", "userextras"),
];

/// What a role allows.
#[derive(Debug, clap::Args)]
struct RuleArgs {
    /// What may be done
    #[arg(long, value_delimiter = ',', value_name = "VERB")]
    verb: Vec<String>,
    /// With which resources
    #[arg(long, value_delimiter = ',', value_name = "RESOURCE[.GROUP][/SUBRESOURCE]")]
    resource: Vec<String>,
    /// With which objects of them
    #[arg(long, value_name = "NAME")]
    resource_name: Vec<String>,
}

/// Create a Role
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The Role's name
    name: Vec<String>,
    #[command(flatten)]
    rule: RuleArgs,
    #[command(flatten)]
    options: Options,
}

/// Create a ClusterRole
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// The ClusterRole's name
    name: Vec<String>,
    #[command(flatten)]
    rule: RuleArgs,
    /// With which paths
    #[arg(long, value_delimiter = ',', value_name = "PATH")]
    non_resource_url: Vec<String>,
    /// The labels of the ClusterRoles whose rules it has
    #[arg(long, value_delimiter = ',', value_name = "KEY=VALUE")]
    aggregation_rule: Vec<String>,
    #[command(flatten)]
    options: Options,
}

/// Creates a Role.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let name = one_name(&args.name, "role")?;
    let verbs = args.rule.verbs()?;
    if args.rule.resources().next().is_none() {
        bail!("at least one resource must be specified");
    }
    let rules = args.rule.rules(&verbs)?;
    create_or_show(global, Kind::Role, name, role("Role", name, &json!(rules)), &args.options)
}

/// Creates a ClusterRole.
pub(super) fn run_cluster(global: &Global, args: &ClusterArgs) -> Result<ExitCode> {
    let name = one_name(&args.name, "clusterrole")?;
    let paths = without_repeats(&args.non_resource_url);
    let ClusterArgs { rule, options, .. } = args;
    if !args.aggregation_rule.is_empty() {
        let is_alone = paths.is_empty()
            && rule.verb.is_empty()
            && rule.resources().next().is_none()
            && rule.resource_name.is_empty();
        if !is_alone {
            bail!(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames"
            );
        }
        let mut value = role("ClusterRole", name, &Value::Null);
        value["aggregationRule"] =
            json!({"clusterRoleSelectors": [{"matchLabels": labels(&args.aggregation_rule)?}]});
        return create_or_show(global, Kind::ClusterRole, name, value, options);
    }
    let verbs = rule.verbs()?;
    if rule.resources().next().is_none() && paths.is_empty() {
        bail!("one of resource or nonResourceURL must be specified");
    }
    let mut rules = rule.rules(&verbs)?;
    if !paths.is_empty() {
        check_paths(&paths, &verbs)?;
        rules.push(json!({"nonResourceURLs": paths, "verbs": verbs}));
    }
    create_or_show(global, Kind::ClusterRole, name, role("ClusterRole", name, &json!(rules)), options)
}

fn role(kind: &str, name: &str, rules: &Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {"creationTimestamp": null, "name": name},
        "rules": rules,
    })
}

fn without_repeats(words: &[String]) -> Vec<&str> {
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        if !word.is_empty() && !kept.contains(&word.as_str()) {
            kept.push(word);
        }
    }
    kept
}

fn labels(pairs: &[String]) -> Result<BTreeMap<&str, &str>> {
    let mut labels = BTreeMap::new();
    for text in without_repeats(pairs) {
        let Some((key, value)) = text.split_once('=') else {
            bail!(
                "invalid argument {text:?} for \"--aggregation-rule\" flag: malformed pair, expect string=string"
            );
        };
        labels.insert(key.trim(), value.trim());
    }
    Ok(labels)
}

fn check_paths(paths: &[&str], verbs: &[&str]) -> Result<()> {
    if let Some(verb) = verbs.iter().find(|verb| !PATH_VERBS.contains(verb)) {
        bail!("invalid verb: '{verb}' for nonResourceURL");
    }
    for path in paths.iter().filter(|path| **path != "*") {
        if !path.starts_with('/') {
            bail!("nonResourceURL should start with /");
        }
        if path.trim_end_matches('*').contains('*') || path.ends_with("**") {
            bail!("nonResourceURL only supports wildcard matches when '*' is at the end");
        }
    }
    Ok(())
}

impl RuleArgs {
    /// What may be done, each once; everything stands for all.
    fn verbs(&self) -> Result<Vec<&str>> {
        let verbs = without_repeats(&self.verb);
        if verbs.is_empty() {
            bail!("at least one verb must be specified");
        }
        Ok(if verbs.contains(&"*") { vec!["*"] } else { verbs })
    }

    fn resources(&self) -> impl Iterator<Item = &str> {
        self.resource.iter().map(String::as_str).filter(|word| !word.is_empty())
    }

    /// A rule for each group of resources, in the order of their names.
    fn rules(&self, verbs: &[&str]) -> Result<Vec<Value>> {
        let strange = verbs.iter().filter(|verb| !VERBS.contains(verb) && self.resources().next().is_some());
        strange.for_each(|verb| complain(&format!("Warning: '{verb}' is not a standard resource verb")));
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for word in self.resources() {
            let (word, part) = word.split_once('/').unwrap_or((word, ""));
            let (group, plural) = resource(word, verbs)?;
            let resource = if part.is_empty() { plural } else { format!("{plural}/{part}") };
            let of_group = groups.entry(group).or_default();
            if !of_group.contains(&resource) {
                of_group.push(resource);
            }
        }
        let names = without_repeats(&self.resource_name);
        let rules = groups.into_iter().map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = json!(names);
            }
            rule
        });
        Ok(rules.collect())
    }
}

/// The group and the name of the resource that a word names, with which that may be done.
fn resource(word: &str, verbs: &[&str]) -> Result<(String, String)> {
    let (name, group) = word.split_once('.').unwrap_or((word, ""));
    if name.is_empty() {
        bail!("resource must be specified if apiGroup/subresource specified");
    }
    let here = || {
        Kind::from_argument(word)
            .map(|kind| (kind.resource().group.to_owned(), kind.resource().plural.to_owned()))
    };
    let elsewhere = || foreign_kinds::resource(name, group).map(|(group, plural)| (group.to_owned(), plural));
    let known =
        if name == "*" { Some((group.to_owned(), name.to_owned())) } else { here().or_else(elsewhere) };
    let is_known = known.is_some();
    let (group, plural) = known.unwrap_or_else(|| (group.to_owned(), name.to_owned()));
    let mut is_special = false;
    for verb in verbs.iter().filter(|verb| SPECIAL.iter().any(|(special, ..)| *special == **verb)) {
        if !SPECIAL.contains(&(*verb, group.as_str(), plural.as_str())) {
            bail!("can not perform '{verb}' on '{plural}' in group '{group}'");
        }
        is_special = true;
    }
    if is_known || is_special {
        return Ok((group, plural));
    }
    let within = if group.is_empty() { String::new() } else { format!(" in group {group:?}") };
    Err(verbatim(format!("the server doesn't have a resource type {name:?}{within}")))
}
