//! A client of `jobctl serve`: HTTP/1.1 over TLS, as plain as can be, so that a test sees what is on the wire.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

use crate::common::World;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server under test; it ends with the test.
pub(crate) struct Server {
    child: Child,
    door: Door,
}

/// Where a server is found, and how to be let in.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) port: u16,
    pub(crate) token: String,
    certificate: CertificateDer<'static>,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// With names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A connection, for several requests one after the other.
pub(crate) struct Connection(pub(crate) BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Server {
    /// Starts a server in a world.
    pub(crate) fn start(world: &World) -> Self {
        Self::start_by(world, &[env!("CARGO_BIN_EXE_jobctl")])
    }

    /// Starts a server by other words than the program's name.
    pub(crate) fn start_by(world: &World, words: &[&str]) -> Self {
        let kubeconfig = world.path("kubeconfig");
        let mut child = world
            .command("")
            .program(words[0])
            .args(&words[1..])
            .args(["serve", &format!("--kubeconfig={}", kubeconfig.display())])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("start jobctl");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        output.read_line(&mut line).expect("where the server is");
        assert!(line.starts_with("Serving the Kubernetes API at https://127.0.0.1:"), "{line}");
        let text = std::fs::read_to_string(&kubeconfig).expect("a kubeconfig");
        let config: Value = serde_yaml::from_str(&text).expect("YAML");
        let cluster = &config["clusters"][0]["cluster"];
        let address = cluster["server"].as_str().expect("an address");
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let pem =
            BASE64_STANDARD.decode(cluster["certificate-authority-data"].as_str().expect("a certificate"));
        let certificate = CertificateDer::from_pem_slice(&pem.expect("base64")).expect("PEM");
        let token = config["users"][0]["user"]["token"].as_str().expect("a token").to_owned();
        Self { child, door: Door { port, token, certificate } }
    }

    /// Where it is found.
    pub(crate) fn door(&self) -> Door {
        self.door.clone()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id() as i32)
    }
}

impl std::ops::Deref for Server {
    type Target = Door;

    fn deref(&self) -> &Door {
        &self.door
    }
}

impl Door {
    /// A connection over TLS.
    pub(crate) fn connect(&self) -> Connection {
        self.try_connect().expect("connect")
    }

    /// The same to a server that may be gone.
    pub(crate) fn try_connect(&self) -> io::Result<Connection> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("127.0.0.1").expect("an address");
        let session = ClientConnection::new(Arc::new(config), name).expect("TLS");
        let stream = self.try_connect_plainly()?;
        Ok(Connection(BufReader::new(StreamOwned::new(session, stream))))
    }

    /// A connection without TLS: what whoever does not know better would send.
    pub(crate) fn connect_plainly(&self) -> TcpStream {
        self.try_connect_plainly().expect("connect")
    }

    fn try_connect_plainly(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A request with the token.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut connection = self.connect();
        self.ask_over(&mut connection, method, path, headers, body)
    }

    /// The same over a connection that goes on.
    pub(crate) fn ask_over(
        &self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.try_send_over(connection, method, path, headers, body).expect("send");
        connection.receive(method)
    }

    /// Sends a request with the token, to a server that may be gone.
    pub(crate) fn try_send_over(
        &self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        connection.try_send(&format!("127.0.0.1:{}", self.port), method, path, &all, body)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], &[])
    }

    /// A request with JSON.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(method, path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill(self.pid(), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

impl Connection {
    /// Sends a request with just these headers, and what its body needs.
    pub(crate) fn send(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) {
        self.try_send(host, method, path, headers, body).expect("send");
    }

    fn try_send(
        &mut self,
        host: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<()> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || ["POST", "PUT", "PATCH"].contains(&method) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        self.0.get_mut().write_all(&request)?;
        self.0.get_mut().flush()
    }

    /// Reads an answer to its end.
    pub(crate) fn receive(&mut self, method: &str) -> Answer {
        self.try_receive(method).expect("an answer")
    }

    /// The same over a connection that may be cut.
    pub(crate) fn try_receive(&mut self, method: &str) -> io::Result<Answer> {
        let mut answer = self.try_receive_head()?;
        if method == "HEAD" || answer.status == 101 {
            return Ok(answer);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = self.try_chunk()? {
                answer.body.extend(chunk);
            }
        } else if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().expect("a length")];
            self.0.read_exact(&mut answer.body)?;
        }
        Ok(answer)
    }

    /// Reads the status and the headers.
    pub(crate) fn receive_head(&mut self) -> Answer {
        self.try_receive_head().expect("an answer")
    }

    /// The same over a connection that may be cut.
    pub(crate) fn try_receive_head(&mut self) -> io::Result<Answer> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer { status: status.expect("a status"), ..Answer::default() };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(answer);
            }
            let (name, value) = line.split_once(':').expect("a header");
            answer.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        if line.ends_with('\n') {
            Ok(line.trim_end().to_owned())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// The next piece of a body that comes in pieces; none at its end, nor once somebody has closed the connection.
    pub(crate) fn chunk(&mut self) -> Option<Vec<u8>> {
        self.try_chunk().unwrap_or_default()
    }

    /// The next piece of a body that comes in pieces; none at its end.
    pub(crate) fn try_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let line = self.line()?;
        let length = usize::from_str_radix(&line, 16).expect("a length");
        let mut chunk = vec![0; length + 2];
        self.0.read_exact(&mut chunk)?;
        chunk.truncate(length);
        Ok((length > 0).then_some(chunk))
    }
}

/// The events of a watch, as they come.
pub(crate) struct Events {
    connection: Connection,
    unread: Vec<u8>,
}

impl Events {
    /// Begins a watch.
    pub(crate) fn watch(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut connection = server.connect();
        let bearer = format!("Bearer {}", server.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        connection.send(&format!("127.0.0.1:{}", server.port), "GET", path, &all, &[]);
        let head = connection.receive_head();
        assert_eq!((head.status, head.header("transfer-encoding")), (200, Some("chunked")), "{path}");
        Self { connection, unread: Vec::new() }
    }
}

impl Iterator for Events {
    type Item = Value;

    /// Waits for the next one; none where the server has ended the watch.
    fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).expect("an event"));
            }
            self.unread.extend(self.connection.chunk()?);
        }
    }
}
