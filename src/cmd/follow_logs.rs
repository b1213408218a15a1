//! `-f`: following the logs of pods that run, restart and are replaced, until the pod or the Job has ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::fd::AsFd;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::context::Context;
use super::log_source::Chosen;
use super::output::print_log;
use super::progress::Progress;
use crate::api::conditions::{is_job_finished, is_pod_finished};
use crate::api::events::EventRecord;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{controller_of, key, name, uid};
use crate::api::{Job, Pod};
use crate::apiserver::{Reader, Source as _};
use crate::client::{Follower, Log};
use crate::controller::JobFacts;
use crate::kubelet::{CHUNK, LogOptions, Runs, raise_open_files};
use crate::manager::steady_clock;
use crate::store::{Change, Table};

/// Whose logs are followed.
#[derive(Clone, Debug)]
pub(super) enum Followed {
    /// These pods, by uid, until they have ended.
    Pods(Vec<String>),
    /// All pods of these Jobs, also those to come, until the Jobs have ended.
    Jobs(Vec<FollowedJob>),
}

impl Followed {
    /// The Jobs, where all that is followed is theirs.
    fn jobs(&self) -> &[FollowedJob] {
        match self {
            Self::Jobs(jobs) => jobs,
            Self::Pods(_) => &[],
        }
    }
}

/// A Job whose pods are followed.
#[derive(Clone, Debug)]
pub(super) struct FollowedJob {
    /// Where it is.
    pub(super) key: Key,
    /// Which one of that name.
    pub(super) uid: String,
}

impl FollowedJob {
    /// Whether there is nothing more to come, by what is stored under the Job's key.
    fn has_ended(&self, stored: Option<&Job>) -> bool {
        stored.is_none_or(|job| uid(&job.metadata) != self.uid || is_job_finished(job))
    }
}

/// What is followed, and how it is shown.
pub(super) struct Following<'a> {
    pub(super) followed: &'a Followed,
    pub(super) chosen: &'a Chosen,
    pub(super) options: &'a LogOptions,
    /// Whether each line names its pod and container.
    pub(super) prefix: bool,
    /// Which runs of a container are shown.
    pub(super) runs: Runs,
    /// When to give up.
    pub(super) until: Option<DateTime<Utc>>,
}

/// Who hears of what becomes of the followed objects.
pub(super) trait Listener {
    /// A followed Job, as it is now.
    fn job_is(&mut self, _job: &Job) {}
    /// A followed Job has been deleted.
    fn job_is_gone(&mut self, _job: &FollowedJob) {}
    /// What is remembered of a followed Job.
    fn facts_are(&mut self, _job: &Key, _facts: &JobFacts) {}
    /// A followed pod, as it is now, or as it was at its end.
    fn pod_is(&mut self, _pod: &Pod, _ended: bool) {}
    /// Something has been said of a followed Job or pod of a cluster.
    fn event_is(&mut self, _event: &EventRecord) {}
    /// What a person at the terminal is shown while nothing else is.
    fn line(&self) -> Option<String> {
        None
    }
}

/// Nobody.
pub(super) struct Silence;

impl Listener for Silence {}

/// A pod and those of its logs that are shown.
struct FollowedPod {
    key: Key,
    uid: String,
    logs: Vec<Log>,
    watch: Option<WatchDescriptor>,
    /// Whether there may be something to read.
    is_due: bool,
    ended: bool,
    drained: bool,
}

impl FollowedPod {
    /// Nothing more is heard of it.
    fn end(&mut self) {
        self.ended = true;
        self.logs.iter().for_each(Log::pod_is_gone);
    }
}

/// Pods in the order of their creation, so that the output of retries keeps its order.
type PodId = (Option<DateTime<Utc>>, String, String);

/// How many files a follower has open beside the logs, and for a moment while it reads one.
const OTHER_FILES: u64 = 20;
/// How long a Job may take that is followed by looking again and again.
const SOON_OVER: Duration = Duration::milliseconds(50);
/// How many pods may be looked at that way.
const FEW_PODS: usize = 16;
/// How often that is.
const OFTEN: Duration = Duration::milliseconds(3);
const TABLES: [Table; 4] = [Table::JOBS, Table::JobFacts, Table::PODS, Table::RemovedPods];

