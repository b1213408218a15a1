//! Devices: whole GPUs leased by id, on an inventory that the configuration names.

use std::collections::BTreeSet;
use std::fs;

use nix::sys::signal::Signal;

use crate::common::{SOON, World, eventually, kill};

/// A world whose machine has these resources.
fn world_with(resources: &str) -> World {
    let world = World::new();
    let text = format!("nodeName: node1\nextendedResources: {resources}\n");
    fs::write(world.path("config/jobctl/config.yaml"), text).expect("write");
    world
}

fn job(name: &str, spec: &str, resource: &str, script: &str) -> String {
    let limits = if resource.is_empty() { String::new() } else { format!("{resource}: 1") };
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}}}\nspec:\n{spec}  backoffLimit: 0\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers:\n      - name: main\n        image: i\n        command: [sh, -c, {script:?}]\n        \
         resources: {{limits: {{{limits}}}}}\n"
    )
}

const TELL: &str = "echo $CUDA_VISIBLE_DEVICES $NVIDIA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER $EXAMPLE_COM_KEY";

fn pod(name: &str, meta: &str, script: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, {meta}}}\nspec:\n  restartPolicy: Never\n  containers:\n  - name: main\n    \
         image: i\n    command: [sh, -c, {script:?}]\n    resources: {{limits: {{nvidia.com/gpu: 1}}}}\n"
    )
}

#[test]
fn two_jobs_have_a_device_each_and_others_see_none() {
    let world = world_with("{nvidia.com/gpu: [0, 1], example.com/key: [red]}");
    let wait = format!("{TELL}; while ! [ -e go ]; do sleep 0.01; done");
    let _ = world.apply(&job("one", "", "nvidia.com/gpu", &wait));
    let _ = world.apply(&job("two", "", "nvidia.com/gpu", &wait));
    let _ = world.apply(&job("none", "", "", TELL));
    let _ = world.apply(&job("key", "", "example.com/key", TELL));
    world.wait_for_end("none");
    world.wait_for_end("key");
    let logs = |job: &str| world.run(&format!("logs job/{job}")).stdout;
    assert_eq!(logs("none"), "-1 void PCI_BUS_ID\n");
    assert_eq!(logs("key"), "-1 void PCI_BUS_ID red\n");
    let expected = BTreeSet::from(["0 0 PCI_BUS_ID\n", "1 1 PCI_BUS_ID\n"].map(str::to_owned));
    eventually(SOON, || BTreeSet::from([logs("one"), logs("two")]) == expected);
    let wide = world.run("get pods -o wide").success().stdout;
    let last = wide.lines().map(|line| line.split_whitespace().last().unwrap_or_default());
    let shown = ["DEVICES", "nvidia.com/gpu:0", "nvidia.com/gpu:1", "example.com/key:red", "<none>"];
    assert_eq!(last.collect::<BTreeSet<_>>(), BTreeSet::from(shown), "{wide}");
    let described = world.run("describe pods -l job-name=one").success().stdout;
    assert!(described.contains("jobctl.local/devices: {\"nvidia.com/gpu\":[\""), "{described}");
    fs::write(world.path("work/go"), "").expect("a file");
    world.wait_for_end("one");
    world.wait_for_end("two");
}

#[test]
fn four_jobs_share_two_devices_one_after_the_other() {
    let world = world_with("{nvidia.com/gpu: [0, 1]}");
    // Each makes a directory named like its device, which nobody else may have meanwhile.
    let script = "mkdir device-$CUDA_VISIBLE_DEVICES && sleep 0.05 && rmdir device-$CUDA_VISIBLE_DEVICES";
    let names = ["a", "b", "c", "d"];
    for name in names {
        let _ = world.apply(&job(name, "  completions: 3\n  parallelism: 3\n", "nvidia.com/gpu", script));
    }
    for name in names {
        world.wait_for_end(name);
        assert_eq!(world.tally(name), "3/ SuccessCriteriaMet Complete");
    }
}

#[test]
fn a_lease_survives_the_controller_and_ends_with_a_lost_pod() {
    let world = world_with("{nvidia.com/gpu: [0]}");
    let _ = world.apply(&job("one", "", "nvidia.com/gpu", "sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    eventually(SOON, || world.controller().is_some());
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    let _ = world.apply(&job("two", "", "nvidia.com/gpu", TELL));
    let waits = "{.items[0].status.conditions[0].message}";
    eventually(SOON, || world.value("pods -l job-name=two", waits).contains("Insufficient nvidia.com/gpu"));
    let supervisors = world.supervisors();
    assert!(!supervisors.is_empty());
    supervisors.into_iter().for_each(|pid| kill(pid, Signal::SIGKILL));
    world.wait_for_end("two");
    assert_eq!(world.run("logs job/two").success().stdout, "0 0 PCI_BUS_ID\n");
    world.assert_no_processes_left();
}

#[test]
fn a_pod_that_is_deleted_by_force_keeps_its_device_until_its_processes_have_ended() {
    let world = world_with("{nvidia.com/gpu: [0]}");
    // A number that no other test sleeps for.
    let sleep = format!("sleep 9{}", std::process::id());
    for round in 0..8 {
        let script = format!("pgrep -fc '^{sleep}$' > shared-{round}; exec {sleep}");
        let _ = world.apply(&pod(&format!("p{round}"), "", &script));
        eventually(SOON, || {
            world.processes_named("sleep").len() == 1 && world.path(&format!("work/shared-{round}")).exists()
        });
        let shared = fs::read_to_string(world.path(&format!("work/shared-{round}"))).expect("a count");
        assert_eq!(shared, "0\n", "somebody else had the device");
        let _ = world.run(&format!("delete pod p{round} --force --grace-period=0")).success();
    }
    world.assert_no_processes_left();
}

#[test]
fn nobody_takes_a_device_by_writing_it_down() {
    let world = world_with("{nvidia.com/gpu: [0, 1]}");
    let written = "annotations: {jobctl.local/devices: '{\"nvidia.com/gpu\":[\"1\",\"0\"]}'}";
    let _ = world.apply(&pod("thief", written, "exec sleep 1000"));
    world.wait_for_value("pod/thief", "{.status.phase}", "Running");
    let is_leased =
        || world.value("pod/thief", "{.metadata.annotations}").contains(r#"{\"nvidia.com/gpu\":[\"0\"]}"#);
    assert!(is_leased());
    let _ = world.run("annotate pod thief --overwrite jobctl.local/devices={}").success();
    let _ = world.run("annotate pod thief jobctl.local/devices-").success();
    assert!(is_leased());
    let _ = world.run("delete pod thief --now").success();
    world.assert_no_processes_left();
}

#[test]
fn mistakes_in_the_inventory_are_named() {
    for (resources, problem) in [
        ("{gpu: [0]}", "\"gpu\": must be a name with a domain, such as example.com/gpu"),
        ("{nvidia.com/gpu: [0, 0]}", "nvidia.com/gpu: \"0\" is there twice"),
        (
            "{nvidia.com/gpu: [a b]}",
            "nvidia.com/gpu: \"a b\" is no id: it must not be empty, nor hold commas or spaces",
        ),
        ("{nvidia.com/gpu: {a: b}}", "must be a number, or a list of ids"),
    ] {
        let output = world_with(resources).run("get pods").failure();
        let named = output.stderr.contains("config.yaml: extendedResources: ");
        assert!(named && output.stderr.contains(problem), "{}", output.stderr);
    }
}
