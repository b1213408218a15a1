//! Whom a client of a cluster meets on its way: proxies, and servers that want a certificate.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientCertVerifierBuilder, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::common::SOON;

/// Serves every connection of a new port in a thread of its own, for as long as the tests run.
fn listen(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let port = listener.local_addr().expect("an address").port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // Whoever goes away in the middle of it has what he wants.
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    port
}

/// Passes on bytes in both directions until both have ended.
fn pass_on(one: TcpStream, other: TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = (one.try_clone()?, other.try_clone()?);
    let back = std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (other, one);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
    let _ = back.join();
    Ok(())
}

/// The port of a server that speaks HTTP and no TLS.
pub(super) fn without_tls() -> u16 {
    listen(|mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")?;
        // Until the other end has gone: what is not read resets the connection.
        std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
    })
}

/// A proxy that speaks HTTP.
pub(super) struct HttpProxy {
    pub(super) port: u16,
    asked: Receiver<String>,
}

impl HttpProxy {
    /// One that answers with this line; after one of success, it passes on.
    pub(super) fn start(line: &'static str) -> Self {
        let (tell, asked) = channel();
        let tell = Mutex::new(tell);
        let port = listen(move |stream| {
            let mut reader = BufReader::new(stream.try_clone()?);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if reader.read_line(&mut head)? == 0 {
                    return Ok(());
                }
            }
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let _ = tell.lock().expect("a lock").send(head);
            (&stream).write_all(format!("{line}\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
            if line.contains(" 200 ") { pass_on(stream, TcpStream::connect(target)?) } else { Ok(()) }
        });
        Self { port, asked }
    }

    pub(super) fn url(&self, scheme: &str, login: &str) -> String {
        format!("{scheme}://{login}127.0.0.1:{}", self.port)
    }

    /// What it was asked first.
    pub(super) fn asked(&self) -> String {
        self.asked.recv_timeout(SOON).expect("a request to the proxy")
    }
}

/// A proxy that speaks SOCKS 5 and wants a password.
pub(super) struct SocksProxy {
    port: u16,
    asked: Receiver<String>,
}

impl SocksProxy {
    pub(super) fn start() -> Self {
        let (tell, asked) = channel();
        let tell = Mutex::new(tell);
        let port = listen(move |mut stream| {
            let mut read = |count: usize| {
                let mut bytes = vec![0; count];
                stream.read_exact(&mut bytes).map(|()| bytes)
            };
            let methods = read(2)?;
            let _ = read(methods[1].into())?;
            (&stream).write_all(&[5, 2])?;
            let mut stream = stream;
            let mut text = |skipped: usize| {
                let mut head = vec![0; skipped + 1];
                stream.read_exact(&mut head)?;
                let mut bytes = vec![0; head[skipped].into()];
                stream.read_exact(&mut bytes)?;
                std::io::Result::Ok(String::from_utf8_lossy(&bytes).into_owned())
            };
            let (name, password) = (text(1)?, text(0)?);
            stream.write_all(&[1, 0])?;
            // CONNECT to an address of IPv4.
            let mut request = [0; 10];
            stream.read_exact(&mut request)?;
            assert_eq!(request[..4], [5, 1, 0, 1]);
            let [a, b, c, d] = [request[4], request[5], request[6], request[7]];
            let target = format!("{a}.{b}.{c}.{d}:{}", u16::from_be_bytes([request[8], request[9]]));
            let _ = tell.lock().expect("a lock").send(format!("{name} {password} {target}"));
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
            pass_on(stream, TcpStream::connect(target)?)
        });
        Self { port, asked }
    }

    pub(super) fn url(&self, login: &str) -> String {
        format!("socks5://{login}127.0.0.1:{}", self.port)
    }

