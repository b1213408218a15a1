//! The kubelet process: a small one that forks supervisors, so that the size of the controller's state never appears
//! in a fork (measured: mechanisms 3).

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;

use super::actions::PodRun;
use super::pool::Pool;
use super::processes::{kill_descendants, next_ended_child};
use super::spawn::{become_background, become_subreaper, fork_child, set_process_name, set_title, wait_for};
use super::supervisor;

/// Our end of the kubelet process. Dropping it ends that process; the supervisors go on. Neither end ever waits for the other:
/// what cannot be sent at once stays in a queue until it can.
#[derive(Debug)]
pub struct Launcher {
    socket: UnixStream,
    unread: Vec<u8>,
    unsent: VecDeque<u8>,
    process: Pid,
}

/// How much may wait to be sent to the kubelet process: descriptions of some thousand pods.
const MOST_UNSENT: usize = 8 << 20;
/// How much may wait to be sent to the controller before the kubelet process takes on more pods.
const MOST_UNTOLD: usize = 256 << 10;
/// How much is sent or received by one call.
const CHUNK: usize = 64 << 10;

impl Launcher {
    /// Forks the kubelet process. To be called before this process loads any state or starts a thread.
    /// `background`: whether a supervisor that finds no controller running at its end may start one.
    ///
    /// # Errors
    /// Failing system calls.
    pub fn start(root: &Path, background: bool) -> Result<Self> {
        let (ours, theirs) = UnixStream::pair().context("create the kubelet's socket")?;
        for end in [&ours, &theirs] {
            end.set_nonblocking(true).context("set up the kubelet's socket")?;
        }
        let root = root.to_owned();
        let process = fork_child(|| {
            become_background(&[theirs.as_raw_fd()]);
            set_process_name(c"jobctl-kubelet");
            set_title(&format!("jobctl: kubelet of {}", root.display()));
            // A supervisor that is killed leaves its pod's processes to us.
            become_subreaper();
            i32::from(serve(theirs, &root, background).is_err())
        })
        .context("start the kubelet process")?;
        Ok(Self { socket: ours, unread: Vec::new(), unsent: VecDeque::new(), process })
    }

