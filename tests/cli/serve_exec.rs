//! Commands in pods by way of `serve`: WebSockets.

use std::fs;
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_rustls::rustls::{ClientConnection, StreamOwned};
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocket};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, client};

use crate::api_client::Server;
use crate::common::{SOON, eventually};
use crate::serve::with_pod;

pub(crate) type Socket = WebSocket<StreamOwned<ClientConnection, TcpStream>>;

/// Starts a command in a pod.
fn start_exec(server: &Server, pod: &str, words: &[&str], has_input: bool) -> Socket {
    let escaped = |word: &str| form_urlencoded::byte_serialize(word.as_bytes()).collect::<String>();
    let words: String = words.iter().map(|word| format!("&command={}", escaped(word))).collect();
    let stdin = if has_input { "&stdin=true" } else { "" };
    let path =
        format!("/api/v1/namespaces/default/pods/{pod}/exec?stdout=true&stderr=1&tty=False{stdin}{words}");
    let (socket, protocol) = websocket(server, &path, "v5.channel.k8s.io, v4.channel.k8s.io");
    assert_eq!(protocol, "v5.channel.k8s.io");
    socket
}

/// A WebSocket, and what is spoken over it.
pub(crate) fn websocket(server: &Server, path: &str, protocols: &str) -> (Socket, String) {
    let request = Request::builder()
        .uri(format!("wss://127.0.0.1:{}{path}", server.port))
        .header("Host", format!("127.0.0.1:{}", server.port))
        .header("Authorization", format!("Bearer {}", server.token))
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Protocol", protocols)
        .body(())
        .expect("a request");
    let (socket, answer) = client(request, server.connect().0.into_inner()).expect("a WebSocket");
    let protocol = answer.headers()["sec-websocket-protocol"].to_str().expect("a word");
    (socket, protocol.to_owned())
}

