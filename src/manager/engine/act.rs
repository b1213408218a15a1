//! After the commit: start, stop, and clear away.

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};

use super::super::clock;
use super::intake::kill_left;
use super::{Engine, LOOK_AGAIN, Round, SOON};
use crate::api::kinds::{Key, Kind};
use crate::kubelet::{Supervisor, continue_if_stopped, kill_supervisor, request_stop, supervisor_of};
use crate::store::{PodDirectory, crash_point, is_anything_read_for_record};

/// How long after its pod's deadline a supervisor that does not follow is killed.
const LATE: Duration = Duration::seconds(15);
/// How long after a request to stop it is repeated.
const AGAIN: Duration = Duration::seconds(3);

impl Engine {
    /// After the commit: start, stop, and clear away. If we die here, the next pass finds the same things to do.
    pub(super) fn act(&mut self, round: &mut Round, now: DateTime<Utc>) -> Result<()> {
        crash_point("before-act");
        self.refresh_names(now);
        for prepared in &mut round.launches {
            if prepared.needs_directory() && !self.prepare(prepared, now) {
                continue;
            }
            let prepared_directory = prepared.needs_directory();
            let run = &mut prepared.run;
            // A pod with volumes has a directory by now.
            run.spare = if prepared_directory { None } else { self.spares.take() };
            if !self.launcher.launch(run)? {
                run.spare.iter().for_each(|spare| self.spares.give_back(spare));
                self.supervised.remove(run.uid.as_str());
                self.pod_timers.set(&Key::new(&run.namespace, &run.name), Some(now + SOON));
            }
        }
        for (key, pod_uid, deadline, grace) in std::mem::take(&mut round.stops) {
            let directory = PodDirectory::new(self.store.pod_path(&pod_uid));
            let late = now - deadline;
            match supervisor_of(&directory)? {
                // It does not follow, for it is stopped again and again, or hangs.
                Supervisor::Alive(Some(process)) if late > LATE => {
                    kill_supervisor(&process);
                    self.suspects.insert(pod_uid.to_string());
                    self.pod_timers.set(&key, Some(now + SOON));
                }
                Supervisor::Alive(Some(process)) => {
                    if continue_if_stopped(&directory, &process)? && late > AGAIN {
                        kill_supervisor(&process);
                    }
                    let again = Some(
                        now + if request_stop(&process, &pod_uid, grace).is_ok() { AGAIN } else { SOON },
                    );
                    if let Some(supervision) = self.supervised.get_mut(&pod_uid) {
                        supervision.told = Some(deadline);
                        supervision.tell_again = again;
                    }
                    self.pod_timers.set(&key, again);
                }
                // Out of our reach, but alive.
                Supervisor::Alive(None) => self.pod_timers.set(&key, Some(now + LOOK_AGAIN)),
                // Just asked for, or just about to report its end.
                Supervisor::Gone => {
                    // Claimed, and the lock is free: the next pass reads its last report, or finds it lost.
                    if directory.is_claimed() {
                        self.suspects.insert(pod_uid.to_string());
                    }
                    self.pod_timers.set(&key, Some(now + SOON));
                }
            }
        }
        self.start_hooks(round);
        self.refresh_volumes(round);
        // The files of volumes go with the pod's end, its logs with the pod.
        self.clear_volumes(round);
        for path in &round.taken {
            self.inbox.put_away(path, &self.store.pods_path());
        }
        crash_point("reports-removed");
        if !round.directories.is_empty() {
            let keep = is_anything_read_for_record(self.store.root());
            for uid in &round.directories {
                self.clear_away(uid, keep);
            }
        }
        Ok(())
    }

    /// Starts what is to be run for Jobs that have ended. Where that cannot be, the next controller does it.
    fn start_hooks(&mut self, round: &mut Round) {
        let left = if self.has_looked_for_hooks {
            Vec::new()
        } else {
            self.world.due_hooks().map(|job| (Kind::Job, job.clone())).collect()
        };
        self.has_looked_for_hooks = true;
        round.hooks.extend(left);
        for (kind, object) in std::mem::take(&mut round.hooks) {
            self.hooks.start(self.store.root(), kind, &object);
        }
    }

    /// Sees whether pods that are gone still run, and have what they leased.
    pub(super) fn see_departed(&mut self) {
        let departing: Vec<String> = self.world.departing().map(str::to_owned).collect();
        if !departing.is_empty() {
            let keep = is_anything_read_for_record(self.store.root());
            departing.iter().for_each(|uid| self.clear_away(uid, keep));
        }
    }

    /// Removes what a pod leaves behind that is not stored any more. One replaced by another of the same name may
    /// still run. `keep`: somebody may not have read its logs, and removes the directory then.
    pub(super) fn clear_away(&mut self, pod_uid: &str, keep: bool) {
        let directory = PodDirectory::new(self.store.pod_path(pod_uid));
        let is_departing = self.world.departing().any(|departing| departing == pod_uid);
        match supervisor_of(&directory) {
            Ok(Supervisor::Alive(process)) => {
                if let Some(process) = process {
                    let _ = continue_if_stopped(&directory, &process);
                    let _ = request_stop(&process, pod_uid, 0);
                }
                if is_departing {
                    // What it has leased is free when its lock is.
                    self.pod_timers.set(&Key::new("", pod_uid), Some(clock() + SOON));
                    return;
                }
            }
            Ok(Supervisor::Gone) if is_departing => {
                kill_left(pod_uid, &directory);
                self.world.departed(pod_uid);
                self.pod_timers.set(&Key::new("", pod_uid), Some(clock()));
            }
            _ => {}
        }
        if !keep && !self.spares.keep(&directory) {
            directory.remove();
        }
    }
}
