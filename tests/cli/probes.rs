//! Probes and hooks.

use crate::common::{SOON, World, eventually};

fn job(name: &str, policy: &str, fields: &str, script: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{jobctl.local/backoff-base: 10ms}}}}\nspec:\n  backoffLimit: 3\n  \
         template:\n    spec:\n      terminationGracePeriodSeconds: 1\n      restartPolicy: {policy}\n      containers:\n      \
         - name: main\n        image: i\n        command: [sh, -c, {script:?}]\n{}",
        fields.lines().map(|line| format!("        {line}\n")).collect::<String>()
    )
}

fn said(world: &World, reason: &str) -> String {
    world.value("events", &format!("'{{.items[?(@.reason==\"{reason}\")].message}}'"))
}

#[test]
fn a_container_that_does_not_live_is_started_anew() {
    let world = World::new();
    let fields = "livenessProbe: {exec: {command: [sh, -c, 'test ! -e sick || { echo is sick; exit 1; }']}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1}";
    let script = "if test -e been; then touch done; exit 0; fi; trap 'rm -f sick; exit 1' TERM; touch been sick; while :; do sleep 0.01; done";
    let _ = world.apply(&job("sick", "OnFailure", fields, script));
    world.wait_for_end("sick");
    assert_eq!(world.tally("sick"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(world.value("pods", "{.items[0].status.containerStatuses[0].restartCount}"), "1");
    assert_eq!(said(&world, "Unhealthy"), "Liveness probe failed: is sick\n");
    assert_eq!(said(&world, "Killing"), "Container main failed liveness probe, will be restarted");
}

#[test]
fn a_container_is_ready_as_long_as_its_probe_says_so() {
    let world = World::new();
    let fields = "startupProbe: {exec: {command: [test, -e, up]}, periodSeconds: 1, failureThreshold: 100}\n\
         readinessProbe: {exec: {command: [test, -e, ready]}, periodSeconds: 1, failureThreshold: 1}";
    let _ = world.apply(&job("server", "Never", fields, "until test -e go; do sleep 0.01; done"));
    let state = || {
        world.value(
            "pods",
            "'{.items[0].status.containerStatuses[0].started} {.items[0].status.containerStatuses[0].ready}'",
        )
    };
    eventually(SOON, || state() == "false false");
    world.manifest("up", "");
    eventually(SOON, || state() == "true false");
    world.manifest("ready", "");
    eventually(SOON, || state() == "true true");
    let pods = world.run("get pods --no-headers").success().stdout;
    assert!(pods.contains(" 1/1 "), "{pods}");
    std::fs::remove_file(world.path("work/ready")).expect("removed");
    eventually(SOON, || state() == "true false");
    assert!(said(&world, "Unhealthy").starts_with("Startup probe failed: "), "{}", said(&world, "Unhealthy"));
    world.manifest("go", "");
    world.wait_for_end("server");
}

#[test]
fn a_probe_that_answers_too_late_has_failed_and_leaves_nothing() {
    let world = World::new();
    let fields = "livenessProbe: {exec: {command: [sh, -c, 'sleep 1000 & sleep 1000']}, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 1}";
    let _ = world.apply(&job("late", "Never", fields, "exec sleep 1000"));
    world.run("wait --for=condition=failed job/late --timeout=60s").prints("job.batch/late condition met\n");
    assert!(
        said(&world, "Unhealthy").contains("Liveness probe failed: command timed out: "),
        "{}",
        said(&world, "Unhealthy")
    );
}

#[test]
fn ports_are_asked_at_the_pods_own_address() {
    let world = World::new();
    let fields = "ports: [{name: web, containerPort: 47113}]\n\
         livenessProbe: {tcpSocket: {port: web}, periodSeconds: 1, failureThreshold: 1}";
    let _ = world.apply(
        &job("closed", "Never", fields, "exec sleep 1000").replace("backoffLimit: 3", "backoffLimit: 0"),
    );
    world.wait_for_end("closed");
    let address = world.value("pods", "{.items[0].status.podIP}");
    let expected = format!("Liveness probe failed: dial tcp {address}:47113: connect: connection refused");
    assert_eq!(said(&world, "Unhealthy"), expected);
    // A server of ours answers for the pod: it has no network of its own.
    let listener = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in ["200 OK", "503 Unavailable"] {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut buffer = [0; 1024];
            let count = std::io::Read::read(&mut stream, &mut buffer).expect("a request");
            asked.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
            std::io::Write::write_all(&mut stream, format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes())
                .expect("an answer");
        }
        asked
    });
    let fields = format!(
        "livenessProbe: {{httpGet: {{port: {port}, path: /health, httpHeaders: [{{name: X-A, value: b}}]}}, periodSeconds: 1, failureThreshold: 1}}"
    );
    let _ = world.apply(
        &job("open", "Never", &fields, "exec sleep 1000").replace("backoffLimit: 3", "backoffLimit: 0"),
    );
    world.wait_for_end("open");
    let asked = server.join().expect("a server");
    assert!(
        asked[0].starts_with("GET /health HTTP/1.1\r\n") && asked[0].contains("X-A: b\r\n"),
        "{}",
        asked[0]
    );
    assert!(
        said(&world, "Unhealthy").ends_with("Liveness probe failed: HTTP probe failed with statuscode: 503")
    );
}

#[test]
fn hooks_run_after_the_start_and_before_the_end() {
    let world = World::new();
    let fields = "lifecycle:\n  postStart: {exec: {command: [sh, -c, 'until test -e running; do sleep 0.01; done; echo start >> hooks']}}\n  \
         preStop: {exec: {command: [sh, -c, 'echo stop >> hooks']}}";
    let script = "trap 'echo term >> hooks; exit 0' TERM; touch running; while :; do sleep 0.01; done";
    let manifest = job("hooks", "Never", fields, script).replace("PeriodSeconds: 1", "PeriodSeconds: 20");
    let _ = world.apply(&manifest);
    let ready = "{.items[0].status.containerStatuses[0].ready}";
    eventually(SOON, || world.value("pods", ready) == "true");
    let _ = world.run("delete job hooks --cascade=foreground").success();
    assert_eq!(std::fs::read_to_string(world.path("work/hooks")).expect("a file"), "start\nstop\nterm\n");
    let fields = "lifecycle: {postStart: {exec: {command: ['false']}}}";
    let _ = world
        .apply(&job("bad", "Never", fields, "exec sleep 1000").replace("backoffLimit: 3", "backoffLimit: 0"));
    world.wait_for_end("bad");
    assert_eq!(said(&world, "FailedPostStartHook"), "PostStartHook failed");
}
