//! Limits of memory and CPU, by control groups and without.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, is_root, kill};

/// Worlds in which containers are limited in each way that there is on this machine. An ordinary user can make no control groups
/// in most places; root can where the system lets it.
fn worlds() -> Vec<World> {
    if is_root() { vec![World::new(), World::of_user(12_345)] } else { vec![World::new()] }
}

/// Whether control groups limit memory in a world.
fn has_groups(world: &World) -> bool {
    let told = world.run("doctor").stdout;
    let line =
        told.lines().find(|line| line.contains("held to memory")).expect("a line about limits").to_owned();
    line.contains("memory by control groups")
}

fn job(name: &str, pod: &str, limits: &str, script: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      \
         restartPolicy: Never\n{pod}      containers:\n      - name: main\n        image: i\n        \
         command: [sh, -c, {script:?}]\n        resources: {{limits: {{{limits}}}}}\n"
    )
}

/// Every control group of this pod that there is.
fn groups_of(pod_uid: &str) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points =
        mounts.lines().filter(|line| line.contains(" - cgroup")).filter_map(|line| line.split(' ').nth(4));
    let mut left: Vec<PathBuf> = points.map(PathBuf::from).collect();
    let mut found = Vec::new();
    while let Some(directory) = left.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if entry.file_name().to_string_lossy().contains(pod_uid) {
                    found.push(entry.path());
                }
                left.push(entry.path());
            }
        }
    }
    found
}

/// For scripts: to fill so much memory.
const FILL: &str = "fill() { head -c $1 /dev/zero | tail -c $1 >/dev/null; }";
/// Why a pod's container ended.
const REASON: &str = "{.items[0].status.containerStatuses[0].state.terminated.reason}";

#[test]
fn a_container_that_takes_too_much_memory_is_killed() {
    for world in worlds() {
        let alone = job("hog", "", "memory: 32Mi", &format!("{FILL}; fill 300M; echo not killed"));
        let _ = world.apply(&alone);
        world.wait_for_end("hog");
        assert_eq!(world.value("pods -l job-name=hog", REASON), "OOMKilled");
        let status = world.run("get pods -l job-name=hog --no-headers").success().stdout;
        assert_eq!(status.split_whitespace().nth(2), Some("OOMKilled"), "{status}");
        // What is within the limit goes well.
        let _ = world.apply(&job("modest", "", "memory: 64Mi", &format!("{FILL}; fill 8M; echo well")));
        world.wait_for_end("modest");
        assert_eq!(world.run("logs job/modest").success().stdout, "well\n");
        let uid = world.value("pods -l job-name=hog", "{.items[0].metadata.uid}");
        assert_eq!(groups_of(&uid), Vec::<PathBuf>::new());
        world.assert_no_processes_left();
    }
}

#[test]
fn the_memory_of_all_processes_of_a_container_counts() {
    for world in worlds() {
        // Each holds less than the limit; the second is an orphan, of a session of its own.
        let hold = "dd if=/dev/zero bs=40M count=1 2>/dev/null | sleep 100";
        let script = format!("(setsid sh -c '{hold}' &); {hold}");
        let _ = world.apply(&job("many", "", "memory: 56Mi", &script));
        // Groups of version 1 kill one process, and the container goes on.
        if !has_groups(&world) {
            eventually(SOON, || world.value("pods -l job-name=many", REASON) == "OOMKilled");
        }
        let _ = world.run("delete job many --cascade=foreground").success();
        world.assert_no_processes_left();
    }
}

#[test]
fn the_limit_of_a_pod_binds_its_containers_together() {
    for world in worlds() {
        let pod = "      resources: {limits: {memory: 48Mi}}\n";
        let _ = world.apply(&job("pod", pod, "", &format!("{FILL}; fill 300M; echo not killed")));
        world.wait_for_end("pod");
        assert_eq!(world.value("pods -l job-name=pod", REASON), "OOMKilled");
    }
}

#[test]
fn a_limit_of_cpus_is_in_force_or_an_event_says_what_is() {
    for world in worlds() {
        let busy = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; nice; nproc; cat /proc/self/cgroup | grep -c jobctl-";
        let _ = world.apply(&job("slow", "", "cpu: 100m", busy));
        world.wait_for_end("slow");
        let printed = world.run("logs job/slow").success().stdout;
        let words: Vec<&str> = printed.split_whitespace().collect();
        let events = world.run("events").success().stdout;
        if words[2] == "0" {
            assert_eq!(words[..2], ["10", "1"]);
            assert!(events.contains("LimitNotEnforced"), "{events}");
        } else {
            assert_eq!(words[0], "0");
            assert!(!events.contains("LimitNotEnforced"), "{events}");
        }
    }
}

#[test]
fn a_pod_without_limits_is_in_no_group_of_ours() {
    let world = World::new();
    let _ = world.apply(&job("free", "", "", "grep -c jobctl- /proc/self/cgroup; nice"));
    world.wait_for_end("free");
    assert_eq!(world.run("logs job/free").success().stdout, "0\n0\n");
}

#[test]
fn the_groups_of_a_lost_pod_go_with_it() {
    for world in worlds() {
        let _ = world.apply(&job("lost", "", "memory: 64Mi, cpu: 1", "sleep 1000"));
        eventually(SOON, || world.processes_named("sleep").len() == 1);
        let uid = world.value("pods -l job-name=lost", "{.items[0].metadata.uid}");
        assert_eq!(groups_of(&uid).is_empty(), !has_groups(&world));
        let supervisors = world.supervisors();
        supervisors.iter().for_each(|pid| kill(*pid, Signal::SIGKILL));
        world.wait_for_end("lost");
        eventually(SOON, || groups_of(&uid).is_empty());
        world.assert_no_processes_left();
    }
}
