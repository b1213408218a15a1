//! Indexed Jobs on real processes: upstream's end-to-end cases 8, 9 and 13 to 16, and resizing.

use crate::common::{SOON, World, eventually, job};

/// Counts and index lists of a Job's status.
fn told(world: &World, name: &str) -> String {
    let path = "'{.status.succeeded}/{.status.failed} {.status.completedIndexes}/{.status.failedIndexes}'";
    world.value(&format!("job {name}"), path)
}

fn reason(world: &World, name: &str) -> String {
    world.value(&format!("job {name}"), "'{range .status.conditions[*]}{.type}={.reason} {end}'")
}

const ODD_FAIL: &str = "exit $(expr $JOB_COMPLETION_INDEX % 2)";

#[test]
fn every_index_runs_once_and_knows_itself() {
    let world = World::new();
    let script = "echo $JOB_COMPLETION_INDEX $HOSTNAME";
    let _ = world.apply(&job("idx", "completionMode: Indexed\ncompletions: 4\nparallelism: 2", script));
    let _ = world.run("wait --for=condition=complete job/idx").success();
    assert_eq!(told(&world, "idx"), "4/ 0-3/");
    for index in 0..4 {
        let selector = format!("get pods -l batch.kubernetes.io/job-completion-index={index}");
        let pod = world.run(&format!("{selector} -o name")).success().stdout;
        let name = pod.trim_end().trim_start_matches("pod/");
        assert!(name.starts_with(&format!("idx-{index}-")) && name.len() == "idx-0-xxxxx".len(), "{name}");
        world.run(&format!("logs {name}")).prints(&format!("{index} idx-{index}\n"));
        let own = r"{.metadata.annotations.batch\.kubernetes\.io/job-completion-index} {.spec.hostname}";
        assert_eq!(world.value(&format!("pod {name}"), &format!("'{own}'")), format!("{index} idx-{index}"));
    }
    let described = world.run("describe job idx").success().stdout;
    assert!(described.contains("\nCompletion Mode:    Indexed\n"), "{described}");
    assert!(described.contains("\nCompleted Indexes:  0-3\n"), "{described}");
}

#[test]
fn each_index_has_its_own_limit() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 4\nparallelism: 2\nbackoffLimitPerIndex: 1";
    let _ = world.apply(&job("idx", spec, ODD_FAIL));
    world.wait_for_end("idx");
    assert_eq!(told(&world, "idx"), "2/4 0,2/1,3");
    assert_eq!(reason(&world, "idx"), "FailureTarget=FailedIndexes Failed=FailedIndexes ");
    let count = r"'{.items[*].metadata.annotations.batch\.kubernetes\.io/job-index-failure-count}'";
    let pods = "pods -l batch.kubernetes.io/job-completion-index=1 --sort-by=.metadata.resourceVersion";
    let mut counts: Vec<String> = world.value(pods, count).split(' ').map(str::to_owned).collect();
    counts.sort_unstable();
    assert_eq!(counts, ["0", "1"], "the second pod of an index knows of the failure of the first");
}

#[test]
fn too_many_failed_indexes_end_the_job_at_once() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 4\nparallelism: 1\nbackoffLimitPerIndex: 0\nmaxFailedIndexes: 0";
    let _ = world.apply(&job("idx", spec, "exit 1"));
    world.wait_for_end("idx");
    assert_eq!(told(&world, "idx"), "/1 /0");
    assert_eq!(
        reason(&world, "idx"),
        "FailureTarget=MaxFailedIndexesExceeded Failed=MaxFailedIndexesExceeded "
    );
}

#[test]
fn all_indexes_may_fail() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 2\nparallelism: 2\nbackoffLimitPerIndex: 1";
    let _ = world.apply(&job("idx", spec, "exit 1"));
    world.wait_for_end("idx");
    assert_eq!(told(&world, "idx"), "/4 /0,1");
}

#[test]
fn a_rule_can_fail_an_index_without_another_try() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 2\nparallelism: 2\nbackoffLimitPerIndex: 1\n\
                podFailurePolicy: {rules: [{action: FailIndex, onExitCodes: {operator: In, values: [1]}}]}";
    let _ = world.apply(&job("idx", spec, ODD_FAIL));
    world.wait_for_end("idx");
    assert_eq!(told(&world, "idx"), "1/1 0/1");
}

#[test]
fn an_indexed_job_is_resized_by_both_numbers_together() {
    let world = World::new();
    let manifest = |count: u32| {
        let spec = format!("completionMode: Indexed\ncompletions: {count}\nparallelism: {count}");
        job("idx", &spec, "until test -f go; do sleep 0.01; done")
    };
    let _ = world.apply(&manifest(4));
    eventually(SOON, || world.value("job idx", "{.status.ready}") == "4");
    let output = world
        .command("apply -f -")
        .stdin(manifest(4).replace("completions: 4", "completions: 3"))
        .run()
        .failure();
    let expected = "spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism";
    assert!(output.stderr.contains(expected), "{}", output.stderr);
    let _ = world.apply(&manifest(2));
    eventually(SOON, || world.run("get pods --no-headers").stdout.lines().count() == 2);
    assert_eq!(world.value("job idx", "{.status.active}/{.status.failed}"), "2/");
    let indexes = r"'{.items[*].metadata.labels.batch\.kubernetes\.io/job-completion-index}'";
    assert_eq!(world.value("pods", indexes), "0 1", "the highest indexes go");
    let _ = world.apply(&manifest(3));
    world.manifest("go", "");
    world.wait_for_end("idx");
    assert_eq!(told(&world, "idx"), "3/ 0-2/");
}
