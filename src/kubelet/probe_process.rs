//! The processes that ask or tell a container something: one for each answer of a probe, one for each hook. What they say goes
//! into a file in memory, so that nobody has to read along.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use rustix::fs::MemfdFlags;

use super::actions::{ContainerRun, Handler, PodRun, ProbeKind};
use super::spawn::{Streams, fork_helper};
use super::start::{Surroundings, start_process};

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Probe(ProbeKind),
    PostStart,
    PreStop,
}

/// A process that asks or tells a container something.
#[derive(Debug)]
pub(super) struct ProbeProcess {
    pub(super) pid: Pid,
    /// The container, by its number in the pod.
    pub(super) container: usize,
    pub(super) task: Task,
    /// Until when it has to be done; nothing once it has been ended for that.
    pub(super) deadline: Option<DateTime<Utc>>,
    /// What is said where it was not done in time.
    late: String,
    output: OwnedFd,
    is_late: bool,
}

/// The most that is told of what a probe has said.
const LONGEST_OUTPUT: u64 = 10 << 10;
/// How long a hook may take to connect and to be answered.
const HOOK_TIMEOUT: StdDuration = StdDuration::from_secs(30);

impl ProbeProcess {
    /// Starts one. `timeout` is what a probe's answer may take, in seconds.
    ///
    /// # Errors
    /// What keeps it from being started, as Events have it.
    pub(super) fn start(
        run: &PodRun,
        (index, container): (usize, &ContainerRun),
        surroundings: Surroundings<'_>,
        (task, handler): (Task, &Handler),
        timeout: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<Self, String> {
        let text = |error: io::Error| error.to_string();
        let output =
            rustix::fs::memfd_create("probe", MemfdFlags::CLOEXEC).map_err(|error| text(error.into()))?;
        let patience = timeout.map_or(HOOK_TIMEOUT, |seconds| StdDuration::from_secs(seconds.unsigned_abs()));
        let (pid, late) = match handler {
            Handler::Exec(command) => {
                let asked = ContainerRun { argv: command.clone(), ..container.clone() };
                let pid = start_process(run, &asked, surroundings, Streams::outputs(&output, &output));
                let late = format!("command timed out: {:?} timed out after {patience:?}", command.join(" "));
                (pid.map_err(|failure| failure.message)?, late)
            }
            _ => {
                let mut file = File::from(output.try_clone().map_err(text)?);
                let pid = fork_helper(|| match ask(handler, patience) {
                    Ok(()) => 0,
                    Err(why) => {
                        let _ = file.write_all(why.as_bytes());
                        1
                    }
                });
                (pid.map_err(|error| error.to_string())?, "context deadline exceeded".to_owned())
            }
        };
        // A process of ours keeps the time itself; this is for those that do not.
        let deadline = timeout.map(|seconds| now + Duration::seconds(seconds));
        Ok(Self { pid, container: index, task, deadline, late, output, is_late: false })
    }

    /// Ends it, for it took too long.
    pub(super) fn end_late(&mut self) {
        self.is_late = true;
        self.end();
    }

    /// Ends it.
    pub(super) fn end(&mut self) {
        self.deadline = None;
        let _ = killpg(self.pid, Signal::SIGKILL);
        let _ = nix::sys::signal::kill(self.pid, Signal::SIGKILL);
    }

    /// What it has said, once it has ended with that exit code: nothing where all is well.
    pub(super) fn problem(self, exit_code: i32) -> Option<String> {
        if self.is_late {
            return Some(self.late);
        }
        if exit_code == 0 {
            return None;
        }
        let mut file = File::from(self.output);
        let mut said = Vec::new();
        let _ = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(LONGEST_OUTPUT).read_to_end(&mut said));
        Some(String::from_utf8_lossy(&said).into_owned())
    }
}

/// Asks over the network, or waits.
fn ask(handler: &Handler, patience: StdDuration) -> Result<(), String> {
    match handler {
        Handler::Exec(_) => Ok(()),
        Handler::Sleep(seconds) => {
            std::thread::sleep(StdDuration::from_secs(seconds.unsigned_abs()));
            Ok(())
        }
        Handler::Tcp { host, port } => connect(host, *port, patience).map(drop),
        Handler::Http { host, port, path, headers } => {
            let url = format!("http://{host}:{port}{path}");
            let failed = |why: String| format!("Get {url:?}: {why}");
            let stream = connect(host, *port, patience).map_err(failed)?;
            let status =
                status_of(stream, &format!("{host}:{port}"), path, headers, patience).map_err(failed)?;
            if (200..400).contains(&status) {
                return Ok(());
            }
            Err(format!("HTTP probe failed with statuscode: {status}"))
        }
    }
}

fn connect(host: &str, port: u16, patience: StdDuration) -> Result<TcpStream, String> {
    let found = (host, port).to_socket_addrs().map_err(|error| format!("lookup {host}: {error}"))?;
    let address: SocketAddr =
        found.into_iter().next().ok_or_else(|| format!("lookup {host}: no such host"))?;
    TcpStream::connect_timeout(&address, patience).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
            io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
            _ => format!("connect: {error}"),
        };
        format!("dial tcp {address}: {why}")
    })
}

/// The status code of an answer.
fn status_of(
    mut stream: TcpStream,
    authority: &str,
    path: &str,
    headers: &[(String, String)],
    patience: StdDuration,
) -> Result<u16, String> {
    let text = |error: io::Error| match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "context deadline exceeded".to_owned(),
        _ => error.to_string(),
    };
    let has = |name: &str| headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    let mut request = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
    for (name, value) in [("Host", authority), ("User-Agent", "kube-probe/1.34"), ("Accept", "*/*")] {
        if !has(name) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    stream.set_read_timeout(Some(patience)).map_err(text)?;
    stream.set_write_timeout(Some(patience)).map_err(text)?;
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = Vec::new();
    let mut byte = [0];
    // As far as the first line.
    while answer.len() < 1024 && !answer.ends_with(b"\n") {
        match stream.read(&mut byte).map_err(text)? {
            0 => break,
            _ => answer.push(byte[0]),
        }
    }
    let line = String::from_utf8_lossy(&answer);
    let code = line.strip_prefix("HTTP/").and_then(|rest| rest.split(' ').nth(1)?.trim().parse().ok());
    code.ok_or_else(|| {
        if answer.is_empty() { "EOF".into() } else { format!("malformed HTTP response {line:?}") }
    })
}
