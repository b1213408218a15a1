//! What verbs print of a cluster is what it answers, and what they send is what a manifest says: also fields that our types do not
//! have. Where there is a kubectl, it prints the same of the same answers.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::api_client::Server;
use crate::bad_way::{BadWay, Fault, Heard};
use crate::common::{World, job, words};

/// kubectl, where it is installed.
fn kubectl() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file())
}

/// A client, a server, and a way between them on which some requests are answered by somebody else.
pub(crate) struct Trial {
    pub(crate) here: World,
    pub(crate) way: BadWay,
    flags: String,
    /// Goes before its world.
    server: Option<Server>,
    pub(crate) there: World,
}

impl Trial {
    pub(crate) fn new(decide: impl FnMut(&Heard) -> Fault + Send + 'static) -> Self {
        let (here, there) = (World::new(), World::new());
        let server = Server::start(&there);
        let way = BadWay::to(&server, decide);
        let flags = way.flags(&here);
        Self { here, way, flags, server: Some(server), there }
    }

    /// What a line prints and says, and its exit code.
    pub(crate) fn run(&self, line: &str) -> (String, String, i32) {
        let output = self.here.run(&format!("{} {line}", self.flags));
        let said = output.stderr.lines().filter(|line| !line.starts_with("Using context "));
        (output.stdout.clone(), said.map(|line| format!("{line}\n")).collect(), output.code)
    }

    /// The same of kubectl, where there is one.
    pub(crate) fn kubectl(&self, line: &str) -> Option<(String, String, i32)> {
        let output = Command::new(kubectl()?)
            .args(words(&format!("{} {line}", self.flags)))
            .env("HOME", self.here.path("home"))
            .current_dir(self.here.path("work"))
            .output()
            .expect("run kubectl");
        // Newer ones say of which namespace something has been deleted.
        let text = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).replace(" deleted from default namespace", " deleted");
            text.replace("kubectl apply", "jobctl apply").replace("kubectl create", "jobctl create")
        };
        Some((text(&output.stdout), text(&output.stderr), output.status.code().expect("a code")))
    }

    /// The requests that change something, since the last call.
    fn changes(&self, from: &mut usize) -> Vec<Heard> {
        let heard = self.way.heard();
        let new = heard[*from..].to_vec();
        *from = heard.len();
        new.into_iter().filter(|heard| heard.method != "GET").collect()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.server = None;
        if !std::thread::panicking() {
            let _ = self.there.run("delete cronjobs,jobs,pods -A --all --now").success();
        }
    }
}

