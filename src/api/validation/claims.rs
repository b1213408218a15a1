//! Rules about claims of devices: those of a pod, and which of them its containers use.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodResourceClaim, ResourceClaim};

use super::{each, quoted, value};
use crate::api::names;
use crate::api::status_error::FieldError;

/// The claims of devices that a container uses (validateResourceClaimNames).
pub(super) fn validate_used(named: &[ResourceClaim], claims: &BTreeSet<&str>, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (index, claim) in named.iter().enumerate() {
        let field = format!("{path}[{index}]");
        let name = claim.name.as_str();
        if name.is_empty() {
            errors.push(FieldError::required(field, ""));
            continue;
        }
        let request = claim.request.as_deref().filter(|request| !request.is_empty());
        if seen.contains(name) {
            errors.push(FieldError::duplicate(&field, quoted(name)));
        } else {
            let key = request.map_or_else(|| name.to_owned(), |request| format!("{name}/{request}"));
            if let Some(request) = request {
                errors.extend(each(&names::dns_label(request), &format!("{field}.request"), request));
            }
            // A whole claim has the parts that were named before.
            let parts =
                seen.iter().filter(|seen| seen.split_once('/').is_some_and(|(claim, _)| claim == name));
            let repeats = if seen.contains(&key) {
                vec![key.clone()]
            } else if request.is_none() {
                parts.map(|_| name.to_owned()).collect()
            } else {
                Vec::new()
            };
            errors.extend(repeats.iter().map(|repeat| FieldError::duplicate(&field, quoted(repeat))));
            seen.insert(key);
        }
        if !claims.contains(name) {
            let known: Vec<&str> = claims.iter().copied().collect();
            let which = if known.is_empty() {
                " which is empty".to_owned()
            } else {
                format!(": {}", known.join(", "))
            };
            let body = format!(
                "Not found: {}: must be one of the names in pod.spec.resourceClaims{which}",
                quoted(name)
            );
            errors.push(FieldError { field, body });
        }
    }
    errors
}

/// Everything wrong with the claims of a pod (validatePodResourceClaims).
pub(super) fn validate_of_pod(claims: &[PodResourceClaim], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, claim) in claims.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let field = format!("{path}.name");
        if claim.name.is_empty() {
            errors.push(FieldError::required(field, ""));
        } else if !seen.insert(&claim.name) {
            errors.push(FieldError::duplicate(field, quoted(&claim.name)));
        } else {
            errors.extend(each(&names::dns_label(&claim.name), &field, &claim.name));
        }
        let problem = match (&claim.resource_claim_name, &claim.resource_claim_template_name) {
            (Some(_), Some(_)) => {
                Some("at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")
            }
            (None, None) => Some("must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"),
            _ => None,
        };
        errors.extend(
            problem.map(|problem| FieldError::invalid(&path, value::pod_resource_claim(claim), problem)),
        );
        for (field, name) in [
            ("resourceClaimName", &claim.resource_claim_name),
            ("resourceClaimTemplateName", &claim.resource_claim_template_name),
        ] {
            let Some(name) = name else { continue };
            errors.extend(each(&names::dns_subdomain(name), &format!("{path}.{field}"), name));
        }
    }
    errors
}
