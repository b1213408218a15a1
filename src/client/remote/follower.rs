//! Following a cluster: a list and a watch of each kind, begun again where they end, heard as the commits of a store are.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use chrono::{DateTime, Utc};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::task::JoinHandle;

use super::api::{Api, Lists, Query, text};
use super::backoff::Backoff;
use super::dialogue::{MOST_BYTES, Request, may_pass};
use super::objects::Received;
use super::paths;
use super::refusals::refusal;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::manager::wait_until_readable;
use crate::store::{Change, Table};

/// What has become of an object.
#[derive(Debug)]
struct Delta {
    kind: Kind,
    key: Key,
    revision: u64,
    /// Its text; nothing where it is gone.
    text: Option<String>,
}

/// What has come and has not been handed over yet.
#[derive(Debug, Default)]
struct Inbox {
    deltas: VecDeque<Delta>,
    failure: Option<anyhow::Error>,
    /// What keeps a watch from going on for now, once it has for a while.
    trouble: Option<String>,
}

/// Hears of what becomes of a cluster's objects.
pub(in crate::client) struct Follower {
    api: Arc<Api>,
    inbox: Arc<Mutex<Inbox>>,
    watches: Vec<JoinHandle<()>>,
    trouble: Option<String>,
}

impl fmt::Debug for Follower {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Follower").field("api", &self.api).finish_non_exhaustive()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

/// How long one watch lasts at most. A server ends them earlier or later by itself.
const WATCH_SECONDS: u64 = 300;
/// How long a wait is at most, so that one for ever is none of a wrong clock's.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

impl Follower {
    /// Lists some kinds, and watches them from there on. Returns the lists.
    ///
    /// # Errors
    /// A refusal, or no answer, to one of the lists.
    pub(super) fn start(api: &Arc<Api>, wanted: Vec<(Kind, Query)>) -> Result<(Lists, Self)> {
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let mut follower = Self { api: api.clone(), inbox, watches: Vec::new(), trouble: None };
        let asked: Vec<_> = wanted
            .into_iter()
            .map(|(kind, query)| {
                let api = api.clone();
                api.runtime.clone().spawn(async move {
                    let listed = api.list(kind, &query).await;
                    (kind, query, listed)
                })
            })
            .collect();
        let mut lists = Vec::new();
        for task in asked {
            let (kind, query, listed) = api.wait(task).context("ask the cluster")?;
            let listing = match listed {
                // Who may see what happens is often somebody else, and nothing hangs on it.
                Err(error) if kind == Kind::Event && is_forbidden(&error) => continue,
                listed => listed?,
            };
            let known = listing.objects.iter().map(|(key, one)| (key.clone(), one.revision)).collect();
            let watch = Watch {
                api: api.clone(),
                inbox: follower.inbox.clone(),
                kind,
                query: query.clone(),
                version: listing.resource_version.clone(),
                known,
            };
            follower.watches.push(api.runtime.spawn(watch.run()));
            lists.push((kind, query, listing));
        }
        Ok((lists, follower))
    }

    /// Hands over what has come since the last call, without waiting.
    ///
    /// # Errors
    /// What has ended a watch for good.
    pub(in crate::client) fn changes(&mut self, mut each: impl FnMut(Change<'_>)) -> Result<()> {
        self.api.wake.clear();
        let Inbox { deltas, failure, trouble } =
            std::mem::take(&mut *self.inbox.lock().unwrap_or_else(PoisonError::into_inner));
        self.trouble = self.trouble.take().or(trouble);
        for Delta { kind, key, revision, text } in &deltas {
            each(Change {
                revision: *revision,
                table: Table::Kind(*kind),
                namespace: &key.namespace,
                name: &key.name,
                object: text.as_deref(),
                last: None,
            });
        }
        failure.map_or(Ok(()), Err)
    }

    /// What keeps us from hearing of changes, told once each time.
    pub(in crate::client) fn take_trouble(&mut self) -> Option<String> {
        self.trouble.take()
    }

    /// Sleeps until something comes, a descriptor of `others` is readable, or the time has come (then false), by the steady
    /// clock.
    ///
    /// # Errors
    /// Failing system calls.
    pub(in crate::client) fn wait(
        &self,
        others: &[BorrowedFd<'_>],
        until: Option<DateTime<Utc>>,
    ) -> Result<bool> {
        let descriptors = [self.api.wake.as_fd()].into_iter().chain(others.iter().copied());
        wait_until_readable(descriptors, until, LONGEST_SLEEP)
    }
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StatusError::Other { reason: "Forbidden", .. }))
}

/// A watch of one kind.
struct Watch {
    api: Arc<Api>,
    inbox: Arc<Mutex<Inbox>>,
    kind: Kind,
    query: Query,
    /// From where on.
    version: String,
    /// What has been handed over, and of which revision.
    known: BTreeMap<Key, u64>,
}

/// A time without answers.
#[derive(Debug, Default)]
struct Outage {
    began: Option<Instant>,
    is_told: bool,
}

/// How long one lasts before it is told.
const WORTH_A_WORD: Duration = Duration::from_secs(3);

impl Outage {
    /// There is no answer yet again; what is to be said of that.
    fn goes_on(&mut self, error: &anyhow::Error) -> Option<String> {
        let began = *self.began.get_or_insert_with(Instant::now);
        let is_worth = began.elapsed() >= WORTH_A_WORD && !self.is_told;
        self.is_told |= is_worth;
        is_worth.then(|| format!("{error}; trying again"))
    }
}

/// How a watch has ended.
enum End {
    /// As they all do: it goes on from where it was.
    Over,
    /// What comes next is not known any more.
    TooOld,
    /// For now, or for good.
    Failed(anyhow::Error),
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

impl Watch {
    async fn run(mut self) {
        let mut backoff = Backoff::new();
        let mut outage = Outage::default();
        loop {
            let heard = self.known.len();
            let version = self.version.clone();
            match self.once().await {
                End::Over if self.version != version || self.known.len() != heard => backoff.reset(),
                End::Over => backoff.sleep().await,
                End::TooOld => match self.list_anew().await {
                    Ok(()) => backoff.reset(),
                    Err(error) => return self.fail(error),
                },
                End::Failed(error) if may_pass(&error) => {
                    if let Some(trouble) = outage.goes_on(&error) {
                        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).trouble = Some(trouble);
                        self.api.wake.ring();
                    }
                    backoff.sleep().await;
                    continue;
                }
                End::Failed(error) => return self.fail(error),
            }
            outage = Outage::default();
        }
    }

