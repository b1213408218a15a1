//! Services: by which names and variables pods reach each other (kubernetes-behaviour 4; mechanisms 2). There is no DNS server
//! and no proxy: names stand in the pods' own `/etc/hosts` and lead to the pods themselves.

mod slices;
#[cfg(test)]
mod tests;

pub use slices::{endpoint_slices, endpoints_of_services, target_port};

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use k8s_openapi::api::core::v1::ServiceSpec;

use super::World;
use crate::api::conditions::{is_pod_finished, is_pod_ready};
use crate::api::meta::{name, namespace};
use crate::api::{Pod, PodSpec, Service};

/// The domain in which a cluster's names end, where nobody has chosen another.
const DOMAIN: &str = "cluster.local";
/// What a headless Service has in place of an address.
const NONE: &str = "None";

/// The name that a pod's processes see as their host's.
pub fn hostname(pod: &Pod) -> String {
    let given = pod.spec.as_ref().and_then(|spec| spec.hostname.clone());
    given.unwrap_or_else(|| name(&pod.metadata).chars().take(63).collect())
}

/// Whether a pod is to see names beside those of this machine.
pub fn has_names(world: &World, namespace: &str, spec: &PodSpec) -> bool {
    spec.host_network != Some(true)
        && (spec.subdomain.is_some()
            || spec.host_aliases.as_ref().is_some_and(|aliases| !aliases.is_empty())
            || world.services_in(namespace).next().is_some())
}

/// The pods that a Service leads to: those that its selector selects and that are ready.
fn endpoints<'a>(world: &'a World, service: &'a Service) -> impl Iterator<Item = &'a Arc<Pod>> {
    let unready_too =
        service.spec.as_ref().is_some_and(|spec| spec.publish_not_ready_addresses == Some(true));
    world.live_pods_in(namespace(&service.metadata)).filter(move |pod| {
        is_selected(pod, service)
            && !is_pod_finished(pod)
            && pod.metadata.deletion_timestamp.is_none()
            && (unready_too || is_pod_ready(pod))
    })
}

/// What a Service selects its pods by; one that selects by nothing has none.
fn selector_of(service: &Service) -> Option<&BTreeMap<String, String>> {
    service.spec.as_ref()?.selector.as_ref().filter(|selector| !selector.is_empty())
}

fn is_selected(pod: &Pod, service: &Service) -> bool {
    namespace(&pod.metadata) == namespace(&service.metadata)
        && selector_of(service)
            .is_some_and(|selector| selector.iter().all(|(key, value)| label(pod, key) == Some(value)))
}

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a String> {
    pod.metadata.labels.as_ref()?.get(key)
}

fn address(pod: &Pod) -> Option<&str> {
    pod.status.as_ref()?.pod_ip.as_deref()
}

fn cluster_ip(service: &Service) -> Option<&str> {
    let spec = service.spec.as_ref()?;
    spec.cluster_ip.as_deref().filter(|address| !address.is_empty() && *address != NONE)
}

/// A pod by the name that a headless Service gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    namespace: String,
    service: String,
    hostname: String,
    address: String,
}

impl Member {
    /// The name of a pod, if it has one and an address.
    pub fn of(pod: &Pod) -> Option<Self> {
        Some(Self {
            namespace: namespace(&pod.metadata).to_owned(),
            service: pod.spec.as_ref()?.subdomain.clone()?,
            hostname: hostname(pod),
            address: address(pod)?.to_owned(),
        })
    }

    fn has_the_name_of(&self, pod: &Pod) -> bool {
        namespace(&pod.metadata) == self.namespace
            && pod.spec.as_ref().is_some_and(|spec| spec.subdomain.as_deref() == Some(&self.service))
            && hostname(pod) == self.hostname
    }
}

