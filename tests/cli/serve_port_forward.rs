//! Ports of pods by way of `serve`: channels in a WebSocket, and SPDY in one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::Message;

use crate::api_client::Server;
use crate::common::World;
use crate::port_forward::{shouting, unused};
use crate::serve::{JOBS, with_pod};
use crate::serve_exec::{Socket, websocket};

/// A server, and the path of the ports of its pod.
fn with_ports() -> (World, Server, String) {
    let (world, server, pod) = with_pod();
    let path = format!("/api/v1/namespaces/default/pods/{pod}/portforward");
    (world, server, path)
}

/// Listens for one connection, and says where: what comes of it is told in the end.
fn answering<T: Send + 'static>(
    answer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (u16, thread::JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = listener.local_addr().expect("an address").port();
    (port, thread::spawn(move || answer(listener.accept().expect("a connection").0)))
}

fn received(socket: &mut Socket) -> Option<Vec<u8>> {
    match socket.read().expect("a message") {
        Message::Binary(bytes) => Some(bytes.to_vec()),
        Message::Close(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn channels_lead_to_the_ports_of_a_pod() {
    let (world, server, path) = with_ports();
    let (there, answer) = answering(|mut stream| {
        let mut heard = [0; 5];
        stream.read_exact(&mut heard).expect("read");
        stream.write_all(&heard.repeat(40_000)).expect("write");
    });
    let (_held, none) = unused();
    let (mut socket, protocol) =
        websocket(&server, &format!("{path}?ports={there}&ports={none}"), "v4.channel.k8s.io");
    assert_eq!(protocol, "v4.channel.k8s.io");
    socket.send(Message::binary(b"\0hello".to_vec())).expect("send");
    let mut heard = vec![Vec::new(); 4];
    while let Some(message) = received(&mut socket) {
        heard[usize::from(message[0])].extend_from_slice(&message[1..]);
    }
    let [there, none] = [there, none].map(|port| port.to_le_bytes().to_vec());
    assert_eq!(heard[0], [&there[..], &b"hello".repeat(40_000)].concat());
    assert_eq!((&heard[1], &heard[2]), (&there, &none));
    let error = String::from_utf8_lossy(&heard[3][2..]);
    assert!(
        error.starts_with("error forwarding port ") && error.ends_with(": connection refused"),
        "{error}"
    );
    answer.join().expect("an answer");
    let _ = world.run("delete job a --now").success();
}

/// A connection that is closed over what nobody has read is reset, and what was sent last is lost.
#[test]
fn the_last_word_reaches_whoever_has_said_too_much() {
    let (world, server, path) = with_ports();
    let (there, answer) = answering(|mut stream| {
        stream.write_all(b"bye").expect("write");
        stream.shutdown(Shutdown::Write).expect("end");
        stream
    });
    let (mut socket, _) = websocket(&server, &format!("{path}?ports={there}"), "v4.channel.k8s.io");
    let stream = answer.join().expect("an answer");
    for _ in 0..40 {
        socket.send(Message::binary(vec![0; 10_000])).expect("send");
    }
    let mut heard = Vec::new();
    while let Some(message) = received(&mut socket) {
        heard.extend(message);
    }
    assert!(heard.ends_with(b"\0bye"), "{heard:?}");
    drop(stream);
    let _ = world.run("delete job a --now").success();
}

#[test]
fn what_is_no_port_or_no_running_pod_is_refused() {
    let (world, server, path) = with_ports();
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (query, said) in [
        ("", "query parameter \"ports\" is required"),
        ("?ports=x", "x are no ports, or too many"),
        ("?ports=0", "0 are no ports, or too many"),
        ("?ports=80,70000", "80,70000 are no ports, or too many"),
    ] {
        let answer = server.ask("GET", &format!("{path}{query}"), &headers, &[]);
        assert_eq!((answer.status, &answer.json()["message"]), (400, &json!(said)));
    }
    let plain = server.ask("POST", &path, &[], &[]);
    assert_eq!((plain.status, &plain.json()["message"]), (400, &json!("Upgrade request required")));
    let ended = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"ended"},"spec":{"restartPolicy":"Never","containers":[{"name":"c","command":["true"]}]}}"#;
    let _ = world.apply(ended);
    world.wait_for_value("pod/ended", "{.status.phase}", "Succeeded");
    let answer =
        server.ask("GET", "/api/v1/namespaces/default/pods/ended/portforward?ports=80", &headers, &[]);
    let said = "unable to forward port because pod is not running. Current status=Succeeded";
    assert_eq!((answer.status, &answer.json()["message"]), (400, &json!(said)));
    let _ = world.run("delete job a --now").success();
}

/// A frame of SPDY that opens a stream. Its headers are not compressed, but stand in blocks of zlib all the same.
fn opening(stream: u32, kind: &str, port: u16, request: u32) -> Vec<u8> {
    let headers = [("streamtype", kind), ("port", &port.to_string()), ("requestid", &request.to_string())];
    let mut text = 3_u32.to_be_bytes().to_vec();
    for word in headers.iter().flat_map(|(name, value)| [name, value]) {
        text.extend_from_slice(&(word.len() as u32).to_be_bytes());
        text.extend_from_slice(word.as_bytes());
    }
    let length = text.len() as u16;
    let mut payload = [&stream.to_be_bytes()[..], &[0; 6]].concat();
    if stream == 1 {
        payload.extend_from_slice(&[0x78, 0x20, 0xe3, 0xc6, 0xa7, 0xc2]);
    }
    payload.push(0);
    payload.extend_from_slice(&[length.to_le_bytes(), (!length).to_le_bytes()].concat());
    payload.extend_from_slice(&text);
    payload.extend_from_slice(&[0, 0, 0, 0xff, 0xff]);
    framed(&[0x80, 3, 0, 1, 0], &payload)
}

fn framed(head: &[u8; 5], payload: &[u8]) -> Vec<u8> {
    [&head[..], &(payload.len() as u32).to_be_bytes()[1..], payload].concat()
}

fn data(stream: u8, bytes: &[u8], is_last: bool) -> Vec<u8> {
    framed(&[0, 0, 0, stream, u8::from(is_last)], bytes)
}

#[test]
fn spdy_in_a_websocket_leads_to_the_ports_of_a_pod() {
    let (world, server, path) = with_ports();
    let there = shouting();
    let (_held, none) = unused();
    let (mut socket, protocol) = websocket(&server, &path, "SPDY/3.1+portforward.k8s.io");
    assert_eq!(protocol, "SPDY/3.1+portforward.k8s.io");
    // Two connections at once, the frames in pieces, and a ping among them.
    let large = b"abc".repeat(60_000);
    let frames = [
        opening(1, "error", there, 0),
        data(1, b"", true),
        opening(3, "data", there, 0),
        opening(5, "data", none, 1),
        framed(&[0x80, 3, 0, 6, 0], &9_u32.to_be_bytes()),
        opening(7, "error", none, 1),
        data(3, &large, false),
        data(3, b"end", true),
    ];
    for piece in frames.concat().chunks(50_000) {
        socket.send(Message::binary(piece.to_vec())).expect("send");
    }
    let (mut bytes, mut controls, mut heard, mut ended) =
        (Vec::new(), Vec::new(), vec![Vec::new(); 8], Vec::new());
    while ended.len() < 4 {
        bytes.extend(received(&mut socket).expect("a message"));
        while let Some(&[a, _, _, kind, flags, x, y, z]) = bytes.first_chunk::<8>() {
            let length = u32::from_be_bytes([0, x, y, z]) as usize;
            if bytes.len() < 8 + length {
                break;
            }
            let payload: Vec<u8> = bytes.drain(..8 + length).skip(8).collect();
            if a == 0x80 {
                controls.push((kind, payload[3]));
            } else {
                heard[usize::from(kind)].extend(payload);
                ended.extend((flags == 1).then_some(kind));
            }
        }
    }
    controls.sort_unstable();
    assert_eq!(controls, [(2, 1), (2, 3), (2, 5), (2, 7), (6, 9)]);
    assert!(heard[3] == [&large[..], b"end"].concat().to_ascii_uppercase(), "all of it comes back");
    let error = String::from_utf8_lossy(&heard[7]);
    assert!(
        error.starts_with("error forwarding port ") && error.ends_with(": connection refused"),
        "{error}"
    );
    assert_eq!((&heard[1], &heard[5]), (&Vec::new(), &Vec::new()));
    // What is no SPDY ends it, and nobody else is held up.
    socket.send(Message::binary(vec![0x80, 9, 0, 1, 0, 0, 0, 0])).expect("send");
    assert_eq!(received(&mut socket), None);
    assert_eq!(server.get(JOBS).status, 200);
    let _ = world.run("delete job a --now").success();
}
