//! The CronJob controller on simulated time: rules one by one, upstream's end-to-end cases, and whole years.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, TimeZone, Utc};
use chrono_tz::Tz as Zone;
use serde_json::{Value, json};

use crate::api::defaults::{set_cron_job_defaults, set_job_defaults};
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{annotation, key, name, uid};

use crate::api::{CronJob, CronJobSpec, Job};
use crate::controller::{Action, Plan, Settings, World, reconcile_cron_jobs};

/// A CronJob, its Jobs and a clock; no pods: Jobs end when a test says so.
struct Scene {
    world: World,
    now: DateTime<Utc>,
    cron_job: CronJob,
    jobs: Vec<Job>,
    wake: Option<DateTime<Utc>>,
    /// Of names and uids.
    seed: u64,
    events: Vec<EventRecord>,
    /// Names of all Jobs ever made with the time each was made at.
    made: Vec<(String, DateTime<Utc>)>,
}

/// Second 0 of every scene that does not say otherwise: on a minute.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_040, 0).expect("a time")
}

/// `* * * * *`; `spec` says what is different.
fn cron_job(spec: &Value) -> CronJob {
    let mut value = json!({
        "metadata": {"name": "c", "namespace": "default", "uid": "cron-uid", "annotations": {
            "jobctl.local/path": "/bin", "mine": "x"}},
        "spec": {"schedule": "* * * * *", "jobTemplate": {
            "metadata": {"labels": {"of": "the-template"}, "annotations": {"of": "the-template"}},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}},
        }},
    });
    for (field, given) in spec.as_object().expect("fields") {
        value["spec"][field] = given.clone();
    }
    let mut cron_job = serde_json::from_value(value).expect("a CronJob");
    set_cron_job_defaults(&mut cron_job);
    cron_job
}

impl Scene {
    #[expect(clippy::needless_pass_by_value, reason = "rows are written as values")]
    fn at(now: DateTime<Utc>, spec: Value) -> Self {
        let mut cron_job = cron_job(&spec);
        cron_job.metadata.creation_timestamp = Some(crate::api::meta::time(now));
        let world = World::new(Settings::default());
        let (jobs, events, made) = (Vec::new(), Vec::new(), Vec::new());
        let mut scene = Self { world, now, cron_job, jobs, wake: None, seed: 0, events, made };
        scene.put();
        scene.settle();
        scene
    }

    fn of(spec: Value) -> Self {
        Self::at(start(), spec)
    }

    fn put(&mut self) {
        // What is stored has whole seconds.
        let text = serde_json::to_string(&self.cron_job).expect("JSON");
        self.cron_job = serde_json::from_str(&text).expect("a CronJob");
        self.world.cron_jobs.put(self.cron_job.clone());
    }

    /// Another spec.
    fn change(&mut self, change: impl FnOnce(&mut CronJobSpec)) {
        change(self.cron_job.spec.as_mut().expect("a spec"));
        self.put();
        self.settle();
    }

    fn settle(&mut self) {
        for _ in 0..6 {
            let due = self.world.cron_jobs.take_dirty();
            self.seed += 1;
            let plan = reconcile_cron_jobs(&self.world, &due, self.now, self.seed);
            let again = reconcile_cron_jobs(&self.world, &due, self.now, self.seed);
            assert_eq!(plan, again, "deterministic");
            if due.contains(&key(&self.cron_job.metadata)) {
                self.wake = plan.wakes.values().next().copied().flatten();
            }
            if plan.actions.is_empty() {
                return;
            }
            self.perform(plan);
        }
        panic!("the CronJob does not settle");
    }

