//! Ports of containers that get in each other's way.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ContainerPort;

use super::super::containers::AnyContainer;
use super::super::quoted;

/// What is worth saying about the ports of all containers together.
pub(super) fn of_ports(containers: &[(AnyContainer<'_>, String)]) -> Vec<String> {
    let ports: Vec<(&ContainerPort, String)> = containers
        .iter()
        .flat_map(|(container, path)| {
            let ports = container.ports.iter().enumerate();
            ports.map(move |(index, port)| (port, format!("{path}.ports[{index}]")))
        })
        .collect();
    let mut warnings = of_numbers(&ports);
    warnings.extend(of_names(&ports));
    warnings
}

fn text(field: &Option<String>) -> &str {
    field.as_deref().unwrap_or_default()
}

fn of_numbers(ports: &[(&ContainerPort, String)]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut earlier: BTreeMap<(i32, &str), Vec<(&ContainerPort, &str)>> = BTreeMap::new();
    for (port, place) in ports {
        let (address, number) = (text(&port.host_ip), port.host_port.unwrap_or(0));
        if !address.is_empty() && number == 0 {
            warnings.push(format!("{place}: hostIP set without hostPort: {}", shown(port)));
        }
        let same =
            earlier.entry((port.container_port, port.protocol.as_deref().unwrap_or("TCP"))).or_default();
        for (other, other_place) in same.iter() {
            let (other_address, other_number) = (text(&other.host_ip), other.host_port.unwrap_or(0));
            let how = if address == other_address && number == other_number {
                "duplicate"
            } else if number == 0 || other_number == 0 {
                "overlapping"
            } else if number == other_number && address.is_empty() != other_address.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warnings.push(format!("{place}: {how} port definition with {other_place}"));
        }
        same.push((port, place));
    }
    warnings
}

/// A port as Go prints the server's own type.
fn shown(port: &ContainerPort) -> String {
    format!(
        "{{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
        text(&port.name),
        port.host_port.unwrap_or(0),
        port.container_port,
        text(&port.protocol),
        text(&port.host_ip)
    )
}

fn of_names(ports: &[(&ContainerPort, String)]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut named: BTreeMap<&str, &str> = BTreeMap::new();
    for (port, place) in ports.iter().filter(|(port, _)| !text(&port.name).is_empty()) {
        let name = text(&port.name);
        match named.get(name) {
            Some(first) => warnings.push(format!(
                "{place}: duplicate port name {} with {first}, services and probes that select ports by name will use \
                 {first}",
                quoted(name)
            )),
            None => {
                named.insert(name, place);
            }
        }
    }
    warnings
}
