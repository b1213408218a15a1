//! Rules about LimitRanges and ResourceQuotas (ValidateLimitRange, ValidateResourceQuota).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{LimitRangeItem, ResourceQuotaSpec, ScopedResourceSelectorRequirement};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::resources::COUNTED;
use super::value::json;
use super::{each, metadata, quoted, resources, update, without_repeats};
use crate::api::names;
use crate::api::quantity::{canonical, nanos};
use crate::api::status_error::FieldError;
use crate::api::{LimitRange, ResourceQuota};

const NANOS: i128 = 1_000_000_000;
const LIMIT_TYPES: [&str; 3] = ["Pod", "Container", "PersistentVolumeClaim"];
/// What else quotas know.
const MEASURED: [&str; 10] = [
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
];
/// What of it pods use up.
const OF_PODS: [&str; 6] =
    ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
const SCOPES: [&str; 7] = [
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
];
const CONFLICTING: [[&str; 2]; 2] = [["BestEffort", "NotBestEffort"], ["Terminating", "NotTerminating"]];

/// Every rule a LimitRange breaks.
pub fn validate_limit_range(range: &LimitRange) -> Vec<FieldError> {
    let mut errors = metadata::validate(&range.metadata, "metadata");
    let mut types = BTreeSet::new();
    for (index, limit) in range.spec.iter().flat_map(|spec| &spec.limits).enumerate() {
        let path = format!("spec.limits[{index}]");
        let at_type = format!("{path}.type");
        errors.extend(validate_type(&limit.type_, &at_type));
        if !types.insert(&limit.type_) {
            errors.push(duplicate(at_type, quoted(&limit.type_)));
        }
        errors.extend(validate_limit(limit, &path));
    }
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_limit_range_update(new: &LimitRange, old: &LimitRange) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_limit_range(new));
    without_repeats(errors)
}

pub(super) fn duplicate(path: String, value: impl std::fmt::Display) -> FieldError {
    FieldError { field: path, body: format!("Duplicate value: {value}") }
}

fn validate_type(type_: &str, path: &str) -> Vec<FieldError> {
    let errors = each(&names::qualified_name(type_), path, type_);
    if errors.is_empty() && !type_.contains('/') && !LIMIT_TYPES.contains(&type_) {
        let detail = "must be a standard limit type or fully qualified";
        return vec![FieldError::invalid(path, quoted(type_), detail)];
    }
    errors
}

type Amounts = BTreeMap<String, Quantity>;

fn validate_limit(limit: &LimitRangeItem, path: &str) -> Vec<FieldError> {
    let of_pods = limit.type_ == "Pod";
    let mut errors = Vec::new();
    let mut keys: BTreeSet<&String> = BTreeSet::new();
    let fields: [(&str, Option<&Amounts>); 5] = [
        ("max", limit.max.as_ref()),
        ("min", limit.min.as_ref()),
        ("default", limit.default.as_ref()),
        ("defaultRequest", limit.default_request.as_ref()),
        ("maxLimitRequestRatio", limit.max_limit_request_ratio.as_ref()),
    ];
    for (field, amounts) in fields {
        if of_pods && field.starts_with("default") {
            if amounts.is_some_and(|amounts| !amounts.is_empty()) {
                let detail = "may not be specified when `type` is 'Pod'";
                errors.push(FieldError::forbidden(format!("{path}.{field}"), detail));
            }
            continue;
        }
        for name in amounts.into_iter().flat_map(BTreeMap::keys) {
            let path = format!("{path}.{field}[{name}]");
            errors.extend(match limit.type_.as_str() {
                "Pod" | "Container" => resources::validate_container_resource(name, &path),
                _ => resources::validate_any_name(name, &path),
            });
            keys.insert(name);
        }
        let has_storage = |amounts: &Option<Amounts>| {
            amounts.as_ref().is_some_and(|amounts| amounts.contains_key("storage"))
        };
        // Upstream looks once it has read what comes before the ratio.
        if field == "defaultRequest"
            && limit.type_ == "PersistentVolumeClaim"
            && !has_storage(&limit.min)
            && !has_storage(&limit.max)
        {
            let detail = "either minimum or maximum storage value is required, but neither was provided";
            errors.push(FieldError::required(format!("{path}.limits"), detail));
        }
    }
    for key in keys {
        errors.extend(compare(limit, key, path));
    }
    errors
}

