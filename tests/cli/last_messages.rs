//! What a container leaves to say when it ends.

use crate::common::{World, job_of_pod};
use crate::volumes::has_namespaces;

fn message(world: &World, name: &str, fields: &str, script: &str) -> String {
    let container =
        format!("containers: [{{name: main, image: i, command: [sh, -c, {script:?}], {fields}}}]");
    let _ = world.apply(&job_of_pod(name, &container));
    world.wait_for_end(name);
    let path = "{.items[0].status.containerStatuses[0].state.terminated.message}";
    world.value(&format!("pods -l job-name={name}"), path)
}

#[test]
fn the_end_of_the_file_is_the_message() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    // Within a cluster's pod there is one.
    let on_machine = || std::fs::read("/dev/termination-log").ok();
    let before = on_machine();
    assert_eq!(message(&world, "usual", "", "echo slept > /dev/termination-log"), "slept\n");
    assert_eq!(on_machine(), before, "never on the machine");
    assert_eq!(
        message(&world, "chosen", "terminationMessagePath: /tmp/my/log", "printf mine > /tmp/my/log; exit 3"),
        "mine"
    );
    let long = message(
        &world,
        "long",
        "",
        "yes 0123456789 | head -c 10000 > /dev/termination-log; printf end >> /dev/termination-log",
    );
    assert_eq!((long.len(), &long[4090..]), (4096, "9\n0end"));
    let described = world.run("describe pods -l job-name=chosen").success().stdout;
    assert!(described.contains("Message:      mine"), "{described}");
}

#[test]
fn the_end_of_the_output_stands_for_it_where_that_is_wanted() {
    let world = World::new();
    let fallback = "terminationMessagePolicy: FallbackToLogsOnError";
    assert_eq!(message(&world, "fails", fallback, "echo one; echo two >&2; exit 1"), "one\ntwo\n");
    assert_eq!(message(&world, "succeeds", fallback, "echo one"), "");
    assert_eq!(message(&world, "default", "", "echo one; exit 1"), "");
    let many = message(&world, "many", fallback, "seq 1 1000; exit 1");
    assert_eq!((many.lines().count(), many.lines().next()), (80, Some("921")));
}
