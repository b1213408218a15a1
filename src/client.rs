//! The interface through which verbs reach objects: get, list, watch, create, update, patch, delete and what a container
//! has written. Here it is the API server room of this machine; a Kubernetes API elsewhere answers the same requests.

mod follower;
mod local;
mod local_requests;
mod log;
mod remote;
mod requests;
mod startable;

pub use follower::Follower;
pub use local::{Local, USAGE_WINDOW, metrics_of};
pub use local_requests::LocalRequests;
pub use log::Log;
pub use requests::Requests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::api::kinds::{Key, Kind};
use crate::api::meta::uid;
use crate::api::{Event, Pod};
use crate::apiserver::{Creator, Reader};
use crate::cluster::Access;
use crate::kubelet::{LogOptions, Runs};
use crate::manager::{Companion, Config};
use crate::store::{PodDirectory, ReaderOfRecord, Table};

/// The place in which verbs work: this machine, or a cluster.
#[derive(Clone, Debug)]
pub struct Client(Place);

#[derive(Clone, Debug)]
enum Place {
    Here(Local),
    There(There),
}

/// A cluster, and what of it is meant by a request that says nothing else.
#[derive(Clone, Debug)]
struct There {
    api: Arc<remote::Api>,
    /// How verbs are to behave; of this machine's objects nothing is known here.
    config: Config,
    /// Nothing for all namespaces.
    namespace: Option<String>,
}

impl Client {
    /// This machine, for what reads or changes objects. Where there is no store yet, none is made.
    ///
    /// # Errors
    /// As [`Local::open`].
    pub fn here(data_directory: Option<&Path>) -> Result<Self> {
        Local::open(data_directory).map(|here| Self(Place::Here(here)))
    }

    /// This machine, for what creates objects: makes the store where there is none.
    ///
    /// # Errors
    /// As [`Local::open`].
    pub fn here_to_create(data_directory: Option<&Path>) -> Result<Self> {
        Local::open_to_create(data_directory).map(|here| Self(Place::Here(here)))
    }

    /// A cluster. Requests that name no namespace are about this one. `timeout` is how long an answer may take. Nothing is
    /// asked of it yet.
    ///
    /// # Errors
    /// A bad configuration; a thread that cannot be started.
    pub fn there(
        access: Access,
        namespace: &str,
        timeout: Option<Duration>,
        data_directory: Option<&Path>,
    ) -> Result<Self> {
        let api = Arc::new(remote::Api::new(access, timeout)?);
        let config = Config::load(data_directory)?;
        Ok(Self(Place::There(There { api, config, namespace: Some(namespace.to_owned()) })))
    }

    /// This machine, for what only it has.
    ///
    /// # Errors
    /// It is a cluster.
    pub fn local(&self) -> Result<&Local> {
        match &self.0 {
            Place::Here(here) => Ok(here),
            Place::There(there) => bail!(
                "this is about this machine, and context {:?} is of a cluster; this machine is --context=jobctl",
                there.api.access().context()
            ),
        }
    }

    /// The cluster, where it is one.
    pub fn cluster(&self) -> Option<&Access> {
        match &self.0 {
            Place::Here(_) => None,
            Place::There(there) => Some(there.api.access()),
        }
    }

    /// How long an answer of a cluster may take, where that is for somebody to say: one that goes on for ever, too.
    pub fn request_timeout(&self) -> Option<Duration> {
        match &self.0 {
            Place::Here(_) => None,
            Place::There(there) => there.api.timeout(),
        }
    }

    /// The same place, where requests that name no namespace are about all of them.
    pub fn across_namespaces(&mut self) {
        if let Place::There(there) = &mut self.0 {
            there.namespace = None;
        }
    }

    /// The configuration of this machine.
    pub fn config(&self) -> &Config {
        match &self.0 {
            Place::Here(here) => here.config(),
            Place::There(there) => &there.config,
        }
    }

