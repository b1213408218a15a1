//! `cp`: files into containers and out of them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::common::{World, is_root, job};

/// A volume that is seen in one of two containers.
const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: two}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  volumes: [{name: data, emptyDir: {}}]
  containers:
  - {name: a, command: [sleep, '1000'], workingDir: /its/place, volumeMounts: [{name: data, mountPath: /its}]}
  - {name: b, command: [sleep, '1000']}
";

fn with_pod(pod: &str) -> World {
    with_pod_in(World::new(), pod)
}

fn with_pod_in(world: World, pod: &str) -> World {
    let _ = world.apply(pod);
    world.wait_for_value("pod/two", "{.status.phase}", "Running");
    world
}

fn make(world: &World, path: &str, text: &str) {
    let _ = world.manifest(path, text);
}

fn read(world: &World, path: &str) -> String {
    fs::read_to_string(world.path("work").join(path)).unwrap_or_else(|error| format!("{path}: {error}"))
}

/// The mask of this process, which the commands inherit.
fn own_mask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").expect("a status");
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:")).expect("a mask");
    u32::from_str_radix(mask.trim(), 8).expect("a number")
}

#[test]
fn files_and_directories_go_in_and_come_out() {
    let world = with_pod(POD);
    make(&world, "one", "first");
    fs::set_permissions(world.path("work/one"), fs::Permissions::from_mode(0o751)).expect("set");
    world.run("cp one two:/its/named -c a").prints("");
    world.run("exec two -c a -- sh -c 'cat /its/named; stat -c %a /its/named'").prints("first751\n");
    // Into a directory under its own name, and beneath the working directory.
    world.run("cp one two:/its -c a").prints("");
    world.run("cp ./one two:here -c a").prints("");
    world.run("exec two -c a -- sh -c 'cat /its/one /its/place/here'").prints("firstfirst");
    // What is there is replaced.
    make(&world, "one", "2");
    world.run("cp one two:/its -c a").prints("");
    world.run("exec two -c a -- cat /its/one").prints("2");
    make(&world, "tree/deep/er/x", "x");
    make(&world, "tree/y z", "y");
    fs::create_dir(world.path("work/tree/empty")).expect("made");
    std::os::unix::fs::symlink("y z", world.path("work/tree/link")).expect("linked");
    world.run("cp tree two:/its/copy -c a").prints("");
    world.run("cp tree default/two:/its/copy -c a").prints("");
    let find = "exec two -c a -- sh -c 'cd /its/copy && find . | sort && readlink link'";
    let of = |root: &str| {
        ["", "/deep", "/deep/er", "/deep/er/x", "/empty", "/link", "/y z"]
            .map(|path| format!("{root}{path}\n"))
            .concat()
    };
    let mut both: Vec<String> = format!("{}{}", of("."), of("./tree")).lines().map(str::to_owned).collect();
    both.sort();
    let found = world.run(find).success().stdout;
    assert_eq!(found, format!("{}\ny z\n", both.join("\n")));
    // Out again: what a link leads to is not brought along.
    let come = world.run("cp two:/its/copy/tree back/again -c a").success();
    let dots = "WORK";
    assert_eq!(
        come.normal_stderr().replace(dots, ""),
        "warning: skipping symlink: \"back/again/link\" -> \"y z\" (consider using \"jobctl exec -n \"default\" \"two\" -- tar \
         cf - \"/its/copy/tree\" | tar xf -\")\n"
    );
    assert_eq!(
        (read(&world, "back/again/deep/er/x"), read(&world, "back/again/y z")),
        ("x".into(), "y".into())
    );
    assert!(world.path("work/back/again/empty").is_dir() && !world.path("work/back/again/link").exists());
    world.run("cp two:/its/named out -c a").prints("");
    assert_eq!(read(&world, "out"), "first");
    let mode = fs::metadata(world.path("work/out")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o666 & !own_mask(), "as any new file of the user's");
    world.run("cp two:../one out -c a").prints("");
    assert_eq!(read(&world, "out"), "2");
    // The other container has no such place.
    world.run("cp two:/its/named out -c b").fails_with("error: stat /its/named: no such file or directory\n");
    assert_eq!(read(&world, "out"), "2", "nothing is changed");
    let _ = world.run("delete pod two").success();
}