/// A Job as a newer server might have it.
fn newer() -> Value {
    json!({"kind": "Job", "apiVersion": "batch/v1",
        "metadata": {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z", "zone": {"of": ["x", 1.5, null, true]},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
            "managedFields": [{"manager": "x", "operation": "Update", "apiVersion": "batch/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {}}]},
        "spec": {"backoffLimit": 0, "elasticity": {"most": 3, "least": 1}, "suspend": true,
            "template": {"metadata": {}, "spec": {"restartPolicy": "Never", "warmth": "hot",
                "containers": [{"name": "main", "image": "busybox", "ears": 2}]}}},
        "status": {"heat": 1e3}})
}

/// Bodies stay as they are: what comes back for a change is the same object.
#[test]
fn fields_that_we_do_not_know_are_printed_as_they_were_answered() {
    let trial = Trial::new(|heard| {
        if !heard.path.contains("/jobs") || heard.is_watch() {
            return Fault::None;
        }
        let (list, path) = (
            json!({"kind": "JobList", "apiVersion": "batch/v1", "metadata": {"resourceVersion": "9"},
            "items": [newer()]}),
            heard.path.split('?').next().unwrap_or_default().to_owned(),
        );
        match (heard.method.as_str(), path.ends_with("/jobs")) {
            ("GET", true) => Fault::Answer(200, "", list.to_string()),
            ("POST", _) => Fault::Answer(201, "", newer().to_string()),
            ("GET" | "PATCH" | "PUT", _) => {
                let mut answer = newer();
                let sent: Value = serde_json::from_slice(&heard.body).unwrap_or_default();
                if heard.method == "PATCH" && sent["metadata"]["labels"].is_object() {
                    answer["metadata"]["labels"] = sent["metadata"]["labels"].clone();
                }
                Fault::Answer(200, "", answer.to_string())
            }
            _ => Fault::None,
        }
    });
    let _ = trial.here.manifest("a.yaml", job("a", "suspend: true", "true"));
    let mut different = Vec::new();
    for line in [
        "get job a -o yaml",
        "get job a -o json",
        "get jobs -o json",
        "get job a -o json --show-managed-fields",
        "get job a -o jsonpath={.spec.elasticity.most},{.status.heat},{.metadata.zone}",
        "get jobs -o jsonpath={.items[*].spec.template.spec.containers[*].ears}",
        "get job a -o custom-columns=N:.metadata.name,E:.spec.elasticity.least,Z:.metadata.zone.of[0]",
        "get job a -o \"go-template={{.spec.template.spec.warmth}}{{range .metadata.zone.of}}[{{.}}]{{end}}\"",
        "create -f a.yaml -o yaml",
        "create -f a.yaml -o json",
        "create -f a.yaml -o jsonpath={.spec.elasticity}",
        "create -f a.yaml --dry-run=server -o yaml",
        "apply -f a.yaml -o yaml",
        "apply -f a.yaml -o json",
        "apply --server-side -f a.yaml -o yaml",
        "replace -f a.yaml -o yaml",
        "patch job a -p \"spec: {suspend: false}\" -o yaml",
        "patch job a --type=merge -p \"spec: {suspend: false}\" -o jsonpath={.status.heat}",
        "label job a b=c -o json",
        "label job a b=c -o go-template={{.spec.elasticity.most}}",
        "annotate job a b=c -o yaml",
    ] {
        let (stdout, stderr, code) = trial.run(line);
        assert!(
            ["elasticity", "3", "2", "hot", "x", "1000"].iter().any(|word| stdout.contains(word))
                && code == 0,
            "{line}: {code}\n{stdout}{stderr}"
        );
        let Some(theirs) = trial.kubectl(line) else { continue };
        if (&theirs.0, theirs.2) != (&stdout, code) {
            different.push(format!("{line}\n  kubectl: {theirs:?}\n  jobctl: {:?}", (stdout, stderr, code)));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// What is unknown to us reaches the server, as it is to be judged there.
#[test]
fn a_newer_server_judges_the_fields_of_a_manifest() {
    let trial = Trial::new(|_| Fault::None);
    let odd = job("odd", "suspend: true\nelasticity: {most: 3}", "true");
    let odd = odd.replace("- name: main\n", "- name: main\n        ears: 2\n");
    let _ = trial.here.manifest("odd.yaml", &odd);
    let _ = trial.here.manifest("fine.yaml", job("fine", "suspend: true", "true"));
    let mut from = 0;
    let mut different = Vec::new();
    for (line, validation, method, sends_it) in [
        ("create -f odd.yaml", "Strict", "POST", true),
        ("create -f odd.yaml --validate=warn --dry-run=server", "Warn", "POST", true),
        ("create -f odd.yaml --validate=false --dry-run=server", "Ignore", "POST", true),
        ("create -f odd.yaml --dry-run=client", "", "", false),
        ("create -f odd.yaml --validate=ignore", "Ignore", "POST", true),
        ("apply -f odd.yaml", "Strict", "PATCH", true),
        ("apply -f odd.yaml --validate=warn", "Warn", "PATCH", true),
        ("apply --server-side -f odd.yaml", "Strict", "PATCH", true),
        ("replace -f odd.yaml", "Strict", "PUT", true),
        ("create -f fine.yaml", "Strict", "POST", false),
        ("create job made --image=x --dry-run=server", "Strict", "POST", false),
        ("create configmap made --from-literal=a=1 --dry-run=server", "Strict", "POST", false),
    ] {
        let (stdout, stderr, code) = trial.run(line);
        let changes = trial.changes(&mut from);
        let asked = changes.first().map(|heard| {
            let value = heard.path.split(['?', '&']).find_map(|word| word.strip_prefix("fieldValidation="));
            (heard.method.clone(), value.unwrap_or_default().to_owned())
        });
        assert_eq!(
            asked.unwrap_or_default(),
            (method.to_owned(), validation.to_owned()),
            "{line}: {stdout}{stderr}"
        );
        let body = changes.first().map(|heard| String::from_utf8_lossy(&heard.body).into_owned());
        let has_it = body.as_ref().is_some_and(|body| body.contains("elasticity") && body.contains("ears"));
        assert_eq!(has_it, sends_it, "{line}: {body:?}");
        // kubectl does the same after us: what it would create is there then.
        if line.contains("dry-run") || code != 0 {
            let Some(theirs) = trial.kubectl(line) else { continue };
            from = trial.way.heard().len();
            let ours = (stdout, stderr, code);
            if theirs != ours && !line.contains("--server-side") {
                different.push(format!("{line}\n  kubectl: {theirs:?}\n  jobctl: {ours:?}"));
            }
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A server before 1.25 drops what it does not know without a word: then it is for us to say so.
#[test]
fn of_an_older_server_the_fields_are_judged_here() {
    let trial = Trial::new(|heard| match heard.path.as_str() {
        "/version" => Fault::Answer(200, "", json!({"major": "1", "minor": "24+"}).to_string()),
        _ => Fault::None,
    });
    let _ = trial.here.manifest("odd.yaml", job("odd", "suspend: true\nelasticity: 3", "true"));
    let mut from = 0;
    let (_, stderr, code) = trial.run("create -f odd.yaml");
    assert_eq!(
        (stderr.as_str(), code),
        (
            "Error from server (BadRequest): error when creating \"odd.yaml\": Job in version \"v1\" cannot be handled as a \
             Job: strict decoding error: unknown field \"spec.elasticity\"\n",
            1
        )
    );
    assert!(trial.changes(&mut from).is_empty(), "something was sent");
    let (stdout, stderr, _) = trial.run("create -f odd.yaml --validate=warn --dry-run=server");
    assert_eq!(stdout, "job.batch/odd created (server dry run)\n");
    assert_eq!(stderr, "Warning: unknown field \"spec.elasticity\"\n");
}

/// A Job that is run again keeps what only its server knows.
#[test]
fn what_is_run_again_is_what_it_was() {
    let mut ended = newer();
    ended["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1});
    let gone = Arc::new(Mutex::new(false));
    let trial = Trial::new(move |heard| {
        let mut gone = gone.lock().expect("whether it is gone");
        match heard.method.as_str() {
            "DELETE" => {
                *gone = true;
                Fault::Answer(200, "", json!({"kind": "Status", "status": "Success"}).to_string())
            }
            "GET" if heard.path.contains("/jobs/a") && *gone => Fault::Answer(
                404,
                "",
                json!({"kind": "Status", "reason": "NotFound", "message": "jobs.batch \"a\" not found",
                    "details": {"name": "a", "group": "batch", "kind": "jobs"}})
                .to_string(),
            ),
            "GET" if heard.path.contains("/jobs/a") => Fault::Answer(200, "", ended.to_string()),
            "POST" => Fault::Answer(201, "", newer().to_string()),
            _ => Fault::None,
        }
    });
    let (stdout, stderr, code) = trial.run("rerun job/a");
    assert_eq!((stdout.as_str(), code), ("job.batch/a rerun\n", 0), "{stderr}");
    let mut from = 0;
    let made = trial.changes(&mut from);
    let made = made.iter().rfind(|heard| heard.method == "POST").expect("a new one");
    let made: Value = serde_json::from_slice(&made.body).expect("JSON");
    assert_eq!(made["spec"]["elasticity"], json!({"most": 3, "least": 1}));
    assert_eq!(made["spec"]["template"]["spec"]["containers"][0]["ears"], 2);
    assert_eq!(made["metadata"]["uid"], Value::Null);
    assert_eq!(made["status"], Value::Null);
}

/// A server of 1.20 has CronJobs as `batch/v1beta1` only, and takes them as such.
#[test]
fn a_cronjob_goes_to_the_version_that_its_manifest_names() {
    let trial = Trial::new(|heard| {
        let path = heard.path.split('?').next().unwrap_or_default();
        let beta = |mut object: Value| {
            object["metadata"]["uid"] = json!("u");
            object["metadata"]["resourceVersion"] = json!("7");
            object.to_string()
        };
        match (heard.method.as_str(), path) {
            (_, "/apis/batch") => Fault::Answer(
                200,
                "",
                json!({"kind": "APIGroup", "versions": [{"version": "v1"}, {"version": "v1beta1"}]}).to_string(),
            ),
            (_, "/apis/batch/v1beta1") => {
                Fault::Answer(200, "", json!({"resources": [{"name": "cronjobs"}]}).to_string())
            }
            ("POST" | "PATCH", path) if path.contains("/v1beta1/") => {
                let object: Value = serde_json::from_slice(&heard.body).expect("JSON");
                assert_eq!(object["apiVersion"], "batch/v1beta1");
                Fault::Answer(201, "", beta(object))
            }
            ("GET", path) if path.contains("/v1beta1/") => Fault::Answer(
                404,
                "",
                json!({"kind": "Status", "reason": "NotFound", "message": "cronjobs.batch \"often\" not found",
                    "details": {"name": "often", "group": "batch", "kind": "cronjobs"}})
                .to_string(),
            ),
            (_, path) if path.contains("/cronjobs") => Fault::Answer(
                404,
                "",
                json!({"kind": "Status", "reason": "NotFound", "details": {},
                    "message": "the server could not find the requested resource"})
                .to_string(),
            ),
            _ => Fault::None,
        }
    });
    let manifest = |version: &str| {
        format!(
            "apiVersion: batch/{version}\nkind: CronJob\nmetadata: {{name: often}}\nspec: {{schedule: \"@yearly\", jobTemplate: {{spec: \
             {{template: {{spec: {{restartPolicy: Never, containers: [{{name: a, image: b}}]}}}}}}}}}}\n"
        )
    };
    let _ = trial.here.manifest("beta.yaml", manifest("v1beta1"));
    let _ = trial.here.manifest("stable.yaml", manifest("v1"));
    for (line, done) in [
        ("create -f beta.yaml", "created"),
        ("apply -f beta.yaml", "created"),
        ("apply --server-side -f beta.yaml", "serverside-applied"),
    ] {
        let (stdout, stderr, code) = trial.run(line);
        assert_eq!(
            (stdout.as_str(), code),
            (format!("cronjob.batch/often {done}\n").as_str(), 0),
            "{line}: {stderr}"
        );
    }
    for line in ["create -f stable.yaml", "apply -f stable.yaml", "apply --server-side -f stable.yaml"] {
        let (_, stderr, code) = trial.run(line);
        assert_eq!(code, 1, "{line}");
        assert!(
            stderr.contains("no matches for kind \"CronJob\" in version \"batch/v1\""),
            "{line}: {stderr}"
        );
    }
}

/// What begins as JSON does is the server's to read, be it what it may.
#[test]
fn a_patch_that_does_not_read_is_the_server_s_to_refuse() {
    let trial = Trial::new(|heard| match heard.method.as_str() {
        "PATCH" if heard.body == b"{bad" => Fault::status(400, "BadRequest", ""),
        "PATCH" | "GET" if heard.path.contains("/jobs/a") => Fault::Answer(200, "", newer().to_string()),
        _ => Fault::None,
    });
    for (line, expected) in [
        ("patch job a -p {bad", ("", "Error from server (BadRequest): made up: BadRequest\n", 1)),
        ("patch job a --type=json -p {bad", ("", "Error from server (BadRequest): made up: BadRequest\n", 1)),
        // Some servers read no further than they must.
        ("patch job a -p {}x", ("job.batch/a patched (no change)\n", "", 0)),
        (
            "patch job a -p [1",
            ("", "error: unable to parse \"[1\": yaml: line 1: did not find expected ',' or ']'\n", 1),
        ),
    ] {
        let ours = trial.run(line);
        assert_eq!((ours.0.as_str(), ours.1.as_str(), ours.2), expected, "{line}");
        if let Some(theirs) = trial.kubectl(line) {
            assert_eq!(theirs, ours, "{line}");
        }
    }
}
