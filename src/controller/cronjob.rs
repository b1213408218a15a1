//! The CronJob controller: when Jobs are started, and which are kept (kubernetes-behaviour 3).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, SecondsFormat, Utc};
use chrono_tz::Tz;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

mod expectation;

use super::cron_jobs::{Child, OnceEvent};
use super::pods::new_uid;
use super::{Action, Plan, World, ttl};
use crate::api::durations::after;
use crate::api::events::{EventRecord, Reference};
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{ANNOTATION_SCHEDULED_TIMESTAMP, OWN_ANNOTATIONS, name, namespace, time, uid};
use crate::api::schedule::{self, Schedule};
use crate::api::status_error::StatusError;
use crate::api::validation;
use crate::api::{CronJob, CronJobSpec, CronJobStatus, Job, ObjectMeta};

/// The component that Events of this controller name.
const SOURCE: &str = "cronjob-controller";
/// More missed times than these are worth a warning.
const MANY_MISSED: i64 = 100;

/// Syncs the named CronJobs. One that is not named costs nothing.
pub fn reconcile_cron_jobs(world: &World, cron_jobs: &BTreeSet<Key>, now: DateTime<Utc>, seed: u64) -> Plan {
    let mut plan = Plan::default();
    let mut random = fastrand::Rng::with_seed(seed);
    for key in cron_jobs {
        let Some(cron_job) = world.cron_jobs.get(key) else {
            plan.wakes.insert(key.clone(), None);
            continue;
        };
        if cron_job.metadata.deletion_timestamp.is_some() {
            // Deleted in the foreground: its Jobs go first, which is their own business.
            if world.cron_jobs.children(uid(&cron_job.metadata)).next().is_none() {
                plan.actions.push(Action::RemoveCronJob(key.clone()));
            }
            plan.wakes.insert(key.clone(), None);
            continue;
        }
        let spec = cron_job.spec.clone().unwrap_or_default();
        let mut sync = Sync {
            world,
            cron_job,
            spec: &spec,
            now,
            status: cron_job.status.clone().unwrap_or_default(),
            children: world
                .cron_jobs
                .children(uid(&cron_job.metadata))
                .map(|(key, child)| (key.clone(), child.clone()))
                .collect(),
            actions: &mut plan.actions,
        };
        let jobs = sync.children.clone();
        // What goes at once with its end is not reported as seen.
        sync.keep_history();
        sync.look_after_jobs(&jobs);
        let wake = sync.start_what_is_due(&mut random);
        let (metadata, overdue_at) = sync.look_after_expectation();
        let wake = wake.into_iter().chain(overdue_at).min();
        let status = sync.status;
        if cron_job.status.clone().unwrap_or_default() != status || metadata != cron_job.metadata {
            let changed = CronJob { metadata, status: Some(status), ..CronJob::clone(cron_job) };
            plan.actions.push(Action::UpdateCronJobStatus(Box::new(changed)));
        }
        plan.wakes.insert(key.clone(), wake);
    }
    plan
}

/// One sync of one CronJob.
struct Sync<'a> {
    world: &'a World,
    cron_job: &'a CronJob,
    spec: &'a CronJobSpec,
    now: DateTime<Utc>,
    status: CronJobStatus,
    children: BTreeMap<Key, Child>,
    actions: &'a mut Vec<Action>,
}