/// Follows until the end; prints as it comes. False when it has given up.
pub(super) fn follow(
    context: &Context,
    following: &Following<'_>,
    listener: &mut impl Listener,
) -> Result<bool> {
    let jobs: Vec<(Kind, Key)> =
        following.followed.jobs().iter().map(|job| (Kind::Job, job.key.clone())).collect();
    let mut tables = TABLES.to_vec();
    // What a cluster keeps a pod waiting for is told by Events alone, in part.
    tables.extend(context.client.cluster().is_some().then_some(Table::EVENTS));
    let (reader, mut follower) = context.client.watch_named(&tables, &jobs)?;
    // Each log that is followed is held open, as far as that is allowed.
    let most_open = usize::try_from(raise_open_files().saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let mut follow = Follow {
        context,
        following,
        listener,
        inotify: None,
        pods: BTreeMap::new(),
        watched: HashMap::new(),
        unfinished: BTreeSet::new(),
        most_open,
        open: 0,
        buffer: vec![0; CHUNK],
    };
    follow.begin(&reader)?;
    drop(reader);
    let began = steady_clock();
    let mut progress = Progress::begin_if(follow.listener.line().is_some());
    loop {
        follow.hear_of_writes();
        let mut failed = Ok(());
        follower.changes(|change| {
            if failed.is_ok() {
                failed = follow.take(&change);
            }
        })?;
        failed?;
        let is_more = follow.pump()?;
        if is_more {
            continue;
        }
        if follow.is_over() {
            return Ok(true);
        }
        let is_in_time = match &follow.inotify {
            Some(inotify) => {
                let line = |_| follow.listener.line();
                progress.wait(&mut follower, &[inotify.as_fd()], following.until, line)?
            }
            None if follower.hears_of_logs() => {
                let line = |_| follow.listener.line();
                let is_in_time = progress.wait(&mut follower, &[], following.until, line)?;
                follow.pods.values_mut().for_each(|pod| pod.is_due = true);
                is_in_time
            }
            None => follow.look_often(&mut follower, began)?,
        };
        if !is_in_time {
            return Ok(false);
        }
    }
}

struct Follow<'a, L> {
    context: &'a Context,
    following: &'a Following<'a>,
    listener: &'a mut L,
    /// Set for what takes longer.
    inotify: Option<Inotify>,
    pods: BTreeMap<PodId, FollowedPod>,
    watched: HashMap<WatchDescriptor, PodId>,
    /// The Jobs that go on.
    unfinished: BTreeSet<Key>,
    /// How many logs may be held open.
    most_open: usize,
    /// How many are.
    open: usize,
    buffer: Vec<u8>,
}

impl<'a, L: Listener> Follow<'a, L> {
    fn begin(&mut self, reader: &Reader) -> Result<()> {
        for job in self.jobs() {
            let stored =
                reader.entry(Table::JOBS, &job.key)?.map(|entry| entry.parse::<Job>()).transpose()?;
            self.take_job(job, stored.as_ref());
        }
        for table in [Table::PODS, Table::RemovedPods] {
            for (_, entry) in reader.entries(table)? {
                if self.may_concern(entry.text()) {
                    let pod = entry.parse()?;
                    self.add_pod(&pod, table == Table::RemovedPods || is_pod_finished(&pod))?;
                }
            }
        }
        if self.context.client.cluster().is_some() {
            for (_, entry) in reader.entries(Table::EVENTS)? {
                self.hear(entry.text())?;
            }
        }
        Ok(())
    }

