//! Connections: a socket, TLS on it where there is some, HTTP/1.1 on that.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use nix::sys::socket::{setsockopt, sockopt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error as TlsError};

use super::server::Server;
use super::unreachable::Unreachable;

/// How long a connection may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// When a peer that says nothing is asked whether it is there, how often then, and how often in vain.
const SILENCE: u32 = 30;
const BETWEEN_QUESTIONS: u32 = 10;
const QUESTIONS: u32 = 3;
/// How long, in milliseconds, what was sent may stay unacknowledged.
const UNACKNOWLEDGED: u32 = 60_000;

/// What bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Opens a connection to a server.
///
/// # Errors
/// [`Unreachable`].
pub(super) async fn connect(
    server: &Server,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
) -> Result<SendRequest<Full<Bytes>>> {
    let opened = timeout(PATIENCE, open(server, tls)).await;
    let stream = opened.unwrap_or_else(|_| Err(timed_out(&server.authority)))?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(Unreachable::for_now)?;
    // Why a connection ends is told to whoever waits for an answer on it.
    tokio::spawn(async move { _ = connection.with_upgrades().await });
    Ok(sender)
}

fn timed_out(what: &str) -> Unreachable {
    Unreachable::for_now(format_args!("dial tcp {what}: i/o timeout"))
}

async fn open(
    server: &Server,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
) -> Result<Box<dyn Stream>, Unreachable> {
    let socket = dial(&server.host, server.port, &server.authority).await?;
    match tls {
        None => Ok(Box::new(socket)),
        Some((config, name)) => secure(socket, config, name).await,
    }
}

/// A socket to one of a host's addresses, the first that answers.
async fn dial(host: &str, port: u16, authority: &str) -> Result<TcpStream, Unreachable> {
    let addresses: Vec<SocketAddr> = lookup_host((host, port))
        .await
        .map_err(|_| Unreachable::for_now(format_args!("dial tcp: lookup {host}: no such host")))?
        .collect();
    let mut failure = None;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => {
                prepare(&socket).map_err(Unreachable::for_now)?;
                return Ok(socket);
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                failure.get_or_insert(Unreachable::refused(authority));
            }
            Err(error) => {
                failure.get_or_insert(Unreachable::for_now(format_args!(
                    "dial tcp {address}: connect: {error}"
                )));
            }
        }
    }
    Err(failure
        .unwrap_or_else(|| Unreachable::for_now(format_args!("dial tcp: lookup {host}: no such host"))))
}

/// A request is one write and not to wait for another; a peer that has gone without a word is noticed within a minute.
fn prepare(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    setsockopt(socket, sockopt::KeepAlive, &true)?;
    setsockopt(socket, sockopt::TcpKeepIdle, &SILENCE)?;
    setsockopt(socket, sockopt::TcpKeepInterval, &BETWEEN_QUESTIONS)?;
    setsockopt(socket, sockopt::TcpKeepCount, &QUESTIONS)?;
    setsockopt(socket, sockopt::TcpUserTimeout, &UNACKNOWLEDGED)?;
    Ok(())
}

async fn secure(
    stream: impl Stream + 'static,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<Box<dyn Stream>, Unreachable> {
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => {
            let found = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
            Err(found.map_or_else(|| Unreachable::for_now(&error), tls_problem))
        }
    }
}

/// What is wrong, in Go's words where people look for these.
fn tls_problem(error: &TlsError) -> Unreachable {
    let verify = "tls: failed to verify certificate: x509:";
    match error {
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Unreachable::for_good(format_args!("{verify} certificate signed by unknown authority"))
        }
        TlsError::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => Unreachable::for_good(format_args!(
            "{verify} certificate has expired or is not yet valid: {error}"
        )),
        TlsError::InvalidCertificate(_) => Unreachable::for_good(format_args!("{verify} {error}")),
        TlsError::InvalidMessage(_) => {
            Unreachable::for_good("http: server gave HTTP response to HTTPS client")
        }
        TlsError::AlertReceived(_) => Unreachable::for_good(format_args!("remote error: tls: {error}")),
        _ => Unreachable::for_now(format_args!("tls: {error}")),
    }
}
