//! The kubelet process: a small one that forks supervisors, so that the size of the controller's state never appears
//! in a fork (measured: mechanisms 3).

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use super::actions::PodRun;
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
        let body = serde_json::to_vec(run).context("encode the pod")?;
        let mut frame = Vec::with_capacity(body.len() + 4);
        frame.extend_from_slice(&(body.len() as u32).to_le_bytes());
        frame.extend_from_slice(&body);
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
    let config = supervisor::Config { root: PathBuf::from(root), background };
    let mut supervisors: HashMap<Pid, String> = HashMap::new();
    let mut unread = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let mut fds =
            [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(ended.as_fd(), PollFlags::POLLIN)];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let (asked, died) = (fds[0].any() == Some(true), fds[1].any() == Some(true));
        if died {
            while let Ok(Some(_)) = ended.read_signal() {}
            while let Some((pid, code)) = next_ended_child() {
                let uid = supervisors.remove(&pid);
                if let (Some(uid), true) = (uid, code != 0) {
                    let _ = socket.write_all(format!("{uid}\n").as_bytes());
                }
            }
        }
        if !asked {
            continue;
        }
        let count = match socket.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        unread.extend_from_slice(&buffer[..count]);
        let mut at = 0;
        while let Some(length) = unread.get(at..at + 4) {
            let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
            let Some(body) = unread.get(at + 4..at + 4 + length) else { break };
            let run: PodRun = serde_json::from_slice(body)?;
            let uid = run.uid.clone();
            let forked = fork_child(|| supervisor::main(&config, &run));
            match forked {
                Ok(pid) => {
                    supervisors.insert(pid, uid);
                }
                // Out of processes: reported as a death, so the pod fails as lost and its Job retries.
                Err(_) => {
                    let _ = socket.write_all(format!("{uid}\n").as_bytes());
                }
            }
            at += 4 + length;
        }
        unread.drain(..at);
    }
}
