//! Requests that were made to a Kubernetes API server of 1.34, made to ours: the same status, the same reason and the same
//! shape of the answer, but for what is listed here.
//!
//! What the recorded requests rely on and what happened beside them is done here as it was there, with programs that run where
//! containers did. Their answers are in `tests/data/wire-answers.jsonl`, a line each: the shape of the body to a depth of three
//! (`s` a text, `n` a number, `b` a truth value, `a` an empty list, `o` an object, `z` null), the types and names of events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::api_client::{Answer, Server};
use crate::common::{SOON, World, eventually};

/// Where it is said what is otherwise here, and why.
const PAGE: &str = include_str!("../../docs/compatibility.md");
const SECTION: &str = "## Where the answers of `serve` differ";

/// The numbers of the requests that are listed.
fn listed() -> BTreeSet<u64> {
    let section = PAGE.split_once(SECTION).expect("the section").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let first = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    first.flat_map(|numbers| numbers.split(", ")).filter_map(|number| number.parse().ok()).collect()
}

/// How long a watch is listened to that was not ended by the server.
const LISTEN: Duration = Duration::from_millis(1500);

/// A recorded value in ours.
#[derive(Default)]
struct Names {
    /// `UID1`, `RV2` and names that a server has made, by what was recorded.
    known: BTreeMap<String, String>,
}

impl Names {
    /// Learns what stands where the placeholders do.
    fn learn(&mut self, recorded: &Value, ours: &Value) {
        match (recorded, ours) {
            (Value::Object(recorded), Value::Object(ours)) => {
                for (field, value) in recorded {
                    if let Some(ours) = ours.get(field) {
                        self.learn(value, ours);
                    }
                }
            }
            (Value::Array(recorded), Value::Array(ours)) => {
                recorded.iter().zip(ours).for_each(|(recorded, ours)| self.learn(recorded, ours));
            }
            (Value::String(recorded), Value::String(ours)) if is_placeholder(recorded) => {
                self.known.entry(recorded.clone()).or_insert_with(|| ours.clone());
            }
            _ => {}
        }
    }

    /// A text with ours in the place of placeholders.
    fn ours(&self, text: &str) -> String {
        let mut ours = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_uppercase()) {
            let word: String = rest[at..].chars().take_while(char::is_ascii_alphanumeric).collect();
            ours.push_str(&rest[..at]);
            rest = &rest[at + word.len()..];
            match word.as_str() {
                "CONTINUE" => {
                    let end = rest.find("})").map_or(rest.len(), |end| end + 1);
                    let token = self.ours(rest[1..end].trim_start_matches('('));
                    ours.push_str(&BASE64_URL_SAFE_NO_PAD.encode(token));
                    rest = &rest[(end + 1).min(rest.len())..];
                }
                "TIME" => ours.push_str("2026-01-01T00:00:00Z"),
                "MICROTIME" => ours.push_str("2026-01-01T00:00:00.000000Z"),
                word => ours.push_str(self.known.get(word).map_or(word, String::as_str)),
            }
        }
        ours + rest
    }

    fn ours_of(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => json!(self.ours(text)),
            Value::Array(items) => items.iter().map(|item| self.ours_of(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(field, value)| (field.clone(), self.ours_of(value))).collect()
            }
            other => other.clone(),
        }
    }
}

