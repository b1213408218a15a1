//! What a debug build can be made to do, so that tests can prove what is promised: die at any step, tell what is on the disk, live
//! by another clock.

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

/// Writes down how much of a journal is on the disk by now, where `JOBCTL_SYNC_LOG` names a file: so tests know what a power cut
/// would leave.
#[cfg(debug_assertions)]
pub(super) fn note_synced(journal: &std::fs::File, length: u64) {
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;
    let Some(log) = std::env::var_os("JOBCTL_SYNC_LOG") else { return };
    let path = std::fs::read_link(format!("/proc/self/fd/{}", journal.as_raw_fd())).unwrap_or_default();
    if let Ok(mut log) = std::fs::OpenOptions::new().create(true).append(true).open(log) {
        let _ = log.write_all(format!("{length} {}\n", path.display()).as_bytes());
    }
}

/// Does nothing: tests run debug builds.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(super) fn note_synced(_journal: &std::fs::File, _length: u64) {}

/// How far the clock has been set, in debug builds: the seconds in the file that `JOBCTL_CLOCK` names. So tests set the clock of a
/// world of their own.
#[cfg(debug_assertions)]
pub fn clock_offset() -> chrono::Duration {
    let file = std::env::var_os("JOBCTL_CLOCK");
    let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    chrono::Duration::seconds(text.trim().parse().unwrap_or(0))
}

/// The clock is the system's.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn clock_offset() -> chrono::Duration {
    chrono::Duration::zero()
}
