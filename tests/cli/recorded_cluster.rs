//! What passed between this binary and a real Kubernetes API server (1.20.2 with its controllers, a scheduler and RBAC), recorded:
//! the server's part is replayed, and each line must ask the same and print the same. Beside it stands what kubectl 1.32
//! printed for the same line; where that differs on purpose, the record names the row of docs/compatibility.md that says so
//! (tests/data/real-cluster.jsonl).

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bad_way::{Heard, hear, kubeconfig};
use crate::common::{World, normalize};

/// The page that names every difference.
const PAGE: &str = include_str!("../../docs/compatibility.md");
const RECORD: &str = include_str!("../data/real-cluster.jsonl");
/// How many worlds share the work.
const WORLDS: usize = 4;
/// Whether a container has ended when its log is asked for is a matter of a moment.
const FOLLOW: &str = "follow=true&";
/// How long something waits for what came before it in the record. What never comes is an error at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// What happened, in the order in which it did.
#[derive(Debug)]
enum Step {
    /// The method, the path and the body.
    Request(String, String, Value),
    /// A whole answer: the code, the `Warning` header and the body.
    Answer(u16, String, String),
    /// An answer that comes bit by bit begins, goes on, and ends.
    Open,
    Piece(String),
    End,
    /// The connection is lost.
    Cut,
}

/// A step, and to which exchange it belongs.
#[derive(Debug)]
struct Event {
    exchange: u64,
    step: Step,
}

/// A server that does what was recorded, in that order.
struct Replay {
    events: Vec<Event>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    done: Vec<bool>,
    unexpected: Vec<String>,
}

/// A command line, and what came of it there.
struct Recorded {
    args: Vec<String>,
    user: String,
    ours: Said,
    /// What kubectl said, and in what that is something else.
    kubectl: Option<Said>,
    why: Option<String>,
    events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl Said {
    fn read(value: &Value) -> Self {
        let text = |field: &str| value[field].as_str().expect("a text").to_owned();
        Self {
            code: i32::try_from(value["code"].as_i64().expect("a code")).expect("a code"),
            out: text("out"),
            err: text("err"),
        }
    }

    /// Without what differs from one day, one pod or one program to the other. Lines of several logs come in any order.
    fn normal(&self) -> Self {
        let normal = |text: &str| {
            let text = normalize(&text.replace("kubectl", "jobctl"));
            let line = |line: &str| {
                let words = line.split_whitespace().map(|word| if is_age(word) { "AGE" } else { word });
                words.collect::<Vec<_>>().join(" ")
            };
            let mut lines: Vec<String> = text.lines().map(line).collect();
            if text.contains("[pod/") {
                lines.sort();
            }
            lines.join("\n").trim().to_owned()
        };
        Self { code: self.code, out: normal(&self.out), err: normal(&self.err) }
    }
}

/// `5s`, `3m2s`, and what stands in brackets of the same form.
fn is_age(word: &str) -> bool {
    let word = word.trim_end_matches(')');
    let is_unit = |c: char| "smhdy".contains(c);
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.ends_with(is_unit)
        && word.chars().all(|c| c.is_ascii_digit() || is_unit(c))
}

/// The record, with its files. An object that was there before stands in it as what has become of it since.
fn recorded() -> (BTreeMap<String, String>, Vec<Recorded>) {
    let mut lines = RECORD.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let head = lines.next().expect("a head");
    let files = serde_json::from_value(head["files"].clone()).expect("files");
    let mut known = BTreeMap::new();
    let recorded = lines.map(|line| Recorded {
        args: serde_json::from_value(line["args"].clone()).expect("words"),
        user: line["as"].as_str().unwrap_or("team").to_owned(),
        ours: Said::read(&line),
        kubectl: line["kubectl"].is_object().then(|| Said::read(&line["kubectl"])),
        why: line["why"].as_str().map(str::to_owned),
        events: line["wire"].as_array().expect("steps").iter().map(|step| event(step, &mut known)).collect(),
    });
    (files, recorded.collect())
}

fn event(step: &Value, known: &mut BTreeMap<String, Value>) -> Event {
    let text = |index: usize| step[index].as_str().unwrap_or_default().to_owned();
    let mut body = |index: usize| match &step[index] {
        Value::String(text) => text.clone(),
        value => format!("{}\n", unpacked(value, known)),
    };
    let told = match step[0].as_str().expect("a step") {
        "request" => Step::Request(text(2), text(3), step[4].clone()),
        "answer" => {
            let status = u16::try_from(step[2].as_u64().expect("a code")).expect("a code");
            Step::Answer(status, step[4]["warning"].as_str().unwrap_or_default().to_owned(), body(3))
        }
        "open" => Step::Open,
        "piece" => Step::Piece(body(2)),
        "end" => Step::End,
        "cut" => Step::Cut,
        other => panic!("no step: {other}"),
    };
    Event { exchange: step[1].as_u64().expect("a number"), step: told }
}

fn unpacked(value: &Value, known: &mut BTreeMap<String, Value>) -> Value {
    let mut value = value.clone();
    if let Some(uid) = value["of"].as_str() {
        let mut object = known.get(uid).expect("an object that was there").clone();
        merge(&mut object, &value["then"]);
        return object;
    }
    if value["object"].is_object() {
        value["object"] = unpacked(&value["object"], known);
    } else if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(|item| *item = unpacked(item, known));
    } else if let Some(uid) = value["metadata"]["uid"].as_str() {
        known.insert(uid.to_owned(), value.clone());
    }
    value
}

