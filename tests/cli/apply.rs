//! `apply`.

use crate::common::{World, job};

#[test]
fn apply_creates_then_finds_nothing_to_change_then_configures() {
    let world = World::new();
    let path = world.manifest("job.yaml", job("one", "", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one created\n");
    world.run(&format!("apply -f {path}")).prints("job.batch/one unchanged\n");
    world.manifest("job.yaml", job("one", "backoffLimit: 2", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one configured\n");
    assert_eq!(world.value("job one", "{.spec.backoffLimit}"), "2");
    world.manifest("job.yaml", job("one", "", "true"));
    world.run(&format!("apply -f {path}")).prints("job.batch/one configured\n");
    assert_eq!(
        world.value("job one", "{.spec.backoffLimit}"),
        "6",
        "a field taken away gets its default again"
    );
}
