//! Services.

use chrono::{DateTime, Utc};
use k8s_openapi::api::core::v1::{
    ClientIPConfig, LoadBalancerStatus, ServicePort, ServiceSpec, ServiceStatus, SessionAffinityConfig,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use serde_json::Value;

use super::{Strategy, prepare_meta_for_create, prepare_meta_for_update};
use crate::api::compatibility::Findings;
use crate::api::kinds::Kind;
use crate::api::status_error::FieldError;
use crate::api::{Service, service_effects, validation};

/// How long a client stays with a pod: three hours.
const AFFINITY_SECONDS: i32 = 10_800;

impl Strategy for Service {
    const KIND: Kind = Kind::Service;

    fn set_defaults(&mut self) {
        set_service_defaults(self.spec.get_or_insert_default());
    }

    fn prepare_for_create(&mut self, uid: &str, now: DateTime<Utc>) {
        prepare_meta_for_create(&mut self.metadata, uid, now);
        self.status = Some(unassigned());
        normalize_cluster_ips(self.spec.get_or_insert_default(), None);
    }

    fn validate(&self) -> Vec<FieldError> {
        validation::validate_service(self)
    }

    fn prepare_for_update(&mut self, old: &Self) {
        prepare_meta_for_update(&mut self.metadata, &old.metadata);
        self.status = old.status.clone();
        let (Some(spec), Some(old)) = (&mut self.spec, &old.spec) else { return };
        normalize_cluster_ips(spec, Some(old));
        keep_what_was_picked(spec, old);
        drop_what_the_old_type_had(spec, old);
    }

    fn validate_update(&self, old: &Self) -> Vec<FieldError> {
        validation::validate_service_update(self, old)
    }

    fn warnings(&self) -> Vec<String> {
        validation::warnings_of_service(self)
    }

    fn findings(manifest: &Value) -> Findings {
        Findings { warnings: service_effects::warnings(manifest), ..Findings::default() }
    }

    fn keep_all_but_status(&mut self, old: &Self) {
        *self = Self { status: self.status.take(), ..old.clone() };
    }
}

fn unassigned() -> ServiceStatus {
    ServiceStatus { conditions: None, load_balancer: Some(LoadBalancerStatus::default()) }
}

fn type_of(spec: &ServiceSpec) -> &str {
    spec.type_.as_deref().unwrap_or("ClusterIP")
}

/// Fills in what a server would (SetDefaults_Service).
fn set_service_defaults(spec: &mut ServiceSpec) {
    spec.session_affinity.get_or_insert_with(|| "None".into());
    spec.type_.get_or_insert_with(|| "ClusterIP".into());
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => {
            let config: &mut SessionAffinityConfig = spec.session_affinity_config.get_or_insert_default();
            let client: &mut ClientIPConfig = config.client_ip.get_or_insert_default();
            client.timeout_seconds.get_or_insert(AFFINITY_SECONDS);
        }
        _ => {}
    }
    for port in spec.ports.iter_mut().flatten() {
        set_port_defaults(port);
    }
    let kind = type_of(spec).to_owned();
    let has_external_ips = spec.external_ips.as_ref().is_some_and(|ips| !ips.is_empty());
    if kind == "NodePort" || kind == "LoadBalancer" || kind == "ClusterIP" && has_external_ips {
        spec.external_traffic_policy.get_or_insert_with(|| "Cluster".into());
    }
    if kind != "ExternalName" {
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".into());
    }
    if kind == "LoadBalancer" {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
    }
}

fn set_port_defaults(port: &mut ServicePort) {
    port.protocol.get_or_insert_with(|| "TCP".into());
    let is_unset = match &port.target_port {
        None => true,
        Some(IntOrString::Int(number)) => *number == 0,
        Some(IntOrString::String(name)) => name.is_empty(),
    };
    if is_unset {
        port.target_port = Some(IntOrString::Int(port.port));
    }
}

/// Whether a Service of its type has an address of its own; a headless one says `None`.
fn has_cluster_ip(spec: &ServiceSpec) -> bool {
    type_of(spec) != "ExternalName"
}

fn has_node_ports(spec: &ServiceSpec) -> bool {
    type_of(spec) == "NodePort"
        || type_of(spec) == "LoadBalancer" && spec.allocate_load_balancer_node_ports != Some(false)
}

