//! The description of a Job.

use k8s_openapi::api::batch::v1::Job;

use super::{Describe, Output, Related, line, or_unset, selector_text};
use crate::printers::duration::{below_a_second, human_duration};

const INDEXES_SHOWN: usize = 50;

impl Describe for Job {
    const HAS_EVENTS: bool = true;

    fn describe(&self, out: &mut Output<'_>, related: &Related) {
        let metadata = &self.metadata;
        line!(out, 0, "Name:\t{}", metadata.name.as_deref().unwrap_or_default());
        line!(out, 0, "Namespace:\t{}", metadata.namespace.as_deref().unwrap_or_default());
        let spec = self.spec.clone().unwrap_or_default();
        let status = self.status.clone().unwrap_or_default();
        line!(out, 0, "Selector:\t{}", spec.selector.as_ref().map(selector_text).unwrap_or_default());
        out.labels("", "Labels", metadata.labels.as_ref());
        out.annotations("", metadata.annotations.as_ref());
        out.controlled_by(metadata);
        if let Some(parallelism) = spec.parallelism {
            line!(out, 0, "Parallelism:\t{parallelism}");
        }
        line!(out, 0, "Completions:\t{}", or_unset(spec.completions));
        if let Some(mode) = &spec.completion_mode {
            line!(out, 0, "Completion Mode:\t{mode}");
        }
        if let Some(suspend) = spec.suspend {
            line!(out, 0, "Suspend:\t{suspend}");
        }
        if let Some(limit) = spec.backoff_limit {
            line!(out, 0, "Backoff Limit:\t{limit}");
        }
        if let Some(seconds) = spec.ttl_seconds_after_finished {
            line!(out, 0, "TTL Seconds After Finished:\t{seconds}");
        }
        let (start, completion) = (status.start_time.as_ref(), status.completion_time.as_ref());
        if start.is_some() {
            line!(out, 0, "Start Time:\t{}", out.time(start));
        }
        if completion.is_some() {
            line!(out, 0, "Completed At:\t{}", out.time(completion));
        }
        if let (Some(start), Some(completion)) = (start, completion) {
            let short = related.short_run.map(below_a_second);
            line!(out, 0, "Duration:\t{}", short.unwrap_or_else(|| human_duration(completion.0 - start.0)));
        }
        if let Some(seconds) = spec.active_deadline_seconds {
            line!(out, 0, "Active Deadline Seconds:\t{seconds}s");
        }
        let ready = status.ready.map(|ready| format!(" ({ready} Ready)")).unwrap_or_default();
        line!(
            out,
            0,
            "Pods Statuses:\t{} Active{ready} / {} Succeeded / {} Failed",
            status.active.unwrap_or(0),
            status.succeeded.unwrap_or(0),
            status.failed.unwrap_or(0)
        );
        if spec.completion_mode.as_deref() == Some("Indexed") {
            line!(
                out,
                0,
                "Completed Indexes:\t{}",
                indexes(status.completed_indexes.as_deref().unwrap_or_default())
            );
        }
        out.pod_template(&spec.template);
        out.waits(&related.waits);
    }
}

/// A long list ends at the first comma at or after the fiftieth character.
fn indexes(indexes: &str) -> String {
    if indexes.is_empty() {
        return "<none>".to_owned();
    }
    let comma = indexes.as_bytes().iter().skip(INDEXES_SHOWN).position(|b| *b == b',');
    match comma {
        Some(at) => format!("{}...", &indexes[..=INDEXES_SHOWN + at]),
        None => indexes.to_owned(),
    }
}
