//! EndpointSlices and Endpoints: which pods each Service leads to, as the API shows it. They are made when they are asked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    EndpointAddress, EndpointPort as OldPort, EndpointSubset, ObjectReference, ServicePort,
};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{address, hostname, is_selected, selector_of};
use crate::api::conditions::{is_pod_finished, is_pod_ready};
use crate::api::meta::{name, namespace, uid};
use crate::api::{EndpointSlice, Endpoints, ObjectMeta, Pod, Service};
use crate::controller::World;
use crate::controller::pods::{generated_name, new_uid, owner_of};

/// Label on a slice: the Service that it is of.
const LABEL_SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Label on a slice: who has made it.
const LABEL_MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGED_BY: &str = "endpointslice-controller.k8s.io";
/// Label on what belongs to a Service without an address.
const LABEL_HEADLESS: &str = "service.kubernetes.io/headless";
/// The most endpoints of one slice.
const MOST_ENDPOINTS: usize = 100;

/// Where a Service leads to, by the ports that pods have for it: these may be other ones in each.
type ByPorts = BTreeMap<Vec<(Option<String>, i32, String)>, Vec<Arc<Pod>>>;

fn by_ports(world: &World, service: &Service) -> ByPorts {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let pods = world
        .live_pods()
        .filter(|pod| is_selected(pod, service) && !is_pod_finished(pod) && address(pod).is_some());
    let mut found = ByPorts::new();
    for pod in pods {
        let of_pod = ports.iter().filter_map(|port| {
            let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".into());
            Some((Some(port.name.clone().unwrap_or_default()), target_port(port, pod)?, protocol))
        });
        found.entry(of_pod.collect()).or_default().push(Arc::clone(pod));
    }
    found
}

/// The port of a pod that a port of a Service leads to. `None` where the pod has none of that name.
pub fn target_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    match &port.target_port {
        None => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(wanted)) => {
            let spec = pod.spec.as_ref()?;
            let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
            let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
            let found = ports.find(|port| {
                port.name.as_ref() == Some(wanted) && port.protocol.as_deref().unwrap_or("TCP") == protocol
            });
            found.map(|port| port.container_port)
        }
    }
}

/// What is made for a Service is always the same, though it is not stored.
fn chance(service: &Service, number: usize) -> fastrand::Rng {
    let seed = uid(&service.metadata)
        .bytes()
        .fold(number as u64, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    fastrand::Rng::with_seed(seed)
}

fn has_no_address(service: &Service) -> bool {
    service.spec.as_ref().is_some_and(|spec| spec.cluster_ip.as_deref() == Some(super::NONE))
}

/// The slices of all Services that select pods.
pub fn endpoint_slices(world: &World) -> Vec<EndpointSlice> {
    let mut slices = Vec::new();
    for service in world.services().filter(|service| selector_of(service).is_some()) {
        let groups = by_ports(world, service);
        let mut parts: Vec<_> = groups
            .iter()
            .flat_map(|(ports, pods)| pods.chunks(MOST_ENDPOINTS).map(move |pods| (ports.as_slice(), pods)))
            .collect();
        if parts.is_empty() {
            parts.push((&[], &[]));
        }
        for (number, (ports, pods)) in parts.into_iter().enumerate() {
            let ports = ports.iter().map(|(name, port, protocol)| EndpointPort {
                name: name.clone(),
                port: Some(*port),
                protocol: Some(protocol.clone()),
                ..EndpointPort::default()
            });
            slices.push(EndpointSlice {
                address_type: "IPv4".into(),
                endpoints: pods.iter().filter_map(|pod| endpoint(pod, service)).collect(),
                metadata: metadata(service, number),
                ports: Some(ports.collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
            });
        }
    }
    slices
}

fn metadata(service: &Service, number: usize) -> ObjectMeta {
    let mut random = chance(service, number);
    let meta = &service.metadata;
    let base = format!("{}-", name(meta));
    let mut labels = meta.labels.clone().unwrap_or_default();
    labels.insert(LABEL_MANAGED_BY.into(), MANAGED_BY.into());
    labels.insert(LABEL_SERVICE_NAME.into(), name(meta).into());
    if has_no_address(service) {
        labels.insert(LABEL_HEADLESS.into(), String::new());
    }
    ObjectMeta {
        name: Some(generated_name(&base, &mut random)),
        generate_name: Some(base),
        namespace: meta.namespace.clone(),
        uid: Some(new_uid(&mut random)),
        creation_timestamp: meta.creation_timestamp.clone(),
        generation: Some(1),
        labels: Some(labels),
        owner_references: Some(vec![owner_of("v1", "Service", meta)]),
        ..ObjectMeta::default()
    }
}

fn reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".into()),
        name: Some(name(&pod.metadata).into()),
        namespace: Some(namespace(&pod.metadata).into()),
        uid: Some(uid(&pod.metadata).into()),
        ..ObjectReference::default()
    }
}

