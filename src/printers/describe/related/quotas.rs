//! Namespaces, ResourceQuotas, LimitRanges and PriorityClasses.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::LimitRangeItem;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::super::{Output, line};
use super::{Describe, Related, in_line};
use crate::api::meta::name;
use crate::api::{LimitRange, Namespace, PriorityClass, ResourceQuota};

/// The heads of the table of limits.
const HEADS: [&str; 7] =
    ["Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio"];

impl Describe for Namespace {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        out.metadata(&self.metadata, false);
        let status = self.status.as_ref().and_then(|status| status.phase.as_deref());
        line!(out, 0, "Status:\t{}", status.unwrap_or_default());
        line!(out, 0, "");
        if related.quotas.is_empty() {
            line!(out, 0, "No resource quota.");
        } else {
            line!(out, 0, "Resource Quotas");
        }
        for quota in &related.quotas {
            line!(out, 1, "Name:\t{}", name(&quota.metadata));
            describe_scopes(out, quota, "  ", "  * ");
            line!(out, 1, "Resource\tUsed\tHard");
            line!(out, 1, "--------\t---\t---");
            describe_amounts(out, quota, "  ");
        }
        line!(out, 0, "");
        if related.limit_ranges.is_empty() {
            line!(out, 0, "No LimitRange resource.");
            return;
        }
        line!(out, 0, "Resource Limits");
        describe_heads(out, " ");
        for range in &related.limit_ranges {
            describe_limits(out, range, " ");
        }
    }
}

impl Describe for ResourceQuota {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        line!(out, 0, "Name:\t{}", name(&self.metadata));
        line!(out, 0, "Namespace:\t{}", self.metadata.namespace.as_deref().unwrap_or_default());
        describe_scopes(out, self, "", " * ");
        line!(out, 0, "Resource\tUsed\tHard");
        line!(out, 0, "--------\t----\t----");
        describe_amounts(out, self, "");
    }
}

fn describe_scopes(out: &mut Output<'_>, quota: &ResourceQuota, indent: &str, bullet: &str) {
    let scopes: BTreeSet<&String> = quota.spec.iter().flat_map(|spec| spec.scopes.iter().flatten()).collect();
    if scopes.is_empty() {
        return;
    }
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    line!(out, 0, "{indent}Scopes:\t{}", names.join(", "));
    for scope in names {
        let meaning = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being \
                 actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose \
                 container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of \
                 service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or \
                 guaranteed quality of service."
            }
            _ => continue,
        };
        line!(out, 0, "{bullet}{meaning}");
    }
}

fn describe_amounts(out: &mut Output<'_>, quota: &ResourceQuota, indent: &str) {
    let none = BTreeMap::new();
    let Some(status) = &quota.status else { return };
    let used = status.used.as_ref().unwrap_or(&none);
    for (resource, hard) in status.hard.iter().flatten() {
        let used = used.get(resource).map_or("0", |used| used.0.as_str());
        line!(out, 0, "{indent}{resource}\t{used}\t{}", hard.0);
    }
}

impl Describe for LimitRange {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        line!(out, 0, "Name:\t{}", name(&self.metadata));
        line!(out, 0, "Namespace:\t{}", self.metadata.namespace.as_deref().unwrap_or_default());
        describe_heads(out, "");
        describe_limits(out, self, "");
    }
}

fn describe_heads(out: &mut Output<'_>, indent: &str) {
    line!(out, 0, "{indent}{}", HEADS.join("\t"));
    line!(out, 0, "{indent}{}", HEADS.map(|head| "-".repeat(head.len())).join("\t"));
}

fn describe_limits(out: &mut Output<'_>, range: &LimitRange, indent: &str) {
    for limit in range.spec.iter().flat_map(|spec| &spec.limits) {
        let LimitRangeItem { default, default_request, max, max_limit_request_ratio, min, type_ } = limit;
        let columns: [&Option<BTreeMap<String, Quantity>>; 5] =
            [min, max, default_request, default, max_limit_request_ratio];
        let resources: BTreeSet<&String> =
            columns.iter().flat_map(|column| column.iter().flat_map(BTreeMap::keys)).collect();
        for resource in resources {
            let cells = columns.map(|column| {
                let amount = column.as_ref().and_then(|column| column.get(resource));
                amount.map_or("-", |amount| amount.0.as_str())
            });
            line!(out, 0, "{indent}{type_}\t{resource}\t{}", cells.join("\t"));
        }
    }
}

impl Describe for PriorityClass {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        line!(out, 0, "Name:\t{}", name(&self.metadata));
        line!(out, 0, "Value:\t{}", self.value);
        line!(out, 0, "GlobalDefault:\t{}", self.global_default.unwrap_or(false));
        line!(out, 0, "PreemptionPolicy:\t{}", self.preemption_policy.as_deref().unwrap_or_default());
        line!(out, 0, "Description:\t{}", self.description.as_deref().unwrap_or_default());
        line!(out, 0, "Annotations:\t{}", in_line(self.metadata.annotations.as_ref()));
    }
}
