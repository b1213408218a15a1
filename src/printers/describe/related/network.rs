//! Services and NetworkPolicies.

use k8s_openapi::api::networking::v1::{NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::super::{Output, line, selector_text};
use super::{Describe, Related, in_line, or_none};
use crate::api::{EndpointSlice, NetworkPolicy, Service};

impl Describe for Service {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        out.metadata(&self.metadata, true);
        let spec = self.spec.clone().unwrap_or_default();
        let joined = |list: &Option<Vec<String>>| list.as_deref().unwrap_or_default().join(",");
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut optional = |title: &str, value: String| {
            if !value.is_empty() {
                line!(out, 0, "{title}:\t{value}");
            }
        };
        optional("Selector", in_line(spec.selector.as_ref()));
        optional("Type", text(&spec.type_));
        optional("IP Family Policy", text(&spec.ip_family_policy));
        optional("IP Families", or_none(joined(&spec.ip_families)));
        line!(out, 0, "IP:\t{}", text(&spec.cluster_ip));
        let mut optional = |title: &str, value: String| {
            if !value.is_empty() {
                line!(out, 0, "{title}:\t{value}");
            }
        };
        optional("IPs", or_none(joined(&spec.cluster_ips)));
        optional("External IPs", joined(&spec.external_ips));
        optional("Desired LoadBalancer IP", text(&spec.load_balancer_ip));
        optional("External Name", text(&spec.external_name));
        let balancer = self.status.as_ref().and_then(|status| status.load_balancer.as_ref());
        let ingress = balancer.and_then(|balancer| balancer.ingress.as_deref()).unwrap_or_default();
        let ingress: Vec<String> =
            ingress.iter().filter_map(|one| one.ip.clone().or_else(|| one.hostname.clone())).collect();
        optional("LoadBalancer Ingress", ingress.join(", "));
        for port in spec.ports.iter().flatten() {
            let name = port.name.as_deref().filter(|name| !name.is_empty()).unwrap_or("<unset>");
            let protocol = port.protocol.as_deref().unwrap_or_default();
            line!(out, 0, "Port:\t{name}\t{}/{protocol}", port.port);
            let target = port.target_port.as_ref().map_or_else(|| port.port.to_string(), shown);
            line!(out, 0, "TargetPort:\t{target}/{protocol}");
            if let Some(number) = port.node_port.filter(|number| *number != 0) {
                line!(out, 0, "NodePort:\t{name}\t{number}/{protocol}");
            }
            let of_port = port.name.as_deref().unwrap_or_default();
            line!(out, 0, "Endpoints:\t{}", endpoints(&related.endpoint_slices, of_port));
        }
        line!(out, 0, "Session Affinity:\t{}", text(&spec.session_affinity));
        let mut optional = |title: &str, value: String| {
            if !value.is_empty() {
                line!(out, 0, "{title}:\t{value}");
            }
        };
        optional("External Traffic Policy", text(&spec.external_traffic_policy));
        optional("Internal Traffic Policy", text(&spec.internal_traffic_policy));
        let port = spec.health_check_node_port.filter(|port| *port != 0);
        optional("HealthCheck NodePort", port.map(|port| port.to_string()).unwrap_or_default());
        optional("LoadBalancer Source Ranges", joined(&spec.load_balancer_source_ranges));
    }
}

/// Where a port of a Service leads to: the first three, and how many more there are.
fn endpoints(slices: &[EndpointSlice], port_name: &str) -> String {
    const MOST: usize = 3;
    let mut all = Vec::new();
    for slice in slices {
        let ports = slice.ports.iter().flatten();
        for port in ports.filter(|port| port.name.as_deref().unwrap_or_default() == port_name) {
            let ready = slice.endpoints.iter().filter(|endpoint| {
                endpoint.conditions.as_ref().is_none_or(|conditions| conditions.ready != Some(false))
            });
            let addresses = ready.flat_map(|endpoint| &endpoint.addresses);
            all.extend(addresses.map(|address| format!("{address}:{}", port.port.unwrap_or(0))));
        }
    }
    let more = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    match more {
        0 if slices.is_empty() => "<none>".to_owned(),
        0 => all.join(","),
        more => format!("{} + {more} more...", all.join(",")),
    }
}

