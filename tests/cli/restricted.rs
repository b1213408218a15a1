//! Machines that refuse something, and what pods leave on any machine: nothing outside of their volumes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::common::{World, is_root, job_of_pod};
use crate::volumes::has_namespaces;

/// A Job whose pod writes to a volume at a path that no machine has.
fn with_volume(name: &str) -> String {
    job_of_pod(
        name,
        "volumes: [{name: v, emptyDir: {}}]\ncontainers:\n- name: main\n  image: i\n  \
         command: [sh, -c, 'echo hi > /jobctl-test-data/x; cat /jobctl-test-data/x; id -u']\n  \
         volumeMounts: [{name: v, mountPath: /jobctl-test-data}]",
    )
}

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: None, selector: {a: b}}\n";

/// Runs a script of jobctl's commands, `$J` for each, on a machine as `setup` makes it. What was printed.
fn on_a_machine(world: &World, setup: &str, script: &str) -> String {
    let binary = env!("CARGO_BIN_EXE_jobctl");
    let path = world.path("work/script.sh");
    fs::write(&path, format!("J={binary}\n{script}\n")).expect("a script");
    let output = world.command("").shell(&format!("{setup} bash {} 2>&1", path.display()));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A user namespace in which no other can be made, nor anything mounted: as where a system forbids them.
const WITHOUT_NAMESPACES: &str = "exec unshare --user --map-root-user bash -c 'echo 0 > /proc/sys/user/max_user_namespaces; \
     exec setpriv --bounding-set=-all --inh-caps=-all \"$@\"' setup";

#[test]
fn where_namespaces_are_refused_nothing_is_written_elsewhere_and_the_cure_is_told() {
    if !has_namespaces() {
        return;
    }
    let world = World::new();
    let (volume, plain) = (
        world.manifest("volume.yaml", with_volume("volume")),
        world.manifest("plain.yaml", {
            let plain = job_of_pod("plain", "containers:\n- {name: main, image: i, command: [echo, plain]}");
            format!("{SERVICE}---\n{plain}")
        }),
    );
    let script = format!(
        "$J run -f {volume}; echo code $?; $J apply -f {plain}; $J wait --for=condition=complete job/plain --timeout=20s; \
         $J logs job/plain; $J get pods -l job-name=volume --no-headers"
    );
    let said = on_a_machine(&world, WITHOUT_NAMESPACES, &script);
    assert!(said.contains("code 128\n"), "{said}");
    assert!(said.contains("CreateContainerError"), "{said}");
    assert!(said.contains("`sudo sysctl user.max_user_namespaces=15000`"), "{said}");
    // A pod that would only miss the names of Services runs without them.
    assert!(said.contains("job.batch/plain condition met\nplain\n"), "{said}");
    assert!(!Path::new("/jobctl-test-data").exists());
    world.assert_no_processes_left();
}

/// As in a container: parts of /proc lie under something else, and cannot be uncovered.
const MASKED: &str = "exec unshare --mount bash -c 'mount -t tmpfs masked /proc/irq && mount --bind /dev/null /proc/timer_list && \
     mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec setpriv --reuid 12345 --regid 12345 \
     --clear-groups \"$@\"' setup";

#[test]
fn with_a_masked_proc_an_ordinary_user_has_volumes_at_any_path() {
    if !is_root() || !has_namespaces() {
        println!("skipped: not root, or no namespaces");
        return;
    }
    // The setup needs root; what it runs is the user.
    let world = World::of_user(12_345);
    let manifest = world.manifest("volume.yaml", with_volume("volume"));
    let as_root = World::new();
    let script = format!(
        "export HOME={0}/home XDG_DATA_HOME={0}/data XDG_CONFIG_HOME={0}/config; cd {0}/work; ls /proc/irq | wc -l; \
         $J run -f {manifest}; echo code $?",
        world.path("").display().to_string().trim_end_matches('/')
    );
    let path = as_root.path("work");
    fs::set_permissions(as_root.path(""), std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("open");
    let said = on_a_machine(&as_root, MASKED, &script);
    assert!(said.starts_with("0\n"), "it is masked: {said}");
    assert!(said.contains("hi\n12345\n") && said.contains("code 0\n"), "{said}");
    world.assert_no_processes_left();
}

/// Everything below some directories of the machine, with what changes when it is written to.
fn tree(world: &World) -> BTreeMap<PathBuf, (u32, u64, i64)> {
    let mut found = BTreeMap::new();
    let parts = [
        ("/", 1),
        ("/etc", 9),
        ("/opt", 3),
        ("/srv", 9),
        ("/mnt", 3),
        ("/media", 3),
        ("/usr/share", 1),
        ("/var/lib", 1),
    ];
    let mut left: Vec<(PathBuf, u32)> =
        parts.iter().map(|(path, depth)| (PathBuf::from(path), *depth)).collect();
    left.extend([(world.path("work"), 9), (world.path("home"), 9), (world.path("config"), 9)]);
    while let Some((directory, depth)) = left.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.path().symlink_metadata() else { continue };
            let is_directory = metadata.is_dir();
            // Others may change what directories hold; ours would add to it.
            let change = if is_directory { (0, 0) } else { (metadata.len(), metadata.mtime()) };
            found.insert(entry.path(), (metadata.mode(), change.0, change.1));
            if is_directory && depth > 1 {
                left.push((entry.path(), depth - 1));
            }
        }
    }
    found
}

#[test]
fn pods_leave_nothing_on_the_machine_outside_of_their_volumes() {
    if !has_namespaces() {
        return;
    }
    for world in [World::new(), World::of_user(12_345)].into_iter().take(if is_root() { 2 } else { 1 }) {
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {key: value}\n";
        let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: k}\nspec: {accessModes: [ReadWriteOnce], \
            resources: {requests: {storage: 1Mi}}}\n";
        let _ = world.apply(&format!("{config}---\n{claim}---\n{SERVICE}"));
        let before = tree(&world);
        let places = [
            "/jobctl-test/deep/down",
            "/etc/jobctl-test",
            "/opt/jobctl-test/x",
            "/srv/jobctl-test",
            "/usr/share/jobctl-test",
        ];
        let mounts: Vec<String> =
            places.iter().map(|path| format!("{{name: v, mountPath: {path}, subPath: s}}")).collect();
        let script = places.iter().map(|path| format!("echo x > {path}/file; ")).collect::<String>();
        let pod = format!(
            "hostname: other\nsubdomain: s\nhostAliases: [{{ip: 127.0.0.9, hostnames: [alias.test]}}]\n\
             volumes: [{{name: v, emptyDir: {{}}}}, {{name: c, configMap: {{name: c}}}}, {{name: k, persistentVolumeClaim: {{claimName: k}}}}]\n\
             containers:\n- name: main\n  image: i\n  workingDir: /jobctl-test-work\n  \
             command: [sh, -c, '{script} echo y > here; echo z > /claim/z; getent hosts alias.test >/dev/null && cat /conf/key; \
             echo ended > /dev/termination-log']\n  \
             volumeMounts: [{}, {{name: c, mountPath: /conf}}, {{name: k, mountPath: /claim}}]",
            mounts.join(", ")
        );
        let manifest = world.manifest("leaves.yaml", job_of_pod("leaves", &pod));
        let output = world.run(&format!("run -f {manifest}"));
        assert_eq!((output.stdout.as_str(), output.code), ("value", 0), "{}", output.stderr);
        fs::remove_file(world.path("work/leaves.yaml")).expect("our own");
        assert_eq!(tree(&world), before);
        let _ = world.run("delete job,configmap,pvc,service --all").success();
        world.assert_no_processes_left();
    }
}
