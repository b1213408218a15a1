//! The one node: what it takes, what is said of pods that it does not take, how it is described.

use crate::common::{World, job};

const NOT_THIS_NODE: &str = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: \
                             0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

#[test]
fn a_pod_waits_until_the_node_has_the_labels_it_asks_for() {
    let world = World::new();
    let manifest = job("x", "", "true")
        .replace("      restartPolicy:", "      nodeSelector: {disk: ssd}\n      restartPolicy:");
    assert!(manifest.contains("nodeSelector"), "{manifest}");
    let applied = world.apply(&manifest);
    assert_eq!(applied.stderr, "", "no warning: the selector is honoured");
    let told = world.value("pods", "'{.items[0].status.phase}: {.items[0].status.conditions[0].message}'");
    assert_eq!(told, format!("Pending: {NOT_THIS_NODE}"));
    let listed = world.run("events --types=Warning --no-headers").success();
    assert_eq!(listed.lines().len(), 1, "{}", listed.stdout);
    assert!(listed.stdout.contains("FailedScheduling") && listed.stdout.contains(NOT_THIS_NODE));
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let _ = world.run(&format!("label node {node} disk=ssd")).success();
    world.wait_for_end("x");
    assert_eq!(world.tally("x"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn a_pod_of_another_node_never_starts_here() {
    let world = World::new();
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: far}\nspec:\n  nodeName: elsewhere\n  restartPolicy: Never\n  \
               containers: [{name: main, command: [sh, -c, 'echo ran > ran']}]\n";
    let _ = world.apply(pod);
    let _ = world.apply(&job("x", "", "true"));
    world.wait_for_end("x");
    assert_eq!(
        world.value("pod far", "'{.status.phase} {.status.conditions[0].reason}'"),
        "Pending Unschedulable"
    );
    assert!(!world.path("work/ran").exists());
    world.run("delete pod far").prints("pod \"far\" deleted\n");
}

#[test]
fn a_cordon_shows_as_a_taint_and_a_pod_may_tolerate_it() {
    let world = World::new();
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let _ = world.run(&format!("cordon {node}")).success();
    let taints = "'{range .items[*].spec.taints[*]}{.key}:{.effect}{end}'";
    assert_eq!(world.value("nodes", taints), "node.kubernetes.io/unschedulable:NoSchedule");
    let _ = world.apply(&job("waits", "", "true"));
    let tolerant = job("runs", "", "true").replace(
        "      restartPolicy:",
        "      tolerations: [{key: node.kubernetes.io/unschedulable, operator: Exists}]\n      restartPolicy:",
    );
    let _ = world.apply(&tolerant);
    world.wait_for_end("runs");
    assert_eq!(world.value("job waits", "'{.status.active} {.status.succeeded}'"), "1 ");
    let _ = world.run(&format!("uncordon {node}")).success();
    assert_eq!(world.value("nodes", taints), "");
    world.wait_for_end("waits");
    let patch = "{\"spec\":{\"taints\":[{\"key\":\"gpu\",\"effect\":\"NoSchedule\"}]}}";
    let refused = world.run(&format!("patch node {node} -p '{patch}'")).failure();
    assert!(
        refused.stderr.contains("spec.taints: Forbidden: taints are not honoured here"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_node_is_described_with_its_pods() {
    let world = World::new();
    let _ = world.apply(&job("x", "", "sleep 1000"));
    world.run("wait --for=jsonpath={.status.ready}=1 job/x").prints("job.batch/x condition met\n");
    let node = world.value("nodes", "{.items[0].metadata.name}");
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let _ = world.run(&format!("cordon {node}")).success();
    let described = world.run(&format!("describe node {node}")).success();
    for line in [
        format!("Name:               {node}"),
        "Taints:             node.kubernetes.io/unschedulable:NoSchedule".into(),
        "Unschedulable:      true".into(),
        "Non-terminated Pods:          (1 in total)".into(),
        "Events:              <none>".into(),
    ] {
        assert!(described.lines().contains(&line.as_str()), "{line}: {}", described.stdout);
    }
    assert!(
        described.stdout.contains(&format!("  default                     {pod} ")),
        "{}",
        described.stdout
    );
    let _ = world.run("delete job x").success();
}
