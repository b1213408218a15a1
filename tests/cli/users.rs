//! Root and ordinary users.

use crate::common::{SOON, World, eventually, is_root, job};

fn a_job_from_beginning_to_end(world: &World) {
    let script = "id -u; setsid sleep 1000 & exit 0";
    let _ = world.apply(&job("who", "completions: 2\nparallelism: 2", script));
    world.wait_for_end("who");
    assert_eq!(world.tally("who"), "2/ SuccessCriteriaMet Complete");
    let _ = world.apply(&job("slow", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    let _ = world.run("delete job slow --cascade=foreground").success();
    world.assert_no_processes_left();
}

#[test]
fn an_ordinary_user_needs_no_rights() {
    let world = if is_root() { World::of_user(65534) } else { World::new() };
    a_job_from_beginning_to_end(&world);
    let user = if is_root() { 65534 } else { nix::unistd::geteuid().as_raw() };
    let logs = world.run("logs job/who --all-pods --prefix=false").success();
    assert_eq!(logs.stdout, format!("{user}\n{user}\n"));
}

#[test]
fn root_runs_pods_with_a_hostname_of_their_own() {
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let world = World::new();
    a_job_from_beginning_to_end(&world);
    let _ = world.apply(&job("host", "", "uname -n"));
    world.wait_for_end("host");
    let pod = world.value("pods -l job-name=host", "{.items[0].metadata.name}");
    assert_eq!(world.run("logs job/host").success().stdout, format!("{pod}\n"));
}
