//! Signals through descriptors of processes, and what a request to stop a pod carries.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Has the kernel send SIGIO when something is removed from a directory, as long as the returned descriptor is open. It
/// takes no instance of inotify, of which a user has 128.
///
/// # Errors
/// The directory cannot be opened, or the kernel was built without this.
pub(in crate::kubelet) fn signal_removals(directory: &std::path::Path) -> io::Result<OwnedFd> {
    let file = std::fs::File::open(directory)?;
    // SAFETY: a plain system call on a descriptor that is ours.
    let set = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_NOTIFY, DN_DELETE | DN_MULTISHOT) };
    if set < 0 { Err(io::Error::last_os_error()) } else { Ok(file.into()) }
}

/// Bits of `F_NOTIFY` (linux/fcntl.h) that the libc crate does not have: something was removed; go on after the first time.
const DN_DELETE: libc::c_int = 0x8;
const DN_MULTISHOT: libc::c_int = i32::MIN;

/// A descriptor for a process: signals sent through it cannot reach another that got its pid.
///
/// # Errors
/// No such process.
pub(in crate::kubelet) fn pidfd_of(pid: i32) -> io::Result<OwnedFd> {
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
pub(in crate::kubelet) fn can_signal(process: &OwnedFd) -> io::Result<()> {
    send_signal(process, 0)
}

/// Sends a signal through a process's descriptor: it cannot reach another that got its pid.
///
/// # Errors
/// The process is gone or not ours.
pub(in crate::kubelet) fn send_signal(process: &OwnedFd, signal: i32) -> io::Result<()> {
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

/// What a signal that asks a supervisor to stop its pod carries: how long the pod's processes may take, and which pod is
/// meant, for the supervisor may have taken another since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kubelet) struct StopRequest {
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
    pub(in crate::kubelet) fn decode(value: u64) -> Self {
        Self { pod: (value >> 32) as u32, grace_seconds: value as u32 as i32 }
    }

    /// Whether this pod is meant.
    pub(in crate::kubelet) fn is_for(self, pod_uid: &str) -> bool {
        self.pod == fingerprint(pod_uid)
    }

    /// The seconds between SIGTERM and SIGKILL.
    pub(in crate::kubelet) fn grace_seconds(self) -> i64 {
        i64::from(self.grace_seconds) - 1
    }
}

/// What a signal that announces a visitor carries: whose pod is meant, and where he waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kubelet) struct Announcement {
    pod: u32,
    place: u32,
}

impl Announcement {
    fn encode(self) -> u64 {
        // Plus one: a plain signal carries zero.
        u64::from(self.pod) << 32 | (u64::from(self.place) + 1)
    }

    /// Reads a signal's value.
    pub(in crate::kubelet) fn decode(value: u64) -> Self {
        Self { pod: (value >> 32) as u32, place: (value as u32).wrapping_sub(1) }
    }

    /// Where he waits, if this pod is meant.
    pub(in crate::kubelet) fn place(self, pod_uid: &str) -> Option<u32> {
        (self.pod == fingerprint(pod_uid)).then_some(self.place)
    }
}

/// Tells a supervisor that somebody waits for it at a place. One that has another pod by now ignores it.
///
/// # Errors
/// The process is gone or not ours.
pub(in crate::kubelet) fn request_visit(supervisor: &OwnedFd, pod_uid: &str, place: u32) -> io::Result<()> {
    let request = Announcement { pod: fingerprint(pod_uid), place };
    send_value(supervisor, libc::SIGUSR1, request.encode())
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
    send_value(supervisor, libc::SIGTERM, StopRequest::new(pod_uid, grace_seconds).encode())
}

/// Sends a signal with a value.
fn send_value(process: &OwnedFd, signal: libc::c_int, value: u64) -> io::Result<()> {
    // SAFETY: siginfo_t is plain data; the kernel reads code, pid, uid and value from it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        info.si_signo = signal;
        info.si_code = libc::SI_QUEUE;
        let fields = (&raw mut info).cast::<i32>();
        // siginfo_t on 64-bit Linux: signo, errno, code, padding, pid, uid, value.
        fields.add(4).write(libc::getpid());
        fields.add(5).write(libc::getuid() as i32);
        fields.add(6).cast::<u64>().write(value);
        let sent =
            libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, &raw const info, 0);
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_names_its_pod_and_the_place() {
        for place in [0, 0xfffff] {
            let value = Announcement { pod: fingerprint("one"), place }.encode();
            assert_ne!(value, 0);
            assert_eq!(Announcement::decode(value).place("one"), Some(place));
            assert_eq!(Announcement::decode(value).place("two"), None);
        }
    }

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
