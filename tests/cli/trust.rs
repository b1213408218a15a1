//! What the store and the engine are trusted for, where trials broke it: hostile names and values, power cuts, rubbish in the
//! data directory, disks that can only be read.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use crate::common::{SOON, World, eventually, is_root, job, kill};
use crate::doctor::{commits, journal};

/// What lies directly in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn reading_makes_no_store() {
    let world = World::new();
    let readers = [
        "get jobs",
        "get all -A",
        "get nodes",
        "describe nodes",
        "describe jobs",
        "events",
        "logs job/x",
        "wait --for=condition=complete job/x --timeout=1s",
        "delete job x",
        "delete jobs --all",
        "scale --replicas=2 job/x",
        "suspend job/x",
        "reconcile",
        "next",
        "apply --dry-run=server -f job.yaml",
        "create job x --image=x --dry-run=server -- true",
    ];
    world.manifest("job.yaml", job("one", "", "true"));
    for line in readers {
        let _ = world.run(line);
        assert!(!world.store().exists(), "{line} made a store");
    }
    // An ordinary directory, as `--data-dir .` names it.
    let before = names(&world.path("work"));
    for line in readers {
        let _ = world.run(&format!("--data-dir . {line}"));
        assert_eq!(names(&world.path("work")), before, "{line} planted something");
    }
    for line in ["create job x --image=x -- true", "apply -f job.yaml", "cordon node1", "watch --until-idle"]
    {
        let refused = world.run(&format!("--data-dir . {line}")).failure();
        let reason = "holds other things and no store (for instance \"job.yaml\"); choose an empty directory with --data-dir\n";
        assert!(refused.stderr.ends_with(reason), "{line}: {}", refused.stderr);
        assert_eq!(names(&world.path("work")), before, "{line}");
    }
    fs::create_dir(world.path("work/empty")).expect("a directory");
    world.run("--data-dir empty create job x --image=x -- true").prints("job.batch/x created\n");
    let _ = world.run("--data-dir empty wait --for=condition=complete job/x --timeout=60s").success();
}

#[test]
fn a_node_is_shown_though_nothing_is_stored() {
    let world = World::new();
    let shown = world.run("get nodes --no-headers").success();
    assert!(shown.stdout.starts_with("node1   Ready "), "{}", shown.stdout);
    assert!(!world.store().exists());
}

#[test]
fn whoever_waits_before_there_is_a_store_hears_of_the_first_object() {
    let world = World::new();
    let mut waits = world.command("wait --for=create job/one --timeout=60s").spawn();
    // Until it waits: it has nothing to read and nothing to say before.
    eventually(SOON, || {
        fs::read_to_string(format!("/proc/{}/wchan", waits.id()))
            .is_ok_and(|wchan| wchan.contains("nanosleep"))
            || waits.try_wait().expect("wait").is_some()
    });
    assert!(!world.store().exists());
    let _ = world.apply(&job("one", "", "true"));
    assert!(waits.wait().expect("an end").success());
    world.wait_for_end("one");
}

#[test]
fn keys_and_values_may_be_the_stores_own_words() {
    let world = World::new();
    let labels = "labels:\n    op: put\n    type: Failed\n    phase: Succeeded\n    crc: \"00000000\"\n    end: \"7\"\n";
    let annotations = "annotations:\n    op: '{\"op\":\"put\",\"table\":\"jobs\"'\n    status: ',\"status\":{\"phase\":\"Succeeded\"'\n";
    let manifest = job("words", "", "true").replace("annotations:\n", &format!("{labels}  {annotations}"));
    let _ = world.apply(&manifest);
    world.wait_for_end("words");
    assert_eq!(world.run("get jobs -o name").success().lines(), ["job.batch/words"]);
    assert_eq!(world.value("job words", "{.metadata.labels.op}"), "put");
    world.assert_no_processes_left();
    let _ = world.run("doctor").success();
    world.run("delete job words").prints("job.batch \"words\" deleted\n");
}

