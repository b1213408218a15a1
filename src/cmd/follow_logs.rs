//! `-f`: following the logs of pods that run, restart and are replaced, until the pod or the Job has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::AsFd;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

use super::context::Context;
use super::log_source::{Chosen, LogOptions, LogReader};
use super::output::print_bytes;
use crate::api::conditions::{is_job_finished, is_pod_finished};
use crate::api::kinds::Key;
use crate::api::meta::{controller_of, key, name, uid};
use crate::api::{Job, Pod};
use crate::manager::Follower;
use crate::store::{Change, PodDirectory, State, Table};

/// Whose logs are followed.
#[derive(Clone, Debug)]
pub(super) enum Followed {
    /// These pods, by uid, until they have ended.
    Pods(Vec<String>),
    /// All pods of these Jobs, also those to come, until the Jobs have ended.
    Jobs(Vec<FollowedJob>),
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

struct Stream {
    directory: PodDirectory,
    container: String,
    prefix: String,
    restart: i32,
    reader: Option<LogReader>,
    watched: bool,
}

/// One pod with its streams.
struct FollowedPod {
    streams: Vec<Stream>,
    ended: bool,
    drained: bool,
}

/// Follows until the end; prints as it comes. `until`: give up then (false). `ended` is told of each Job that has ended,
/// or was deleted.
pub(super) fn follow(
    context: &Context,
    followed: &Followed,
    chosen: &Chosen,
    options: &LogOptions,
    prefix: bool,
    until: Option<DateTime<Utc>>,
    mut ended: impl FnMut(&FollowedJob) -> Result<()>,
) -> Result<bool> {
    let (state, mut follower) =
        Follower::start(&context.config, &context.store, &[Table::Jobs, Table::Pods, Table::RemovedPods])?;
    let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).context("watch the logs")?;
    let mut follow = Follow {
        context,
        followed,
        chosen,
        options,
        prefix,
        inotify,
        pods: BTreeMap::new(),
        unfinished: BTreeSet::new(),
    };
    follow.begin(&state)?;
    drop(state);
    let mut told = BTreeSet::new();
    loop {
        while follow.inotify.read_events().is_ok() {}
        let mut failed = Ok(());
        follower.changes(|change| {
            if failed.is_ok() {
                failed = follow.take(&change);
            }
        })?;
        failed?;
        follow.pump()?;
        for job in follow.jobs() {
            if !follow.unfinished.contains(&job.key) && told.insert(&job.key) {
                ended(job)?;
            }
        }
        if follow.is_over() {
            return Ok(true);
        }
        if !follower.wait(&[follow.inotify.as_fd()], until)? {
            return Ok(false);
        }
    }
}

struct Follow<'a> {
    context: &'a Context,
    followed: &'a Followed,
    chosen: &'a Chosen,
    options: &'a LogOptions,
    prefix: bool,
    inotify: Inotify,
    /// By creation, so that the output of retries keeps its order.
    pods: BTreeMap<(Option<DateTime<Utc>>, String), FollowedPod>,
    /// The Jobs that go on.
    unfinished: BTreeSet<Key>,
}

impl<'a> Follow<'a> {
    fn begin(&mut self, state: &State) -> Result<()> {
        for job in self.jobs() {
            let stored = state.get(Table::Jobs, &job.key).map(|object| object.parse::<Job>()).transpose()?;
            if !job.has_ended(stored.as_ref()) {
                self.unfinished.insert(job.key.clone());
            }
        }
        for table in [Table::Pods, Table::RemovedPods] {
            for (_, object) in state.objects(table) {
                if self.may_concern(object.text) {
                    let pod = object.parse()?;
                    self.add_pod(&pod, table == Table::RemovedPods || is_pod_finished(&pod))?;
                }
            }
        }
        Ok(())
    }

