//! Bytes that go between this process's standard streams and a program in a pod, each way by a thread of its own: whoever
//! does not read holds nobody else up.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

const CHUNK: usize = 64 << 10;

/// Copies standard input, until its end or that of whoever reads it there; does `then` after it. It is not waited for: this process
/// may end before its input does.
///
/// # Errors
/// No thread can be started.
pub(super) fn from_stdin(to: OwnedFd, then: impl FnOnce() + Send + 'static) -> Result<()> {
    let copy = move || {
        copy_stdin(&to);
        drop(to);
        then();
    };
    std::thread::Builder::new().name("stdin".into()).spawn(copy).context("start a thread")?;
    Ok(())
}

fn copy_stdin(to: &OwnedFd) {
    let mut buffer = vec![0; CHUNK];
    loop {
        match io::stdin().lock().read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if write_all(to.as_fd(), &buffer[..count]).is_err() => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// What a program writes, copied to this process's output.
#[derive(Debug)]
pub(super) struct Outputs {
    /// Closed when nothing more is to be waited for.
    go_on: Option<OwnedFd>,
    /// Readable when something could not be written; the other end is ours too, so that it never ends.
    news: (OwnedFd, OwnedFd),
    copiers: Vec<JoinHandle<io::Result<()>>>,
}

impl Outputs {
    /// Begins to copy, each descriptor to where it belongs.
    ///
    /// # Errors
    /// Failing system calls.
    pub(super) fn copy(outputs: Vec<(OwnedFd, To)>) -> Result<Self> {
        let pipe = || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).context("make a pipe");
        let ((over, go_on), (news, tell)) = (pipe()?, pipe()?);
        let mut copiers = Vec::new();
        for (from, to) in outputs {
            let copy = |error| format!("copy a descriptor: {error}");
            let over = over.try_clone().map_err(|error| anyhow::anyhow!(copy(error)))?;
            let tell = tell.try_clone().map_err(|error| anyhow::anyhow!(copy(error)))?;
            let work = move || {
                let done = copy_all(&File::from(from), to, over.as_fd());
                if done.is_err() {
                    let _ = nix::unistd::write(&tell, b"!");
                }
                done
            };
            copiers.push(
                std::thread::Builder::new().name("output".into()).spawn(work).context("start a thread")?,
            );
        }
        Ok(Self { go_on: Some(go_on), news: (news, tell), copiers })
    }

    /// Readable when nobody reads our output any more.
    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.news.0.as_fd()
    }

    /// Copies what is there still. Others may hold the descriptors open: they are not waited for.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.go_on = None;
        let ended = self.copiers.drain(..).map(|copier| copier.join().unwrap_or(Ok(())));
        ended.collect::<Vec<_>>().into_iter().collect()
    }
}

/// Where a program's output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Stdout,
    Stderr,
}

fn copy_all(mut from: &File, to: To, over: BorrowedFd<'_>) -> io::Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let mut fds = [PollFd::new(from.as_fd(), PollFlags::POLLIN), PollFd::new(over, PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        if fds[0].any() != Some(true) {
            return Ok(());
        }
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => write(to, &buffer[..count])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A terminal whose other end nobody has open any more.
            Err(_) => return Ok(()),
        }
    }
}

fn write(to: To, bytes: &[u8]) -> io::Result<()> {
    match to {
        To::Stdout => write_all(io::stdout().as_fd(), bytes),
        To::Stderr => write_all(io::stderr().as_fd(), bytes),
    }
}

/// Past the buffers of the standard library, which look for lines; also where somebody has made a descriptor one that does not
/// wait.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match nix::unistd::write(to, bytes) {
            Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::EAGAIN) => {
                poll(&mut [PollFd::new(to, PollFlags::POLLOUT)], PollTimeout::NONE)?;
            }
            written => bytes = &bytes[written?..],
        }
    }
    Ok(())
}
