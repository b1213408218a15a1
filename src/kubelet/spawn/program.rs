//! A container's process, from the fork to the program.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::sched::CpuSet;
use nix::unistd::Pid;

use super::super::actions::CredentialsRun;
use super::limits::{Limit, standard_limits};
use super::{
    begin_session, clone_until_exec, close_from, die_with_parent, fork_child, pointers, reset_signals,
    wait_for,
};

/// Where between fork and exec a container failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kubelet) enum Step {
    Fork,
    Groups,
    Directory,
    Credentials,
    Exec,
}

/// What holds a container's processes to its limits, beside looking at them.
#[derive(Debug, Default)]
pub(in crate::kubelet) struct Confinement {
    /// The control groups that they are in, to be written to.
    pub(in crate::kubelet) groups: Vec<OwnedFd>,
    /// The processors that they run on, where no group limits their share of them.
    pub(in crate::kubelet) cpus: Option<CpuSet>,
    /// How far they give way to others.
    pub(in crate::kubelet) niceness: i32,
}

/// What a process reads and writes.
#[derive(Clone, Copy, Debug)]
pub(in crate::kubelet) struct Streams<'a> {
    /// Nothing: it reads nothing.
    pub(in crate::kubelet) stdin: Option<&'a OwnedFd>,
    pub(in crate::kubelet) stdout: &'a OwnedFd,
    pub(in crate::kubelet) stderr: &'a OwnedFd,
    /// Whether all three are a terminal, which is to be its own.
    pub(in crate::kubelet) is_terminal: bool,
}

impl<'a> Streams<'a> {
    /// A process that reads nothing.
    pub(in crate::kubelet) fn outputs(stdout: &'a OwnedFd, stderr: &'a OwnedFd) -> Self {
        Self { stdin: None, stdout, stderr, is_terminal: false }
    }

    /// A process at a terminal.
    pub(in crate::kubelet) fn terminal(end: &'a OwnedFd) -> Self {
        Self { stdin: Some(end), stdout: end, stderr: end, is_terminal: true }
    }
}

/// What a process finds in its own view of the file system.
pub(in crate::kubelet) struct Entered {
    /// The program.
    pub(in crate::kubelet) path: CString,
    /// Where it starts, if not where it was to.
    pub(in crate::kubelet) directory: Option<CString>,
}

/// A container's process, ready to be started: everything is allocated before the fork.
pub(in crate::kubelet) struct Program<'a> {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
    directory: CString,
    /// The name that it sees as its host's, where the platform allows to set one.
    hostname: Option<CString>,
    umask: libc::mode_t,
    credentials: Option<CredentialsRun>,
    confinement: &'a Confinement,
}

impl<'a> Program<'a> {
    /// # Errors
    /// A word with a NUL byte in it.
    pub(in crate::kubelet) fn new(
        path: &str,
        (argv, env): (&[String], &[(String, String)]),
        directory: &str,
        hostname: &str,
        umask: u32,
        credentials: Option<&CredentialsRun>,
        confinement: &'a Confinement,
    ) -> Result<Self, std::ffi::NulError> {
        let may_name_host = nix::unistd::geteuid().is_root();
        Ok(Self {
            hostname: may_name_host.then(|| CString::new(hostname)).transpose()?,
            umask: umask & 0o777,
            credentials: credentials.cloned(),
            confinement,
            path: CString::new(path)?,
            argv: argv.iter().map(|word| CString::new(word.as_str())).collect::<Result<_, _>>()?,
            env: env
                .iter()
                .map(|(name, value)| CString::new(format!("{name}={value}")))
                .collect::<Result<_, _>>()?,
            directory: CString::new(directory)?,
        })
    }

