//! The log of a container of a cluster: read once, or followed through lost connections and restarts of the container.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use http_body_util::BodyExt as _;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::api::Api;
use super::backoff::Backoff;
use super::dialogue::{Broken, Request, may_pass};
use super::log_lines::Lines;
use super::paths;
use super::refusals::refusal;
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::key;
use crate::api::status_error::StatusError;
use crate::api::{Container, Pod};
use crate::kubelet::{LogOptions, LogPiece, Runs};

/// How much of a log is held that nobody has printed yet; then the server has to wait.
const MOST_HELD: usize = 1 << 20;
/// How long to wait for news of a container that is about to start, or to start again.
const NEWS: Duration = Duration::from_millis(500);

/// A container, as its pod's status tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// The run of it that is the current one.
    run: i32,
    /// Whether that one has been started.
    has_started: bool,
    /// Whether it has ended, and will not be started again.
    has_ended: bool,
}

impl Seen {
    fn of(pod: &Pod, container: &str, pod_has_ended: bool) -> Self {
        let status = pod.status.as_ref();
        let statuses = status.into_iter().flat_map(|status| {
            [
                &status.container_statuses,
                &status.init_container_statuses,
                &status.ephemeral_container_statuses,
            ]
        });
        let found = statuses.flatten().flatten().find(|one| one.name == container);
        let state = found.and_then(|one| one.state.as_ref());
        let is_running = state.is_some_and(|state| state.running.is_some());
        let is_over = state.is_some_and(|state| state.terminated.is_some());
        let spec = pod.spec.as_ref();
        let is_never_restarted = spec.is_some_and(|spec| {
            let has_own_policy = |one: &Container| one.name == container && one.restart_policy.is_some();
            let all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
            spec.restart_policy.as_deref() == Some("Never") && !all.into_iter().any(has_own_policy)
        });
        Self {
            run: found.map_or(0, |one| one.restart_count),
            has_started: is_running || is_over,
            has_ended: pod_has_ended || is_pod_finished(pod) || is_over && is_never_restarted,
        }
    }

    /// Whether a run has ended.
    fn is_over(self, run: i32) -> bool {
        self.has_ended || self.run > run
    }
}

/// The run of a container that is the current one.
pub(in crate::client) fn current_run(pod: &Pod, container: &str) -> i32 {
    Seen::of(pod, container, false).run
}

/// Something of a log.
#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Notice(String),
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    held: usize,
    is_finished: bool,
    failure: Option<anyhow::Error>,
}

/// Between the task that reads and the verb that prints.
#[derive(Debug, Default)]
struct Pipe {
    queue: Mutex<Queue>,
    /// Something has come.
    changed: Condvar,
    /// There is room again.
    room: Notify,
}

impl Pipe {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log of a container.
#[derive(Debug)]
pub(in crate::client) struct Log {
    source: Source,
    pipe: Arc<Pipe>,
    seen: watch::Sender<Seen>,
    /// The task that follows it, once it does.
    follower: Option<JoinHandle<()>>,
}

impl Drop for Log {
    fn drop(&mut self) {
        self.follower.iter().for_each(JoinHandle::abort);
    }
}

/// Where the log is, and what of it is wanted.
#[derive(Clone, Debug)]
struct Source {
    api: Arc<Api>,
    pod: Key,
    container: String,
    runs: Runs,
    options: LogOptions,
    prefix: String,
}

impl Log {
    /// The log of a container. Nothing is asked for yet.
    pub(in crate::client) fn new(
        api: Arc<Api>,
        pod: &Pod,
        container: &str,
        runs: Runs,
        options: LogOptions,
        prefix: String,
    ) -> Self {
        let seen = Seen::of(pod, container, false);
        let pod = key(&pod.metadata);
        let source = Source { api, pod, container: container.to_owned(), runs, options, prefix };
        Self { source, pipe: Arc::default(), seen: watch::Sender::new(seen), follower: None }
    }

    /// The pod as it is now.
    pub(in crate::client) fn pod_is(&self, pod: &Pod, has_ended: bool) {
        self.seen.send_replace(Seen::of(pod, &self.source.container, has_ended));
    }

    /// Nothing more is heard of the pod.
    pub(in crate::client) fn pod_is_gone(&self) {
        self.seen.send_modify(|seen| seen.has_ended = true);
    }

