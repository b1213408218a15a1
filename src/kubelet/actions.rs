//! What to start, restart and kill in a pod, and what that makes of its status: pure functions of the pod's
//! containers and the time (kubernetes-behaviour 4).

mod config;
mod environment;
mod items;
mod limits;
mod nfs;
mod probes;
mod report;
mod restart;
mod run;
mod status;
mod volumes;

pub use config::ConfigObjects;
pub use environment::Referenced;
pub use limits::{LimitsRun, until_next_look};
pub use nfs::{NfsMount, nfs_mounts};
pub use probes::{Finding, Handler, ProbeKind, ProbeRun, ProbeStates, ProbesRun};
pub use report::{container_event, failed_mount_event, killing_event, take_report};
pub use restart::{OwnRestarts, RestartRule};
pub use run::{
    Blocked, CONTAINER_VARIABLE, ContainerRun, CredentialsRun, DirectoryOf, Environment, FAILED_MOUNT,
    InputRun, NODE_NAME_VARIABLE, POD_UID_VARIABLE, PodRun, Prepared, Role, SandboxRun, pod_run,
};
pub use status::{Verdict, blocked_status, lost_status, pod_status};
pub use volumes::{
    FileContent, MountRun, Payload, Place, SizeLimit, Sources, Step, VolumeRun, claim_directory,
    claim_of_directory, current_files,
};

use chrono::{DateTime, Duration, Utc};

use restart::{Restart, restart_decision};

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terminated {
    /// The exit code, or 128 + the signal's number.
    pub exit_code: i32,
    /// `Completed`, `Error`, `StartError` …
    pub reason: String,
    /// What there is to say.
    pub message: Option<String>,
    /// When it started; `None` when it never did.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// What a container is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContainerPhase {
    /// Not started yet.
    Waiting,
    /// Its process runs.
    Running {
        /// Since when.
        started_at: DateTime<Utc>,
    },
    /// Its process has ended and may be started again, not before `restart_at` if that is set.
    Terminated {
        /// How it ended.
        how: Terminated,
    },
}

/// One container of a pod as its supervisor sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerState {
    /// What it is doing.
    pub phase: ContainerPhase,
    /// How its previous run ended.
    pub last: Option<Terminated>,
    /// How often it has been started again.
    pub restart_count: i32,
    /// Restarts since it last ran well for long enough; they set the next delay.
    pub recent_restarts: u32,
    /// Whether it has come up, as its startup probe has it.
    pub is_started: bool,
    /// Whether it is ready, as far as its probes and hooks go.
    pub is_ready: bool,
    /// Whether a probe or a hook has found that it is to be ended.
    pub is_unhealthy: bool,
}

impl ContainerState {
    /// A container that has not been started.
    pub fn new() -> Self {
        Self {
            phase: ContainerPhase::Waiting,
            last: None,
            restart_count: 0,
            recent_restarts: 0,
            is_started: false,
            is_ready: false,
            is_unhealthy: false,
        }
    }

    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        matches!(self.phase, ContainerPhase::Running { .. })
    }

    fn terminated(&self) -> Option<&Terminated> {
        match &self.phase {
            ContainerPhase::Terminated { how } => Some(how),
            _ => None,
        }
    }
}

impl Default for ContainerState {
    fn default() -> Self {
        Self::new()
    }
}

/// A container that has run this long starts over with its delays (upstream: twice the longest delay).
const GOOD_RUN: Duration = Duration::minutes(10);

/// What a supervisor is to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodActions {
    /// Containers to start, by index.
    pub start: Vec<usize>,
    /// Containers to stop, by index.
    pub stop: Vec<usize>,
    /// Sidecars that are to end after others, by index: their preStop hooks need not wait for that.
    pub stop_later: Vec<usize>,
    /// Nothing is left to do but to end what runs.
    pub is_ending: bool,
    /// When the next restart is due.
    pub next_wake: Option<DateTime<Utc>>,
    /// Nothing runs and nothing will: the pod has ended.
    pub finished: bool,
}

