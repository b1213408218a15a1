//! What kubectl makes of a kubeconfig and flags that count more: what a server heard of it, or what was said, recorded
//! (tests/data/overrides.json), and what this binary makes of the same.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::peers::{Certificates, Recorder};
use super::script;
use crate::api_client::Server;
use crate::common::{PATH, World};
use crate::kubeconfigs::without_log;

/// Entries of a kubeconfig and flags, and what came of them.
struct Case {
    /// What the cluster's entry has; nothing where there are neither cluster nor context.
    cluster: String,
    user: String,
    flags: String,
    outcome: Outcome,
    /// Whether ours is another; docs/compatibility.md says how.
    differs: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    code: i64,
    /// What was said where it went wrong.
    stderr: String,
    /// What the server heard: how, by which name it was called, who showed which certificate, and so on.
    heard: String,
}

fn path() -> String {
    format!("{}/tests/data/overrides.json", env!("CARGO_MANIFEST_DIR"))
}

fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(path()).expect("the recorded cases");
    let cases: Vec<Vec<Value>> = serde_json::from_str(&text).expect("a list of cases");
    let words = |value: &Value| value.as_str().expect("text").to_owned();
    let cases = cases.into_iter().map(|case| Case {
        cluster: words(&case[0]),
        user: words(&case[1]),
        flags: words(&case[2]),
        outcome: Outcome {
            code: case[3].as_i64().expect("an exit code"),
            stderr: words(&case[4]),
            heard: words(&case[5]),
        },
        differs: case.len() > 6,
    });
    cases.collect()
}

/// A server, and the files that kubeconfigs and flags name, beside a kubeconfig in `k/` and in the working directory.
struct Scene {
    world: World,
    recorder: Recorder,
    /// The words that stand for what is another each time.
    words: Vec<(String, String)>,
}

impl Scene {
    fn new() -> Self {
        use base64::Engine as _;
        let world = World::new();
        let certificates = Certificates::new();
        let clients = ["one", "two"].map(|name| (name, certificates.client(name)));
        let mut files = vec![
            ("authority.crt".to_owned(), certificates.authority.clone()),
            ("other.crt".to_owned(), Certificates::of("other").authority),
            ("token".to_owned(), "of-the-file\n".to_owned()),
        ];
        for (name, (certificate, key)) in &clients {
            files.push((format!("{name}.crt"), certificate.clone()));
            files.push((format!("{name}.key"), key.clone()));
        }
        let recorder = Recorder::start(&certificates, &clients.map(|(name, (pem, _))| (name, pem)));
        let (secure, plain) = (recorder.secure_port, recorder.plain_port);
        let mut words = vec![
            ("SECURE_LOCALHOST".to_owned(), format!("https://localhost:{secure}")),
            ("SECURE_HOST".to_owned(), format!("127.0.0.1:{secure}")),
            ("SECURE".to_owned(), format!("https://127.0.0.1:{secure}")),
            ("PLAIN_HOST".to_owned(), format!("127.0.0.1:{plain}")),
            ("PLAIN".to_owned(), format!("http://127.0.0.1:{plain}")),
        ];
        let now = chrono::Utc::now().timestamp();
        for (word, end) in [("VALID_ID_TOKEN", now + 3600), ("EXPIRED_ID_TOKEN", now - 3600)] {
            let claims = format!("{{\"exp\":{end}}}");
            let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims);
            words.push((word.to_owned(), format!("e30.{claims}.c2ln")));
        }
        for (name, text) in &files {
            world.manifest(name, text);
            world.manifest(&format!("k/{name}"), text);
            words.push((format!("BASE64({name})"), base64::prelude::BASE64_STANDARD.encode(text)));
        }
        script(&world, "k/plugin", &super::credential("{\"token\":\"of-the-plugin\"}"));
        Self { world, recorder, words }
    }

    fn filled_in(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
    }

    /// What is said, with the same words in it each time.
    fn general(&self, said: &str) -> String {
        let said = said.replace(&self.world.path("work").display().to_string(), "WORK");
        self.words.iter().fold(said, |said, (word, value)| said.replace(value, word))
    }

    /// The flags with which a case is tried, after its kubeconfig has been written.
    fn flags(&self, Case { cluster, user, flags, .. }: &Case) -> String {
        let users =
            format!("users: [{{name: u, user: {{{user}}}}}, {{name: v, user: {{token: of-another}}}}]\n");
        let clusters = if cluster.is_empty() {
            String::new()
        } else {
            format!(
                "current-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
                 clusters: [{{name: c, cluster: {{{cluster}}}}}, {{name: d, cluster: {{server: 'PLAIN'}}}}]\n"
            )
        };
        self.world.manifest("k/config", self.filled_in(&format!("{clusters}{users}")));
        format!("--kubeconfig=k/config {}", self.filled_in(flags)).trim().to_owned()
    }

    fn outcome(&self, code: i64, said: &str) -> Outcome {
        let stderr = if code == 0 { String::new() } else { self.general(said) };
        let heard = self.recorder.heard();
        let heard: Vec<&str> =
            heard.iter().map(|heard| heard.trim()).filter(|heard| !heard.ends_with("version")).collect();
        Outcome { code, stderr, heard: self.general(&heard.join("; ")) }
    }
}

