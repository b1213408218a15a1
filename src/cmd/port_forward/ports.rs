//! What the words of `port-forward` mean: which ports here lead to which ports of a pod.

use anyhow::{Result, anyhow, bail};
use k8s_openapi::api::core::v1::{ContainerPort, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::meta::name;
use crate::api::number::parse_port;
use crate::api::{Pod, Service};
use crate::controller::endpoints::target_port;

/// A port of this machine that leads to one of a pod. 0 is any that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forwarding {
    pub(super) local: u16,
    pub(super) remote: u16,
}

/// Reads `[LOCAL:]REMOTE`, where REMOTE may be the name of a port: of the Service, where there is one, or of the pod.
///
/// # Errors
/// What is no port, in kubectl's words.
pub(super) fn forwardings(words: &[String], pod: &Pod, service: Option<&Service>) -> Result<Vec<Forwarding>> {
    words.iter().map(|word| forwarding(word, pod, service)).collect()
}

fn forwarding(word: &str, pod: &Pod, service: Option<&Service>) -> Result<Forwarding> {
    let parts: Vec<&str> = word.split(':').collect();
    let (local, remote) = match parts[..] {
        [port] => (None, port),
        [local, remote] => (Some(local), remote),
        _ => bail!("invalid port format '{word}'"),
    };
    let is_number = remote.parse::<i32>().is_ok();
    let (in_front, behind) = match service {
        Some(service) => {
            let in_front = match is_number {
                true => remote.to_owned(),
                false => number_in_service(service, remote)?.to_string(),
            };
            let behind = port_of_pod(service, pod, &in_front)?.to_string();
            (in_front, behind)
        }
        None if is_number => (remote.to_owned(), remote.to_owned()),
        None => {
            let number = number_in_pod(pod, remote)?.to_string();
            (number.clone(), number)
        }
    };
    let local = match local {
        Some("") => "0",
        Some(local) if local == remote => &in_front,
        Some(local) => local,
        None => &in_front,
    };
    let number = |side: &str, text: &str| {
        parse_port(text).map_err(|why| anyhow!("error parsing {side} port '{text}': {why}"))
    };
    let forwarding = Forwarding { local: number("local", local)?, remote: number("remote", &behind)? };
    if forwarding.remote == 0 {
        bail!("remote port must be > 0");
    }
    if is_of_udp_only(pod, forwarding.remote) {
        bail!("UDP protocol is not supported for {remote}");
    }
    Ok(forwarding)
}

fn ports_of(service: &Service) -> impl Iterator<Item = &ServicePort> {
    service.spec.iter().flat_map(|spec| spec.ports.iter().flatten())
}

fn number_in_service(service: &Service, port_name: &str) -> Result<i32> {
    let found = ports_of(service).find(|port| port.name.as_deref() == Some(port_name));
    found.map(|port| port.port).ok_or_else(|| {
        anyhow!("Service '{}' does not have a named port '{port_name}'", name(&service.metadata))
    })
}

/// The port of a pod behind one of a Service. In front of a headless one there is nothing: its ports are the pods'.
fn port_of_pod(service: &Service, pod: &Pod, in_front: &str) -> Result<i32> {
    let number: i32 = in_front.parse()?;
    let Some(port) = ports_of(service).find(|port| port.port == number) else {
        bail!("Service {} does not have a service port {number}", name(&service.metadata));
    };
    if service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None") {
        return Ok(number);
    }
    target_port(port, pod).ok_or_else(|| match &port.target_port {
        Some(IntOrString::String(wanted)) => no_named_port(pod, wanted),
        _ => no_named_port(pod, in_front),
    })
}

fn declared(pod: &Pod) -> impl Iterator<Item = &ContainerPort> {
    let spec = pod.spec.iter();
    let containers =
        spec.flat_map(|spec| spec.containers.iter().chain(spec.init_containers.iter().flatten()));
    containers.flat_map(|container| container.ports.iter().flatten())
}

