//! Asking containers: probes while they run, hooks at their start and before their end.

use chrono::{DateTime, Duration, Utc};
use nix::sys::signal::{Signal, killpg};

use super::super::actions::{ContainerPhase, Finding, Handler, ProbeKind, ProbeStates};
use super::super::probe_process::{ProbeProcess, Task};
use super::super::start::Surroundings;
use super::{PreStop, REPORT_DELAY, Supervisor};

/// What a container has at least after its preStop hook, to end by itself.
pub(super) const AFTER_PRE_STOP: Duration = Duration::seconds(2);

impl Supervisor<'_> {
    /// A container has just been started: its postStart hook comes first, then its probes.
    pub(super) fn begin_probes(&mut self, index: usize, now: DateTime<Utc>) {
        let Some(probes) = &self.run.containers[index].probes else { return };
        let state = &mut self.states[index];
        state.is_started = probes.startup.is_none();
        state.is_ready = state.is_started && probes.readiness.is_none() && probes.post_start.is_none();
        match &probes.post_start {
            Some(handler) => self.ask(index, Task::PostStart, handler, None),
            None => self.containers[index].probes = Some(ProbeStates::new(probes, now)),
        }
    }

    /// A container has ended: nobody asks it any more.
    pub(super) fn end_probes(&mut self, index: usize) {
        self.containers[index].probes = None;
        self.containers[index].grace = None;
        for asking in self.asking.iter_mut().filter(|asking| asking.container == index) {
            asking.end();
        }
        self.asking.retain(|asking| asking.container != index);
    }

    /// Asks what is to be asked now, and ends what has taken too long.
    pub(super) fn ask_containers(&mut self, now: DateTime<Utc>) {
        for asking in &mut self.asking {
            if asking.deadline.is_some_and(|deadline| deadline <= now) {
                asking.end_late();
            }
        }
        if self.is_ending() {
            return;
        }
        for index in 0..self.containers.len() {
            let Some(probes) = &self.run.containers[index].probes else { continue };
            // One that is to end is not asked any more.
            if self.states[index].is_unhealthy {
                continue;
            }
            let Some(states) = &mut self.containers[index].probes else { continue };
            for kind in states.due(probes, now) {
                if let Some(probe) = probes.get(kind) {
                    self.ask(index, Task::Probe(kind), &probe.handler, Some(probe.timeout));
                }
            }
        }
    }

    /// When something is to be asked, or has taken too long.
    pub(super) fn next_question(&self) -> Option<DateTime<Utc>> {
        let deadlines = self.asking.iter().filter_map(|asking| asking.deadline);
        let probes = self.run.containers.iter().zip(&self.containers).zip(&self.states);
        let next = probes.filter(|(_, state)| !state.is_unhealthy && !self.is_ending());
        let next =
            next.filter_map(|((run, process), _)| process.probes.as_ref()?.next(run.probes.as_deref()?));
        deadlines.chain(next).min()
    }

    fn is_ending(&self) -> bool {
        self.stop.is_some() || self.ends_at.is_some()
    }

    /// Starts a preStop hook, once. False where nothing is to be waited for before SIGTERM.
    pub(super) fn begin_pre_stop(&mut self, index: usize) -> bool {
        if self.containers[index].pre_stop != PreStop::NotBegun {
            return self.containers[index].pre_stop == PreStop::Runs;
        }
        let hook = self.run.containers[index].probes.as_ref().and_then(|probes| probes.pre_stop.as_ref());
        let Some(handler) = hook else {
            self.containers[index].pre_stop = PreStop::Done;
            return false;
        };
        self.containers[index].pre_stop = PreStop::Runs;
        self.ask(index, Task::PreStop, handler, None);
        true
    }

    fn ask(&mut self, index: usize, task: Task, handler: &Handler, timeout: Option<i64>) {
        let now = self.clock.now();
        let surroundings =
            Surroundings { place: self.place(), confinement: &self.containers[index].confinement };
        let container = (index, &self.run.containers[index]);
        match ProbeProcess::start(self.run, container, surroundings, (task, handler), timeout, now) {
            Ok(asking) => self.asking.push(asking),
            Err(why) => self.conclude(index, task, Some(why)),
        }
    }

    /// A process that has asked or told a container something has ended.
    pub(super) fn take_answer(&mut self, asked: ProbeProcess, exit_code: i32) {
        let (index, task) = (asked.container, asked.task);
        let problem = asked.problem(exit_code);
        self.conclude(index, task, problem);
    }

    fn conclude(&mut self, index: usize, task: Task, problem: Option<String>) {
        let now = self.clock.now();
        if !matches!(self.states[index].phase, ContainerPhase::Running { .. }) {
            return;
        }
        match task {
            Task::Probe(kind) => self.conclude_probe(index, kind, problem, now),
            Task::PostStart => match (problem, &self.run.containers[index].probes) {
                (None, Some(probes)) => {
                    self.containers[index].probes = Some(ProbeStates::new(probes, now));
                    let state = &mut self.states[index];
                    state.is_ready = state.is_started && probes.readiness.is_none();
                }
                _ => {
                    self.tell(index, "Warning", "FailedPostStartHook", "PostStartHook failed".into());
                    self.tell(index, "Normal", "Killing", "FailedPostStartHook".into());
                    self.states[index].is_unhealthy = true;
                }
            },
            Task::PreStop => {
                if problem.is_some() {
                    self.tell(index, "Warning", "FailedPreStopHook", "PreStopHook failed".into());
                }
                let earliest = now + AFTER_PRE_STOP;
                let process = &mut self.containers[index];
                process.pre_stop = PreStop::Done;
                // Its turn may be yet to come.
                if let (Some(pid), Some(kill_at)) = (process.pid, process.kill_at) {
                    process.kill_at = Some(kill_at.max(earliest));
                    self.extend_end(earliest);
                    let _ = killpg(pid, Signal::SIGTERM);
                }
            }
        }
        self.report_due.get_or_insert(now + REPORT_DELAY);
    }

    fn conclude_probe(&mut self, index: usize, kind: ProbeKind, problem: Option<String>, now: DateTime<Utc>) {
        let passed = problem.is_none();
        if let Some(why) = problem {
            self.tell(index, "Warning", "Unhealthy", format!("{} probe failed: {why}", kind.as_str()));
        }
        let container = &self.run.containers[index];
        let (Some(probes), Some(states)) = (&container.probes, &mut self.containers[index].probes) else {
            return;
        };
        match states.take(probes, kind, passed) {
            Finding::Nothing => {}
            Finding::Started => {
                self.states[index].is_started = true;
                self.states[index].is_ready = probes.readiness.is_none();
            }
            Finding::Ready(is_ready) => self.states[index].is_ready = is_ready,
            Finding::Kill(grace) => {
                let which = kind.as_str().to_lowercase();
                let message = format!("Container {} failed {which} probe, will be restarted", container.name);
                self.tell(index, "Normal", "Killing", message);
                self.containers[index].grace = grace;
                self.states[index].is_unhealthy = true;
            }
        }
        self.report_due.get_or_insert(now + REPORT_DELAY);
    }
}
