//! A cluster's API: who asks there, and the thread on which all that is awaited happens.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::SigSet;
use tokio::runtime::{Builder, Handle};

use super::dialogue::{Request, Sender, may_pass};
use super::objects::{Page, Received};
use super::paths;
use super::versions::Versions;
use super::wake::Wake;
use crate::api::kinds::{Key, Kind};
use crate::api::status_error::StatusError;
use crate::apiserver::DEFAULT_NAMESPACE;
use crate::cluster::Access;

/// How many objects one request of a list asks for, as kubectl does.
const PAGE: &str = "500";

/// The API of a cluster.
pub(in crate::client) struct Api {
    pub(super) access: Access,
    pub(super) runtime: Handle,
    /// A connection that waits for the next request.
    pub(super) idle: Mutex<Option<Sender>>,
    /// How long an answer may take, or the beginning of one that comes bit by bit.
    pub(super) timeout: Option<Duration>,
    /// In which version it has what it does not have in ours.
    pub(super) versions: Versions,
    /// By what it is told what is asked.
    pub(super) trace: OnceLock<fn(&str)>,
    /// Rung whenever something has come that a verb waits for.
    pub(super) wake: Wake,
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Api").field("access", &self.access).finish_non_exhaustive()
    }
}

/// Which objects of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Query {
    /// The namespace; nothing for all of them.
    pub(super) namespace: Option<String>,
    pub(super) labels: String,
    pub(super) fields: String,
}

/// The objects of a kind at one revision.
#[derive(Clone, Debug, Default)]
pub(super) struct Listing {
    pub(super) objects: BTreeMap<Key, Received>,
    pub(super) resource_version: String,
}

/// The lists that were asked for together.
pub(super) type Lists = Vec<(Kind, Query, Listing)>;

impl Api {
    /// For requests to a cluster. Nothing is sent yet.
    ///
    /// # Errors
    /// No thread can be started.
    pub(in crate::client) fn new(access: Access, timeout: Option<Duration>) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.context("start the thread for the cluster")?;
        let handle = runtime.handle().clone();
        let wake = Wake::new()?;
        // Signals are for the thread that waits for them.
        let before = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK);
        let spawned = std::thread::Builder::new()
            .name("cluster".into())
            .spawn(move || runtime.block_on(std::future::pending::<()>()));
        if let Ok(before) = before {
            let _ = before.thread_set_mask();
        }
        spawned.context("start the thread for the cluster")?;
        let (idle, versions, trace) = Default::default();
        Ok(Self { access, runtime: handle, idle, timeout, versions, trace, wake })
    }

    /// From now on tells by `say` what is asked of the cluster, from level 6 on, as kubectl does.
    pub(in crate::client) fn start_trace(&self, level: i32, say: fn(&str)) {
        if level >= 6 {
            let _ = self.trace.set(say);
        }
    }

    /// The cluster, and who we are there.
    pub(in crate::client) fn access(&self) -> &Access {
        &self.access
    }

    /// How long an answer may take.
    pub(in crate::client) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Waits for what is asked of the cluster.
    pub(super) fn wait<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }

    /// One object, if there is one.
    ///
    /// # Errors
    /// Any refusal but that it is not there; no answer.
    pub(super) async fn get(&self, kind: Kind, key: &Key) -> Result<Option<Received>> {
        let request = Request::get(paths::object(kind, &key.namespace, &key.name));
        match self.exchange(&request).await?.accepted(Some(kind), Some(key)) {
            Ok(answer) => Received::read(kind, text(&answer.body)?).map(Some),
            Err(StatusError::NotFound { .. }) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Why an object is not there. As kubectl does, the namespace is asked for only now.
    pub(super) async fn missing(&self, kind: Kind, key: &Key) -> StatusError {
        let missing = StatusError::not_found(kind, &key.name);
        let namespace = &*key.namespace;
        if !kind.resource().namespaced || namespace.is_empty() || namespace == DEFAULT_NAMESPACE {
            return missing;
        }
        match self.get(Kind::Namespace, &Kind::Namespace.key("", namespace)).await {
            Ok(None) => StatusError::not_found(Kind::Namespace, namespace),
            // Who may not see it is told of what he has asked for.
            _ => missing,
        }
    }

    /// The objects of a kind, page by page.
    ///
    /// # Errors
    /// A refusal; no answer.
    pub(super) async fn list(&self, kind: Kind, query: &Query) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut next = String::new();
        let mut limit = PAGE;
        loop {
            let collection = paths::collection(kind, query.namespace.as_deref());
            let path = paths::with_query(
                &collection,
                &[
                    ("limit", limit),
                    ("continue", &next),
                    ("labelSelector", &query.labels),
                    ("fieldSelector", &query.fields),
                ],
            );
            let answer = match self.exchange(&Request::get(path)).await?.accepted(Some(kind), None) {
                Ok(answer) => answer,
                // The pages that are still to come have grown too old: so they would again.
                Err(refusal) if refusal.reason() == "Expired" && !next.is_empty() => {
                    (listing, next, limit) = (Listing::default(), String::new(), "");
                    continue;
                }
                Err(refusal) => return Err(refusal.into()),
            };
            let page = Page::read(kind, &answer.body)?;
            listing.objects.extend(page.objects.into_iter().map(|one| (one.key.clone(), one)));
            listing.resource_version = page.resource_version;
            if page.next.is_empty() {
                return Ok(listing);
            }
            if page.next == next {
                bail!("the server has sent the same page of a list twice");
            }
            next = page.next;
        }
    }

    /// As [`Api::list`], again and again until the cluster answers.
    ///
    /// # Errors
    /// A refusal that would be repeated.
    pub(super) async fn list_in_the_end(&self, kind: Kind, query: &Query) -> Result<Listing> {
        let mut backoff = super::backoff::Backoff::new();
        loop {
            match self.list(kind, query).await {
                Err(error) if may_pass(&error) => backoff.sleep().await,
                listed => return listed,
            }
        }
    }
}

/// JSON is UTF-8.
///
/// # Errors
/// Something else.
pub(super) fn text(body: &[u8]) -> Result<&str> {
    std::str::from_utf8(body).context("the server has sent no text")
}