#[test]
fn a_label_that_looks_like_an_end_does_not_keep_a_killed_controller_away() {
    let world = World::new();
    let labels = "labels:\n    type: Failed\n    phase: Succeeded\n  annotations:\n";
    let script = "until test -f go; do sleep 0.01; done";
    let _ = world
        .apply(&job("looks", "completions: 2\nparallelism: 1", script).replace("annotations:\n", labels));
    eventually(SOON, || world.supervisors().len() == 1);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    let _ = world.run("get jobs").success();
    eventually(SOON, || world.controller().is_some());
    world.manifest("go", "");
    world.wait_for_end("looks");
}

/// A Job whose pod is stored and not started, as a power cut leaves it: the verb dies between its commit and its act.
fn stored_and_not_started(world: &World, boot: &str) {
    let manifest = job("once", "backoffLimit: 0", "echo ran >> ran");
    let create = world.command("create -f -").stdin(manifest).env("JOBCTL_BACKGROUND", "never");
    let died = create.env("JOBCTL_CRASH_AT", "before-act").env("JOBCTL_BOOT_ID", boot).run();
    assert_eq!(died.code, -9, "{}{}", died.stdout, died.stderr);
    assert_eq!(world.value("pods", "{.items[*].status.phase}"), "Pending");
}

#[test]
fn a_pod_that_may_have_run_before_the_machine_stopped_counts_as_a_failure() {
    for (boot, tally, ran) in
        [("one", "1/ SuccessCriteriaMet Complete", true), ("two", "/1 FailureTarget Failed", false)]
    {
        let world = World::without_background();
        stored_and_not_started(&world, "one");
        let _ = world.command("watch --until-idle").env("JOBCTL_BOOT_ID", boot).run().success();
        assert_eq!(world.tally("once"), tally, "in boot {boot}");
        assert_eq!(world.path("work/ran").exists(), ran, "in boot {boot}");
        let _ = world.run("delete job once").success();
        // Later objects of the same boot start as ever.
        let create = world.command("create -f -").stdin(job("later", "backoffLimit: 0", "true"));
        let _ = create.env("JOBCTL_BOOT_ID", boot).run().success();
        let _ = world.command("watch --until-idle").env("JOBCTL_BOOT_ID", boot).run().success();
        assert_eq!(world.tally("later"), "1/ SuccessCriteriaMet Complete", "in boot {boot}");
    }
}

#[test]
fn a_report_that_was_put_away_is_consulted_before_a_pod_is_called_lost() {
    let world = World::new();
    let _ = world.apply(&job("once", "backoffLimit: 0", "echo ran >> ran"));
    world.wait_for_end("once");
    world.assert_no_processes_left();
    // Back to what the verb committed and synced: everything after is lost.
    let first = &commits(&world)[0];
    fs::write(journal(&world), &first.bytes).expect("write");
    world.wait_for_end("once");
    assert_eq!(world.tally("once"), "1/ SuccessCriteriaMet Complete");
    assert_eq!(fs::read_to_string(world.path("work/ran")).expect("it ran"), "ran\n", "once");
}

