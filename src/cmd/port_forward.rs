//! `port-forward`: ports of this machine lead to those of a pod.

mod listeners;
mod ports;

use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use tokio::signal::unix::{SignalKind, signal};

use self::listeners::{Addresses, Listener};
use super::context::{Context, Global};
use super::failure::verbatim;
use super::pod_target::{Patience, pod_of, target_of};
use super::resources::Target;
use crate::api::conditions::pod_phase;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, uid};
use crate::api::{Pod, Service};
use crate::apiserver::Read as _;
use crate::client::Follower;
use crate::manager::steady_clock;
use crate::store::Table;

/// Forward local ports to a pod
///
/// A pod's ports are this machine's own, so that this is for another number, another address, or the name of a port. Nobody needs to
/// listen where both numbers are the same. It ends with the pod, or by Ctrl-C.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TYPE/NAME (a pod, a Job, a StatefulSet or a Service) and ports: [LOCAL_PORT:]REMOTE_PORT
    #[arg(value_name = "TYPE/NAME [LOCAL_PORT:]REMOTE_PORT")]
    words: Vec<String>,
    /// Addresses to listen on: localhost or IP addresses
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',', default_value = "localhost")]
    address: Vec<String>,
    #[command(flatten)]
    patience: Patience,
}

/// Forwards ports until the pod ends.
pub(super) fn run(global: &Global, args: &Args) -> Result<ExitCode> {
    let [word, words @ ..] = args.words.as_slice() else { return Err(nothing_given()) };
    if words.is_empty() {
        return Err(nothing_given());
    }
    let patience = args.patience.of("port-forward")?;
    let addresses = Addresses::parse(&args.address)?;
    let target = target_of(word)?;
    let context = Context::open(global)?;
    context.client.local()?;
    let until = steady_clock() + patience;
    let pod = pod_of(&context, &target, patience)?;
    let _companion = context.client.keep_controller()?;
    let (mut watched, pod) = Watched::until_running(&context, &pod, until)?;
    let forwardings = ports::forwardings(words, &pod, service_of(&context, &target)?.as_ref())?;
    // Before it is said that ports are forwarded: from then on Ctrl-C ends it well.
    let forwarder = Forwarder::new()?;
    let interrupted = forwarder.start(listeners::listen(&addresses, &forwardings)?)?;
    watched.until_it_ends(&interrupted)?;
    Ok(ExitCode::SUCCESS)
}

fn nothing_given() -> anyhow::Error {
    verbatim(
        "error: TYPE/NAME and list of ports are required for port-forward\nSee 'jobctl port-forward -h' for help and examples",
    )
}

fn service_of(context: &Context, target: &Target) -> Result<Option<Service>> {
    let Target::Named(Kind::Service, name) = target else { return Ok(None) };
    let reader = context.client.read(&[Table::from(Kind::Service)])?;
    reader.get(Kind::Service, &Kind::Service.key(&context.namespace, name))?.parse().map(Some)
}

/// What passes on connections.
struct Forwarder {
    runtime: tokio::runtime::Runtime,
    interrupt: tokio::signal::unix::Signal,
}

impl Forwarder {
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("start a runtime")?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).context("hear of signals")?;
        drop(entered);
        Ok(Self { runtime, interrupt })
    }

    /// Takes connections in a thread of its own. What comes back ends with it.
    fn start(self, listeners: Vec<Listener>) -> Result<OwnedFd> {
        let (interrupted, until_then) =
            nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("make a pipe")?;
        let forward = move || {
            // Whatever has ended it, the pipe tells.
            let _ = self.runtime.block_on(listeners::serve(listeners, self.interrupt));
            drop(until_then);
        };
        std::thread::Builder::new().spawn(forward).context("start a thread")?;
        Ok(interrupted)
    }
}

/// A pod whose end is waited for.
struct Watched {
    key: Key,
    uid: String,
    follower: Follower,
}

/// What a change means for a pod.
enum News {
    Is(Box<Pod>),
    Gone,
}

impl Watched {
    /// Waits until a pod runs.
    ///
    /// # Errors
    /// It does not, in kubectl's words.
    fn until_running(context: &Context, pod: &Pod, until: DateTime<Utc>) -> Result<(Self, Pod)> {
        let (key, uid) = (key(&pod.metadata), uid(&pod.metadata).to_owned());
        let (reader, follower) = context.client.watch(&[Table::PODS])?;
        let mut watched = Self { key, uid, follower };
        let mut pod: Pod = reader.get(Kind::Pod, &watched.key)?.parse()?;
        drop(reader);
        loop {
            match pod_phase(&pod) {
                "Running" => return Ok((watched, pod)),
                "Pending" if watched.follower.wait(&[], Some(until))? => match watched.news()? {
                    Some(News::Is(newer)) => pod = *newer,
                    Some(News::Gone) => bail!("lost connection to pod"),
                    None => {}
                },
                phase => bail!("unable to forward port because pod is not running. Current status={phase}"),
            }
        }
    }

    /// Waits until a pod ends, or a descriptor tells that somebody has interrupted us.
    ///
    /// # Errors
    /// The pod has ended.
    fn until_it_ends(&mut self, interrupted: &OwnedFd) -> Result<()> {
        loop {
            match self.news()? {
                Some(News::Is(pod)) if pod_phase(&pod) == "Running" => {}
                Some(_) => bail!("lost connection to pod"),
                None => {}
            }
            self.follower.wait(&[interrupted.as_fd()], None)?;
            if is_over(interrupted)? {
                return Ok(());
            }
        }
    }

    /// What has become of the pod since it was asked last.
    fn news(&mut self) -> Result<Option<News>> {
        let mut news = None;
        let (key, wanted) = (&self.key, &self.uid);
        self.follower.changes(|change| {
            if change.table == Table::PODS && change.namespace == &*key.namespace && change.name == &*key.name
            {
                let pod = change.object.map(serde_json::from_str::<Pod>).transpose();
                news = Some(pod.map(|pod| match pod {
                    Some(pod) if uid(&pod.metadata) == wanted => News::Is(Box::new(pod)),
                    _ => News::Gone,
                }));
            }
        })?;
        news.transpose().context("read a pod")
    }
}

/// Whether the other end of a pipe is closed.
fn is_over(pipe: &OwnedFd) -> Result<bool> {
    let mut fds = [nix::poll::PollFd::new(pipe.as_fd(), nix::poll::PollFlags::POLLIN)];
    let ready = nix::poll::poll(&mut fds, nix::poll::PollTimeout::ZERO).context("look at a pipe")?;
    Ok(ready > 0)
}