/// Applies a JSON merge patch.
fn merge(value: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let object = value.as_object_mut().expect("an object");
    for (name, field) in fields {
        match field {
            Value::Null => drop(object.remove(name)),
            _ => merge(object.entry(name.clone()).or_insert(Value::Null), field),
        }
    }
}

impl Replay {
    /// Serves what was recorded until the test ends; returns the port.
    fn start(events: Vec<Event>) -> (Arc<Self>, u16) {
        let done = vec![false; events.len()];
        let state = Mutex::new(State { done, unexpected: Vec::new() });
        let replay = Arc::new(Self { events, state, changed: Condvar::new() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let all = replay.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let replay = all.clone();
                std::thread::spawn(move || {
                    let _ = replay.serve(client);
                });
            }
        });
        (replay, port)
    }

    fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let heard = hear(&mut BufReader::new(client.try_clone()?))?;
        // A connection that was opened, and not needed in the end.
        if heard.method.is_empty() {
            return Ok(());
        }
        let Some(exchange) = self.take(&heard) else {
            if heard.is_watch() {
                // One that began too late there to be told of anything.
                let _ = answer(&mut client, &Step::Open)?;
                return client.read_to_end(&mut Vec::new()).map(drop);
            }
            client
                .write_all(b"HTTP/1.1 501 Not recorded\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
            return client.shutdown(Shutdown::Both);
        };
        let of_exchange = self.events.iter().enumerate().filter(|(_, event)| event.exchange == exchange);
        for (index, event) in of_exchange {
            if matches!(event.step, Step::Request(..)) {
                continue;
            }
            self.wait_for_all_before(index);
            let went = answer(&mut client, &event.step);
            self.is_done(index);
            if went? {
                return client.shutdown(Shutdown::Both);
            }
        }
        // The client has ended before the server would have.
        client.read_to_end(&mut Vec::new()).map(drop)
    }

    /// Which exchange a request begins. One that only reads may be made again.
    fn take(&self, heard: &Heard) -> Option<u64> {
        let path = without_validation(&without_timeout(&heard.path)).replace(FOLLOW, "");
        let body = serde_json::from_slice(&heard.body).unwrap_or(Value::Null);
        let mut state = self.state.lock().expect("the state");
        let is_it = |event: &Event| match &event.step {
            Step::Request(method, asked, sent) => {
                *method == heard.method && asked.replace(FOLLOW, "") == path && *sent == body
            }
            _ => false,
        };
        // A log is read on from some line of it: the client leaves out what it has.
        let is_of_same_log = |event: &Event| match &event.step {
            Step::Request(_, asked, _) => heard.is_log() && asked.split('?').next() == path.split('?').next(),
            _ => false,
        };
        let all = || self.events.iter().enumerate();
        let found = all()
            .find(|(index, event)| is_it(event) && !state.done[*index])
            .or_else(|| all().rfind(|(_, event)| is_it(event) && heard.method == "GET"))
            .or_else(|| all().rfind(|(_, event)| is_of_same_log(event)));
        let Some((index, event)) = found else {
            let request = format!("{} {path} {body}", heard.method);
            state.unexpected.extend((!heard.is_watch()).then_some(request));
            return None;
        };
        state.done[index] = true;
        self.changed.notify_all();
        Some(event.exchange)
    }

    fn wait_for_all_before(&self, index: usize) {
        let until = Instant::now() + PATIENCE;
        let mut state = self.state.lock().expect("the state");
        while !state.done[..index].iter().all(|done| *done) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).expect("the state").0;
        }
    }

    fn is_done(&self, index: usize) {
        self.state.lock().expect("the state").done[index] = true;
        self.changed.notify_all();
    }

    /// Requests that were not recorded, and those recorded that were not made. Whether a watch begins before a command ends
    /// that has what it needs is left to chance, as is how often a log is looked at.
    fn differences(&self) -> Vec<String> {
        let state = self.state.lock().expect("the state");
        let missing = self.events.iter().zip(&state.done).filter_map(|(event, done)| match &event.step {
            Step::Request(method, path, _)
                if !done && !path.contains("watch=true") && !path.contains("/log?") =>
            {
                Some(format!("not asked: {method} {path}"))
            }
            _ => None,
        });
        state.unexpected.iter().map(|request| format!("not recorded: {request}")).chain(missing).collect()
    }
}

