//! From the store to an engine: the state, the supervisors that live already, what a crash has left behind.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::super::adopted::Adopted;
use super::super::config::{default_environment, identity};
use super::super::node::allocatable;
use super::super::timers::Timers;
use super::super::world::{load, place};
use super::super::{Config, clock};
use super::names::Names;
use super::volumes::volume_directories;
use super::{Engine, LOOK_AGAIN, Supervision};
use crate::api::conditions::is_pod_finished;
use crate::api::kinds::Key;
use crate::api::meta::{key, uid};
use crate::api::{ContainerStatus, Pod};
use crate::apiserver::Recorder;
use crate::controller::World;
use crate::controller::scheduler::is_bound;
use crate::kubelet::{HookProcesses, Launcher, Supervisor, supervisor_of};
use crate::store::{Inbox, PodDirectory, Spares, Store, Table, is_anything_read_for_record};

impl Engine {
    /// Reads the store. The launcher must have been started before: forks are cheap only from a small process.
    ///
    /// # Errors
    /// A store that cannot be read, or is damaged.
    pub fn load(config: &Config, store: &Store, launcher: Launcher) -> Result<Self> {
        let mut world = World::new(config.settings.clone());
        let allocatable = allocatable(config);
        world.set_allocatable(&allocatable);
        // Before the store is read: what is found now and not known then is nothing that somebody has stored meanwhile.
        let (pods, volumes) = (store.pod_directories().unwrap_or_default(), volume_directories(store));
        let (tail, loaded) = load(store, &mut world)?;
        let before_boot = store.revision_before_boot(tail.revision());
        let mut engine = Self {
            store: store.clone(),
            inbox: Inbox::new(store.inbox_path()),
            tail: Some(tail),
            world,
            recorder: Recorder::default(),
            job_timers: Timers::new(),
            pod_timers: Timers::new(),
            cron_timers: Timers::new(),
            set_timers: Timers::new(),
            supervised: HashMap::new(),
            adopted: Adopted::new()?,
            launcher,
            environment: default_environment(),
            allocatable,
            environments: loaded.environments,
            me: identity(),
            config: loaded.config,
            has_lost_owners: true,
            hooks: HookProcesses::default(),
            has_looked_for_hooks: false,
            background: config.background,
            emptied_namespaces: BTreeSet::new(),
            names: Names::default(),
            unprepared: HashMap::new(),
            spares: Spares::load(store),
            suspects: BTreeSet::new(),
            leftovers: loaded.leftovers,
            compact_after: None,
        };
        let is_older = |key: &Key| loaded.revisions.get(key).is_some_and(|revision| *revision <= before_boot);
        engine.claim_for_the_dead(is_older)?;
        engine.adopt_supervisors()?;
        engine.adopt_addresses();
        if !engine.supervised.is_empty() {
            engine.remember_events()?;
        }
        engine.sweep_pod_directories(&pods);
        engine.sweep_claims(&volumes);
        engine.world.mark_all_dirty();
        Ok(engine)
    }

    /// Repeats are merged with Events that an earlier controller has recorded; only those of pods that were running
    /// already can have repeats.
    pub(super) fn remember_events(&mut self) -> Result<()> {
        let live: HashSet<&str> =
            self.world.live_pods().map(|pod| crate::api::meta::name(&pod.metadata)).collect();
        let recorder = &mut self.recorder;
        self.store.stream(&[Table::EVENTS], |change| {
            let about = change.name.rsplit_once('.').map_or("", |(name, _)| name);
            if let Some(text) = change.object.filter(|_| live.contains(about)) {
                recorder.remember(&serde_json::from_str(text).with_context(|| place(&change))?);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Pods that were stored before this machine started may have been started before it stopped, though their claims did
    /// not reach the disk. Claimed now, they are found to be without a supervisor, and are not run a second time unnoticed.
    pub(super) fn claim_for_the_dead(&self, is_older: impl Fn(&Key) -> bool) -> Result<()> {
        for pod in self.world.live_pods() {
            if is_older(&key(&pod.metadata))
                && is_bound(pod)
                && !is_pod_finished(pod)
                && !is_known_to_wait(pod)
            {
                drop(PodDirectory::new(self.store.pod_path(uid(&pod.metadata))).claim(None)?);
            }
        }
        Ok(())
    }

    /// Pods that were started before us: by a controller that is gone, or by a verb.
    pub(super) fn adopt_supervisors(&mut self) -> Result<()> {
        let pods: Vec<(String, Key)> =
            self.world.live_pods().map(|pod| (uid(&pod.metadata).to_owned(), key(&pod.metadata))).collect();
        for (uid, key) in pods {
            let directory = PodDirectory::new(self.store.pod_path(&uid));
            if !directory.is_claimed() {
                continue;
            }
            match supervisor_of(&directory)? {
                Supervisor::Alive(process) => self.adopt(&uid, &key, process),
                Supervisor::Gone => {
                    self.supervised.insert(uid.as_str().into(), Supervision::default());
                    self.suspects.insert(uid);
                }
            }
        }
        Ok(())
    }

    /// Takes over a living supervisor that is no child of our kubelet process.
    pub(super) fn adopt(&mut self, uid: &str, key: &Key, process: Option<OwnedFd>) {
        self.supervised.insert(uid.into(), Supervision::default());
        if !self.adopted.add(uid, process) {
            self.pod_timers.set(key, Some(clock() + LOOK_AGAIN));
        }
    }

    /// Directories that a crash between a commit and the removal left behind.
    pub(super) fn sweep_pod_directories(&mut self, found: &[(String, PathBuf)]) {
        let known = self.world.known_uids();
        let keep = is_anything_read_for_record(self.store.root());
        for (uid, path) in found.iter().filter(|(uid, _)| !known.contains(uid.as_str())) {
            let directory = PodDirectory::new(path.clone());
            if matches!(supervisor_of(&directory), Ok(Supervisor::Alive(_))) {
                self.world.depart_unknown(uid);
            }
            self.clear_away(uid, keep);
        }
    }
}

/// Whether the last word on a pod is that it could not be started yet.
fn is_known_to_wait(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let containers = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let waits = |container: &ContainerStatus| {
        let state = container.state.as_ref();
        state.is_some_and(|state| state.waiting.is_some()) && container.restart_count == 0
    };
    let inits = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
    !containers.is_empty() && containers.iter().chain(inits).all(waits)
}
