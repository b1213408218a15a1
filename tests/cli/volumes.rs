//! Volumes: what containers see of them, what is left of them, and what is never touched.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::common::{SOON, World, eventually, is_root, job_of_pod};

/// Whether this machine lets us have namespaces; says so where it does not.
pub(crate) fn has_namespaces() -> bool {
    let probe = Command::new("unshare").args(["--user", "--map-root-user", "--mount", "true"]).output();
    let has = probe.is_ok_and(|output| output.status.success());
    if !has {
        println!("skipped: this machine refuses user namespaces");
    }
    has
}

/// A container that runs a script and mounts volumes.
fn container(script: &str, mounts: &str) -> String {
    format!("- name: main\n  image: i\n  command: [sh, -c, {script:?}]\n  volumeMounts: [{mounts}]\n")
}

/// Runs a Job with one container to its end; what it has printed and its exit code.
fn run(world: &World, name: &str, script: &str, mounts: &str, volumes: &str) -> (String, i32) {
    let spec = format!("containers:\n{}volumes: [{volumes}]\n", container(script, mounts));
    world.run_to_end(name, &job_of_pod(name, &spec))
}

/// How the last container of a Job's pod has ended.
fn end_of(world: &World, name: &str) -> String {
    world.value(
        &format!("pods -l job-name={name}"),
        "'{range .items[*].status.containerStatuses[*].state.terminated}{.reason}: {.message}{end}'",
    )
}

#[test]
fn containers_share_a_volume_at_any_path_and_it_goes_with_the_pod() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let spec = "initContainers:\n- name: first\n  image: i\n  command: [sh, -c, 'echo made > /no/such/place/x; stat -c %a /no/such/place']\n  \
         volumeMounts: [{name: shared, mountPath: /no/such/place}]\ncontainers:\n"
        .to_owned()
        + &container(
            "cat /input/x; exec 2>/dev/null; (echo y > /input/y) || echo refused; ls -A /; touch /new || echo sealed; cd /etc && touch jobctl-test-new || echo sealed",
            "{name: shared, mountPath: /input, readOnly: true}, {name: other, mountPath: /etc/jobctl-test/deep}",
        )
        + "volumes: [{name: shared, emptyDir: {}}, {name: other, emptyDir: {}}]\n";
    let manifest = world.manifest("job.yaml", job_of_pod("shares", &spec));
    let output = world.run(&format!("run -f {manifest}")).exits(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[..3], ["777", "made", "refused"], "{}", output.stdout);
    assert!(lines.contains(&"input") && lines.contains(&"etc"), "{}", output.stdout);
    assert_eq!(lines.iter().filter(|line| **line == "sealed").count(), 2, "{}", output.stdout);
    for path in ["/no", "/input", "/new", "/etc/jobctl-test", "/etc/jobctl-test-new"] {
        assert!(!fs::exists(path).expect("look"), "{path} on the host");
    }
    let uid = world.value("pods", "{.items[0].metadata.uid}");
    eventually(SOON, || !fs::exists(world.store().join("pods").join(&uid).join("volumes")).expect("look"));
    assert!(world.store().join("pods").join(&uid).is_dir(), "with its logs");
}

#[test]
fn a_plain_pod_with_a_volume_at_its_own_path_stays_a_plain_process() {
    let world = World::new();
    let directory = world.path("work/shared");
    let path = directory.display();
    let volumes = format!("{{name: v, hostPath: {{path: {path}, type: DirectoryOrCreate}}}}");
    let mounts = format!("{{name: v, mountPath: {path}/}}");
    let script = format!("readlink /proc/self/ns/mnt; echo kept > {path}/file");
    let (printed, code) = run(&world, "own", &script, &mounts, &volumes);
    assert_eq!(code, 0, "{printed}");
    let here = fs::read_link("/proc/self/ns/mnt").expect("a link");
    assert_eq!(printed.trim_end(), here.to_string_lossy());
    assert_eq!(fs::read_to_string(directory.join("file")).expect("a file"), "kept\n");
}

