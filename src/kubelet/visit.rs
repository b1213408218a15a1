//! Visits to a running pod: what a command asks its supervisor for, and how the two find each other.
//!
//! A supervisor offers nothing that would have to be looked after while nobody comes. The visitor waits at a socket of his
//! own, in the abstract namespace under a name that the kernel picks, and tells the supervisor by a signal where. The
//! supervisor connects; each looks by SO_PEERCRED who the other is. A name has 20 bits, so it fits into the signal, no path
//! can be too long, and nothing is left on the disk whoever is killed. Requests and replies are whole messages
//! (SOCK_SEQPACKET); a request lies in a file in memory, for it may be as long as a command line, and what the visitor gives
//! the pod are descriptors. When either end is gone, the other hears of it.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, UnixAddr,
    accept4, bind, connect, getsockname, getsockopt, listen, recvmsg, sendmsg, socket, sockopt,
};
use rustix::fs::MemfdFlags;
use serde::{Deserialize, Serialize};

use super::observe::{Supervisor, supervisor_of};
use super::spawn::{owned, request_visit};
use crate::store::{PodDirectory, holder_of};

/// What a visitor wants of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VisitFor {
    /// A process beside those of the container. The descriptors that come with it are its standard input, output and error;
    /// or a terminal alone.
    Exec {
        /// Program and arguments.
        argv: Vec<String>,
        /// Variables that it has where the container has none of that name.
        env: Vec<(String, String)>,
        /// Whether the one descriptor is a terminal.
        is_terminal: bool,
    },
    /// To be told of its end, and to write to what it reads: that comes back as a descriptor, unless nobody may write to it (any
    /// more). What it writes is in its log.
    Attach {
        /// Whether he will write.
        stdin: bool,
    },
}

/// What a visitor asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisitRequest {
    /// The container, by name.
    pub container: String,
    /// What for.
    pub wants: VisitFor,
}

/// What a supervisor answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done, or has begun, in this run of the container.
    Granted {
        /// How often the container has been started anew.
        restart: i32,
    },
    /// There is no such container, or it does not run.
    NoContainer,
    /// It cannot be done; a sentence.
    Refused(String),
    /// What was begun has ended with this exit code.
    Ended(i32),
}

/// How long a supervisor may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is called: of several visitors at once it hears of one.
const CALL_INTERVAL: Duration = Duration::from_millis(50);
/// The most descriptors that come with a message.
const MOST_DESCRIPTORS: usize = 4;
/// The longest reply.
const LONGEST_REPLY: usize = 16 << 10;
/// The most characters of a reason: it may name what was asked for, and JSON takes up to six bytes for a character.
const LONGEST_REASON: usize = 2000;

/// What a visitor says when he has nothing more to write.
const INPUT_IS_OVER: &[u8] = b".";

/// Why nothing came of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoVisit {
    /// Nobody looks after the pod, or not yet: there is no such container.
    NoContainer,
    /// It was refused; a sentence.
    Refused(String),
}

/// A visit under way, as the visitor has it.
#[derive(Debug)]
pub struct Visit {
    socket: OwnedFd,
    /// How often the container has been started anew.
    pub restart: i32,
    /// What the supervisor has given.
    pub given: Vec<OwnedFd>,
}

