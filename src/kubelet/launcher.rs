//! The kubelet process: a small one that forks supervisors, so that the size of the controller's state never appears
//! in a fork (measured: mechanisms 3).

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use super::actions::PodRun;
use super::pool::Pool;
use super::processes::next_ended_child;
use super::spawn::{become_background, fork_child, set_process_name};
use super::supervisor;

/// Our end of the kubelet process. Dropping it ends that process; the supervisors go on.
#[derive(Debug)]
pub struct Launcher {
    socket: UnixStream,
    unread: Vec<u8>,
    process: Pid,
}

impl Launcher {
    /// Forks the kubelet process. To be called before this process loads any state or starts a thread.
    /// `background`: whether a supervisor that finds no controller running at its end may start one.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn start(root: &Path, background: bool) -> Result<Self> {
        let (ours, theirs) = UnixStream::pair().context("create the kubelet's socket")?;
        let root = root.to_owned();
        let process = fork_child(|| {
            become_background(&[theirs.as_raw_fd()]);
            set_process_name(c"jobctl-kubelet");
            i32::from(serve(theirs, &root, background).is_err())
        })
        .context("start the kubelet process")?;
        ours.set_nonblocking(false).context("set up the kubelet's socket")?;
        Ok(Self { socket: ours, unread: Vec::new(), process })
    }

    /// Asks for a supervisor for a pod. Returns before it runs.
    ///
    /// # Errors
    /// The kubelet process is gone.
    pub fn launch(&mut self, run: &PodRun) -> Result<()> {
        let mut frame = vec![0; size_of::<u32>()];
        // The uid comes first, so that the kubelet process need not read the rest.
        frame.extend_from_slice(run.uid.as_bytes());
        frame.push(b'\n');
        serde_json::to_writer(&mut frame, run).context("encode the pod")?;
        let length = (frame.len() - size_of::<u32>()) as u32;
        frame[..size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
        self.socket.write_all(&frame).context("reach the kubelet process")
    }

    /// The uids of pods whose supervisors have died without doing their work, since the last call.
    ///
    /// # Errors
    /// The kubelet process is gone.
    pub fn deaths(&mut self) -> Result<Vec<String>> {
        self.socket.set_nonblocking(true)?;
        let mut buffer = [0; 4096];
        let read = loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => break Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.unread.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.socket.set_nonblocking(false)?;
        read.context("the kubelet process is gone")?;
        let whole = memchr::memrchr(b'\n', &self.unread).map_or(0, |newline| newline + 1);
        let text: Vec<u8> = self.unread.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
    }

    /// Readable when there are deaths to hear of.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Ends the kubelet process and waits until it has forked every supervisor asked for.
    pub fn finish(self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        let _ = nix::sys::wait::waitpid(self.process, None);
    }
}

fn serve(mut socket: UnixStream, root: &Path, background: bool) -> Result<()> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().context("block SIGCHLD")?;
    let ended = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let mut pool = Pool::new(supervisor::Config { root: root.to_owned(), background })?;
    let mut unread = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut fds = [
            PollFd::new(socket.as_fd(), PollFlags::POLLIN),
            PollFd::new(ended.as_fd(), PollFlags::POLLIN),
            PollFd::new(pool.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let (asked, died) = (fds[0].any() == Some(true), fds[1].any() == Some(true));
        // First what they have said, then who has died: a supervisor speaks before it dies.
        pool.hear();
        if died {
            while let Ok(Some(_)) = ended.read_signal() {}
            while let Some((pid, code)) = next_ended_child() {
                for uid in pool.ended(pid, code) {
                    report_death(&mut socket, &uid);
                }
            }
        }
        if !asked {
            continue;
        }
        let count = match socket.read(&mut buffer) {
            Ok(0) => {
                // Whoever has left by now has said so: what was handed to them is taken by others.
                pool.hear();
                return Ok(());
            }
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        unread.extend_from_slice(&buffer[..count]);
        let mut at = 0;
        while let Some((frame, length)) = next_frame(&unread[at..]) {
            let newline = memchr::memchr(b'\n', frame).context("a frame without a uid")?;
            let uid = std::str::from_utf8(&frame[..newline])?;
            if pool.launch(uid, &frame[newline + 1..]).is_err() {
                // Out of processes: reported as a death, so the pod fails as lost and its Job retries.
                report_death(&mut socket, uid);
            }
            at += length;
        }
        unread.drain(..at);
    }
}

/// The first whole frame of what has been read, and how many bytes it takes there.
fn next_frame(unread: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = unread.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    Some((rest.get(..length)?, size_of::<u32>() + length))
}

fn report_death(socket: &mut UnixStream, uid: &str) {
    let _ = socket.write_all(format!("{uid}\n").as_bytes());
}
