//! What a server picks for a Service: its address, and ports of the node.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use anyhow::Result;
use k8s_openapi::api::core::v1::ServiceSpec;

use super::read::Source as _;
use super::transaction::Transaction;
use crate::api::Service;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::key;
use crate::api::quoted::quoted;
use crate::api::status_error::FieldError;
use crate::store::Table;

/// Addresses of Services lie in 127.96.0.0/12: the loopback network has them all, and pods have others of it.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([127, 96, 0, 0]);
const ADDRESSES: u32 = 1 << 20;
/// Ports of the node that Services may have.
const NODE_PORTS: std::ops::RangeInclusive<i32> = 30_000..=32_767;

/// What other Services have.
struct Taken {
    addresses: BTreeSet<String>,
    /// By protocol and number.
    ports: BTreeSet<(String, i32)>,
}

impl Taken {
    fn add(&mut self, spec: &ServiceSpec) {
        self.addresses.extend(spec.cluster_ips.iter().flatten().filter(|ip| *ip != "None").cloned());
        for port in spec.ports.iter().flatten() {
            let protocol = port.protocol.clone().unwrap_or_default();
            self.ports.extend(port.node_port.map(|number| (protocol, number)));
        }
        self.ports.extend(spec.health_check_node_port.map(|number| ("TCP".to_owned(), number)));
    }
}

impl Transaction {
    /// Completes a Service that is valid so far: with an address, and with ports of the node where its type has any.
    /// Returns what cannot be had.
    pub(super) fn allocate(&mut self, service: &mut Service) -> Result<Vec<FieldError>> {
        let own = key(&service.metadata);
        let taken = self.taken(&own)?;
        let current: Option<Service> = self.current(Table::Kind(Kind::Service), &own)?;
        let spec = service.spec.get_or_insert_default();
        let old = current.and_then(|current| current.spec).unwrap_or_default();
        if spec.type_.as_deref() == Some("ExternalName") {
            return Ok(Vec::new());
        }
        let mut errors = self.allocate_address(spec, &old, &taken);
        errors.extend(self.allocate_ports(spec, &taken));
        Ok(errors)
    }

    /// What all other Services have.
    fn taken(&self, own: &Key) -> Result<Taken> {
        let mut taken = Taken { addresses: BTreeSet::new(), ports: BTreeSet::new() };
        for (other, entry) in self.entries(Table::Kind(Kind::Service))? {
            if *other != *own {
                let service: Service = entry.parse()?;
                taken.add(&service.spec.unwrap_or_default());
            }
        }
        Ok(taken)
    }

    fn allocate_address(
        &mut self,
        spec: &mut ServiceSpec,
        old: &ServiceSpec,
        taken: &Taken,
    ) -> Vec<FieldError> {
        let given = spec.cluster_ip.clone().unwrap_or_default();
        if given.is_empty() {
            let address = loop {
                let address = Ipv4Addr::from(FIRST_ADDRESS + self.random.u32(1..ADDRESSES - 1)).to_string();
                if !taken.addresses.contains(&address) {
                    break address;
                }
            };
            spec.cluster_ip = Some(address.clone());
            spec.cluster_ips = Some(vec![address]);
        } else if given != "None" && spec.cluster_ips != old.cluster_ips && taken.addresses.contains(&given) {
            let shown = format!("[{}]", quoted(&given));
            let detail = format!("failed to allocate IP {given}: provided IP is already allocated");
            return vec![FieldError::invalid("spec.clusterIPs", shown, &detail)];
        }
        let is_v6 = spec.cluster_ip.as_deref().is_some_and(|ip| ip.contains(':'));
        let family = if is_v6 { "IPv6" } else { "IPv4" };
        spec.ip_families.get_or_insert_with(|| vec![family.to_owned()]);
        spec.ip_family_policy.get_or_insert_with(|| "SingleStack".into());
        Vec::new()
    }

    fn allocate_ports(&mut self, spec: &mut ServiceSpec, taken: &Taken) -> Vec<FieldError> {
        let type_ = spec.type_.as_deref().unwrap_or_default();
        let has_ports = type_ == "NodePort"
            || type_ == "LoadBalancer" && spec.allocate_load_balancer_node_ports != Some(false);
        let has_health_check =
            type_ == "LoadBalancer" && spec.external_traffic_policy.as_deref() == Some("Local");
        let mut errors = Vec::new();
        let mut used = taken.ports.clone();
        for (index, port) in spec.ports.iter().flatten().enumerate() {
            let Some(number) = port.node_port.filter(|number| *number != 0) else { continue };
            let mut refuse = |problem: &str| {
                let path = format!("spec.ports[{index}].nodePort");
                errors.push(FieldError::invalid(path, number, problem));
            };
            if !NODE_PORTS.contains(&number) {
                refuse(&format!(
                    "provided port is not in the valid range. The range of valid ports is {}-{}",
                    NODE_PORTS.start(),
                    NODE_PORTS.end()
                ));
            } else if !used.insert((port.protocol.clone().unwrap_or_default(), number)) {
                refuse("provided port is already allocated");
            }
        }
        if has_ports {
            for port in spec.ports.iter_mut().flatten().filter(|port| port.node_port.unwrap_or(0) == 0) {
                port.node_port = self.pick(&mut used, port.protocol.as_deref().unwrap_or_default());
            }
        }
        if has_health_check && spec.health_check_node_port.unwrap_or(0) == 0 {
            spec.health_check_node_port = self.pick(&mut used, "TCP");
        }
        errors
    }

    /// A port of the node that no Service has; none where all are taken.
    fn pick(&mut self, used: &mut BTreeSet<(String, i32)>, protocol: &str) -> Option<i32> {
        let start = self.random.i32(NODE_PORTS);
        let mut numbers = (start..=*NODE_PORTS.end()).chain(*NODE_PORTS.start()..start);
        numbers.find(|number| used.insert((protocol.to_owned(), *number)))
    }
}