/// Decides what to start and stop. `containers` and `states` go together; init containers come first.
/// `stopping` is set once the pod is to end, by request or by its deadline; `until` once it is known how long what ends may take.
pub fn compute_pod_actions(
    run: &PodRun,
    states: &[ContainerState],
    stopping: bool,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> PodActions {
    let mut actions = actions_of_life(run, states, stopping, now);
    if actions.is_ending {
        take_turns(run, &mut actions, until, now);
    }
    let unhealthy =
        (0..states.len()).filter(|index| states[*index].is_running() && states[*index].is_unhealthy);
    let unhealthy: Vec<usize> = unhealthy.filter(|index| !actions.stop.contains(index)).collect();
    actions.stop.extend(unhealthy);
    actions
}

/// What restartPolicy, init containers and requests to stop come to, whatever probes say.
fn actions_of_life(
    run: &PodRun,
    states: &[ContainerState],
    stopping: bool,
    now: DateTime<Utc>,
) -> PodActions {
    if stopping {
        return end_all(states);
    }
    let mut actions = PodActions::default();
    // Once a main container has been started, init containers are history, and sidecars only run beside the mains.
    let initialized = run
        .containers
        .iter()
        .zip(states)
        .any(|(container, state)| container.role == Role::Main && state.phase != ContainerPhase::Waiting);
    if !initialized && let Some(actions) = next_init_container(run, states, now) {
        return actions;
    }
    let mut mains_left = false;
    for (index, (container, state)) in run.containers.iter().zip(states).enumerate() {
        if container.role != Role::Main {
            continue;
        }
        if state.is_running() {
            mains_left = true;
            continue;
        }
        if let Restart::At(at) = restart_decision(run, container, state) {
            mains_left = true;
            start_or_wait(index, at, now, &mut actions);
        }
    }
    if !mains_left {
        // Sidecars do not keep a pod alive.
        return end_all(states);
    }
    for (index, (container, state)) in run.containers.iter().zip(states).enumerate() {
        if container.role == Role::Sidecar
            && !state.is_running()
            && let Restart::At(at) = restart_decision(run, container, state)
        {
            start_or_wait(index, at, now, &mut actions);
        }
    }
    actions
}

/// What the first init container that is not done asks for; the rest waits. `None` when all are done.
fn next_init_container(run: &PodRun, states: &[ContainerState], now: DateTime<Utc>) -> Option<PodActions> {
    let mut actions = PodActions::default();
    for (index, (container, state)) in run.containers.iter().zip(states).enumerate() {
        let settled = match container.role {
            Role::Main => return None,
            Role::Init => matches!(state.terminated(), Some(how) if how.exit_code == 0),
            Role::Sidecar => state.is_running() && state.is_started,
        };
        if settled {
            continue;
        }
        if !state.is_running() {
            match restart_decision(run, container, state) {
                Restart::At(at) => start_or_wait(index, at, now, &mut actions),
                Restart::Never => return Some(end_all(states)),
            }
        }
        return Some(actions);
    }
    None
}

fn end_all(states: &[ContainerState]) -> PodActions {
    let stop: Vec<usize> = (0..states.len()).filter(|index| states[*index].is_running()).collect();
    PodActions { finished: stop.is_empty(), stop, is_ending: true, ..PodActions::default() }
}

/// Sidecars end when all others have ended, the last that was started first: what it is there for may need it to the end. When
/// the time is over nobody waits for his turn any more.
fn take_turns(run: &PodRun, actions: &mut PodActions, until: Option<DateTime<Utc>>, now: DateTime<Utc>) {
    if until.is_some_and(|until| until <= now) {
        return;
    }
    let is_sidecar = |index: &usize| run.containers[*index].role == Role::Sidecar;
    let (sidecars, others): (Vec<usize>, Vec<usize>) =
        actions.stop.iter().partition(|index| is_sidecar(index));
    (actions.stop, actions.stop_later) = match sidecars.split_last() {
        Some((last, before)) if others.is_empty() => (vec![*last], before.to_vec()),
        _ => (others, sidecars),
    };
    if !actions.stop_later.is_empty() {
        actions.next_wake = until;
    }
}

fn start_or_wait(index: usize, at: Option<DateTime<Utc>>, now: DateTime<Utc>, actions: &mut PodActions) {
    match at {
        Some(at) if at > now => {
            actions.next_wake = Some(actions.next_wake.map_or(at, |earlier| earlier.min(at)));
        }
        _ => actions.start.push(index),
    }
}

/// The state of a container whose process has just been started.
pub fn started(state: &ContainerState, now: DateTime<Utc>) -> ContainerState {
    let again = state.terminated().is_some();
    let ran_well = state
        .terminated()
        .and_then(|how| Some(how.finished_at - how.started_at?))
        .is_some_and(|length| length >= GOOD_RUN);
    ContainerState {
        phase: ContainerPhase::Running { started_at: now },
        last: state.terminated().cloned().or_else(|| state.last.clone()),
        restart_count: state.restart_count + i32::from(again),
        recent_restarts: match (again, ran_well) {
            (false, _) => 0,
            (true, true) => 1,
            (true, false) => state.recent_restarts + 1,
        },
        is_started: true,
        is_ready: true,
        is_unhealthy: false,
    }
}

/// The state of a container whose process has ended.
pub fn ended(state: &ContainerState, how: Terminated) -> ContainerState {
    ContainerState { phase: ContainerPhase::Terminated { how }, ..state.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
    }

    fn pod(policy: &str, roles: &[Role]) -> PodRun {
        PodRun {
            restart_policy: policy.into(),
            containers: roles
                .iter()
                .map(|role| ContainerRun { role: *role, ..ContainerRun::default() })
                .collect(),
            backoff_base_milliseconds: 10_000,
            ..PodRun::default()
        }
    }

    fn exit(code: i32, second: i64) -> Terminated {
        Terminated {
            exit_code: code,
            reason: "Error".into(),
            message: None,
            started_at: Some(at(second)),
            finished_at: at(second),
        }
    }

    fn terminated(code: i32, second: i64, recent_restarts: u32) -> ContainerState {
        ContainerState { recent_restarts, ..ended(&ContainerState::new(), exit(code, second)) }
    }

    fn runs() -> ContainerState {
        started(&ContainerState::new(), at(0))
    }

    #[test]
    fn what_a_pod_does_next() {
        use Role::{Init, Main, Sidecar};
        let waits = ContainerState::new;
        let start = |indexes: &[usize]| PodActions { start: indexes.to_vec(), ..PodActions::default() };
        let stop = |indexes: &[usize], later: &[usize]| PodActions {
            stop: indexes.to_vec(),
            stop_later: later.to_vec(),
            is_ending: true,
            ..PodActions::default()
        };
        let finished = PodActions { finished: true, is_ending: true, ..PodActions::default() };
        let wake = |second| PodActions { next_wake: Some(at(second)), ..PodActions::default() };
        let nothing = PodActions::default();
        for (what, run, states, stopping, expected) in [
            (
                "all mains start together",
                pod("Never", &[Main, Main]),
                vec![waits(), waits()],
                false,
                start(&[0, 1]),
            ),
            (
                "init containers come first, one by one",
                pod("Never", &[Init, Init, Main]),
                vec![waits(), waits(), waits()],
                false,
                start(&[0]),
            ),
            (
                "a running init container is waited for",
                pod("Never", &[Init, Main]),
                vec![runs(), waits()],
                false,
                nothing,
            ),
            (
                "after the last init container the mains start",
                pod("Never", &[Init, Main]),
                vec![terminated(0, 0, 0), waits()],
                false,
                start(&[1]),
            ),
            (
                "a failed init container ends the pod under Never",
                pod("Never", &[Init, Main]),
                vec![terminated(1, 0, 0), waits()],
                false,
                finished.clone(),
            ),
            (
                "a failed init container is restarted at once the first time",
                pod("OnFailure", &[Init, Main]),
                vec![terminated(1, 1, 0), waits()],
                false,
                start(&[0]),
            ),
            (
                "then after the back-off",
                pod("OnFailure", &[Init, Main]),
                vec![terminated(1, 1, 1), waits()],
                false,
                wake(11),
            ),
            (
                "a sidecar that runs lets the next start",
                pod("Never", &[Sidecar, Main]),
                vec![runs(), waits()],
                false,
                start(&[1]),
            ),
            (
                "a sidecar is restarted under Never too",
                pod("Never", &[Sidecar, Main]),
                vec![terminated(1, 1, 0), runs()],
                false,
                start(&[0]),
            ),
            (
                "sidecars are stopped after the mains",
                pod("Never", &[Sidecar, Main]),
                vec![runs(), terminated(0, 1, 0)],
                false,
                stop(&[0], &[]),
            ),
            (
                "a sidecar that was stopped after the mains is not started again",
                pod("Never", &[Sidecar, Main]),
                vec![terminated(143, 1, 0), terminated(0, 1, 0)],
                false,
                finished.clone(),
            ),
            (
                "a sidecar in its back-off does not hold up the mains",
                pod("OnFailure", &[Sidecar, Main]),
                vec![terminated(1, 1, 1), terminated(1, 1, 0)],
                false,
                PodActions { start: vec![1], ..wake(11) },
            ),
            (
                "a failure ends the pod under Never",
                pod("Never", &[Main]),
                vec![terminated(1, 0, 0)],
                false,
                finished.clone(),
            ),
            (
                "a failure is restarted under OnFailure",
                pod("OnFailure", &[Main]),
                vec![terminated(1, 1, 2)],
                false,
                wake(21),
            ),
            (
                "a success is not restarted under OnFailure",
                pod("OnFailure", &[Main]),
                vec![terminated(0, 1, 0)],
                false,
                finished.clone(),
            ),
            (
                "a success is restarted under Always",
                pod("Always", &[Main]),
                vec![terminated(0, 1, 3)],
                false,
                wake(41),
            ),
            (
                "stopping stops what runs and starts nothing",
                pod("Always", &[Main, Main]),
                vec![runs(), terminated(1, 1, 0)],
                true,
                stop(&[0], &[]),
            ),
            ("stopped", pod("Always", &[Main]), vec![terminated(143, 1, 0)], true, finished),
            (
                "sidecars wait for the mains",
                pod("Never", &[Sidecar, Sidecar, Main]),
                vec![runs(), runs(), runs()],
                true,
                stop(&[2], &[0, 1]),
            ),
            (
                "and end one by one, the last first",
                pod("Never", &[Sidecar, Sidecar, Main]),
                vec![runs(), runs(), terminated(0, 1, 0)],
                false,
                stop(&[1], &[0]),
            ),
        ] {
            assert_eq!(compute_pod_actions(&run, &states, stopping, None, at(1)), expected, "{what}");
        }
    }

    #[test]
    fn sidecars_wait_for_their_turn_until_the_time_is_over() {
        let run = pod("Never", &[Role::Sidecar, Role::Sidecar, Role::Main]);
        let states = [runs(), runs(), terminated(0, 1, 0)];
        let at_second = |second| compute_pod_actions(&run, &states, false, Some(at(9)), at(second));
        assert_eq!((at_second(8).stop, at_second(8).next_wake), (vec![1], Some(at(9))));
        assert_eq!((at_second(9).stop, at_second(9).next_wake), (vec![0, 1], None));
    }

    #[test]
    fn restart_delays_grow_and_a_good_run_resets_them() {
        let run = pod("Always", &[Role::Main]);
        let mut state = runs();
        let mut clock = 0;
        let mut delays = Vec::new();
        for _ in 0..8 {
            state = ended(&state, Terminated { started_at: Some(at(clock)), ..exit(1, clock) });
            let actions = compute_pod_actions(&run, std::slice::from_ref(&state), false, None, at(clock));
            let due = actions.next_wake.unwrap_or(at(clock));
            delays.push((due - at(clock)).num_seconds());
            clock = (due - at(0)).num_seconds();
            state = started(&state, at(clock));
        }
        assert_eq!(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
        state = ended(&state, Terminated { started_at: Some(at(clock)), ..exit(1, clock + 600) });
        state = started(&state, at(clock + 900));
        state = ended(&state, exit(1, clock + 901));
        let actions = compute_pod_actions(&run, std::slice::from_ref(&state), false, None, at(clock + 901));
        assert_eq!(actions.next_wake, Some(at(clock + 911)));
    }
}