impl Sync<'_> {
    fn event(&mut self, type_: &str, reason: &str, message: &str) {
        let about = cron_job_reference(self.cron_job);
        let event = EventRecord::new(about, type_, SOURCE, reason, message, self.now);
        self.actions.push(Action::RecordEvent(event));
    }

    /// Says something that stays true for a while only once.
    fn event_once(&mut self, what: &str, type_: &str, reason: &str, message: &str) {
        self.event_once_on(reason, what, (type_, reason, message));
    }

    /// As [`Sync::event_once`], with a topic of its own in place of the reason.
    fn event_once_on(&mut self, topic: &str, what: &str, (type_, reason, message): (&str, &str, &str)) {
        let said = OnceEvent {
            cron_job: uid(&self.cron_job.metadata).into(),
            topic: topic.into(),
            what: what.to_owned(),
        };
        if !self.world.cron_jobs.was_recorded(&said) {
            self.event(type_, reason, message);
            self.actions.push(Action::RecordOnce(said));
        }
    }

    fn is_active(&self, job: &str) -> bool {
        self.status.active.iter().flatten().any(|active| active.uid.as_deref() == Some(job))
    }

    fn is_any_active(&self) -> bool {
        self.status.active.as_ref().is_some_and(|active| !active.is_empty())
    }

    /// Jobs that have ended leave the list of the active, as do those that are gone; strangers are told of.
    fn look_after_jobs(&mut self, jobs: &BTreeMap<Key, Child>) {
        for (job, child) in jobs {
            let active = self.is_active(&child.uid);
            match child.succeeded {
                None if !active => {
                    let message =
                        format!("Saw a job that the controller did not create or forgot: {}", job.name);
                    self.event_once_on(&child.uid, "", ("Warning", "UnexpectedJob", &message));
                }
                Some(succeeded) if active => {
                    self.forget_active(&child.uid);
                    let condition = if succeeded { "Complete" } else { "Failed" };
                    let message = format!("Saw completed job: {}, condition: {condition}", job.name);
                    self.event("Normal", "SawCompletedJob", &message);
                }
                _ => {}
            }
            if child.succeeded == Some(true)
                && let Some(completed) = child.completed
                && self.status.last_successful_time.as_ref().is_none_or(|last| last.0 < completed)
            {
                self.status.last_successful_time = Some(time(completed));
            }
        }
        for active in self.status.active.clone().unwrap_or_default() {
            let job = active.uid.unwrap_or_default();
            if !self.children.values().any(|child| *child.uid == *job) {
                self.forget_active(&job);
                let message = format!("Active job went missing: {}", active.name.unwrap_or_default());
                self.event("Normal", "MissingJob", &message);
            }
        }
    }

    fn forget_active(&mut self, job: &str) {
        if let Some(active) = &mut self.status.active {
            active.retain(|active| active.uid.as_deref() != Some(job));
            if active.is_empty() {
                self.status.active = None;
            }
        }
    }

    /// Starts the Job of the last scheduled time that has not been handled. Returns when the next is due.
    fn start_what_is_due(&mut self, random: &mut fastrand::Rng) -> Option<DateTime<Utc>> {
        if self.spec.suspend == Some(true) {
            return None;
        }
        let zone = match self.spec.time_zone.as_deref().map(schedule::zone) {
            None => self.world.settings.time_zone,
            Some(Ok(zone)) => zone,
            Some(Err(error)) => {
                let name = self.spec.time_zone.as_deref().unwrap_or_default();
                let message = format!("invalid timeZone: {name:?}: {error}");
                self.event_once(&message, "Warning", "UnknownTimeZone", &message);
                return None;
            }
        };
        let schedule: Schedule = match self.spec.schedule.parse() {
            Ok(schedule) => schedule,
            Err(error) => {
                let message = format!("unparseable schedule: {:?} : {error}", self.spec.schedule);
                self.event_once(&message, "Warning", "UnparseableSchedule", &message);
                return None;
            }
        };
        let handled = self.handled();
        let earliest = match self.spec.starting_deadline_seconds {
            Some(seconds) => handled.max(after(self.now, seconds.saturating_neg())),
            None => handled,
        };
        let from_phase = match schedule {
            Schedule::Every(_) => handled,
            Schedule::Calendar(_) => earliest,
        };
        let due = schedule.last(from_phase, self.now, zone).filter(|due| *due > earliest);
        if let Some(due) = due {
            self.start(due, &schedule, zone, random);
            self.warn_of_many_missed(&schedule, earliest, zone);
        } else if let Some(missed) = schedule.last(handled, self.now, zone) {
            let message = format!(
                "Missed scheduled time to start a job: {}",
                missed.format("%a, %d %b %Y %H:%M:%S %z")
            );
            self.event_once(&message, "Warning", "MissSchedule", &message);
        }
        match &schedule {
            Schedule::Every(_) => {
                let last = schedule.last(handled, self.now, zone).unwrap_or(handled);
                schedule.next(last, zone)
            }
            Schedule::Calendar(_) => schedule.next(self.now, zone),
        }
    }

    /// Up to when all scheduled times are done with.
    fn handled(&self) -> DateTime<Utc> {
        let created = self.cron_job.metadata.creation_timestamp.as_ref().map_or(self.now, |time| time.0);
        self.status.last_schedule_time.as_ref().map_or(created, |time| time.0)
    }

    /// Upstream's estimate: the time that has passed, in steps of the first interval.
    fn warn_of_many_missed(&mut self, schedule: &Schedule, earliest: DateTime<Utc>, zone: Tz) {
        let Some(first) = schedule.next(earliest, zone) else { return };
        let Some(second) = schedule.next(first, zone) else { return };
        let missed = (self.now - first).num_seconds() / (second - first).num_seconds().max(1) + 1;
        if missed > MANY_MISSED {
            let message = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check \
                           clock skew";
            self.event_once(&earliest.to_rfc3339(), "Warning", "TooManyMissedTimes", message);
        }
    }

    fn start(&mut self, due: DateTime<Utc>, schedule: &Schedule, zone: Tz, random: &mut fastrand::Rng) {
        match self.spec.concurrency_policy.as_deref() {
            Some("Forbid") if self.is_any_active() => {
                let message = "Not starting job because prior execution is running and concurrency policy is \
                               Forbid";
                self.event_once(&format!("forbid {due}"), "Normal", "JobAlreadyActive", message);
                return;
            }
            Some("Replace") => self.delete_active(),
            _ => {}
        }
        let job_key = Key::new(namespace(&self.cron_job.metadata), &job_name(self.cron_job, schedule, due));
        if let Some(child) = self.children.get(&job_key).cloned() {
            // Started by a controller that died before it could say so.
            if child.succeeded.is_none() && !self.is_active(&child.uid) {
                self.add_active(&job_key, &child.uid);
            }
        } else if self.world.job(&job_key).is_some() {
            let message = format!("Error creating job: jobs.batch {:?} already exists", job_key.name);
            self.event_once(&message, "Warning", "FailedCreate", &message);
            return;
        } else {
            let job_uid = new_uid(random);
            let job = scheduled_job(self.cron_job, &job_key, &job_uid, due, zone);
            if let Some(error) = invalid(&job) {
                let message = format!("Error creating job: {}", error.message());
                self.event_once(&message, "Warning", "FailedCreate", &message);
                return;
            }
            self.actions.push(Action::CreateJob(Box::new(job)));
            self.event("Normal", "SuccessfulCreate", &format!("Created job {}", job_key.name));
            self.add_active(&job_key, &job_uid);
        }
        self.status.last_schedule_time = Some(time(due));
    }

    fn add_active(&mut self, job: &Key, job_uid: &str) {
        self.status.active.get_or_insert_default().push(ObjectReference {
            api_version: Some("batch/v1".into()),
            kind: Some("Job".into()),
            name: Some(job.name.to_string()),
            namespace: Some(job.namespace.to_string()),
            uid: Some(job_uid.to_owned()),
            ..ObjectReference::default()
        });
    }

    fn delete_active(&mut self) {
        let active: Vec<Key> = self
            .children
            .iter()
            .filter(|(_, child)| self.is_active(&child.uid))
            .map(|(key, _)| key.clone())
            .collect();
        for job in active {
            self.delete(&job);
        }
    }

    /// Deletes a Job and what belongs to it.
    fn delete(&mut self, job: &Key) {
        let Some(child) = self.children.remove(job) else { return };
        self.forget_active(&child.uid);
        ttl::delete_with_pods(self.world, job, &child.uid, self.now, self.actions);
        self.event("Normal", "SuccessfulDelete", &format!("Deleted job {}", job.name));
    }

    /// Finished Jobs beyond the limits go, the oldest first.
    fn keep_history(&mut self) {
        for (succeeded, limit) in
            [(true, self.spec.successful_jobs_history_limit), (false, self.spec.failed_jobs_history_limit)]
        {
            let Some(limit) = limit else { continue };
            let mut finished: Vec<(bool, Option<DateTime<Utc>>, Key)> = self
                .children
                .iter()
                .filter(|(_, child)| child.succeeded == Some(succeeded))
                .map(|(key, child)| (child.started.is_none(), child.started, key.clone()))
                .collect();
            finished.sort();
            let surplus = finished.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
            for (_, _, job) in finished.into_iter().take(surplus) {
                self.delete(&job);
            }
        }
    }
}

