//! `get`.

use crate::common::{World, job};

#[test]
fn nothing_found_is_said_on_stderr_and_is_no_error() {
    let world = World::new();
    world.run("get jobs").is(0, "", "No resources found in default namespace.\n");
    world.run("get all -A").is(0, "", "No resources found\n");
    world.run("get pods -o name").is(0, "", "");
}

#[test]
fn a_finished_job_and_its_pod_are_shown_as_kubectl_shows_them() {
    let world = World::new();
    let _ = world.apply(&job("hi", "", "echo hello"));
    world.wait_for_end("hi");
    world.run("get jobs").prints(
        "
        NAME   STATUS     COMPLETIONS   DURATION   AGE
        hi     Complete   1/1           0s         0s
        ",
    );
    world.run("get pods").prints(
        "
        NAME       READY   STATUS      RESTARTS   AGE
        hi-xxxxx   0/1     Completed   0          0s
        ",
    );
    world.run("get all").prints(
        "
        NAME           READY   STATUS      RESTARTS   AGE
        pod/hi-xxxxx   0/1     Completed   0          0s

        NAME           STATUS     COMPLETIONS   DURATION   AGE
        job.batch/hi   Complete   1/1           0s         0s
        ",
    );
}
