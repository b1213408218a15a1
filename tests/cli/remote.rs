//! Verbs that speak to a cluster (`--context`): here to `jobctl serve` in another data directory, on good ways and bad ones.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::api_client::Server;
use crate::bad_way::{BadWay, Fault, Heard, kubeconfig};
use crate::common::{Output, World, job, job_of_pod, normalize, unindent};

/// A server in a world of its own, and a client in another.
struct Pair {
    here: World,
    /// Goes before its world.
    server: Option<Server>,
    there: World,
}

impl Pair {
    fn new() -> Self {
        let there = World::new();
        let server = Some(Server::start(&there));
        Self { here: World::new(), server, there }
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("a server")
    }

    /// The flags by which the server is found without a detour.
    fn straight(&self) -> String {
        format!("--kubeconfig={} --context=jobctl", self.there.path("kubeconfig").display())
    }

    /// A line to the cluster.
    fn run(&self, line: &str) -> Output {
        self.here.run(&format!("{} {line}", self.straight()))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.server = None;
        if !std::thread::panicking() {
            let _ = self.there.run("delete cronjobs,jobs,pods -A --all --now").success();
            assert!(!self.here.store().exists(), "something of a cluster is stored here");
        }
    }
}

/// What is said of which cluster is changed.
fn without_context(stderr: &str) -> String {
    stderr
        .lines()
        .filter(|line| !line.starts_with("Using context "))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Every line has the same answer of this machine and of a cluster, but for which cluster it is.
#[test]
fn the_same_verbs_say_the_same() {
    let pair = Pair::new();
    let alone = World::new();
    let manifest = format!(
        "{}---\n{}",
        job(
            "one",
            "parallelism: 2\ncompletions: 2\ncompletionMode: Indexed",
            "echo $JOB_COMPLETION_INDEX; exit 0"
        ),
        job("kept", "suspend: true", "true")
    );
    for world in [&pair.here, &alone] {
        world.manifest("jobs.yaml", &manifest);
        world.manifest("bad.yaml", job("bad", "parallelism: -1", "true"));
        world.manifest("odd.yaml", job("odd", "paralelism: 1", "true"));
        world.manifest("fails.yaml", job("fails", "backoffLimit: 0", "echo no >&2; exit 7"));
    }
    let lines = [
        "get jobs",
        "get job nothing",
        "apply -f jobs.yaml",
        "apply -f jobs.yaml",
        "apply -f bad.yaml",
        "apply -f odd.yaml",
        "create -f jobs.yaml",
        "wait --for=condition=complete job/one --timeout=30s",
        "get jobs -o name",
        "get jobs,pods -o custom-columns=KIND:.kind,NAME:.metadata.name,OF:.metadata.labels.job-name --sort-by=.metadata.name -l job-name=nobody",
        "get job one -o jsonpath={.status.succeeded}",
        "get job one -o jsonpath={.metadata.annotations.jobctl}",
        "label job one team=a",
        "label job one team=b",
        "label job one team=b --overwrite",
        "label job one team-",
        "annotate job/one note=x",
        "patch job kept -p '{\"spec\":{\"parallelism\":3}}'",
        "patch job kept -p '{\"spec\":{\"parallelism\":-3}}'",
        "patch job nothing -p {}",
        "scale job/kept --replicas=2",
        "get job kept -o jsonpath={.spec.parallelism}",
        "suspend job/kept",
        "resume job/kept",
        "wait --for=condition=complete job/kept --timeout=30s",
        "rerun job/kept",
        "wait --for=condition=complete job/kept --timeout=30s",
        "rerun job/nothing",
        "run -f fails.yaml --quiet",
        "wait --for=condition=complete job/fails --timeout=30s",
        "wait --for=condition=complete,failed job/fails --timeout=30s",
        "wait --for=condition=complete job/nothing --timeout=1s",
        "logs job/fails",
        "logs nothing",
        "run made --quiet -- sh -c exit\\ 3",
        "create cronjob often --image=x --schedule=@yearly -- true",
        "next cronjob/often --count=2",
        "create job manual --from=cronjob/often --dry-run=server -o name",
        "create configmap settings --from-literal=a=1",
        "get configmap settings -o jsonpath={.data}",
        "delete job one --dry-run=server",
        "delete job one fails made",
        "delete job one",
        "get jobs -o name",
        "delete job,cronjob,configmap --all -n nowhere",
        "delete jobs,cronjobs --all",
        "get jobs",
    ];
    let ours = |output: &Output| {
        // A failed pod has another name each time.
        let text = normalize(&without_context(&output.stderr));
        (output.code, normalize(&output.stdout), text)
    };
    let mut different = Vec::new();
    for line in lines {
        let (there, here) = (pair.run(line), alone.run(line));
        if ours(&there) != ours(&here) {
            different.push(format!("{line}\n  there: {:?}\n  here:  {:?}", ours(&there), ours(&here)));
        }
    }
    let _ = alone.run("delete cronjobs,jobs,pods -A --all --now").success();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn what_changes_a_cluster_names_it_and_nothing_of_it_is_stored_here() {
    let pair = Pair::new();
    let created = pair.run("create job a --image=x -- true").success();
    assert_eq!(created.stdout, "job.batch/a created\n");
    assert_eq!(
        created.stderr,
        format!("Using context \"jobctl\": https://127.0.0.1:{}\n", pair.server().port)
    );
    let looked = pair.run("get jobs").success();
    assert_eq!(looked.stderr, "");
    // Nor does it learn where we are.
    let annotations = pair.run("get job a -o jsonpath={.metadata.annotations}").success().stdout;
    let ours = pair.here.path("").display().to_string();
    assert!(!annotations.contains(&ours), "{annotations}");
}

/// Things go wrong by this, the same way each time.
fn dice(seed: u64) -> impl FnMut(usize) -> usize + Send + 'static {
    let mut random = fastrand::Rng::with_seed(seed);
    move |sides| random.usize(..sides)
}

const TOO_OLD: &str = "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"too \
                       old resource version\",\"reason\":\"Expired\",\"code\":410}}\n";

#[test]
fn on_a_bad_way_run_prints_each_line_once_and_ends_as_the_program_did() {
    let pair = Pair::new();
    let mut roll = dice(7);
    let way = BadWay::to(pair.server(), move |heard| match (heard.is_log(), heard.is_watch(), roll(8)) {
        (true, _, 0) => Fault::status(500, "InternalError", ""),
        (true, _, 1..6) => Fault::Cut(300 + roll(3000)),
        (_, true, 0) => Fault::Answer(200, "", TOO_OLD.to_owned()),
        (_, true, 1) => Fault::status(410, "Expired", ""),
        (_, true, 2..6) => Fault::Cut(300 + roll(9000)),
        (false, false, 0) if heard.method == "GET" => Fault::status(500, "InternalError", ""),
        (false, false, 1) if heard.method == "GET" => Fault::Cut(100),
        (false, false, 2) => Fault::status(429, "TooManyRequests", "Retry-After: 0\r\n"),
        (_, _, 3) => Fault::Slow(Duration::from_millis(50)),
        _ => Fault::None,
    });
    let script = "for i in $(seq 1 150); do echo $JOB_COMPLETION_INDEX line $i; [ $((i % 10)) = 0 ] && sleep 0.02; done; \
                  printf 'the end of %s' $JOB_COMPLETION_INDEX; [ $JOB_COMPLETION_INDEX != 4 ] || { sleep 1; exit 7; }";
    let spec = "parallelism: 3\ncompletions: 5\ncompletionMode: Indexed\nbackoffLimit: 0";
    let file = pair.here.manifest("many.yaml", job("many", spec, script));
    let ran = pair.here.run(&format!("{} run -f {file} --quiet", way.flags(&pair.here))).exits(7);
    let mut lines: Vec<String> = Vec::new();
    for line in ran.stdout.lines() {
        // A last line without an end may have the next one's beginning on it.
        let whole = line.replace("[pod/", "\n[pod/");
        lines.extend(
            whole.lines().filter(|part| !part.is_empty()).map(|part| {
                part.split_once("] ").map_or_else(|| part.to_owned(), |(_, text)| text.to_owned())
            }),
        );
    }
    lines.sort();
    let mut expected: Vec<String> = Vec::new();
    for index in 0..5 {
        expected.extend((1..=150).map(|line| format!("{index} line {line}")));
        expected.push(format!("the end of {index}"));
    }
    expected.sort();
    let mut count: BTreeMap<&String, i32> = BTreeMap::new();
    lines.iter().for_each(|line| *count.entry(line).or_default() += 1);
    expected.iter().for_each(|line| *count.entry(line).or_default() -= 1);
    count.retain(|_, count| *count != 0);
    assert!(count.is_empty(), "lost or doubled: {count:?}\n{}", ran.stderr);
    let asked = way.heard();
    assert!(asked.iter().filter(|heard| heard.is_log()).count() > 10, "the logs were not cut");
    assert_eq!(
        asked.iter().filter(|heard| heard.method == "POST" && heard.path.contains("/jobs")).count(),
        1
    );
}

#[test]
fn on_a_bad_way_wait_ends_as_on_a_good_one() {
    let pair = Pair::new();
    let mut roll = dice(3);
    let way = BadWay::to(pair.server(), move |heard| match (heard.is_watch(), roll(6)) {
        (true, 0) => Fault::Answer(200, "", TOO_OLD.to_owned()),
        (true, 1) => Fault::status(410, "Expired", ""),
        (true, 2..5) => Fault::Cut(200 + roll(4000)),
        (false, 0) => Fault::status(429, "TooManyRequests", "Retry-After: 0\r\n"),
        (false, 1) if heard.method == "GET" => Fault::Cut(50),
        (_, 2) => Fault::status(500, "InternalError", ""),
        _ => Fault::None,
    });
    let flags = way.flags(&pair.here);
    for (name, script, code) in [("good", "sleep 1", 0), ("bad", "sleep 1; exit 3", 1)] {
        let _ = pair.there.apply(&job(name, "backoffLimit: 0", script)).success();
        let waited = pair
            .here
            .run(&format!("{flags} wait --for=condition=complete job/{name} --timeout=30s"))
            .exits(code);
        if code == 1 {
            assert!(
                waited.stderr.contains("error: job.batch/bad failed: BackoffLimitExceeded"),
                "{}",
                waited.stderr
            );
        }
    }
    let waited = pair.here.run(&format!("{flags} wait --for=delete job/good --timeout=200ms")).exits(1);
    assert_eq!(waited.stderr, "error: timed out waiting for the condition on jobs/good\n");
}

/// A request whose answer is lost is not sent twice, unless that is harmless.
#[test]
fn what_may_have_been_done_is_not_done_twice() {
    let pair = Pair::new();
    let lost = Arc::new(AtomicUsize::new(0));
    let seen = lost.clone();
    let way = BadWay::to(pair.server(), move |heard| match heard.method.as_str() {
        "POST" if seen.fetch_add(1, Ordering::Relaxed) == 0 => Fault::Lost,
        _ => Fault::None,
    });
    let flags = way.flags(&pair.here);
    // A name of the server's making: another request would be another Job.
    let many = job("x", "", "true").replace("name: x", "generateName: x-");
    let file = pair.here.manifest("many.yaml", many);
    let created = pair.here.run(&format!("{flags} create -f {file}")).exits(1);
    assert!(created.stderr.contains("the connection to the server was lost"), "{}", created.stderr);
    assert_eq!(pair.there.run("get jobs -o name").success().lines().len(), 1);
    // apply has looked before: what is there now it has made itself.
    lost.store(0, Ordering::Relaxed);
    let file = pair.here.manifest("one.yaml", job("one", "", "true"));
    let applied = pair.here.run(&format!("{flags} apply -f {file}")).success();
    assert_eq!(applied.stdout, "job.batch/one created\n");
    assert_eq!(way.heard().iter().filter(|heard| heard.method == "POST").count(), 2);
}

#[test]
fn a_server_that_is_not_there_is_said_and_ends_the_command() {
    let world = World::new();
    let unused = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = unused.local_addr().expect("an address").port();
    drop(unused);
    let file = world.path("prod.yaml");
    std::fs::write(&file, kubeconfig(&format!("https://127.0.0.1:{port}"))).expect("write");
    let failed = world.run(&format!("--kubeconfig={} get jobs", file.display())).exits(1);
    assert_eq!(
        failed.stderr,
        format!(
            "The connection to the server 127.0.0.1:{port} was refused - did you specify the right host or port?\n"
        )
    );
    world.run("get jobs --context=prod").fails_with("error: context \"prod\" does not exist\n");
    world
        .run("cp a b:c --context=prod")
        .fails_with("error: cp is for this machine: of a cluster, kubectl --context=prod cp\n");
    world
        .run("doctor --context=prod")
        .fails_with("error: doctor is about this machine: it cannot be used with --context=prod\n");
}

#[test]
fn whoever_is_not_let_in_is_told_so() {
    let pair = Pair::new();
    let way = BadWay::to(pair.server(), |_| Fault::Answer(401, "", String::new()));
    let said = pair.here.run(&format!("{} get jobs", way.flags(&pair.here))).exits(1).stderr;
    assert_eq!(said, "error: You must be logged in to the server (Unauthorized)\n");
    let way = BadWay::to(pair.server(), |_: &Heard| Fault::status(403, "Forbidden", ""));
    let said = pair.here.run(&format!("{} wait --for=create job/x", way.flags(&pair.here))).exits(1).stderr;
    assert_eq!(said, "Error from server (Forbidden): made up: Forbidden\n");
}

#[test]
fn what_keeps_a_pod_of_a_cluster_from_starting_is_said() {
    let pair = Pair::new();
    let mounts = "containers:\n- name: main\n  image: busybox\n  command: [\"true\"]\n  volumeMounts: \
                  [{name: v, mountPath: /v}]\nvolumes: [{name: v, configMap: {name: missing}}]";
    let file = pair.here.manifest("mounts.yaml", job_of_pod("mounts", mounts));
    let ran = pair.run(&format!("run -f {file} --timeout=3s --quiet")).exits(124);
    assert!(
        ran.stderr.contains(": FailedMount: MountVolume.SetUp failed for volume \"v\""),
        "{}",
        ran.stderr
    );
    let ran = pair.run("run imaged --timeout=3s --quiet -- ./nothing").exits(128);
    assert!(ran.stderr.contains("nothing"), "{}", ran.stderr);
    let file = pair.here.manifest("none.yaml", job("none", "", "true").replace("command:", "args:"));
    let ran = pair.run(&format!("run -f {file} --timeout=3s --quiet")).exits(124);
    assert!(ran.stderr.contains("container main is waiting: ErrImagePull"), "{}", ran.stderr);
}

#[test]
fn a_job_of_this_machine_is_promoted_to_a_cluster() {
    let pair = Pair::new();
    let alone = World::new();
    let flags = pair.straight();
    let manifest = job_of_pod(
        "train",
        "containers:\n- name: main\n  command: [\"true\"]\n  envFrom: [{secretRef: {name: keys}}]",
    );
    let _ = alone.apply(&manifest.replace("backoffLimit: 0", "backoffLimit: 0\n  suspend: true"));
    alone.run("promote job/train").fails_with(
        "error: promote needs the cluster to take it to: --context=NAME; those there are: jobctl config get-contexts\n",
    );
    let refused = alone.run(&format!("promote job/train {flags}")).exits(1);
    assert!(
        refused.stderr.contains("error: job.batch/train: container main has no image"),
        "{}",
        refused.stderr
    );
    let shown =
        alone.run(&format!("promote job/train {flags} --image=busybox --dry-run=client -o yaml")).success();
    assert_eq!(
        shown.stdout,
        unindent(
            "
            apiVersion: batch/v1
            kind: Job
            metadata:
              name: train
              namespace: default
            spec:
              backoffLimit: 0
              completions: 1
              template:
                spec:
                  containers:
                  - command:
                    - 'true'
                    envFrom:
                    - secretRef:
                        name: keys
                    image: busybox
                    name: main
                  restartPolicy: Never
            "
        )
        .replace("'true'", "\"true\"")
    );
    assert!(shown.stderr.contains("job/train: container main: it ran in "), "{}", shown.stderr);
    let tried = alone.run(&format!("promote job/train {flags} --image=busybox --dry-run")).success();
    assert_eq!(tried.stdout, "job.batch/train promoted (server dry run)\n");
    assert!(
        tried.stderr.contains(
            "Warning: containers[0].envFrom[0].secretRef.name: secret \"keys\" is not in the cluster"
        ),
        "{}",
        tried.stderr
    );
    pair.run("get jobs -o name").prints("");
    let sent = alone.run(&format!("promote job/train {flags} --image=busybox")).success();
    assert_eq!(sent.stdout, "job.batch/train promoted\n");
    assert!(sent.stderr.contains("Using context \"jobctl\": https://127.0.0.1:"), "{}", sent.stderr);
    pair.run("get job train -o jsonpath={.spec.template.spec.containers[0].image}").prints("busybox");
    let _ = alone.run("delete jobs --all").success();
}

#[test]
fn a_server_that_is_away_for_a_while_is_said_and_waited_for() {
    let pair = Pair::new();
    let began = std::sync::Mutex::new(None);
    let way = BadWay::to(pair.server(), move |heard| {
        if !heard.is_watch() {
            return Fault::None;
        }
        let mut began = began.lock().expect("the time");
        match began.get_or_insert_with(std::time::Instant::now).elapsed() < Duration::from_secs(5) {
            true => Fault::status(503, "ServiceUnavailable", ""),
            false => Fault::None,
        }
    });
    let _ = pair.there.apply(&job("slow", "", "sleep 2")).success();
    let flags = way.flags(&pair.here);
    let waited =
        pair.here.run(&format!("{flags} wait --for=condition=complete job/slow --timeout=60s")).success();
    assert_eq!(waited.stdout, "job.batch/slow condition met\n");
    let said = "made up: ServiceUnavailable; trying again\n";
    assert!(waited.stderr.starts_with(said), "{}", waited.stderr);
    assert!(waited.stderr.replace(said, "").is_empty(), "{}", waited.stderr);
}

/// A server that gets a body with a deletion does not look at the query: what is only tried must say so there.
#[test]
fn a_deletion_that_is_only_tried_deletes_nothing() {
    let pair = Pair::new();
    let way = BadWay::to(pair.server(), |_| Fault::None);
    let _ = pair.there.apply(&job("kept", "suspend: true", "true")).success();
    let tried =
        pair.here.run(&format!("{} delete job kept --dry-run=server", way.flags(&pair.here))).success();
    assert_eq!(tried.stdout, "job.batch \"kept\" deleted (server dry run)\n");
    let heard = way.heard();
    let deletion = heard.iter().find(|heard| heard.method == "DELETE").expect("a deletion");
    let body: serde_json::Value = serde_json::from_slice(&deletion.body).expect("JSON");
    assert_eq!(body["dryRun"], serde_json::json!(["All"]));
    assert_eq!(body["propagationPolicy"], "Background");
    pair.run("get jobs -o name").prints("job.batch/kept\n");
}

/// Who may not see Events can run Jobs all the same.
#[test]
fn events_are_not_needed() {
    let pair = Pair::new();
    let way = BadWay::to(pair.server(), |heard| match heard.path.contains("/events") {
        true => Fault::status(403, "Forbidden", ""),
        false => Fault::None,
    });
    let ran = pair.here.run(&format!("{} run x -q -- echo here", way.flags(&pair.here))).success();
    assert_eq!(ran.stdout, "here\n");
}

/// A node that is lost takes the logs of its pods with it.
#[test]
fn a_log_that_cannot_be_read_is_given_up_in_the_end() {
    let pair = Pair::new();
    let way = BadWay::to(pair.server(), |heard| match heard.is_log() {
        true => Fault::status(500, "InternalError", ""),
        false => Fault::None,
    });
    let ran = pair.here.run(&format!("{} run x -q -- sh -c \"exit 5\"", way.flags(&pair.here))).exits(5);
    assert!(ran.stderr.contains(" cannot be read: made up: InternalError\n"), "{}", ran.stderr);
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_as_long_as_is_said() {
    let world = World::new();
    // It takes connections and says nothing.
    let deaf = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let file = world.path("prod.yaml");
    let port = deaf.local_addr().expect("an address").port();
    std::fs::write(&file, kubeconfig(&format!("http://127.0.0.1:{port}"))).expect("write");
    let failed =
        world.run(&format!("--kubeconfig={} get jobs --request-timeout=300ms", file.display())).exits(1);
    assert_eq!(
        failed.stderr,
        "Unable to connect to the server: net/http: request canceled (Client.Timeout exceeded while awaiting headers)\n"
    );
    world.run("get jobs --request-timeout=soon").fails_with(
        "error: Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a \
         corresponding time unit (e.g. 0s | 2m | 3h)\n",
    );
}

/// A cluster has carried out what came before a refusal.
#[test]
fn what_was_done_before_a_refusal_is_told() {
    let pair = Pair::new();
    let way = BadWay::to(pair.server(), |heard| {
        match (heard.method.as_str(), heard.path.contains("/jobs/second")) {
            ("DELETE", true) => Fault::status(403, "Forbidden", ""),
            ("POST", _) if String::from_utf8_lossy(&heard.body).contains("second") => {
                Fault::status(403, "Forbidden", "")
            }
            _ => Fault::None,
        }
    });
    let flags = way.flags(&pair.here);
    let jobs = format!("{}---\n{}", job("first", "", "sleep 100"), job("second", "", "true"));
    let file = pair.here.manifest("two.yaml", jobs);
    let ran = pair.here.run(&format!("{flags} run -f {file} -q")).exits(1);
    let prod = pair.here.path("prod.yaml").display().to_string();
    assert!(
        ran.stderr.contains(&format!(
            "job.batch/first has been created and goes on; to delete it: jobctl delete --kubeconfig={prod} --context=prod \
             job first\n"
        )),
        "{}",
        ran.stderr
    );
    let _ = pair.there.apply(&job("second", "suspend: true", "true")).success();
    let deleted = pair.here.run(&format!("{flags} delete job first second --wait=false")).exits(1);
    assert_eq!(deleted.stdout, "job.batch \"first\" deleted\n");
    assert!(
        deleted.stderr.contains("Error from server (Forbidden): made up: Forbidden\n"),
        "{}",
        deleted.stderr
    );
}