#[test]
fn a_volume_outlives_a_restart_of_its_container() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let spec = format!(
        "containers:\n{}volumes: [{{name: v, emptyDir: {{}}}}]\n",
        container(
            "echo x >> /state/count; wc -l < /state/count; test $(wc -l < /state/count) -ge 3",
            "{name: v, mountPath: /state}"
        )
    );
    let manifest = job_of_pod("counts", &spec)
        .replace("restartPolicy: Never", "restartPolicy: OnFailure")
        .replace("backoffLimit: 0", "backoffLimit: 5")
        .replace(
            "metadata: {name: counts}",
            "metadata: {name: counts, annotations: {jobctl.local/backoff-base: 10ms}}",
        );
    let _ = world.apply(&manifest);
    world.wait_for_end("counts");
    assert_eq!(world.run("logs job/counts").success().stdout, "3\n");
}

#[test]
fn a_program_may_lie_in_a_volume_and_a_missing_working_directory_is_made_there() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let tool = world.manifest("tools/say", "#!/bin/sh\npwd; echo said $1\n");
    let tool = world.path("work").join(tool);
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    let spec = format!(
        "containers:\n- name: main\n  image: i\n  command: [/tools/say, it]\n  workingDir: /scratch/of/mine\n  volumeMounts:\n  \
         - {{name: tools, mountPath: /tools}}\n  - {{name: scratch, mountPath: /scratch}}\nvolumes:\n\
         - {{name: tools, hostPath: {{path: {}}}}}\n- {{name: scratch, emptyDir: {{}}}}\n",
        world.path("work/tools").display()
    );
    let manifest = world.manifest("job.yaml", job_of_pod("tool", &spec));
    let output = world.run(&format!("run -f {manifest}")).exits(0);
    assert_eq!(output.stdout, "/scratch/of/mine\nsaid it\n");
}

#[test]
fn a_part_of_a_volume_never_leads_out_of_it() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let volume = world.path("work/volume");
    fs::create_dir_all(volume.join("inner")).expect("a directory");
    fs::write(volume.join("one.txt"), "one\n").expect("a file");
    fs::write(world.path("work/secret"), "secret\n").expect("a file");
    symlink("../secret", volume.join("out")).expect("a link");
    symlink("/etc", volume.join("etc")).expect("a link");
    symlink("inner", volume.join("within")).expect("a link");
    let volumes = format!("{{name: v, hostPath: {{path: {}}}}}", volume.display());
    let mount = |sub: &str, path: &str| format!("{{name: v, mountPath: {path}, subPath: {sub}}}");
    let (printed, code) =
        run(&world, "file", "cat /only.txt; ls /", &mount("one.txt", "/only.txt"), &volumes);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.starts_with("one\n") && printed.contains("\nonly.txt\n"), "{printed}");
    let (printed, code) = run(&world, "new", "echo x > /part/x", &mount("a/b", "/part"), &volumes);
    assert_eq!((printed.as_str(), code), ("", 0));
    assert_eq!(fs::read_to_string(volume.join("a/b/x")).expect("a file"), "x\n");
    let (_, code) = run(&world, "within", "echo x > /part/x", &mount("within", "/part"), &volumes);
    assert_eq!(code, 0);
    assert!(volume.join("inner/x").is_file());
    for (name, sub) in [("climbs", "out"), ("absolute", "etc"), ("beyond", "etc/jobctl-test-new")] {
        let (printed, code) = run(&world, name, "cat /part", &mount(sub, "/part"), &volumes);
        assert_ne!(code, 0, "{name}: {printed}");
        let end = end_of(&world, name);
        assert!(end.starts_with("CreateContainerError: open subPath"), "{name}: {end}");
    }
    assert!(!fs::exists("/etc/jobctl-test-new").expect("look"));
}

