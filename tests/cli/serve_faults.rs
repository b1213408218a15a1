//! Clients that keep a cache by list and watch while their connections are cut, watches end, what they have seen is forgotten
//! and the server is killed. In the end each has what there is; on the way it hears of no change twice, late or without cause.
//!
//! What is changed and cut follows from a seed, when it happens from the machine.

use std::collections::BTreeMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use serde_json::{Value, json};

use crate::api_client::{Answer, Server};
use crate::common::{SOON, World, eventually};

const JOBS: &str = "/apis/batch/v1/namespaces/default/jobs";
const PODS: &str = "/api/v1/namespaces/default/pods";

/// How many changes are made over HTTP, and by commands.
const CHANGES: (u64, u64) = (250, 25);

/// Names, and their resourceVersions.
type Objects = BTreeMap<String, u64>;

fn version_of(object: &Value) -> u64 {
    let version = object["metadata"]["resourceVersion"].as_str().and_then(|text| text.parse().ok());
    version.unwrap_or_else(|| panic!("a version: {object}"))
}

fn name_of(object: &Value) -> String {
    object["metadata"]["name"].as_str().unwrap_or_else(|| panic!("a name: {object}")).to_owned()
}

/// A request to whichever server there is, if there is one.
fn ask(server: &RwLock<Server>, method: &str, path: &str, body: &Value) -> io::Result<Answer> {
    let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut connection = {
        let server = server.read().expect("a server");
        let mut connection = server.try_connect()?;
        server.try_send_over(&mut connection, method, path, &[("Content-Type", kind)], body.as_bytes())?;
        connection
    };
    connection.try_receive(method)
}