#[test]
fn what_cannot_be_copied_is_refused_in_kubectls_words() {
    let world = with_pod(POD);
    let _ = world.apply(&job("done", "", "true"));
    world.wait_for_end("done");
    let ended = world.value("pods -l job-name=done", "{.items[0].metadata.name}");
    make(&world, "one", "x");
    fs::create_dir(world.path("work/dir")).expect("made");
    let (both, spec) =
        ("error: source and destination are required\n", "filespec must match the canonical format");
    for (line, error) in [
        ("cp", both.to_owned()),
        ("cp a", both.to_owned()),
        ("cp a b c", both.to_owned()),
        ("cp one two", "error: one of src or dest must be a remote file specification\n".into()),
        ("cp two:a two:b", "error: one of src or dest must be a local file specification\n".into()),
        ("cp two: b", "error: filepath can not be empty\n".into()),
        ("cp one two:", "error: filepath can not be empty\n".into()),
        ("cp :x one", format!("error: {spec}: [[namespace/]pod:]file/path\n")),
        ("cp one a/b/c:x", format!("error: {spec}: [[namespace/]pod:]file/path\n")),
        ("cp nosuch two:/tmp", "error: nosuch doesn't exist in local filesystem\n".into()),
        ("cp one nosuch:/tmp", "Error from server (NotFound): pods \"nosuch\" not found\n".into()),
        ("cp one other/two:/tmp", "Error from server (NotFound): pods \"two\" not found\n".into()),
        (
            "cp one two:/x -c nosuch",
            "Error from server (BadRequest): container nosuch is not valid for pod two\n".into(),
        ),
        (
            &format!("cp {ended}:/x y"),
            "error: cannot exec into a container in a completed pod; current phase is Succeeded\n".into(),
        ),
        ("cp two:/its/nosuch y -c a", "error: stat /its/nosuch: no such file or directory\n".into()),
        (
            "cp two:/its/nosuch y -c a --retries=3",
            "error: stat /its/nosuch: no such file or directory\n".into(),
        ),
        ("cp one two:/its/nosuch/x -c a", "error: stat /its/nosuch: no such file or directory\n".into()),
        ("cp two:/etc/hostname dir -c a", "error: open dir: is a directory\n".into()),
        ("cp two:/proc/self/mem/x y -c a", "error: stat /proc/self/mem/x: not a directory\n".into()),
    ] {
        world.run(line).fails_with(&error);
    }
    world.run("cp one two:/its/x").is(0, "", "Defaulted container \"a\" out of: a, b\n");
    assert!(!world.path("work/y").exists());
    let _ = world.run("delete pod two").success();
}

#[test]
fn a_large_file_comes_back_whole_and_names_may_be_odd() {
    let world = with_pod(POD);
    let bytes: Vec<u8> = (0..9_000_001_u32).map(|number| (number % 253) as u8).collect();
    fs::write(world.path("work/ -x\n$'\"é"), &bytes).expect("written");
    let words = |from: &str, to: &str| {
        ["cp", "-c", "a", "--", from, to].iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()
    };
    let name = " -x\n$'\"é";
    world.command_of(words(name, &format!("two:/its/{name}"))).run().prints("");
    world.command_of(words(&format!("two:/its/{name}"), "back")).run().prints("");
    assert!(fs::read(world.path("work/back")).expect("a file") == bytes);
    let _ = world.run("delete pod two").success();
}

#[test]
fn it_is_the_containers_user_who_reads_and_writes() {
    let user = POD.replace(
        "  volumes:",
        "  securityContext: {runAsUser: 1234, runAsGroup: 1234, fsGroup: 1234}\n  volumes:",
    );
    let world = if is_root() { World::of_user(65534) } else { World::new() };
    let world = with_pod_in(world, &user);
    make(&world, "one", "x");
    world.run("cp one two:/its/x -c a").prints("");
    fs::set_permissions(world.path("work/one"), fs::Permissions::from_mode(0o755)).expect("set");
    world.run("cp one two:/its/program -c a").prints("");
    world.run("exec two -c a -- stat -c %u:%a /its/program").prints("1234:755\n");
    world.run("cp two:/its/x back -c a").prints("");
    world.run("cp one two:/proc/x -c a").fails_with("error: open /proc/x: no such file or directory\n");
    let _ = world.run("delete pod two").success();
    if is_root() {
        let world = with_pod(&user);
        make(&world, "one", "x");
        world.run("cp one two:/its/x -c a").prints("");
        world.run("exec two -c a -- stat -c %u /its/x").prints("1234\n");
        world.run("cp one two:/etc/x -c a").fails_with("error: open /etc/x: permission denied\n");
        make(&world, "secret", "x");
        fs::set_permissions(world.path("work/secret"), fs::Permissions::from_mode(0o600)).expect("set");
        let secret = world.path("work/secret").display().to_string();
        let refused = world.run(&format!("cp two:{secret} back -c a")).failure();
        assert!(refused.stderr.contains("permission denied"), "{}", refused.stderr);
        let _ = world.run("delete pod two").success();
        // Owners go with what root copies.
        let world = with_pod(POD);
        make(&world, "one", "x");
        std::os::unix::fs::chown(world.path("work/one"), Some(4321), Some(4322)).expect("given away");
        world.run("cp one two:/its/kept -c a").prints("");
        world.run("cp one two:/its/own -c a --no-preserve").prints("");
        world.run("exec two -c a -- stat -c %u:%g /its/kept /its/own").prints("4321:4322\n0:0\n");
        let _ = world.run("delete pod two").success();
    }
}
