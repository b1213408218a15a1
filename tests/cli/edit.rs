//! `edit`: with editors that are scripts.

use crate::common::{World, job};

/// A world with a suspended Job, in which leftover files would be seen.
fn world() -> World {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world
}

/// Runs an editor over objects.
fn edit(world: &World, line: &str, editor: &str) -> crate::common::Output {
    let tmp = world.path("tmp").display().to_string();
    world.command(line).env("KUBE_EDITOR", editor).env("TMPDIR", &tmp).run()
}

fn left(world: &World) -> Vec<String> {
    let entries = std::fs::read_dir(world.path("tmp")).expect("a directory");
    entries.flatten().map(|entry| entry.path().display().to_string()).collect()
}

#[test]
fn what_is_edited_is_stored_and_nothing_else() {
    let world = world();
    edit(&world, "edit job/one", "sed -i 's/parallelism: 1/parallelism: 3/'")
        .prints("job.batch/one edited\n");
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "3");
    edit(&world, "edit job one -o json", "sed -i 's/\"parallelism\": 3/\"parallelism\": 4/'")
        .prints("job.batch/one edited\n");
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "4");
    // EDITOR counts where KUBE_EDITOR is not set; comments count for nothing.
    world
        .command("edit job/one --output-patch")
        .env("EDITOR", "sed -i '1i # x\n s/parallelism: 4/parallelism: 5/'")
        .run()
        .prints("Patch: {\"spec\":{\"parallelism\":5}}\njob.batch/one edited\n");
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "5");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[test]
fn an_editor_that_changes_nothing_changes_nothing() {
    let world = world();
    for (editor, said) in [
        ("true", "Edit cancelled, no changes made.\n"),
        ("sed -i '1i # only a comment'", "Edit cancelled, no changes made.\n"),
        ("truncate -s 0", "Edit cancelled, saved file was empty.\n"),
        ("sed -i 's/^/#/'", "Edit cancelled, saved file was empty.\n"),
    ] {
        edit(&world, "edit job/one", editor).is(0, "", said);
    }
    edit(&world, "edit job/one", "false")
        .fails_with("error: there was a problem with the editor \"false\"\n");
    edit(&world, "edit job/one", "/nope/editor")
        .fails_with("error: unable to launch the editor \"/nope/editor\"\n");
    assert_eq!(left(&world), Vec::<String>::new());
}

#[test]
fn what_is_refused_is_shown_again_with_the_reason() {
    let world = world();
    let seen = world.path("work/seen").display().to_string();
    // The first time it breaks a rule, the second time it looks, and mends it.
    let script = format!(
        "#!/bin/sh\nif grep -q 'was not valid' \"$1\"; then cp \"$1\" {seen}; sed -i 's/parallelism: -1/parallelism: 2/' \"$1\"\n\
         else sed -i 's/parallelism: 1/parallelism: -1/' \"$1\"; fi\n"
    );
    world.manifest("editor", script);
    edit(&world, "edit job/one", "sh editor").is(
        0,
        "job.batch/one edited\n",
        "error: jobs.batch \"one\" is invalid\n",
    );
    let text = std::fs::read_to_string(&seen).expect("what the editor was shown");
    assert!(
        text.starts_with(
            "# Please edit the object below. Lines beginning with a '#' will be ignored,\n# and an empty file will \
             abort the edit. If an error occurs while saving this file will be\n# reopened with the relevant \
             failures.\n#\n# jobs.batch \"one\" was not valid:\n# * spec.parallelism: Invalid value: -1: must be greater \
             than or equal to 0\n#\napiVersion: batch/v1\n"
        ),
        "{text}"
    );
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "2");
    // Whoever saves the same again keeps a copy.
    let output = edit(&world, "edit job/one", "sed -i 's/parallelism: 2/parallelism: [/'").failure();
    let copies = left(&world);
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(
        output.stderr,
        format!(
            "A copy of your changes has been stored to {:?}\nerror: Edit cancelled, no valid changes were saved.\n",
            copies[0]
        )
    );
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "2");
}

#[test]
fn several_objects_are_edited_at_once() {
    let world = world();
    let _ = world.apply(&job("two", "suspend: true", "true"));
    edit(&world, "edit jobs", "sed -i '0,/parallelism: 1/s//parallelism: 7/'")
        .prints("job.batch/one edited\njob.batch/two skipped\n");
    assert_eq!(world.value("job/one", "{.spec.parallelism}"), "7");
    let _ = edit(&world, "edit job/one", "sed -i 's/name: one/name: three/'").failure();
}

#[test]
fn what_others_have_changed_meanwhile_stays() {
    let world = world();
    let binary = env!("CARGO_BIN_EXE_jobctl");
    world.manifest(
        "editor",
        format!(
            "#!/bin/sh\n{binary} label job/one a=b >&2\nsed -i 's/parallelism: 1/parallelism: 6/' \"$1\"\n"
        ),
    );
    edit(&world, "edit job/one", "sh editor").is(0, "job.batch/one edited\n", "job.batch/one labeled\n");
    assert_eq!(world.value("job/one", "'{.spec.parallelism} {.metadata.labels.a}'"), "6 b");
}

#[test]
fn what_is_to_be_created_can_be_edited_first() {
    let world = world();
    let path = world.manifest("two.yaml", job("two", "suspend: true", "true"));
    let line = format!("create --edit -f {path}");
    edit(&world, &line, "true").is(0, "", "Edit cancelled, no changes made.\n");
    edit(&world, &line, "truncate -s0").is(0, "", "Edit cancelled, saved file was empty.\n");
    let _ = world.run("get job two").failure();
    edit(&world, &line, "sed -i 's/name: two/name: three/'").prints("job.batch/three created\n");
    let _ = world.run("get job two").failure();
    let both = format!(
        "create --edit -f {path} -f {}",
        world.manifest("o.yaml", job("other", "suspend: true", "true"))
    );
    edit(&world, &both, "sed -i 's/suspend: true/suspend: true\\n    parallelism: 0/'")
        .prints("job.batch/two created\njob.batch/other created\n");
    assert_eq!(world.value("job/other", "{.spec.parallelism}"), "0");
    let printed = edit(&world, &format!("{line} -o json"), "sed -i 's/\"two\"/\"four\"/'").success();
    assert!(printed.stdout.contains("\"name\": \"four\""), "{}", printed.stdout);
    assert_eq!(left(&world), Vec::<String>::new());
    // What is refused is kept, so that no work is lost.
    let refused = edit(&world, &line, "sed -i 's/suspend: true/parallelism: -1/'").failure();
    assert!(refused.stderr.contains("must be greater than or equal to 0"), "{}", refused.stderr);
    assert!(refused.stderr.contains("A copy of your changes has been stored to"), "{}", refused.stderr);
    assert_eq!(left(&world).len(), 1);
}
