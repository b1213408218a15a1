//! Rules about the ports of containers (validateContainerPorts, checkHostPortConflicts, validatePodHostNetworkDeps).

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{each, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const RANGE: &str = "must be between 1 and 65535, inclusive";

/// Everything wrong with the ports of one container.
pub(super) fn validate(ports: &[ContainerPort], path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = format!("{path}[{index}]");
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let problems = names::port_name(name);
            if problems.is_empty() && !taken.insert(name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), quoted(name)));
            }
            errors.extend(each(&problems, &format!("{path}.name"), name));
        }
        if port.container_port == 0 {
            errors.push(FieldError::required(format!("{path}.containerPort"), ""));
        } else {
            errors.extend(number(port.container_port, &format!("{path}.containerPort")));
        }
        if let Some(host_port) = port.host_port.filter(|number| *number != 0) {
            errors.extend(number(host_port, &format!("{path}.hostPort")));
        }
        if let Some(protocol) = port.protocol.as_deref().filter(|protocol| !PROTOCOLS.contains(protocol)) {
            errors.push(FieldError::unsupported(format!("{path}.protocol"), quoted(protocol), &PROTOCOLS));
        }
    }
    errors
}

/// What is wrong with the number of a port.
pub(super) fn number(port: i32, path: &str) -> Option<FieldError> {
    (!(1..=65535).contains(&port)).then(|| FieldError::invalid(path, port, RANGE))
}

/// What is wrong with a port that may be given by number or by name.
pub(super) fn number_or_name(port: &IntOrString, path: &str) -> Vec<FieldError> {
    match port {
        IntOrString::Int(port) => number(*port, path).into_iter().collect(),
        IntOrString::String(name) => each(&names::port_name(name), path, name),
    }
}

/// Ports of the machine that several containers of a list want.
pub(super) fn host_conflicts(containers: &[Container], path: &str) -> Vec<FieldError> {
    let mut taken = BTreeSet::new();
    let mut errors = Vec::new();
    for (port, place) in all(containers, path) {
        let Some(number) = port.host_port.filter(|number| *number != 0) else { continue };
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let wanted = format!("{}/{}/{number}", text(&port.protocol), text(&port.host_ip));
        if !taken.insert(wanted.clone()) {
            errors.push(FieldError::duplicate(format!("{place}.hostPort"), quoted(&wanted)));
        }
    }
    errors
}

/// On the machine's own network a container's port is a port of the machine. A template may leave that to be filled in.
pub(super) fn validate_host_network(spec: &PodSpec, path: &str, of_pod: bool) -> Vec<FieldError> {
    if spec.host_network != Some(true) {
        return Vec::new();
    }
    let mut errors = Vec::new();
    for (port, place) in all(&spec.containers, &format!("{path}.containers")) {
        let host_port = port.host_port.unwrap_or(0);
        if host_port != port.container_port && (of_pod || host_port != 0) {
            let detail = "must match `containerPort` when `hostNetwork` is true";
            errors.push(FieldError::invalid(format!("{place}.hostPort"), host_port, detail));
        }
    }
    errors
}

fn all<'a>(containers: &'a [Container], path: &'a str) -> impl Iterator<Item = (&'a ContainerPort, String)> {
    containers.iter().enumerate().flat_map(move |(at, container)| {
        let ports = container.ports.iter().flatten().enumerate();
        ports.map(move |(index, port)| (port, format!("{path}[{at}].ports[{index}]")))
    })
}
