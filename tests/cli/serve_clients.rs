//! `serve`, as clients in other languages see it. Where one is not installed, that is said, and nothing is tested.
//! The scripts are in `tests/clients`; `.ci/run` puts what they need into `target/clients`.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::api_client::Server;
use crate::common::{PATH, Process, SOON, World, eventually};

/// A Python that has all these packages, by its path.
fn python(packages: &str) -> Option<PathBuf> {
    let import = format!("import {packages}");
    let found = programs("python3").into_iter().find(|file| {
        let tried = Command::new(file).args(["-c", &import]).env("PYTHONPATH", installed("python")).output();
        tried.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: there is no Python here with {packages}");
    }
    found
}

/// All programs of a name.
fn programs(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).filter(|file| file.is_file()).collect()
}

/// A program, by its path.
fn program(name: &str) -> Option<PathBuf> {
    let found = programs(name).into_iter().next();
    if found.is_none() {
        eprintln!("skipped: there is no {name} here");
    }
    found
}

/// Where `.ci/run` puts what a language's own installer brings.
fn installed(what: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients").join(what)
}

/// Runs a client with a server of its own; what it prints must be that.
#[track_caller]
fn assert_prints(mut command: Command, expected: &str) {
    let done = command.output().expect("start jobctl");
    let stderr = String::from_utf8_lossy(&done.stderr);
    assert_eq!(String::from_utf8_lossy(&done.stdout), expected, "{stderr}");
    assert_eq!(done.status.code(), Some(0), "{stderr}");
}

/// A script for Python with a server of its own.
fn serve_python(world: &World, python: &Path, script: &str) -> Command {
    let script = world.manifest("client.py", script);
    world.manifest("shouting.py", include_str!("../clients/shouting.py"));
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let mut command = world.command("serve --").build();
    command
        .arg(python)
        .args([script.into(), world.path("home")])
        .env("PYTHONPATH", installed("python"))
        .env("WHO", user.expect("a name").name);
    command
}

#[test]
fn the_python_client_does_a_whole_life() {
    let Some(python) = python("kubernetes") else { return };
    let world = World::new();
    let script = include_str!("../clients/kubernetes_life.py");
    let expected = "version 1
created a 1
again 409 Conflict
exec 'out\\n'
shell 'hi\\n' 'no\\n' 3
port b'HELLO' None
log one
log ['two']
complete 1 True
dynamic ['a']
patched 1
replaced 2
events ['Completed', 'SuccessfulCreate']
gone 404 Not Found
";
    assert_prints(serve_python(&world, &python, script), expected);
}

#[test]
fn kr8s_does_a_whole_life() {
    let Some(python) = python("kr8s") else { return };
    let world = World::new();
    let script = include_str!("../clients/kr8s_life.py");
    let expected = r"version 1
created a 1
again 409 AlreadyExists
wrong 422 Invalid
pod True True
exec b'out\n' b'err\n' 3
port b'HELLO'
log one
log ['two']
complete 1 True
tail ['two'] 2
labelled 2 1
labels ['of']
suspend True
list ['a']
fields ['a']
named a True
resources True
table ['Name', 'Status'] ['a', 'Complete']
yaml ['a']
events ['Completed', 'SuccessfulCreate']
exists False
gone True
gone True
";
    assert_prints(serve_python(&world, &python, script), expected);
}

#[test]
fn lightkube_does_a_whole_life() {
    let Some(python) = python("lightkube") else { return };
    let world = World::new();
    let script = include_str!("../clients/lightkube_life.py");
    let expected = r"dry 1
created a 1
again 409 AlreadyExists
wrong 422 Invalid spec.template.spec.containers
list True
exec ExecResponse(stdout='out\n', stderr='err\n', exit_code=3)
stdin ExecResponse(stdout='input', stderr=None, exit_code=0)
log 'one\n'
log ['two\n']
complete 1 True
tail ['two']
status 1
patched None 1
replaced 4 3
conflict 409 Conflict
applied {'k': 'v'} lightkube
conflict 409 Conflict
forced {'k': 'other'}
failed ['Job has reached the specified backoff limit']
events ['Completed', 'SuccessfulCreate']
pages ['a', 'f']
deleted a
gone 404 NotFound
left []
";
    assert_prints(serve_python(&world, &python, script), expected);
}

#[test]
fn client_node_does_a_whole_life() {
    let Some(node) = program("node") else { return };
    let modules = installed("node/node_modules");
    if !modules.join("@kubernetes/client-node").is_dir() {
        eprintln!("skipped: @kubernetes/client-node is not in {}", modules.display());
        return;
    }
    let world = World::new();
    let script = world.manifest("client.mjs", include_str!("../clients/client_node_life.mjs"));
    symlink(modules, world.path("work/node_modules")).expect("link");
    let mut command = world.command("serve --").build();
    command.arg(node).args([script.into(), world.path("home")]);
    let expected = r#"version 1
created a 1
again 409 AlreadyExists
wrong 422 Invalid
list 1 true
exec [ 'out\n', 'err\n', 'Failure', '3' ]
stdin [ 'input', '', 'Success', undefined ]
log "one\n"
log "one\ntwo\n"
tail "two\n"
complete 1
patched 1
patched 2
patched 3
conflict 409 Conflict
replaced 1
applied v node
objects [ 'a' ]
events [ 'Completed', 'SuccessfulCreate' ]
metrics 1
[ 'add a' ] delete a
gone 404 NotFound
"#;
    assert_prints(command, expected);
}