    fn perform(&mut self, plan: Plan) {
        for action in plan.actions {
            match action {
                Action::CreateJob(mut job) => {
                    set_job_defaults(&mut job);
                    self.made.push((name(&job.metadata).to_owned(), self.now));
                    self.world.put_job(Job::clone(&job));
                    self.jobs.push(*job);
                }
                Action::UpdateCronJobStatus(cron_job) => {
                    self.cron_job = *cron_job;
                    self.put();
                }
                Action::RemoveJob(gone) => {
                    self.jobs.retain(|job| key(&job.metadata) != gone);
                    self.world.remove_job(&gone);
                }
                Action::RecordEvent(event) => self.events.push(event),
                Action::RecordOnce(mark) => self.world.cron_jobs.mark_recorded(mark),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Lets time pass; the controller wakes when it has asked to.
    fn pass(&mut self, seconds: i64) -> &mut Self {
        let end = self.now + Duration::seconds(seconds);
        while let Some(at) = self.wake.filter(|at| *at <= end) {
            assert!(at > self.now, "no wake-up is for nothing");
            self.now = at;
            self.look();
        }
        self.now = end;
        self
    }

    /// A controller looks, as one does that has just started.
    fn look(&mut self) {
        self.world.cron_jobs.enqueue(key(&self.cron_job.metadata));
        self.settle();
    }

    /// Lets time pass with nobody there.
    fn sleep(&mut self, seconds: i64) -> &mut Self {
        self.now += Duration::seconds(seconds);
        self.look();
        self
    }

    fn finish(&mut self, job_name: &str, condition: &str) {
        let now = self.now;
        let job = self.jobs.iter_mut().find(|job| name(&job.metadata) == job_name).expect("the Job");
        job.status = Some(
            serde_json::from_value(json!({
                "startTime": now.to_rfc3339(), "completionTime": (condition == "Complete").then(|| now.to_rfc3339()),
                "conditions": [{"type": condition, "status": "True"}],
            }))
            .expect("a status"),
        );
        self.world.put_job(job.clone());
        self.settle();
    }

    /// Ends every Job that runs.
    fn finish_all(&mut self, condition: &str) {
        for active in self.active() {
            self.finish(&active, condition);
        }
    }

    fn delete(&mut self, job_name: &str) {
        self.jobs.retain(|job| name(&job.metadata) != job_name);
        self.world.remove_job(&Key::new("default", job_name));
        self.settle();
    }

    fn active(&self) -> Vec<String> {
        let status = self.cron_job.status.clone().unwrap_or_default();
        status.active.into_iter().flatten().filter_map(|active| active.name).collect()
    }

    fn job_names(&self) -> Vec<&str> {
        self.jobs.iter().map(|job| name(&job.metadata)).collect()
    }

    fn last_schedule(&self) -> Option<i64> {
        let status = self.cron_job.status.as_ref()?;
        status.last_schedule_time.as_ref().map(|time| (time.0 - start()).num_seconds())
    }

    fn reasons(&self) -> Vec<&str> {
        self.events.iter().map(|event| event.reason.as_str()).collect()
    }

    fn has_event(&self, reason: &str) -> bool {
        self.reasons().contains(&reason)
    }
}

/// The name of the Job of so many minutes after the start.
fn job_at(minute: i64) -> String {
    format!("c-{}", start().timestamp() / 60 + minute)
}

#[test]
fn nothing_runs_before_the_first_time_after_creation() {
    let mut scene = Scene::of(json!({}));
    assert_eq!((scene.job_names(), scene.wake), (vec![], Some(start() + Duration::minutes(1))));
    scene.pass(60);
    assert_eq!(scene.job_names(), [job_at(1)]);
    assert_eq!(scene.last_schedule(), Some(60));
    assert_eq!(scene.active(), [job_at(1)]);
    assert_eq!(scene.reasons(), ["SuccessfulCreate"]);
    assert_eq!(scene.events[0].message, format!("Created job {}", job_at(1)));
}

#[test]
fn a_job_has_the_templates_metadata_its_time_and_its_owner() {
    let mut scene = Scene::of(json!({"timeZone": "Europe/Berlin"}));
    scene.pass(60);
    let job = &scene.jobs[0];
    assert_eq!(job.metadata.labels.as_ref().expect("labels")["of"], "the-template");
    let shown: Vec<_> =
        ["of", "jobctl.local/path", "mine", "batch.kubernetes.io/cronjob-scheduled-timestamp"]
            .map(|key| annotation(&job.metadata, key))
            .into();
    assert_eq!(shown, [Some("the-template"), Some("/bin"), None, Some("2023-11-14T23:15:00+01:00")]);
    let owner = &job.metadata.owner_references.as_ref().expect("an owner")[0];
    assert_eq!(
        (owner.uid.as_str(), owner.controller, owner.block_owner_deletion),
        ("cron-uid", Some(true), Some(true))
    );
    let active = scene.cron_job.status.clone().expect("a status").active.expect("active");
    assert_eq!(active[0].uid.as_deref(), Some(uid(&job.metadata)));
    scene = Scene::of(json!({}));
    scene.pass(60);
    let stamp = annotation(&scene.jobs[0].metadata, "batch.kubernetes.io/cronjob-scheduled-timestamp");
    assert_eq!(stamp, Some("2023-11-14T22:15:00Z"));
}

#[test]
fn an_end_is_seen_and_the_newest_success_remembered() {
    let mut scene = Scene::of(json!({}));
    scene.pass(61);
    scene.finish(&job_at(1), "Complete");
    assert_eq!(scene.active(), [""; 0]);
    let last = scene.events.last().expect("an event");
    assert_eq!(last.message, format!("Saw completed job: {}, condition: Complete", job_at(1)));
    let success = scene.cron_job.status.clone().expect("a status").last_successful_time.expect("a time").0;
    assert_eq!(success, start() + Duration::seconds(61));
    scene.pass(60);
    scene.finish(&job_at(2), "Failed");
    let status = scene.cron_job.status.clone().expect("a status");
    assert_eq!(status.last_successful_time.expect("a time").0, success);
}

// Upstream's end-to-end cases (kubernetes-behaviour 7), in their order.

#[test]
fn a_job_that_the_server_would_not_take_is_not_made_and_told_once() {
    let template = |labels: &Value| {
        json!({"jobTemplate": {"metadata": {"labels": labels},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main"}]}}}}})
    };
    let mut scene = Scene::of(template(&json!({"a": "@"})));
    scene.pass(61).pass(3);
    assert_eq!((scene.job_names(), scene.active()), (vec![], vec![]));
    let messages: Vec<&str> = scene.events.iter().map(|event| event.message.as_str()).collect();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    let start = format!(
        "Error creating job: Job.batch \"{}\" is invalid: metadata.labels: Invalid value: \"@\": ",
        job_at(1)
    );
    assert!(message.starts_with(&start), "{message}");
}

#[test]
fn a_history_of_none_still_remembers_the_success() {
    let mut scene = Scene::of(json!({"successfulJobsHistoryLimit": 0}));
    scene.pass(61);
    scene.finish(&job_at(1), "Complete");
    assert_eq!((scene.active(), scene.job_names()), (vec![], vec![]));
    let reasons: Vec<&str> = scene.events.iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(reasons, ["SuccessfulCreate", "SuccessfulDelete"], "its end is not reported as seen");
    let success = scene.cron_job.status.clone().expect("a status").last_successful_time.expect("a time").0;
    assert_eq!(success, start() + Duration::seconds(61));
}

#[test]
fn case_1_allow_runs_several_at_once() {
    let mut scene = Scene::of(json!({}));
    scene.pass(180);
    assert_eq!(scene.active(), [job_at(1), job_at(2), job_at(3)]);
}

#[test]
fn case_2_suspended_starts_nothing_and_wants_no_wake_up() {
    let mut scene = Scene::of(json!({"suspend": true}));
    scene.pass(600).sleep(600);
    assert_eq!((scene.job_names(), scene.active(), scene.wake), (vec![], vec![], None));
    scene.change(|spec| spec.suspend = Some(false));
    assert_eq!(scene.job_names(), [job_at(20)], "the most recent missed run starts at once");
}

#[test]
fn case_3_forbid_never_runs_two_and_makes_up_for_the_last() {
    let mut scene = Scene::of(json!({"concurrencyPolicy": "Forbid"}));
    scene.pass(190);
    assert_eq!((scene.active(), scene.last_schedule()), (vec![job_at(1)], Some(60)));
    assert!(scene.has_event("JobAlreadyActive"));
    scene.finish(&job_at(1), "Complete");
    assert_eq!((scene.active(), scene.last_schedule()), (vec![job_at(3)], Some(180)));
    let mut strict = Scene::of(json!({"concurrencyPolicy": "Forbid", "startingDeadlineSeconds": 5}));
    strict.pass(190);
    strict.finish(&job_at(1), "Complete");
    assert_eq!(strict.active(), [""; 0], "the deadline has passed");
    assert!(strict.has_event("MissSchedule"));
    strict.pass(60);
    assert_eq!(strict.active(), [job_at(4)]);
}

#[test]
fn case_4_replace_replaces() {
    let mut scene = Scene::of(json!({"concurrencyPolicy": "Replace"}));
    scene.pass(60);
    assert_eq!(scene.job_names(), [job_at(1)]);
    scene.pass(60);
    assert_eq!((scene.job_names(), scene.active()), (vec![job_at(2).as_str()], vec![job_at(2)]));
    assert_eq!(scene.reasons(), ["SuccessfulCreate", "SuccessfulDelete", "SuccessfulCreate"]);
}

#[test]
fn case_5_more_than_a_hundred_missed_times_are_one_run_and_a_warning() {
    for (sentence, spec, warned) in [
        ("without a deadline", json!({}), true),
        ("with a deadline that leaves a few", json!({"startingDeadlineSeconds": 600}), false),
    ] {
        let mut scene = Scene::of(spec);
        scene.sleep(101 * 60 + 30);
        assert_eq!(scene.job_names(), [job_at(101)], "{sentence}");
        assert_eq!(scene.has_event("TooManyMissedTimes"), warned, "{sentence}");
        assert_eq!(scene.wake, Some(start() + Duration::minutes(102)), "{sentence}");
    }
}

#[test]
fn case_6_short_jobs_make_no_noise() {
    let mut scene = Scene::of(json!({}));
    for _ in 0..5 {
        scene.pass(60);
        scene.finish_all("Complete");
    }
    assert!(!scene.has_event("MissingJob") && !scene.has_event("UnexpectedJob"), "{:?}", scene.reasons());
}

#[test]
fn case_7_a_deleted_job_is_missing() {
    let mut scene = Scene::of(json!({"concurrencyPolicy": "Forbid"}));
    scene.pass(60);
    scene.delete(&job_at(1));
    assert_eq!(scene.active(), [""; 0]);
    let last = scene.events.last().expect("an event");
    assert_eq!(
        (last.reason.as_str(), last.message.clone()),
        ("MissingJob", format!("Active job went missing: {}", job_at(1)))
    );
}

#[test]
fn cases_8_and_9_history_keeps_the_newest() {
    for (successful, failed, condition) in [(1, 0, "Complete"), (0, 1, "Failed")] {
        let mut scene =
            Scene::of(json!({"successfulJobsHistoryLimit": successful, "failedJobsHistoryLimit": failed}));
        for minute in 1..=3 {
            scene.pass(60);
            scene.finish_all(condition);
            assert_eq!(scene.job_names(), [job_at(minute)], "{condition}");
        }
        scene.change(|spec| {
            (spec.successful_jobs_history_limit, spec.failed_jobs_history_limit) = (Some(0), Some(0));
        });
        assert_eq!(scene.job_names(), [""; 0], "0 keeps none");
    }
}

#[test]
fn case_10_an_unknown_zone_of_an_old_object_starts_nothing() {
    let mut scene = Scene::of(json!({"timeZone": "bad-time-zone"}));
    scene.pass(600);
    assert_eq!((scene.job_names(), scene.wake), (vec![], None));
    assert_eq!(
        scene.events[0].message,
        "invalid timeZone: \"bad-time-zone\": unknown time zone bad-time-zone"
    );
}

#[test]
fn case_11_an_hour_with_a_step_of_one_is_every_hour() {
    let mut scene = Scene::of(json!({"schedule": "* */1 * * ?"}));
    scene.pass(120);
    assert_eq!(scene.job_names(), [job_at(1), job_at(2)]);
}

#[test]
fn a_job_made_by_hand_is_unexpected_while_it_runs_and_counts_as_history() {
    let mut scene = Scene::of(json!({"successfulJobsHistoryLimit": 0}));
    let mut job = crate::controller::cronjob::job_of_template(&scene.cron_job, "by-hand");
    job.metadata.uid = Some("by-hand-uid".into());
    scene.world.put_job(job.clone());
    scene.jobs.push(job);
    scene.settle();
    assert_eq!((scene.reasons(), scene.active()), (vec!["UnexpectedJob"], vec![]));
    scene.finish("by-hand", "Complete");
    assert_eq!(scene.job_names(), [""; 0]);
}

#[test]
fn a_crash_between_two_looks_starts_nothing_twice() {
    let mut scene = Scene::of(json!({"schedule": "@every 1s"}));
    scene.pass(1);
    let before = scene.job_names().join(" ");
    // The status as it was before the run: its commit and the Job's are one, so this cannot happen; if it did:
    scene.cron_job.status = None;
    scene.put();
    scene.settle();
    assert_eq!(scene.job_names().join(" "), before);
    assert_eq!(scene.active().len(), 1);
    // Somebody else's Job of the name of a run is left alone.
    let mut scene = Scene::of(json!({}));
    let foreign: Job =
        serde_json::from_value(json!({"metadata": {"name": job_at(1), "namespace": "default", "uid": "x"}}))
            .expect("a Job");
    scene.world.put_job(foreign);
    scene.pass(60);
    assert_eq!(scene.reasons(), ["FailedCreate"]);
    assert_eq!(scene.last_schedule(), None);
}

#[test]
fn runs_less_than_a_minute_apart_carry_the_second() {
    let mut scene = Scene::of(json!({"schedule": "@every 20s"}));
    scene.pass(60);
    let second = start().timestamp();
    assert_eq!(scene.job_names(), [20, 40, 60].map(|after| format!("c-{}", second + after)));
    let mut scene = Scene::of(json!({"schedule": "@every 2m"}));
    scene.pass(130);
    assert_eq!(scene.job_names(), [job_at(2)]);
    scene.sleep(600);
    assert_eq!(scene.last_schedule(), Some(720), "the phase is kept over a pause");
}

#[test]
fn another_schedule_counts_from_the_last_run() {
    let mut scene = Scene::of(json!({"schedule": "0 0 1 1 *"}));
    scene.pass(90);
    assert_eq!(scene.job_names(), [""; 0]);
    scene.change(|spec| spec.schedule = "* * * * *".into());
    assert_eq!(scene.job_names(), [job_at(1)], "a time since its creation has passed");
}

#[test]
fn a_year_of_runs_is_exactly_as_stated() {
    for zone in [
        Zone::Europe__Berlin,
        Zone::America__New_York,
        Zone::Australia__Lord_Howe,
        Zone::Asia__Kolkata,
        Zone::UTC,
    ] {
        let first = zone.with_ymd_and_hms(2025, 1, 1, 0, 0, 0).unwrap().to_utc();
        let mut scene = Scene::at(first, json!({"schedule": "15 2 * * *", "timeZone": zone.name()}));
        for _ in 0..365 {
            scene.pass(86_400);
            scene.finish_all("Complete");
        }
        let days: Vec<NaiveDate> =
            scene.made.iter().map(|(_, at)| zone.from_utc_datetime(&at.naive_utc()).date_naive()).collect();
        assert_eq!(days.len(), 365, "{zone}: a run a day");
        assert!(days.windows(2).all(|pair| pair[1] == pair[0].succ_opt().expect("a day")), "{zone}");
        let odd: BTreeSet<String> = scene
            .made
            .iter()
            .map(|(_, at)| zone.from_utc_datetime(&at.naive_utc()).format("%m-%d %H:%M %:z").to_string())
            .filter(|shown| !shown[6..].starts_with("02:15"))
            .collect();
        let skipped: &[&str] = match zone {
            Zone::Europe__Berlin => &["03-30 03:00 +02:00"],
            Zone::America__New_York => &["03-09 03:00 -04:00"],
            Zone::Australia__Lord_Howe => &["10-05 02:30 +11:00"],
            _ => &[],
        };
        assert_eq!(odd.iter().map(String::as_str).collect::<Vec<_>>(), skipped, "{zone}");
        let names: BTreeSet<&String> = scene.made.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 365, "{zone}: every name once");
    }
}
