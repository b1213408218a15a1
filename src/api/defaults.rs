//! The values an API server fills in for fields a manifest leaves out (the SetDefaults functions of core/v1 and
//! batch/v1). Admission plug-ins (service account, default tolerations, priority) are not defaults: see `pod_admission`.

mod volumes;

use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, LifecycleHandler, ObjectFieldSelector,
    Pod, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceFieldSelector, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::pod_resources;
use super::resource_field::Amounts;

/// Fills in what a server would for a Job: the whole spec, its template, and `metadata.labels` from the template's
/// where the Job has none (SetDefaults_Job; the latter runs on every read upstream).
pub fn set_job_defaults(job: &mut Job) {
    let spec = job.spec.get_or_insert_default();
    if spec.completions.is_none() && spec.parallelism.is_none() {
        spec.completions = Some(1);
    }
    spec.parallelism.get_or_insert(1);
    // With a limit per index the overall limit steps aside.
    let backoff_limit = if spec.backoff_limit_per_index.is_some() { i32::MAX } else { 6 };
    spec.backoff_limit.get_or_insert(backoff_limit);
    spec.completion_mode.get_or_insert_with(|| "NonIndexed".into());
    spec.suspend.get_or_insert(false);
    spec.manual_selector.get_or_insert(false);
    let replacement = if spec.pod_failure_policy.is_some() { "Failed" } else { "TerminatingOrFailed" };
    spec.pod_replacement_policy.get_or_insert_with(|| replacement.into());
    for rule in spec.pod_failure_policy.iter_mut().flat_map(|policy| &mut policy.rules) {
        for condition in rule.on_pod_conditions.iter_mut().flatten() {
            default_text(&mut condition.status, "True");
        }
    }
    set_template_defaults(&mut spec.template);
    set_labels_from_template(job);
}

/// Gives a Job without labels those of its template.
pub(crate) fn set_labels_from_template(job: &mut Job) {
    if job.metadata.labels.as_ref().is_none_or(|labels| labels.is_empty())
        && let Some(template) = job.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref())
        && let Some(labels) = template.labels.as_ref().filter(|labels| !labels.is_empty())
    {
        job.metadata.labels = Some(labels.clone());
    }
}

/// Fills in what a server would for a CronJob. Of its Job template only the pod template has defaults: the rest
/// gets its own when a Job is made of it.
pub fn set_cron_job_defaults(cron_job: &mut CronJob) {
    let spec = cron_job.spec.get_or_insert_default();
    spec.concurrency_policy.get_or_insert_with(|| "Allow".into());
    spec.suspend.get_or_insert(false);
    spec.successful_jobs_history_limit.get_or_insert(3);
    spec.failed_jobs_history_limit.get_or_insert(1);
    set_template_defaults(&mut spec.job_template.spec.get_or_insert_default().template);
}

/// Fills in what a server would for a bare Pod: the pod spec's defaults, service links, and requests from limits,
/// which templates do not have.
pub fn set_pod_defaults(pod: &mut Pod) {
    let spec = pod.spec.get_or_insert_default();
    spec.enable_service_links.get_or_insert(true);
    set_pod_spec_defaults(spec);
    set_pod_only_defaults(spec);
}

/// Fills in the defaults of a pod template.
pub fn set_template_defaults(template: &mut PodTemplateSpec) {
    set_pod_spec_defaults(template.spec.get_or_insert_default());
}

/// Fills in the defaults that bare Pods and templates share.
pub fn set_pod_spec_defaults(spec: &mut PodSpec) {
    spec.dns_policy.get_or_insert_with(|| "ClusterFirst".into());
    spec.restart_policy.get_or_insert_with(|| "Always".into());
    spec.security_context.get_or_insert_with(PodSecurityContext::default);
    spec.termination_grace_period_seconds.get_or_insert(30);
    spec.scheduler_name.get_or_insert_with(|| "default-scheduler".into());
    // The old spelling of the same field, which a server keeps in step.
    match (&spec.service_account_name, &spec.service_account) {
        (Some(name), _) => spec.service_account = Some(name.clone()),
        (None, Some(name)) => spec.service_account_name = Some(name.clone()),
        (None, None) => {}
    }
    spec.volumes.iter_mut().flatten().for_each(volumes::set_volume_defaults);
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        set_container_defaults(container);
        for port in container.ports.iter_mut().flatten() {
            port.protocol.get_or_insert_with(|| "TCP".into());
        }
    }
    spec.ephemeral_containers.iter_mut().flatten().for_each(set_ephemeral_defaults);
}

