//! Rules about NetworkPolicies (ValidateNetworkPolicy).

use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::addresses::{Network, validate_network, warnings_of_network};
use super::ports::{self, number_or_name};
use super::value::json;
use super::{metadata, quoted, update, without_repeats};
use crate::api::NetworkPolicy;
use crate::api::status_error::FieldError;

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];
const TYPES: [&str; 2] = ["Ingress", "Egress"];

/// One rule of either direction: where it stands, its peers with the name of their field, its ports.
struct Rule<'a> {
    path: String,
    peers: (&'static str, &'a [NetworkPolicyPeer]),
    ports: &'a [NetworkPolicyPort],
}

fn rules(policy: &NetworkPolicy) -> Vec<Rule<'_>> {
    let Some(spec) = &policy.spec else { return Vec::new() };
    let ingress = spec.ingress.iter().flatten().enumerate().map(|(index, rule)| Rule {
        path: format!("spec.ingress[{index}]"),
        peers: ("from", rule.from.as_deref().unwrap_or_default()),
        ports: rule.ports.as_deref().unwrap_or_default(),
    });
    let egress = spec.egress.iter().flatten().enumerate().map(|(index, rule)| Rule {
        path: format!("spec.egress[{index}]"),
        peers: ("to", rule.to.as_deref().unwrap_or_default()),
        ports: rule.ports.as_deref().unwrap_or_default(),
    });
    ingress.chain(egress).collect()
}

/// Every rule a NetworkPolicy breaks.
pub fn validate_network_policy(policy: &NetworkPolicy) -> Vec<FieldError> {
    let mut errors = metadata::validate(&policy.metadata, "metadata");
    let Some(spec) = &policy.spec else { return errors };
    if let Some(selector) = &spec.pod_selector {
        errors.extend(metadata::validate_selector(selector, "spec.podSelector"));
    }
    for Rule { path, peers: (field, peers), ports } in rules(policy) {
        for (index, port) in ports.iter().enumerate() {
            errors.extend(validate_port(port, &format!("{path}.ports[{index}]")));
        }
        for (index, peer) in peers.iter().enumerate() {
            errors.extend(validate_peer(peer, &format!("{path}.{field}[{index}]")));
        }
    }
    let types = spec.policy_types.as_deref().unwrap_or_default();
    if types.len() > TYPES.len() {
        let detail = "may not specify more than two policyTypes";
        errors.push(FieldError::invalid("spec.policyTypes", json(&types), detail));
        return errors;
    }
    for (index, word) in types.iter().enumerate().filter(|(_, word)| !TYPES.contains(&word.as_str())) {
        errors.push(FieldError::unsupported(format!("spec.policyTypes[{index}]"), quoted(word), &TYPES));
    }
    errors
}

/// Every rule broken by replacing `old` with `new`.
pub fn validate_network_policy_update(new: &NetworkPolicy, old: &NetworkPolicy) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    errors.extend(validate_network_policy(new));
    without_repeats(errors)
}

/// What is said of a NetworkPolicy that is accepted.
pub fn warnings_of_network_policy(policy: &NetworkPolicy) -> Vec<String> {
    let mut warnings = Vec::new();
    for Rule { path, peers: (field, peers), .. } in rules(policy) {
        for (index, peer) in peers.iter().enumerate() {
            let Some(IPBlock { cidr, except }) = &peer.ip_block else { continue };
            let path = format!("{path}.{field}[{index}].ipBlock");
            warnings.extend(warnings_of_network(cidr, &format!("{path}.cidr")));
            for (index, text) in except.iter().flatten().enumerate() {
                warnings.extend(warnings_of_network(text, &format!("{path}.except[{index}]")));
            }
        }
    }
    warnings
}

fn validate_port(port: &NetworkPolicyPort, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(protocol) = port.protocol.as_deref().filter(|protocol| !PROTOCOLS.contains(protocol)) {
        errors.push(FieldError::unsupported(format!("{path}.protocol"), quoted(protocol), &PROTOCOLS));
    }
    let at_end = format!("{path}.endPort");
    match (&port.port, port.end_port) {
        (None, None) => {}
        (None, Some(end)) => {
            errors.push(FieldError::invalid(
                at_end,
                end,
                "may not be specified when `port` is not specified",
            ));
        }
        (Some(first @ IntOrString::Int(number)), end) => {
            errors.extend(number_or_name(first, &format!("{path}.port")));
            if let Some(end) = end {
                if end < *number {
                    // Upstream shows the port, not its end.
                    let detail = "must be greater than or equal to `port`";
                    errors.push(FieldError::invalid(at_end.as_str(), number, detail));
                }
                errors.extend(ports::number(end, &at_end));
            }
        }
        (Some(first @ IntOrString::String(_)), end) => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is non-numeric";
                errors.push(FieldError::invalid(at_end, end, detail));
            }
            errors.extend(number_or_name(first, &format!("{path}.port")));
        }
    }
    errors
}

fn validate_peer(peer: &NetworkPolicyPeer, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for (field, selector) in
        [("podSelector", &peer.pod_selector), ("namespaceSelector", &peer.namespace_selector)]
    {
        if let Some(selector) = selector {
            errors.extend(metadata::validate_selector(selector, &format!("{path}.{field}")));
        }
    }
    let selects = peer.pod_selector.is_some() || peer.namespace_selector.is_some();
    match &peer.ip_block {
        Some(block) => {
            errors.extend(validate_block(block, &format!("{path}.ipBlock")));
            if selects {
                errors.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
            }
        }
        None if !selects => errors.push(FieldError::required(path, "must specify a peer")),
        None => {}
    }
    errors
}

fn validate_block(block: &IPBlock, path: &str) -> Vec<FieldError> {
    let at = format!("{path}.cidr");
    if block.cidr.is_empty() {
        return vec![FieldError::required(at, "")];
    }
    let mut errors: Vec<FieldError> = validate_network(&block.cidr, &at).into_iter().collect();
    let Some(whole) = Network::parse(&block.cidr) else { return errors };
    for (index, text) in block.except.iter().flatten().enumerate() {
        let at = format!("{path}.except[{index}]");
        errors.extend(validate_network(text, &at));
        let Some(part) = Network::parse(text) else { continue };
        if !whole.contains(part) || whole.bits >= part.bits {
            errors.push(FieldError::invalid(at, quoted(text), "must be a strict subset of `cidr`"));
        }
    }
    errors
}