#[test]
fn flags_count_more_than_the_kubeconfig_as_they_do_with_kubectl() {
    let cases = cases();
    assert!(cases.len() > 70, "only {} cases", cases.len());
    let scene = Scene::new();
    let mut wrong = Vec::new();
    for case in cases {
        let output = scene.world.run(&format!("{} get jobs", scene.flags(&case)));
        let here = scene.outcome(i64::from(output.code), &output.stderr);
        if (here == case.outcome) == case.differs {
            let Case { cluster, user, flags, outcome, .. } = case;
            wrong.push(format!("=== {cluster} | {user} | {flags}\n- {outcome:?}\n+ {here:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is said of other commands leads to the same place, and tells nobody a secret.
#[test]
fn flags_are_said_again_without_secrets() {
    let world = World::new();
    let server = Server::start(&world);
    let url = format!("https://127.0.0.1:{}", server.port);
    world.manifest("k", "");
    let flags = "--kubeconfig=k --insecure-skip-tls-verify";
    let line = format!(
        "{flags} --server={url} --token={} create job x --image=x --dry-run=server -- true",
        server.token
    );
    world.run(&line).is(0, "job.batch/x created (server dry run)\n", "");
    let created = world.run(&line.replace("--dry-run=server ", "")).success();
    assert_eq!(created.stderr, format!("Using {url}\n"));
    world.run(&format!("{flags} --server={url} --token=secret --as-group=a --as-group='b c' top node")).is(
        1,
        "",
        &format!(
            "error: top is for this machine: of a cluster, kubectl --kubeconfig=k --server={url} --token=REDACTED \
             --as-group=a --as-group='b c' --insecure-skip-tls-verify top\n"
        ),
    );
    // A verb's own flag of that name is another one.
    let binding = "create rolebinding x --clusterrole=view --user=somebody --dry-run=client -o name";
    world
        .run(&format!("--kubeconfig=kubeconfig {binding}").replace("=kubeconfig", "=../kubeconfig"))
        .prints("rolebinding.rbac.authorization.k8s.io/x\n");
    world.run("--password=secret --insecure-skip-tls-verify=false get cronjobs -o name").is(
        0,
        "",
        "--insecure-skip-tls-verify, --password have no effect: no cluster is named (--context), all objects are on this \
         machine\n",
    );
    let _ = world.run("delete jobs --all").success();
}

#[test]
fn a_token_that_a_file_outdoes_is_told() {
    let scene = Scene::new();
    let case = Case {
        cluster: "server: SECURE, certificate-authority: authority.crt".into(),
        user: "tokenFile: token".into(),
        flags: "--token=f".into(),
        outcome: Outcome { code: 0, stderr: String::new(), heard: String::new() },
        differs: false,
    };
    scene.world.run(&format!("{} get jobs", scene.flags(&case))).is(
        0,
        "",
        "--token has no effect: as with kubectl, the tokenFile of user \"u\" counts more\nNo resources found in default \
         namespace.\n",
    );
}

/// Records anew what kubectl does: `cargo test --test cli overrides::record -- --ignored`.
#[test]
#[ignore = "wants kubectl, and writes what it does into tests/data"]
fn record() {
    let scene = Scene::new();
    let mut recorded = Vec::new();
    for case in cases() {
        let flags = scene.flags(&case);
        let mut command = Command::new("kubectl");
        command.args(["get", "--raw", "/x"]).args(flags.split(' ')).stdin(Stdio::null());
        command.current_dir(scene.world.path("work"));
        command.env_clear().env("PATH", PATH).env("HOME", scene.world.path("home"));
        let output = command.output().expect("kubectl");
        let code = i64::from(output.status.code().expect("an exit code"));
        let Outcome { code, stderr, heard } =
            scene.outcome(code, &without_log(&String::from_utf8_lossy(&output.stderr)));
        let Case { cluster, user, flags, differs, .. } = case;
        let mut row =
            vec![json!(cluster), json!(user), json!(flags), json!(code), json!(stderr), json!(heard)];
        row.extend(differs.then(|| json!("differs")));
        recorded.push(Value::from(row).to_string());
    }
    std::fs::write(path(), format!("[\n{}\n]\n", recorded.join(",\n"))).expect("write");
}