/// Runs a command in a pod: what it writes to standard output and standard error, and how it ends.
fn exec(server: &Server, pod: &str, words: &[&str], input: Option<&[u8]>) -> (Vec<u8>, Vec<u8>, Value) {
    let mut socket = start_exec(server, pod, words, input.is_some());
    if let Some(input) = input {
        let piece = [&[0], input].concat();
        socket.send(Message::binary(piece)).expect("send");
        socket.send(Message::binary(vec![255, 0])).expect("send");
    }
    let (mut stdout, mut stderr, mut end) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        match socket.read().expect("a message") {
            Message::Binary(bytes) => match bytes.split_first() {
                Some((1, rest)) => stdout.extend_from_slice(rest),
                Some((2, rest)) => stderr.extend_from_slice(rest),
                Some((3, rest)) => end = serde_json::from_slice(rest).expect("a status"),
                other => panic!("{other:?}"),
            },
            Message::Close(frame) => {
                assert_eq!(frame.expect("a reason").code, CloseCode::Normal);
                return (stdout, stderr, end);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_command_is_run_in_a_pod_over_a_websocket() {
    let (world, server, pod) = with_pod();
    let (stdout, stderr, end) = exec(&server, &pod, &["sh", "-c", "echo out; echo err >&2; exit 7"], None);
    assert_eq!((stdout.as_slice(), stderr.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(end["reason"], "NonZeroExitCode");
    assert_eq!(end["details"]["causes"], json!([{ "reason": "ExitCode", "message": "7" }]));
    let input = vec![b'x'; 1 << 20];
    let (stdout, _, end) = exec(&server, &pod, &["cat"], Some(&input));
    assert_eq!((stdout == input, &end["status"]), (true, &json!("Success")));
    // What nobody reads is no reason for the end to be lost.
    for _ in 0..20 {
        let (stdout, _, end) = exec(&server, &pod, &["sh", "-c", "echo out; exit 7"], Some(&input));
        assert_eq!((stdout.as_slice(), &end["reason"]), (&b"out\n"[..], &json!("NonZeroExitCode")));
    }
    let (_, _, end) = exec(&server, &pod, &["no-such-program"], None);
    assert_eq!(end["reason"], "InternalError", "{end}");
    let (_, _, end) = exec(&server, &pod, &[&"long".repeat(5000)], None);
    assert!(end["message"].as_str().expect("a message").contains("\"longlong"), "{end}");
    // Whoever does not want to upgrade is told so.
    let path = format!("/api/v1/namespaces/default/pods/{pod}/exec?command=true&stdout=true");
    let plain = server.ask("POST", &path, &[("Upgrade", "SPDY/3.1"), ("Connection", "Upgrade")], &[]);
    assert_eq!((plain.status, &plain.json()["message"]), (400, &json!("Upgrade request required")));
    let _ = world.run("delete job a --now").success();
}

/// There are clients that leave a thread reading when they have heard how a command ended. What comes to it later it takes from the
/// next connection.
#[test]
fn the_end_of_a_command_and_that_of_its_connection_come_in_one_piece() {
    let (world, server, pod) = with_pod();
    let mut socket = start_exec(&server, &pod, &["cat"], true);
    socket.send(Message::binary(vec![255, 0])).expect("send");
    let mut head = [0; 5];
    socket.get_mut().sock.read_exact(&mut head).expect("the head of a TLS record");
    let status = "\x03{\"metadata\":{},\"status\":\"Success\"}";
    let (heads_of_frames, code, of_tls) = (4, 2, 17);
    let length = heads_of_frames + status.len() + code + of_tls;
    assert_eq!(head, [23, 3, 3, 0, u8::try_from(length).expect("a short record")]);
    let _ = world.run("delete job a --now").success();
}

#[test]
fn commands_that_run_in_pods_keep_no_thread_from_others() {
    let (world, server, pod) = with_pod();
    let words = ["sh", "-c", "echo started; exec sleep 100"];
    let mut commands: Vec<Socket> = (0..30).map(|_| start_exec(&server, &pod, &words, false)).collect();
    for command in &mut commands {
        assert_eq!(command.read().expect("a message"), Message::binary(b"\x01started\n".to_vec()));
    }
    let threads = || fs::read_dir(format!("/proc/{}/task", server.pid())).expect("threads").count();
    eventually(Duration::from_secs(20), || threads() < 10);
    drop(commands);
    let _ = world.run("delete job a --now").success();
}

#[test]
fn a_command_goes_on_when_its_client_has_said_goodbye_and_is_hung_up_on_when_it_is_lost() {
    let (world, server, pod) = with_pod();
    let path = |name: &str| world.path(name).display().to_string();
    // The client hands over its input and leaves at once, as those that copy files into pods by tar do. What is written to a
    // client that has gone holds nobody up.
    let script = format!(
        "until test -e {go}; do sleep 0.02; done; cat >{got}; yes | head -c 300000; yes | head -c 300000 >&2; echo >{done}",
        go = path("go"),
        got = path("got"),
        done = path("done")
    );
    let mut socket = start_exec(&server, &pod, &["sh", "-c", &script], true);
    socket.send(Message::binary([&[0], &b"all of it"[..]].concat())).expect("send");
    socket.close(None).expect("say goodbye");
    let heard = loop {
        match socket.read() {
            Ok(Message::Close(_)) | Err(WebSocketError::ConnectionClosed) => break true,
            Ok(_) => {}
            Err(_) => break false,
        }
    };
    assert!(heard, "a goodbye is answered");
    drop(socket);
    fs::write(path("go"), "").expect("write a file");
    eventually(SOON, || Path::new(&path("done")).exists());
    assert_eq!(fs::read_to_string(path("got")).expect("a file"), "all of it");
    // A connection that is cut is a terminal that is closed. The shell would say on standard error that sleep was hung up on, and
    // nobody reads that.
    let script = format!(
        "exec 2>/dev/null; trap 'echo >{hung_up}; exit' HUP; echo >{begun}; while :; do sleep 0.02; done",
        hung_up = path("hung-up"),
        begun = path("begun")
    );
    let socket = start_exec(&server, &pod, &["sh", "-c", &script], true);
    eventually(SOON, || Path::new(&path("begun")).exists());
    drop(socket);
    eventually(SOON, || Path::new(&path("hung-up")).exists());
    let _ = world.run("delete job a --now").success();
}
