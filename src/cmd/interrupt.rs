//! SIGINT and SIGTERM during `run`. They are taken by a thread: whoever interrupts a command whose output nobody reads shall
//! be heard too.

use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal, raise};

use super::context::Context;
use super::delete::wait_until_gone;
use super::failure;
use super::output::{complain, complain_at_last};
use super::own_terminal;
use super::progress;
use crate::api::Job;
use crate::api::conditions::is_job_finished;
use crate::api::kinds::Kind;
use crate::api::meta::{key, uid};
use crate::apiserver::{DeleteOptions, Deleted, Read as _};
use crate::cluster;
use crate::store::Table;

/// What becomes of a Job when `run` is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnInterrupt {
    /// It goes on.
    Detach,
    /// It is deleted, with its processes.
    Delete,
}

/// How long the rest of a deleted Job's output may take to be printed.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long a server may take after a signal to say what has become of a Job that it is asked to create.
const LAST_ANSWER: Duration = Duration::from_secs(5);

fn signals() -> SigSet {
    own_terminal::heeded([Signal::SIGINT, Signal::SIGTERM])
}

/// Where the command is, as far as an interruption is concerned.
#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// The process is going to end with the interruption's own exit code.
    Interrupted,
    /// As before, and everything has been printed.
    Printed,
    /// The Jobs have ended, and the process is about to: nothing is left to decide.
    Over,
}

/// What becomes of the Jobs.
#[derive(Debug)]
struct Fates {
    context: Context,
    jobs: Vec<(Job, OnInterrupt)>,
    /// Whether those that have ended are deleted, too.
    finished_too: bool,
}

#[derive(Debug, Default)]
struct State {
    stage: Stage,
    /// Nothing until the Jobs are stored.
    fates: Option<Fates>,
}

/// Waits for signals in the background.
#[derive(Debug)]
pub(super) struct Interrupts {
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Interrupts {
    /// Holds the signals back until [`Interrupts::listen`]: from the moment a Job may be stored, its fate is decided here.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn hold_back() -> Result<Self> {
        signals().thread_block().context("block signals")?;
        Ok(Self { state: Arc::default() })
    }

    /// Starts to wait. What a signal comes to is done once [`Interrupts::decide`] has said what that is. Where a server elsewhere
    /// lets that wait for too long, the process ends with these words.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn listen(&self, unanswered: Option<String>) -> Result<()> {
        let shared = Arc::clone(&self.state);
        let take = move || {
            let Ok(first) = signals().wait() else { return };
            let (state, changed) = &*shared;
            {
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                if state.stage == Stage::Over {
                    end(first);
                }
                state.stage = Stage::Interrupted;
            }
            let second = std::thread::Builder::new().name("second signal".into()).spawn(|| {
                if let Ok(second) = signals().wait() {
                    end(second);
                }
            });
            drop(second);
            // Who waits for one is not to wait any more.
            cluster::end_plugins();
            let fates = {
                let state = state.lock().unwrap_or_else(PoisonError::into_inner);
                let is_open = |state: &mut State| state.fates.is_none() && state.stage != Stage::Printed;
                match &unanswered {
                    None => changed.wait_while(state, is_open).unwrap_or_else(PoisonError::into_inner),
                    Some(unanswered) => {
                        let waited = changed.wait_timeout_while(state, LAST_ANSWER, is_open);
                        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
                        if waited.timed_out() {
                            complain_at_last(unanswered);
                        }
                        state
                    }
                }
                .fates
                .take()
            };
            if let Some(fates) = fates
                && let Err(error) = interrupted(&fates, first, &shared)
            {
                complain(&failure::text(&error));
            }
            end(first);
        };
        std::thread::Builder::new().name("signals".into()).spawn(take).context("start a thread")?;
        Ok(())
    }

    /// Says what becomes of the Jobs; those that have ended are deleted only where `finished_too`.
    pub(super) fn decide(&self, context: &Context, jobs: Vec<(Job, OnInterrupt)>, finished_too: bool) {
        let (state, changed) = &*self.state;
        let fates = Fates { context: context.clone(), jobs, finished_too };
        state.lock().unwrap_or_else(PoisonError::into_inner).fates = Some(fates);
        changed.notify_all();
    }

    /// To be called when everything has been printed, or nothing has come of it: after an interruption this does not return.
    pub(super) fn over(&self) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stage == Stage::Running {
            state.stage = Stage::Over;
            return;
        }
        state.stage = Stage::Printed;
        changed.notify_all();
        drop(state);
        loop {
            std::thread::park();
        }
    }
}

/// What is to be done before a signal ends this process, by a thread that waits for it.
#[derive(Debug)]
pub(super) struct LastWill {
    /// Held once a signal has come.
    is_read: Arc<Mutex<()>>,
}

impl LastWill {
    fn signals() -> SigSet {
        own_terminal::heeded(own_terminal::DEADLY)
    }

