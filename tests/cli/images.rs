//! Images: labels, and what they run all the same.

use crate::common::{SOON, World, eventually, job_of_pod};

/// A Job of one container.
fn job(name: &str, container: &str) -> String {
    job_of_pod(name, &format!("containers: [{{name: main, {container}}}]"))
}

fn run(world: &World, name: &str, container: &str) -> (String, i32) {
    world.run_to_end(name, &job(name, container))
}

#[test]
fn a_base_image_runs_its_arguments_and_another_what_it_is_said_to_run() {
    let world = World::new();
    let said = run(&world, "args", "image: 'busybox:1.36', args: [sh, -c, 'echo from args']");
    assert_eq!(said, ("from args\n".into(), 0));
    let said = run(&world, "bare", "image: registry.k8s.io/busybox");
    assert_eq!(said, (String::new(), 0), "a shell without input");
    world.run("image list").is(0, "", "No images; to say what one runs: jobctl image set IMAGE -- COMMAND\n");
    let set = "image set me/app:* --env GREETING=hello --env NAME=image --workdir / -- sh -c 'echo $GREETING $NAME $(pwd) $0 $1'";
    world.run(set).prints("image \"me/app:*\" set\n");
    let said = run(&world, "mine", "image: 'me/app:3', args: [one, two], env: [{name: NAME, value: own}]");
    assert_eq!(said, ("hello own / one two\n".into(), 0));
    let said =
        run(&world, "own", "image: 'docker.io/me/app:3', command: [sh, -c, 'echo $GREETING'], args: [x]");
    assert_eq!(said, ("hello\n".into(), 0), "the command is replaced, the variables are not");
    world.run("image set me/app:* -- true").prints("image \"me/app:*\" changed\n");
    world.run("image ls").prints(
        "IMAGE      COMMAND   WORKDIR   ENV\n me/app:*   true      <none>    <none>\n"
            .replace("\n ", "\n")
            .as_str(),
    );
    world.run("image remove me/app:*").prints("image \"me/app:*\" removed\n");
    world
        .run("image remove me/app:*")
        .fails_with("error: nothing is said of image \"me/app:*\"; see: jobctl image list\n");
    world
        .run("image set No/Name -- true")
        .fails_with("error: \"No/Name\" is no image's name: invalid reference format\n");
}

#[test]
fn an_image_that_is_unknown_waits_until_it_is_said_what_it_runs() {
    let world = World::new();
    let output = world.command("apply -f -").stdin(job("late", "image: me/late")).run().success();
    assert!(
        output.stderr.contains("; to say what it runs: jobctl image set me/late -- COMMAND\n"),
        "{}",
        output.stderr
    );
    let reason = "{.items[0].status.containerStatuses[0].state.waiting.reason}";
    eventually(SOON, || world.value("pods", reason) == "ErrImagePull");
    let _ = world.run("image set me/late -- echo here").success();
    // Whoever looks next has the controller read its configuration anew.
    world.wait_for_end("late");
    assert_eq!(world.run("logs job/late").success().stdout, "here\n");
}

#[test]
fn a_name_that_is_none_is_said_to_be() {
    let world = World::new();
    let _ = world.apply(&job("bad", "image: 'Not An Image', command: [\"true\"]"));
    let state = "'{.items[0].status.containerStatuses[0].state.waiting.reason}: {.items[0].status.containerStatuses[0].state.waiting.message}'";
    let expected = "InvalidImageName: Failed to apply default image tag \"Not An Image\": couldn't parse image name \"Not An \
                    Image\": invalid reference format";
    eventually(SOON, || world.value("pods", state) == expected);
    let _ = world.run("delete job bad").success();
}
