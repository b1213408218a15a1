//! What becomes of volumes: prepared before a pod starts, kept as their ConfigMaps and Secrets are, cleared away.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::super::seed;
use super::names::hosts_of_machine;
use super::{Engine, Round, SOON};
use crate::api::containers::containers;
use crate::api::kinds::{Key, Kind};
use crate::api::meta::{key, name, uid};
use crate::api::{PersistentVolumeClaim, Pod};
use crate::controller::ephemeral::{ephemeral_claims, missing_claims};
use crate::controller::pods::new_uid;
use crate::controller::scheduler::claims_of;
use crate::kubelet::actions::{
    NfsMount, Prepared, Referenced, Sources, claim_directory, claim_of_directory, current_files, nfs_mounts,
};
use crate::kubelet::{prepare_volumes, write_files};
use crate::registry::strategy::Strategy as _;
use crate::registry::strategy::persistent_volume_claim::bind;
use crate::store::{PodDirectory, Store, Table, remove_tree};

impl Engine {
    /// Prepares the volumes of a pod. False where that fails: the next pass says why.
    pub(super) fn prepare(&mut self, prepared: &Prepared, now: DateTime<Utc>) -> bool {
        let run = &prepared.run;
        let directory = PodDirectory::new(self.store.pod_path(&run.uid));
        // What was removed with everything else is not made anew.
        let done = if self.store.is_laid_out() {
            prepare_volumes(prepared, self.store.root(), &directory)
                .and_then(|()| self.prepare_hosts(prepared))
        } else {
            Err("the data directory is gone".into())
        };
        let Err(why) = done else { return true };
        self.supervised.remove(run.uid.as_str());
        self.unprepared.insert(run.uid.as_str().into(), why);
        self.pod_timers.set(&Key::new(&run.namespace, &run.name), Some(now + SOON));
        false
    }

    fn prepare_hosts(&self, prepared: &Prepared) -> Result<(), String> {
        let run = &prepared.run;
        let pod = self.world.live_pod(&Key::new(&run.namespace, &run.name)).filter(|_| run.has_names);
        let Some(pod) = pod else { return Ok(()) };
        let written = self.write_hosts(pod, self.names.shared(&run.namespace), &hosts_of_machine());
        written.map_err(|error| format!("write the pod's hosts file: {error}"))
    }

    /// A ConfigMap or a Secret is another now: pods that wait for it may start, and the volumes of others change.
    pub(super) fn config_changed(&mut self, changed: &Key, round: &mut Round) {
        let mut waiting = Vec::new();
        for pod in self.world.live_pods_in(&changed.namespace) {
            if !self.supervised.contains_key(uid(&pod.metadata)) {
                waiting.push(key(&pod.metadata));
            } else if has_volumes(pod) {
                round.refresh.insert(key(&pod.metadata));
            }
        }
        waiting.into_iter().for_each(|key| self.world.enqueue_pod(key));
    }

    /// Writes what the volumes of running pods are to hold now. What cannot be written stays as it was.
    pub(super) fn refresh_volumes(&self, round: &mut Round) {
        for key in std::mem::take(&mut round.refresh) {
            let Some(pod) = self.world.live_pod(&key) else { continue };
            let directory = PodDirectory::new(self.store.pod_path(uid(&pod.metadata)));
            let (world, config, allocatable) = (&self.world, &self.config, &self.allocatable);
            let address = pod.status.as_ref().and_then(|status| status.pod_ip.as_deref()).unwrap_or_default();
            let referenced = Referenced { pod, address, config, allocatable };
            for (volume, payload) in current_files(&Sources { world, referenced, nfs: &[] }) {
                let path = volume.path(self.store.root(), directory.path());
                if path.is_dir() {
                    let _ = write_files(&path, &payload);
                }
            }
        }
    }

