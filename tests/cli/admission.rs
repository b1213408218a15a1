//! Room on the node: who is admitted, who waits, and what is said of it.

use crate::common::{SOON, World, eventually, job};

const NO_VICTIMS: &str =
    "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
const NO_USE: &str = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

/// A world that is configured so.
fn configured(lines: &str) -> World {
    let world = World::new();
    configure(&world, lines);
    world
}

fn configure(world: &World, lines: &str) {
    let text = format!("nodeName: node1\n{lines}");
    std::fs::write(world.path("config/jobctl/config.yaml"), text).expect("write");
}

/// A Job whose container asks for so much.
fn asking(name: &str, spec: &str, requests: &str, script: &str) -> String {
    let manifest = job(name, spec, script);
    manifest.replace(
        "      - name: main\n",
        &format!("      - name: main\n        resources: {{requests: {requests}}}\n"),
    )
}

/// The phases of a Job's pods and what the first that waits has been told.
fn waits(world: &World, job: &str) -> String {
    let path = "'{.items[*].status.conditions[?(@.status==\"False\")].message}'";
    world.value(&format!("pods -l job-name={job}"), path)
}

#[test]
fn two_jobs_of_eight_pods_each_never_have_more_than_two_at_once() {
    let world = configured("maxPods: 2\n");
    // Each counts who runs beside it.
    let script = "mkdir run-$HOSTNAME; ls -d run-* | wc -l >> most; sleep 0.02; rmdir run-$HOSTNAME";
    for name in ["a", "b"] {
        let applied = world.apply(&job(name, "parallelism: 8\ncompletions: 8", script));
        assert_eq!(applied.stderr, "");
    }
    for name in ["a", "b"] {
        world.wait_for_end(name);
        assert_eq!(world.tally(name), "8/ SuccessCriteriaMet Complete");
    }
    let text = std::fs::read_to_string(world.path("work/most")).expect("what the pods wrote");
    let counts: Vec<u32> = text.lines().map(|line| line.trim().parse().expect("a number")).collect();
    assert_eq!(counts.len(), 16);
    assert!(counts.iter().all(|count| *count <= 2), "{counts:?}");
}

#[test]
fn a_pod_that_asks_for_more_than_there_is_stays_pending_and_holds_nobody_up() {
    let world = World::new();
    let applied = world.apply(&asking("large", "", "{cpu: 100000}", "true"));
    assert_eq!(applied.stderr, "", "requests are honoured");
    let told = format!("0/1 nodes are available: 1 Insufficient cpu. {NO_USE}");
    eventually(SOON, || waits(&world, "large") == told);
    assert_eq!(world.value("pods", "{.items[0].status.phase}"), "Pending");
    let _ = world.apply(&asking("small", "", "{cpu: 10m, memory: 1Mi}", "true"));
    world.wait_for_end("small");
    assert_eq!(world.tally("small"), "1/ SuccessCriteriaMet Complete");
    let listed = world.run("events --types=Warning --no-headers").success();
    assert_eq!(listed.lines().len(), 1, "said once: {}", listed.stdout);
    let _ = world.run("delete job large").success();
}

#[test]
fn a_pod_starts_when_another_ends_and_leaves_room() {
    let world = configured("extendedResources: {example.com/licence: 1}\n");
    let licence = "{example.com/licence: 1}";
    let with = |name: &str, script: &str| {
        asking(name, "", licence, script).replace("requests:", &format!("limits: {licence}, requests:"))
    };
    let _ = world.apply(&with("first", "until test -e go; do sleep 0.01; done"));
    world.wait_for_value("job/first", "{.status.ready}", "1");
    let _ = world.apply(&with("second", "true"));
    let told = format!("0/1 nodes are available: 1 Insufficient example.com/licence. {NO_VICTIMS}");
    eventually(SOON, || waits(&world, "second") == told);
    let _ = world.apply(&job("third", "", "true"));
    world.wait_for_end("third");
    world.manifest("go", "");
    world.wait_for_end("second");
    let _ = world.apply(&with("fourth", "sleep 1000"));
    world.wait_for_value("job/fourth", "{.status.ready}", "1");
    let node = world.run("describe node node1").success();
    let has =
        |cells: &[&str]| node.lines().iter().any(|line| line.split_whitespace().eq(cells.iter().copied()));
    assert!(has(&["example.com/licence:", "1"]), "{}", node.stdout);
    assert!(has(&["example.com/licence", "1", "1"]), "{}", node.stdout);
    let _ = world.run("delete job fourth").success();
    assert_eq!(world.value("node node1", "{.status.allocatable.example\\.com/licence}"), "1");
}