/// The name that a headless Service gives a pod.
fn own_name(pod: &Pod, service: &Service) -> Option<String> {
    let subdomain = pod.spec.as_ref()?.subdomain.as_deref()?;
    (subdomain == name(&service.metadata)).then(|| hostname(pod))
}

fn is_published(pod: &Pod, service: &Service) -> bool {
    is_pod_ready(pod)
        || service.spec.as_ref().is_some_and(|spec| spec.publish_not_ready_addresses == Some(true))
}

fn endpoint(pod: &Pod, service: &Service) -> Option<Endpoint> {
    let is_terminating = pod.metadata.deletion_timestamp.is_some();
    let serving = is_published(pod, service);
    Some(Endpoint {
        addresses: vec![address(pod)?.to_owned()],
        conditions: Some(EndpointConditions {
            ready: Some(serving && !is_terminating),
            serving: Some(serving),
            terminating: Some(is_terminating),
        }),
        hostname: own_name(pod, service),
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(reference(pod)),
        ..Endpoint::default()
    })
}

/// The Endpoints of all Services that select pods.
pub fn endpoints_of_services(world: &World) -> Vec<Endpoints> {
    let services = world.services().filter(|service| selector_of(service).is_some());
    services
        .map(|service| {
            let subsets: Vec<EndpointSubset> = by_ports(world, service)
                .into_iter()
                .map(|(ports, pods)| {
                    let pods = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
                    let (ready, others): (Vec<_>, Vec<_>) = pods.partition(|pod| is_published(pod, service));
                    let addresses = |pods: Vec<&Arc<Pod>>| {
                        let all = pods.into_iter().filter_map(|pod| old_address(pod, service));
                        Some(all.collect::<Vec<_>>()).filter(|all| !all.is_empty())
                    };
                    let ports = ports.into_iter().map(|(name, port, protocol)| OldPort {
                        name: name.filter(|name| !name.is_empty()),
                        port,
                        protocol: Some(protocol),
                        app_protocol: None,
                    });
                    EndpointSubset {
                        addresses: addresses(ready),
                        not_ready_addresses: addresses(others),
                        ports: Some(ports.collect::<Vec<_>>()).filter(|ports| !ports.is_empty()),
                    }
                })
                .filter(|subset| subset.addresses.is_some() || subset.not_ready_addresses.is_some())
                .collect();
            let meta = &service.metadata;
            let mut labels = meta.labels.clone().unwrap_or_default();
            labels.insert("endpoints.kubernetes.io/managed-by".into(), "endpoint-controller".into());
            if has_no_address(service) {
                labels.insert(LABEL_HEADLESS.into(), String::new());
            }
            Endpoints {
                metadata: ObjectMeta {
                    name: meta.name.clone(),
                    namespace: meta.namespace.clone(),
                    uid: Some(new_uid(&mut chance(service, usize::MAX))),
                    creation_timestamp: meta.creation_timestamp.clone(),
                    labels: Some(labels),
                    ..ObjectMeta::default()
                },
                subsets: Some(subsets).filter(|subsets| !subsets.is_empty()),
            }
        })
        .collect()
}

fn old_address(pod: &Pod, service: &Service) -> Option<EndpointAddress> {
    Some(EndpointAddress {
        ip: address(pod)?.to_owned(),
        hostname: own_name(pod, service),
        node_name: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        target_ref: Some(reference(pod)),
    })
}
