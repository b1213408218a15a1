//! What `jobctl serve` answers in a second, to clients that ask one thing after the other over TLS, on the same machine.
//!
//! `cargo bench --bench serve [-- SECTION…]`, sections: ready, get, list, create, watch. `JOBCTL_BIN` names another binary to
//! measure: copies of two, one after the other, compare them.

#![allow(clippy::disallowed_methods, reason = "the rooms are those of src/")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const WATCHERS: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let sections: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| sections.is_empty() || sections.iter().any(|section| section == name);
    if wanted("ready") {
        let times = (0..11).map(|_| Served::start().ready_after.as_secs_f64() * 1e3);
        println!("ready after {:.1} ms", median(times.collect()));
    }
    if wanted("get") {
        get();
    }
    if wanted("list") {
        list();
    }
    if wanted("create") {
        create(0);
    }
    if wanted("watch") {
        create(WATCHERS);
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// A server in a directory of its own.
struct Served {
    process: Child,
    directory: PathBuf,
    address: String,
    token: String,
    tls: TlsConnector,
    ready_after: Duration,
}

impl Served {
    fn start() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("jobctl-bench-serve-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).expect("a directory");
        let kubeconfig = directory.join("kubeconfig");
        let program = std::env::var_os("JOBCTL_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_jobctl").into());
        let begin = Instant::now();
        let mut process = Command::new(program)
            .args(["serve", "--port", "0", "--kubeconfig"])
            .arg(&kubeconfig)
            .env("JOBCTL_DATA_DIR", directory.join("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("jobctl");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("where it is");
        let ready_after = begin.elapsed();
        let config: serde_yaml::Value =
            serde_yaml::from_str(&fs::read_to_string(&kubeconfig).expect("a kubeconfig")).expect("YAML");
        let cluster = &config["clusters"][0]["cluster"];
        let text = |value: &serde_yaml::Value| value.as_str().expect("a text").to_owned();
        let authority = text(&cluster["certificate-authority-data"]);
        let pem =
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, authority).expect("base64");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).expect("a certificate")).expect("an authority");
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config_of_tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            process,
            directory,
            address: text(&cluster["server"]).trim_start_matches("https://").to_owned(),
            token: text(&config["users"][0]["user"]["token"]),
            tls: TlsConnector::from(Arc::new(config_of_tls)),
            ready_after,
        }
    }

    /// The processor time that the server has taken, in milliseconds.
    fn processor_ms(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("stat");
        let numbers: Vec<f64> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().flat_map(str::parse).collect();
        // Behind the state, which is no number: the fields 14 and 15, in ticks of 10 ms.
        (numbers[10] + numbers[11]) * 10.0
    }

    async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(&self.address).await.expect("connected");
        stream.set_nodelay(true).expect("no delay");
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream = self.tls.connect(name, stream).await.expect("TLS");
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
        tokio::spawn(connection);
        Connection { sender, host: self.address.clone(), token: self.token.clone() }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.process.id().try_into().expect("a pid"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

impl Connection {
    async fn ask(&mut self, method: Method, path: &str, body: String) -> Response<Incoming> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("Host", &self.host)
            .header("Authorization", format!("Bearer {}", self.token))
            .header("Content-Type", "application/json")
            .body(Full::from(body))
            .expect("a request");
        self.sender.ready().await.expect("a connection");
        let response = self.sender.send_request(request).await.expect("an answer");
        assert!(response.status().is_success(), "{path}: {}", response.status());
        response
    }

    async fn get(&mut self, path: &str) -> Bytes {
        let response = self.ask(Method::GET, path, String::new()).await;
        response.into_body().collect().await.expect("a body").to_bytes()
    }

    /// A Job that starts nothing: what is measured is the server.
    async fn create(&mut self, name: &str) {
        let body = format!(
            r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"{name}"}},"spec":{{"suspend":true,"template":{{"spec":{{"restartPolicy":"Never","containers":[{{"name":"main","image":"busybox","command":["true"]}}]}}}}}}}}"#
        );
        self.ask(Method::POST, JOBS, body).await.into_body().collect().await.expect("a body");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn get() {
    const COUNT: u32 = 2000;
    let served = Served::start();
    runtime().block_on(async {
        let mut connection = served.connect().await;
        connection.create("one").await;
        let begin = Instant::now();
        for _ in 0..COUNT {
            connection.get("/apis/batch/v1/namespaces/default/jobs/one").await;
        }
        println!("GET of a Job: {:.3} ms", begin.elapsed().as_secs_f64() * 1e3 / f64::from(COUNT));
    });
}

