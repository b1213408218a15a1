//! The system calls that need `unsafe`: forking, what a child does before exec, and signals through pidfds.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;

use nix::sys::signal::{SigSet, SigmaskHow};
use nix::unistd::{ForkResult, Pid};

use super::actions::CredentialsRun;

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

/// Where between fork and exec a container failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Fork,
    Directory,
    Credentials,
    Exec,
}

/// What a process finds in its own view of the file system.
pub(super) struct Entered {
    /// The program.
    pub(super) path: CString,
    /// Where it starts, if not where it was to.
    pub(super) directory: Option<CString>,
}

/// A container's process, ready to be started: everything is allocated before the fork.
pub(super) struct Program {
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
    directory: CString,
    /// The name that it sees as its host's, where the platform allows to set one.
    hostname: Option<CString>,
    umask: libc::mode_t,
    credentials: Option<CredentialsRun>,
}

impl Program {
    /// # Errors
    /// A word with a NUL byte in it.
    pub(super) fn new(
        path: &str,
        (argv, env): (&[String], &[(String, String)]),
        directory: &str,
        hostname: &str,
        umask: u32,
        credentials: Option<&CredentialsRun>,
    ) -> Result<Self, std::ffi::NulError> {
        let may_name_host = nix::unistd::geteuid().is_root();
        Ok(Self {
            hostname: may_name_host.then(|| CString::new(hostname)).transpose()?,
            umask: umask & 0o777,
            credentials: credentials.cloned(),
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
    pub(super) fn start_prepared(
        &self,
        (stdout, stderr): (&OwnedFd, &OwnedFd),
        enter: impl FnOnce() -> Result<Entered, String>,
        failed: impl FnOnce(Step, &CStr, io::Error) -> String,
    ) -> io::Result<Result<Pid, String>> {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        let parent = nix::unistd::getpid().as_raw();
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let limits = standard_limits();
        let pid = fork_child(move || {
            let (stdout, stderr) = (stdout.as_raw_fd(), stderr.as_raw_fd());
            let launch = Launch {
                program: self,
                argv: argv.as_ptr(),
                env: env.as_ptr(),
                stdout,
                stderr,
                parent,
                limits,
                failure: None,
            };
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

    /// Starts the process: a session of its own, killed when this process dies, output into the two descriptors.
    ///
    /// The child borrows our memory until it execs (as posix_spawn does, which has no PR_SET_PDEATHSIG): nothing is
    /// copied, and no page of ours is written twice because of it.
    pub(super) fn start(&self, stdout: &OwnedFd, stderr: &OwnedFd) -> Result<Pid, (Step, io::Error)> {
        let (argv, env) = (pointers(&self.argv), pointers(&self.env));
        let mut launch = Launch {
            program: self,
            argv: argv.as_ptr(),
            env: env.as_ptr(),
            stdout: stdout.as_raw_fd(),
            stderr: stderr.as_raw_fd(),
            parent: nix::unistd::getpid().as_raw(),
            limits: standard_limits(),
            failure: None,
        };
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

/// What the child needs, in the memory that it shares with us until it execs.
struct Launch<'a> {
    program: &'a Program,
    argv: *const *const libc::c_char,
    env: *const *const libc::c_char,
    stdout: RawFd,
    stderr: RawFd,
    parent: libc::pid_t,
    limits: &'a [Limit],
    /// Set by the child when it could not exec.
    failure: Option<(Step, i32)>,
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
        libc::setpriority(libc::PRIO_PROCESS, 0, 0);
        libc::umask(launch.program.umask);
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
        libc::dup2(null, 0);
        libc::dup2(launch.stdout, 1);
        libc::dup2(launch.stderr, 2);
        close_from(3);
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

/// Makes this process the adoptive parent of its descendants' orphans.
pub(super) fn become_subreaper() {
    // SAFETY: a plain prctl without pointers.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
}

/// A resource, what a container should have of it, and what this user can give it in any case.
type Limit = (libc::__rlimit_resource_t, libc::rlimit, libc::rlimit);

/// Open files of a container at first, and how far it may raise that.
const OPEN_FILES: libc::rlimit = libc::rlimit { rlim_cur: 65_536, rlim_max: 1_048_576 };
/// Stack of a container's threads.
const STACK: libc::rlim_t = 8 << 20;

/// The limits of every container, whoever has started us: none, but for the usual bounds on open files and stacks, and without
/// core dumps. Only who has CAP_SYS_RESOURCE, as root mostly, can raise a hard limit: of others the inherited ones stay.
fn standard_limits() -> &'static [Limit] {
    static LIMITS: OnceLock<Vec<Limit>> = OnceLock::new();
    LIMITS.get_or_init(|| {
        let resources = [
            libc::RLIMIT_AS,
            libc::RLIMIT_CORE,
            libc::RLIMIT_CPU,
            libc::RLIMIT_DATA,
            libc::RLIMIT_FSIZE,
            libc::RLIMIT_MEMLOCK,
            libc::RLIMIT_NOFILE,
            libc::RLIMIT_NPROC,
            libc::RLIMIT_STACK,
        ];
        resources.into_iter().filter_map(standard_limit).collect()
    })
}

fn standard_limit(resource: libc::__rlimit_resource_t) -> Option<Limit> {
    let mut inherited = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is ours and lives through the call.
    if unsafe { libc::getrlimit(resource, &raw mut inherited) } != 0 {
        return None;
    }
    let none = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    let wanted = match resource {
        libc::RLIMIT_CORE => libc::rlimit { rlim_cur: 0, ..none },
        libc::RLIMIT_STACK => libc::rlimit { rlim_cur: STACK, ..none },
        libc::RLIMIT_NOFILE => OPEN_FILES,
        _ => none,
    };
    let possible =
        libc::rlimit { rlim_cur: wanted.rlim_cur.min(inherited.rlim_max), rlim_max: inherited.rlim_max };
    Some((resource, wanted, possible))
}

/// How much of the stack may have been used below where it is now.
const USED_STACK: usize = 256 << 10;
/// What a function may use of the stack below its own frame without saying so.
const RED_ZONE: usize = 128;

/// Gives memory that is free back to the system: a process that is going to sleep for long needs little. Of the stack that
/// is what deeper calls have used.
#[inline(never)]
pub(super) fn release_free_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it only looks at the allocator's own lists.
    unsafe {
        libc::malloc_trim(0);
    }
    let here = 0_u8;
    let page =
        nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten().unwrap_or(4096) as usize;
    // The call below needs a little itself: a page is left for it.
    let end = ((&raw const here).addr() - RED_ZONE) / page * page - page;
    // SAFETY: nothing lives below the frame of the function that runs; these pages read as zeros when they are used again.
    // Where the stack does not reach so far down, nothing is mapped, and nothing happens there.
    unsafe {
        libc::madvise((end - USED_STACK) as *mut libc::c_void, USED_STACK, libc::MADV_DONTNEED);
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

/// Has the kernel send SIGIO when something is removed from a directory, as long as the returned descriptor is open. It
/// takes no instance of inotify, of which a user has 128.
///
/// # Errors
/// The directory cannot be opened, or the kernel was built without this.
pub(super) fn signal_removals(directory: &std::path::Path) -> io::Result<OwnedFd> {
    let file = std::fs::File::open(directory)?;
    // SAFETY: a plain system call on a descriptor that is ours.
    let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_NOTIFY, DN_DELETE | DN_MULTISHOT) };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(file.into()) }
}

/// Bits of `F_NOTIFY` (linux/fcntl.h) that the libc crate does not have: something was removed; go on after the first time.
const DN_DELETE: libc::c_int = 0x8;
const DN_MULTISHOT: libc::c_int = i32::MIN;

/// Where the words of this process's command line lie, from its start on.
static TITLE: OnceLock<Option<(usize, usize)>> = OnceLock::new();

/// What `ps` shows of this process as its command line: as much of it as has room where that lies.
pub fn set_title(title: &str) {
    let area = TITLE.get_or_init(|| {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // After the name in brackets, fields are counted from the third on.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let (start, end): (usize, usize) = (fields.get(45)?.parse().ok()?, fields.get(46)?.parse().ok()?);
        (start != 0 && end > start).then_some((start, end))
    });
    let Some((start, end)) = *area else { return };
    let length = title.len().min(end - start - 1);
    // SAFETY: the kernel laid the command line's words out there, writable and ours for life; nobody keeps references into
    // it (Rust hands out copies). The area ends with a NUL, which stays.
    unsafe {
        let words = std::ptr::with_exposed_provenance_mut::<u8>(start);
        std::ptr::copy_nonoverlapping(title.as_ptr(), words, length);
        std::ptr::write_bytes(words.add(length), 0, end - start - length);
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
    send_signal(process, 0)
}

/// Sends a signal through a process's descriptor: it cannot reach another that got its pid.
///
/// # Errors
/// The process is gone or not ours.
pub(super) fn send_signal(process: &OwnedFd, signal: i32) -> io::Result<()> {
    // SAFETY: no structure is passed.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
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
