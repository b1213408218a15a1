//! ServiceAccounts, roles and who has them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::{PolicyRule, RoleRef, Subject};

use super::super::{Output, line};
use super::{Describe, Related, go_list};
use crate::api::meta::{annotation, name, uid};
use crate::api::{ClusterRole, ClusterRoleBinding, Role, RoleBinding, ServiceAccount};

impl Describe for ServiceAccount {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        out.metadata(&self.metadata, true);
        let pulls: Vec<&str> =
            self.image_pull_secrets.iter().flatten().map(|secret| secret.name.as_str()).collect();
        let mounts: Vec<&str> =
            self.secrets.iter().flatten().filter_map(|secret| secret.name.as_deref()).collect();
        let is_own_token = |secret: &&crate::api::Secret| {
            let of = |key: &str| annotation(&secret.metadata, key).unwrap_or_default();
            secret.type_.as_deref() == Some("kubernetes.io/service-account-token")
                && of("kubernetes.io/service-account.name") == name(&self.metadata)
                && of("kubernetes.io/service-account.uid") == uid(&self.metadata)
        };
        let tokens = related.secrets.iter().filter(is_own_token);
        let tokens: Vec<&str> = tokens.map(|secret| name(&secret.metadata)).collect();
        let known: BTreeSet<&str> = related.secrets.iter().map(|secret| name(&secret.metadata)).collect();
        for (head, names) in
            [("Image pull secrets:", pulls), ("Mountable secrets: ", mounts), ("Tokens:            ", tokens)]
        {
            if names.is_empty() {
                line!(out, 0, "{head}\t<none>");
            }
            let mut head = head.to_owned();
            for name in names {
                let missing = if known.contains(name) { "" } else { " (not found)" };
                line!(out, 0, "{head}\t{name}{missing}");
                head = " ".repeat(head.len());
            }
        }
    }
}

impl Describe for Role {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, false);
        describe_rules(out, self.rules.as_deref().unwrap_or_default());
    }
}

impl Describe for ClusterRole {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, false);
        describe_rules(out, self.rules.as_deref().unwrap_or_default());
    }
}

impl Describe for RoleBinding {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, false);
        describe_binding(out, &self.role_ref, self.subjects.as_deref().unwrap_or_default());
    }
}

impl Describe for ClusterRoleBinding {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        out.metadata(&self.metadata, false);
        describe_binding(out, &self.role_ref, self.subjects.as_deref().unwrap_or_default());
    }
}

/// What a rule allows with one resource of one group.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Part<'a> {
    group: &'a str,
    resource: &'a str,
    name: Option<&'a str>,
}

impl Part<'_> {
    fn resource(&self) -> String {
        let (resource, rest) =
            self.resource.split_once('/').map_or((self.resource, None), |(a, b)| (a, Some(b)));
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        format!("{resource}{group}{}", rest.map(|rest| format!("/{rest}")).unwrap_or_default())
    }
}

/// Rules taken apart, and put together again by what they are about.
fn describe_rules(out: &mut Output<'_>, rules: &[PolicyRule]) {
    line!(out, 0, "PolicyRule:");
    line!(out, 1, "Resources\tNon-Resource URLs\tResource Names\tVerbs");
    line!(out, 1, "---------\t-----------------\t--------------\t-----");
    let mut of_resources: BTreeMap<Part<'_>, Vec<String>> = BTreeMap::new();
    // In the order of upstream: by verbs, groups, resources, names and paths.
    let mut rows: Vec<([String; 5], String)> = Vec::new();
    for rule in rules {
        let names = rule.resource_names.as_deref().unwrap_or_default();
        let names: Vec<Option<&str>> = if names.is_empty() {
            vec![None]
        } else {
            names.iter().map(|name| Some(name.as_str())).collect()
        };
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                for name in &names {
                    let part = Part { group, resource, name: *name };
                    of_resources.entry(part).or_default().extend(rule.verbs.iter().cloned());
                }
            }
        }
        for path in rule.non_resource_urls.iter().flatten() {
            for verb in &rule.verbs {
                let (path, verb) = (format!("[{path}]"), format!("[{verb}]"));
                let shown = format!("\t{path}\t[]\t{verb}");
                rows.push(([verb, String::new(), String::new(), String::new(), path], shown));
            }
        }
    }
    for (part, verbs) in of_resources {
        let verbs = go_list(&verbs);
        let name = part.name.map_or_else(|| "[]".to_owned(), |name| format!("[{name}]"));
        let shown = format!("{}\t[]\t{name}\t{verbs}", part.resource());
        let listed = |text: &str| format!("[{text}]");
        rows.push(([verbs, listed(part.group), listed(part.resource), name, String::new()], shown));
    }
    rows.sort();
    for (_, shown) in rows {
        line!(out, 1, "{shown}");
    }
}

fn describe_binding(out: &mut Output<'_>, role: &RoleRef, subjects: &[Subject]) {
    line!(out, 0, "Role:");
    line!(out, 1, "Kind:\t{}", role.kind);
    line!(out, 1, "Name:\t{}", role.name);
    line!(out, 0, "Subjects:");
    line!(out, 1, "Kind\tName\tNamespace");
    line!(out, 1, "----\t----\t---------");
    for subject in subjects {
        let namespace = subject.namespace.as_deref().unwrap_or_default();
        line!(out, 1, "{}\t{}\t{namespace}", subject.kind, subject.name);
    }
}
