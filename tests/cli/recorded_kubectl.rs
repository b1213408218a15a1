//! What kubectl 1.32 (and 1.33) asked a Kubernetes API server of 1.34 for, command by command, asked of ours: the same status, the
//! same reason and the same kind of object, but for what is listed in `docs/compatibility.md`.
//!
//! `tests/data/kubectl-requests.jsonl` has a line for each command. What depends on the server is `{rv}`, `{uid}`, `{continue}`
//! (of the last answer that had one), `{hash}` (where a document of OpenAPI is), `{pod JOB}` and `{gen}` (names that a server has
//! made) and `{node}`. A request with `known` says which answer it knows already. Left out is what was asked again and again
//! until something was gone, kinds that are not ours, and what that cluster could not answer without a kubelet.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api_client::{Answer, Server};
use crate::common::{SOON, World, eventually};

/// Where it is said what is otherwise here, and why.
const PAGE: &str = include_str!("../../docs/compatibility.md");
const SECTION: &str = "## Where `serve` answers kubectl differently";

const CORE: &str = "/api/v1/namespaces/wire-verbs";
const JOBS: &str = "/apis/batch/v1/namespaces/wire-verbs/jobs";

#[derive(Deserialize)]
struct Command {
    n: u64,
    command: String,
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    accept: Option<String>,
    #[serde(default)]
    known: bool,
    r#type: Option<String>,
    #[serde(default)]
    body: Value,
    status: u16,
    reason: Option<String>,
    kind: Option<String>,
}

/// What kubectl calls the form of a table, and of discovery.
fn accept(word: &str) -> String {
    let forms = |form: &str, versions: [&str; 2]| {
        versions.map(|version| format!("application/json;{}", form.replace("VERSION", version))).join(",")
    };
    match word {
        "table" => forms("as=Table;v=VERSION;g=meta.k8s.io", ["v1", "v1beta1"]) + ",application/json",
        "discovery" => {
            let form = "g=apidiscovery.k8s.io;v=VERSION;as=APIGroupDiscoveryList";
            forms(form, ["v2", "v2beta1"]) + ",application/json"
        }
        other => other.to_owned(),
    }
}

struct Replay<'a> {
    world: &'a World,
    server: &'a Server,
    /// What stands for what depends on the server.
    words: BTreeMap<&'static str, String>,
    /// The tags of answers, by their paths.
    tags: BTreeMap<String, String>,
}