#[test]
fn rubbish_in_the_inbox_harms_nobody() {
    let world = World::new();
    let _ = world.apply(&job("one", "suspend: true", "true"));
    world.assert_no_processes_left();
    let inbox = world.store().join("inbox");
    symlink("nowhere", inbox.join("a.1")).expect("a link");
    nix::unistd::mkfifo(&inbox.join("b.1"), Mode::S_IRWXU).expect("a FIFO");
    fs::create_dir(inbox.join("c.1")).expect("a directory");
    fs::write(inbox.join("d.1"), "{").expect("a file");
    fs::write(inbox.join("what is this"), "").expect("a file");
    fs::write(inbox.join("e.1"), "").expect("a file");
    fs::set_permissions(inbox.join("e.1"), fs::Permissions::from_mode(0o000)).expect("chmod");
    let report = world.run("doctor");
    assert!(report.stdout.contains("inbox"), "it ends: {}", report.stdout);
    let _ = world.apply(&job("two", "", "true"));
    world.wait_for_end("two");
    world.assert_no_processes_left();
    let left: Vec<String> = names(&inbox).into_iter().filter(|name| !name.ends_with(".corrupt")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_store_on_a_disk_that_can_only_be_read_is_read() {
    if !is_root() {
        println!("skipped: only root can run commands as another user, whom permissions bind");
        return;
    }
    let world = World::of_user(65534);
    let _ = world.apply(&job("one", "", "echo line"));
    world.wait_for_end("one");
    world.assert_no_processes_left();
    let mut left = vec![world.store()];
    while let Some(path) = left.pop() {
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            left.extend(fs::read_dir(&path).expect("a directory").flatten().map(|entry| entry.path()));
        }
        let mode = if path.is_dir() { 0o500 } else { 0o400 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
    }
    assert_eq!(world.run("get jobs -o name").success().lines(), ["job.batch/one"]);
    world.run("logs job/one").prints("line\n");
    let _ = world.run("wait --for=condition=complete job/one").success();
    let _ = world.run("describe job one").success();
    let error = world.run("delete job one").failure();
    assert!(error.stderr.contains("Permission denied"), "{}", error.stderr);
    let unlock = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o700)).expect("chmod");
    unlock(&world.store());
    for directory in ["inbox", "pods", "snapshot", "snapshot/0"] {
        unlock(&world.store().join(directory));
    }
}

#[test]
fn a_lock_file_that_was_removed_makes_controllers_yield() {
    let world = World::new();
    let _ = world.apply(&job("many", "completions: 30\nparallelism: 3", "echo $HOSTNAME >> ran; sleep 0.3"));
    // It is a process before it has made the file.
    eventually(SOON, || world.store().join("controller.lock").exists());
    for _ in 0..4 {
        fs::remove_file(world.store().join("controller.lock")).expect("removed");
        let _ = world.run("label job many a=b --overwrite").success();
        eventually(SOON, || world.processes_named("jobctl-control").len() <= 1);
        eventually(SOON, || world.store().join("controller.lock").exists());
    }
    world.wait_for_end("many");
    assert_eq!(world.tally("many"), "30/ SuccessCriteriaMet Complete");
    let ran = fs::read_to_string(world.path("work/ran")).expect("they ran");
    let mut pods: Vec<&str> = ran.lines().collect();
    pods.sort_unstable();
    let count = pods.len();
    pods.dedup();
    assert_eq!((count, pods.len()), (30, 30), "each pod once");
}

/// A script run with limits of its own, as a user would set them before jobctl.
fn limited(world: &World, limits: &str, line: &str) -> std::process::Output {
    let binary = env!("CARGO_BIN_EXE_jobctl");
    world.command("").shell(&format!("{limits}; exec {binary} {line}"))
}

#[test]
fn death_by_a_real_time_signal_is_an_end_like_any_other() {
    let world = World::new();
    let _ = world.apply(&job("signal", "backoffLimit: 0", "exec bash -c 'kill -34 $BASHPID'"));
    world.wait_for_end("signal");
    assert_eq!(world.tally("signal"), "/1 FailureTarget Failed");
    let code = "{.items[0].status.containerStatuses[0].state.terminated.exitCode}";
    assert_eq!(world.value("pods", code), "162");
}

