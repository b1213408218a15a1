//! This machine as the place that verbs work in: the API server room, the logs of its pods, its controller.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::local_requests::LocalRequests;
use crate::api::events::EventRecord;
use crate::api::kinds::Key;
use crate::api::meta::{name, uid};
use crate::api::{Event, Node, Pod, quantity};
use crate::apiserver::{Creator, Reader, Source as _, WatchCache};
use crate::kubelet::{
    LogOptions, LogReader, NoVisit, Runs, Usage, Visit, VisitRequest, container_pids, usage_of_pods,
};
use crate::manager::{
    self, Companion, Config, DEFAULT_PATH, Follower, MADE_OF, clock, creator_umask, session_environment,
    show_default_namespace, show_endpoints, show_node,
};
use crate::printers::metrics::Metrics;
use crate::store::{PodDirectory, ReaderOfRecord, State, Store, Table, is_read_for_record};

/// Over which time use is measured.
pub const USAGE_WINDOW: Duration = Duration::from_millis(500);

/// This machine's objects.
#[derive(Clone, Debug)]
pub struct Local {
    config: Config,
    store: Store,
}

impl Local {
    /// For what reads or changes objects. Where there is no store yet, none is made.
    ///
    /// # Errors
    /// A bad configuration; a directory that is not a store.
    pub fn open(data_directory: Option<&Path>) -> Result<Self> {
        Self::with(data_directory, Store::open_existing)
    }

    /// For what creates objects: makes the store where there is none.
    ///
    /// # Errors
    /// As [`Local::open`].
    pub fn open_to_create(data_directory: Option<&Path>) -> Result<Self> {
        Self::with(data_directory, Store::open)
    }

    fn with(data_directory: Option<&Path>, open: impl Fn(&Path) -> Result<Store>) -> Result<Self> {
        let config = Config::load(data_directory)?;
        let store = open(&config.data_directory)?;
        Ok(Self { config, store })
    }