    fn jobs(&self) -> &'a [FollowedJob] {
        self.following.followed.jobs()
    }

    /// Cheaper than parsing every pod of the store.
    fn may_concern(&self, text: &str) -> bool {
        match self.following.followed {
            Followed::Pods(uids) => uids.iter().any(|uid| text.contains(uid.as_str())),
            Followed::Jobs(jobs) => jobs.iter().any(|job| text.contains(job.uid.as_str())),
        }
    }

    fn take(&mut self, change: &Change<'_>) -> Result<()> {
        let changed = Key::new(change.namespace, change.name);
        match (change.table, change.object) {
            (Table::JOBS, object) => {
                if let Some(job) = self.jobs().iter().find(|job| job.key == changed) {
                    let stored: Option<Job> =
                        object.map(serde_json::from_str).transpose().context("read a Job")?;
                    self.take_job(job, stored.as_ref());
                }
            }
            (Table::JobFacts, Some(text)) if self.jobs().iter().any(|job| job.key == changed) => {
                let facts = serde_json::from_str(text).context("read what is known of a Job")?;
                self.listener.facts_are(&changed, &facts);
            }
            (Table::EVENTS, Some(text)) => self.hear(text)?,
            (Table::PODS, object) => {
                let pod: Option<Pod> = object
                    .filter(|text| self.may_concern(text))
                    .map(serde_json::from_str)
                    .transpose()
                    .context("read a pod")?;
                let present = pod.as_ref().map_or("", |pod| uid(&pod.metadata));
                // Deleted, or replaced by another of the same name.
                let is_gone = |pod: &FollowedPod| pod.key == changed && pod.uid != present;
                self.pods.values_mut().filter(|pod| is_gone(pod)).for_each(FollowedPod::end);
                if let Some(pod) = pod {
                    self.add_pod(&pod, is_pod_finished(&pod))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// An Event, which may be about something else.
    fn hear(&mut self, text: &str) -> Result<()> {
        let event: EventRecord = serde_json::from_str(text).context("read an Event")?;
        let about = &event.about;
        // A pod may be heard of later than what is said of it.
        let is_pod_of = |job: &Key| {
            *job.namespace == *about.namespace
                && about.kind == Kind::Pod.as_str()
                && about.name.strip_prefix(&*job.name).is_some_and(|rest| rest.starts_with('-'))
        };
        let is_of = |job: &FollowedJob| job.uid == about.uid || is_pod_of(&job.key);
        if self.pods.values().any(|pod| pod.uid == about.uid) || self.jobs().iter().any(is_of) {
            self.listener.event_is(&event);
        }
        Ok(())
    }

    fn take_job(&mut self, job: &FollowedJob, stored: Option<&Job>) {
        match stored.filter(|stored| uid(&stored.metadata) == job.uid) {
            Some(stored) => self.listener.job_is(stored),
            None => self.listener.job_is_gone(job),
        }
        if job.has_ended(stored) {
            self.unfinished.remove(&job.key);
        } else {
            self.unfinished.insert(job.key.clone());
        }
    }

    /// A pod, new or known. One that has been removed has ended, whatever its phase was.
    fn add_pod(&mut self, pod: &Pod, ended: bool) -> Result<()> {
        let pod_uid = uid(&pod.metadata);
        let concerns = match self.following.followed {
            Followed::Pods(uids) => uids.iter().any(|uid| uid == pod_uid),
            Followed::Jobs(jobs) => {
                controller_of(&pod.metadata).is_some_and(|owner| jobs.iter().any(|job| job.uid == owner.uid))
            }
        };
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let pod_name = name(&pod.metadata);
        let id = (created, pod_name.to_owned(), pod_uid.to_owned());
        if !concerns {
            // Released by its Job: it may go on, but not here.
            self.pods.get_mut(&id).into_iter().for_each(FollowedPod::end);
            return Ok(());
        }
        self.listener.pod_is(pod, ended);
        if let Some(known) = self.pods.get_mut(&id) {
            known.ended = ended;
            known.logs.iter().for_each(|log| log.pod_is(pod, ended));
            return Ok(());
        }
        let Following { chosen, options, prefix, runs, .. } = self.following;
        let logs = chosen.of(pod)?.into_iter().map(|container| {
            let prefix = if *prefix { format!("[pod/{pod_name}/{container}] ") } else { String::new() };
            let log = self.context.client.log(pod, &container, *runs, LogOptions::clone(options), prefix);
            log.pod_is(pod, ended);
            log
        });
        let followed = FollowedPod {
            key: key(&pod.metadata),
            uid: pod_uid.to_owned(),
            logs: logs.collect(),
            watch: None,
            is_due: true,
            ended,
            drained: false,
        };
        self.pods.insert(id, followed);
        Ok(())
    }

    /// Waits for a commit, or a moment: most Jobs that are followed are soon over. What takes longer is followed by inotify,
    /// which costs a command 7 to 20 ms at its end, when the kernel closes it. False when the time is over.
    fn look_often(&mut self, follower: &mut Follower, began: DateTime<Utc>) -> Result<bool> {
        let now = steady_clock();
        if now - began >= SOON_OVER || self.pods.len() > FEW_PODS {
            let flags = InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK;
            self.inotify = Some(Inotify::init(flags).context("watch the logs")?);
        } else {
            let look_at = now + OFTEN;
            follower.wait(&[], Some(self.following.until.map_or(look_at, |until| until.min(look_at))))?;
        }
        self.pods.values_mut().for_each(|pod| pod.is_due = true);
        Ok(self.following.until.is_none_or(|until| steady_clock() <= until))
    }

    /// Notes which pods have written since.
    fn hear_of_writes(&mut self) {
        let Some(inotify) = &self.inotify else { return };
        while let Ok(events) = inotify.read_events() {
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW) {
                    self.pods.values_mut().for_each(|pod| pod.is_due = true);
                }
                let pod = self.watched.get(&event.wd).and_then(|id| self.pods.get_mut(id));
                pod.into_iter().for_each(|pod| pod.is_due = true);
            }
        }
    }

    /// Prints what has come, of each log a share; true where more is left.
    fn pump(&mut self) -> Result<bool> {
        let mut is_more = false;
        for (id, pod) in self.pods.iter_mut().filter(|(_, pod)| !pod.drained) {
            if let (None, Some(inotify)) = (&pod.watch, &self.inotify) {
                let flags = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE;
                let directory = self.context.client.log_directory(&pod.uid);
                pod.watch = directory.and_then(|directory| inotify.add_watch(directory.path(), flags).ok());
                pod.watch.into_iter().for_each(|watch| drop(self.watched.insert(watch, id.clone())));
                pod.is_due = true;
            }
            // The last report comes after the last byte of the log.
            let ended = pod.ended;
            if !pod.is_due && !ended {
                continue;
            }
            pod.is_due = false;
            for log in &mut pod.logs {
                self.open -= usize::from(log.is_open());
                pod.is_due |= log.read_some(&mut self.buffer, &mut print_log)?;
                if self.open >= self.most_open {
                    log.close();
                }
                self.open += usize::from(log.is_open());
            }
            is_more |= pod.is_due;
            if ended && !pod.is_due && pod.logs.iter().all(Log::has_arrived) {
                pod.drained = true;
                self.open -= pod.logs.iter().filter(|log| log.is_open()).count();
                pod.logs.clear();
                pod.watch.take().into_iter().for_each(|watch| drop(self.watched.remove(&watch)));
            }
        }
        Ok(is_more)
    }

    fn is_over(&self) -> bool {
        self.unfinished.is_empty() && self.pods.values().all(|followed| followed.drained)
    }
}
