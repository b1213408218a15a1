//! What the API server says of objects that it accepts (WarningsOnCreate, GetWarningsForPodTemplate).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{Container, ContainerPort, Pod, PodSpec};

use super::quoted;
use crate::api::meta::name;
use crate::api::{names, quantity};

/// Beyond both of these the list of failed indexes may become too long for an object.
const MANY_COMPLETIONS: i32 = 100_000;
const MANY_AT_ONCE: i32 = 10_000;

/// What is worth saying about a Job that is allowed. Each is printed after `Warning: `.
pub fn warnings_of_job(job: &Job) -> Vec<String> {
    let mut warnings = of_name(name(&job.metadata), "Pod names and hostnames");
    warnings.extend(job.spec.iter().flat_map(|spec| of_job_spec(spec, "spec")));
    warnings
}

/// What is worth saying about a CronJob that is allowed.
pub fn warnings_of_cron_job(cron_job: &CronJob) -> Vec<String> {
    let mut warnings = of_name(name(&cron_job.metadata), "Pod names and hostnames");
    let spec = cron_job.spec.as_ref().and_then(|spec| spec.job_template.spec.as_ref());
    warnings.extend(spec.into_iter().flat_map(|spec| of_job_spec(spec, "spec.jobTemplate.spec")));
    warnings
}

/// What is worth saying about a Pod that is allowed.
pub fn warnings_of_pod(pod: &Pod) -> Vec<String> {
    let mut warnings = of_name(name(&pod.metadata), "the Pod's hostname");
    warnings.extend(pod.spec.iter().flat_map(|spec| of_pod_spec(spec, "spec")));
    warnings
}

/// Pods' hostnames are made of names; a name that is no DNS label makes bad ones.
fn of_name(name: &str, used_in: &str) -> Vec<String> {
    let problems = names::dns_label(name);
    if problems.is_empty() || name.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "metadata.name: this is used in {used_in}, which can result in surprising behavior; a DNS label is recommended: \
         [{}]",
        problems.join(" ")
    )]
}

fn of_job_spec(spec: &JobSpec, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let is_indexed = spec.completion_mode.as_deref() == Some("Indexed");
    let above = |number: Option<i32>, limit: i32| number.is_some_and(|number| number > limit);
    if is_indexed && above(spec.completions, MANY_COMPLETIONS) && above(spec.parallelism, MANY_AT_ONCE) {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
             Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    let template = spec.template.spec.iter();
    warnings.extend(template.flat_map(|spec| of_pod_spec(spec, &format!("{path}.template.spec"))));
    warnings
}

pub(super) fn of_pod_spec(spec: &PodSpec, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut addresses = BTreeSet::new();
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !addresses.insert(&alias.ip) {
            warnings.push(format!("{path}.hostAliases[{index}].ip: duplicate ip {}", quoted(&alias.ip)));
        }
    }
    let mut secrets = BTreeSet::new();
    for (index, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        let field = format!("{path}.imagePullSecrets[{index}].name");
        if secret.name.is_empty() {
            warnings.push(format!("{field}: invalid empty name \"\""));
        } else if !secrets.insert(&secret.name) {
            warnings.push(format!("{field}: duplicate name {}", quoted(&secret.name)));
        }
    }
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        warnings.push(format!(
            "{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    let containers = containers(spec, path);
    for (container, path) in &containers {
        warnings.extend(of_variables(container, path));
        warnings.extend(of_resources(container, path));
    }
    warnings.extend(of_ports(&containers));
    warnings
}

/// Every container with its path, in the order in which upstream visits them.
fn containers<'a>(spec: &'a PodSpec, path: &str) -> Vec<(&'a Container, String)> {
    let init = spec.init_containers.iter().flatten().enumerate();
    let init = init.map(|(index, container)| (container, format!("{path}.initContainers[{index}]")));
    let main = spec.containers.iter().enumerate();
    let main = main.map(|(index, container)| (container, format!("{path}.containers[{index}]")));
    init.chain(main).collect()
}

/// A name that is given twice, unless the second value is made of the first.
fn of_variables(container: &Container, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, variable) in container.env.iter().flatten().enumerate() {
        let reference = format!("$({})", variable.name);
        let value = variable.value.as_deref().unwrap_or_default();
        let builds_on_it = variable.value_from.is_none() && value != reference && value.contains(&reference);
        if !seen.insert(&variable.name) && !builds_on_it {
            warnings.push(format!(
                "{path}.env[{index}]: hides previous definition of {}, which may be dropped when using apply",
                quoted(&variable.name)
            ));
        }
    }
    warnings
}