#[test]
fn a_link_in_a_volume_does_not_let_a_mount_point_be_made_on_the_host() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let volume = world.path("work/volume");
    let host = world.path("work/host");
    fs::create_dir_all(&volume).expect("a directory");
    fs::create_dir_all(&host).expect("a directory");
    symlink(&host, volume.join("link")).expect("a link");
    let volumes =
        format!("{{name: v, hostPath: {{path: {}}}}}, {{name: e, emptyDir: {{}}}}", volume.display());
    let mounts = "{name: e, mountPath: /data/link/made}, {name: v, mountPath: /data}";
    let (printed, code) =
        run(&world, "nested", "echo x > /data/link/made/x; ls /data/link/made", mounts, &volumes);
    assert_eq!((printed.as_str(), code), ("x\n", 0), "{}", end_of(&world, "nested"));
    assert_eq!(fs::read_dir(&host).expect("a directory").count(), 0, "nothing of it on the host");
}

#[test]
fn the_root_and_the_kernels_own_file_systems_are_no_mount_points() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    for (name, path) in [("root", "/"), ("proc", "/proc"), ("within", "/proc/self"), ("sys", "/sys/fs")] {
        let (printed, code) =
            run(&world, name, "true", &format!("{{name: v, mountPath: {path}}}"), "{name: v, emptyDir: {}}");
        assert_ne!(code, 0, "{path}: {printed}");
        let end = end_of(&world, name);
        assert_eq!(end, format!("CreateContainerError: mount a volume at {path}: invalid argument"));
    }
}

#[test]
fn a_host_path_of_the_wrong_type_keeps_the_pod_waiting_until_it_is_right() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let path = world.path("work/late");
    let spec = format!(
        "containers:\n{}volumes: [{{name: v, hostPath: {{path: {}, type: Directory}}}}]\n",
        container("cat /late/file", "{name: v, mountPath: /late}"),
        path.display()
    );
    let _ = world.apply(&job_of_pod("late", &spec));
    let event = format!(
        "MountVolume.SetUp failed for volume \"v\" : hostPath type check failed: {} is not a directory",
        path.display()
    );
    let said = || world.value("events", "'{.items[?(@.reason==\"FailedMount\")].message}'");
    eventually(SOON, || said() == event);
    let pods = world.run("get pods --no-headers").success().stdout;
    assert!(pods.contains(" 0/1 ") && pods.contains(" ContainerCreating "), "{pods}");
    fs::create_dir(&path).expect("a directory");
    fs::write(path.join("file"), "here\n").expect("a file");
    world.wait_for_end("late");
    assert_eq!(world.run("logs job/late").success().stdout, "here\n");
}

#[test]
fn fields_of_the_pod_are_files_of_a_volume() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let volumes = "{name: v, projected: {defaultMode: 0400, sources: [{downwardAPI: {items: [\
         {path: labels, fieldRef: {fieldPath: 'metadata.labels'}}, {path: deep/name, mode: 0440, fieldRef: {fieldPath: metadata.name}}, \
         {path: cpu, resourceFieldRef: {containerName: main, resource: requests.cpu, divisor: 1m}}]}}]}}";
    let script =
        "cd /info; cat deep/name; echo; cat labels; echo; cat cpu; echo; stat -L -c %a labels deep/name";
    let spec =
        format!("containers:\n{}volumes: [{volumes}]\n", container(script, "{name: v, mountPath: /info}"))
            .replace("  volumeMounts", "  resources: {requests: {cpu: 250m}}\n  volumeMounts");
    let manifest = job_of_pod("fields", &spec)
        .replace("    spec:\n      rest", "    metadata: {labels: {color: \"a\"}}\n    spec:\n      rest");
    let path = world.manifest("job.yaml", manifest);
    let output = world.run(&format!("run -f {path}")).exits(0);
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let expected = format!("{pod}\nbatch.kubernetes.io/controller-uid=");
    assert!(output.stdout.starts_with(&expected), "{}", output.stdout);
    assert!(output.stdout.contains("\ncolor=\"a\"\n"), "{}", output.stdout);
    assert!(output.stdout.ends_with("\n250\n400\n440\n"), "{}", output.stdout);
}

