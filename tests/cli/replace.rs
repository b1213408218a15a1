//! `replace`.

use crate::common::{World, job};

#[test]
fn replace_changes_what_may_be_changed() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "suspend: true", "true"));
    world.run(&format!("replace -f {path}")).fails_with(
        "Error from server (NotFound): error when replacing \"job.yaml\": jobs.batch \"one\" not found\n",
    );
    world.run(&format!("create -f {path}")).prints("job.batch/one created\n");
    world.manifest("job.yaml", job("one", "suspend: true\ncompletions: 1\nparallelism: 4", "true"));
    world.run(&format!("replace -f {path}")).prints("job.batch/one replaced\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "4");
    world.manifest("job.yaml", job("one", "suspend: false", "false"));
    let refused = world.run(&format!("replace -f {path}")).failure();
    assert!(refused.stderr.contains("field is immutable"), "{}", refused.stderr);
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "4");
}

#[test]
fn forced_replacement_runs_the_job_again_under_a_new_uid() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "", "echo run"));
    let _ = world.run(&format!("apply -f {path}")).success();
    world.wait_for_end("one");
    let first = world.value("job one", "{.metadata.uid}");
    world
        .run(&format!("replace --force -f {path}"))
        .prints("job.batch \"one\" deleted\njob.batch/one replaced\n");
    world.wait_for_end("one");
    assert_ne!(world.value("job one", "{.metadata.uid}"), first);
    assert_eq!(
        world.run("get pods -o name").success().lines().len(),
        1,
        "the old pods went with the old Job"
    );
}