/// How the amounts of one resource stand to each other.
fn compare(limit: &LimitRangeItem, key: &str, path: &str) -> Vec<FieldError> {
    let of_pods = limit.type_ == "Pod";
    let amount = |amounts: &Option<Amounts>| {
        let quantity = amounts.as_ref()?.get(key)?;
        Some((nanos(&quantity.0)?, canonical(&quantity.0)))
    };
    let (min, max) = (amount(&limit.min), amount(&limit.max));
    let default = amount(&limit.default).filter(|_| !of_pods);
    let request = amount(&limit.default_request).filter(|_| !of_pods);
    let ratio = amount(&limit.max_limit_request_ratio);
    let at = |field: &str| format!("{path}.{field}[{key}]");
    let mut errors = Vec::new();
    // Of two amounts in the wrong order: which field is at fault, with which amount, and how that is called.
    let mut in_order = |low: &Option<(i128, String)>,
                        high: &Option<(i128, String)>,
                        field: &str,
                        shows_low,
                        words: [&str; 2]| {
        let (Some((low, low_text)), Some((high, high_text))) = (low, high) else { return };
        if low > high {
            let [low_is, high_is] = words;
            let detail = format!("{low_is} {low_text} is greater than {high_is} {high_text}");
            let shown = if shows_low { low_text } else { high_text };
            errors.push(FieldError::invalid(at(field), quoted(shown), &detail));
        }
    };
    in_order(&min, &max, "min", true, ["min value", "max value"]);
    in_order(&min, &request, "defaultRequest", false, ["min value", "default request value"]);
    in_order(&request, &max, "defaultRequest", true, ["default request value", "max value"]);
    in_order(&request, &default, "defaultRequest", true, ["default request value", "default limit value"]);
    in_order(&min, &default, "default", true, ["min value", "default value"]);
    in_order(&default, &max, "default", false, ["default value", "max value"]);
    let at_ratio = at("maxLimitRequestRatio");
    if let Some((number, text)) = &ratio {
        if *number < NANOS {
            errors.push(FieldError::invalid(
                at_ratio.as_str(),
                quoted(text),
                &format!("ratio {text} is less than 1"),
            ));
        }
        if let (Some((min, _)), Some((max, _))) = (&min, &max) {
            let most = *max as f64 / *min as f64;
            if *number as f64 / NANOS as f64 > most {
                let detail = format!("ratio {text} is greater than max/min = {most:.6}");
                errors.push(FieldError::invalid(at_ratio, quoted(text), &detail));
            }
        }
    }
    if let (Some((default, default_text)), Some((request, request_text))) = (&default, &request)
        && default != request
        && !resources::may_be_overcommitted(key)
    {
        let detail = format!(
            "default value {default_text} must equal to defaultRequest value {request_text} in {key}"
        );
        errors.push(FieldError::invalid(at("defaultRequest"), quoted(request_text), &detail));
    }
    errors
}

/// Every rule a ResourceQuota breaks.
pub fn validate_resource_quota(quota: &ResourceQuota) -> Vec<FieldError> {
    let mut errors = metadata::validate(&quota.metadata, "metadata");
    let Some(spec) = &quota.spec else { return errors };
    for (name, quantity) in spec.hard.iter().flatten() {
        let path = format!("spec.hard[{name}]");
        errors.extend(validate_quota_name(name, &path));
        errors.extend(validate_amount(name, quantity, &path));
    }
    errors.extend(validate_scopes(spec));
    for requirement in
        spec.scope_selector.iter().flat_map(|selector| selector.match_expressions.iter().flatten())
    {
        errors.extend(validate_scope_requirement(requirement, spec));
    }
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_resource_quota_update(new: &ResourceQuota, old: &ResourceQuota) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_resource_quota(new));
    let scopes = |quota: &ResourceQuota| -> Vec<String> {
        quota.spec.iter().flat_map(|spec| spec.scopes.iter().flatten()).cloned().collect()
    };
    let [before, after] = [old, new].map(|quota| scopes(quota).into_iter().collect::<BTreeSet<_>>());
    if before != after {
        errors.push(FieldError::invalid("spec.scopes", json(&scopes(new)), "field is immutable"));
    }
    without_repeats(errors)
}