    /// As [`Program::start`], in a process that `enter` prepares first: it gives that its own view of the file system and finds
    /// the program there. The inner error is what `enter` says, or what `failed` says of a step that fails.
    ///
    /// # Errors
    /// No process can be started.
    pub(in crate::kubelet) fn start_prepared(
        &self,
        streams: Streams<'_>,
        enter: impl FnOnce() -> Result<Entered, String>,
        failed: impl FnOnce(Step, &CStr, io::Error) -> String,
    ) -> io::Result<Result<Pid, String>> {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let parent = nix::unistd::getpid().as_raw();
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let pid = fork_child(move || {
            let launch = Launch::new(self, (&argv, &env), streams, parent);
            // SAFETY: plain system calls; the lists are null-terminated and live until exec, the descriptors are open.
            let message = unsafe {
                begin_session(parent);
                enter().map_or_else(
                    |message| message,
                    |Entered { path, directory }| {
                        let directory = directory.as_deref().unwrap_or(&self.directory);
                        // A change of credentials takes it back.
                        die_with_parent(parent);
                        let (step, number) = exec(&launch, &path, directory);
                        failed(step, &path, io::Error::from_raw_os_error(number))
                    },
                )
            };
            let _ = io::Write::write_all(&mut std::fs::File::from(write), message.as_bytes());
            128
        })?;
        let mut message = String::new();
        // Closed by exec.
        io::Read::read_to_string(&mut std::fs::File::from(read), &mut message)?;
        if message.is_empty() {
            return Ok(Ok(pid));
        }
        wait_for(pid);
        Ok(Err(message))
    }

    /// Starts the process: a session of its own, killed when this process dies, with those streams.
    ///
    /// The child borrows our memory until it execs (as posix_spawn does, which has no PR_SET_PDEATHSIG): nothing is
    /// copied, and no page of ours is written twice because of it.
    pub(in crate::kubelet) fn start(&self, streams: Streams<'_>) -> Result<Pid, (Step, io::Error)> {
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let mut launch = Launch::new(self, (&argv, &env), streams, nix::unistd::getpid().as_raw());
        // SAFETY: `launch_in_child` takes a `Launch`, which lives here until the child has called exec or _exit.
        let pid = unsafe { clone_until_exec(0, launch_in_child, (&raw mut launch).cast()) };
        if pid < 0 {
            return Err((Step::Fork, io::Error::last_os_error()));
        }
        let pid = Pid::from_raw(pid);
        match launch.failure {
            None => Ok(pid),
            Some((step, number)) => {
                wait_for(pid);
                Err((step, io::Error::from_raw_os_error(number)))
            }
        }
    }
}

/// What the child needs, in the memory that it shares with us until it execs.
struct Launch<'a> {
    program: &'a Program<'a>,
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    /// Negative where it reads nothing.
    stdin: RawFd,
    stdout: RawFd,
    stderr: RawFd,
    is_terminal: bool,
    parent: libc::pid_t,
    limits: &'a [Limit],
    /// Set by the child when it could not exec.
    failure: Option<(Step, i32)>,
}

impl<'a> Launch<'a> {
    fn new(
        program: &'a Program<'a>,
        (argv, env): (&[*const libc::c_char], &[*const libc::c_char]),
        streams: Streams<'_>,
        parent: libc::pid_t,
    ) -> Self {
        Self {
            program,
            argv: argv.as_ptr(),
            env: env.as_ptr(),
            stdin: streams.stdin.map_or(-1, AsRawFd::as_raw_fd),
            stdout: streams.stdout.as_raw_fd(),
            stderr: streams.stderr.as_raw_fd(),
            is_terminal: streams.is_terminal,
            parent,
            limits: standard_limits(),
            failure: None,
        }
    }
}

/// Runs in the child, on a stack of its own: system calls only, up to exec or _exit.
extern "C" fn launch_in_child(launch: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `launch` is the structure that `Program::start` passed, used by nobody else while we run; its pointers are
    // null-terminated lists of C strings.
    unsafe {
        let launch = &mut *launch.cast::<Launch<'_>>();
        begin_session(launch.parent);
        if let Some(hostname) = &launch.program.hostname
            && libc::unshare(libc::CLONE_NEWUTS) == 0
        {
            libc::sethostname(hostname.as_ptr(), hostname.count_bytes());
        }
        let path = launch.program.path.as_c_str();
        let failure = exec(launch, path, &launch.program.directory);
        launch.failure = Some(failure);
        libc::_exit(128)
    }
}

