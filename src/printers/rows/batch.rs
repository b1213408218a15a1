//! Rows of CronJobs and Jobs.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::{Metadata, NONE, Row, Text, or_none, selector_text, since, time};
use crate::api::meta::CONDITION_WAITING;
use crate::printers::duration::human_duration;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronJobSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: CronJobSpec<'a>,
    #[serde(borrow, default)]
    status: CronJobStatus<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronJobSpec<'a> {
    #[serde(borrow)]
    schedule: Cow<'a, str>,
    #[serde(borrow)]
    time_zone: Option<Text<'a>>,
    suspend: Option<bool>,
    #[serde(borrow)]
    job_template: JobTemplate<'a>,
}

#[derive(Deserialize)]
struct JobTemplate<'a> {
    #[serde(borrow)]
    spec: JobSpec<'a>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct CronJobStatus<'a> {
    active: Option<Vec<IgnoredAny>>,
    #[serde(borrow)]
    last_schedule_time: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSummary<'a> {
    #[serde(borrow)]
    metadata: Metadata<'a>,
    #[serde(borrow)]
    spec: JobSpec<'a>,
    #[serde(borrow, default)]
    status: JobStatus<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JobSpec<'a> {
    parallelism: Option<i32>,
    completions: Option<i32>,
    #[serde(borrow)]
    selector: Option<&'a RawValue>,
    #[serde(borrow)]
    template: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct JobStatus<'a> {
    succeeded: Option<i32>,
    #[serde(borrow)]
    start_time: Option<Text<'a>>,
    #[serde(borrow)]
    completion_time: Option<Text<'a>>,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

#[derive(Deserialize)]
struct Condition<'a> {
    #[serde(borrow, rename = "type")]
    type_: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Template<'a> {
    #[serde(borrow)]
    spec: TemplateSpec<'a>,
}

#[derive(Deserialize)]
struct TemplateSpec<'a> {
    #[serde(borrow)]
    containers: Vec<Container<'a>>,
}

#[derive(Deserialize)]
struct Container<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    image: Option<Text<'a>>,
}

impl JobSpec<'_> {
    /// CONTAINERS and IMAGES, which only the wide table shows.
    fn containers(&self) -> serde_json::Result<[Cow<'static, str>; 2]> {
        let Some(template) = self.template else { return Ok([Cow::Borrowed(""), Cow::Borrowed("")]) };
        let template: Template<'_> = serde_json::from_str(template.get())?;
        let containers = template.spec.containers;
        let names: Vec<&str> = containers.iter().map(|c| &*c.name).collect();
        let images: Vec<&str> = containers.iter().map(|c| c.image.as_deref().unwrap_or("")).collect();
        Ok([names.join(",").into(), images.join(",").into()])
    }
}

pub(super) fn cron_job<'a>(json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
    let CronJobSummary { mut metadata, spec, status } = serde_json::from_str(json)?;
    let last_schedule = match status.last_schedule_time {
        Some(last) => since(Some(&last), now).into(),
        None => Cow::Borrowed(NONE),
    };
    let mut cells = vec![
        std::mem::take(&mut metadata.name),
        spec.schedule,
        or_none(spec.time_zone),
        match spec.suspend {
            Some(true) => "True".into(),
            Some(false) => "False".into(),
            None => "<unset>".into(),
        },
        status.active.map_or(0, |active| active.len()).to_string().into(),
        last_schedule,
        metadata.age(now),
    ];
    if wide {
        cells.extend(spec.job_template.spec.containers()?);
        cells.push(selector_text(spec.job_template.spec.selector));
    }
    Ok(metadata.row(cells))
}

pub(super) fn job<'a>(json: &'a str, now: DateTime<Utc>, wide: bool) -> serde_json::Result<Row<'a>> {
    let JobSummary { mut metadata, spec, status } = serde_json::from_str(json)?;
    let mut cells = vec![
        std::mem::take(&mut metadata.name),
        job_status(&metadata, &status).into(),
        completions(&spec, &status).into(),
        duration(&status, now).into(),
        metadata.age(now),
    ];
    if wide {
        cells.extend(spec.containers()?);
        cells.push(selector_text(spec.selector));
    }
    Ok(metadata.row(cells))
}

fn job_status(metadata: &Metadata<'_>, status: &JobStatus<'_>) -> &'static str {
    let has = |wanted: &str| {
        let mut conditions = status.conditions.iter().flatten();
        conditions.find(|c| c.type_ == wanted).is_some_and(|c| c.status == "True")
    };
    if has("Complete") {
        "Complete"
    } else if has("Failed") {
        "Failed"
    } else if metadata.deletion_timestamp.is_some() {
        "Terminating"
    } else if has("Suspended") {
        "Suspended"
    } else if has(CONDITION_WAITING) {
        "Waiting"
    } else if has("FailureTarget") {
        "FailureTarget"
    } else if has("SuccessCriteriaMet") {
        "SuccessCriteriaMet"
    } else {
        "Running"
    }
}