fn number_in_pod(pod: &Pod, port_name: &str) -> Result<i32> {
    let found = declared(pod).find(|port| port.name.as_deref() == Some(port_name));
    found.map(|port| port.container_port).ok_or_else(|| no_named_port(pod, port_name))
}

fn no_named_port(pod: &Pod, port_name: &str) -> anyhow::Error {
    anyhow!("Pod '{}' does not have a named port '{port_name}'", name(&pod.metadata))
}

fn is_of_udp_only(pod: &Pod, number: u16) -> bool {
    let mut protocols = declared(pod)
        .filter(|port| port.container_port == i32::from(number))
        .map(|port| port.protocol.as_deref().unwrap_or("TCP"))
        .peekable();
    protocols.peek().is_some() && protocols.all(|protocol| protocol == "UDP")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        let ports = serde_json::json!([{"name": "http", "containerPort": 80}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]);
        let pod = serde_json::json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "ports": ports}]}});
        serde_json::from_value(pod).expect("a pod")
    }

    fn service(cluster_ip: Option<&str>) -> Service {
        let ports = serde_json::json!([
            {"name": "web", "port": 8000, "targetPort": "http"}, {"name": "raw", "port": 9000, "targetPort": 9001},
            {"name": "same", "port": 70}, {"name": "lost", "port": 71, "targetPort": "nosuch"}]);
        let service =
            serde_json::json!({"metadata": {"name": "s"}, "spec": {"clusterIP": cluster_ip, "ports": ports}});
        serde_json::from_value(service).expect("a Service")
    }

    fn read(word: &str, service: Option<&Service>) -> Result<(u16, u16), String> {
        forwarding(word, &pod(), service)
            .map(|both| (both.local, both.remote))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn words_are_ports_of_a_pod() {
        for (word, expected) in [
            ("80", (80, 80)),
            ("8080:80", (8080, 80)),
            (":80", (0, 80)),
            ("http", (80, 80)),
            ("81:http", (81, 80)),
        ] {
            assert_eq!(read(word, None), Ok(expected), "{word}");
        }
        for (word, problem) in [
            ("", "Pod 'p' does not have a named port ''"),
            ("x", "Pod 'p' does not have a named port 'x'"),
            ("1:2:3", "invalid port format '1:2:3'"),
            ("x:80", "error parsing local port 'x': strconv.ParseUint: parsing \"x\": invalid syntax"),
            (
                "70000:80",
                "error parsing local port '70000': strconv.ParseUint: parsing \"70000\": value out of range",
            ),
            ("1:-80", "error parsing remote port '-80': strconv.ParseUint: parsing \"-80\": invalid syntax"),
            ("+1:80", "error parsing local port '+1': strconv.ParseUint: parsing \"+1\": invalid syntax"),
            ("1:0", "remote port must be > 0"),
            ("1:dns", "UDP protocol is not supported for dns"),
        ] {
            assert_eq!(read(word, None), Err(problem.to_owned()), "{word}");
        }
    }

    #[test]
    fn words_are_ports_of_a_service() {
        let service = service(None);
        for (word, expected) in [
            ("8000", (8000, 80)),
            ("web", (8000, 80)),
            ("1:web", (1, 80)),
            ("raw", (9000, 9001)),
            (":9000", (0, 9001)),
            ("same:same", (70, 70)),
        ] {
            assert_eq!(read(word, Some(&service)), Ok(expected), "{word}");
        }
        for (word, problem) in [
            ("80", "Service s does not have a service port 80"),
            ("http", "Service 's' does not have a named port 'http'"),
            ("lost", "Pod 'p' does not have a named port 'nosuch'"),
        ] {
            assert_eq!(read(word, Some(&service)), Err(problem.to_owned()), "{word}");
        }
        assert_eq!(read("raw", Some(&super::tests::service(Some("None")))), Ok((9000, 9000)));
    }
}
