//! A way to a server on which things go wrong: a proxy without TLS between a client under test and `jobctl serve`.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::api_client::{Door, Server};
use crate::common::World;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing: the server answers.
    None,
    /// Somebody in between answers: the code, a header, and a body.
    Answer(u16, &'static str, String),
    /// The server answers, and the connection ends after so many bytes of that.
    Cut(usize),
    /// The request arrives, and the answer is lost.
    Lost,
    /// The answer comes late.
    Slow(Duration),
}

impl Fault {
    /// An answer of a server that refuses.
    pub(crate) fn status(code: u16, reason: &str, header: &'static str) -> Self {
        let body = serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason,
            "message": format!("made up: {reason}"), "code": code});
        Self::Answer(code, header, body.to_string())
    }
}

/// A request, as somebody in between sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    pub(crate) method: String,
    pub(crate) path: String,
    /// With names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Heard {
    pub(crate) fn is_watch(&self) -> bool {
        self.path.contains("watch=true")
    }

    pub(crate) fn is_log(&self) -> bool {
        self.path.contains("/log?")
    }
}

/// The way. It ends with the test's process.
pub(crate) struct BadWay {
    pub(crate) port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

type Decide = Box<dyn FnMut(&Heard) -> Fault + Send>;

impl BadWay {
    /// Opens a way to a server. `decide` says what becomes of each request.
    pub(crate) fn to(server: &Server, decide: impl FnMut(&Heard) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let decide: Arc<Mutex<Decide>> = Arc::new(Mutex::new(Box::new(decide)));
        let (door, all) = (server.door(), heard.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (door, decide, all) = (door.clone(), decide.clone(), all.clone());
                std::thread::spawn(move || {
                    let _ = carry(&door, client, &decide, &all);
                });
            }
        });
        Self { port, heard }
    }

    /// What has been asked so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("the requests").clone()
    }

    /// Writes a kubeconfig whose context `prod` leads this way; returns the flags to use it by.
    pub(crate) fn flags(&self, world: &World) -> String {
        let file = world.path("prod.yaml");
        std::fs::write(&file, kubeconfig(&format!("http://127.0.0.1:{}", self.port))).expect("write");
        format!("--kubeconfig={} --context=prod", file.display())
    }
}

/// A kubeconfig with a context `prod`.
pub(crate) fn kubeconfig(server: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: prod, cluster: {{server: \"{server}\"}}}}]\n\
         users: [{{name: me, user: {{}}}}]\n\
         contexts: [{{name: prod, context: {{cluster: prod, user: me}}}}]\ncurrent-context: prod\n"
    )
}

fn carry(
    server: &Door,
    client: TcpStream,
    decide: &Mutex<Decide>,
    all: &Mutex<Vec<Heard>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let heard = hear(&mut reader)?;
    let fault = {
        let mut decide = decide.lock().expect("the decision");
        all.lock().expect("the requests").push(heard.clone());
        decide(&heard)
    };
    let mut client = client;
    if let Fault::Answer(code, header, body) = &fault {
        let head = format!(
            "HTTP/1.1 {code} Made\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\nConnection: \
             close\r\n\r\n",
            body.len()
        );
        client.write_all(format!("{head}{body}").as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    let mut connection = server.try_connect()?;
    // Without TLS nobody sends a token.
    let bearer = format!("Bearer {}", server.token);
    let mut headers =
        vec![("Connection".to_owned(), "close".to_owned()), ("Authorization".to_owned(), bearer)];
    for (name, value) in &heard.headers {
        match name.as_str() {
            "host" | "content-length" | "connection" | "authorization" => {}
            _ => headers.push((name.clone(), value.clone())),
        }
    }
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    connection.send(&format!("127.0.0.1:{}", server.port), &heard.method, &heard.path, &headers, &heard.body);
    let mut left = match fault {
        Fault::Cut(bytes) => bytes,
        Fault::Lost => 0,
        _ => usize::MAX,
    };
    if let Fault::Slow(time) = fault {
        std::thread::sleep(time);
    }
    let mut buffer = [0; 4096];
    // What the server does is done before the answer is lost.
    let mut carried = connection.0.read(&mut buffer);
    while let Ok(bytes @ 1..) = carried {
        let sent = bytes.min(left);
        client.write_all(&buffer[..sent])?;
        left -= sent;
        if left == 0 {
            break;
        }
        carried = connection.0.read(&mut buffer);
    }
    client.shutdown(Shutdown::Both)
}

pub(crate) fn hear(reader: &mut BufReader<TcpStream>) -> std::io::Result<Heard> {
    let mut heard = Heard::default();
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    heard.method = words.next().unwrap_or_default();
    heard.path = words.next().unwrap_or_default();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        heard.headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = heard.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    heard.body = vec![0; length];
    reader.read_exact(&mut heard.body)?;
    Ok(heard)
}
