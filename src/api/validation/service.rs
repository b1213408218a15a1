//! Rules about Services (ValidateService).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};

use super::addresses::{self, validate_address, validate_network, warning_of_address, warnings_of_network};
use super::ports::{self, number_or_name};
use super::quotas::duplicate;
use super::value::json;
use super::{each, metadata, quoted, update, without_repeats};
use crate::api::Service;
use crate::api::names;
use crate::api::status_error::FieldError;

const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const TRAFFIC_POLICIES: [&str; 2] = ["Cluster", "Local"];
const DISTRIBUTIONS: [&str; 3] = ["PreferClose", "PreferSameNode", "PreferSameZone"];
const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];
const FAMILY_POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
/// The longest that a client may stay with a pod: a day.
const MAX_AFFINITY_SECONDS: i32 = 86_400;
/// The port of the kubelet, which a load balancer must not open.
const KUBELET_PORT: i32 = 10_250;

/// Every rule a Service breaks.
pub fn validate_service(service: &Service) -> Vec<FieldError> {
    let mut errors = metadata::validate_as(&service.metadata, "metadata", names::dns_1035_label);
    let spec = service.spec.clone().unwrap_or_default();
    let type_ = spec.type_.as_deref().unwrap_or_default();
    let ports = spec.ports.as_deref().unwrap_or_default();
    if ports.is_empty() && !is_headless(&spec) && type_ != "ExternalName" {
        errors.push(FieldError::required("spec.ports", ""));
    }
    errors.extend(of_type(&spec, type_, ports));
    let mut names = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("spec.ports[{index}]");
        errors.extend(validate_port(port, ports.len() > 1, &mut names, &path));
    }
    errors.extend(metadata::validate_labels(spec.selector.as_ref(), "spec.selector"));
    errors.extend(validate_affinity(&spec));
    if type_ != "ExternalName" {
        errors.extend(validate_cluster_ips(&spec));
    }
    for (index, ip) in spec.external_ips.iter().flatten().enumerate() {
        let path = format!("spec.externalIPs[{index}]");
        let problem = validate_address(ip, &path);
        if problem.is_none() {
            errors.extend(validate_ordinary(ip, &path));
        }
        errors.extend(problem);
    }
    if !TYPES.contains(&type_) {
        errors.push(FieldError::unsupported("spec.type", quoted(type_), &TYPES));
    }
    errors.extend(validate_uniqueness(ports, type_));
    errors.extend(validate_balancer(&spec, type_));
    errors.extend(validate_traffic(&spec, type_));
    errors
}

/// Every rule broken by replacing `old` with `new`: the address of a Service stays.
pub fn validate_service_update(new: &Service, old: &Service) -> Vec<FieldError> {
    let mut errors = update::metadata(&new.metadata, &old.metadata);
    let (Some(spec), Some(old_spec)) = (&new.spec, &old.spec) else { return errors };
    let has_ip = |spec: &ServiceSpec| spec.type_.as_deref() != Some("ExternalName");
    let first = |spec: &ServiceSpec| spec.cluster_ips.iter().flatten().next().cloned();
    if has_ip(spec) && has_ip(old_spec) && first(old_spec).is_some() && first(spec) != first(old_spec) {
        let shown = json(&spec.cluster_ips.as_deref().unwrap_or_default());
        errors.push(FieldError::invalid("spec.clusterIPs[0]", shown, "may not change once set"));
    }
    errors.extend(validate_service(new));
    without_repeats(errors)
}

