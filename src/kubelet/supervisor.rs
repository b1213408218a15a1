//! The supervisor: one process per pod, the only parent of its containers. It starts them, copies their output,
//! restarts them as `actions` says, and reports. It decides nothing about Jobs. When its pod has ended and nothing of
//! that is left, it may take another (see `pool`).

mod limits;
mod questions;
mod streams;
mod visits;

use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use questions::AFTER_PRE_STOP;
use streams::Opened;
use visits::Visited;

use super::actions::{
    CONTAINER_VARIABLE, ContainerPhase, ContainerRun, ContainerState, DirectoryOf, PodRun, ProbeStates,
    Terminated, Verdict, compute_pod_actions, ended, pod_status, started,
};
use super::background::{CONTROLLER, start_outside_of_the_pod};
use super::cgroup::PodGroups;
use super::clock::SteadyClock;
use super::last_message::last_message;
use super::logs::{LogPlace, LogWriter, Stream};
use super::memory_volumes::PodNamespaces;
use super::pool::Work;
use super::probe_process::ProbeProcess;
use super::processes::{
    Session, has_children, kill_descendants, kill_marked_descendants, next_ended_child, ticks,
};
use super::sandbox::{PodPlace, own_directory};
use super::spawn::Confinement;
use super::spawn::{
    Announcement, StopRequest, become_subreaper, release_free_memory, set_process_name, set_title,
    signal_removals, stay_in_background,
};
use super::start::{StartFailure, Surroundings, start_process};
use super::volume_sizes::VolumeSizes;
use crate::api::PodStatus;
use crate::api::durations::after;
use crate::store::{
    Inbox, PodDirectory, PodReport, ProcessLock, ReportedEvent, Store, clock_offset, crash_point, holder_of,
    remove_tree, write_message_file,
};

/// Where a supervisor works.
#[derive(Debug)]
pub(super) struct Config {
    /// The data directory.
    pub(super) root: PathBuf,
    /// Whether to start a controller at the end when none runs.
    pub(super) background: bool,
}

/// A pod that ends this soon is reported once, at its end: half the reports of short pods.
const REPORT_DELAY: Duration = Duration::milliseconds(25);
/// How often to look whether a reader of record that is far behind has come on.
const READER_INTERVAL: Duration = Duration::milliseconds(20);
/// When a report that could not be left is tried again: on a full disk, mostly.
const REPORT_AGAIN: Duration = Duration::seconds(1);
/// How many seconds a pod has, at most, whose data directory has been removed.
const LONGEST_ORPHANED: i64 = 5;
/// What containers of a pod that is evicted have to end by themselves.
const EVICTION_GRACE: Duration = Duration::seconds(1);
/// How much of a container's output is taken at a time.
const BUFFER: usize = 8 << 10;

/// Runs the pod described by `first`, then one after the other those that are handed to it; the exit code of the
/// supervisor's process.
pub(super) fn main(config: &Config, work: &Work, first: Option<&[u8]>) -> i32 {
    stay_in_background(&work.descriptors());
    set_process_name(c"jobctl-super");
    become_subreaper();
    let Ok(signals) = watch_signals() else { return 1 };
    // The controller has opened and checked the store; a fork of its kubelet need not do it again.
    let store = Store::trusted(&config.root);
    let mut first = first.map(<[u8]>::to_vec);
    loop {
        let was_handed = first.is_none();
        let Some(description) = first.take().or_else(|| work.next()) else {
            // A controller that was killed may have left a report unread.
            let is_read = Inbox::new(store.inbox_path()).is_empty().unwrap_or(true);
            if config.background && !is_read {
                ensure_controller(&store);
            }
            return 0;
        };
        let Ok(run) = serde_json::from_slice::<PodRun>(&description) else { return 1 };
        drop(description);
        if was_handed {
            work.announce_taken(&run.uid);
        }
        match run_pod(config, &store, &signals, &run) {
            Ok(()) => {
                set_title("jobctl: supervisor without a pod");
                work.announce_waiting();
            }
            Err(_) => return 1,
        }
    }
}

