//! Rules about what a pod says of names and addresses: DNS, aliases of hosts (validatePodDNSConfig, ValidateHostAliases).

use k8s_openapi::api::core::v1::{HostAlias, PodDNSConfig, PodSpec};

use super::value::json;
use super::{addresses, each, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const DNS_POLICIES: [&str; 4] = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
const MAX_NAMESERVERS: usize = 3;
const MAX_SEARCHES: usize = 32;
const MAX_SEARCH_BYTES: usize = 2048;

/// Everything wrong with `dnsPolicy`.
pub(super) fn validate_policy(spec: &PodSpec, path: &str) -> Option<FieldError> {
    let field = format!("{path}.dnsPolicy");
    match spec.dns_policy.as_deref().unwrap_or_default() {
        "" => Some(FieldError::required(field, "")),
        policy if DNS_POLICIES.contains(&policy) => None,
        other => Some(FieldError::unsupported(field, quoted(other), &DNS_POLICIES)),
    }
}

/// Everything wrong with `dnsConfig`.
pub(super) fn validate_config(spec: &PodSpec, path: &str) -> Vec<FieldError> {
    let path = format!("{path}.dnsConfig");
    let is_alone = spec.dns_policy.as_deref() == Some("None");
    let Some(config) = &spec.dns_config else {
        let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
        return is_alone.then(|| FieldError::required(path, detail)).into_iter().collect();
    };
    if is_alone && config.nameservers.as_ref().is_none_or(Vec::is_empty) {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        return vec![FieldError::required(format!("{path}.nameservers"), detail)];
    }
    validate_lists(config, &path)
}

fn validate_lists(config: &PodDNSConfig, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let servers = config.nameservers.as_deref().unwrap_or_default();
    let field = format!("{path}.nameservers");
    if servers.len() > MAX_NAMESERVERS {
        let detail = format!("must not have more than {MAX_NAMESERVERS} nameservers");
        errors.push(FieldError::invalid(field.as_str(), json(&servers), &detail));
    }
    for (index, server) in servers.iter().enumerate() {
        errors.extend(addresses::validate_address(server, &format!("{field}[{index}]")));
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    let field = format!("{path}.searches");
    if searches.len() > MAX_SEARCHES {
        let detail = format!("must not have more than {MAX_SEARCHES} search paths");
        errors.push(FieldError::invalid(field.as_str(), json(&searches), &detail));
    }
    if searches.join(" ").len() > MAX_SEARCH_BYTES {
        let detail = format!(
            "must not have more than {MAX_SEARCH_BYTES} characters (including spaces) in the search list"
        );
        errors.push(FieldError::invalid(field.as_str(), json(&searches), &detail));
    }
    for (index, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        errors.extend(each(&names::dns_search(search), &format!("{field}[{index}]"), search));
    }
    for (index, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_deref().unwrap_or_default().is_empty() {
            errors.push(FieldError::required(format!("{path}.options[{index}]"), "must not be empty"));
        }
    }
    errors
}

/// Everything wrong with `hostAliases`.
pub(super) fn validate_aliases(aliases: &[HostAlias], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (index, alias) in aliases.iter().enumerate() {
        errors.extend(addresses::validate_address(&alias.ip, &format!("{path}[{index}].ip")));
        for (at, name) in alias.hostnames.iter().flatten().enumerate() {
            errors.extend(each(
                &names::dns_subdomain(name),
                &format!("{path}[{index}].hostnames[{at}]"),
                name,
            ));
        }
    }
    errors
}
