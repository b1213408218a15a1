//! `-f`: following the logs of pods that run, restart and are replaced, until the pod or the Job has ended.

use std::collections::BTreeMap;
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
    /// All pods of a Job, also those to come, until the Job has ended.
    Job {
        /// The Job's key.
        key: Key,
        /// The Job's uid.
        uid: String,
    },
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

/// Follows until the end; prints as it comes. `until`: give up then (false).
pub(super) fn follow(
    context: &Context,
    followed: &Followed,
    chosen: &Chosen,
    options: &LogOptions,
    prefix: bool,
    until: Option<DateTime<Utc>>,
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
        job_ended: false,
    };
    follow.begin(&state)?;
    drop(state);
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
    job_ended: bool,
}

impl Follow<'_> {
    fn begin(&mut self, state: &State) -> Result<()> {
        if let Followed::Job { key, uid: job_uid } = self.followed {
            self.job_ended = match state.get(Table::Jobs, key) {
                None => true,
                Some(object) => {
                    let job: Job = object.parse()?;
                    uid(&job.metadata) != job_uid || is_job_finished(&job)
                }
            };
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

    /// Cheaper than parsing every pod of the store.
    fn may_concern(&self, text: &str) -> bool {
        match self.followed {
            Followed::Pods(uids) => uids.iter().any(|uid| text.contains(uid.as_str())),
            Followed::Job { uid, .. } => text.contains(uid.as_str()),
        }
    }

    fn take(&mut self, change: &Change<'_>) -> Result<()> {
        match (change.table, change.object) {
            (Table::Jobs, object) => {
                if let Followed::Job { key, uid: job_uid } = self.followed
                    && *key == Key::new(change.namespace, change.name)
                {
                    self.job_ended = match object {
                        None => true,
                        Some(text) => {
                            let job: Job = serde_json::from_str(text).context("read a Job")?;
                            uid(&job.metadata) != job_uid || is_job_finished(&job)
                        }
                    };
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
            Followed::Job { uid, .. } => controller_of(&pod.metadata).is_some_and(|owner| owner.uid == *uid),
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
        let drained = self.pods.values().all(|followed| followed.drained);
        match self.followed {
            Followed::Pods(_) => drained,
            Followed::Job { .. } => self.job_ended && drained,
        }
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