/// What only pods say and their templates do not: a container asks for as much as it may have, and on the machine's own
/// network its port is the machine's.
pub(crate) fn set_pod_only_defaults(spec: &mut PodSpec) {
    let has_hosts_ports = spec.host_network == Some(true);
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        if let Some(resources) = &mut container.resources {
            set_requests_from_limits(resources);
        }
        for port in container.ports.iter_mut().flatten().filter(|_| has_hosts_ports) {
            port.host_port.get_or_insert(port.container_port);
        }
    }
    set_pod_level_defaults(spec);
}

/// A pod that says itself what it may use, or asks for, says the rest too: huge pages are limited as in its containers, and
/// it asks for what they ask for, or else for all that it may use (defaultHugePagePodLimits, defaultPodRequests).
fn set_pod_level_defaults(spec: &mut PodSpec) {
    let Some(mut resources) = spec.resources.take() else { return };
    let is_given = |amounts: &Option<Amounts>| amounts.as_ref().is_some_and(|amounts| !amounts.is_empty());
    let is_asked = |resources: &ResourceRequirements, name: &str| {
        resources.requests.as_ref().is_some_and(|requests| requests.contains_key(name))
    };
    if is_given(&resources.limits) || is_given(&resources.requests) {
        let pages = pod_resources::limits_of_containers(spec).into_iter();
        for (name, limit) in pages.filter(|(name, _)| name.starts_with("hugepages-")) {
            if !is_asked(&resources, &name) {
                resources.limits.get_or_insert_default().entry(name).or_insert(limit);
            }
        }
    }
    if is_given(&resources.limits) {
        let requests = resources.requests.get_or_insert_default();
        for (name, asked) in pod_resources::requests_of_containers(spec) {
            if ["cpu", "memory"].contains(&name.as_str()) {
                requests.entry(name).or_insert(asked);
            }
        }
        let limits = resources.limits.iter().flatten();
        for (name, limit) in limits.filter(|(name, _)| pod_resources::is_of_pods(name)) {
            requests.entry(name.clone()).or_insert_with(|| limit.clone());
        }
        resources.requests.take_if(|requests| requests.is_empty());
    }
    spec.resources = Some(resources);
}