    fn fail(&self, error: anyhow::Error) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).failure = Some(error);
        self.api.wake.ring();
    }

    fn put(&self, deltas: impl IntoIterator<Item = Delta>) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).deltas.extend(deltas);
        self.api.wake.ring();
    }

    /// One watch, from its beginning to its end.
    async fn once(&mut self) -> End {
        let collection = paths::collection(self.kind, self.query.namespace.as_deref());
        let path = paths::with_query(
            &collection,
            &[
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", &(WATCH_SECONDS + fastrand::u64(0..WATCH_SECONDS)).to_string()),
                ("resourceVersion", &self.version),
                ("labelSelector", &self.query.labels),
                ("fieldSelector", &self.query.fields),
            ],
        );
        let mut body = match self.api.stream(&Request::get_once(path)).await {
            Ok(Ok(response)) => response.into_body(),
            Ok(Err(answer)) if answer.status == hyper::StatusCode::GONE => return End::TooOld,
            Ok(Err(answer)) => {
                let refusal = refusal(answer.status.as_u16(), &answer.body, Some(self.kind), None);
                return End::Failed(refusal.into());
            }
            Err(error) => return End::Failed(error),
        };
        let mut unread: Vec<u8> = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else { return End::Over };
            let Some(data) = frame.data_ref() else { continue };
            unread.extend_from_slice(data);
            if unread.len() > MOST_BYTES {
                return End::Failed(anyhow!(
                    "the server has sent more than {} MiB at once",
                    MOST_BYTES >> 20
                ));
            }
            let Some(end) = memchr::memrchr(b'\n', &unread) else { continue };
            let lines: Vec<u8> = unread.drain(..=end).collect();
            for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                match self.take(line) {
                    Ok(None) => {}
                    Ok(Some(end)) => return end,
                    Err(error) => return End::Failed(error),
                }
            }
        }
        End::Over
    }

    fn take(&mut self, line: &[u8]) -> Result<Option<End>> {
        let event: Event<'_> = serde_json::from_str(text(line)?).context("read a watch of the server")?;
        match event.r#type {
            "BOOKMARK" => {
                let object = Received::read(Kind::Pod, event.object.get())?;
                self.has_come_to(object.revision);
            }
            "ERROR" => {
                let refused = refusal(0, event.object.get().as_bytes(), Some(self.kind), None);
                let is_old = ["Expired", "Gone"].contains(&refused.reason());
                return Ok(Some(if is_old { End::TooOld } else { End::Failed(refused.into()) }));
            }
            told => {
                let Received { key, revision, text } = Received::read(self.kind, event.object.get())?;
                self.has_come_to(revision);
                let is_gone = told == "DELETED";
                if is_gone {
                    self.known.remove(&key);
                } else {
                    self.known.insert(key.clone(), revision);
                }
                self.put([Delta { kind: self.kind, key, revision, text: (!is_gone).then_some(text) }]);
            }
        }
        Ok(None)
    }

    fn has_come_to(&mut self, revision: u64) {
        // Where it is no number it is the server's secret.
        if revision > 0 {
            self.version = revision.to_string();
        }
    }

    /// Where the watch cannot go on: a new list says what has changed.
    async fn list_anew(&mut self) -> Result<()> {
        let listing = self.api.list_in_the_end(self.kind, &self.query).await?;
        let kind = self.kind;
        let revision = listing.resource_version.parse().unwrap_or_default();
        let gone = self.known.keys().filter(|key| !listing.objects.contains_key(key));
        let mut deltas: Vec<Delta> =
            gone.map(|key| Delta { kind, key: key.clone(), revision, text: None }).collect();
        let known: BTreeMap<Key, u64> =
            listing.objects.iter().map(|(key, one)| (key.clone(), one.revision)).collect();
        let before = std::mem::replace(&mut self.known, known);
        let changed = listing.objects.into_values().filter(|one| before.get(&one.key) != Some(&one.revision));
        deltas.extend(changed.map(|one| Delta {
            kind,
            key: one.key,
            revision: one.revision,
            text: Some(one.text),
        }));
        self.version = listing.resource_version;
        self.put(deltas);
        Ok(())
    }
}
