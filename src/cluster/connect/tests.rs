//! Servers that say nothing: dead ones, and one that has nothing to say.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use socket2::{SockFilter, SockRef};

use super::super::tls::Material;
use super::*;

/// What the kernel can count, and a test can wait for.
const SHORT: Patience = Patience {
    connection: Duration::from_millis(300),
    handshake: Duration::from_millis(300),
    silence: 1,
    between_questions: 1,
    acknowledgement: 1_000,
};
/// A failure that does not come is one.
const BOUND: Duration = Duration::from_secs(20);

async fn connect(url: &str) -> Result<SendRequest<Full<Bytes>>, Unreachable> {
    let server = Server::parse(url).expect("a URL");
    let config = Material { is_insecure: true, ..Material::default() }.config().expect("TLS");
    let tls = Some(Arc::new(config));
    let ended = Ended::default();
    let route =
        Route { server: &server, proxy: None, tls, name: &server.host, ended: &ended, patience: SHORT };
    timeout(BOUND, route.connect()).await.expect("an end")
}

fn url(scheme: &str, listener: &TcpListener) -> String {
    format!("{scheme}://{}", listener.local_addr().expect("an address"))
}

/// From now on nothing that is sent to a socket arrives, and nobody is told.
fn deafen(stream: &TcpStream) {
    const RETURN: u16 = 0x06;
    SockRef::from(stream).attach_filter(&[SockFilter::new(RETURN, 0, 0, 0)]).expect("a filter");
}

/// A server of one connection: what it does after it has begun a watch. It holds the connection for as long as somebody holds what
/// is returned.
fn watched(then: impl FnOnce(&mut TcpStream) + Send + 'static) -> (String, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let url = url("http", &listener);
    let (holder, held) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let _ = stream.read(&mut [0; 4096]).expect("a request");
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n";
        stream.write_all(head).expect("an answer");
        then(&mut stream);
        let _ = held.recv();
    });
    (url, holder)
}

async fn watch(url: &str) -> (SendRequest<Full<Bytes>>, Incoming) {
    let mut sender = connect(url).await.expect("a connection");
    let request = Request::new(Full::new(Bytes::new()));
    let answer = sender.send_request(request).await.expect("an answer");
    (sender, answer.into_body())
}

async fn next(body: &mut Incoming) -> Result<Bytes, hyper::Error> {
    let frame = timeout(BOUND, body.frame()).await.expect("something").expect("no end");
    frame.map(|frame| frame.into_data().expect("data"))
}

/// Whether a connection was given up because nobody was there.
fn is_dead(error: &hyper::Error) -> bool {
    Unreachable::lost(error).to_string().ends_with(": connection timed out")
}

#[tokio::test]
async fn a_server_that_takes_no_connection_is_given_up() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("an address");
    // One waits, and nobody fetches it.
    socket.listen(0).expect("listen");
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().expect("an address");
    let _waiting = TcpStream::connect(address).expect("the one");
    let error = connect(&url("http", &listener)).await.expect_err("no place");
    assert_eq!(
        error.to_string(),
        format!("Unable to connect to the server: dial tcp {address}: i/o timeout")
    );
    assert!(error.may_pass());
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let error = connect(&url("https", &listener)).await.expect_err("nobody speaks");
    assert_eq!(error.to_string(), "Unable to connect to the server: net/http: TLS handshake timeout");
    assert!(error.may_pass());
}

#[tokio::test]
async fn a_watch_of_a_server_that_is_gone_ends() {
    let (url, _held) = watched(|stream| deafen(stream));
    let (_sender, mut body) = watch(&url).await;
    assert_eq!(next(&mut body).await.expect("the first"), "first\n");
    let error = next(&mut body).await.expect_err("nobody is there");
    assert!(is_dead(&error), "{error:?}");
}

#[tokio::test]
async fn a_watch_on_which_nothing_happens_goes_on() {
    // Longer than it takes to notice that nobody is there.
    let pause = Duration::from_millis(3_500);
    let (url, _held) = watched(move |stream| {
        std::thread::sleep(pause);
        stream.write_all(b"7\r\nsecond\n\r\n").expect("an answer");
    });
    let (_sender, mut body) = watch(&url).await;
    assert_eq!(next(&mut body).await.expect("the first"), "first\n");
    assert_eq!(next(&mut body).await.expect("the second"), "second\n");
}

#[tokio::test]
async fn a_request_that_does_not_arrive_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let mut sender = connect(&url("http", &listener)).await.expect("a connection");
    let (stream, _) = listener.accept().expect("a client");
    deafen(&stream);
    let answered = timeout(BOUND, sender.send_request(Request::new(Full::new(Bytes::new())))).await;
    let error = answered.expect("an end").expect_err("nobody is there");
    assert!(is_dead(&error), "{error:?}");
}