fn run_pod(config: &Config, store: &Store, signals: &SignalFd, run: &PodRun) -> Result<()> {
    let directory = PodDirectory::new(store.pod_path(&run.uid));
    // What has come so far was for another pod: until the claim nobody can mean this one, and from then on somebody may.
    while let Ok(Some(_)) = signals.read_signal() {}
    // Somebody may have started this pod before: no pod is ever run twice.
    let Some(lock) = directory.claim(run.spare.as_deref())? else { return Ok(()) };
    crash_point("supervisor-claimed");
    set_title(&format!("jobctl: supervisor of pod {}/{}", run.namespace, run.name));
    // Where the kernel cannot tell of removals, a data directory that is removed is noticed when the pod ends.
    let removals = signal_removals(directory.path()).ok();
    let mut supervisor = Supervisor {
        run,
        store,
        config,
        lock: &lock,
        clock: SteadyClock::start(wall_clock()),
        directory,
        inbox: Inbox::new(store.inbox_path()),
        signals,
        containers: run.containers.iter().map(|_| Process::default()).collect(),
        states: run.containers.iter().map(|_| ContainerState::new()).collect(),
        asking: Vec::new(),
        visits: Vec::new(),
        namespaces: None,
        sizes: VolumeSizes::of(run, store.root(), &store.pod_path(&run.uid), wall_clock()),
        events: Vec::new(),
        started_at: DateTime::UNIX_EPOCH,
        groups: None,
        memory_look: None,
        stop: None,
        ends_at: None,
        verdict: Verdict::None,
        sequence: 0,
        reported: None,
        report_due: None,
        buffer: vec![0; BUFFER],
    };
    supervisor.started_at = supervisor.clock.now();
    supervisor.supervise();
    supervisor.end();
    drop(removals);
    // The controller is a convenience: the next supervisor to finish brings it back.
    if config.background {
        ensure_controller(store);
    }
    drop(lock);
    Ok(())
}

/// The time as people read it: for what is written down.
#[expect(clippy::disallowed_methods, reason = "the supervisor is one of the shell's rooms")]
fn wall_clock() -> DateTime<Utc> {
    Utc::now() + clock_offset()
}

fn watch_signals() -> nix::Result<SignalFd> {
    let mut mask = SigSet::empty();
    for signal in
        [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGIO]
    {
        mask.add(signal);
    }
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Starts a controller where none runs.
fn ensure_controller(store: &Store) {
    let runs = holder_of(&store.controller_lock_path()).is_ok_and(|holder| holder.is_some());
    // A data directory that was removed is not to be made again.
    if !runs && store.is_laid_out() {
        let _ = start_outside_of_the_pod(CONTROLLER, store.root());
    }
}

/// A container's process and what is left of its output.
#[derive(Default)]
struct Process {
    pid: Option<Pid>,
    output: [Option<OwnedFd>; 2],
    /// What it reads, as long as somebody may attach to that.
    input: Option<OwnedFd>,
    log: Option<LogWriter>,
    /// Whether its output stays in the pipes, because a reader of record is too far behind.
    is_held_up: bool,
    /// When SIGTERM was sent, SIGKILL follows at this time.
    kill_at: Option<DateTime<Utc>>,
    /// How far its preStop hook is.
    pre_stop: PreStop,
    /// How long it may take to end where a probe says so, in seconds.
    grace: Option<i64>,
    /// How its probes stand, once they are asked.
    probes: Option<ProbeStates>,
    /// What holds it to its limits.
    confinement: Confinement,
    /// How much memory it may have, where nothing but looking at it limits that.
    watched_memory: Option<u64>,
    /// Whether it was killed for the memory that it had.
    is_out_of_memory: bool,
}

/// How far a preStop hook is: SIGTERM comes after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum PreStop {
    #[default]
    NotBegun,
    Runs,
    Done,
}

