//! What there is, in numbers: a page for Prometheus, in the names of kube-state-metrics and of the kubelet.
//!
//! No label grows without bound: Jobs and pods come and go, so they are counted by namespace; CronJobs stay, and have a line each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What the numbers are made of.
#[derive(Debug, Default)]
pub struct Metrics {
    jobs: BTreeMap<String, Jobs>,
    pods: BTreeMap<(String, String), u64>,
    running_containers: BTreeMap<&'static str, u64>,
    cron_jobs: BTreeMap<(String, String), CronJobNumbers>,
    node: BTreeMap<(String, &'static str), f64>,
}

#[derive(Debug, Default)]
struct Jobs {
    all: u64,
    complete: u64,
    failed: u64,
    suspended: u64,
    active_pods: u64,
    succeeded_pods: u64,
    failed_pods: u64,
}

#[derive(Debug, Default)]
struct CronJobNumbers {
    active: u64,
    suspended: bool,
    last: Option<DateTime<Utc>>,
    last_success: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Object<Spec, Status> {
    metadata: Meta,
    #[serde(default = "Option::default")]
    spec: Option<Spec>,
    #[serde(default = "Option::default")]
    status: Option<Status>,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Default, Deserialize)]
struct JobSpec {
    suspend: Option<bool>,
}

#[derive(Default, Deserialize)]
struct JobStatus {
    active: Option<u64>,
    succeeded: Option<u64>,
    failed: Option<u64>,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
struct ContainerStatus {
    state: Option<State>,
}

#[derive(Deserialize)]
struct State {
    running: Option<Nothing>,
    terminated: Option<Nothing>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronJobStatus {
    #[serde(default)]
    active: Vec<Nothing>,
    last_schedule_time: Option<DateTime<Utc>>,
    last_successful_time: Option<DateTime<Utc>>,
}

impl Metrics {
    /// Counts a Job, given as JSON text.
    ///
    /// # Errors
    /// It is none.
    pub fn add_job(&mut self, text: &str) -> serde_json::Result<()> {
        let job: Object<JobSpec, JobStatus> = serde_json::from_str(text)?;
        let status = job.status.unwrap_or_default();
        let numbers = self.jobs.entry(job.metadata.namespace).or_default();
        let has = |kind: &str| status.conditions.iter().any(|one| one.kind == kind && one.status == "True");
        numbers.all += 1;
        numbers.complete += u64::from(has("Complete"));
        numbers.failed += u64::from(has("Failed"));
        numbers.suspended += u64::from(job.spec.unwrap_or_default().suspend == Some(true));
        numbers.active_pods += status.active.unwrap_or_default();
        numbers.succeeded_pods += status.succeeded.unwrap_or_default();
        numbers.failed_pods += status.failed.unwrap_or_default();
        Ok(())
    }

    /// Counts a pod, given as JSON text.
    ///
    /// # Errors
    /// It is none.
    pub fn add_pod(&mut self, text: &str) -> serde_json::Result<()> {
        let pod: Object<Nothing, PodStatus> = serde_json::from_str(text)?;
        let status = pod.status.unwrap_or_default();
        for state in status.container_statuses.iter().filter_map(|one| one.state.as_ref()) {
            let state = match (&state.running, &state.terminated) {
                (Some(_), _) => "running",
                (_, Some(_)) => "exited",
                _ => "created",
            };
            *self.running_containers.entry(state).or_default() += 1;
        }
        *self.pods.entry((pod.metadata.namespace, status.phase)).or_default() += 1;
        Ok(())
    }

    /// Counts a CronJob, given as JSON text.
    ///
    /// # Errors
    /// It is none.
    pub fn add_cron_job(&mut self, text: &str) -> serde_json::Result<()> {
        let cron_job: Object<JobSpec, CronJobStatus> = serde_json::from_str(text)?;
        let status = cron_job.status.unwrap_or_default();
        let numbers = CronJobNumbers {
            active: status.active.len() as u64,
            suspended: cron_job.spec.unwrap_or_default().suspend == Some(true),
            last: status.last_schedule_time,
            last_success: status.last_successful_time,
        };
        self.cron_jobs.insert((cron_job.metadata.namespace, cron_job.metadata.name), numbers);
        Ok(())
    }

