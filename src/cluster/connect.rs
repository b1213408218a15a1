//! Connections: a socket, through a proxy where there is one, TLS on it where there is some, HTTP/1.1 on that.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::base64::Engine as _;
use ::base64::prelude::BASE64_STANDARD;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::ext::ReasonPhrase;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, Error as TlsError};
use tokio_socks::tcp::Socks5Stream;

use super::proxy::{Kind, Login, Proxy};
use super::server::Server;
use super::unreachable::Unreachable;
use super::{USER_AGENT as OURS, tls};
use crate::api::errno::errno_text;

/// How long a server is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// To be found and to take a connection.
    connection: Duration,
    /// To agree on TLS.
    handshake: Duration,
    /// To say something before it is asked whether it is there, in seconds, and until it is asked again. The kernel asks, so one
    /// that has nothing to say, as a watch may for hours, need not say it.
    silence: u32,
    between_questions: u32,
    /// To acknowledge what was sent, and those questions, in milliseconds.
    acknowledgement: u32,
}

impl Patience {
    /// That of commands: a peer that has gone without a word is noticed within a minute.
    pub(super) const ORDINARY: Self = Self {
        connection: Duration::from_secs(30),
        handshake: Duration::from_secs(10),
        silence: 30,
        between_questions: 10,
        acknowledgement: 60_000,
    };
}

/// What bytes go through.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

type AnyStream = Box<dyn Stream>;

/// Why a connection has ended for good, after it stood. Whoever waits for an answer is told only that it has ended.
pub(super) type Ended = Arc<Mutex<Option<Unreachable>>>;

/// A way to a server.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) server: &'a Server,
    pub(super) proxy: Option<&'a Proxy>,
    /// How TLS is spoken, where it is.
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// By which name the server is known, in place of its host.
    pub(super) name: &'a str,
    pub(super) ended: &'a Ended,
    pub(super) patience: Patience,
}

impl Route<'_> {
    /// Opens a connection.
    pub(super) async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Unreachable> {
        // A proxy has its part of it, too.
        let opened = timeout(self.patience.connection + self.patience.handshake, self.open()).await;
        let authority = &self.server.authority;
        let stream = opened.unwrap_or_else(|_| {
            Err(Unreachable::for_now(format_args!("dial tcp {authority}: i/o timeout")))
        })?;
        speak(stream, Some(Arc::clone(self.ended))).await
    }

    async fn open(&self) -> Result<AnyStream, Unreachable> {
        let Server { host, port, authority, is_secure, .. } = self.server;
        let stream: AnyStream = match self.proxy {
            None => Box::new(dial(host, *port, authority, self.patience).await?),
            Some(proxy) => self.through(proxy).await?,
        };
        if !*is_secure {
            return Ok(stream);
        }
        let secured = timeout(self.patience.handshake, self.secure(stream, self.name)).await;
        secured.unwrap_or_else(|_| Err(Unreachable::for_now("net/http: TLS handshake timeout")))
    }

    async fn through(&self, proxy: &Proxy) -> Result<AnyStream, Unreachable> {
        let Server { host, port, is_secure, .. } = self.server;
        let doing = match proxy.kind {
            Kind::Http { .. } => "proxyconnect tcp: ".to_owned(),
            Kind::Socks => format!("socks connect tcp {}->{}: ", proxy.authority(), join(host, *port)),
        };
        let by_proxy = |error: Unreachable| error.with(&doing);
        let socket = dial_proxy(proxy, self.patience).await.map_err(by_proxy)?;
        match proxy.kind {
            Kind::Http { is_secure: proxy_is_secure } => {
                let stream: AnyStream = if proxy_is_secure {
                    self.secure(Box::new(socket), &proxy.host).await.map_err(by_proxy)?
                } else {
                    Box::new(socket)
                };
                // Without TLS the proxy is sent the requests themselves.
                if *is_secure { tunnel(stream, proxy, &join(host, *port)).await } else { Ok(stream) }
            }
            Kind::Socks => {
                let target = (host.as_str(), *port);
                let stream = match &proxy.login {
                    None => Socks5Stream::connect_with_socket(socket, target).await,
                    Some(Login { username, password }) => {
                        Socks5Stream::connect_with_password_and_socket(socket, target, username, &password.0)
                            .await
                    }
                };
                let stream = stream.map_err(|error| by_proxy(Unreachable::for_now(error)))?;
                Ok(Box::new(stream.into_inner()))
            }
        }
    }

    async fn secure(&self, stream: AnyStream, name: &str) -> Result<AnyStream, Unreachable> {
        let config = self.tls.as_ref().ok_or_else(|| Unreachable::for_good("TLS is not set up"))?;
        let server_name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Unreachable::for_good(format_args!("{name:?} is no name that a certificate can have"))
        })?;
        match TlsConnector::from(Arc::clone(config)).connect(server_name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let found = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
                Err(found.map_or_else(|| Unreachable::for_now(io_text(&error)), tls::problem))
            }
        }
    }
}

