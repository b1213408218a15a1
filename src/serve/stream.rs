//! `watch`: what becomes of objects, as it happens.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Server;
use super::answer::{Answer, JSON};
use super::aside::are_many;
use super::body::Body;
use super::dispatch::{Asked, Outcome};
use super::media::{Form, WATCH_TYPES};
use super::path::{ObjectPath, Served};
use super::read::{check_options, media_of, selectors_of};
use super::shown;
use super::status::Problem;
use super::table::{self, Include};
use crate::api::status_error::StatusError;
use crate::apiserver::{Found, Past, Selection, Watch, WatchEvent};
use crate::manager::clock;
use crate::printers::yaml;
use crate::store::Table;

/// How long a watch goes on that names no end: a random time from here on, as long again at most.
const LONGEST: u64 = 1800;
/// How long a watch goes on at most, whatever it asks for: the runtime's timers go about two years far.
const YEAR: u64 = 365 * 24 * 3600;
/// How often whoever wants bookmarks is told how far the server is, where that is news.
const BOOKMARK_INTERVAL: Duration = Duration::from_secs(60);
/// How long what is made of other objects stays as it is.
const MAKING_INTERVAL: Duration = Duration::from_millis(100);
/// How long a watch that was told something rests, for each watch that there is: telling all takes a part of the processor and
/// leaves the rest to requests.
const REST_FOR_EACH: Duration = Duration::from_micros(100);
/// How long a watch rests at most.
const LONGEST_REST: Duration = Duration::from_millis(100);
/// What is shorter than a timer's tick is no rest.
const SHORTEST_REST: Duration = Duration::from_millis(1);
/// A watch as short as this does not end with a bookmark.
const SHORT: Duration = Duration::from_secs(2);
/// How much is sent in one piece, about.
const PIECE: usize = 64 << 10;

/// A watch under way.
struct Stream {
    server: Arc<Server>,
    served: Served,
    selection: Selection,
    /// Of what is made of other objects: what has been told.
    made: Option<Watch>,
    form: Form,
    include: Include,
    /// Of a table, the columns come once.
    columns: Option<Vec<Value>>,
    /// Everything up to this revision has been told.
    revision: u64,
    wants_bookmarks: bool,
    /// Whether the end of the initial events is still to be told.
    initial_events_end: bool,
    /// The last revision that was told as such.
    told: u64,
    pieces: mpsc::Sender<Bytes>,
    unsent: Vec<u8>,
}

/// The client has gone, or has been told that this is the end.
struct Over;

/// A watch.
pub(super) fn watch(server: &Arc<Server>, asked: &Asked, at: &ObjectPath) -> Outcome {
    let kind = at.served.kind();
    let (media, include) = media_of(asked, true)?;
    if media.is_yaml {
        let message = format!("only the following media types are accepted: {WATCH_TYPES}");
        let problem = Problem::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message);
        return Ok(Answer::new(problem.code, "application/yaml", yaml::to_string(&problem.status())));
    }
    let selectors = selectors_of(asked, kind, at)?;
    check_options(asked, true)?;
    let query = &asked.query;
    let wanted = query.version("resourceVersion").map_err(Problem::internal)?;
    let timeout = timeout_of(asked)?;
    let lists = match query.boolean("sendInitialEvents") {
        Some(lists) => lists,
        None => wanted.is_none_or(|wanted| wanted == 0),
    };
    let made =
        kind.is_derived().then(|| Watch::new(kind, at.namespace.as_deref(), &selectors)).transpose()?;
    let selection = Selection { kind, namespace: at.namespace.clone(), selectors };
    let columns = matches!(media.form, Form::Table(_)).then(|| table::columns(kind));
    let (pieces, body) = mpsc::channel(1);
    let stream = Stream {
        server: Arc::clone(server),
        served: at.served,
        selection,
        made,
        form: media.form,
        include,
        columns,
        revision: wanted.unwrap_or_default(),
        wants_bookmarks: query.is_set("allowWatchBookmarks"),
        initial_events_end: lists,
        told: 0,
        pieces,
        unsent: Vec::new(),
    };
    let deadline = Instant::now() + timeout;
    let ends_with_bookmark = timeout > SHORT;
    tokio::spawn(async move {
        // Either way it is over: the client has been told why, or has gone.
        let _ = stream.run(lists, wanted, deadline, ends_with_bookmark).await;
    });
    Ok(Answer::new(StatusCode::OK, JSON, Body::Stream(body)))
}

/// How long a watch goes on.
fn timeout_of(asked: &Asked) -> Result<Duration, Problem> {
    let given = asked.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    let seconds = given.filter(|seconds| *seconds > 0).map(|seconds| seconds.min(YEAR));
    Ok(Duration::from_secs(seconds.unwrap_or_else(|| LONGEST + fastrand::u64(..LONGEST))))
}

