//! The description of a CronJob.

use k8s_openapi::api::batch::v1::CronJob;

use super::{Describe, Output, Related, line, or_unset, python_bool, selector_text};

impl Describe for CronJob {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, _: &Related) {
        let metadata = &self.metadata;
        line!(out, 0, "Name:\t{}", metadata.name.as_deref().unwrap_or_default());
        line!(out, 0, "Namespace:\t{}", metadata.namespace.as_deref().unwrap_or_default());
        out.labels("", "Labels", metadata.labels.as_ref());
        out.annotations("", metadata.annotations.as_ref());
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        line!(out, 0, "Schedule:\t{}", spec.schedule);
        line!(out, 0, "Concurrency Policy:\t{}", spec.concurrency_policy.as_deref().unwrap_or_default());
        line!(out, 0, "Suspend:\t{}", or_unset(spec.suspend.map(python_bool)));
        line!(out, 0, "Successful Job History Limit:\t{}", or_unset(spec.successful_jobs_history_limit));
        line!(out, 0, "Failed Job History Limit:\t{}", or_unset(spec.failed_jobs_history_limit));
        let deadline = spec.starting_deadline_seconds.map(|seconds| format!("{seconds}s"));
        line!(out, 0, "Starting Deadline Seconds:\t{}", or_unset(deadline));

        let job = spec.job_template.spec.unwrap_or_default();
        line!(out, 0, "Selector:\t{}", or_unset(job.selector.as_ref().map(selector_text)));
        line!(out, 0, "Parallelism:\t{}", or_unset(job.parallelism));
        line!(out, 0, "Completions:\t{}", or_unset(job.completions));
        if let Some(seconds) = job.active_deadline_seconds {
            line!(out, 0, "Active Deadline Seconds:\t{seconds}s");
        }
        out.pod_template(&job.template);

        let last = status.last_schedule_time.as_ref().map(|last| out.time(Some(last)));
        line!(out, 0, "Last Schedule Time:\t{}", or_unset(last));
        let active: Vec<&str> =
            status.active.iter().flatten().filter_map(|job| job.name.as_deref()).collect();
        line!(
            out,
            0,
            "Active Jobs:\t{}",
            if active.is_empty() { "<none>".to_owned() } else { active.join(", ") }
        );
    }
}
