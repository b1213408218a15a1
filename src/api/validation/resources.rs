//! Rules about the resources of containers and pods (ValidateContainerResourceRequirements, validatePodResources).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::{claims, each, quoted};
use crate::api::names;
use crate::api::pod_resources::{self, is_of_pods};
use crate::api::quantity::{canonical, parse, whole};
use crate::api::resource_field::Amounts;
use crate::api::status_error::FieldError;

/// What a container may ask for.
const FOR_CONTAINERS: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// What a pod may ask for itself.
const FOR_PODS: [&str; 3] = ["cpu", HUGE_PAGES, "memory"];
/// Other names that mean something, in quotas for instance.
const MEASURED: [&str; 3] = ["requests.storage", "storage", "requests.hugepages-"];
/// What quotas count, which comes in whole numbers.
pub(super) const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];
const HUGE_PAGES: &str = "hugepages-";
const BILLION: i128 = 1_000_000_000;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A container.
    Container,
    /// A pod itself.
    Pod,
}

/// Everything wrong with what a container or a pod asks for and is limited to. `known_claims` are the pod's.
pub(super) fn validate(
    resources: &ResourceRequirements,
    holder: Holder,
    known_claims: &BTreeSet<&str>,
    path: &str,
) -> Vec<FieldError> {
    let none = BTreeMap::new();
    let limits = resources.limits.as_ref().unwrap_or(&none);
    let requests = resources.requests.as_ref().unwrap_or(&none);
    let mut errors = Vec::new();
    for (name, limit) in limits {
        let path = format!("{path}.limits[{name}]");
        errors.extend(validate_name(name, holder, &path));
        errors.extend(validate_quantity(name, limit, &path));
        errors.extend(validate_pages(name, limit, &path));
    }
    for (name, request) in requests {
        let own = format!("{path}.requests[{name}]");
        errors.extend(validate_name(name, holder, &own));
        errors.extend(validate_quantity(name, request, &own));
        errors.extend(validate_request(name, request, limits.get(name), path));
        errors.extend(validate_pages(name, request, &own));
    }
    let mut names = limits.keys().chain(requests.keys());
    let has_pages = names.clone().any(|name| name.starts_with(HUGE_PAGES));
    if has_pages && !names.any(|name| name == "cpu" || name == "memory") {
        errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
    let named = resources.claims.as_deref().unwrap_or_default();
    errors.extend(claims::validate_used(named, known_claims, &format!("{path}.claims")));
    errors
}

/// Everything wrong with the amount of one resource (ValidateResourceQuantityValue).
fn validate_quantity(name: &str, quantity: &Quantity, path: &str) -> Vec<FieldError> {
    let shown = quoted(&canonical(&quantity.0));
    let mut errors = Vec::new();
    match parse(&quantity.0) {
        Err(problem) => errors.push(FieldError::invalid(path, quoted(&quantity.0), problem)),
        Ok(nanos) => {
            if nanos < 0 {
                errors.push(FieldError::invalid(path, &shown, "must be greater than or equal to 0"));
            }
            if (is_extended(name) || COUNTED.contains(&name)) && nanos % BILLION != 0 {
                errors.push(FieldError::invalid(path, shown, "must be an integer"));
            }
        }
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
pub(super) fn validate_container_resource(name: &str, path: &str) -> Vec<FieldError> {
    validate_name(name, Holder::Container, path)
}

fn validate_name(name: &str, holder: Holder, path: &str) -> Vec<FieldError> {
    let mut errors = each(&names::qualified_name(name), path, name);
    let invalid = |detail: &str| FieldError::invalid(path, quoted(name), detail);
    let for_containers = FOR_CONTAINERS.contains(&name) || name.starts_with(HUGE_PAGES);
    if errors.is_empty() && !name.contains('/') && !for_containers && !is_standard(name) {
        errors.push(invalid("must be a standard resource type or fully qualified"));
    }
    match holder {
        Holder::Pod if errors.is_empty() && !is_of_pods(name) => {
            errors.push(FieldError::unsupported(path, quoted(name), &FOR_PODS));
        }
        Holder::Pod => {}
        Holder::Container if name.contains('/') => {
            if !is_native(name) && !is_extended(name) {
                errors.push(invalid("doesn't follow extended resource name standard"));
            }
        }
        Holder::Container if !for_containers => {
            errors.push(invalid("must be a standard resource for containers"));
        }
        Holder::Container => {}
    }
    errors
}

fn is_standard(name: &str) -> bool {
    let of_quota = name.strip_prefix("requests.").or_else(|| name.strip_prefix("limits."));
    of_quota.is_some_and(|name| FOR_CONTAINERS.contains(&name))
        || COUNTED
            .iter()
            .chain(&MEASURED)
            .any(|known| name == *known || known.ends_with('-') && name.starts_with(known))
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

/// Huge pages come in pages.
fn validate_pages(name: &str, quantity: &Quantity, path: &str) -> Option<FieldError> {
    let size = name.strip_prefix(HUGE_PAGES)?;
    let page = parse(size).ok().filter(|page| *page > 0 && page % BILLION == 0).and_then(|_| whole(size));
    let amount = whole(&quantity.0)?;
    let is_divisible = page.is_some_and(|page| amount % page == 0);
    let shown = canonical(&quantity.0);
    let detail = format!("{shown} is not positive integer multiple of {name}");
    (!is_divisible).then(|| FieldError::invalid(path, quoted(&shown), &detail))
}

/// Everything wrong with what a pod asks for itself, and how that goes with its containers.
pub(super) fn validate_pod(spec: &PodSpec, known_claims: &BTreeSet<&str>, path: &str) -> Vec<FieldError> {
    let Some(resources) = &spec.resources else { return Vec::new() };
    if spec.os.as_ref().is_some_and(|os| os.name == "windows") {
        return vec![FieldError::forbidden(path, "may not be set for a windows pod")];
    }
    let mut errors = Vec::new();
    if resources.claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
        let detail = "claims cannot be set for Resources at pod-level";
        errors.push(FieldError::forbidden(format!("{path}.claims"), detail));
    }
    errors.extend(validate(resources, Holder::Pod, known_claims, path));
    let asked = pod_resources::requests_of_containers(spec);
    errors.extend(validate_sums(resources.requests.as_ref(), &asked, "requests", path));
    let mut pages = pod_resources::limits_of_containers(spec);
    pages.retain(|name, _| name.starts_with(HUGE_PAGES));
    errors.extend(validate_sums(resources.limits.as_ref(), &pages, "limits", path));
    for (index, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.iter().flat_map(|resources| resources.limits.iter().flatten());
        for (name, limit) in limits {
            let Some(of_pod) = resources.limits.as_ref().and_then(|limits| limits.get(name)) else {
                continue;
            };
            if parse(&limit.0) > parse(&of_pod.0) {
                let detail = format!("must be less than or equal to pod limits of {}", canonical(&of_pod.0));
                let field = format!("{path}.containers[{index}][{name}].limits");
                errors.push(FieldError::invalid(field, quoted(&canonical(&limit.0)), &detail));
            }
        }
    }
    errors
}

/// What the pod says of a resource is enough for its containers together.
fn validate_sums(of_pod: Option<&Amounts>, sums: &Amounts, list: &str, path: &str) -> Vec<FieldError> {
    let given = sums.iter().filter_map(|(name, sum)| Some((name, sum, of_pod?.get(name)?)));
    given
        .filter(|(_, sum, of_pod)| parse(&sum.0) > parse(&of_pod.0))
        .map(|(name, sum, of_pod)| {
            let detail = format!(
                "must be greater than or equal to aggregate container {list} of {}",
                canonical(&sum.0)
            );
            let field = format!("{path}.{list}[{name}]");
            FieldError::invalid(field, quoted(&canonical(&of_pod.0)), &detail)
        })
        .collect()
}