#[test]
fn an_ordinary_user_has_volumes_at_any_path_too() {
    if !has_namespaces() || !is_root() {
        return;
    }
    let world = World::of_user(12_345);
    let volumes = "{name: v, emptyDir: {}}";
    let script = "id -u; echo x > /input/x; stat -c %u /input/x; touch /etc/jobctl-test-new 2>/dev/null || echo refused";
    let (printed, code) = run(&world, "mine", script, "{name: v, mountPath: /input}", volumes);
    assert_eq!((printed.as_str(), code), ("12345\n12345\nrefused\n", 0), "{}", end_of(&world, "mine"));
}

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red, 'game.conf': \"a=1\\nb=2\\n\"}\n\
    binaryData: {raw: AAH/}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: s3cret}\ndata: {user: YWRtaW4=}\n";

#[test]
fn config_maps_and_secrets_are_files_and_variables() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let _ = world.apply(CONFIG);
    let script = "cat /etc/config/color /etc/config/game.conf; wc -c < /etc/config/raw; cat /keys/name; ls /keys; stat -L -c %a /keys/name; \
         (echo x > /etc/config/color) 2>/dev/null || echo read-only; echo; echo $COLOR $USERNAME $PRE_user $PRE_token [$NONE]; cat /only.conf";
    let spec = format!(
        "containers:\n{}  env:\n  - {{name: COLOR, valueFrom: {{configMapKeyRef: {{name: settings, key: color}}}}}}\n  \
         - {{name: USERNAME, valueFrom: {{secretKeyRef: {{name: keys, key: user}}}}}}\n  \
         - {{name: NONE, valueFrom: {{configMapKeyRef: {{name: nope, key: x, optional: true}}}}}}\n  \
         envFrom: [{{prefix: PRE_, secretRef: {{name: keys}}}}, {{configMapRef: {{name: nope, optional: true}}}}]\n\
         volumes:\n- {{name: c, configMap: {{name: settings}}}}\n\
         - {{name: k, secret: {{secretName: keys, defaultMode: 0400, items: [{{key: user, path: name, mode: 0440}}]}}}}\n",
        container(
            script,
            "{name: c, mountPath: /etc/config}, {name: k, mountPath: /keys}, {name: c, mountPath: /only.conf, subPath: game.conf}"
        )
    );
    let manifest = world.manifest("job.yaml", job_of_pod("config", &spec));
    let output = world.run(&format!("run -f {manifest}")).exits(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(
        lines[..7],
        ["reda=1", "b=2", "3", "adminname", "440", "read-only", ""][..],
        "{}",
        output.stdout
    );
    assert_eq!(lines[7..], ["red admin admin s3cret []", "a=1", "b=2"][..], "{}", output.stdout);
}