    /// Prints what there is of it.
    ///
    /// # Errors
    /// A refusal; no answer; what `print` says.
    pub(in crate::client) fn read(&self, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<()> {
        let reading = self.reading();
        let current = self.seen.borrow().run;
        let task = self.source.api.runtime.spawn(reading.once(current));
        let _aborted = AbortOnDrop(task);
        loop {
            let mut queue = self.pipe.queue();
            while queue.pieces.is_empty() && !queue.is_finished {
                queue = self.pipe.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            let is_finished = queue.is_finished;
            drop(queue);
            self.hand_over(print)?;
            if is_finished {
                return Ok(());
            }
        }
    }

    /// Prints what has come of it since the last call, and follows it from the first.
    ///
    /// # Errors
    /// As [`Log::read`].
    pub(in crate::client) fn read_some(
        &mut self,
        print: &mut impl FnMut(LogPiece<'_>) -> Result<()>,
    ) -> Result<()> {
        if self.follower.is_none() {
            let reading = self.reading();
            self.follower = Some(self.source.api.runtime.spawn(reading.follow(self.seen.subscribe())));
        }
        self.hand_over(print)
    }

    /// Whether all of it has been printed, also what was still to come.
    pub(in crate::client) fn is_finished(&self) -> bool {
        let queue = self.pipe.queue();
        queue.is_finished && queue.pieces.is_empty()
    }

    fn reading(&self) -> Reading {
        let LogOptions { since, timestamps, limit_bytes, .. } = self.source.options;
        Reading {
            source: self.source.clone(),
            pipe: self.pipe.clone(),
            lines: Lines::new(timestamps, self.source.prefix.clone(), since, limit_bytes),
            unfinished: Vec::new(),
        }
    }

    fn hand_over(&self, print: &mut impl FnMut(LogPiece<'_>) -> Result<()>) -> Result<()> {
        let (pieces, failure) = {
            let mut queue = self.pipe.queue();
            queue.held = 0;
            (std::mem::take(&mut queue.pieces), queue.failure.take())
        };
        self.pipe.room.notify_one();
        for piece in pieces {
            match piece {
                Piece::Text(text) => print(LogPiece::Text(&text))?,
                Piece::Notice(text) => print(LogPiece::Notice(&text))?,
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The task that reads.
struct Reading {
    source: Source,
    pipe: Arc<Pipe>,
    lines: Lines,
    /// What has come of a line whose end has not.
    unfinished: Vec<u8>,
}

/// How long the end of a line may take before what there is of it is printed.
const PATIENCE: Duration = Duration::from_millis(200);
/// How much of a line is held before it is printed in pieces.
const LONGEST_LINE: usize = 64 << 10;

/// Which run of a container a server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Current,
    Previous,
}

impl Reading {
    /// Reads what there is of one run.
    async fn once(mut self, current: i32) {
        let which = match self.source.runs {
            Runs::Only(run) if run < current => Which::Previous,
            _ => Which::Current,
        };
        let mut backoff = Backoff::new();
        let mut tries = 0;
        loop {
            match self.stream(which, false).await {
                Ok(()) => break,
                Err(error) if may_pass(&error) && tries < TRIES_AT_ONCE => {
                    tries += 1;
                    backoff.sleep().await;
                }
                Err(error) => {
                    self.pipe.queue().failure = Some(error);
                    break;
                }
            }
        }
        self.finish().await;
    }

    /// Follows the log through the runs of the container.
    async fn follow(mut self, mut seen: watch::Receiver<Seen>) {
        let mut run = match self.source.runs {
            Runs::All => 0,
            Runs::Only(run) => run,
            Runs::NewestAndLater => seen.borrow().run,
        };
        let mut backoff = Backoff::new();
        // Whether the log had come to an end when it was read last.
        let mut had_end = false;
        let mut failures = 0;
        while !self.lines.is_full() {
            let now = *seen.borrow_and_update();
            let is_there = now.run > run || (now.run == run && now.has_started);
            if !is_there && !now.has_ended {
                if seen.changed().await.is_err() {
                    break;
                }
                continue;
            }
            // Of older runs a server keeps nothing.
            if run < now.run - 1 {
                self.notice(format!(
                    "what container {} of pod/{} wrote before restart {} is gone",
                    self.source.container,
                    self.source.pod.name,
                    now.run - 1
                ))
                .await;
                run = now.run - 1;
                had_end = false;
            }
            let which = if now.run > run { Which::Previous } else { Which::Current };
            let was_over = now.is_over(run);
            let read = self.stream(which, which == Which::Current && !was_over).await;
            let is_known_to_its_end = std::mem::replace(&mut had_end, read.is_ok());
            match read {
                Err(error) if is_gone(&error) && is_known_to_its_end => break,
                Ok(()) if was_over => {
                    if now.run <= run {
                        break;
                    }
                    run += 1;
                    failures = 0;
                    backoff.reset();
                }
                // It has ended, or its connection has: the status of the pod will say so.
                Ok(()) => {
                    let _ = tokio::time::timeout(NEWS, seen.changed()).await;
                }
                Err(error) if is_gone(&error) => {
                    self.notice(format!(
                        "the log of container {} of pod/{} is gone: its pod has been deleted",
                        self.source.container, self.source.pod.name
                    ))
                    .await;
                    break;
                }
                // A container that has never been started has written nothing.
                Err(error) if is_waiting(&error) && was_over && now.run <= run => break,
                Err(error) if is_waiting(&error) => {
                    if was_over && now.run > run {
                        run += 1;
                    }
                    let _ = tokio::time::timeout(NEWS, seen.changed()).await;
                }
                // Its node may be gone for good.
                Err(error) if may_pass(&error) && was_over && failures >= MOST_TRIES => {
                    let Source { container, pod, .. } = &self.source;
                    let text = format!(
                        "the rest of the log of container {container} of pod/{} cannot be read: {error}",
                        pod.name
                    );
                    self.notice(text).await;
                    break;
                }
                Err(error) if may_pass(&error) => {
                    failures += u32::from(was_over);
                    backoff.sleep().await;
                }
                Err(error) => {
                    self.pipe.queue().failure = Some(error);
                    break;
                }
            }
        }
        self.finish().await;
    }

    async fn finish(&mut self) {
        self.say_unfinished().await;
        self.pipe.queue().is_finished = true;
        self.pipe.changed.notify_all();
        self.source.api.wake.ring();
    }

    /// One request, and all that comes of it.
    async fn stream(&mut self, which: Which, follow: bool) -> Result<()> {
        self.lines.reconnect();
        let Source { api, pod, container, options, .. } = &self.source;
        let tail = options.tail.filter(|_| !self.lines.has_begun()).map(|lines| lines.to_string());
        let of_true = |given: bool| if given { "true" } else { "" };
        let path = paths::with_query(
            &format!("{}/log", paths::object(Kind::Pod, &pod.namespace, &pod.name)),
            &[
                ("container", container),
                ("follow", of_true(follow)),
                ("previous", of_true(which == Which::Previous)),
                ("timestamps", "true"),
                ("sinceTime", &self.lines.since().unwrap_or_default()),
                ("tailLines", &tail.unwrap_or_default()),
            ],
        );
        let mut body = match api.stream(&Request::get_once(path)).await? {
            Ok(response) => response.into_body(),
            Err(answer) => {
                return Err(refusal(answer.status.as_u16(), &answer.body, Some(Kind::Pod), Some(pod)).into());
            }
        };
        loop {
            let frame = match tokio::time::timeout(PATIENCE, body.frame()).await {
                Ok(Some(frame)) => frame.map_err(|error| Broken::new(&error))?,
                Ok(None) => return Ok(()),
                // A question to somebody, perhaps; among other logs it would stand in one of their lines.
                Err(_) if self.source.prefix.is_empty() => {
                    self.say_unfinished().await;
                    continue;
                }
                Err(_) => continue,
            };
            let Some(data) = frame.data_ref() else { continue };
            self.unfinished.extend(self.lines.take(data));
            let whole = match memchr::memrchr(b'\n', &self.unfinished) {
                _ if self.unfinished.len() > LONGEST_LINE => self.unfinished.len(),
                Some(end) => end + 1,
                None => 0,
            };
            if whole > 0 {
                let rest = self.unfinished.split_off(whole);
                let text = std::mem::replace(&mut self.unfinished, rest);
                self.put(Piece::Text(text)).await;
            }
            if self.lines.is_full() {
                return Ok(());
            }
        }
    }

    async fn say_unfinished(&mut self) {
        if !self.unfinished.is_empty() {
            let text = std::mem::take(&mut self.unfinished);
            self.put(Piece::Text(text)).await;
        }
    }

    async fn notice(&self, text: String) {
        self.put(Piece::Notice(text)).await;
    }

    /// Hands something over, once there is room for it.
    async fn put(&self, piece: Piece) {
        let length = match &piece {
            Piece::Text(text) => text.len(),
            Piece::Notice(text) => text.len(),
        };
        while self.pipe.queue().held >= MOST_HELD {
            self.pipe.room.notified().await;
        }
        {
            let mut queue = self.pipe.queue();
            queue.held += length;
            queue.pieces.push_back(piece);
        }
        self.pipe.changed.notify_all();
        self.source.api.wake.ring();
    }
}

/// How often a log that is read once is asked for again.
const TRIES_AT_ONCE: u32 = 5;
/// How often a log is asked for again of which nothing more comes: for some twenty seconds.
const MOST_TRIES: u32 = 8;

/// Whether the pod is not there any more.
fn is_gone(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StatusError::NotFound { .. }))
}

/// Whether the container has no log yet, or none any more.
fn is_waiting(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StatusError::Other { reason: "BadRequest", .. }))
}