impl Replay<'_> {
    fn create(&self, path: &str, object: &Value) {
        let answer = self.server.send("POST", path, object);
        assert_eq!(answer.status, 201, "{object}: {}", answer.text());
    }

    fn job(&self, name: &str, script: &str) {
        let container = json!({ "name": "c", "image": "img", "command": ["sh", "-c", script] });
        let spec = json!({ "template": { "spec": { "restartPolicy": "Never", "containers": [container] } } });
        self.create(JOBS, &json!({ "metadata": { "name": name }, "spec": spec }));
    }

    fn pod(&self, name: &str) {
        let container = json!({ "name": "c", "image": "img", "command": ["sleep", "100"] });
        let pod = json!({ "metadata": { "name": name }, "spec": { "containers": [container] } });
        self.create(&format!("{CORE}/pods"), &pod);
    }

    /// What happened on the cluster before a command.
    fn before(&self, number: u64) {
        match number {
            0 => {
                let _ = self.world.run("image set img -- true").success();
                for name in ["wire-verbs", "wire-empty"] {
                    self.create("/api/v1/namespaces", &json!({ "metadata": { "name": name } }));
                }
            }
            56 => ["w1", "w2"].iter().for_each(|name| self.job(name, "true")),
            110 => {
                self.job("wt1", "sleep 0.3");
                self.world.wait_for_value("job/j1 -n wire-verbs", "{.status.succeeded}", "1");
            }
            115 => {
                let deleted =
                    self.server.ask("DELETE", &format!("{JOBS}/a1?propagationPolicy=Background"), &[], &[]);
                assert_eq!(deleted.status, 200);
            }
            124 => self.job("lng", "sleep 100"),
            152 => {
                self.job("nj", "sleep 100");
                ["n1", "n2"].iter().for_each(|name| self.pod(name));
                for name in ["pod/n1", "pod/n2"] {
                    self.world.wait_for_value(&format!("{name} -n wire-verbs"), "{.status.phase}", "Running");
                }
                self.world.wait_for_value("job/nj -n wire-verbs", "{.status.ready}", "1");
            }
            156 => {
                self.pod("n3");
                eventually(SOON, || !self.pod_of("nj").is_empty());
            }
            160 => {
                (1..8).for_each(|n| self.job(&format!("d{n}"), "sleep 100"));
            }
            _ => {}
        }
    }

    /// The pod of a Job that is not on its way out.
    fn pod_of(&self, job: &str) -> String {
        let pods = self.server.get(&format!("{CORE}/pods?labelSelector=job-name%3D{job}")).json();
        let mut pods = pods["items"].as_array().expect("items").iter().map(|pod| &pod["metadata"]);
        let found = pods.find(|metadata| metadata["deletionTimestamp"].is_null());
        found.and_then(|metadata| metadata["name"].as_str()).unwrap_or_default().to_owned()
    }

    /// A text with what our server has in the place of what the other had.
    fn ours(&self, text: &str) -> String {
        let mut ours = text.to_owned();
        for (word, value) in &self.words {
            ours = ours.replace(&format!("{{{word}}}"), value);
        }
        while let Some((before, rest)) = ours.split_once("{pod ") {
            let (job, after) = rest.split_once('}').expect("a brace");
            ours = format!("{before}{}{after}", self.pod_of(job));
        }
        if let Some((document, _)) = ours.split_once("?hash={hash}") {
            let index = self.server.get("/openapi/v3").json();
            let path = document.strip_prefix("/openapi/v3/").expect("a document");
            let url = index["paths"][path]["serverRelativeURL"].as_str().expect("a URL").to_owned();
            let hash = url.split_once("?hash=").expect("a hash").1;
            ours = ours.replace("{hash}", hash);
        }
        ours
    }

    fn ask(&mut self, request: &Request) -> Answer {
        let path = self.ours(&request.path);
        let accept = request.accept.as_deref().map(accept);
        let mut headers: Vec<(&str, &str)> = Vec::new();
        headers.extend(accept.as_deref().map(|accept| ("Accept", accept)));
        headers.extend(request.r#type.as_deref().map(|of| ("Content-Type", of)));
        if request.known {
            headers.push(("If-None-Match", self.tags.get(&path).expect("an answer before")));
        }
        let body = match &request.body {
            Value::Null => String::new(),
            Value::String(text) => self.ours(text),
            value => self.ours(&value.to_string()),
        };
        if request.path.contains("watch=true") {
            return self.begin_watch(&path, &headers);
        }
        let answer = self.server.ask(&request.method, &path, &headers, body.as_bytes());
        if let Some(tag) = answer.header("etag") {
            self.tags.insert(path, tag.to_owned());
        }
        if let Ok(object) = serde_json::from_slice::<Value>(&answer.body) {
            let metadata = &object["metadata"];
            for (word, field) in [("rv", "resourceVersion"), ("uid", "uid"), ("continue", "continue")] {
                if let Some(value) = metadata[field].as_str() {
                    self.words.insert(word, value.to_owned());
                }
            }
            if let (Some(_), Some(name)) = (metadata["generateName"].as_str(), metadata["name"].as_str())
                && request.method == "POST"
            {
                self.words.insert("gen", name.to_owned());
            }
        }
        answer
    }

    /// How a watch begins; `tests/cli/recorded_wire.rs` compares what is told.
    fn begin_watch(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut connection = self.server.connect();
        let bearer = format!("Bearer {}", self.server.token);
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend(headers);
        connection.send(&format!("127.0.0.1:{}", self.server.port), "GET", path, &all, &[]);
        connection.receive_head()
    }
}

/// How an answer differs from the recorded one.
fn difference(request: &Request, answer: &Answer) -> Option<String> {
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let word = |field: &str| body[field].as_str().unwrap_or_default();
    if answer.status != request.status {
        return Some(format!("{} and not {}: {}", answer.status, request.status, word("message")));
    }
    for (field, wanted) in [("reason", &request.reason), ("kind", &request.kind)] {
        if let Some(wanted) = wanted
            && wanted != word(field)
        {
            return Some(format!("{field} {:?} and not {wanted:?}: {}", word(field), word("message")));
        }
    }
    None
}

/// The commands that are listed.
fn listed() -> BTreeSet<u64> {
    let section = PAGE.split_once(SECTION).expect("the section").1;
    let section = section.split("\n## ").next().unwrap_or_default();
    let first = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    first.flat_map(|numbers| numbers.split(", ")).filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn requests_of_kubectl_are_answered_as_they_were() {
    let world = World::new();
    let server = Server::start(&world);
    let nodes = server.get("/api/v1/nodes").json();
    let node = nodes["items"][0]["metadata"]["name"].as_str().expect("a node").to_owned();
    let words = BTreeMap::from([("node", node)]);
    let mut replay = Replay { world: &world, server: &server, words, tags: BTreeMap::new() };
    let (mut wrong, mut as_they_were, mut all) = (Vec::new(), Vec::new(), 0);
    let known = listed();
    for line in include_str!("../data/kubectl-requests.jsonl").lines() {
        let command: Command = serde_json::from_str(line).expect("a command");
        replay.before(command.n);
        let mut found = Vec::new();
        for request in &command.requests {
            all += 1;
            let answer = replay.ask(request);
            found.extend(
                difference(request, &answer).map(|how| format!("{} {}: {how}", request.method, request.path)),
            );
        }
        match (found.is_empty(), known.contains(&command.n)) {
            (false, false) => {
                wrong.push(format!("{} {}\n  {}", command.n, command.command, found.join("\n  ")));
            }
            (true, true) => as_they_were.push(command.n),
            _ => {}
        }
    }
    let _ = world.run("delete cronjobs,jobs,pods,statefulsets -A --all --now").success();
    assert!(wrong.is_empty(), "{} commands ({all} requests) differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(as_they_were.is_empty(), "these do not differ any more: {as_they_were:?}");
}