    /// Holds the signals back until [`LastWill::make`], before there is anything to be done.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn hold_back() -> Result<()> {
        Self::signals().thread_block().context("block signals")
    }

    /// From now on a signal does `last` before it ends this process; a second does not wait for it.
    ///
    /// # Errors
    /// No thread can be started.
    pub(super) fn make(last: impl FnOnce() -> Result<()> + Send + 'static) -> Result<Self> {
        let is_read: Arc<Mutex<()>> = Arc::default();
        let shared = Arc::clone(&is_read);
        let take = move || {
            let Ok(first) = Self::signals().wait() else { return };
            let _read = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let second = std::thread::Builder::new().name("second signal".into()).spawn(|| {
                if let Ok(second) = Self::signals().wait() {
                    die_of(second);
                }
            });
            drop(second);
            if let Err(error) = last() {
                complain(&failure::text(&error));
            }
            die_of(first);
        };
        std::thread::Builder::new().name("signals".into()).spawn(take).context("start a thread")?;
        Ok(Self { is_read })
    }

    /// Goes on, unless a signal has come: then this does not return, and nothing is said any more.
    pub(super) fn pass(&self) {
        drop(self.is_read.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// From now on a signal that ends this process ends the plugins that run, too.
///
/// # Errors
/// No thread can be started.
pub(super) fn end_with_plugins() -> Result<()> {
    static DONE: OnceLock<()> = OnceLock::new();
    if DONE.set(()).is_err() {
        return Ok(());
    }
    LastWill::hold_back()?;
    LastWill::make(|| Ok(())).map(drop)
}

/// Ends the process by the signal itself, as it would have without us.
fn die_of(signal: Signal) {
    progress::end();
    cluster::end_plugins_for_good();
    let _ = LastWill::signals().thread_unblock();
    let _ = raise(signal);
}

fn interrupted(fates: &Fates, signal: Signal, shared: &(Mutex<State>, Condvar)) -> Result<()> {
    let Fates { context, jobs, finished_too } = fates;
    let of = |wanted: OnInterrupt| jobs.iter().filter(move |(_, what)| *what == wanted).map(|(job, _)| job);
    for job in of(OnInterrupt::Detach) {
        complain(&detached(context, job, signal));
    }
    let doomed: Vec<&Job> = of(OnInterrupt::Delete).collect();
    if doomed.is_empty() {
        return Ok(());
    }
    let names: Vec<String> =
        doomed.iter().map(|job| format!("job.batch/{}", key(&job.metadata).name)).collect();
    complain(&format!(
        "{signal}: deleting {} and waiting for the processes to end; a second signal ends jobctl at once",
        names.join(", ")
    ));
    let going = delete_jobs(context, &doomed, *finished_too)?;
    wait_until_gone(context, &going.objects, chrono::Duration::zero())?;
    // What the processes have said when they were stopped is still to be printed, if anybody reads.
    let (state, changed) = shared;
    let guard = state.lock().unwrap_or_else(PoisonError::into_inner);
    drop(changed.wait_timeout_while(guard, LAST_WORDS, |state| state.stage != Stage::Printed));
    // The controller has left the logs to us.
    for pod in &going.pods {
        context.client.forget_pod(pod);
    }
    Ok(())
}

/// What is said of a Job that goes on without `run`.
fn detached(context: &Context, job: &Job, signal: Signal) -> String {
    let job_key = key(&job.metadata);
    let (name, namespace) = (&job_key.name, &job_key.namespace);
    let is_found = !context.namespace_given && **namespace == *context.namespace;
    let mut namespace = if is_found { String::new() } else { format!(" -n {namespace}") };
    namespace.push_str(&context.place);
    let goes_on = if context.client.cluster().is_some() || context.client.config().background {
        "goes on"
    } else {
        "goes on with the pods it has, until something looks after it (JOBCTL_BACKGROUND is never)"
    };
    format!(
        "{signal}: job.batch/{name} {goes_on}\n  to follow it: jobctl logs -f job/{name}{namespace}\n  to delete it: jobctl \
         delete job {name}{namespace}"
    )
}

/// What a deletion has begun.
pub(super) struct Going {
    /// The Jobs, and their pods that are still there.
    objects: Vec<Deleted>,
    /// The uids of all their pods, also of those removed before.
    pods: Vec<String>,
}

/// Deletes these Jobs, unless others have taken their names, or they have ended and that matters; returns what is on its way out.
///
/// # Errors
/// A store that cannot be read or written.
pub(super) fn delete_jobs(context: &Context, jobs: &[&Job], finished_too: bool) -> Result<Going> {
    let mut requests = context.client.begin(&[Table::JOBS, Table::PODS, Table::RemovedPods], false)?;
    let mut going = Going { objects: Vec::new(), pods: Vec::new() };
    for job in jobs {
        let (job_key, job_uid) = (key(&job.metadata), uid(&job.metadata));
        let stored = requests.find(Kind::Job, &job_key)?.map(|found| found.parse::<Job>()).transpose()?;
        let is_meant =
            |stored: &Job| uid(&stored.metadata) == job_uid && (finished_too || !is_job_finished(stored));
        if !stored.is_some_and(|stored| is_meant(&stored)) {
            continue;
        }
        for pod in requests.pods_of_job(job_uid)? {
            let (key, uid) = (key(&pod.metadata), uid(&pod.metadata).to_owned());
            going.pods.push(uid.clone());
            going.objects.push(Deleted { kind: Kind::Pod, key, uid });
        }
        going.objects.push(requests.delete(Kind::Job, &job_key, &DeleteOptions::default())?);
    }
    if context.client.config().background {
        requests.commit()?;
    } else {
        // Our companion acts on it; a pass here would fork, which a process of several threads must not.
        requests.commit_quietly()?;
    }
    Ok(going)
}

/// Ends the process with the code that shells use for a signal; our companion goes with it.
#[expect(clippy::disallowed_methods, reason = "main may be stuck in its output")]
fn end(signal: Signal) {
    progress::end();
    cluster::end_plugins_for_good();
    std::process::exit(128 + signal as i32);
}
