//! What containers say themselves of being started again (case 29 of upstream's end-to-end cases).

use crate::common::{World, job_of_pod};

/// Where the pod's containers stand: restarts, exit code, and the pod's phase.
fn ends(world: &World, name: &str) -> String {
    world.value(
        &format!("pods -l job-name={name}"),
        "'{range .items[*]}{range .status.containerStatuses[*]}{.name} {.restartCount} {.state.terminated.exitCode}, {end}{.status.phase}{end}'",
    )
}

fn job(name: &str, spec: &str) -> String {
    let annotated = format!("{{name: {name}, annotations: {{jobctl.local/backoff-base: 10ms}}}}");
    job_of_pod(name, spec).replace(&format!("{{name: {name}}}"), &annotated)
}

#[test]
fn a_container_is_restarted_by_its_own_rules_where_its_pod_never_is() {
    let world = World::new();
    let script = "mkdir once && exit 42; mkdir twice && exit 42; exit $((RESULT))";
    let container = |result| {
        format!(
            "containers:\n- name: main\n  image: i\n  command: [sh, -c, {script:?}]\n  env: [{{name: RESULT, value: '{result}'}}]\n  \
             restartPolicy: Never\n  restartPolicyRules:\n  - {{action: Restart, exitCodes: {{operator: In, values: [42]}}}}\n"
        )
    };
    let applied = world.apply(&job("succeeds", &container(0)));
    assert_eq!(applied.stderr, "", "nothing is without effect");
    world.wait_for_end("succeeds");
    assert_eq!(world.tally("succeeds"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(ends(&world, "succeeds"), "main 2 0, Succeeded");
    for directory in ["once", "twice"] {
        std::fs::remove_dir(world.path("work").join(directory)).expect("it was there");
    }
    // By another exit code its policy goes.
    let _ = world.apply(&job("fails", &container(3)));
    world.wait_for_end("fails");
    assert_eq!(ends(&world, "fails"), "main 2 3, Failed");
}

#[test]
fn containers_of_a_pod_have_policies_of_their_own() {
    let world = World::new();
    let spec = "initContainers:\n- {name: first, image: i, command: [sh, -c, 'mkdir init && exit 1; exit 0'], restartPolicy: OnFailure}\n\
         containers:\n- {name: again, image: i, command: [sh, -c, 'mkdir main && exit 1; exit 0'], restartPolicy: OnFailure}\n\
         - {name: once, image: i, command: [sh, -c, 'exit 0']}\n";
    let _ = world.apply(&job("mixed", spec));
    world.wait_for_end("mixed");
    assert_eq!(ends(&world, "mixed"), "again 1 0, once 0 0, Succeeded");
    let first = "{.items[0].status.initContainerStatuses[0].restartCount}";
    assert_eq!(world.value("pods -l job-name=mixed", first), "1");
    // One that is never started again ends a pod that would be.
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: lone}\nspec:\n  containers:\n  \
         - {name: main, image: i, command: [sh, -c, 'exit 5'], restartPolicy: Never}\n";
    let _ = world.apply(pod);
    let _ = world.run("wait --for=jsonpath={.status.phase}=Failed pod/lone --timeout=10s").exits(0);
}

#[test]
fn rules_without_a_policy_are_refused() {
    let world = World::without_background();
    let spec = "containers:\n- name: main\n  image: i\n  command: [\"true\"]\n  restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [1]}}]\n";
    world.command("apply -f -").stdin(job_of_pod("bad", spec)).run().fails_with(
        "The Job \"bad\" is invalid: spec.template.spec.containers[0].restartPolicy: Required value: must specify restartPolicy \
         when restart rules are used\n",
    );
}