#[test]
fn more_pods_than_open_files_are_adopted_and_deleted() {
    let world = World::new();
    let _ = world.apply(&job("many", "completions: 120\nparallelism: 120", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 120);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    // The new controller may not open 64 files more.
    let listed = limited(&world, "ulimit -n 64", "get jobs -o name");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    eventually(SOON, || world.controller().is_some());
    let controller = world.controller();
    world.wait_for_value("job many", "{.status.active}", "120");
    let killed = world.processes_named("sleep")[0];
    kill(killed, Signal::SIGKILL);
    world.wait_for_value("job many", "{.status.failed}", "1");
    assert_eq!(world.controller(), controller, "it is the same");
    let _ = world.run("delete job many --now").success();
    eventually(SOON, || world.processes_named("sleep").is_empty());
}

#[test]
fn few_processes_and_many_pods_end_in_no_deadlock() {
    if !is_root() {
        println!("skipped: only root can run commands as another user, whose processes are counted");
        return;
    }
    // A user of this test's own: processes are counted by user.
    let world = World::of_user(61_000 + std::process::id() % 4000);
    world.manifest(
        "job.yaml",
        job("many", "completions: 1500\nparallelism: 1500\nbackoffLimit: 100000", "exec sleep 1000"),
    );
    let applied = limited(&world, "ulimit -u 30", "apply -f job.yaml");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    // Most processes that there may be are supervisors, whose containers cannot be started then.
    eventually(SOON, || !world.processes_named("sleep").is_empty());
    let _ = world.run("delete job many --now").success();
    eventually(SOON, || world.run("get pods -o name").stdout.is_empty());
    world.assert_no_processes_left();
}

#[test]
fn a_supervisor_that_cannot_be_seen_is_alive() {
    if !is_root() {
        println!("skipped: only root can make a PID namespace");
        return;
    }
    let world = World::new();
    let _ = world.apply(&job("lives", "backoffLimit: 0", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.supervisors().len() == 1);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    let binary = env!("CARGO_BIN_EXE_jobctl");
    let script = format!("exec unshare -pf --mount-proc env JOBCTL_BACKGROUND=never {binary} reconcile");
    let pass = world.command("").shell(&script);
    let said = String::from_utf8_lossy(&pass.stdout).into_owned();
    assert!(
        pass.status.success() && !said.contains("lost"),
        "{said}{}",
        String::from_utf8_lossy(&pass.stderr)
    );
    assert_eq!(world.tally("lives"), "/ ");
    assert_eq!(world.supervisors().len(), 1);
    world.manifest("go", "");
    world.wait_for_end("lives");
    assert_eq!(world.tally("lives"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn a_controller_that_a_pod_brings_back_is_not_the_pods() {
    let world = World::new();
    let binary = env!("CARGO_BIN_EXE_jobctl");
    let child = "until test -f child-go; do sleep 0.01; done";
    let script = format!(
        "until test -f go; do sleep 0.01; done; {binary} create job child --image=x -- sh -c '{child}' && \
         {binary} get job child -o name"
    );
    // A pod has a clean environment: what tells jobctl where this world is must be in the manifest.
    let home = |name: &str, path: &str| format!("{{name: {name}, value: {}}}", world.path(path).display());
    let env = format!("env: [{}, {}]", home("XDG_DATA_HOME", "data"), home("XDG_CONFIG_HOME", "config"));
    let manifest = job("parent", "", "").replace("command:", &format!("{env}\n        command:"));
    let manifest = manifest.replace("[sh, -c, \"\"]", &format!("[sh, -c, {}]", serde_json::json!(script)));
    assert!(manifest.contains("XDG_DATA_HOME") && manifest.contains("child-go"), "{manifest}");
    let _ = world.apply(&manifest);
    eventually(SOON, || world.supervisors().len() == 1);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    world.manifest("go", "");
    world.wait_for_value("job parent", "{.status.succeeded}", "1");
    let controller = world.controller().expect("it goes on");
    world.wait_for_value("job child", "{.status.active}", "1");
    assert_eq!(world.controller(), Some(controller), "the end of the pod has not ended it");
    assert_eq!(world.value("pods -l job-name=child", "{.items[0].spec.nodeName}"), "node1");
    world.manifest("child-go", "");
    world.wait_for_end("child");
    assert_eq!(world.tally("child"), "1/ SuccessCriteriaMet Complete");
}

#[test]
fn workers_that_cleared_their_environment_go_with_their_supervisor() {
    for also_the_kubelet in [false, true] {
        let world = World::new();
        let worker = "env -i /bin/sh -c 'exec sleep 1000'";
        let script = if also_the_kubelet {
            format!("{worker} & {worker}; true")
        } else {
            format!("setsid {worker} & {worker}; true")
        };
        let _ = world.apply(&job("clear", "backoffLimit: 0", &script));
        let workers = || world.processes_named("sleep").len();
        eventually(SOON, || workers() == 2);
        if also_the_kubelet {
            kill(world.controller().expect("a controller"), Signal::SIGKILL);
            eventually(SOON, || world.processes_named("jobctl-kubelet").is_empty());
        }
        kill(world.supervisors()[0], Signal::SIGKILL);
        let _ = world.run("wait --for=condition=failed job/clear --timeout=60s").success();
        eventually(SOON, || workers() == 0);
    }
}

#[test]
fn a_stopped_supervisor_does_not_keep_its_pod() {
    let world = World::new();
    let _ = world.apply(&job("stopped", "", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 1);
    kill(world.supervisors()[0], Signal::SIGSTOP);
    let _ = world.run("delete job stopped --now").success();
    eventually(SOON, || world.run("get pods -o name").stdout.is_empty());
    world.assert_no_processes_left();
}

#[test]
fn pods_end_soon_after_their_data_directory_is_removed() {
    let world = World::new();
    let _ = world.apply(&job("orphans", "completions: 3\nparallelism: 3", "exec sleep 1000"));
    eventually(SOON, || world.processes_named("sleep").len() == 3);
    // As `rm -rf` has to, while somebody still writes there.
    eventually(SOON, || fs::remove_dir_all(world.store()).is_ok() || !world.store().exists());
    world.assert_no_processes_left();
    assert!(!world.store().exists(), "nobody makes it again");
}

#[test]
fn pods_have_the_session_of_their_creator_and_limits_of_their_own() {
    let world = World::new();
    // The controller is started by somebody with another session, and where that can be mended with fewer files.
    world.manifest("first.yaml", job("first", "", "until test -f go; do sleep 0.01; done"));
    let raise = "ulimit -n 300; prlimit --pid $$ --nofile=65536:1048576";
    let can_raise = world.command("").shell(raise).status.success();
    let limits = if can_raise { "ulimit -n 300" } else { "true" };
    let first = limited(&world, &format!("{limits}; export TZ=Asia/Tokyo"), "apply -f first.yaml");
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    eventually(SOON, || world.supervisors().len() == 1);
    let show = "echo $(umask) $TZ $TMPDIR $(nice); ulimit -Sn; ulimit -Sc";
    world.manifest("show.yaml", job("show", "", show));
    let limits = "umask 0027; ulimit -Sn 300; export TZ=Europe/Berlin TMPDIR=/var/tmp SECRET=x";
    let applied = limited(&world, limits, "apply -f show.yaml");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    world.wait_for_end("show");
    let (_, hard) =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).expect("a limit");
    let files = if can_raise { 65_536 } else { hard.min(65_536) };
    world.run("logs job/show").prints(&format!("0027 Europe/Berlin /var/tmp 0\n{files}\n0\n"));
    world.manifest("go", "");
    world.wait_for_end("first");
}

#[test]
fn a_full_umask_closes_no_file_of_ours() {
    let world = World::new();
    world.manifest("job.yaml", job("closed", "", "umask"));
    let applied = limited(&world, "umask 0277", "apply -f job.yaml");
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    world.wait_for_end("closed");
    world.run("logs job/closed").prints("0277\n");
    let _ = world.run("doctor").success();
}

#[test]
fn what_is_passed_is_kept_apart_and_the_starters_environment_does_not_stay() {
    let world = World::new();
    let script = "echo got $TOKEN; until test -f go; do sleep 0.01; done";
    let apply = world.command("apply -f - --pass-env TOKEN,OTHER").stdin(job("passes", "", script));
    let _ = apply.env("TOKEN", "s3cr3t").env("OTHER", "s3cr3t").env("UNRELATED", "pr1vate").run().success();
    eventually(SOON, || world.run("logs job/passes").stdout == "got s3cr3t\n");
    for line in
        ["describe job passes", "describe pods", "get jobs,pods -o yaml", "get jobs -o json", "events"]
    {
        assert!(!world.run(line).success().stdout.contains("s3cr3t"), "{line}");
    }
    assert_eq!(
        world.value("job passes", r"{.metadata.annotations.jobctl\.local/environment}"),
        "OTHER,TOKEN"
    );
    let ours = world.processes().into_iter().filter(|process| process.name.starts_with("jobctl-"));
    let mut looked_at = 0;
    for process in ours {
        let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        assert!(
            !environment.contains("s3cr3t") && !environment.contains("pr1vate"),
            "{process:?}: {environment}"
        );
        looked_at += 1;
    }
    assert!(looked_at >= 3, "{looked_at}");
    world.manifest("go", "");
    world.wait_for_end("passes");
    let again =
        world.command("apply -f - --pass-env TOKEN").stdin(job("passes", "", script)).env("TOKEN", "other");
    let said = again.run().success().stderr;
    assert!(said.contains("--pass-env has no effect on job.batch/passes, which is there already"), "{said}");
    let _ = world.run("delete job passes").success();
    world.assert_no_processes_left();
}

#[test]
fn ps_tells_what_our_processes_do() {
    let world = World::new();
    let _ = world.apply(&job("shown", "", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.supervisors().len() == 1);
    let pod = world.value("pods", "{.items[0].metadata.name}");
    let title = |name: &str| {
        let process = world.processes().into_iter().find(|process| process.name == name);
        process.map(|process| process.arguments).unwrap_or_default()
    };
    let supervisor = format!("jobctl: supervisor of pod default/{pod}");
    assert_eq!(title("jobctl-super"), supervisor);
    assert!(title("jobctl-super").contains("supervisor of pod default/"), "{}", title("jobctl-super"));
    assert_eq!(title("jobctl-kubelet"), format!("jobctl: kubelet of {}", world.store().display()));
    assert_eq!(title("jobctl-control"), format!("jobctl: controller of {}", world.store().display()));
    world.manifest("go", "");
    world.wait_for_end("shown");
}

#[test]
fn controllers_that_fail_in_a_row_wait_longer_and_the_next_command_says_so() {
    let world = World::new();
    let _ = world.apply(&job("one", "", "until test -f go; do sleep 0.01; done"));
    eventually(SOON, || world.supervisors().len() == 1);
    kill(world.controller().expect("a controller"), Signal::SIGKILL);
    eventually(SOON, || world.controller().is_none());
    // What every controller needs and no listing does.
    let inbox = world.store().join("inbox");
    let aside = world.path("inbox-aside");
    fs::rename(&inbox, &aside).expect("renamed");
    let mut said = String::new();
    eventually(SOON, || {
        said = world.run("get jobs").stderr;
        said.contains("controllers in a row have failed")
    });
    assert!(said.starts_with("warning: ") && said.contains("inbox"), "{said}");
    let shown = world.run("doctor").stdout;
    assert!(shown.contains("said: ") && shown.contains("the controller ended: "), "{shown}");
    fs::rename(&aside, &inbox).expect("renamed");
    world.manifest("go", "");
    world.wait_for_end("one");
    eventually(SOON, || !world.run("get jobs").stderr.contains("in a row"));
    world.assert_no_processes_left();
}
