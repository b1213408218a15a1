//! StatefulSets, as a person meets them: pods under names that stay, with claims of their own.

use crate::common::{SOON, World, eventually, kill};
use nix::sys::signal::Signal;

/// A set of two with a headless Service, whose pods write into a claim.
fn set(more: &str, script: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: peers}}
spec: {{clusterIP: None, selector: {{app: web}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web}}
spec:
  serviceName: peers
  replicas: 2
  {more}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - {{name: main, command: [sh, -c, '{script}'], volumeMounts: [{{name: data, mountPath: /data}}]}}
  volumeClaimTemplates:
  - metadata: {{name: data}}
    spec: {{accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Mi}}}}}}
"
    )
}

const SCRIPT: &str = "echo $HOSTNAME >> /data/log; cat /data/log; exec sleep 1000";

fn comes_to(world: &World, path: &str, expected: &str) {
    eventually(SOON, || world.value("sts/web", path) == expected);
}

fn both_run(world: &World) {
    comes_to(world, "{.status.readyReplicas}{.status.replicas}", "22");
}

fn delete(world: &World) {
    world.run("delete sts web").prints("statefulset.apps \"web\" deleted\n");
    eventually(SOON, || world.run("get pods -l app=web -o name").success().stdout.is_empty());
}

#[test]
fn pods_have_names_that_stay_and_find_each_other() {
    let world = World::new();
    let _ = world.command("apply -f -").stdin(set("", SCRIPT)).run().success();
    world
        .run("wait --for=jsonpath={.status.readyReplicas}=2 sts/web")
        .prints("statefulset.apps/web condition met\n");
    world.run("get sts").prints(
        "
        NAME   READY   AGE
        web    2/2     0s
        ",
    );
    world.run("get pods -o name").prints("pod/web-0\npod/web-1\n");
    world
        .run("get pvc -o name")
        .prints("persistentvolumeclaim/data-web-0\npersistentvolumeclaim/data-web-1\n");
    let address = world.value("pod/web-0", "{.status.podIP}");
    let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: ask}, spec: {template: {spec: {restartPolicy: Never,
               containers: [{name: c, command: [getent, hosts, web-0.peers]}]}}}}";
    let _ = world.command("apply -f -").stdin(job).run().success();
    world.wait_for_end("ask");
    let answer = world.run("logs job/ask").success().stdout;
    assert!(answer.starts_with(&address), "{answer:?} is not {address}");
    let logs = world.run("logs sts/web").success();
    assert_eq!((logs.stdout.as_str(), logs.stderr.as_str()), ("web-0\n", "Found 2 pods, using pod/web-0\n"));
    let described = world.run("describe sts web").success().stdout;
    assert!(described.contains("Pods Status:        2 Running / 0 Waiting"), "{described}");
    assert!(described.contains("create Pod web-1 in StatefulSet web successful"), "{described}");

    // One that goes comes again, to its data.
    let _ = world.run("delete pod web-0").success();
    both_run(&world);
    eventually(SOON, || world.run("logs web-0").success().stdout == "web-0\nweb-0\n");
    delete(&world);
    assert_eq!(world.run("get pvc -o name").success().lines().len(), 2, "the data stays");
    world.run("get controllerrevisions").is(0, "", "No resources found in default namespace.\n");
}

#[test]
fn a_set_is_scaled_changed_and_orphaned() {
    let world = World::new();
    let retention = "persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Delete}";
    let _ = world.command("apply -f -").stdin(set(retention, SCRIPT)).run().success();
    both_run(&world);
    world.run("scale sts web --replicas=1").prints("statefulset.apps/web scaled\n");
    eventually(SOON, || {
        world.run("get pods,pvc -o name").success().stdout == "pod/web-0\npersistentvolumeclaim/data-web-0\n"
    });
    let _ = world.run("scale sts web --replicas=2").success();
    both_run(&world);

    let changed = set(retention, &SCRIPT.replace("sleep 1000", "sleep 1001"));
    let _ = world.command("apply -f -").stdin(changed).run().success();
    let update =
        "{.status.updatedReplicas}{.status.readyReplicas}{.metadata.generation}{.status.observedGeneration}";
    comes_to(&world, update, "2244");
    assert_eq!(world.run("get controllerrevisions --no-headers").success().lines().len(), 2);
    let revision = world.value("sts/web", "{.status.currentRevision}");
    assert_eq!(world.value("pod/web-0", "{.metadata.labels.controller-revision-hash}"), revision);

    // Its pods are left to another of its kind.
    let uid = world.value("pod/web-1", "{.metadata.uid}");
    let _ = world.run("delete sts web --cascade=orphan").success();
    assert_eq!(world.value("pod/web-1", "{.metadata.ownerReferences}"), "");
    let changed = set(retention, &SCRIPT.replace("sleep 1000", "sleep 1001"));
    let _ = world.command("apply -f -").stdin(changed).run().success();
    both_run(&world);
    assert_eq!(world.value("pod/web-1", "{.metadata.uid}"), uid);
    delete(&world);
    eventually(SOON, || world.run("get pvc -o name").success().stdout.is_empty());
    eventually(SOON, || world.path("data/volumes").read_dir().map_or(0, Iterator::count) == 0);
}

#[test]
fn a_set_outlives_its_controller_and_a_supervisor() {
    let world = World::new();
    let _ = world.command("apply -f -").stdin(set("", SCRIPT)).run().success();
    both_run(&world);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    // The next command brings it back.
    eventually(SOON, || {
        let _ = world.run("get sts").success();
        world.controller().is_some()
    });
    let uid = world.value("pod/web-1", "{.metadata.uid}");
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    world.supervisors().into_iter().for_each(|supervisor| kill(supervisor, Signal::SIGKILL));
    eventually(SOON, || {
        let _ = world.run("get sts").success();
        world.value("pod/web-1", "{.metadata.uid}") != uid
    });
    both_run(&world);
    let _ = world.run("doctor").success();
    delete(&world);
}

#[test]
fn a_set_runs_where_nothing_may_stay_in_the_background() {
    let world = World::without_background();
    let _ = world.command("apply -f -").stdin(set("podManagementPolicy: Parallel", SCRIPT)).run().success();
    world
        .run("wait --for=jsonpath={.status.readyReplicas}=2 sts/web")
        .prints("statefulset.apps/web condition met\n");
    let _ = world.run("delete sts web --cascade=foreground").success();
    eventually(SOON, || {
        let _ = world.run("reconcile").success();
        world.run("get sts,pods -o name").success().stdout.is_empty()
    });
}
