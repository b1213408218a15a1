//! Upstream's end-to-end cases of Jobs (kubernetes-behaviour 7) with the numbers given there, on real processes. The
//! cases of Indexed Jobs are in `indexed`, those of policies in `policies`, those that need other verbs beside them.

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, job, kill, restarting_job};

/// The conditions in the order in which they came: the interim one is there before the Job's end.
fn conditions(world: &World, name: &str) -> String {
    let path = "'{range .status.conditions[*]}{.type}={.status} {.reason}, {end}'";
    world.value(&format!("job {name}"), path)
}

fn counts(world: &World, name: &str) -> String {
    let path = "'active {.status.active}, ready {.status.ready}, terminating {.status.terminating}, \
                succeeded {.status.succeeded}, failed {.status.failed}'";
    world.value(&format!("job {name}"), path)
}

fn phases(world: &World) -> String {
    world.value("pods", "'{.items[*].status.phase}'")
}

const SLEEPS: &str = "exec sleep 1000";

#[test]
fn case_1_completions_in_parallel() {
    let world = World::new();
    let _ = world.apply(&job("x", "completions: 4\nparallelism: 2", "true"));
    world.wait_for_end("x");
    assert_eq!(
        conditions(&world, "x"),
        "SuccessCriteriaMet=True CompletionsReached, Complete=True CompletionsReached, "
    );
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded 4, failed ");
    assert_eq!(phases(&world), "Succeeded Succeeded Succeeded Succeeded");
}

#[test]
fn cases_5_6_and_27_suspension() {
    let world = World::new();
    let manifest =
        |suspend: bool| job("x", &format!("parallelism: 2\ncompletions: 4\nsuspend: {suspend}"), SLEEPS);
    let _ = world.apply(&manifest(true));
    assert_eq!(conditions(&world, "x"), "Suspended=True JobSuspended, ");
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded , failed ");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    let _ = world.apply(&manifest(false));
    eventually(SOON, || counts(&world, "x") == "active 2, ready 2, terminating 0, succeeded , failed ");
    assert_eq!(conditions(&world, "x"), "Suspended=False JobResumed, ");
    let _ = world.apply(&manifest(true));
    eventually(SOON, || world.run("get pods").stderr == "No resources found in default namespace.\n");
    assert_eq!(conditions(&world, "x"), "Suspended=True JobSuspended, ");
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded , failed ");
}

#[test]
fn cases_17_and_21_a_deleted_job_and_its_pods_are_gone() {
    let world = World::new();
    let _ = world.apply(&job("x", "parallelism: 2\ncompletions: 2", SLEEPS));
    eventually(SOON, || world.value("job x", "{.status.ready}") == "2");
    world.run("delete job x").prints("job.batch \"x\" deleted\n");
    world.run("get job x").is(1, "", "Error from server (NotFound): jobs.batch \"x\" not found\n");
    eventually(SOON, || world.run("get pods").stderr == "No resources found in default namespace.\n");
    world.assert_no_processes_left();
}

#[test]
fn case_18_containers_that_fail_once_are_restarted_in_their_pods() {
    let world = World::new();
    let script = "mkdir tried.$HOSTNAME && exit 1; exit 0";
    let _ = world.apply(&restarting_job("x", "parallelism: 2\ncompletions: 4\nbackoffLimit: 20", script));
    world.wait_for_end("x");
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded 4, failed ");
    let restarts = world.value("pods", "'{.items[*].status.containerStatuses[*].restartCount}'");
    assert_eq!(restarts, "1 1 1 1");
}

#[test]
fn case_19_pods_that_fail_once_are_replaced() {
    let world = World::new();
    let spec = "completionMode: Indexed\nparallelism: 2\ncompletions: 4\nbackoffLimit: 20";
    let _ = world.apply(&job("x", spec, "mkdir tried.$JOB_COMPLETION_INDEX && exit 1; exit 0"));
    world.wait_for_end("x");
    assert_eq!(
        conditions(&world, "x"),
        "SuccessCriteriaMet=True CompletionsReached, Complete=True CompletionsReached, "
    );
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded 4, failed 4");
}

#[test]
fn case_20_a_deadline() {
    let world = World::new();
    let _ = world.apply(&job("x", "parallelism: 2\ncompletions: 4\nactiveDeadlineSeconds: 1", SLEEPS));
    world.wait_for_end("x");
    assert_eq!(
        conditions(&world, "x"),
        "FailureTarget=True DeadlineExceeded, Failed=True DeadlineExceeded, "
    );
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded , failed 2");
}