#[test]
fn what_a_pod_lacks_is_said_and_when_it_comes_the_pod_starts() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let env = "  env: [{name: COLOR, valueFrom: {configMapKeyRef: {name: settings, key: color}}}]\n";
    let spec = format!("containers:\n{}{env}", container("echo $COLOR", ""));
    let _ = world.apply(&job_of_pod("variable", &spec));
    let spec = format!(
        "containers:\n{}volumes: [{{name: v, secret: {{secretName: keys}}}}]\n",
        container("cat /keys/token", "{name: v, mountPath: /keys}")
    );
    let _ = world.apply(&job_of_pod("volume", &spec));
    let spec = format!(
        "containers:\n{}volumes: [{{name: v, persistentVolumeClaim: {{claimName: data}}}}]\n",
        container("echo kept > /data/file; cat /data/*", "{name: v, mountPath: /data}")
    );
    let _ = world.apply(&job_of_pod("claim", &spec));
    let waiting = |name: &str| {
        let path = "'{.items[0].status.containerStatuses[0].state.waiting.reason}: {.items[0].status.containerStatuses[0].state.waiting.message}'";
        world.value(&format!("pods -l job-name={name}"), path)
    };
    eventually(SOON, || {
        waiting("variable") == "CreateContainerConfigError: configmap \"settings\" not found"
    });
    eventually(SOON, || waiting("volume") == "ContainerCreating: ");
    let said =
        |reason: &str| world.value("events", &format!("'{{.items[?(@.reason==\"{reason}\")].message}}'"));
    eventually(SOON, || {
        said("FailedMount") == "MountVolume.SetUp failed for volume \"v\" : secret \"keys\" not found"
    });
    assert_eq!(
        said("FailedScheduling"),
        "0/1 nodes are available: persistentvolumeclaim \"data\" not found. preemption: 0/1 nodes are available: 1 \
         Preemption is not helpful for scheduling."
    );
    let _ = world.apply(CONFIG);
    world.wait_for_end("variable");
    world.wait_for_end("volume");
    assert_eq!(world.run("logs job/variable").success().stdout, "red\n");
    assert_eq!(world.run("logs job/volume").success().stdout, "s3cret");
    let _ = world.apply(CLAIM);
    world.wait_for_end("claim");
    assert_eq!(world.run("logs job/claim").success().stdout, "kept\n");
}

const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  accessModes: [ReadWriteOnce]\n  \
    resources: {requests: {storage: 1Gi}}\n";

#[test]
fn a_claim_outlives_jobs_and_goes_with_its_own_deletion() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let _ = world.apply(CLAIM);
    let volumes = "{name: v, persistentVolumeClaim: {claimName: data}}";
    let mounts = "{name: v, mountPath: /data}";
    let (printed, code) = run(&world, "writes", "echo $(ls /data) ; echo one > /data/file", mounts, volumes);
    assert_eq!((printed.as_str(), code), ("\n", 0), "{}", end_of(&world, "writes"));
    let _ = world.run("delete job writes").success();
    let (printed, code) = run(&world, "reads", "cat /data/file", mounts, volumes);
    assert_eq!((printed.as_str(), code), ("one\n", 0));
    let directories = || fs::read_dir(world.store().join("volumes")).expect("a directory").count();
    assert_eq!(directories(), 1);
    let _ = world.run("delete pvc data").success();
    eventually(SOON, || directories() == 0);
    let _ = world.apply(CLAIM);
    let (printed, code) = run(&world, "anew", "ls /data", mounts, volumes);
    assert_eq!((printed.as_str(), code), ("", 0), "a claim made anew is empty");
}

#[test]
fn files_of_a_running_pod_follow_their_config_map() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let _ = world.apply(CONFIG);
    let script = "cat /config/color; echo; until grep -q blue /config/color; do sleep 0.01; done; ls /config; cat /fixed; echo";
    let spec = format!(
        "containers:\n{}volumes: [{{name: c, configMap: {{name: settings}}}}]\n",
        container(script, "{name: c, mountPath: /config}, {name: c, mountPath: /fixed, subPath: color}")
    );
    let _ = world.apply(&job_of_pod("follows", &spec));
    eventually(SOON, || world.run("logs job/follows").stdout == "red\n");
    let changed = CONFIG.replace("color: red, 'game.conf': \"a=1\\nb=2\\n\"", "color: blue, new: x");
    let _ = world.apply(&changed);
    world.wait_for_end("follows");
    let logs = world.run("logs job/follows").success().stdout;
    assert_eq!(logs, "red\ncolor\nnew\nraw\nred\n", "the part that is mounted alone stays");
}

