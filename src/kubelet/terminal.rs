//! Pseudo-terminals: one end for a program, one for whoever talks with it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::pty::OpenptFlags;

/// A new terminal: the end of whoever talks with the program, and the program's own.
///
/// # Errors
/// The system has none left.
pub fn open_terminal() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&ours)?;
    rustix::pty::unlockpt(&ours)?;
    // Found by its descriptor: where it lies another file system may be mounted.
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags)?;
    Ok((ours, theirs))
}