/// A list, in pages of some objects each.
fn list(server: &RwLock<Server>, path: &str, limit: usize) -> io::Result<(Objects, u64)> {
    let (mut objects, mut rest, mut first) = (Objects::new(), String::new(), None);
    loop {
        let answer = ask(server, "GET", &format!("{path}?limit={limit}{rest}"), &Value::Null)?;
        // The list that was begun is forgotten.
        if answer.status == 410 && !rest.is_empty() {
            (objects, rest, first) = (Objects::new(), String::new(), None);
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        let version = version_of(&page);
        assert_eq!(*first.get_or_insert(version), version, "all pages are of one moment");
        for object in page["items"].as_array().expect("items") {
            let known = objects.insert(name_of(object), version_of(object));
            assert!(known.is_none() && version_of(object) <= version, "{object}");
        }
        match page["metadata"]["continue"].as_str() {
            Some(token) if !token.is_empty() => rest = format!("&continue={token}"),
            _ => return Ok((objects, version)),
        }
    }
}

/// What a client has, and what became of its watches.
struct Cache {
    path: &'static str,
    objects: Mutex<Objects>,
    /// Of the watch under way, for whoever cuts it.
    socket: Mutex<Option<TcpStream>>,
    events: AtomicU64,
    lists: AtomicU64,
    /// Watches that the server has ended, that were cut, and that began too long ago.
    ended: AtomicU64,
    cut: AtomicU64,
    expired: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Cache {
    fn new(path: &'static str) -> Self {
        Self {
            path,
            objects: Mutex::default(),
            socket: Mutex::default(),
            events: AtomicU64::new(0),
            lists: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            expired: AtomicU64::new(0),
        }
    }

    /// Lists and watches until it is over.
    fn keep(&self, server: &RwLock<Server>, is_over: &AtomicBool, mut random: fastrand::Rng) {
        let mut seen = None;
        while !is_over.load(Ordering::Relaxed) {
            let done = match &mut seen {
                None => list(server, self.path, random.usize(1..8)).map(|(objects, version)| {
                    *self.objects.lock().expect("objects") = objects;
                    count(&self.lists);
                    Some(version)
                }),
                Some(version) => {
                    let seconds = random.u8(1..3);
                    self.watch(server, version, seconds).map(|is_known| is_known.then_some(*version))
                }
            };
            match done {
                Ok(version) => seen = version,
                // There is no server, or no connection to it any more.
                Err(_) => {
                    count(&self.cut);
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// Watches from a version on, which goes on with what is told. False where what came after it is forgotten.
    fn watch(&self, server: &RwLock<Server>, version: &mut u64, seconds: u8) -> io::Result<bool> {
        let path = format!(
            "{}?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}",
            self.path
        );
        let mut connection = {
            let server = server.read().expect("a server");
            let mut connection = server.try_connect()?;
            *self.socket.lock().expect("a socket") = Some(connection.0.get_ref().sock.try_clone()?);
            server.try_send_over(&mut connection, "GET", &path, &[], &[])?;
            connection
        };
        let head = connection.try_receive_head()?;
        assert_eq!(head.status, 200, "{path}");
        let mut unread = Vec::new();
        while let Some(piece) = connection.try_chunk()? {
            unread.extend(piece);
            while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = unread.drain(..=end).collect();
                let event: Value = serde_json::from_slice(&line).expect("an event");
                if event["type"] == "ERROR" {
                    assert_eq!(
                        (&event["object"]["code"], &event["object"]["reason"]),
                        (&json!(410), &json!("Expired"))
                    );
                    count(&self.expired);
                    return Ok(false);
                }
                self.take_in(&event, version);
            }
        }
        assert!(unread.is_empty(), "an event without an end");
        count(&self.ended);
        Ok(true)
    }

    fn take_in(&self, event: &Value, seen: &mut u64) {
        let object = &event["object"];
        let version = version_of(object);
        if event["type"] == "BOOKMARK" {
            assert!(version >= *seen, "after {seen}: {event}");
            *seen = version;
            return;
        }
        assert!(version > *seen, "{} after {seen}: {event}", self.path);
        *seen = version;
        count(&self.events);
        let mut objects = self.objects.lock().expect("objects");
        let known = match event["type"].as_str() {
            Some("DELETED") => objects.remove(&name_of(object)),
            _ => objects.insert(name_of(object), version),
        };
        assert_eq!(known.is_none(), event["type"] == "ADDED", "{known:?}: {event}");
    }

    /// Cuts the watch under way, wherever it is.
    fn cut(&self) {
        if let Some(socket) = &*self.socket.lock().expect("a socket") {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// In the end it has what there is, after every kind of fault.
    fn assert_is_right_soon(&self, server: &RwLock<Server>) {
        let until = Instant::now() + SOON;
        loop {
            let there = list(server, self.path, 500).expect("a list").0;
            let objects = self.objects.lock().expect("objects").clone();
            let [lists, events, ended, cut, expired] =
                [&self.lists, &self.events, &self.ended, &self.cut, &self.expired].map(Self::of);
            if !there.is_empty() && objects == there && ended > 0 && cut > 0 && expired > 0 {
                return;
            }
            assert!(
                Instant::now() < until,
                "{}: {lists} lists, {events} events, {ended} watches ended, {cut} cut, {expired} expired; \
                 has {objects:?} and not {there:?}",
                self.path
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn of(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// Cuts one watch after the other, now and then.
fn cut_at_random(caches: &[Cache], is_quiet: &AtomicBool, mut random: fastrand::Rng) {
    while !is_quiet.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(random.u64(1..200)));
        random.choice(caches).expect("a cache").cut();
    }
}

/// Creates, changes and deletes Jobs and pods over HTTP. What works depends on what is there.
fn change(server: &RwLock<Server>, progress: &AtomicU64, mut random: fastrand::Rng) {
    for nth in 0..CHANGES.0 {
        let name = format!("a{}", random.u8(..8));
        let job = format!("{JOBS}/{name}");
        let script = random.choice(["true", "exit 1", "sleep 0.3", "sleep 0.1; exit 1"]).expect("a script");
        let policy = random.choice(["Background", "Foreground", "Orphan"]).expect("a policy");
        let (method, path, body) = match random.u8(..10) {
            0..=3 => {
                let container =
                    json!({ "name": "main", "image": "busybox", "command": ["sh", "-c", script] });
                let template = json!({ "spec": { "restartPolicy": "Never", "containers": [container] } });
                let spec = json!({
                    "completions": 2, "parallelism": 2, "backoffLimit": 0, "suspend": random.u8(..4) == 0,
                    "template": template,
                });
                ("POST", JOBS.to_owned(), json!({ "metadata": { "name": name }, "spec": spec }))
            }
            4 | 5 => ("PATCH", job, json!({ "metadata": { "labels": { "changed": format!("n{nth}") } } })),
            6 => ("PATCH", job, json!({ "spec": { "suspend": random.bool() } })),
            7 => ("DELETE", format!("{PODS}?labelSelector=job-name%3D{name}"), Value::Null),
            _ => ("DELETE", format!("{job}?propagationPolicy={policy}"), Value::Null),
        };
        eventually(SOON, || {
            ask(server, method, &path, &body).is_ok_and(|answer| {
                assert!([200, 201, 202, 404, 409].contains(&answer.status), "{}", answer.text());
                true
            })
        });
        count(progress);
        std::thread::sleep(Duration::from_millis(random.u64(..10)));
    }
}

/// The same by the command line, with other Jobs and with those.
fn command(world: &World, progress: &AtomicU64, mut random: fastrand::Rng) {
    for nth in 0..CHANGES.1 {
        let name = format!("{}{}", random.choice(["a", "c"]).expect("a letter"), random.u8(..4));
        let line = match random.u8(..6) {
            0..=2 => format!("create job {name} --image=busybox -- sleep 0.1"),
            3 => format!("label job {name} changed=c{nth} --overwrite"),
            4 => format!("annotate job {name} changed=c{nth} --overwrite"),
            _ => format!("delete job {name} --wait=false"),
        };
        let output = world.run(&line);
        let is_right =
            output.code == 0 || ["not found", "already exists"].iter().any(|w| output.stderr.contains(w));
        assert!(is_right, "{line}: {}", output.stderr);
        count(progress);
    }
}

/// Whatever happens, it is over then: threads that wait for it must not wait for ever.
struct EndsWithThis<'a>(&'a AtomicBool);

impl Drop for EndsWithThis<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn round(seed: u64) {
    let world = World::new();
    let large = world.manifest("large", "x".repeat(900_000));
    let server = RwLock::new(Server::start(&world));
    let (is_quiet, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
    let progress = AtomicU64::new(0);
    let caches = [Cache::new(JOBS), Cache::new(PODS)];
    let mut random = fastrand::Rng::with_seed(seed);
    let kill_server = || kill(server.read().expect("a server").pid(), Signal::SIGKILL).expect("kill");
    let start_again = || {
        let next = Server::start(&world);
        *server.write().expect("a server") = next;
    };
    std::thread::scope(|threads| {
        let _ends = [EndsWithThis(&is_quiet), EndsWithThis(&is_over)];
        for cache in &caches {
            let random = random.fork();
            threads.spawn(|| cache.keep(&server, &is_over, random));
        }
        let cuts = random.fork();
        threads.spawn(|| cut_at_random(&caches, &is_quiet, cuts));
        let (over_http, by_commands) = (random.fork(), random.fork());
        threads.spawn(|| change(&server, &progress, over_http));
        threads.spawn(|| command(&world, &progress, by_commands));
        let all = CHANGES.0 + CHANGES.1;
        let reaches = |part: u64| eventually(SOON, || Cache::of(&progress) >= part);
        // One that is there again soon; then one that knows nothing of before.
        reaches(all / 3);
        kill_server();
        start_again();
        reaches(all * 2 / 3);
        kill_server();
        for _ in 0..6 {
            let _ = world.run(&format!("create configmap large --from-file={large}")).success();
            let _ = world.run("delete configmap large").success();
        }
        start_again();
        reaches(all);
        is_quiet.store(true, Ordering::Relaxed);
        caches.iter().for_each(|cache| cache.assert_is_right_soon(&server));
    });
}

#[test]
fn a_cache_kept_by_list_and_watch_ends_equal_to_what_there_is() {
    std::thread::scope(|threads| {
        for seed in [1, 2] {
            threads.spawn(move || round(seed));
        }
    });
}
