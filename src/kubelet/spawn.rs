//! The system calls that need `unsafe`: forking, what a child does before exec, and signals through pidfds.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use nix::unistd::{ForkResult, Pid};

/// Forks; the child runs `child` and ends with the code it returns, without unwinding into the caller.
///
/// Must be called by a process with one thread: the child may then allocate.
pub(super) fn fork_child(child: impl FnOnce() -> i32) -> nix::Result<Pid> {
    // SAFETY: callers have one thread (the launcher and the controller fork before they start any), so no lock can
    // be held by a thread that does not exist in the child.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            let code = child();
            // SAFETY: _exit only ends the process; the parent's buffers and destructors are not ours to run.
            unsafe { libc::_exit(code) }
        }
    }
}

/// Starts a process that outlives us: a session of its own, no terminal, none of our descriptors, `/` as directory.
///
/// # Errors
/// The program cannot be started.
pub fn detach(command: &mut Command) -> io::Result<Child> {
    command
        .arg0("jobctl")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .current_dir("/");
    // SAFETY: only async-signal-safe calls are made between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::setsid();
            reset_signals();
            close_from(3);
            Ok(())
        });
    }
    command.spawn()
}

/// In a forked child that goes on as our own process: a session of its own, no terminal, and of the descriptors only
/// `keep`.
pub(super) fn become_background(keep: &[RawFd]) {
    let _ = nix::unistd::chdir("/");
    // SAFETY: plain system calls on descriptors that this freshly forked process alone uses.
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..3 {
            if !keep.contains(&standard) {
                libc::dup2(null, standard);
            }
        }
    }
    stay_in_background(keep);
}

/// As [`become_background`] in a child of a process that has done it already.
pub(super) fn stay_in_background(keep: &[RawFd]) {
    let _ = nix::unistd::setsid();
    let mut kept: Vec<RawFd> = keep.iter().copied().filter(|fd| *fd > 2).collect();
    kept.sort_unstable();
    let mut from = 3;
    // SAFETY: nobody uses the descriptors that are not kept.
    unsafe {
        for fd in kept {
            if fd > from {
                close_range(from, fd - 1, 0);
            }
            from = fd + 1;
        }
        close_range(from, RawFd::MAX, 0);
    }
}

/// Marks every descriptor from `first` on to be closed at exec.
fn close_from(first: RawFd) {
    // SAFETY: a plain system call; closing at exec cannot invalidate anything before it.
    unsafe { close_range(first, RawFd::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_int) }
}

/// # Safety
/// With `flags` 0 the descriptors must not be used by anybody afterwards.
unsafe fn close_range(first: RawFd, last: RawFd, flags: libc::c_int) {
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
}

/// No signal blocked, none ignored: Rust ignores SIGPIPE, and a program that inherits that misbehaves in pipelines.
fn reset_signals() {
    // SAFETY: signal dispositions and masks of this freshly forked process, before exec.
    unsafe {
        let mut none = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
        for signal in [libc::SIGPIPE, libc::SIGCHLD, libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGQUIT]
        {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

/// Where between fork and exec a container failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Fork,
    Directory,
    Exec,
}

/// A container's process, ready to be started: everything is allocated before the fork.
pub(super) struct Program {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
    directory: CString,
}

impl Program {
    /// # Errors
    /// A word with a NUL byte in it.
    pub(super) fn new(
        path: &str,
        argv: &[String],
        env: &[(String, String)],
        directory: &str,
    ) -> Result<Self, std::ffi::NulError> {
        Ok(Self {
            path: CString::new(path)?,
            argv: argv.iter().map(|word| CString::new(word.as_str())).collect::<Result<_, _>>()?,
            env: env
                .iter()
                .map(|(name, value)| CString::new(format!("{name}={value}")))
                .collect::<Result<_, _>>()?,
            directory: CString::new(directory)?,
        })
    }

    /// Starts the process: a session of its own, killed when this process dies, output into the two descriptors.
    ///
    /// The child borrows our memory until it execs (as posix_spawn does, which has no PR_SET_PDEATHSIG): nothing is
    /// copied, and no page of ours is written twice because of it.
    pub(super) fn start(&self, stdout: &OwnedFd, stderr: &OwnedFd) -> Result<Pid, (Step, io::Error)> {
        let pointers = |words: &[CString]| -> Vec<*const libc::c_char> {
            words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
        };
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let mut launch = Launch {
            program: self,
            argv: argv.as_ptr(),
            env: env.as_ptr(),
            stdout: stdout.as_raw_fd(),
            stderr: stderr.as_raw_fd(),
            parent: nix::unistd::getpid().as_raw(),
            failure: None,
        };
        // Not zeroed: pages that the child does not touch cost nothing.
        let mut stack = Vec::<u8>::with_capacity(CHILD_STACK);
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: CLONE_VFORK suspends this process, which has one thread, until the child has called exec or _exit,
        // so `launch`, what it points to and `stack` outlive the child's use of them. Stacks grow down from the top,
        // which is aligned here.
        let pid = unsafe {
            let top = stack.as_mut_ptr().add(CHILD_STACK);
            let top = top.sub(top.addr() % 16);
            libc::clone(launch_in_child, top.cast(), flags, (&raw mut launch).cast())
        };
        if pid < 0 {
            return Err((Step::Fork, io::Error::last_os_error()));
        }
        let pid = Pid::from_raw(pid);
        match launch.failure {
            None => Ok(pid),
            Some((step, number)) => {
                let _ = nix::sys::wait::waitpid(pid, None);
                Err((step, io::Error::from_raw_os_error(number)))
            }
        }
    }
}

/// Enough for a few system calls.
const CHILD_STACK: usize = 16 << 10;

/// What the child needs, in the memory that it shares with us until it execs.
struct Launch<'a> {
    program: &'a Program,
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    stdout: RawFd,
    stderr: RawFd,
    parent: libc::pid_t,
    /// Set by the child when it could not exec.
    failure: Option<(Step, i32)>,
}

/// Runs in the child, on a stack of its own: system calls only, up to exec or _exit.
extern "C" fn launch_in_child(launch: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `launch` is the structure that `Program::start` passed, used by nobody else while we run; its pointers are
    // null-terminated lists of C strings.
    unsafe {
        let launch = &mut *launch.cast::<Launch<'_>>();
        libc::setsid();
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != launch.parent {
            libc::_exit(137);
        }
        reset_signals();
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
        libc::dup2(null, 0);
        libc::dup2(launch.stdout, 1);
        libc::dup2(launch.stderr, 2);
        close_from(3);
        let mut step = Step::Directory;
        if libc::chdir(launch.program.directory.as_ptr()) == 0 {
            step = Step::Exec;
            libc::execve(launch.program.path.as_ptr(), launch.argv, launch.env);
        }
        launch.failure = Some((step, *libc::__errno_location()));
        libc::_exit(128)
    }
}

/// Makes this process the adoptive parent of its descendants' orphans.
pub(super) fn become_subreaper() {
    // SAFETY: a plain prctl without pointers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// A UTS namespace of our own with that hostname; needs root, and is given up silently where it is refused. Of a pod
/// before nobody is left who could see its name in it.
pub(super) fn set_hostname(hostname: &str) {
    if nix::unistd::geteuid().is_root() && nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).is_ok() {
        let _ = nix::unistd::sethostname(hostname);
    }
}

/// The name under which `ps` shows this process.
pub(super) fn set_process_name(name: &CStr) {
    // SAFETY: prctl copies at most 16 bytes from the NUL-terminated string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// A descriptor for a process: signals sent through it cannot reach another that got its pid.
///
/// # Errors
/// No such process.
pub(super) fn pidfd_of(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: a plain system call; the descriptor it returns is new and ours.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd as RawFd)) }
    }
}