    /// The configuration of this machine.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Where this machine's objects are, for verbs that look after the store itself.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads tables as of one revision.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn read(&self, tables: &[Table]) -> Result<Reader> {
        self.reader(self.store.read(&with_parts(tables))?.0, tables)
    }

    /// As [`Local::read`], but most pods have only what lists show of them.
    ///
    /// # Errors
    /// As [`Local::read`].
    pub fn read_listing(&self, tables: &[Table]) -> Result<Reader> {
        if has_derived(tables) {
            return self.read(tables);
        }
        self.reader(self.store.read_listing(tables)?.0, tables)
    }

    /// Reads tables, and follows what is committed to them from there on.
    ///
    /// # Errors
    /// As [`Local::read`].
    pub fn watch(&self, tables: &[Table]) -> Result<(Reader, Follower)> {
        let (state, follower) = Follower::start(&self.config, &self.store, tables)?;
        Ok((self.reader(state, tables)?, follower))
    }

    /// The Events about an object, by name and so by time. They are read in a stream: of tens of thousands a few are wanted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn events_about(&self, uid: &str) -> Result<Vec<Event>> {
        let mut records: BTreeMap<Key, EventRecord> = BTreeMap::new();
        self.store.stream(&[Table::EVENTS], |change| {
            let key = || Key::new(change.namespace, change.name);
            match change.object {
                None if !records.is_empty() => drop(records.remove(&key())),
                Some(text) if text.contains(uid) => {
                    let record: EventRecord = serde_json::from_str(text).context("read an Event")?;
                    if record.about.uid == uid {
                        records.insert(key(), record);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        let events = records.values().map(|record| serde_json::from_value(record.to_event()));
        events.collect::<serde_json::Result<_>>().context("read an Event")
    }

    /// The node is shown as it is now, whatever was stored of it, and one namespace is always there.
    fn reader(&self, mut state: State, tables: &[Table]) -> Result<Reader> {
        if tables.contains(&Table::NODES) {
            show_node(&self.config, &mut state)?;
        }
        if tables.contains(&Table::NAMESPACES) {
            show_default_namespace(&mut state)?;
        }
        if has_derived(tables) {
            show_endpoints(&self.config, &mut state)?;
        }
        Ok(Reader::new(state, clock()))
    }

    /// Begins requests that are committed together: all of them, or none. `tables` are those that will be wanted.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn begin(&self, tables: &[Table]) -> Result<LocalRequests<'_>> {
        Ok(LocalRequests::new(self, manager::begin(&self.config, &self.store, tables)?))
    }

    /// As [`Local::begin`], with all objects in memory.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn begin_with(&self, cache: &Mutex<WatchCache>) -> Result<LocalRequests<'_>> {
        let read = || {
            let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.read_on()?;
            Ok((cache.state().clone(), cache.tail().duplicate()?))
        };
        Ok(LocalRequests::new(self, manager::begin_after(&self.config, &self.store, read)?))
    }

    /// All objects of a state that was read before, as [`Local::read`] shows them: the node as it is now, the namespace that
    /// is always there, and what is made of Services and pods.
    ///
    /// # Errors
    /// Damaged objects.
    pub fn show(&self, state: State, table: Table) -> Result<Reader> {
        self.reader(state, &[table])
    }

    /// What a container of a pod has written, as far as it is kept. `prefix` is put before each line.
    pub fn log(
        &self,
        pod: &Pod,
        container: &str,
        runs: Runs,
        options: LogOptions,
        prefix: String,
    ) -> LogReader {
        let directory = self.pod_directory(uid(&pod.metadata));
        LogReader::new(directory, name(&pod.metadata), container, runs, options, prefix)
    }

    /// What the containers of each pod use, by name; nothing where a pod runs no process. Looks twice, [`USAGE_WINDOW`] apart.
    pub fn usage_of_pods(&self, pods: &[Pod]) -> Vec<Option<BTreeMap<String, Usage>>> {
        let places = pods.iter().map(|pod| {
            let spec = pod.spec.as_ref();
            let containers = spec.into_iter().flat_map(|spec| {
                spec.containers
                    .iter()
                    .chain(spec.init_containers.iter().flatten())
                    .map(|one| one.name.clone())
            });
            (self.pod_directory(uid(&pod.metadata)), containers.collect())
        });
        usage_of_pods(&places.collect::<Vec<_>>(), USAGE_WINDOW)
    }

    /// Asks the supervisor of a pod for something. The inner error is a refusal.
    ///
    /// # Errors
    /// A supervisor that does not answer.
    pub fn visit(
        &self,
        pod: &Pod,
        request: &VisitRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Result<Visit, NoVisit>> {
        let pod_uid = uid(&pod.metadata);
        Visit::begin(&self.pod_directory(pod_uid), pod_uid, request, descriptors)
    }

    /// The processes of a pod's running containers, by the containers' names.
    pub fn container_pids(&self, pod: &Pod) -> BTreeMap<String, i32> {
        let mut pids = container_pids(&self.pod_directory(uid(&pod.metadata)), pod);
        let status = pod.status.clone().unwrap_or_default();
        let statuses = [status.init_container_statuses, status.container_statuses];
        let all: Vec<_> = statuses.into_iter().flatten().flatten().collect();
        pids.retain(|container, _| {
            let status = all.iter().find(|one| one.name == *container);
            status.and_then(|one| one.state.as_ref()).is_some_and(|state| state.running.is_some())
        });
        pids
    }

    /// What there is in numbers, as a page for Prometheus.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn metrics(&self) -> Result<String> {
        metrics_of(&self.read(&[Table::JOBS, Table::CRON_JOBS, Table::PODS, Table::NODES])?)
    }

    /// What is left of a pod on this machine.
    pub fn pod_directory(&self, pod_uid: &str) -> PodDirectory {
        PodDirectory::new(self.store.pod_path(pod_uid))
    }

    /// To say that somebody reads all that some Jobs write.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn reader_of_record(&self) -> Result<ReaderOfRecord> {
        ReaderOfRecord::new(&self.store)
    }

    /// Whether somebody reads all that a Job writes.
    pub fn is_read_for_record(&self, job_uid: &str) -> bool {
        is_read_for_record(self.store.root(), job_uid)
    }

    /// Registers this machine as the node, unless it is.
    ///
    /// # Errors
    /// A store that cannot be read or written.
    pub fn register_node(&self) -> Result<()> {
        manager::register_node(&self.config, &self.store)
    }

    /// From now on tells by `say` what is decided, by whomever, as far as the level asks for it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn start_trace(&self, level: i32, say: fn(&str)) -> Result<()> {
        manager::start_trace(&self.config, &self.store, level, say)
    }

    /// Brings the controller back where there is work and none runs. `tables` says where to look for it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn revive_controller(&self, tables: &[Table]) -> Result<()> {
        manager::revive_controller(&self.config, &self.store, tables).map(|_| ())
    }

    /// Sees to it that there is a controller as long as the value lives.
    ///
    /// # Errors
    /// A process that cannot be started.
    pub fn keep_controller(&self) -> Result<Companion> {
        Companion::start(&self.config, &self.store)
    }

    /// Makes what has been heard of survive a power cut, before anybody is told.
    ///
    /// # Errors
    /// The disk says no.
    pub fn sync(&self) -> Result<()> {
        self.store.sync()
    }

    /// This process, as whoever creates objects. `pass_env` names the variables of its environment that their pods are to
    /// have.
    ///
    /// # Errors
    /// No current directory; a variable that does not exist.
    pub fn creator(&self, pass_env: &[String]) -> Result<Creator> {
        let directory = std::env::current_dir().context("find the current directory")?;
        let mut creator = Creator {
            working_directory: directory.to_string_lossy().into_owned(),
            path: std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.into()),
            umask: creator_umask(),
            session: session_environment(),
            ..Creator::default()
        };
        for variable in pass_env {
            let Ok(value) = std::env::var(variable) else {
                bail!("--pass-env: there is no variable {variable}")
            };
            creator.passed.insert(variable.clone(), value);
        }
        Ok(creator)
    }
}