    /// Whether a pod may have files of its own beside its logs: volumes, or a working directory that was made for it.
    pub(super) fn may_have_files(&self, pod: &Pod) -> bool {
        let spec = pod.spec.as_ref();
        let mut containers = spec.into_iter().flat_map(containers);
        has_volumes(pod)
            || !self.world.settings.images.images.is_empty()
            || containers.any(|(_, container)| container.working_dir.is_some())
    }

    /// Removes the volumes of pods that have ended and of claims that are gone.
    pub(super) fn clear_volumes(&self, round: &mut Round) {
        for uid in std::mem::take(&mut round.ended) {
            let _ = remove_tree(&PodDirectory::new(self.store.pod_path(&uid)).volumes_path());
        }
        for name in std::mem::take(&mut round.claims) {
            let _ = remove_tree(&self.store.volumes_path().join(name));
        }
    }

    /// A claim is gone: its directory goes with it, unless a pod still has it.
    pub(super) fn claim_removed(&mut self, key: &Key, round: &mut Round) {
        let uid = self.world.remove_claim(key);
        if !self.is_in_use(key) {
            round.claims.extend(uid.map(|uid| claim_directory(key, &uid)));
        }
    }

    /// Removes the directories of claims that went while no controller ran, or while a pod still had them.
    pub(super) fn sweep_claims(&self, found: &[PathBuf]) {
        for path in found {
            let name = path.file_name().and_then(OsStr::to_str);
            let Some((claim, uid)) = name.and_then(claim_of_directory) else { continue };
            if self.world.claim_uid(&claim) != Some(uid) && !self.is_in_use(&claim) {
                let _ = remove_tree(path);
            }
        }
    }

    /// Whether a pod that has not ended has a claim.
    pub(super) fn is_in_use(&self, claim: &Key) -> bool {
        self.world.live_pods_in(&claim.namespace).any(|pod| {
            let is_named = || pod.spec.iter().flat_map(claims_of).any(|name| *name == *claim.name);
            is_named() || ephemeral_claims(pod).any(|(_, own)| own == *claim)
        })
    }

    /// Makes the claims that a pod brings with it: they are stored before it is started.
    pub(super) fn make_claims(&mut self, pod: &Pod, now: DateTime<Utc>, round: &mut Round) {
        for claim in missing_claims(&self.world, pod) {
            let claim_uid = new_uid(&mut fastrand::Rng::with_seed(seed()));
            self.create_claim(claim, &claim_uid, now, round);
        }
    }

    /// Makes a claim that a controller wants: it is bound at once.
    pub(super) fn create_claim(
        &mut self,
        mut claim: PersistentVolumeClaim,
        claim_uid: &str,
        now: DateTime<Utc>,
        round: &mut Round,
    ) {
        round.say(|| format!("persistentvolumeclaim/{} created", name(&claim.metadata)));
        claim.set_defaults();
        claim.prepare_for_create(claim_uid, now);
        bind(&mut claim);
        self.world.put_claim(claim.clone());
        round.writes.put(claim);
    }

    /// Claims that were made for a pod go with it.
    pub(super) fn collect_claims(&mut self, now: DateTime<Utc>, round: &mut Round) -> Result<()> {
        let claims = self.world.claims_without_pod().into_iter();
        let claims: Vec<_> = claims.map(|key| (Kind::PersistentVolumeClaim, key)).collect();
        let held = self.hold(&claims, now, round)?;
        for (_, key) in claims.into_iter().filter(|one| !held.contains(one)) {
            let uid = self.world.remove_claim(&key);
            round.claims.extend(uid.map(|uid| claim_directory(&key, &uid)));
            round.writes.delete(Table::CLAIMS, key);
        }
        Ok(())
    }

    /// What this machine has mounted from afar, where the pod asks for that.
    pub(super) fn nfs_for(pod: &Pod) -> Vec<NfsMount> {
        let mut volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
        if !volumes.any(|volume| volume.nfs.is_some()) {
            return Vec::new();
        }
        nfs_mounts(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default())
    }
}

fn has_volumes(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| spec.volumes.is_some())
}

/// The directories of claims.
pub(super) fn volume_directories(store: &Store) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(store.volumes_path()).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}