#[test]
fn a_probe_sees_what_its_container_sees() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let probe = "  readinessProbe: {exec: {command: [test, -e, /only/here/ready]}, periodSeconds: 1}\n";
    let script = "touch /only/here/ready; until test -e go; do sleep 0.01; done";
    let spec = format!(
        "containers:\n{}{probe}volumes: [{{name: v, emptyDir: {{}}}}]\n",
        container(script, "{name: v, mountPath: /only/here}")
    );
    let _ = world.apply(&job_of_pod("probed", &spec));
    let ready = "{.items[0].status.containerStatuses[0].ready}";
    eventually(SOON, || world.value("pods", ready) == "true");
    world.manifest("go", "");
    world.wait_for_end("probed");
}

#[test]
fn apply_says_what_a_job_refers_to_and_is_not_there() {
    let world = World::new();
    let spec = format!(
        "containers:\n{}  envFrom: [{{secretRef: {{name: keys}}}}, {{secretRef: {{name: nope, optional: true}}}}]\n\
         volumes: [{{name: c, configMap: {{name: settings}}}}, {{name: d, persistentVolumeClaim: {{claimName: data}}}}]\n",
        container("true", "")
    );
    let manifest = job_of_pod("wants", &spec).replace("backoffLimit: 0", "backoffLimit: 0\n  suspend: true");
    // What comes later in the same file is there in time.
    let output = world.command("apply -f -").stdin(format!("{manifest}---\n{CLAIM}")).run().success();
    let at = "Warning: job.batch/wants: spec.template.spec";
    assert_eq!(
        output.stderr,
        format!(
            "{at}.volumes[0].configMap.name: configmap \"settings\" is not there yet: pods wait for it\n\
             {at}.containers[0].envFrom[0].secretRef.name: secret \"keys\" is not there yet: pods wait for it\n"
        )
    );
    let _ = world.apply(CONFIG);
    let output = world.command("replace --force -f -").stdin(manifest).run().success();
    assert_eq!(output.stderr, "");
}

#[test]
fn a_volume_in_memory_is_shared_bounded_outlives_a_restart_and_is_never_seen_on_the_host() {
    if !has_namespaces() {
        return;
    }
    share_a_volume_in_memory(&World::new());
    if is_root() {
        share_a_volume_in_memory(&World::of_user(1001));
    }
}

