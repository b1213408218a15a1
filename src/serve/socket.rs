//! `exec` and `attach` over a WebSocket: the channels of `v4.channel.k8s.io` and `v5.channel.k8s.io`.
//!
//! Each message is the number of a channel and bytes: 0 is standard input, 1 and 2 are output, 3 is how it has ended, 4 the size
//! of the terminal. In the fifth version 255 ends a channel. What a container writes is never kept for a client that does not
//! read: of `exec` the program waits, of `attach` it is in the log.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::task::Poll;

use anyhow::{Context as _, Result, bail};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::socket::{Shutdown, shutdown};
use rustix::termios::{Winsize, tcsetwinsize};
use serde::Deserialize;
use serde_json::{Value, json};
use std::os::fd::AsRawFd as _;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;

use super::Server;
use super::aside::on_a_thread;
use super::dispatch::{Asked, Outcome};
use super::log::{container_of, pod_of};
use super::path::ObjectPath;
use super::status::Problem;
use super::upgrade::{DONE, FAREWELL, Socket, Upgrade, farewell, socket_of, websocket};
use crate::api::Pod;
use crate::api::conditions::{is_pod_finished, pod_phase};
use crate::api::meta::uid;
use crate::kubelet::{
    CHUNK, LogOptions, LogPiece, LogReader, NoVisit, Reply, Runs, Stream, Visit, VisitFor, VisitRequest,
    open_terminal,
};

/// The protocols that are spoken, the best first: in the first of them channels are ended one by one.
const PROTOCOLS: [&str; 3] = ["v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io"];

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// The exit code of what was lost with its pod.
const LOST: i32 = 137;

/// What a client wants of a container.
struct Wanted {
    pod: Pod,
    container: String,
    argv: Vec<String>,
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

/// `exec` and `attach`.
pub(super) fn open(server: &Arc<Server>, mut asked: Asked, at: &ObjectPath) -> Outcome {
    let pod = pod_of(server, at)?;
    let container = container_of(&asked, &pod)?;
    let is_exec = at.subresource.as_deref() == Some("exec");
    if is_pod_finished(&pod) {
        let doing = if is_exec { "exec into a container" } else { "attach a container" };
        let message = format!("cannot {doing} in a completed pod; current phase is {}", pod_phase(&pod));
        return Err(Problem::bad_request(message));
    }
    let query = &asked.query;
    let argv: Vec<String> = query.all("command").into_iter().map(str::to_owned).collect();
    if is_exec && argv.is_empty() {
        return Err(Problem::bad_request("you must specify at least one command for the container"));
    }
    let wanted = Wanted {
        pod,
        container,
        argv,
        stdin: query.is_set("stdin"),
        stdout: query.is_set("stdout"),
        stderr: query.is_set("stderr"),
        tty: query.is_set("tty"),
    };
    let Upgrade { connection, answer, .. } = websocket(&mut asked, PROTOCOLS, None)?;
    let server = Arc::clone(server);
    tokio::spawn(async move {
        // Whoever is gone needs to be told nothing.
        let _ = serve(server, connection, wanted, is_exec).await;
    });
    Ok(answer)
}

async fn serve(server: Arc<Server>, upgrade: OnUpgrade, wanted: Wanted, is_exec: bool) -> Result<()> {
    let (sink, mut incoming) = socket_of(upgrade).await?.split();
    // Few pieces wait for a client that reads slowly.
    let (outgoing, pieces) = mpsc::channel(4);
    let sending = tokio::spawn(send_all(sink, pieces));
    let status = match is_exec {
        true => exec(&server, &wanted, &mut incoming, &outgoing).await,
        false => attach(&server, &wanted, &mut incoming, &outgoing).await,
    };
    let status = status.unwrap_or_else(|error| {
        json!({ "metadata": {}, "status": "Failure", "reason": "InternalError", "message": format!("{error:#}"), "code": 500 })
    });
    drop(outgoing);
    let mut sink = sending.await??;
    // In one piece: there are clients whose threads read on in whatever they connect next, when the end comes on its own.
    sink.feed(message(ERROR, status.to_string().as_bytes())).await?;
    sink.send(Message::Close(Some(DONE))).await?;
    farewell(&mut incoming).await;
    Ok(())
}

fn message(channel: u8, bytes: &[u8]) -> Message {
    let mut message = Vec::with_capacity(bytes.len() + 1);
    message.push(channel);
    message.extend_from_slice(bytes);
    Message::binary(message)
}

/// Sends what comes, until nothing more will.
async fn send_all(
    mut sink: SplitSink<Socket, Message>,
    mut pieces: mpsc::Receiver<Message>,
) -> Result<SplitSink<Socket, Message>> {
    while let Some(piece) = pieces.recv().await {
        sink.send(piece).await?;
    }
    Ok(sink)
}

/// How a program has ended, as clients read it.
fn ended(code: i32) -> Value {
    if code == 0 {
        return json!({ "metadata": {}, "status": "Success" });
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
    })
}