/// A watch of what there is none of, and never will be. Whoever wants it told is told that this is all.
pub(super) fn watch_nothing(asked: &Asked, end_of_initial_events: &Value) -> Outcome {
    check_options(asked, true)?;
    let timeout = timeout_of(asked)?;
    let wants_end = asked.query.is_set("allowWatchBookmarks") && asked.query.is_set("sendInitialEvents");
    let (pieces, body) = mpsc::channel(1);
    let end = json!({ "type": "BOOKMARK", "object": end_of_initial_events });
    tokio::spawn(async move {
        if wants_end {
            let _ = pieces.send(Bytes::from(format!("{end}\n"))).await;
        }
        tokio::select! {
            () = pieces.closed() => {}
            () = tokio::time::sleep(timeout) => {}
        }
    });
    Ok(Answer::new(StatusCode::OK, JSON, Body::Stream(body)))
}

impl Stream {
    async fn run(
        mut self,
        lists: bool,
        wanted: Option<u64>,
        deadline: Instant,
        ends_with_bookmark: bool,
    ) -> Result<(), Over> {
        let mut news = self.server.revision.subscribe();
        if lists {
            self.tell_what_there_is(wanted).await?;
        } else if self.made.is_some() {
            self.know_what_there_was().await?;
        }
        let mut next_bookmark = Instant::now() + BOOKMARK_INTERVAL;
        loop {
            news.borrow_and_update();
            self.tell_news().await?;
            let has_bookmark = self.wants_bookmarks && self.revision > self.told;
            tokio::select! {
                changed = news.changed() => changed.map_err(|_| Over)?,
                () = self.pieces.closed() => return Err(Over),
                () = sleep_until(deadline) => {
                    if has_bookmark && ends_with_bookmark {
                        self.bookmark(false);
                    }
                    return self.send().await;
                }
                () = sleep_until(next_bookmark), if has_bookmark => {
                    self.bookmark(false);
                    self.send().await?;
                    next_bookmark = Instant::now() + BOOKMARK_INTERVAL;
                }
            }
        }
    }

    /// All objects, as if they were new.
    async fn tell_what_there_is(&mut self, wanted: Option<u64>) -> Result<(), Over> {
        let selection = self.selection.clone();
        let kind = selection.kind;
        let listed = self.server.snapshot().and_then(|(state, revision)| {
            if let Some(wanted) = wanted.filter(|wanted| *wanted > revision) {
                return Err(StatusError::Timeout { wanted, current: revision }.into());
            }
            let takes_long = are_many(&state, kind) && !selection.selectors.is_empty();
            Ok((shown::reader(&self.server, state, kind)?, revision, takes_long))
        });
        let (reader, revision, takes_long) = match listed {
            Ok(listed) => listed,
            Err(problem) => return self.end(problem).await,
        };
        let all;
        let found = if takes_long {
            let select = move || {
                let found = selection.list(&reader)?;
                Ok(found.into_iter().map(Found::into_owned).collect())
            };
            self.server.readers.aside(select).await
        } else {
            all = reader;
            selection.list(&all).map_err(Problem::from)
        };
        let found = match found {
            Ok(found) => found,
            Err(problem) => return self.end(problem).await,
        };
        self.made = self.made.take().map(|made| made.after(&found));
        for one in &found {
            if let Err(error) = self.event("ADDED", &one.text) {
                return self.end(error.into()).await;
            }
            self.send_if_much().await?;
        }
        self.revision = revision;
        if self.wants_bookmarks && self.initial_events_end {
            self.bookmark(true);
        }
        self.send().await
    }

    /// What was made of other objects at the revision that the client has heard of.
    async fn know_what_there_was(&mut self) -> Result<(), Over> {
        let kind = self.selection.kind;
        let known = self.server.caught_up().and_then(|cache| {
            let state = cache.state_at(kind, self.revision)?;
            drop(cache);
            let reader = self.server.client.show(state, Table::from(kind))?;
            let found = self.selection.list(&reader)?;
            Ok(self.made.take().map(|made| made.after(&found)))
        });
        match known {
            Ok(made) => {
                self.made = made;
                Ok(())
            }
            Err(error) => self.end(error.into()).await,
        }
    }

    /// What has happened since.
    async fn tell_news(&mut self) -> Result<(), Over> {
        if self.made.is_some() {
            return self.tell_what_is_made().await;
        }
        let news: Result<(Vec<Arc<Past>>, u64), Problem> = (|| {
            let cache = self.server.caught_up()?;
            let current = cache.revision();
            if self.revision >= current {
                return Ok((Vec::new(), self.revision));
            }
            Ok((cache.since(self.selection.kind, self.revision)?.cloned().collect(), current))
        })();
        let (news, revision) = match news {
            Ok(news) => news,
            Err(problem) => return self.end(problem).await,
        };
        for past in news {
            let told = match self.selection.event(&past) {
                Ok(Some((event, text))) => self.event(event.as_str(), &text),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                return self.end(error.into()).await;
            }
            self.send_if_much().await?;
        }
        let is_news = revision > self.revision;
        self.revision = revision;
        self.send().await?;
        if is_news {
            self.rest().await;
        }
        Ok(())
    }