/// What is said of a Service that is accepted (GetWarningsForService).
pub fn warnings_of_service(service: &Service) -> Vec<String> {
    let Some(spec) = &service.spec else { return Vec::new() };
    let mut warnings = Vec::new();
    let is_set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    if is_headless(spec) {
        if is_set(&spec.load_balancer_ip) {
            warnings.push("spec.loadBalancerIP is ignored when spec.clusterIP is \"None\"".to_owned());
        }
        if spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty()) {
            warnings.push("spec.externalIPs is ignored when spec.clusterIP is \"None\"".to_owned());
        }
        if spec.session_affinity.as_deref().is_some_and(|affinity| affinity != "None") {
            warnings.push("spec.SessionAffinity is ignored for headless services".to_owned());
        }
    } else {
        for (index, ip) in spec.cluster_ips.iter().flatten().enumerate() {
            warnings.extend(warning_of_address(ip, &format!("spec.clusterIPs[{index}]")));
        }
    }
    for (index, ip) in spec.external_ips.iter().flatten().enumerate() {
        warnings.extend(warning_of_address(ip, &format!("spec.externalIPs[{index}]")));
    }
    for (index, range) in spec.load_balancer_source_ranges.iter().flatten().enumerate() {
        warnings.extend(warnings_of_network(range, &format!("spec.loadBalancerSourceRanges[{index}]")));
    }
    if spec.type_.as_deref() != Some("ExternalName") && is_set(&spec.external_name) {
        warnings.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    warnings
}

fn is_headless(spec: &ServiceSpec) -> bool {
    matches!(spec.cluster_ips.as_deref(), Some([ip]) if ip == "None")
        && spec.cluster_ip.as_deref() == Some("None")
}

fn of_type(spec: &ServiceSpec, type_: &str, ports: &[ServicePort]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match type_ {
        "LoadBalancer" | "NodePort" => {
            if type_ == "LoadBalancer" {
                for (index, port) in ports.iter().enumerate().filter(|(_, port)| port.port == KUBELET_PORT) {
                    let detail =
                        format!("may not expose port {KUBELET_PORT} externally since it is used by kubelet");
                    errors.push(FieldError::invalid(format!("spec.ports[{index}]"), port.port, &detail));
                }
            }
            if is_headless(spec) {
                let detail = format!("may not be set to 'None' for {type_} services");
                errors.push(FieldError::invalid("spec.clusterIPs[0]", "\"None\"", &detail));
            }
        }
        "ExternalName" => {
            let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
            for (field, is_there) in [
                ("clusterIPs", has(&spec.cluster_ips)),
                ("ipFamilies", has(&spec.ip_families)),
                ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
            ] {
                if is_there {
                    let detail = "may not be set for ExternalName services";
                    errors.push(FieldError::forbidden(format!("spec.{field}"), detail));
                }
            }
            let name = spec.external_name.as_deref().unwrap_or_default();
            let name = name.strip_suffix('.').unwrap_or(name);
            if name.is_empty() {
                errors.push(FieldError::required("spec.externalName", ""));
            } else {
                errors.extend(each(&names::dns_subdomain(name), "spec.externalName", name));
            }
        }
        _ => {}
    }
    errors
}

fn validate_port<'a>(
    port: &'a ServicePort,
    wants_name: bool,
    names_so_far: &mut BTreeSet<&'a str>,
    path: &str,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let at_name = format!("{path}.name");
    match port.name.as_deref().unwrap_or_default() {
        "" if wants_name => errors.push(FieldError::required(at_name, "")),
        "" => {}
        name => {
            errors.extend(each(&names::dns_label(name), &at_name, name));
            if !names_so_far.insert(name) {
                errors.push(duplicate(at_name, quoted(name)));
            }
        }
    }
    errors.extend(ports::number(port.port, &format!("{path}.port")));
    let protocol = port.protocol.as_deref().unwrap_or_default();
    if !PROTOCOLS.contains(&protocol) {
        errors.push(FieldError::unsupported(format!("{path}.protocol"), quoted(protocol), &PROTOCOLS));
    }
    if let Some(target) = &port.target_port {
        errors.extend(number_or_name(target, &format!("{path}.targetPort")));
    }
    if let Some(protocol) = &port.app_protocol {
        errors.extend(each(&names::qualified_name(protocol), &format!("{path}.appProtocol"), protocol));
    }
    errors
}