/// What would keep the API server from taking a Job: of all that goes into one only the template's labels and annotations
/// have not been judged with the CronJob.
fn invalid(job: &Job) -> Option<StatusError> {
    let causes = validation::validate_template_metadata(&job.metadata);
    let name = name(&job.metadata).to_owned();
    (!causes.is_empty()).then_some(StatusError::Invalid { kind: Kind::Job, name, causes })
}

/// The name of the Job of a scheduled time: two controllers cannot start it twice. Upstream names it by the minute; a
/// schedule finer than that needs the second.
fn job_name(cron_job: &CronJob, schedule: &Schedule, due: DateTime<Utc>) -> String {
    let number = match schedule {
        Schedule::Every(interval) if *interval < Duration::minutes(1) => due.timestamp(),
        _ => due.timestamp().div_euclid(60),
    };
    format!("{}-{number}", name(&cron_job.metadata))
}

fn scheduled_job(cron_job: &CronJob, job: &Key, job_uid: &str, due: DateTime<Utc>, zone: Tz) -> Job {
    let mut made = job_of_template(cron_job, &job.name);
    made.metadata.uid = Some(job_uid.to_owned());
    let annotations = made.metadata.annotations.get_or_insert_default();
    let named = cron_job.spec.as_ref().is_some_and(|spec| spec.time_zone.is_some());
    let shown = if named { due.with_timezone(&zone) } else { due.with_timezone(&Tz::UTC) };
    annotations
        .insert(ANNOTATION_SCHEDULED_TIMESTAMP.into(), shown.to_rfc3339_opts(SecondsFormat::Secs, true));
    let owner = made.metadata.owner_references.iter_mut().flatten().next();
    if let Some(owner) = owner {
        owner.block_owner_deletion = Some(true);
    }
    made
}