    /// Lets some commits come together where there are many watches. A few are told of each at once.
    async fn rest(&self) {
        let watches = self.server.revision.receiver_count().try_into().unwrap_or(u32::MAX);
        let rest = REST_FOR_EACH.saturating_mul(watches).min(LONGEST_REST);
        if rest > SHORTEST_REST {
            tokio::time::sleep(rest).await;
        }
    }

    /// What has become of what is made of other objects, where there is news of those.
    async fn tell_what_is_made(&mut self) -> Result<(), Over> {
        let (kind, since) = (self.selection.kind, self.revision);
        let news = self.server.caught_up().map(|cache| {
            let is_news = |kind| cache.since(kind, since).map_or(true, |mut past| past.next().is_some());
            let state = kind.made_of().into_iter().any(is_news).then(|| cache.state().clone());
            (state, cache.revision())
        });
        let told = news.and_then(|(state, revision)| {
            let Some(made) = self.made.as_mut().filter(|_| state.is_some()) else {
                return Ok((Vec::new(), revision));
            };
            let reader = self.server.client.show(state.unwrap_or_default(), Table::from(kind))?;
            let found = self.selection.list(&reader)?;
            Ok((made.take_list(&found, revision)?, revision))
        });
        let (events, revision) = match told {
            Ok(told) => told,
            Err(error) => return self.end(error.into()).await,
        };
        for WatchEvent { event, text, .. } in &events {
            if let Err(error) = self.event(event.as_str(), text) {
                return self.end(error.into()).await;
            }
            self.send_if_much().await?;
        }
        self.revision = self.revision.max(revision);
        self.send().await?;
        // It takes all pods to make them: once for what is committed one after the other.
        tokio::time::sleep(MAKING_INTERVAL).await;
        Ok(())
    }

    fn event(&mut self, event: &str, text: &str) -> Result<()> {
        let kind = self.selection.kind;
        let shown = match self.form {
            Form::Objects => match self.served.text(text).context("read an object")? {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text),
            },
            Form::Metadata(version) | Form::MetadataList(version) => {
                Some(table::partial(text, version).context("read an object")?)
            }
            Form::Table(version) => {
                let row = table::row(kind, text, version, self.include, clock())?;
                let object: Value = serde_json::from_str(text).context("read an object")?;
                let metadata = json!({ "resourceVersion": object["metadata"]["resourceVersion"] });
                Some(table::table(version, &metadata, self.columns.take().as_deref(), &[row]))
            }
        };
        self.push(event, shown.as_deref().unwrap_or(text));
        Ok(())
    }

    fn push(&mut self, event: &str, object: &str) {
        for part in ["{\"type\":\"", event, "\",\"object\":", object, "}\n"] {
            self.unsent.extend_from_slice(part.as_bytes());
        }
    }

    /// Tells how far the server is: whoever comes back can begin there.
    fn bookmark(&mut self, is_end_of_initial_events: bool) {
        let kind = self.selection.kind;
        let mut metadata = json!({ "resourceVersion": self.revision.to_string() });
        if is_end_of_initial_events || std::mem::take(&mut self.initial_events_end) {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
            self.initial_events_end = false;
        }
        let object = match self.form {
            Form::Objects => {
                json!({ "kind": kind.as_str(), "apiVersion": self.served.api_version(), "metadata": metadata })
            }
            Form::Metadata(version) | Form::MetadataList(version) => json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": format!("meta.k8s.io/{version}"),
                "metadata": metadata,
            }),
            Form::Table(version) => {
                let object = json!({
                    "kind": "PartialObjectMetadata",
                    "apiVersion": format!("meta.k8s.io/{version}"),
                    "metadata": metadata,
                });
                let row = json!({ "cells": [], "object": object }).to_string();
                let of_table = json!({ "resourceVersion": self.revision.to_string() });
                let text = table::table(version, &of_table, self.columns.take().as_deref(), &[row]);
                self.told = self.revision;
                return self.push("BOOKMARK", &text);
            }
        };
        self.told = self.revision;
        self.push("BOOKMARK", &object.to_string());
    }

    /// Says why the watch ends.
    async fn end(&mut self, problem: Problem) -> Result<(), Over> {
        self.push("ERROR", &problem.status().to_string());
        let _ = self.send().await;
        Err(Over)
    }

    async fn send_if_much(&mut self) -> Result<(), Over> {
        if self.unsent.len() < PIECE { Ok(()) } else { self.send().await }
    }

    /// Sends what there is; waits for a client that does not read.
    async fn send(&mut self) -> Result<(), Over> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.unsent));
        self.pieces.send(piece).await.map_err(|_| Over)
    }
}
