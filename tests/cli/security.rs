//! Security contexts: as whom containers run, and with what rights.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use crate::common::{SOON, World, eventually, is_root, job_of_pod};
use crate::volumes::has_namespaces;

fn job(name: &str, pod: &str, container: &str, script: &str) -> String {
    let spec = format!(
        "securityContext: {{{pod}}}\nvolumes: [{{name: v, emptyDir: {{}}}}]\ncontainers:\n- name: main\n  image: i\n  \
         command: [sh, -c, {script:?}]\n  securityContext: {{{container}}}\n"
    );
    job_of_pod(name, &spec)
}

#[test]
fn root_starts_containers_as_whoever_is_asked_for() {
    if !is_root() {
        println!("skipped: not root");
        return;
    }
    let world = World::new();
    let script = "id -u; id -g; id -G; echo $HOME; grep -E 'CapEff|NoNewPrivs' /proc/self/status";
    let manifest = job(
        "other",
        "runAsUser: 12345, runAsGroup: 23456, supplementalGroups: [777], fsGroup: 888",
        "",
        script,
    );
    let (printed, code) = world.run_to_end("other", &manifest);
    let expected = "12345\n23456\n23456 777 888\n/\nCapEff:\t0000000000000000\nNoNewPrivs:\t0\n";
    assert_eq!((printed.as_str(), code), (expected, 0));
    // The container's own counts; no capability is left, and none comes back.
    let own = "runAsUser: 0, capabilities: {drop: [ALL], add: [CHOWN]}, allowPrivilegeEscalation: false";
    let (printed, code) = world.run_to_end("own", &job("own", "runAsUser: 12345", own, script));
    let expected = "CapEff:\t0000000000000001\nNoNewPrivs:\t1\n";
    assert!(printed.starts_with("0\n0\n") && printed.ends_with(expected) && code == 0, "{printed}");
}

#[test]
fn what_leads_to_a_volume_can_be_passed_by_whoever_a_container_runs_as() {
    if !is_root() || !has_namespaces() {
        return;
    }
    let world = World::new();
    for source in ["emptyDir: {}", "emptyDir: {medium: Memory}"] {
        let script = "echo kept > /no/such/place/x; cat /no/such/place/x; stat -c %g /no/such/place";
        let manifest = job("deep", "runAsUser: 12345, fsGroup: 888", "", script)
            .replace(
                "        securityContext: {}\n",
                "        volumeMounts: [{name: v, mountPath: /no/such/place}]\n",
            )
            .replace("emptyDir: {}", source);
        assert_eq!(world.run_to_end("deep", &manifest), ("kept\n888\n".into(), 0), "{source}");
        let _ = world.run("delete job deep").success();
    }
}

#[test]
fn volumes_belong_to_the_pods_group() {
    if !is_root() || !has_namespaces() {
        return;
    }
    let world = World::new();
    let manifest = job(
        "grouped",
        "runAsUser: 12345, fsGroup: 888",
        "",
        "stat -c '%g %a' /data; echo x > /data/new; stat -c '%u %g' /data/new; id -u; touch /etc/x 2>/dev/null || echo refused",
    )
    .replace("        securityContext: {}\n", "        volumeMounts: [{name: v, mountPath: /data}]\n");
    let (printed, code) = world.run_to_end("grouped", &manifest);
    assert_eq!((printed.as_str(), code), ("888 2777\n12345 888\n12345\nrefused\n", 0));
}

#[test]
fn an_ordinary_user_is_called_by_the_number_that_is_asked_for() {
    if !is_root() || !has_namespaces() {
        return;
    }
    let world = World::of_user(12_345);
    fs::create_dir(world.path("work/out")).expect("a directory");
    std::os::unix::fs::chown(world.path("work/out"), Some(12_345), Some(12_345)).expect("given away");
    let script = "id -u; id -g; echo x > out/file; grep CapEff /proc/self/status";
    let (printed, code) =
        world.run_to_end("named", &job("named", "runAsUser: 2000, runAsGroup: 3000", "", script));
    assert_eq!((printed.as_str(), code), ("2000\n3000\nCapEff:\t0000000000000000\n", 0));
    assert_eq!(fs::metadata(world.path("work/out/file")).expect("a file").uid(), 12_345, "on this machine");
    let (printed, _) = world
        .run_to_end("root", &job("root", "runAsUser: 0", "", "id -u; cat /etc/shadow 2>&1 | tail -c 20"));
    assert_eq!(printed, "0\n: Permission denied\n");
}

#[test]
fn with_a_root_file_system_that_is_read_only_volumes_are_what_is_left() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let script = "for f in here /tmp/jobctl-test-x /data/x /dev/null; do (echo x > $f) 2>/dev/null && echo $f; done; true";
    let manifest = job("sealed", "", "readOnlyRootFilesystem: true", script).replace(
        "        securityContext:",
        "        volumeMounts: [{name: v, mountPath: /data}]\n        securityContext:",
    );
    let (printed, code) = world.run_to_end("sealed", &manifest);
    assert_eq!((printed.as_str(), code), ("/data/x\n/dev/null\n", 0));
    assert!(!world.path("work/here").exists());
}

#[test]
fn who_must_not_run_as_root_does_not() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let manifest = job("refused", "runAsNonRoot: true", "", "id -u");
    let output = world.command("apply -f -").stdin(&manifest).run().success();
    assert!(
        output.stderr.contains(
            "Warning: spec.template.spec.containers[0].securityContext: container has runAsNonRoot and image will run as root, \
             so the container will wait with CreateContainerConfigError\n"
        ),
        "{}",
        output.stderr
    );
    let message = "{.items[0].status.containerStatuses[0].state.waiting.message}";
    eventually(SOON, || {
        world
            .value("pods", message)
            .starts_with("container has runAsNonRoot and image will run as root (pod: \"refused-")
    });
    let _ = world.run("delete job refused").success();
    assert_eq!(
        world.run_to_end("user", &job("user", "runAsNonRoot: true, runAsUser: 5", "", "id -u")),
        ("5\n".into(), 0)
    );
}

#[test]
fn what_cannot_be_in_force_is_said_and_with_strict_nothing_runs_without_it() {
    if !is_root() {
        return;
    }
    let world = World::of_user(12_345);
    let manifest =
        job("lax", "fsGroup: 7, seccompProfile: {type: RuntimeDefault}", "privileged: true", "echo ran");
    let output = world.command("apply -f -").stdin(&manifest).run().success();
    let at = "Warning: spec.template.spec";
    assert_eq!(
        output.stderr,
        format!(
            "{at}.securityContext.seccompProfile: is not in force: a container is a process of this machine\n\
             {at}.containers[0].securityContext: supplementalGroups and fsGroup, privileged cannot be in force: you are not root\n"
        )
    );
    world.wait_for_end("lax");
    assert_eq!(world.run("logs job/lax").success().stdout, "ran\n");
    let strict = manifest.replace("name: lax", "name: strict, annotations: {jobctl.local/strict: 'true'}");
    let _ = world.apply(&strict);
    let message = "{.items[0].status.containerStatuses[0].state.waiting.message}";
    let expected = "securityContext.supplementalGroups and fsGroup cannot be in force here, and jobctl.local/strict is set";
    eventually(SOON, || world.value("pods -l job-name=strict", message) == expected);
    let _ = world.run("delete job strict").success();
}