#[test]
fn what_requests_nothing_counts_as_the_configuration_says() {
    let world = configured("maxPods: 7\ndefaultRequests: {memory: 1000Ti}\n");
    let _ = world.apply(&job("x", "", "true"));
    let told = format!("0/1 nodes are available: 1 Insufficient memory. {NO_USE}");
    eventually(SOON, || waits(&world, "x") == told);
    assert_eq!(world.value("node node1", "{.status.capacity.pods}"), "7");
    // Who changes the configuration need not do anything else.
    configure(&world, "");
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn a_pod_that_waits_can_be_deleted_and_a_job_of_such_suspended() {
    let world = configured("maxPods: 1\n");
    let _ = world.apply(&job("runs", "", "sleep 1000"));
    world.wait_for_value("job/runs", "{.status.ready}", "1");
    let _ = world.apply(&job("x", "parallelism: 3\ncompletions: 3", "true"));
    let _ = world.run("suspend job x").success();
    eventually(SOON, || world.value("pods -l job-name=x", "{.items[*].metadata.name}").is_empty());
    let _ = world.run("resume job x").success();
    eventually(SOON, || waits(&world, "x").contains("Too many pods"));
    let _ = world.run("delete job runs").success();
    world.wait_for_end("x");
    assert_eq!(world.value("job x", "{.status.succeeded}"), "3");
}

#[test]
fn who_waits_is_told_for_what_and_what_would_help() {
    let world = configured("maxPods: 1\n");
    let _ = world.apply(&job("runs", "", "sleep 1000"));
    world.wait_for_value("job/runs", "{.status.ready}", "1");
    let _ = world.apply(&job("first", "", "true"));
    eventually(SOON, || waits(&world, "first").contains("Too many pods"));
    let _ = world.apply(&asking("large", "parallelism: 2", "{cpu: 100000}", "true"));
    eventually(SOON, || {
        world.value("pods", "{.items[*].status.conditions[*].message}").matches("Preemption is not").count()
            == 2
    });
    let cure = "it starts when other pods have ended; a larger maxPods in config.yaml lets in more";
    let first = world.value("pods -l job-name=first", "{.items[0].metadata.name}");
    for target in [format!("pod {first}"), "job first".to_owned()] {
        let described = world.run(&format!("describe {target}")).success();
        let lines = described.lines();
        let at = lines.iter().position(|line| line.starts_with("Waits For:")).expect("what it waits for");
        assert!(lines[at].contains("Too many pods (") && lines[at].contains("1 of 1"), "{}", lines[at]);
        assert_eq!(lines[at + 1].trim(), cure);
    }
    let wide = world.run("get jobs -o wide").success();
    let rows = wide.lines();
    assert!(rows[0].ends_with("   WAITS FOR"), "{}", wide.stdout);
    assert!(rows[1].ends_with("   1 pod: Too many pods (next: 1 of 1)"), "{}", wide.stdout);
    assert!(
        rows[2].ends_with("   2 pods: Insufficient cpu, Too many pods (more than there is)"),
        "{}",
        wide.stdout
    );
    let waited = world.run("wait --for=condition=complete job/first --timeout=100ms").failure();
    assert!(waited.stderr.contains(&format!("1 Too many pods. {NO_VICTIMS}; {cure}\n")), "{}", waited.stderr);
    let path = world.manifest("gpu.yaml", asking("gpu", "", "{cpu: 100000}", "true"));
    let run = world.run(&format!("run -f {path} --timeout 300ms")).exits(124);
    assert!(
        run.stderr.contains("it asks for more than node1 has: a smaller request would let it start\n"),
        "{}",
        run.stderr
    );
    let _ = world.run("delete jobs --all").success();
}