/// Does what was done; true where the connection ends with that.
fn answer(client: &mut TcpStream, step: &Step) -> std::io::Result<bool> {
    const HEAD: &str = "Content-Type: application/json\r\nConnection: close\r\n";
    match step {
        Step::Request(..) => Ok(false),
        Step::Answer(status, warning, body) => {
            let warning = if warning.is_empty() { String::new() } else { format!("Warning: {warning}\r\n") };
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Recorded\r\n{HEAD}{warning}Content-Length: {length}\r\n\r\n");
            client.write_all(format!("{head}{body}").as_bytes()).map(|()| true)
        }
        Step::Open => client
            .write_all(format!("HTTP/1.1 200 OK\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes())
            .map(|()| false),
        Step::Piece(text) => {
            client.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).map(|()| false)
        }
        Step::End => client.write_all(b"0\r\n\r\n").map(|()| true),
        Step::Cut => Ok(true),
    }
}

/// How long a watch may last is left to chance.
fn without_timeout(path: &str) -> String {
    let Some((before, after)) = path.split_once("timeoutSeconds=") else { return path.to_owned() };
    format!("{before}timeoutSeconds=N{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// The server of the record is older than the parameter that says what becomes of unknown fields, and passes over it.
fn without_validation(path: &str) -> String {
    let (before, query) = path.split_once('?').unwrap_or((path, ""));
    let words: Vec<&str> =
        query.split('&').filter(|word| !word.is_empty() && !word.starts_with("fieldValidation=")).collect();
    if words.is_empty() { before.to_owned() } else { format!("{before}?{}", words.join("&")) }
}

/// Runs one line; returns what is wrong with what came of it.
fn run(world: &World, line: Recorded) -> Option<String> {
    let Recorded { args, user, ours, kubectl, why, events } = line;
    let (replay, port) = Replay::start(events);
    let file = world.path("cluster.yaml");
    let server = kubeconfig(&format!("http://127.0.0.1:{port}"));
    let server =
        server.replace("name: prod, context: {", &format!("name: {user}, context: {{namespace: team, "));
    std::fs::write(&file, server.replace("current-context: prod", &format!("current-context: {user}")))
        .expect("write");
    let flags = [format!("--kubeconfig={}", file.display()), format!("--context={user}")];
    let output = world.command_of(flags.iter().cloned().chain(args.iter().cloned()).collect()).run();
    let kept = output.stderr.lines().filter(|line| !line.starts_with("Using context "));
    let err: String = kept.map(|line| format!("{line}\n")).collect();
    let said =
        Said { code: output.code, out: output.stdout, err: err.replace(&format!(" {}", flags[0]), "") };
    let mut wrong = replay.differences();
    let (said, ours) = (said.normal(), ours.normal());
    if said != ours {
        wrong.push(format!("then: {ours:#?}\nnow: {said:#?}"));
    }
    match (kubectl.map(|kubectl| kubectl.normal() == said), &why) {
        (Some(true), Some(why)) => wrong.push(format!("as kubectl's, although: {why}")),
        (Some(false), Some(why)) if !PAGE.contains(&format!("\n| {why} |")) => {
            wrong.push(format!("docs/compatibility.md does not say: {why}"));
        }
        (Some(false), None) => wrong.push("not as kubectl's, and the record does not say why".to_owned()),
        (None, Some(_)) => wrong.push("of no line of kubectl's".to_owned()),
        _ => {}
    }
    (!wrong.is_empty()).then(|| format!("{user}: {}\n{}", args.join(" "), wrong.join("\n")))
}

#[test]
fn a_real_cluster_is_asked_and_told_of_as_it_was() {
    let (files, recorded) = recorded();
    assert!(recorded.len() > 70, "only {} lines", recorded.len());
    let compared = recorded.iter().filter(|line| line.kubectl.is_some() && line.why.is_none()).count();
    assert!(compared > 50, "only {compared} lines are those of kubectl");
    let queue = Mutex::new(recorded.into_iter());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let worker = || {
            let world = World::new();
            files.iter().for_each(|(name, text)| drop(world.manifest(name, text)));
            let mut wrong = Vec::new();
            loop {
                let Some(line) = queue.lock().expect("the queue").next() else { break };
                wrong.extend(run(&world, line));
            }
            assert!(!world.store().exists(), "something of a cluster is stored here");
            wrong
        };
        let workers: Vec<_> = (0..WORLDS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect()
    });
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n\n"));
}
