//! The containers of a pod or pod template, with their states.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerState, ContainerStatus, EnvVar, EnvVarSource, Probe,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Output, line, set};
use crate::api::quantity::canonical;
use crate::api::resource_field;

impl Output<'_> {
    /// `pod` is the metadata that field references are resolved with; a template has none. `space` is the
    /// further indentation inside a template.
    pub(super) fn containers(
        &mut self,
        label: &str,
        containers: &[Container],
        statuses: Option<&Vec<ContainerStatus>>,
        pod: Option<&ObjectMeta>,
        space: &str,
    ) {
        line!(self, 0, "{space}{label}:{}", if containers.is_empty() { " <none>" } else { "" });
        let name_indent = if space.is_empty() { "" } else { " " };
        for container in containers {
            let status = statuses.into_iter().flatten().find(|status| status.name == container.name);
            line!(self, 1, "{name_indent}{}:", container.name);
            self.basics(container, status);
            self.words("Command", container.command.as_ref());
            self.words("Args", container.args.as_ref());
            if let Some(status) = status {
                self.status(status);
            }
            if let Some(resources) = &container.resources {
                self.resources(2, "Limits", resources.limits.as_ref());
                self.resources(2, "Requests", resources.requests.as_ref());
            }
            for (title, probe) in [
                ("Liveness", &container.liveness_probe),
                ("Readiness", &container.readiness_probe),
                ("Startup", &container.startup_probe),
            ] {
                if let Some(probe) = probe {
                    line!(self, 2, "{title}:\t{}", probe_text(probe));
                }
            }
            self.environment(container, pod);
            self.mounts(container);
        }
    }

    fn basics(&mut self, container: &Container, status: Option<&ContainerStatus>) {
        if let Some(status) = status {
            line!(self, 2, "Container ID:\t{}", status.container_id.as_deref().unwrap_or_default());
            if let Some(pid) = self.pids.get(&container.name).copied() {
                line!(self, 2, "PID:\t{pid}");
            }
        }
        line!(self, 2, "Image:\t{}", container.image.as_deref().unwrap_or_default());
        if let Some(status) = status {
            line!(self, 2, "Image ID:\t{}", status.image_id);
        }
        let ports = container.ports.as_deref().unwrap_or_default();
        let protocol = |port: &ContainerPort| port.protocol.clone().unwrap_or_default();
        let list =
            |text: &dyn Fn(&ContainerPort) -> String| ports.iter().map(text).collect::<Vec<_>>().join(", ");
        let container_ports = list(&|port| format!("{}/{}", port.container_port, protocol(port)));
        let host_ports = list(&|port| format!("{}/{}", port.host_port.unwrap_or(0), protocol(port)));
        for (title, text) in [("Port", container_ports), ("Host Port", host_ports)] {
            match text.as_str() {
                "" => line!(self, 2, "{title}:\t<none>"),
                text if text.contains(',') => line!(self, 2, "{title}s:\t{text}"),
                text => line!(self, 2, "{title}:\t{text}"),
            }
        }
        if let Some(profile) = container.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref()) {
            self.seccomp_profile(2, 3, profile);
        }
    }

    fn words(&mut self, title: &str, words: Option<&Vec<String>>) {
        let Some(words) = words.filter(|words| !words.is_empty()) else { return };
        line!(self, 2, "{title}:");
        for part in words.iter().flat_map(|word| word.split('\n')) {
            line!(self, 3, "{part}");
        }
    }

    fn status(&mut self, status: &ContainerStatus) {
        self.state("State", status.state.as_ref());
        if status.last_state.as_ref().is_some_and(|state| state.terminated.is_some()) {
            self.state("Last State", status.last_state.as_ref());
        }
        self.ready(status.ready);
        line!(self, 2, "Restart Count:\t{}", status.restart_count);
    }

    fn state(&mut self, title: &str, state: Option<&ContainerState>) {
        let state = state.cloned().unwrap_or_default();
        if let Some(running) = state.running {
            line!(self, 2, "{title}:\tRunning");
            line!(self, 3, "Started:\t{}", self.time(running.started_at.as_ref()));
        } else if let Some(terminated) = state.terminated.filter(|_| state.waiting.is_none()) {
            line!(self, 2, "{title}:\tTerminated");
            for (title, text) in [("Reason", &terminated.reason), ("Message", &terminated.message)] {
                if let Some(text) = set(text.as_ref()) {
                    line!(self, 3, "{title}:\t{text}");
                }
            }
            line!(self, 3, "Exit Code:\t{}", terminated.exit_code);
            if let Some(signal) = terminated.signal.filter(|signal| *signal > 0) {
                line!(self, 3, "Signal:\t{signal}");
            }
            line!(self, 3, "Started:\t{}", self.time(terminated.started_at.as_ref()));
            line!(self, 3, "Finished:\t{}", self.time(terminated.finished_at.as_ref()));
        } else {
            line!(self, 2, "{title}:\tWaiting");
            if let Some(reason) = set(state.waiting.as_ref().and_then(|w| w.reason.as_ref())) {
                line!(self, 3, "Reason:\t{reason}");
            }
        }
    }

    pub(super) fn resources(
        &mut self,
        level: usize,
        title: &str,
        quantities: Option<&BTreeMap<String, Quantity>>,
    ) {
        let Some(quantities) = quantities.filter(|q| !q.is_empty()) else { return };
        line!(self, level, "{title}:");
        for (name, quantity) in quantities {
            line!(self, level + 1, "{name}:\t{}", canonical(&quantity.0));
        }
    }

    fn environment(&mut self, container: &Container, pod: Option<&ObjectMeta>) {
        if let Some(sources) = container.env_from.as_ref().filter(|sources| !sources.is_empty()) {
            line!(self, 2, "Environment Variables from:");
            for source in sources {
                let (name, from, optional) = match (&source.config_map_ref, &source.secret_ref) {
                    (Some(config_map), _) => (config_map.name.as_str(), "ConfigMap", config_map.optional),
                    (None, Some(secret)) => (secret.name.as_str(), "Secret", secret.optional),
                    (None, None) => ("", "", None),
                };
                let prefix =
                    set(source.prefix.as_ref()).map(|p| format!(" with prefix '{p}'")).unwrap_or_default();
                line!(self, 3, "{name}\t{from}{prefix}\tOptional: {}", optional.unwrap_or(false));
            }
        }
        let variables = container.env.as_deref().unwrap_or_default();
        line!(self, 2, "Environment:{}", if variables.is_empty() { "\t<none>" } else { "" });
        for variable in variables {
            match &variable.value_from {
                Some(source) => self.variable_from(container, &variable.name, source, pod),
                None => self.variable(variable),
            }
        }
    }

    fn variable(&mut self, variable: &EnvVar) {
        let value = variable.value.as_deref().unwrap_or_default();
        for (i, part) in value.split('\n').enumerate() {
            if i == 0 {
                line!(self, 3, "{}:\t{part}", variable.name);
            } else {
                line!(self, 3, "\t{part}");
            }
        }
    }

    fn variable_from(
        &mut self,
        container: &Container,
        name: &str,
        source: &EnvVarSource,
        pod: Option<&ObjectMeta>,
    ) {
        if let Some(field) = &source.field_ref {
            let version = field.api_version.as_deref().unwrap_or_default();
            // Upstream resolves only these two.
            let value = match (pod, version, field.field_path.as_str()) {
                (Some(pod), "v1" | "", "metadata.name") => pod.name.as_deref(),
                (Some(pod), "v1" | "", "metadata.namespace") => pod.namespace.as_deref(),
                _ => None,
            };
            line!(self, 3, "{name}:\t{} ({version}:{})", value.unwrap_or_default(), field.field_path);
        } else if let Some(resource) = &source.resource_field_ref {
            let value = match resource_field::value(resource, container, |_| None) {
                Some(0) if matches!(resource.resource.as_str(), "limits.cpu" | "limits.memory") => {
                    "node allocatable".to_owned()
                }
                Some(value) => value.to_string(),
                None => String::new(),
            };
            line!(self, 3, "{name}:\t{value} ({})", resource.resource);
        } else if let Some(secret) = &source.secret_key_ref {
            let optional = secret.optional.unwrap_or(false);
            line!(
                self,
                3,
                "{name}:\t<set to the key '{}' in secret '{}'>\tOptional: {optional}",
                secret.key,
                secret.name
            );
        } else if let Some(config_map) = &source.config_map_key_ref {
            let optional = config_map.optional.unwrap_or(false);
            line!(
                self,
                3,
                "{name}:\t<set to the key '{}' of config map '{}'>\tOptional: {optional}",
                config_map.key,
                config_map.name
            );
        }
    }

    fn mounts(&mut self, container: &Container) {
        let mut mounts: Vec<_> = container.volume_mounts.iter().flatten().collect();
        mounts.sort_by_key(|mount| &mount.mount_path);
        let none = if mounts.is_empty() { "\t<none>" } else { "" };
        line!(self, 2, "Mounts:{none}");
        for mount in mounts {
            let mode = if mount.read_only == Some(true) { "ro" } else { "rw" };
            let path = set(mount.sub_path.as_ref()).map(|p| format!(",path={p:?}")).unwrap_or_default();
            line!(self, 3, "{} from {} ({mode}{path})", mount.mount_path, mount.name);
        }
        let mut devices: Vec<_> = container.volume_devices.iter().flatten().collect();
        if devices.is_empty() {
            return;
        }
        devices.sort_by_key(|device| &device.device_path);
        // Upstream says here again whether there were mounts.
        line!(self, 2, "Devices:{none}");
        for device in devices {
            line!(self, 3, "{} from {}", device.device_path, device.name);
        }
    }
}

