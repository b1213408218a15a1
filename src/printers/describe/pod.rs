//! The description of a Pod.

use k8s_openapi::api::core::v1::{Container, Pod, SeccompProfile};

use super::{Describe, Output, Related, line, python_bool, set};
use crate::api::pod_resources::qos_class;
use crate::printers::duration::age;

impl Describe for Pod {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        out.pids = related.pids.clone();
        let metadata = &self.metadata;
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        line!(out, 0, "Name:\t{}", metadata.name.as_deref().unwrap_or_default());
        line!(out, 0, "Namespace:\t{}", metadata.namespace.as_deref().unwrap_or_default());
        if let Some(priority) = spec.priority {
            line!(out, 0, "Priority:\t{priority}");
        }
        for (title, text) in [
            ("Priority Class Name", &spec.priority_class_name),
            ("Runtime Class Name", &spec.runtime_class_name),
            ("Service Account", &spec.service_account_name),
        ] {
            if let Some(text) = set(text.as_ref()) {
                line!(out, 0, "{title}:\t{text}");
            }
        }
        match set(spec.node_name.as_ref()) {
            Some(node) => line!(out, 0, "Node:\t{node}/{}", status.host_ip.as_deref().unwrap_or_default()),
            None => line!(out, 0, "Node:\t<none>"),
        }
        if status.start_time.is_some() {
            line!(out, 0, "Start Time:\t{}", out.time(status.start_time.as_ref()));
        }
        out.labels("", "Labels", metadata.labels.as_ref());
        out.annotations("", metadata.annotations.as_ref());

        let phase = status.phase.as_deref().unwrap_or_default();
        match &metadata.deletion_timestamp {
            Some(deleted) if !matches!(phase, "Succeeded" | "Failed") => {
                line!(out, 0, "Status:\tTerminating (lasts {})", age(Some(deleted.0), out.now));
                let grace = metadata.deletion_grace_period_seconds.unwrap_or(0);
                line!(out, 0, "Termination Grace Period:\t{grace}s");
            }
            _ => line!(out, 0, "Status:\t{phase}"),
        }
        for (title, text) in [("Reason", &status.reason), ("Message", &status.message)] {
            if let Some(text) = set(text.as_ref()) {
                line!(out, 0, "{title}:\t{text}");
            }
        }
        if let Some(profile) = spec.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref()) {
            out.seccomp_profile(0, 0, profile);
        }
        line!(out, 0, "IP:\t{}", status.pod_ip.as_deref().unwrap_or_default());
        match status.pod_ips.as_deref() {
            None | Some([]) => line!(out, 0, "IPs:\t<none>"),
            Some(addresses) => {
                line!(out, 0, "IPs:");
                for address in addresses {
                    line!(out, 1, "IP:\t{}", address.ip);
                }
            }
        }
        out.controlled_by(metadata);
        if let Some(node) = set(status.nominated_node_name.as_ref()) {
            line!(out, 0, "NominatedNodeName:\t{node}");
        }
        if let Some(resources) = &spec.resources {
            line!(out, 0, "Resources:");
            out.resources(1, "Limits", resources.limits.as_ref());
            out.resources(1, "Requests", resources.requests.as_ref());
        }

        if let Some(init_containers) = spec.init_containers.as_ref().filter(|c| !c.is_empty()) {
            let statuses = status.init_container_statuses.as_ref();
            out.containers("Init Containers", init_containers, statuses, Some(metadata), "");
        }
        out.containers(
            "Containers",
            &spec.containers,
            status.container_statuses.as_ref(),
            Some(metadata),
            "",
        );
        if let Some(ephemeral) = spec.ephemeral_containers.as_ref().filter(|c| !c.is_empty()) {
            let containers: Vec<Container> = ephemeral
                .iter()
                .map(|c| Container {
                    name: c.name.clone(),
                    image: c.image.clone(),
                    command: c.command.clone(),
                    args: c.args.clone(),
                    env: c.env.clone(),
                    env_from: c.env_from.clone(),
                    ports: c.ports.clone(),
                    resources: c.resources.clone(),
                    security_context: c.security_context.clone(),
                    volume_mounts: c.volume_mounts.clone(),
                    volume_devices: c.volume_devices.clone(),
                    ..Container::default()
                })
                .collect();
            let statuses = status.ephemeral_container_statuses.as_ref();
            out.containers("Ephemeral Containers", &containers, statuses, Some(metadata), "");
        }

        let conditions = status.conditions.unwrap_or_default();
        if let Some(gates) = spec.readiness_gates.as_ref().filter(|g| !g.is_empty()) {
            line!(out, 0, "Readiness Gates:");
            line!(out, 1, "Type\tStatus");
            for gate in gates {
                let state = conditions.iter().find(|c| c.type_ == gate.condition_type);
                line!(out, 1, "{} \t{} ", gate.condition_type, state.map_or("<none>", |c| &c.status));
            }
        }
        if !conditions.is_empty() {
            line!(out, 0, "Conditions:");
            line!(out, 1, "Type\tStatus");
            for condition in &conditions {
                line!(out, 1, "{} \t{} ", condition.type_, condition.status);
            }
        }
        out.volumes(spec.volumes.as_ref(), "");
        line!(out, 0, "QoS Class:\t{}", set(status.qos_class.as_ref()).unwrap_or_else(|| qos_class(&spec)));
        out.node_selectors_and_tolerations("", spec.node_selector.as_ref(), spec.tolerations.as_ref());
        out.topology_spread_constraints("", spec.topology_spread_constraints.as_ref());
        out.waits(&related.waits);
    }
}

impl Output<'_> {
    pub(super) fn seccomp_profile(&mut self, level: usize, file_level: usize, profile: &SeccompProfile) {
        line!(self, level, "SeccompProfile:\t{}", profile.type_);
        if profile.type_ == "Localhost" {
            let file = profile.localhost_profile.as_deref().unwrap_or_default();
            line!(self, file_level, "LocalhostProfile:\t{file}");
        }
    }

    pub(super) fn ready(&mut self, ready: bool) {
        line!(self, 2, "Ready:\t{}", python_bool(ready));
    }
}
