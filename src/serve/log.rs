//! `log`: what a container has written, and goes on to write.

use std::sync::Arc;

use anyhow::Result;
use hyper::StatusCode;
use hyper::body::Bytes;
use nix::errno::Errno;
use serde_json::json;
use tokio::sync::mpsc;

use super::Server;
use super::answer::{Answer, TEXT};
use super::body::Body;
use super::dispatch::{Asked, Outcome};
use super::path::ObjectPath;
use super::read::key_of;
use super::status::Problem;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{name, uid};
use crate::api::quoted::quoted;
use crate::api::status_error::{FieldError, StatusError};
use crate::api::{Pod, durations, times};
use crate::kubelet::{CHUNK, LogOptions, LogPiece, LogReader, Runs, Stream};
use crate::manager::clock;
use crate::store::{PodDirectory, Table};

/// How a log is asked for.
struct Wanted {
    follow: bool,
    previous: bool,
    options: LogOptions,
}

impl Wanted {
    fn of(asked: &Asked, pod: &str) -> Result<Self, Problem> {
        let query = &asked.query;
        let mut causes = Vec::new();
        let tail = query.number("tailLines")?;
        if let Some(tail) = tail.filter(|tail| *tail < 0) {
            causes.push(FieldError::invalid("tailLines", tail, "must be greater than or equal to 0"));
        }
        let limit = query.number("limitBytes")?;
        if let Some(limit) = limit.filter(|limit| *limit < 1) {
            causes.push(FieldError::invalid("limitBytes", limit, "must be greater than 0"));
        }
        let seconds = query.number("sinceSeconds")?;
        let time = query.given("sinceTime");
        match (seconds, time) {
            (Some(_), Some(_)) => {
                let why = "at most one of `sinceTime` or `sinceSeconds` may be specified";
                causes.push(FieldError::forbidden("[]", why));
            }
            (Some(seconds), None) if seconds < 1 => {
                causes.push(FieldError::invalid("sinceSeconds", seconds, "must be greater than 0"));
            }
            _ => {}
        }
        let stream = match query.given("stream") {
            None | Some("All") => None,
            Some("Stdout") => Some(Stream::Stdout),
            Some("Stderr") => Some(Stream::Stderr),
            Some(other) => {
                let supported = ["All", "Stderr", "Stdout"];
                causes.push(FieldError::unsupported("stream", quoted(other), &supported));
                None
            }
        };
        if !causes.is_empty() {
            return Err(Problem::invalid("PodLogOptions", pod, &causes));
        }
        let since = match (seconds, time) {
            (Some(seconds), _) => Some(durations::after(clock(), -seconds)),
            (None, Some(text)) => Some(times::parse(text).map_err(Problem::bad_request)?),
            (None, None) => None,
        };
        let number = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
        let options = LogOptions {
            stream,
            tail: number(tail),
            since,
            timestamps: query.is_set("timestamps"),
            limit_bytes: number(limit),
        };
        Ok(Self { follow: query.is_set("follow"), previous: query.is_set("previous"), options })
    }
}

/// The pod that a path names.
///
/// # Errors
/// There is none.
pub(super) fn pod_of(server: &Server, at: &ObjectPath) -> Result<Pod, Problem> {
    stored_pod(server, &key_of(Kind::Pod, at))
}

fn stored_pod(server: &Server, key: &Key) -> Result<Pod, Problem> {
    let (state, _) = server.snapshot()?;
    let found = [Table::PODS, Table::RemovedPods].into_iter().find_map(|table| state.get(table, key));
    let found = found.ok_or_else(|| StatusError::not_found(Kind::Pod, &key.name))?;
    Ok(found.parse()?)
}

