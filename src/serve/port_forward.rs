//! `portforward`: connections to the ports of a pod, through ours.
//!
//! kubectl speaks SPDY, as it is or in the messages of a WebSocket: for each connection a stream of what is sent and one of what has
//! gone wrong. Libraries speak the channels of `v4.channel.k8s.io`: two for each port, the first message of which is its number.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_tungstenite::tungstenite::protocol::Message;

use super::Server;
use super::dispatch::{Asked, Outcome};
use super::log::pod_of;
use super::path::ObjectPath;
use super::spdy::{self, Decoder, Encoder, Frame};
use super::status::Problem;
use super::upgrade::{DONE, Upgrade, farewell, socket_of, switching, websocket};
use crate::api::conditions::pod_phase;
use crate::api::errno::errno_text;
use crate::api::meta::{name, uid};
use crate::api::number::parse_port;
use crate::kubelet::{CHUNK, connect_to_port};

/// SPDY in the messages of a WebSocket.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

/// What is spoken in SPDY.
const PROTOCOL: &str = "portforward.k8s.io";

const CHANNELS: &str = "v4.channel.k8s.io";

/// How many pieces wait for somebody who reads slowly.
const FEW: usize = 4;

/// How many connections one client has at once: each takes a descriptor of ours.
const MOST_CONNECTIONS: usize = 512;

/// Bytes as they come, and as they are to go.
type Pieces = mpsc::Receiver<Vec<u8>>;
type Outlet = mpsc::Sender<Vec<u8>>;

