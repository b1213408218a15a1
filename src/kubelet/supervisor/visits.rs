//! Visitors of a pod: processes that they have started beside those of a container.

use std::os::fd::OwnedFd;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::super::actions::{ContainerPhase, ContainerRun};
use super::super::processes::{Session, kill_tree, ticks};
use super::super::spawn::{Streams, release_free_memory};
use super::super::start::{Surroundings, start_process};
use super::super::visit::{Heard, Reply, VisitFor, VisitRequest, Visitor};
use super::Supervisor;

/// A visitor, and what he has been given.
#[derive(Debug)]
pub(super) struct Visited {
    /// Gone where nobody waits for the end of his process any more.
    visitor: Option<Visitor>,
    /// The container, by its number in the pod, once he has said it.
    container: usize,
    /// His process.
    pid: Option<Pid>,
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
            self.visits.push(Visited { visitor: Some(visitor), container: 0, pid: None });
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
        let visited = &mut self.visits[number];
        visited.visitor = None;
        if let Some(pid) = visited.pid {
            let _ = killpg(pid, Signal::SIGHUP);
        }
        visited.pid.is_none()
    }

    /// Does what a visitor wants. False where he goes again.
    fn grant(&mut self, number: usize, request: &VisitRequest, given: &[OwnedFd]) -> bool {
        let runs = |index: &usize| matches!(self.states[*index].phase, ContainerPhase::Running { .. });
        let index = self.run.containers.iter().position(|container| container.name == request.container);
        let found = index.filter(runs).filter(|index| self.containers[*index].pid.is_some());
        let reply = match found {
            None => Reply::NoContainer,
            Some(index) => match &request.wants {
                VisitFor::Exec { argv, env, is_terminal } => {
                    match self.exec(index, argv, env, (given, *is_terminal)) {
                        Ok(pid) => {
                            self.visits[number].container = index;
                            self.visits[number].pid = Some(pid);
                            Reply::Granted
                        }
                        Err(why) => Reply::Refused(why),
                    }
                }
            },
        };
        if let Some(visitor) = self.visits[number].visitor() {
            visitor.tell(&reply, &[]);
        }
        reply == Reply::Granted
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
        let Some(number) = self.visits.iter().position(|visited| visited.pid == Some(pid)) else { return };
        let visited = self.visits.remove(number);
        if let Some(visitor) = visited.visitor() {
            visitor.tell(&Reply::Ended(exit_code), &[]);
        }
        release_free_memory();
    }

    /// A container has ended: what visitors have started beside it ends too.
    pub(super) fn end_visits(&mut self, index: usize) {
        let of_container = |visited: &Visited| visited.pid.is_some() && visited.container == index;
        for visited in self.visits.extract_if(.., |visited| of_container(visited)) {
            if let Some(pid) = visited.pid {
                kill_tree(pid);
            }
            if let Some(visitor) = visited.visitor() {
                visitor.tell(&Reply::Ended(KILLED), &[]);
            }
        }
    }
}