/// Whether signals can be sent through descriptors of processes.
///
/// # Errors
/// The kernel, or a filter of system calls, refuses.
pub(super) fn can_signal(process: &OwnedFd) -> io::Result<()> {
    // SAFETY: signal 0 is only a check; no structure is passed.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            0,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Whether ranges of descriptors can be closed at once.
///
/// # Errors
/// The kernel, or a filter of system calls, refuses.
pub(super) fn can_close_ranges() -> io::Result<()> {
    // SAFETY: no process can have a descriptor of that number, so nothing is closed.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, RawFd::MAX, RawFd::MAX, 0) };
    if closed < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What a signal that asks a supervisor to stop its pod carries: how long the pod's processes may take, and which pod is
/// meant, for the supervisor may have taken another since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StopRequest {
    pod: u32,
    grace_seconds: i32,
}

impl StopRequest {
    fn new(pod_uid: &str, grace_seconds: i64) -> Self {
        // Plus one: a request is never zero, which is what a plain SIGTERM carries.
        let grace_seconds = grace_seconds.clamp(0, i64::from(i32::MAX) - 1) as i32 + 1;
        Self { pod: fingerprint(pod_uid), grace_seconds }
    }

    fn encode(self) -> u64 {
        u64::from(self.pod) << 32 | u64::from(self.grace_seconds as u32)
    }

    /// Reads a signal's value.
    pub(super) fn decode(value: u64) -> Self {
        Self { pod: (value >> 32) as u32, grace_seconds: value as u32 as i32 }
    }

    /// Whether this pod is meant.
    pub(super) fn is_for(self, pod_uid: &str) -> bool {
        self.pod == fingerprint(pod_uid)
    }

    /// The seconds between SIGTERM and SIGKILL.
    pub(super) fn grace_seconds(self) -> i64 {
        i64::from(self.grace_seconds) - 1
    }
}

/// FNV-1a: enough to tell a pod from the one before it.
fn fingerprint(uid: &str) -> u32 {
    uid.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Asks a supervisor to stop its pod within `grace_seconds`. One that has another pod by now ignores it.
///
/// # Errors
/// The process is gone or not ours.
pub fn request_stop(supervisor: &OwnedFd, pod_uid: &str, grace_seconds: i64) -> io::Result<()> {
    // SAFETY: siginfo_t is plain data; the kernel reads code, pid, uid and value from it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        info.si_signo = libc::SIGTERM;
        info.si_code = libc::SI_QUEUE;
        let fields = (&raw mut info).cast::<i32>();
        // siginfo_t on 64-bit Linux: signo, errno, code, padding, pid, uid, value.
        fields.add(4).write(libc::getpid());
        fields.add(5).write(libc::getuid() as i32);
        fields.add(6).cast::<u64>().write(StopRequest::new(pod_uid, grace_seconds).encode());
        let sent = libc::syscall(
            libc::SYS_pidfd_send_signal,
            supervisor.as_raw_fd(),
            libc::SIGTERM,
            &raw const info,
            0,
        );
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_to_stop_names_its_pod_and_the_time_it_has() {
        for grace in [0, 1, 30, i64::from(i32::MAX)] {
            let request = StopRequest::decode(StopRequest::new("one", grace).encode());
            assert_ne!(request.encode(), 0);
            assert_eq!(request.grace_seconds(), grace.min(i64::from(i32::MAX) - 1));
            assert!(request.is_for("one") && !request.is_for("two"));
        }
    }
}