/// A Job as the template of a CronJob says, controlled by it. What says where and with which variables the CronJob was
/// created goes on to its Jobs.
pub fn job_of_template(cron_job: &CronJob, job: &str) -> Job {
    let template = cron_job.spec.clone().unwrap_or_default().job_template;
    let meta = template.metadata.unwrap_or_default();
    let mut annotations = meta.annotations.unwrap_or_default();
    for (key, value) in cron_job.metadata.annotations.iter().flatten() {
        if key.starts_with(OWN_ANNOTATIONS) {
            annotations.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    Job {
        metadata: ObjectMeta {
            name: Some(job.to_owned()),
            namespace: cron_job.metadata.namespace.clone(),
            labels: meta.labels,
            annotations: (!annotations.is_empty()).then_some(annotations),
            owner_references: Some(vec![OwnerReference {
                api_version: "batch/v1".into(),
                kind: "CronJob".into(),
                name: name(&cron_job.metadata).into(),
                uid: uid(&cron_job.metadata).into(),
                controller: Some(true),
                block_owner_deletion: None,
            }]),
            ..ObjectMeta::default()
        },
        spec: template.spec,
        status: None,
    }
}

/// A reference to a CronJob for its Events.
/// A CronJob as Events name it.
pub fn cron_job_reference(cron_job: &CronJob) -> Reference {
    Reference {
        kind: "CronJob".into(),
        api_version: "batch/v1".into(),
        namespace: namespace(&cron_job.metadata).into(),
        name: name(&cron_job.metadata).into(),
        uid: uid(&cron_job.metadata).into(),
        field_path: None,
    }
}
