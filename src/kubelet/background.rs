//! Processes of ours that outlive who starts them: with a clean environment, and outside of any pod.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::actions::POD_UID_VARIABLE;
use super::observe::{Supervisor, supervisor_of};
use super::spawn::{Parent, send_signal, start_anew};
use crate::api::kinds::Key;
use crate::store::{PodDirectory, Store, holder_of};

/// `jobctl __controller DIR`: the controller in the background. It bypasses the command line's parser, whose heap
/// every supervisor would inherit.
pub const CONTROLLER: &str = "__controller";
/// `jobctl __companion DIR`: the controller of a verb that waits where nothing may stay in the background.
pub const COMPANION: &str = "__companion";

/// `jobctl __hook DIR KIND NAMESPACE NAME`: what is run when that Job has ended, or that CronJob is overdue.
pub const HOOK: &str = "__hook";

/// The variables that a controller needs: where things are, and how it is set up. Whatever else its starter has (tokens, for
/// instance) must not stay in processes that live for days.
const KEPT: [&str; 5] =
    ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "JOBCTL_BACKGROUND", "JOBCTL_IDLE_TIMEOUT"];
/// In debug builds also what tests set.
const KEPT_BY_TESTS: [&str; 4] = ["JOBCTL_CRASH_AT", "JOBCTL_BOOT_ID", "JOBCTL_SYNC_LOG", "JOBCTL_CLOCK"];
/// The command line is made longer by this, so that `ps` can show more than fits where it lies.
const ROOM_FOR_TITLE: usize = 160;
/// How long a supervisor may take to start a controller on request.
const PATIENCE: Duration = Duration::from_secs(2);

fn kept_environment() -> Vec<(&'static str, OsString)> {
    let tests = KEPT_BY_TESTS.into_iter().filter(|_| cfg!(debug_assertions));
    KEPT.into_iter().chain(tests).filter_map(|name| Some((name, std::env::var_os(name)?))).collect()
}

/// Starts `jobctl KIND DIR` in the background, as our child.
///
/// # Errors
/// The process cannot be started.
pub fn start_detached(kind: &str, root: &Path) -> io::Result<Pid> {
    start(&[kind.as_ref(), root.as_os_str()], kept_environment(), Parent::Us)
}

/// Starts the process that runs the hook of an object, as our child.
///
/// # Errors
/// The process cannot be started.
pub(super) fn start_hook(root: &Path, kind: &str, object: &Key) -> io::Result<Pid> {
    start(
        &[
            HOOK.as_ref(),
            root.as_os_str(),
            kind.as_ref(),
            (*object.namespace).as_ref(),
            (*object.name).as_ref(),
        ],
        kept_environment(),
        Parent::Us,
    )
}

/// As [`start_detached`] from a supervisor: the new process is none of its descendants, which end with the pod.
pub(super) fn start_outside_of_the_pod(kind: &str, root: &Path) -> io::Result<()> {
    let env = kept_environment().into_iter().filter(|(name, _)| *name != "JOBCTL_CRASH_AT");
    start(&[kind.as_ref(), root.as_os_str()], env.collect(), Parent::OurParent).map(|_| ())
}

fn start(words: &[&OsStr], env: Vec<(&'static str, OsString)>, parent: Parent) -> io::Result<Pid> {
    let word = |bytes: Vec<u8>| CString::new(bytes).map_err(io::Error::other);
    let words = words.iter().map(|one| (*one).to_owned());
    let argv = [OsString::from("jobctl")].into_iter().chain(words).chain([" ".repeat(ROOM_FOR_TITLE).into()]);
    let argv = argv.map(|one| word(one.into_vec())).collect::<io::Result<Vec<_>>>()?;
    let env = env
        .into_iter()
        .map(|(name, value)| word([name.as_bytes(), b"=", value.as_bytes()].concat()))
        .collect::<io::Result<Vec<_>>>()?;
    Ok(Pid::from_raw(start_anew(&argv, &env, parent)?))
}

/// Within a pod of this data directory: asks the pod's supervisor to start the controller, for what we start ourselves ends
/// with the pod. True once one runs.
pub fn controller_by_supervisor(store: &Store) -> bool {
    let Some(uid) = std::env::var(POD_UID_VARIABLE).ok().filter(|uid| !uid.contains('/')) else {
        return false;
    };
    let directory = PodDirectory::new(store.pod_path(&uid));
    let Ok(Supervisor::Alive(Some(process))) = supervisor_of(&directory) else { return false };
    if send_signal(&process, libc::SIGUSR1).is_err() {
        return false;
    }
    let asked = Instant::now();
    while asked.elapsed() < PATIENCE {
        if holder_of(&store.controller_lock_path()).is_ok_and(|holder| holder.is_some()) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}