fn share_a_volume_in_memory(world: &World) {
    let mount = "volumeMounts: [{name: fast, mountPath: /input/fast}]";
    let script = "cd /input/fast; stat -f -c %T .; stat -c %a .; cat init; \
         head -c 2000000 /dev/zero > big 2>/dev/null; test $(stat -c %s big) -le 1048576 && echo bounded; rm big; \
         if mkdir once 2>/dev/null; then until test -e side -a -e $OLDPWD/go; do sleep 0.01; done; exit 1; fi; cat side; touch done";
    // Before that the volume may be full.
    let side = "cd /input/fast; until test -d once; do sleep 0.01; done; echo from side > side; \
         until test -e done; do sleep 0.01; done";
    let spec = format!(
        "initContainers: [{{name: first, image: i, command: [sh, -c, 'echo from init > /input/fast/init'], {mount}}}]\n\
         containers:\n- {{name: main, image: i, command: [sh, -c, {script:?}], {mount}}}\n\
         - {{name: side, image: i, command: [sh, -c, {side:?}], {mount}}}\n\
         volumes: [{{name: fast, emptyDir: {{medium: Memory, sizeLimit: 1Mi}}}}]\n"
    );
    let manifest = job_of_pod("fast", &spec)
        .replace("{name: fast}\nspec", "{name: fast, annotations: {jobctl.local/backoff-base: 10ms}}\nspec")
        .replace("restartPolicy: Never", "restartPolicy: OnFailure")
        .replace("backoffLimit: 0", "backoffLimit: 2");
    assert_eq!(world.apply(&manifest).stderr, "", "nothing is without effect");
    let first = "tmpfs\n777\nfrom init\nbounded\n";
    eventually(SOON, || world.run("logs job/fast -c main").stdout == first);
    let uid = world.value("pods", "{.items[0].metadata.uid}");
    let on_host = world.store().join("pods").join(uid).join("volumes/fast");
    assert_eq!(fs::read_dir(on_host).expect("a mount point").count(), 0, "all of it lies elsewhere");
    world.manifest("go", "");
    world.wait_for_end("fast");
    assert_eq!(world.tally("fast"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(world.run("logs job/fast -c main --previous").success().stdout, first);
    assert_eq!(world.run("logs job/fast -c main").success().stdout, format!("{first}from side\n"));
}

#[test]
fn a_pod_whose_volume_holds_more_than_it_may_is_evicted() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let spec = "containers:\n".to_owned()
        + &container(
            "trap 'exit 0' TERM; head -c 3000000 /dev/urandom > /data/big; while :; do sleep 0.01; done",
            "{name: v, mountPath: /data}",
        )
        + "volumes: [{name: v, emptyDir: {sizeLimit: 1Mi}}]\n";
    let _ = world.apply(&job_of_pod("greedy", &spec));
    world.wait_for_end("greedy");
    let message = "Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". ";
    let status = "'{.items[0].status.phase} {.items[0].status.reason}: {.items[0].status.message}'";
    assert_eq!(world.value("pods", status), format!("Failed Evicted: {message}"));
    let event = "'{.items[?(@.reason==\"Evicted\")].type} {.items[?(@.reason==\"Evicted\")].message}'";
    assert_eq!(world.value("events", event), format!("Warning {message}"));
    let described = world.run("describe pods").success().stdout;
    assert!(
        described.lines().any(|line| line.starts_with("Reason:") && line.ends_with(" Evicted")),
        "{described}"
    );
    // One that stays within its limit goes on.
    let spec =
        spec.replace("3000000", "3000").replace("while :; do sleep 0.01; done", "sleep 2.5; echo ended");
    assert_eq!(world.run_to_end("modest", &job_of_pod("modest", &spec)), ("ended\n".into(), 0));
}

#[test]
fn a_working_directory_that_is_missing_is_there_for_its_container_alone() {
    if !has_namespaces() {
        return;
    }
    make_a_working_directory(&World::new());
    if is_root() {
        make_a_working_directory(&World::of_user(1001));
    }
}

fn make_a_working_directory(world: &World) {
    for (name, directory) in [("deep", "/no/such/directory"), ("beside", "/etc/jobctl-no-such-directory")] {
        let script = "pwd; ls -A; echo kept > x; touch ../y 2>/dev/null || echo sealed; until test -e probed; do sleep 0.01; done; cat x";
        let spec = format!(
            "containers:\n- name: main\n  image: i\n  workingDir: {directory}\n  command: [sh, -c, {script:?}]\n  \
             readinessProbe: {{exec: {{command: [sh, -c, 'test -e x && touch probed']}}, periodSeconds: 1}}\n"
        );
        let (said, code) = world.run_to_end(name, &job_of_pod(name, &spec));
        assert_eq!((said.as_str(), code), (format!("{directory}\nsealed\nkept\n").as_str(), 0));
        assert!(!fs::exists(directory).expect("look"), "never on the host");
        let uid = world.value(&format!("pods -l job-name={name}"), "{.items[0].metadata.uid}");
        eventually(SOON, || !world.store().join("pods").join(&uid).join("volumes").exists());
    }
    // One below the directory where the object was created has to be there: nothing runs beside what was meant.
    let spec = "containers: [{name: main, image: i, workingDir: typo, command: [pwd]}]\n";
    let _ = world.apply(&job_of_pod("typo", spec));
    world.wait_for_end("typo");
    assert!(
        end_of(world, "typo").ends_with(") failed: no such file or directory"),
        "{}",
        end_of(world, "typo")
    );
}