struct Supervisor<'a> {
    run: &'a PodRun,
    store: &'a Store,
    config: &'a Config,
    lock: &'a ProcessLock,
    clock: SteadyClock,
    directory: PodDirectory,
    inbox: Inbox,
    signals: &'a SignalFd,
    containers: Vec<Process>,
    states: Vec<ContainerState>,
    /// Processes that ask or tell containers something.
    asking: Vec<ProbeProcess>,
    /// Who visits the pod.
    visits: Vec<Visited>,
    /// Where its volumes in memory lie, once one of its containers has been started.
    namespaces: Option<PodNamespaces>,
    sizes: VolumeSizes,
    /// What has happened that no status tells, until it is reported.
    events: Vec<ReportedEvent>,
    started_at: DateTime<Utc>,
    /// The pod's control groups, once there is something to limit.
    groups: Option<PodGroups>,
    /// When the memory of containers is to be looked at.
    memory_look: Option<DateTime<Utc>>,
    /// Set once the pod is to end: until when its processes may take.
    stop: Option<DateTime<Utc>>,
    /// The same once the pod has done its work, for its sidecars.
    ends_at: Option<DateTime<Utc>>,
    verdict: Verdict,
    sequence: u64,
    reported: Option<PodStatus>,
    report_due: Option<DateTime<Utc>>,
    buffer: Vec<u8>,
}