fn is_quota_name(name: &str) -> bool {
    COUNTED.contains(&name)
        || MEASURED.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

fn validate_quota_name(name: &str, path: &str) -> Vec<FieldError> {
    let mut errors = each(&names::qualified_name(name), path, name);
    if !name.contains('/') && !is_quota_name(name) {
        errors.push(FieldError::invalid(path, quoted(name), "must be a standard resource for quota"));
    }
    errors
}

/// What is wrong with an amount of a resource.
pub(super) fn validate_amount(name: &str, quantity: &Quantity, path: &str) -> Vec<FieldError> {
    let Some(amount) = nanos(&quantity.0) else { return Vec::new() };
    let invalid = |detail| FieldError::invalid(path, quoted(&canonical(&quantity.0)), detail);
    let mut errors = Vec::new();
    if amount < 0 {
        errors.push(invalid("must be greater than or equal to 0"));
    }
    if (COUNTED.contains(&name) || resources::is_extended(name)) && amount % NANOS != 0 {
        errors.push(invalid("must be an integer"));
    }
    errors
}

/// Whether a quota of that scope can count that resource.
fn fits(scope: &str, resource: &str) -> bool {
    match scope {
        "BestEffort" => resource == "pods",
        "VolumeAttributesClass" => resource == "persistentvolumeclaims" || resource == "requests.storage",
        _ => resource == "pods" || OF_PODS.contains(&resource),
    }
}

fn quota_resources(spec: &ResourceQuotaSpec) -> impl Iterator<Item = &String> {
    spec.hard.iter().flat_map(BTreeMap::keys).filter(|name| is_quota_name(name))
}

fn validate_scopes(spec: &ResourceQuotaSpec) -> Vec<FieldError> {
    let scopes = spec.scopes.as_deref().unwrap_or_default();
    let invalid = |detail| FieldError::invalid("spec.scopes", json(&scopes), detail);
    let mut errors = Vec::new();
    for scope in scopes {
        if !SCOPES.contains(&scope.as_str()) {
            errors.push(invalid("unsupported scope"));
            continue;
        }
        let unfit = quota_resources(spec).filter(|resource| !fits(scope, resource));
        errors.extend(unfit.map(|_| invalid("unsupported scope applied to resource")));
    }
    for pair in CONFLICTING {
        if pair.iter().all(|scope| scopes.iter().any(|given| given == scope)) {
            errors.push(invalid("conflicting scopes"));
        }
    }
    errors
}

fn validate_scope_requirement(
    requirement: &ScopedResourceSelectorRequirement,
    spec: &ResourceQuotaSpec,
) -> Vec<FieldError> {
    const PATH: &str = "spec.scopeSelector.matchExpressions";
    let ScopedResourceSelectorRequirement { operator, scope_name, values } = requirement;
    let values = values.as_deref().unwrap_or_default();
    let mut errors = Vec::new();
    if SCOPES.contains(&scope_name.as_str()) {
        let unfit = quota_resources(spec).filter(|resource| !fits(scope_name, resource));
        errors.extend(unfit.map(|_| {
            FieldError::invalid(PATH, json(&spec.scope_selector), "unsupported scope applied to resource")
        }));
    } else {
        errors.push(FieldError::invalid(
            format!("{PATH}.scopeName"),
            quoted(scope_name),
            "unsupported scope",
        ));
    }
    let only_exists = !["PriorityClass", "VolumeAttributesClass"].contains(&scope_name.as_str());
    if only_exists && SCOPES.contains(&scope_name.as_str()) && operator != "Exists" {
        errors.push(FieldError::invalid(
            format!("{PATH}.operator"),
            quoted(operator),
            "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, \
             ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or \
             ResourceQuotaScopeCrossNamespacePodAffinity",
        ));
    }
    match operator.as_str() {
        "In" | "NotIn" if values.is_empty() => errors.push(FieldError::required(
            format!("{PATH}.values"),
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        )),
        "Exists" | "DoesNotExist" if !values.is_empty() => errors.push(FieldError::invalid(
            format!("{PATH}.values"),
            json(&values),
            "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
        )),
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => errors.push(FieldError::invalid(
            format!("{PATH}.operator"),
            quoted(other),
            "not a valid selector operator",
        )),
    }
    errors
}
