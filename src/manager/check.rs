//! How things stand between store, controller, supervisors and processes. Nothing is changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::world::fill;
use super::{Config, clock, clock_reading};
use crate::api::Pod;
use crate::api::conditions::is_pod_finished;
use crate::api::meta::uid;
use crate::controller::{Action, World, reconcile, reconcile_cron_jobs, reconcile_stateful_sets};
use crate::kubelet::{PodProcess, pod_processes};
use crate::store::{Inbox, InboxContents, PodDirectory, RecordsCheck, State, Store, Table, holder_of};

/// What is just being done looks wrong for a moment; what looks wrong longer is. A controller that has to start again takes
/// a second for it.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(10);

/// What was found.
#[derive(Debug)]
pub struct ControllerCheck {
    /// Every record of the store.
    pub examination: RecordsCheck,
    /// The pid of the running controller.
    pub controller: Option<i32>,
    /// Whether there is anything for a controller to do or to wait for.
    pub has_work: bool,
    /// The reports that wait.
    pub inbox: InboxContents,
    /// Pods, their directories and processes.
    pub pods: Pods,
}

/// How pods, their directories and their processes fit together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pods {
    /// How many are stored.
    pub stored: usize,
    /// How many have a living supervisor.
    pub supervised: usize,
    /// Pods, as `namespace/name`, whose supervisor is gone without a last report.
    pub lost: Vec<String>,
    /// Uids of directories that belong to no pod, and the supervisors that live in them.
    pub leftovers: BTreeMap<String, Option<i32>>,
    /// Processes of pods of this store without a supervisor: those of lost pods, and those that escaped.
    pub strays: Vec<PodProcess>,
}

/// A pod as the store has it.
#[derive(Clone, Debug)]
struct StoredPod {
    name: String,
    uid: String,
    /// Whether nothing of it should run any more.
    is_over: bool,
}

/// A pod's directory.
#[derive(Clone, Debug)]
struct FoundDirectory {
    uid: String,
    is_claimed: bool,
    supervisor: Option<i32>,
}

impl ControllerCheck {
    /// Whether nothing looks as if somebody were about to put it right. On a damaged store nobody is.
    fn is_settled(&self, background: bool) -> bool {
        if !self.examination.is_sound() {
            return true;
        }
        let is_forsaken = background && self.has_work && self.controller.is_none();
        self.pods.lost.is_empty() && self.pods.strays.is_empty() && !is_forsaken
    }
}