/// The container that a request is about: as named, or the only one.
///
/// # Errors
/// There is none of that name, or several and none is named.
pub(super) fn container_of(asked: &Asked, pod: &Pod) -> Result<String, Problem> {
    let spec = pod.spec.clone().unwrap_or_default();
    let main: Vec<&str> = spec.containers.iter().map(|one| one.name.as_str()).collect();
    let init: Vec<&str> = spec.init_containers.iter().flatten().map(|one| one.name.as_str()).collect();
    let pod_name = name(&pod.metadata);
    match (asked.query.given("container"), main.as_slice()) {
        (Some(wanted), _) if main.contains(&wanted) || init.contains(&wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => {
            Err(Problem::bad_request(format!("container {wanted} is not valid for pod {pod_name}")))
        }
        (None, [only]) => Ok((*only).to_owned()),
        (None, _) => {
            let init = match init.as_slice() {
                [] => String::new(),
                init => format!(" or one of the init containers: [{}]", init.join(" ")),
            };
            let message = format!(
                "a container name must be specified for pod {pod_name}, choose one of: [{}]{init}",
                main.join(" ")
            );
            Err(Problem::bad_request(message))
        }
    }
}

/// `GET …/pods/NAME/log`.
pub(super) fn log(server: &Arc<Server>, asked: &Asked, at: &ObjectPath) -> Outcome {
    let pod = pod_of(server, at)?;
    let wanted = Wanted::of(asked, name(&pod.metadata))?;
    let container = container_of(asked, &pod)?;
    let directory = server.client.pod_directory(uid(&pod.metadata));
    let Some(restart) = run_of(&directory, &pod, &container, wanted.previous)? else {
        return Ok(Answer::new(StatusCode::NO_CONTENT, TEXT, String::new()));
    };
    let reader = server.client.log(&pod, &container, Runs::Only(restart), wanted.options, String::new());
    let (pieces, body) = mpsc::channel(1);
    let follow = (wanted.follow && !wanted.previous).then(|| server.logs.follow(directory.path()));
    let follow = match follow.transpose() {
        // Gone with its pod: nothing more will be written.
        Err(error) if error.downcast_ref() == Some(&Errno::ENOENT) => None,
        follow => follow?,
    };
    let copy = Copy { server: Arc::clone(server), pod, container, restart, reader, pieces };
    tokio::spawn(async move {
        // The client has gone, or the log cannot be read any more: there is nobody to tell.
        let _ = copy.run(follow).await;
    });
    Ok(Answer::new(StatusCode::OK, TEXT, Body::Stream(body)))
}

/// Which run of the container is meant; none where it has not been started, and nobody can say why.
fn run_of(
    directory: &PodDirectory,
    pod: &Pod,
    container: &str,
    previous: bool,
) -> Result<Option<i32>, Problem> {
    let newest = directory.newest_restart(container);
    let has_run = |restart| directory.log_parts(container).iter().any(|part| part.restart == restart);
    match (newest, previous) {
        (Some(newest), true) if has_run(newest - 1) => Ok(Some(newest - 1)),
        (_, true) => Err(Problem::bad_request(format!(
            "previous terminated container {} in pod {} not found",
            quoted(container),
            quoted(name(&pod.metadata))
        ))),
        (Some(newest), false) => Ok(Some(newest)),
        (None, false) => match waits_for(pod, container) {
            Some(reason) => Err(Problem::bad_request(format!(
                "container {} in pod {} is waiting to start: {reason}",
                quoted(container),
                quoted(name(&pod.metadata))
            ))),
            None => Ok(None),
        },
    }
}

/// Why a container has not been started, as a kubelet words it.
fn waits_for(pod: &Pod, container: &str) -> Option<String> {
    let status = pod.status.as_ref()?;
    let all =
        status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
    let waiting = all.filter(|one| one.name == container).find_map(|one| one.state.as_ref()?.waiting.clone());
    Some(match waiting?.reason.as_deref() {
        None => "ContainerCreating".to_owned(),
        Some("ErrImagePull") => "image can't be pulled".to_owned(),
        Some("ImagePullBackOff") => "trying and failing to pull image".to_owned(),
        Some(reason) => reason.to_owned(),
    })
}

/// A log on its way to a client.
struct Copy {
    server: Arc<Server>,
    pod: Pod,
    container: String,
    restart: i32,
    reader: LogReader,
    pieces: mpsc::Sender<Bytes>,
}

impl Copy {
    async fn run(mut self, follow: Option<super::log_watch::LogFollower>) -> Result<()> {
        let mut news = self.server.revision.subscribe();
        let mut buffer = vec![0; CHUNK];
        loop {
            news.borrow_and_update();
            // Looked at first: what has ended has written its last byte.
            let has_ended = follow.is_none() || self.has_ended();
            loop {
                let mut output = Vec::new();
                let is_more = self.reader.read_some(&mut buffer, &mut |piece| {
                    if let LogPiece::Text(text) = piece {
                        output.extend_from_slice(text);
                    }
                    Ok(())
                })?;
                if !output.is_empty() {
                    self.pieces.send(output.into()).await?;
                }
                if !is_more {
                    break;
                }
            }
            let Some(follower) = follow.as_ref().filter(|_| !has_ended) else { return Ok(()) };
            tokio::select! {
                () = follower.written() => {}
                changed = news.changed() => changed?,
                () = self.pieces.closed() => return Ok(()),
            }
        }
    }

    /// Whether the run writes no more.
    fn has_ended(&self) -> bool {
        let key = crate::api::meta::key(&self.pod.metadata);
        let Ok(pod) = stored_pod(&self.server, &key) else { return true };
        if uid(&pod.metadata) != uid(&self.pod.metadata) {
            return true;
        }
        let status = pod.status.unwrap_or_default();
        let mut all =
            status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
        let Some(one) = all.find(|one| one.name == self.container) else { return false };
        let is_running = one.state.as_ref().is_some_and(|state| state.running.is_some());
        one.restart_count > self.restart || !is_running && has_run_once(one.state.as_ref(), one.restart_count)
    }
}

fn has_run_once(state: Option<&k8s_openapi::api::core::v1::ContainerState>, restarts: i32) -> bool {
    state.is_some_and(|state| state.terminated.is_some()) || restarts > 0
}

impl Problem {
    /// 422 for an object that is none of the store's.
    pub(super) fn invalid(kind: &str, name: &str, causes: &[FieldError]) -> Self {
        let problem = Self::invalid_options(kind, causes);
        let message = problem.message.replacen(
            &format!("{kind}.meta.k8s.io \"\""),
            &format!("{kind} {}", quoted(name)),
            1,
        );
        let causes = problem.details.as_ref().map(|details| details["causes"].clone()).unwrap_or_default();
        Self { message, details: Some(json!({ "name": name, "kind": kind, "causes": causes })), ..problem }
    }
}