    fn jobs(&self) -> &'a [FollowedJob] {
        match self.followed {
            Followed::Jobs(jobs) => jobs,
            Followed::Pods(_) => &[],
        }
    }

    /// Cheaper than parsing every pod of the store.
    fn may_concern(&self, text: &str) -> bool {
        match self.followed {
            Followed::Pods(uids) => uids.iter().any(|uid| text.contains(uid.as_str())),
            Followed::Jobs(jobs) => jobs.iter().any(|job| text.contains(job.uid.as_str())),
        }
    }

    fn take(&mut self, change: &Change<'_>) -> Result<()> {
        match (change.table, change.object) {
            (Table::Jobs, object) => {
                let key = Key::new(change.namespace, change.name);
                if let Some(job) = self.jobs().iter().find(|job| job.key == key) {
                    let stored: Option<Job> =
                        object.map(serde_json::from_str).transpose().context("read a Job")?;
                    if job.has_ended(stored.as_ref()) {
                        self.unfinished.remove(&key);
                    }
                }
            }
            (Table::Pods, Some(text)) if self.may_concern(text) => {
                let pod = serde_json::from_str(text).context("read a pod")?;
                self.add_pod(&pod, is_pod_finished(&pod))?;
            }
            (Table::Pods, None) => {
                for ((_, pod), followed) in &mut self.pods {
                    if pod.split(' ').next() == Some(change.name) {
                        followed.ended = true;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A pod, new or known. One that has been removed has ended, whatever its phase was.
    fn add_pod(&mut self, pod: &Pod, ended: bool) -> Result<()> {
        let pod_uid = uid(&pod.metadata);
        let concerns = match self.followed {
            Followed::Pods(uids) => uids.iter().any(|uid| uid == pod_uid),
            Followed::Jobs(jobs) => {
                controller_of(&pod.metadata).is_some_and(|owner| jobs.iter().any(|job| job.uid == owner.uid))
            }
        };
        if !concerns {
            return Ok(());
        }
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let id = (created, format!("{} {pod_uid}", name(&pod.metadata)));
        if let Some(known) = self.pods.get_mut(&id) {
            known.ended = ended;
            return Ok(());
        }
        let streams = self.chosen.of(pod)?.into_iter().map(|container| Stream {
            directory: PodDirectory::new(self.context.store.pod_path(pod_uid)),
            prefix: if self.prefix {
                format!("[pod/{}/{container}] ", key(&pod.metadata).name)
            } else {
                String::new()
            },
            container,
            restart: 0,
            reader: None,
            watched: false,
        });
        self.pods.insert(id, FollowedPod { streams: streams.collect(), ended, drained: false });
        Ok(())
    }

    /// Prints what has come.
    fn pump(&mut self) -> Result<()> {
        for followed in self.pods.values_mut().filter(|followed| !followed.drained) {
            let ended = followed.ended;
            for stream in &mut followed.streams {
                stream.pump(&self.inotify, self.options)?;
            }
            // The last report comes after the last byte of the log.
            followed.drained = ended;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.unfinished.is_empty() && self.pods.values().all(|followed| followed.drained)
    }
}

impl Stream {
    fn pump(&mut self, inotify: &Inotify, options: &LogOptions) -> Result<()> {
        let path = self.directory.log_path(&self.container, self.restart);
        if let (false, Some(parent)) = (self.watched, path.parent()) {
            let flags = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO;
            self.watched = inotify.add_watch(parent, flags).is_ok();
        }
        loop {
            let path = self.directory.log_path(&self.container, self.restart);
            if self.reader.is_none() {
                let newest = self.directory.newest_restart(&self.container);
                // Runs that ended before we came are not shown, as with kubectl; those that follow are.
                match newest {
                    None => return Ok(()),
                    Some(newest) if self.restart == 0 => self.restart = newest,
                    Some(_) => {}
                }
                let path = self.directory.log_path(&self.container, self.restart);
                self.reader = Some(LogReader::new(path, options.clone(), self.prefix.clone()));
            }
            let next = self.directory.log_path(&self.container, self.restart + 1).exists();
            if let Some(reader) = &mut self.reader {
                let output = reader.read()?;
                if !output.is_empty() {
                    print_bytes(&output)?;
                }
            }
            if !next {
                return Ok(());
            }
            drop(path);
            self.restart += 1;
            let later = LogOptions { tail: None, ..options.clone() };
            let path = self.directory.log_path(&self.container, self.restart);
            self.reader = Some(LogReader::new(path, later, self.prefix.clone()));
        }
    }
}
