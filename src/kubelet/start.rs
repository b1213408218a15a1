//! Starting a container's process: with its program, its credentials, and its own view of the file system where it needs one.

use std::ffi::{CStr, CString};
use std::io::Read;
use std::path::Path;

use nix::unistd::Pid;

use super::actions::{ContainerRun, CredentialsRun, DirectoryOf, PodRun, SandboxRun};
use super::program::{NoProgram, find_program};
use super::sandbox::{PodPlace, Sandbox};
use super::spawn::{Confinement, Entered, Program, Step, Streams};
use crate::api::errno::errno_text;

/// Why a container could not be started: the reason and the message of its end.
pub(super) struct StartFailure {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl StartFailure {
    /// What keeps a process from being started.
    pub(super) fn start_error(cause: &str) -> Self {
        start_error(cause).into()
    }
}

impl From<String> for StartFailure {
    fn from(message: String) -> Self {
        Self { reason: "StartError", message }
    }
}

/// Where a process of a pod starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// Where the pod's files lie.
    pub(super) place: PodPlace<'a>,
    /// What holds the container to its limits.
    pub(super) confinement: &'a Confinement,
}

/// Starts a process as a container has it.
pub(super) fn start_process(
    run: &PodRun,
    container: &ContainerRun,
    surroundings: Surroundings<'_>,
    streams: Streams<'_>,
) -> Result<Pid, StartFailure> {
    let name = container.argv.first().map_or("", String::as_str);
    let words = (container.argv.as_slice(), container.env.as_slice());
    // Where a container has a file system of its own, its program may be in one of its volumes.
    let path = if container.sandbox.is_some() { String::new() } else { path_of(container)? };
    // Within a user namespace of his own an ordinary user is called by the wanted numbers already.
    let is_mapped = container.sandbox.is_some() && !nix::unistd::geteuid().is_root();
    let credentials = container.credentials.as_ref().map(|credentials| match is_mapped {
        true => CredentialsRun { user: None, group: None, ..credentials.clone() },
        false => credentials.clone(),
    });
    let directory = &container.working_directory;
    let program = Program::new(
        &path,
        words,
        directory,
        &run.hostname,
        run.umask,
        credentials.as_ref(),
        surroundings.confinement,
    )
    .map_err(|_| start_error(&format!("exec: {name:?}: invalid argument")))?;
    let Some(sandbox) = &container.sandbox else {
        return program.start(streams).or_else(|(step, error)| match step {
            Step::Directory if is_to_be_made(container, &error) => {
                let bare = SandboxRun::default();
                let sandbox = Sandbox::new(run, container, &bare, surroundings.place);
                start_in_sandbox(container, &program, &sandbox, streams)
            }
            _ => Err(step_failed(container, step, &path, &error).into()),
        });
    };
    let sandbox = Sandbox::new(run, container, sandbox, surroundings.place);
    let started = start_in_sandbox(container, &program, &sandbox, streams);
    match started {
        // It runs without the names of Services where the machine refuses namespaces.
        Err(failure) if failure.reason == NO_SANDBOX && container.can_do_without_sandbox() => {
            start_process(run, &ContainerRun { sandbox: None, ..container.clone() }, surroundings, streams)
        }
        started => started,
    }
}

/// Whether what keeps a container from starting is that its manifest's working directory is missing: that is made for it alone.
fn is_to_be_made(container: &ContainerRun, error: &std::io::Error) -> bool {
    container.directory_of == DirectoryOf::Manifest && error.kind() == std::io::ErrorKind::NotFound
}

/// The reason of a container whose view of the file system could not be made. In the child's message it is the first line.
const NO_SANDBOX: &str = "CreateContainerError";

fn start_in_sandbox(
    container: &ContainerRun,
    program: &Program<'_>,
    sandbox: &Sandbox<'_>,
    streams: Streams<'_>,
) -> Result<Pid, StartFailure> {
    let enter = || {
        let directory = Path::new(&container.working_directory);
        sandbox.enter().map_err(|error| format!("{NO_SANDBOX}\n{error}"))?;
        // Covered by a volume, the directory of whoever created the object is not the container's to start in.
        let is_hidden = container.directory_of == DirectoryOf::Creator && !directory.is_dir();
        let path = CString::new(path_of(container)?).map_err(|_| start_error("exec: invalid argument"))?;
        Ok(Entered { path, directory: is_hidden.then(|| c"/".to_owned()) })
    };
    let failed = |step, path: &CStr, error| step_failed(container, step, &path.to_string_lossy(), &error);
    let started = program
        .start_prepared(streams, enter, failed)
        .map_err(|error| start_error(&format!("fork: {}", errno_text(&error))))?;
    started.map_err(|message| match message.split_once('\n') {
        Some((NO_SANDBOX, message)) => StartFailure { reason: NO_SANDBOX, message: message.to_owned() },
        _ => message.into(),
    })
}

/// Where a container's program is.
fn path_of(container: &ContainerRun) -> Result<String, String> {
    let program = container.argv.first().map_or("", String::as_str);
    let path_variable =
        container.env.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value.as_str());
    let path = find_program(program, path_variable, Path::new(&container.working_directory))
        .map_err(|why| no_program(program, &why))?;
    Ok(path.to_string_lossy().into_owned())
}

/// The message of the StartError for a step of starting that has failed.
fn step_failed(container: &ContainerRun, step: Step, path: &str, error: &std::io::Error) -> String {
    let program = container.argv.first().map_or("", String::as_str);
    let cause = errno_text(error);
    start_error(&match step {
        Step::Fork => format!("fork: {cause}"),
        Step::Groups => format!("join the control groups of its limits: {cause}"),
        Step::Directory => {
            format!("chdir to cwd ({:?}) failed: {cause}", container.working_directory)
        }
        Step::Credentials => format!("take the credentials of the securityContext: {cause}"),
        Step::Exec if has_no_interpreter(path) => {
            format!("exec: {program:?}: no such file or directory")
        }
        Step::Exec => format!("exec: {program:?}: {cause}"),
    })
}

/// A script whose interpreter is missing: the kernel names no file, and the program itself is there.
fn has_no_interpreter(path: &str) -> bool {
    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"#!"
}

/// The part of container runtimes' sentence that is true here, which tutorials show and people search for.
fn start_error(cause: &str) -> String {
    format!("unable to start container process: {cause}")
}

/// The message of the StartError where there is no program.
fn no_program(program: &str, why: &NoProgram) -> String {
    let cause = match why {
        NoProgram::Missing(error) => format!("stat {program}: {}", errno_text(error)),
        NoProgram::Forbidden | NoProgram::NotOnPath { forbidden: true } => "permission denied".into(),
        NoProgram::NotOnPath { forbidden: false } => "executable file not found in $PATH".into(),
    };
    start_error(&format!("exec: {program:?}: {cause}"))
}