fn shown(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

impl Describe for NetworkPolicy {
    const HAS_EVENTS: bool = false;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        let meta = &self.metadata;
        line!(out, 0, "Name:\t{}", meta.name.as_deref().unwrap_or_default());
        line!(out, 0, "Namespace:\t{}", meta.namespace.as_deref().unwrap_or_default());
        let created = meta.creation_timestamp.as_ref();
        let created = created.map(|time| time.0.format("%Y-%m-%d %H:%M:%S +0000 UTC").to_string());
        line!(out, 0, "Created on:\t{}", created.unwrap_or_default());
        out.labels("", "Labels", meta.labels.as_ref());
        out.annotations("", meta.annotations.as_ref());
        let spec = self.spec.clone().unwrap_or_default();
        let types = spec.policy_types.clone().unwrap_or_default();
        line!(out, 0, "Spec:");
        let pods = match spec.pod_selector.as_ref().map(selector_text).unwrap_or_default() {
            all if all.is_empty() => {
                "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
            }
            some => some,
        };
        line!(out, 1, "PodSelector:     {pods}");
        let ingress: Vec<Rule<'_>> = spec
            .ingress
            .iter()
            .flatten()
            .map(|rule| (rule.from.as_deref().unwrap_or_default(), rule.ports.as_deref().unwrap_or_default()))
            .collect();
        let egress: Vec<Rule<'_>> = spec
            .egress
            .iter()
            .flatten()
            .map(|rule| (rule.to.as_deref().unwrap_or_default(), rule.ports.as_deref().unwrap_or_default()))
            .collect();
        for (type_, rules, head, end) in
            [("Ingress", ingress, "From", "source"), ("Egress", egress, "To", "destination")]
        {
            let traffic = type_.to_lowercase();
            if types.iter().any(|given| given == type_) {
                line!(out, 1, "Allowing {traffic} traffic:");
                describe_rules(out, &rules, &traffic, head, end);
            } else {
                line!(out, 1, "Not affecting {traffic} traffic");
            }
        }
        line!(out, 1, "Policy Types: {}", types.join(", "));
    }
}

/// Peers and ports.
type Rule<'a> = (&'a [NetworkPolicyPeer], &'a [NetworkPolicyPort]);

fn describe_rules(out: &mut Output<'_>, rules: &[Rule<'_>], traffic: &str, head: &str, end: &str) {
    if rules.is_empty() {
        line!(out, 2, "<none> (Selected pods are isolated for {traffic} connectivity)");
    }
    for (index, (peers, ports)) in rules.iter().enumerate() {
        if index > 0 {
            line!(out, 2, "----------");
        }
        if ports.is_empty() {
            line!(out, 2, "To Port: <any> (traffic allowed to all ports)");
        }
        for port in *ports {
            let number = port.port.as_ref().map_or_else(|| "<nil>".to_owned(), shown);
            line!(out, 2, "To Port: {number}/{}", port.protocol.as_deref().unwrap_or("TCP"));
        }
        if peers.is_empty() {
            line!(out, 2, "{head}: <any> (traffic not restricted by {end})");
        }
        for peer in *peers {
            line!(out, 2, "{head}:");
            describe_peer(out, peer);
        }
    }
}

fn describe_peer(out: &mut Output<'_>, peer: &NetworkPolicyPeer) {
    let text = |selector: &LabelSelector| or_none(selector_text(selector));
    if let Some(selector) = &peer.namespace_selector {
        line!(out, 3, "NamespaceSelector: {}", text(selector));
    }
    if let Some(selector) = &peer.pod_selector {
        line!(out, 3, "PodSelector: {}", text(selector));
    }
    if let Some(block) = peer.ip_block.as_ref().filter(|_| peer.pod_selector.is_none()) {
        line!(out, 3, "IPBlock:");
        line!(out, 4, "CIDR: {}", block.cidr);
        line!(out, 4, "Except: {}", block.except.as_deref().unwrap_or_default().join(", "));
    }
}