fn completions(spec: &JobSpec<'_>, status: &JobStatus<'_>) -> String {
    let succeeded = status.succeeded.unwrap_or(0);
    match (spec.completions, spec.parallelism.unwrap_or(0)) {
        (Some(completions), _) => format!("{succeeded}/{completions}"),
        (None, parallelism) if parallelism > 1 => format!("{succeeded}/1 of {parallelism}"),
        (None, _) => format!("{succeeded}/1"),
    }
}

fn duration(status: &JobStatus<'_>, now: DateTime<Utc>) -> String {
    let Some(start) = time(status.start_time.as_ref()) else { return String::new() };
    human_duration(time(status.completion_time.as_ref()).unwrap_or(now) - start)
}

#[cfg(test)]
mod tests {
    use crate::printers::rows::TableKind;
    use chrono::{DateTime, Utc};
    use serde_json::{Value, json};

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-11-20T10:02:00Z").unwrap().to_utc()
    }

    fn cells(kind: TableKind, object: &Value, wide: bool) -> Vec<String> {
        let json = object.to_string();
        let row = kind.row(&json, now(), wide).unwrap();
        // The last cell of a CronJob's wide row is not made here.
        let elsewhere = usize::from(kind == TableKind::CronJob && wide);
        assert_eq!(row.cells.len() + elsewhere, kind.columns(wide).len());
        row.cells.into_iter().map(Into::into).collect()
    }

    #[test]
    fn jobs_say_their_state() {
        let condition = |t: &str| json!({"conditions": [{"type": t, "status": "True"}], "succeeded": 1});
        let deleted = json!("2026-11-20T10:01:00Z");
        for (sentence, spec, status, deletion, expected) in [
            ("complete", json!({"completions": 1}), condition("Complete"), Value::Null, ["Complete", "1/1"]),
            ("failed", json!({"completions": 3}), condition("Failed"), Value::Null, ["Failed", "1/3"]),
            (
                "complete though deleted",
                json!({}),
                condition("Complete"),
                deleted.clone(),
                ["Complete", "1/1"],
            ),
            ("deleted", json!({}), json!({}), deleted, ["Terminating", "0/1"]),
            (
                "suspended",
                json!({"suspend": true}),
                condition("Suspended"),
                Value::Null,
                ["Suspended", "1/1"],
            ),
            ("failing", json!({}), condition("FailureTarget"), Value::Null, ["FailureTarget", "1/1"]),
            (
                "criteria met",
                json!({}),
                condition("SuccessCriteriaMet"),
                Value::Null,
                ["SuccessCriteriaMet", "1/1"],
            ),
            ("a work queue", json!({"parallelism": 3}), json!({}), Value::Null, ["Running", "0/1 of 3"]),
        ] {
            let job = json!({
                "metadata": {"name": "pi", "creationTimestamp": "2026-11-20T10:00:00Z", "deletionTimestamp": deletion},
                "spec": spec, "status": status,
            });
            let cells = cells(TableKind::Job, &job, false);
            assert_eq!(cells, ["pi", expected[0], expected[1], "", "2m"], "{sentence}");
        }
    }

    #[test]
    fn wide_jobs_name_containers_images_and_selector() {
        let job = json!({
            "metadata": {"name": "pi", "creationTimestamp": null},
            "spec": {
                "completions": 1,
                "selector": {"matchLabels": {"b": "2", "a": "1"}},
                "template": {"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b"}]}},
            },
            "status": {"startTime": "2026-11-20T10:00:10Z", "completionTime": "2026-11-20T10:01:15Z"},
        });
        assert_eq!(
            cells(TableKind::Job, &job, true),
            ["pi", "Running", "0/1", "65s", "<unknown>", "a,b", "i,", "a=1,b=2"]
        );
    }

    #[test]
    fn cron_jobs_show_schedule_and_last_run() {
        let cron_job = json!({
            "metadata": {"name": "hello", "creationTimestamp": "2026-11-20T10:00:00Z"},
            "spec": {"schedule": "*/1 * * * *", "suspend": false, "jobTemplate": {"spec": {"template": {"spec":
                {"containers": [{"name": "c", "image": "busybox"}]}}}}},
            "status": {"active": [{}], "lastScheduleTime": "2026-11-20T10:01:00Z"},
        });
        assert_eq!(
            cells(TableKind::CronJob, &cron_job, true),
            ["hello", "*/1 * * * *", "<none>", "False", "1", "60s", "2m", "c", "busybox", "<none>"]
        );
    }
}
