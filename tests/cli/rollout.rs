//! rollout: a StatefulSet is followed, restarted and taken back; a Job is refused as kubectl refuses it.

use crate::common::{World, job};

const SET: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: 1
  serviceName: web
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: busybox, command: [sleep, '1000']}]
";

#[test]
fn a_stateful_set_is_restarted_and_taken_back() {
    let world = World::new();
    let _ = world.apply(SET);
    let status = world.run("rollout status sts/web --timeout=30s").success().stdout;
    let done = "partitioned roll out complete: 1 new pods have been updated...";
    assert_eq!(status.lines().last(), Some(done), "{status}");
    world
        .run("rollout history sts/web")
        .prints("statefulset.apps/web \nREVISION  CHANGE-CAUSE\n1         <none>\n\n");
    let uid = world.value("pod web-0", "{.metadata.uid}");
    world.run("rollout undo sts/web").fails_with("error: no last revision to roll back to\n");
    world.run("rollout restart sts/web").prints("statefulset.apps/web restarted\n");
    let status = world.run("rollout status sts/web --timeout=30s").success().stdout;
    assert_eq!(status.lines().last(), Some(done), "{status}");
    assert_ne!(world.value("pod web-0", "{.metadata.uid}"), uid, "another pod");
    let restarted = "'{.spec.template.metadata.annotations.kubectl\\.kubernetes\\.io/restartedAt}'";
    assert!(!world.value("sts web", restarted).is_empty());
    let shown = world.run("rollout undo sts/web --dry-run=client").success().stdout;
    assert!(
        shown.starts_with("statefulset.apps/web will roll back to Pod Template:\n  Labels:\tapp=web\n"),
        "{shown}"
    );
    world.run("rollout undo sts/web").prints("statefulset.apps/web rolled back\n");
    assert_eq!(world.value("sts web", restarted), "");
    let _ = world.run("rollout status sts/web --timeout=30s").success();
    world
        .run("rollout undo sts/web --to-revision=3")
        .prints("statefulset.apps/web skipped rollback (current template already matches revision 3)\n");
    let template = world.run("rollout history sts/web --revision=3").success().stdout;
    assert!(template.starts_with("statefulset.apps/web with revision #3\nPod Template:\n"), "{template}");
    let _ = world.run("delete sts web").success();
    let _ = world.run("delete pod web-0 --now --ignore-not-found").success();
}

#[test]
fn what_has_no_rollout_is_refused_in_kubectls_words() {
    let world = World::new();
    let _ = world.apply(&job("a1", "suspend: true", "true"));
    let _ = world.apply(&SET.replace("replicas: 1", "replicas: 0"));
    for (line, error) in [
        ("rollout status job/a1", "error: no status viewer has been implemented for Job.batch\n"),
        ("rollout restart job/a1", "error: jobs.batch \"a1\" restarting is not supported\n"),
        ("rollout history job/a1", "error: no history viewer has been implemented for \"Job.batch\"\n"),
        ("rollout undo job/a1", "error: no rollbacker has been implemented for \"Job.batch\"\n"),
        ("rollout pause job/a1", "error: jobs.batch \"a1\" pausing is not supported\n"),
        ("rollout resume sts/web", "error: statefulsets.apps \"web\" resuming is not supported\n"),
        ("rollout status", "error: required resource not specified\n"),
        ("rollout restart", "error: required resource not specified\n"),
        ("rollout status sts/nope", "Error from server (NotFound): statefulsets.apps \"nope\" not found\n"),
        ("rollout history sts/web --revision=-1", "error: revision must be a positive integer: -1\n"),
        ("rollout history sts/web --revision=7", "error: unable to find the specified revision\n"),
        ("rollout frob", "error: unknown command \"frob\"\nSee 'jobctl rollout -h' for help and examples\n"),
    ] {
        world.run(line).fails_with(error);
    }
    world.run("rollout status pods").is(0, "", "No resources found in default namespace.\n");
}