    /// Who asked it for what first.
    pub(super) fn asked(&self) -> String {
        self.asked.recv_timeout(SOON).expect("a request to the proxy")
    }
}

/// An authority, and what it has signed.
pub(super) struct Certificates {
    issuer: Issuer<'static, KeyPair>,
    /// The authority's certificate.
    pub(super) authority: String,
}

fn params(name: &str, usage: ExtendedKeyUsagePurpose) -> CertificateParams {
    let names = ["127.0.0.1", "localhost", "a.example"].map(str::to_owned);
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

impl Certificates {
    pub(super) fn new() -> Self {
        Self::of("authority")
    }

    /// Of an authority of this name.
    pub(super) fn of(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority(name);
        let authority = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: Issuer::new(params, key), authority }
    }

    /// The certificate of a client with that of the authority between, and its key.
    pub(super) fn client(&self, name: &str) -> (String, String) {
        let between_key = KeyPair::generate().expect("a key");
        let between = authority("between");
        let between_pem = between.signed_by(&between_key, &self.issuer).expect("a certificate").pem();
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::new(between, between_key);
        let own = params(name, ExtendedKeyUsagePurpose::ClientAuth).signed_by(&key, &issuer);
        (format!("{}{between_pem}", own.expect("a certificate").pem()), key.serialize_pem())
    }
}

/// Takes requests, over TLS and without, and tells who made them. It answers with an empty list.
pub(super) struct Recorder {
    pub(super) secure_port: u16,
    pub(super) plain_port: u16,
    heard: Receiver<String>,
}

const EMPTY_LIST: &str =
    r#"{"kind":"JobList","apiVersion":"batch/v1","metadata":{"resourceVersion":"1"},"items":[]}"#;

impl Recorder {
    /// One with a certificate of the authority. `clients` are the certificates that may be shown to it, by their names.
    pub(super) fn start(certificates: &Certificates, clients: &[(&'static str, String)]) -> Self {
        let key = KeyPair::generate().expect("a key");
        let own = params("server", ExtendedKeyUsagePurpose::ServerAuth).signed_by(&key, &certificates.issuer);
        let config = server_config(certificates, &own.expect("a certificate").pem(), &key, |verifier| {
            verifier.allow_unauthenticated()
        });
        let config = Arc::new(config);
        let clients: Vec<_> = clients.iter().map(|(name, pem)| (*name, der(pem))).collect();
        let (tell, heard) = channel();
        let tell = Arc::new(Mutex::new(tell));
        let told = Arc::clone(&tell);
        let secure_port = listen(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("TLS");
            let mut stream = StreamOwned::new(connection, stream);
            let head = head(&mut stream)?;
            let shown = stream.conn.peer_certificates().and_then(<[_]>::first);
            let client = clients.iter().find(|(_, known)| Some(known) == shown).map_or("-", |(name, _)| name);
            let asked = stream.conn.server_name().unwrap_or("-").to_owned();
            let _ = told.lock().expect("a lock").send(format!("TLS {asked} {client} {}", summary(&head)));
            answer(&mut stream, EMPTY_LIST)
        });
        let plain_port = listen(move |mut stream| {
            let head = head(&mut stream)?;
            let _ = tell.lock().expect("a lock").send(format!("plain - - {}", summary(&head)));
            answer(&mut stream, EMPTY_LIST)
        });
        Self { secure_port, plain_port, heard }
    }

    /// What it has been asked since it was last looked at.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }
}

/// Who asks.
fn summary(head: &str) -> String {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value));
    let mut who: Vec<String> = headers
        .filter(|(name, _)| ["authorization", "impersonate-user"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    who.sort();
    // The kubectl of some distributions asks for the version first.
    let is_for_version = head.starts_with("GET /version");
    if is_for_version { "version".to_owned() } else { who.join(" ") }
}

fn head(stream: &mut impl std::io::Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn answer(stream: &mut impl std::io::Write, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    stream.flush()
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")
}

fn server_config(
    certificates: &Certificates,
    certificate: &str,
    key: &KeyPair,
    clients: impl FnOnce(ClientCertVerifierBuilder) -> ClientCertVerifierBuilder,
) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(der(&certificates.authority)).expect("an authority");
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_client_cert_verifier(clients(verifier).build().expect("who is let in"))
        .with_single_cert(vec![der(certificate)], key)
        .expect("a certificate with its key")
}

/// A server that lets in who has a certificate of the authority, and says how many he has shown.
pub(super) struct TlsServer {
    port: u16,
    /// By what it is known: its authority, or the certificate itself.
    pub(super) known_by: String,
}

impl TlsServer {
    /// Has a certificate of the authority.
    pub(super) fn start(certificates: &Certificates) -> Self {
        let key = KeyPair::generate().expect("a key");
        let own = params("server", ExtendedKeyUsagePurpose::ServerAuth).signed_by(&key, &certificates.issuer);
        Self::with(certificates, &own.expect("a certificate").pem(), &key, certificates.authority.clone())
    }

    /// Has made its own certificate, marked as that of an authority.
    pub(super) fn with_its_own(certificates: &Certificates) -> Self {
        let key = KeyPair::generate().expect("a key");
        let own = authority("server").self_signed(&key).expect("a certificate").pem();
        Self::with(certificates, &own, &key, own.clone())
    }

    fn with(certificates: &Certificates, certificate: &str, key: &KeyPair, known_by: String) -> Self {
        let config = Arc::new(server_config(certificates, certificate, key, |verifier| verifier));
        let port = listen(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("TLS");
            let mut stream = StreamOwned::new(connection, stream);
            let _ = head(&mut stream)?;
            let count = stream.conn.peer_certificates().map_or(0, <[_]>::len);
            answer(&mut stream, &format!("{{\"certificates\": {count}}}"))
        });
        Self { port, known_by }
    }

    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }
}

