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
    let stored = || world.run("get job one -o yaml").success().stdout;
    world.manifest("stored.yaml", stored().replace("parallelism: 1", "parallelism: 4"));
    world.run("replace -f stored.yaml").prints("job.batch/one replaced\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "4");
    world.manifest("stored.yaml", stored().replace("restartPolicy: Never", "restartPolicy: OnFailure"));
    world
        .run("replace -f stored.yaml")
        .fails_with("The Job \"one\" is invalid: spec.template: Invalid value: {...}: field is immutable\n");
    assert_eq!(world.value("job one", "{.spec.parallelism}"), "4");
    let uid = world.value("job one", "{.metadata.uid}");
    world.manifest("other.yaml", stored().replace(&uid, "another"));
    // Expected texts have zeros for uids.
    world.run("replace -f other.yaml").fails_with(
        "Error from server (Conflict): error when replacing \"other.yaml\": Operation cannot be fulfilled on jobs.batch \
         \"one\": Precondition failed: UID in precondition: another, UID in object meta: \
         00000000-0000-0000-0000-000000000000\n",
    );
    // A manifest does not have what the server has generated, and a server does not fill it in here.
    world.run(&format!("replace -f {path}")).fails_with(
        "The Job \"one\" is invalid: \n* spec.selector: Required value\n* spec.template.metadata.labels: Invalid value: \
         null: `selector` does not match template `labels`\n* spec.selector: Invalid value: null: field is immutable\n",
    );
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

#[test]
fn what_others_have_changed_meanwhile_is_not_overwritten_by_an_older_version() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.wait_for_value("job one", "{.status.conditions[0].type}", "Suspended");
    world.manifest("old.yaml", world.run("get job one -o yaml").success().stdout);
    let _ = world.run("label job one a=b").success();
    let modified = "Operation cannot be fulfilled on jobs.batch \"one\": the object has been modified; please apply your \
                    changes to the latest version and try again\n";
    for (verb, doing) in [("replace", "replacing"), ("apply", "patching")] {
        world.run(&format!("{verb} -f old.yaml")).fails_with(&format!(
            "Error from server (Conflict): error when {doing} \"old.yaml\": {modified}"
        ));
        assert_eq!(world.value("job one", "{.metadata.labels.a}"), "b");
    }
    let latest = world.run("get job one -o yaml").success().stdout;
    world.manifest("new.yaml", latest.replace("a: b", "a: c"));
    world.run("replace -f new.yaml").prints("job.batch/one replaced\n");
    assert_eq!(world.value("job one", "{.metadata.labels.a}"), "c");
    // The manifest that was just stored is now of an older version itself.
    let _ = world.run("replace -f new.yaml").failure();
    let latest = world.run("get job one -o yaml").success().stdout;
    world.manifest("new.yaml", latest.replace("a: c", "a: d"));
    world.run("apply -f new.yaml").prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "{.metadata.labels.a}"), "d");
}