#[test]
fn case_23_a_limit_of_one_leaves_exactly_two_failed_pods() {
    let world = World::new();
    let _ = world.apply(&job("x", "backoffLimit: 1", "exit 1"));
    world.wait_for_end("x");
    assert_eq!(
        conditions(&world, "x"),
        "FailureTarget=True BackoffLimitExceeded, Failed=True BackoffLimitExceeded, "
    );
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded , failed 2");
    assert_eq!(phases(&world), "Failed Failed");
}

#[test]
fn case_24_ninety_pods_at_once() {
    let world = World::new();
    let manifest = job("x", "completions: 90\nparallelism: 90\nbackoffLimit: 0", "sleep 0.1");
    // More than a small machine has at a time.
    let requests = "      - name: main\n        resources: {requests: {cpu: 50m}}\n";
    let _ = world.apply(&manifest.replace("      - name: main\n", requests));
    world.wait_for_end("x");
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded 90, failed ");
}

/// Beside upstream's cases: what is lost with its supervisor was disrupted, and a rule can say so.
#[test]
fn a_pod_lost_with_its_supervisor_is_disrupted_and_may_be_ignored() {
    let world = World::new();
    let ignore = "podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget}]}]}";
    let spec = format!("backoffLimit: 0\n{ignore}");
    let _ = world.apply(&job("x", &spec, "mkdir tried && exec sleep 1000; exit 0"));
    eventually(SOON, || world.value("job x", "{.status.ready}") == "1");
    world.supervisors().into_iter().for_each(|supervisor| kill(supervisor, Signal::SIGKILL));
    world.wait_for_end("x");
    assert_eq!(counts(&world, "x"), "active , ready 0, terminating 0, succeeded 1, failed ");
    let disrupted = "'{range .items[*]}{.status.phase}{range .status.conditions[?(@.type==\"DisruptionTarget\")]} {.status}{end},{end}'";
    let mut pods: Vec<String> =
        world.value("pods", disrupted).trim_end_matches(',').split(',').map(str::to_owned).collect();
    pods.sort_unstable();
    assert_eq!(pods, ["Failed True", "Succeeded"]);
}

#[test]
fn a_selector_of_the_users_own_adopts_pods_that_match_it() {
    let world = World::new();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: stray, labels: {of: mine}}\nspec:\n  \
               terminationGracePeriodSeconds: 0\n  containers: [{name: main, command: [sleep, '1000']}]\n";
    let _ = world.apply(pod);
    let spec = "parallelism: 2\ncompletions: 2\nmanualSelector: true\nselector: {matchLabels: {of: mine}}";
    let manifest =
        job("x", spec, SLEEPS).replace("  template:\n", "  template:\n    metadata: {labels: {of: mine}}\n");
    let _ = world.apply(&manifest);
    eventually(SOON, || world.value("job x", "{.status.ready}") == "2");
    assert_eq!(world.value("pod stray", "{.metadata.ownerReferences[*].name}"), "x");
    assert_eq!(world.run("get pods --no-headers").success().lines().len(), 2, "the adopted one and one more");
    assert_eq!(world.value("job x", "{.metadata.labels}"), "{\"of\":\"mine\"}", "no label is generated");
    let _ = world.run("delete job x").success();
    eventually(SOON, || world.run("get pods").stderr == "No resources found in default namespace.\n");
}

#[test]
fn while_suspended_before_its_first_start_a_job_may_get_other_labels_and_node_selectors() {
    let world = World::new();
    let manifest = |suspend: bool, label: &str| {
        job("x", &format!("suspend: {suspend}"), SLEEPS)
            .replace("  template:\n", &format!("  template:\n    metadata: {{labels: {{tier: {label}}}}}\n"))
    };
    let _ = world.apply(&manifest(true, "one"));
    let _ = world.apply(&manifest(true, "two"));
    let _ = world.apply(&manifest(false, "two"));
    eventually(SOON, || world.value("pods", "{.items[*].metadata.labels.tier}") == "two");
    let output = world.command("apply -f -").stdin(manifest(true, "three")).run().failure();
    assert!(output.stderr.contains("spec.template.metadata.labels.tier"), "{}", output.stderr);
    let _ = world.run("delete job x").success();
}