fn list() {
    const COUNT: u32 = 20;
    let served = Served::start();
    runtime().block_on(async {
        let mut connection = served.connect().await;
        for index in 0..500 {
            connection.create(&format!("j{index}")).await;
        }
        let begin = Instant::now();
        let mut bytes = 0;
        for _ in 0..COUNT {
            bytes += connection.get(JOBS).await.len();
        }
        let rate = bytes as f64 / begin.elapsed().as_secs_f64() / 1e6;
        println!("list of 500 Jobs, {} KB: {rate:.0} MB/s", bytes / 1000 / COUNT as usize);
    });
}

#[derive(Deserialize)]
struct Event<'a> {
    r#type: &'a str,
    #[serde(borrow)]
    object: EventObject<'a>,
}

#[derive(Deserialize)]
struct EventObject<'a> {
    #[serde(borrow)]
    metadata: EventMetadata<'a>,
}

#[derive(Deserialize)]
struct EventMetadata<'a> {
    name: &'a str,
}

/// Reads a watch until every Job was told as new; a Job that is told twice is an error.
async fn watch(mut connection: Connection, count: usize, ready: Arc<AtomicUsize>) {
    let mut body = connection.ask(Method::GET, &format!("{JOBS}?watch=1"), String::new()).await.into_body();
    ready.fetch_add(1, Ordering::Relaxed);
    let mut told = vec![false; count];
    let (mut left, mut unread) = (count, Vec::new());
    while left > 0 {
        let frame = body.frame().await.expect("the watch goes on").expect("a frame");
        unread.extend_from_slice(&frame.into_data().unwrap_or_default());
        let mut begin = 0;
        while let Some(length) = memchr::memchr(b'\n', &unread[begin..]) {
            let event: Event = serde_json::from_slice(&unread[begin..begin + length]).expect("an event");
            begin += length + 1;
            if event.r#type == "ADDED" {
                let index: usize = event.object.metadata.name[1..].parse().expect("a number");
                assert!(!std::mem::replace(&mut told[index], true), "Job {index} was told twice");
                left -= 1;
            }
        }
        unread.drain(..begin);
    }
}

fn create(watchers: usize) {
    const COUNT: usize = 1000;
    let served = Served::start();
    let ready = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            runtime().block_on(async {
                let mut tasks = Vec::new();
                for _ in 0..watchers {
                    let connection = served.connect().await;
                    tasks.push(tokio::spawn(watch(connection, COUNT, Arc::clone(&ready))));
                }
                for task in tasks {
                    tokio::time::timeout(PATIENCE, task).await.expect("all in time").expect("each once");
                }
            });
        });
        runtime().block_on(async {
            let mut connection = served.connect().await;
            while ready.load(Ordering::Relaxed) < watchers {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let (begin, processor) = (Instant::now(), served.processor_ms());
            for index in 0..COUNT {
                connection.create(&format!("j{index}")).await;
            }
            let took = begin.elapsed();
            watching.join().expect("watchers");
            let processor = (served.processor_ms() - processor) / COUNT as f64;
            println!(
                "Jobs created with {watchers} watchers: {:.0}/s, the last told {:.1} ms later; {processor:.2} ms of the server's \
                 processor time each",
                COUNT as f64 / took.as_secs_f64(),
                (begin.elapsed() - took).as_secs_f64() * 1e3,
            );
        });
    });
}