fn has_health_check_port(spec: &ServiceSpec) -> bool {
    type_of(spec) == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local")
}

/// Keeps the address and the list of addresses in step, whichever of both a request has set.
fn normalize_cluster_ips(spec: &mut ServiceSpec, old: Option<&ServiceSpec>) {
    let one = spec.cluster_ip.clone().filter(|ip| !ip.is_empty());
    let has_list = spec.cluster_ips.as_ref().is_some_and(|ips| !ips.is_empty());
    match old {
        None if !has_list => spec.cluster_ips = one.map(|ip| vec![ip]),
        Some(old) if spec.cluster_ips == old.cluster_ips && spec.cluster_ip != old.cluster_ip => {
            spec.cluster_ips = one.map(|ip| vec![ip]);
        }
        _ => {}
    }
}

/// What a server has picked stays, unless a request says otherwise.
fn keep_what_was_picked(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if has_cluster_ip(spec) && has_cluster_ip(old) {
        if spec.cluster_ip.as_deref().is_none_or(str::is_empty) {
            spec.cluster_ip = old.cluster_ip.clone();
        }
        if spec.cluster_ips.as_ref().is_none_or(Vec::is_empty) && spec.cluster_ip == old.cluster_ip {
            spec.cluster_ips = old.cluster_ips.clone();
        }
        if spec.ip_families.is_none() {
            spec.ip_families = old.ip_families.clone();
        }
        if spec.ip_family_policy.is_none() {
            spec.ip_family_policy = old.ip_family_policy.clone();
        }
    }
    if has_node_ports(spec) && has_node_ports(old) {
        let known = old.ports.as_deref().unwrap_or_default();
        for port in
            spec.ports.iter_mut().flatten().filter(|port| port.node_port.is_none_or(|number| number == 0))
        {
            let same =
                known.iter().find(|other| (other.port, &other.protocol) == (port.port, &port.protocol));
            port.node_port = same.and_then(|same| same.node_port);
        }
    }
    if has_health_check_port(spec) && has_health_check_port(old) && spec.health_check_node_port.is_none() {
        spec.health_check_node_port = old.health_check_node_port;
    }
}

/// What the type before had and this one has not goes, unless a request has changed it: then it is for validation to name.
fn drop_what_the_old_type_had(spec: &mut ServiceSpec, old: &ServiceSpec) {
    if has_cluster_ip(old) && !has_cluster_ip(spec) {
        if spec.cluster_ip == old.cluster_ip && spec.cluster_ips == old.cluster_ips {
            (spec.cluster_ip, spec.cluster_ips) = (None, None);
        }
        if spec.ip_families == old.ip_families {
            spec.ip_families = None;
        }
        if spec.ip_family_policy == old.ip_family_policy {
            spec.ip_family_policy = None;
        }
        if spec.internal_traffic_policy == old.internal_traffic_policy {
            spec.internal_traffic_policy = None;
        }
    }
    if has_node_ports(old) && !has_node_ports(spec) {
        let numbers = |spec: &ServiceSpec| -> Vec<Option<i32>> {
            spec.ports.iter().flatten().map(|port| port.node_port).collect()
        };
        if numbers(spec) == numbers(old) {
            spec.ports.iter_mut().flatten().for_each(|port| port.node_port = None);
        }
    }
    if has_health_check_port(old)
        && !has_health_check_port(spec)
        && spec.health_check_node_port == old.health_check_node_port
    {
        spec.health_check_node_port = None;
    }
    let is_balanced = |spec: &ServiceSpec| type_of(spec) == "LoadBalancer";
    if is_balanced(old) && !is_balanced(spec) {
        if spec.allocate_load_balancer_node_ports == old.allocate_load_balancer_node_ports {
            spec.allocate_load_balancer_node_ports = None;
        }
        if spec.load_balancer_class == old.load_balancer_class {
            spec.load_balancer_class = None;
        }
    }
    let is_external = |spec: &ServiceSpec| ["NodePort", "LoadBalancer"].contains(&type_of(spec));
    if is_external(old) && !is_external(spec) && spec.external_traffic_policy == old.external_traffic_policy {
        spec.external_traffic_policy = None;
    }
}