/// Speaks HTTP/1.1 over a stream, in a task of its own.
async fn speak(stream: AnyStream, ended: Option<Ended>) -> Result<SendRequest<Full<Bytes>>, Unreachable> {
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(|error| Unreachable::lost(&error))?;
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await
            && let Some(ended) = ended
        {
            let why = Unreachable::lost(&error);
            if !why.may_pass() {
                *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
            }
        }
    });
    Ok(sender)
}

/// Asks a proxy for a way to `target`.
async fn tunnel(stream: AnyStream, proxy: &Proxy, target: &str) -> Result<AnyStream, Unreachable> {
    let refused = |reason: String| Unreachable::for_good(format_args!("proxyconnect tcp: {reason}"));
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.method_mut() = Method::CONNECT;
    *request.uri_mut() = target.parse().map_err(|_| refused(format!("{target:?} is no address")))?;
    let host = HeaderValue::from_str(target).map_err(|_| refused(format!("{target:?} is no address")))?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(OURS));
    if let Some(login) = &proxy.login {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization(login));
    }
    let by_proxy = |error: hyper::Error| Unreachable::lost(&error).with("proxyconnect tcp: ");
    let mut sender = speak(stream, None).await?;
    let answer = sender.send_request(request).await.map_err(by_proxy)?;
    let status = answer.status();
    if !status.is_success() {
        let reason = answer.extensions().get::<ReasonPhrase>();
        let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
        let reason = reason.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
        let reason = format!("the proxy {} answers {} {reason}", proxy.authority(), status.as_str());
        let unreachable = refused(reason);
        return Err(if status.is_server_error() { unreachable.that_may_pass() } else { unreachable });
    }
    let stream = hyper::upgrade::on(answer).await.map_err(by_proxy)?;
    Ok(Box::new(TokioIo::new(stream)))
}

/// Who we are to a proxy.
pub(super) fn authorization(login: &Login) -> HeaderValue {
    let text =
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", login.username, login.password.0)));
    let mut value = HeaderValue::from_str(&text).expect("base64 is made of letters");
    value.set_sensitive(true);
    value
}

/// A socket to a server. Who does not listen is said as kubectl says it.
async fn dial(host: &str, port: u16, authority: &str, patience: Patience) -> Result<TcpStream, Unreachable> {
    match dial_any(host, port, patience).await {
        Ok(socket) => Ok(socket),
        Err(Failure { kind: io::ErrorKind::ConnectionRefused, .. }) => Err(Unreachable::refused(authority)),
        Err(Failure { text, .. }) => Err(Unreachable::for_now(text)),
    }
}

/// A socket to a proxy. Not to be taken for the server when nobody listens there.
async fn dial_proxy(proxy: &Proxy, patience: Patience) -> Result<TcpStream, Unreachable> {
    dial_any(&proxy.host, proxy.port, patience).await.map_err(|failure| Unreachable::for_now(failure.text))
}

struct Failure {
    kind: io::ErrorKind,
    text: String,
}

/// A socket to the first of a host's addresses that answers; else why the first did not.
async fn dial_any(host: &str, port: u16, patience: Patience) -> Result<TcpStream, Failure> {
    let until = Instant::now() + patience.connection;
    let unknown = |reason: &str| Failure {
        kind: io::ErrorKind::NotFound,
        text: format!("dial tcp: lookup {host}: {reason}"),
    };
    let looked_up = timeout_at(until, lookup_host((host, port))).await;
    let addresses: Vec<SocketAddr> = match looked_up.unwrap_or_else(|_| Err(timed_out())) {
        Ok(addresses) => addresses.collect(),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(unknown("i/o timeout")),
        Err(error) if error.to_string().contains("emporary failure") => {
            return Err(unknown("temporary failure in name resolution"));
        }
        Err(_) => return Err(unknown("no such host")),
    };
    let mut failure = None;
    for (at, address) in addresses.iter().enumerate() {
        // A host may have addresses that nobody answers at; the others are to have their turn.
        let share = until.saturating_duration_since(Instant::now()) / (addresses.len() - at) as u32;
        let found = match timeout(share, TcpStream::connect(address)).await {
            Ok(result) => result.and_then(|socket| prepare(&socket, patience).map(|()| socket)),
            Err(_) => Err(timed_out()),
        };
        match found {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                failure.get_or_insert_with(|| Failure {
                    kind: error.kind(),
                    text: format!("dial tcp {address}: {}", connect_text(&error)),
                });
            }
        }
    }
    Err(failure.unwrap_or_else(|| unknown("no such host")))
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "i/o timeout")
}

fn connect_text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(_) => format!("connect: {}", errno_text(error)),
        None => error.to_string(),
    }
}

fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "EOF".into(),
        _ => errno_text(error),
    }
}

/// A request is one write and not to wait for another; a peer that has gone without a word is noticed.
fn prepare(socket: &TcpStream, patience: Patience) -> io::Result<()> {
    socket.set_nodelay(true)?;
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &patience.silence)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &patience.between_questions)?;
    // This counts for the questions, too, in place of their number.
    setsockopt(socket, sockopt::TcpUserTimeout, &patience.acknowledgement)?;
    Ok(())
}

/// `a:1`, or `[::1]:1`.
fn join(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests;