/// How a client has gone.
enum Gone {
    /// It has said that this is all.
    WithAWord,
    /// The connection has ended: it was killed, or interrupted.
    Lost,
}

/// What the client sends, put where it belongs.
struct Input {
    to: Option<pipe::Sender>,
    terminal: Option<OwnedFd>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Size {
    width: u16,
    height: u16,
}

impl Input {
    /// Passes on what comes, until the client goes. Where its input ends, so does that of the program.
    async fn pass_on(mut self, incoming: &mut SplitStream<Socket>, input_ended: impl FnOnce()) -> Gone {
        let mut input_ended = Some(input_ended);
        let mut end = |to: &mut Option<pipe::Sender>| {
            *to = None;
            input_ended.take().into_iter().for_each(|tell| tell());
        };
        while let Some(Ok(message)) = incoming.next().await {
            let bytes = match message {
                Message::Binary(bytes) => bytes.to_vec(),
                Message::Text(text) => text.as_bytes().to_vec(),
                Message::Close(_) => {
                    // It waits to hear that it was heard.
                    let _ = timeout(FAREWELL, incoming.next()).await;
                    return Gone::WithAWord;
                }
                _ => continue,
            };
            match bytes.split_first() {
                Some((&STDIN, rest)) => {
                    if let Some(to) = &self.to
                        && write_all(to, rest).await.is_err()
                    {
                        end(&mut self.to);
                    }
                }
                Some((&RESIZE, rest)) => {
                    if let (Some(terminal), Ok(Size { width, height })) =
                        (&self.terminal, serde_json::from_slice(rest))
                    {
                        let size = Winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
                        let _ = tcsetwinsize(terminal, size);
                    }
                }
                Some((&CLOSE, [STDIN])) => end(&mut self.to),
                _ => {}
            }
        }
        Gone::Lost
    }
}

async fn write_all(to: &pipe::Sender, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Sends what a program writes, until there is no more; once it is over, what is there already: others may hold the descriptor.
/// What nobody hears any more is read all the same: the program is not to wait for that.
async fn copy_output(
    from: OwnedFd,
    channel: u8,
    to: mpsc::Sender<Message>,
    mut over: watch::Receiver<bool>,
) -> Result<()> {
    let from = pipe::Receiver::from_owned_fd_unchecked(nonblocking(from)?)?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match from.try_read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => drop(to.send(message(channel, &buffer[..count])).await),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if *over.borrow() {
                    return copy_rest(&from, channel, &to).await;
                }
                tokio::select! {
                    ready = from.readable() => ready?,
                    changed = over.changed() => changed?,
                }
            }
            // A terminal whose other end nobody has open any more.
            Err(_) => return Ok(()),
        }
    }
}