    /// Notes how much of a resource the node has: all of it, and what pods may have. Cores, bytes or pieces.
    pub fn add_node(&mut self, resource: &str, capacity: f64, allocatable: f64) {
        self.node.insert((resource.to_owned(), "capacity"), capacity);
        self.node.insert((resource.to_owned(), "allocatable"), allocatable);
    }
}

/// The page.
impl std::fmt::Display for Metrics {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut page = Page::default();
        type OfJobs = (&'static str, &'static str, fn(&Jobs) -> u64);
        let of_jobs: [OfJobs; 7] = [
            ("kube_job_info", "Jobs that there are.", |jobs| jobs.all),
            ("kube_job_complete", "Jobs that are complete.", |jobs| jobs.complete),
            ("kube_job_failed", "Jobs that have failed.", |jobs| jobs.failed),
            ("kube_job_spec_suspend", "Jobs that are suspended.", |jobs| jobs.suspended),
            ("kube_job_status_active", "Pods of Jobs that are pending or run.", |jobs| jobs.active_pods),
            ("kube_job_status_succeeded", "Pods of Jobs that have succeeded.", |jobs| jobs.succeeded_pods),
            ("kube_job_status_failed", "Pods of Jobs that have failed.", |jobs| jobs.failed_pods),
        ];
        for (name, help, number) in of_jobs {
            page.begin(name, help);
            for (namespace, jobs) in &self.jobs {
                page.line(name, &[("namespace", namespace)], number(jobs) as f64);
            }
        }
        page.begin("kube_pod_status_phase", "Pods by their phase.");
        for ((namespace, phase), count) in &self.pods {
            page.line("kube_pod_status_phase", &[("namespace", namespace), ("phase", phase)], *count as f64);
        }
        let running: u64 =
            self.pods.iter().filter(|((_, phase), _)| phase == "Running").map(|(_, count)| count).sum();
        page.begin("kubelet_running_pods", "Pods that run.");
        page.line("kubelet_running_pods", &[], running as f64);
        page.begin("kubelet_running_containers", "Containers by their state.");
        for (state, count) in &self.running_containers {
            page.line("kubelet_running_containers", &[("container_state", state)], *count as f64);
        }
        let seconds = |time: Option<DateTime<Utc>>| time.map(|time| time.timestamp() as f64);
        type OfCronJobs = (&'static str, &'static str, fn(&CronJobNumbers) -> (f64, Option<DateTime<Utc>>));
        let of_cron_jobs: [OfCronJobs; 2] = [
            ("kube_cronjob_status_active", "Jobs of a CronJob that have not ended.", |one| {
                (one.active as f64, None)
            }),
            ("kube_cronjob_spec_suspend", "Whether a CronJob is suspended.", |one| {
                (f64::from(u8::from(one.suspended)), None)
            }),
        ];
        for (name, help, number) in of_cron_jobs {
            page.begin(name, help);
            for ((namespace, cron_job), one) in &self.cron_jobs {
                page.line(name, &[("namespace", namespace), ("cronjob", cron_job)], number(one).0);
            }
        }
        type Times = (&'static str, &'static str, fn(&CronJobNumbers) -> Option<DateTime<Utc>>);
        let times: [Times; 2] = [
            ("kube_cronjob_status_last_schedule_time", "When a CronJob was run last.", |one| one.last),
            ("kube_cronjob_status_last_successful_time", "When a run of a CronJob succeeded last.", |one| {
                one.last_success
            }),
        ];
        for (name, help, time) in times {
            page.begin(name, help);
            for ((namespace, cron_job), one) in &self.cron_jobs {
                if let Some(at) = seconds(time(one)) {
                    page.line(name, &[("namespace", namespace), ("cronjob", cron_job)], at);
                }
            }
        }
        for (of, help) in
            [("capacity", "What the node has."), ("allocatable", "What pods may have of the node.")]
        {
            let name = format!("kube_node_status_{of}");
            page.begin(&name, help);
            for ((resource, _), amount) in self.node.iter().filter(|((_, kind), _)| *kind == of) {
                let unit = match resource.as_str() {
                    "cpu" => "core",
                    "memory" | "ephemeral-storage" => "byte",
                    _ => "integer",
                };
                // As kube-state-metrics writes the names of resources.
                let label = resource.replace(['-', '.', '/'], "_");
                page.line(&name, &[("resource", &label), ("unit", unit)], *amount);
            }
        }
        formatter.write_str(&page.0)
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn begin(&mut self, name: &str, help: &str) {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge\n");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn jobs_are_counted_by_namespace_and_cron_jobs_by_name() {
        let mut metrics = Metrics::default();
        for name in ["a", "b"] {
            let job = json!({
                "metadata": {"name": name, "namespace": "n"}, "spec": {}, "status": {
                    "succeeded": 2, "conditions": [{"type": "Complete", "status": "True"}],
                },
            });
            metrics.add_job(&job.to_string()).expect("a Job");
        }
        let pod = json!({
            "metadata": {"name": "p", "namespace": "n"},
            "status": {"phase": "Running", "containerStatuses": [{"state": {"running": {"startedAt": "x"}}}]},
        });
        metrics.add_pod(&pod.to_string()).expect("a pod");
        let cron_job = json!({
            "metadata": {"name": "c", "namespace": "n"}, "spec": {"suspend": true},
            "status": {"lastScheduleTime": "1970-01-01T00:01:00Z"},
        });
        metrics.add_cron_job(&cron_job.to_string()).expect("a CronJob");
        metrics.add_node("cpu", 4., 3.5);
        let page = metrics.to_string();
        for line in [
            "kube_job_info{namespace=\"n\"} 2",
            "kube_job_status_succeeded{namespace=\"n\"} 4",
            "kube_job_complete{namespace=\"n\"} 2",
            "kube_pod_status_phase{namespace=\"n\",phase=\"Running\"} 1",
            "kubelet_running_pods 1",
            "kubelet_running_containers{container_state=\"running\"} 1",
            "kube_cronjob_spec_suspend{namespace=\"n\",cronjob=\"c\"} 1",
            "kube_cronjob_status_last_schedule_time{namespace=\"n\",cronjob=\"c\"} 60",
            "kube_node_status_allocatable{resource=\"cpu\",unit=\"core\"} 3.5",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        assert!(
            page.lines()
                .all(|line| line.starts_with("# HELP ") || line.starts_with("# TYPE ") || line.contains(' '))
        );
    }
}
