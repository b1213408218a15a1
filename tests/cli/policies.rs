//! podFailurePolicy, successPolicy, podReplacementPolicy, adoption and managedBy on real processes: upstream's
//! end-to-end cases 2, 3, 7, 10 to 12 and 28.

use crate::common::{SOON, World, eventually, job};

fn told(world: &World, name: &str) -> String {
    let counts = "{.status.succeeded}/{.status.failed}/{.status.active} {.status.completedIndexes}";
    world.value(&format!("job {name}"), &format!("'{counts}'"))
}

fn conditions(world: &World, name: &str) -> String {
    let path = r#"'{range .status.conditions[*]}{.type}={.status} {.reason}: {.message}{"\n"}{end}'"#;
    world.value(&format!("job {name}"), path)
}

#[test]
fn a_rule_fails_the_job_though_its_limit_is_not_reached() {
    let world = World::new();
    let spec = "backoffLimit: 6\npodFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [42]}}]}";
    let _ = world.apply(&job("x", spec, "exit 42"));
    world.wait_for_end("x");
    let pod = world.value("pods", "'{.items[*].metadata.name}'");
    let why = format!(
        "PodFailurePolicy: Container main for pod default/{pod} failed with exit code 42 matching FailJob rule at index 0"
    );
    assert_eq!(conditions(&world, "x"), format!("FailureTarget=True {why}\nFailed=True {why}\n"));
    assert_eq!(told(&world, "x"), "/1/ ");
}

#[test]
fn ignored_failures_are_replaced_and_not_counted() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 3\nparallelism: 3\nbackoffLimit: 2\n\
                podFailurePolicy: {rules: [{action: Ignore, onExitCodes: {operator: In, values: [42]}}]}";
    // Every index fails once: its directory tells the second pod from the first.
    let _ = world.apply(&job("x", spec, "mkdir tried.$JOB_COMPLETION_INDEX && exit 42; exit 0"));
    world.wait_for_end("x");
    assert_eq!(told(&world, "x"), "3// 0-2");
    assert_eq!(world.run("get pods --no-headers").success().lines().len(), 6);
}

#[test]
fn a_success_policy_ends_the_job_early_and_nothing_has_failed() {
    for (rules, completed) in [
        ("[{succeededIndexes: \"0\"}]", "0"),
        ("[{succeededCount: 1}]", "0"),
        ("[{succeededIndexes: 1-3}, {succeededIndexes: 0-3, succeededCount: 1}]", "0"),
    ] {
        let world = World::new();
        let spec = format!(
            "completionMode: Indexed\ncompletions: 5\nparallelism: 5\nsuccessPolicy: {{rules: {rules}}}"
        );
        let _ = world.apply(&job("x", &spec, "test $JOB_COMPLETION_INDEX = 0 || sleep 60"));
        world.wait_for_end("x");
        assert_eq!(told(&world, "x"), format!("1// {completed}"), "{rules}");
        let zeros = "'{.status.ready}{.status.terminating}'";
        assert_eq!(world.value("job x", zeros), "00");
        let rule = usize::from(rules.contains("1-3"));
        let why = format!("SuccessPolicy: Matched rules at index {rule}");
        assert_eq!(conditions(&world, "x"), format!("SuccessCriteriaMet=True {why}\nComplete=True {why}\n"));
    }
}

#[test]
fn all_indexes_done_by_a_success_policy_is_its_reason() {
    let world = World::new();
    let spec = "completionMode: Indexed\ncompletions: 2\nparallelism: 2\nsuccessPolicy: {rules: [{succeededCount: 2}]}";
    let _ = world.apply(&job("x", spec, "true"));
    world.wait_for_end("x");
    assert_eq!(told(&world, "x"), "2// 0,1");
    assert!(conditions(&world, "x").ends_with("Complete=True SuccessPolicy: Matched rules at index 0\n"));
}

#[test]
fn a_pod_is_replaced_only_when_it_has_ended_if_the_policy_says_so() {
    let world = World::new();
    let spec = "podReplacementPolicy: Failed\nbackoffLimit: 3";
    let script = "trap 'until test -f go; do sleep 0.01; done; exit 1' TERM; touch ready; while :; do sleep 0.01; done";
    let _ = world.apply(&job("x", spec, script));
    eventually(SOON, || world.path("work/ready").exists());
    let pod = world.value("pods", "'{.items[*].metadata.name}'");
    let _ = world.run(&format!("delete pod {pod} --wait=false")).success();
    let counts = "'{.status.active}/{.status.failed}/{.status.terminating}'";
    assert_eq!(world.value("job x", counts), "//1", "while it stops");
    world.manifest("go", "");
    eventually(SOON, || world.value("job x", counts) == "1/1/0");
    let _ = world.run("delete job x").success();
}

#[test]
fn a_job_that_somebody_else_manages_is_left_alone() {
    let world = World::new();
    let _ = world.apply(&job("x", "managedBy: example.com/other", "true"));
    let _ = world.run("reconcile").success();
    assert_eq!(world.value("job x", "{.status}"), "{}");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
}
