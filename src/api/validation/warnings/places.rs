//! Where a pod is to run, and addresses: labels that have other names now, selectors that select nothing, addresses that are
//! written in a way of their own.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use k8s_openapi::api::core::v1::{NodeSelectorTerm, PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};

use super::super::quoted;
use crate::api::names;

/// Labels of nodes, and what has become of them.
const OLD_LABELS: [(&str, &str); 5] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
];
const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(label, _)| *label == key).map(|(_, message)| *message)
}

/// What is worth saying about the nodes that a pod asks for.
pub(super) fn of_nodes(spec: &PodSpec, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for key in spec.node_selector.iter().flatten().map(|(key, _)| key) {
        warnings.extend(old_label(key).map(|message| format!("{path}.nodeSelector[{key}]: {message}")));
    }
    if let Some(affinity) = spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.as_ref()) {
        let path = format!("{path}.affinity.nodeAffinity");
        let required = &affinity.required_during_scheduling_ignored_during_execution;
        let terms = required.iter().flat_map(|required| &required.node_selector_terms).enumerate();
        for (index, term) in terms {
            let path =
                format!("{path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[{index}]");
            warnings.extend(of_term(term, true, &path));
        }
        let preferred = affinity.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        for (index, choice) in preferred.enumerate() {
            let path = format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}].preference");
            warnings.extend(of_term(&choice.preference, false, &path));
        }
    }
    for (index, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        let place = format!("{path}.topologySpreadConstraints[{index}]");
        let key = &constraint.topology_key;
        warnings.extend(old_label(key).map(|message| format!("{place}.topologyKey: {key} is {message}")));
        if constraint.label_selector.is_none() {
            warnings.push(format!("{place}.labelSelector: {NO_SELECTOR}"));
        }
    }
    warnings
}

/// Values that no label can have are an error in a requirement, and told here of a preference.
fn of_term(term: &NodeSelectorTerm, is_required: bool, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, rule) in term.match_expressions.iter().flatten().enumerate() {
        let place = format!("{path}.matchExpressions[{index}]");
        let key = &rule.key;
        warnings.extend(old_label(key).map(|message| format!("{place}.key: {key} is {message}")));
        if is_required {
            continue;
        }
        for (index, value) in rule.values.iter().flatten().enumerate() {
            let problems = names::label_value(value);
            let told = problems
                .iter()
                .map(|problem| format!("{place}.values[{index}]: {value} is invalid, {problem}"));
            warnings.extend(told);
        }
    }
    warnings
}

/// What is worth saying about the pods that a pod wants to be with, or apart from.
pub(super) fn of_pods(spec: &PodSpec, path: &str) -> Vec<String> {
    let Some(affinity) = &spec.affinity else { return Vec::new() };
    let mut warnings = Vec::new();
    if let Some(together) = &affinity.pod_affinity {
        warnings.extend(of_terms(
            together.required_during_scheduling_ignored_during_execution.as_ref(),
            together.preferred_during_scheduling_ignored_during_execution.as_ref(),
            &format!("{path}.affinity.podAffinity"),
        ));
    }
    if let Some(apart) = &affinity.pod_anti_affinity {
        warnings.extend(of_terms(
            apart.required_during_scheduling_ignored_during_execution.as_ref(),
            apart.preferred_during_scheduling_ignored_during_execution.as_ref(),
            &format!("{path}.affinity.podAntiAffinity"),
        ));
    }
    warnings
}

fn of_terms(
    required: Option<&Vec<PodAffinityTerm>>,
    preferred: Option<&Vec<WeightedPodAffinityTerm>>,
    path: &str,
) -> Vec<String> {
    let required = required.into_iter().flatten().enumerate().map(|(index, term)| {
        (term, format!("{path}.requiredDuringSchedulingIgnoredDuringExecution[{index}]"))
    });
    let preferred = preferred.into_iter().flatten().enumerate().map(|(index, choice)| {
        let place =
            format!("{path}.preferredDuringSchedulingIgnoredDuringExecution[{index}].podAffinityTerm");
        (&choice.pod_affinity_term, place)
    });
    let without = required.chain(preferred).filter(|(term, _)| term.label_selector.is_none());
    without.map(|(_, place)| format!("{place}.labelSelector: {NO_SELECTOR}")).collect()
}

/// What is worth saying about the addresses that a pod names.
pub(super) fn of_addresses(spec: &PodSpec, path: &str) -> Vec<String> {
    let servers = spec.dns_config.iter().flat_map(|config| config.nameservers.iter().flatten()).enumerate();
    let servers = servers.map(|(index, server)| (format!("{path}.dnsConfig.nameservers[{index}]"), server));
    let aliases = spec.host_aliases.iter().flatten().enumerate();
    let aliases = aliases.map(|(index, alias)| (format!("{path}.hostAliases[{index}].ip"), &alias.ip));
    servers.chain(aliases).filter_map(|(place, address)| of_address(address, &place)).collect()
}

/// An address that is not written as it should be (GetWarningsForIP).
fn of_address(text: &str, place: &str) -> Option<String> {
    let better = match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => return None,
        Ok(IpAddr::V6(address)) => match mapped(address) {
            Some(address) => address.to_string(),
            None if address.to_string() == text => return None,
            None => {
                let better = quoted(&address.to_string());
                let text = quoted(text);
                return Some(format!(
                    "{place}: IPv6 address {text} should be in RFC 5952 canonical format ({better})"
                ));
            }
        },
        Err(_) => without_zeros(text)?.to_string(),
    };
    Some(format!(
        "{place}: non-standard IP address {} will be considered invalid in a future Kubernetes release: use {}",
        quoted(text),
        quoted(&better)
    ))
}

fn mapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4_mapped()
}

/// An address whose numbers have zeros before them; they are decimal all the same.
fn without_zeros(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u8> = text.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    <[u8; 4]>::try_from(numbers).ok().map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_recommended_in_their_one_form() {
        for (text, expected) in [
            ("10.0.0.1", None),
            ("::1", None),
            ("010.0.0.001", Some("10.0.0.1")),
            ("::ffff:1.2.3.4", Some("1.2.3.4")),
            ("2001:DB8::0:1", Some("2001:db8::1")),
            ("x", None),
        ] {
            let warning = of_address(text, "ip");
            assert_eq!(warning.is_some(), expected.is_some(), "{text}: {warning:?}");
            if let (Some(warning), Some(expected)) = (warning, expected) {
                assert!(warning.contains(&quoted(expected)), "{warning}");
            }
        }
    }
}
