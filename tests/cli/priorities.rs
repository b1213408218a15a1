//! PriorityClasses, and pods that are not to be scheduled yet.

use crate::common::{SOON, World, eventually, job};

fn class(name: &str, value: i32) -> String {
    format!(
        "{{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {{name: {name}}}, value: {value}}}\n---\n"
    )
}

/// A pod that notes its name and ends.
fn pod(world: &World, name: &str, spec: &str) -> String {
    let log = world.path("work/order");
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{restartPolicy: Never, {spec}
           containers: [{{name: c, command: [sh, -c, 'echo {name} >> {}']}}]}}}}\n---\n",
        log.display()
    )
}

#[test]
fn those_of_the_highest_class_go_first() {
    let world = World::new();
    world.manifest("../config/jobctl/config.yaml", "nodeName: node1\nmaxPods: 1\n");
    let _ = world.run("cordon node1").success();
    let default = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: usual}, value: 5, globalDefault: true}\n---\n";
    let objects = class("low", -1) + &class("high", 100) + default;
    let answer = world.command("apply -f -").stdin(objects).run().success();
    assert_eq!(
        answer.stderr,
        "Warning: PriorityClass: of the pods that wait for room those of the highest priority go first; nothing that runs is \
         stopped for them\n"
    );
    for (name, class) in [("a", "low"), ("b", ""), ("c", "high")] {
        let class = if class.is_empty() { String::new() } else { format!("priorityClassName: {class}, ") };
        let _ = world.command("apply -f -").stdin(pod(&world, name, &class)).run().success();
    }
    let priorities = "custom-columns=N:.metadata.name,P:.spec.priority,C:.spec.priorityClassName";
    world
        .run(&format!("get pods --no-headers -o {priorities}"))
        .prints("a     -1    low\nb     5     usual\nc     100   high\n");
    let _ = world.run("uncordon node1").success();
    let order = || std::fs::read_to_string(world.path("work/order")).unwrap_or_default();
    eventually(SOON, || order() == "c\nb\na\n");
}

#[test]
fn a_class_that_is_not_there_keeps_pods_from_being_made() {
    let world = World::new();
    let refused =
        world.command("apply -f -").stdin(pod(&world, "p", "priorityClassName: urgent,")).run().failure();
    let expected = "pods \"p\" is forbidden: no PriorityClass with name urgent was found\n";
    assert!(refused.stderr.starts_with("Error from server (Forbidden)"), "{}", refused.stderr);
    assert!(refused.stderr.ends_with(expected), "{}", refused.stderr);
    let own = pod(&world, "p", "priorityClassName: system-node-critical, priority: 3,");
    let refused = world.command("apply -f -").stdin(own).run().failure();
    assert!(refused.stderr.contains("controller computed 2000001000 from the given"), "{}", refused.stderr);

    let manifest = job("j", "parallelism: 2\ncompletions: 2", "true")
        .replace("restartPolicy: Never", "restartPolicy: Never\n      priorityClassName: urgent");
    assert!(manifest.contains("priorityClassName"), "{manifest}");
    let applied = world.command("apply -f -").stdin(manifest).run().success();
    assert_eq!(
        applied.stderr,
        "Warning: job.batch/j: spec.template.spec.priorityClassName: priorityclass \"urgent\" is not there yet: pods wait for it\n"
    );
    let told = "Error creating: pods \"j-\" is forbidden: no PriorityClass with name urgent was found";
    eventually(SOON, || world.run("describe job j").success().stdout.contains(told));
    assert_eq!(world.value("job/j", "{.status.active}{.status.ready}"), "0");
    world.run("get pods").is(0, "", "No resources found in default namespace.\n");
    let _ = world.run("create priorityclass urgent --value=7").success();
    world.wait_for_end("j");
    assert_eq!(world.value("pod", "{.items[*].spec.priority}"), "7 7");
}

#[test]
fn a_gated_pod_waits_for_its_gates_to_be_removed() {
    let world = World::new();
    let gated = pod(&world, "p", "schedulingGates: [{name: example.com/quota}],");
    let _ = world.command("apply -f -").stdin(gated).run().success();
    world.run("get pods").prints(
        "
        NAME   READY   STATUS            RESTARTS   AGE
        p      0/1     SchedulingGated   0          0s
        ",
    );
    let of = |field: &str| {
        world.value("pod/p", &format!("'{{.status.conditions[?(@.type==\"PodScheduled\")].{field}}}'"))
    };
    assert_eq!((of("status").as_str(), of("reason").as_str()), ("False", "SchedulingGated"));
    assert_eq!(of("message"), "Scheduling is blocked due to non-empty scheduling gates");
    world.run("wait --for=jsonpath={.status.phase}=Succeeded pod/p --timeout=50ms").fails_with(
        "pod/p cannot start: SchedulingGated: Scheduling is blocked due to non-empty scheduling gates; to let it start: jobctl \
         patch pod p -p '{\"spec\":{\"schedulingGates\":null}}'\nerror: timed out waiting for the condition on pods/p\n",
    );
    let _ = world.run("patch pod p -p '{\"spec\":{\"schedulingGates\":null}}'").success();
    world.wait_for_value("pod/p", "{.status.phase}", "Succeeded");

    let manifest = job("j", "", "true")
        .replace("restartPolicy: Never", "restartPolicy: Never\n      schedulingGates: [{name: g}]");
    let _ = world.apply(&manifest);
    let name = world.value("pod -l job-name=j", "{.items[0].metadata.name}");
    assert_eq!(
        world.run(&format!("get pod {name} --no-headers")).success().lines()[0].split_whitespace().nth(2),
        Some("SchedulingGated")
    );
    let _ = world.run(&format!("patch pod {name} -p '{{\"spec\":{{\"schedulingGates\":null}}}}'")).success();
    world.wait_for_end("j");
}