fn is_placeholder(text: &str) -> bool {
    ["UID", "RV"].iter().any(|kind| {
        text.strip_prefix(kind)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// What is missing of a recorded shape, or of another type.
fn lacks(recorded: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match recorded {
        Value::Object(fields) => {
            if !ours.is_object() {
                found.push(format!("{at} is no object"));
                return;
            }
            for (field, recorded) in fields {
                match ours.get(field) {
                    Some(ours) => lacks(recorded, ours, &format!("{at}.{field}"), found),
                    None => found.push(format!("{at}.{field} is missing")),
                }
            }
        }
        Value::Array(items) => match (items.first(), ours) {
            // Of the resources of a group only some were written down.
            (Some(recorded), Value::Array(ours)) if at == ".resources" => {
                let mut best = vec![format!("{at} has none like it")];
                for ours in ours {
                    let mut lacking = Vec::new();
                    lacks(recorded, ours, &format!("{at}[]"), &mut lacking);
                    if lacking.len() < best.len() || lacking.is_empty() {
                        best = lacking;
                    }
                }
                found.extend(best);
            }
            (Some(recorded), Value::Array(ours)) if !ours.is_empty() => {
                lacks(recorded, &ours[0], &format!("{at}[0]"), found);
            }
            (Some(_), _) => found.push(format!("{at} has no items")),
            (None, _) => {}
        },
        Value::String(kind) => {
            let is_right = match kind.as_str() {
                "s" => ours.is_string(),
                "n" => ours.is_number(),
                "b" => ours.is_boolean(),
                "a" => ours.is_array(),
                "o" => ours.is_object(),
                _ => ours.is_null(),
            };
            if !is_right {
                found.push(format!("{at} is {ours}"));
            }
        }
        _ => {}
    }
}

/// The server, and what happens beside the requests.
struct Replay<'a> {
    world: &'a World,
    server: &'a Server,
    names: Names,
    /// What this machine is called.
    node: String,
}

/// What runs where containers of the image `img` did: one pod goes on, and is not to be talked out of it.
const PROGRAM: &str = "case $HOSTNAME in pod1) trap : TERM; while :; do sleep 1; done;; esac; sleep 0.3";

/// What does not hear that it shall end.
const STUBBORN: [&str; 3] = ["sh", "-c", "trap : TERM; echo up; while :; do sleep 1; done"];

const MAPS: &str = "/api/v1/namespaces/wire-e/configmaps";
const JOBS: &str = "/apis/batch/v1/namespaces/wire-e/jobs";
const PODS: &str = "/api/v1/namespaces/wire-e/pods";

impl Replay<'_> {
    fn create(&self, path: &str, object: &Value) {
        let answer = self.server.send("POST", path, object);
        assert_eq!(answer.status, 201, "{object}: {}", answer.text());
    }

    fn merge(&self, path: &str, patch: &Value) {
        let headers = [("Content-Type", "application/merge-patch+json")];
        let answer = self.server.ask("PATCH", path, &headers, patch.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    fn config_map(&self, name: &str, labels: &Value) {
        self.create(MAPS, &json!({ "metadata": { "name": name, "labels": labels } }));
    }

    fn job(&self, path: &str, name: &str, more: &Value) {
        let container = json!({ "name": "c", "image": "img", "command": ["sleep", "100"] });
        let mut job = json!({
            "metadata": { "name": name },
            "spec": { "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } },
        });
        merge(&mut job, more);
        self.create(path, &job);
    }

    fn pod(&self, path: &str, name: &str, more: &Value) {
        let container = json!({ "name": "c", "image": "img", "command": ["sleep", "100"] });
        let mut pod = json!({ "metadata": { "name": name }, "spec": { "containers": [container] } });
        merge(&mut pod, more);
        self.create(path, &pod);
    }

    /// A pod that does not hear that it shall end.
    fn stubborn_pod(&self, path: &str, name: &str) {
        let container = json!({ "name": "c", "image": "img", "command": STUBBORN });
        let metadata = json!({ "annotations": { "fake/run": "100" } });
        self.pod(path, name, &json!({ "metadata": metadata, "spec": { "containers": [container] } }));
    }

    fn revision(&self) -> String {
        let list = self.server.get(MAPS).json();
        list["metadata"]["resourceVersion"].as_str().expect("a version").to_owned()
    }

    /// What was done before a request.
    fn before(&mut self, number: u64) {
        match number {
            1 => {
                let _ = self.world.run(&format!("image set img -- sh -c '{PROGRAM}'")).success();
                self.create("/api/v1/namespaces", &json!({ "metadata": { "name": "wire-e" } }));
                self.create("/api/v1/namespaces", &json!({ "metadata": { "name": "wire-o" } }));
                let labels = json!({ "metadata": { "labels": { "app": "a" } }, "spec": { "suspend": true } });
                self.job("/apis/batch/v1/namespaces/wire-o/jobs", "a", &labels);
            }
            86 => self.world.wait_for_value("job/a -n wire-e", "{.status.succeeded}", "1"),
            144 => {
                (0..5).for_each(|n| {
                    self.config_map(&format!("l{n}"), &json!({ "n": n.to_string(), "set": "l" }));
                });
            }
            196 => {
                let revision = self.revision();
                self.names.known.insert("RV45".into(), revision);
            }
            319 => {
                let container = |name: &str| json!({ "name": name, "image": "img" });
                let spec = json!({ "containers": [container("c"), container("d")], "nodeSelector": { "no": "such" } });
                self.create(PODS, &json!({ "metadata": { "name": "unb" }, "spec": spec }));
            }
            // By then it was gone.
            339 => {
                let _ = self.world.run("delete pod pod1 -n wire-e --now").success();
                eventually(SOON, || self.server.get(&format!("{PODS}/pod1")).status == 404);
            }
            342 => {
                let stubborn = json!({ "name": "c", "image": "img", "command": STUBBORN });
                let pod = json!({ "spec": { "containers": [stubborn] } });
                // One that is deleted in the foreground is still there when it is looked for.
                (1..7)
                    .for_each(|n| self.job(JOBS, &format!("d{n}"), &json!({ "spec": { "template": pod } })));
                for n in 1..7 {
                    self.world.wait_for_value(&format!("job/d{n} -n wire-e"), "{.status.ready}", "1");
                }
                self.config_map("c1", &json!({}));
                let finalizer =
                    json!({ "name": "c2", "labels": { "dc": "1" }, "finalizers": ["example.com/f"] });
                self.create(MAPS, &json!({ "metadata": finalizer }));
                self.config_map("c3", &json!({}));
                self.config_map("c4", &json!({ "dc": "1" }));
                let note = json!({ "metadata": { "annotations": { "fake/run": "100" } } });
                (1..3).for_each(|n| self.pod(PODS, &format!("g{n}"), &note));
                self.stubborn_pod(PODS, "g3");
                for n in 1..4 {
                    let pod = format!("pod/g{n} -n wire-e");
                    self.world.wait_for_value(&pod, "{.status.phase}", "Running");
                }
            }
            381 => {
                self.stubborn_pod("/api/v1/namespaces/wire-f/pods", "late");
                eventually(SOON, || self.world.run("logs late -n wire-f").stdout == "up\n");
            }
            434 => {
                assert_eq!(self.server.ask("DELETE", MAPS, &[], &[]).status, 200);
                let revision = self.revision();
                self.names.known.insert("BEGIN".into(), revision);
                (0..3).for_each(|n| self.config_map(&format!("l{n}"), &json!({ "set": "l" })));
            }
            412 => {
                let events = "/api/v1/namespaces/wire-e/events?fieldSelector=involvedObject.name%3Dwj";
                let events = self.server.get(events).json();
                let name = events["items"][0]["metadata"]["name"].as_str().expect("an Event");
                self.names.known.insert("EVENT".into(), name.to_owned());
            }
            _ => {}
        }
    }

    /// What was done while a watch went on.
    fn beside(&self, number: u64) {
        let at = |name: &str| format!("{MAPS}/{name}");
        match number {
            194 => self.merge(&at("l1"), &json!({ "data": { "a": "1" } })),
            434 => self.config_map("x1", &json!({ "set": "l" })),
            203 => self.merge(&at("l3"), &json!({ "data": { "a": "1" } })),
            196 => {
                self.config_map("w1", &json!({}));
                self.merge(&at("w1"), &json!({ "data": { "a": "1" } }));
                assert_eq!(self.server.ask("DELETE", &at("w1"), &[], &[]).status, 200);
            }
            198 => {
                self.config_map("sel", &json!({ "in": "yes" }));
                self.merge(&at("sel"), &json!({ "data": { "a": "1" } }));
                self.merge(&at("sel"), &json!({ "metadata": { "labels": { "in": "no" } } }));
                self.merge(&at("sel"), &json!({ "metadata": { "labels": { "in": "yes" } } }));
                assert_eq!(self.server.ask("DELETE", &at("sel"), &[], &[]).status, 200);
            }
            199 => self.merge(&at("l2"), &json!({ "data": { "a": "1" } })),
            216 | 218 => {
                let name = if number == 216 { "wt" } else { "wj" };
                let containers = json!([{ "name": "c", "image": "img" }]);
                self.job(
                    JOBS,
                    name,
                    &json!({ "spec": { "template": { "spec": { "containers": containers } } } }),
                );
            }
            217 => {
                self.job(JOBS, "wp", &json!({ "spec": { "suspend": true } }));
                self.merge(&format!("{JOBS}/wp"), &json!({ "metadata": { "labels": { "x": "1" } } }));
            }
            _ => {}
        }
    }

    fn path(&self, pair: &Value) -> String {
        let path = pair["path"].as_str().expect("a path");
        let path = path.replace("wj.18ea1ac7cd1923cc", "EVENT");
        // A revision of which nothing is known any more.
        let path =
            path.replace("resourceVersion=1000", "resourceVersion=1").replace("\"rv\":1000", "\"rv\":1");
        let path = path.replace("fake-1", &self.node);
        let path = match pair["n"].as_u64() {
            Some(426) => {
                let index = self.server.get("/openapi/v3").json();
                let url = index["paths"]["apis/batch/v1"]["serverRelativeURL"].as_str().expect("a URL");
                return url.to_owned();
            }
            Some(443) => path.replace("resourceVersion=1&", "resourceVersion=BEGIN&"),
            _ => path,
        };
        self.names.ours(&path).replace(' ', "%20").replace('"', "%22").replace('>', "%3E")
    }

    fn ask(&self, pair: &Value) -> Answer {
        let mut connection = self.server.connect();
        let bearer = format!("Bearer {}", self.server.token);
        let mut headers: Vec<(&str, &str)> = Vec::new();
        if pair["unauthenticated"] != true {
            headers.push(("Authorization", &bearer));
        }
        let given: BTreeMap<String, String> =
            serde_json::from_value(pair["headers"].clone()).unwrap_or_default();
        headers.extend(given.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        headers.push(("User-Agent", "wire-client/1.0"));
        let body = match &pair["body"] {
            Value::Null => String::new(),
            Value::String(text) => self.names.ours(text),
            value => self.names.ours_of(value).to_string(),
        };
        let method = pair["method"].as_str().expect("a method");
        connection.send(
            &format!("127.0.0.1:{}", self.server.port),
            method,
            &self.path(pair),
            &headers,
            body.as_bytes(),
        );
        connection.receive(method)
    }

    /// The types and names of a watch's events, for as long as was listened then.
    fn watch(&self, pair: &Value) -> (u16, Vec<Value>) {
        let number = pair["n"].as_u64().unwrap_or_default();
        let mut connection = self.server.connect();
        let bearer = format!("Bearer {}", self.server.token);
        let given: BTreeMap<String, String> =
            serde_json::from_value(pair["headers"].clone()).unwrap_or_default();
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(given.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        connection.send(&format!("127.0.0.1:{}", self.server.port), "GET", &self.path(pair), &headers, &[]);
        let head = connection.receive_head();
        if head.status != 200 {
            return (head.status, Vec::new());
        }
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            while let Some(chunk) = connection.chunk() {
                if tell.send(chunk).is_err() {
                    return;
                }
            }
        });
        self.beside(number);
        let is_closed = pair["closed"] == true;
        let until = Instant::now() + if is_closed { SOON } else { LISTEN };
        let mut text = Vec::new();
        while let Ok(chunk) = told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            text.extend(chunk);
        }
        let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        (200, lines.map(|line| serde_json::from_slice(line).expect("an event")).collect())
    }
}

fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (field, value) in more {
                merge(into.entry(field.clone()).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more.clone(),
    }
}

/// How an answer differs from the recorded one.
fn differences(pair: &Value, answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    if pair["status"] != answer.status {
        found.push(format!("status {} and not {}: {}", answer.status, pair["status"], first(&answer.text())));
        return found;
    }
    if let Some(text) = pair["text"].as_str()
        && !answer.text().starts_with(&text[..text.len().min(12)])
    {
        found.push(format!("text {}", first(&answer.text())));
    }
    let wanted = pair["answer"]["Content-Type"].as_str().unwrap_or_default();
    let given = answer.header("content-type").unwrap_or_default();
    if !wanted.is_empty() && wanted != given {
        found.push(format!("type {given:?} and not {wanted:?}"));
    }
    if !pair["answer"]["Warning"].is_null() && answer.header("warning").is_none() {
        found.push("no warning".into());
    }
    let shape = &pair["shape"];
    if shape.is_null() {
        return found;
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.body) else {
        found.push(format!("no JSON: {}", first(&answer.text())));
        return found;
    };
    if let Some(reason) = pair["reason"].as_str()
        && body["reason"].as_str().unwrap_or_default() != reason
    {
        found.push(format!("reason {} and not {reason}: {}", body["reason"], body["message"]));
    }
    if let Some(names) = pair["names"].as_array() {
        let ours: Vec<&Value> =
            body["items"].as_array().into_iter().flatten().map(|one| &one["metadata"]["name"]).collect();
        // Names that a server has made are others; of Events there may be more.
        let is_given = |name: &&Value| name.as_str().is_some_and(|name| !name.contains(['-', '.']));
        let (ours, names): (Vec<&Value>, Vec<&Value>) =
            (ours.into_iter().filter(is_given).collect(), names.iter().filter(is_given).collect());
        if ours != names {
            found.push(format!("names {ours:?} and not {names:?}"));
        }
    }
    let mut lacking = Vec::new();
    lacks(shape, &body, "", &mut lacking);
    found.extend(lacking);
    found
}

fn first(text: &str) -> String {
    text.chars().take(160).collect()
}

#[test]
fn recorded_requests_are_answered_as_they_were() {
    let world = World::new();
    // So that something has been forgotten.
    let _ = world.run("create configmap first").success();
    let large = world.manifest("large", "x".repeat(900_000));
    for _ in 0..6 {
        let _ = world.run(&format!("create configmap large --from-file={large}")).success();
        let _ = world.run("delete configmap large").success();
    }
    let server = Server::start(&world);
    let node = server.get("/api/v1/nodes").json()["items"][0]["metadata"]["name"]
        .as_str()
        .expect("a node")
        .to_owned();
    let mut replay = Replay { world: &world, server: &server, names: Names::default(), node };
    let recorded = include_str!("../data/wire-answers.jsonl");
    let known = listed();
    let (mut wrong, mut right_after_all, mut all) = (Vec::new(), Vec::new(), 0);
    for line in recorded.lines() {
        let pair: Value = serde_json::from_str(line).expect("a pair");
        let number = pair["n"].as_u64().expect("a number");
        replay.before(number);
        all += 1;
        let found = if let Some(events) = pair["events"].as_array() {
            let (status, told) = replay.watch(&pair);
            let told: Vec<Value> = told
                .iter()
                .map(|event| {
                    json!([event["type"], event["object"]["metadata"]["name"].as_str().unwrap_or_default()])
                })
                .collect();
            // How often a Job changes on its way is each controller's own; of some watches only the beginning was read.
            let (mut told, mut events) = (told, events.clone());
            told.dedup();
            events.dedup();
            if pair["n"] == 212 {
                told.truncate(events.len());
            }
            let is_same = status == 200 && told == events;
            if is_same {
                Vec::new()
            } else {
                vec![format!("status {status}, events {} and not {}", json!(told), json!(events))]
            }
        } else {
            let answer = replay.ask(&pair);
            if let (Ok(body), recorded) = (serde_json::from_slice(&answer.body), &pair["learn"]) {
                replay.names.learn(recorded, &body);
            }
            differences(&pair, &answer)
        };
        let what = || {
            format!(
                "{number} {} {}: {}",
                pair["method"].as_str().unwrap_or_default(),
                pair["path"].as_str().unwrap_or_default(),
                found.join("; ")
            )
        };
        match (found.is_empty(), known.contains(&number)) {
            (false, false) => wrong.push(what()),
            (true, true) => right_after_all.push(number),
            _ => {}
        }
    }
    let _ = world.run("delete cronjobs,jobs,pods,statefulsets -A --all --now").success();
    assert!(wrong.is_empty(), "{} of {all} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(right_after_all.is_empty(), "these do not differ any more: {right_after_all:?}");
    assert!(known.len() * 20 <= all, "{} of {all} differ", known.len());
}