/// Opens what the client asks for.
pub(super) fn open(server: &Arc<Server>, mut asked: Asked, at: &ObjectPath) -> Outcome {
    let pod = pod_of(server, at)?;
    let phase = pod_phase(&pod);
    if phase != "Running" {
        let message = format!("unable to forward port because pod is not running. Current status={phase}");
        return Err(Problem::bad_request(message));
    }
    let whose = format!("{}, uid {}", name(&pod.metadata), uid(&pod.metadata));
    if asked.header_named("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("SPDY/3.1"))
        && let Some(connection) = asked.upgrade.take()
    {
        // Whoever is gone needs to be told nothing.
        tokio::spawn(async move { drop(in_bytes(connection, whose).await) });
        return Ok(switching("SPDY/3.1").with("x-stream-protocol-version", PROTOCOL));
    }
    let Upgrade { connection, protocol, answer } = websocket(&mut asked, [TUNNEL, CHANNELS], Some(CHANNELS))?;
    let ports = (protocol == CHANNELS).then(|| ports_of(&asked)).transpose()?;
    tokio::spawn(async move { drop(in_messages(connection, ports, whose).await) });
    Ok(answer)
}

/// The ports that a library asks for.
fn ports_of(asked: &Asked) -> Result<Vec<u16>, Problem> {
    let words: Vec<&str> = asked.query.all("ports").into_iter().flat_map(|words| words.split(',')).collect();
    if words.is_empty() {
        return Err(Problem::bad_request("query parameter \"ports\" is required"));
    }
    let port = |word: &&str| parse_port(word.trim()).ok().filter(|port| *port > 0);
    let ports: Option<Vec<u16>> = words.iter().map(port).collect();
    // Each takes two of the 256 channels.
    ports
        .filter(|ports| ports.len() <= 128)
        .ok_or_else(|| Problem::bad_request(format!("{} are no ports, or too many", words.join(","))))
}

/// SPDY on the connection itself.
async fn in_bytes(connection: OnUpgrade, whose: String) -> Result<()> {
    let (mut read, mut write) = tokio::io::split(TokioIo::new(connection.await?));
    let (come, incoming) = mpsc::channel(FEW);
    let (outlet, mut outgoing) = mpsc::channel::<Vec<u8>>(FEW);
    let reading = async move {
        let mut buffer = vec![0; CHUNK];
        while let Ok(count @ 1..) = read.read(&mut buffer).await {
            if come.send(buffer[..count].to_vec()).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some(piece) = outgoing.recv().await {
            write.write_all(&piece).await?;
            write.flush().await?;
        }
        write.shutdown().await
    };
    let ((), session, written) = tokio::join!(reading, speak_spdy(incoming, outlet, whose), writing);
    written?;
    session
}

/// SPDY, or channels, in the messages of a WebSocket.
async fn in_messages(connection: OnUpgrade, ports: Option<Vec<u16>>, whose: String) -> Result<()> {
    let (mut sink, mut messages) = socket_of(connection).await?.split();
    let heard = &mut messages;
    let (come, incoming) = mpsc::channel(FEW);
    let (outlet, mut outgoing) = mpsc::channel::<Vec<u8>>(FEW);
    let reading = async move {
        while let Some(Ok(message)) = heard.next().await {
            let piece = match message {
                Message::Binary(bytes) => bytes.to_vec(),
                Message::Close(_) => break,
                _ => continue,
            };
            if come.send(piece).await.is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some(piece) = outgoing.recv().await {
            sink.send(Message::binary(piece)).await?;
        }
        sink.send(Message::Close(Some(DONE))).await
    };
    let session = async move {
        match ports {
            Some(ports) => speak_channels(incoming, outlet, &ports, &whose).await,
            None => speak_spdy(incoming, outlet, whose).await,
        }
    };
    // Once we have said that this is all, nobody waits long for a client that does not answer.
    let talk = async { tokio::join!(session, writing) };
    let (session, written) = tokio::select! {
        ends = talk => ends,
        () = async { reading.await; std::future::pending().await } => return Ok(()),
    };
    farewell(&mut messages).await;
    written?;
    session
}

/// Where a connection puts what its pod sends.
struct Output {
    to: Outlet,
    form: Form,
}

/// How that is written.
#[derive(Clone, Copy)]
enum Form {
    Channels { data: u8 },
    Spdy { data: u32, error: u32 },
}

impl Output {
    async fn data(&self, bytes: &[u8]) -> Result<()> {
        let piece = match self.form {
            Form::Channels { data } => channel_message(data, bytes),
            Form::Spdy { data, .. } => spdy::data(data, bytes, false),
        };
        self.to.send(piece).await.context("the client has gone")
    }

    /// That was all; and what has gone wrong, if anything.
    async fn end(self, error: Option<String>) {
        let error = error.unwrap_or_default();
        let pieces = match self.form {
            Form::Channels { .. } if error.is_empty() => Vec::new(),
            Form::Channels { data } => vec![channel_message(data + 1, error.as_bytes())],
            // In this order: what has gone wrong is asked for once the bytes have ended.
            Form::Spdy { data, error: stream } => {
                vec![spdy::data(stream, error.as_bytes(), true), spdy::data(data, &[], true)]
            }
        };
        for piece in pieces {
            let _ = self.to.send(piece).await;
        }
    }
}

fn channel_message(channel: u8, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![channel];
    message.extend_from_slice(bytes);
    message
}

/// Connects to a port and passes on what comes both ways, until the pod ends it.
async fn forward(port: u16, mut input: Pieces, output: Output, whose: String) {
    let failed =
        |error: &io::Error| format!("error forwarding port {port} to pod {whose}: {}", errno_text(error));
    let stream = match connect_to_port(port).await {
        Ok(stream) => stream,
        Err(error) => return output.end(Some(failed(&error))).await,
    };
    let (mut read, mut write) = stream.into_split();
    let there = async {
        while let Some(piece) = input.recv().await {
            if write.write_all(&piece).await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    };
    let back = async {
        let mut buffer = vec![0; CHUNK];
        loop {
            match read.read(&mut buffer).await {
                Ok(0) => return None,
                Ok(count) => {
                    if output.data(&buffer[..count]).await.is_err() {
                        return None;
                    }
                }
                Err(error) => return Some(failed(&error)),
            }
        }
    };
    let error = tokio::select! {
        error = back => error,
        () = async { there.await; std::future::pending().await } => None,
    };
    output.end(error).await;
}

/// The channels of a library: all of its connections at once, until each has ended.
async fn speak_channels(mut incoming: Pieces, outlet: Outlet, ports: &[u16], whose: &str) -> Result<()> {
    let mut tasks = JoinSet::new();
    let mut inputs = Vec::new();
    for (port, data) in ports.iter().zip((0_u8..).step_by(2)) {
        for channel in [data, data + 1] {
            outlet.send(channel_message(channel, &port.to_le_bytes())).await?;
        }
        let (input, pieces) = mpsc::channel(FEW);
        let output = Output { to: outlet.clone(), form: Form::Channels { data } };
        tasks.spawn(forward(*port, pieces, output, whose.to_owned()));
        inputs.push(input);
    }
    drop(outlet);
    loop {
        tokio::select! {
            piece = incoming.recv() => {
                let Some(piece) = piece else { return Ok(()) };
                if let Some((channel, bytes)) = piece.split_first()
                    && channel % 2 == 0
                    && let Some(input) = inputs.get(usize::from(channel / 2))
                {
                    // One that has ended hears no more.
                    let _ = input.send(bytes.to_vec()).await;
                }
            }
            ended = tasks.join_next() => if ended.is_none() { return Ok(()) },
        }
    }
}

/// A stream of bytes to a pod.
struct Stream {
    input: Option<mpsc::Sender<Vec<u8>>>,
    task: AbortHandle,
}

/// A connection of which one of the two streams is open.
struct Half {
    data: Option<(u32, u16)>,
    error: Option<u32>,
}

/// SPDY, until the client goes.
async fn speak_spdy(mut incoming: Pieces, outlet: Outlet, whose: String) -> Result<()> {
    let (mut decoder, mut encoder) = (Decoder::new(), Encoder::new());
    let mut halves: HashMap<String, Half> = HashMap::new();
    let mut streams: HashMap<u32, Stream> = HashMap::new();
    // What was begun ends with the session.
    let mut tasks = JoinSet::new();
    while let Some(piece) = incoming.recv().await {
        decoder.push(&piece);
        while let Some(frame) = decoder.next()? {
            match frame {
                Frame::Open { stream, headers, is_last } => {
                    outlet.send(encoder.reply(stream)).await?;
                    let word = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
                    let request = word("requestid").to_owned();
                    let half = halves.entry(request.clone()).or_insert(Half { data: None, error: None });
                    match word("streamtype") {
                        "error" => half.error = Some(stream),
                        "data" => {
                            half.data = Some((stream, parse_port(word("port")).map_err(anyhow::Error::msg)?));
                        }
                        _ => {}
                    }
                    if let (Some((data, port)), Some(error)) = (half.data, half.error) {
                        halves.remove(&request);
                        while tasks.try_join_next().is_some() {}
                        streams.retain(|_, stream| !stream.task.is_finished());
                        let (input, pieces) = mpsc::channel(FEW);
                        let output = Output { to: outlet.clone(), form: Form::Spdy { data, error } };
                        if tasks.len() >= MOST_CONNECTIONS {
                            output
                                .end(Some(format!("more than {MOST_CONNECTIONS} connections at once")))
                                .await;
                            continue;
                        }
                        let task = tasks.spawn(forward(port, pieces, output, whose.clone()));
                        let input = Some(input).filter(|_| !is_last || stream != data);
                        streams.insert(data, Stream { input, task });
                    }
                }
                Frame::Data { stream, bytes, is_last } => {
                    let Some(stream) = streams.get_mut(&stream) else { continue };
                    if let Some(input) = &stream.input
                        && !bytes.is_empty()
                    {
                        let _ = input.send(bytes).await;
                    }
                    if is_last {
                        stream.input = None;
                    }
                }
                Frame::Reset { stream } => {
                    if let Some(stream) = streams.remove(&stream) {
                        stream.task.abort();
                    }
                }
                Frame::Ping { id } => outlet.send(spdy::ping(id)).await?,
                Frame::GoAway | Frame::Other => {}
            }
        }
    }
    Ok(())
}