/// Parts of bytes.
fn of_resources(container: &Container, path: &str) -> Vec<String> {
    let Some(resources) = &container.resources else { return Vec::new() };
    let mut warnings = Vec::new();
    for resource in ["memory", "ephemeral-storage"] {
        for (field, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            let Some(amount) = amounts.as_ref().and_then(|amounts| amounts.get(resource)) else { continue };
            if quantity::nanos(&amount.0).is_some_and(|nanos| nanos % 1_000_000_000 != 0) {
                warnings.push(format!(
                    "{path}.resources.{field}[{resource}]: fractional byte value {} is invalid, must be an integer",
                    quoted(&quantity::canonical(&amount.0))
                ));
            }
        }
    }
    warnings
}

fn of_ports(containers: &[(&Container, String)]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut earlier: BTreeMap<(i32, &str), Vec<(&ContainerPort, String)>> = BTreeMap::new();
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for (container, path) in containers {
        let ports = container.ports.iter().flatten().enumerate();
        let ports: Vec<_> = ports.map(|(index, port)| (port, format!("{path}.ports[{index}]"))).collect();
        for (port, place) in &ports {
            let text = |field: &'_ Option<String>| field.clone().unwrap_or_default();
            let (address, number) = (text(&port.host_ip), port.host_port.unwrap_or(0));
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
            same.push((port, place.clone()));
        }
        for (port, place) in &ports {
            let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) else { continue };
            match named.get(name) {
                Some(first) => warnings.push(format!(
                    "{place}: duplicate port name {} with {first}, services and probes that select ports by name will \
                     use {first}",
                    quoted(name)
                )),
                None => {
                    named.insert(name, place.clone());
                }
            }
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn warnings(spec: &Value) -> Vec<String> {
        of_pod_spec(&serde_json::from_value(spec.clone()).expect("a pod spec"), "spec")
    }

    #[test]
    fn what_is_said_of_a_pod_that_is_accepted() {
        let main = |fields: Value| json!({"containers": [fields]});
        let variable = |value: &str| json!({"name": "A", "value": value});
        for (spec, expected) in [
            (main(json!({"env": [variable("1"), variable("$(A):2")]})), None),
            (
                main(json!({"env": [variable("1"), variable("$(A)")]})),
                Some(
                    "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply",
                ),
            ),
            (
                main(
                    json!({"env": [variable("1"), {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]}),
                ),
                Some(
                    "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply",
                ),
            ),
            (
                main(json!({"resources": {"requests": {"memory": "1.5"}}})),
                Some(
                    "spec.containers[0].resources.requests[memory]: fractional byte value \"1500m\" is invalid, must be \
                     an integer",
                ),
            ),
            (main(json!({"resources": {"requests": {"memory": "1.5Ki", "cpu": "0.1"}}})), None),
            (
                main(json!({"ports": [{"containerPort": 80}, {"containerPort": 80, "hostPort": 8080}]})),
                Some(
                    "spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]",
                ),
            ),
            (
                main(json!({"ports": [{"containerPort": 80, "hostPort": 80, "hostIP": "127.0.0.1"},
                                      {"containerPort": 80, "hostPort": 80}]})),
                Some(
                    "spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]",
                ),
            ),
            (main(json!({"ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}]})), None),
            (
                json!({"containers": [], "imagePullSecrets": [{"name": "a"}, {"name": "a"}]}),
                Some("spec.imagePullSecrets[1].name: duplicate name \"a\""),
            ),
        ] {
            assert_eq!(warnings(&spec), expected.into_iter().collect::<Vec<_>>(), "{spec}");
        }
    }
}
