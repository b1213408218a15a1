//! Visitors of a pod: processes that they have started beside those of a container.

use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::actions::{ContainerPhase, ContainerRun};
use super::super::processes::{Session, kill_tree, ticks};
use super::super::spawn::{Streams, release_free_memory};
use super::super::start::{Surroundings, start_process};
use super::super::visit::{Heard, Reply, VisitFor, VisitRequest, Visitor};
use super::{Supervisor, wall_clock};

/// A visitor, and what he has been given.
#[derive(Debug)]
pub(super) struct Visited {
    /// Gone where nobody waits for the end of his process any more.
    visitor: Option<Visitor>,
    /// The container, by its number in the pod, once he has said it.
    container: usize,
    is: Is,
}

/// What a visitor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    /// He has not said it.
    Silent,
    /// He waits for the end of a process of his own.
    Running(Pid),
    /// He has attached, and may write to what the container reads.
    Attached { stdin: bool },
}

impl Visited {
    pub(super) fn visitor(&self) -> Option<&Visitor> {
        self.visitor.as_ref()
    }
}

/// The exit code of a process that ends with its container.
const KILLED: i32 = 128 + Signal::SIGKILL as i32;

impl Supervisor<'_> {
    /// Somebody waits at a place.
    pub(super) fn meet(&mut self, place: u32) {
        if let Some(visitor) = Visitor::meet(place) {
            self.visits.push(Visited { visitor: Some(visitor), container: 0, is: Is::Silent });
        }
    }

    /// Hears what those visitors say of whom something has come, given by their numbers.
    pub(super) fn hear(&mut self, numbers: &[usize]) {
        // From the last on: those that go do not move the others.
        for number in numbers.iter().rev() {
            let Some(visitor) = self.visits.get(*number).and_then(Visited::visitor) else { continue };
            let goes = match visitor.hear() {
                Heard::Nothing => false,
                Heard::Request(request, given) => !self.grant(*number, &request, &given),
                Heard::EndOfInput => {
                    self.end_input(*number);
                    false
                }
                Heard::Gone => self.leave(*number),
            };
            if goes {
                self.visits.remove(*number);
                release_free_memory();
            }
        }
    }

    /// A visitor has gone. What he has started hears of it as from a terminal that is closed; it may go on. True where nothing is
    /// left of him.
    fn leave(&mut self, number: usize) -> bool {
        self.end_input(number);
        let visited = &mut self.visits[number];
        visited.visitor = None;
        let Is::Running(pid) = visited.is else { return true };
        let _ = killpg(pid, Signal::SIGHUP);
        false
    }

    /// A visitor has nothing more to write. Where the container reads what one of them writes only, that was all.
    fn end_input(&mut self, number: usize) {
        let Visited { container, is, .. } = &mut self.visits[number];
        if *is == (Is::Attached { stdin: true }) {
            *is = Is::Attached { stdin: false };
            if self.run.containers[*container].input.is_some_and(|input| input.once) {
                self.containers[*container].input = None;
            }
        }
    }

    /// Does what a visitor wants. False where he goes again.
    fn grant(&mut self, number: usize, request: &VisitRequest, given: &[OwnedFd]) -> bool {
        let runs = |index: &usize| matches!(self.states[*index].phase, ContainerPhase::Running { .. });
        let index = self.run.containers.iter().position(|container| container.name == request.container);
        let found = index.filter(runs).filter(|index| self.containers[*index].pid.is_some());
        let (reply, is) = match found {
            None => (Reply::NoContainer, Is::Silent),
            Some(index) => {
                self.visits[number].container = index;
                let granted = Reply::Granted { restart: self.states[index].restart_count };
                match &request.wants {
                    VisitFor::Exec { argv, env, is_terminal } => {
                        match self.exec(index, argv, env, (given, *is_terminal)) {
                            Ok(pid) => (granted, Is::Running(pid)),
                            Err(why) => (Reply::Refused(why), Is::Silent),
                        }
                    }
                    VisitFor::Attach { stdin } => (granted, self.attach(index, *stdin)),
                }
            }
        };
        let visited = &mut self.visits[number];
        visited.is = is;
        let input = self.containers[visited.container].input.as_ref();
        let give = input.filter(|_| is == Is::Attached { stdin: true }).map(AsRawFd::as_raw_fd);
        if let Some(visitor) = visited.visitor() {
            visitor.tell(&reply, give.as_slice());
        }
        is != Is::Silent
    }

    /// Somebody attaches to a container, to read along and perhaps to write.
    fn attach(&mut self, index: usize, stdin: bool) -> Is {
        if let Some(log) = &mut self.containers[index].log {
            log.be_prompt(wall_clock());
        }
        Is::Attached { stdin: stdin && self.containers[index].input.is_some() }
    }

    /// Starts a process beside those of a container.
    fn exec(
        &self,
        index: usize,
        argv: &[String],
        env: &[(String, String)],
        (given, is_terminal): (&[OwnedFd], bool),
    ) -> Result<Pid, String> {
        let streams = match given {
            [terminal] if is_terminal => Streams::terminal(terminal),
            [stdin, stdout, stderr] if !is_terminal => {
                Streams { stdin: Some(stdin), stdout, stderr, is_terminal: false }
            }
            _ => return Err("the standard streams are missing".into()),
        };
        let container = &self.run.containers[index];
        let mut asked = ContainerRun { argv: argv.to_vec(), ..container.clone() };
        let has = |name: &str| container.env.iter().any(|(known, _)| known == name);
        asked.env.extend(env.iter().filter(|(name, _)| !has(name)).cloned());
        let confinement = &self.containers[index].confinement;
        let surroundings = Surroundings { place: self.place(), confinement };
        let before = ticks();
        let pid =
            start_process(self.run, &asked, surroundings, streams).map_err(|failure| failure.message)?;
        // As of a container: by this it is found that has cleared its environment.
        self.lock.add_line(&Session::of(pid, before, ticks()).text());
        Ok(pid)
    }

    /// A child that is no container has ended: where a visitor has started it, he hears of that.
    pub(super) fn take_visitors_process(&mut self, pid: Pid, exit_code: i32) {
        let Some(number) = self.visits.iter().position(|visited| visited.is == Is::Running(pid)) else {
            return;
        };
        let visited = self.visits.remove(number);
        if let Some(visitor) = visited.visitor() {
            visitor.tell(&Reply::Ended(exit_code), &[]);
        }
        release_free_memory();
    }

    /// A container has ended: what visitors have started beside it ends too.
    pub(super) fn end_visits(&mut self, index: usize) {
        let of_container =
            |visited: &Visited| visited.container == index && matches!(visited.is, Is::Running(_));
        for visited in self.visits.extract_if(.., |visited| of_container(visited)) {
            if let Is::Running(pid) = visited.is {
                kill_tree(pid);
            }
            if let Some(visitor) = visited.visitor() {
                visitor.tell(&Reply::Ended(KILLED), &[]);
            }
        }
    }
    /// A container has ended, and all that it has written is in its log: those who have attached to it are told.
    pub(super) fn end_attachments(&mut self, index: usize, exit_code: i32) {
        let of_container =
            |visited: &Visited| visited.container == index && matches!(visited.is, Is::Attached { .. });
        for visited in self.visits.extract_if(.., |visited| of_container(visited)) {
            if let Some(visitor) = visited.visitor() {
                visitor.tell(&Reply::Ended(exit_code), &[]);
            }
        }
    }
}
