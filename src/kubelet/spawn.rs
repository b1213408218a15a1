//! The system calls that need `unsafe`: forking, what a child does before exec, and signals through pidfds.
#![allow(unsafe_code)]

mod limits;
mod program;
mod signals;
mod this_process;

use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, Pid};

pub(super) use program::{Confinement, Entered, Program, Step, Streams};
pub use signals::request_stop;
pub(super) use signals::{
    Announcement, StopRequest, can_signal, pidfd_of, request_visit, send_signal, signal_removals,
};
pub use this_process::set_title;
pub(super) use this_process::{become_subreaper, release_free_memory, set_process_name};

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

/// Forks a process that does something for a container, and ends with its parent.
pub(super) fn fork_helper(work: impl FnOnce() -> i32) -> nix::Result<Pid> {
    let parent = nix::unistd::getpid().as_raw();
    fork_child(|| {
        // SAFETY: system calls on this process alone.
        unsafe { begin_session(parent) };
        reset_signals();
        work()
    })
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

/// Takes a descriptor that a system call has just made: nix hands some out as plain numbers.
pub(super) fn owned(descriptor: RawFd) -> OwnedFd {
    // SAFETY: callers have just got it from the kernel, and nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Enough for a few system calls.
const CHILD_STACK: usize = 16 << 10;

/// Words as exec takes them: a null-terminated list of pointers to them.
fn pointers(words: &[CString]) -> Vec<*const libc::c_char> {
    words.iter().map(|word| word.as_ptr()).chain([std::ptr::null()]).collect()
}

/// Starts a child that borrows our memory until it execs or ends, and returns when it has; negative where it cannot be started.
///
/// # Safety
/// `run` makes system calls only, up to exec or _exit, and `what` is what it takes.
unsafe fn clone_until_exec(
    flags: libc::c_int,
    run: extern "C" fn(*mut libc::c_void) -> libc::c_int,
    what: *mut libc::c_void,
) -> libc::pid_t {
    // Not zeroed: pages that the child does not touch cost nothing.
    let mut stack = Vec::<u8>::with_capacity(CHILD_STACK);
    let flags = flags | libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: CLONE_VFORK suspends this process until the child has called exec or _exit, so `what` and `stack` outlive the
    // child's use of them. Stacks grow down from the top, which is aligned here.
    unsafe {
        let top = stack.as_mut_ptr().add(CHILD_STACK);
        let top = top.sub(top.addr() % 16);
        libc::clone(run, top.cast(), flags, what)
    }
}

/// A session of its own, which ends with its parent.
///
/// # Safety
/// To be called in a child before exec.
unsafe fn begin_session(parent: libc::pid_t) {
    // SAFETY: plain system calls.
    unsafe {
        libc::setsid();
        die_with_parent(parent);
    }
}

/// # Safety
/// To be called in a child before exec.
unsafe fn die_with_parent(parent: libc::pid_t) {
    // SAFETY: plain system calls.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != parent {
            libc::_exit(137);
        }
    }
}

/// The next child that has ended, without waiting, and its raw wait status: signals beyond those with names (the real-time
/// ones) are causes of death like any other.
pub(super) fn wait_for_any() -> Option<(Pid, i32)> {
    loop {
        let mut status = 0;
        // SAFETY: the status is ours and lives through the call.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
        match pid {
            0 => return None,
            pid if pid > 0 => return Some((Pid::from_raw(pid), status)),
            _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
            _ => return None,
        }
    }
}

/// Takes a child's wait status, where it has ended.
pub(super) fn reap_one(pid: Pid) {
    let mut status = 0;
    // SAFETY: the status is ours and lives through the call.
    unsafe { libc::waitpid(pid.as_raw(), &raw mut status, libc::WNOHANG) };
}

/// Waits for the end of a child, whatever it dies of.
pub(super) fn wait_for(pid: Pid) {
    let mut status = 0;
    // SAFETY: the status is ours and lives through the call.
    while unsafe { libc::waitpid(pid.as_raw(), &raw mut status, 0) } < 0
        && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
    {}
}

/// The exit code that a wait status stands for, 128 and the signal's number for a death by a signal; `None` for a process that
/// has only stopped or gone on.
pub(super) fn exit_code(status: i32) -> Option<i32> {
    if libc::WIFEXITED(status) {
        Some(libc::WEXITSTATUS(status))
    } else if libc::WIFSIGNALED(status) {
        Some(128 + libc::WTERMSIG(status))
    } else {
        None
    }
}

/// Whose child a process of ours is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parent {
    /// Ours.
    Us,
    /// Our parent's, so that it is none of those that a supervisor ends with its pod.
    OurParent,
}

/// Starts our own program anew, to outlive us: a session of its own, no terminal, none of our descriptors, `/` as directory.
/// `argv` and `env` are whole. No page of ours is copied for it.
///
/// # Errors
/// The program cannot be started.
pub(super) fn start_anew(argv: &[CString], env: &[CString], parent: Parent) -> io::Result<libc::pid_t> {
    let (argv, env) = (pointers(argv), pointers(env));
    let mut start = Anew { argv: argv.as_ptr(), env: env.as_ptr(), failure: 0 };
    let flags = if parent == Parent::OurParent { libc::CLONE_PARENT } else { 0 };
    // A handler of ours must not run in the child, in our memory.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    // SAFETY: `anew_in_child` takes an `Anew`, which lives here until the child has called exec or _exit. Other threads may
    // go on meanwhile: the child touches nothing but its own stack and this structure.
    let pid = unsafe { clone_until_exec(flags, anew_in_child, (&raw mut start).cast()) };
    let error = io::Error::last_os_error();
    before.thread_set_mask()?;
    match start.failure {
        _ if pid < 0 => Err(error),
        0 => Ok(pid),
        number => {
            if parent == Parent::Us {
                let _ = nix::sys::wait::waitpid(nix::unistd::Pid::from_raw(pid), None);
            }
            Err(io::Error::from_raw_os_error(number))
        }
    }
}

struct Anew {
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    failure: i32,
}

extern "C" fn anew_in_child(start: *mut libc::c_void) -> libc::c_int {
    // SAFETY: `start` is the structure that `start_anew` passed, used by nobody else while we run; its pointers are
    // null-terminated lists of C strings.
    unsafe {
        let start = &mut *start.cast::<Anew>();
        libc::setsid();
        reset_signals();
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for standard in 0..3 {
            libc::dup2(null, standard);
        }
        libc::chdir(c"/".as_ptr());
        close_from(3);
        libc::execve(c"/proc/self/exe".as_ptr(), start.argv, start.env);
        start.failure = *libc::__errno_location();
        libc::_exit(1)
    }
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
