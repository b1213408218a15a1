//! The process that runs when a Job has ended.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::fs::{MemfdFlags, memfd_create};

use super::background::start_hook;
use crate::api::errno::errno_text;
use crate::api::kinds::{Key, Kind};

/// How long a hook may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is looked at.
const INTERVAL: Duration = Duration::from_millis(10);
/// How much of the end of what it says is told.
const MOST_SAID: usize = 512;
/// How much is read at once.
const PIECE: usize = 1024;
/// How much a pipe holds.
const PIPE: usize = 64 << 10;

/// The processes of ours that run hooks.
#[derive(Debug, Default)]
pub struct HookProcesses {
    running: Vec<Pid>,
}

impl HookProcesses {
    /// Starts one for an object. Where that cannot be for a Job, the next controller does it.
    pub fn start(&mut self, root: &Path, kind: Kind, object: &Key) {
        self.running
            .retain(|hook| matches!(waitpid(*hook, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive)));
        self.running.extend(start_hook(root, kind.resource().singular, object));
    }

    /// Waits for the end of all.
    pub fn wait(self) {
        for hook in self.running {
            let _ = waitpid(hook, None);
        }
    }
}

/// A hook that is to be run.
#[derive(Debug)]
pub struct HookRun {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// All its variables.
    pub env: BTreeMap<String, String>,
    /// Where it starts; in `/` where that is not there any more.
    pub directory: String,
    /// What it reads.
    pub stdin: String,
}

/// Runs a hook to its end.
///
/// # Errors
/// How it has failed, with the end of what it has written to its standard error.
pub fn run_hook(run: &HookRun) -> Result<(), String> {
    let mut child = start(run).map_err(|error| {
        let program = run.command.first().map_or("", String::as_str);
        format!("exec: {program:?}: {}", errno_text(&error))
    })?;
    let mut said = Said { from: child.stderr.take(), end: Vec::new() };
    let ended = wait(&mut child, &mut said);
    // No more than a pipe holds: what it has left running may go on.
    for _ in 0..PIPE / PIECE {
        if !said.hear(Duration::ZERO) {
            break;
        }
    }
    let why = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => match status.signal() {
            Some(signal) => format!("signal {signal}"),
            None => format!("exit code {}", status.code().unwrap_or(-1)),
        },
        Err(why) => why,
    };
    let said = String::from_utf8_lossy(&said.end).trim().to_owned();
    Err(if said.is_empty() { why } else { format!("{why}: {said}") })
}

fn start(run: &HookRun) -> std::io::Result<Child> {
    let (program, arguments) = run.command.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
    // A file, so that a program that does not read holds nobody up.
    let mut stdin = File::from(memfd_create("job", MemfdFlags::CLOEXEC)?);
    stdin.write_all(run.stdin.as_bytes())?;
    stdin.rewind()?;
    let directory = Path::new(&run.directory);
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(&run.env)
        .current_dir(if directory.is_dir() { directory } else { Path::new("/") })
        .stdin(stdin)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

/// The end of what a hook says. It is listened to without a thread, which this user may not have.
struct Said {
    from: Option<ChildStderr>,
    end: Vec<u8>,
}

impl Said {
    /// Waits until it says something, for so long at most. Whether it did.
    fn hear(&mut self, patience: Duration) -> bool {
        let Some(from) = &mut self.from else {
            std::thread::sleep(patience);
            return false;
        };
        let patience = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
        if !matches!(poll(&mut [PollFd::new(from.as_fd(), PollFlags::POLLIN)], patience), Ok(1..)) {
            return false;
        }
        let mut piece = [0; PIECE];
        let Ok(length @ 1..) = from.read(&mut piece) else {
            self.from = None;
            return false;
        };
        self.end.extend_from_slice(&piece[..length]);
        let surplus = self.end.len().saturating_sub(MOST_SAID);
        self.end.drain(..surplus);
        true
    }
}

fn wait(child: &mut Child, said: &mut Said) -> Result<ExitStatus, String> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if started.elapsed() < PATIENCE => drop(said.hear(INTERVAL)),
            Ok(None) => {
                let _ = killpg(Pid::from_raw(child.id() as i32), Signal::SIGKILL);
                let _ = child.wait();
                return Err(format!("it was killed after {} s", PATIENCE.as_secs()));
            }
            Err(error) => return Err(errno_text(&error)),
        }
    }
}