/// Sends what is there. Past the runtime, which knows only of what it has been told is there.
async fn copy_rest(from: &pipe::Receiver, channel: u8, to: &mpsc::Sender<Message>) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    loop {
        match nix::unistd::read(from, &mut buffer) {
            Ok(0) | Err(Errno::EAGAIN | Errno::EIO) => return Ok(()),
            Ok(count) => to.send(message(channel, &buffer[..count])).await?,
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn nonblocking(descriptor: OwnedFd) -> Result<OwnedFd> {
    let flags = OFlag::from_bits_retain(fcntl(&descriptor, FcntlArg::F_GETFL)?);
    fcntl(&descriptor, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(descriptor)
}

/// The descriptors of a program: its own, and our ends.
struct Descriptors {
    theirs: Vec<OwnedFd>,
    input: Option<OwnedFd>,
    outputs: Vec<(OwnedFd, u8)>,
    terminal: Option<OwnedFd>,
}

impl Descriptors {
    fn of(wanted: &Wanted) -> Result<Self> {
        if wanted.tty {
            let (ours, theirs) = open_terminal().context("make a terminal")?;
            let copy = || ours.try_clone().context("copy a descriptor");
            let input = wanted.stdin.then(copy).transpose()?;
            let outputs = if wanted.stdout { vec![(copy()?, STDOUT)] } else { Vec::new() };
            return Ok(Self { theirs: vec![theirs], input, outputs, terminal: Some(ours) });
        }
        let pipe = || nix::unistd::pipe2(OFlag::O_CLOEXEC).context("make a pipe");
        let nothing = || -> Result<OwnedFd> {
            let options = File::options().read(true).write(true).open("/dev/null");
            Ok(options.context("open /dev/null")?.into())
        };
        let (mut theirs, mut outputs) = (Vec::new(), Vec::new());
        let mut input = None;
        if wanted.stdin {
            let (read, write) = pipe()?;
            theirs.push(read);
            input = Some(write);
        } else {
            theirs.push(nothing()?);
        }
        for (is_wanted, channel) in [(wanted.stdout, STDOUT), (wanted.stderr, STDERR)] {
            if is_wanted {
                let (read, write) = pipe()?;
                theirs.push(write);
                outputs.push((read, channel));
            } else {
                theirs.push(nothing()?);
            }
        }
        Ok(Self { theirs, input, outputs, terminal: None })
    }
}

/// Visits a container, on a thread that may wait.
async fn visit(
    server: &Arc<Server>,
    pod: &Pod,
    request: VisitRequest,
    descriptors: Vec<OwnedFd>,
) -> Result<Visit> {
    let (server, pod) = (Arc::clone(server), pod.clone());
    let container = request.container.clone();
    let visited = on_a_thread(move || {
        let descriptors: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_fd()).collect();
        server.client.visit(&pod, &request, &descriptors)
    })?;
    visited.await??.or_else(|refusal| match refusal {
        NoVisit::NoContainer => bail!("unable to upgrade connection: container not found (\"{container}\")"),
        NoVisit::Refused(why) => {
            bail!("Internal error occurred: error executing command in container: failed to exec in container: {why}")
        }
    })
}

/// Ends a visit when it is dropped, also while somebody waits for its end.
struct Leave(OwnedFd);

impl Drop for Leave {
    fn drop(&mut self) {
        let _ = shutdown(self.0.as_raw_fd(), Shutdown::Both);
    }
}

/// Waits for the end of what was begun. No thread waits with it: there may be more visits than threads.
async fn end_of(mut visit: Visit) -> Result<i32> {
    let socket = nonblocking(visit.as_fd().try_clone_to_owned().context("copy a descriptor")?)?;
    let socket = UnixStream::from_std(socket.into()).context("wait for a socket")?;
    loop {
        socket.readable().await?;
        let heard = socket.try_io(Interest::READABLE, || match visit.hear_if_ready() {
            Ok(Poll::Ready(reply)) => Ok(reply),
            Ok(Poll::Pending) => Err(io::ErrorKind::WouldBlock.into()),
            Err(error) => Err(io::Error::other(error)),
        });
        match heard {
            Ok(Some(Reply::Ended(code))) => return Ok(code),
            Ok(None) => return Ok(LOST),
            Ok(Some(_)) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}

async fn exec(
    server: &Arc<Server>,
    wanted: &Wanted,
    incoming: &mut SplitStream<Socket>,
    outgoing: &mpsc::Sender<Message>,
) -> Result<Value> {
    let Descriptors { theirs, input, outputs, terminal } = Descriptors::of(wanted)?;
    let env = if wanted.tty { vec![("TERM".to_owned(), "xterm".to_owned())] } else { Vec::new() };
    let request = VisitRequest {
        container: wanted.container.clone(),
        wants: VisitFor::Exec { argv: wanted.argv.clone(), env, is_terminal: wanted.tty },
    };
    let visit = visit(server, &wanted.pod, request, theirs).await?;
    let leave = Leave(visit.as_fd().try_clone_to_owned().context("copy a descriptor")?);
    let (over, is_over) = watch::channel(false);
    let copiers: Vec<_> = outputs
        .into_iter()
        .map(|(from, channel)| tokio::spawn(copy_output(from, channel, outgoing.clone(), is_over.clone())))
        .collect();
    let to = input
        .map(|input| pipe::Sender::from_owned_fd_unchecked(nonblocking(input)?).context("write to a pipe"));
    let gone = Input { to: to.transpose()?, terminal }.pass_on(incoming, || {});
    let mut end = Box::pin(end_of(visit));
    let code = tokio::select! {
        code = &mut end => code?,
        gone = gone => match gone {
            // It has written what there was to write, and does not wait for what becomes of it: tar may be still at it.
            Gone::WithAWord if !wanted.tty => {
                tokio::spawn(async move {
                    let _ = end.await;
                    drop((leave, over));
                });
                bail!("the client has gone")
            }
            Gone::WithAWord | Gone::Lost => bail!("the client has gone"),
        },
    };
    drop(leave);
    let _ = over.send(true);
    for copier in copiers {
        copier.await??;
    }
    Ok(ended(code))
}

async fn attach(
    server: &Arc<Server>,
    wanted: &Wanted,
    incoming: &mut SplitStream<Socket>,
    outgoing: &mpsc::Sender<Message>,
) -> Result<Value> {
    let directory = server.client.pod_directory(uid(&wanted.pod.metadata));
    let follower = server.logs.follow(directory.path())?;
    let request =
        VisitRequest { container: wanted.container.clone(), wants: VisitFor::Attach { stdin: wanted.stdin } };
    let mut visit = visit(server, &wanted.pod, request, Vec::new()).await?;
    let leave = Leave(visit.as_fd().try_clone_to_owned().context("copy a descriptor")?);
    let streams =
        [(wanted.stdout, Stream::Stdout, STDOUT), (wanted.stderr && !wanted.tty, Stream::Stderr, STDERR)];
    let mut logs: Vec<(u8, LogReader)> = Vec::new();
    for (_, stream, channel) in streams.into_iter().filter(|(is_wanted, ..)| *is_wanted) {
        let options = LogOptions { tail: Some(0), stream: Some(stream), ..LogOptions::default() };
        let runs = Runs::Only(visit.restart);
        logs.push((channel, server.client.log(&wanted.pod, &wanted.container, runs, options, String::new())));
    }
    // Before anything is written to it: from where on its answers are shown.
    send_logs(&mut logs, outgoing).await?;
    let given = std::mem::take(&mut visit.given).into_iter().next();
    let input_end = visit.input_end().context("copy a descriptor")?;
    let terminal = given.as_ref().filter(|_| wanted.tty).map(OwnedFd::try_clone).transpose()?;
    let to = given
        .map(|given| pipe::Sender::from_owned_fd_unchecked(nonblocking(given)?).context("write to a pipe"));
    let mut gone = Box::pin(Input { to: to.transpose()?, terminal }.pass_on(incoming, || input_end.tell()));
    let mut end = Box::pin(end_of(visit));
    loop {
        let is_over = tokio::select! {
            ended = &mut end => ended.map(|_| true)?,
            _ = &mut gone => bail!("the client has gone"),
            () = follower.written() => false,
        };
        send_logs(&mut logs, outgoing).await?;
        if is_over {
            drop(leave);
            return Ok(ended(0));
        }
    }
}

async fn send_logs(logs: &mut [(u8, LogReader)], to: &mpsc::Sender<Message>) -> Result<()> {
    let mut buffer = vec![0; CHUNK];
    for (channel, log) in logs {
        loop {
            let mut output = Vec::new();
            let is_more = log.read_some(&mut buffer, &mut |piece| {
                if let LogPiece::Text(text) = piece {
                    output.extend_from_slice(text);
                }
                Ok(())
            })?;
            if !output.is_empty() {
                to.send(message(*channel, &output)).await?;
            }
            if !is_more {
                break;
            }
        }
    }
    Ok(())
}
