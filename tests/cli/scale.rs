//! `scale`.

use crate::common::{World, job};

#[test]
fn scale_sets_the_parallelism() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true\ncompletions: 9", "true"));
    world.run("scale --replicas=3 job/one").prints("job.batch/one scaled\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "3");
    world.run("scale --replicas=4 jobs one").prints("job.batch/one scaled\n");
    world.run("scale --replicas=5 jobs/one --current-replicas=4").prints("job.batch/one scaled\n");
    world
        .run("scale --replicas=6 job/one --current-replicas=4")
        .fails_with("error: Expected replicas to be 4, was 5\n");
    world.run("scale --replicas=7 job/one --dry-run=client").prints("job.batch/one scaled (dry run)\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "5");
}

#[test]
fn scale_tells_what_is_wrong() {
    let world = World::new();
    world.run("scale job/one").fails_with("error: required flag(s) \"replicas\" not set\n");
    world.run("scale --replicas=-1 job/one").fails_with(
        "error: The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0\n",
    );
    world
        .run("scale --replicas=1 job/one")
        .fails_with("error: no objects passed to scale jobs.batch \"one\" not found\n");
}

#[test]
fn only_the_version_meant_is_scaled() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    let version = world.value("job one", "{.metadata.resourceVersion}");
    world
        .run("scale --replicas=2 --resource-version=999999 job/one")
        .fails_with(&format!("error: Expected resource version to be 999999, was {version}\n"));
    world
        .run(&format!("scale --replicas=2 --resource-version={version} --timeout=3s job/one"))
        .prints("job.batch/one scaled\n");
}

#[test]
fn the_scale_of_a_stateful_set_is_what_a_server_says_of_it() {
    let world = World::without_background();
    let manifest = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: q}\nspec:\n  serviceName: q\n  replicas: 0\n  \
                    selector: {matchLabels: {app: q}}\n  template: {metadata: {labels: {app: q}}, spec: {containers: \
                    [{name: c, image: i, command: [sleep, '9']}]}}\n";
    let _ = world.apply(manifest);
    world
        .run("get sts/q --subresource=scale")
        .prints("NAME   DESIRED   AVAILABLE   AGE\nq      0         0           0s\n");
    world
        .run("get sts/q --subresource=scale -o jsonpath='{.kind} {.spec} {.status.selector}'")
        .prints("Scale {\"replicas\":0} app=q\n".trim_end());
    world.run("get jobs --subresource=scale").fails_with(
        "Error from server (MethodNotAllowed): jobs.batch cannot be scaled by a server: StatefulSets can\n",
    );
    world
        .run("get sts --subresource=frob")
        .fails_with("error: invalid subresource value: \"frob\". Must be one of [status scale]\n");
}