    /// Reads tables as of one revision; of a cluster each when it is wanted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn read(&self, tables: &[Table]) -> Result<Reader> {
        match &self.0 {
            Place::Here(here) => here.read(tables),
            Place::There(there) => Ok(there.read()),
        }
    }

    /// As [`Client::read`], but most pods may have only what lists show of them.
    ///
    /// # Errors
    /// As [`Client::read`].
    pub fn read_listing(&self, tables: &[Table]) -> Result<Reader> {
        match &self.0 {
            Place::Here(here) => here.read_listing(tables),
            Place::There(there) => Ok(there.read()),
        }
    }

    /// Reads tables, and follows what becomes of them from there on.
    ///
    /// # Errors
    /// As [`Local::watch`]; a refusal, or no answer, of a cluster.
    pub fn watch(&self, tables: &[Table]) -> Result<(Reader, Follower)> {
        self.watch_named(tables, &[])
    }

    /// As [`Client::watch`], by somebody who wants these objects only; of Jobs their pods and Events, too. More may come.
    ///
    /// # Errors
    /// As [`Client::watch`].
    pub fn watch_named(&self, tables: &[Table], named: &[(Kind, Key)]) -> Result<(Reader, Follower)> {
        match &self.0 {
            Place::Here(here) => {
                here.watch(tables).map(|(reader, follower)| (reader, Follower::here(follower)))
            }
            Place::There(there) => {
                let (reader, follower) = there.watch(tables, named)?;
                Ok((reader, Follower::there(follower)))
            }
        }
    }

    /// The Events about an object, by name and so by time.
    ///
    /// # Errors
    /// A store that cannot be read; a refusal, or no answer, of a cluster.
    pub fn events_about(&self, uid: &str) -> Result<Vec<Event>> {
        match &self.0 {
            Place::Here(here) => here.events_about(uid),
            Place::There(there) => remote::events_about(&there.api, there.namespace.as_deref(), uid),
        }
    }

    /// Begins requests. Here they are committed together, all of them or none; a cluster carries out each when it comes.
    /// `tables` are those that will be wanted. What is a dry run is never committed.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn begin(&self, tables: &[Table], is_dry_run: bool) -> Result<Requests<'_>> {
        match &self.0 {
            Place::Here(here) => here.begin(tables).map(Requests::here),
            Place::There(there) => {
                let requests = remote::Requests::new(there.api.clone(), there.namespace.clone(), is_dry_run);
                Ok(Requests::there(requests))
            }
        }
    }

    /// What a container of a pod has written, as far as it is kept. `prefix` is put before each line.
    pub fn log(&self, pod: &Pod, container: &str, runs: Runs, options: LogOptions, prefix: String) -> Log {
        match &self.0 {
            Place::Here(here) => Log::here(here.log(pod, container, runs, options, prefix)),
            Place::There(there) => {
                Log::there(remote::Log::new(there.api.clone(), pod, container, runs, options, prefix))
            }
        }
    }

    /// Which run of a container is the newest of which there may be a log. Of a cluster's containers the server knows more.
    pub fn newest_run(&self, pod: &Pod, container: &str) -> Option<i32> {
        match &self.0 {
            Place::Here(here) => here.pod_directory(uid(&pod.metadata)).newest_restart(container),
            Place::There(_) => Some(remote::current_run(pod, container)),
        }
    }

    /// Whether there may be a log of a run of a container.
    pub fn may_have_log(&self, pod: &Pod, container: &str, run: i32) -> bool {
        match &self.0 {
            Place::Here(here) => {
                let parts = here.pod_directory(uid(&pod.metadata)).log_parts(container);
                parts.iter().any(|part| part.restart == run)
            }
            Place::There(_) => true,
        }
    }

    /// Where what a pod's containers write can be watched for; a cluster's logs wake the follower themselves.
    pub fn log_directory(&self, pod_uid: &str) -> Option<PodDirectory> {
        match &self.0 {
            Place::Here(here) => Some(here.pod_directory(pod_uid)),
            Place::There(_) => None,
        }
    }

    /// The processes of a pod's running containers, by the containers' names; of a cluster none are known.
    pub fn container_pids(&self, pod: &Pod) -> BTreeMap<String, i32> {
        match &self.0 {
            Place::Here(here) => here.container_pids(pod),
            Place::There(_) => BTreeMap::new(),
        }
    }

    /// To say that somebody reads all that some Jobs write. A cluster does not ask.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn reader_of_record(&self) -> Result<Option<ReaderOfRecord>> {
        match &self.0 {
            Place::Here(here) => here.reader_of_record().map(Some),
            Place::There(_) => Ok(None),
        }
    }

    /// Forgets what is left on this machine of a pod that has been deleted.
    pub fn forget_pod(&self, pod_uid: &str) {
        if let Place::Here(here) = &self.0 {
            here.pod_directory(pod_uid).remove();
        }
    }

    /// Registers this machine as the node, unless it is. A cluster has its own.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn register_node(&self) -> Result<()> {
        match &self.0 {
            Place::Here(here) => here.register_node(),
            Place::There(_) => Ok(()),
        }
    }

    /// From now on tells by `say` what is decided, by whomever, as far as the level asks for it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn start_trace(&self, level: i32, say: fn(&str)) -> Result<()> {
        match &self.0 {
            Place::Here(here) => here.start_trace(level, say),
            Place::There(there) => {
                there.api.start_trace(level, say);
                Ok(())
            }
        }
    }

    /// Brings the controller back where there is work and none runs. `tables` says where to look for it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn revive_controller(&self, tables: &[Table]) -> Result<()> {
        match &self.0 {
            Place::Here(here) => here.revive_controller(tables),
            Place::There(_) => Ok(()),
        }
    }

    /// Sees to it that there is a controller as long as the value lives. A cluster has its own.
    ///
    /// # Errors
    /// A process that cannot be started.
    pub fn keep_controller(&self) -> Result<Option<Companion>> {
        match &self.0 {
            Place::Here(here) => here.keep_controller().map(Some),
            Place::There(_) => Ok(None),
        }
    }

    /// Makes what has been heard of survive a power cut, before anybody is told.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        match &self.0 {
            Place::Here(here) => here.sync(),
            Place::There(_) => Ok(()),
        }
    }

    /// This process, as whoever creates objects. `pass_env` names the variables of its environment that their pods are to
    /// have; a cluster's pods can have none.
    ///
    /// # Errors
    /// No current directory; a variable that does not exist, or cannot be passed.
    pub fn creator(&self, pass_env: &[String]) -> Result<Creator> {
        match &self.0 {
            Place::Here(here) => here.creator(pass_env),
            Place::There(_) if pass_env.is_empty() => Ok(Creator::default()),
            Place::There(_) => bail!(
                "--pass-env is for this machine; what a container of a cluster is to know is said in its manifest (env)"
            ),
        }
    }
}

impl There {
    fn read(&self) -> Reader {
        Reader::elsewhere(Box::new(remote::Asked::new(self.api.clone(), self.namespace.clone())))
    }

    fn watch(&self, tables: &[Table], named: &[(Kind, Key)]) -> Result<(Reader, remote::Follower)> {
        remote::watch(&self.api, self.namespace.as_deref(), tables, named)
    }
}
