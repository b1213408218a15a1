//! `serve`: the API server room over HTTP, for kubectl and every other client of the Kubernetes API.
//!
//! An open port is code execution as the user. So it listens at 127.0.0.1 only, over TLS, wants a token of 256 random bits that
//! stands in a file of the user's, and answers nothing without it but `/livez` (docs/security.md).
//!
//! One thread answers requests from the [watch cache](crate::apiserver::WatchCache); what changes something waits for the
//! store's lock and for the disk on a thread of its own. Pods and Jobs are the controller's, which is another process: no client
//! can hold it up.

mod answer;
mod apply;
mod aside;
mod body;
mod change;
mod connection;
mod custom_resources;
mod delete;
mod discovery;
mod dispatch;
mod event;
mod evict;
mod kubeconfig;
mod log;
mod log_watch;
mod manifest;
mod media;
mod new_events;
mod openapi;
mod path;
mod port_forward;
mod protobuf;
mod query;
mod read;
mod review;
mod scale;
mod shown;
mod socket;
mod spdy;
mod status;
mod stream;
mod table;
mod tls;
mod upgrade;
mod usage;

use std::collections::BTreeMap;
use std::future::Future;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use self::aside::{Readers, Worker};
use self::log_watch::LogWatch;
use self::status::Problem;
use crate::api::Time;
use crate::api::kinds::{Key, Kind};
use crate::apiserver::{Creator, WatchCache};
use crate::client::Local;
use crate::manager::{CommitListener, clock};
use crate::store::State;

pub use kubeconfig::Kubeconfig;

/// How a server is started.
#[derive(Debug)]
pub struct Options {
    /// The port; 0 for one that is free.
    pub port: u16,
    /// Where the kubeconfig is written.
    pub kubeconfig: PathBuf,
    /// The namespace of its context.
    pub namespace: String,
}

/// What all connections share.
#[derive(Debug)]
struct Server {
    client: Local,
    creator: Creator,
    cache: Mutex<WatchCache>,
    /// The revision that watches may be told of.
    revision: watch::Sender<u64>,
    token: String,
    port: u16,
    /// The certificate, as PEM: what `kube-root-ca.crt` holds.
    certificate: String,
    /// How often what is only shown has been deleted: it is there again at once, as another object.
    deleted: Mutex<BTreeMap<(Kind, Key), u32>>,
    /// When the server was started.
    started: Time,
    /// Who the client is.
    user: User,
    /// What containers write.
    logs: LogWatch,
    /// Whoever changes something: one request after the other.
    writer: Worker,
    readers: Readers,
}

/// Whose server it is.
#[derive(Debug)]
struct User {
    name: String,
    id: u32,
}

impl User {
    fn of_this_process() -> Self {
        let id = nix::unistd::geteuid();
        let known = nix::unistd::User::from_uid(id).ok().flatten();
        Self { name: known.map_or_else(|| id.to_string(), |user| user.name), id: id.as_raw() }
    }
}

impl Server {
    fn cache(&self) -> MutexGuard<'_, WatchCache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The objects, with everything that has been committed by now.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn caught_up(&self) -> Result<MutexGuard<'_, WatchCache>> {
        let mut cache = self.cache();
        if cache.catch_up()? {
            self.announce(cache.revision());
        }
        Ok(cache)
    }

    /// The objects as of the last commit, and its revision.
    ///
    /// # Errors
    /// A store that cannot be read.
    fn snapshot(&self) -> Result<(State, u64), Problem> {
        let cache = self.caught_up()?;
        Ok((cache.state().clone(), cache.revision()))
    }

    /// The uid of an object that is shown and not stored: always the same in a data directory, until somebody deletes it.
    fn uid_of(&self, kind: Kind, key: &Key) -> String {
        let deleted = self.deleted.lock().unwrap_or_else(PoisonError::into_inner);
        let times = deleted.get(&(kind, key.clone())).copied().unwrap_or_default();
        let what = format!("{}:{kind}:{key}:{times}", self.client.store().root().display());
        let mut bytes = [0; 16];
        for (half, salt) in bytes.chunks_exact_mut(8).zip([1_u8, 2]) {
            let mut hasher = DefaultHasher::new();
            (salt, &what).hash(&mut hasher);
            half.copy_from_slice(&hasher.finish().to_be_bytes());
        }
        uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
    }

    fn announce(&self, revision: u64) {
        self.revision.send_if_modified(|known| std::mem::replace(known, revision) != revision);
    }

    /// Hears of commits for as long as the store can be read.
    ///
    /// # Errors
    /// It cannot any more.
    fn follow(&self, mut listener: CommitListener) -> Result<()> {
        loop {
            let journal = self.cache().tail().journal_path().to_owned();
            listener.listen_to(&journal)?;
            let is_same_journal = {
                let mut cache = self.cache();
                cache.read_on()?;
                self.announce(cache.revision());
                cache.tail().journal_path() == journal
            };
            if is_same_journal {
                listener.wait()?;
            }
        }
    }
}

/// Follows the store on a thread of its own, which sleeps until there is a commit. What comes of it is why it has ended.
fn start_following(server: &Arc<Server>) -> Result<oneshot::Receiver<anyhow::Error>> {
    let listener = CommitListener::start(server.client.store())?;
    let (tell, ended) = oneshot::channel();
    let server = Arc::clone(server);
    std::thread::Builder::new()
        .name("commits".into())
        .spawn(move || {
            if let Err(error) = server.follow(listener) {
                let _ = tell.send(error);
            }
        })
        .context("start a thread")?;
    Ok(ended)
}

/// Serves until `until` is done, and returns what it comes to. `ready` is told where the server is.
///
/// # Errors
/// A port that is taken; a kubeconfig that cannot be written; a store that cannot be read.
pub fn serve<T, F: Future<Output = Result<T>>>(
    client: Local,
    creator: Creator,
    options: &Options,
    ready: impl FnOnce(SocketAddr) -> Result<F>,
) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime of the server")?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen at {address}"))?;
        let address = listener.local_addr().context("find out the port")?;
        let identity = tls::Identity::generate()?;
        let token = kubeconfig::new_token()?;
        let kubeconfig = Kubeconfig {
            path: options.kubeconfig.clone(),
            address,
            certificate: identity.pem.clone(),
            token: token.clone(),
            namespace: options.namespace.clone(),
        };
        // The first commit, if there was none: what a list says it is of is never nothing.
        client.register_node()?;
        let cache = WatchCache::load(client.store())?;
        let server = Arc::new(Server {
            client,
            creator,
            revision: watch::Sender::new(cache.revision()),
            cache: Mutex::new(cache),
            token,
            port: address.port(),
            certificate: identity.pem.clone(),
            deleted: Mutex::default(),
            started: Time(clock()),
            user: User::of_this_process(),
            logs: LogWatch::start()?,
            writer: Worker::start("changes")?,
            readers: Readers::default(),
        });
        let lost = start_following(&server)?;
        kubeconfig.write()?;
        let until = ready(address)?;
        tokio::select! {
            done = until => done,
            Ok(error) = lost => Err(error),
            () = connection::accept(Arc::clone(&server), listener, identity.acceptor) => {
                unreachable!("connections are accepted for ever")
            }
        }
    })
}