impl Visit {
    /// Asks the supervisor of a pod. The inner error is its refusal.
    ///
    /// # Errors
    /// Failing system calls; a supervisor that does not come.
    pub fn begin(
        directory: &PodDirectory,
        pod_uid: &str,
        request: &VisitRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<Result<Self, NoVisit>> {
        let Some(socket) = call(directory, pod_uid)? else { return Ok(Err(NoVisit::NoContainer)) };
        let memory =
            rustix::fs::memfd_create("request", MemfdFlags::CLOEXEC).context("make a file in memory")?;
        let mut file = File::from(memory);
        serde_json::to_writer(&file, request).context("write the request")?;
        file.flush().context("write the request")?;
        let mut fds = vec![file.as_raw_fd()];
        fds.extend(descriptors.iter().map(AsRawFd::as_raw_fd));
        send(socket.as_fd(), b"?", &fds).context("ask the pod's supervisor")?;
        let mut visit = Self { socket, restart: 0, given: Vec::new() };
        match visit.hear()? {
            Some(Reply::Granted { restart }) => Ok(Ok(Self { restart, ..visit })),
            Some(Reply::Refused(why)) => Ok(Err(NoVisit::Refused(why))),
            Some(Reply::NoContainer | Reply::Ended(_)) | None => Ok(Err(NoVisit::NoContainer)),
        }
    }

    /// Waits for the next reply; nothing where the supervisor is gone.
    ///
    /// # Errors
    /// A reply that does not read.
    pub fn hear(&mut self) -> Result<Option<Reply>> {
        loop {
            if let Poll::Ready(reply) = self.hear_with(MsgFlags::empty())? {
                return Ok(reply);
            }
        }
    }

    /// The next reply, where there is one already.
    ///
    /// # Errors
    /// A reply that does not read.
    pub fn hear_if_ready(&mut self) -> Result<Poll<Option<Reply>>> {
        self.hear_with(MsgFlags::MSG_DONTWAIT)
    }

    fn hear_with(&mut self, flags: MsgFlags) -> Result<Poll<Option<Reply>>> {
        let mut buffer = vec![0; LONGEST_REPLY];
        let (count, given) = match receive(self.socket.as_fd(), &mut buffer, flags) {
            Ok(received) => received,
            Err(nix::errno::Errno::EAGAIN) => return Ok(Poll::Pending),
            Err(nix::errno::Errno::ECONNRESET) => return Ok(Poll::Ready(None)),
            Err(error) => return Err(error).context("hear from the pod's supervisor"),
        };
        self.given.extend(given);
        if count == 0 {
            return Ok(Poll::Ready(None));
        }
        let reply =
            serde_json::from_slice(&buffer[..count]).context("read what the pod's supervisor says")?;
        Ok(Poll::Ready(Some(reply)))
    }

    /// By which the end of what is written to the container can be told, by another thread.
    ///
    /// # Errors
    /// This process may not open any more files.
    pub fn input_end(&self) -> io::Result<InputEnd> {
        self.socket.try_clone().map(InputEnd)
    }

    /// Readable when there is a reply, or the supervisor has gone.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The end of what a visitor writes.
#[derive(Debug)]
pub struct InputEnd(OwnedFd);

impl InputEnd {
    /// Says that nothing more comes.
    pub fn tell(self) {
        let _ = send(self.0.as_fd(), INPUT_IS_OVER, &[]);
    }
}

/// Waits until a pod's supervisor has come; nothing where there is none.
fn call(directory: &PodDirectory, pod_uid: &str) -> Result<Option<OwnedFd>> {
    let waiting = socket(
        AddressFamily::Unix,
        SockType::SeqPacket,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        None,
    )
    .context("make a socket")?;
    // The kernel picks the name.
    bind(waiting.as_raw_fd(), &UnixAddr::new_unnamed()).context("name a socket")?;
    let address: UnixAddr = getsockname(waiting.as_raw_fd()).context("find a socket's name")?;
    let place =
        address.as_abstract().and_then(|name| u32::from_str_radix(std::str::from_utf8(name).ok()?, 16).ok());
    let Some(place) = place else { bail!("find a socket's name: the kernel has picked none") };
    listen(&waiting, Backlog::new(1)?).context("wait at a socket")?;
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        let Supervisor::Alive(process) = supervisor_of(directory)? else { return Ok(None) };
        let Some(process) = process else {
            bail!(
                "the pod's supervisor cannot be reached from here: it runs in another PID namespace, or as somebody else"
            )
        };
        // One that has just ended is found to be gone the next time.
        let _ = request_visit(&process, pod_uid, place);
        let called = Instant::now();
        while called.elapsed() < CALL_INTERVAL {
            let timeout = PollTimeout::try_from(CALL_INTERVAL).unwrap_or(PollTimeout::ZERO);
            let _ = poll(&mut [PollFd::new(waiting.as_fd(), PollFlags::POLLIN)], timeout);
            let Ok(came) = accept4(waiting.as_raw_fd(), SockFlag::SOCK_CLOEXEC) else { continue };
            let came = owned(came);
            let who = getsockopt(&came, sockopt::PeerCredentials).context("look who has come")?;
            let is_it = holder_of(&directory.lock_path())? == Some(who.pid());
            if is_it && who.uid() == nix::unistd::geteuid().as_raw() {
                return Ok(Some(came));
            }
        }
    }
    bail!("the pod's supervisor does not answer")
}

fn send(socket: BorrowedFd<'_>, message: &[u8], descriptors: &[RawFd]) -> nix::Result<()> {
    let rights = [ControlMessage::ScmRights(descriptors)];
    let with = if descriptors.is_empty() { &[][..] } else { &rights[..] };
    let flags = MsgFlags::MSG_NOSIGNAL;
    sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(message)], with, flags, None).map(drop)
}

fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8], flags: MsgFlags) -> nix::Result<(usize, Vec<OwnedFd>)> {
    let mut space = nix::cmsg_space!([RawFd; MOST_DESCRIPTORS]);
    let mut into = [IoSliceMut::new(buffer)];
    let flags = flags | MsgFlags::MSG_CMSG_CLOEXEC;
    let received = loop {
        match recvmsg::<()>(socket.as_raw_fd(), &mut into, Some(&mut space), flags) {
            Err(nix::errno::Errno::EINTR) => {}
            received => break received?,
        }
    };
    let mut given = Vec::new();
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = message {
            given.extend(descriptors.into_iter().map(owned));
        }
    }
    Ok((received.bytes, given))
}

/// Somebody who visits a pod, as its supervisor has him.
#[derive(Debug)]
pub(super) struct Visitor {
    socket: OwnedFd,
}

/// What has come from a visitor.
#[derive(Debug)]
pub(super) enum Heard {
    /// Nothing yet.
    Nothing,
    /// What he wants, with the descriptors that he gives.
    Request(VisitRequest, Vec<OwnedFd>),
    /// He has nothing more to write.
    EndOfInput,
    /// He has gone, or is not understood.
    Gone,
}

impl Visitor {
    /// Goes to where a visitor waits; nothing where nobody does, or somebody else.
    pub(super) fn meet(place: u32) -> Option<Self> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::SeqPacket, flags, None).ok()?;
        let address = UnixAddr::new_abstract(format!("{place:05x}").as_bytes()).ok()?;
        connect(socket.as_raw_fd(), &address).ok()?;
        let who = getsockopt(&socket, sockopt::PeerCredentials).ok()?;
        (who.uid() == nix::unistd::geteuid().as_raw()).then_some(Self { socket })
    }

    /// What he says now.
    pub(super) fn hear(&self) -> Heard {
        let mut buffer = [0; 16];
        let (count, mut given) = match receive(self.socket.as_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
            Ok(received) => received,
            Err(nix::errno::Errno::EAGAIN) => return Heard::Nothing,
            Err(_) => return Heard::Gone,
        };
        if &buffer[..count] == INPUT_IS_OVER {
            return Heard::EndOfInput;
        }
        if count == 0 || given.is_empty() {
            return Heard::Gone;
        }
        match request_in(given.remove(0)) {
            Ok(request) => Heard::Request(request, given),
            Err(_) => {
                // From a newer program, mostly.
                self.tell(&Reply::Refused("the pod's supervisor does not know this request".into()), &[]);
                Heard::Gone
            }
        }
    }

    /// Tells him something. One who does not listen is not waited for.
    pub(super) fn tell(&self, reply: &Reply, give: &[RawFd]) {
        let text = match reply {
            Reply::Refused(why) => {
                serde_json::to_vec(&Reply::Refused(why.chars().take(LONGEST_REASON).collect()))
            }
            reply => serde_json::to_vec(reply),
        };
        let text = text.unwrap_or_default();
        let _ = send(self.socket.as_fd(), &text, give);
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn request_in(file: OwnedFd) -> io::Result<VisitRequest> {
    let mut file = File::from(file);
    file.seek(SeekFrom::Start(0))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}
