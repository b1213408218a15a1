//! Holding containers to their limits: by control groups where some can be made, by looking at them otherwise.

use chrono::{DateTime, Duration, Utc};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use super::super::actions::{CONTAINER_VARIABLE, LimitsRun, until_next_look};
use super::super::cgroup::{Controller, PodGroups};
use super::super::processes::{kill_tree, memory_of, orphans};
use super::super::spawn::Confinement;
use super::super::start::StartFailure;
use super::Supervisor;

/// How far a container gives way that may have a part of a processor only, where no control group divides one.
const GIVING_WAY: i32 = 10;

impl Supervisor<'_> {
    /// What is to hold a container to its limits, and the pod's. Where neither has some, there is nothing to do.
    ///
    /// # Errors
    /// There are control groups here, and the container can have none.
    pub(super) fn confine(&mut self, index: usize) -> Result<Confinement, StartFailure> {
        let container = &self.run.containers[index];
        if container.limits.is_none() && self.run.limits.is_none() {
            return Ok(Confinement::default());
        }
        let (limits, of_pod) = (container.limits.unwrap_or_default(), self.run.limits.unwrap_or_default());
        let lock = self.lock;
        let groups = self.groups.get_or_insert_with(|| {
            PodGroups::make(&self.run.uid, of_pod, |group| lock.add_line(&PodGroups::line(group)))
        });
        let mut confinement = Confinement {
            groups: groups.add(&container.name, limits).map_err(|error| {
                StartFailure::start_error(&format!("make the control group of its limits: {error}"))
            })?,
            ..Confinement::default()
        };
        let least = [limits, of_pod].into_iter().filter(|limits| limits.milli_cpus.is_some());
        if let Some(limits) = least.min_by_key(|limits| limits.milli_cpus)
            && !groups.has(Controller::Cpu)
        {
            confinement.cpus = some_processors(&self.run.uid, limits);
            if limits.milli_cpus.is_some_and(|milli| milli % 1000 != 0) {
                confinement.niceness = GIVING_WAY;
                let (milli, cpus) = (limits.milli_cpus.unwrap_or(0), limits.cpus().unwrap_or(1));
                let message = format!(
                    "The limit of {milli}m CPU is not enforced: no control group can be made here. The container runs on \
                     {cpus} CPU and gives way to others"
                );
                self.tell(index, "Warning", "LimitNotEnforced", message);
            }
        }
        Ok(confinement)
    }

    /// A container has just been started.
    pub(super) fn begin_to_watch(&mut self, index: usize, now: DateTime<Utc>) {
        let has_groups = self.groups.as_ref().is_some_and(|groups| groups.has(Controller::Memory));
        let memory = |limits: Option<LimitsRun>| limits.and_then(|limits| limits.memory);
        let process = &mut self.containers[index];
        process.watched_memory = memory(self.run.containers[index].limits).filter(|_| !has_groups);
        if process.watched_memory.is_some() || (memory(self.run.limits).is_some() && !has_groups) {
            self.memory_look = Some(now);
        }
    }

    /// Ends what held a container to its limits, and tells whether it was killed for its memory. No process of it is left.
    pub(super) fn end_confinement(&mut self, index: usize) -> bool {
        let name = &self.run.containers[index].name;
        let process = &mut self.containers[index];
        process.confinement = Confinement::default();
        process.watched_memory = None;
        let kills = self.groups.as_ref().map_or(0, |groups| {
            let kills = groups.out_of_memory_kills(name);
            groups.remove(name);
            kills
        });
        std::mem::take(&mut process.is_out_of_memory) || kills > 0
    }

    /// Kills a container that has more memory than it may, where it is time to look at that.
    pub(super) fn look_at_memory(&mut self, now: DateTime<Utc>) {
        if self.memory_look.is_none_or(|at| at > now) {
            return;
        }
        let used: Vec<u64> = (0..self.containers.len()).map(|index| self.memory_of(index)).collect();
        let of_pod = self.run.limits.and_then(|limits| limits.memory);
        let of_containers = self
            .containers
            .iter()
            .map(|process| process.watched_memory)
            .zip(used.iter().copied())
            .enumerate();
        let of_containers = of_containers.filter(|(index, _)| self.containers[*index].pid.is_some());
        let (mut over, mut next) = (Vec::new(), None::<std::time::Duration>);
        let mut look = |index: usize, used: u64, limit: u64| match until_next_look(used, limit) {
            Some(wait) => next = Some(next.map_or(wait, |next| next.min(wait))),
            None => over.push(index),
        };
        for (index, (limit, used)) in of_containers {
            if let Some(limit) = limit {
                look(index, used, limit);
            }
        }
        let largest = (0..used.len()).max_by_key(|index| used[*index]);
        if let (Some(limit), Some(largest)) = (of_pod, largest)
            && self.containers[largest].pid.is_some()
        {
            look(largest, used.iter().sum(), limit);
        }
        self.memory_look = next.and_then(|wait| Some(now + Duration::from_std(wait).ok()?));
        for index in over {
            self.containers[index].is_out_of_memory = true;
            self.processes_of(index).into_iter().for_each(|pid| {
                kill_tree(pid);
            });
        }
    }

    fn memory_of(&self, index: usize) -> u64 {
        memory_of(&self.processes_of(index))
    }

    /// The first process of a container that runs, and those that have lost their parents.
    fn processes_of(&self, index: usize) -> Vec<Pid> {
        let Some(pid) = self.containers[index].pid else { return Vec::new() };
        let known = self.containers.iter().filter_map(|process| process.pid);
        let known: Vec<Pid> = known.chain(self.asking.iter().map(|asking| asking.pid)).collect();
        let mut found = orphans(&format!("{CONTAINER_VARIABLE}={}", self.run.containers[index].name), &known);
        found.push(pid);
        found
    }
}

/// As many of this machine's processors as a limit covers, not the same ones for every pod; nothing where that is all of
/// them.
fn some_processors(pod_uid: &str, limits: LimitsRun) -> Option<CpuSet> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    let allowed: Vec<usize> =
        (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    let wanted = limits.cpus()?;
    if wanted >= allowed.len() {
        return None;
    }
    let first = pod_uid.bytes().map(usize::from).sum::<usize>() % allowed.len();
    let mut set = CpuSet::new();
    for place in first..first + wanted {
        set.set(allowed[place % allowed.len()]).ok()?;
    }
    Some(set)
}
