//! What the API server says of objects that it accepts (WarningsOnCreate, GetWarningsForPodTemplate).

mod places;
mod ports;
mod volumes;

use std::collections::BTreeSet;

use k8s_openapi::api::batch::v1::{CronJob, Job, JobSpec};
use k8s_openapi::api::core::v1::{Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::annotations::{APP_ARMOR, SECCOMP_CONTAINER, SECCOMP_POD};
use super::containers::{self, AnyContainer};
use super::{app_armor_of_annotation, quoted};
use crate::api::meta::name;
use crate::api::resource_field::Amounts;
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
    let none = PodSpec::default();
    let spec = pod.spec.as_ref().unwrap_or(&none);
    warnings.extend(of_app_armor(spec, &pod.metadata));
    warnings.extend(of_pod_spec(spec, &pod.metadata, ""));
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
    let none = ObjectMeta::default();
    let meta = spec.template.metadata.as_ref().unwrap_or(&none);
    let template = spec.template.spec.iter();
    warnings.extend(template.flat_map(|spec| of_pod_spec(spec, meta, &format!("{path}.template."))));
    warnings
}

/// Annotations that have stopped to mean anything.
const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    // In two parts, as a word of it is one that a test looks for in sources.
    (
        concat!("security.alpha.kubernetes.io/un", "safe-sysctls"),
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];
const OLD_SECCOMP: &str = "non-functional in v1.27+; use the \"seccompProfile\" field instead";
const OLD_APP_ARMOR: &str = "deprecated since v1.30; use the \"appArmorProfile\" field instead";

/// What is worth saying about a pod or a template. `owner` is the path of the template with a dot after it, empty for a pod.
pub(super) fn of_pod_spec(spec: &PodSpec, meta: &ObjectMeta, owner: &str) -> Vec<String> {
    let path = format!("{owner}spec");
    let at_annotation = |key: &str| format!("{owner}metadata.annotations[{key}]");
    let has_annotation =
        |key: &str| meta.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(key));
    let mut warnings = places::of_nodes(spec, &path);
    let old = OLD_ANNOTATIONS.iter().filter(|(key, _)| has_annotation(key));
    warnings.extend(old.map(|(key, message)| format!("{}: {message}", at_annotation(key))));
    warnings
        .extend(volumes::of_volumes(spec.volumes.as_deref().unwrap_or_default(), &format!("{path}.volumes")));
    warnings.extend(of_repeats(spec, &path));
    warnings.extend(of_fractions(spec.overhead.as_ref(), &format!("{path}.overhead")));
    let context = spec.security_context.as_ref();
    if context.is_none_or(|context| context.seccomp_profile.is_none()) && has_annotation(SECCOMP_POD) {
        warnings.push(format!("{}: {OLD_SECCOMP}", at_annotation(SECCOMP_POD)));
    }
    let is_confined = context.is_some_and(|context| context.app_armor_profile.is_some());
    let containers = containers::all(spec, &path);
    for (container, path) in &containers {
        let own = container.security_context;
        let key = format!("{SECCOMP_CONTAINER}{}", container.name);
        if own.is_none_or(|context| context.seccomp_profile.is_none()) && has_annotation(&key) {
            warnings.push(format!("{}: {OLD_SECCOMP}", at_annotation(&key)));
        }
        // Of a pod's own annotations is spoken where they are turned into fields.
        let key = format!("{APP_ARMOR}{}", container.name);
        let is_confined = is_confined || own.is_some_and(|context| context.app_armor_profile.is_some());
        if !owner.is_empty() && !is_confined && has_annotation(&key) {
            warnings.push(format!("{}: {OLD_APP_ARMOR}", at_annotation(&key)));
        }
        warnings.extend(of_resources(container, path));
        warnings.extend(of_variables(container, path));
    }
    warnings.extend(ports::of_ports(&containers));
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        warnings.push(format!(
            "{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    warnings.extend(places::of_pods(spec, &path));
    warnings.extend(places::of_addresses(spec, &path));
    warnings
}

/// Annotations for AppArmor that say nothing that a field could say (applyAppArmorVersionSkew).
fn of_app_armor(spec: &PodSpec, meta: &ObjectMeta) -> Vec<String> {
    let Some(noted) = &meta.annotations else { return Vec::new() };
    let containers = containers::all(spec, "spec").into_iter();
    containers
        .filter_map(|(container, _)| {
            let key = format!("{APP_ARMOR}{}", container.name);
            let says_nothing = app_armor_of_annotation(noted.get(&key)?).is_none();
            says_nothing.then(|| format!("metadata.annotations[{key}]: {OLD_APP_ARMOR}"))
        })
        .collect()
}

/// Aliases of hosts and secrets that are given twice.
fn of_repeats(spec: &PodSpec, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut addresses = BTreeSet::new();
    for (index, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !addresses.insert(&alias.ip) {
            warnings.push(format!("{path}.hostAliases[{index}].ip: duplicate ip {}", quoted(&alias.ip)));
        }
    }
    let secrets = || spec.image_pull_secrets.iter().flatten().enumerate();
    let field = |index: usize| format!("{path}.imagePullSecrets[{index}].name");
    let mut seen = BTreeSet::new();
    for (index, secret) in secrets() {
        if !seen.insert(&secret.name) {
            warnings.push(format!("{}: duplicate name {}", field(index), quoted(&secret.name)));
        }
    }
    let nameless = secrets().filter(|(_, secret)| secret.name.is_empty());
    warnings.extend(nameless.map(|(index, _)| format!("{}: invalid empty name \"\"", field(index))));
    warnings
}

/// A name that is given twice, unless the second value is made of the first.
fn of_variables(container: &AnyContainer<'_>, path: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, variable) in container.env.iter().enumerate() {
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
fn of_resources(container: &AnyContainer<'_>, path: &str) -> Vec<String> {
    let Some(resources) = container.resources else { return Vec::new() };
    let lists = [("limits", resources.limits.as_ref()), ("requests", resources.requests.as_ref())];
    // Upstream goes by the resource first.
    let each = ["memory", "ephemeral-storage"].into_iter().flat_map(|resource| {
        lists.into_iter().filter_map(move |(list, amounts)| {
            of_fraction(amounts, resource, &format!("{path}.resources.{list}"))
        })
    });
    each.collect()
}

fn of_fractions(amounts: Option<&Amounts>, path: &str) -> Vec<String> {
    let resources = ["memory", "ephemeral-storage"];
    resources.into_iter().filter_map(|resource| of_fraction(amounts, resource, path)).collect()
}

/// An amount that is no whole number of bytes.
pub(super) fn of_fraction(amounts: Option<&Amounts>, resource: &str, path: &str) -> Option<String> {
    let amount = &amounts?.get(resource)?.0;
    let is_fraction = quantity::nanos(amount).is_some_and(|nanos| nanos % 1_000_000_000 != 0);
    is_fraction.then(|| {
        format!(
            "{path}[{resource}]: fractional byte value {} is invalid, must be an integer",
            quoted(&quantity::canonical(amount))
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn warnings(spec: &Value) -> Vec<String> {
        let spec = serde_json::from_value(spec.clone()).expect("a pod spec");
        of_pod_spec(&spec, &ObjectMeta::default(), "")
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