/// Sets what containers of all kinds are given: they share fields, not a type.
macro_rules! set_common_defaults {
    ($container:expr) => {
        let container = $container;
        container.termination_message_path.get_or_insert_with(|| "/dev/termination-log".into());
        container.termination_message_policy.get_or_insert_with(|| "File".into());
        let policy = pull_policy(container.image.as_deref());
        container.image_pull_policy = container.image_pull_policy.take().or(policy);
        container.env.iter_mut().flatten().for_each(set_env_defaults);
        let probes =
            [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
        probes.into_iter().flatten().for_each(set_probe_defaults);
        container.lifecycle.iter_mut().for_each(set_hook_defaults);
    };
}

fn set_ephemeral_defaults(container: &mut EphemeralContainer) {
    set_common_defaults!(container);
}

fn set_container_defaults(container: &mut Container) {
    container.resources.get_or_insert_with(ResourceRequirements::default);
    set_common_defaults!(container);
}

fn set_hook_defaults(lifecycle: &mut Lifecycle) {
    let hooks = [&mut lifecycle.post_start, &mut lifecycle.pre_stop];
    hooks.into_iter().flatten().for_each(set_handler_defaults);
}

/// When an image is pulled. A container without one is ours alone; there is nothing to pull.
fn pull_policy(image: Option<&str>) -> Option<String> {
    let image = image.filter(|image| !image.is_empty())?;
    Some(if is_latest(image) { "Always" } else { "IfNotPresent" }.to_owned())
}

/// Whether an image reference names the tag `latest`: outright, or by naming neither tag nor digest.
fn is_latest(image: &str) -> bool {
    let (name, has_digest) = image.split_once('@').map_or((image, false), |(name, _)| (name, true));
    // A colon before the last slash belongs to a registry's port.
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split_once(':').map_or(!has_digest, |(_, tag)| tag == "latest")
}

fn set_env_defaults(variable: &mut EnvVar) {
    let Some(source) = &mut variable.value_from else { return };
    source.field_ref.iter_mut().for_each(set_field_ref_defaults);
    source.resource_field_ref.iter_mut().for_each(set_divisor);
}

/// A server writes the divisor even where there is none.
fn set_divisor(reference: &mut ResourceFieldSelector) {
    reference.divisor.get_or_insert_with(|| Quantity("0".into()));
}

fn set_field_ref_defaults(reference: &mut ObjectFieldSelector) {
    reference.api_version.get_or_insert_with(|| "v1".into());
}

fn set_probe_defaults(probe: &mut Probe) {
    // Zero counts as absent upstream.
    for (field, default) in [
        (&mut probe.timeout_seconds, 1),
        (&mut probe.period_seconds, 10),
        (&mut probe.success_threshold, 1),
        (&mut probe.failure_threshold, 3),
    ] {
        if field.unwrap_or(0) == 0 {
            *field = Some(default);
        }
    }
    if let Some(action) = &mut probe.http_get {
        set_http_defaults(action);
    }
    if let Some(action) = &mut probe.grpc {
        action.service.get_or_insert_default();
    }
}

fn set_handler_defaults(handler: &mut LifecycleHandler) {
    if let Some(action) = &mut handler.http_get {
        set_http_defaults(action);
    }
}

fn set_http_defaults(action: &mut HTTPGetAction) {
    action.path.get_or_insert_with(|| "/".into());
    action.scheme.get_or_insert_with(|| "HTTP".into());
}

fn set_requests_from_limits(resources: &mut ResourceRequirements) {
    for (name, limit) in resources.limits.iter().flatten() {
        resources.requests.get_or_insert_default().entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

fn default_text(field: &mut String, default: &str) {
    if field.is_empty() {
        default.clone_into(field);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn defaulted(spec: &Value) -> Value {
        let mut job: Job = serde_json::from_value(json!({"spec": spec})).expect("a Job");
        set_job_defaults(&mut job);
        serde_json::to_value(job).expect("JSON")
    }

    #[test]
    fn completions_parallelism_and_limits_depend_on_each_other() {
        for (sentence, spec, expected) in [
            ("neither is one pod", json!({}), json!([1, 1, 6, "TerminatingOrFailed"])),
            ("completions alone", json!({"completions": 5}), json!([5, 1, 6, "TerminatingOrFailed"])),
            ("a work queue", json!({"parallelism": 3}), json!([null, 3, 6, "TerminatingOrFailed"])),
            (
                "a limit per index lifts the other",
                json!({"completions": 2, "backoffLimitPerIndex": 1}),
                json!([2, 1, i32::MAX, "TerminatingOrFailed"]),
            ),
            (
                "a failure policy waits for the pod to be gone",
                json!({"podFailurePolicy": {"rules": []}}),
                json!([1, 1, 6, "Failed"]),
            ),
        ] {
            let spec = &defaulted(&spec)["spec"];
            let found = json!([
                spec["completions"],
                spec["parallelism"],
                spec["backoffLimit"],
                spec["podReplacementPolicy"]
            ]);
            assert_eq!(found, expected, "{sentence}");
        }
    }

    #[test]
    fn a_job_shows_what_a_server_would() {
        let job = defaulted(&json!({"template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "restartPolicy": "Never",
                "serviceAccount": "robot",
                "containers": [{
                    "name": "c",
                    "image": "busybox",
                    "ports": [{"containerPort": 80}],
                    "env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
                    "livenessProbe": {"httpGet": {"port": 80}},
                }],
                "volumes": [{"name": "scratch"}, {"name": "s", "secret": {"secretName": "s"}}],
            },
        }}));
        assert_eq!(
            job,
            json!({
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {"labels": {"app": "x"}},
                "spec": {
                    "backoffLimit": 6, "completionMode": "NonIndexed", "completions": 1, "manualSelector": false,
                    "parallelism": 1, "podReplacementPolicy": "TerminatingOrFailed", "suspend": false,
                    "template": {
                        "metadata": {"labels": {"app": "x"}},
                        "spec": {
                            "containers": [{
                                "env": [{"name": "A", "valueFrom": {"fieldRef": {
                                    "apiVersion": "v1", "fieldPath": "metadata.name"}}}],
                                "image": "busybox",
                                "imagePullPolicy": "Always",
                                "livenessProbe": {
                                    "failureThreshold": 3, "periodSeconds": 10, "successThreshold": 1,
                                    "timeoutSeconds": 1,
                                    "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"}},
                                "name": "c",
                                "ports": [{"containerPort": 80, "protocol": "TCP"}],
                                "resources": {},
                                "terminationMessagePath": "/dev/termination-log",
                                "terminationMessagePolicy": "File"}],
                            "dnsPolicy": "ClusterFirst",
                            "restartPolicy": "Never",
                            "schedulerName": "default-scheduler",
                            "securityContext": {},
                            "serviceAccount": "robot",
                            "serviceAccountName": "robot",
                            "terminationGracePeriodSeconds": 30,
                            "volumes": [
                                {"emptyDir": {}, "name": "scratch"},
                                {"name": "s", "secret": {"defaultMode": 420, "secretName": "s"}}],
                        },
                    },
                },
            })
        );
    }

    #[test]
    fn pull_policy_follows_the_tag() {
        for (image, policy) in [
            (json!("busybox"), json!("Always")),
            (json!("busybox:latest"), json!("Always")),
            (json!("busybox:1.36"), json!("IfNotPresent")),
            (json!("localhost:5000/a"), json!("Always")),
            (json!("localhost:5000/a:1"), json!("IfNotPresent")),
            (json!("a@sha256:00"), json!("IfNotPresent")),
            (json!("a:latest@sha256:00"), json!("Always")),
            (json!(null), json!(null)),
        ] {
            let job =
                defaulted(&json!({"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}));
            assert_eq!(
                job["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"], policy,
                "{image}"
            );
        }
    }

    #[test]
    fn only_a_bare_pod_has_service_links_and_requests_from_limits() {
        let container = json!({"name": "c", "resources": {"limits": {"cpu": "1"}}});
        let mut pod: Pod =
            serde_json::from_value(json!({"spec": {"containers": [container]}})).expect("a Pod");
        set_pod_defaults(&mut pod);
        let pod = serde_json::to_value(pod).expect("JSON");
        assert_eq!(pod["spec"]["enableServiceLinks"], true);
        assert_eq!(pod["spec"]["restartPolicy"], "Always");
        assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"], json!({"cpu": "1"}));
        let job = defaulted(&json!({"template": {"spec": {"containers": [container]}}}));
        let spec = &job["spec"]["template"]["spec"];
        assert_eq!(spec["enableServiceLinks"], Value::Null);
        assert_eq!(spec["containers"][0]["resources"], json!({"limits": {"cpu": "1"}}));
    }

    #[test]
    fn a_reference_to_a_resource_always_has_a_divisor() {
        let env = json!([
            {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        ]);
        let job = defaulted(&json!({"template": {"spec": {"containers": [{"name": "c", "env": env}]}}}));
        let env = &job["spec"]["template"]["spec"]["containers"][0]["env"];
        let divisor = |index: usize| &env[index]["valueFrom"]["resourceFieldRef"]["divisor"];
        assert_eq!((divisor(0), divisor(1)), (&json!("0"), &json!("1m")));
    }

    #[test]
    fn defaults_change_nothing_the_second_time() {
        let once = defaulted(&json!({"template": {"spec": {"containers": [{"name": "c"}]}}}));
        assert_eq!(defaulted(&once["spec"])["spec"], once["spec"]);
    }

    #[test]
    fn a_cron_job_leaves_its_job_template_alone_but_for_the_pod() {
        let mut cron_job: CronJob = serde_json::from_value(json!({"spec": {
            "schedule": "* * * * *", "jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}}))
        .expect("a CronJob");
        set_cron_job_defaults(&mut cron_job);
        let spec = cron_job.spec.expect("a spec");
        assert_eq!(spec.concurrency_policy.as_deref(), Some("Allow"));
        assert_eq!((spec.successful_jobs_history_limit, spec.failed_jobs_history_limit), (Some(3), Some(1)));
        let job = spec.job_template.spec.expect("a Job spec");
        assert_eq!(job.backoff_limit, None);
        assert_eq!(job.template.spec.and_then(|spec| spec.dns_policy).as_deref(), Some("ClusterFirst"));
    }
}
