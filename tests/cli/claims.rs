//! Claims that pods bring with them, and file systems of others.

use crate::common::{SOON, World, eventually, job_of_pod};
use crate::volumes::has_namespaces;

const VOLUME: &str = "volumes:\n- name: scratch\n  ephemeral:\n    volumeClaimTemplate:\n      metadata: {labels: {made: here}}\n      \
     spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";

fn pod(name: &str, script: &str) -> String {
    let spec = format!(
        "restartPolicy: Never\ncontainers:\n- {{name: main, image: i, command: [sh, -c, {script:?}], volumeMounts: [{{name: scratch, mountPath: /data}}]}}\n{VOLUME}"
    );
    let spec: String = spec.lines().map(|line| format!("  {line}\n")).collect();
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n{spec}")
}

#[test]
fn a_claim_is_made_for_its_pod_and_goes_with_it() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    assert_eq!(world.apply(&pod("p", "echo kept > /data/x; cat /data/x")).stderr, "");
    let _ = world.run("wait --for=jsonpath={.status.phase}=Succeeded pod/p --timeout=20s").success();
    world.run("logs p").prints("kept\n");
    let claim = "'{.metadata.labels.made} {.status.phase} {.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name}'";
    assert_eq!(world.value("pvc p-scratch", claim), "here Bound Pod/p");
    let directories = || std::fs::read_dir(world.store().join("volumes")).map_or(0, Iterator::count);
    assert_eq!(directories(), 1);
    let _ = world.run("delete pod p").success();
    assert_eq!(world.run("get pvc -o name").success().stdout, "");
    // Its directory is for the controller to remove.
    let _ = world.run("reconcile").success();
    eventually(SOON, || directories() == 0);
}

#[test]
fn claims_of_a_jobs_pods_go_with_the_job() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let container = "containers:\n- {name: main, image: i, command: [sh, -c, 'touch /data/x'], volumeMounts: [{name: scratch, mountPath: /data}]}\n";
    let manifest = job_of_pod("j", &format!("{container}{VOLUME}"));
    let _ = world.apply(&manifest.replace("backoffLimit: 0", "completions: 2\n  parallelism: 2"));
    world.wait_for_end("j");
    assert_eq!(world.run("get pvc --no-headers").success().lines().len(), 2);
    let _ = world.run("delete job j").success();
    eventually(SOON, || world.run("get pvc -o name").success().stdout.is_empty());
}

#[test]
fn a_claim_of_somebody_else_is_not_taken() {
    let world = World::new();
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: p-scratch}\nspec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}\n";
    let _ = world.apply(claim);
    let _ = world.apply(&pod("p", "true"));
    let told = "'{.items[?(@.reason==\"FailedMount\")].message}'";
    let expected = "MountVolume.SetUp failed for volume \"scratch\" : PVC default/p-scratch was not created for pod default/p (pod is not owner)";
    eventually(SOON, || world.value("events", told) == expected);
    let _ = world.run("delete pod p").success();
    world.run("get pvc -o name").prints("persistentvolumeclaim/p-scratch\n");
}

#[test]
fn what_is_not_mounted_from_afar_keeps_the_pod_waiting() {
    let world = World::new();
    let manifest = pod("p", "true").replace(
        &VOLUME.lines().map(|line| format!("  {line}\n")).collect::<String>(),
        "  volumes: [{name: scratch, nfs: {server: no.such.example, path: /export}}]\n",
    );
    assert_eq!(world.apply(&manifest).stderr, "");
    let told = "'{.items[?(@.reason==\"FailedMount\")].message}'";
    let expected = "MountVolume.SetUp failed for volume \"scratch\" : no.such.example:/export is not mounted on this machine, and jobctl \
         mounts nothing from afar: sudo mount -t nfs no.such.example:/export DIRECTORY";
    eventually(SOON, || world.value("events", told) == expected);
    let _ = world.run("delete pod p").success();
}
