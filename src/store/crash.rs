//! Places at which a debug build can be made to die, so that tests can prove every step restartable.

/// Kills this process on the spot when `JOBCTL_CRASH_AT` names this point. Release builds have no such thing.
#[cfg(debug_assertions)]
pub fn crash_point(name: &str) {
    if std::env::var_os("JOBCTL_CRASH_AT").is_some_and(|wanted| wanted == name) {
        // SIGKILL runs no destructor and flushes nothing: as near to a power cut as a process gets.
        let _ = nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL);
    }
}

/// Does nothing: the points exist in debug builds only.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn crash_point(_name: &str) {}