    /// Asks for a supervisor for a pod. Returns before it runs. False where so much is under way that this has to be asked again
    /// later.
    ///
    /// # Errors
    /// The kubelet process is gone.
    pub fn launch(&mut self, run: &PodRun) -> Result<bool> {
        if self.unsent.len() > MOST_UNSENT {
            self.send()?;
            return Ok(false);
        }
        let mut frame = vec![0; size_of::<u32>()];
        // The uid comes first, so that the kubelet process need not read the rest.
        frame.extend_from_slice(run.uid.as_bytes());
        frame.push(b'\n');
        serde_json::to_writer(&mut frame, run).context("encode the pod")?;
        let length = (frame.len() - size_of::<u32>()) as u32;
        frame[..size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
        self.unsent.extend(frame);
        self.send()?;
        Ok(true)
    }

    fn send(&mut self) -> Result<()> {
        send_some(&mut self.socket, &mut self.unsent).context("reach the kubelet process")
    }

    /// The uids of pods whose supervisors have died without doing their work, since the last call. Sends on what could not be
    /// sent.
    ///
    /// # Errors
    /// The kubelet process is gone.
    pub fn deaths(&mut self) -> Result<Vec<String>> {
        let read = receive_some(&mut self.socket, &mut self.unread);
        self.send()?;
        if read.context("the kubelet process is gone")? == Received::End {
            bail!("the kubelet process is gone");
        }
        let whole = memchr::memrchr(b'\n', &self.unread).map_or(0, |newline| newline + 1);
        let text: Vec<u8> = self.unread.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
    }

    /// Ready when there are deaths to hear of, or when more can be sent.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// What to wait for on the descriptor.
    pub fn wants(&self) -> PollFlags {
        if self.unsent.is_empty() { PollFlags::POLLIN } else { PollFlags::POLLIN | PollFlags::POLLOUT }
    }

    /// Ends the kubelet process and waits until it has forked every supervisor asked for.
    pub fn finish(mut self) {
        while !self.unsent.is_empty() && self.deaths().is_ok() {
            let mut fds = [PollFd::new(self.socket.as_fd(), self.wants())];
            let _ = poll(&mut fds, PollTimeout::NONE);
        }
        let _ = self.socket.shutdown(std::net::Shutdown::Write);
        // It may have deaths to tell until its end.
        let _ = self.socket.set_nonblocking(false);
        let _ = io::copy(&mut self.socket, &mut io::sink());
        wait_for(self.process);
    }
}

/// Sends as much of a queue as can be sent without waiting.
fn send_some(socket: &mut UnixStream, unsent: &mut VecDeque<u8>) -> io::Result<()> {
    while !unsent.is_empty() {
        let (first, _) = unsent.as_slices();
        match socket.write(&first[..first.len().min(CHUNK)]) {
            Ok(count) => {
                unsent.drain(..count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the other end will send more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    More,
    End,
}

/// Takes in what can be received without waiting, up to some chunks.
fn receive_some(socket: &mut UnixStream, unread: &mut Vec<u8>) -> io::Result<Received> {
    let mut buffer = vec![0; CHUNK];
    for _ in 0..16 {
        match socket.read(&mut buffer) {
            Ok(0) => return Ok(Received::End),
            Ok(count) => unread.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Received::More)
}

/// The kubelet process.
struct Kubelet {
    socket: UnixStream,
    ended: SignalFd,
    pool: Pool,
    unread: Vec<u8>,
    /// Uids of pods without a supervisor, a line each, on their way to the controller.
    untold: VecDeque<u8>,
}

fn serve(socket: UnixStream, root: &Path, background: bool) -> Result<()> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGCHLD);
    mask.thread_block().context("block SIGCHLD")?;
    let ended = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
    let pool = Pool::new(supervisor::Config { root: root.to_owned(), background })?;
    let mut kubelet = Kubelet { socket, ended, pool, unread: Vec::new(), untold: VecDeque::new() };
    while kubelet.work()? {}
    Ok(())
}

impl Kubelet {
    /// Waits for something to do and does it. False once the controller wants nothing more.
    fn work(&mut self) -> Result<bool> {
        let mut wants = PollFlags::empty();
        wants.set(PollFlags::POLLOUT, !self.untold.is_empty());
        // A controller that hears nothing gets nothing more done for it until it does.
        let takes_more = self.untold.len() < MOST_UNTOLD;
        wants.set(PollFlags::POLLIN, takes_more);
        let mut fds = [
            PollFd::new(self.socket.as_fd(), wants),
            PollFd::new(self.ended.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.pool.as_fd(), PollFlags::POLLIN),
        ];
        match poll(&mut fds, PollTimeout::NONE) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let (asked, died) = (fds[0].any() == Some(true), fds[1].any() == Some(true));
        // First what they have said, then who has died: a supervisor speaks before it dies.
        self.pool.hear();
        if died {
            self.hear_of_deaths();
        }
        if asked && takes_more {
            let received = receive_some(&mut self.socket, &mut self.unread)?;
            self.take_requests()?;
            if received == Received::End {
                // Whoever has left by now has said so: what was handed to them is taken by others.
                self.pool.hear();
                self.tell_the_rest();
                return Ok(false);
            }
        }
        send_some(&mut self.socket, &mut self.untold)?;
        Ok(true)
    }

    fn hear_of_deaths(&mut self) {
        while let Ok(Some(_)) = self.ended.read_signal() {}
        let mut was_killed = false;
        while let Some((pid, code)) = next_ended_child() {
            was_killed |= code != 0 && self.pool.is_supervisor(pid);
            for uid in self.pool.ended(pid, code) {
                self.tell(&uid);
            }
        }
        if was_killed {
            // What a killed supervisor has left of its pod has come to us, also what has cleared its environment.
            kill_descendants(&self.pool.supervisors());
        }
    }

    fn take_requests(&mut self) -> Result<()> {
        let unread = std::mem::take(&mut self.unread);
        let mut at = 0;
        while let Some((frame, length)) = next_frame(&unread[at..]) {
            let newline = memchr::memchr(b'\n', frame).context("a frame without a uid")?;
            let uid = std::str::from_utf8(&frame[..newline])?;
            if self.pool.launch(uid, &frame[newline + 1..]).is_err() {
                // Out of processes: told as a death; a pod that nobody has claimed is started again.
                self.tell(uid);
            }
            at += length;
        }
        self.unread = unread;
        self.unread.drain(..at);
        Ok(())
    }

    /// Says that a pod may be without a supervisor.
    fn tell(&mut self, uid: &str) {
        self.untold.extend(uid.bytes());
        self.untold.push_back(b'\n');
    }

    /// At the end the controller only listens.
    fn tell_the_rest(&mut self) {
        let _ = self.socket.set_nonblocking(false);
        let rest: Vec<u8> = self.untold.drain(..).collect();
        let _ = self.socket.write_all(&rest);
    }
}

/// The first whole frame of what has been read, and how many bytes it takes there.
fn next_frame(unread: &[u8]) -> Option<(&[u8], usize)> {
    let (length, rest) = unread.split_first_chunk()?;
    let length = u32::from_le_bytes(*length) as usize;
    Some((rest.get(..length)?, size_of::<u32>() + length))
}