/// What an issuer answers to a request: by its first line with the `Authorization`, and its body.
type Answering = dyn Fn(&str, &str) -> (u16, String) + Send + Sync;

/// Somebody who issues tokens, over TLS.
pub(super) struct TokenIssuer {
    port: u16,
    asked: Receiver<String>,
}

impl TokenIssuer {
    pub(super) fn start(
        certificates: &Certificates,
        answering: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let key = KeyPair::generate().expect("a key");
        let own = params("issuer", ExtendedKeyUsagePurpose::ServerAuth).signed_by(&key, &certificates.issuer);
        let config = server_config(certificates, &own.expect("a certificate").pem(), &key, |verifier| {
            verifier.allow_unauthenticated()
        });
        let (config, answering): (_, Box<Answering>) = (Arc::new(config), Box::new(answering));
        let (tell, asked) = channel();
        let tell = Mutex::new(tell);
        let port = listen(move |stream| {
            let local = stream.local_addr()?.port();
            let connection = ServerConnection::new(Arc::clone(&config)).expect("TLS");
            let mut stream = StreamOwned::new(connection, stream);
            let head = head(&mut stream)?;
            let find = |wanted: &str| {
                let mut headers = head.lines().filter_map(|line| line.split_once(": "));
                headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.to_owned())
            };
            let length = find("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
            let mut body = vec![0; length];
            stream.read_exact(&mut body)?;
            let line = head.lines().next().unwrap_or_default();
            let line = line.trim_end_matches(" HTTP/1.1");
            let who = find("authorization").map_or_else(String::new, |login| format!(" {login}"));
            let (request, body) = (format!("{line}{who}"), String::from_utf8_lossy(&body).into_owned());
            let (code, text) = if line.ends_with("/.well-known/openid-configuration") {
                (200, format!("{{\"token_endpoint\": \"https://127.0.0.1:{local}/token?a=b\"}}"))
            } else {
                answering(&request, &body)
            };
            let _ = tell.lock().expect("a lock").send(format!("{request} {body}").trim().to_owned());
            write!(
                stream,
                "HTTP/1.1 {code} Told\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: \
                 {}\r\n\r\n{text}",
                text.len()
            )?;
            stream.flush()
        });
        Self { port, asked }
    }

    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}/realm", self.port)
    }

    /// What it has been asked since it was last looked at.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}
