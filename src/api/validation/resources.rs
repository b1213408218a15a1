//! Rules about the resources of a container (ValidateResourceRequirements).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{each, quoted};
use crate::api::names;
use crate::api::quantity::{canonical, parse};
use crate::api::status_error::FieldError;

/// What a container may ask for.
const FOR_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Other names that mean something, in quotas for instance.
const STANDARD: [&str; 12] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
    "requests.hugepages-",
];
const HUGE_PAGES: &str = "hugepages-";

/// Everything wrong with what a container asks for and is limited to.
pub(super) fn validate(resources: &ResourceRequirements, path: &str) -> Vec<FieldError> {
    let none = BTreeMap::new();
    let limits = resources.limits.as_ref().unwrap_or(&none);
    let requests = resources.requests.as_ref().unwrap_or(&none);
    let mut errors = Vec::new();
    for (name, limit) in limits {
        errors.extend(validate_one(name, limit, &format!("{path}.limits[{name}]")));
    }
    for (name, request) in requests {
        errors.extend(validate_one(name, request, &format!("{path}.requests[{name}]")));
        errors.extend(validate_request(name, request, limits.get(name), path));
    }
    let mut names = limits.keys().chain(requests.keys());
    let has_pages = names.clone().any(|name| name.starts_with(HUGE_PAGES));
    if has_pages && !names.any(|name| name == "cpu" || name == "memory") {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
    errors
}

fn validate_one(name: &str, quantity: &Quantity, path: &str) -> Vec<FieldError> {
    let mut errors = validate_name(name, path);
    let shown = quoted(&canonical(&quantity.0));
    match parse(&quantity.0) {
        Err(problem) => errors.push(FieldError::invalid(path, quoted(&quantity.0), problem)),
        Ok(nanos) if nanos < 0 => {
            errors.push(FieldError::invalid(path, shown, "must be greater than or equal to 0"));
        }
        Ok(nanos) if is_extended(name) && nanos % 1_000_000_000 != 0 => {
            errors.push(FieldError::invalid(path, shown, "must be an integer"));
        }
        Ok(_) => {}
    }
    errors
}

/// Everything wrong with the name of a resource of any kind.
pub(super) fn validate_any_name(name: &str, path: &str) -> Vec<FieldError> {
    let mut errors = each(&names::qualified_name(name), path, name);
    if errors.is_empty() && !name.contains('/') && !FOR_CONTAINERS.contains(&name) && !is_standard(name) {
        let detail = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(path, quoted(name), detail));
    }
    errors
}

/// Whether a container may be limited to more than it asks for of a resource.
pub(super) fn may_be_overcommitted(name: &str) -> bool {
    is_native(name) && !name.starts_with(HUGE_PAGES)
}

/// Everything wrong with the name of a resource of containers.
pub(super) fn validate_name(name: &str, path: &str) -> Vec<FieldError> {
    let mut errors = each(&names::qualified_name(name), path, name);
    let invalid = |detail: &str| FieldError::invalid(path, quoted(name), detail);
    let for_containers = FOR_CONTAINERS.contains(&name) || name.starts_with(HUGE_PAGES);
    if name.contains('/') {
        if !is_native(name) && !is_extended(name) {
            errors.push(invalid("doesn't follow extended resource name standard"));
        }
        return errors;
    }
    if errors.is_empty() && !for_containers && !is_standard(name) {
        errors.push(invalid("must be a standard resource type or fully qualified"));
    }
    if !for_containers {
        errors.push(invalid("must be a standard resource for containers"));
    }
    errors
}

fn is_standard(name: &str) -> bool {
    let of_quota = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits."));
    of_quota.is_some_and(|name| FOR_CONTAINERS.contains(&name))
        || STANDARD.iter().any(|known| name == *known || known.ends_with('-') && name.starts_with(known))
}

/// Whether a resource is one of Kubernetes' own.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

/// Whether a resource is somebody else's, of whole units: a device.
pub(super) fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified_name(&format!("requests.{name}")).is_empty()
}

/// Of what cannot be shared the limit is what is asked for.
fn validate_request(
    name: &str,
    request: &Quantity,
    limit: Option<&Quantity>,
    path: &str,
) -> Option<FieldError> {
    let can_be_shared = is_native(name) && !name.starts_with(HUGE_PAGES);
    let Some(limit) = limit else {
        let detail = "Limit must be set for non overcommitable resources";
        return (!can_be_shared).then(|| FieldError::required(format!("{path}.limits"), detail));
    };
    let (asked, allowed) = (parse(&request.0).ok()?, parse(&limit.0).ok()?);
    let relation = if !can_be_shared && asked != allowed {
        "equal to"
    } else if asked > allowed {
        "less than or equal to"
    } else {
        return None;
    };
    let detail = format!("must be {relation} {name} limit of {}", canonical(&limit.0));
    Some(FieldError::invalid(format!("{path}.requests"), quoted(&canonical(&request.0)), &detail))
}