/// Whether any of the tables is of a kind that is made of others.
fn has_derived(tables: &[Table]) -> bool {
    tables.iter().any(|table| matches!(table, Table::Kind(kind) if kind.is_derived()))
}

/// These tables, and those that objects of theirs are made of.
fn with_parts(tables: &[Table]) -> Vec<Table> {
    let mut all = tables.to_vec();
    if has_derived(tables) {
        all.extend(MADE_OF);
        all.sort_unstable();
        all.dedup();
    }
    all
}

/// The page for Prometheus, of these objects.
///
/// # Errors
/// Damaged objects.
pub fn metrics_of(reader: &Reader) -> Result<String> {
    let mut metrics = Metrics::default();
    for (table, add) in [
        (Table::JOBS, Metrics::add_job as fn(&mut Metrics, &str) -> serde_json::Result<()>),
        (Table::PODS, Metrics::add_pod),
        (Table::CRON_JOBS, Metrics::add_cron_job),
    ] {
        for (key, entry) in reader.entries(table)? {
            add(&mut metrics, entry.text()).with_context(|| format!("read {} {key}", table.as_str()))?;
        }
    }
    for (_, entry) in reader.entries(Table::NODES)? {
        let node: Node = entry.parse()?;
        let status = node.status.unwrap_or_default();
        let allocatable = status.allocatable.unwrap_or_default();
        for (resource, capacity) in status.capacity.unwrap_or_default() {
            let amount = |amount: &Quantity| quantity::nanos(&amount.0).unwrap_or_default() as f64 / 1e9;
            let for_pods = allocatable.get(&resource).map(amount).unwrap_or_default();
            metrics.add_node(&resource, amount(&capacity), for_pods);
        }
    }
    Ok(metrics.to_string())
}