/// Looks at everything, for three seconds at most until what is under way has been done.
///
/// # Errors
/// A store of which no snapshot can be read, or locks that cannot be looked at.
pub fn check_controller(config: &Config, store: &Store) -> Result<ControllerCheck> {
    let started = Instant::now();
    loop {
        let found = look(config, store)?;
        if found.is_settled(config.background) || started.elapsed() > PATIENCE {
            return Ok(found);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Locks are looked at first, then reports, then the store: a supervisor reports before it lets go, and a report leaves the
/// inbox when it has been committed.
fn look(config: &Config, store: &Store) -> Result<ControllerCheck> {
    let processes = pod_processes();
    let directories = found_directories(store)?;
    let controller = holder_of(&store.controller_lock_path())?;
    let inbox = Inbox::new(store.inbox_path()).look()?;
    let examination = store.examine()?;
    let state = examination.state()?;
    let last_reports: HashSet<&str> =
        inbox.reports.iter().filter(|report| report.last).map(|report| report.uid.as_str()).collect();
    let pods = compare(&stored_pods(&state)?, &directories, &last_reports, processes);
    let has_work = has_work(config, &state, clock())? || !inbox.reports.is_empty();
    Ok(ControllerCheck { controller, has_work, inbox, pods, examination })
}

fn found_directories(store: &Store) -> Result<Vec<FoundDirectory>> {
    let mut found = Vec::new();
    for (uid, path) in store.pod_directories()? {
        let directory = PodDirectory::new(path);
        let supervisor = holder_of(&directory.lock_path())?;
        found.push(FoundDirectory { uid, is_claimed: directory.is_claimed(), supervisor });
    }
    Ok(found)
}

fn stored_pods(state: &State) -> Result<Vec<StoredPod>> {
    let mut pods = Vec::new();
    for (table, removed) in [(Table::PODS, false), (Table::RemovedPods, true)] {
        for (key, object) in state.objects(table) {
            let pod: Pod = object.parse()?;
            let is_over = removed || is_pod_finished(&pod);
            pods.push(StoredPod { name: key.to_string(), uid: uid(&pod.metadata).to_owned(), is_over });
        }
    }
    Ok(pods)
}

/// Holds the store's pods against what lies and runs on the machine.
fn compare(
    stored: &[StoredPod],
    directories: &[FoundDirectory],
    last_reports: &HashSet<&str>,
    processes: Vec<PodProcess>,
) -> Pods {
    let by_uid: HashMap<&str, &StoredPod> = stored.iter().map(|pod| (pod.uid.as_str(), pod)).collect();
    let mut pods = Pods { stored: stored.len(), ..Pods::default() };
    let mut supervised = HashSet::new();
    let mut ours: HashSet<&str> = by_uid.keys().copied().collect();
    for directory in directories {
        let uid = directory.uid.as_str();
        ours.insert(uid);
        if directory.supervisor.is_some() {
            supervised.insert(uid);
        }
        match by_uid.get(uid) {
            None => {
                pods.leftovers.insert(uid.to_owned(), directory.supervisor);
            }
            Some(pod) => {
                let is_left = directory.is_claimed && directory.supervisor.is_none();
                if is_left && !pod.is_over && !last_reports.contains(uid) {
                    pods.lost.push(pod.name.clone());
                }
            }
        }
    }
    pods.supervised = supervised.len();
    pods.lost.sort_unstable();
    let is_stray = |process: &PodProcess| {
        let uid = process.pod_uid.as_str();
        ours.contains(uid) && !supervised.contains(uid)
    };
    pods.strays = processes.into_iter().filter(is_stray).collect();
    pods
}

/// Whether a controller would do anything, or wait for a time or a pod. What it would only say again does not count.
fn has_work(config: &Config, state: &State, now: DateTime<Utc>) -> Result<bool> {
    let mut world = World::new(config.settings.clone());
    world.clock = clock_reading(now);
    fill(&mut world, state)?;
    if world.live_pods().next().is_some() {
        return Ok(true);
    }
    world.mark_all_dirty();
    let jobs = world.take_dirty();
    let cron_jobs = world.cron_jobs.take_dirty();
    // The seed names new pods, of which none is made here.
    let sets = world.stateful_sets.take_dirty();
    let plans = [
        reconcile(&world, &jobs, now, 0),
        reconcile_cron_jobs(&world, &cron_jobs, now, 0),
        reconcile_stateful_sets(&world, &sets, now, 0),
    ];
    let does = |action: &Action| !matches!(action, Action::RecordEvent(_) | Action::RecordOnce(_));
    Ok(plans.iter().any(|plan| plan.actions.iter().any(does) || plan.wakes.values().any(Option::is_some)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(name: &str, is_over: bool) -> StoredPod {
        StoredPod { name: format!("default/{name}"), uid: format!("uid-{name}"), is_over }
    }

    fn directory(name: &str, supervisor: Option<i32>) -> FoundDirectory {
        FoundDirectory { uid: format!("uid-{name}"), is_claimed: true, supervisor }
    }

    fn process(pid: i32, name: &str) -> PodProcess {
        PodProcess { pid, pod_uid: format!("uid-{name}") }
    }

    #[test]
    fn pods_are_held_against_what_lies_and_runs() {
        let pods =
            [stored("runs", false), stored("over", true), stored("lost", false), stored("waits", false)];
        let mut unclaimed = directory("waits", None);
        unclaimed.is_claimed = false;
        let directories =
            [directory("runs", Some(7)), directory("over", None), directory("lost", None), unclaimed];
        let processes = vec![process(8, "runs"), process(9, "lost"), process(10, "of-another-store")];
        let found = compare(&pods, &directories, &HashSet::new(), processes.clone());
        let expected = Pods {
            stored: 4,
            supervised: 1,
            lost: vec!["default/lost".into()],
            leftovers: BTreeMap::new(),
            strays: vec![process(9, "lost")],
        };
        assert_eq!(found, expected);
        let reported = compare(&pods, &directories, &HashSet::from(["uid-lost"]), processes);
        assert_eq!(reported.lost, Vec::<String>::new(), "its last report waits");
    }

    #[test]
    fn a_directory_without_a_pod_is_a_leftover_and_its_processes_are_strays_once_the_supervisor_is_gone() {
        let both = [directory("gone", None), directory("alive", Some(5))];
        let found = compare(&[], &both, &HashSet::new(), vec![process(1, "gone"), process(2, "alive")]);
        let leftovers = BTreeMap::from([("uid-gone".into(), None), ("uid-alive".into(), Some(5))]);
        assert_eq!((found.leftovers, found.strays), (leftovers, vec![process(1, "gone")]));
    }

    #[test]
    fn a_process_that_escaped_from_a_pod_that_is_over_is_a_stray() {
        let found = compare(&[stored("over", true)], &[], &HashSet::new(), vec![process(3, "over")]);
        assert_eq!(found.strays, [process(3, "over")]);
    }
}