fn validate_affinity(spec: &ServiceSpec) -> Vec<FieldError> {
    const PATH: &str = "spec.sessionAffinityConfig";
    let config = spec.session_affinity_config.as_ref();
    match spec.session_affinity.as_deref().unwrap_or_default() {
        "ClientIP" => {
            let missing =
                |path: &str| vec![FieldError::required(path, "when session affinity type is ClientIP")];
            let Some(config) = config else { return missing(PATH) };
            let Some(client) = &config.client_ip else {
                return missing("spec.sessionAffinityConfig.clientIP");
            };
            let path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds";
            let Some(seconds) = client.timeout_seconds else { return missing(path) };
            if (1..=MAX_AFFINITY_SECONDS).contains(&seconds) {
                return Vec::new();
            }
            let detail = format!("must be greater than 0 and less than {MAX_AFFINITY_SECONDS}");
            vec![FieldError::invalid(path, seconds, &detail)]
        }
        "None" if config.is_some() => {
            vec![FieldError::forbidden(PATH, "must not be set when session affinity is None")]
        }
        "None" => Vec::new(),
        other => {
            vec![FieldError::unsupported("spec.sessionAffinity", quoted(other), &["ClientIP", "None"])]
        }
    }
}

fn validate_cluster_ips(spec: &ServiceSpec) -> Vec<FieldError> {
    const PATH: &str = "spec.clusterIPs";
    let ips = spec.cluster_ips.as_deref().unwrap_or_default();
    let mut errors = Vec::new();
    match (spec.cluster_ip.as_deref().unwrap_or_default(), ips.first()) {
        ("", None) => {}
        ("", Some(_)) => {
            let detail = "must be empty when `clusterIP` is not specified";
            errors.push(FieldError::invalid(PATH, json(&ips), detail));
        }
        (_, None) => errors.push(FieldError::required(PATH, "")),
        (one, Some(first)) if one != first => {
            errors.push(FieldError::invalid(PATH, json(&ips), "first value must match `clusterIP`"));
        }
        _ => {}
    }
    let mut seen = BTreeSet::new();
    for (index, family) in spec.ip_families.iter().flatten().enumerate() {
        let path = format!("spec.ipFamilies[{index}]");
        if !FAMILIES.contains(&family.as_str()) {
            errors.push(FieldError::unsupported(path.as_str(), quoted(family), &FAMILIES));
        }
        if !seen.insert(family) {
            errors.push(duplicate(path, quoted(family)));
        }
    }
    if let Some(policy) = spec.ip_family_policy.as_deref().filter(|policy| !FAMILY_POLICIES.contains(policy))
    {
        errors.push(FieldError::unsupported("spec.ipFamilyPolicy", quoted(policy), &FAMILY_POLICIES));
    }
    for (index, ip) in ips.iter().enumerate() {
        if ip == "None" {
            if ips.len() > 1 {
                errors.push(FieldError::invalid(PATH, json(&ips), "'None' must be the first and only value"));
            }
            continue;
        }
        errors.extend(validate_address(ip, &format!("{PATH}[{index}]")));
    }
    if ips.len() > 2 {
        errors.push(FieldError::invalid(PATH, json(&ips), "may only hold up to 2 values"));
    }
    errors
}