#[test]
fn kube_rs_does_a_whole_life() {
    let program = installed("kube/debug/kube_life");
    if !program.is_file() {
        eprintln!("skipped: {} is not built; tests/clients/kube_life/Cargo.toml says how", program.display());
        return;
    }
    let world = World::new();
    let mut command = world.command("serve --").build();
    command.arg(program).arg(world.path("home"));
    let expected = r#"version 1
discovery plain Some("jobs")
discovery aggregated Some("jobs")
dry a
created a Some(1)
again 409 AlreadyExists
wrong 422 Invalid
list 1
metadata true
exec "out\n" "err\n" Failure
stdin "input" "" Success
log Some("one")
log ["two"]
complete Some(1)
tail "two\n"
patched 1
patched 2
replaced 3
conflict 409 Conflict
applied {"k": "v"}
conflict 409 Conflict
forced {"k": "w"}
completed true
pages ["a", "e"]
gone 404 NotFound
deleted a
left 0
"#;
    assert_prints(command, expected);
}

#[test]
fn kubetail_follows_all_pods_of_a_job() {
    let (Some(kubetail), Some(_)) = (program("kubetail"), program("kubectl")) else { return };
    let world = World::new();
    let _server = Server::start(&world);
    let _ = world.apply(
        "apiVersion: batch/v1
kind: Job
metadata: {name: a}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: busybox
        command: [sh, -c, 'echo one $JOB_COMPLETION_INDEX; while [ ! -e go ]; do sleep 0.02; done; echo two']
",
    );
    world.wait_for_value("job/a", "{.status.ready}", "2");
    // Older releases do not expect what bash 5.2 makes of `&`. At its end it kills its group of processes.
    let mut tail = Command::new("bash")
        .args(["-c", "shopt -u patsub_replacement 2>/dev/null; . \"$0\""])
        .arg(kubetail)
        .args(["-l", "job-name=a", "-k", "false", "--since", "1h"])
        .env("KUBECONFIG", world.path("kubeconfig"))
        .env("HOME", world.path("home"))
        .current_dir(world.path("work"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("start kubetail");
    // What it has to tell stays with it until the logs end, where it does not talk with a terminal.
    let is_following = |process: &Process| process.arguments.starts_with("kubectl logs");
    eventually(SOON, || world.processes().iter().filter(|one| is_following(one)).count() == 2);
    let _ = world.manifest("go", "");
    let lines = BufReader::new(tail.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    let told: Vec<String> = lines.filter(|line| line.contains("[a-")).take(4).collect();
    for wanted in ["[a-0-#] one 0", "[a-0-#] two", "[a-1-#] one 1", "[a-1-#] two"] {
        let (pod, text) = wanted.split_once('#').expect("a pod and a text");
        assert!(told.iter().any(|line| line.contains(pod) && line.contains(text)), "{wanted}: {told:?}");
    }
    killpg(Pid::from_raw(tail.id() as i32), Signal::SIGTERM).expect("end kubetail");
    let _ = tail.wait().expect("wait");
}

/// A workflow of three jobs, of which the last needs what the others make.
const SNAKEFILE: &str = r#"
rule all:
    input: "all.txt"
rule part:
    output: "part{n}.txt"
    shell: "echo part {wildcards.n} > {output}"
rule join:
    input: expand("part{n}.txt", n=[1, 2])
    output: "all.txt"
    shell: "cat {input} > {output}"
"#;

#[test]
fn snakemake_runs_a_workflow_by_its_kubernetes_executor() {
    let packages = "snakemake, snakemake_executor_plugin_kubernetes, snakemake_storage_plugin_fs";
    let (Some(python), Some(_)) = (python(packages), program("rsync")) else { return };
    let world = World::new();
    let _ = world.manifest("Snakefile", SNAKEFILE);
    // What its pods find in the image elsewhere: the same Python, and nothing left to be installed.
    let call = format!("#!/bin/sh\nexec {} \"$@\"\n", python.display());
    for (name, script) in [("python", call.as_str()), ("pip", "#!/bin/sh\nexit 0\n")] {
        let _ = world.manifest(&format!("bin/{name}"), script);
        let path = world.path("work/bin").join(name);
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).expect("make a program");
    }
    let mut command = world.command("serve --").build();
    command
        .arg(python)
        .args(["-m", "snakemake", "--executor=kubernetes", "--jobs=2", "--container-image=here"])
        .args(["--seconds-between-status-checks=1", "--default-storage-provider=fs"])
        .arg(format!("--default-storage-prefix={}", world.path("store").display()))
        .env("PATH", format!("{}:{PATH}", world.path("work/bin").display()));
    let done = command.output().expect("start jobctl");
    let told = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{told}");
    let joined = std::fs::read_to_string(world.path("store/all.txt"));
    assert_eq!(joined.expect("what the workflow makes"), "part 1\npart 2\n", "{told}");
    assert_eq!(told.matches("succeeded.").count(), 3, "{told}");
    // It clears away what it has made.
    for kind in ["jobs", "pods", "secrets"] {
        assert_eq!(world.run(&format!("get {kind} -o name")).success().stdout, "", "{kind}");
    }
}