/// Makes this process the container's: returns only when that fails, with the step and the error's number.
///
/// # Safety
/// To be called in a child, which ends when this returns. The lists must be null-terminated lists of C strings.
unsafe fn exec(launch: &Launch<'_>, path: &CStr, directory: &CStr) -> (Step, i32) {
    reset_signals();
    // SAFETY: system calls on this process alone; the pointers are as the caller promises.
    unsafe {
        for (resource, wanted, possible) in launch.limits {
            if libc::setrlimit(*resource, wanted) != 0 {
                libc::setrlimit(*resource, possible);
            }
        }
        let confinement = launch.program.confinement;
        for group in &confinement.groups {
            // Zero is whoever writes.
            if libc::write(group.as_raw_fd(), c"0".as_ptr().cast(), 1) < 0 {
                return (Step::Groups, *libc::__errno_location());
            }
        }
        if let Some(cpus) = &confinement.cpus {
            let _ = nix::sched::sched_setaffinity(Pid::from_raw(0), cpus);
        }
        libc::setpriority(libc::PRIO_PROCESS, 0, confinement.niceness);
        libc::umask(launch.program.umask);
        let stdin = match launch.stdin {
            ..0 => libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY),
            given => given,
        };
        libc::dup2(stdin, 0);
        libc::dup2(launch.stdout, 1);
        libc::dup2(launch.stderr, 2);
        close_from(3);
        if launch.is_terminal {
            libc::ioctl(0, libc::TIOCSCTTY, 0);
        }
        let mut step = Step::Directory;
        if libc::chdir(directory.as_ptr()) == 0 {
            step = Step::Credentials;
            if launch.program.credentials.as_ref().is_none_or(|credentials| take_credentials(credentials)) {
                // A change of credentials takes it back.
                die_with_parent(launch.parent);
                step = Step::Exec;
                libc::execve(path.as_ptr(), launch.argv, launch.env);
            }
        }
        (step, *libc::__errno_location())
    }
}

/// Becomes the container's user, with its groups and rights. False where the system refuses.
///
/// # Safety
/// To be called in a child before exec. The C library's own functions would look for other threads to tell.
unsafe fn take_credentials(credentials: &CredentialsRun) -> bool {
    let CredentialsRun { user, group, groups, no_new_privileges, capabilities } = credentials;
    // SAFETY: plain system calls; the list of groups lives through the call.
    unsafe {
        // Programs open these again, as /dev/stdout for instance.
        if let Some(user) = user {
            (0..3).filter(|stream| is_made_for_it(*stream)).for_each(|stream| {
                libc::fchown(stream, *user, libc::gid_t::MAX);
            });
        }
        for capability in 0..u64::BITS {
            if capabilities.is_some_and(|allowed| allowed & (1 << capability) == 0) {
                // Beyond the last one there is nothing to drop.
                libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0);
            }
        }
        if let Some(groups) = groups
            && libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) != 0
        {
            return false;
        }
        if let Some(group) = group
            && libc::syscall(libc::SYS_setresgid, *group, *group, *group) != 0
        {
            return false;
        }
        if let Some(user) = user
            && libc::syscall(libc::SYS_setresuid, *user, *user, *user) != 0
        {
            return false;
        }
        !no_new_privileges || libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    }
}

/// Whether a descriptor is a pipe or a terminal: what a process is given to talk through, and nobody else's file.
///
/// # Safety
/// To be called in a child before exec.
unsafe fn is_made_for_it(descriptor: RawFd) -> bool {
    // SAFETY: the structures are ours and live through the calls.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        let mut terminal: libc::termios = std::mem::zeroed();
        libc::fstat(descriptor, &raw mut found) == 0
            && (found.st_mode & libc::S_IFMT == libc::S_IFIFO
                || libc::tcgetattr(descriptor, &raw mut terminal) == 0)
    }
}