/// An address that clients elsewhere can reach.
fn validate_ordinary(ip: &str, path: &str) -> Option<FieldError> {
    let address = addresses::address(ip)?;
    let link_local = match address {
        core::net::IpAddr::V4(v4) => v4.is_link_local(),
        core::net::IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let detail = if address.is_unspecified() {
        format!("may not be unspecified ({ip})")
    } else if address.is_loopback() {
        "may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned()
    } else if link_local {
        "may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned()
    } else {
        return None;
    };
    Some(FieldError::invalid(path, quoted(ip), &detail))
}

/// Ports of the node and of the Service that are given twice for one protocol.
fn validate_uniqueness(ports: &[ServicePort], type_: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let node_port = |port: &ServicePort| port.node_port.filter(|number| *number != 0);
    if type_ == "ClusterIP" {
        for (index, _) in ports.iter().enumerate().filter(|(_, port)| node_port(port).is_some()) {
            let detail = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(format!("spec.ports[{index}].nodePort"), detail));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        if let Some(number) = node_port(port)
            && !seen.insert((port.protocol.as_deref(), number))
        {
            errors.push(duplicate(format!("spec.ports[{index}].nodePort"), number.to_string()));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        if !seen.insert((port.protocol.as_deref(), port.port)) {
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{},\"AppProtocol\":null,\"Port\":{},\"TargetPort\":0,\"NodePort\":0}}",
                json(&port.protocol),
                port.port
            );
            errors.push(duplicate(format!("spec.ports[{index}]"), shown));
        }
    }
    errors
}

fn validate_balancer(spec: &ServiceSpec, type_: &str) -> Vec<FieldError> {
    const ONLY: &str = "may only be used when `type` is 'LoadBalancer'";
    let mut errors = Vec::new();
    let is_balancer = type_ == "LoadBalancer";
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    // Upstream's spelling of the field.
    let path = "spec.LoadBalancerSourceRanges";
    if !ranges.is_empty() && !is_balancer {
        errors.push(FieldError::forbidden(path, ONLY));
    }
    for (index, range) in ranges.iter().enumerate() {
        errors.extend(validate_network(range.trim(), &format!("{path}[{index}]")));
    }
    match spec.allocate_load_balancer_node_ports {
        Some(_) if !is_balancer => {
            errors.push(FieldError::forbidden("spec.allocateLoadBalancerNodePorts", ONLY));
        }
        None if is_balancer => {
            errors.push(FieldError::required("spec.allocateLoadBalancerNodePorts", ""));
        }
        _ => {}
    }
    if let Some(class) = &spec.load_balancer_class {
        if is_balancer {
            errors.extend(each(&names::qualified_name(class), "spec.loadBalancerClass", class));
        } else {
            errors.push(FieldError::forbidden("spec.loadBalancerClass", ONLY));
        }
    }
    errors
}

fn validate_traffic(spec: &ServiceSpec, type_: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let has_external_ips = spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty());
    let is_external =
        ["LoadBalancer", "NodePort"].contains(&type_) || type_ == "ClusterIP" && has_external_ips;
    let external = spec.external_traffic_policy.as_deref().unwrap_or_default();
    let path = "spec.externalTrafficPolicy";
    if !is_external {
        if !external.is_empty() {
            let detail = "may only be set for externally-accessible services";
            errors.push(FieldError::invalid(path, quoted(external), detail));
        }
    } else if !external.is_empty() && !TRAFFIC_POLICIES.contains(&external) {
        errors.push(FieldError::unsupported(path, quoted(external), &TRAFFIC_POLICIES));
    }
    let port = spec.health_check_node_port.filter(|port| *port != 0);
    if let Some(port) = port {
        let path = "spec.healthCheckNodePort";
        if type_ == "LoadBalancer" && external == "Local" {
            errors.extend(ports::number(port, path));
        } else {
            let detail =
                "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
            errors.push(FieldError::invalid(path, port, detail));
        }
    }
    let internal = spec.internal_traffic_policy.as_deref();
    if let Some(policy) = internal.filter(|policy| !TRAFFIC_POLICIES.contains(policy)) {
        let path = "spec.internalTrafficPolicy";
        errors.push(FieldError::unsupported(path, quoted(policy), &TRAFFIC_POLICIES));
    }
    let distribution = spec.traffic_distribution.as_deref();
    if let Some(word) = distribution.filter(|word| !DISTRIBUTIONS.contains(word)) {
        errors.push(FieldError::unsupported("spec.trafficDistribution", quoted(word), &DISTRIBUTIONS));
    }
    errors
}