/// The lines of `/etc/hosts` that all pods of a namespace see: Services, and pods by the names that a headless Service gives
/// them. A Service without a pod that is ready leads to its own address, where nobody answers. Pods that have ended just now keep
/// their names, as in the caches of a cluster's DNS: of several that look for each other one may come late.
pub fn hosts_lines(world: &World, viewer: &str, ended: &[&Member]) -> String {
    let mut lines = String::new();
    for service in world.services() {
        let (service_name, within) = (name(&service.metadata), namespace(&service.metadata));
        let mut names = qualified(&format!("{service_name}.{within}.svc.{DOMAIN}"), within, viewer);
        let mut addresses: Vec<&str> = endpoints(world, service).filter_map(|pod| address(pod)).collect();
        addresses.sort_unstable();
        addresses.dedup();
        if addresses.is_empty() {
            addresses.extend(cluster_ip(service));
        }
        for address in addresses {
            let _ = writeln!(lines, "{address}\t{names}");
        }
        for pod in endpoints(world, service) {
            let is_member =
                pod.spec.as_ref().is_some_and(|spec| spec.subdomain.as_deref() == Some(service_name));
            if let (true, Some(address)) = (is_member, address(pod)) {
                let full = format!("{}.{service_name}.{within}.svc.{DOMAIN}", hostname(pod));
                names = qualified(&full, within, viewer);
                let _ = writeln!(lines, "{address}\t{names}");
            }
        }
        let is_own = |member: &&&Member| {
            member.namespace == within
                && member.service == service_name
                && !world.live_pods_in(within).any(|pod| !is_pod_finished(pod) && member.has_the_name_of(pod))
        };
        for Member { hostname, address, .. } in ended.iter().filter(is_own) {
            let full = format!("{hostname}.{service_name}.{within}.svc.{DOMAIN}");
            let _ = writeln!(lines, "{address}\t{}", qualified(&full, within, viewer));
        }
    }
    lines
}

/// The forms of a name that a resolver finds: the whole one, without the domain, and short within its namespace.
fn qualified(full: &str, within: &str, viewer: &str) -> String {
    let svc = full.strip_suffix(&format!(".{DOMAIN}")).unwrap_or(full);
    let in_namespace = svc.strip_suffix(".svc").unwrap_or(svc);
    let mut names = format!("{full} {svc} {in_namespace}");
    if within == viewer {
        let short = in_namespace.strip_suffix(within).and_then(|short| short.strip_suffix('.'));
        let _ = write!(names, " {}", short.unwrap_or(in_namespace));
    }
    names
}

/// The lines of a pod's own `/etc/hosts`: its name, and its `hostAliases`.
pub fn own_lines(pod: &Pod, address: &str) -> String {
    let own = hostname(pod);
    let spec = pod.spec.as_ref();
    let mut lines = match spec.and_then(|spec| spec.subdomain.as_deref()) {
        Some(subdomain) => {
            let within = namespace(&pod.metadata);
            format!("{address}\t{own}.{subdomain}.{within}.svc.{DOMAIN} {own}\n")
        }
        None => format!("{address}\t{own}\n"),
    };
    for alias in spec.and_then(|spec| spec.host_aliases.as_ref()).into_iter().flatten() {
        let names = alias.hostnames.as_deref().unwrap_or_default().join(" ");
        let _ = writeln!(lines, "{}\t{names}", alias.ip);
    }
    lines
}

/// The variables by which the pods of a namespace find its Services (`enableServiceLinks`).
pub fn service_variables(world: &World, within: &str) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for service in world.services_in(within) {
        let (Some(address), Some(spec)) = (cluster_ip(service), service.spec.as_ref()) else { continue };
        let prefix = variable_name(name(&service.metadata));
        add_variables(&prefix, address, spec, &mut variables);
    }
    variables
}

fn variable_name(text: &str) -> String {
    text.to_ascii_uppercase().replace('-', "_")
}

fn add_variables(prefix: &str, address: &str, spec: &ServiceSpec, variables: &mut BTreeMap<String, String>) {
    let mut set = |name: String, value: String| drop(variables.insert(name, value));
    let ports = spec.ports.as_deref().unwrap_or_default();
    let Some(first) = ports.first() else { return };
    set(format!("{prefix}_SERVICE_HOST"), address.to_owned());
    set(format!("{prefix}_SERVICE_PORT"), first.port.to_string());
    for port in ports {
        if let Some(port_name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            set(format!("{prefix}_SERVICE_PORT_{}", variable_name(port_name)), port.port.to_string());
        }
        let protocol = port.protocol.as_deref().unwrap_or("TCP");
        let lower = protocol.to_ascii_lowercase();
        let url = format!("{lower}://{address}:{}", port.port);
        if std::ptr::eq(port, first) {
            set(format!("{prefix}_PORT"), url.clone());
        }
        let port_prefix = format!("{prefix}_PORT_{}_{protocol}", port.port);
        set(port_prefix.clone(), url);
        set(format!("{port_prefix}_PROTO"), lower);
        set(format!("{port_prefix}_PORT"), port.port.to_string());
        set(format!("{port_prefix}_ADDR"), address.to_owned());
    }
}
