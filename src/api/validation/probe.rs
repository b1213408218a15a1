//! Rules about probes and hooks, and about what both of them do (validateProbe, validateLifecycle, validateHandler).

use k8s_openapi::api::core::v1::{
    ExecAction, GRPCAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{each, non_negative, ports, quoted};
use crate::api::names;
use crate::api::status_error::FieldError;

const SCHEMES: [&str; 2] = ["HTTP", "HTTPS"];

/// Everything wrong with a probe.
pub(super) fn validate(probe: &Probe, is_readiness: bool, path: &str) -> Vec<FieldError> {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    let mut errors = handler.validate(0, path);
    for (field, number) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        errors.extend(non_negative(&format!("{path}.{field}"), number.map(i64::from)));
    }
    if let Some(grace) = probe.termination_grace_period_seconds {
        let field = format!("{path}.terminationGracePeriodSeconds");
        if grace <= 0 {
            errors.push(FieldError::invalid(field.as_str(), grace, "must be greater than 0"));
        }
        if is_readiness {
            errors.push(FieldError::invalid(field, grace, "must not be set for readinessProbes"));
        }
    }
    if let Some(number) = probe.success_threshold.filter(|number| *number != 1 && !is_readiness) {
        errors.push(FieldError::invalid(format!("{path}.successThreshold"), number, "must be 1"));
    }
    errors
}

/// Everything wrong with a container's hooks. `grace` is the time in which its pod has to end.
pub(super) fn validate_hooks(lifecycle: &Lifecycle, grace: i64, path: &str) -> Vec<FieldError> {
    let hooks = [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)];
    hooks
        .into_iter()
        .filter_map(|(field, hook)| Some((field, hook.as_ref()?)))
        .flat_map(|(field, hook)| Handler::from(hook).validate(grace, &format!("{path}.{field}")))
        .collect()
}

/// What a probe or a hook does: exactly one of these.
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> From<&'a LifecycleHandler> for Handler<'a> {
    fn from(handler: &'a LifecycleHandler) -> Self {
        Self {
            exec: handler.exec.as_ref(),
            http_get: handler.http_get.as_ref(),
            tcp_socket: handler.tcp_socket.as_ref(),
            grpc: None,
            sleep: handler.sleep.as_ref(),
        }
    }
}

impl Handler<'_> {
    fn validate(&self, grace: i64, path: &str) -> Vec<FieldError> {
        let at = |field: &str| format!("{path}.{field}");
        let given = [
            self.exec.map(|action| ("exec", validate_exec(action, &at("exec")))),
            self.http_get.map(|action| ("httpGet", validate_http(action, &at("httpGet")))),
            self.tcp_socket
                .map(|action| ("tcpSocket", ports::number_or_name(&action.port, &at("tcpSocket.port")))),
            self.grpc.map(|action| {
                ("grpc", ports::number_or_name(&IntOrString::Int(action.port), &at("grpc.port")))
            }),
            self.sleep.map(|action| ("sleep", validate_sleep(action, grace, &at("sleep")))),
        ];
        let mut given = given.into_iter().flatten();
        let Some((_, mut errors)) = given.next() else {
            return vec![FieldError::required(path, "must specify a handler type")];
        };
        for (second, _) in given {
            errors.push(FieldError::forbidden(at(second), "may not specify more than 1 handler type"));
        }
        errors
    }
}

fn validate_exec(action: &ExecAction, path: &str) -> Vec<FieldError> {
    let is_empty = action.command.as_ref().is_none_or(Vec::is_empty);
    is_empty.then(|| FieldError::required(format!("{path}.command"), "")).into_iter().collect()
}

fn validate_http(action: &HTTPGetAction, path: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if action.path.as_deref().unwrap_or_default().is_empty() {
        errors.push(FieldError::required(format!("{path}.path"), ""));
    }
    errors.extend(ports::number_or_name(&action.port, &format!("{path}.port")));
    let scheme = action.scheme.as_deref().unwrap_or_default();
    if !SCHEMES.contains(&scheme) {
        errors.push(FieldError::unsupported(format!("{path}.scheme"), quoted(scheme), &SCHEMES));
    }
    for header in action.http_headers.iter().flatten() {
        errors.extend(each(&names::http_header(&header.name), &format!("{path}.httpHeaders"), &header.name));
    }
    errors
}

fn validate_sleep(action: &SleepAction, grace: i64, path: &str) -> Vec<FieldError> {
    let is_good = (0..=grace).contains(&action.seconds);
    let detail = format!("must be non-negative and less than terminationGracePeriodSeconds ({grace})");
    (!is_good).then(|| FieldError::invalid(path, action.seconds, &detail)).into_iter().collect()
}