impl Supervisor<'_> {
    /// Loops until nothing runs and nothing will.
    fn supervise(&mut self) {
        loop {
            let now = self.clock.now();
            self.enforce_deadline(now);
            let until = self.stop.or(self.ends_at);
            let actions = compute_pod_actions(self.run, &self.states, self.stop.is_some(), until, now);
            if actions.finished {
                return;
            }
            if actions.is_ending {
                self.ends_at.get_or_insert(after(now, self.run.grace_seconds));
            }
            for index in &actions.stop_later {
                self.begin_pre_stop(*index);
            }
            let mut failed_to_start = false;
            for index in &actions.start {
                failed_to_start |= !self.start_container(*index);
            }
            for index in &actions.stop {
                self.stop_container(*index, now);
            }
            if !actions.start.is_empty() {
                self.report_due.get_or_insert(now + REPORT_DELAY);
            }
            if failed_to_start {
                continue;
            }
            self.ask_containers(now);
            self.look_at_memory(now);
            if self.stop.is_none() {
                self.sizes.measure(now);
            }
            if self.report_due.is_some_and(|due| due <= now) {
                self.report(false);
                // A pod that is still there by now may stay for days; those that are not, do not pay for this.
                release_free_memory();
            }
            let kills = self.containers.iter().filter_map(|container| container.kill_at);
            let wakes = [
                actions.next_wake,
                self.report_due,
                self.deadline(),
                self.next_question(),
                self.memory_look,
                self.next_measurement(),
            ];
            let wake = kills.chain(wakes.into_iter().flatten()).min();
            self.wait(wake);
        }
    }

    fn next_measurement(&self) -> Option<DateTime<Utc>> {
        self.sizes.next().filter(|_| self.stop.is_none())
    }

    /// Where the pod's files lie.
    fn place(&self) -> PodPlace<'_> {
        PodPlace { root: self.store.root(), pod: self.directory.path(), namespaces: self.namespaces.as_ref() }
    }

    /// Makes what all containers of the pod share, once.
    fn make_namespaces(&mut self) -> Result<(), StartFailure> {
        if self.namespaces.is_none() {
            self.namespaces = PodNamespaces::of_pod(self.run, self.store.root(), self.directory.path())
                .map_err(|message| StartFailure { reason: "CreateContainerError", message })?;
        }
        Ok(())
    }

    fn deadline(&self) -> Option<DateTime<Utc>> {
        let seconds = self.run.active_deadline_seconds.filter(|_| self.stop.is_none())?;
        Some(after(self.started_at, seconds))
    }

    fn enforce_deadline(&mut self, now: DateTime<Utc>) {
        if self.deadline().is_some_and(|deadline| deadline <= now) {
            self.verdict = Verdict::DeadlineExceeded;
            self.stop = Some(after(now, self.run.grace_seconds));
        }
    }

    /// Starts one container. False when it could not be started: its state says why.
    fn start_container(&mut self, index: usize) -> bool {
        let container = &self.run.containers[index];
        let now = self.clock.now();
        let state = started(&self.states[index], now);
        if container.message_path.is_some() {
            // Of its own each time; where none can be made, the mount says why.
            let _ = write_message_file(&self.directory.message_path(&container.name));
        }
        let log = LogPlace {
            directory: self.directory.clone(),
            container: container.name.clone(),
            root: self.store.root().to_owned(),
            job_uid: self.run.job_uid.clone(),
        };
        let before = ticks();
        let started = self.make_namespaces().and_then(|()| self.confine(index)).and_then(|confinement| {
            start(self.run, container, self.place(), log, state.restart_count, confinement)
        });
        match started {
            Ok(process) => {
                if let Some(pid) = process.pid {
                    // By this the processes of a lost pod are found that have cleared their environment.
                    self.lock.add_line(&Session::of(pid, before, ticks()).text());
                }
                self.containers[index] = process;
                self.states[index] = state;
                crash_point("container-started");
                self.begin_to_watch(index, now);
                self.begin_probes(index, now);
                true
            }
            Err(failure) => {
                let how = Terminated {
                    exit_code: 128,
                    reason: failure.reason.into(),
                    message: Some(failure.message),
                    started_at: None,
                    finished_at: now,
                };
                self.states[index] = ended(&state, how);
                false
            }
        }
    }

    /// SIGTERM to the container's processes at first, SIGKILL when their time is over.
    fn stop_container(&mut self, index: usize, now: DateTime<Utc>) {
        let process = &mut self.containers[index];
        let grace = process.grace.unwrap_or(self.run.grace_seconds);
        // All that ends with the pod shares its grace period.
        let of_pod = self.stop.or(self.ends_at);
        let mut until = of_pod.into_iter().chain(process.kill_at).min().unwrap_or_else(|| after(now, grace));
        let Some(pid) = process.pid else { return };
        if until <= now && process.kill_at.is_none() && process.pre_stop != PreStop::NotBegun {
            // It has waited for its turn until nothing was left of the time.
            until = now + AFTER_PRE_STOP;
            self.extend_end(until);
        }
        let process = &mut self.containers[index];
        if until <= now {
            let _ = killpg(pid, Signal::SIGKILL);
            // A process that has left its group is found by descent once its parent is gone.
            let _ = nix::sys::signal::kill(pid, Signal::SIGKILL);
            process.kill_at = None;
        } else if process.kill_at.is_none_or(|earlier| until < earlier) {
            let is_new = process.kill_at.is_none();
            process.kill_at = Some(until);
            if is_new && !self.begin_pre_stop(index) {
                let _ = killpg(pid, Signal::SIGTERM);
            }
        }
    }

    /// Gives what ends with the pod at least until then.
    fn extend_end(&mut self, earliest: DateTime<Utc>) {
        self.stop = self.stop.map(|at| at.max(earliest));
        self.ends_at = self.ends_at.map(|at| at.max(earliest));
    }

    /// Sleeps until a signal, output or the given time.
    fn wait(&mut self, until: Option<DateTime<Utc>>) {
        let mut until = until;
        for process in &mut self.containers {
            process.is_held_up = process.log.as_mut().is_some_and(|log| !log.has_room());
            if process.is_held_up {
                let again = self.clock.now() + READER_INTERVAL;
                until = Some(until.map_or(again, |until| until.min(again)));
            }
        }
        let timeout = until.map_or(PollTimeout::NONE, |until| {
            // Rounded up: waking a fraction of a millisecond early would only spin.
            let milliseconds = (until - self.clock.now()).num_milliseconds().clamp(-1, 3_600_000) + 1;
            PollTimeout::try_from(milliseconds as i32).unwrap_or(PollTimeout::MAX)
        });
        let mut fds = vec![PollFd::new(self.signals.as_fd(), PollFlags::POLLIN)];
        let mut owners = Vec::new();
        for (index, process) in self.containers.iter().enumerate() {
            for (stream, output) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&process.output) {
                if let (Some(output), false) = (output, process.is_held_up) {
                    fds.push(PollFd::new(output.as_fd(), PollFlags::POLLIN));
                    owners.push((index, stream));
                }
            }
        }
        let first_visitor = fds.len();
        let mut visitors = Vec::new();
        for (number, visited) in self.visits.iter().enumerate() {
            if let Some(visitor) = visited.visitor() {
                fds.push(PollFd::new(visitor.as_fd(), PollFlags::POLLIN));
                visitors.push(number);
            }
        }
        if poll(&mut fds, timeout).is_err() {
            return;
        }
        let signalled = fds[0].any() == Some(true);
        let with_news = fds[first_visitor..].iter().zip(visitors);
        let heard: Vec<usize> =
            with_news.filter(|(fd, _)| fd.any() != Some(false)).map(|(_, number)| number).collect();
        let readable: Vec<(usize, Stream)> = fds[1..first_visitor]
            .iter()
            .zip(&owners)
            .filter(|(fd, _)| fd.any() != Some(false))
            .map(|(_, owner)| *owner)
            .collect();
        drop(fds);
        for (index, stream) in readable {
            self.copy_output(index, stream, false);
        }
        // Before the signals: these bring others.
        self.hear(&heard);
        if signalled {
            self.take_signals();
        }
    }

    fn take_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            if signal.ssi_signo == Signal::SIGTERM as u32 || signal.ssi_signo == Signal::SIGINT as u32 {
                let is_request = signal.ssi_code == libc::SI_QUEUE && signal.ssi_ptr != 0;
                let grace = match StopRequest::decode(signal.ssi_ptr) {
                    _ if !is_request => self.run.grace_seconds,
                    // It was meant for the pod before this one.
                    request if !request.is_for(&self.run.uid) => continue,
                    request => request.grace_seconds(),
                };
                let until = after(self.clock.now(), grace);
                self.stop = Some(self.stop.map_or(until, |earlier| earlier.min(until)));
            } else if signal.ssi_signo == Signal::SIGUSR1 as u32
                && signal.ssi_code == libc::SI_QUEUE
                && signal.ssi_ptr != 0
            {
                if let Some(place) = Announcement::decode(signal.ssi_ptr).place(&self.run.uid) {
                    self.meet(place);
                }
            } else if signal.ssi_signo == Signal::SIGUSR1 as u32 {
                // From within the pod: what is started there ends with the pod, and a controller must not.
                if self.config.background {
                    ensure_controller(self.store);
                }
            } else if signal.ssi_signo == Signal::SIGIO as u32 && !self.directory.is_claimed() {
                // The data directory is being removed: nobody could ask for this pod's end any more.
                let until = after(self.clock.now(), self.run.grace_seconds.min(LONGEST_ORPHANED));
                self.stop = Some(self.stop.map_or(until, |earlier| earlier.min(until)));
            }
        }
        while let Some((pid, code)) = next_ended_child() {
            if let Some(index) = self.containers.iter().position(|process| process.pid == Some(pid)) {
                self.container_ended(index, code);
            } else if let Some(place) = self.asking.iter().position(|asking| asking.pid == pid) {
                let asked = self.asking.swap_remove(place);
                self.take_answer(asked, code);
            } else if self.sizes.is_asked(pid) {
                self.take_sizes(code);
            } else {
                self.take_visitors_process(pid, code);
            }
        }
    }

    /// A pod whose volume holds more than it may is evicted, with hardly a second's grace.
    fn take_sizes(&mut self, code: i32) {
        let now = self.clock.now();
        if let (Some(volume), None) = (self.sizes.take(code, now), self.stop) {
            self.verdict = Verdict::Evicted { volume };
            self.stop = Some(now + EVICTION_GRACE);
        }
    }

    /// A container is its first process: when that ends, the others go with it.
    fn container_ended(&mut self, index: usize, exit_code: i32) {
        self.containers[index].pid = None;
        self.containers[index].kill_at = None;
        self.end_probes(index);
        self.end_visits(index);
        if has_children() {
            self.kill_leftovers(index);
            self.sizes.forget(self.clock.now());
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.copy_output(index, stream, true);
        }
        let now = self.clock.now();
        if let Some(log) = &mut self.containers[index].log {
            log.finish(wall_clock());
        }
        self.containers[index].log = None;
        self.containers[index].input = None;
        // All that it has written can be read now.
        self.end_attachments(index, exit_code);
        let started_at = match &self.states[index].phase {
            ContainerPhase::Running { started_at } => Some(*started_at),
            _ => None,
        };
        let container = &self.run.containers[index];
        let restart = self.states[index].restart_count;
        let reason = match exit_code {
            _ if self.end_confinement(index) => "OOMKilled",
            0 => "Completed",
            _ => "Error",
        };
        let how = Terminated {
            exit_code,
            reason: reason.into(),
            message: last_message(container, exit_code, &self.directory, restart),
            started_at,
            finished_at: now,
        };
        self.states[index] = ended(&self.states[index], how);
        self.report_due.get_or_insert(now + REPORT_DELAY);
    }

    fn kill_leftovers(&self, index: usize) {
        let others: Vec<Pid> = self.containers.iter().filter_map(|process| process.pid).collect();
        if others.is_empty() {
            kill_descendants(&[]);
        } else {
            // With other containers running, an orphan tells by its environment whose it was.
            let marker = format!("{CONTAINER_VARIABLE}={}", self.run.containers[index].name);
            kill_marked_descendants(&marker, &others);
        }
    }

    /// Copies what is there; with `to_the_end` until nothing more comes.
    fn copy_output(&mut self, index: usize, stream: Stream, to_the_end: bool) {
        let process = &mut self.containers[index];
        let (Some(output), Some(log)) = (&process.output[stream as usize], &mut process.log) else { return };
        loop {
            match nix::unistd::read(output, &mut self.buffer) {
                Ok(0) => break,
                Ok(count) => {
                    log.take(stream, &self.buffer[..count], wall_clock());
                    if !to_the_end {
                        return;
                    }
                }
                Err(nix::errno::Errno::EINTR) => {}
                Err(nix::errno::Errno::EAGAIN) if !to_the_end => return,
                // The writers are dead; whoever else holds the pipe is not of this pod.
                Err(_) => break,
            }
        }
        process.output[stream as usize] = None;
    }

    /// Leaves a report; the last one is left whatever it takes, for it is the record of the exit.
    fn report(&mut self, last: bool) {
        self.report_due = None;
        let status = pod_status(
            self.run,
            &self.states,
            last,
            self.verdict,
            self.started_at,
            self.reported.as_ref(),
            self.clock.now(),
        );
        if !last && self.reported.as_ref() == Some(&status) && self.events.is_empty() {
            return;
        }
        self.sequence += 1;
        let report = PodReport {
            namespace: self.run.namespace.clone(),
            name: self.run.name.clone(),
            uid: self.run.uid.clone(),
            sequence: self.sequence,
            last,
            status,
            events: std::mem::take(&mut self.events),
        };
        let mut left = self.inbox.leave(&report, &self.directory, self.lock).is_ok();
        while !left && last && self.inbox.is_there() {
            std::thread::sleep(std::time::Duration::from_secs(1));
            left = self.inbox.leave(&report, &self.directory, self.lock).is_ok();
        }
        if left {
            self.reported = Some(report.status);
        } else {
            self.events = report.events;
            self.report_due = Some(self.clock.now() + REPORT_AGAIN);
        }
    }

    /// Notes something that no status tells, for the next report.
    fn tell(&mut self, index: usize, type_: &str, reason: &str, message: String) {
        self.events.push(ReportedEvent {
            container: self.run.containers[index].name.clone(),
            type_: type_.into(),
            reason: reason.into(),
            message,
        });
    }

    fn end(&mut self) {
        if has_children() {
            kill_descendants(&[]);
        }
        self.groups.iter().for_each(PodGroups::remove_all);
        crash_point("before-last-report");
        self.report(true);
        crash_point("after-last-report");
    }
}

/// Starts a container's process with its output going to the log.
fn start(
    run: &PodRun,
    container: &ContainerRun,
    place: PodPlace<'_>,
    log: LogPlace,
    restart: i32,
    confinement: Confinement,
) -> Result<Process, StartFailure> {
    if container.directory_of == DirectoryOf::Manifest {
        // What an earlier run has left in a directory that was made for it is not there any more, as in a container.
        let _ = remove_tree(&own_directory(place.pod, &container.name));
    }
    let mut log = LogWriter::create(log, restart)
        .map_err(|error| StartFailure::start_error(&format!("create log: {error}")))?;
    if container.input.is_some() {
        log.be_prompt(wall_clock());
    }
    let opened = Opened::new(container.input)?;
    let surroundings = Surroundings { place, confinement: &confinement };
    let pid = start_process(run, container, surroundings, opened.streams())?;
    let Opened { output, input, .. } = opened;
    Ok(Process { pid: Some(pid), output, input, log: Some(log), confinement, ..Process::default() })
}