fn probe_text(probe: &Probe) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        probe.initial_delay_seconds.unwrap_or(0),
        probe.timeout_seconds.unwrap_or(0),
        probe.period_seconds.unwrap_or(0),
        probe.success_threshold.unwrap_or(0),
        probe.failure_threshold.unwrap_or(0)
    );
    if let Some(exec) = &probe.exec {
        format!("exec [{}] {attributes}", exec.command.as_deref().unwrap_or_default().join(" "))
    } else if let Some(get) = &probe.http_get {
        let host = get.host.as_deref().unwrap_or_default();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let scheme = match set(get.scheme.as_ref()) {
            Some(scheme) => format!("{}:", scheme.to_lowercase()),
            None => String::new(),
        };
        let path = url_path(get.path.as_deref().unwrap_or_default());
        format!("http-get {scheme}//{host}:{}{path} {attributes}", port_text(&get.port))
    } else if let Some(socket) = &probe.tcp_socket {
        let host = socket.host.as_deref().unwrap_or_default();
        format!("tcp-socket {host}:{} {attributes}", port_text(&socket.port))
    } else if let Some(grpc) = &probe.grpc {
        format!("grpc <pod>:{} {} {attributes}", grpc.port, grpc.service.as_deref().unwrap_or_default())
    } else {
        format!("unknown {attributes}")
    }
}

fn port_text(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

fn url_path(path: &str) -> String {
    let mut text = String::new();
    if !path.is_empty() && !path.starts_with('/') {
        text.push('/');
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}
